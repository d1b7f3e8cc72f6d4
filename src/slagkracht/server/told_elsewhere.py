"""What a log that was kept elsewhere says as a whole, and what each of its facts came to here."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from slagkracht.log import Event
from slagkracht.server.database import Scope


class KeptError(Exception):
    """Why a fact stands here as a fact alone: a Dutch sentence."""


@dataclass(frozen=True)
class Became:
    """What a fact became: ``audience`` who else reads it, ``kept`` why it is a fact alone ("" = it is what it says)."""

    audience: tuple[str, ...]
    kept: str = ""


@dataclass(frozen=True)
class Told:
    """What the facts of the log and those that stand here say together, where one fact does not say it by itself.

    ``knowingly`` offer → why it was made below the floor · ``accepted`` offer → {unit: commitment} · ``level_at``
    incident → since when its level is as it is told last · ``units`` those that the acting region has here ·
    ``parties`` unit → who hears where it is.
    """

    units: frozenset[str]
    parties: dict[str, list[str]]
    knowingly: dict[str, str] = field(default_factory=dict)
    accepted: dict[str, dict[str, str]] = field(default_factory=dict)
    level_at: dict[str, datetime.datetime] = field(default_factory=dict)


def gather(own: Scope, facts: Iterable[Event], here: Iterable[Event]) -> Told:
    """Reads what the facts of a log, next to those that stand here, say together."""
    units = own.rows("select unit_id from slagkracht.unit where world = %s and region = %s", own.world, own.region)
    held = own.rows("select unit_id, parties from slagkracht.held_units()")
    told = Told(frozenset(row["unit_id"] for row in units), {row["unit_id"]: row["parties"] for row in held})
    for fact in facts:
        body = fact.body
        if fact.kind == "floor_passed" and "offer" in body:
            told.knowingly[body["offer"]] = body["reason"]
        elif fact.kind == "unit_committed" and "offer" in body:
            told.accepted.setdefault(body["offer"], {})[body["unit"]] = body["commitment"]
    for fact in here:
        if fact.kind == "incident_escalated":
            incident = fact.body["incident"]
            told.level_at[incident] = max(fact.happened_at, told.level_at.get(incident, fact.happened_at))
    return told
