"""The words in which facts are told: one vocabulary for a live deployment, an exercise and a simulation."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

NATIONAL_CHAIN = "LAC"
"""The chain of the national action centre; every other chain is named after its region (VR01–VR25)."""


@dataclass(frozen=True)
class Kind:
    """A kind of fact: its Dutch name and the body fields that it cannot do without."""

    dutch: str
    required: tuple[str, ...]


KINDS: dict[str, Kind] = {
    # units
    "unit_status": Kind("status van een eenheid", ("unit", "status")),
    "unit_position": Kind("positie van een eenheid", ("unit", "x_m", "y_m")),
    # incidents
    "incident_opened": Kind("incident geopend", ("incident", "what", "x_m", "y_m")),
    "incident_escalated": Kind("incident opgeschaald", ("incident", "level")),
    "incident_closed": Kind("incident gesloten", ("incident",)),
    # request → offer → commitment
    "request_made": Kind("bijstand gevraagd", ("request", "region", "incident", "ground")),
    "request_closed": Kind("aanvraag gesloten", ("request",)),
    "line_asked": Kind("regel gevraagd", ("request", "line", "formation", "count")),
    "line_unmet": Kind("regel niet vervuld", ("line", "count", "reason")),
    "offer_made": Kind("aanbod gedaan", ("offer", "line", "region", "units")),
    "offer_refused": Kind("aanbod geweigerd", ("line", "region", "reason")),
    "offer_withdrawn": Kind("aanbod ingetrokken", ("offer", "reason")),
    "floor_passed": Kind("bewust onder de eigen bodem", ("region", "until", "reason")),
    "unit_committed": Kind("eenheid toegezegd", ("commitment", "line", "unit", "region")),
    "unit_en_route": Kind("eenheid onderweg", ("commitment",)),
    "unit_arrived": Kind("eenheid ter plaatse", ("commitment",)),
    "unit_deployed": Kind("eenheid ingezet", ("commitment",)),
    "unit_relieved": Kind("eenheid afgelost", ("commitment",)),
    "unit_released": Kind("eenheid vrijgegeven", ("commitment",)),
    "unit_home": Kind("eenheid thuis", ("commitment",)),
    "relief_planned": Kind("aflossing gepland", ("incident", "rotation", "waves")),
    "cost_entered": Kind("kosten opgevoerd", ("entry", "request", "kind", "cents")),
    "cost_withdrawn": Kind("kosten teruggenomen", ("entry", "reason")),
    "claim_filed": Kind("rijksbijdrage gevraagd", ("claim", "request", "cents", "document")),
    "claim_decided": Kind("over rijksbijdrage beslist", ("claim", "cents", "reason")),
    "document_made": Kind("stuk gemaakt", ("document", "name", "sha256")),
    # command and the record
    "command_handed_over": Kind("leiding overgedragen", ("incident", "function", "from", "to")),
    "function_handed_over": Kind("functie overgedragen", ("function", "from", "to")),
    "decision_recorded": Kind("besluit vastgelegd", ("decision", "text")),
    "step_taken": Kind("stap gezet in een procedure", ("dossier", "procedure", "step", "state")),
    "sharing_granted": Kind("delen toegestaan", ("consent", "receiver", "tier", "until")),
    "sharing_ended": Kind("delen beëindigd", ("consent",)),
    "classified": Kind("informatieklasse gewijzigd", ("information_class",)),
    "note": Kind("aantekening", ("text",)),
    "correction": Kind("correctie", ("corrects", "reason")),
}
"""Every kind of fact. A body may carry more fields than the required ones; it may not carry fewer."""

MOVE_UP_STEPS = ("ordered", "arrived", "returning", "ended")
"""What a ``unit_position`` says of a move-up (``move_up_step``): told to go, standing there, told to go
home, home again.

``move_up`` names the station from order to end. A fact without a step tells one that stands, or with "" its end.
"""

UNIT_STATUSES: dict[str, str] = {
    "available": "beschikbaar",
    "alerted": "gealarmeerd",
    "en_route": "uitgerukt",
    "on_scene": "ter plaatse",
    "returning": "retour",
    "unavailable": "niet beschikbaar",
}
"""What a unit can be, with the word that screens show."""

COMMITMENT_STEPS: dict[str, tuple[str, ...]] = {
    "unit_committed": (),
    "unit_en_route": ("unit_committed",),
    "unit_arrived": ("unit_en_route",),
    "unit_deployed": ("unit_arrived", "unit_relieved"),
    "unit_relieved": ("unit_deployed",),
    "unit_released": ("unit_committed", "unit_en_route", "unit_arrived", "unit_deployed", "unit_relieved"),
    "unit_home": ("unit_released",),
}
"""After which steps a step may follow. The ledger enforces it; a replayed log shows where facts say otherwise.

A ``unit_released`` with a ``reason`` (of REFUSAL_REASONS) is told by who lent: a recall.
"""

COMMITMENT_STATES: dict[str, str] = {
    "unit_committed": "toegezegd",
    "unit_en_route": "onderweg",
    "unit_arrived": "ter plaatse",
    "unit_deployed": "ingezet",
    "unit_relieved": "afgelost",
    "unit_released": "vrijgegeven",
    "unit_home": "thuis",
}
"""The state that each step leads to, in the word that screens show."""

UNMET_REASONS: dict[str, str] = {
    "geen_eenheid": "geen eenheid van deze soort",
    "eigen_inzet": "eenheden zijn in eigen regio ingezet",
    "restdekking": "eigen restdekking komt onder de bodem",
    "bezetting": "geen volledige bezetting",
    "specialisme": "specialisten niet beschikbaar",
    "te_ver": "te ver om op tijd te zijn",
    "materieel": "materieel niet inzetbaar",
    "bestuurlijk": "bestuurlijk besluit van de eigenaar",
    "geen_aanbod": "geen regio heeft aangeboden",
    "ingetrokken": "de aanvrager trok in",
    "afgewezen_door_minister": "de minister wees de aanvraag af",
}
"""Why a line, or part of it, stays unmet. Kept with every unmet line: refusals are data for the next plan."""

REFUSAL_REASONS = {code: UNMET_REASONS[code] for code in list(UNMET_REASONS)[:8]}
"""Those of UNMET_REASONS that a region has for offering nothing or a recall; the others say how a request ended."""


@dataclass(frozen=True)
class Event:
    """A fact, appended once and never edited.

    ``chain`` the region (or LAC) whose log it stands in · ``number`` its place there, from 1 · ``event_id`` chain and
    number together · ``kind`` a key of KINDS · ``happened_at`` when it was so, ``recorded_at`` when it was written
    down (both aware) · ``actor`` the function that says so · ``body`` JSON values only · ``previous_hash`` and
    ``hash`` hex SHA-256, linking it to the entry before it.
    """

    event_id: str
    chain: str
    number: int
    kind: str
    happened_at: datetime.datetime
    recorded_at: datetime.datetime
    actor: str
    body: dict[str, Any]
    previous_hash: str
    hash: str
