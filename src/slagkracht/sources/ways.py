"""From ways that share points to a network of junctions and arcs: small, and as long as the roads are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.roads import Roads, build_roads
from slagkracht.sources.geometry import WGS84, local_crs, step_lengths, transform
from slagkracht.sources.osm_tags import ROAD_CLASSES

Degrees = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways in the order read; way w runs over ``point[first[w]:first[w+1]]``.

    ``first`` int64 [W+1] · ``point`` int64 [P] row of ``lon`` and ``lat``, -1 where the place of a point is not known ·
    ``road_class`` int64 [W] index into ROAD_CLASSES · ``direction`` int64 [W] 1 along, -1 against, 0 both ·
    ``forward_kmh``, ``backward_kmh`` float64 [W] (nan = not known) · ``duration_s`` float64 [W] the crossing time of a
    ferry (nan = not known) · ``lon``, ``lat`` float64 [N] degrees WGS84.
    """

    first: Integers
    point: Integers
    road_class: Integers
    direction: Integers
    forward_kmh: Floats
    backward_kmh: Floats
    duration_s: Floats
    lon: Degrees
    lat: Degrees


def build_network(
    ways: Ways, *, crs: str | None, longest_arc_m: float, source: str, left_out: dict[str, int]
) -> Roads | None:
    """Junctions, ends and arcs of ``ways``; None when nothing of them can be driven.

    A point stays a node where ways meet or end, and along a road every ``longest_arc_m`` metres, so that a place beside
    a long road finds a node nearby. ``crs`` None takes RD New in the Netherlands and elsewhere the UTM zone of the
    data. Lengths are measured on the ellipsoid, so the choice of ``crs`` does not touch them.
    """
    point = ways.point
    if len(point) < 2:
        return None
    way = np.repeat(np.arange(len(ways.first) - 1), np.diff(ways.first))
    known = point >= 0
    step = np.zeros(len(point) - 1)
    joined = (way[1:] == way[:-1]) & known[1:] & known[:-1]
    both = np.flatnonzero(joined)
    step[both] = _measured(ways.lon, ways.lat, point[both], point[both + 1])
    lost = int(np.sum((way[1:] == way[:-1]) & ~(known[1:] & known[:-1])))
    if lost:
        left_out["wegstuk buiten het bestand (punt ontbreekt)"] = lost
    if not len(both):
        return None
    along = np.concatenate([[0.0], np.cumsum(step)])
    ferry = ways.road_class[way] == ROAD_CLASSES.index("ferry")

    start = np.concatenate([joined, [False]]) & ~np.concatenate([[False], joined])
    end = np.concatenate([[False], joined]) & ~np.concatenate([joined, [False]])
    on_road = np.concatenate([joined, [False]]) | np.concatenate([[False], joined])
    uses = np.bincount(point[on_road], minlength=len(ways.lon))
    junction = on_road & (uses[np.where(known, point, 0)] > 1)
    keep = start | end | junction
    keep |= on_road & ~ferry & _every(keep, along, longest_arc_m)
    keep |= _halfway_loops(np.flatnonzero(keep), start, point, len(keep))

    node = np.flatnonzero(keep)
    piece = ~start[node[1:]]  # from a kept point to the next one of the same run
    a, b = node[:-1][piece], node[1:][piece]
    length = along[b] - along[a]
    real = point[a] != point[b]
    if np.any(~real):
        left_out["wegstuk zonder lengte"] = int(np.sum(~real))
    a, b, length = a[real], b[real], length[real]
    if not len(a):
        return None
    used, index = np.unique(np.concatenate([point[a], point[b]]), return_inverse=True)
    tail, head = index[: len(a)], index[len(a) :]

    w = way[a]
    forward, backward = _ferry_speeds(ways, way, step)
    along_way, against_way = ways.direction[w] >= 0, ways.direction[w] <= 0
    lon, lat = ways.lon[used], ways.lat[used]
    x_m, y_m = transform(lon, lat, WGS84, crs or local_crs(lon, lat))
    return build_roads(
        x_m=x_m,
        y_m=y_m,
        tail=np.concatenate([tail[along_way], head[against_way]]).astype(np.int32),
        head=np.concatenate([head[along_way], tail[against_way]]).astype(np.int32),
        length_m=np.concatenate([length[along_way], length[against_way]]).astype(np.float32),
        road_class=np.concatenate([ways.road_class[w][along_way], ways.road_class[w][against_way]]).astype(np.int32),
        road_classes=ROAD_CLASSES,
        maxspeed_kmh=np.concatenate([forward[w][along_way], backward[w][against_way]]).astype(np.float32),
        kind="wegennet",
        source=source,
    )


def _measured(lon: Degrees, lat: Degrees, a: Integers, b: Integers) -> Floats:
    """Metres between points a[i] and b[i]: float64 [len(a)]."""
    pairs_lon = np.stack([lon[a], lon[b]], axis=1).ravel()
    pairs_lat = np.stack([lat[a], lat[b]], axis=1).ravel()
    return step_lengths(pairs_lon, pairs_lat)[::2]


def _every(keep: npt.NDArray[np.bool_], along: Floats, longest_m: float) -> npt.NDArray[np.bool_]:
    """Points where the distance since the last kept point passes a multiple of ``longest_m``."""
    last = np.maximum.accumulate(np.where(keep, np.arange(len(keep)), 0))
    times = np.floor((along - along[last]) / longest_m)
    passed = np.concatenate([[False], times[1:] > times[:-1]])
    return np.asarray(passed & ~keep, np.bool_)


def _halfway_loops(node: Integers, start: npt.NDArray[np.bool_], point: Integers, count: int) -> npt.NDArray[np.bool_]:
    """The middle point of every piece that ends where it began, so that a loop keeps its length."""
    keep = np.zeros(count, dtype=np.bool_)
    loop = (point[node[1:]] == point[node[:-1]]) & ~start[node[1:]] & (node[1:] - node[:-1] > 1)
    keep[(node[:-1][loop] + node[1:][loop]) // 2] = True
    return keep


def _ferry_speeds(ways: Ways, way: Integers, step: Floats) -> tuple[Floats, Floats]:
    """Speeds per way; a ferry sails its whole length in its crossing time."""
    same = way[1:] == way[:-1]
    length = np.bincount(way[1:][same], weights=step[same], minlength=len(ways.road_class))
    sailing = 3.6 * length / ways.duration_s
    given = np.isfinite(sailing) & (sailing > 0)
    return np.where(given, sailing, ways.forward_kmh), np.where(given, sailing, ways.backward_kmh)
