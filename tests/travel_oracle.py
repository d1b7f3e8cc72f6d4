"""Dijkstra as others wrote it, random street graphs, and the real networks that drive times are checked on."""

from __future__ import annotations

import gzip
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from slagkracht.roads import hilbert_order
from slagkracht.travel.search import NO_ROAD, Streets

NETWORKS = Path(__file__).parents[2] / "shared" / "data" / "wegennetten"


def build_streets(nodes: int, tail: np.ndarray, head: np.ndarray, weight: np.ndarray) -> Streets:
    order = np.argsort(tail, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=nodes))]).astype(np.int32)
    return Streets(first, head[order].astype(np.int32), weight[order].astype(np.int32))


def dijkstra_oracle(graph: Streets, sources: np.ndarray) -> np.ndarray:
    """SciPy's Dijkstra in the same whole numbers: parallel arcs merged to their minimum, zeros kept as arcs."""
    tail = np.repeat(np.arange(len(graph)), np.diff(graph.first_arc))
    open_arc = graph.weight < NO_ROAD
    tail, head, weight = tail[open_arc], graph.head[open_arc], graph.weight[open_arc].astype(float)
    order = np.lexsort((weight, head, tail))
    tail, head, weight = tail[order], head[order], weight[order]
    first = np.ones(len(tail), bool)
    first[1:] = (np.diff(tail) != 0) | (np.diff(head) != 0)
    tail, head, weight = tail[first], head[first], weight[first]
    starts = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=len(graph)))])
    matrix = csr_array((weight, head, starts), (len(graph), len(graph)))
    distance = np.atleast_2d(dijkstra(matrix, indices=sources))
    return np.where(np.isfinite(distance), distance, NO_ROAD).astype(np.int32)


@st.composite
def random_streets(draw: st.DrawFn, max_weight: int = 90) -> Streets:
    """A few dozen nodes with one-way, parallel, zero-second and closed arcs, dead ends and pieces of their own."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    nodes = draw(st.integers(1, 40))
    arcs = draw(st.integers(0, 4 * nodes))
    tail, head = rng.integers(0, nodes, (2, arcs))
    if draw(st.booleans()):  # mostly a chain, as streets are
        head = np.where(rng.random(arcs) < 0.7, (tail + rng.choice([-1, 1], arcs)) % nodes, head)
    weight = rng.integers(0, max_weight, arcs)
    weight[rng.random(arcs) < 0.15] = 0
    weight[rng.random(arcs) < 0.05] = NO_ROAD
    apart = tail != head
    return build_streets(nodes, tail[apart], head[apart], weight[apart])


def network(name: str) -> Path:
    path = NETWORKS / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the checkout (../shared/data/wegennetten)")
    return path


def table(archive: zipfile.ZipFile, name: str, columns: tuple[int, ...]) -> np.ndarray:
    rows = [line for line in archive.read(name).decode().splitlines() if line[:1].isdigit()]
    return np.loadtxt(rows, delimiter=",", usecols=columns)


@cache
def auckland() -> Streets:
    """54,371 nodes with one-way streets; tenths of seconds; nodes along a Hilbert curve."""
    with zipfile.ZipFile(network("auckland_roads.zip")) as archive:
        nodes, arcs = table(archive, "nodes.csv", (1, 2)), table(archive, "arcs.csv", (1, 2, 4))
    place = np.empty(len(nodes), np.int64)
    place[hilbert_order(*nodes.T)] = np.arange(len(nodes))
    ends = place[arcs[:, :2].astype(np.int64) - 1]
    return build_streets(len(nodes), ends[:, 0], ends[:, 1], np.rint(arcs[:, 2] * 864_000))


@cache
def new_york() -> Streets:
    """The DIMACS challenge's New York: 264,346 nodes, 730,100 arcs, lengths in tenths of metres."""
    with gzip.open(network("USA-road-d.NY.reassembled.gr.gz")) as file:
        lines = file.read().split(b"\n")
    text = b"\n".join(line[2:] for line in lines if line.startswith(b"a "))
    arcs = np.fromstring(text, dtype=np.int64, sep=" ").reshape(-1, 3)
    return build_streets(264_346, arcs[:, 0] - 1, arcs[:, 1] - 1, arcs[:, 2])
