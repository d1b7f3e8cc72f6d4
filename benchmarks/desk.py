"""The planner's desk: a station is dragged, and coverage and strength answer for the whole plan.

python benchmarks/desk.py [folder with the real lists]

Per size one station after another is put some hundreds of metres further, as the screen sends it while the hand moves:
from the request to the whole answer with every area judged and the first and fourth platoon before and after, through
session, mandate and refusals, in one process. Drawing in the browser comes on top.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from slagkracht.plan import Plan
from slagkracht.server import database, demo, engine, serve
from slagkracht.sources.geometry import RD, WGS84, transform
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.national import build_national_plan

SIZES = (1_000, 4_000, 16_000, 64_000)
MOVES, WARM = 25, 2
NORM, WINDOW = "bvr-3.2.1", "dag"


def drag(browser: Any, plan: Plan) -> tuple[list[float], list[float]]:
    """Milliseconds by the clock and of the processor, per moved station; the first few, that compile, are left out."""
    stations, rng = plan.stations, np.random.default_rng(1)
    clock_ms, processor_ms = [], []
    for station in rng.permutation(len(stations))[: MOVES + WARM].tolist():
        x_m, y_m = stations.x_m[station] + rng.normal(0, 400), stations.y_m[station] + rng.normal(0, 400)
        lon, lat = (float(each[0]) for each in transform(np.array([x_m]), np.array([y_m]), RD, WGS84))
        moved = {"soort": "verplaats", "kazerne": str(stations.station_id[station]), "lon": lon, "lat": lat}
        asked = json.dumps({"norm": NORM, "venster": WINDOW, "wijzigingen": [moved]})
        began, worked = time.perf_counter(), time.process_time()
        answer = browser.post("/plantafel/bereken", asked, content_type="application/json")
        told = json.loads(answer.content)
        clock_ms.append((time.perf_counter() - began) * 1e3)
        processor_ms.append((time.process_time() - worked) * 1e3)
        assert answer.status_code == 200, told
        assert told["aantal"] == 1
        assert any(place["kazerne"] for place in told["sterkte"]), "strength is told where the station now stands"
    return clock_ms[WARM:], processor_ms[WARM:]


def main(real: Path | None) -> None:
    folder = Path(tempfile.mkdtemp(prefix="slagkracht-"))
    addresses = database.start_embedded(folder)
    serve.set_up(addresses, "only to measure: " + "x" * 50)
    demo.lay_regions(addresses)
    demo.lay_accounts(addresses, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client(SERVER_NAME="localhost")
    browser.force_login(
        User.objects.get(username="demo-beleid-vr06"), backend="django.contrib.auth.backends.ModelBackend"
    )
    plans = [(f"Modelnederland {areas:,}", lambda areas=areas: build_modelland(areas)) for areas in SIZES]
    if real is not None:
        plans.append(("real lists", lambda: build_national_plan(real, datetime.date(2026, 7, 1))))
    print("| plan | stations | areas | median | 90 % | worst | processor, median | load |")
    print("|---|---|---|---|---|---|---|---|")
    for name, build in plans:
        plan = engine.load(build()).plan
        clock_ms, processor_ms = drag(browser, plan)
        figures = (np.median(clock_ms), np.percentile(clock_ms, 90), max(clock_ms), np.median(processor_ms))
        told = " | ".join(f"{ms:,.0f} ms" for ms in figures)
        print(
            f"| {name} | {len(plan.stations):,} | {len(plan.areas):,} | {told} | {os.getloadavg()[0]:.1f} |", flush=True
        )
    database.close_pool()
    database.stop_embedded(folder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
