"""How sure an arrival is: who turns out to be ready, who stands in, and how turnout and drive spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from slagkracht.resources import Standing
from slagkracht.strength.compute import NOBODY_FIRST, compute_strength
from slagkracht.strength.formations import Formation
from slagkracht.strength.residual import Cover, Floors

Doubles = npt.NDArray[np.float64]
Seconds = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]


def compute_arrival_percentiles(
    standing: Standing, drive_s: Seconds, asked: Sequence[tuple[Formation, int]], cover: Cover, floors: Floors | None,
    *, travel_spread: float, percentiles: Sequence[float] = (0.5, 0.9), first: Mapping[str, int] = NOBODY_FIRST,
    away: Flags | None = None, draws: int = 200, seed: int = 1,
) -> Doubles:  # fmt: skip
    """When the first, second, … formation stands in a share of all cases: float64 [F, Q]; inf = in fewer cases.

    In each of ``draws`` cases every unit is ready or not, by its own chance; whom to send is chosen anew out of those
    who are, by the times that one expects, floors held; and then turnout and drive come out as they do: lognormal
    around their medians, ``travel_spread`` and ``turnout_spread`` the standard deviation of ln, all independent.
    """
    rng = np.random.default_rng(seed)
    gone = np.zeros(len(standing), dtype=np.bool_) if away is None else away
    drive = drive_s[standing.origin].astype(np.float64)
    total = sum(count for _, count in asked)
    complete_s = np.full((draws, total), np.inf)
    for draw in range(draws):
        resting = rng.random(len(standing)) >= standing.readiness
        turnout_s = standing.turnout_s * np.exp(standing.turnout_spread * rng.standard_normal(len(standing)))
        driven_s = drive * np.exp(travel_spread * rng.standard_normal(len(standing)))
        sent = compute_strength(
            standing, drive_s, asked, cover, floors, first=first, away=gone, resting=resting, partial=False,
            thorough=False,
        )  # fmt: skip
        for f in np.flatnonzero(np.isfinite(sent.complete_s)).tolist():
            mine = sent.unit_formation == f
            complete_s[draw, f] = (turnout_s[mine] + driven_s[mine]).max() + sent.formations[f].assembly_s
    kinds: dict[str, list[int]] = {}
    for f, formation in enumerate(sent.formations):
        kinds.setdefault(formation.code, []).append(f)
    for columns in kinds.values():  # what came first is the first, whoever was meant to be
        complete_s[:, columns] = np.sort(complete_s[:, columns], axis=1)
    answer: Doubles = np.quantile(complete_s, percentiles, axis=0, method="inverted_cdf").T
    return answer
