"""The printed plan is archivable and accessible, has two pages per region, and says what it rests on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pypdf
import pytest

from reports_example import small_plan, small_results
from slagkracht.plan import Plan
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.printed_plan import write_printed_plan
from slagkracht.reports.results import Result, compute_result_receipt


@pytest.fixture(scope="module")
def result() -> Result:
    return small_results(small_plan())[0]


@pytest.fixture(scope="module")
def path(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.pdf"
    write_printed_plan(path, result, compute_drawing(result.plan), norm="eerste-ts")
    return path


@pytest.fixture(scope="module")
def pages(path: Path) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(path).pages]


def walk(node: object, kinds: list[pypdf.generic.DictionaryObject]) -> list[pypdf.generic.DictionaryObject]:
    """Every element of the tag tree."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, pypdf.generic.ArrayObject):
        for child in node:
            walk(child, kinds)
    elif isinstance(node, pypdf.generic.DictionaryObject) and "/K" in node:
        kinds.append(node)
        walk(node["/K"], kinds)
    return kinds


def test_it_is_tagged_titled_and_in_dutch(path: Path, result: Result) -> None:
    catalogue = pypdf.PdfReader(path).trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"].lower().startswith("nl")
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pypdf.PdfReader(path).metadata.title == "Landelijk dekkingsplan – Voorbeeldland"


def test_it_declares_pdf_a_2a_and_pdf_ua_1(path: Path) -> None:
    metadata = pypdf.PdfReader(path).trailer["/Root"]["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata


def test_every_figure_has_words_and_every_table_headings(path: Path) -> None:
    elements = walk(pypdf.PdfReader(path).trailer["/Root"]["/StructTreeRoot"]["/K"], [])
    kinds = [element["/S"] for element in elements if "/S" in element]
    pictures = [element for element in elements if element.get("/S") == "/Figure"]
    assert len([p for p in pictures if "Kaart van" in str(p.get("/Alt", ""))]) == 1 + 1 + 1 + 3
    assert kinds.count("/Table") >= 3 + 3 * 2
    assert kinds.count("/TH") > kinds.count("/Table")
    assert "/H1" in kinds
    assert "/H2" in kinds


def test_every_font_is_embedded(path: Path) -> None:
    fonts = {}
    for page in pypdf.PdfReader(path).pages:
        for font in page["/Resources"].get("/Font", {}).values():
            described = font.get_object()
            inner = described["/DescendantFonts"][0].get_object() if "/DescendantFonts" in described else described
            fonts[described["/BaseFont"]] = set(inner["/FontDescriptor"].get_object())
    assert fonts
    assert all(keys & {"/FontFile", "/FontFile2", "/FontFile3"} for keys in fonts.values())


def test_each_region_has_two_pages(pages: list[str], result: Result) -> None:
    starts = [i for i, text in enumerate(pages) if any(text.startswith(n) for n in result.plan.regions.name)]
    firsts = starts[::2]
    assert [b - a for a, b in zip(firsts, [*firsts[1:], len(pages)])] == [2, 2, 2]


def test_it_says_what_is_modelled_unverified_and_where_figures_come_from(pages: list[str], result: Result) -> None:
    text = " ".join(" ".join(pages).split())
    number, _ = compute_result_receipt(result)
    assert "gemodelleerd" in text
    assert "geen bewijs" in text
    assert "te verifiëren" in text
    assert number[:12] in pages[-1]
    assert result.plan.notes[0] in text


def test_without_results_alone_nothing_is_said_of_cooperation(result: Result, tmp_path: Path) -> None:
    lonely = dataclasses.replace(result, alone=())
    told: list[str] = []
    write_printed_plan(tmp_path / "plan.pdf", lonely, compute_drawing(lonely.plan), progress=told.append)
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "plan.pdf").pages)
    assert "wat samenwerking brengt" not in text.lower()
    assert [line for line in told if "Liemers" in line]


def test_a_norm_without_a_result_is_named(result: Result, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"norm 'bvr' in venster 'dag'; wel: .*eerste-ts \(dag\)"):
        write_printed_plan(tmp_path / "plan.pdf", result, compute_drawing(result.plan), norm="bvr")
    assert not (tmp_path / "plan.pdf").exists()


def test_the_same_plan_prints_the_same(path: Path, result: Result, tmp_path: Path) -> None:
    plan: Plan = result.plan
    write_printed_plan(tmp_path / "again.pdf", result, compute_drawing(plan), norm="eerste-ts")
    assert (tmp_path / "again.pdf").read_bytes() == path.read_bytes()
