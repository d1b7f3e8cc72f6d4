"""The published description of the API (OpenAPI 3.1), as the national API Design Rules ask for it."""

from __future__ import annotations

import functools
import json
from typing import Any

from django.http import HttpRequest, HttpResponse

from slagkracht.server.api import api
from slagkracht.server.api.resources import RESOURCES
from slagkracht.server.api.routes import VERSIONED

BASE = "/api/v1"
CONTACT = {
    "name": "Beheer Slagkracht",
    "url": "https://example.org/slagkracht",
    "email": "beheer@example.org",
}
VERSION_HEADER = {"description": "Volledige versie van deze API.", "schema": {"type": "string"}}
ETAG_HEADER = {"description": "De versie van wat gelezen is.", "schema": {"type": "string"}}
REPEATABLE = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "Zelf gekozen kenmerk van dit verzoek: wie het herhaalt krijgt het eerste antwoord, en er gebeurt "
    "niets nog eens. Een ander verzoek onder hetzelfde kenmerk wordt geweigerd (409).",
}  # fmt: skip
UNCHANGED = {
    "name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "De ETag waarmee dit gelezen is: is het intussen gewijzigd, dan gebeurt er niets (412).",
}  # fmt: skip
INVALID = {
    "title": "OngeldigeInvoer",
    "description": "Wat er mis is, alles tegelijk: onder fouten per bevinding waar die staat en wat eraan te doen is.",
    "allOf": [
        {"$ref": "#/components/schemas/Problem"},
        {
            "type": "object",
            "properties": {
                "fouten": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["in", "pointer", "detail"],
                        "properties": {
                            "in": {"enum": ["body", "query", "path", "header"]},
                            "pointer": {"type": "string", "description": "JSON pointer (RFC 6901); leeg: het geheel."},
                            "detail": {"type": "string"},
                        },
                    },
                }
            },
        },
    ],
}
WORDS = {
    "200": "Gelezen of gedaan.",
    "201": "Gemaakt.",
    "204": "Beëindigd.",
    "400": "Ongeldige invoer.",
    "401": "Niet ingelogd, of geen sleutel of mandaat dat nu geldt.",
    "403": "Dit mag dit mandaat niet.",
    "404": "Hier niet bekend.",
    "409": "Kan nu niet.",
    "412": "Intussen gewijzigd.",
}
REFUSED = {
    "406": "Het gevraagde soort antwoord (Accept) wordt hier niet gegeven.",
    "413": "Het verzoek is groter dan 2,5 MB.",
    "415": "De inhoud is van een soort of in een tekencodering die hier niet gelezen wordt.",
}
NOT_REPEATABLE = {"/berichten", "/waarschuwingen", "/meldingen", "/sleutels", "/abonnementen"}
"""What takes no Idempotency-Key: messages and reports have an id of their own, and a secret is shown once."""
METHODS = ("get", "post", "put", "patch", "delete")


@functools.cache
def describe() -> dict[str, Any]:
    """The description: paths relative to the server, errors as problem+json, the version header on every answer."""
    schema: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
    schema["openapi"] = "3.1.0"
    schema["info"]["contact"] = CONTACT
    schema["servers"] = [{"url": BASE, "description": "Deze installatie"}]
    schema["paths"] = {path.removeprefix(BASE): item for path, item in schema["paths"].items()}
    tags = {tag for item in schema["paths"].values() for operation in item.values() for tag in operation["tags"]}
    schema["tags"] = [{"name": tag} for tag in sorted(tags)]
    schema["components"]["schemas"]["OngeldigeInvoer"] = INVALID
    schema["components"].setdefault("headers", {})["API-Version"] = VERSION_HEADER
    for resource in RESOURCES:
        asked = schema["paths"][f"/{resource.noun}"]["get"].setdefault("parameters", [])
        asked += [
            {"name": name, "in": "query", "required": False, "schema": {"type": "string", "title": name.capitalize()}}
            for name in resource.filters
        ]
    for path, item in schema["paths"].items():
        noun, _, below = path.removeprefix("/").partition("/")
        if "post" in item and path not in NOT_REPEATABLE:
            headers = [REPEATABLE, UNCHANGED] if noun in VERSIONED and below else [REPEATABLE]
            item["post"].setdefault("parameters", []).extend(headers)
        if noun in VERSIONED and below == "{id}":
            item["get"]["responses"]["200"]["headers"] = {"ETag": ETAG_HEADER}
        for operation in item.values():
            for status, why in REFUSED.items():
                if status == "406" or "requestBody" in operation:
                    operation["responses"][status] = {"description": why}
            for status, answer in operation["responses"].items():
                answer["description"] = WORDS.get(status, answer["description"])
                answer.setdefault("headers", {})["API-Version"] = {"$ref": "#/components/headers/API-Version"}
                if int(status) >= 400:
                    named = "OngeldigeInvoer" if status == "400" else "Problem"
                    answer["content"] = {
                        "application/problem+json": {"schema": {"$ref": f"#/components/schemas/{named}"}}
                    }
    return schema


def publish(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/openapi.json: for everyone, from any site."""
    text = json.dumps(describe(), ensure_ascii=False)
    return HttpResponse(text, content_type="application/json", headers={"Access-Control-Allow-Origin": "*"})
