"""Procedures from TOML: a file that cannot be executed is refused with everything that is wrong with it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from slagkracht.procedures import Field, Needs, Procedure, Role, Span, State, Step, Term, find_faults
from slagkracht.sources.refusal import Finding, RefusalError, say_broken_toml

NATIONAL = Path(__file__).parent.parent / "nl" / "procedures"
"""The procedures that come with the house. Any other folder of the same form will do."""

FIELDS: dict[str, dict[str, type]] = {
    "procedure": {
        "code": str, "dutch": str, "version": int, "source": str, "status": str, "begin": str, "parties": list,
        "states": list, "steps": list, "terms": list, "fields": list, "apart": bool,
    },
    "states": {"code": str, "dutch": str, "final": bool, "public": bool},
    "steps": {
        "code": str, "dutch": str, "from": list, "to": str, "roles": list, "party": str, "ground": str, "asks": list,
        "documents": list, "wait": str, "needs": list, "again": bool, "when": dict,
    },
    "when": {"field": str, "answers": list},
    "fields": {"name": str, "dutch": str, "kind": str, "choices": list, "optional": bool, "public": bool},
    "needs": {"step": str, "count": int, "field": str, "answers": list},
    "terms": {"code": str, "dutch": str, "state": str, "span": str, "then": str, "source": str, "status": str},
    "roles": {"code": str, "dutch": str, "national": bool},
}  # fmt: skip
TYPES = {str: "een tekst", int: "een geheel getal", bool: "true of false", list: "een lijst", dict: "een tabel"}

OF_TABLES = {"states", "steps", "terms", "fields", "needs"}
"""Lists of tables; every other list holds texts."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "procedure": ("code", "dutch", "version", "source", "status", "begin", "states", "steps"),
    "states": ("code", "dutch"),
    "steps": ("code", "dutch", "from", "ground"),
    "needs": ("step", "count"),
    "when": ("field", "answers"),
    "fields": ("name", "dutch", "kind"),
    "terms": ("code", "dutch", "state", "span", "source", "status"),
    "roles": ("code", "dutch"),
}


def read_procedures(folder: Path = NATIONAL, more: Path | None = None) -> tuple[dict[str, Procedure], dict[str, Role]]:
    """Every procedure in ``folder`` (``*.toml``) and the roles that they speak of (``roles.toml``), by code.

    ``more`` is a folder with procedures of the own organisation, for the same roles. Raises RefusalError with all
    findings over all files; nothing is used of a folder with a fault in it.
    """
    findings: list[Finding] = []
    roles = _read_roles(folder / "roles.toml", findings)
    procedures: dict[str, Procedure] = {}
    if more is not None and not more.is_dir():
        findings.append(Finding(str(more), 0, "", "", "een map met procedures"))
    for path in [*sorted(folder.glob("*.toml")), *(sorted(more.glob("*.toml")) if more is not None else [])]:
        if path.name == "roles.toml":
            continue
        table = _read_table(path, findings)
        procedure = _parse_procedure(path.name, table, findings) if table is not None else None
        if procedure is None:
            continue
        faults = find_faults(procedure, roles.values())
        findings += [Finding(path.name, 0, "", fault, "") for fault in faults]
        if procedure.code in procedures:
            findings.append(Finding(path.name, 0, "code", f"een ander bestand heet ook {procedure.code!r}", ""))
        procedures[procedure.code] = procedure
    if findings:
        raise RefusalError(findings)
    return procedures, roles


def _read_table(path: Path, findings: list[Finding]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        findings.append(Finding(path.name, 0, "", say_broken_toml(error), "een leesbaar TOML-bestand"))
        return None


def _read_roles(path: Path, findings: list[Finding]) -> dict[str, Role]:
    table = _read_table(path, findings) or {}
    roles: dict[str, Role] = {}
    listed = table.get("roles", [])
    if not isinstance(listed, list):
        findings.append(Finding(path.name, 0, "roles", repr(listed), "tabellen [[roles]]"))
        return roles
    for row in listed:
        if _has_its_fields(path.name, "roles", row, findings):
            roles[row["code"]] = Role(row["code"], row["dutch"], row.get("national", False))
    return roles


def _has_its_fields(file: str, kind: str, row: object, findings: list[Finding]) -> bool:
    """Whether a table has all required fields, no unknown ones, and each of its own type; if not, why not."""
    if not isinstance(row, dict):
        findings.append(Finding(file, 0, kind, repr(row), "een tabel"))
        return False
    before = len(findings)
    name = f"{kind} {row.get('code', row.get('name', row.get('step', '')))}".strip()
    for field in REQUIRED[kind]:
        if field not in row:
            findings.append(Finding(file, 0, name, f"veld {field} ontbreekt", ""))
    for field, value in row.items():
        expected = FIELDS[kind].get(field)
        if expected is None:
            findings.append(Finding(file, 0, name, field, f"een van {', '.join(FIELDS[kind])}"))
        elif type(value) is not expected:
            findings.append(Finding(file, 0, f"{name}, {field}", repr(value), TYPES[expected]))
        elif isinstance(value, list) and field not in OF_TABLES and not all(isinstance(one, str) for one in value):
            findings.append(Finding(file, 0, f"{name}, {field}", repr(value), "een lijst van teksten"))
    return len(findings) == before


def _parse_procedure(file: str, table: dict[str, Any], findings: list[Finding]) -> Procedure | None:
    before = len(findings)
    if not _has_its_fields(file, "procedure", table, findings):
        return None
    rows: dict[str, list[Any]] = {kind: table.get(kind, []) for kind in ("states", "steps", "terms", "fields")}
    for kind, listed in rows.items():
        for row in listed:
            if _has_its_fields(file, kind, row, findings) and kind == "steps":
                for needs in row.get("needs", []):
                    _has_its_fields(file, "needs", needs, findings)
                if "when" in row:
                    _has_its_fields(file, "when", row["when"], findings)
    if len(findings) > before:
        return None
    steps = tuple(_parse_step(file, row, findings) for row in rows["steps"])
    terms = tuple(
        Term(
            row["code"],
            row["dutch"],
            row["state"],
            _parse_span(file, row["code"], row["span"], findings),
            row.get("then", ""),
            row["source"],
            row["status"],
        )
        for row in rows["terms"]
    )
    if len(findings) > before:
        return None
    return Procedure(
        code=table["code"],
        dutch=table["dutch"],
        version=table["version"],
        source=table["source"],
        status=table["status"],
        begin=table["begin"],
        parties=tuple(table.get("parties", [])),
        states=tuple(
            State(row["code"], row["dutch"], row.get("final", False), row.get("public", False))
            for row in rows["states"]
        ),
        steps=steps,
        terms=terms,
        fields=tuple(
            Field(
                row["name"],
                row["dutch"],
                row["kind"],
                tuple(row.get("choices", [])),
                row.get("optional", False),
                row.get("public", False),
            )
            for row in rows["fields"]
        ),
        apart=table.get("apart", False),
    )


def _parse_step(file: str, row: dict[str, Any], findings: list[Finding]) -> Step:
    return Step(
        code=row["code"],
        dutch=row["dutch"],
        from_states=tuple(row["from"]),
        to=row.get("to", ""),
        roles=tuple(row.get("roles", [])),
        party=row.get("party", ""),
        ground=row["ground"],
        asks=tuple(row.get("asks", [])),
        documents=tuple(row.get("documents", [])),
        wait=_parse_span(file, row["code"], row["wait"], findings) if "wait" in row else None,
        needs=tuple(
            Needs(n["step"], n["count"], (n["field"], tuple(n.get("answers", []))) if "field" in n else None)
            for n in row.get("needs", [])
        ),
        again=row.get("again", False),
        when=(row["when"]["field"], tuple(row["when"]["answers"])) if "when" in row else None,
    )


def _parse_span(file: str, code: str, text: str, findings: list[Finding]) -> Span:
    amount, _, unit = text.partition(" ")
    if not amount.isdecimal() or not unit:
        findings.append(Finding(file, 0, code, text, "een duur zoals '12 weken' of '3 werkdagen'"))
        return Span(0, "")
    return Span(int(amount), unit)
