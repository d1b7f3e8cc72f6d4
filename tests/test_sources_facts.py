"""The public figures: complete, consistent with each other, and placed where the country is."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
from pyproj import Transformer

from slagkracht.sources.facts import (
    read_building_functions,
    read_crossings,
    read_main_roads,
    read_municipalities,
    read_region_facts,
    read_regions,
    to_rd,
)
from slagkracht.sources.vocabulary import read_vehicle_types


def test_twenty_five_regions_hold_342_municipalities_and_all_their_people() -> None:
    regions, municipalities = read_region_facts(), read_municipalities()
    assert list(read_regions().code) == [f"VR{number:02d}" for number in range(1, 26)]
    assert len(municipalities) == 342
    assert len(np.unique(municipalities.code)) == 342
    assert municipalities.population.sum() == 17_942_942
    counted = np.bincount(municipalities.region, municipalities.population).astype(np.int64)
    assert counted.tolist() == regions.population.tolist()
    assert np.bincount(municipalities.region).tolist() == regions.municipalities.tolist()


def test_stations_and_vehicles_are_those_of_the_national_list() -> None:
    regions = read_region_facts()
    assert (regions.stations.sum(), regions.tanker_stations.sum()) == (996, 963)
    assert (regions.tanker_stations <= regions.stations).all()
    assert regions.vehicles.shape == (25, len(regions.vehicle_types))
    known = read_vehicle_types()
    pumps = [column for column, code in enumerate(regions.vehicle_types) if "tankautospuit" in known[code].capabilities]
    assert (regions.vehicles[:, pumps].sum(axis=1) >= regions.tanker_stations).all()


def test_ten_control_rooms() -> None:
    assert len(set(read_region_facts().control_room)) == 10


def test_the_islands_are_pieces_of_land_of_their_own() -> None:
    municipalities = read_municipalities()
    wadden = {"Texel", "Vlieland", "Terschelling", "Ameland", "Schiermonnikoog"}
    assert set(municipalities.name[np.isin(municipalities.landmass, list(wadden))]) == wadden
    assert set(municipalities.landmass) - wadden == {
        "vasteland",
        "Zeeuws-Vlaanderen",
        "Schouwen-Duiveland",
        "Goeree-Overflakkee",
    }


def test_places_in_rd_are_true_to_a_metre() -> None:
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(3.4, 7.2, 2_000), rng.uniform(50.75, 53.5, 2_000)
    x_m, y_m = to_rd(lon, lat)
    true_x, true_y = Transformer.from_crs("EPSG:4326", "EPSG:28992", always_xy=True).transform(lon, lat)
    assert np.hypot(x_m - true_x, y_m - true_y).max() < 1.0


def test_towns_lie_within_their_own_land() -> None:
    m = read_municipalities()
    off_m = np.hypot(m.x_m - m.land_x_m, m.y_m - m.land_y_m)
    assert (off_m < m.long_m).all()
    assert (m.short_m <= m.long_m).all()
    assert (m.land_ha <= m.outline_ha * 1.35).all()


def test_a_crossing_has_two_banks_apart() -> None:
    names, banks = read_crossings()
    assert "Westerscheldetunnel" in names
    length_m = np.hypot(banks[:, 0] - banks[:, 2], banks[:, 1] - banks[:, 3])
    assert ((length_m > 500) & (length_m < 35_000)).all()


def test_main_roads_lie_in_the_country_and_open_in_their_year() -> None:
    roads = read_main_roads(2026)
    assert {road.kind for road in roads} == {"autosnelweg", "autoweg", "weg"}
    assert {"A2", "A12", "N11", "N57"} <= {road.name for road in roads}
    assert {road.name for road in roads} - {road.name for road in read_main_roads(2020)} == {"A24", "N434"}
    for road in roads:
        step_m = np.hypot(np.diff(road.x_m), np.diff(road.y_m))
        assert ((step_m > 300) & (step_m < 25_000)).all(), road.name
        assert ((road.x_m > 10_000) & (road.x_m < 280_000) & (road.y_m > 300_000) & (road.y_m < 620_000)).all()


def test_the_motorways_are_joined_where_they_share_a_vertex() -> None:
    """But for the A270 (Eindhoven to Helmond), to which no motorway leads."""
    courses = {road: set(zip(road.x_m, road.y_m)) for road in read_main_roads(2026) if road.kind == "autosnelweg"}
    reached, before = set(next(iter(courses.values()))), 0
    while len(reached) > before:
        before = len(reached)
        reached = reached.union(*(course for course in courses.values() if course & reached))
    assert {road.name for road, course in courses.items() if not course & reached} == {"A270"}


def test_functions_count_per_dwelling() -> None:
    functions = read_building_functions()
    assert functions["woonfunctie"] == 1
    assert 0 < functions["winkelfunctie"] < functions["industriefunctie"] < functions["overige_gebruiksfunctie"] < 1


@pytest.mark.parametrize("name", ["regions", "municipalities", "vehicles", "building_functions"])
def test_every_table_says_where_its_figures_come_from(name: str) -> None:
    head = (resources.files("slagkracht") / "nl" / "facts" / f"{name}.csv").read_text(encoding="utf-8").split("\n")
    said = " ".join(line for line in head if line.startswith("#"))
    assert any(source in said for source in ("CBS", "112gegevens"))
    assert any(str(year) in said for year in range(2017, 2027))
