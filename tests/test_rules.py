"""Rules: the day and the place decide, there is no fall-back, and every rule of the programme holds its own cases."""

from __future__ import annotations

import datetime

import pytest

from slagkracht.coverage import NORM_KINDS
from slagkracht.rules import (
    NoRuleError,
    Rule,
    Rules,
    RuleVersion,
    check_case,
    rule_in_force,
    rule_version_in_force,
    rules_in_force,
)  # fmt: skip
from slagkracht.sources.rule_files import read_rules
from toyland import TOYLAND

OLD = RuleVersion(
    datetime.date(2010, 1, 1), datetime.date(2020, 12, 31), {"grens_s": 600, "per_klasse": {"a": 1, "b": 2}}
)
NEW = RuleVersion(datetime.date(2022, 1, 1), None, {"grens_s": 480})
NATIONAL = Rule("eerste", "objectnorm", "Eerste", "proef", "vastgesteld", "", (OLD, NEW))
OWN = Rule(
    "eerste",
    "objectnorm",
    "Eerste",
    "proef",
    "te verifiëren",
    "VR07",
    (RuleVersion(NEW.starts, None, {"grens_s": 540}),),
)
RULES = Rules((NATIONAL, OWN))


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def test_first_and_last_day_of_a_version_belong_to_it() -> None:
    assert rule_in_force(RULES, "eerste", day("2010-01-01"))[1] is OLD.values
    assert rule_in_force(RULES, "eerste", day("2020-12-31"))[1] is OLD.values
    assert rule_in_force(RULES, "eerste", day("2022-01-01"))[1] is NEW.values
    assert rule_version_in_force(RULES, "eerste", day("2099-01-01")) == (NATIONAL, NEW)


def test_an_expired_rule_is_never_used() -> None:
    with pytest.raises(NoRuleError, match="regel 'eerste' heeft voor heel Nederland geen waarde op 01-07-2021"):
        rule_in_force(RULES, "eerste", day("2021-07-01"))
    with pytest.raises(NoRuleError, match="regel 'tweede' heeft voor VR07"):
        rule_in_force(RULES, "tweede", day("2024-01-01"), "VR07")


def test_a_region_s_own_rule_goes_first_and_only_there() -> None:
    assert rule_in_force(RULES, "eerste", day("2024-01-01"), "VR07")[0] is OWN
    assert rule_in_force(RULES, "eerste", day("2024-01-01"), "VR08")[0] is NATIONAL
    assert rule_in_force(RULES, "eerste", day("2015-01-01"), "VR07")[0] is NATIONAL


def test_what_is_in_force_is_told_once_and_of_the_regions_that_have_their_own() -> None:
    told = rules_in_force(RULES, ["eerste", "tweede", "eerste"], day("2024-01-01"), ["VR06", "VR07"])
    assert told == [(NATIONAL, NEW), (OWN, OWN.versions[0])]
    assert rules_in_force(RULES, ["eerste"], day("2021-07-01"), ["VR07"]) == []


def test_a_case_that_does_not_hold_is_told() -> None:
    assert check_case(NATIONAL, {"day": day("2024-01-01"), "grens_s": 480}) == []
    assert check_case(NATIONAL, {"day": day("2015-01-01"), "per_klasse": {"b": 2}}) == []
    assert check_case(NATIONAL, {"day": day("2021-01-01"), "geen_waarde": True}) == []
    assert check_case(NATIONAL, {"day": day("2015-01-01"), "per_klasse": {"b": 3}}) == [
        "regel 'eerste' op 01-01-2015: per_klasse.b is 2, het voorbeeld zegt 3"
    ]
    assert "een waarde" in check_case(NATIONAL, {"day": day("2024-01-01"), "geen_waarde": True})[0]
    assert "geen waarde" in check_case(NATIONAL, {"day": day("2021-01-01"), "grens_s": 480})[0]


@pytest.mark.parametrize(
    "rule",
    [r for r in (*read_rules().rules, *read_rules(TOYLAND / "regels").rules) if r.kind in NORM_KINDS],
    ids=lambda r: r.code + r.region,
)
def test_every_norm_holds_its_own_cases(rule: Rule) -> None:
    for case in rule.cases:
        assert check_case(rule, case) == []


def test_every_national_norm_has_a_case() -> None:
    assert [rule.code for rule in read_rules().rules if rule.kind in NORM_KINDS and not rule.cases] == []


def test_what_is_not_in_the_law_says_that_it_must_be_verified() -> None:
    settled = {rule.code for rule in read_rules().rules if rule.kind in NORM_KINDS and rule.status == "vastgesteld"}
    assert settled == {"bvr-3.2.1"}
