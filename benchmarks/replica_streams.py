"""The primary database is lost while screens watch: a replica takes over, and every screen gets each fact once.

python benchmarks/replica_streams.py [screens] [seconds before and after]

Starts the platform on an embedded PostgreSQL with a streaming replica that has every acknowledged action on disk. A
region writes notes for another without pause; the primary is killed with SIGKILL, the replica promoted. Traffic goes to
127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
from psycopg_pool import PoolTimeout

from slagkracht.server import cluster, database, demo, replica, serve
from slagkracht.server.journal import record

FACT = re.compile(rb"id: (\S+)\nevent: note\ndata: .*?\"number\":(\d+)[,}].*\n\n")
WATCHES = "VR02"


class Writer(threading.Thread):
    """A region that writes notes for another, and remembers which were acknowledged."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[int] = []
        self.stopping = False

    def run(self) -> None:
        while not self.stopping:
            try:
                with database.scope("VR01", "echt", "meting") as own:
                    number = record(own, "note", {"text": "meting"}, [WATCHES]).number
                self.acknowledged.append(number)
            except (psycopg.Error, PoolTimeout):
                pass  # not acknowledged: it may be there or not
            time.sleep(0.02)


class Screen:
    """One screen that comes back by itself after a break, after the last fact that it has."""

    def __init__(self, session: str) -> None:
        self.session, self.place = session, ""
        self.numbers: list[int] = []
        self.breaks = 0

    async def watch(self, port: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                await self._listen(port)
            self.breaks += bool(self.numbers)
            await asyncio.sleep(0.2)

    async def _listen(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            lines = [
                "GET /api/v1/gebeurtenissen/stroom HTTP/1.0",
                "Host: localhost",
                f"Cookie: sessionid={self.session}",
            ]
            lines += [f"Last-Event-ID: {self.place}"] if self.place else []
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            held = b""
            while data := await reader.read(2**16):
                whole, cut, held = (held + data).rpartition(b"\n\n")
                for place, number in FACT.findall(whole + cut):
                    self.place = place.decode()
                    self.numbers.append(int(number))
        finally:
            writer.close()


def log_in(count: int) -> list[str]:
    """Sessions of the officer of the region that watches."""
    from django.contrib.auth.models import User
    from django.test import Client

    user = User.objects.get(username=f"demo-officier-{WATCHES.lower()}")
    sessions = []
    for _ in range(count):
        browser = Client(SERVER_NAME="localhost")
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        sessions.append(browser.cookies["sessionid"].value)
    return sessions


async def run(port: int, sessions: list[str], seconds: float, first: Path, second: Path) -> tuple[list[Screen], Writer]:
    crowd = [Screen(session) for session in sessions]
    watching = [asyncio.create_task(one.watch(port)) for one in crowd]
    writer = Writer()
    writer.start()
    while not all(one.numbers for one in crowd):
        await asyncio.sleep(0.05)
    await asyncio.sleep(seconds)
    postmaster = cluster.find_postmaster(first / "postgres")
    assert postmaster is not None
    os.kill(postmaster, signal.SIGKILL)
    killed_at, had = time.monotonic(), [len(one.numbers) for one in crowd]
    await asyncio.sleep(0.3)  # what was on its way to a screen has arrived
    had = [len(one.numbers) for one in crowd]
    took_s = await asyncio.to_thread(replica.promote, second)
    while not all(len(one.numbers) > before for one, before in zip(crowd, had)) and time.monotonic() - killed_at < 60:
        await asyncio.sleep(0.01)
    print(
        f"promoted in {took_s:.2f} s; every screen gets new facts {time.monotonic() - killed_at:.2f} s after the kill"
    )
    await asyncio.sleep(seconds)
    writer.stopping = True
    await asyncio.to_thread(writer.join, 30)
    await asyncio.sleep(3.0)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return crowd, writer


def main(screens: int, seconds: float) -> int:
    first, second = (Path(tempfile.mkdtemp(prefix="slagkracht-")) for _ in range(2))
    addresses = database.start_embedded(first)
    os.environ["SLAGKRACHT_DATA"] = str(first)
    serve.set_up(addresses, serve.read_secret(first))
    demo.lay_regions(addresses)
    demo.lay_accounts(addresses, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    sessions = log_in(screens)
    joined = replica.join_addresses(addresses, replica.start_replica(addresses, second))
    database.open_pool(joined, most=4)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    names = {"SLAGKRACHT_DSN": joined.application, "SLAGKRACHT_OWNER_DSN": joined.owner}
    program = [sys.executable, "-c", "from slagkracht.cli import main; main()", "serve", "--leeg", "--poort", str(port)]
    server = subprocess.Popen(program, env={**os.environ, **names})
    faults = ["did not run"]
    try:
        crowd, writer = asyncio.run(asyncio.wait_for(run(port, sessions, seconds, first, second), 200))
        with psycopg.connect(cluster.address_of(second / "postgres")) as owner:
            sql = "select number from slagkracht.event where kind = 'note' and chain = 'VR01' order by number"
            there = [row[0] for row in owner.execute(sql).fetchall()]
        faults = [f"acknowledged and gone: {number}" for number in sorted(set(writer.acknowledged) - set(there))]
        for n, one in enumerate(crowd):
            if one.numbers != there[there.index(one.numbers[0]) :]:
                faults.append(f"screen {n}: {len(one.numbers)} facts, not each once and in order")
        print(
            f"{len(writer.acknowledged):,} notes acknowledged, {screens} screens, {sum(s.breaks for s in crowd)} breaks"
        )
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print("\n".join(faults[:10]) or "nothing acknowledged was lost; no screen missed a fact or got one twice")
    finally:
        server.terminate()
        server.wait(timeout=30)
        database.close_pool()
        database.stop_embedded(first)
        for folder in (first, second):
            cluster.stop_cluster(folder / "postgres")
            shutil.rmtree(folder)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, float(sys.argv[2]) if len(sys.argv) > 2 else 5.0))
