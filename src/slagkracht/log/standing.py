"""The units as they stand in a live picture: the same table that a plan gives, with the age of what is known."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from slagkracht.log.situation import Situation
from slagkracht.plan import Plan
from slagkracht.resources import Standing, compute_standing
from slagkracht.strength import READY_S

MOVING = ("en_route", "returning")
BUSY = ("alerted", "en_route", "on_scene")


@dataclass(frozen=True, eq=False)
class StandingAt:
    """Units as they stand at a moment, in the order of the plan's units.

    ``age_s`` float32 [N] how old the newest fact about each unit is (infinite where none was told: then the plan
    speaks) · ``shift_m`` float32 [N] how far the origin that stands in for a unit lies from where it was last seen.
    """

    standing: Standing
    age_s: npt.NDArray[np.float32]
    shift_m: npt.NDArray[np.float32]


def compute_standing_at(situation: Situation, plan: Plan, window: str, at: datetime.datetime) -> StandingAt:
    """The plan's units where the facts say that they are, and free as far as the facts say so.

    A unit counts as free when it is not committed, not at an incident and not out of service, nor on its way to or from
    standing in for another station: then it covers from neither. One that is on the road needs no turnout, one that
    stands in for another station that of a crew that waits there. A unit seen away from its station stands at the
    nearest origin of the plan's travel table.
    Units that the plan does not know are left out. Raises ValueError when ``window`` is not one of WINDOWS.
    """
    usual = compute_standing(plan.units, plan.stations, window)
    n = len(usual)
    origin, free = usual.origin.copy(), usual.free.copy()
    turnout_s, readiness = usual.turnout_s.copy(), usual.readiness.copy()
    age_s, shift_m = np.full(n, np.inf, dtype=np.float32), np.zeros(n, dtype=np.float32)
    x_m = plan.travel.origin_x_m if plan.travel else plan.stations.x_m
    y_m = plan.travel.origin_y_m if plan.travel else plan.stations.y_m
    places = KDTree(np.column_stack([x_m, y_m]))
    rows = {unit_id: row for row, unit_id in enumerate(plan.units.unit_id.tolist())}
    for unit in situation.units.values():
        row = rows.get(unit.unit)
        if row is None:
            continue
        told = [told_at for told_at in (unit.status_at, unit.place_at) if told_at is not None]
        if told:
            age_s[row] = (at - max(told)).total_seconds()
        free[row] = not unit.commitment and unit.status not in (*BUSY, "unavailable") and not unit.moving_up
        if unit.status == "unavailable":
            readiness[row] = 0.0
        if unit.move_up:
            turnout_s[row], readiness[row] = READY_S, 1.0
        if unit.status in MOVING:
            turnout_s[row], readiness[row] = 0.0, 1.0
        if unit.x_m is not None and unit.y_m is not None:
            away_m, nearest = places.query([unit.x_m, unit.y_m])
            origin[row], shift_m[row] = nearest, away_m
    standing = Standing(
        unit=usual.unit,
        origin=origin,
        region=usual.region,
        capability_names=usual.capability_names,
        capabilities=usual.capabilities,
        crew=usual.crew,
        turnout_s=turnout_s,
        turnout_spread=usual.turnout_spread,
        readiness=readiness,
        free=free,
    )
    return StandingAt(standing, age_s, shift_m)
