"""Which address leads where."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from slagkracht.server.api import api, problem
from slagkracht.server.interfaces.urls import urlpatterns as interfaces
from slagkracht.server.live import stream
from slagkracht.server.screens import (
    account,
    action,
    costs,
    decisions,
    desk,
    entry,
    gaps,
    logbook,
    manage,
    nation,
    past,
    receipts,
    region,
    relief,
)

urlpatterns = [
    path("", nation.show_nation),
    path("landelijk/pelotons", nation.show_platoons),
    path("kaart/plan.html", nation.show_plan_map),
    path("kaart/land.json", nation.read_land),
    path("kaart/nu.json", nation.read_now),
    path("verantwoording", receipts.show_receipt),
    path("actiecentrum", action.show_centre),
    path("actiecentrum/incidenten", action.open_incident),
    path("actiecentrum/incidenten/<str:incident>", action.show_incident),
    path("actiecentrum/incidenten/<str:incident>/vastleggen", action.tell),
    path("actiecentrum/incidenten/<str:incident>/overdracht", action.show_hand_over),
    path("actiecentrum/incidenten/<str:incident>/aanvragen", action.make_request),
    path("actiecentrum/incidenten/<str:incident>/aflossing", relief.plan),
    path("actiecentrum/incidenten/<str:incident>/aflossing/aanvragen", relief.ask),
    path("actiecentrum/aanvragen/<str:request_id>/kosten", costs.show_costs),
    path("actiecentrum/aanvragen/<str:request_id>/kosten.csv", costs.read_csv),
    path("actiecentrum/aanvragen/<str:request_id>/kosten.pdf", costs.read_overview),
    path("actiecentrum/aanvragen/<str:request_id>/kosten/opvoeren", costs.enter),
    path("actiecentrum/aanvragen/<str:request_id>/kosten/vragen", costs.file_claim),
    path("kosten/<str:entry>/terugnemen", costs.withdraw),
    path("rijksbijdragen/<str:claim>/beslissen", costs.decide),
    path("stukken/<str:document>", costs.read_document),
    path("actiecentrum/regels/<str:line>/overnemen", relief.take_over),
    path("actiecentrum/aanvragen/<str:request_id>", action.show_request),
    path("actiecentrum/aanvragen/<str:request_id>/uitzetten", action.ask_regions),
    path("actiecentrum/aanvragen/<str:request_id>/sluiten", action.close_request),
    path("actiecentrum/aanboden/<str:offer>/aanvaarden", action.accept_offer),
    path("actiecentrum/aanboden/<str:offer>/stap", action.move_offer),
    path("regio", region.show_region),
    path("regio/regels/<str:line>", region.show_line),
    path("regio/regels/<str:line>/aanbieden", region.offer),
    path("regio/regels/<str:line>/weigeren", region.refuse),
    path("regio/herbezetten", region.order_move_up),
    path("regio/herbezetten/<str:unit>", region.step_move_up),
    path("regio/delen", region.share),
    path("regio/delen/<str:consent>/beeindigen", region.stop_sharing),
    path("tekort", gaps.show_gaps),
    path("tekort/landelijk", gaps.show_shortfall),
    path("plantafel", desk.show_desk),
    path("plantafel/bereken", desk.compute),
    path("plantafel/varianten", desk.keep),
    path("plantafel/varianten/<str:variant>/indienen", desk.hand_in),
    path("plantafel/varianten/<str:variant>.toml", desk.read_variant_file),
    path("besluiten", decisions.show_decisions),
    path("besluiten/vaststellen", decisions.decide),
    path("besluiten/dossiers", decisions.open_dossier),
    path("besluiten/dossiers/<str:dossier>", decisions.show_dossier),
    path("besluiten/dossiers/<str:dossier>/stappen", decisions.take_step),
    path("register", decisions.show_register),
    path("logboek", logbook.show_log),
    path("terugkijken", past.show_past),
    path("terugkijken/beeld.json", past.read_then),
    path("logboek/tegenspraken", logbook.show_conflicts),
    path("logboek/controlepunten.jsonl", logbook.read_checkpoints),
    path("logboek/sleutels.json", logbook.read_keys),
    path("logboek/verify_log.py", logbook.read_verifier),
    path("beheer", manage.show_management),
    path("beheer/overdragen", manage.hand_over),
    path("beheer/mandaten", manage.give_mandate),
    path("beheer/mandaten/<int:mandate>/beeindigen", manage.end_mandate),
    path("klasse", manage.classify),
    path("account", account.show_account),
    path("account/tweede-factor", account.begin_factor),
    path("account/tweede-factor/bevestigen", account.confirm_factor),
    path("account/tweede-factor/verwijderen", account.remove_factor),
    path("account/herstelcodes", account.renew_codes),
    path("inloggen", entry.log_in),
    path("uitloggen", entry.log_out),
    path("handelen-als", entry.choose),
    path("taal", set_language),
    path("api/v1/gebeurtenissen/stroom", csrf_exempt(stream)),
    *interfaces,
    path("api/v1/", api.urls),
]


MACHINES = ("/api/", "/ogc/")
"""What begins so is read by other systems."""


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if f"{request.path}/".startswith(MACHINES):
        return problem(request, 404, "Niet gevonden", "dit adres bestaat niet")
    return render(request, "niet_gevonden.html", status=404)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    if f"{request.path}/".startswith(MACHINES):
        return problem(request, 400, "Ongeldige invoer", "het verzoek is te groot of niet te lezen")
    return render(request, "niet_leesbaar.html", status=400)


def expired_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of its page: an old page, another site, or a browser that keeps no cookies."""
    if f"{request.path}/".startswith(MACHINES):
        return problem(
            request, 403, "Niet toegestaan", "dit kwam niet van een pagina van dit platform; laad die opnieuw"
        )
    return render(request, "formulier_verlopen.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    return problem(request, 500, "Storing", "er ging hier iets mis; het verzoek is niet uitgevoerd")


handler400 = "slagkracht.server.urls.unreadable"
handler404 = "slagkracht.server.urls.not_found"
handler500 = "slagkracht.server.urls.broken"
