"""The action centre: incidents, who leads, requests and what is proposed for them, and the record of it all."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as said
from django.views.decorators.http import require_GET, require_POST

from slagkracht.log import COMMITMENT_STATES, COMMITMENT_STEPS, NATIONAL_CHAIN, Commitment, Situation, replay
from slagkracht.server import assistance, documents, ledger
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.journal import read_events, record
from slagkracht.server.screens.decisions import describe_request_case
from slagkracht.server.screens.nation import read_open_requests, see
from slagkracht.server.screens.page import LEADERS, RefusedError, act, read_happened, read_moment, read_number
from slagkracht.server.screens.proposal import propose_for, read_open_lines
from slagkracht.server.screens.relief import describe_relief
from slagkracht.server.screens.words import tell as word_of

LEVELS = ("", "GRIP 1", "GRIP 2", "GRIP 3", "GRIP 4", "GRIP 5")
FACTS = {
    "decision_recorded": said("Besluit"),
    "command_handed_over": said("Leiding of sector overgedragen"),
    "note": said("Aantekening"),
    "incident_escalated": said("Opgeschaald"),
}
"""What a person records on an incident, besides what the ledger records by itself."""


@require_GET
@acting_required()
def show_centre(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    with acting_scope(acting) as own:
        context: dict[str, Any] = {
            "incidenten": own.rows(
                "select i.*, (select count(*) from slagkracht.request q "
                "where q.incident_id = i.incident_id) as aanvragen from slagkracht.incident i "
                "where world = %s order by closed_at is not null, opened_at desc limit 50",
                own.world,
            ),
            "aanvragen": read_open_requests(own),
        }
    context |= {
        "mag": bool(acting.roles & set(LEADERS)) and acting.region != NATIONAL_CHAIN,
        "niveaus": LEVELS,
        "gemeenten": municipalities(engine, acting.region) if engine else [],
        "kaart": engine is not None,
        "hash": engine.plan_hash if engine else "",
    }
    return render(request, "actiecentrum.html", context)


def municipalities(engine: Engine, region: str) -> list[tuple[str, str]]:
    """The municipalities of a region (all, for the centre) as (code, name)."""
    areas = engine.plan.areas
    mine = areas.region == seam.region_row(engine, region) if region in engine.plan.regions.code else slice(None)
    codes = np.unique(areas.municipality[mine]).tolist()
    return sorted(((code, engine.municipality.get(code, code)) for code in codes), key=lambda pair: pair[1])


def read_place(engine: Engine | None, given: Any) -> tuple[float, float]:
    """Where an incident is: coordinates when they were given, else where most people of the municipality live."""
    if given.get("x_m") or given.get("y_m"):
        return (
            read_number(given.get("x_m", ""), "x (RD)", -7_000, 300_000),
            read_number(given.get("y_m", ""), "y (RD)", 289_000, 629_000),
        )
    if engine is not None and (code := given.get("gemeente", "")):
        areas = engine.plan.areas
        people = np.where(areas.municipality == code, areas.population, -1)
        if people.max() >= 0:
            return float(areas.x_m[people.argmax()]), float(areas.y_m[people.argmax()])
    raise RefusedError("zeg waar het is: kies een gemeente of vul Rijksdriehoekscoördinaten in")


@require_POST
@acting_required(*LEADERS)
def open_incident(request: HttpRequest, acting: Acting) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        what = request.POST.get("wat", "").strip()
        if not what:
            raise RefusedError("zeg in een paar woorden wat er aan de hand is")
        x_m, y_m = read_place(seam.current(), request.POST)
        information_class = request.POST.get("klasse", "Intern")
        if information_class not in acting.classes:
            raise RefusedError("kies een informatieklasse die binnen uw mandaat valt")
        level, began_at = request.POST.get("niveau", ""), read_happened(request)
        incident = ledger.open_incident(own, what, x_m, y_m, level, information_class, began_at)
        return f"/actiecentrum/incidenten/{incident}", gettext("Incident geopend: {what}").format(what=what)

    return act(request, acting, do)


def _incident(own: Scope, incident: str) -> Row:
    row = own.row("select * from slagkracht.incident where incident_id = %s", incident)
    if row is None:
        raise ledger.NotFoundError("incident {incident} is hier niet bekend", incident=incident)
    return row


@require_GET
@acting_required()
def show_incident(request: HttpRequest, acting: Acting, incident: str) -> HttpResponse:
    engine = seam.current()
    try:
        with acting_scope(acting) as own:
            row = _incident(own, incident)
            context = describe_incident(own, row) | describe_relief(own, engine, row)
    except ledger.NotFoundError:
        return render(request, "niet_gevonden.html", status=404)
    context |= {
        "incident": row,
        "mag": bool(acting.roles & set(LEADERS)),
        "eigen": row["region"] == acting.region and bool(acting.roles & {"officier", "voorzitter"}),
        "formaties": sorted(engine.formations.values(), key=lambda f: f.dutch) if engine else [],
        "feiten_kiezen": FACTS if row["region"] == acting.region else {k: FACTS[k] for k in list(FACTS)[:3]},
        "niveaus": LEVELS[1:],
        "straks": (context["nu"] + datetime.timedelta(hours=1)).astimezone(seam.CLOCK).strftime("%Y-%m-%dT%H:%M"),
        "buren": [(str(c), str(n)) for c, n in zip(engine.plan.regions.code, engine.plan.regions.name, strict=True)]
        if engine
        else [],
    }
    return render(request, "incident.html", context)


def describe_incident(own: Scope, row: Row) -> dict[str, Any]:
    """Everything that is known of an incident: who leads, what is asked and promised, and what was decided."""
    incident = row["incident_id"]
    requests = own.rows("select * from slagkracht.request where incident_id = %s order by made_at", incident)
    ids = [each["request_id"] for each in requests]
    lines = own.rows("select * from slagkracht.request_line where request_id = any(%s) order by line_id", ids)
    events = list(read_events(own))
    situation = replay(events)
    told: list[dict[str, Any]] = [
        {"event": event, "soort": gettext(FACTS[event.kind]), "tekst": write_fact(event.body)}
        for event in events
        if event.kind in FACTS and event.body.get("incident") == incident
    ]
    told.sort(key=lambda each: each["event"].happened_at, reverse=True)
    return {
        "aanvragen": [
            {**each, "regels": [li for li in lines if li["request_id"] == each["request_id"]]} for each in requests
        ],
        "leiding": [c for (i, _), c in sorted(situation.command.items()) if i == incident],
        "feiten": told,
        "toezeggingen": group_commitments(own, [li["line_id"] for li in lines]),
        "tijdlijn": draw_timeline(own, situation, lines, own.at),
        "tegenspraken": situation.conflicts,
        "nu": own.at,
    }


def write_fact(body: dict[str, Any]) -> str:
    """A recorded fact in a sentence."""
    if "function" in body:
        told = {"function": body["function"], "before": word_of(body["from"]), "after": body["to"]}
        return str(gettext("{function}: van {before} aan {after}").format(**told))
    if "level" in body:
        return str(body["level"])
    return str(body.get("text", ""))


@require_POST
@acting_required(*LEADERS)
def tell(request: HttpRequest, acting: Acting, incident: str) -> HttpResponse:
    """Records a decision, a change of command or a note on an incident, also when it comes late."""

    def do(own: Scope) -> tuple[str, str]:
        row = _incident(own, incident)
        kind, text = request.POST.get("soort", ""), request.POST.get("tekst", "").strip()
        happened_at = ledger.read_stated(own, read_happened(request))
        audience = [row["region"], *row["audience"]]
        if kind == "incident_escalated":
            ledger.escalate_incident(own, incident, request.POST.get("niveau", ""), happened_at)
        elif kind == "incident_closed":
            assistance.close_incident(own, incident, happened_at)
        elif kind == "command_handed_over":
            function, to = request.POST.get("functie", "").strip(), request.POST.get("aan", "").strip()
            if not function or not to:
                raise RefusedError("noem de functie of sector, en wie haar nu heeft")
            before = request.POST.get("van", "").strip() or "niemand"
            body = {"incident": incident, "function": function, "from": before, "to": to}
            record(own, kind, body, audience, happened_at)
        elif kind in ("decision_recorded", "note"):
            if not text:
                raise RefusedError("schrijf op wat er besloten of gezien is")
            body = {"incident": incident, "text": text}
            if kind == "decision_recorded":
                body["decision"] = f"{incident}-{own.at:%Y%m%d%H%M%S%f}"
            record(own, kind, body, audience, happened_at)
        else:
            raise RefusedError("kies wat u vastlegt")
        return f"/actiecentrum/incidenten/{incident}", gettext("Vastgelegd in het logboek.")

    return act(request, acting, do)


@require_GET
@acting_required()
def show_hand_over(request: HttpRequest, acting: Acting, incident: str) -> HttpResponse:
    """The sheet for the next team: what runs, who leads, who is where, what was decided. Made to print."""
    try:
        with acting_scope(acting) as own:
            row = _incident(own, incident)
            context = describe_incident(own, row)
            context["adres"] = own.rows(
                "select chain, max(number) as tot from slagkracht.event where world = %s group by chain order by chain",
                own.world,
            )
    except ledger.NotFoundError:
        return render(request, "niet_gevonden.html", status=404)
    return render(request, "overdracht.html", {**context, "incident": row})


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_POST
@acting_required("officier", "voorzitter")
def make_request(request: HttpRequest, acting: Acting, incident: str) -> HttpResponse:
    """A request on the incident's place: up to four lines, with ground, mandate and who signs."""

    def do(own: Scope) -> tuple[str, str]:
        row = _incident(own, incident)
        engine = seam.current()
        needed_by = read_moment(request.POST.get("nodig_op", ""), "nodig om")
        if needed_by is None:
            raise RefusedError("zeg wanneer de eenheden er moeten zijn")
        hours = read_number(request.POST.get("uren", ""), "hoe lang", 1, 24 * 30)
        lines = []
        for formation, count in zip(request.POST.getlist("formatie"), request.POST.getlist("aantal"), strict=True):
            if not formation:
                continue
            number = int(read_number(count, "aantal", 1, 100))
            found = engine.formations.get(formation) if engine else None
            capability = found.parts[0].capability if found else formation
            lines.append(ledger.Wanted(formation, capability, number, row["x_m"], row["y_m"], needed_by, hours))
        ground = request.POST.get("grond", "")
        made = assistance.request_assistance(
            own,
            incident,
            ground,
            request.POST.get("mandaat", "").strip(),
            request.POST.get("ondertekenaar", "").strip(),
            lines,
            neighbour=request.POST.get("buurregio", "") if ground == ledger.BY_NEIGHBOUR else "",
            text=request.POST.get("toelichting", "").strip(),
            agreement=request.POST.get("afspraak_in_crisisplan", "").strip(),
            urgency=request.POST.get("reden_van_spoed", "").strip(),
            happened_at=read_happened(request),
        )
        return f"/actiecentrum/aanvragen/{made}", gettext("De aanvraag is gedaan en staat in het logboek.")

    return act(request, acting, do)


@require_GET
@acting_required()
def show_request(request: HttpRequest, acting: Acting, request_id: str) -> HttpResponse:
    engine = seam.current()
    with acting_scope(acting) as own:
        row = own.row("select * from slagkracht.request where request_id = %s", request_id)
        if row is None:
            return render(request, "niet_gevonden.html", status=404)
        lines = read_open_lines(own, request_id)
        ids = [line["line_id"] for line in lines]
        leads = acting.region in (row["region"], NATIONAL_CHAIN) and bool(acting.roles & set(LEADERS))
        offers = own.rows(
            "select o.*, l.formation from slagkracht.offer o join slagkracht.request_line l using (line_id) "
            "where o.line_id = any(%s) order by o.made_at",
            ids,
        )
        proposals: list[dict[str, Any]] = []
        if engine is not None and leads and row["closed_at"] is None:
            _, picture = see(own, engine)
            proposals = propose_for(own, engine, picture, row["region"], lines)
        situation = replay(read_events(own))
        context = {
            "aanvraag": row,
            "incident": own.row("select * from slagkracht.incident where incident_id = %s", row["incident_id"]),
            "regels": lines,
            "aanboden": [{**offer, "doet": offer["state"] == "staat" and leads} for offer in offers],
            "voorstellen": proposals,
            "leidt": leads,
            "toezeggingen": [
                {**each, "stappen": open_steps(acting, each) if acting.roles & set(LEADERS) else []}
                for each in group_commitments(own, ids)
            ],
            "tijdlijn": draw_timeline(own, situation, lines, own.at),
            "stukken": documents.list_documents(own, request_id),
            "dossier": describe_request_case(own, row),
            "naam": {r["region"]: r["name"] for r in own.rows("select region, name from slagkracht.region")},
            "open": row["closed_at"] is None,
            "overig": [
                r
                for r in own.rows("select region, name from slagkracht.region where region <> 'LAC' order by region")
                if r["region"] not in (row["region"], *row["audience"])
            ],
        }
    return render(request, "aanvraag.html", context)


@require_POST
@acting_required(*LEADERS)
def ask_regions(request: HttpRequest, acting: Acting, request_id: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        regions = request.POST.getlist("regios")
        if not regions:
            raise RefusedError("kies ten minste één regio")
        assistance.ask_regions(own, request_id, regions, read_happened(request))
        return f"/actiecentrum/aanvragen/{request_id}", gettext("Gevraagd aan {regions}.").format(
            regions=", ".join(sorted(regions))
        )

    return act(request, acting, do)


@require_POST
@acting_required(*LEADERS)
def accept_offer(request: HttpRequest, acting: Acting, offer: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        made = assistance.accept_offer(own, offer, read_happened(request))
        return _request_of(own, offer), gettext("{count} eenheden zijn toegezegd.").format(count=len(made))

    return act(request, acting, do)


def _request_of(own: Scope, offer: str) -> str:
    row = own.row(
        "select request_id from slagkracht.request_line join slagkracht.offer using (line_id) where offer_id = %s",
        offer,
    )
    return f"/actiecentrum/aanvragen/{row['request_id']}" if row else "/actiecentrum"


@require_POST
@acting_required(*LEADERS)
def move_offer(request: HttpRequest, acting: Acting, offer: str) -> HttpResponse:
    """Takes one step with every unit of an offer for which it is the next one, or with those of them that are named.

    Who lent recalls with it: released, with a reason.
    """

    def do(own: Scope) -> tuple[str, str]:
        step = request.POST.get("stap", "")
        rows = own.rows(
            "select commitment_id, step from slagkracht.commitment where offer_id = %s order by commitment_id "
            "for update",
            offer,
        )
        picked = request.POST.get("toezeggingen", "").split() or [row["commitment_id"] for row in rows]
        ready = [
            row["commitment_id"]
            for row in rows
            if row["commitment_id"] in picked and row["step"] in COMMITMENT_STEPS.get(step, ())
        ]
        if not ready:
            raise RefusedError("geen van deze eenheden kan die stap nu zetten")
        happened_at, ended = read_happened(request), list[str]()
        reason, text = request.POST.get("reden", ""), request.POST.get("toelichting", "").strip()
        for commitment in ready:
            ended += assistance.move_commitment(own, commitment, step, happened_at, reason, text)[1]
        onward = request.POST.get("terug", "") or _request_of(own, offer)
        said = gettext("{count} eenheden: {state}.").format(count=len(ready), state=word_of(step))
        if reason:
            said = gettext("{count} eenheden: teruggeroepen, met reden. De aanvrager ziet het.").format(
                count=len(ready)
            )
        if ended:
            said += " " + gettext("Wie inviel gaat terug naar de eigen kazerne: {units}.").format(
                units=", ".join(ended)
            )
        return onward, said

    return act(request, acting, do)


@require_POST
@acting_required(*LEADERS)
def close_request(request: HttpRequest, acting: Acting, request_id: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        unmet = assistance.close_request(own, request_id, read_happened(request))
        short = sum(count for _, count, _ in unmet)
        told = (
            gettext("De aanvraag is gesloten; onvervuld: {short}, met reden.")
            if short
            else gettext("De aanvraag is gesloten.")
        )
        return f"/actiecentrum/aanvragen/{request_id}", told.format(short=short)

    return act(request, acting, do)


# ── commitments ───────────────────────────────────────────────────────────────────────────────────────────────────────


def group_commitments(own: Scope, lines: list[str]) -> list[Row]:
    """Committed units per offer, step and why they left it: how many, since when, and which."""
    return own.rows(
        "select c.offer_id, c.region, c.receiver, c.step, min(c.step_at) as sinds, count(*) as aantal, "
        "string_agg(c.unit_id, ', ' order by c.unit_id) as eenheden, l.formation, o.count as formaties, o.conditions, "
        "c.dropped, c.recalled, c.recalled_why from slagkracht.commitment c "
        "join slagkracht.request_line l using (line_id) join slagkracht.offer o using (offer_id) "
        "where c.line_id = any(%s) "
        "group by c.offer_id, c.region, c.receiver, c.step, l.formation, o.count, o.conditions, l.line_id, c.dropped, "
        "c.recalled, c.recalled_why "
        "order by l.line_id, c.region",
        lines,
    )


def open_steps(acting: Acting, group: Row) -> list[tuple[str, str]]:
    """The steps that whoever acts may take with a group of units now, as (code, word)."""
    asks = acting.region in (group["receiver"], NATIONAL_CHAIN)
    lends = acting.region == group["region"]
    return [
        (step, word_of(step))
        for step, before in COMMITMENT_STEPS.items()
        if group["step"] in before and (lends if step in ledger.OWNER_STEPS else asks)
    ]


WIDTH, LABEL, ROW = 900, 210, 26
COLOURS = {
    "unit_committed": "#8a94a3", "unit_en_route": "#c77700", "unit_arrived": "#2f7d95", "unit_deployed": "#0d4f5c",
    "unit_relieved": "#7a5aa6", "unit_released": "#6f7f52", "unit_home": "#d3d9d8",
}  # fmt: skip


def draw_timeline(own: Scope, situation: Situation, lines: list[Row], now: datetime.datetime) -> dict[str, Any] | None:
    """Commitments against time, one bar per region and formation; None where nothing was promised."""
    formation = {line["line_id"]: line["formation"] for line in lines}
    groups: dict[tuple[str, str, str], list[Commitment]] = {}
    for each in situation.commitments.values():
        if each.line in formation:
            key = (formation[each.line], each.region, each.commitment.rpartition("-")[0])
            groups.setdefault(key, []).append(each)
    if not groups:
        return None
    begin = min(at for each in groups.values() for c in each for _, at in c.steps)
    end = max(now, *(line["needed_by"] for line in lines))
    span = max((end - begin).total_seconds(), 60.0)

    def x(at: datetime.datetime) -> float:
        return float(round(LABEL + (WIDTH - LABEL - 10) * (at - begin).total_seconds() / span, 1))

    bars = []
    for number, ((code, region, _offer), mine) in enumerate(sorted(groups.items())):
        slowest = max(mine, key=lambda c: (-len(c.steps), c.steps[-1][1]))
        ends = [*(at for _, at in slowest.steps[1:]), now]
        bars.append(
            {
                "y": number * ROW + 24,
                "naam": f"{region} {code} ({len(mine)})",
                "delen": [
                    {"x": x(at), "w": max(round(x(until) - x(at), 1), 2.0), "kleur": COLOURS[step],
                     "tekst": f"{word_of(step)} {at.astimezone(seam.CLOCK):%H:%M}"}
                    for (step, at), until in zip(slowest.steps, ends, strict=True)
                ],
            }
        )  # fmt: skip
    marks = [{"x": x(begin), "tekst": f"{begin.astimezone(seam.CLOCK):%d-%m %H:%M}"},
             {"x": x(now), "tekst": gettext("nu")}]  # fmt: skip
    due = min((line["needed_by"] for line in lines), default=now)
    if due > now:
        marks.append({"x": x(due), "tekst": gettext("nodig {at:%H:%M}").format(at=due.astimezone(seam.CLOCK))})
    spread_marks(marks)
    return {"balken": bars, "hoogte": len(bars) * ROW + 30, "breedte": WIDTH, "merken": marks,
            "legenda": [(COLOURS[step], word_of(step)) for step in COMMITMENT_STATES]}  # fmt: skip


LETTER = 6.6
"""How wide a letter of the timeline is, at most, in the units of its drawing."""


def spread_marks(marks: list[dict[str, Any]]) -> None:
    """Gives each mark a place for its text (``tekst_x``, its middle), beside the others and within the drawing."""
    marks.sort(key=lambda mark: mark["x"])
    wide = [len(mark["tekst"]) * LETTER for mark in marks]
    most = float(WIDTH)
    for number in range(len(marks) - 1, -1, -1):  # from the right, so that the last one stays within the drawing
        marks[number]["tekst_x"] = min(marks[number]["x"], most - wide[number] / 2)
        most = marks[number]["tekst_x"] - wide[number] / 2 - LETTER
