"""The ledger: regions ask, offer and commit units to each other, and nobody can overdraw it."""

from slagkracht.server.ledger.commitments import OWNER_STEPS, accept_offer, move_commitment
from slagkracht.server.ledger.ground import (
    NOUNS,
    AlreadyCommittedError,
    ChangedMeanwhileError,
    LedgerError,
    NotAllowedError,
    NotFoundError,
    read_stated,
)
from slagkracht.server.ledger.incidents import close_incident, escalate_incident, open_incident
from slagkracht.server.ledger.offers import offer_units, refuse_line, withdraw_offer
from slagkracht.server.ledger.requests import (
    BY_MINISTER,
    BY_NEIGHBOUR,
    Wanted,
    ask_regions,
    close_request,
    make_request,
)
from slagkracht.server.ledger.sharing import classify, share, stop_sharing
from slagkracht.server.ledger.units import report_unit

__all__ = [
    "BY_MINISTER",
    "BY_NEIGHBOUR",
    "NOUNS",
    "OWNER_STEPS",
    "AlreadyCommittedError",
    "ChangedMeanwhileError",
    "LedgerError",
    "NotAllowedError",
    "NotFoundError",
    "Wanted",
    "accept_offer",
    "ask_regions",
    "classify",
    "close_incident",
    "close_request",
    "escalate_incident",
    "make_request",
    "move_commitment",
    "offer_units",
    "open_incident",
    "read_stated",
    "refuse_line",
    "report_unit",
    "share",
    "stop_sharing",
    "withdraw_offer",
]
