"""The addresses for other systems: messages in and out, warnings, unit reports, subscriptions and files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Schema, Status
from pydantic import Field

from slagkracht.server import ledger
from slagkracht.server.api import api, schemas
from slagkracht.server.api.routes import BAD, LEADERS, Answer, acting_of
from slagkracht.server.database import Scope
from slagkracht.server.guard import acting_scope
from slagkracht.server.interfaces import cap, edxl, events, exports, feeds
from slagkracht.server.interfaces.messages import MessageError
from slagkracht.server.invalid import Finding, InvalidError

XML_BODY = {"requestBody": {"required": True, "content": {"application/xml": {"schema": {"type": "string"}}}}}


class Gevolg(Schema):
    bericht: str
    gevolg: str
    herhaald: bool


def take_once(own: Scope, channel: str, message: str, content: bytes, do: Callable[[], str]) -> tuple[str, bool]:
    """Does what a message asks, once: (what came of it, whether it was here before).

    Raises LedgerError when another message came under the same id.
    """
    digest = hashlib.sha256(content).hexdigest()
    own.rows("select pg_advisory_xact_lock(hashtextextended(%s, 2))", f"{own.world}/{own.region}/{channel}/{message}")
    before = own.row(
        "select content, result from slagkracht.received where channel = %s and message_id = %s", channel, message
    )
    if before is not None:
        if before["content"] != digest:
            raise ledger.LedgerError(f"bericht {message} was hier al, met een andere inhoud")
        return str(before["result"]), True
    result = do()
    own.insert("received", region=own.region, channel=channel, message_id=message, content=digest, result=result)
    return result, False


@api.post("/berichten", response={200: Gevolg, 201: Gevolg, **BAD}, summary="Bericht volgens EDXL-RM 1.0 aanbieden",
            tags=["berichten"], openapi_extra=XML_BODY)  # fmt: skip
def take_message(request: HttpRequest) -> Answer:
    acting = acting_of(request, *LEADERS)
    try:
        name, content = edxl.read_edxl(request.body)
        with acting_scope(acting) as own:
            message = content["MessageID"][:200]
            result, repeated = take_once(
                own, "edxl-rm", message, request.body, lambda: edxl.take_edxl(own, name, content)
            )
    except MessageError as error:
        raise InvalidError(*(Finding("body", "", finding) for finding in error.findings)) from error
    return Status(200 if repeated else 201, {"bericht": message, "gevolg": result, "herhaald": repeated})


@api.post("/waarschuwingen", response={200: Gevolg, 201: Gevolg, **BAD}, summary="Waarschuwing volgens CAP 1.2 "
            "aanbieden", tags=["berichten"], openapi_extra=XML_BODY)  # fmt: skip
def take_warning(request: HttpRequest) -> Answer:
    acting = acting_of(request, *LEADERS)
    try:
        content = cap.read_cap(request.body)
        message = ",".join(content[name] for name in ("sender", "identifier", "sent"))[:200]
        with acting_scope(acting) as own:
            result, repeated = take_once(own, "cap", message, request.body, lambda: cap.take_cap(own, content))
    except MessageError as error:
        raise InvalidError(*(Finding("body", "", finding) for finding in error.findings)) from error
    return Status(200 if repeated else 201, {"bericht": message, "gevolg": result, "herhaald": repeated})


def _lay_xml(path: str, summary: str, tell: Callable[[Scope, str], bytes]) -> None:
    def show(request: HttpRequest, id: str) -> HttpResponse:
        if "\x00" in id:
            raise ledger.NotFoundError("een id bevat geen nulteken")
        with acting_scope(acting_of(request)) as own:
            return HttpResponse(tell(own, id), content_type="application/xml; charset=utf-8")

    answers: dict[Any, Any] = {200: None, 400: schemas.Problem, 401: schemas.Problem, 404: schemas.Problem}
    api.get(path, response=answers, summary=summary, tags=["berichten"], operation_id=tell.__name__)(show)


_lay_xml("/aanvragen/{id}/edxl", "Aanvraag als EDXL-RM RequestResource", edxl.tell_request)
_lay_xml("/aanboden/{id}/edxl", "Aanbod of weigering als EDXL-RM", edxl.tell_offer)
_lay_xml("/toezeggingen/{id}/edxl", "Toezegging als EDXL-RM", edxl.tell_commitment)
_lay_xml("/incidenten/{id}/cap", "Incident als waarschuwing (CAP 1.2)", cap.tell_incident)


class MeldingenIn(schemas.Incoming):
    meldingen: list[Any]


class Geweigerd(Schema):
    regel: int
    bevinding: str


class MeldingenUit(Schema):
    aangenomen: list[str]
    herhaald: list[str]
    geweigerd: list[Geweigerd]


@api.post("/meldingen", response={200: MeldingenUit, **BAD}, summary="Status en plaats van eenheden, tot 1000 tegelijk",
            tags=["eenheden"])  # fmt: skip
def take_reports(request: HttpRequest, given: MeldingenIn) -> Answer:
    with acting_scope(acting_of(request, *LEADERS)) as own:
        taken = feeds.take_reports(own, given.meldingen)
    refused = [{"regel": number, "bevinding": finding} for number, finding in taken.refused]
    return Status(200, {"aangenomen": taken.accepted, "herhaald": taken.repeated, "geweigerd": refused})


@api.get("/bestanden/{naam}", response={200: None, 400: schemas.Problem, 401: schemas.Problem, 404: schemas.Problem},
         summary="Wat u mag zien als bestand: aanvragen.csv, regels.csv, aanboden.csv, toezeggingen.csv, "
         "gebeurtenissen.csv of slagkracht.gpkg", tags=["bestanden"])  # fmt: skip
def export_file(request: HttpRequest, naam: str) -> HttpResponse:
    acting = acting_of(request)
    if naam not in exports.FILES:
        raise ledger.NotFoundError(f"{naam[:60]} is er niet; wel {', '.join(exports.FILES)}")
    with acting_scope(acting) as own:
        content = exports.write_geopackage(own) if naam.endswith(".gpkg") else exports.write_csv(own, naam[:-4])
    media = "application/geopackage+sqlite3" if naam.endswith(".gpkg") else "text/csv; charset=utf-8"
    told = f"OEFENING-{naam}" if acting.is_exercise else naam
    return HttpResponse(content, content_type=media, headers={"Content-Disposition": f'attachment; filename="{told}"'})


class AbonnementIn(schemas.Incoming):
    adres: schemas.Text
    soorten: list[schemas.Code] = Field(default_factory=list)


class AbonnementGemaakt(Schema):
    id: str
    geheim: str


class Abonnement(Schema):
    id: str
    adres: str
    soorten: list[str]
    wachtend: int
    pogingen: int
    opgegeven: int
    laatste_fout: str | None


@api.post("/abonnementen", response={201: AbonnementGemaakt, **BAD}, summary="Gebeurtenissen laten bezorgen",
            tags=["abonnementen"])  # fmt: skip
def subscribe(request: HttpRequest, given: AbonnementIn) -> Answer:
    with acting_scope(acting_of(request, *LEADERS)) as own:
        made, secret = events.subscribe(own, given.adres, given.soorten)
    return Status(201, {"id": made, "geheim": secret})


@api.get("/abonnementen", response={200: list[Abonnement], **BAD}, summary="Waar gebeurtenissen heen gaan, en hoe dat "
         "loopt", tags=["abonnementen"])  # fmt: skip
def list_subscriptions(request: HttpRequest) -> Answer:
    with acting_scope(acting_of(request)) as own:
        return Status(200, events.list_subscriptions(own))


@api.delete("/abonnementen/{id}", response={204: None, **BAD}, summary="Niet meer bezorgen", tags=["abonnementen"])
def unsubscribe(request: HttpRequest, id: str) -> Answer:
    with acting_scope(acting_of(request, *LEADERS)) as own:
        if "\x00" in id or not events.unsubscribe(own, id):
            raise ledger.NotFoundError(f"abonnement {id} is hier niet bekend")
    return Status(204, None)
