"""The commands that keep a platform safe, as they are typed: a laptop cut off for hours, a copy and its way back."""

from __future__ import annotations

import datetime
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from cli_run import Answer, run
from conftest import make_data_folder
from slagkracht.cli import platform
from slagkracht.server import cluster, database, ledger, serve, watch
from slagkracht.server.database import Scope
from slagkracht.server.journal import read_events, record

Screen = pytest.CaptureFixture[str]
HOUR = datetime.timedelta(hours=1)
UNIT = "23-7731"


class Platform:
    """A platform on this machine with a database of its own; its commands are typed, its screens are ``acting``."""

    def __init__(self, folder: Path, capsys: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsys, self.monkeypatch = folder, capsys, monkeypatch

    def type(self, *words: object) -> Answer:
        self.monkeypatch.setenv("SLAGKRACHT_DATA", str(self.folder))
        return run(self.capsys, *words)

    @contextmanager
    def acting(self, region: str = "VR23") -> Iterator[Scope]:
        database.open_pool(database.start_embedded(self.folder), most=2)
        try:
            with database.scope(region, "echt", f"Officier {region}") as own:
                yield own
        finally:
            database.close_pool()

    def stop(self) -> None:
        database.stop_embedded(self.folder)
        cluster.stop_cluster(self.folder / "postgres")


@pytest.fixture
def places(capsys: Screen, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Platform, Platform, Path]]:
    """The national platform, a laptop, and a folder that PostgreSQL can write to where the tests run as root too."""
    folder = make_data_folder()
    folder.chmod(0o755)
    monkeypatch.delenv("SLAGKRACHT_DSN", raising=False)
    made = [Platform(folder / name, capsys, monkeypatch) for name in ("landelijk", "laptop")]
    yield made[0], made[1], folder
    for one in made:
        one.stop()
    shutil.rmtree(folder)


def lay_unit(own: Scope) -> None:
    own.insert("unit", unit_id=UNIT, region="VR23", type_code="TS6", capabilities=[], crew=6, station="Kazerne")
    own.insert("unit_place", unit_id=UNIT, region="VR23", x_m=0.0, y_m=0.0, place_at=own.at - 10 * HOUR)


def test_a_laptop_cut_off_for_eight_hours_hands_over_each_fact_once(places: tuple[Platform, Platform, Path]) -> None:
    nation, laptop, folder = places
    prepared, carried, after = (folder / name for name in ("voor.jsonl", "laptop.jsonl", "na.jsonl"))
    assert nation.type("logboek", "uitvoer", "--regio", "VR23", "--naar", prepared).code == 0
    with nation.acting() as own:
        lay_unit(own)
        record(own, "note", {"text": "voor het contact wegviel"})
        away_since = own.at - 8 * HOUR
    assert "1 feiten in" in nation.type("logboek", "uitvoer", "--regio", "VR23", "--naar", prepared).out
    assert "1 feiten overgenomen" in laptop.type("logboek", "invoer", prepared, "--regio", "VR23").out

    with laptop.acting() as own:
        lay_unit(own)
        incident = ledger.open_incident(own, "heidebrand", 10.0, 20.0)
    states = ("alerted", "en_route", "on_scene", "returning", "available", "unavailable")
    for turn in range(48):  # every ten minutes, eight hours long
        with laptop.acting() as own:
            at = away_since + turn * HOUR / 6
            ledger.report_unit(own, UNIT, states[turn % 6], float(turn), 1.0, at)
    with laptop.acting() as own:
        ledger.escalate_incident(own, incident, "GRIP 2")
    with nation.acting() as own:  # meanwhile someone with contact says otherwise about the same moment
        ledger.report_unit(own, UNIT, "unavailable", happened_at=away_since + 2 * HOUR)

    assert "51 feiten in" in laptop.type("logboek", "uitvoer", "--regio", "VR23", "--naar", carried).out
    told = nation.type("logboek", "invoer", carried, "--regio", "VR23")
    assert told.code == 0, told.err
    assert "50 feiten overgenomen, 1 waren er al" in told.out
    assert told.out.count("tegenspraak: ") == 1
    assert UNIT in told.out
    again = nation.type("logboek", "invoer", carried, "--regio", "VR23")
    assert "0 feiten overgenomen, 51 waren er al" in again.out
    assert "tegenspraak" not in again.out

    with nation.acting() as own:
        facts = list(read_events(own, "VR23"))
        assert [e.kind for e in facts].count("unit_status") == 49, "48 of the laptop, one of who had contact"
        moments = [e.happened_at for e in facts if e.kind == "unit_status" and "handed_in" in e.body]
        assert moments == [away_since + turn * HOUR / 6 for turn in range(48)], "each at the moment it happened"
        row = own.row("select status, x_m from slagkracht.unit join slagkracht.unit_place using (world, unit_id)")
        assert row == {"status": states[47 % 6], "x_m": 47.0}, "the newest moment counts"
        assert own.row("select level from slagkracht.incident") == {"level": "GRIP 2"}
    assert nation.type("logboek", "uitvoer", "--regio", "VR23", "--naar", after).code == 0
    assert nation.type("logboek", "controleer", after).code == 0
    after.write_text(after.read_text().replace("heidebrand", "heidebrant"))
    assert nation.type("logboek", "controleer", after).code != 0


def test_a_copy_is_made_tried_and_put_back_by_command(places: tuple[Platform, Platform, Path]) -> None:
    nation, _, folder = places
    exported = folder / "VR23.jsonl"
    assert nation.type("logboek", "uitvoer", "--regio", "VR23", "--naar", exported).code == 0
    for text in ("een", "twee"):
        with nation.acting() as own:
            record(own, "note", {"text": text})
    made = nation.type("reservekopie", "--naar", folder / "kopie")
    assert made.code == 0, made.err
    assert "2 feiten" in made.out
    assert "Niets gewijzigd, weggelaten of verplaatst." in made.out
    (copy,) = (folder / "kopie").iterdir()
    with nation.acting() as own:
        record(own, "note", {"text": "na de kopie, door een vergissing"})
    refused = nation.type("herstel", copy, "--terugzetten")
    assert refused.code == 1
    assert "draait nog" in refused.err
    nation.stop()
    assert "2 feiten" in nation.type("herstel", copy).out
    put_back = nation.type("herstel", copy, "--terugzetten")
    assert put_back.code == 0, put_back.err
    assert "postgres-voor-herstel-" in put_back.out
    assert "2 feiten in" in nation.type("logboek", "uitvoer", "--regio", "VR23", "--naar", exported).out
    assert nation.type("logboek", "controleer", exported).code == 0
    assert "vergissing" not in exported.read_text()


def test_a_database_that_falls_away_is_said_in_a_sentence(
    capsys: Screen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fall_away() -> database.Addresses:
        raise psycopg.OperationalError("terminating connection due to unexpected postmaster exit")

    monkeypatch.setattr(database, "find_addresses", fall_away)
    answer = run(capsys, "reservekopie", "--naar", tmp_path)
    assert answer.code == 1
    assert "Kan niet verder: de database viel weg" in answer.err


def test_asked_to_end_the_platform_leaves_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what stops with the program, its database, stops too: a signal that ends it at once would leave it."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(watch, "listen", lambda host, port: None)
    monkeypatch.setattr(serve, "prepare", lambda demo: os.kill(os.getpid(), signal.SIGTERM))
    try:
        with pytest.raises(SystemExit) as left:
            platform.run(port=0)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert left.value.code == 0
