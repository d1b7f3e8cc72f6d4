"""A region's own travel-time matrix: every drive from every origin to every area, taken instead of roads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from slagkracht.sources.csvfile import CsvTable, find_repeats, parse_number, read_csv
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError, say_unreadable
from slagkracht.travel import UNREACHABLE, Travel

Metres = npt.NDArray[np.float64]
Seconds = npt.NDArray[np.uint16]

UNITS = {"seconden": 1.0, "minuten": 60.0}
LONG_UNITS = {"seconds": 1.0, "seconden": 1.0, "minutes": 60.0, "minuten": 60.0}
"""The time column of a long matrix: its name says its unit."""

UNREACHABLE_WORDS = {"onbereikbaar", "unreachable"}
LONGEST_S = 65_534.0


@dataclass(frozen=True, eq=False)
class Matrix:
    """Drive times as handed in: ``drive_s`` uint16 [A, O], row = an area, column = an origin."""

    origin_id: tuple[str, ...]
    area_id: tuple[str, ...]
    drive_s: Seconds
    source: str


def read_matrix(path: Path, *, unit: str = "minuten") -> tuple[Matrix, ReadSummary]:
    """A matrix from a CSV or Parquet file, wide or long.

    Wide: the first column names the origins, every other column is an area, the cells are drive times in ``unit``
    (minuten or seconden). Long: columns origin, destination and one of seconds, seconden, minutes, minuten. A cell
    "onbereikbaar" says that no road leads there. Raises RefusalError with everything that is wrong: a cell empty,
    negative, no number or with a decimal comma, a drive of more than 18 hours, an id twice, a pair missing; in a
    matrix whose rows and columns are the same places, a row or column that the other side does not have.
    Raises ValueError for another unit.
    """
    if unit not in UNITS:
        raise ValueError(f"onbekende eenheid {unit!r}: kies uit {', '.join(UNITS)}")
    table = _read_parquet(path) if path.suffix == ".parquet" else read_csv(path)
    findings: list[Finding] = []
    if {"origin", "destination"} <= table.columns.keys():
        origins, areas, drive_s = _read_long(table, findings)
    else:
        origins, areas, drive_s = _read_wide(table, UNITS[unit], findings)
    if not findings and not (origins and areas):
        findings.append(Finding(path.name, 0, "", "geen rijtijden", "minstens één herkomst en één bestemming"))
    if findings:
        raise RefusalError(findings)
    unreachable = int((drive_s == UNREACHABLE).sum())
    assumed = {"onbereikbaar volgens de matrix": unreachable} if unreachable else {}
    matrix = Matrix(tuple(origins), tuple(areas), drive_s, f"eigen rijtijdenmatrix, {path.name}")
    return matrix, ReadSummary(path.name, len(origins) * len(areas), {}, assumed)


def _read_parquet(path: Path) -> CsvTable:
    """A Parquet file as the cells of a CSV, so that both are judged alike."""
    try:
        frame = pl.read_parquet(path)
        text = {name: ["" if v is None else str(v).strip() for v in frame[name].to_list()] for name in frame.columns}
    except (Exception, pl.exceptions.PanicException) as error:  # the reader of a broken file raises of many kinds
        raise RefusalError([Finding(path.name, 0, "", say_unreadable(path), "een Parquet-bestand")]) from error
    return CsvTable(path.name, text, len(frame))


def _seconds(cell: str, scale: float) -> tuple[float, str]:
    """A drive in whole seconds, and what was expected when the cell is none."""
    if cell.lower() in UNREACHABLE_WORDS:
        return float(UNREACHABLE), ""
    value, expected = parse_number(cell, least=0, most=LONGEST_S / scale)
    return (0.0, expected) if expected else (float(np.rint(value * scale)), "")


def _read_wide(table: CsvTable, scale: float, findings: list[Finding]) -> tuple[list[str], list[str], Seconds]:
    names = list(table.columns)
    if not names:
        return [], [], np.zeros((0, 0), np.uint16)
    key, areas = names[0], names[1:]
    origins = table.columns[key]
    find_repeats(table.file, key, origins, findings)
    for row, origin in enumerate(origins, start=2):
        if not origin:
            findings.append(Finding(table.file, row, key, "niets", "de naam van een herkomst"))
    drive_s = np.zeros((len(areas), len(origins)), np.uint16)
    for a, area in enumerate(areas):
        for o, cell in enumerate(table.columns[area]):
            seconds, expected = _seconds(cell, scale)
            drive_s[a, o] = seconds
            if expected:
                findings.append(Finding(table.file, o + 2, area, cell or "niets", f"een rijtijd: {expected}"))
    both = set(origins) & set(areas)
    if 2 * len(both) > max(len(set(origins)), len(areas)):  # the same places on both sides
        for area in areas:
            if area not in both:
                findings.append(Finding(table.file, 0, area, "een kolom zonder rij", f"ook een rij {area}"))
        for row, origin in enumerate(origins, start=2):
            if origin and origin not in both:
                findings.append(
                    Finding(table.file, row, key, f"{origin}: een rij zonder kolom", f"ook een kolom {origin}")
                )
    return origins, areas, drive_s


def _read_long(table: CsvTable, findings: list[Finding]) -> tuple[list[str], list[str], Seconds]:
    time = next((name for name in LONG_UNITS if name in table.columns), "")
    if not time:
        expected = f"een kolom {', '.join(LONG_UNITS)}"
        findings.append(Finding(table.file, 1, "seconds", ", ".join(table.columns), expected))
        return [], [], np.zeros((0, 0), np.uint16)
    origin, destination = table.columns["origin"], table.columns["destination"]
    origins, areas = list(dict.fromkeys(origin)), list(dict.fromkeys(destination))
    at_origin = {name: i for i, name in enumerate(origins)}
    at_area = {name: i for i, name in enumerate(areas)}
    drive_s = np.zeros((len(areas), len(origins)), np.uint16)
    first = np.zeros((len(areas), len(origins)), np.int64)
    for row, (start, end, cell) in enumerate(zip(origin, destination, table.columns[time]), start=2):
        if not start or not end:
            findings.append(Finding(table.file, row, "origin, destination", "niets", "een herkomst en een bestemming"))
        a, o = at_area[end], at_origin[start]
        if first[a, o]:
            expected = f"elk paar één keer; dit staat ook in rij {first[a, o]}"
            findings.append(Finding(table.file, row, "origin, destination", f"{start} naar {end}", expected))
        first[a, o] = row
        seconds, expected = _seconds(cell, LONG_UNITS[time])
        drive_s[a, o] = seconds
        if expected:
            findings.append(Finding(table.file, row, time, cell or "niets", f"een rijtijd: {expected}"))
    for o in np.flatnonzero((first == 0).any(axis=0)).tolist():
        missing = [areas[a] for a in np.flatnonzero(first[:, o] == 0)]
        found = f"vanaf {origins[o]} ontbreken {len(missing)} bestemmingen, zoals {', '.join(missing[:3])}"
        findings.append(Finding(table.file, 0, "origin, destination", found, "een rijtijd voor elk paar"))
    return origins, areas, drive_s


def build_travel(
    matrix: Matrix, origin_id: list[str], origin_x_m: Metres, origin_y_m: Metres, area_id: list[str]
) -> Travel:
    """The travel times of a plan: the matrix in the order of the plan's stations and areas, taken as exact.

    Raises RefusalError naming the stations and areas that the matrix does not know.
    """
    at_origin = {name: i for i, name in enumerate(matrix.origin_id)}
    at_area = {name: i for i, name in enumerate(matrix.area_id)}
    findings = []
    for what, wanted, known in (("herkomst", origin_id, at_origin), ("bestemming", area_id, at_area)):
        if unknown := [name for name in wanted if name not in known]:
            named = ", ".join(unknown[:10]) + (f" en {len(unknown) - 10} andere" if unknown[10:] else "")
            expected = "een rijtijd voor elke kazerne en elk gebied van het plan"
            findings.append(Finding(matrix.source, 0, what, f"ontbreekt: {named}", expected))
    if findings:
        raise RefusalError(findings)
    rows = np.array([at_area[name] for name in area_id], np.int64)
    columns = np.array([at_origin[name] for name in origin_id], np.int64)
    return Travel(
        drive_s=np.ascontiguousarray(matrix.drive_s[np.ix_(rows, columns)]),
        origin_x_m=np.asarray(origin_x_m, np.float64),
        origin_y_m=np.asarray(origin_y_m, np.float64),
        origin_snap_m=np.zeros(len(origin_id), np.float32),
        area_snap_m=np.zeros(len(area_id), np.float32),
        kind="matrix",
        spread=0.0,
        source=matrix.source,
    )
