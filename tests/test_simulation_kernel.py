"""The kernel: the same as a year written out in SimPy, to the second, and as queueing theory says."""

from __future__ import annotations

import datetime
from dataclasses import replace
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation_example import START, busy_scenario, kind, small_country
from simulation_in_simpy import Year
from slagkracht.simulation import (
    DISPATCH,
    MOVE_UPS,
    Absences,
    History,
    Incidents,
    Scenario,
    asked_capabilities,
    compute_calendar,
    compute_setup,
    compute_streams,
    compute_world,
    draw_incidents,
    seed_key,
    simulate,
    simulate_year,
)
from slagkracht.simulation.world import World

WEEK = np.zeros(168, np.int8)


@pytest.mark.parametrize("dispatch", DISPATCH)
@pytest.mark.parametrize("move_up", MOVE_UPS)
def test_a_year_is_the_year_that_simpy_makes(dispatch: str, move_up: str) -> None:
    plan, travel = small_country()
    scenario = busy_scenario(dispatch=dispatch, move_up=move_up, drive_together=0.4)
    setup = compute_setup(plan, travel, scenario, start=START, week_window=WEEK, hours=24 * 60, seed=5)
    key = seed_key(5, 0)
    year = Year(setup.world, draw_incidents(setup.streams, key), key)
    year.run()
    history = simulate_year(setup, 0)
    assert len(history.unit) == len(year.sent) > 2_000
    assert len(history.moved_unit) == year.moves
    assert (year.moves > 50) == (move_up != "geen")
    found = np.column_stack(
        [history.incident, history.unit, history.station, history.stage, history.alarmed_s, history.rolled_s,
         history.arrived_s, history.released_s, history.back_s]
    )  # fmt: skip
    wanted = np.array(year.sent)
    order = [np.lexsort(table.T[[1, 4, 0]]) for table in (found, wanted)]
    np.testing.assert_allclose(found[order[0]], wanted[order[1]], rtol=0, atol=1e-6)


@given(seed=st.integers(0, 10_000), move_up=st.sampled_from(MOVE_UPS), dispatch=st.sampled_from(DISPATCH))
@settings(max_examples=25, deadline=None)
def test_no_unit_is_in_two_places_and_all_that_was_asked_came_or_is_missed(
    seed: int, move_up: str, dispatch: str
) -> None:
    plan, travel = small_country(6, 10, seed=seed % 7)
    scenario = busy_scenario(dispatch=dispatch, move_up=move_up)
    setup = compute_setup(plan, travel, scenario, start=START, week_window=WEEK, hours=240, seed=seed)
    history = simulate_year(setup, seed % 3)
    for unit in range(len(plan.units)):
        mine = np.flatnonzero(history.unit == unit)
        assert (history.alarmed_s[mine][1:] >= history.back_s[mine][:-1]).all()
    asked = np.cumsum(setup.world.extra.sum(axis=2), axis=1)[history.kind, history.level]
    came = np.bincount(history.incident, minlength=len(history))
    open_still = np.isinf(history.unmet_until_s) | np.isin(
        history.unmet_until_s, history.closed_s[history.unmet_incident]
    )
    missed = np.bincount(history.unmet_incident[open_still], minlength=len(history))
    served = np.isfinite(history.first_s)
    assert (came + missed == asked)[served].all()
    assert (history.arrived_s > history.rolled_s).all()
    assert (history.rolled_s > history.alarmed_s).all()
    assert (history.first_s <= history.closed_s).all()


def test_the_same_key_gives_the_same_history_and_another_year_another() -> None:
    plan, travel = small_country()
    setup = compute_setup(plan, travel, busy_scenario(), start=START, week_window=WEEK, hours=240, seed=9)
    one, again, other = simulate_year(setup, 4), simulate_year(setup, 4), simulate_year(setup, 5)
    np.testing.assert_array_equal(one.back_s, again.back_s)
    assert len(one) != len(other) or not np.array_equal(one.opened_s, other.opened_s)


def by_hand(scenario: Scenario, incidents: Incidents, absences: Absences | None = None) -> History:
    plan, travel = small_country(4, 4, ready=1.0, spread=0.0)
    world = compute_world(plan, travel, scenario, np.zeros(24, np.int8))
    return simulate(
        world, incidents, seed_key(1, 0), start=START, kinds=tuple(k.code for k in scenario.kinds),
        capabilities=asked_capabilities(scenario), **({"absences": absences} if absences else {}),
    )  # fmt: skip


def calls(at_s: list[float], area: int = 0, level: int = 0, on_scene_s: float = 1_000.0) -> Incidents:
    n = len(at_s)
    return Incidents(np.array(at_s), np.full(n, area, np.int32), np.zeros(n, np.int32), np.full(n, level, np.int32),
                     np.full(n, on_scene_s))  # fmt: skip


def test_one_call_worked_out_by_hand() -> None:
    plan, travel = small_country(4, 4, ready=1.0, spread=0.0)
    history = by_hand(Scenario("een", (kind(),)), calls([100.0]))
    pump = int(history.unit[0])
    response = travel.drive_s[0] + plan.units.turnout_s[[0, 2, 3, 4], 0]  # the first pump of every station
    assert history.station[0] == np.argmin(response)
    drive, turnout = float(travel.drive_s[0, history.station[0]]), float(plan.units.turnout_s[pump, 0])
    assert history.alarmed_s[0] == 155.0
    assert history.rolled_s[0] == 155.0 + turnout
    assert history.arrived_s[0] == history.first_s[0] == 155.0 + turnout + drive
    assert history.closed_s[0] == history.released_s[0] == history.first_s[0] + 1_000.0
    assert history.back_s[0] == history.released_s[0] + drive


def test_a_large_fire_asks_for_more_at_every_level() -> None:
    history = by_hand(Scenario("groot", (kind(),)), calls([0.0], level=2, on_scene_s=7_200.0))
    assert history.stage.tolist() == [0, 1, 1, 2]  # a pump; an officer and a pump; a pump
    first = history.first_s[0]
    np.testing.assert_allclose(np.unique(history.alarmed_s), [55.0, first + 240.0, first + 480.0])
    assert (history.released_s == history.closed_s[0]).all()


def test_a_unit_that_is_lent_does_not_come_and_does_when_it_is_back() -> None:
    scenario = Scenario("weg", (kind(),))
    who = int(by_hand(scenario, calls([100.0])).unit[0])
    away = Absences(np.array([who], np.int32), np.array([50.0]), np.array([5_000.0]))
    history = by_hand(scenario, calls([100.0, 40_000.0]), away)
    assert history.unit[0] != who
    assert history.unit[1] == who


def test_nobody_left_is_said_with_its_reason() -> None:
    none = replace(kind(), asks=((("redvoertuig", 1),),) * 4)
    history = by_hand(Scenario("geen", (none,)), calls([0.0]))
    assert history.unmet_reason.tolist() == [0]
    assert np.isinf(history.first_s[0])
    crowd = by_hand(Scenario("druk", (kind(),), waits=False), calls([float(t) for t in range(20)]))
    assert set(crowd.unmet_reason.tolist()) == {1}
    assert np.isfinite(crowd.first_s).sum() == 6  # four stations, of which two have two pumps


def test_a_bad_scenario_is_refused_in_words() -> None:
    plan, travel = small_country(4, 4)
    for wrong, said in (
        ({"dispatch": "loten"}, "kazernevolgorde"),
        ({"move_up": "x"}, "buurkazerne"),
        ({"kinds": ()}, "soorten"),
    ):
        with pytest.raises(ValueError, match=said):
            compute_world(plan, travel, busy_scenario(**wrong), np.zeros(24, np.int8))
    with pytest.raises(ValueError, match="tijdzone"):
        compute_calendar(datetime.datetime(2026, 1, 1), 24, WEEK)
    with pytest.raises(ValueError, match="nooit"):
        compute_streams((kind(rate_per_year=0.0),), plan.areas, compute_calendar(START, 24, WEEK))


# Queueing theory: drives and turnouts of no length, exponential durations, every unit as good as the next.


def queue(servers: int, load: float, waits: bool, calls_: int, seed: int = 2) -> History:
    """M/M/c: ``load`` in erlangs, mean duration 1,000 s; all units at one station, a drive of no time."""
    plan, travel = small_country(3, 2, ready=1.0, spread=0.0)
    rng = np.random.default_rng(seed)
    at_s = np.cumsum(rng.exponential(1_000.0 / load, calls_))
    incidents = Incidents(at_s, np.zeros(calls_, np.int32), np.zeros(calls_, np.int32), np.zeros(calls_, np.int32),
                          rng.exponential(1_000.0, calls_))  # fmt: skip
    bare = kind(asks=((("tankautospuit", 1),),) * 4, stand_down=0.0)
    world = compute_world(plan, travel, Scenario("rij", (bare,), waits=waits, refit_s=0.0), np.zeros(1, np.int8))
    return simulate(servers_of(world, servers), incidents, seed_key(seed, 0), start=START, kinds=("brand",),
                    capabilities=("tankautospuit",))  # fmt: skip


def servers_of(world: World, servers: int) -> World:
    rows = np.arange(servers, dtype=np.int32)
    return world._replace(
        first=np.array([0, servers], np.int32), rows=rows, home=np.zeros(servers, np.int32),
        mask=np.ones(servers, np.uint64), turnout_s=np.zeros((servers, 4), np.float32),
        turnout_spread=np.zeros((servers, 4), np.float32), readiness=np.ones((servers, 4), np.float32),
        drive_s=np.zeros((2, 1), np.uint16), order=np.zeros((1, 2, 1), np.uint32),
        handling_s=np.zeros(2, np.float32), handling_spread=0.0,
    )  # fmt: skip


def erlang_b(servers: int, load: float) -> float:
    return load**servers / factorial(servers) / sum(load**n / factorial(n) for n in range(servers + 1))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 2.0), (8, 6.0)])
def test_lost_calls_are_erlang_b(servers: int, load: float) -> None:
    history = queue(servers, load, waits=False, calls_=200_000)
    lost = np.isinf(history.first_s).reshape(100, -1).mean(axis=1)
    assert abs(lost.mean() - erlang_b(servers, load)) < 3.3 * lost.std(ddof=1) / 10


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 2.0), (8, 6.0)])
def test_waiting_is_erlang_c(servers: int, load: float) -> None:
    history = queue(servers, load, waits=True, calls_=200_000)
    blocked = erlang_b(servers, load)
    waits = blocked / (1 - load / servers * (1 - blocked))
    waited_s = (history.first_s - history.opened_s).reshape(100, -1)
    share, mean_s = (waited_s > 1e-9).mean(axis=1), waited_s.mean(axis=1)
    assert abs(share.mean() - waits) < 3.3 * share.std(ddof=1) / 10
    assert abs(mean_s.mean() - waits * 1_000.0 / (servers - load)) < 3.3 * mean_s.std(ddof=1) / 10


def test_three_units_with_their_own_ground_are_larsons_hypercube() -> None:
    """R. C. Larson (1974): the eight states of three units, each area its own order, calls lost when all are out."""
    orders = [(0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    share = np.array([0.45, 0.2, 0.25, 0.1])
    load = 1.8
    rates = np.zeros((8, 8))
    for state in range(8):
        for unit in range(3):
            if state >> unit & 1:
                rates[state, state & ~(1 << unit)] += 1.0
        for order, part in zip(orders, share):
            goes = next((u for u in order if not state >> u & 1), None)
            if goes is not None:
                rates[state, state | 1 << goes] += load * part
    balance = rates - np.diag(rates.sum(axis=1))
    chance = np.linalg.lstsq(np.vstack([balance.T, np.ones(8)]), np.append(np.zeros(8), 1.0), rcond=None)[0]
    workload = [sum(chance[s] for s in range(8) if s >> u & 1) for u in range(3)]

    plan, travel = small_country(3, 4, ready=1.0, spread=0.0)
    rng = np.random.default_rng(4)
    n = 200_000
    at_s = np.cumsum(rng.exponential(1_000.0 / load, n))
    incidents = Incidents(at_s, rng.choice(4, n, p=share).astype(np.int32), np.zeros(n, np.int32),
                          np.zeros(n, np.int32), rng.exponential(1_000.0, n))  # fmt: skip
    bare = kind(asks=((("tankautospuit", 1),),) * 4, stand_down=0.0)
    world = compute_world(plan, travel, Scenario("kubus", (bare,), waits=False, refit_s=0.0), np.zeros(1, np.int8))
    world = servers_of(world, 3)._replace(
        first=np.arange(4, dtype=np.int32), home=np.arange(3, dtype=np.int32), drive_s=np.zeros((4, 3), np.uint16),
        order=np.array([orders], np.uint32), handling_s=np.zeros(4, np.float32),
    )  # fmt: skip
    history = simulate(world, incidents, seed_key(1, 0), start=START, kinds=("brand",), capabilities=("tankautospuit",))
    edges = np.linspace(0, at_s[-1], 101)
    for unit in range(3):
        mine = history.unit == unit
        busy = np.histogram(history.alarmed_s[mine], edges, weights=(history.back_s - history.alarmed_s)[mine])[0]
        busy = busy / np.diff(edges)
        assert abs(busy.mean() - workload[unit]) < 3.3 * busy.std(ddof=1) / 10
    own = np.mean(history.unit[history.area[history.incident] == 0] == 0)
    assert abs(own - sum(chance[s] for s in range(8) if not s & 1) / (1 - chance[7])) < 0.01
