"""The national API Design Rules, as their published checks state them, over the description that the API serves."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest

from test_server_api import API, client, post

pytestmark = pytest.mark.usefixtures("database")
METHODS = {"get", "post", "put", "patch", "delete"}
PATH = r"^(\/|(\/_[a-z0-9]+|\/(([a-z0-9\-]+|{[^}]+})(\/([a-z0-9\-\.]+|{[^}]+}))*)(\/_[a-z]+)?)\/?)$"
SEMVER = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$"
DATE_FIELD = re.compile(r"^(date|datum)$|(\w+D|_[dD])(ate|atum)")

SINGULAR = {"ik", "beeld", "logboek", "regios"}
"""What may be singular: there is one of it for whoever asks (and ``regios`` is a plural already)."""


@pytest.fixture(scope="module")
def served(database: object) -> dict[str, Any]:
    answer = client().get(f"{API}/openapi.json")
    assert answer.status_code == 200, "everyone may read the description"
    assert answer.headers["Access-Control-Allow-Origin"] == "*", "also a page of another site"
    assert answer.headers["API-Version"] == answer.json()["info"]["version"]
    described: dict[str, Any] = answer.json()
    return described


def operations(served: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in served["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def resolve(served: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = served
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def every(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for below in part.values():
            yield from every(below)
    elif isinstance(part, list):
        for below in part:
            yield from every(below)


def test_doc_openapi(served: dict[str, Any]) -> None:
    assert re.fullmatch(r"3(.\d+){1,2}", served["openapi"])
    assert served["openapi"].startswith("3.1")
    for part in every(served):
        if isinstance(part.get("$ref"), str):
            assert resolve(served, part)


def test_publish_openapi(served: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(served)]
    assert len(names) == len(set(names))
    assert len(served["tags"]) == len({tag["name"] for tag in served["tags"]})
    for path, _, operation in operations(served):
        listed = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert listed == set(re.findall(r"{(\w+)}", path)), path
        assert all(p["required"] for p in operation.get("parameters", []) if p["in"] == "path")


def test_the_description_is_a_valid_one(served: dict[str, Any]) -> None:
    import jsonschema_rs

    for name, schema in served["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"}), name


def test_uri_version(served: dict[str, Any]) -> None:
    assert served["servers"]
    assert all(re.search(r"/v\d+", server["url"]) for server in served["servers"])
    assert f"/v{served['info']['version'].split('.')[0]}" in served["servers"][0]["url"]


def test_semver_and_contact(served: dict[str, Any]) -> None:
    assert re.match(SEMVER, served["info"]["version"])
    assert set(served["info"]["contact"]) >= {"name", "url", "email"}


def test_no_trailing_slash_and_kebab_case(served: dict[str, Any]) -> None:
    for path in served["paths"]:
        assert not path.endswith("/")
        assert re.match(PATH, path), path


def test_nouns_are_dutch_and_plural(served: dict[str, Any]) -> None:
    for path in served["paths"]:
        noun = path.split("/")[1]
        assert noun in SINGULAR or noun.endswith(("en", "s")), path


def test_http_methods(served: dict[str, Any]) -> None:
    assert {method for _, method, _ in operations(served)} <= METHODS


def test_query_keys_are_camel_case(served: dict[str, Any]) -> None:
    for path, _, operation in operations(served):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                assert re.fullmatch(r"\$?[a-z][a-z\d]*([A-Z][a-z\d]*)*", parameter["name"]), path


def test_schema_names_are_upper_camel_case(served: dict[str, Any]) -> None:
    assert all(re.fullmatch(r"([A-Z][a-z0-9]*)+", name) for name in served["components"]["schemas"])


def test_version_header(served: dict[str, Any]) -> None:
    for path, method, operation in operations(served):
        for status, answer in operation["responses"].items():
            assert "API-Version" in answer["headers"], (method, path, status)


def test_problem_details(served: dict[str, Any]) -> None:
    for path, method, operation in operations(served):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (method, path, status)
                schema = resolve(served, answer["content"]["application/problem+json"]["schema"])
                assert {"status", "title", "detail"} <= set(schema["required"])


def test_invalid_input(served: dict[str, Any]) -> None:
    for path, method, operation in operations(served):
        if operation.get("parameters") or method in ("put", "post", "patch"):
            assert "400" in operation["responses"], (method, path)


def test_all_errors_of_one_request_together() -> None:
    answer = post(client("demo-officier-vr06"), "/incidenten", {"wat": "", "x_m": "ver", "y_m": 2})
    assert "wat:" in answer.json()["detail"]
    assert "x_m:" in answer.json()["detail"]


def test_dates_are_dates_and_times_have_a_zone(served: dict[str, Any]) -> None:
    seen = 0
    for part in every(served["components"]["schemas"]):
        if not isinstance(part.get("properties"), dict):
            continue
        for name, field in part["properties"].items():
            formats = {below["format"] for below in every(field) if isinstance(below.get("format"), str)}
            assert not formats & {"date-time-local", "time"}, name
            if DATE_FIELD.search(name):
                seen += 1
                assert formats == {"date"}, name
    assert seen


def test_times_go_out_in_utc() -> None:
    browser = client("demo-officier-vr06")
    made = post(browser, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2}).json()["id"]
    opened = browser.get(f"{API}/incidenten/{made}").json()["geopend_op"]
    assert datetime.datetime.fromisoformat(opened).utcoffset() == datetime.timedelta(0)


def test_what_can_be_repeated_and_what_has_versions_is_described(served: dict[str, Any]) -> None:
    from slagkracht.server.api import api

    repeatable = {
        path
        for _, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        if "once" in operation.view_func.__code__.co_names
    }
    assert len(repeatable) > 20
    for path, item in served["paths"].items():
        taken = {p["name"] for p in item.get("post", {}).get("parameters", []) if p["in"] == "header"}
        assert ("Idempotency-Key" in taken) is (path in repeatable), path
        versioned = "ETag" in served["paths"].get(f"/{path.split('/')[1]}/{{id}}", {}).get("get", {}).get(
            "responses", {}
        ).get("200", {}).get("headers", {})
        assert ("If-Match" in taken) is (versioned and path in repeatable and "{id}" in path), path


def test_transport_security_headers() -> None:
    from django.test import override_settings

    with override_settings(SECURE_HSTS_SECONDS=31_536_000):
        answer = client("demo-officier-vr06").get(f"{API}/regios", secure=True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_nothing_listens_to_a_trailing_slash() -> None:
    assert client("demo-officier-vr06").get(f"{API}/regios/").status_code == 404


def test_every_filter_that_is_described_filters(served: dict[str, Any]) -> None:
    browser = client("demo-officier-vr06")
    for path, method, operation in operations(served):
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            is_filter = parameter["in"] == "query" and schema.get("type") == "string" and "format" not in schema
            if method == "get" and "{" not in path and is_filter:
                answer = browser.get(f"{API}{path}", {parameter["name"]: "bestaat-niet"})
                assert answer.json()["resultaten"] == [], (path, parameter["name"])


# ── keys for other systems ────────────────────────────────────────────────────────────────────────────────────────────

TOMORROW = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).isoformat()


def access_key(username: str) -> tuple[str, str]:
    made = post(client(username), "/sleutels", {"naam": "meldkamer", "tot": TOMORROW})
    assert made.status_code == 201, made.content
    return made.json()["id"], made.json()["sleutel"]


def test_a_key_speaks_for_its_account_until_it_is_ended() -> None:
    key_id, key = access_key("demo-officier-vr06")
    machine, bearer = client(), {"Authorization": f"Bearer {key}"}
    told = machine.get(f"{API}/ik", headers=bearer).json()
    assert (told["regio"], told["naam"]) == ("VR06", "Demo Officier VR06 (meldkamer)")
    made = post(machine, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2}, **bearer)
    assert made.status_code == 201, "a key needs no CSRF token: no browser sends it by itself"
    assert post(machine, "/sleutels", {"naam": "x", "tot": TOMORROW}, **bearer).status_code in (401, 403)
    assert client("demo-officier-vr07").delete(f"{API}/sleutels/{key_id}").status_code == 404
    assert client("demo-officier-vr06").delete(f"{API}/sleutels/{key_id}").status_code == 204
    assert machine.get(f"{API}/ik", headers=bearer).status_code == 401
    assert client("demo-officier-vr06").get(f"{API}/ik", headers=bearer).status_code == 401, (
        "a wrong key is not ignored"
    )


def test_a_key_is_not_shown_again_and_not_to_others() -> None:
    key_id, key = access_key("demo-officier-vr11")
    own = client("demo-officier-vr11").get(f"{API}/sleutels").content.decode()
    assert key_id in own
    assert key not in own
    assert key_id not in client("demo-officier-vr12").get(f"{API}/sleutels").content.decode()
