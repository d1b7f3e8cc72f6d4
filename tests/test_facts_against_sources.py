"""Every column of nl/facts, taken again from the public sources and compared."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from slagkracht.sources.facts import read_main_roads, to_rd

DATA = Path(__file__).parents[2] / "shared" / "data" / "nederland"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the open sources do not lie beside this checkout")

RENAMED = {"GM0457": "GM0363", "GM0501": "GM1992", "GM0530": "GM1992", "GM0614": "GM1992"}
"""Municipalities of 2022 that were merged by 2023: Weesp; Brielle, Hellevoetsluis and Westvoorne."""

KIND_OF = (
    ("handcrew", "DB-HC"), ("hoogteredding", "DB-HRT"), ("waterongevallen", "WO"), ("brandweervaartuig", "BRV"),
    ("oppervlakteredding", "ORT"), ("ontsmetting", "BOH-DC"), ("gevaarlijke_stoffen", "GS"),
    ("adviseur_gevaarlijke_stoffen", "DA-AGS"), ("hoofdofficier_van_dienst", "DA-HOD"),
    ("officier_van_dienst", "DA-OVD"), ("commando", "CO-MU"), ("meetploeg", "DB-VEB"), ("zware_redding", "HV-KR"),
    ("hulpverlening", "HV"), ("redvoertuig", "HW"), ("snelle_interventie", "SI-2"), ("watertransport", "WTS"),
    ("pomp", "DPH"), ("watertank", "WT"), ("schuim", "SB"), ("adembescherming", "AB"), ("verzorging", "PM-LO"),
    ("logistiek", "VW-LO"), ("haakarm", "HA"),
)  # fmt: skip
"""The column that a vehicle counts in: the first capability that it has; pumps by six seats, wildfire or fewer."""


def ours(name: str) -> list[dict[str, str]]:
    text = (resources.files("slagkracht") / "nl" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def theirs(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def features(name: str) -> list[dict[str, Any]]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))["features"]


def test_municipal_figures_are_those_of_the_cbs() -> None:
    cbs = {f["properties"]["gemeentecode"]: f["properties"] for f in features("gemeenten_2024_cbs.geojson")}
    borders = {f["properties"]["code"]: f["properties"] for f in features("gemeente_2023_wgs84.geojson")}
    dwellings: Counter[str] = Counter()
    for district in theirs("wijken_2022.csv"):
        code = "GM" + district["code"][2:6]
        dwellings[RENAMED.get(code, code)] += int(district["dwelling_total"] or 0)
    rows = {row["code"]: row for row in ours("facts/municipalities")}
    assert set(rows) == set(borders) == set(cbs) - {"GM0998"}
    for code, row in rows.items():
        source = cbs[code]
        assert (row["name"], row["region"]) == (borders[code]["naam"], borders[code]["vr"])
        for column, given in (
            ("population", "aantal_inwoners"), ("land_ha", "opp_land"), ("water_ha", "opp_water"),
            ("urbanity", "stedelijkheid"), ("address_density", "omgevingsadressendichtheid"),
        ):  # fmt: skip
            assert int(row[column]) == source[given], (code, column)
        nature = source.get("pct_natuur")
        assert row["nature_share"] == ("" if nature is None else str(round(nature, 1))), code
        assert int(row["dwellings"]) == dwellings[code], code


def test_centres_weigh_the_people_of_every_postcode() -> None:
    to_rd = Transformer.from_crs("EPSG:4326", "EPSG:28992", always_xy=True)
    weighed: dict[str, list[tuple[float, float, float]]] = {}
    for area in theirs("pc4_2020_2021.csv"):
        if area["lon_adr"] and area["lat_adr"]:
            place = to_rd.transform(float(area["lon_adr"]), float(area["lat_adr"]))
            weighed.setdefault(area["gm_code_2023"], []).append((*place, float(area["inwoners_2021"] or 0)))
    for row in ours("facts/municipalities"):
        x, y, people = np.array(weighed[row["code"]]).T
        here = to_rd.transform(float(row["centre_lon"]), float(row["centre_lat"]))
        assert np.hypot(np.average(x, weights=people) - here[0], np.average(y, weights=people) - here[1]) < 12


def test_ellipses_spread_like_the_land() -> None:
    to_rd = Transformer.from_crs("EPSG:4326", "EPSG:28992", always_xy=True)
    rows = {row["code"]: row for row in ours("facts/municipalities")}
    for feature in features("gemeente_2023_wgs84.geojson")[::7]:
        row = rows[feature["properties"]["code"]]
        land = shapely.transform(
            shapely.geometry.shape(feature["geometry"]),
            lambda points: np.column_stack(to_rd.transform(points[:, 0], points[:, 1])),
        )
        west, south, east, north = land.bounds
        step = min(250.0, float(np.sqrt(land.area)) / 40)
        x, y = (grid.ravel() for grid in np.meshgrid(np.arange(west, east, step), np.arange(south, north, step)))
        inside = shapely.contains_xy(land, x, y)
        spread = np.cov(x[inside], y[inside])
        values, directions = np.linalg.eigh(spread)
        short_km, long_km = 4 * np.sqrt(values) / 1000
        assert float(row["long_km"]) == pytest.approx(long_km, rel=0.03, abs=0.1)
        assert float(row["short_km"]) == pytest.approx(short_km, rel=0.03, abs=0.1)
        assert int(row["outline_ha"]) == pytest.approx(land.area / 1e4, abs=1)
        if long_km > 1.15 * short_km:
            bearing = np.degrees(np.arctan2(directions[0, 1], directions[1, 1]))
            turned = (bearing - float(row["bearing_deg"]) + 90) % 180 - 90
            assert abs(turned) < 6
        here = to_rd.transform(float(row["land_lon"]), float(row["land_lat"]))
        assert np.hypot(x[inside].mean() - here[0], y[inside].mean() - here[1]) < 150


def test_regions_count_their_stations() -> None:
    stations = theirs("kazernes_2026.csv")
    names = {row["vr_code"]: row["vr_naam"] for row in theirs("gemeente_vr.csv")}
    every = Counter(row["vr"] for row in stations)
    with_pump = Counter(row["vr"] for row in stations if int(row["n_ts"]))
    for row in ours("facts/regions"):
        assert row["name"] == names[row["code"]]
        assert (int(row["stations"]), int(row["tanker_stations"])) == (every[row["code"]], with_pump[row["code"]])


def test_vehicles_count_by_what_they_can_do() -> None:
    types = {row["type_code"]: row for row in ours("vocabulary/vehicle_types")}
    counted: Counter[tuple[str, str]] = Counter()
    for vehicle in theirs("voertuigen_2026.csv"):
        known = types.get(vehicle["type"].replace("\u2010", "-").strip())
        if known is None or known["kind"] not in ("inzet", "haakarmbak"):
            continue
        able = known["capabilities"].split(";")
        if "tankautospuit" in able:
            column = "TST-NB" if "natuurbrand" in able else "TS" if "basiseenheid" in able else "TS-4"
        else:
            column = next((column for capability, column in KIND_OF if capability in able), "")
        counted[vehicle["vr"], column] += 1
    for row in ours("facts/vehicles"):
        for column, count in row.items():
            if column != "region":
                assert int(count) == counted[row["region"], column], (row["region"], column)


def test_building_functions_add_up_where_they_are_given() -> None:
    named = {
        "woonfunctie": "woon", "kantoorfunctie": "kantoor", "winkelfunctie": "winkel",
        "industriefunctie": "industrie", "overige_gebruiksfunctie": "overig",
    }  # fmt: skip
    given = [f["properties"] for f in features("gemeenten_2024_cbs.geojson")]
    given = [p for p in given if p["gemeentecode"] != "GM0998" and p.get("bag_adressen_totaal")]
    assert len(given) == 30
    for row in ours("facts/building_functions"):
        assert int(row["addresses"]) == sum(p[f"bag_adressen_{named[row['function']]}"] for p in given)


def test_the_motorways_pass_the_junctions_of_another_map() -> None:
    """The nodes of the European network ETIS: half within 500 m of a motorway of ours, nine in ten within 1.5 km."""
    space = "{http://graphml.graphdrawing.org/xmlns}"
    root = ElementTree.parse(DATA.parent / "wegennetten" / "etis_NL.graphml").getroot()
    keys = {key.get("attr.name"): key.get("id") for key in root.iter(space + "key")}
    nodes = [{data.get("key"): data.text for data in node} for node in root.iter(space + "node")]
    lon, lat = (np.array([float(node[keys[name]]) for node in nodes]) for name in ("position_x", "position_y"))
    courses = [np.column_stack([r.x_m, r.y_m]) for r in read_main_roads(2020) if r.kind == "autosnelweg"]
    off_m = shapely.distance(shapely.points(*to_rd(lon, lat)), shapely.MultiLineString(courses))
    assert np.median(off_m) < 500
    assert np.quantile(off_m, 0.9) < 1_500
