"""Who could relieve whom: the people of every station by function, their crews, and when they can be away."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.plan import Plan
from slagkracht.resources import REGIMES, WINDOWS, Standing, capability_column, compute_standing
from slagkracht.rules import rule_in_force
from slagkracht.strength import add_on_call

Strings = npt.NDArray[np.str_]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

FUNCTIONS = ("bevelvoerder", "chauffeur", "manschap", "officier")
"""What people are qualified for. "manschap" counts everybody on a vehicle: who leads or drives may also fight."""

GOLDEN = 0.6180339887498949
"""Multiples of it, without their whole part, fill 0–1 evenly however many there are (Weyl)."""


class ReliefError(ValueError):
    """A relief that cannot be worked out; the message names the rule or the wish, and the mend."""


@dataclass(frozen=True)
class Shifts:
    """How long people work and rest, from the rule "aflossing".

    ``post_min`` minutes a crew holds its post · ``most_min`` at most from leaving to coming home ·
    ``travel_counts`` whether driving counts towards it · ``rest_min`` at home before leaving again · ``overlap_min`` at
    the place before taking over · ``per_week`` shifts of one person in seven days · ``travel_factor`` times the drive
    with blue lights · ``home_share`` of seats and vehicles that stays ready in every region · ``fair_min`` minutes of
    driving that one shift above a region's fair share is worth.
    """

    post_min: int
    most_min: int
    travel_counts: bool
    rest_min: int
    overlap_min: int
    per_week: int
    travel_factor: float
    home_share: float
    fair_min: int


@dataclass(frozen=True, eq=False)
class People:
    """The people of each station, in groups that can be away at the same times.

    ``station`` int32 [G] · ``region`` int32 [G] · ``persons`` float64 [G, F] qualified per function ·
    ``seats`` float64 [G, F] of the vehicles they crew · ``available`` float64 [G, W] share that can be away for
    a shift. Who has no station is counted where ``strength.add_on_call`` lets him start.
    """

    station: Indices
    region: Indices
    persons: Doubles
    seats: Doubles
    available: Doubles

    def __len__(self) -> int:
        return len(self.station)


@dataclass(frozen=True, eq=False)
class Crews:
    """Crews that can be sent, one row each: who sits together in a vehicle for a shift.

    ``crew_id`` str [C] · ``station``, ``region`` int32 [C] · ``type_code`` str [C] · ``capability_names``,
    ``capabilities`` bool [C, K] · ``seats`` int32 [C] · ``available`` bool [C, W] can be away in that window ·
    ``stands_for`` float64 [C] the part of a vehicle's crewing that this crew is (one of four: 0.25).
    """

    crew_id: Strings
    station: Indices
    region: Indices
    type_code: Strings
    capability_names: tuple[str, ...]
    capabilities: Flags
    seats: Indices
    available: Flags
    stands_for: Doubles

    def __len__(self) -> int:
        return len(self.crew_id)


def compute_shifts(plan: Plan) -> Shifts:
    """The rule "aflossing" of the plan's day, in minutes. Raises NoRuleError, ReliefError."""
    return shifts_from_rule(rule_in_force(plan.rules, "aflossing", plan.day)[1])


def shifts_from_rule(values: Mapping[str, Any]) -> Shifts:
    """Shifts from the values of the rule "aflossing". Raises ReliefError for what no crew could live by."""
    for name in ("rust_uren", "overlap_minuten", "blijft_thuis", "eerlijk_minuten"):
        if values[name] < 0:
            raise ReliefError(f"regel 'aflossing': {name} is {values[name]} en kan niet minder dan 0 zijn")
    for name in ("inzet_uren", "hoogstens_uren", "inzetten_per_week", "reistijd_factor"):
        if values[name] <= 0:
            raise ReliefError(f"regel 'aflossing': {name} is {values[name]} en moet meer dan 0 zijn")
    if values["blijft_thuis"] > 1:
        raise ReliefError(f"regel 'aflossing': blijft_thuis is {values['blijft_thuis']}; schrijf een deel van 0 tot 1")
    if values["inzet_uren"] * 60 + values["overlap_minuten"] > values["hoogstens_uren"] * 60:
        raise ReliefError(
            f"regel 'aflossing': een inzet van {values['inzet_uren']} uur met {values['overlap_minuten']} minuten"
            f" overlap past niet in hoogstens {values['hoogstens_uren']} uur; verkort de inzet of verleng het maximum"
        )
    return Shifts(
        round(values["inzet_uren"] * 60), round(values["hoogstens_uren"] * 60), bool(values["reistijd_telt_mee"]),
        round(values["rust_uren"] * 60), round(values["overlap_minuten"]), int(values["inzetten_per_week"]),
        float(values["reistijd_factor"]), float(values["blijft_thuis"]), round(values["eerlijk_minuten"]),
    )  # fmt: skip


def week_from_windows(rows: Sequence[Mapping[str, str]]) -> Indices:
    """Which window every hour of the week lies in, Monday 0 h first: int32 [168], from ``nl/vocabulary/windows.csv``.

    Raises ReliefError when an hour lies in no window or in two.
    """
    week = np.full(168, -1, dtype=np.int32)
    for row in rows:
        first, last = (int(day) - 1 for day in row["days"].split("-"))
        start, end = (int(row[name].split(":")[0]) for name in ("start", "end"))
        for hour in range(168):
            day, clock = divmod(hour, 24)
            if first <= day <= last and (start <= clock < end if start < end else clock >= start or clock < end):
                if week[hour] >= 0:
                    raise ReliefError(f"uur {clock} van dag {day + 1} ligt in twee tijdvensters; pas windows.csv aan")
                week[hour] = WINDOWS.index(row["window"])
    if (week < 0).any():
        day, clock = divmod(int(np.argmin(week)), 24)
        raise ReliefError(f"uur {clock} van dag {day + 1} ligt in geen tijdvenster; pas windows.csv aan")
    return week


def compute_people(plan: Plan) -> People:
    """Everybody who can be asked, by station and regime, from the rules "functiemix" and "vrijwilligers"."""
    seated = _seated(plan)
    key, group = np.unique(
        np.column_stack([seated.standing.origin, seated.regime])[seated.crewed], axis=0, return_inverse=True
    )
    held, persons = np.zeros((len(key), len(FUNCTIONS))), np.zeros((len(key), len(FUNCTIONS)))
    np.add.at(held, group.reshape(-1), seated.seats[seated.crewed])
    np.add.at(persons, group.reshape(-1), (seated.seats * seated.per_seat)[seated.crewed])
    station = key[:, 0].astype(np.int32)
    return People(station, plan.stations.region[station], persons, held, seated.shares[key[:, 1:], range(len(WINDOWS))])


def compute_crews(plan: Plan) -> Crews:
    """The crews those people make: for each vehicle as many as its scarcest function allows."""
    seated = _seated(plan)
    standing = seated.standing
    each = np.where(seated.seats > 0, seated.per_seat, np.inf).min(axis=1)
    count = np.where(seated.crewed, np.floor(np.where(np.isfinite(each), each, 0) + 1e-9), 0).astype(np.int64)
    row = np.repeat(np.arange(len(standing)), count)
    number = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + 1
    share_of = seated.shares[seated.regime[row], np.arange(len(WINDOWS))]
    return Crews(
        np.array([f"{seated.name[r]}/{k}" for r, k in zip(row.tolist(), number.tolist(), strict=True)], dtype=np.str_),
        standing.origin[row],
        standing.region[row],
        seated.type_code[row],
        standing.capability_names,
        standing.capabilities[row],
        standing.crew[row],
        spread_evenly(standing.region[row])[:, None] < share_of,
        1.0 / count[row],
    )


def spread_evenly(region: Indices) -> Doubles:
    """A number in 0–1 per crew, filling that range evenly within every region: float64 [C].

    A crew can be away in a window when its number lies below the share that can: so who can go by day can also go at
    night, and a crew that is added changes nobody else's hours.
    """
    order = np.argsort(region, kind="stable")
    first = np.searchsorted(region[order], region[order])
    number = np.empty(len(region))
    number[order] = np.arange(len(region)) - first + 1
    spread: Doubles = (number * GOLDEN) % 1.0
    return spread


def compute_part_seats(plan: Plan, capability: str) -> Doubles:
    """People per function that a vehicle with ``capability`` takes in this plan: float64 [F]; the usual crew counts.

    Raises ReliefError when nothing in the plan can do it.
    """
    seated = _seated(plan)
    able = np.zeros(len(seated.standing), dtype=np.bool_)
    if capability in seated.standing.capability_names:
        able = capability_column(seated.standing, capability)
    if not able.any():
        raise ReliefError(f"geen eenheid in dit plan kan {capability!r}: kies een formatie die dit plan wel heeft")
    able = able & seated.crewed
    if not able.any():  # it rolls behind another vehicle, whose driver it takes
        return np.array([0.0, 1.0, 1.0, 0.0])
    crew = seated.standing.crew[able]
    found: Doubles = seated.seats[np.flatnonzero(able)[np.argmax(crew == np.argmax(np.bincount(crew)))]]
    return found


def window_at(week: Indices, starts: datetime.datetime, minute: npt.ArrayLike) -> Indices:
    """The window at ``minute`` (any shape) after ``starts``: int32 of that shape, row of WINDOWS."""
    begin = starts.weekday() * 1440 + starts.hour * 60 + starts.minute
    return week[(begin + np.asarray(minute, dtype=np.int64)) // 60 % 168]


@dataclass(frozen=True, eq=False)
class _Seated:
    """All that stands or is on call, with its seats: ``crewed`` bool [N] brings people of its own · ``seats`` and
    ``per_seat`` float64 [N, F] seats, and people per seat · ``regime`` int32 [N, W] row of ``shares`` float64 [., W].
    """

    standing: Standing
    name: Strings
    type_code: Strings
    crewed: Flags
    seats: Doubles
    per_seat: Doubles
    regime: Indices
    shares: Doubles


def _seated(plan: Plan) -> _Seated:
    mix = rule_in_force(plan.rules, "functiemix", plan.day)[1]
    able = rule_in_force(plan.rules, "vrijwilligers", plan.day)[1]
    units = plan.units
    standing = add_on_call(plan, compute_standing(units, plan.stations, WINDOWS[0]))
    on_call = len(standing) - len(units)
    officer = np.zeros(len(standing), dtype=np.bool_)
    for capability in mix["officieren"]:
        if capability in standing.capability_names:
            officer |= capability_column(standing, capability) & (standing.crew <= 2)
    seats = np.zeros((len(standing), len(FUNCTIONS)))
    for row in sorted(mix["stoelen"], key=lambda row: -float(row["tot_en_met"])):
        fits = standing.crew <= row["tot_en_met"]
        seats[fits, 0], seats[fits, 1] = row["bevelvoerder"], row["chauffeur"]
    seats[:, 2] = standing.crew
    seats = np.minimum(seats, standing.crew[:, None])
    seats[officer] = 0.0
    seats[officer, 3] = standing.crew[officer]
    regime = np.vstack([units.regime, np.full((on_call, len(WINDOWS)), REGIMES.index("consignatie"))]).astype(np.int32)
    per_seat = np.array([[float(mix["mensen_per_stoel"][name][f]) for f in FUNCTIONS] for name in REGIMES])
    regime[officer] = len(REGIMES)
    rows = np.where(officer, REGIMES.index("consignatie"), np.minimum(regime[:, 0], len(REGIMES) - 1))
    region = standing.region[len(units) :]
    kind = np.argmax(standing.capabilities[len(units) :], axis=1) if on_call else np.zeros(0, dtype=np.int64)
    types = [standing.capability_names[k] for k in kind.tolist()]
    seen: dict[tuple[int, str], int] = {}
    names = []
    for r, each in zip(region.tolist(), types, strict=True):
        seen[r, each] = seen.get((r, each), 0) + 1
        names.append(f"{plan.regions.code[r]} {each} {seen[r, each]}")
    return _Seated(
        standing,
        np.array([*units.unit_id.tolist(), *names], dtype=np.str_),
        np.array([*units.type_code.tolist(), *types], dtype=np.str_),
        standing.crew > 0,
        seats,
        per_seat[rows],
        regime,
        np.array([[float(able[name][w]) for w in WINDOWS] for name in (*REGIMES, "officier")]),
    )
