"""One's own region: what is asked of it, what offering would cost, where its units are and what it shares with whom."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as said
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from slagkracht.log import NATIONAL_CHAIN, REFUSAL_REASONS
from slagkracht.server import assistance, costs, ledger, move_ups
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine, Picture
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.offers import count_formations, weigh
from slagkracht.server.refusals import SaidError
from slagkracht.server.screens.action import open_steps
from slagkracht.server.screens.nation import describe_regions, see
from slagkracht.server.screens.page import LEADERS, RefusedError, act, read_happened, read_moment, read_number, say
from slagkracht.server.screens.proposal import describe_unit
from slagkracht.server.screens.sentences import name_station

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
                "select l.*, q.made_at, q.closed_at, i.what, (select jsonb_agg(jsonb_build_object('state', o.state, "
                "'count', o.count, 'reason', o.reason) order by o.made_at) from slagkracht.offer o "
                "where o.line_id = l.line_id and o.region = %s) as ons, "
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
                    "string_agg(c.unit_id, ', ' order by c.unit_id) as eenheden, l.formation, l.needed_by, l.hours, "
                    "string_agg(c.commitment_id, ' ' order by c.unit_id) as alle, "
                    "jsonb_agg(array[c.commitment_id, c.unit_id] order by c.unit_id) as leden, "
                    "c.dropped, c.recalled, c.recalled_why, c.step <> 'unit_released' as terug_te_roepen "
                    "from slagkracht.commitment c join slagkracht.request_line l using (line_id) "
                    "where c.region = %s and c.step <> 'unit_home' "
                    "group by c.offer_id, c.region, c.receiver, c.step, l.formation, l.needed_by, l.hours, "
                    "c.dropped, c.recalled, c.recalled_why "
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
            "kosten": costs.read_own_files(own),
            "op": own.at,
        }
        if engine is not None:
            situation, picture = see(own, engine)
            context["stand"] = next(
                row for row in describe_regions(engine, situation, picture) if row["code"] == acting.region
            )
            context["eenheden"] = describe_own_units(own, engine, picture)
            context["venster"] = picture.window
            context["ingevallen"] = describe_stand_ins(own, engine)
            if context["stand"]["stand"] == "onder":
                _, ahead = see(own, engine, as_ordered=True)
                r = seam.region_row(engine, acting.region)
                context["hersteld_straks"] = bool(ahead.residual[r] >= ahead.floors.share[r])
                if not context["hersteld_straks"]:
                    context["herbezetting"] = describe_move_ups(engine, ahead, acting.region, [])
    context |= {
        "mag": bool(acting.roles & set(LEADERS)),
        "redenen": REFUSAL_REASONS,
        "trappen": TIERS,
        "weglakken": REDACTIONS,
        "tot": (context["op"] + datetime.timedelta(days=30)).astimezone(seam.CLOCK).strftime("%Y-%m-%dT%H:%M"),
    }
    return render(request, "regio.html", context)


def describe_own_units(own: Scope, engine: Engine, picture: Picture) -> list[Row]:
    """The region's units: status, how old it is, and whether they are free by the engine's measure."""
    rows = own.rows(
        "select u.unit_id, u.type_code, u.station, u.status, u.status_at, u.information_class, "
        "c.step, c.receiver, c.step_at, p.move_up, p.moving_up "
        "from slagkracht.unit u left join slagkracht.unit_place p using (world, unit_id) "
        "left join slagkracht.commitment c on c.world = u.world and c.unit_id = u.unit_id "
        "and c.step <> 'unit_home' where u.world = %s and u.region = %s order by (c.step is null), u.unit_id",
        own.world,
        own.region,
    )
    for row in rows:
        number = engine.row_of.get(row["unit_id"])
        row["vrij"] = number is not None and bool(picture.standing.free[number])
    return rows


def describe_stand_ins(own: Scope, engine: Engine) -> list[Row]:
    """The region's units that stand in for another station, with the names of both."""
    stations = engine.plan.stations
    name_of = dict(zip(stations.station_id.tolist(), stations.name.tolist(), strict=True))
    return [
        {**row, "kazerne": describe_unit(engine, engine.row_of[row["unit_id"]], 0.0)["kazerne"]
         if row["unit_id"] in engine.row_of else row["station"], "naar": name_of.get(row["move_up"], row["move_up"])}
        for row in move_ups.read_move_ups(own)
    ]  # fmt: skip


# ── what offering costs ───────────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
@acting_required(*LEADERS)
def show_line(request: HttpRequest, acting: Acting, line: str) -> HttpResponse:
    """A line that is asked of this region: with what units it could be met, and what the region would keep then."""
    return _show_line(request, acting, line)


def _show_line(request: HttpRequest, acting: Acting, line: str, told: dict[str, Any] | None = None) -> HttpResponse:
    engine = seam.current()
    with acting_scope(acting) as own:
        row = read_line(own, line)
        if row is None or acting.region in (row["region"], NATIONAL_CHAIN) or engine is None:
            return render(request, "niet_gevonden.html", status=404)
        _, picture = see(own, engine, as_ordered=True)
        picked, count = read_picked(request)
        context = weigh_offer(engine, picture, acting.region, row, picked, count)
        context["onderweg"] = [each for each in describe_stand_ins(own, engine) if each["moving_up"]]
        context["antwoorden"] = own.rows(
            "select * from slagkracht.offer where line_id = %s and region = %s order by made_at", line, acting.region
        )
    given = {name: request.POST.get(name, "") for name in ("voorwaarden", "bewust", "gebeurd_op")}
    context |= {"regel": row, "redenen": REFUSAL_REASONS, "gegeven": given, "regio": acting.region}
    context["hier"] = f"/regio/regels/{line}"
    return render(request, "aanbieden.html", context | ({"melding": told} if told else {}))


def read_picked(request: HttpRequest) -> tuple[list[str] | None, int]:
    """What a form says to offer: the ticked units, or (None, how many) where the number was changed since it was shown.

    So the one that was changed last counts, and the other follows it.
    """
    count, shown = (
        int(given) if (given := request.POST.get(name, "")).isdecimal() else 0 for name in ("aantal", "aantal_was")
    )
    if request.method != "POST" or (shown and count and count != shown):
        return None, count
    return request.POST.getlist("eenheden"), count


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
    """What the region can offer for a line and what it keeps: with ``picked`` units, or with the engine's own.

    Where no units are picked they are proposed for ``count`` formations (0 = as many as its floor allows, and one at
    least); where they are, the count is what they make.
    """
    area = seam.find_area(engine, line["x_m"], line["y_m"])
    left = int(line["count"] - line["met"])
    made: dict[str, Any] = {"kan": 0, "kan_met_grens": 0, "mist": {}, "extra": 0}
    suitable: list[int] = []
    if line["formation"] in engine.formations and left > 0:
        asked = [(line["formation"], left)]
        within = seam.propose(engine, picture, asked, area, only=region)
        beyond = seam.propose(engine, picture, asked, area, only=region, keep_floors=False)
        made |= {
            "kan_met_grens": int(np.isfinite(within.complete_s).sum()),
            "kan": int(np.isfinite(beyond.complete_s).sum()),
        }
        if picked is None:
            count = min(count, made["kan"]) or max(made["kan_met_grens"], min(made["kan"], 1))
            best = within if count == made["kan_met_grens"] else beyond
            if 0 < count < left:
                asked = [(line["formation"], count)]
                best = seam.propose(
                    engine, picture, asked, area, only=region, keep_floors=count <= made["kan_met_grens"]
                )
            whole = np.flatnonzero(np.isfinite(best.complete_s))
            proposed = np.flatnonzero(np.isin(best.unit_formation, whole)).tolist()
            picked = [str(engine.plan.units.unit_id[unit]) for unit in proposed if unit < len(engine.plan.units)]
        made |= count_formations(engine, picture, line, picked)
        chosen_rows = {engine.row_of[unit] for unit in picked if unit in engine.row_of}
        suitable = np.flatnonzero(np.isfinite(beyond.arrival_s)).tolist()
        suitable.sort(key=lambda unit: (unit not in chosen_rows, float(beyond.arrival_s[unit])))
        arrival_s = beyond.arrival_s
    else:
        made["aantal"] = max(count, 1)
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
                "eigen": str(plan.regions.code[picture.standing.region[unit]]) == region,
                "kazerne_id": str(plan.stations.station_id[origin]),
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
    """Offers the chosen units; below one's own floor only knowingly, with a reason that the log keeps.

    Where the number and the units that were sent do not agree nothing is offered: the page comes back with both mended.
    """

    def do(own: Scope) -> tuple[str, str]:
        units = request.POST.getlist("eenheden")
        count = int(read_number(request.POST.get("aantal", ""), "aantal formaties", 1, 100))
        if acting.region == NATIONAL_CHAIN:
            raise RefusedError("het actiecentrum heeft geen eigen eenheden om aan te bieden")
        row = read_line(own, line)
        weighed = weigh(own, row, units) if row is not None else None
        if row is not None and weighed is not None and weighed.makes not in (None, count):
            raise DisagreeError(
                "de aangevinkte eenheden zijn {made} maal {formation}, niet {count} maal: er is niets "
                "aangeboden. Zie hieronder wat nu is aangevinkt, en bied dat aan",
                made=weighed.makes,
                formation=row["formation"],
                count=count,
            )
        given, why = (request.POST.get(name, "").strip() for name in ("voorwaarden", "bewust"))
        assistance.offer_units(own, line, units, count, given, why, read_happened(request), weighed)
        return "/regio", gettext("Aangeboden: {count} eenheden, voor {formations} maal de gevraagde formatie.").format(
            count=len(units), formations=count
        )

    try:
        return act(request, acting, do)
    except DisagreeError as error:
        return _show_line(request, acting, line, {"fout": True, "tekst": say(error)})


class DisagreeError(SaidError):
    """The number of formations and the units that should make them do not agree."""


@require_POST
@acting_required(*LEADERS)
def refuse(request: HttpRequest, acting: Acting, line: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        text = request.POST.get("toelichting", "").strip()
        ledger.refuse_line(own, line, request.POST.get("reden", ""), text, read_happened(request))
        return "/regio", gettext("Geweigerd; de reden staat in het logboek.")

    return act(request, acting, do)


# ── move-ups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_POST
@acting_required(*LEADERS)
def order_move_up(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Lets a unit of the region stand in for another station, as the page advised; what was ticked stays ticked."""
    unit, _, station = request.POST.get("zet", "").partition("|")
    line = request.POST.get("regel", "")
    told: dict[str, Any] = {"fout": False}

    def do(own: Scope) -> tuple[str, str]:
        move_ups.order_move_up(own, unit, *move_ups.find_places(unit, station), line)
        told["tekst"] = gettext("{unit} valt in op {station}; het staat in het logboek.").format(
            unit=unit, station=name_station(station)
        )
        return request.POST.get("terug") or "/regio", told["tekst"]

    answer = act(request, acting, do)
    if line and "tekst" in told:
        request.session.pop("melding", None)
        return _show_line(request, acting, line, told)
    return answer


STEPS_SAID = {
    "arrived": said("{unit} staat er, en telt daar nu mee."),
    "returning": said("{unit} gaat terug naar de eigen kazerne, en telt nergens mee tot hij er is."),
    "ended": said("{unit} is thuis, en telt daar weer mee."),
}


@require_POST
@acting_required(*LEADERS)
def step_move_up(request: HttpRequest, acting: Acting, unit: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        step = request.POST.get("stap", "")
        if step not in STEPS_SAID:
            raise RefusedError("kies wat er met de herbezetting gebeurt")
        move_ups.STEPS[step](own, unit, read_happened(request))
        return "/regio", gettext(STEPS_SAID[step]).format(unit=unit)

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
