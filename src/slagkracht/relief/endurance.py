"""How many formations can be kept up for days: people, vehicles, travel, rest and readiness at home in one model."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from slagkracht.plan import Plan
from slagkracht.relief.people import (
    FUNCTIONS,
    People,
    ReliefError,
    Shifts,
    compute_part_seats,
    compute_people,
    compute_shifts,
    window_at,
)
from slagkracht.resources import WINDOWS, compute_standing
from slagkracht.strength import Formation, add_on_call, compute_share
from slagkracht.travel import UNREACHABLE, Travel

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]

DAYS = (1, 2, 4, 7, 14)
OFFICER = FUNCTIONS.index("officier")


@dataclass(frozen=True, eq=False)
class Endurance:
    """How many formations can be kept up at a place, for how many days, and what runs out first.

    ``formation`` · ``days`` int32 [D] · ``sustained`` float64 [D] by the nation together · ``per_region`` float64
    [D, R] by each region alone · ``scarce`` str [D] what runs out first for the nation (a function or vehicles,
    "" = nothing holds it back) · ``window`` str [D] in which time window · ``scarce_region`` str [D, R] and
    ``window_region`` str [D, R] the same by region · ``in_reach`` float64 [R] share of people near enough for a shift.
    The figures are the linear model's: a bound from above, its whole part the promise that can be made.
    """

    formation: Formation
    days: Indices
    sustained: Doubles
    per_region: Doubles
    scarce: npt.NDArray[np.str_]
    window: npt.NDArray[np.str_]
    scarce_region: npt.NDArray[np.str_]
    window_region: npt.NDArray[np.str_]
    in_reach: Doubles

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, eq=False)
class Supply:
    """What the linear model draws on: groups of people or vehicles that come and rest alike, one row each.

    ``region`` int32 [G] · ``resource`` int32 [G] (a function, or len(FUNCTIONS) + part for vehicles) · ``amount``
    float64 [G] · ``cycle`` int32 [G] blocks from one leaving to the next · ``lead_h``, ``back_h`` int32 [G] hours on
    the road before taking over and after being relieved · ``available`` float64 [G, W] · ``per_week`` int32 [G] (0 = no
    limit) · ``home`` float64 [R, X] of each resource that stays ready · ``need`` float64 [X] of each per formation ·
    ``names`` of the resources · ``in_reach`` float64 [R].
    """

    region: Indices
    resource: Indices
    amount: Doubles
    cycle: Indices
    lead_h: Indices
    back_h: Indices
    available: Doubles
    per_week: Indices
    home: Doubles
    need: Doubles
    names: tuple[str, ...]
    in_reach: Doubles


def compute_travel_min(drive_s: Seconds, shifts: Shifts) -> Indices:
    """Minutes that relief takes to drive, from drives with blue lights: int32, -1 = no road."""
    minutes = np.ceil(drive_s.astype(np.float64) * shifts.travel_factor / 60)
    return np.where(drive_s == UNREACHABLE, -1, minutes).astype(np.int32)


def within_reach(travel_min: Indices, shifts: Shifts) -> npt.NDArray[np.bool_]:
    """Whether a shift with its drives fits in the longest that people may be away: bool."""
    on_the_road = 2 * travel_min if shifts.travel_counts else 0 * travel_min
    return (travel_min >= 0) & (shifts.overlap_min + shifts.post_min + on_the_road <= shifts.most_min)


def compute_home_drive_s(plan: Plan, travel: Travel) -> Seconds:
    """Drives when every region keeps it up at home: from each station to the middle of its own region, uint16 [S].

    The middle is the area that the region's own stations reach soonest on average.
    """
    drive_s = np.full(len(plan.stations), UNREACHABLE, dtype=np.uint16)
    for region in range(len(plan.regions)):
        mine = np.flatnonzero(plan.stations.region == region)
        areas = np.flatnonzero(plan.areas.region == region)
        if len(mine) and len(areas):
            drives = travel.drive_s[np.ix_(areas, mine)]
            drive_s[mine] = drives[np.argmin(drives.astype(np.float64).mean(axis=1))]
    return drive_s


def compute_endurance(
    plan: Plan,
    drive_s: Seconds,
    formation: Formation,
    *,
    week: Indices,
    starts: datetime.datetime,
    days: Sequence[int] = DAYS,
    progress: Callable[[int, int], None] | None = None,
) -> Endurance:
    """How many of ``formation`` stand at a place at every moment, for each of ``days``, relief and rest included.

    ``drive_s`` uint16 [S] with blue lights from every station to the place (``compute_home_drive_s`` for "each at
    home") · ``week`` int32 [168] the window of every hour · ``starts`` when the first must stand.
    Raises ReliefError for no days or a formation that no vehicle of the plan can make, NoRuleError.
    """
    if not days or min(days) <= 0:
        raise ReliefError(f"de duur is {', '.join(map(str, days)) or 'niet gegeven'}: vraag om ten minste 1 dag")
    shifts = compute_shifts(plan)
    supply = compute_supply(plan, compute_people(plan), compute_travel_min(drive_s, shifts), formation, shifts)
    regions = len(plan.regions)
    rows = [list(range(regions)), *([r] for r in range(regions))]
    sustained = np.zeros((len(days), 1 + regions))
    scarce = np.full((len(days), 1 + regions), "", dtype="<U60")
    window = np.full((len(days), 1 + regions), "", dtype="<U10")
    for d, length in enumerate(days):
        blocks = -(-length * 1440 // shifts.post_min)
        for place, mine in enumerate(rows):
            sustained[d, place], scarce[d, place], window[d, place] = _solve(
                supply, np.array(mine), blocks, shifts, week, starts
            )
            if progress is not None:
                progress(d * len(rows) + place + 1, len(days) * len(rows))
    return Endurance(
        formation, np.array(days, dtype=np.int32), sustained[:, 0], sustained[:, 1:], scarce[:, 0], window[:, 0],
        scarce[:, 1:], window[:, 1:], supply.in_reach,
    )  # fmt: skip


def compute_supply(plan: Plan, people: People, travel_min: Indices, formation: Formation, shifts: Shifts) -> Supply:
    """People and vehicles of ``plan`` as groups of the linear model; ``travel_min`` int32 [S] to the place."""
    regions, functions, parts = len(plan.regions), len(FUNCTIONS), len(formation.parts)
    need = np.zeros(functions + parts)
    for p, part in enumerate(formation.parts):
        need[:functions] += part.count * compute_part_seats(plan, part.capability)
        if compute_part_seats(plan, part.capability)[OFFICER] == 0:  # an officer is scarce, not the car he drives
            need[functions + p] = part.count
    standing = add_on_call(plan, compute_standing(plan.units, plan.stations, WINDOWS[0]))
    pools = []  # station [n], resource, amount [n], available [n, W], rest in minutes, shifts per week
    home = np.zeros((regions, functions + parts))
    for f in np.flatnonzero(need[:functions] > 0).tolist():
        pools.append((people.station, f, people.persons[:, f], people.available, shifts.rest_min, shifts.per_week))
        np.add.at(home[:, f], people.region, shifts.home_share * people.seats[:, f])
    for p, part in enumerate(formation.parts):
        if need[functions + p] == 0:
            continue
        share = compute_share(standing, part).astype(np.float64)
        pools.append((standing.origin, functions + p, share, np.ones((len(share), len(WINDOWS))), 0, 0))
        np.add.at(home[:, functions + p], standing.region, shifts.home_share * share)
    keys, amounts = [], []
    reached, total = np.zeros(regions), np.zeros(regions)
    for station, resource, amount, available, rest_min, per_week in pools:
        drive = travel_min[station]
        near = within_reach(drive, shifts)
        region = plan.stations.region[station]
        if resource < functions:
            np.add.at(total, region, amount)
            np.add.at(reached, region, amount * near)
        away_min = shifts.overlap_min + shifts.post_min + 2 * drive + rest_min
        cycle = -(-away_min // shifts.post_min)
        lead_h = -(-(drive + shifts.overlap_min) // 60)
        back_h = -(-drive // 60)
        use = near & (amount > 0)
        table = np.column_stack([region, np.full(len(region), resource), cycle, lead_h, back_h, available,
                                 np.full(len(region), per_week)])  # fmt: skip
        # people out of reach still hold the floor of their region: they are kept, with a cycle of 0
        table[~near, 2:5] = 0
        keep = use | ((amount > 0) & ~near)
        keys.append(table[keep])
        amounts.append(amount[keep])
    key, group = np.unique(np.vstack(keys), axis=0, return_inverse=True)
    whole = [part.capability for part in formation.parts]
    return Supply(
        key[:, 0].astype(np.int32), key[:, 1].astype(np.int32),
        np.bincount(group.reshape(-1), weights=np.concatenate(amounts), minlength=len(key)).astype(np.float64),
        key[:, 2].astype(np.int32), key[:, 3].astype(np.int32), key[:, 4].astype(np.int32), key[:, 5:-1],
        key[:, -1].astype(np.int32), home, need, (*FUNCTIONS, *(f"voertuigen: {name}" for name in whole)),
        np.divide(reached, total, out=np.zeros(regions), where=total > 0),
    )  # fmt: skip


class _Rows:
    """Rows of a linear model, "at most" each, gathered with the name of what they ration and when."""

    def __init__(self) -> None:
        self.row: list[npt.NDArray[np.int64]] = []
        self.column: list[npt.NDArray[np.int64]] = []
        self.value: list[Doubles] = []
        self.most: list[float] = []
        self.resource: list[int] = []
        self.block: list[int] = []

    def add(
        self, column: npt.NDArray[np.int64], value: npt.ArrayLike, most: float, resource: int = -1, block: int = -1
    ) -> None:
        self.row.append(np.full(len(column), len(self.most), dtype=np.int64))
        self.column.append(column)
        self.value.append(np.broadcast_to(np.asarray(value, dtype=np.float64), column.shape))
        self.most.append(most)
        self.resource.append(resource)
        self.block.append(block)


def _within(
    left: npt.NDArray[np.int64], first: npt.NDArray[np.int64], last: int
) -> tuple[npt.NDArray[np.int64], Doubles]:
    """How many leave from block ``first`` [n] to ``last``, as columns and values of those who have ``left`` [n, T]."""
    since = np.flatnonzero(first > 0)
    column = np.concatenate([left[:, last], left[since, first[since] - 1]])
    return column, np.concatenate([np.ones(len(left)), -np.ones(len(since))])


def _solve(
    supply: Supply, regions: npt.NDArray[np.int64], blocks: int, shifts: Shifts, week: Indices,
    starts: datetime.datetime,
) -> tuple[float, str, str]:  # fmt: skip
    """(formations kept up, what runs out first, in which window) by ``regions`` over ``blocks`` posts in a row.

    Variables: the number kept up; what each region brings per block; per group how many have left by the end of each
    block. People of one group take turns, so nobody's turn comes before his rest is over exactly when no more leave
    within one cycle than there are.
    """
    groups = np.flatnonzero(np.isin(supply.region, regions) & (supply.need[supply.resource] > 0))
    going = groups[supply.cycle[groups] > 0]
    if len(going) == 0:
        return 0.0, "", ""
    brought = 1 + np.arange(len(regions) * blocks).reshape(len(regions), blocks)
    left = np.full((len(supply.region), blocks), -1, dtype=np.int64)
    left[going] = 1 + brought.size + np.arange(len(going) * blocks).reshape(len(going), blocks)
    minute = np.arange(blocks) * shifts.post_min
    middle = window_at(week, starts, minute + shifts.post_min // 2)
    rows = _Rows()
    for t in range(blocks):
        rows.add(np.append(brought[:, t], 0), np.append(-np.ones(len(regions)), 1.0), 0.0)
        if t:
            for g in going:
                rows.add(left[g, t - 1 : t + 1], np.array([1.0, -1.0]), 0.0)
    for x in np.flatnonzero(supply.need > 0).tolist():
        for i, r in enumerate(regions.tolist()):
            mine = groups[(supply.region[groups] == r) & (supply.resource[groups] == x)]
            sent = mine[supply.cycle[mine] > 0]
            for t in range(blocks):
                column, value = _within(left[sent], np.full(len(sent), t), t)
                rows.add(np.append(brought[i, t], column), np.append(supply.need[x], -value), 0.0, x, t)
                able = float(supply.available[mine, middle[t]] @ supply.amount[mine])
                if len(sent):
                    column, value = _within(left[sent], t - supply.cycle[sent] + 1, t)
                    share = supply.available[sent, middle[t]]
                    share = np.concatenate([share, share[t - supply.cycle[sent] >= 0]])
                    rows.add(column, value * share, able - min(float(supply.home[r, x]), able), x, t)
    span = 7 * 1440 // shifts.post_min
    for g in going.tolist():
        x, amount, cycle = int(supply.resource[g]), float(supply.amount[g]), int(supply.cycle[g])
        hours = np.arange(-supply.lead_h[g], -(-shifts.post_min // 60) + supply.back_h[g])
        share = supply.available[g][window_at(week, starts, minute[:, None] + 60 * hours)].min(axis=1)
        for t in range(blocks):
            rested, before = _within(left[[g]], np.array([t - cycle + 1]), t), _within(left[[g]], np.array([t]), t)
            a = float(share[t])  # who leaves now is one of those who can, of those who are not away and not resting
            column, value = np.concatenate([rested[0], before[0]]), np.concatenate([a * rested[1], (1 - a) * before[1]])
            rows.add(column, value, a * amount, x, t)
            if supply.per_week[g] > 0 and (t >= span - 1 or t == blocks - 1):
                column, value = _within(left[[g]], np.array([t - span + 1]), t)
                rows.add(column, value, supply.per_week[g] * amount, x, t)
    matrix = coo_matrix(
        (np.concatenate(rows.value), (np.concatenate(rows.row), np.concatenate(rows.column))),
        shape=(len(rows.most), 1 + brought.size + len(going) * blocks),
    ).tocsr()
    cost = np.zeros(1 + brought.size + len(going) * blocks)
    cost[0] = -1.0
    answer = linprog(cost, A_ub=matrix, b_ub=np.array(rows.most), bounds=(0, None), method="highs-ipm")
    if answer.status != 0:
        raise ReliefError(f"het lineaire model gaf geen antwoord: {answer.message}")
    resource, block = np.array(rows.resource), np.array(rows.block)
    price = np.where(resource >= 0, -answer.ineqlin.marginals, 0.0) * (np.array(rows.most) > 0)
    if price.sum() <= 1e-12:  # nothing to ration: the zero comes from what is not there at all
        price = np.where(resource >= 0, -answer.ineqlin.marginals, 0.0)
    if price.sum() <= 1e-12:
        return max(0.0, -float(answer.fun)), "", ""
    by_both = np.zeros((len(supply.need), len(WINDOWS)))
    known = resource >= 0
    np.add.at(by_both, (resource[known], middle[block[known]]), (price * np.maximum(np.array(rows.most), 1e-9))[known])
    resource_row, window = divmod(int(np.argmax(by_both)), len(WINDOWS))
    return max(0.0, -float(answer.fun)), supply.names[resource_row], WINDOWS[window]
