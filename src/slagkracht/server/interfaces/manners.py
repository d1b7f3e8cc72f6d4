"""How a request to the API is received before any work begins: its kind, its questions, the answer that it takes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import MediaType
from django.utils.deprecation import MiddlewareMixin

from slagkracht.server.api import problem
from slagkracht.server.interfaces.description import BASE, describe
from slagkracht.server.invalid import Finding

STREAM = f"{BASE}/gebeurtenissen/stroom"


@functools.cache
def _asked() -> dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]]:
    """Per address and method of the description: the kinds of content that it takes, and what may be asked of it."""
    found = {}
    for path, item in describe()["paths"].items():
        for method, operation in item.items():
            kinds = frozenset(operation.get("requestBody", {}).get("content", {}))
            names = frozenset(p["name"] for p in operation.get("parameters", []) if p["in"] == "query")
            found[BASE + path, method.upper()] = kinds, names
    return found


class Manners(MiddlewareMixin):
    """HEAD answers as GET without content; 415 and 406 where kinds of content do not fit; 400 for unknown questions."""

    def process_request(self, request: HttpRequest) -> None:
        if request.method == "HEAD" and request.path != STREAM:
            request.method, request.is_head = "GET", True

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]
    ) -> HttpResponse | None:
        if not request.path.startswith(f"{BASE}/") or request.resolver_match is None:
            return None
        address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", request.resolver_match.route)
        asked = _asked().get((address, str(request.method)))
        if asked is None:
            return None
        kinds, names = asked
        sent = request.headers.get("Content-Length", "0") not in ("", "0") or "Transfer-Encoding" in request.headers
        if kinds and sent and not any(_is_kind(request, kind) for kind in kinds):
            told = f"dit adres leest {' of '.join(sorted(kinds))} in UTF-8"
            return problem(request, 415, "Soort inhoud niet gelezen", told)
        if request.method != "GET" and not _takes(request, "application/json"):
            return problem(request, 406, "Soort antwoord niet gegeven", "dit adres antwoordt met application/json")
        wrong = [Finding("query", f"/{name}", "kennen wij hier niet; laat het weg") for name in {*request.GET} - names]
        wrong += [
            Finding("query", f"/{name}", "staat er meer dan een keer")
            for name in names
            if len(request.GET.getlist(name)) > 1
        ]
        if wrong:
            wrong.sort(key=lambda finding: finding.pointer)
            return problem(request, 400, "Ongeldige invoer", "; ".join(finding.text for finding in wrong), wrong)
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_read = request.method == "GET" and request.path.startswith(f"{BASE}/") and response.status_code == 200
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if is_read and not _takes(request, kind):
            response.close()
            response = problem(request, 406, "Soort antwoord niet gegeven", f"dit adres antwoordt met {kind}")
        if getattr(request, "is_head", False):
            request.method = "HEAD"  # what serves this leaves the content out
        return response


def _is_kind(request: HttpRequest, kind: str) -> bool:
    """Whether what is sent is of a kind, and in UTF-8 where it says in what; XML says that itself."""
    sent = MediaType(request.headers.get("Content-Type", ""))
    if kind.endswith("xml"):
        return bool(sent.sub_type == "xml" or sent.sub_type.endswith("+xml"))
    charset = sent.params.get("charset", "utf-8")
    return f"{sent.main_type}/{sent.sub_type}" == kind and charset.strip('"').lower() in ("utf-8", "utf8")


def _takes(request: HttpRequest, kind: str) -> bool:
    """Whether who asks takes an answer of that kind; a kind made of JSON or XML is taken as such too."""
    family = {"json": ("application/json",), "xml": ("application/xml", "text/xml")}
    wider = family.get(re.split(r"[/+]", kind)[-1], ())
    return any(request.accepts(name) for name in (kind, *wider))
