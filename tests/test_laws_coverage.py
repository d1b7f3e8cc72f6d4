"""Laws of coverage: what holds in every country, whatever its stations, roads and norms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.areas import Areas
from slagkracht.coverage import (
    Coverage,
    Norm,
    compute_arrivals,
    compute_chance,
    compute_expected,
    compute_formation,
    compute_nominal,
    compute_percentile,
    compute_rankings,
    judge,
    parse_norm,
)
from slagkracht.resources import Standing
from slagkracht.rules import Rule
from slagkracht.travel import Travel
from test_coverage_arrivals import small_world

SEEDS = st.integers(0, 10**6)


def norm_of(limit_s: float, n: int = 1, statistic: str = "nominaal") -> Norm:
    rule = Rule("wet", "eenheidsnorm", "Wet", "deze test", "vastgesteld", "", ())
    values = {"inzetmogelijkheid": "tankautospuit", "eenheid": n, "grens_s": limit_s, "maatstaf": statistic}
    return parse_norm(rule, {**values, **({"percentiel": 0.7} if statistic == "percentiel" else {})})


def country(seed: int) -> tuple[Standing, Travel, Areas]:
    standing, travel = small_world(seed, areas=12, origins=8, units=14)
    rng = np.random.default_rng(seed)
    count = len(travel.drive_s)
    areas = Areas(
        area_id=np.arange(count).astype(str), x_m=np.zeros(count), y_m=np.zeros(count),
        region=rng.integers(0, 3, count).astype(np.int32), municipality=np.full(count, "GM0001"),
        population=rng.integers(0, 5000, count).astype(np.float32), object_classes=("woonfunctie",),
        objects=rng.integers(0, 900, (count, 1)).astype(np.float32), area_class=np.full(count, ""),
        size_m=np.full(count, 500, np.float32),
    )  # fmt: skip
    return standing, travel, areas


def cover(seed: int, norm: Norm, standing: Standing | None = None, alone: bool = False) -> Coverage:
    given_standing, travel, areas = country(seed)
    standing = standing or given_standing
    arrivals = compute_rankings(
        norm, standing, travel, call_handling_s=60.0, only_region=areas.region if alone else None
    )
    return judge(norm, areas, arrivals, standing, window="dag", alone=alone, travel_spread=0.2)


def people_in_time(coverage: Coverage) -> float:
    return float(coverage.population[coverage.in_time].sum())


@given(SEEDS, st.integers(0, 13), st.integers(1, 3))
@settings(max_examples=80, deadline=None)
def test_a_unit_more_never_worsens_and_a_unit_less_never_improves(seed: int, row: int, n: int) -> None:
    standing, _, _ = country(seed)
    free = standing.free.copy()
    free[row] = False
    norm = norm_of(480, n)
    fewer, more = cover(seed, norm, replace(standing, free=free)), cover(seed, norm)
    assert (more.response_s <= fewer.response_s).all()
    assert (more.in_time >= fewer.in_time).all()
    assert people_in_time(more) >= people_in_time(fewer)


@given(SEEDS, st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_closing_a_station_never_improves(seed: int, station: int) -> None:
    standing, _, _ = country(seed)
    closed = replace(standing, free=standing.free & (standing.origin != station))
    before, after = cover(seed, norm_of(480)), cover(seed, norm_of(480), closed)
    assert (after.response_s >= before.response_s).all()
    assert people_in_time(after) <= people_in_time(before)


@given(SEEDS, st.integers(1, 3))
@settings(max_examples=80, deadline=None)
def test_together_is_never_worse_than_alone(seed: int, n: int) -> None:
    norm = norm_of(480, n)
    alone, together = cover(seed, norm, alone=True), cover(seed, norm)
    assert (together.response_s <= alone.response_s).all()
    assert (together.in_time >= alone.in_time).all()
    _, _, areas = country(seed)
    for region in range(3):
        here = areas.region == region
        assert (together.in_time & here).sum() >= (alone.in_time & here).sum()


@given(SEEDS, st.integers(1, 1800), st.integers(0, 900), st.sampled_from(["nominaal", "percentiel", "gemiddelde"]))
@settings(max_examples=80, deadline=None)
def test_a_longer_norm_never_opens_a_gap(seed: int, limit_s: int, longer_s: int, statistic: str) -> None:
    short, long = (cover(seed, norm_of(limit, 1, statistic)) for limit in (limit_s, limit_s + longer_s))
    assert (long.in_time >= short.in_time).all()
    assert (long.objects_in_time >= short.objects_in_time).all()
    assert (long.chance >= short.chance - 1e-6).all()


@given(SEEDS, st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_next_unit_is_never_earlier(seed: int, n: int) -> None:
    standing, travel, _ = country(seed)
    arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=60.0)
    assert (compute_nominal(arrivals, n + 1) >= compute_nominal(arrivals, n)).all()
    comes = [compute_expected(arrivals, standing, 0.2, k)[1] for k in (n, n + 1)]
    assert (comes[1] <= comes[0] + 1e-6).all()


@given(SEEDS, st.floats(0.05, 0.9), st.floats(0.0, 0.09))
@settings(max_examples=40, deadline=None)
def test_a_higher_percentile_is_never_earlier(seed: int, q: float, more: float) -> None:
    standing, travel, _ = country(seed)
    arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=60.0)
    low, high = (compute_percentile(arrivals, standing, 0.2, 1, share) for share in (q, q + more))
    assert (high >= low - 0.1)[np.isfinite(low)].all()
    assert np.isinf(high[np.isinf(low)]).all()


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_a_formation_is_complete_no_sooner_than_its_slowest_part(seed: int) -> None:
    standing, travel, _ = country(seed)
    pumps, aerials = (
        compute_arrivals(standing, travel, capability, call_handling_s=60.0)
        for capability in ("tankautospuit", "redvoertuig")
    )
    complete_s, _ = compute_formation([pumps, aerials], [2, 1])
    assert (complete_s >= compute_nominal(pumps, 2)).all()
    assert (complete_s >= compute_nominal(aerials, 1)).all()


@given(SEEDS, st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_all_ready_and_exact_is_the_plain_map(seed: int, n: int) -> None:
    standing, _, _ = country(seed)
    certain = replace(
        standing,
        readiness=np.ones_like(standing.readiness),
        turnout_spread=np.zeros_like(standing.turnout_spread),
    )
    _, travel, areas = country(seed)
    norm = norm_of(480, n)
    arrivals = compute_rankings(norm, certain, travel, call_handling_s=60.0)
    plain = judge(norm, areas, arrivals, certain, window="dag")
    assert np.array_equal(plain.chance, plain.in_time)
    assert np.array_equal(compute_percentile(arrivals[0], certain, 0.0, n, 0.5), plain.response_s)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_chances_are_chances_and_grow_with_readiness(seed: int) -> None:
    standing, travel, _ = country(seed)
    standing = replace(standing, turnout_spread=np.zeros_like(standing.turnout_spread))
    readier = replace(standing, readiness=np.where(standing.readiness > 0, 1, 0).astype(np.float32))
    arrivals = compute_arrivals(standing, travel, "tankautospuit", call_handling_s=60.0)
    chance, surer = (compute_chance(arrivals, table, 0.0, 1, 480.0) for table in (standing, readier))
    assert ((chance >= 0) & (chance <= 1)).all()
    assert (surer >= chance - 1e-6).all()
