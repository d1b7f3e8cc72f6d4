"""A plan from small lists: with squares, objects, a matrix, deliveries and a region's own rules in their places."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from cli_run import run
from slagkracht.rules import rule_in_force
from slagkracht.sources.geometry import RD, WGS84
from slagkracht.sources.plan_files import read_plan
from test_sources_delivery import hand_in

Screen = pytest.CaptureFixture[str]
STATIONS = """id,vr,naam,straat,pc6,plaats,lon,lat,geocode,n_ts,n_rv,n_hv,n_wo,n_wt,note
k1,VR01,Aduard,Straat 1,9831AA,Aduard,6.46,53.25,adres,1,0,0,0,0,
k2,VR01,Bedum,Straat 2,9781AA,Bedum,6.60,53.30,adres,1,0,0,0,0,
"""
VEHICLES = """vr,roepnummer,type,omschrijving,toevoeging,kazerne,kazerne_id
VR01,01-1131,TS,Tankautospuit,,Aduard,k1
VR01,01-1231,TS,Tankautospuit,,Bedum,k2
"""
POSTCODES = """pc4,inwoners,km2,lon_rep,lat_rep,gm_code_2023,vr
9831,1000,4,6.461,53.252,GM0014,VR01
9781,2000,9,6.602,53.303,GM0014,VR01
"""
RULE = """code = "proefnorm"
kind = "objectnorm"
dutch = "Norm van Groningen"
source = "Bestuur van VR01, proef"
status = "vastgesteld"
region = "VR01"

[[versions]]
starts = 2020-01-01

[versions.values]
inzetmogelijkheid = "tankautospuit"
bewoners = "woonfunctie"
buitengrens_s = 1080
grens_s = { woonfunctie = 700 }
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of lists: two stations, two postcode areas, one region's outline and one municipality's."""
    folder = tmp_path / "bron"
    folder.mkdir()
    for name, text in (
        ("kazernes_2026.csv", STATIONS),
        ("voertuigen_2026.csv", VEHICLES),
        ("pc4_2020_2021.csv", POSTCODES),
        ("gemeente_vr.csv", "gm_code,gm_naam,vr_code,vr_naam\nGM0014,Groningen,VR01,Groningen\n"),
    ):
        (folder / name).write_text(text, "utf-8")
    land = shapely.box(6.3, 53.1, 6.8, 53.4)
    for name, code in (("veiligheidsregio_2023_wgs84", "VR01"), ("gemeente_2023_wgs84", "GM0014")):
        frame = geopandas.GeoDataFrame({"code": [code], "naam": ["Groningen"]}, geometry=[land], crs=WGS84)
        frame.to_file(folder / f"{name}.geojson", driver="GeoJSON", engine="pyogrio")
    return folder


def build(capsys: Screen, out: Path, *words: object) -> str:
    answer = run(capsys, "plan", "bouw", *words, "--uit", out)
    assert answer.code == 0, answer.err
    return answer.out


def test_lists_alone_give_a_plan_on_modelled_roads(capsys: Screen, tmp_path: Path, source: Path) -> None:
    screen = build(capsys, tmp_path / "plan", "--bron", source)
    assert "VR01 Groningen                         2         2         2     3.000" in screen
    assert "Het wegennet is gemodelleerd" in screen
    assert "inwoners zijn beoordeeld als woonfunctie" in screen


def test_a_matrix_takes_the_place_of_roads(capsys: Screen, tmp_path: Path, source: Path) -> None:
    matrix = tmp_path / "m.csv"
    matrix.write_text("origin,9781,9831\nk1,15,1.5\nk2,2,onbereikbaar\n", "utf-8")
    screen = build(capsys, tmp_path / "plan", "--bron", source, "--matrix", matrix)
    assert "Rijtijden uit een aangeleverde matrix" in screen
    assert "gemodelleerd" not in screen
    plan = read_plan(tmp_path / "plan")
    assert plan.roads is None
    assert plan.travel is not None
    assert plan.travel.drive_s.tolist() == [[90, 65535], [900, 120]]  # areas in the plan's order, minutes to seconds
    screen = build(capsys, tmp_path / "plan", "--bron", source, "--matrix", matrix, "--eenheid", "seconden")
    assert (plan := read_plan(tmp_path / "plan")).travel is not None
    assert plan.travel.drive_s[1].tolist() == [15, 2]


def test_squares_take_the_place_of_postcode_areas(capsys: Screen, tmp_path: Path, source: Path) -> None:
    codes = ["E2250N5860", "E2260N5860", "E0100N4000"]
    corners = [(225_000, 586_000), (226_000, 586_000), (10_000, 400_000)]
    frame = geopandas.GeoDataFrame(
        {"crs28992res500m": codes, "aantal_inwoners": [120, -99997, 50]},
        geometry=[shapely.box(x, y, x + 500, y + 500) for x, y in corners],
        crs=RD,
    )
    frame.to_file(tmp_path / "v.gpkg", driver="GPKG", engine="pyogrio")
    screen = build(capsys, tmp_path / "plan", "--bron", source, "--vierkanten", tmp_path / "v.gpkg")
    assert "vierkant buiten de gemeentegrenzen: 1" in screen
    assert "het midden van het vierkant" in screen
    areas = read_plan(tmp_path / "plan").areas
    assert areas.area_id.tolist() == codes[:2]
    assert areas.x_m.tolist() == [225_250, 226_250]
    assert areas.municipality.tolist() == ["GM0014", "GM0014"]
    assert set(areas.size_m.tolist()) == {500.0}


def test_objects_are_counted_per_area(capsys: Screen, tmp_path: Path, source: Path) -> None:
    counts, objects = tmp_path / "tel.csv", tmp_path / "bag.csv"
    counts.write_text("area_id,woonfunctie,celfunctie\n9781,800,1\n", "utf-8")
    screen = build(capsys, tmp_path / "plan", "--bron", source, "--bag", counts)
    assert "Objecten per gebruiksfunctie: tel.csv" in screen
    assert "beoordeeld als woonfunctie" not in screen
    areas = read_plan(tmp_path / "plan").areas
    column = areas.object_classes.index("woonfunctie")
    assert areas.objects[:, column].tolist() == [0, 800]
    head = "identificatie,gebruiksdoel,postcode\n"
    objects.write_text(head + "1,woonfunctie,9781AB\n2,celfunctie,9831AA\n3,woonfunctie,1011AA\n", "utf-8")
    screen = build(capsys, tmp_path / "plan", "--bron", source, "--bag", objects)
    assert "object buiten alle gebieden: 1" in screen
    areas = read_plan(tmp_path / "plan").areas
    assert areas.objects[:, column].tolist() == [0, 1]
    objects.write_text(head + "3,woonfunctie,1011AA\n", "utf-8")
    answer = run(capsys, "plan", "bouw", "--bron", source, "--bag", objects, "--uit", tmp_path / "q")
    assert answer.code == 1
    assert "geen object dat in een gebied ligt" in answer.err


def test_a_region_s_own_rules_hold_there(capsys: Screen, tmp_path: Path, source: Path) -> None:
    (tmp_path / "regels").mkdir()
    (tmp_path / "regels" / "proef.toml").write_text(RULE, "utf-8")
    build(capsys, tmp_path / "plan", "--bron", source, "--regels", tmp_path / "regels")
    plan = read_plan(tmp_path / "plan")
    _, values = rule_in_force(plan.rules, "proefnorm", plan.day, "VR01")
    assert values["grens_s"] == {"woonfunctie": 700}


def test_a_delivery_replaces_or_stands_alone(capsys: Screen, tmp_path: Path, source: Path) -> None:
    delivery = hand_in(tmp_path)
    screen = build(capsys, tmp_path / "plan", "--bron", source, "--aanlevering", delivery)
    assert "VR01 leverde zelf aan: 2 kazernes" in screen
    assert read_plan(tmp_path / "plan").areas.area_id.tolist() == ["a1", "a2"]
    stations = read_plan(tmp_path / "plan").stations.station_id.tolist()
    matrix = tmp_path / "m.csv"
    rows = [f"{station},{3 + k},{5 - k}" for k, station in enumerate(stations)]
    matrix.write_text("\n".join(["origin,a1,a2", *rows, ""]), "utf-8")
    screen = build(capsys, tmp_path / "eigen", "--aanlevering", delivery, "--matrix", matrix)
    plan = read_plan(tmp_path / "eigen")
    assert plan.travel is not None
    assert plan.travel.drive_s.tolist() == [[180, 240], [300, 240]]
    answer = run(capsys, "dekking", tmp_path / "eigen", "--venster", "dag", "--norm", "bvr-3.2.1", "--json")
    assert answer.code == 0
    first = json.loads(answer.out)["dekking"][0]["regio"][0]
    assert first["inwoners"] == np.sum(plan.areas.population)


OSM = """<?xml version='1.0' encoding='UTF-8'?><osm version="0.6">
<node id="1" lat="53.25" lon="6.46"><tag k="amenity" v="fire_station"/><tag k="name" v="Aduard"/></node>
<node id="2" lat="53.30" lon="6.60"><tag k="amenity" v="fire_station"/></node>
<node id="3" lat="53.30" lon="6.802"><tag k="amenity" v="fire_station"/><tag k="name" v="Op de dijk"/></node>
<node id="4" lat="53.30" lon="6.90"><tag k="amenity" v="fire_station"/><tag k="name" v="Elders"/></node>
<node id="5" lat="53.30" lon="6.60"><tag k="amenity" v="school"/></node></osm>"""


def test_stations_may_come_from_openstreetmap_and_what_is_assumed_is_said(
    capsys: Screen, source: Path, tmp_path: Path
) -> None:
    extract, out = tmp_path / "noord.osm", tmp_path / "plan"
    extract.write_text(OSM, "utf-8")
    (source / "kazernes_2026.csv").unlink()  # the lists are not needed, nor read
    printed = build(capsys, out, "--bron", source, "--kazernes", extract)
    assert "noord.osm: 3 gelezen; weggelaten: kazerne buiten de veiligheidsregio's: 1" in printed
    assert "één TS-6 op de kazerne (te verifiëren): 3" in printed
    assert "kazerne zonder naam, genoemd naar haar nummer: 1" in printed
    assert "OpenStreetMap zegt niet welke voertuigen er staan" in printed
    plan = read_plan(out)
    assert plan.stations.name.tolist() == ["Aduard", "kazerne n2", "Op de dijk"]
    assert plan.units.type_code.tolist() == ["TS-6"] * 3
    assert plan.units.station.tolist() == [0, 1, 2]
    assert run(capsys, "dekking", out, "--norm", "bvr-3.2.1", "--venster", "dag").code == 0


def test_an_extract_without_stations_is_refused_and_needs_its_areas(
    capsys: Screen, source: Path, tmp_path: Path
) -> None:
    extract = tmp_path / "leeg.osm"
    extract.write_text(OSM.replace("fire_station", "school"), "utf-8")
    answer = run(capsys, "plan", "bouw", "--bron", source, "--kazernes", extract, "--uit", tmp_path / "plan")
    assert answer.code == 1
    assert "leeg.osm: gevonden 'geen kazerne'" in answer.err
    assert not (tmp_path / "plan").exists()
    words = ("--aanlevering", source, "--wegen", extract, "--kazernes", extract)
    answer = run(capsys, "plan", "bouw", *words, "--uit", tmp_path / "plan")
    assert answer.code == 2
    assert "--kazernes vraagt ook --bron" in answer.err
