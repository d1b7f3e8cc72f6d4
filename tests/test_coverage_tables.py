"""Coverage added up: toyland by hand, percentiles against repeating every value, and the worst places first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.coverage import (
    Coverage,
    compute_class_table,
    compute_coverage,
    compute_gaps,
    compute_percentiles,
    compute_table,
)
from slagkracht.plan import Plan
from toyland import read_toyland


def cover(norm: str) -> tuple[Plan, Coverage]:
    plan, travel = read_toyland()
    return plan, compute_coverage(plan, travel, windows=("dag",), norms=(norm,))[0]


def test_the_nation_by_hand() -> None:
    plan, coverage = cover("eerste")
    table = compute_table(coverage, plan.areas, plan.regions)
    assert table.name.tolist() == ["Nederland"]
    assert table.population[0] == 42_850
    assert table.in_time[0] == 41_800  # all but A05 (400), A10 (600) and the island A12 (50)
    assert table.share[0] == pytest.approx(41_800 / 42_850)
    assert table.unreachable[0] == 50
    assert (table.median_s[0], table.p90_s[0]) == (340, 420)  # 27,000 within 340 s; 38,500 in 405, 39,300 in 420
    assert (table.objects[0], table.objects_in_time[0]) == (18_657, 18_185)
    hand = 0.996 * 15_000 + 0.99 * (2_500 + 1_200 + 12_000 + 7_000) + 0.9 * 1_800 + 0.8 * 1_500 + 0.85 * 800
    assert table.expected_share[0] == pytest.approx(hand / 42_850, abs=1e-6)


def test_regions_by_hand() -> None:
    plan, coverage = cover("eerste")
    table = compute_table(coverage, plan.areas, plan.regions, "regio")
    assert table.name.tolist() == ["VR91", "VR92", "VR93"]
    assert table.population.tolist() == [20_900, 21_100, 850]
    assert table.in_time.tolist() == [20_500, 20_500, 800]
    assert table.unreachable.tolist() == [0, 0, 50]
    assert table.median_s.tolist() == [340, 245, 420]
    assert table.p90_s.tolist() == [480, 405, 420]


def test_municipalities_and_classes_add_up_to_the_nation() -> None:
    plan, coverage = cover("gebied")
    nation = compute_table(coverage, plan.areas, plan.regions)
    for by in ("regio", "gemeente", "klasse"):
        table = compute_table(coverage, plan.areas, plan.regions, by)
        for column in ("population", "in_time", "unreachable", "objects", "objects_in_time"):
            assert getattr(table, column).sum() == pytest.approx(getattr(nation, column)[0])
    table = compute_table(coverage, plan.areas, plan.regions, "klasse")
    assert table.name.tolist() == ["", "dorp", "stad"]
    assert np.isnan(table.share[0])  # A12 has no class, so nobody there is judged
    with pytest.raises(ValueError, match="kies uit land"):
        compute_table(coverage, plan.areas, plan.regions, "straat")


def test_a_percentile_may_be_that_nobody_comes() -> None:
    plan, coverage = cover("gebied")  # A11's only unit is ready in 85 % of cases, so its 95th percentile is never
    table = compute_table(coverage, plan.areas, plan.regions, "regio")
    assert np.isinf(table.median_s[2])
    assert table.unreachable[2] == 0  # somebody can come: that is another thing


def test_object_classes_by_hand() -> None:
    _, coverage = cover("eerste")
    table = compute_class_table(coverage)
    assert table.name.tolist() == ["woonfunctie", "kantoorfunctie", "celfunctie"]
    assert table.objects.tolist() == [18_450, 205, 2]
    assert table.objects_in_time.tolist() == [18_450 - 180 - 260 - 30, 203, 2]  # A05, A10, A12; two offices in A05
    assert table.unreachable.tolist() == [30, 0, 0]


def test_gaps_are_named_worst_first() -> None:
    plan, coverage = cover("eerste")
    gaps = compute_gaps(coverage)
    assert plan.areas.area_id[gaps.area].tolist() == ["A12", "A05", "A10"]
    assert gaps.late_s.tolist() == [np.inf, 130, 60]
    assert gaps.population.tolist() == [50, 400, 600]
    assert gaps.objects.tolist() == [30, 182, 260]


def test_of_gaps_equally_late_the_most_people_come_first() -> None:
    plan, coverage = cover("eerste")
    even = coverage.response_s.copy()
    even[4] = 540
    gaps = compute_gaps(replace(coverage, response_s=even))
    assert gaps.late_s.tolist() == [np.inf, 60, 60]
    assert plan.areas.area_id[gaps.area].tolist() == ["A12", "A10", "A05"]  # 600 people before 400


def test_gaps_equal_in_all_come_in_the_order_of_the_plan() -> None:
    _, coverage = cover("eerste")
    even, people = coverage.response_s.copy(), coverage.population.copy()
    even[4], people[4] = 540, people[9]
    gaps = compute_gaps(replace(coverage, response_s=even, population=people))
    assert gaps.area.tolist() == [11, 4, 9]


def test_a_gap_for_objects_alone_is_a_gap() -> None:
    _, coverage = cover("eerste")
    strict = replace(
        coverage, object_limit_s=np.full((12, 3), 300, np.float32), objects_in_time=np.zeros((12, 3), bool)
    )
    gaps = compute_gaps(strict)
    a02 = gaps.area.tolist().index(1)
    assert gaps.population[a02] == 0
    assert gaps.late_s[a02] == 40
    assert gaps.objects[a02] == 2620


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 4)), min_size=1, max_size=30),
    st.sampled_from([0.1, 0.5, 0.9, 1.0]),
)
def test_percentiles_equal_repeating_each_value(entries: list[tuple[int, int, int]], share: float) -> None:
    group, value, weight = (np.array(column) for column in zip(*entries, strict=True))
    (found,) = compute_percentiles(value.astype(np.float32), weight.astype(float), group, 4, (share,))
    for g in range(4):
        repeated = np.sort(np.repeat(value[group == g], weight[group == g]))
        if len(repeated):
            assert found[g] == repeated[int(np.ceil(share * len(repeated) - 1e-9)) - 1]
        else:
            assert np.isnan(found[g])
