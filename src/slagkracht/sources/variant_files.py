"""Variants as small TOML files: close, move or open a station, change a crew, a unit or a norm."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from slagkracht.coverage.variants import (
    AddUnit,
    ChangeCrew,
    ChangeRule,
    CloseStation,
    Edit,
    MoveStation,
    OpenStation,
    RemoveUnit,
    Variant,
)
from slagkracht.resources import REGIMES, WINDOWS
from slagkracht.sources.refusal import Finding, RefusalError, say_broken_toml, say_why
from slagkracht.sources.vocabulary import clean_type_code, read_capabilities, read_vehicle_types

KINDS: dict[str, tuple[dict[str, type], dict[str, type]]] = {
    "sluit": ({"kazerne": str}, {}),
    "verplaats": ({"kazerne": str, "x_m": float, "y_m": float}, {}),
    "open": ({"kazerne": str, "naam": str, "veiligheidsregio": str, "x_m": float, "y_m": float}, {}),
    "eenheid erbij": (
        {
            "eenheid": str,
            "kazerne": str,
            "voertuigtype": str,
            "bezettingsregime": str,
            "uitruktijd_s": float,
            "paraatheid": float,
        },
        {"inzetmogelijkheden": list, "bezetting": int, "uitruktijd_spreiding": float},
    ),
    "eenheid eraf": ({"eenheid": str}, {}),
    "bezetting": (
        {},
        {
            "eenheid": str,
            "kazerne": str,
            "vensters": list,
            "voertuigtype": str,
            "inzetmogelijkheden": list,
            "bezetting": int,
            "bezettingsregime": str,
            "uitruktijd_s": float,
            "uitruktijd_spreiding": float,
            "paraatheid": float,
        },
    ),
    "norm": ({"code": str, "waarden": dict}, {"veiligheidsregio": str}),
}
"""Per kind of edit (soort) the fields that it must and may have."""

_TYPES = {str: "een tekst", float: "een getal", int: "een geheel getal", list: "een lijst", dict: "een tabel"}
_BOUNDS = {
    "x_m": (-7_000, 300_000),
    "y_m": (289_000, 629_000),
    "uitruktijd_s": (1, 7200),
    "uitruktijd_spreiding": (0, 3),
    "paraatheid": (0, 1),
    "bezetting": (0, 30),
}


def read_variant(path: Path) -> Variant:
    """The variant in a TOML file. Raises RefusalError with everything that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RefusalError([Finding(path.name, 0, "", "een andere codering", "tekst in UTF-8")]) from None
    except OSError as error:
        raise RefusalError([Finding(path.name, 0, "", say_why(error), "een variantbestand (toml)")]) from None
    return parse_variant(text, path.name)


def parse_variant(text: str, file: str) -> Variant:
    """The variant that a TOML text spells out; ``file`` names it in a refusal."""
    try:
        entry = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusalError([Finding(file, 0, "", say_broken_toml(error), "een geldig TOML-bestand")]) from None
    findings: list[Finding] = []
    for name in sorted(set(entry) - {"naam", "toelichting", "wijzigingen"}):
        findings.append(Finding(file, 0, name, "onbekend veld", "naam, toelichting en [[wijzigingen]]"))
    for name in ("naam", "toelichting"):
        if not isinstance(entry.get(name, "" if name == "toelichting" else None), str):
            findings.append(Finding(file, 0, name, str(entry.get(name, "niets")), "een tekst"))
    entries = entry.get("wijzigingen")
    if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
        findings.append(Finding(file, 0, "wijzigingen", str(entries), "minstens één tabel [[wijzigingen]]"))
        entries = []
    edits = [_edit(file, number, fields, findings) for number, fields in enumerate(entries, start=1)]
    if findings:
        raise RefusalError(findings)
    return Variant(entry["naam"], tuple(edit for edit in edits if edit is not None), entry.get("toelichting", ""))


def _edit(file: str, number: int, fields: dict[str, Any], findings: list[Finding]) -> Edit | None:
    before = len(findings)

    def refuse(name: str, found: object, expected: str) -> None:
        findings.append(Finding(file, 0, f"wijziging {number}, {name}", str(found), expected))

    kind = fields.get("soort")
    if kind not in KINDS:
        refuse("soort", kind, f"een van: {', '.join(KINDS)}")
        return None
    must, may = KINDS[kind]
    allowed = {**must, **may}
    for name in sorted(set(fields) - {"soort", *allowed}):
        refuse(name, "onbekend veld", f"bij {kind!r}: {', '.join(allowed)}")
    for name, wanted in allowed.items():
        if name not in fields:
            if name in must:
                refuse(name, "niets", _TYPES[wanted])
            continue
        value = fields[name]
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (isinstance(value, wanted) or (wanted is float and whole)) or isinstance(value, bool):
            refuse(name, value, _TYPES[wanted])
        elif name in _BOUNDS and not _BOUNDS[name][0] <= value <= _BOUNDS[name][1]:
            refuse(name, value, f"{_TYPES[wanted]} van {_BOUNDS[name][0]} tot en met {_BOUNDS[name][1]}")
    if len(findings) > before:
        return None
    _check_names(fields, refuse)
    return _build(kind, fields) if len(findings) == before else None


def _check_names(fields: dict[str, Any], refuse: Any) -> None:
    for name, known in (
        ("vensters", WINDOWS),
        ("inzetmogelijkheden", read_capabilities()),
        ("bezettingsregime", REGIMES),
    ):
        given = fields.get(name, [])
        for value in given if isinstance(given, list) else [given]:
            if value not in known:
                refuse(name, value, f"een van: {', '.join(known)}")
    code = fields.get("voertuigtype")
    if code is not None and clean_type_code(code) not in read_vehicle_types():
        refuse("voertuigtype", code, "een voertuigtype uit nl/vocabulary/vehicle_types.csv, zoals TS, TS-4, SI-2 of HV")
    if fields["soort"] == "bezetting" and ("eenheid" in fields) == ("kazerne" in fields):
        refuse("eenheid", "geen of twee plaatsen", "óf een eenheid, óf een kazerne")


def _build(kind: str, fields: dict[str, Any]) -> Edit:
    vehicle = read_vehicle_types().get(clean_type_code(fields.get("voertuigtype", "")))
    capabilities = fields.get("inzetmogelijkheden", vehicle.capabilities if vehicle else None)
    crew = fields.get("bezetting", vehicle.crew if vehicle else None)
    match kind:
        case "sluit":
            return CloseStation(fields["kazerne"])
        case "verplaats":
            return MoveStation(fields["kazerne"], float(fields["x_m"]), float(fields["y_m"]))
        case "open":
            return OpenStation(
                fields["kazerne"],
                fields["naam"],
                fields["veiligheidsregio"],
                float(fields["x_m"]),
                float(fields["y_m"]),
            )
        case "eenheid erbij":
            return AddUnit(
                unit_id=fields["eenheid"],
                station_id=fields["kazerne"],
                type_code=clean_type_code(fields["voertuigtype"]),
                capabilities=tuple(capabilities or ()),
                crew=int(crew or 0),
                regime=fields["bezettingsregime"],
                turnout_s=float(fields["uitruktijd_s"]),
                turnout_spread=float(fields.get("uitruktijd_spreiding", 0)),
                readiness=float(fields["paraatheid"]),
            )
        case "eenheid eraf":
            return RemoveUnit(fields["eenheid"])
        case "bezetting":
            return ChangeCrew(
                unit_id=fields.get("eenheid", ""),
                station_id=fields.get("kazerne", ""),
                windows=tuple(fields.get("vensters", WINDOWS)),
                crew=crew,
                regime=fields.get("bezettingsregime"),
                turnout_s=fields.get("uitruktijd_s"),
                turnout_spread=fields.get("uitruktijd_spreiding"),
                readiness=fields.get("paraatheid"),
                type_code=clean_type_code(fields["voertuigtype"]) if "voertuigtype" in fields else None,
                capabilities=None if capabilities is None else tuple(capabilities),
            )
        case _:
            return ChangeRule(fields["code"], fields["waarden"], fields.get("veiligheidsregio", ""))
