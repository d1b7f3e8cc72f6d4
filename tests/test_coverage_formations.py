"""Formations and part crews: equal to trying every combination, and toyland by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.coverage import Arrivals, compute_arrivals, compute_assembled, compute_formation
from slagkracht.resources import Standing, compute_standing
from test_coverage_arrivals import small_world
from toyland import read_toyland


def try_every_formation(arrivals: list[Arrivals], counts: list[int], area: int) -> float:
    """The earliest completion over all ways to give every slot a unit of its own."""
    coming = [
        {int(u): float(r) for u, r in zip(a.unit[area], a.response_s[area], strict=True) if u >= 0} for a in arrivals
    ]
    slots = [part for part, count in enumerate(counts) for _ in range(count)]
    units = sorted(set().union(*coming))
    best = np.inf
    for chosen in permutations(units, len(slots)):
        if all(u in coming[part] for u, part in zip(chosen, slots, strict=True)):
            best = min(best, max(coming[part][u] for u, part in zip(chosen, slots, strict=True)))
    return best


@given(st.integers(0, 10**6), st.sampled_from([[1, 1], [2, 1], [1, 2], [2, 2]]))
@settings(max_examples=60, deadline=None)
def test_formation_equals_trying_everything(seed: int, counts: list[int]) -> None:
    standing, travel = small_world(seed, areas=3, origins=4, units=7)
    arrivals = [
        compute_arrivals(standing, travel, capability, call_handling_s=0.0, depth=8)
        for capability in ("tankautospuit", "redvoertuig")
    ]
    response_s, unit = compute_formation(arrivals, counts)
    for area in range(3):
        assert response_s[area] == try_every_formation(arrivals, counts, area)
        if np.isfinite(response_s[area]):
            members = unit[area].tolist()
            assert len(set(members)) == len(members)
            slots = [part for part, count in enumerate(counts) for _ in range(count)]
            for member, part in zip(members, slots, strict=True):
                place = arrivals[part].unit[area].tolist().index(member)
                assert arrivals[part].response_s[area, place] <= response_s[area]
        else:
            assert (unit[area] == -1).all()


def test_a_later_part_moves_an_earlier_unit_over() -> None:
    """The first unit can do both, the second only pump: the first must become the aerial."""
    both, pump = 0, 1

    def ranking(units: list[int], seconds: list[float]) -> Arrivals:
        return Arrivals(
            ("x",), np.zeros(1, np.float32), np.array([units], np.int32), np.array([seconds], np.float32),
            np.zeros((1, 2), np.uint16),
        )  # fmt: skip

    pumps = ranking([both, pump], [100, 300])
    aerials = ranking([both, -1], [100, np.inf])
    response_s, unit = compute_formation([pumps, aerials], [1, 1])
    assert response_s[0] == 300
    assert unit[0].tolist() == [pump, both]


def test_a_ranking_shorter_than_the_formation_is_refused() -> None:
    standing, travel = small_world(1)
    arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=0.0, depth=2)
    with pytest.raises(ValueError, match="rangorde van minstens 3"):
        compute_formation([arrivals], [3])


def try_every_crew(arrivals: Arrivals, standing: Standing, area: int, needed: int, gap: float) -> float:
    pumps = standing.capabilities[:, 0]
    coming = [(float(r), int(u)) for u, r in zip(arrivals.unit[area], arrivals.response_s[area], strict=True) if u >= 0]
    best = np.inf
    for size in range(1, len(coming) + 1):
        for crew in combinations(coming, size):
            times = [r for r, _ in crew]
            enough = sum(int(standing.crew[u]) for _, u in crew) >= needed
            if enough and any(pumps[u] for _, u in crew) and max(times) - min(times) <= gap:
                best = min(best, max(times))
    return best


@given(st.integers(0, 10**6), st.sampled_from([0.0, 60.0, 120.0, np.inf]), st.sampled_from([4, 6, 9]))
@settings(max_examples=80, deadline=None)
def test_assembly_equals_trying_everything(seed: int, gap: float, needed: int) -> None:
    standing, travel = small_world(seed, areas=4, origins=5, units=8)
    standing = replace(standing, crew=np.random.default_rng(seed).choice([0, 2, 4, 6], 8).astype(np.int32))
    arrivals = compute_arrivals(standing, travel, ("tankautospuit", "redvoertuig"), call_handling_s=0.0, depth=8)
    response_s, last = compute_assembled(arrivals, standing, crew_needed=needed, max_gap_s=gap)
    for area in range(4):
        assert response_s[area] == try_every_crew(arrivals, standing, area, needed, gap)
        assert (last[area] >= 0) == np.isfinite(response_s[area])


def test_toyland_by_hand() -> None:
    """A09: TS4 (four) at 350 s and SI (two) at 360 s are six at 360 s, long before the TS6 at 665 s."""
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    arrivals = compute_arrivals(standing, travel, ("tankautospuit", "snelle_interventie"), call_handling_s=60.0)
    wide, unit = compute_assembled(arrivals, standing, max_gap_s=300)
    assert wide.tolist() == [260, 340, 480, 390, 610, 395, 245, 405, 360, 540, 420, np.inf]
    assert plan.units.unit_id[unit[8]] == "Z3-SI"
    narrow, _ = compute_assembled(arrivals, standing, max_gap_s=240)  # A10: 270 s between SI and TS4 is too long
    assert narrow[9] == 755
