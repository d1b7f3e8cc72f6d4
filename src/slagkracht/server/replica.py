"""A second database that follows the first, and takes over where the first is lost."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from slagkracht.server import cluster
from slagkracht.server.database import Addresses

SLOT = "slagkracht_replica"


def start_replica(addresses: Addresses, folder: Path, acknowledge: bool = True) -> str:
    """Copies the database of ``addresses`` to ``folder``/postgres and lets it follow; returns the replica's address.

    With ``acknowledge`` the first database answers only when the replica has it on disk too: then nothing that was
    acknowledged can be lost with the first, and it waits when the replica is away (``stop_waiting``).
    """
    data = folder / "postgres"
    cluster.make_folder(folder)
    source = make_conninfo(addresses.owner, application_name=SLOT)
    cluster.run_program(
        "pg_basebackup", "-d", source, "-D", str(data), "-X", "stream", "-c", "fast", "-R", "-C", "-S", SLOT
    )
    cluster.forget_where_it_ran(data)
    address = cluster.start_cluster(data)
    _wait_until(addresses, "async")
    if acknowledge:
        _wait_for(addresses, SLOT)
        _wait_until(addresses, "sync")
    return address


def stop_waiting(addresses: Addresses) -> None:
    """Lets the first database answer without its replica again; for when the replica is gone for longer."""
    _wait_for(addresses, "")


def promote(folder: Path) -> float:
    """Makes the replica in ``folder`` the first database; returns after how many seconds it took writes.

    Only when the old one is gone for good: two that both write are two histories.
    """
    began = time.perf_counter()
    data = folder / "postgres"
    cluster.run_program("pg_ctl", "-w", "-D", str(data), "promote", timeout_s=60)
    with psycopg.connect(cluster.address_of(data), autocommit=True) as owner:
        owner.execute("alter system reset synchronous_standby_names")
        owner.execute("select pg_reload_conf()")
    return time.perf_counter() - began


def join_addresses(first: Addresses, second: str) -> Addresses:
    """Addresses that find whichever of the two databases takes writes: clients move over by themselves."""

    def join(address: str) -> str:
        one, other = conninfo_to_dict(address), conninfo_to_dict(second)
        hosts = f"{one.get('host', '')},{other.get('host', '')}"
        ports = f"{one.get('port', '5432')},{other.get('port', '5432')}"
        return make_conninfo(address, host=hosts, port=ports, target_session_attrs="read-write")

    return Addresses(join(first.owner), join(first.application))


def _wait_for(addresses: Addresses, name: str) -> None:
    with psycopg.connect(addresses.owner, autocommit=True) as owner:
        owner.execute(sql.SQL("alter system set synchronous_standby_names = {}").format(sql.Literal(name)))
        owner.execute("select pg_reload_conf()")


def _wait_until(addresses: Addresses, state: str, at_most_s: float = 30) -> None:
    """Waits until the first database says that the replica streams ('async') or that it waits for it ('sync')."""
    deadline = time.monotonic() + at_most_s
    with psycopg.connect(addresses.owner, autocommit=True) as owner:
        while not owner.execute(
            "select 1 from pg_stat_replication where application_name = %s and state = 'streaming' and sync_state = %s",
            (SLOT, state),
        ).fetchone():
            if time.monotonic() > deadline:
                raise RuntimeError("de tweede database volgt de eerste niet; zie het bestand log in haar map")
            time.sleep(0.05)
