"""Modelled roads: where no road network is given, one is drawn from people, land and the main roads, and says so.

Every point is a front door with a junction beside it. *Local* roads run from each junction to its neighbours (a
Delaunay mesh, whose detour hardly depends on how dense the points are); *regional* main roads are threaded into that
mesh; *motorways* and *expressways* are entered by slip roads. Local roads and slip roads keep to the land: a strait, an
estuary or a border is crossed only by a main road, so an island without one stays unreachable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage
from scipy.spatial import Delaunay, QhullError, cKDTree

from slagkracht.roads import Roads, build_roads
from slagkracht.sources.facts import MainRoad

Metres = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LOCAL = ("gemodelleerd_bebouwd", "gemodelleerd_landelijk")
"""Where people live, and elsewhere."""

MAIN = {"autosnelweg": "motorway", "autoweg": "trunk", "weg": "primary"}
"""The road class of each kind of main road."""

RAMP, DOOR = "motorway_link", "gemodelleerd_aansluiting"
ROAD_CLASSES = (*LOCAL, *MAIN.values(), RAMP, DOOR)

NOTE = (
    "Het wegennet is gemodelleerd: het volgt uit de ligging van gebieden en kazernes, water en de hoofdwegen in grote "
    "lijn. Rijtijden zijn bruikbaar voor het bereik van 20 minuten en meer; dat een norm van 5 tot 10 minuten gehaald "
    "wordt, bewijzen zij niet."
)
"""What every plan over modelled roads says of itself (``Plan.notes``)."""

BESIDE_M = 1.0
"""How far a junction lies beside its front door, so that the door is the nearest node to its own point."""

CELL_M = 250.0
"""Cell of the rasters for land and density: as fine as the simplified outlines of the country are true."""


@dataclass(frozen=True, eq=False)
class Terrain:
    """Rasters of ``CELL_M`` cells: is it ``land``, and how many people live round about (``density_per_km2``)."""

    x0_m: float
    y0_m: float
    land: Bools
    density_per_km2: Floats


def compute_terrain(
    x_m: Metres, y_m: Metres, weight: Floats, land: shapely.Geometry | None, kernel_m: float
) -> Terrain:
    """Land and density under all points; a point itself always counts as land, however coarse the outline."""
    margin = 4 * kernel_m
    x0, y0 = float(x_m.min()) - margin, float(y_m.min()) - margin
    shape = (int((y_m.max() + margin - y0) / CELL_M) + 1, int((x_m.max() + margin - x0) / CELL_M) + 1)
    column, row = ((x_m - x0) / CELL_M).astype(int), ((y_m - y0) / CELL_M).astype(int)
    people = np.zeros(shape)
    np.add.at(people, (row, column), weight)
    density = ndimage.gaussian_filter(people, kernel_m / CELL_M, mode="constant") * (1000.0 / CELL_M) ** 2
    if land is None:
        return Terrain(x0, y0, np.ones(shape, bool), density)
    shapely.prepare(land)
    centre_x, centre_y = np.meshgrid(
        x0 + (np.arange(shape[1]) + 0.5) * CELL_M, y0 + (np.arange(shape[0]) + 0.5) * CELL_M
    )
    dry = shapely.contains_xy(land, centre_x, centre_y)
    dry[row, column] = True
    return Terrain(x0, y0, dry, density)


def build_modelled_roads(
    point_x_m: Metres,
    point_y_m: Metres,
    weight: Floats,
    network: Mapping[str, Any],
    *,
    land: shapely.Geometry | None = None,
    main_roads: Sequence[MainRoad] = (),
) -> Roads:
    """A road network through the points, kind "gemodelleerd": every point is a node where drives begin and end.

    ``point_x_m``, ``point_y_m`` [P] RD New: the areas and the stations together · ``weight`` [P] inhabitants (0 for a
    station) · ``network`` the table ``netwerk`` of the rule "rijprofiel-gemodelleerd" · ``land`` polygons in RD New
    outside which no local road runs (None = land everywhere) · ``main_roads`` from ``facts.read_main_roads``. Speeds
    are not in the network: they are the profile's, per road class.
    """
    door_x_m, door_y_m, weight = (np.asarray(v, np.float64) for v in (point_x_m, point_y_m, weight))
    points = len(door_x_m)
    vertices = _lay_out(main_roads, float(network["hoofdweg_knoop_m"]))
    x_m = np.concatenate([door_x_m + BESIDE_M, vertices.x_m])
    y_m = np.concatenate([door_y_m, vertices.y_m])
    people = np.concatenate([weight, np.zeros(len(vertices.x_m))])
    terrain = compute_terrain(x_m, y_m, people, land, float(network["dichtheid_straal_m"]))
    detour = float(network["omwegfactor"])

    tails, heads, lengths, classes = [], [], [], []

    def lay(tail: Indices, head: Indices, length_m: Metres, road_class: Indices | int) -> None:
        tails.extend([tail, head])
        heads.extend([head, tail])
        lengths.extend([length_m, length_m])
        classes.extend([np.broadcast_to(road_class, tail.shape)] * 2)

    def lay_on_land(tail: Indices, head: Indices) -> tuple[Indices, Indices, Metres, Floats]:
        """The edges that stay on land, with their modelled length and density."""
        wet_m, density = _along(terrain, x_m, y_m, tail, head)
        dry = wet_m <= float(network["water_m"])
        tail, head = tail[dry], head[dry]
        length_m = np.maximum(np.hypot(x_m[tail] - x_m[head], y_m[tail] - y_m[head]), 1.0) * detour
        return tail, head, length_m, density[dry]

    # A fast road is apart from the local roads until a slip road joins it; any other road is among them.
    met = np.concatenate([np.ones(points, bool), ~vertices.fast])
    local = np.flatnonzero(met)
    tail, head, length_m, density = lay_on_land(*(local[side] for side in _mesh(x_m[local], y_m[local])))
    lay(tail, head, length_m, np.where(density >= float(network["bebouwd_per_km2"]), *map(ROAD_CLASSES.index, LOCAL)))

    stretch_m = vertices.length_m * float(network["hoofdweg_bocht"])
    lay(points + vertices.tail, points + vertices.head, stretch_m, vertices.road_class)

    fast = np.flatnonzero(~met)
    slip_roads = min(int(network["opritten"]), len(local))
    if len(fast) and slip_roads:
        near_m, near = cKDTree(np.column_stack([x_m[local], y_m[local]])).query(
            np.column_stack([x_m[fast], y_m[fast]]), k=np.arange(1, slip_roads + 1)
        )
        ramp, choice = np.nonzero(near_m <= float(network["oprit_bereik_m"]))
        tail, head, length_m, _ = lay_on_land(fast[ramp], local[near[ramp, choice]])
        lay(tail, head, length_m + float(network["oprit_m"]), ROAD_CLASSES.index(RAMP))

    door = len(x_m) + np.arange(points)
    lay(door, np.arange(points), np.full(points, float(network["aansluiting_m"])), ROAD_CLASSES.index(DOOR))
    return build_roads(
        np.concatenate([x_m, door_x_m]),
        np.concatenate([y_m, door_y_m]),
        np.concatenate(tails),
        np.concatenate(heads),
        np.concatenate(lengths),
        np.concatenate(classes),
        ROAD_CLASSES,
        None,
        kind="gemodelleerd",
        source=f"gemodelleerde wegen door {points} punten, {'met' if main_roads else 'zonder'} hoofdwegen",
    )


@dataclass(frozen=True, eq=False)
class _Vertices:
    """Main roads as nodes and stretches.

    ``x_m``, ``y_m`` [V] · ``fast`` [V] on a motorway or expressway · ``tail``, ``head`` [S] rows of these nodes ·
    ``length_m`` [S] as the crow flies · ``road_class`` [S].
    """

    x_m: Metres
    y_m: Metres
    fast: Bools
    tail: Indices
    head: Indices
    length_m: Metres
    road_class: Indices


def _lay_out(main_roads: Sequence[MainRoad], spacing_m: float) -> _Vertices:
    """The main roads cut at about every ``spacing_m``; where two share a vertex, they share a node."""
    row: dict[tuple[float, float], int] = {}
    fast: set[int] = set()
    stretches: list[tuple[int, int, float, int]] = []
    for road in main_roads:
        kind = ROAD_CLASSES.index(MAIN[road.kind])
        corners = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(road.x_m), np.diff(road.y_m)))])
        parts = np.maximum(np.round(np.diff(corners) / spacing_m), 1).astype(int)
        at = np.concatenate([[0.0], *(np.linspace(a, b, n + 1)[1:] for a, b, n in zip(corners, corners[1:], parts))])
        chain = []
        for place in zip(*(np.interp(at, corners, side).round(1) for side in (road.x_m, road.y_m))):
            node = row.setdefault(place, len(row))
            if road.kind != "weg":
                fast.add(node)
            chain.append(node)
        stretches += [(a, b, length, kind) for a, b, length in zip(chain, chain[1:], np.diff(at))]
    x_m, y_m = np.array(list(row), np.float64).reshape(-1, 2).T
    table = np.array(stretches, np.float64).reshape(-1, 4)
    tail, head, road_class = (table[:, column].astype(np.int64) for column in (0, 1, 3))
    return _Vertices(x_m, y_m, np.isin(np.arange(len(row)), list(fast)), tail, head, table[:, 2], road_class)


def _mesh(x_m: Metres, y_m: Metres) -> tuple[Indices, Indices]:
    """The edges of the Delaunay triangles, each once; points on one line (or fewer than three) are joined in a row."""
    points = np.column_stack([x_m, y_m])
    if len(points) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    try:
        triangles = Delaunay(points)
    except (QhullError, ValueError):
        order = np.lexsort((y_m, x_m))
        return order[:-1], order[1:]
    corners = triangles.simplices
    # A point that coincides with another is left out of the triangles: tie it to the one that it lies on.
    twins = triangles.coplanar[:, [0, 2]]
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]], twins])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int64)
    return pairs[:, 0], pairs[:, 1]


def _along(terrain: Terrain, x_m: Metres, y_m: Metres, tail: Indices, head: Indices) -> tuple[Metres, Floats]:
    """Per edge, the metres off the land and the density (geometric mean of 1 + density), by a sample every cell."""
    length_m = np.hypot(x_m[head] - x_m[tail], y_m[head] - y_m[tail])
    count = np.ceil(length_m / CELL_M).astype(int) + 1
    edge = np.repeat(np.arange(len(tail)), count)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    share = (step + 0.5) / count[edge]
    column = ((x_m[tail][edge] * (1 - share) + x_m[head][edge] * share - terrain.x0_m) / CELL_M).astype(int)
    row = ((y_m[tail][edge] * (1 - share) + y_m[head][edge] * share - terrain.y0_m) / CELL_M).astype(int)
    row, column = np.clip(row, 0, len(terrain.land) - 1), np.clip(column, 0, terrain.land.shape[1] - 1)
    wet = np.bincount(edge, ~terrain.land[row, column], len(tail)) / count
    crowd = np.bincount(edge, np.log1p(terrain.density_per_km2[row, column]), len(tail)) / count
    return wet * length_m, np.expm1(crowd)
