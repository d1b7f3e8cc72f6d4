"""Many years of the same plan, on as many workers as there are: every year once, and the same whoever runs it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.plan import Plan
from slagkracht.simulation.chance import seed_key
from slagkracht.simulation.history import NO_ABSENCES, REASONS, Absences, History, simulate
from slagkracht.simulation.incidents import Calendar, Streams, compute_calendar, compute_streams, draw_incidents
from slagkracht.simulation.world import Doubles, Indices, Scenario, World, asked_capabilities, compute_world
from slagkracht.travel import Travel

Counts = npt.NDArray[np.int64]

BIN_S = 10
BINS = 361
"""Response times are counted in tens of seconds; the last bin holds an hour and more, and those who never came."""


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that a worker needs to simulate any year: made once, sent once."""

    world: World
    streams: Streams
    calendar: Calendar
    kinds: tuple[str, ...]
    capabilities: tuple[str, ...]
    area_region: Indices
    regions: int
    limit_s: npt.NDArray[np.float32]
    seed: int
    absences: tuple[Absences, ...] = ()


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What many years add up to. Y years, R regions, U units, B bins of BIN_S seconds.

    ``year`` int32 [Y] ascending · ``incidents``, ``in_time`` int64 [Y, R] first arrival within the limit ·
    ``response`` int64 [R, B] incidents by first arrival, summed over the years · ``kind_response`` int64 [K, B] ·
    ``alarms`` int64 [U] and ``busy_s`` float64 [U] per unit, summed · ``unmet`` int64 [Y, reasons] · ``moves`` int64
    [Y] · ``escalated`` int64 [Y, L].
    """

    year: Indices
    incidents: Counts
    in_time: Counts
    response: Counts
    kind_response: Counts
    alarms: Counts
    busy_s: Doubles
    unmet: Counts
    moves: Counts
    escalated: Counts

    def __len__(self) -> int:
        return len(self.year)


def compute_setup(
    plan: Plan,
    travel: Travel,
    scenario: Scenario,
    *,
    start: datetime.datetime,
    week_window: npt.NDArray[np.int8],
    hours: int = 8_760,
    seed: int = 1,
    limit_s: npt.NDArray[np.float32] | float = 480.0,
    absences: Sequence[Absences] = (),
) -> Setup:
    """The plan and the scenario, ready for any year. ``limit_s`` float32 [A] what counts as in time per area;
    ``absences`` per year the units that are taken out of the daily work (none given: nobody is)."""
    calendar = compute_calendar(start, hours, week_window)
    return Setup(
        world=compute_world(plan, travel, scenario, calendar.window),
        streams=compute_streams(scenario.kinds, plan.areas, calendar),
        calendar=calendar,
        kinds=tuple(kind.code for kind in scenario.kinds),
        capabilities=asked_capabilities(scenario),
        area_region=plan.areas.region,
        regions=len(plan.regions),
        limit_s=np.broadcast_to(np.asarray(limit_s, np.float32), (len(plan.areas),)),
        seed=seed,
        absences=tuple(absences),
    )


def simulate_year(setup: Setup, year: int) -> History:
    """One year of ``setup``: the ``year``-th, whoever asks for it and after whichever other."""
    key = seed_key(setup.seed, year)
    return simulate(
        setup.world,
        draw_incidents(setup.streams, key),
        key,
        start=setup.calendar.start,
        kinds=setup.kinds,
        capabilities=setup.capabilities,
        absences=setup.absences[year] if setup.absences else NO_ABSENCES,
    )


def summarise(setup: Setup, history: History, year: int) -> Ensemble:
    """One year as an ensemble of one."""
    region = setup.area_region[history.area]
    response_s = history.first_s - history.opened_s
    in_time = response_s <= setup.limit_s[history.area]
    place = (np.minimum(response_s, BIN_S * (BINS - 1)) // BIN_S).astype(np.int64)
    until_s = np.minimum(history.back_s, history.end_s)
    units = len(setup.world.home)
    by_region = np.bincount(region * BINS + place, minlength=setup.regions * BINS)
    by_kind = np.bincount(history.kind * BINS + place, minlength=len(setup.kinds) * BINS)
    return Ensemble(
        year=np.array([year], np.int32),
        incidents=np.bincount(region, minlength=setup.regions)[None, :],
        in_time=np.bincount(region[in_time], minlength=setup.regions)[None, :],
        response=by_region.reshape(setup.regions, BINS),
        kind_response=by_kind.reshape(len(setup.kinds), BINS),
        alarms=np.bincount(history.unit, minlength=units),
        busy_s=np.bincount(history.unit, np.maximum(until_s - history.alarmed_s, 0.0), units).astype(np.float64),
        unmet=np.bincount(history.unmet_reason, minlength=len(REASONS))[None, :],
        moves=np.array([len(history.moved_unit)]),
        escalated=np.bincount(history.level, minlength=4)[None, :],
    )


def merge(parts: Sequence[Ensemble]) -> Ensemble:
    """Ensembles as one, in order of year. Raises ValueError when a year would count twice."""
    single = sorted(parts, key=lambda part: int(part.year[0]))
    year = np.concatenate([part.year for part in single])
    if len(np.unique(year)) < len(year):
        raise ValueError("een gesimuleerd jaar zou twee keer meetellen: voeg elk jaar één keer toe")
    stacked = {name: np.concatenate([getattr(p, name) for p in single]) for name in _PER_YEAR}
    summed = {name: np.sum([getattr(p, name) for p in single], axis=0) for name in _SUMMED}
    return Ensemble(year=year, **stacked, **summed)


ATTEMPTS = 3
"""How often years are asked of an executor that gives no answer."""

_PER_YEAR = ("incidents", "in_time", "unmet", "moves", "escalated")
_SUMMED = ("response", "kind_response", "alarms", "busy_s")


def simulate_batch(setup: Setup, years: Sequence[int]) -> list[Ensemble]:
    """Some years, each summarised: the task that a worker gets."""
    return [summarise(setup, simulate_year(setup, year), year) for year in years]


def simulate_years(
    setup: Any,
    years: Sequence[int] | int,
    *,
    executor: Executor | None = None,
    batch: int = 8,
    progress: Callable[[int, int], None] | None = None,
) -> Ensemble:
    """Every one of ``years`` (a number = the years from 0 on), merged in order of year.

    ``setup`` a Setup, or what the executor turns into one on its workers (dask: ``client.scatter(setup)``), so that a
    large plan travels once. ``executor`` None = here and now; whichever it is, the result is the same to the bit:
    a year follows from the seed and its number alone. A task whose worker dies may be run again, by the executor or,
    where its answer was lost, from here; what comes back is kept per year, so nothing is lost and nothing counts twice.
    Raises what a task raised in each of its ATTEMPTS.
    """
    wanted = list(range(years)) if isinstance(years, int) else list(years)
    batches = [wanted[start : start + batch] for start in range(0, len(wanted), batch)]
    done: dict[int, Ensemble] = {}
    if executor is None:
        for each in batches:
            done |= dict(zip(each, simulate_batch(setup, each)))
            if progress is not None:
                progress(len(done), len(wanted))
        return merge(list(done.values()))
    for attempt in range(1, ATTEMPTS + 1):
        tasks: dict[Future[list[Ensemble]], list[int]] = {executor.submit(simulate_batch, setup, b): b for b in batches}
        batches = []
        for task in as_completed(tasks):
            try:
                answers = task.result()
            except Exception:  # what a cluster says of an answer that went down with its worker differs
                if attempt == ATTEMPTS:
                    raise
                batches.append(tasks[task])
                continue
            done |= dict(zip(tasks[task], answers))
            if progress is not None:
                progress(len(done), len(wanted))
        if not batches:
            break
    return merge(list(done.values()))


def compute_response_percentile(histogram: Counts, share: float) -> Doubles:
    """The response time that ``share`` of the incidents stay within, per row of ``histogram`` [.., B]: seconds, linear
    within a bin; inf where it lies in the last one, nan where there were no incidents."""
    total = histogram.sum(axis=-1, keepdims=True)
    passed = np.cumsum(histogram, axis=-1)
    wanted = share * total
    place = (passed < wanted).sum(axis=-1, keepdims=True)
    inside = np.take_along_axis(histogram, np.minimum(place, BINS - 1), -1)
    before = np.take_along_axis(passed, np.minimum(place, BINS - 1), -1) - inside
    seconds = BIN_S * (place + (wanted - before) / np.maximum(inside, 1))
    seconds = np.where(place >= BINS - 1, np.inf, seconds)
    answer: Doubles = np.where(total > 0, seconds, np.nan)[..., 0]
    return answer
