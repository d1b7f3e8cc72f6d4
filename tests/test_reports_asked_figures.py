"""The demand per capability as a table and as a picture of the hours of every season."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from slagkracht.reports.asked_figures import compute_asked_figures, describe_asked, draw_asked
from test_reports_strength_chapters import small_asked


def test_the_table_says_how_many_at_once_with_the_interval_and_once_in_ten_years_by_season() -> None:
    figures = compute_asked_figures(small_asked())
    assert figures.rows[1] == ("handcrew", "0", "2 (1–2)", "4 (2–4)", "6 (3–6)", "4 (2–4)", "0", "0", "4", "0")
    assert [heading for heading, _ in figures.columns][3:6] == ["1× per 10 jaar", "1× per 25 jaar", "P90"]
    assert figures.columns[8][0] == "Zomer, 1× per 10 jaar"
    assert figures.rows[0][0] == "basisbrandweereenheid"


def test_the_picture_is_as_dark_as_each_hour_asks() -> None:
    """Two capabilities of 4 by 24: pumps dark all year; handcrews dark from 13 to 17, half dark at 12, else light."""
    svg = draw_asked(small_asked())
    ElementTree.fromstring(svg)
    shades = re.findall(r'<rect [^>]*fill="(#[0-9a-f]{6})"/>', svg)
    assert len(shades) == 2 * 4 * 24
    assert set(shades[:96]) == {"#08306b"}
    summer = shades[96 + 48 : 96 + 72]
    assert summer == ["#eef3f3"] * 12 + ["#7b92af"] + ["#08306b"] * 5 + ["#eef3f3"] * 6
    assert set(shades[96 : 96 + 48] + shades[96 + 72 :]) == {"#eef3f3"}
    assert 'dx="6">1,4</tspan>' in svg


def test_the_words_for_who_cannot_see_it_name_the_season() -> None:
    assert "handcrew het meest in de zomer" in describe_asked(small_asked())
