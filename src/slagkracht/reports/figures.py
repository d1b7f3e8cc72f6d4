"""Coverage in a few figures per region or municipality: what the tables under the map and in the printed plan say."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.coverage import Coverage, compute_table
from slagkracht.plan import Plan
from slagkracht.resources import WINDOWS

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Figures:
    """A table of figures.

    ``columns`` pairs of (Dutch heading, unit), unit one of text, count, share, seconds, signed_seconds, duration ·
    ``rows`` one tuple of cells each, nan or None = no figure · ``total`` the row that sums them up, or none.
    """

    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    total: tuple[Any, ...] | None = None


def compute_region_figures(plan: Plan, coverage: Coverage, alone: Coverage | None = None, label: str = "") -> Figures:
    """The table of a norm in a window: a row per region and one for the nation, with what cooperation brings."""
    columns, rows = _rows(plan, coverage, alone, "regio")
    _, nation = _rows(plan, coverage, alone, "land")
    title = " – ".join([coverage.dutch, coverage.window] + [label] * bool(label))
    named = tuple((name, *row) for name, row in zip(plan.regions.name.tolist(), rows))
    return Figures(title, (("Regio", "text"), *columns), named, ("Nederland", *nation[0]))


def compute_municipality_figures(plan: Plan, coverage: Coverage, alone: Coverage | None = None) -> list[Figures]:
    """The same per municipality: a table for every region, its last row the region itself."""
    columns, rows = _rows(plan, coverage, alone, "gemeente")
    _, regions = _rows(plan, coverage, alone, "regio")
    codes, first = np.unique(plan.areas.municipality, return_index=True)
    home = plan.areas.region[first]
    named = read_municipality_names()
    return [
        Figures(
            f"{coverage.dutch} – {coverage.window}",
            (("Gemeente", "text"), *columns),
            tuple(sorted((named.get(codes[i], str(codes[i])), *rows[i]) for i in np.flatnonzero(home == region))),
            (name, *regions[region]),
        )
        for region, name in enumerate(plan.regions.name.tolist())
    ]


def _rows(
    plan: Plan, coverage: Coverage, alone: Coverage | None, by: str
) -> tuple[tuple[tuple[str, str], ...], list[list[float]]]:
    """Headings and figures of a coverage added up by region, municipality or nation."""
    table = compute_table(coverage, plan.areas, plan.regions, by)
    columns = [
        (("Inwoners", "count"), table.population),
        (("Op tijd", "share"), table.share),
        (("Verwacht op tijd", "share"), table.expected_share),
        (("Niet op tijd", "count"), table.population - table.in_time),
        (("Mediaan", "seconds"), table.median_s),
        (("90 % binnen", "seconds"), table.p90_s),
    ]
    if np.isnan(coverage.chance).all():
        del columns[2]
    if alone is not None:
        without = compute_table(alone, plan.areas, plan.regions, by)
        columns += [
            (("Alleen op tijd", "share"), without.share),
            (("Samen meer op tijd", "count"), table.in_time - without.in_time),
        ]
    return tuple(heading for heading, _ in columns), np.stack([values for _, values in columns], axis=1).tolist()


def compute_difference_figures(plan: Plan, before: Coverage, after: Coverage, label: str) -> Figures:
    """What a variant changes, per region and for the nation: people who are no longer, or now, in time."""
    judged = before.population.astype(np.float64) * ~np.isnan(before.limit_s)
    lost = judged * (before.in_time & ~after.in_time)
    won = judged * (~before.in_time & after.in_time)
    slower = judged * (after.response_s > before.response_s)
    faster = judged * (after.response_s < before.response_s)
    figures: list[Floats] = [lost, won, won - lost, slower, faster]
    per_region = [np.bincount(plan.areas.region, values, len(plan.regions)) for values in figures]
    rows = [(n, *row) for n, row in zip(plan.regions.name.tolist(), np.stack(per_region, axis=1).tolist())]
    headings = ("Niet meer op tijd", "Nu wel op tijd", "Saldo op tijd", "Later bereikt", "Eerder bereikt")
    return Figures(
        f"{label} tegenover het plan – {after.dutch}, {after.window} (inwoners)",
        (("Regio", "text"), *((heading, "count") for heading in headings)),
        tuple(rows),
        ("Nederland", *(float(values.sum()) for values in figures)),
    )


def read_window_names() -> dict[str, str]:
    """The Dutch name of each of WINDOWS, from nl/vocabulary/windows.csv."""
    text = (resources.files("slagkracht") / "nl" / "vocabulary" / "windows.csv").read_text(encoding="utf-8")
    names = {row["window"]: row["dutch"] for row in csv.DictReader(text.splitlines())}
    return {window: names[window] for window in WINDOWS}


def read_municipality_names() -> dict[str, str]:
    """CBS code → name of the municipalities in nl/facts/municipalities.csv."""
    text = (resources.files("slagkracht") / "nl" / "facts" / "municipalities.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {row["code"]: row["name"] for row in csv.DictReader(lines)}
