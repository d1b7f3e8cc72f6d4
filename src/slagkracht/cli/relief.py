"""``slagkracht aflossing``: how long it can be kept up, and who relieves whom."""

from __future__ import annotations

import csv
import datetime
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from slagkracht.cli import show
from slagkracht.cli.given import Json, PlanPath, ending
from slagkracht.cli.strength import find_place, parse_asked
from slagkracht.cli.whole import whole_file
from slagkracht.plan import Plan, compute_plan_travel
from slagkracht.relief import (
    REASONS,
    Crews,
    Deployment,
    Endurance,
    Rotation,
    compute_crews,
    compute_endurance,
    compute_home_drive_s,
    compute_rotation,
    compute_shifts,
    compute_travel_min,
    week_from_windows,
)
from slagkracht.reports.relief_chart import compute_relief_rows, draw_rotation
from slagkracht.sources.plan_files import read_plan
from slagkracht.sources.vocabulary import read_rows
from slagkracht.strength import compute_doctrine

SHOWN = 60
"""Lines of the rotation that are printed; a file holds every crew."""


def register(app: typer.Typer) -> None:
    app.command("aflossing")(relieve)


def relieve(
    path: PlanPath,
    asked: Annotated[list[str], typer.Option("--formatie", help="code:aantal, meer mag")],
    place: Annotated[
        str, typer.Option("--plaats", help="naam van een gebied, of x,y in Rijksdriehoeksmeters; leeg = elk thuis")
    ] = "",
    days: Annotated[float, typer.Option("--dagen", help="hoeveel dagen het rooster beslaat")] = 4,
    begin: Annotated[str, typer.Option("--begin", help="wanneer de eerste er staat, als 2026-07-01T08:00")] = "",
    out: Annotated[
        list[Path] | None,
        typer.Option("--uit", help="rooster.csv of rooster.svg, meer mag", callback=ending(".csv", ".svg")),
    ] = None,
    effort: Annotated[float, typer.Option("--inspanning", help="rekenwerk voor het rooster; 0 = snel")] = 10,
    json: Json = False,
) -> None:
    """Hoe lang is het vol te houden, en wie lost wie af?

    Zonder --plaats houdt elke regio het bij zich thuis vol, en komt er geen rooster.

    Voorbeeld: slagkracht aflossing nederland --plaats 188000,470000 --formatie basispeloton:6 --dagen 4
    """
    if days <= 0:
        raise typer.BadParameter(f"--dagen {days:g}: geef meer dan 0")
    if out and not place:
        raise typer.BadParameter("--uit vraagt ook --plaats: zonder plaats is er geen rooster")
    rotation = None
    with ExitStack() as files:
        scratches = [files.enter_context(whole_file(file)) for file in out or []]
        tell = files.enter_context(show.steps())
        tell("plan lezen")
        plan = read_plan(path)
        starts = _moment(begin, plan.day)
        wanted = parse_asked(asked, compute_doctrine(plan.rules, plan.day).formations)
        shifts = compute_shifts(plan)
        week = week_from_windows(read_rows("windows"))
        area = find_place(plan, place) if place else -1
        tell("rijtijden berekenen")
        travel = compute_plan_travel(plan)
        drive_s = travel.drive_s[area] if place else compute_home_drive_s(plan, travel)
        endurance = [
            compute_endurance(
                plan, drive_s, formation, week=week, starts=starts,
                progress=lambda done, total: tell(f"uithoudingsvermogen: {done} van {total} sommen"),
            )
            for formation, _ in wanted
        ]  # fmt: skip
        crews = compute_crews(plan)
        if place:
            tell("rooster maken")
            rotation = compute_rotation(
                crews, compute_travel_min(drive_s, shifts), Deployment(tuple(wanted), starts, days), shifts,
                week=week, regions=len(plan.regions), effort=effort,
            )  # fmt: skip
            for scratch in scratches:
                write_rotation(scratch, plan, crews, rotation, place)
    if json:
        show.as_json(_as_data(plan, crews, endurance, rotation))
        return
    for each in endurance:
        _print_endurance(plan, each, place)
    if rotation is not None:
        _print_rotation(plan, crews, rotation, place)
    for file in out or []:
        show.written(file)
    show.notes(
        (
            "Inzetduur, rust, functiemix en beschikbaarheid zijn aannames (te verifiëren): regels aflossing, "
            "functiemix en vrijwilligers.",
            *plan.notes,
        )
    )


def write_rotation(file: Path, plan: Plan, crews: Crews, rotation: Rotation, place: str) -> None:
    """The rotation as a table (.csv) or as a chart (.svg)."""
    if file.suffix == ".svg":
        file.write_text(draw_rotation(plan, crews, rotation, place), encoding="utf-8")
        return
    rows = compute_relief_rows(plan, crews, rotation)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]) if rows else ["ploeg"])
        writer.writeheader()
        writer.writerows(rows)


def _moment(begin: str, day: datetime.date) -> datetime.datetime:
    if not begin:
        return datetime.datetime.combine(day, datetime.time(8))
    try:
        return datetime.datetime.fromisoformat(begin).replace(tzinfo=None)
    except ValueError:
        raise typer.BadParameter(f"--begin {begin!r} is geen tijdstip; schrijf het als 2026-07-01T08:00") from None


def _figure(value: float) -> str:
    """A whole number of formations, and what the model leaves over as a decimal."""
    return f"{np.floor(value * 10 + 1e-6) / 10:.1f}".replace(".", ",")


def _print_endurance(plan: Plan, endurance: Endurance, place: str) -> None:
    where = f"op {place}" if place else "elke regio bij zich thuis"
    rows = []
    for r in range(len(plan.regions)):
        name = f"{plan.regions.code[r]} {plan.regions.name[r]}"
        scarce = _scarce(endurance.scarce_region[-1, r], endurance.window_region[-1, r], endurance.in_reach[r])
        rows.append([name, scarce, *map(_figure, endurance.per_region[:, r])])
    rows.append(["Samen", _scarce(endurance.scarce[-1], endurance.window[-1], 1.0), *map(_figure, endurance.sustained)])
    show.table(
        f"{endurance.formation.dutch}: hoeveel er vol te houden zijn, {where}",
        ["regio", "eerst op", *(f"{d} dag" if d == 1 else f"{d} dagen" for d in endurance.days.tolist())],
        rows,
        left=2,
    )


def _scarce(resource: str, window: str, in_reach: float) -> str:
    if in_reach == 0:
        return "te ver voor een dienst"
    return f"{resource} ({window})" if resource else "–"


def _print_rotation(plan: Plan, crews: Crews, rotation: Rotation, place: str) -> None:
    rows = _by_formation(plan, crews, rotation)
    title = f"Rooster voor {place}" + (f" (de eerste {SHOWN} van {len(rows)} regels)" if len(rows) > SHOWN else "")
    show.table(
        title,
        ["neemt over", "afgelost", "nr", "regio", "kazernes", "eerste vertrek", "laatste thuis", "uitgerust"],
        rows[:SHOWN],
        left=5,
    )
    show.table(
        "Lasten per regio: ploegdiensten",
        ["regio", "diensten", "evenredig deel"],
        [
            [f"{plan.regions.code[r]} {plan.regions.name[r]}", show.number(rotation.burden[r]),
             show.number(rotation.fair[r])]
            for r in np.flatnonzero((rotation.burden > 0) | (rotation.fair >= 0.5)).tolist()
        ],
    )  # fmt: skip
    for line in say_shortfall(rotation):
        show.screen.print(f"TEKORT {line}", markup=False, soft_wrap=True)
    if not len(rotation.why):
        show.screen.print("Elke post is op elk moment bezet.", markup=False)
    if rotation.method == "bewezen":
        show.screen.print(
            "Bewezen: geen rooster bezet meer posten, en geen is eerlijker met minder rijden.", markup=False
        )
    elif rotation.method == "gevonden":
        show.screen.print(
            f"Beste gevonden rooster: ten hoogste {show.share(rotation.gap)} duurder dan het best mogelijke.",
            markup=False,
        )
    else:
        show.screen.print(
            "Snel gemaakt: hoever het van het beste rooster ligt, is niet berekend (--inspanning 10 doet dat).",
            markup=False,
        )
    show.screen.print()


def _by_formation(plan: Plan, crews: Crews, rotation: Rotation) -> list[list[str]]:
    """One row per formation and relief: who takes over and from where; the files hold every crew by itself."""

    def at(minute: int) -> str:
        return f"{rotation.deployment.starts + datetime.timedelta(minutes=minute):%d-%m %H:%M}"

    rows = []
    for block, formation in sorted({*zip(rotation.block.tolist(), rotation.formation.tolist(), strict=True)}):
        mine = (rotation.block == block) & (rotation.formation == formation)
        stations, count = np.unique(crews.station[rotation.crew[mine]], return_counts=True)
        owners = np.unique(plan.regions.code[crews.region[rotation.crew[mine]]])
        places = ", ".join(
            f"{n} × {plan.stations.name[s]}" if n > 1 else str(plan.stations.name[s])
            for s, n in zip(stations.tolist(), count.tolist(), strict=True)
        )
        rows.append(
            [at(int(rotation.takes_over_min[mine][0])), at(int(rotation.relieved_min[mine].max())), str(formation + 1),
             " ".join(owners.tolist()), places, at(int(rotation.leaves_min[mine].min())),
             at(int(rotation.returns_min[mine].max())), at(int(rotation.rested_min[mine].max()))]
        )  # fmt: skip
    return rows


def say_shortfall(rotation: Rotation) -> list[str]:
    """Every part that is short, in words: when first, how often, and why the crews there are do not fill it."""
    lines = []
    for p, (_, capability, need) in enumerate(rotation.posts):
        short = [(t, why) for t, part, why in rotation.why if part == p]
        if not short:
            continue
        t, why = short[0]
        at = rotation.deployment.starts + datetime.timedelta(
            minutes=int(t) * rotation.deployment.days * 1440 / rotation.blocks
        )
        worst = int(rotation.shortfall[:, p].max())
        reasons = "; ".join(f"{count} {REASONS[code]}" for code, count in why.items() if code != "kan_niet")
        lines.append(
            f"{capability}: in {len(short)} van {rotation.blocks} diensten zijn er van {need} posten tot {worst} leeg, "
            f"voor het eerst op {at:%d-%m om %H:%M}. Van de ploegen: {reasons or 'geen enkele kan dit'}."
        )
    return lines


def _as_data(plan: Plan, crews: Crews, endurance: list[Endurance], rotation: Rotation | None) -> dict[str, Any]:
    return {
        "uithoudingsvermogen": [
            {
                "formatie": each.formation.code,
                "dagen": each.days.tolist(),
                "samen": each.sustained.tolist(),
                "eerst_op": each.scarce.tolist(),
                "venster": each.window.tolist(),
                "regios": [
                    {"regio": str(code), "vol_te_houden": each.per_region[:, r].tolist(),
                     "binnen_bereik": each.in_reach[r], "eerst_op": each.scarce_region[:, r].tolist()}
                    for r, code in enumerate(plan.regions.code.tolist())
                ],
            }
            for each in endurance
        ],
        "rooster": None
        if rotation is None
        else {
            "diensten": compute_relief_rows(plan, crews, rotation),
            "tekort": say_shortfall(rotation),
            "lasten": rotation.burden.tolist(),
            "evenredig": rotation.fair.tolist(),
            "methode": rotation.method,
            "bewezen_tot_op": rotation.gap,
        },
    }  # fmt: skip
