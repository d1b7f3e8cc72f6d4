"""The chapters on strength ask for rules that a plan may lack: then the planner hears which."""

from __future__ import annotations

import pytest

from reports_example import small_plan
from slagkracht.cli.pages import compute_readiness
from slagkracht.coverage import compute_coverage
from slagkracht.reports.results import Result
from slagkracht.rules import NoRuleError


def test_a_plan_without_floors_is_refused_by_the_name_of_the_rule() -> None:
    plan = small_plan()
    assert plan.travel is not None
    result = Result(plan, plan.travel, compute_coverage(plan, plan.travel))
    with pytest.raises(NoRuleError, match="regel 'ondergrens'"):
        compute_readiness(result, "dag", lambda _: None)
