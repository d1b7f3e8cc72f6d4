"""Connections are borrowed by one region after another: none finds on it what the one before was told."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from slagkracht.server.database import Addresses, close_pool, open_pool, scope

TOLD = ("region", "world", "account", "class", "key_hash")


@pytest.fixture
def one_connection(database: Addresses) -> Iterator[None]:
    """All borrow the same connection, so that what stays behind on it would be found."""
    open_pool(database, most=1)
    yield
    open_pool(database, most=40)


def borrow(region: str, account: int = 0) -> tuple[int, list[str]]:
    """Which connection ``region`` gets, and the regions of the units that it sees on it."""
    with scope(region, "echt", "proef", account=account) as own:
        row = own.row("select pg_backend_pid() as pid")
        assert row is not None
        return row["pid"], [r["region"] for r in own.rows("select distinct region from slagkracht.unit")]


def what_is_told() -> list[str]:
    """What the connection of the pool still holds before anyone has said who asks."""
    from slagkracht.server import database

    assert database._pool is not None
    with database._pool.connection() as connection:
        row: Any = connection.execute(
            "select "
            + ", ".join(f"coalesce(current_setting('slagkracht.{name}', true), '') as {name}" for name in TOLD)
        ).fetchone()
    return list(row.values())


@pytest.fixture(scope="module")
def units(database: Addresses) -> None:
    with psycopg.connect(database.owner) as owner:
        for region in ("VR06", "VR07", "VR08"):
            owner.execute(
                "insert into slagkracht.unit (world, unit_id, region, type_code, capabilities, crew, station) "
                "values ('echt', %s, %s, 'TS6', '{}', 6, '')",
                (f"{region}-leen", region),
            )


@pytest.mark.usefixtures("units", "one_connection")
def test_the_next_borrower_sees_nothing_of_the_one_before() -> None:
    first, seen = borrow("VR06")
    assert seen == ["VR06"]
    assert what_is_told() == [""] * len(TOLD)
    assert borrow("VR07") == (first, ["VR07"])
    assert borrow("") == (first, []), "the same connection, and who is nobody sees nothing"


@pytest.mark.usefixtures("one_connection")
def test_between_moments_lie_hours_whatever_clock_the_database_keeps() -> None:
    with scope("VR06", "echt", "test") as own:
        row = own.row("select '2027-03-28T00:30Z'::timestamptz as before, '2027-03-28T01:30Z'::timestamptz as after")
    assert row is not None
    assert row["after"] - row["before"] == datetime.timedelta(hours=1), (
        "the Dutch clock went from half past one to four"
    )


@pytest.mark.usefixtures("units", "one_connection")
@pytest.mark.parametrize("trouble", ["select 1 / 0", "select slagkracht.no_such_thing()", ""])
def test_nothing_stays_behind_when_it_goes_wrong(trouble: str) -> None:
    with pytest.raises((psycopg.Error, KeyError)), scope("VR06", "echt", "proef", account=1) as own:  # noqa: PT012
        own.run("select set_config('slagkracht.class', 'Geheim', true)")
        if trouble:
            own.run(trouble)
        raise KeyError
    assert what_is_told() == [""] * len(TOLD)
    assert borrow("VR08")[1] == ["VR08"]


@pytest.mark.usefixtures("units")
def test_many_at_once_on_few_connections_each_see_their_own(database: Addresses) -> None:
    open_pool(database, most=3)
    turns = random.Random(7).choices(["VR06", "VR07", "VR08", ""], k=600)
    with ThreadPoolExecutor(12) as threads:
        seen = list(threads.map(lambda region: borrow(region)[1], turns))
    open_pool(database, most=40)
    assert seen == [[region] if region else [] for region in turns]


def test_sessions_and_accounts_are_read_where_no_region_is_ever_told(database: Addresses) -> None:
    """Django borrows from a pool of its own: connections of its pool and of ours are never the same."""
    from django.db import connections

    def look(_: int) -> tuple[int, str]:
        with connections["default"].cursor() as cursor:
            cursor.execute("select pg_backend_pid(), coalesce(current_setting('slagkracht.region', true), '')")
            found: tuple[int, str] = cursor.fetchone()
        connections.close_all()
        return found

    with ThreadPoolExecutor(6) as threads:
        theirs = list(threads.map(look, range(60)))
        ours = {pid for pid, _ in threads.map(borrow, ["VR06"] * 60)}
    assert {region for _, region in theirs} == {""}
    assert {pid for pid, _ in theirs}.isdisjoint(ours)
    connections.close_all()
    pool = connections["default"].pool
    assert pool.get_stats()["pool_available"] == pool.get_stats()["pool_size"] < 60, (
        "each came back, and was lent again"
    )


def test_who_asks_must_have_a_pool(database: Addresses) -> None:
    close_pool()
    with pytest.raises(RuntimeError, match="niet geopend"):
        borrow("VR06")
    open_pool(database, most=40)
