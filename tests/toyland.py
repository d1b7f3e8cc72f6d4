"""Toyland as a plan with its drive times: twelve areas, worked out by hand in examples/toyland/README.md."""

from __future__ import annotations

import datetime
from pathlib import Path

from slagkracht.plan import Plan
from slagkracht.sources.example import read_example
from slagkracht.travel import Travel

TOYLAND = Path(__file__).parents[1] / "examples" / "toyland"


def read_toyland(day: datetime.date = datetime.date(2026, 7, 1)) -> tuple[Plan, Travel]:
    plan = read_example(TOYLAND, day)
    assert plan.travel is not None
    return plan, plan.travel
