"""A field that is wrong is told in Dutch, whatever kind of wrong it is."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from slagkracht.server.invalid import WORDS, describe_invalid
from test_server_api import client, post

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
