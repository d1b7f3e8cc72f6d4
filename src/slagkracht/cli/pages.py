"""``slagkracht kaart`` and ``slagkracht rapport``: the map page and the printed plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slagkracht.cli import show
from slagkracht.cli.coverage import compute, compute_variant
from slagkracht.cli.given import Norms, PlanPath, Window, Windows, existing
from slagkracht.cli.whole import whole_file
from slagkracht.plan import Plan
from slagkracht.reports.drawing import Drawing, compute_drawing
from slagkracht.reports.map_page import write_map_page
from slagkracht.reports.printed_plan import write_printed_plan
from slagkracht.sources.outlines import read_outlines
from slagkracht.sources.plan_files import read_plan
from slagkracht.sources.variant_files import read_variant

Outlines = Annotated[
    Path | None,
    typer.Option("--grenzen", help="regiogrenzen (geojson, gpkg); zonder: uit de gebieden", callback=existing),
]
Polygons = Annotated[
    Path | None, typer.Option("--vlakken", help="vlakken van de gebieden (geojson, gpkg)", callback=existing)
]


def register(app: typer.Typer) -> None:
    app.command("kaart")(map_page)
    app.command("rapport")(report)


def draw(plan: Plan, polygons: Path | None, outlines: Path | None) -> Drawing:
    """What is drawn of a plan: given shapes where there are, else shapes made from its points."""
    return compute_drawing(
        plan,
        None if polygons is None else read_outlines(polygons, ("gebied", "pc4", "code"), plan.areas.area_id.tolist()),
        None
        if outlines is None
        else read_outlines(outlines, ("code", "statcode", "regio"), plan.regions.code.tolist()),
    )


def map_page(
    path: PlanPath,
    out: Annotated[Path, typer.Option("--uit", help="de kaartpagina (html)")] = Path("kaart.html"),
    windows: Windows = None,
    norms: Norms = None,
    variants: Annotated[
        list[Path] | None, typer.Option("--variant", help="variantbestand (toml), meer mag", callback=existing)
    ] = None,
    outlines: Outlines = None,
    polygons: Polygons = None,
) -> None:
    """Maak de kaart: één html-bestand, ook zonder internet.

    Met dekking per norm en tijdvenster, kazernes, en per gebied wie wanneer komt.

    Voorbeeld: slagkracht kaart nederland --uit nederland.html --grenzen veiligheidsregio.geojson
    """
    with whole_file(out) as scratch, show.steps() as tell:
        tell("plan lezen")
        plan = read_plan(path)
        base = compute(plan, windows, norms, tell=tell)
        results = [base, *(compute_variant(base, read_variant(file)) for file in variants or [])]
        tell("kaart tekenen")
        write_map_page(scratch, results, draw(plan, polygons, outlines))
    show.written(out, "open het in een browser")


def report(
    path: PlanPath,
    out: Annotated[Path, typer.Option("--uit", help="het gedrukte plan (pdf)")] = Path("dekkingsplan.pdf"),
    window: Window = "dag",
    norms: Norms = None,
    outlines: Outlines = None,
    polygons: Polygons = None,
) -> None:
    """Maak het gedrukte plan: een toegankelijke pdf.

    Een landelijke samenvatting en twee bladzijden per regio.

    Voorbeeld: slagkracht rapport nederland --uit dekkingsplan.pdf
    """
    with whole_file(out) as scratch, show.steps() as tell:
        tell("plan lezen")
        plan = read_plan(path)
        result = compute(plan, None, norms, tell=tell)
        write_printed_plan(scratch, result, draw(plan, polygons, outlines), window=window, progress=tell)
    show.written(out)
