"""OpenStreetMap as read: a hand-drawn town, real extracts counted a second way, and files that are broken."""

from __future__ import annotations

import gzip
import json
import math
import xml.etree.ElementTree as ElementTree
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from slagkracht.roads import Roads
from slagkracht.sources.osm import read_geojson_roads, read_osm_roads, read_osm_stations
from slagkracht.sources.osm_tags import Way, read_direction, read_duration, read_maxspeed, read_way
from slagkracht.sources.refusal import RefusalError

REAL = Path(__file__).parents[2] / "shared" / "data" / "osm"
GEOD = Geod(ellps="WGS84")
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TOWN = """<?xml version='1.0' encoding='UTF-8'?><osm version="0.6">
<node id="1" lat="52.1000" lon="5.1000"/><node id="2" lat="52.1010" lon="5.1000"/>
<node id="3" lat="52.1020" lon="5.1000"/><node id="4" lat="52.1010" lon="5.1020"/>
<node id="5" lat="52.1010" lon="5.1040"><tag k="barrier" v="bollard"/></node>
<node id="6" lat="52.1000" lon="5.1040"/><node id="7" lat="52.0990" lon="5.1000"><tag k="amenity" v="fire_station"/>
<tag k="name" v="Kazerne Zuid"/></node>
<way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/><tag k="maxspeed" v="50"/></way>
<way id="11"><nd ref="2"/><nd ref="4"/><nd ref="5"/><tag k="highway" v="residential"/><tag k="oneway" v="-1"/></way>
<way id="12"><nd ref="5"/><nd ref="6"/><nd ref="99"/><tag k="highway" v="service"/><tag k="access" v="private"/></way>
<way id="13"><nd ref="1"/><nd ref="6"/><tag k="highway" v="footway"/></way>
<way id="14"><nd ref="3"/><nd ref="5"/><tag k="route" v="ferry"/><tag k="motor_vehicle" v="yes"/>
<tag k="duration" v="00:10"/></way>
<way id="15"><nd ref="1"/><nd ref="2"/><nd ref="4"/><nd ref="1"/><tag k="amenity" v="fire_station"/></way>
<relation id="20"><member type="way" ref="10" role="from"/><member type="node" ref="2" role="via"/>
<member type="way" ref="11" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/></relation>
</osm>"""


def town(folder: Path, text: str = TOWN) -> Path:
    path = folder / "dorp.osm"
    path.write_text(text, encoding="utf-8")
    return path


def arcs(roads: Roads) -> list[tuple[float, float, float, str, float]]:
    """(tail x, head x, length, class, speed) of every arc, ordered."""
    tail = np.repeat(np.arange(len(roads)), np.diff(roads.first_arc))
    return sorted(
        (
            round(float(roads.x_m[t] + roads.y_m[t])),
            round(float(roads.x_m[h] + roads.y_m[h])),
            round(float(length), 1),
            roads.road_classes[c],
            round(float(v), 1),
        )
        for t, h, length, c, v in zip(tail, roads.head, roads.length_m, roads.road_class, roads.maxspeed_kmh)
    )


def test_the_town_is_read_as_drawn(tmp_path: Path) -> None:
    roads, summary = read_osm_roads(town(tmp_path))
    assert len(roads) == 5  # 1, 2, 3, 5, 6; node 4 is no junction and its length is kept
    found = arcs(roads)
    assert [c for *_, c, _ in found].count("primary") == 4
    assert [c for *_, c, _ in found].count("residential") == 1  # oneway=-1: from 5 to 2 only
    assert [c for *_, c, _ in found].count("service") == 2
    assert [c for *_, c, _ in found].count("ferry") == 2
    (residential,) = [a for a in found if a[3] == "residential"]
    assert residential[2] == pytest.approx(GEOD.line_length([5.1, 5.102, 5.104], [52.101] * 3), abs=0.2)
    assert residential[0] > residential[1]  # drives west
    ferry = next(a for a in found if a[3] == "ferry")
    assert ferry[4] == pytest.approx(ferry[2] / 600 * 3.6, abs=0.1)
    assert summary.rows_read == 4
    assert summary.left_out == {
        "geen rijweg voor hulpdiensten (highway=footway)": 1,
        "afslagverbod (no_left_turn)": 1,
        "wegstuk buiten het bestand (punt ontbreekt)": 1,
    }
    assert summary.assumed == {
        "eigen weg, open voor hulpdiensten": 1,
        "paal, hek of slagboom, als te openen gelezen": 1,
    }
    assert roads.kind == "wegennet"
    assert 130_000 < roads.x_m.min() < roads.x_m.max() < 140_000  # RD New


def test_stations_are_points_or_the_middle_of_their_building(tmp_path: Path) -> None:
    table, summary = read_osm_stations(town(tmp_path))
    assert table["station_id"].to_list() == ["n7", "w15"]
    assert table["name"].to_list() == ["Kazerne Zuid", ""]
    assert table["lon"].to_list() == pytest.approx([5.1, 5.101])
    assert table["lat"].to_list() == pytest.approx([52.099, 52.1005])
    assert summary.rows_read == 2


def test_long_roads_get_nodes_on_the_way_and_loops_keep_their_length(tmp_path: Path) -> None:
    nodes = "".join(f'<node id="{i}" lat="52.1" lon="{5 + i / 1000}"/>' for i in range(1, 41))
    refs = "".join(f'<nd ref="{i}"/>' for i in range(1, 41))
    loop = "".join(f'<nd ref="{i}"/>' for i in (40, 41, 42, 43, 40))
    extra = '<node id="41" lat="52.101" lon="5.04"/><node id="42" lat="52.101" lon="5.041"/>'
    extra += '<node id="43" lat="52.1" lon="5.041"/>'
    text = (
        f'<osm version="0.6">{nodes}{extra}<way id="1">{refs}<tag k="highway" v="tertiary"/></way>'
        f'<way id="2">{loop}<tag k="highway" v="residential"/></way></osm>'
    )
    roads, _ = read_osm_roads(town(tmp_path, text), longest_arc_m=500)
    length = GEOD.line_length([5 + i / 1000 for i in range(1, 41)], [52.1] * 40)
    ring = GEOD.line_length([5.04, 5.04, 5.041, 5.041, 5.04], [52.1, 52.101, 52.101, 52.1, 52.1])
    assert roads.length_m.sum() == pytest.approx(2 * (length + ring), rel=1e-5)
    assert 6 <= len(roads) <= 9
    assert roads.length_m.max() < 600


@pytest.mark.parametrize(
    ("tag", "kmh"),
    [("50", 50), ("50 mph", 80.4672), ("50mph", 80.4672), ("30;50", 30), ("NL:urban", 50), ("NL:rural", 80),
     ("DE:rural", 100), ("NL:zone30", 30), ("DE:zone:30", 30), ("walk", 15), ("none", 130), ("GB:nsl_single", 97)],
)  # fmt: skip
def test_speeds_are_read(tag: str, kmh: float) -> None:
    assert read_maxspeed(tag) == pytest.approx(kmh)


@pytest.mark.parametrize("tag", ["", "signals", "0", "5000", "vijftig", "XX:unknown", "50;x", "-30", "٣٠"])
def test_speeds_that_say_nothing(tag: str) -> None:
    assert math.isnan(read_maxspeed(tag))


def test_durations_are_read() -> None:
    assert [read_duration(t) for t in ("25", "00:25", "01:10:00", "PT1H10M")] == [1500, 1500, 4200, 4200]
    assert all(math.isnan(read_duration(t)) for t in ("", "0", "snel", "PT"))


@pytest.mark.parametrize(
    ("tags", "direction"),
    [({"highway": "motorway"}, 1), ({"highway": "motorway", "oneway": "no"}, 0), ({"junction": "roundabout"}, 1),
     ({"oneway": "yes"}, 1), ({"oneway": "-1"}, -1), ({"oneway": "yes", "oneway:bus": "no"}, 0),
     ({"oneway": "reversible"}, 0), ({}, 0)],
)  # fmt: skip
def test_directions(tags: dict[str, str], direction: int) -> None:
    assert read_direction(tags) == direction


@pytest.mark.parametrize(
    ("tags", "road_class"),
    [({"highway": "busway"}, "busway"), ({"highway": "service", "access": "no", "bus": "yes"}, "service"),
     ({"highway": "cycleway", "emergency": "yes"}, "path"), ({"highway": "footway"}, None),
     ({"highway": "path", "emergency": "designated"}, "path"),
     ({"highway": "residential", "access": "no"}, None), ({"highway": "primary", "emergency": "no"}, None),
     ({"highway": "residential", "motor_vehicle": "no"}, "residential"), ({"route": "ferry", "access": "no"}, None),
     ({"highway": "track", "tracktype": "grade5"}, None), ({"highway": "pedestrian"}, "pedestrian"),
     ({"highway": "road"}, "unclassified"), ({"highway": "pedestrian", "area": "yes"}, None)],
)  # fmt: skip
def test_access_is_read_with_blue_light_in_mind(tags: dict[str, str], road_class: str | None) -> None:
    way = read_way(tags)
    assert (way.road_class if isinstance(way, Way) else None) == road_class


class Counting(osmium.SimpleHandler):
    """The plain way: every drivable way in one handler, with the length of its whole line."""

    def __init__(self) -> None:
        super().__init__()
        self.ways, self.metres = 0, 0.0

    def way(self, way: Any) -> None:
        meant = read_way({t.k: t.v for t in way.tags}) if "highway" in way.tags or "route" in way.tags else ""
        if isinstance(meant, Way):
            self.ways += 1
            places = [(n.location.lon, n.location.lat) if n.location.valid() else None for n in way.nodes]
            for a, b in pairwise(places):
                if a and b:
                    self.metres += GEOD.inv(*a, *b)[2] * (2 if meant.direction == 0 else 1)


@pytest.mark.parametrize(
    ("name", "ways"),
    [("valhalla_liechtenstein-latest.osm.pbf", 3341), ("graphhopper_andorra.osm.pbf", 1335),
     ("valhalla_harrisburg.osm.pbf", 2494), ("graphhopper_monaco.osm.gz", 540), ("graphhopper_krems.osm.gz", 672)],
)  # fmt: skip
def test_real_extracts_are_as_long_as_a_plain_count_says(name: str, ways: int) -> None:
    path = REAL / name
    if not path.exists():
        pytest.skip("de echte OSM-uitsneden staan niet naast deze map")
    roads, summary = read_osm_roads(path)
    plain = Counting()
    plain.apply_file(str(path), locations=True)
    assert summary.rows_read == plain.ways == ways
    assert roads.length_m.sum() == pytest.approx(plain.metres, rel=1e-5)


def test_krems_counts_as_its_xml_does() -> None:
    path = REAL / "graphhopper_krems.osm.gz"
    if not path.exists():
        pytest.skip("de echte OSM-uitsneden staan niet naast deze map")
    tree = ElementTree.fromstring(gzip.decompress(path.read_bytes()))
    tags = [{t.get("k"): t.get("v") for t in r.findall("tag")} for r in tree.findall("relation")]
    _, summary = read_osm_roads(path)
    turns = sum(n for reason, n in summary.left_out.items() if reason.startswith("afslagverbod"))
    assert turns == sum("restriction" in t for t in tags) == 9
    buildings = [w for w in tree.findall("way") for t in w.findall("tag") if t.get("v") == "fire_station"]
    assert read_osm_stations(path)[1].rows_read == len(buildings) == 1


def test_den_helder_is_read_from_geojson() -> None:
    path = REAL / "den_helder_2025_wegen.geojson"
    if not path.exists():
        pytest.skip("de echte OSM-uitsneden staan niet naast deze map")
    roads, summary = read_geojson_roads(path)
    meant = [
        read_way({k: str(v) for k, v in f["properties"].items()}) for f in json.loads(path.read_bytes())["features"]
    ]
    assert summary.rows_read == sum(isinstance(m, Way) for m in meant) == 3538
    assert sum(summary.left_out.values()) == 4031 - 3538
    assert 105_000 < np.median(roads.x_m) < 120_000
    assert 540_000 < np.median(roads.y_m) < 560_000


@pytest.mark.parametrize("name", ["valhalla_liechtenstein-latest.osm.pbf", "graphhopper_krems.osm.gz"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    if not (REAL / name).exists():
        pytest.skip("de echte OSM-uitsneden staan niet naast deze map")
    whole = (REAL / name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RefusalError, match="volledig OSM-bestand"):
        read_osm_roads(cut)
    with pytest.raises(RefusalError, match="volledig OSM-bestand"):
        read_osm_stations(cut)


def test_doubles_deleted_ways_and_missing_files_are_said(tmp_path: Path) -> None:
    again = TOWN.replace(
        "<relation", '<way id="10"><nd ref="1"/><nd ref="3"/><tag k="highway" v="primary"/></way><relation', 1
    )
    assert read_osm_roads(town(tmp_path, again))[1].left_out["dubbele weg (zelfde id, de eerste telt)"] == 1
    with pytest.raises(RefusalError):
        read_osm_roads(tmp_path / "weg.osm.pbf")
    with pytest.raises(RefusalError, match="geen enkele weg"):
        read_osm_roads(town(tmp_path, '<osm version="0.6"></osm>'))


def geojson(folder: Path, line: Any) -> Path:
    path = folder / "wegen.geojson"
    feature = {"properties": {"highway": "primary"}, "geometry": {"type": "LineString", "coordinates": line}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    return path


def test_swapped_coordinates_are_recognised(tmp_path: Path) -> None:
    assert read_geojson_roads(geojson(tmp_path, [[5.1, 52.1], [5.2, 52.1]]))[1].rows_read == 1
    with pytest.raises(RefusalError, match="verwisseld"):
        read_geojson_roads(geojson(tmp_path, [[52.1, 5.1], [52.1, 5.2]]))
    with pytest.raises(RefusalError, match="graden WGS84"):
        read_geojson_roads(geojson(tmp_path, [[5.1, "noord"], [5.2, 52.1]]))


@FUZZ
@given(noise=st.binary(max_size=300), suffix=st.sampled_from([".osm.pbf", ".osm", ".osm.gz", ".geojson"]))
def test_noise_is_refused(tmp_path: Path, noise: bytes, suffix: str) -> None:
    path = tmp_path / f"ruis{suffix}"
    path.write_bytes(noise)
    for read in (read_osm_roads, read_osm_stations, read_geojson_roads):
        with pytest.raises(RefusalError):
            read(path)


@FUZZ
@given(at=st.integers(0, len(TOWN) - 1), put=st.text(max_size=6), cut=st.integers(0, 40))
def test_a_damaged_town_is_read_or_refused(tmp_path: Path, at: int, put: str, cut: int) -> None:
    path = tmp_path / "stuk.osm"
    path.write_text(TOWN[:at] + put + TOWN[at + cut :], encoding="utf-8", errors="replace")
    for read in (read_osm_roads, read_osm_stations):
        with suppress(RefusalError):
            read(path)


@FUZZ
@given(
    line=st.recursive(st.none() | st.floats() | st.text(max_size=3), lambda x: st.lists(x, max_size=4), max_leaves=9)
)
def test_a_damaged_geojson_is_read_or_refused(tmp_path: Path, line: Any) -> None:
    with suppress(RefusalError):
        read_geojson_roads(geojson(tmp_path, line))
