"""Every drive time equals the oracle's; unreachable stays unreachable; a matrix is taken whole or refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.roads import Roads, build_roads, compute_access
from slagkracht.travel import (
    HORIZON_S,
    SNAP_KMH,
    UNREACHABLE,
    add_origin,
    compute_drives_to,
    compute_hierarchy,
    compute_node_times,
    compute_shortcuts,
    compute_travel,
    streets,
)
from slagkracht.travel.search import NO_ROAD, whole_seconds

INF = np.float32(np.inf)


def line(seconds: list[float]) -> tuple[Roads, np.ndarray]:
    """Places 100 m apart on a line, with a one-way road from each to the next taking ``seconds``."""
    count = len(seconds) + 1
    roads = build_roads(
        np.arange(count) * 100.0, np.zeros(count), np.arange(count - 1), np.arange(1, count), np.full(count - 1, 100.0),
        np.zeros(count - 1), ("weg",), None, "voorbeeld", "lijn",
    )  # fmt: skip
    order = np.argsort(roads.x_m[np.repeat(np.arange(count), np.diff(roads.first_arc))])
    arc_s = np.empty(count - 1, np.float32)
    arc_s[order] = seconds
    return roads, arc_s


def at(roads: Roads, x_m: float) -> int:
    return int(np.flatnonzero(roads.x_m == x_m)[0])


def test_by_hand() -> None:
    roads, arc_s = line([10.0, 20.0, 5.0])
    access = compute_access(roads, min_piece=1)
    travel = compute_travel(roads, arc_s, [0, 100], [0, 25], [300, 0], [0, 50], access=access)
    off_road = 3.6 / SNAP_KMH
    assert travel.drive_s.tolist() == [[35, 25 + round(25 * off_road)], [round(50 * off_road), UNREACHABLE]]
    assert travel.area_snap_m.tolist() == [0, 50]
    assert travel.origin_snap_m.tolist() == [0, 25]
    assert travel.kind == "voorbeeld"
    bounded = compute_travel(roads, arc_s, [0, 100], [0, 25], [300, 0], [0, 50], access=access, max_s=30)
    assert bounded.drive_s.tolist() == [[UNREACHABLE, 28], [6, UNREACHABLE]]


def test_every_origin_reports_progress() -> None:
    roads, arc_s = line([1.0, 1.0])
    seen: list[tuple[int, int]] = []
    compute_travel(roads, arc_s, [0, 100, 200], [0, 0, 0], [0], [0], progress=lambda *p: seen.append(p), threads=1)
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_beyond_the_horizon_is_unreachable() -> None:
    roads, arc_s = line([HORIZON_S - 10, 10, 1])
    times = compute_node_times(roads, arc_s, [at(roads, 0)])[0]
    assert times[at(roads, 200)] == HORIZON_S
    assert times[at(roads, 300)] == UNREACHABLE


def test_whole_seconds_are_right_on_average_and_never_out_of_order() -> None:
    assert whole_seconds(np.array([0, 1, 40, 7000], np.float32)).tolist() == [0, 1, 40, 7000]
    assert whole_seconds(np.full(10_000, 0.86, np.float32)).sum() == pytest.approx(8600, abs=5)
    assert whole_seconds(np.array([INF, HORIZON_S + 2.0])).tolist() == [NO_ROAD, NO_ROAD]


@pytest.mark.parametrize(
    ("arc_s", "words"),
    [([4.0], "1 rijtijden voor 2 wegvakken"), ([4.0, -1.0], "wegvak 1 is -1.0"), ([np.nan, 1.0], "wegvak 0 is nan")],
)
def test_impossible_arc_seconds_are_refused(arc_s: list[float], words: str) -> None:
    roads, _ = line([1.0, 1.0])
    with pytest.raises(ValueError, match=words):
        compute_node_times(roads, np.array(arc_s), [0])


@given(st.lists(st.tuples(st.floats(0, 500, width=32), st.floats(0, 500, width=32)), min_size=1))
def test_a_slower_arc_never_comes_out_quicker(pairs: list[tuple[float, float]]) -> None:
    one, other = np.array(pairs, np.float32).T
    assert np.all(whole_seconds(np.minimum(one, other)) <= whole_seconds(np.maximum(one, other)))
    assert np.all(np.abs(whole_seconds(one) - one) <= 1.0)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_place_backward_is_every_origin_forward(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, arcs = 30, 70
    roads = build_roads(
        rng.uniform(0, 900, count), rng.uniform(0, 900, count), rng.integers(0, count, arcs),
        rng.integers(0, count, arcs), np.ones(arcs), np.zeros(arcs), ("weg",), None, "voorbeeld", "toeval",
    )  # fmt: skip
    arc_s = rng.uniform(0, 90, len(roads.head)).astype(np.float32)
    access = compute_access(roads, min_piece=1)
    x, y = rng.uniform(0, 900, (2, 6))
    forward = compute_travel(roads, arc_s, x, y, x, y, access=access)
    graph = streets(roads, arc_s)
    ladder = compute_shortcuts(compute_hierarchy(graph), graph.weight)
    for bound in (60, HORIZON_S):
        swept = compute_travel(roads, arc_s, x, y, x, y, access=access, shortcuts=ladder, max_s=bound)
        assert np.array_equal(swept.drive_s, np.where(forward.drive_s <= bound, forward.drive_s, UNREACHABLE))
    for area in range(6):
        for known in (None, ladder):
            drives = compute_drives_to(roads, arc_s, x[area], y[area], x, y, access=access, shortcuts=known)
            assert np.array_equal(drives, forward.drive_s[area])
    fewer = compute_travel(roads, arc_s, x[:5], y[:5], x, y, access=access)
    added = add_origin(fewer, roads, arc_s, x[5], y[5], x, y, access=access)
    assert np.array_equal(added.drive_s, forward.drive_s)
    assert np.array_equal(added.origin_snap_m, forward.origin_snap_m)


def test_many_origins_make_their_own_hierarchy() -> None:
    roads, arc_s = line([7.0] * 300)
    x = np.arange(301) * 100.0
    access = compute_access(roads, min_piece=1)
    seen: list[tuple[int, int]] = []
    travel = compute_travel(roads, arc_s, x, x * 0, x, x * 0, access=access, progress=lambda *p: seen.append(p))
    ahead = np.arange(301)[:, None] - np.arange(301)
    assert np.array_equal(travel.drive_s, np.where(ahead >= 0, 7 * ahead, UNREACHABLE))
    assert seen[-1] == (301, 301)


def test_a_place_far_from_every_road_is_unreachable() -> None:
    roads, arc_s = line([10.0])
    access = compute_access(roads, min_piece=1)
    graph = streets(roads, arc_s)
    for known in (None, compute_shortcuts(compute_hierarchy(graph), graph.weight)):
        travel = compute_travel(roads, arc_s, [0, 0], [0, 9e4], [100, 100], [0, 9e4], access=access, shortcuts=known)
        assert travel.drive_s.tolist() == [[10, UNREACHABLE], [UNREACHABLE, UNREACHABLE]]
        drives = compute_drives_to(roads, arc_s, 100, 9e4, [0], [0], access=access, shortcuts=known)
        assert drives.tolist() == [UNREACHABLE]
