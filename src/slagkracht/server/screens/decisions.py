"""Decisions: how far the plan in force has come with 25 boards, and dossiers going through their procedures."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from slagkracht.decisions import OUTCOMES, Decision, compute_adoption
from slagkracht.log import NATIONAL_CHAIN
from slagkracht.procedures import Who, available_steps, compute_deadlines, draw_procedure, pass_terms
from slagkracht.reports.map_svg import draw_regions
from slagkracht.server import documents, dossiers
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.screens.nation import drawing_of
from slagkracht.server.screens.page import LEADERS, RefusedError, act
from slagkracht.sources.procedure_files import read_procedures

QUORUM = 25
"""How many boards the map counts to; no law makes one region's adoption depend on another's."""


@require_GET
@acting_required()
def show_decisions(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    procedures, _ = read_procedures()
    with acting_scope(acting) as own:
        made = own.rows("select * from slagkracht.board_decision where world = %s order by decided_on desc", own.world)
        regions = own.rows(
            "select region, name from slagkracht.region where region <> %s order by region", NATIONAL_CHAIN
        )
        cases = own.rows("select * from slagkracht.dossier where world = %s order by dossier_id", own.world)
        today = own.at.astimezone(seam.CLOCK).date()
    context: dict[str, Any] = {
        "dossiers": [describe_case(row) for row in cases],
        "procedures": procedures.values(),
        "besluiten": made,
        "uitkomsten": OUTCOMES,
        "mag": acting.region != NATIONAL_CHAIN and bool(acting.roles & {"bestuur", "voorzitter"}),
        "vandaag": today,
        "regios": [row["region"] for row in regions],
    }
    if engine is not None:
        told = [as_decision(row) for row in made]
        adoption = compute_adoption(told, engine.plan_hash, [row["region"] for row in regions], today, QUORUM)
        context |= {
            "plan": engine.plan,
            "hash": engine.plan_hash,
            "stand": adoption,
            "kaart": [{**row, "stand": standing_of(adoption, row["region"])} for row in regions],
            "landkaart": mark_safe(draw_adoption(engine, adoption)),
        }
    return render(request, "besluiten.html", context)


def draw_adoption(engine: Engine, adoption: Any) -> str:
    """The map of the regions, each in the colour of how its board stands to the plan."""
    regions = engine.plan.regions
    stands = [standing_of(adoption, code) for code in regions.code.tolist()]
    titles = [f"{name}: {words}" for name, (_, words) in zip(regions.name.tolist(), stands, strict=True)]
    return draw_regions(drawing_of(engine).outlines, [kind for kind, _ in stands], titles)


def as_decision(row: Row) -> Decision:
    """A decision as the engine reads it."""
    return Decision(
        row["region"], row["body"], row["plan_name"], row["receipt"], row["outcome"], row["decided_on"], row["starts"],
        row["ends"], row["reservation"],
    )  # fmt: skip


def standing_of(adoption: Any, region: str) -> tuple[str, str]:
    """How a board stands to the plan, as (code, words)."""
    if region in adoption.in_force:
        since = adoption.in_force[region]
        held = adoption.reservations.get(region)
        return "geldt", gettext("geldt sinds {since:%d-%m-%Y}").format(since=since) + (
            gettext(", met voorbehoud: {held}").format(held=held) if held else ""
        )
    if region in adoption.waiting:
        return "wacht", gettext("vastgesteld, gaat in op {starts:%d-%m-%Y}").format(starts=adoption.waiting[region])
    if region in adoption.superseded:
        return "vervangen", gettext("vervangen door een later plan")
    if region in adoption.refused:
        return "niet", gettext(adoption.refused[region])
    return "open", gettext("nog geen besluit")


@require_POST
@acting_required("bestuur", "voorzitter")
def decide(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Notes what the board of the acting region decided about exactly the plan in force on this platform."""

    def day(name: str) -> datetime.date | None:
        text = request.POST.get(name, "")
        try:
            return datetime.date.fromisoformat(text) if text else None
        except ValueError:
            raise RefusedError("{name}: schrijf een dag als 2026-07-01", name=name) from None

    def do(own: Scope) -> tuple[str, str]:
        engine = seam.current()
        if engine is None:
            raise RefusedError("er is geen plan geladen om over te besluiten")
        outcome, decided_on, starts, ends = (
            request.POST.get("besluit", ""),
            day("datum"),
            day("ingangsdatum"),
            day("vervaldatum"),
        )
        held = request.POST.get("voorbehoud", "").strip()
        adopts = outcome in OUTCOMES[:2]
        if outcome not in OUTCOMES or decided_on is None:
            raise RefusedError("kies een besluit en de dag waarop het genomen is")
        if adopts != (starts is not None) or (ends is not None and not adopts):
            raise RefusedError("een ingangsdatum hoort bij vaststellen, en alleen daarbij")
        if (starts is not None and starts < decided_on) or (ends is not None and starts is not None and ends < starts):
            raise RefusedError("de dagen volgen elkaar op: besluit, ingang, verval")
        if (outcome == OUTCOMES[1]) != bool(held):
            raise RefusedError("een voorbehoud hoort bij 'vastgesteld met voorbehoud', en alleen daarbij")
        dossiers.note_decision(
            own,
            {
                "bestuursorgaan": request.POST.get("bestuursorgaan", "").strip() or "algemeen bestuur",
                "plan": engine.plan.name,
                "verantwoording": engine.plan_hash,
                "besluit": outcome,
                "datum": decided_on,
                "ingangsdatum": starts,
                "vervaldatum": ends,
                "voorbehoud": held,
            },
        )
        return "/besluiten", gettext("Opgetekend: {outcome}.").format(outcome=outcome)

    return act(request, acting, do)


# ── dossiers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def describe_case(row: Row) -> dict[str, Any]:
    """A dossier with the Dutch names of its procedure and state."""
    procedure = read_procedures()[0][row["procedure"]]
    state = next(each for each in procedure.states if each.code == row["content"]["state"])
    since = datetime.datetime.fromisoformat(row["content"]["since"])
    return {**row, "naam": procedure.dutch, "toestand": state.dutch, "klaar": state.final, "sinds": since}


def describe_request_case(own: Scope, asked: Row) -> dict[str, Any] | None:
    """The dossier of a request, with the terms that run in it; None where it has none, or none that may be seen."""
    row = own.row("select * from slagkracht.dossier where dossier_id = %s", asked["dossier_id"])
    if row is None:
        return None
    procedure = read_procedures()[0][row["procedure"]]
    case = pass_terms(procedure, dossiers.unpack(row), own.at.astimezone(seam.CLOCK))
    return {**describe_case(row), "termijnen": compute_deadlines(procedure, case)}


@require_GET
@acting_required()
def show_dossier(request: HttpRequest, acting: Acting, dossier: str) -> HttpResponse:
    with acting_scope(acting) as own:
        row = own.row("select * from slagkracht.dossier where dossier_id = %s", dossier)
        if row is None:
            return render(request, "niet_gevonden.html", status=404)
        now = own.at.astimezone(seam.CLOCK)
        asked = own.row("select request_id from slagkracht.request where dossier_id = %s", dossier)
        papers = documents.list_documents(own, asked["request_id"]) if asked else []
    procedure = read_procedures()[0][row["procedure"]]
    case = pass_terms(procedure, dossiers.unpack(row), now)
    who = Who(acting.actor, "" if acting.region == NATIONAL_CHAIN else acting.region, acting.roles)
    steps = {step.code: step for step in procedure.steps}
    context = {
        "dossier": describe_case(row),
        "partijen": case.parties,
        "procedure": procedure,
        "stappen": available_steps(procedure, case, who, now),
        "gezet": [(steps[taken.step], taken) for taken in reversed(case.taken)],
        "termijnen": compute_deadlines(procedure, case),
        # the drawing is ours, of a procedure that was refused at load when anything in it was amiss
        "tekening": mark_safe(draw_procedure(procedure, case.state)),
        "versie": row["version"],
        "klasse_mag": bool(acting.roles & {*LEADERS, "bestuur"}),
        "aanvraag": asked["request_id"] if asked else "",
        "stukken": papers,
    }
    return render(request, "dossier.html", context)


@require_POST
@acting_required()
def open_dossier(request: HttpRequest, acting: Acting) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        code = request.POST.get("procedure", "")
        procedure = read_procedures()[0].get(code)
        if procedure is None:
            raise RefusedError("kies een procedure")
        default = acting.region if acting.region != NATIONAL_CHAIN else ""
        parties = {party: request.POST.get(f"partij-{party}") or default for party in procedure.parties}
        made = dossiers.open_dossier(own, code, parties)
        return f"/besluiten/dossiers/{made}", gettext("Dossier begonnen: {dutch}.").format(dutch=procedure.dutch)

    return act(request, acting, do)


@require_POST
@acting_required()
def take_step(request: HttpRequest, acting: Acting, dossier: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        fields = request.POST.items()
        answers = {name.removeprefix("antwoord-"): value for name, value in fields if name.startswith("antwoord-")}
        version = request.POST.get("versie", "")
        dossiers.take_dossier_step(
            own, dossier, request.POST.get("stap", ""), answers, int(version) if version.isdecimal() else None
        )
        return f"/besluiten/dossiers/{dossier}", gettext("De stap is gezet.")

    return act(request, acting, do)
