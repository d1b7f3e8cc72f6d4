"""Documents and costs of a request as data: given only to whom they are for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from slagkracht.server import costs, documents, ledger
from slagkracht.server.api import schemas
from slagkracht.server.api.routes import BAD, LEADERS, Answer, Made, acting_of, api, once
from slagkracht.server.database import Scope
from slagkracht.server.guard import acting_scope

PAYERS = (*LEADERS, "beleid")
"""Roles that may enter costs and claim them."""


@api.get("/stukken/{id}/inhoud", response={200: None, **BAD}, summary="Een stuk zoals het gemaakt is", tags=["stukken"])
def read_document(request: HttpRequest, id: str) -> HttpResponse:
    with acting_scope(acting_of(request)) as own:
        if "\x00" in id:
            raise ledger.NotFoundError("dit stuk is hier niet bekend")
        row = documents.read_document(own, id)
    answer = HttpResponse(bytes(row["content"]), content_type=row["media_type"])
    answer["Content-Disposition"] = f'attachment; filename="{id}.pdf"'
    answer["ETag"] = f'"{row["sha256"]}"'
    return answer


@api.get("/aanvragen/{id}/kostendossier", response={200: list[schemas.Kostendossier], **BAD}, summary="Wat elke "
         "verlener opvoerde en kan vragen", tags=["kosten"])  # fmt: skip
def read_claim_files(request: HttpRequest, id: str) -> list[dict[str, Any]]:
    with acting_scope(acting_of(request)) as own:
        if "\x00" in id or own.row("select 1 as one from slagkracht.request where request_id = %s", id) is None:
            raise ledger.NotFoundError("deze aanvraag is hier niet bekend")
        files = costs.read_files(own, id)
    return [
        {
            "regio": each.region,
            "eenheden": each.units,
            "eenheid_uren": each.unit_hours,
            "afgelopen_op": each.ended_at,
            "per_soort_centen": each.claim.by_kind,
            "totaal_centen": each.claim.total,
            "in_aanmerking_centen": each.claim.counted,
            "eigen_deel_centen": each.claim.own_share,
            "bijdrage_centen": each.claim.contribution,
            "boven_drempel": each.claim.passes,
            "aanvragen_voor": each.claim.file_before,
            "regel": each.claim.rule.code,
            "status_van_de_regel": each.claim.rule.status,
        }
        for each in files
    ]


@api.post("/aanvragen/{id}/kosten", response={201: Made, **BAD}, summary="Kosten opvoeren", tags=["kosten"])
def enter_cost(request: HttpRequest, id: str, given: schemas.KostenpostIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        what, evidence = given.omschrijving, given.bewijsstuk
        return {"id": costs.enter_cost(own, id, given.soort, given.centen, given.dag, what, evidence, given.gebeurd_op)}

    return once(request, acting_of(request, *PAYERS), 201, do)


@api.post("/kosten/{id}/terugnemen", response={200: Made, **BAD}, summary="Kostenpost terugnemen", tags=["kosten"])
def withdraw_cost(request: HttpRequest, id: str, given: schemas.TerugnemenIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        costs.withdraw_cost(own, id, given.reden, given.gebeurd_op)
        return {"id": id}

    return once(request, acting_of(request, *PAYERS), 200, do)


@api.post("/aanvragen/{id}/rijksbijdrage", response={201: Made, **BAD}, summary="Rijksbijdrage vragen", tags=["kosten"])
def file_claim(request: HttpRequest, id: str, given: schemas.GebeurdIn | None = None) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        return {"id": costs.file_claim(own, id, given.gebeurd_op if given else None)}

    return once(request, acting_of(request, *PAYERS), 201, do)


@api.post("/rijksbijdragen/{id}/beslissen", response={200: Made, **BAD}, summary="Beslissen over een rijksbijdrage",
          tags=["kosten"])  # fmt: skip
def decide_claim(request: HttpRequest, id: str, given: schemas.BeslissenIn) -> Answer:
    def do(own: Scope) -> dict[str, Any]:
        costs.decide_claim(own, id, given.centen, given.reden, given.gebeurd_op)
        return {"id": id}

    return once(request, acting_of(request, "minister"), 200, do)
