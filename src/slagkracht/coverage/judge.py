"""Arrivals held against a norm: for every area who is in time, by a rule in force on that day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.coverage.arrivals import Arrivals, Nearest, compute_arrivals, compute_nearest
from slagkracht.coverage.chance import compute_chance, compute_expected, compute_nominal, compute_percentile
from slagkracht.coverage.formations import compute_assembled, compute_formation
from slagkracht.coverage.norms import (
    NORM_KINDS,
    STATISTICS,
    Norm,
    Part,
    compute_area_class,
    compute_limits,
    norm_in_force,
)
from slagkracht.plan import Plan
from slagkracht.resources import WINDOWS, Standing, compute_standing
from slagkracht.rules import NoRuleError, rule_in_force
from slagkracht.travel import Travel

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

BEYOND = 7
"""Units ranked beyond the n-th, so that readiness has someone to fall back on (all of them absent: 0.3^8 at 70 %)."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """One norm in one time window: for every area when the unit comes that it asks for, and whether that is in time.

    ``norm`` code, ``dutch`` name and ``status`` of the rule · ``window`` one of WINDOWS · ``alone`` each region with
    its own units only · ``statistic`` what ``response_s`` is ("nominaal", "kans", …) · ``target_share`` float32 [A]
    share of people that should be in time (nan = none set) · ``limit_s`` float32 [A] the norm for residents (nan = the
    norm says nothing here) · ``response_s`` float32 [A] by the norm's statistic (inf = nobody comes; never a large
    number) · ``chance`` float32 [A] of being there within ``limit_s`` (nan = not computed) · ``unit`` int32 [A] row
    of Standing that completes it at nominal times (-1 = none) · ``in_time`` bool [A] ·
    ``area_class`` str [A] the class that residents are judged by ("" = none) ·
    ``population`` float32 [A] · ``object_classes``, ``objects``, ``object_limit_s`` float32 [A, C] and
    ``objects_in_time`` bool [A, C] the same per object class that the areas count.
    """

    norm: str
    dutch: str
    status: str
    window: str
    alone: bool
    statistic: str
    target_share: Floats
    limit_s: Floats
    response_s: Floats
    chance: Floats
    unit: Indices
    in_time: Flags
    area_class: Strings
    population: Floats
    object_classes: tuple[str, ...]
    objects: Floats
    object_limit_s: Floats
    objects_in_time: Flags

    def __len__(self) -> int:
        return len(self.limit_s)


def judge(
    norm: Norm,
    areas: Areas,
    arrivals: Sequence[Arrivals],
    standing: Standing,
    *,
    window: str,
    alone: bool = False,
    travel_spread: float = 0.0,
    handling_spread: float = 0.0,
    chance: bool = True,
) -> Coverage:
    """Coverage under ``norm`` of the ``arrivals`` of its parts, in their order: every kind of norm goes through here.

    For a formation the chance is the product over its parts (exact where no unit can fill two of them); of a crew made
    up of part crews no chance is computed. Raises ValueError where a norm asks for a statistic that does not exist.
    """
    area_class = compute_area_class(norm, areas)
    limit_s, object_limit_s = compute_limits(norm, areas, area_class)
    counts = [part.count for part in norm.parts]
    whole = not norm.crew_needed
    single = whole and len(counts) == 1

    def chance_within(limit: Floats) -> Floats:
        answer = np.ones(len(areas), dtype=np.float32)
        for ranked, n in zip(arrivals, counts, strict=True):
            answer *= compute_chance(ranked, standing, travel_spread, n, limit, handling_spread=handling_spread)
        return answer

    if single:
        response_s, unit = compute_nominal(arrivals[0], counts[0]), arrivals[0].unit[:, counts[0] - 1]
    elif whole:
        response_s, members = compute_formation(arrivals, counts)
        unit = _last_member(arrivals, members, response_s)
    else:
        response_s, unit = compute_assembled(
            arrivals[0], standing, crew_needed=norm.crew_needed, max_gap_s=norm.max_gap_s
        )
    possible = STATISTICS if single else ("nominaal", "kans") if whole else ("nominaal",)
    if norm.statistic not in possible:
        raise ValueError(f"norm {norm.code!r}: maatstaf {norm.statistic!r} bestaat niet voor een samengestelde eenheid")
    if norm.percentile:
        response_s = compute_percentile(
            arrivals[0], standing, travel_spread, counts[0], norm.percentile, handling_spread=handling_spread
        )
    elif norm.statistic == "gemiddelde":
        response_s, _ = compute_expected(
            arrivals[0], standing, travel_spread, counts[0], handling_spread=handling_spread
        )
    if whole and (chance or norm.statistic == "kans"):
        chances = chance_within(limit_s)
    else:
        chances = np.full(len(areas), np.nan, dtype=np.float32)
    if norm.statistic == "kans":
        in_time = chances >= norm.chance
        objects_in_time = np.zeros(object_limit_s.shape, dtype=np.bool_)
        for column in range(object_limit_s.shape[1]):
            objects_in_time[:, column] = chance_within(object_limit_s[:, column]) >= norm.chance
    else:
        in_time = response_s <= limit_s
        objects_in_time = response_s[:, None] <= object_limit_s
    return Coverage(
        norm=norm.code,
        dutch=norm.dutch,
        status=norm.status,
        window=window,
        alone=alone,
        statistic=norm.statistic,
        target_share=np.full(len(areas), np.nan if norm.target_share is None else norm.target_share, dtype=np.float32),
        limit_s=limit_s,
        response_s=response_s,
        chance=chances,
        unit=unit,
        in_time=in_time,
        area_class=area_class,
        population=areas.population,
        object_classes=areas.object_classes,
        objects=areas.objects,
        object_limit_s=object_limit_s,
        objects_in_time=objects_in_time,
    )


def compute_coverage(
    plan: Plan,
    travel: Travel,
    *,
    windows: Sequence[str] = WINDOWS,
    norms: Sequence[str] | None = None,
    alone: bool = False,
    chance: bool = True,
    nearest: Nearest | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Coverage, ...]:
    """The plan judged by ``norms`` (codes; None = every norm in force everywhere on its day), per time window.

    One Coverage per norm and window, in that order. A region's own rule goes before the national one, for its areas.
    ``chance=False`` leaves out the chances. ``nearest`` (of this same ``travel``; a variant that moves no station keeps
    it) spares the sorting of every row. ``progress`` is told in Dutch what is being computed. Raises NoRuleError,
    naming rule, place and day, when a norm asked for has no value.
    """
    codes = norms_in_force(plan) if norms is None else tuple(norms)
    nearest = nearest or compute_nearest(travel)
    handling_s, handling_spread = compute_call_handling(plan)
    regions = plan.regions.code.tolist()
    result = []
    for code in codes:
        per_region = [norm_in_force(plan.rules, code, plan.day, region) for region in regions]
        distinct = list(dict.fromkeys(per_region))
        which = np.array([distinct.index(norm) for norm in per_region], dtype=np.int32)[plan.areas.region]
        for window in windows:
            if progress is not None:
                progress(f"{per_region[0].dutch}, {window}")
            standing = compute_standing(plan.units, plan.stations, window)
            coverages = []
            for norm in distinct:
                arrivals = compute_rankings(
                    norm,
                    standing,
                    travel,
                    call_handling_s=handling_s,
                    chance=chance,
                    nearest=nearest,
                    only_region=plan.areas.region if alone else None,
                )
                coverages.append(
                    judge(
                        norm,
                        plan.areas,
                        arrivals,
                        standing,
                        window=window,
                        alone=alone,
                        travel_spread=travel.spread,
                        handling_spread=handling_spread,
                        chance=chance,
                    )
                )
            result.append(_merge(coverages, which))
    return tuple(result)


def compute_rankings(
    norm: Norm,
    standing: Standing,
    travel: Travel,
    *,
    call_handling_s: float | Floats,
    chance: bool = True,
    nearest: Nearest | None = None,
    only_region: Indices | None = None,
) -> tuple[Arrivals, ...]:
    """The arrivals that ``judge`` needs for ``norm``: one ranking per part, as deep as the norm asks.

    Part crews are ranked deeper until every area has its crew or no further unit to come.
    """

    def rank(part: Part, depth: int) -> Arrivals:
        return compute_arrivals(
            standing,
            travel,
            part.capabilities,
            call_handling_s=call_handling_s,
            depth=depth,
            nearest=nearest,
            only_region=only_region,
        )

    if not norm.crew_needed:
        beyond = BEYOND if chance or norm.statistic != "nominaal" else 0
        depth = sum(part.count for part in norm.parts) + beyond
        return tuple(rank(part, depth) for part in norm.parts)
    depth = norm.crew_needed
    while True:
        arrivals = rank(norm.parts[0], depth)
        complete_s, _ = compute_assembled(arrivals, standing, crew_needed=norm.crew_needed, max_gap_s=norm.max_gap_s)
        if not (np.isinf(complete_s) & (arrivals.unit[:, -1] >= 0)).any():
            return (arrivals,)
        depth *= 2


def norms_in_force(plan: Plan) -> tuple[str, ...]:
    """Codes of every norm that holds in all regions on the plan's day, in order of code."""
    codes = sorted({rule.code for rule in plan.rules.rules if rule.kind in NORM_KINDS})
    found = []
    for code in codes:
        try:
            for region in plan.regions.code.tolist():
                rule_in_force(plan.rules, code, plan.day, region)
        except NoRuleError:
            continue
        found.append(code)
    return tuple(found)


def compute_call_handling(plan: Plan) -> tuple[Floats, float]:
    """Median call handling per area, float32 [A], and the spread of its logarithm: rule "verwerkingstijd".

    The control room of the area's region sets it. The national spread serves all. Raises NoRuleError.
    """
    values = [
        rule_in_force(plan.rules, "verwerkingstijd", plan.day, region)[1] for region in plan.regions.code.tolist()
    ]
    per_region = np.array([v["verwerkingstijd_s"] for v in values], dtype=np.float32)
    _, national = rule_in_force(plan.rules, "verwerkingstijd", plan.day)
    return per_region[plan.areas.region], float(national.get("spreiding", 0.0))


def _last_member(arrivals: Sequence[Arrivals], members: Indices, response_s: Floats) -> Indices:
    """The unit that completes a formation: the member that arrives at its response time."""
    last = np.full(len(members), -1, dtype=np.int32)
    for ranked in arrivals:
        for k in range(ranked.unit.shape[1]):
            completes = (ranked.response_s[:, k] == response_s) & np.isfinite(response_s)
            completes &= (members == ranked.unit[:, k : k + 1]).any(axis=1)
            last[completes] = ranked.unit[completes, k]
    return last


def _merge(coverages: Sequence[Coverage], which: Indices) -> Coverage:
    """One Coverage out of several over the same areas: area a takes its row from ``coverages[which[a]]``."""
    if len(coverages) == 1:
        return coverages[0]
    rows = np.arange(len(which))
    columns = (
        "target_share",
        "limit_s",
        "response_s",
        "chance",
        "unit",
        "in_time",
        "object_limit_s",
        "objects_in_time",
    )
    merged: dict[str, Any] = {name: np.stack([getattr(c, name) for c in coverages])[which, rows] for name in columns}
    statistics = dict.fromkeys(coverages[i].statistic for i in np.unique(which))
    return replace(coverages[0], statistic=" / ".join(statistics), **merged)
