"""Drive times from thirty-two places to everywhere in one pass down the hierarchy: PHAST (Delling and others, 2011)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from slagkracht.travel.hierarchy import Shortcuts
from slagkracht.travel.search import NO_ROAD, Seconds, Whole

LANES = 32
"""Drives side by side: one row of uint16 is one cache line."""

BEYOND = 32_767
"""What a row holds where nobody gets within HORIZON_S: one more second than it, so that a sum still fits uint16."""


def sweep_all(
    shortcuts: Shortcuts,
    sources: npt.NDArray[np.int32],
    consume: Callable[[int, Seconds], None],
    threads: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Drive times from each source to every node, LANES sources at a time.

    ``consume(first, rows)`` gets the sources from ``first`` on: rows uint16 [N, LANES] by place of the hierarchy, valid
    during the call, BEYOND where nobody gets. Sources with node -1 get nowhere. Memory: N × 72 bytes per thread.
    """
    hierarchy = shortcuts.hierarchy
    places = np.where(sources >= 0, hierarchy.place[sources], -1).astype(np.int32)
    down_s = np.minimum(shortcuts.down_s, BEYOND).astype(np.uint16)
    batches = range(0, len(places), LANES)
    finished = itertools.count(1)

    def run(part: npt.NDArray[np.int64]) -> None:
        rows = np.empty((len(hierarchy), LANES), np.uint16)
        workspace = _workspace(len(hierarchy))
        for first in part:
            batch = places[first : first + LANES]
            seeds = _climb_all(
                hierarchy.parent, shortcuts.first_up, shortcuts.up_head, shortcuts.up_s, batch, *workspace
            )
            _sweep(shortcuts.first_down, shortcuts.down_tail, down_s, seeds, workspace[1], rows)
            consume(int(first), rows)
            if progress:
                progress(min(next(finished) * LANES, len(places)), len(places))

    with ThreadPoolExecutor(threads) as executor:
        list(executor.map(run, np.array_split(np.array(batches, np.int64), threads)))


def drives_to(shortcuts: Shortcuts, sources: npt.NDArray[np.int32], target: int) -> Whole:
    """Drive times from each source to one node: int32 [K], NO_ROAD where none. A few milliseconds for a country."""
    hierarchy = shortcuts.hierarchy
    places = np.where(sources >= 0, hierarchy.place[sources], -1).astype(np.int32)
    down = (shortcuts.first_down, shortcuts.down_tail, shortcuts.down_s)
    up = (shortcuts.first_up, shortcuts.up_head, shortcuts.up_s)
    found: Whole = _meet(hierarchy.parent, *up, *down, places, hierarchy.place[target])
    return found


@njit(cache=True, nogil=True)
def gather(rows, first, place, off_road_s, origin_off_s, max_s, drive_s):  # type: ignore[no-untyped-def]
    """Write one batch of rows (sweep_all) into ``drive_s`` uint16 [A, O] for areas at ``place`` (-1 = no road near)."""
    lanes = min(LANES, drive_s.shape[1] - first)
    begin = origin_off_s[first : first + lanes]
    for area in range(len(place)):
        if place[area] >= 0:
            row = rows[place[area]]
            column = drive_s[area, first : first + lanes]
            off = np.int32(off_road_s[area])
            for lane in range(lanes):
                total = np.int32(np.int32(row[lane]) + off + begin[lane])
                within = (total <= max_s) & (row[lane] < BEYOND)
                column[lane] = np.uint16(total if within else 65535)


def _workspace(nodes: int) -> tuple[Whole, Whole]:
    return np.full(nodes, NO_ROAD, np.int32), np.full(nodes, -1, np.int32)


@intrinsic
def _relax(typingctx, rows, low, high, seconds):  # type: ignore[no-untyped-def]
    """rows[low] = min(rows[low], rows[high] + seconds), a whole row at once: what LLVM would not make of a loop."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        row = ir.VectorType(ir.IntType(16), LANES)
        array = context.make_array(signature.args[0])(context, builder, args[0])
        table = builder.bitcast(array.data, row.as_pointer())
        here = builder.gep(table, [args[1]])
        over = builder.load(builder.gep(table, [args[2]]), align=2)
        now = builder.load(here, align=2)
        none = ir.Constant(row, ir.Undefined)
        lane = builder.insert_element(none, args[3], ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        way = builder.add(over, builder.shuffle_vector(lane, none, everywhere))
        builder.store(builder.select(builder.icmp_unsigned("<", way, now), way, now), here, align=2)
        return context.get_dummy_value()

    return types.void(rows, types.intp, types.intp, types.uint16), build


@njit(cache=True, nogil=True)
def _climb_all(parent, first_up, up_head, up_s, places, distance, row_of):  # type: ignore[no-untyped-def]
    """The climbs of a batch: a row of seeds for every place that one passes, numbered in ``row_of``."""
    count = 0
    for place in places:
        while place >= 0 and row_of[place] < 0:
            row_of[place] = count
            count += 1
            place = parent[place]
    seeds = np.full((count, LANES), BEYOND, np.uint16)
    for lane, start in enumerate(places):
        if start < 0:
            continue
        distance[start] = 0
        place = start
        while place >= 0:
            so_far = distance[place]
            distance[place] = NO_ROAD
            if so_far < BEYOND:
                seeds[row_of[place], lane] = so_far
                for arc in range(first_up[place], first_up[place + 1]):
                    high = up_head[arc]
                    distance[high] = min(distance[high], so_far + up_s[arc])
            place = parent[place]
    return seeds


@njit(cache=True, nogil=True)
def _sweep(first_down, down_tail, down_s, seeds, row_of, rows):  # type: ignore[no-untyped-def]
    """Every place from the highest down: the least of its own seeds and of any higher place plus the way down."""
    for low in range(len(first_down) - 2, -1, -1):
        seed = row_of[low]
        if seed >= 0:
            rows[low] = seeds[seed]
            row_of[low] = -1
        else:
            rows[low] = BEYOND
        for arc in range(first_down[low], first_down[low + 1]):
            _relax(rows, low, down_tail[arc], down_s[arc])  # type: ignore[call-arg]


@njit(cache=True, nogil=True)
def _meet(parent, first_up, up_head, up_s, first_down, down_tail, down_s, sources, target):  # type: ignore[no-untyped-def]
    """Climb backward from the target, then from each source; the least sum where the climbs meet."""
    back = np.full(len(parent), NO_ROAD, np.int32)
    distance = np.full(len(parent), NO_ROAD, np.int32)
    found = np.full(len(sources), NO_ROAD, np.int32)
    back[target] = 0
    place = target
    while place >= 0:
        for arc in range(first_down[place], first_down[place + 1]):
            high = down_tail[arc]
            back[high] = min(back[high], back[place] + down_s[arc])
        place = parent[place]
    for lane, start in enumerate(sources):
        if start < 0:
            continue
        best = NO_ROAD
        distance[start] = 0
        place = start
        while place >= 0:
            so_far = distance[place]
            distance[place] = NO_ROAD
            if so_far < best:
                best = min(best, so_far + back[place])
                for arc in range(first_up[place], first_up[place + 1]):
                    high = up_head[arc]
                    distance[high] = min(distance[high], so_far + up_s[arc])
            place = parent[place]
        if best < NO_ROAD:
            found[lane] = best
    return found
