"""The nation now: who stands, what every region keeps against its own floor, what is asked, and who could come."""

from __future__ import annotations

import datetime
import functools
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from slagkracht.log import Situation
from slagkracht.reports.columns import pack_column, pack_shapes
from slagkracht.reports.drawing import Drawing, compute_drawing
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine, Picture
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.sources.geometry import RD, WGS84, transform

WITHIN_S = (1800, 3600, 7200)
MOST_PLATOONS = 30
"""More than this many platoons at one place are not counted."""
PLAN_MAP_SECURITY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' blob:; worker-src blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src data: blob:"
)
"""What the map page may: its own scripts, in a place where the session of who is logged in does not exist."""

NARROW = 0.01
"""A region this close above its floor is shown as narrow."""


def see(own: Scope, engine: Engine, as_ordered: bool = False) -> tuple[Situation, Picture]:
    """The units as the acting region may see them, and the picture that they make; ``as_ordered`` as it will be."""
    situation = seam.read_situation(own, engine, as_ordered)
    return situation, seam.compute_picture(engine, situation, own.at)


@require_GET
@acting_required()
def show_nation(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    if engine is None:
        return render(request, "geen_plan.html")
    with acting_scope(acting) as own:
        situation, picture = see(own, engine)
        asked = read_open_requests(own)
        held = own.row(
            "select count(*) as eenheden, max(step_at) as sinds from slagkracht.commitment "
            "where world = %s and step <> 'unit_home'",
            own.world,
        )
        incidents = own.rows(
            "select * from slagkracht.incident where world = %s and closed_at is null order by opened_at desc",
            own.world,
        )
    rows = describe_regions(engine, situation, picture)
    context = {
        "regios": rows,
        "onder": [row for row in rows if row["stand"] == "onder"],
        "vrij": int(picture.standing.free.sum()),
        "eenheden": len(picture.standing),
        "bekend": int(np.isfinite(picture.age_s).sum()),
        "aanvragen": asked,
        "toegezegd": held,
        "incidenten": incidents,
        "op": picture.at,
        "venster": picture.window,
        "plan": engine.plan,
        "plaats": pick_place(engine, acting, request.GET.get("plaats", "")),
        "plaatsen": list(zip(engine.plan.regions.code.tolist(), engine.plan.regions.name.tolist(), strict=True)),
        "hash": engine.plan_hash,
        "plankaart": find_plan_map(),
    }
    return render(request, "landelijk.html", context)


def pick_place(engine: Engine, acting: Acting, asked: str) -> str:
    """The region from whose middle the platoons are counted: as asked, else one's own, else a middle one."""
    codes = engine.plan.regions.code.tolist()
    return next((code for code in (asked, acting.region, "VR06") if code in codes), codes[0])


def describe_regions(engine: Engine, situation: Situation, picture: Picture) -> list[dict[str, Any]]:
    """One row per region: its units, what it keeps, its floor, and how old what is known of it is."""
    standing = picture.standing
    newest: dict[int, datetime.datetime] = {}
    for unit in situation.units.values():
        row = engine.row_of[unit.unit]
        told = max((at for at in (unit.status_at, unit.place_at) if at is not None), default=None)
        region = int(standing.region[row])
        if told is not None and told > newest.get(region, told - datetime.timedelta(1)):
            newest[region] = told
    rows = []
    for r, code in enumerate(engine.plan.regions.code.tolist()):
        mine = standing.region == r
        now, floor, usual = (float(each[r]) for each in (picture.residual, picture.floors.share, picture.usual.share))
        lends = math.isfinite(floor)  # who lends nothing misses nothing as long as it stands as usual
        rows.append(
            {
                "code": code,
                "naam": str(engine.plan.regions.name[r]),
                "eenheden": int(mine.sum()),
                "vrij": int((mine & standing.free).sum()),
                "nu": now,
                "gewoonlijk": usual,
                "ondergrens": floor,
                "stand": "onder"
                if now < (floor if lends else usual)
                else "krap"
                if lends and now < floor + NARROW
                else "ruim",
                "gezien": newest.get(r),
            }
        )
    return rows


def read_open_requests(own: Scope) -> list[Row]:
    """Open requests that the acting region sees, each with what is still asked."""
    return own.rows(
        "select q.request_id, q.region, q.made_at, q.incident_id, i.what, "
        "coalesce(sum(l.count), 0)::int as gevraagd, coalesce(sum(l.met), 0)::int as vervuld, "
        "string_agg(l.count || ' × ' || l.formation, ', ' order by l.line_id) as regels "
        "from slagkracht.request q left join slagkracht.request_line l using (request_id) "
        "left join slagkracht.incident i on i.incident_id = q.incident_id "
        "where q.world = %s and q.closed_at is null group by q.request_id, i.what order by q.made_at desc",
        own.world,
    )


@require_GET
@acting_required()
def show_platoons(request: HttpRequest, acting: Acting) -> HttpResponse:
    """How many platoons could stand in the middle of a region, while every lender keeps its floor."""
    engine = seam.current()
    if engine is None:
        return HttpResponse(status=404)
    place = pick_place(engine, acting, request.GET.get("plaats", ""))
    with acting_scope(acting) as own:
        _, picture = see(own, engine)
    strength = seam.propose(engine, picture, [("basispeloton", MOST_PLATOONS)], seam.find_middle(engine, place))
    counts = [(limit // 60, int((strength.complete_s <= limit).sum())) for limit in WITHIN_S]
    context = {"aantallen": counts, "meest": MOST_PLATOONS, "plaats": place, "op": picture.at}
    return render(request, "deel_pelotons.html", context)


# ── the map ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.lru_cache(maxsize=2)
def drawing_of(engine: Engine) -> Drawing:
    """What is drawn of the plan in force."""
    return compute_drawing(engine.plan)


@functools.lru_cache(maxsize=2)
def _land(engine: Engine) -> dict[str, Any]:
    plan, drawing = engine.plan, drawing_of(engine)
    lon, lat = transform(plan.stations.x_m, plan.stations.y_m, RD, WGS84)
    points = [shape.representative_point() for shape in drawing.outlines]
    name_lon, name_lat = transform(
        np.array([point.x for point in points]), np.array([point.y for point in points]), RD, WGS84
    )
    return {
        "plan": engine.plan_hash,
        "schaal": 1e5,
        "regios": {
            "code": plan.regions.code.tolist(),
            "naam": plan.regions.name.tolist(),
            "vormen": pack_shapes(drawing.outlines),
            "lon": name_lon.round(5).tolist(),
            "lat": name_lat.round(5).tolist(),
        },
        "gebieden": {"vormen": pack_shapes(drawing.cells)},
        "kazernes": {
            "id": plan.stations.station_id.tolist(),
            "naam": plan.stations.name.tolist(),
            "regio": plan.regions.code[plan.stations.region].tolist(),
            "lon": lon.round(5).tolist(),
            "lat": lat.round(5).tolist(),
        },
    }


def shown_areas(engine: Engine) -> npt.NDArray[np.int64]:
    """The area that speaks for each cell on the map."""
    return drawing_of(engine).shown


def show_areas(engine: Engine, picture: Picture) -> npt.NDArray[np.uint8]:
    """Per cell on the map: 0 reached in time, 1 usually not in time either, 2 not now and usually so."""
    now = np.diff(picture.cover.area_first) > 0
    usually = np.diff(picture.usual.area_first) > 0
    return np.where(now, 0, np.where(usually, 2, 1)).astype(np.uint8)[shown_areas(engine)]


@require_GET
@acting_required()
def read_land(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The shapes of the plan in force; they change with the plan alone."""
    engine = seam.current()
    if engine is None:
        return HttpResponse(status=404)
    if request.headers.get("If-None-Match") == f'"{engine.plan_hash}"':
        return HttpResponse(status=304)
    answer = JsonResponse(_land(engine))
    answer["ETag"] = f'"{engine.plan_hash}"'
    answer["Cache-Control"] = "private, no-cache"
    return answer


@require_GET
@acting_required()
def read_now(request: HttpRequest, acting: Acting) -> HttpResponse:
    """What the live map shows: areas in time or not, units that are away or busy, and incidents."""
    engine = seam.current()
    if engine is None:
        return HttpResponse(status=404)
    with acting_scope(acting) as own:
        _, picture = see(own, engine)
        units = own.rows(
            "select u.unit_id, u.region, u.type_code, u.status, u.status_at, p.x_m, p.y_m, p.place_at, c.step, "
            "c.receiver, l.x_m as to_x_m, l.y_m as to_y_m, c.step_at from slagkracht.unit u "
            "left join slagkracht.unit_place p using (world, unit_id) "
            "left join slagkracht.commitment c on c.world = u.world and c.unit_id = u.unit_id "
            "and c.step <> 'unit_home' "
            "left join slagkracht.request_line l on l.line_id = c.line_id "
            "where u.world = %s and (c.step is not null or u.status <> 'available')",
            own.world,
        )
        incidents = own.rows(
            "select incident_id, region, what, level, x_m, y_m, opened_at from slagkracht.incident "
            "where world = %s and closed_at is null",
            own.world,
        )
    return JsonResponse(
        {
            "op": picture.at.isoformat(),
            "gebieden": pack_column(show_areas(engine, picture), "u8"),
            "eenheden": [place_on_map(row) for row in units if row["x_m"] is not None],
            "incidenten": [place_on_map(row) for row in incidents],
        }
    )


def place_on_map(row: Row) -> dict[str, Any]:
    """A row with its places in degrees instead of metres."""
    lon, lat = transform(np.array([row["x_m"]]), np.array([row["y_m"]]), RD, WGS84)
    point = {
        k: v.isoformat() if isinstance(v, datetime.datetime) else v for k, v in row.items() if not k.endswith("_m")
    }
    point |= {"lon": round(float(lon[0]), 5), "lat": round(float(lat[0]), 5)}
    if row.get("to_x_m") is not None:
        lon, lat = transform(np.array([row["to_x_m"]]), np.array([row["to_y_m"]]), RD, WGS84)
        point["naar"] = [round(float(lon[0]), 5), round(float(lat[0]), 5)]
    return point


@require_GET
@acting_required()
def show_plan_map(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The map of the plan as ``slagkracht kaart`` wrote it, shut off from the platform: it runs scripts of its own."""
    page = find_plan_map()
    if page is None:
        return render(request, "niet_gevonden.html", status=404)
    return HttpResponse(page.read_bytes(), headers={"Content-Security-Policy": PLAN_MAP_SECURITY})


def find_plan_map() -> Path | None:
    """The map page that SLAGKRACHT_KAART names; None where it names none, or while it is still being made."""
    page = Path(os.environ.get("SLAGKRACHT_KAART", ""))
    return page if page.is_file() else None
