"""What is said of a text that is no TOML: in Dutch, with the place."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.sources.refusal import say_broken_toml


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = 1\nb", "aan het eind: een naam zonder is-teken erachter"),
        ("a = 1\nb c = 2\n", "regel 2, teken 3: een naam zonder is-teken erachter"),
        ("a = ja\n", "regel 1, teken 5: een waarde die geen tekst, getal, datum of lijst is"),
        ('a = "half\n', "regel 1, teken 10: een teken dat hier niet mag staan, zoals een tekst zonder sluitend"),
        ("a = 1\na = 2\n", "regel 2, teken 6: iets dat eerder in het bestand al staat"),
        ("[a]\n[a]\n", "regel 2, teken 3: een kop die eerder in het bestand al staat"),
        ("[a\n", "regel 1, teken 3: een kop zonder sluitende ]"),
        ("a = 1 2\n", "regel 1, teken 7: nog iets achter een waarde"),
        ("a = [1", "aan het eind: een lijst zonder sluitende ]"),
    ],
)
def test_a_mistake_is_said_with_its_place(text: str, says: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as broken:
        tomllib.loads(text)
    assert say_broken_toml(broken.value).startswith(says)


@given(st.text(max_size=40))
def test_no_english_is_left_of_any_mistake(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = say_broken_toml(error)
        assert said.startswith(("regel ", "aan het eind: "))
        assert not {"line", "column", "Expected", "Invalid"} & set(said.replace(":", " ").split())
