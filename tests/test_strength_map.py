"""The map of strength, arrivals by chance and move-ups: by hand on a small country, and against the single choice."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.strength import (
    Floors,
    compute_arrival_percentiles,
    compute_move_ups,
    compute_residual,
    compute_strength,
    compute_strength_curve,
    compute_strength_map,
)
from test_strength import cover_of, formation, random_case, small_country, standing

PAIR = formation(2)
FREE = Floors(np.zeros(2), "test")


def test_the_map_by_hand() -> None:
    """There at 160, 460, 560, 360, 660, 760: pairs stand at 360, 560 and 760. Region 0 keeps 60 %: 460, 660, never."""
    units, drive_s, cover = small_country()
    places = np.stack([drive_s, np.full(6, 65535, dtype=np.uint16)])
    found = compute_strength_map(units, places, [(PAIR, (1, 2, 3, 9))], cover, Floors(np.array([0.6, 0.0]), "test"))
    assert found.rank == (1, 2, 3, 9)
    assert found.free_s[0].tolist() == [360.0, 560.0, 760.0, np.inf]
    assert found.complete_s[0].tolist() == [460.0, 660.0, np.inf, np.inf]
    assert np.isinf(found.free_s[1]).all()  # no road leads there


def test_a_specialism_that_nobody_has_is_never_there() -> None:
    units, drive_s, cover = small_country()
    found = compute_strength_map(units, drive_s[None, :], [(formation(1, officers=1), (1,)), (PAIR, (1,))], cover, FREE)
    assert found.free_s.tolist() == [[np.inf, 360.0]]


def test_the_curve_counts_who_stands_by_then() -> None:
    units, drive_s, cover = small_country()
    places = np.stack([drive_s, drive_s + 3600])
    curve = compute_strength_curve(units, places, np.array([3.0, 1.0]), PAIR, cover, None, [0.1, 0.2, 0.3, 1.2])
    assert curve.tolist() == [0.75, 1.5, 2.25, 3 * 0.75 + 0.25 * 2]  # 360 s, 720 s, 1,080 s, 4,320 s


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 2))
def test_the_map_says_what_one_choice_at_a_time_says(seed: int, need: int) -> None:
    units, drive_s, cover, floors = random_case(seed)
    one = formation(need)
    found = compute_strength_map(units, drive_s[None, :], [(one, (1,))], cover, floors)
    free = compute_strength(units, drive_s, [(one, 1)], cover, None, partial=False, thorough=False)
    held = compute_strength(units, drive_s, [(one, 1)], cover, floors, partial=False, thorough=False)
    assert np.isfinite(found.complete_s[0, 0]) == np.isfinite(held.complete_s[0])
    assert found.free_s[0, 0] == min(free.complete_s[0], found.complete_s[0, 0])


def test_when_nothing_spreads_every_case_is_the_expected_one() -> None:
    units, drive_s, cover = small_country()
    sure = compute_arrival_percentiles(units, drive_s, [(PAIR, 2)], cover, None, travel_spread=0.0, draws=5)
    assert sure.tolist() == [[360.0, 360.0], [560.0, 560.0]]


def test_who_is_often_not_ready_is_stood_in_for() -> None:
    """One tanker of 0 (there at 160, ready in 30 %) and 3 (360): P10 is 160, P50 and P90 are 360."""
    units, drive_s, cover = small_country()
    units = dataclasses.replace(
        units, readiness=np.array([0.3, 1, 1, 1, 1, 1], dtype=np.float32), free=np.array([1, 0, 0, 1, 0, 0], dtype=bool)
    )
    found = compute_arrival_percentiles(
        units, drive_s, [(formation(1), 1)], cover, None, travel_spread=0.0, percentiles=(0.1, 0.5, 0.9), draws=200
    )
    assert found.tolist() == [[160.0, 360.0, 360.0]]
    rare = dataclasses.replace(units, free=np.array([1, 0, 0, 0, 0, 0], dtype=bool))
    never = compute_arrival_percentiles(
        rare, drive_s, [(formation(1), 1)], cover, None, travel_spread=0.0, percentiles=(0.1, 0.9), draws=200
    )
    assert never.tolist() == [[160.0, np.inf]]


def test_spread_follows_the_lognormal() -> None:
    """One unit, drive 1,000 s with spread 0.3, no turnout: P90 is 1,000 exp(1.2816 × 0.3) = 1,469."""
    units = standing([0], ["ts6"], [0.0])
    cover = cover_of([[]], [1], [0], 1, 1)
    drive_s = np.array([1000], dtype=np.uint16)
    found = compute_arrival_percentiles(
        units, drive_s, [(formation(1), 1)], cover, None, travel_spread=0.3, percentiles=(0.5, 0.9), draws=4000, seed=2
    )
    assert found[0] == pytest.approx([1000.0, 1000 * math.exp(1.2816 * 0.3)], rel=0.03)
    again = compute_arrival_percentiles(
        units, drive_s, [(formation(1), 1)], cover, None, travel_spread=0.3, percentiles=(0.5, 0.9), draws=4000, seed=2
    )
    assert np.array_equal(found, again)


def three_towns() -> tuple[np.ndarray, ...]:
    """Three areas with a station each, 600 s apart: 0 and 1 (700 and 300 people) of region 0, 2 of region 1."""
    drive_s = np.array([[0, 600, 1200], [600, 0, 600], [1200, 600, 0]], dtype=np.uint16)
    return drive_s, np.array([0, 1, 2], dtype=np.int32)


def test_a_move_up_fills_the_emptied_station_with_a_unit_that_can_be_missed() -> None:
    """Unit 0 has left town 0: region 0 keeps 30 % of its 60. Town 2 can miss one of two tankers: there at 1,260."""
    drive_s, near = three_towns()
    units = dataclasses.replace(standing([0, 0, 1, 1], ["ts6"] * 4), origin=np.array([0, 1, 2, 2], dtype=np.int32))
    cover = cover_of([[0], [1], [2, 3]], [700, 300, 500], [0, 0, 1], 4, 2)
    away = np.array([True, False, False, False])
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([0.6, 0.9]), "t"), away,
        call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert (moves.unit.tolist(), moves.origin.tolist(), moves.arrival_s.tolist()) == ([2], [0], [1260.0])
    assert moves.mended.tolist() == [700.0]
    assert moves.residual_before.tolist() == [0.3, 1.0]
    assert moves.residual_after.tolist() == [1.0, 1.0]
    assert moves.mends.tolist() == [True, False]


def test_the_smaller_hole_is_taken_for_the_larger() -> None:
    """Town 2 cannot miss its only tanker; that of town 1 may move to town 0: 300 in time become 700, at 660."""
    drive_s, near = three_towns()
    units = dataclasses.replace(standing([0, 0, 1], ["ts6"] * 3), origin=np.array([0, 1, 2], dtype=np.int32))
    cover = cover_of([[0], [1], [2]], [700, 300, 500], [0, 0, 1], 3, 2)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([0.9, 0.9]), "t"),
        np.array([True, False, False]), call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert (moves.unit.tolist(), moves.origin.tolist(), moves.arrival_s.tolist()) == ([1], [0], [660.0])
    assert moves.mended.tolist() == [400.0]
    assert moves.residual_after.tolist() == [0.7, 1.0]
    assert not moves.mends.any()  # better, and still below its floor


def test_nobody_moves_when_nobody_can_be_missed() -> None:
    """Town 1 is the larger now: moving its tanker would lose more than it mends."""
    drive_s, near = three_towns()
    units = dataclasses.replace(standing([0, 0, 1], ["ts6"] * 3), origin=np.array([0, 1, 2], dtype=np.int32))
    cover = cover_of([[0], [1], [2]], [300, 700, 500], [0, 0, 1], 3, 2)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([0.9, 0.9]), "t"),
        np.array([True, False, False]), call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert len(moves.unit) == 0
    assert moves.residual_after.tolist() == moves.residual_before.tolist()


def test_floors_that_hold_ask_no_move() -> None:
    drive_s, near = three_towns()
    units = dataclasses.replace(standing([0, 0, 1], ["ts6"] * 3), origin=np.array([0, 1, 2], dtype=np.int32))
    cover = cover_of([[0], [1], [2]], [700, 300, 500], [0, 0, 1], 3, 2)
    nobody = np.zeros(3, dtype=bool)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([0.9, 0.9]), "t"), nobody,
        call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert len(moves.unit) == 0
    assert not moves.mends.any()
    assert moves.residual_after == pytest.approx(compute_residual(cover, nobody))


FLOOR = 0.8 - 0.1
"""A norm less its margin: 0.7000000000000001, a hair above the 700 of 1,000 that are in time."""


def test_a_floor_that_holds_to_the_last_digit_asks_no_move() -> None:
    """Town 1 (300 people) is empty, its region keeps the 70 % that it must. Town 2 could miss one, and keeps it."""
    drive_s, near = three_towns()
    units = dataclasses.replace(standing([0, 0, 1, 1], ["ts6"] * 4), origin=np.array([0, 1, 2, 2], dtype=np.int32))
    cover = cover_of([[0], [1], [2, 3]], [700, 300, 500], [0, 0, 1], 4, 2)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([FLOOR, 0.9]), "t"),
        np.array([False, True, False, False]), call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert FLOOR > 0.7
    assert len(moves.unit) == 0
    assert not moves.mends.any()


def test_a_floor_that_is_met_to_the_last_digit_is_mended_and_ends_the_moves() -> None:
    """Both towns are empty; the first of two that can be missed fills the larger. With 700 of 1,000 the floor holds."""
    drive_s, near = three_towns()
    units = standing([0, 0, 1, 1, 1], ["ts6"] * 5)
    units = dataclasses.replace(units, origin=np.array([0, 1, 2, 2, 2], dtype=np.int32))
    cover = cover_of([[0], [1], [2, 3, 4]], [700, 300, 500], [0, 0, 1], 5, 2)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([FLOOR, 0.9]), "t"),
        np.array([True, True, False, False, False]), call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert moves.origin.tolist() == [0]
    assert moves.mends.tolist() == [True, False]


def test_a_region_whose_floor_holds_to_the_last_digit_draws_no_unit_from_one_below_its_floor() -> None:
    """Town 1 (300) is empty and its region holds its 70 %; town 2 (100) is too and its region below. One can move."""
    drive_s, near = three_towns()
    units = dataclasses.replace(standing([0, 0, 1, 0], ["ts6"] * 4), origin=np.array([0, 1, 2, 0], dtype=np.int32))
    cover = cover_of([[0, 3], [1], [2]], [700, 300, 100], [0, 0, 1], 4, 2)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([FLOOR, 0.9]), "t"),
        np.array([False, True, True, False]), call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert (moves.origin.tolist(), moves.mended.tolist()) == ([2], [100.0])


def test_less_than_one_in_a_hundred_better_does_not_wait_for_it() -> None:
    """From town 1 unit 2 mends 700 less the 5 that it alone holds, at 660; from town 2 unit 3 mends 700, at 1,260."""
    drive_s = np.array([[0, 600, 1200], [600, 0, 600], [1200, 600, 0], [1200, 600, 1200]], dtype=np.uint16)
    units = standing([0, 0, 0, 1, 1], ["ts6"] * 5)
    units = dataclasses.replace(units, origin=np.array([0, 1, 1, 2, 2], dtype=np.int32))
    cover = cover_of([[0], [1], [3, 4], [2]], [700, 295, 500, 5], [0, 0, 1, 0], 5, 2)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, np.arange(3, dtype=np.int32), cover, Floors(np.full(2, 0.9), "t"),
        np.array([True, False, False, False, False]), call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert (moves.unit.tolist(), moves.mended.tolist()) == ([2], [695.0])


def test_who_is_busy_or_never_ready_does_not_move_up() -> None:
    """Of three that could go from town 2 the first is at an incident and the second never ready: the third goes."""
    drive_s, near = three_towns()
    units = dataclasses.replace(
        standing([0, 0, 1, 1, 1], ["ts6"] * 5), origin=np.array([0, 1, 2, 2, 2], dtype=np.int32),
        free=np.array([True, True, False, True, True]), readiness=np.array([1, 1, 1, 0, 1], dtype=np.float32),
    )  # fmt: skip
    cover = cover_of([[0], [1], [2, 3, 4]], [700, 300, 500], [0, 0, 1], 5, 2)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([0.6, 0.5]), "t"),
        np.array([True, False, False, False, False]), call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert moves.unit.tolist() == [4]


def test_of_moves_that_mend_alike_the_soonest_goes() -> None:
    """Units 2 (town 1) and 4 (town 2) mend as much; the one from town 1 is there 600 s sooner."""
    drive_s, near = three_towns()
    units = standing([0, 0, 0, 1, 1], ["ts6"] * 5)
    units = dataclasses.replace(units, origin=np.array([0, 1, 1, 2, 2], dtype=np.int32))
    cover = cover_of([[0], [1, 2], [3, 4]], [700, 300, 500], [0, 0, 1], 5, 2)
    moves = compute_move_ups(
        units, units.capabilities[:, 1], drive_s, near, cover, Floors(np.array([0.9, 0.9]), "t"),
        np.array([True, False, False, False, False]), call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert (moves.unit.tolist(), moves.arrival_s.tolist()) == ([1], [660.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_move_ups_never_lower_a_region_that_stood_above_its_floor_below_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, towns = 8, 6
    place = rng.uniform(0, 1000, (towns, 2))
    drive_s = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1)).astype(np.uint16)
    origin = rng.integers(0, towns, count).astype(np.int32)
    region = np.arange(towns) % 2
    units = dataclasses.replace(standing(region[origin].tolist(), ["ts6"] * count), origin=origin)
    reach = 60 + 60 + drive_s <= 400
    cover = cover_of(
        [np.flatnonzero(reach[a, origin]).tolist() for a in range(towns)], rng.integers(1, 100, towns).tolist(),
        region.tolist(), count, 2,
    )  # fmt: skip
    away = rng.random(count) < 0.4
    floors = Floors(rng.choice([0.3, 0.6, 0.9], 2), "t")
    moves = compute_move_ups(
        units, np.ones(count, bool), drive_s, np.arange(towns, dtype=np.int32), cover, floors, away,
        call_handling_s=60.0, limit_s=400.0,
    )  # fmt: skip
    assert (moves.residual_after >= np.minimum(floors.share, moves.residual_before) - 1e-9).all()
    assert len(set(moves.unit.tolist())) == len(moves.unit)
    # the slow obvious version: put every unit where it now stands and count who is in time
    stands = origin.copy()
    stands[moves.unit] = moves.origin
    held = reach[:, stands[~away]].any(axis=1)
    for r in range(2):
        mine = region == r
        assert moves.residual_after[r] == pytest.approx(cover.weight[mine & held].sum() / cover.weight[mine].sum())
