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
    last_answer,
    pass_terms,
    start,
    take_step,
)
from slagkracht.procedures.faults import find_faults
from slagkracht.procedures.procedure import (
    KINDS,
    Field,
    Needs,
    Procedure,
    Role,
    Span,
    State,
    Step,
    Term,
    find_field,
)
from slagkracht.procedures.versions import Version, compare_texts, compute_versions, publish
from slagkracht.procedures.working_days import compute_end, compute_holidays, is_working_day

__all__ = [
    "KINDS",
    "Deadline",
    "Dossier",
    "Field",
    "Needs",
    "Procedure",
    "Role",
    "Span",
    "State",
    "Step",
    "StepRefusedError",
    "Taken",
    "Term",
    "Version",
    "Who",
    "available_steps",
    "compare_texts",
    "compute_deadlines",
    "compute_end",
    "compute_holidays",
    "compute_versions",
    "draw_procedure",
    "find_faults",
    "find_field",
    "is_working_day",
    "last_answer",
    "pass_terms",
    "publish",
    "start",
    "take_step",
]
