"""The gap worked out by hand on a country of six tankers, and the laws that it keeps."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.areas import Areas
from slagkracht.coverage import Arrivals
from slagkracht.resources import Standing, compute_standing
from slagkracht.risks import Demand, Events, Need, Place, Profile, compute_events, compute_peak_demand
from slagkracht.rules import Rule, Rules, RuleVersion
from slagkracht.strength import (
    LEVELS,
    Assignment,
    Burden,
    Floors,
    add_on_call,
    compute_asked_places,
    compute_burden,
    compute_cover,
    compute_floors,
    compute_gap,
    compute_main_places,
    compute_plan_cover,
    compute_short_together,
    compute_strength_at_places,
    compute_supply,
    compute_within_s,
    compute_worth,
    floors_in_force,
)
from test_risks import risk
from test_strength import cover_of, formation, small_country, standing
from toyland import read_toyland

PAIR = formation(2)


def events_of(years: int) -> Events:
    """A fire every year that asks two platoons."""
    start = np.full(years, 100.0)
    return Events(np.arange(years, dtype=np.int32), start, start + 24, np.zeros(years, np.int32), years, 0)


def test_supply_is_counted_in_all_in_time_ready_and_above_the_floors() -> None:
    """Six tankers make three pairs. Within 600 s come 0, 1, 2, 3 (there at 160, 460, 560, 360): two pairs.

    Region 0 cannot miss unit 0: with its floor 1 of the three others stays behind too, one pair goes. Nobody is
    unready, so every draw is the same.
    """
    units, drive_s, cover = small_country()
    supply = compute_supply(
        units, drive_s[None, :], ["Peel"], [PAIR], np.ones((1, 1)), cover, Floors(np.array([0.6, 0.0]), "t"),
        np.array([600.0]), draws=3,
    )  # fmt: skip
    assert supply.whole.tolist() == [3]
    assert supply.in_time.tolist() == [[2]]
    assert supply.ready.tolist() == [[[2, 2, 2]]]
    assert supply.available.tolist() == [[[1, 1, 1]]]


def test_a_unit_that_is_not_ready_does_not_count() -> None:
    units, drive_s, cover = small_country()
    units = dataclasses.replace(units, readiness=np.array([1, 1, 1, 1, 0, 0], dtype=np.float32))
    free = Floors(np.zeros(2), "t")
    supply = compute_supply(
        units, drive_s[None, :], ["Peel"], [PAIR], np.ones((1, 1)), cover, free, np.array([np.inf]), draws=4
    )
    assert supply.ready.tolist() == [[[2] * 4]]


def test_the_gap_by_hand() -> None:
    """Ten years that ask 2, two of them 5, against 3: once in 10 years 5 is asked and 2 are short, in 2 of 12 years."""
    units, drive_s, cover = small_country()
    supply = compute_supply(
        units, drive_s[None, :], ["Peel"], [PAIR], np.ones((1, 1)), cover, Floors(np.zeros(2), "t"), np.array([np.inf])
    )
    profile = Profile((risk(needs=(Need("peloton", 2, 0.0, 24.0),)),), ())
    peak = np.array([2] * 10 + [5] * 2, dtype=np.int32)[:, None]
    gap = compute_gap(Demand(("peloton",), peak, np.zeros(12, np.int32)), events_of(12), profile, supply)
    at = {level: i for i, level in enumerate(LEVELS)}
    assert gap.available.tolist() == [3.0]
    assert gap.needed[0, at["eens per jaar"]] == 2
    assert gap.needed[0, at["eens per 10 jaar"]] == 5
    assert gap.needed[0, at["P50"]] == 2
    assert gap.shortfall[0, at["eens per 10 jaar"]] == 2
    assert gap.shortfall[0, at["eens per jaar"]] == 0
    assert gap.chance_per_year[0] == pytest.approx(2 / 12)
    assert gap.expected[0] == pytest.approx(2 * 2 / 12)
    assert gap.cause.tolist() == [[1.0]]
    with pytest.raises(ValueError, match="andere formaties"):
        compute_gap(Demand(("iets",), peak, np.zeros(12, np.int32)), events_of(12), profile, supply)


def test_as_many_as_are_asked_is_enough_and_the_interval_runs_to_the_worst_of_both() -> None:
    """Available 3 when all are ready and 2 in one of two draws; asked 2 in half of the years, 3 in the others.

    More than is available are asked in a quarter of the cases (3 against 2). Once in ten years 3 are asked: 0.5 short
    on average; at best 0 (3 there), at worst 1 (2 there).
    """
    units, drive_s, cover = small_country()
    supply = compute_supply(
        units, drive_s[None, :], ["Peel"], [PAIR], np.ones((1, 1)), cover, Floors(np.zeros(2), "t"), np.array([np.inf])
    )
    supply = dataclasses.replace(supply, available=np.array([[[3, 2]]], dtype=np.int32))
    profile = Profile((risk(needs=(Need("peloton", 2, 0.0, 24.0),)),), ())
    peak = np.array([2] * 6 + [3] * 6, dtype=np.int32)[:, None]
    gap = compute_gap(Demand(("peloton",), peak, np.zeros(12, np.int32)), events_of(12), profile, supply)
    ten = LEVELS.index("eens per 10 jaar")
    assert gap.chance_per_year[0] == pytest.approx(0.25)
    assert (gap.available[0], gap.available_low[0], gap.available_high[0]) == (2.5, 2.0, 3.0)
    assert (gap.shortfall[0, ten], gap.shortfall_low[0, ten], gap.shortfall_high[0, ten]) == (0.5, 0.0, 1.0)


def test_who_stands_on_the_last_second_is_in_time() -> None:
    """The first pair stands at 360 (drives of 100 and 300, 60 turnout): in time within 360, not within 359."""
    units, drive_s, cover = small_country()
    counts = [
        compute_supply(
            units,
            drive_s[None, :],
            ["Peel"],
            [PAIR],
            np.ones((1, 1)),
            cover,
            Floors(np.zeros(2), "t"),
            np.array([limit]),
        ).in_time.tolist()
        for limit in (359.0, 360.0)
    ]
    assert counts == [[[0]], [[1]]]


def test_an_area_reached_on_the_last_second_is_held_and_no_floor_lies_below_nothing() -> None:
    areas = Areas(
        np.array(["a", "b"]), np.zeros(2), np.zeros(2), np.zeros(2, np.int32), np.array(["GM1", "GM1"]),
        np.array([30.0, 70.0], np.float32), ("woonfunctie",), np.ones((2, 1), np.float32), np.array(["", ""]),
        np.zeros(2, np.float32),
    )  # fmt: skip
    arrivals = Arrivals(
        ("tankautospuit",), np.zeros(2, np.float32), np.array([[0], [1]], np.int32),
        np.array([[480.0], [480.5]], np.float32), np.zeros((2, 1), np.uint16),
    )  # fmt: skip
    cover = compute_cover(arrivals, 2, areas, 480.0, 1)
    assert cover.share.tolist() == [pytest.approx(0.3)]
    assert cover.unit_area.tolist() == [0]
    assert compute_floors(cover, 0.05).share.tolist() == [pytest.approx(0.25)]
    assert compute_floors(cover, 0.5).share.tolist() == [0.0]


def test_what_nobody_can_make_is_short_not_silent() -> None:
    """Pairs with an officer, and there is no officer: nothing available, all that is asked is short."""
    units, drive_s, cover = small_country()
    led = formation(2, officers=1)
    free = Floors(np.zeros(2), "t")
    supply = compute_supply(units, drive_s[None, :], ["Peel"], [led], np.ones((1, 1)), cover, free, np.array([np.inf]))
    assert supply.whole.tolist() == [0]
    profile = Profile((risk(),), ())
    demand = compute_peak_demand(events_of(50), np.zeros(50, np.int32), profile, ("peloton",))
    gap = compute_gap(demand, events_of(50), profile, supply)
    assert gap.shortfall[0].tolist() == [2.0] * len(LEVELS)
    assert gap.chance_per_year[0] == 1.0
    worth = compute_worth(gap, demand, supply, units, drive_s[None, :], cover, free, 2)
    best = [(str(worth.capability[w]), int(worth.region[w]), float(worth.gain[w])) for w in range(4)]
    assert best[0] == ("officier_van_dienst", 0, 1.0)  # drive 100 from region 0, 300 from region 1
    assert best[1] == ("officier_van_dienst", 1, 1.0)
    assert {b[2] for b in best[2:]} == {0.0}  # a tanker alone mends nothing


def test_formations_compete_when_all_is_asked_at_once() -> None:
    """Three pairs and three pairs of another name: each can be made three times, together only three in all."""
    units, drive_s, cover = small_country()
    other = dataclasses.replace(PAIR, code="ander")
    profile = Profile((risk(needs=(Need("peloton", 3, 0.0, 9.0), Need("ander", 3, 0.0, 9.0))),), ())
    free = Floors(np.zeros(2), "t")
    supply = compute_supply(
        units, drive_s[None, :], ["Peel"], [PAIR, other], np.ones((2, 1)), cover, free, np.full(2, np.inf)
    )
    events = events_of(30)
    demand = compute_peak_demand(events, np.zeros(30, np.int32), profile, ("peloton", "ander"))
    gap = compute_gap(demand, events, profile, supply)
    assert gap.shortfall.max() == 0
    short = compute_short_together(gap, 0, supply, units, drive_s[None, :], cover, free)
    assert short.sum() == 3


def test_a_scenario_without_a_place_counts_in_the_need() -> None:
    names, where, weight = compute_asked_places(Profile((risk(places=()),), ()), ("peloton",))
    assert names == ()
    assert where.shape == (0, 2)
    assert weight.shape == (1, 0)
    units, drive_s, cover = small_country()
    supply = compute_supply(
        units, drive_s[:0].reshape(0, 6), [], [PAIR], np.zeros((1, 0)), cover, Floors(np.zeros(2), "t"), np.array([9.0])
    )
    profile = Profile((risk(places=()),), ())
    demand = compute_peak_demand(events_of(5), np.zeros(5, np.int32), profile, ("peloton",))
    gap = compute_gap(demand, events_of(5), profile, supply)
    assert gap.available.tolist() == [3.0]
    assert gap.needed[0, 0] == 2


def test_places_weigh_what_is_asked_there() -> None:
    """A asks 2 platoons for 24 hours once a year at two places (1 : 3), B 1 for 24 hours twice a year at a third."""
    spots = (Place("a", 0.0, 0.0, 1.0), Place("b", 1e3, 0.0, 3.0))
    profile = Profile(
        (
            risk("A", places=spots),
            risk("B", 2.0, needs=(Need("peloton", 1, 0, 24),), places=(Place("c", 2e3, 0, 1),)),
        ),
        (),
    )  # fmt: skip
    names, _, weight = compute_asked_places(profile, ("peloton",))
    assert names == ("a", "b", "c")
    assert weight.tolist() == [[0.125, 0.375, 0.5]]
    assert compute_main_places(weight, 2).tolist() == [[0.0, 0.375 / 0.875, 0.5 / 0.875]]


def test_who_lends_carries_the_burden() -> None:
    """A pair for 24 hours in region 0, once a year: 0 and 3 go, so region 1 lends 24 unit-hours, region 0 serves 24."""
    units, drive_s, cover = small_country()
    profile = Profile((risk(needs=(Need("peloton", 1, 0.0, 24.0), Need("onbekend", 1, 0.0, 9.0))),), ())
    burden = compute_burden(
        profile, units, [[drive_s]], [[0]], [PAIR], np.array([np.inf]), cover, Floors(np.zeros(2), "t")
    )
    assert burden.lent.tolist() == [0.0, 24.0]
    assert burden.own.tolist() == [24.0, 0.0]
    assert burden.borrowed.tolist() == [24.0, 0.0]
    assert burden.index.tolist() == [0.0, 2.0]  # all that is lent, with half the people
    assert burden.fairness == pytest.approx(0.5)
    assert (burden.asked.tolist(), burden.stands.tolist(), burden.missing) == ([1], [1], ({},))


def test_the_assigned_region_carries_the_burden_of_the_first_and_stands_only_where_it_is_in_time() -> None:
    """One tanker in region 0 for ten hours: unit 0 (160 s) is soonest, but region 1 is assigned and sends unit 3 (360).

    Of two the second is anyone's. Within 300 s the assigned one is late: it goes and does not count. When all of
    region 1 is busy, whoever is soonest goes.
    """
    units, drive_s, cover = small_country()
    one = formation(1)
    first = [{"peloton": 1}, {}]

    def serve(count: int, within_s: float, standing: Standing = units) -> Burden:
        profile = Profile((risk(needs=(Need("peloton", count, 0.0, 10.0),)),), ())
        wash = dataclasses.replace(
            one, assignment=Assignment("basiseenheid", (("A", "B"),), "toewijzing-x", "test", "te verifiëren")
        )
        return compute_burden(
            profile, standing, [[drive_s]], [[0]], [wash], np.array([within_s]), cover, Floors(np.zeros(2), "t"), first
        )

    alone, two, late = serve(1, 1000.0), serve(2, 1000.0), serve(1, 300.0)
    assert (alone.lent.tolist(), alone.own.tolist(), alone.stands.tolist()) == ([0.0, 10.0], [0.0, 0.0], [1])
    assert (two.lent.tolist(), two.own.tolist(), two.stands.tolist()) == ([0.0, 10.0], [10.0, 0.0], [2])
    assert (late.lent.tolist(), late.stands.tolist(), late.missing) == ([0.0, 10.0], [0], ({"peloton": 1},))
    busy = serve(1, 1000.0, dataclasses.replace(units, free=units.region == 0))
    assert (busy.lent.tolist(), busy.own.tolist(), busy.stands.tolist()) == ([0.0, 0.0], [10.0, 0.0], [1])


def test_what_is_needed_first_is_served_first_and_what_is_needed_later_may_come_later() -> None:
    """Within 200 s only unit 0 comes (160). One tanker at once and one after five hours, told the other way round."""
    units, drive_s, cover = small_country()
    profile = Profile((risk(needs=(Need("peloton", 1, 5.0, 9.0), Need("peloton", 1, 0.0, 5.0))),), ())
    burden = compute_burden(
        profile, units, [[drive_s]], [[0]], [formation(1)], np.array([200.0]), cover, Floors(np.zeros(2), "t")
    )
    assert (burden.asked.tolist(), burden.stands.tolist()) == ([2], [2])
    assert (burden.own.tolist(), burden.lent.tolist()) == ([5.0, 0.0], [0.0, 4.0])


def test_two_places_at_once_do_not_share_units() -> None:
    units, drive_s, cover = small_country()
    one, two = compute_strength_at_places(units, [(drive_s, [(PAIR, 2)]), (drive_s, [(PAIR, 2)])], cover, None)
    assert not ((one.unit_formation >= 0) & (two.unit_formation >= 0)).any()
    assert np.isfinite(one.complete_s).sum() == 2
    assert np.isfinite(two.complete_s).sum() == 1
    assert set(two.reason[one.unit_formation >= 0].tolist()) == {"niet_vrij"}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_one_tanker_more_never_widens_the_gap_of_mixed_pairs(seed: int, which: int) -> None:
    rng = np.random.default_rng(seed)
    drive_s = rng.integers(60, 900, (1, 7)).astype(np.uint16)
    cover = cover_of([[]], [1], [0], 7, 2)
    units = standing(rng.integers(0, 2, 7).tolist(), ["ts6"] * 7)
    fewer = dataclasses.replace(units, free=np.arange(7) != which)
    limit = np.array([float(rng.integers(300, 1000))])
    counts = [
        compute_supply(u, drive_s, ["x"], [PAIR], np.ones((1, 1)), cover, Floors(np.zeros(2), "t"), limit).in_time[0, 0]
        for u in (fewer, units)
    ]
    assert counts[0] <= counts[1]


def test_more_events_never_ask_less() -> None:
    fires = Profile((risk(rate=0.5), risk("b", 0.5)), ())
    few = Profile(fires.risks[:1], ())
    peaks = [compute_peak_demand(*compute_events(p, 4_000, seed=1), p, ("peloton",)).peak.mean() for p in (few, fires)]
    assert peaks[0] < peaks[1]


def rule(code: str, values: dict[str, object], region: str = "") -> Rule:
    day = datetime.date(2012, 1, 1)
    return Rule(code, "doctrine", code, "verzonnen", "te verifiëren", region, (RuleVersion(day, None, values),))


BASE = {"inzetmogelijkheid": "tankautospuit", "grens_s": 900, "marge": 0.05}


def test_floors_follow_the_rule_in_force() -> None:
    plan, travel = read_toyland()
    units = compute_standing(plan.units, plan.stations, "dag")
    codes = plan.regions.code.tolist()
    plan = dataclasses.replace(plan, rules=Rules((*plan.rules.rules, rule("ondergrens", BASE))))
    cover = compute_plan_cover(plan, units, travel)
    assert floors_in_force(plan, cover).share == pytest.approx(np.maximum(cover.share - 0.05, 0))
    own = (
        rule("ondergrens", BASE | {"doel": 0.8}),
        rule("ondergrens", BASE | {"aandeel_inwoners": 0.7}, codes[0]),
        rule("ondergrens", BASE | {"leent_uit": False}, codes[1]),
    )
    others = tuple(each for each in plan.rules.rules if each.code != "ondergrens")
    floors = floors_in_force(dataclasses.replace(plan, rules=Rules((*others, *own))), cover)
    assert floors.share[0] == 0.7
    assert np.isinf(floors.share[1])
    assert floors.share[2:] == pytest.approx(0.75)
    assert codes[0] in floors.source
    wrong = Rules((*others, rule("ondergrens", BASE | {"aandeel_inwoners": 70})))
    with pytest.raises(ValueError, match="geen aandeel"):
        floors_in_force(dataclasses.replace(plan, rules=wrong), cover)


def test_who_is_on_call_is_added_once() -> None:
    """Three officers in the first region by the rule; those at a station already are taken off."""
    plan, _ = read_toyland()
    units = compute_standing(plan.units, plan.stations, "dag")
    assert add_on_call(plan, units) is units
    code = plan.regions.code.tolist()[0]
    entry = {
        "inzetmogelijkheid": "officier_van_dienst", "opkomst_s": 300, "paraatheid": 0.9,
        "per_regio": {code: 3, "VR99": 4},
    }  # fmt: skip
    plan = dataclasses.replace(plan, rules=Rules((*plan.rules.rules, rule("zonder-kazerne", {"ploegen": [entry]}))))
    more = add_on_call(plan, units)
    column = units.capability_names.index("officier_van_dienst")
    there = int((units.capabilities[:, column] & (units.region == 0)).sum())
    assert len(more) == len(units) + 3 - there
    assert (more.unit[len(units) :] == -1).all()
    assert more.capabilities[len(units) :].sum(axis=1).tolist() == [1] * (3 - there)
    assert set(more.region[len(units) :].tolist()) == {0}


def test_the_time_that_counts_is_a_rule() -> None:
    plan, _ = read_toyland()
    values = {"uren": 2.0, "per_formatie": {"handcrew": 4.0}}
    plan = dataclasses.replace(plan, rules=Rules((rule("tijdigheid", values),)))
    assert compute_within_s(plan, [PAIR, dataclasses.replace(PAIR, code="handcrew")]).tolist() == [7200.0, 14400.0]
