"""Management: who may do what here, until when, and handing a function over with both names in the log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from slagkracht import __version__
from slagkracht.log import NATIONAL_CHAIN
from slagkracht.server import engine as seam
from slagkracht.server.database import Scope
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.journal import record
from slagkracht.server.screens.page import RefusedError, act


@require_GET
@acting_required()
def show_management(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    with acting_scope(acting) as own:
        context = {
            "mandaten": own.rows(
                "select p.name, m.role, m.region, m.starts_at, m.until, m.information_class, now() < m.until as geldt "
                "from slagkracht.mandate m join slagkracht.person p using (account_id) "
                "where m.world = %s and m.region = %s order by p.name, m.role",
                own.world,
                acting.region,
            ),
            "overdrachten": own.rows(
                "select happened_at, actor, body from slagkracht.event where world = %s and chain = %s "
                "and kind = 'function_handed_over' order by happened_at desc limit 20",
                own.world,
                acting.region,
            ),
            "versie": __version__,
            "plan": engine.plan if engine else None,
            "hash": engine.plan_hash if engine else "",
        }
    return render(request, "beheer.html", context)


@require_POST
@acting_required()
def hand_over(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Puts in the log that a function went from one to another; both are named by their function, not as a person."""

    def do(own: Scope) -> tuple[str, str]:
        function, to = request.POST.get("functie", "").strip(), request.POST.get("aan", "").strip()
        if not function or not to:
            raise RefusedError("noem de functie en wie haar overneemt")
        record(own, "function_handed_over", {"function": function, "from": acting.actor, "to": to}, [NATIONAL_CHAIN])
        return "/beheer", gettext("{function}: overgedragen aan {to}.").format(function=function, to=to)

    return act(request, acting, do)
