"""Public figures about the country: regions, municipalities and vehicles, each table with its source and year."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.regions import Regions
from slagkracht.resources import Stations

Strings = npt.NDArray[np.str_]
Metres = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]

FAR_M = 5_000.0
"""A station this far outside every municipality of its own region is named in the summary."""


@dataclass(frozen=True, eq=False)
class RegionFacts:
    """What is counted per safety region, one row each in the order of ``regions``.

    ``control_room`` str [R] · ``municipalities``, ``population``, ``stations``, ``tanker_stations`` int64 [R] ·
    ``vehicle_types`` the usual type code of every main kind of vehicle, ``vehicles`` int64 [R, K] how many there are.
    """

    regions: Regions
    control_room: Strings
    municipalities: Counts
    population: Counts
    stations: Counts
    tanker_stations: Counts
    vehicle_types: tuple[str, ...]
    vehicles: Counts


@dataclass(frozen=True, eq=False)
class Municipalities:
    """The 342 municipalities, one row each.

    ``code``, ``name`` str [G] · ``region`` int32 [G] row of Regions · ``population``, ``dwellings``, ``land_ha``,
    ``urbanity`` int64 [G] · ``nature_share`` float64 [G] of the surface, 0–1 (nan = not given) · ``x_m``, ``y_m``
    float64 [G] RD New, where the people live on average · ``land_x_m``, ``land_y_m``, ``long_m``, ``short_m``,
    ``bearing_deg`` float64 [G] the ellipse that spreads like its land: centre, full axes, direction of the long axis
    clockwise from north · ``outline_ha`` int64 [G] its surface with inland waters · ``landmass`` str [G] the piece of
    land that it lies on.
    """

    code: Strings
    name: Strings
    region: Indices
    population: Counts
    dwellings: Counts
    land_ha: Counts
    urbanity: Counts
    nature_share: Metres
    x_m: Metres
    y_m: Metres
    land_x_m: Metres
    land_y_m: Metres
    long_m: Metres
    short_m: Metres
    bearing_deg: Metres
    outline_ha: Counts
    landmass: Strings

    def __len__(self) -> int:
        return len(self.code)


def read_regions() -> Regions:
    """The 25 safety regions in the order of their codes, VR01–VR25."""
    table = _read("facts/regions.csv")
    return Regions(code=np.array(table["code"]), name=np.array(table["name"]))


def read_region_facts() -> RegionFacts:
    """The counts per region of ``nl/facts/regions.csv`` and ``nl/facts/vehicles.csv``."""
    table, vehicles = _read("facts/regions.csv"), _read("facts/vehicles.csv")
    types = tuple(name for name in vehicles if name != "region")
    return RegionFacts(
        regions=read_regions(),
        control_room=np.array(table["control_room"]),
        municipalities=np.array(table["municipalities"], np.int64),
        population=np.array(table["population"], np.int64),
        stations=np.array(table["stations"], np.int64),
        tanker_stations=np.array(table["tanker_stations"], np.int64),
        vehicle_types=types,
        vehicles=np.column_stack([np.array(vehicles[name], np.int64) for name in types]),
    )


def read_municipalities() -> Municipalities:
    """The figures of ``nl/facts/municipalities.csv``, with places in RD New."""
    table = _read("facts/municipalities.csv")
    rows = {code: row for row, code in enumerate(read_regions().code)}

    def numbers(column: str) -> Metres:
        return np.array([float(value) if value else np.nan for value in table[column]])

    x_m, y_m = to_rd(numbers("centre_lon"), numbers("centre_lat"))
    land_x_m, land_y_m = to_rd(numbers("land_lon"), numbers("land_lat"))
    return Municipalities(
        code=np.array(table["code"]),
        name=np.array(table["name"]),
        region=np.array([rows[code] for code in table["region"]], np.int32),
        population=np.array(table["population"], np.int64),
        dwellings=np.array(table["dwellings"], np.int64),
        land_ha=np.array(table["land_ha"], np.int64),
        urbanity=np.array(table["urbanity"], np.int64),
        nature_share=numbers("nature_share") / 100,
        x_m=x_m,
        y_m=y_m,
        land_x_m=land_x_m,
        land_y_m=land_y_m,
        long_m=numbers("long_km") * 1000,
        short_m=numbers("short_km") * 1000,
        bearing_deg=numbers("bearing_deg"),
        outline_ha=np.array(table["outline_ha"], np.int64),
        landmass=np.array(table["landmass"]),
    )


@dataclass(frozen=True, eq=False)
class MainRoad:
    """One course of a main road, driven both ways.

    ``name`` as "A2" · ``kind`` "autosnelweg", "autoweg" or "weg" · ``x_m``, ``y_m`` float64 [V] RD New, to about a
    kilometre. Two courses meet where they share a vertex.
    """

    name: str
    kind: str
    x_m: Metres
    y_m: Metres


def read_main_roads(year: int) -> tuple[MainRoad, ...]:
    """The country's motorways, expressways and regional main roads that are open in ``year``."""
    table = _read("facts/hoofdwegen.csv")
    lines = zip(table["weg"], table["soort"], table["sinds"], shapely.from_wkt(table["lijn"]))
    return tuple(
        MainRoad(name, kind, *to_rd(*shapely.get_coordinates(line).T))
        for name, kind, since, line in lines
        if not since or int(since) <= year
    )


def read_building_functions() -> dict[str, float]:
    """How many addresses of every main function there are per dwelling, from ``nl/facts/building_functions.csv``."""
    table = _read("facts/building_functions.csv")
    counts = dict(zip(table["function"], map(float, table["addresses"])))
    return {name: count / counts["woonfunctie"] for name, count in counts.items()}


def read_crossings() -> tuple[tuple[str, ...], Metres]:
    """The fixed crossings of wide water: names, and x and y in RD New of both banks, float64 [X, 4]."""
    table = _read("facts/vaste_oeververbindingen.csv")
    ends = [to_rd(*(np.array(table[f"{axis}_{end}"], np.float64) for axis in ("lon", "lat"))) for end in (1, 2)]
    return tuple(table["naam"]), np.column_stack([*ends[0], *ends[1]])


def to_rd(lon: Metres, lat: Metres) -> tuple[Metres, Metres]:
    """RD New from WGS84 to within a metre, in whole metres: the same on every machine, with no grid files to miss.

    F.H. Schreutelkamp and G.L. Strang van Hees, Benaderingsformules voor de transformatie tussen RD- en
    WGS84-kaartcoördinaten, Geodesia 2001-2.
    """
    p, q = 0.36 * (lat - 52.15517440), 0.36 * (lon - 5.38720621)
    pp, qq = p * p, q * q
    x = 155000 + q * (
        190094.945 - 11832.228 * p - 114.221 * pp - 2.340 * pp * p
        + qq * (-32.391 - 0.608 * p + 0.148 * pp)
    ) - 0.705 * p - 0.008 * qq  # fmt: skip
    y = 463000 + (
        309056.544 * p + 73.077 * pp + 59.788 * pp * p + 0.433 * q
        + qq * (3638.893 - 157.984 * p - 6.439 * pp + 0.092 * qq - 0.054 * p * qq) - 0.032 * p * q
    )  # fmt: skip
    return np.round(x), np.round(y)


def _read(name: str) -> dict[str, list[str]]:
    """The columns of a table of ours under ``nl/``; lines that begin with # tell where its figures come from."""
    path = resources.files("slagkracht").joinpath("nl", *name.split("/"))
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return {column: [row[column] for row in rows] for column in rows[0]}


def find_far_stations(stations: Stations) -> list[int]:
    """Rows of stations further than FAR_M outside the land of every municipality of their region, taken as a circle."""
    municipalities = read_municipalities()
    far = []
    for region in np.unique(stations.region).tolist():
        here, own = np.flatnonzero(stations.region == region), municipalities.region == region
        away_m = np.hypot(
            stations.x_m[here, None] - municipalities.land_x_m[own],
            stations.y_m[here, None] - municipalities.land_y_m[own],
        )
        outside_m = (away_m - municipalities.long_m[own] / 2).min(axis=1, initial=math.inf)
        far += here[outside_m > FAR_M].tolist()
    return sorted(far)
