"""How long every drive takes: from all origins to all areas, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Metres = npt.NDArray[np.float64]
Seconds = npt.NDArray[np.uint16]

UNREACHABLE = np.uint16(65535)
"""No road leads there. Never a travel time: kernels skip it, tables show it as missing."""


@dataclass(frozen=True, eq=False)
class Travel:
    """Drive times from every origin to every area.

    ``drive_s`` uint16 [A, O] whole seconds, area-major (row = an area, column = an origin), UNREACHABLE where no road
    leads · ``origin_x_m``, ``origin_y_m`` float64 [O] (in a plan: the stations, in their order) ·
    ``origin_snap_m`` float32 [O], ``area_snap_m`` float32 [A] distance to the road network (0 where a matrix was
    given) · ``kind`` "wegennet", "gemodelleerd", "matrix" or "voorbeeld" · ``spread`` standard deviation of
    ln(drive time), the error band that screens show (0 = taken as exact) · ``source`` one line for the receipt.
    """

    drive_s: Seconds
    origin_x_m: Metres
    origin_y_m: Metres
    origin_snap_m: Floats
    area_snap_m: Floats
    kind: str
    spread: float
    source: str
