"""One dated, frozen, hashed set of resources, areas, risks, rules and roads: the thing a board adopts."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.regions import Regions
from slagkracht.resources import Stations, Units
from slagkracht.risks import Profile
from slagkracht.roads import Access, Roads, apply_edits, compute_access, compute_arc_seconds
from slagkracht.rules import Rules, rule_in_force
from slagkracht.travel import Travel, add_origin, compute_travel

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Plan:
    """What 25 regions bring together, on one day.

    ``risks`` is what may happen, counted once over all regions. ``roads`` is None where the regions gave a travel-time
    matrix instead (``travel``); ``notes`` says in Dutch sentences what was modelled or left out, and every output
    repeats them.
    """

    name: str
    day: datetime.date
    regions: Regions
    stations: Stations
    units: Units
    areas: Areas
    risks: Profile
    rules: Rules
    roads: Roads | None
    travel: Travel | None
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Driving:
    """A plan's roads ready to drive: ``arc_s`` float32 [M] seconds per arc, where drives may end, the error band."""

    roads: Roads
    arc_s: Floats
    access: Access
    spread: float


def find_drive_rule(roads: Roads) -> str:
    """The code of the speed profile by which ``roads`` are driven."""
    fitted = any(name.startswith("gemodelleerd_") for name in roads.road_classes)
    return "rijprofiel-gemodelleerd" if fitted else "rijprofiel-spoed"


def compute_driving(plan: Plan, scenario: str = "") -> Driving:
    """The plan's roads at the speeds in force on its day.

    The speed profile is the rule that ``find_drive_rule`` names; its ``spreiding.overig`` (standard deviation of ln of
    the drive time) is the error band of every drive. ``scenario`` names edits of the drive times that the profile knows
    (snow, closed motorways); the roads stay as they are. Raises NoRuleError when no profile is in force, ValueError
    when the plan has no roads or the profile no such scenario.
    """
    if plan.roads is None:
        raise ValueError(f"plan {plan.name!r} heeft geen wegennet en geen rijtijdenmatrix: lever een van beide aan")
    modelled = plan.roads.kind == "gemodelleerd"
    _, profile = rule_in_force(plan.rules, find_drive_rule(plan.roads), plan.day)
    arc_s = compute_arc_seconds(plan.roads, profile)
    if scenario:
        known = profile.get("scenario", {})
        if scenario not in known:
            raise ValueError(f"onbekend scenario {scenario!r}; het rijprofiel kent: {', '.join(known) or 'er geen'}")
        here = set(plan.roads.road_classes)  # an edit of a class that these roads do not have changes nothing
        edits = [edit for edit in known[scenario] if "klassen" not in edit or here & set(edit["klassen"])]
        arc_s = apply_edits(plan.roads, arc_s, edits)
    return Driving(
        plan.roads,
        arc_s,
        compute_access(plan.roads, min_piece=1 if modelled else 50),  # a modelled island is never a fragment
        float(profile.get("spreiding", {}).get("overig", 0.0)),
    )


def compute_plan_travel(
    plan: Plan, *, scenario: str = "", progress: Callable[[int, int], None] | None = None
) -> Travel:
    """Every drive from the plan's stations to its areas: the regions' own matrix, or driven over the plan's roads.

    ``scenario`` as in ``compute_driving``; a matrix knows none, so asking for one there raises ValueError.
    """
    if plan.travel is not None:
        if scenario:
            raise ValueError(f"scenario {scenario!r} vraagt een wegennet; dit plan heeft een rijtijdenmatrix")
        return plan.travel
    driving = compute_driving(plan, scenario)
    travel = compute_travel(
        driving.roads,
        driving.arc_s,
        plan.stations.x_m,
        plan.stations.y_m,
        plan.areas.x_m,
        plan.areas.y_m,
        spread=driving.spread,
        access=driving.access,
        progress=progress,
    )
    return dataclasses.replace(travel, source=f"{travel.source}; scenario {scenario}") if scenario else travel


def compute_reach(plan: Plan) -> Callable[[Travel, float, float], Travel]:
    """How a station that is opened or moved gets its drive times: drive times with one more origin, at x_m, y_m."""
    driving = compute_driving(plan)

    def reach(travel: Travel, x_m: float, y_m: float) -> Travel:
        return add_origin(
            travel, driving.roads, driving.arc_s, x_m, y_m, plan.areas.x_m, plan.areas.y_m, access=driving.access
        )

    return reach


def compute_hash(thing: object) -> str:
    """SHA-256 over every field of a frozen dataclass: name, dtype, shape and little-endian bytes, in order of name.

    The same content gives the same hash on every machine; a change of any field changes it.
    """
    digest = hashlib.sha256()
    _feed(digest, "", thing)
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, name: str, value: object) -> None:
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "U":  # the width of a string column depends on its longest value, so hash the text
            column = "\x1f".join(value.ravel().tolist()).encode()
            header = f"{name}:str:{value.shape}:{len(column)}"
        else:
            little = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False)
            column = little.tobytes()
            header = f"{name}:{value.dtype.name}:{value.shape}"
        digest.update(header.encode() + b"\x1e" + column)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{name}:{type(value).__name__}{{".encode())
        for field in sorted(dataclasses.fields(value), key=lambda f: f.name):
            _feed(digest, field.name, getattr(value, field.name))
        digest.update(b"}")
    elif isinstance(value, tuple | list):
        digest.update(f"{name}:[{len(value)}".encode())
        for item in value:
            _feed(digest, "", item)
        digest.update(b"]")
    elif isinstance(value, dict):
        digest.update(f"{name}:{{{len(value)}".encode())
        for key in sorted(value, key=str):
            _feed(digest, str(key), value[key])
        digest.update(b"}")
    elif value is None or isinstance(value, str | int | float | bool | datetime.date):
        text = repr(value).encode()
        digest.update(f"{name}:{type(value).__name__}:{len(text)}:".encode() + text)
    else:
        raise TypeError(f"{name or 'value'} is a {type(value).__name__}, which has no agreed bytes to hash")
