"""A field that is wrong is told in Dutch, whatever kind of wrong it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic_core.core_schema import ErrorType

from slagkracht.server.invalid import WORDS, describe_invalid, find_wrong
from test_server_api import API, client, post

KINDS = get_args(ErrorType)
LIMITS = dict.fromkeys(("min_length", "max_length", "pattern", "expected", "gt", "ge", "lt", "le"), 3)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_finding_has_dutch_words(kind: str) -> None:
    said = describe_invalid({"type": kind, "ctx": LIMITS, "msg": "Input should be valid"})
    assert said
    assert "{" not in said
    assert not set(said.lower().split()) & {"should", "input", "must", "the", "valid", "field"}


def test_every_word_is_about_a_kind_that_exists() -> None:
    assert set(WORDS) <= set(KINDS)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x_m": 1, "y_m": 2}, "wat: ontbreekt"),
        (None, "is geen object met velden"),
        ({"wat": "brand", "x_m": "hier", "y_m": 2}, "x_m: is geen getal"),
        ({"wat": "brand", "x_m": 1e9, "y_m": 2}, "x_m: moet 1000000.0 of minder zijn"),
        ({"wat": "", "x_m": 1, "y_m": 2}, "wat: is te kort: minstens 1 tekens"),
        ({"wat": "brand", "x_m": 1, "y_m": 2, "kleur": "rood"}, "kleur: kennen wij hier niet"),
        ({"wat": "brand", "x_m": 1, "y_m": 2, "classificatie": "Rood"}, "'Vertrouwelijk' of 'Geheim'"),
    ],
)
def test_an_answer_is_dutch(given: object, said: str) -> None:
    answer = post(client("demo-officier-vr06"), "/incidenten", given)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert "given" not in answer.json()["detail"], "a name of ours says nothing to who sent it"


def test_where_it_is_wrong_is_a_pointer_into_what_was_sent() -> None:
    line = {"formatie": "peloton", "inzetmogelijkheid": "x", "aantal": 0, "x_m": "ver", "y_m": 2, "uren": True}
    given = {"incident": "I", "grond": "iets", "mandaat": "m", "ondertekenaar": "o", "regels": [line], "a/b~c": 1}
    told = post(client("demo-officier-vr06"), "/aanvragen", given).json()
    assert {(found["in"], found["pointer"]): found["detail"] for found in told["fouten"]} == {
        ("body", "/grond"): "is niet een van 'wvr51_minister' of 'wvr51_5_buurregio'",
        ("body", "/regels/0/aantal"): "moet 1 of meer zijn",
        ("body", "/regels/0/x_m"): "is geen getal",
        ("body", "/regels/0/nodig_op"): "ontbreekt; geef een waarde",
        ("body", "/regels/0/uren"): "is geen getal",
        ("body", "/a~1b~0c"): "kennen wij hier niet; laat het weg",
    }


def test_a_value_that_may_be_of_several_kinds_is_one_finding() -> None:
    step = {"stap": "s", "antwoorden": {"plan": [], "goed": 1}}
    told = post(client("demo-officier-vr06"), "/dossiers/geen/stappen", step).json()["fouten"]
    assert [found["pointer"] for found in told] == ["/antwoorden/plan"]
    assert told[0]["detail"].startswith("is geen tekst, is geen geheel getal")


def test_what_is_asked_in_an_address_is_pointed_at_too() -> None:
    told = client("demo-officier-vr06").get(f"{API}/incidenten?pagina=x&aantal=0").json()["fouten"]
    assert told == [
        {"in": "query", "pointer": "/pagina", "detail": "is geen geheel getal"},
        {"in": "query", "pointer": "/aantal", "detail": "moet 1 of meer zijn"},
    ]


def test_text_that_no_database_keeps_is_pointed_at() -> None:
    for wat, said in (("a\x00b", "bevat een nulteken"), ("\ud800", "halve UTF-16-paren")):
        told = post(client("demo-officier-vr06"), "/incidenten", {"wat": wat, "x_m": 1, "y_m": 2}).json()["fouten"]
        assert [found["pointer"] for found in told] == ["/wat"]
        assert said in told[0]["detail"]
    body = {"soort": "note", "inhoud": {"text": "t", "a\x00": 1}}
    told = post(client("demo-officier-vr06"), "/gebeurtenissen", body).json()["fouten"]
    assert told[0]["pointer"] == "/inhoud"


def test_a_pointer_goes_no_further_than_what_was_sent() -> None:
    found = find_wrong([{"type": "string_type", "loc": ("body", "given", "a", 3, "str")}], {"a": [1]})
    assert [each.pointer for each in found] == ["/a"]


# ── every address that takes a body, whatever is sent ─────────────────────────────────────────────────────────────────

FOREIGN = {
    "input", "should", "must", "valid", "invalid", "cannot", "parse", "expected", "error", "the", "unable", "required",
    "request", "body", "extra", "permitted", "value", "integer", "number", "field", "missing", "failed", "not", "found",
    "unknown", "null", "none", "str", "int", "float", "bool", "given", "django", "string", "boolean", "violates",
}  # fmt: skip
STRANGE = (None, True, -1, 10**30, 1e308, "", "x" * 3_000, "\x00", "\ud800", "ja", [], [[]], {}, {"a": 1}, [None])


def described() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Per address that takes JSON its method, path and the schema of the whole body."""
    from slagkracht.server.interfaces.description import describe

    for path, item in describe()["paths"].items():
        for method, operation in item.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema is not None:
                yield method, path, schema


def fields_of(schema: dict[str, Any]) -> list[str]:
    from slagkracht.server.interfaces.description import describe

    part = next((below for below in schema.get("anyOf", [schema]) if "$ref" in below), schema)
    name = part["$ref"].rsplit("/", 1)[-1]
    return sorted(describe()["components"]["schemas"][name]["properties"])


@pytest.mark.usefixtures("database")
def test_whatever_is_sent_to_whatever_address_the_answer_is_dutch_and_points() -> None:
    browser, walked, told = client("demo-officier-vr06"), 0, 0
    browser.raise_request_exception = False
    texts = [b"{nee", b"caf\xe9", '{"wat": 1}'.encode("utf-16"), b"[" * 50_000, b"NaN", b"9" * 5_000, b"", b"{}", b"[]"]
    for method, path, schema in described():
        walked += 1
        address = API + re.sub(r"{\w+}", "geen", path)
        sent = [*texts, b'{"onbekend": 1}', *(json.dumps(value).encode() for value in STRANGE)]
        sent += [json.dumps({name: value}).encode() for name in fields_of(schema) for value in STRANGE]
        for body in sent:
            answer = browser.generic(method.upper(), address, body, "application/json")
            place = (path, body[:60], answer.content)
            assert answer.status_code < 500, place
            if answer.status_code < 400:
                continue
            problem = answer.json()
            words = set(re.findall(r"[a-z]+", re.sub(r"'[^']*'|#\S*", "", problem["detail"]).lower()))
            assert not words & FOREIGN, (words & FOREIGN, *place)
            if answer.status_code != 400:
                continue
            told += 1
            assert problem["fouten"], place
            for found in problem["fouten"]:
                assert set(found) == {"in", "pointer", "detail"}, place
                assert found["detail"], place
                assert found["pointer"] == "" or found["pointer"].startswith("/"), place
    assert walked > 20
    assert told > 1_000
