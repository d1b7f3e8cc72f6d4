"""The plan and a scenario as the arrays that a simulated day reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from slagkracht.coverage import compute_call_handling
from slagkracht.plan import Plan
from slagkracht.resources import WINDOWS, Flags, compute_standing
from slagkracht.travel import UNREACHABLE, Travel

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Masks = npt.NDArray[np.uint64]
Keys = npt.NDArray[np.uint32]

LEVELS = ("klein", "middel", "groot", "zeer groot")
"""How far an incident is escalated, in the words of the Meldings- en Alarmeringsregeling; klein = the first alarm."""

DISPATCH = ("kazernevolgorde", "snelst_beschikbaar")
"""Who goes: the first station in the fixed order of the area that has a ready unit, or whoever would be there first."""

MOVE_UPS = ("geen", "buurkazerne", "dekking")
"""Who fills an empty station: nobody; the nearest neighbour that keeps one; or also one that few people rely on."""

NEIGHBOURS = 12
NOBODY = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True)
class IncidentKind:
    """A kind of incident: how often, where and when it happens, what it asks for and how long it lasts.

    ``rate_per_year`` in the whole plan · ``where`` "inwoners", "oppervlakte" or "gelijk": how it spreads over areas ·
    ``hours`` 168 weights from Monday 00:00 · ``months`` 12 weights · ``asks`` per level of LEVELS the capabilities
    wanted in all, with how many · ``escalates`` chance to go on to the next level, per level but the last ·
    ``on_scene_s`` median per level from the first arrival to the end, ``on_scene_spread`` of its logarithm ·
    ``stand_down`` chance that the first crew sends the others back · ``assess_s`` how long it looks before it says so,
    or before it escalates.
    """

    code: str
    dutch: str
    rate_per_year: float
    where: str
    hours: tuple[float, ...]
    months: tuple[float, ...]
    asks: tuple[tuple[tuple[str, int], ...], ...]
    escalates: tuple[float, ...]
    on_scene_s: tuple[float, ...]
    on_scene_spread: float
    stand_down: float
    assess_s: float


@dataclass(frozen=True)
class Scenario:
    """What is simulated and by which policies; ``notes`` say in Dutch where figures come from or that they are assumed.

    ``dispatch`` one of DISPATCH, ``move_up`` one of MOVE_UPS · ``waits`` True: an incident waits for a unit, False: it
    is lost · ``max_drive_s`` nobody is sent from further · ``refit_s`` after coming home, before the next alarm ·
    ``move_up_after_s`` a station that stays empty longer is filled · ``move_up_capability`` with what ·
    ``drive_together`` how much of the spread of drive times the units of one incident share: the correlation of their
    ln(drive time) (0 = each by itself).
    """

    name: str
    kinds: tuple[IncidentKind, ...]
    dispatch: str = "kazernevolgorde"
    move_up: str = "geen"
    waits: bool = True
    max_drive_s: float = 7_200.0
    refit_s: float = 600.0
    move_up_after_s: float = 3_600.0
    move_up_capability: str = "tankautospuit"
    drive_together: float = 0.0
    notes: tuple[str, ...] = ()


class World(NamedTuple):
    """What the kernel reads. S stations, U units, A areas, P capabilities asked for, K kinds, L levels, W windows.

    ``first`` int32 [S+1] and ``rows`` int32 [U]: units by home station · ``mask`` uint64 [U] bit p = has capability p ·
    ``order`` uint32 [P, A, D] drive x 65,536 + station, in order of the policy · ``quickest_s`` float32 [P] the
    quickest turnout there is · ``extra`` int32 [K, L, P] units asked for on top of the level below · ``neighbour``
    int32 [S, N] and ``neighbour_s`` float32 [S, N] who could fill a station, nearest first · ``reliant`` float64 [S]
    residents who have it as their first · ``window`` int8 [H] and ``block`` int32 [H] of every hour: its time window,
    and the number of that stretch of the window, for which a crew is there or is not.
    """

    first: Indices
    rows: Indices
    home: Indices
    mask: Masks
    turnout_s: Floats
    turnout_spread: Floats
    readiness: Floats
    drive_s: npt.NDArray[np.uint16]
    order: Keys
    quickest_s: Floats
    handling_s: Floats
    handling_spread: float
    drive_spread: float
    drive_together: float
    extra: Indices
    stand_down: Doubles
    assess_s: Doubles
    neighbour: Indices
    neighbour_s: Floats
    reliant: Doubles
    window: npt.NDArray[np.int8]
    block: Indices
    dispatch: int
    move_up: int
    move_up_bit: np.uint64
    waits: bool
    max_drive_s: float
    refit_s: float
    move_up_after_s: float


def asked_capabilities(scenario: Scenario) -> tuple[str, ...]:
    """Every capability that the scenario can ask for, in alphabetical order: the numbering of World's P."""
    asked = {name for kind in scenario.kinds for level in kind.asks for name, _ in level}
    return tuple(sorted(asked | ({scenario.move_up_capability} if scenario.move_up != "geen" else set())))


def compute_world(
    plan: Plan, travel: Travel, scenario: Scenario, hour_window: npt.NDArray[np.int8], *, depth: int = 24
) -> World:
    """The plan as the kernel reads it. ``hour_window`` int8 [H] index into WINDOWS of every hour simulated.

    ``depth`` stations are ranked per area; beyond them the whole row is read. Raises ValueError for a policy or a
    capability that is not known, KeyError never: a capability that no unit has is simply never met.
    """
    _refuse(scenario, plan)
    units, stations, areas = plan.units, plan.stations, plan.areas
    asked = asked_capabilities(scenario)
    mask = np.zeros(len(units), np.uint64)
    for p, name in enumerate(asked):
        if name in units.capability_names:
            mask |= units.capabilities[:, units.capability_names.index(name)].astype(np.uint64) << np.uint64(p)
    rows = np.argsort(units.station, kind="stable").astype(np.int32)
    first = np.searchsorted(units.station[rows], np.arange(len(stations) + 1)).astype(np.int32)
    by_day = compute_standing(units, stations, WINDOWS[0])
    fixed = scenario.dispatch == "kazernevolgorde"
    order, quickest_s = [], []
    for p in range(len(asked)):
        able = (mask >> np.uint64(p)) & np.uint64(1) > 0
        order.append(_rank(travel, by_day.origin, by_day.turnout_s if fixed else None, able, depth))
        quickest_s.append(units.turnout_s[able].min(initial=np.inf))
    handling_s, handling_spread = compute_call_handling(plan)
    neighbour, neighbour_s = _neighbours(travel)
    levels = np.zeros((len(scenario.kinds), len(LEVELS), len(asked)), np.int32)
    for k, kind in enumerate(scenario.kinds):
        for level, wanted in enumerate(kind.asks):
            for name, count in wanted:
                levels[k, level, asked.index(name)] += count
        for level in range(1, len(LEVELS)):
            levels[k, level] = np.maximum(levels[k, level], levels[k, level - 1])
    nearest = travel.drive_s.argmin(axis=1)
    reliant = np.bincount(nearest, areas.population, minlength=len(stations)).astype(np.float64)
    return World(
        first=first,
        rows=rows,
        home=units.station.astype(np.int32),
        mask=mask,
        turnout_s=units.turnout_s.astype(np.float32),
        turnout_spread=units.turnout_spread.astype(np.float32),
        readiness=units.readiness.astype(np.float32),
        drive_s=travel.drive_s,
        order=np.stack(order),
        quickest_s=np.array(quickest_s, np.float32),
        handling_s=handling_s,
        handling_spread=handling_spread,
        drive_spread=travel.spread,
        drive_together=scenario.drive_together,
        extra=np.diff(levels, axis=1, prepend=0).astype(np.int32),
        stand_down=np.array([kind.stand_down for kind in scenario.kinds]),
        assess_s=np.array([kind.assess_s for kind in scenario.kinds]),
        neighbour=neighbour,
        neighbour_s=neighbour_s,
        reliant=reliant,
        window=hour_window,
        block=np.cumsum(np.diff(hour_window, prepend=hour_window[:1]) != 0).astype(np.int32),
        dispatch=DISPATCH.index(scenario.dispatch),
        move_up=MOVE_UPS.index(scenario.move_up),
        move_up_bit=np.uint64(1 << asked.index(scenario.move_up_capability)) if scenario.move_up != "geen" else NO_BIT,
        waits=scenario.waits,
        max_drive_s=scenario.max_drive_s,
        refit_s=scenario.refit_s,
        move_up_after_s=scenario.move_up_after_s,
    )


NO_BIT = np.uint64(0)


def _refuse(scenario: Scenario, plan: Plan) -> None:
    for value, known, what in (
        (scenario.dispatch, DISPATCH, "alarmering"),
        (scenario.move_up, MOVE_UPS, "herbezetting"),
    ):
        if value not in known:
            raise ValueError(f"scenario {scenario.name!r}: onbekende {what} {value!r}; kies uit {', '.join(known)}")
    if not scenario.kinds:
        raise ValueError(f"scenario {scenario.name!r} heeft geen soorten incidenten: noem er ten minste één")
    if len(asked_capabilities(scenario)) > 64:
        raise ValueError(f"scenario {scenario.name!r} vraagt meer dan 64 inzetmogelijkheden")
    if not len(plan.units):
        raise ValueError(f"plan {plan.name!r} heeft geen eenheden om te alarmeren")


def _rank(travel: Travel, origin: Indices, turnout_s: Floats | None, able: Flags, depth: int) -> Keys:
    """Per area the stations with an able unit as drive x 65,536 + station: by response time, or by drive alone."""
    drive = travel.drive_s
    count, stations = drive.shape
    quickest = np.full(stations, np.inf)
    np.minimum.at(quickest, origin[able], 0.0 if turnout_s is None else turnout_s[able])
    having = np.flatnonzero(np.isfinite(quickest))
    ranked = np.full((count, depth), NOBODY)
    if not len(having):
        return ranked
    for start in range(0, count, 4_096):
        part = drive[start : start + 4_096][:, having]
        wanted = np.where(part == UNREACHABLE, np.inf, part + quickest[having])
        best = np.argsort(wanted, axis=1, kind="stable")[:, :depth]
        taken = np.take_along_axis(part, best, 1).astype(np.uint32)
        key = (taken << np.uint32(16)) | having[best].astype(np.uint32)
        ranked[start : start + 4_096, : best.shape[1]] = np.where(taken == UNREACHABLE, NOBODY, key)
    return ranked


def _neighbours(travel: Travel) -> tuple[Indices, Floats]:
    """Which stations lie nearest to each station, by the drive to the area at its door: (station, seconds) [S, N]."""
    door = travel.drive_s.argmin(axis=0)
    between = travel.drive_s[door].astype(np.float32)  # row = the station that is driven to
    np.fill_diagonal(between, np.inf)
    between[between >= float(UNREACHABLE)] = np.inf
    nearest = np.argsort(between, axis=1, kind="stable")[:, :NEIGHBOURS]
    return nearest.astype(np.int32), np.take_along_axis(between, nearest, 1)
