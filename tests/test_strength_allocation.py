"""Allocation by hand, and against every allocation tried."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.strength.allocation import solve_allocation

ARRIVAL_S = np.array([[10.0, 50.0, 90.0], [90.0, 50.0, 10.0]])
"""Two places, three sites: site 1 lies in the middle."""


def solve(limit: float, need: list[int], have: list[int], **options: object):  # type: ignore[no-untyped-def]
    return solve_allocation(
        ARRIVAL_S, np.full(2, limit), np.array(need, dtype=np.int32), np.ones(2), np.arange(3, dtype=np.int32),
        np.array(have, dtype=np.int32), regions=3, **options,  # type: ignore[arg-type]
    )  # fmt: skip


def test_one_in_the_middle_serves_both() -> None:
    found = solve(60.0, [1, 1], [0, 0, 0])
    assert found.teams.tolist() == [0, 1, 0]
    assert (found.cost, found.bound, found.short.tolist()) == (1.0, 1.0, [0, 0])


def test_a_tighter_norm_asks_two() -> None:
    found = solve(20.0, [1, 1], [0, 0, 0])
    assert found.teams.tolist() == [1, 0, 1]


def test_a_team_that_arrives_on_the_last_second_is_in_time() -> None:
    """The middle is 50 s from both: within 50 one serves both, within 49 it serves nobody."""
    assert solve(50.0, [1, 1], [0, 0, 0]).teams.tolist() == [0, 1, 0]
    assert solve(49.0, [1, 1], [0, 0, 0]).teams.tolist() == [1, 0, 1]


def test_what_is_there_is_kept_when_that_is_cheaper() -> None:
    """Two at the ends kept for 1 each cost as much as one new in the middle at 2.5, less."""
    found = solve(60.0, [1, 1], [1, 0, 1], new_cost=2.5)
    assert found.teams.tolist() == found.kept.tolist() == [1, 0, 1]
    assert solve(60.0, [1, 1], [1, 0, 1], new_cost=1.5).teams.tolist() == [0, 1, 0]


def test_a_budget_serves_the_heaviest_first() -> None:
    found = solve_allocation(
        ARRIVAL_S, np.full(2, 20.0), np.array([1, 1], dtype=np.int32), np.array([1.0, 3.0]),
        np.arange(3, dtype=np.int32), np.zeros(3, dtype=np.int32), regions=3, budget=1.0,
    )  # fmt: skip
    assert found.teams.tolist() == [0, 0, 1]
    assert found.short.tolist() == [1, 0]
    assert found.short_weight == found.short_bound == 1.0


def test_no_region_need_hold_more_than_its_share() -> None:
    assert solve(60.0, [3, 3], [0, 0, 0]).teams.tolist() == [0, 3, 0]
    spread = solve(60.0, [3, 3], [0, 0, 0], most_per_region=2)
    assert spread.teams.max() <= 2
    assert spread.short.sum() == 0
    assert solve(60.0, [1, 1], [0, 0, 0], least_per_region=1).teams.tolist() == [1, 1, 1]


def test_what_cannot_be_is_said() -> None:
    far = solve(5.0, [2, 1], [0, 0, 0])
    assert far.unreachable.tolist() == [True, True]
    assert far.short.tolist() == [2, 1]
    assert far.teams.sum() == 0
    with pytest.raises(ValueError, match="verhoog het budget"):
        solve(60.0, [1, 1], [0, 0, 0], least_per_region=1, budget=2.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_it_beats_every_allocation_tried(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrival_s = rng.integers(10, 100, (3, 4)).astype(float)
    need, have = rng.integers(0, 3, 3).astype(np.int32), rng.integers(0, 2, 4).astype(np.int32)
    weight, region = rng.integers(1, 5, 3).astype(float), np.array([0, 0, 1, 1], dtype=np.int32)
    budget, limit = float(rng.integers(1, 6)), np.full(3, 50.0)
    found = solve_allocation(
        arrival_s, limit, need, weight, region, have, keep_cost=1.0, new_cost=2.0, budget=budget, most_per_region=2,
        regions=2,
    )  # fmt: skip
    reach = arrival_s <= limit[:, None]
    best = (np.inf, np.inf)
    for teams in product(range(3), repeat=4):
        chosen = np.array(teams)
        cost = float(np.minimum(chosen, have).sum() + 2 * np.maximum(chosen - have, 0).sum())
        if cost > budget or np.bincount(region, weights=chosen).max() > 2:
            continue
        best = min(best, (float(weight @ np.maximum(need - reach @ chosen, 0)), cost))
    assert (found.short_weight, found.cost) == pytest.approx(best)
    assert found.bound == pytest.approx(best[1], rel=1e-4)
