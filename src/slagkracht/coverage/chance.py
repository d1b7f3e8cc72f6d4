"""What readiness and spread make of a ranking: how likely it is that the n-th unit is there in time, and when it comes.

The control room knows who is ready and sends the first ready units in station order; so the n-th arrival is the n-th
ready unit of the ranking. Units are ready independently of each other (Poisson-binomial), turnout and drive are
lognormal around their medians and independent. A ranking of K units knows nothing of unit K+1: take K well above n.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from slagkracht.coverage.arrivals import Arrivals, in_parts
from slagkracht.resources import Standing

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(13)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()

NEVER = 1e-6
"""A unit less likely than this to be the n-th is left out; so near a percentile counts as on it (0.9 in float32)."""


def compute_nominal(arrivals: Arrivals, n: int) -> Floats:
    """Response time of the n-th unit with every unit ready and everything at its median: float32 [A], inf = none."""
    if not 1 <= n <= arrivals.response_s.shape[1]:
        raise ValueError(f"eenheid {n} gevraagd uit een rangorde van {arrivals.response_s.shape[1]}")
    return arrivals.response_s[:, n - 1]


def compute_chance(
    arrivals: Arrivals,
    standing: Standing,
    travel_spread: float,
    n: int,
    limit_s: float | Floats,
    *,
    handling_spread: float = 0.0,
) -> Floats:
    """Chance that n ready units have arrived within ``limit_s`` (number or [A]): float32 [A], nan where it is nan.

    Limit inf gives the chance that n units come at all. ``travel_spread`` and ``handling_spread`` are standard
    deviations of ln(drive) and ln(call handling).
    """
    areas = len(arrivals)
    limit = np.broadcast_to(np.asarray(limit_s, dtype=np.float32), (areas,)).copy()
    chance = np.empty(areas, dtype=np.float32)

    def work(start: int, stop: int) -> None:
        _chances(
            start, stop, arrivals.unit, arrivals.response_s, arrivals.drive_s, arrivals.call_handling_s,
            standing.turnout_s, standing.turnout_spread, standing.readiness, travel_spread, handling_spread,
            n, limit, _NODES, _WEIGHTS, chance,
        )  # fmt: skip

    compute_nominal(arrivals, n)  # refuses an n beyond the ranking
    in_parts(areas, work)
    return chance


def compute_percentile(
    arrivals: Arrivals, standing: Standing, travel_spread: float, n: int, q: float, *, handling_spread: float = 0.0
) -> Floats:
    """The time within which n units have arrived in a share ``q`` of all cases: float32 [A], to within 0.05 s.

    A case in which nobody comes counts as a case: inf where n units come in less than ``q`` of them.
    """
    if not 0 < q < 1:
        raise ValueError(f"percentiel {q}: verwacht een aandeel tussen 0 en 1, zoals 0.9")
    answer = np.empty(len(arrivals), dtype=np.float32)

    def work(start: int, stop: int) -> None:
        _percentiles(
            start, stop, arrivals.unit, arrivals.response_s, arrivals.drive_s, arrivals.call_handling_s,
            standing.turnout_s, standing.turnout_spread, standing.readiness, travel_spread, handling_spread,
            n, q - NEVER, _NODES, _WEIGHTS, answer,
        )  # fmt: skip

    compute_nominal(arrivals, n)
    in_parts(len(arrivals), work)
    return answer


def compute_expected(
    arrivals: Arrivals, standing: Standing, travel_spread: float, n: int, *, handling_spread: float = 0.0
) -> tuple[Floats, Floats]:
    """Mean response time of the n-th unit when n units come, and the chance that they do: two float32 [A].

    The mean is conditional: cases in which nobody comes are not in it (inf where they never come) but in the chance.
    """
    weight = compute_mixture(arrivals, standing, n)
    unit = np.maximum(arrivals.unit, 0)
    turnout = standing.turnout_s[unit] * np.exp(np.square(standing.turnout_spread[unit].astype(np.float64)) / 2)
    drive = arrivals.drive_s * math.exp(travel_spread**2 / 2)
    handling = arrivals.call_handling_s.astype(np.float64) * math.exp(handling_spread**2 / 2)
    comes = weight.sum(axis=1)
    total = (weight * (turnout + drive + handling[:, None])).sum(axis=1)
    expected = np.divide(total, comes, out=np.full(len(comes), np.inf), where=comes > 0)
    return expected.astype(np.float32), comes.astype(np.float32)


def compute_mixture(arrivals: Arrivals, standing: Standing, n: int) -> Doubles:
    """Chance, per ranked unit, that it is the n-th ready one: float64 [A, K]."""
    ready = np.where(arrivals.unit >= 0, standing.readiness[np.maximum(arrivals.unit, 0)], 0).astype(np.float64)
    before = np.zeros((len(ready), n))  # chance that exactly 0..n-1 of the units so far are ready
    before[:, 0] = 1
    weight = np.empty_like(ready)
    for k in range(ready.shape[1]):
        p = ready[:, k : k + 1]
        weight[:, k] = before[:, n - 1] * p[:, 0]
        shifted = np.hstack([np.zeros((len(ready), 1)), before[:, :-1]])
        before = before * (1 - p) + shifted * p
    return weight


@njit(cache=True, nogil=True)
def _mixture(units: Indices, readiness: Floats, n: int, before: Doubles, weight: Doubles) -> float:
    """``weight``[k] = chance that the k-th ranked unit is the n-th ready one; returns their sum."""
    before[:] = 0.0
    before[0] = 1.0
    total = 0.0
    for k in range(len(units)):
        weight[k] = 0.0
        if units[k] >= 0:
            p = float(readiness[units[k]])
            weight[k] = before[n - 1] * p
            total += weight[k]
            for j in range(n - 1, 0, -1):
                before[j] = before[j] * (1.0 - p) + before[j - 1] * p
            before[0] *= 1.0 - p
    return total


@njit(cache=True, nogil=True)
def _in_time(
    turnout_s: float,
    turnout_spread: float,
    drive_s: float,
    drive_spread: float,
    handling_s: float,
    handling_spread: float,
    limit_s: float,
    nodes: Doubles,
    weights: Doubles,
) -> float:
    """P(call handling + turnout + drive <= limit).

    The variable with the smaller spread in seconds is integrated by Gauss-Hermite, the other has its distribution in
    closed form. A spread in call handling is first joined with turnout in one lognormal of the same mean and variance
    (Fenton-Wilkinson).
    """
    left = limit_s - handling_s
    if handling_spread > 0.0 and handling_s > 0.0:
        a = turnout_spread * turnout_spread
        b = handling_spread * handling_spread
        mean = turnout_s * math.exp(a / 2) + handling_s * math.exp(b / 2)
        variance = turnout_s**2 * math.exp(a) * math.expm1(a) + handling_s**2 * math.exp(b) * math.expm1(b)
        square = math.log1p(variance / mean**2)
        turnout_s = mean * math.exp(-square / 2)
        turnout_spread = math.sqrt(square)
        left = limit_s
    if left <= 0.0:
        return 0.0
    if turnout_spread * turnout_s > drive_spread * drive_s:
        outer_s, outer, inner_s, inner = drive_s, drive_spread, turnout_s, turnout_spread
    else:
        outer_s, outer, inner_s, inner = turnout_s, turnout_spread, drive_s, drive_spread
    if inner == 0.0 or inner_s == 0.0:
        return 1.0 if turnout_s + drive_s <= left else 0.0
    if outer_s * math.exp(4.5 * outer) + inner_s * math.exp(4.5 * inner) <= left:
        return 1.0
    if outer_s * math.exp(-4.5 * outer) + inner_s * math.exp(-4.5 * inner) > left:
        return 0.0
    scale = 1.0 / (inner * math.sqrt(2.0))
    middle = math.log(inner_s)
    if outer == 0.0 or outer_s == 0.0:
        rest = left - outer_s
        return 0.5 * math.erfc(-(math.log(rest) - middle) * scale) if rest > 0.0 else 0.0
    chance = 0.0
    for j in range(len(nodes)):
        rest = left - outer_s * math.exp(outer * nodes[j])
        if rest > 0.0:
            chance += weights[j] * 0.5 * math.erfc(-(math.log(rest) - middle) * scale)
    return chance


@njit(cache=True, nogil=True)
def _mixed(
    units: Indices, responses: Floats, drives: Seconds, weight: Doubles, handling_s: np.float32, turnout_s: Floats,
    turnout_spread: Floats, travel_spread: float, handling_spread: float, limit_s: float, nodes: Doubles,
    weights: Doubles,
) -> float:  # fmt: skip
    chance = 0.0
    for k in range(len(units)):
        if weight[k] < NEVER:
            continue
        unit = units[k]
        if travel_spread == 0.0 and handling_spread == 0.0 and turnout_spread[unit] == 0.0:
            if responses[k] <= limit_s:  # the nominal time itself, so that a unit exactly on the norm is in time
                chance += weight[k]
        else:
            chance += weight[k] * _in_time(
                float(turnout_s[unit]), float(turnout_spread[unit]), float(drives[k]), travel_spread,
                float(handling_s), handling_spread, limit_s, nodes, weights,
            )  # fmt: skip
    return chance


@njit(cache=True, nogil=True)
def _chances(
    start: int, stop: int, unit: Indices, response_s: Floats, drive_s: Seconds, handling_s: Floats, turnout_s: Floats,
    turnout_spread: Floats, readiness: Floats, travel_spread: float, handling_spread: float, n: int, limit_s: Floats,
    nodes: Doubles, weights: Doubles, chance: Floats,
) -> None:  # fmt: skip
    before = np.empty(n)
    weight = np.empty(unit.shape[1])
    for area in range(start, stop):
        if np.isnan(limit_s[area]):
            chance[area] = np.nan
            continue
        total = _mixture(unit[area], readiness, n, before, weight)
        if np.isinf(limit_s[area]):
            chance[area] = total
        else:
            chance[area] = _mixed(
                unit[area], response_s[area], drive_s[area], weight, handling_s[area], turnout_s, turnout_spread,
                travel_spread, handling_spread, float(limit_s[area]), nodes, weights,
            )  # fmt: skip


@njit(cache=True, nogil=True)
def _percentiles(
    start: int, stop: int, unit: Indices, response_s: Floats, drive_s: Seconds, handling_s: Floats, turnout_s: Floats,
    turnout_spread: Floats, readiness: Floats, travel_spread: float, handling_spread: float, n: int, q: float,
    nodes: Doubles, weights: Doubles, answer: Floats,
) -> None:  # fmt: skip
    before = np.empty(n)
    weight = np.empty(unit.shape[1])
    for area in range(start, stop):
        if _mixture(unit[area], readiness, n, before, weight) < q:
            answer[area] = np.inf
            continue
        reached = 0.0
        guess = np.float32(0.0)  # the percentile if all came at their medians: the answer where nothing has a spread
        exact = travel_spread == 0.0 and handling_spread == 0.0
        for k in range(len(weight)):
            if weight[k] >= NEVER:
                exact = exact and turnout_spread[unit[area, k]] == 0.0
                if reached < q:
                    guess = response_s[area, k]
                reached += weight[k]
        if exact:
            answer[area] = guess
            continue
        low = 0.0
        low_miss = -q
        high = float(guess)
        while True:
            high_miss = -q + _mixed(
                unit[area], response_s[area], drive_s[area], weight, handling_s[area], turnout_s, turnout_spread,
                travel_spread, handling_spread, high, nodes, weights,
            )  # fmt: skip
            if high_miss >= 0.0 or high > 1e6:
                break
            low = high
            low_miss = high_miss
            high *= 1.3
        if high_miss < 0.0:  # so rarely reached that it is not within days
            answer[area] = np.inf
            continue
        side = 0
        while high - low > 0.05:  # regula falsi, Illinois: the end that stays put counts half
            middle = high - high_miss * (high - low) / (high_miss - low_miss)
            middle = min(max(middle, low + 0.02), high - 0.02)
            miss = -q + _mixed(
                unit[area], response_s[area], drive_s[area], weight, handling_s[area], turnout_s, turnout_spread,
                travel_spread, handling_spread, middle, nodes, weights,
            )  # fmt: skip
            if miss < 0.0:
                low = middle
                low_miss = miss
                if side == -1:
                    high_miss /= 2.0
                side = -1
            else:
                high = middle
                high_miss = miss
                if side == 1:
                    low_miss /= 2.0
                side = 1
        answer[area] = high
