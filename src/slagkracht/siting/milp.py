"""One door to the exact solver (HiGHS): a model as arrays in, an answer with its proven gap out."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MilpAnswer:
    """``values`` float64 [n] of the best answer (empty when there is none) · ``objective`` of it · ``bound`` that no
    answer can beat · ``status`` "optimal", "feasible", "infeasible", "unbounded" or "none" (stopped empty-handed).
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
    start: Doubles | None = None,
) -> MilpAnswer:
    """Minimise (or maximise) ``cost @ x`` with ``row_lower <= matrix @ x <= row_upper`` and ``lower <= x <= upper``.

    ``matrix`` [m, n] sparse by rows, all other arrays float64 [n] or [m], ``integer`` bool [n]. ``gap`` is relative,
    ``seconds`` the most it may take; ``start`` [n] a known answer to begin from. One thread and a fixed seed, so that
    the same model gives the same answer.
    """
    rows, columns = matrix.shape
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows
    model.sense_ = highspy.ObjSense.kMaximize if maximise else highspy.ObjSense.kMinimize
    model.col_cost_ = np.ascontiguousarray(cost, dtype=np.float64)
    model.col_lower_, model.col_upper_ = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    model.row_lower_, model.row_upper_ = np.asarray(row_lower, dtype=np.float64), np.asarray(row_upper, np.float64)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.num_col_, model.a_matrix_.num_row_ = columns, rows
    model.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    model.a_matrix_.index_ = matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data.astype(np.float64)
    if integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[flag] for flag in integer.astype(int).tolist()]

    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    for option, value in {
        "output_flag": False, "threads": 1, "random_seed": 1, "time_limit": float(seconds), "mip_rel_gap": float(gap),
    }.items():  # fmt: skip
        solver.setOptionValue(option, value)
    solver.passModel(model)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = np.asarray(start, dtype=np.float64).tolist()
        solver.setSolution(solution)
    solver.run()

    outcome = solver.getModelStatus()
    info = solver.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = np.asarray(solver.getSolution().col_value, dtype=np.float64) if found else np.empty(0)
    bound = info.mip_dual_bound if integer.any() else info.objective_function_value
    if outcome == highspy.HighsModelStatus.kOptimal:
        status = "optimal"
    elif outcome in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        status = "infeasible"
    elif outcome == highspy.HighsModelStatus.kUnbounded:
        status = "unbounded"
    else:
        status = "feasible" if found else "none"
    return MilpAnswer(values, float(info.objective_function_value) if found else float("nan"), float(bound), status)
