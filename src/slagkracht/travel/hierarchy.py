"""An order of the nodes from byways to the places every long drive passes, once per network, and shortcuts along it
for whatever speeds hold today: customizable contraction hierarchies (Dibbelt, Strasser and Wagner, 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pymetis
from numba import njit

from slagkracht.travel.search import NO_ROAD, Streets, Whole, backward

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """What depends on the topology alone; nodes are counted by their place in the order, lowest first.

    ``place`` int32 [N] of each node of the network · ``parent`` int32 [N] the lowest higher neighbour (-1 = a root),
    ``first_up`` int64 [N+1] and ``up`` int32 [E] all higher neighbours, ascending, shortcuts included ·
    ``slot`` int32 [M] the up-arc that carries each arc of the network, ``climbs`` bool [M] whether in its direction.
    Places are in post-order: what lies below a node stands directly before it.
    """

    place: Whole
    parent: Whole
    first_up: Offsets
    up: Whole
    slot: Whole
    climbs: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True, eq=False)
class Shortcuts:
    """The arcs of a hierarchy that a shortest drive may need at today's speeds, by place.

    Upward: ``first_up`` [N+1], ``up_head``, ``up_s`` · downward, by the lower end: ``first_down`` [N+1],
    ``down_tail``, ``down_s``. All int32.
    """

    hierarchy: Hierarchy
    first_up: Whole
    up_head: Whole
    up_s: Whole
    first_down: Whole
    down_tail: Whole
    down_s: Whole


def compute_hierarchy(graph: Streets) -> Hierarchy:
    """Order the nodes and find every shortcut that any speeds could need. Once per network.

    Nodes with at most two neighbours go first, over and over; what remains is ordered by nested dissection (METIS).
    """
    reverse = backward(graph)
    first, neighbour = _neighbours(graph.first_arc, graph.head, reverse.first_arc, reverse.head)
    rank = _rank(first, neighbour)
    parent = _elimination_tree(first, neighbour, rank)
    place = _post_order(parent, rank)
    parent_of_place = np.full(len(graph), -1, np.int32)
    inner = parent >= 0
    parent_of_place[place[inner]] = place[parent[inner]]
    first_up, up = _fill(first, neighbour, place, parent_of_place)
    slot, climbs = _slots(graph.first_arc, graph.head, place, first_up, up)
    return Hierarchy(place, parent_of_place, first_up, up, slot, climbs)


def compute_shortcuts(hierarchy: Hierarchy, weight: Whole) -> Shortcuts:
    """Shortcuts at today's weights (int32 [M], NO_ROAD = closed): after any change of speeds.

    Of all arcs only those stay that a shortest drive may need: an arc goes when another way over a higher node is
    shorter, or as long and ends in a drive of more than zero seconds. (Of the arcs that begin a shortest climb, the
    shortest never goes, so every shortest drive keeps a way up and a way down.)
    """
    up_s, down_s = _spread(hierarchy.slot, hierarchy.climbs, weight, len(hierarchy.up))
    _contract(hierarchy.first_up, hierarchy.up, up_s, down_s)
    keep_up, keep_down = _perfect(hierarchy.first_up, hierarchy.up, up_s, down_s)
    first_up, up_head, up_kept = _keep(hierarchy.first_up, hierarchy.up, up_s, keep_up)
    first_down, down_tail, down_kept = _keep(hierarchy.first_up, hierarchy.up, down_s, keep_down)
    return Shortcuts(hierarchy, first_up, up_head, up_kept, first_down, down_tail, down_kept)


def _rank(first: Whole, neighbour: Whole) -> Whole:
    """Rank of each node in the order of elimination."""
    order, core, core_first, core_neighbour = _shave(first, neighbour)
    rank = np.empty(len(first) - 1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    if len(core):
        _, core_rank = pymetis.nested_dissection(pymetis.CSRAdjacency(core_first, core_neighbour))
        rank[core] = len(order) + np.asarray(core_rank, np.int32)
    return rank


@njit(cache=True, nogil=True)
def _neighbours(first_out, head, first_in, tail):  # type: ignore[no-untyped-def]
    """Who lies next to whom, whichever way the arcs run: each once, ascending."""
    nodes = len(first_out) - 1
    first = np.zeros(nodes + 1, np.int32)
    found = np.empty(len(head) + len(tail), np.int32)
    filled = 0
    for node in range(nodes):
        near = np.sort(
            np.concatenate((head[first_out[node] : first_out[node + 1]], tail[first_in[node] : first_in[node + 1]]))
        )
        before = node
        for other in near:
            if other != before and other != node:
                found[filled] = other
                filled += 1
            before = other
        first[node + 1] = filled
    return first, found[:filled].copy()


@njit(cache=True, nogil=True)
def _shave(first, neighbour):  # type: ignore[no-untyped-def]
    """Eliminate nodes with at most two neighbours, over and over: their order, and the graph that remains."""
    nodes = len(first) - 1
    near = neighbour.copy()
    degree = np.diff(first)
    order = np.empty(nodes, np.int32)
    gone = np.zeros(nodes, np.bool_)
    waiting = np.empty(nodes, np.int32)
    begin = end = 0
    for node in range(nodes):
        if degree[node] <= 2:
            waiting[end] = node
            end += 1
            gone[node] = True
    while begin < end:
        node = waiting[begin]
        order[begin] = node
        begin += 1
        at = first[node]
        for side in range(degree[node]):
            other = near[at + side]
            across = near[at + 1 - side] if degree[node] == 2 else -1
            base = first[other]
            here = there = -1
            for step in range(degree[other]):
                if near[base + step] == node:
                    here = step
                elif near[base + step] == across:
                    there = step
            if across >= 0 and there < 0:
                near[base + here] = across
            else:
                degree[other] -= 1
                near[base + here] = near[base + degree[other]]
                if degree[other] == 2 and not gone[other]:
                    gone[other] = True
                    waiting[end] = other
                    end += 1
    core = np.flatnonzero(~gone).astype(np.int32)
    number = np.full(nodes, -1, np.int32)
    number[core] = np.arange(len(core), dtype=np.int32)
    core_first = np.zeros(len(core) + 1, np.int32)
    core_first[1:] = np.cumsum(degree[core])
    core_near = np.empty(core_first[-1], np.int32)
    for row in range(len(core)):
        node = core[row]
        for step in range(degree[node]):
            core_near[core_first[row] + step] = number[near[first[node] + step]]
    return order[:end], core, core_first, core_near


@njit(cache=True, nogil=True)
def _elimination_tree(first, neighbour, rank):  # type: ignore[no-untyped-def]
    """The parent of each node: its lowest higher neighbour once all lower nodes are eliminated (Liu, 1990)."""
    nodes = len(rank)
    order = np.empty(nodes, np.int32)
    order[rank] = np.arange(nodes, dtype=np.int32)
    parent = np.full(nodes, -1, np.int32)
    root = np.full(nodes, -1, np.int32)
    for node in order:
        for at in range(first[node], first[node + 1]):
            below = neighbour[at]
            if rank[below] >= rank[node]:
                continue
            while root[below] != -1 and root[below] != node:
                above = root[below]
                root[below] = node
                below = above
            if root[below] == -1:
                root[below] = node
                parent[below] = node
    return parent


@njit(cache=True, nogil=True)
def _post_order(parent, rank):  # type: ignore[no-untyped-def]
    """The place of each node: subtrees together, each directly before its root, the largest nearest to it."""
    nodes = len(parent)
    order = np.empty(nodes, np.int32)
    order[rank] = np.arange(nodes, dtype=np.int32)
    size = np.ones(nodes, np.int32)
    for node in order:
        if parent[node] >= 0:
            size[parent[node]] += size[node]
    place = np.empty(nodes, np.int32)
    free = np.empty(nodes, np.int32)  # the last place that is still free in the subtree of a node
    top = nodes - 1
    for node in order[::-1]:
        if parent[node] < 0:
            place[node] = top
            top -= size[node]
        else:
            place[node] = free[parent[node]]
            free[parent[node]] -= size[node]
        free[node] = place[node] - 1
    return place


@njit(cache=True, nogil=True)
def _fill(first, neighbour, place, parent):  # type: ignore[no-untyped-def]
    """All higher neighbours of each place once all lower places are eliminated, ascending."""
    nodes = len(place)
    node_at = np.empty(nodes, np.int32)
    node_at[place] = np.arange(nodes, dtype=np.int32)
    child = np.full(nodes, -1, np.int32)
    sibling = np.full(nodes, -1, np.int32)
    seen = np.full(nodes, -1, np.int32)
    first_up = np.zeros(nodes + 1, np.int64)
    up = np.empty(2 * len(neighbour) + nodes, np.int32)
    filled = 0
    for low in range(nodes):
        room = first[node_at[low] + 1] - first[node_at[low]]
        below = child[low]
        while below >= 0:
            room += first_up[below + 1] - first_up[below]
            below = sibling[below]
        if filled + room > len(up):
            larger = np.empty(2 * len(up) + room, np.int32)
            larger[:filled] = up[:filled]
            up = larger
        begin = filled
        seen[low] = low
        for at in range(first[node_at[low]], first[node_at[low] + 1]):
            high = place[neighbour[at]]
            if high > low and seen[high] != low:
                seen[high] = low
                up[filled] = high
                filled += 1
        below = child[low]
        while below >= 0:
            for at in range(first_up[below], first_up[below + 1]):
                if seen[up[at]] != low:
                    seen[up[at]] = low
                    up[filled] = up[at]
                    filled += 1
            below = sibling[below]
        up[begin:filled].sort()
        first_up[low + 1] = filled
        if parent[low] >= 0:
            sibling[low] = child[parent[low]]
            child[parent[low]] = low
    return first_up, up[:filled].copy()


@njit(cache=True, nogil=True)
def _slots(first_arc, head, place, first_up, up):  # type: ignore[no-untyped-def]
    """The up-arc that carries each arc of the network, and whether it climbs."""
    slot = np.empty(len(head), np.int32)
    climbs = np.empty(len(head), np.bool_)
    for node in range(len(first_arc) - 1):
        for arc in range(first_arc[node], first_arc[node + 1]):
            low, high = place[node], place[head[arc]]
            climbs[arc] = low < high
            if low > high:
                low, high = high, low
            begin = first_up[low]
            slot[arc] = begin + np.searchsorted(up[begin : first_up[low + 1]], high)
    return slot, climbs


@njit(cache=True, nogil=True)
def _spread(slot, climbs, weight, arcs):  # type: ignore[no-untyped-def]
    up_s = np.full(arcs, NO_ROAD, np.int32)
    down_s = np.full(arcs, NO_ROAD, np.int32)
    for arc in range(len(slot)):
        if climbs[arc]:
            up_s[slot[arc]] = min(up_s[slot[arc]], weight[arc])
        else:
            down_s[slot[arc]] = min(down_s[slot[arc]], weight[arc])
    return up_s, down_s


@njit(cache=True, nogil=True)
def _contract(first_up, up, up_s, down_s):  # type: ignore[no-untyped-def]
    """Over each place, the drives between any two of its higher neighbours, lowest place first."""
    for low in range(len(first_up) - 1):
        begin, end = first_up[low], first_up[low + 1]
        for one in range(begin, end - 1):
            other_begin, other_end = first_up[up[one]], first_up[up[one] + 1]
            rise, fall = up_s[one], down_s[one]
            count = end - one - 1
            if count == other_end - other_begin:  # the same neighbours: side by side in memory
                for step in range(count):
                    at, two = other_begin + step, one + 1 + step
                    up_s[at] = min(up_s[at], fall + up_s[two])
                    down_s[at] = min(down_s[at], down_s[two] + rise)
            else:
                at = other_begin
                for two in range(one + 1, end):
                    while up[at] != up[two]:
                        at += 1
                    up_s[at] = min(up_s[at], fall + up_s[two])
                    down_s[at] = min(down_s[at], down_s[two] + rise)


@njit(cache=True, nogil=True)
def _perfect(first_up, up, up_s, down_s):  # type: ignore[no-untyped-def]
    """Make each arc the shortest drive between its ends, highest place first, and mark the arcs that are needed."""
    keep_up = up_s < NO_ROAD
    keep_down = down_s < NO_ROAD
    widest = 0
    for low in range(len(first_up) - 1):
        widest = max(widest, first_up[low + 1] - first_up[low])
    rise = np.empty(widest, np.int32)
    fall = np.empty(widest, np.int32)
    for low in range(len(first_up) - 2, -1, -1):
        begin, end = first_up[low], first_up[low + 1]
        count = end - begin
        for one in range(count):
            rise[one] = up_s[begin + one]
            fall[one] = down_s[begin + one]
        for one in range(count - 1):
            at = first_up[up[begin + one]]
            for two in range(one + 1, count):
                while up[at] != up[begin + two]:
                    at += 1
                climb, drop = up_s[at], down_s[at]
                # towards the higher of the two over the lower, and the other way about
                way = rise[one] + climb
                if way < up_s[begin + two]:
                    up_s[begin + two] = way
                if way < rise[two] or (way == rise[two] and climb > 0):
                    keep_up[begin + two] = False
                way = rise[two] + drop
                if way < up_s[begin + one]:
                    up_s[begin + one] = way
                if way < rise[one] or (way == rise[one] and drop > 0):
                    keep_up[begin + one] = False
                way = drop + fall[one]
                if way < down_s[begin + two]:
                    down_s[begin + two] = way
                if way < fall[two] or (way == fall[two] and drop > 0):
                    keep_down[begin + two] = False
                way = climb + fall[two]
                if way < down_s[begin + one]:
                    down_s[begin + one] = way
                if way < fall[one] or (way == fall[one] and climb > 0):
                    keep_down[begin + one] = False
    return keep_up, keep_down


@njit(cache=True, nogil=True)
def _keep(first_up, up, seconds, keep):  # type: ignore[no-untyped-def]
    total = 0
    for arc in range(len(keep)):
        total += keep[arc]
    first = np.zeros(len(first_up), np.int32)
    ends = np.empty(total, np.int32)
    kept = np.empty(total, np.int32)
    filled = 0
    for low in range(len(first_up) - 1):
        for arc in range(first_up[low], first_up[low + 1]):
            if keep[arc]:
                ends[filled] = up[arc]
                kept[filled] = seconds[arc]
                filled += 1
        first[low + 1] = filled
    return first, ends, kept
