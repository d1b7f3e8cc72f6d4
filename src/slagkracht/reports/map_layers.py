"""From judged coverage to what the map page offers: layers to look at, rankings to ask why, figures to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.coverage import Coverage, compute_arrivals, compute_call_handling, norm_in_force
from slagkracht.plan import Plan, compute_hash
from slagkracht.reports.figures import compute_difference_figures, compute_region_figures
from slagkracht.reports.map_page import Layer, Ranking
from slagkracht.resources import compute_standing
from slagkracht.travel import Travel

Floats = npt.NDArray[np.float64]


def compute_layers(
    plan: Plan,
    together: Sequence[Coverage],
    alone: Sequence[Coverage] = (),
    variants: Mapping[str, Sequence[Coverage]] | None = None,
) -> list[Layer]:
    """Every layer that these results can show.

    ``together`` gives margin, response time and (where computed) chance; ``alone``, each region by itself, adds its
    own layer and what cooperation brings; each of ``variants`` (name → results of the same norms and windows) adds its
    response times and margins and their difference with the plan.
    """
    by_key = {(c.norm, c.window): c for c in alone}
    layers = []
    for coverage in together:
        layers += _layers(plan, coverage, by_key.get((coverage.norm, coverage.window)), "")
    plain = {(c.norm, c.window): c for c in together}
    for name, results in (variants or {}).items():
        for coverage in results:
            layers += _layers(plan, coverage, None, name)
            before = plain.get((coverage.norm, coverage.window))
            if before is not None:
                difference = _seconds(coverage) - _seconds(before)
                figures = compute_difference_figures(plan, before, coverage, name)
                layers.append(
                    Layer(coverage.dutch, "verschil", coverage.window, difference, layers[-1].receipt, figures, name)
                )
    return layers


def compute_rankings(plan: Plan, travel: Travel, coverages: Sequence[Coverage], label: str = "") -> list[Ranking]:
    """Who comes in which order, for every norm and window of ``coverages`` (of ``plan`` itself, or of a variant)."""
    handling_s, _ = compute_call_handling(plan)
    known: dict[tuple[Any, str], Any] = {}
    rankings = []
    for coverage in coverages:
        norm = norm_in_force(plan.rules, coverage.norm, plan.day)
        asked = tuple(dict.fromkeys(name for part in norm.parts for name in part.capabilities))
        key = (asked, coverage.window)
        if key not in known:
            standing = compute_standing(plan.units, plan.stations, coverage.window)
            known[key] = compute_arrivals(standing, travel, asked, call_handling_s=handling_s, depth=6)
        rankings.append(Ranking(coverage.dutch, coverage.window, known[key], coverage, label))
    return rankings


def _layers(plan: Plan, coverage: Coverage, alone: Coverage | None, label: str) -> list[Layer]:
    """The layers of one norm in one window."""
    receipt = compute_hash(coverage)
    figures = compute_region_figures(plan, coverage, alone, label)
    response_s = _seconds(coverage)
    views = {"marge": response_s - coverage.limit_s, "tijd": response_s}
    if not np.isnan(coverage.chance).all():
        views["kans"] = coverage.chance.astype(np.float64)
    if alone is not None:
        views["alleen"] = _seconds(alone)
        views["winst"] = _seconds(alone) - response_s
    return [
        Layer(coverage.dutch, view, coverage.window, values, receipt, figures, label) for view, values in views.items()
    ]


def _seconds(coverage: Coverage) -> Floats:
    """Response times with nan where nobody comes."""
    return np.where(np.isinf(coverage.response_s), np.nan, coverage.response_s).astype(np.float64)
