"""``slagkracht slagkracht``: whom do we send, when do they stand there, and what do we leave behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from scipy.spatial import cKDTree

from slagkracht.cli import show
from slagkracht.cli.given import Json, PlanPath, Window
from slagkracht.coverage import compute_call_handling
from slagkracht.plan import Plan, compute_plan_travel
from slagkracht.resources import Standing, capability_column, compute_standing
from slagkracht.rules import rule_in_force
from slagkracht.sources.plan_files import read_plan
from slagkracht.strength import (
    REASONS,
    Cover,
    Floors,
    Formation,
    MoveUps,
    Strength,
    add_on_call,
    compute_arrival_percentiles,
    compute_doctrine,
    compute_move_ups,
    compute_plan_cover,
    compute_strength,
    floors_in_force,
    limits_in_force,
)
from slagkracht.travel import Travel


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
        ready = ready_plan(path, window, tell)
        area = find_place(ready.plan, place)
        wanted = parse_asked(asked, ready.formations)
        tell("voorstel berekenen")
        strength = compute_strength(
            ready.standing,
            ready.travel.drive_s[area],
            wanted,
            ready.cover,
            ready.floors if floors else None,
            exact=exact,
        )
        tell("zekerheid van de aankomst")
        sure_s = compute_arrival_percentiles(
            ready.standing, ready.travel.drive_s[area], wanted, ready.cover, ready.floors if floors else None,
            travel_spread=ready.travel.spread,
        )  # fmt: skip
        moves = plan_move_ups(ready, strength.unit_formation >= 0) if moving else None
    if json:
        show.as_json(_as_data(ready, strength, sure_s, moves))
        return
    _print(ready, strength, place, sure_s)
    if moves is not None:
        _print_moves(ready, moves)
    show.notes(ready.plan.notes)


@dataclass(frozen=True, eq=False)
class Readied:
    """A plan with everything that strength is computed from, in one time window."""

    plan: Plan
    travel: Travel
    standing: Standing
    cover: Cover
    floors: Floors
    formations: dict[str, Formation]


def ready_plan(path: Path, window: str, tell: Callable[[str], None]) -> Readied:
    """Read a plan and compute its drive times, who stands ready (with those on call), cover, floors and doctrine."""
    tell("plan lezen")
    plan = read_plan(path)
    tell("rijtijden berekenen")
    travel = compute_plan_travel(plan)
    standing = add_on_call(plan, compute_standing(plan.units, plan.stations, window))
    cover = compute_plan_cover(plan, standing, travel)
    formations = compute_doctrine(plan.rules, plan.day).formations
    return Readied(plan, travel, standing, cover, floors_in_force(plan, cover), formations)


def plan_move_ups(ready: Readied, away: npt.NDArray[np.bool_]) -> MoveUps:
    """Which units should move up when those in ``away`` bool [N] are gone, by the plan's own rules."""
    plan, travel = ready.plan, ready.travel
    _, rule = rule_in_force(plan.rules, "ondergrens", plan.day)
    handling_s, _ = compute_call_handling(plan)
    near = cKDTree(np.column_stack([plan.areas.x_m, plan.areas.y_m])).query(
        np.column_stack([travel.origin_x_m, travel.origin_y_m])
    )[1]
    return compute_move_ups(
        ready.standing, capability_column(ready.standing, rule["inzetmogelijkheid"]), travel.drive_s,
        near.astype(np.int32), ready.cover, ready.floors, away, call_handling_s=handling_s,
        limit_s=limits_in_force(plan),
    )  # fmt: skip


def name_unit(ready: Readied, row: int) -> tuple[str, str, str]:
    """What a standing unit is called on screens: (unit, kind, where it starts)."""
    unit = int(ready.standing.unit[row])
    if unit >= 0:
        plan = ready.plan
        return (
            str(plan.units.unit_id[unit]),
            str(plan.units.type_code[unit]),
            str(plan.stations.name[plan.units.station[unit]]),
        )
    able = [n for n, has in zip(ready.standing.capability_names, ready.standing.capabilities[row]) if has]
    return (
        f"op oproep {ready.plan.regions.code[ready.standing.region[row]]}",
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


def _print(ready: Readied, strength: Strength, place: str, sure_s: npt.NDArray[np.float64]) -> None:
    plan, region = ready.plan, ready.standing.region
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
    show.table(
        "Eenheden in volgorde van aankomst",
        ["formatie", "eenheid", "soort", "kazerne", "aankomst"],
        [
            [str(strength.unit_formation[u] + 1), *name_unit(ready, u), show.minutes(strength.arrival_s[u])]
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


def _print_moves(ready: Readied, moves: MoveUps) -> None:
    stations = ready.plan.stations
    show.table(
        "Herbezetting: wie waar gaat staan",
        ["eenheid", "van", "naar", "staat er na", "inwoners weer op tijd"],
        [
            [name_unit(ready, u)[0], name_unit(ready, u)[2], str(stations.name[o]), show.minutes(t), show.number(n)]
            for u, o, t, n in zip(
                moves.unit.tolist(), moves.origin.tolist(), moves.arrival_s, moves.mended, strict=True
            )
        ],
        left=3,
    )
    below = np.flatnonzero(moves.residual_after < np.where(np.isinf(moves.floor), 0, moves.floor) - 1e-9).tolist()
    still = ", ".join(str(ready.plan.regions.code[r]) for r in below)
    show.screen.print(f"Nog onder de ondergrens: {still}." if still else "Elke regio staat boven haar ondergrens.")


def _as_data(
    ready: Readied, strength: Strength, sure_s: npt.NDArray[np.float64], moves: MoveUps | None
) -> dict[str, Any]:
    moved = () if moves is None else zip(moves.unit.tolist(), moves.origin.tolist(), moves.arrival_s, strict=True)
    return {
        "herbezetting": [
            {"eenheid": name_unit(ready, u)[0], "naar": str(ready.plan.stations.name[o]), "staat_na_s": t}
            for u, o, t in moved
        ],
        "formaties": [
            {"formatie": each.code, "staat_na_s": strength.complete_s[f], "p50_s": sure_s[f, 0],
             "p90_s": sure_s[f, 1], "tekort": strength.missing[f]}
            for f, each in enumerate(strength.formations)
        ],
        "eenheden": [
            {"eenheid": name_unit(ready, u)[0], "reden": str(strength.reason[u]),
             "formatie": int(strength.unit_formation[u]) + 1 or None, "aankomst_s": strength.arrival_s[u]}
            for u in np.flatnonzero(strength.reason != "andere_taak").tolist()
        ],
        "restdekking": [
            {"regio": str(code), "voor": b, "na": a, "ondergrens": f}
            for code, b, a, f in zip(
                ready.plan.regions.code.tolist(), strength.residual_before, strength.residual_after, strength.floor,
                strict=True,
            )
        ],
        "bewezen_ondergrens_s": strength.bound_s,
    }  # fmt: skip
