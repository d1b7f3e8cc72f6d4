"""Where people and objects are: the country in pieces that a norm can speak about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float32]
Metres = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Areas:
    """Pieces of the country, one row each.

    ``area_id`` str [A] unique · ``x_m``, ``y_m`` float64 [A] the point that is driven to, RD New ·
    ``region`` int32 [A] row of Regions · ``municipality`` str [A] CBS code · ``population`` float32 [A] ·
    ``object_classes`` names of the columns of ``objects`` float32 [A, K]: counts of objects per class that an object
    norm speaks about (all zero where the counts were not given) · ``area_class`` str [A] the class that an area norm
    speaks about ("" = none given) · ``size_m`` float32 [A] square root of the surface, for drawing and for the
    error band of a point that stands for a surface.
    """

    area_id: Strings
    x_m: Metres
    y_m: Metres
    region: Indices
    municipality: Strings
    population: Floats
    object_classes: tuple[str, ...]
    objects: Floats
    area_class: Strings
    size_m: Floats

    def __len__(self) -> int:
        return len(self.area_id)


def find_area(areas: Areas, x_m: float, y_m: float) -> int:
    """The area (row) whose point lies nearest to a place in RD New metres."""
    return int(np.argmin(np.hypot(areas.x_m - x_m, areas.y_m - y_m)))
