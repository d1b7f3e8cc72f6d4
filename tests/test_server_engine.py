"""The seam to the engine: what it asks on behalf of whom."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from slagkracht.coverage import CloseStation, Variant
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


def test_platoons_stand_as_before_in_the_same_plan_and_later_where_a_region_closes_its_stations(engine: Engine) -> None:
    middle = seam.find_middle(engine, "VR02")
    same, travel, _ = seam.judge_variant(engine, Variant("niets", ()), seam.norms(engine)[0], "dag")
    before, after = seam.compare_platoons(engine, same, travel, "dag", [middle])
    assert before.shape == (1, len(seam.RANKS))
    assert before.tolist() == after.tolist()
    own = engine.plan.stations.station_id[engine.plan.stations.region == seam.region_row(engine, "VR02")]
    shut = Variant("dicht", tuple(CloseStation(str(station)) for station in own))
    plan, travel, _ = seam.judge_variant(engine, shut, seam.norms(engine)[0], "dag")
    before, after = seam.compare_platoons(engine, plan, travel, "dag", [middle])
    assert (after > before).all()
