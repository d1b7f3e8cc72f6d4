"""``slagkracht locaties``: which of the stations would serve best if so many were chosen, and what cannot be beaten."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import typer
from scipy.sparse import csr_matrix

from slagkracht.cli import show
from slagkracht.cli.given import Json, PlanPath, Window, ending
from slagkracht.cli.strength import read_posture
from slagkracht.cli.whole import whole_file
from slagkracht.resources import capability_column
from slagkracht.siting import (
    Siting,
    compute_cover,
    solve_lscp,
    solve_malp,
    solve_mclp,
    solve_mexclp,
    solve_p_median,
)
from slagkracht.strength import Posture
from slagkracht.travel import UNREACHABLE

MODELS = {
    "lscp": "de minste kazernes die samen alles bereiken wat te bereiken is",
    "mclp": "zoveel kazernes die de meeste inwoners op tijd bereiken",
    "mexclp": "zoveel eenheden, elk een deel van de tijd bezet, voor de meeste inwoners",
    "malp": "zoveel eenheden, zodat de meeste inwoners met zekerheid een vrije op tijd hebben",
    "mediaan": "zoveel kazernes met de kortste gemiddelde rijtijd naar de inwoners",
}
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


def register(app: typer.Typer) -> None:
    app.command("locaties")(locations)


def _model(value: str) -> str:
    if value not in MODELS:
        raise typer.BadParameter(f"onbekend model {value!r}; kies uit {', '.join(MODELS)}")
    return value


@dataclass(frozen=True, eq=False)
class Field:
    """What is sited: rows of Stations ``site`` [S], of Areas ``area`` [A], ``people`` [A] and ``drive_s`` [A, S].

    ``now`` int32 [S] units with the capability that stand there now · ``turnout_s`` their median.
    """

    site: Indices
    area: Indices
    people: Doubles
    drive_s: npt.NDArray[np.uint16]
    now: Indices
    turnout_s: float


def locations(
    path: PlanPath,
    model: Annotated[str, typer.Option("--model", help=", ".join(MODELS), callback=_model)] = "mclp",
    count: Annotated[
        int | None, typer.Option("--aantal", min=1, help="kazernes of eenheden; zonder: zoveel als er nu zijn")
    ] = None,
    capability: Annotated[str, typer.Option("--middel", help="inzetmogelijkheid, zoals redvoertuig")] = "tankautospuit",
    minutes: Annotated[
        float, typer.Option("--binnen-minuten", min=0.1, help="van alarm tot ter plaatse: uitruk en rit")
    ] = 10.0,
    busy: Annotated[
        float, typer.Option("--bezet", min=0.0, max=0.99, help="deel van de tijd dat een eenheid bezet is")
    ] = 0.1,
    sure: Annotated[
        float, typer.Option("--zekerheid", min=0.01, max=0.9999, help="kans op een vrije eenheid (malp)")
    ] = 0.95,
    region: Annotated[str, typer.Option("--regio", help="alleen kazernes en inwoners van deze regio")] = "",
    kept: Annotated[list[str] | None, typer.Option("--houd", help="code van een kazerne die blijft; meer mag")] = None,
    window: Window = "dag",
    seconds: Annotated[float, typer.Option("--seconden", min=1, help="hoogstens zo lang rekenen")] = 30.0,
    out: Annotated[
        Path | None, typer.Option("--uit", help="csv met de gekozen kazernes", callback=ending(".csv"))
    ] = None,
    json: Json = False,
) -> None:
    """Welke kazernes zouden het meeste bereiken, als er zoveel gekozen worden, en wat kan niemand overtreffen?

    Voorbeeld: slagkracht locaties nederland --middel redvoertuig --aantal 100 --binnen-minuten 15
    """
    if kept and model in ("malp", "mediaan"):
        raise ValueError(f"--houd kan niet bij model {model}: kies lscp, mclp of mexclp")
    with show.steps() as tell, whole_file(out) if out is not None else nullcontext() as scratch:
        posture = read_posture(path, window, tell)
        field = read_field(posture, capability, region)
        wanted = count or max(int(field.now.sum() if model in ("mexclp", "malp") else (field.now > 0).sum()), 1)
        if model in ("mclp", "mediaan") and wanted > len(field.site):
            raise ValueError(f"--aantal {wanted}: er zijn {len(field.site)} kazernes om uit te kiezen")
        tell("locaties kiezen")
        fixed = _fixed(posture, field, kept or [])
        reach = compute_cover(field.drive_s, 60.0 * minutes - field.turnout_s)
        found = solve(model, field, reach, wanted, busy, sure, fixed, seconds)
        if scratch is not None:
            pl.DataFrame(_chosen(posture, field, found)).write_csv(scratch)
    told = {
        "model": model,
        "wat": MODELS[model],
        "middel": capability,
        "binnen_s": None if model == "mediaan" else 60.0 * minutes,
        "uitruk_s": field.turnout_s,
        "regio": region or None,
        "kazernes": len(np.unique(found.sites)),
        "eenheden": len(found.sites),
        "inwoners": float(field.people.sum()),
        "bereikbaar": float(field.people[np.asarray(reach.sum(axis=1)).ravel() > 0].sum()),
        "nu": score(model, field, reach, np.repeat(np.arange(len(field.site), dtype=np.int32), field.now), busy, sure),
        "gekozen": score(model, field, reach, found.sites, busy, sure),
        "doel": found.objective,
        "grens": found.bound,
        "gat": found.gap,
    }
    if json:
        show.as_json(told | {"locaties": _chosen(posture, field, found).to_dicts()})
        return
    _print(posture, field, found, told)
    if out is not None:
        show.written(out)
    show.notes(posture.plan.notes)


def read_field(posture: Posture, capability: str, region: str = "") -> Field:
    """The stations and residents of a plan, or of one region. Raises ValueError, in Dutch, for who is unknown."""
    plan, standing = posture.plan, posture.standing
    if capability not in standing.capability_names:
        raise ValueError(f"middel {capability!r} is onbekend; wel: {', '.join(sorted(standing.capability_names))}")
    codes = plan.regions.code.tolist()
    if region and region not in codes:
        raise ValueError(f"regio {region!r} staat niet in dit plan; wel: {', '.join(codes)}")
    whose = codes.index(region) if region else -1
    site, area = (
        np.flatnonzero((where == whose) | (whose < 0)).astype(np.int32)
        for where in (plan.stations.region, plan.areas.region)
    )
    if not len(site):
        raise ValueError(f"regio {region} heeft in dit plan geen kazerne")
    able = capability_column(standing, capability) & (standing.unit >= 0)
    now = np.bincount(standing.origin[able], minlength=len(plan.stations))[site].astype(np.int32)
    here = able & np.isin(standing.origin, site)
    turnout_s = float(np.median(standing.turnout_s[here])) if here.any() else 0.0
    people = plan.areas.population[area].astype(np.float64)
    return Field(site, area, people, posture.travel.drive_s[np.ix_(area, site)], now, turnout_s)


def solve(
    model: str, field: Field, reach: csr_matrix, wanted: int, busy: float, sure: float, fixed: Indices, seconds: float
) -> Siting:
    """The answer of one of MODELS, with its proven gap. Raises NoSitingError for what cannot be."""
    if model == "lscp":
        return solve_lscp(reach, fixed=fixed, seconds=seconds)
    if model == "mclp":
        return solve_mclp(reach, field.people, wanted, fixed=fixed, seconds=seconds)
    if model == "mexclp":
        return solve_mexclp(reach, field.people, wanted, busy=busy, fixed=fixed, seconds=seconds)
    if model == "malp":
        return solve_malp(reach, field.people, wanted, busy=busy, reliability=sure, seconds=seconds)
    lived = np.where((field.drive_s != UNREACHABLE).any(axis=1), field.people, 0.0)  # who no road reaches is told apart
    return solve_p_median(field.drive_s, lived, wanted, seconds=seconds)


def score(model: str, field: Field, reach: csr_matrix, sites: Indices, busy: float, sure: float) -> float:
    """What units at ``sites`` (rows of the field, one for each unit) are worth by a model: residents, or seconds."""
    if model == "mediaan":
        drive = field.drive_s[:, np.unique(sites)].min(axis=1, initial=UNREACHABLE)
        met = (drive != UNREACHABLE) & (field.people > 0)
        return float(np.average(drive[met], weights=field.people[met])) if met.any() else float("inf")
    units = np.bincount(sites, minlength=reach.shape[1])
    near = reach @ (units if model in ("mexclp", "malp") else (units > 0).astype(np.float64))
    if model == "mexclp":
        return float(field.people @ (1 - busy**near))
    needed = np.ceil(np.log(1 - sure) / np.log(busy) - 1e-9) if model == "malp" else 1
    return float(field.people[near >= needed].sum())


def _fixed(posture: Posture, field: Field, kept: list[str]) -> Indices:
    """Rows of the field of stations that stay. Raises ValueError for a code that is none of its stations."""
    names = posture.plan.stations.station_id[field.site].tolist()
    strange = [name for name in kept if name not in names]
    if strange:
        raise ValueError(f"--houd: geen kazerne met code {', '.join(strange)} in dit plan of deze regio")
    return np.array(sorted({names.index(name) for name in kept}), dtype=np.int32)


def _chosen(posture: Posture, field: Field, found: Siting) -> pl.DataFrame:
    """The chosen stations with how many units, how many there are now, and how many residents each serves."""
    stations, codes = posture.plan.stations, posture.plan.regions.code
    rows, units = np.unique(found.sites, return_counts=True)
    served = np.bincount(found.serves[found.serves >= 0], field.people[found.serves >= 0], len(field.site))
    site = field.site[rows]
    return pl.DataFrame(
        {
            "regio": codes[stations.region[site]],
            "kazerne": stations.station_id[site],
            "naam": stations.name[site],
            "eenheden": units,
            "nu": field.now[rows],
            "inwoners": np.round(served[rows]).astype(np.int64),
        }
    )


def _print(posture: Posture, field: Field, found: Siting, told: dict[str, Any]) -> None:
    plan, model = posture.plan, str(told["model"])
    chosen = np.bincount(found.sites, minlength=len(field.site))
    rows = []
    for r, (code, name) in enumerate(zip(plan.regions.code.tolist(), plan.regions.name.tolist())):
        own = plan.stations.region[field.site] == r
        if own.any():
            before, after = int(field.now[own].sum()), int(chosen[own].sum())
            both = int(((chosen > 0) & (field.now > 0) & own).sum())
            rows.append([code, name, str(before), str(after), str(both)])
    limit = "" if told["binnen_s"] is None else f", binnen {show.minutes(told['binnen_s'])} van het alarm"
    show.table(
        f"{told['middel'].capitalize().replace('_', ' ')}: {told['wat']}{limit}",
        ["regio", "naam", "eenheden nu", "gekozen", "kazernes van nu die blijven"],
        rows,
        left=2,
    )
    people = float(told["inwoners"])

    def say(value: float) -> str:
        if model == "mediaan":
            return f"gemiddeld {show.minutes(value)} rijden"
        return f"{show.share(value / people)} van de inwoners"

    bound = show.share(found.gap)
    lines = [
        f"Gekozen: {told['eenheden']} op {told['kazernes']} kazernes, {say(told['gekozen'])}."
        f" Nu: {int(field.now.sum())} op {int((field.now > 0).sum())} kazernes, {say(told['nu'])}.",
        f"Bewezen: geen keuze uit deze {len(field.site)} kazernes is meer dan {bound} beter."
        if found.gap > 0
        else f"Bewezen: geen keuze uit deze {len(field.site)} kazernes is beter.",
    ]
    if model != "mediaan":
        lines.append(
            f"Uitruk {show.minutes(field.turnout_s)} (mediaan van wie er nu staat); {say(told['bereikbaar'])} is vanaf"
            " een van deze kazernes op tijd te bereiken."
        )
    for line in lines:
        show.screen.print(line, markup=False, soft_wrap=True)
