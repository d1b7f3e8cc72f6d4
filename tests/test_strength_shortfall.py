"""The shortfall of a plan follows from its own risks: no risk asks nothing, more demand is never less short."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from slagkracht.risks import NO_RISKS, Profile
from slagkracht.sources.modelland import build_modelland
from slagkracht.strength import Posture, compute_posture, compute_shortfall

YEARS = 400


@pytest.fixture(scope="module")
def posture() -> Posture:
    return compute_posture(build_modelland(400), "dag")


def with_risks(posture: Posture, risks: Profile) -> Posture:
    return dataclasses.replace(posture, plan=dataclasses.replace(posture.plan, risks=risks))


def test_the_plan_says_what_may_happen(posture: Posture) -> None:
    found = compute_shortfall(posture, years=YEARS, seed=3)
    assert found.events.years == YEARS
    asked = {need.formation for risk in posture.plan.risks.risks for need in risk.needs}
    assert {each.code for each in found.gap.formations} | set(found.unknown) == asked
    assert found.gap.needed.max() > 0
    again = compute_shortfall(posture, years=YEARS, seed=3)
    assert (again.gap.shortfall == found.gap.shortfall).all()


def test_twice_as_much_asked_is_never_less_short(posture: Posture) -> None:
    risks = posture.plan.risks
    doubled = [
        dataclasses.replace(
            risk, needs=tuple(dataclasses.replace(need, count=2 * need.count) for need in risk.needs)
        )
        for risk in risks.risks
    ]  # fmt: skip
    before = compute_shortfall(posture, years=YEARS, seed=3).gap
    after = compute_shortfall(with_risks(posture, Profile(tuple(doubled), risks.shocks)), years=YEARS, seed=3).gap
    assert (after.needed >= before.needed).all()
    assert (after.shortfall >= before.shortfall - 1e-9).all()
    assert after.shortfall.sum() > before.shortfall.sum()


def test_a_plan_without_risks_says_that_nothing_is_asked(posture: Posture) -> None:
    with pytest.raises(ValueError, match="vragen geen formatie"):
        compute_shortfall(with_risks(posture, NO_RISKS), years=YEARS, seed=3)


def test_a_formation_that_doctrine_lacks_is_kept_by_name(posture: Posture) -> None:
    first = posture.plan.risks.risks[0]
    strange = dataclasses.replace(
        first, code="vreemd", needs=(dataclasses.replace(first.needs[0], formation="ruimtewacht"), *first.needs)
    )
    risks = Profile((*posture.plan.risks.risks, strange), posture.plan.risks.shocks)
    assert compute_shortfall(with_risks(posture, risks), years=YEARS, seed=3).unknown == ("ruimtewacht",)


def test_steps_are_told_in_order(posture: Posture) -> None:
    told: list[str] = []
    compute_shortfall(posture, years=YEARS, seed=3, tell=told.append)
    assert told[0] == f"{YEARS} jaren doorrekenen"
    assert len(told) == len(set(told)) == 4
    assert np.isfinite(posture.cover.share).all()
