"""Receipts: the same plan gives the same receipt, and every departure is said in a sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slagkracht.coverage import Receipt, compare_receipt, compute_coverage, compute_receipt
from slagkracht.plan import Plan
from slagkracht.travel import Travel
from toyland import read_toyland


def account(plan: Plan, travel: Travel) -> Receipt:
    coverages = compute_coverage(plan, travel, windows=("dag",), norms=("eerste", "gebied"))
    return compute_receipt(plan, travel, coverages)


def test_recomputing_gives_the_same_receipt() -> None:
    first, again = account(*read_toyland()), account(*read_toyland())
    assert first == again
    assert compare_receipt(first, again) == ()


def test_a_receipt_names_the_rules_and_the_figures() -> None:
    receipt = account(*read_toyland())
    assert receipt.rules == (
        ("eerste", "", "2026-01-01", "vastgesteld"),
        ("gebied", "", "2020-01-01", "vastgesteld"),
        ("gebied", "VR92", "2020-01-01", "vastgesteld"),
        ("verwerkingstijd", "", "2015-01-01", "vastgesteld"),
    )
    assert ("eerste", "dag", "land", "samen", 41_800.0, 42_850.0) in [figure[:6] for figure in receipt.figures]
    assert receipt.travel_kind == "voorbeeld"
    assert receipt.notes == ("Toyland is verzonnen",)


def test_every_departure_is_said() -> None:
    plan, travel = read_toyland()
    recorded = account(plan, travel)
    population = plan.areas.population.copy()
    population[0] += 100
    other = replace(plan, areas=replace(plan.areas, population=population))
    said = "\n".join(compare_receipt(recorded, account(other, travel)))
    assert "plan: vastgelegd" in said
    assert "eerste, dag, VR91, samen: inwoners op tijd vastgelegd 20500, nu 20600" in said
    slower = replace(travel, drive_s=np.where(travel.drive_s < 60_000, travel.drive_s + 1, travel.drive_s))
    said = "\n".join(compare_receipt(recorded, account(plan, slower)))
    assert "reistijden: vastgelegd" in said
    assert "eerste, dag, land, samen: inwoners op tijd vastgelegd 41800, nu 39300" in said


def test_a_changed_share_or_time_or_note_is_said() -> None:
    recorded = account(*read_toyland())
    first = recorded.figures[0]
    for place, what in ((6, "verwacht aandeel"), (7, "mediaan (s)"), (8, "90e percentiel (s)")):
        changed = (*first[:place], first[place] + 1, *first[place + 1 :])
        said = compare_receipt(replace(recorded, figures=(changed, *recorded.figures[1:])), recorded)
        assert len(said) == 1
        assert said[0].startswith(f"eerste, dag, land, samen: {what} vastgelegd")
    said = compare_receipt(replace(recorded, notes=("Toyland is echt",)), recorded)
    assert "kanttekening is veranderd of vervallen: Toyland is echt" in said
    assert "kanttekening stond er niet: Toyland is verzonnen" in said


def test_another_rule_version_or_engine_is_said() -> None:
    recorded = account(*read_toyland())
    older = replace(recorded, engine="0.0.9", rules=(("eerste", "", "2020-01-01", "vastgesteld"), *recorded.rules[1:]))
    said = compare_receipt(older, recorded)
    assert any(line.startswith("rekenmodel: vastgelegd 0.0.9") for line in said)
    assert "regel eerste van 2020-01-01 (vastgesteld) is niet meer in gebruik" in said
    assert "regel eerste van 2026-01-01 (vastgesteld) stond niet in de verantwoording" in said


def test_figures_that_came_or_went_are_said() -> None:
    recorded = account(*read_toyland())
    fewer = replace(recorded, figures=recorded.figures[1:])
    assert compare_receipt(recorded, fewer) == ("eerste, dag, land, samen: niet opnieuw berekend",)
    assert compare_receipt(fewer, recorded) == ("eerste, dag, land, samen: stond niet in het resultaat",)
