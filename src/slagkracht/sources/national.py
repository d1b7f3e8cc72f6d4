"""A national plan from open lists: every station and vehicle, four thousand postcode areas and who lives there."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import shapely
from scipy.spatial import cKDTree

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import Stations, Units, capability_column
from slagkracht.risks import Profile
from slagkracht.roads import Roads
from slagkracht.rules import Rules, rule_in_force
from slagkracht.sources.bag import (
    count_objects,
    match_by_postcode,
    match_by_square,
    object_classes,
    read_bag_objects,
    read_object_counts,
)
from slagkracht.sources.cbs import (
    find_outline,
    read_municipalities,
    read_outlines,
    read_pc4_areas,
    read_region_outlines,
    read_squares,
)
from slagkracht.sources.csvfile import read_csv
from slagkracht.sources.facts import read_main_roads, read_regions
from slagkracht.sources.geometry import transform
from slagkracht.sources.matrix import Matrix, build_travel
from slagkracht.sources.modelled_roads import NOTE, build_modelled_roads
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError
from slagkracht.sources.risk_files import read_profile
from slagkracht.sources.rule_files import read_rules
from slagkracht.sources.station_lists import (
    ASSUMED_VEHICLE,
    compute_units,
    place_pool,
    read_osm_station_lists,
    read_station_lists,
)
from slagkracht.travel import Travel

Flags = npt.NDArray[np.bool_]

STATIONS, VEHICLES = "kazernes_2026.csv", "voertuigen_2026.csv"
POSTCODES = "pc4_2020_2021.csv"
OUTLINES = "veiligheidsregio_2023_wgs84.geojson"
MUNICIPAL_OUTLINES, MUNICIPALITIES = "gemeente_2023_wgs84.geojson", "gemeente_vr.csv"

NO_OBJECTS = "Aantallen objecten per gebruiksfunctie zijn niet gegeven: inwoners zijn beoordeeld als woonfunctie."
"""What a plan says that knows its residents only."""

NO_VEHICLES = (
    f"OpenStreetMap zegt niet welke voertuigen er staan: op elke kazerne is één {ASSUMED_VEHICLE} aangenomen (te "
    "verifiëren). Wat meer of andere voertuigen vraagt, is hiermee niet te beoordelen; een bedrijfsbrandweer of een "
    "gesloten kazerne kan meetellen. Verbeter dit met --aanlevering."
)
"""What a plan says whose stations come from OpenStreetMap."""

BESIDE_POINT_M = 5.0
"""Far enough to be another place, and nothing against the hundreds of metres that such a station may be off."""


def build_national_plan(
    folder: Path,
    day: datetime.date,
    *,
    rules: Rules | None = None,
    risks: Profile | None = None,
    roads: Roads | None = None,
    travel: Travel | None = None,
    given_areas: tuple[Areas, ReadSummary] | None = None,
    osm_stations: Path | None = None,
    name: str = "Landelijk dekkingsplan op open gegevens",
) -> Plan:
    """The plan that the open lists in ``folder`` add up to on ``day``.

    ``given_areas`` None = the postcode areas of the folder; ``read_square_areas`` gives CBS squares instead.
    ``osm_stations`` an OpenStreetMap extract to take the stations from, instead of the folder's lists.

    Crewing, turnout and readiness are in no open list: they follow from the rules "uitruk" and "beroepskazernes", and
    ``notes`` says so. With neither ``roads`` nor ``travel``, the roads are modelled (``build_national_roads``).
    ``rules`` and ``risks`` None = those of the programme. Raises RefusalError when a list is wrong, NoRuleError when an
    assumption has no value on ``day``.
    """
    rules = rules or read_rules()
    regions = read_regions()
    areas, area_summary = given_areas or read_postcode_areas(folder / POSTCODES, regions)
    if osm_stations is not None:
        lists = read_osm_station_lists(osm_stations, folder / OUTLINES, regions)
    else:
        lists = read_station_lists(folder / STATIONS, folder / VEHICLES, regions)
    lists = dataclasses.replace(lists, stations=set_apart(lists.stations, areas))
    if osm_stations is None:
        _, pool = rule_in_force(rules, "regionale-pool", day)
        lists = place_pool(lists, areas, pool["piket"])
    _, crewing = rule_in_force(rules, "uitruk", day)
    _, choice = rule_in_force(rules, "beroepskazernes", day)
    tankers = int(choice["beroeps_tankautospuiten_per_kazerne"])
    volunteers = compute_units(lists, np.zeros(len(lists.stations), dtype=np.bool_), crewing, tankers)
    career = compute_career_stations(lists.stations, volunteers, areas, choice)
    if roads is None and travel is None:
        roads = build_national_roads(folder, lists.stations, areas, rules, day)
    notes = [
        f"Kazernes en voertuigen: {'; '.join(map(str, lists.summaries))}.",
        f"Inwoners: {area_summary}; elk gebied is één punt, "
        + ("het midden van het vierkant." if given_areas else "het gewogen midden van zijn adressen."),
        f"Bezetting is aangenomen (te verifiëren): {int(career.sum())} kazernes met beroeps, alle andere met vrije "
        "instroom; uitruktijd en paraatheid volgen uit de regel 'uitruk', niet uit aanlevering door de regio's.",
        NO_VEHICLES
        if osm_stations is not None
        else f"{int(lists.on_call.sum())} voertuigen uit regionale pools (vooral officieren van dienst) hebben in de "
        "lijst geen kazerne: hun plaats is aangenomen (te verifiëren), gespreid naar inwoners volgens de regel "
        "'regionale-pool'.",
        NO_OBJECTS,
    ]
    if lists.differences:
        notes.append(
            f"De kazernelijst telt op {len(lists.differences)} punten andere voertuigen dan de voertuigenlijst; "
            "de voertuigenlijst is gevolgd."
        )
    if roads is not None and roads.kind == "gemodelleerd":
        notes.append(NOTE)
    return Plan(
        name=name,
        day=day,
        regions=regions,
        stations=lists.stations,
        units=compute_units(lists, career, crewing, tankers),
        areas=areas,
        risks=risks or read_profile(),
        rules=rules,
        roads=roads,
        travel=travel,
        notes=tuple(notes),
    )


def build_national_roads(folder: Path, stations: Stations, areas: Areas, rules: Rules, day: datetime.date) -> Roads:
    """Modelled roads between all areas and stations, on the land of ``folder``'s region outlines."""
    _, profile = rule_in_force(rules, "rijprofiel-gemodelleerd", day)
    outlines, _ = read_region_outlines(folder / OUTLINES)
    land = shapely.union_all(shapely.from_geojson(outlines["outline"].to_list()))
    return build_modelled_roads(
        np.concatenate([areas.x_m, stations.x_m]),
        np.concatenate([areas.y_m, stations.y_m]),
        np.concatenate([areas.population, np.zeros(len(stations))]),
        profile["netwerk"],
        land=shapely.transform(land, lambda places: np.column_stack(transform(places[:, 0], places[:, 1]))),
        main_roads=read_main_roads(day.year),
    )


def set_apart(stations: Stations, areas: Areas) -> Stations:
    """The stations, those exactly on an area's point moved BESIDE_POINT_M north of it.

    Both then stand at the middle of the same postcode. Apart they are two front doors with a drive between them;
    on one point they would be the same door, reached in no time.
    """
    points = set(zip(areas.x_m.tolist(), areas.y_m.tolist(), strict=True))
    places = zip(stations.x_m.tolist(), stations.y_m.tolist(), strict=True)
    on_point = np.array([place in points for place in places], dtype=np.bool_)
    return dataclasses.replace(stations, y_m=stations.y_m + np.where(on_point, BESIDE_POINT_M, 0.0))


def compute_career_stations(stations: Stations, units: Units, areas: Areas, choice: dict[str, Any]) -> Flags:
    """Which stations are taken to have a career crew: bool [S], by the rule "beroepskazernes".

    Candidates have a pumper and stand in a municipality of at least ``gemeente_vanaf_inwoners``; those nearest to the
    most residents, as the crow flies, come first, until there are ``aantal``.
    """
    pumper = np.zeros(len(stations), dtype=np.bool_)
    pumper[units.station[capability_column(units, "tankautospuit")]] = True
    with_pumper = np.flatnonzero(pumper)
    place = np.column_stack([areas.x_m, areas.y_m])
    site = np.column_stack([stations.x_m, stations.y_m])
    nearest_station = with_pumper[cKDTree(site[with_pumper]).query(place)[1]]
    residents = np.bincount(nearest_station, weights=areas.population, minlength=len(stations))
    codes, of_area = np.unique(areas.municipality, return_inverse=True)
    of_municipality = np.bincount(of_area, weights=areas.population, minlength=len(codes))
    municipal = of_municipality[of_area[cKDTree(place).query(site)[1]]]
    candidate = pumper & (municipal >= float(choice["gemeente_vanaf_inwoners"]))
    order = np.lexsort((stations.station_id, -residents, ~candidate))[: int(choice["aantal"])]
    career = np.zeros(len(stations), dtype=np.bool_)
    career[order[candidate[order]]] = True
    return career


def read_postcode_areas(path: Path, regions: Regions) -> tuple[Areas, ReadSummary]:
    """PC4 areas with their residents, in the order of the file, without counts of objects. Raises RefusalError."""
    table, summary = read_pc4_areas(path)
    row_of = {code: row for row, code in enumerate(regions.code.tolist())}
    strangers = sorted(set(table["region"]) - set(row_of))
    if strangers:
        raise RefusalError([Finding(path.name, 0, "vr", ", ".join(strangers), "regiocodes VR01 tot en met VR25")])
    areas = Areas(
        area_id=np.array(table["area_id"].to_list(), dtype=np.str_),
        x_m=table["x_m"].to_numpy(),
        y_m=table["y_m"].to_numpy(),
        region=np.array([row_of[code] for code in table["region"]], dtype=np.int32),
        municipality=np.array(table["municipality"].to_list(), dtype=np.str_),
        population=table["population"].to_numpy().astype(np.float32),
        object_classes=(),
        objects=np.zeros((len(table), 0), dtype=np.float32),
        area_class=np.full(len(table), "", dtype=np.str_),
        size_m=table["size_m"].to_numpy().astype(np.float32),
    )
    return areas, summary


def read_square_areas(path: Path, folder: Path, regions: Regions) -> tuple[Areas, ReadSummary]:
    """CBS squares where people live as areas, each in the municipality of ``folder``'s outlines that its middle is in.

    A middle in none, beyond a simplified coast or border, is left out and counted. Raises RefusalError.
    """
    squares, summary = read_squares(path)
    outlines, _ = read_outlines(folder / MUNICIPAL_OUTLINES)
    municipalities, _ = read_municipalities(folder / MUNICIPALITIES)
    code = np.array(find_outline(squares["x_m"].to_numpy(), squares["y_m"].to_numpy(), outlines), dtype=np.str_)
    row_of = {name: row for row, name in enumerate(regions.code.tolist())}
    region_of = dict(zip(municipalities["code"], municipalities["region"], strict=True))
    region = np.array([row_of.get(region_of.get(name, ""), -1) for name in code.tolist()], dtype=np.int32)
    kept = region >= 0
    if not kept.any():
        raise RefusalError([Finding(path.name, 0, "", "geen vierkant in een gemeente", f"als in {MUNICIPAL_OUTLINES}")])
    squares = squares.filter(pl.Series(kept))
    areas = Areas(
        area_id=np.array(squares["area_id"].to_list(), dtype=np.str_),
        x_m=squares["x_m"].to_numpy(),
        y_m=squares["y_m"].to_numpy(),
        region=region[kept],
        municipality=code[kept],
        population=squares["population"].to_numpy().astype(np.float32),
        object_classes=(),
        objects=np.zeros((len(squares), 0), dtype=np.float32),
        area_class=np.full(len(squares), "", dtype=np.str_),
        size_m=squares["size_m"].to_numpy().astype(np.float32),
    )
    outside = {"vierkant buiten de gemeentegrenzen": int((~kept).sum())} if not kept.all() else {}
    return areas, dataclasses.replace(summary, rows_read=len(squares), left_out=summary.left_out | outside)


def add_objects(plan: Plan, path: Path) -> Plan:
    """``plan`` with the objects of a BAG file counted per area and building function, and a note that says so.

    The file holds counts (a CSV with area_id and a column per function) or the objects themselves, which belong to
    the square that they lie in or to the postcode area of their postcode. Raises RefusalError.
    """
    areas = plan.areas
    if path.suffix == ".csv" and "area_id" in read_csv(path).columns:
        objects, summary = read_object_counts(path, areas.area_id)
    else:
        found, summary = read_bag_objects(path)
        squares = len(set(areas.size_m.tolist())) == 1
        place = (
            match_by_square(
                found["x_m"].to_numpy(), found["y_m"].to_numpy(), areas.x_m, areas.y_m, float(areas.size_m[0])
            )
            if squares
            else match_by_postcode(found["postcode"], areas.area_id)
        )
        if not (place >= 0).any():
            expected = "objecten met x en y" if squares else "objecten met een postcode van het plan"
            raise RefusalError([Finding(path.name, 0, "", "geen object dat in een gebied ligt", expected)])
        objects, lost = count_objects(found, place, len(areas))
        summary = dataclasses.replace(summary, left_out=summary.left_out | lost)
    notes = (*(note for note in plan.notes if note != NO_OBJECTS), f"Objecten per gebruiksfunctie: {summary}.")
    counted = dataclasses.replace(areas, object_classes=object_classes(), objects=objects)
    return dataclasses.replace(plan, areas=counted, notes=notes)


def set_matrix(plan: Plan, matrix: Matrix, summary: ReadSummary) -> Plan:
    """``plan`` with a travel-time matrix instead of roads. Raises RefusalError when a station or area is not in it."""
    travel = build_travel(
        matrix, plan.stations.station_id.tolist(), plan.stations.x_m, plan.stations.y_m, plan.areas.area_id.tolist()
    )
    notes = (*(note for note in plan.notes if note != NOTE), f"Rijtijden uit een aangeleverde matrix: {summary}.")
    return dataclasses.replace(plan, roads=None, travel=travel, notes=notes)
