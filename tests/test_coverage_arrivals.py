"""Arrivals: the ranking of units per area equals a slow and obvious one, with or without the index."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.coverage import Arrivals, compute_arrivals, compute_nearest
from slagkracht.resources import Standing
from slagkracht.travel import UNREACHABLE, Travel


def small_world(seed: int, areas: int = 9, origins: int = 7, units: int = 12) -> tuple[Standing, Travel]:
    """A random country with ties, empty stations, busy units and unreachable pairs."""
    rng = np.random.default_rng(seed)
    drive_s = rng.integers(0, 9, (areas, origins)).astype(np.uint16) * 60
    drive_s[rng.random((areas, origins)) < 0.2] = UNREACHABLE
    travel = Travel(
        drive_s, np.zeros(origins), np.zeros(origins), np.zeros(origins, np.float32), np.zeros(areas, np.float32),
        "voorbeeld", 0.2, "willekeurig",
    )  # fmt: skip
    standing = Standing(
        unit=np.arange(units, dtype=np.int32),
        origin=rng.integers(0, origins, units).astype(np.int32),
        region=rng.integers(0, 3, units).astype(np.int32),
        capability_names=("tankautospuit", "redvoertuig"),
        capabilities=rng.random((units, 2)) < 0.7,
        crew=rng.choice([2, 4, 6], units).astype(np.int32),
        turnout_s=(rng.integers(1, 5, units) * 60).astype(np.float32),
        turnout_spread=np.full(units, 0.3, np.float32),
        readiness=rng.choice([0.0, 0.5, 0.8, 1.0], units).astype(np.float32),
        free=rng.random(units) < 0.85,
    )
    return standing, travel


def rank_slowly(
    standing: Standing, travel: Travel, capability: str, call: float, depth: int, own: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Every unit of every area, sorted by response time and row."""
    column = standing.capability_names.index(capability)
    unit = np.full((len(travel.drive_s), depth), -1)
    response = np.full((len(travel.drive_s), depth), np.inf)
    for area, row in enumerate(travel.drive_s):
        coming = []
        for u in range(len(standing)):
            usable = standing.capabilities[u, column] and standing.free[u] and standing.readiness[u] > 0
            if own is not None and standing.region[u] != own[area]:
                usable = False
            if usable and row[standing.origin[u]] != UNREACHABLE:
                coming.append((call + float(standing.turnout_s[u]) + int(row[standing.origin[u]]), u))
        for k, (seconds, u) in enumerate(sorted(coming)[:depth]):
            unit[area, k], response[area, k] = u, seconds
    return unit, response


def same(arrivals: Arrivals, unit: np.ndarray, response: np.ndarray) -> bool:
    return np.array_equal(arrivals.unit, unit) and np.array_equal(arrivals.response_s, response.astype(np.float32))


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 8), st.booleans())
@settings(max_examples=150, deadline=None)
def test_ranking_equals_the_slow_one(seed: int, depth: int, index_depth: int, alone: bool) -> None:
    standing, travel = small_world(seed)
    own = np.random.default_rng(seed).integers(0, 3, len(travel.drive_s)).astype(np.int32) if alone else None
    slow = rank_slowly(standing, travel, "tankautospuit", 60.0, depth, own)
    for nearest in (None, compute_nearest(travel, index_depth)):
        found = compute_arrivals(
            standing, travel, "tankautospuit", call_handling_s=60.0, depth=depth, nearest=nearest, only_region=own
        )
        assert same(found, *slow)


def test_ranking_in_threads_equals_the_slow_one() -> None:
    standing, travel = small_world(5, areas=20_001, origins=9, units=14)
    found = compute_arrivals(
        standing, travel, "redvoertuig", call_handling_s=90.0, depth=3, nearest=compute_nearest(travel, 6)
    )
    assert same(found, *rank_slowly(standing, travel, "redvoertuig", 90.0, 3))


def test_nearest_lists_origins_by_drive_then_row() -> None:
    _, travel = small_world(3)
    travel = replace(travel, drive_s=np.array([[50, 20, 65535, 20]], dtype=np.uint16))
    key = compute_nearest(travel, 4).key[0]
    assert [(int(k) >> 16, int(k) & 0xFFFF) for k in key[:3]] == [(20, 1), (20, 3), (50, 0)]
    assert key[3] == 0xFFFFFFFF


def test_any_of_several_capabilities_is_suitable() -> None:
    standing, travel = small_world(1)
    either = compute_arrivals(standing, travel, ("tankautospuit", "redvoertuig"), call_handling_s=0.0, depth=12)
    column = standing.capabilities.any(axis=1)
    wide = replace(standing, capability_names=("beide",), capabilities=column[:, None])
    assert np.array_equal(either.unit, compute_arrivals(wide, travel, "beide", call_handling_s=0.0, depth=12).unit)


def test_each_area_has_its_own_call_handling() -> None:
    standing, travel = small_world(2)
    handling = np.arange(len(travel.drive_s), dtype=np.float32)
    plain = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=0.0)
    later = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=handling)
    assert np.array_equal(later.response_s, plain.response_s + handling[:, None])


def test_an_index_of_other_drive_times_is_refused() -> None:
    standing, travel = small_world(1)
    slower = replace(travel, drive_s=travel.drive_s + np.uint16(1))
    with pytest.raises(ValueError, match="andere reistijden"):
        compute_arrivals(standing, slower, "tankautospuit", call_handling_s=0.0, nearest=compute_nearest(travel))


def test_a_unit_at_an_origin_without_drive_times_is_refused() -> None:
    standing, travel = small_world(1)
    away = replace(standing, origin=np.full(len(standing), 7, np.int32))
    with pytest.raises(ValueError, match="op vertrekpunt 7; de reistijden kennen er 7"):
        compute_arrivals(away, travel, "tankautospuit", call_handling_s=0.0)


def test_an_unknown_capability_is_named() -> None:
    standing, travel = small_world(1)
    with pytest.raises(KeyError, match="onbekende inzetmogelijkheid 'vliegtuig'"):
        compute_arrivals(standing, travel, "vliegtuig", call_handling_s=0.0)
