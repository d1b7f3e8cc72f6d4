"""What if: a variant is a short list of edits to a plan, and its result is a difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.coverage.judge import Coverage
from slagkracht.coverage.tables import add_up
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import REGIMES, WINDOWS, Standing, Stations, Units
from slagkracht.rules import Rules, RuleVersion, rule_version_in_force
from slagkracht.travel import Travel

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

Reach = Callable[[Travel, float, float], Travel]
"""Drive times with one more origin, at x_m, y_m, as their last column (travel.add_origin over the plan's roads)."""


@dataclass(frozen=True)
class CloseStation:
    """A station loses all its units; its row stays, so that nothing else is renumbered."""

    station_id: str


@dataclass(frozen=True)
class MoveStation:
    """A station with everything in it stands elsewhere (RD New)."""

    station_id: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class OpenStation:
    """A new station, still empty: add units to it."""

    station_id: str
    name: str
    region: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class AddUnit:
    """A new unit, crewed alike in every window (ChangeCrew sets windows apart)."""

    unit_id: str
    station_id: str
    type_code: str
    capabilities: tuple[str, ...]
    crew: int
    regime: str
    turnout_s: float
    turnout_spread: float
    readiness: float


@dataclass(frozen=True)
class RemoveUnit:
    """A unit goes."""

    unit_id: str


@dataclass(frozen=True)
class ChangeCrew:
    """Another crew for one unit or for all units of a station; None leaves a figure as it is.

    Regime, turnout and readiness change in ``windows``; crew, type and capabilities belong to the unit (TS6 to TS4).
    """

    unit_id: str = ""
    station_id: str = ""
    windows: tuple[str, ...] = WINDOWS
    crew: int | None = None
    regime: str | None = None
    turnout_s: float | None = None
    turnout_spread: float | None = None
    readiness: float | None = None
    type_code: str | None = None
    capabilities: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ChangeRule:
    """Other values for a rule on the plan's day: what is named changes, tables within it field by field."""

    code: str
    values: dict[str, Any]
    region: str = ""


Edit = CloseStation | MoveStation | OpenStation | AddUnit | RemoveUnit | ChangeCrew | ChangeRule


@dataclass(frozen=True)
class Variant:
    """A named list of edits, carried out in order."""

    name: str
    edits: tuple[Edit, ...]
    note: str = field(default="")


@dataclass(frozen=True, eq=False)
class Difference:
    """One norm in one window, before and after a variant.

    ``region`` str [R] · ``population``, ``before_in_time``, ``after_in_time``, ``gained`` and ``lost`` float64 [R]
    people ·
    ``change_s`` float32 [A] response time after minus before (+inf = no longer reached, -inf = newly reached, 0 where
    nobody comes either way) · ``station_before``, ``station_after`` int32 [A] row of Stations (-1 = none).
    """

    variant: str
    norm: str
    window: str
    region: Strings
    population: Doubles
    before_in_time: Doubles
    after_in_time: Doubles
    gained: Doubles
    lost: Doubles
    change_s: Floats
    station_before: Indices
    station_after: Indices


def apply_variant(plan: Plan, travel: Travel, variant: Variant, reach: Reach | None = None) -> tuple[Plan, Travel]:
    """The plan and the drive times after ``variant``; what it does not touch is shared, not copied.

    ``reach`` is needed to move or open a station. Raises ValueError, in Dutch, naming edit and what is wrong with it.
    """
    for number, edit in enumerate(variant.edits, start=1):
        try:
            plan, travel = _apply(plan, travel, edit, reach)
        except (LookupError, ValueError) as error:
            raise ValueError(f"variant {variant.name!r}, wijziging {number}: {error.args[0]}") from error
    note = f"Variant: {variant.name}" + (f" ({variant.note})" if variant.note else "")
    return replace(plan, name=f"{plan.name} · {variant.name}", notes=(*plan.notes, note)), travel


def compute_difference(
    variant: str,
    before: Coverage,
    after: Coverage,
    before_standing: Standing,
    after_standing: Standing,
    areas: Areas,
    regions: Regions,
) -> Difference:
    """What changed for whom between two coverages of the same areas, window and rule (code)."""
    if (before.norm, before.window, len(before)) != (after.norm, after.window, len(after)):
        raise ValueError("een verschil vraagt dezelfde norm, hetzelfde tijdvenster en dezelfde gebieden")
    count = len(regions)
    judged = ~(np.isnan(before.limit_s) & np.isnan(after.limit_s))
    people = np.where(judged, after.population, 0).astype(np.float64)

    def add(chosen: npt.NDArray[np.bool_]) -> Doubles:
        return add_up(people * chosen, areas.region, count)

    came, comes = np.isfinite(before.response_s), np.isfinite(after.response_s)
    change_s = np.zeros(len(before), dtype=np.float32)
    both = came & comes
    change_s[both] = after.response_s[both] - before.response_s[both]
    change_s[came & ~comes] = np.inf
    change_s[~came & comes] = -np.inf
    return Difference(
        variant=variant,
        norm=after.norm,
        window=after.window,
        region=regions.code,
        population=add(judged),
        before_in_time=add(before.in_time),
        after_in_time=add(after.in_time),
        gained=add(after.in_time & ~before.in_time),
        lost=add(before.in_time & ~after.in_time),
        change_s=change_s,
        station_before=_station(before, before_standing),
        station_after=_station(after, after_standing),
    )


def _station(coverage: Coverage, standing: Standing) -> Indices:
    origin = standing.origin[np.maximum(coverage.unit, 0)] if len(standing) else np.full(len(coverage), -1)
    return np.where(coverage.unit >= 0, origin, -1).astype(np.int32)


def _apply(plan: Plan, travel: Travel, edit: Edit, reach: Reach | None) -> tuple[Plan, Travel]:
    match edit:
        case CloseStation(station_id):
            units = _keep(plan.units, plan.units.station != _station_row(plan.stations, station_id))
            return replace(plan, units=units), travel
        case MoveStation(station_id, x_m, y_m):
            row = _station_row(plan.stations, station_id)
            stations = replace(
                plan.stations,
                x_m=_put(plan.stations.x_m, row, x_m),
                y_m=_put(plan.stations.y_m, row, y_m),
                position_error_m=_put(plan.stations.position_error_m, row, 0),
            )
            return replace(plan, stations=stations), _move_last(_reached(travel, x_m, y_m, reach), row)
        case OpenStation():
            return replace(plan, stations=_add_station(plan, edit)), _reached(travel, edit.x_m, edit.y_m, reach)
        case AddUnit():
            return replace(plan, units=_add_unit(plan, edit)), travel
        case RemoveUnit(unit_id):
            keep = np.ones(len(plan.units), dtype=np.bool_)
            keep[_unit_row(plan.units, unit_id)] = False
            return replace(plan, units=_keep(plan.units, keep)), travel
        case ChangeCrew():
            return replace(plan, units=_change_crew(plan, edit)), travel
        case ChangeRule():
            return replace(plan, rules=_change_rule(plan, edit)), travel


def _station_row(stations: Stations, station_id: str) -> int:
    found = np.flatnonzero(stations.station_id == station_id)
    if not len(found):
        raise LookupError(f"kazerne {station_id!r} staat niet in dit plan")
    return int(found[0])


def _unit_row(units: Units, unit_id: str) -> int:
    found = np.flatnonzero(units.unit_id == unit_id)
    if not len(found):
        raise LookupError(f"eenheid {unit_id!r} staat niet in dit plan")
    return int(found[0])


def _keep(units: Units, rows: npt.NDArray[Any]) -> Units:
    columns = {
        name: getattr(units, name)[rows]
        for name in (
            "unit_id",
            "station",
            "type_code",
            "capabilities",
            "crew",
            "regime",
            "turnout_s",
            "turnout_spread",
            "readiness",
        )
    }
    return replace(units, **columns)


def _put(column: npt.NDArray[Any], row: int, value: float) -> npt.NDArray[Any]:
    changed = column.copy()
    changed[row] = value
    return changed


def _reached(travel: Travel, x_m: float, y_m: float, reach: Reach | None) -> Travel:
    if reach is None:
        raise ValueError("een kazerne openen of verplaatsen vraagt een wegennet; dit plan rekent met een matrix")
    return reach(travel, x_m, y_m)


def _move_last(travel: Travel, column: int) -> Travel:
    """The last origin in the place of ``column``."""
    drive_s = travel.drive_s[:, :-1].copy()
    drive_s[:, column] = travel.drive_s[:, -1]
    return replace(
        travel,
        drive_s=drive_s,
        origin_x_m=_put(travel.origin_x_m[:-1], column, travel.origin_x_m[-1]),
        origin_y_m=_put(travel.origin_y_m[:-1], column, travel.origin_y_m[-1]),
        origin_snap_m=_put(travel.origin_snap_m[:-1], column, travel.origin_snap_m[-1]),
    )


def _add_station(plan: Plan, edit: OpenStation) -> Stations:
    old = plan.stations
    if edit.station_id in old.station_id:
        raise ValueError(f"kazerne {edit.station_id!r} bestaat al")
    if edit.region not in plan.regions.code:
        raise LookupError(f"regio {edit.region!r} staat niet in dit plan: kies uit {', '.join(plan.regions.code)}")
    region = int(np.flatnonzero(plan.regions.code == edit.region)[0])
    return Stations(
        station_id=np.append(old.station_id, edit.station_id),
        name=np.append(old.name, edit.name),
        region=np.append(old.region, np.int32(region)),
        x_m=np.append(old.x_m, edit.x_m),
        y_m=np.append(old.y_m, edit.y_m),
        position_error_m=np.append(old.position_error_m, np.float32(0)),
    )


def _add_unit(plan: Plan, edit: AddUnit) -> Units:
    old = plan.units
    if edit.unit_id in old.unit_id:
        raise ValueError(f"eenheid {edit.unit_id!r} bestaat al")
    wide = (1, len(WINDOWS))
    return replace(
        old,
        unit_id=np.append(old.unit_id, edit.unit_id),
        station=np.append(old.station, np.int32(_station_row(plan.stations, edit.station_id))),
        type_code=np.append(old.type_code, edit.type_code),
        capabilities=np.vstack([old.capabilities, _capability_row(old, edit.capabilities)]),
        crew=np.append(old.crew, np.int32(edit.crew)),
        regime=np.vstack([old.regime, np.full(wide, _regime(edit.regime), dtype=np.int32)]),
        turnout_s=np.vstack([old.turnout_s, np.full(wide, edit.turnout_s, dtype=np.float32)]),
        turnout_spread=np.vstack([old.turnout_spread, np.full(wide, edit.turnout_spread, dtype=np.float32)]),
        readiness=np.vstack([old.readiness, np.full(wide, edit.readiness, dtype=np.float32)]),
    )


def _change_crew(plan: Plan, edit: ChangeCrew) -> Units:
    units = plan.units
    if bool(edit.unit_id) == bool(edit.station_id):
        raise ValueError("een andere bezetting geldt voor één eenheid of voor één kazerne: noem er precies één")
    if edit.unit_id:
        row = _unit_row(units, edit.unit_id)
        rows = np.arange(row, row + 1)
    else:
        rows = np.flatnonzero(units.station == _station_row(plan.stations, edit.station_id))
    if strangers := [window for window in edit.windows if window not in WINDOWS]:
        raise ValueError(f"onbekend tijdvenster {strangers[0]!r}: kies uit {', '.join(WINDOWS)}")
    cells = np.ix_(rows, np.array([WINDOWS.index(window) for window in edit.windows]))
    changed: dict[str, Any] = {}
    for name, value in (
        ("regime", None if edit.regime is None else _regime(edit.regime)),
        ("turnout_s", edit.turnout_s),
        ("turnout_spread", edit.turnout_spread),
        ("readiness", edit.readiness),
    ):
        if value is not None:
            changed[name] = getattr(units, name).copy()
            changed[name][cells] = value
    if edit.crew is not None:
        changed["crew"] = units.crew.copy()
        changed["crew"][rows] = edit.crew
    if edit.type_code is not None:
        changed["type_code"] = units.type_code.astype(object)
        changed["type_code"][rows] = edit.type_code
        changed["type_code"] = changed["type_code"].astype(np.str_)
    if edit.capabilities is not None:
        changed["capabilities"] = units.capabilities.copy()
        changed["capabilities"][rows] = _capability_row(units, edit.capabilities)
    return replace(units, **changed)


def _regime(name: str) -> int:
    if name not in REGIMES:
        raise ValueError(f"onbekend bezettingsregime {name!r}: kies uit {', '.join(REGIMES)}")
    return REGIMES.index(name)


def _capability_row(units: Units, capabilities: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    if strangers := [name for name in capabilities if name not in units.capability_names]:
        known = ", ".join(units.capability_names)
        raise ValueError(f"onbekende inzetmogelijkheid {strangers[0]!r}: kies uit {known}")
    return np.isin(np.array(units.capability_names), capabilities)


def _change_rule(plan: Plan, edit: ChangeRule) -> Rules:
    """The rule with its values of the plan's day changed; the other versions stay, so the day decides as before."""
    rule, version = rule_version_in_force(plan.rules, edit.code, plan.day, edit.region)
    changed = RuleVersion(version.starts, version.ends, _merged(version.values, edit.values))
    if rule.region == edit.region:
        versions = tuple(changed if v is version else v for v in rule.versions)
        return Rules(tuple(replace(r, versions=versions) if r is rule else r for r in plan.rules.rules))
    own = replace(rule, region=edit.region, versions=(changed,), cases=())
    return Rules(tuple(sorted((*plan.rules.rules, own), key=lambda r: (r.code, r.region))))


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(old.get(key), dict)
        merged[key] = _merged(old[key], value) if both else value
    return merged
