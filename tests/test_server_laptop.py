"""What a laptop that was cut off hands over: every kind of fact becomes what it says or says why not, in its class."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from slagkracht.log import KINDS, parse_event
from slagkracht.server import costs, dossiers, exchange, ledger
from slagkracht.server.database import CLASSES, Addresses, Scope
from slagkracht.server.engine import Engine
from slagkracht.server.journal import record
from slagkracht.server.taking_over import ONLY_FACTS
from slagkracht.server.verify_log import verify
from test_server_classes import NAMED, Traces, look_everywhere, someone
from test_server_handover import lay_unit, on
from test_server_screens import engine, text_of  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("database")
ASKER, LENDER = "VR21", "VR22"
PARTIES = (ASKER, LENDER, "LAC")
WAY = [(LENDER, "unit_en_route"), (LENDER, "unit_arrived"), (ASKER, "unit_deployed"), (ASKER, "unit_relieved"),
       (ASKER, "unit_released"), (LENDER, "unit_home")]  # fmt: skip
ROWS = {
    "incident": "incident_id", "request": "request_id", "request_line": "line_id", "offer": "offer_id",
    "commitment": "commitment_id", "cost_entry": "entry_id", "consent": "consent_id",
    "board_decision": "receipt",
}  # fmt: skip
"""The tables in which the laptop and the platform must say the same, by what names their rows."""

MADE_HERE = ("version", "decision_id")
"""What each platform gives a row itself."""


@dataclass(frozen=True)
class Day:
    """What was done on the laptop: a mark in all of it, the logs by region, and its secret incident."""

    mark: str
    logs: dict[str, str]
    incident: str


def decided(own: Scope) -> dict[str, Any]:
    """What a board decided today about a plan."""
    day = own.at.astimezone(dossiers.CLOCK).date()
    return {
        "bestuursorgaan": "algemeen bestuur", "plan": "plan", "besluit": "vastgesteld met voorbehoud", "datum": day,
        "ingangsdatum": day, "vervaldatum": None, "voorbehoud": "mits er geld is",
    }  # fmt: skip


def work(laptop: Addresses, day: str) -> Day:
    """A day on the laptop that tells every kind of fact, by the platform's own step where one does."""
    mark = f"merk{day}"
    one, two, away, back = (f"22-{day}-{n}" for n in range(4))
    with on(laptop, LENDER) as own:
        for unit in (one, two, away, back):
            lay_unit(own, unit)
    with on(laptop, ASKER) as own:
        incident = ledger.open_incident(own, mark, 10.0, 20.0, "GRIP 1", "Geheim")
        later = ledger.open_incident(own, f"{mark} later", 10.0, 20.0)
        ledger.classify(own, "incident", later, "Vertrouwelijk")
        ledger.escalate_incident(own, incident, "GRIP 2")
        wanted = [ledger.Wanted(mark, "basiseenheid", n, 10.0, 20.0, own.at, 8) for n in (2, 1)]
        asked = (incident, ledger.BY_NEIGHBOUR, mark, "Voorzitter", wanted, LENDER, mark)
        request = ledger.make_request(own, *asked)
        ledger.ask_regions(own, request, ["VR20", "LAC"])
        dossier = dossiers.open_dossier(own, "les", {"eigenaar": ASKER})
        ledger.classify(own, "dossier", dossier, "Geheim")
        record(own, "command_handed_over", {"incident": incident, "function": "OvD", "from": mark, "to": "B"}, ["LAC"])
        record(own, "function_handed_over", {"function": "officier", "from": "A", "to": "B"})
        record(own, "decision_recorded", {"incident": incident, "decision": day, "text": mark})
        wrong = record(own, "note", {"incident": incident, "text": mark})
        record(own, "correction", {"corrects": wrong.event_id, "reason": "typefout", "body": {"text": "goed"}})
        dossiers.note_decision(own, {**decided(own), "verantwoording": day * 8})
        record(own, "relief_planned", {"incident": incident, "rotation": f"W-{day}", "waves": 1})
        ledger.stop_sharing(own, ledger.share(own, "VR19", "plaats", own.at + datetime.timedelta(hours=9)))
        ledger.share(own, "VR20", "beschikbaarheid", own.at + datetime.timedelta(hours=9), ["bezetting"])
    with on(laptop, LENDER) as own:
        ledger.report_unit(own, away, "en_route", 1.0, 2.0)
        record(own, "unit_position", {"unit": away, "x_m": 5.0, "y_m": 6.0})
        gone = ledger.offer_units(own, f"{request}-1", [two], 1)
        ledger.withdraw_offer(own, gone, "materieel")
        offer = ledger.offer_units(own, f"{request}-1", [one, two], 1, mark, knowingly=mark)
        ledger.refuse_line(own, f"{request}-2", "restdekking", mark)
    with on(laptop, ASKER) as own:
        commitments = ledger.accept_offer(own, offer)
    with on(laptop, LENDER) as own:
        spare = ledger.offer_units(own, f"{request}-1", [back], 1, mark)
    with on(laptop, ASKER) as own:
        (recalled,) = ledger.accept_offer(own, spare)
    with on(laptop, LENDER) as own:
        ledger.move_commitment(own, recalled, "unit_released", reason="te_ver", text=mark)
        ledger.move_commitment(own, recalled, "unit_home")
    for region, step in WAY:
        for commitment in commitments:
            with on(laptop, region) as own:
                ledger.move_commitment(own, commitment, step)
    with on(laptop, ASKER) as own:
        ledger.close_request(own, request)
        ledger.close_incident(own, incident)
    with on(laptop, LENDER) as own:
        costs.withdraw_cost(own, costs.enter_cost(own, request, "verbruik", 100, own.at.date(), mark), mark)
        costs.enter_cost(own, request, "personeel", 90_000_000_00, own.at.date(), mark, mark)
        claim = costs.file_claim(own, request)
    with on(laptop, "LAC", frozenset({"minister"})) as own:
        costs.decide_claim(own, claim, 100, mark)
    logs = {}
    for region in PARTIES:
        with on(laptop, region) as own:
            logs[region] = "".join(exchange.export_chain(own))
    return Day(mark, logs, incident)


@pytest.fixture(scope="module")
def day(laptop: Addresses) -> Day:
    return work(laptop, secrets.token_hex(4))


@pytest.fixture(scope="module")
def handed(database: Addresses, laptop: Addresses, day: Day) -> list[dict[str, exchange.HandedIn]]:
    """The logs of the laptop handed in: cut off, half, whole and once more; watched all the time from below."""
    lay_here(database, day)
    with on(database, ASKER) as own:
        exchange.hand_in(own, day.logs[ASKER])
        own.connection.rollback()  # the plug was pulled before it was done
    lines = day.logs[ASKER].splitlines(keepends=True)
    half = "".join(lines[: len(lines) // 2])
    with on(database, ASKER) as own, pytest.raises(ledger.LedgerError, match="midden in een regel"):
        exchange.hand_in(own, half[:-20])
    with on(database, ASKER) as own:
        assert not own.rows("select 1 from slagkracht.incident where incident_id = %s", day.incident)
        assert len(exchange.hand_in(own, half).added) == half.count("\n")
    assert seen_below(database, day) == []
    done = []
    for _ in range(2):
        with on(database, ASKER) as own:
            done.append(exchange.hand_in_together(own, "".join(day.logs.values()), PARTIES))
        assert seen_below(database, day) == []
    return done


def lay_here(database: Addresses, day: Day) -> None:
    """The units of the laptop, and a log: what is handed in is told again, not copied."""
    with on(database, LENDER) as own:
        for n in range(4):
            lay_unit(own, f"22-{day.mark.removeprefix('merk')}-{n}")
    for region in PARTIES:
        with on(database, region) as own:
            record(own, "note", {"text": "al iets"})


def seen_below(database: Addresses, day: Day) -> list[Any]:
    """What someone without a mandate for it reads of the secret incident, in the log and the tables."""
    found: list[Any] = []
    for region in (*PARTIES, "VR20"):
        with on(database, region) as own:
            own.rows("select set_config('slagkracht.class', 'Vertrouwelijk', true)")
            found += own.rows("select kind, body from slagkracht.event where body::text like %s", f"%{day.mark}%")
            for table in ROWS:
                rows = own.rows(f"select * from slagkracht.{table}")
                found += [row for row in rows if day.mark in str(row) and row.get("what") != f"{day.mark} later"]
    return [row for row in found if f"{day.mark} later" not in str(row)]


def facts_of(own: Scope, log: str) -> dict[str, dict[str, Any]]:
    """By the hash that a fact of ``log`` has there, its row here."""
    rows = own.rows("select * from slagkracht.event where chain = %s", own.region)
    hashes = {parse_event(line).hash for line in log.splitlines()}
    known = [(row["body"].get("handed_in", {}).get("hash", row["hash"]), row) for row in rows]
    assert len({origin for origin, _ in known}) == len(known), "each once"
    return {origin: row for origin, row in known if origin in hashes}


def same(here: dict[str, Any] | None, there: dict[str, Any]) -> bool:
    """Whether two rows say the same; of now, a row has the begin of its transaction and its fact the moment after."""
    return here is not None and all(
        abs(here[name] - value) < datetime.timedelta(seconds=2)
        if isinstance(value, datetime.datetime)
        else here[name] == value
        for name, value in there.items()
    )


def test_the_laptop_tells_every_kind_of_fact(day: Day) -> None:
    told = {parse_event(line).kind for log in day.logs.values() for line in log.splitlines()}
    assert set(KINDS) - told == set()


def test_every_fact_stands_once_in_the_class_that_it_had(
    database: Addresses, laptop: Addresses, day: Day, handed: list[dict[str, exchange.HandedIn]]
) -> None:
    assert [len(each.added) > 0 for each in handed[0].values()] == [True] * 3
    assert [(each.added, each.again, each.conflicts) for each in handed[1].values()] == [((), 0, ())] * 3
    ranks = set()
    for region in PARTIES:
        with on(laptop, region) as own:
            there = facts_of(own, day.logs[region])
        with on(database, region) as own:
            here = facts_of(own, day.logs[region])
            assert verify("".join(exchange.export_chain(own))) == []
        assert set(here) == set(there)
        for origin, row in there.items():
            mine = here[origin]
            assert (mine["kind"], mine["happened_at"]) == (row["kind"], row["happened_at"])
            assert mine["information_class"] == row["information_class"], row["body"]
            ranks.add(row["information_class"])
    assert ranks == set(CLASSES[1:])


def test_every_kind_became_its_row_or_says_why_not(
    database: Addresses, laptop: Addresses, day: Day, handed: list[dict[str, exchange.HandedIn]]
) -> None:
    for table, key in ROWS.items():
        found = []
        for place in (laptop, database):
            rows: dict[str, Any] = {}
            for region in PARTIES:
                with on(place, region) as own:
                    for row in own.rows(f"select * from slagkracht.{table}"):
                        if row["region"] in PARTIES:
                            rows[row[key]] = {name: value for name, value in row.items() if name not in MADE_HERE}
            found.append(rows)
        there, here = found
        assert there
        for name, row in there.items():
            assert same(here.get(name), row), f"{table}: {here.get(name)} is niet {row}"
    kept: dict[str, str] = {}
    for region in PARTIES:
        with on(database, region) as own:
            for row in facts_of(own, day.logs[region]).values():
                why = own.row("select kept_why from slagkracht.handed_in where number = %s", row["number"])
                assert why is not None
                if why["kept_why"]:
                    kept[row["kind"]] = why["kept_why"]
    assert set(kept) == {*ONLY_FACTS, "claim_decided"}, "no row can honestly be made of these alone"
    with on(database, LENDER) as own:
        unit = own.row("select status from slagkracht.unit where unit_id like %s", f"22-{day.mark[4:]}-2")
        place = own.row("select x_m from slagkracht.unit_place where unit_id like %s", f"22-{day.mark[4:]}-2")
    assert (unit, place) == ({"status": "en_route"}, {"x_m": 5.0})


def test_whoever_took_part_reads_along_as_on_the_laptop(
    database: Addresses, laptop: Addresses, day: Day, handed: list[dict[str, exchange.HandedIn]]
) -> None:
    quiet = {*ONLY_FACTS, "claim_decided", "classified", "decision_recorded", "note", "command_handed_over"}
    for region in PARTIES:
        with on(laptop, region) as own:
            there = facts_of(own, day.logs[region])
        with on(database, region) as own:
            here = facts_of(own, day.logs[region])
        for origin, row in there.items():
            if row["kind"] not in quiet:
                assert set(here[origin]["audience"]) >= set(row["audience"]), (row["kind"], region)
            if row["kind"] in ONLY_FACTS:
                assert here[origin]["audience"] == [], "nobody is told of what did not come about"


def test_the_screen_says_which_facts_are_facts_alone(
    database: Addresses,
    day: Day,
    handed: list[dict[str, exchange.HandedIn]],
    engine: Engine,  # noqa: F811
) -> None:
    shown = text_of(someone(database, ASKER, "Geheim").get("/logboek?soort=relief_planned"))
    assert "alleen als feit: het rooster zelf staat niet in het logboek" in shown


def test_what_is_about_anothers_incident_is_secret_until_that_one_comes_in(
    database: Addresses, laptop: Addresses, handed: list[dict[str, exchange.HandedIn]]
) -> None:
    day = work(laptop, secrets.token_hex(4))
    lay_here(database, day)
    with on(database, LENDER) as own:
        first = exchange.hand_in(own, day.logs[LENDER])
        classes = {row["kind"]: row["information_class"] for row in facts_of(own, day.logs[LENDER]).values()}
        assert own.rows("select 1 from slagkracht.offer where conditions = %s", day.mark) == []
    assert seen_below(database, day) == []
    assert {classes[kind] for kind in ("offer_made", "unit_home", "cost_entered")} == {"Geheim"}
    assert "de regel staat hier niet" in {why for _, why in first.kept}
    with on(database, ASKER) as own:
        exchange.hand_in(own, day.logs[ASKER])
        ledger.classify(own, "incident", day.incident, "Intern")
    with on(database, LENDER) as own:
        again = exchange.hand_in(own, day.logs[LENDER])
        classes = {row["kind"]: row["information_class"] for row in facts_of(own, day.logs[LENDER]).values()}
    assert (again.added, again.again) == ((), 5), "the answers stand now, also the one taken back"
    assert {classes[kind] for kind in ("offer_made", "unit_home", "cost_entered")} == {"Intern"}


@pytest.mark.parametrize("region", [ASKER, LENDER])
def test_a_secret_incident_that_was_handed_over_shows_in_no_place_below_its_class(
    database: Addresses,
    day: Day,
    handed: list[dict[str, exchange.HandedIn]],
    engine: Engine,  # noqa: F811
    region: str,
) -> None:
    walked = [Traces(day.mark, dict.fromkeys(set(NAMED.values()), day.incident))]
    low, high = (look_everywhere(someone(database, region, each), walked) for each in ("Intern", "Geheim"))
    mark = day.mark.encode()
    assert {path for path, content in low.items() if mark in content} == set()
    assert {"stroom", "/ogc/v1/collections/incidenten/items"} <= {p for p, content in high.items() if mark in content}


# ── what both sides did ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_unit_that_the_platform_committed_meanwhile_is_never_committed_twice(
    database: Addresses, laptop: Addresses
) -> None:
    unit = f"18-{secrets.token_hex(3)}"
    for place in (database, laptop):
        with on(place, "VR18") as own:
            lay_unit(own, unit)
            record(own, "note", {"text": f"begin {place.owner[-4:]}"})
    commitments = []
    for place, asker in ((laptop, "VR17"), (database, "VR16")):
        with on(place, asker) as own:
            record(own, "note", {"text": "begin"})
            incident = ledger.open_incident(own, "brand", 1.0, 2.0)
            wanted = [ledger.Wanted("tankautospuit", "", 1, 1.0, 2.0, own.at, 4)]
            request = ledger.make_request(own, incident, ledger.BY_NEIGHBOUR, "m", "s", wanted, "VR18")
        with on(place, "VR18") as own:
            offer = ledger.offer_units(own, f"{request}-1", [unit], 1)
        with on(place, asker) as own:
            commitments += ledger.accept_offer(own, offer)
    with on(database, "VR17") as own:
        record(own, "note", {"text": "ook hier"})
    kept = []
    for region in ("VR17", "VR18", "VR17"):
        with on(laptop, region) as own:
            text = "".join(exchange.export_chain(own))
        with on(database, region) as own:
            done = exchange.hand_in(own, text)
            kept += [why for _, why in done.kept]
            stands = own.row(
                "select h.kept_why from slagkracht.handed_in h join slagkracht.event e on e.number = h.number "
                "and e.chain = h.region where e.kind = 'unit_committed' and e.body->>'unit' = %s",
                unit,
            )
    assert stands == {"kept_why": f"eenheid {unit} is hier inmiddels elders toegezegd"}
    with on(database, "VR18") as own:
        held = own.rows("select commitment_id from slagkracht.commitment where unit_id = %s", unit)
    assert held == [{"commitment_id": commitments[1]}]


def test_of_two_classes_that_were_given_apart_the_higher_stands_and_is_shown(
    database: Addresses, laptop: Addresses
) -> None:
    with on(database, "VR15") as own:
        incident = ledger.open_incident(own, "samenloop", 1.0, 2.0)
        prepared = "".join(exchange.export_chain(own))
    with on(laptop, "VR15") as own:
        exchange.hand_in(own, prepared)
    with on(database, "VR15") as own:
        ledger.classify(own, "incident", incident, "Geheim")
    with on(laptop, "VR15") as own:
        ledger.classify(own, "incident", incident, "Open")
        text = "".join(exchange.export_chain(own))
    with on(database, "VR15") as own:
        done = exchange.hand_in(own, text)
        row = own.row("select information_class from slagkracht.incident where incident_id = %s", incident)
    assert row == {"information_class": "Geheim"}
    assert [each.what for each in done.conflicts] == [
        f"incident {incident} is hier Geheim gemaakt en elders Open: de hoogste klasse blijft staan"
    ]


def test_who_may_not_look_that_high_hands_in_nothing(database: Addresses, laptop: Addresses) -> None:
    with on(laptop, "VR14") as own:
        incident = ledger.open_incident(own, "hoog", 1.0, 2.0, "", "Geheim")
        text = "".join(exchange.export_chain(own))
    with psycopg.connect(database.owner) as owner:
        before = owner.execute("select count(*) from slagkracht.event where chain = 'VR14'").fetchone()
    with on(database, "VR14") as own:
        own.rows("select set_config('slagkracht.class', 'Vertrouwelijk', true)")
        with pytest.raises(ledger.NotAllowedError, match="boven uw informatieklasse"):
            exchange.hand_in(own, text)
    with psycopg.connect(database.owner) as owner:
        assert owner.execute("select count(*) from slagkracht.event where chain = 'VR14'").fetchone() == before
        assert not owner.execute("select 1 from slagkracht.incident where incident_id = %s", (incident,)).fetchall()


def test_a_board_that_decided_here_meanwhile_is_not_overruled(database: Addresses, laptop: Addresses) -> None:
    receipt, other = secrets.token_hex(32), secrets.token_hex(32)
    with on(laptop, "VR23") as own:
        for plan in (receipt, other):
            dossiers.note_decision(own, {**decided(own), "verantwoording": plan})
        log = "".join(exchange.export_chain(own))
    with on(database, "VR23") as own:
        refused = {**decided(own), "besluit": "afgewezen", "ingangsdatum": None, "voorbehoud": ""}
        dossiers.note_decision(own, {**refused, "verantwoording": receipt})
    with on(database, "VR23") as own:
        handed = exchange.hand_in(own, log)
        stands = own.rows(
            "select receipt, outcome from slagkracht.board_decision where receipt = any(%s)", [receipt, other]
        )
    assert [why for _, why in handed.kept] == ["het bestuur besloot hier op die dag al over dit plan: afgewezen"]
    assert {row["receipt"]: row["outcome"] for row in stands} == {
        receipt: "afgewezen",
        other: "vastgesteld met voorbehoud",
    }
