"""Columns and shapes come out of a page as they went in, and nothing is wrapped or rounded away on the way."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.reports.columns import DEGREE, KINDS, fit_column, pack_block, pack_column, pack_shapes
from slagkracht.sources.geometry import RD, WGS84, transform


def read_block(packed: str) -> Any:
    """The slow obvious reader of what pack_block writes: the data with its columns in it."""
    whole = gzip.decompress(base64.b64decode(packed))
    at = 4 + int.from_bytes(whole[:4], "little")
    found = json.loads(whole[4:at])

    def fill(value: Any) -> Any:
        nonlocal at
        if isinstance(value, dict) and "column" in value:
            dtype = np.dtype(KINDS[value["column"]])
            planes = [whole[at + part * value["count"] :][: value["count"]] for part in range(dtype.itemsize)]
            at += dtype.itemsize * value["count"]
            return np.frombuffer(bytes(byte for number in zip(*planes) for byte in number), dtype)
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        return [fill(inner) for inner in value] if isinstance(value, list) else value

    read = fill(found)
    assert at == len(whole)
    return read


@given(
    st.lists(st.integers(0, 65_535)), st.lists(st.integers(-32_768, 32_767)),
    st.lists(st.floats(width=32, allow_nan=False)),
)  # fmt: skip
def test_columns_come_back_as_they_went_in(counts: list[int], steps: list[int], shares: list[float]) -> None:
    given_data = {
        "naam": "</script>",
        "lijst": [{"aantal": fit_column(np.array(counts), "u16")}, fit_column(np.array(steps), "i16"), None],
        "deel": fit_column(np.array(shares), "f32"),
    }
    read = read_block(pack_block(given_data))
    assert read["naam"] == "</script>"
    assert read["lijst"][0]["aantal"].tolist() == counts
    assert read["lijst"][1].tolist() == steps
    assert read["lijst"][2] is None
    assert read["deel"].tolist() == shares


def test_what_is_no_column_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        pack_block({"gebieden": {1, 2}})


def unpack_shapes(packed: str) -> list[shapely.Geometry]:
    """The slow obvious reader of what pack_shapes writes: polygons in degrees."""
    stream = iter(base64.b64decode(packed))

    def number() -> int:
        value = shift = 0
        while True:
            byte = next(stream)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def step() -> int:
        zigzag = number()
        return -(zigzag + 1) // 2 if zigzag & 1 else zigzag // 2

    x = y = 0
    shapes = []
    for _ in range(number()):
        polygons = []
        for _ in range(number()):
            rings = []
            for _ in range(number()):
                ring = []
                for _ in range(number()):
                    x, y = x + step(), y + step()
                    ring.append((x / DEGREE, y / DEGREE))
                rings.append(ring)
            polygons.append(shapely.Polygon(rings[0], rings[1:]))
        shapes.append(shapely.MultiPolygon(polygons))
    assert next(stream, None) is None
    return shapes


@given(
    st.lists(
        st.tuples(st.integers(10_000, 270_000), st.integers(310_000, 600_000), st.integers(300, 90_000)),
        min_size=1,
        max_size=6,
    )
)
def test_shapes_come_back_within_a_metre(places: list[tuple[int, int, int]]) -> None:
    given_shapes = []
    for x, y, side in places:
        square = shapely.box(x, y, x + side, y + side)
        hole = shapely.box(x + side / 3, y + side / 3, x + side / 2, y + side / 2)
        given_shapes.append(shapely.MultiPolygon([square - hole, shapely.box(x - 500, y, x - 200, y + 100)]))
    back = unpack_shapes(pack_shapes(np.array(given_shapes, dtype=object)))
    for shape, found in zip(given_shapes, back, strict=True):
        expected = np.stack(transform(*shapely.get_coordinates(shape).T, RD, WGS84), axis=1)
        assert np.abs(shapely.get_coordinates(found) - expected).max() <= 0.5001 / DEGREE
        assert shapely.get_num_geometries(found) == 2


def test_a_line_along_a_border_is_no_surface() -> None:
    square = shapely.box(180_000, 440_000, 181_000, 441_000)
    mixed = shapely.GeometryCollection([shapely.LineString([(0, 300_000), (9, 300_009)]), square])
    back = unpack_shapes(pack_shapes(np.array([mixed, square], dtype=object)))
    assert [round(shape.area, 9) for shape in back] == [round(back[1].area, 9)] * 2


@pytest.mark.parametrize(("kind", "value"), [("u8", 256), ("u16", -1), ("i16", 32_768)])
def test_a_value_that_does_not_fit_is_never_wrapped(kind: str, value: int) -> None:
    with pytest.raises(OverflowError):
        pack_column(np.array([0, value]), kind)


def test_a_live_screen_gets_the_same_column_in_base64() -> None:
    packed = pack_column(np.array([[1, 258], [3, 4]]), "u16")
    assert packed["column"] == "u16"
    assert base64.b64decode(packed["data"]) == b"\x01\x00\x02\x01\x03\x00\x04\x00"
