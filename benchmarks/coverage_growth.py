"""Coverage and variants over a growing country, beside the plain numpy way of doing the same.

    python benchmarks/coverage_growth.py            all sizes, up to 400,000 areas by 1,000 stations
    python benchmarks/coverage_growth.py 10000      one size

Drive times are by crow flight: here only the number of them matters. Each figure is the best of three.
"""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from slagkracht.areas import Areas
from slagkracht.coverage import (
    CloseStation,
    Variant,
    apply_variant,
    compute_arrivals,
    compute_coverage,
    compute_nearest,
    compute_table,
)
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import Stations, Units, compute_standing
from slagkracht.sources.rule_files import read_rules
from slagkracht.travel import Travel

STATIONS = 1_000
UNITS = 1_600
NORM = "bvr-3.2.1"


def country(areas: int, seed: int = 1) -> tuple[Plan, Travel]:
    """A square country of 25 regions in strips, with stations and units strewn over it."""
    rng = np.random.default_rng(seed)
    size_m = 185_000.0
    place, site = rng.random((areas, 2)) * size_m, rng.random((STATIONS, 2)) * size_m
    drive_s = np.empty((areas, STATIONS), np.uint16)
    for start in range(0, areas, 10_000):
        step = slice(start, start + 10_000)
        metres = np.hypot(place[step, None, 0] - site[None, :, 0], place[step, None, 1] - site[None, :, 1])
        drive_s[step] = metres * 1.3 / 17
    travel = Travel(
        drive_s, site[:, 0], site[:, 1], np.zeros(STATIONS, np.float32), np.zeros(areas, np.float32), "voorbeeld", 0.2,
        "hemelsbreed",
    )  # fmt: skip
    station = np.concatenate([np.arange(STATIONS), rng.integers(0, STATIONS, UNITS - STATIONS)]).astype(np.int32)
    able = np.zeros((UNITS, 2), bool)
    able[:, 0] = True
    able[rng.choice(UNITS, 180, replace=False), 1] = True
    turnout_s = np.where(rng.random(UNITS) < 0.15, 80, rng.integers(180, 300, UNITS)).astype(np.float32)
    units = Units(
        np.arange(UNITS).astype(str), station, np.full(UNITS, "TS"), ("tankautospuit", "redvoertuig"), able,
        np.full(UNITS, 6, np.int32), np.zeros((UNITS, 4), np.int32), np.repeat(turnout_s[:, None], 4, axis=1),
        np.full((UNITS, 4), 0.3, np.float32), np.full((UNITS, 4), 0.9, np.float32),
    )  # fmt: skip
    strip = (place[:, 0] / size_m * 25).astype(np.int32)
    plan = Plan(
        name="groei", day=datetime.date(2026, 7, 1),
        regions=Regions(np.array([f"VR{k:02d}" for k in range(1, 26)]), np.full(25, "strook")),
        stations=Stations(
            np.arange(STATIONS).astype(str), np.full(STATIONS, "kazerne"), (site[:, 0] / size_m * 25).astype(np.int32),
            site[:, 0], site[:, 1], np.zeros(STATIONS, np.float32),
        ),
        units=units,
        areas=Areas(
            np.arange(areas).astype(str), place[:, 0], place[:, 1], strip, np.char.add("GM", strip.astype(str)),
            rng.gamma(0.5, 90, areas).astype(np.float32), ("woonfunctie", "kantoorfunctie", "celfunctie"),
            rng.poisson(3, (areas, 3)).astype(np.float32), np.full(areas, ""), np.full(areas, 300, np.float32),
        ),
        rules=read_rules(), roads=None, travel=travel, notes=(),
    )  # fmt: skip
    return plan, travel


def plain(plan: Plan, travel: Travel, depth: int) -> np.ndarray:
    """The peer: every response time of every area, and numpy's partition for the first few."""
    standing = compute_standing(plan.units, plan.stations, "dag")
    response_s = np.full((len(plan.areas), depth), np.inf, np.float32)
    for start in range(0, len(plan.areas), 2_000):
        step = slice(start, start + 2_000)
        all_s = travel.drive_s[step][:, standing.origin] + standing.turnout_s + np.float32(60)
        response_s[step] = np.sort(np.partition(all_s, depth - 1, axis=1)[:, :depth], axis=1)
    return response_s


def best(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(times):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return min(seconds), result


def measure(areas: int) -> None:
    plan, travel = country(areas)
    once, nearest = best(lambda: compute_nearest(travel), 1)
    standing = compute_standing(plan.units, plan.stations, "dag")
    variant = Variant("dicht", (CloseStation(str(STATIONS // 2)),))

    def ranked(depth: int) -> Any:
        return compute_arrivals(
            standing, travel, "tankautospuit", call_handling_s=60.0, depth=depth, nearest=nearest
        ).response_s

    def varied() -> Any:
        after, drives = apply_variant(plan, travel, variant)
        (coverage,) = compute_coverage(after, drives, windows=("dag",), norms=(NORM,), chance=False, nearest=nearest)
        return compute_table(coverage, after.areas, after.regions)

    def covered() -> Any:
        return compute_coverage(plan, travel, windows=("dag",), norms=(NORM,), nearest=nearest)

    eight, quick = best(lambda: ranked(8))
    peer, slow = best(lambda: plain(plan, travel, 8), 1)
    assert np.array_equal(quick, slow)
    variant_s, _ = best(varied)
    coverage_s, _ = best(covered)
    print(
        f"{areas:>8,} gebieden | eenmalig {once:6.2f} s | acht eersten {eight * 1000:8.1f} ms | "
        f"numpy {peer * 1000:9.1f} ms ({peer / eight:5.0f} x) | variant {variant_s * 1000:7.1f} ms | "
        f"dekking met kansen {coverage_s:6.2f} s",
        flush=True,
    )


if __name__ == "__main__":
    measure(1_000)  # compiles
    for size in [int(argument) for argument in sys.argv[1:]] or [4_068, 10_000, 40_000, 100_000, 400_000]:
        measure(size)
