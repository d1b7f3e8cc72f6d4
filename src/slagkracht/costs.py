"""What assistance costs, what the State contributes to it, and by when that must be asked: by the dated cost rule."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from slagkracht.procedures import compute_end
from slagkracht.rules import Rule, Rules, rule_in_force

RULE = "rijksbijdragen"

KINDS = {
    "personeel": "personeel",
    "verbruik": "verbruiksgoederen",
    "verloren_materieel": "verloren materieel",
    "herstel": "herstel en onderhoud",
    "verblijf": "verblijf (buitenland)",
    "verzekering": "verzekering (buitenland)",
}
"""What is spent, with the word that screens show. Which of them count is in the rule."""


class CostError(ValueError):
    """Costs that cannot be reckoned with. The message says what to change."""


@dataclass(frozen=True)
class Cost:
    """What was spent: ``kind`` a key of KINDS · ``cents`` whole eurocents, more than 0 · ``day`` when."""

    kind: str
    cents: int
    day: datetime.date


@dataclass(frozen=True)
class Claim:
    """What the State contributes, in whole eurocents, and the terms that run.

    ``by_kind`` kind → cents of everything spent · ``total`` of it · ``counted`` of the kinds that count · ``own_share``
    what stays with whoever paid · ``contribution`` ``counted`` less ``own_share`` and what others paid, 0 where that
    does not pass the threshold · ``passes`` whether it does · ``file_before`` the moment from which it is too late
    (None = the assistance is not over) · ``decide_before`` when the minister must have decided, once it was filed.
    ``rule`` says where it comes from, and its status.
    """

    by_kind: dict[str, int]
    total: int
    counted: int
    own_share: int
    contribution: int
    passes: bool
    file_before: datetime.datetime | None
    decide_before: datetime.datetime | None
    rule: Rule


def compute_claim(
    costs: Iterable[Cost],
    rules: Rules,
    day: datetime.date,
    *,
    ended_at: datetime.datetime | None = None,
    filed_at: datetime.datetime | None = None,
    abroad: bool = False,
) -> Claim:
    """What a region that lent may claim for one request, by the rule in force on ``day``.

    Terms run on the days of the time zone of ``ended_at`` and ``filed_at``. Raises CostError for an unknown kind or an
    amount that is not positive, NoRuleError.
    """
    rule, values = rule_in_force(rules, RULE, day)
    by_kind, counted = _add_up(costs, values, abroad)
    threshold = _cents(values["drempel_bijstand_euro"])
    passes = counted > threshold
    own_share = min(threshold, counted) if not passes or values["alleen_het_meerdere"] else 0
    return Claim(
        by_kind,
        sum(by_kind.values()),
        counted,
        own_share,
        counted - own_share,
        passes,
        ended_at and compute_end(ended_at, int(values["aanvragen_maanden"]), "maanden"),
        filed_at and compute_end(filed_at, int(values["beslissen_maanden"]), "maanden"),
        rule,
    )


def compute_disaster_claim(
    costs: Iterable[Cost],
    inhabitants: int,
    rules: Rules,
    day: datetime.date,
    *,
    paid_by_others: int = 0,
    ended_at: datetime.datetime | None = None,
    filed_at: datetime.datetime | None = None,
) -> Claim:
    """What a municipality may claim for fighting a disaster of its own: less what others paid and its own share.

    ``inhabitants`` of the municipality · ``paid_by_others`` cents. Raises as ``compute_claim``.
    """
    rule, values = rule_in_force(rules, RULE, day)
    by_kind, counted = _add_up(costs, values, False)
    own_share = _cents(values["per_inwoner_euro"]) * inhabitants
    left = counted - paid_by_others - own_share
    passes = left > _cents(values["minimum_bestrijding_euro"])
    return Claim(
        by_kind,
        sum(by_kind.values()),
        counted,
        min(own_share, max(counted - paid_by_others, 0)),
        left if passes else 0,
        passes,
        ended_at and compute_end(ended_at, int(values["aanvragen_maanden"]), "maanden"),
        filed_at and compute_end(filed_at, int(values["beslissen_maanden"]), "maanden"),
        rule,
    )


def _cents(euros: float) -> int:
    return round(100 * euros)


def _add_up(costs: Iterable[Cost], values: dict[str, object], abroad: bool) -> tuple[dict[str, int], int]:
    """(kind → cents, cents of the kinds that count)."""
    counts = {*_kinds(values["kosten"]), *(_kinds(values["kosten_buitenland"]) if abroad else ())}
    by_kind: dict[str, int] = {}
    for cost in costs:
        if cost.kind not in KINDS:
            raise CostError(f"onbekende kostensoort {cost.kind!r}; kies uit {', '.join(KINDS)}")
        if cost.cents <= 0:
            raise CostError(f"een bedrag van {cost.cents / 100:.2f} euro: geef meer dan 0")
        by_kind[cost.kind] = by_kind.get(cost.kind, 0) + cost.cents
    return by_kind, sum(cents for kind, cents in by_kind.items() if kind in counts)


def _kinds(given: object) -> list[str]:
    assert isinstance(given, list)
    if unknown := sorted({str(kind) for kind in given} - set(KINDS)):
        raise CostError(f"regel {RULE!r} noemt kostensoorten die niet bestaan: {', '.join(unknown)}")
    return given
