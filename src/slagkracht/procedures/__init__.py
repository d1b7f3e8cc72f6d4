"""Who may take the next step, and by when: procedures are data, one case going through them is a dossier."""

from __future__ import annotations

from slagkracht.procedures.diagram import draw_procedure
from slagkracht.procedures.dossier import (
    Deadline,
    Dossier,
    StepRefusedError,
    Taken,
    Who,
    available_steps,
    compute_deadlines,
    pass_terms,
    start,
    take_step,
)
from slagkracht.procedures.procedure import (
    Needs,
    Procedure,
    Role,
    Span,
    State,
    Step,
    Term,
    find_faults,
)
from slagkracht.procedures.working_days import compute_end, compute_holidays, is_working_day

__all__ = [
    "Deadline",
    "Dossier",
    "Needs",
    "Procedure",
    "Role",
    "Span",
    "State",
    "Step",
    "StepRefusedError",
    "Taken",
    "Term",
    "Who",
    "available_steps",
    "compute_deadlines",
    "compute_end",
    "compute_holidays",
    "draw_procedure",
    "find_faults",
    "is_working_day",
    "pass_terms",
    "start",
    "take_step",
]
