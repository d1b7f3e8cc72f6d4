"""For every area the ordered answer when one formation is asked there up to ten times: who goes, and what stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from slagkracht.resources import Standing
from slagkracht.strength.compute import compute_demand
from slagkracht.strength.formations import Formation
from slagkracht.strength.residual import Cover, Floors, compute_held, compute_least, compute_residual
from slagkracht.strength.selection import lean_on, may_go, select, take
from slagkracht.strength.supply import PRICES
from slagkracht.travel import UNREACHABLE

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]

NEAR = 6
"""How many near units that were not chosen are remembered per area."""

CHUNK = 64


@dataclass(frozen=True, eq=False)
class Placements:
    """What stands in each area, each by itself, when ``most`` of one formation are asked there.

    ``complete_s`` float32 [A, M] when the first m stand whole (inf = never), that of the region that doctrine lets go
    first before the others, and these soonest first · ``unit`` int32 [A, M, S] rows of Standing that make the m-th, in
    order of arrival (-1 = no more) · ``arrival_s`` float32 [A, M, S] when each
    of them is there, from the alarm · ``kept`` float32 [A, M, R] share of each region's residents in time once the
    first m have gone · ``near`` int32 [A, NEAR] the soonest units that suit, would be there before the last and go with
    none · ``near_s`` float32 [A, NEAR] · ``refused`` int32 [A, NEAR] from how many on a floor keeps it home (0 = no
    floor does) · ``refuser`` int32 [A, NEAR] the region whose floor that is (-1).
    """

    formation: Formation
    complete_s: Floats
    unit: Indices
    arrival_s: Floats
    kept: Floats
    near: Indices
    near_s: Floats
    refused: Indices
    refuser: Indices

    def __len__(self) -> int:
        return len(self.complete_s)


def compute_placements(
    standing: Standing, drive_s: Seconds, formation: Formation, most: int, cover: Cover, floors: Floors | None,
    *, first: Indices | None = None, progress: Callable[[int, int], None] | None = None,
) -> Placements:  # fmt: skip
    """The answer of each area by itself, as if nothing else happened; ``drive_s`` uint16 [A, O]. Works in threads.

    ``first`` int32 [A] the region that doctrine lets go first in each area (``first_regions_everywhere``; -1 = none).
    Fewer than ``most`` where the nation cannot make as many. Raises DoctrineError for a formation without parts.
    """
    first = np.full(len(drive_s), -1, dtype=np.int32) if first is None else first
    placer = Placer(standing, formation, most, cover, floors)
    starts = range(0, len(drive_s), CHUNK)
    pieces = [placer.place(drive_s[:0], first[:0])]
    with ThreadPoolExecutor() as pool:
        chunks = (slice(start, start + CHUNK) for start in starts)
        for piece in pool.map(lambda here: placer.place(drive_s[here], first[here]), chunks):
            pieces.append(piece)
            if progress is not None:
                progress(len(pieces) - 1, len(starts))
    columns = [field.name for field in dataclasses.fields(Placements)][1:]
    return Placements(formation, *(np.concatenate([getattr(piece, name) for piece in pieces]) for name in columns))


class Placer:
    """One formation ready to be placed anywhere up to ``most`` times: all that the choice reads, made once.

    Only units that suit, are free and may be ready are in it. Safe to use from several threads at once.
    """

    def __init__(
        self, standing: Standing, formation: Formation, most: int, cover: Cover, floors: Floors | None
    ) -> None:
        demand = compute_demand(standing, [(formation, 1)])
        filled = demand.share[:, 0, :].max(axis=1)
        able = np.flatnonzero((filled > 0) & standing.free & (standing.readiness > 0)).astype(np.int32)
        share = demand.share[able, 0, :]
        count = min(most, int((share.sum(axis=0) / demand.need[0]).min() + 1e-4))
        nobody = np.zeros(len(standing), dtype=np.bool_)
        held = compute_held(cover, nobody)
        losses = lean_on(cover.unit_first, cover.unit_area, cover.weight, held)
        spans = [cover.unit_area[cover.unit_first[u] : cover.unit_first[u + 1]] for u in able.tolist()]
        self.formation, self.able, self.origin = formation, able, standing.origin[able].astype(np.int32)
        self.region = standing.region[able].astype(np.int32)
        self.ready_s = standing.turnout_s[able].astype(np.float64) + formation.assembly_s
        self.total = np.maximum(cover.total, 1.0)
        self.share = np.repeat(share[None, :, :], count, axis=0)
        self.who = (
            self.ready_s, self.origin, filled[able].astype(np.float64), losses[able],
            np.array(PRICES if floors is not None else PRICES[:1]),
        )  # fmt: skip
        self.asked = np.repeat(demand.need, count, axis=0), np.repeat(demand.same_region, count)
        self.home = (
            self.region,
            np.concatenate([[0], np.cumsum([len(span) for span in spans])]).astype(np.int32),
            np.concatenate([np.zeros(0, dtype=np.int32), *spans]).astype(np.int32), cover.weight,
            cover.region.astype(np.int32), held, compute_residual(cover, nobody) * cover.total,
            compute_least(cover, floors), _most_units(share, demand.need[0]),
        )  # fmt: skip

    def place(self, drive_s: Seconds, first: Indices) -> Placements:
        """The answer of each of the areas that ``drive_s`` uint16 [a, O] has a row for; ``first`` int32 [a]."""
        drive_s = np.ascontiguousarray(drive_s)
        found = self._answer(drive_s, -1)
        for region in np.unique(first[first >= 0]).tolist() if self.formation.assignment else []:
            here = np.flatnonzero(first == region)
            answers = self._answer(drive_s[here], region)
            brings = np.isfinite(answers[0][:, :1]).all(axis=1)  # else it is passed by
            for whole, part in zip(found, answers):
                whole[here[brings]] = part[brings]
        complete_s, row, kept, near, refused, refuser = found
        name, origin = np.append(self.able, -1).astype(np.int32), np.append(self.origin, 0)
        ready_s = np.append(self.ready_s, np.inf)

        def arrival_s(rows: Indices) -> Floats:
            area = np.arange(len(rows)).reshape(-1, *[1] * (rows.ndim - 1))
            seconds: Floats = (ready_s[rows] + drive_s[area, origin[rows]]).astype(np.float32)
            return seconds

        return Placements(
            self.formation, complete_s.astype(np.float32), name[row], arrival_s(row),
            (kept / self.total).astype(np.float32), name[near], arrival_s(near), refused, refuser,
        )  # fmt: skip

    def _answer(self, drive_s: Seconds, goes_first: int) -> tuple[npt.NDArray[Any], ...]:
        """What ``_answer`` says where region ``goes_first`` (-1 = none) brings the first with what it is assigned."""
        share, kind = self.share, np.zeros(len(self.share), dtype=np.int32)
        if goes_first >= 0 and self.formation.assignment and len(share):
            share = share.copy()
            for p, part in enumerate(self.formation.parts):
                if part.capability == self.formation.assignment.capability:
                    share[0, self.region != goes_first, p] = 0.0
            kind[0] = 1
        need, same_region = self.asked
        answers: tuple[npt.NDArray[Any], ...] = _answer(
            drive_s, *self.who, share.transpose(1, 0, 2), need, kind, same_region, goes_first >= 0, *self.home
        )
        return answers


def _most_units(share: Floats, need: Indices) -> int:
    """The most units that one formation can be made of, when every place is filled by the weakest substitutes."""
    weakest = np.where(share > 0, share, 1.0).min(axis=0, initial=1.0)
    return int((need * np.ceil(1.0 / weakest - 1e-4)).sum())


@njit(cache=True, nogil=True)
def _answer(  # type: ignore[no-untyped-def]
    drive_s, ready_s, origin, filled, losses, prices, share, need, kind, same_region, assigned, unit_region,
    cover_first, cover_area, weight, region, held, before, least, slots,
):  # fmt: skip
    """Per area: complete_s [a, M], rows of who goes [a, M, S], residents kept [a, M, R], near ones and who refuses."""
    areas, size, regions, count = len(drive_s), len(ready_s), len(before), len(need)
    complete_s = np.full((areas, count), np.inf)
    row = np.full((areas, count, slots), -1, np.int32)
    covered = np.empty((areas, count, regions))
    near = np.full((areas, NEAR), -1, np.int32)
    refused = np.zeros((areas, NEAR), np.int32)
    refuser = np.full((areas, NEAR), -1, np.int32)
    arrival_s = np.empty(size)
    loss = np.zeros(regions)
    for a in range(areas if count > 0 else 0):
        reached = 0
        rows = np.empty(size, np.int32)
        for u in range(size):
            drive = drive_s[a, origin[u]]
            arrival_s[u] = np.inf if drive == UNREACHABLE else ready_s[u] + drive
            if drive != UNREACHABLE:
                rows[reached] = u
                reached += 1
        rows = rows[:reached]
        best = np.full(size, -1, np.int32)
        best_s = np.full(count, np.inf)
        stands = -1
        for price in prices:
            order = rows[np.argsort(arrival_s[rows] / filled[rows] + price * losses[rows], kind="mergesort")]
            chosen, part = np.full(size, -1, np.int32), np.full(size, -1, np.int32)
            whole, blocked = np.zeros(count, np.bool_), np.zeros(size, np.bool_)
            select(
                arrival_s, order, share, need, kind, same_region, regions, False, unit_region, cover_first, cover_area,
                weight, region, held.copy(), before.copy(), least, chosen, part, whole, blocked,
            )  # fmt: skip
            done = int(whole.sum())
            if done > stands:
                stands, best = done, chosen
                best_s = np.full(count, np.inf)
                for u in order:
                    f = int(chosen[u])
                    if f >= 0 and (best_s[f] == np.inf or arrival_s[u] > best_s[f]):
                        best_s[f] = arrival_s[u]
            if done == count or not blocked.any():
                break  # another price can only move who goes, not how many
        turn_s = best_s.copy()
        if assigned:
            turn_s[0] = -1.0  # it goes first, also when others would be sooner
        place = np.argsort(turn_s, kind="mergesort")
        number = np.empty(count, np.int32)
        for m in range(count):
            number[place[m]] = m
            complete_s[a, m] = max(best_s[place[m]], complete_s[a, m - 1] if m > 0 else 0.0)
        soonest = rows[np.argsort(arrival_s[rows], kind="mergesort")]
        filled_slots = np.zeros(count, np.int32)
        last_s = 0.0
        for m in range(stands):
            last_s = max(last_s, complete_s[a, m])
        beside = 0
        for u in soonest:
            if best[u] >= 0:
                m = number[best[u]]
                row[a, m, filled_slots[m]] = u
                filled_slots[m] += 1
            elif beside < len(near[a]) and arrival_s[u] < last_s:
                near[a, beside] = u
                beside += 1
        left, keeps = held.copy(), before.copy()
        for m in range(count):
            for k in range(filled_slots[m]):
                take(row[a, m, k], cover_first, cover_area, weight, region, left, keeps)
            covered[a, m] = keeps
            for k in range(beside):
                u = near[a, k]
                if refused[a, k] == 0 and not may_go(
                    u, cover_first, cover_area, weight, region, left, keeps, least, loss
                ):
                    refused[a, k] = m + 1
                    refuser[a, k] = _refuser(u, cover_first, cover_area, weight, region, left, keeps, least, loss)
    return complete_s, row, covered, near, refused, refuser


@njit(cache=True, nogil=True)
def _refuser(unit, cover_first, cover_area, weight, region, left, covered, least, loss):  # type: ignore[no-untyped-def]
    """The region that would fall furthest below its floor without ``unit``; ``loss`` [R] is zero before and after."""
    worst, whose = -np.inf, -1
    for i in range(cover_first[unit], cover_first[unit + 1]):
        area = cover_area[i]
        if left[area] == 1 and weight[area] > 0.0:
            loss[region[area]] += weight[area]
    for r in range(len(loss)):
        below = least[r] - (covered[r] - loss[r])
        if loss[r] > 0.0 and below > worst:
            worst, whose = below, r
        loss[r] = 0.0
    return whose
