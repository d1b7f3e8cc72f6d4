"""Strength against every choice tried, by hand on a small country, and against its own laws."""

from __future__ import annotations

import dataclasses
import datetime
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.resources import Standing
from slagkracht.rules import Rules
from slagkracht.sources.rule_files import read_rules
from slagkracht.strength import (
    Assignment,
    Cover,
    DoctrineError,
    Floors,
    Formation,
    Part,
    compute_doctrine,
    compute_first_regions,
    compute_residual,
    compute_strength,
    expand_substitutes,
    formation_from_rule,
)
from slagkracht.strength.selection import lean_on

NAMES = ("basiseenheid", "tankautospuit", "officier_van_dienst")
PAIR = (("tankautospuit", 2),)


def formation(count: int = 2, *, officers: int = 0, same_region: bool = False, assembly_s: float = 0.0) -> Formation:
    parts = [Part("basiseenheid", count, PAIR)]
    if officers:
        parts.append(Part("officier_van_dienst", officers))
    return Formation("peloton", "Peloton", tuple(parts), same_region, assembly_s, float("nan"), "te verifiëren")


def standing(region: list[int], kind: list[str], turnout_s: list[float] | None = None) -> Standing:
    """One unit per origin: "ts6", "ts4" or "ovd"."""
    table = {"ts6": [True, True, False], "ts4": [False, True, False], "ovd": [False, False, True]}
    count = len(region)
    return Standing(
        unit=np.arange(count, dtype=np.int32),
        origin=np.arange(count, dtype=np.int32),
        region=np.array(region, dtype=np.int32),
        capability_names=NAMES,
        capabilities=np.array([table[k] for k in kind]),
        crew=np.array([{"ts6": 6, "ts4": 4, "ovd": 1}[k] for k in kind], dtype=np.int32),
        turnout_s=np.array(turnout_s or [60.0] * count, dtype=np.float32),
        turnout_spread=np.zeros(count, dtype=np.float32),
        readiness=np.ones(count, dtype=np.float32),
        free=np.ones(count, dtype=np.bool_),
    )


def cover_of(holders: list[list[int]], residents: list[float], region: list[int], units: int, regions: int) -> Cover:
    """``holders[a]`` the units that hold area a."""
    area = np.repeat(np.arange(len(holders)), [len(h) for h in holders])
    unit = np.array([u for h in holders for u in h], dtype=np.int32)
    order = np.argsort(unit, kind="stable")
    weight = np.array(residents, dtype=float)
    total = np.bincount(region, weights=weight, minlength=regions)
    covered = np.bincount(region, weights=weight * [bool(h) for h in holders], minlength=regions)
    return Cover(
        np.concatenate([[0], np.cumsum([len(h) for h in holders])]).astype(np.int32),
        unit,
        np.searchsorted(unit[order], np.arange(units + 1)).astype(np.int32),
        area[order].astype(np.int32),
        weight,
        np.array(region, dtype=np.int32),
        total,
        np.divide(covered, total, out=np.zeros(regions), where=total > 0),
    )


def small_country() -> tuple[Standing, np.ndarray, Cover]:
    """Two regions of three tankers each. Unit 0 alone holds 600 of region 0's 1,000 people; nobody needs the others."""
    units = standing([0, 0, 0, 1, 1, 1], ["ts6"] * 6)
    drive_s = np.array([100, 400, 500, 300, 600, 700], dtype=np.uint16)
    cover = cover_of([[0], [1, 2], [3, 4, 5]], [600, 400, 1000], [0, 0, 1], 6, 2)
    return units, drive_s, cover


def test_without_floors_the_soonest_go() -> None:
    """Drives 100 and 300, turnout 60: there at 160 and 360; region 0 keeps its 400, region 1 everything."""
    units, drive_s, cover = small_country()
    found = compute_strength(units, drive_s, [(formation(2), 1)], cover, None)
    assert np.flatnonzero(found.unit_formation == 0).tolist() == [0, 3]
    assert found.complete_s[0] == 360.0
    assert found.residual_after.tolist() == [0.4, 1.0]
    assert found.reason.tolist() == ["gekozen", "later", "later", "gekozen", "later", "later"]


def test_a_floor_keeps_the_unit_that_its_region_cannot_miss() -> None:
    """Region 0 keeps 60 %, so unit 0 stays: 3 and 1 go (360 and 460), and the reason names region 0's floor."""
    units, drive_s, cover = small_country()
    found = compute_strength(units, drive_s, [(formation(2), 1)], cover, Floors(np.array([0.6, 0.0]), "test"))
    assert np.flatnonzero(found.unit_formation == 0).tolist() == [1, 3]
    assert found.complete_s[0] == 460.0
    assert found.reason[0] == "ondergrens"
    assert found.floor_region[0] == 0
    assert found.residual_after.tolist() == [1.0, 1.0]


def test_a_region_that_lends_nothing_lends_only_what_nobody_would_miss() -> None:
    units, drive_s, cover = small_country()
    found = compute_strength(units, drive_s, [(formation(6), 1)], cover, Floors(np.array([np.inf, np.inf]), "test"))
    assert found.residual_after.tolist() == found.residual_before.tolist()
    assert found.missing[0] == {"basiseenheid": 3}  # one of 1 and 2, two of 3, 4 and 5 can be missed
    assert np.isinf(found.complete_s[0])


def test_floors_that_are_broken_already_are_not_broken_further() -> None:
    """Unit 0 is away: region 0 stands at 40 % under a floor of 60 %. Unit 1 may go (2 still holds), not both."""
    units, drive_s, cover = small_country()
    away = np.array([True, False, False, False, False, False])
    found = compute_strength(
        units, drive_s, [(formation(5), 1)], cover, Floors(np.array([0.6, 0.0]), "test"), away=away
    )
    assert found.residual_before[0] == found.residual_after[0] == 0.4
    assert found.reason[0] == "niet_vrij"
    assert found.reason[2] == "ondergrens"
    assert found.missing[0] == {"basiseenheid": 1}


def test_two_small_crews_make_one_unit_and_half_a_one_stays_home() -> None:
    """One place: the TS4 pair (160, 260) would cost 420 together, the TS6 360: the TS6 goes. Two places: all go."""
    units = standing([0, 0, 0], ["ts4", "ts4", "ts6"])
    drive_s = np.array([100, 200, 300], dtype=np.uint16)
    cover = cover_of([[]], [1], [0], 3, 1)
    one = compute_strength(units, drive_s, [(formation(1), 1)], cover, None)
    assert np.flatnonzero(one.unit_formation >= 0).tolist() == [2]
    both = compute_strength(units, drive_s, [(formation(2), 1)], cover, None)
    assert both.complete_s[0] == 360.0
    assert (both.unit_formation == 0).all()
    alone = standing([0, 0], ["ts4", "ts6"])
    short = compute_strength(alone, drive_s[:2], [(formation(2), 1)], cover_of([[]], [1], [0], 2, 1), None)
    assert short.missing[0] == {"basiseenheid": 1}
    assert np.flatnonzero(short.unit_formation >= 0).tolist() == [1]  # half a unit is no unit


def test_a_platoon_comes_from_one_region_where_doctrine_says_so() -> None:
    """Mixed it would stand at 360; region 0 alone has no second tanker before 500, region 1 not before 660."""
    units = standing([0, 1, 0, 1], ["ts6"] * 4)
    drive_s = np.array([100, 300, 440, 600], dtype=np.uint16)
    cover = cover_of([[]], [1], [0], 4, 2)
    mixed = compute_strength(units, drive_s, [(formation(2), 1)], cover, None)
    whole = compute_strength(units, drive_s, [(formation(2, same_region=True), 1)], cover, None)
    assert mixed.complete_s[0] == 360.0
    assert whole.complete_s[0] == 500.0
    assert set(units.region[whole.unit_formation == 0].tolist()) == {0}


def test_assembly_counts_for_the_formation_that_asks_it() -> None:
    units = standing([0, 0], ["ts6", "ts6"])
    drive_s = np.array([100, 200], dtype=np.uint16)
    slow, quick = formation(1, assembly_s=1000.0), formation(1)
    found = compute_strength(units, drive_s, [(quick, 1), (slow, 1)], cover_of([[]], [1], [0], 2, 1), None)
    assert found.complete_s.tolist() == [160.0, 1260.0]


def test_what_cannot_come_says_why() -> None:
    units = standing([0] * 5, ["ts6", "ts6", "ts6", "ts6", "ovd"])
    units = dataclasses.replace(
        units,
        free=np.array([True, False, True, True, True]),
        readiness=np.array([1, 1, 0, 1, 1], dtype=np.float32),
    )
    drive_s = np.array([65535, 100, 100, 100, 100], dtype=np.uint16)
    resting = np.array([False, False, False, True, False])
    found = compute_strength(units, drive_s, [(formation(1), 1)], cover_of([[]], [1], [0], 5, 1), None, resting=resting)
    assert found.reason.tolist() == ["onbereikbaar", "niet_vrij", "niet_paraat", "rust", "andere_taak"]
    assert found.missing[0] == {"basiseenheid": 1}


def test_demand_above_what_there_is_gets_what_there_is() -> None:
    units, drive_s, cover = small_country()
    found = compute_strength(units, drive_s, [(formation(2), 5)], cover, None)
    assert np.isfinite(found.complete_s).sum() == 3
    assert [sum(lack.values()) for lack in found.missing] == [0, 0, 0, 2, 2]


def test_a_circle_in_substitutions_is_refused() -> None:
    table = {"a": [{"door": "b", "aantal": 2}], "b": [{"door": "a", "aantal": 1}]}
    with pytest.raises(DoctrineError, match="kring: a → b → a"):
        expand_substitutes("a", table)
    assert expand_substitutes("a", {"a": [{"door": "b", "aantal": 2}], "b": [{"door": "c", "aantal": 3}]}) == (
        ("b", 2),
        ("c", 6),
    )


def test_a_formation_of_nothing_is_refused() -> None:
    with pytest.raises(DoctrineError, match="geen onderdelen"):
        formation_from_rule("leeg", "Leeg", "te verifiëren", {"onderdelen": []}, {})
    units, drive_s, cover = small_country()
    with pytest.raises(DoctrineError, match="ten minste één"):
        compute_strength(units, drive_s, [], cover, None)


def random_case(seed: int) -> tuple[Standing, np.ndarray, Cover, Floors]:
    rng = np.random.default_rng(seed)
    units = standing(rng.integers(0, 2, 8).tolist(), rng.choice(["ts6", "ts6", "ts4", "ovd"], 8).tolist())
    drive_s = rng.choice(np.arange(60, 900), 8, replace=False).astype(np.uint16)
    tankers = np.flatnonzero(units.capabilities[:, 1])
    holders = [rng.choice(tankers, rng.integers(0, min(3, len(tankers)) + 1), replace=False).tolist() for _ in range(6)]
    cover = cover_of(holders, rng.integers(1, 100, 6).tolist(), [0, 0, 0, 1, 1, 1], 8, 2)
    return units, drive_s, cover, Floors(rng.choice([0.0, 0.3, 0.6, 0.9], 2), "test")


def best_by_trying(
    units: Standing, drive_s: np.ndarray, cover: Cover, floors: Floors, need: int, same_region: bool
) -> float:
    """The smallest sum of arrivals over every set of units that makes one formation and holds every floor."""
    before = compute_residual(cover, np.zeros(8, dtype=bool))
    share = np.where(units.capabilities[:, 0], 1.0, np.where(units.capabilities[:, 1], 0.5, 0.0))
    best = np.inf
    for size in range(1, 9):
        for pick in combinations(np.flatnonzero(share > 0).tolist(), size):
            chosen = list(pick)
            if share[chosen].sum() < need or (same_region and len(set(units.region[chosen].tolist())) > 1):
                continue
            away = np.zeros(8, dtype=bool)
            away[chosen] = True
            after = compute_residual(cover, away)
            if (after >= np.minimum(floors.share, before) - 1e-12).all():
                best = min(best, float((60.0 + drive_s[chosen]).sum()))
    return best


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 3), st.booleans())
def test_the_exact_choice_beats_every_choice_tried(seed: int, need: int, same_region: bool) -> None:
    units, drive_s, cover, floors = random_case(seed)
    best = best_by_trying(units, drive_s, cover, floors, need, same_region)
    wanted = [(formation(need, same_region=same_region), 1)]
    found = compute_strength(units, drive_s, wanted, cover, floors, exact=True, partial=False)
    if np.isfinite(found.complete_s[0]):
        assert found.cost_s == pytest.approx(best)
        assert found.bound_s == pytest.approx(best, rel=1e-3)
    quick = compute_strength(units, drive_s, wanted, cover, floors, partial=False)
    if np.isfinite(quick.complete_s[0]):
        assert quick.cost_s >= best - 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 3))
def test_no_lender_ever_falls_below_its_floor(seed: int, need: int) -> None:
    units, drive_s, cover, floors = random_case(seed)
    for exact in (False, True):
        found = compute_strength(units, drive_s, [(formation(need), 2)], cover, floors, exact=exact)
        held = np.minimum(floors.share, found.residual_before)
        assert (found.residual_after >= held - 1e-9).all()
        away = found.unit_formation >= 0
        assert compute_residual(cover, away) == pytest.approx(found.residual_after)
        assert set(found.reason[away].tolist()) <= {"gekozen"}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_lower_floors_never_make_it_later(seed: int) -> None:
    units, drive_s, cover, floors = random_case(seed)
    strict = compute_strength(units, drive_s, [(formation(2), 1)], cover, floors, exact=True)
    loose = compute_strength(units, drive_s, [(formation(2), 1)], cover, None, exact=True)
    if np.isfinite(strict.complete_s[0]):
        assert loose.cost_s <= strict.cost_s + 1e-6


def showers(first_in: dict[str, str]) -> Formation:
    """A formation of one tanker for which a region goes first, by the region of the place."""
    assigned = Assignment("basiseenheid", tuple(first_in.items()), "toewijzing-peloton", "test", "te verifiëren")
    return dataclasses.replace(formation(1), assignment=assigned)


def test_the_assigned_region_goes_first_and_the_sooner_one_is_told_why() -> None:
    """Region 0 has a tanker after 160 s, but region 1 is assigned: its first (360 s) comes; a second is anyone's."""
    units, drive_s, cover = small_country()
    wash = showers({"A": "B"})
    first = compute_first_regions([wash], ["A", "B"], 0)
    assert first == {"peloton": 1}
    for exact in (False, True):
        found = compute_strength(units, drive_s, [(wash, 1)], cover, None, first=first, exact=exact)
        assert np.flatnonzero(found.unit_formation == 0).tolist() == [3]
        assert found.goes_first.tolist() == [1]
        assert found.reason.tolist() == [*["aangewezen"] * 3, "gekozen", "later", "later"]
        two = compute_strength(units, drive_s, [(wash, 2)], cover, None, first=first, exact=exact)
        assert np.flatnonzero(two.unit_formation >= 0).tolist() == [0, 3]
    assert np.flatnonzero(compute_strength(units, drive_s, [(wash, 1)], cover, None).unit_formation == 0).tolist() == [
        0
    ]


def test_an_assigned_region_that_cannot_come_is_passed_over() -> None:
    """All of region 1 is away, or it lends nothing and would be missed: whoever is soonest goes."""
    units, drive_s, cover = small_country()
    away = np.array([False, False, False, True, True, True])
    found = compute_strength(units, drive_s, [(showers({"A": "B"}), 1)], cover, None, first={"peloton": 1}, away=away)
    assert np.flatnonzero(found.unit_formation == 0).tolist() == [0]
    assert found.goes_first.tolist() == [-1]
    assert compute_first_regions([showers({"A": "Z"}), formation(1)], ["A", "B"], 0) == {}


def test_two_formations_that_need_as_many_are_not_taken_for_one_kind() -> None:
    """One tanker of any region, one officer out of one: equal needs, other units; fast and exact agree."""
    units = standing([0, 0, 1], ["ts6", "ovd", "ovd"])
    drive_s = np.array([100, 500, 300], dtype=np.uint16)
    cover = cover_of([[0]], [1.0], [0], 3, 2)
    officer = Formation("ovd", "OvD", (Part("officier_van_dienst", 1),), False, 0.0, float("nan"), "te verifiëren")
    for exact in (False, True):
        found = compute_strength(units, drive_s, [(formation(1), 1), (officer, 1)], cover, None, exact=exact)
        assert found.unit_formation.tolist() == [0, -1, 1]


def test_every_region_has_one_that_goes_first_with_decontamination() -> None:
    """Besluit veiligheidsregio's, annex 1: six regions, who serve themselves and together everybody, each once."""
    wash = compute_doctrine(read_rules(), datetime.date(2026, 7, 1)).formations["ontsmetting"].assignment
    assert wash is not None
    served = dict(wash.first_in)
    assert sorted(served) == [f"VR{n:02}" for n in range(1, 26)]
    assert sorted(set(served.values())) == ["VR01", "VR06", "VR13", "VR15", "VR17", "VR22"]
    assert all(served[code] == code for code in served.values())
    assert wash.status == "te verifiëren"
    assert compute_doctrine(read_rules(), datetime.date(2010, 9, 30)).formations.get("ontsmetting") is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"inzetmogelijkheid": "blusboot"}, "geen onderdeel van formatie"),
        ({"gaat_voor_in": {"VR01": ["VR02"], "VR03": ["VR02"]}}, "in VR02 gaan VR01 en VR03 allebei voor"),
    ],
)
def test_an_assignment_that_cannot_be_carried_out_is_refused(change: dict[str, object], says: str) -> None:
    rules = read_rules()
    rule = next(each for each in rules.rules if each.code == "toewijzing-ontsmetting")
    version = dataclasses.replace(rule.versions[0], values={**rule.versions[0].values, **change})
    others = tuple(each for each in rules.rules if each is not rule)
    with pytest.raises(DoctrineError, match=says):
        compute_doctrine(Rules((*others, dataclasses.replace(rule, versions=(version,)))), datetime.date(2026, 7, 1))


@pytest.mark.parametrize("exact", [False, True])
def test_alike_in_everything_the_first_in_the_table_goes(exact: bool) -> None:
    """Six tankers, alike in drive, turnout and what they hold: two go, always the first two of the table of units."""
    units, drive_s = standing([0] * 6, ["ts6"] * 6), np.full(6, 300, dtype=np.uint16)
    cover = cover_of([[0, 1, 2, 3, 4, 5]], [100], [0], 6, 1)
    for _ in range(3):
        found = compute_strength(units, drive_s, [(formation(2), 1)], cover, None, exact=exact)
        assert np.flatnonzero(found.unit_formation == 0).tolist() == [0, 1]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(5)), st.booleans())
def test_the_order_in_which_regions_hand_in_units_changes_no_time(order: list[int], exact: bool) -> None:
    """Four tie across two regions: whatever the order of rows, the same arrivals, and the first rows go."""
    rows = np.array(order)
    regions, drives = np.array([0, 0, 1, 1, 1]), np.array([300, 300, 300, 300, 500], dtype=np.uint16)
    units = standing(regions[rows].tolist(), ["ts6"] * 5)
    cover = cover_of([[0, 1, 2, 3, 4]], [100], [0], 5, 2)
    found = compute_strength(units, drives[rows], [(formation(2), 1)], cover, None, exact=exact)
    assert found.cost_s == 720.0
    chosen = np.flatnonzero(found.unit_formation == 0)
    soon = np.flatnonzero(drives[rows] == 300)
    assert chosen.tolist() == soon[:2].tolist()


def test_residents_lean_on_each_of_k_holders_for_one_in_k_cubed() -> None:
    """Unit 0 alone holds 600, units 1 and 2 share 400, and three share 270: 600, 50 and 50, 10 each."""
    cover = cover_of([[0], [1, 2], [0, 1, 2]], [600, 400, 270], [0, 0, 0], 3, 1)
    held = np.array([1, 2, 3], dtype=np.int32)
    assert lean_on(cover.unit_first, cover.unit_area, cover.weight, held).tolist() == [610.0, 60.0, 60.0]
    held[0] = 0  # nobody holds it any more: nobody is leant on for it
    assert lean_on(cover.unit_first, cover.unit_area, cover.weight, held).tolist() == [10.0, 60.0, 60.0]


def test_who_stays_would_come_with_the_formation_that_gathers_least() -> None:
    """One that gathers 300 s and one that goes at once: units 0 and 3 go, unit 1 (460) is told without gathering."""
    units, drive_s, cover = small_country()
    slow = dataclasses.replace(formation(1, assembly_s=300.0), code="traag")
    found = compute_strength(units, drive_s, [(slow, 1), (formation(1), 1)], cover, None)
    assert np.flatnonzero(found.unit_formation < 0).tolist() == [1, 2, 4, 5]
    assert found.arrival_s[1] == 460.0


def test_of_two_ways_to_the_same_substitute_the_one_that_takes_fewest_counts() -> None:
    table = {"a": [{"door": "b", "aantal": 2}, {"door": "c", "aantal": 1}], "c": [{"door": "b", "aantal": 1}]}
    assert expand_substitutes("a", table) == (("b", 1), ("c", 1))
