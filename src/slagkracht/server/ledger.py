"""The ledger: regions ask, offer and commit units to each other, and nobody can overdraw it."""

from __future__ import annotations

import datetime
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Any

import psycopg

from slagkracht.log import COMMITMENT_STATES, NATIONAL_CHAIN, UNMET_REASONS
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import CLOCK
from slagkracht.server.journal import record
from slagkracht.server.refusals import SaidError

BY_MINISTER, BY_NEIGHBOUR = "wvr51_minister", "wvr51_5_buurregio"
OWNER_STEPS = ("unit_en_route", "unit_arrived", "unit_home")
"""Steps that the lending region records; the others are the requester's, or the centre's where it leads."""
AHEAD = datetime.timedelta(minutes=5)
"""So much may clocks differ: a moment that lies no further ahead than this is taken as now."""


class LedgerError(SaidError):
    """Something that cannot be done. The message says why, and what would help."""


class NotFoundError(LedgerError):
    """What was named is not there, or not shared with whoever asks: the two cannot be told apart."""


class NotAllowedError(LedgerError):
    """It is there, but this is not up to whoever asks."""


class AlreadyCommittedError(LedgerError):
    """A unit is already committed elsewhere."""


class ChangedMeanwhileError(LedgerError):
    """Someone else changed it since it was read."""


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
    incident, happened_at = _new_id("I", scope), read_stated(scope, happened_at)
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
    record(scope, "incident_opened", told, happened_at=happened_at)
    return incident


def classify(scope: Scope, what: str, key: str, information_class: str) -> None:
    """Gives an incident, a unit or a dossier of the acting region another class, and the facts about it with it.

    Raises NotAllowedError for a class above one's own mandate, or for what is another's or not there.
    """
    done = scope.row("select slagkracht.classify(%s, %s, %s) as done", what, key, information_class)
    if done is None or not done["done"]:
        raise NotAllowedError(
            "{what} {key} is hier niet {information_class} te maken: van een ander, of boven uw mandaat",
            what=_DUTCH.get(what, what),
            key=key,
            information_class=information_class,
        )
    record(scope, "classified", {what: key, "information_class": information_class})


def escalate_incident(scope: Scope, incident: str, level: str, happened_at: datetime.datetime | None = None) -> None:
    """Sets how far an incident of the acting region is escalated, since ``happened_at`` (None = now)."""
    row = _own(scope, "incident", incident)
    happened_at = read_stated(scope, happened_at, row["opened_at"], _DUTCH["begin"])
    scope.run(
        "update slagkracht.incident set level = %s, version = version + 1 where incident_id = %s", level, incident
    )
    record(scope, "incident_escalated", {"incident": incident, "level": level}, row["audience"], happened_at)


def close_incident(scope: Scope, incident: str, happened_at: datetime.datetime | None = None) -> None:
    """Closes an incident of the acting region, as it ended at ``happened_at`` (None = now)."""
    row = _own(scope, "incident", incident)
    if row["closed_at"] is not None:
        raise LedgerError("incident {incident} is al gesloten", incident=incident)
    happened_at = read_stated(scope, happened_at, row["opened_at"], _DUTCH["begin"])
    scope.run(
        "update slagkracht.incident set closed_at = %s, version = version + 1 where incident_id = %s",
        happened_at or scope.at,
        incident,
    )
    record(scope, "incident_closed", {"incident": incident}, row["audience"], happened_at)


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
    begun = _own(scope, "incident", incident)["opened_at"]
    happened_at = read_stated(scope, happened_at, begun, _DUTCH["begin"])
    if not lines:
        raise LedgerError("een aanvraag heeft ten minste een regel: welke formatie, hoeveel, waar, wanneer")
    if (ground == BY_NEIGHBOUR) != bool(neighbour) or neighbour == scope.region:
        raise LedgerError("een rechtstreekse aanvraag (art. 51 lid 5) noemt een buurregio; een andere doet dat niet")
    if not mandate or not signed_by:
        raise LedgerError("een aanvraag noemt wie tekent en onder welk mandaat")
    request, audience = _new_id("A", scope), [neighbour or NATIONAL_CHAIN]
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
    _let_see_incident(scope, incident, audience)
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
    told = {"request": request, "region": scope.region, "incident": incident, "ground": ground}
    record(scope, "request_made", {**told, "mandate": mandate, "signed_by": signed_by}, audience, happened_at)
    for n, wanted in enumerate(lines, start=1):
        line = {"request": request, "line": f"{request}-{n}", "formation": wanted.formation, "count": wanted.count}
        relief = {"wave": wanted.wave, "relieves": list(wanted.relieves)} if wanted.wave else {}
        line |= {"capability": wanted.capability, "hours": wanted.hours, **relief}
        record(scope, "line_asked", line, audience, happened_at)
    return request


def ask_regions(
    scope: Scope, request: str, regions: list[str], happened_at: datetime.datetime | None = None
) -> list[str]:
    """Shows a request to ``regions`` so that they can offer; by the requester or the centre that leads it."""
    row = _find(scope, "request", request)
    happened_at = read_stated(scope, happened_at, row["made_at"], _DUTCH["made"])
    if scope.region not in (row["region"], NATIONAL_CHAIN):
        raise NotAllowedError(
            "aanvraag {request} uitzetten is aan {region} of het actiecentrum", request=request, region=row["region"]
        )
    _open_request(scope, request)
    audience = sorted({*row["audience"], *regions} - {row["region"]})
    change = "set audience = %s, version = version + 1 where request_id = %s"
    scope.run(f"update slagkracht.request {change}", audience, request)
    scope.run(f"update slagkracht.request_line {change}", audience, request)
    if scope.region == row["region"]:
        _let_see_incident(scope, row["incident_id"], audience)
    text = f"aanvraag {request} uitgezet bij {', '.join(sorted(regions))}"
    record(scope, "note", {"text": text, "request": request}, [row["region"], *audience], happened_at)
    return audience


def offer_units(
    scope: Scope,
    line: str,
    units: list[str],
    count: int,
    conditions: str = "",
    knowingly: str = "",
    happened_at: datetime.datetime | None = None,
) -> str:
    """Offers units of the acting region for a line, as ``count`` formations: the whole or a part. Returns its id.

    ``knowingly`` is filled in when the region offers although its own floor is passed, and is logged as such.
    """
    asked = _find(scope, "request_line", line)
    if asked["region"] == scope.region:
        raise NotAllowedError("een regio biedt niet aan op haar eigen aanvraag")
    if not units or not 0 < count <= asked["count"]:
        raise LedgerError(
            "bied eenheden aan, voor 1 tot en met {count} keer {formation}",
            count=asked["count"],
            formation=asked["formation"],
        )
    own = scope.rows("select unit_id from slagkracht.unit where unit_id = any(%s) and region = %s", units, scope.region)
    if missing := sorted(set(units) - {row["unit_id"] for row in own}):
        raise NotFoundError("geen eenheid van {region}: {missing}", region=scope.region, missing=", ".join(missing))
    happened_at = _stated_answer(scope, asked, happened_at)
    given = (sorted(set(units)), count, conditions, knowingly, "staat", None)
    offer, audience = _insert_offer(scope, asked, *given, happened_at)
    told = {"offer": offer, "line": line, "region": scope.region, "units": sorted(set(units)), "count": count}
    if knowingly:
        until = asked["needed_by"] + datetime.timedelta(hours=asked["hours"])
        passed = {"region": scope.region, "until": until.isoformat(), "reason": knowingly}
        record(scope, "floor_passed", passed, happened_at=happened_at)
    record(scope, "offer_made", {**told, "conditions": conditions}, [asked["region"], *audience], happened_at)
    return offer


def refuse_line(
    scope: Scope, line: str, reason: str, text: str = "", happened_at: datetime.datetime | None = None
) -> str:
    """Says, with a reason from UNMET_REASONS, that the acting region offers nothing for a line. Returns its id."""
    asked = _find(scope, "request_line", line)
    if asked["region"] == scope.region:
        raise NotAllowedError("een regio weigert niet haar eigen aanvraag")
    if reason not in UNMET_REASONS:
        raise LedgerError("kies een reden: {reasons}", reasons=", ".join(UNMET_REASONS))
    happened_at = _stated_answer(scope, asked, happened_at)
    offer, audience = _insert_offer(scope, asked, [], 0, text, "", "geweigerd", reason, happened_at)
    told = {"line": line, "region": scope.region, "reason": reason, "text": text}
    record(scope, "offer_refused", told, [asked["region"], *audience], happened_at)
    return offer


def withdraw_offer(scope: Scope, offer: str, reason: str, happened_at: datetime.datetime | None = None) -> None:
    """Takes back an offer of the acting region that was not accepted yet."""
    row = _own(scope, "offer", offer)
    if row["state"] != "staat":
        raise LedgerError("aanbod {offer} is al {state}", offer=offer, state=row["state"])
    happened_at = read_stated(scope, happened_at, row["made_at"], _DUTCH["offered"])
    if scope.run(
        "update slagkracht.offer set state = 'ingetrokken', reason = %s where offer_id = %s and state = 'staat'",
        reason,
        offer,
    ):
        told = {"offer": offer, "reason": reason}
        record(scope, "offer_withdrawn", told, [row["receiver"], *row["audience"]], happened_at)


def accept_offer(scope: Scope, offer: str, happened_at: datetime.datetime | None = None) -> list[str]:
    """Accepts an offer: every unit in it is committed, or none is. Returns the ids of the commitments.

    By the requester, or by the centre where it leads the request. Raises AlreadyCommittedError when one of the units
    is committed elsewhere, LedgerError when the line needs no more.
    """
    seen = _find(scope, "offer", offer)
    if scope.region not in (seen["receiver"], NATIONAL_CHAIN):
        raise NotAllowedError("aanbod {offer} aanvaarden is aan {receiver}", offer=offer, receiver=seen["receiver"])
    line = scope.row("select * from slagkracht.request_line where line_id = %s for update", seen["line_id"])
    row = scope.row("select * from slagkracht.offer where offer_id = %s for update", offer)
    if line is None or row is None:
        raise NotAllowedError("aanbod {offer} aanvaarden is niet aan {region}", offer=offer, region=scope.region)
    if row["state"] != "staat":
        raise LedgerError("aanbod {offer} is al {state}", offer=offer, state=row["state"])
    _open_request(scope, line["request_id"])
    if line["met"] + row["count"] > line["count"]:
        raise LedgerError(
            "regel {line_id} vraagt nog {left}, niet {count}",
            line_id=line["line_id"],
            left=line["count"] - line["met"],
            count=row["count"],
        )
    happened_at = read_stated(scope, happened_at, row["made_at"], _DUTCH["offered"])
    commitments = []
    for n, unit in enumerate(sorted(row["units"]), start=1):
        commitment = f"T{offer[1:]}-{n}"
        try:
            with scope.connection.transaction():
                scope.insert(
                    "commitment",
                    commitment_id=commitment,
                    region=row["region"],
                    receiver=row["receiver"],
                    audience=row["audience"],
                    offer_id=offer,
                    line_id=row["line_id"],
                    unit_id=unit,
                    step="unit_committed",
                    step_at=happened_at,
                )
        except psycopg.errors.UniqueViolation as error:
            raise AlreadyCommittedError(
                "eenheid {unit} van {region} is al elders toegezegd", unit=unit, region=row["region"]
            ) from error
        commitments.append(commitment)
    scope.run("update slagkracht.offer set state = 'aanvaard' where offer_id = %s", offer)
    scope.run(
        "update slagkracht.request_line set met = met + %s, unmet = 0, unmet_reason = null, version = version + 1 "
        "where line_id = %s",
        row["count"],
        row["line_id"],
    )
    for commitment, unit in zip(commitments, sorted(row["units"])):
        told = {"commitment": commitment, "line": row["line_id"], "unit": unit, "region": row["region"]}
        record(scope, "unit_committed", {**told, "offer": offer}, _parties(row), happened_at)
    return commitments


def move_commitment(
    scope: Scope,
    commitment: str,
    step: str,
    happened_at: datetime.datetime | None = None,
) -> int:
    """Takes the next step with a committed unit, as it was at ``happened_at`` (None = now); returns the new version.

    Under way, arrived and home are told by the lender; deployed, relieved and released by the requester or the centre.
    Raises LedgerError when the step does not follow the last one.
    """
    seen = _find(scope, "commitment", commitment)
    row = scope.row("select * from slagkracht.commitment where commitment_id = %s for update", commitment)
    if row is None:
        raise NotAllowedError(
            "toezegging {commitment} is niet aan {region}", commitment=commitment, region=scope.region
        )
    if step not in COMMITMENT_STATES or step == "unit_committed":
        raise LedgerError(
            "onbekende stap {step!r}; kies uit {steps}", step=step, steps=", ".join(list(COMMITMENT_STATES)[1:])
        )
    allowed = (seen["region"],) if step in OWNER_STEPS else (seen["receiver"], NATIONAL_CHAIN)
    if scope.region not in allowed:
        raise NotAllowedError(
            "'{step}' is aan {owner}, niet aan {region}",
            step=COMMITMENT_STATES[step],
            owner=allowed[0],
            region=scope.region,
        )
    happened_at = read_stated(scope, happened_at, row["step_at"], COMMITMENT_STATES[row["step"]])
    try:
        with scope.connection.transaction():
            scope.run(
                "update slagkracht.commitment set step = %s, step_at = coalesce(%s, greatest(clock_timestamp(), "
                "step_at)) where commitment_id = %s",
                step,
                happened_at,
                commitment,
            )
    except psycopg.errors.RaiseException as error:
        after, before = COMMITMENT_STATES[step], COMMITMENT_STATES[row["step"]]
        raise LedgerError(
            "toezegging {commitment}: {after} volgt niet op {before}", commitment=commitment, after=after, before=before
        ) from error
    record(scope, step, {"commitment": commitment, "unit": row["unit_id"]}, _parties(row), happened_at)
    return int(row["version"]) + 1


def close_request(
    scope: Scope, request: str, happened_at: datetime.datetime | None = None
) -> list[tuple[str, int, str]]:
    """Closes a request. What stayed unmet keeps its reason: returns (line, how many, reason) for each such line.

    The reason is the one that refusing regions gave most for that line, or 'geen_aanbod' where nobody answered.
    """
    row = _find(scope, "request", request)
    if scope.region not in (row["region"], NATIONAL_CHAIN):
        raise NotAllowedError("aanvraag {request} sluiten is aan {region}", request=request, region=row["region"])
    happened_at = read_stated(scope, happened_at, row["made_at"], _DUTCH["made"])
    unmet = []
    scope.rows("select 1 from slagkracht.request where request_id = %s for update", request)
    _open_request(scope, request)
    lines = scope.rows(
        "select * from slagkracht.request_line where request_id = %s order by line_id for update", request
    )
    for line in lines:
        if line["met"] == line["count"]:
            continue
        refused = scope.rows(
            "select reason from slagkracht.offer where line_id = %s and state = 'geweigerd' order by reason",
            line["line_id"],
        )
        reasons = Counter(answer["reason"] for answer in refused)
        reason = reasons.most_common(1)[0][0] if reasons else "geen_aanbod"
        unmet.append((line["line_id"], line["count"] - line["met"], reason))
    for line_id, count, reason in unmet:
        scope.run(
            "update slagkracht.request_line set unmet = %s, unmet_reason = %s, version = version + 1 "
            "where line_id = %s",
            count,
            reason,
            line_id,
        )
    scope.run(
        "update slagkracht.request set closed_at = %s, version = version + 1 where request_id = %s",
        happened_at or scope.at,
        request,
    )
    audience = [row["region"], *row["audience"]]
    for line_id, count, reason in unmet:
        record(scope, "line_unmet", {"line": line_id, "count": count, "reason": reason}, audience, happened_at)
    record(scope, "request_closed", {"request": request}, audience, happened_at)
    return unmet


def report_unit(
    scope: Scope,
    unit: str,
    status: str,
    x_m: float | None = None,
    y_m: float | None = None,
    happened_at: datetime.datetime | None = None,
    incident: str = "",
) -> None:
    """Reports status, and place where known, of a unit of the acting region; ``incident`` what it was sent to.

    A report that comes late is logged, and does not undo a newer one.
    """
    _own(scope, "unit", unit)
    at = happened_at or scope.at
    told: dict[str, Any] = {"unit": unit, "status": status}
    if incident:
        told["incident"] = _find(scope, "incident", incident)["incident_id"]
    scope.run(
        "update slagkracht.unit set status = %s, status_at = %s where world = %s and unit_id = %s "
        "and (status_at is null or status_at <= %s)",
        status,
        at,
        scope.world,
        unit,
        at,
    )
    if x_m is not None and y_m is not None:
        told |= {"x_m": x_m, "y_m": y_m}
        scope.run(
            "insert into slagkracht.unit_place (world, unit_id, region, x_m, y_m, place_at) "
            "values (%s, %s, %s, %s, %s, %s) on conflict (world, unit_id) do update "
            "set x_m = excluded.x_m, y_m = excluded.y_m, place_at = excluded.place_at "
            "where unit_place.place_at <= excluded.place_at",
            scope.world,
            unit,
            scope.region,
            x_m,
            y_m,
            at,
        )
    held = scope.rows("select parties from slagkracht.held_units() where unit_id = %s", unit)
    record(scope, "unit_status", told, [party for row in held for party in row["parties"]], at)


def share(scope: Scope, receiver: str, tier: str, until: datetime.datetime, redaction: list[str] | None = None) -> str:
    """Lets ``receiver`` see what is the acting region's own, up to a tier, until a moment. Returns the consent's id."""
    if until <= scope.at or receiver == scope.region:
        raise LedgerError("delen is met een ander en heeft een einde dat nog komen moet")
    consent = _new_id("D", scope)
    scope.insert(
        "consent",
        consent_id=consent,
        region=scope.region,
        receiver=receiver,
        tier=tier,
        redaction=redaction or [],
        until=until,
    )
    told = {"consent": consent, "receiver": receiver, "tier": tier, "until": until.isoformat()}
    record(scope, "sharing_granted", {**told, "redaction": redaction or []}, [receiver])
    return consent


def stop_sharing(scope: Scope, consent: str) -> None:
    """Ends a consent of the acting region, from now on."""
    row = _own(scope, "consent", consent)
    if row["ended_at"] is not None:
        raise LedgerError("toestemming {consent} is al beëindigd", consent=consent)
    scope.run("update slagkracht.consent set ended_at = clock_timestamp() where consent_id = %s", consent)
    record(scope, "sharing_ended", {"consent": consent}, [row["receiver"]])


def read_stated(
    scope: Scope, happened_at: datetime.datetime | None, after: datetime.datetime | None = None, what: str = ""
) -> datetime.datetime | None:
    """The moment at which something is said to have happened; None = now. Recorded is always now: the log keeps both.

    Raises LedgerError for a moment in the future, or before ``after``, when ``what`` that it follows was so.
    """
    if happened_at is None:
        return None
    if happened_at > scope.at + AHEAD:
        raise LedgerError("een feit ligt niet in de toekomst")
    if after is not None and happened_at < after:
        raise LedgerError(
            "{moment} ligt voor {what} ({after})",
            moment=f"{happened_at.astimezone(CLOCK):%d-%m-%Y %H:%M}",
            what=what,
            after=f"{after.astimezone(CLOCK):%d-%m-%Y %H:%M:%S}",
        )
    return happened_at if happened_at < scope.at else None


_KEY = {
    "incident": "incident_id",
    "request": "request_id",
    "request_line": "line_id",
    "offer": "offer_id",
    "commitment": "commitment_id",
    "unit": "unit_id",
    "consent": "consent_id",
}
_DUTCH = {
    "incident": "incident",
    "request": "aanvraag",
    "request_line": "regel",
    "offer": "aanbod",
    "commitment": "toezegging",
    "unit": "eenheid",
    "consent": "toestemming",
    "dossier": "dossier",
    "begin": "het begin van het incident",
    "made": "de aanvraag",
    "offered": "het aanbod",
}


def _find(scope: Scope, table: str, key: str) -> Row:
    row = scope.row(f"select * from slagkracht.{table} where {_KEY[table]} = %s", key)
    if row is None:
        raise NotFoundError("{what} {key} is hier niet bekend", what=_DUTCH[table], key=key)
    return row


def _own(scope: Scope, table: str, key: str) -> Row:
    row = _find(scope, table, key)
    if row["region"] != scope.region:
        raise NotAllowedError("{what} {key} is van {region}", what=_DUTCH[table], key=key, region=row["region"])
    return row


def _new_id(letter: str, scope: Scope) -> str:
    return f"{letter}-{scope.region}-{secrets.token_hex(5)}"


def _parties(row: Row) -> list[str]:
    return [row["region"], row["receiver"], *row["audience"]]


def _open_request(scope: Scope, request: str) -> None:
    row = _find(scope, "request", request)
    if row["closed_at"] is not None:
        raise LedgerError("aanvraag {request} is gesloten", request=request)


def _stated_answer(scope: Scope, asked: Row, happened_at: datetime.datetime | None) -> datetime.datetime | None:
    return read_stated(scope, happened_at, _find(scope, "request", asked["request_id"])["made_at"], _DUTCH["made"])


def _let_see_incident(scope: Scope, incident: str, audience: list[str]) -> None:
    scope.run(
        "update slagkracht.incident set audience = array(select distinct unnest(audience || %s::text[]) order by 1), "
        "version = version + 1 where incident_id = %s",
        audience,
        incident,
    )


def _insert_offer(
    scope: Scope,
    asked: Row,
    units: list[str],
    count: int,
    conditions: str,
    knowingly: str,
    state: str,
    reason: str | None,
    happened_at: datetime.datetime | None,
) -> tuple[str, list[str]]:
    _open_request(scope, asked["request_id"])
    offer = _new_id("O", scope)
    audience = [NATIONAL_CHAIN] if NATIONAL_CHAIN in asked["audience"] and scope.region != NATIONAL_CHAIN else []
    try:
        with scope.connection.transaction():
            scope.insert(
                "offer",
                offer_id=offer,
                region=scope.region,
                receiver=asked["region"],
                audience=audience,
                line_id=asked["line_id"],
                units=units,
                count=count,
                conditions=conditions,
                knowingly=knowingly,
                state=state,
                reason=reason,
                made_at=happened_at or scope.at,
            )
    except psycopg.errors.RaiseException as error:  # it was closed while this was being filled in
        raise LedgerError(
            "op regel {line} is niets (meer) aan te bieden of te weigeren", line=asked["line_id"]
        ) from error
    return offer, audience
