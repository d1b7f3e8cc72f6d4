"""For every area, when the n-th suitable unit arrives, and how that stands against the norm."""

from slagkracht.coverage.arrivals import Arrivals, Nearest, compute_arrivals, compute_nearest, compute_response
from slagkracht.coverage.chance import (
    compute_chance,
    compute_expected,
    compute_mixture,
    compute_nominal,
    compute_percentile,
)
from slagkracht.coverage.formations import compute_assembled, compute_formation
from slagkracht.coverage.judge import Coverage, compute_call_handling, compute_coverage, judge, norms_in_force
from slagkracht.coverage.norms import (
    NORM_KINDS,
    STATISTICS,
    ClassRule,
    Deviation,
    Norm,
    Part,
    compute_area_class,
    compute_limits,
    norm_in_force,
    parse_norm,
)

__all__ = [
    "NORM_KINDS",
    "STATISTICS",
    "Arrivals",
    "ClassRule",
    "Coverage",
    "Deviation",
    "Nearest",
    "Norm",
    "Part",
    "compute_area_class",
    "compute_arrivals",
    "compute_assembled",
    "compute_call_handling",
    "compute_chance",
    "compute_coverage",
    "compute_expected",
    "compute_formation",
    "compute_limits",
    "compute_mixture",
    "compute_nearest",
    "compute_nominal",
    "compute_percentile",
    "compute_response",
    "judge",
    "norm_in_force",
    "norms_in_force",
    "parse_norm",
]
