"""Chance that can be repeated: every draw follows from a seed and from what it is drawn for, never from the order."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53


@njit(cache=True, nogil=True, inline="always")
def derive(key: np.uint64, number: int) -> np.uint64:
    """A key of its own for the ``number``-th thing under ``key`` (SplitMix64, Steele, Lea and Flood 2014)."""
    z = key + STEP * (np.uint64(number) + np.uint64(1))
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return z ^ (z >> _31)


@njit(cache=True, nogil=True, inline="always")
def uniform(key: np.uint64, number: int) -> float:
    """The ``number``-th draw under ``key``: even in the open interval from 0 to 1."""
    return (float(derive(key, number) >> _11) + 0.5) * _UNIT


@njit(cache=True, nogil=True)
def normal(key: np.uint64, number: int) -> float:
    """A standard normal draw: the inverse distribution of ``uniform`` (P. J. Acklam's approximation, 1e-9)."""
    p = uniform(key, number)
    if 0.02425 <= p <= 0.97575:
        q = p - 0.5
        r = q * q
        top = -39.69683028665376 * r + 220.9460984245205
        top = ((top * r - 275.9285104469687) * r + 138.3577518672690) * r - 30.66479806614716
        low = -54.47609879822406 * r + 161.5858368580409
        low = ((low * r - 155.6989798598866) * r + 66.80131188771972) * r - 13.28068155288572
        return (top * r + 2.506628277459239) * q / (low * r + 1.0)
    q = math.sqrt(-2.0 * math.log(min(p, 1.0 - p)))
    top = -0.007784894002430293 * q - 0.3223964580411365
    top = ((top * q - 2.400758277161838) * q - 2.549732539343734) * q + 4.374664141464968
    low = ((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416
    value = (top * q + 2.938163982698783) / (low * q + 1.0)
    return value if p < 0.5 else -value


@njit(cache=True, nogil=True, inline="always")
def lognormal(median: float, spread: float, key: np.uint64, number: int) -> float:
    """A lognormal draw; ``spread`` is the standard deviation of its logarithm (0 = always the median)."""
    return median * math.exp(spread * normal(key, number)) if spread > 0.0 else median


def seed_key(seed: int, year: int) -> np.uint64:
    """The key of one simulated year: years share nothing, so any worker may take any of them."""
    with np.errstate(over="ignore"):
        return np.uint64(derive(np.uint64(derive(np.uint64(seed), 0)), year))
