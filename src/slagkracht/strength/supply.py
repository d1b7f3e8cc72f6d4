"""How many formations can stand where they are asked for: in all, in time, with who is ready, and above the floors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.resources import Standing
from slagkracht.strength.compute import NOBODY_FIRST, compute_arrival_s, compute_demand
from slagkracht.strength.formations import Formation
from slagkracht.strength.residual import Cover, Floors, compute_held, compute_least, compute_residual
from slagkracht.strength.selection import lean_on, select

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]

MOST = 600
"""No more formations of one kind are counted than this."""

PRICES = (0.0, 0.004, 0.064)
"""Seconds per resident that a unit alone holds, added when ordering units to count; the largest count is kept."""


@dataclass(frozen=True, eq=False)
class Supply:
    """How many of each formation can stand at the places where it is asked for.

    ``formations`` [F] · ``places`` names [P] · ``weight`` float64 [F, P] how much of what is asked is asked there (rows
    add up to 1, or to 0 where no place is known) · ``within_s`` float64 [F] the time that they have · ``whole`` int32
    [F] all that can be formed at once, wherever and whenever · ``in_time`` int32 [F, P] those that stand in time ·
    ``ready`` int32 [F, P, D] as drawn from the readiness of each unit · ``available`` int32 [F, P, D] and without any
    lender below its floor. D draws, made with ``seed``.
    """

    formations: tuple[Formation, ...]
    places: tuple[str, ...]
    weight: Doubles
    within_s: Doubles
    whole: Indices
    in_time: Indices
    ready: Indices
    available: Indices
    seed: int


def compute_supply(
    standing: Standing,
    drive_s: Seconds,
    places: Sequence[str],
    formations: Sequence[Formation],
    weight: Doubles,
    cover: Cover,
    floors: Floors,
    within_s: Doubles,
    *,
    draws: int = 12,
    seed: int = 1,
) -> Supply:
    """Count every formation at every place where it has weight.

    ``drive_s`` uint16 [P, O] from every origin to each place, ``weight`` float64 [F, P], ``within_s`` float64 [F] from
    the alarm. A draw is the same for all places and formations: units that are ready, by their own chance. A unit that
    is not ready cannot go; the area it holds at home counts as held.
    """
    rng = np.random.default_rng(seed)
    ready = rng.random((draws, len(standing))) < standing.readiness
    everyone = np.ones(len(standing), dtype=np.bool_)
    count, spots = len(formations), len(places)
    in_time, whole = np.zeros((count, spots), dtype=np.int32), np.zeros(count, dtype=np.int32)
    drawn, available = (np.zeros((count, spots, draws), dtype=np.int32) for _ in range(2))

    def work(task: tuple[int, int]) -> None:
        f, p = task
        counter = Counter(standing, formations[f], cover)
        limit = float(within_s[f])
        in_time[f, p] = counter.count(drive_s[p], limit, None, everyone)
        for d in range(draws):
            drawn[f, p, d] = counter.count(drive_s[p], limit, None, ready[d])
            available[f, p, d] = counter.count(drive_s[p], limit, floors, ready[d])

    for f in range(count):
        nearby = np.zeros(drive_s.shape[1], dtype=np.uint16)
        whole[f] = Counter(standing, formations[f], cover).count(nearby, np.inf, None, everyone)
    with ThreadPoolExecutor() as pool:
        list(pool.map(work, [(int(f), int(p)) for f, p in np.argwhere(weight > 0)]))
    return Supply(tuple(formations), tuple(places), weight, within_s, whole, in_time, drawn, available, seed)


class Counter:
    """One kind of formation ready to be made as often as it goes, at any place and under any floors.

    ``first`` the region whose own units alone have the assigned capability, by code (as in ``compute_demand``).
    """

    def __init__(
        self, standing: Standing, formation: Formation, cover: Cover, first: Mapping[str, int] = NOBODY_FIRST
    ) -> None:
        one = compute_demand(standing, [(formation, 1)], first)
        self.standing, self.formation, self.cover, self.one = standing, formation, cover, one
        self.filled = one.share[:, 0, :].max(axis=1)
        self.nobody = np.zeros(len(standing), dtype=np.bool_)
        self.at_home = self._hold(self.nobody)
        self.most = int(min((one.share[:, 0, :].sum(axis=0) / one.need[0]).min(), MOST))

    def count(self, drive_s: Seconds, within_s: float, floors: Floors | None, ready: Flags) -> int:
        """How many stand there ``within_s`` of the alarm, out of the units in ``ready`` bool [N]."""
        return int(np.isfinite(self.complete_s(drive_s, within_s, floors, ready)).sum())

    def complete_s(
        self, drive_s: Seconds, within_s: float, floors: Floors | None, ready: Flags, most: int = 0
    ) -> Doubles:
        """When each next formation stands whole, soonest first: float64 [n], inf = not within the time.

        ``most`` is how many are asked for (0 = all that can be made at once).
        """
        return self._make(drive_s, within_s, floors, ready, self.nobody, most or self.most)[1]

    def take(
        self, drive_s: Seconds, within_s: float, floors: Floors | None, away: Flags, count: int
    ) -> tuple[Flags, int]:
        """The units that ``count`` of them need, or as many as can be made: (units bool [N], how many stand).

        Units in ``away`` bool [N] are gone already: they cannot come and hold nothing at home.
        """
        formation, complete_s = self._make(drive_s, within_s, floors, ~away, away, min(count, self.most))
        return formation >= 0, int(np.isfinite(complete_s).sum())

    def _hold(self, away: Flags) -> tuple[Indices, Doubles, Doubles]:
        """Units that hold each area, residents in time per region, and what each unit alone holds."""
        held = compute_held(self.cover, away)
        before = compute_residual(self.cover, away) * self.cover.total
        return held, before, lean_on(self.cover.unit_first, self.cover.unit_area, self.cover.weight, held)

    def _make(
        self, drive_s: Seconds, within_s: float, floors: Floors | None, ready: Flags, away: Flags, most: int
    ) -> tuple[Indices, Doubles]:
        size = len(self.standing)
        best, best_s = np.full(size, -1, dtype=np.int32), np.full(most, np.inf)
        if not most:
            return best, best_s
        arrival_s = compute_arrival_s(self.standing, self.one, drive_s) + self.formation.assembly_s
        arrival_s[~ready | (arrival_s > within_s)] = np.inf
        able = np.flatnonzero(np.isfinite(arrival_s)).astype(np.int32)
        held, before, losses = self.at_home if away is self.nobody else self._hold(away)
        least = compute_least(self.cover, floors)
        share = np.broadcast_to(self.one.share, (size, most, self.one.share.shape[2]))
        need, same_region = np.repeat(self.one.need, most, axis=0), np.repeat(self.one.same_region, most)
        alike = np.zeros(most, dtype=np.int32)
        for price in PRICES if floors is not None else PRICES[:1]:
            order = able[np.lexsort((able, arrival_s[able] / self.filled[able] + price * losses[able]))]
            formation, part = (np.full(size, -1, dtype=np.int32) for _ in range(2))
            whole, blocked = np.zeros(most, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
            select(
                arrival_s, order, share, need, alike, same_region, len(before), False, self.standing.region,
                self.cover.unit_first, self.cover.unit_area, self.cover.weight, self.cover.region, held.copy(),
                before.copy(), least, formation, part, whole, blocked,
            )  # fmt: skip
            complete_s = np.zeros(most)
            chosen = formation >= 0
            np.maximum.at(complete_s, formation[chosen], arrival_s[chosen])
            complete_s = np.sort(np.where(whole, complete_s, np.inf))
            if price == 0.0 or np.isfinite(complete_s).sum() > np.isfinite(best_s).sum():
                best, best_s = formation, complete_s
        return best, best_s
