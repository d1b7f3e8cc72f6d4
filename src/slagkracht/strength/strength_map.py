"""The map of strength: for every area how soon the first, second and later platoons and each specialism stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from slagkracht.resources import Standing
from slagkracht.strength.formations import Formation
from slagkracht.strength.placements import CHUNK, Placer
from slagkracht.strength.residual import Cover, Floors
from slagkracht.strength.supply import Counter

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]

NOBODY_FIRST: Mapping[str, Indices] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class StrengthMap:
    """When each wanted rank of each formation stands in every area.

    ``formation`` [K] the formation of each column · ``rank`` [K] its how-manieth (1 = the first) · ``complete_s``
    float32 [A, K] from the alarm, every floor held (inf = never) · ``free_s`` float32 [A, K] the same without floors.
    """

    formation: tuple[Formation, ...]
    rank: tuple[int, ...]
    complete_s: Floats
    free_s: Floats


def compute_strength_map(
    standing: Standing, drive_s: Seconds, wanted: Sequence[tuple[Formation, Sequence[int]]], cover: Cover,
    floors: Floors, *, first: Mapping[str, Indices] = NOBODY_FIRST,
    progress: Callable[[int, int], None] | None = None,
) -> StrengthMap:  # fmt: skip
    """``wanted`` as (formation, ranks), ``drive_s`` uint16 [A, O]: each area by itself, as if nothing else happened.

    ``first`` int32 [A] per code of a formation the region that doctrine lets go first in each area
    (``first_regions_everywhere``). Works in threads.
    """
    areas = len(drive_s)
    nobody = np.full(areas, -1, dtype=np.int32)
    columns = [(formation, rank) for formation, ranks in wanted for rank in ranks]
    held, free = (np.full((areas, len(columns)), np.inf, dtype=np.float32) for _ in range(2))
    placers = [
        [Placer(standing, formation, max(ranks), cover, limits) for limits in (floors, None)]
        for formation, ranks in wanted
    ]
    starts = range(0, areas, CHUNK)

    def work(start: int) -> None:
        here = slice(start, start + CHUNK)
        column = 0
        for both, (formation, ranks) in zip(placers, wanted):
            for table, placer in zip((held, free), both):
                complete_s = placer.place(drive_s[here], first.get(formation.code, nobody)[here]).complete_s
                for k, rank in enumerate(ranks):
                    if rank <= complete_s.shape[1]:
                        table[here, column + k] = complete_s[:, rank - 1]
            column += len(ranks)

    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(work, starts)):
            if progress is not None:
                progress(done + 1, len(starts))
    np.minimum(free, held, out=free)  # a choice that holds every floor is free to be made without them
    return StrengthMap(tuple(f for f, _ in columns), tuple(r for _, r in columns), held, free)


def compute_strength_curve(
    standing: Standing, drive_s: Seconds, weight: Doubles, formation: Formation, cover: Cover, floors: Floors | None,
    hours: Sequence[float],
) -> Doubles:  # fmt: skip
    """The nation's curve: how many formations stand within each of ``hours``, on average over places: float64 [H].

    ``drive_s`` uint16 [P, O] to the places, ``weight`` float64 [P].
    """
    counter = Counter(standing, formation, cover)
    everyone = np.ones(len(standing), dtype=np.bool_)
    standing_by = np.zeros((len(drive_s), len(hours)))
    for p in range(len(drive_s)):
        done = counter.complete_s(drive_s[p], np.inf, floors, everyone)
        standing_by[p] = np.searchsorted(done, 3600.0 * np.asarray(hours), side="right")
    mean: Doubles = weight @ standing_by / weight.sum()
    return mean
