"""Officers, hand crews and helicopters that stand at no station: who can be called besides the vehicles of a plan."""

from __future__ import annotations

import dataclasses

import numpy as np

from slagkracht.plan import Plan
from slagkracht.resources import Standing, capability_column
from slagkracht.rules import NoRuleError, rule_in_force


def add_on_call(plan: Plan, standing: Standing) -> Standing:
    """``standing`` with one row more for everyone on call, by the rule "zonder-kazerne" (none in force: unchanged).

    The rule says how many a region has in all; those that stand at a station already are taken off. They start from
    the region's station nearest to the middle of its residents, ``unit`` is -1. Raises KeyError for a strange region.
    """
    try:
        _, values = rule_in_force(plan.rules, "zonder-kazerne", plan.day)
    except NoRuleError:
        return standing
    row_of = {code: r for r, code in enumerate(plan.regions.code.tolist())}
    start = _middle_stations(plan)
    region: list[int] = []
    column: list[int] = []
    turnout_s: list[float] = []
    readiness: list[float] = []
    for entry in values["ploegen"]:
        capability = entry["inzetmogelijkheid"]
        if capability not in standing.capability_names:
            continue
        at_station = np.bincount(standing.region[capability_column(standing, capability)], minlength=len(row_of))
        for code, count in entry["per_regio"].items():
            if code not in row_of or start[row_of[code]] < 0:
                continue
            more = max(int(count) - int(at_station[row_of[code]]), 0)
            region += [row_of[code]] * more
            column += [standing.capability_names.index(capability)] * more
            turnout_s += [float(entry["opkomst_s"])] * more
            readiness += [float(entry["paraatheid"])] * more
    count = len(region)
    capabilities = np.zeros((count, len(standing.capability_names)), dtype=np.bool_)
    capabilities[np.arange(count), column] = True
    rows = np.array(region, dtype=np.int32)
    return dataclasses.replace(
        standing,
        unit=np.concatenate([standing.unit, np.full(count, -1, dtype=np.int32)]),
        origin=np.concatenate([standing.origin, start[rows]]).astype(np.int32),
        region=np.concatenate([standing.region, rows]).astype(np.int32),
        capabilities=np.concatenate([standing.capabilities, capabilities]),
        crew=np.concatenate([standing.crew, np.ones(count, dtype=np.int32)]).astype(np.int32),
        turnout_s=np.concatenate([standing.turnout_s, np.array(turnout_s, dtype=np.float32)]),
        turnout_spread=np.concatenate([standing.turnout_spread, np.zeros(count, dtype=np.float32)]),
        readiness=np.concatenate([standing.readiness, np.array(readiness, dtype=np.float32)]),
        free=np.concatenate([standing.free, np.ones(count, dtype=np.bool_)]),
    )


def _middle_stations(plan: Plan) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Per region its station nearest to the middle of its residents (row of Stations; -1 = it has none)."""
    nearest = np.full(len(plan.regions), -1, dtype=np.int32)
    for r in range(len(nearest)):
        areas = plan.areas.region == r
        stations = np.flatnonzero(plan.stations.region == r)
        weight = plan.areas.population[areas].astype(np.float64)
        if len(stations) and weight.sum() > 0:
            x_m = float((plan.areas.x_m[areas] * weight).sum() / weight.sum())
            y_m = float((plan.areas.y_m[areas] * weight).sum() / weight.sum())
            away_m = np.hypot(plan.stations.x_m[stations] - x_m, plan.stations.y_m[stations] - y_m)
            nearest[r] = stations[np.argmin(away_m)]
    return nearest
