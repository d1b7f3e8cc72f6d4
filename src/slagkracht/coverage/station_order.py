"""The station order of every area (kazernevolgordetabel), across region borders, and how a given table differs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from slagkracht.coverage.arrivals import Nearest, compute_arrivals
from slagkracht.resources import Standing, capability_column
from slagkracht.travel import Travel

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class StationOrder:
    """Per area the stations in the order in which their quickest suitable unit arrives.

    ``area`` int32 [B] row of Areas · ``station`` int32 [B, K] row of Stations (-1 = no further one) · ``response_s``
    float32 [B, K] (inf = none).
    """

    area: Indices
    station: Indices
    response_s: Floats

    def __len__(self) -> int:
        return len(self.area)


@dataclass(frozen=True, eq=False)
class OrderDifferences:
    """Where a given table departs from the computed order: one row per area that differs.

    ``area`` int32 [D] · ``place`` int32 [D] first place that differs (0 = the first station) · ``given``,
    ``computed`` int32 [D] the stations there (-1 = none) · ``lost_s`` float32 [D] seconds by which the given station
    arrives later than the computed one (nan where the computed order does not hold it).
    """

    area: Indices
    place: Indices
    given: Indices
    computed: Indices
    lost_s: Floats

    def __len__(self) -> int:
        return len(self.area)


def compute_station_order(
    standing: Standing,
    travel: Travel,
    capability: str,
    *,
    call_handling_s: float | Floats,
    depth: int = 15,
    areas: Indices | None = None,
    nearest: Nearest | None = None,
) -> StationOrder:
    """The ``depth`` first stations for ``capability`` of every area (or of the rows ``areas``), whoever owns them."""
    rows = np.arange(len(travel.drive_s), dtype=np.int32) if areas is None else areas
    if areas is not None:
        travel = replace(travel, drive_s=travel.drive_s[rows], area_snap_m=travel.area_snap_m[rows])
        nearest = None if nearest is None else Nearest(nearest.key[rows], travel.drive_s)
        call_handling_s = call_handling_s if np.ndim(call_handling_s) == 0 else np.asarray(call_handling_s)[rows]
    usable = np.flatnonzero(standing.free & (standing.readiness > 0) & capability_column(standing, capability))
    quickest_first = usable[np.lexsort((usable, standing.turnout_s[usable]))]
    _, first = np.unique(standing.origin[quickest_first], return_index=True)
    free = np.zeros(len(standing), dtype=np.bool_)
    free[quickest_first[first]] = True  # one unit speaks for each station
    arrivals = compute_arrivals(
        replace(standing, free=free), travel, capability, call_handling_s=call_handling_s, depth=depth, nearest=nearest
    )
    station = np.where(arrivals.unit >= 0, standing.origin[np.maximum(arrivals.unit, 0)], -1)
    return StationOrder(rows, station.astype(np.int32), arrivals.response_s)


def compare_station_order(order: StationOrder, given: Indices) -> OrderDifferences:
    """Where ``given`` int32 [B, K2] (rows of Stations, -1 = none) departs from ``order``, row by row.

    Only the places that both hold are compared. Raises ValueError when the number of areas differs.
    """
    if len(given) != len(order):
        raise ValueError(f"de tabel heeft {len(given)} gebieden, de berekende volgorde {len(order)}")
    places = min(given.shape[1], order.station.shape[1])
    unequal = given[:, :places] != order.station[:, :places]
    rows = np.flatnonzero(unequal.any(axis=1))
    place = unequal[rows].argmax(axis=1)
    wrong = given[rows, place]
    same = (order.station[rows] == wrong[:, None]) & (wrong[:, None] >= 0)
    arrives_s = np.where(same, order.response_s[rows], 0).sum(axis=1)
    lost_s = np.where(same.any(axis=1), arrives_s - order.response_s[rows, place], np.nan)
    return OrderDifferences(
        area=order.area[rows],
        place=place.astype(np.int32),
        given=wrong.astype(np.int32),
        computed=order.station[rows, place],
        lost_s=lost_s.astype(np.float32),
    )
