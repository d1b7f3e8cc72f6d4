"""A thousand live screens: how long from a position sent in to every screen that may see it, and none missed.

python benchmarks/live_clients.py [seconds] [screens per region] [units per region]

Starts the platform on an embedded PostgreSQL in a temporary folder (fsync and data checksums on) with 200 open lines.
Every region has its screens (40, each a session of its own) and its control room, which sends the places of its units
(80) spread over five seconds, over HTTP. The screens are bare streams: what they cost is told apart, for on one machine
they take it from the platform. Traffic goes to 127.0.0.1 only, and all of it stops by itself.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from slagkracht.server import cluster, database, demo, ledger, serve

REGIONS = [f"VR{n:02d}" for n in range(1, 26)]
EVERY_S = 5.0
"""Each unit says where it is once in so many seconds."""

WARM_UP_S = 15.0
FACT = re.compile(rb"id: \d+\.(VR\d\d|LAC)\.(\d+)\nevent: (\w+)\ndata: (\{.*\})\n\n")


class Screen:
    """One screen: what it got of its own region's chain, and how late each batch came, in seconds."""

    def __init__(self, region: str, session: str) -> None:
        self.region, self.session = region, session
        self.numbers: list[int] = []
        self.late_s: list[tuple[float, float, int]] = []
        self.begun = asyncio.Event()
        self.foreign = 0

    async def watch(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        try:
            writer.write(
                b"GET /api/v1/gebeurtenissen/stroom HTTP/1.0\r\nHost: localhost\r\nCookie: sessionid="
                + self.session.encode()
                + b"\r\n\r\n"
            )
            held = b""
            while data := await reader.read(2**18):
                now = time.time()
                held += data
                whole, cut, rest = held.rpartition(b"\n\n")
                if not cut:
                    continue
                held = rest
                if not self.begun.is_set() and b"event: begin" in whole:
                    self.begun.set()
                self._take(FACT.findall(whole + cut), now)
        finally:
            writer.close()

    def _take(self, facts: list[tuple[bytes, bytes, bytes, bytes]], now: float) -> None:
        own = self.region.encode()
        self.foreign += sum(chain != own for chain, *_ in facts)
        self.numbers += [int(number) for chain, number, *_ in facts if chain == own]
        places = [line for _, _, kind, line in facts if kind == b"unit_position"]
        if places:
            fact = json.loads(places[0])
            sent, recorded = (
                datetime.datetime.fromisoformat(fact[k]).timestamp() for k in ("happened_at", "recorded_at")
            )
            self.late_s.append((now - sent, now - recorded, len(places)))


async def send(port: int, session: str, units: list[str], until: float, told: list[int]) -> None:
    """A control room: every second the units whose turn it is, in one batch."""
    csrf, turn = "a" * 32, 0
    share = max(1, round(len(units) / EVERY_S))
    await asyncio.sleep(secrets.randbelow(1000) / 1000)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    at = time.monotonic()
    while at < until:
        mine = [units[(turn + n) % len(units)] for n in range(share)]
        turn += share
        now = datetime.datetime.now(datetime.UTC).isoformat()
        reports = [
            {
                "id": secrets.token_hex(8),
                "eenheid": unit,
                "gebeurd_op": now,
                "x_m": 150_000.0 + turn % 997,
                "y_m": 450_000.0,
            }
            for unit in mine
        ]
        body = json.dumps({"meldingen": reports}).encode()
        head = "POST /api/v1/meldingen HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += f"X-CSRFToken: {csrf}\r\n"
        head += f"Cookie: sessionid={session}; csrftoken={csrf}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", answer)[1])  # type: ignore[index]
        content = await reader.readexactly(length)
        assert answer.startswith(b"HTTP/1.1 200"), (answer, content)
        told.append(len(json.loads(content)["aangenomen"]))
        at += 1.0
        await asyncio.sleep(max(0.0, at - time.monotonic()))
    writer.close()


def lay(addresses: database.Addresses, screens: int, units: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Units, 200 open lines and sessions; returns sessions and units per region."""
    from django.contrib.auth.models import User
    from django.test import Client

    demo.lay_regions(addresses)
    demo.lay_accounts(addresses, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    sessions: dict[str, list[str]] = {}
    fleet: dict[str, list[str]] = {}
    for region in REGIONS:
        fleet[region] = [f"{region[2:]}-{n:04d}" for n in range(units)]
        with database.scope(region, "echt", "meting") as own:
            for unit in fleet[region]:
                row = {"unit_id": unit, "region": region, "type_code": "TS6", "capabilities": [], "crew": 6}
                own.insert("unit", **row, station="")
            incident = ledger.open_incident(own, "natuurbrand", 1.0, 2.0)
            for _ in range(4):
                wanted = [ledger.Wanted("peloton", "", 2, 1.0, 2.0, own.at, 8) for _ in range(2)]
                ledger.make_request(own, incident, ledger.BY_MINISTER, "m", "s", wanted)
        user = User.objects.get(username=f"demo-officier-{region.lower()}")
        sessions[region] = []
        for _ in range(screens + 1):
            browser = Client(SERVER_NAME="localhost")
            browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            sessions[region].append(browser.cookies["sessionid"].value)
    return sessions, fleet


async def run(port: int, sessions: dict[str, list[str]], fleet: dict[str, list[str]], seconds: float) -> list[Screen]:
    crowd = [Screen(region, session) for region in REGIONS for session in sessions[region][1:]]
    watching = []
    for first in range(0, len(crowd), 50):
        watching += [asyncio.create_task(one.watch(port)) for one in crowd[first : first + 50]]
        await asyncio.gather(*(asyncio.wait_for(one.begun.wait(), 60) for one in crowd[first : first + 50]))
    print(f"{len(crowd):,} screens watch", flush=True)
    told: list[int] = []
    for last in (WARM_UP_S, seconds):
        told.clear()
        for one in crowd:
            one.late_s.clear()
        began = time.monotonic()
        await asyncio.gather(*(send(port, sessions[r][0], fleet[r], began + last, told) for r in REGIONS))
        await asyncio.sleep(2.0)
    print(f"{sum(told):,} positions in {seconds:.0f} s: {sum(told) / seconds:,.0f} a second")
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return crowd


async def come_back(port: int, sessions: dict[str, list[str]]) -> None:
    """All screens at one moment, as after the contact of the whole country was lost: until each watches again."""
    crowd = [Screen(region, session) for region in REGIONS for session in sessions[region][1:]]
    began = time.monotonic()
    watching = [asyncio.create_task(one.watch(port)) for one in crowd]
    await asyncio.wait_for(asyncio.gather(*(one.begun.wait() for one in crowd)), 120)
    print(f"{len(crowd):,} screens that come back at once all watch after {time.monotonic() - began:.1f} s")
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)


def cpu_s(pids: list[int]) -> float:
    """What these processes have used of the cores so far."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids if psutil.pid_exists(pid))


def find_faults(crowd: list[Screen], addresses: database.Addresses) -> list[str]:
    """Screens that missed a fact, got one twice or out of order, or saw what is another region's."""
    import psycopg

    with psycopg.connect(addresses.owner) as owner:
        ends = dict(owner.execute("select chain, max(number) from slagkracht.event group by chain").fetchall())
    faults = []
    for n, one in enumerate(crowd):
        wanted = list(range(min(one.numbers, default=0), ends[one.region] + 1))
        if sorted(one.numbers) != wanted:
            gone = sorted(set(wanted) - set(one.numbers))
            faults.append(f"screen {n} of {one.region}: {len(one.numbers)} of {len(wanted)} facts; lacks {gone[:5]}")
        if one.foreign:
            faults.append(f"screen {n} of {one.region}: {one.foreign} facts of others")
    return faults


def main(seconds: float, screens: int, units: int) -> int:
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    folder = Path(tempfile.mkdtemp(prefix="slagkracht-"))
    os.environ["SLAGKRACHT_DATA"] = str(folder)
    addresses = database.start_embedded(folder)
    serve.set_up(addresses, serve.read_secret(folder))
    sessions, fleet = lay(addresses, screens, units)
    database.close_pool()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    program = [sys.executable, "-c", "from slagkracht.cli import main; main()", "serve", "--leeg", "--poort", str(port)]
    server = subprocess.Popen(program, env={k: v for k, v in os.environ.items() if not k.endswith("DSN")})
    faults = ["did not run"]
    try:
        for _ in range(1200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        postmaster = cluster.find_postmaster(folder / "postgres")
        assert postmaster is not None
        before, began = cpu_s([server.pid]), time.monotonic()
        mine = time.process_time()
        crowd = asyncio.run(asyncio.wait_for(run(port, sessions, fleet, seconds), 300 + 3 * seconds))
        took_s = time.monotonic() - began
        backends = [child.pid for child in psutil.Process(postmaster).children()]
        used = {"platform": cpu_s([server.pid]) - before, "database (living connections)": cpu_s(backends)}
        used["screens and control rooms"] = time.process_time() - mine
        late = np.array([row for one in crowd for row in one.late_s])
        times = np.repeat(late[:, :2], late[:, 2].astype(int), axis=0) * 1e3
        print(f"{len(times):,} facts on a screen, of {len(crowd):,} screens")
        for place, what in enumerate(("sent by the control room", "recorded")):
            p50, p99 = np.percentile(times[:, place], [50, 99])
            print(f"from {what} to screen: {p50:.0f} ms median, {p99:.0f} ms p99, {times[:, place].max():.0f} ms worst")
        print(", ".join(f"{who} {seconds_used / took_s:.0%} of a core" for who, seconds_used in used.items()))
        asyncio.run(come_back(port, sessions))
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        faults = find_faults(crowd, addresses)
        print("\n".join(faults[:10]) or "nothing lost, nothing twice, nothing of another region")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
        database.stop_embedded(folder)
        cluster.stop_cluster(folder / "postgres")
        shutil.rmtree(folder)
    return bool(faults)


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    seconds, screens, units = [*given, *(30.0, 40, 80)[len(given) :]]
    sys.exit(main(seconds, int(screens), int(units)))
