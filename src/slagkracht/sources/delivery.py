"""What one region hands in (aanlevering): its stations, units, areas, deviations and floor, or every error in them."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from slagkracht.areas import Areas
from slagkracht.resources import REGIMES, WINDOWS, Stations, Units
from slagkracht.sources.csvfile import CsvTable, find_repeats, parse_number, read_csv
from slagkracht.sources.facts import find_far_stations, read_regions
from slagkracht.sources.geometry import NETHERLANDS_RD, RD, WGS84, transform, what_is_wrong
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError, say_why
from slagkracht.sources.scratch import make_scratch
from slagkracht.sources.vocabulary import (
    Attribute,
    Columns,
    check_table,
    headers,
    read_attributes,
    read_capabilities,
    read_rows,
    read_vehicle_types,
)

Strings = npt.NDArray[np.str_]

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

NORMAL_P90 = 1.2815515655446004
"""The 90th percentile of a standard normal: ln(p90 / median) divided by this is the spread."""

SUFFIXES = (".csv", ".parquet", ".geoparquet")
README = "LEESMIJ.txt"


@dataclass(frozen=True, eq=False)
class Deviations:
    """A board's reasoned deviations, one row each: from which norm, where, how long instead, why and since when.

    ``norm``, ``area_id``, ``municipality``, ``place_class``, ``motivation`` str [D] · ``limit_s`` float64 [D] ·
    ``decided_on`` datetime64[D] [D].
    """

    norm: Strings
    area_id: Strings
    municipality: Strings
    place_class: Strings
    limit_s: npt.NDArray[np.float64]
    motivation: Strings
    decided_on: npt.NDArray[np.datetime64]

    def __len__(self) -> int:
        return len(self.norm)


@dataclass(frozen=True, eq=False)
class Floor:
    """The share of residents in time below which the region lends nothing, one row per decision.

    ``share`` float64 [F] · ``limit_s`` float64 [F] response time that counts as in time (nan = the national one) ·
    ``decided_on`` datetime64[D] [F] · ``motivation`` str [F].
    """

    share: npt.NDArray[np.float64]
    limit_s: npt.NDArray[np.float64]
    decided_on: npt.NDArray[np.datetime64]
    motivation: Strings

    def __len__(self) -> int:
        return len(self.share)


@dataclass(frozen=True, eq=False)
class Delivery:
    """What ``region`` (VR01–VR25) handed in. Every ``region`` column counts in the 25 regions in order of code.

    ``areas`` None = no areas handed in. ``summaries`` say what was read, assumed and left out.
    """

    region: str
    stations: Stations
    units: Units
    areas: Areas | None
    deviations: Deviations
    floor: Floor
    summaries: tuple[ReadSummary, ...]


def read_delivery(path: Path) -> Delivery:
    """The delivery in the folder or zip at ``path``. Raises RefusalError with everything that is wrong with it."""
    delivery, _, findings = _read(path)
    if delivery is None:
        raise RefusalError(findings)
    return delivery


def check_delivery(path: Path) -> tuple[list[ReadSummary], list[Finding]]:
    """What was read of the delivery at ``path``, and everything that is wrong with it (nothing = it can be used)."""
    _, summaries, findings = _read(path)
    return summaries, sorted(findings, key=lambda f: (f.file, f.row, f.column))


def write_template(path: Path) -> None:
    """An empty delivery with explanations: a folder, or a zip when ``path`` ends in .zip.

    Raises RefusalError when something is there already.
    """
    if path.exists():
        raise RefusalError(
            [Finding(path.name, 0, "", "iets dat er al staat", "een nieuwe map of een nieuw zipbestand")]
        )
    contents = {
        f"{table}.csv": ",".join(h for a in read_attributes(noun) for h in _template_headers(a)) + "\r\n"
        for table, noun in TABLES.items()
    }
    contents[README] = _explain()
    scratch = make_scratch(path)
    try:
        made = scratch / path.name
        if path.suffix == ".zip":
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in contents.items():
                    archive.writestr(name, text.encode("utf-8-sig"))
        else:
            made.mkdir()
            for name, text in contents.items():
                (made / name).write_bytes(text.encode("utf-8-sig"))
        os.replace(made, path)
    finally:
        shutil.rmtree(scratch)


def _template_headers(attribute: Attribute) -> tuple[str, ...]:
    if attribute.kind == "afgeleid":
        return ()
    return (f"{attribute.dutch}_woonfunctie",) if attribute.per == "objectklasse" else headers(attribute)


def _explain() -> str:
    """The text beside the empty tables: every column, every code."""
    lines = [
        "AANLEVERING VAN EEN VEILIGHEIDSREGIO",
        "",
        "Vul de CSV-bestanden in deze map (of lever dezelfde tabellen als Parquet of GeoParquet). kazernes en eenheden",
        "zijn verplicht; een bestand dat niet van toepassing is, mag weg. Sla op als 'CSV UTF-8', met komma's of",
        "puntkomma's tussen de velden, en schrijf getallen met een decimale punt: 0.95. Controleer de map of zip met:",
        "",
        "    slagkracht aanlevering controleer MAP",
        "",
        "Plaatsen: kolommen x_m en y_m in RD New (EPSG:28992), of in plaats daarvan lon en lat in graden (WGS84).",
        "Kolommen die per tijdvenster gelden eindigen op " + ", ".join(f"_{window}" for window in WINDOWS) + ":",
        *(f"    {row['window']}: {row['dutch']}" for row in read_rows("windows")),
    ]
    for table, noun in TABLES.items():
        lines += ["", f"{table}.csv ({'verplicht' if table in REQUIRED else 'mag ontbreken'})"]
        for attribute in read_attributes(noun):
            if attribute.kind != "afgeleid":
                need = "verplicht" if attribute.required else "mag leeg"
                suffix = f"_{{{attribute.per}}}" if attribute.per else ""
                lines.append(f"    {attribute.dutch}{suffix} ({need}): {attribute.meaning}")
    lines += ["", "Bezettingsregimes: " + ", ".join(REGIMES), "", "Inzetmogelijkheden:"]
    lines += [f"    {row['capability']}: {row['dutch']}" for row in read_rows("capabilities")]
    lines += ["", "Voertuigtypen:"]
    lines += [f"    {code}: {t.dutch} ({', '.join(t.capabilities)})" for code, t in read_vehicle_types().items()]
    return "\r\n".join([*lines, ""])


def _read(path: Path) -> tuple[Delivery | None, list[ReadSummary], list[Finding]]:
    findings: list[Finding] = []
    summaries: list[ReadSummary] = []
    left_out: list[ReadSummary] = []
    tables: dict[str, CsvTable] = {}
    try:
        with _opened(path) as folder:
            for table, file in _find_tables(folder, path.name, findings, left_out).items():
                try:
                    tables[table] = read_csv(file) if file.suffix.lower() == ".csv" else _read_parquet(file)
                except RefusalError as refusal:
                    findings += refusal.findings
    except RefusalError as refusal:
        return None, summaries, findings + refusal.findings
    columns: dict[str, Columns] = {}
    for table, noun in TABLES.items():
        if table in tables:
            placed = _place(tables[table], findings) if noun in ("station", "area") else tables[table]
            columns[table], wrong = check_table(placed, noun)
            findings += wrong
            if table in REQUIRED and not tables[table].rows:
                findings.append(Finding(tables[table].file, 0, "", "geen rijen", f"ten minste één rij {table}"))
            summaries.append(ReadSummary(tables[table].file, tables[table].rows, {}))
    if all(table in columns for table in REQUIRED):
        _check_together(tables, columns, findings)
    if findings:
        return None, summaries + left_out, findings
    delivery = _build(tables, columns, left_out)
    return delivery, list(delivery.summaries), findings


@contextmanager
def _opened(path: Path) -> Iterator[Path]:
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


def _find_tables(folder: Path, name: str, findings: list[Finding], left_out: list[ReadSummary]) -> dict[str, Path]:
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


def _read_parquet(file: Path) -> CsvTable:
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


def _place(table: CsvTable, findings: list[Finding]) -> CsvTable:
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


def _check_together(tables: dict[str, CsvTable], columns: dict[str, Columns], findings: list[Finding]) -> None:
    """What no cell shows by itself: doubles, references to nowhere, two regions in one delivery."""
    for table, header, attribute in (
        ("kazernes", "kazerne_id", "station_id"),
        ("eenheden", "eenheid_id", "unit_id"),
        ("gebieden", "gebied_id", "area_id"),
    ):
        if table in columns:
            cells: list[str] = columns[table][attribute].tolist()
            repeats: list[Finding] = []
            find_repeats(tables[table].file, header, cells, repeats)
            findings += [finding for finding in repeats if finding.found]
    region = next(iter(columns["kazernes"]["region"].tolist()), "")
    if region and region not in read_regions().code.tolist():
        findings.append(Finding(tables["kazernes"].file, 2, "veiligheidsregio", region, "VR01 tot en met VR25"))
    for table in ("kazernes", "gebieden"):
        for row, code in enumerate(columns[table]["region"].tolist() if table in columns else (), start=2):
            if code and code != region:
                expected = f"{region}: één aanlevering is van één regio"
                findings.append(Finding(tables[table].file, row, "veiligheidsregio", code, expected))
    stations = set(columns["kazernes"]["station_id"].tolist())
    for row, station in enumerate(columns["eenheden"]["station"].tolist(), start=2):
        if station and station not in stations:
            expected = f"een kazerne_id uit {tables['kazernes'].file}"
            findings.append(Finding(tables["eenheden"].file, row, "kazerne_id", station, expected))
    units = columns["eenheden"]
    for w, window in enumerate(WINDOWS):
        for row, (median, p90) in enumerate(
            zip(units["turnout_s"][:, w].tolist(), units["turnout_p90_s"][:, w].tolist(), strict=True), start=2
        ):
            if p90 < median:
                expected = f"ten minste de middelste uitruktijd, {median:g} s"
                column = f"uitruktijd_p90_s_{window}"
                findings.append(Finding(tables["eenheden"].file, row, column, f"{p90:g}", expected))
    if "afwijkingen" in columns:
        places = zip(
            columns["afwijkingen"]["area_id"].tolist(), columns["afwijkingen"]["municipality"].tolist(), strict=True
        )
        for row, (area, municipality) in enumerate(places, start=2):
            if bool(area) == bool(municipality):
                found = "allebei" if area else "geen van beide"
                expected = "een gebied_id of een gemeente, één van de twee"
                findings.append(Finding(tables["afwijkingen"].file, row, "gebied_id", found, expected))


def _build(tables: dict[str, CsvTable], columns: dict[str, Columns], left_out: list[ReadSummary]) -> Delivery:
    regions = read_regions().code.tolist()
    given = columns["kazernes"]
    code = str(given["region"][0])
    number = regions.index(code)
    stations = Stations(
        station_id=given["station_id"],
        name=given["name"],
        region=np.full(len(given["name"]), number, dtype=np.int32),
        x_m=given["x_m"],
        y_m=given["y_m"],
        position_error_m=given["position_error_m"].astype(np.float32),
    )
    assumed: dict[str, Counter[str]] = {table: Counter() for table in TABLES}
    for row in find_far_stations(stations):
        assumed["kazernes"][f"kazerne {stations.station_id[row]} ligt ver buiten {code}, toch meegenomen"] += 1
    units = _build_units(columns["eenheden"], given["station_id"].tolist(), assumed["eenheden"])
    areas = None
    if "gebieden" in columns:
        area = columns["gebieden"]
        areas = Areas(
            area_id=area["area_id"],
            x_m=area["x_m"],
            y_m=area["y_m"],
            region=np.full(len(area["area_id"]), number, dtype=np.int32),
            municipality=area["municipality"],
            population=area["population"].astype(np.float32),
            object_classes=tuple(area["object_classes"].tolist()),
            objects=area["objects"].astype(np.float32),
            area_class=area["area_class"],
            size_m=area["size_m"].astype(np.float32),
        )
    empty = CsvTable("", {}, 0)
    deviations = columns.get("afwijkingen") or check_table(empty, "deviation")[0]
    floor = columns.get("ondergrens") or check_table(empty, "floor")[0]
    summaries = tuple(
        ReadSummary(tables[table].file, tables[table].rows, {}, dict(assumed[table]))
        for table in TABLES
        if table in tables
    )
    summaries += tuple(left_out)
    return Delivery(code, stations, units, areas, Deviations(**deviations), Floor(**floor), summaries)


def _build_units(given: Columns, station_ids: list[str], assumed: Counter[str]) -> Units:
    """Units from their columns: the type fills in capabilities and crew, a 90th percentile gives the spread."""
    row_of = {station: row for row, station in enumerate(station_ids)}
    types = [read_vehicle_types()[code] for code in given["type_code"].tolist()]
    names = read_capabilities()
    abilities = [
        set(text.split(";")) if text else set(t.capabilities)
        for text, t in zip(given["capabilities"].tolist(), types, strict=True)
    ]
    assumed["inzetmogelijkheden volgens voertuigtype"] = int((given["capabilities"] == "").sum())
    assumed["bezetting volgens voertuigtype"] = int((given["crew"] < 0).sum())
    crew = [own if own >= 0 else t.crew for own, t in zip(given["crew"].tolist(), types, strict=True)]
    p90_s = given["turnout_p90_s"]
    told = ~np.isnan(p90_s)
    spread = np.where(
        told, np.log(np.where(told, p90_s, 1.0) / given["turnout_s"]) / NORMAL_P90, given["turnout_spread"]
    )
    for reason in [reason for reason, count in assumed.items() if not count]:
        del assumed[reason]
    return Units(
        unit_id=given["unit_id"],
        station=np.array([row_of[station] for station in given["station"].tolist()], dtype=np.int32),
        type_code=given["type_code"],
        capability_names=names,
        capabilities=np.array([[name in able for name in names] for able in abilities], dtype=np.bool_),
        crew=np.array(crew, dtype=np.int32),
        regime=given["regime"],
        turnout_s=given["turnout_s"].astype(np.float32),
        turnout_spread=np.where(told, np.clip(spread, 0, None), spread).astype(np.float32),
        readiness=given["readiness"].astype(np.float32),
    )
