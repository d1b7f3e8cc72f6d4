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
from slagkracht.sources.csvfile import CsvTable, read_csv
from slagkracht.sources.refusal import Finding, RefusalError
from slagkracht.sources.rule_files import read_rules
from slagkracht.travel import UNREACHABLE, Travel

TABLES = {
    "regios": ("veiligheidsregio", "naam"),
    "kazernes": ("kazerne_id", "naam", "veiligheidsregio", "x_m", "y_m", "plaatsfout_m"),
    "eenheden": ("eenheid_id", "kazerne_id", "voertuigtype", "inzetmogelijkheden", "bezetting"),
    "gebieden": ("gebied_id", "veiligheidsregio", "gemeente", "x_m", "y_m", "inwoners", "gebiedsklasse", "maat_m"),
    "reistijden": (),
}
"""The files, by the columns that each must have."""


def read_example(folder: Path, day: datetime.date) -> Plan:
    """The plan in a folder like examples/toyland: regios, kazernes, eenheden, gebieden, reistijden (csv) and regels.

    Drive times are in whole seconds, empty where no road leads. Raises RefusalError: a file or column missing, a cell
    that is no number, a name that another table does not know.
    """
    findings: list[Finding] = []
    tables = {name: read_csv(folder / f"{name}.csv", columns) for name, columns in TABLES.items()}
    regions, stations, units, areas, drives = (tables[name] for name in TABLES)

    def figures(table: CsvTable, name: str, dtype: Any, empty: float = np.nan) -> npt.NDArray[Any]:
        values = []
        for row, cell in enumerate(table.columns.get(name) or [""] * table.rows, start=2):
            try:
                values.append(float(cell) if cell else empty)
            except ValueError:
                values.append(0.0)
                findings.append(Finding(table.file, row, name, cell, "een getal, met een punt voor de decimalen"))
            if np.isnan(values[-1]):
                values[-1] = 0.0
                findings.append(Finding(table.file, row, name, "niets", "een getal"))
        return np.array(values).astype(dtype)

    def rows_of(table: CsvTable, name: str, known: list[str]) -> npt.NDArray[np.int32]:
        for row, cell in enumerate(table.columns[name], start=2):
            if cell not in known:
                findings.append(Finding(table.file, row, name, cell, f"een van {', '.join(known[:12])}"))
        return np.array([known.index(cell) if cell in known else 0 for cell in table.columns[name]], np.int32)

    def per_window(name: str) -> npt.NDArray[np.float32]:
        return np.stack([figures(units, f"{name}_{window}", np.float32) for window in WINDOWS], axis=1)

    codes, station_ids = regions.columns["veiligheidsregio"], stations.columns["kazerne_id"]
    able = [cell.split(";") for cell in units.columns["inzetmogelijkheden"]]
    capabilities = tuple(dict.fromkeys(name for each in able for name in each))
    classes = tuple(c.removeprefix("objecten_") for c in areas.columns if c.startswith("objecten_"))
    missing = [name for name in station_ids if name not in drives.columns]
    findings += [Finding(drives.file, 1, name, "geen kolom", "een kolom per kazerne") for name in missing]
    if drives.rows != areas.rows:
        findings.append(Finding(drives.file, 0, "", f"{drives.rows} rijen", f"een rij per gebied: {areas.rows}"))
    rules = read_rules(folder / "regels")
    regime = [rows_of(units, f"bezettingsregime_{window}", list(REGIMES)) for window in WINDOWS]
    x_m, y_m = figures(stations, "x_m", np.float64), figures(stations, "y_m", np.float64)
    drive_s = np.stack(
        [figures(drives, name, np.uint16, empty=float(UNREACHABLE)) for name in station_ids if name not in missing],
        axis=1,
    )
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
            objects=np.stack([figures(areas, f"objecten_{name}", np.float32) for name in classes], axis=1),
            area_class=np.array(areas.columns["gebiedsklasse"]),
            size_m=figures(areas, "maat_m", np.float32),
        ),
        rules=rules,
        roads=None,
        travel=travel,
        notes=(f"{folder.name.capitalize()} is verzonnen",),
    )
    if findings:
        raise RefusalError(findings)
    return plan
