"""Chances: readiness and spread against a Monte Carlo of dispatches, against numerical integration, and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from slagkracht.coverage import (
    Arrivals,
    compute_arrivals,
    compute_chance,
    compute_expected,
    compute_mixture,
    compute_nominal,
    compute_percentile,
)
from slagkracht.resources import Standing, compute_standing
from test_coverage_arrivals import small_world
from toyland import read_toyland


def one_area(
    turnout_s: list[float], drive_s: list[int], readiness: list[float], spread: float
) -> tuple[Arrivals, Standing]:
    """One area with its units already ranked, call handling 60 s."""
    n = len(turnout_s)
    response = np.array([[60 + t + d for t, d in zip(turnout_s, drive_s, strict=True)]], np.float32)
    arrivals = Arrivals(
        ("tankautospuit",), np.array([60], np.float32), np.arange(n, dtype=np.int32)[None, :], response,
        np.array([drive_s], np.uint16),
    )  # fmt: skip
    standing = Standing(
        np.arange(n, dtype=np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32), ("tankautospuit",),
        np.ones((n, 1), bool), np.full(n, 6, np.int32), np.array(turnout_s, np.float32),
        np.full(n, spread, np.float32), np.array(readiness, np.float32), np.ones(n, bool),
    )  # fmt: skip
    return arrivals, standing


def dispatch(
    arrivals: Arrivals, standing: Standing, travel_spread: float, handling_spread: float, n: int, seed: int
) -> np.ndarray:
    """Response times of the n-th ready unit in 200,000 simulated calls (inf = fewer than n were ready)."""
    rng = np.random.default_rng(seed)
    calls = 200_000
    response = np.full(calls, np.inf)
    handling = 60 * np.exp(handling_spread * rng.standard_normal(calls))
    count = np.zeros(calls, int)
    for unit, drive in zip(arrivals.unit[0], arrivals.drive_s[0], strict=True):
        ready = rng.random(calls) < standing.readiness[unit]
        count += ready
        turnout = standing.turnout_s[unit] * np.exp(standing.turnout_spread[unit] * rng.standard_normal(calls))
        driven = float(drive) * np.exp(travel_spread * rng.standard_normal(calls))
        sent = ready & (count == n)
        response[sent] = (handling + turnout + driven)[sent]
    return response


UNITS = ([80.0, 235.0, 90.0, 240.0], [240, 200, 560, 500], [0.9, 0.7, 0.99, 0.8])


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(("travel_spread", "handling_spread"), [(0.2, 0.0), (0.25, 0.45), (0.0, 0.0)])
def test_everything_agrees_with_simulated_calls(n: int, travel_spread: float, handling_spread: float) -> None:
    arrivals, standing = one_area(*UNITS, spread=0.3)
    simulated = dispatch(arrivals, standing, travel_spread, handling_spread, n, seed=n)
    for limit in (300, 420, 600, 900):
        chance = compute_chance(arrivals, standing, travel_spread, n, limit, handling_spread=handling_spread)[0]
        assert chance == pytest.approx((simulated <= limit).mean(), abs=0.006)
    for q in (0.1, 0.5, 0.7):
        found = compute_percentile(arrivals, standing, travel_spread, n, q, handling_spread=handling_spread)[0]
        assert (simulated <= found).mean() == pytest.approx(q, abs=0.006)
    expected, comes = compute_expected(arrivals, standing, travel_spread, n, handling_spread=handling_spread)
    assert comes[0] == pytest.approx(np.isfinite(simulated).mean(), abs=0.004)
    assert expected[0] == pytest.approx(simulated[np.isfinite(simulated)].mean(), rel=0.006)


@given(st.floats(40, 400), st.integers(10, 1500), st.floats(0.02, 0.35), st.floats(0.02, 0.35), st.floats(0.6, 1.6))
@settings(max_examples=60, deadline=None)
def test_one_unit_agrees_with_numerical_integration(
    turnout: float, drive: int, spread: float, travel_spread: float, share: float
) -> None:
    arrivals, standing = one_area([turnout], [drive], [1.0], spread)
    turnout, spread = float(standing.turnout_s[0]), float(standing.turnout_spread[0])
    limit = round(60 + (turnout + drive) * share)

    def arrives(z: float) -> float:
        rest = limit - 60 - turnout * np.exp(spread * z)
        return stats.norm.pdf(z) * (stats.norm.cdf(np.log(rest / drive) / travel_spread) if rest > 0 else 0.0)

    edge = np.log((limit - 60) / turnout) / spread
    exact = integrate.quad(arrives, -8, min(8, edge), limit=400)[0] if edge > -8 else 0.0
    assert compute_chance(arrivals, standing, travel_spread, 1, limit)[0] == pytest.approx(exact, abs=5e-4)


def test_all_ready_and_no_spread_is_the_nominal_time() -> None:
    for seed in range(20):
        standing, travel = small_world(seed)
        standing = replace(
            standing,
            readiness=np.ones_like(standing.readiness),
            turnout_spread=np.zeros_like(standing.turnout_spread),
        )
        arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=60.0)
        for n in (1, 3):
            nominal = compute_nominal(arrivals, n)
            limit = np.where(np.isfinite(nominal), nominal, 500).astype(np.float32)
            assert np.array_equal(compute_chance(arrivals, standing, 0.0, n, limit), np.isfinite(nominal))
            assert not compute_chance(arrivals, standing, 0.0, n, limit - 1).any()
            assert np.array_equal(compute_percentile(arrivals, standing, 0.0, n, 0.9), nominal)
            assert np.allclose(compute_expected(arrivals, standing, 0.0, n)[0], nominal)


def test_percentile_and_chance_are_each_other_s_inverse() -> None:
    standing, travel = small_world(4, areas=40)
    arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=60.0)
    found = compute_percentile(arrivals, standing, 0.2, 1, 0.6)
    known = np.isfinite(found)
    assert known.any()
    assert np.allclose(compute_chance(arrivals, standing, 0.2, 1, found)[known], 0.6, atol=0.002)
    never = compute_chance(arrivals, standing, 0.2, 1, np.inf) < 0.6
    assert np.array_equal(~known, never)


def test_the_mixture_counts_who_is_the_nth_ready() -> None:
    arrivals, standing = one_area([80, 90, 100], [10, 20, 30], [0.5, 0.8, 0.9], 0.0)
    assert np.allclose(compute_mixture(arrivals, standing, 1), [[0.5, 0.5 * 0.8, 0.5 * 0.2 * 0.9]])
    assert np.allclose(compute_mixture(arrivals, standing, 2), [[0, 0.4, (0.5 * 0.2 + 0.5 * 0.8) * 0.9]])


def test_toyland_by_hand() -> None:
    """A04: N2-TS at 390 s is there in 90 % of cases, else N1-TS at 660 s (99 %), else N1-TS2 at 780 s (60 %)."""
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=60.0)
    a04, a12 = 3, 11
    assert compute_chance(arrivals, standing, 0.0, 1, 480.0)[a04] == pytest.approx(0.9)
    assert compute_chance(arrivals, standing, 0.0, 1, 660.0)[a04] == pytest.approx(0.9 + 0.1 * 0.99)
    assert compute_percentile(arrivals, standing, 0.0, 1, 0.90)[a04] == 390
    assert compute_percentile(arrivals, standing, 0.0, 1, 0.95)[a04] == 660
    expected, comes = compute_expected(arrivals, standing, 0.0, 1)
    assert expected[a04] == pytest.approx(
        390 * 0.9 + 660 * 0.099 + 780 * 0.0006 + 845 * 0.000396 + 1270 * 3.2e-6, abs=0.01
    )
    assert np.isinf(expected[a12])
    assert comes[a12] == 0
    assert np.isinf(compute_percentile(arrivals, standing, 0.0, 1, 0.5)[a12])


def test_where_no_limit_holds_there_is_no_chance() -> None:
    arrivals, standing = one_area([80], [100], [0.9], 0.3)
    assert np.isnan(compute_chance(arrivals, standing, 0.2, 1, np.nan)[0])


def test_a_percentile_that_is_hardly_ever_reached_is_never() -> None:
    arrivals, standing = one_area([200], [300], [0.8], 0.3)
    assert np.isinf(compute_percentile(arrivals, standing, 0.2, 1, 0.801)[0])
    assert np.isfinite(compute_percentile(arrivals, standing, 0.2, 1, 0.799)[0])
    assert compute_percentile(arrivals, standing, 0.2, 1, 0.8)[0] > 1000  # the very end of the distribution


def test_questions_beyond_the_ranking_are_refused() -> None:
    arrivals, standing = one_area([80], [100], [0.9], 0.3)
    with pytest.raises(ValueError, match="eenheid 2 gevraagd uit een rangorde van 1"):
        compute_chance(arrivals, standing, 0.2, 2, 480)
    with pytest.raises(ValueError, match="percentiel"):
        compute_percentile(arrivals, standing, 0.2, 1, 90)
