"""Slagkracht: from the regions' own data to a national coverage plan, its gap and its strike power."""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from slagkracht.coverage import (
        apply_variant,
        compute_coverage,
        compute_difference,
        compute_gaps,
        compute_nearest,
        compute_receipt,
        compute_station_order,
        compute_table,
        norms_in_force,
    )
    from slagkracht.plan import Plan, compute_hash, compute_plan_travel, compute_reach
    from slagkracht.reports.tables import compute_area_map, compute_area_table, compute_station_table, write_table
    from slagkracht.resources import compute_standing
    from slagkracht.sources.delivered_plan import apply_delivery, build_delivered_plan
    from slagkracht.sources.delivery import read_delivery
    from slagkracht.sources.example import read_example
    from slagkracht.sources.modelland import build_modelland
    from slagkracht.sources.national import build_national_plan
    from slagkracht.sources.plan_files import read_plan, write_plan
    from slagkracht.sources.rule_files import read_rules
    from slagkracht.sources.variant_files import read_variant

_ROOMS = {
    "coverage": (
        "apply_variant", "compute_coverage", "compute_difference", "compute_gaps", "compute_nearest", "compute_receipt",
        "compute_station_order", "compute_table", "norms_in_force",
    ),
    "plan": ("Plan", "compute_hash", "compute_plan_travel", "compute_reach"),
    "reports.tables": ("compute_area_map", "compute_area_table", "compute_station_table", "write_table"),
    "resources": ("compute_standing",),
    "sources.delivered_plan": ("apply_delivery", "build_delivered_plan"),
    "sources.delivery": ("read_delivery",),
    "sources.example": ("read_example",),
    "sources.modelland": ("build_modelland",),
    "sources.national": ("build_national_plan",),
    "sources.plan_files": ("read_plan", "write_plan"),
    "sources.rule_files": ("read_rules",),
    "sources.variant_files": ("read_variant",),
}  # fmt: skip
"""What a notebook needs, by the room that it lives in; a room is only entered when something of it is asked for."""

_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Plan",
    "apply_delivery",
    "apply_variant",
    "build_delivered_plan",
    "build_modelland",
    "build_national_plan",
    "compute_area_map",
    "compute_area_table",
    "compute_coverage",
    "compute_difference",
    "compute_gaps",
    "compute_hash",
    "compute_nearest",
    "compute_plan_travel",
    "compute_reach",
    "compute_receipt",
    "compute_standing",
    "compute_station_order",
    "compute_station_table",
    "compute_table",
    "norms_in_force",
    "read_delivery",
    "read_example",
    "read_plan",
    "read_rules",
    "read_variant",
    "write_plan",
    "write_table",
]


def __getattr__(name: str) -> Any:
    """A name of the API, from its own room (PEP 562)."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'slagkracht' has no attribute {name!r}")
    return getattr(importlib.import_module(f"slagkracht.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
