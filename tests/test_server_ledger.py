"""The ledger on the real database: nobody overdraws it, nobody takes, nobody looks over another's fence."""

from __future__ import annotations

import datetime
import json
import random
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slagkracht.log import COMMITMENT_STEPS, count_met, format_event, replay, verify_chain
from slagkracht.server import dossiers, ledger
from slagkracht.server.database import Addresses, Scope, scope
from slagkracht.server.journal import read_events, record, sign_checkpoint
from slagkracht.server.verify_log import verify

pytestmark = pytest.mark.usefixtures("database")
REGIONS = [f"VR{n:02d}" for n in range(1, 26)]


def acting(region: str, world: str = "echt") -> Any:
    return scope(region, world, f"Demo Officier {region}")


def new_units(region: str, count: int, world: str = "echt") -> list[str]:
    names = [f"{region[2:]}-{secrets.token_hex(4)}" for _ in range(count)]
    with acting(region, world) as own:
        for name in names:
            unit = {"unit_id": name, "region": region, "type_code": "TS6", "capabilities": ["basiseenheid"]}
            own.insert("unit", **unit, crew=6, station="Kazerne")
            own.insert("unit_place", unit_id=name, region=region, x_m=1.0, y_m=2.0, place_at=own.at)
    return names


def request_of(region: str, count: int = 1, neighbour: str = "", world: str = "echt") -> tuple[str, str]:
    """A request of one line; returns (request, line)."""
    with acting(region, world) as own:
        incident = ledger.open_incident(own, "natuurbrand", 190_000, 460_000)
        wanted = ledger.Wanted("peloton", "basiseenheid", count, 190_000, 460_000, own.at, 8)
        ground = ledger.BY_NEIGHBOUR if neighbour else ledger.BY_MINISTER
        request = ledger.make_request(own, incident, ground, "voorzitter", "Demo Voorzitter", [wanted], neighbour)
    return request, f"{request}-1"


def offered(owner: str, requester: str, units: list[str], count: int = 1, need: int = 1) -> tuple[str, str]:
    """An offer of ``owner`` on a direct request of ``requester``; returns (offer, line)."""
    _, line = request_of(requester, need, neighbour=owner)
    with acting(owner) as own:
        return ledger.offer_units(own, line, units, count), line


# ── the walk ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_assistance_from_request_to_home() -> None:
    units = new_units("VR07", 4)
    request, line = request_of("VR06", 3)
    with acting("LAC") as centre:
        assert ledger.ask_regions(centre, request, ["VR05", "VR07"]) == ["LAC", "VR05", "VR07"]
    with acting("VR07") as lender:
        offer = ledger.offer_units(lender, line, units, 1, "terug voor 20:00", knowingly="bodem Arnhem tot 18:00")
    with acting("VR05") as lender:
        ledger.refuse_line(lender, line, "restdekking")
    with acting("VR06") as asker:
        commitments = ledger.accept_offer(asker, offer)
    assert len(commitments) == 4
    way = [("VR07", "unit_en_route"), ("VR07", "unit_arrived"), ("VR06", "unit_deployed"), ("LAC", "unit_relieved")]
    for region, step in [*way, ("VR06", "unit_released"), ("VR07", "unit_home")]:
        for commitment in commitments:
            with acting(region) as one:
                ledger.move_commitment(one, commitment, step)
    with acting("VR06") as asker:
        assert ledger.close_request(asker, request) == [(line, 2, "restdekking")]
    with acting("LAC") as centre:
        situation = replay(read_events(centre))
        told = {e.kind for e in read_events(centre, "VR07")}
    assert situation.lines[line].unmet == (2, "restdekking")
    assert situation.lines[line].refusals == (("VR05", "restdekking"),)
    assert {situation.commitments[c].step for c in commitments} == {"unit_home"}
    assert [c for c in situation.conflicts if any(x in c.what for x in units)] == []
    assert "floor_passed" not in told, "how thin a region stands is its own"
    with acting("VR07") as lender:
        assert "floor_passed" in {e.kind for e in read_events(lender, "VR07")}
        assert verify_chain(read_events(lender, "VR07"), "VR07") == []


def test_two_regions_need_no_centre() -> None:
    units = new_units("VR07", 1)
    offer, line = offered("VR07", "VR06", units)
    with acting("VR06") as asker:
        (commitment,) = ledger.accept_offer(asker, offer)
    for stranger in ("LAC", "VR08"):
        with acting(stranger) as other:
            assert other.rows("select * from slagkracht.commitment where commitment_id = %s", commitment) == []
            with pytest.raises(ledger.NotFoundError):
                ledger.offer_units(other, line, ["x"], 1)


# ── nobody overdraws ──────────────────────────────────────────────────────────────────────────────────────────────────


def outcome(act: Callable[[Scope], object], region: str) -> str:
    try:
        with acting(region) as own:
            act(own)
    except ledger.LedgerError as error:
        return type(error).__name__
    return "gelukt"


def test_24_regions_accept_the_same_unit_at_once_and_one_wins() -> None:
    (unit,) = new_units("VR25", 1)
    offers = {region: offered("VR25", region, [unit])[0] for region in REGIONS[:24]}
    together = threading.Barrier(24)

    def accept(region: str) -> str:
        together.wait()
        return outcome(lambda own: ledger.accept_offer(own, offers[region]), region)

    with ThreadPoolExecutor(24) as pool:
        outcomes = list(pool.map(accept, offers))
    assert sorted(set(outcomes)) == ["AlreadyCommittedError", "gelukt"]
    assert outcomes.count("gelukt") == 1


def test_an_offer_is_committed_whole_or_not_at_all() -> None:
    first, second = new_units("VR07", 2)
    small, _ = offered("VR07", "VR06", [second])
    large, line = offered("VR07", "VR08", [first, second])
    with acting("VR06") as asker:
        ledger.accept_offer(asker, small)
    assert outcome(lambda own: ledger.accept_offer(own, large), "VR08") == "AlreadyCommittedError"
    with acting("VR08") as asker:
        assert asker.rows("select * from slagkracht.commitment where line_id = %s", line) == []
        row = asker.row("select met from slagkracht.request_line where line_id = %s", line)
        assert row == {"met": 0}


def test_a_line_never_gets_more_than_it_asks() -> None:
    _, line = request_of("VR06", 3, neighbour="VR07")
    offers = []
    for unit in new_units("VR07", 6):
        with acting("VR07") as own:
            offers.append(ledger.offer_units(own, line, [unit], 1))

    def accept(offer: str) -> str:
        return outcome(lambda own: ledger.accept_offer(own, offer), "VR06")

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(accept, offers))
    assert sorted(outcomes) == ["LedgerError"] * 3 + ["gelukt"] * 3


@pytest.mark.parametrize(
    ("region", "act", "error"),
    [
        ("VR08", lambda own, o, c: ledger.accept_offer(own, o), ledger.NotFoundError),
        ("VR07", lambda own, o, c: ledger.accept_offer(own, o), ledger.NotAllowedError),
        ("VR06", lambda own, o, c: ledger.accept_offer(own, o), ledger.LedgerError),
        ("VR06", lambda own, o, c: ledger.withdraw_offer(own, o, "materieel"), ledger.NotAllowedError),
        ("VR07", lambda own, o, c: ledger.withdraw_offer(own, o, "materieel"), ledger.LedgerError),
        ("VR06", lambda own, o, c: ledger.move_commitment(own, c, "unit_en_route"), ledger.NotAllowedError),
        ("VR07", lambda own, o, c: ledger.move_commitment(own, c, "unit_deployed"), ledger.NotAllowedError),
        ("VR07", lambda own, o, c: ledger.move_commitment(own, c, "unit_released"), ledger.LedgerError),
        ("VR06", lambda own, o, c: ledger.move_commitment(own, c, "unit_released", None, "te_ver"), ledger.LedgerError),
        ("VR07", lambda own, o, c: ledger.move_commitment(own, c, "unit_home"), ledger.LedgerError),
        ("VR07", lambda own, o, c: ledger.move_commitment(own, c, "unit_flown"), ledger.LedgerError),
        ("VR08", lambda own, o, c: ledger.move_commitment(own, c, "unit_home"), ledger.NotFoundError),
        ("VR07", lambda own, o, c: ledger.report_unit(own, "geen", "available"), ledger.NotFoundError),
    ],
)
def test_what_is_not_up_to_you_is_refused(region: str, act: Callable[..., object], error: type[Exception]) -> None:
    offer, _ = offered("VR07", "VR06", new_units("VR07", 1))
    with acting("VR06") as asker:
        (commitment,) = ledger.accept_offer(asker, offer)
    with pytest.raises(error), acting(region) as own:
        act(own, offer, commitment)


def test_a_request_that_lacks_something_is_refused() -> None:
    with acting("VR06") as own:
        incident = ledger.open_incident(own, "brand", 1, 2)
        wanted = [ledger.Wanted("peloton", "basiseenheid", 1, 1, 2, own.at, 4)]
        for arguments in [
            (incident, ledger.BY_MINISTER, "m", "s", []),
            (incident, ledger.BY_MINISTER, "m", "s", wanted, "VR07"),
            (incident, ledger.BY_NEIGHBOUR, "m", "s", wanted),
            (incident, ledger.BY_NEIGHBOUR, "m", "s", wanted, "VR06"),
            (incident, ledger.BY_MINISTER, "", "s", wanted),
            ("I-geen", ledger.BY_MINISTER, "m", "s", wanted),
        ]:
            with pytest.raises(ledger.LedgerError):
                ledger.make_request(own, *arguments)  # type: ignore[arg-type]


def test_a_late_report_is_logged_and_does_not_undo_a_newer_one() -> None:
    (unit,) = new_units("VR07", 1)
    with acting("VR07") as own:
        ledger.report_unit(own, unit, "on_scene", 5.0, 6.0)
        early = own.at - datetime.timedelta(minutes=5)
        ledger.report_unit(own, unit, "en_route", 3.0, 4.0, happened_at=early)
        row = own.row("select status, x_m from slagkracht.unit join slagkracht.unit_place using (world, unit_id) "
                      "where unit_id = %s", unit)  # fmt: skip
        situation = replay(read_events(own, "VR07"), at=early)
    assert row is not None
    assert (row["status"], situation.units[unit].status) == ("on_scene", "en_route")


@pytest.mark.parametrize("days", [0.0, 2.0])
def test_every_step_keeps_when_it_happened_and_when_it_was_recorded(days: float) -> None:
    (unit,) = new_units("VR07", 1)
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days, hours=8)

    def at(minutes: int) -> datetime.datetime:
        return began + datetime.timedelta(minutes=minutes)

    with acting("VR06") as own:
        incident = ledger.open_incident(own, "natuurbrand", 190_000, 460_000, happened_at=at(0))
        wanted = [ledger.Wanted("peloton", "basiseenheid", 2, 190_000, 460_000, at(60), 8)]
        request = ledger.make_request(own, incident, ledger.BY_MINISTER, "m", "s", wanted, happened_at=at(10))
    line = f"{request}-1"
    with acting("LAC") as own:
        ledger.ask_regions(own, request, ["VR07", "VR08"], at(15))
    with acting("VR08") as own:
        ledger.refuse_line(own, line, "restdekking", happened_at=at(20))
    with acting("VR07") as own:
        gone = ledger.offer_units(own, line, [unit], 1, happened_at=at(20))
        ledger.withdraw_offer(own, gone, "materieel", at(22))
        offer = ledger.offer_units(own, line, [unit], 1, knowingly="buren", happened_at=at(25))
    with acting("VR06") as own:
        (commitment,) = ledger.accept_offer(own, offer, at(30))
    told = [("VR07", "unit_en_route", 40), ("VR07", "unit_arrived", 60), ("VR06", "unit_deployed", 65),
            ("VR06", "unit_relieved", 300), ("VR06", "unit_released", 300), ("VR07", "unit_home", 360)]  # fmt: skip
    for region, step, minutes in told:
        with acting(region) as own:
            ledger.move_commitment(own, commitment, step, happened_at=at(minutes))
    with acting("VR06") as own:
        ledger.escalate_incident(own, incident, "GRIP 3", at(35))
        ledger.close_request(own, request, at(400))
        ledger.close_incident(own, incident, at(420))
        row = own.row("select step_at from slagkracht.commitment where commitment_id = %s", commitment)
    assert row == {"step_at": at(360)}
    with acting("LAC") as centre:
        events = [e for e in read_events(centre) if e.happened_at >= at(0)]
        situation = replay(events)
    with acting("VR07") as own:
        events += [e for e in read_events(own, "VR07") if e.kind == "floor_passed"]
    mine = {e.kind: e for e in events if {request, line, offer, commitment, gone} & {str(v) for v in e.body.values()}}
    assert {kind: (e.happened_at - began).total_seconds() / 60 for kind, e in mine.items()} == {
        "request_made": 10, "line_asked": 10, "note": 15, "offer_refused": 20, "offer_withdrawn": 22, "offer_made": 25,
        "floor_passed": 25,
        "unit_committed": 30, **{step: minutes for _, step, minutes in told}, "line_unmet": 400, "request_closed": 400,
    }  # fmt: skip
    assert min(e.recorded_at for e in mine.values()) > began + datetime.timedelta(hours=7), "recorded is now"
    assert [at for step, at in situation.commitments[commitment].steps][-1] == at(360)
    assert [c for c in situation.conflicts if unit in c.what] == []
    passed = [e for e in events if e.kind == "floor_passed" and e.body["reason"] == "buren"]
    assert passed[-1].happened_at == at(25)


def test_a_step_never_lies_before_what_it_follows_or_in_the_future() -> None:
    offer, line = offered("VR07", "VR06", new_units("VR07", 1))
    now = datetime.datetime.now(datetime.UTC)
    early, late = now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1)
    with acting("VR06") as own:
        row = own.row("select request_id, incident_id from slagkracht.request join slagkracht.request_line "
                      "using (request_id) where line_id = %s", line)  # fmt: skip
    assert row is not None
    wanted = [ledger.Wanted("peloton", "", 1, 1, 2, now, 8)]
    asked = (row["incident_id"], ledger.BY_NEIGHBOUR, "m", "s", wanted, "VR07", "")

    def refuse_both(region: str, act: Callable[[Scope, datetime.datetime], object]) -> None:
        for at in (early, late):
            assert outcome(lambda own, at=at: act(own, at), region) == "LedgerError"  # type: ignore[misc]

    refuse_both("VR06", lambda own, at: ledger.make_request(own, *asked, at))
    refuse_both("VR06", lambda own, at: ledger.ask_regions(own, row["request_id"], ["VR08"], at))
    refuse_both("VR07", lambda own, at: ledger.refuse_line(own, line, "te_ver", happened_at=at))
    refuse_both("VR07", lambda own, at: ledger.withdraw_offer(own, offer, "x", at))
    refuse_both("VR06", lambda own, at: ledger.accept_offer(own, offer, at))
    refuse_both("VR06", lambda own, at: ledger.close_request(own, row["request_id"], at))
    refuse_both("VR06", lambda own, at: ledger.escalate_incident(own, row["incident_id"], "x", at))
    refuse_both("VR06", lambda own, at: ledger.close_incident(own, row["incident_id"], at))
    with acting("VR06") as own:
        (commitment,) = ledger.accept_offer(own, offer, now + datetime.timedelta(minutes=2))  # a clock that runs ahead
    refuse_both("VR07", lambda own, at: ledger.move_commitment(own, commitment, "unit_en_route", happened_at=at))
    with acting("VR07") as own:
        ledger.move_commitment(own, commitment, "unit_en_route")


# ── what the database itself refuses, whatever the program does ───────────────────────────────────────────────────────


def refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except psycopg.Error:
        return True
    return False


def test_the_log_is_appended_and_never_changed(database: Addresses) -> None:
    with acting("VR06") as own:
        event = record(own, "note", {"text": "vast"})
    where = f"where chain = 'VR06' and number = {event.number}"
    for sql in (
        f"update slagkracht.event set actor = 'x' {where}",
        f"delete from slagkracht.event {where}",
        "truncate slagkracht.event",
    ):
        for address in (database.application, database.owner):
            with psycopg.connect(address) as connection:
                connection.execute("select set_config('slagkracht.region', 'VR06', false)")
                connection.execute("select set_config('slagkracht.world', 'echt', false)")
                assert refused(lambda sql=sql, connection=connection: connection.execute(sql))  # type: ignore[misc]


def test_a_checkpoint_is_signed_and_held_by_everyone() -> None:
    key = Ed25519PrivateKey.generate()
    with acting("VR17", "oefening") as own:
        for n in range(3):
            record(own, "note", {"text": f"feit {n}"})
        signed = sign_checkpoint(own, key)
        lines = "".join(format_event(event) + "\n" for event in read_events(own, "VR17"))
    with acting("VR03", "oefening") as other:
        held = other.rows("select chain, number, hash, at, key, signature from slagkracht.checkpoint")
    assert signed is not None
    assert [row for row in held if (row["chain"], row["number"]) == ("VR17", signed["number"])] == [signed]
    keys = {"VR17": key.public_key().public_bytes_raw().hex()}
    assert verify(lines, json.dumps(signed), keys) == []
    cut_off = "".join(lines.splitlines(keepends=True)[:-1])
    assert "afgekapt" in verify(cut_off, json.dumps(signed), keys)[0]
    with pytest.raises(psycopg.Error), acting("VR03", "oefening") as other:
        other.insert("checkpoint", **{**signed, "number": 2})


def test_an_empty_log_has_nothing_to_sign(database: Addresses) -> None:
    with psycopg.connect(database.owner) as owner:
        silent = owner.execute(
            "select region from slagkracht.region where region not in "
            "(select chain from slagkracht.event where world = 'oefening')"
        ).fetchone()
    if silent is None:
        pytest.skip("every region has written in the exercise already")
    with acting(silent[0], "oefening") as own:
        assert sign_checkpoint(own, Ed25519PrivateKey.generate()) is None


def test_nobody_writes_in_another_chain_or_over_a_number() -> None:
    with acting("VR06") as own:
        event = record(own, "note", {"text": "vast"})
    row = {"kind": "note", "happened_at": event.happened_at, "recorded_at": event.recorded_at, "actor": "x"}
    row |= {"body": "{}", "hash": "", "line": ""}
    for region, chain, number in (("VR07", "VR06", event.number + 1), ("VR06", "VR06", event.number)):
        with pytest.raises(psycopg.Error), acting(region) as own:
            own.insert("event", chain=chain, number=number, **row)


def test_what_was_not_offered_cannot_be_committed() -> None:
    offer, line = offered("VR07", "VR06", new_units("VR07", 1))
    (other,) = new_units("VR07", 1)
    row = {"region": "VR07", "receiver": "VR06", "audience": [], "offer_id": offer, "line_id": line}
    with pytest.raises(psycopg.Error, match="niet aangeboden"), acting("VR06") as own:
        own.insert("commitment", commitment_id="T-x", unit_id=other, step="unit_committed", **row)


def test_an_answered_offer_stays_answered() -> None:
    offer, _ = offered("VR07", "VR06", new_units("VR07", 1))
    sql = "update slagkracht.offer set state = %s, reason = 'x' where offer_id = %s"
    with pytest.raises(psycopg.Error, match="aanbod"), acting("VR07") as own:
        own.run(sql, "aanvaard", offer)  # an owner does not accept for another
    with pytest.raises(psycopg.Error, match="aanbod"), acting("VR06") as asker:
        asker.run(sql, "ingetrokken", offer)  # nor does the other take it back
    with acting("VR07") as own:
        ledger.withdraw_offer(own, offer, "materieel")
    with pytest.raises(psycopg.Error, match="aanbod"), acting("VR06") as asker:
        asker.run(sql, "aanvaard", offer)


def ids(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def deal() -> dict[str, Any]:
    """VR06 asked VR07 two formations; one unit was promised and came home, one offer stands, and VR08 has its own."""
    unit, other, strange = *new_units("VR07", 2), *new_units("VR08", 1)
    request, line = request_of("VR06", 2, neighbour="VR07")
    with acting("VR07") as own:
        home = ledger.offer_units(own, line, [unit], 1)
        offer = ledger.offer_units(own, line, [other], 1, "terug voor 20:00")
    with acting("VR06") as own:
        (commitment,) = ledger.accept_offer(own, home)
        incident = own.row("select incident_id from slagkracht.request where request_id = %s", request)
    with acting("VR07") as own:
        ledger.move_commitment(own, commitment, "unit_en_route")
    shut, shut_line = request_of("VR06", neighbour="VR07")
    with acting("VR06") as own:
        ledger.close_request(own, shut)
        own.insert("subscription", subscription_id=(subscription := ids("B")), region="VR06", sink="http://127.0.0.1:1/",
                   secret="x", place_tx="0", ended_at=own.at)  # fmt: skip
        own.insert("delivery", subscription_id=subscription, region="VR06", chain="VR06", number=2, told_at=own.at)
        own.run("insert into slagkracht.shortfall (figure) values (%s)", (figure := ids("F")))
        ledger.stop_sharing(own, (ended := ledger.share(own, "VR09", "plaats", own.at + datetime.timedelta(hours=1))))
        record(own, "note", {"text": "het laatste"})
    with scope("VR06", "echt", "x", account=1) as own:
        own.insert("access_key", key_id=(key := ids("S")), key_hash=key, region="VR06", account_id=1, name="x",
                   until=own.at + datetime.timedelta(hours=1))  # fmt: skip
    with scope("LAC", "echt", "NIPV", roles=frozenset({"nipv"})) as centre:
        dossier = dossiers.open_dossier(centre, "kwalificatiedossier", {})
        text = {"functie": "x", "ijkfunctie": "nee", "versie": "1", "inhoud": "x", "toelichting": ""}
        dossiers.take_dossier_step(centre, dossier, "consulteren", text)
    with scope("VR06", "echt", "beleid", roles=frozenset({"beleid"})) as own:
        dossiers.take_dossier_step(own, dossier, "reageren", {"reactie": "goed"})
    assert incident is not None
    return {"figure": figure, "ended": ended, "key": key, "dossier": dossier, "subscription": subscription,
            "unit": unit, "other": other, "strange": strange, "request": request, "line": line, "offer": offer,
            "commitment": commitment, "incident": incident["incident_id"], "shut": shut, "shut_line": shut_line,
            "home": home}  # fmt: skip


def insert_offer(**changed: object) -> str:
    given = {"region": "'VR08'", "receiver": "'VR06'", "audience": "'{}'", "line_id": "%(line)s",
             "units": "array[%(strange)s]", "count": "1", "state": "'staat'", "reason": "null"} | changed  # fmt: skip
    return (
        f"insert into slagkracht.offer (offer_id, world, made_at, {', '.join(given)}) "
        f"values (%(new)s, 'echt', now(), {', '.join(map(str, given.values()))})"
    )


def insert_request(**changed: object) -> str:
    given = {"region": "'VR08'", "audience": "array['VR07']", "incident_id": "%(incident)s",
             "ground": "'wvr51_5_buurregio'", "mandate": "'m'", "signed_by": "'s'"} | changed  # fmt: skip
    return (
        f"insert into slagkracht.request (request_id, world, made_at, {', '.join(given)}) "
        f"values (%(new)s, 'echt', now(), {', '.join(map(str, given.values()))})"
    )


COMMIT = ("insert into slagkracht.commitment (commitment_id, world, region, receiver, audience, offer_id, line_id, "
          "unit_id, step, step_at) values (%(new)s, 'echt', 'VR07', 'VR06', {audience}, %(offer)s, %(line)s, "
          "%(other)s, 'unit_committed', {at})")  # fmt: skip

TABLES = ("person", "mandate", "consent", "unit", "unit_place", "incident", "request", "request_line", "offer",
          "commitment", "event", "checkpoint", "dossier", "board_decision", "answered", "access_key", "subscription",
          "delivery", "received", "region_key", "held_checkpoint", "handed_in", "rotation", "variant",
          "document", "cost_entry", "claim", "shortfall", "told_class",
          "procedure")  # fmt: skip

INTO_DOSSIER = ("update slagkracht.dossier set version = version + 1, content = {content} where dossier_id = "
                "%(dossier)s")  # fmt: skip
NEXT_FACT = ("insert into slagkracht.event (world, chain, number, kind, happened_at, recorded_at, actor, body, hash, "
             "line{more}) select world, chain, number + {further}, kind, happened_at, recorded_at, actor, body, hash, "
             "line{more} from slagkracht.event where chain = 'VR06' order by number desc limit 1")  # fmt: skip


def add_step(step: str, region: str, role: str, at: str = "now()", answers: str = "{}", **more: str) -> str:
    taken = (
        f"jsonb_build_object('step', '{step}', 'actor', 'x', 'region', '{region}', 'role', '{role}', 'at', {at}, "
        f"'answers', '{answers}'::jsonb)"
    )
    moved = "".join(f" || jsonb_build_object('{name}', {value})" for name, value in more.items())
    return INTO_DOSSIER.format(content=f"jsonb_set(content, '{{taken}}', content->'taken' || {taken}){moved}")


FORBIDDEN = {
    # a dossier, which all who take part write in
    "a text that was laid before the others": ("VR06", INTO_DOSSIER.format(
        content="jsonb_set(content, '{taken,0,answers,inhoud}', '\"y\"')")),
    "a step that is taken back": ("VR06", INTO_DOSSIER.format(content="content #- '{taken,1}'")),
    "a state without a step": ("VR06", INTO_DOSSIER.format(content="content || '{\"state\": \"register\"}'")),
    "a state that a step does not lead to": ("VR08", add_step("reageren", "VR08", "beleid", state="'register'::text")),
    "who sees a dossier, without a step": ("VR06", "update slagkracht.dossier set version = version + 1, "
        "audience = audience || '{X}' where dossier_id = %(dossier)s"),
    "a step in another's name": ("VR06", add_step("reageren", "VR08", "beleid")),
    "a step for the second time": ("VR06", add_step("reageren", "VR06", "beleid")),
    "a step of another function": ("VR08", add_step("reageren", "VR08", "officier")),
    "a step that is the centre's": ("VR08", add_step("afwijzen", "VR08", "nipv", state="'afgewezen'::text",
        since="now()")),
    "a step from another state": ("LAC", add_step("minister_stelt_vast", "", "minister", state="'register'::text",
        since="now()")),
    "a step tomorrow": ("VR08", add_step("reageren", "VR08", "beleid", "now() + interval '1 day'")),
    "a step from before": ("VR08", add_step("reageren", "VR08", "beleid", "now() - interval '1 day'")),
    "an answer to another step": ("VR08", add_step("reageren", "VR08", "beleid", answers='{"inhoud": "y"}')),
    "a term that does not run": ("VR08", add_step("afwijzen", "", "van rechtswege")),
    "a dossier that begins at its end": ("VR08", "insert into slagkracht.dossier (dossier_id, world, region, audience, "
        "procedure, content) select %(new)s, 'echt', 'VR08', '{}', procedure, content || jsonb_build_object('dossier', "
        "%(new)s::text, 'taken', '[]'::jsonb, 'state', 'register') from slagkracht.dossier where dossier_id = "
        "%(dossier)s"),
    # what stands in the log, and what goes out
    "a fact sealed onto another": ("VR06", NEXT_FACT.format(further=1, more="")),
    "a fact that leaves one out": ("VR06", NEXT_FACT.format(further=2, more="")),
    "a fact at another place in the stream": ("VR06", NEXT_FACT.format(further=1, more=", tx")),
    "a checkpoint of what does not stand": ("VR06", "insert into slagkracht.checkpoint (world, chain, number, hash, "
        "at, key, signature) values ('echt', 'VR06', 1, 'x', '', '', '')"),
    "where facts go out to": ("VR06", "update slagkracht.subscription set sink = 'x'"),
    "what was delivered": ("VR06", "update slagkracht.delivery set told_at = null where subscription_id = "
        "%(subscription)s"),
    "what came in": ("VR06", "update slagkracht.received set result = 'x'"),
    "a gap that nobody computed": ("VR06", "update slagkracht.shortfall set content = '{}' where figure = %(figure)s"),
    "a gap that was found before it was asked": ("VR06", "insert into slagkracht.shortfall (figure, content) values "
        "(%(new)s, '{}')"),
    "sharing that had ended": ("VR06", "update slagkracht.consent set ended_at = null where consent_id = %(ended)s"),
    "a key that holds longer": ("VR06", "update slagkracht.access_key set until = now() + interval '1 year' where "
        "key_id = %(key)s"),
    "a document that is not what its hash says": ("VR06", "insert into slagkracht.document (document_id, world, "
        "region, name, media_type, sha256, content, made_by, made_at) values (%(new)s, 'echt', 'VR06', 'brief', "
        "'text/plain', repeat('0', 64), '', 'x', now())"),
    "why nothing came, after closing": ("VR06", "update slagkracht.request_line set unmet_reason = 'materieel' where "
        "line_id = %(shut_line)s"),
    "a decision that a board is still to take": ("VR06", "insert into slagkracht.board_decision (world, region, body, "
        "plan_name, receipt, outcome, decided_on) values ('echt', 'VR06', 'x', 'x', 'x', 'afgewezen', "
        "current_date + 2)"),
    "a decision of a board that there is not": ("LAC", "insert into slagkracht.board_decision (world, region, body, "
        "plan_name, receipt, outcome, decided_on) values ('echt', 'LAC', 'x', 'x', 'x', 'afgewezen', current_date)"),
    # what is another's
    "a place for another's unit": ("VR08", "insert into slagkracht.unit_place (world, unit_id, region, x_m, y_m, "
        "place_at) values ('echt', %(bare)s, 'VR08', 1, 1, now())"),
    "a request for another's incident": ("VR08", insert_request()),
    "a line in another's request": ("VR08", "insert into slagkracht.request_line (line_id, world, region, audience, "
        "request_id, formation, capability, count, x_m, y_m, needed_by, hours) values (%(new)s, 'echt', 'VR08', "
        "array['VR07'], %(request)s, 'peloton', '', 1, 1, 1, now(), 1)"),
    "an offer of another's unit": ("VR07", insert_offer(region="'VR07'", units="array[%(strange)s]")),
    "an offer on a line that one does not see": ("VR08", insert_offer()),
    "an offer to someone who did not ask": ("VR07", insert_offer(region="'VR07'", units="array[%(other)s]",
        receiver="'VR09'")),
    "an offer shown to who was not asked": ("VR07", insert_offer(region="'VR07'", units="array[%(other)s]",
        audience="array['VR09']")),
    "a rotation for another's incident": ("VR08", "insert into slagkracht.rotation (rotation_id, world, region, "
        "audience, incident_id, plan_hash, content, made_by, made_at) values (%(new)s, 'echt', 'VR08', "
        "array['VR06'], %(incident)s, '', '{}', 'x', now())"),
    "a letter with another's request": ("VR08", "insert into slagkracht.document (document_id, world, region, "
        "request_id, with_request, name, media_type, sha256, content, made_by, made_at) values (%(new)s, 'echt', "
        "'VR08', %(request)s, true, 'brief', 'text/plain', repeat('0', 64), '', 'x', now())"),
    "a delivery on another's subscription": ("VR08", "insert into slagkracht.delivery (subscription_id, world, "
        "region, chain, number) values (%(subscription)s, 'echt', 'VR08', 'VR06', 1)"),
    # what was signed, said or answered
    "who signed": ("VR06", "update slagkracht.request set signed_by = 'x' where request_id = %(request)s"),
    "whose request it is": ("VR06", "update slagkracht.request set region = 'VR08' where request_id = %(request)s"),
    "how much was asked": ("VR06", "update slagkracht.request_line set count = 9 where line_id = %(line)s"),
    "the conditions of an offer": ("VR06", "update slagkracht.offer set conditions = '', state = 'aanvaard' where "
        "offer_id = %(offer)s"),
    "the units of an offer": ("VR07", "update slagkracht.offer set units = '{}' where offer_id = %(offer)s"),
    "who sees a committed unit": ("VR06", "update slagkracht.commitment set audience = array['VR09'] where "
        "commitment_id = %(commitment)s"),
    "with whom was shared": ("VR06", "update slagkracht.consent set receiver = 'VR09'"),
    "whose dossier it is": ("VR06", "update slagkracht.dossier set region = 'VR06'"),
    "a class, past the mandate": ("VR06", "update slagkracht.incident set information_class = 'Open'"),
    # what the ledger does not know
    "an offer that is accepted from the start": ("VR07", insert_offer(region="'VR07'", units="array[%(other)s]",
        state="'aanvaard'")),
    "an offer on a closed request": ("VR07", insert_offer(region="'VR07'", units="array[%(other)s]",
        line_id="%(shut_line)s")),
    "a closed request that opens again": ("VR06", "update slagkracht.request set closed_at = null where request_id = "
        "%(shut)s"),
    "a line that opens in a closed request": ("VR06", "insert into slagkracht.request_line (line_id, world, region, "
        "audience, request_id, formation, capability, count, x_m, y_m, needed_by, hours) values (%(new)s, 'echt', "
        "'VR06', array['VR07'], %(shut)s, 'peloton', '', 1, 1, 1, now(), 1)"),
    "a request that closes without an answer": ("VR06", "update slagkracht.request set closed_at = now() where "
        "request_id = %(request)s"),
    "a line that is met by nothing": ("VR06", "update slagkracht.request_line set met = 2 where line_id = %(line)s"),
    "a line that is met no longer": ("VR06", "update slagkracht.request_line set met = 0 where line_id = %(line)s"),
    "an offer accepted without its units": ("VR06", "update slagkracht.offer set state = 'aanvaard' where offer_id = "
        "%(offer)s"),
    "who was asked sees it no longer": ("VR06", "update slagkracht.request set audience = '{}' where request_id = "
        "%(request)s"),
    "a commitment that others see": ("VR06", COMMIT.format(audience="array['VR09']", at="now()")),
    "a commitment from before its offer": ("VR06", COMMIT.format(audience="'{}'", at="now() - interval '1 day'")),
    "a step that is the lender's": ("VR06", "update slagkracht.commitment set step = 'unit_arrived' where "
        "commitment_id = %(commitment)s"),
    "a step that is the requester's": ("VR07", "update slagkracht.commitment set step = 'unit_deployed' where "
        "commitment_id = %(commitment)s"),
    "a recall without a reason": ("VR07", "update slagkracht.commitment set step = 'unit_released' where "
        "commitment_id = %(commitment)s"),
    "a recall of what another lent": ("VR06", "update slagkracht.commitment set step = 'unit_released', recalled = "
        "'te_ver' where commitment_id = %(commitment)s"),
    "a step in the future": ("VR07", "update slagkracht.commitment set step = 'unit_arrived', step_at = now() + "
        "interval '1 hour' where commitment_id = %(commitment)s"),
    "a step before the last one": ("VR07", "update slagkracht.commitment set step = 'unit_arrived', step_at = "
        "step_at - interval '1 hour' where commitment_id = %(commitment)s"),
    # rows that go
    **{f"a {table} that goes": ("VR06", f"delete from slagkracht.{table}") for table in TABLES},
}  # fmt: skip
"""What no program may do, as (who tries, SQL): tried on the database itself, past the ledger."""


def try_raw(database: Addresses, region: str, sql: str, values: dict[str, Any]) -> None:
    """As the application's role, acting for ``region``, and past every program."""
    with psycopg.connect(database.application, autocommit=True) as connection, connection.transaction():
        connection.execute(
            "select set_config('slagkracht.region', %s, true), set_config('slagkracht.world', 'echt', true)", (region,)
        )
        connection.execute(sql, values)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_database_itself_keeps_a_region_to_its_own(database: Addresses, deal: dict[str, Any], what: str) -> None:
    region, sql = FORBIDDEN[what]
    with acting("VR07") as own:
        bare = ids("07")
        own.insert("unit", unit_id=bare, region="VR07", type_code="TS6", capabilities=[], crew=6, station="")
    with pytest.raises(psycopg.Error) as refusal:
        try_raw(database, region, sql, {**deal, "new": ids("X"), "bare": bare})
    assert refusal.value.sqlstate in ("42501", "P0001", "23503", "23514"), "a fence, not a slip of the pen"


def test_nobody_lets_more_be_delivered_than_he_may_read() -> None:
    for information_class, refused in (("Intern", False), ("Geheim", True)):
        with acting("VR06") as own:
            own.run("select set_config('slagkracht.class', 'Intern', true)")
            given = {"subscription_id": ids("B"), "region": "VR06", "sink": "x", "secret": "x", "ended_at": own.at}
            try:
                with own.connection.transaction():
                    own.insert("subscription", **given, place_tx="0", information_class=information_class)
            except psycopg.errors.InsufficientPrivilege:
                assert refused
            else:
                assert not refused


def test_an_incident_of_another_is_seen_and_not_changed(deal: dict[str, Any]) -> None:
    with acting("VR07") as own:
        assert own.rows("select 1 from slagkracht.incident where incident_id = %s", deal["incident"])
        assert own.run("update slagkracht.incident set level = 'x' where incident_id = %s", deal["incident"]) == 0


def test_everything_that_is_forbidden_is_allowed_to_who_may(deal: dict[str, Any]) -> None:
    """The same steps by the ledger, so that what refuses above is the fence and not a wrong name."""
    with acting("VR06") as own:
        made = ledger.accept_offer(own, deal["offer"])
    with acting("VR07") as own:
        ledger.move_commitment(own, deal["commitment"], "unit_arrived")
        for commitment, step in ((made[0], "unit_en_route"), (made[0], "unit_arrived")):
            ledger.move_commitment(own, commitment, step)
    for region, step in (("VR06", "unit_released"), ("VR07", "unit_home")):
        for commitment in (*made, deal["commitment"]):
            with acting(region) as own:
                ledger.move_commitment(own, commitment, step)
    with acting("VR06") as own:
        assert ledger.close_request(own, deal["request"]) == []


def test_every_table_is_fenced(database: Addresses) -> None:
    with psycopg.connect(database.owner) as owner:
        rows = owner.execute(
            "select relname, relrowsecurity, relforcerowsecurity from pg_class "
            "where relnamespace = 'slagkracht'::regnamespace and relkind in ('r', 'v', 'm', 'p')"
        ).fetchall()
    assert {name for name, on, forced in rows if on and forced} == set(TABLES)
    assert {name for name, on, forced in rows if not (on and forced)} == {"region"}


def test_no_region_no_rows(database: Addresses) -> None:
    offered("VR07", "VR06", new_units("VR07", 1))
    with psycopg.connect(database.application) as nobody:
        for settings in ((), ("slagkracht.region",), ("slagkracht.world",)):
            for name in settings:
                value = "VR06" if name.endswith("region") else "echt"
                nobody.execute("select set_config(%s, %s, true)", (name, value))
            for table in set(TABLES) - ({"person"} if "slagkracht.region" in settings else set()):
                assert nobody.execute(f"select count(*) from slagkracht.{table}").fetchone() == (0,), table
            nobody.rollback()


def test_who_is_asking_ends_with_the_transaction(database: Addresses) -> None:
    new_units("VR06", 1)
    with acting("VR06") as own:
        connection = own.connection
        assert own.rows("select 1 from slagkracht.unit limit 1")
    assert connection.execute("select 1 from slagkracht.unit limit 1").fetchall() == []


def test_an_exercise_is_another_world() -> None:
    (real,) = new_units("VR07", 1)
    (exercise,) = new_units("VR07", 1, "oefening")
    with acting("VR07", "oefening") as own:
        seen = {row["unit_id"] for row in own.rows("select unit_id from slagkracht.unit")}
        assert exercise in seen
        assert real not in seen
    request, line = request_of("VR06", neighbour="VR07", world="oefening")
    with acting("VR07") as own, pytest.raises(ledger.NotFoundError):
        ledger.offer_units(own, line, [real], 1)
    with acting("VR07", "oefening") as own, pytest.raises(ledger.NotFoundError):
        ledger.offer_units(own, line, [real], 1)
    with acting("VR06") as own:
        assert own.row("select 1 from slagkracht.request where request_id = %s", request) is None


def seen_unit(region: str, unit: str) -> tuple[bool, bool]:
    with acting(region) as other:
        return (
            other.row("select 1 from slagkracht.unit where unit_id = %s", unit) is not None,
            other.row("select 1 from slagkracht.unit_place where unit_id = %s", unit) is not None,
        )


def test_sharing_is_by_consent_up_to_a_tier_and_ends() -> None:
    (unit,) = new_units("VR10", 1)
    assert seen_unit("VR11", unit) == (False, False)
    for tier, seen in (("beschikbaarheid", (True, False)), ("plaats", (True, True))):
        with acting("VR10") as own:
            consent = ledger.share(own, "VR11", tier, own.at + datetime.timedelta(hours=1))
        assert seen_unit("VR11", unit) == seen
        assert seen_unit("VR12", unit) == (False, False)
        with acting("VR10") as own:
            ledger.stop_sharing(own, consent)
        assert seen_unit("VR11", unit) == (False, False)
    with acting("VR10") as own:
        ledger.share(own, "VR11", "plaats", own.at + datetime.timedelta(seconds=0.4))
    assert seen_unit("VR11", unit) == (True, True)
    time.sleep(0.5)
    assert seen_unit("VR11", unit) == (False, False), "a consent is read at every look"


def test_a_committed_unit_is_seen_by_who_it_is_committed_to_and_no_longer() -> None:
    (unit,) = new_units("VR07", 1)
    offer, _ = offered("VR07", "VR06", [unit])
    assert seen_unit("VR06", unit) == (False, False)
    with acting("VR06") as asker:
        (commitment,) = ledger.accept_offer(asker, offer)
    assert seen_unit("VR06", unit) == (True, True)
    for region, step in (("VR06", "unit_released"), ("VR07", "unit_home")):
        with acting(region) as own:
            ledger.move_commitment(own, commitment, step)
    assert seen_unit("VR06", unit) == (False, False)


# ── many at once ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_thousands_of_concurrent_steps_leave_a_ledger_that_adds_up(database: Addresses) -> None:
    from ledger_storm import Storm

    storm = Storm(units_per_region=3, seed=5)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: storm.run(1_000, random.Random(n)), range(12)))
    assert storm.done["gelukt"] > 500, storm.done
    assert storm.done["fout"] == 0, storm.errors
    storm.close_all()
    assert storm.find_faults(database) == []
    with acting("LAC") as centre:
        assert {e.kind for e in read_events(centre)} > set(COMMITMENT_STEPS)


# ── who never came, and who is called back ────────────────────────────────────────────────────────────────────────────


def deal_of(count: int, units: int) -> tuple[str, str, list[str]]:
    """An accepted offer of ``count`` formations made of ``units`` units; returns (request, line, commitments)."""
    offer, line = offered("VR07", "VR06", new_units("VR07", units), count, need=count)
    with acting("VR06") as asker:
        return line.rpartition("-")[0], line, ledger.accept_offer(asker, offer)


def met_here_and_told(line: str) -> int:
    """How many formations of a line are met, as the table says; the same as the log replayed."""
    with acting("VR06") as asker:
        row = asker.row("select met from slagkracht.request_line where line_id = %s", line)
        assert row is not None
        assert row["met"] == count_met(replay(read_events(asker)))[line], "the table and the log say the same"
        return int(row["met"])


def test_who_is_released_before_arriving_never_came_and_the_line_asks_on() -> None:
    request, line, commitments = deal_of(2, 4)
    with acting("VR07") as lender:
        for commitment in commitments[:2]:
            ledger.move_commitment(lender, commitment, "unit_en_route")
        ledger.move_commitment(lender, commitments[0], "unit_arrived")
    assert met_here_and_told(line) == 2
    with acting("VR06") as asker:
        ledger.move_commitment(asker, commitments[0], "unit_released")
    assert met_here_and_told(line) == 2, "it was there"
    with acting("VR06") as asker:
        ledger.move_commitment(asker, commitments[1], "unit_released")
    assert met_here_and_told(line) == 1, "half a formation is none"
    with acting("VR07") as lender:
        again = ledger.offer_units(lender, line, new_units("VR07", 1), 1)
    with acting("VR06") as asker:
        (late,) = ledger.accept_offer(asker, again)
        ledger.move_commitment(asker, late, "unit_released")
        ledger.move_commitment(asker, commitments[2], "unit_released")
        assert ledger.close_request(asker, request) == [(line, 1, "ingetrokken")]
    with acting("VR06") as asker:
        ledger.move_commitment(asker, commitments[3], "unit_released")
    assert met_here_and_told(line) == 1, "what was closed stays as it was answered"


def test_a_region_calls_its_unit_back_and_says_why() -> None:
    request, line, (far, near) = deal_of(2, 2)
    with acting("VR07") as lender:
        for step in ("unit_en_route", "unit_arrived"):
            ledger.move_commitment(lender, near, step)
        for commitment in (far, near):
            ledger.move_commitment(lender, commitment, "unit_released", reason="eigen_inzet", text="brand in Ede")
        ledger.move_commitment(lender, near, "unit_home")
    assert met_here_and_told(line) == 1, "who had arrived came; who had not is asked again"
    with acting("VR06") as asker:
        seen = replay(read_events(asker)).commitments
        assert [seen[each].recalled for each in (far, near)] == ["eigen_inzet"] * 2, "the asker knows at once"
        rows = asker.rows("select recalled, recalled_why from slagkracht.commitment where line_id = %s", line)
        assert rows == [{"recalled": "eigen_inzet", "recalled_why": "brand in Ede"}] * 2
        assert ledger.close_request(asker, request) == [(line, 1, "eigen_inzet")]
