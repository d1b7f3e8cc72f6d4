"""The log: every fact one may see, the picture at any past moment, and the proof that nothing was changed."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from slagkracht.log import KINDS, UNIT_STATUSES, Event, replay, verify_chain
from slagkracht.server.database import Row, scope
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.journal import read_events
from slagkracht.server.screens.page import RefusedError, read_moment, say
from slagkracht.server.screens.words import tell

PAGE = 100


@require_GET
@acting_required()
def show_log(request: HttpRequest, acting: Acting) -> HttpResponse:
    chain, kind = request.GET.get("keten", ""), request.GET.get("soort", "")
    fault, at, known_at = "", None, None
    try:
        at = read_moment(request.GET.get("om", ""), "beeld om")
        known_at = read_moment(request.GET.get("bekend_op", ""), "bekend op")
    except RefusedError as error:
        fault = say(error)
    with acting_scope(acting) as own:
        where, values = "world = %s", [own.world]
        for column, value in (("chain", chain), ("kind", kind)):
            if value and "\x00" not in value:
                where, values = f"{where} and {column} = %s", [*values, value]
        rows = own.rows(
            "select chain, number, kind, happened_at, recorded_at, actor, body, hash from slagkracht.event "
            f"where {where} order by recorded_at desc, chain, number desc limit {PAGE}",
            *values,
        )
        chains = own.rows(
            "select chain, count(*) as aantal, max(number) as laatste from slagkracht.event where world = %s "
            "group by chain order by chain",
            own.world,
        )
        events = list(read_events(own)) if at or known_at else []
        context: dict[str, Any] = {"controle": verify_own(acting) if request.GET.get("controle") else None}
    context |= {
        "feiten": [{**row, "tekst": write_body(row["body"]), "laat": is_late(row)} for row in rows],
        "ketens": chains,
        "soorten": [(code, tell(code)) for code in KINDS],
        "keten": chain,
        "soort": kind,
        "om": request.GET.get("om", ""),
        "bekend_op": request.GET.get("bekend_op", ""),
        "fout": fault,
        "beeld": describe_past(events, at, known_at) if at or known_at else None,
        "meer": len(rows) == PAGE,
    }
    return render(request, "logboek.html", context)


def is_late(row: Row) -> bool:
    """Whether a fact was recorded more than five minutes after it happened."""
    return bool((row["recorded_at"] - row["happened_at"]).total_seconds() > 300)


def write_body(body: dict[str, Any]) -> str:
    """The body of a fact on one line."""
    words = [
        f"{name}: {json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value}"
        for name, value in body.items()
    ]
    return ", ".join(words)


def describe_past(events: list[Event], at: Any, known_at: Any) -> dict[str, Any]:
    """What was so at a moment, as far as it was known at another."""
    seen = replay(events, at, known_at)
    statuses = dict.fromkeys(UNIT_STATUSES, 0)
    for unit in seen.units.values():
        if unit.status in UNIT_STATUSES:
            statuses[unit.status] += 1
    held = [each for each in seen.commitments.values() if each.step != "unit_home"]
    return {
        "op": seen.at,
        "bekend_op": seen.known_at,
        "statussen": [(tell(code), count) for code, count in statuses.items() if count],
        "incidenten": [each for each in seen.incidents.values() if each.closed_at is None],
        "aanvragen": [each for each in seen.requests.values() if each.closed_at is None],
        "regels": list(seen.lines.values()),
        "toezeggingen": held,
        "leiding": [command for _, command in sorted(seen.command.items())],
        "tegenspraken": seen.conflicts,
    }


def verify_own(acting: Acting) -> dict[str, Any]:
    """Everything that is wrong with one's own chain, and the checkpoints that do not hold; nothing when it is whole.

    The platform reads the whole chain for it, also what is of a higher class; what it finds says nothing of that.
    """
    with scope(acting.region, acting.world, "controle") as whole:
        events = list(read_events(whole, acting.region))
        signed = whole.rows(
            "select number, hash from slagkracht.checkpoint where world = %s and chain = %s order by number",
            whole.world,
            whole.region,
        )
    findings = [f"nr. {finding.number}: {finding.what}" for finding in verify_chain(events, acting.region)]
    hashes = {event.number: event.hash for event in events}
    for point in signed:
        if hashes.get(point["number"]) != point["hash"]:
            findings.append(f"controlepunt op nr. {point['number']}: het logboek is daar anders dan het getekend werd")
    return {"feiten": len(events), "punten": len(signed), "bevindingen": findings,
            "laatste": events[-1].hash if events else ""}  # fmt: skip
