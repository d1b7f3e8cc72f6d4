"""What one region hands in (aanlevering): its stations, units, areas, deviations and floor, or every error in them."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.resources import REGIMES, WINDOWS, Stations, Units
from slagkracht.sources.csvfile import CsvTable, find_repeats, read_csv
from slagkracht.sources.delivery_tables import README, REQUIRED, TABLES, find_tables, opened, place, read_parquet
from slagkracht.sources.facts import find_far_stations, read_regions
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError
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

NORMAL_P90 = 1.2815515655446004
"""The 90th percentile of a standard normal: ln(p90 / median) divided by this is the spread."""


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
        with opened(path) as folder:
            for table, file in find_tables(folder, path.name, findings, left_out).items():
                try:
                    tables[table] = read_csv(file) if file.suffix.lower() == ".csv" else read_parquet(file)
                except RefusalError as refusal:
                    findings += refusal.findings
    except RefusalError as refusal:
        return None, summaries, findings + refusal.findings
    columns: dict[str, Columns] = {}
    for table, noun in TABLES.items():
        if table in tables:
            placed = place(tables[table], findings) if noun in ("station", "area") else tables[table]
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
