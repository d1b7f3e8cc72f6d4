"""A receipt's number is the same for the same result and changes with anything that went in."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reports_example import small_plan, small_results
from slagkracht.reports.map_layers import compute_gain, compute_layers, compute_orders
from slagkracht.reports.results import compute_result_receipt, compute_title, describe_receipt, find_unverified


def test_the_number_is_of_what_went_in() -> None:
    result, variant = small_results(small_plan())
    number, receipt = compute_result_receipt(result)
    assert number == compute_result_receipt(small_results(small_plan())[0])[0]
    slower = dataclasses.replace(result.travel, drive_s=result.travel.drive_s + 1)
    others = [
        compute_result_receipt(changed)[0]
        for changed in (
            variant,
            dataclasses.replace(result, travel=slower),
            dataclasses.replace(result, plan=dataclasses.replace(result.plan, notes=("anders",))),
            dataclasses.replace(result, together=result.together[:1], alone=()),
        )
    ]
    assert len({number, *others}) == 5
    assert ("verantwoording", number) in describe_receipt(number, receipt)


def test_only_rules_that_were_leaned_on_are_called_unverified() -> None:
    result = small_results(small_plan())[0]
    first = dataclasses.replace(result, together=result.together[:1], alone=())
    named = {rule.code for rule in find_unverified(result.plan, compute_result_receipt(first)[1])}
    assert named == {"verwerkingstijd", result.together[0].norm}


@pytest.mark.parametrize(
    ("name", "title", "rest"),
    [
        ("Modelnederland", "Landelijk dekkingsplan – Modelnederland", "Modelnederland"),
        ("Landelijk dekkingsplan op open gegevens", "Landelijk dekkingsplan op open gegevens", "op open gegevens"),
    ],
)
def test_a_title_says_nothing_twice(name: str, title: str, rest: str) -> None:
    assert compute_title(dataclasses.replace(small_plan(), name=name)) == (title, rest)


def test_gain_is_endless_where_only_others_come_and_nothing_where_nobody_does() -> None:
    result = small_results(small_plan())[0]
    alone, together = result.alone[0], result.together[0]

    def with_times(coverage: object, *times: float) -> object:
        response_s = np.full(120, 500.0, np.float32)
        response_s[:3] = times
        return dataclasses.replace(coverage, response_s=response_s)  # type: ignore[type-var]

    gain = compute_gain(with_times(alone, np.inf, np.inf, 620.0), with_times(together, 400.0, np.inf, 500.0))
    assert gain[0] == np.inf
    assert np.isnan(gain[1])
    assert gain[2:].tolist() == [120.0] + [0.0] * 117


def test_each_layer_stands_with_its_order_of_arrival() -> None:
    results = small_results(small_plan())
    orders = {(o.name, o.coverage.norm, o.coverage.window) for r in results for o in compute_orders(r, 4)}
    assert {(layer.name, layer.coverage.norm, layer.coverage.window) for layer in compute_layers(results)} == orders
    first = compute_orders(results[0], 4)[0]
    assert np.array_equal(first.arrivals.response_s[:, 0], first.coverage.response_s)
