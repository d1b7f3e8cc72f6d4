"""Which floor each region keeps while it lends, by its own board's rule or by the national one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from slagkracht.coverage import compute_arrivals, compute_call_handling
from slagkracht.plan import Plan
from slagkracht.resources import Standing
from slagkracht.rules import rule_in_force
from slagkracht.strength.residual import Cover, Floors, compute_cover
from slagkracht.travel import Travel

HOLDERS = 24
"""How many units an area may list as holding it in time; a denser town loses on paper before it does in truth."""


def compute_plan_cover(plan: Plan, standing: Standing, travel: Travel) -> Cover:
    """What each standing unit holds at home, by the rule "ondergrens": its capability, within its time, per region.

    A region's own version may have a time of its own; the capability is the national one. Raises NoRuleError.
    """
    _, national = rule_in_force(plan.rules, "ondergrens", plan.day)
    handling_s, _ = compute_call_handling(plan)
    arrivals = compute_arrivals(
        standing, travel, national["inzetmogelijkheid"], call_handling_s=handling_s, depth=HOLDERS
    )
    return compute_cover(arrivals, len(standing), plan.areas, limits_in_force(plan), len(plan.regions))


def limits_in_force(plan: Plan) -> npt.NDArray[np.float32]:
    """The time within which each area must be reached to count for its region's floor: float32 [A] seconds."""
    own = [rule_in_force(plan.rules, "ondergrens", plan.day, code)[1] for code in plan.regions.code.tolist()]
    _, national = rule_in_force(plan.rules, "ondergrens", plan.day)
    limit_s = np.array([values.get("grens_s", national["grens_s"]) for values in own], dtype=np.float32)
    return limit_s[plan.areas.region]


def floors_in_force(plan: Plan, cover: Cover) -> Floors:
    """The floor of every region on the plan's day, by the rule "ondergrens".

    A region's own version says ``aandeel_inwoners`` (its floor), or ``leent_uit = false`` (only units that nobody would
    miss go). Elsewhere the floor is ``marge`` below the norm's target share ``doel``, and where the norm has none,
    below the share that is in time now. Raises NoRuleError, and ValueError for a share that is none.
    """
    share = np.zeros(len(plan.regions))
    own = []
    for r, code in enumerate(plan.regions.code.tolist()):
        rule, values = rule_in_force(plan.rules, "ondergrens", plan.day, code)
        if rule.region:
            own.append(code)
        if not values.get("leent_uit", True):
            share[r] = np.inf
            continue
        floor = values.get("aandeel_inwoners")
        if floor is None:
            floor = max(float(values.get("doel", cover.share[r])) - float(values["marge"]), 0.0)
        if not 0 <= floor <= 1:
            raise ValueError(
                f"regel 'ondergrens'{f' van {code}' if rule.region else ''}: ondergrens {floor} is geen aandeel;"
                " geef aandeel_inwoners van 0 tot en met 1"
            )
        share[r] = floor
    whose = f"eigen ondergrens van {', '.join(own)}; de andere" if own else "alle regio's"
    return Floors(share, f"{whose} volgens de landelijke regel 'ondergrens'")
