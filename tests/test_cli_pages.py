"""The chapters on strength ask for rules that a plan may lack: then the planner hears which."""

from __future__ import annotations

import pytest

from reports_example import armed_plan, small_plan
from slagkracht.cli.pages import answer_everywhere, compute_readiness
from slagkracht.coverage import compute_coverage
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.results import Result
from slagkracht.rules import NoRuleError


def test_a_plan_without_floors_is_refused_by_the_name_of_the_rule() -> None:
    plan = small_plan()
    assert plan.travel is not None
    result = Result(plan, plan.travel, compute_coverage(plan, plan.travel))
    with pytest.raises(NoRuleError, match="regel 'ondergrens'"):
        compute_readiness(result, "dag", lambda _: None)


def test_a_map_of_a_plan_without_floors_says_why_it_has_no_strength(capsys: pytest.CaptureFixture[str]) -> None:
    plan = small_plan()
    assert plan.travel is not None
    result = Result(plan, plan.travel, ())
    assert answer_everywhere(result, compute_drawing(plan), "dag", lambda _: None) is None
    assert "zonder slagkracht gemaakt: " in capsys.readouterr().err
    armed = armed_plan()
    told: list[str] = []
    answers = answer_everywhere(Result(armed, plan.travel, ()), compute_drawing(armed), "dag", told.append)
    assert answers is not None
    assert [each.formation.code for each in answers.held] == ["basispeloton", "redvoertuig"]
    assert told[-1] == "slagkracht van elk gebied: 100 %"
