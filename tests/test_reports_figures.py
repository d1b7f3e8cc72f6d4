"""The figures in the tables add up to what was judged, per region and municipality, and are written as the Dutch do."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from reports_example import small_plan, small_results
from slagkracht.reports.dutch import write_count, write_day, write_figure, write_minutes, write_share
from slagkracht.reports.figures import (
    compute_difference_figures,
    compute_municipality_figures,
    compute_region_figures,
)


def test_regions_add_up_to_the_nation_and_municipalities_to_their_region() -> None:
    result = small_results(small_plan())[0]
    table = compute_region_figures(result.plan, result.together[0], result.alone[0])
    headings = [heading for heading, _ in table.columns]
    assert headings[-2:] == ["Alleen op tijd", "Samen meer op tijd"]
    assert table.total is not None
    for heading in ("Inwoners", "Niet op tijd", "Samen meer op tijd"):
        column = headings.index(heading)
        assert sum(row[column] for row in table.rows) == pytest.approx(table.total[column])
    for region, municipal in zip(table.rows, compute_municipality_figures(result.plan, result.together[0])):
        assert municipal.total is not None
        assert municipal.total[0] == region[0]
        assert sum(row[1] for row in municipal.rows) == pytest.approx(region[1])


def test_a_share_in_the_table_is_people_in_time_over_people_judged() -> None:
    result = small_results(small_plan())[0]
    coverage = result.together[0]
    own = result.plan.areas.region == 1
    people = result.plan.areas.population[own].astype(float)
    row = compute_region_figures(result.plan, coverage).rows[1]
    assert row[2] == pytest.approx((people * (coverage.response_s[own] <= coverage.limit_s[own])).sum() / people.sum())


def test_a_closed_station_costs_people_and_wins_none() -> None:
    plan, variant = small_results(small_plan())
    table = compute_difference_figures(plan.plan, plan.together[0], variant.together[0], "Zevenaar dicht")
    lost = np.array([row[1] for row in table.rows])
    won = np.array([row[2] for row in table.rows])
    assert lost.sum() > 0
    assert not won.any()
    before, after = ((c.population * c.in_time).astype(float).sum() for c in (plan.together[0], variant.together[0]))
    assert table.total is not None
    assert table.total[3] == pytest.approx(after - before)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1_234_567.4, "count", "1.234.567"),
        (-2500.0, "count", "−2.500"),
        (0.6789, "share", "67,9 %"),
        (1.0, "share", "100,0 %"),
        (0.99996, "share", "99,9 %"),
        (507.0, "seconds", "8:27"),
        (59.6, "seconds", "1:00"),
        (-61.0, "signed_seconds", "−1:01"),
        (61.0, "signed_seconds", "+1:01"),
        (float("inf"), "seconds", "niet bereikt"),
        (float("nan"), "share", "–"),
        (None, "count", "–"),
        ("Fryslân", "text", "Fryslân"),
    ],
)
def test_figures_are_written_as_dutch_readers_write_them(value: object, unit: str, text: str) -> None:
    assert write_figure(value, unit) == text


def test_words_for_single_figures() -> None:
    assert (write_count(999), write_share(0.5), write_minutes(3600)) == ("999", "50,0 %", "60:00")
    assert write_day(datetime.date(2026, 7, 1)) == "1 juli 2026"
