"""A national plan from open lists: every station and vehicle, four thousand postcode areas and who lives there."""

from __future__ import annotations

import datetime
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import Stations, Units, capability_column
from slagkracht.roads import Roads
from slagkracht.rules import Rule, Rules, RuleVersion, rule_in_force
from slagkracht.sources.csvfile import find_repeats, numbers, read_csv
from slagkracht.sources.geometry import transform, what_is_wrong
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError
from slagkracht.sources.station_lists import compute_units, read_station_lists
from slagkracht.travel import Travel

Flags = npt.NDArray[np.bool_]

STATIONS, VEHICLES = "kazernes_2026.csv", "voertuigen_2026.csv"
POSTCODES, MUNICIPALITIES = "pc4_2020_2021.csv", "gemeente_vr.csv"


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
    ``notes`` says so. Without ``roads`` and ``travel`` the plan has no drive times yet. Raises RefusalError when a
    list is wrong, NoRuleError when an assumption has no value on ``day``.
    """
    rules = rules or read_crewing_rules()
    regions = read_regions(folder / MUNICIPALITIES)
    areas, area_summary = read_postcode_areas(folder / POSTCODES, regions)
    lists = read_station_lists(folder / STATIONS, folder / VEHICLES, regions)
    _, crewing = rule_in_force(rules, "uitruk", day)
    _, choice = rule_in_force(rules, "beroepskazernes", day)
    tankers = int(choice["beroeps_tankautospuiten_per_kazerne"])
    volunteers = compute_units(lists, np.zeros(len(lists.stations), dtype=np.bool_), crewing, tankers)
    career = compute_career_stations(lists.stations, volunteers, areas, choice)
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


def read_regions(path: Path) -> Regions:
    """The regions named in a list of municipalities (columns vr_code and vr_naam), in order of code."""
    table = read_csv(path, ("vr_code", "vr_naam"))
    names = dict(zip(table.columns["vr_code"], table.columns["vr_naam"], strict=True))
    codes = sorted(names)
    return Regions(np.array(codes, dtype=np.str_), np.array([names[code] for code in codes], dtype=np.str_))


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


def read_crewing_rules() -> Rules:
    """The rules of nl/rules/opkomst: how a station is crewed and how soon it rolls where no region says so."""
    folder = resources.files("slagkracht") / "nl" / "rules" / "opkomst"
    found = [
        tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".toml")
    ]
    return Rules(
        tuple(
            Rule(
                **{key: text[key] for key in ("code", "kind", "dutch", "source", "status", "region")},
                versions=tuple(RuleVersion(v["starts"], v.get("ends"), v["values"]) for v in text["versions"]),
                cases=tuple(text.get("cases", ())),
            )
            for text in sorted(found, key=lambda text: (text["code"], text["region"]))
        )
    )
