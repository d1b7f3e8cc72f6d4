"""Cells cover what they stand for, outlines follow the areas, and drawing together keeps the sums."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import shapely

from reports_example import small_plan
from slagkracht.reports import drawing
from slagkracht.reports.drawing import compute_cell_means, compute_cell_sums, compute_drawing


def test_every_area_lies_in_its_own_cell_and_no_two_cells_overlap() -> None:
    plan = small_plan()
    drawn = compute_drawing(plan)
    assert shapely.contains_xy(drawn.cells, plan.areas.x_m, plan.areas.y_m).all()
    total = sum(cell.area for cell in drawn.cells)
    assert shapely.union_all(drawn.cells).area == pytest.approx(total, rel=1e-9)


def test_an_outline_holds_its_own_areas_and_says_that_it_is_derived() -> None:
    plan = small_plan()
    drawn = compute_drawing(plan)
    for region, outline in enumerate(drawn.outlines):
        own = plan.areas.region == region
        assert shapely.contains_xy(outline, plan.areas.x_m[own], plan.areas.y_m[own]).all()
    assert "regiogrenzen" in drawn.made_up


@pytest.mark.parametrize("side_m", [100.0, 4187.718, 1000 / 3])
def test_squares_of_one_region_leave_no_seam(side_m: float) -> None:
    """However awkward their size: a seam of a centimetre is a line across the map."""
    areas = small_plan().areas
    column, row = (v.ravel().astype(float) for v in np.meshgrid(np.arange(40), np.arange(30)))
    grid = dataclasses.replace(
        areas, x_m=12_345.678 + column * side_m, y_m=300_000.123 + row * side_m, region=np.zeros(1200, np.int32),
        area_id=np.array([str(n) for n in range(1200)]), municipality=np.full(1200, "GM1"),
        population=np.ones(1200, np.float32), objects=np.zeros((1200, len(areas.object_classes)), np.float32),
        area_class=np.full(1200, ""), size_m=np.full(1200, side_m, np.float32).astype(np.float32),
    )  # fmt: skip
    drawn = compute_drawing(dataclasses.replace(small_plan(), areas=grid))
    assert len(shapely.get_parts(drawn.outlines[0])) == 1
    assert len(drawn.outlines[0].interiors) == 0
    assert drawn.outlines[0].area == pytest.approx(1200 * side_m**2, rel=1e-4)


def test_given_polygons_are_drawn_as_given() -> None:
    plan = small_plan()
    half = plan.areas.size_m / 2
    given = shapely.box(plan.areas.x_m - half, plan.areas.y_m - half, plan.areas.x_m + half, plan.areas.y_m + half)
    outlines = np.array([shapely.union_all(given[plan.areas.region == r]) for r in range(len(plan.regions))])
    drawn = compute_drawing(plan, given, outlines)
    assert shapely.equals(shapely.normalize(drawn.cells), shapely.normalize(given)).all()
    assert drawn.made_up == ""


def test_too_many_areas_are_drawn_together_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_CELLS", 5)
    plan = small_plan()
    drawn = compute_drawing(plan)
    assert len(drawn.cells) <= 5
    assert "samengenomen" in drawn.aggregated
    population = plan.areas.population
    assert compute_cell_sums(drawn, population).sum() == pytest.approx(population.sum())
    for cell in range(len(drawn.cells)):
        members = np.flatnonzero(drawn.cell_of == cell)
        assert drawn.shown[cell] in members
        assert population[drawn.shown[cell]] == population[members].max()
        assert len(set(plan.areas.region[members])) == 1


def test_the_mean_of_a_cell_is_over_its_people_and_missing_when_most_have_none() -> None:
    drawn = dataclasses.replace(
        compute_drawing(small_plan()), cell_of=np.array([0, 0, 1, 1]), shown=np.array([0, 2]), aggregated="ja"
    )
    means = compute_cell_means(drawn, np.array([100.0, 400.0, 50.0, np.nan]), np.array([2.0, 1.0, 1.0, 3.0]))
    assert means[0] == pytest.approx(200.0)
    assert np.isnan(means[1])


def test_scattered_points_get_the_ground_nearest_to_them() -> None:
    plan = small_plan()
    rng = np.random.default_rng(3)
    count = len(plan.areas)
    x_m, y_m = (v + rng.uniform(-600, 600, count) for v in (plan.areas.x_m, plan.areas.y_m))
    moved = dataclasses.replace(plan.areas, x_m=x_m, y_m=y_m)
    drawn = compute_drawing(dataclasses.replace(plan, areas=moved))
    assert "gebiedsgrenzen" in drawn.made_up
    spots = rng.uniform([182_000, 442_000], [200_000, 456_000], (400, 2))
    nearest = np.argmin(np.hypot(*(spots[:, None] - np.stack([moved.x_m, moved.y_m], 1)).transpose(2, 0, 1)), axis=1)
    holding = [np.flatnonzero(shapely.contains_xy(drawn.cells, *spot)) for spot in spots]
    assert all(len(cells) <= 1 and set(cells) <= {near} for cells, near in zip(holding, nearest))
    assert sum(map(len, holding)) > 350
