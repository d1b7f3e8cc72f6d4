"""Places against the geodesics and transformations of PROJ, and places that cannot be right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from slagkracht.sources.geometry import RD, WGS84, local_crs, step_lengths, transform, what_is_wrong

GEOD = Geod(ellps="WGS84")


def test_the_tower_of_amersfoort_is_the_origin_of_rd() -> None:
    x_m, y_m = transform(np.array([5.38720621]), np.array([52.15517440]))
    assert (x_m[0], y_m[0]) == pytest.approx((155_000, 463_000), abs=0.5)


@given(x=st.floats(10_000, 280_000), y=st.floats(300_000, 620_000))
def test_there_and_back_is_the_same_place(x: float, y: float) -> None:
    lon, lat = transform(np.array([x]), np.array([y]), RD, WGS84)
    again = transform(lon, lat)
    assert (again[0][0], again[1][0]) == pytest.approx((x, y), abs=0.01)


@given(
    lon=st.floats(-179, 179), lat=st.floats(-70, 70), east=st.floats(-0.05, 0.05), north=st.floats(-0.05, 0.05)
)  # fmt: skip
def test_steps_are_as_long_as_geodesics(lon: float, lat: float, east: float, north: float) -> None:
    step = step_lengths(np.array([lon, lon + east]), np.array([lat, lat + north]))[0]
    assert step == pytest.approx(GEOD.inv(lon, lat, lon + east, lat + north)[2], rel=1e-5, abs=1e-3)


@pytest.mark.parametrize(
    ("lon", "lat", "word"),
    [(5.1, 52.1, ""), (52.1, 5.1, "verwisseld"), (155_000, 463_000, "RD-meters"),
     (13.4, 52.5, "een plaats in Nederland"), (float("nan"), 52, "een plaats"), (0, 0, "een plaats")],
)  # fmt: skip
def test_what_is_wrong_is_named(lon: float, lat: float, word: str) -> None:
    assert word in what_is_wrong(lon, lat)
    assert bool(word) == bool(what_is_wrong(lon, lat))


@pytest.mark.parametrize(
    ("lon", "lat", "crs"), [(5.1, 52.1, "EPSG:28992"), (9.5, 47.1, "EPSG:32632"), (174.8, -36.9, "EPSG:32760")]
)
def test_each_country_has_its_metric_system(lon: float, lat: float, crs: str) -> None:
    assert local_crs(np.array([lon]), np.array([lat])) == crs
