"""Modelled roads: where no road network is given, one is drawn from people, land and the motorways, and says so.

Every point is a front door with a junction beside it, and three layers of roads join the junctions. *Local* roads run
from each to its neighbours (a Delaunay mesh, whose detour hardly depends on how dense the points are); *main* roads
join the largest place of every few kilometres to the next; *motorways* follow a skeleton where one is given and are
entered by slip roads. Nothing leaves the land: a strait, an estuary or a border is crossed only by a fixed crossing or
a motorway, so an island without one stays unreachable.
"""

from __future__ import annotations

import csv
import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer
from scipy import ndimage
from scipy.spatial import Delaunay, QhullError, cKDTree

from slagkracht.roads import Roads, build_roads
from slagkracht.sources.refusal import Finding, RefusalError

Metres = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LOCAL = ("gemodelleerd_stedelijk", "gemodelleerd_dorps", "gemodelleerd_landelijk")
MAIN = ("gemodelleerd_hoofdweg_stedelijk", "gemodelleerd_hoofdweg_dorps", "gemodelleerd_hoofdweg_landelijk")
MOTORWAY, RAMP = "motorway", "motorway_link"
DOOR = "gemodelleerd_aansluiting"
ROAD_CLASSES = (*LOCAL, *MAIN, MOTORWAY, RAMP, DOOR)
"""From dense to sparse, local before main: the class of an arc is its layer plus its band of density."""

NOTE = (
    "Het wegennet is gemodelleerd: het volgt uit de ligging van gebieden en kazernes, water en het autosnelwegskelet. "
    "Rijtijden zijn bruikbaar voor het bereik van 20 minuten en meer; dat een norm van 5 tot 10 minuten gehaald wordt, "
    "bewijzen zij niet."
)
"""What every plan over modelled roads says of itself (``Plan.notes``)."""

BESIDE_M = 1.0
"""How far a junction lies beside its front door, so that the door is the nearest node to its own point."""

CELL_M = 250.0
"""Cell of the rasters for land and density: as fine as the simplified outlines of the country are true."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Stretches of road known by their ends, both directions: ``tail_*``, ``head_*`` RD New [S], ``length_m`` [S]."""

    tail_x_m: Metres
    tail_y_m: Metres
    head_x_m: Metres
    head_y_m: Metres
    length_m: Metres


def read_skeleton(path: Path) -> Lines:
    """The motorway skeleton in a GraphML file with ``position_x``, ``position_y`` (WGS84) and ``distance`` (km).

    Raises RefusalError when the file is not GraphML, or an edge has no known end or no positive length.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise RefusalError([Finding(path.name, 0, "", str(error), "een volledig GraphML-bestand")]) from error
    space = "{http://graphml.graphdrawing.org/xmlns}"
    names = {key.get("id"): key.get("attr.name") for key in root.iter(space + "key")}

    def values(element: ElementTree.Element) -> dict[str | None, str]:
        return {names.get(data.get("key")): (data.text or "").strip() for data in element.iter(space + "data")}

    findings: list[Finding] = []
    place: dict[str | None, tuple[float, float]] = {}
    for node in root.iter(space + "node"):
        value = values(node)
        try:
            place[node.get("id")] = (float(value["position_x"]), float(value["position_y"]))
        except (KeyError, ValueError):
            findings.append(Finding(path.name, 0, "position_x, position_y", str(value), "twee getallen (WGS84)"))
    rows: dict[tuple[str, ...], tuple[float, ...]] = {}
    for edge in root.iter(space + "edge"):
        tail, head = edge.get("source", ""), edge.get("target", "")
        length = values(edge).get("distance", "")
        try:
            kilometres = float(length)
            if not kilometres > 0:
                raise ValueError
            rows.setdefault(tuple(sorted((tail, head))), (*place[tail], *place[head], kilometres * 1000.0))
        except (KeyError, ValueError):
            findings.append(
                Finding(path.name, 0, "edge", f"{tail} → {head}, {length} km", "twee bekende knopen en een lengte > 0")
            )
    if not rows and not findings:
        findings.append(Finding(path.name, 0, "", "geen wegvakken", "ten minste één edge met distance"))
    if findings:
        raise RefusalError(findings)
    return _lines_from_wgs84(np.array(list(rows.values())))


def read_crossings() -> Lines:
    """The country's fixed crossings of wide water (dams, bridges, tunnels) that outlines alone would not show."""
    table = resources.files("slagkracht").joinpath("nl", "facts", "vaste_oeververbindingen.csv")
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    ends = np.array([[float(row[name]) for name in ("lon_1", "lat_1", "lon_2", "lat_2")] for row in rows])
    return _lines_from_wgs84(np.column_stack([ends, np.full(len(ends), np.nan)]))


def _lines_from_wgs84(rows: Floats) -> Lines:
    to_rd = Transformer.from_crs("EPSG:4326", "EPSG:28992", always_xy=True)
    tail_x, tail_y = to_rd.transform(rows[:, 0], rows[:, 1])
    head_x, head_y = to_rd.transform(rows[:, 2], rows[:, 3])
    crow = np.hypot(head_x - tail_x, head_y - tail_y)
    return Lines(tail_x, tail_y, head_x, head_y, np.where(np.isnan(rows[:, 4]), crow, rows[:, 4]))


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
    skeleton: Lines | None = None,
    crossings: Lines | None = None,
) -> Roads:
    """A road network through the points, kind "gemodelleerd": every point is a node where drives begin and end.

    ``point_x_m``, ``point_y_m`` [P] RD New: the areas and the stations together · ``weight`` [P] inhabitants (0 for a
    station) · ``network`` the table ``netwerk`` of the rule "rijprofiel-gemodelleerd" · ``land`` polygons in RD New
    outside which no road runs (None = land everywhere) · ``skeleton`` motorways from ``read_skeleton`` ·
    ``crossings`` from ``read_crossings``. Speeds are not in the network: they are the profile's, per road class.
    """
    door_x_m, door_y_m, weight = (np.asarray(v, np.float64) for v in (point_x_m, point_y_m, weight))
    x_m, y_m = door_x_m + BESIDE_M, door_y_m
    if crossings is not None:
        x_m = np.concatenate([x_m, crossings.tail_x_m, crossings.head_x_m])
        y_m = np.concatenate([y_m, crossings.tail_y_m, crossings.head_y_m])
        weight = np.concatenate([weight, np.zeros(2 * len(crossings.length_m))])
    terrain = compute_terrain(x_m, y_m, weight, land, float(network["dichtheid_straal_m"]))
    detour = float(network["omwegfactor"])

    tails, heads, lengths, classes = [], [], [], []

    def lay(tail: Indices, head: Indices, length_m: Metres, road_class: Indices) -> None:
        tails.extend([tail, head])
        heads.extend([head, tail])
        lengths.extend([length_m, length_m])
        classes.extend([road_class, road_class])

    def lay_mesh(chosen: Indices, layer: tuple[str, ...]) -> None:
        tail, head = (chosen[side] for side in _mesh(x_m[chosen], y_m[chosen]))
        wet_m, density = _along(terrain, x_m, y_m, tail, head)
        dry = wet_m <= float(network["water_m"])
        tail, head, density = tail[dry], head[dry], density[dry]
        band = np.digitize(-density, [-float(edge) for edge in network["dichtheid_grenzen_per_km2"]])
        length_m = np.maximum(np.hypot(x_m[tail] - x_m[head], y_m[tail] - y_m[head]), 1.0) * detour
        lay(tail, head, length_m, ROAD_CLASSES.index(layer[0]) + band)

    lay_mesh(np.arange(len(x_m)), LOCAL)
    lay_mesh(_places(terrain, x_m, y_m, float(network["hoofdweg_afstand_m"])), MAIN)

    if crossings is not None:
        count = len(crossings.length_m)
        tail = np.arange(len(door_x_m), len(door_x_m) + count)
        lay(tail, tail + count, crossings.length_m * detour, np.full(count, ROAD_CLASSES.index(MAIN[2])))

    if skeleton is not None:
        local_x, local_y = x_m, y_m
        x_m, y_m, tail, head, length_m = _junctions(skeleton, float(network["oprit_afstand_m"]), x_m, y_m)
        lay(tail, head, length_m, np.full(len(tail), ROAD_CLASSES.index(MOTORWAY)))
        junction = np.arange(len(local_x), len(x_m))
        near_m, near = cKDTree(np.column_stack([local_x, local_y])).query(
            np.column_stack([x_m[junction], y_m[junction]]), k=min(int(network["opritten"]), len(local_x))
        )
        near_m, near = near_m.reshape(len(junction), -1), near.reshape(len(junction), -1)
        ramp, choice = np.nonzero(near_m <= float(network["oprit_bereik_m"]))
        tail, head, length_m = junction[ramp], near[ramp, choice], near_m[ramp, choice]
        dry = _along(terrain, x_m, y_m, tail, head)[0] <= float(network["water_m"])
        length_m = length_m[dry] * detour + float(network["oprit_m"])
        lay(tail[dry], head[dry], length_m, np.full(len(length_m), ROAD_CLASSES.index(RAMP)))

    door = np.arange(len(x_m), len(x_m) + len(door_x_m))
    lay(
        door,
        np.arange(len(door_x_m)),
        np.full(len(door_x_m), float(network["aansluiting_m"])),
        np.full(len(door_x_m), ROAD_CLASSES.index(DOOR)),
    )
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
        source=f"gemodelleerde wegen door {len(point_x_m)} punten, "
        + ("zonder autosnelwegskelet" if skeleton is None else "met autosnelwegskelet"),
    )


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


def _places(terrain: Terrain, x_m: Metres, y_m: Metres, spacing_m: float) -> Indices:
    """In every square of ``spacing_m`` that holds points, the one with most people round about."""
    column = ((x_m - terrain.x0_m) / CELL_M).astype(int)
    row = ((y_m - terrain.y0_m) / CELL_M).astype(int)
    square = (x_m // spacing_m) * 1_000_000 + y_m // spacing_m
    order = np.lexsort((np.arange(len(x_m)), -terrain.density_per_km2[row, column], square))
    _, first = np.unique(square[order], return_index=True)
    return np.sort(order[first])


def _junctions(
    skeleton: Lines, spacing_m: float, x_m: Metres, y_m: Metres
) -> tuple[Metres, Metres, Indices, Indices, Metres]:
    """The nodes with the skeleton's appended, a junction at every ``spacing_m`` of motorway, and its stretches."""
    ends = np.round(
        np.concatenate(
            [
                np.column_stack([skeleton.tail_x_m, skeleton.tail_y_m]),
                np.column_stack([skeleton.head_x_m, skeleton.head_y_m]),
            ]
        )
    )
    corners, index = np.unique(ends, axis=0, return_inverse=True)
    index = index.reshape(-1) + len(x_m)
    count = len(skeleton.length_m)
    nodes_x, nodes_y = [x_m, corners[:, 0]], [y_m, corners[:, 1]]
    free = len(x_m) + len(corners)
    chains = []
    for line in range(count):
        parts = max(1, round(skeleton.length_m[line] / spacing_m))
        share = np.arange(1, parts) / parts
        nodes_x.append(skeleton.tail_x_m[line] * (1 - share) + skeleton.head_x_m[line] * share)
        nodes_y.append(skeleton.tail_y_m[line] * (1 - share) + skeleton.head_y_m[line] * share)
        chain = [index[line], *range(free, free + parts - 1), index[count + line]]
        chains += [(a, b, skeleton.length_m[line] / parts) for a, b in itertools.pairwise(chain)]
        free += parts - 1
    tail, head, length_m = (np.array(side) for side in zip(*chains))
    return np.concatenate(nodes_x), np.concatenate(nodes_y), tail.astype(int), head.astype(int), length_m
