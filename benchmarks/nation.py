"""Modelnederland at four sizes, and the real lists: from roads that are ready to coverage of all, and a variant of it.

    python benchmarks/nation.py [largest number of areas]
    python benchmarks/nation.py ../shared/data/nederland        the whole job on real lists, import to map, as commands

Roads, stations and window are the same at every size, so the growth over the areas can be read off. "Roads ready" means
the hierarchy and today's shortcuts are made. The peer is the obvious way in numpy, on the same drive times in the
same run: per area the eight earliest of turnout + drive + call handling over all pumps; its answers must equal ours.
Steps are the least of three runs, variants nine different closures; "processor" is the mean of all cores together,
which other work on the machine disturbs least. Every size runs in a process of its own; "peak" is the most memory
that it held before the peer began.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from slagkracht.coverage import (
    Arrivals,
    CloseStation,
    Coverage,
    Nearest,
    Variant,
    apply_variant,
    compute_arrivals,
    compute_coverage,
    compute_nearest,
)
from slagkracht.plan import Plan, compute_plan_travel
from slagkracht.resources import Standing, capability_column, compute_standing
from slagkracht.roads import compute_access, compute_arc_seconds
from slagkracht.rules import rule_in_force
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.plan_files import read_plan
from slagkracht.travel import UNREACHABLE, Travel, compute_hierarchy, compute_shortcuts, compute_travel, streets

SIZES = (10_000, 40_000, 100_000, 400_000)
STATIONS, NODES = 1_000, 1_500_000
NORM, WINDOW = "bvr-3.2.1", "dag"
RUNS, VARIANTS = 3, 9
Result = TypeVar("Result")


def timed(work: Callable[[], Result], times: int = 1) -> tuple[float, Result]:
    """Least seconds of ``times`` runs, and the result."""
    seconds = []
    for _ in range(times):
        result: Result | None = None  # lets go of the previous one first
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), cast(Result, result)


def judge_all(plan: Plan, travel: Travel, nearest: Nearest) -> Coverage:
    """The whole country by one norm in one window."""
    return compute_coverage(plan, travel, norms=(NORM,), windows=(WINDOW,), chance=False, nearest=nearest)[0]


def rank(standing: Standing, travel: Travel, nearest: Nearest, handling_s: float) -> Arrivals:
    """The eight earliest pumps of every area."""
    return compute_arrivals(standing, travel, "tankautospuit", call_handling_s=handling_s, depth=8, nearest=nearest)


def rank_numpy(standing: Standing, travel: Travel, handling_s: float) -> np.ndarray:
    """The response times of the eight earliest pumps, by numpy, in blocks of a thousand areas."""
    pumps = np.flatnonzero(capability_column(standing, "tankautospuit") & (standing.readiness > 0))
    turnout_s, origin = standing.turnout_s[pumps], standing.origin[pumps]
    blocks = []
    for start in range(0, len(travel.drive_s), 1_000):
        drive_s = travel.drive_s[start : start + 1_000][:, origin]
        response_s = turnout_s + drive_s.astype(np.float32) + np.float32(handling_s)
        response_s[drive_s == UNREACHABLE] = np.inf
        blocks.append(np.sort(np.partition(response_s, 7, axis=1)[:, :8], axis=1))
    return np.concatenate(blocks)


def close_one_by_one(plan: Plan, travel: Travel, nearest: Nearest) -> list[float]:
    """Seconds for each of VARIANTS closures, spread over the stations: from the edit to every area judged."""

    def close(station_id: str) -> Coverage:
        variant = Variant(f"{station_id} dicht", (CloseStation(station_id),))
        return judge_all(*apply_variant(plan, travel, variant), nearest)

    chosen = plan.stations.station_id[:: len(plan.stations) // VARIANTS][:VARIANTS].tolist()
    return [timed(lambda station_id=station_id: close(station_id))[0] for station_id in chosen]


def peak_gib() -> float:
    """The most memory that this process has held until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(count: int) -> list[float]:
    """Seconds for every step, in the order of the table: the peak in GiB, then the ranking and the peer's last."""
    warm_up = build_modelland(2_000, 100, 20_000)
    warm_travel = compute_plan_travel(warm_up)
    judge_all(warm_up, warm_travel, compute_nearest(warm_travel))
    country_s, plan = timed(lambda: build_modelland(count, STATIONS, NODES))
    assert plan.roads is not None
    roads, areas, stations = plan.roads, plan.areas, plan.stations
    arc_s = compute_arc_seconds(roads, rule_in_force(plan.rules, "rijprofiel-spoed", plan.day)[1])
    graph = streets(roads, arc_s)
    hierarchy_s, hierarchy = timed(lambda: compute_hierarchy(graph))
    shortcuts_s, shortcuts = timed(lambda: compute_shortcuts(hierarchy, graph.weight))
    access = compute_access(roads)

    def cover() -> tuple[Travel, Nearest, Coverage, float]:
        start = time.perf_counter()
        travel = compute_travel(
            roads, arc_s, stations.x_m, stations.y_m, areas.x_m, areas.y_m, access=access, shortcuts=shortcuts
        )
        drives_s = time.perf_counter() - start
        nearest = compute_nearest(travel)
        return travel, nearest, judge_all(plan, travel, nearest), drives_s

    processor = time.process_time()
    covered_s, (travel, nearest, coverage, drives_s) = timed(cover, times=RUNS)
    processor_s = (time.process_time() - processor) / RUNS

    variants = close_one_by_one(plan, travel, nearest)
    standing = compute_standing(plan.units, plan.stations, WINDOW)
    handling_s = float(rule_in_force(plan.rules, "verwerkingstijd", plan.day)[1]["verwerkingstijd_s"])
    ranked_s, ranked = timed(lambda: rank(standing, travel, nearest, handling_s), times=RUNS)
    peak = peak_gib()
    peer_s, peers = timed(lambda: rank_numpy(standing, travel, handling_s), times=RUNS)
    assert np.array_equal(peers, ranked.response_s), "the peer answers otherwise"
    assert np.array_equal(peers[:, 0], coverage.response_s), "coverage answers otherwise than its ranking"
    return [
        country_s, hierarchy_s, shortcuts_s, covered_s, drives_s, processor_s,
        float(np.median(variants)), float(np.max(variants)), peak, ranked_s, peer_s,
    ]  # fmt: skip


def measure_real(folder: Path) -> None:
    """The whole job on real lists, as a planner types it, and variants of what came out."""
    command = [str(Path(sys.executable).parent / "slagkracht")]
    with tempfile.TemporaryDirectory() as scratch:
        plan, page = Path(scratch) / "nederland", Path(scratch) / "nederland.html"
        print(
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n\n| command | seconds | processor |\n|---|---|---|"
        )
        for words in (
            ["plan", "bouw", "--bron", str(folder), "--uit", str(plan)],
            ["kaart", str(plan), "--uit", str(page)],
        ):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds, _ = timed(lambda words=words: subprocess.run(command + words, check=True, capture_output=True))
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            processor_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            print(f"| {' '.join(words[:2]) if words[0] == 'plan' else words[0]} | {seconds:.1f} | {processor_s:.1f} |")
        nation = read_plan(plan)
        travel = compute_plan_travel(nation)
        nearest = compute_nearest(travel)
        judge_all(nation, travel, nearest)
        closed_ms = 1_000 * np.array(close_one_by_one(nation, travel, nearest))
        figures = f"median {np.median(closed_ms):.1f} ms, worst {closed_ms.max():.1f} ms"
        print(f"\n{len(nation.areas):,} areas; a variant: {figures}")


def main(largest: int) -> None:
    print(f"{os.cpu_count()} cores; {STATIONS} stations, {NODES:,} nodes; {NORM}, {WINDOW}; seconds\n")
    print(
        "| areas | country | hierarchy | shortcuts | roads ready → coverage | of which drives | processor "
        "| variant, median | variant, worst | peak, GiB | eight earliest | numpy | ratio |"
    )
    print("|---" * 13 + "|")
    for count in (size for size in SIZES if size <= largest):
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            row = alone.apply(measure, (count,))
        print(f"| {count:,} | " + " | ".join(f"{s:.3f}" for s in row) + f" | {row[-1] / row[-2]:.0f}× |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].isdigit():
        measure_real(Path(sys.argv[1]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else SIZES[-1])
