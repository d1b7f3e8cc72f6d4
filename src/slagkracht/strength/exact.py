"""The same choice of units made exactly, with a proven bound: the yardstick that the fast choice is held against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix

from slagkracht.siting import MilpAnswer, solve_milp

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


class _Model:
    """Rows and columns of a mixed-integer model, gathered one constraint at a time."""

    def __init__(self) -> None:
        self.rows: list[npt.NDArray[np.int64]] = []
        self.columns: list[npt.NDArray[np.int64]] = []
        self.values: list[Doubles] = []
        self.lower: list[float] = []
        self.upper: list[float] = []

    def add(self, columns: npt.ArrayLike, values: npt.ArrayLike, lower: float, upper: float) -> None:
        where = np.atleast_1d(np.asarray(columns, dtype=np.int64))
        self.rows.append(np.full(len(where), len(self.lower), dtype=np.int64))
        self.columns.append(where)
        self.values.append(np.broadcast_to(np.asarray(values, dtype=np.float64), where.shape))
        self.lower.append(lower)
        self.upper.append(upper)


def solve_exactly(
    arrival_s: Doubles,
    share: npt.NDArray[np.float32],
    need: npt.NDArray[np.int32],
    kind_of: Indices,
    same_region: npt.NDArray[np.bool_],
    unit_region: Indices,
    cover_first: Indices,
    cover_area: Indices,
    weight: Doubles,
    area_region: Indices,
    left: Indices,
    covered: Doubles,
    least: Doubles,
    *,
    gap: float = 1e-4,
    seconds: float = 60.0,
) -> tuple[Indices, Indices, MilpAnswer]:
    """Units for every formation with the smallest sum of arrival times, every floor held.

    Arrays as in ``selection.select``. Returns (formation of each unit int32 [N] or -1, its part, the solver's answer).
    Formations of one kind are interchangeable, so they are counted per kind and region and numbered by arrival after.
    """
    parts = need.shape[1]
    kinds = [np.flatnonzero(kind_of == kind).tolist() for kind in range(int(kind_of.max()) + 1)]
    candidates = np.flatnonzero(np.isfinite(arrival_s) & (share.max(axis=(1, 2)) > 0))
    regions = len(covered)
    model = _Model()
    cost: list[float] = []
    upper: list[float] = []
    integer: list[bool] = []

    def variable(price: float, most: float, whole: bool) -> int:
        cost.append(price)
        upper.append(most)
        integer.append(whole)
        return len(cost) - 1

    chosen: dict[tuple[int, int, int], int] = {}
    per_unit: dict[int, list[int]] = {int(u): [] for u in candidates}
    for number, kind in enumerate(kinds):
        for unit in candidates.tolist():
            for p in range(parts):
                if need[kind[0], p] and share[unit, kind[0], p] > 0:
                    column = variable(float(arrival_s[unit]), 1.0, True)
                    chosen[unit, number, p] = column
                    per_unit[unit].append(column)
        homes = range(regions) if same_region[kind[0]] else [-1]
        counts = [variable(0.0, float(len(kind)), True) for _ in homes]
        model.add(counts, 1.0, len(kind), len(kind))
        for home, count in zip(homes, counts):
            for p in range(parts):
                if not need[kind[0], p]:
                    continue
                members = [
                    (chosen[u, number, p], float(share[u, kind[0], p]))
                    for u in candidates.tolist()
                    if (u, number, p) in chosen and (home < 0 or unit_region[u] == home)
                ]
                columns = [column for column, _ in members] + [count]
                values = [value for _, value in members] + [-float(need[kind[0], p])]
                model.add(columns, values, -1e-4, np.inf)
    for roles in per_unit.values():
        if len(roles) > 1:
            model.add(roles, 1.0, 0.0, 1.0)

    # an area that only candidates hold is lost when all of them go; areas held by the same candidates are one
    holders: dict[int, list[int]] = {}
    for unit in candidates.tolist():
        for area in cover_area[cover_first[unit] : cover_first[unit + 1]].tolist():
            holders.setdefault(area, []).append(unit)
    groups: dict[tuple[int, tuple[int, ...]], float] = {}
    for area, units in holders.items():
        if len(units) == left[area] and weight[area] > 0:
            key = (int(area_region[area]), tuple(units))
            groups[key] = groups.get(key, 0.0) + float(weight[area])
    lost_of: dict[int, list[tuple[int, float]]] = {}
    for (home, holding), residents in groups.items():
        lost = variable(0.0, 1.0, False)
        columns = [column for unit in holding for column in per_unit[unit]]
        # lost >= 1 - (units that stay); units that stay = len(holding) - taken
        model.add([lost, *columns], [1.0, *[-1.0] * len(columns)], 1.0 - len(holding), np.inf)
        lost_of.setdefault(home, []).append((lost, residents))
    for home, losses in lost_of.items():
        slack = max(float(covered[home] - least[home]), 0.0)
        model.add([c for c, _ in losses], [w for _, w in losses], -np.inf, slack)

    size = len(cost)
    matrix = coo_matrix(
        (np.concatenate(model.values), (np.concatenate(model.rows), np.concatenate(model.columns))),
        shape=(len(model.lower), size),
    ).tocsr()
    answer = solve_milp(
        np.array(cost), matrix, np.array(model.lower), np.array(model.upper), np.zeros(size), np.array(upper),
        np.array(integer), gap=gap, seconds=seconds,
    )  # fmt: skip
    formation = np.full(len(arrival_s), -1, dtype=np.int32)
    part = np.full(len(arrival_s), -1, dtype=np.int32)
    if len(answer.values):
        for number, kind in enumerate(kinds):
            taken = [(u, p) for (u, k, p), column in chosen.items() if k == number and answer.values[column] > 0.5]
            _number_formations(taken, kind, need[kind[0]], share, same_region, unit_region, arrival_s, formation, part)
    return formation, part, answer


def _number_formations(
    taken: list[tuple[int, int]], kind: list[int], need: npt.NDArray[np.int32], share: npt.NDArray[np.float32],
    same_region: npt.NDArray[np.bool_], unit_region: Indices, arrival_s: Doubles, formation: Indices, part: Indices,
) -> None:  # fmt: skip
    """Deal the taken units of one kind of formation out, soonest first, region by region where it must be so."""
    free = list(kind)
    homes = sorted({int(unit_region[u]) for u, _ in taken}) if same_region[kind[0]] else [-1]
    bundles: list[list[tuple[int, int]]] = []
    for home in homes:
        mine = [(u, p) for u, p in taken if home < 0 or unit_region[u] == home]
        mine.sort(key=lambda up: arrival_s[up[0]])
        rounds: list[list[tuple[int, int]]] = []
        fill: list[npt.NDArray[np.float64]] = []
        for unit, p in mine:
            for bundle, have in zip(rounds, fill):
                if have[p] < need[p] - 1e-4:
                    bundle.append((unit, p))
                    have[p] += share[unit, kind[0], p]
                    break
            else:
                have = np.zeros(len(need))
                have[p] += share[unit, kind[0], p]
                rounds.append([(unit, p)])
                fill.append(have)
        bundles += rounds
    bundles.sort(key=lambda bundle: max(arrival_s[u] for u, _ in bundle))
    for number, bundle in zip(free, bundles):
        for unit, p in bundle:
            formation[unit], part[unit] = number, p
