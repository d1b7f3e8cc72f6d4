"""What a formation is made of, and what may stand in for what: doctrine read from rules."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.resources import Standing, capability_column
from slagkracht.rules import NoRuleError, Rule, Rules, rule_in_force

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """``count`` units with ``capability``, or for each of them ``units`` of a substitute (capability, units)."""

    capability: str
    count: int
    substitutes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Assignment:
    """Which region goes first with its ``capability``, by the region of the place: pairs (place, who goes first).

    ``rule`` the code of the doctrine rule that says so · ``source``, ``status`` of that rule.
    """

    capability: str
    first_in: tuple[tuple[str, str], ...]
    rule: str
    source: str
    status: str


@dataclass(frozen=True)
class Formation:
    """A doctrinal unit of action: its parts, whether one region brings it whole, and by when it should stand there.

    ``assembly_s`` is added to every arrival: alarm and gathering before the drive · ``limit_s`` the norm for standing
    at the place, nan where doctrine gives none · ``status`` as its rule has it ("te verifiëren" is shown) ·
    ``assignment`` which region goes first where (None = whoever is soonest).
    """

    code: str
    dutch: str
    parts: tuple[Part, ...]
    same_region: bool
    assembly_s: float
    limit_s: float
    status: str
    assignment: Assignment | None = None


@dataclass(frozen=True)
class Doctrine:
    """Every formation in force on a day, by code without its prefix, in order of code."""

    formations: dict[str, Formation]


class DoctrineError(ValueError):
    """A formation or substitution that cannot be carried out; the message names the rule and the mend."""


def compute_doctrine(rules: Rules, day: datetime.date) -> Doctrine:
    """The formations that the rules "formatie-…" of kind "doctrine" define on ``day``.

    A formation without a version on that day is not in the doctrine of that day. Raises DoctrineError.
    """
    try:
        _, table = rule_in_force(rules, "vervanging", day)
    except NoRuleError:
        table = {}
    formations = {}
    for rule in rules.rules:
        if rule.kind != "doctrine" or not rule.code.startswith("formatie-") or rule.region:
            continue
        try:
            _, values = rule_in_force(rules, rule.code, day)
        except NoRuleError:
            continue
        code = rule.code.removeprefix("formatie-")
        formations[code] = formation_from_rule(code, rule.dutch, rule.status, values, table)
    for rule in rules.rules:
        if rule.kind != "doctrine" or not rule.code.startswith("toewijzing-") or rule.region:
            continue
        try:
            _, values = rule_in_force(rules, rule.code, day)
        except NoRuleError:
            continue
        formation = formations.get(values["formatie"])
        if formation is not None:
            formations[formation.code] = dataclasses.replace(
                formation, assignment=assignment_from_rule(rule, values, formation)
            )
    return Doctrine(formations)


def assignment_from_rule(rule: Rule, values: dict[str, Any], formation: Formation) -> Assignment:
    """Who goes first with ``formation``, from the values of a doctrine rule "toewijzing-…".

    ``values`` has ``inzetmogelijkheid``, a part of the formation, and ``gaat_voor_in``: per region those where it goes
    first. Raises DoctrineError for a capability that is no part of it and for a place given to two regions.
    """
    capability = values["inzetmogelijkheid"]
    if capability not in {part.capability for part in formation.parts}:
        raise DoctrineError(
            f"regel {rule.code!r}: {capability!r} is geen onderdeel van formatie {formation.code!r};"
            f" kies uit {', '.join(part.capability for part in formation.parts)}"
        )
    first_in: dict[str, str] = {}
    for goes_first, places in values["gaat_voor_in"].items():
        for place in places:
            if place in first_in:
                raise DoctrineError(
                    f"regel {rule.code!r}: in {place} gaan {first_in[place]} en {goes_first} allebei voor; noem er één"
                )
            first_in[place] = goes_first
    return Assignment(capability, tuple(sorted(first_in.items())), rule.code, rule.source, rule.status)


def compute_first_regions(formations: Iterable[Formation], region_codes: Sequence[str], here: int) -> dict[str, int]:
    """Who goes first at a place in region ``here`` (row of ``region_codes``): a row too, per code of a formation.

    Formations without an assignment, and regions that the plan lacks, are not in it.
    """
    rows = {code: r for r, code in enumerate(region_codes)}
    first = {}
    for formation in formations:
        who = dict(formation.assignment.first_in).get(region_codes[here], "") if formation.assignment else ""
        if who in rows:
            first[formation.code] = rows[who]
    return first


def formation_from_rule(code: str, dutch: str, status: str, values: dict[str, Any], table: dict[str, Any]) -> Formation:
    """A formation from the values of a doctrine rule "formatie-…" and of the doctrine rule "vervanging".

    ``values`` has ``onderdelen`` (inzetmogelijkheid, aantal), ``uit_een_regio``, ``verzamelen_s`` and
    ``termijn_s`` (0 = none).
    Raises DoctrineError for a formation without parts, a count below one, or substitutions that go round in a circle.
    """
    if not values.get("onderdelen"):
        raise DoctrineError(
            f"formatie {code!r} heeft geen onderdelen: noem ten minste één inzetmogelijkheid met een aantal"
        )
    parts = []
    for part in values["onderdelen"]:
        if part["aantal"] < 1:
            raise DoctrineError(
                f"formatie {code!r}: aantal van {part['inzetmogelijkheid']!r} is {part['aantal']}"
                " en moet ten minste 1 zijn"
            )
        parts.append(
            Part(part["inzetmogelijkheid"], part["aantal"], expand_substitutes(part["inzetmogelijkheid"], table))
        )
    limit_s = float(values.get("termijn_s", 0)) or float("nan")
    return Formation(
        code, dutch, tuple(parts), bool(values["uit_een_regio"]), float(values["verzamelen_s"]), limit_s, status
    )


def expand_substitutes(capability: str, table: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    """Every capability that may stand in for ``capability``, directly or by way of another, with how many it takes.

    ``table`` maps a capability to a list of {door, aantal}. Raises DoctrineError on a circle.
    """
    found: dict[str, int] = {}

    def walk(name: str, units: int, path: tuple[str, ...]) -> None:
        for entry in table.get(name, []):
            other, count = entry["door"], units * entry["aantal"]
            if other in path:
                raise DoctrineError(f"vervanging gaat in een kring: {' → '.join((*path, other))}; haal één stap weg")
            if other not in found or count < found[other]:
                found[other] = count
            walk(other, count, (*path, other))

    walk(capability, 1, (capability,))
    return tuple(sorted(found.items()))


def compute_share(standing: Standing, part: Part) -> Floats:
    """How much of one place in ``part`` each standing unit fills: float32 [N], 1 = wholly, 1/k = k of them make one."""
    share = np.zeros(len(standing), dtype=np.float32)
    for capability, units in reversed(part.substitutes):
        if capability in standing.capability_names:
            column = capability_column(standing, capability)
            share[column] = np.maximum(share[column], np.float32(1.0 / units))
    if part.capability in standing.capability_names:
        share[capability_column(standing, part.capability)] = 1.0
    return share
