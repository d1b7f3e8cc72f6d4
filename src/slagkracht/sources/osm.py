"""Roads and fire stations from OpenStreetMap: PBF, XML or the ways of a GeoJSON export."""

from __future__ import annotations

import json
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import osmium
import osmium.filter
import osmium.osm
import polars as pl

from slagkracht.roads import Roads
from slagkracht.sources.geometry import WGS84, local_crs, transform, what_is_wrong
from slagkracht.sources.osm_tags import ROAD_CLASSES, Way, read_way
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError, say_unreadable
from slagkracht.sources.ways import Ways, build_network

Degrees = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Progress = Callable[[str, int], None]
"""Called now and then with what is being read and how many objects were seen."""

HIGHEST_ID = 1 << 36  # OpenStreetMap counts some 2^34 points; osmium keeps one bit for each possible one
STEP = 100_000
WHOLE_FILE = "een volledig OSM-bestand (.osm.pbf, .osm of .osm.gz); haal het opnieuw op"


class _Collector:
    """Ways as they come in, in columns that grow."""

    def __init__(self) -> None:
        self.first = array("q", [0])
        self.refs = array("q")
        self.road_class = array("q")
        self.direction = array("q")
        self.forward = array("d")
        self.backward = array("d")
        self.duration = array("d")
        self.left_out: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()

    def add(self, tags: Mapping[str, str], refs: Iterable[int]) -> None:
        """A way: what its tags mean and the points that it runs over."""
        way = read_way(tags)
        if not isinstance(way, Way):
            self.left_out[way] += 1
            return
        self.refs.extend(refs)
        self.first.append(len(self.refs))
        self.road_class.append(ROAD_CLASSES.index(way.road_class))
        self.direction.append(way.direction)
        self.forward.append(way.forward_kmh)
        self.backward.append(way.backward_kmh)
        self.duration.append(way.duration_s)
        self.assumed.update(way.assumed)

    def ways(self, point: Integers, lon: Degrees, lat: Degrees) -> Ways:
        return Ways(
            first=np.array(self.first, np.int64),
            point=point,
            road_class=np.array(self.road_class, np.int64),
            direction=np.array(self.direction, np.int64),
            forward_kmh=np.array(self.forward, np.float64),
            backward_kmh=np.array(self.backward, np.float64),
            duration_s=np.array(self.duration, np.float64),
            lon=lon,
            lat=lat,
        )


def read_osm_roads(
    path: Path, *, crs: str | None = None, longest_arc_m: float = 500.0, progress: Progress | None = None
) -> tuple[Roads, ReadSummary]:
    """The roads of an OSM extract that emergency vehicles may drive, as a network of junctions and arcs.

    ``crs`` is the metric reference system of the nodes; None takes RD New for an extract in the Netherlands and
    elsewhere the UTM zone of the data. Along a road a node stands at least about every ``longest_arc_m`` metres.
    Turn restrictions and barriers are counted in the summary and not used. Raises RefusalError when the file is no
    OSM file, is cut off anywhere, or holds no drivable road; nothing of it is used then.
    """
    collected, seen = _Collector(), set[int]()
    for way in _objects(path, osmium.osm.WAY, ("highway", "route"), progress, "wegen"):
        if not way.visible:
            collected.left_out["verwijderde weg"] += 1
        elif way.id in seen:
            collected.left_out["dubbele weg (zelfde id, de eerste telt)"] += 1
        else:
            seen.add(way.id)
            collected.add(_tags(path, way), [node.ref for node in way.nodes])
    _count_restrictions(path, collected.left_out)
    refs = np.array(collected.refs, np.int64)
    wanted = np.unique(refs[(refs > 0) & (refs < HIGHEST_ID)])
    lon, lat, barriers = _locate(path, wanted, progress)
    if barriers:
        collected.assumed["paal, hek of slagboom, als te openen gelezen"] = barriers
    point = _rows(wanted, refs)
    if len(lon):
        point[(point >= 0) & np.isnan(lon[point])] = -1
    return _finish(path, collected, point, lon, lat, crs, longest_arc_m)


def read_geojson_roads(
    path: Path, *, crs: str | None = None, longest_arc_m: float = 500.0
) -> tuple[Roads, ReadSummary]:
    """The same network from OSM ways in a GeoJSON export (Overpass): ways meet where their coordinates are equal.

    Raises RefusalError: no GeoJSON, a coordinate that is none, swapped lon and lat, no drivable road.
    """
    collected, findings = _Collector(), []
    places: dict[tuple[float, float], int] = {}
    for number, (tags, lines) in enumerate(_features(path), start=1):
        for line in lines:
            wrong = next((w for w in map(_wrong_coordinate, line) if w), "")
            if wrong:
                findings.append(Finding(path.name, number, "geometry", wrong, "graden WGS84: lengte, dan breedte"))
            else:
                pairs = [(round(float(c[0]), 7), round(float(c[1]), 7)) for c in line]
                collected.add(tags, [places.setdefault(pair, len(places)) for pair in pairs])
    if findings:
        raise RefusalError(findings)
    place = np.array(list(places), np.float64).reshape(-1, 2)
    lon, lat = place[:, 0].copy(), place[:, 1].copy()
    if len(lon) and "verwisseld" in what_is_wrong(float(np.median(lon)), float(np.median(lat))):
        wrong = f"{lon[0]:g}, {lat[0]:g}"
        raise RefusalError([Finding(path.name, 0, "geometry", wrong, what_is_wrong(float(lon[0]), float(lat[0])))])
    return _finish(path, collected, np.array(collected.refs, np.int64), lon, lat, crs, longest_arc_m)


def read_osm_stations(path: Path, *, crs: str | None = None) -> tuple[pl.DataFrame, ReadSummary]:
    """Every ``amenity=fire_station``: station_id, name, lon, lat, x_m, y_m, in the order of the file.

    A station drawn as a way or a relation stands at the centre of its bounding box. ``crs`` as in ``read_osm_roads``.
    Raises RefusalError as ``read_osm_roads`` does; an extract without stations gives an empty table.
    """
    stations: list[tuple[str, str, list[int]]] = []
    members: dict[int, list[int]] = {}
    for thing in _objects(path, osmium.osm.ALL, ("amenity",), None, ""):
        tags = _tags(path, thing)
        if tags["amenity"] != "fire_station" or not thing.visible:
            continue
        station_id, name = f"{thing.type_str()}{thing.id}", tags.get("name", "")
        if thing.is_node():
            stations.append((station_id, name, [thing.id]))
        elif thing.is_way():
            stations.append((station_id, name, [node.ref for node in thing.nodes]))
        elif thing.is_relation():
            refs = [m.ref for m in thing.members if m.type == "n"]
            stations.append((station_id, name, refs))
            for member in thing.members:
                if member.type == "w":
                    members.setdefault(member.ref, []).append(len(stations) - 1)
    if members:
        for way in _objects(path, osmium.osm.WAY, (), None, ""):
            for row in members.get(way.id, ()):
                stations[row][2].extend(node.ref for node in way.nodes)
    ids = np.array(sorted({ref for _, _, refs in stations for ref in refs if 0 < ref < HIGHEST_ID}), np.int64)
    lon, lat, _ = _locate(path, ids, None)
    rows, left_out = [], Counter[str]()
    for station_id, name, refs in stations:
        at = _rows(ids, np.array(refs, np.int64))
        at = at[at >= 0]
        at = at[~np.isnan(lon[at])]
        if len(at):
            rows.append((station_id, name, _middle(lon[at]), _middle(lat[at])))
        else:
            left_out["kazerne zonder plaats in dit bestand"] += 1
    table = pl.DataFrame(rows, schema=["station_id", "name", "lon", "lat"], orient="row") if rows else _NO_STATIONS
    east, north = table["lon"].to_numpy(), table["lat"].to_numpy()
    x_m, y_m = transform(east, north, WGS84, crs or local_crs(east, north)) if rows else (east, north)
    table = table.with_columns(pl.Series("x_m", x_m), pl.Series("y_m", y_m))
    return table, ReadSummary(path.name, len(rows), dict(left_out))


_NO_STATIONS = pl.DataFrame(schema={"station_id": pl.String, "name": pl.String, "lon": pl.Float64, "lat": pl.Float64})


def _middle(values: Degrees) -> float:
    return float((values.min() + values.max()) / 2)


def _finish(
    path: Path,
    collected: _Collector,
    point: Integers,
    lon: Degrees,
    lat: Degrees,
    crs: str | None,
    longest_arc_m: float,
) -> tuple[Roads, ReadSummary]:
    roads = build_network(
        collected.ways(point, lon, lat),
        crs=crs,
        longest_arc_m=longest_arc_m,
        source=f"OpenStreetMap, {path.name}",
        left_out=collected.left_out,
    )
    if roads is None:
        raise RefusalError([Finding(path.name, 0, "", "geen enkele weg om over te rijden", WHOLE_FILE)])
    summary = ReadSummary(path.name, len(collected.road_class), dict(collected.left_out), dict(collected.assumed))
    return roads, summary


def _tags(path: Path, thing: Any) -> dict[str, str]:
    """The tags of an object. Raises RefusalError when they are no UTF-8."""
    try:
        return {tag.k: tag.v for tag in thing.tags}
    except UnicodeDecodeError as error:
        found = f"geen UTF-8 in {thing.type_str()}{thing.id}"
        raise RefusalError([Finding(path.name, 0, "", found, WHOLE_FILE)]) from error


def _objects(
    path: Path, kind: Any, keys: tuple[str, ...], progress: Progress | None, what: str, ids: Integers | None = None
) -> Iterator[Any]:
    """The objects of a file of one kind, with one of ``keys`` as a tag, or with one of ``ids``."""
    try:
        reader = osmium.FileProcessor(str(path), kind)
        if keys:
            reader = reader.with_filter(osmium.filter.KeyFilter(*keys))
        if ids is not None:
            reader = reader.with_filter(osmium.filter.IdFilter(ids.tolist()))
        for count, thing in enumerate(reader, start=1):
            if progress and count % STEP == 0:
                progress(what, count)
            yield thing
    except Exception as error:  # whatever osmium makes of a broken file: it raises a dozen kinds
        found = "een bestand dat halverwege ophoudt" if "EOF" in str(error) else say_unreadable(path)
        raise RefusalError([Finding(path.name, 0, "", found, WHOLE_FILE)]) from error


def _count_restrictions(path: Path, left_out: Counter[str]) -> None:
    """Turn restrictions, each by its own name; those that except emergency vehicles do not bind them."""
    for relation in _objects(path, osmium.osm.RELATION, ("restriction",), None, ""):
        tags = _tags(path, relation)
        if "emergency" not in tags.get("except", "").split(";"):
            left_out[f"afslagverbod ({tags['restriction']})"] += 1


def _locate(path: Path, ids: Integers, progress: Progress | None) -> tuple[Degrees, Degrees, int]:
    """Where the nodes ``ids`` (ascending) lie, nan where the file does not say, and how many of them are barriers."""
    lon, lat, barriers = np.full(len(ids), np.nan), np.full(len(ids), np.nan), 0
    if not len(ids):
        return lon, lat, 0
    found, east, north = array("q"), array("d"), array("d")
    for node in _objects(path, osmium.osm.NODE, (), progress, "punten", ids):
        place = node.location
        if place.valid():
            found.append(node.id)
            east.append(place.lon)
            north.append(place.lat)
            barriers += "barrier" in node.tags
    row = _rows(ids, np.array(found, np.int64))
    lon[row], lat[row] = np.array(east), np.array(north)
    return lon, lat, barriers


def _rows(ids: Integers, wanted: Integers) -> Integers:
    """The row of each wanted id in ascending ``ids``, -1 where it is not there."""
    if not len(ids):
        return np.full(len(wanted), -1, np.int64)
    row = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[row] == wanted, row, -1)


def _features(path: Path) -> Iterator[tuple[dict[str, str], list[list[Any]]]]:
    """Tags and lines of every way in a GeoJSON; points are no ways, and a polygon is the line around it."""
    try:
        document = json.loads(path.read_bytes())
        features = document["features"]
        for feature in features:
            geometry, tags = feature["geometry"] or {}, feature["properties"] or {}
            drawn: Any = geometry.get("coordinates")
            lines: Any = {"LineString": [drawn], "MultiLineString": drawn, "Polygon": drawn}.get(
                str(geometry.get("type"))
            )
            yield {str(k): str(v) for k, v in tags.items()}, [list(line) for line in lines or []]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        expected = "een GeoJSON FeatureCollection van lijnen"
        raise RefusalError([Finding(path.name, 0, "", say_unreadable(path), expected)]) from error


def _wrong_coordinate(pair: Any) -> str:
    """What was found where a coordinate should stand; "" when it is one."""
    if not isinstance(pair, list) or len(pair) < 2:
        return str(pair) or "niets"
    try:
        lon, lat = float(pair[0]), float(pair[1])
    except (TypeError, ValueError, OverflowError):
        return str(pair)
    return "" if math.isfinite(lon) and abs(lon) <= 180 and abs(lat) <= 90 else f"{lon:g}, {lat:g}"
