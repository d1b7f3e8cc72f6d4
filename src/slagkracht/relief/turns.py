"""The cheapest rotation of crews who take turns: equal crews are counted, not named, some blocks at a time (HiGHS)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from slagkracht.relief.posts import Model
from slagkracht.siting import solve_milp

Indices = npt.NDArray[np.int32]

AT_ONCE, AT_A_TIME = 6, 2
"""A rotation of so many blocks is settled at once; of a longer one so many blocks at a time, the later ones weighed
meanwhile as if crews could be divided."""

MOST_VARIABLES = 40_000
NODES = 2_000
NEAR_ENOUGH = 2e-3
"""Of a longer rotation every step may cost this share more than its best."""


@dataclass(eq=False)
class _Rows:
    """A linear model while it is written down: what each variable costs and may be, and the rows between them."""

    cost: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    block: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    column: list[int] = field(default_factory=list)
    factor: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)

    def variable(self, cost: float, least: float, most: float, block: int) -> int:
        self.cost.append(cost)
        self.least.append(least)
        self.most.append(most)
        self.block.append(block)
        return len(self.cost) - 1

    def row(
        self, ones: Sequence[int], upper: float, lower: float = -np.inf, less: tuple[int, float] | None = None
    ) -> None:
        """The sum of ``ones`` (``less`` a factor times one more variable) lies between ``lower`` and ``upper``."""
        self.column += [*ones] if less is None else [*ones, less[0]]
        self.factor += [1.0] * len(ones) + ([] if less is None else [-less[1]])
        self.start.append(len(self.column))
        self.lower.append(lower)
        self.upper.append(upper)


def take_turns(model: Model, filled: int) -> tuple[Indices | None, float]:
    """(A rotation int32 [C, T] that fills ``filled`` posts, or None when none was found; minutes that no such rotation
    costs less than).

    Crews of one region with the same parts, hours, drive and past are each other's equal: they are counted, and take
    turns. Whoever left longest ago goes next, so that n of them can go k times within any stretch of time exactly when
    no more than n × k leave in it. The bound holds for all crews there are; it is 0 for a rotation too large to weigh.
    """
    groups = _group_equal_crews(model)
    blocks = model.allowed.shape[1]
    if len(groups) * blocks > MOST_VARIABLES:
        return None, 0.0
    rows, leaves = _write_down(model, groups, filled)
    if not leaves:
        return None, 0.0
    matrix = csr_matrix((rows.factor, rows.column, rows.start), (len(rows.lower), len(rows.cost)))
    cost, block = np.array(rows.cost), np.array(rows.block)
    least, most = np.array(rows.least), np.array(rows.most)
    lower, upper = np.array(rows.lower), np.array(rows.upper)
    bound, values = 0.0, np.empty(0)
    whole = blocks - model.frozen <= AT_ONCE
    step, gap = (AT_ONCE, 0.0) if whole else (AT_A_TIME, NEAR_ENOUGH)
    for first in range(model.frozen, blocks, step):
        now = (block >= first) & (block < first + step)
        found = solve_milp(cost, matrix, lower, upper, least, most, now, gap=gap, seconds=np.inf, nodes=NODES)
        if first == model.frozen and np.isfinite(found.bound):
            bound = float(np.ceil(found.bound - 1e-3))  # the blocks after these are divisible still: a bound for all
        if not len(found.values):
            return None, bound
        values = np.rint(found.values)
        least[now], most[now] = values[now], values[now]
    return (_name_crews(model, groups, leaves, values) if len(values) else None), bound


def _group_equal_crews(model: Model) -> list[npt.NDArray[np.int64]]:
    """The crews that could go, in groups of each other's equals."""
    groups: dict[tuple[object, ...], list[int]] = {}
    past = model.before[:, : model.frozen]
    could = model.near & model.able.any(axis=1) & model.allowed.any(axis=1) | (past >= 0).any(axis=1)
    for c in np.flatnonzero(could).tolist():
        numbers = (model.region, model.drive_min, model.lead_min, model.cycle, model.not_before)
        same = (*(int(each[c]) for each in numbers), model.able[c].tobytes(), model.allowed[c].tobytes())
        groups.setdefault((*same, past[c].tobytes()), []).append(c)
    return [np.array(mine) for mine in groups.values()]


def _write_down(
    model: Model, groups: list[npt.NDArray[np.int64]], filled: int
) -> tuple[_Rows, dict[tuple[int, int, int], int]]:
    """The linear model, and its variable for how many of group g take part p in block t: {(g, t, p): variable}."""
    rows, blocks, parts, regions = _Rows(), model.allowed.shape[1], len(model.need), len(model.fair)
    leaves: dict[tuple[int, int, int], int] = {}
    by_group: dict[tuple[int, int], list[int]] = {}
    by_post: dict[tuple[int, int, int], list[int]] = {}
    for g, group in enumerate(groups):
        c, many = int(group[0]), len(group)
        for t in range(blocks):
            past = t < model.frozen
            if not past and not (model.allowed[c, t] and t * model.post_min - model.lead_min[c] >= model.not_before[c]):
                continue
            for p in np.flatnonzero(model.able[c]).tolist():
                if not past or model.before[c, t] == p:
                    new = rows.variable(2.0 * model.drive_min[c], many if past else 0, many, t)
                    leaves[g, t, p] = new
                    by_group.setdefault((g, t), []).append(new)
                    by_post.setdefault((int(model.region[c]), t, p), []).append(new)
    for g, group in enumerate(groups):
        for length, times in ((int(model.cycle[group[0]]), 1), (model.week_blocks, model.per_week)):
            for t in range(max(0, model.frozen - length + 1), max(1, blocks - length + 1) if times > 1 else blocks):
                within = [v for s in range(t, min(t + length, blocks)) for v in by_group.get((g, s), ())]
                if len(within) > 1:
                    rows.row(within, times * len(group))
    for r in range(regions):
        for p in range(parts):
            mine = [g for g, group in enumerate(groups) if model.region[group[0]] == r and model.able[group[0], p]]
            for t in range(model.frozen, blocks):
                out = [
                    (s, v)
                    for g in mine
                    for s in range(max(0, t - int(model.cycle[groups[g][0]]) + 1), t + 1)
                    for v in by_group.get((g, s), ())
                ]
                gone = sum(rows.least[v] for s, v in out if s < model.frozen)
                if out:
                    rows.row([v for _, v in out], max(float(model.home[r, p, t]), gone))
    posts, all_filled = [], filled == model.need.sum() * blocks
    for p in range(parts):
        for t in range(blocks):
            mine = [v for r in range(regions) for v in by_post.get((r, t, p), ())]
            posts += mine
            if mine and t >= model.frozen:
                rows.row(mine, int(model.need[p]), lower=int(model.need[p]) if all_filled else 0)
    if not all_filled:
        rows.row(posts, np.inf, lower=filled)
    for kind in np.flatnonzero(model.same_region).tolist():
        for t in range(model.frozen, blocks):
            brought = []
            for r in range(regions):
                sides = [(p, by_post.get((r, t, p), [])) for p in np.flatnonzero(model.kind == kind).tolist()]
                if any(mine for _, mine in sides):
                    brought.append(rows.variable(0.0, 0, int(model.asked[kind]), t))
                    for p, mine in sides:
                        rows.row(mine, 0.0, less=(brought[-1], int(model.count[p])))
            rows.row(brought, int(model.asked[kind]))
    for p in range(parts):
        for r in range(regions):
            mine = [v for t in range(blocks) for v in by_post.get((r, t, p), ())]
            if mine:
                over = rows.variable(float(model.fair_min), 0, np.inf, -1)
                rows.row(mine, float(np.ceil(model.fair[r, p] - 1e-9)), less=(over, 1.0))
    return rows, leaves


def _name_crews(
    model: Model,
    groups: list[npt.NDArray[np.int64]],
    leaves: dict[tuple[int, int, int], int],
    values: npt.NDArray[np.float64],
) -> Indices:
    """Who of each group goes when: whoever left longest ago."""
    post = np.full(model.allowed.shape, -1, dtype=np.int32)
    post[:, : model.frozen] = model.before[:, : model.frozen]
    turn = [0] * len(groups)
    for g, t, p in sorted(leaves):
        if t < model.frozen:
            continue
        for _ in range(int(values[leaves[g, t, p]])):
            post[groups[g][turn[g] % len(groups[g])], t] = p
            turn[g] += 1
    return post
