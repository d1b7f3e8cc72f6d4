"""Maps for other programs by OGC API Features: parts 1 (core, GeoJSON) and 2 (reference systems), under /ogc/v1.

Served to whoever has a session or a key (QGIS and GDAL send the key as the password of basic authentication). Rows are
what the acting region may see: the database decides.
"""

from __future__ import annotations

import datetime
import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np
import shapely
from django.http import HttpRequest, HttpResponse, QueryDict
from ninja.errors import AuthenticationError

from slagkracht.server.api import problem
from slagkracht.server.guard import API_VERSION, Acting, acting_scope, find_acting
from slagkracht.server.interfaces.layers import COLLECTIONS, Collection, Layer
from slagkracht.server.keys import find_machine

BASE = "/ogc/v1"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
RD_NEW = "http://www.opengis.net/def/crs/EPSG/0/28992"
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
)
MOST, USUAL = 10_000, 1_000
"""The most features in one answer, and how many come when none is asked."""

GEOJSON = "application/geo+json"


class QuestionError(ValueError):
    """A question that cannot be answered; says which parameter, and what it should be."""


@dataclass(frozen=True)
class Question:
    """What is asked of a collection: ``box`` in the axes of ``box_crs``; ``since`` and ``until`` None = open."""

    limit: int
    offset: int
    box: tuple[float, float, float, float] | None
    box_crs: str
    crs: str
    times: tuple[datetime.datetime | None, datetime.datetime | None] | None
    properties: dict[str, str]


def read_question(asked: QueryDict, collection: Collection) -> Question:
    """Reads the parameters of a question; raises QuestionError for one that is unknown or wrong."""
    known = {"limit", "offset", "bbox", "bbox-crs", "crs", "datetime", "f", *collection.filters}
    if unknown := sorted(set(asked) - known):
        raise QuestionError(f"onbekend: {', '.join(unknown)}; bekend zijn {', '.join(sorted(known))}")
    if asked.get("f", "json") != "json":
        raise QuestionError("f: alleen json")
    crs, box_crs = asked.get("crs", CRS84), asked.get("bbox-crs", CRS84)
    if crs not in (CRS84, RD_NEW) or box_crs not in (CRS84, RD_NEW):
        raise QuestionError(f"crs en bbox-crs zijn {CRS84} of {RD_NEW}")
    limit = _whole(asked, "limit", USUAL, 1)
    properties = {name: asked[name] for name in collection.filters if name in asked}
    return Question(
        min(limit, MOST),
        _whole(asked, "offset", 0, 0),
        _box(asked["bbox"], box_crs) if "bbox" in asked else None,
        box_crs,
        crs,
        _times(asked["datetime"]) if "datetime" in asked else None,
        properties,
    )


def _whole(asked: QueryDict, name: str, usual: int, least: int) -> int:
    text = asked.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= least):
        raise QuestionError(f"{name}: een geheel getal vanaf {least}")
    return int(text)


def _box(text: str, crs: str) -> tuple[float, float, float, float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        del numbers[5], numbers[2]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or numbers[1] > numbers[3]:
        raise QuestionError("bbox: west, zuid, oost, noord (of met hoogten: zes getallen)")
    west, south, east, north = numbers
    if west > east and crs == RD_NEW:
        raise QuestionError("bbox: in RD New ligt het westen voor het oosten")
    return west, south, east, north


def _times(text: str) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    parts = text.split("/")
    if len(parts) > 2 or all(part in ("", "..") for part in parts):
        raise QuestionError("datetime: een tijdstip, of begin/eind waarvan er een open mag zijn (..)")
    try:
        found = [None if part in ("", "..") else datetime.datetime.fromisoformat(part) for part in parts]
    except ValueError as error:
        raise QuestionError("datetime: een tijdstip als 2026-07-01T12:00:00Z") from error
    zoned = [at.replace(tzinfo=at.tzinfo or datetime.UTC) if at else None for at in found]
    first, last = zoned[0], zoned[-1]
    if first and last and first > last:
        raise QuestionError("datetime: het begin ligt na het eind")
    return first, last


def choose(layer: Layer, question: Question) -> list[int]:
    """Rows of ``layer`` that answer the question, in order, all pages together."""
    keep = np.ones(len(layer.ids), np.bool_)
    if question.box is not None:
        shapes = layer.rd if question.box_crs == RD_NEW else layer.lonlat
        west, south, east, north = question.box
        sides = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]  # round the back of the world
        boxes = [shapely.box(left, south, right, north) for left, right in sides]
        keep &= np.logical_or.reduce([shapely.intersects(shapes, box) for box in boxes])
    rows = np.flatnonzero(keep).tolist()
    if question.times is not None:
        first, last = question.times
        rows = [
            row
            for row in rows
            if (at := layer.at[row]) is None or ((first is None or at >= first) and (last is None or at <= last))
        ]
    wanted = question.properties.items()
    return [row for row in rows if all(str(layer.properties[row][name]) == value for name, value in wanted)]


def format_feature(layer: Layer, row: int, crs: str) -> dict[str, Any]:
    """A row as GeoJSON, in ``crs``: degrees to a centimetre, metres to a millimetre."""
    shape = (layer.rd if crs == RD_NEW else layer.lonlat)[row]
    grid = 1e-3 if crs == RD_NEW else 1e-7
    geometry = json.loads(shapely.to_geojson(shapely.set_precision(shape, grid))) if shape is not None else None
    properties = {
        name: value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
        if isinstance(value, datetime.datetime)
        else value
        for name, value in layer.properties[row].items()
    }
    return {"type": "Feature", "id": layer.ids[row], "geometry": geometry, "properties": properties}


# ── the addresses ─────────────────────────────────────────────────────────────────────────────────────────────────────

View = Callable[..., HttpResponse]


def landing(request: HttpRequest) -> HttpResponse:
    """GET /ogc/v1"""
    here = _root(request)
    return _json(
        {
            "title": "Slagkracht",
            "description": "Regio's, kazernes, gebieden met dekking, eenheden en incidenten.",
            "links": [
                _link(here, "self", "dit document"),
                _link(f"{here}/api", "service-desc", "beschrijving", "application/vnd.oai.openapi+json;version=3.0"),
                _link(f"{here}/conformance", "conformance", "waaraan dit voldoet"),
                _link(f"{here}/collections", "data", "de lagen"),
            ],
        }
    )


def conformance(request: HttpRequest) -> HttpResponse:
    """GET /ogc/v1/conformance"""
    return _json({"conformsTo": list(CONFORMANCE)})


def list_collections(request: HttpRequest) -> HttpResponse:
    """GET /ogc/v1/collections"""
    acting = _who(request)
    if acting is None:
        return _refuse(request)
    with acting_scope(acting) as own:
        listed = [_describe(request, collection, collection.read(own), acting) for collection in COLLECTIONS.values()]
    links = [_link(f"{_root(request)}/collections", "self", "de lagen")]
    return _json({"links": links, "crs": [CRS84, RD_NEW], "collections": listed})


def show_collection(request: HttpRequest, name: str) -> HttpResponse:
    """GET /ogc/v1/collections/{name}"""
    acting, collection = _who(request), COLLECTIONS.get(name)
    if acting is None:
        return _refuse(request)
    if collection is None:
        return problem(request, 404, "Niet gevonden", f"de laag {name} bestaat niet")
    with acting_scope(acting) as own:
        return _json(_describe(request, collection, collection.read(own), acting))


def list_items(request: HttpRequest, name: str) -> HttpResponse:
    """GET /ogc/v1/collections/{name}/items"""
    acting, collection = _who(request), COLLECTIONS.get(name)
    if acting is None:
        return _refuse(request)
    if collection is None:
        return problem(request, 404, "Niet gevonden", f"de laag {name} bestaat niet")
    try:
        question = read_question(request.GET, collection)
    except QuestionError as error:
        return problem(request, 400, "Ongeldige vraag", str(error))
    with acting_scope(acting) as own:
        layer = collection.read(own)
    rows = choose(layer, question)
    page = rows[question.offset : question.offset + question.limit]
    here = f"{_root(request)}/collections/{name}"

    def turn(offset: int) -> str:
        asked = {**request.GET.dict(), "limit": question.limit, "offset": offset}
        return f"{here}/items?{urlencode(asked)}"

    links = [
        _link(
            f"{here}/items" + (f"?{request.GET.urlencode()}" if request.GET else ""), "self", "deze bladzij", GEOJSON
        ),
        _link(here, "collection", collection.title),
    ]
    if question.offset + question.limit < len(rows):
        links.append(_link(turn(question.offset + question.limit), "next", "volgende bladzij", GEOJSON))
    if question.offset > 0:
        links.append(_link(turn(max(0, question.offset - question.limit)), "prev", "vorige bladzij", GEOJSON))
    answer = {
        "type": "FeatureCollection",
        "timeStamp": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "numberMatched": len(rows),
        "numberReturned": len(page),
        "links": links,
        "features": [format_feature(layer, row, question.crs) for row in page],
    }
    return _json(answer, GEOJSON, question.crs)


def show_item(request: HttpRequest, name: str, item: str) -> HttpResponse:
    """GET /ogc/v1/collections/{name}/items/{item}"""
    acting, collection = _who(request), COLLECTIONS.get(name)
    if acting is None:
        return _refuse(request)
    crs = request.GET.get("crs", CRS84)
    if set(request.GET) - {"crs", "f"} or crs not in (CRS84, RD_NEW) or request.GET.get("f", "json") != "json":
        return problem(request, 400, "Ongeldige vraag", f"alleen crs: {CRS84} of {RD_NEW}")
    if collection is not None:
        with acting_scope(acting) as own:
            layer = collection.read(own)
        if item in layer.ids:
            here = f"{_root(request)}/collections/{name}"
            found = format_feature(layer, layer.ids.index(item), crs)
            links = [_link(f"{here}/items/{item}", "self", item, GEOJSON), _link(here, "collection", collection.title)]
            return _json({**found, "links": links}, GEOJSON, crs)
    return problem(request, 404, "Niet gevonden", f"{item} is in de laag {name} niet bekend")


def describe(request: HttpRequest) -> HttpResponse:
    """GET /ogc/v1/api: this interface as OpenAPI 3.0."""
    text = {"type": "string"}
    number = {"type": "integer", "minimum": 0}

    def asked(name: str, schema: dict[str, Any], place: str = "query") -> dict[str, Any]:
        found = {"name": name, "in": place, "required": place == "path", "schema": schema}
        return found if place == "path" else {**found, "style": "form", "explode": False}

    crs = {"type": "string", "format": "uri", "enum": [CRS84, RD_NEW], "default": CRS84}
    box = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
    items = [asked("limit", limit), asked("offset", number), asked("bbox", box), asked("bbox-crs", crs)]
    items += [asked("datetime", text), asked("crs", crs)]
    wrong = {"description": "Fout", "content": {"application/problem+json": {"schema": {"type": "object"}}}}

    def get(summary: str, parameters: list[dict[str, Any]], media: str = "application/json") -> dict[str, Any]:
        answer = {"description": "Antwoord", "content": {media: {"schema": {"type": "object"}}}}
        responses = {"200": answer, "400": wrong, "401": wrong, "404": wrong}
        return {"get": {"summary": summary, "parameters": parameters, "responses": responses}}

    paths = {
        "/": get("Begin", []),
        "/conformance": get("Waaraan dit voldoet", []),
        "/collections": get("De lagen", []),
    }
    for name, collection in COLLECTIONS.items():
        filters = [asked(field, text) for field in collection.filters]
        paths[f"/collections/{name}"] = get(collection.title, [])
        paths[f"/collections/{name}/items"] = get(collection.description, items + filters, GEOJSON)
        one = [asked("featureId", text, "path"), asked("crs", crs)]
        paths[f"/collections/{name}/items/{{featureId}}"] = get(f"Een uit {collection.title}", one, GEOJSON)
    answer = {
        "openapi": "3.0.3",
        "info": {"title": "Slagkracht op de kaart", "version": API_VERSION},
        "servers": [{"url": _root(request)}],
        "paths": paths,
    }
    return _json(answer, "application/vnd.oai.openapi+json;version=3.0")


def refuse_questions(view: View) -> View:
    """A page about the layers: it takes no question but f=json."""

    @functools.wraps(view)
    def asked(request: HttpRequest, *place: str, **named: str) -> HttpResponse:
        if set(request.GET) - {"f"} or request.GET.get("f", "json") != "json":
            return problem(request, 400, "Ongeldige vraag", "hier wordt alleen f=json gevraagd")
        return view(request, *place, **named)

    return asked


def _who(request: HttpRequest) -> Acting | None:
    try:
        return find_machine(request) or find_acting(request)
    except AuthenticationError:
        return None


def _refuse(request: HttpRequest) -> HttpResponse:
    answer = problem(request, 401, "Niet ingelogd", "log in, of geef een sleutel mee als wachtwoord")
    answer.headers["WWW-Authenticate"] = 'Basic realm="Slagkracht", charset="UTF-8"'
    return answer


def _root(request: HttpRequest) -> str:
    return str(request.build_absolute_uri(BASE))


def _link(href: str, rel: str, title: str, media: str = "application/json") -> dict[str, str]:
    return {"href": href, "rel": rel, "type": media, "title": title}


def _describe(request: HttpRequest, collection: Collection, layer: Layer, acting: Acting) -> dict[str, Any]:
    here = f"{_root(request)}/collections/{collection.name}"
    extent: dict[str, Any] = {}
    if len(layer.ids) and any(shape is not None for shape in layer.lonlat):
        extent["spatial"] = {"bbox": [[float(n) for n in shapely.total_bounds(layer.lonlat)]], "crs": CRS84}
    if seen := [at for at in layer.at if at is not None]:
        ends = [at.astimezone(datetime.UTC).isoformat() for at in (min(seen), max(seen))]
        extent["temporal"] = {"interval": [ends]}
    return {
        "id": collection.name,
        "title": f"OEFENING: {collection.title}" if acting.is_exercise else collection.title,
        "description": collection.description,
        "itemType": "feature",
        "extent": extent,
        "crs": [CRS84, RD_NEW],
        "storageCrs": RD_NEW,
        "links": [
            _link(here, "self", collection.title),
            _link(f"{here}/items", "items", collection.title, GEOJSON),
        ],
    }


def _json(content: dict[str, Any], media: str = "application/json", crs: str = "") -> HttpResponse:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    answer = HttpResponse(text, content_type=media, headers={"API-Version": API_VERSION, "Cache-Control": "no-store"})
    if crs:
        answer.headers["Content-Crs"] = f"<{crs}>"
    return answer
