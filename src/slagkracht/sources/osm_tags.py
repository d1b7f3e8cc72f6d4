"""What the tags of an OpenStreetMap way mean for a vehicle that drives with blue light."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

ROAD_CLASSES = (
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link",
    "tertiary", "tertiary_link", "unclassified", "residential", "living_street", "service", "busway", "pedestrian",
    "track", "path", "ferry",
)  # fmt: skip
"""The road classes of a surveyed network, in OpenStreetMap's words; NWB is read into the same ones."""

SAME_AS = {"road": "unclassified", "bus_guideway": "busway", "cycleway": "path", "footway": "path", "bridleway": "path"}
CLOSED_CLASSES = {"cycleway", "footway", "path", "bridleway", "bus_guideway"}
"""Too narrow, or not a street at all: only where a tag says that emergency vehicles may come there."""

ALLOWED = {"yes", "designated", "official", "permissive", "destination"}

ZONE_KMH = {
    "urban": {"": 50.0, "GB": 48.0},
    "rural": {"NL": 80.0, "BE": 70.0, "DE": 100.0, "AT": 100.0, "CH": 80.0, "LI": 80.0, "FR": 80.0},
    "trunk": {"NL": 100.0, "AT": 100.0},
    "nsl_single": {"GB": 97.0},
    "nsl_dual": {"GB": 113.0},
    "motorway": {"NL": 100.0, "BE": 120.0, "AT": 130.0, "CH": 120.0, "LI": 120.0, "FR": 130.0, "DE": 130.0},
    "living_street": {"NL": 15.0, "BE": 20.0, "": 10.0},
    "bicycle_road": {"": 30.0},
}
"""Legal speeds that a tag names by kind of road: NL:urban, DE:rural … ("" = any other country)."""
WALK_KMH = 15.0  # "stapvoets" is at most 15 km/h (RVV 1990 art. 1 and 45)
NO_LIMIT_KMH = 130.0  # a German motorway without a limit: its advisory speed


@dataclass(frozen=True)
class Way:
    """A drivable way. ``direction`` 1 along the way, -1 against it, 0 both; a speed is nan where it is not known.

    ``duration_s`` is the crossing time of a ferry (nan = not given); ``assumed`` says what was decided on the way.
    """

    road_class: str
    direction: int
    forward_kmh: float
    backward_kmh: float
    duration_s: float
    assumed: tuple[str, ...]


def read_way(tags: Mapping[str, str]) -> Way | str:
    """The way that these tags describe, or why it is left out.

    Emergency vehicles may disregard signs (RVV 1990 art. 91) but not walls: private ways, bus roads, pedestrian streets
    and ways closed to motor traffic are open to them; ``access=no`` and ``emergency=no`` are closed, unless buses or
    emergency vehicles are let through. Paths are open only where a tag names emergency vehicles.
    """
    highway = tags.get("highway", "")
    if tags.get("route") == "ferry" and not highway:
        return _read_ferry(tags)
    if tags.get("area") == "yes":
        return "vlak (area=yes)"
    road_class = SAME_AS.get(highway, highway)
    emergency = tags.get("emergency", "")
    if road_class not in ROAD_CLASSES or road_class == "ferry":
        return f"geen rijweg (highway={highway})"
    if highway in CLOSED_CLASSES and emergency not in ALLOWED:
        return f"geen rijweg voor hulpdiensten (highway={highway})"
    if emergency == "no":
        return "gesloten voor hulpdiensten (emergency=no)"
    if highway == "track" and tags.get("tracktype") in ("grade4", "grade5"):
        return "onverhard pad (tracktype grade4 of grade5)"
    assumed: list[str] = []
    if emergency not in ALLOWED:
        if tags.get("access") == "no" and not any(
            tags.get(key) in ALLOWED for key in ("motor_vehicle", "vehicle", "motorcar", "bus", "psv")
        ):
            return "gesloten (access=no)"
        if any(tags.get(key) == "no" for key in ("motor_vehicle", "vehicle", "motorcar")):
            assumed.append("gesloten voor motorvoertuigen, open voor hulpdiensten")
        if any(tags.get(key) == "private" for key in ("access", "motor_vehicle", "vehicle")):
            assumed.append("eigen weg, open voor hulpdiensten")
    if any(key in tags for key in ("maxheight", "maxweight", "maxwidth")):
        assumed.append("hoogte, gewicht of breedte beperkt, toch als open gelezen")
    forward, backward, doubt = _read_speeds(tags)
    if doubt:
        assumed.append("maximumsnelheid niet te lezen, als onbekend gelezen")
    return Way(road_class, read_direction(tags), forward, backward, math.nan, tuple(assumed))


def _read_ferry(tags: Mapping[str, str]) -> Way | str:
    access = next((tags[k] for k in ("motor_vehicle", "motorcar", "hgv", "vehicle", "access") if k in tags), "")
    if access == "no":
        return "veer zonder voertuigen"
    assumed = () if access else ("veer zonder toegang in de gegevens, als autoveer gelezen",)
    duration = read_duration(tags.get("duration", ""))
    if math.isnan(duration):
        assumed = (*assumed, "veer zonder vaartijd")
    return Way("ferry", read_direction(tags), math.nan, math.nan, duration, assumed)


def read_direction(tags: Mapping[str, str]) -> int:
    """1 = only along the way, -1 = only against it, 0 = both.

    Motorways and roundabouts are one-way unless tagged otherwise; where buses or emergency vehicles may go against
    the traffic, the way is open both ways.
    """
    if any(tags.get(f"oneway:{who}") == "no" for who in ("emergency", "bus", "psv")):
        return 0
    oneway = tags.get("oneway", "")
    if oneway in ("yes", "true", "1"):
        return 1
    if oneway in ("-1", "reverse"):
        return -1
    if oneway in ("", "implicit"):
        return int(tags.get("highway") == "motorway" or tags.get("junction") in ("roundabout", "circular"))
    return 0


def _read_speeds(tags: Mapping[str, str]) -> tuple[float, float, bool]:
    """Speed along the way, against it, and whether a tag was there that could not be read."""
    general = next(
        (tags[k] for k in ("maxspeed", "maxspeed:type", "zone:maxspeed", "source:maxspeed") if _known(tags.get(k, ""))),
        tags.get("maxspeed", ""),
    )
    forward = tags.get("maxspeed:forward", general)
    backward = tags.get("maxspeed:backward", general)
    speeds = read_maxspeed(forward), read_maxspeed(backward)
    return *speeds, any(tag and math.isnan(kmh) for tag, kmh in zip((forward, backward), speeds))


def _known(tag: str) -> bool:
    return not math.isnan(read_maxspeed(tag))


def read_maxspeed(tag: str) -> float:
    """A maxspeed tag in km/h, nan where it says nothing: 50, 50 mph, 30;50 (the lowest), NL:urban, DE:zone:30, walk."""
    tag = tag.strip()
    if not tag:
        return math.nan
    if ";" in tag:
        speeds = [read_maxspeed(part) for part in tag.split(";") if part]
        return math.nan if not speeds or any(map(math.isnan, speeds)) else min(speeds)
    if tag == "walk":
        return WALK_KMH
    if tag == "none":
        return NO_LIMIT_KMH
    number = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*(km/h|kmh|kph|mph|knots)?", tag)
    if number:
        kmh = float(number[1]) * {"mph": 1.609344, "knots": 1.852}.get(number[2] or "", 1.0)
        return kmh if 1 <= kmh <= 200 else math.nan
    zone = re.fullmatch(r"([A-Z]{2})(?:-[A-Z]+)?:(?:zone:?)?([a-z_]+|[0-9]{1,3})", tag)
    if not zone:
        return math.nan
    if zone[2].isdigit():
        return read_maxspeed(zone[2])
    by_country = ZONE_KMH.get(zone[2], {})
    return by_country.get(zone[1], by_country.get("", math.nan))


def read_duration(tag: str) -> float:
    """A duration tag in seconds, nan where it says nothing: 25 (minutes), 00:25, 01:10:00, PT1H10M."""
    clock = re.fullmatch(r"(?:([0-9]{1,3}):)?([0-9]{1,4})(?::([0-9]{2}))?", tag.strip())
    if clock:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        total = hours * 3600 + minutes * 60 + seconds
        return float(total) if total else math.nan
    iso = re.fullmatch(r"PT(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?", tag.strip())
    if iso and any(iso.groups()):
        hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        total = hours * 3600 + minutes * 60 + seconds
        return float(total) if 0 < total < 1_000_000 else math.nan
    return math.nan
