"""Commitments: an offer accepted binds its units, once each, and step by step they come home."""

from __future__ import annotations

import datetime

import psycopg

from slagkracht.log import COMMITMENT_STATES, NATIONAL_CHAIN, REFUSAL_REASONS
from slagkracht.server.database import Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger.ground import (
    NOUNS,
    AlreadyCommittedError,
    LedgerError,
    NotAllowedError,
    find,
    parties_of,
    read_stated,
)
from slagkracht.server.ledger.requests import refuse_closed

OWNER_STEPS = ("unit_en_route", "unit_arrived", "unit_home")
"""Steps that the lending region records; the others are the requester's, or the centre's where it leads.

Who lent takes ``unit_released`` too, with a reason: that is a recall.
"""


def accept_offer(scope: Scope, offer: str, happened_at: datetime.datetime | None = None) -> list[str]:
    """Accepts an offer: every unit in it is committed, or none is. Returns the ids of the commitments.

    By the requester, or by the centre where it leads the request. Raises AlreadyCommittedError when one of the units
    is committed elsewhere, LedgerError when the line needs no more.
    """
    seen = find(scope, "offer", offer)
    if scope.region not in (seen["receiver"], NATIONAL_CHAIN):
        raise NotAllowedError("aanbod {offer} aanvaarden is aan {receiver}", offer=offer, receiver=seen["receiver"])
    line = scope.row("select * from slagkracht.request_line where line_id = %s for update", seen["line_id"])
    row = scope.row("select * from slagkracht.offer where offer_id = %s for update", offer)
    if line is None or row is None:
        raise NotAllowedError("aanbod {offer} aanvaarden is niet aan {region}", offer=offer, region=scope.region)
    if row["state"] != "staat":
        raise LedgerError("aanbod {offer} is al {state}", offer=offer, state=row["state"])
    refuse_closed(scope, line["request_id"])
    if line["met"] + row["count"] > line["count"]:
        raise LedgerError(
            "regel {line_id} vraagt nog {left}, niet {count}",
            line_id=line["line_id"],
            left=line["count"] - line["met"],
            count=row["count"],
        )
    happened_at = read_stated(scope, happened_at, row["made_at"], NOUNS["offered"])
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
        record(scope, "unit_committed", {**told, "offer": offer}, parties_of(row), happened_at)
    return commitments


def move_commitment(
    scope: Scope,
    commitment: str,
    step: str,
    happened_at: datetime.datetime | None = None,
    reason: str = "",
    text: str = "",
) -> int:
    """Takes the next step with a committed unit, as it was at ``happened_at`` (None = now); returns the new version.

    Under way, arrived and home are told by the lender; deployed, relieved and released by the requester or the centre.
    The lender recalls its unit by releasing it with a ``reason`` from REFUSAL_REASONS. Who is released before arriving
    meets its line no longer: while the request is open, the database asks again what is lacking. Raises LedgerError
    when the step does not follow the last one.
    """
    seen = find(scope, "commitment", commitment)
    row = scope.row("select * from slagkracht.commitment where commitment_id = %s for update", commitment)
    if row is None:
        raise NotAllowedError(
            "toezegging {commitment} is niet aan {region}", commitment=commitment, region=scope.region
        )
    if step not in COMMITMENT_STATES or step == "unit_committed":
        raise LedgerError(
            "onbekende stap {step!r}; kies uit {steps}", step=step, steps=", ".join(list(COMMITMENT_STATES)[1:])
        )
    recalls = step == "unit_released" and scope.region == seen["region"]
    allowed = (seen["region"],) if step in OWNER_STEPS or recalls else (seen["receiver"], NATIONAL_CHAIN)
    if scope.region not in allowed:
        raise NotAllowedError(
            "'{step}' is aan {owner}, niet aan {region}",
            step=COMMITMENT_STATES[step],
            owner=allowed[0],
            region=scope.region,
        )
    if recalls and reason not in REFUSAL_REASONS:
        raise LedgerError(
            "een eigen eenheid terugroepen vraagt een reden; kies uit {reasons}", reasons=", ".join(REFUSAL_REASONS)
        )
    if reason and not recalls:
        raise LedgerError("een reden hoort bij terugroepen, en dat doet {region}", region=seen["region"])
    happened_at = read_stated(scope, happened_at, row["step_at"], COMMITMENT_STATES[row["step"]])
    try:
        with scope.connection.transaction():
            scope.run(
                "update slagkracht.commitment set step = %s, step_at = coalesce(%s, greatest(clock_timestamp(), "
                "step_at)), recalled = coalesce(%s, recalled), recalled_why = coalesce(%s, recalled_why) "
                "where commitment_id = %s",
                step,
                happened_at,
                reason or None,
                text if recalls else None,
                commitment,
            )
    except psycopg.errors.RaiseException as error:
        after, before = COMMITMENT_STATES[step], COMMITMENT_STATES[row["step"]]
        raise LedgerError(
            "toezegging {commitment}: {after} volgt niet op {before}", commitment=commitment, after=after, before=before
        ) from error
    told = {"commitment": commitment, "unit": row["unit_id"], "line": row["line_id"]}
    if recalls:
        told |= {"region": scope.region, "reason": reason, "text": text}
    record(scope, step, told, parties_of(row), happened_at)
    return int(row["version"]) + 1
