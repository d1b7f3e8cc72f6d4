"""The road network and how fast a unit may drive on it: topology once, speeds as often as the day asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float32]
Metres = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Roads:
    """A directed road network in forward-star form.

    ``x_m``, ``y_m`` float64 [N] nodes in RD New · ``first_arc`` int32 [N+1] · ``head`` int32 [M] node an arc leads
    to (arcs of node n are ``first_arc[n]:first_arc[n+1]``) · ``length_m`` float32 [M] · ``road_class`` int32 [M]
    index into ``road_classes`` · ``maxspeed_kmh`` float32 [M] (nan = not known) · ``kind`` how the network was
    made: "wegennet" (surveyed: OSM, NWB), "gemodelleerd", or "voorbeeld" · ``source`` one line for the receipt.
    """

    x_m: Metres
    y_m: Metres
    first_arc: Indices
    head: Indices
    length_m: Floats
    road_class: Indices
    road_classes: tuple[str, ...]
    maxspeed_kmh: Floats
    kind: str
    source: str

    def __len__(self) -> int:
        return len(self.x_m)
