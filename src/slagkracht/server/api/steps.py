"""The steps of the ledger over the API: incidents, units, requests, offers, commitments, and facts of one's own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Schema

from slagkracht.server import assistance, ledger, move_ups
from slagkracht.server.api import schemas
from slagkracht.server.api.routes import BAD, LEADERS, Answer, Made, Moved, acting_of, api, once
from slagkracht.server.database import Scope
from slagkracht.server.invalid import Finding, InvalidError
from slagkracht.server.journal import record


class MadeMany(Schema):
    ids: list[str]


class Unmet(Schema):
    onvervuld: list[dict[str, Any]]


@api.post("/incidenten", response={201: Made, **BAD}, summary="Incident openen", tags=["incidenten"])
def open_incident(request: HttpRequest, given: schemas.IncidentIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        told = (given.wat, given.x_m, given.y_m, given.niveau, given.classificatie)
        return {"id": ledger.open_incident(own, *told, happened_at=given.gebeurd_op)}

    return once(request, acting_of(request, *LEADERS), 201, do)


@api.post("/incidenten/{id}/opschalen", response={200: Made, **BAD}, summary="Incident opschalen", tags=["incidenten"])
def escalate(request: HttpRequest, id: str, given: schemas.NiveauIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        ledger.escalate_incident(own, id, given.niveau, given.gebeurd_op)
        return {"id": id}

    return once(request, acting_of(request, *LEADERS), 200, do)


@api.post("/incidenten/{id}/sluiten", response={200: Made, **BAD}, summary="Incident sluiten", tags=["incidenten"])
def close_incident(request: HttpRequest, id: str, given: schemas.GebeurdIn | None = None) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        assistance.close_incident(own, id, given.gebeurd_op if given else None)
        return {"id": id}

    return once(request, acting_of(request, *LEADERS), 200, do)


@api.post("/eenheden/{id}/meldingen", response={201: Made, **BAD}, summary="Status en plaats melden", tags=["eenheden"])
def report_unit(request: HttpRequest, id: str, given: schemas.MeldingIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        at = ledger.read_stated(own, given.gebeurd_op)
        move_ups.report_unit(own, id, given.status, given.x_m, given.y_m, at)
        return {"id": id}

    return once(request, acting_of(request, *LEADERS), 201, do)


@api.post("/eenheden/{id}/herbezetting", response={201: Made, **BAD}, summary="Herbezetting: erheen, er, terug, thuis",
            tags=["eenheden"])  # fmt: skip
def move_up(request: HttpRequest, id: str, given: schemas.HerbezettingIn) -> Answer:
    ordered = given.stap == "ordered"
    if ordered != (given.kazerne is not None) or (given.regel is not None and not ordered):
        raise InvalidError(Finding("body", "/kazerne", "hoort bij de stap ordered, en alleen daarbij (regel ook)"))

    def do(own: Scope) -> dict[str, Any]:
        if given.kazerne is not None:
            places = move_ups.find_places(id, given.kazerne)
            move_ups.order_move_up(own, id, *places, given.regel or "", given.gebeurd_op)
        else:
            move_ups.STEPS[given.stap](own, id, given.gebeurd_op)
        return {"id": id}

    return once(request, acting_of(request, *LEADERS), 201, do)


@api.post("/aanvragen", response={201: Made, **BAD}, summary="Bijstand aanvragen", tags=["aanvragen"])
def make_request(request: HttpRequest, given: schemas.AanvraagIn) -> Answer:
    lines = [
        ledger.Wanted(r.formatie, r.inzetmogelijkheid, r.aantal, r.x_m, r.y_m, r.nodig_op, r.uren) for r in given.regels
    ]

    def do(own: Scope) -> dict[str, Any]:
        made = assistance.request_assistance(
            own,
            given.incident,
            given.grond,
            given.mandaat,
            given.ondertekenaar,
            lines,
            given.buurregio or "",
            given.toelichting,
            given.afspraak_in_crisisplan,
            given.reden_van_spoed,
            happened_at=given.gebeurd_op,
        )
        return {"id": made}

    return once(request, acting_of(request, "voorzitter", "officier", "actiecentrum"), 201, do)


@api.post("/aanvragen/{id}/uitzetten", response={200: Made, **BAD}, summary="Uitzetten bij regio's", tags=["aanvragen"])
def ask_regions(request: HttpRequest, id: str, given: schemas.UitzettenIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        assistance.ask_regions(own, id, given.regios, given.gebeurd_op)
        return {"id": id}

    return once(request, acting_of(request, *LEADERS), 200, do)


@api.post("/aanvragen/{id}/sluiten", response={200: Unmet, **BAD}, summary="Aanvraag sluiten", tags=["aanvragen"])
def close_request(request: HttpRequest, id: str, given: schemas.GebeurdIn | None = None) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        unmet = assistance.close_request(own, id, given.gebeurd_op if given else None)
        return {"onvervuld": [{"regel": line, "aantal": count, "reden": reason} for line, count, reason in unmet]}

    return once(request, acting_of(request, *LEADERS), 200, do)


@api.post("/aanboden", response={201: Made, **BAD}, summary="Eenheden aanbieden", tags=["aanboden"])
def offer_units(request: HttpRequest, given: schemas.AanbodIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        offer = assistance.offer_units(
            own,
            given.regel,
            given.eenheden,
            given.aantal,
            given.voorwaarden,
            given.bewust_onder_bodem,
            given.gebeurd_op,
        )
        return {"id": offer}

    return once(request, acting_of(request, *LEADERS), 201, do)


@api.post("/weigeringen", response={201: Made, **BAD}, summary="Met reden niets aanbieden", tags=["aanboden"])
def refuse_line(request: HttpRequest, given: schemas.WeigeringIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        return {"id": ledger.refuse_line(own, given.regel, given.reden, given.toelichting, given.gebeurd_op)}

    return once(request, acting_of(request, *LEADERS), 201, do)


@api.post("/aanboden/{id}/intrekken", response={200: Made, **BAD}, summary="Aanbod intrekken", tags=["aanboden"])
def withdraw_offer(request: HttpRequest, id: str, given: schemas.IntrekkenIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        ledger.withdraw_offer(own, id, given.reden, given.gebeurd_op)
        return {"id": id}

    return once(request, acting_of(request, *LEADERS), 200, do)


@api.post("/aanboden/{id}/aanvaarden", response={201: MadeMany, **BAD}, summary="Aanbod aanvaarden: de eenheden zijn "
            "toegezegd", tags=["toezeggingen"])  # fmt: skip
def accept_offer(request: HttpRequest, id: str, given: schemas.GebeurdIn | None = None) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        return {"ids": assistance.accept_offer(own, id, given.gebeurd_op if given else None)}

    return once(request, acting_of(request, *LEADERS), 201, do)


@api.post("/toezeggingen/{id}/stappen", response={201: Moved, **BAD}, summary="Volgende stap van een eenheid; "
            "vrijgeven door wie uitleende is terugroepen, met een reden", tags=["toezeggingen"])  # fmt: skip
def move_commitment(request: HttpRequest, id: str, given: schemas.StapIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        told = (given.stap, given.gebeurd_op, given.reden or "", given.toelichting)
        return {"id": id, "versie": assistance.move_commitment(own, id, *told)[0]}

    return once(request, acting_of(request, *LEADERS), 201, do)


@api.post("/gebeurtenissen", response={201: Made, **BAD}, summary="Feit vastleggen in het eigen logboek",
            tags=["logboek"])  # fmt: skip
def tell(request: HttpRequest, given: schemas.GebeurtenisIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        try:
            return {"id": record(own, given.soort, given.inhoud, None, given.gebeurd_op).event_id}
        except ValueError as error:
            raise InvalidError(Finding("body", "/inhoud", str(error))) from error

    return once(request, acting_of(request, *LEADERS, "beleid"), 201, do)
