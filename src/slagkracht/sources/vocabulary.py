"""The vocabulary as it is written in nl/vocabulary: what every noun is called, and what its table may hold."""

from __future__ import annotations

import csv
import datetime
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.resources import REGIMES, WINDOWS
from slagkracht.sources.csvfile import CsvTable, parse_number
from slagkracht.sources.refusal import Finding, RefusalError

Columns = dict[str, npt.NDArray[Any]]
LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Attribute:
    """One column of a noun's table: ``dutch`` is its header in files, ``default`` what an empty cell means.

    ``kind`` is text, number, whole, day, a code (region, regime, vehicle_type, capabilities), ``een van …`` (a closed
    list) or ``afgeleid`` (computed, never handed in). An empty cell without a default is nan, -1 (whole, regime), no
    day or "". ``per`` "venster" makes one column per time window, "objectklasse" one per object class in the headers.
    """

    name: str
    dutch: str
    kind: str
    per: str
    unit: str
    minimum: float
    maximum: float
    default: str
    required: bool
    meaning: str


@dataclass(frozen=True)
class VehicleType:
    """What a vehicle type code stands for: see nl/vocabulary/vehicle_types.csv."""

    code: str
    dutch: str
    capabilities: tuple[str, ...]
    seats: int
    crew: int
    kind: str


@cache
def read_rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of nl/vocabulary/<name>.csv."""
    text = (files("slagkracht") / "nl" / "vocabulary" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def read_capabilities() -> tuple[str, ...]:
    """The codes of everything that a unit can be asked for, in the order of every ``capabilities`` column."""
    return tuple(row["capability"] for row in read_rows("capabilities"))


@cache
def read_vehicle_types() -> dict[str, VehicleType]:
    """Every vehicle type code and what it stands for."""
    return {
        row["type_code"]: VehicleType(
            row["type_code"],
            row["dutch"],
            tuple(row["capabilities"].split(";")),
            int(row["seats"]),
            int(row["crew"]),
            row["kind"],
        )
        for row in read_rows("vehicle_types")
    }


@cache
def read_attributes(noun: str) -> tuple[Attribute, ...]:
    """The attributes of a noun, in the order of its table."""
    attributes = []
    for row in read_rows(noun):
        kind, _, per = row["type"].partition(" per ")
        attributes.append(
            Attribute(
                row["attribute"],
                row["dutch"],
                kind,
                per,
                row["unit"],
                float(row["minimum"] or -math.inf),
                float(row["maximum"] or math.inf),
                row["default"],
                row["required"] == "ja",
                row["meaning"],
            )
        )
    return tuple(attributes)


def clean_type_code(code: str) -> str:
    """A vehicle type code with plain hyphens and single blanks: ‘DV‐HOD ’ and ‘DV-HOD’ are one code."""
    return " ".join(re.sub("[\u2010-\u2015]", "-", code).split())


def headers(attribute: Attribute) -> tuple[str, ...]:
    """The column headers of an attribute in a file: one, or one per time window."""
    if attribute.per == "venster":
        return tuple(f"{attribute.dutch}_{window}" for window in WINDOWS)
    return (attribute.dutch,)


def validate_table(table: CsvTable, noun: str) -> Columns:
    """The columns of ``noun`` by attribute name, typed; those per window are [n, W].

    Raises RefusalError with everything that is wrong: unknown and missing columns, and every cell, by row and column.
    """
    columns, findings = check_table(table, noun)
    if findings:
        raise RefusalError(findings)
    return columns


def check_table(table: CsvTable, noun: str) -> tuple[Columns, list[Finding]]:
    """What ``validate_table`` gives, and everything that is wrong with it; a wrong cell counts as an empty one."""
    findings: list[Finding] = []
    columns: Columns = {}
    known: set[str] = set()
    for attribute in read_attributes(noun):
        if attribute.kind == "afgeleid":
            continue
        if attribute.per == "objectklasse":
            names = tuple(name for name in table.columns if name.startswith(attribute.dutch + "_"))
            columns["object_classes"] = np.array([name[len(attribute.dutch) + 1 :] for name in names], dtype=np.str_)
        else:
            names = headers(attribute)
        known.update(names)
        parsed = [_parse_column(table, attribute, name, findings) for name in names]
        if attribute.per:
            stacked = np.stack(parsed, axis=1) if parsed else np.zeros((table.rows, 0))
            columns[attribute.name] = stacked
        else:
            columns[attribute.name] = parsed[0]
    for name in table.columns:
        if name not in known:
            expected = "een van: " + ", ".join(sorted(known))
            findings.append(Finding(table.file, 1, name, "een onbekende kolom", expected))
    return columns, findings


def _parse_column(table: CsvTable, attribute: Attribute, header: str, findings: list[Finding]) -> npt.NDArray[Any]:
    if header not in table.columns:
        if attribute.required:
            findings.append(Finding(table.file, 1, header, "geen kolom", f"de kolom {header} ({attribute.meaning})"))
        cells = [""] * table.rows
        required = False
    else:
        cells = table.columns[header]
        required = attribute.required
    values = []
    for row, cell in enumerate(cells, start=2):
        try:
            if not cell and required:
                raise _UnexpectedError("een waarde")
            values.append(_parse(cell or attribute.default, attribute))
        except _UnexpectedError as error:
            findings.append(Finding(table.file, row, header, cell, str(error)))
            values.append(_parse("", attribute))
    return np.array(values, dtype=_DTYPES.get(attribute.kind, np.str_))


class _UnexpectedError(ValueError):
    """Says what was expected of a cell."""


_DTYPES: dict[str, Any] = {"number": np.float64, "whole": np.int64, "day": "datetime64[D]", "regime": np.int32}


def _parse(text: str, attribute: Attribute) -> Any:
    kind = attribute.kind
    if kind in ("number", "whole"):
        return _parse_number(text, attribute)
    if kind == "day":
        return _parse_day(text)
    if len(text) > LONGEST_TEXT:
        raise _UnexpectedError(f"hoogstens {LONGEST_TEXT} tekens")
    if kind == "regime":
        return REGIMES.index(_one_of(text, REGIMES)) if text else -1
    if kind == "vehicle_type":
        code = clean_type_code(text)
        if text and code not in read_vehicle_types():
            raise _UnexpectedError("een voertuigtype uit vehicle_types.csv, zoals TS, TS-4, SI-2, HW of HV")
        return code
    if kind == "capabilities":
        codes = [code.strip() for code in text.split(";") if code.strip()]
        for code in codes:
            _one_of(code, read_capabilities())
        return ";".join(codes)
    if kind == "region":
        if text and not re.fullmatch(r"VR\d\d", text):
            raise _UnexpectedError("een regiocode VR01 tot en met VR25")
        return text
    if kind.startswith("een van ") and text:
        return _one_of(text, tuple(kind.removeprefix("een van ").split(" ")))
    return text


def _one_of(text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise _UnexpectedError("een van: " + ", ".join(allowed))
    return text


def _parse_number(text: str, attribute: Attribute) -> float | int:
    whole = attribute.kind == "whole"
    if not text:
        return -1 if whole else math.nan
    value, expected = parse_number(text, attribute.minimum, attribute.maximum)
    if whole and not expected and (value != int(value) or abs(value) > 2**31 - 1):
        expected = "een geheel getal"
    if expected:
        raise _UnexpectedError(expected + (f" ({attribute.unit})" if attribute.unit else ""))
    return int(value) if whole else value


def _parse_day(text: str) -> datetime.date | None:
    if not text:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise _UnexpectedError("een dag als jjjj-mm-dd, bijvoorbeeld 2026-07-01") from None
