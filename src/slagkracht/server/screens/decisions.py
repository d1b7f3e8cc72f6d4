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
from slagkracht.plan import compute_hash
from slagkracht.procedures import (
    Procedure,
    Taken,
    Who,
    available_steps,
    compute_deadlines,
    compute_versions,
    draw_procedure,
    find_field,
    last_answer,
    pass_terms,
)
from slagkracht.reports.map_svg import draw_regions
from slagkracht.server import documents, dossiers
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope, scope
from slagkracht.server.engine import Engine
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.screens.nation import drawing_of
from slagkracht.server.screens.page import CLASSIFIERS, RefusedError, act


@require_GET
@acting_required()
def show_decisions(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    procedures = dossiers.read_known()
    with acting_scope(acting) as own:
        made = own.rows(
            "select * from slagkracht.board_decision where world = %s order by decided_on, decision_id", own.world
        )
        regions = own.rows(
            "select region, name from slagkracht.region where region <> %s order by region", NATIONAL_CHAIN
        )
        cases = own.rows("select * from slagkracht.dossier where world = %s order by dossier_id", own.world)
        today = own.at.astimezone(seam.CLOCK).date()
        claims = own.rows(
            "select * from slagkracht.claim where world = %s and decided_at is null order by decide_before, claim_id",
            own.world,
        )
    context: dict[str, Any] = {
        "dossiers": [describe_case(row) for row in cases],
        "procedures": procedures.values(),
        "rijksbijdragen": claims if "minister" in acting.roles else [],
        "besluiten": made[::-1],
        "uitkomsten": OUTCOMES,
        "mag": acting.region != NATIONAL_CHAIN and bool(acting.roles & {"bestuur", "voorzitter"}),
        "vandaag": today,
        "regios": [row["region"] for row in regions],
    }
    told, codes, quorum = [as_decision(row) for row in made], [row["region"] for row in regions], dossiers.find_quorum()
    names = {decision.receipt: decision.plan_name for decision in reversed(told)}
    context["plannen"] = [
        {"naam": name, "hash": receipt, "stand": compute_adoption(told, receipt, codes, today, quorum)}
        for receipt, name in reversed(names.items())
    ]
    context["quorum_status"] = procedures[dossiers.ADOPTION].status
    if engine is not None:
        adoption = compute_adoption(told, engine.plan_hash, codes, today, quorum)
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
    held = adoption.reservations.get(region)
    but = gettext(", met voorbehoud: {held}").format(held=held) if held else ""
    if region in adoption.in_force:
        return "geldt", gettext("geldt sinds {since:%d-%m-%Y}").format(since=adoption.in_force[region]) + but
    if region in adoption.waiting:
        starts = adoption.waiting[region]
        return "wacht", gettext("vastgesteld, gaat in op {starts:%d-%m-%Y}").format(starts=starts) + but
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
        if outcome not in OUTCOMES or decided_on is None:
            raise RefusedError("kies een besluit en de dag waarop het genomen is")
        dossiers.decide_on_plan(
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
    """A dossier with the Dutch names of its procedure and state; by their codes where this platform knows them not."""
    procedure = dossiers.find_procedure(row)
    code = row["content"]["state"]
    state = next(each for each in procedure.states if each.code == code) if procedure else None
    return {
        **row,
        "naam": procedure.dutch if procedure else row["procedure"],
        "toestand": state.dutch if state else code,
        "klaar": state is not None and state.final,
        "onbekend": state is None,
        "sinds": datetime.datetime.fromisoformat(row["content"]["since"]),
    }


def describe_request_case(own: Scope, asked: Row) -> dict[str, Any] | None:
    """The dossier of a request, with the terms that run in it; None where it has none, or none that may be seen."""
    row = own.row("select * from slagkracht.dossier where dossier_id = %s", asked["dossier_id"])
    if row is None:
        return None
    told = describe_case(row)
    if told["onbekend"]:
        return {**told, "termijnen": ()}
    procedure = dossiers.read_known()[row["procedure"]]
    case = pass_terms(procedure, dossiers.unpack(row), own.at)
    return {**told, "termijnen": compute_deadlines(procedure, case)}


@require_GET
@acting_required()
def show_dossier(request: HttpRequest, acting: Acting, dossier: str) -> HttpResponse:
    with acting_scope(acting) as own:
        row = own.row("select * from slagkracht.dossier where dossier_id = %s", dossier)
        if row is None:
            return render(request, "niet_gevonden.html", status=404)
        now = own.at
        asked = own.row("select request_id from slagkracht.request where dossier_id = %s", dossier)
        papers = documents.list_documents(own, asked["request_id"]) if asked else []
        regions = [each["region"] for each in own.rows("select region from slagkracht.region order by region")]
    told, case = describe_case(row), dossiers.unpack(row)
    context: dict[str, Any] = {
        "dossier": told,
        "partijen": case.parties,
        "versie": row["version"],
        "klasse_mag": bool(acting.roles & set(CLASSIFIERS)),
        "aanvraag": asked["request_id"] if asked else "",
        "stukken": papers,
    }
    if told["onbekend"]:
        context["gezet"] = [({"dutch": taken.step}, taken, taken.answers.items()) for taken in reversed(case.taken)]
        return render(request, "dossier.html", context)
    procedure = dossiers.read_known()[row["procedure"]]
    case = pass_terms(procedure, case, now)
    who = Who(acting.actor, "" if acting.region == NATIONAL_CHAIN else acting.region, acting.roles)
    engine = seam.current()
    context |= {
        "procedure": procedure,
        "stappen": [
            (step, [(find_field(procedure, name), preset(name, engine, now)) for name in step.asks])
            for step in available_steps(procedure, case, who, now)
        ],
        "elders": [step for step in procedure.steps if case.state in step.from_states and step.roles],
        "regios": [region for region in regions if region != NATIONAL_CHAIN],
        "gezet": [tell_taken(procedure, taken) for taken in reversed(case.taken)],
        "termijnen": [(each, each.ends_at <= now) for each in compute_deadlines(procedure, case)],
        # the drawing is ours, of a procedure that was refused at load when anything in it was amiss
        "tekening": mark_safe(draw_procedure(procedure, dossiers.read_roles(), case.state)),
        "versies": [(field, compute_versions(case, field.name)) for field in procedure.fields if field.kind == "stuk"],
        "plannen": [
            (field, receipt, engine is not None and compute_hash(engine.plan) == receipt)
            for field in procedure.fields
            if field.kind == "plan" and (receipt := last_answer(case, field.name))
        ],
    }
    return render(request, "dossier.html", context)


def preset(name: str, engine: Engine | None, now: datetime.datetime) -> str:
    """What stands in a field before it is filled in: the plan that is loaded here, and today for a day that passed."""
    if name == "datum":
        return f"{now.astimezone(seam.CLOCK):%Y-%m-%d}"
    if engine is None:
        return ""
    return {"verantwoording": engine.plan_hash, "plan": str(engine.plan.name)}.get(name, "")


def tell_taken(procedure: Procedure, taken: Taken) -> tuple[Any, Taken, list[tuple[str, Any]]]:
    """A step that was taken, with what was filled in under the names that people know; long texts stand elsewhere."""
    step = next((each for each in procedure.steps if each.code == taken.step), {"dutch": taken.step})
    fields = [(find_field(procedure, name), value) for name, value in taken.answers.items() if value not in ("", None)]
    return step, taken, [(field.dutch, value) for field, value in fields if field.kind != "stuk"]


@require_POST
@acting_required()
def open_dossier(request: HttpRequest, acting: Acting) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        code = request.POST.get("procedure", "")
        procedure = dossiers.read_known().get(code)
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


@require_GET
def show_register(request: HttpRequest) -> HttpResponse:
    """The public register: what a procedure made public and its owner made Open, for everyone, without logging in."""
    with scope("", "", "") as own:
        register = dossiers.read_register(own)
    entries = []
    for dossier, procedure, told in register:
        texts = {field.name for field in procedure.fields if field.kind == "stuk"}
        known = [(find_field(procedure, name), value) for name, value in told["fields"].items() if value]
        entries.append(
            {
                "kenmerk": dossier,
                "procedure": procedure.dutch,
                "status": procedure.status,
                "velden": [(field.dutch, value) for field, value in known if field.name not in texts],
                "teksten": [(field.dutch, value) for field, value in known if field.name in texts],
                "versies": [
                    (
                        find_field(procedure, name).dutch,
                        [{**text, "at": datetime.datetime.fromisoformat(text["at"])} for text in versions],
                    )
                    for name, versions in told["versions"].items()
                ],
                "door": told["by"],
                "sinds": datetime.datetime.fromisoformat(told["since"]),
            }
        )
    return render(request, "register.html", {"inschrijvingen": entries})
