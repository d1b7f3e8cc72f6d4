"""The log: every fact one may see, the picture at any past moment, and the proof that nothing was changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from slagkracht.log import KINDS, UNIT_STATUSES, Conflict, Event, count_met, replay, verify_chain
from slagkracht.server import verify_log
from slagkracht.server.checkpoints import read_exchanged, read_held, read_public_keys
from slagkracht.server.database import Row, scope
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.journal import read_events
from slagkracht.server.screens.page import RefusedError, read_moment, say
from slagkracht.server.screens.sentences import write_raw, write_sentence
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
            "select chain, number, kind, happened_at, recorded_at, actor, body, hash, (select h.kept_why from "
            "slagkracht.handed_in h where h.world = event.world and h.region = event.chain and "
            "h.number = event.number) as kept_why from slagkracht.event "
            f"where {where} order by recorded_at desc, chain, number desc limit {PAGE}",
            *values,
        )
        chains = own.rows(
            "select chain, count(*) as aantal, max(number) as laatste from slagkracht.event where world = %s "
            "group by chain order by chain",
            own.world,
        )
        events = list(read_events(own)) if at or known_at else []
        exchanged = read_exchanged(own)
        context: dict[str, Any] = {"controle": verify_own(acting) if request.GET.get("controle") else None}
    context |= {
        "feiten": [
            {
                **row,
                "zin": write_sentence(row["kind"], row["body"]),
                "ruw": write_raw(row["body"]),
                "nr": str(row["number"]),
                "laat": is_late(row),
            }
            for row in rows
        ],
        "ketens": chains,
        "soorten": [(code, tell(code)) for code in KINDS],
        "keten": chain,
        "soort": kind,
        "om": request.GET.get("om", ""),
        "bekend_op": request.GET.get("bekend_op", ""),
        "fout": fault,
        "beeld": describe_past(events, at, known_at) if at or known_at else None,
        "meer": len(rows) == PAGE,
        "bij_anderen": [point for point in exchanged if point["chain"] == acting.region],
        "van_anderen": [point for point in exchanged if point["chain"] != acting.region],
    }
    return render(request, "logboek.html", context)


def is_late(row: Row) -> bool:
    """Whether a fact was recorded more than five minutes after it happened."""
    return bool((row["recorded_at"] - row["happened_at"]).total_seconds() > 300)


def describe_past(events: list[Event], at: Any, known_at: Any) -> dict[str, Any]:
    """What was so at a moment, as far as it was known at another."""
    seen = replay(events, at, known_at)
    statuses = dict.fromkeys(UNIT_STATUSES, 0)
    for unit in seen.units.values():
        if unit.status in UNIT_STATUSES:
            statuses[unit.status] += 1
    held, met = [each for each in seen.commitments.values() if each.step != "unit_home"], count_met(seen)
    return {
        "op": seen.at,
        "bekend_op": seen.known_at,
        "statussen": [(tell(code), count) for code, count in statuses.items() if count],
        "incidenten": [each for each in seen.incidents.values() if each.closed_at is None],
        "aanvragen": [each for each in seen.requests.values() if each.closed_at is None],
        "regels": [(each, met[each.line]) for each in seen.lines.values()],
        "toezeggingen": held,
        "leiding": [command for _, command in sorted(seen.command.items())],
        "tegenspraken": describe_conflicts(seen.conflicts, events),
    }


def describe_conflicts(conflicts: Iterable[Conflict], events: Iterable[Event]) -> list[dict[str, Any]]:
    """Every contradiction with its facts, who told each, and who can decide: each corrects its own log alone."""
    told = {event.event_id: event for event in events}
    return [
        {
            "wat": conflict.what,
            "feiten": [(e, told.get(e), write_told(told.get(e))) for e in conflict.events],
            "beslist": sorted({each.rpartition("-")[0] for each in conflict.events}),
        }
        for conflict in conflicts
    ]


def write_told(event: Event | None) -> str:
    """A fact in a sentence; nothing of one that one may not see."""
    return write_sentence(event.kind, event.body) if event else ""


@require_GET
@acting_required()
def show_conflicts(request: HttpRequest, acting: Acting) -> HttpResponse:
    """What the facts that one may see contradict each other in, now."""
    with acting_scope(acting) as own:
        events = list(read_events(own))
    found = describe_conflicts(replay(events).conflicts, events)
    return render(request, "deel_tegenspraken.html", {"tegenspraken": found})


@require_GET
@acting_required()
def read_checkpoints(request: HttpRequest, acting: Acting) -> HttpResponse:
    """What the acting region holds of others, and others of it, as ``verify_log.py`` takes it."""
    with acting_scope(acting) as own:
        return HttpResponse(read_held(own), content_type="application/jsonl; charset=utf-8")


@require_GET
@acting_required()
def read_keys(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The public key of every log, as ``verify_log.py`` takes it."""
    with acting_scope(acting) as own:
        return JsonResponse(read_public_keys(own))


@require_GET
@acting_required()
def read_verifier(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The program that verifies a log without the platform, to take along."""
    return HttpResponse(Path(verify_log.__file__).read_bytes(), content_type="text/x-python; charset=utf-8")


def verify_own(acting: Acting) -> dict[str, Any]:
    """Everything that is wrong with one's own chain, and the checkpoints that do not hold; nothing when it is whole.

    The platform reads the whole chain for it, also what is of a higher class; what it finds says nothing of that.
    """
    with scope(acting.region, acting.world, "controle") as whole:
        events = list(read_events(whole, acting.region))
        signed = whole.rows(
            "select chain as holder, number, hash from slagkracht.checkpoint where world = %s and chain = %s "
            "union all select region, number, hash from slagkracht.held_checkpoint where world = %s and chain = %s "
            "order by 2, 1",
            *(whole.world, whole.region) * 2,
        )
    findings = [f"nr. {finding.number}: {finding.what}" for finding in verify_chain(events, acting.region)]
    hashes = {event.number: event.hash for event in events}
    for point in signed:
        if hashes.get(point["number"]) != point["hash"]:
            what = "anders dan" if point["number"] in hashes else "afgekapt, want langer toen"
            kept = f"controlepunt op nr. {point['number']}, bewaard door {point['holder']}"
            findings.append(f"{kept}: het logboek is daar {what} het getekend werd")
    return {"feiten": len(events), "punten": len(signed), "bevindingen": findings,
            "laatste": events[-1].hash if events else ""}  # fmt: skip
