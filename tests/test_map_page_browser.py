"""The map page as people meet it: opened from disk in a browser, by mouse, by keyboard and by screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from browser import AXE, CHROMIUM, FLAGS, needs_browser
from reports_example import armed_plan, small_results
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.map_page import write_map_page
from slagkracht.reports.map_strength import compute_answers
from slagkracht.strength import compute_posture

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is nodig om de kaart in een browser te openen")

pytestmark = needs_browser("kaart.html")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = armed_plan()
    path = tmp_path_factory.mktemp("kaart") / "kaart.html"
    drawing = compute_drawing(plan)
    curve = np.array([[0.5, 1.5], [1.0, 2.0]])
    answers = compute_answers(compute_posture(plan, "dag", plan.travel), drawing, (0.5, 1.0), curve)
    write_map_page(path, small_results(plan), drawing, answers=answers)
    return path


@pytest.fixture(scope="module")
def driver() -> Iterator[sync_api.Playwright]:
    with sync_api.sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(driver: sync_api.Playwright) -> Iterator[sync_api.Browser]:
    started = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    yield started
    started.close()


@pytest.fixture
def page(browser: sync_api.Browser, page_file: Path) -> Iterator[sync_api.Page]:
    """The page, opened and ready, without having asked any network for anything or complained."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.goto(page_file.as_uri())
    opened.wait_for_selector("html[data-kaart=gereed]", state="attached", timeout=60_000)
    yield opened
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert complaints == []
    opened.close()


def around(page: sync_api.Page, x: float, y: float) -> bytes:
    """A picture of the small square of the page around a point."""
    picture: bytes = page.screenshot(clip={"x": x - 4, "y": y - 4, "width": 8, "height": 8})
    return picture


def middle(page: sync_api.Page) -> tuple[float, float]:
    box = page.get_by_test_id("kaartvlak").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2 + 12, box["y"] + box["height"] / 2 + 12


def test_a_click_on_an_area_shows_who_comes_and_why(page: sync_api.Page) -> None:
    page.mouse.click(*middle(page))
    panel = page.get_by_test_id("gebied")
    panel.wait_for()
    text = panel.inner_text()
    assert "Wie komt, in volgorde" in text
    assert "te verifiëren" in text
    assert "Rijtijd gemodelleerd" in text
    first = panel.locator("ol li").first.inner_text()
    assert "melding 1:00 + uitruk" in first
    assert "rijden" in first
    times = [entry.split()[-1] for entry in panel.locator("ol .line").all_inner_texts()]
    seconds = [60 * int(t.split(":")[0]) + int(t.split(":")[1]) for t in times]
    assert len(seconds) > 2
    assert seconds == sorted(seconds)


def test_the_keyboard_alone_finds_a_station(page: sync_api.Page) -> None:
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Naar de kaart of de tabel"
    page.keyboard.press("Tab")
    page.keyboard.type("heerenb")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert page.locator("[role=option][aria-selected=true]").inner_text().startswith("’s-Heerenberg")
    page.keyboard.press("Enter")
    panel = page.get_by_test_id("gebied")
    assert panel.locator("ol li").first.inner_text().split("\n")[1].startswith("’s-Heerenberg")
    assert page.locator(":focus").inner_text().startswith("Gebied G")


def test_arrow_keys_walk_through_the_worst_places(page: sync_api.Page) -> None:
    worst = page.locator("nav ol button")
    worst.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator(":focus").inner_text() == worst.nth(2).inner_text()
    page.keyboard.press("Enter")
    assert page.get_by_test_id("gebied").locator("h2").inner_text().split()[1] in worst.nth(2).inner_text()


def test_a_variant_has_a_map_of_differences(page: sync_api.Page) -> None:
    x, y = middle(page)
    before = around(page, x, y)
    page.get_by_label("Plan of variant").select_option("Zevenaar dicht")
    page.get_by_label("Verschil met het plan").check()
    assert "meer dan 2 minuten later" in page.locator(".legend").inner_text()
    page.wait_for_timeout(500)
    assert around(page, x, y) != before
    page.get_by_role("tab", name="Tabel").click()
    assert "Niet meer op tijd" in page.locator("table.figures thead").last.inner_text()


def test_the_table_says_what_the_map_shows(page: sync_api.Page) -> None:
    page.get_by_role("tab", name="Kaart").focus()
    page.keyboard.press("ArrowRight")
    table = page.get_by_role("region", name="Eerste redvoertuig – dag").or_(
        page.get_by_role("region", name="Eerste tankautospuit – dag")
    )
    names = table.locator("tbody th").all_inner_texts()
    assert sorted(names) == ["Achterland", "Liemers-Zuid", "Rijnkant"]
    assert "Nederland" in table.locator("tfoot").inner_text()
    people = table.get_by_role("button", name="Inwoners")
    people.click()
    column = [int(row.replace(".", "")) for row in table.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert column == sorted(column, reverse=True)
    assert len(page.locator("#vlak-tabel code").inner_text()) == 64


def test_an_incident_is_put_with_a_click_and_answered_at_once(page: sync_api.Page) -> None:
    page.get_by_label("Slagkracht", exact=True).check()
    page.locator(".legend").get_by_text("tot 15 minuten", exact=True).wait_for()
    page.mouse.click(*middle(page))
    panel = page.get_by_test_id("gebied")
    panel.get_by_text("Wat de leners overhouden").wait_for()
    text = panel.inner_text()
    assert "1 × basispeloton (2 × basiseenheid)" in text
    assert "te verifiëren" in text
    assert "Gemodelleerd" in text
    assert panel.locator(".made > li").count() == 1
    page.get_by_label("2", exact=True).check()
    assert panel.locator(".made > li").count() == 2
    times = [unit.split()[-1] for unit in panel.locator(".made > li").first.locator("li").all_inner_texts()]
    assert times == sorted(times)
    assert panel.locator("tbody tr").count() >= 1


def test_an_incident_needs_no_mouse_and_its_floors_can_be_let_go(page: sync_api.Page) -> None:
    page.get_by_label("Zoek kazerne").fill("G055")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Zet hier een incident").press("Enter")
    panel = page.get_by_test_id("gebied")
    page.locator("h2:focus", has_text="Incident in gebied G055").wait_for()
    page.get_by_label("1", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert "2 × basispeloton" in panel.inner_text()
    page.get_by_label("Tijd, zonder ondergrenzen").check()
    assert "zonder ondergrenzen" in panel.inner_text()
    page.get_by_label("Formatie").select_option("Redvoertuig")
    assert "redvoertuig" in panel.inner_text()
    assert (
        "Rijnkant gaat hier voor en brengt de eerste, ook als een ander sneller is. te verifiëren" in panel.inner_text()
    )
    page.get_by_role("tab", name="Tabel").click()
    table = page.get_by_role("region", name="Redvoertuig – dag: na hoeveel tijd zij er voor de inwoners staan")
    assert sorted(table.locator("tbody th").all_inner_texts()) == ["Achterland", "Liemers-Zuid", "Rijnkant"]
    assert "alle 2 staan er na" in page.locator("#vlak-tabel").inner_text()
    page.get_by_label("Dekking", exact=True).check()
    panel.get_by_text("Opkomsttijd", exact=True).wait_for()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is niet geïnstalleerd (npm ci in web/)")
@pytest.mark.parametrize("width", [1280, 820, 400])
def test_nothing_stands_in_the_way_of_assistive_technology(page: sync_api.Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.get_by_label("Zoek kazerne").fill("G055")
    page.keyboard.press("Enter")
    page.get_by_test_id("gebied").wait_for()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for kind, tab in [("Dekking", "Kaart"), ("Dekking", "Tabel"), ("Slagkracht", "Kaart"), ("Slagkracht", "Tabel")]:
        page.get_by_label(kind, exact=True).check()
        page.get_by_text("Hoeveel" if kind == "Slagkracht" else "Tijdvenster", exact=True).wait_for()
        page.get_by_role("tab", name=tab).click()
        found = page.evaluate("async () => (await axe.run(document)).violations")
        grave = [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")]
        assert grave == []
    overflow = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


def test_without_a_drawing_card_the_figures_are_still_there(driver: sync_api.Playwright, page_file: Path) -> None:
    blind = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS[:7], "--disable-3d-apis"])
    page = blind.new_page()
    page.goto(page_file.as_uri())
    page.get_by_text("Deze browser kan de kaart niet tekenen").wait_for()
    page.get_by_label("Zoek kazerne").fill("G055")
    page.keyboard.press("Enter")
    assert "Wie komt, in volgorde" in page.get_by_test_id("gebied").inner_text()
    page.get_by_role("tab", name="Tabel").click()
    assert "Liemers-Zuid" in page.locator("#vlak-tabel").inner_text()
    blind.close()
