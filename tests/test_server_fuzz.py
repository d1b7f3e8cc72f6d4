"""Whatever is sent to the API, it never breaks: every operation of its own description, with anything in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from test_server_api import client


@pytest.mark.usefixtures("database")
def test_nothing_that_is_sent_breaks_it() -> None:
    import schemathesis

    from slagkracht.server.api import api

    browser = client("demo-officier-vr06")
    browser.raise_request_exception = False
    description = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema())))
    broken: list[tuple[str, str, object]] = []
    walked = set()
    for found in description.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            path, query = case.formatted_path, dict(case.query or {})
            if case.method == "POST":
                body = case.body if isinstance(case.body, dict | list | str | int | None) else None
                answer = browser.post(path, json.dumps(body), content_type="application/json", query_params=query)
            else:
                answer = browser.get(path, query)
            walked.add((case.method, case.path))
            if answer.status_code >= 500:
                broken.append((case.method, path, case.body))

        send()
    assert broken == []
    assert len(walked) > 40
