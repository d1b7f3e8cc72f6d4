"""A log leaves one platform and arrives in another: a laptop that was cut off hands in its facts, each once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from slagkracht.log import Conflict, Event, format_event, parse_event, replay
from slagkracht.server.database import Scope, set_scope
from slagkracht.server.journal import Fact, read_events, record, record_all
from slagkracht.server.ledger import LedgerError, NotAllowedError
from slagkracht.server.ledger.incidents import SHARED, show_shared
from slagkracht.server.ledger.requests import show_asked
from slagkracht.server.taking_over import ONLY_FACTS, take_over
from slagkracht.server.told_classes import settle_classes
from slagkracht.server.told_elsewhere import Became, Told, gather
from slagkracht.server.verify_log import verify

SIMULATED = "simulatie"
"""Who tells the facts of a simulation."""

NUMBERED = ("incident", "request", "line", "commitment")
"""What a simulation numbers from 1, so that two of them use the same names."""


@dataclass(frozen=True)
class HandedIn:
    """What came of a log that was handed in.

    ``known`` facts that were there already · ``added`` the ids under which the others now stand · ``conflicts`` what
    they contradict, for people to decide · ``kept`` which of them are facts alone, and why · ``again`` how many that
    were so after an earlier time are now what they say.
    """

    known: int
    added: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    kept: tuple[tuple[str, str], ...] = ()
    again: int = 0


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
    over. What a fact says is done here too where that can be (``taking_over``), and what it is about has its class
    before the fact is there. Regions in ``audience`` read along. Raises LedgerError when the text is not a whole and
    unchanged log of this region: nothing is taken over then.
    """
    return hand_in_together(own, text, [own.region], audience)[own.region]


def hand_in_together(
    own: Scope, text: str, regions: Sequence[str], audience: Sequence[str] = (), week: str = ""
) -> dict[str, HandedIn]:
    """As ``hand_in``, for the logs of ``regions`` that worked on one laptop: what they did in turn is done in turn.

    Everything in the transaction of ``own``, that acts for each region in its turn: all of it, or nothing. ``week``
    goes before the numbers of what was simulated, and the log is told again then, never copied.
    """
    if findings := verify(text):
        raise LedgerError(f"dit logboek klopt niet en is niet overgenomen: {'; '.join(findings[:3])}")
    logs: dict[str, list[Event]] = {region: [] for region in sorted(regions)}
    for line in _lines(text):
        fact = parse_event(line)
        if fact.chain not in logs:
            raise LedgerError(f"dit is het logboek van {fact.chain}, niet van {', '.join(logs)}")
        logs[fact.chain].append(_numbered(fact, week) if week else fact)
    batches = []
    for region, facts in logs.items():
        batches.append(_begin(_as(own, region), facts, copies=not week))
    turns = [(fact.recorded_at, n, fact) for n, batch in enumerate(batches) for fact in batch.todo]
    for _, n, fact in sorted(turns, key=lambda turn: turn[:2]):
        batch = batches[n]
        batch.became[fact.hash] = take_over(_as(own, batch.own.region), fact, batch.told)
    done = {batch.own.region: _append(_as(own, batch.own.region), batch, audience) for batch in batches}
    for batch in batches:
        _as(own, batch.own.region)
        batch.own.rows("select slagkracht.classify_handed_in()")
    _as(own, own.region)
    return done


@dataclass(frozen=True)
class _Batch:
    """A log on its way in: ``facts`` all of it · ``new`` what is not here · ``kept`` what is here as a fact alone (hash
    → number) · ``empty`` whether there was nothing here · ``before`` what contradicted itself already · ``became``
    what came of each fact (hash →).
    """

    own: Scope
    facts: list[Event]
    new: list[Event]
    kept: dict[str, int]
    empty: bool
    told: Told
    clashes: list[Conflict]
    before: set[tuple[tuple[str, ...], str]]
    became: dict[str, Became]

    @property
    def todo(self) -> list[Event]:
        """What is to be done here: what is new, and once more what earlier could only stand as a fact."""
        new = {fact.hash for fact in self.new}
        return [fact for fact in self.facts if fact.hash in new or fact.hash in self.kept]


def _as(own: Scope, region: str) -> Scope:
    """The same transaction, from here on for another region."""
    set_scope(own.connection, region, own.world, own.account)
    return replace(own, region=region)


def _begin(own: Scope, facts: list[Event], copies: bool) -> _Batch:
    own.rows("select pg_advisory_xact_lock(hashtextextended(%s, 0))", f"{own.world}/{own.region}")
    here = list(read_events(own, own.region))
    refuse_sealed(own, len(here))
    handed = own.rows("select origin_hash, number, kept_why from slagkracht.handed_in")
    there = {event.hash for event in here} | {row["origin_hash"] for row in handed}
    kept = {row["origin_hash"]: row["number"] for row in handed if row["kept_why"]}
    new = [fact for fact in facts if fact.hash not in there]
    again = {fact.hash for fact in facts if fact.hash in kept and fact.kind not in ONLY_FACTS}
    return _Batch(
        own=own,
        facts=facts,
        new=new,
        kept={origin: number for origin, number in kept.items() if origin in again},
        empty=copies and not here,
        told=gather(own, facts, here),
        clashes=settle_classes(own, new, here, {fact.hash for fact in facts}),
        before={(conflict.events, conflict.what) for conflict in replay(read_events(own)).conflicts},
        became={},
    )


def _append(own: Scope, batch: _Batch, audience: Sequence[str]) -> HandedIn:
    """Puts the new facts in the log, each with who reads it and what came of it."""
    places = dict[str, str]()
    for _, together in itertools.groupby(batch.new, key=lambda fact: not batch.empty and fact.kind == "correction"):
        group = list(together)
        whom = [{*audience, *batch.became[fact.hash].audience} for fact in group]
        if batch.empty:
            for fact, each in zip(group, whom, strict=True):
                _copy(own, fact, each)
            numbers = [fact.number for fact in group]
        else:
            told = [_retold(fact, places, each) for fact, each in zip(group, whom, strict=True)]
            numbers = [event.number for event in record_all(own, told)]
        places |= {fact.event_id: f"{own.region}-{number}" for fact, number in zip(group, numbers, strict=True)}
        with own.connection.cursor() as cursor:
            cursor.executemany(
                "insert into slagkracht.handed_in (world, region, origin_hash, number, kept_why) "
                "values (%s, %s, %s, %s, %s)",
                [
                    (own.world, own.region, fact.hash, number, batch.became[fact.hash].kept)
                    for fact, number in zip(group, numbers, strict=True)
                ],
            )
    show_shared(own, [fact.body["incident"] for fact in batch.new if fact.kind in SHARED])
    asked = [fact.body for fact in batch.new if fact.kind == "request_made" or "asked_of" in fact.body]
    for request in {str(body.get("request", "")) for body in asked}:
        show_asked(own, request)
    again = _tell_again(own, batch)
    fresh = [
        conflict
        for conflict in (replay(read_events(own)).conflicts if not batch.empty else ())
        if (conflict.events, conflict.what) not in batch.before
    ]
    fresh += [Conflict(tuple(places.get(e, e) for e in each.events), each.what) for each in batch.clashes]
    kept = tuple((places[f.event_id], batch.became[f.hash].kept) for f in batch.new if batch.became[f.hash].kept)
    known = len(batch.facts) - len(batch.new)
    return HandedIn(known, tuple(places.values()), tuple(fresh), kept, len(again))


def _tell_again(own: Scope, batch: _Batch) -> list[str]:
    """Of what stood here as a fact alone and is now what it says: lets those concerned read it; returns the ids."""
    done, whom = list[str](), set[str]()
    for origin, number in batch.kept.items():
        became = batch.became[origin]
        own.run("update slagkracht.handed_in set kept_why = %s where origin_hash = %s", became.kept, origin)
        if not became.kept:
            own.rows("select slagkracht.show_fact(%s, %s)", number, list(became.audience))
            done.append(f"{own.region}-{number}")
            whom |= set(became.audience)
    if done:
        text = f"wat eerder alleen als feit was overgenomen, geldt nu ook hier: {', '.join(done)}"
        record(own, "note", {"text": text}, sorted(whom))
    return done


def hand_in_exercise(scopes: Callable[[str], AbstractContextManager[Scope]], text: str) -> list[HandedIn]:
    """Takes a log of many regions over into the exercise, where all of them see it: a week that was simulated.

    ``scopes`` opens the log of a region. Raises LedgerError in the real world, where a region hands in its own alone.
    """
    if findings := verify(text):
        raise LedgerError(f"dit logboek klopt niet en is niet overgenomen: {'; '.join(findings[:3])}")
    chains: dict[str, list[str]] = {}
    for line in _lines(text):
        chains.setdefault(parse_event(line).chain, []).append(line + "\n")
    week = _week_of([parse_event(lines[0]) for lines in chains.values()])
    done = []
    for chain, lines in sorted(chains.items()):
        with scopes(chain) as own:
            if own.world != "oefening":
                raise LedgerError(
                    "een logboek van meer regio's hoort in de oefening; in het echt voert elk het eigen in"
                )
            done.append(hand_in_together(own, "".join(lines), [chain], everyone(own), week)[chain])
    return done


def _week_of(firsts: Sequence[Event]) -> str:
    """What tells a simulated week from another: the day on which it begins, and its first fact; "" = not simulated.

    The same week, also when it goes on longer, has the same.
    """
    first = min(firsts, key=lambda fact: (fact.recorded_at, fact.chain), default=None)
    if first is None or first.actor != SIMULATED:
        return ""
    return f"{first.happened_at:%y%m%d}-{first.hash[:4]}"


def _numbered(fact: Event, week: str) -> Event:
    """A simulated fact with the numbers of its own week: every simulation counts from 1."""
    body = {name: f"{week}-{value}" if name in NUMBERED else value for name, value in fact.body.items()}
    return replace(fact, body=body)


def everyone(own: Scope) -> list[str]:
    """Every region, and the centre."""
    return [row["region"] for row in own.rows("select region from slagkracht.region order by region")]


def _lines(text: str) -> list[str]:
    """The entries of a whole log: one ends at a line feed and at nothing else that a text may hold."""
    return text.split("\n")[:-1]


def _retold(fact: Event, places: dict[str, str], audience: Iterable[str]) -> Fact:
    """A fact as it stands here: with where it came from, and a correction under the place that its fact got here."""
    origin = {"event_id": fact.event_id, "hash": fact.hash, "recorded_at": fact.recorded_at.isoformat()}
    body = {**fact.body, "handed_in": {**origin, "actor": fact.actor}}
    if fact.kind == "correction":
        body["corrects"] = places.get(body["corrects"], body["corrects"])
    return Fact(fact.kind, body, tuple(audience), fact.happened_at)


def _copy(own: Scope, fact: Event, audience: Iterable[str]) -> None:
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
        line=format_event(fact),
    )
