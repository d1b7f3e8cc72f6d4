"""``slagkracht kaart`` and ``slagkracht rapport``: the map page and the printed plan."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from slagkracht.cli import show
from slagkracht.cli.coverage import compute, compute_variant
from slagkracht.cli.given import Norms, PlanPath, Window, Windows, ending, existing
from slagkracht.cli.risks import compute_calendars
from slagkracht.cli.spread import CURVE_PLACES, HOURS, NO_SPECIALISM, RANKS
from slagkracht.cli.whole import whole_file
from slagkracht.plan import Plan
from slagkracht.relief import compute_endurance, compute_home_drive_s, week_from_windows
from slagkracht.reports.drawing import Drawing, compute_drawing
from slagkracht.reports.map_page import write_map_page
from slagkracht.reports.map_strength import Answers, compute_answers
from slagkracht.reports.printed_plan import write_printed_plan
from slagkracht.reports.results import Result
from slagkracht.reports.strength_chapters import Readiness
from slagkracht.resources import WINDOWS
from slagkracht.risks import compute_simultaneous
from slagkracht.rules import NoRuleError
from slagkracht.sources.outlines import read_outlines
from slagkracht.sources.plan_files import read_plan
from slagkracht.sources.variant_files import read_variant
from slagkracht.sources.vocabulary import read_rows
from slagkracht.strength import (
    Formation,
    Posture,
    compute_asked,
    compute_posture,
    compute_shortfall,
    compute_strength_curve,
    compute_strength_map,
    first_regions_everywhere,
)

Outlines = Annotated[
    Path | None,
    typer.Option("--grenzen", help="regiogrenzen (geojson, gpkg); zonder: uit de gebieden", callback=existing),
]
Polygons = Annotated[
    Path | None, typer.Option("--vlakken", help="vlakken van de gebieden (geojson, gpkg)", callback=existing)
]

WithStrength = Annotated[
    bool, typer.Option("--slagkracht", help="met tekort, risico, slagkracht en uithoudingsvermogen; duurt langer")
]
YEARS, SEED = 20_000, 1


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


def compute_readiness(result: Result, window: str, tell: Callable[[str], None]) -> Readiness:
    """What the chapters and layers on strength show of a plan in one window, with its own risks.

    Raises ValueError when doctrine knows no platoon, NoRuleError for a rule that the plan lacks.
    """
    plan, travel = result.plan, result.travel
    posture = compute_posture(plan, window, travel)
    standing, cover = posture.standing, posture.cover
    platoon = posture.formations.get("basispeloton")
    if platoon is None:
        raise ValueError("de doctrine van dit plan kent geen basispeloton, dus --slagkracht kan niet; zie `formaties`")
    found = compute_shortfall(posture, years=YEARS, seed=SEED, tell=tell)
    tell("slagkracht van elk gebied")
    specialisms = [each for code, each in posture.formations.items() if code not in NO_SPECIALISM]
    wanted = [(platoon, RANKS), *((each, (1,)) for each in specialisms)]
    first = first_regions_everywhere(posture)
    strength = compute_strength_map(standing, travel.drive_s, wanted, cover, posture.floors, first=first)
    curve = compute_curve(posture, platoon)
    tell("uithoudingsvermogen")
    endurance = compute_endurance(
        plan, compute_home_drive_s(plan, travel), platoon, week=week_from_windows(read_rows("windows")),
        starts=datetime.datetime.combine(plan.day, datetime.time(8)),
    )  # fmt: skip
    season, window_of_week, _ = compute_calendars(found.events, plan.risks, found.demand.formations)
    asked = compute_asked(found.events, found.demand.rate_draw, plan.risks, posture.formations)
    return Readiness(
        window, plan.risks, compute_simultaneous(found.events), found.gap, found.together, strength, HOURS, curve,
        endurance, (season, window_of_week), asked, found.unknown, posture.floors.source, YEARS, SEED,
    )  # fmt: skip


def compute_curve(posture: Posture, platoon: Formation) -> npt.NDArray[np.float64]:
    """Platoons that stand within each of HOURS, floors held and without, on average over places: float64 [2, H]."""
    people = posture.plan.areas.population.astype(np.float64)
    places = np.random.default_rng(SEED).choice(len(people), CURVE_PLACES, p=people / people.sum())
    drive_s, weight = posture.travel.drive_s[places], np.ones(CURVE_PLACES)
    return np.stack(
        [
            compute_strength_curve(posture.standing, drive_s, weight, platoon, posture.cover, floors, HOURS)
            for floors in (posture.floors, None)
        ]
    )


def answer_everywhere(result: Result, drawing: Drawing, window: str, tell: Callable[[str], None]) -> Answers | None:
    """Who would come where an incident is put, for every area that is drawn and every formation of doctrine.

    None, with a line that says why, for a plan that lacks a rule which this needs.
    """
    tell("slagkracht van elk gebied")
    try:
        posture = compute_posture(result.plan, window, result.travel)
    except NoRuleError as reason:
        show.aside.print(f"De kaart wordt zonder slagkracht gemaakt: {reason}", markup=False, soft_wrap=True)
        return None
    platoon = posture.formations.get("basispeloton")
    curve = np.zeros((0, len(HOURS))) if platoon is None else compute_curve(posture, platoon)
    return compute_answers(
        posture, drawing, HOURS, curve,
        progress=lambda done, total: tell(f"slagkracht van elk gebied: {100 * done // total} %"),
    )  # fmt: skip


def map_page(
    path: PlanPath,
    out: Annotated[Path, typer.Option("--uit", help="de kaartpagina (html)", callback=ending(".html"))] = Path(
        "kaart.html"
    ),
    windows: Windows = None,
    norms: Norms = None,
    variants: Annotated[
        list[Path] | None, typer.Option("--variant", help="variantbestand (toml), meer mag", callback=existing)
    ] = None,
    outlines: Outlines = None,
    polygons: Polygons = None,
    strength: Annotated[
        bool, typer.Option("--slagkracht/--zonder-slagkracht", help="met wie er komt waar u een incident neerzet")
    ] = True,
) -> None:
    """Maak de kaart: één html-bestand, ook zonder internet.

    Met dekking per norm en tijdvenster, kazernes, en per gebied wie wanneer komt. En met de slagkracht, in het eerste
    van de vensters: hoe snel het eerste tot en met het tiende peloton en elk specialisme overal staan, en wie er komt
    waar u een incident neerzet.

    Voorbeeld: slagkracht kaart nederland --uit nederland.html --grenzen veiligheidsregio.geojson
    """
    with whole_file(out) as scratch, show.steps() as tell:
        tell("plan lezen")
        plan = read_plan(path)
        base = compute(plan, windows, norms, tell=tell)
        results = [base, *(compute_variant(base, read_variant(file)) for file in variants or [])]
        drawing = draw(plan, polygons, outlines)
        answers = answer_everywhere(base, drawing, (windows or WINDOWS)[0], tell) if strength else None
        tell("kaart tekenen")
        write_map_page(scratch, results, drawing, answers=answers)
    show.written(out, "open het in een browser")


def report(
    path: PlanPath,
    out: Annotated[Path, typer.Option("--uit", help="het gedrukte plan (pdf)", callback=ending(".pdf"))] = Path(
        "dekkingsplan.pdf"
    ),
    window: Window = "dag",
    norms: Norms = None,
    outlines: Outlines = None,
    polygons: Polygons = None,
    strength: WithStrength = False,
) -> None:
    """Maak het gedrukte plan: een toegankelijke pdf.

    Een landelijke samenvatting en twee bladzijden per regio; met --slagkracht ook tekort, risico, slagkracht en
    uithoudingsvermogen.

    Voorbeeld: slagkracht rapport nederland --uit dekkingsplan.pdf
    """
    with whole_file(out) as scratch, show.steps() as tell:
        tell("plan lezen")
        plan = read_plan(path)
        result = compute(plan, None, norms, tell=tell)
        readiness = compute_readiness(result, window, tell) if strength else None
        drawing = draw(plan, polygons, outlines)
        write_printed_plan(scratch, result, drawing, window=window, readiness=readiness, progress=tell)
    show.written(out)
