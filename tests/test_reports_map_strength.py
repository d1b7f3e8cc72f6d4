"""What the page looks up about strength is what the engine answers, area by area, with whose rules and receipt."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from reports_example import armed_plan
from slagkracht.reports.columns import pack_block
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.map_strength import (
    MOST,
    NOBODY,
    WHOLE,
    Answers,
    compute_answer_figures,
    compute_answers,
    compute_answers_receipt,
    pack_answers,
)
from slagkracht.strength import Placements, compute_posture
from test_reports_columns import read_block


@pytest.fixture(scope="module")
def answers() -> Answers:
    plan = armed_plan()
    posture = compute_posture(plan, "dag", plan.travel)
    return compute_answers(posture, compute_drawing(plan), (0.5, 1.0), np.array([[1.0, 2.0], [1.5, 2.5]]))


def look_up(packed: Any, formation: int, side: str, row: int, number: int) -> tuple[list[list[tuple[str, int]]], Any]:
    """The slow obvious reader: (unit, arrival) of the first ``number``, and what each region then keeps."""
    each = packed["formations"][formation]
    table, most = each[side], each["most"]
    made = []
    for m in range(number):
        at = row * most + m
        start = int(table["count"][:at].sum())
        arrival_s, units = 0, []
        for i in range(start, start + int(table["count"][at])):
            arrival_s += int(table["step_s"][i])
            units.append((packed["units"]["id"][table["unit"][i]], arrival_s))
        made.append(units)
    kept = packed["kept"].copy()
    first, last = (int(table["changes"][: row * most + m].sum()) for m in (0, number))
    kept[table["region"][first:last]] = table["keeps"][first:last]
    return made, kept


def test_the_page_looks_up_what_the_engine_answers(answers: Answers) -> None:
    packed = read_block(pack_block(pack_answers(answers, "0" * 64)))
    posture = answers.posture
    names = posture.plan.units.unit_id
    assert [each["code"] for each in packed["formations"]] == ["basispeloton", "redvoertuig"]

    def same(placed: Placements, area: int, formation: int, side: str, row: int) -> None:
        most = packed["formations"][formation]["most"]
        made, kept = look_up(packed, formation, side, row, most)
        for m, units in enumerate(made):
            chosen = placed.unit[area, m] >= 0
            assert [name for name, _ in units] == names[posture.standing.unit[placed.unit[area, m][chosen]]].tolist()
            assert [s for _, s in units] == np.round(placed.arrival_s[area, m][chosen]).tolist()
        assert kept.tolist() == np.round(WHOLE * placed.kept[area, most - 1]).tolist()

    differ = 0
    for f, (held, free) in enumerate(zip(answers.held, answers.free)):
        rows = packed["formations"][f]["free"]["area"].tolist()
        differ += len(rows)
        for area in range(len(held)):
            same(held, area, f, "held", area)
            if area in rows:
                same(free, area, f, "free", rows.index(area))
            else:  # what holds every floor is no later, so it is the answer without floors too
                assert (held.complete_s[area] <= free.complete_s[area]).all()
    assert differ  # floors bite somewhere in this country


def test_near_units_that_stay_are_named_with_the_region_that_keeps_them(answers: Answers) -> None:
    packed = read_block(pack_block(pack_answers(answers, "0" * 64)))
    held, table = answers.held[0], packed["formations"][0]["held"]
    assert table["beside"].tolist() == (held.near >= 0).sum(axis=1).tolist()
    assert table["refused"].tolist() == held.refused[held.near >= 0].tolist()
    assert (table["refused"] > 0).any()
    assert ((table["refuser"] < len(answers.posture.plan.regions)) == (table["refused"] > 0)).all()


def test_the_table_says_when_half_and_nine_in_ten_of_the_residents_have_it(answers: Answers) -> None:
    figures = compute_answer_figures(answers, 0)
    plan, held = answers.posture.plan, answers.held[0]
    headings = [heading for heading, _ in figures.columns]
    assert headings[:4] == ["Regio", "Inwoners", "1e: helft", "1e: negen op tien"]
    mine = plan.areas.region == 1
    order = np.argsort(held.complete_s[mine, 0])
    people = plan.areas.population[mine][order].cumsum()
    expected = held.complete_s[mine, 0][order][np.searchsorted(people, people[-1] / 2)]
    assert figures.rows[1][headings.index("1e: helft")] == expected
    assert figures.total is not None
    assert figures.total[1] == pytest.approx(float(plan.areas.population.sum()))


def test_the_receipt_names_the_doctrine_and_changes_with_it(answers: Answers) -> None:
    number, *rest = compute_answers_receipt(answers, "a" * 64)
    told = dict(rest)
    assert "formatie-basispeloton (2020-01-01)" in told["regels (ingegaan op)"]
    assert told["berust op de dekking met verantwoording"] == "a" * 64
    assert compute_answers_receipt(answers, "b" * 64)[0] != number
    other = dataclasses.replace(answers, posture=dataclasses.replace(answers.posture, window="nacht"))
    assert compute_answers_receipt(other, "a" * 64)[0] != number
    unverified = [rule["dutch"] for rule in pack_answers(answers, "0" * 64)["unverified"]]
    assert unverified == [
        "Basispeloton", "Redvoertuig", "Redvoertuig: welke regio waar voorgaat", "Ondergrens", "Vervanging",
    ]  # fmt: skip


def test_the_page_knows_which_region_goes_first_where(answers: Answers) -> None:
    """In Rijnkant nobody does, in Liemers-Zuid Rijnkant, and Achterland, which has no aerial, at home."""
    platoon, aerial = read_block(pack_block(pack_answers(answers, "0" * 64)))["formations"]
    assert (platoon["first"], platoon["first_status"]) == ([], "")
    assert (aerial["first"], aerial["first_status"]) == ([NOBODY, 0, 2], "te verifiëren")


def test_no_more_than_ten_are_worked_out(answers: Answers) -> None:
    assert all(1 <= held.complete_s.shape[1] <= MOST for held in answers.held)
