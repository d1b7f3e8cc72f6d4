"""Incidents from outside: kinds and their rates, scenarios that choose policies, and lists of incidents to replay."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from slagkracht.areas import Areas
from slagkracht.resources import WINDOWS
from slagkracht.rules import Rules, rule_in_force
from slagkracht.simulation import DISPATCH, LEVELS, MOVE_UPS, IncidentKind, Incidents, Scenario
from slagkracht.sources.csvfile import numbers, read_csv
from slagkracht.sources.refusal import Finding, RefusalError, say_broken_toml
from slagkracht.sources.vocabulary import read_rows

COLUMNS = ("incident", "tijdstip", "x_m", "y_m", "soort")
_SETTINGS = {
    "alarmering": "dispatch",
    "herbezetting": "move_up",
    "wachten": "waits",
    "verste_aanrijtijd_s": "max_drive_s",
    "herstel_s": "refit_s",
    "herbezetten_na_s": "move_up_after_s",
    "herbezetten_met": "move_up_capability",
    "samenhang_rijtijden": "drive_together",
}
TYPES = {str: "een tekst", float: "een getal vanaf 0", bool: "true of false", dict: "een tabel"}
_KIND = {"dutch", "mar", "per_jaar", "waar", "werkdag", "weekend", "maanden", "groeit", "duur_min", "spreiding",
         "terug", "beeld_s"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class IncidentList:
    """Incidents as they were: ``incident`` str [I] its own number, ``at`` datetime64[s] [I] on the local clock,
    ``x_m``, ``y_m`` float64 [I], ``kind`` str [I], in order of time."""

    incident: npt.NDArray[np.str_]
    at: npt.NDArray[np.datetime64]
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    kind: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.incident)


def read_week_windows() -> npt.NDArray[np.int8]:
    """The time window (index into WINDOWS) of every hour of the week from Monday 00:00: int8 [168]."""
    week = np.full(168, -1, np.int8)
    for row in read_rows("windows"):
        first_day, last_day = (int(day) for day in row["days"].split("-"))
        start, end = int(row["start"][:2]), int(row["end"][:2])
        hours = [h % 24 for h in range(start, end if end > start else end + 24)]
        for day in range(first_day - 1, last_day):
            week[[day * 24 + hour for hour in hours]] = WINDOWS.index(row["window"])
    return week


def read_scenario(rules: Rules, day: datetime.date, path: Path | None = None) -> Scenario:
    """The national scenario, or the one in a TOML file: its policies, and the kinds it changes or adds.

    What a file leaves out is as in the national one (``nl/facts/incidents.toml``); ``factor`` multiplies every rate.
    What each kind asks for is the rule "mar" on ``day``. Raises RefusalError, NoRuleError.
    """
    findings: list[Finding] = []
    national = tomllib.loads((resources.files("slagkracht") / "nl" / "facts" / "incidents.toml").read_text("utf-8"))
    text: dict[str, Any] = {}
    if path is not None:
        try:
            text = tomllib.loads(path.read_bytes().decode("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RefusalError(
                [Finding(path.name, 0, "", say_broken_toml(error), "een TOML-bestand in UTF-8")]
            ) from None
    file = path.name if path is not None else "incidents.toml"
    for name in sorted(set(text) - {*_SETTINGS, "naam", "factor", "soorten", "bron"}):
        findings.append(
            Finding(file, 0, name, "onbekend veld", f"een van: naam, factor, soorten, bron, {', '.join(_SETTINGS)}")
        )
    for name, known in (("alarmering", DISPATCH), ("herbezetting", MOVE_UPS)):
        if text.get(name, known[0]) not in known:
            findings.append(Finding(file, 0, name, str(text[name]), f"een van: {', '.join(known)}"))
    findings += _find_strange(text, file)
    rule, matrix = rule_in_force(rules, "mar", day)
    entries = {code: dict(entry) for code, entry in national["soorten"].items()}
    if findings:
        raise RefusalError(findings)
    for code, changes in text.get("soorten", {}).items():
        entries[code] = {**entries.get(code, {}), **changes}
    kinds = [_read_kind(code, entry, matrix, file, findings) for code, entry in sorted(entries.items())]
    if findings:
        raise RefusalError(findings)
    factor = float(text.get("factor", 1.0))
    scenario = Scenario(
        name=text.get("naam", "landelijk"),
        kinds=tuple(
            replace(kind, rate_per_year=kind.rate_per_year * factor)
            for kind in kinds
            if kind is not None and kind.rate_per_year > 0
        ),
        notes=(
            f"incidenten: {text.get('bron', national['bron'])} ({national['status']})",
            f"inzetvoorstel: {rule.dutch} ({rule.status})",
        ),
    )
    return replace(scenario, **{field: text[name] for name, field in _SETTINGS.items() if name in text})


def _find_strange(text: dict[str, Any], file: str) -> list[Finding]:
    """What stands in a scenario and is of another type than what it sets."""
    usual = {field.name: field.default for field in fields(Scenario)}
    kinds: dict[str, type] = {name: type(usual[field]) for name, field in _SETTINGS.items()}
    kinds |= {"naam": str, "bron": str, "factor": float, "soorten": dict}
    findings = []
    for name in sorted(kinds.keys() & text.keys()):
        kind, value = kinds[name], text[name]
        if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            right = bool(np.isfinite(value)) and 0 <= value <= 1e9
        else:
            right = type(value) is kind
        if not right:
            findings.append(Finding(file, 0, name, str(value), TYPES[kind]))
    kinds_of_incident = text.get("soorten", {})
    if isinstance(kinds_of_incident, dict):
        findings += [
            Finding(file, 0, f"soorten.{code}", str(entry), TYPES[dict])
            for code, entry in kinds_of_incident.items()
            if not isinstance(entry, dict)
        ]
    return findings


def _read_kind(
    code: str, entry: dict[str, Any], matrix: dict[str, Any], file: str, findings: list[Finding]
) -> IncidentKind | None:
    where = f"soorten.{code}"
    if missing := sorted(_KIND - set(entry)):
        findings.append(Finding(file, 0, where, f"mist {', '.join(missing)}", "alle velden van een soort"))
        return None
    if strangers := sorted(set(entry) - _KIND):
        findings.append(Finding(file, 0, where, f"onbekend veld {', '.join(strangers)}", f"{', '.join(sorted(_KIND))}"))
    for name in ("dutch", "waar"):
        if not isinstance(entry[name], str):
            findings.append(Finding(file, 0, f"{where}.{name}", str(entry[name]), TYPES[str]))
            return None
    if not isinstance(entry["mar"], str) or entry["mar"] not in matrix:
        findings.append(Finding(file, 0, f"{where}.mar", str(entry["mar"]), f"een van: {', '.join(matrix)}"))
        return None
    for name, count in (("werkdag", 24), ("weekend", 24), ("maanden", 12), ("groeit", 3), ("duur_min", 4)):
        values = entry[name]
        most = 1.0 if name == "groeit" else 1e9
        whole = isinstance(values, list) and len(values) == count
        if not whole or not all(isinstance(v, int | float) and 0 <= v <= most for v in values):
            findings.append(Finding(file, 0, f"{where}.{name}", str(values), f"{count} getallen vanaf 0"))
            return None
    for name, most in (("terug", 1.0), ("per_jaar", 1e8), ("spreiding", 5.0), ("beeld_s", 86_400.0)):
        if not isinstance(entry[name], int | float) or not 0 <= entry[name] <= most:
            findings.append(Finding(file, 0, f"{where}.{name}", str(entry[name]), f"een getal van 0 tot {most:g}"))
            return None
    levels = [matrix[entry["mar"]][level.replace(" ", "_")] for level in LEVELS]
    return IncidentKind(
        code=code,
        dutch=entry["dutch"],
        rate_per_year=float(entry["per_jaar"]),
        where=entry["waar"],
        hours=tuple(float(v) for v in entry["werkdag"] * 5 + entry["weekend"] * 2),
        months=tuple(float(v) for v in entry["maanden"]),
        asks=tuple(tuple((name, int(count)) for name, count in level.items()) for level in levels),
        escalates=tuple(float(v) for v in entry["groeit"]),
        on_scene_s=tuple(60.0 * v for v in entry["duur_min"]),
        on_scene_spread=float(entry["spreiding"]),
        stand_down=float(entry["terug"]),
        assess_s=float(entry["beeld_s"]),
    )


def read_incidents(path: Path) -> IncidentList:
    """A list of incidents to replay: CSV with incident, tijdstip (ISO, local clock), x_m, y_m (RD New) and soort.

    Raises RefusalError with everything that is wrong.
    """
    table = read_csv(path, COLUMNS)
    findings: list[Finding] = []
    x_m, y_m = (numbers(table, name, findings) for name in ("x_m", "y_m"))
    at = np.empty(table.rows, "datetime64[s]")
    for row, cell in enumerate(table.columns["tijdstip"]):
        try:
            moment = datetime.datetime.fromisoformat(cell)
            at[row] = np.datetime64(moment.replace(tzinfo=None), "s")
        except ValueError:
            findings.append(Finding(path.name, row + 2, "tijdstip", cell, "een tijdstip als 2026-07-01T14:30:00"))
    if findings:
        raise RefusalError(findings)
    order = np.argsort(at, kind="stable")
    names, kinds = (np.array(table.columns[name], dtype=np.str_) for name in ("incident", "soort"))
    return IncidentList(names[order], at[order], x_m[order], y_m[order], kinds[order])


def place_incidents(
    given: IncidentList, scenario: Scenario, areas: Areas, start: datetime.datetime, *, furthest_m: float = 5_000.0
) -> Incidents:
    """The list as the simulation takes it: each in the nearest area, at its smallest level and median duration.

    Raises RefusalError for a kind that the scenario does not know, an incident before ``start`` or far from any area.
    """
    codes = [kind.code for kind in scenario.kinds]
    distance_m, area = KDTree(np.column_stack([areas.x_m, areas.y_m])).query(np.column_stack([given.x_m, given.y_m]))
    at_s = (given.at - np.datetime64(start.replace(tzinfo=None), "s")).astype(np.float64)
    findings = []
    for row in range(len(given)):
        name, kind = str(given.incident[row]), str(given.kind[row])
        if kind not in codes:
            findings.append(Finding(name, row + 2, "soort", kind, f"een van: {', '.join(codes)}"))
        if at_s[row] < 0:
            findings.append(Finding(name, row + 2, "tijdstip", str(given.at[row]), f"vanaf {start}"))
        if distance_m[row] > furthest_m:
            what = f"{distance_m[row] / 1000:.1f} km van elk gebied"
            findings.append(Finding(name, row + 2, "x_m, y_m", what, "een plaats in het gebied van het plan (RD)"))
    if findings:
        raise RefusalError(findings)
    kind_row = np.array([codes.index(kind) for kind in given.kind.tolist()], np.int32)
    on_scene_s = np.array([kind.on_scene_s[0] for kind in scenario.kinds])[kind_row]
    return Incidents(at_s, area.astype(np.int32), kind_row, np.zeros(len(given), np.int32), on_scene_s)
