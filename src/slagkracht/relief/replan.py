"""A rotation mended when reality changes, with as few other changes as can be."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.relief.people import Crews, ReliefError, Shifts
from slagkracht.relief.rotation import Rotation, compute_model, rotation_from_answer
from slagkracht.relief.solve import solve_rotation

Indices = npt.NDArray[np.int32]

NEVER = 10**8


@dataclass(frozen=True)
class DropOut:
    """``crew_id`` cannot be sent from now on; what it is doing it finishes."""

    crew_id: str


@dataclass(frozen=True)
class Late:
    """``crew_id`` takes over its present or next shift ``minutes`` later: whom it relieves stays that long."""

    crew_id: str
    minutes: int


@dataclass(frozen=True)
class Extend:
    """The deployment lasts ``days`` in all."""

    days: float


Change = DropOut | Late | Extend


def replan_rotation(
    rotation: Rotation,
    changes: Sequence[Change],
    now_min: int,
    crews: Crews,
    travel_min: Indices,
    shifts: Shifts,
    *,
    week: Indices,
    regions: int,
    effort: float = 20.0,
    seed: int = 1,
) -> Rotation:
    """``rotation`` as it goes on from ``now_min`` after ``changes``: as many posts held as can be, then as few shifts
    changed as can be, then fair and with little driving.

    Shifts whose crew has left by ``now_min`` are past and stay as they are. Other arguments as in
    ``compute_rotation``. Raises ReliefError for a crew that is unknown or, when late, has no shift to come.
    """
    deployment = rotation.deployment
    for change in changes:
        if isinstance(change, Extend):
            deployment = dataclasses.replace(deployment, days=change.days)
    model = compute_model(crews, travel_min, deployment, shifts, week, regions)
    blocks = model.allowed.shape[1]
    before = np.full((len(crews), blocks), -1, dtype=np.int32)
    kept = rotation.block < blocks
    before[rotation.crew[kept], rotation.block[kept]] = rotation.part[kept]
    begun = rotation.block[kept & (rotation.leaves_min <= now_min)]
    frozen = int(begun.max()) + 1 if len(begun) else 0
    stays = np.zeros((len(crews), blocks), dtype=np.int64)
    not_before = np.maximum(model.not_before, now_min if frozen else -(10**6)).astype(np.int32)
    allowed = model.allowed.copy()
    for change in changes:
        if isinstance(change, Extend):
            continue
        found = np.flatnonzero(crews.crew_id == change.crew_id)
        if len(found) == 0:
            raise ReliefError(f"ploeg {change.crew_id!r} bestaat niet in dit plan: neem de naam uit het rooster over")
        crew = int(found[0])
        if isinstance(change, DropOut):
            not_before[crew] = NEVER
            allowed[crew, frozen:] = False
            continue
        if change.minutes <= 0:
            raise ReliefError(f"ploeg {change.crew_id!r} is {change.minutes} minuten te laat: geef meer dan 0")
        own = np.flatnonzero((rotation.crew == crew) & (rotation.relieved_min > now_min) & kept)
        if len(own) == 0:
            raise ReliefError(f"ploeg {change.crew_id!r} heeft na minuut {now_min} geen dienst om te laat voor te zijn")
        for i in _whom_it_relieves(rotation, int(own[0])):
            other = int(rotation.crew[i])
            stays[other, rotation.block[i]] = change.minutes
            not_before[other] = max(int(not_before[other]), int(rotation.rested_min[i]) + change.minutes)
    model = dataclasses.replace(
        model, before=before, replaces=True, frozen=frozen, not_before=not_before, allowed=allowed
    )
    answer = solve_rotation(model, effort=effort, seed=seed)
    return rotation_from_answer(answer, model, crews, deployment, shifts, stays=stays.ravel().tolist())


def _whom_it_relieves(rotation: Rotation, shift: int) -> list[int]:
    """The shift (row) that the crew of ``shift`` takes over from: same formation, part and place, one block back."""
    same = (rotation.formation == rotation.formation[shift]) & (rotation.part == rotation.part[shift])
    mine = np.flatnonzero(same & (rotation.block == rotation.block[shift])).tolist()
    theirs = np.flatnonzero(same & (rotation.block == rotation.block[shift] - 1)).tolist()
    place = mine.index(shift)
    return theirs[place : place + 1]
