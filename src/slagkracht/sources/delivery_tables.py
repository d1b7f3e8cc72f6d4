"""What a delivery comes in as: a folder or ZIP with CSV, Parquet or GeoParquet, made into tables with places."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from slagkracht.sources.csvfile import CsvTable, parse_number
from slagkracht.sources.geometry import NETHERLANDS_RD, RD, WGS84, transform, what_is_wrong
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError, say_why

TABLES = {
    "kazernes": "station",
    "eenheden": "unit",
    "gebieden": "area",
    "afwijkingen": "deviation",
    "ondergrens": "floor",
}
"""The tables of a delivery and the noun that each holds; the first two are required."""

REQUIRED = ("kazernes", "eenheden")

MOST_BYTES = 1 << 30
"""A delivery of more than 1 GiB is refused before it is unpacked."""

SUFFIXES = (".csv", ".parquet", ".geoparquet")
README = "LEESMIJ.txt"


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of a delivery; a zip is unpacked beside nothing, and never outside its own folder."""
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        _unpack(path, Path(folder))
        yield Path(folder)


def _unpack(path: Path, folder: Path) -> None:
    def refuse(found: str, expected: str) -> RefusalError:
        return RefusalError([Finding(path.name, 0, "", found, expected)])

    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            for entry in entries:
                parts = entry.filename.replace("\\", "/").split("/")
                if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
                    raise refuse(entry.filename, "bestanden binnen de zip; deze zou buiten zijn map schrijven")
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise refuse("een zip die meer dan 1 GiB uitpakt", "tabellen van één regio")
            for entry in entries:
                target = folder / Path(entry.filename).name
                if target.exists():
                    raise refuse(f"tweemaal {target.name}", "elke tabel één keer")
                target.write_bytes(archive.read(entry))
    except RefusalError:
        raise
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, NotImplementedError, zlib.error) as error:
        found = say_why(error) if isinstance(error, OSError) and error.errno else "iets dat niet als zip te openen is"
        raise refuse(found, "een map, of een volledige zip zonder wachtwoord") from error


def find_tables(folder: Path, name: str, findings: list[Finding], left_out: list[ReadSummary]) -> dict[str, Path]:
    """The file of each table; what is no table and no explanation is named in ``left_out``.

    A finding: a table twice, a required one missing, a stranger among the tables, a table in a form that is not read.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        suffix, table = file.suffix.lower(), file.stem.lower()
        if file.name.startswith(".") or file.name.lower() == README.lower():
            continue
        if not file.is_file() or (suffix not in SUFFIXES and table not in TABLES):
            left_out.append(ReadSummary(file.name, 0, {"geen tabel van een aanlevering": 1}))
        elif suffix not in SUFFIXES:
            expected = f"{table}.csv, of {table}.parquet of .geoparquet"
            findings.append(Finding(file.name, 0, "", f"een tabel als {suffix or 'bestand zonder soort'}", expected))
        elif table not in TABLES:
            findings.append(Finding(file.name, 0, "", f"een tabel {file.stem}", f"een van: {', '.join(TABLES)}"))
        elif table in found:
            findings.append(Finding(file.name, 0, "", f"ook {found[table].name}", "elke tabel in één bestand"))
        else:
            found[table] = file
    for table in REQUIRED:
        if table not in found:
            findings.append(Finding(name, 0, "", f"geen {table}", f"een bestand {table}.csv of {table}.parquet"))
    return found


def read_parquet(file: Path) -> CsvTable:
    """A (Geo)Parquet table as text; a column of points becomes x_m and y_m, or lon and lat, by its reference system."""

    def refuse(found: str, expected: str) -> RefusalError:
        return RefusalError([Finding(file.name, 0, "", found, expected)])

    if file.stat().st_size > MOST_BYTES:
        raise refuse(f"{file.stat().st_size / 1e9:.1f} GB", "een tabel van hoogstens 1 GiB")
    try:
        table = pq.read_table(io.BytesIO(file.read_bytes()))
        geo = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
        columns: dict[str, list[str]] = {}
        for column in table.column_names:
            if column == geo.get("primary_column"):
                columns |= _read_points(table.column(column), geo["columns"][column])
            else:
                columns[column] = [_to_text(value) for value in table.column(column).to_pylist()]
    except RefusalError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError, CRSError) as error:
        raise refuse("iets dat niet als Parquet te lezen is", "een volledig Parquet- of GeoParquet-bestand") from error
    except shapely.errors.ShapelyError as error:
        raise refuse("een kolom met iets anders dan plaatsen", "een kolom met punten") from error
    if len(set(table.column_names)) < len(table.column_names):
        raise refuse("een kolom tweemaal", "elke kolom één keer")
    return CsvTable(file.name, columns, table.num_rows)


def _read_points(column: Any, about: dict[str, Any]) -> dict[str, list[str]]:
    points = shapely.from_wkb(np.array(column.to_pylist(), dtype=object))
    x, y = (np.array([get(p) if isinstance(p, shapely.Point) else np.nan for p in points]) for get in (_east, _north))
    system = CRS.from_user_input(about["crs"]) if about.get("crs") else CRS.from_user_input("OGC:CRS84")
    if system == CRS.from_user_input(RD):
        return {"x_m": [_to_text(v) for v in x.tolist()], "y_m": [_to_text(v) for v in y.tolist()]}
    if not system.is_geographic:
        x, y = transform(x, y, system.to_string(), WGS84)
    return {"lon": [_to_text(v) for v in x.tolist()], "lat": [_to_text(v) for v in y.tolist()]}


def _east(point: shapely.Point) -> float:
    return float(shapely.get_x(point))


def _north(point: shapely.Point) -> float:
    return float(shapely.get_y(point))


def _to_text(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def place(table: CsvTable, findings: list[Finding]) -> CsvTable:
    """The same table with its places in x_m and y_m; degrees are converted, and what lies elsewhere is a finding."""
    columns = dict(table.columns)
    degrees = "lon" in columns and "lat" in columns and not ("x_m" in columns or "y_m" in columns)
    if degrees:
        first, second = columns.pop("lon"), columns.pop("lat")
    elif "x_m" in columns and "y_m" in columns:
        first, second = columns["x_m"], columns["y_m"]
    else:
        return table
    eastwards, northwards = [], []
    for row, (east, north) in enumerate(zip(first, second, strict=True), start=2):
        (x, wrong_x), (y, wrong_y) = parse_number(east), parse_number(north)
        wrong = wrong_x or wrong_y or (what_is_wrong(x, y) if degrees else _judge_metres(x, y))
        if wrong:
            column = "lat" if wrong_y and not wrong_x else "lon"
            column = column if degrees else {"lon": "x_m", "lat": "y_m"}[column]
            findings.append(Finding(table.file, row, column, f"{east} {north}".strip() or "niets", wrong))
        if degrees and not wrong:
            (x,), (y,) = (v.tolist() for v in transform(np.array([x]), np.array([y])))
        eastwards.append(repr(0.0 if wrong else x))
        northwards.append(repr(0.0 if wrong else y))
    return CsvTable(table.file, columns | {"x_m": eastwards, "y_m": northwards}, table.rows)


def _judge_metres(x_m: float, y_m: float) -> str:
    """What is expected instead of these RD metres; "" when they lie in the Netherlands."""
    west, south, east, north = NETHERLANDS_RD
    if west <= x_m <= east and south <= y_m <= north:
        return ""
    if west <= y_m <= east and south <= x_m <= north:
        return "eerst x (tot 300000), dan y (289000 tot 629000): ze lijken verwisseld"
    if abs(x_m) <= 180 and abs(y_m) <= 180:
        return "RD-meters; dit lijken graden: noem de kolommen dan lon en lat"
    return "een plaats in Nederland in RD-meters: x van 0 tot 300000, y van 289000 tot 629000"
