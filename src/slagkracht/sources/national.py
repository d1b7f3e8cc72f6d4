"""A national plan from open lists: every station and vehicle, four thousand postcode areas and who lives there."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio
import shapely
from scipy.spatial import cKDTree

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import Stations, Units, capability_column
from slagkracht.roads import Roads
from slagkracht.rules import Rules, rule_in_force
from slagkracht.sources.csvfile import find_repeats, numbers, read_csv
from slagkracht.sources.facts import read_regions
from slagkracht.sources.geometry import transform, what_is_wrong
from slagkracht.sources.modelled_roads import build_modelled_roads, read_crossings, read_skeleton
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError
from slagkracht.sources.rule_files import read_rules
from slagkracht.sources.station_lists import compute_units, read_station_lists
from slagkracht.travel import Travel

Flags = npt.NDArray[np.bool_]

STATIONS, VEHICLES = "kazernes_2026.csv", "voertuigen_2026.csv"
POSTCODES = "pc4_2020_2021.csv"
OUTLINES, MOTORWAYS = "veiligheidsregio_2023_wgs84.geojson", "../wegennetten/etis_NL.graphml"


def build_national_plan(
    folder: Path,
    day: datetime.date,
    *,
    rules: Rules | None = None,
    roads: Roads | None = None,
    travel: Travel | None = None,
    name: str = "Landelijk dekkingsplan op open gegevens",
) -> Plan:
    """The plan that the open lists in ``folder`` add up to on ``day``.

    Crewing, turnout and readiness are in no open list: they follow from the rules "uitruk" and "beroepskazernes", and
    ``notes`` says so. With neither ``roads`` nor ``travel``, the roads are modelled (``build_national_roads``).
    ``rules`` None = those of the programme. Raises RefusalError when a list is wrong, NoRuleError when an assumption
    has no value on ``day``.
    """
    rules = rules or read_rules()
    regions = read_regions()
    areas, area_summary = read_postcode_areas(folder / POSTCODES, regions)
    lists = read_station_lists(folder / STATIONS, folder / VEHICLES, regions)
    _, crewing = rule_in_force(rules, "uitruk", day)
    _, choice = rule_in_force(rules, "beroepskazernes", day)
    tankers = int(choice["beroeps_tankautospuiten_per_kazerne"])
    volunteers = compute_units(lists, np.zeros(len(lists.stations), dtype=np.bool_), crewing, tankers)
    career = compute_career_stations(lists.stations, volunteers, areas, choice)
    if roads is None and travel is None:
        roads = build_national_roads(folder, lists.stations, areas, rules, day)
    notes = [
        f"Kazernes en voertuigen: {lists.summaries[0]}; {lists.summaries[1]}.",
        f"Inwoners: {area_summary}; elk gebied is één punt, het gewogen midden van zijn adressen.",
        f"Bezetting is aangenomen (te verifiëren): {int(career.sum())} kazernes met beroeps, alle andere met vrije "
        "instroom; uitruktijd en paraatheid volgen uit de regel 'uitruk', niet uit aanlevering door de regio's.",
        "Aantallen objecten per gebruiksfunctie zijn niet gegeven: inwoners zijn beoordeeld als woonfunctie.",
    ]
    if lists.differences:
        notes.append(
            f"De kazernelijst telt op {len(lists.differences)} punten andere voertuigen dan de voertuigenlijst; "
            "de voertuigenlijst is gevolgd."
        )
    if roads is not None and roads.kind == "gemodelleerd":
        notes.append("Het wegennet is gemodelleerd: rijtijden zijn geen bewijs dat een norm gehaald wordt.")
    return Plan(
        name=name,
        day=day,
        regions=regions,
        stations=lists.stations,
        units=compute_units(lists, career, crewing, tankers),
        areas=areas,
        rules=rules,
        roads=roads,
        travel=travel,
        notes=tuple(notes),
    )


def build_national_roads(folder: Path, stations: Stations, areas: Areas, rules: Rules, day: datetime.date) -> Roads:
    """Modelled roads between all areas and stations, on the land of ``folder``'s region outlines.

    The motorway skeleton is followed where it lies beside the folder. Node i is area i, then station i.
    """
    _, profile = rule_in_force(rules, "rijprofiel-gemodelleerd", day)
    try:
        outlines = pyogrio.read_dataframe(folder / OUTLINES).to_crs(28992)
    except pyogrio.errors.DataSourceError as error:
        raise RefusalError([Finding(OUTLINES, 0, "", str(error), "de omtrekken van de regio's als GeoJSON")]) from error
    motorways = folder / MOTORWAYS
    return build_modelled_roads(
        np.concatenate([areas.x_m, stations.x_m]),
        np.concatenate([areas.y_m, stations.y_m]),
        np.concatenate([areas.population, np.zeros(len(stations))]),
        profile["netwerk"],
        land=shapely.union_all(shapely.make_valid(outlines.geometry.to_numpy())),
        skeleton=read_skeleton(motorways) if motorways.is_file() else None,
        crossings=read_crossings(),
    )


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
    """PC4 areas with their residents, driven to at the address-weighted centre where it is known.

    Raises RefusalError with every finding.
    """
    table = read_csv(path, ("pc4", "inwoners", "km2", "lon_rep", "lat_rep", "lon_adr", "lat_adr", "gm_code_2023", "vr"))
    findings: list[Finding] = []
    find_repeats(table.file, "pc4", table.columns["pc4"], findings)
    population = numbers(table, "inwoners", findings, least=0, empty=True)
    km2 = numbers(table, "km2", findings, least=0)
    lon, lat, lon_adr, lat_adr = (
        numbers(table, name, findings, empty=True) for name in ("lon_rep", "lat_rep", "lon_adr", "lat_adr")
    )
    addressed = ~np.isnan(lon_adr) & ~np.isnan(lat_adr)
    lon, lat = np.where(addressed, lon_adr, lon), np.where(addressed, lat_adr, lat)
    row_of = {code: row for row, code in enumerate(regions.code.tolist())}
    for row, (x, y, code) in enumerate(zip(lon.tolist(), lat.tolist(), table.columns["vr"], strict=True), start=2):
        if not np.isnan(x + y) and (expected := what_is_wrong(x, y)):
            findings.append(Finding(table.file, row, "lon_adr", f"{x:g} {y:g}", expected))
        if code and code not in row_of:
            findings.append(Finding(table.file, row, "vr", code, "een regiocode VR01 tot en met VR25"))
    if findings:
        raise RefusalError(findings)
    has_region = np.array([code != "" for code in table.columns["vr"]], dtype=np.bool_)
    kept = has_region & ~np.isnan(lon + lat)
    x_m, y_m = transform(lon[kept], lat[kept])
    areas = Areas(
        area_id=np.array(table.columns["pc4"], dtype=np.str_)[kept],
        x_m=x_m,
        y_m=y_m,
        region=np.array([row_of[code] for code in np.array(table.columns["vr"])[kept].tolist()], dtype=np.int32),
        municipality=np.array(table.columns["gm_code_2023"], dtype=np.str_)[kept],
        population=np.nan_to_num(population[kept]).astype(np.float32),
        object_classes=(),
        objects=np.zeros((int(kept.sum()), 0), dtype=np.float32),
        area_class=np.full(int(kept.sum()), "", dtype=np.str_),
        size_m=(np.sqrt(km2[kept]) * 1000).astype(np.float32),
    )
    left_out = {"gebied zonder regio of plaats": int((~kept).sum())}
    assumed = {
        "midden van het vlak, want zonder adressen": int((kept & ~addressed).sum()),
        "nul inwoners, want niet opgegeven": int((kept & np.isnan(population)).sum()),
    }
    summary = ReadSummary(
        table.file,
        len(areas),
        {reason: count for reason, count in left_out.items() if count},
        {what: count for what, count in assumed.items() if count},
    )
    return areas, summary
