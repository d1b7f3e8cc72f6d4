"""Columns, shapes, scales and tables on their way into a page: as few bytes as a browser can unpack in a blink."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.reports.colours import MISSING_COLOUR, Scale
from slagkracht.reports.drawing import Shapes
from slagkracht.reports.figures import Figures
from slagkracht.sources.geometry import RD, WGS84, transform

Column = npt.NDArray[Any]

DEGREE = 100_000  # coordinates are kept to 1e-5 degree, about a metre
ENDLESS = 32_767  # infinite, and whatever is longer than nine hours
KINDS = {"u8": "<u1", "u16": "<u2", "i16": "<i2", "f32": "<f4"}


def fit_column(values: npt.NDArray[Any], kind: str) -> Column:
    """A flat column of ``kind``, one of u8, u16, i16, f32. Raises OverflowError when a value does not fit."""
    dtype = np.dtype(KINDS[kind])
    if dtype.kind != "f" and values.size:
        bounds = np.iinfo(dtype)
        if values.min() < bounds.min or values.max() > bounds.max:
            raise OverflowError(f"{values.min()}…{values.max()} past {kind}")
    return np.ascontiguousarray(values, dtype).reshape(-1)


def pack_block(data: dict[str, Any]) -> str:
    """Data with columns in it as text for a script element (read by readFigures in web/src/data/columns.js).

    Base64 of gzip of: the length of the JSON (four bytes, little-endian), the JSON, and the columns that it points to,
    each with the first bytes of all its numbers before the second: that is how numbers alike compress best.
    """
    kinds = {np.dtype(text): kind for kind, text in KINDS.items()}
    columns: list[bytes] = []

    def point(value: Any) -> dict[str, Any]:
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{type(value).__name__} kan niet op de kaartpagina")
        columns.append(value.view(np.uint8).reshape(-1, value.itemsize).T.tobytes())
        return {"column": kinds[value.dtype], "count": len(value)}

    text = json.dumps(data, ensure_ascii=False, default=point).encode()
    whole = b"".join([len(text).to_bytes(4, "little"), text, *columns])
    return base64.b64encode(gzip.compress(whole, 6, mtime=0)).decode()


def pack_scale(scale: Scale) -> dict[str, Any]:
    """The limits, colours and words of a scale; the last class is what is missing."""
    classes = [*zip(scale.colours, scale.labels), (MISSING_COLOUR, scale.missing_label)]
    return {
        "breaks": [min(limit, ENDLESS) for limit in scale.breaks],
        "classes": [{"colour": colour, "label": label} for colour, label in classes],
    }


def pack_figures(table: Figures) -> dict[str, Any]:
    """A table for the page: no figure is null."""

    def plain(row: Sequence[Any]) -> list[Any]:
        return [None if isinstance(cell, float) and not np.isfinite(cell) else cell for cell in row]

    return {
        "title": table.title,
        "columns": [{"dutch": dutch, "unit": unit} for dutch, unit in table.columns],
        "rows": [plain(row) for row in table.rows],
        "total": None if table.total is None else plain(table.total),
    }


def pack_column(values: npt.NDArray[Any], kind: str) -> dict[str, str]:
    """A column for a live screen: ``kind`` as in fit_column, its little-endian bytes in base64."""
    return {"column": kind, "data": base64.b64encode(fit_column(values, kind).tobytes()).decode()}


def pack_shapes(shapes: Shapes) -> str:
    """Shapes for a live screen: what encode_shapes says, in base64."""
    return base64.b64encode(encode_shapes(shapes).tobytes()).decode()


def encode_shapes(shapes: Shapes) -> Column:
    """Polygons in RD New as WGS84 steps: per shape the counts of its polygons, rings and points, then the points.

    Every number is a base-128 varint; a coordinate is a zigzag step from the one before, in units of 1 / DEGREE.
    """
    numbers: list[npt.NDArray[np.int64]] = [np.array([len(shapes)])]
    last = np.zeros(2, np.int64)
    grid = _grid(shapes)
    at = 0
    for shape in shapes:
        polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and not p.is_empty]
        counted = sum(shapely.get_num_coordinates(p) for p in polygons)
        at_shape, at = at, at + int(shapely.get_num_coordinates(shape))
        clean = counted == at - at_shape  # else lines and points along a border stand among the surfaces
        points = grid[at_shape:at] if clean else _grid(np.array(polygons, dtype=object))
        numbers.append(np.array([len(polygons)]))
        start = 0
        for polygon in polygons:
            rings = [polygon.exterior, *polygon.interiors]
            numbers.append(np.array([len(rings)]))
            for ring in rings:
                count = shapely.get_num_coordinates(ring)
                ring_points = points[start : start + count - 1]  # the page closes the ring
                start += count
                steps = np.diff(np.vstack([last, ring_points]), axis=0).ravel()
                last = ring_points[-1]
                numbers += [np.array([len(ring_points)]), (steps << 1) ^ (steps >> 63)]
    return _varints(np.concatenate(numbers))


def _grid(shapes: Shapes) -> npt.NDArray[np.int64]:
    """The points of shapes, in their order, in units of 1 / DEGREE."""
    x, y = shapely.get_coordinates(shapes).T
    return np.round(np.stack(transform(x, y, RD, WGS84), axis=1) * DEGREE).astype(np.int64)


def _varints(numbers: npt.NDArray[np.int64]) -> Column:
    """Base-128 varints, least significant group first, of non-negative numbers below 2**28."""
    groups = (numbers[:, None] >> np.array([0, 7, 14, 21])) & 127
    length = 1 + (numbers[:, None] >= np.array([1 << 7, 1 << 14, 1 << 21])).sum(axis=1)
    place = np.arange(4)
    more = place < (length - 1)[:, None]
    packed: Column = (groups | more << 7)[place < length[:, None]].astype(np.uint8)
    return packed
