"""Relief on the platform: a rotation becomes requests by itself, people decide, and as little as can be changes."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from slagkracht.log import replay
from slagkracht.server import clock, demo, ledger, relief
from slagkracht.server import engine as seam
from slagkracht.server.engine import Engine
from slagkracht.server.journal import read_events
from slagkracht.sources.modelland import build_modelland
from test_server_api import client, post
from test_server_ledger import acting
from test_server_screens import press, text_of

API = "/api/v1"


@pytest.fixture(scope="module")
def engine(database: object) -> Iterator[Engine]:
    loaded = seam.load(build_modelland(areas=600, nodes=30_000))
    demo.lay_units(loaded.plan)
    demo.lay_consents(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    yield loaded
    seam.unload()


def deploy(engine: Engine, hours: float, count: int = 2, arrive: bool = True) -> tuple[str, str, list[str]]:
    """An incident of VR06 with platoons of VR05 at the place; returns (incident, line, units)."""
    area = seam.find_middle(engine, "VR06")
    x_m, y_m = float(engine.plan.areas.x_m[area]), float(engine.plan.areas.y_m[area])
    with acting("VR06") as own:
        incident = ledger.open_incident(own, "Natuurbrand", x_m, y_m)
        wanted = ledger.Wanted("basispeloton", "basiseenheid", count, x_m, y_m, own.at, hours)
        request = ledger.make_request(own, incident, ledger.BY_MINISTER, "voorzitter", "Voorzitter VR06", [wanted])
        picture = seam.compute_picture(engine, seam.read_situation(own, engine), own.at)
    with acting("LAC") as centre:
        ledger.ask_regions(centre, request, [f"VR{n:02d}" for n in range(1, 26) if n != 6])
    with acting("VR05") as own:
        picture = seam.compute_picture(engine, seam.read_situation(own, engine), own.at)
    best = seam.propose(engine, picture, [("basispeloton", count)], area, only="VR05", keep_floors=False)
    units = [str(engine.plan.units.unit_id[u]) for u in np.flatnonzero(best.unit_formation >= 0).tolist()]
    with acting("VR05") as lender:
        offer = ledger.offer_units(lender, f"{request}-1", units, count)
    with acting("VR06") as own:
        commitments = ledger.accept_offer(own, offer)
    for region, step in [("VR05", "unit_en_route"), ("VR05", "unit_arrived"), ("VR06", "unit_deployed")]:
        for commitment in commitments if arrive else ():
            with acting(region) as one:
                ledger.move_commitment(one, commitment, step)
    return incident, f"{request}-1", units


def go_home(incident: str) -> None:
    """Releases everyone of an incident and closes it, so that the next test finds its units free."""
    with acting("VR06") as own:
        rows = own.rows(
            "select c.commitment_id, c.region, c.step from slagkracht.commitment c join slagkracht.request_line "
            "using (line_id) join slagkracht.request q using (request_id) where q.incident_id = %s",
            incident,
        )
        for row in rows:
            if row["step"] not in ("unit_released", "unit_home"):
                ledger.move_commitment(own, row["commitment_id"], "unit_released")
        ledger.close_incident(own, incident)
    for row in rows:
        with acting(row["region"]) as lender:
            if row["step"] != "unit_home":
                ledger.move_commitment(lender, row["commitment_id"], "unit_home")


def planned(engine: Engine, incident: str) -> Any:
    with acting("VR06") as own:
        kept = relief.read_planned(own, engine, incident)
        assert kept is not None
        return kept


def test_a_short_deployment_needs_no_relief_and_a_long_one_gets_its_rotation_by_itself(engine: Engine) -> None:
    short, _, _ = deploy(engine, hours=3, count=1)
    long, line, units = deploy(engine, hours=12, count=1)
    made = clock.tick()
    with acting("VR06") as own:
        assert relief.read_planned(own, engine, short) is None
        assert relief.needs_relief(engine, relief.read_held(own, short)) is None
    kept = planned(engine, long)
    assert kept.rotation_id in made
    assert clock.tick() == [], "once is enough"
    crews = relief.read_crews(engine)
    rotation = kept.rotation
    first = {str(name).rpartition("/")[0] for name in crews.crew_id[rotation.crew[rotation.block == 0]].tolist()}
    assert first == set(units), "who came holds the first shift"
    assert rotation.blocks == 3
    assert len(set(rotation.crew.tolist())) == len(rotation), "within twelve hours nobody's turn comes twice"
    page = text_of(client("demo-officier-vr06").get(f"/actiecentrum/incidenten/{long}"))
    assert "Elke post is bezet" in page
    assert "nog niet gevraagd" in page
    with acting("VR06") as own:
        held = relief.read_held(own, long)
    turns = kept.starts + datetime.timedelta(hours=4)
    assert relief.needs_relief(engine, held, kept.starts) == turns < relief.needs_relief(engine, held)
    assert f"vanaf {turns.astimezone(seam.CLOCK):%d-%m %H:%M}" in page, "by when they came, as the rotation reckons"
    with acting("VR06") as own:
        told = [event for event in read_events(own, "VR06") if event.kind == "relief_planned"]
    assert told[-1].body["waves"] == 2
    assert line
    go_home(short)
    go_home(long)


def test_the_next_wave_is_asked_offered_and_takes_over(engine: Engine) -> None:
    incident, line, _ = deploy(engine, hours=12)
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr07")
    place = f"/actiecentrum/incidenten/{incident}"
    until = (
        (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=12))
        .astimezone(seam.CLOCK)
        .strftime("%Y-%m-%dT%H:%M")
    )
    assert "Het aflosrooster staat" in press(asker, f"{place}/aflossing", tot=until)
    page = asker.get(place).content.decode()
    assert "<svg" in page
    assert " style=" not in page
    said = press(asker, f"{place}/aflossing/aanvragen", golven=1, mandaat="voorzitter", ondertekenaar="Voorzitter VR06")
    assert said.startswith("De aflossing is gevraagd")
    with acting("VR06") as own:
        rows = own.rows(
            "select l.* from slagkracht.request_line l join slagkracht.request q using (request_id) where "
            " q.incident_id = %s and wave > 0", incident)  # fmt: skip
        (wave,) = [w for w in relief.list_waves(own, engine, incident, planned(engine, incident)) if w.number == 1]
    assert [(row["wave"], row["count"], row["relieves"]) for row in rows] == [(1, wave.count - wave.own, [line])]
    kept = planned(engine, incident)
    over = kept.starts + datetime.timedelta(minutes=240 - 30)
    assert abs((rows[0]["needed_by"] - over).total_seconds()) < 60
    assert lender.get(f"/regio/regels/{rows[0]['line_id']}").status_code == 404, "not asked before someone asks"
    press(client("demo-actiecentrum"), f"/actiecentrum/aanvragen/{rows[0]['request_id']}/uitzetten", regios=["VR07"])
    offer_page = lender.get(f"/regio/regels/{rows[0]['line_id']}").content.decode()
    units = re.findall(r'value="([^"]+)" checked', offer_page)
    press(
        lender,
        f"/regio/regels/{rows[0]['line_id']}/aanbieden",
        eenheden=units,
        aantal=rows[0]["count"],
        bewust="buren dekken ons",
    )
    with acting("VR06") as own:
        offer = own.rows("select offer_id from slagkracht.offer where line_id = %s", rows[0]["line_id"])[0]["offer_id"]
    press(asker, f"/actiecentrum/aanboden/{offer}/aanvaarden")
    for step in ("unit_en_route", "unit_arrived"):
        press(lender, f"/actiecentrum/aanboden/{offer}/stap", stap=step)
    assert "Neemt over" in text_of(asker.get(place))
    early = post(asker, f"/regels/{rows[0]['line_id']}/overnemen", {"gebeurd_op": "2026-01-01T12:00:00Z"})
    assert early.status_code == 409, "nobody takes over before he arrives"
    said = press(asker, f"/actiecentrum/regels/{rows[0]['line_id']}/overnemen", terug=place)
    assert said.startswith(f"{len(units)} eenheden nemen over, ")
    assert not said.endswith(" 0 zijn afgelost.")
    with acting("VR06") as own:
        steps = {c.line: c.step for c in replay(read_events(own)).commitments.values()}
    assert steps[line] == "unit_relieved"
    assert steps[rows[0]["line_id"]] == "unit_deployed"
    assert "overgenomen" in text_of(asker.get(place))
    # who really came stands in the rotation, and what was planned after it is kept as far as can be
    press(asker, f"{place}/aflossing", tot=until)
    mended, crews = planned(engine, incident), relief.read_crews(engine)
    second = crews.crew_id[mended.rotation.crew[mended.rotation.block == 1]].tolist()
    assert set(units) <= {str(name).rpartition("/")[0] for name in second}
    third = [set(each.rotation.crew[each.rotation.block == 2].tolist()) for each in (kept, mended)]
    assert len(third[0] & third[1]) >= len(third[0]) - len(units), "no more changes than those who came anyway"
    go_home(incident)


def test_a_region_that_refuses_is_planned_round_and_the_rest_stays(engine: Engine) -> None:
    incident, _, _ = deploy(engine, hours=12, count=4)
    with acting("VR06") as own:
        relief.plan_relief(own, engine, incident)
    before, crews = planned(engine, incident), relief.read_crews(engine)
    region_of = engine.plan.regions.code[crews.region]
    coming = before.rotation.crew[before.rotation.block == 1]
    refuses = next(iter(sorted(set(region_of[coming].tolist()) - {"VR06"})))
    with acting("VR06") as own:
        waves = relief.list_waves(own, engine, incident, before)
        request = relief.ask_relief(own, engine, incident, 2, "voorzitter", "Voorzitter VR06")
        asked = own.rows("select * from slagkracht.request_line where request_id = %s order by line_id", request)
    assert [row["count"] for row in asked] == [wave.count - wave.own for wave in waves], "own crews are not asked"
    with acting("LAC") as centre:
        ledger.ask_regions(centre, request, [refuses])
    with acting(refuses) as other:
        ledger.refuse_line(other, f"{request}-1", "bezetting")
    with acting("VR06") as own:
        relief.plan_relief(own, engine, incident)
    after = planned(engine, incident)
    later = after.rotation.crew[after.rotation.block > 0]
    assert refuses not in region_of[later]
    kept = before.rotation.crew[(before.rotation.block == 2) & (region_of[before.rotation.crew] != refuses)]
    assert set(kept.tolist()) <= set(after.rotation.crew[after.rotation.block == 2].tolist())
    with acting("VR06") as own, pytest.raises(ledger.LedgerError, match="al gevraagd"):
        relief.ask_relief(own, engine, incident, 1, "voorzitter", "Voorzitter VR06")
    go_home(incident)


def test_longer_adds_waves_and_what_left_unrelieved_is_not_relieved(engine: Engine) -> None:
    incident, line, units = deploy(engine, hours=8, count=2)
    with acting("VR06") as own:
        relief.plan_relief(own, engine, incident)
    before = planned(engine, incident)
    with acting("VR06") as own:
        relief.plan_relief(own, engine, incident, before.starts + datetime.timedelta(hours=24))
    after = planned(engine, incident)
    assert (before.rotation.blocks, after.rotation.blocks) == (2, 6)
    assert after.rotation.changed == 0
    with acting("VR06") as own:
        mine = own.rows("select commitment_id from slagkracht.commitment where line_id = %s", line)
        for row in mine:
            ledger.move_commitment(own, row["commitment_id"], "unit_released")
    with acting("VR06") as own, pytest.raises(ledger.LedgerError, match="niets toegezegd"):
        relief.plan_relief(own, engine, incident)
    assert units
    go_home(incident)


def test_who_dropped_out_on_the_way_holds_nothing(engine: Engine) -> None:
    incident, line, units = deploy(engine, hours=3, count=2, arrive=False)
    with acting("VR05") as lender:
        row = lender.row("select * from slagkracht.commitment where line_id = %s order by unit_id limit 1", line)
        assert row is not None
        ledger.move_commitment(lender, row["commitment_id"], "unit_released", reason="eigen_inzet")
    with acting("VR06") as own:
        (held,) = relief.read_held(own, incident)
    assert (held.count, set(held.units)) == (1, set(units) - {row["unit_id"]})
    go_home(incident)


def test_relief_through_the_api_and_nobody_elses(engine: Engine) -> None:
    incident, _, _ = deploy(engine, hours=12, count=3)
    asker, stranger = client("demo-officier-vr06"), client("demo-officier-vr20")
    path = f"/incidenten/{incident}/aflossing"
    assert asker.get(API + path).status_code == 404, "not made yet"
    at = datetime.datetime.fromisoformat(datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"))
    early, then = ({"gebeurd_op": (at - datetime.timedelta(hours=h)).isoformat()} for h in (1, 0))
    assert post(asker, path, early).status_code == 409, "before the incident began"
    made = post(asker, path, then)
    assert made.status_code == 201, made.content
    shown = asker.get(API + path).json()
    assert datetime.datetime.fromisoformat(shown["gemaakt_op"]) == at
    assert shown["id"] == made.json()["id"]
    assert len(shown["golven"]) == 2
    assert shown["golven"][0]["aflossers"]
    assert {shift["blok"] for shift in shown["diensten"]} == {0, 1, 2}
    assert stranger.get(API + path).status_code == 404
    assert post(stranger, path, {}).status_code == 403, "who was asked sees what for, and plans nothing there"
    wanted = {"golven": 2, "mandaat": "voorzitter", "ondertekenaar": "Voorzitter VR06"}
    assert post(asker, f"{path}/aanvragen", wanted | early).status_code == 409
    asked = post(asker, f"{path}/aanvragen", wanted | then)
    assert asked.status_code == 201
    assert datetime.datetime.fromisoformat(asker.get(f"{API}/aanvragen/{asked.json()['id']}").json()["gedaan_op"]) == at
    lines = asker.get(f"{API}/regels?aanvraag={asked.json()['id']}").json()["resultaten"]
    assert {line["golf"] for line in lines} <= {1, 2}
    assert lines
    assert post(stranger, f"/regels/{lines[0]['id']}/overnemen").status_code == 404
    assert post(asker, f"/regels/{lines[0]['id']}/overnemen").status_code == 409, "nobody has arrived"
    go_home(incident)
