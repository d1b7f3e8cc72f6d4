"""The land of Modelnederland: which square of the country belongs to which municipality, and how many live there.

A municipality is known by the centre, the axes and the surface of its land. Every square goes to the municipality
whose ellipse it lies deepest in, as in a power diagram; a weight per municipality is fitted until each has its true
surface, and what lies outside all of them is water or abroad. All arithmetic is in operations that every machine
rounds alike (no powers, logarithms or goniometry on columns), so that the same seed gives the same bytes everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from slagkracht.sources.facts import Municipalities

Metres = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

WEST_M, SOUTH_M, EAST_M, NORTH_M = 0.0, 300_000.0, 290_000.0, 625_000.0
"""The rectangle in RD New that holds the country."""

RASTER_M = 1000.0
"""Cell of the fixed raster on which weights, settlements and stations are laid, whatever the number of areas."""

REACH = 4.0
"""How far outside its own ellipse a municipality may own land, as a squared multiple of the ellipse's axes."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Square cells of land: ``column``, ``row`` int64 [C] in a grid of ``cell_m`` from WEST_M, SOUTH_M ·
    ``x_m``, ``y_m`` float64 [C] centres · ``municipality`` int64 [C] row of Municipalities."""

    cell_m: float
    column: Indices
    row: Indices
    x_m: Metres
    y_m: Metres
    municipality: Indices

    def __len__(self) -> int:
        return len(self.column)


@dataclass(frozen=True, eq=False)
class Settlements:
    """Towns and villages: ``x_m``, ``y_m`` float64 [V] · ``municipality`` int64 [V] · ``population`` float64 [V] ·
    ``rank`` int64 [V] 0 = the main town of its municipality."""

    x_m: Metres
    y_m: Metres
    municipality: Indices
    population: Floats
    rank: Indices

    def __len__(self) -> int:
        return len(self.x_m)


@dataclass(frozen=True, eq=False)
class _Claims:
    """Every (cell, municipality) within reach, in order of cell: ``depth_m2`` < 0 inside the municipality's ellipse."""

    columns: int
    cell: Indices
    municipality: Indices
    depth_m2: Floats


def fit_weights(facts: Municipalities, rounds: int = 80) -> Floats:
    """The weight of each municipality (m²) with which it gets its true surface of land on the fixed raster."""
    claims = _claim(facts, RASTER_M)
    target_m2 = facts.outline_ha * 10_000.0
    most_m2 = facts.long_m * facts.short_m / 4 * 0.9
    weight_m2 = np.zeros(len(facts))
    for _ in range(rounds):
        _, owner, depth_m2 = _own(claims, weight_m2)
        held_m2 = np.bincount(owner[depth_m2 < 0], minlength=len(facts)) * RASTER_M * RASTER_M
        weight_m2 += 0.5 * (target_m2 - held_m2) / math.pi
        weight_m2 = np.clip(weight_m2, -most_m2, 1e8)
    return weight_m2


def lay_cells(facts: Municipalities, weight_m2: Floats, count: int) -> Cells:
    """Exactly ``count`` equal squares that tile the land; every municipality has at least one.

    Raises ValueError when ``count`` is less than the number of municipalities.
    """
    if count < len(facts):
        raise ValueError(f"Modelnederland heeft ten minste {len(facts)} gebieden nodig, één per gemeente: {count}")
    cell_m = math.sqrt(float(facts.outline_ha.sum()) * 10_000.0 / count)
    claims = _claim(facts, cell_m)
    cell, owner, depth_m2 = _own(claims, weight_m2)
    deepest = np.argsort(depth_m2, kind="stable")
    if (np.bincount(owner[deepest[:count]], minlength=len(facts)) == 0).any():
        first = _first_cells(facts, claims.columns, cell_m)
        deepest = deepest[~np.isin(cell[deepest], first)][: count - len(facts)]
        cell = np.concatenate([first, cell[deepest]])
        owner = np.concatenate([np.arange(len(facts)), owner[deepest]])
    else:
        cell, owner = cell[deepest[:count]], owner[deepest[:count]]
    order = np.argsort(cell, kind="stable")
    cell, owner = cell[order], owner[order]
    column, row = cell % claims.columns, cell // claims.columns
    return Cells(
        cell_m=cell_m,
        column=column,
        row=row,
        x_m=WEST_M + (column.astype(np.float64) + 0.5) * cell_m,
        y_m=SOUTH_M + (row.astype(np.float64) + 0.5) * cell_m,
        municipality=owner,
    )


def lay_settlements(facts: Municipalities, land: Cells, most: int, rng: np.random.Generator) -> Settlements:
    """One main town per municipality at its true centre, and villages far from one another in the rest of its land.

    ``land`` is the fixed raster · ``most`` settlements at most, towns included. A village for every 12 km²; the main
    town's share of the people falls with CBS urbanity, the villages share the rest as 1, 1/2, 1/3, …
    """
    town_share = np.array([0.0, 0.92, 0.80, 0.66, 0.52, 0.38])[facts.urbanity]
    wanted = np.maximum(facts.land_ha // 1200, 1)
    wanted = wanted * min(1.0, (most - len(facts)) / wanted.sum())
    villages = np.minimum(np.maximum(np.floor(wanted), 0).astype(np.int64), np.bincount(land.municipality) - 1)
    order = np.argsort(land.municipality, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(land.municipality, minlength=len(facts)))])
    whim = 0.4 + rng.random(len(land))
    jitter = np.floor((rng.random((2, len(land))) - 0.5) * 0.8 * RASTER_M)
    xs, ys, owners, people, ranks = [], [], [], [], []
    for g in range(len(facts)):
        own = order[first[g] : first[g + 1]]
        count = int(villages[g])
        share = 1.0 / np.arange(1, count + 1)
        share *= (1 - town_share[g]) / share.sum() if count else 1.0
        x, y = [facts.x_m[g]], [facts.y_m[g]]
        free_m2 = np.full(len(own), np.inf)
        for _ in range(count):
            dx, dy = land.x_m[own] - x[-1], land.y_m[own] - y[-1]
            free_m2 = np.minimum(free_m2, dx * dx + dy * dy)
            pick = own[int(np.argmax(free_m2 * whim[own]))]
            x.append(land.x_m[pick] + jitter[0, pick])
            y.append(land.y_m[pick] + jitter[1, pick])
        xs += x
        ys += y
        owners += [g] * (count + 1)
        people += [facts.population[g] * (town_share[g] if count else 1.0), *(facts.population[g] * share)]
        ranks += list(range(count + 1))
    return Settlements(np.array(xs), np.array(ys), np.array(owners), np.array(people), np.array(ranks))


def spread_people(facts: Municipalities, cells: Cells, settlements: Settlements) -> Indices:
    """Inhabitants per cell, int64 [C]: dense in the middle of every settlement and falling off around it.

    A settlement of P people is spread as 1 / (1 + r²/R²)² with R = 29 m · P^⅜ (5 km for Amsterdam, 500 m for a village
    of 2,000), three per cent lives evenly over the land, and each municipality holds its true population to a person.
    """
    people = np.zeros(len(cells), np.int64)
    order = np.argsort(cells.municipality, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(cells.municipality, minlength=len(facts)))])
    town = np.searchsorted(settlements.municipality, np.arange(len(facts) + 1))
    eighth = np.sqrt(np.sqrt(np.sqrt(settlements.population)))
    radius_m = 29.0 * eighth * eighth * eighth
    soft_m2 = radius_m * radius_m + cells.cell_m * cells.cell_m / 6
    for g in range(len(facts)):
        own = order[first[g] : first[g + 1]]
        density = np.full(len(own), 0.03 * facts.population[g] / len(own))
        for v in range(town[g], town[g + 1]):
            dx, dy = cells.x_m[own] - settlements.x_m[v], cells.y_m[own] - settlements.y_m[v]
            fall = 1.0 + (dx * dx + dy * dy) / soft_m2[v]
            fall = 1.0 / (fall * fall)
            density += 0.97 * settlements.population[v] * fall / fall.sum()
        people[own] = share_out(density, int(facts.population[g]))
    return people


def share_out(weight: Floats, total: int) -> Indices:
    """Whole numbers in proportion to ``weight`` that add up to ``total`` exactly."""
    running = np.cumsum(weight)
    whole: Indices = np.diff(np.round(running / running[-1] * total), prepend=0.0).astype(np.int64)
    return whole


def _claim(facts: Municipalities, cell_m: float) -> _Claims:
    columns, rows = (math.ceil(span / cell_m) for span in (EAST_M - WEST_M, NORTH_M - SOUTH_M))
    cells, owners, depths = [], [], []
    for g in range(len(facts)):
        long_m, short_m = float(facts.long_m[g]) / 2, float(facts.short_m[g]) / 2
        reach_m = math.sqrt(REACH) * long_m + cell_m
        x, y = float(facts.land_x_m[g]), float(facts.land_y_m[g])
        column = np.arange(
            max(0, int((x - reach_m - WEST_M) / cell_m)), min(columns, int((x + reach_m - WEST_M) / cell_m) + 1)
        )
        row = np.arange(
            max(0, int((y - reach_m - SOUTH_M) / cell_m)), min(rows, int((y + reach_m - SOUTH_M) / cell_m) + 1)
        )
        dx = (WEST_M + (column + 0.5) * cell_m - x)[None, :]
        dy = (SOUTH_M + (row + 0.5) * cell_m - y)[:, None]
        bearing = math.radians(float(facts.bearing_deg[g]))
        sine, cosine = round(math.sin(bearing), 9), round(math.cos(bearing), 9)
        along, across = (dx * sine + dy * cosine) / long_m, (dx * cosine - dy * sine) / short_m
        outside = along * along + across * across
        # a cell of any size belongs to the ellipse that it lies in, so that small ones are seen on a coarse grid
        near_row, near_column = np.nonzero(outside <= REACH + (cell_m * cell_m) / (short_m * short_m))
        cells.append(row[near_row] * columns + column[near_column])
        owners.append(np.full(len(near_row), g))
        depths.append((outside[near_row, near_column] - 1.0) * long_m * short_m)
    cell, owner, depth = np.concatenate(cells), np.concatenate(owners), np.concatenate(depths)
    order = np.argsort(cell, kind="stable")
    return _Claims(columns, cell[order], owner[order], depth[order])


def _first_cells(facts: Municipalities, columns: int, cell_m: float) -> Indices:
    """One cell for every municipality, none shared, with the least total of squared distances to their centres.

    On a grid too coarse to show every municipality; each is within a few cells of where it lies.
    """
    near = np.arange(-4, 5)
    home_column, home_row = (
        ((facts.x_m - WEST_M) / cell_m).astype(np.int64),
        ((facts.y_m - SOUTH_M) / cell_m).astype(np.int64),
    )
    around = (home_row[:, None, None] + near[:, None]) * columns + home_column[:, None, None] + near
    cell = np.unique(around)
    dx = WEST_M + (cell % columns + 0.5) * cell_m - facts.x_m[:, None]
    dy = SOUTH_M + (cell // columns + 0.5) * cell_m - facts.y_m[:, None]
    chosen: Indices = cell[linear_sum_assignment(np.round(dx * dx + dy * dy))[1]]
    return chosen


def _own(claims: _Claims, weight_m2: Floats) -> tuple[Indices, Indices, Floats]:
    """Per claimed cell: the cell, the municipality that it lies deepest in, and how deep."""
    depth_m2 = claims.depth_m2 - weight_m2[claims.municipality]
    start = np.flatnonzero(np.diff(claims.cell, prepend=-1))
    deepest = np.minimum.reduceat(depth_m2, start)
    length = np.diff(np.append(start, len(depth_m2)))
    winner = np.flatnonzero(depth_m2 == np.repeat(deepest, length))
    cell, one = np.unique(claims.cell[winner], return_index=True)
    return cell, claims.municipality[winner[one]], deepest
