"""Places on the earth: from WGS84 to RD New and back, and what is wrong with a place that cannot be right."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

Metres = npt.NDArray[np.float64]
Degrees = npt.NDArray[np.float64]

RD = "EPSG:28992"
WGS84 = "EPSG:4326"

NETHERLANDS = (3.2, 50.7, 7.3, 53.7)
"""The European Netherlands as a box: west, south, east, north, in degrees."""

NETHERLANDS_RD = (-7_000.0, 289_000.0, 300_000.0, 629_000.0)
"""The extent in which RD New is defined: west, south, east, north, in metres (EPSG:28992 projected bounds)."""


@cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def transform(x: Degrees, y: Degrees, source: str = WGS84, target: str = RD) -> tuple[Metres, Metres]:
    """Coordinates in another reference system: float64 [N], float64 [N], east before north on both sides.

    RD New is reached by the published seven-parameter transformation, exact to about a quarter of a metre.
    """
    east, north = _transformer(source, target).transform(np.asarray(x, np.float64), np.asarray(y, np.float64))
    return np.atleast_1d(np.asarray(east, np.float64)), np.atleast_1d(np.asarray(north, np.float64))


def in_netherlands(lon: Degrees, lat: Degrees) -> npt.NDArray[np.bool_]:
    """Which places lie in the box around the European Netherlands: bool [N]."""
    west, south, east, north = NETHERLANDS
    inside: npt.NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


def what_is_wrong(lon: float, lat: float) -> str:
    """Why (lon, lat) is no place in the Netherlands, in a planner's words; "" when it is one."""
    west, south, east, north = NETHERLANDS
    if west <= lon <= east and south <= lat <= north:
        return ""
    if west <= lat <= east and south <= lon <= north:
        return "lengte en breedte zijn verwisseld: eerst lengte (3,2–7,3), dan breedte (50,7–53,7)"
    west, south, east, north = NETHERLANDS_RD
    if west <= lon <= east and south <= lat <= north:
        return "dit lijken RD-meters; in deze kolommen horen graden WGS84 (lengte 3,2–7,3, breedte 50,7–53,7)"
    return "een plaats in Nederland: lengte 3,2–7,3 en breedte 50,7–53,7 graden WGS84"


def local_crs(lon: Degrees, lat: Degrees) -> str:
    """The metric reference system that suits these places: RD New in the Netherlands, elsewhere their UTM zone."""
    middle_lon, middle_lat = float(np.median(lon)), float(np.median(lat))
    if not what_is_wrong(middle_lon, middle_lat):
        return RD
    zone = min(int((middle_lon + 180) // 6) + 1, 60)
    return f"EPSG:{326 if middle_lat >= 0 else 327}{zone:02d}"


def step_lengths(lon: Degrees, lat: Degrees) -> Metres:
    """Metres from each place to the next along the WGS84 ellipsoid: float64 [N-1].

    By the radii of curvature halfway each step, within 1 in 100,000 of the geodesic for steps up to 10 km
    (Snyder, Map Projections: a working manual, USGS 1987, eq. 4-18 to 4-20).
    """
    a, e2 = 6_378_137.0, 0.006_694_379_990_14
    middle = np.radians((lat[:-1] + lat[1:]) / 2)
    root = 1 - e2 * np.sin(middle) ** 2
    north = np.radians(np.diff(lat)) * a * (1 - e2) / root**1.5
    east = np.radians(np.diff(lon)) * a * np.cos(middle) / np.sqrt(root)
    return np.asarray(np.hypot(north, east), np.float64)
