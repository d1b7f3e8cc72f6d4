"""What a region decides for itself: what it shares, its dossiers, what its board adopts, the keys of its systems."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Status

from slagkracht.log import NATIONAL_CHAIN
from slagkracht.server import dossiers, ledger
from slagkracht.server.api import schemas
from slagkracht.server.api.routes import BAD, ActingCookie, Answer, Made, Moved, acting_of, api, once
from slagkracht.server.database import Scope
from slagkracht.server.guard import acting_scope
from slagkracht.server.invalid import Finding, InvalidError
from slagkracht.server.keys import end_key, make_key


@api.post("/toestemmingen", response={201: Made, **BAD}, summary="Delen met een andere regio", tags=["toestemmingen"])
def share(request: HttpRequest, given: schemas.ToestemmingIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        return {"id": ledger.share(own, given.ontvanger, given.trap, given.tot, list(given.weglakken))}

    return once(request, acting_of(request, "voorzitter", "officier", "commandant", "actiecentrum"), 201, do)


@api.post("/toestemmingen/{id}/beeindigen", response={200: Made, **BAD}, summary="Stoppen met delen",
            tags=["toestemmingen"])  # fmt: skip
def stop_sharing(request: HttpRequest, id: str) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        ledger.stop_sharing(own, id)
        return {"id": id}

    return once(request, acting_of(request, "voorzitter", "officier", "commandant", "actiecentrum"), 200, do)


@api.post("/dossiers", response={201: Made, **BAD}, summary="Dossier beginnen", tags=["dossiers"])
def open_dossier(request: HttpRequest, given: schemas.DossierIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        return {"id": dossiers.open_dossier(own, given.procedure, given.partijen)}

    return once(request, acting_of(request), 201, do)


@api.post("/dossiers/{id}/stappen", response={201: Moved, **BAD}, summary="Stap zetten in een dossier",
            tags=["dossiers"])  # fmt: skip
def take_step(request: HttpRequest, id: str, given: schemas.DossierStapIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        return {"id": id, "versie": dossiers.take_dossier_step(own, id, given.stap, given.antwoorden)}

    return once(request, acting_of(request), 201, do)


@api.post("/besluiten", response={201: Made, **BAD}, summary="Besluit van het eigen bestuur optekenen",
            tags=["besluiten"])  # fmt: skip
def decide(request: HttpRequest, given: schemas.BesluitIn) -> Answer:
    acting = acting_of(request, "bestuur", "voorzitter")
    if acting.region == NATIONAL_CHAIN:
        raise ledger.NotAllowedError("een plan wordt vastgesteld door het bestuur van een regio")

    def do(own: Scope) -> dict[str, Any]:
        return {"id": dossiers.decide_on_plan(own, given.model_dump())}

    return once(request, acting, 201, do)


@api.post("/sleutels", response={201: schemas.SleutelGemaakt, **BAD}, summary="Sleutel maken waarmee een ander systeem "
            "namens mij handelt", tags=["sleutels"], auth=ActingCookie())  # fmt: skip
def make_access_key(request: HttpRequest, given: schemas.SleutelIn) -> Answer:
    with acting_scope(acting_of(request)) as own:
        if given.tot <= own.at:
            raise InvalidError(Finding("body", "/tot", "is al voorbij; een sleutel heeft een einde dat nog komen moet"))
        key_id, key = make_key(own, given.naam, given.tot)
    return Status(201, {"id": key_id, "sleutel": key})


@api.delete("/sleutels/{id}", response={204: None, **BAD}, summary="Sleutel intrekken", tags=["sleutels"],
            auth=ActingCookie())  # fmt: skip
def end_access_key(request: HttpRequest, id: str) -> Answer:
    with acting_scope(acting_of(request)) as own:
        if "\x00" in id or not end_key(own, id):
            raise ledger.NotFoundError(f"sleutel {id} is hier niet bekend")
    return Status(204, None)
