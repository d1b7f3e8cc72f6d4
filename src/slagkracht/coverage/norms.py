"""A norm as the engine reads it from a rule: what must arrive, how soon, and how that is measured."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.rules import Rule, Rules, rule_in_force

Floats = npt.NDArray[np.float32]

NORM_KINDS = ("objectnorm", "gebiedsnorm", "eenheidsnorm", "formatie")
"""Kinds of rules that an arrival can be judged by."""

STATISTICS = ("nominaal", "kans", "percentiel", "gemiddelde", "mediaan")
"""How a norm measures: the median units on time (nominaal), or what readiness and spread make of it."""


@dataclass(frozen=True)
class Part:
    """``count`` units, each with one of ``capabilities``."""

    capabilities: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Deviation:
    """A board's reasoned deviation for one place: an area or a municipality, and one class or ("") all of them."""

    area_id: str
    municipality: str
    place_class: str
    limit_s: float
    reason: str


@dataclass(frozen=True)
class ClassRule:
    """An area gets ``name`` when ``measure`` is at least ``at_least``; the first class that fits counts.

    ``measure``: "inwoners_per_km2" or an object class (its count in the area).
    """

    name: str
    measure: str
    at_least: float


@dataclass(frozen=True)
class Norm:
    """A rule in force, ready to judge with.

    ``parts`` what must have arrived · ``crew_needed`` people that part crews must add up to (0 = whole units count) ·
    ``max_gap_s`` longest time between the first and the last of those crews · ``limits`` (class, seconds) ·
    ``residents_class`` the class that residents are judged by ("" = the area's own class; "alle" = one limit) ·
    ``outer_limit_s`` that no limit may pass · ``statistic`` one of STATISTICS · ``chance`` wanted for "kans",
    ``percentile`` for "percentiel" · ``target_share`` of people that should be in time (nan = none set) ·
    ``deviations`` · ``class_rules``.
    """

    code: str
    kind: str
    dutch: str
    status: str
    parts: tuple[Part, ...]
    crew_needed: int
    max_gap_s: float
    limits: tuple[tuple[str, float], ...]
    residents_class: str
    outer_limit_s: float
    statistic: str
    chance: float
    percentile: float
    target_share: float | None
    deviations: tuple[Deviation, ...]
    class_rules: tuple[ClassRule, ...]


_KEYS = {
    "inzetmogelijkheid", "eenheid", "onderdelen", "bemanning", "grootste_tussentijd_s", "grens_s", "bewoners",
    "buitengrens_s", "maatstaf", "kans", "percentiel", "doel", "afwijkingen", "indeling", "meldingen", "toelichting",
}  # fmt: skip


_TEXTS = ("maatstaf", "bewoners", "gebied", "gemeente", "klasse", "motivering", "maat")
_WHOLE = ("eenheid", "bemanning", "aantal")
_NUMBERS = ("grens_s", "buitengrens_s", "grootste_tussentijd_s", "kans", "percentiel", "doel", "minstens")
_TABLES = {
    "onderdelen": ("inzetmogelijkheid", "aantal"),
    "afwijkingen": ("grens_s",),
    "indeling": ("klasse", "maat", "minstens"),
}
"""What each field of a norm, or of the tables in it, holds; of a table the keys that it needs."""


def norm_in_force(rules: Rules, code: str, day: datetime.date, region: str = "") -> Norm:
    """The norm ``code`` as it holds on ``day`` in ``region``. Raises NoRuleError when there is none."""
    rule, values = rule_in_force(rules, code, day, region)
    return parse_norm(rule, values)


def parse_norm(rule: Rule, values: Mapping[str, Any]) -> Norm:
    """The norm that the ``values`` of a rule spell out. Raises ValueError, naming rule and field, when they do not."""

    def refuse(found: str, expected: str) -> ValueError:
        return ValueError(f"regel {rule.code!r}{f' van {rule.region}' if rule.region else ''}: {found}; {expected}")

    if rule.kind not in NORM_KINDS:
        raise refuse(f"soort {rule.kind!r} is geen opkomstnorm", f"kies een van {', '.join(NORM_KINDS)}")
    if strangers := sorted(set(values) - _KEYS):
        raise refuse(f"onbekend veld {', '.join(strangers)}", f"bekend zijn {', '.join(sorted(_KEYS))}")
    for field, found, expected in _find_wrong_types(values):
        raise refuse(f"{field} = {found!r}", f"verwacht {expected}")
    statistic = str(values.get("maatstaf", "nominaal"))
    if statistic not in STATISTICS:
        raise refuse(f"maatstaf {statistic!r}", f"kies een van {', '.join(STATISTICS)}")
    for share in ("kans", "percentiel", "doel"):
        if share in values and not 0 < values[share] <= 1:
            raise refuse(f"{share} = {values[share]}", "verwacht een aandeel groter dan 0 en hoogstens 1")
    if values.get("percentiel") == 1:
        raise refuse("percentiel = 1", "verwacht een aandeel kleiner dan 1: de langste tijd die kan, kent geen grens")
    if statistic in ("kans", "percentiel") and statistic not in values:
        raise refuse(f"maatstaf {statistic!r} zonder {statistic}", f"geef {statistic} = 0.9 of een ander aandeel")
    if "onderdelen" in values:
        parts = tuple(Part(_names(part["inzetmogelijkheid"]), int(part["aantal"])) for part in values["onderdelen"])
    elif "inzetmogelijkheid" in values:
        parts = (Part(_names(values["inzetmogelijkheid"]), int(values.get("eenheid", 1))),)
    else:
        raise refuse("geen inzetmogelijkheid", "zeg welke eenheid moet aankomen, of geef onderdelen")
    if not parts or min(part.count for part in parts) < 1:
        raise refuse("een aantal van nul of minder", "ieder onderdeel telt minstens één eenheid")
    limits = values.get("grens_s")
    if isinstance(limits, int | float):
        limits = {"alle": limits}
    if not limits:
        raise refuse("geen grens_s", "geef de opkomsttijd in seconden, of één per klasse")
    outer = float(values.get("buitengrens_s", np.inf))
    deviations = tuple(
        Deviation(
            str(entry.get("gebied", "")),
            str(entry.get("gemeente", "")),
            str(entry.get("klasse", "")),
            float(entry["grens_s"]),
            str(entry.get("motivering", "")),
        )
        for entry in values.get("afwijkingen", ())
    )
    for name, seconds in [*limits.items(), *((d.area_id or d.municipality, d.limit_s) for d in deviations)]:
        if not 0 < seconds <= outer:
            raise refuse(f"grens {seconds:g} s voor {name}", f"meer dan 0 en hoogstens de buitengrens van {outer:g} s")
    for deviation in deviations:
        place = deviation.area_id or deviation.municipality
        if not place or not deviation.reason:
            raise refuse(f"een afwijking voor {place!r}", "noem het gebied of de gemeente én de motivering")
    residents = str(values.get("bewoners", "alle" if set(limits) == {"alle"} else ""))
    if residents and residents not in limits:
        raise refuse(f"bewoners = {residents!r}", f"kies een klasse van grens_s: {', '.join(limits)}")
    class_rules = tuple(
        ClassRule(str(c["klasse"]), str(c["maat"]), float(c["minstens"])) for c in values.get("indeling", ())
    )
    for class_rule in class_rules:
        if class_rule.name not in limits:
            raise refuse(f"indeling in klasse {class_rule.name!r}", f"kies uit grens_s: {', '.join(limits)}")
    return Norm(
        code=rule.code,
        kind=rule.kind,
        dutch=rule.dutch,
        status=rule.status,
        parts=parts,
        crew_needed=int(values.get("bemanning", 0)),
        max_gap_s=float(values.get("grootste_tussentijd_s", np.inf)),
        limits=tuple((str(name), float(seconds)) for name, seconds in limits.items()),
        residents_class=residents,
        outer_limit_s=outer,
        statistic=statistic,
        chance=float(values.get("kans", 0)),
        percentile={"percentiel": float(values.get("percentiel", 0)), "mediaan": 0.5}.get(statistic, 0.0),
        target_share=float(values["doel"]) if "doel" in values else None,
        deviations=deviations,
        class_rules=class_rules,
    )


def _find_wrong_types(values: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, Any, str]]:
    """Each field of a norm that holds another kind of value than it can: its place, what it holds, what it should."""
    for name, value in values.items():
        field = f"{inside}{name}"
        if name in _TEXTS:
            if not isinstance(value, str):
                yield field, value, "een tekst"
        elif name in _WHOLE:
            if isinstance(value, bool) or not isinstance(value, int):
                yield field, value, "een geheel getal"
        elif name == "inzetmogelijkheid":
            several = value if isinstance(value, list) else [value]
            if not several or not all(isinstance(each, str) for each in several):
                yield field, value, "een inzetmogelijkheid, of een lijst ervan"
        elif name in _TABLES and not inside:
            if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
                yield field, value, f"een lijst tabellen met {', '.join(_TABLES[name])}"
                continue
            for number, entry in enumerate(value, start=1):
                for missing in [key for key in _TABLES[name] if key not in entry]:
                    yield f"{field} {number}: {missing}", "niets", "een waarde"
                yield from _find_wrong_types(entry, f"{field} {number}: ")
        elif name == "grens_s" and isinstance(value, dict) and not inside:
            for place_class, seconds in value.items():
                if not _is_number(seconds):
                    yield f"{field}.{place_class}", seconds, "een getal in seconden"
        elif name in _NUMBERS and not _is_number(value):
            yield field, value, "een getal"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _names(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def compute_area_class(norm: Norm, areas: Areas) -> npt.NDArray[np.str_]:
    """The class that residents of every area are judged by: str [A], "" where nothing says so.

    The norm's one class for residents where it has one; else the area's own, else the first class rule that fits.
    Raises ValueError for a class rule on an object class that is not there.
    """
    if norm.residents_class:
        return np.full(len(areas), norm.residents_class)
    names = [name for name, _ in norm.limits]
    chosen = np.where(np.isin(areas.area_class, names), areas.area_class, "").astype(f"U{max(map(len, names))}")
    for class_rule in norm.class_rules:
        if class_rule.measure == "inwoners_per_km2":
            square_km = np.square(areas.size_m.astype(np.float64)) / 1e6
            measure = np.divide(areas.population, square_km, out=np.zeros(len(areas)), where=square_km > 0)
        elif class_rule.measure in areas.object_classes:
            measure = areas.objects[:, areas.object_classes.index(class_rule.measure)].astype(np.float64)
        else:
            known = ", ".join(("inwoners_per_km2", *areas.object_classes))
            raise ValueError(f"regel {norm.code!r}: indeling naar {class_rule.measure!r}; deze gebieden kennen {known}")
        chosen[(chosen == "") & (measure >= class_rule.at_least)] = class_rule.name
    return chosen


def compute_limits(norm: Norm, areas: Areas, area_class: npt.NDArray[np.str_]) -> tuple[Floats, Floats]:
    """The time that a norm allows, place by place: float32 [A] for residents and float32 [A, C] per object class.

    nan where the norm says nothing. An object class with a limit of its own has that one; under a norm per area, or
    with one limit for all, every object has the limit of its place.
    """
    limits = dict(norm.limits)
    classes = areas.object_classes
    residents = np.full(len(areas), limits.get(norm.residents_class, np.nan), dtype=np.float32)
    for name, seconds in norm.limits if not norm.residents_class else ():
        residents[area_class == name] = seconds
    if norm.kind == "objectnorm":
        row = np.array([limits.get(name, limits.get("alle", np.nan)) for name in classes], dtype=np.float32)
        objects = np.tile(row, (len(areas), 1))
    else:
        objects = np.repeat(residents[:, None], len(classes), axis=1)
    for deviation in norm.deviations:
        here = areas.municipality == deviation.municipality
        if deviation.area_id:
            here = areas.area_id == deviation.area_id
        for name, column in [(norm.residents_class, residents), *zip(classes, objects.T, strict=True)]:
            if deviation.place_class in ("", name):
                column[here & ~np.isnan(column)] = deviation.limit_s
    return residents, objects
