"""``slagkracht volgorde``: which station goes first, second and further to an area, and what the table in use says."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer

from slagkracht.cli import show
from slagkracht.cli.coverage import drive
from slagkracht.cli.given import PlanPath, Window, ending, existing
from slagkracht.cli.whole import whole_file
from slagkracht.coverage import (
    OrderDifferences,
    StationOrder,
    compare_station_order,
    compute_call_handling,
    compute_station_order,
)
from slagkracht.plan import Plan
from slagkracht.reports.tables import write_table
from slagkracht.resources import compute_standing
from slagkracht.sources.order_files import GivenOrder, read_station_order
from slagkracht.sources.plan_files import read_plan

DEEPEST = 100
"""Stations per area that a table may hold."""

SHOWN = 10
"""Differences that are printed; a file holds them all."""


def register(app: typer.Typer) -> None:
    app.command("volgorde")(order)


def order(
    path: PlanPath,
    out: Annotated[Path, typer.Option("--uit", help="tabel (csv of parquet)", callback=ending(".csv", ".parquet"))],
    capability: Annotated[str, typer.Option("--mogelijkheid", help="inzetmogelijkheid")] = "tankautospuit",
    window: Window = "dag",
    depth: Annotated[int, typer.Option("--diepte", help="aantal kazernes per gebied", min=1, max=DEEPEST)] = 15,
    given: Annotated[
        Path | None, typer.Option("--vergelijk", help="bestaande tabel (csv) om naast te leggen", callback=existing)
    ] = None,
    differences_out: Annotated[
        Path | None,
        typer.Option(
            "--verschillen", help="elk verschil als tabel (csv of parquet)", callback=ending(".csv", ".parquet")
        ),
    ] = None,
) -> None:
    """Schrijf de kazernevolgordetabel.

    Over de regiogrenzen heen; met --vergelijk ook waarin een bestaande tabel afwijkt, en met --verschillen elk verschil
    in een tabel.

    Voorbeeld: slagkracht volgorde nederland --uit kvt.csv --vergelijk huidige-kvt.csv --verschillen verschillen.csv
    """
    if differences_out is not None and given is None:
        raise typer.BadParameter("--verschillen vraagt ook --vergelijk, de tabel om naast te leggen")
    with ExitStack() as files, show.steps() as tell:
        scratch = files.enter_context(whole_file(out))
        beside = files.enter_context(whole_file(differences_out)) if differences_out is not None else None
        tell("plan lezen")
        plan = read_plan(path)
        held = None if given is None else read_station_order(given, plan)
        travel = drive(plan, tell)
        handling_s, _ = compute_call_handling(plan)
        standing = compute_standing(plan.units, plan.stations, window)
        found = compute_station_order(standing, travel, capability, call_handling_s=handling_s, depth=depth)
        names = np.append(plan.stations.station_id, "")
        frame = pl.DataFrame(
            {"gebied": plan.areas.area_id, "regio": plan.regions.code[plan.areas.region]}
            | {f"kazerne_{k + 1}": names[found.station[:, k]] for k in range(found.station.shape[1])}
        )
        write_table(scratch, frame)
        differences = None if held is None else compare_station_order(_rows(found, held), held.station)
        if held is not None and differences is not None and beside is not None:
            write_table(beside, _difference_table(plan, found, held, differences))
    show.written(out, f"{show.number(len(frame))} gebieden, {found.station.shape[1]} kazernes diep")
    if given is not None and held is not None and differences is not None:
        _print_differences(plan, given.name, found, held, differences)
    if differences_out is not None:
        show.written(differences_out)


def _rows(found: StationOrder, held: GivenOrder) -> StationOrder:
    """The computed order of the areas that a given table holds."""
    return dataclasses.replace(
        found, area=held.area, station=found.station[held.area], response_s=found.response_s[held.area]
    )


def _difference_table(
    plan: Plan, found: StationOrder, held: GivenOrder, differences: OrderDifferences
) -> pl.DataFrame:  # fmt: skip
    """One row per area that departs or misses: where first, which station stands there, which was computed, how late.

    ``verschil`` is "andere kazerne" or "gebied ontbreekt in de tabel"; ``later_s`` is empty where that is not known,
    because the table's station is not among those computed.
    """
    stations, areas = np.append(plan.stations.station_id, ""), plan.areas
    area = np.concatenate([differences.area, held.missing])
    blank = len(held.missing)
    later_s = np.concatenate([differences.lost_s, np.full(blank, np.nan, dtype=np.float32)])
    return pl.DataFrame(
        {
            "gebied": areas.area_id[area],
            "regio": plan.regions.code[areas.region[area]],
            "inwoners": areas.population[area],
            "verschil": ["andere kazerne"] * len(differences) + ["gebied ontbreekt in de tabel"] * blank,
            "plaats": np.concatenate([differences.place + 1, np.ones(blank, dtype=np.int32)]),
            "kazerne_tabel": stations[np.concatenate([differences.given, np.full(blank, -1, dtype=np.int32)])],
            "kazerne_berekend": stations[np.concatenate([differences.computed, found.station[held.missing, 0]])],
            "later_s": pl.Series(later_s).fill_nan(None),
        }
    )


def _print_differences(
    plan: Plan, file: str, found: StationOrder, held: GivenOrder, differences: OrderDifferences
) -> None:
    """How many areas depart, the largest of them, and apart from those what the table does not hold at all."""
    lost = differences.lost_s[np.isfinite(differences.lost_s)]
    show.screen.print(
        f"{file}: {show.number(len(differences))} van {show.number(len(held.area))} gebieden wijken af; "
        f"gemiddeld {show.minutes(float(lost.mean())) if len(lost) else '0:00'} later op een afwijkende plaats",
        markup=False,
    )
    if len(held.missing):
        some = ", ".join(plan.areas.area_id[held.missing[:SHOWN]].tolist())
        more = f" en {show.number(len(held.missing) - SHOWN)} andere" if len(held.missing) > SHOWN else ""
        counted = "1 gebied" if len(held.missing) == 1 else f"{show.number(len(held.missing))} gebieden"
        show.screen.print(f"Niet in {file}: {counted} van dit plan ({some}{more})", markup=False, soft_wrap=True)
    places = min(held.station.shape[1], found.station.shape[1])
    unheard = np.setdiff1d(found.station[held.area, :places], np.append(held.station, -1))
    if len(unheard):
        some = ", ".join(plan.stations.name[unheard[:SHOWN]].tolist())
        more = f" en {show.number(len(unheard) - SHOWN)} andere" if len(unheard) > SHOWN else ""
        show.screen.print(f"Kazernes die in {file} nergens staan: {some}{more}", markup=False, soft_wrap=True)
    stations = np.append(plan.stations.name, "geen")
    largest = np.argsort(-plan.areas.population[differences.area], kind="stable")[:SHOWN]
    rows = [
        [
            str(plan.areas.area_id[differences.area[d]]),
            str(differences.place[d] + 1),
            str(stations[differences.given[d]]),
            str(stations[differences.computed[d]]),
            show.minutes(float(differences.lost_s[d])),
            show.number(plan.areas.population[differences.area[d]]),
        ]
        for d in largest.tolist()
    ]
    if rows:
        title = "Eerste afwijkende plaats per gebied, de meeste inwoners eerst"
        show.table(title, ["gebied", "plaats", "tabel", "berekend", "later", "inwoners"], rows)
