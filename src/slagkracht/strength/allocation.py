"""Where scarce teams should be held: every place reached in time at least cost, fairly spread, with its proven gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from slagkracht.siting import solve_milp

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Allocation:
    """How many teams each site holds, and what that leaves undone.

    ``teams`` int32 [S] of which ``kept`` int32 [S] stand there now · ``short`` int32 [P] teams that a place lacks
    within its time · ``unreachable`` bool [P] places where no site at all is near enough · ``cost`` · ``bound`` the
    least cost that any allocation with as little short could have · ``short_weight`` what is short, weighted ·
    ``short_bound`` the least that could be.
    """

    teams: Indices
    kept: Indices
    short: Indices
    unreachable: Flags
    cost: float
    bound: float
    short_weight: float
    short_bound: float


def solve_allocation(
    arrival_s: Doubles,
    limit_s: Doubles,
    need: Indices,
    weight: Doubles,
    region: Indices,
    have: Indices,
    *,
    keep_cost: float = 1.0,
    new_cost: float = 1.0,
    budget: float = np.inf,
    most_per_region: Indices | int | None = None,
    least_per_region: Indices | int | None = None,
    regions: int,
    gap: float = 1e-6,
    seconds: float = 60.0,
) -> Allocation:
    """Teams at sites so that place p has ``need``[p] of them within ``limit_s``[p], for the least money.

    ``arrival_s`` float64 [P, S] of a team of site s at place p (inf = never) · ``weight`` float64 [P] how much a team
    short there weighs · ``region`` int32 [S] of each site · ``have`` int32 [S] teams that stand there now · keeping one
    costs ``keep_cost``, setting up one ``new_cost``, together at most ``budget`` · ``most_per_region``,
    ``least_per_region`` hold the spread fair. First as little as possible is short, then it costs as little as
    possible; both are proven to ``gap``. Raises ValueError when the least that every region must hold does not fit.
    """
    places, sites = arrival_s.shape
    reach = arrival_s <= limit_s[:, None]
    size = 2 * sites + places  # teams kept, teams new, teams short
    rows = [csr_matrix(np.hstack([reach, reach, np.eye(places)]))]
    lower, upper = [need.astype(np.float64)], [np.full(places, np.inf)]
    homes = np.zeros((regions, size))
    for r in range(regions):
        homes[r, : 2 * sites] = np.tile(region == r, 2)
    rows.append(csr_matrix(homes))
    lower.append(np.broadcast_to(np.asarray(0 if least_per_region is None else least_per_region, float), (regions,)))
    upper.append(np.broadcast_to(np.asarray(np.inf if most_per_region is None else most_per_region, float), (regions,)))
    cost = np.concatenate([np.full(sites, keep_cost), np.full(sites, new_cost), np.zeros(places)])
    rows.append(csr_matrix(cost))
    lower.append(np.zeros(1))
    upper.append(np.array([budget]))
    short = np.concatenate([np.zeros(2 * sites), weight])
    top = np.concatenate([have, np.full(sites, need.max(initial=0) + _highest(least_per_region)), need]).astype(float)
    matrix = csr_matrix(np.vstack([each.toarray() for each in rows]))
    whole = np.ones(size, dtype=np.bool_)
    first = solve_milp(
        short,
        matrix,
        np.concatenate(lower),
        np.concatenate(upper),
        np.zeros(size),
        top,
        whole,
        gap=gap,
        seconds=seconds,
    )
    if not len(first.values):
        raise ValueError(
            "geen spreiding mogelijk: het minimum dat elke regio moet hebben past niet binnen"
            f" het budget van {budget:g} of het maximum per regio; verhoog het budget of verlaag het minimum"
        )
    least_short = float(short @ np.round(first.values))
    second = solve_milp(
        cost, csr_matrix(np.vstack([matrix.toarray(), short])), np.append(np.concatenate(lower), -np.inf),
        np.append(np.concatenate(upper), least_short + 1e-9 * max(least_short, 1.0)), np.zeros(size), top, whole,
        gap=gap, seconds=seconds,
    )  # fmt: skip
    values = np.round(second.values if len(second.values) else first.values).astype(np.int32)
    kept, teams = values[:sites], values[:sites] + values[sites : 2 * sites]
    lacking = np.maximum(need - reach @ teams, 0).astype(np.int32)
    return Allocation(
        teams, kept, lacking, np.asarray(~reach.any(axis=1)), float(cost @ values), second.bound,
        float(weight @ lacking), first.bound,
    )  # fmt: skip


def _highest(least_per_region: Indices | int | None) -> int:
    return 0 if least_per_region is None else int(np.max(least_per_region))
