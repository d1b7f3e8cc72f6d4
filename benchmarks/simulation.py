"""Simulated years per second: the kernel beside the same model written in SimPy, in one run, over growing countries.

python benchmarks/simulation.py              the sweep, SimPy on part of a year, both giving the same sendings
python benchmarks/simulation.py ensemble N   N national years: cost per year and per worker
"""

from __future__ import annotations

import datetime
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from simulation_in_simpy import Year
from slagkracht.plan import compute_plan_travel
from slagkracht.simulation import Setup, compute_setup, draw_incidents, seed_key, simulate_year, simulate_years
from slagkracht.sources.incident_files import read_scenario, read_week_windows
from slagkracht.sources.modelland import build_modelland

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
SIZES = ((500, 120, 0.12), (1_000, 300, 0.3), (2_000, 600, 0.6), (4_000, 1_000, 1.0))
"""Areas, stations, and the share of the national number of incidents."""
PEER_INCIDENTS = 6_000


def prepare(areas: int, stations: int, share: float, move_up: str = "dekking", hours: int = 8_760) -> Setup:
    plan = build_modelland(areas, stations=stations)
    scenario = read_scenario(plan.rules, plan.day)
    kinds = tuple(replace(kind, rate_per_year=kind.rate_per_year * share) for kind in scenario.kinds)
    scenario = replace(scenario, kinds=kinds, move_up=move_up)
    return compute_setup(
        plan, compute_plan_travel(plan), scenario, start=START, week_window=read_week_windows(), hours=hours
    )


def sweep() -> None:
    print("| areas | stations | units | incidents | sendings | move-ups | ms per year | years/s | SimPy | × SimPy |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for areas, stations, share in SIZES:
        setup = prepare(areas, stations, share)
        simulate_year(setup, 0)
        took = []
        for year in range(1, 11):
            start = time.process_time()
            history = simulate_year(setup, year)
            took.append(time.process_time() - start)
        seconds = float(np.median(took))
        peer_s = peer(setup)
        print(
            f"| {areas:,} | {len(setup.world.first) - 1:,} | {len(setup.world.home):,} | {len(history):,} "
            f"| {len(history.unit):,} | {len(history.moved_unit):,} | {1000 * seconds:.0f} | {1 / seconds:.1f} "
            f"| {peer_s:.1f} s | {peer_s / seconds:.0f} |",
            flush=True,
        )


def peer(setup: Setup) -> float:
    """Seconds that a year takes in SimPy, by the time that its first incidents take; they must come out the same."""
    key = seed_key(setup.seed, 1)
    incidents = draw_incidents(setup.streams, key)
    part = type(incidents)(*(getattr(incidents, name)[:PEER_INCIDENTS] for name in incidents.__dataclass_fields__))
    year = Year(setup.world, part, key)
    start = time.process_time()
    year.run()
    seconds = time.process_time() - start
    last_s = part.at_s[-1]
    history = simulate_year(setup, 1)
    mine = {(i, u) for i, u, s in zip(history.incident, history.unit, history.alarmed_s) if s < last_s}
    theirs = {(sent[0], sent[1]) for sent in year.sent if sent[4] < last_s}
    assert mine == theirs, "the kernel and SimPy differ"
    return seconds * len(incidents) / len(part)


def ensemble(years: int) -> None:
    """Wall and processor time; the second does not mind who else is using the machine."""
    setup = prepare(*SIZES[-1])
    simulate_years(setup, 1)
    print("| years | workers | seconds | ms per year | processor ms per year, starting included |")
    print("|---:|---:|---:|---:|---:|")
    for count in sorted({max(years // 100, 10), max(years // 10, 20), years}):
        for workers in (0, 1, 2):
            start, used = time.perf_counter(), _used_s()
            if workers:
                with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                    simulate_years(setup, count, executor=pool, batch=max(1, count // (4 * workers)))
            else:
                simulate_years(setup, count)
            seconds, cost = time.perf_counter() - start, _used_s() - used
            label = workers or "this process"
            print(
                f"| {count:,} | {label} | {seconds:.1f} | {1000 * seconds / count:.0f} | {1000 * cost / count:.0f} |",
                flush=True,
            )


def _used_s() -> float:
    """Processor seconds of this process and its children that have ended."""
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


if __name__ == "__main__":
    ensemble(int(sys.argv[2])) if sys.argv[1:2] == ["ensemble"] else sweep()
