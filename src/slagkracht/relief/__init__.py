"""How long it can be kept up: shifts, rest and rotation over days."""

from slagkracht.relief.endurance import (
    DAYS,
    Endurance,
    compute_endurance,
    compute_home_drive_s,
    compute_travel_min,
    within_reach,
)
from slagkracht.relief.people import (
    FUNCTIONS,
    Crews,
    People,
    ReliefError,
    Shifts,
    compute_crews,
    compute_people,
    compute_shifts,
    shifts_from_rule,
    week_from_windows,
)
from slagkracht.relief.replan import Change, DropOut, Extend, Late, replan_rotation
from slagkracht.relief.rotation import REASONS, Deployment, Rotation, compute_rotation

__all__ = [
    "DAYS",
    "FUNCTIONS",
    "REASONS",
    "Change",
    "Crews",
    "Deployment",
    "DropOut",
    "Endurance",
    "Extend",
    "Late",
    "People",
    "ReliefError",
    "Rotation",
    "Shifts",
    "compute_crews",
    "compute_endurance",
    "compute_home_drive_s",
    "compute_people",
    "compute_rotation",
    "compute_shifts",
    "compute_travel_min",
    "replan_rotation",
    "shifts_from_rule",
    "week_from_windows",
    "within_reach",
]
