"""The nation at any past moment, step by step: a week that was, or one that was only simulated, watched on the map."""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop as said
from django.views.decorators.http import require_GET

from slagkracht.log import Event, Situation, parse_event, replay
from slagkracht.reports.columns import pack_column
from slagkracht.server import engine as seam
from slagkracht.server.database import Scope
from slagkracht.server.engine import CLOCK, Engine, Picture
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.screens.nation import describe_regions, place_on_map, show_areas
from slagkracht.server.screens.page import RefusedError, read_moment, say
from slagkracht.server.screens.sentences import write_raw, write_sentence

STEPS = (
    (1, said("1 minuut")),
    (5, said("5 minuten")),
    (15, said("15 minuten")),
    (60, said("1 uur")),
    (360, said("6 uur")),
)
USUAL_STEP = 15
MOST_FACTS = 40
"""So many facts of one step are written out; the rest is counted."""


@dataclass(frozen=True)
class Film:
    """What can be watched: the moments of the first and the last fact that one may see; None where there is none."""

    first: datetime.datetime | None
    last: datetime.datetime | None


def read_film(own: Scope) -> Film:
    row = own.row(
        "select min(happened_at) as first, max(happened_at) as last from slagkracht.event where world = %s", own.world
    )
    assert row is not None
    return Film(row["first"], row["last"])


def read_until(own: Scope, at: datetime.datetime) -> list[Event]:
    """The facts up to a moment, with every correction of them that is known now."""
    rows = own.rows(
        "select line from slagkracht.event where world = %s and (happened_at <= %s or kind = 'correction') "
        "order by chain, number",
        own.world,
        at,
    )
    return [parse_event(row["line"]) for row in rows]


def see_then(own: Scope, engine: Engine, at: datetime.datetime) -> tuple[list[Event], Situation, Picture]:
    """The facts up to a moment, what they add up to for the units of the plan, and the picture that those make."""
    events = read_until(own, at)
    seen = replay(events, at)
    seen = dataclasses.replace(seen, units={u: state for u, state in seen.units.items() if u in engine.row_of})
    return events, seen, seam.compute_picture(engine, seen, at)


@require_GET
@acting_required()
def show_past(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The figures of the nation at ``om``, and what happened in the step before it."""
    engine = seam.current()
    if engine is None:
        return render(request, "geen_plan.html")
    fault, at = "", None
    try:
        at = read_moment(request.GET.get("om", ""), "beeld om")
    except RefusedError as error:
        fault = say(error)
    step = next((minutes for minutes, _ in STEPS if str(minutes) == request.GET.get("stap")), USUAL_STEP)
    with acting_scope(acting) as own:
        film = read_film(own)
        at = at or film.first or own.at
        at += datetime.timedelta(minutes={"-1": -step, "1": step}.get(request.GET.get("naar", ""), 0))
        events, seen, picture = see_then(own, engine, at)
    since = at - datetime.timedelta(minutes=step)
    fresh = sorted((e for e in events if since < e.happened_at <= at), key=lambda e: (e.happened_at, e.event_id))
    rows = describe_regions(engine, seen, picture)
    context: dict[str, Any] = {
        "om": at,
        "om_veld": f"{at.astimezone(CLOCK):%Y-%m-%dT%H:%M}",
        "stap": step,
        "stappen": STEPS,
        "film": film,
        "voorbij": film.last is not None and at >= film.last,
        "fout": fault,
        "hash": engine.plan_hash,
        "plan": engine.plan,
        "venster": picture.window,
        "vrij": int(picture.standing.free.sum()),
        "eenheden": len(picture.standing),
        "regios": rows,
        "onder": [row for row in rows if row["stand"] == "onder"],
        "incidenten": [incident for incident in seen.incidents.values() if incident.closed_at is None],
        "tegenspraken": len(seen.conflicts),
        "feiten": [
            (event, write_sentence(event.kind, event.body), write_raw(event.body)) for event in fresh[-MOST_FACTS:]
        ],
        "meer": max(0, len(fresh) - MOST_FACTS),
    }
    return render(request, "terugkijken.html", context)


@require_GET
@acting_required()
def read_then(request: HttpRequest, acting: Acting) -> HttpResponse:
    """What the map shows of a past moment, in the words of the live one."""
    engine = seam.current()
    try:
        at = read_moment(request.GET.get("om", ""), "beeld om")
    except RefusedError:
        at = None
    if engine is None or at is None:
        return HttpResponse(status=404)
    with acting_scope(acting) as own:
        _, seen, picture = see_then(own, engine, at)
    return JsonResponse(
        {
            "op": at.isoformat(),
            "gebieden": pack_column(show_areas(engine, picture), "u8"),
            "eenheden": [place_on_map(row) for row in _busy(engine, seen)],
            "incidenten": [
                place_on_map(
                    {"incident_id": i.incident, "region": _region_of(engine, i.x_m, i.y_m), "what": i.what,
                     "level": i.level, "x_m": i.x_m, "y_m": i.y_m, "opened_at": i.opened_at}
                )
                for i in seen.incidents.values()
                if i.closed_at is None
            ],
        }
    )  # fmt: skip


def _busy(engine: Engine, seen: Situation) -> list[dict[str, Any]]:
    """Units that are not at rest: where they were seen, else at their incident, else at their station."""
    plan, rows = engine.plan, []
    for unit in seen.units.values():
        number = engine.row_of.get(unit.unit)
        step = seen.commitments[unit.commitment].step if unit.commitment in seen.commitments else None
        if number is None or (step is None and unit.status in ("", "available")):
            continue
        station = plan.units.station[number]
        incident = seen.incidents.get(unit.incident)
        place = (float(plan.stations.x_m[station]), float(plan.stations.y_m[station]))
        if incident is not None and unit.status == "on_scene":
            place = (incident.x_m, incident.y_m)
        if unit.x_m is not None and unit.y_m is not None:
            place = (unit.x_m, unit.y_m)
        there = incident if incident is not None and unit.status in ("alerted", "en_route") else None
        rows.append(
            {
                "unit_id": unit.unit, "region": str(plan.regions.code[plan.stations.region[station]]),
                "type_code": str(plan.units.type_code[number]), "status": unit.status, "status_at": unit.status_at,
                "place_at": unit.place_at or unit.status_at, "step": step, "x_m": place[0], "y_m": place[1],
                "to_x_m": there.x_m if there else None, "to_y_m": there.y_m if there else None,
            }
        )  # fmt: skip
    return rows


def _region_of(engine: Engine, x_m: float, y_m: float) -> str:
    return str(engine.plan.regions.code[engine.plan.areas.region[seam.find_area(engine, x_m, y_m)]])
