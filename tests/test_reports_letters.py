"""A letter is made whatever was typed into it, and says when a sign was replaced."""

from __future__ import annotations

import datetime
import io

import pypdf

from slagkracht.reports.letters import Column, Letter, Part, Table, write_letter


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
