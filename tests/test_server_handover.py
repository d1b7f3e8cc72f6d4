"""Who does what until when, a log from a laptop that was cut off, terms that pass by the clock, and signed logs."""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from slagkracht.procedures.dossier import BY_TERM
from slagkracht.server import checkpoints, clock, dossiers, exchange, handover, ledger, move_ups
from slagkracht.server.database import (
    Addresses,
    Connection,
    Scope,
    scope,
    set_scope,
)
from slagkracht.server.demo import give_person
from slagkracht.server.journal import read_events, record
from slagkracht.server.verify_log import verify
from test_server_ledger import acting

pytestmark = pytest.mark.usefixtures("database")
HOUR = datetime.timedelta(hours=1)


# ── who ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def person(database: Addresses, region: str, name: str) -> int:
    account = secrets.randbelow(10**12) + 10**9
    with psycopg.connect(database.owner) as owner:
        give_person(owner.cursor(), account, region, name)
    return account


@pytest.fixture
def admin(database: Addresses) -> int:
    account = person(database, "VR21", "Beheerder Eén")
    handover.name_first_admin(database, account, "VR21", datetime.datetime.now(datetime.UTC) + HOUR)
    return account


def roles(database: Addresses, account: int) -> set[str]:
    with scope("VR21", "echt", "", account) as own:
        return {row["role"] for row in handover.read_people(own) if row["account_id"] == account and row["holds"]}


def test_a_function_passes_with_both_names_in_the_log(database: Addresses, admin: int) -> None:
    first, second = person(database, "VR21", "Officier Nacht"), person(database, "VR21", "Officier Dag")
    with scope("VR21", "echt", "Beheerder Eén", admin) as own:
        handover.give_mandate(own, first, "officier", own.at + HOUR)
    assert (roles(database, first), roles(database, second)) == ({"officier"}, set())
    with scope("VR21", "echt", "Officier Nacht", first) as own:
        handover.hand_over_function(own, "officier", second, "twee pelotons onderweg")
    assert (roles(database, first), roles(database, second)) == (set(), {"officier"})
    with acting("VR21") as own:
        (*_, told) = [event for event in read_events(own, "VR21") if event.kind == "function_handed_over"]
    assert (told.body["from"], told.body["to"]) == ("Officier Nacht", "Officier Dag")
    assert told.body["sheet"] == "twee pelotons onderweg"
    with scope("VR21", "echt", "Officier Nacht", first) as own, pytest.raises(ledger.NotAllowedError, match="niet"):
        handover.hand_over_function(own, "officier", second)


def test_mandates_are_given_by_the_administrator_of_the_region_alone(database: Addresses, admin: int) -> None:
    other = person(database, "VR21", "Beleid Twee")
    stranger = person(database, "VR22", "Iemand Elders")
    with scope("VR21", "echt", "Beleid Twee", other) as own, pytest.raises(ledger.NotAllowedError):
        handover.give_mandate(own, other, "officier", own.at + HOUR)
    with scope("VR21", "echt", "Beheerder Eén", admin) as own:
        with pytest.raises(ledger.NotAllowedError, match="hoort niet bij"):
            handover.give_mandate(own, stranger, "officier", own.at + HOUR)
        with pytest.raises(ledger.LedgerError, match="minister"):
            handover.give_mandate(own, other, "minister", own.at + HOUR)
        with pytest.raises(ledger.LedgerError, match="einde"):
            handover.give_mandate(own, other, "officier", own.at - HOUR)
        mandate = handover.give_mandate(own, other, "beleid", own.at + HOUR)
    assert roles(database, other) == {"beleid"}
    with scope("VR22", "echt", "Iemand Elders", stranger) as own, pytest.raises(ledger.NotFoundError):
        handover.end_mandate(own, mandate)
    with scope("VR21", "echt", "Beheerder Eén", admin) as own:
        handover.end_mandate(own, mandate)
    assert roles(database, other) == set()


def test_the_application_cannot_give_a_mandate_past_the_functions(database: Addresses) -> None:
    with psycopg.connect(database.application) as application, pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute(
            "insert into slagkracht.mandate (account_id, region, role, world, until) "
            "values (1, 'VR01', 'voorzitter', 'echt', now() + interval '1 hour')"
        )


# ── a laptop that was cut off ─────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def on(addresses: Addresses, region: str, roles: frozenset[str] = frozenset()) -> Iterator[Scope]:
    connection: Connection
    with psycopg.connect(addresses.application, row_factory=dict_row) as connection:
        set_scope(connection, region, "echt", 0)
        row = connection.execute("select now() as at").fetchone()
        assert row is not None
        yield Scope(connection, "echt", region, f"Officier {region}", 0, roles, row["at"])


def lay_unit(own: Scope, unit: str) -> None:
    own.insert("unit", unit_id=unit, region=own.region, type_code="TS6", capabilities=[], crew=6, station="Kazerne")
    own.insert("unit_place", unit_id=unit, region=own.region, x_m=0.0, y_m=0.0, place_at=own.at - 9 * HOUR)


def test_a_laptop_works_on_alone_and_hands_in_each_fact_once(database: Addresses, laptop: Addresses) -> None:
    for place in (database, laptop):
        with on(place, "VR23") as own:
            lay_unit(own, "23-7731")
            lay_unit(own, "23-7732")
    with on(database, "VR23") as own:
        record(own, "note", {"text": "voor het contact wegviel"})
        prepared = "".join(exchange.export_chain(own))
        known = prepared.count("\n")
    with on(laptop, "VR23") as own:
        assert len(exchange.hand_in(own, prepared).added) == known, "a laptop begins with its region's log"
    with on(laptop, "VR23") as own:
        incident = ledger.open_incident(own, "heidebrand", 10.0, 20.0)
    with on(laptop, "VR23") as own:
        same_moment = own.at
        ledger.report_unit(own, "23-7731", "on_scene", 10.0, 20.0, same_moment)
    with on(laptop, "VR23") as own:
        ledger.escalate_incident(own, incident, "GRIP 2")
        record(own, "note", {"text": "een regel\u2028en nog een"})
        home, there = move_ups.Place("K-1", 3.0, 4.0), move_ups.Place("K-2", 30.0, 40.0)
        move_ups.order_move_up(own, "23-7732", there, home)
        ordered = "".join(exchange.export_chain(own))
    with on(laptop, "VR23") as own:
        move_ups.arrive_move_up(own, "23-7732")
        carried = "".join(exchange.export_chain(own))
    with on(database, "VR23") as own:  # meanwhile someone with contact says otherwise
        ledger.report_unit(own, "23-7731", "unavailable", happened_at=same_moment)
    with on(database, "VR23") as own:
        done = exchange.hand_in(own, ordered)
        moving = own.row(
            "select x_m, move_up, moving_up, move_up_x_m from slagkracht.unit_place where unit_id = '23-7732'"
        )
        assert moving == {"x_m": 0.0, "move_up": "K-2", "moving_up": True, "move_up_x_m": 30.0}
        arrived = exchange.hand_in(own, carried)
    assert (done.known, len(done.added), len(arrived.added)) == (known, 5, 1)
    assert [c.what for c in done.conflicts] == ["eenheid 23-7731 zou tegelijk niet beschikbaar en ter plaatse zijn"]
    with on(database, "VR23") as own:
        again = exchange.hand_in(own, carried)
        assert (again.known, again.added, again.conflicts) == (known + 6, (), ())
        row = own.row("select level from slagkracht.incident where incident_id = %s", incident)
        assert row == {"level": "GRIP 2"}
        assert own.row("select x_m from slagkracht.unit_place where unit_id = '23-7731'") == {"x_m": 10.0}
        standing_in = own.row(
            "select x_m, move_up, moving_up, home_x_m, home_y_m from slagkracht.unit_place where unit_id = '23-7732'"
        )
        assert standing_in == {"x_m": 30.0, "move_up": "K-2", "moving_up": False, "home_x_m": 3.0, "home_y_m": 4.0}
        move_ups.end_move_up(own, "23-7732")
        assert verify("".join(exchange.export_chain(own))) == []


def test_a_log_that_was_touched_is_not_taken_over(database: Addresses) -> None:
    with on(database, "VR24") as own:
        record(own, "note", {"text": "heel"})
        text = "".join(exchange.export_chain(own))
    with on(database, "VR24") as own, pytest.raises(ledger.LedgerError, match="gewijzigd"):
        exchange.hand_in(own, text.replace("heel", "half"))
    with on(database, "VR25") as own, pytest.raises(ledger.LedgerError, match="logboek van VR24"):
        exchange.hand_in(own, text)


# ── signed logs ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_with_one_checkpoint_in_hand_whatever_was_done_to_a_log_shows(database: Addresses, tmp_path: Path) -> None:
    region = "VR20"
    with acting(region) as own:
        for n in range(4):
            record(own, "note", {"text": f"nr. {n}"})
    with acting(region) as own:
        signed = checkpoints.sign_new(own, checkpoints.read_key(tmp_path, region, "echt"))
        assert signed is not None
        assert checkpoints.sign_new(own, checkpoints.read_key(tmp_path, region, "echt")) is None, "it did not grow"
        with pytest.raises(ledger.LedgerError, match="andere sleutel"):
            checkpoints.sign_new(own, checkpoints.read_key(tmp_path / "ander", region, "echt"))
        lines = list(exchange.export_chain(own))
    with acting("VR19") as own:
        checkpoints.hold(own, signed)
        assert not checkpoints.hold(own, signed), "held once"
        with pytest.raises(ledger.LedgerError, match="handtekening"):
            checkpoints.hold(own, {**signed, "number": 1})
        held = "".join(line + "\n" for line in checkpoints.read_held(own).splitlines() if region in line)
        keys = checkpoints.read_public_keys(own)
    assert verify("".join(lines), held, keys) == []
    truncated = lines[:-1]
    assert verify("".join(truncated)) == [], "the chain alone does not show it"
    for touched in (truncated, lines[:1] + lines[2:], [lines[1], lines[0], *lines[2:]], []):
        assert verify("".join(touched), held, keys)
    with acting("VR18") as own:
        assert own.rows("select 1 from slagkracht.held_checkpoint where region = 'VR19'") == []


# ── terms ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_passed_term_is_applied_by_the_clock_and_logged_as_such(database: Addresses) -> None:
    procedures, _ = dossiers.read_procedures()
    procedure, term = next((p, t) for p in procedures.values() for t in p.terms if t.then)
    with acting("VR17") as own:
        parties = dict.fromkeys(procedure.parties, "VR17")
        dossier = dossiers.open_dossier(own, procedure.code, parties)
    assert dossier not in clock.tick(), "the term runs still"
    with psycopg.connect(database.owner) as owner:
        owner.execute("set local session_replication_role = replica")
        owner.execute(
            "update slagkracht.dossier set content = content || %s where dossier_id = %s",
            (json.dumps({"since": "2020-01-06T09:00:00+01:00", "state": term.state}), dossier),
        )
    assert dossier in clock.tick()
    with acting("VR17") as own:
        told = [e for e in read_events(own, "VR17") if e.kind == "step_taken" and e.body["dossier"] == dossier]
    first = told[1]
    assert (first.actor, first.body["step"], first.body["termijn"]) == (BY_TERM, term.then, term.code)
    assert first.happened_at < first.recorded_at - 100 * HOUR, "it happened when the term passed"
    assert dossier not in clock.tick()
