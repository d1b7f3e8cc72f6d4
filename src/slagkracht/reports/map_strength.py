"""Strength for the map page: worked out beforehand, who makes the first to the tenth of each formation anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht import __version__
from slagkracht.coverage import compute_percentiles
from slagkracht.plan import compute_hash
from slagkracht.reports.columns import fit_column, pack_figures
from slagkracht.reports.drawing import Drawing
from slagkracht.reports.figures import Figures
from slagkracht.rules import Rule, RuleVersion, rules_in_force
from slagkracht.strength import (
    Formation,
    Placements,
    Posture,
    compute_first_regions,
    compute_placements,
    first_regions_everywhere,
)

MOST = 10
RANKS = (1, 2, 4, 10)
LEFT_OUT = ("compagnie",)
"""Formations that the page leaves out: a company is two platoons and their command, and ten of them no question."""

WHOLE = 10_000  # shares in hundredths of a percent
NO_LENDING = 65_535
NO_UNIT = 65_535
NOBODY = 255


@dataclass(frozen=True, eq=False)
class Answers:
    """What every drawn area can ask of the nation, in one posture.

    ``area`` int64 [D] rows of Areas · ``held`` and ``free`` one Placements per formation, with every floor held and
    without floors · ``hours`` [H] and ``curve`` float64 [2, H] platoons that stand on average, held and free (empty
    without a platoon in doctrine).
    """

    posture: Posture
    area: npt.NDArray[np.int64]
    held: tuple[Placements, ...]
    free: tuple[Placements, ...]
    hours: tuple[float, ...]
    curve: npt.NDArray[np.float64]


def compute_answers(
    posture: Posture, drawing: Drawing, hours: Sequence[float], curve: npt.NDArray[np.float64],
    *, progress: Callable[[int, int], None] | None = None,
) -> Answers:  # fmt: skip
    """The answers of the areas that are shown, for every formation of doctrine that anyone can make."""
    drive_s = posture.travel.drive_s[drawing.shown]
    asked = [each for code, each in posture.formations.items() if code not in LEFT_OUT]
    asked.sort(key=lambda each: (each.code != "basispeloton", each.dutch))
    first = first_regions_everywhere(posture)
    pairs = []
    for done, formation in enumerate(asked):
        here = first[formation.code][drawing.shown] if formation.code in first else None
        pairs.append(
            [
                compute_placements(posture.standing, drive_s, formation, MOST, posture.cover, floors, first=here)
                for floors in (posture.floors, None)
            ]
        )
        if progress is not None:
            progress(done + 1, len(asked))
    pairs = [pair for pair in pairs if pair[0].complete_s.shape[1]]
    held, free = (tuple(pair[side] for pair in pairs) for side in range(2))
    return Answers(posture, drawing.shown, held, free, tuple(hours), curve)


def find_answer_rules(answers: Answers) -> list[tuple[Rule, RuleVersion]]:
    """The versions of doctrine in force that the answers come from, a region's own after the national one."""
    plan = answers.posture.plan
    codes = [f"formatie-{each.formation.code}" for each in answers.held]
    codes += [each.formation.assignment.rule for each in answers.held if each.formation.assignment]
    codes += ["ondergrens", "vervanging", "zonder-kazerne"]
    return rules_in_force(plan.rules, codes, plan.day, plan.regions.code.tolist())


def compute_answers_receipt(answers: Answers, number: str) -> list[tuple[str, str]]:
    """The receipt in words: ``number`` is that of the coverage on the same page, from the same plan and drives."""
    posture = answers.posture
    plan = posture.plan
    rules = [
        f"{rule.code}{f' {rule.region}' if rule.region else ''} ({version.starts.isoformat()})"
        for rule, version in find_answer_rules(answers)
    ]
    own = compute_hash([number, posture.window, posture.floors.source, *rules])
    return [
        ("verantwoording", own),
        ("hash van het plan (SHA-256)", compute_hash(plan)),
        ("berust op de dekking met verantwoording", number),
        ("rekenkern", f"slagkracht {__version__}"),
        ("venster", posture.window),
        ("ondergrenzen", posture.floors.source),
        ("regels (ingegaan op)", ", ".join(rules)),
    ]


def compute_answer_figures(answers: Answers, f: int) -> Figures:
    """Per region how soon its residents have the 1st, 2nd, 4th and 10th: half of them, and nine in ten."""
    plan = answers.posture.plan
    held, free = answers.held[f], answers.free[f]
    region = plan.areas.region[answers.area].astype(np.intp)
    people = plan.areas.population[answers.area].astype(np.float64)
    ranks = [rank for rank in RANKS if rank <= held.complete_s.shape[1]]
    regions = len(plan.regions)

    def times(table: Placements, q: float, rank: int) -> list[float]:
        seconds = table.complete_s[:, rank - 1].astype(np.float64)
        (each,) = compute_percentiles(seconds, people, region, regions, (q,))
        (nation,) = compute_percentiles(seconds, people, np.zeros_like(region), 1, (q,))
        return [float(value) if np.isfinite(value) else float("nan") for value in (*each, *nation)]

    inhabitants = np.bincount(region, people, regions)
    columns = [(("Inwoners", "count"), [*inhabitants.tolist(), float(people.sum())])]
    for rank in ranks:
        columns.append(((f"{rank}e: helft", "duration"), times(held, 0.5, rank)))
        columns.append(((f"{rank}e: negen op tien", "duration"), times(held, 0.9, rank)))
    columns += [((f"{rank}e zonder ondergrens: helft", "duration"), times(free, 0.5, rank)) for rank in ranks]
    rows = list(zip(*(values for _, values in columns)))
    return Figures(
        f"{held.formation.dutch} – {answers.posture.window}: na hoeveel tijd zij er voor de inwoners staan",
        (("Regio", "text"), *(heading for heading, _ in columns)),
        tuple((name, *row) for name, row in zip(plan.regions.name.tolist(), rows)),
        ("Nederland", *rows[-1]),
    )


def pack_answers(answers: Answers, number: str) -> dict[str, Any]:
    """Everything that the page shows of strength, ready for pack_block."""
    posture = answers.posture
    receipt = compute_answers_receipt(answers, number)
    met = np.zeros(len(posture.standing) + 1, dtype=np.bool_)
    for each in (*answers.held, *answers.free):
        met[each.unit.ravel()] = met[each.near.ravel()] = True
    used = np.flatnonzero(met[:-1])  # the last place is -1: nobody
    name = np.full(len(posture.standing) + 1, NO_UNIT)
    name[used] = np.arange(len(used))
    return {
        "window": posture.window,
        "number": receipt[0][1],
        "receipt": [{"dutch": dutch, "value": value} for dutch, value in receipt],
        "unverified": [
            {"dutch": rule.dutch, "source": rule.source}
            for rule, _ in find_answer_rules(answers)
            if rule.status != "vastgesteld"
        ],
        "units": _pack_units(posture, used),
        "kept": fit_column(np.round(WHOLE * posture.cover.share), "u16"),
        "floor": fit_column(
            np.where(np.isinf(posture.floors.share), NO_LENDING, np.round(WHOLE * np.minimum(posture.floors.share, 1))),
            "u16",
        ),
        "formations": [
            {
                **_describe(held.formation),
                "first": _first_by_region(posture, held.formation),
                "most": held.complete_s.shape[1],
                "held": {**_pack_placements(held, name, posture), **_pack_near(held, name)},
                "free": _pack_free(held, free, name, posture),
                "table": pack_figures(compute_answer_figures(answers, f)),
            }
            for f, (held, free) in enumerate(zip(answers.held, answers.free))
        ],
        "curve": {
            "hours": list(answers.hours),
            "held": answers.curve[0].round(1).tolist() if len(answers.curve) else [],
            "free": answers.curve[1].round(1).tolist() if len(answers.curve) else [],
        },
    }


def _describe(formation: Formation) -> dict[str, Any]:
    parts = ", ".join(f"{part.count} × {part.capability.replace('_', ' ')}" for part in formation.parts)
    return {
        "code": formation.code,
        "dutch": formation.dutch,
        "parts": parts,
        "same_region": formation.same_region,
        "assembly_s": formation.assembly_s,
        "limit_s": formation.limit_s if np.isfinite(formation.limit_s) else None,
        "status": formation.status,
        "first_status": formation.assignment.status if formation.assignment else "",
    }


def _first_by_region(posture: Posture, formation: Formation) -> list[int]:
    """Per region (row) of the place which region goes first there, NOBODY where none does; empty without assignment."""
    codes = posture.plan.regions.code.tolist()
    if not formation.assignment:
        return []
    return [compute_first_regions([formation], codes, here).get(formation.code, NOBODY) for here in range(len(codes))]


def _pack_units(posture: Posture, used: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Who stands: a vehicle at its station, or someone on call who starts from the middle of the region."""
    plan, standing = posture.plan, posture.standing
    row = standing.unit[used]
    vehicle = row >= 0
    able = [
        ", ".join(n.replace("_", " ") for n, has in zip(standing.capability_names, can) if has)
        for can in standing.capabilities[used[~vehicle]]
    ]
    kind, called = plan.units.type_code[row].astype(object), plan.units.unit_id[row].astype(object)
    kind[~vehicle], called[~vehicle] = able, "op oproep"
    return {
        "id": called.tolist(),
        "type": kind.tolist(),
        "station": fit_column(standing.origin[used], "u16"),
        "region": fit_column(standing.region[used], "u8"),
    }


def _pack_placements(
    placed: Placements, name: npt.NDArray[np.int64], posture: Posture, rows: npt.NDArray[np.int64] | None = None
) -> dict[str, Any]:
    """Flat lists: ``count`` [A, M] units of the m-th, then for each its ``unit`` and ``step_s`` after the one before.

    ``changes`` [A, M] regions that keep less once the m-th has gone, then for each its ``region`` and what it
    ``keeps``.
    """
    here = slice(None) if rows is None else rows
    unit, arrival_s = placed.unit[here], np.round(placed.arrival_s[here])
    chosen = unit >= 0
    steps_s = np.diff(np.where(chosen, arrival_s, 0), axis=2, prepend=0)[chosen]
    keeps = np.round(WHOLE * placed.kept[here]).astype(np.int64)
    start = np.broadcast_to(np.round(WHOLE * posture.cover.share).astype(np.int64), (len(keeps), 1, keeps.shape[2]))
    less = np.diff(keeps, axis=1, prepend=start) != 0
    return {
        "count": fit_column(chosen.sum(axis=2), "u8"),
        "unit": fit_column(name[unit[chosen]], "u16"),
        "step_s": fit_column(steps_s, "u16"),
        "changes": fit_column(less.sum(axis=2), "u8"),
        "region": fit_column(np.nonzero(less)[2], "u8"),
        "keeps": fit_column(keeps[less], "u16"),
    }


def _pack_near(placed: Placements, name: npt.NDArray[np.int64]) -> dict[str, Any]:
    """``beside`` [A] near units that stay, then for each who, when, and from how many on whose floor keeps it home."""
    there = placed.near >= 0
    return {
        "beside": fit_column(there.sum(axis=1), "u8"),
        "near": fit_column(name[placed.near[there]], "u16"),
        "near_s": fit_column(np.round(placed.near_s[there]), "u16"),
        "refused": fit_column(placed.refused[there], "u8"),
        "refuser": fit_column(np.where(placed.refuser < 0, NOBODY, placed.refuser)[there], "u8"),
    }


def _pack_free(held: Placements, free: Placements, name: npt.NDArray[np.int64], posture: Posture) -> dict[str, Any]:
    """The answers without floors, only of the areas where they differ."""
    sooner = (free.complete_s < held.complete_s).any(axis=1)  # else what holds every floor is the answer without them
    rows = np.flatnonzero(sooner & (held.unit != free.unit).any(axis=(1, 2)))
    return {"area": fit_column(rows, "u16"), **_pack_placements(free, name, posture, rows)}
