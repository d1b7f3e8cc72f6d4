"""A log leaves one platform and arrives in another: a laptop that was cut off hands in its facts, each once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from slagkracht.log import Conflict, Event, parse_event, replay
from slagkracht.server.database import Scope
from slagkracht.server.journal import Fact, read_events, record_all
from slagkracht.server.ledger import LedgerError, NotAllowedError
from slagkracht.server.verify_log import verify


@dataclass(frozen=True)
class HandedIn:
    """What came of a log that was handed in.

    ``known`` facts that were there already · ``added`` the ids under which the others now stand · ``conflicts`` what
    they contradict, for people to decide.
    """

    known: int
    added: tuple[str, ...]
    conflicts: tuple[Conflict, ...]


def export_chain(own: Scope) -> Iterator[str]:
    """The acting region's own log, as lines that ``verify_log.py`` and ``hand_in`` read."""
    for row in own.rows(
        "select line from slagkracht.event where world = %s and chain = %s order by number", own.world, own.region
    ):
        yield row["line"] + "\n"


def refuse_sealed(own: Scope, seen: int) -> None:
    """Raises NotAllowedError where the acting region's log holds more than the ``seen`` facts that one may read."""
    row = own.row("select slagkracht.own_chain_length() as whole")
    if row is not None and row["whole"] > seen:
        raise NotAllowedError(
            "dit logboek bevat feiten boven uw informatieklasse: laat dit doen door wie een hoger mandaat heeft"
        )


def hand_in(own: Scope, text: str, audience: Sequence[str] = ()) -> HandedIn:
    """Takes a log of the acting region, as ``export_chain`` gave it elsewhere, over into this platform.

    Into an empty log it goes as it is: that is how a laptop is prepared. Otherwise what is new is appended, with the
    moment at which it happened and where it stood; what was handed in before, or was there from the start, is passed
    over. Regions in ``audience`` read along. Raises LedgerError when the text is not a whole and unchanged log of this
    region: nothing is taken over then.
    """
    if findings := verify(text):
        raise LedgerError(f"dit logboek klopt niet en is niet overgenomen: {'; '.join(findings[:3])}")
    facts = [parse_event(line) for line in _lines(text)]
    if strangers := sorted({fact.chain for fact in facts} - {own.region}):
        raise LedgerError(f"dit is het logboek van {', '.join(strangers)}, niet van {own.region}")
    own.rows("select pg_advisory_xact_lock(hashtextextended(%s, 0))", f"{own.world}/{own.region}")
    here = list(read_events(own, own.region))
    refuse_sealed(own, len(here))
    if not here:
        for fact, line in zip(facts, _lines(text)):
            _copy(own, fact, line, audience)
        _apply(own, facts)
        return HandedIn(0, tuple(fact.event_id for fact in facts), ())
    there = {event.hash for event in here}
    there |= {row["origin_hash"] for row in own.rows("select origin_hash from slagkracht.handed_in")}
    new = [fact for fact in facts if fact.hash not in there]
    before = {(conflict.events, conflict.what) for conflict in replay(here).conflicts}
    added: list[str] = []
    for _, together in itertools.groupby(new, key=lambda fact: fact.kind == "correction"):
        places = dict(zip((fact.event_id for fact in new), added))
        group = list(together)
        events = record_all(own, [_retold(fact, places, audience) for fact in group])
        with own.connection.cursor() as cursor:
            cursor.executemany(
                "insert into slagkracht.handed_in (world, region, origin_hash, number) values (%s, %s, %s, %s)",
                [(own.world, own.region, fact.hash, event.number) for fact, event in zip(group, events)],
            )
        added += [event.event_id for event in events]
    _apply(own, new)
    after = replay(read_events(own, own.region)).conflicts
    fresh = tuple(conflict for conflict in after if (conflict.events, conflict.what) not in before)
    return HandedIn(len(facts) - len(new), tuple(added), fresh)


def hand_in_exercise(scopes: Callable[[str], AbstractContextManager[Scope]], text: str) -> list[HandedIn]:
    """Takes a log of many regions over into the exercise, where all of them see it: a week that was simulated.

    ``scopes`` opens the log of a region. Raises LedgerError in the real world, where a region hands in its own alone.
    """
    if findings := verify(text):
        raise LedgerError(f"dit logboek klopt niet en is niet overgenomen: {'; '.join(findings[:3])}")
    chains: dict[str, list[str]] = {}
    for line in _lines(text):
        chains.setdefault(parse_event(line).chain, []).append(line + "\n")
    done = []
    for chain, lines in sorted(chains.items()):
        with scopes(chain) as own:
            if own.world != "oefening":
                raise LedgerError(
                    "een logboek van meer regio's hoort in de oefening; in het echt voert elk het eigen in"
                )
            done.append(hand_in(own, "".join(lines), everyone(own)))
    return done


def everyone(own: Scope) -> list[str]:
    """Every region, and the centre."""
    return [row["region"] for row in own.rows("select region from slagkracht.region order by region")]


def _lines(text: str) -> list[str]:
    """The entries of a whole log: one ends at a line feed and at nothing else that a text may hold."""
    return text.split("\n")[:-1]


def _retold(fact: Event, places: dict[str, str], audience: Sequence[str]) -> Fact:
    """A fact as it stands here: with where it came from, and a correction under the place that its fact got here."""
    origin = {"event_id": fact.event_id, "hash": fact.hash, "recorded_at": fact.recorded_at.isoformat()}
    body = {**fact.body, "handed_in": {**origin, "actor": fact.actor}}
    if fact.kind == "correction":
        body["corrects"] = places.get(body["corrects"], body["corrects"])
    return Fact(fact.kind, body, audience, fact.happened_at)


def _copy(own: Scope, fact: Event, line: str, audience: Sequence[str]) -> None:
    own.insert(
        "event",
        chain=fact.chain,
        audience=sorted(set(audience) - {own.region}),
        number=fact.number,
        kind=fact.kind,
        happened_at=fact.happened_at,
        recorded_at=fact.recorded_at,
        actor=fact.actor,
        body=json.dumps(fact.body),
        hash=fact.hash,
        line=line,
    )


def _apply(own: Scope, facts: Iterable[Event]) -> None:
    """Brings incidents and units up to what the facts say; the newest moment counts, whatever came in first."""
    for fact in facts:
        body = fact.body
        if fact.kind == "incident_opened":
            own.run(
                "insert into slagkracht.incident (incident_id, world, region, what, x_m, y_m, level, opened_at) "
                "values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
                body["incident"],
                own.world,
                own.region,
                body["what"],
                body["x_m"],
                body["y_m"],
                body.get("level", ""),
                fact.happened_at,
            )
        elif fact.kind == "incident_escalated":
            own.run(
                "update slagkracht.incident set level = %s, version = version + 1 "
                "where incident_id = %s and region = %s and closed_at is null",
                body["level"],
                body["incident"],
                own.region,
            )
        elif fact.kind == "incident_closed":
            own.run(
                "update slagkracht.incident set closed_at = %s, version = version + 1 "
                "where incident_id = %s and region = %s and closed_at is null",
                fact.happened_at,
                body["incident"],
                own.region,
            )
        elif fact.kind == "unit_status":
            own.run(
                "update slagkracht.unit set status = %s, status_at = %s where world = %s and unit_id = %s "
                "and region = %s and (status_at is null or status_at < %s)",
                body["status"],
                fact.happened_at,
                own.world,
                body["unit"],
                own.region,
                fact.happened_at,
            )
        if fact.kind == "unit_position" and "move_up" in body:
            own.run(
                "update slagkracht.unit_place set move_up = %s, move_up_line = %s, "
                "home_x_m = coalesce(%s, home_x_m, x_m), home_y_m = coalesce(%s, home_y_m, y_m) "
                "where world = %s and unit_id = %s and region = %s and place_at < %s",
                body["move_up"],
                body.get("line", ""),
                body.get("home_x_m"),
                body.get("home_y_m"),
                own.world,
                body["unit"],
                own.region,
                fact.happened_at,
            )
        if fact.kind in ("unit_status", "unit_position") and "x_m" in body:
            own.run(
                "update slagkracht.unit_place set x_m = %s, y_m = %s, place_at = %s "
                "where world = %s and unit_id = %s and region = %s and place_at < %s",
                body["x_m"],
                body["y_m"],
                fact.happened_at,
                own.world,
                body["unit"],
                own.region,
                fact.happened_at,
            )
