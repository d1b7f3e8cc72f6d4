"""Where stations and units would stand best, and how far from the best conceivable answer a siting can be."""

from slagkracht.siting.covering import (
    NoSitingError,
    Siting,
    compute_cover,
    group_equal_areas,
    solve_lscp,
    solve_malp,
    solve_mclp,
    solve_mexclp,
)
from slagkracht.siting.median import solve_p_median
from slagkracht.siting.milp import MilpAnswer, solve_milp

__all__ = [
    "MilpAnswer",
    "NoSitingError",
    "Siting",
    "compute_cover",
    "group_equal_areas",
    "solve_lscp",
    "solve_malp",
    "solve_mclp",
    "solve_mexclp",
    "solve_milp",
    "solve_p_median",
]
