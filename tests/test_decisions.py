"""Decisions: each board for itself, dated, with a receipt of exactly that plan."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.decisions import (
    OUTCOMES,
    Decision,
    DecisionRefusedError,
    compute_adoption,
    decide,
    decision_in_force,
    verify_receipt,
)
from slagkracht.plan import Plan, compute_hash
from slagkracht.regions import Regions
from slagkracht.rules import Rules
from two_stations import two_stations

REGIONS = [f"VR{n:02d}" for n in range(1, 26)]


def plan_of(year: int) -> Plan:
    nation = Regions(np.array(REGIONS), np.array(REGIONS))
    return dataclasses.replace(two_stations(), name=f"plan {year}", day=day(year), regions=nation, rules=Rules(()))


def day(year: int, month: int = 1, number: int = 1) -> datetime.date:
    return datetime.date(year, month, number)


PLAN, NEXT = plan_of(2027), plan_of(2031)
RECEIPT = compute_hash(PLAN)


def adopted(region: str, plan: Plan = PLAN, year: int = 2027, **more: object) -> Decision:
    return decide(plan, region, f"AB {region}", "vastgesteld", day(year - 1, 12), day(year), **more)  # type: ignore[arg-type]


def test_n_of_25() -> None:
    decisions = [adopted(region) for region in REGIONS[:13]]
    decisions.append(decide(PLAN, "VR14", "AB VR14", "afgewezen", day(2026, 12)))
    reserved = decide(
        PLAN, "VR15", "AB VR15", "vastgesteld met voorbehoud", day(2026, 12), day(2027, 7), reservation="begroting"
    )
    state = compute_adoption([*decisions, reserved], RECEIPT, REGIONS, day(2027, 2), quorum=14)
    assert state.adopted == 14
    assert state.has_quorum
    assert sorted(state.in_force) == REGIONS[:13]
    assert state.waiting == {"VR15": day(2027, 7)}
    assert state.refused == {"VR14": "afgewezen"}
    assert state.reservations == {"VR15": "begroting"}
    assert state.undecided == tuple(REGIONS[15:])
    assert not compute_adoption(decisions, RECEIPT, REGIONS, day(2027, 2), quorum=14).has_quorum
    before = compute_adoption(decisions, RECEIPT, REGIONS, day(2026, 11), quorum=1)
    assert before.undecided == tuple(REGIONS)


def test_a_next_plan_supersedes_and_an_expired_one_does_not_come_back() -> None:
    decisions = [adopted("VR01"), adopted("VR01", NEXT, 2031, ends=day(2034, 12, 31))]
    in_force = {year: decision_in_force(decisions, "VR01", day(year)) for year in (2026, 2028, 2031, 2036)}
    names = {year: decision.plan_name if decision else None for year, decision in in_force.items()}
    assert names == {2026: None, 2028: "plan 2027", 2031: "plan 2031", 2036: None}
    state = compute_adoption(decisions, RECEIPT, ["VR01"], day(2032), quorum=1)
    assert state.superseded == {"VR01": compute_hash(NEXT)}


def test_the_last_decision_about_a_plan_counts() -> None:
    decisions = [decide(PLAN, "VR01", "AB", "aangehouden", day(2026, 10)), adopted("VR01")]
    assert compute_adoption(decisions, RECEIPT, ["VR01"], day(2027), 1).in_force == {"VR01": day(2027)}
    decisions.append(decide(PLAN, "VR01", "AB", "afgewezen", day(2028)))
    assert compute_adoption(decisions, RECEIPT, ["VR01"], day(2028, 2), 1).refused == {"VR01": "afgewezen"}
    assert decision_in_force(decisions, "VR01", day(2028, 2)) is None
    assert decision_in_force(decisions, "VR01", day(2027, 2)) is not None


def test_the_receipt_is_of_exactly_this_plan() -> None:
    decision = adopted("VR01")
    assert verify_receipt(decision, PLAN)
    turnout_s = PLAN.units.turnout_s.copy()
    turnout_s[0, 0] += 1
    slower = dataclasses.replace(PLAN, units=dataclasses.replace(PLAN.units, turnout_s=turnout_s))
    assert not verify_receipt(decision, slower)


def test_of_one_day_what_was_noted_last_counts() -> None:
    both = [adopted("VR01"), adopted("VR01", NEXT, 2027)]
    for decisions in (both, both[::-1]):
        now = decision_in_force(decisions, "VR01", day(2027, 2))
        assert now is not None
        assert now.plan_name == decisions[-1].plan_name
    turned = [adopted("VR01"), decide(PLAN, "VR01", "AB VR01", "aangehouden", day(2026, 12))]
    assert compute_adoption(turned, RECEIPT, ["VR01"], day(2027, 2), 1).refused == {"VR01": "aangehouden"}
    assert compute_adoption(turned[::-1], RECEIPT, ["VR01"], day(2027, 2), 1).in_force == {"VR01": day(2027)}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("VR99", "AB", "vastgesteld", day(2027), day(2027)), "gaat niet over VR99"),
        (("VR01", "AB", "misschien", day(2027)), "onbekend besluit"),
        (("VR01", "AB", "vastgesteld", day(2027)), "hoort een ingangsdatum"),
        (("VR01", "AB", "afgewezen", day(2027), day(2027)), "hoort geen ingangsdatum"),
        (("VR01", "AB", "vastgesteld", day(2027), day(2026)), "ligt voor het besluit"),
        (("VR01", "AB", "vastgesteld", day(2027), day(2028), day(2027)), "ligt voor ingangsdatum"),
        (("VR01", "AB", "vastgesteld", day(2027), day(2027), None, "mits"), "hoort geen voorbehoud"),
        (("VR01", "AB", "vastgesteld met voorbehoud", day(2027), day(2027)), "hoort het voorbehoud"),
    ],
)
def test_a_decision_that_cannot_stand_is_refused(arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(DecisionRefusedError, match=words):
        decide(PLAN, *arguments)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from(REGIONS), st.sampled_from(OUTCOMES), st.integers(0, 2000)), max_size=40))
def test_every_region_is_in_exactly_one_place(history: list[tuple[str, str, int]]) -> None:
    decisions = []
    for region, outcome, after in history:
        decided_on = day(2026) + datetime.timedelta(days=after)
        starts = decided_on if outcome in OUTCOMES[:2] else None
        reservation = "mits" if outcome == OUTCOMES[1] else ""
        decisions.append(decide(PLAN, region, "AB", outcome, decided_on, starts, None, reservation))
    state = compute_adoption(decisions, RECEIPT, REGIONS, day(2029), 25)
    places = [*state.in_force, *state.waiting, *state.superseded, *state.refused, *state.undecided]
    assert sorted(places) == REGIONS
    assert state.adopted == len(state.in_force) + len(state.waiting) + len(state.superseded)
