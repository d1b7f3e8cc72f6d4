"""Rules as TOML files: norms and doctrine with their days, their source and their own worked cases."""

from __future__ import annotations

import datetime
import tomllib
from importlib import resources
from importlib.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Any

from slagkracht.areas import Areas
from slagkracht.coverage.norms import NORM_KINDS, parse_norm
from slagkracht.rules import Rule, Rules, RuleVersion
from slagkracht.sources.refusal import Finding, RefusalError, say_broken_toml
from slagkracht.sources.vocabulary import read_capabilities

KINDS = (*NORM_KINDS, "aflossing", "rijprofiel", "opkomsttijd", "doctrine", "bijstand", "kwalificatie", "advies")
STATUSES = ("vastgesteld", "te verifiëren")
_TEXTS = ("code", "kind", "dutch", "source", "status")
_FIELDS = {*_TEXTS, "region", "versions", "cases"}


def national_rules() -> Traversable:
    """The folder of the rules that come with the programme."""
    return resources.files("slagkracht") / "nl" / "rules"


def read_rules(*folders: Path | Traversable) -> Rules:
    """Every rule in the TOML files below ``folders`` (none given: those of the programme), in order of code and region.

    Raises RefusalError with everything that is wrong: no TOML, a field missing or unknown, an unknown kind or status,
    two values for one day, a norm that cannot be judged with.
    """
    findings: list[Finding] = []
    rules: dict[tuple[str, str], Rule] = {}
    for folder in folders or (national_rules(),):
        files = _toml_files(folder)
        if not files:
            findings.append(Finding(str(folder), 0, "", "geen regelbestanden", "een map met .toml-bestanden"))
        for file in files:
            rule = _read_rule(file, findings)
            if rule is None:
                continue
            if (rule.code, rule.region) in rules:
                where = rule.region or "heel Nederland"
                findings.append(
                    Finding(
                        file.name, 0, "code", rule.code, f"één bestand per regel en plaats; {where} heeft er al een"
                    )
                )
            rules[rule.code, rule.region] = rule
    if findings:
        raise RefusalError(findings)
    return Rules(tuple(rules[key] for key in sorted(rules)))


def parse_rule(text: str, file: str) -> Rule:
    """One rule from the text of a TOML file; ``file`` names it in a refusal. Raises RefusalError."""
    findings: list[Finding] = []
    rule = _parse(text, file, findings)
    if rule is None or findings:
        raise RefusalError(findings)
    return rule


def check_places(rules: Rules, areas: Areas) -> None:
    """Raises RefusalError when a norm deviates for an area or a municipality that is not among ``areas``."""
    findings = []
    known = {"gebied": set(areas.area_id.tolist()), "gemeente": set(areas.municipality.tolist())}
    for rule in rules.rules:
        for version in rule.versions if rule.kind in NORM_KINDS else ():
            for number, entry in enumerate(version.values.get("afwijkingen", ()), start=1):
                for field, places in known.items():
                    place = entry.get(field, "")
                    if place and place not in places:
                        where = f"regel {rule.code}" + f" van {rule.region}" * bool(rule.region)
                        column = f"versie vanaf {version.starts}: afwijkingen {number}: {field}"
                        findings.append(Finding(where, 0, column, place, f"{field} uit het plan"))
    if findings:
        raise RefusalError(findings)


def _toml_files(folder: Path | Traversable) -> list[Path | Traversable]:
    if not folder.is_dir():
        return []
    found: list[Path | Traversable] = []
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            found += _toml_files(entry)
        elif entry.name.endswith(".toml"):
            found.append(entry)
    return found


def _read_rule(file: Path | Traversable, findings: list[Finding]) -> Rule | None:
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        findings.append(Finding(file.name, 0, "", "een andere codering", "tekst in UTF-8"))
        return None
    return _parse(text, file.name, findings)


def _parse(text: str, file: str, findings: list[Finding]) -> Rule | None:
    try:
        entry = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        findings.append(Finding(file, 0, "", say_broken_toml(error), "een geldig TOML-bestand"))
        return None
    before = len(findings)

    def refuse(column: str, found: object, expected: str) -> None:
        findings.append(Finding(file, 0, column, str(found), expected))

    for name in sorted(set(entry) - _FIELDS):
        refuse(name, "onbekend veld", f"een van: {', '.join(sorted(_FIELDS))}")
    for name in _TEXTS:
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            refuse(name, entry.get(name, "niets"), "een tekst")
    if not isinstance(entry.get("region", ""), str):
        refuse("region", entry["region"], "een regiocode, of leeg voor heel Nederland")
    if isinstance(entry.get("kind"), str) and entry["kind"] not in KINDS:
        refuse("kind", entry["kind"], f"een van: {', '.join(KINDS)}")
    if isinstance(entry.get("status"), str) and entry["status"] not in STATUSES:
        refuse("status", entry["status"], f"een van: {', '.join(STATUSES)}")
    versions = _parse_versions(entry.get("versions"), refuse)
    cases = entry.get("cases", [])
    if not isinstance(cases, list) or not all(
        isinstance(case, dict) and type(case.get("day")) is datetime.date for case in cases
    ):
        refuse("cases", cases, "tabellen [[cases]] met ieder een dag (day)")
    if len(findings) > before:
        return None
    rule = Rule(
        **{name: entry[name] for name in _TEXTS},
        region=entry.get("region", ""),
        versions=tuple(versions),
        cases=tuple(cases),
    )
    if rule.kind in NORM_KINDS:
        for version in versions:
            try:
                norm = parse_norm(rule, version.values)
            except ValueError as error:
                refuse(f"versie vanaf {version.starts}", error, "een norm zoals beschreven in docs/method/normen.md")
                continue
            known = read_capabilities()
            for stranger in sorted({name for part in norm.parts for name in part.capabilities} - set(known)):
                refuse(f"versie vanaf {version.starts}: inzetmogelijkheid", stranger, f"een van: {', '.join(known)}")
    return rule if len(findings) == before else None


def _parse_versions(entries: Any, refuse: Any) -> list[RuleVersion]:
    if not isinstance(entries, list) or not entries:
        refuse("versions", entries, "minstens één versie [[versions]] met starts en values")
        return []
    versions = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            refuse(f"versie {number}", entry, "een tabel [[versions]]")
            continue
        starts, ends, values = entry.get("starts"), entry.get("ends"), entry.get("values")
        if strangers := sorted(set(entry) - {"starts", "ends", "values"}):
            refuse(f"versie {number}", f"onbekend veld {', '.join(strangers)}", "starts, ends en values")
        elif type(starts) is not datetime.date or (ends is not None and type(ends) is not datetime.date):
            refuse(f"versie {number}", f"starts {starts}, ends {ends}", "dagen als jjjj-mm-dd")
        elif ends is not None and ends < starts:
            refuse(f"versie {number}", f"van {starts} tot en met {ends}", "een einde op of na de ingangsdatum")
        elif not isinstance(values, dict):
            refuse(f"versie {number}", "geen waarden", "een tabel [versions.values]")
        else:
            versions.append(RuleVersion(starts, ends, values))
    versions.sort(key=lambda v: v.starts)
    for earlier, later in pairwise(versions):
        if earlier.ends is None or later.starts <= earlier.ends:
            until = "zonder einde" if earlier.ends is None else f"tot en met {earlier.ends}"
            found = f"vanaf {earlier.starts} {until} en opnieuw vanaf {later.starts}"
            refuse("versions", found, "één waarde per dag: geef de eerdere versie een einde (ends)")
    return versions
