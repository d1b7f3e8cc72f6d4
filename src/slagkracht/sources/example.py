"""A small country in a folder of tables, drive times and rules: to learn with, and to check by hand."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import REGIMES, WINDOWS, Stations, Units
from slagkracht.risks import NO_RISKS
from slagkracht.sources.csvfile import CsvTable, find_repeats, numbers, read_csv
from slagkracht.sources.geometry import NETHERLANDS_RD
from slagkracht.sources.refusal import Finding, RefusalError
from slagkracht.sources.risk_files import read_profile
from slagkracht.sources.rule_files import read_rules
from slagkracht.travel import UNREACHABLE, Travel

TABLES = {
    "regios": ("veiligheidsregio", "naam"),
    "kazernes": ("kazerne_id", "naam", "veiligheidsregio", "x_m", "y_m", "plaatsfout_m"),
    "eenheden": ("eenheid_id", "kazerne_id", "voertuigtype", "inzetmogelijkheden", "bezetting"),
    "gebieden": ("gebied_id", "veiligheidsregio", "gemeente", "x_m", "y_m", "inwoners", "gebiedsklasse", "maat_m"),
    "reistijden": ("gebied_id",),
}
"""The files, by the columns that each must have."""

WEST, SOUTH, EAST, NORTH = NETHERLANDS_RD
BOUNDS: dict[str, tuple[float, float]] = {
    "x_m": (WEST, EAST),
    "y_m": (SOUTH, NORTH),
    "uitruktijd_spreiding": (0, 3),
    "uitruktijd_s": (0, 7200),
    "paraatheid": (0, 1),
    "": (0, 1e9),
}
"""What a number may be at least and at most, by how its column begins; all else is a count."""


def read_example(folder: Path, day: datetime.date) -> Plan:
    """The plan in a folder like examples/toyland: regios, kazernes, eenheden, gebieden, reistijden (csv) and regels.

    Drive times are in whole seconds, empty where no road leads. Raises RefusalError: a file or column missing, a cell
    that is no number, a name that another table does not know.
    """
    findings: list[Finding] = []
    tables = {name: read_csv(folder / f"{name}.csv", columns) for name, columns in TABLES.items()}
    regions, stations, units, areas, drives = (tables[name] for name in TABLES)

    def figures(table: CsvTable, name: str, dtype: Any, empty: float = np.nan) -> npt.NDArray[Any]:
        if name not in table.columns:
            findings.append(Finding(table.file, 1, name, "geen kolom", f"een kolom {name}"))
            return np.zeros(table.rows, dtype)
        bounds = BOUNDS[next(start for start in BOUNDS if name.startswith(start))]
        least, most = (0.0, float(UNREACHABLE) - 1) if table is drives else bounds
        values = numbers(table, name, findings, least=least, most=most, empty=not np.isnan(empty))
        return np.nan_to_num(values, nan=0.0 if np.isnan(empty) else empty).astype(dtype)

    def rows_of(table: CsvTable, name: str, known: list[str]) -> npt.NDArray[np.int32]:
        for row, cell in enumerate(table.columns[name], start=2):
            if cell not in known:
                findings.append(Finding(table.file, row, name, cell, f"een van {', '.join(known[:12])}"))
        return np.array([known.index(cell) if cell in known else 0 for cell in table.columns[name]], np.int32)

    def per_window(name: str) -> npt.NDArray[np.float32]:
        return np.stack([figures(units, f"{name}_{window}", np.float32) for window in WINDOWS], axis=1)

    for table in tables.values():
        if not table.rows:
            findings.append(Finding(table.file, 0, "", "geen rijen", "minstens één rij onder de kopregel"))
    if findings:
        raise RefusalError(findings)
    for table, (name, *_) in zip((regions, stations, units, areas), TABLES.values()):
        find_repeats(table.file, name, table.columns[name], findings)
    codes, station_ids = regions.columns["veiligheidsregio"], stations.columns["kazerne_id"]
    able = [cell.split(";") for cell in units.columns["inzetmogelijkheden"]]
    capabilities = tuple(dict.fromkeys(name for each in able for name in each))
    classes = tuple(c.removeprefix("objecten_") for c in areas.columns if c.startswith("objecten_"))
    missing = [name for name in station_ids if name not in drives.columns]
    findings += [Finding(drives.file, 1, name, "geen kolom", "een kolom per kazerne") for name in missing]
    if drives.columns["gebied_id"] != areas.columns["gebied_id"]:
        lacking = [name for name in areas.columns["gebied_id"] if name not in drives.columns["gebied_id"]]
        found = f"geen rij voor {', '.join(lacking[:5])}" if lacking else "andere rijen, of in een andere volgorde"
        findings.append(Finding(drives.file, 0, "gebied_id", found, f"dezelfde gebieden als {areas.file}, op volgorde"))
    counts = [figures(areas, f"objecten_{name}", np.float32) for name in classes]
    rules = read_rules(folder / "regels")
    regime = [rows_of(units, f"bezettingsregime_{window}", list(REGIMES)) for window in WINDOWS]
    x_m, y_m = figures(stations, "x_m", np.float64), figures(stations, "y_m", np.float64)
    drive_s = np.array(
        [figures(drives, name, np.uint16, empty=float(UNREACHABLE)) for name in station_ids if name not in missing],
        dtype=np.uint16,
    ).T.reshape(drives.rows, -1)
    travel = Travel(
        drive_s=drive_s,
        origin_x_m=x_m,
        origin_y_m=y_m,
        origin_snap_m=np.zeros(stations.rows, np.float32),
        area_snap_m=np.zeros(areas.rows, np.float32),
        kind="voorbeeld",
        spread=0.0,
        source=f"{folder.name}/{drives.file}",
    )
    plan = Plan(
        name=folder.name.capitalize(),
        day=day,
        regions=Regions(np.array(codes), np.array(regions.columns["naam"])),
        stations=Stations(
            station_id=np.array(station_ids),
            name=np.array(stations.columns["naam"]),
            region=rows_of(stations, "veiligheidsregio", codes),
            x_m=x_m,
            y_m=y_m,
            position_error_m=figures(stations, "plaatsfout_m", np.float32),
        ),
        units=Units(
            unit_id=np.array(units.columns["eenheid_id"]),
            station=rows_of(units, "kazerne_id", station_ids),
            type_code=np.array(units.columns["voertuigtype"]),
            capability_names=capabilities,
            capabilities=np.array([[name in each for name in capabilities] for each in able]),
            crew=figures(units, "bezetting", np.int32),
            regime=np.stack(regime, axis=1),
            turnout_s=per_window("uitruktijd_s"),
            turnout_spread=per_window("uitruktijd_spreiding"),
            readiness=per_window("paraatheid"),
        ),
        areas=Areas(
            area_id=np.array(areas.columns["gebied_id"]),
            x_m=figures(areas, "x_m", np.float64),
            y_m=figures(areas, "y_m", np.float64),
            region=rows_of(areas, "veiligheidsregio", codes),
            municipality=np.array(areas.columns["gemeente"]),
            population=figures(areas, "inwoners", np.float32),
            object_classes=classes,
            objects=np.array(counts, np.float32).T.reshape(areas.rows, len(classes)),
            area_class=np.array(areas.columns["gebiedsklasse"]),
            size_m=figures(areas, "maat_m", np.float32),
        ),
        risks=read_profile(folder / "risicos") if (folder / "risicos").is_dir() else NO_RISKS,
        rules=rules,
        roads=None,
        travel=travel,
        notes=(f"{folder.name.capitalize()} is verzonnen",),
    )
    if findings:
        raise RefusalError(findings)
    return plan
