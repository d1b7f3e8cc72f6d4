"""kill -9 under load: what was acknowledged is there, once, and how soon it serves again.

python benchmarks/reliability_kill.py [kills] [clients]

Starts the platform as ``slagkracht serve --bewaakt`` does, on an embedded PostgreSQL in a temporary folder (fsync and
data checksums on). Clients write over HTTP, fight over the same units, and try again with the same Idempotency-Key when
they got no answer. Meanwhile server or database is killed with SIGKILL, at a random moment, again and again. Traffic
goes to 127.0.0.1 only.
"""

from __future__ import annotations

import datetime
import http.client
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg

from slagkracht.server import backup, cluster, database, demo, serve

REGIONS = ("VR01", "VR02", "VR03", "VR04", "VR05", "VR06")
UNITS_EACH = 2
STEPS = ("unit_en_route", "unit_arrived", "unit_deployed", "unit_released", "unit_home")


class Client(threading.Thread):
    """Someone of a region who notes, offers, accepts and moves units, and remembers what was acknowledged."""

    def __init__(self, port: int, sessions: dict[str, str], units: dict[str, list[str]], seed: int) -> None:
        super().__init__(daemon=True)
        self.port, self.sessions, self.units = port, sessions, units
        self.rng = random.Random(seed)
        self.acknowledged: list[tuple[str, str]] = []
        self.answers: Counter[int] = Counter()
        self.last_at = 0.0
        self.stopping = False

    def post(self, region: str, path: str, given: object) -> tuple[int, dict[str, str]]:
        """Posts until there is an answer; the same key every time, as a careful client does."""
        key, csrf = secrets.token_hex(8), "a" * 32
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"sessionid={self.sessions[region]}; csrftoken={csrf}",
            "X-CSRFToken": csrf,
            "Idempotency-Key": key,
        }
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                connection.request("POST", f"/api/v1{path}", json.dumps(given), headers)
                answer = connection.getresponse()
                body = answer.read()
                connection.close()
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            self.answers[answer.status] += 1
            if answer.status < 500:
                self.last_at = time.monotonic()
                return answer.status, json.loads(body)
            time.sleep(0.02)

    def run(self) -> None:
        while not self.stopping:
            lender, asker = self.rng.sample(REGIONS, 2)
            if self.rng.random() < 0.4:
                text = secrets.token_hex(8)
                if self.post(lender, "/gebeurtenissen", {"soort": "note", "inhoud": {"text": text}})[0] == 201:
                    self.acknowledged.append(("note", text))
                continue
            self.assist(lender, asker)

    def assist(self, lender: str, asker: str) -> None:
        """One unit from request to home, over a unit that others want too."""
        _, incident = self.post(asker, "/incidenten", {"wat": "brand", "x_m": 1.0, "y_m": 2.0})
        line = {"formatie": "peloton", "inzetmogelijkheid": "basiseenheid", "aantal": 1, "x_m": 1.0, "y_m": 2.0}
        line |= {"nodig_op": "2030-07-01T12:00:00+02:00", "uren": 8}
        given = {"incident": incident["id"], "grond": "wvr51_5_buurregio", "mandaat": "v", "ondertekenaar": "v"}
        status, request = self.post(asker, "/aanvragen", {**given, "buurregio": lender, "regels": [line]})
        assert status == 201, request
        self.acknowledged.append(("request", request["id"]))
        unit = self.rng.choice(self.units[lender])
        offered = {"regel": request["id"] + "-1", "eenheden": [unit], "aantal": 1}
        status, offer = self.post(lender, "/aanboden", offered)
        assert status == 201, offer
        self.acknowledged.append(("offer", offer["id"]))
        status, committed = self.post(asker, f"/aanboden/{offer['id']}/aanvaarden", None)
        if status != 201:
            return
        commitment = committed["ids"][0]
        self.acknowledged.append(("unit_committed", commitment))
        for step in STEPS:
            owner = lender if step in ("unit_en_route", "unit_arrived", "unit_home") else asker
            status, answer = self.post(owner, f"/toezeggingen/{commitment}/stappen", {"stap": step})
            assert status == 201, answer
            self.acknowledged.append((step, commitment))


def find_lost(owner: psycopg.Connection, acknowledged: list[tuple[str, str]]) -> list[str]:
    """What was acknowledged and is not there exactly once."""
    told = Counter(
        (str(kind), str(key))
        for kind, key in owner.execute(
            "select kind, coalesce(body->>'commitment', body->>'text') from slagkracht.event"
        ).fetchall()
    )
    rows = {("request", str(row[0])) for row in owner.execute("select request_id from slagkracht.request").fetchall()}
    rows |= {("offer", str(row[0])) for row in owner.execute("select offer_id from slagkracht.offer").fetchall()}
    return [
        f"{kind} {key}: {1 if (kind, key) in rows else told[kind, key]} keer"
        for kind, key in acknowledged
        if (kind, key) not in rows and told[kind, key] != 1
    ]


def log_in(addresses: database.Addresses) -> dict[str, str]:
    """A session of the officer of every region."""
    from django.contrib.auth.models import User
    from django.test import Client as Browser

    sessions = {}
    for region in REGIONS:
        browser = Browser(SERVER_NAME="localhost")
        user = User.objects.get(username=f"demo-officier-{region.lower()}")
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        sessions[region] = browser.cookies["sessionid"].value
    return sessions


def find_server(watcher: int) -> int | None:
    """The server that serves: the oldest of those that the watcher started; the other stands ready."""
    import psutil

    try:
        loaders = [p for p in psutil.Process(watcher).children() if any("forkserver" in word for word in p.cmdline())]
        found = [server for loader in loaders for server in loader.children()]
        return min(found, key=lambda p: p.create_time()).pid if found else None
    except psutil.Error:
        return None


def main(kills: int, clients: int) -> int:
    folder = Path(tempfile.mkdtemp(prefix="slagkracht-"))
    os.environ["SLAGKRACHT_DATA"] = str(folder)
    addresses = database.start_embedded(folder)
    serve.set_up(addresses, serve.read_secret(folder))
    demo.lay_regions(addresses)
    demo.lay_accounts(addresses, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    units = {region: [f"{region[2:]}-{n:04d}" for n in range(UNITS_EACH)] for region in REGIONS}
    for region in REGIONS:
        with database.scope(region, "echt", "meting") as own:
            for unit in units[region]:
                row = {"unit_id": unit, "region": region, "type_code": "TS6", "capabilities": [], "crew": 6}
                own.insert("unit", **row, station="")
    sessions = log_in(addresses)
    database.close_pool()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    program = [
        sys.executable,
        "-c",
        "from slagkracht.cli import main; main()",
        "serve",
        "--leeg",
        "--bewaakt",
        "--poort",
        str(port),
    ]
    watcher = subprocess.Popen(program, env={k: v for k, v in os.environ.items() if not k.endswith("DSN")})
    crowd = [Client(port, sessions, units, seed) for seed in range(clients)]
    for one in crowd:
        one.start()
    rng, away_s = random.Random(1), {"server": list[float](), "database": list[float]()}
    while not all(one.last_at for one in crowd):
        time.sleep(0.05)
    for number in range(kills):
        time.sleep(rng.uniform(0.2, 1.2))
        what = "server" if number % 2 else "database"
        pid = find_server(watcher.pid) if what == "server" else cluster.find_postmaster(folder / "postgres")
        if pid is None:
            watcher.terminate()
            raise SystemExit(f"no {what} to kill")
        os.kill(pid, signal.SIGKILL)
        killed_at = time.monotonic()
        time.sleep(0.05)  # answers that were on their way do not count as serving again
        while not any(one.last_at > killed_at + 0.05 for one in crowd):
            time.sleep(0.005)
            if time.monotonic() - killed_at > 30:
                print("does not come back", file=sys.stderr)
                break
        away_s[what].append(time.monotonic() - killed_at)
    for one in crowd:
        one.stopping = True
    for one in crowd:
        one.join(timeout=60)
    acknowledged = [done for one in crowd for done in one.acknowledged]
    answers = sum((one.answers for one in crowd), Counter[int]())
    with psycopg.connect(cluster.address_of(folder / "postgres")) as owner:
        faults = find_lost(owner, acknowledged)
        twice = owner.execute(
            "select unit_id from slagkracht.commitment where step <> 'unit_home' group by 1 having count(*) > 1"
        ).fetchall()
        faults += [f"twice committed: {unit}" for (unit,) in twice]
        faults += backup.verify_world(owner, "echt", folder)
    watcher.terminate()
    watcher.wait(timeout=60)
    database.stop_embedded(folder)
    cluster.stop_cluster(folder / "postgres")
    shutil.rmtree(folder)
    print(f"{kills} kills, {len(acknowledged):,} acknowledged actions, answers {dict(answers)}")
    for what, times in away_s.items():
        if times:
            median_s = sorted(times)[len(times) // 2]
            print(f"{what}: serving again after {median_s:.2f} s (median), {max(times):.2f} s (worst)")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("\n".join(faults[:20]) or "nothing acknowledged was lost or done twice; every log verified by verify_log.py")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, int(sys.argv[2]) if len(sys.argv) > 2 else 8))
