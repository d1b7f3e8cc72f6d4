"""Units as their region reports them: status, and place where known."""

from __future__ import annotations

import datetime
from typing import Any

from slagkracht.log import Event
from slagkracht.server.database import Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger.ground import find, find_own


def report_unit(
    scope: Scope,
    unit: str,
    status: str,
    x_m: float | None = None,
    y_m: float | None = None,
    happened_at: datetime.datetime | None = None,
    incident: str = "",
) -> Event:
    """Reports status, and place where known, of a unit of the acting region; ``incident`` what it was sent to.

    A report that comes late is logged, and does not undo a newer one. Returns the fact.
    """
    find_own(scope, "unit", unit)
    at = happened_at or scope.at
    told: dict[str, Any] = {"unit": unit, "status": status}
    if incident:
        told["incident"] = find(scope, "incident", incident)["incident_id"]
    scope.run(
        "update slagkracht.unit set status = %s, status_at = %s where world = %s and unit_id = %s "
        "and (status_at is null or status_at <= %s)",
        status,
        at,
        scope.world,
        unit,
        at,
    )
    if x_m is not None and y_m is not None:
        told |= {"x_m": x_m, "y_m": y_m}
        scope.rows("select slagkracht.place_unit(%s, %s, %s, %s)", unit, x_m, y_m, at)
    held = scope.rows("select parties from slagkracht.held_units() where unit_id = %s", unit)
    return record(scope, "unit_status", told, [party for row in held for party in row["parties"]], at)
