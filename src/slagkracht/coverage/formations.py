"""When several units together are complete: a formation of parts, or part crews that make up one base unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from slagkracht.coverage.arrivals import Arrivals, in_parts
from slagkracht.resources import Standing, capability_column

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


def compute_formation(arrivals: Sequence[Arrivals], counts: Sequence[int]) -> tuple[Floats, Indices]:
    """When a formation of ``counts[p]`` units out of each ``arrivals[p]`` is complete, every unit used once.

    Gives response_s float32 [A] (inf = never complete) and unit int32 [A, sum(counts)], part by part. Exact also where
    one unit could fill several parts: units are taken in order of arrival as long as they can be matched (a bottleneck
    matching, for which that greedy order is optimal). Raises ValueError when a ranking is shorter than the formation.
    """
    total = sum(counts)
    if min(a.unit.shape[1] for a in arrivals) < total:
        raise ValueError(f"een formatie van {total} eenheden vraagt een rangorde van minstens {total} per onderdeel")
    unit = np.stack([a.unit[:, :total] for a in arrivals], axis=1)
    response = np.stack([a.response_s[:, :total] for a in arrivals], axis=1)
    complete_s = np.full(len(unit), np.inf, dtype=np.float32)
    chosen = np.full((len(unit), total), -1, dtype=np.int32)
    wanted = np.asarray(counts, dtype=np.int32)
    in_parts(len(unit), lambda start, stop: _form(start, stop, unit, response, wanted, complete_s, chosen))
    return complete_s, chosen


def compute_assembled(
    arrivals: Arrivals,
    standing: Standing,
    *,
    crew_needed: int = 6,
    max_gap_s: float = np.inf,
    tanker: str = "tankautospuit",
) -> tuple[Floats, Indices]:
    """When part crews (TS4, SIV) have made up a crew of ``crew_needed`` with a tanker among them (Bvr 3.1.5).

    Crews count together when no more than ``max_gap_s`` lies between the first and the last of them. Gives
    response_s float32 [A] of the crew that completes it (inf = never) and that unit int32 [A].
    """
    complete_s = np.full(len(arrivals), np.inf, dtype=np.float32)
    last = np.full(len(arrivals), -1, dtype=np.int32)
    pumps = capability_column(standing, tanker)

    def work(start: int, stop: int) -> None:
        _assemble(
            start, stop, arrivals.unit, arrivals.response_s, standing.crew, pumps, crew_needed, np.float32(max_gap_s),
            complete_s, last,
        )  # fmt: skip

    in_parts(len(arrivals), work)
    return complete_s, last


@njit(cache=True, nogil=True)
def _assemble(
    start: int, stop: int, unit: Indices, response_s: Floats, crew: Indices, pumps: Flags, crew_needed: int,
    max_gap_s: np.float32, complete_s: Floats, last: Indices,
) -> None:  # fmt: skip
    for area in range(start, stop):
        for k in range(unit.shape[1]):
            if unit[area, k] < 0:
                break
            people = 0
            pump = False
            for earlier in range(k, -1, -1):
                if response_s[area, k] - response_s[area, earlier] > max_gap_s:
                    break
                people += crew[unit[area, earlier]]
                pump = pump or pumps[unit[area, earlier]]
            if people >= crew_needed and pump:
                complete_s[area] = response_s[area, k]
                last[area] = unit[area, k]
                break


@njit(cache=True, nogil=True)
def _form(
    start: int, stop: int, unit: Indices, response: Floats, wanted: Indices, complete_s: Floats, chosen: Indices
) -> None:
    parts = len(wanted)
    total = chosen.shape[1]
    first_slot = np.zeros(parts + 1, dtype=np.int32)
    for p in range(parts):
        first_slot[p + 1] = first_slot[p] + wanted[p]
    fits = np.zeros((total, parts), dtype=np.bool_)  # per filled slot: the parts that its unit could fill
    may = np.zeros(parts, dtype=np.bool_)
    head = np.zeros(parts, dtype=np.int32)
    filled = np.zeros(parts, dtype=np.int32)
    came_from = np.zeros(parts, dtype=np.int32)  # slot whose unit would move to this part; -1 = the new unit
    queue = np.zeros(parts, dtype=np.int32)
    for area in range(start, stop):
        head[:] = 0
        filled[:] = 0
        count = 0
        while count < total:
            best = -1
            for p in range(parts):
                if head[p] < total and unit[area, p, head[p]] >= 0:
                    if best < 0:
                        best = p
                    else:
                        mine = response[area, p, head[p]]
                        other = response[area, best, head[best]]
                        if mine < other or (mine == other and unit[area, p, head[p]] < unit[area, best, head[best]]):
                            best = p
            if best < 0:
                break
            new = unit[area, best, head[best]]
            moment = response[area, best, head[best]]
            came_from[:] = -2
            tail = 0
            for p in range(parts):
                may[p] = head[p] < total and unit[area, p, head[p]] == new
                if may[p]:
                    head[p] += 1
                    came_from[p] = -1
                    queue[tail] = p
                    tail += 1
            found = -1
            front = 0
            while front < tail:
                p = queue[front]
                front += 1
                if filled[p] < wanted[p]:
                    found = p
                    break
                for slot in range(first_slot[p], first_slot[p] + filled[p]):
                    for other_part in range(parts):
                        if fits[slot, other_part] and came_from[other_part] == -2:
                            came_from[other_part] = slot
                            queue[tail] = other_part
                            tail += 1
            if found < 0:
                continue
            target = first_slot[found] + filled[found]
            filled[found] += 1
            part = found
            while came_from[part] >= 0:
                slot = came_from[part]
                chosen[area, target] = chosen[area, slot]
                fits[target] = fits[slot]
                target = slot
                for p in range(parts):
                    if first_slot[p] <= slot < first_slot[p + 1]:
                        part = p
            chosen[area, target] = new
            fits[target] = may
            count += 1
            if count == total:
                complete_s[area] = moment
        if count < total:
            chosen[area] = -1
