"""From judged coverage to what the map page offers: layers to look at, rankings to ask why, figures to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.coverage import Arrivals, Coverage, compute_arrivals, compute_call_handling, norm_in_force
from slagkracht.reports.figures import Figures, compute_difference_figures, compute_region_figures
from slagkracht.reports.results import Result
from slagkracht.resources import compute_standing

Floats = npt.NDArray[np.float64]

VIEWS = {
    "marge": "Marge tegen de norm",
    "tijd": "Opkomsttijd",
    "kans": "Kans om op tijd te zijn",
    "alleen": "Alleen met eigen eenheden",
    "winst": "Wat samenwerking brengt",
    "verschil": "Verschil met het plan",
}
"""What a layer can show, with its name on the page, in the order in which the page offers them."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One figure per area, as the page offers it.

    ``coverage`` the norm and window that it shows · ``view`` a key of VIEWS · ``name`` "" for the plan, else the
    variant · ``values`` float64 [A], nan = none: seconds, or a share for "kans" · ``figures`` the table
    that goes with it.
    """

    coverage: Coverage
    view: str
    name: str
    values: Floats
    figures: Figures


@dataclass(frozen=True, eq=False)
class Ranking:
    """Who comes, in order, for the norm and window of ``coverage``, in the plan ("") or the variant ``name``."""

    coverage: Coverage
    name: str
    arrivals: Arrivals


def compute_layers(results: Sequence[Result]) -> list[Layer]:
    """Every layer that results can show; the first of them is the plan that variants are compared with.

    Each gives margin, response time and (where computed) chance; results alone add their own layer and what
    cooperation brings; a variant adds its difference with the plan, for the same norm and window.
    """
    layers = []
    before = {(c.norm, c.window): c for c in results[0].together}
    for result in results:
        alone = {(c.norm, c.window): c for c in result.alone}
        for coverage in result.together:
            key = (coverage.norm, coverage.window)
            figures = compute_region_figures(result.plan, coverage, alone.get(key), result.name)
            response_s = _seconds(coverage)
            views = {"marge": response_s - coverage.limit_s, "tijd": response_s}
            if not np.isnan(coverage.chance).all():
                views["kans"] = coverage.chance.astype(np.float64)
            if key in alone:
                views["alleen"] = _seconds(alone[key])
                views["winst"] = compute_gain(alone[key], coverage)
            layers += [Layer(coverage, view, result.name, values, figures) for view, values in views.items()]
            if result is not results[0] and key in before:
                change_s = response_s - _seconds(before[key])
                figures = compute_difference_figures(result.plan, before[key], coverage, result.name)
                layers.append(Layer(coverage, "verschil", result.name, change_s, figures))
    return layers


def compute_gain(alone: Coverage, together: Coverage) -> Floats:
    """Seconds that cooperation saves: float64 [A], inf where nobody comes alone, nan where nobody comes at all."""
    saved = np.where(np.isinf(alone.response_s), np.inf, alone.response_s - _seconds(together))
    return np.where(np.isinf(together.response_s), np.nan, saved).astype(np.float64)


def compute_orders(result: Result, depth: int) -> list[Ranking]:
    """The ``depth`` first arrivals of every area for every norm and window of a result."""
    plan = result.plan
    handling_s, _ = compute_call_handling(plan)
    known: dict[tuple[Any, str], Arrivals] = {}
    rankings = []
    for coverage in result.together:
        norm = norm_in_force(plan.rules, coverage.norm, plan.day)
        asked = tuple(dict.fromkeys(name for part in norm.parts for name in part.capabilities))
        key = (asked, coverage.window)
        if key not in known:
            standing = compute_standing(plan.units, plan.stations, coverage.window)
            known[key] = compute_arrivals(standing, result.travel, asked, call_handling_s=handling_s, depth=depth)
        rankings.append(Ranking(coverage, result.name, known[key]))
    return rankings


def _seconds(coverage: Coverage) -> Floats:
    """Response times with nan where nobody comes."""
    return np.where(np.isinf(coverage.response_s), np.nan, coverage.response_s).astype(np.float64)
