"""The gap: what the nation needs, what it has, and what is short, at every level of certainty."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.plan import Plan
from slagkracht.resources import Standing
from slagkracht.risks import Demand, Events, Profile, compute_causes, compute_return_level
from slagkracht.rules import rule_in_force
from slagkracht.strength.formations import Formation
from slagkracht.strength.residual import Cover, Floors
from slagkracht.strength.supply import Counter, Supply

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]

RETURN_YEARS = (1.0, 5.0, 10.0, 25.0)
QUANTILES = (0.5, 0.9, 0.95)
LEVELS = ("eens per jaar", "eens per 5 jaar", "eens per 10 jaar", "eens per 25 jaar", "P50", "P90", "P95")
"""Levels of certainty: what is asked at once, once in so many years, and percentiles of the yearly peak."""


@dataclass(frozen=True, eq=False)
class Gap:
    """Needed minus available, per formation [F] and level of certainty [L] (LEVELS).

    ``needed`` float64 [F, L] with ``needed_low`` and ``needed_high`` (P5–P95 over what is not known of the rates) ·
    ``available`` float64 [F] mean with ``available_low``, ``available_high`` (P5–P95 over readiness and places) ·
    ``shortfall`` float64 [F, L] with ``shortfall_low`` (least need, most available) and ``shortfall_high`` ·
    ``chance_per_year`` float64 [F] that the yearly peak is more than is available · ``expected`` float64 [F] formations
    short at the peak of an average year · ``whole``, ``in_time``, ``ready`` float64 [F] what there would be without
    each limit in turn: ``whole`` − ``in_time`` is too far, ``in_time`` − ``ready`` is not ready, ``ready`` −
    ``available`` cannot be missed at home · ``per_place`` float64 [F, P] available at each place (nan = not asked
    there) · ``cause`` float64 [F, K] share of each risk in what is asked in the years that fall short (in all years
    where none does).
    """

    formations: tuple[Formation, ...]
    levels: tuple[str, ...]
    places: tuple[str, ...]
    needed: Doubles
    needed_low: Doubles
    needed_high: Doubles
    available: Doubles
    available_low: Doubles
    available_high: Doubles
    shortfall: Doubles
    shortfall_low: Doubles
    shortfall_high: Doubles
    chance_per_year: Doubles
    expected: Doubles
    whole: Doubles
    in_time: Doubles
    ready: Doubles
    per_place: Doubles
    cause: Doubles


@dataclass(frozen=True, eq=False)
class Worth:
    """What one more unit is worth, per formation, part and region, best first.

    ``formation`` int32 [W] · ``capability`` str [W] · ``region`` int32 [W] · ``gain`` float64 [W] formations more
    available, on average · ``spared`` float64 [W] formations less short at the peak of an average year ·
    ``arrival_s`` float64 [W] when the unit itself would be where it is asked, on average (ties are broken by it).
    """

    formation: Indices
    capability: npt.NDArray[np.str_]
    region: Indices
    gain: Doubles
    spared: Doubles
    arrival_s: Doubles


def compute_asked_places(profile: Profile, formations: Sequence[str]) -> tuple[tuple[str, ...], Doubles, Doubles]:
    """Where each formation is asked: (names [P], x_m and y_m float64 [P, 2], weight float64 [F, P]).

    A place weighs the formation-hours asked there per year. Risks without a place weigh nowhere; rows add up to 1.
    """
    names: dict[tuple[str, float, float], int] = {}
    for risk in profile.risks:
        for place in risk.places:
            names.setdefault((place.name, place.x_m, place.y_m), len(names))
    weight = np.zeros((len(formations), len(names)))
    for risk in profile.risks:
        total = sum(place.weight for place in risk.places)
        for need in risk.needs:
            if need.formation in formations:
                asked = risk.rate_per_year * need.count * (need.end_h - need.start_h)
                for place in risk.places:
                    column = names[place.name, place.x_m, place.y_m]
                    weight[formations.index(need.formation), column] += asked * place.weight / total
    total_weight = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total_weight, out=np.zeros_like(weight), where=total_weight > 0)
    return tuple(name for name, _, _ in names), np.array([[x, y] for _, x, y in names]).reshape(-1, 2), weight


def compute_main_places(weight: Doubles, most: int) -> Doubles:
    """Only the ``most`` heaviest places of each formation, made to add up to 1 again."""
    kept = np.zeros_like(weight)
    for f in range(len(weight)):
        heaviest = np.argsort(-weight[f], kind="stable")[:most]
        kept[f, heaviest] = weight[f, heaviest]
    total = kept.sum(axis=1, keepdims=True)
    share: Doubles = np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)
    return share


def compute_within_s(plan: Plan, formations: Sequence[Formation]) -> Doubles:
    """The time in which each formation counts, by the rule "tijdigheid": float64 [F]. Raises NoRuleError."""
    _, values = rule_in_force(plan.rules, "tijdigheid", plan.day)
    own = values.get("per_formatie", {})
    return np.array([3600.0 * float(own.get(each.code, values["uren"])) for each in formations])


def compute_gap(demand: Demand, events: Events, profile: Profile, supply: Supply) -> Gap:
    """Hold what is asked at once (``demand``, of ``events``) against what can stand there (``supply``).

    ``demand.formations`` names the same formations as ``supply``, in order. A formation for which no place is known is
    taken to be available as far as it can be formed at all. Raises ValueError when the two speak of other formations.
    """
    codes = tuple(each.code for each in supply.formations)
    if demand.formations != codes:
        raise ValueError(f"vraag en aanbod gaan over andere formaties: {demand.formations} en {codes}")
    count = len(codes)
    needed, low, high = (np.zeros((count, len(LEVELS))) for _ in range(3))
    draws = np.unique(demand.rate_draw)
    for level, years in enumerate(RETURN_YEARS):
        needed[:, level], low[:, level], high[:, level] = compute_return_level(demand, years)
    for level, q in enumerate(QUANTILES, start=len(RETURN_YEARS)):
        needed[:, level] = np.quantile(demand.peak, q, axis=0, method="inverted_cdf")
        each = [np.quantile(demand.peak[demand.rate_draw == d], q, axis=0, method="inverted_cdf") for d in draws]
        low[:, level], high[:, level] = np.quantile(each, 0.05, axis=0), np.quantile(each, 0.95, axis=0)
    nowhere = supply.weight.sum(axis=1) == 0
    available, least, most = np.zeros(count), np.zeros(count), np.zeros(count)
    chance, expected = np.zeros(count), np.zeros(count)
    cause = np.zeros((count, len(profile.risks)))
    for f in range(count):
        values, share = _spread(supply, f)
        available[f] = (values * share).sum()
        least[f], most[f] = _quantile(values, share, 0.05), _quantile(values, share, 0.95)
        peak = demand.peak[:, f].astype(np.float64)
        for value, part in zip(values, share):
            chance[f] += part * float((peak > value).mean()) if len(peak) else 0.0
            expected[f] += part * float(np.maximum(peak - value, 0).mean()) if len(peak) else 0.0
        short = np.flatnonzero(peak > available[f])
        cause[f] = compute_causes(_in_years(events, short) if len(short) else events, profile, codes[f])
    whole = np.maximum(supply.whole, supply.in_time.max(axis=1, initial=0)).astype(np.float64)
    in_time = np.where(nowhere, whole, (supply.weight * supply.in_time).sum(axis=1))
    ready = np.where(nowhere, whole, (supply.weight * supply.ready.mean(axis=2)).sum(axis=1))
    return Gap(
        supply.formations, LEVELS, supply.places, needed, low, high, available, least, most,
        np.maximum(needed - available[:, None], 0), np.maximum(low - most[:, None], 0),
        np.maximum(high - least[:, None], 0), chance, expected, whole, in_time, ready,
        np.where(supply.weight > 0, supply.available.mean(axis=2), np.nan), cause,
    )  # fmt: skip


def compute_worth(
    gap: Gap, demand: Demand, supply: Supply, standing: Standing, drive_s: Seconds, cover: Cover, floors: Floors,
    regions: int, *, most: int = 6, draws: int = 4,
) -> Worth:  # fmt: skip
    """What one more unit of each part would add, in every region, for the ``most`` formations that are short most.

    The unit stands at the region's station from which it would soonest be where it is asked; at home nobody counts on
    it. ``drive_s`` uint16 [P, O] as for the supply. Readiness is drawn as for the supply, with the same seed.
    """
    rng = np.random.default_rng(supply.seed)
    ready = rng.random((draws, len(standing))) < standing.readiness
    ready = np.concatenate([ready, np.ones((draws, 1), dtype=np.bool_)], axis=1)
    stations = [np.unique(standing.origin[standing.region == r]) for r in range(regions)]
    wider = dataclasses.replace(cover, unit_first=np.append(cover.unit_first, cover.unit_first[-1]).astype(np.int32))
    tasks = [
        (int(f), part.capability, r)
        for f in np.argsort(-gap.expected, kind="stable")[:most]
        if gap.expected[f] > 0 and supply.weight[f].any()
        for part in supply.formations[f].parts
        for r in range(regions)
        if len(stations[r]) and part.capability in standing.capability_names
    ]

    def work(task: tuple[int, str, int]) -> tuple[float, float, float]:
        f, capability, r = task
        spots = np.flatnonzero(supply.weight[f] > 0)
        weight = supply.weight[f, spots]
        mean_s = (drive_s[np.ix_(spots, stations[r])] * weight[:, None]).sum(axis=0)
        origin = int(stations[r][np.argmin(mean_s)])
        turnout_s = float(np.median(standing.turnout_s[standing.region == r]))
        more = _with_one(standing, origin, r, capability, turnout_s)
        counter = Counter(more, supply.formations[f], wider)
        counts = [
            [counter.count(drive_s[p], float(supply.within_s[f]), floors, ready[d]) for d in range(draws)]
            for p in spots
        ]
        gained = np.array(counts) - supply.available[f][spots, :draws]
        peak = demand.peak[:, f]
        before = supply.available[f][spots, :draws]
        spared = [
            [np.maximum(peak - b, 0).mean() - np.maximum(peak - b - g, 0).mean() for b, g in zip(row, gains)]
            for row, gains in zip(before, gained)
        ]
        arrival_s = float(mean_s.min()) + turnout_s + supply.formations[f].assembly_s
        return float(weight @ gained.mean(axis=1)), float(weight @ np.mean(spared, axis=1)), arrival_s

    with ThreadPoolExecutor() as pool:
        found = np.array(list(pool.map(work, tasks))).reshape(-1, 3)
    order = np.lexsort((found[:, 2], -found[:, 0], -np.round(found[:, 1], 6)))
    return Worth(
        np.array([tasks[i][0] for i in order], dtype=np.int32),
        np.array([tasks[i][1] for i in order], dtype=np.str_),
        np.array([tasks[i][2] for i in order], dtype=np.int32),
        *(found[order, column] for column in range(3)),
    )


def compute_short_together(
    gap: Gap, level: int, supply: Supply, standing: Standing, drive_s: Seconds, cover: Cover, floors: Floors
) -> Indices:
    """How many of each formation fail when everything that ``level`` needs is asked at once: int32 [F].

    Formations that share units compete; each is asked at its own heaviest place, those short most often first.
    """
    short = np.zeros(len(gap.formations), dtype=np.int32)
    away = np.zeros(len(standing), dtype=np.bool_)
    for f in np.lexsort((gap.available - gap.needed[:, level],)).tolist():
        count = int(gap.needed[f, level])
        if not count:
            continue
        somewhere = supply.weight[f].any()  # where no place is known, distance is no object
        place = drive_s[int(np.argmax(supply.weight[f]))] if somewhere else np.zeros(drive_s.shape[1], dtype=np.uint16)
        counter = Counter(standing, gap.formations[f], cover)
        taken, standing_there = counter.take(place, float(supply.within_s[f]), floors, away, count)
        short[f] = count - standing_there
        away |= taken
    return short


def _with_one(standing: Standing, origin: int, region: int, capability: str, turnout_s: float) -> Standing:
    """``standing`` with one unit more that is always ready."""
    able = np.array([[name == capability for name in standing.capability_names]])
    return dataclasses.replace(
        standing,
        unit=np.append(standing.unit, np.int32(-1)),
        origin=np.append(standing.origin, np.int32(origin)),
        region=np.append(standing.region, np.int32(region)),
        capabilities=np.concatenate([standing.capabilities, able]),
        crew=np.append(standing.crew, np.int32(0)),
        turnout_s=np.append(standing.turnout_s, np.float32(turnout_s)),
        turnout_spread=np.append(standing.turnout_spread, np.float32(0)),
        readiness=np.append(standing.readiness, np.float32(1)),
        free=np.append(standing.free, True),
    )


def _spread(supply: Supply, f: int) -> tuple[Doubles, Doubles]:
    """What is available of a formation over places and draws, with how likely each value is."""
    spots = np.flatnonzero(supply.weight[f] > 0)
    if not len(spots):
        return np.array([float(supply.whole[f])]), np.ones(1)
    draws = supply.available.shape[2]
    values = supply.available[f, spots].astype(np.float64).ravel()
    return values, np.repeat(supply.weight[f, spots] / draws, draws)


def _quantile(values: Doubles, share: Doubles, q: float) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.searchsorted(np.cumsum(share[order]), q - 1e-9)
    return float(values[order[min(int(reached), len(order) - 1)]])


def _in_years(events: Events, years: npt.NDArray[np.integer]) -> Events:
    keep = np.isin(events.year, years)
    return dataclasses.replace(
        events, year=events.year[keep], start_h=events.start_h[keep], end_h=events.end_h[keep], risk=events.risk[keep]
    )
