"""The risk profile worked out by hand, its chances against formulas, and its laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.risks import (
    CRITERIA,
    HOURS_PER_YEAR,
    SEASONS,
    Events,
    Need,
    Place,
    Profile,
    Risk,
    Shock,
    compute_calendar,
    compute_causes,
    compute_events,
    compute_impact,
    compute_likelihood,
    compute_peak_demand,
    compute_rank_range,
    compute_rank_stability,
    compute_ranking,
    compute_rate,
    compute_return_level,
    compute_simultaneous,
    merge_profiles,
    season_of_hours,
)

PEEL = Place("Peel", 188_000.0, 380_000.0, 1.0)


def risk(
    code: str = "brand", rate: float = 1.0, *, needs: tuple[Need, ...] = (Need("peloton", 2, 0.0, 24.0),),
    shared: str = "", regions: tuple[str, ...] = ("VR22",), group: str = "", sure: bool = True,
    impact: tuple[str, ...] = ("C",) * 10, label: str = "Brand", theme: str = "natuurlijke omgeving",
    places: tuple[Place, ...] = (PEEL,), months: tuple[float, ...] = (1.0,) * 12,
) -> Risk:  # fmt: skip
    low, high = (rate, rate) if sure else (rate / 3, rate * 3)
    return Risk(
        code, label, theme, "natuurbrand", regions, places, rate, low, high, months, (1.0,) * 24, impact, group, shared,
        needs, "verzonnen", "te verifiëren",
    )  # fmt: skip


def test_a_class_is_a_chance_in_four_years() -> None:
    """D is 5 to 50 %: λ = −ln(0.95)/4 = 0.01282 and −ln(0.5)/4 = 0.17329, with the geometric mean between."""
    middle, low, high = compute_rate("D")
    assert low == pytest.approx(0.012823, abs=1e-6)
    assert high == pytest.approx(0.173287, abs=1e-6)
    assert middle == pytest.approx(math.sqrt(low * high))
    with pytest.raises(KeyError):
        compute_rate("F")


def test_every_class_is_the_class_of_its_own_rate() -> None:
    assert [compute_likelihood(compute_rate(letter)[0]) for letter in "ABCDE"] == list("ABCDE")
    assert compute_likelihood(100.0) == "E"
    assert compute_likelihood(compute_rate("D")[2]) == "D"  # one in two in four years is its upper bound


def test_one_blackout_is_not_two_blackouts() -> None:
    """Both regions name the same event: one of the highest rate, with all places and the larger need of each kind."""
    one = risk("uitval-noord", 0.02, shared="stroom", regions=("VR01",), impact=("B", "") * 5)
    other = risk(
        "uitval-oost", 0.05, shared="stroom", regions=("VR05",), label="Uitval", impact=("A", "D") * 5,
        needs=(Need("peloton", 3, 0.0, 24.0), Need("commando", 1, 0.0, 6.0)),
        places=(Place("Enschede", 257e3, 471e3, 1),),
    )  # fmt: skip
    merged = merge_profiles([[one], [other]], ())
    assert len(merged.risks) == 1
    event = merged.risks[0]
    assert (event.rate_per_year, event.regions, len(event.places)) == (0.05, ("VR01", "VR05"), 2)
    assert event.needs == (Need("commando", 1, 0.0, 6.0), Need("peloton", 3, 0.0, 24.0))
    assert event.impact == ("B", "D") * 5
    assert event.label == "Brand / Uitval"


def test_independent_events_all_count() -> None:
    """The same code in two regions is two events; together they come as often as the sum of both."""
    merged = merge_profiles([[risk(regions=("VR06",))], [risk(regions=("VR07",))]], ())
    assert len(merged.risks) == 2
    assert sum(each.rate_per_year for each in merged.risks) == 2.0


def test_what_no_theme_holds_is_kept_under_its_own_name() -> None:
    merged = merge_profiles([[risk(theme="", label="Extreme drukte op het strand")]], ())
    assert [(each.theme, each.label) for each in merged.risks] == [("", "Extreme drukte op het strand")]


def test_needs_that_overlap_add_up_to_their_peak() -> None:
    """Brand at hour 100 asks 2 from 100 to 124; chemie at 110 asks 3 from 115 to 120: 5 at hour 115, for platoons."""
    profile = Profile((risk("brand"), risk("chemie", needs=(Need("peloton", 3, 5.0, 10.0),))), ())
    events = Events(
        year=np.array([0, 0, 1], dtype=np.int32),
        start_h=np.array([100.0, 110.0, 50.0]),
        end_h=np.array([124.0, 120.0, 74.0]),
        risk=np.array([0, 1, 0], dtype=np.int32),
        years=3,
        seed=0,
    )
    demand = compute_peak_demand(events, np.zeros(3, dtype=np.int32), profile, ("peloton", "handcrew"))
    assert demand.peak.tolist() == [[5, 0], [2, 0], [0, 0]]
    assert compute_simultaneous(events).tolist() == [1.0, 2 / 3, 1 / 3]
    assert compute_causes(events, profile, "peloton").tolist() == [96 / 111, 15 / 111]  # 2 × 2 × 24 and 3 × 5 hours
    assert compute_causes(events, profile, "handcrew").tolist() == [0.0, 0.0]


def test_needs_that_only_touch_do_not_add_up() -> None:
    profile = Profile((risk("kort", needs=(Need("peloton", 2, 0.0, 10.0),)),), ())
    events = Events(np.zeros(2, np.int32), np.array([0.0, 10.0]), np.array([10.0, 20.0]), np.zeros(2, np.int32), 1, 0)
    assert compute_peak_demand(events, np.zeros(1, np.int32), profile, ("peloton",)).peak.tolist() == [[2]]
    assert compute_simultaneous(events).tolist() == [1.0, 1.0]


def test_return_levels_are_read_from_the_years() -> None:
    """100 years of which 90 ask 1, 8 ask 4 and 2 ask 9: once in 10 years (chance 0.905) 4, once in 25 (0.961) 4."""
    peak = np.repeat([1, 4, 9], [90, 8, 2]).astype(np.int32)[:, None]
    demand = compute_peak_demand(
        Events(np.zeros(0, np.int32), np.zeros(0), np.zeros(0), np.zeros(0, np.int32), 0, 0),
        np.zeros(0, np.int32), Profile((risk(),), ()), ("peloton",),
    )  # fmt: skip
    assert demand.peak.shape == (0, 1)
    years = type(demand)(("peloton",), peak, np.zeros(100, np.int32))
    assert [compute_return_level(years, t)[0][0] for t in (1, 5, 10, 25, 100)] == [1, 1, 4, 4, 9]


def test_a_rate_lies_between_its_low_and_its_high_in_nine_draws_of_ten() -> None:
    """1,000 draws of a rate of 20 a year (7 to 60), each seen through 20 years: 5 % lie below, 5 % above."""
    profile = Profile((risk(rate=20.0, sure=False, needs=(Need("peloton", 1, 0.0, 1.0),)),), ())
    events, draw_of = compute_events(profile, 20_000, seed=3, draws=1000)
    yearly = np.bincount(draw_of[events.year], minlength=1000) / 20
    assert (yearly < 20 / 3).mean() == pytest.approx(0.05, abs=0.02)
    assert (yearly > 60).mean() == pytest.approx(0.05, abs=0.02)


def test_events_of_one_group_fall_within_a_spell_of_so_many_days() -> None:
    """Some 50 droughts a year within a spell of ten days: first and last are nearly ten days apart, never eleven."""
    profile = Profile((risk(rate=50.0, group="droogte"),), (Shock("droogte", 0.1, 10.0),))
    events, _ = compute_events(profile, 200, seed=1)
    spans = [np.ptp(events.start_h[events.year == y]) / 24 for y in range(200)]
    assert max(spans) <= 11
    assert np.median(spans) > 9


def test_simultaneity_follows_the_poisson_formula() -> None:
    """Events of rate λ that last d years each: the number under way is Poisson(λ d) at any moment.

    With λ = 4 and 10 days: two at once within a year means that some gap between starts is below 10 days. Counted
    directly in an independent simulation of exponential gaps.
    """
    rate, days, years = 4.0, 10.0, 20_000
    profile = Profile((risk(rate=rate, needs=(Need("peloton", 1, 0.0, days * 24),)),), ())
    events, _ = compute_events(profile, years, seed=1)
    counts = np.bincount(events.year, minlength=years)
    assert counts.mean() == pytest.approx(rate, abs=0.05)
    assert counts.var() == pytest.approx(rate, abs=0.15)
    rng = np.random.default_rng(2)
    twice = 0
    for _ in range(years):
        moments = np.sort(rng.random(rng.poisson(rate))) * HOURS_PER_YEAR
        twice += bool((np.diff(moments) < days * 24).any())
    assert compute_simultaneous(events)[2] == pytest.approx(twice / years, abs=0.015)
    at_noon = [(events.start_h <= t) & (t < events.end_h) for t in (3_000.0, 6_000.0)]
    under_way = np.concatenate([np.bincount(events.year[busy], minlength=years) for busy in at_noon])
    mean = rate * days * 24 / HOURS_PER_YEAR
    for k in (0, 1, 2):
        assert (under_way == k).mean() == pytest.approx(math.exp(-mean) * mean**k / math.factorial(k), abs=0.006)


def test_what_years_have_in_common_makes_more_at_once() -> None:
    fires = tuple(risk(f"brand{k}", 0.3, group="droogte") for k in range(4))
    alone, _ = compute_events(Profile(fires, ()), 20_000, seed=3)
    bound, _ = compute_events(Profile(fires, (Shock("droogte", 1.0, 21.0),)), 20_000, seed=3)
    assert len(bound) == pytest.approx(len(alone), rel=0.03)  # a shock moves events together; it adds none
    assert compute_simultaneous(bound)[2] > 2 * compute_simultaneous(alone)[2]
    assert len(compute_simultaneous(bound)) > len(compute_simultaneous(alone))


def test_season_and_hour_are_kept() -> None:
    months = tuple(1.0 if m == 6 else 0.0 for m in range(12))
    events, _ = compute_events(Profile((risk(rate=2.0, months=months),), ()), 500, seed=4)
    assert events.start_h.min() >= 6 * 730 - 24
    assert events.start_h.max() <= 7 * 730 + 24
    assert (np.diff(events.year) >= 0).all()


def test_same_seed_same_years_and_another_seed_others() -> None:
    profile = Profile((risk(sure=False), risk("b", 0.4)), ())
    one, two, other = (compute_events(profile, 500, seed=s)[0] for s in (7, 7, 8))
    for name in ("year", "start_h", "end_h", "risk"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert not np.array_equal(one.start_h[:20], other.start_h[:20])


def test_what_is_not_known_about_a_rate_widens_the_answer() -> None:
    known, unknown = (Profile((risk(rate=0.3, sure=sure),), ()) for sure in (True, False))
    width = []
    for profile in (known, unknown):
        events, draw_of = compute_events(profile, 20_000, seed=5)
        per_draw = [np.isin(events.year, np.flatnonzero(draw_of == d)).sum() / 1_000 for d in range(20)]
        width.append(float(np.std(per_draw)))
    assert width[1] > 5 * width[0]


def test_a_scenario_without_a_place_still_asks() -> None:
    profile = Profile((risk("pandemie", 5.0, places=(), regions=()),), ())
    events, draw_of = compute_events(profile, 50, seed=1)
    assert compute_peak_demand(events, draw_of, profile, ("peloton",)).peak.max() >= 2


def test_impact_by_hand() -> None:
    """A and C by the three-power function: (1 + 9) / 2 = 5, log3(5) = 1.465; by ten (1 + 100) / 2; by mean 1."""
    assert compute_impact(("A", "C")) == pytest.approx(math.log(5, 3))
    assert compute_impact(("A", "C"), method="tienmacht") == pytest.approx(math.log10(50.5))
    assert compute_impact(("A", "", "C"), method="gemiddelde") == 1.0
    assert math.isnan(compute_impact(("", "")))
    with pytest.raises(ValueError, match="kies uit driemacht"):
        compute_impact(("A",), method="mediaan")


def test_a_ranking_that_no_weight_can_change_is_sure() -> None:
    worst, least = risk("a", 1.0, impact=("E",) * 10), risk("b", 0.1, impact=("A",) * 10)
    close = risk("c", 1.0, impact=("E", "A") * 5)
    sure = compute_rank_stability(Profile((least, worst), ()), draws=50, seed=1)
    assert sure.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    unsure = compute_rank_stability(Profile((close, risk("d", 1.0, impact=("A", "E") * 5)), ()), draws=200, seed=1)
    assert 0.2 < unsure[0, 0] < 0.8
    assert unsure.sum(axis=0) == pytest.approx([1.0, 1.0])
    assert len(CRITERIA) == 10


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_peaks_are_those_of_looking_at_every_quarter_of_an_hour(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    needs = tuple(Need("p", int(rng.integers(1, 4)), 0.25 * a, 0.25 * (a + b)) for a, b in rng.integers(1, 40, (3, 2)))
    start = np.sort(rng.integers(0, 200, count) * 0.25)
    profile = Profile((risk(needs=needs),), ())
    events = Events(np.zeros(count, np.int32), start, start + 20, np.zeros(count, np.int32), 1, 0)
    slow = max(
        sum(n.count for s in start for n in needs if s + n.start_h <= t < s + n.end_h) for t in np.arange(0, 80, 0.25)
    )
    assert compute_peak_demand(events, np.zeros(1, np.int32), profile, ("p",)).peak[0, 0] == slow


def test_when_it_is_asked_for_by_hand() -> None:
    """Two platoons from 1 March 0 h (hour 1460) less one hour, for three hours: 2 in winter, 4 in spring."""
    events = Events(
        np.array([0], np.int32), np.array([1459.0]), np.array([1462.0]), np.array([0], np.int32), years=1, seed=1
    )
    one = Profile((risk(needs=(Need("peloton", 2, 0.0, 3.0),)),), ())
    found = compute_calendar(events, one, ("peloton",), SEASONS, season_of_hours())
    assert found.hours.tolist() == [[2.0, 4.0, 0.0, 0.0]]
    assert found.begins.tolist() == [[2.0, 0.0, 0.0, 0.0]]
    assert found.peak[0].tolist() == [[2, 2, 0, 0]]
    clock = np.arange(HOURS_PER_YEAR, dtype=np.int32) % 24
    by_hour = compute_calendar(events, one, ("peloton",), [str(h) for h in range(24)], clock)
    assert np.flatnonzero(by_hour.hours[0]).tolist() == [19, 20, 21]  # hour 1459 is 60 days and 19 hours


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_the_parts_of_a_year_are_the_year(seed: int, count: int) -> None:
    """Seasons, hours of the day, other parts: hours and beginnings add up, and the highest peak is the year's."""
    rng = np.random.default_rng(seed)
    risks = tuple(
        risk(
            f"r{k}", float(rng.uniform(0.5, 4)),
            needs=tuple(
                Need(str(rng.choice(["peloton", "handcrew"])), int(rng.integers(1, 5)), start, start + span)
                for start, span in zip(rng.uniform(0, 20, 2).tolist(), rng.uniform(0.5, 60, 2).tolist())
            ),
        )
        for k in range(count)
    )  # fmt: skip
    codes = ("handcrew", "peloton")
    profile = Profile(risks, ())
    events, draw_of = compute_events(profile, 60, seed)
    asked = np.zeros((2, 2))
    for row in events.risk.tolist():
        for need in risks[row].needs:
            asked[codes.index(need.formation)] += need.count * (need.end_h - need.start_h), need.count
    year_peak = compute_peak_demand(events, draw_of, profile, codes).peak
    hour = np.arange(HOURS_PER_YEAR, dtype=np.int32)
    for parts, part_of_hour in ((4, season_of_hours()), (24, hour % 24), (7, hour // 24 % 7)):
        found = compute_calendar(events, profile, codes, [str(b) for b in range(parts)], part_of_hour)
        assert found.hours.sum(axis=1) == pytest.approx(asked[:, 0] / 60)
        assert found.begins.sum(axis=1) == pytest.approx(asked[:, 1] / 60)
        assert (found.peak.max(axis=2) == year_peak).all()


def test_a_ranking_may_turn_on_how_classes_are_joined() -> None:
    """One criterion at E and nine at A beside all ten at C: by ten the first is worst, as a mean the second."""
    steep = risk("a", 1.0, impact=("E", *("A",) * 9))
    flat = risk("b", 1.0, impact=("C",) * 10)
    both = Profile((flat, steep), ())
    assert compute_ranking(both, method="tienmacht").tolist() == [1, 0]
    assert compute_ranking(both, method="gemiddelde").tolist() == [0, 1]
    assert compute_ranking(Profile((flat, flat), ())).tolist() == [0, 1]  # alike: in order of the profile
    with pytest.raises(ValueError, match="onbekende samenvoeging"):
        compute_ranking(both, method="gevoel")


def test_the_range_of_a_rank_by_hand() -> None:
    """Of 100 draws: 4 times first, 90 second, 6 third; 90 % of the draws leave out 5 % on either side."""
    first, last = compute_rank_range(np.array([[0.04, 0.90, 0.06], [1.0, 0.0, 0.0]]))
    assert first.tolist() == [2, 1]
    assert last.tolist() == [3, 1]
