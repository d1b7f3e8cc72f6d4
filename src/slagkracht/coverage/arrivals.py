"""For every area: which suitable units arrive, in which order, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from slagkracht.resources import Standing, capability_column
from slagkracht.travel import UNREACHABLE, Travel

Floats = npt.NDArray[np.float32]
Seconds = npt.NDArray[np.uint16]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint32]

NO_ORIGIN = np.uint32(0xFFFFFFFF)
"""Fills a row of Nearest where no further origin can be reached."""

SMALL = 20_000
"""Fewer areas than this are not worth a second thread."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """The earliest suitable units of every area, in order of response time.

    ``capabilities`` what was asked for: a unit is suitable when it has one of them · ``call_handling_s`` float32 [A] ·
    ``unit`` int32 [A, K] row of Standing (-1 = no further unit can come) · ``response_s`` float32 [A, K] from the
    call to the arrival (inf = none) · ``drive_s`` uint16 [A, K] the drive within it (UNREACHABLE = none).
    Units that arrive at the same moment stand in the order of Standing.
    """

    capabilities: tuple[str, ...]
    call_handling_s: Floats
    unit: Indices
    response_s: Floats
    drive_s: Seconds

    def __len__(self) -> int:
        return len(self.unit)


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest origins of every area in order of drive time: computed once per Travel, it makes every ranking fast.

    ``key`` uint32 [A, D] holds drive_s x 65,536 + origin, ascending, NO_ORIGIN where no further origin can be reached ·
    ``drive_s`` the very drive times that it was made of: it serves no others.
    """

    key: Keys
    drive_s: Seconds


@njit(cache=True, nogil=True, inline="always")
def compute_response(call_handling_s: np.float32, turnout_s: np.float32, drive_s: np.float32) -> np.float32:
    """Response time = call handling + turnout + drive (Bvr 1.1: from the call's acceptance to the unit's arrival).

    The one definition, in float32 throughout, so that the same units tie on every machine.
    """
    return np.float32(np.float32(turnout_s + drive_s) + call_handling_s)


def compute_arrivals(
    standing: Standing,
    travel: Travel,
    capability: str | Sequence[str],
    *,
    call_handling_s: float | Floats,
    depth: int = 8,
    nearest: Nearest | None = None,
    only_region: Indices | None = None,
) -> Arrivals:
    """The ``depth`` earliest suitable units of every area, exactly, by nominal (median) response time.

    A unit is suitable when it has ``capability`` (or one of several), is free and is ever ready. ``call_handling_s``
    is one number or float32 [A]. ``nearest`` (of this same travel) saves most of the work and changes nothing.
    ``only_region`` int32 [A] keeps an area to the units of one region: "alone". Raises KeyError for an unknown one,
    ValueError where units stand at an origin without drive times or ``nearest`` belongs to other drive times.
    """
    capabilities = (capability,) if isinstance(capability, str) else tuple(capability)
    suitable = standing.free & (standing.readiness > 0)
    suitable &= np.any([capability_column(standing, c) for c in capabilities], axis=0)
    rows = np.flatnonzero(suitable).astype(np.int32)
    rows = rows[np.argsort(standing.origin[rows], kind="stable")]
    areas, origins = travel.drive_s.shape
    if len(standing) and standing.origin.max() >= origins:
        raise ValueError(f"er staan eenheden op vertrekpunt {standing.origin.max()}; de reistijden kennen er {origins}")
    if nearest is not None and nearest.drive_s is not travel.drive_s:
        raise ValueError("deze rangorde van vertrekpunten hoort bij andere reistijden: maak haar opnieuw")
    first = np.searchsorted(standing.origin[rows], np.arange(origins + 1)).astype(np.int32)
    turnout_s = standing.turnout_s.astype(np.float32)
    least_turnout_s = turnout_s[rows].min() if len(rows) else np.float32(0)
    handling_s = np.broadcast_to(np.asarray(call_handling_s, dtype=np.float32), (areas,)).copy()
    unit = np.full((areas, depth), -1, dtype=np.int32)
    response_s = np.full((areas, depth), np.inf, dtype=np.float32)
    drive_s = np.full((areas, depth), UNREACHABLE, dtype=np.uint16)
    key = nearest.key if nearest is not None else np.zeros((areas, 0), dtype=np.uint32)
    own = only_region if only_region is not None else np.zeros(0, dtype=np.int32)
    staffed = np.flatnonzero(np.diff(first)).astype(np.int32)

    def rank(start: int, stop: int) -> None:
        _rank(
            start, stop, travel.drive_s, key, staffed, first, rows, turnout_s, least_turnout_s, handling_s,
            own, standing.region, unit, response_s, drive_s,
        )  # fmt: skip

    in_parts(areas, rank)
    return Arrivals(capabilities, handling_s, unit, response_s, drive_s)


def compute_nearest(travel: Travel, depth: int = 64) -> Nearest:
    """The ``depth`` nearest origins of every area. Raises ValueError beyond 65,535 origins."""
    areas, origins = travel.drive_s.shape
    if origins > 65_535:
        raise ValueError(f"{origins} vertrekpunten; hoogstens 65.535")
    key = np.full((areas, min(depth, origins)), NO_ORIGIN, dtype=np.uint32)
    in_parts(areas, lambda start, stop: _nearest(start, stop, travel.drive_s, key))
    return Nearest(key, travel.drive_s)


def in_parts(count: int, work: Callable[[int, int], None]) -> None:
    """Call ``work(start, stop)`` over all of ``range(count)``: in threads when there is enough to do."""
    if count < SMALL:
        work(0, count)
        return
    bounds = np.linspace(0, count, 17).astype(int).tolist()
    with ThreadPoolExecutor() as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


@njit(cache=True, nogil=True)
def _nearest(start: int, stop: int, drive_s: Seconds, key: Keys) -> None:
    """Count drives per minute or so, find the minute that holds the last origin wanted, and sort only up to there."""
    depth = key.shape[1]
    bins = np.zeros(1024, dtype=np.int32)
    for area in range(start, stop):
        bins[:] = 0
        for origin in range(drive_s.shape[1]):
            bins[drive_s[area, origin] >> 6] += 1
        latest = 0
        enough = bins[0]
        while enough < depth and latest < 1023:
            latest += 1
            enough += bins[latest]
        row = key[area]
        found = 0
        for origin in range(drive_s.shape[1]):
            drive = drive_s[area, origin]
            if drive >> 6 > latest or drive == UNREACHABLE:
                continue
            new = np.uint32(np.uint32(drive) << np.uint32(16)) | np.uint32(origin)
            if found == depth and new >= row[depth - 1]:
                continue
            found = min(found + 1, depth)
            place = found - 1
            while place > 0 and row[place - 1] > new:
                row[place] = row[place - 1]
                place -= 1
            row[place] = new


@njit(cache=True, nogil=True)
def _rank(
    start: int,
    stop: int,
    all_drive_s: Seconds,
    key: Keys,
    staffed: Indices,
    first: Indices,
    rows: Indices,
    turnout_s: Floats,
    least_turnout_s: np.float32,
    handling_s: Floats,
    own: Indices,
    region: Indices,
    unit: Indices,
    response_s: Floats,
    drive_s: Seconds,
) -> None:
    """Scan origins in order of drive until even the quickest crew there would arrive after the last one ranked.

    Where the index runs out before that, the area's whole row is read instead.
    """
    depth = unit.shape[1]
    alone = len(own) > 0
    for area in range(start, stop):
        handling = handling_s[area]
        keep = own[area] if alone else 0
        complete = False
        if len(staffed) > key.shape[1] // 2:  # else reading the few origins that matter is quicker than any index
            for place in range(key.shape[1]):
                pair = key[area, place]
                if pair == NO_ORIGIN:
                    complete = True
                    break
                drive = np.uint16(pair >> np.uint32(16))
                latest = response_s[area, depth - 1]
                if compute_response(handling, least_turnout_s, np.float32(drive)) > latest:
                    complete = True
                    break
                origin = np.int32(pair & np.uint32(0xFFFF))
                for i in range(first[origin], first[origin + 1]):
                    row = rows[i]
                    if not alone or region[row] == keep:
                        response = compute_response(handling, turnout_s[row], np.float32(drive))
                        _insert(unit[area], response_s[area], drive_s[area], row, response, drive)
            if not complete and key.shape[1] < all_drive_s.shape[1]:
                unit[area, :] = -1
                response_s[area, :] = np.inf
                drive_s[area, :] = UNREACHABLE
            else:
                complete = True
        if complete:
            continue
        for origin in staffed:
            drive = all_drive_s[area, origin]
            if drive == UNREACHABLE:
                continue
            for i in range(first[origin], first[origin + 1]):
                row = rows[i]
                if not alone or region[row] == keep:
                    response = compute_response(handling, turnout_s[row], np.float32(drive))
                    _insert(unit[area], response_s[area], drive_s[area], row, response, drive)


@njit(cache=True, nogil=True, inline="always")
def _insert(
    units: Indices, responses: Floats, drives: Seconds, row: np.int32, response: np.float32, drive: np.uint16
) -> None:
    """Put a unit in its place among the ranked ones of an area: by response time, then by order of Standing."""
    place = len(units) - 1
    if response > responses[place] or (response == responses[place] and row > units[place]):
        return
    while place > 0 and (
        response < responses[place - 1] or (response == responses[place - 1] and row < units[place - 1])
    ):
        units[place] = units[place - 1]
        responses[place] = responses[place - 1]
        drives[place] = drives[place - 1]
        place -= 1
    units[place] = row
    responses[place] = response
    drives[place] = drive
