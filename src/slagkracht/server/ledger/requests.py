"""Requests: what a region asks for an incident, line by line, of whom, and what stayed unmet."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass
from typing import Any

from slagkracht.log import NATIONAL_CHAIN
from slagkracht.server.database import Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger.ground import (
    NOUNS,
    LedgerError,
    NotAllowedError,
    NotFoundError,
    find,
    find_own,
    new_id,
    read_stated,
)
from slagkracht.server.ledger.incidents import let_see_incident, show_incident_of

BY_MINISTER, BY_NEIGHBOUR = "wvr51_minister", "wvr51_5_buurregio"


@dataclass(frozen=True)
class Wanted:
    """One line of a request: ``count`` of ``formation``, by units that have ``capability``, at a place (RD New).

    ``wave`` 0 = the first; a later one relieves the lines that ``relieves`` names.
    """

    formation: str
    capability: str
    count: int
    x_m: float
    y_m: float
    needed_by: datetime.datetime
    hours: float
    wave: int = 0
    relieves: tuple[str, ...] = ()


def make_request(
    scope: Scope,
    incident: str,
    ground: str,
    mandate: str,
    signed_by: str,
    lines: list[Wanted],
    neighbour: str = "",
    text: str = "",
    happened_at: datetime.datetime | None = None,
) -> str:
    """A request of the acting region for an incident of its own, made at ``happened_at`` (None = now); returns its id.

    With BY_MINISTER the national centre leads it and asks the regions; with BY_NEIGHBOUR it goes straight to
    ``neighbour`` and the centre sees it only when the requester shows it. Raises LedgerError when a line is missing.
    """
    begun = find_own(scope, "incident", incident)
    happened_at = read_stated(scope, happened_at, begun["opened_at"], NOUNS["begin"])
    if begun["closed_at"] is not None and begun["closed_at"] <= (happened_at or scope.at):
        raise LedgerError("incident {incident} is gesloten: er is niets meer voor te vragen", incident=incident)
    if not lines:
        raise LedgerError("een aanvraag heeft ten minste een regel: welke formatie, hoeveel, waar, wanneer")
    if (ground == BY_NEIGHBOUR) != bool(neighbour) or neighbour == scope.region:
        raise LedgerError("een rechtstreekse aanvraag (art. 51 lid 5) noemt een buurregio; een andere doet dat niet")
    if neighbour:
        known = scope.row("select region from slagkracht.region where region = %s", neighbour)
        if known is None or neighbour == NATIONAL_CHAIN:
            raise NotFoundError("{regions}: geen veiligheidsregio", regions=neighbour)
    if not mandate or not signed_by:
        raise LedgerError("een aanvraag noemt wie tekent en onder welk mandaat")
    request, audience = new_id("A", scope), [neighbour or NATIONAL_CHAIN]
    scope.insert(
        "request",
        request_id=request,
        region=scope.region,
        audience=audience,
        incident_id=incident,
        ground=ground,
        mandate=mandate,
        signed_by=signed_by,
        text=text,
        made_at=happened_at or scope.at,
    )
    let_see_incident(scope, incident, audience)
    for n, wanted in enumerate(lines, start=1):
        scope.insert(
            "request_line",
            line_id=f"{request}-{n}",
            region=scope.region,
            audience=audience,
            request_id=request,
            formation=wanted.formation,
            capability=wanted.capability,
            count=wanted.count,
            x_m=wanted.x_m,
            y_m=wanted.y_m,
            needed_by=wanted.needed_by,
            hours=wanted.hours,
            wave=wanted.wave,
            relieves=list(wanted.relieves),
        )
    told: dict[str, Any] = {"request": request, "region": scope.region, "incident": incident, "ground": ground}
    told |= {"mandate": mandate, "signed_by": signed_by, "text": text, "asked_of": audience}
    record(scope, "request_made", told, audience, happened_at)
    for n, wanted in enumerate(lines, start=1):
        line = {"request": request, "line": f"{request}-{n}", "formation": wanted.formation, "count": wanted.count}
        relief = {"wave": wanted.wave, "relieves": list(wanted.relieves)} if wanted.wave else {}
        line |= {"capability": wanted.capability, "hours": wanted.hours, **relief}
        line |= {"x_m": wanted.x_m, "y_m": wanted.y_m, "needed_by": wanted.needed_by.isoformat()}
        record(scope, "line_asked", line, audience, happened_at)
    return request


def ask_regions(
    scope: Scope, request: str, regions: list[str], happened_at: datetime.datetime | None = None
) -> list[str]:
    """Shows a request to ``regions`` so that they can offer; by the requester or the centre that leads it."""
    row = find(scope, "request", request)
    happened_at = read_stated(scope, happened_at, row["made_at"], NOUNS["made"])
    if scope.region not in (row["region"], NATIONAL_CHAIN):
        raise NotAllowedError(
            "aanvraag {request} uitzetten is aan {region} of het actiecentrum", request=request, region=row["region"]
        )
    refuse_closed(scope, request)
    known = {each["region"] for each in scope.rows("select region from slagkracht.region")}
    if unknown := sorted(set(regions) - known):
        raise NotFoundError("{regions}: geen veiligheidsregio", regions=", ".join(unknown))
    audience = sorted({*row["audience"], *regions} - {row["region"]})
    change = "set audience = %s, version = version + 1 where request_id = %s"
    scope.run(f"update slagkracht.request {change}", audience, request)
    scope.run(f"update slagkracht.request_line {change}", audience, request)
    show_asked(scope, request)
    text = f"aanvraag {request} uitgezet bij {', '.join(sorted(regions))}"
    told = {"text": text, "request": request, "asked_of": sorted(regions)}
    record(scope, "note", told, [row["region"], *audience], happened_at)
    return audience


def show_asked(scope: Scope, request: str) -> None:
    """Lets whoever sees a request read what was asked and what for; by its region or the centre that leads it."""
    scope.run("select slagkracht.show_request(%s)", request)
    show_incident_of(scope, request)


def close_request(
    scope: Scope, request: str, happened_at: datetime.datetime | None = None, reason: str = ""
) -> list[tuple[str, int, str]]:
    """Closes a request. What stayed unmet keeps its reason: returns (line, how many, reason) for each such line.

    Where no ``reason`` is given it is the one that was given most for that line: by regions that refused it or called
    back who had not arrived, with 'ingetrokken' for what the requester released before that. Else it is 'ingetrokken'
    where an offer was left, and 'geen_aanbod' where there was none.
    """
    row = find(scope, "request", request)
    if scope.region not in (row["region"], NATIONAL_CHAIN):
        raise NotAllowedError("aanvraag {request} sluiten is aan {region}", request=request, region=row["region"])
    happened_at = read_stated(scope, happened_at, row["made_at"], NOUNS["made"])
    unmet = []
    scope.rows("select 1 from slagkracht.request where request_id = %s for update", request)
    refuse_closed(scope, request)
    lines = scope.rows(
        "select * from slagkracht.request_line where request_id = %s order by line_id for update", request
    )
    for line in lines:
        if line["met"] == line["count"]:
            continue
        answers = scope.rows(
            "select state, reason from slagkracht.offer where line_id = %s order by reason", line["line_id"]
        )
        dropped = scope.rows(
            "select distinct offer_id, coalesce(recalled, 'ingetrokken') as reason from slagkracht.commitment "
            "where line_id = %s and dropped order by offer_id, reason",
            line["line_id"],
        )
        refusals = Counter(
            answer["reason"] for answer in [*dropped, *(each for each in answers if each["state"] == "geweigerd")]
        )
        left = "ingetrokken" if any(answer["state"] == "staat" for answer in answers) else "geen_aanbod"
        why = reason or (refusals.most_common(1)[0][0] if refusals else left)
        unmet.append((line["line_id"], line["count"] - line["met"], why))
    for line_id, count, why in unmet:
        scope.run(
            "update slagkracht.request_line set unmet = %s, unmet_reason = %s, version = version + 1 "
            "where line_id = %s",
            count,
            why,
            line_id,
        )
    scope.run(
        "update slagkracht.request set closed_at = %s, version = version + 1 where request_id = %s",
        happened_at or scope.at,
        request,
    )
    audience = [row["region"], *row["audience"]]
    for line_id, count, why in unmet:
        record(scope, "line_unmet", {"line": line_id, "count": count, "reason": why}, audience, happened_at)
    record(scope, "request_closed", {"request": request}, audience, happened_at)
    return unmet


def refuse_closed(scope: Scope, request: str) -> None:
    """Raises LedgerError where a request was closed."""
    row = find(scope, "request", request)
    if row["closed_at"] is not None:
        raise LedgerError("aanvraag {request} is gesloten", request=request)
