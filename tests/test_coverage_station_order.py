"""Station orders: every station once, the quickest first, and the places where a given table departs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.coverage import compare_station_order, compute_nearest, compute_station_order
from slagkracht.resources import compute_standing
from test_coverage_arrivals import rank_slowly, small_world
from toyland import read_toyland


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_order_equals_the_first_unit_of_every_station(seed: int) -> None:
    standing, travel = small_world(seed)
    order = compute_station_order(
        standing, travel, "tankautospuit", call_handling_s=60.0, depth=7, nearest=compute_nearest(travel, 4)
    )
    unit, response = rank_slowly(standing, travel, "tankautospuit", 60.0, len(standing))
    for area in range(len(order)):
        first: dict[int, float] = {}
        for u, r in zip(unit[area], response[area], strict=True):
            if u >= 0:
                first.setdefault(int(standing.origin[u]), float(r))
        found = [int(s) for s in order.station[area] if s >= 0]
        assert sorted(found) == sorted(first)
        assert [float(r) for r in order.response_s[area] if np.isfinite(r)] == [first[s] for s in found]
        assert sorted(first.values()) == [first[s] for s in found]


def test_toyland_by_hand() -> None:
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    order = compute_station_order(
        standing, travel, "tankautospuit", call_handling_s=60.0, depth=4, areas=np.array([5, 9, 11], np.int32)
    )
    names = [[str(plan.stations.station_id[s]) if s >= 0 else "-" for s in row] for row in order.station]
    assert names == [["Z1", "N2", "N1", "Z2"], ["Z2", "Z1", "N1", "N2"], ["-"] * 4]
    assert order.response_s[0].tolist() == [395, 920, 940, 970]


def test_call_handling_per_area_goes_with_the_rows() -> None:
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    handling = np.arange(12, dtype=np.float32)
    rows = np.array([5], np.int32)
    order = compute_station_order(standing, travel, "tankautospuit", call_handling_s=handling, areas=rows)
    assert order.response_s[0, 0] == 340


def test_a_given_table_is_held_against_it() -> None:
    """A06 still starts with its own N1 (545 s later); A10 names an empty station; A12 is right that nobody comes."""
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    rows = np.array([5, 9, 11], np.int32)
    order = compute_station_order(standing, travel, "tankautospuit", call_handling_s=60.0, depth=4, areas=rows)
    ids = plan.stations.station_id.tolist()
    given_table = np.array([[ids.index("N1"), ids.index("Z1")], [ids.index("Z2"), ids.index("E1")], [-1, -1]])
    found = compare_station_order(order, given_table.astype(np.int32))
    assert found.area.tolist() == [5, 9]
    assert found.place.tolist() == [0, 1]
    assert found.lost_s[0] == 545
    assert np.isnan(found.lost_s[1])
    assert [ids[s] for s in found.computed] == ["Z1", "Z1"]
    assert [ids[s] for s in found.given] == ["N1", "E1"]
    assert len(compare_station_order(order, order.station)) == 0
    with pytest.raises(ValueError, match="2 gebieden"):
        compare_station_order(order, order.station[:2])


def test_a_station_whose_unit_is_out_is_not_in_the_order() -> None:
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    standing = replace(standing, free=plan.units.unit_id != "Z1-TS")
    order = compute_station_order(standing, travel, "tankautospuit", call_handling_s=60.0, depth=6)
    assert plan.stations.station_id.tolist().index("Z1") not in order.station


def test_the_index_goes_with_the_rows() -> None:
    plan, travel = read_toyland()
    standing = compute_standing(plan.units, plan.stations, "dag")
    rows = np.array([9, 5], np.int32)
    found = [
        compute_station_order(standing, travel, "tankautospuit", call_handling_s=60.0, areas=rows, nearest=nearest)
        for nearest in (None, compute_nearest(travel))
    ]
    assert np.array_equal(found[0].station, found[1].station)
