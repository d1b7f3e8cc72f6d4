"""Siting side by side with spopt on the same country: from call to answer, and how far each answer is proven.

Run: python benchmarks/siting.py [--peer] (with spopt beside it; the largest case of spopt takes minutes)
"""

from __future__ import annotations

import sys
import time

import numpy as np

from slagkracht.siting import compute_cover, solve_lscp, solve_mclp, solve_mexclp, solve_p_median


def country(areas: int, sites: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Towns with villages around them: (drive_s uint16 [A, S], weight float64 [A])."""
    rng = np.random.default_rng(seed)
    towns = rng.uniform(0, 300_000, (200, 2))
    area = towns[rng.integers(0, 200, areas)] + rng.normal(0, 6_000, (areas, 2))
    site = towns[rng.integers(0, 200, sites)] + rng.normal(0, 8_000, (sites, 2))
    metres = np.hypot(area[:, None, 0] - site[None, :, 0], area[:, None, 1] - site[None, :, 1])
    return np.minimum(metres * 1.3 / (60 / 3.6) + 60, 65_000).astype(np.uint16), rng.gamma(1, 100, areas) + 1.0


def timed(call: object, *arguments: object, **options: object) -> tuple[object, float]:
    start = time.perf_counter()
    result = call(*arguments, **options)  # type: ignore[operator]
    return result, time.perf_counter() - start


def peer_mclp(drive_s: np.ndarray, weight: np.ndarray, count: int, limit_s: int) -> tuple[float, float]:
    """spopt's maximal covering with HiGHS behind PuLP: (objective, seconds from call to answer)."""
    import pulp
    from spopt.locate import MCLP

    start = time.perf_counter()
    problem = MCLP.from_cost_matrix(drive_s.astype(float), weight, limit_s, p_facilities=count)
    problem = problem.solve(pulp.PULP_CBC_CMD(msg=False))
    return float(problem.problem.objective.value()), time.perf_counter() - start


def main() -> None:
    warm, heft = country(500, 60)
    solve_p_median(warm, heft, 10)
    print(f"{'areas':>7} {'sites':>6} {'p':>4} {'model':>9} {'seconds':>8} {'gap':>9}  peer (seconds, ratio)")
    for areas, sites, count in ((1_000, 200, 60), (5_000, 1_000, 300), (30_000, 1_000, 300)):
        drive_s, weight = country(areas, sites)
        cover, seconds = timed(compute_cover, drive_s, 480)
        found, more = timed(solve_mclp, cover, weight, count)
        line = f"{areas:>7} {sites:>6} {count:>4} {'MCLP':>9} {seconds + more:>8.2f} {found.gap:>9.1e}"  # type: ignore[attr-defined]
        if "--peer" in sys.argv:
            objective, peer_seconds = peer_mclp(drive_s, weight, count, 480)
            assert abs(objective - found.objective) < 1e-6 * objective  # type: ignore[attr-defined]
            line += f"  spopt {peer_seconds:.1f} s, {peer_seconds / (seconds + more):.0f}x"
        print(line, flush=True)
        for name, call in (
            ("LSCP", lambda c=cover: solve_lscp(c)),
            ("MEXCLP", lambda c=cover, w=weight, n=count: solve_mexclp(c, w, 2 * n, busy=0.2)),
            ("p-mediaan", lambda d=drive_s, w=weight, n=count: solve_p_median(d, w, n, gap=1e-3)),
        ):
            found, seconds = timed(call)
            print(f"{areas:>7} {sites:>6} {count:>4} {name:>9} {seconds:>8.2f} {found.gap:>9.1e}", flush=True)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
