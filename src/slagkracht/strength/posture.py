"""A plan as it stands in one time window: everything that strength, the gap and relief are computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.plan import Plan, compute_plan_travel
from slagkracht.resources import Standing, compute_standing
from slagkracht.strength.floors import compute_plan_cover, floors_in_force
from slagkracht.strength.formations import Formation, compute_doctrine, compute_first_regions
from slagkracht.strength.on_call import add_on_call
from slagkracht.strength.residual import Cover, Floors
from slagkracht.travel import Travel


@dataclass(frozen=True, eq=False)
class Posture:
    """Who stands ready in a ``window`` (with those on call), how far every drive is, and what each region keeps.

    ``cover`` what each standing unit holds at home · ``floors`` below which a region does not lend · ``formations``
    what doctrine knows on the plan's day, by code.
    """

    plan: Plan
    window: str
    travel: Travel
    standing: Standing
    cover: Cover
    floors: Floors
    formations: dict[str, Formation]


def compute_posture(plan: Plan, window: str, travel: Travel | None = None) -> Posture:
    """The posture of ``plan`` in a window of resources.WINDOWS; ``travel`` None = its drives are computed.

    Raises NoRuleError for a rule that the plan lacks, ValueError for a window that is none.
    """
    travel = compute_plan_travel(plan) if travel is None else travel
    standing = add_on_call(plan, compute_standing(plan.units, plan.stations, window))
    cover = compute_plan_cover(plan, standing, travel)
    formations = compute_doctrine(plan.rules, plan.day).formations
    return Posture(plan, window, travel, standing, cover, floors_in_force(plan, cover), formations)


def first_regions_everywhere(posture: Posture) -> dict[str, npt.NDArray[np.int32]]:
    """Which region goes first in every area, per code of a formation that doctrine assigns: int32 [A] (-1 = none)."""
    codes = posture.plan.regions.code.tolist()
    of_region = [compute_first_regions(posture.formations.values(), codes, here) for here in range(len(codes))]
    return {
        code: np.array([first.get(code, -1) for first in of_region], dtype=np.int32)[posture.plan.areas.region]
        for code, formation in posture.formations.items()
        if formation.assignment
    }


def first_regions_at(posture: Posture, area: int) -> dict[str, int]:
    """Which region goes first in an area (row), per code of a formation that doctrine assigns: row of Regions."""
    codes = posture.plan.regions.code.tolist()
    return compute_first_regions(posture.formations.values(), codes, int(posture.plan.areas.region[area]))
