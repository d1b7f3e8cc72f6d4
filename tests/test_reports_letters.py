"""A letter is made whatever was typed into it, and says when a sign was replaced."""

from __future__ import annotations

import datetime
import io
import itertools
import re

import numpy as np
import pypdf
import pytest
import shapely

from slagkracht.reports.letters import Column, Letter, Part, Table, draw_place, write_letter


def words(title: str, fact: str) -> str:
    asked = Table("Regels", (Column("Formatie"), Column("Aantal", True)), (("Basispeloton", "6"),))
    letter = Letter(
        title, ("Veiligheidsregio VR06",), ("De Minister",), datetime.date(2026, 7, 1), (("Incident", fact),),
        (Part("Wat wordt gevraagd", (), asked),),
    )  # fmt: skip
    pages = pypdf.PdfReader(io.BytesIO(write_letter(letter))).pages
    return " ".join(page.extract_text() for page in pages)


def test_an_ordinary_letter_says_what_it_was_given() -> None:
    said = words("Verzoek om bijstand", "Brand café 't Höfke, € 5 – ‘spoed’")
    assert "Brand café 't Höfke, € 5 – ‘spoed’" in said
    assert "kent" not in said


def test_signs_that_no_font_has_do_not_stop_a_request() -> None:
    said = words("Brand \x01", "火 😀 b\x00c")
    assert "? ? b?c" in said
    assert "het lettertype niet kent" in said


@pytest.mark.parametrize("border_m", [0.0, 120_000.0, 180_000.0, 190_000.0])
def test_the_name_of_a_place_stands_clear_of_the_names_of_regions(border_m: float) -> None:
    """With the border far away, a region is named in the middle of the map, and there the place is."""
    west, east = shapely.box(-9e5, 0, border_m, 940_000), shapely.box(border_m, 0, 360_000, 940_000)
    drawn = draw_place(np.array([west, east]), ["Westland", "Oostland"], 180_000.0, 470_000.0, "Natuurbrand Veluwe")
    found = re.findall(r'<text x="([-\d]+)" y="([-\d]+)"[^>]* font-size="(\d+)"[^>]*>([^<]+)</text>', drawn)
    boxes = {
        text: shapely.box(x - 0.28 * size * len(text), y - size, x + 0.28 * size * len(text), y)
        for text, x, y, size in ((text, *map(float, place)) for *place, text in found)
    }
    assert {"Oostland", "Natuurbrand Veluwe"} <= set(boxes)
    assert not any(a.intersects(b) for a, b in itertools.combinations(boxes.values(), 2))
