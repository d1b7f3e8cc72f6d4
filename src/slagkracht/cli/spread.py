"""``slagkracht spreiding`` and ``slagkrachtkaart``: where scarce teams should stand, and how soon all are anywhere."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import polars as pl
import typer

from slagkracht.areas import find_area
from slagkracht.cli import show
from slagkracht.cli.given import Json, PlanPath, ProfilePaths, Window, ending
from slagkracht.cli.strength import read_posture
from slagkracht.cli.whole import whole_file
from slagkracht.resources import capability_column
from slagkracht.strength import (
    Allocation,
    Formation,
    Posture,
    compute_strength_curve,
    compute_strength_map,
    compute_within_s,
    first_regions_everywhere,
    solve_allocation,
)
from slagkracht.travel import UNREACHABLE

RANKS = (1, 2, 4, 10)
NO_SPECIALISM = ("basispeloton", "basiseenheid", "compagnie")
HOURS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
TIMES = ("formatie", "helft", "negen_op_tien", "zonder_ondergrens", "nooit")
CURVE_PLACES = 50
"""Areas, drawn by residents, over which the nation's curve is averaged."""


def register(app: typer.Typer) -> None:
    app.command("spreiding")(spread)
    app.command("slagkrachtkaart")(strength_map)


def spread(
    path: PlanPath,
    code: Annotated[str, typer.Option("--formatie", help="schaarse formatie, zoals handcrew")] = "handcrew",
    profiles: ProfilePaths = None,
    hours: Annotated[
        float | None, typer.Option("--binnen-uren", min=0.1, help="aankomstnorm; zonder: de regel tijdigheid")
    ] = None,
    budget: Annotated[
        float, typer.Option("--budget", min=0, help="hoogstens, in kosten van een bestaande ploeg")
    ] = 1e9,
    new_cost: Annotated[
        float, typer.Option("--nieuw-kost", min=0.01, help="een nieuwe ploeg, als bestaande = 1")
    ] = 2.0,
    most: Annotated[int, typer.Option("--hoogstens-per-regio", min=1, help="eerlijke spreiding")] = 3,
    window: Window = "dag",
    json: Json = False,
) -> None:
    """Waar horen schaarse ploegen te staan, en bij wie, zodat elk scenario ze op tijd heeft tegen de minste kosten?

    Voorbeeld: slagkracht spreiding nederland --formatie handcrew --hoogstens-per-regio 2
    """
    with show.steps() as tell:
        posture = read_posture(path, window, tell, profiles)
        if code not in posture.formations:
            raise ValueError(f"formatie {code!r} is onbekend; wel: {', '.join(posture.formations)}")
        formation = posture.formations[code]
        places, need, weight, areas = asked_places(posture, code)
        if not len(need):
            raise ValueError(f"geen scenario met een plaats vraagt {formation.dutch.lower()}: er is niets te spreiden")
        tell("spreiding berekenen")
        limit_s = 3600.0 * hours if hours else float(compute_within_s(posture.plan, [formation])[0])
        sites, arrival_s, have = candidate_sites(posture, formation, areas)
        found = solve_allocation(
            arrival_s, np.full(len(need), limit_s), need, weight, posture.plan.stations.region[sites], have,
            new_cost=new_cost, budget=budget, most_per_region=most, regions=len(posture.plan.regions),
        )  # fmt: skip
    rows = [
        (int(sites[s]), int(found.teams[s]), int(found.kept[s]), int(have[s]))
        for s in np.flatnonzero((found.teams > 0) | (have > 0)).tolist()
    ]
    stations, codes = posture.plan.stations, posture.plan.regions.code
    short = [(places[p], int(need[p]), int(found.short[p]), bool(found.unreachable[p])) for p in range(len(places))]
    if json:
        show.as_json(
            {
                "formatie": code,
                "binnen_s": limit_s,
                "houders": [
                    {"regio": str(codes[stations.region[o]]), "kazerne": str(stations.name[o]), "ploegen": n, "nu": now}
                    for o, n, _, now in rows
                ],
                "plaatsen": [{"plaats": name, "gevraagd": asked, "tekort": lacks} for name, asked, lacks, _ in short],
                "kosten": found.cost,
                "kosten_ondergrens": found.bound,
            }
        )
        return
    show.table(
        f"{formation.dutch}: wie houdt er hoeveel, zodat zij binnen {show.minutes(limit_s)} op elke plaats staan",
        ["regio", "kazerne", "ploegen", "blijft", "nieuw", "nu"],
        [
            [str(codes[stations.region[o]]), str(stations.name[o]), str(n), str(kept), str(n - kept), str(now)]
            for o, n, kept, now in rows
        ],
        left=2,
    )  # fmt: skip
    lacking = [row for row in short if row[2]]
    if lacking:
        show.table(
            "Waar het niet lukt",
            ["plaats", "gevraagd", "tekort", "waarom"],
            [
                [name, str(asked), str(lacks), "te ver van elke kazerne" if far else "budget of maximum per regio"]
                for name, asked, lacks, far in lacking
            ],
        )
    show.screen.print(_proof(found), markup=False, soft_wrap=True)
    show.notes(posture.plan.notes)


def asked_places(
    posture: Posture, code: str
) -> tuple[list[str], npt.NDArray[np.int32], npt.NDArray[np.float64], list[int]]:
    """Every place where a formation is asked: names, the most asked at once, the yearly weight, and the area (row)."""
    most: dict[str, tuple[int, float, int]] = {}
    for risk in posture.plan.risks.risks:
        count = max((need.count for need in risk.needs if need.formation == code), default=0)
        total = sum(place.weight for place in risk.places)
        for place in risk.places if count else ():
            asked, weight, area = most.get(place.name, (0, 0.0, find_area(posture.plan.areas, place.x_m, place.y_m)))
            most[place.name] = (max(asked, count), weight + risk.rate_per_year * place.weight / total, area)
    rows = list(most.values())
    return (
        list(most),
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array([row[1] for row in rows], dtype=np.float64),
        [row[2] for row in rows],
    )


def candidate_sites(
    posture: Posture, formation: Formation, areas: list[int]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Stations where a team might stand: those that hold one now, and of each region the two soonest where it is asked.

    (rows of Stations [S], arrival_s float64 [P, S], teams there now int32 [S]). A team counts by its first part.
    """
    standing, drive_s = posture.standing, posture.travel.drive_s[areas]
    holder = np.zeros(len(standing), dtype=np.bool_)
    if formation.parts[0].capability in standing.capability_names:
        holder = capability_column(standing, formation.parts[0].capability)
    have = np.bincount(standing.origin[holder], minlength=len(posture.plan.stations)).astype(np.int32)
    sites = set(np.flatnonzero(have).tolist())
    mean_s = drive_s.mean(axis=0)
    for r in range(len(posture.plan.regions)):
        own = np.flatnonzero(posture.plan.stations.region == r)
        sites |= set(own[np.argsort(mean_s[own], kind="stable")[:1]].tolist())
        sites |= set(own[np.argsort(drive_s[:, own].min(axis=0), kind="stable")[:1]].tolist())
    rows = np.array(sorted(sites), dtype=np.int32)
    turnout_s = float(np.median(standing.turnout_s[holder])) if holder.any() else 0.0
    drive = drive_s[:, rows].astype(np.float64)
    arrival_s = np.where(drive == UNREACHABLE, np.inf, drive + turnout_s + formation.assembly_s)
    return rows, arrival_s, have[rows]


def _proof(found: Allocation) -> str:
    gap = found.cost / found.bound - 1 if found.bound > 0 else 0.0
    return (
        f"Kosten {found.cost:g} (in ploegen); bewezen: goedkoper dan {found.bound:g} kan niet bij even weinig tekort"
        f" (gat {show.share(gap)})."
    ).replace(".0 ", " ")


def strength_map(
    path: PlanPath,
    out: Annotated[
        Path | None, typer.Option("--uit", help="csv met de tijden van elk gebied", callback=ending(".csv"))
    ] = None,
    window: Window = "dag",
    json: Json = False,
) -> None:
    """Hoe snel staan het eerste, tweede, vierde en tiende peloton en elk specialisme overal, met en zonder ondergrens?

    Voorbeeld: slagkracht slagkrachtkaart nederland --uit slagkracht.csv
    """
    with show.steps() as tell, whole_file(out) if out is not None else nullcontext() as scratch:
        posture = read_posture(path, window, tell)
        platoon = posture.formations.get("basispeloton")
        if platoon is None:
            raise ValueError("de doctrine van dit plan kent geen basispeloton; zie 'slagkracht formaties'")
        wanted: list[tuple[Formation, tuple[int, ...]]] = [(platoon, RANKS)]
        for code, each in posture.formations.items():
            if code not in NO_SPECIALISM:
                wanted.append((each, (1,)))
        tell("elk gebied doorrekenen")
        found = compute_strength_map(
            posture.standing, posture.travel.drive_s, wanted, posture.cover, posture.floors,
            first=first_regions_everywhere(posture),
            progress=lambda done, total: tell(f"elk gebied doorrekenen: {100 * done // total} %"),
        )  # fmt: skip
        people = posture.plan.areas.population.astype(np.float64)
        chosen = np.random.default_rng(1).choice(len(people), CURVE_PLACES, p=people / people.sum())
        curve = [
            compute_strength_curve(
                posture.standing,
                posture.travel.drive_s[chosen],
                np.ones(CURVE_PLACES),
                platoon,
                posture.cover,
                floors,
                HOURS,
            )
            for floors in (posture.floors, None)
        ]
        names = [f"{f.code} {rank}" for f, rank in zip(found.formation, found.rank)]
        if scratch is not None:
            columns: dict[str, npt.NDArray[np.generic]] = {"gebied": posture.plan.areas.area_id}
            for k, name in enumerate(names):
                columns[f"{name} (s)"] = _seconds(found.complete_s[:, k])
                columns[f"{name} zonder ondergrens (s)"] = _seconds(found.free_s[:, k])
            pl.DataFrame(columns, nan_to_null=True).write_csv(scratch)
    rows = []
    for k, name in enumerate(names):
        half, most = _weighted(found.complete_s[:, k], people, 0.5), _weighted(found.complete_s[:, k], people, 0.9)
        free = _weighted(found.free_s[:, k], people, 0.5)
        never = float(people[np.isinf(found.complete_s[:, k])].sum() / people.sum())
        rows.append([name, show.minutes(half), show.minutes(most), show.minutes(free), show.share(never)])
    if json:
        show.as_json(
            {
                "tijden": [dict(zip(TIMES, row, strict=True)) for row in rows],
                "uren": list(HOURS), "pelotons": curve[0].tolist(),
                "pelotons_zonder_ondergrens": curve[1].tolist(),
            }
        )  # fmt: skip
        return
    show.table(
        "Tijd tot zij staan: voor de helft en voor negen op de tien inwoners",
        ["formatie en hoeveelste", "helft", "9 op 10", "helft zonder ondergrens", "inwoners waar nooit"], rows,
    )  # fmt: skip
    show.table(
        "Landelijk: hoeveel basispelotons er gemiddeld op één plaats staan",
        ["na uren", *(f"{h:g}".replace(".", ",") for h in HOURS)],
        [
            ["boven de ondergrenzen", *(f"{n:.1f}".replace(".", ",") for n in curve[0])],
            ["zonder ondergrenzen", *(f"{n:.1f}".replace(".", ",") for n in curve[1])],
        ],
    )
    if out is not None:
        show.written(out)
    show.notes(posture.plan.notes)


def _seconds(column: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return np.where(np.isfinite(column), column, np.nan).astype(np.float64)


def _weighted(column: npt.NDArray[np.float32], people: npt.NDArray[np.float64], q: float) -> float:
    order = np.argsort(column, kind="stable")
    reached = np.searchsorted(np.cumsum(people[order]), q * people.sum())
    return float(column[order[min(int(reached), len(order) - 1)]])
