"""The ordered answer of every area: by hand on a small country, and against the slow way, one area at a time."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.strength import Floors, compute_placements, compute_residual, compute_strength, compute_strength_map
from slagkracht.strength.supply import Counter
from test_strength import formation, random_case, showers, small_country

KEEPS = Floors(np.array([0.6, 0.0]), "test")


def test_the_answer_by_hand() -> None:
    """There at 160, 460, 560, 360, 660, 760; region 0 keeps 60 %, so 0 stays, and with 2 gone it is on its floor."""
    units, drive_s, cover = small_country()
    places = np.stack([drive_s, np.full(6, 65535, dtype=np.uint16)])
    found = compute_placements(units, places, formation(1), 3, cover, KEEPS)
    assert found.complete_s[0].tolist() == [360.0, 460.0, 560.0]
    assert found.unit[0, :, 0].tolist() == [3, 1, 2]
    assert found.arrival_s[0, :, 0].tolist() == [360.0, 460.0, 560.0]
    np.testing.assert_allclose(found.kept[0], [[1, 1], [1, 1], [0.6, 1]])
    assert (found.near[0, 0], found.near_s[0, 0], found.refused[0, 0], found.refuser[0, 0]) == (0, 160.0, 1, 0)
    assert (found.near[0, 1:] == -1).all()
    assert np.isinf(found.complete_s[1]).all()  # no road leads there
    assert (found.unit[1] == -1).all()
    np.testing.assert_allclose(found.kept[1], 1)


def test_two_small_tankers_stand_in_for_one() -> None:
    """A pair of TS4s (160, 360) is worth less than a TS6, so it is the third chosen and the first to stand."""
    units, drive_s, cover = small_country()
    capabilities = units.capabilities.copy()
    capabilities[[0, 1, 3], 0] = False
    units = dataclasses.replace(units, capabilities=capabilities)
    found = compute_placements(units, drive_s[None, :], formation(1), 3, cover, None)
    assert found.unit[0].tolist() == [[0, 3], [2, -1], [4, -1]]
    assert found.complete_s[0].tolist() == [360.0, 560.0, 660.0]
    assert found.near[0, 0] == 1
    assert found.refused[0, 0] == 0


def test_no_more_are_asked_than_the_nation_can_make() -> None:
    units, drive_s, cover = small_country()
    assert compute_placements(units, drive_s[None, :], formation(2), 9, cover, None).complete_s.shape == (1, 3)
    assert compute_placements(units, drive_s[None, :], formation(1, officers=1), 9, cover, None).unit.shape[1] == 0
    told: list[tuple[int, int]] = []
    many = np.repeat(drive_s[None, :], 130, axis=0)
    found = compute_placements(units, many, formation(2), 1, cover, None, progress=lambda *at: told.append(at))
    assert len(found) == 130
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_assigned_region_brings_the_first_though_others_are_sooner() -> None:
    """Region 1's (360) is number one; then 0 (160) and 1 (460), counted from when all stand."""
    units, drive_s, cover = small_country()
    three = np.stack([drive_s, drive_s, drive_s])
    first = np.array([1, -1, 0], dtype=np.int32)
    found = compute_placements(units, three, showers({"A": "B"}), 3, cover, None, first=first)
    assert found.unit[:, :, 0].tolist() == [[3, 0, 1], [0, 3, 1], [0, 3, 1]]
    assert found.complete_s.tolist() == [[360.0, 360.0, 460.0], [160.0, 360.0, 460.0], [160.0, 360.0, 460.0]]
    np.testing.assert_allclose(found.kept[:, 0], [[1, 1], [0.4, 1], [0.4, 1]])
    one = compute_placements(units, three, showers({"A": "B"}), 1, cover, None, first=first)
    assert one.near[0, :1].tolist() == [0]  # it is sooner, and goes with none
    assert one.near[1].max() == -1
    table = compute_strength_map(
        units, three, [(showers({"A": "B"}), (1, 2))], cover, KEEPS, first={"peloton": first}
    ).free_s
    assert table.tolist() == [[360.0, 360.0], [160.0, 360.0], [160.0, 360.0]]


def test_an_assigned_region_that_cannot_bring_it_is_passed_by() -> None:
    """Region 1 has no tanker that is free, so whoever is soonest brings the first, as in the full choice."""
    units, drive_s, cover = small_country()
    units = dataclasses.replace(units, free=units.free & (units.region == 0))
    found = compute_placements(
        units, drive_s[None, :], showers({"A": "B"}), 2, cover, None, first=np.array([1], dtype=np.int32)
    )
    assert found.unit[0, :, 0].tolist() == [0, 1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 2), st.integers(0, 3), st.booleans())
def test_the_first_is_brought_by_whom_the_full_choice_sends(seed: int, need: int, who: int, guarded: bool) -> None:
    """A choice at one place, one formation asked: both from the assigned region, or both from another."""
    units, drive_s, cover, floors = random_case(seed)
    wash = dataclasses.replace(showers({"A": "B"}), parts=formation(need).parts)
    who = who % len(floors.share)
    found = compute_placements(
        units, drive_s[None, :], wash, 1, cover, floors if guarded else None, first=np.array([who], dtype=np.int32)
    )
    full = compute_strength(
        units, drive_s, [(wash, 1)], cover, floors if guarded else None, first={wash.code: who}, partial=False
    )
    if found.complete_s.shape[1]:
        brought = found.unit[0, 0][found.unit[0, 0] >= 0]
        sent = np.flatnonzero(full.unit_formation == 0)
        assert (len(brought) > 0) == (len(sent) > 0)
        assert (units.region[brought] == who).all() >= (full.goes_first[0] == who)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 2), st.booleans(), st.booleans())
def test_it_says_what_counting_one_place_at_a_time_says(seed: int, need: int, together: bool, guarded: bool) -> None:
    units, drive_s, cover, floors = random_case(seed)
    one, limits = formation(need, same_region=together), floors if guarded else None
    found = compute_placements(units, drive_s[None, :], one, 5, cover, limits)
    counter = Counter(units, one, cover)
    count = min(5, counter.most)
    slow = counter.complete_s(drive_s, np.inf, limits, np.ones(len(units), dtype=np.bool_), count) if count else []
    np.testing.assert_allclose(found.complete_s[0], slow)
    away = np.zeros(len(units), dtype=np.bool_)
    before = compute_residual(cover, away)
    for m in range(count):
        who = found.unit[0, m][found.unit[0, m] >= 0]
        assert not away[who].any()  # nobody goes twice
        away[who] = True
        if len(who):
            assert found.arrival_s[0, m, len(who) - 1] == found.complete_s[0, m]
            assert (np.diff(found.arrival_s[0, m, : len(who)]) >= 0).all()
            assert not together or len(set(units.region[who].tolist())) == 1
        kept = compute_residual(cover, away)
        np.testing.assert_allclose(found.kept[0, m], kept, atol=1e-6)
        if guarded:
            assert (kept >= np.minimum(floors.share, before) - 1e-6).all()
    beside = found.near[0][found.near[0] >= 0]
    assert not away[beside].any()
    assert ((found.refuser[0] >= 0) == (found.refused[0] > 0)).all()
