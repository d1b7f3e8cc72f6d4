"""Offers: a region answers a line with units of its own, or refuses it with a reason."""

from __future__ import annotations

import datetime

import psycopg

from slagkracht.log import NATIONAL_CHAIN, REFUSAL_REASONS
from slagkracht.server.database import Row, Scope
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
from slagkracht.server.ledger.requests import refuse_closed


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
    asked = find(scope, "request_line", line)
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
        passed = {"region": scope.region, "until": until.isoformat(), "reason": knowingly, "offer": offer}
        record(scope, "floor_passed", passed, happened_at=happened_at)
    record(scope, "offer_made", {**told, "conditions": conditions}, [asked["region"], *audience], happened_at)
    return offer


def refuse_line(
    scope: Scope, line: str, reason: str, text: str = "", happened_at: datetime.datetime | None = None
) -> str:
    """Says, with a reason from REFUSAL_REASONS, that the acting region offers nothing for a line. Returns its id."""
    asked = find(scope, "request_line", line)
    if asked["region"] == scope.region:
        raise NotAllowedError("een regio weigert niet haar eigen aanvraag")
    if reason not in REFUSAL_REASONS:
        raise LedgerError("kies een reden: {reasons}", reasons=", ".join(REFUSAL_REASONS))
    happened_at = _stated_answer(scope, asked, happened_at)
    offer, audience = _insert_offer(scope, asked, [], 0, text, "", "geweigerd", reason, happened_at)
    told = {"line": line, "region": scope.region, "reason": reason, "text": text, "offer": offer}
    record(scope, "offer_refused", told, [asked["region"], *audience], happened_at)
    return offer


def withdraw_offer(scope: Scope, offer: str, reason: str, happened_at: datetime.datetime | None = None) -> None:
    """Takes back an offer of the acting region that was not accepted yet."""
    row = find_own(scope, "offer", offer)
    if row["state"] == "aanvaard":
        raise LedgerError(
            "aanbod {offer} is al aanvaard: vraag {receiver} de eenheden vrij te geven",
            offer=offer,
            receiver=row["receiver"],
        )
    if row["state"] != "staat":
        raise LedgerError("aanbod {offer} is al {state}", offer=offer, state=row["state"])
    happened_at = read_stated(scope, happened_at, row["made_at"], NOUNS["offered"])
    if scope.run(
        "update slagkracht.offer set state = 'ingetrokken', reason = %s where offer_id = %s and state = 'staat'",
        reason,
        offer,
    ):
        told = {"offer": offer, "reason": reason}
        record(scope, "offer_withdrawn", told, [row["receiver"], *row["audience"]], happened_at)


def _stated_answer(scope: Scope, asked: Row, happened_at: datetime.datetime | None) -> datetime.datetime | None:
    return read_stated(scope, happened_at, find(scope, "request", asked["request_id"])["made_at"], NOUNS["made"])


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
    refuse_closed(scope, asked["request_id"])
    offer = new_id("O", scope)
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
