"""The API by the national API Design Rules: nouns to read, how it answers, and how a step is taken once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

import psycopg
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.utils.http import parse_etags
from ninja import NinjaAPI, Query, Schema, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import APIKeyCookie
from ninja.utils import check_csrf
from pydantic import Field

from slagkracht.log import format_event, replay
from slagkracht.procedures import StepRefusedError, draw_procedure
from slagkracht.server import dossiers, ledger
from slagkracht.server.api import schemas
from slagkracht.server.api.lines import JsonParser, JsonRenderer
from slagkracht.server.api.problems import NOBODY, problem
from slagkracht.server.api.resources import RESOURCES, Resource
from slagkracht.server.database import Row, Scope
from slagkracht.server.exchange import refuse_sealed
from slagkracht.server.guard import API_VERSION, Acting, acting_scope, find_acting, raise_at_once
from slagkracht.server.invalid import Finding, InvalidError, find_wrong
from slagkracht.server.journal import read_events
from slagkracht.server.keys import AccessKey

Answer = Status[Any]


class ActingCookie(APIKeyCookie):
    """A session of someone whose mandate holds now; changing something also asks for the CSRF token."""

    param_name = "sessionid"

    def _get_key(self, request: HttpRequest) -> str | None:
        if check_csrf(request):
            raise HttpError(
                403, "wie met een sessie iets wijzigt stuurt de waarde van het cookie csrftoken mee in X-CSRFToken"
            )
        key: str | None = request.COOKIES.get(self.param_name)
        return key

    def authenticate(self, request: HttpRequest, key: str | None) -> Acting | None:
        return find_acting(request)


api = NinjaAPI(
    title="Slagkracht",
    version=API_VERSION,
    description="Aanvragen, aanbieden en toezeggen van brandweereenheden tussen 25 autonome veiligheidsregio's.",
    auth=[AccessKey(), ActingCookie()],
    docs_url="/docs",
    openapi_url="/openapi.json",
    urls_namespace="api-v1",
    parser=JsonParser(),
    renderer=JsonRenderer(),
)
LEADERS = frozenset({"officier", "voorzitter", "commandant", "actiecentrum"})
"""Roles that may ask, offer, accept and move units."""


TROUBLES: list[tuple[type[Exception], int, str, str]] = [
    (ledger.NotFoundError, 404, "Niet gevonden", ""),
    (ledger.NotAllowedError, 403, "Niet toegestaan", ""),
    (ledger.AlreadyCommittedError, 409, "Al toegezegd", ""),
    (ledger.ChangedMeanwhileError, 412, "Intussen gewijzigd", ""),
    (ledger.LedgerError, 409, "Kan niet", ""),
    (StepRefusedError, 409, "Stap kan niet", ""),
    (psycopg.errors.InsufficientPrivilege, 403, "Niet toegestaan", "uw mandaat laat dit hier niet toe"),
    (psycopg.DataError, 400, "Ongeldige invoer", "een waarde is te groot, te lang of bevat een teken dat niet kan"),
    (psycopg.IntegrityError, 409, "Kan niet", "dit staat hier al, of noemt iets dat hier niet is"),
    (psycopg.errors.RaiseException, 409, "Kan niet", "dit is in strijd met wat hier vastligt"),
    (UnicodeEncodeError, 400, "Ongeldige invoer", "een tekst bevat tekens die geen tekst zijn"),
]
"""What goes wrong, as status, title and detail ("" = in its own words)."""

for _kind, _status, _title, _detail in TROUBLES:  # a parent of an earlier kind leaves that one alone

    def _answer(
        request: HttpRequest, error: Exception, status: int = _status, title: str = _title, detail: str = _detail
    ) -> HttpResponse:
        return problem(request, status, title, detail or str(error))

    api.add_exception_handler(_kind, _answer)  # type: ignore[arg-type]


@api.exception_handler(AuthenticationError)
def _nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problem(request, 401, *NOBODY)


@api.exception_handler(ValidationError)
def _not_as_described(request: HttpRequest, error: ValidationError) -> HttpResponse:
    body = None
    if any(found["loc"][0] == "body" for found in error.errors) and request.body:
        body = api.parser.parse_body(request)
    return _invalid(request, InvalidError(*find_wrong(error.errors, body)))


@api.exception_handler(InvalidError)
def _invalid(request: HttpRequest, error: InvalidError) -> HttpResponse:
    return problem(request, 400, "Ongeldige invoer", str(error), error.findings)


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, InvalidError):  # found by the parser, and wrapped on its way here
        return _invalid(request, error.__cause__)
    return problem(request, error.status_code, "Verzoek geweigerd", str(error))


@api.exception_handler(StopIteration)
def _missing(request: HttpRequest, error: StopIteration) -> HttpResponse:
    raise_at_once(error)


@api.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem(request, 413, "Te groot", "een verzoek is hooguit 2,5 MB; stuur het in delen")


def acting_of(request: HttpRequest, *roles: str) -> Acting:
    """Who acts; raises NotAllowedError when that needs one of ``roles``."""
    acting: Acting = request.auth
    if roles and not acting.roles & set(roles):
        raise ledger.NotAllowedError(f"dit is aan {' of '.join(sorted(roles))}")
    return acting


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lay_reading(resource: Resource) -> None:
    page = {"resultaten": list[resource.schema], "volgende": str | None, "vorige": str | None}  # type: ignore[name-defined]
    listed = type(f"{resource.schema.__name__}Lijst", (Schema,), {"__annotations__": page})

    def read_list(
        request: HttpRequest,
        response: HttpResponse,
        pagina: Annotated[int, Field(ge=1, le=100_000)] = 1,
        aantal: Annotated[int, Field(ge=1, le=1_000)] = 100,
    ) -> dict[str, Any]:
        asked = {name: request.GET[name] for name in resource.filters if name in request.GET}
        if wrong := [name for name, value in asked.items() if "\x00" in value]:
            raise InvalidError(*(Finding("query", f"/{name}", "bevat een nulteken; laat het weg") for name in wrong))
        where = " and ".join(f"{name} = %s" for name in asked) or "true"
        sql = f"select * from ({resource.sql}) r where {where} order by {resource.order} limit %s offset %s"
        with acting_scope(acting_of(request)) as own:
            rows = own.rows(sql, *asked.values(), aantal + 1, (pagina - 1) * aantal)

        def link(number: int) -> str:
            return f"{request.path}?{urlencode({**asked, 'pagina': number, 'aantal': aantal})}"

        onward = link(pagina + 1) if len(rows) > aantal else None
        back = link(pagina - 1) if pagina > 1 else None
        links = [f'<{where}>; rel="{name}"' for where, name in ((onward, "next"), (back, "prev")) if where]
        if links:
            response["Link"] = ", ".join(links)
        return {"resultaten": rows[:aantal], "volgende": onward, "vorige": back}

    def read_one(request: HttpRequest, response: HttpResponse, id: str) -> Row | HttpResponse:
        with acting_scope(acting_of(request)) as own:
            row = None if "\x00" in id else own.row(f"select * from ({resource.sql}) r where id = %s", id)
        if row is None:
            raise ledger.NotFoundError(f"{id} is hier niet bekend")
        if "versie" in row:
            response["ETag"] = f'"{row["versie"]}"'
            known = [tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))]
            if "*" in known or response["ETag"] in known:
                return HttpResponseNotModified(headers={"ETag": response["ETag"]})
        return row

    errors = {400: schemas.Problem, 401: schemas.Problem, 404: schemas.Problem}
    name, tag = f"/{resource.noun}", [resource.noun]
    api.get(name, response={200: listed, **errors}, summary=f"Lijst van {resource.dutch}", tags=tag,
            operation_id=f"{resource.noun}_lijst")(read_list)  # fmt: skip
    api.get(name + "/{id}", response={200: resource.schema, **errors}, summary=f"Een uit {resource.dutch}", tags=tag,
            operation_id=f"{resource.noun}_een")(read_one)  # fmt: skip


for _resource in RESOURCES:
    _lay_reading(_resource)

BAD = dict.fromkeys((400, 401, 403, 404, 409, 412), schemas.Problem)


@api.get("/ik", response={200: schemas.Ik, 401: schemas.Problem}, summary="Namens wie ik handel", tags=["ik"])
def who_am_i(request: HttpRequest) -> dict[str, Any]:
    acting = acting_of(request)
    return {"naam": acting.actor, "regio": acting.region, "wereld": acting.world, "rollen": sorted(acting.roles)}


@api.get("/procedures", response={200: list[schemas.Procedure], **BAD}, summary="De procedures", tags=["procedures"])
def procedures(request: HttpRequest) -> list[dict[str, Any]]:
    acting_of(request)
    return [
        {
            "id": p.code,
            "naam": p.dutch,
            "versie": p.version,
            "bron": p.source,
            "status": p.status,
            "partijen": list(p.parties),
            "toestanden": [dataclasses.asdict(state) for state in p.states],
            "stappen": [dataclasses.asdict(step) for step in p.steps],
            "termijnen": [dataclasses.asdict(term) for term in p.terms],
            "velden": [dataclasses.asdict(field) for field in p.fields],
        }
        for p in dossiers.read_known().values()
    ]


@api.get("/procedures/{code}/tekening", summary="Een procedure als tekening (SVG)", tags=["procedures"],
         response={200: None, **BAD})  # fmt: skip
def drawing(request: HttpRequest, code: str, toestand: str = "") -> HttpResponse:
    acting_of(request)
    procedure = dossiers.read_known().get(code)
    if procedure is None:
        raise ledger.NotFoundError(f"procedure {code} is hier niet bekend")
    return HttpResponse(draw_procedure(procedure, dossiers.read_roles(), toestand), content_type="image/svg+xml")


@api.get("/beeld", response={200: schemas.Beeld, **BAD}, summary="Het beeld op een tijdstip, zoals het toen bekend was",
         tags=["logboek"])  # fmt: skip
def picture(
    request: HttpRequest,
    tijdstip: schemas.Moment | None = None,
    bekend_op: Annotated[schemas.Moment | None, Query(alias="bekendOp")] = None,
) -> dict[str, Any]:
    with acting_scope(acting_of(request)) as own:
        seen = replay(read_events(own), tijdstip, bekend_op)
    return {
        "tijdstip": seen.at,
        "bekend_op": seen.known_at,
        "eenheden": [dataclasses.asdict(unit) for unit in seen.units.values()],
        "incidenten": [dataclasses.asdict(incident) for incident in seen.incidents.values()],
        "aanvragen": [dataclasses.asdict(request_) for request_ in seen.requests.values()],
        "regels": [dataclasses.asdict(line) for line in seen.lines.values()],
        "toezeggingen": [dataclasses.asdict(commitment) for commitment in seen.commitments.values()],
        "tegenspraken": [dataclasses.asdict(conflict) for conflict in seen.conflicts],
    }


@api.get("/logboek", response={200: None, **BAD}, summary="Het eigen logboek als JSON-regels, te controleren met "
         "verify_log.py", tags=["logboek"])  # fmt: skip
def export_log(request: HttpRequest) -> StreamingHttpResponse:
    acting = acting_of(request)
    with acting_scope(acting) as own:
        lines = [format_event(event) + "\n" for event in read_events(own, acting.region)]
        refuse_sealed(own, len(lines))
    return StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8")


@api.get("/controlepunten", response={200: list[schemas.Controlepunt], **BAD}, summary="Getekende controlepunten van "
         "alle logboeken", tags=["logboek"])  # fmt: skip
def checkpoints(request: HttpRequest) -> list[Row]:
    with acting_scope(acting_of(request)) as own:
        return own.rows(
            "select chain, number, hash, at, key, signature from slagkracht.checkpoint order by chain, number"
        )


# ── doing ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def once(request: HttpRequest, acting: Acting, status: int, do: Callable[[Scope], dict[str, Any]]) -> Answer:
    """Does something in one transaction; a second request with the same Idempotency-Key gets the first answer.

    Where If-Match names a version, it is done to that version alone: ChangedMeanwhileError when someone was first.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and (not 0 < len(key) <= 200 or "\x00" in key):
        raise InvalidError(Finding("header", "/Idempotency-Key", "een tot 200 tekens, geen nulteken"))
    asked = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()
    with acting_scope(acting) as own:
        if key is None:
            refuse_stale(request, own)
            return Status(status, do(own))
        own.rows("select pg_advisory_xact_lock(hashtextextended(%s, 1))", f"{acting.account}/{key}")
        before = own.row("select asked, status, answer from slagkracht.answered where key = %s", key)
        if before is not None:
            if before["asked"] != asked:
                raise HttpError(409, "deze Idempotency-Key hoorde bij een ander verzoek")
            return Status(before["status"], json.loads(before["answer"]))
        refuse_stale(request, own)
        answer = do(own)
        own.insert(
            "answered",
            region=acting.region,
            account_id=acting.account,
            key=key,
            asked=asked,
            status=status,
            answer=json.dumps(answer, default=str),
        )
        return Status(status, answer)


VERSIONED = {
    "incidenten": ("incident", "incident_id"),
    "aanvragen": ("request", "request_id"),
    "aanboden": ("offer", "offer_id"),
    "toezeggingen": ("commitment", "commitment_id"),
    "dossiers": ("dossier", "dossier_id"),
}
"""What has versions: per noun its table and key. Reading one gives its version as ETag, changing it takes If-Match."""


def refuse_stale(request: HttpRequest, own: Scope) -> None:
    """Holds what the path names until the transaction ends, and looks whether it is still as If-Match says it was."""
    match = request.headers.get("If-Match", "").strip()
    named = parse_etags(match)
    noun, _, below = request.path.removeprefix("/api/v1/").partition("/")
    key = below.partition("/")[0]
    if not match or named == ["*"] or not key or "\x00" in key or noun not in VERSIONED:
        return
    if not named:
        raise HttpError(412, "If-Match noemt een versie, zoals de ETag die gaf")
    table, column = VERSIONED[noun]
    row = own.row(f"select version from slagkracht.{table} where {column} = %s for update", key)
    if row is not None and f'"{row["version"]}"' not in named:
        raise ledger.ChangedMeanwhileError(f"{key} is intussen gewijzigd: nu versie {row['version']}")


class Made(Schema):
    id: str


class Moved(Schema):
    id: str
    versie: int
