"""A log measured: worked out by hand, and the same whether a year is read from its columns or from its log."""

from __future__ import annotations

import datetime
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binomtest

from simulation_example import START, busy_scenario, small_country
from slagkracht.coverage import compute_arrivals, compute_call_handling, compute_coverage
from slagkracht.log import Event, append_event, replay, verify_chain
from slagkracht.performance import (
    SHARES,
    compute_performance,
    compute_wilson,
    observe,
    observe_history,
)
from slagkracht.resources import compute_standing
from slagkracht.simulation import compute_setup, record, simulate_year
from slagkracht.strength import Cover, Floors, compute_cover, compute_residual
from toyland import read_toyland

WEEK = np.zeros(168, np.int8)
NOON = datetime.datetime(2026, 7, 1, 12, tzinfo=datetime.UTC)


def told(*facts: tuple[float, str, dict[str, object]]) -> tuple[Event, ...]:
    events: list[Event] = []
    for second, kind, body in facts:
        at = NOON + datetime.timedelta(seconds=second)
        events.append(append_event(events[-1] if events else None, "VR01", kind, at, at, "meldkamer", dict(body)))
    return tuple(events)


def status(unit: str, what: str, incident: str = "") -> dict[str, object]:
    return {"unit": unit, "status": what} | ({"incident": incident} if incident else {})


def test_one_fire_by_hand() -> None:
    plan, _ = read_toyland()
    one, other = plan.units.unit_id[:2].tolist()
    place = {"x_m": float(plan.areas.x_m[3]), "y_m": float(plan.areas.y_m[3])}
    log = told(
        (0, "incident_opened", {"incident": "i1", "what": "brand", **place}),
        (60, "unit_status", status(one, "alerted", "i1")),
        (70, "unit_status", status(other, "alerted", "i1")),
        (150, "unit_status", status("een vreemde", "alerted", "i1")),
        (400, "unit_status", status(other, "on_scene", "i1")),
        (520, "unit_status", status(one, "on_scene", "i1")),
        (3_660, "unit_status", status(one, "available")),
        (3_700, "incident_closed", {"incident": "i1"}),
    )
    seen = observe(log, plan)
    assert (seen.area.tolist(), seen.alarmed_s.tolist(), seen.arrived_s.tolist()) == ([3], [60.0, 70.0], [520.0, 400.0])
    assert seen.back_s.tolist() == [3_660.0, np.inf]
    assert seen.strangers == {"eenheid die dit plan niet kent": 1}
    first = compute_performance(seen, plan)
    assert first.responses.percentile_s[0].tolist() == [400.0] * len(SHARES)
    assert compute_performance(seen, plan, nth=2).responses.percentile_s[0, 0] == 520.0
    assert np.isinf(compute_performance(seen, plan, nth=3).responses.percentile_s[0, 0])
    assert first.busy_s[:2].tolist() == [3_600.0, 3_630.0]  # the second is not home when the log ends
    assert first.crew_hours[0] == plan.units.crew[0]
    assert first.alarms.sum() == 2


def test_help_from_outside_and_what_did_not_come_are_read_too() -> None:
    plan, _ = read_toyland()
    unit, region = str(plan.units.unit_id[0]), str(plan.regions.code[0])
    log = told(
        (0, "incident_opened", {"incident": "i1", "what": "duinbrand", "x_m": 0.0, "y_m": 0.0}),
        (5, "request_made", {"request": "a1", "region": region, "incident": "i1", "ground": "artikel 51"}),
        (6, "line_asked", {"request": "a1", "line": "r1", "formation": "handcrew", "count": 3}),
        (7, "unit_committed", {"commitment": "t1", "line": "r1", "unit": unit, "region": region}),
        (8, "unit_en_route", {"commitment": "t1"}),
        (3_600, "unit_arrived", {"commitment": "t1"}),
        (9_000, "line_unmet", {"line": "r1", "count": 2, "reason": "restdekking"}),
        (9_100, "unit_home", {"commitment": "t1"}),
    )
    measured = compute_performance(observe(log, plan), plan)
    assert measured.unmet == (("handcrew", "eigen restdekking komt onder de bodem", 2),)
    assert measured.responses.percentile_s[0, 0] == 3_600.0
    assert measured.busy_s[0] == 9_093.0


def test_a_log_without_incident_is_refused() -> None:
    plan, _ = read_toyland()
    with pytest.raises(ValueError, match="geen incident"):
        observe(told((0, "note", {"text": "rustig"})), plan)


@pytest.mark.parametrize("move_up", ["geen", "dekking"])
def test_a_simulated_week_reads_the_same_from_its_log(move_up: str) -> None:
    plan, travel = small_country()
    setup = compute_setup(
        plan, travel, busy_scenario(move_up=move_up), start=START, week_window=WEEK, hours=168, seed=2
    )
    history = simulate_year(setup, 0)
    events = record(history, plan)
    for chain in ("VR01", "VR02"):
        assert verify_chain([event for event in events if event.chain == chain], chain) == []
    assert replay(events).conflicts == ()
    seen, direct = observe(events, plan), observe_history(history)
    shift_s = (seen.start - history.start).total_seconds()
    np.testing.assert_allclose(seen.opened_s + shift_s, direct.opened_s, atol=1e-5)
    order, wanted = (np.lexsort((o.unit, o.alarmed_s.round(4), o.sent_to)) for o in (seen, direct))
    np.testing.assert_array_equal(seen.unit[order], direct.unit[wanted])
    np.testing.assert_allclose(seen.arrived_s[order] + shift_s, direct.arrived_s[wanted], atol=1e-5)
    one, other = compute_performance(seen, plan), compute_performance(direct, plan)
    np.testing.assert_allclose(one.responses.percentile_s, other.responses.percentile_s, atol=1e-4)
    np.testing.assert_array_equal(one.alarms, other.alarms)
    assert one.unmet == other.unmet


def test_a_simulated_move_up_is_told_when_it_is_ordered_stands_and_ends() -> None:
    plan, travel = small_country()
    scenario = busy_scenario(move_up="dekking")
    setup = compute_setup(plan, travel, scenario, start=START, week_window=WEEK, hours=168, seed=2)
    history = simulate_year(setup, 0)
    told_of = [event for event in record(history, plan) if event.kind == "unit_position"]
    ended = history.ended_s[np.isfinite(history.ended_s)]
    assert len(ended) > 0
    for step, seconds in (("ordered", history.left_s), ("arrived", history.stood_s), ("ended", ended)):
        facts = [event for event in told_of if event.body["move_up_step"] == step]
        moments = sorted((event.happened_at - history.start).total_seconds() for event in facts)
        np.testing.assert_allclose(moments, np.sort(seconds), atol=1e-5)
    m = int(np.flatnonzero(np.isfinite(history.ended_s))[0])
    unit, to = int(history.moved_unit[m]), int(history.moved_to[m])
    name, home = str(plan.units.unit_id[unit]), int(plan.units.station[unit])
    mine = [event.body for event in told_of if event.body["unit"] == name][:3]
    assert [(each["move_up"], each["x_m"]) for each in mine] == [
        (str(plan.stations.station_id[to]), plan.stations.x_m[home]),
        (str(plan.stations.station_id[to]), plan.stations.x_m[to]),
        ("", plan.stations.x_m[home]),
    ]


def floors_of(plan_seed: int = 3) -> tuple[object, object, Cover, Floors]:
    plan, travel = small_country(seed=plan_seed)
    standing = compute_standing(plan.units, plan.stations, "dag")
    handling_s, _ = compute_call_handling(plan)
    arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=handling_s, depth=24)
    cover = compute_cover(arrivals, len(standing), plan.areas, 480.0, 2)
    return plan, travel, cover, Floors(cover.share - 0.02, "voorbeeld")


def test_time_below_the_floor_is_what_looking_at_every_moment_gives() -> None:
    plan, travel, cover, floors = floors_of()
    setup = compute_setup(plan, travel, busy_scenario(), start=START, week_window=WEEK, hours=72, seed=4)  # type: ignore[arg-type]
    seen = observe_history(simulate_year(setup, 0))
    measured = compute_performance(seen, plan, cover=cover, floors=floors)  # type: ignore[arg-type]
    back_s = np.minimum(seen.back_s, seen.end_s)
    moments = np.unique(np.concatenate([seen.alarmed_s, back_s, [0.0, seen.end_s]]))
    below_s, lowest = np.zeros(2), cover.share.copy()
    for start, end in pairwise(moments.tolist()):
        away = np.zeros(len(plan.units), np.bool_)  # type: ignore[attr-defined]
        away[seen.unit[(seen.alarmed_s <= start) & (back_s > start)]] = True
        share = compute_residual(cover, away)
        below_s += (end - start) * (share < floors.share - 1e-9)
        lowest = np.minimum(lowest, share)
    assert (below_s > 0).any()
    np.testing.assert_allclose(measured.below_floor_s, below_s, rtol=1e-9)
    np.testing.assert_allclose(measured.lowest_share, lowest, rtol=1e-9)


def test_the_interval_is_wilsons() -> None:
    for hits, count in ((0, 10), (7, 10), (400, 1_000)):
        low, high = compute_wilson(hits, count)
        wanted = binomtest(hits, count).proportion_ci(method="wilson")
        np.testing.assert_allclose([low, high], [wanted.low, wanted.high], atol=1e-12)
    assert np.isnan(compute_wilson(0, 0)[0])


def test_promise_and_measurement_stand_side_by_side() -> None:
    plan, travel = read_toyland()
    promised = compute_coverage(plan, travel, windows=("dag", "nacht"), norms=("eerste",))
    place = {"x_m": float(plan.areas.x_m[0]), "y_m": float(plan.areas.y_m[0])}
    unit, limit = str(plan.units.unit_id[0]), float(promised[0].limit_s[0])
    facts = []
    for n, took in enumerate((limit, limit + 1, limit - 1, np.inf)):
        name = f"i{n}"
        facts.append((n * 9_000.0, "incident_opened", {"incident": name, "what": "brand", **place}))
        facts.append((n * 9_000.0 + 5, "unit_status", status(unit, "alerted", name)))
        if np.isfinite(took):
            facts.append((n * 9_000.0 + took, "unit_status", status(unit, "on_scene", name)))
        facts.append((n * 9_000.0 + 5_000, "unit_status", status(unit, "available")))
    measured = compute_performance(observe(told(*facts), plan), plan, promised=promised)
    assert measured.responses.in_time[0] == 0.5  # exactly on the norm is in time
    assert measured.late.tolist() == [1, 3]
    assert measured.late_response_s.tolist() == [limit + 1, np.inf]
    wanted = np.mean([c.in_time[0] if np.isnan(c.chance[0]) else c.chance[0] for c in promised])
    np.testing.assert_allclose(measured.responses.promised[0], wanted)
    other = compute_performance(measured.observed, plan, promised=promised, kinds=("waterongeval",))
    assert (other.responses.judged[0], len(other.late)) == (0, 0)
    with pytest.raises(ValueError, match="één norm"):
        compute_performance(measured.observed, plan, promised=(promised[0], replace(promised[1], norm="iets anders")))
