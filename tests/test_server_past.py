"""A week that was only simulated is loaded in the exercise and watched step by step; the real world has none of it."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterator
from typing import Any

import pytest

from slagkracht.log import Event, append_event, format_event, parse_event, replay
from slagkracht.plan import Plan
from slagkracht.server import demo, exchange
from slagkracht.server import engine as seam
from slagkracht.server.database import Addresses
from slagkracht.server.journal import read_events
from slagkracht.server.ledger import LedgerError
from slagkracht.simulation.record import ACTOR
from slagkracht.sources.modelland import build_modelland
from test_server_api import API, client
from test_server_ledger import acting
from test_server_screens import text_of

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
"""13:00 by the Dutch clock."""


@pytest.fixture(scope="module")
def plan(database: Addresses) -> Iterator[Plan]:
    plan = build_modelland(areas=342, nodes=6_000)
    demo.lay_units(seam.load(plan).plan)
    yield plan
    seam.unload()


@pytest.fixture(scope="module")
def week(plan: Plan) -> str:
    """Two regions on one afternoon, as a simulation tells it: each its own chain, and one fact twice contradicted."""
    units = {code: plan.units.unit_id[plan.stations.region[plan.units.station] == r][0]
             for r, code in enumerate(plan.regions.code.tolist())}  # fmt: skip
    lines = ""
    for region in ("VR06", "VR07"):
        last: Event | None = None
        unit, incident = str(units[region]), f"S-{region}"
        for minute, kind, body in [
            (
                0,
                "incident_opened",
                {"incident": incident, "what": f"brand in {region}", "x_m": 190_000, "y_m": 450_000},
            ),
            (2, "unit_status", {"unit": unit, "status": "en_route", "incident": incident}),
            (9, "unit_status", {"unit": unit, "status": "on_scene", "incident": incident}),
            (9, "unit_status", {"unit": unit, "status": "returning", "incident": incident}),
            (90, "incident_closed", {"incident": incident}),
        ]:
            at = NOON + datetime.timedelta(minutes=minute)
            last = append_event(last, region, kind, at, at, "simulatie", body)
            lines += format_event(last) + "\n"
    return lines


@pytest.fixture(scope="module")
def loaded(week: str) -> list[exchange.HandedIn]:
    return exchange.hand_in_exercise(lambda region: acting(region, "oefening"), week)


def exercising(username: str) -> Any:
    browser = client(username)
    region = f"VR{username[-2:]}" if username[-2:].isdecimal() else "LAC"
    assert browser.post("/handelen-als", {"regio": region, "wereld": "oefening"}).status_code == 302
    return browser


def test_each_fact_comes_in_once_and_contradictions_are_told(week: str, loaded: list[exchange.HandedIn]) -> None:
    assert [len(each.added) for each in loaded] == [5, 5]
    again = exchange.hand_in_exercise(lambda region: acting(region, "oefening"), week)
    assert [(each.known, each.added) for each in again] == [(5, ()), (5, ())]
    with pytest.raises(LedgerError, match="oefening"):
        exchange.hand_in_exercise(acting, week)
    with pytest.raises(LedgerError, match="gewijzigd"):
        exchange.hand_in_exercise(lambda region: acting(region, "oefening"), week.replace("brand in", "brant in"))


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("username", ["demo-actiecentrum", "demo-officier-vr06", "demo-officier-vr23"])
def test_everyone_in_the_exercise_watches_it_step_by_step(username: str) -> None:
    browser = exercising(username)
    before = text_of(browser.get("/terugkijken?om=2026-01-02T12:59&stap=1"))
    assert "Beeld om 02-01-2026 12:59" in before
    assert " 0 incidenten" in before
    opened = text_of(browser.get("/terugkijken?om=2026-01-02T12:59&stap=1&naar=1"))
    assert "Beeld om 02-01-2026 13:00" in opened
    assert " 2 incidenten" in opened
    assert re.search(r"VR06: Incident 260102-[0-9a-f]{4}-S-VR06 geopend: brand in VR06", opened)
    back = text_of(browser.get("/terugkijken?om=2026-01-02T13:00&stap=1&naar=-1"))
    assert " 0 incidenten" in back
    arrived = browser.get("/terugkijken?om=2026-01-02T13:10&stap=15")
    assert " 2 tegenspraken" in text_of(arrived)
    assert " 0 incidenten" in text_of(browser.get("/terugkijken?om=2026-01-02T15:00"))
    assert "voorbeeld" not in text_of(browser.get("/terugkijken?om=gisteren&stap=x"))


@pytest.mark.usefixtures("loaded")
def test_the_map_shows_who_was_where_then(plan: Plan) -> None:
    browser = exercising("demo-actiecentrum")
    then = browser.get("/terugkijken/beeld.json", {"om": "2026-01-02T13:05"}).json()
    assert {i["what"] for i in then["incidenten"]} == {"brand in VR06", "brand in VR07"}
    assert [(u["status"], u["region"]) for u in then["eenheden"]] == [("en_route", "VR06"), ("en_route", "VR07")]
    assert all(u["naar"] for u in then["eenheden"]), "on its way to the incident"
    assert browser.get("/terugkijken/beeld.json", {"om": "gisteren"}).status_code == 404
    later = browser.get("/terugkijken/beeld.json", {"om": "2026-01-02T15:00"}).json()
    assert later["incidenten"] == []
    assert len(then["gebieden"]["data"]) == len(later["gebieden"]["data"])


@pytest.mark.usefixtures("loaded")
def test_a_figure_of_then_leads_to_what_it_rested_on_then(plan: Plan) -> None:
    """Every link of the screen; who was on its way is not free, and a fact of later is not among those named."""
    browser = exercising("demo-actiecentrum")
    stands = {}
    for clock in ("12:59", "13:05"):
        page = browser.get(f"/terugkijken?om=2026-01-02T{clock}").content.decode()
        links = {html.unescape(link) for link in re.findall(r'href="(/verantwoording[^"]*)"', page)}
        assert {"eenheden", "ondergrens", "restdekking"} == {re.split("[=&]", link)[1] for link in links}
        for link in links:
            receipt = text_of(browser.get(link))
            assert f"zoals het was om 02-01-2026 {clock}" in receipt
            assert re.search(rf"Moment 02-01(-2026)? {clock}", receipt)
            numbers = re.search(r"Vingerafdruk( VR06 (\d+))?", receipt[receipt.index("Tot en met deze feiten") :])
            assert numbers is not None
            free = re.search(r"VR06 Noord- en Oost-Gelderland (\d+) ", receipt)
            assert free is not None
            stands[clock] = (int(free[1]), int(numbers[2] or 0))
    assert stands["13:05"][0] == stands["12:59"][0] - 1
    assert stands["13:05"][1] == stands["12:59"][1] + 2
    assert browser.get("/verantwoording?cijfer=eenheden&om=gisteren").status_code == 404


@pytest.mark.usefixtures("loaded")
def test_the_screen_shows_what_the_exported_log_replays_to() -> None:
    browser = exercising("demo-officier-vr06")
    lines = b"".join(browser.get(f"{API}/logboek").streaming_content).decode().splitlines()
    events = [parse_event(line) for line in lines]
    for minute in range(-5, 100, 15):
        at = NOON + datetime.timedelta(minutes=minute)
        mine = sum(i.closed_at is None for i in replay(events, at).incidents.values())
        shown = re.search(r"(\d+) incidenten", text_of(browser.get("/terugkijken", {"om": at.isoformat()})))
        assert shown
        assert int(shown[1]) == 2 * mine, "VR07 tells the same"


@pytest.mark.usefixtures("loaded")
def test_nothing_of_it_is_in_the_real_world() -> None:
    for username in ("demo-actiecentrum", "demo-officier-vr06"):
        real = client(username)
        assert " 0 incidenten" in text_of(real.get("/terugkijken?om=2026-01-02T13:10"))
        assert real.get("/terugkijken/beeld.json", {"om": "2026-01-02T13:10"}).json()["incidenten"] == []
        assert "brand in VR06" not in text_of(real.get("/logboek"))


def test_two_weeks_with_the_same_numbers_stand_beside_each_other(plan: Plan, week: str) -> None:
    """Both begin at the same moment and count from 1; only the fires differ."""
    assert exchange.SIMULATED == ACTOR
    told = [parse_event(line) for line in week.splitlines()]
    second = ""
    last: dict[str, Event] = {}
    for fact in told:
        body = {**fact.body, "what": "andere brand"} if "what" in fact.body else fact.body
        at = fact.happened_at
        last[fact.chain] = append_event(last.get(fact.chain), fact.chain, fact.kind, at, at, fact.actor, body)
        second += format_event(last[fact.chain]) + "\n"
    for log in (week, second, week, second):
        exchange.hand_in_exercise(lambda region: acting(region, "oefening"), log)
    with acting("VR06", "oefening") as own:
        rows = own.rows("select incident_id, what, closed_at from slagkracht.incident where region = 'VR06'")
        situation = replay(read_events(own, "VR06"))
    assert sorted(row["what"] for row in rows) == ["andere brand", "brand in VR06"]
    assert all(row["closed_at"] for row in rows)
    assert {i.what for i in situation.incidents.values()} == {"andere brand", "brand in VR06"}
    assert [c.what for c in situation.conflicts if "twee keer geopend" in c.what] == []
    assert len({row["incident_id"].rpartition("-S-")[0] for row in rows}) == 2
