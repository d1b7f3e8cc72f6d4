"""OGC API Features as the standard asks it, and as GDAL reads it."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.server import ledger
from slagkracht.server.database import Addresses
from test_server_api import client, post
from test_server_ledger import acting

pytestmark = pytest.mark.usefixtures("plan")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
RD_NEW = "http://www.opengis.net/def/crs/EPSG/0/28992"
ITEMS = "/ogc/v1/collections/{}/items"


@pytest.fixture(scope="module")
def plan(database: Addresses) -> Iterator[Any]:
    from slagkracht.server import engine
    from slagkracht.sources.modelland import build_modelland

    before = engine.current()
    yield engine.load(build_modelland(400, stations=60, nodes=3_000)).plan
    engine._engine = before


@pytest.fixture(scope="module")
def unit(database: Addresses) -> str:
    """A unit of VR14 near Amersfoort's tower, seen there at a known moment."""
    with acting("VR14") as own:
        own.insert("unit", unit_id="14-kaart", region="VR14", type_code="TS6", capabilities=["basiseenheid"], crew=6,
                   station="Kazerne", status="available")  # fmt: skip
        own.insert("unit_place", unit_id="14-kaart", region="VR14", x_m=155_000.0, y_m=463_000.0,
                   place_at=datetime.datetime(2026, 7, 1, 12, tzinfo=datetime.UTC))  # fmt: skip
    return "14-kaart"


def get(path: str, username: str = "demo-officier-vr14", **asked: object) -> Any:
    return client(username).get(path, {name.replace("_", "-"): value for name, value in asked.items()})


def rows(path: str, **asked: object) -> list[dict[str, Any]]:
    answer = get(path, **asked)
    assert answer.status_code == 200, answer.content
    features: list[dict[str, Any]] = answer.json()["features"]
    return features


def test_landing_conformance_and_description() -> None:
    landing = client().get("/ogc/v1").json()
    rels = {link["rel"]: link["href"] for link in landing["links"]}
    assert {"self", "service-desc", "conformance", "data"} <= set(rels)
    conforms = client().get(rels["conformance"]).json()["conformsTo"]
    assert {url.rsplit("/", 1)[1] for url in conforms} == {"core", "geojson", "oas30", "crs"}
    described = client().get(rels["service-desc"])
    assert described.headers["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    limit = described.json()["paths"]["/collections/eenheden/items"]["get"]["parameters"][0]["schema"]
    assert limit == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1_000}


def test_collections_name_their_systems_and_extent(unit: str) -> None:
    listed = get("/ogc/v1/collections").json()
    assert {c["id"] for c in listed["collections"]} == {"regios", "kazernes", "gebieden", "eenheden", "incidenten"}
    for collection in listed["collections"]:
        assert collection["crs"][0] == CRS84, "the first is the default"
        assert collection["storageCrs"] in collection["crs"]
        rels = {link["rel"]: link for link in collection["links"]}
        assert rels["items"]["type"] == "application/geo+json"
        assert get(rels["self"]["href"]).json() == collection
    west, south, east, north = next(c for c in listed["collections"] if c["id"] == "gebieden")["extent"]["spatial"][
        "bbox"
    ][0]
    assert 3 < west < east < 8
    assert 50 < south < north < 54


def test_items_say_how_many_and_come_in_pages(plan: Any) -> None:
    seen, address = [], ITEMS.format("gebieden") + "?limit=70"
    while address:
        answer = get(address)
        assert answer.headers["Content-Type"] == "application/geo+json"
        assert answer.headers["Content-Crs"] == f"<{CRS84}>"
        page = answer.json()
        assert page["type"] == "FeatureCollection"
        assert page["numberMatched"] == len(plan.areas)
        assert page["numberReturned"] == len(page["features"]) <= 70
        assert {"self", "collection"} <= {link["rel"] for link in page["links"]}
        seen += [feature["id"] for feature in page["features"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert seen == plan.areas.area_id.tolist(), "all of them, once each, in order"


def test_a_place_in_both_systems(unit: str) -> None:
    (degrees,) = [f for f in rows(ITEMS.format("eenheden"), regio="VR14") if f["id"] == unit]
    lon, lat = degrees["geometry"]["coordinates"]
    assert (lon, lat) == (pytest.approx(5.38720366, abs=4e-6), pytest.approx(52.15517290, abs=4e-6)), "Amersfoort"
    answer = get(ITEMS.format("eenheden") + f"/{unit}", crs=RD_NEW)
    assert answer.headers["Content-Crs"] == f"<{RD_NEW}>"
    assert answer.json()["geometry"]["coordinates"] == [155_000.0, 463_000.0]
    assert answer.json()["properties"]["plaats_sinds"] == "2026-07-01T12:00:00Z"


def test_a_box_in_either_system(plan: Any, unit: str) -> None:
    box = "154000,462000,156000,464000"
    near = {f["id"] for f in rows(ITEMS.format("gebieden"), bbox=box, bbox_crs=RD_NEW)}
    areas = plan.areas
    half = areas.size_m / 2
    by_hand = (np.abs(areas.x_m - 155_000) <= half + 1_000) & (np.abs(areas.y_m - 463_000) <= half + 1_000)
    assert near == set(areas.area_id[by_hand].tolist())
    assert unit in {f["id"] for f in rows(ITEMS.format("eenheden"), bbox="5.38,52.15,5.40,52.16")}
    assert unit in {f["id"] for f in rows(ITEMS.format("eenheden"), bbox="5.38,52.15,-10,5.40,52.16,10")}
    assert unit not in {f["id"] for f in rows(ITEMS.format("eenheden"), bbox="5.40,52.15,5.42,52.16")}
    assert unit in {f["id"] for f in rows(ITEMS.format("eenheden"), bbox="5.38,52.15,-170,52.16")}, "round the back"
    assert rows(ITEMS.format("eenheden"), bbox="170,50,-170,54") == []
    assert get(ITEMS.format("eenheden"), bbox="156000,462000,154000,464000", bbox_crs=RD_NEW).status_code == 400


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("2026-07-01T12:00:00Z", True),
        ("2026-07-01T14:00:00+02:00", True),
        ("2026-07-01T12:00:01Z", False),
        ("2026-07-01T00:00:00Z/2026-07-02T00:00:00Z", True),
        ("../2026-07-01T11:59:59Z", False),
        ("2026-07-01T11:00:00Z/..", True),
        ("2026-07-01T12:00:01Z/", False),
    ],
)
def test_when_it_was_seen(asked: str, there: bool, unit: str) -> None:
    assert (unit in {f["id"] for f in rows(ITEMS.format("eenheden"), datetime=asked)}) is there


def test_what_has_no_time_is_always_there(plan: Any) -> None:
    found = get(ITEMS.format("kazernes"), datetime="2001-01-01T00:00:00Z").json()
    assert found["numberMatched"] == len(plan.stations)


def test_coverage_stands_with_the_area(plan: Any) -> None:
    first = rows(ITEMS.format("gebieden"), limit=1)[0]["properties"]
    assert first["norm"]
    for window in ("dag", "avond", "nacht", "weekend"):
        time_s, limit_s = first[f"opkomsttijd_{window}_s"], first[f"norm_{window}_s"]
        if limit_s is not None and time_s is not None:
            assert first[f"binnen_norm_{window}"] is (time_s <= limit_s)


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"offset": "-1"}, {"bbox": "1,2,3"}, {"bbox": "5,53,6,52"},
        {"bbox": "1,2,3,nan"}, {"crs": "EPSG:28992"}, {"bbox_crs": "x"}, {"datetime": "gisteren"},
        {"datetime": "../.."},
        {"datetime": "2026-02-01T00:00:00Z/2026-01-01T00:00:00Z"}, {"kleur": "rood"}, {"f": "html"},
    ],
)  # fmt: skip
def test_a_wrong_question_is_refused(asked: dict[str, str]) -> None:
    answer = get(ITEMS.format("eenheden"), **asked)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["", "/conformance", "/collections", "/collections/kazernes", "/api"])
def test_a_page_about_the_layers_takes_no_question(path: str) -> None:
    assert get(f"/ogc/v1{path}", f="json").status_code == 200
    for asked in ({"f": "html"}, {"limit": 1}):
        answer = get(f"/ogc/v1{path}", **asked)
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_an_address_that_is_not_there_is_a_problem_too() -> None:
    for path in ("/ogc/v1/geen", "/ogc/v1/collections/", "/ogc"):
        answer = get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json"), path
        assert answer.headers["API-Version"] == "1.0.0"


def test_what_is_not_there() -> None:
    for path in ("/ogc/v1/collections/wegen", ITEMS.format("wegen"), ITEMS.format("eenheden") + "/geen"):
        assert get(path).status_code == 404


def test_more_than_the_most_gives_the_most() -> None:
    assert get(ITEMS.format("gebieden"), limit="99999").status_code == 200


def test_nobody_reads_without_a_mandate_and_nobody_what_is_anothers(unit: str) -> None:
    refused = client().get(ITEMS.format("eenheden"))
    assert (refused.status_code, refused.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    wrong = client("demo-officier-vr14").get(ITEMS.format("eenheden"), headers={"Authorization": "Bearer fout"})
    assert wrong.status_code == 401
    made = post(client("demo-officier-vr14"), "/incidenten", {"wat": "b", "x_m": 1, "y_m": 2}).json()["id"]
    for collection, item in (("eenheden", unit), ("incidenten", made)):
        assert get(ITEMS.format(collection) + f"/{item}").status_code == 200
        assert get(ITEMS.format(collection) + f"/{item}", "demo-officier-vr23").status_code == 404
        assert item not in get(ITEMS.format(collection), "demo-officier-vr23").content.decode()
    with acting("VR14") as own:
        ledger.share(own, "VR13", "beschikbaarheid", own.at + datetime.timedelta(hours=1))
    shown = get(ITEMS.format("eenheden") + f"/{unit}", "demo-officier-vr13").json()
    assert shown["geometry"] is None, "the tier says available, not where"


@settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(["limit", "offset", "bbox", "bbox-crs", "crs", "datetime", "regio", "f", "x"]),
                       st.text(max_size=30) | st.from_regex(r"[-0-9.,:/TZ]{0,40}", fullmatch=True)))  # fmt: skip
def test_any_question_gets_an_answer_or_a_refusal(asked: dict[str, str]) -> None:
    answer = client("demo-officier-vr14").get(ITEMS.format("eenheden"), asked)
    assert answer.status_code in (200, 400)
    json.loads(answer.content)


# ── GDAL ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


READING = """
import json, sys
import pyogrio
source, key, unit = sys.argv[1:]
pyogrio.set_gdal_config_options({"GDAL_HTTP_USERPWD": "sleutel:" + key, "GDAL_HTTP_AUTH": "BASIC"})
areas = pyogrio.read_dataframe(source, layer="gebieden")
units = pyogrio.read_dataframe(source, layer="eenheden", bbox=(154_000, 462_000, 156_000, 464_000))
stations = pyogrio.read_dataframe(source, layer="kazernes")
degrees = pyogrio.read_dataframe(source, layer="kazernes", CRS="OGC:CRS84")
print(json.dumps({
    "layers": [name for name, _ in pyogrio.list_layers(source)],
    "areas": len(areas), "kinds": areas.geometry.geom_type.unique().tolist(),
    "columns": list(areas.columns), "unit": unit in units.astype(str).values,
    "bounds": degrees.total_bounds.tolist(), "epsg": stations.crs.to_epsg(), "x_m": sorted(stations.geometry.x),
}))
"""
"""A program of its own: GDAL keeps Python waiting while it asks, and the server that answers is here."""


def test_gdal_reads_it(address: str, plan: Any, unit: str) -> None:
    import pyogrio

    if "OAPIF" not in pyogrio.list_drivers():
        pytest.skip("deze GDAL leest geen OGC API Features")
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    given_key = {"naam": "QGIS", "tot": tomorrow.isoformat()}
    key = post(client("demo-officier-vr14"), "/sleutels", given_key).json()["sleutel"]
    asked = [sys.executable, "-c", READING, f"OAPIF:{address}/ogc/v1", key, unit]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    read = json.loads(told.stdout)
    assert set(read["layers"]) >= {"kazernes", "gebieden", "eenheden", "regios"}
    assert (read["areas"], read["kinds"]) == (len(plan.areas), ["Polygon"])
    west, south, east, north = read["bounds"]
    assert 3 < west < east < 8
    assert 50 < south < north < 54
    assert {"opkomsttijd_nacht_s", "binnen_norm_nacht"} <= set(read["columns"])
    assert read["unit"]
    assert read["epsg"] == 28992, "it takes the system in which we keep them"
    assert np.allclose(read["x_m"], sorted(plan.stations.x_m), atol=0.01)
