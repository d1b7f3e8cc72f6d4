"""Large deployments: shifts that relieve each other, floors that hold, gaps that are told, and all of it in the log."""

from __future__ import annotations

import numpy as np
import pytest

from simulation_example import START, busy_scenario, small_country
from slagkracht.coverage import compute_arrivals
from slagkracht.log import replay, verify_chain
from slagkracht.performance import compute_performance, observe
from slagkracht.resources import compute_standing
from slagkracht.risks import Events, Need, Place, Profile, Risk
from slagkracht.simulation import (
    Deployments,
    ReliefRule,
    compute_absences,
    compute_deployments,
    compute_setup,
    record,
    simulate_year,
)
from slagkracht.strength import Doctrine, Floors, Formation, Part, compute_cover

WEEK = np.zeros(168, np.int8)
PAIR = Formation("paar", "paar", (Part("tankautospuit", 2),), False, 300.0, float("nan"), "te verifiëren")


def risk(code: str, x_m: float, *needs: Need) -> Risk:
    return Risk(
        code, code, "natuurlijke omgeving", "", (), (Place("hier", x_m, 100.0, 1.0),) if x_m >= 0 else (), 1.0, 1.0,
        1.0, (1.0,) * 12, (1.0,) * 24, ("",) * 10, "", "", needs, "voorbeeld", "te verifiëren",
    )  # fmt: skip


def deploy(*needs: Need, floor: float | None = None, seed: int = 1, x_m: float = 20_000.0) -> Deployments:
    plan, travel = small_country(ready=1.0)
    standing = compute_standing(plan.units, plan.stations, "dag")
    arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=55.0, depth=24)
    cover = compute_cover(arrivals, len(standing), plan.areas, 480.0, 2)
    profile = Profile((risk("brand", x_m, *needs),), ())
    events = Events(np.zeros(1, np.int32), np.array([10.0]), np.array([34.0]), np.zeros(1, np.int32), 1, 1)
    return compute_deployments(
        events, 0, profile, standing, travel, plan.areas, plan.regions.code, Doctrine({"paar": PAIR}), cover,
        None if floor is None else Floors(np.full(2, floor), "voorbeeld"), ReliefRule(4.0, 10.0), seed=seed,
    )  # fmt: skip


def test_a_crew_is_relieved_after_its_shift_and_rests() -> None:
    deployed = deploy(Need("paar", 1, 0.0, 12.0))
    assert np.bincount(deployed.shift).tolist() == [2, 2, 2]
    assert len(np.unique(deployed.unit)) == 6  # ten hours of rest: nobody comes twice in twelve
    np.testing.assert_array_equal(np.unique(deployed.alarmed_s), [36_000.0, 50_400.0, 64_800.0])
    assert (deployed.released_s[deployed.shift == 0] == 50_400.0).all()
    assert (deployed.back_s > deployed.released_s).all()
    assert len(deployed.gap_crisis) == 0


def test_what_cannot_be_met_is_a_gap_with_its_reason() -> None:
    deployed = deploy(Need("paar", 40, 0.0, 4.0), Need("luchtvloot", 2, 0.0, 4.0))
    gaps = dict(zip(deployed.gap_formation.tolist(), deployed.gap_count.tolist(), strict=True))
    assert gaps["luchtvloot"] == 2
    assert gaps["paar"] == 40 - 8  # sixteen pumps make eight pairs
    held = deploy(Need("paar", 8, 0.0, 4.0), floor=1.5)  # only who would not be missed may go
    assert 0 < len(held.unit) < 16
    assert held.gap_reason.tolist() == ["restdekking"]


def test_a_risk_without_place_falls_among_people_and_the_same_seed_falls_the_same() -> None:
    places = [int(deploy(Need("paar", 1, 0.0, 1.0), seed=s, x_m=-1.0).area[0]) for s in (1, 1, 2, 3, 4, 5)]
    assert places[0] == places[1]
    assert len(set(places)) > 1


def test_the_log_of_a_crisis_is_whole_and_reads_back() -> None:
    plan, travel = small_country(ready=1.0)
    deployed = deploy(Need("paar", 20, 0.0, 8.0))
    scenario = busy_scenario()
    quiet = compute_setup(
        plan, travel, scenario, start=START, week_window=WEEK, hours=9, absences=(compute_absences(deployed),)
    )
    events = record(simulate_year(quiet, 0), plan, deployments=deployed)
    for chain in ("VR01", "VR02"):
        assert verify_chain([event for event in events if event.chain == chain], chain) == []
    situation = replay(events)
    assert len(situation.commitments) == len(deployed.unit)
    assert {c.step for c in situation.commitments.values()} == {"unit_home"}
    measured = compute_performance(observe(events, plan), plan)
    assert sum(count for what, _, count in measured.unmet if what == "paar") == deployed.gap_count.sum()
    assert measured.observed.strangers == {}


@pytest.mark.parametrize("year", [0, 1])
def test_daily_work_goes_on_with_who_is_left(year: int) -> None:
    plan, travel = small_country(ready=1.0)
    deployed = deploy(Need("paar", 3, 0.0, 24.0))
    away = compute_absences(deployed)
    with_crisis = compute_setup(
        plan, travel, busy_scenario(), start=START, week_window=WEEK, hours=48, absences=(away, away)
    )
    history = simulate_year(with_crisis, year)
    for unit, start, end in zip(away.unit.tolist(), away.from_s, away.until_s, strict=True):
        mine = history.unit == unit
        begun_at_home = ~((history.alarmed_s[mine] < start) & (history.back_s[mine] + 600 > start)).any()
        if begun_at_home:
            assert not ((history.alarmed_s[mine] - 300 > start) & (history.alarmed_s[mine] < end)).any()
