"""The screens: what each role sees, that forms do what they say, and that nobody passes a floor unknowingly."""

from __future__ import annotations

import dataclasses
import datetime
import html
import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from slagkracht.log import replay
from slagkracht.server import demo, ledger
from slagkracht.server import engine as seam
from slagkracht.server.engine import Engine
from slagkracht.server.journal import read_events
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.variant_files import parse_variant
from test_server_api import client, post
from test_server_ledger import acting

SCREENS = (
    "/",
    "/actiecentrum",
    "/regio",
    "/tekort",
    "/plantafel",
    "/besluiten",
    "/logboek",
    "/beheer",
    "/verantwoording",
)
USERS = ("demo-officier-vr06", "demo-voorzitter-vr07", "demo-bestuur-vr08", "demo-beleid-vr09", "demo-actiecentrum",
         "demo-minister", "demo-rcdv", "demo-veiligheidsberaad")  # fmt: skip


@pytest.fixture(scope="module")
def engine(database: object) -> Iterator[Engine]:
    """A small Modelnederland that the screens ask, with its units in the database and shared with the centre."""
    loaded = seam.load(build_modelland(areas=600, nodes=30_000))
    demo.lay_units(loaded.plan)
    demo.lay_consents(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    yield loaded
    seam.unload()


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def press(browser: Any, path: str, **given: object) -> str:
    """Sends a form, and returns what the page that follows says first."""
    answer = browser.post(path, given)
    assert answer.status_code == 302, text_of(answer)
    page = browser.get(answer.headers["Location"])
    assert page.status_code == 200
    found = re.search(r'class="melding( fout)?"[^>]*>([^<]*)<', page.content.decode())
    assert found is not None, f"{path} zegt niet wat er gebeurd is"
    return found[2]


def asked_of_vr07(browser: Any, engine: Engine, formation: str = "basispeloton", count: int = 2) -> tuple[str, str]:
    """An incident in the east with a request; returns (incident, line)."""
    centre = seam.find_middle(engine, "VR06")
    place = {"x_m": engine.plan.areas.x_m[centre], "y_m": engine.plan.areas.y_m[centre]}
    opened = browser.post("/actiecentrum/incidenten", {"wat": "Natuurbrand", "niveau": "GRIP 2", **place})
    incident = opened.headers["Location"].rpartition("/")[2]
    made = browser.post(
        f"/actiecentrum/incidenten/{incident}/aanvragen",
        {"formatie": [formation, ""], "aantal": [count, 1], "nodig_op": "2030-07-01T12:00", "uren": 12,
         "grond": "wvr51_minister", "mandaat": "voorzitter", "ondertekenaar": "Demo Voorzitter VR06"},
    )  # fmt: skip
    request = made.headers["Location"].rpartition("/")[2]
    assert request.startswith("A-VR06-"), request
    return incident, f"{request}-1"


@pytest.mark.parametrize("user", USERS)
def test_every_screen_stands_for_every_role(engine: Engine, user: str) -> None:
    browser = client(user)
    for path in SCREENS:
        answer = browser.get(path)
        if path == "/regio" and not user[-1].isdigit():
            assert answer.status_code == 302, "the centre has no region"
            continue
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert page.count("<h1") == 1
        assert "<script>" not in page
        assert " style=" not in page
    for path in SCREENS:
        assert client().get(path).headers["Location"].startswith("/inloggen")


def test_an_installation_without_a_plan_says_what_to_do(database: object) -> None:
    held = seam.current()
    seam.unload()
    try:
        browser = client("demo-officier-vr06")
        assert "Hier is nog geen plan geladen" in text_of(browser.get("/"))
        for path in ("/actiecentrum", "/regio", "/besluiten", "/logboek", "/beheer"):
            assert browser.get(path).status_code == 200
        assert browser.get("/kaart/nu.json").status_code == 404
    finally:
        if held is not None:
            seam.load(held.plan)


def test_the_figures_are_those_of_the_engine(engine: Engine) -> None:
    with acting("LAC") as own:
        picture = seam.compute_picture(engine, seam.read_situation(own, engine), own.at)
    page = text_of(client("demo-actiecentrum").get("/"))
    assert f"van {len(engine.plan.units):,} eenheden".replace(",", ".") in page
    assert (picture.residual <= picture.usual.share + 1e-9).all()
    now = json.loads(client("demo-actiecentrum").get("/kaart/nu.json").content)
    assert datetime.datetime.fromisoformat(now["op"])
    land = client("demo-actiecentrum").get("/kaart/land.json")
    assert land.headers["ETag"] == f'"{engine.plan_hash}"'
    again = client("demo-actiecentrum").get("/kaart/land.json", headers={"If-None-Match": land.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("clock", "window"),
    [("2026-07-01T07:00", "dag"), ("2026-07-01T17:59", "dag"), ("2026-07-01T18:00", "avond"),
     ("2026-07-01T23:00", "nacht"), ("2026-07-02T06:59", "nacht"), ("2026-07-04T12:00", "weekend")],
)  # fmt: skip
def test_the_window_follows_the_dutch_clock(clock: str, window: str) -> None:
    at = datetime.datetime.fromisoformat(clock).replace(tzinfo=seam.CLOCK)
    assert seam.window_at(at) == window
    assert seam.window_at(at.astimezone(datetime.UTC)) == window


def test_a_form_is_read_by_the_dutch_clock_also_in_the_nights_that_it_changes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slagkracht.server.screens import figures, page

    class Clock(datetime.datetime):
        at = datetime.datetime(2027, 10, 31, 1, 10, tzinfo=datetime.UTC)

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return cls.at.astimezone(tz)

    for module in (page, figures):
        monkeypatch.setattr(module, "datetime", SimpleNamespace(datetime=Clock, UTC=datetime.UTC))
    for text, utc in (
        ("2027-07-01T14:05", "12:05"), ("2027-10-31T01:59", "23:59"), ("2027-10-31T02:05", "01:05"),
        ("2027-10-31T02:15", "00:15"), ("2027-10-31T03:00", "02:00"), ("2027-10-31T02:05+02:00", "00:05"),
    ):  # fmt: skip
        read = page.read_moment(text, "om")
        assert read is not None
        assert f"{read:%H:%M}" == utc, text
    assert ">40 min<" in figures.age(datetime.datetime(2027, 10, 31, 0, 30, tzinfo=datetime.UTC))
    for wrong, words in (("2027-03-28T02:30", "bestaat niet"), ("0001-01-01T00:00", "schrijf een tijdstip")):
        with pytest.raises(page.RefusedError, match=words):
            page.read_moment(wrong, "om")


def test_assistance_from_screen_to_screen(engine: Engine) -> None:
    """Asked, proposed, offered in part, refused with a reason, accepted, driven, relieved, released, home, closed."""
    asker, lender, other, centre = (
        client(f"demo-{who}") for who in ("officier-vr06", "officier-vr07", "officier-vr08", "actiecentrum")
    )
    incident, line = asked_of_vr07(asker, engine)
    request = line.rpartition("-")[0]
    proposal = text_of(centre.get(f"/actiecentrum/aanvragen/{request}"))
    assert "2 van 2 formaties compleet" in proposal
    assert "VR06 (aanvrager) telt niet mee" in proposal
    assert "Waarom andere niet" in proposal
    assert lender.get(f"/actiecentrum/aanvragen/{request}").status_code == 404, "not asked yet"
    said = press(centre, f"/actiecentrum/aanvragen/{request}/uitzetten", regios=["VR07", "VR08"])
    assert said == "Gevraagd aan VR07, VR08."
    assert "Voorstel" not in text_of(lender.get(f"/actiecentrum/aanvragen/{request}")), "whom to send is the asker's"
    page = lender.get(f"/regio/regels/{line}").content.decode()
    units = re.findall(r'value="([^"]+)" checked', page)
    assert len(units) >= 10, "two platoons"
    both = {"eenheden": units, "aantal": 1, "aantal_was": 2, "voorwaarden": "terug voor 20:00"}
    mended = lender.post(f"/regio/regels/{line}/aanbieden", both)
    assert "de aangevinkte eenheden zijn 2 maal basispeloton, niet 1 maal" in text_of(mended)
    units = re.findall(r'value="([^"]+)" checked', mended.content.decode())
    assert len(units) == 5, "the number was changed last, so the ticks follow it"
    assert f'name="next" value="/regio/regels/{line}"' in mended.content.decode(), (
        "in the other language it is read too"
    )
    assert 'value="terug voor 20:00"' in mended.content.decode(), "nothing that was filled in is lost"
    offered = press(lender, f"/regio/regels/{line}/aanbieden", eenheden=units, aantal=1, voorwaarden="terug voor 20:00")
    assert offered.startswith("Aangeboden")
    assert press(other, f"/regio/regels/{line}/weigeren", reden="bezetting").startswith("Geweigerd")
    again = text_of(centre.get(f"/actiecentrum/aanvragen/{request}"))
    assert "VR08 (weigerde)" in again
    assert "1 van 1 formaties compleet" in again, "what is offered is not proposed a second time"
    (offer,) = set(
        re.findall(r"aanboden/(O-[^/]+)/aanvaarden", centre.get(f"/actiecentrum/aanvragen/{request}").content.decode())
    )
    assert press(asker, f"/actiecentrum/aanboden/{offer}/aanvaarden") == f"{len(units)} eenheden zijn toegezegd."
    for who, step in [(lender, "unit_en_route"), (lender, "unit_arrived"), (asker, "unit_deployed"),
                      (asker, "unit_relieved"), (asker, "unit_released"), (lender, "unit_home")]:  # fmt: skip
        assert press(who, f"/actiecentrum/aanboden/{offer}/stap", stap=step).startswith(f"{len(units)} eenheden")
    assert "geen van deze" in press(lender, f"/actiecentrum/aanboden/{offer}/stap", stap="unit_home")
    assert "onvervuld: 1, met reden" in press(centre, f"/actiecentrum/aanvragen/{request}/sluiten")
    sheet = text_of(asker.get(f"/actiecentrum/incidenten/{incident}/overdracht"))
    assert "thuis" in sheet
    assert "geen volledige bezetting" in sheet
    with acting("VR06") as own:
        assert {c.step for c in replay(read_events(own)).commitments.values() if c.line == line} == {"unit_home"}


def test_a_lender_calls_a_unit_back_and_both_sides_read_why(engine: Engine) -> None:
    asker, lender, centre = (client(f"demo-{who}") for who in ("officier-vr06", "officier-vr07", "actiecentrum"))
    incident, line = asked_of_vr07(asker, engine, count=1)
    request = line.rpartition("-")[0]
    press(centre, f"/actiecentrum/aanvragen/{request}/uitzetten", regios=["VR07"])
    units = re.findall(r'value="([^"]+)" checked', lender.get(f"/regio/regels/{line}").content.decode())
    press(lender, f"/regio/regels/{line}/aanbieden", eenheden=units, aantal=1)
    asks = f"/actiecentrum/aanvragen/{request}"
    (offer,) = set(re.findall(r"aanboden/(O-[^/]+)/aanvaarden", asker.get(asks).content.decode()))
    press(asker, f"/actiecentrum/aanboden/{offer}/aanvaarden")
    assert "Alles is vervuld of aangeboden" in text_of(centre.get(asks))
    of_offer = rf'aanboden/{offer}/stap" name="toezeggingen" value="([^"]+)"'
    everyone, first, *_ = re.findall(of_offer, lender.get("/regio").content.decode())
    step = {"stap": "unit_released", "terug": "/regio"}
    assert "vraagt een reden" in press(lender, f"/actiecentrum/aanboden/{offer}/stap", toezeggingen=everyone, **step)
    why = {"reden": "eigen_inzet", "toelichting": "brand in Ede"}
    said = press(lender, f"/actiecentrum/aanboden/{offer}/stap", toezeggingen=first, **step, **why)
    assert said.startswith("1 eenheden: teruggeroepen")
    for page in (asks, f"/actiecentrum/incidenten/{incident}/overdracht"):
        for browser in (asker, centre):
            shown = text_of(browser.get(page))
            assert "teruggeroepen door VR07: eenheden zijn in eigen regio ingezet (brand in Ede)" in shown
            assert "kwam niet ter plaatse" in shown
    assert "Alles is vervuld of aangeboden" not in text_of(centre.get(asks)), "it is proposed again"
    assert re.findall(of_offer, lender.get("/regio").content.decode())[0].split() == [
        each for each in everyone.split() if each != first
    ]
    press(lender, f"/actiecentrum/aanboden/{offer}/stap", **step, **why)
    press(lender, f"/actiecentrum/aanboden/{offer}/stap", stap="unit_home")
    assert "onvervuld: 1, met reden" in press(centre, f"{asks}/sluiten")
    assert "eenheden zijn in eigen regio ingezet" in text_of(centre.get("/tekort"))


def test_the_number_and_the_ticks_of_an_offer_always_agree(engine: Engine) -> None:
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr07")
    _, line = asked_of_vr07(asker, engine)
    press(asker, f"/actiecentrum/aanvragen/{line.rpartition('-')[0]}/uitzetten", regios=["VR07"])

    def shown(**given: object) -> tuple[int, list[str]]:
        page = lender.post(f"/regio/regels/{line}", given).content.decode()
        return int(re.findall(r'name="aantal"[^>]* value="([0-9]+)"', page)[0]), re.findall(
            r'value="([^"]+)" checked', page
        )

    count, units = shown(aantal=1, aantal_was=2)
    assert (count, len(units)) == (1, 5), "a lower number unticks"
    assert shown(aantal=2, aantal_was=1, eenheden=units)[0] == 2, "a higher one ticks more"
    assert len(shown(aantal=2, aantal_was=1, eenheden=units)[1]) == 10
    assert shown(aantal=1, aantal_was=1, eenheden=units[:4]) == (0, units[:4]), "unticking lowers the number"
    page = text_of(lender.post(f"/regio/regels/{line}", {"aantal": 1, "aantal_was": 1, "eenheden": units[:4]}))
    assert "nog geen hele formatie, er mist 1 ×" in page
    both = shown(aantal=2, aantal_was=1)[1]
    assert shown(aantal=1, aantal_was=1, eenheden=both) == (2, both), "ticking more raises it"
    (spare, *_) = [unit for unit in both if unit not in units]
    extra = {"aantal": 1, "aantal_was": 1, "eenheden": [*units, spare]}
    assert "en 1 eenheid meer dan nodig" in text_of(lender.post(f"/regio/regels/{line}", extra))


def test_a_region_refuses_one_line_and_is_asked_for_the_other(engine: Engine) -> None:
    asker, lender, centre = (client(f"demo-{who}") for who in ("officier-vr06", "officier-vr07", "actiecentrum"))
    with acting("VR06") as own:
        area = seam.find_middle(engine, "VR06")
        x_m, y_m = float(engine.plan.areas.x_m[area]), float(engine.plan.areas.y_m[area])
        incident = ledger.open_incident(own, "Natuurbrand", x_m, y_m)
        wanted = [ledger.Wanted(code, code, count, x_m, y_m, own.at + datetime.timedelta(hours=2), 8)
                  for code, count in (("basispeloton", 20), ("basiseenheid", 2))]  # fmt: skip
        request = ledger.make_request(own, incident, ledger.BY_MINISTER, "m", "s", wanted)
    page = f"/actiecentrum/aanvragen/{request}"
    press(centre, f"{page}/uitzetten", regios=["VR07"])
    assert press(lender, f"/regio/regels/{request}-1/weigeren", reden="bezetting").startswith("Geweigerd")
    first, second = centre.get(page).content.decode().split("<h3>Voor ")[1:]
    assert "VR07 (weigerde) ook niet" in first
    assert "VR07 (weigerde)" not in second
    assert not set(re.findall(r">(07-[0-9]+) ", first.partition("Waarom andere niet")[0])), "not for what it refused"
    units = re.findall(r'value="([^"]+)" checked', lender.get(f"/regio/regels/{request}-2").content.decode())
    assert press(lender, f"/regio/regels/{request}-2/aanbieden", eenheden=units, aantal=2).startswith("Aangeboden")
    told = text_of(lender.get("/regio"))
    assert "geweigerd: geen volledige bezetting" in told
    assert "aangeboden: 2" in told
    (offer,) = set(re.findall(r"aanboden/(O-VR07[^/]+)/aanvaarden", centre.get(page).content.decode()))
    press(asker, f"/actiecentrum/aanboden/{offer}/aanvaarden")
    press(asker, f"{page}/sluiten")
    with acting("VR06") as own:
        rows = own.rows("select met, unmet, unmet_reason from slagkracht.request_line where request_id = %s "
                        "order by line_id", request)  # fmt: skip
    assert rows == [{"met": 0, "unmet": 20, "unmet_reason": "bezetting"},
                    {"met": 2, "unmet": 0, "unmet_reason": None}]  # fmt: skip


def test_nobody_passes_the_own_floor_without_knowing(engine: Engine) -> None:
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr25")
    _, line = asked_of_vr07(asker, engine, "basiseenheid", 30)
    press(client("demo-actiecentrum"), f"/actiecentrum/aanvragen/{line.rpartition('-')[0]}/uitzetten", regios=["VR25"])
    mine = engine.plan.regions.code[engine.plan.stations.region[engine.plan.units.station]] == "VR25"
    pumps = engine.plan.units.capabilities[:, engine.plan.units.capability_names.index("tankautospuit")]
    everything = engine.plan.units.unit_id[mine & pumps].tolist()
    looked = lender.post(f"/regio/regels/{line}", {"eenheden": everything, "aantal": 1})
    assert "onder onze ondergrens" in text_of(looked)
    assert "Waarom wij het toch doen" in text_of(looked)
    with acting("VR25") as own:
        picture = seam.compute_picture(engine, seam.read_situation(own, engine), own.at)
    moves = seam.compute_move_ups(engine, picture, everything)
    assert len(moves.unit), "what can stand in is said before anyone offers"
    for unit, origin in zip(moves.unit.tolist(), moves.origin.tolist(), strict=True):
        assert engine.plan.units.unit_id[unit] not in everything
        assert f"{engine.plan.units.unit_id[unit]} {engine.plan.stations.name[engine.plan.units.station[unit]]}" in (
            text_of(looked)
        )
        assert engine.plan.stations.name[origin] in text_of(looked)
    holds = moves.mends[seam.region_row(engine, "VR25")]
    assert ("houdt onze ondergrens weer" in text_of(looked)) == holds
    count = re.findall(r'name="aantal"[^>]* value="([0-9]+)"', looked.content.decode())[0]
    refused = press(lender, f"/regio/regels/{line}/aanbieden", eenheden=everything, aantal=count)
    assert "onder uw ondergrens" in refused
    with acting("VR25") as own:
        assert own.rows("select 1 from slagkracht.offer where line_id = %s", line) == []
    said = press(
        lender, f"/regio/regels/{line}/aanbieden", eenheden=everything, aantal=count, bewust="buren dekken ons"
    )
    assert said.startswith("Aangeboden")
    with acting("VR25") as own:
        passed = [event for event in read_events(own, "VR25") if event.kind == "floor_passed"]
    assert passed[-1].body["reason"] == "buren dekken ons"


def test_no_way_in_passes_the_own_floor_unknowingly_or_offers_more_than_there_is(engine: Engine) -> None:
    """Over the API as on screen: what is offered is there, and the log says that a floor was passed where it was."""
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr25")
    _, line = asked_of_vr07(asker, engine, "basiseenheid", 30)
    press(client("demo-actiecentrum"), f"/actiecentrum/aanvragen/{line.rpartition('-')[0]}/uitzetten", regios=["VR25"])
    mine = engine.plan.regions.code[engine.plan.stations.region[engine.plan.units.station]] == "VR25"
    pumps = engine.plan.units.capabilities[:, engine.plan.units.capability_names.index("tankautospuit")]
    with acting("VR25") as own:
        picture = seam.compute_picture(engine, seam.read_situation(own, engine), own.at)
    free = picture.standing.free[: len(engine.plan.units)]
    everything = engine.plan.units.unit_id[mine & pumps & free].tolist()

    def told() -> list[Any]:
        with acting("VR25") as own:
            return [event for event in read_events(own, "VR25") if event.kind == "floor_passed"]

    def offer(units: list[str], count: int, why: str = "") -> Any:
        given = {"regel": line, "eenheden": units, "aantal": count, "bewust_onder_bodem": why}
        return post(lender, "/aanboden", given)

    before = len(told())
    costs = [seam.compute_cost(engine, picture, "VR25", [unit]) for unit in everything]
    one = next(unit for unit, cost in zip(everything, costs, strict=True) if cost.after >= cost.floor)
    refused = offer([one], 2)
    assert (refused.status_code, "zijn 1 maal" in refused.json()["detail"]) == (409, True)
    refused = offer(everything, len(everything) - 1)
    assert (refused.status_code, "onder uw ondergrens" in refused.json()["detail"]) == (409, True)
    assert len(told()) == before
    assert offer([one], 1, "nergens voor nodig").status_code == 201
    assert len(told()) == before, "one that passes no floor is not told as one that does"
    rest = [unit for unit in everything if unit != one]
    assert offer(rest, len(rest) - 1, "buren dekken ons").status_code == 201
    assert [event.body["reason"] for event in told()[before:]] == ["buren dekken ons"]


def test_a_region_that_lends_nothing_is_shown_as_such_on_every_screen(engine: Engine) -> None:
    """The floor of such a region is no number: it stands in words, and a region as it always stands is not below it."""
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr09")
    request, line = asked_of_vr07(asker, engine)
    request = line.rpartition("-")[0]
    press(client("demo-actiecentrum"), f"/actiecentrum/aanvragen/{request}/uitzetten", regios=["VR09"])
    national = next(rule for rule in engine.plan.rules.rules if rule.code == "ondergrens" and not rule.region)
    (version,) = national.versions
    nothing = dataclasses.replace(version, values={**version.values, "leent_uit": False})
    own = dataclasses.replace(national, region="VR09", versions=(nothing,))
    seam.load(
        dataclasses.replace(
            engine.plan, rules=dataclasses.replace(engine.plan.rules, rules=(*engine.plan.rules.rules, own))
        )
    )
    try:
        for address in (
            *SCREENS,
            "/verantwoording?cijfer=ondergrens",
            "/kaart/nu.json",
            "/terugkijken/beeld.json?om=2026-07-01T12:00",
            f"/regio/regels/{line}",
            "/ogc/v1/collections/regios/items",
        ):
            answer = lender.get(address)
            assert answer.status_code in (200, 302, 404), address
            assert "Infinity" not in answer.content.decode(), address
        assert "leent niet uit" in text_of(lender.get(f"/regio/regels/{line}"))
        assert "wij staan niet onder onze ondergrens" in text_of(lender.get("/regio"))
        assert client("demo-actiecentrum").get(f"/actiecentrum/aanvragen/{request}").status_code == 200
    finally:
        seam.load(engine.plan)


def test_a_form_that_expired_and_a_request_that_cannot_be_read_say_so_in_dutch(engine: Engine) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    answer = strict.post("/inloggen", {"username": "x", "password": "y"})
    assert (answer.status_code, "Dit formulier is verlopen" in text_of(answer)) == (403, True)
    assert "style" not in answer.content.decode().lower().replace("stylesheet", "")
    strict.force_login(
        client("demo-officier-vr06").get("/").wsgi_request.user, "django.contrib.auth.backends.ModelBackend"
    )
    told = strict.post("/api/v1/incidenten", "{}", content_type="application/json")
    assert (told.status_code, "X-CSRFToken" in told.json()["detail"]) == (403, True)
    elsewhere = Client(SERVER_NAME="elders.example").get("/")
    assert (elsewhere.status_code, "Dit verzoek is niet te lezen" in text_of(elsewhere)) == (400, True)
    huge = client("demo-officier-vr06").post("/api/v1/berichten", b"x" * 3_000_000, content_type="application/xml")
    assert (huge.status_code, huge.headers["Content-Type"]) == (413, "application/problem+json")


def test_what_is_away_costs_cover_and_what_is_moved_brings_it_back(engine: Engine) -> None:
    with acting("VR06") as own:
        picture = seam.compute_picture(engine, seam.read_situation(own, engine), own.at)
    r = seam.region_row(engine, "VR06")
    mine = np.flatnonzero(picture.standing.region == r)
    cost = seam.compute_cost(engine, picture, "VR06", engine.plan.units.unit_id[mine].tolist())
    nothing = seam.compute_cost(engine, picture, "VR06", [])
    assert nothing.before == nothing.after
    assert cost.after < cost.before
    assert cost.residents > 0
    assert len(nothing.areas) == 0


def test_the_record_takes_late_facts_and_tells_what_was_known_then(engine: Engine) -> None:
    browser = client("demo-officier-vr06")
    incident, _ = asked_of_vr07(browser, engine)
    tell = f"/actiecentrum/incidenten/{incident}/vastleggen"
    assert "noem de functie" in press(
        browser, tell, soort="command_handed_over", functie="leider", terug="/actiecentrum"
    )
    assert (
        press(browser, tell, soort="command_handed_over", functie="leider", aan="HOvD Noord")
        == "Vastgelegd in het logboek."
    )
    press(browser, tell, soort="decision_recorded", tekst="Dorp ontruimen")
    earlier = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=30)).astimezone(seam.CLOCK)
    press(browser, tell, soort="note", tekst="Vuur over de weg", gebeurd_op=f"{earlier:%Y-%m-%dT%H:%M}")
    page = text_of(browser.get(f"/actiecentrum/incidenten/{incident}"))
    assert "HOvD Noord" in page
    assert "Dorp ontruimen" in page
    assert "later vastgelegd" in page
    assert "toekomst" in press(
        browser, tell, soort="note", tekst="x", gebeurd_op="2035-01-01T00:00", terug="/actiecentrum"
    )
    log = text_of(browser.get("/logboek?controle=1"))
    assert "sluiten op elkaar aan" in log
    assert "later" in log
    past = text_of(browser.get(f"/logboek?om={earlier}&bekend_op={earlier}"))
    assert "Dorp ontruimen" not in past.partition("Feiten, nieuwste eerst")[0]
    assert browser.get("/logboek?om=gisteren").status_code == 200


@pytest.mark.parametrize("path", ["/besluiten", "/api/v1/procedures"])
def test_a_search_that_finds_nothing_breaks_off_and_keeps_nobody_waiting(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    from slagkracht.server import dossiers

    monkeypatch.setattr(dossiers, "read_known", lambda: next(iter(())))
    with pytest.raises(RuntimeError, match="is not there"):
        client("demo-officier-vr06").get(path)


def test_boards_adopt_each_for_itself(engine: Engine) -> None:
    board, officer = client("demo-bestuur-vr08"), client("demo-officier-vr08")
    given = {
        "besluit": "vastgesteld",
        "bestuursorgaan": "algemeen bestuur",
        "datum": "2026-07-01",
        "terug": "/besluiten",
    }
    assert officer.post("/besluiten/vaststellen", given).status_code == 403
    for wrong, words in (
        ({}, "hoort een ingangsdatum"),
        ({"ingangsdatum": "2026-07-02", "voorbehoud": "mits"}, "een voorbehoud"),
    ):
        assert board.post("/besluiten/vaststellen", {**given, **wrong}).status_code == 302
        assert words in text_of(board.get("/besluiten"))
    assert press(board, "/besluiten/vaststellen", **given, ingangsdatum="2026-07-02") == "Opgetekend: vastgesteld."
    shown = officer.get("/besluiten").content.decode()
    assert shown.count('<path class="open"') == 24  # the map of boards: one in its own colour
    page = text_of(officer.get("/besluiten"))
    assert "geldt sinds 02-07-2026" in page
    assert "24 nog zonder besluit" in page


def test_a_dossier_goes_through_its_procedure_on_screen(engine: Engine) -> None:
    rcdv, officer = client("demo-rcdv"), client("demo-officier-vr06")
    begun = rcdv.post("/besluiten/dossiers", {"procedure": "landelijk_plan"})
    dossier = begun.headers["Location"]
    page = rcdv.get(dossier).content.decode()
    assert "<svg" in page
    assert " style=" not in page
    assert "Plan ter advisering voorleggen" in page
    assert "aan een ander" in text_of(officer.get(dossier))
    version = re.search(r'name="versie" value="(\d+)"', page)
    assert version is not None
    given = {"stap": "voorleggen", "versie": version[1], "antwoord-plan": "Landelijk dekkingsplan",
             "antwoord-verantwoording": engine.plan_hash}  # fmt: skip
    assert press(rcdv, f"{dossier}/stappen", **given) == "De stap is gezet."
    assert "intussen een stap verder" in press(rcdv, f"{dossier}/stappen", **given)
    assert "advies RCDV" in text_of(rcdv.get(dossier))


def test_sharing_begins_and_ends_with_the_owner(engine: Engine) -> None:
    owner, friend = client("demo-voorzitter-vr11"), client("demo-officier-vr12")
    unit = engine.plan.units.unit_id[
        engine.plan.regions.code[engine.plan.stations.region[engine.plan.units.station]] == "VR11"
    ][0]
    assert friend.get(f"/api/v1/eenheden/{unit}").status_code == 404
    assert "kies wat u deelt" in press(
        owner, "/regio/delen", ontvanger="VR12", trap="x", tot="2030-01-01T00:00", terug="/regio"
    )
    assert press(owner, "/regio/delen", ontvanger="VR12", trap="plaats", tot="2030-01-01T00:00") == "U deelt met VR12."
    assert friend.get(f"/api/v1/eenheden/{unit}").status_code == 200
    (consent,) = re.findall(
        r"/regio/delen/(D-[^/]+)/beeindigen\"[^>]*>(?:(?!</form>).)*VR12", owner.get("/regio").content.decode()
    )
    assert press(owner, f"/regio/delen/{consent}/beeindigen") == "Het delen is beëindigd."
    assert friend.get(f"/api/v1/eenheden/{unit}").status_code == 404


def test_a_sketch_is_weighed_and_kept(engine: Engine) -> None:
    browser = client("demo-beleid-vr06")
    station, other = engine.plan.stations.station_id[:2].tolist()

    def weigh(*edits: dict[str, object], norm: str = "bvr-3.2.1") -> Any:
        given = json.dumps({"norm": norm, "venster": "dag", "wijzigingen": edits})
        return browser.post("/plantafel/bereken", given, content_type="application/json")

    nothing = weigh().json()
    assert (nothing["gewonnen"], nothing["verloren"], nothing["voor"]) == (0, 0, nothing["na"])
    shut = weigh({"soort": "sluit", "kazerne": station}, {"soort": "sluit", "kazerne": other}).json()
    assert shut["na"] == pytest.approx(shut["voor"] + shut["gewonnen"] - shut["verloren"])
    assert shut["gewonnen"] == 0
    assert nothing["sterkte"] == []
    assert [place["code"] for place in shut["sterkte"] if place["kazerne"]] == [station, other]
    for place in shut["sterkte"]:
        first, fourth = zip(*((np.inf if s is None else s for s in place[when]) for when in ("voor_s", "na_s")))
        assert first[0] <= first[1], f"wie kazernes sluit, krijgt het eerste peloton in {place['naam']} niet eerder"
        assert all(a <= b for a, b in ((first[0], fourth[0]), (first[1], fourth[1])))
    assert any(place["voor_s"] != place["na_s"] for place in shut["sterkte"])
    opened = {"soort": "open", "kazerne": "NIEUW-1", "naam": "Nieuw", "lon": 6.0, "lat": 52.2,
              "bezettingsregime": "beroeps"}  # fmt: skip
    assert weigh(opened).json()["verloren"] == 0, "more never reaches fewer"
    assert "bezettingsregime" in weigh({**opened, "bezettingsregime": "x"}).json()["fout"]
    assert weigh({"soort": "sluit", "kazerne": "bestaat niet"}).status_code == 400
    assert weigh(norm="geen").status_code == 400
    assert browser.post("/plantafel/bereken", "[]", content_type="application/json").status_code == 400
    kept = json.dumps([opened, {"soort": "sluit", "kazerne": station}])
    assert press(browser, "/plantafel/varianten", naam="Anders", wijzigingen=kept) == "Bewaard: Anders."
    assert "deze variant kan niet" in press(
        browser, "/plantafel/varianten", naam="x", wijzigingen="[]", terug="/plantafel"
    )
    page = browser.get("/plantafel").content.decode()
    (file,) = re.findall(r"/plantafel/varianten/V-VR06-[^\"]+\.toml", page)
    assert 'naam = "Anders"' in browser.get(file).content.decode()
    assert client("demo-beleid-vr07").get(file).status_code == 404, "a sketch is its region's own"


def test_a_variant_is_handed_in_once_to_the_board_of_the_region_that_it_changes(engine: Engine) -> None:
    browser, officer = client("demo-beleid-vr06"), client("demo-officier-vr06")
    regions = engine.plan.regions.code[engine.plan.stations.region]
    own, other = (str(engine.plan.stations.station_id[regions == code][0]) for code in ("VR06", "VR07"))

    def keep(name: str, *stations: str) -> str:
        edits = json.dumps([{"soort": "sluit", "kazerne": station} for station in stations])
        press(browser, "/plantafel/varianten", naam=name, wijzigingen=edits)
        page = browser.get("/plantafel").content.decode()
        return re.findall(r"/plantafel/varianten/(V-VR06-[^\".]+)\.toml", page)[0]

    asked = {"norm": "bvr-3.2.1", "venster": "dag", "terug": "/plantafel"}
    both = keep("Twee regio's", own, other)
    assert "deze variant raakt VR06, VR07" in press(browser, f"/plantafel/varianten/{both}/indienen", **asked)
    variant = keep("Een kazerne minder", own)
    said = press(officer, f"/plantafel/varianten/{variant}/indienen", **asked)
    assert "Dit kan niet" in said, "who has no mandate to hand in begins no dossier either"
    assert f"{variant}/indienen" not in officer.get("/plantafel").content.decode()
    assert "kies een norm" in press(browser, f"/plantafel/varianten/{variant}/indienen", **{**asked, "norm": "geen"})
    assert "Voorstel tot wijziging van het plan</span></a> van" not in browser.get("/besluiten").content.decode()
    assert press(browser, f"/plantafel/varianten/{variant}/indienen", **asked) == "Ingediend: Een kazerne minder."
    assert "al ingediend" in press(browser, f"/plantafel/varianten/{variant}/indienen", **asked)
    (dossier,) = re.findall(r'/besluiten/dossiers/([^"]+)">ingediend', browser.get("/plantafel").content.decode())
    page = text_of(browser.get(f"/besluiten/dossiers/{dossier}"))
    edited = parse_variant(browser.get(f"/plantafel/varianten/{variant}.toml").content.decode(), "")
    after = seam.compute_variant_hash(engine, edited)
    assert engine.plan_hash in page
    assert after in page
    assert after != engine.plan_hash
    assert f"kazerne = &quot;{own}&quot;" in page
    weighed = {"norm": "bvr-3.2.1", "venster": "dag", "wijzigingen": [{"soort": "sluit", "kazerne": own}]}
    told = browser.post("/plantafel/bereken", json.dumps(weighed), content_type="application/json").json()
    assert f"eraf {told['verloren']:,.0f}".replace(",", ".") in page
    assert "VR06 Noord- en Oost-Gelderland: 1e" in page
    neighbour = client("demo-beleid-vr07")
    assert dossier in neighbour.get("/besluiten").content.decode(), "coverage does not end at a region's border"
    steps = f"/besluiten/dossiers/{dossier}/stappen"
    assert press(neighbour, steps, stap="voorleggen", **{"antwoord-advies": "doen"}) == "Dit kan niet: "
    assert press(browser, steps, stap="voorleggen", **{"antwoord-advies": "doen"}) == "De stap is gezet."
    board = client("demo-bestuur-vr06")
    assert press(board, steps, stap="terug", **{"antwoord-reden": "eerst de buren"}) == "De stap is gezet."
    desk = browser.get("/plantafel").content.decode()
    assert f'/besluiten/dossiers/{dossier}">teruggestuurd' in desk
    assert f"{variant}/indienen" in desk
    assert press(browser, f"/plantafel/varianten/{variant}/indienen", **asked) == "Ingediend: Een kazerne minder."
    assert f'/besluiten/dossiers/{dossier}">ingediend' in browser.get("/plantafel").content.decode(), "the same dossier"
    assert "al ingediend" in press(browser, f"/plantafel/varianten/{variant}/indienen", **asked)
    assert press(browser, steps, stap="voorleggen", **{"antwoord-advies": "doen"}) == "De stap is gezet."
    assert press(board, steps, stap="aannemen", **{"antwoord-datum": "2026-07-01"}) == "De stap is gezet."
    assert "aangenomen voor het volgende plan" in text_of(browser.get(f"/besluiten/dossiers/{dossier}"))
    with acting("VR06") as scope:
        taken = [event.body["step"] for event in read_events(scope) if event.body.get("dossier") == dossier]
    assert taken == ["", "indienen", "voorleggen", "terug", "indienen", "voorleggen", "aannemen"]


def test_a_receipt_names_the_rules_that_were_used_and_no_others(engine: Engine) -> None:
    asker, centre = client("demo-officier-vr06"), client("demo-actiecentrum")
    _, line = asked_of_vr07(asker, engine, "ontsmetting", 1)
    page = centre.get(f"/actiecentrum/aanvragen/{line.rpartition('-')[0]}").content.decode()
    (link,) = re.findall(r'href="(/verantwoording\?cijfer=voorstel[^"]*)"', page)
    names = {rule.code: rule.dutch for rule in engine.plan.rules.rules}

    def used(path: str) -> set[str]:
        shown = re.findall(r'<th scope="row"><span lang="nl">([^<]+)</span>', centre.get(path).content.decode())
        return {code for code, name in names.items() if name in map(html.unescape, shown)}

    reached = {"ondergrens", "verwerkingstijd", "uitruk", "rijprofiel-spoed"}
    assert used(html.unescape(link)) == {
        *reached, "formatie-ontsmetting", "toewijzing-ontsmetting", "vervanging"
    }  # fmt: skip
    assert used("/verantwoording?cijfer=voorstel&formatie=handcrew") == {*reached, "formatie-handcrew"}
    assert used("/verantwoording?cijfer=pelotons") == {*reached, "formatie-basispeloton", "vervanging"}
    assert used("/verantwoording?cijfer=dekking&norm=bvr-3.2.1") == {*reached, "bvr-3.2.1"} - {"ondergrens"}
    assert used("/verantwoording?cijfer=eenheden") == set()


def test_who_is_asked_sees_who_leads_and_not_what_was_noted_before(engine: Engine) -> None:
    asker, centre = client("demo-officier-vr06"), client("demo-actiecentrum")
    place = seam.find_middle(engine, "VR06")
    at = {"x_m": engine.plan.areas.x_m[place], "y_m": engine.plan.areas.y_m[place]}
    incident = asker.post("/actiecentrum/incidenten", {"wat": "Heidebrand", **at}).headers["Location"]
    press(asker, f"{incident}/vastleggen", soort="command_handed_over", functie="leider", aan="Hoofdofficier Zuid")
    press(asker, f"{incident}/vastleggen", soort="note", tekst="nog onder ons")
    assert centre.get(incident).status_code == 404
    asked = {"formatie": "basispeloton", "aantal": 1, "nodig_op": "2030-07-01T12:00", "uren": 12,
             "grond": "wvr51_minister", "mandaat": "voorzitter", "ondertekenaar": "Demo Voorzitter VR06"}  # fmt: skip
    press(asker, f"{incident}/aanvragen", **asked)
    for page in (incident, f"{incident}/overdracht"):
        seen = text_of(centre.get(page))
        assert "Hoofdofficier Zuid" in seen
        assert "nog onder ons" not in seen
    request = re.findall(r"/actiecentrum/aanvragen/(A-VR06-[0-9a-f]+)", centre.get(incident).content.decode())[0]
    press(centre, f"/actiecentrum/aanvragen/{request}/uitzetten", regios=["VR07"])
    lender, line = client("demo-officier-vr07"), f"{request}-1"
    units = re.findall(r'value="([^"]+)" checked', lender.get(f"/regio/regels/{line}").content.decode())
    given = {"eenheden": units, "aantal": 1, "bewust": "buren dekken ons"}
    assert press(lender, f"/regio/regels/{line}/aanbieden", **given).startswith("Aangeboden")
    assert f"onbekende regel {line}" not in text_of(lender.get("/logboek/tegenspraken")), "it reads what it was asked"
    now = f"{datetime.datetime.now(seam.CLOCK):%Y-%m-%dT%H:%M:%S}"
    assert "Heidebrand" in text_of(centre.get(f"/logboek?om={now}")), "the picture of then holds what is seen now"


def test_an_exercise_has_its_own_colour_and_its_own_facts(engine: Engine) -> None:
    browser = client("demo-officier-vr06")
    incident, line = asked_of_vr07(browser, engine)
    assert incident in browser.get("/actiecentrum").content.decode()
    browser.post("/handelen-als", {"regio": "VR06", "wereld": "oefening"})
    page = browser.get("/actiecentrum").content.decode()
    assert 'class="oefening"' in page
    assert incident not in page
    assert line not in page
