"""The log of days that have not happened yet: what a plan and its policies make of the incidents of many years."""

from slagkracht.simulation.chance import seed_key
from slagkracht.simulation.crises import Deployments, ReliefRule, compute_absences, compute_deployments
from slagkracht.simulation.ensemble import (
    BIN_S,
    Ensemble,
    Setup,
    compute_response_percentile,
    compute_setup,
    merge,
    simulate_year,
    simulate_years,
)
from slagkracht.simulation.history import NO_ABSENCES, REASONS, Absences, History, simulate
from slagkracht.simulation.incidents import (
    Calendar,
    Incidents,
    Streams,
    compute_calendar,
    compute_streams,
    draw_incidents,
)
from slagkracht.simulation.record import record
from slagkracht.simulation.world import (
    DISPATCH,
    LEVELS,
    MOVE_UPS,
    IncidentKind,
    Scenario,
    World,
    asked_capabilities,
    compute_world,
)

__all__ = [
    "BIN_S",
    "DISPATCH",
    "LEVELS",
    "MOVE_UPS",
    "NO_ABSENCES",
    "REASONS",
    "Absences",
    "Calendar",
    "Deployments",
    "Ensemble",
    "History",
    "IncidentKind",
    "Incidents",
    "ReliefRule",
    "Scenario",
    "Setup",
    "Streams",
    "World",
    "asked_capabilities",
    "compute_absences",
    "compute_calendar",
    "compute_deployments",
    "compute_response_percentile",
    "compute_setup",
    "compute_streams",
    "compute_world",
    "draw_incidents",
    "merge",
    "record",
    "seed_key",
    "simulate",
    "simulate_year",
    "simulate_years",
]
