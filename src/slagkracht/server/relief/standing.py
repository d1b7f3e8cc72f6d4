"""What relief stands on: who came first to an incident and still stands there, and the crews that a plan has."""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass
from typing import Any

from slagkracht.relief import Crews, Shifts, compute_crews, compute_shifts, week_from_windows
from slagkracht.server.database import Scope
from slagkracht.server.engine import Engine

GONE = ("unit_released", "unit_home")


@dataclass(frozen=True)
class Held:
    """What an incident asked first and got: ``units`` that did not drop out on the way, as ``count`` formations."""

    line: str
    request: str
    formation: str
    count: int
    units: tuple[str, ...]
    x_m: float
    y_m: float
    needed_by: datetime.datetime
    until: datetime.datetime


@functools.lru_cache(maxsize=2)
def people_of(engine: Engine) -> tuple[Crews, Shifts, Any]:
    from slagkracht.sources.vocabulary import read_rows

    return compute_crews(engine.plan), compute_shifts(engine.plan), week_from_windows(read_rows("windows"))


def read_crews(engine: Engine) -> Crews:
    """The crews that a rotation of this plan counts its rows in."""
    return people_of(engine)[0]


def read_held(scope: Scope, incident: str) -> list[Held]:
    """The first lines of an incident that are met and still stand, in order of line."""
    rows = scope.rows(
        "select l.*, array_agg(c.unit_id order by c.unit_id) as units from slagkracht.request_line l "
        "join slagkracht.request q using (request_id) join slagkracht.commitment c using (line_id) "
        "where q.incident_id = %s and l.wave = 0 and l.met > 0 and not c.dropped group by l.line_id "
        "having exists (select 1 from slagkracht.commitment o join slagkracht.request_line w using (line_id) "
        "join slagkracht.request p using (request_id) where p.incident_id = %s and w.formation = l.formation "
        "and not o.step = any (%s)) order by l.line_id",
        incident,
        incident,
        list(GONE),
    )
    return [
        Held(
            row["line_id"],
            row["request_id"],
            row["formation"],
            int(row["met"]),
            tuple(row["units"]),
            row["x_m"],
            row["y_m"],
            row["needed_by"],
            row["needed_by"] + datetime.timedelta(hours=row["hours"]),
        )
        for row in rows
    ]


def needs_relief(engine: Engine, held: list[Held], starts: datetime.datetime | None = None) -> datetime.datetime | None:
    """When the first shift is over, where the deployment lasts longer than one shift may; None where it does not.

    ``starts`` when that shift began; None where no rotation says so yet: then by when they were asked to be there.
    """
    if not held:
        return None
    _, shifts, _ = people_of(engine)
    over = (starts or min(each.needed_by for each in held)) + datetime.timedelta(minutes=shifts.post_min)
    tail = datetime.timedelta(minutes=shifts.overlap_min)
    return over if max(each.until for each in held) > over + tail else None
