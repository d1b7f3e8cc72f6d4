"""One door to the exact solver (HiGHS): a model as arrays in, an answer with its proven gap out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MilpAnswer:
    """``values`` float64 [n] of the best answer (empty when there is none) · ``objective`` of it · ``bound`` that no
    answer can beat · ``status`` "optimal", "feasible" (time ran out), "infeasible" or "none" (stopped empty-handed).
    """

    values: Doubles
    objective: float
    bound: float
    status: str


def solve_milp(
    cost: Doubles,
    matrix: csr_matrix,
    row_lower: Doubles,
    row_upper: Doubles,
    lower: Doubles,
    upper: Doubles,
    integer: npt.NDArray[np.bool_],
    *,
    maximise: bool = False,
    gap: float = 1e-6,
    seconds: float = 120.0,
    nodes: int | None = None,
) -> MilpAnswer:
    """Minimise (or maximise) ``cost @ x`` with ``row_lower <= matrix @ x <= row_upper`` and ``lower <= x <= upper``.

    ``matrix`` [m, n] sparse by rows, all other arrays float64 [n] or [m], ``integer`` bool [n]. ``gap`` is relative,
    ``seconds`` the most it may take, ``nodes`` the most branches it may look into (None = all). The same model gives
    the same answer, unless time runs out.
    """
    sign = -1.0 if maximise else 1.0
    outcome = milp(
        sign * np.asarray(cost, dtype=np.float64),
        integrality=integer.astype(np.uint8),
        bounds=Bounds(lower, upper),
        constraints=LinearConstraint(matrix, row_lower, row_upper),
        options={"mip_rel_gap": gap, "time_limit": seconds} | ({} if nodes is None else {"node_limit": nodes}),
    )
    if outcome.x is None:
        return MilpAnswer(np.empty(0), float("nan"), float("nan"), "infeasible" if outcome.status == 2 else "none")
    objective = sign * float(outcome.fun)
    bound = sign * float(outcome.mip_dual_bound) if integer.any() and outcome.mip_dual_bound is not None else objective
    return MilpAnswer(outcome.x, objective, bound, "optimal" if outcome.status == 0 else "feasible")
