"""Whom to send, fast: six platoons at one place beside the proven best, and the map page beside the full choice.

Run: python benchmarks/placements.py PLAN [cases]
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from slagkracht.cli.strength import read_posture
from slagkracht.strength import Posture, compute_placements, compute_strength

PLATOONS = 6
MOST = 10


def main() -> None:
    posture = read_posture(Path(sys.argv[1]), "dag", lambda text: None)
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    rng = np.random.default_rng(7)
    areas = rng.integers(len(posture.plan.areas), size=cases)
    print(f"load {os.getloadavg()[0]:.1f}")
    measure_proposals(posture, areas)
    measure_map(posture, areas, rng.integers(1, MOST + 1, size=cases))
    print(f"load {os.getloadavg()[0]:.1f}")


def measure_proposals(posture: Posture, areas: npt.NDArray[np.int64]) -> None:
    """Six platoons, all regions, floors held: seconds of the fast choice, and its cost beside what cannot be beaten."""
    platoon = posture.formations["basispeloton"]
    standing, cover, floors = posture.standing, posture.cover, posture.floors
    wanted = [(platoon, PLATOONS)]
    compute_strength(standing, posture.travel.drive_s[0], wanted, cover, floors)
    seconds, processor, ratios, short = [], [], [], 0
    for area in areas.tolist():
        drive_s = posture.travel.drive_s[area]
        clock, work = time.perf_counter(), time.process_time()
        fast = compute_strength(standing, drive_s, wanted, cover, floors)
        seconds.append(time.perf_counter() - clock)
        processor.append(time.process_time() - work)
        best = compute_strength(standing, drive_s, wanted, cover, floors, exact=True)
        if np.isfinite(best.bound_s):
            ratios.append(fast.cost_s / best.bound_s - 1)
        else:
            short += 1
    print(f"{PLATOONS} platoons at {len(areas)} places ({short} where fewer can come), fast choice:")
    print(f"  by the clock {_spread(seconds, '.3f')} s, processor {_spread(processor, '.3f')} s")
    print(f"  above the proven bound {_spread(ratios, '.2%')}, {np.mean(np.array(ratios) <= 0.02):.0%} within 2 %")


def measure_map(posture: Posture, areas: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None:
    """What the map page answers for the n-th platoon, beside the full choice when n are asked at that place."""
    platoon = posture.formations["basispeloton"]
    standing, cover, floors = posture.standing, posture.cover, posture.floors
    drive_s = posture.travel.drive_s[areas]
    compute_placements(standing, drive_s[:1], platoon, MOST, cover, floors)
    work = time.process_time()
    found = compute_placements(standing, drive_s, platoon, MOST, cover, floors)
    each_ms = 1000 * (time.process_time() - work) / len(areas)
    later, dearer, all_ten = [], [], []
    for row, count in enumerate(counts.tolist()):
        for asked, answers in ((count, (later, dearer)), (MOST, (None, all_ten))):
            full = compute_strength(standing, drive_s[row], [(platoon, asked)], cover, floors, partial=False)
            if not (np.isfinite(full.complete_s).all() and np.isfinite(found.complete_s[row, :asked]).all()):
                continue
            mine = found.unit[row, :asked] >= 0
            cost_s = float((found.arrival_s[row, :asked][mine] - platoon.assembly_s).sum())
            answers[1].append(cost_s / full.cost_s - 1)
            if answers[0] is not None:
                answers[0].append(float(found.complete_s[row, asked - 1] - full.complete_s.max()))
    print(f"map page, {len(areas)} places, {each_ms:.1f} ms processor per place:")
    print(f"  the n-th stands later by {_spread(later, '.0f')} s")
    print(f"  arrivals of the first n together later by {_spread(dearer, '.2%')}")
    print(f"  arrivals of all {MOST} together later by {_spread(all_ten, '.2%')}")


def _spread(values: list[float], form: str) -> str:
    return f"mean {np.mean(values):{form}}, median {np.median(values):{form}}, worst {np.max(values):{form}}"


if __name__ == "__main__":
    main()
