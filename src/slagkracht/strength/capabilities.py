"""What large events ask of each capability: how many at one moment, in which season, at which hour, on which day."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numba import njit

from slagkracht.risks import HOURS_PER_YEAR, SEASONS, Events, Need, Profile, Risk, compute_calendar, season_of_hours
from slagkracht.strength.formations import Formation
from slagkracht.strength.gap import LEVELS, QUANTILES, RETURN_YEARS

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

HOURS = tuple(f"{hour} uur" for hour in range(24))
KINDS = ("ma–vr", "za–zo")
PARTS = ("heel het jaar", *SEASONS, *HOURS, *KINDS)
"""The parts of a year for which a distribution is given; seasons, hours and kinds of day are each the whole year."""

DAY_EDGES = (0.0, 24.0, 48.0, 72.0, 96.0, 168.0, 336.0, float("inf"))
DAYS = ("dag 1", "dag 2", "dag 3", "dag 4", "dag 5–7", "dag 8–14", "dag 15 en later")
"""Days since an event began, and the hours between which each lies."""

SHAPE = (len(SEASONS), len(HOURS), len(KINDS))


@dataclass(frozen=True, eq=False)
class Asked:
    """The demand per capability [C].

    ``needed`` int32 [C, B, L] the most asked at one moment within each of PARTS, at each of LEVELS of the yearly peak,
    with ``needed_low`` and ``needed_high`` float64 [C, L] for the whole year (P5–P95 over what is not known of the
    rates) · ``chance`` float64 [C, B] share of years in which it is asked within the part · ``mean`` float64 [C, 4, 24]
    how many are asked at a moment, on average, by season and hour · ``begins`` float64 [C, 4, 24] how many are asked
    for per year in needs that begin then · ``ten_years`` int32 [C, 4, 24] once in ten years the
    most at one moment there · ``by_day`` int32 [C, D, Q] the most that one event which asks for it asks on each of
    DAYS, P50, P90 and P95 over such events · ``substitutes`` what may stand in, as doctrine has it: (capability, how
    many of them for one) · ``unknown`` formations that are asked and doctrine lacks: not counted.
    """

    capabilities: tuple[str, ...]
    needed: Indices
    needed_low: Doubles
    needed_high: Doubles
    chance: Doubles
    mean: Doubles
    begins: Doubles
    ten_years: Indices
    by_day: Indices
    substitutes: tuple[tuple[tuple[str, int], ...], ...]
    unknown: tuple[str, ...]


def compute_asked(events: Events, rate_draw: Indices, profile: Profile, formations: Mapping[str, Formation]) -> Asked:
    """Demand per capability over ``events``, the same years from which the gap is computed.

    ``rate_draw`` int32 [Y] which draw of the rates each year had · ``formations`` doctrine by code. A formation asks
    every part in its own capability, in full: what may stand in for it is said beside it and not counted off, as who
    stands in depends on who is there (the gap weighs that). A year begins on a Monday.
    """
    asked = {need.formation for risk in profile.risks for need in risk.needs}
    whole = _in_capabilities(profile, formations)
    parts = [part for code in sorted(asked & formations.keys()) for part in formations[code].parts]
    names = tuple(sorted({part.capability for part in parts}))
    hour = np.arange(HOURS_PER_YEAR, dtype=np.int32)
    cell = np.ravel_multi_index((season_of_hours(), hour % 24, (hour // 24 % 7 >= 5).astype(np.int64)), SHAPE)
    cells = tuple(str(c) for c in range(int(np.prod(SHAPE))))
    in_cell_h = np.bincount(cell, minlength=len(cells)).reshape(SHAPE).sum(axis=2)

    blocks = _blocks(events, rate_draw)

    def work(name: str) -> tuple[npt.NDArray[np.float64], ...]:
        counts, hours, begins = [], np.zeros(SHAPE), np.zeros(SHAPE)
        for block in blocks:
            calendar = compute_calendar(block, whole, (name,), cells, cell.astype(np.int32))
            peak = calendar.peak.reshape(block.years, *SHAPE)
            counts.append(_count(peak, int(peak.max(initial=0))))
            hours += calendar.hours.reshape(SHAPE) * block.years
            begins += calendar.begins.reshape(SHAPE) * block.years
        most = max((each.shape[1] for each in counts), default=1)
        by_draw = np.array([np.pad(each, ((0, 0), (0, most - each.shape[1]))) for each in counts], dtype=np.int64)
        count = by_draw.reshape(-1, len(PARTS) + len(SEASONS) * len(HOURS), most).sum(axis=0)
        chances = np.array([*(np.exp(-1.0 / t) for t in RETURN_YEARS), *QUANTILES])
        yearly = np.array([_levels(each[:1], chances)[0] for each in by_draw]).reshape(-1, len(LEVELS))
        ten = chances[[RETURN_YEARS.index(10.0)]]
        return (
            _levels(count[: len(PARTS)], chances),
            np.quantile(yearly, 0.05, axis=0) if len(yearly) else np.zeros(len(LEVELS)),
            np.quantile(yearly, 0.95, axis=0) if len(yearly) else np.zeros(len(LEVELS)),
            count[: len(PARTS), 1:].sum(axis=1) / max(events.years, 1),
            hours.sum(axis=2) / in_cell_h / max(events.years, 1),
            begins.sum(axis=2) / max(events.years, 1),
            _levels(count[len(PARTS) :], ten).reshape(SHAPE[:2]),
            _by_day(events, whole, name),
        )

    with ThreadPoolExecutor() as pool:
        found = list(zip(*pool.map(work, names), strict=True)) or [()] * 8
    shapes = ((len(PARTS), len(LEVELS)), (len(LEVELS),), (len(LEVELS),), (len(PARTS),), SHAPE[:2], SHAPE[:2], SHAPE[:2],
              (len(DAYS), len(QUANTILES)))  # fmt: skip
    stacked = [
        np.array(column, dtype=np.float64).reshape(len(names), *shape)
        for column, shape in zip(found, shapes, strict=True)
    ]
    needed, low, high, chance, mean, begins, ten_years, by_day = stacked
    return Asked(
        names, needed.astype(np.int32), low, high, chance, mean, begins, ten_years.astype(np.int32),
        by_day.astype(np.int32),
        tuple(next(part.substitutes for part in parts if part.capability == name) for name in names),
        tuple(sorted(asked - formations.keys())),
    )  # fmt: skip


def _in_capabilities(profile: Profile, formations: Mapping[str, Formation]) -> Profile:
    """The same risks with what their formations are made of as their needs."""

    def needs(risk: Risk) -> tuple[Need, ...]:
        return tuple(
            Need(part.capability, need.count * part.count, need.start_h, need.end_h)
            for need in risk.needs
            if need.formation in formations
            for part in formations[need.formation].parts
        )

    return Profile(tuple(dataclasses.replace(risk, needs=needs(risk)) for risk in profile.risks), profile.shocks)


def _blocks(events: Events, rate_draw: Indices) -> list[Events]:
    """The years of each draw of the rates by themselves, numbered from 0."""
    edges = np.flatnonzero(np.diff(rate_draw, prepend=-1, append=-1))
    found = []
    for since, until in zip(edges[:-1].tolist(), edges[1:].tolist()):
        rows = slice(*np.searchsorted(events.year, [since, until]))
        found.append(
            dataclasses.replace(
                events, year=events.year[rows] - np.int32(since), start_h=events.start_h[rows],
                end_h=events.end_h[rows], risk=events.risk[rows], years=until - since,
            )
        )  # fmt: skip
    return found


@njit(cache=True, nogil=True)
def _count(peak, most):  # type: ignore[no-untyped-def]
    """In how many years each peak was the most: int64 [1 + S + H + K + S * H, most + 1] of int32 [Y, S, H, K].

    Rows are PARTS (the year, its seasons, hours and kinds of day), then every hour of every season.
    """
    years, seasons, hours, kinds = peak.shape
    by_hour, by_kind = 1 + seasons, 1 + seasons + hours
    cells = by_kind + kinds
    count = np.zeros((cells + seasons * hours, most + 1), np.int64)
    top = np.zeros(len(count), np.int32)
    for y in range(years):
        top[:] = 0
        for s in range(seasons):
            for h in range(hours):
                for k in range(kinds):
                    value = peak[y, s, h, k]
                    if value:
                        top[0] = max(top[0], value)
                        top[1 + s] = max(top[1 + s], value)
                        top[by_hour + h] = max(top[by_hour + h], value)
                        top[by_kind + k] = max(top[by_kind + k], value)
                        top[cells + s * hours + h] = max(top[cells + s * hours + h], value)
        for c in range(len(top)):
            count[c, top[c]] += 1
    return count


def _levels(count: npt.NDArray[np.int64], chances: Doubles) -> npt.NDArray[np.float64]:
    """The smallest value passed in no more than 1 - chance of the years: float64 [B, L] of counts int64 [B, most + 1].

    Without years there is no demand: 0.
    """
    below = np.cumsum(count, axis=1)
    years = below[:, -1:, None] if below.shape[1] else np.zeros((len(below), 1, 1))
    reached: npt.NDArray[np.int64] = (below[:, None, :] >= chances[:, None] * years - 1e-9 * years).argmax(axis=2)
    return reached.astype(np.float64)


def _by_day(events: Events, profile: Profile, name: str) -> npt.NDArray[np.float64]:
    """P50, P90, P95 of what one event asks on each of DAYS, over the events that ask for ``name``: float64 [D, Q]."""
    often = np.bincount(events.risk, minlength=len(profile.risks))
    needs = [[need for need in risk.needs if need.formation == name] for risk in profile.risks]
    rows = [k for k, mine in enumerate(needs) if mine and often[k]]
    if not rows:
        return np.zeros((len(DAYS), len(QUANTILES)))
    peak = np.array([[_most_between(needs[k], *edges) for edges in pairwise(DAY_EDGES)] for k in rows])
    found = np.empty((len(DAYS), len(QUANTILES)))
    for d in range(len(DAYS)):
        order = np.argsort(peak[:, d], kind="stable")
        reached = np.cumsum(often[rows][order])
        at = np.searchsorted(reached, np.array(QUANTILES) * reached[-1] - 1e-9)
        found[d] = peak[order, d][at]
    return found


def _most_between(needs: list[Need], since_h: float, until_h: float) -> int:
    """The most that ``needs`` ask at one moment from ``since_h`` to ``until_h``: then, or when one of them begins."""
    moments = [since_h, *(need.start_h for need in needs if since_h < need.start_h < until_h)]
    return max(sum(need.count for need in needs if need.start_h <= at < need.end_h) for at in moments)
