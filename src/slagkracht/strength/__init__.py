"""Which formations can stand at a place, when, for how long, and the coverage left behind."""

from slagkracht.strength.allocation import Allocation, solve_allocation
from slagkracht.strength.burden import Burden, compute_burden
from slagkracht.strength.capabilities import Asked, compute_asked
from slagkracht.strength.compute import (
    NOBODY_FIRST,
    REASONS,
    REASONS_WHERE_ASSIGNED,
    Demand,
    Strength,
    compute_arrival_s,
    compute_demand,
    compute_strength,
    compute_strength_at_places,
)
from slagkracht.strength.floors import compute_plan_cover, floors_in_force, limits_in_force
from slagkracht.strength.formations import (
    Assignment,
    Doctrine,
    DoctrineError,
    Formation,
    Part,
    compute_doctrine,
    compute_first_regions,
    compute_share,
    expand_substitutes,
    formation_from_rule,
)
from slagkracht.strength.gap import (
    LEVELS,
    Gap,
    Worth,
    compute_asked_places,
    compute_gap,
    compute_main_places,
    compute_short_together,
    compute_within_s,
    compute_worth,
)
from slagkracht.strength.move_ups import READY_S, MoveUps, compute_move_ups, compute_move_ups_for
from slagkracht.strength.on_call import add_on_call
from slagkracht.strength.percentiles import compute_arrival_percentiles
from slagkracht.strength.placements import Placements, compute_placements
from slagkracht.strength.posture import Posture, compute_posture, first_regions_at, first_regions_everywhere
from slagkracht.strength.residual import (
    Cover,
    Floors,
    compute_cover,
    compute_floors,
    compute_lost_areas,
    compute_residual,
)
from slagkracht.strength.shortfall import Shortfall, compute_shortfall
from slagkracht.strength.strength_map import StrengthMap, compute_strength_curve, compute_strength_map
from slagkracht.strength.supply import Supply, compute_supply

__all__ = [
    "LEVELS",
    "NOBODY_FIRST",
    "READY_S",
    "REASONS",
    "REASONS_WHERE_ASSIGNED",
    "Allocation",
    "Asked",
    "Assignment",
    "Burden",
    "Cover",
    "Demand",
    "Doctrine",
    "DoctrineError",
    "Floors",
    "Formation",
    "Gap",
    "MoveUps",
    "Part",
    "Placements",
    "Posture",
    "Shortfall",
    "Strength",
    "StrengthMap",
    "Supply",
    "Worth",
    "add_on_call",
    "compute_arrival_percentiles",
    "compute_arrival_s",
    "compute_asked",
    "compute_asked_places",
    "compute_burden",
    "compute_cover",
    "compute_demand",
    "compute_doctrine",
    "compute_first_regions",
    "compute_floors",
    "compute_gap",
    "compute_lost_areas",
    "compute_main_places",
    "compute_move_ups",
    "compute_move_ups_for",
    "compute_placements",
    "compute_plan_cover",
    "compute_posture",
    "compute_residual",
    "compute_share",
    "compute_short_together",
    "compute_shortfall",
    "compute_strength",
    "compute_strength_at_places",
    "compute_strength_curve",
    "compute_strength_map",
    "compute_supply",
    "compute_within_s",
    "compute_worth",
    "expand_substitutes",
    "first_regions_at",
    "first_regions_everywhere",
    "floors_in_force",
    "formation_from_rule",
    "limits_in_force",
    "solve_allocation",
]
