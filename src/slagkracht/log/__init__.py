"""The facts, and the situation that they add up to: appended, chained per region and never edited."""

from __future__ import annotations

from slagkracht.log.chain import (
    GENESIS,
    ChainFinding,
    Checkpoint,
    append_event,
    compute_checkpoint,
    format_event,
    parse_event,
    verify_chain,
    verify_checkpoint,
)
from slagkracht.log.events import (
    COMMITMENT_STATES,
    COMMITMENT_STEPS,
    KINDS,
    MOVE_UP_STEPS,
    NATIONAL_CHAIN,
    UNIT_STATUSES,
    UNMET_REASONS,
    Event,
    Kind,
)
from slagkracht.log.situation import (
    Command,
    Commitment,
    Conflict,
    Incident,
    Line,
    Offer,
    Request,
    Situation,
    UnitState,
    advance,
    replay,
)
from slagkracht.log.standing import StandingAt, compute_standing_at

__all__ = [
    "COMMITMENT_STATES",
    "COMMITMENT_STEPS",
    "GENESIS",
    "KINDS",
    "MOVE_UP_STEPS",
    "NATIONAL_CHAIN",
    "UNIT_STATUSES",
    "UNMET_REASONS",
    "ChainFinding",
    "Checkpoint",
    "Command",
    "Commitment",
    "Conflict",
    "Event",
    "Incident",
    "Kind",
    "Line",
    "Offer",
    "Request",
    "Situation",
    "StandingAt",
    "UnitState",
    "advance",
    "append_event",
    "compute_checkpoint",
    "compute_standing_at",
    "format_event",
    "parse_event",
    "replay",
    "verify_chain",
    "verify_checkpoint",
]
