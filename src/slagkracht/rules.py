"""Which norm is in force here, on this day: dated, sourced data, never a guess and never an expired rule."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RuleVersion:
    """One dated text of a rule: ``values`` holds from ``starts`` up to and including ``ends`` (None = open)."""

    starts: datetime.date
    ends: datetime.date | None
    values: dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A dated, sourced norm or doctrine.

    ``code`` unique · ``kind`` what it speaks about ("objectnorm", "gebiedsnorm", "eenheidsnorm", "formatie",
    "aflossing", "rijprofiel", "opkomsttijd", …) · ``dutch`` its name on screens · ``source`` where it comes from ·
    ``status`` "vastgesteld" or "te verifiëren" (shown so on every screen) · ``region`` the region whose board
    decided it ("" = everywhere) · ``versions`` in order of day · ``cases`` worked examples that must hold.
    """

    code: str
    kind: str
    dutch: str
    source: str
    status: str
    region: str
    versions: tuple[RuleVersion, ...]
    cases: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Rules:
    """All rules of a plan, in order of code and region."""

    rules: tuple[Rule, ...]


class NoRuleError(LookupError):
    """No rule is in force for this place on this day. The message names the rule, the place and the day."""


def rule_in_force(rules: Rules, code: str, day: datetime.date, region: str = "") -> tuple[Rule, dict[str, Any]]:
    """The rule ``code`` and its values on ``day`` for ``region``: a region's own before the national one.

    Raises NoRuleError when none is in force: there is no fall-back to an expired version.
    """
    rule, version = rule_version_in_force(rules, code, day, region)
    return rule, version.values


def rule_version_in_force(rules: Rules, code: str, day: datetime.date, region: str = "") -> tuple[Rule, RuleVersion]:
    """As ``rule_in_force``, with the days of the version."""
    for place in ([region] if region else []) + [""]:
        for rule in rules.rules:
            if rule.code != code or rule.region != place:
                continue
            for version in rule.versions:
                if version.starts <= day and (version.ends is None or day <= version.ends):
                    return rule, version
    where = region or "heel Nederland"
    raise NoRuleError(
        f"regel {code!r} heeft voor {where} geen waarde op {day:%d-%m-%Y}: "
        "voeg een versie met ingangsdatum toe of kies een andere dag"
    )


def rules_in_force(
    rules: Rules, codes: Iterable[str], day: datetime.date, regions: Sequence[str]
) -> list[tuple[Rule, RuleVersion]]:
    """What is in force of ``codes`` on ``day``: of each the national rule, and then what ``regions`` have of their own.

    Each once; a code of which nothing is in force is left out.
    """
    found = []
    for code in dict.fromkeys(codes):
        for region in ("", *regions):
            try:
                rule, version = rule_version_in_force(rules, code, day, region)
            except NoRuleError:
                continue
            if rule.region == region:
                found.append((rule, version))
    return found


def check_case(rule: Rule, case: dict[str, Any]) -> list[str]:
    """What is wrong with ``rule`` by one of its worked cases, in Dutch; nothing when the case holds.

    A case gives a ``day`` and the values that must hold on it (of a table only the fields it names), or
    ``geen_waarde = true`` where the rule must have none.
    """
    day = case["day"]
    try:
        _, values = rule_in_force(Rules((rule,)), rule.code, day, rule.region)
    except NoRuleError as error:
        return [] if case.get("geen_waarde") else [str(error)]
    if case.get("geen_waarde"):
        return [f"regel {rule.code!r} heeft op {day:%d-%m-%Y} een waarde en hoort er geen te hebben"]
    wanted = {name: value for name, value in case.items() if name != "day"}
    return [f"regel {rule.code!r} op {day:%d-%m-%Y}: {wrong}" for wrong in _departures("", wanted, values)]


def _departures(place: str, wanted: dict[str, Any], values: dict[str, Any]) -> list[str]:
    wrong = []
    for name, value in wanted.items():
        found = values.get(name)
        if isinstance(value, dict) and isinstance(found, dict):
            wrong += _departures(f"{place}{name}.", value, found)
        elif found != value:
            wrong.append(f"{place}{name} is {found}, het voorbeeld zegt {value}")
    return wrong
