"""Siting against every combination tried by hand, against published optima, and against itself."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import floyd_warshall

from slagkracht.siting import (
    NoSitingError,
    compute_cover,
    group_equal_areas,
    solve_lscp,
    solve_malp,
    solve_mclp,
    solve_mexclp,
    solve_p_median,
)

PMED = Path(__file__).parents[2] / "shared" / "data" / "benchmarks" / "pmed"


def country(seed: int, areas: int = 14, sites: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    drive_s = rng.integers(60, 900, (areas, sites)).astype(np.uint16)
    drive_s[rng.random((areas, sites)) < 0.1] = 65535
    drive_s[:, 0] = np.where(drive_s[:, 0] == 65535, 899, drive_s[:, 0])
    return drive_s, rng.integers(1, 50, areas).astype(float)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(120, 800))
def test_maximal_covering_beats_every_combination(seed: int, count: int, limit_s: int) -> None:
    drive_s, weight = country(seed)
    cover = compute_cover(drive_s, limit_s)
    inside = drive_s <= limit_s
    best = max(weight[inside[:, list(pick)].any(axis=1)].sum() for pick in combinations(range(6), count))
    found = solve_mclp(cover, weight, count)
    assert found.objective == pytest.approx(best)
    assert found.gap == pytest.approx(0.0, abs=1e-6)
    assert len(found.sites) == count
    served = found.serves >= 0
    assert weight[served].sum() == pytest.approx(best)
    assert inside[np.flatnonzero(served), found.serves[served]].all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([0.1, 0.35, 0.6]))
def test_expected_covering_beats_every_combination(seed: int, units: int, busy: float) -> None:
    drive_s, weight = country(seed, areas=10, sites=5)
    inside = drive_s <= 450
    best = max(
        float((weight * (1 - busy ** inside[:, list(pick)].sum(axis=1))).sum())
        for pick in combinations_with_replacement(range(5), units)
    )
    found = solve_mexclp(compute_cover(drive_s, 450), weight, units, busy=busy)
    assert found.objective == pytest.approx(best, rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_reliable_covering_beats_every_combination(seed: int, units: int) -> None:
    drive_s, weight = country(seed, areas=10, sites=5)
    inside = drive_s <= 500
    best = max(
        float(weight[inside[:, list(pick)].sum(axis=1) >= 2].sum())
        for pick in combinations_with_replacement(range(5), units)
    )
    found = solve_malp(compute_cover(drive_s, 500), weight, units, busy=0.3, reliability=0.9)
    assert found.objective == pytest.approx(best, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_the_median_beats_every_combination(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    drive_s = rng.integers(60, 900, (14, 6)).astype(np.uint16)
    weight = rng.integers(0, 50, 14).astype(float)
    weight[0] = 1.0
    best = min(float(weight @ drive_s[:, list(pick)].min(axis=1)) for pick in combinations(range(6), count))
    found = solve_p_median(drive_s, weight, count, gap=1e-9)
    assert found.objective == pytest.approx(best)
    assert found.bound <= found.objective + 1e-9
    assert found.gap < 1e-6
    assert float(weight @ drive_s[np.arange(14), found.serves]) == pytest.approx(best)


def test_fewest_sites_cover_all_that_can_be_covered() -> None:
    """Three sites; area 3 is out of everyone's reach and must not stop the others."""
    drive_s = np.array([[100, 900, 900], [900, 100, 100], [100, 900, 100], [65535, 900, 900]], dtype=np.uint16)
    found = solve_lscp(compute_cover(drive_s, 300))
    assert found.objective == 2.0
    assert found.serves[3] == -1
    assert (found.serves[:3] >= 0).all()
    assert list(solve_lscp(compute_cover(drive_s, 300), fixed=np.array([1], dtype=np.int32)).sites) in (
        [0, 1],
        [0, 1, 2],
    )


def test_equal_areas_are_one() -> None:
    cover = compute_cover(np.array([[1, 9, 1], [1, 9, 1], [9, 9, 9], [9, 1, 9], [9, 9, 9]]), 5)
    grouped, weight, group = group_equal_areas(cover, np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
    assert grouped.shape == (3, 3)
    assert list(group) == [0, 0, 1, 2, 1]
    assert list(weight) == [3.0, 20.0, 8.0]
    assert (grouped.toarray() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]).all()


def test_an_unreachable_drive_covers_nothing() -> None:
    assert compute_cover(np.array([[65535]], dtype=np.uint16), 70_000).nnz == 0
    assert compute_cover(np.array([[np.inf]]), np.inf).nnz == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(14)), st.permutations(range(12)))
def test_equal_sites_change_no_objective_and_the_same_question_has_one_answer(
    seed: int, areas: list[int], sites: list[int]
) -> None:
    """Every site stands there twice, so every answer ties; the order of rows changes who, never how good."""
    drive_s, weight = country(seed)
    drive_s = np.repeat(drive_s, 2, axis=1)
    for solve in (
        lambda drives, people: solve_mclp(compute_cover(drives, 400), people, 3),
        lambda drives, people: solve_p_median(drives, people, 3),
    ):
        found, again = solve(drive_s, weight), solve(drive_s, weight)
        assert found.sites.tolist() == again.sites.tolist() == sorted(found.sites.tolist())
        assert found.serves.tolist() == again.serves.tolist()
        moved = solve(drive_s[areas][:, sites], weight[areas])
        assert moved.objective == pytest.approx(found.objective)


def test_what_cannot_be_done_is_said() -> None:
    nowhere = np.full((2, 2), 65535, dtype=np.uint16)
    with pytest.raises(NoSitingError, match="bereikbaar"):
        solve_lscp(compute_cover(nowhere, 300))
    with pytest.raises(NoSitingError, match="bereikbaar"):
        solve_p_median(nowhere, np.ones(2), 1)
    apart = np.array([[100, 65535], [65535, 100]], dtype=np.uint16)
    with pytest.raises(NoSitingError, match="te weinig"):
        solve_p_median(apart, np.ones(2), 1)
    with pytest.raises(NoSitingError, match="2 kandidaten"):
        solve_p_median(apart, np.ones(2), 3)
    with pytest.raises(NoSitingError, match="passen niet"):
        solve_mclp(compute_cover(apart, 300), np.ones(2), 3)
    with pytest.raises(NoSitingError, match="bezettingsgraad"):
        solve_mexclp(compute_cover(apart, 300), np.ones(2), 1, busy=1.0)


@pytest.mark.skipif(not PMED.exists(), reason="de p-mediaanvoorbeelden van OR-Library staan niet naast deze map")
@pytest.mark.parametrize("number", range(1, 21))
def test_the_published_optima_are_found_and_proven(number: int) -> None:
    optima = dict(line.split() for line in (PMED / "pmedopt.txt").read_text().splitlines() if line.startswith("pmed"))
    text = (PMED / f"pmed{number}.txt").read_text().split()
    n, m, count = map(int, text[:3])
    lengths = np.full((n, n), np.inf)
    for a, b, c in np.array(text[3 : 3 + 3 * m], dtype=int).reshape(-1, 3):
        lengths[a - 1, b - 1] = lengths[b - 1, a - 1] = c  # of parallel edges the last one counts, as published
    found = solve_p_median(floyd_warshall(lengths, directed=False), np.ones(n), count, gap=1e-9, seconds=900)
    assert found.objective == pytest.approx(float(optima[f"pmed{number}"]))
    assert found.gap < 1e-6
