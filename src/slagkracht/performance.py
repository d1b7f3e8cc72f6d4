"""What was promised against what the log says happened: response, lateness, workload, cover left, demand unmet."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.spatial import KDTree

from slagkracht.coverage import Coverage
from slagkracht.log import UNMET_REASONS, Event
from slagkracht.plan import Plan
from slagkracht.simulation import LEVELS, REASONS, History
from slagkracht.strength import Cover, Floors

Strings = npt.NDArray[np.str_]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

SHARES = (0.5, 0.8, 0.9, 0.95)
"""The percentiles of the response time that are reported."""


@dataclass(frozen=True, eq=False)
class Observed:
    """What a log says about incidents and the units sent to them, as columns. Seconds count from ``start``.

    Incidents [I]: ``incident`` str, ``kind`` str, ``level`` str, ``area`` int32 (row of Areas, the nearest),
    ``opened_s``. Sendings [N]: ``sent_to`` int32 row of incidents, ``unit`` int32 row of Units, ``alarmed_s``,
    ``arrived_s`` (inf = never stood there), ``back_s`` (inf = not back in this log). Unmet demand [X]: ``unmet_to``
    int32 row of incidents (-1 = none named), ``unmet_what`` str, ``unmet_count`` int32, ``unmet_reason`` str.
    ``strangers`` units and facts that this plan does not know, counted by reason: nothing is dropped in silence.
    """

    start: datetime.datetime
    end_s: float
    incident: Strings
    kind: Strings
    level: Strings
    area: Indices
    opened_s: Doubles
    sent_to: Indices
    unit: Indices
    alarmed_s: Doubles
    arrived_s: Doubles
    back_s: Doubles
    unmet_to: Indices
    unmet_what: Strings
    unmet_count: Indices
    unmet_reason: Strings
    strangers: dict[str, int]

    def __len__(self) -> int:
        return len(self.incident)


@dataclass(frozen=True, eq=False)
class Responses:
    """Response times per group, one row each: the nation, then regions, then kinds of incident.

    ``group`` "land", "regio" or "soort" · ``name`` str [G] · ``incidents`` int64 [G] · ``percentile_s`` float64
    [G, SHARES] (inf = that many were not reached, nan = no incidents) · ``judged`` int64 [G] incidents where a norm
    speaks · ``in_time`` float64 [G] measured share of those, ``low`` and ``high`` its 95 % interval (Wilson) ·
    ``promised`` float64 [G] share that the coverage promised for the same places (nan = no promise was given).
    """

    group: Strings
    name: Strings
    incidents: npt.NDArray[np.int64]
    percentile_s: Doubles
    judged: npt.NDArray[np.int64]
    in_time: Doubles
    low: Doubles
    high: Doubles
    promised: Doubles

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, eq=False)
class Performance:
    """A log measured against the plan and its norm.

    ``norm`` code and ``window`` of the promise ("" = none given) · ``late`` int32 [L] rows of the observed incidents
    that were reached too late or never, with ``late_response_s`` and ``late_limit_s`` · ``alarms`` int64 [U] and
    ``busy_s`` float64 [U] per unit, ``crew_hours`` float64 [U] the same in hours of people · ``station_alarms``,
    ``station_busy_s`` [S] · ``below_floor_s`` float64 [R] and ``lowest_share`` float64 [R] of residents in time (nan =
    no floors given) · ``unmet`` (what, reason, count) by count.
    """

    observed: Observed
    norm: str
    window: str
    responses: Responses
    late: Indices
    late_response_s: Doubles
    late_limit_s: Doubles
    alarms: npt.NDArray[np.int64]
    busy_s: Doubles
    crew_hours: Doubles
    station_alarms: npt.NDArray[np.int64]
    station_busy_s: Doubles
    below_floor_s: Doubles
    lowest_share: Doubles
    unmet: tuple[tuple[str, str, int], ...]


def observe(events: Iterable[Event], plan: Plan) -> Observed:
    """A log read as columns, whoever wrote it: status messages of units at an incident, and commitments.

    Events may come from many chains, in any order; corrections are applied by whoever hands them over. Raises
    ValueError when the log holds no incident.
    """
    told = sorted(events, key=lambda event: (event.happened_at, event.recorded_at, event.chain, event.number))
    opened = [event for event in told if event.kind == "incident_opened"]
    if not opened:
        raise ValueError("dit logboek bevat geen incident: kies een ander tijdvak of een ander logboek")
    start = told[0].happened_at
    units = {name: row for row, name in enumerate(plan.units.unit_id.tolist())}
    incidents = {str(event.body["incident"]): row for row, event in enumerate(opened)}
    level = [str(event.body.get("level", "")) for event in opened]
    sent: list[list[float]] = []  # incident, unit, alarmed, arrived, back
    open_sending: dict[int, int] = {}
    strangers: dict[str, int] = {}
    lines: dict[str, Any] = {str(e.body["line"]): e.body for e in told if e.kind == "line_asked"}
    requests = {str(e.body["request"]): str(e.body["incident"]) for e in told if e.kind == "request_made"}
    commitments: dict[str, tuple[int, int]] = {}
    unmet: list[tuple[int, str, int, str]] = []

    def seconds(event: Event) -> float:
        return (event.happened_at - start).total_seconds()

    def stranger(why: str) -> None:
        strangers[why] = strangers.get(why, 0) + 1

    def begin(unit: int, incident: int, at_s: float) -> None:
        open_sending[unit] = len(sent)
        sent.append([incident, unit, at_s, np.inf, np.inf])

    for event in told:
        body = event.body
        if event.kind == "unit_status":
            unit = units.get(body["unit"], -1)
            if unit < 0:
                stranger("eenheid die dit plan niet kent")
                continue
            row = open_sending.get(unit)
            if body["status"] in ("alerted", "en_route", "on_scene"):
                to = incidents.get(str(body.get("incident", "")), -1)
                if to < 0:
                    stranger("inzet zonder bekend incident")
                    continue
                if row is None or sent[row][0] != to:
                    begin(unit, to, seconds(event))
                    row = open_sending[unit]
                if body["status"] == "on_scene":
                    sent[row][3] = min(sent[row][3], seconds(event))
            elif row is not None and body["status"] in ("available", "unavailable"):
                sent[row][4] = seconds(event)
                del open_sending[unit]
        elif event.kind == "incident_escalated" and str(body["incident"]) in incidents:
            level[incidents[str(body["incident"])]] = str(body["level"])
        elif event.kind == "line_unmet":
            line = lines.get(str(body["line"]), {})
            to = incidents.get(requests.get(str(line.get("request", "")), ""), -1)
            unmet.append((to, str(line.get("formation", "")), int(body["count"]), str(body["reason"])))
        elif event.kind == "unit_committed":
            unit = units.get(body["unit"], -1)
            to = incidents.get(requests.get(str(lines.get(str(body["line"]), {}).get("request", "")), ""), -1)
            if unit < 0 or to < 0:
                stranger("toezegging die niet te plaatsen is")
                continue
            commitments[str(body["commitment"])] = (unit, to)
            begin(unit, to, seconds(event))
        elif event.kind in ("unit_arrived", "unit_home") and str(body["commitment"]) in commitments:
            unit, _ = commitments[str(body["commitment"])]
            row = open_sending.get(unit)
            if row is not None:
                sent[row][3 if event.kind == "unit_arrived" else 4] = seconds(event)
                if event.kind == "unit_home":
                    del open_sending[unit]
    places = KDTree(np.column_stack([plan.areas.x_m, plan.areas.y_m]))
    _, area = places.query([[event.body["x_m"], event.body["y_m"]] for event in opened])
    columns = np.array(sent, dtype=np.float64).reshape(-1, 5)
    return Observed(
        start=start,
        end_s=seconds(told[-1]),
        incident=np.array(list(incidents), dtype=np.str_),
        kind=np.array([str(event.body["what"]) for event in opened]),
        level=np.array(level),
        area=area.astype(np.int32),
        opened_s=np.array([seconds(event) for event in opened]),
        sent_to=columns[:, 0].astype(np.int32),
        unit=columns[:, 1].astype(np.int32),
        alarmed_s=columns[:, 2],
        arrived_s=columns[:, 3],
        back_s=columns[:, 4],
        unmet_to=np.array([u[0] for u in unmet], np.int32),
        unmet_what=np.array([u[1] for u in unmet], np.str_),
        unmet_count=np.array([u[2] for u in unmet], np.int32),
        unmet_reason=np.array([u[3] for u in unmet], np.str_),
        strangers=strangers,
    )


def observe_history(history: History) -> Observed:
    """A simulated history as it would be read from its log, without writing one first: for years at a time."""
    codes = np.array(history.kinds, dtype=np.str_)
    return Observed(
        start=history.start,
        end_s=history.end_s,
        incident=np.array([f"S{i + 1}" for i in range(len(history))], np.str_),
        kind=codes[history.kind],
        level=np.array(LEVELS)[history.level],
        area=history.area,
        opened_s=history.opened_s,
        sent_to=history.incident,
        unit=history.unit,
        alarmed_s=history.alarmed_s,
        arrived_s=history.arrived_s,
        back_s=history.back_s,
        unmet_to=history.unmet_incident,
        unmet_what=np.array(history.capabilities, np.str_)[history.unmet_capability],
        unmet_count=np.ones(len(history.unmet_incident), np.int32),
        unmet_reason=np.array(REASONS)[history.unmet_reason],
        strangers={},
    )


def compute_performance(
    observed: Observed,
    plan: Plan,
    *,
    promised: Sequence[Coverage] = (),
    capable: Flags | None = None,
    nth: int = 1,
    kinds: Sequence[str] = (),
    cover: Cover | None = None,
    floors: Floors | None = None,
) -> Performance:
    """The log measured: ``promised`` one norm's coverage per time window (the limits, and what was promised).

    A response runs from the call to the ``nth`` arrival of a unit in ``capable`` bool [U] (None = any unit); only
    incidents of ``kinds`` are judged by the norm (none named: all). With a
    promise for several windows the mean of their chances counts. ``cover`` and ``floors`` (of the plan's standing
    units) give the time that each region spent below its floor. Raises ValueError when promises differ in norm.
    """
    if len({each.norm for each in promised}) > 1:
        raise ValueError("een prestatie wordt tegen één norm tegelijk gelegd: kies er een")
    count = len(observed)
    response_s = _nth_arrival_s(observed, capable, nth) - observed.opened_s
    limit_s = promised[0].limit_s[observed.area].astype(np.float64) if promised else np.full(count, np.nan)
    judged = np.isfinite(limit_s) & (np.isin(observed.kind, kinds) if kinds else True)
    late = np.flatnonzero(judged & (response_s > limit_s)).astype(np.int32)
    chance = _promised_chance(promised, len(plan.areas))[observed.area]
    busy_s = np.minimum(observed.back_s, observed.end_s) - np.minimum(observed.alarmed_s, observed.end_s)
    units, stations = len(plan.units), len(plan.stations)
    per_unit = np.bincount(observed.unit, busy_s, units).astype(np.float64)
    alarms = np.bincount(observed.unit, minlength=units)
    below_s, lowest = _time_below_floor(observed, cover, floors, units, len(plan.regions))
    reasons: dict[tuple[str, str], int] = {}
    for what, reason, number in zip(
        observed.unmet_what.tolist(), observed.unmet_reason.tolist(), observed.unmet_count.tolist(), strict=True
    ):
        key = (what, UNMET_REASONS.get(reason, reason))
        reasons[key] = reasons.get(key, 0) + number
    return Performance(
        observed=observed,
        norm=promised[0].norm if promised else "",
        window=", ".join(each.window for each in promised),
        responses=_responses(observed, plan, response_s, limit_s, judged, chance),
        late=late,
        late_response_s=response_s[late],
        late_limit_s=limit_s[late],
        alarms=alarms,
        busy_s=per_unit,
        crew_hours=per_unit / 3600.0 * plan.units.crew,
        station_alarms=np.bincount(plan.units.station, alarms, stations).astype(np.int64),
        station_busy_s=np.bincount(plan.units.station, per_unit, stations).astype(np.float64),
        below_floor_s=below_s,
        lowest_share=lowest,
        unmet=tuple(
            (what, reason, number) for (what, reason), number in sorted(reasons.items(), key=lambda e: (-e[1], e[0]))
        ),
    )


def compute_wilson(hits: npt.ArrayLike, count: npt.ArrayLike, z: float = 1.959963984540054) -> tuple[Doubles, Doubles]:
    """The 95 % interval of a share (E. B. Wilson 1927): (low, high); nan where nothing was counted."""
    n = np.asarray(count, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.asarray(hits, np.float64) / n
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.asarray(middle - half), np.asarray(middle + half)


def _nth_arrival_s(observed: Observed, capable: Flags | None, nth: int) -> Doubles:
    """When the nth capable unit stood there, per incident: float64 [I], inf = never."""
    counts = np.isfinite(observed.arrived_s)
    if capable is not None:
        counts &= capable[observed.unit]
    to, when = observed.sent_to[counts], observed.arrived_s[counts]
    order = np.lexsort((when, to))
    to, when = to[order], when[order]
    first = np.searchsorted(to, np.arange(len(observed)))
    last = np.searchsorted(to, np.arange(len(observed)), side="right")
    place = first + nth - 1
    return np.where(place < last, np.append(when, np.inf)[np.minimum(place, len(when))], np.inf)


def _promised_chance(promised: Sequence[Coverage], areas: int) -> Doubles:
    if not promised:
        return np.full(areas, np.nan)
    each = [np.where(np.isnan(c.chance), c.in_time.astype(np.float64), c.chance) for c in promised]
    return np.asarray(np.mean(each, axis=0), dtype=np.float64)


def _responses(
    observed: Observed, plan: Plan, response_s: Doubles, limit_s: Doubles, judged: Flags, chance: Doubles
) -> Responses:
    region = plan.areas.region[observed.area]
    groups: list[tuple[str, str, Flags]] = [("land", "alle regio's", np.ones(len(observed), np.bool_))]
    groups += [("regio", str(code), region == r) for r, code in enumerate(plan.regions.code)]
    groups += [("soort", str(kind), observed.kind == kind) for kind in np.unique(observed.kind)]
    percentile_s = np.full((len(groups), len(SHARES)), np.nan)
    for g, (_, _, mine) in enumerate(groups):
        if mine.any():
            percentile_s[g] = np.quantile(response_s[mine], SHARES, method="inverted_cdf")
    judged_count = np.array([(mine & judged).sum() for _, _, mine in groups])
    hits = np.array([(mine & judged & (response_s <= limit_s)).sum() for _, _, mine in groups])
    promised = np.array([chance[mine & judged].mean() if (mine & judged).any() else np.nan for _, _, mine in groups])
    low, high = compute_wilson(hits, judged_count)
    with np.errstate(divide="ignore", invalid="ignore"):
        in_time = hits / judged_count
    return Responses(
        group=np.array([group for group, _, _ in groups]),
        name=np.array([name for _, name, _ in groups]),
        incidents=np.array([mine.sum() for _, _, mine in groups]),
        percentile_s=percentile_s,
        judged=judged_count,
        in_time=in_time,
        low=low,
        high=high,
        promised=promised,
    )


def _time_below_floor(
    observed: Observed, cover: Cover | None, floors: Floors | None, units: int, regions: int
) -> tuple[Doubles, Doubles]:
    """Seconds that each region's residual coverage was below its floor, and the lowest share: float64 [R] each."""
    if cover is None or floors is None:
        return np.full(regions, np.nan), np.full(regions, np.nan)
    leaves_s, returns_s = observed.alarmed_s, np.minimum(observed.back_s, observed.end_s)
    moment = np.concatenate([leaves_s, returns_s])
    change = np.concatenate([np.ones(len(leaves_s), np.int32), -np.ones(len(returns_s), np.int32)])
    order = np.lexsort((change, moment))
    who = np.concatenate([observed.unit, observed.unit])[order]
    below_s, lowest = _sweep(
        moment[order], change[order], who.astype(np.int32), observed.end_s, cover.area_first, cover.unit_first,
        cover.unit_area, cover.weight, cover.region.astype(np.int32), cover.total, floors.share, units,
    )  # fmt: skip
    return below_s, lowest


@njit(cache=True, nogil=True)
def _sweep(  # type: ignore[no-untyped-def]
    moment, change, who, end_s, area_first, unit_first, unit_area, weight, region, total, floor, units,
):  # fmt: skip
    holders = np.diff(area_first)
    covered = np.zeros(len(total))
    for area in range(len(weight)):
        if holders[area] > 0:
            covered[region[area]] += weight[area]
    away = np.zeros(units, np.int32)
    below_s, since_s = np.zeros(len(total)), np.zeros(len(total))
    is_below = np.zeros(len(total), np.bool_)
    lowest = np.empty(len(total))
    for r in range(len(total)):
        lowest[r] = covered[r] / total[r] if total[r] > 0 else np.nan
        is_below[r] = total[r] > 0 and covered[r] < floor[r] * total[r] - 1e-6
    for e in range(len(moment)):
        u = who[e]
        before = away[u]
        away[u] += change[e]
        if (before > 0) == (away[u] > 0):
            continue
        gone = 1 if away[u] > 0 else -1
        for i in range(unit_first[u], unit_first[u + 1]):
            area = unit_area[i]
            had = holders[area] > 0
            holders[area] -= gone
            if had == (holders[area] > 0):
                continue
            r = region[area]
            covered[r] += weight[area] if holders[area] > 0 else -weight[area]
            lowest[r] = min(lowest[r], covered[r] / total[r])
            below = covered[r] < floor[r] * total[r] - 1e-6
            if below != is_below[r]:
                if below:
                    since_s[r] = moment[e]
                else:
                    below_s[r] += moment[e] - since_s[r]
                is_below[r] = below
    for r in range(len(total)):
        if is_below[r]:
            below_s[r] += end_s - since_s[r]
    return below_s, lowest
