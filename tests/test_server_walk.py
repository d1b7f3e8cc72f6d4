"""Three fires at once, on the real stations, as people at eight desks meet them: from the first call to the lesson."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slagkracht.rules import Rules
from slagkracht.server import verify_log
from slagkracht.server.database import Addresses
from slagkracht.server.engine import CLOCK
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.national import build_national_plan
from slagkracht.sources.plan_files import write_plan
from test_server_browser import CHROMIUM, FLAGS, Desk, Site, pytestmark, sync_api  # noqa: F401  (marks this file too)

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared" / "data" / "nederland"
FIRES = {
    "VR06": ("Natuurbrand Veluwe", 178_000.0, 478_000.0, "GRIP 3"),
    "VR22": ("Veenbrand Deurnese Peel", 190_000.0, 384_000.0, "GRIP 2"),
    "VR17": ("Tankbrand Botlek", 79_500.0, 432_500.0, "GRIP 2"),
}
"""Per region what burns, where (RD, m), and how far it is escalated."""
NARROW, STRICT = "VR05", {"leent_uit": False}
"""A region whose board decided to lend nothing that anyone would miss, and that knowingly does."""


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real stations where the open lists lie beside this checkout, else Modelnederland."""
    path = tmp_path_factory.mktemp("plan") / "nederland.zip"
    real = REAL.exists()
    plan = build_national_plan(REAL, datetime.date(2026, 7, 1)) if real else build_modelland(areas=600, nodes=30_000)
    national = next(rule for rule in plan.rules.rules if rule.code == "ondergrens" and not rule.region)
    (version,) = national.versions
    strict = dataclasses.replace(version, values={**version.values, **STRICT})
    own = dataclasses.replace(national, region=NARROW, versions=(strict,), source="bestuur VR05, in deze proef")
    write_plan(dataclasses.replace(plan, rules=Rules((*plan.rules.rules, own))), path)
    return path


@pytest.fixture(scope="module")
def site(database: Addresses, plan_file: Path) -> Iterator[Site]:
    started = Site(database, str(plan_file))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


class Desks:
    """Everyone who takes part, each at a screen of his own; who sits down stays."""

    def __init__(self, browser: Any, site: Site) -> None:
        self.browser, self.site, self.open = browser, site, dict[str, Desk]()

    def __getitem__(self, who: str) -> Desk:
        """``who`` a region (its officer) or a function of the national centre."""
        username = f"demo-officier-{who.lower()}" if who.startswith("VR") else f"demo-{who}"
        for other, desk in self.open.items():
            if other != who:
                desk.page.goto("about:blank")  # a screen that nobody looks at asks for nothing
        if who not in self.open:
            self.open[who] = Desk(self.browser, self.site, username)
        return self.open[who]

    def close(self) -> None:
        for desk in self.open.values():
            desk.close()


def on_form(at: datetime.datetime) -> str:
    return at.astimezone(CLOCK).strftime("%Y-%m-%dT%H:%M")


def open_fire(desk: Desk, region: str, began_at: datetime.datetime) -> str:
    """Opens a region's incident on screen, as it began some time ago; returns its id."""
    what, x_m, y_m, level = FIRES[region]
    page = desk.open("/actiecentrum")
    page.get_by_label("Wat is er aan de hand").fill(what)
    page.get_by_label("of x (RD, m)").fill(f"{x_m:.0f}")
    page.get_by_label("en y (RD, m)").fill(f"{y_m:.0f}")
    page.get_by_label("Opschaling").select_option(level)
    page.get_by_label("Gebeurd op (leeg = nu)").fill(on_form(began_at))
    assert "Incident geopend" in desk.press("Incident openen")
    return str(page.url.rpartition("/")[2])


def send_first_units(desk: Desk, region: str, incident: str, began_at: datetime.datetime, minutes: float) -> list[str]:
    """The control room's system tells that the four nearest pumpers went, and when they stood there; returns them."""
    _, x_m, y_m, _ = FIRES[region]
    asked = f"{desk.site.address}/api/v1/eenheden?regio={region}&aantal=1000"
    units = [u for u in desk.context.request.get(asked).json()["resultaten"] if u["x_m"] is not None]
    units = [u for u in units if "tankautospuit" in u["inzetmogelijkheden"]]
    units.sort(key=lambda u: (math.hypot(u["x_m"] - x_m, u["y_m"] - y_m), u["id"]))
    reports = [
        {"id": f"{incident}-{unit['id']}-{status}", "eenheid": unit["id"], "status": status, "incident": incident,
         "gebeurd_op": (began_at + datetime.timedelta(minutes=later + number)).isoformat()}
        for number, unit in enumerate(units[:4])
        for status, later in (("en_route", 2.0), ("on_scene", minutes))
    ]  # fmt: skip
    token = next(c["value"] for c in desk.context.cookies() if c["name"] == "csrftoken")
    headers = {"Content-Type": "application/json", "X-CSRFToken": token, "Referer": desk.site.address}
    answer = desk.context.request.post(
        f"{desk.site.address}/api/v1/meldingen", data=json.dumps({"meldingen": reports}), headers=headers
    )
    told = answer.json()
    assert (len(told["aangenomen"]), told["geweigerd"]) == (8, []), told
    return [str(unit["id"]) for unit in units[:4]]


def ask_regions(desks: Desks, path: str, regions: list[str]) -> list[str]:
    """The centre asks the regions of its proposal, and ``regions`` beside them; returns all, as they were asked."""
    centre = desks["actiecentrum"]
    page = centre.open(path)
    lenders = [str(box.get_attribute("value")) for box in page.locator("#voorstel table input[name=regios]").all()]
    if lenders:
        assert "Gevraagd aan" in centre.press("Vraag de aangevinkte regio’s")
    if others := [code for code in regions if code not in lenders]:
        page.get_by_text("Ook andere regio’s vragen").click()
        for code in others:
            page.locator(f"#o-{code}").check()
        assert "Gevraagd aan" in centre.press("Vraag deze regio’s")
    return [*lenders, *others]


def offer(
    desk: Desk,
    what: str,
    most: int,
    at: datetime.datetime,
    *,
    part: bool = False,
    beyond: bool = False,
    why: str = "buren dekken ons",
) -> tuple[int, int, bool]:
    """Offers up to ``most`` formations of the line that ``what`` names, or (``part``) one of those that it could.

    With ``beyond`` all of ``most``, also where that is more than the own floor allows.

    Returns how many, how many it could, and whether knowingly below its floor. The ticks follow the number.
    """
    page = desk.open("/regio")
    page.get_by_role("link", name=re.compile(what)).first.click()
    page.get_by_role("heading", name="Wat dit aanbod ons kost").wait_for()
    able = int(page.get_by_label("Aantal formaties").input_value())
    checked = page.locator("input[name=eenheden]:checked")
    ticks = checked.count()
    if ticks == 0:
        return 0, 0, False
    count = 1 if part and able > 1 else most if beyond else min(most, able)
    if count != able:
        page.get_by_label("Aantal formaties").fill(str(count))
        page.locator(f'input[name=aantal_was][value="{count}"]').wait_for(state="attached")
        assert 0 < checked.count() < ticks if count < able else ticks < checked.count(), "the ticks follow the number"
    page.get_by_label("Voorwaarden").fill("terug voor de nacht" if count < able else "")
    page.locator("#aangeboden-op").fill(on_form(at))
    knowingly = page.get_by_label("Waarom wij het toch doen").count() > 0
    if knowingly:
        page.get_by_label("Waarom wij het toch doen").fill(why)
    assert "Aangeboden" in desk.press("Bied aan")
    return count, able, knowingly


def move(desk: Desk, path: str, *steps: tuple[str, datetime.datetime]) -> None:
    """Presses each step as often as the page of it offers, and says when it was taken."""
    desk.open(path)
    for step, at in steps:
        button = desk.page.get_by_role("button", name=re.compile(f"^{step} "))
        assert button.count() > 0, (path, step)
        while button.count():
            desk.page.locator("#stappen-op").fill(on_form(at))
            assert step in desk.press(re.compile(f"^{step} "))  # type: ignore[arg-type]


def test_three_fires_from_the_first_call_to_the_lesson(
    browser: Any, site: Site, plan_file: Path, tmp_path: Path
) -> None:
    desks = Desks(browser, site)
    before = datetime.datetime.now(CLOCK) - datetime.timedelta(days=2)
    began_at = before.replace(hour=21, minute=5, second=0, microsecond=0)
    morning = (began_at + datetime.timedelta(days=1)).replace(hour=6)

    def later(minutes: int) -> datetime.datetime:
        return began_at + datetime.timedelta(minutes=minutes)

    incidents = {}
    for number, (region, minutes) in enumerate([("VR06", 9.0), ("VR22", 12.0), ("VR17", 7.0)]):
        at = began_at + datetime.timedelta(minutes=20 * number)
        incidents[region] = open_fire(desks[region], region, at)
        send_first_units(desks[region], region, incidents[region], at, minutes)

    # VR06 asks
    asker, place = desks["VR06"], f"/actiecentrum/incidenten/{incidents['VR06']}"
    page = asker.open(place)
    page.get_by_label("Aantal", exact=True).fill("6")
    page.get_by_label("Ook (formatie)").first.select_option(label="Handcrew")
    page.get_by_label("Ter plaatse om").fill(on_form(later(120)))
    page.get_by_label("Hoeveel uur").fill("24")
    page.locator("#aangevraagd-op").fill(on_form(later(20)))
    page.get_by_label("Bevoegdheid of mandaat").fill("voorzitter veiligheidsregio")
    page.get_by_label("Ondertekend door (functie)").fill("Voorzitter VR06")
    assert "De aanvraag is gedaan" in asker.press("Aanvragen")
    path = page.url.removeprefix(site.address)

    # the centre gets its proposal, and asks
    overview = desks["actiecentrum"].open(path)
    assert "van 7" in overview.locator("#voorstel").inner_text()
    asked = ask_regions(desks, path, ["VR04", "VR05", "VR07", "VR08", "VR09", "VR24", "VR25"])
    refuser = asked[-1]
    left, offered, passed, part = 6, dict[str, int](), dict[str, bool](), ""
    for code in sorted(
        asked[:-1], key=lambda code: code != NARROW
    ):  # it alone brings two, and knows what that costs it
        if len(offered) == 5:
            break
        narrow = code == NARROW
        given = (desks[code], "Antwoorden op 6 basispeloton", 2 if narrow else 1, later(35))
        count, able, knowingly = offer(*given, part=not part and not narrow, beyond=narrow)
        if count:
            offered[code], left = count, left - count
            passed[code] = knowingly
        if not part and not narrow and count < able:
            part = code
            overview = desks["actiecentrum"].open(path)
            assert f"van {left + 1}" in overview.locator("#voorstel").inner_text(), "the rest is planned again"
    assert (len(offered), left, bool(part)) == (5, 0, True), offered
    able_to = (code for code in asked[:-1] if offer(desks[code], "Antwoorden op 1 handcrew", 1, later(40))[0])
    handcrew = list(itertools.islice(able_to, 1))  # one is asked, and nobody offers a second
    own = desks[refuser].open("/regio")
    own.get_by_role("link", name=re.compile("Antwoorden op 6 basispeloton")).click()
    own.get_by_label("Reden").select_option(label="eigen restdekking komt onder de bodem")
    own.locator("#geweigerd-op").fill(on_form(later(38)))
    assert "Geweigerd" in desks[refuser].press("Met deze reden weigeren")
    assert [code for code, knowingly in passed.items() if knowingly] == [NARROW], "the others hold their floor"
    for code, knowingly in passed.items():  # what one's own floor was, and whether it was passed, stands in one's log
        told = desks[code].open("/logboek?soort=floor_passed").locator("#feiten").inner_text()
        assert ("buren dekken ons" in told) == knowingly, code

    # it comes, and stands there
    accept_all(asker, path, later(45))
    lenders = sorted({*offered, *handcrew})
    for code in lenders:
        move(desks[code], "/regio", ("onderweg", later(60)), ("ter plaatse", later(120)))
    move(asker, path, ("ingezet", later(125)))

    # the next shift relieves it in the morning, and who is relieved goes home
    page = asker.open(place)
    page.get_by_role("button", name="Maak een aflosrooster").click()
    assert "Het aflosrooster staat" in page.locator(".melding").inner_text()
    assert "Vraag de volgende aflossing" in page.locator("#aflossing").inner_text()
    page.locator("#a-gebeurd").fill(on_form(later(140)))
    assert "De aflossing is gevraagd" in asker.press("Vraag de volgende aflossing")
    wave = page.url.removeprefix(site.address)
    wanted = int(page.locator("#regels tbody tr", has_text="basispeloton").locator("td").first.inner_text())
    relievers = list[str]()
    for code in ask_regions(desks, wave, ["VR07", "VR09", "VR24", "VR25", "VR10", "VR13", "VR16"]):
        if wanted > 0 and (count := offer(desks[code], "Antwoorden op [0-9]+ basispeloton", wanted, later(160))[0]):
            relievers.append(code)
            wanted -= count
    assert wanted == 0, relievers
    accept_all(asker, wave, later(170))
    for code in relievers:
        move(desks[code], "/regio", ("onderweg", morning - datetime.timedelta(hours=1)), ("ter plaatse", morning))
    asker.open(place)
    page.locator("#aflossing form.regel input[name=gebeurd_op]").first.fill(on_form(morning))
    assert "nemen over" in asker.press("Neemt over")
    assert "overgenomen" in page.locator("#aflossing").inner_text()
    move(asker, path, ("vrijgegeven", morning + datetime.timedelta(minutes=10)))
    move(asker, wave, ("vrijgegeven", morning + datetime.timedelta(hours=4)))
    for code in dict.fromkeys([*lenders, *relievers]):
        move(desks[code], "/regio", ("thuis", morning + datetime.timedelta(hours=6)))
        assert "Niemand is weg" in desks[code].page.locator("#weg").inner_text()
    for each in (path, wave):
        asker.open(each)
        assert "De aanvraag is gesloten" in asker.press("Aanvraag sluiten")

    # a decision, and a fact that comes late
    for kind, text, moment in [
        ("decision_recorded", "Sector noord houdt de spoorlijn", ""),
        ("note", "Vuur stak de weg over", on_form(began_at + datetime.timedelta(minutes=50))),
    ]:
        page = asker.open(place)
        page.get_by_label("Soort").select_option(kind)
        page.get_by_label("Tekst").fill(text)
        page.get_by_label("Gebeurd op (leeg = nu)", exact=True).first.fill(moment)
        assert "Vastgelegd" in asker.press("Vastleggen")
    facts = page.locator("#besluiten").inner_text()
    assert "Besluit: Sector noord houdt de spoorlijn" in facts
    assert re.search("Vuur stak de weg over .*later vastgelegd", facts)

    # every step keeps the moment at which it was taken, beside that of its recording
    told = asker.open("/logboek?soort=unit_relieved").locator("#feiten").inner_text()
    assert f"{morning:%d-%m}" in told
    assert f"{morning:%H:%M}" in told

    # the log of everyone: whole by the stand-alone program, and not with one byte changed
    log = tmp_path / "week.jsonl"
    for code in sorted({*FIRES, *lenders, *relievers, refuser}):
        page = desks[code].open("/logboek")
        with page.expect_download() as download:
            page.get_by_role("link", name="Haal het op").click()
        with log.open("ab") as everyone:
            everyone.write(Path(download.value.path()).read_bytes())
    assert verify(log).returncode == 0
    changed = tmp_path / "veranderd.jsonl"
    changed.write_bytes(log.read_bytes().replace(b"spoorlijn", b"spoorlijm"))
    assert verify(changed).returncode == 1

    # what was promised against what happened
    program = [str(Path(sys.executable).with_name("slagkracht")), "prestatie", str(plan_file), str(log), "--json"]
    run = subprocess.run(program, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    nation = measured["groepen"][0]
    assert (nation["naam"], nation["incidenten"]) == ("alle regio's", 3)
    assert nation["percentielen_s"][:2] == [9 * 60.0, 12 * 60.0], "as the control rooms told it, not as it was recorded"
    assert set(measured["te_laat"]) <= set(incidents.values())
    assert nation["op_tijd"] == pytest.approx(1 - len(measured["te_laat"]) / 3)
    assert all(each["wat"] == "handcrew" and each["waarom"] for each in measured["niet_gekomen"]), "platoons all came"

    # the lesson, and the council that adopts it
    page = asker.open("/besluiten")
    page.locator("#begin-les summary").click()
    page.locator("#les-eigenaar").select_option("VR06")
    asker.press("Begin: Les")
    dossier = page.url.removeprefix(site.address)
    page.locator("#voorstellen-regel_of_middel").fill("aflossing")
    page.locator("#voorstellen-wijziging").fill("De eerste aflossing gaat mee in de eerste aanvraag")
    asker.press("Wijziging voorstellen")
    council = desks["rcdv"]
    page = council.open(dossier)
    page.locator("#aannemen-ingangsdatum").fill("2027-01-01")
    council.press("Aannemen")
    assert "aangenomen" in page.locator(".kopregel").inner_text()
    desks.close()


def accept_all(desk: Desk, path: str, at: datetime.datetime) -> None:
    button = desk.open(path).get_by_role("button", name="Aanvaarden")
    assert button.count() > 0
    while button.count():
        desk.page.locator("#aanvaarden-op").fill(on_form(at))
        assert "toegezegd" in desk.press("Aanvaarden")


def verify(log: Path) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-I", str(verify_log.__file__), str(log)]
    return subprocess.run(program, capture_output=True, check=False)
