"""``slagkracht plan``: build a plan from lists and deliveries, from public figures alone, or look at one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from slagkracht.cli import show
from slagkracht.cli.dutch import Group
from slagkracht.cli.given import Day, Json, Out, PlanPath, existing, parse_day
from slagkracht.plan import Plan, compute_hash
from slagkracht.roads import Roads
from slagkracht.sources.delivered_plan import apply_delivery, build_delivered_plan
from slagkracht.sources.delivery import read_delivery
from slagkracht.sources.example import read_example
from slagkracht.sources.facts import read_regions
from slagkracht.sources.matrix import UNITS, read_matrix
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.national import add_objects, build_national_plan, read_square_areas, set_matrix
from slagkracht.sources.nwb import read_nwb_roads
from slagkracht.sources.osm import read_geojson_roads, read_osm_roads
from slagkracht.sources.plan_files import read_plan, write_plan
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError
from slagkracht.sources.risk_files import read_profile
from slagkracht.sources.rule_files import check_places, national_rules, read_rules

commands = typer.Typer(cls=Group, help="Een plan bouwen of bekijken.", no_args_is_help=True, rich_markup_mode=None)

MARGIN_M = 5_000.0
"""An area this far outside the extent of given roads has none of its own."""


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="plan")


@commands.command("bouw")
def build(
    out: Out,
    source: Annotated[
        Path | None, typer.Option("--bron", help="map met kazernes, voertuigen en postcodegebieden", callback=existing)
    ] = None,
    day: Day = "2026-07-01",
    stations: Annotated[
        Path | None,
        typer.Option(
            "--kazernes", help="kazernes uit OSM (.pbf, .osm) in plaats van de lijst van --bron", callback=existing
        ),
    ] = None,
    roads: Annotated[
        Path | None, typer.Option("--wegen", help="OSM (.pbf, .osm), NWB (.shp, .gpkg) of .geojson", callback=existing)
    ] = None,
    speeds: Annotated[
        Path | None, typer.Option("--snelheden", help="snelheden bij het NWB (csv)", callback=existing)
    ] = None,
    matrix: Annotated[
        Path | None, typer.Option("--matrix", help="eigen rijtijden in plaats van wegen (csv)", callback=existing)
    ] = None,
    unit: Annotated[str, typer.Option("--eenheid", help="waarin de matrix telt: minuten of seconden")] = "minuten",
    squares: Annotated[
        Path | None, typer.Option("--vierkanten", help="CBS-vierkanten als gebieden (gpkg)", callback=existing)
    ] = None,
    objects: Annotated[
        Path | None, typer.Option("--bag", help="objecten of tellingen per gebruiksfunctie", callback=existing)
    ] = None,
    delivered: Annotated[
        list[Path] | None,
        typer.Option("--aanlevering", help="aanlevering van een regio (map of zip), meer mag", callback=existing),
    ] = None,
    profiles: Annotated[
        list[Path] | None,
        typer.Option(
            "--profiel", help="risicoprofiel (map met scenario's), meer mag; zonder: de startset", callback=existing
        ),
    ] = None,
    rules_folder: Annotated[
        Path | None, typer.Option("--regels", help="map met eigen regels van regio's (toml)", callback=existing)
    ] = None,
) -> None:
    """Bouw een plan uit lijsten en aanleveringen.

    Uit open lijsten (--bron), uit wat regio's aanleveren (--aanlevering), of uit beide. Met --kazernes komen de
    kazernes uit OpenStreetMap; dat noemt geen voertuigen, dus op elke wordt één tankautospuit aangenomen.

    Zonder --wegen of --matrix wordt het wegennet gemodelleerd; het plan zegt dat dan bij elke uitkomst.

    Voorbeeld: slagkracht plan bouw --bron ../shared/data/nederland --uit nederland

    Voorbeeld: slagkracht plan bouw --aanlevering vr06.zip --aanlevering vr07.zip --wegen nederland.osm.pbf --uit oost
    """
    if source is None and not delivered:
        raise typer.BadParameter("geef --bron, of een of meer keren --aanlevering")
    if source is None and roads is None and matrix is None:
        raise typer.BadParameter("aanleveringen alleen vragen ook --wegen of --matrix")
    if source is None and squares is not None:
        raise typer.BadParameter("--vierkanten vraagt ook --bron, voor de gemeentegrenzen")
    if source is None and stations is not None:
        raise typer.BadParameter("--kazernes vraagt ook --bron, voor de gebieden en de grenzen")
    if unit not in UNITS:
        raise typer.BadParameter(f"--eenheid {unit!r}: kies uit {', '.join(UNITS)}")
    with show.steps() as tell:
        rules = read_rules(national_rules(), rules_folder) if rules_folder is not None else read_rules()
        risks = read_profile(*(profiles or ()))
        network = None
        if roads is not None:
            tell(f"wegen lezen uit {roads.name}")
            network, summary = read_roads(roads, speeds, tell)
            show.aside.print(str(summary), markup=False, soft_wrap=True)
        handed_in = []
        for path in delivered or []:
            tell(f"aanlevering {path.name}")
            handed_in.append(read_delivery(path))
        if source is not None:
            tell("kazernes, voertuigen en gebieden lezen")
            areas = read_square_areas(squares, source, read_regions()) if squares is not None else None
            plan = build_national_plan(
                source,
                parse_day(day),
                rules=rules,
                risks=risks,
                roads=network,
                given_areas=areas,
                osm_stations=stations,
            )
            for delivery in sorted(handed_in, key=lambda each: each.region):
                plan = apply_delivery(plan, delivery)
        else:
            plan = build_delivered_plan(handed_in, parse_day(day), rules, network, risks=risks)
        if network is not None and roads is not None:
            plan = lay_upon(plan, network, roads.name)
        if objects is not None:
            tell(f"objecten tellen uit {objects.name}")
            plan = add_objects(plan, objects)
        if matrix is not None:
            tell(f"rijtijden lezen uit {matrix.name}")
            plan = set_matrix(plan, *read_matrix(matrix, unit=unit))
        check_places(plan.rules, plan.areas)
        tell("plan schrijven")
        write_plan(plan, out)
    describe(plan)
    show.written(out)


@commands.command("modelland")
def model(
    out: Out,
    areas: Annotated[
        int, typer.Option("--gebieden", help="aantal gebieden, één per gemeente of meer", min=342, max=400_000)
    ] = 4_000,
    seed: Annotated[int, typer.Option("--toeval", help="toevalsgetal; hetzelfde getal geeft hetzelfde land")] = 1,
    day: Day = "2026-07-01",
) -> None:
    """Maak Modelnederland, een land uit openbare cijfers.

    Voorbeeld: slagkracht plan modelland --gebieden 10000 --uit modelland
    """
    with show.steps() as tell:
        tell("Modelnederland maken")
        plan = build_modelland(areas, seed=seed, day=parse_day(day))
        tell("plan schrijven")
        write_plan(plan, out)
    describe(plan)
    show.written(out)


@commands.command("voorbeeld")
def example(
    folder: Annotated[Path, typer.Argument(help="map als examples/toyland", metavar="MAP", callback=existing)],
    out: Out,
    day: Day = "2026-07-01",
) -> None:
    """Maak een plan van een klein land in tabellen.

    Om mee te leren en met de hand na te rekenen.

    Voorbeeld: slagkracht plan voorbeeld examples/toyland --uit toyland
    """
    plan = read_example(folder, parse_day(day))
    write_plan(plan, out)
    describe(plan)
    show.written(out)


@commands.command("toon")
def look(path: PlanPath, json: Json = False) -> None:
    """Toon wat een plan bevat, per regio.

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


def lay_upon(plan: Plan, roads: Roads, file: str) -> Plan:
    """``plan`` with a note of how many areas lie beyond these roads. Raises RefusalError when all do."""
    beyond = (plan.areas.x_m < roads.x_m.min() - MARGIN_M) | (plan.areas.x_m > roads.x_m.max() + MARGIN_M)
    beyond |= (plan.areas.y_m < roads.y_m.min() - MARGIN_M) | (plan.areas.y_m > roads.y_m.max() + MARGIN_M)
    if beyond.all():
        raise RefusalError([Finding(file, 0, "", "wegen elders: geen gebied ligt erbij", "de wegen van deze gebieden")])
    if not beyond.any():
        return plan
    note = f"{show.number(beyond.sum())} van {show.number(len(beyond))} gebieden liggen buiten het wegennet van {file}."
    return dataclasses.replace(plan, notes=(*plan.notes, note))


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
                "scenarios": [risk.code for risk in plan.risks.risks],
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
    rows_text.append(
        [show.whole(plan), *(show.number(float(column.sum())) for column in (stations, units, areas, people))]
    )
    show.table(
        f"{plan.name} · {plan.day:%d-%m-%Y}", ["regio", "kazernes", "eenheden", "gebieden", "inwoners"], rows_text
    )
    unsure = sum(risk.status != "vastgesteld" for risk in plan.risks.risks)
    show.screen.print(
        f"Risicoprofiel: {len(plan.risks.risks)} scenario's, waarvan {unsure} te verifiëren\n", markup=False
    )
    show.notes(plan.notes)
    show.screen.print(f"hash {compute_hash(plan)}", markup=False)
