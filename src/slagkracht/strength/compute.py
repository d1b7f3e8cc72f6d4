"""Which formations can stand at a place, when, out of whose units, and the coverage left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.resources import Standing
from slagkracht.strength.exact import solve_exactly
from slagkracht.strength.formations import DoctrineError, Formation, compute_share
from slagkracht.strength.residual import Cover, Floors, compute_held, compute_least, compute_residual
from slagkracht.strength.selection import eject, lean_on, may_go, polish, select
from slagkracht.travel import UNREACHABLE

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Seconds = npt.NDArray[np.uint16]

NOBODY_FIRST: Mapping[str, int] = MappingProxyType({})

REASONS = {
    "gekozen": "gekozen",
    "later": "komt later aan dan de laatste die nodig was",
    "onvolledig": "de eigen regio krijgt er geen volledige formatie mee gevormd",
    "ondergrens": "bij vertrek zakt een regio onder haar ondergrens",
    "niet_vrij": "niet vrij: elders ingezet of toegezegd",
    "rust": "de bemanning rust",
    "niet_paraat": "in dit tijdvenster niet paraat",
    "onbereikbaar": "er voert geen weg naar de plaats",
    "andere_taak": "heeft geen mogelijkheid die deze formatie vraagt",
}
"""Why a unit was chosen or not: code and Dutch sentence. Codes are data for the next plan."""

REASONS_WHERE_ASSIGNED = {**REASONS, "aangewezen": "een andere regio is hiervoor aangewezen en gaat voor"}
"""The same where ``first`` says which region goes first with a formation."""

PRICES = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1.0)
"""Seconds that a resident left without cover is taken to cost, when ordering candidates; the best outcome is kept."""

FEW_PRICES = (0.004, 0.064)
"""The orders tried where thousands of choices are made."""

RESTARTS = 100
"""Tries with other prices per unit, each around the best found so far."""

BEST_IMPROVED = 3
"""How many of the outcomes are improved by exchanges."""

MOST_WORK = 40_000_000
"""Comparisons that exchanges may take per outcome: about a tenth of a second."""


@dataclass(frozen=True, eq=False)
class Strength:
    """Who goes, when it stands, and what stays.

    ``formations`` the formation asked for in place f · ``unit_formation`` int32 [N] the place each standing unit fills
    (-1 = it stays) · ``unit_part`` int32 [N] part of the formation · ``arrival_s`` float64 [N] from the alarm to
    standing there (inf = cannot come) · ``complete_s`` float64 [F] when each formation stands whole (inf = never) ·
    ``missing`` per formation the capabilities that are short, with how many · ``reason`` str [N] a key of
    REASONS_WHERE_ASSIGNED · ``goes_first`` int32 [F] the region that brought it because it is assigned (-1 = none) ·
    ``floor_region`` int32 [N] the region whose floor held a unit back (-1 = none) · ``residual_before``,
    ``residual_after``, ``floor`` float64 [R] shares of residents in time · ``cost_s`` sum of turnout and drive of
    those who go · ``bound_s`` what no choice can beat (nan = not proven) · ``method`` "snel" or "exact".
    """

    formations: tuple[Formation, ...]
    unit_formation: Indices
    unit_part: Indices
    arrival_s: Doubles
    complete_s: Doubles
    missing: tuple[dict[str, int], ...]
    reason: npt.NDArray[np.str_]
    goes_first: Indices
    floor_region: Indices
    residual_before: Doubles
    residual_after: Doubles
    floor: Doubles
    cost_s: float
    bound_s: float
    method: str

    def __len__(self) -> int:
        return len(self.formations)


@dataclass(frozen=True, eq=False)
class Demand:
    """Formations asked for, as the arrays the selection reads (made once, used for every place).

    ``share`` float32 [N, F, P], ``need`` int32 [F, P], ``same_region`` bool [F] · ``kind`` int32 [F] formations of one
    kind can be filled by the same units · ``goes_first`` int32 [F] the region that must bring it (-1 = any).
    """

    formations: tuple[Formation, ...]
    share: Floats
    need: Indices
    same_region: Flags
    kind: Indices
    goes_first: Indices


def compute_demand(
    standing: Standing, asked: Sequence[tuple[Formation, int]], first: Mapping[str, int] = NOBODY_FIRST
) -> Demand:
    """``asked`` as (formation, count), in order of urgency, ready for ``standing``. Raises DoctrineError for none.

    ``first`` the region that brings the first of a formation, by code (``compute_first_regions``): there only its own
    units have the assigned capability.
    """
    formations = tuple(formation for formation, count in asked for _ in range(count))
    if not formations:
        raise DoctrineError("er is geen formatie gevraagd: noem er ten minste één")
    parts = max((len(formation.parts) for formation in formations), default=1)
    share = np.zeros((len(standing), len(formations), parts), dtype=np.float32)
    need = np.zeros((len(formations), parts), dtype=np.int32)
    for f, formation in enumerate(formations):
        for p, part in enumerate(formation.parts):
            share[:, f, p] = compute_share(standing, part)
            need[f, p] = part.count
    goes_first = np.full(len(formations), -1, dtype=np.int32)
    for f, formation in enumerate(formations):
        if formation.assignment and formation.code in first and formation not in formations[:f]:
            goes_first[f] = first[formation.code]
            elsewhere = standing.region != goes_first[f]
            for p, part in enumerate(formation.parts):
                if part.capability == formation.assignment.capability:
                    share[elsewhere, f, p] = 0.0
    kinds: dict[tuple[Formation, int], int] = {}
    return Demand(
        formations,
        share,
        need,
        np.array([formation.same_region for formation in formations], dtype=np.bool_),
        np.array(
            [kinds.setdefault(pair, len(kinds)) for pair in zip(formations, goes_first.tolist(), strict=True)],
            dtype=np.int32,
        ),
        goes_first,
    )


def compute_arrival_s(standing: Standing, demand: Demand, drive_s: Seconds, resting: Flags | None = None) -> Doubles:
    """When each standing unit would be there by itself, counted from its alarm: float64 [N]; inf = it cannot come.

    ``drive_s`` uint16 [O] from every origin to the place; ``resting`` bool [N] crews that may not be asked.
    """
    drive = drive_s[standing.origin]
    able = standing.free & (standing.readiness > 0) & (drive != UNREACHABLE) & (demand.share.max(axis=(1, 2)) > 0)
    if resting is not None:
        able &= ~resting
    arrival = standing.turnout_s.astype(np.float64) + drive
    return np.where(able, arrival, np.inf)


def compute_strength(
    standing: Standing,
    drive_s: Seconds,
    asked: Sequence[tuple[Formation, int]],
    cover: Cover,
    floors: Floors | None,
    *,
    first: Mapping[str, int] = NOBODY_FIRST,
    away: Flags | None = None,
    resting: Flags | None = None,
    partial: bool = True,
    exact: bool = False,
    seconds: float = 60.0,
    thorough: bool = True,
) -> Strength:
    """Which units make the formations asked for at one place, soonest, without any lender dropping below its floor.

    ``drive_s`` uint16 [O] drive from every origin to the place · ``asked`` (formation, how many) in order of urgency ·
    ``cover`` what each unit holds at home (``compute_cover``) · ``floors`` None = nobody has one · ``first`` the region
    that doctrine lets go first with a formation here (``compute_first_regions``): it brings the first one, unless it
    cannot bring it whole · ``away`` bool [N] units that are gone already · ``partial`` send what there is of a
    formation that cannot be made whole · ``exact`` solve the choice as a mixed-integer model with its proven bound
    instead of the fast way · ``thorough`` False tries fewer orders and improves nothing afterwards: for simulations,
    where thousands of choices are made.
    A formation that cannot be made is reported as missing, with the reason per unit; nothing is raised for it.
    """
    demand = compute_demand(standing, asked, first)
    gone = np.zeros(len(standing), dtype=np.bool_) if away is None else away
    arrival_s = compute_arrival_s(standing, demand, drive_s, resting)
    arrival_s[gone] = np.inf
    before = compute_residual(cover, gone)
    floor = np.zeros(len(before)) if floors is None else floors.share
    left = compute_held(cover, gone)
    covered = before * cover.total
    least = compute_least(cover, floors)
    blocked = np.zeros(len(standing), dtype=np.bool_)
    bound_s, method = float("nan"), "snel"
    formation, part, whole = _select_fast(
        standing, demand, arrival_s, cover, left, covered, least, partial, blocked, thorough
    )
    unable = {demand.formations[f].code for f in np.flatnonzero((demand.goes_first >= 0) & ~whole)}
    if unable:
        able = {code: region for code, region in first.items() if code not in unable}
        return compute_strength(
            standing, drive_s, asked, cover, floors, first=able, away=away, resting=resting, partial=partial,
            exact=exact, seconds=seconds, thorough=thorough,
        )  # fmt: skip
    if exact and whole.all() and len(whole):
        solved, solved_part, answer = solve_exactly(
            arrival_s, demand.share, demand.need, demand.kind, demand.same_region, standing.region, cover.unit_first,
            cover.unit_area, cover.weight, cover.region, left, covered, least, seconds=seconds,
        )  # fmt: skip
        if len(answer.values):
            bound_s, method = answer.bound, "exact"
            if answer.objective < arrival_s[formation >= 0].sum() - 1e-6:  # alike: the order of the table decides
                formation, part = solved, solved_part
    cost_s = float(arrival_s[formation >= 0].sum())
    assembly_s = np.array([each.assembly_s for each in demand.formations])
    arrival_s = arrival_s + np.where(formation >= 0, assembly_s[formation], assembly_s.min(initial=np.inf))
    formation, complete_s = _number_by_arrival(demand, arrival_s, formation, whole)
    taken = gone | (formation >= 0)
    reason, floor_region = _explain(
        standing, demand, arrival_s, drive_s, cover, taken, formation, part, least, blocked, gone, resting, complete_s
    )
    return Strength(
        demand.formations, formation, part, arrival_s, complete_s, _missing(demand, formation, part), reason,
        demand.goes_first, floor_region, before, compute_residual(cover, taken), floor, cost_s, bound_s, method,
    )  # fmt: skip


def compute_strength_at_places(
    standing: Standing,
    asks: Sequence[tuple[Seconds, Sequence[tuple[Formation, int]]]],
    cover: Cover,
    floors: Floors | None,
    *,
    first: Sequence[Mapping[str, int]] = (),
    away: Flags | None = None,
    resting: Flags | None = None,
    partial: bool = True,
) -> tuple[Strength, ...]:
    """Several places at once, the most urgent first: what one place takes, the next can no longer have.

    ``asks`` (drive times to the place, formations asked there), in order of urgency, ``first`` per place; the rest as
    in ``compute_strength``. Floors hold for all of them together.
    """
    gone = np.zeros(len(standing), dtype=np.bool_) if away is None else away
    found = []
    for (drive_s, asked), here in zip(asks, first or [NOBODY_FIRST] * len(asks), strict=True):
        strength = compute_strength(
            standing, drive_s, asked, cover, floors, first=here, away=gone, resting=resting, partial=partial
        )
        found.append(strength)
        gone = gone | (strength.unit_formation >= 0)
    return tuple(found)


def _select_fast(
    standing: Standing, demand: Demand, arrival_s: Doubles, cover: Cover, left: Indices, covered: Doubles,
    least: Doubles, partial: bool, blocked: Flags, thorough: bool,
) -> tuple[Indices, Indices, Flags]:  # fmt: skip
    """The greedy choice at several prices of lost cover, polished; most formations soonest wins."""
    losses = lean_on(cover.unit_first, cover.unit_area, cover.weight, left)
    able = np.flatnonzero(np.isfinite(arrival_s)).astype(np.int32)
    most = demand.share.max(axis=(1, 2), initial=0.0)
    soonest = able[np.argsort(arrival_s[able], kind="stable")]

    def improve(method: Any, choice: _Choice, *more: int) -> None:
        useful = soonest[arrival_s[soonest] <= arrival_s[choice.formation >= 0].max(initial=0.0)]
        method(
            arrival_s, useful, demand.share, demand.same_region, standing.region, cover.unit_first, cover.unit_area,
            cover.weight, cover.region, choice.left, choice.covered, least, choice.formation, choice.part, *more,
        )  # fmt: skip

    def attempt(price: Doubles) -> _Choice:
        """The greedy choice when a resident who leans on this unit costs ``price`` [N] seconds."""
        wanted = arrival_s[able] / most[able] + price[able] * losses[able]  # a half place costs two arrivals
        order = able[np.lexsort((able, wanted))]
        choice = _Choice(
            np.full(len(standing), -1, dtype=np.int32), np.full(len(standing), -1, dtype=np.int32),
            np.zeros(len(demand.formations), dtype=np.bool_), np.zeros(len(standing), dtype=np.bool_), left.copy(),
            covered.copy(),
        )  # fmt: skip
        select(
            arrival_s, order, demand.share, demand.need, demand.kind, demand.same_region, len(covered), partial,
            standing.region,
            cover.unit_first, cover.unit_area, cover.weight, cover.region, choice.left, choice.covered, least,
            choice.formation, choice.part, choice.whole, choice.blocked,
        )  # fmt: skip
        if thorough:
            improve(polish, choice)
        return choice

    free = np.zeros(len(standing))
    choice = attempt(free)
    tried = [(_worth(choice, arrival_s), free, choice)]
    if choice.blocked.any():
        for seconds in PRICES if thorough else FEW_PRICES:
            choice = attempt(free + seconds)
            tried.append((_worth(choice, arrival_s), free + seconds, choice))
        rng = np.random.default_rng(0)  # the same tries every time
        for _ in range(RESTARTS if thorough else 0):
            _, price, _ = min(tried, key=lambda each: each[0])
            nearby = np.maximum(price, PRICES[0]) * np.exp(2.0 * rng.standard_normal(len(standing)))
            choice = attempt(nearby)
            tried.append((_worth(choice, arrival_s), nearby, choice))
        tried.sort(key=lambda each: each[0])
        for place, (_, price, choice) in enumerate(tried[:BEST_IMPROVED] if thorough else []):
            improve(eject, choice, MOST_WORK)
            tried[place] = (_worth(choice, arrival_s), price, choice)
    best = min(tried, key=lambda each: each[0])[2]
    blocked[:] = best.blocked
    return best.formation, best.part, best.whole


@dataclass(frozen=True, eq=False)
class _Choice:
    """One way to fill all formations, with what is left of the cover behind it."""

    formation: Indices
    part: Indices
    whole: Flags
    blocked: Flags
    left: Indices
    covered: Doubles


def _worth(choice: _Choice, arrival_s: Doubles) -> tuple[float, float]:
    """Fewest formations that are not whole, then the smallest sum of arrivals."""
    return float((~choice.whole).sum()), float(arrival_s[choice.formation >= 0].sum())


def _number_by_arrival(demand: Demand, arrival_s: Doubles, formation: Indices, whole: Flags) -> tuple[Indices, Doubles]:
    """Number interchangeable formations by when they stand whole: (formation int32 [N], complete_s float64 [F])."""
    count = len(demand.formations)
    complete_s = np.full(count, np.inf)
    for f in np.flatnonzero(whole).tolist():
        complete_s[f] = arrival_s[formation == f].max(initial=0.0)
    number = np.arange(count + 1, dtype=np.int32)  # the last place stands for "stays": index -1
    number[count] = -1
    for kind in range(int(demand.kind.max()) + 1):
        places = np.flatnonzero(demand.kind == kind).tolist()
        number[sorted(places, key=lambda f: complete_s[f])] = places
    renumbered = np.empty(count)
    renumbered[number[:count]] = complete_s
    return number[formation], renumbered


def _missing(demand: Demand, formation: Indices, part: Indices) -> tuple[dict[str, int], ...]:
    """Per formation which capabilities are short and by how many places."""
    short = []
    for f, wanted in enumerate(demand.formations):
        lacks = {}
        for p, each in enumerate(wanted.parts):
            mine = (formation == f) & (part == p)
            have = int(demand.share[mine, f, p].sum() + 1e-4)
            if have < each.count:
                lacks[each.capability] = each.count - have
        short.append(lacks)
    return tuple(short)


def _explain(
    standing: Standing, demand: Demand, arrival_s: Doubles, drive_s: Seconds, cover: Cover, taken: Flags,
    formation: Indices, part: Indices, least: Doubles, blocked: Flags, gone: Flags, resting: Flags | None,
    complete_s: Doubles,
) -> tuple[npt.NDArray[np.str_], Indices]:  # fmt: skip
    """Per unit why it was chosen or not, judged against what is left once the others have gone."""
    suits = demand.share.max(axis=(1, 2), initial=0.0) > 0
    passed_over = _pass_over(standing, demand)
    reason = np.full(len(standing), "andere_taak", dtype="<U16")
    floor_region = np.full(len(standing), -1, dtype=np.int32)
    left = compute_held(cover, taken)
    covered = compute_residual(cover, taken) * cover.total
    loss = np.zeros(len(covered))
    chosen = formation >= 0
    last_s = float(arrival_s[chosen].max()) if chosen.any() else 0.0
    last_of_part_s = np.zeros(demand.need.shape)
    np.maximum.at(last_of_part_s, (formation[chosen], part[chosen]), arrival_s[chosen])
    needed_until_s = np.where(demand.share > 0, last_of_part_s, 0.0).max(axis=(1, 2), initial=0.0)
    all_whole = bool(np.isfinite(complete_s).all())
    for unit in np.flatnonzero(suits | passed_over).tolist():
        if chosen[unit]:
            reason[unit] = "gekozen"
        elif not standing.free[unit] or gone[unit]:
            reason[unit] = "niet_vrij"
        elif resting is not None and resting[unit]:
            reason[unit] = "rust"
        elif standing.readiness[unit] <= 0:
            reason[unit] = "niet_paraat"
        elif drive_s[standing.origin[unit]] == UNREACHABLE:
            reason[unit] = "onbereikbaar"
        elif passed_over[unit]:
            reason[unit] = "aangewezen"
        elif not may_go(
            unit, cover.unit_first, cover.unit_area, cover.weight, cover.region, left, covered, least, loss
        ) and (blocked[unit] or arrival_s[unit] <= last_s):
            reason[unit] = "ondergrens"
            floor_region[unit] = _whose_floor(unit, cover, left, covered, least)
        elif all_whole and arrival_s[unit] >= needed_until_s[unit]:
            reason[unit] = "later"
        else:
            reason[unit] = "onvolledig"
    return reason, floor_region


def _pass_over(standing: Standing, demand: Demand) -> Flags:
    """Units whose only task here is one that another region is assigned to bring: bool [N]."""
    passed_over = np.zeros(len(standing), dtype=np.bool_)
    for f in np.flatnonzero(demand.goes_first >= 0).tolist():
        for part in demand.formations[f].parts:
            assignment = demand.formations[f].assignment
            if assignment and part.capability == assignment.capability:
                passed_over |= compute_share(standing, part) > 0
    unused: Flags = demand.share.max(axis=(1, 2), initial=0.0) == 0
    return passed_over & unused


def _whose_floor(unit: int, cover: Cover, left: Indices, covered: Doubles, least: Doubles) -> int:
    """The region that would fall furthest below its floor without ``unit``."""
    mine = cover.unit_area[cover.unit_first[unit] : cover.unit_first[unit + 1]]
    lost = mine[left[mine] == 1]
    falls = np.bincount(cover.region[lost], weights=cover.weight[lost], minlength=len(covered))
    below = np.where(falls > 0, least - (covered - falls), -np.inf)
    return int(np.argmax(below))
