"""Move-ups (herbezetting): a region lets a unit of its own stand in for another station, and sends it home again."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from slagkracht.log import MOVE_UP_STEPS, Event
from slagkracht.server import engine as seam
from slagkracht.server import ledger
from slagkracht.server.database import Row, Scope
from slagkracht.server.journal import Fact, record, record_all
from slagkracht.server.ledger import NOUNS, LedgerError, NotAllowedError, NotFoundError, read_stated

BUSY = ("alerted", "en_route", "on_scene", "unavailable")
PASSING = ("alerted", "en_route", "returning", "unavailable")
"""Statuses of a unit that does not stand at the station that it is near."""


@dataclass(frozen=True)
class Place:
    """A station where a unit may stand (RD New, m)."""

    station: str
    x_m: float
    y_m: float


def find_places(unit: str, station: str) -> tuple[Place, Place]:
    """The station that a unit is to stand in for, and its own. Raises LedgerError for what the plan does not know."""
    engine = seam.current()
    if engine is None or unit not in engine.row_of or station not in engine.plan.stations.station_id:
        raise LedgerError("kies een eenheid en een kazerne van dit plan")
    stations = engine.plan.stations
    to, home = (
        int(np.flatnonzero(stations.station_id == station)[0]),
        int(engine.plan.units.station[engine.row_of[unit]]),
    )
    if to == home:
        raise LedgerError("{station} is de eigen kazerne van eenheid {unit}", station=station, unit=unit)
    there, own = (
        Place(str(stations.station_id[s]), float(stations.x_m[s]), float(stations.y_m[s])) for s in (to, home)
    )
    return there, own


def order_move_up(
    scope: Scope, unit: str, to: Place, home: Place, line: str = "", happened_at: datetime.datetime | None = None
) -> None:
    """Lets a free unit of the acting region stand in for station ``to`` until it goes home; ``line`` what it is for.

    It is on its way, and covers from neither, until it is said or seen to stand there. Raises LedgerError for a unit
    that is not free or stands in already.
    """
    row = _find_own(scope, unit)
    if row["committed"] or row["status"] in BUSY:
        raise LedgerError("eenheid {unit} is niet vrij", unit=unit)
    if row["moving_back"]:
        raise LedgerError("eenheid {unit} is nog op weg naar huis: zeg eerst dat hij thuis is", unit=unit)
    if row["move_up"]:
        raise LedgerError("eenheid {unit} staat al in voor een andere kazerne", unit=unit)
    happened_at = read_stated(scope, happened_at)
    at, due = happened_at or scope.at, _compute_due(scope, unit, to.x_m, to.y_m, happened_at)
    unseen = row["x_m"] is None
    x_m, y_m = (home.x_m, home.y_m) if unseen else (row["x_m"], row["y_m"])
    _set(
        scope,
        unit,
        at,
        (x_m, y_m) if unseen else None,
        move_up=to.station,
        move_up_line=line,
        moving_up=True,
        move_up_x_m=to.x_m,
        move_up_y_m=to.y_m,
        move_up_due=due,
        home_x_m=home.x_m,
        home_y_m=home.y_m,
    )
    told: dict[str, Any] = {"home_x_m": home.x_m, "home_y_m": home.y_m, "to_x_m": to.x_m, "to_y_m": to.y_m}
    told |= {**_tell_due(due), **({"line": line} if line else {})}
    _record(scope, unit, (x_m, y_m), to.station, "ordered", told, happened_at)


def arrive_move_up(scope: Scope, unit: str, happened_at: datetime.datetime | None = None) -> None:
    """Says that a unit of the acting region that was on its way now stands in: from here on it covers from there."""
    row = _find_own(scope, unit)
    if not row["moving_up"] or row["moving_back"]:
        raise LedgerError("eenheid {unit} is niet onderweg naar een andere kazerne", unit=unit)
    _refuse_lent(unit, row)
    happened_at = _read_next(scope, row, happened_at)
    place = row["move_up_x_m"], row["move_up_y_m"]
    _set(scope, unit, happened_at or scope.at, place, moving_up=False)
    _record(scope, unit, place, row["move_up"], "arrived", {}, happened_at)


def return_move_up(scope: Scope, unit: str, happened_at: datetime.datetime | None = None) -> None:
    """Sends a unit of the acting region that stands in for another station, or is on its way there, home again.

    It is on its way, and covers from neither, until it is said or seen to be home.
    """
    row = _find_own(scope, unit)
    if not row["move_up"]:
        raise LedgerError("eenheid {unit} staat voor geen andere kazerne in", unit=unit)
    if row["moving_back"]:
        raise LedgerError("eenheid {unit} is al op weg naar huis", unit=unit)
    _refuse_lent(unit, row)
    happened_at = _read_next(scope, row, happened_at)
    x_m, y_m = row["home_x_m"], row["home_y_m"]
    due = _compute_due(scope, unit, x_m, y_m, happened_at)
    goal = {"move_up_x_m": x_m, "move_up_y_m": y_m, "move_up_due": due}
    _set(scope, unit, happened_at or scope.at, None, moving_up=True, moving_back=True, **goal)
    told = {"to_x_m": x_m, "to_y_m": y_m, **_tell_due(due)}
    _record(scope, unit, (row["x_m"], row["y_m"]), row["move_up"], "returning", told, happened_at)


def end_move_up(scope: Scope, unit: str, happened_at: datetime.datetime | None = None) -> None:
    """Says that a unit of the acting region that stood in for another station is home, and covers from there again."""
    row = _find_own(scope, unit)
    if not row["move_up"]:
        raise LedgerError("eenheid {unit} staat voor geen andere kazerne in", unit=unit)
    _refuse_lent(unit, row)
    happened_at = _read_next(scope, row, happened_at)
    place = row["home_x_m"], row["home_y_m"]
    _set(scope, unit, happened_at or scope.at, place, **ENDED)
    _record(scope, unit, place, "", "ended", {}, happened_at)


STEPS = dict(zip(MOVE_UP_STEPS[1:], (arrive_move_up, return_move_up, end_move_up), strict=True))
"""What is done with a unit that was ordered: step → function."""

ENDED: dict[str, Any] = {"move_up": "", "move_up_line": "", "moving_up": False, "moving_back": False}


def return_all_for(scope: Scope, line: str) -> list[str]:
    """Sends home who stands in for what was lent on a line, once all of the acting region is home; returns them."""
    away = scope.row(
        "select 1 as one from slagkracht.commitment where line_id = %s and region = %s and step <> 'unit_home' limit 1",
        line,
        scope.region,
    )
    if away is not None:
        return []
    here = [row for row in read_move_ups(scope) if row["move_up_line"] == line and not row["lent_to"]]
    units = [row["unit_id"] for row in here if not row["moving_back"]]
    for unit in units:
        return_move_up(scope, unit)
    return units


def read_move_ups(scope: Scope) -> list[Row]:
    """The units of the acting region that stand in for another station now: where, since when and for which line."""
    return scope.rows(
        "select u.unit_id, u.type_code, u.station, p.move_up, p.move_up_line, p.move_up_at, p.moving_up, "
        "p.moving_back, p.move_up_due, l.formation, l.region as receiver, c.receiver as lent_to "
        "from slagkracht.unit_place p join slagkracht.unit u using (world, unit_id) "
        "left join slagkracht.request_line l on l.line_id = p.move_up_line "
        "left join slagkracht.commitment c on c.world = u.world and c.unit_id = u.unit_id and c.step <> 'unit_home' "
        "where p.world = %s and p.region = %s and p.move_up <> '' order by p.move_up_at, u.unit_id",
        scope.world,
        scope.region,
    )


# ── where units are seen ──────────────────────────────────────────────────────────────────────────────────────────────


def report_unit(
    scope: Scope,
    unit: str,
    status: str,
    x_m: float | None = None,
    y_m: float | None = None,
    happened_at: datetime.datetime | None = None,
    incident: str = "",
) -> None:
    """As ``ledger.report_unit``; who is seen where its move-up leads stands there."""
    told = ledger.report_unit(scope, unit, status, x_m, y_m, happened_at, incident)
    if x_m is not None and status not in PASSING:
        see_places(scope, [told])


def see_places(scope: Scope, told: Iterable[Event]) -> None:
    """Ends the way of who was reported where it went: the move-up stands, or is over, as of the first such report.

    ``told`` facts of a place. How near is near is in the rule "op-de-kazerne"; the fact that follows names the report.
    """
    told = sorted(told, key=lambda fact: fact.happened_at)
    under_way = scope.rows(
        "select * from slagkracht.unit_place p where world = %s and region = %s and moving_up and unit_id = any(%s) "
        "and not exists (select 1 from slagkracht.commitment c where c.world = p.world and c.unit_id = p.unit_id "
        "and c.step <> 'unit_home')",
        scope.world,
        scope.region,
        sorted({fact.body["unit"] for fact in told}),
    )
    facts, near_m = [], seam.read_near_m(scope.at)
    for row in under_way:
        goal = row["move_up_x_m"], row["move_up_y_m"]
        mine = (f for f in told if f.body["unit"] == row["unit_id"] and f.happened_at > row["move_up_at"])
        seen = (f for f in mine if math.dist((f.body["x_m"], f.body["y_m"]), goal) <= near_m)
        if (fact := next(seen, None)) is None:
            continue
        station, step = ("", "ended") if row["moving_back"] else (row["move_up"], "arrived")
        _set(scope, row["unit_id"], fact.happened_at, None, **(ENDED if row["moving_back"] else {"moving_up": False}))
        body = {name: fact.body[name] for name in ("unit", "x_m", "y_m")}
        body |= {"move_up": station, "move_up_step": step, "follows": fact.event_id}
        facts.append(Fact("unit_position", body, (), fact.happened_at))
    if facts:
        record_all(scope, facts)


# ── one unit ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _find_own(scope: Scope, unit: str) -> Row:
    row = scope.row(
        "select u.region, u.status, coalesce(p.move_up, '') as move_up, p.x_m, p.y_m, p.home_x_m, p.home_y_m, "
        "coalesce(p.moving_up, false) as moving_up, coalesce(p.moving_back, false) as moving_back, p.move_up_at, "
        "p.move_up_x_m, p.move_up_y_m, exists (select 1 from "
        "slagkracht.commitment c where c.world = u.world and c.unit_id = u.unit_id and c.step <> 'unit_home') as "
        "committed from slagkracht.unit u left join slagkracht.unit_place p using (world, unit_id) "
        "where u.world = %s and u.unit_id = %s",
        scope.world,
        unit,
    )
    if row is None:
        raise NotFoundError("{what} {key} is hier niet bekend", what=NOUNS["unit"], key=unit)
    if row["region"] != scope.region:
        raise NotAllowedError(
            "eenheid {unit} is van {region}: vraag de herbezetting aan die regio", unit=unit, region=row["region"]
        )
    return row


def _refuse_lent(unit: str, row: Row) -> None:
    if row["committed"]:
        raise LedgerError("eenheid {unit} is in bijstand: de herbezetting is voorbij als hij thuis is", unit=unit)


def _read_next(scope: Scope, row: Row, happened_at: datetime.datetime | None) -> datetime.datetime | None:
    return read_stated(scope, happened_at, row["move_up_at"], NOUNS["move_up"])


def _compute_due(
    scope: Scope, unit: str, x_m: float, y_m: float, happened_at: datetime.datetime | None
) -> datetime.datetime | None:
    """When a unit that left at ``happened_at`` (None = now) stands at a place; None where the plan cannot tell."""
    engine = seam.current()
    if engine is None or unit not in engine.row_of:
        return None
    picture = seam.compute_picture(engine, seam.read_situation(scope, engine), scope.at)
    due = seam.compute_due(engine, picture, unit, x_m, y_m)
    return due and due - (scope.at - (happened_at or scope.at))


def _set(scope: Scope, unit: str, at: datetime.datetime, place: tuple[float, float] | None, **changes: Any) -> None:
    """Changes what is known of a unit's move-up as of ``at``, and its place where that is the newest word about it."""
    if place:
        scope.rows("select slagkracht.place_unit(%s, %s, %s, %s)", unit, *place, at)
    changes |= {"move_up_at": at}
    scope.run(
        f"update slagkracht.unit_place set {', '.join(f'{name} = %s' for name in changes)} "
        "where world = %s and unit_id = %s",
        *changes.values(),
        scope.world,
        unit,
    )


def _tell_due(due: datetime.datetime | None) -> dict[str, str]:
    return {"due": due.isoformat()} if due else {}


def _record(
    scope: Scope,
    unit: str,
    place: tuple[float, float],
    station: str,
    step: str,
    more: dict[str, Any],
    happened_at: datetime.datetime | None,
) -> None:
    told = {"unit": unit, "x_m": place[0], "y_m": place[1], "move_up": station, "move_up_step": step}
    record(scope, "unit_position", {**told, **more}, happened_at=happened_at)
