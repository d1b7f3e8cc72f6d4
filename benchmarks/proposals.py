"""How soon the action centre has its proposal: over HTTP from a running platform, by how much is asked.

    python benchmarks/proposals.py [../shared/data/nederland]

Without a folder on Modelnederland, with one on the real stations. Starts the platform in a temporary folder on an
embedded PostgreSQL: once as just installed (nothing compiled yet) and once as started again. Each time the centre opens
a request as soon as the platform serves; the whole screen counts, from asking to the last byte. After that a tenth of
all units is reported away, and requests of more lines and more formations are each opened a few times.
"""

from __future__ import annotations

import datetime
import http.cookiejar
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from slagkracht.server import cluster, database
from slagkracht.server.demo import PASSWORD
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.national import build_national_plan
from slagkracht.sources.plan_files import write_plan

FORMATIONS = ("basispeloton", "handcrew", "natuurbrandpeloton", "watertransport", "ontsmetting", "technische-redding",
              "schuimblussing", "redvoertuig")  # fmt: skip
SWEEP = ((1, 1), (1, 6), (2, 3), (4, 2), (8, 1), (8, 6), (1, 50))
"""Lines, and how many formations each asks."""

TIMES = 5


class Desk:
    """Someone at a screen, by name of account."""

    def __init__(self, address: str, account: str) -> None:
        self.address, self.cookies = address, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.get("/inloggen")
        self.send(
            "/inloggen", urllib.parse.urlencode({"username": account, "password": PASSWORD}), "x-www-form-urlencoded"
        )

    def get(self, path: str) -> str:
        with self.opener.open(self.address + path, timeout=300) as answer:
            return str(answer.read().decode())

    def send(self, path: str, body: str, kind: str = "json") -> Any:
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        headers = {"Content-Type": f"application/{kind}", "X-CSRFToken": str(token), "Referer": self.address}
        request = urllib.request.Request(self.address + path, body.encode(), headers)
        with self.opener.open(request, timeout=300) as answer:
            return json.load(answer) if kind == "json" else answer.status

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.send(f"/api/v1{path}", json.dumps(body))


def send_away(address: str) -> int:
    """Reports every tenth unit of each region on scene somewhere else; returns how many."""
    away = 0
    for n in range(1, 26):
        desk = Desk(address, f"demo-officier-vr{n:02d}")
        units = json.loads(desk.get(f"/api/v1/eenheden?regio=VR{n:02d}&aantal=1000"))["resultaten"][::10]
        now = datetime.datetime.now(datetime.UTC).isoformat()
        reports = [
            {"id": f"weg-{now}-{unit['id']}", "eenheid": unit["id"], "status": "on_scene", "gebeurd_op": now,
             "x_m": unit["x_m"] + 3_000, "y_m": unit["y_m"]}
            for unit in units
        ]  # fmt: skip
        away += len(desk.post("/meldingen", {"meldingen": reports})["aangenomen"])
    return away


def ask(officer: Desk, lines: int, count: int) -> str:
    """A request of so many lines at the Veluwe, for the centre; returns its id."""
    incident = officer.post("/incidenten", {"wat": "Natuurbrand", "x_m": 178_000.0, "y_m": 478_000.0})["id"]
    needed = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).isoformat()
    wanted = [
        {"formatie": FORMATIONS[n], "inzetmogelijkheid": "basiseenheid", "aantal": count, "x_m": 178_000.0,
         "y_m": 478_000.0, "nodig_op": needed, "uren": 12.0}
        for n in range(lines)
    ]  # fmt: skip
    signed = {"grond": "wvr51_minister", "mandaat": "voorzitter", "ondertekenaar": "Voorzitter VR06"}
    return str(officer.post("/aanvragen", {"incident": incident, **signed, "regels": wanted})["id"])


def look(centre: Desk, request: str) -> float:
    """Seconds until the centre has the whole screen of a request, with its proposal."""
    began = time.perf_counter()
    page = centre.get(f"/actiecentrum/aanvragen/{request}")
    took_s = time.perf_counter() - began
    if "formaties compleet" not in page:
        raise SystemExit("er staat geen voorstel op het scherm")
    return took_s


def serve(folder: Path, plan: Path, compiled: Path) -> tuple[subprocess.Popen[bytes], str, float]:
    """The platform, its address, and how many seconds until it serves."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    paths = {"SLAGKRACHT_DATA": str(folder), "SLAGKRACHT_PLAN": str(plan), "NUMBA_CACHE_DIR": str(compiled)}
    program = [sys.executable, "-c", "from slagkracht.cli import main; main()", "serve", "--poort", str(port)]
    began = time.perf_counter()
    server = subprocess.Popen(program, env={**os.environ, **paths}, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    while True:
        try:
            urllib.request.urlopen(f"{address}/inloggen", timeout=60).close()
            return server, address, time.perf_counter() - began
        except OSError:
            if server.poll() is not None or time.perf_counter() - began > 600:
                raise SystemExit("het platform start niet") from None
            time.sleep(0.05)


def main(source: Path | None) -> None:
    folder = Path(tempfile.mkdtemp(prefix="slagkracht-"))
    plan, compiled = folder / "plan.zip", folder / "gecompileerd"
    write_plan(build_national_plan(source, datetime.date(2026, 7, 1)) if source else build_modelland(), plan)
    try:
        for start in ("just installed", "started again"):
            server, address, served_s = serve(folder, plan, compiled)
            try:
                officer, centre = Desk(address, "demo-officier-vr06"), Desk(address, "demo-actiecentrum")
                request = ask(officer, 1, 6)
                first = [look(centre, request) for _ in range(3)]
                told = ", ".join(f"{seconds:.2f}" for seconds in first)
                print(
                    f"{start}: serves after {served_s:.1f} s; first proposals {told} s; load {os.getloadavg()[0]:.1f}"
                )
                if start == "started again":
                    print(f"{send_away(address):,} units reported away")
                    for lines, count in SWEEP:
                        request = ask(officer, lines, count)
                        took = sorted(look(centre, request) for _ in range(TIMES))
                        print(f"| {lines} | {count} | {statistics.median(took):.2f} | {took[-1]:.2f} |", flush=True)
                    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(timeout=60)
    finally:
        database.stop_embedded(folder)
        cluster.stop_cluster(folder / "postgres")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
