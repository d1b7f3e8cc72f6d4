"""Scenarios as TOML files: where, how often, with what impact, and what they ask for, each with its source."""

from __future__ import annotations

import tomllib
from importlib import resources
from importlib.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from slagkracht.risks import CLASSES, CRITERIA, THEMES, Need, Place, Profile, Risk, Shock, compute_rate, merge_profiles
from slagkracht.sources.geometry import transform, what_is_wrong
from slagkracht.sources.refusal import Finding, RefusalError

TIES = "samenhang.toml"
HOURS = {"gelijk": (1.0,) * 24, "overdag": (1.0,) * 9 + (3.0,) * 11 + (1.0,) * 4}
_REQUIRED = ("code", "dutch", "behoefte", "bron", "status")


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
        risks = []
        for file in sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name):
            try:
                text = tomllib.loads(file.read_bytes().decode("utf-8"))
            except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                findings.append(Finding(file.name, 0, "", str(error), "een TOML-bestand in UTF-8"))
                continue
            if file.name == TIES:
                for entry in text.get("groepen", []):
                    shocks[entry["groep"]] = Shock(entry["groep"], float(entry["spreiding"]), float(entry["dagen"]))
            elif (risk := _read_risk(text, file.name, findings)) is not None:
                risks.append(risk)
        profiles.append(risks)
    if findings:
        raise RefusalError(findings)
    if not any(profiles):
        raise RefusalError(
            [Finding(str(folders[0]), 0, "", "geen scenario's", "een map met een TOML-bestand per scenario")]
        )
    return merge_profiles(profiles, tuple(shocks[name] for name in sorted(shocks)))


def _read_risk(text: dict[str, Any], file: str, findings: list[Finding]) -> Risk | None:
    before = len(findings)

    def wrong(column: str, found: object, expected: str) -> None:
        findings.append(Finding(file, 0, column, str(found), expected))

    for name in _REQUIRED:
        if not text.get(name):
            wrong(name, "ontbreekt", "een waarde; zie docs/risico.md voor een voorbeeld")
    if len(findings) > before:
        return None
    if text["status"] not in ("vastgesteld", "te verifiëren"):
        wrong("status", text["status"], "vastgesteld of te verifiëren")
    impact = tuple(text.get("effect", [""] * len(CRITERIA)))
    if len(impact) != len(CRITERIA) or any(c and c not in CLASSES for c in impact):
        wrong("effect", impact, f"{len(CRITERIA)} letters A–E, of leeg waar niet beoordeeld")
    rate, low, high = _read_rate(text, wrong)
    months = tuple(float(m) for m in text.get("maanden", [1] * 12))
    if len(months) != 12 or min(months) < 0 or sum(months) <= 0:
        wrong("maanden", months, "twaalf gewichten vanaf 0, niet alle nul")
    hours = HOURS.get(text.get("uren", "gelijk")) if isinstance(text.get("uren", ""), str) else tuple(text["uren"])
    if hours is None or len(hours) != 24 or min(hours) < 0 or sum(hours) <= 0:
        wrong("uren", text.get("uren"), f"een van {', '.join(HOURS)} of 24 gewichten")
    places = _read_places(text.get("plaatsen", []), wrong)
    needs = []
    for entry in text["behoefte"]:
        need = Need(entry["formatie"], int(entry["aantal"]), float(entry["van_uur"]), float(entry["tot_uur"]))
        if need.count < 1 or not 0 <= need.start_h < need.end_h:
            wrong("behoefte", entry, "aantal vanaf 1, en van_uur voor tot_uur")
        needs.append(need)
    if len(findings) > before or hours is None:
        return None
    return Risk(
        code=text["code"],
        label=text["dutch"],
        theme=text.get("thema", "") if text.get("thema", "") in THEMES else "",
        crisis_type=text.get("crisistype", ""),
        regions=tuple(text.get("regios", ())),
        places=places,
        rate_per_year=rate,
        rate_low=low,
        rate_high=high,
        months=months,
        hours=hours,
        impact=impact,
        group=text.get("groep", ""),
        shared=text.get("gedeeld", ""),
        needs=tuple(needs),
        source=text["bron"],
        status=text["status"],
    )


def _read_rate(text: dict[str, Any], wrong: Any) -> tuple[float, float, float]:
    """A rate as given, or bridged from the likelihood class of a regional profile."""
    if "waarschijnlijkheid" in text:
        if text["waarschijnlijkheid"] not in CLASSES:
            wrong("waarschijnlijkheid", text["waarschijnlijkheid"], "een klasse A–E")
            return 0.0, 0.0, 0.0
        return compute_rate(text["waarschijnlijkheid"])
    given = text.get("kans_per_jaar")
    if not isinstance(given, dict) or not {"midden", "laag", "hoog"} <= given.keys():
        wrong("kans_per_jaar", given, "midden, laag en hoog, of een waarschijnlijkheid A–E")
        return 0.0, 0.0, 0.0
    middle, low, high = (float(given[name]) for name in ("midden", "laag", "hoog"))
    if not 0 < low <= middle <= high:
        wrong("kans_per_jaar", given, "groter dan 0, en laag ≤ midden ≤ hoog")
    return middle, low, high


def _read_places(entries: list[dict[str, Any]], wrong: Any) -> tuple[Place, ...]:
    places = []
    for entry in entries:
        lon, lat = float(entry["lon"]), float(entry["lat"])
        if problem := what_is_wrong(lon, lat):
            wrong(f"plaatsen {entry['naam']}", f"{lon}, {lat}", problem)
            continue
        x_m, y_m = transform(np.array([lon]), np.array([lat]))
        places.append(Place(entry["naam"], float(x_m[0]), float(y_m[0]), float(entry.get("gewicht", 1.0))))
    return tuple(places)
