"""Two wildfires and a chemical fire at once, on the real stations: who goes, what stays, and when relief fails.

    .venv/bin/python benchmarks/drie_branden.py ../shared/data/nederland [--schrijf]

Prints the tables of docs/method/drie_branden.md; ``--schrijf`` puts them between its markers. Demand is that
of three scenarios in nl/risks, doctrine that of nl/rules: all of it an assumption that is marked so there.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from slagkracht.areas import find_area
from slagkracht.relief import (
    REASONS,
    Crews,
    Deployment,
    Rotation,
    Shifts,
    compute_crews,
    compute_endurance,
    compute_rotation,
    compute_shifts,
    compute_travel_min,
    week_from_windows,
)
from slagkracht.risks import Risk
from slagkracht.sources.national import build_national_plan
from slagkracht.sources.vocabulary import read_rows
from slagkracht.strength import Formation, Posture, Strength, compute_posture, compute_strength, first_regions_at

DAY = datetime.date(2026, 7, 1)
STARTS = datetime.datetime(2026, 7, 1, 14)
DAYS = 5.0
FIRES = (("natuurbrand-veluwe", "Hoog Buurlo"), ("veenbrand-peel", "Deurnese Peel"), ("chemie-rijnmond", "Botlek"))
DOCUMENT = Path(__file__).parents[1] / "docs/method/drie_branden.md"
BEGIN, END = "<!-- begin: benchmarks/drie_branden.py -->\n", "<!-- eind: benchmarks/drie_branden.py -->\n"
NATURE, BASE = "natuurbrandpeloton", "basispeloton"

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Fire:
    """One of the fires, and row ``area`` of the plan's areas that lies nearest to it."""

    risk: Risk
    place: str
    area: int


@dataclass(frozen=True, eq=False)
class Case:
    """The three fires on the real country on an ordinary weekday, before anybody has gone."""

    posture: Posture
    fires: tuple[Fire, ...]


@dataclass(frozen=True, eq=False)
class Wave:
    """What one fire asked for at one hour, and what came."""

    fire: Fire
    hour: float
    strength: Strength


def build_case(folder: Path) -> Case:
    plan = build_national_plan(folder, DAY)
    posture = compute_posture(plan, "dag")
    risks = {risk.code: risk for risk in plan.risks.risks}
    fires = []
    for code, name in FIRES:
        place = next(each for each in risks[code].places if each.name == name)
        fires.append(Fire(risks[code], name, find_area(plan.areas, place.x_m, place.y_m)))
    return Case(posture, tuple(fires))


def compute_waves(case: Case) -> list[Wave]:
    """Every need of the three fires in order of hour, then of fire; who goes is gone for all that follow."""
    here = case.posture
    away = np.zeros(len(here.standing), dtype=np.bool_)
    waves = []
    for hour in sorted({need.start_h for fire in case.fires for need in fire.risk.needs}):
        for fire in case.fires:
            asked = [(_formation(case, n.formation), n.count) for n in fire.risk.needs if n.start_h == hour]
            if asked:
                drive_s = case.posture.travel.drive_s[fire.area]
                found = compute_strength(
                    case.posture.standing, drive_s, asked, case.posture.cover, case.posture.floors,
                    first=first_regions_at(case.posture, fire.area), away=away,
                )  # fmt: skip
                away = away | (found.unit_formation >= 0)
                waves.append(Wave(fire, hour, found))
    return waves


def compute_relief(
    case: Case, crews: Crews, shifts: Shifts, *, without_nature: bool = False, mixed: bool = False, part: float = 1.0
) -> list[Rotation]:
    """The platoons of each fire held for DAYS, one fire after the other: a crew in one rotation is in no other."""
    week = week_from_windows(read_rows("windows"))
    free = np.ones(len(crews.crew_id), dtype=np.bool_)
    rotations = []
    for fire in case.fires:
        count = {
            each.formation: max(1, round(part * each.count))
            for each in fire.risk.needs
            if each.formation in (NATURE, BASE)
        }
        if without_nature:
            count = {BASE: sum(count.values())}
        asked = tuple(
            (dataclasses.replace(_formation(case, code), same_region=not mixed), number)
            for code, number in count.items()
        )
        rows = np.flatnonzero(free)
        rotation = compute_rotation(
            _take(crews, rows),
            compute_travel_min(case.posture.travel.drive_s[fire.area], shifts),
            Deployment(asked, STARTS, DAYS),
            shifts,
            week=week,
            regions=len(case.posture.plan.regions),
            effort=0,
        )
        free[rows[np.unique(rotation.crew)]] = False
        rotations.append(rotation)
    return rotations


def _formation(case: Case, code: str) -> Formation:
    return case.posture.formations[code]


def _take(crews: Crews, rows: npt.NDArray[np.intp]) -> Crews:
    columns = {
        field.name: getattr(crews, field.name)[rows]
        for field in dataclasses.fields(crews)
        if field.name != "capability_names"
    }
    return dataclasses.replace(crews, **columns)


def tables_of(case: Case) -> str:
    """Every table of the document, as Markdown."""
    return "\n\n".join((response_tables(case, compute_waves(case)), _how_long(case), _relief(case))) + "\n"


def response_tables(case: Case, waves: list[Wave]) -> str:
    """Who goes and what stays: everything but the relief."""
    return "\n\n".join((_who_goes(case, waves), _what_stays(case, waves)))


def _who_goes(case: Case, waves: list[Wave]) -> str:
    rows = []
    for wave in waves:
        strength = wave.strength
        for formation in dict.fromkeys(strength.formations):
            places = [f for f, each in enumerate(strength.formations) if each == formation]
            whole = strength.complete_s[places]
            whole = whole[np.isfinite(whole)]
            sent = np.isin(strength.unit_formation, places)
            lacks: dict[str, int] = {}
            for f in places:
                for name, count in strength.missing[f].items():
                    lacks[name] = lacks.get(name, 0) + count
            owners, units = np.unique(case.posture.standing.region[sent], return_counts=True)
            order = np.argsort(-units, kind="stable")
            rows.append(
                [
                    f"{wave.fire.place}, hour {wave.hour:g}", formation.dutch, f"{len(whole)} of {len(places)}",
                    _clock(whole.min()) if len(whole) else "–", _clock(whole.max()) if len(whole) else "–",
                    ", ".join(f"{case.posture.plan.regions.code[owners[k]]} {units[k]}" for k in order) or "–",
                    ", ".join(f"{count} {name}" for name, count in lacks.items()) or "–",
                ]
            )  # fmt: skip
    head = ["fire", "formation", "whole", "first after", "last after", "units from", "missing"]
    return "### Who goes, and when they stand\n\n" + _markdown(head, rows)


def _what_stays(case: Case, waves: list[Wave]) -> str:
    here = case.posture
    before, after, floor = (
        waves[0].strength.residual_before,
        waves[-1].strength.residual_after,
        here.floors.share,
    )
    sent = np.zeros(len(here.plan.regions), dtype=int)
    for wave in waves:
        gone = wave.strength.unit_formation >= 0
        sent += np.bincount(here.standing.region[gone], minlength=len(sent))
    order = np.lexsort((np.arange(len(before)), after - floor))
    rows = [
        [
            f"{here.plan.regions.code[r]} {here.plan.regions.name[r]}", str(sent[r]), f"{before[r]:.1%}",
            f"{after[r]:.1%}", f"{floor[r]:.1%}",
        ]
        for r in order.tolist()
        if sent[r]
    ]  # fmt: skip
    held = sum(int((wave.strength.reason == "ondergrens").sum()) for wave in waves)
    text = f"\n\nTimes that a unit was held back by its region's floor, over all requests: {held}."
    head = ["region", "units sent", "in time before", "after", "floor"]
    return "### What stays at home\n\n" + _markdown(head, rows) + text


def _how_long(case: Case) -> str:
    week, rows = week_from_windows(read_rows("windows")), []
    for fire in case.fires:
        for need in fire.risk.needs:
            if need.formation not in (NATURE, BASE):
                continue
            found = compute_endurance(
                case.posture.plan, case.posture.travel.drive_s[fire.area], _formation(case, need.formation), week=week,
                starts=STARTS, days=(1, 2, 5),
            )  # fmt: skip
            scarce = f"{found.scarce[-1]} ({found.window[-1]})" if found.scarce[-1] else "–"
            kept = [f"{np.floor(value * 10 + 1e-6) / 10:.1f}" for value in found.sustained]
            rows.append([fire.place, found.formation.dutch, str(need.count), *kept, scarce])
    head = ["fire", "formation", "asked", "1 day", "2 days", "5 days", "runs out first"]
    return "### How many can be kept up at one fire, were it the only one\n\n" + _markdown(head, rows)


def _relief(case: Case) -> str:
    crews, shifts = compute_crews(case.posture.plan), compute_shifts(case.posture.plan)
    ways: list[tuple[str, list[Rotation]]] = [("by the rules in force", compute_relief(case, crews, shifts))]
    longer = dataclasses.replace(shifts, most_min=720)
    ways.append(("away for 12 hours instead of 8", compute_relief(case, crews, longer)))
    longest = dataclasses.replace(longer, post_min=360)
    ways.append(("the same, and 6 hours at the post instead of 4", compute_relief(case, crews, longest)))
    home = dataclasses.replace(shifts, home_share=0.35)
    ways.append(("35 % of seats stay at home instead of 50 %", compute_relief(case, crews, home)))
    ways.append(("ordinary platoons for wildfire platoons", compute_relief(case, crews, shifts, without_nature=True)))
    ways.append(("platoons put together from several regions", compute_relief(case, crews, shifts, mixed=True)))
    ways.append(("half of the platoons", compute_relief(case, crews, shifts, part=0.5)))
    first, rows = ways[0][1], []
    for fire, rotation in zip(case.fires, first, strict=True):
        for p, (_, capability, need) in enumerate(rotation.posts):
            short = rotation.shortfall[:, p]
            when = np.flatnonzero(short > 0)
            why = next((reasons for _, part, reasons in rotation.why if part == p), {})
            why = {code: count for code, count in why.items() if code != "kan_niet"}
            most = max(why, key=lambda code: why[code]) if why else ""
            starts = f"hour {int(when[0]) * shifts.post_min // 60}" if len(when) else "–"
            rows.append(
                [
                    fire.place, capability, str(need), str(rotation.blocks), f"{short.sum() / (need * len(short)):.0%}",
                    starts, f"{REASONS[most]} ({why[most]} crews)" if most else "–",
                ]
            )  # fmt: skip
    head = ["fire", "post", "posts", "shifts", "empty", "empty first at", "mostly because a crew …"]
    text = "### Relief over five days\n\n" + _markdown(head, rows)
    rows = [[name, *(_empty(rotation) for rotation in rotations)] for name, rotations in ways]
    return (
        text
        + "\n\n### What would mend it: posts empty\n\n"
        + _markdown(["", *(fire.place for fire in case.fires)], rows)
    )


def _empty(rotation: Rotation) -> str:
    posts = sum(need for _, _, need in rotation.posts) * rotation.blocks
    return f"{rotation.shortfall.sum() / posts:.0%} of {posts}"


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def _clock(seconds: float) -> str:
    return f"{int(seconds + 30) // 3600}:{int(seconds + 30) // 60 % 60:02d}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--schrijf", action="store_true")
    options = parser.parse_args()
    text = tables_of(build_case(options.folder))
    print(text)
    if options.schrijf:
        before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
        DOCUMENT.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
