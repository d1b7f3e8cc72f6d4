"""Move-ups: ordered where the platform advised it, reckoned with at once, and undone when who was lent comes home."""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

from slagkracht.log import MOVE_UP_STEPS, replay
from slagkracht.server import assistance, demo, ledger, move_ups
from slagkracht.server import engine as seam
from slagkracht.server.engine import Engine, Picture
from slagkracht.server.journal import read_events
from slagkracht.sources.modelland import build_modelland
from test_server_api import client, post
from test_server_ledger import acting, new_units, request_of
from test_server_screens import press, text_of

STATION, HOME = move_ups.Place("K-2", 150_000.0, 450_000.0), move_ups.Place("K-1", 100_000.0, 400_000.0)


@pytest.fixture(scope="module")
def engine(database: object) -> Iterator[Engine]:
    loaded = seam.load(build_modelland(areas=600, nodes=30_000))
    demo.lay_units(loaded.plan)
    yield loaded
    seam.unload()


def picture_of(engine: Engine, region: str) -> Picture:
    with acting(region) as own:
        return seam.compute_picture(engine, seam.read_situation(own, engine), own.at)


def place_of(unit: str) -> tuple[float, float, str]:
    with acting("VR07") as own:
        row = own.row("select x_m, y_m, move_up from slagkracht.unit_place where unit_id = %s", unit)
    assert row is not None
    return row["x_m"], row["y_m"], row["move_up"]


@pytest.mark.usefixtures("database")
def test_who_stands_in_goes_home_to_where_it_was() -> None:
    (unit,) = new_units("VR07", 1)
    with acting("VR07") as own:
        with pytest.raises(ledger.LedgerError, match="niet onderweg"):
            move_ups.arrive_move_up(own, unit)
        move_ups.order_move_up(own, unit, STATION, HOME)
        moving = replay(read_events(own, "VR07")).units[unit]
    assert place_of(unit) == (1.0, 2.0, "K-2"), "it is on its way, from where it was seen last"
    assert (moving.move_up, moving.moving_up, moving.x_m) == ("K-2", True, 1.0)
    with acting("VR08") as own, pytest.raises(ledger.LedgerError):
        move_ups.arrive_move_up(own, unit)
    with acting("VR07") as own:
        move_ups.arrive_move_up(own, unit)
        with pytest.raises(ledger.LedgerError, match="niet onderweg"):
            move_ups.arrive_move_up(own, unit)
    assert place_of(unit) == (150_000.0, 450_000.0, "K-2")
    with acting("VR07") as own:
        assert [row["unit_id"] for row in move_ups.read_move_ups(own)] == [unit]
        standing_in = replay(read_events(own, "VR07")).units[unit]
        with pytest.raises(ledger.LedgerError, match="staat al in"):
            move_ups.order_move_up(own, unit, STATION, HOME)
        move_ups.return_move_up(own, unit)
        (back,) = move_ups.read_move_ups(own)
        assert (back["moving_up"], back["moving_back"]) == (True, True)
        coming = replay(read_events(own, "VR07")).units[unit]
        with pytest.raises(ledger.LedgerError, match="op weg naar huis"):
            move_ups.order_move_up(own, unit, STATION, HOME)
        with pytest.raises(ledger.LedgerError, match="niet onderweg"):
            move_ups.arrive_move_up(own, unit)
        move_ups.end_move_up(own, unit)
        told = [e for e in read_events(own, "VR07") if e.body.get("unit") == unit]
        home = replay(told).units[unit]
        with pytest.raises(ledger.LedgerError, match="geen andere kazerne"):
            move_ups.end_move_up(own, unit)
    assert place_of(unit) == (100_000.0, 400_000.0, "")
    assert (standing_in.move_up, standing_in.moving_up, standing_in.x_m) == ("K-2", False, 150_000.0)
    assert (coming.move_up, coming.moving_up, coming.x_m) == ("K-2", True, 150_000.0), "on its way back"
    assert (home.move_up, home.moving_up, home.x_m) == ("", False, 100_000.0)
    assert [e.kind for e in told] == ["unit_position"] * 4, "the word that a simulation has for it"
    assert tuple(e.body["move_up_step"] for e in told) == MOVE_UP_STEPS


@pytest.mark.usefixtures("database")
def test_only_a_free_unit_of_ones_own_stands_in() -> None:
    lent, busy = new_units("VR07", 2)
    (strange,) = new_units("VR08", 1)
    _, line = request_of("VR06", neighbour="VR07")
    with acting("VR07") as own:
        offer = ledger.offer_units(own, line, [lent], 1)
        ledger.report_unit(own, busy, "on_scene")
    with acting("VR06") as own:
        ledger.accept_offer(own, offer)
    for unit in (lent, busy, strange, "geen"):
        with acting("VR07") as own, pytest.raises(ledger.LedgerError):
            move_ups.order_move_up(own, unit, STATION, HOME)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting("VR07") as own:
        own.run("update slagkracht.unit_place set region = 'VR08' where unit_id = %s", busy)
    with acting("VR07") as own:
        own.run(
            "update slagkracht.unit_place set move_up = 'x', home_x_m = 1, home_y_m = 1 where unit_id = %s", strange
        )
    with acting("VR08") as own:
        assert move_ups.read_move_ups(own) == []


@pytest.mark.usefixtures("database")
def test_who_stood_in_goes_home_when_the_last_one_lent_is_home() -> None:
    first, second, one, other, apart = new_units("VR07", 5)
    _, line = request_of("VR06", 2, neighbour="VR07")
    with acting("VR07") as own:
        offer = ledger.offer_units(own, line, [first, second], 1)
        for unit in (one, other):
            move_ups.order_move_up(own, unit, STATION, HOME, line)
        move_ups.order_move_up(own, apart, STATION, HOME)
    with acting("VR06") as own:
        made = ledger.accept_offer(own, offer)
        for commitment in made:
            ledger.move_commitment(own, commitment, "unit_released")
    with acting("VR07") as own:
        assert assistance.move_commitment(own, made[0], "unit_home")[1] == []
        assert {place_of(unit)[2] for unit in (one, other)} == {"K-2"}
        assert assistance.move_commitment(own, made[1], "unit_home")[1] == sorted([one, other])
        back = {row["unit_id"]: row["moving_back"] for row in move_ups.read_move_ups(own)}
        assert back == {one: True, other: True, apart: False}
        for unit in back:
            move_ups.end_move_up(own, unit)


@pytest.mark.usefixtures("database")
def test_who_is_seen_where_it_went_stands_there() -> None:
    """By a status with a place or by a place alone; not from further off, not in passing, not before it was sent."""
    from slagkracht.server.interfaces import feeds

    (unit,) = new_units("VR07", 1)

    def seen(x_m: float, y_m: float, status: str | None = None, minutes: float = 0.0) -> tuple[bool, bool]:
        at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=minutes)
        told = {"id": secrets.token_hex(8), "eenheid": unit, "gebeurd_op": at.isoformat(), "x_m": x_m, "y_m": y_m}
        with acting("VR07") as own:
            assert feeds.take_reports(own, [told | ({"status": status} if status else {})]).refused == []
            rows = [row for row in move_ups.read_move_ups(own) if row["unit_id"] == unit]
        return (rows[0]["moving_up"], rows[0]["moving_back"]) if rows else (False, False)

    under_way, back = (True, False), (True, True)
    with acting("VR07") as own:
        move_ups.order_move_up(own, unit, STATION, HOME)
    assert seen(150_050.0, 450_000.0, minutes=5) == under_way, "before it was sent"
    assert seen(150_150.0, 450_000.0) == under_way, "too far off"
    assert seen(150_050.0, 450_000.0, "en_route") == under_way, "in passing"
    assert seen(150_050.0, 450_000.0, "available") == (False, False)
    assert place_of(unit) == (150_050.0, 450_000.0, "K-2")
    with acting("VR07") as own:
        move_ups.return_move_up(own, unit)
    assert seen(150_000.0, 450_000.0) == back
    assert seen(100_000.0, 400_060.0) == (False, False)
    assert place_of(unit) == (100_000.0, 400_060.0, "")
    with acting("VR07") as own:
        facts = {e.event_id: e for e in read_events(own, "VR07") if e.body.get("unit") == unit}
        last = replay(facts.values())
    ends = [e for e in facts.values() if "follows" in e.body]
    assert [e.body["move_up_step"] for e in ends] == ["arrived", "ended"]
    for end in ends:
        report = facts[end.body["follows"]]
        assert (report.happened_at, report.body["x_m"]) == (end.happened_at, end.body["x_m"]), "its source"
    assert (last.units[unit].move_up, last.units[unit].moving_up) == ("", False)
    assert last.conflicts == ()


@pytest.mark.usefixtures("database")
def test_who_was_lent_while_standing_in_is_at_its_own_station_when_home() -> None:
    (unit,) = new_units("VR07", 1)
    _, line = request_of("VR06", neighbour="VR07")
    with acting("VR07") as own:
        move_ups.order_move_up(own, unit, STATION, HOME)
        move_ups.arrive_move_up(own, unit)
        offer = ledger.offer_units(own, line, [unit], 1)
    with acting("VR06") as own:
        (commitment,) = ledger.accept_offer(own, offer)
    for step in (move_ups.return_move_up, move_ups.end_move_up):
        with acting("VR07") as own, pytest.raises(ledger.LedgerError, match="in bijstand"):
            step(own, unit)
    with acting("VR06") as own:
        ledger.move_commitment(own, commitment, "unit_released")
    then = datetime.datetime.now(datetime.UTC)
    with acting("VR07") as own:
        assert assistance.move_commitment(own, commitment, "unit_home", then)[1] == []
        ended = [fact for fact in read_events(own, "VR07") if fact.body.get("move_up_step") == "ended"][-1]
    assert (ended.body["unit"], ended.happened_at) == (unit, then), "also told late, at the moment that it came home"
    assert place_of(unit) == (100_000.0, 400_000.0, "")


def test_another_system_orders_tells_and_ends_it(engine: Engine) -> None:
    """Each step at the moment that is told for it, once per key, and not before the step before it."""
    officer, units = client("demo-officier-vr25"), engine.plan.units
    row = next(n for n in range(len(units)) if engine.plan.stations.region[units.station[n]] == 24)
    unit, home = str(units.unit_id[row]), str(engine.plan.stations.station_id[units.station[row]])
    station = next(str(s) for s in engine.plan.stations.station_id if str(s) != home)
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)

    def step(name: str, minutes: float, status: int = 201, **more: str) -> str:
        at = (start + datetime.timedelta(minutes=minutes)).isoformat()
        answer = post(officer, f"/eenheden/{unit}/herbezetting", {"stap": name, "gebeurd_op": at, **more})
        assert answer.status_code == status, answer.content
        shown = officer.get(f"/api/v1/eenheden/{unit}").json()
        return str(shown["herbezetting_stap"])

    assert step("ordered", 0, 409, kazerne="nergens") == "None"
    assert step("ordered", 0, 409, kazerne=home) == "None"
    assert step("ordered", 0, 400) == "None"
    assert step("ordered", 0, kazerne=station) == "ordered"
    assert step("arrived", -1, 409) == "ordered"
    assert step("arrived", 20, 400, kazerne=station) == "ordered"
    assert step("arrived", 20) == "arrived"
    assert picture_of(engine, "VR25").standing.free[row]
    assert step("returning", 30) == "returning"
    assert not picture_of(engine, "VR25").standing.free[row], "on its way back it covers from neither"
    assert step("ended", 50) == "None"
    assert picture_of(engine, "VR25").standing.free[row]
    with acting("VR25") as own:
        told = [e for e in read_events(own, "VR25") if e.body.get("unit") == unit and "move_up_step" in e.body]
    assert [(e.happened_at - start).total_seconds() / 60 for e in told] == [0, 20, 30, 50]
    assert all(e.recorded_at > e.happened_at for e in told)


def test_what_was_advised_is_ordered_and_the_floor_holds_as_was_promised(engine: Engine) -> None:
    """A region lends its pumpers from one place; the platform says who stands in, and the live picture agrees."""
    asker, lender, centre = (client(f"demo-{who}") for who in ("officier-vr06", "officier-vr25", "actiecentrum"))
    units, stations = engine.plan.units, engine.plan.stations
    mine = stations.region[units.station] == seam.region_row(engine, "VR25")
    pumps = units.capabilities[:, units.capability_names.index("tankautospuit")]
    before = picture_of(engine, "VR25")
    lent, moves = find_mendable(engine, before, units.unit_id[mine & pumps].tolist())
    floor, row = float(before.floors.share[seam.region_row(engine, "VR25")]), seam.region_row(engine, "VR25")
    with acting("VR06") as own:
        incident = ledger.open_incident(own, "Natuurbrand", 190_000, 460_000)
        wanted = [ledger.Wanted("basiseenheid", "basiseenheid", 60, 190_000, 460_000, own.at, 8)]
        request = ledger.make_request(own, incident, ledger.BY_MINISTER, "m", "s", wanted)
    press(centre, f"/actiecentrum/aanvragen/{request}/uitzetten", regios=["VR25"])
    line = f"{request}-1"
    page = lender.post(f"/regio/regels/{line}", {"eenheden": lent})
    offers = re.findall(r'name="zet" value="([^"]+)"', page.content.decode())
    own_moves = [
        f"{units.unit_id[u]}|{stations.station_id[s]}"
        for u, s in zip(moves.unit.tolist(), moves.origin.tolist(), strict=True)
        if stations.region[units.station[u]] == row
    ]
    assert offers == own_moves, "a button for what is one's own; the rest is asked of whose it is"
    for number, order in enumerate(offers, start=1):
        page = lender.post("/regio/herbezetten", {"zet": order, "regel": line, "eenheden": lent})
        assert "valt in op" in text_of(page)
        assert set(re.findall(r'value="([^"]+)" checked', page.content.decode())) == set(lent), "the ticks stay"
        assert text_of(lender.get("/regio")).count("Terug naar eigen kazerne") == number
    moving, rows = picture_of(engine, "VR25"), [engine.row_of[each.partition("|")[0]] for each in offers]
    assert before.standing.free[rows].all()
    assert not moving.standing.free[rows].any(), "on its way a unit covers from neither"
    assert seam.compute_cost(engine, moving, "VR25", lent).after < cost_promised(moves, row)
    with acting("VR25") as own:
        ahead = seam.compute_picture(engine, seam.read_situation(own, engine, as_ordered=True), own.at)
    cost = seam.compute_cost(engine, ahead, "VR25", lent)
    assert cost.after == pytest.approx(cost_promised(moves, row), abs=1e-9), "an offer reckons them as standing there"
    assert "en is hier gerekend alsof hij er staat. Hij staat er om" in text_of(page)
    assert "onderweg, staat er om" in text_of(lender.get("/regio"))
    for order in offers:
        said = press(lender, f"/regio/herbezetten/{order.partition('|')[0]}", stap="arrived", terug="/regio")
        assert "telt daar nu mee" in said
    moved = picture_of(engine, "VR25")
    cost = seam.compute_cost(engine, moved, "VR25", lent)
    assert cost.after == pytest.approx(cost_promised(moves, row), abs=1e-9), "the promise and the live picture"
    assert cost.after >= floor
    (unit, _, station) = offers[0].partition("|")
    at = np.flatnonzero(stations.station_id == station)[0]
    place = engine.travel
    there = moved.standing.origin[engine.row_of[unit]]
    assert (place.origin_x_m[there], place.origin_y_m[there]) == (stations.x_m[at], stations.y_m[at])
    count = re.findall(r'name="aantal"[^>]* value="([0-9]+)"', page.content.decode())[0]
    said = press(lender, f"/regio/regels/{line}/aanbieden", eenheden=lent, aantal=count)
    assert said.startswith("Aangeboden"), "nobody asks why any more"
    (offer,) = set(
        re.findall(r"aanboden/(O-[^/]+)/aanvaarden", asker.get(f"/actiecentrum/aanvragen/{request}").content.decode())
    )
    press(asker, f"/actiecentrum/aanboden/{offer}/aanvaarden")
    press(asker, f"/actiecentrum/aanboden/{offer}/stap", stap="unit_released")
    said = press(lender, f"/actiecentrum/aanboden/{offer}/stap", stap="unit_home")
    assert "Wie inviel gaat terug naar de eigen kazerne" in said
    coming = picture_of(engine, "VR25")
    assert not coming.standing.free[rows].any(), "until they are home"
    assert "op de terugweg, thuis om" in text_of(lender.get("/regio"))
    for order in offers:
        unit = order.partition("|")[0]
        assert "telt daar weer mee" in press(lender, f"/regio/herbezetten/{unit}", stap="ended", terug="/regio")
    assert "Niemand valt elders in" in text_of(lender.get("/regio"))
    after = picture_of(engine, "VR25")
    np.testing.assert_array_equal(after.standing.origin, before.standing.origin)
    assert after.residual[row] == before.residual[row]


def test_an_offer_by_message_is_weighed_alike_and_passes_the_floor_knowingly(engine: Engine) -> None:
    from slagkracht.server.interfaces import edxl

    lender, units, stations = client("demo-officier-vr25"), engine.plan.units, engine.plan.stations
    mine = stations.region[units.station] == seam.region_row(engine, "VR25")
    pumps = units.capabilities[:, units.capability_names.index("tankautospuit")]
    lent, _ = find_mendable(engine, picture_of(engine, "VR25"), units.unit_id[mine & pumps].tolist())
    with acting("VR06") as own:
        incident = ledger.open_incident(own, "Natuurbrand", 190_000, 460_000)
        wanted = [ledger.Wanted("basiseenheid", "basiseenheid", 60, 190_000, 460_000, own.at, 8)]
        request = ledger.make_request(own, incident, ledger.BY_NEIGHBOUR, "m", "s", wanted, "VR25")

    def say(**response: object) -> tuple[int, str]:
        kind, told = "ResponseToRequestResource", {"PrecedingResourceInfoElementID": f"{request}-1", **response}
        content = {
            "MessageID": secrets.token_hex(6), "SentDateTime": "2030-07-01T10:00:00+02:00", "MessageContentType": kind,
            "OriginatingMessageID": request, "PrecedingMessageID": request,
            "ContactInformation": [{"ContactRole": "Sender"}],
            "ResourceInformation": [
                {"ResourceInfoElementID": unit, "ResponseInformation": {"ResponseType": "Accept", **told},
                 "Resource": {"ResourceID": unit}, "AssignmentInformation": {"Restrictions": "voor 20:00 terug"}}
                for unit in lent
            ],
        }  # fmt: skip
        answer = lender.generic("POST", "/api/v1/berichten", edxl.write_edxl(kind, content), "application/xml")
        return answer.status_code, answer.content.decode()

    code, said = say(ResponseReason="de buren dekken ons")
    assert (code, "onder uw ondergrens" in said) == (409, True), said
    below = {"ValueListURN": edxl.REASONS, "Value": [edxl.BELOW_FLOOR]}
    code, said = say(ReasonCode=below, ResponseReason="de buren dekken ons")
    assert code == 201, said
    with acting("VR25") as own:
        row = own.row("select * from slagkracht.offer where line_id = %s", f"{request}-1")
        passed = [e.body["reason"] for e in read_events(own, "VR25") if e.body.get("offer") == row["offer_id"]
                  and e.kind == "floor_passed"]  # fmt: skip
        out = edxl.read_edxl(edxl.tell_offer(own, row["offer_id"]))[1]["ResourceInformation"][0]
    assert (row["count"], row["conditions"], row["knowingly"]) == (len(lent), "voor 20:00 terug", "de buren dekken ons")
    assert passed == ["de buren dekken ons"]
    assert out["AssignmentInformation"] == {"Restrictions": "voor 20:00 terug"}
    assert "ResponseReason" not in out["ResponseInformation"], "why is for its own log"


def cost_promised(moves: Any, row: int) -> float:
    return float(moves.residual_after[row])


def find_mendable(engine: Engine, picture: Picture, pumps: list[str]) -> tuple[list[str], Any]:
    """The smallest number of units, in order, without which the floor is passed while a region's own units mend it."""
    row = seam.region_row(engine, "VR25")
    for count in range(1, len(pumps)):
        away = pumps[:count]
        cost = seam.compute_cost(engine, picture, "VR25", away)
        if cost.after >= cost.floor:
            continue
        moves = seam.compute_move_ups(engine, picture, away)
        regions = engine.plan.stations.region[engine.plan.units.station[moves.unit]]
        if moves.mends[row] and len(moves.unit) and (regions == row).all():
            return away, moves
    raise AssertionError("no number of units passes the floor and can be mended")


def test_a_region_below_its_floor_sees_at_home_what_mends_it(engine: Engine) -> None:
    lender = client("demo-officier-vr25")
    before = picture_of(engine, "VR25")
    units, stations = engine.plan.units, engine.plan.stations
    mine = stations.region[units.station] == seam.region_row(engine, "VR25")
    pumps = units.capabilities[:, units.capability_names.index("tankautospuit")]
    gone, _ = find_mendable(engine, before, units.unit_id[mine & pumps].tolist())
    with acting("VR25") as own:
        for unit in gone:
            ledger.report_unit(own, unit, "on_scene")
    page = lender.get("/regio").content.decode()
    assert "Wij staan nu onder onze ondergrens" in page
    order = re.findall(r'name="zet" value="([^"]+)"', page)[0]
    assert "valt in op" in press(lender, "/regio/herbezetten", zet=order, terug="/regio")
    unit = order.partition("|")[0]
    shown = text_of(lender.get("/regio"))
    assert "Wij staan nu onder onze ondergrens" in shown, "until it stands"
    assert order not in lender.get("/regio").content.decode(), "what was ordered is not advised again"
    assert "eigen kazerne" in press(lender, f"/regio/herbezetten/{unit}", stap="returning", terug="/regio")
    assert "weer mee" in press(lender, f"/regio/herbezetten/{unit}", stap="ended", terug="/regio")
    assert "kies een eenheid" in press(lender, "/regio/herbezetten", zet="x|y", terug="/regio")
