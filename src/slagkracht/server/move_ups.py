"""Move-ups (herbezetting): a region lets a unit of its own stand in for another station, and sends it home again."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from slagkracht.server.database import Row, Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger import LedgerError, NotAllowedError, NotFoundError

BUSY = ("alerted", "en_route", "on_scene", "unavailable")


@dataclass(frozen=True)
class Place:
    """A station where a unit may stand (RD New, m)."""

    station: str
    x_m: float
    y_m: float


def order_move_up(
    scope: Scope, unit: str, to: Place, home: Place, line: str = "", due: datetime.datetime | None = None
) -> None:
    """Lets a free unit of the acting region stand in for station ``to`` until it goes home; ``line`` what it is for.

    It is on its way, and covers from neither, until ``arrive_move_up`` says that it stands; ``due`` when it should.
    Raises LedgerError for a unit that is not free or stands in already.
    """
    row = _find(scope, unit)
    if row["region"] != scope.region:
        raise NotAllowedError(
            "eenheid {unit} is van {region}: vraag de herbezetting aan die regio", unit=unit, region=row["region"]
        )
    if row["committed"] or row["status"] in BUSY:
        raise LedgerError("eenheid {unit} is niet vrij", unit=unit)
    if row["move_up"]:
        raise LedgerError("eenheid {unit} staat al in voor een andere kazerne", unit=unit)
    scope.run(
        "insert into slagkracht.unit_place (world, unit_id, region, x_m, y_m, place_at, move_up, move_up_line, "
        "home_x_m, home_y_m, moving_up, move_up_x_m, move_up_y_m, move_up_due) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, true, %s, %s, %s) on conflict (world, unit_id) do update "
        "set x_m = excluded.x_m, y_m = excluded.y_m, place_at = excluded.place_at, move_up = excluded.move_up, "
        "move_up_line = excluded.move_up_line, home_x_m = excluded.home_x_m, home_y_m = excluded.home_y_m, "
        "moving_up = true, move_up_x_m = excluded.move_up_x_m, move_up_y_m = excluded.move_up_y_m, "
        "move_up_due = excluded.move_up_due",
        scope.world,
        unit,
        scope.region,
        home.x_m,
        home.y_m,
        scope.at,
        to.station,
        line,
        home.x_m,
        home.y_m,
        to.x_m,
        to.y_m,
        due,
    )
    told = {"unit": unit, "x_m": home.x_m, "y_m": home.y_m, "move_up": to.station, "move_up_step": "ordered"}
    told |= {"home_x_m": home.x_m, "home_y_m": home.y_m, "to_x_m": to.x_m, "to_y_m": to.y_m}
    told |= {"due": due.isoformat()} if due else {}
    record(scope, "unit_position", {**told, "line": line} if line else told)


def arrive_move_up(scope: Scope, unit: str) -> None:
    """Says that a unit of the acting region that was on its way now stands in: from here on it covers from there."""
    row = _find(scope, unit)
    if row["region"] != scope.region:
        raise NotAllowedError("eenheid {unit} is van {region}", unit=unit, region=row["region"])
    if not row["moving_up"]:
        raise LedgerError("eenheid {unit} is niet onderweg naar een andere kazerne", unit=unit)
    scope.run(
        "update slagkracht.unit_place set x_m = move_up_x_m, y_m = move_up_y_m, place_at = %s, moving_up = false "
        "where world = %s and unit_id = %s",
        scope.at,
        scope.world,
        unit,
    )
    told = {"unit": unit, "x_m": row["move_up_x_m"], "y_m": row["move_up_y_m"]}
    record(scope, "unit_position", {**told, "move_up": row["move_up"], "move_up_step": "arrived"})


def end_move_up(scope: Scope, unit: str) -> None:
    """Sends a unit of the acting region that stands in for another station home again."""
    row = _find(scope, unit)
    if row["region"] != scope.region:
        raise NotAllowedError("eenheid {unit} is van {region}", unit=unit, region=row["region"])
    if not row["move_up"]:
        raise LedgerError("eenheid {unit} staat voor geen andere kazerne in", unit=unit)
    scope.run(
        "update slagkracht.unit_place set x_m = home_x_m, y_m = home_y_m, place_at = %s, move_up = '', "
        "move_up_line = '', moving_up = false where world = %s and unit_id = %s",
        scope.at,
        scope.world,
        unit,
    )
    told = {"unit": unit, "x_m": row["home_x_m"], "y_m": row["home_y_m"]}
    record(scope, "unit_position", {**told, "move_up": "", "move_up_step": "ended"})


def end_move_ups_for(scope: Scope, line: str) -> list[str]:
    """Sends home who stood in for what was lent on a line, once all of the acting region is home; returns them."""
    away = scope.row(
        "select 1 as one from slagkracht.commitment where line_id = %s and region = %s and step <> 'unit_home' limit 1",
        line,
        scope.region,
    )
    if away is not None:
        return []
    units = [row["unit_id"] for row in read_move_ups(scope) if row["move_up_line"] == line]
    for unit in units:
        end_move_up(scope, unit)
    return units


def read_move_ups(scope: Scope) -> list[Row]:
    """The units of the acting region that stand in for another station now: where, since when and for which line."""
    return scope.rows(
        "select u.unit_id, u.type_code, u.station, p.move_up, p.move_up_line, p.place_at, p.moving_up, p.move_up_due, "
        "l.formation, "
        "l.region as receiver from slagkracht.unit_place p join slagkracht.unit u using (world, unit_id) "
        "left join slagkracht.request_line l on l.line_id = p.move_up_line "
        "where p.world = %s and p.region = %s and p.move_up <> '' order by p.place_at, u.unit_id",
        scope.world,
        scope.region,
    )


def _find(scope: Scope, unit: str) -> Row:
    row = scope.row(
        "select u.region, u.status, coalesce(p.move_up, '') as move_up, p.home_x_m, p.home_y_m, "
        "coalesce(p.moving_up, false) as moving_up, p.move_up_x_m, p.move_up_y_m, exists (select 1 from "
        "slagkracht.commitment c where c.world = u.world and c.unit_id = u.unit_id and c.step <> 'unit_home') as "
        "committed from slagkracht.unit u left join slagkracht.unit_place p using (world, unit_id) "
        "where u.world = %s and u.unit_id = %s",
        scope.world,
        unit,
    )
    if row is None:
        raise NotFoundError("{what} {key} is hier niet bekend", what="eenheid", key=unit)
    return row
