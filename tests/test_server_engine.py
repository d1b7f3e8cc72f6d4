"""The seam to the engine: what it asks on behalf of whom."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from slagkracht.log.situation import EMPTY
from slagkracht.server import engine as seam
from slagkracht.server.engine import Engine
from slagkracht.sources.modelland import build_modelland


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    yield seam.load(build_modelland(areas=600, nodes=30_000))
    seam.unload()


def test_who_is_assigned_goes_first_in_a_proposal_unless_passed_by(engine: Engine) -> None:
    picture = seam.compute_picture(engine, EMPTY, datetime.datetime(2026, 7, 1, 10, tzinfo=seam.CLOCK))
    there, codes, asked = seam.find_middle(engine, "VR02"), engine.plan.regions.code, [("ontsmetting", 1)]
    assert codes[seam.propose(engine, picture, asked, there).goes_first[0]] == "VR01"
    assert seam.propose(engine, picture, asked, there, without=["VR01"]).goes_first.tolist() == [-1]
    assert seam.propose(engine, picture, asked, there, only="VR03").goes_first.tolist() == [-1]
