"""A CSV as people hand it in: its encoding, separator, header and numbers, or where it goes wrong."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from slagkracht.sources.refusal import Finding, RefusalError, say_why

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes; a longer line is no table but a mistake, and is never read into memory as a whole."""


@dataclass(frozen=True, eq=False)
class CsvTable:
    """The cells of a file as text, by column; ``columns[name][i]`` stands in spreadsheet row ``i + 2``."""

    file: str
    columns: dict[str, list[str]]
    rows: int


def read_csv(path: Path, required: Sequence[str] = ()) -> CsvTable:
    """Every cell of a CSV (UTF-8, separated by comma or semicolon, first row the header), stripped of outer spaces.

    Raises RefusalError: file missing or empty, not UTF-8, a required column missing, a column twice, a row with too
    many or too few cells, an empty line between rows, a quote that does not close on its line, a cell beyond 131,072
    characters.
    """
    file = path.name
    findings: list[Finding] = []
    header, rows = _split(path, findings)
    if not header and not findings:
        findings.append(Finding(file, 0, "", "een leeg bestand", "een kopregel en minstens één rij"))
    for name in sorted({n for n in header if header.count(n) > 1}):
        findings.append(Finding(file, 1, name, f"{header.count(name)} keer dezelfde kolom", "elke kolom één keer"))
    missing = [name for name in required if name not in header] if header else []
    for name in missing:
        findings.append(Finding(file, 1, name, f"kolommen {', '.join(header)}", f"een kolom {name}"))
    if findings:
        raise RefusalError(findings)
    return CsvTable(file, {name: [row[i] for row in rows] for i, name in enumerate(header)}, len(rows))


def _split(path: Path, findings: list[Finding]) -> tuple[list[str], list[list[str]]]:
    """Header and rows, one for every line; a line that is no row is added to ``findings``, and the next is read anew.

    Empty lines at the end are no rows.
    """
    header: list[str] = []
    rows: list[list[str]] = []
    separator = ","
    empty = 0
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(_lines(stream, path.name, findings), start=1):
                if not line.strip("\r\n"):
                    empty += 1
                    continue
                for blank in range(number - empty, number):
                    findings.append(
                        Finding(path.name, blank, "", "een lege regel", "rijen zonder lege regels ertussen")
                    )
                empty = 0
                if not header:
                    separator = ";" if line.count(";") > line.count(",") else ","
                cells, wrong = _read_cells(line, separator)
                if wrong is not None:
                    found, expected = wrong
                    column = header[len(cells) - 1] if 0 < len(cells) <= len(header) else ""
                    findings.append(Finding(path.name, number, column, found, expected))
                elif header and len(cells) != len(header):
                    expected = f"{len(header)} cellen, zoals de kopregel"
                    findings.append(Finding(path.name, number, "", f"{len(cells)} cellen", expected))
                elif header:
                    rows.append(cells)
                header = header or cells
    except OSError as error:
        findings.append(Finding(path.name, 0, "", say_why(error), "een bestand dat te lezen is"))
        return [], []
    return header, rows


def _read_cells(line: str, separator: str) -> tuple[list[str], tuple[str, str] | None]:
    """The cells of one line, and what is found and expected where it is no row (the cells up to that place)."""
    text = line.removesuffix("\n").removesuffix("\r")
    cells: list[str] = []
    try:
        if "\r" not in text:
            cells = [cell.strip() for cell in next(csv.reader([text], delimiter=separator, strict=True))]
            return cells, None
    except csv.Error as error:
        if "field larger" in str(error):
            return cells, ("een cel van meer dan 131.072 tekens", "een CSV met gewone cellen")
        if "unexpected end" in str(error):
            cells = next(csv.reader([text], delimiter=separator))
            return cells, (
                f"een aanhalingsteken dat op deze regel niet sluit, voor {cells[-1][:40]}",
                'aanhalingstekens in paren (") en geen regeleinde binnen een cel',
            )
        return cells, ("tekst na een sluitend aanhalingsteken", 'een cel geheel tussen aanhalingstekens (") of zonder')
    return cells, ("een regeleinde binnen een regel", "regels die eindigen zoals Windows of Unix dat doet")


def _lines(stream: BinaryIO, file: str, findings: list[Finding]) -> Iterator[str]:
    """The lines of a file as text. A line in another encoding becomes a finding and is read with its marks lost."""
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            findings.append(
                Finding(file, number, "", "een regel van meer dan 16 MB", "een CSV met regels van gewone lengte")
            )
            return
        if number == 1 and line[:2] in (b"\xff\xfe", b"\xfe\xff"):
            findings.append(Finding(file, 0, "", "UTF-16", "UTF-8 (in Excel: opslaan als 'CSV UTF-8')"))
            return
        if b"\x00" in line:
            findings.append(Finding(file, number, "", "nulbytes: dit is geen tekst", "een CSV in UTF-8"))
            return
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            guess = line.decode("cp1252", errors="replace")[max(error.start - 10, 0) : error.start + 10].strip()
            findings.append(
                Finding(file, number, "", f"geen UTF-8, bij {guess}", "UTF-8 (in Excel: opslaan als 'CSV UTF-8')")
            )
            text = line.decode("utf-8", errors="replace")
        yield text


def numbers(
    table: CsvTable,
    column: str,
    findings: list[Finding],
    *,
    least: float = -math.inf,
    most: float = math.inf,
    empty: bool = False,
) -> npt.NDArray[np.float64]:
    """A column as float64 [N], nan where a cell is empty and ``empty`` allows it; else a finding."""
    cells = table.columns[column]
    values = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        if cell == "" and empty:
            continue
        value, expected = parse_number(cell, least, most)
        values[i] = value
        if expected:
            findings.append(Finding(table.file, i + 2, column, cell or "niets", expected))
    return values


def parse_number(cell: str, least: float = -math.inf, most: float = math.inf) -> tuple[float, str]:
    """A cell as a number, and what was expected when it is none ("" when all is well)."""
    if re.fullmatch(r"-?[\d.]*,\d+", cell):
        return math.nan, "een getal met een punt, geen decimale komma"
    try:
        value = float(cell) if "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        return math.nan, "een getal"
    if value < least:
        return math.nan, f"ten minste {least:g}"
    if value > most:
        return math.nan, f"ten hoogste {most:g}"
    return value, ""


def find_repeats(file: str, column: str, cells: Sequence[str], findings: list[Finding]) -> None:
    """A finding for every cell that stood in an earlier row of the same column already."""
    seen: dict[str, int] = {}
    for row, cell in enumerate(cells, start=2):
        if cell in seen:
            findings.append(
                Finding(file, row, column, cell, f"elke waarde één keer; deze staat ook in rij {seen[cell]}")
            )
        else:
            seen[cell] = row
