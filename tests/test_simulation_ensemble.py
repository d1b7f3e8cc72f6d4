"""Many years: the same whoever runs them, every year once, also when a worker dies halfway."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

from simulation_example import START, busy_scenario, small_country
from slagkracht.simulation import (
    Ensemble,
    Setup,
    compute_response_percentile,
    compute_setup,
    merge,
    simulate_year,
    simulate_years,
)
from slagkracht.simulation.ensemble import BINS


@pytest.fixture(scope="module")
def setup() -> Setup:
    plan, travel = small_country()
    scenario = busy_scenario(move_up="buurkazerne")
    return compute_setup(plan, travel, scenario, start=START, week_window=np.zeros(168, np.int8), hours=24 * 30)


def same(one: Ensemble, other: Ensemble) -> None:
    for field in dataclasses.fields(Ensemble):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


def test_processes_threads_and_one_alone_make_the_same_years(setup: Setup) -> None:
    alone = simulate_years(setup, 9)
    with ThreadPoolExecutor(3) as threads:
        same(alone, simulate_years(setup, [8, 0, 3, 1, 7, 2, 6, 5, 4], executor=threads, batch=1))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        same(alone, simulate_years(setup, 9, executor=processes, batch=2))


def test_a_cluster_loses_a_worker_and_no_year(setup: Setup) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
        worker_dashboard_address=None, silence_logs=50,
    )  # fmt: skip
    told: list[int] = []
    with cluster, distributed.Client(cluster, set_as_default=False) as client:
        victim = next(iter(cluster.workers.values()))

        def kill_once(done: int, _: int) -> None:
            if not told:
                client.sync(victim.kill)  # its nanny starts a new one
            told.append(done)

        ensemble = simulate_years(
            client.scatter(setup, broadcast=True), 40, executor=client.get_executor(), batch=1, progress=kill_once
        )
        client.wait_for_workers(1, timeout=30)
    assert told == list(range(1, 41))
    same(ensemble, simulate_years(setup, 40))


class Forgetful(ThreadPoolExecutor):
    """An executor of which so many answers are lost on the way."""

    def __init__(self, lost: int) -> None:
        super().__init__(1)
        self.lost = lost

    def submit(self, *words: Any, **named: Any) -> Future[Any]:
        if self.lost == 0:
            return super().submit(*words, **named)
        self.lost -= 1
        nothing: Future[Any] = Future()
        nothing.set_exception(ConnectionError("de werker is weg"))
        return nothing


def test_an_answer_that_is_lost_is_asked_again_and_counts_once(setup: Setup) -> None:
    told: list[int] = []
    with Forgetful(lost=3) as executor:
        found = simulate_years(setup, 4, executor=executor, batch=2, progress=lambda done, _: told.append(done))
    assert told == [2, 4]
    same(found, simulate_years(setup, 4))


def test_who_never_answers_is_not_asked_for_ever(setup: Setup) -> None:
    with Forgetful(lost=100) as executor, pytest.raises(ConnectionError, match="werker is weg"):
        simulate_years(setup, 4, executor=executor, batch=2)


def test_a_year_that_would_count_twice_is_refused(setup: Setup) -> None:
    part = simulate_years(setup, [3])
    with pytest.raises(ValueError, match="twee keer"):
        merge([part, part])


def test_an_ensemble_counts_what_its_years_hold(setup: Setup) -> None:
    ensemble = simulate_years(setup, 3)
    years = [simulate_year(setup, year) for year in range(3)]
    assert ensemble.incidents.sum(axis=1).tolist() == [len(year) for year in years]
    assert ensemble.response.sum() == ensemble.kind_response.sum() == sum(len(year) for year in years)
    assert ensemble.alarms.sum() == sum(len(year.unit) for year in years)
    response_s = np.concatenate([year.first_s - year.opened_s for year in years])
    found = compute_response_percentile(ensemble.response.sum(axis=0), 0.9)
    assert abs(found - np.quantile(response_s, 0.9)) < 10


def test_a_percentile_that_is_never_reached_is_never() -> None:
    histogram = np.zeros((3, BINS), np.int64)
    histogram[0, 4], histogram[0, 5] = 50, 50  # 40–50 and 50–60 seconds
    histogram[1, BINS - 1] = 9
    np.testing.assert_array_equal(compute_response_percentile(histogram, 0.75), [55.0, np.inf, np.nan])
