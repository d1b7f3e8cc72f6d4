"""A plan with everything that was computed from it: what a map, a table or a printed plan is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from slagkracht.coverage import Coverage, Receipt, compute_receipt
from slagkracht.plan import Plan, compute_hash
from slagkracht.rules import Rule
from slagkracht.travel import Travel

ASSUMPTIONS = ("opkomsttijd", "rijprofiel")
"""Kinds of rules that every response time rests on, whatever it is judged by."""


@dataclass(frozen=True, eq=False)
class Result:
    """A plan, or a variant of it, and its coverage.

    ``together`` one Coverage per norm and window · ``alone`` the same with each region by itself; it may hold fewer, or
    none: then nothing is said of cooperation · ``name`` "" for the plan itself, else the name of the variant ·
    ``scenario`` "" for ordinary driving, else the special conditions that the drive times are of.
    """

    plan: Plan
    travel: Travel
    together: Sequence[Coverage]
    alone: Sequence[Coverage] = ()
    name: str = ""
    scenario: str = ""


def compute_result_receipt(result: Result) -> tuple[str, Receipt]:
    """The receipt of a result and its number: SHA-256 of everything that went in, the same on every machine.

    The figures that came out are left out of the number: their last bits differ per processor.
    """
    receipt = compute_receipt(result.plan, result.travel, [*result.together, *result.alone])
    return compute_hash(dataclasses.replace(receipt, figures=())), receipt


def describe_receipt(number: str, receipt: Receipt) -> list[tuple[str, str]]:
    """A receipt in words, as pairs of a Dutch name and a value."""
    rules = [f"{code}{f' {region}' if region else ''} ({starts})" for code, region, starts, _ in receipt.rules]
    return [
        ("verantwoording", number),
        ("hash van het plan (SHA-256)", receipt.plan),
        ("hash van de rijtijden (SHA-256)", receipt.travel),
        ("rijtijden", f"{receipt.travel_kind}: {receipt.travel_source}"),
        ("rekenkern", f"slagkracht {receipt.engine}"),
        ("regels (ingegaan op)", ", ".join(rules)),
    ]


def compute_title(plan: Plan) -> tuple[str, str]:
    """The title of a plan on a page, and its own name beneath it ("" where that would say the same twice)."""
    kind = "Landelijk dekkingsplan"
    rest = plan.name.removeprefix(kind).strip()
    return (f"{kind} {rest}", rest) if rest != plan.name else (f"{kind} – {plan.name}", plan.name)


def find_unverified(plan: Plan, receipt: Receipt) -> list[Rule]:
    """The rules that a result leans on and that no one has verified yet: those it was judged by, and assumptions."""
    used = {code for code, *_ in receipt.rules}
    return [
        rule
        for rule in plan.rules.rules
        if rule.status != "vastgesteld" and not rule.region and (rule.code in used or rule.kind in ASSUMPTIONS)
    ]
