"""Stations and vehicles as volunteers keep them: lists with a code for each vehicle, or points on OpenStreetMap."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.areas import Areas
from slagkracht.regions import Regions
from slagkracht.resources import REGIMES, WINDOWS, Stations, Units
from slagkracht.sources.cbs import read_region_outlines
from slagkracht.sources.csvfile import find_repeats, read_csv
from slagkracht.sources.facts import find_far_stations
from slagkracht.sources.geometry import transform, what_is_wrong
from slagkracht.sources.osm import read_osm_stations
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError
from slagkracht.sources.vocabulary import (
    check_table,
    read_capabilities,
    read_vehicle_types,
)

Flags = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.str_]

POSITION_ERROR_M = {"adres": 0.0, "pc6": 100.0, "pc5": 300.0, "pc4": 600.0}
"""How far off a station stands by how it was placed: medians against known addresses, in metres."""

COUNTED = {
    "n_ts": "tankautospuit",
    "n_rv": "redvoertuig",
    "n_hv": "hulpverlening",
    "n_wo": "waterongevallen",
    "n_wt": "watertank",
}
"""The station list's own counts, and the capability that they count."""

RESERVE_WORDS = ("reserve",)
TRAINING_WORDS = ("opleiding", "oefen", "vakbekwaamheid", "jeugdbrandweer", "& opl")

POOL, OFF_DUTY = "regionale pool zonder kazerne", "regionale pool: wisselt het piket af"
"""Why a vehicle of a regional pool is kept apart, before and after ``place_pool``."""


ASSUMED_VEHICLE = "TS-6"
"""What is taken to stand at a station of OpenStreetMap, which names no vehicles."""

NEAR_REGION_M = 500.0
"""Outlines are simplified by some hundred metres: a station this near to one belongs to it."""


@dataclass(frozen=True, eq=False)
class StationLists:
    """What the lists hold: stations, the vehicles that stand there, and everything that was kept apart, with why.

    ``unit_id``, ``type_code`` str [U] and ``station`` int32 [U] are the standing vehicles; ``on_call`` bool [U] those
    whose crew comes from home, placed by ``place_pool``. ``apart_id``, ``apart_type`` and ``apart_reason`` str [V] are
    the others, ``apart_region`` int32 [V] their region (-1 = none). ``differences`` says in Dutch where the station
    list counts other vehicles than the vehicle list holds. ``summaries`` of the station list and the vehicle list.
    """

    stations: Stations
    unit_id: Strings
    type_code: Strings
    station: npt.NDArray[np.int32]
    on_call: Flags
    apart_id: Strings
    apart_type: Strings
    apart_reason: Strings
    apart_region: npt.NDArray[np.int32]
    differences: tuple[str, ...]
    summaries: tuple[ReadSummary, ...]


def read_station_lists(stations_path: Path, vehicles_path: Path, regions: Regions) -> StationLists:
    """Both lists. Raises RefusalError with every finding of both files."""
    station_table, vehicle_table = read_csv(stations_path), read_csv(vehicles_path)
    listed, findings = check_table(station_table, "listed_station")
    vehicles, more = check_table(vehicle_table, "listed_vehicle")
    findings += more
    if not findings:
        for row, (lon, lat) in enumerate(zip(listed["lon"].tolist(), listed["lat"].tolist(), strict=True), start=2):
            if expected := what_is_wrong(lon, lat):
                findings.append(Finding(station_table.file, row, "lon", f"{lon:g} {lat:g}", expected))
    find_repeats(station_table.file, "id", listed["station_id"].tolist(), findings)
    find_repeats(vehicle_table.file, "roepnummer", vehicles["unit_id"].tolist(), findings)
    known_stations = set(listed["station_id"].tolist())
    for row, station_id in enumerate(vehicles["station_id"].tolist(), start=2):
        if station_id and station_id not in known_stations:
            findings.append(
                Finding(vehicle_table.file, row, "kazerne_id", station_id, f"een id uit {station_table.file}, of leeg")
            )
    if findings:
        raise RefusalError(findings)

    region_row = {code: row for row, code in enumerate(regions.code.tolist())}
    kept = np.array([region in region_row for region in listed["region"].tolist()], dtype=np.bool_)
    x_m, y_m = transform(listed["lon"][kept], listed["lat"][kept])
    stations = Stations(
        station_id=listed["station_id"][kept],
        name=listed["name"][kept],
        region=np.array([region_row[code] for code in listed["region"][kept].tolist()], dtype=np.int32),
        x_m=x_m,
        y_m=y_m,
        position_error_m=np.array([POSITION_ERROR_M[g] for g in listed["geocode"][kept].tolist()], dtype=np.float32),
    )
    station_row = {code: row for row, code in enumerate(stations.station_id.tolist())}
    station = np.array([station_row.get(code, -1) for code in vehicles["station_id"].tolist()], dtype=np.int32)
    reason = np.array(_say_why_apart(vehicles, station), dtype=np.str_)
    standing = reason == ""
    return StationLists(
        stations=stations,
        unit_id=vehicles["unit_id"][standing],
        type_code=vehicles["type_code"][standing],
        station=station[standing],
        on_call=np.zeros(int(standing.sum()), dtype=np.bool_),
        apart_id=vehicles["unit_id"][~standing],
        apart_type=vehicles["type_code"][~standing],
        apart_reason=reason[~standing],
        apart_region=np.array(
            [region_row.get(code, -1) for code in vehicles["region"][~standing].tolist()], dtype=np.int32
        ),
        differences=tuple(_compare_counts(listed, vehicles)),
        summaries=(
            ReadSummary(
                station_table.file,
                int(kept.sum()),
                dict(Counter(f"regio {code} is geen veiligheidsregio" for code in listed["region"][~kept].tolist())),
                {
                    f"kazerne {stations.station_id[row]} ligt ver buiten {regions.code[stations.region[row]]}, "
                    "toch meegenomen": 1
                    for row in find_far_stations(stations)
                },
            ),
            ReadSummary(vehicle_table.file, int(standing.sum()), dict(Counter(reason[~standing].tolist()))),
        ),
    )


def read_osm_station_lists(path: Path, outlines_path: Path, regions: Regions) -> StationLists:
    """The fire stations of an OpenStreetMap extract, each with one ASSUMED_VEHICLE: OSM does not say what stands there.

    A station belongs to the region of ``outlines_path`` that it lies in, or that it lies NEAR_REGION_M from at most
    (simplified coasts); one further out, and one without a place in the extract, is left out and counted. Raises
    RefusalError when either file is refused, or when no station remains.
    """
    listed, summary = read_osm_stations(path)
    outlines, _ = read_region_outlines(outlines_path)
    shapes = shapely.transform(
        shapely.from_geojson(outlines["outline"].to_list()),
        lambda places: np.column_stack(transform(places[:, 0], places[:, 1])),
    )
    x_m, y_m = transform(listed["lon"].to_numpy(), listed["lat"].to_numpy())
    near = shapely.STRtree(shapes).query_nearest(
        shapely.points(x_m, y_m), max_distance=NEAR_REGION_M, all_matches=False
    )
    region_row = {code: row for row, code in enumerate(regions.code.tolist())}
    region = np.full(len(listed), -1, dtype=np.int32)
    region[near[0]] = [region_row.get(code, -1) for code in outlines["code"].gather(near[1]).to_list()]
    kept = region >= 0
    if not kept.any():
        raise RefusalError([Finding(path.name, 0, "", "geen kazerne", "amenity=fire_station in een veiligheidsregio")])
    station_id = np.array(listed["station_id"].to_list(), dtype=np.str_)[kept]
    named = [name or f"kazerne {code}" for code, name in zip(listed["station_id"], listed["name"], strict=True)]
    count, outside = int(kept.sum()), int((~kept).sum())
    nameless = listed["name"].to_list().count("")
    none = np.zeros(0, dtype=np.str_)
    return StationLists(
        stations=Stations(
            station_id=station_id,
            name=np.array(named, dtype=np.str_)[kept],
            region=region[kept],
            x_m=x_m[kept],
            y_m=y_m[kept],
            position_error_m=np.zeros(count, dtype=np.float32),
        ),
        unit_id=np.array([f"{code}-{ASSUMED_VEHICLE}" for code in station_id.tolist()], dtype=np.str_),
        type_code=np.full(count, ASSUMED_VEHICLE),
        station=np.arange(count, dtype=np.int32),
        on_call=np.zeros(count, dtype=np.bool_),
        apart_id=none,
        apart_type=none,
        apart_reason=none,
        apart_region=np.zeros(0, dtype=np.int32),
        differences=(),
        summaries=(
            ReadSummary(
                summary.file,
                count,
                summary.left_out | ({"kazerne buiten de veiligheidsregio's": outside} if outside else {}),
                {f"één {ASSUMED_VEHICLE} op de kazerne (te verifiëren)": count}
                | ({"kazerne zonder naam, genoemd naar haar nummer": nameless} if nameless else {}),
            ),
        ),
    )


def _say_why_apart(vehicles: dict[str, npt.NDArray[Any]], station: npt.NDArray[np.int32]) -> list[str]:
    """Why each vehicle does not stand ready, "" for those that do."""
    types = read_vehicle_types()
    codes = vehicles["type_code"].tolist()
    movers = {s for s, code in zip(station.tolist(), codes, strict=True) if "haakarm" in types[code].capabilities}
    reasons = []
    for code, addition, s in zip(codes, vehicles["addition"].tolist(), station.tolist(), strict=True):
        kind = types[code].kind
        remark = addition.lower()
        if kind == "reserve" or any(word in remark for word in RESERVE_WORDS):
            reasons.append("reservevoertuig")
        elif kind == "opleiding" or any(word in remark for word in TRAINING_WORDS):
            reasons.append("opleiding en oefening")
        elif kind == "dienst":
            reasons.append("dienstvoertuig zonder inzettaak")
        elif s < 0:
            reasons.append(POOL)
        elif kind == "haakarmbak" and s not in movers:
            reasons.append("haakarmbak zonder haakarmvoertuig op de kazerne")
        else:
            reasons.append("")
    return reasons


def _compare_counts(listed: dict[str, npt.NDArray[Any]], vehicles: dict[str, npt.NDArray[Any]]) -> list[str]:
    """Where the station list counts another number than the vehicle list holds (reserve vehicles not counted)."""
    types = read_vehicle_types()
    found: Counter[tuple[str, str]] = Counter()
    for station_id, code in zip(vehicles["station_id"].tolist(), vehicles["type_code"].tolist(), strict=True):
        if types[code].kind != "reserve":
            found.update((station_id, capability) for capability in types[code].capabilities)
    differences = []
    for i, station_id in enumerate(listed["station_id"].tolist()):
        for column, capability in COUNTED.items():
            counted, held = int(listed[column][i]), found[station_id, capability]
            if counted != held:
                where = f"{station_id} {listed['name'][i]}"
                differences.append(f"{where}: {column} telt {counted}, de voertuigenlijst {held} ({capability})")
    return differences


def place_pool(lists: StationLists, areas: Areas, on_duty: dict[str, int]) -> StationLists:
    """``lists`` with the vehicles that are on call in a regional pool standing at stations of their region.

    ``on_duty`` capability → how many a region has on call at a time (rule "regionale-pool", ``piket``), those at a
    station included; the others of the pool take turns with them and stay apart. Each next one starts from the station
    with a pumper that brings it nearest to the residents, given where the others start (as the crow flies).
    """
    types = read_vehicle_types()

    def can(codes: Strings, capability: str) -> Flags:
        return np.array([capability in types[code].capabilities for code in codes.tolist()], dtype=np.bool_)

    station_of = np.full(len(lists.apart_id), -1, dtype=np.int32)
    reason = lists.apart_reason.astype(object)
    pumper = np.zeros(len(lists.stations), dtype=np.bool_)
    pumper[lists.station[can(lists.type_code, "tankautospuit")]] = True
    for capability, most in on_duty.items():
        held, able = can(lists.type_code, capability), can(lists.apart_type, capability)
        for region in np.unique(lists.stations.region).tolist():
            pool = np.flatnonzero(able & (lists.apart_reason == POOL) & (lists.apart_region == region))
            here = lists.station[held & (lists.stations.region[lists.station] == region)].tolist()
            here += station_of[pool[station_of[pool] >= 0]].tolist()  # placed already for another capability
            open_ = pool[station_of[pool] < 0]
            starts = _spread(lists.stations, pumper & (lists.stations.region == region), areas, region, here, most)
            station_of[open_[: len(starts)]] = starts[: len(open_)]
            reason[open_[len(starts) :]] = OFF_DUTY
    placed = station_of >= 0
    reason = reason[~placed].astype(np.str_)
    vehicles = lists.summaries[1]
    return replace(
        lists,
        unit_id=np.concatenate([lists.unit_id, lists.apart_id[placed]]),
        type_code=np.concatenate([lists.type_code, lists.apart_type[placed]]),
        station=np.concatenate([lists.station, station_of[placed]]),
        on_call=np.concatenate([lists.on_call, np.ones(int(placed.sum()), dtype=np.bool_)]),
        apart_id=lists.apart_id[~placed],
        apart_type=lists.apart_type[~placed],
        apart_reason=reason,
        apart_region=lists.apart_region[~placed],
        summaries=(
            lists.summaries[0],
            replace(
                vehicles,
                rows_read=vehicles.rows_read + int(placed.sum()),
                left_out=dict(Counter(reason.tolist())),
            ),
        ),
    )


def _spread(
    stations: Stations, allowed: Flags, areas: Areas, region: int, here: list[int], most: int
) -> npt.NDArray[np.int32]:
    """Stations from which ``most`` in all, ``here`` included, are nearest to ``region``'s residents, one by one."""
    sites, own = np.flatnonzero(allowed), np.flatnonzero(areas.region == region)
    people = areas.population[own].astype(np.float64)
    away_m = np.hypot(areas.x_m[own, None] - stations.x_m, areas.y_m[own, None] - stations.y_m)
    nearest_m = away_m[:, here].min(axis=1, initial=1e6)
    chosen: list[int] = []
    while len(here) + len(chosen) < most and len(sites):
        total = people @ np.minimum(nearest_m[:, None], away_m[:, sites])
        chosen.append(int(sites[np.argmin(total)]))
        nearest_m = np.minimum(nearest_m, away_m[:, chosen[-1]])
    return np.array(chosen, dtype=np.int32)


def compute_units(lists: StationLists, career: Flags, crewing: dict[str, Any], career_tankers: int = 1) -> Units:
    """The standing vehicles as units, crewed by assumption: the lists do not say how a station is crewed.

    ``career`` bool [S] stations with a career crew · ``crewing`` values of the rule "uitruk". At a career station the
    first ``career_tankers`` pumpers and everything else are career; further pumpers, and all other stations, are
    volunteers who come from wherever they are. A later pumper needs a second crew, so its readiness is lower.
    Who is on call comes from home (consignatie). A container or trailer has no crew of its own: it rolls with its
    station, after hooking up.
    """
    types = [read_vehicle_types()[code] for code in lists.type_code.tolist()]
    names = read_capabilities()
    capabilities = np.array([[name in t.capabilities for name in names] for t in types], dtype=np.bool_)
    crew = np.array([t.crew for t in types], dtype=np.int32)
    tanker = capabilities[:, names.index("tankautospuit")]
    place_in_line = np.zeros(len(types), dtype=np.int32)  # the how-manieth pumper of its station, full crews first
    seen: Counter[int] = Counter()
    for row in sorted(np.flatnonzero(tanker).tolist(), key=lambda row: (-crew[row], row)):
        place_in_line[row] = seen[int(lists.station[row])]
        seen[int(lists.station[row])] += 1
    is_career = career[lists.station] & (place_in_line < career_tankers)
    regime = np.where(is_career, REGIMES.index("beroeps"), REGIMES.index("vrije_instroom")).astype(np.int32)
    regime[lists.on_call] = REGIMES.index("consignatie")

    def by_regime(quantity: str) -> npt.NDArray[np.float32]:
        empty = dict.fromkeys(WINDOWS, np.nan)
        table = [[crewing.get(r, {}).get(quantity, empty)[window] for window in WINDOWS] for r in REGIMES]
        return np.array(table, dtype=np.float32)[regime]

    turnout_s = by_regime("mediaan_s")
    turnout_s[crew == 0] += np.float32(crewing["aankoppelen"]["koppeltijd_s"])
    readiness = by_regime("paraatheid")
    later = place_in_line >= np.where(career[lists.station], career_tankers + 1, 1)
    readiness[later] *= np.float32(crewing["volgende_ploeg"]["paraatheid_factor"])
    return Units(
        unit_id=lists.unit_id,
        station=lists.station,
        type_code=lists.type_code,
        capability_names=names,
        capabilities=capabilities,
        crew=crew,
        regime=np.repeat(regime[:, None], len(WINDOWS), axis=1),
        turnout_s=turnout_s,
        turnout_spread=by_regime("spreiding"),
        readiness=readiness,
    )
