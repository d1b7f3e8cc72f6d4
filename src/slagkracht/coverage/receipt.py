"""What a published figure rests on, so that anyone can compute it again and see whether it comes out the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from slagkracht import __version__
from slagkracht.coverage.judge import Coverage
from slagkracht.coverage.tables import compute_table
from slagkracht.plan import Plan, compute_hash
from slagkracht.rules import rules_in_force
from slagkracht.travel import Travel

ASSUMPTIONS = ("opkomsttijd", "rijprofiel")
"""Kinds of rules that every response time rests on, whatever it is judged by."""

_DUTCH = {
    "engine": "rekenmodel",
    "plan": "plan",
    "travel": "reistijden",
    "travel_kind": "soort reistijden",
    "travel_source": "bron van de reistijden",
    "seed": "toevalsgetal",
}


_FIGURES = (
    ("inwoners op tijd", 0),
    ("inwoners", 0),
    ("verwacht aandeel", 6),
    ("mediaan (s)", 0),
    ("90e percentiel (s)", 0),
)
"""A place's figures in order, and the decimals that show a difference."""


@dataclass(frozen=True)
class Receipt:
    """Everything a coverage rests on, and the figures that came out.

    ``engine`` version · ``plan`` and ``travel`` SHA-256 · ``travel_kind`` and ``travel_source`` as Travel says ·
    ``rules`` (code, region, first day of the version, status) used · ``seed`` (None = nothing was drawn) · ``figures``
    (norm, window, region or "land", "alleen" or "samen", people in time, people judged, expected share 0–1,
    median and 90th percentile in s, inf = not reached) · ``notes`` of the plan.
    """

    engine: str
    plan: str
    travel: str
    travel_kind: str
    travel_source: str
    rules: tuple[tuple[str, str, str, str], ...]
    seed: int | None
    figures: tuple[tuple[str, str, str, str, float, float, float, float, float], ...]
    notes: tuple[str, ...]


def compute_receipt(plan: Plan, travel: Travel, coverages: Sequence[Coverage], seed: int | None = None) -> Receipt:
    """The receipt of ``coverages``, computed from ``plan`` and ``travel``."""
    assumed = [rule.code for rule in plan.rules.rules if rule.kind in ASSUMPTIONS]
    codes = [*assumed, *(coverage.norm for coverage in coverages)]
    used = [
        (rule.code, rule.region, version.starts.isoformat(), rule.status)
        for rule, version in rules_in_force(plan.rules, codes, plan.day, plan.regions.code.tolist())
    ]
    figures = []
    for coverage in coverages:
        how = "alleen" if coverage.alone else "samen"
        for by in ("land", "regio"):
            table = compute_table(coverage, plan.areas, plan.regions, by)
            names = ["land"] if by == "land" else table.name.tolist()
            columns = (table.in_time, table.population, table.expected_share, table.median_s, table.p90_s)
            for name, people, judged, expected, median_s, p90_s in zip(names, *columns, strict=True):
                key = (coverage.norm, coverage.window, name, how)
                figures.append((*key, float(people), float(judged), float(expected), float(median_s), float(p90_s)))
    return Receipt(
        engine=__version__,
        plan=compute_hash(plan),
        travel=compute_hash(travel),
        travel_kind=travel.kind,
        travel_source=travel.source,
        rules=tuple(sorted(used)),
        seed=seed,
        figures=tuple(figures),
        notes=plan.notes,
    )


def compare_receipt(recorded: Receipt, recomputed: Receipt) -> tuple[str, ...]:
    """Every difference as a Dutch sentence; none means that the result was reproduced.

    What went in is compared exactly, figures to one in a million: the last bits of a logarithm differ per processor.
    """
    differences = [
        f"{_DUTCH[field.name]}: vastgelegd {getattr(recorded, field.name)}, nu {getattr(recomputed, field.name)}"
        for field in fields(Receipt)
        if field.name in _DUTCH and getattr(recorded, field.name) != getattr(recomputed, field.name)
    ]
    for code, region, starts, status in sorted(set(recorded.rules) - set(recomputed.rules)):
        differences.append(f"regel {code} {region}".rstrip() + f" van {starts} ({status}) is niet meer in gebruik")
    for code, region, starts, status in sorted(set(recomputed.rules) - set(recorded.rules)):
        differences.append(
            f"regel {code} {region}".rstrip() + f" van {starts} ({status}) stond niet in de verantwoording"
        )
    before = {figure[:4]: figure[4:] for figure in recorded.figures}
    after = {figure[:4]: figure[4:] for figure in recomputed.figures}
    for key in sorted(before | after):
        place = ", ".join(key)
        if key not in after:
            differences.append(f"{place}: niet opnieuw berekend")
        elif key not in before:
            differences.append(f"{place}: stond niet in het resultaat")
        else:
            for (what, digits), old, new in zip(_FIGURES, before[key], after[key], strict=True):
                same = math.isclose(old, new, rel_tol=1e-6, abs_tol=1e-6) or (math.isnan(old) and math.isnan(new))
                if not same:
                    differences.append(f"{place}: {what} vastgelegd {old:.{digits}f}, nu {new:.{digits}f}")
    if recorded.notes != recomputed.notes:
        differences += [
            f"kanttekening is veranderd of vervallen: {n}" for n in recorded.notes if n not in recomputed.notes
        ]
        differences += [f"kanttekening stond er niet: {n}" for n in recomputed.notes if n not in recorded.notes]
        if sorted(recorded.notes) == sorted(recomputed.notes):
            differences.append("kanttekeningen: de volgorde is veranderd")
    return tuple(differences)
