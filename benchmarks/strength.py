"""Strength on a plan: the fast choice beside the proven best, the map of the nation, and the gap.

Run: python benchmarks/strength.py PLAN [cases]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from slagkracht.cli.strength import read_posture
from slagkracht.strength import compute_strength
from slagkracht.strength.strength_map import compute_strength_map


def main() -> None:
    posture = read_posture(Path(sys.argv[1]), "dag", lambda text: None)
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    platoon = posture.formations["basispeloton"]
    rng = np.random.default_rng(11)
    compute_strength(posture.standing, posture.travel.drive_s[0], [(platoon, 2)], posture.cover, posture.floors)
    ratios, seconds, exact_seconds, unproven = [], [], [], 0
    for case in range(cases):
        area, count = int(rng.integers(len(posture.plan.areas))), int(rng.integers(2, 12))
        drive_s = posture.travel.drive_s[area]
        start = time.perf_counter()
        fast = compute_strength(posture.standing, drive_s, [(platoon, count)], posture.cover, posture.floors)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        best = compute_strength(
            posture.standing, drive_s, [(platoon, count)], posture.cover, posture.floors, exact=True, seconds=60
        )
        exact_seconds.append(time.perf_counter() - start)
        if not best.bound_s > 0:
            unproven += 1
            continue
        ratios.append(fast.cost_s / best.bound_s)
        if ratios[-1] > 1.005 or "-v" in sys.argv:
            print(f"  case {case}: area {area}, {count} platoons, {ratios[-1]:.4f}, {seconds[-1]:.2f} s", flush=True)
    print(f"fast against the proven bound, {len(ratios)} cases ({unproven} without a bound):")
    print(f"  cost: mean {np.mean(ratios):.4f}, worst {np.max(ratios):.4f}")
    print(f"  fast {np.mean(seconds):.3f} s (worst {np.max(seconds):.3f}), exact {np.mean(exact_seconds):.2f} s")
    start = time.perf_counter()
    compute_strength_map(
        posture.standing, posture.travel.drive_s, [(platoon, (1, 2, 4, 10))], posture.cover, posture.floors
    )
    spent = time.perf_counter() - start
    print(f"map: {len(posture.plan.areas)} areas x 10 platoons, with and without floors: {spent:.1f} s")


if __name__ == "__main__":
    main()
