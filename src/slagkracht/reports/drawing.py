"""The country as shapes to draw: areas as cells, regions as outlines, both light enough for one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.areas import Areas
from slagkracht.plan import Plan

Shapes = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FAR_M = 1e6

MOST_CELLS = 20_000
"""More areas than this are drawn together: a screen cannot show them apart and a browser would not keep up."""


LAKE_M2 = 1.5e8
"""Ground without any area is land of the nearest region up to this size; what is larger is drawn as water."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """What is drawn of a plan.

    ``cells`` shapely geometry [D] in RD New · ``cell_of`` int64 [A] the cell that each area is drawn in ·
    ``shown`` int64 [D] the area that speaks for a cell (its most populous) · ``outlines`` shapely geometry [R] one per
    region · ``aggregated`` a Dutch sentence when areas were drawn together, else "" · ``made_up`` a Dutch sentence when
    cells or outlines were derived from points instead of given, else "".
    """

    cells: Shapes
    cell_of: Indices
    shown: Indices
    outlines: Shapes
    aggregated: str
    made_up: str


def compute_drawing(plan: Plan, polygons: Shapes | None = None, outlines: Shapes | None = None) -> Drawing:
    """Cells and outlines of a plan, in RD New.

    ``polygons`` shapely geometry [A] and ``outlines`` [R] where they are known; otherwise an area is drawn as the
    ground that is nearer to its point than to any other, no wider than its own size allows, and a region as its areas
    together. Above MOST_CELLS areas, those of one square and one region are drawn as one.
    """
    areas = plan.areas
    count = len(areas)
    derived = []
    if outlines is None:
        derived.append("regiogrenzen")
    if count > MOST_CELLS:
        cell_of, shown, side_m = _squares(areas)
        west, south = areas.x_m.min(), areas.y_m.min()
        column, row = (np.floor((v[shown] - v.min()) / side_m) for v in (areas.x_m, areas.y_m))
        cells = _boxes(column, row, west, south, side_m)
        aggregated = (
            f"{_dutch(count)} gebieden zijn voor het tekenen samengenomen tot {_dutch(len(shown))} vierkanten van "
            f"{_dutch(side_m)} m: het cijfer van een vierkant is het gemiddelde over zijn inwoners"
        )
    else:
        cell_of = shown = np.arange(count)
        aggregated = ""
        if polygons is not None:
            cells = _simplify(polygons)
        else:
            squares = _grid_squares(areas)
            cells = _nearest_ground(areas) if squares is None else squares
            if squares is None:
                derived.append("gebiedsgrenzen")
    region = areas.region[shown]
    if outlines is None:
        land = _land(cells, 0.5 * float(np.median(areas.size_m))) if "gebiedsgrenzen" in derived else None
        outlines = _outlines(cells if land is None else _nearest_ground(areas, np.inf), region, len(plan.regions), land)
    else:
        outlines = _simplify(outlines)
    made_up = f"De {' en '.join(derived)} op de kaart zijn afgeleid van punten, niet opgemeten." if derived else ""
    return Drawing(cells, cell_of, shown, outlines, aggregated, made_up)


def compute_cell_means(drawing: Drawing, values: npt.NDArray[Any], population: npt.NDArray[Any]) -> Floats:
    """``values`` [A] (nan = none) per cell, weighted by inhabitants: float64 [D].

    nan where more than half of a cell's people have none. Without aggregation these are the values themselves.
    """
    if not drawing.aggregated:
        return np.asarray(values, np.float64)
    weight = np.asarray(population, np.float64) + 1e-6  # an empty area still counts where nobody lives
    known = ~np.isnan(values)
    count = len(drawing.shown)
    total = np.bincount(drawing.cell_of, weight, count)
    having = np.bincount(drawing.cell_of, weight * known, count)
    sums = np.bincount(drawing.cell_of, np.where(known, values, 0.0) * weight, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(having * 2 >= total, sums / having, np.nan)
    return means


def compute_cell_sums(drawing: Drawing, values: npt.NDArray[Any]) -> Floats:
    """``values`` [A] added up per cell: float64 [D]."""
    sums: Floats = np.bincount(drawing.cell_of, np.asarray(values, np.float64), len(drawing.shown)).astype(np.float64)
    return sums


def _dutch(number: float) -> str:
    return f"{number:,.0f}".replace(",", ".")


def _squares(areas: Areas) -> tuple[Indices, Indices, float]:
    """Squares just large enough that at most MOST_CELLS remain, each of one region."""
    side_m = 250.0
    while True:
        column, row = (np.floor((v - v.min()) / side_m).astype(np.int64) for v in (areas.x_m, areas.y_m))
        keys = (areas.region.astype(np.int64) << 40) | (column << 20) | row
        _, cell_of = np.unique(keys, return_inverse=True)
        if cell_of.max() < MOST_CELLS:
            break
        side_m += 250.0
    by_people = np.lexsort((areas.population, cell_of))
    last = np.flatnonzero(np.diff(np.append(cell_of[by_people], -1)))
    return cell_of, by_people[last], side_m


def _simplify(shapes: Shapes, tolerance_m: float = 40.0) -> Shapes:
    """Fewer points, borders between neighbours still shared where they were."""
    if shapely.coverage_is_valid(shapes):
        return np.asarray(shapely.coverage_simplify(shapes, tolerance_m))
    return np.asarray(shapely.simplify(shapes, tolerance_m))


def _grid_squares(areas: Areas) -> Shapes | None:
    """Areas of one size that lie in one grid are its squares; None when they are not."""
    side = np.round(areas.size_m.astype(np.float64), 2)
    if len(np.unique(side)) != 1 or side[0] == 0:
        return None
    steps = [(v - v.min()) / side[0] for v in (areas.x_m, areas.y_m)]
    column, row = (np.round(step) for step in steps)
    if max(np.abs(steps[0] - column).max(), np.abs(steps[1] - row).max()) > 0.01:
        return None
    return _boxes(column, row, areas.x_m.min() - side[0] / 2, areas.y_m.min() - side[0] / 2, side[0])


def _boxes(column: Floats, row: Floats, west: float, south: float, side_m: float) -> Shapes:
    """The squares of a grid by column and row from its corner; neighbours share an edge to the last bit."""
    edges = (west + column * side_m, south + row * side_m, west + (column + 1) * side_m, south + (row + 1) * side_m)
    return np.asarray(shapely.box(*edges))


def _nearest_ground(areas: Areas, wide: float = 1.6) -> Shapes:
    """The ground nearer to each area's point than to any other, within a square of ``wide`` times its size."""
    points, where = np.unique(np.stack([areas.x_m, areas.y_m], axis=1), axis=0, return_inverse=True)
    half = np.minimum(0.5 * wide * np.maximum(areas.size_m.astype(np.float64), 1.0), FAR_M)
    squares = shapely.box(areas.x_m - half, areas.y_m - half, areas.x_m + half, areas.y_m + half)
    if len(points) < 3:
        return np.asarray(squares)
    ground = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), ordered=True))
    cells: Shapes = np.asarray(shapely.intersection(ground[where.reshape(-1)], squares))
    return cells


def _land(cells: Shapes, reach_m: float) -> shapely.Geometry:
    """All cells together, gaps up to ``reach_m`` to either side closed and everything but large waters filled."""
    joined = shapely.union_all(cells, grid_size=0.01)
    closed = shapely.simplify(
        shapely.buffer(shapely.buffer(joined, reach_m, quad_segs=2), -reach_m, quad_segs=2), reach_m / 5
    )
    parts = [part for part in shapely.get_parts(closed) if part.geom_type == "Polygon"]
    return shapely.union_all(
        [shapely.Polygon(p.exterior, [r for r in p.interiors if shapely.Polygon(r).area > LAKE_M2]) for p in parts]
    )


def _outlines(ground: Shapes, region: npt.NDArray[Any], count: int, land: shapely.Geometry | None) -> Shapes:
    """Each region as its ground together, as far as it is ``land`` (None = wherever it is)."""
    joined = np.array([shapely.union_all(ground[region == r], grid_size=0.01) for r in range(count)], dtype=object)
    return joined if land is None else np.asarray(shapely.intersection(joined, land))
