"""A map as a drawing: areas filled by class, regions outlined, stations as dots, sharp at any size."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.reports.colours import MISSING_COLOUR, Scale
from slagkracht.reports.drawing import Shapes

Floats = npt.NDArray[np.float64]

Frame = tuple[float, float, float, float]
"""West, south, east, north in RD New."""

Label = tuple[float, float, str]
"""x, y in RD New and the text that is written there."""

FONT = "Libertinus Serif"
INK = "#16213a"


def draw_map(
    cells: Shapes,
    values: Floats,
    scale: Scale,
    outlines: Shapes,
    frame: Frame,
    *,
    faded: npt.NDArray[np.bool_] | None = None,
    points: Floats | None = None,
    labels: Sequence[Label] = (),
    letter: int = 200,
    width: int = 1000,
) -> str:
    """SVG of ``cells`` [D] coloured by ``values`` [D] (nan = missing, hatched) within ``frame``.

    ``faded`` bool [D] cells that only give context · ``points`` [N, 2] stations · ``labels`` names to write, ``letter``
    tenths of a unit high · ``width`` of the drawing in units.
    """
    west, south, east, north = frame
    scaling = width / (east - west)
    height = round((north - south) * scaling)
    inside = shapely.box(west, south, east, north)

    def path(shapes: Shapes) -> str:
        return _trace(shapes, frame, scaling)

    seen = shapely.intersects(cells, inside)
    context = np.zeros(len(cells), np.bool_) if faded is None else faded
    of_class = np.array([-1 if np.isnan(v) else bisect_right(scale.breaks, v) for v in values.tolist()])
    drawn = []
    if (seen & context).any():
        drawn.append(f'<path fill="#ffffff" stroke="#e2e4e1" stroke-width="6" d="{path(cells[seen & context])}"/>')
    for index, colour in [(-1, "url(#missing)"), *enumerate(scale.colours)]:
        chosen = seen & ~context & (of_class == index)
        if chosen.any():
            edge = MISSING_COLOUR if index < 0 else colour
            drawn.append(f'<path fill="{colour}" stroke="{edge}" stroke-width="6" d="{path(cells[chosen])}"/>')
    near = outlines[shapely.intersects(outlines, inside)]
    drawn.append(f'<path fill="none" stroke="{INK}" stroke-width="14" stroke-linejoin="round" d="{path(near)}"/>')
    if points is not None and len(points):
        size = 40 if faded is not None else 17
        for x, y in points.tolist():
            if west <= x <= east and south <= y <= north:
                drawn.append(
                    f'<circle cx="{(x - west) * scaling * 10:.0f}" cy="{(north - y) * scaling * 10:.0f}" r="{size}" '
                    f'fill="#ffffff" stroke="{INK}" stroke-width="{size // 3}"/>'
                )
    for x, y, text in labels:
        place = f'x="{(x - west) * scaling * 10:.0f}" y="{(north - y) * scaling * 10:.0f}"'
        halo = 'fill="#ffffff" stroke="#ffffff" stroke-width="70" stroke-linejoin="round"'
        for style in (halo, f'fill="{INK}"'):
            font = f'font-family="{FONT}" font-size="{letter}" text-anchor="middle"'
            drawn.append(f"<text {place} {style} {font}>{escape(text)}</text>")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * 10} {height * 10}" width="{width}" '
        f'height="{height}"><defs><pattern id="missing" width="60" height="60" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="60" height="60" fill="#ffffff"/><rect width="22" height="60" '
        f'fill="{MISSING_COLOUR}"/></pattern></defs>'
        f"{''.join(drawn)}</svg>"
    )


def draw_regions(outlines: Shapes, classes: Sequence[str], titles: Sequence[str], *, width: int = 420) -> str:
    """SVG of regions [R], each with a class that the page's style sheet colours and a title that says what it means.

    It is read out as one picture by the name that the page gives it; a table beside it has to say the same.
    """
    frame = compute_frame(outlines, 0.01)
    west, south, east, north = frame
    height = round((north - south) * width / (east - west))
    drawn = [
        f'<path class="{escape(kind)}" d="{_trace(outlines[r : r + 1], frame, width / (east - west))}">'
        f"<title>{escape(title)}</title></path>"
        for r, (kind, title) in enumerate(zip(classes, titles, strict=True))
    ]
    return f'<svg viewBox="0 0 {width * 10} {height * 10}" aria-hidden="true">{"".join(drawn)}</svg>'


def _trace(shapes: Shapes, frame: Frame, scaling: float) -> str:
    """Path data in tenths of a unit; a shape is clipped to the frame when it crosses it."""
    west, _, _, north = frame
    inside = shapely.box(*frame)
    pieces = []
    for shape in shapes:
        if not inside.contains_properly(shape):
            shape = shapely.intersection(shape, inside)
        for polygon in shapely.get_parts(shape):
            if polygon.geom_type != "Polygon" or polygon.is_empty:
                continue
            for ring in (polygon.exterior, *polygon.interiors):
                xy = shapely.get_coordinates(ring)[:-1]
                grid = np.round(
                    np.stack([(xy[:, 0] - west) * scaling, (north - xy[:, 1]) * scaling], axis=1) * 10
                ).astype(int)
                steps = np.diff(grid, axis=0)
                steps = steps[(steps != 0).any(axis=1)]
                if len(steps) < 2:  # a sliver thinner than the grid has no face, and no valid path
                    continue
                start = f"M{grid[0, 0]} {grid[0, 1]}"
                pieces.append(start + "l" + " ".join(f"{dx} {dy}" for dx, dy in steps.tolist()) + "z")
    return "".join(pieces)


def compute_frame(shapes: Shapes, margin: float = 0.04, shape: float = 0.0) -> Frame:
    """The frame around shapes with a margin; ``shape`` (height / width) widens it to that form when not zero."""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    wide, high = (east - west) * (1 + 2 * margin), (north - south) * (1 + 2 * margin)
    if shape:
        wide, high = max(wide, high / shape), max(high, wide * shape)
    x, y = (west + east) / 2, (south + north) / 2
    return (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
