"""``slagkracht slagkracht``: whom do we send, when do they stand there, and what do we leave behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from slagkracht.areas import find_area
from slagkracht.cli import show
from slagkracht.cli.given import Json, PlanPath, Window
from slagkracht.plan import Plan
from slagkracht.sources.plan_files import read_plan
from slagkracht.sources.risk_files import read_profile
from slagkracht.strength import (
    REASONS_WHERE_ASSIGNED,
    Formation,
    MoveUps,
    Posture,
    Strength,
    compute_arrival_percentiles,
    compute_doctrine,
    compute_move_ups_for,
    compute_posture,
    compute_strength,
    first_regions_at,
)


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
    for each in compute_doctrine(plan.rules, plan.day).formations.values():
        if each.assignment is None:
            continue
        places: dict[str, list[str]] = {}
        for place, goes_first in each.assignment.first_in:
            places.setdefault(goes_first, []).append(place)
        names = dict(zip(plan.regions.code.tolist(), plan.regions.name.tolist(), strict=True))
        show.table(
            f"{each.dutch}: welke regio waar voorgaat ({each.assignment.status})",
            ["regio", "gaat voor in"],
            [[f"{code} {names.get(code, '')}", " ".join(served)] for code, served in sorted(places.items())],
            left=2,
        )
        show.notes((each.assignment.source,))


def propose(
    path: PlanPath,
    place: Annotated[str, typer.Option("--plaats", help="naam van een gebied, of x,y in Rijksdriehoeksmeters")],
    asked: Annotated[list[str], typer.Option("--formatie", help="code:aantal, meer mag")],
    window: Window = "dag",
    floors: Annotated[
        bool, typer.Option("--ondergrens/--zonder-ondergrens", help="restdekking van de leners bewaken")
    ] = True,
    exact: Annotated[bool, typer.Option("--exact", help="bewijs hoe goed het voorstel is")] = False,
    moving: Annotated[
        bool, typer.Option("--herbezetting", help="wie waar gaat staan om de ondergrens te halen")
    ] = False,
    json: Json = False,
) -> None:
    """Wie sturen we, wanneer staat het er, wat laten we achter? Met de reden per eenheid.

    Voorbeeld: slagkracht slagkracht nederland --plaats 188000,470000 --formatie basispeloton:6 --formatie handcrew:1
    """
    with show.steps() as tell:
        posture = read_posture(path, window, tell)
        area = find_place(posture.plan, place)
        wanted = parse_asked(asked, posture.formations)
        first = first_regions_at(posture, area)
        tell("voorstel berekenen")
        strength = compute_strength(
            posture.standing,
            posture.travel.drive_s[area],
            wanted,
            posture.cover,
            posture.floors if floors else None,
            first=first,
            exact=exact,
        )
        tell("zekerheid van de aankomst")
        sure_s = compute_arrival_percentiles(
            posture.standing, posture.travel.drive_s[area], wanted, posture.cover, posture.floors if floors else None,
            travel_spread=posture.travel.spread, first=first,
        )  # fmt: skip
        moves = compute_move_ups_for(posture, strength.unit_formation >= 0) if moving else None
    if json:
        show.as_json(_as_data(posture, strength, sure_s, moves))
        return
    _print(posture, strength, place, sure_s)
    if exact and not np.isfinite(strength.bound_s):
        whole = not any(strength.missing)
        why = "binnen de rekentijd werd geen bewijs gevonden" if whole else "er ontbreekt te veel om alles te vormen"
        show.screen.print(f"Niet bewezen: {why}; dit is de snelle keuze.\n", markup=False)
    show.notes(_say_who_goes_first(posture, strength, first))
    if moves is not None:
        _print_moves(posture, moves)
    show.notes(posture.plan.notes)


def read_posture(path: Path, window: str, tell: Callable[[str], None], profiles: list[Path] | None = None) -> Posture:
    """Read a plan and see how it stands in a window, step by step aloud; ``profiles`` stand in for its own risks."""
    tell("plan lezen")
    plan = read_plan(path)
    if profiles:
        plan = dataclasses.replace(plan, risks=read_profile(*profiles))
    tell("rijtijden berekenen")
    return compute_posture(plan, window)


def name_unit(posture: Posture, row: int) -> tuple[str, str, str]:
    """What a standing unit is called on screens: (unit, kind, where it starts)."""
    unit = int(posture.standing.unit[row])
    if unit >= 0:
        plan = posture.plan
        return (
            str(plan.units.unit_id[unit]),
            str(plan.units.type_code[unit]),
            str(plan.stations.name[plan.units.station[unit]]),
        )
    able = [n for n, has in zip(posture.standing.capability_names, posture.standing.capabilities[row]) if has]
    return (
        f"op oproep {posture.plan.regions.code[posture.standing.region[row]]}",
        " ".join(able),
        "geen kazerne in de lijst",
    )


def find_place(plan: Plan, place: str) -> int:
    """The area (row) that is meant: by its name, or the nearest to x,y in RD metres."""
    names = plan.areas.area_id.tolist()
    if place in names:
        return int(names.index(place))
    try:
        x_m, y_m = (float(part) for part in place.split(","))
    except ValueError:
        raise typer.BadParameter(f"{place!r} is geen gebied van dit plan en geen x,y in meters") from None
    area = find_area(plan.areas, x_m, y_m)
    away_m = float(np.hypot(plan.areas.x_m[area] - x_m, plan.areas.y_m[area] - y_m))
    if not away_m <= 20_000:
        raise typer.BadParameter(f"{place} ligt {away_m / 1000:.0f} km van het dichtstbijzijnde gebied")
    return area


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


def _print(posture: Posture, strength: Strength, place: str, sure_s: npt.NDArray[np.float64]) -> None:
    plan, region = posture.plan, posture.standing.region
    rows = []
    for f, formation in enumerate(strength.formations):
        mine = np.flatnonzero(strength.unit_formation == f)
        owners = sorted({str(plan.regions.code[region[u]]) for u in mine})
        short = ", ".join(f"{n} × {capability}" for capability, n in strength.missing[f].items())
        rows.append(
            [f"{f + 1}. {formation.dutch}", " ".join(owners) or "–",
             show.minutes(strength.complete_s[f]) if not short else "onvolledig",
             *(show.minutes(seconds) if np.isfinite(seconds) else "niet zeker" for seconds in sure_s[f]), short or "–"]
        )  # fmt: skip
    show.table(f"Voorstel voor {place}", ["formatie", "uit", "staat na", "P50", "P90", "tekort"], rows, left=2)
    units = sorted(
        np.flatnonzero(strength.unit_formation >= 0).tolist(),
        key=lambda u: (strength.unit_formation[u], strength.arrival_s[u]),
    )
    if units:
        _print_units(posture, strength, units)
    else:
        lacking = " of ".join(sorted({part.capability for each in strength.formations for part in each.parts}))
        suits = (strength.reason != "andere_taak").any()
        why = "niemand kan er komen" if suits else f"geen enkele eenheid van dit plan heeft {lacking}"
        show.screen.print(f"Er gaat niemand: {why}.\n", markup=False, soft_wrap=True)
    reasons, counts = np.unique(strength.reason, return_counts=True)
    why_not = [
        [REASONS_WHERE_ASSIGNED[r], show.number(n)]
        for r, n in zip(reasons.tolist(), counts, strict=True)
        if r not in ("gekozen", "andere_taak")
    ]
    if why_not:
        show.table("Waarom anderen niet", ["reden", "eenheden"], why_not)
    elif units:
        show.screen.print("Waarom anderen niet: geen andere eenheid van dit plan kan dit.\n", markup=False)
    if np.isfinite(strength.bound_s):
        gap = strength.cost_s / strength.bound_s - 1 if strength.bound_s > 0 else 0.0
        sooner = "eerder" if gap < 0.0005 else f"meer dan {show.share(gap)} eerder"
        show.screen.print(f"Bewezen: geen andere keuze is samen {sooner} ter plaatse.\n", markup=False)


def _print_units(posture: Posture, strength: Strength, units: list[int]) -> None:
    """Who goes, in order of arrival, and what their regions keep."""
    plan, region = posture.plan, posture.standing.region
    show.table(
        "Eenheden in volgorde van aankomst",
        ["formatie", "eenheid", "soort", "kazerne", "aankomst"],
        [
            [str(strength.unit_formation[u] + 1), *name_unit(posture, u), show.minutes(strength.arrival_s[u])]
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
             show.share(strength.residual_after[r]),
             "leent niet uit" if np.isinf(strength.floor[r]) else show.share(strength.floor[r])]
            for r in lenders
        ],
    )  # fmt: skip
    broken = np.flatnonzero(np.isfinite(strength.floor) & (strength.residual_before < strength.floor - 1e-9))
    if len(broken):
        named = ", ".join(str(plan.regions.code[r]) for r in broken)
        show.screen.print(
            f"Nu al onder de eigen ondergrens: {named}. Daar gaat alleen wat niemand zou missen.\n", markup=False
        )


def _say_who_goes_first(posture: Posture, strength: Strength, first: dict[str, int]) -> list[str]:
    """Per assigned formation which region goes first here by which rule, and when it could not."""
    lines = []
    for formation in dict.fromkeys(strength.formations):
        if formation.assignment is None or formation.code not in first:
            continue
        who = first[formation.code]
        name = f"{posture.plan.regions.code[who]} {posture.plan.regions.name[who]}"
        came = any(
            strength.goes_first[f] == who for f, each in enumerate(strength.formations) if each.code == formation.code
        )
        outcome = "gaat hier voor" + ("" if came else ", maar kan er nu geen volledig brengen: wie het eerst kan, gaat")
        lines.append(
            f"{formation.dutch}: {name} {outcome} (regel {formation.assignment.rule}, {formation.assignment.status})."
        )
    return lines


def _print_moves(posture: Posture, moves: MoveUps) -> None:
    stations = posture.plan.stations
    show.table(
        "Herbezetting: wie waar gaat staan",
        ["eenheid", "van", "naar", "staat er na", "inwoners weer op tijd"],
        [
            [name_unit(posture, u)[0], name_unit(posture, u)[2], str(stations.name[o]), show.minutes(t), show.number(n)]
            for u, o, t, n in zip(
                moves.unit.tolist(), moves.origin.tolist(), moves.arrival_s, moves.mended, strict=True
            )
        ],
        left=3,
    )
    below = np.flatnonzero(moves.residual_after < np.where(np.isinf(moves.floor), 0, moves.floor) - 1e-9).tolist()
    still = ", ".join(str(posture.plan.regions.code[r]) for r in below)
    show.screen.print(f"Nog onder de ondergrens: {still}." if still else "Elke regio staat boven haar ondergrens.")


def _as_data(
    posture: Posture, strength: Strength, sure_s: npt.NDArray[np.float64], moves: MoveUps | None
) -> dict[str, Any]:
    moved = () if moves is None else zip(moves.unit.tolist(), moves.origin.tolist(), moves.arrival_s, strict=True)
    return {
        "herbezetting": [
            {"eenheid": name_unit(posture, u)[0], "naar": str(posture.plan.stations.name[o]), "staat_na_s": t}
            for u, o, t in moved
        ],
        "formaties": [
            {"formatie": each.code, "staat_na_s": strength.complete_s[f], "p50_s": sure_s[f, 0],
             "p90_s": sure_s[f, 1], "tekort": strength.missing[f],
             "aangewezen_regio": str(posture.plan.regions.code[strength.goes_first[f]])
             if strength.goes_first[f] >= 0 else None}
            for f, each in enumerate(strength.formations)
        ],
        "eenheden": [
            {"eenheid": name_unit(posture, u)[0], "reden": str(strength.reason[u]),
             "formatie": int(strength.unit_formation[u]) + 1 or None, "aankomst_s": strength.arrival_s[u]}
            for u in np.flatnonzero(strength.reason != "andere_taak").tolist()
        ],
        "restdekking": [
            {"regio": str(code), "voor": b, "na": a, "ondergrens": f}
            for code, b, a, f in zip(
                posture.plan.regions.code.tolist(), strength.residual_before, strength.residual_after, strength.floor,
                strict=True,
            )
        ],
        "bewezen_ondergrens_s": strength.bound_s,
    }  # fmt: skip
