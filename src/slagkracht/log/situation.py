"""The picture at a moment: what was so then, as far as was known, and which facts contradict each other."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from slagkracht.log.events import COMMITMENT_STATES, COMMITMENT_STEPS, KINDS, UNIT_STATUSES, Event

Instant = datetime.datetime


@dataclass(frozen=True)
class UnitState:
    """A unit: its last status and its last known place, each with the moment since when. None = never told.

    ``commitment`` is the one that holds it now ("" = it is its owner's own), ``move_up`` the station that it stands in
    for ("" = its own), ``moving_up`` whether it is on its way, there or home.
    """

    unit: str
    status: str = ""
    status_at: Instant | None = None
    incident: str = ""
    x_m: float | None = None
    y_m: float | None = None
    place_at: Instant | None = None
    commitment: str = ""
    move_up: str = ""
    moving_up: bool = False


@dataclass(frozen=True)
class Incident:
    """An incident: what, where, how far escalated; ``closed_at`` None while it lasts."""

    incident: str
    what: str
    x_m: float
    y_m: float
    opened_at: Instant
    level: str = ""
    closed_at: Instant | None = None


@dataclass(frozen=True)
class Request:
    """A request for assistance of ``region`` for ``incident`` on a legal ground; ``closed_at`` None while open."""

    request: str
    region: str
    incident: str
    ground: str
    made_at: Instant
    closed_at: Instant | None = None


@dataclass(frozen=True)
class Line:
    """One line of a request: so many of a formation. ``unmet`` (count, reason) as last told, ``refusals`` by region."""

    line: str
    request: str
    formation: str
    count: int
    asked_at: Instant
    unmet: tuple[int, str] | None = None
    refusals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Offer:
    """Units that a region offers for a line, as ``count`` formations; ``withdrawn_at`` None while it stands."""

    offer: str
    line: str
    region: str
    units: tuple[str, ...]
    made_at: Instant
    withdrawn_at: Instant | None = None
    count: int = 1


@dataclass(frozen=True)
class Commitment:
    """A unit that its owner gave to a line; ``step`` the last of COMMITMENT_STEPS, ``steps`` when each was taken.

    ``offer`` it was part of ("" = not told) · ``recalled`` why its owner called it back ("" = it did not).
    """

    commitment: str
    line: str
    unit: str
    region: str
    step: str
    steps: tuple[tuple[str, Instant], ...]
    offer: str = ""
    recalled: str = ""


@dataclass(frozen=True)
class Command:
    """Who leads an incident in a function, and since when."""

    incident: str
    function: str
    leads: str
    since: Instant


@dataclass(frozen=True)
class Conflict:
    """Facts that cannot both be so: ``events`` their ids, ``what`` in a sentence. The log keeps both; people decide."""

    events: tuple[str, ...]
    what: str


@dataclass(frozen=True)
class Situation:
    """What the facts add up to: the picture of ``at``, as far as known at ``known_at``."""

    at: Instant | None
    known_at: Instant | None
    units: dict[str, UnitState]
    incidents: dict[str, Incident]
    requests: dict[str, Request]
    lines: dict[str, Line]
    offers: dict[str, Offer]
    commitments: dict[str, Commitment]
    command: dict[tuple[str, str], Command]
    conflicts: tuple[Conflict, ...]
    told_by: dict[tuple[str, str], tuple[Instant, str]]
    """Which fact last told something: (what, of whom) → (when, event id). It is how contradictions are found."""


EMPTY = Situation(None, None, {}, {}, {}, {}, {}, {}, {}, (), {})


def replay(events: Iterable[Event], at: Instant | None = None, known_at: Instant | None = None) -> Situation:
    """The picture of ``at`` (None = after everything) as it was known at ``known_at`` (None = all that is known now).

    ``events`` may come from many chains and in any order: what counts is when each fact happened. A correction
    replaces the fact it names from the moment that it was recorded; a region corrects only its own log.
    """
    known = [event for event in events if known_at is None or event.recorded_at <= known_at]
    facts, conflicts = _correct(known)
    draft = _thaw(EMPTY)
    draft.conflicts.extend(conflicts)
    last = None
    for event in sorted(facts, key=_moment):
        if at is not None and event.happened_at > at:
            break
        _tell(draft, event)
        last = event.happened_at
    return _freeze(draft, at or last, known_at)


def advance(situation: Situation, event: Event) -> Situation:
    """The picture after one more fact. Equal to replaying everything, as long as facts come in the order they happened.

    Raises ValueError for a fact from before ``situation.at`` and for a correction: those ask for a replay.
    """
    if event.kind == "correction" or (situation.at is not None and event.happened_at < situation.at):
        raise ValueError(f"{event.event_id} gaat over wat al geweest is: speel het logboek opnieuw af")
    draft = _thaw(situation)
    _tell(draft, event)
    return _freeze(draft, event.happened_at, situation.known_at)


def count_met(situation: Situation) -> dict[str, int]:
    """How many formations of each line are met.

    Of every accepted offer as many whole ones as those make who did not drop out (were let go before they arrived),
    each taken as an equal part of its units; once the request is closed: what was not told to be unmet.
    """
    held: dict[tuple[str, str], list[bool]] = {}
    for each in situation.commitments.values():
        taken = {step for step, _ in each.steps}
        dropped = "unit_released" in taken and "unit_arrived" not in taken
        held.setdefault((each.line, each.offer or each.commitment), []).append(not dropped)
    met = dict.fromkeys(situation.lines, 0)
    for (line, offer), stay in held.items():
        count = _number(situation.offers[offer].count) if offer in situation.offers else 1
        met[line] = met.get(line, 0) + count * sum(stay) // len(stay)
    for line, asked in situation.lines.items():
        request = situation.requests.get(asked.request)
        if request is not None and request.closed_at is not None:
            met[line] = _number(asked.count) - (_number(asked.unmet[0]) if asked.unmet else 0)
    return met


def _number(told: Any) -> int:
    """A count as a fact tells it; 0 where a correction or another system told something else."""
    return told if isinstance(told, int) else 0


@dataclass
class _Draft:
    units: dict[str, UnitState]
    incidents: dict[str, Incident]
    requests: dict[str, Request]
    lines: dict[str, Line]
    offers: dict[str, Offer]
    commitments: dict[str, Commitment]
    command: dict[tuple[str, str], Command]
    conflicts: list[Conflict]
    told_by: dict[tuple[str, str], tuple[Instant, str]]


def _thaw(s: Situation) -> _Draft:
    return _Draft(
        dict(s.units),
        dict(s.incidents),
        dict(s.requests),
        dict(s.lines),
        dict(s.offers),
        dict(s.commitments),
        dict(s.command),
        list(s.conflicts),
        dict(s.told_by),
    )


def _freeze(d: _Draft, at: Instant | None, known_at: Instant | None) -> Situation:
    return Situation(at, known_at, **{**d.__dict__, "conflicts": tuple(d.conflicts)})


def _moment(event: Event) -> tuple[Instant, Instant, str, int]:
    return event.happened_at, event.recorded_at, event.chain, event.number


def _correct(events: list[Event]) -> tuple[list[Event], list[Conflict]]:
    """The facts as corrected: the last recorded correction of each counts; an empty ``body`` takes the fact back."""
    by_id = {event.event_id: event for event in events}
    conflicts = []
    for correction in sorted((e for e in events if e.kind == "correction"), key=lambda e: (e.recorded_at, e.number)):
        fact = by_id.get(correction.body["corrects"])
        pair = (correction.body["corrects"], correction.event_id)
        if fact is None or fact.kind == "correction":
            conflicts.append(Conflict(pair, "de correctie noemt een feit dat hier niet staat"))
        elif fact.chain != correction.chain:
            what = (
                f"{correction.chain} spreekt een feit uit het logboek van {fact.chain} tegen: {KINDS[fact.kind].dutch}"
            )
            conflicts.append(Conflict(pair, what))
        elif missing := _missing(fact, correction.body.get("body") or {}):
            conflicts.append(Conflict(pair, f"de correctie is onvolledig: {missing} ontbreekt"))
        else:
            happened_at = correction.body.get("happened_at")
            by_id[fact.event_id] = dataclasses.replace(
                fact,
                body=correction.body.get("body") or {},
                happened_at=Instant.fromisoformat(happened_at) if happened_at else fact.happened_at,
            )
    return [e for e in by_id.values() if e.kind != "correction" and e.body], conflicts


def _missing(fact: Event, body: dict[str, Any]) -> str:
    return ", ".join(name for name in KINDS[fact.kind].required if body and name not in body)


def _tell(draft: _Draft, event: Event) -> None:
    teller = _TELLERS.get(event.kind)
    if teller is not None:
        teller(draft, event)


def _clash(draft: _Draft, what: str, *events: str) -> None:
    draft.conflicts.append(Conflict(tuple(e for e in events if e), what))


def _same_moment(draft: _Draft, event: Event, what: str, subject: str) -> str:
    """The id of an earlier fact that told the same thing about the same moment ("" = none)."""
    at, teller = draft.told_by.get((what, subject), (None, ""))
    draft.told_by[what, subject] = (event.happened_at, event.event_id)
    return teller if at == event.happened_at else ""


def _unit(draft: _Draft, unit: str) -> UnitState:
    return draft.units.get(unit) or UnitState(unit)


def _unit_status(draft: _Draft, event: Event) -> None:
    body, unit = event.body, _unit(draft, event.body["unit"])
    other = _same_moment(draft, event, "status", unit.unit)
    if other and unit.status != body["status"]:
        words = f"{UNIT_STATUSES[unit.status]} en {UNIT_STATUSES[body['status']]}"
        _clash(draft, f"eenheid {unit.unit} zou tegelijk {words} zijn", other, event.event_id)
    holding = draft.commitments.get(unit.commitment)
    if body["status"] == "available" and holding is not None and holding.step in ("unit_arrived", "unit_deployed"):
        what = f"eenheid {unit.unit} meldt zich beschikbaar, maar is {COMMITMENT_STATES[holding.step]} in bijstand"
        _clash(draft, what, draft.told_by["commitment", unit.commitment][1], event.event_id)
    draft.units[unit.unit] = dataclasses.replace(
        unit,
        status=body["status"],
        status_at=event.happened_at,
        incident=body.get("incident", ""),
        **({"x_m": body["x_m"], "y_m": body["y_m"], "place_at": event.happened_at} if "x_m" in body else {}),
    )


def _unit_position(draft: _Draft, event: Event) -> None:
    body, unit = event.body, _unit(draft, event.body["unit"])
    other = _same_moment(draft, event, "place", unit.unit)
    if other and (unit.x_m, unit.y_m) != (body["x_m"], body["y_m"]):
        _clash(draft, f"eenheid {unit.unit} zou op twee plaatsen tegelijk zijn", other, event.event_id)
    place = {"x_m": body["x_m"], "y_m": body["y_m"], "place_at": event.happened_at}
    if "move_up" in body:
        unit = dataclasses.replace(
            unit, move_up=body["move_up"], moving_up=body.get("move_up_step") in ("ordered", "returning")
        )
    draft.units[unit.unit] = dataclasses.replace(unit, **place)


def _incident_opened(draft: _Draft, event: Event) -> None:
    body = event.body
    if body["incident"] in draft.incidents:
        first = draft.told_by["incident", body["incident"]][1]
        _clash(draft, f"incident {body['incident']} is twee keer geopend", first, event.event_id)
        return
    draft.told_by["incident", body["incident"]] = (event.happened_at, event.event_id)
    draft.incidents[body["incident"]] = Incident(
        body["incident"], body["what"], body["x_m"], body["y_m"], event.happened_at, body.get("level", "")
    )


def _incident_changed(draft: _Draft, event: Event) -> None:
    incident = draft.incidents.get(event.body["incident"])
    if incident is None:
        _clash(draft, f"incident {event.body['incident']} is nooit geopend", event.event_id)
    elif event.kind == "incident_escalated":
        draft.incidents[incident.incident] = dataclasses.replace(incident, level=event.body["level"])
    else:
        draft.incidents[incident.incident] = dataclasses.replace(incident, closed_at=event.happened_at)


def _request_made(draft: _Draft, event: Event) -> None:
    body = event.body
    draft.requests[body["request"]] = Request(
        body["request"], body["region"], body["incident"], body["ground"], event.happened_at
    )


def _request_closed(draft: _Draft, event: Event) -> None:
    request = draft.requests.get(event.body["request"])
    if request is None:
        _clash(draft, f"aanvraag {event.body['request']} is nooit gedaan", event.event_id)
    else:
        draft.requests[request.request] = dataclasses.replace(request, closed_at=event.happened_at)


def _line_asked(draft: _Draft, event: Event) -> None:
    body = event.body
    if body["request"] not in draft.requests:
        _clash(draft, f"regel {body['line']} hoort bij een onbekende aanvraag {body['request']}", event.event_id)
    draft.lines[body["line"]] = Line(body["line"], body["request"], body["formation"], body["count"], event.happened_at)


def _line_answered(draft: _Draft, event: Event) -> None:
    line = draft.lines.get(event.body["line"])
    if line is None:
        _clash(draft, f"regel {event.body['line']} is nooit gevraagd", event.event_id)
    elif event.kind == "line_unmet":
        draft.lines[line.line] = dataclasses.replace(line, unmet=(event.body["count"], event.body["reason"]))
    else:
        refusal = (event.body["region"], event.body["reason"])
        draft.lines[line.line] = dataclasses.replace(line, refusals=(*line.refusals, refusal))


def _offer_made(draft: _Draft, event: Event) -> None:
    body = event.body
    if body["line"] not in draft.lines:
        _clash(draft, f"aanbod {body['offer']} hoort bij een onbekende regel {body['line']}", event.event_id)
    draft.offers[body["offer"]] = Offer(
        body["offer"],
        body["line"],
        body["region"],
        tuple(body["units"]),
        event.happened_at,
        count=body.get("count", 1),
    )


def _offer_withdrawn(draft: _Draft, event: Event) -> None:
    offer = draft.offers.get(event.body["offer"])
    if offer is None:
        _clash(draft, f"aanbod {event.body['offer']} is nooit gedaan", event.event_id)
    else:
        draft.offers[offer.offer] = dataclasses.replace(offer, withdrawn_at=event.happened_at)


def _unit_committed(draft: _Draft, event: Event) -> None:
    body, unit = event.body, _unit(draft, event.body["unit"])
    if unit.commitment and unit.commitment != body["commitment"]:
        first = draft.told_by["commitment", unit.commitment][1]
        _clash(draft, f"eenheid {unit.unit} is twee keer toegezegd", first, event.event_id)
    draft.told_by["commitment", body["commitment"]] = (event.happened_at, event.event_id)
    draft.commitments[body["commitment"]] = Commitment(
        body["commitment"],
        body["line"],
        unit.unit,
        body["region"],
        event.kind,
        ((event.kind, event.happened_at),),
        offer=body.get("offer", ""),
    )
    draft.units[unit.unit] = dataclasses.replace(unit, commitment=body["commitment"])


def _commitment_step(draft: _Draft, event: Event) -> None:
    commitment = draft.commitments.get(event.body["commitment"])
    if commitment is None:
        _clash(draft, f"toezegging {event.body['commitment']} is nooit gedaan", event.event_id)
        return
    if commitment.step not in COMMITMENT_STEPS[event.kind]:
        before = draft.told_by["commitment", commitment.commitment][1]
        words = f"{COMMITMENT_STATES[event.kind]} na {COMMITMENT_STATES[commitment.step]}"
        _clash(draft, f"eenheid {commitment.unit} zou {words} zijn", before, event.event_id)
    draft.told_by["commitment", commitment.commitment] = (event.happened_at, event.event_id)
    draft.commitments[commitment.commitment] = dataclasses.replace(
        commitment,
        step=event.kind,
        steps=(*commitment.steps, (event.kind, event.happened_at)),
        recalled=event.body.get("reason", "") if event.kind == "unit_released" else commitment.recalled,
    )
    unit = _unit(draft, commitment.unit)
    if event.kind == "unit_home" and unit.commitment == commitment.commitment:
        draft.units[unit.unit] = dataclasses.replace(unit, commitment="")


def _command_handed_over(draft: _Draft, event: Event) -> None:
    body = event.body
    post = (body["incident"], body["function"])
    led = draft.command.get(post)
    if led is not None and led.leads != body["from"]:
        what = f"{body['from']} draagt {body['function']} over, maar volgens het logboek had {led.leads} de leiding"
        _clash(draft, what, draft.told_by["command", "/".join(post)][1], event.event_id)
    draft.told_by["command", "/".join(post)] = (event.happened_at, event.event_id)
    draft.command[post] = Command(*post, body["to"], event.happened_at)


_TELLERS: dict[str, Callable[[_Draft, Any], None]] = {
    "unit_status": _unit_status,
    "unit_position": _unit_position,
    "incident_opened": _incident_opened,
    "incident_escalated": _incident_changed,
    "incident_closed": _incident_changed,
    "request_made": _request_made,
    "request_closed": _request_closed,
    "line_asked": _line_asked,
    "line_unmet": _line_answered,
    "offer_refused": _line_answered,
    "offer_made": _offer_made,
    "offer_withdrawn": _offer_withdrawn,
    "unit_committed": _unit_committed,
    "command_handed_over": _command_handed_over,
    **{kind: _commitment_step for kind in COMMITMENT_STEPS if kind != "unit_committed"},
}
