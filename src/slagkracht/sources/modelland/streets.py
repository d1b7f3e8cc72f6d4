"""The roads of Modelnederland: motorways between cities, roads between villages, streets where people live.

Every layer is a proximity graph: cities, and settlements, are joined where no third lies between them (Gabriel
graph), streets where no third lies nearer to both (relative neighbourhood graph), which gives road-like junctions
of two to four arms. Roads stay on their own piece of land; only the fixed crossings of wide water join the pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from slagkracht.roads import Roads, build_roads
from slagkracht.sources.facts import Municipalities
from slagkracht.sources.modelland.land import SOUTH_M, WEST_M, Cells, Settlements, share_out

Metres = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ROAD_CLASSES = (
    "motorway", "motorway_link", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential",
)  # fmt: skip
MOTORWAY, LINK, TRUNK, PRIMARY, SECONDARY, TERTIARY, UNCLASSIFIED, RESIDENTIAL = range(len(ROAD_CLASSES))

CITY_INHABITANTS = 55_000
"""Municipalities with at least this many people are joined by motorway."""

BUILT_UP_PER_KM2 = 1_000.0
"""Streets in squares with more inhabitants than this are residential, elsewhere they are lanes."""

LEAST_CORNERS = 80
"""Street corners that the smallest island has at least, however coarse the network."""

WET_M = 2_000.0
"""Longest stretch outside the modelled land that a road crosses: inland water, or a ragged edge of the model."""


@dataclass(frozen=True, eq=False)
class _Land:
    """``land`` bool [rows, columns]: is it land, in cells of ``cell_m`` from WEST_M, SOUTH_M."""

    land: Flags
    cell_m: float


@dataclass(frozen=True, eq=False)
class _Edges:
    """Stretches of road, both ways: ``tail``, ``head`` int64 [E] · ``road_class`` int64 [E]."""

    tail: Indices
    head: Indices
    road_class: Indices


def build_streets(
    facts: Municipalities,
    land: Cells,
    cells: Cells,
    people: Indices,
    settlements: Settlements,
    crossings: Metres,
    nodes: int,
    rng: np.random.Generator,
) -> Roads:
    """A network of exactly ``nodes`` nodes, kind "gemodelleerd", every landmass in one piece of its own.

    ``land`` is the fixed raster, ``cells`` the areas with ``people`` int64 [C] · ``crossings`` float64 [X, 4] the x and
    y of both banks. About an eighth of the nodes lie on main roads, half are street corners, the rest are bends.
    Raises ValueError when ``nodes`` does not suffice for settlements, main roads and streets.
    """
    landmass = np.unique(facts.landmass, return_inverse=True)[1]
    dry = _find_land(land)
    banks = crossings.reshape(-1, 2)
    near = cKDTree(np.column_stack([settlements.x_m, settlements.y_m])).query(banks)[1]
    x_m, y_m = np.concatenate([settlements.x_m, banks[:, 0]]), np.concatenate([settlements.y_m, banks[:, 1]])
    mass = landmass[np.concatenate([settlements.municipality, settlements.municipality[near]])]
    main = _main_roads(facts.population, settlements, x_m, y_m, mass, dry)

    span_m = _length(x_m, y_m, main.tail, main.head)
    spacing_m = max(250.0, float(span_m.sum()) / (nodes / 8))
    parts = np.maximum(1, np.round(span_m / spacing_m).astype(np.int64))
    main_x, main_y, chain, edge_of = _bend(x_m, y_m, main, parts - 1, rng, 0.05)
    on_motorway = np.concatenate([np.zeros(len(x_m), np.bool_), main.road_class[edge_of] == MOTORWAY])
    over_water = np.concatenate([np.zeros(len(x_m), np.bool_), main.road_class[edge_of] == TRUNK])
    main_mass = np.concatenate([mass, mass[main.tail[edge_of]]])

    corners = (nodes - len(main_x)) * 5 // 9
    if corners < len(main_x) // 4:
        raise ValueError(f"{nodes} knopen zijn te weinig voor {len(settlements)} kernen: vraag er meer")
    corner_x, corner_y, corner_cell = _lay_corners(cells, people, landmass, corners, rng)
    all_x, all_y = np.concatenate([main_x, corner_x]), np.concatenate([main_y, corner_y])
    all_mass = np.concatenate([main_mass, landmass[cells.municipality[corner_cell]]])
    joins = np.concatenate([~on_motorway & ~over_water, np.ones(len(corner_x), np.bool_)])
    streets = _streets(all_x, all_y, all_mass, joins, len(main_x), dry, max(WET_M, cells.cell_m))
    built_up = people > BUILT_UP_PER_KM2 * (cells.cell_m / 1000.0) * (cells.cell_m / 1000.0)
    in_town = np.concatenate([np.zeros(len(main_x), np.bool_), built_up[corner_cell]])
    street_class = np.where(in_town[streets[:, 0]] | in_town[streets[:, 1]], RESIDENTIAL, UNCLASSIFIED)
    ramps = _ramps(all_x, all_y, np.flatnonzero(on_motorway), joins[: len(main_x)], spacing_m)

    tail = np.concatenate([chain.tail, streets[:, 0], ramps.tail])
    head = np.concatenate([chain.head, streets[:, 1], ramps.head])
    road_class = np.concatenate([chain.road_class, street_class, ramps.road_class])
    piece = _pieces(len(all_x), tail, head)
    kept = np.isin(piece, piece[: len(settlements)])
    place = np.cumsum(kept) - 1
    lasting = kept[tail] & kept[head]
    edges = _Edges(place[tail[lasting]], place[head[lasting]], road_class[lasting])
    all_x, all_y = all_x[kept], all_y[kept]

    local = edges.road_class >= UNCLASSIFIED
    bends = np.zeros(len(edges.tail), np.int64)
    bends[local] = share_out(_length(all_x, all_y, edges.tail, edges.head)[local], nodes - len(all_x))
    x_m, y_m, edges, _ = _bend(all_x, all_y, edges, bends, rng, 0.12)
    length_m = np.maximum(np.round(_length(x_m, y_m, edges.tail, edges.head), 1), 1.0)
    return build_roads(
        x_m,
        y_m,
        np.concatenate([edges.tail, edges.head]),
        np.concatenate([edges.head, edges.tail]),
        np.concatenate([length_m, length_m]),
        np.concatenate([edges.road_class, edges.road_class]),
        ROAD_CLASSES,
        None,
        "gemodelleerd",
        f"Modelnederland: gemodelleerde wegen met {nodes} knopen, uit nl/facts",
    )


def _main_roads(
    inhabitants: Indices, settlements: Settlements, x_m: Metres, y_m: Metres, mass: Indices, dry: _Land
) -> _Edges:
    """Crossings, roads between settlements (primary where the way between towns leads), motorways between cities."""
    count = len(x_m)

    def on_land(pairs: Indices, wet_m: float) -> Indices:
        one_mass = mass[pairs[:, 0]] == mass[pairs[:, 1]]
        dry_pairs: Indices = pairs[one_mass & (_wet_m(dry, x_m, y_m, pairs[:, 0], pairs[:, 1]) <= wet_m)]
        return dry_pairs

    def key(pairs: Indices) -> Indices:
        keys: Indices = pairs.min(1) * count + pairs.max(1)
        return keys

    near = on_land(_proximity(x_m, y_m, 40, gabriel=True), WET_M)
    crossing = np.arange(len(settlements), count).reshape(-1, 2)
    towns = np.flatnonzero(settlements.rank == 0)
    roads = np.concatenate([near, crossing])
    length_m = np.round(_length(x_m, y_m, roads[:, 0], roads[:, 1])) + 1
    graph = csr_array((length_m, (roads[:, 0], roads[:, 1])), (count, count))
    before = dijkstra(graph, directed=False, indices=towns, return_predecessors=True)[1]
    primary = set()
    for one, other in _proximity(x_m[towns], y_m[towns], 40, gabriel=True).tolist():
        here = int(towns[other])
        while (previous := int(before[one, here])) >= 0:
            primary.add(min(previous, here) * count + max(previous, here))
            here = previous
    is_primary = np.isin(key(near), np.array(sorted(primary), np.int64))
    kept = is_primary | np.isin(key(near), key(_proximity(x_m, y_m, 40, gabriel=False)))
    local = _join(x_m, y_m, near[kept], mass)
    main_town = np.zeros(count, np.bool_)
    main_town[towns] = True
    of_town = main_town[local].any(1)
    local_class = np.where(of_town, SECONDARY, TERTIARY)
    local_class[: int(kept.sum())][is_primary[kept]] = PRIMARY

    cities = towns[inhabitants >= CITY_INHABITANTS]
    motorway = on_land(cities[_proximity(x_m[cities], y_m[cities], 30, gabriel=True)], 2 * WET_M)
    edges = np.concatenate([local, crossing, motorway])
    classes = [local_class, np.full(len(crossing), TRUNK), np.full(len(motorway), MOTORWAY)]
    return _Edges(edges[:, 0], edges[:, 1], np.concatenate(classes))


def _lay_corners(
    cells: Cells, people: Indices, landmass: Indices, count: int, rng: np.random.Generator
) -> tuple[Metres, Metres, Indices]:
    """Street corners, in whole metres, and their cell: in blocks, dense where people live (as the square root).

    Every landmass (``landmass`` int64 [G] per municipality) gets enough of them to count as a network of its own.
    """
    crowd = np.sqrt(people.astype(np.float64))
    weight = 0.35 * float(crowd.mean()) + crowd
    mass = landmass[cells.municipality]
    in_mass = np.bincount(mass, weight)
    weight *= np.maximum(1.0, LEAST_CORNERS / (in_mass / in_mass.sum() * count))[mass]
    per_cell = share_out(weight, count)
    cell = np.repeat(np.arange(len(cells)), per_cell)
    here = np.arange(count) - np.repeat(np.cumsum(per_cell) - per_cell, per_cell)
    side = np.ceil(np.sqrt(per_cell.astype(np.float64))).astype(np.int64)[cell]
    slot = here * side * side // per_cell[cell]
    shift = 0.2 + 0.6 * rng.random((2, count))
    x_m = cells.x_m[cell] + ((slot % side + shift[0]) / side - 0.5) * cells.cell_m
    y_m = cells.y_m[cell] + ((slot // side + shift[1]) / side - 0.5) * cells.cell_m
    return np.round(x_m), np.round(y_m), cell


def _streets(x_m: Metres, y_m: Metres, mass: Indices, joins: Flags, main: int, dry: _Land, wet_m: float) -> Indices:
    """Pairs of nodes joined by a street, int64 [E, 2]; what is already joined by a main road is left out."""
    joining = np.flatnonzero(joins)
    pairs: Indices = joining[_proximity(x_m[joining], y_m[joining], 12, gabriel=False)]
    pairs = pairs[(pairs[:, 1] >= main) & (mass[pairs[:, 0]] == mass[pairs[:, 1]])]
    far = _length(x_m, y_m, pairs[:, 0], pairs[:, 1]) > dry.cell_m
    fits = ~far
    fits[far] = _wet_m(dry, x_m, y_m, pairs[far, 0], pairs[far, 1]) <= wet_m
    return pairs[fits]


def _ramps(x_m: Metres, y_m: Metres, motorway: Indices, main: Flags, spacing_m: float) -> _Edges:
    """Slip roads: in every four kilometres of motorway the node that lies nearest to a main road, within 3 km."""
    ground = np.flatnonzero(main)
    if not len(motorway):
        return _Edges(*(np.zeros(0, np.int64) for _ in range(3)))
    off_m, found = cKDTree(np.column_stack([x_m[ground], y_m[ground]])).query(
        np.column_stack([x_m[motorway], y_m[motorway]])
    )
    stretch = np.arange(len(motorway)) // max(1, round(4000.0 / spacing_m))
    order = np.lexsort((off_m, stretch))
    chosen = order[np.unique(stretch[order], return_index=True)[1]]
    chosen = chosen[off_m[chosen] <= 3000.0]
    return _Edges(motorway[chosen], ground[found[chosen]], np.full(len(chosen), LINK))


def _bend(
    x_m: Metres, y_m: Metres, edges: _Edges, bends: Indices, rng: np.random.Generator, bow: float
) -> tuple[Metres, Metres, _Edges, Indices]:
    """Lays ``bends[e]`` nodes along every edge, on an arc that leaves the straight line by ``bow`` of it at most.

    Gives all nodes (the new ones after the old), the pieces of road, and the edge that each new node lies on.
    """
    edge = np.repeat(np.arange(len(bends)), bends)
    first = np.cumsum(bends) - bends
    share = (np.arange(len(edge)) - first[edge] + 1) / (bends[edge] + 1)
    sway = (bow * (2 * rng.random(len(bends)) - 1))[edge] * 4 * share * (1 - share)
    dx, dy = (x_m[edges.head] - x_m[edges.tail])[edge], (y_m[edges.head] - y_m[edges.tail])[edge]
    new_x = np.round(x_m[edges.tail][edge] + share * dx - sway * dy)
    new_y = np.round(y_m[edges.tail][edge] + share * dy + sway * dx)
    piece = np.repeat(np.arange(len(bends)), bends + 1)
    step = np.arange(len(piece)) - np.repeat(first + np.arange(len(bends)), bends + 1)
    node = len(x_m) + first[piece] + step
    tail = np.where(step == 0, edges.tail[piece], node - 1)
    head = np.where(step == bends[piece], edges.head[piece], node)
    chain = _Edges(tail, head, edges.road_class[piece])
    return np.concatenate([x_m, new_x]), np.concatenate([y_m, new_y]), chain, edge


def _join(x_m: Metres, y_m: Metres, pairs: Indices, mass: Indices) -> Indices:
    """Ties what is still apart on one landmass together, each piece by its shortest way to the rest."""
    for one_mass in range(int(mass.max()) + 1):
        here = np.flatnonzero(mass == one_mass)
        while True:
            piece = _pieces(len(x_m), pairs[:, 0], pairs[:, 1])[here]
            apart = piece != np.bincount(piece).argmax()
            if not apart.any():
                break
            loose, rest = here[piece == piece[apart][0]], here[piece != piece[apart][0]]
            off_m, found = cKDTree(np.column_stack([x_m[rest], y_m[rest]])).query(
                np.column_stack([x_m[loose], y_m[loose]])
            )
            nearest = int(np.argmin(off_m))
            pairs = np.concatenate([pairs, [[loose[nearest], rest[found[nearest]]]]])
    return pairs


def _pieces(count: int, tail: Indices, head: Indices) -> Indices:
    graph = csr_array((np.ones(len(tail), np.int8), (tail, head)), (count, count))
    pieces: Indices = connected_components(graph, directed=False)[1].astype(np.int64)
    return pieces


def _length(x_m: Metres, y_m: Metres, tail: Indices, head: Indices) -> Metres:
    dx, dy = x_m[head] - x_m[tail], y_m[head] - y_m[tail]
    length_m: Metres = np.sqrt(dx * dx + dy * dy)
    return length_m


def _find_land(land: Cells) -> _Land:
    mask = np.zeros((int(land.row.max()) + 2, int(land.column.max()) + 2), np.bool_)
    mask[land.row, land.column] = True
    return _Land(mask, land.cell_m)


def _wet_m(dry: _Land, x_m: Metres, y_m: Metres, tail: Indices, head: Indices) -> Metres:
    """How far each edge runs outside the land, by a sample every half cell."""
    length_m = _length(x_m, y_m, tail, head)
    count = np.maximum(1, (length_m / (dry.cell_m / 2)).astype(np.int64))
    edge = np.repeat(np.arange(len(tail)), count)
    share = (np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[edge]
    x = x_m[tail[edge]] + share * (x_m[head[edge]] - x_m[tail[edge]])
    y = y_m[tail[edge]] + share * (y_m[head[edge]] - y_m[tail[edge]])
    row = np.clip(((y - SOUTH_M) / dry.cell_m).astype(np.int64), 0, dry.land.shape[0] - 1)
    column = np.clip(((x - WEST_M) / dry.cell_m).astype(np.int64), 0, dry.land.shape[1] - 1)
    wet: Metres = np.bincount(edge, ~dry.land[row, column], minlength=len(tail)) / count * length_m
    return wet


def _proximity(x_m: Metres, y_m: Metres, reach: int, *, gabriel: bool) -> Indices:
    """Neighbours among the nearest ``reach`` points, int64 [E, 2], tail < head, in order.

    ``gabriel``: no third point in the circle of which the pair is a diameter; else the relative neighbourhood graph:
    no third point nearer to both than they are to each other. Coordinates in whole metres: the test is exact.
    """
    points = np.column_stack([x_m, y_m])
    near = cKDTree(points).query(points, k=min(reach + 1, len(points)), workers=-1)[1]
    beside = _beside(x_m.astype(np.int64), y_m.astype(np.int64), near.astype(np.int64), gabriel)
    one, rank = np.nonzero(beside)
    other = near[one, rank]
    keys = np.unique(np.minimum(one, other) * len(points) + np.maximum(one, other))
    return np.column_stack([keys // len(points), keys % len(points)])


@njit(cache=True, nogil=True)
def _beside(x_m: Indices, y_m: Indices, near: Indices, gabriel: bool) -> Flags:
    beside = np.zeros(near.shape, np.bool_)
    for i in range(near.shape[0]):
        for rank in range(near.shape[1]):
            j = near[i, rank]
            if i == j:
                continue
            apart = (x_m[i] - x_m[j]) ** 2 + (y_m[i] - y_m[j]) ** 2
            free = True
            for third in range(near.shape[1]):
                k = near[i, third]
                if k in (i, j):
                    continue
                to_i = (x_m[i] - x_m[k]) ** 2 + (y_m[i] - y_m[k]) ** 2
                to_j = (x_m[j] - x_m[k]) ** 2 + (y_m[j] - y_m[k]) ** 2
                if (gabriel and to_i + to_j < apart) or (not gabriel and max(to_i, to_j) < apart):
                    free = False
                    break
            beside[i, rank] = free
    return beside
