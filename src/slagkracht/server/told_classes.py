"""The information class of what was told elsewhere: it stands here before any fact about it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slagkracht.log import Conflict, Event
from slagkracht.server.database import CLASSES, Scope
from slagkracht.server.ledger import NotAllowedError

INCIDENT_CLASS = "Intern"
"""The class of an incident whose log does not say otherwise."""


def settle_classes(own: Scope, new: Sequence[Event], here: Sequence[Event], known: set[str]) -> list[Conflict]:
    """Lays every incident that ``new`` opens, and gives what it speaks about the class that the log says last.

    Before those facts are appended: so nobody reads one below its class. ``here`` what stands here, ``known`` the
    hashes of the whole log that is handed in. Where both sides changed a class without knowing of each other, the
    higher stands: returned as conflicts. Raises NotAllowedError for a class above the mandate of who hands in.
    """
    told = classes_told(new)
    _refuse_above(own, [given for given, _ in told.values()])
    meanwhile = classes_told(fact for fact in here if fact.hash not in known and fact.kind == "classified")
    conflicts = []
    for (what, key), (given, fact) in told.items():
        now, other = class_here(own, what, key), meanwhile.get((what, key))
        if other is not None and now is not None and given != now:
            words = f"{what} {key} is hier {now} gemaakt en elders {given}: de hoogste klasse blijft staan"
            conflicts.append(Conflict((other[1].event_id, fact.event_id), words))
            given = max(given, now, key=rank)
        if now is None and what == "incident":
            opened = next((each for each in new if _opens(each, key)), None)
            if opened is not None:
                open_incident(own, opened, given)
        elif fact.kind == "classified":
            set_class(own, what, key, given, now)
    return conflicts


def classes_told(facts: Iterable[Event]) -> dict[tuple[str, str], tuple[str, Event]]:
    """The class that facts give last to each (incident, unit or dossier; its name), and the fact that says so.

    Of two at one moment the higher counts. A class that does not exist counts as the highest.
    """
    last: dict[tuple[str, str], tuple[str, Event]] = {}
    for fact in facts:
        given = str(fact.body.get("information_class", INCIDENT_CLASS))
        given = given if given in CLASSES else CLASSES[-1]
        if fact.kind == "incident_opened":
            keys = [("incident", str(fact.body["incident"]))]
        elif fact.kind == "classified":
            keys = [(what, str(fact.body[what])) for what in ("incident", "unit", "dossier") if what in fact.body]
        else:
            continue
        for key in keys:
            before = last.get(key)
            if before is None or (before[1].happened_at, rank(before[0])) <= (fact.happened_at, rank(given)):
                last[key] = given, fact
    return last


def rank(information_class: str) -> int:
    """The higher, the fewer who see it."""
    return CLASSES.index(information_class)


def _refuse_above(own: Scope, classes: list[str]) -> None:
    row = own.row("select slagkracht.clearance() as highest")
    if row is not None and any(rank(each) >= row["highest"] for each in classes):
        raise NotAllowedError(
            "dit logboek bevat feiten boven uw informatieklasse: laat dit doen door wie een hoger mandaat heeft"
        )


def _opens(fact: Event, incident: str) -> bool:
    return fact.kind == "incident_opened" and fact.body["incident"] == incident


def open_incident(own: Scope, fact: Event, information_class: str) -> None:
    """Lays the row of an incident that was opened elsewhere, in its class from the start."""
    body = fact.body
    own.run(
        "insert into slagkracht.incident (incident_id, world, region, information_class, what, x_m, y_m, level, "
        "opened_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        body["incident"],
        own.world,
        own.region,
        information_class,
        body["what"],
        body["x_m"],
        body["y_m"],
        body.get("level", ""),
        fact.happened_at,
    )


def class_here(own: Scope, what: str, key: str) -> str | None:
    """The class that an incident, a unit or a dossier of the acting region has here; None where it is not here."""
    of = {"incident": "incident_id", "unit": "unit_id", "dossier": "dossier_id"}[what]
    row = own.row(
        f"select information_class from slagkracht.{what} where {of} = %s and world = %s and region = %s",
        key,
        own.world,
        own.region,
    )
    return row["information_class"] if row else None


def set_class(own: Scope, what: str, key: str, information_class: str, now: str | None) -> None:
    """Gives what stands here its class, and the facts about it; ``now`` None = it is here as facts alone."""
    if now is None:
        own.run(
            "insert into slagkracht.told_class (world, region, subject, information_class) values (%s, %s, %s, %s) "
            "on conflict (world, region, subject) do update set information_class = excluded.information_class",
            own.world,
            own.region,
            key,
            information_class,
        )
    own.rows("select slagkracht.classify(%s, %s, %s)", what, key, information_class)
