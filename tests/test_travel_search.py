"""The search equals Dijkstra on every node, on random graphs and on real networks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.travel.search import NO_ROAD, backward, search, search_all
from travel_oracle import auckland, dijkstra_oracle, new_york, random_streets


@settings(deadline=None)
@given(random_streets(), st.integers(0, 400), st.integers(0, 30))
def test_the_search_equals_dijkstra(graph, limit, start):  # type: ignore[no-untyped-def]
    sources = np.arange(len(graph), dtype=np.int32)
    true = dijkstra_oracle(graph, sources)
    assert np.array_equal(search(graph, sources, limit=int(NO_ROAD) - 1), true)
    late = np.where(true < NO_ROAD, true + start, NO_ROAD)
    assert np.array_equal(search(graph, sources, start, limit), np.where(late <= limit, late, NO_ROAD))
    assert np.array_equal(search(backward(graph), sources, limit=int(NO_ROAD) - 1), true.T)

    found = np.full_like(true, NO_ROAD)
    search_all(graph, sources, limit, lambda k, distance: found.__setitem__(k, distance), threads=2)
    assert np.array_equal(found, np.where(true <= limit, true, NO_ROAD))


def test_auckland() -> None:
    graph = auckland()
    sources = np.linspace(0, len(graph) - 1, 40).astype(np.int32)
    assert np.array_equal(search(graph, sources, limit=int(NO_ROAD) - 1), dijkstra_oracle(graph, sources))


def test_new_york() -> None:
    graph = new_york()
    sources = np.array([0, 77_777, 200_000], np.int32)
    true = dijkstra_oracle(graph, sources)
    assert np.array_equal(search(graph, sources, limit=int(NO_ROAD) - 1), true)
    limit = 200_000
    assert np.array_equal(search(graph, sources, limit=limit), np.where(true <= limit, true, NO_ROAD))
