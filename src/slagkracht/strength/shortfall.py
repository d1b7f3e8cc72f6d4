"""What the nation is short of: simulated years of the plan's risks against what its regions can bring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.areas import find_area
from slagkracht.risks import Demand, Events, compute_events, compute_peak_demand
from slagkracht.strength.burden import Burden, compute_burden
from slagkracht.strength.formations import compute_first_regions
from slagkracht.strength.gap import (
    Gap,
    Worth,
    compute_asked_places,
    compute_gap,
    compute_main_places,
    compute_short_together,
    compute_within_s,
    compute_worth,
)
from slagkracht.strength.posture import Posture
from slagkracht.strength.supply import Supply, compute_supply

MAIN_PLACES = 6
"""At how many of the places where it is asked most a formation is counted."""

TOGETHER = 2
"""The level of certainty (row of LEVELS: once in ten years) at which formations are asked all at once."""


@dataclass(frozen=True, eq=False)
class Shortfall:
    """The gap of a plan with everything that explains it.

    ``events`` and ``demand`` of the simulated years · ``together`` int32 [F] what fails when all that is needed once
    in ten years is asked at once · ``unknown`` formations that the risks ask and doctrine lacks.
    """

    events: Events
    demand: Demand
    gap: Gap
    supply: Supply
    worth: Worth
    burden: Burden
    together: npt.NDArray[np.int32]
    unknown: tuple[str, ...]


def compute_shortfall(
    posture: Posture, *, years: int, seed: int, tell: Callable[[str], None] = lambda step: None
) -> Shortfall:
    """``years`` simulated years of the plan's risks, held against what can stand there in time above the floors.

    ``tell`` hears, in Dutch, which step is being computed. Raises ValueError when the risks ask no formation that
    doctrine knows.
    """
    plan, profile = posture.plan, posture.plan.risks
    tell(f"{years} jaren doorrekenen")
    events, draw_of = compute_events(profile, years, seed)
    asked = {need.formation for risk in profile.risks for need in risk.needs}
    formations = [each for code, each in posture.formations.items() if code in asked]
    if not formations:
        raise ValueError(
            "de scenario's vragen geen formatie die de doctrine van dit plan kent; zie 'slagkracht formaties'"
        )
    codes = tuple(each.code for each in formations)
    demand = compute_peak_demand(events, draw_of, profile, codes)
    names, where, weight = compute_asked_places(profile, codes)
    areas = [find_area(plan.areas, x_m, y_m) for x_m, y_m in where.tolist()]
    drive_s = posture.travel.drive_s[np.array(areas, dtype=np.int64)]
    standing, cover, floors = posture.standing, posture.cover, posture.floors
    tell("aanbod tellen")
    supply = compute_supply(
        standing, drive_s, names, formations, compute_main_places(weight, MAIN_PLACES), cover, floors,
        compute_within_s(plan, formations), seed=seed,
    )  # fmt: skip
    gap = compute_gap(demand, events, profile, supply)
    tell("waarde van één eenheid meer")
    worth = compute_worth(gap, demand, supply, standing, drive_s, cover, floors, len(plan.regions))
    together = compute_short_together(gap, TOGETHER, supply, standing, drive_s, cover, floors)
    tell("wie draagt het nu")
    spots = [[find_area(plan.areas, place.x_m, place.y_m) for place in risk.places] for risk in profile.risks]
    codes_of = plan.regions.code.tolist()
    burden = compute_burden(
        profile, standing, [[posture.travel.drive_s[a] for a in row] for row in spots],
        [[int(plan.areas.region[a]) for a in row] for row in spots], formations, supply.within_s, cover, floors,
        [compute_first_regions(formations, codes_of, r) for r in range(len(codes_of))],
    )  # fmt: skip
    return Shortfall(events, demand, gap, supply, worth, burden, together, tuple(sorted(asked - set(codes))))
