"""Relief on the incident screen: who relieves whom and when they leave, as a chart and a table, and asking for it."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from slagkracht.relief import REASONS
from slagkracht.reports.relief_chart import draw_rotation
from slagkracht.server import engine as seam
from slagkracht.server import relief
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine
from slagkracht.server.guard import Acting, acting_required
from slagkracht.server.relief import Planned
from slagkracht.server.screens.page import LEADERS, RefusedError, act, read_happened, read_moment, read_number

MOST_WAVES = 12
"""How many waves one request may ask: two days of four-hour shifts."""


def describe_relief(own: Scope, engine: Engine | None, incident: Row) -> dict[str, Any]:
    """For the incident screen: when relief is due, the rotation as it was worked out, and how far it was asked."""
    if engine is None:
        return {}
    held = relief.read_held(own, incident["incident_id"])
    planned = relief.read_planned(own, engine, incident["incident_id"])
    known = [each for each in held if each.formation in engine.formations]
    due = relief.needs_relief(engine, known, planned.starts if planned else None)
    context: dict[str, Any] = {"aflossing_nodig": due, "regel_aflossing": seam.describe_rule(engine, "aflossing")}
    if held:
        context["inzet_tot"] = max(each.until for each in held).astimezone(seam.CLOCK).strftime("%Y-%m-%dT%H:%M")
    if planned is None:
        return context
    waves = relief.list_waves(own, engine, incident["incident_id"], planned)
    ended = planned.starts + datetime.timedelta(days=planned.rotation.deployment.days)
    open_waves = {wave.number for wave in waves if not wave.line and wave.count > wave.own}
    return {
        **context,
        "rooster": planned,
        "golven": [{"golf": wave, "redenen": _say_why(wave.why)} for wave in waves],
        "nog_te_vragen": len(open_waves),
        "leeg": sum(wave.empty for wave in waves),
        "eind": ended,
        "lasten": describe_burden(engine, planned),
        # the drawing is ours, of names that were escaped
        "rooster_tekening": mark_safe(draw_chart(engine, planned, incident["what"])),
    }


def draw_chart(engine: Engine, planned: Planned, place: str) -> str:
    """The rotation as a chart: a row per crew, by region."""
    return draw_rotation(engine.plan, relief.read_crews(engine), planned.rotation, place)


def describe_burden(engine: Engine, planned: Planned) -> list[dict[str, Any]]:
    """What each region carries: crew shifts, beside its fair share of them."""
    rotation, regions = planned.rotation, engine.plan.regions
    return [
        {"code": str(regions.code[r]), "naam": str(regions.name[r]), "diensten": rotation.burden[r],
         "evenredig": rotation.fair[r]}
        for r in range(len(regions))
        if rotation.burden[r] > 0
    ]  # fmt: skip


def _say_why(why: dict[str, int]) -> list[str]:
    return [
        gettext("{count} ploegen: {reason}").format(count=count, reason=gettext(REASONS[code]))
        for code, count in sorted(why.items(), key=lambda pair: -pair[1])
    ]


@require_POST
@acting_required(*LEADERS)
def plan(request: HttpRequest, acting: Acting, incident: str) -> HttpResponse:
    """Works the rotation out, or mends it for what changed since."""

    def do(own: Scope) -> tuple[str, str]:
        engine = _engine()
        until = read_moment(request.POST.get("tot", ""), "inzet tot")
        relief.plan_relief(own, engine, incident, until, happened_at=read_happened(request))
        planned = relief.read_planned(own, engine, incident)
        assert planned is not None
        changed = planned.rotation.changed
        said = (
            gettext("Het aflosrooster is bijgewerkt: {changed} diensten zijn anders.").format(changed=changed)
            if changed
            else gettext("Het aflosrooster staat.")
        )
        return f"/actiecentrum/incidenten/{incident}#aflossing", said

    return act(request, acting, do)


@require_POST
@acting_required("officier", "voorzitter")
def ask(request: HttpRequest, acting: Acting, incident: str) -> HttpResponse:
    """Turns the next waves of the rotation into a request of their own, whose owner decides."""

    def do(own: Scope) -> tuple[str, str]:
        waves = int(read_number(request.POST.get("golven", "1"), "aantal golven", 1, MOST_WAVES))
        mandate, signed_by = (request.POST.get(name, "").strip() for name in ("mandaat", "ondertekenaar"))
        happened_at = read_happened(request)
        made = relief.ask_relief(own, _engine(), incident, waves, mandate, signed_by, happened_at)
        return (
            f"/actiecentrum/aanvragen/{made}",
            gettext("De aflossing is gevraagd: een eigen aanvraag, waarover elke regio zelf beslist."),
        )

    return act(request, acting, do)


@require_POST
@acting_required(*LEADERS)
def take_over(request: HttpRequest, acting: Acting, line: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        deployed, relieved = relief.take_over(own, line, read_happened(request))
        return request.POST.get("terug", "/actiecentrum"), gettext(
            "{deployed} eenheden nemen over, {relieved} zijn afgelost."
        ).format(deployed=deployed, relieved=relieved)

    return act(request, acting, do)


def _engine() -> Engine:
    engine = seam.current()
    if engine is None:
        raise RefusedError("er is geen plan geladen: zonder plan is er geen aflosrooster")
    return engine
