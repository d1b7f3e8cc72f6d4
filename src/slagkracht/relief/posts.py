"""A deployment as arrays: who could take which part in which block, what a choice costs, and who may go when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Model:
    """A deployment as arrays, for C crews, T blocks, P parts and R regions.

    ``able`` bool [C, P] · ``allowed`` bool [C, T] can be away then · ``near`` bool [C] within a shift's drive ·
    ``no_road`` bool [C] · ``lead_min`` int32 [C] from leaving to taking over · ``drive_min`` int32 [C] · ``cycle``
    int32 [C] blocks from one shift to the next, rest included · ``region`` int32 [C] · ``need`` int32 [P] crews at
    a time · ``kind`` int32 [P] formation kind of a part · ``count`` int32 [P] in one formation · ``asked`` int32
    [K] of each ·
    ``same_region`` bool [K] · ``home`` int32 [R, P, T] crews that may be out or resting · ``fair`` float64 [R, P] crew
    shifts that are a region's share · ``not_before`` int32 [C] minute before which a crew cannot leave · ``before``
    int32 [C, T] the parts of the rotation that is replaced (-1 = none) · ``replaces`` whether there is one · ``frozen``
    blocks that are past.
    """

    able: Flags
    allowed: Flags
    near: Flags
    no_road: Flags
    lead_min: Indices
    drive_min: Indices
    cycle: Indices
    region: Indices
    need: Indices
    kind: Indices
    count: Indices
    asked: Indices
    same_region: Flags
    home: Indices
    fair: Doubles
    week_blocks: int
    per_week: int
    post_min: int
    fair_min: int
    not_before: Indices
    before: Indices
    replaces: bool
    frozen: int


def compute_cost(model: Model, post: Indices) -> int:
    """Minutes of driving there and back, plus ``fair_min`` for every shift above a region's fair share of a part."""
    crew, block = np.nonzero(post >= 0)
    cost = int(2 * model.drive_min[crew].sum())
    for p in range(len(model.need)):
        mine = crew[post[crew, block] == p]
        over = np.bincount(model.region[mine], minlength=len(model.fair)) - np.ceil(model.fair[:, p] - 1e-9)
        cost += model.fair_min * int(np.maximum(over, 0).sum())
    return cost


def count_out(model: Model, post: Indices) -> Indices:
    """Crews out or resting of every region and part in every block, by the shifts in ``post`` [C, T]: [R, P, T]."""
    out = np.zeros(model.home.shape, dtype=np.int32)
    for c, t in np.argwhere(post >= 0).tolist():
        out[model.region[c], model.able[c], t : t + int(model.cycle[c])] += 1
    return out


def may_go(model: Model, out: Indices, crew: int, t: int) -> bool:
    """Whether enough stays at home in the region of ``crew`` while it is out and rests, ``out`` by ``count_out``."""
    region, until, mine = int(model.region[crew]), t + int(model.cycle[crew]), model.able[crew]
    return bool((out[region, mine, t:until] < model.home[region, mine, t:until]).all())


def free_at(model: Model, post: Indices, t: int) -> Flags:
    """Which crews could leave for block ``t`` after their earlier shifts in ``post``: back and rested, bool [C]."""
    taken = post[:, :t] >= 0
    last = np.where(taken.any(axis=1), t - 1 - np.argmax(taken[:, ::-1], axis=1), -(10**6)) if t else np.full(
        len(post), -(10**6))  # fmt: skip
    free: Flags = (
        model.allowed[:, t]
        & (t * model.post_min - model.lead_min >= model.not_before)
        & (last + model.cycle <= t)
        & (taken[:, max(0, t - model.week_blocks + 1) :].sum(axis=1) < model.per_week)
    )
    return free
