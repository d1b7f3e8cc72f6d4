"""The road network and how fast a unit may drive on it: topology once, speeds as often as the day asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float32]
Metres = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

CLOSED = np.float32(np.inf)
"""The seconds of an arc that nobody may drive."""

DOORLESS = frozenset({"motorway", "motorway_link", "ferry"})
"""Road classes along which no drive begins or ends: a motorway has no front doors and a ferry floats."""


@dataclass(frozen=True, eq=False)
class Roads:
    """A directed road network in forward-star form.

    ``x_m``, ``y_m`` float64 [N] nodes in RD New · ``first_arc`` int32 [N+1] · ``head`` int32 [M] node an arc leads
    to (arcs of node n are ``first_arc[n]:first_arc[n+1]``) · ``length_m`` float32 [M] · ``road_class`` int32 [M]
    index into ``road_classes`` · ``maxspeed_kmh`` float32 [M] (nan = not known) · ``kind`` how the network was
    made: "wegennet" (surveyed: OSM, NWB), "gemodelleerd", or "voorbeeld" · ``source`` one line for the receipt.
    """

    x_m: Metres
    y_m: Metres
    first_arc: Indices
    head: Indices
    length_m: Floats
    road_class: Indices
    road_classes: tuple[str, ...]
    maxspeed_kmh: Floats
    kind: str
    source: str

    def __len__(self) -> int:
        return len(self.x_m)


@dataclass(frozen=True, eq=False)
class Access:
    """The nodes where a drive may begin or end: ``node`` int32 [D] and a search tree over their places."""

    node: Indices
    tree: KDTree


def build_roads(
    x_m: npt.ArrayLike,
    y_m: npt.ArrayLike,
    tail: npt.ArrayLike,
    head: npt.ArrayLike,
    length_m: npt.ArrayLike,
    road_class: npt.ArrayLike,
    road_classes: tuple[str, ...],
    maxspeed_kmh: npt.ArrayLike | None,
    kind: str,
    source: str,
) -> Roads:
    """A network from loose arcs, ``tail[m]`` to ``head[m]``, one way each.

    Nodes are renumbered along a Hilbert curve, so that near roads lie near in memory: node ``order[i]`` as given
    becomes node ``i``, with ``order = hilbert_order(x_m, y_m)``. Arcs from a node to itself are dropped; parallel
    arcs stay. Raises ValueError naming the first arc or node that cannot be.
    """
    x, y = np.asarray(x_m, np.float64), np.asarray(y_m, np.float64)
    tails, heads = np.asarray(tail, np.int64), np.asarray(head, np.int64)
    length, classes = np.asarray(length_m, np.float32), np.asarray(road_class, np.int32)
    maxspeed = np.full(len(tails), np.nan, np.float32) if maxspeed_kmh is None else np.asarray(maxspeed_kmh, np.float32)
    _refuse("knooppunt", ~(np.isfinite(x) & np.isfinite(y)), "heeft geen coördinaten", source)
    for end in (tails, heads):
        _refuse("wegvak", (end < 0) | (end >= len(x)), f"loopt naar een knooppunt buiten 0–{len(x) - 1}", source)
    _refuse("wegvak", ~(length >= 0) | np.isinf(length), "heeft geen lengte van 0 meter of meer", source)
    _refuse("wegvak", (classes < 0) | (classes >= len(road_classes)), "heeft een onbekende wegklasse", source)

    order = hilbert_order(x, y)
    place = np.empty(len(x), np.int64)
    place[order] = np.arange(len(x))
    tails, heads = place[tails], place[heads]
    by_tail = np.lexsort((heads, tails))
    by_tail = by_tail[tails[by_tail] != heads[by_tail]]
    first_arc = np.zeros(len(x) + 1, np.int32)
    np.cumsum(np.bincount(tails[by_tail], minlength=len(x)), out=first_arc[1:])
    return Roads(
        x_m=x[order],
        y_m=y[order],
        first_arc=first_arc,
        head=heads[by_tail].astype(np.int32),
        length_m=length[by_tail],
        road_class=classes[by_tail],
        road_classes=tuple(road_classes),
        maxspeed_kmh=maxspeed[by_tail],
        kind=kind,
        source=source,
    )


def hilbert_order(x_m: npt.ArrayLike, y_m: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Points along a Hilbert curve through their bounding square: int64 [N], the same for the same points."""
    x, y = np.asarray(x_m, np.float64), np.asarray(y_m, np.float64)
    if not len(x):
        return np.empty(0, np.int64)
    side = max(np.ptp(x), np.ptp(y), 1.0)
    column = ((x - x.min()) / side * 65535).astype(np.int64)
    row = ((y - y.min()) / side * 65535).astype(np.int64)
    along = np.zeros(len(x), np.int64)
    for bit in 1 << np.arange(15, -1, -1):
        right, upper = (column & bit) > 0, (row & bit) > 0
        along += int(bit) * int(bit) * ((3 * right) ^ upper)
        flip = right & ~upper
        column, row = np.where(flip, 65535 - column, column), np.where(flip, 65535 - row, row)
        column, row = np.where(upper, column, row), np.where(upper, row, column)
    return np.argsort(along, kind="stable")


def arc_tails(roads: Roads) -> Indices:
    """The node that each arc leaves: int32 [M]."""
    return np.repeat(np.arange(len(roads), dtype=np.int32), np.diff(roads.first_arc))


def compute_pieces(roads: Roads) -> Indices:
    """The piece that each node belongs to, int32 [N]: within a piece every node is reached from every other."""
    arcs = csr_array((np.ones(len(roads.head), np.int8), roads.head, roads.first_arc), (len(roads), len(roads)))
    pieces: Indices = connected_components(arcs, connection="strong")[1].astype(np.int32)
    return pieces


def compute_access(roads: Roads, min_piece: int = 50) -> Access:
    """The nodes where a drive may begin or end.

    A node counts when a road with front doors passes it (DOORLESS) and when its piece (compute_pieces) has at least
    ``min_piece`` nodes, or is the largest there is: car parks, fragments and roads cut off by the edge of an extract
    are passed over, while an island keeps its own roads and stays unreachable without a ferry link.
    """
    doors = np.array([name not in DOORLESS for name in roads.road_classes], bool)[roads.road_class]
    if not doors.any():
        doors[:] = True
    passed = np.zeros(len(roads), bool)
    passed[roads.head[doors]] = True
    passed[arc_tails(roads)[doors]] = True
    piece = compute_pieces(roads)
    size = np.bincount(piece)[piece]
    node = np.flatnonzero(passed & (size >= min(min_piece, size[passed].max(initial=0)))).astype(np.int32)
    return Access(node, KDTree(np.column_stack([roads.x_m[node], roads.y_m[node]]), balanced_tree=False))


def nearest_nodes(
    roads: Roads, x_m: npt.ArrayLike, y_m: npt.ArrayLike, access: Access | None = None, max_snap_m: float = 5_000.0
) -> tuple[Indices, Floats]:
    """The node where a drive to or from each point begins or ends: int32 [P], and how far off it lies: metres [P].

    Give ``access`` (compute_access) to spare its making. A point further than ``max_snap_m`` from every road gets
    node -1 (unreachable) and its true distance.
    """
    access = access or compute_access(roads)
    points = np.column_stack([np.atleast_1d(np.asarray(x_m, np.float64)), np.atleast_1d(np.asarray(y_m, np.float64))])
    if not len(access.node):
        return np.full(len(points), -1, np.int32), np.full(len(points), np.inf, np.float32)
    snap_m, found = access.tree.query(points, workers=-1)
    return np.where(snap_m <= max_snap_m, access.node[found], -1).astype(np.int32), snap_m.astype(np.float32)


def compute_arc_seconds(roads: Roads, profile: Mapping[str, Any], unit_kind: str = "") -> Floats:
    """Seconds that a unit drives over each arc: float32 [M], CLOSED where the profile gives a class no speed.

    ``profile`` holds the values of a rule of kind "rijprofiel":

    * ``snelheid_kmh`` per road class: the speed where no maximum speed is known; 0 closes the class. A class that is
      not named takes ``snelheid_kmh.overig``.
    * ``factor_maximum`` per road class (else ``overig``): where a maximum speed is known, the unit drives that factor
      times it, at most ``plafond_kmh``.
    * ``kruispunt_s`` per road class (else ``overig``): lost at the junction (three neighbours or more) an arc ends at.
    * ``wachttijd_s`` per road class: waited once on entering it from another class (a ferry, a movable bridge).
    * ``eenheid`` per unit kind: factor on the speed; a kind that is not named drives at the profile's own speed.

    A ferry keeps its own speed: neither the unit nor the siren hurries it. Raises KeyError naming what a profile lacks.
    """
    speed = _per_class(roads, profile, "snelheid_kmh")
    factor = _per_class(roads, profile, "factor_maximum")
    afloat = np.array([name == "ferry" for name in roads.road_classes], bool)[roads.road_class]
    ceiling, hurry = float(profile["plafond_kmh"]), float(profile.get("eenheid", {}).get(unit_kind, 1.0))

    known = np.isfinite(roads.maxspeed_kmh) & (roads.maxspeed_kmh > 0)
    kmh = np.where(known & (speed > 0), np.where(afloat, 1.0, factor) * roads.maxspeed_kmh, speed)
    kmh = np.where(afloat, np.where(speed > 0, kmh, 0), np.minimum(kmh, ceiling) * hurry)
    seconds = np.full(len(roads.head), CLOSED, np.float32)
    np.divide(roads.length_m * np.float32(3.6), kmh, out=seconds, where=kmh > 0, casting="same_kind")
    seconds += np.where(_junctions(roads)[roads.head], _per_class(roads, profile, "kruispunt_s"), 0).astype(np.float32)

    waits: Mapping[str, float] = profile.get("wachttijd_s", {})
    tails = arc_tails(roads)
    for number, name in enumerate(roads.road_classes):
        if name in waits:
            of_class = roads.road_class == number
            ashore = np.zeros(len(roads), bool)
            ashore[roads.head[~of_class]] = True
            seconds[of_class & ashore[tails]] += np.float32(waits[name])
    return seconds


def apply_edits(roads: Roads, arc_s: npt.NDArray[np.floating[Any]], edits: Iterable[Mapping[str, Any]]) -> Floats:
    """Arc seconds after a scenario's edits, in order: snow, a closed bridge, a blocked motorway. float32 [M].

    An edit holds ``factor`` on the seconds or ``dicht = true``, for the arcs that meet all it names: ``klassen`` (road
    classes) and ``gebied`` (RD metres: ``[x_min, y_min, x_max, y_max]`` or a ring of ``[x, y]``), which an arc meets
    when it touches it. An edit that names neither holds everywhere. Raises ValueError for an edit that says nothing,
    or names a class that this network does not have.
    """
    seconds = np.array(arc_s, np.float32)
    for number, edit in enumerate(edits, 1):
        strangers = set(edit.get("klassen", ())) - set(roads.road_classes)
        if strangers:
            raise ValueError(
                f"wegbewerking {number}: wegklasse {', '.join(sorted(strangers))} komt in dit wegennet niet voor; "
                f"kies uit {', '.join(roads.road_classes)}"
            )
        if not edit.get("dicht") and not float(edit.get("factor", 0)) > 0:
            raise ValueError(f"wegbewerking {number}: geef een factor groter dan 0, of dicht = true")
        met = np.ones(len(seconds), bool)
        if "klassen" in edit:
            met &= np.array([name in edit["klassen"] for name in roads.road_classes], bool)[roads.road_class]
        if "gebied" in edit:
            met &= _touches(roads, edit["gebied"])
        seconds[met] = CLOSED if edit.get("dicht") else seconds[met] * np.float32(edit["factor"])
    return seconds


def _refuse(noun: str, wrong: npt.NDArray[np.bool_], what: str, source: str) -> None:
    if wrong.any():
        raise ValueError(f"{source}: {noun} {int(np.argmax(wrong))} {what} ({int(wrong.sum())} keer); herstel de bron")


def _per_class(roads: Roads, profile: Mapping[str, Any], name: str) -> Floats:
    table: Mapping[str, float] = profile[name]
    values = [table[road] if road in table else table["overig"] for road in roads.road_classes]
    return np.array(values, np.float32)[roads.road_class]


def _junctions(roads: Roads) -> npt.NDArray[np.bool_]:
    """Nodes with three neighbours or more, whichever way the arcs between them run: bool [N]."""
    tails, heads = arc_tails(roads).astype(np.int64), roads.head.astype(np.int64)
    pairs = np.unique(np.minimum(tails, heads) * len(roads) + np.maximum(tails, heads))
    neighbours = np.bincount(pairs // len(roads), minlength=len(roads))
    return (neighbours + np.bincount(pairs % len(roads), minlength=len(roads))) >= 3


def _touches(roads: Roads, place: Any) -> npt.NDArray[np.bool_]:
    """Arcs that touch a box or a ring, as straight lines between their nodes: bool [M]."""
    corners = np.asarray(place, np.float64)
    area = shapely.box(*corners) if corners.ndim == 1 else shapely.Polygon(corners)
    x_min, y_min, x_max, y_max = area.bounds
    tails = arc_tails(roads)
    ends_x, ends_y = roads.x_m[[tails, roads.head]], roads.y_m[[tails, roads.head]]
    near: npt.NDArray[np.bool_] = (
        (ends_x.max(0) >= x_min) & (ends_x.min(0) <= x_max) & (ends_y.max(0) >= y_min) & (ends_y.min(0) <= y_max)
    )
    lines = shapely.linestrings(np.stack([ends_x[:, near].T, ends_y[:, near].T], axis=-1))
    near[near] = shapely.intersects(area, lines)
    return near
