"""Scenarios as TOML files: where, how often, with what impact, and what they ask for, each with its source."""

from __future__ import annotations

import math
import tomllib
from importlib import resources
from importlib.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from slagkracht.risks import (
    CLASSES,
    CRITERIA,
    HOURS_PER_YEAR,
    THEMES,
    Need,
    Place,
    Profile,
    Risk,
    Shock,
    compute_rate,
    merge_profiles,
)
from slagkracht.sources.geometry import transform, what_is_wrong
from slagkracht.sources.refusal import Finding, RefusalError, say_broken_toml

TIES = "samenhang.toml"
MOST_PER_YEAR = 1_000.0
HOURS = {"gelijk": (1.0,) * 24, "overdag": (1.0,) * 9 + (3.0,) * 11 + (1.0,) * 4}
REQUIRED = ("code", "dutch", "behoefte", "bron", "status")


def national_risks() -> Traversable:
    """The folder of the starter set that comes with the programme."""
    return resources.files("slagkracht") / "nl" / "risks"


def read_profile(*folders: Path | Traversable) -> Profile:
    """The profiles in ``folders`` (none given: the starter set), merged without counting an event twice.

    Every folder is one profile: a TOML file per scenario, and samenhang.toml for what binds them. Raises RefusalError
    with everything that is wrong. A theme that is not one of the seven is kept as "" with the region's own label.
    """
    findings: list[Finding] = []
    profiles: list[list[Risk]] = []
    shocks: dict[str, Shock] = {}
    for folder in folders or (national_risks(),):
        risks: list[Risk] = []
        for file in sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name):
            try:
                text = tomllib.loads(file.read_bytes().decode("utf-8"))
            except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                findings.append(Finding(file.name, 0, "", say_broken_toml(error), "een TOML-bestand in UTF-8"))
                continue
            fields = _Fields(file.name, text, findings)
            if file.name == TIES:
                for entry in fields.tables("groepen"):
                    shock = Shock(entry.word("groep"), entry.number("spreiding"), entry.number("dagen"))
                    shocks[shock.group] = shock
            elif (risk := _read_risk(fields)) is not None:
                if any(risk.code == other.code and not risk.shared for other in risks):
                    fields.wrong("code", risk.code, "een code die in deze map maar één keer voorkomt")
                risks.append(risk)
        profiles.append(risks)
    if findings:
        raise RefusalError(findings)
    if not any(profiles):
        raise RefusalError(
            [Finding(str(folders[0]), 0, "", "geen scenario's", "een map met een TOML-bestand per scenario")]
        )
    return merge_profiles(profiles, tuple(shocks[name] for name in sorted(shocks)))


class _Fields:
    """The fields of one table in a scenario file: each read as what it must be, or put down as a finding."""

    def __init__(self, file: str, values: dict[str, Any], findings: list[Finding]) -> None:
        self.file, self.values, self.findings = file, values, findings

    def wrong(self, column: str, found: object, expected: str) -> None:
        self.findings.append(Finding(self.file, 0, column, str(found), expected))

    def word(self, name: str, default: str | None = None) -> str:
        value = self.values.get(name, default)
        if not isinstance(value, str) or (default is None and not value):
            self.wrong(name, self.values.get(name, "ontbreekt"), "een tekst")
            return ""
        return value

    def number(self, name: str, default: float | None = None) -> float:
        value = self.values.get(name, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
            self.wrong(name, self.values.get(name, "ontbreekt"), "een getal vanaf 0")
            return 0.0
        return float(value)

    def signed(self, name: str) -> float:
        value = self.values.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan

    def words(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.wrong(name, value, "een lijst van teksten")
            return ()
        return tuple(value)

    def weights(self, name: str, count: int) -> tuple[float, ...]:
        """``count`` weights that are not all zero; a word stands for a pattern in HOURS; nothing given: all alike."""
        value = self.values.get(name, [1.0] * count)
        if isinstance(value, str) and count == 24 and value in HOURS:
            return HOURS[value]
        given = value if isinstance(value, list) else []
        numbers = [w for w in given if isinstance(w, int | float) and 0 <= w < math.inf]
        if not len(numbers) == len(given) == count or sum(numbers) <= 0:
            patterns = f"een van {', '.join(HOURS)}, of " if count == 24 else ""
            self.wrong(name, value, f"{patterns}{count} gewichten vanaf 0, niet alle nul")
            return (1.0,) * count
        return tuple(float(w) for w in numbers)

    def tables(self, name: str) -> list[_Fields]:
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(name, value, f"een rij tabellen [[{name}]]")
            return []
        return [_Fields(self.file, item, self.findings) for item in value]


def _read_risk(fields: _Fields) -> Risk | None:
    before = len(fields.findings)
    for name in REQUIRED:
        if not fields.values.get(name):
            fields.wrong(name, "ontbreekt", "een waarde; zie docs/method/risico.md voor een voorbeeld")
    if len(fields.findings) > before:
        return None
    if fields.word("status") not in ("vastgesteld", "te verifiëren"):
        fields.wrong("status", fields.values["status"], "vastgesteld of te verifiëren")
    impact = fields.words("effect") or ("",) * len(CRITERIA)
    if len(impact) != len(CRITERIA) or any(letter and letter not in tuple(CLASSES) for letter in impact):
        fields.wrong("effect", list(impact), f"{len(CRITERIA)} letters A–E, leeg waar niet beoordeeld")
    rate, low, high = _read_rate(fields)
    theme = fields.word("thema", "")
    risk = Risk(
        code=fields.word("code"),
        label=fields.word("dutch"),
        theme=theme if theme in THEMES else "",
        crisis_type=fields.word("crisistype", theme),
        regions=fields.words("regios"),
        places=_read_places(fields),
        rate_per_year=rate,
        rate_low=low,
        rate_high=high,
        months=fields.weights("maanden", 12),
        hours=fields.weights("uren", 24),
        impact=impact,
        group=fields.word("groep", ""),
        shared=fields.word("gedeeld", ""),
        needs=_read_needs(fields),
        source=fields.word("bron"),
        status=fields.word("status"),
    )
    return risk if len(fields.findings) == before else None


def _read_needs(fields: _Fields) -> tuple[Need, ...]:
    needs = []
    for entry in fields.tables("behoefte"):
        count = entry.number("aantal")
        need = Need(entry.word("formatie"), int(count), entry.number("van_uur"), entry.number("tot_uur"))
        if need.count < 1 or need.count != count or not need.start_h < need.end_h <= HOURS_PER_YEAR:
            entry.wrong("behoefte", entry.values, "een heel aantal vanaf 1, en van_uur voor tot_uur, binnen een jaar")
        needs.append(need)
    return tuple(needs)


def _read_rate(fields: _Fields) -> tuple[float, float, float]:
    """A rate as given, or bridged from the likelihood class of a regional profile."""
    if "waarschijnlijkheid" in fields.values:
        letter = fields.word("waarschijnlijkheid")
        if letter not in tuple(CLASSES):
            fields.wrong("waarschijnlijkheid", letter, "een klasse A–E")
            return 0.0, 0.0, 0.0
        return compute_rate(letter)
    given = fields.values.get("kans_per_jaar")
    if not isinstance(given, dict):
        fields.wrong("kans_per_jaar", given, "midden, laag en hoog, of een waarschijnlijkheid A–E")
        return 0.0, 0.0, 0.0
    entry = _Fields(fields.file, given, fields.findings)
    middle, low, high = (entry.number(name) for name in ("midden", "laag", "hoog"))
    if not 0 < low <= middle <= high <= MOST_PER_YEAR:
        fields.wrong("kans_per_jaar", given, f"groter dan 0, laag ≤ midden ≤ hoog, en hoogstens {MOST_PER_YEAR:.0f}")
    return middle, low, high


def _read_places(fields: _Fields) -> tuple[Place, ...]:
    places = []
    for entry in fields.tables("plaatsen"):
        name, lon, lat = entry.word("naam"), entry.signed("lon"), entry.signed("lat")
        if problem := what_is_wrong(lon, lat):
            entry.wrong(f"plaatsen {name}", f"{lon}, {lat}", problem)
            continue
        weight = entry.number("gewicht", 1.0)
        if weight <= 0:
            entry.wrong(f"plaatsen {name}", weight, "een gewicht groter dan 0")
        x_m, y_m = transform(np.array([lon]), np.array([lat]))
        places.append(Place(name, float(x_m[0]), float(y_m[0]), weight))
    return tuple(places)
