"""Together against alone: what each region gains in people and minutes when the nearest unit comes, whoever owns it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.coverage.judge import Coverage
from slagkracht.coverage.tables import add_up
from slagkracht.regions import Regions
from slagkracht.resources import Standing

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cooperation:
    """One norm in one window, alone and together. Columns [R] count people per region, columns [A] are per area.

    ``alone_in_time``, ``together_in_time`` people in time · ``gained`` their difference · ``quicker`` people whose
    time improves · ``mean_gain_s`` mean gain over the region's people whom its own units reach (nan = none) ·
    ``newly_reached`` people whom only another region's units reach · ``served_by`` float64 [R, R] people of the row's
    region whose unit comes from the column's · ``gain_s`` float32 [A] (inf = only others can come) · ``from_other``
    bool [A] the unit that comes is another region's: the border areas.
    """

    norm: str
    window: str
    region: Strings
    population: Doubles
    alone_in_time: Doubles
    together_in_time: Doubles
    gained: Doubles
    quicker: Doubles
    mean_gain_s: Doubles
    newly_reached: Doubles
    served_by: Doubles
    gain_s: Floats
    from_other: Flags


def compute_cooperation(
    alone: Coverage, together: Coverage, areas: Areas, regions: Regions, standing: Standing
) -> Cooperation:
    """What ``together`` is worth over ``alone``: the same norm in the same window. Raises ValueError when it is not."""
    if (alone.norm, alone.window, alone.alone, together.alone) != (together.norm, together.window, True, False):
        raise ValueError(
            f"vergelijk dezelfde norm en hetzelfde tijdvenster, alleen en samen: kreeg {alone.norm} {alone.window} "
            f"en {together.norm} {together.window}"
        )
    count = len(regions)
    people = np.where(np.isnan(together.limit_s), 0, together.population).astype(np.float64)
    own_comes, comes = np.isfinite(alone.response_s), np.isfinite(together.response_s)
    gain_s = np.zeros(len(areas), dtype=np.float32)
    gain_s[own_comes] = alone.response_s[own_comes] - together.response_s[own_comes]
    gain_s[comes & ~own_comes] = np.inf
    helper = np.where(together.unit >= 0, standing.region[np.maximum(together.unit, 0)], areas.region)
    served_by = np.zeros((count, count))
    np.add.at(served_by, (areas.region, helper), np.where(together.unit >= 0, people, 0))

    def add(weight: Doubles) -> Doubles:
        return add_up(weight, areas.region, count)

    reached = add(people * own_comes)
    alone_in_time, together_in_time = add(people * alone.in_time), add(people * together.in_time)
    return Cooperation(
        norm=together.norm,
        window=together.window,
        region=regions.code,
        population=add(people),
        alone_in_time=alone_in_time,
        together_in_time=together_in_time,
        gained=together_in_time - alone_in_time,
        quicker=add(people * (gain_s > 0)),
        mean_gain_s=np.divide(
            add(people * np.where(own_comes, gain_s, 0)), reached, out=np.full(count, np.nan), where=reached > 0
        ),
        newly_reached=add(people * (comes & ~own_comes)),
        served_by=served_by,
        gain_s=gain_s,
        from_other=(helper != areas.region),
    )
