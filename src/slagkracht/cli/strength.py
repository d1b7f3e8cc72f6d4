"""``slagkracht slagkracht``: whom do we send, when do they stand there, and what do we leave behind."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer

from slagkracht.cli import show
from slagkracht.cli.plan import Json, PlanPath
from slagkracht.coverage import compute_arrivals, compute_call_handling
from slagkracht.plan import Plan, compute_plan_travel
from slagkracht.resources import compute_standing
from slagkracht.rules import rule_in_force
from slagkracht.sources.plan_files import read_plan
from slagkracht.strength import (
    REASONS,
    Formation,
    Strength,
    compute_cover,
    compute_doctrine,
    compute_floors,
    compute_strength,
)

HOLDERS = 24
"""How many units an area may list as holding it in time; a denser town loses on paper before it does in truth."""


def register(app: typer.Typer) -> None:
    app.command("slagkracht")(propose)
    app.command("formaties")(formations)


def formations(path: PlanPath) -> None:
    """Toon welke formaties de doctrine van dit plan kent.

    Voorbeeld: slagkracht formaties nederland
    """
    plan = read_plan(path)
    rows = []
    for code, each in compute_doctrine(plan.rules, plan.day).formations.items():
        parts = ", ".join(f"{part.count} × {part.capability}" for part in each.parts)
        rows.append(
            [code, each.dutch, parts, "ja" if each.same_region else "nee", show.minutes(each.limit_s), each.status]
        )
    show.table("Formaties", ["code", "naam", "onderdelen", "uit één regio", "norm", "status"], rows, left=3)


def propose(
    path: PlanPath,
    place: Annotated[str, typer.Option("--plaats", help="naam van een gebied, of x,y in Rijksdriehoeksmeters")],
    asked: Annotated[list[str], typer.Option("--formatie", help="code:aantal, meer mag")],
    window: Annotated[str, typer.Option("--venster", help="tijdvenster")] = "dag",
    floors: Annotated[
        bool, typer.Option("--ondergrens/--zonder-ondergrens", help="restdekking van de leners bewaken")
    ] = True,
    exact: Annotated[bool, typer.Option("--exact", help="bewijs hoe goed het voorstel is")] = False,
    json: Json = False,
) -> None:
    """Wie sturen we, wanneer staat het er, wat laten we achter? Met de reden per eenheid.

    Voorbeeld: slagkracht slagkracht nederland --plaats 188000,470000 --formatie basispeloton:6 --formatie handcrew:1
    """
    with show.steps() as tell:
        tell("plan lezen")
        plan = read_plan(path)
        area = find_place(plan, place)
        tell("rijtijden berekenen")
        travel = compute_plan_travel(plan)
        tell("voorstel berekenen")
        standing = compute_standing(plan.units, plan.stations, window)
        handling_s, _ = compute_call_handling(plan)
        _, rule = rule_in_force(plan.rules, "ondergrens", plan.day)
        arrivals = compute_arrivals(
            standing, travel, rule["inzetmogelijkheid"], call_handling_s=handling_s, depth=HOLDERS
        )
        cover = compute_cover(arrivals, len(standing), plan.areas, float(rule["grens_s"]), len(plan.regions))
        strength = compute_strength(
            standing,
            travel.drive_s[area],
            parse_asked(asked, compute_doctrine(plan.rules, plan.day).formations),
            cover,
            compute_floors(cover, float(rule["marge"])) if floors else None,
            exact=exact,
        )
    if json:
        show.as_json(_as_data(plan, strength))
        return
    _print(plan, strength, standing.region, place)
    show.notes(plan.notes)


def find_place(plan: Plan, place: str) -> int:
    """The area (row) that is meant: by its name, or the nearest to x,y in RD metres."""
    names = plan.areas.area_id.tolist()
    if place in names:
        return int(names.index(place))
    try:
        x_m, y_m = (float(part) for part in place.split(","))
    except ValueError:
        raise typer.BadParameter(f"{place!r} is geen gebied van dit plan en geen x,y in meters") from None
    distance_m = np.hypot(plan.areas.x_m - x_m, plan.areas.y_m - y_m)
    if distance_m.min() > 20_000:
        raise typer.BadParameter(f"{place} ligt {distance_m.min() / 1000:.0f} km van het dichtstbijzijnde gebied")
    return int(np.argmin(distance_m))


def parse_asked(asked: list[str], known: dict[str, Formation]) -> list[tuple[Formation, int]]:
    """ "basispeloton:6" as (formation, 6); a bare code means one."""
    wanted = []
    for text in asked:
        code, _, count = text.partition(":")
        if code not in known:
            raise typer.BadParameter(f"formatie {code!r} is onbekend; wel: {', '.join(known)}")
        if count and not count.isdigit():
            raise typer.BadParameter(f"{text!r}: schrijf een aantal als {code}:3")
        wanted.append((known[code], int(count or 1)))
    return wanted


def _print(plan: Plan, strength: Strength, region: Any, place: str) -> None:
    rows = []
    for f, formation in enumerate(strength.formations):
        mine = np.flatnonzero(strength.unit_formation == f)
        owners = sorted({str(plan.regions.code[region[u]]) for u in mine})
        short = ", ".join(f"{n} × {capability}" for capability, n in strength.missing[f].items())
        rows.append(
            [f"{f + 1}. {formation.dutch}", " ".join(owners) or "–",
             show.minutes(strength.complete_s[f]) if not short else "onvolledig", short or "–"]
        )  # fmt: skip
    show.table(f"Voorstel voor {place}", ["formatie", "uit", "staat na", "tekort"], rows, left=2)
    units = sorted(
        np.flatnonzero(strength.unit_formation >= 0).tolist(),
        key=lambda u: (strength.unit_formation[u], strength.arrival_s[u]),
    )
    show.table(
        "Eenheden in volgorde van aankomst",
        ["formatie", "eenheid", "soort", "kazerne", "aankomst"],
        [
            [str(strength.unit_formation[u] + 1), str(plan.units.unit_id[u]), str(plan.units.type_code[u]),
             str(plan.stations.name[plan.units.station[u]]), show.minutes(strength.arrival_s[u])]
            for u in units
        ],
        left=4,
    )  # fmt: skip
    lenders = sorted({int(region[u]) for u in units})
    show.table(
        "Wat de leners overhouden: inwoners op tijd",
        ["regio", "voor", "na", "ondergrens"],
        [
            [f"{plan.regions.code[r]} {plan.regions.name[r]}", show.share(strength.residual_before[r]),
             show.share(strength.residual_after[r]), show.share(strength.floor[r])]
            for r in lenders
        ],
    )  # fmt: skip
    reasons, counts = np.unique(strength.reason, return_counts=True)
    show.table(
        "Waarom anderen niet",
        ["reden", "eenheden"],
        [
            [REASONS[r], show.number(n)]
            for r, n in zip(reasons.tolist(), counts, strict=True)
            if r not in ("gekozen", "andere_taak")
        ],
    )
    if np.isfinite(strength.bound_s):
        gap = strength.cost_s / strength.bound_s - 1 if strength.bound_s > 0 else 0.0
        show.screen.print(f"Bewezen: geen keuze is samen meer dan {show.share(gap)} eerder ter plaatse.", markup=False)


def _as_data(plan: Plan, strength: Strength) -> dict[str, Any]:
    return {
        "formaties": [
            {"formatie": each.code, "staat_na_s": strength.complete_s[f], "tekort": strength.missing[f]}
            for f, each in enumerate(strength.formations)
        ],
        "eenheden": [
            {"eenheid": str(plan.units.unit_id[u]), "reden": str(strength.reason[u]),
             "formatie": int(strength.unit_formation[u]) + 1 or None, "aankomst_s": strength.arrival_s[u]}
            for u in np.flatnonzero(strength.reason != "andere_taak").tolist()
        ],
        "restdekking": [
            {"regio": str(code), "voor": b, "na": a, "ondergrens": f}
            for code, b, a, f in zip(
                plan.regions.code.tolist(), strength.residual_before, strength.residual_after, strength.floor,
                strict=True,
            )
        ],
        "bewezen_ondergrens_s": strength.bound_s,
    }  # fmt: skip
