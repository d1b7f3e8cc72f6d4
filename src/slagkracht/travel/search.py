"""Drive times by searching outward from a place, in buckets of one second: no preparation, and quick when bounded."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from slagkracht.roads import Roads

Whole = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]

HORIZON_S = 32_766
"""The longest drive that is told: nine hours. What lies beyond is unreachable."""

NO_ROAD = np.int32(2**30 - 1)
"""Weight of an arc that nobody may drive, and distance of a node that is not reached: two of them still fit int32."""

_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, eq=False)
class Streets:
    """A directed graph with whole weights: ``first_arc`` int32 [N+1], ``head`` int32 [M], ``weight`` int32 [M]."""

    first_arc: Whole
    head: Whole
    weight: Whole

    def __len__(self) -> int:
        return len(self.first_arc) - 1


def streets(roads: Roads, arc_s: npt.NDArray[Any]) -> Streets:
    """The network with whole seconds (whole_seconds) on its arcs. Raises ValueError when their number differs."""
    if len(arc_s) != len(roads.head):
        raise ValueError(
            f"{len(arc_s)} rijtijden voor {len(roads.head)} wegvakken van {roads.source}: reken ze opnieuw uit"
        )
    return Streets(roads.first_arc, roads.head, whole_seconds(arc_s))


def whole_seconds(arc_s: npt.NDArray[Any]) -> Whole:
    """Arc seconds in whole seconds, int32 [M]; NO_ROAD where closed or beyond HORIZON_S. Whole numbers stay.

    Each arc is rounded up or down by a threshold of its own (multiples of the golden ratio, evenly spread over 0–1),
    so that the sum over a route is right on average, also where a street is cut in many short arcs, and so that a
    slower arc never comes out quicker. Raises ValueError for an arc below 0 or not a number.
    """
    wrong = ~(np.asarray(arc_s) >= 0)
    if wrong.any():
        arc = int(np.argmax(wrong))
        raise ValueError(f"de rijtijd over wegvak {arc} is {arc_s[arc]} seconden: geef 0 of meer, of sluit het (inf)")
    threshold = np.arange(1, len(arc_s) + 1) * _GOLDEN % 1.0
    with np.errstate(invalid="ignore"):
        whole = np.floor(np.asarray(arc_s, np.float64) + np.float64(1 - 1e-6) * threshold + 1e-6)
    return np.where(whole <= HORIZON_S, whole, float(NO_ROAD)).astype(np.int32)


def backward(graph: Streets) -> Streets:
    """The same graph with every arc turned round."""
    return Streets(*_turn(graph.first_arc, graph.head, graph.weight))


def search(graph: Streets, sources: npt.ArrayLike, start: npt.ArrayLike = 0, limit: int = HORIZON_S) -> Whole:
    """Distances from each source to every node: int32 [K, N], NO_ROAD where further than ``limit`` or not reached.

    ``start`` is the distance at which each source begins (what was driven before the network was reached).
    """
    nodes = np.asarray(sources, np.int32)
    begun = np.broadcast_to(np.asarray(start, np.int32), nodes.shape)
    found = np.full((len(nodes), len(graph)), NO_ROAD, np.int32)
    ring = _ring(graph, limit)
    for k, node in enumerate(nodes):
        if node >= 0:
            _dial(graph.first_arc, graph.head, graph.weight, node, begun[k], limit, found[k], *_buckets(ring, graph))
    return found


def search_all(
    graph: Streets,
    sources: npt.NDArray[np.int32],
    limit: int,
    consume: Callable[[int, Whole], None],
    threads: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Search from every source and hand each result to ``consume(k, distance)``: int32 [N], valid during the call.

    Sources with node -1 are passed over. ``progress(done, total)`` is called after each. Memory: one distance column
    and one set of buckets per thread.
    """
    ring = _ring(graph, limit)
    finished = itertools.count(1)

    def run(part: npt.NDArray[np.int64]) -> None:
        distance = np.full(len(graph), NO_ROAD, np.int32)
        buckets = _buckets(ring, graph)
        for k in part:
            if sources[k] >= 0:
                args = (graph.first_arc, graph.head, graph.weight, sources[k], 0, limit)
                entries = _dial(*args, distance, *buckets)
                consume(int(k), distance)
                _forget(distance, buckets[1], entries)
            if progress:
                progress(next(finished), len(sources))

    with ThreadPoolExecutor(threads) as executor:
        list(executor.map(run, np.array_split(np.arange(len(sources)), threads)))


def _ring(graph: Streets, limit: int) -> int:
    """Buckets needed: more than the longest arc that may be driven within the limit, rounded up to a power of two."""
    driven = graph.weight[graph.weight <= limit]
    return 1 << int(driven.max(initial=0) + 1).bit_length()


def _buckets(ring: int, graph: Streets) -> tuple[Whole, Whole, Whole]:
    return (
        np.full(ring, -1, np.int32),
        np.empty(len(graph.head) + 1, np.int32),
        np.empty(len(graph.head) + 1, np.int32),
    )


@njit(cache=True, nogil=True)
def _dial(first_arc, head, weight, source, start, limit, distance, bucket, entry_node, entry_next):  # type: ignore[no-untyped-def]
    """Dial's algorithm: a ring of buckets, each a chain of entries; an entry is stale once its node came nearer.

    Returns how many entries were made: every node that was reached is among the first of ``entry_node``.
    """
    if start > limit:
        return 0
    mask, top, now = np.int32(len(bucket) - 1), np.int32(limit), np.int32(start)
    distance[source] = start
    entry_node[0] = source
    entry_next[0] = -1
    bucket[now & mask] = 0
    entries = np.int32(1)
    waiting = 1
    while waiting > 0:
        slot = now & mask
        while bucket[slot] >= 0:  # an arc of zero seconds may fill the bucket again
            entry = bucket[slot]
            bucket[slot] = -1
            while entry >= 0:
                node = np.uint32(entry_node[entry])  # unsigned: no test for an index from the end
                entry = entry_next[entry]
                waiting -= 1
                if distance[node] != now:
                    continue
                for arc in range(np.uint32(first_arc[node]), np.uint32(first_arc[node + 1])):
                    other = np.uint32(head[arc])
                    reached = np.int32(now + weight[arc])
                    if reached < distance[other] and reached <= top:
                        distance[other] = reached
                        at = np.uint32(reached & mask)
                        entry_node[entries] = other
                        entry_next[entries] = bucket[at]
                        bucket[at] = entries
                        entries += 1
                        waiting += 1
        now = np.int32(now + 1)
    return entries


@njit(cache=True, nogil=True)
def _forget(distance, entry_node, entries):  # type: ignore[no-untyped-def]
    for entry in range(entries):
        distance[np.uint32(entry_node[entry])] = NO_ROAD


@njit(cache=True, nogil=True)
def _turn(first_arc, head, weight):  # type: ignore[no-untyped-def]
    nodes, arcs = len(first_arc) - 1, len(head)
    first = np.zeros(nodes + 1, np.int32)
    for arc in range(arcs):
        first[head[arc] + 1] += 1
    for node in range(nodes):
        first[node + 1] += first[node]
    place = first[:-1].copy()
    turned = np.empty(arcs, np.int32)
    weights = np.empty(arcs, np.int32)
    for node in range(nodes):
        for arc in range(first_arc[node], first_arc[node + 1]):
            to = place[head[arc]]
            place[head[arc]] += 1
            turned[to] = node
            weights[to] = weight[arc]
    return first, turned, weights
