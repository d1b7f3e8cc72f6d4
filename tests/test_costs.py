"""What the State contributes: worked out by hand, on the threshold and one cent past it, and by laws."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.costs import KINDS, RULE, Cost, CostError, compute_claim, compute_disaster_claim
from slagkracht.rules import NoRuleError, Rules, rule_in_force
from slagkracht.sources.rule_files import parse_rule, read_rules

DAY = datetime.date(2026, 7, 1)
HERE = ZoneInfo("Europe/Amsterdam")
RULES = read_rules()


def spent(**cents: int) -> list[Cost]:
    return [Cost(kind, amount, DAY) for kind, amount in cents.items()]


@pytest.mark.parametrize(
    ("costs", "counted", "own_share", "contribution", "passes"),
    [
        (spent(), 0, 0, 0, False),
        (spent(personeel=300_000, verbruik=150_000), 450_000, 450_000, 0, False),  # exactly the threshold
        (spent(personeel=300_000, verbruik=150_001), 450_001, 450_000, 1, True),
        (spent(personeel=400_000, herstel=200_000, verloren_materieel=100_000), 700_000, 450_000, 250_000, True),
        (spent(personeel=500_000, verblijf=90_000), 500_000, 450_000, 50_000, True),  # lodging counts abroad only
    ],
)
def test_assistance_worked_out_by_hand(
    costs: list[Cost], counted: int, own_share: int, contribution: int, passes: bool
) -> None:
    claim = compute_claim(costs, RULES, DAY)
    assert (claim.counted, claim.own_share, claim.contribution, claim.passes) == (
        counted, own_share, contribution, passes)  # fmt: skip
    assert claim.total == sum(cost.cents for cost in costs)
    assert claim.rule.status == "te verifiëren"
    assert compute_claim(costs, RULES, DAY, abroad=True).counted == claim.total


def test_once_past_the_threshold_all_may_count_where_the_rule_says_so() -> None:
    rule = rule_in_force(RULES, RULE, DAY)[0]
    values = {**rule.versions[0].values, "alleen_het_meerdere": False}
    version = type(rule.versions[0])(rule.versions[0].starts, None, values)
    other = Rules((type(rule)(**{**rule.__dict__, "versions": (version,)}),))
    assert compute_claim(spent(personeel=450_001), other, DAY).contribution == 450_001
    assert compute_claim(spent(personeel=450_000), other, DAY).contribution == 0


def test_a_disaster_costs_the_municipality_three_euros_each() -> None:
    costs = spent(personeel=20_000_000, herstel=5_000_000)
    small = compute_disaster_claim(costs, 20_000, RULES, DAY, paid_by_others=1_000_000)
    assert (small.own_share, small.contribution, small.passes) == (6_000_000, 18_000_000, True)
    on_it = compute_disaster_claim(spent(personeel=10_500_000), 20_000, RULES, DAY)  # 45,000 euros are left
    assert (on_it.contribution, on_it.passes) == (0, False)
    past = compute_disaster_claim(spent(personeel=10_500_001), 20_000, RULES, DAY)
    assert (past.contribution, past.passes) == (4_500_001, True)
    assert compute_disaster_claim(spent(personeel=100), 900_000, RULES, DAY).own_share == 100, "never more than spent"


def test_terms_count_from_the_end_and_end_on_a_working_day() -> None:
    ended = datetime.datetime(2026, 7, 3, 14, tzinfo=HERE)
    claim = compute_claim([], RULES, DAY, ended_at=ended, filed_at=datetime.datetime(2026, 8, 14, 9, tzinfo=HERE))
    # 3 July 2027 is a Saturday: the last day is Monday 5 July; 14 February 2027 a Sunday: Monday 15 February
    assert claim.file_before == datetime.datetime(2027, 7, 6, tzinfo=HERE)
    assert claim.decide_before == datetime.datetime(2027, 2, 16, tzinfo=HERE)
    running = compute_claim([], RULES, DAY)
    assert (running.file_before, running.decide_before) == (None, None)


def test_what_cannot_be_is_refused_in_words() -> None:
    with pytest.raises(CostError, match="kies uit personeel"):
        compute_claim([Cost("taart", 100, DAY)], RULES, DAY)
    with pytest.raises(CostError, match="meer dan 0"):
        compute_claim([Cost("personeel", 0, DAY)], RULES, DAY)
    with pytest.raises(NoRuleError, match=RULE):
        compute_claim([], RULES, datetime.date(2009, 1, 1))
    text = """code = "rijksbijdragen"
kind = "bijstand"
dutch = "x"
source = "x"
status = "te verifiëren"
region = ""
[[versions]]
starts = 2010-01-01
[versions.values]
drempel_bijstand_euro = 1.0
alleen_het_meerdere = true
kosten = ["taart"]
kosten_buitenland = []
aanvragen_maanden = 1
beslissen_maanden = 1
"""
    with pytest.raises(CostError, match="taart"):
        compute_claim([], Rules((parse_rule(text, "x.toml"),)), DAY)


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(1, 10**8)), max_size=8), st.integers(1, 10**7))
def test_more_spent_never_means_less_and_nobody_gets_more_than_was_spent(
    amounts: list[tuple[str, int]], more: int
) -> None:
    costs = [Cost(kind, cents, DAY) for kind, cents in amounts]
    claim, dearer = (compute_claim(each, RULES, DAY) for each in (costs, [*costs, Cost("personeel", more, DAY)]))
    assert claim.contribution <= dearer.contribution <= claim.contribution + more
    assert 0 <= claim.contribution <= claim.counted <= claim.total
    assert claim.contribution + claim.own_share == claim.counted
