"""The clock: what falls due is done once, whichever server does it, and it goes on when its database comes back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from slagkracht.server import clock
from slagkracht.server.database import Addresses

PATIENCE_S = 60.0


def wait_until(done: threading.Event) -> None:
    assert done.wait(PATIENCE_S)


def test_every_moment_is_looked_at_once_also_by_two_servers_and_after_a_break(
    database: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.lay_queue(database)  # that is laid already stays as it is
    seen: Counter[int] = Counter()
    signed, enough = threading.Event(), threading.Event()

    def look() -> list[str]:
        seen[round(time.time())] += 1
        if len(seen) >= 4:
            enough.set()
        return []

    monkeypatch.setattr(clock, "LOOK", "* * * * * */1")
    monkeypatch.setattr(clock, "SIGN", "* * * * * */1")
    monkeypatch.setattr(clock, "tick", look)
    monkeypatch.setattr(clock.checkpoints, "sign_and_exchange", lambda keys: signed.set())
    clocks = [clock.start_clock(tmp_path) for _ in range(2)]
    try:
        wait_until(enough)
        wait_until(signed)
        with psycopg.connect(database.owner, autocommit=True) as owner:
            done = owner.execute(
                "select count(*), count(distinct defer_timestamp) from werk.procrastinate_periodic_defers "
                "where task_name = 'termijnen'"
            ).fetchone()
            ended = owner.execute(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                "where usename = 'slagkracht_app' and query like '%procrastinate%'"
            ).fetchone()
        assert done is not None
        assert done[0] == done[1]
        assert ended is not None
        assert ended[0] > 0
        enough.clear()
        seen.clear()
        wait_until(enough)
    finally:
        for each in clocks:
            each.end()
    assert not any(each.thread.is_alive() for each in clocks)


def test_the_application_finds_nothing_of_a_region_in_the_queue(database: Addresses) -> None:
    with psycopg.connect(database.application) as application:
        rows = application.execute("select args from werk.procrastinate_jobs").fetchall()
    assert all(set(args) <= {"timestamp"} for (args,) in rows)


def test_trouble_in_the_work_is_said_and_the_clock_goes_on(
    database: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    went_on = threading.Event()
    calls: list[int] = []

    def look() -> list[str]:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("geen licht")
        went_on.set()
        return []

    monkeypatch.setattr(clock, "LOOK", "* * * * * */1")
    monkeypatch.setattr(clock, "tick", look)
    monkeypatch.setattr(clock.checkpoints, "sign_and_exchange", lambda keys: None)
    running = clock.start_clock(tmp_path)
    try:
        wait_until(went_on)
    finally:
        running.end()
    assert "de klok sloeg over: geen licht" in caplog.text
