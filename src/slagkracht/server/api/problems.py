"""An error as other systems read it: problem details by RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse

from slagkracht.server.invalid import Finding, describe_fields

NOBODY = (
    "Niet ingelogd of geen geldig mandaat",
    "log in, of stuur een sleutel mee (Authorization: Bearer …) van een account dat hier nu een mandaat heeft",
)
"""Title and detail where nobody may act."""


def problem(
    request: HttpRequest, status: int, title: str, detail: str, findings: Iterable[Finding] = ()
) -> HttpResponse:
    """An error as an answer; ``fouten`` holds the findings, where there are any."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body["instance"] = request.path
    if fields := describe_fields(findings):
        body["fouten"] = fields
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return HttpResponse(text, status=status, content_type="application/problem+json")
