"""One's own region: what is asked of it, what offering would cost, where its units are and what it shares with whom."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from slagkracht.log import NATIONAL_CHAIN, UNMET_REASONS
from slagkracht.server import assistance, ledger
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine, Picture
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.screens.action import open_steps
from slagkracht.server.screens.nation import describe_regions, see
from slagkracht.server.screens.page import LEADERS, RefusedError, act, read_moment, read_number
from slagkracht.server.screens.proposal import describe_unit

TIERS = ("beschikbaarheid", "plaats", "volledig")
REDACTIONS = ("bezetting", "kazerne")


@require_GET
@acting_required()
def show_region(request: HttpRequest, acting: Acting) -> HttpResponse:
    if acting.region == NATIONAL_CHAIN:
        return redirect("/")
    engine = seam.current()
    with acting_scope(acting) as own:
        context: dict[str, Any] = {
            "gevraagd": own.rows(
                "select l.*, q.made_at, q.closed_at, i.what, (select array_agg(o.state order by o.made_at) "
                "from slagkracht.offer o where o.line_id = l.line_id and o.region = %s) as ons, "
                "(select count(*) from slagkracht.offer o where o.line_id = l.line_id and o.region = %s) as antwoorden "
                "from slagkracht.request_line l join slagkracht.request q using (request_id) "
                "left join slagkracht.incident i on i.incident_id = q.incident_id "
                "where l.world = %s and l.region <> %s and q.closed_at is null order by l.needed_by, l.line_id",
                acting.region,
                acting.region,
                own.world,
                acting.region,
            ),
            "weg": [
                {**row, "stappen": open_steps(acting, row) if acting.roles & set(LEADERS) else []}
                for row in own.rows(
                    "select c.offer_id, c.region, c.receiver, c.step, min(c.step_at) as sinds, count(*) as aantal, "
                    "string_agg(c.unit_id, ', ' order by c.unit_id) as eenheden, l.formation, l.needed_by, l.hours "
                    "from slagkracht.commitment c join slagkracht.request_line l using (line_id) "
                    "where c.region = %s and c.step <> 'unit_home' "
                    "group by c.offer_id, c.region, c.receiver, c.step, l.formation, l.needed_by, l.hours "
                    "order by min(c.step_at)",
                    acting.region,
                )
            ],
            "gedeeld": own.rows(
                "select c.*, r.name, now() < c.until and c.ended_at is null as geldt from slagkracht.consent c "
                "join slagkracht.region r on r.region = case when c.region = %s then c.receiver else c.region end "
                "where c.world = %s order by c.region <> %s, geldt desc, c.until",
                acting.region,
                own.world,
                acting.region,
            ),
            "ontvangers": own.rows(
                "select region, name from slagkracht.region where region <> %s order by region", acting.region
            ),
            "op": own.at,
        }
        if engine is not None:
            situation, picture = see(own, engine)
            context["stand"] = next(
                row for row in describe_regions(engine, situation, picture) if row["code"] == acting.region
            )
            context["eenheden"] = describe_own_units(own, engine, picture)
            context["venster"] = picture.window
    context |= {
        "mag": bool(acting.roles & set(LEADERS)),
        "trappen": TIERS,
        "weglakken": REDACTIONS,
        "tot": (context["op"] + datetime.timedelta(days=30)).astimezone(seam.CLOCK).strftime("%Y-%m-%dT%H:%M"),
    }
    return render(request, "regio.html", context)


def describe_own_units(own: Scope, engine: Engine, picture: Picture) -> list[Row]:
    """The region's units: status, how old it is, and whether they are free by the engine's measure."""
    rows = own.rows(
        "select u.unit_id, u.type_code, u.station, u.status, u.status_at, u.information_class, "
        "c.step, c.receiver, c.step_at "
        "from slagkracht.unit u left join slagkracht.commitment c on c.world = u.world and c.unit_id = u.unit_id "
        "and c.step <> 'unit_home' where u.world = %s and u.region = %s order by (c.step is null), u.unit_id",
        own.world,
        own.region,
    )
    for row in rows:
        number = engine.row_of.get(row["unit_id"])
        row["vrij"] = number is not None and bool(picture.standing.free[number])
    return rows


# ── what offering costs ───────────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
@acting_required(*LEADERS)
def show_line(request: HttpRequest, acting: Acting, line: str) -> HttpResponse:
    """A line that is asked of this region: with what units it could be met, and what the region would keep then."""
    engine = seam.current()
    with acting_scope(acting) as own:
        row = read_line(own, line)
        if row is None or acting.region in (row["region"], NATIONAL_CHAIN) or engine is None:
            return render(request, "niet_gevonden.html", status=404)
        _, picture = see(own, engine)
        picked = request.POST.getlist("eenheden") if request.method == "POST" else None
        count = int(request.POST.get("aantal") or 0) if request.POST.get("aantal", "0").isdecimal() else 0
        context = weigh_offer(engine, picture, acting.region, row, picked, count)
        context["antwoorden"] = own.rows(
            "select * from slagkracht.offer where line_id = %s and region = %s order by made_at", line, acting.region
        )
    return render(request, "aanbieden.html", {**context, "regel": row, "redenen": UNMET_REASONS})


def read_line(own: Scope, line: str) -> Row | None:
    return own.row(
        "select l.*, q.text, q.ground, q.mandate, q.signed_by, q.made_at, q.closed_at, i.what, r.name from "
        "slagkracht.request_line l join slagkracht.request q using (request_id) "
        "left join slagkracht.incident i on i.incident_id = q.incident_id "
        "join slagkracht.region r on r.region = l.region where l.line_id = %s",
        line,
    )


def weigh_offer(
    engine: Engine, picture: Picture, region: str, line: Row, picked: Sequence[str] | None, count: int
) -> dict[str, Any]:
    """What the region can offer for a line and what it keeps: for ``picked`` units, or the engine's own."""
    area = seam.find_area(engine, line["x_m"], line["y_m"])
    left = int(line["count"] - line["met"])
    made: dict[str, Any] = {"kan": 0, "kan_met_grens": 0}
    suitable: list[int] = []
    if line["formation"] in engine.formations and left > 0:
        asked = [(line["formation"], left)]
        within = seam.propose(engine, picture, asked, area, only=region)
        beyond = seam.propose(engine, picture, asked, area, only=region, keep_floors=False)
        made = {
            "kan_met_grens": int(np.isfinite(within.complete_s).sum()),
            "kan": int(np.isfinite(beyond.complete_s).sum()),
        }
        best = within if made["kan_met_grens"] else beyond
        whole = np.flatnonzero(np.isfinite(best.complete_s))
        proposed = np.flatnonzero(np.isin(best.unit_formation, whole)).tolist()
        suitable = np.flatnonzero(np.isfinite(beyond.arrival_s)).tolist()
        suitable.sort(key=lambda unit: (unit not in proposed, float(beyond.arrival_s[unit])))
        arrival_s = beyond.arrival_s
        if picked is None:
            picked = [str(engine.plan.units.unit_id[unit]) for unit in proposed if unit < len(engine.plan.units)]
            count = max(made["kan_met_grens"], min(made["kan"], 1))
    known = [unit for unit in picked or () if unit in engine.row_of]
    cost = seam.compute_cost(engine, picture, region, known)
    lost: dict[str, float] = {}
    for a in cost.areas.tolist():
        name = engine.municipality.get(str(engine.plan.areas.municipality[a]), str(engine.plan.areas.area_id[a]))
        lost[name] = lost.get(name, 0.0) + float(engine.plan.areas.population[a])
    chosen = set(known)
    below = cost.after < cost.floor
    return {
        **made,
        "nog": left,
        "aantal": max(count, 1),
        "kosten": cost,
        "onder": below,
        "herbezetting": describe_move_ups(engine, picture, region, known) if below else None,
        "verloren": sorted(lost.items(), key=lambda pair: -pair[1])[:12],
        "tot": line["needed_by"] + datetime.timedelta(hours=line["hours"]),
        "op": picture.at,
        "gekozen": len(chosen),
        "eenheden": [
            {**described, "gekozen": described["eenheid"] in chosen}
            for unit in suitable
            if unit < len(engine.plan.units)
            for described in [describe_unit(engine, unit, float(arrival_s[unit]))]
        ],
    }


def describe_move_ups(engine: Engine, picture: Picture, region: str, units: Sequence[str]) -> dict[str, Any]:
    """Which units could stand where so that the floor of ``region`` holds again once ``units`` are gone."""
    moves, plan = seam.compute_move_ups(engine, picture, units), engine.plan
    r = seam.region_row(engine, region)
    return {
        "houdt": bool(moves.mends[r]),
        "na": float(moves.residual_after[r]),
        "zetten": [
            {
                **describe_unit(engine, unit, arrival_s),
                "van": str(plan.regions.code[picture.standing.region[unit]]),
                "naar": str(plan.stations.name[origin]),
                "naar_regio": str(plan.regions.code[plan.stations.region[origin]]),
                "om": picture.at + datetime.timedelta(seconds=arrival_s),
                "hersteld": mended,
            }
            for unit, origin, arrival_s, mended in zip(
                moves.unit.tolist(), moves.origin.tolist(), moves.arrival_s.tolist(), moves.mended.tolist(), strict=True
            )
        ],
    }


@require_POST
@acting_required(*LEADERS)
def offer(request: HttpRequest, acting: Acting, line: str) -> HttpResponse:
    """Offers the chosen units; below one's own floor only knowingly, with a reason that the log keeps."""
    knowingly = request.POST.get("bewust", "").strip()

    def do(own: Scope) -> tuple[str, str]:
        engine = seam.current()
        units = request.POST.getlist("eenheden")
        count = int(read_number(request.POST.get("aantal", ""), "aantal formaties", 1, 100))
        passed = False
        if acting.region == NATIONAL_CHAIN:
            raise RefusedError("het actiecentrum heeft geen eigen eenheden om aan te bieden")
        if engine is not None and (known := [unit for unit in units if unit in engine.row_of]):
            _, picture = see(own, engine)
            cost = seam.compute_cost(engine, picture, acting.region, known)
            passed = cost.after < cost.floor
            if passed and not knowingly:
                raise RefusedError(
                    "met dit aanbod komt de restdekking onder uw ondergrens: kies minder eenheden, of schrijf op "
                    "waarom u het toch doet"
                )
        assistance.offer_units(
            own, line, units, count, request.POST.get("voorwaarden", "").strip(), knowingly if passed else ""
        )
        return "/regio", gettext("Aangeboden: {count} eenheden, voor {formations} maal de gevraagde formatie.").format(
            count=len(units), formations=count
        )

    return act(request, acting, do)


@require_POST
@acting_required(*LEADERS)
def refuse(request: HttpRequest, acting: Acting, line: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        ledger.refuse_line(own, line, request.POST.get("reden", ""), request.POST.get("toelichting", "").strip())
        return "/regio", gettext("Geweigerd; de reden staat in het logboek.")

    return act(request, acting, do)


@require_POST
@acting_required("officier", "voorzitter", "commandant", "actiecentrum")
def share(request: HttpRequest, acting: Acting) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        until = read_moment(request.POST.get("tot", ""), "tot")
        if until is None:
            raise RefusedError("delen heeft een einde: zeg tot wanneer")
        receiver, tier = request.POST.get("ontvanger", ""), request.POST.get("trap", "")
        if tier not in TIERS:
            raise RefusedError("kies wat u deelt")
        hidden = [field for field in request.POST.getlist("weglakken") if field in REDACTIONS]
        ledger.share(own, receiver, tier, until, hidden)
        return "/regio", gettext("U deelt met {receiver}.").format(receiver=receiver)

    return act(request, acting, do)


@require_POST
@acting_required("officier", "voorzitter", "commandant", "actiecentrum")
def stop_sharing(request: HttpRequest, acting: Acting, consent: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        ledger.stop_sharing(own, consent)
        return "/regio", gettext("Het delen is beëindigd.")

    return act(request, acting, do)
