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

OUR_RULES: dict[str, tuple[str, ...]] = {
    "naming-resources": ("test_nouns_are_dutch_and_plural",),
    "naming-collections": ("test_nouns_are_dutch_and_plural",),
    "interface-language": ("test_nouns_are_dutch_and_plural",),
    "no-trailing-slash": ("test_no_trailing_slash_and_kebab_case", "test_nothing_listens_to_a_trailing_slash"),
    "path-segments-kebab-case": ("test_no_trailing_slash_and_kebab_case",),
    "query-keys-camel-case": ("test_query_keys_are_camel_case",),
    "hide-implementation": ("test_no_answer_tells_what_we_are_built_of",),
    "date-time/format": ("test_dates_are_dates_and_times_have_a_zone", "test_a_moment_is_text_with_a_zone"),
    "date-time/timezone": ("test_times_go_out_in_utc", "test_every_instant_in_every_answer_is_in_utc"),
    "date-time/date-omit-time-portion": ("test_dates_are_dates_and_times_have_a_zone",),
    "http-methods": ("test_http_methods",),
    "http-safety": ("test_head_is_get_without_content",),
    "http-response-code": ("test_what_goes_wrong_is_told_by_its_own_status",),
    "stateless": ("test_a_key_speaks_for_its_account_until_it_is_ended",),
    "nested-child": ("test_what_is_done_stands_below_what_it_is_done_to",),
    "resource-operations": ("test_what_is_done_stands_below_what_it_is_done_to",),
    "error-handling/problem-details": ("test_problem_details", "test_what_goes_wrong_is_told_by_its_own_status"),
    "error-handling/invalid-input": ("test_invalid_input",),
    "error-handling/all-errors": ("test_all_errors_of_one_request_together",),
    "doc-openapi": ("test_doc_openapi", "test_the_description_is_a_valid_one"),
    "doc-openapi-contact": ("test_semver_and_contact",),
    "doc-language": ("test_the_description_is_in_dutch",),
    "publish-openapi": ("test_publish_openapi", "served"),
    "uri-version": ("test_uri_version",),
    "semver": ("test_semver_and_contact",),
    "version-header": ("test_version_header", "test_what_goes_wrong_is_told_by_its_own_status"),
    "transport/no-sensitive-uris": ("test_no_secret_is_asked_in_an_address",),
    "transport/security-headers": ("test_transport_security_headers",),
    "transport/cors": ("test_another_site_reads_the_description_alone",),
}
"""Which test holds which rule of the core, version 2.2.1. The geospatial module has test_server_interfaces_features.py.

Not for a program to test: transport/tls (whoever serves this in production does that), changelog (CHANGELOG.md), and
deprecation-schedule and transition-period, which begin when there is a second version.
"""


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
                schema = schema_of(served, answer)
                assert {"status", "title", "detail"} <= set(schema["required"])
                assert set(schema["properties"]) <= {"type", "title", "status", "detail", "instance"}


def schema_of(served: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What a problem always holds; what is told of invalid input comes on top of that."""
    schema = resolve(served, answer["content"]["application/problem+json"]["schema"])
    return resolve(served, schema["allOf"][0]) if "allOf" in schema else schema


def test_invalid_input(served: dict[str, Any]) -> None:
    for path, method, operation in operations(served):
        if operation.get("parameters") or method in ("put", "post", "patch", "delete"):
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


def test_every_rule_has_its_test() -> None:
    assert {name for names in OUR_RULES.values() for name in names} <= set(globals())


J = "application/json"
INCIDENT = b'{"wat": "brand", "x_m": 1, "y_m": 2}'


@pytest.mark.parametrize(
    ("status", "method", "path", "body", "headers"),
    [
        (404, "GET", "/bestaat-niet", b"", {}),
        (404, "GET", "", b"", {}),
        (404, "GET", "/incidenten/", b"", {}),
        (405, "PUT", "/incidenten", INCIDENT, {"Content-Type": J}),
        (405, "TRACE", "/incidenten", b"", {}),
        (405, "POST", "/openapi.json", b"", {}),
        (405, "POST", "/gebeurtenissen/stroom", b"", {}),
        (406, "GET", "/incidenten", b"", {"Accept": "application/xml"}),
        (406, "GET", "/logboek", b"", {"Accept": "text/csv"}),
        (406, "GET", "/bestanden/regels.csv", b"", {"Accept": "application/pdf"}),
        (406, "POST", "/incidenten", INCIDENT, {"Accept": "application/xml", "Content-Type": J}),
        (413, "POST", "/incidenten", b" " * 2_700_000 + INCIDENT, {"Content-Type": J}),
        (413, "POST", "/berichten", b"<a>" + b" " * 2_700_000, {"Content-Type": "application/xml"}),
        (415, "POST", "/incidenten", INCIDENT, {}),
        (415, "POST", "/incidenten", INCIDENT, {"Content-Type": "application/xml"}),
        (415, "POST", "/incidenten", INCIDENT, {"Content-Type": "application/json; charset=latin-1"}),
        (415, "POST", "/incidenten", b"wat=brand", {"Content-Type": "application/x-www-form-urlencoded"}),
        (415, "POST", "/berichten", b"{}", {"Content-Type": J}),
        (400, "POST", "/incidenten", b"{nee", {"Content-Type": J}),
        (400, "POST", "/incidenten", b"", {"Content-Type": J}),
        (400, "POST", "/incidenten", INCIDENT.decode().encode("utf-16"), {"Content-Type": J}),
        (400, "POST", "/incidenten", b"[" * 100_000, {"Content-Type": J}),
        (400, "POST", "/incidenten", b'{"wat": "b", "x_m": ' + b"9" * 5_000 + b"}", {"Content-Type": J}),
        (400, "GET", "/incidenten?kleur=rood", b"", {}),
        (400, "GET", "/incidenten?regio=VR06&regio=VR07", b"", {}),
        (400, "GET", "/incidenten?pagina=0", b"", {}),
        (400, "GET", "/beeld?bekend_op=2026-07-01T12:00:00Z", b"", {}),
        (400, "GET", "/incidenten", b"", {"Host": "elders.example"}),
        (400, "POST", "/incidenten", INCIDENT, {"Content-Type": J, "Idempotency-Key": "x" * 201}),
        (401, "GET", "/incidenten", b"", {"Authorization": "Bearer nee"}),
        (401, "GET", "/gebeurtenissen/stroom", b"", {"Cookie": ""}),
        (403, "POST", "/sleutels", b'{"naam": "x", "tot": "2030-01-01T00:00:00Z"}', {"Content-Type": J}),
    ],
)
def test_what_goes_wrong_is_told_by_its_own_status(
    status: int, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    from django.test import Client

    kind, more = headers.get("Content-Type", ""), {k: v for k, v in headers.items() if k != "Content-Type"}
    if path.startswith(("/sleutels", "/gebeurtenissen/stroom")) and "Host" not in more:
        browser: Any = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    else:
        browser = client("demo-officier-vr06")
    browser.raise_request_exception = False
    answer = browser.generic(method, API + path, body, kind, headers=more)
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["API-Version"] == "1.0.0"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert not set(re.findall(r"[a-z]+", f"{told['title']} {told['detail']}".lower())) & ENGLISH
    assert (status == 401) is ("WWW-Authenticate" in answer.headers)
    assert (status == 405) is ("Allow" in answer.headers)


ENGLISH = {"cannot", "parse", "request", "body", "failed", "check", "bad", "not", "found", "invalid", "error", "the"}


def test_the_kinds_of_content_that_are_taken() -> None:
    browser = client("demo-officier-vr06")
    for kind in ("application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'):
        assert browser.generic("POST", f"{API}/incidenten", INCIDENT, kind).status_code == 201, kind
    for accept in ("*/*", "application/*", "text/html,*/*;q=0.1", "application/json", "application/problem+json, */*"):
        answer = browser.generic("POST", f"{API}/incidenten", INCIDENT, J, headers={"Accept": accept})
        assert answer.status_code == 201, accept
        assert browser.get(f"{API}/incidenten", headers={"Accept": accept}).status_code == 200, accept
    made = post(browser, "/incidenten", {"wat": "brand", "x_m": 155_000, "y_m": 463_000}).json()["id"]
    for accept in ("application/xml", "text/xml", "*/*"):
        assert browser.get(f"{API}/incidenten/{made}/cap", headers={"Accept": accept}).status_code == 200, accept


def test_head_is_get_without_content() -> None:
    browser = client("demo-officier-vr06")
    made = post(browser, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2}).json()["id"]
    for path in ("/incidenten", f"/incidenten/{made}", "/ik", "/openapi.json"):
        read, head = browser.get(API + path), browser.head(API + path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers.get("ETag") == read.headers.get("ETag")
    assert browser.head(f"{API}/incidenten/geen").status_code == 404
    assert browser.head(f"{API}/aanboden/geen/aanvaarden").status_code == 405
    assert {*browser.put(f"{API}/incidenten").headers["Allow"].split(", ")} == {"GET", "HEAD", "POST"}
    assert browser.head("/register").status_code == browser.head("/inloggen").status_code == 200, "a monitor asks so"


def test_versions_are_named_as_http_says() -> None:
    asker = client("demo-officier-vr06")
    made = post(asker, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2}).json()["id"]
    for known, status in {'"1"': 304, 'W/"1"': 304, '"7", "1"': 304, "*": 304, '"7"': 200}.items():
        assert asker.get(f"{API}/incidenten/{made}", headers={"If-None-Match": known}).status_code == status, known
    for number, (match, status) in enumerate({'W/"1"': 412, "1": 412, '"0", "1"': 200, "*": 200, '"1"': 412}.items()):
        moved = post(asker, f"/incidenten/{made}/opschalen", {"niveau": f"GRIP {number}"}, **{"If-Match": match})
        assert moved.status_code == status, match


def test_no_answer_tells_what_we_are_built_of(served: dict[str, Any]) -> None:
    browser = client("demo-officier-vr06")
    browser.raise_request_exception = False
    for answer in (browser.get(f"{API}/geen"), browser.get(f"{API}/ik"), browser.get(f"{API}/openapi.json"),
                   post(browser, "/incidenten", {"wat": 1}), browser.get(f"{API}/incidenten/%00")):  # fmt: skip
        told = answer.content.decode().lower() + str(answer.headers).lower()
        assert not re.search("django|ninja|pydantic|postgres|psycopg|uvicorn|python|traceback", told)


def test_a_moment_is_text_with_a_zone() -> None:
    browser = client("demo-officier-vr06")
    for wrong in (0, 1.5e9, "0", "1500000000", "2026-07-01T12:00:00", "2026-07-01", "0001-01-01T00:00:00+14:00", True):
        given = {"wat": "brand", "x_m": 1, "y_m": 2, "gebeurd_op": wrong}
        assert post(browser, "/incidenten", given).json().get("fouten", [{}])[0].get("pointer") == "/gebeurd_op", wrong
    then = "2026-07-01T14:00:00+02:00"
    made = post(browser, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2, "gebeurd_op": then})
    assert browser.get(f"{API}/incidenten/{made.json()['id']}").json()["geopend_op"] == "2026-07-01T12:00:00Z"


def instants(value: Any) -> Iterator[str]:
    """Every instant in an answer, but for those in a fact of the log: that stays as it was told and signed."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT\d\d:", value):
        yield value
    for below in (
        [value[name] for name in value if name != "inhoud"]
        if isinstance(value, dict)
        else value
        if isinstance(value, list)
        else ()
    ):
        yield from instants(below)


def test_every_instant_in_every_answer_is_in_utc(served: dict[str, Any]) -> None:
    from test_server_api import asked

    asker, seen = client("demo-officier-vr06"), set()
    asked(asker)
    post(asker, "/toestemmingen", {"ontvanger": "VR07", "trap": "plaats", "tot": "2030-01-01T00:00:00+02:00"})
    post(client("demo-officier-vr06"), "/sleutels", {"naam": "klok", "tot": TOMORROW})
    for path, method, _ in operations(served):
        if method != "get" or "{" in path or path == "/logboek":
            continue
        told = asker.get(API + path, {"tijdstip": "2030-01-01T00:00:00+02:00"} if path == "/beeld" else {}).json()
        wrong = [at for at in instants(told) if not at.endswith("Z")]
        assert not wrong, (path, wrong[:3])
        seen |= {path for _ in instants(told)}
    assert {"/incidenten", "/aanvragen", "/regels", "/toestemmingen", "/sleutels", "/beeld", "/gebeurtenissen"} <= seen


def test_what_is_done_stands_below_what_it_is_done_to(served: dict[str, Any]) -> None:
    for path, method, _ in operations(served):
        parts = path.strip("/").split("/")
        assert method in ("get", "post") or len(parts) == 2, path
        if len(parts) > 2 and parts[1] != "{code}":
            assert parts[1] == "{id}", f"{path}: a step stands below one of a collection"
            assert parts[0] in {p.split("/")[1] for p in served["paths"] if p.count("/") == 1}, path


def test_the_description_is_in_dutch(served: dict[str, Any]) -> None:
    for path, _, operation in operations(served):
        words = set(operation["summary"].lower().split())
        assert not words & {"the", "list", "get", "read", "close", "make", "take", "step", "request"}, path
    told = {answer.get("description") for _, _, operation in operations(served)
            for answer in operation["responses"].values()}  # fmt: skip
    assert not told & {"OK", "Created", "Bad Request", "Unauthorized", "Not Found", "Conflict", "Forbidden"}


def test_no_secret_is_asked_in_an_address(served: dict[str, Any]) -> None:
    for path, _, operation in operations(served):
        named = {p["name"].lower() for p in operation.get("parameters", []) if p["in"] in ("query", "path")}
        assert not named & {"sleutel", "key", "token", "wachtwoord", "bsn"}, path


def test_another_site_reads_the_description_alone() -> None:
    browser, elsewhere = client("demo-officier-vr06"), {"Origin": "https://elders.example"}
    for path in ("/incidenten", "/ik", "/gebeurtenissen"):
        assert "Access-Control-Allow-Origin" not in browser.get(API + path, headers=elsewhere).headers
    assert client().get(f"{API}/openapi.json", headers=elsewhere).headers["Access-Control-Allow-Origin"] == "*"


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
