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
from slagkracht.siting.stations import MODELS, Field, compute_field, judge_sites, solve_stations

__all__ = [
    "MODELS",
    "Field",
    "MilpAnswer",
    "NoSitingError",
    "Siting",
    "compute_cover",
    "compute_field",
    "group_equal_areas",
    "judge_sites",
    "solve_lscp",
    "solve_malp",
    "solve_mclp",
    "solve_mexclp",
    "solve_milp",
    "solve_p_median",
    "solve_stations",
]
