"""Every screen with something on it: figures lead to what they rest on, nothing is raw, and a keyboard does it all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import filled
from browser import AXE, CHROMIUM, FLAGS
from slagkracht.server import engine as seam
from slagkracht.server.database import Addresses
from slagkracht.sources.modelland import build_modelland
from test_server_browser import Desk, Site, grave_findings, pytestmark, sync_api  # noqa: F401  (marks this file too)

CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b|\bNone\b|\bnan\b")
"""A code or field of more than one word, and what a program says where there is nothing."""
USERS = [(filled.LENDER, "nl"), (filled.ASKER, "nl"), (filled.CENTRE, "en")]
WIDTHS = (1280, 820, 640)
"""A laptop, a tablet, and that laptop at 200 %."""


@pytest.fixture(scope="module")
def world(database: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[filled.Filled]:
    made = filled.fill(seam.load(build_modelland(areas=600, nodes=30_000)), tmp_path_factory.mktemp("sleutels"))
    yield made
    seam.unload()


@pytest.fixture(scope="module")
def site(database: Addresses, world: filled.Filled) -> Iterator[Site]:
    started = Site(database)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Any]:
    """After the world was filled: playwright keeps a loop running, in which Django asks nothing of its database."""
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


def sit_down(browser: Any, site: Site, user: str, language: str = "nl") -> Desk:
    desk = Desk(browser, site, user)
    if language == "en":
        desk.page.get_by_role("button", name="English").click()
        desk.page.get_by_role("button", name="Nederlands").wait_for()
    return desk


def look(desk: Desk, path: str) -> Any:
    """Opens a screen and waits for what comes later; the nation's gap may take longer than one looks."""
    page = desk.open(path)
    late = page.locator("[data-later][aria-busy=true]:not(#landelijk)")
    late.first.wait_for(state="detached", timeout=60_000)
    if path == "/plantafel":
        page.wait_for_selector("html[data-schets='0']", state="attached", timeout=60_000)
    return page


SHOWN = """() => {
  const copy = document.querySelector('main').cloneNode(true)
  copy.querySelectorAll('code, details.ruw, script').forEach(part => part.remove())
  return copy.textContent
}"""
ONE = re.compile(r"(?<![.,\d])\b1 (?:eenheden|incidenten|aanvragen|gebieden|units|incidents|requests|areas)\b")
FIGURES = """() => {
  const told = []
  const aged = part => part !== null && part.querySelector('time, .oud') !== null
  for (const figure of document.querySelectorAll('main .cijfers li, main .outcome > p')) {
    const link = figure.querySelector('a[href]')
    const part = figure.closest('section') ?? document.querySelector('main')
    const head = document.querySelector('.kopregel')
    told.push([figure.textContent.trim(), link?.getAttribute('href') ?? '', aged(part) || aged(head)])
  }
  for (const table of document.querySelectorAll('main table')) {
    if (![...table.querySelectorAll('td')].some(cell => /\\d\\s?%/.test(cell.textContent))) continue
    const link = table.closest('section').querySelector('a[href^="/verantwoording"]')
    told.push([(table.caption ?? table).textContent.trim().slice(0, 40), link?.getAttribute('href') ?? '', true])
  }
  return told
}"""
NO_AGE = ("/plantafel", "/terugkijken")
"""Figures of a plan, whose day stands at the top, and of a moment that one chose oneself."""


@pytest.mark.parametrize(("user", "language"), USERS)
def test_every_screen_with_content(browser: Any, site: Site, world: filled.Filled, user: str, language: str) -> None:
    """Axe, three widths, no raw code, no "1 eenheden"; every figure leads to what it rests on and shows its age."""
    assert AXE.exists(), "axe-core is niet geïnstalleerd (npm ci in web/)"
    desk = sit_down(browser, site, user, language)
    lead, seen = set[str](), 0
    for path in world.screens(user):
        page = look(desk, path)
        assert (path, grave_findings(page)) == (path, [])
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert (path, width, wide <= 0) == (path, width, True)
        page.set_viewport_size({"width": 1280, "height": 900})
        shown = re.sub(r"\s+", " ", re.sub(r"\bdocs/\S+|\bverify_log\.py\b", "", page.evaluate(SHOWN)))
        assert (path, CODE.findall(shown), ONE.findall(shown)) == (path, [], [])
        if path.startswith("/verantwoording"):
            continue  # these are where figures lead
        for figure, link, aged in page.evaluate(FIGURES):
            assert link, f"{path}: {figure!r} leidt nergens heen"
            assert aged or path in NO_AGE, f"{path}: {figure!r} zegt niet hoe oud het is"
            if link.startswith("#"):
                assert page.locator(link).count() == 1, f"{path}: {link}"
            else:
                lead.add(link)
            seen += 1
    for link in sorted(lead):
        answer = desk.context.request.get(site.address + link)
        assert answer.status == 200, link
        assert not link.startswith("/verantwoording") or "SHA-256" in answer.text(), link
    assert seen > 3
    desk.close()


def reach(page: Any, wanted: Any) -> None:
    """Presses Tab until ``wanted`` has the focus: what cannot be reached so is not there for who has no mouse."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"met Tab niet te bereiken: {wanted}")


def press_key(desk: Desk, name: str) -> str:
    """Reaches a button and presses Enter; returns what the page that follows says first."""
    reach(desk.page, desk.page.get_by_role("button", name=name).first)
    desk.page.keyboard.press("Enter")
    return str(desk.page.locator(".melding").inner_text())


def write_in(desk: Desk, label: str, text: str) -> None:
    reach(desk.page, desk.page.get_by_label(label))
    desk.page.keyboard.type(text)


def test_open_ask_offer_commit_and_decide_by_keyboard_alone(browser: Any, site: Site, world: filled.Filled) -> None:
    asker, centre = sit_down(browser, site, "demo-officier-vr20"), sit_down(browser, site, filled.CENTRE)
    asker.open("/actiecentrum")
    write_in(asker, "Wat is er aan de hand", "Duinbrand")
    write_in(asker, "of x (RD, m)", "112000")
    write_in(asker, "en y (RD, m)", "400000")
    assert "Incident geopend" in press_key(asker, "Incident openen")
    asker.open(asker.page.url.removeprefix(site.address))
    write_in(asker, "Bevoegdheid of mandaat", "voorzitter veiligheidsregio")
    write_in(asker, "Ondertekend door (functie)", "Voorzitter VR20")
    assert "De aanvraag is gedaan" in press_key(asker, "Aanvragen")
    path = asker.page.url.removeprefix(site.address)

    page = look(centre, path)
    box = page.locator("#voorstel input[name=regios]:checked").first
    lender = str(box.get_attribute("value")).lower()
    assert "Gevraagd aan" in press_key(centre, "Vraag de aangevinkte regio’s")
    own = sit_down(browser, site, f"demo-officier-{lender}")
    page = own.open("/regio")
    reach(page, page.get_by_role("link", name=re.compile("Antwoorden op 1 basispeloton voor VR20")))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Wat dit aanbod ons kost").wait_for()
    if page.get_by_label("Waarom wij het toch doen").count():
        write_in(own, "Waarom wij het toch doen", "buren dekken ons")
    assert "Aangeboden" in press_key(own, "Bied aan")
    asker.open(path)
    assert "toegezegd" in press_key(asker, "Aanvaarden")
    board = sit_down(browser, site, "demo-bestuur-vr20")
    board.open("/besluiten")
    assert "Opgetekend: vastgesteld" in press_key(board, "Optekenen")
    for desk in (asker, centre, own, board):
        desk.close()
