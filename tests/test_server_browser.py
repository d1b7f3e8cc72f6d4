"""The platform as people meet it: in a browser, by keyboard, with a screen reader, and when contact is lost."""

from __future__ import annotations

import datetime
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import AXE, CHROMIUM, FLAGS, needs_browser
from slagkracht.server import demo, verify_log
from slagkracht.server.database import Addresses
from slagkracht.server.engine import CLOCK
from slagkracht.sources.variant_files import read_variant

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is nodig om de schermen te openen")

pytestmark = needs_browser("platform/eilanden.js")


class Site:
    """The platform as a program of its own on a free port of this machine, with a plan file where one is given."""

    def __init__(self, addresses: Addresses, *plan: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.address = f"http://127.0.0.1:{port}"
        surroundings = {
            **os.environ, "SLAGKRACHT_DSN": addresses.application, "SLAGKRACHT_OWNER_DSN": addresses.owner,
        }  # fmt: skip
        program = [sys.executable, str(Path(__file__).with_name("serve_small.py")), str(port), *plan]
        self.process = subprocess.Popen(program, env=surroundings)
        while True:
            assert self.process.poll() is None, "het platform startte niet"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)

    def pause(self) -> None:
        """As when a cable is pulled: connections stand, and nothing comes any more."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def site(database: Addresses) -> Iterator[Site]:
    started = Site(database)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


class Desk:
    """Someone at a screen: every request that left this machine and every complaint of the browser is kept."""

    def __init__(self, browser: sync_api.Browser, site: Site, username: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Europe/Amsterdam")
        self.context.set_default_timeout(30_000)
        self.page: Any = self.context.new_page()
        self.site, self.strangers, self.complaints = site, [], []
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        self.open("/inloggen")
        self.page.get_by_label("Gebruikersnaam").fill(username)
        self.page.get_by_label("Wachtwoord").fill(demo.PASSWORD)
        self.page.get_by_role("button", name="Inloggen").click()
        self.page.wait_for_url(f"{site.address}/")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.site.address, "blob:", "data:")):
            self.strangers.append(url)

    def open(self, path: str) -> Any:
        self.page.goto(self.site.address + path)
        return self.page

    def press(self, name: str) -> str:
        """Presses a button, and returns what the page that follows says first."""
        self.page.get_by_role("button", name=name).first.click()
        return str(self.page.locator(".melding").inner_text())

    def close(self) -> None:
        assert self.strangers == []
        assert self.complaints == []
        self.context.close()


def grave_findings(page: Any) -> list[tuple[str, str]]:
    """What axe finds that is serious or critical, with the first place where it is so."""
    source = AXE.read_text(encoding="utf-8")
    page.evaluate(source)  # the browser's own door: the page's content security policy lets no other script in
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")]


def test_the_walk_of_a_long_fire(browser: sync_api.Browser, site: Site, tmp_path: Path) -> None:
    """VR06 asks two platoons and a hand crew; two regions offer, one refuses; who comes goes home; the log proves it.

    Five lenders, relief and what was told late stand in test_server_walk.
    """
    asker, centre = Desk(browser, site, "demo-officier-vr06"), Desk(browser, site, "demo-actiecentrum")
    page = asker.open("/actiecentrum")
    page.get_by_label("Wat is er aan de hand").fill("Natuurbrand Veluwe")
    page.get_by_label("Opschaling").select_option("GRIP 3")
    assert "gemeente" in asker.press("Incident openen")
    kept = [page.get_by_label(name).input_value() for name in ("Wat is er aan de hand", "Opschaling", "Gemeente")]
    assert kept == ["Natuurbrand Veluwe", "GRIP 3", ""], "only what was wrong is filled in again"
    page.get_by_label("Gemeente").select_option(label="Ermelo")
    assert "Incident geopend" in asker.press("Incident openen")
    incident = page.url.rpartition("/")[2]
    page.get_by_label("Functie of sector").fill("leider")
    page.get_by_label("Aan (functie)").fill("Hoofdofficier Noord")
    assert "Vastgelegd" in asker.press("Overdragen")
    page.get_by_label("Aantal", exact=True).fill("2")
    page.get_by_label("Ook (formatie)").first.select_option(label="Handcrew")
    page.get_by_label("Bevoegdheid of mandaat").fill("voorzitter veiligheidsregio")
    page.get_by_label("Ondertekend door (functie)").fill("Voorzitter VR06")
    assert "De aanvraag is gedaan" in asker.press("Aanvragen")
    path = page.url.removeprefix(site.address)

    overview = centre.open(path)
    assert "van 3" in overview.locator("#voorstel").inner_text()
    lenders = [box.get_attribute("value") for box in overview.locator("#voorstel table input[name=regios]").all()]
    others = [code for code in ("VR04", "VR05", "VR07") if code not in lenders]
    overview.get_by_text("Ook andere regio’s vragen").click()
    for code in others:
        overview.locator(f"#o-{code}").check()
    assert "Gevraagd aan" in centre.press("Vraag deze regio’s")
    if lenders:
        assert "Gevraagd aan" in centre.press("Vraag de aangevinkte regio’s")
    *givers, refuser = (Desk(browser, site, f"demo-officier-{str(code).lower()}") for code in [*lenders, *others][:3])
    for lender in (*givers, refuser):
        own = lender.open("/regio")
        own.get_by_role("link", name=re.compile("Antwoorden op 2 basispeloton")).click()
        if lender is refuser:
            own.get_by_label("Reden").select_option(label="eigen restdekking komt onder de bodem")
            assert "Geweigerd" in lender.press("Met deze reden weigeren")
        else:
            own.get_by_label("Aantal formaties").fill("1")
            assert own.locator("input[name=eenheden]:checked").count() > 0
            if own.get_by_label("Waarom wij het toch doen").count():
                own.get_by_label("Waarom wij het toch doen").fill("buren dekken ons")
            assert "Aangeboden" in lender.press("Bied aan")
    centre.page.locator("#aanboden tbody tr").nth(2).wait_for()  # by itself, as the answers come
    refuser.close()
    page = asker.open(path)
    for _ in givers:
        assert "toegezegd" in asker.press("Aanvaarden")
    assert page.get_by_role("button", name="Aanvaarden").count() == 0
    for lender in givers:
        lender.open("/regio")
        for step in ("onderweg", "ter plaatse"):
            assert step in lender.press(step)
    for step in ("ingezet", "afgelost", "vrijgegeven"):
        for _ in givers:
            assert step in asker.press(step)
    page.get_by_role("link", name="Natuurbrand Veluwe").click()
    page.get_by_label("Tekst").fill("Sector noord houdt de spoorlijn")
    assert "Vastgelegd" in asker.press("Vastleggen")
    page.get_by_label("Tekst").fill("Vuur stak de weg over")
    earlier = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=40)).astimezone(CLOCK)
    page.get_by_label("Gebeurd op (leeg = nu)").first.fill(earlier.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Soort").select_option("note")
    assert "Vastgelegd" in asker.press("Vastleggen")
    assert "later vastgelegd" in page.locator("#besluiten").inner_text()
    sheet = asker.open(f"/actiecentrum/incidenten/{incident}/overdracht").locator("article").inner_text()
    assert "Hoofdofficier Noord" in sheet
    assert "Sector noord houdt de spoorlijn" in sheet
    assert "vrijgegeven" in sheet
    for lender in givers:
        lender.open("/regio")
        assert "thuis" in lender.press("thuis")
        assert "Niemand is weg" in lender.page.locator("#weg").inner_text()
        lender.close()
    asker.open(path)
    assert "met reden" in asker.press("Aanvraag sluiten")

    asker.open("/logboek")
    asker.page.get_by_role("button", name="Controleer ons logboek").click()
    assert "sluiten op elkaar aan" in asker.page.locator("main").inner_text()
    with asker.page.expect_download() as download:
        asker.page.get_by_role("link", name="Haal het op").click()
    log = tmp_path / "logboek.jsonl"
    download.value.save_as(log)
    assert log.read_text(encoding="utf-8").count("\n") > 10
    program = [sys.executable, str(verify_log.__file__), str(log)]
    assert subprocess.run(program, capture_output=True, check=False).returncode == 0
    log.write_text(log.read_text(encoding="utf-8").replace("spoorlijn", "snelweg"), encoding="utf-8")
    assert subprocess.run(program, capture_output=True, check=False).returncode == 1
    asker.close()
    centre.close()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is niet geïnstalleerd (npm ci in web/)")
def test_nothing_stands_in_the_way_of_assistive_technology(browser: sync_api.Browser, site: Site) -> None:
    """For who manages a region; officers and the centre are looked at in test_server_filled."""
    desk = Desk(browser, site, "demo-beheerder-vr07")
    desk.page.get_by_role("button", name="English").click()
    desk.page.get_by_role("button", name="Nederlands").wait_for()
    paths = ["/", "/actiecentrum", "/regio", "/tekort", "/plantafel", "/besluiten", "/logboek?controle=1", "/beheer",
             "/verantwoording?cijfer=restdekking"]  # fmt: skip
    paths += ["/register", "/account"]
    page = desk.open("/actiecentrum")
    for kind in ("incidenten", "aanvragen"):
        paths += [str(link.get_attribute("href")) for link in page.locator(f"#{kind} a").all()[:1]]
    begun = desk.open("/besluiten").locator("#dossiers a").all()
    paths += [str(link.get_attribute("href")) for link in begun[:1]]
    for opened in [path for path in paths if "/incidenten/" in path or "/aanvragen/" in path]:
        paths.append(f"{opened}/overdracht" if "/incidenten/" in opened else f"{opened}/kosten")
    for path in paths:
        page = desk.open(path)
        assert (path, grave_findings(page)) == (path, [])
        for width in (820, 640):  # a tablet, and 200 % zoom on a laptop
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert (path, width, wide <= 0) == (path, width, True)
        page.set_viewport_size({"width": 1280, "height": 900})
    desk.close()


def test_the_map_shows_now_and_asks_no_one_else(browser: sync_api.Browser, site: Site) -> None:
    desk = Desk(browser, site, "demo-actiecentrum")
    page = desk.open("/")
    page.wait_for_selector("html[data-beeld]", state="attached", timeout=60_000)
    assert "op tijd bereikt" in page.locator("[data-eiland]").inner_text()
    page.locator("[data-later] .cijfers").wait_for(timeout=60_000)
    assert "binnen 30 min" in page.locator("[data-later]").inner_text()
    desk.close()


def test_the_planners_desk_answers_while_one_edits(browser: sync_api.Browser, site: Site) -> None:
    """A station is closed, moved and crewed by keyboard alone; the sketch is kept, and its file is the usual one."""
    desk = Desk(browser, site, "demo-beleid-vr06")
    page = desk.open("/plantafel")
    page.wait_for_selector("html[data-schets='0']", state="attached", timeout=60_000)
    page.get_by_label("Kazerne (of sleep haar op de kaart)").fill("Modelkazerne Groningen 1 (01-M01)")
    page.get_by_role("button", name="Sluit").press("Enter")
    page.wait_for_selector("html[data-schets='1']", state="attached")
    assert "eraf" in page.locator(".outcome").inner_text()
    page.get_by_label("Kazerne (of sleep haar op de kaart)").fill("Modelkazerne Groningen 2 (01-M02)")
    page.get_by_role("button", name="500 meter naar het noorden").press("Enter")
    page.wait_for_selector("html[data-schets='2']", state="attached")
    page.get_by_role("button", name="beroeps").press("Enter")
    page.wait_for_selector("html[data-schets='6']", state="attached")  # a regime is one edit per time window
    page.get_by_role("button", name=re.compile("Maak ongedaan")).first.press("Enter")
    page.wait_for_selector("html[data-schets='5']", state="attached")
    page.get_by_label("Bewaar deze schets als").fill("Groningen anders")
    assert desk.press("Bewaar variant") == "Bewaard: Groningen anders."
    row = page.locator("table", has_text="Groningen anders")
    with page.expect_download() as download:
        row.get_by_role("link", name="toml").first.click()
    variant = read_variant(Path(download.value.path()))
    assert [type(edit).__name__ for edit in variant.edits] == ["MoveStation", *["ChangeCrew"] * 4]
    desk.close()


def grab_station(page: Any) -> tuple[float, float]:
    """Presses the mouse on the map until a station is under it, leaves it held, and returns where."""
    box = page.locator(".desk canvas").bounding_box()
    spots = [(x, y) for y in range(30, 70, 2) for x in range(30, 70, 3)]
    for across, down in spots:
        x, y = box["x"] + box["width"] * across / 100, box["y"] + box["height"] * down / 100
        page.mouse.move(x, y)
        page.mouse.down()
        if page.locator("#kazerne").input_value():
            return x, y
        page.mouse.up()
    raise AssertionError("nergens op de kaart is een kazerne te pakken")


def test_a_station_is_dragged_and_the_figures_follow_the_hand(browser: sync_api.Browser, site: Site) -> None:
    desk = Desk(browser, site, "demo-beleid-vr06")
    page = desk.open("/plantafel")
    page.wait_for_selector("html[data-schets='0']", state="attached", timeout=60_000)
    page.wait_for_selector("html[data-kaart]", state="attached", timeout=60_000)
    assert page.locator(".sterkte").count() == 0
    before = page.locator(".outcome").inner_text()
    x, y = grab_station(page)
    page.mouse.move(x + 30, y + 20, steps=3)
    page.locator(".sterkte").wait_for()  # the hand still holds the station
    on_the_way = page.locator(".outcome").inner_text()
    assert on_the_way != before
    first = page.locator(".sterkte tbody tr").first
    assert page.locator("#kazerne").input_value().startswith(first.locator("th").inner_text())
    assert re.fullmatch(r"\d+:\d\d( → \d+:\d\d)?", first.locator("td").first.inner_text())
    page.mouse.move(x + 90, y + 60, steps=6)
    page.mouse.up()
    page.wait_for_function("told => document.querySelector('.outcome').innerText !== told", arg=on_the_way)
    assert page.locator("html").get_attribute("data-schets") == "1", "one station, one edit, however long the drag"
    assert "verplaatst" in page.locator(".panel ol").inner_text()
    page.locator(".sterkte", has_text="→").wait_for()  # the answer to where it was let go
    desk.close()


def test_a_kept_variant_is_handed_in_and_lies_before_the_board(browser: sync_api.Browser, site: Site) -> None:
    desk = Desk(browser, site, "demo-beleid-vr06")
    page = desk.open("/plantafel")
    page.wait_for_selector("html[data-schets='0']", state="attached", timeout=60_000)
    page.get_by_label("Kazerne (of sleep haar op de kaart)").fill(
        str(page.locator("#kazernes option[value*='(06-']").first.get_attribute("value"))
    )
    page.get_by_role("button", name="Sluit").click()
    page.wait_for_selector("html[data-schets='1']", state="attached")
    page.get_by_label("Bewaar deze schets als").fill("Een kazerne minder")
    desk.press("Bewaar variant")
    assert desk.press("Dien in Een kazerne minder") == "Ingediend: Een kazerne minder."
    assert "Basispeloton compleet" in page.get_by_role("main").inner_text()
    address = page.url.removeprefix(site.address)
    assert grave_findings(page) == []
    assert desk.open("/plantafel").get_by_role("link", name="ingediend Een kazerne minder").is_visible()
    board = Desk(browser, site, "demo-bestuur-vr06")
    shown = board.open("/besluiten").locator(f"#dossiers a[href='{address}']")
    assert shown.inner_text() == "Voorstel tot wijziging van het plan"
    board.close()
    desk.close()


def test_the_keyboard_reaches_every_screen(browser: sync_api.Browser, site: Site) -> None:
    desk = Desk(browser, site, "demo-officier-vr07")
    page = desk.open("/logboek")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Naar de inhoud"
    reached = set()
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.add(page.locator(":focus").get_attribute("href"))
    assert {"/", "/actiecentrum", "/regio", "/tekort", "/besluiten", "/logboek", "/beheer"} <= reached
    desk.close()


def test_lost_contact_is_said_within_five_seconds_and_mends_itself(browser: sync_api.Browser, site: Site) -> None:
    desk = Desk(browser, site, "demo-officier-vr07")
    page = desk.open("/regio")
    page.wait_for_timeout(2_500)
    assert page.locator("#contact").is_hidden()
    site.pause()
    page.locator("#contact").wait_for(state="visible", timeout=7_000)
    assert "Geen contact" in page.locator("#contact").inner_text()
    site.go_on()
    page.locator("#contact").wait_for(state="hidden", timeout=15_000)
    desk.complaints.clear()  # that the platform was away is what was asked for
    desk.close()


LOOK = """hidden => {
  Object.defineProperty(document, 'hidden', { configurable: true, value: hidden })
  document.dispatchEvent(new Event('visibilitychange'))
}"""


def test_many_tabs_do_not_hold_up_the_one_that_is_looked_at(browser: sync_api.Browser, site: Site) -> None:
    """A browser has six lines to one address; a tab that was away picks up its own again."""
    desk = Desk(browser, site, "demo-officier-vr07")
    away = []
    for _ in range(6):
        away.append(desk.context.new_page())
        away[-1].goto(f"{site.address}/beheer")
        away[-1].wait_for_function("() => attempt !== null && place !== ''")
        away[-1].evaluate(LOOK, True)
    page = desk.open("/regio")
    assert page.locator("#contact").is_hidden()
    with away[0].expect_request("**/gebeurtenissen/stroom"):
        away[0].evaluate(LOOK, False)
    desk.close()


def test_a_killed_server_is_said_within_five_seconds_too(browser: sync_api.Browser, database: Addresses) -> None:
    killed = Site(database)
    desk = Desk(browser, killed, "demo-officier-vr07")
    page = desk.open("/regio")
    page.wait_for_timeout(2_500)
    assert page.locator("#contact").is_hidden()
    killed.process.kill()
    killed.process.wait(timeout=30)
    page.locator("#contact").wait_for(state="visible", timeout=7_000)
    assert "wat u ziet is van" in page.locator("#contact").inner_text()
    assert "verouderd" in page.locator("html").get_attribute("class")
    desk.complaints.clear()  # that the platform was away is what was asked for
    desk.close()
