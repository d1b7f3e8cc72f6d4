"""Modelnederland: a country that looks like the Netherlands, made from public figures alone, the same on every machine.

It is the embedded default for the demo, the tests and the benchmarks, from a few hundred areas up to 400,000 areas,
1,000 stations and 2 million road nodes. It is a model: no address, station or road in it is a real one.
"""

from __future__ import annotations

import datetime

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.rules import Rules, rule_in_force
from slagkracht.sources.facts import (
    Municipalities,
    read_building_functions,
    read_crossings,
    read_municipalities,
    read_region_facts,
)
from slagkracht.sources.modelland.land import Cells, fit_weights, lay_cells, lay_settlements, spread_people
from slagkracht.sources.modelland.stations import lay_stations
from slagkracht.sources.modelland.streets import build_streets
from slagkracht.sources.national import compute_career_stations
from slagkracht.sources.risk_files import read_profile
from slagkracht.sources.rule_files import read_rules
from slagkracht.sources.station_lists import compute_units

Indices = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]

NAME = "Modelnederland"
NOTES = (
    "Modelnederland is gemodelleerd: gemeenten met hun ware inwonertal, oppervlak en ligging, maar gebieden, dorpen, "
    "kazernes en wegen zijn getekend door een rekenregel en bestaan niet.",
    "Kazernes en voertuigen zijn per veiligheidsregio geteld (lijst van 1 juli 2026) en verdeeld naar inwoners en "
    "oppervlak; bezetting, uitruktijd en paraatheid zijn aangenomen volgens de regels 'beroepskazernes' en 'uitruk'.",
    "Rijtijden over gemodelleerde wegen zijn geen bewijs dat een norm gehaald wordt.",
)

CAREER_OF_STATIONS = 106 / 949
"""Share of stations crewed by career staff day and night (NIPV, 2022)."""

STAIRWELL_SHARE = np.array([0.0, 0.30, 0.15, 0.07, 0.03, 0.01])
"""Share of dwellings on a shared stairwell (portiekwoning) per CBS urbanity 1–5: assumed, the BAG has no such class."""


def build_modelland(
    areas: int = 2_000,
    stations: int | None = None,
    nodes: int | None = None,
    seed: int = 1,
    day: datetime.date = datetime.date(2026, 7, 1),
    rules: Rules | None = None,
) -> Plan:
    """Modelnederland with ``areas`` squares, ``stations`` (None = as many as there are) and ``nodes`` of road.

    At least 342 areas and 25 stations; ``nodes`` None gives 12 for every area, at least 30,000 and at most 1,500,000.
    The same arguments give the same plan hash on every machine. Without ``rules`` those of the programme hold; the
    risks are its starter set. Raises ValueError when the numbers are too small for 342 municipalities and 25 regions.
    """
    nodes = nodes or min(max(30_000, 12 * areas), 1_500_000)
    rules = rules or read_rules()
    facts, regions = read_municipalities(), read_region_facts()
    dice = [np.random.Generator(np.random.PCG64([seed, stage])) for stage in range(4)]
    weight_m2 = fit_weights(facts)
    land = lay_cells(facts, weight_m2, int(facts.outline_ha.sum()) // 100)
    cells = lay_cells(facts, weight_m2, areas)
    settlements = lay_settlements(facts, land, min(3_500, max(len(facts), nodes // 8)), dice[0])
    people = spread_people(facts, cells, settlements)
    squares = _areas(facts, cells, people)
    lists = lay_stations(facts, regions, land, spread_people(facts, land, settlements), stations, dice[1])
    _, crewing = rule_in_force(rules, "uitruk", day)
    _, choice = rule_in_force(rules, "beroepskazernes", day)
    choice = {**choice, "aantal": round(CAREER_OF_STATIONS * len(lists.stations))}
    tankers = int(choice["beroeps_tankautospuiten_per_kazerne"])
    volunteers = compute_units(lists, np.zeros(len(lists.stations), np.bool_), crewing, tankers)
    career = compute_career_stations(lists.stations, volunteers, squares, choice)
    return Plan(
        name=NAME,
        day=day,
        regions=regions.regions,
        stations=lists.stations,
        units=compute_units(lists, career, crewing, tankers),
        areas=squares,
        risks=read_profile(),
        rules=rules,
        roads=build_streets(facts, land, cells, people, settlements, read_crossings()[1], nodes, dice[2]),
        travel=None,
        notes=NOTES,
    )


def compute_outlines(areas: Areas, regions: Regions) -> Shapes:
    """The outline of each region: shapely geometry [R] in RD New, its squares (one size, in one grid) dissolved."""
    cell_m = float(np.sqrt(np.square(areas.size_m, dtype=np.float64).mean()))
    column = np.round((areas.x_m - areas.x_m.min()) / cell_m).astype(np.int64)
    row = np.round((areas.y_m - areas.y_m.min()) / cell_m).astype(np.int64)
    order = np.lexsort((column, row, areas.region))
    column, row, region = column[order], row[order], areas.region[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (np.diff(column) != 1) | (np.diff(row) != 0) | (np.diff(region) != 0)
    start = np.flatnonzero(begins)
    end = np.append(start[1:], len(order)) - 1
    west, south = areas.x_m.min() - cell_m / 2, areas.y_m.min() - cell_m / 2
    strips = shapely.box(
        west + column[start] * cell_m,
        south + row[start] * cell_m,
        west + (column[end] + 1) * cell_m,
        south + (row[start] + 1) * cell_m,
    )
    outlines = np.empty(len(regions), np.object_)
    for row_of_region in range(len(regions)):
        outlines[row_of_region] = shapely.union_all(strips[region[start] == row_of_region], grid_size=0.01)
    return outlines


def _areas(facts: Municipalities, cells: Cells, people: Indices) -> Areas:
    """Squares with their people, and objects in the proportions of the BAG, by the classes of Bvr article 3.2.1."""
    functions = read_building_functions()
    homes = people * (facts.dwellings / facts.population)[cells.municipality]
    stairwell = STAIRWELL_SHARE[facts.urbanity][cells.municipality]
    objects = {name: homes * share for name, share in functions.items()}
    objects |= {"woonfunctie": homes * (1 - stairwell), "portiekwoning": homes * stairwell}
    density = people / (cells.cell_m * cells.cell_m / 1e6)
    nature = np.nan_to_num(facts.nature_share)[cells.municipality]
    area_class = np.select(
        [density >= 2_500, density >= 500, (density < 50) & (nature >= 0.2)],
        ["stedelijk", "dorps", "natuur"],
        "landelijk",
    )
    width = len(str(len(cells)))
    return Areas(
        area_id=np.char.add("M", np.char.zfill(np.arange(1, len(cells) + 1).astype(np.str_), width)),
        x_m=np.round(cells.x_m, 1),
        y_m=np.round(cells.y_m, 1),
        region=facts.region[cells.municipality],
        municipality=facts.code[cells.municipality],
        population=people.astype(np.float32),
        object_classes=tuple(objects),
        objects=np.column_stack([np.round(count, 2) for count in objects.values()]).astype(np.float32),
        area_class=area_class,
        size_m=np.full(len(cells), cells.cell_m, np.float32),
    )


__all__ = ["build_modelland", "compute_outlines"]
