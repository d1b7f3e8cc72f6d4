"""The log in the database: a fact is appended in the same transaction as what it records."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slagkracht.log import Event, append_event, compute_checkpoint, format_event, parse_event
from slagkracht.server.database import Scope


def record(
    scope: Scope,
    kind: str,
    body: dict[str, Any],
    audience: list[str] | None = None,
    happened_at: datetime.datetime | None = None,
) -> Event:
    """Appends a fact to the chain of the acting region, readable by ``audience`` too.

    Takes the lock of that chain until the transaction ends: record last. What happened now gets the moment of
    recording, which no other transaction that this one waited for can have passed.
    Raises ValueError for a fact outside the vocabulary.
    """
    last = scope.row("select now, line from slagkracht.lock_chain(%s, %s)", scope.world, scope.region)
    assert last is not None
    previous = parse_event(last["line"]) if last["line"] else None
    recorded_at = max(last["now"], previous.recorded_at) if previous else last["now"]
    event = append_event(previous, scope.region, kind, happened_at or recorded_at, recorded_at, scope.actor, body)
    scope.insert(
        "event",
        chain=event.chain,
        number=event.number,
        audience=sorted(set(audience or []) - {scope.region}),
        kind=kind,
        happened_at=event.happened_at,
        recorded_at=event.recorded_at,
        actor=event.actor,
        body=json.dumps(body, allow_nan=False),
        hash=event.hash,
        line=format_event(event),
    )
    return event


def read_events(scope: Scope, chain: str | None = None) -> Iterator[Event]:
    """Every fact that the acting region may read, of one chain or of all, in order of chain and number."""
    where = "and chain = %s" if chain else ""
    values = (scope.world, chain) if chain else (scope.world,)
    sql = f"select line from slagkracht.event where world = %s {where} order by chain, number"
    for row in scope.rows(sql, *values):
        yield parse_event(row["line"])


def sign_checkpoint(scope: Scope, key: Ed25519PrivateKey) -> dict[str, Any] | None:
    """Signs how long the acting region's chain is now, and keeps it for others to take; None when it is empty."""
    last = scope.row(
        "select line from slagkracht.event where world = %s and chain = %s order by number desc limit 1",
        scope.world,
        scope.region,
    )
    if last is None:
        return None
    checkpoint, message = compute_checkpoint(parse_event(last["line"]), scope.at)
    at = scope.at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    signed = {
        **checkpoint.__dict__,
        "at": at,
        "key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(message).hex(),
    }
    scope.insert("checkpoint", **signed)
    return signed
