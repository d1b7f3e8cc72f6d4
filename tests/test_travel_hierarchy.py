"""The shortcuts that are kept lead everywhere as quickly as the network does, at any speeds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.travel.hierarchy import compute_hierarchy, compute_shortcuts
from slagkracht.travel.search import HORIZON_S, NO_ROAD, Streets
from slagkracht.travel.sweep import BEYOND, drives_to, sweep_all
from travel_oracle import auckland, dijkstra_oracle, new_york, random_streets


def sweep(graph: Streets, shortcuts, sources: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    found = np.empty((len(sources), len(graph)), np.int32)

    def keep(first: int, rows: np.ndarray) -> None:
        part = found[first : first + rows.shape[1]]
        part[:] = rows[shortcuts.hierarchy.place, : len(part)].T

    sweep_all(shortcuts, sources, keep)
    return np.where(found < BEYOND, found, NO_ROAD)


def within_horizon(distance: np.ndarray) -> np.ndarray:
    return np.where(distance <= HORIZON_S, distance, NO_ROAD)


@settings(deadline=None)
@given(random_streets(), st.integers(0, 2**32 - 1))
def test_every_distance_equals_dijkstra_at_any_speeds(graph: Streets, seed: int) -> None:
    sources = np.arange(len(graph), dtype=np.int32)
    hierarchy = compute_hierarchy(graph)
    rng = np.random.default_rng(seed)
    for weight in (graph.weight, rng.integers(0, 3, len(graph.weight)), rng.integers(0, 30_000, len(graph.weight))):
        today = Streets(graph.first_arc, graph.head, weight.astype(np.int32))
        shortcuts = compute_shortcuts(hierarchy, today.weight)
        true = dijkstra_oracle(today, sources)
        assert np.array_equal(sweep(today, shortcuts, sources), within_horizon(true))
        for target in range(0, len(graph), 7):
            assert np.array_equal(drives_to(shortcuts, sources, target), true[:, target])


@given(random_streets())
@settings(deadline=None)
def test_the_order_is_a_post_order_of_a_chordal_graph(graph: Streets) -> None:
    hierarchy = compute_hierarchy(graph)
    assert sorted(hierarchy.place) == list(range(len(graph)))
    higher = [set(hierarchy.up[hierarchy.first_up[v] : hierarchy.first_up[v + 1]].tolist()) for v in range(len(graph))]
    for low, ups in enumerate(higher):
        assert hierarchy.parent[low] == min(ups, default=-1)
        if ups:
            assert ups - {min(ups)} <= higher[min(ups)]
            below = [v for v in range(len(graph)) if v <= low and reaches(hierarchy.parent, v, low)]
            assert below == list(range(low - len(below) + 1, low + 1))


def reaches(parent: np.ndarray, low: int, high: int) -> bool:
    while low >= 0 and low != high:
        low = parent[low]
    return low == high


def test_nobody_drives_from_nowhere() -> None:
    graph = Streets(np.array([0, 1, 1], np.int32), np.array([1], np.int32), np.array([9], np.int32))
    shortcuts = compute_shortcuts(compute_hierarchy(graph), graph.weight)
    sources = np.array([-1, 0], np.int32)
    assert sweep_all_nodes(shortcuts, sources).tolist() == [[BEYOND, BEYOND], [0, 9]]
    assert drives_to(shortcuts, sources, 1).tolist() == [NO_ROAD, 9]


def sweep_all_nodes(shortcuts, sources: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    found: list[np.ndarray] = []
    sweep_all(shortcuts, sources, lambda first, rows: found.append(rows[shortcuts.hierarchy.place, : len(sources)].T))
    return np.vstack(found)


def test_auckland() -> None:
    graph = auckland()
    sources = np.linspace(0, len(graph) - 1, 50).astype(np.int32)
    shortcuts = compute_shortcuts(compute_hierarchy(graph), graph.weight)
    true = dijkstra_oracle(graph, sources)
    assert np.array_equal(sweep(graph, shortcuts, sources), within_horizon(true))
    for target in (5, 40_000):
        assert np.array_equal(drives_to(shortcuts, sources, target), true[:, target])


def test_new_york() -> None:
    """In metres rather than tenths, so that the city fits the horizon; and to one place in tenths, as given."""
    graph = new_york()
    sources = np.array([3, 77_777, 200_000], np.int32)
    hierarchy = compute_hierarchy(graph)
    coarse = Streets(graph.first_arc, graph.head, graph.weight // 60)
    true = dijkstra_oracle(coarse, sources)
    assert true.max() <= HORIZON_S
    assert np.array_equal(sweep(coarse, compute_shortcuts(hierarchy, coarse.weight), sources), true)
    target = 123_456
    exact = drives_to(compute_shortcuts(hierarchy, graph.weight), sources, target)
    assert np.array_equal(exact, dijkstra_oracle(graph, sources)[:, target])
