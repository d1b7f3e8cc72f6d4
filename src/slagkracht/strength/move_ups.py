"""Move-ups (herbezetting): which free unit should stand at which station, so that the floors hold again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.spatial import cKDTree

from slagkracht.coverage import compute_call_handling
from slagkracht.resources import Standing, capability_column
from slagkracht.rules import rule_in_force
from slagkracht.strength.floors import limits_in_force
from slagkracht.strength.posture import Posture
from slagkracht.strength.residual import Cover, Floors, compute_held, compute_least, compute_residual
from slagkracht.strength.selection import take
from slagkracht.travel import UNREACHABLE

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]


READY_S = 60.0
"""Turnout of a crew that waits in a strange station, in seconds: it is in its vehicle's place, not at home."""

MOST_STATIONS = 20
"""How many stations, those that would mend most, are looked at for each move."""


@dataclass(frozen=True, eq=False)
class MoveUps:
    """Moves in the order in which they mend most.

    ``unit`` int32 [M] row of Standing · ``origin`` int32 [M] the station (origin of the drive times) where it should
    stand · ``arrival_s`` float64 [M] when it can be there · ``mended`` float64 [M] residents that are in time again ·
    ``residual_before``, ``residual_after``, ``floor`` float64 [R] · ``mends`` bool [R] regions whose floor holds again.
    """

    unit: Indices
    origin: Indices
    arrival_s: Doubles
    mended: Doubles
    residual_before: Doubles
    residual_after: Doubles
    floor: Doubles
    mends: Flags


def compute_move_ups(
    standing: Standing, capable: Flags, drive_s: Seconds, near_area: Indices, cover: Cover, floors: Floors, away: Flags,
    *, call_handling_s: Floats | float, limit_s: Floats | float, ready_s: float = READY_S, most: int = 25,
) -> MoveUps:  # fmt: skip
    """Fill stations one by one where that brings most residents of regions below their floor back in time.

    ``capable`` bool [N] units that count for the floor · ``drive_s`` uint16 [A, O] · ``near_area`` int32 [O] the area
    in which each origin lies (a drive to a station is taken as the drive to it) · ``away`` bool [N] those that are gone
    · ``ready_s`` turnout of a crew that waits in a strange station. Each time the unit goes that mends most, and of
    those alike to 1 % the soonest: afterwards no region is lower than it was and below its floor. Stops when all floors
    hold, when nothing mends more, or after ``most`` moves.
    """
    limit = np.broadcast_to(np.asarray(limit_s, dtype=np.float64), (len(drive_s),))
    handling = np.broadcast_to(np.asarray(call_handling_s, dtype=np.float64), (len(drive_s),))
    reach = (drive_s != UNREACHABLE) & (drive_s + (handling + ready_s)[:, None] <= limit[:, None])
    held = compute_held(cover, away)
    before = compute_residual(cover, away)
    covered = before * cover.total
    least = compute_least(cover, floors)
    aim = np.where(np.isfinite(least), least, cover.share * cover.total)
    busy = away | ~capable | ~standing.free | (standing.readiness <= 0)
    moves: list[tuple[int, int, float, float]] = []
    while len(moves) < most and (covered < aim - 1e-6).any():
        below = covered < aim - 1e-6
        gains = (cover.weight * ((held == 0) & below[cover.region])) @ reach
        move: tuple[int, int, float, float] | None = None
        for origin in np.argsort(-gains, kind="stable")[:MOST_STATIONS].tolist():
            if move is not None or gains[origin] <= 0:
                break
            drive = drive_s[near_area[origin], standing.origin]
            arrival_s = np.where(busy | (drive == UNREACHABLE), np.inf, standing.turnout_s + drive)
            order = np.argsort(arrival_s, kind="stable")
            for unit in order[np.isfinite(arrival_s[order])].tolist():
                new_held, new_covered = held.copy(), covered.copy()
                _stand(reach[:, origin], cover.weight, cover.region, new_held, new_covered)
                take(unit, cover.unit_first, cover.unit_area, cover.weight, cover.region, new_held, new_covered)
                mended = float((new_covered - covered)[below].sum())
                better = mended > (1e-6 if move is None else 1.01 * move[3])
                if better and (new_covered >= np.minimum(covered, least) - 1e-6).all():
                    move, state = (unit, origin, float(arrival_s[unit]), mended), (new_held, new_covered)
        if move is None:
            break
        moves.append(move)
        held, covered = state
        busy[move[0]] = True
    after = np.divide(covered, cover.total, out=np.zeros(len(covered)), where=cover.total > 0)
    table = np.array(moves, dtype=np.float64).reshape(-1, 4)
    return MoveUps(
        table[:, 0].astype(np.int32), table[:, 1].astype(np.int32), table[:, 2], table[:, 3], before, after,
        floors.share, (before * cover.total < aim - 1e-6) & (covered >= aim - 1e-6),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _stand(reach: Flags, weight: Doubles, region: Indices, held: Indices, covered: Doubles) -> None:
    for area in range(len(reach)):
        if reach[area]:
            if held[area] == 0:
                covered[region[area]] += weight[area]
            held[area] += 1


def compute_move_ups_for(posture: Posture, away: Flags) -> MoveUps:
    """Move-ups by the plan's rule "ondergrens" when the units in ``away`` bool [N] are gone. Raises NoRuleError."""
    plan, travel = posture.plan, posture.travel
    _, rule = rule_in_force(plan.rules, "ondergrens", plan.day)
    handling_s, _ = compute_call_handling(plan)
    near = cKDTree(np.column_stack([plan.areas.x_m, plan.areas.y_m])).query(
        np.column_stack([travel.origin_x_m, travel.origin_y_m])
    )[1]
    return compute_move_ups(
        posture.standing, capability_column(posture.standing, rule["inzetmogelijkheid"]), travel.drive_s,
        near.astype(np.int32), posture.cover, posture.floors, away, call_handling_s=handling_s,
        limit_s=limits_in_force(plan),
    )  # fmt: skip
