"""The chapters on strength say what was computed, in words, tables and drawings that read without colour."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pypdf
import pytest

from reports_example import small_plan, small_results
from slagkracht.relief import Endurance
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.dutch import write_figure
from slagkracht.reports.figures import Figures
from slagkracht.reports.printed_plan import write_printed_plan
from slagkracht.reports.results import compute_result_receipt
from slagkracht.reports.strength_chapters import (
    Picture,
    Readiness,
    compute_chapters,
    compute_endurance_figures,
    compute_gap_figures,
    compute_platoon_s,
    compute_rank_figures,
    compute_readiness_number,
    compute_season_figures,
    compute_time_figures,
)
from slagkracht.reports.strength_drawings import draw_curve, draw_endurance
from slagkracht.resources import WINDOWS
from slagkracht.risks import SEASONS, Calendar, Profile
from slagkracht.sources.risk_files import read_profile
from slagkracht.strength import LEVELS, Asked, Formation, Gap, Part, StrengthMap
from slagkracht.strength.capabilities import PARTS

SMALL_AREAS = 120
PEOPLE = np.ones(SMALL_AREAS)


def small_calendars() -> tuple[Calendar, Calendar]:
    """A hundred platoon-hours and eight of handcrews, most in summer and by day."""
    hours = np.array([[10.0, 20, 50, 20], [0.0, 2, 6, 0]])
    one = Calendar(("basispeloton", "handcrew"), SEASONS, hours, hours / 10, np.zeros((1, 2, 4), np.int32))
    return one, dataclasses.replace(one, parts=WINDOWS)


def small_asked() -> Asked:
    """Handcrews in summer afternoons, four at once in ten years; pumps at any moment."""
    needed = np.zeros((2, len(PARTS), len(LEVELS)), np.int32)
    needed[0, 0], needed[1, 0] = [8, 16, 24, 24, 8, 16, 24], [0, 2, 4, 6, 0, 4, 4]
    needed[0, 1:5, 2], needed[1, 3, 2] = 24, 4
    begins = np.zeros((2, 4, 24))
    begins[0], begins[1, 2, 12:18] = 0.5, 0.25
    begins[1, 2, 12] = 0.125
    return Asked(
        ("basiseenheid", "handcrew"), needed, needed[:, 0] / 2.0, needed[:, 0] * 1.0, needed[:, :, 0] * 0.0, begins,
        begins, needed[:, 0, :4].repeat(24, axis=1).reshape(2, 4, 24), np.zeros((2, 7, 3), np.int32),
        ((("tankautospuit", 2),), ()), (),
    )  # fmt: skip


def small_readiness() -> Readiness:
    """Two formations, three scenarios: platoons suffice, handcrews are two short once in ten years."""
    formations = tuple(
        Formation(code, dutch, (Part("tankautospuit", 4),), True, 600.0, 3600.0, "te verifiëren")
        for code, dutch in (("basispeloton", "Basispeloton"), ("handcrew", "Handcrew"))
    )
    risks = read_profile().risks[:3]
    needed = np.array([[1.0, 2, 3, 4, 1, 2, 3], [0.0, 2, 5, 6, 0, 2, 4]])
    available = np.array([9.0, 3.0])
    zeros = np.zeros(2)
    gap = Gap(
        formations, LEVELS, ("Ede",), needed, needed - (needed > 0), needed + 1, available, available - 1,
        available + 1, np.maximum(needed - available[:, None], 0), np.maximum(needed - 1 - available[:, None] - 1, 0),
        np.maximum(needed + 1 - available[:, None] + 1, 0), np.array([0.0, 0.12]), np.array([0.0, 0.3]),
        available + 6, available + 5, available + 3, np.array([[9.0], [3.0]]),
        np.array([[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]]),
    )  # fmt: skip
    held = np.linspace(600, 9000, SMALL_AREAS)[:, None] * np.array([1, 1.2, 1.5, 2.0])
    held[7, 3] = np.inf
    strength = StrengthMap(
        (formations[0],) * 4, (1, 2, 4, 10), held.astype(np.float32), (held * 0.9).astype(np.float32)
    )
    days = np.array([1, 2, 4, 7, 14], np.int32)
    alone = np.array([[2.0, 1.9, 1.2], [2, 1.5, 1], [1, 1, 1], [1, 1, 0.4], [1, 0.9999999, 0.4]])
    endurance = Endurance(
        formations[0], days, alone.sum(axis=1), alone, np.array(["officier"] * 5), np.array(["nacht"] * 5),
        np.full((5, 3), "chauffeur"), np.full((5, 3), "dag"), np.ones(3),
    )  # fmt: skip
    curve = np.array([[0.5, 3.0, 8.0], [0.6, 4.0, 9.0]])
    return Readiness(
        "dag", Profile(risks, ()), np.array([1.0, 0.8, 0.25]), gap, zeros.astype(np.int32), strength, (0.5, 1.0, 2.0),
        curve, endurance, small_calendars(), small_asked(), ("ijsbreker",), "eigen norm min marge", 20_000, 7,
    )  # fmt: skip


def test_the_shortest_formation_comes_first_with_its_interval() -> None:
    rows = compute_gap_figures(small_readiness()).rows
    assert rows[0] == (
        "Handcrew", "0 (0–1)", "2 (1–3)", "5 (4–6)", "6 (5–7)", "3 (2–4)", "0", "0 (0–1)", "2 (0–4)", "3 (1–5)",
    )  # fmt: skip
    assert rows[1][-4:] == ("0", "0", "0", "0")


def test_only_whole_platoons_are_promised_but_no_rounding_is_lost() -> None:
    figures = compute_endurance_figures(small_readiness(), small_plan().regions)
    assert figures.rows[1] == ("Liemers-Zuid", 1.0, 1.0, 1.0, 1.0, 1.0, "chauffeur (dag)")
    assert figures.rows[2][1:6] == (1.0, 1.0, 1.0, 0.0, 0.0)
    assert figures.total == ("Nederland", 5.0, 4.0, 3.0, 2.0, 2.0, "officier (nacht)")


def test_when_it_is_asked_and_how_the_rank_turns_on_the_joining_are_told() -> None:
    found = small_readiness()
    season = compute_season_figures(found)
    assert [row[0] for row in season.rows] == ["Handcrew", "Basispeloton"]  # the shortest first, as in the gap
    assert season.rows[1][1:5] == (10.0, 20.0, 50.0, 20.0)
    ranks = compute_rank_figures(found)
    assert len(ranks.columns) == 4  # the scenario, and a rank by each of three ways
    assert [row[1].split()[0] for row in ranks.rows] == ["1", "2", "3"]  # in the order of the diagram


def test_a_platoon_that_never_stands_has_no_time() -> None:
    values = compute_platoon_s(small_readiness(), 10, floors=True)
    assert np.flatnonzero(np.isnan(values)).tolist() == [7]
    assert (compute_platoon_s(small_readiness(), 1, floors=False) < compute_platoon_s(
        small_readiness(), 1, floors=True)).all()  # fmt: skip


def test_every_scenario_is_drawn_and_every_drawing_has_words() -> None:
    found = small_readiness()
    chapters = compute_chapters(found, small_plan().regions, PEOPLE)
    assert [chapter.title for chapter in chapters] == ["Tekort", "Risico", "Slagkracht", "Uithoudingsvermogen"]
    pictures = [shown for chapter in chapters for _, _, shown in chapter.parts if isinstance(shown, Picture)]
    assert len(pictures) == 4
    for picture in pictures:
        ElementTree.fromstring(picture.svg)
        assert picture.alt
        assert picture.caption
    numbers = re.findall(r'fill="#ffffff">(\d+)</text>', pictures[0].svg)
    assert numbers == ["1", "2", "3"]
    assert all(risk.label in pictures[0].alt for risk in found.profile.risks)
    tables = [shown for chapter in chapters for _, _, shown in chapter.parts if isinstance(shown, Figures)]
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)
    assert "25,0 %" in chapters[1].sentence
    assert any("ijsbreker" in line for line in chapters[0].unverified)


def test_the_times_of_all_formations_are_over_residents() -> None:
    """Times run from 600 to 9,000 s in 120 steps: half of the people have the first within the 60th of them."""
    figures = compute_time_figures(small_readiness(), PEOPLE)
    step = 8400 / 119
    assert [row[0] for row in figures.rows] == [f"Basispeloton, {rank}e" for rank in (1, 2, 4, 10)]
    assert figures.rows[0][1:4] == pytest.approx((600 + 59 * step, 600 + 107 * step, 0.9 * (600 + 59 * step)))
    assert [row[4] for row in figures.rows] == pytest.approx([0, 0, 0, 1 / SMALL_AREAS])
    assert write_figure(figures.rows[0][1], "duration") == "1 u 19"
    assert write_figure(48 * 60.0, "duration") == "48 min"


def test_a_bar_is_as_high_as_its_platoons() -> None:
    svg = draw_endurance([1, 2, 14], np.array([8.0, 4.0, 0.0]))
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" fill="#0b4a8f"', svg)]
    assert heights == [170.0, 85.0, 0.0]
    assert re.findall(r">(\d+ dag\w*)<", svg) == ["1 dag", "2 dagen", "14 dagen"]


def test_the_curve_goes_up_where_platoons_come() -> None:
    lines = re.findall(r'<polyline points="([^"]+)"', draw_curve((0.5, 1.0, 2.0), np.array([[0, 3, 8], [0, 4, 9.0]])))
    held, free = ([float(pair.split(",")[1]) for pair in line.split()] for line in lines)
    assert held == sorted(held, reverse=True)
    assert all(a >= b for a, b in zip(held, free, strict=True))


def test_another_seed_is_another_receipt() -> None:
    found = small_readiness()
    numbers = {compute_readiness_number(each, "x") for each in (found, dataclasses.replace(found, seed=8))}
    assert len(numbers | {compute_readiness_number(found, "y")}) == 3


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    result = small_results(small_plan())[0]
    path = tmp_path_factory.mktemp("plan") / "plan.pdf"
    write_printed_plan(path, result, compute_drawing(result.plan), norm="eerste-ts", readiness=small_readiness())
    return path


def test_the_gap_is_the_first_page_after_the_cover_and_the_rest_follows_the_nation(path: Path) -> None:
    pages = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    assert pages[1].startswith("Tekort")
    pages[0] = ""
    order = [
        next(i for i, text in enumerate(pages) if text.startswith(title))
        for title in ("Tekort", "Hoe u dit plan leest", "Nederland", "Risico", "Slagkracht", "Uithoudings", "Rijnkant")
    ]
    assert order == sorted(order)


def test_every_figure_of_it_carries_receipt_and_seed(path: Path) -> None:
    text = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split())
    number = compute_readiness_number(small_readiness(), compute_result_receipt(small_results(small_plan())[0])[0])
    assert text.count(f"Verantwoording {number[:12]}, toeval 7") == 16
    assert "te verifiëren formatie basispeloton" in text


def test_it_stays_archivable_and_accessible(path: Path) -> None:
    metadata = pypdf.PdfReader(path).trailer["/Root"]["/Metadata"].get_data().decode()
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
