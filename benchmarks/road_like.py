"""A road-like network of any size: towns, streets in pieces, one-way streets and a hierarchy of fast roads."""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial import Delaunay

from slagkracht.roads import Roads, build_roads

CLASSES = ("motorway", "primary", "tertiary", "residential")
KMH = np.array([100.0, 70.0, 50.0, 30.0])
SHARE = np.array([0.01, 0.05, 0.16])
"""Of the streets between junctions, the share that is motorway, primary and tertiary: those that most routes use."""


def build_road_like(nodes: int, seed: int = 0) -> Roads:
    """About ``nodes`` nodes, half of them with only two neighbours, and 2.6 arcs a node."""
    rng = np.random.default_rng(seed)
    side_m = 100.0 * np.sqrt(nodes)
    junctions = int(nodes / 1.98)
    towns = rng.uniform(0, side_m, (max(junctions // 2_000, 3), 2))
    size = rng.pareto(1.3, len(towns)) + 0.2
    town = rng.choice(len(towns), int(junctions * 0.7), p=size / size.sum())
    radius = 0.35 * side_m * np.sqrt(size / size.sum())
    near = towns[town] + rng.normal(0, 1, (len(town), 2)) * radius[town, None]
    places = np.vstack([near, rng.uniform(0, side_m, (junctions - len(town), 2))])

    triangles = Delaunay(places).simplices
    pairs = np.unique(np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), 1), axis=0)
    length = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1) + 1.0
    graph = coo_array((length * rng.uniform(1, 1.2, len(length)), pairs.T), (junctions, junctions)).tocsr()
    tree = minimum_spanning_tree(graph).tocoo()
    in_tree = np.isin(pairs @ [junctions, 1], np.sort(np.stack([tree.row, tree.col]), 0).T @ [junctions, 1])
    extra = np.flatnonzero(~in_tree)[np.argsort(length[~in_tree] * rng.uniform(0.5, 2.5, (~in_tree).sum()))]
    kept = np.concatenate([np.flatnonzero(in_tree), extra[: int(0.68 * junctions)]])
    pairs, length = pairs[kept], length[kept]

    road_class = np.full(len(pairs), 3)
    seconds = length / 10
    for rank, share in enumerate(np.cumsum(SHARE)[::-1]):  # what most routes use becomes fast, and so is used by more
        use = _use(pairs, seconds, junctions, rng.choice(junctions, 24))
        fast = np.argsort(-use)[: int(share * len(pairs))]
        road_class[fast] = 2 - rank
        seconds = length * 3.6 / KMH[road_class]

    pieces = np.minimum(1 + rng.poisson(0.58, len(pairs)), 9)
    bend = rng.uniform(1.0, 1.3, len(pairs))
    street = np.repeat(np.arange(len(pairs)), pieces)
    step = np.arange(len(street)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    inner = np.flatnonzero(step > 0)
    share = (step / pieces[street])[inner, None]
    between = places[pairs[street[inner], 0]] * (1 - share) + places[pairs[street[inner], 1]] * share
    number = np.full(len(street), -1)
    number[inner] = junctions + np.arange(len(inner))
    tail = np.where(step == 0, pairs[street, 0], number)
    head = np.where(step == pieces[street] - 1, pairs[street, 1], np.append(number[1:], -1))
    piece_m = (length * bend / pieces)[street]
    one_way = ((rng.random(len(pairs)) < 0.15) & (np.arange(len(pairs)) >= in_tree.sum()))[street]
    points = np.vstack([places, between])
    return build_roads(
        points[:, 0],
        points[:, 1],
        np.concatenate([tail, head[~one_way]]),
        np.concatenate([head, tail[~one_way]]),
        np.concatenate([piece_m, piece_m[~one_way]]),
        np.concatenate([road_class[street], road_class[street[~one_way]]]),
        CLASSES,
        None,
        "voorbeeld",
        f"wegachtig net, {len(points)} knopen",
    )


def drive_s(roads: Roads) -> np.ndarray:
    """Seconds per arc at one speed per class."""
    return (roads.length_m * 3.6 / KMH[roads.road_class]).astype(np.float32)


def _use(pairs: np.ndarray, seconds: np.ndarray, junctions: int, sources: np.ndarray) -> np.ndarray:
    """How many of the shortest routes from ``sources`` to everywhere use each street."""
    graph = coo_array((seconds, pairs.T), (junctions, junctions)).tocsr()
    assert connected_components(graph, directed=False)[0] == 1
    number = coo_array((np.arange(len(pairs)) + 1, pairs.T), (junctions, junctions)).tocsr()
    use = np.zeros(len(pairs) + 1)
    for source in sources:
        distance, before = dijkstra(graph, directed=False, indices=source, return_predecessors=True)
        behind = np.ones(junctions)
        order = np.argsort(-distance)
        _gather(order, before, behind)
        child = np.flatnonzero(before >= 0)
        low, high = np.minimum(child, before[child]), np.maximum(child, before[child])
        street = np.asarray(number[low, high]).ravel().astype(int)
        use[street] += behind[child]
    return use[1:]


@njit(cache=True)
def _gather(order: np.ndarray, before: np.ndarray, behind: np.ndarray) -> None:
    for node in order:
        parent = before[node]
        if parent >= 0:
            behind[parent] += behind[node]
