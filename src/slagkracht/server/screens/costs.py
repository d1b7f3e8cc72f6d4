"""What assistance cost, by who lent: entries, the claim with its threshold and terms, and a request's documents."""

from __future__ import annotations

import datetime
from decimal import Decimal, InvalidOperation

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from slagkracht.costs import KINDS
from slagkracht.server import costs, documents, ledger
from slagkracht.server import engine as seam
from slagkracht.server.database import Scope
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.screens.page import LEADERS, RefusedError, act, read_happened

PAYERS = (*LEADERS, "beleid")
"""Roles that may enter costs and claim them."""


@require_GET
@acting_required()
def show_costs(request: HttpRequest, acting: Acting, request_id: str) -> HttpResponse:
    with acting_scope(acting) as own:
        row = own.row("select * from slagkracht.request where request_id = %s", request_id)
        if row is None:
            return render(request, "niet_gevonden.html", status=404)
        files = costs.read_files(own, request_id)
        context = {
            "aanvraag": row,
            "dossiers": files,
            "eigen": next((each for each in files if each.region == acting.region), None),
            "mag": bool(acting.roles & set(PAYERS)),
            "minister": "minister" in acting.roles,
            "soorten": KINDS,
            "vandaag": own.at.astimezone(seam.CLOCK).date(),
            "nu": own.at,
        }
    return render(request, "kosten.html", context)


@require_POST
@acting_required(*PAYERS)
def enter(request: HttpRequest, acting: Acting, request_id: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        given = {name: request.POST.get(name, "").strip() for name in ("soort", "wat", "bewijsstuk", "dag")}
        try:
            day = datetime.date.fromisoformat(given["dag"])
        except ValueError:
            raise RefusedError("schrijf de dag als 2026-07-01") from None
        cents = read_cents(request.POST.get("bedrag", ""))
        costs.enter_cost(
            own, request_id, given["soort"], cents, day, given["wat"], given["bewijsstuk"], read_happened(request)
        )
        return f"/actiecentrum/aanvragen/{request_id}/kosten", gettext("De kosten zijn opgevoerd.")

    return act(request, acting, do)


def read_cents(text: str) -> int:
    """An amount in euros as a form gives it (1.234,50 or 1234.5), in whole cents. Raises RefusedError."""
    plain = text.replace("€", "").replace(" ", "")
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    try:
        cents = Decimal(plain) * 100
    except InvalidOperation:
        raise RefusedError("schrijf het bedrag in euro's, als 1.234,50") from None
    if not cents.is_finite() or cents != cents.to_integral_value() or not 0 < cents <= 10**12:
        raise RefusedError("schrijf het bedrag in euro's en hele centen, meer dan 0")
    return int(cents)


@require_POST
@acting_required(*PAYERS)
def withdraw(request: HttpRequest, acting: Acting, entry: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        costs.withdraw_cost(own, entry, request.POST.get("reden", ""), read_happened(request))
        return request.POST.get("terug", "/actiecentrum"), gettext(
            "De post is teruggenomen; hij blijft in het logboek staan."
        )

    return act(request, acting, do)


@require_POST
@acting_required(*PAYERS)
def file_claim(request: HttpRequest, acting: Acting, request_id: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        costs.file_claim(own, request_id, read_happened(request))
        return f"/actiecentrum/aanvragen/{request_id}/kosten", gettext(
            "De rijksbijdrage is gevraagd; het stuk ligt klaar."
        )

    return act(request, acting, do)


@require_POST
@acting_required("minister")
def decide(request: HttpRequest, acting: Acting, claim: str) -> HttpResponse:
    def do(own: Scope) -> tuple[str, str]:
        text = request.POST.get("bedrag", "").strip()
        cents, why = 0 if text == "0" else read_cents(text), request.POST.get("reden", "")
        costs.decide_claim(own, claim, cents, why, read_happened(request))
        return request.POST.get("terug", "/actiecentrum"), gettext("De beslissing is vastgelegd.")

    return act(request, acting, do)


@require_GET
@acting_required()
def read_csv(request: HttpRequest, acting: Acting, request_id: str) -> HttpResponse:
    with acting_scope(acting) as own:
        if own.row("select 1 as one from slagkracht.request where request_id = %s", request_id) is None:
            return render(request, "niet_gevonden.html", status=404)
        text = costs.write_csv(own, request_id)
    return _hand_out(text, "text/csv; charset=utf-8", f"kosten-{request_id}.csv")


@require_GET
@acting_required()
def read_overview(request: HttpRequest, acting: Acting, request_id: str) -> HttpResponse:
    try:
        with acting_scope(acting) as own:
            content = costs.write_overview(own, request_id)
    except ledger.NotFoundError:
        return render(request, "niet_gevonden.html", status=404)
    return _hand_out(content, documents.PDF, f"kosten-{request_id}.pdf")


@require_GET
@acting_required()
def read_document(request: HttpRequest, acting: Acting, document: str) -> HttpResponse:
    try:
        with acting_scope(acting) as own:
            row = documents.read_document(own, document)
    except ledger.NotFoundError:
        return render(request, "niet_gevonden.html", status=404)
    return _hand_out(bytes(row["content"]), row["media_type"], f"{document}.pdf")


def _hand_out(content: str | bytes, media_type: str, name: str) -> HttpResponse:
    """A file that the browser keeps under ``name``."""
    return HttpResponse(
        content, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
