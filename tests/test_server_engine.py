"""The seam to the engine: what it asks on behalf of whom."""

from __future__ import annotations

import datetime
import subprocess
import sys
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


def test_what_compiles_when_it_is_first_asked_is_asked_beforehand() -> None:
    """In a process of its own: here, earlier tests have compiled it all."""
    done = subprocess.run([sys.executable, "-c", ASKED_BEFOREHAND], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ASKED_BEFOREHAND = """
import datetime
import subprocess
import sys
import sys

from numba.core.registry import CPUDispatcher

from slagkracht.log.situation import EMPTY
from slagkracht.server import engine as seam
from slagkracht.sources.modelland import build_modelland


def compiled():
    modules = [module for name, module in sys.modules.items() if name.startswith("slagkracht.")]
    found = {id(made): made for module in modules for made in vars(module).values() if isinstance(made, CPUDispatcher)}
    return {(made.__name__, signature) for made in found.values() for signature in made.signatures}


engine = seam.load(build_modelland(areas=600, nodes=30_000))
at = datetime.datetime(2026, 7, 1, 10, tzinfo=seam.CLOCK)
seam.warm_up(engine, at)
before = compiled()
picture = seam.compute_picture(engine, EMPTY, at)
there = seam.find_middle(engine, "VR06")
seam.propose(engine, picture, [("basispeloton", 2), ("handcrew", 1)], there, without=["VR06"])
late = compiled() - before
seam.warm_up_answers(engine, at)
before = compiled()
seam.propose(engine, picture, [("basispeloton", 1)], there, only="VR06", keep_floors=False)
seam.compute_move_ups(engine, picture, engine.plan.units.unit_id[:6].tolist())
seam.compute_cost(engine, picture, "VR06", engine.plan.units.unit_id[:6].tolist())
seam.compare_platoons(engine, engine.plan, engine.travel, "dag", [there, 3])
print(sorted(name for name, _ in late | (compiled() - before)))
"""
