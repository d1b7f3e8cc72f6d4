"""How long every drive takes: from all origins to all areas, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.roads import Access, Roads, compute_access, nearest_nodes
from slagkracht.travel.hierarchy import Hierarchy, Shortcuts, compute_hierarchy, compute_shortcuts
from slagkracht.travel.search import HORIZON_S, NO_ROAD, Streets, backward, search, search_all, streets, whole_seconds
from slagkracht.travel.sweep import drives_to, gather, sweep_all

__all__ = [
    "HORIZON_S",
    "SNAP_KMH",
    "UNREACHABLE",
    "Hierarchy",
    "Shortcuts",
    "Streets",
    "Travel",
    "add_origin",
    "compute_drives_to",
    "compute_hierarchy",
    "compute_node_times",
    "compute_shortcuts",
    "compute_travel",
    "streets",
    "whole_seconds",
]

Floats = npt.NDArray[np.float32]
Metres = npt.NDArray[np.float64]
Seconds = npt.NDArray[np.uint16]
Progress = Callable[[int, int], None]

UNREACHABLE = np.uint16(65535)
"""No road leads there. Never a travel time: kernels skip it, tables show it as missing."""

SNAP_KMH = 30.0
"""Speed over the straight line between a place and the road network."""

WORTH_A_HIERARCHY = 200
"""From this many origins on, far-reaching drive times come sooner with a hierarchy, its making included."""


@dataclass(frozen=True, eq=False)
class Travel:
    """Drive times from every origin to every area.

    ``drive_s`` uint16 [A, O] whole seconds, area-major (row = an area, column = an origin), UNREACHABLE where no road
    leads · ``origin_x_m``, ``origin_y_m`` float64 [O] (in a plan: the stations, in their order) ·
    ``origin_snap_m`` float32 [O], ``area_snap_m`` float32 [A] distance to the road network (0 where a matrix was
    given) · ``kind`` "wegennet", "gemodelleerd", "matrix" or "voorbeeld" · ``spread`` standard deviation of
    ln(drive time), the error band that screens show (0 = taken as exact) · ``source`` one line for the receipt.
    """

    drive_s: Seconds
    origin_x_m: Metres
    origin_y_m: Metres
    origin_snap_m: Floats
    area_snap_m: Floats
    kind: str
    spread: float
    source: str


def compute_travel(
    roads: Roads,
    arc_s: npt.NDArray[Any],
    origin_x_m: npt.ArrayLike,
    origin_y_m: npt.ArrayLike,
    area_x_m: npt.ArrayLike,
    area_y_m: npt.ArrayLike,
    *,
    max_s: int = HORIZON_S,
    spread: float = 0.0,
    access: Access | None = None,
    shortcuts: Shortcuts | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> Travel:
    """Drive times from every origin to every area over the network, the ways to and from it at SNAP_KMH.

    ``arc_s`` [M] seconds per arc (compute_arc_seconds). A drive longer than ``max_s`` is UNREACHABLE.
    ``access`` (compute_access) and ``shortcuts`` (compute_shortcuts, of the same ``arc_s``) spare their making; without
    shortcuts each origin searches its own way, or, from WORTH_A_HIERARCHY origins on and beyond an hour's drive, they
    are made here. The times are the same. ``progress(done, total)`` counts origins.
    """
    access = access or compute_access(roads)
    origin_x, origin_y = np.asarray(origin_x_m, np.float64), np.asarray(origin_y_m, np.float64)
    origin_node, origin_snap_m = nearest_nodes(roads, origin_x, origin_y, access)
    area_node, area_snap_m = nearest_nodes(roads, area_x_m, area_y_m, access)
    origin_off_s, area_off_s = _off_road_s(origin_snap_m), _off_road_s(area_snap_m)
    drive_s = np.full((len(area_node), len(origin_node)), UNREACHABLE)

    graph = streets(roads, arc_s)
    if shortcuts is None and len(origin_node) >= WORTH_A_HIERARCHY and max_s > 3_600:
        shortcuts = compute_shortcuts(compute_hierarchy(graph), graph.weight)
    if shortcuts is not None:
        place = np.where(area_node >= 0, shortcuts.hierarchy.place[area_node], -1)

        def write(first: int, rows: Seconds) -> None:
            gather(rows, first, place, area_off_s, origin_off_s, max_s, drive_s)

        sweep_all(shortcuts, origin_node, write, threads, progress)
    else:

        def write_one(origin: int, distance: npt.NDArray[np.int32]) -> None:
            drive_s[:, origin] = _to_areas(distance, area_node, area_off_s + origin_off_s[origin], max_s)

        search_all(graph, origin_node, max_s, write_one, threads, progress)
    return Travel(drive_s, origin_x, origin_y, origin_snap_m, area_snap_m, roads.kind, spread, roads.source)


def compute_node_times(
    roads: Roads, arc_s: npt.NDArray[Any], source_nodes: npt.ArrayLike, max_s: int = HORIZON_S, threads: int = 2
) -> Seconds:
    """Drive times from each source node to every node: uint16 [K, N], UNREACHABLE beyond ``max_s``.

    K × N × 2 bytes: for a few sources, or ask for batches.
    """
    nodes = np.asarray(source_nodes, np.int32)
    times = np.full((len(nodes), len(roads)), UNREACHABLE)

    def keep(k: int, distance: npt.NDArray[np.int32]) -> None:
        np.copyto(times[k], distance, casting="unsafe", where=distance <= max_s)

    search_all(streets(roads, arc_s), nodes, max_s, keep, threads)
    return times


def compute_drives_to(
    roads: Roads,
    arc_s: npt.NDArray[Any],
    x_m: float,
    y_m: float,
    origin_x_m: npt.ArrayLike,
    origin_y_m: npt.ArrayLike,
    *,
    max_s: int = HORIZON_S,
    access: Access | None = None,
    shortcuts: Shortcuts | None = None,
) -> Seconds:
    """Drive times from every origin to one place, where an incident is: uint16 [O].

    One search backward from the place; with ``shortcuts`` and ``access`` at hand a few milliseconds for a country.
    """
    access = access or compute_access(roads)
    place, place_snap_m = nearest_nodes(roads, [x_m], [y_m], access)
    node, snap_m = nearest_nodes(roads, origin_x_m, origin_y_m, access)
    off_road_s = _off_road_s(snap_m) + _off_road_s(place_snap_m)[0]
    if place[0] < 0:
        return np.full(len(node), UNREACHABLE)
    if shortcuts is not None:
        return _to_areas(
            drives_to(shortcuts, node, int(place[0])), np.arange(len(node), dtype=np.int32), off_road_s, max_s
        )
    distance = search(backward(streets(roads, arc_s)), place, limit=max_s)[0]
    return _to_areas(distance, node, off_road_s, max_s)


def add_origin(
    travel: Travel,
    roads: Roads,
    arc_s: npt.NDArray[Any],
    x_m: float,
    y_m: float,
    area_x_m: npt.ArrayLike,
    area_y_m: npt.ArrayLike,
    *,
    max_s: int = HORIZON_S,
    access: Access | None = None,
    shortcuts: Shortcuts | None = None,
) -> Travel:
    """The same drive times with one more origin, as their last column: a station that a variant adds or moves."""
    one = compute_travel(
        roads, arc_s, [x_m], [y_m], area_x_m, area_y_m, max_s=max_s, access=access, shortcuts=shortcuts, threads=1
    )
    return replace(
        travel,
        drive_s=np.hstack([travel.drive_s, one.drive_s]),
        origin_x_m=np.append(travel.origin_x_m, one.origin_x_m),
        origin_y_m=np.append(travel.origin_y_m, one.origin_y_m),
        origin_snap_m=np.append(travel.origin_snap_m, one.origin_snap_m),
    )


def _off_road_s(snap_m: Floats) -> npt.NDArray[np.int32]:
    return np.rint(np.minimum(snap_m, 1e6) * (3.6 / SNAP_KMH)).astype(np.int32)


def _to_areas(
    distance: npt.NDArray[np.int32],
    node: npt.NDArray[np.int32],
    off_road_s: npt.NDArray[np.int32],
    max_s: int,
) -> Seconds:
    """Distances at ``node`` plus the way off the road: uint16, UNREACHABLE for node -1 and beyond ``max_s``."""
    at_node = np.where(node >= 0, distance[node], NO_ROAD).astype(np.int64) + off_road_s
    return np.where(at_node <= max_s, at_node, int(UNREACHABLE)).astype(np.uint16)
