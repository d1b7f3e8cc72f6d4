"""What a fact that was told elsewhere becomes here: the same row that its own platform made of it, or a fact alone.

The tables stay the judge: each step is taken as its region would have taken it, at its own moment, and where the
database refuses it the fact stands alone, with the reason. What a fact does not hold (a document, a rotation, the
answers in a dossier) is not made up.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import psycopg

from slagkracht.log import COMMITMENT_STATES, COMMITMENT_STEPS, NATIONAL_CHAIN, Event
from slagkracht.procedures import StepRefusedError
from slagkracht.server import dossiers
from slagkracht.server.database import Row, Scope
from slagkracht.server.ledger.incidents import let_see_incident
from slagkracht.server.told_elsewhere import Became, KeptError, Told


def take_over(own: Scope, fact: Event, told: Told) -> Became:
    """Makes of a fact what it says, in a step of its own: wholly, or not at all."""
    taker = _TAKERS.get(fact.kind)
    if taker is None:
        return Became((), ONLY_FACTS.get(fact.kind, ""))
    try:
        with own.connection.transaction():
            audience = taker(own, fact, told)
            if fact.kind not in ("unit_status", "unit_position"):
                own.run("set constraints all immediate")  # what is told at the end of a transaction, told here
                own.run("set constraints all deferred")
    except KeptError as error:
        return Became((), str(error))
    except psycopg.errors.UniqueViolation:
        return Became((), "staat hier al, of is hier inmiddels elders toegezegd")
    except psycopg.errors.RaiseException as error:
        return Became((), str(error.diag.message_primary))
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError, psycopg.errors.InsufficientPrivilege):
        return Became((), "de database neemt dit hier niet aan")
    except (KeyError, TypeError, ValueError):
        return Became((), "het feit zegt te weinig om hier meer te zijn dan een feit")
    return Became(tuple(sorted(set(audience) - {own.region})))


ONLY_FACTS = {
    "relief_planned": "het rooster zelf staat niet in het logboek: maak het hier opnieuw",
    "claim_filed": "het stuk bij de rijksbijdrage staat niet in het logboek: vraag haar hier opnieuw",
    "document_made": "het stuk zelf staat niet in het logboek; zijn vingerafdruk wel",
    "step_taken": "de antwoorden in een dossier staan niet in het logboek: zet de stap hier opnieuw",
    "function_handed_over": "een mandaat wordt gegeven waar het geldt: draag de functie hier opnieuw over",
}
"""Kinds of which no row can honestly be made, with why. A kind that is neither here nor taken is whole as a fact."""


# ── incidents and units ───────────────────────────────────────────────────────────────────────────────────────────────


def _incident(own: Scope, fact: Event) -> Row:
    row = own.row("select * from slagkracht.incident where incident_id = %s", fact.body["incident"])
    if row is None:
        raise KeptError("het incident is hier niet bekend")
    return row


def _own_incident(own: Scope, fact: Event) -> Row:
    row = _incident(own, fact)
    if row["region"] != own.region or row["world"] != own.world:
        raise KeptError("dit incident is hier van een ander")
    return row


def _incident_opened(own: Scope, fact: Event, _: Told) -> list[str]:
    row = _own_incident(own, fact)  # laid before any fact about it
    return list(row["audience"])


def _incident_escalated(own: Scope, fact: Event, told: Told) -> list[str]:
    row = _own_incident(own, fact)
    at = told.level_at.get(row["incident_id"])
    if row["closed_at"] is None and (at is None or at <= fact.happened_at):
        told.level_at[row["incident_id"]] = fact.happened_at
        _change(
            own,
            "update slagkracht.incident set level = %s, version = version + 1 where incident_id = %s",
            fact.body["level"],
            row["incident_id"],
        )
    return list(row["audience"])


def _incident_closed(own: Scope, fact: Event, _: Told) -> list[str]:
    row = _own_incident(own, fact)
    if row["closed_at"] is not None:
        raise KeptError("het incident was hier al gesloten")
    _change(
        own,
        "update slagkracht.incident set closed_at = %s, version = version + 1 where incident_id = %s",
        fact.happened_at,
        row["incident_id"],
    )
    return list(row["audience"])


def _unit_told(own: Scope, fact: Event, told: Told) -> list[str]:
    body, at = fact.body, fact.happened_at
    if body["unit"] not in told.units:
        raise KeptError("deze eenheid is hier niet bekend")
    whose = (own.world, body["unit"], own.region, at)
    of = "where world = %s and unit_id = %s and region = %s"
    if fact.kind == "unit_status":
        own.run(
            f"update slagkracht.unit set status = %s, status_at = %s {of} and (status_at is null or status_at < %s)",
            body["status"],
            at,
            *whose,
        )
    elif "move_up" in body:
        step = body.get("move_up_step")
        moving = step in ("ordered", "returning")
        own.run(
            "update slagkracht.unit_place set move_up = %s, move_up_at = %s, moving_up = %s, moving_back = %s, "
            "move_up_x_m = %s, move_up_y_m = %s, move_up_due = %s, "
            "move_up_line = case when %s then move_up_line else %s end, "
            "home_x_m = coalesce(%s, home_x_m, x_m), home_y_m = coalesce(%s, home_y_m, y_m) "
            f"{of} and coalesce(move_up_at, '-infinity') < %s",
            body["move_up"],
            at,
            moving,
            step == "returning",
            body["to_x_m"] if moving else None,
            body["to_y_m"] if moving else None,
            datetime.datetime.fromisoformat(body["due"]) if "due" in body else None,
            step in ("arrived", "returning"),
            body.get("line", ""),
            body.get("home_x_m"),
            body.get("home_y_m"),
            *whose,
        )
    if "x_m" in body:
        own.run(
            f"update slagkracht.unit_place set x_m = %s, y_m = %s, place_at = %s {of} and place_at < %s",
            body["x_m"],
            body["y_m"],
            at,
            *whose,
        )
    return [] if "move_up" in body else told.parties.get(body["unit"], [])


# ── request, offer, commitment ────────────────────────────────────────────────────────────────────────────────────────


def _request(own: Scope, request: str) -> Row:
    row = own.row("select * from slagkracht.request where request_id = %s", request)
    if row is None:
        raise KeptError("de aanvraag staat hier niet")
    return row


def _line(own: Scope, line: str) -> Row:
    row = own.row("select * from slagkracht.request_line where line_id = %s", line)
    if row is None:
        raise KeptError("de regel staat hier niet")
    return row


def _request_made(own: Scope, fact: Event, _: Told) -> list[str]:
    body, audience = fact.body, _names(fact.body["asked_of"])
    incident = _own_incident(own, fact)
    own.insert(
        "request",
        request_id=body["request"],
        region=own.region,
        audience=audience,
        incident_id=incident["incident_id"],
        ground=body["ground"],
        mandate=body["mandate"],
        signed_by=body["signed_by"],
        text=body["text"],
        made_at=fact.happened_at,
    )
    let_see_incident(own, incident["incident_id"], audience)
    return audience


def _line_asked(own: Scope, fact: Event, _: Told) -> list[str]:
    body, request = fact.body, _request(own, fact.body["request"])
    own.insert(
        "request_line",
        line_id=body["line"],
        region=own.region,
        audience=request["audience"],
        request_id=body["request"],
        formation=body["formation"],
        capability=body["capability"],
        count=body["count"],
        x_m=body["x_m"],
        y_m=body["y_m"],
        needed_by=datetime.datetime.fromisoformat(body["needed_by"]),
        hours=body["hours"],
        wave=body.get("wave", 0),
        relieves=_names(body.get("relieves", [])),
    )
    return list(request["audience"])


def _asked_of_more(own: Scope, request: Row, regions: list[str]) -> list[str]:
    audience = sorted({*request["audience"], *regions} - {request["region"]})
    for table in ("request", "request_line"):
        change = f"update slagkracht.{table} set audience = %s, version = version + 1 where request_id = %s"
        _change(own, change, audience, request["request_id"])
    if own.region == request["region"]:
        let_see_incident(own, request["incident_id"], audience)
    return [request["region"], *audience]


def _line_unmet(own: Scope, fact: Event, _: Told) -> list[str]:
    line = _line(own, fact.body["line"])
    if line["met"] + fact.body["count"] != line["count"]:
        raise KeptError("op deze regel is hier inmiddels iets anders aanvaard")
    _change(
        own,
        "update slagkracht.request_line set unmet = %s, unmet_reason = %s, version = version + 1 where line_id = %s",
        fact.body["count"],
        fact.body["reason"],
        line["line_id"],
    )
    return [line["region"], *line["audience"]]


def _request_closed(own: Scope, fact: Event, _: Told) -> list[str]:
    row = _request(own, fact.body["request"])
    if row["closed_at"] is not None:
        raise KeptError("de aanvraag was hier al gesloten")
    _change(
        own,
        "update slagkracht.request set closed_at = %s, version = version + 1 where request_id = %s",
        fact.happened_at,
        row["request_id"],
    )
    return [row["region"], *row["audience"]]


def _offered(own: Scope, fact: Event, told: Told) -> list[str]:
    body, line = fact.body, _line(own, fact.body["line"])
    audience = [NATIONAL_CHAIN] if NATIONAL_CHAIN in line["audience"] and own.region != NATIONAL_CHAIN else []
    refused = fact.kind == "offer_refused"
    own.insert(
        "offer",
        offer_id=body["offer"],
        region=own.region,
        receiver=line["region"],
        audience=audience,
        line_id=line["line_id"],
        units=[] if refused else _names(body["units"]),
        count=0 if refused else body["count"],
        conditions=body.get("text" if refused else "conditions", ""),
        knowingly=told.knowingly.get(body["offer"], ""),
        state="geweigerd" if refused else "staat",
        reason=body["reason"] if refused else None,
        made_at=fact.happened_at,
    )
    return [line["region"], *audience]


def _offer(own: Scope, offer: str) -> Row:
    row = own.row("select * from slagkracht.offer where offer_id = %s", offer)
    if row is None:
        raise KeptError("het aanbod staat hier niet")
    return row


def _offer_withdrawn(own: Scope, fact: Event, _: Told) -> list[str]:
    row = _offer(own, fact.body["offer"])
    if row["state"] != "staat":
        raise KeptError(f"het aanbod is hier inmiddels {row['state']}")
    _change(
        own,
        "update slagkracht.offer set state = 'ingetrokken', reason = %s where offer_id = %s",
        fact.body["reason"],
        row["offer_id"],
    )
    return [row["receiver"], *row["audience"]]


def _unit_committed(own: Scope, fact: Event, told: Told) -> list[str]:
    """An offer is accepted whole: with the first of its units, the others are committed too."""
    offer = _offer(own, fact.body["offer"])
    audience = [offer["region"], offer["receiver"], *offer["audience"]]
    commitments = told.accepted[offer["offer_id"]]
    there = own.row(
        "select 1 as one from slagkracht.commitment where commitment_id = %s and unit_id = %s",
        fact.body["commitment"],
        fact.body["unit"],
    )
    if there is not None:
        return audience
    if offer["state"] != "staat":
        raise KeptError(f"het aanbod is hier inmiddels {offer['state']}")
    if sorted(commitments) != sorted(offer["units"]):
        raise KeptError("nog niet elke eenheid van het aanbod staat als toegezegd in dit logboek")
    for unit, commitment in sorted(commitments.items()):
        try:
            with own.connection.transaction():
                own.insert(
                    "commitment",
                    commitment_id=commitment,
                    region=offer["region"],
                    receiver=offer["receiver"],
                    audience=offer["audience"],
                    offer_id=offer["offer_id"],
                    line_id=offer["line_id"],
                    unit_id=unit,
                    step="unit_committed",
                    step_at=fact.happened_at,
                )
        except psycopg.errors.UniqueViolation as error:
            raise KeptError(f"eenheid {unit} is hier inmiddels elders toegezegd") from error
    own.run("update slagkracht.offer set state = 'aanvaard' where offer_id = %s", offer["offer_id"])
    _change(
        own,
        "update slagkracht.request_line set met = met + %s, unmet = 0, unmet_reason = null, version = version + 1 "
        "where line_id = %s",
        offer["count"],
        offer["line_id"],
    )
    return audience


def _commitment_step(own: Scope, fact: Event, _: Told) -> list[str]:
    row = own.row("select * from slagkracht.commitment where commitment_id = %s", fact.body["commitment"])
    if row is None:
        raise KeptError("de toezegging staat hier niet")
    if row["step"] not in COMMITMENT_STEPS[fact.kind]:
        raise KeptError(f"{COMMITMENT_STATES[fact.kind]} volgt hier niet op {COMMITMENT_STATES[row['step']]}")
    recalls = fact.kind == "unit_released" and own.region == row["region"]
    _change(
        own,
        "update slagkracht.commitment set step = %s, step_at = %s, recalled = coalesce(%s, recalled), "
        "recalled_why = coalesce(%s, recalled_why) where commitment_id = %s",
        fact.kind,
        fact.happened_at,
        fact.body["reason"] if recalls else None,
        fact.body["text"] if recalls else None,
        row["commitment_id"],
    )
    return [row["region"], row["receiver"], *row["audience"]]


# ── costs, sharing and the record ─────────────────────────────────────────────────────────────────────────────────────


def _cost_entered(own: Scope, fact: Event, _: Told) -> list[str]:
    body, request = fact.body, _request(own, fact.body["request"])
    audience = [NATIONAL_CHAIN] if NATIONAL_CHAIN in request["audience"] else []
    own.insert(
        "cost_entry",
        entry_id=body["entry"],
        region=own.region,
        receiver=request["region"],
        audience=sorted(set(audience) - {own.region, request["region"]}),
        request_id=body["request"],
        kind=body["kind"],
        cents=body["cents"],
        spent_on=datetime.date.fromisoformat(body["spent_on"]),
        what=body["what"],
        evidence=body["evidence"],
        made_by=fact.actor,
        made_at=fact.happened_at,
    )
    return [request["region"], *audience]


def _cost_withdrawn(own: Scope, fact: Event, _: Told) -> list[str]:
    row = own.row("select * from slagkracht.cost_entry where entry_id = %s", fact.body["entry"])
    if row is None or row["region"] != own.region or row["withdrawn_at"] is not None:
        raise KeptError("de kostenpost staat hier niet (meer)")
    _change(
        own,
        "update slagkracht.cost_entry set withdrawn_at = %s, withdrawn_why = %s where entry_id = %s",
        fact.happened_at,
        fact.body["reason"],
        row["entry_id"],
    )
    return [row["receiver"], *row["audience"]]


def _claim_decided(own: Scope, fact: Event, _: Told) -> list[str]:
    row = own.row("select * from slagkracht.claim where claim_id = %s", fact.body["claim"])
    if row is None:
        raise KeptError("deze rijksbijdrage is hier niet gevraagd")
    _change(
        own,
        "update slagkracht.claim set granted = %s, decided_why = %s, decided_at = %s where claim_id = %s",
        fact.body["cents"],
        fact.body["reason"],
        fact.happened_at,
        row["claim_id"],
    )
    return [row["region"], row["receiver"]]


def _sharing_granted(own: Scope, fact: Event, _: Told) -> list[str]:
    body = fact.body
    own.insert(
        "consent",
        consent_id=body["consent"],
        region=own.region,
        receiver=body["receiver"],
        tier=body["tier"],
        redaction=_names(body.get("redaction", [])),
        starts_at=fact.happened_at,
        until=datetime.datetime.fromisoformat(body["until"]),
    )
    return [body["receiver"]]


def _sharing_ended(own: Scope, fact: Event, _: Told) -> list[str]:
    row = own.row("select * from slagkracht.consent where consent_id = %s", fact.body["consent"])
    if row is None or row["region"] != own.region or row["ended_at"] is not None:
        raise KeptError("deze toestemming staat hier niet (meer)")
    _change(
        own, "update slagkracht.consent set ended_at = %s where consent_id = %s", fact.happened_at, fact.body["consent"]
    )
    return [row["receiver"]]


def _noted(own: Scope, fact: Event, _: Told) -> list[str]:
    """What is whole as a fact: those who see its incident read it too. A note can say that more regions were asked."""
    body = fact.body
    if fact.kind == "decision_recorded" and "receipt" in body:
        return _board_decided(own, body)
    if "request" in body and "asked_of" in body:
        return _asked_of_more(own, _request(own, body["request"]), _names(body["asked_of"]))
    if "incident" not in body:
        return []
    row = own.row("select region, audience from slagkracht.incident where incident_id = %s", body["incident"])
    return [row["region"], *row["audience"]] if row else []


def _board_decided(own: Scope, body: dict[str, Any]) -> list[str]:
    if not {*dossiers.DAYS} <= set(body):
        raise KeptError("een besluit over een plan heeft data die niet in het logboek staan: neem het hier opnieuw op")
    days = {name: datetime.date.fromisoformat(body[name]) if body[name] else None for name in dossiers.DAYS}
    here = own.row(
        "select outcome from slagkracht.board_decision where region = %s and receipt = %s and decided_on = %s limit 1",
        own.region,
        body["verantwoording"],
        days["datum"],
    )
    if here is not None:
        raise KeptError(f"het bestuur besloot hier op die dag al over dit plan: {here['outcome']}")
    try:
        dossiers.lay_decision(own, {**body, **days})
    except StepRefusedError as error:
        raise KeptError(str(error)) from error
    return [NATIONAL_CHAIN]


def _change(own: Scope, sql: str, *values: object) -> None:
    if not own.run(sql, *values):
        raise KeptError(f"dit is hier niet aan {own.region}")


def _names(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise TypeError(given)
    return given


_TAKERS: dict[str, Callable[[Scope, Event, Told], list[str]]] = {
    "unit_status": _unit_told,
    "unit_position": _unit_told,
    "incident_opened": _incident_opened,
    "incident_escalated": _incident_escalated,
    "incident_closed": _incident_closed,
    "request_made": _request_made,
    "request_closed": _request_closed,
    "line_asked": _line_asked,
    "line_unmet": _line_unmet,
    "offer_made": _offered,
    "offer_refused": _offered,
    "offer_withdrawn": _offer_withdrawn,
    **dict.fromkeys(COMMITMENT_STEPS, _commitment_step),
    "unit_committed": _unit_committed,
    "cost_entered": _cost_entered,
    "cost_withdrawn": _cost_withdrawn,
    "claim_decided": _claim_decided,
    "command_handed_over": _noted,
    "decision_recorded": _noted,
    "note": _noted,
    "sharing_granted": _sharing_granted,
    "sharing_ended": _sharing_ended,
}
