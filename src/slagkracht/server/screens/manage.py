"""Management: who may do what here, until when and up to which class, and a function that passes from hand to hand."""

from __future__ import annotations

import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from slagkracht import __version__
from slagkracht.server import engine as seam
from slagkracht.server import handover, ledger
from slagkracht.server.database import CLASSES, Scope
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.interfaces import events
from slagkracht.server.screens.page import CLASSIFIERS, RefusedError, act, read_moment, read_number
from slagkracht.server.screens.words import tell

USUAL_DAYS = 365
"""How long a mandate lasts when the form is left as it comes."""


@require_GET
@acting_required()
def show_management(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    with acting_scope(acting) as own:
        people = handover.read_people(own)
        context = {
            "mandaten": [row for row in people if row["mandate_id"] is not None],
            "personen": list({row["account_id"]: row["name"] for row in people}.items()),
            "overdrachten": own.rows(
                "select happened_at, actor, body from slagkracht.event where world = %s and chain = %s "
                "and kind = 'function_handed_over' order by happened_at desc limit 20",
                own.world,
                acting.region,
            ),
            "abonnementen": events.list_subscriptions(own),
            "eigen_rollen": sorted(acting.roles),
            "beheert": handover.ADMIN in acting.roles,
            "rollen": list(handover.roles_of(acting.region)),
            "klassen": CLASSES,
            "tot": (own.at + datetime.timedelta(USUAL_DAYS)).astimezone(seam.CLOCK).strftime("%Y-%m-%dT%H:%M"),
            "versie": __version__,
            "plan": engine.plan if engine else None,
            "hash": engine.plan_hash if engine else "",
        }
    return render(request, "beheer.html", context)


@require_POST
@acting_required()
def hand_over(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Passes a function that one holds to another of the same region; the log gets both names."""

    def do(own: Scope) -> tuple[str, str]:
        role, to = request.POST.get("functie", ""), int(read_number(request.POST.get("aan", ""), "aan wie", 1, 2**62))
        handover.hand_over_function(own, role, to, request.POST.get("blad", "").strip())
        return "/beheer", gettext("{role}: overgedragen.").format(role=tell(role))

    return act(request, acting, do)


@require_POST
@acting_required(handover.ADMIN)
def give_mandate(request: HttpRequest, acting: Acting) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        until = read_moment(request.POST.get("tot", ""), "tot")
        if until is None:
            raise RefusedError("een mandaat heeft een einde: zeg tot wanneer")
        account = int(read_number(request.POST.get("persoon", ""), "persoon", 1, 2**62))
        starts = read_moment(request.POST.get("vanaf", ""), "vanaf")
        role, what = request.POST.get("rol", ""), request.POST.get("waarvoor", "").strip()
        handover.give_mandate(own, account, role, until, what, request.POST.get("klasse", ""), starts)
        return "/beheer", gettext("Het mandaat is gegeven en staat in het logboek.")

    return act(request, acting, do)


@require_POST
@acting_required(handover.ADMIN)
def end_mandate(request: HttpRequest, acting: Acting, mandate: int) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        handover.end_mandate(own, mandate)
        return "/beheer", gettext("Het mandaat is beëindigd.")

    return act(request, acting, do)


@require_POST
@acting_required(*CLASSIFIERS)
def classify(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Gives an incident, a unit or a dossier of the acting region another class."""

    def do(own: Scope) -> tuple[str, str]:
        what, key, into = (request.POST.get(name, "").strip() for name in ("wat", "kenmerk", "klasse"))
        ledger.classify(own, what, key, into)
        return request.POST.get("terug") or "/", gettext("{key} is nu {information_class}.").format(
            key=key, information_class=tell(into)
        )

    return act(request, acting, do)
