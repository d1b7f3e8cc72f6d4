"""Incidents: opened, escalated and closed by the region in which they are."""

from __future__ import annotations

import datetime

from slagkracht.server.database import Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger.ground import NOUNS, LedgerError, find_own, new_id, read_stated


def open_incident(
    scope: Scope,
    what: str,
    x_m: float,
    y_m: float,
    level: str = "",
    information_class: str = "Intern",
    happened_at: datetime.datetime | None = None,
) -> str:
    """Opens an incident of the acting region, that began at ``happened_at`` (None = now), and returns its id."""
    incident, happened_at = new_id("I", scope), read_stated(scope, happened_at)
    scope.insert(
        "incident",
        incident_id=incident,
        region=scope.region,
        information_class=information_class,
        what=what,
        x_m=x_m,
        y_m=y_m,
        level=level,
        opened_at=happened_at or scope.at,
    )
    told = {"incident": incident, "what": what, "x_m": x_m, "y_m": y_m, "level": level}
    told |= {"information_class": information_class}
    record(scope, "incident_opened", told, happened_at=happened_at)
    return incident


def escalate_incident(scope: Scope, incident: str, level: str, happened_at: datetime.datetime | None = None) -> None:
    """Sets how far an incident of the acting region is escalated, since ``happened_at`` (None = now)."""
    row = find_own(scope, "incident", incident)
    happened_at = read_stated(scope, happened_at, row["opened_at"], NOUNS["begin"])
    scope.run(
        "update slagkracht.incident set level = %s, version = version + 1 where incident_id = %s", level, incident
    )
    record(scope, "incident_escalated", {"incident": incident, "level": level}, row["audience"], happened_at)


def close_incident(scope: Scope, incident: str, happened_at: datetime.datetime | None = None) -> None:
    """Closes an incident of the acting region, as it ended at ``happened_at`` (None = now)."""
    row = find_own(scope, "incident", incident)
    if row["closed_at"] is not None:
        raise LedgerError("incident {incident} is al gesloten", incident=incident)
    happened_at = read_stated(scope, happened_at, row["opened_at"], NOUNS["begin"])
    scope.run(
        "update slagkracht.incident set closed_at = %s, version = version + 1 where incident_id = %s",
        happened_at or scope.at,
        incident,
    )
    record(scope, "incident_closed", {"incident": incident}, row["audience"], happened_at)


SHARED = ("incident_opened", "incident_escalated", "command_handed_over")
"""What is read along of an incident by who may see it, also when it was told before: what it is and who leads."""


def let_see_incident(scope: Scope, incident: str, audience: list[str]) -> None:
    """Lets ``audience`` see an incident, next to who sees it already, and what its own region told of SHARED."""
    scope.run(
        "update slagkracht.incident set audience = array(select distinct unnest(audience || %s::text[]) order by 1), "
        "version = version + 1 where incident_id = %s",
        audience,
        incident,
    )
    show_shared(scope, [incident])


def show_incident_of(scope: Scope, request: str) -> None:
    """Lets whoever sees a request see what it is for, as ``let_see_incident`` does; by its region or the centre."""
    scope.run("select slagkracht.show_incident_of(%s, %s)", request, list(SHARED))


def show_shared(scope: Scope, incidents: list[str]) -> None:
    """Lets whoever sees an incident of the acting region read what its log tells of SHARED."""
    scope.run(
        "select slagkracht.show_fact(e.number, i.audience) from slagkracht.event e join slagkracht.incident i "
        "on i.incident_id = e.body->>'incident' and i.world = e.world and i.region = e.chain "
        "where e.world = slagkracht.world() and e.chain = slagkracht.own() and e.kind = any(%s) "
        "and e.body->>'incident' = any(%s)",
        list(SHARED),
        incidents,
    )
