"""Which formations can stand at a place, when, for how long, and the coverage left behind."""

from slagkracht.strength.compute import REASONS, Demand, Strength, compute_arrival_s, compute_demand, compute_strength
from slagkracht.strength.formations import (
    Doctrine,
    DoctrineError,
    Formation,
    Part,
    compute_doctrine,
    compute_share,
    expand_substitutes,
    formation_from_rule,
)
from slagkracht.strength.residual import (
    Cover,
    Floors,
    compute_cover,
    compute_floors,
    compute_lost_areas,
    compute_residual,
)

__all__ = [
    "REASONS",
    "Cover",
    "Demand",
    "Doctrine",
    "DoctrineError",
    "Floors",
    "Formation",
    "Part",
    "Strength",
    "compute_arrival_s",
    "compute_cover",
    "compute_demand",
    "compute_doctrine",
    "compute_floors",
    "compute_lost_areas",
    "compute_residual",
    "compute_share",
    "compute_strength",
    "expand_substitutes",
    "formation_from_rule",
]
