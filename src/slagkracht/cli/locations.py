"""``slagkracht locaties``: which of the stations would serve best if so many were chosen, and what cannot be beaten."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import typer

from slagkracht.cli import show
from slagkracht.cli.given import Json, PlanPath, Window, ending
from slagkracht.cli.strength import read_posture
from slagkracht.cli.whole import whole_file
from slagkracht.siting import (
    MODELS,
    Field,
    Siting,
    compute_cover,
    compute_field,
    judge_sites,
    solve_stations,
)
from slagkracht.strength import Posture

Indices = npt.NDArray[np.int32]


def register(app: typer.Typer) -> None:
    app.command("locaties")(locations)


def _model(value: str) -> str:
    if value not in MODELS:
        raise typer.BadParameter(f"onbekend model {value!r}; kies uit {', '.join(MODELS)}")
    return value


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
        field = compute_field(posture.plan, posture.standing, posture.travel.drive_s, capability, region)
        wanted = count or max(int(field.now.sum() if model in ("mexclp", "malp") else (field.now > 0).sum()), 1)
        if model in ("mclp", "mediaan") and wanted > len(field.site):
            raise ValueError(f"--aantal {wanted}: er zijn {len(field.site)} kazernes om uit te kiezen")
        tell("locaties kiezen")
        fixed = _fixed(posture, field, kept or [])
        reach = compute_cover(field.drive_s, 60.0 * minutes - field.turnout_s)
        found = solve_stations(model, field, reach, wanted, busy, sure, fixed, seconds)
        if scratch is not None:
            _chosen(posture, field, found).write_csv(scratch)
    today = np.repeat(np.arange(len(field.site), dtype=np.int32), field.now)
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
        "nu": judge_sites(model, field, reach, today, busy, sure),
        "gekozen": judge_sites(model, field, reach, found.sites, busy, sure),
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
            return f"gemiddeld {show.minutes(value)} rijden" if np.isfinite(value) else "niemand die kan rijden"
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
