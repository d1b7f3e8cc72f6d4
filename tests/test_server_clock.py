"""The clock: what falls due is done once, whichever server does it, and it goes on when its database comes back."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from slagkracht.server import clock, engine, shortfall
from slagkracht.server.database import Addresses
from slagkracht.sources.modelland import build_modelland
from test_server_interfaces_events import Receiver, note, receiver, subscribed  # noqa: F401  (a fixture)
from test_server_ledger import acting

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Server:
    """A process with a clock of its own; ``said`` what it printed so far, line by line."""

    process: subprocess.Popen[str]
    said: list[str]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def wait_until(self, word: str) -> None:
        wait_for(lambda: word in self.said)


@pytest.fixture
def start(database: Addresses, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on the database of the tests; those that still live at the end are killed."""
    started: list[Server] = []

    def one(*how: str) -> Server:
        command = [sys.executable, str(Path(__file__).with_name("clock_small.py")), str(tmp_path), *how]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        server = Server(process, [])
        threading.Thread(target=listen, args=(server,), daemon=True).start()
        started.append(server)
        return server

    def listen(server: Server) -> None:
        assert server.process.stdout is not None
        for line in server.process.stdout:
            server.said.append(line.strip())

    yield one
    for server in started:
        if server.process.poll() is None:
            server.kill()


def wait_for(holds: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


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
    assert all(set(args) <= {"timestamp", "world", "region", "subscription"} for (args,) in rows), "names of work alone"


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


def test_two_servers_deliver_each_fact_once_and_what_was_noted_while_none_lived(
    start: Callable[..., Server],
    receiver: Receiver,  # noqa: F811
) -> None:
    subscribed(receiver.sink, "VR01")
    told = [note("VR01", f"voor de eerste server, {n}") for n in range(3)]
    servers = [start(), start()]
    wait_for(lambda: len(receiver.events()) == len(told))
    for n in range(20):
        told.append(note("VR01", f"feit {n}"))
        time.sleep(0.1)
    wait_for(lambda: len(receiver.events()) >= len(told))
    time.sleep(2 * clock.DUE_S)
    assert [event["id"] for event in receiver.events()] == told, "each once, in order"
    assert all(server.process.poll() is None for server in servers)


def test_what_a_server_was_killed_over_is_delivered_by_the_next(
    start: Callable[..., Server],
    receiver: Receiver,  # noqa: F811
) -> None:
    subscribed(receiver.sink, "VR02")
    told = [note("VR02", f"feit {n}") for n in range(3)]
    receiver.held.clear()
    first = start()
    wait_until(receiver.asked)
    first.kill()
    told.append(note("VR02", "na de val"))
    receiver.held.set()
    start()
    wait_for(lambda: [event["id"] for event in receiver.events()][-1:] == told[-1:])
    got = [event["id"] for event in receiver.events()]
    assert sorted(set(got)) == sorted(told), "nothing is lost"
    assert got[-3:] == told[1:]
    assert set(got[:-3]) == {told[0]}, "only what was under way is sent again, with the same id"


def test_the_gap_is_computed_by_one_of_two_servers_and_by_another_when_that_is_killed_over_it(
    start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortfall, "YEARS", 500)
    loaded = engine.load(build_modelland(areas=600, nodes=30_000))
    try:
        with acting("VR06") as own:
            assert shortfall.ask_shortfall(own, loaded) is None
        stuck = start("hold")
        stuck.wait_until("rekent")
        others = [start(), start()]
        for other in others:
            other.wait_until("loopt")
        assert shortfall.is_awaited(loaded), "the one that computes keeps it"
        stuck.kill()
        wait_for(lambda: not shortfall.is_awaited(loaded))
        time.sleep(2 * clock.DUE_S)
        assert sum(server.said.count("rekent") for server in others) == 1
        with acting("VR07", "oefening") as own:
            found = shortfall.ask_shortfall(own, loaded)
        assert found is not None
        assert found["jaren"] == 500
    finally:
        engine.unload()
