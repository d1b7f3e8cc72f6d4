"""One hash chain per region: a changed, removed, reordered or cut-off entry shows."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from slagkracht.log.events import KINDS, UNIT_STATUSES, UNMET_REASONS, Event

GENESIS = "0" * 64
"""What the first entry of every chain points back to."""


@dataclass(frozen=True)
class Checkpoint:
    """How long a chain was at a moment, and its last hash. Exchanged between regions, signed by its owner."""

    chain: str
    number: int
    hash: str
    at: datetime.datetime


@dataclass(frozen=True)
class ChainFinding:
    """One thing that is wrong with a chain: at which entry, and what. ``number`` 0 = the chain as a whole."""

    chain: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.chain} nr. {self.number}: {self.what}" if self.number else f"{self.chain}: {self.what}"


def append_event(
    previous: Event | None,
    chain: str,
    kind: str,
    happened_at: datetime.datetime,
    recorded_at: datetime.datetime,
    actor: str,
    body: dict[str, Any],
) -> Event:
    """The next entry of ``chain`` after ``previous`` (None = the first).

    A fact may be recorded long after it happened; entries stand in order of recording.
    Raises ValueError when the kind is unknown, the body lacks a field, a time has no zone or the chain runs back.
    """
    _refuse_bad_fact(kind, happened_at, recorded_at, body)
    if previous is not None and previous.chain != chain:
        raise ValueError(f"dit feit hoort in het logboek van {chain}, het vorige staat in dat van {previous.chain}")
    if previous is not None and recorded_at < previous.recorded_at:
        raise ValueError(f"logboek {chain}: {recorded_at} ligt voor de vorige vastlegging {previous.recorded_at}")
    number = previous.number + 1 if previous else 1
    previous_hash = previous.hash if previous else GENESIS
    unsealed = Event(f"{chain}-{number}", chain, number, kind, happened_at, recorded_at, actor, body, previous_hash, "")
    return Event(**{**unsealed.__dict__, "hash": compute_event_hash(unsealed)})


def _refuse_bad_fact(
    kind: str, happened_at: datetime.datetime, recorded_at: datetime.datetime, body: dict[str, Any]
) -> None:
    if kind not in KINDS:
        raise ValueError(f"onbekende soort feit {kind!r}; bekend zijn: {', '.join(KINDS)}")
    if missing := [name for name in KINDS[kind].required if name not in body]:
        raise ValueError(f"{KINDS[kind].dutch}: het feit mist {', '.join(missing)}")
    if happened_at.tzinfo is None or recorded_at.tzinfo is None:
        raise ValueError(f"{KINDS[kind].dutch}: een tijdstip heeft een tijdzone nodig")
    if kind == "unit_status" and body["status"] not in UNIT_STATUSES:
        raise ValueError(f"onbekende status {body['status']!r}; kies uit {', '.join(UNIT_STATUSES)}")
    gives_reason = kind in ("offer_refused", "line_unmet") or (kind == "unit_released" and "reason" in body)
    if gives_reason and body["reason"] not in UNMET_REASONS:
        raise ValueError(f"onbekende reden {body['reason']!r}; kies uit {', '.join(UNMET_REASONS)}")


def _instant(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _canonical(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _as_record(event: Event) -> dict[str, Any]:
    return {
        **event.__dict__,
        "happened_at": _instant(event.happened_at),
        "recorded_at": _instant(event.recorded_at),
    }


def compute_event_hash(event: Event) -> str:
    """SHA-256 over every field but the hash itself, as canonical JSON (sorted keys, no white space, UTF-8)."""
    record = _as_record(event)
    del record["hash"]
    return hashlib.sha256(_canonical(record).encode()).hexdigest()


def format_event(event: Event) -> str:
    """The entry as one canonical line of JSON: the form in which a log is stored, exported and verified."""
    return _canonical(_as_record(event))


def parse_event(line: str) -> Event:
    """The entry that ``format_event`` wrote. Raises ValueError when the line is no entry."""
    try:
        record = json.loads(line)
        for name in ("happened_at", "recorded_at"):
            record[name] = datetime.datetime.fromisoformat(record[name])
        return Event(**record)
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"geen logboekregel: {line[:80]!r}") from error


def verify_chain(events: Iterable[Event], chain: str) -> list[ChainFinding]:
    """Everything that is wrong with a chain, in order; empty when nothing is.

    That nothing was cut off at the end is not in the chain itself: see ``verify_checkpoint``.
    """
    findings = []
    number, last_hash, last_at = 0, GENESIS, None
    for event in events:
        number += 1
        if event.chain != chain:
            findings.append(ChainFinding(chain, number, f"dit feit hoort in het logboek van {event.chain}"))
        if event.number != number:
            findings.append(ChainFinding(chain, number, f"hier staat nr. {event.number}: weggelaten of verplaatst"))
            number = event.number
        if event.event_id != f"{event.chain}-{event.number}":
            findings.append(ChainFinding(chain, number, f"het kenmerk {event.event_id!r} past niet bij de plaats"))
        if event.previous_hash != last_hash:
            findings.append(ChainFinding(chain, number, "sluit niet aan op het vorige feit"))
        if event.hash != compute_event_hash(event):
            findings.append(ChainFinding(chain, number, "de inhoud is na het vastleggen gewijzigd"))
        if last_at is not None and event.recorded_at < last_at:
            findings.append(ChainFinding(chain, number, "is eerder vastgelegd dan het feit ervoor"))
        last_hash, last_at = event.hash, event.recorded_at
    return findings


def compute_checkpoint(last: Event, at: datetime.datetime) -> tuple[Checkpoint, bytes]:
    """The checkpoint of a chain that ends with ``last``, and the bytes that its owner signs."""
    checkpoint = Checkpoint(last.chain, last.number, last.hash, at)
    record = {**checkpoint.__dict__, "at": _instant(at)}
    return checkpoint, b"slagkracht-checkpoint-1\n" + _canonical(record).encode()


def verify_checkpoint(events: list[Event], checkpoint: Checkpoint) -> list[ChainFinding]:
    """What a chain lacks of what its owner once signed: entries cut off, or another history before that moment."""
    if len(events) < checkpoint.number:
        what = f"afgekapt: er waren {checkpoint.number} feiten op {_instant(checkpoint.at)}, nu {len(events)}"
        return [ChainFinding(checkpoint.chain, 0, what)]
    if checkpoint.number and events[checkpoint.number - 1].hash != checkpoint.hash:
        what = f"een andere geschiedenis dan getekend op {_instant(checkpoint.at)}"
        return [ChainFinding(checkpoint.chain, checkpoint.number, what)]
    return []
