"""``slagkracht plan``: build a plan from lists and deliveries, from public figures alone, or look at one."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from slagkracht.cli import show
from slagkracht.plan import Plan, compute_hash
from slagkracht.roads import Roads
from slagkracht.sources.delivered_plan import apply_delivery
from slagkracht.sources.delivery import read_delivery
from slagkracht.sources.example import read_example
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.national import build_national_plan
from slagkracht.sources.nwb import read_nwb_roads
from slagkracht.sources.osm import read_geojson_roads, read_osm_roads
from slagkracht.sources.plan_files import read_plan, write_plan
from slagkracht.sources.refusal import ReadSummary

commands = typer.Typer(help="Een plan bouwen of bekijken.", no_args_is_help=True, rich_markup_mode=None)

PlanPath = Annotated[Path, typer.Argument(help="map of zip van een plan", metavar="PLAN")]
Out = Annotated[Path, typer.Option("--uit", help="waar het geschreven wordt")]
Day = Annotated[str, typer.Option("--dag", help="dag waarop de regels gelden, als 2026-07-01")]
Json = Annotated[bool, typer.Option("--json", help="uitvoer voor scripts")]


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="plan")


def parse_day(text: str) -> datetime.date:
    """A day as planners write it for programs. Raises typer.BadParameter."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is geen dag; schrijf hem als 2026-07-01") from None


@commands.command("bouw")
def build(
    out: Out,
    source: Annotated[Path, typer.Option("--bron", help="map met kazernes, voertuigen en postcodegebieden")],
    day: Day = "2026-07-01",
    roads: Annotated[
        Path | None, typer.Option("--wegen", help="OSM (.pbf, .osm), NWB (.shp, .gpkg) of .geojson")
    ] = None,
    speeds: Annotated[Path | None, typer.Option("--snelheden", help="snelheden bij het NWB (csv)")] = None,
    delivered: Annotated[
        list[Path] | None, typer.Option("--aanlevering", help="aanlevering van een regio (map of zip), meer mag")
    ] = None,
) -> None:
    """Bouw een plan uit open lijsten en wat de regio's aanleveren; zonder --wegen wordt het wegennet gemodelleerd.

    Voorbeeld: slagkracht plan bouw --bron ../shared/data/nederland --uit nederland
    """
    with show.steps() as tell:
        network = None
        if roads is not None:
            tell(f"wegen lezen uit {roads.name}")
            network, summary = read_roads(roads, speeds, tell)
            show.aside.print(str(summary), markup=False)
        tell("kazernes, voertuigen en gebieden lezen")
        plan = build_national_plan(source, parse_day(day), roads=network)
        for path in delivered or []:
            tell(f"aanlevering {path.name}")
            plan = apply_delivery(plan, read_delivery(path))
        tell("plan schrijven")
        write_plan(plan, out)
    describe(plan)
    show.screen.print(f"Geschreven: {out}", markup=False)


@commands.command("modelland")
def model(
    out: Out,
    areas: Annotated[int, typer.Option("--gebieden", help="aantal gebieden, 342 tot 400.000")] = 4_000,
    seed: Annotated[int, typer.Option("--toeval", help="toevalsgetal; hetzelfde getal geeft hetzelfde land")] = 1,
    day: Day = "2026-07-01",
) -> None:
    """Maak Modelnederland: een land uit openbare cijfers alleen, overal hetzelfde.

    Voorbeeld: slagkracht plan modelland --gebieden 10000 --uit modelland
    """
    with show.steps() as tell:
        tell("Modelnederland maken")
        plan = build_modelland(areas, seed=seed, day=parse_day(day))
        tell("plan schrijven")
        write_plan(plan, out)
    describe(plan)
    show.screen.print(f"Geschreven: {out}", markup=False)


@commands.command("voorbeeld")
def example(
    folder: Annotated[Path, typer.Argument(help="map als examples/toyland", metavar="MAP")],
    out: Out,
    day: Day = "2026-07-01",
) -> None:
    """Maak een plan van een klein land in tabellen, om mee te leren en na te rekenen.

    Voorbeeld: slagkracht plan voorbeeld examples/toyland --uit toyland
    """
    plan = read_example(folder, parse_day(day))
    write_plan(plan, out)
    describe(plan)
    show.screen.print(f"Geschreven: {out}", markup=False)


@commands.command("toon")
def look(path: PlanPath, json: Json = False) -> None:
    """Laat zien wat een plan bevat, per regio, met zijn hash.

    Voorbeeld: slagkracht plan toon nederland
    """
    describe(read_plan(path), json=json)


def read_roads(path: Path, speeds: Path | None, tell: Callable[[str], None]) -> tuple[Roads, ReadSummary]:
    """A road network from any of the formats that are known, by the ending of its name."""
    name = path.name.lower()
    if name.endswith((".shp", ".gpkg")):
        return read_nwb_roads(path, speeds)
    if name.endswith((".geojson", ".json")):
        return read_geojson_roads(path)
    return read_osm_roads(path, progress=lambda what, count: tell(f"{what}: {show.number(count)} gelezen"))


def describe(plan: Plan, *, json: bool = False) -> None:
    """What a plan holds, per region, and what was modelled or left out."""
    regions = len(plan.regions)
    stations = np.bincount(plan.stations.region, minlength=regions)
    units = np.bincount(plan.stations.region[plan.units.station], minlength=regions)
    areas = np.bincount(plan.areas.region, minlength=regions)
    people = np.bincount(plan.areas.region, weights=plan.areas.population, minlength=regions)
    if json:
        rows = zip(plan.regions.code.tolist(), plan.regions.name.tolist(), stations, units, areas, people, strict=True)
        names = ("regio", "naam", "kazernes", "eenheden", "gebieden", "inwoners")
        show.as_json(
            {
                "naam": plan.name,
                "dag": plan.day,
                "hash": compute_hash(plan),
                "wegennet": plan.roads.kind if plan.roads else "matrix",
                "regios": [dict(zip(names, row, strict=True)) for row in rows],
                "kanttekeningen": list(plan.notes),
            }
        )
        return
    rows_text = [
        [f"{code} {name}", *map(show.number, figures)]
        for code, name, *figures in zip(
            plan.regions.code, plan.regions.name, stations, units, areas, people, strict=True
        )
    ]
    rows_text.append(["Nederland", *(show.number(float(column.sum())) for column in (stations, units, areas, people))])
    show.table(
        f"{plan.name} · {plan.day:%d-%m-%Y}", ["regio", "kazernes", "eenheden", "gebieden", "inwoners"], rows_text
    )
    show.notes(plan.notes)
    show.screen.print(f"hash {compute_hash(plan)}", markup=False)
