"""The incidents of a year: drawn by kind, place, hour of the week and season, or replayed as they were."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from slagkracht.areas import Areas
from slagkracht.simulation.chance import derive, lognormal, uniform
from slagkracht.simulation.world import LEVELS, Doubles, Floats, IncidentKind, Indices

HOURS_PER_YEAR = 8_760.0


@dataclass(frozen=True, eq=False)
class Incidents:
    """Calls, in order of time. Whether drawn or replayed, everything that is the incident's own is settled beforehand,
    so that two policies meet the very same ones.

    ``at_s`` float64 [I] seconds since the start · ``area`` int32 [I] row of Areas · ``kind`` int32 [I] row of the
    scenario's kinds · ``level`` int32 [I] how far it will be escalated (row of LEVELS) · ``on_scene_s`` float64 [I]
    from the first arrival to the end.
    """

    at_s: Doubles
    area: Indices
    kind: Indices
    level: Indices
    on_scene_s: Doubles

    def __len__(self) -> int:
        return len(self.at_s)


@dataclass(frozen=True, eq=False)
class Calendar:
    """The hours that are simulated: ``start`` (with its zone), ``week_hour`` int16 [H] from Monday 00:00 on the clock
    of ``start``, ``month`` int8 [H] 0–11, ``window`` int8 [H] index into WINDOWS."""

    start: datetime.datetime
    week_hour: npt.NDArray[np.int16]
    month: npt.NDArray[np.int8]
    window: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.week_hour)


class Streams(NamedTuple):
    """What incidents are drawn from: ``rate`` float64 [H, K] per hour, ``keep`` float32 and ``other`` int32 [K, A]
    alias tables of places (Walker 1977), chances and durations per kind and level."""

    rate: Doubles
    keep: Floats
    other: Indices
    escalates: Doubles
    median_s: Doubles
    spread: Doubles


def compute_calendar(start: datetime.datetime, hours: int, week_window: npt.NDArray[np.int8]) -> Calendar:
    """The ``hours`` from ``start`` on. ``week_window`` int8 [168] is the time window of every hour of the week.

    Raises ValueError when ``start`` has no time zone or is not on the hour.
    """
    if start.tzinfo is None or start.minute or start.second or start.microsecond:
        raise ValueError(f"de simulatie begint op {start}: noem een heel uur met een tijdzone")
    first = np.datetime64(start.replace(tzinfo=None), "h")
    moment = first + np.arange(hours)
    day = moment.astype("datetime64[D]")
    weekday = (day.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
    week_hour = weekday * 24 + (moment - day).astype(np.int64)
    month = moment.astype("datetime64[M]").astype(np.int64) % 12
    return Calendar(start, week_hour.astype(np.int16), month.astype(np.int8), week_window[week_hour].astype(np.int8))


def compute_streams(kinds: Sequence[IncidentKind], areas: Areas, calendar: Calendar) -> Streams:
    """Rates by hour and places by kind. Raises ValueError when a kind can happen nowhere or never."""
    rate = np.zeros((len(calendar), len(kinds)))
    keep, other = np.ones((len(kinds), len(areas)), np.float32), np.zeros((len(kinds), len(areas)), np.int32)
    for k, kind in enumerate(kinds):
        hours, months = np.array(kind.hours), np.array(kind.months)
        if min(hours.sum(), months.sum(), kind.rate_per_year) <= 0:
            raise ValueError(f"incidentsoort {kind.code!r} komt nooit voor: geef gewichten en een aantal boven nul")
        pattern = hours[calendar.week_hour] / hours.mean() * months[calendar.month] / months.mean()
        rate[:, k] = kind.rate_per_year / HOURS_PER_YEAR * pattern
        keep[k], other[k] = _alias(_place_weights(kind, areas))
    return Streams(
        rate,
        keep,
        other,
        np.array([kind.escalates for kind in kinds]).reshape(len(kinds), len(LEVELS) - 1),
        np.array([kind.on_scene_s for kind in kinds]).reshape(len(kinds), len(LEVELS)),
        np.array([kind.on_scene_spread for kind in kinds]),
    )


def _place_weights(kind: IncidentKind, areas: Areas) -> Doubles:
    weights = {
        "inwoners": areas.population.astype(np.float64),
        "oppervlakte": areas.size_m.astype(np.float64) ** 2,
        "gelijk": np.ones(len(areas)),
    }
    if kind.where not in weights:
        raise ValueError(f"incidentsoort {kind.code!r}: plaats {kind.where!r}; kies uit {', '.join(weights)}")
    weight = weights[kind.where]
    if not weight.sum() > 0:
        raise ValueError(f"incidentsoort {kind.code!r} valt nergens: geen gebied heeft {kind.where}")
    return weight


def _alias(weight: Doubles) -> tuple[Floats, Indices]:
    """Draw from ``weight`` with one look: place i with chance keep[i], else other[i] (Vose 1991)."""
    count = len(weight)
    scaled = weight / weight.sum() * count
    keep, other = np.ones(count), np.arange(count)
    small, large = list(np.flatnonzero(scaled < 1.0)), list(np.flatnonzero(scaled >= 1.0))
    while small and large:
        less, more = small.pop(), large[-1]
        keep[less], other[less] = scaled[less], more
        scaled[more] -= 1.0 - scaled[less]
        if scaled[more] < 1.0:
            small.append(large.pop())
    return keep.astype(np.float32), other.astype(np.int32)


def draw_incidents(streams: Streams, key: np.uint64) -> Incidents:
    """The incidents of one year (or however many hours the streams hold): Poisson with the rate of every hour."""
    room = int(streams.rate.sum() + 12 * np.sqrt(streams.rate.sum()) + 64)
    at_s, on_scene_s = np.empty(room), np.empty(room)
    area, kind, level = (np.empty(room, np.int32) for _ in range(3))
    count = _draw(streams, key, at_s, area, kind, level, on_scene_s)
    return Incidents(at_s[:count], area[:count], kind[:count], level[:count], on_scene_s[:count])


@njit(cache=True, nogil=True)
def _draw(streams: Streams, key, at_s, area, kind, level, on_scene_s):  # type: ignore[no-untyped-def]
    """A rate that is constant within the hour: the next call comes when an exponential share of rate has passed."""
    hours, kinds = streams.rate.shape
    areas = streams.keep.shape[1]
    count = 0
    to_go = -np.log(uniform(derive(key, 1), 0))
    for hour in range(hours):
        total = 0.0
        for k in range(kinds):
            total += streams.rate[hour, k]
        passed = to_go
        while passed < total and count < len(at_s):
            own = derive(derive(key, 2), count)
            which, k = uniform(own, 0) * total, 0
            while k < kinds - 1 and which >= streams.rate[hour, k]:
                which -= streams.rate[hour, k]
                k += 1
            place = uniform(own, 1) * areas
            spot = int(place)
            at_s[count] = 3600.0 * (hour + passed / total)
            kind[count] = k
            area[count] = spot if place - spot < streams.keep[k, spot] else streams.other[k, spot]
            grown = 0
            while grown < streams.escalates.shape[1] and uniform(own, 2 + grown) < streams.escalates[k, grown]:
                grown += 1
            level[count] = grown
            on_scene_s[count] = lognormal(streams.median_s[k, grown], streams.spread[k], own, 8)
            count += 1
            passed -= np.log(uniform(derive(key, 1), count))
        to_go = passed - total
    return count
