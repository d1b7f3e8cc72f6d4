"""The log on screen: what contradicts itself and who decides, who holds whose checkpoint, and the picture of then."""

from __future__ import annotations

import datetime
import secrets
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.log import parse_event, replay
from slagkracht.server import checkpoints
from slagkracht.server.database import Addresses
from slagkracht.server.journal import record
from slagkracht.server.verify_log import verify
from test_server_api import API, client
from test_server_ledger import acting
from test_server_screens import text_of

pytestmark = pytest.mark.usefixtures("database")
NOON = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)


def tell(region: str, kind: str, at: datetime.datetime, **body: object) -> str:
    with acting(region) as own:
        return record(own, kind, body, None, at).event_id


def test_what_contradicts_itself_is_shown_with_its_facts_and_who_decides() -> None:
    officer, unit = client("demo-officier-vr13"), f"13-{secrets.token_hex(3)}"
    first = tell("VR13", "unit_status", NOON, unit=unit, status="available")
    second = tell("VR13", "unit_status", NOON, unit=unit, status="on_scene")
    shown = text_of(officer.get("/logboek/tegenspraken"))
    assert f"eenheid {unit} zou tegelijk beschikbaar en ter plaatse zijn" in shown
    assert first in shown
    assert second in shown
    assert "volgens Demo Officier VR13" in shown, "which source says so"
    assert "Wie beslist: VR13, met een correctie in het eigen logboek." in shown
    assert unit not in text_of(client("demo-officier-vr14").get("/logboek/tegenspraken")), "not for others"
    then = f"/logboek?om={NOON + datetime.timedelta(hours=4):%Y-%m-%dT%H:%M}"
    assert unit in text_of(officer.get(then)).partition("Feiten, nieuwste eerst")[0]
    tell("VR13", "correction", NOON, corrects=first, reason="verkeerde eenheid", body={})
    assert unit not in text_of(officer.get("/logboek/tegenspraken")), "decided"


def test_a_log_cut_off_by_the_owner_of_the_database_is_found_out_by_its_neighbours(
    database: Addresses, tmp_path: Path
) -> None:
    with acting("VR12") as own:
        for n in range(3):
            record(own, "note", {"text": f"nr. {n}"})
    checkpoints.sign_and_exchange(tmp_path)
    officer, neighbour = client("demo-officier-vr12"), client("demo-officier-vr11")
    shown = text_of(officer.get("/logboek"))
    assert "VR12 VR11" in shown, "who holds ours"
    assert "VR12 VR11" in text_of(neighbour.get("/logboek")), "and what we hold of others"
    assert "sluiten op elkaar aan" in text_of(officer.get("/logboek?controle=1"))

    log = b"".join(officer.get(f"{API}/logboek").streaming_content).decode()
    points = neighbour.get("/logboek/controlepunten.jsonl").content.decode()
    keys = neighbour.get("/logboek/sleutels.json").json()
    assert verify(log, points, keys) == []
    short = "".join(log.splitlines(keepends=True)[:-1])
    assert verify(short) == []
    assert any("VR12 is afgekapt" in finding for finding in verify(short, points, keys))
    assert b"def verify(" in officer.get("/logboek/verify_log.py").content

    with psycopg.connect(database.owner) as owner:
        with pytest.raises(psycopg.errors.RaiseException), owner.transaction():
            owner.execute("delete from slagkracht.event where chain = 'VR12'")
        owner.execute("alter table slagkracht.event disable trigger user")  # as a thief would
        owner.execute(
            "delete from slagkracht.event where world = 'echt' and chain = 'VR12' "
            "and number = (select max(number) from slagkracht.event where world = 'echt' and chain = 'VR12')"
        )
        owner.execute("delete from slagkracht.checkpoint where chain = 'VR12'")
        owner.execute("alter table slagkracht.event enable trigger user")
    found = text_of(officer.get("/logboek?controle=1"))
    assert "sluiten op elkaar aan" not in found
    assert "bewaard door VR11: het logboek is daar afgekapt" in found


MOMENTS = st.tuples(st.integers(-30, 400), st.integers(0, 8))


@pytest.fixture(scope="module")
def history(database: Addresses) -> list[str]:
    """A history with late facts, as its region exported it."""
    for n in range(8):
        at, unit = NOON + datetime.timedelta(minutes=40 * n), f"16-{n % 3}"
        incident = f"I-{n % 2}"
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("incident_opened", {"incident": incident, "what": f"brand {n}", "x_m": 1.0, "y_m": 2.0}),
            ("unit_status", {"unit": unit, "status": ("alerted", "on_scene", "available")[n % 3]}),
            ("incident_closed", {"incident": incident}),
        ]
        kind, body = kinds[n % 3]
        tell("VR16", kind, at - datetime.timedelta(minutes=90 * (n % 2)), **body)
    stream: Any = client("demo-officier-vr16").get(f"{API}/logboek")
    return b"".join(stream.streaming_content).decode().splitlines()


@given(MOMENTS)
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_picture_of_any_moment_is_what_the_exported_log_replays_to(
    history: list[str], moments: tuple[int, int]
) -> None:
    minute, known = moments
    events = [parse_event(line) for line in history]
    at = NOON + datetime.timedelta(minutes=minute)
    known_at = events[known].recorded_at if known < len(events) else None
    seen = replay(events, at, known_at)
    asked = {"tijdstip": at.isoformat(), "bekendOp": known_at.isoformat() if known_at else None}
    officer = client("demo-officier-vr16")
    told = officer.get(f"{API}/beeld", {k: v for k, v in asked.items() if v}).json()
    assert {row["unit"]: row["status"] for row in told["eenheden"]} == {u.unit: u.status for u in seen.units.values()}
    assert {row["incident"] for row in told["incidenten"]} == set(seen.incidents)
    assert [row["what"] for row in told["tegenspraken"]] == [c.what for c in seen.conflicts]
    screen = {"om": at.isoformat(), "bekend_op": known_at.isoformat() if known_at else ""}
    shown = text_of(officer.get("/logboek", screen))
    lasting = sum(incident.closed_at is None for incident in seen.incidents.values())
    assert f"{lasting} incident{'' if lasting == 1 else 'en'} " in shown
