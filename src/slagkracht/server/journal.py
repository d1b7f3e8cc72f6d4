"""The log in the database: a fact is appended in the same transaction as what it records."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slagkracht.log import Event, append_event, compute_checkpoint, format_event, parse_event
from slagkracht.server.database import Scope


@dataclass(frozen=True)
class Fact:
    """What is to be recorded: readable by ``audience`` too; without ``happened_at`` it happens as it is recorded."""

    kind: str
    body: dict[str, Any]
    audience: Sequence[str] = ()
    happened_at: datetime.datetime | None = None


def record(
    scope: Scope,
    kind: str,
    body: dict[str, Any],
    audience: list[str] | None = None,
    happened_at: datetime.datetime | None = None,
) -> Event:
    """Appends one fact, as ``record_all`` does."""
    return record_all(scope, [Fact(kind, body, audience or (), happened_at)])[0]


def record_all(scope: Scope, facts: Sequence[Fact]) -> list[Event]:
    """Appends facts to the chain of the acting region, in their order.

    Takes the lock of that chain until the transaction ends: record last. What happened now gets the moment of
    recording, which no other transaction that this one waited for can have passed.
    Raises ValueError for a fact outside the vocabulary.
    """
    last = scope.row("select now, line from slagkracht.lock_chain(%s, %s)", scope.world, scope.region)
    assert last is not None
    previous = parse_event(last["line"]) if last["line"] else None
    recorded_at = max(last["now"], previous.recorded_at) if previous else last["now"]
    events, rows = list[Event](), list[tuple[object, ...]]()
    for fact in facts:
        happened_at = fact.happened_at or recorded_at
        event = append_event(previous, scope.region, fact.kind, happened_at, recorded_at, scope.actor, fact.body)
        audience = sorted(set(fact.audience) - {scope.region})
        body = json.dumps(fact.body, allow_nan=False)
        moments = (event.happened_at, event.recorded_at)
        told = (event.kind, *moments, event.actor, body, event.hash, format_event(event))
        rows.append((scope.world, event.chain, event.number, audience, *told))
        events.append(event)
        previous = event
    into = "insert into slagkracht.event (world, chain, number, audience, kind, happened_at, recorded_at, actor, body, "
    into += "hash, line) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    if len(rows) == 1:
        scope.connection.execute(into, rows[0])
    else:
        with scope.connection.cursor() as cursor:
            cursor.executemany(into, rows)
    return events


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
