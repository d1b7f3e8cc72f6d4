"""Whatever is sent to the API, by whoever, it never breaks: every operation of its own description, with anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from slagkracht.server.demo import DEMO_NATIONAL, DEMO_ROLES
from test_server_api import client

ROLES = (*(f"demo-{role}-vr06" for role in DEMO_ROLES), *(f"demo-{role}" for role in DEMO_NATIONAL), None)
"""Someone of every role, in a region and at the centre, and someone who is not logged in."""


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("username", ROLES)
def test_nothing_that_is_sent_breaks_it(username: str | None) -> None:
    import schemathesis

    from slagkracht.server.interfaces.description import BASE, describe

    browser = client(username) if username else client()
    browser.raise_request_exception = False
    description = schemathesis.openapi.from_dict(json.loads(json.dumps(describe())))
    broken: list[tuple[str, str, object]] = []
    walked = set()
    for found in description.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=8 if username == "demo-officier-vr06" else 2,
            deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            path, headers = BASE + case.formatted_path, {k: str(v) for k, v in (case.headers or {}).items()}
            if isinstance(case.body, dict | list | str | int | None) and case.media_type != "application/xml":
                body: object = json.dumps(case.body)
            else:
                body = str(case.body)
            answer = browser.generic(
                case.method, path, body, case.media_type or "application/json", headers=headers,
                query_params=dict(case.query or {}),
            )  # fmt: skip
            walked.add((case.method, case.path))
            if answer.status_code >= 500:
                broken.append((case.method, path, case.body))

        send()
    assert broken == []
    assert len(walked) > 60
