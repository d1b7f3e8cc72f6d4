"""The coverage left behind: what each region keeps when units go, and the floor below which it does not lend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from slagkracht.areas import Areas
from slagkracht.coverage import Arrivals

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cover:
    """Which units hold which areas in time: the table that residual coverage is read from.

    ``area_first`` int32 [A+1] and ``area_unit`` int32: the units (rows of Standing) that reach area a in time ·
    ``unit_first`` int32 [N+1] and ``unit_area`` int32: the same, by unit · ``weight`` float64 [A] residents ·
    ``region`` int32 [A] · ``total`` float64 [R] residents of each region · ``share`` float64 [R] covered when
    none is away.
    An area lists at most as many units as the arrivals were deep: beyond that it counts as lost, never as kept.
    """

    area_first: Indices
    area_unit: Indices
    unit_first: Indices
    unit_area: Indices
    weight: Doubles
    region: Indices
    total: Doubles
    share: Doubles


@dataclass(frozen=True, eq=False)
class Floors:
    """``share`` float64 [R]: below this share of residents in time a region does not lend (0 = all, inf = nothing).

    ``source`` says where the floors come from, for screens.
    """

    share: Doubles
    source: str


def compute_cover(
    arrivals: Arrivals, standing_count: int, areas: Areas, limit_s: Floats | float, regions: int
) -> Cover:
    """The units that reach each area within ``limit_s`` (one number or float32 [A]), from ``arrivals`` [A, K]."""
    count = len(areas)
    limit = np.broadcast_to(np.asarray(limit_s, dtype=np.float32), (count,))
    inside = (arrivals.unit >= 0) & (arrivals.response_s <= limit[:, None])
    area, rank = np.nonzero(inside)
    unit = arrivals.unit[area, rank].astype(np.int32)
    area_first = np.concatenate([[0], np.cumsum(inside.sum(axis=1))]).astype(np.int32)
    order = np.argsort(unit, kind="stable")
    unit_first = np.searchsorted(unit[order], np.arange(standing_count + 1)).astype(np.int32)
    weight = areas.population.astype(np.float64)
    total = np.bincount(areas.region, weights=weight, minlength=regions).astype(np.float64)
    covered = np.bincount(areas.region, weights=weight * inside.any(axis=1), minlength=regions)
    share = np.divide(covered, total, out=np.zeros(regions), where=total > 0)
    return Cover(area_first, unit, unit_first, area[order].astype(np.int32), weight, areas.region, total, share)


def compute_residual(cover: Cover, away: Flags) -> Doubles:
    """Share of each region's residents that stays in time when the units in ``away`` bool [N] are gone: float64 [R]."""
    kept = _kept(cover.area_first, cover.area_unit, away)
    covered = np.bincount(cover.region, weights=cover.weight * kept, minlength=len(cover.total))
    return np.divide(covered, cover.total, out=np.zeros(len(cover.total)), where=cover.total > 0)


def compute_floors(cover: Cover, margin: float, *, target: Doubles | None = None) -> Floors:
    """Floors by default: each region's norm (``target`` float64 [R]; nan = its present share) less ``margin``.

    A region that is below its floor already keeps what it has: it lends only units that nobody would miss.
    """
    norm = cover.share if target is None else np.where(np.isnan(target), cover.share, target)
    return Floors(np.maximum(norm - margin, 0.0), f"norm min {100 * margin:.0f} procentpunt")


def compute_held(cover: Cover, away: Flags) -> Indices:
    """How many units that are not ``away`` hold each area in time: int32 [A]."""
    stays = ~away[cover.area_unit]
    sums = np.concatenate([[0], np.cumsum(stays)])
    held: Indices = (sums[cover.area_first[1:]] - sums[cover.area_first[:-1]]).astype(np.int32)
    return held


def compute_least(cover: Cover, floors: Floors | None) -> Doubles:
    """Residents that each region must keep in time: float64 [R]; -1 = no floor, inf = nobody may be lost."""
    least = np.full(len(cover.total), -1.0)
    if floors is not None:
        held = floors.share > 0
        least[held] = floors.share[held] * np.maximum(cover.total[held], 1.0)
    return least


def compute_lost_areas(cover: Cover, away: Flags) -> Indices:
    """Areas (rows) that were in time and are not when the units in ``away`` are gone."""
    had = np.diff(cover.area_first) > 0
    return np.flatnonzero(had & ~_kept(cover.area_first, cover.area_unit, away)).astype(np.int32)


@njit(cache=True, nogil=True)
def _kept(area_first: Indices, area_unit: Indices, away: Flags) -> Flags:
    kept = np.zeros(len(area_first) - 1, dtype=np.bool_)
    for area in range(len(kept)):
        for i in range(area_first[area], area_first[area + 1]):
            if not away[area_unit[i]]:
                kept[area] = True
                break
    return kept
