"""Toyland as a plan with its drive times: twelve areas, worked out by hand in examples/toyland/README.md."""

from __future__ import annotations

import csv
import datetime
from pathlib import Path

import numpy as np

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import REGIMES, WINDOWS, Stations, Units
from slagkracht.sources.rule_files import read_rules
from slagkracht.travel import UNREACHABLE, Travel

TOYLAND = Path(__file__).parents[1] / "examples" / "toyland"
CAPABILITIES = ("tankautospuit", "basiseenheid", "redvoertuig", "officier_van_dienst", "snelle_interventie")
CLASSES = ("woonfunctie", "kantoorfunctie", "celfunctie")


def read_toyland(day: datetime.date = datetime.date(2026, 7, 1)) -> tuple[Plan, Travel]:
    regions, stations, units, areas, drives = (
        rows(name) for name in ("regios", "kazernes", "eenheden", "gebieden", "reistijden")
    )
    codes = [row["veiligheidsregio"] for row in regions]
    station_ids = [row["kazerne_id"] for row in stations]

    def per_window(name: str) -> np.ndarray:
        return np.array([[float(row[f"{name}_{window}"]) for window in WINDOWS] for row in units], dtype=np.float32)

    drive_s = np.array(
        [[int(row[station]) if row[station] else UNREACHABLE for station in station_ids] for row in drives], np.uint16
    )
    travel = Travel(
        drive_s=drive_s,
        origin_x_m=column(stations, "x_m", np.float64),
        origin_y_m=column(stations, "y_m", np.float64),
        origin_snap_m=np.zeros(len(stations), np.float32),
        area_snap_m=np.zeros(len(areas), np.float32),
        kind="voorbeeld",
        spread=0.0,
        source="examples/toyland/reistijden.csv",
    )
    plan = Plan(
        name="Toyland",
        day=day,
        regions=Regions(np.array(codes), np.array([row["naam"] for row in regions])),
        stations=Stations(
            station_id=np.array(station_ids),
            name=np.array([row["naam"] for row in stations]),
            region=np.array([codes.index(row["veiligheidsregio"]) for row in stations], np.int32),
            x_m=travel.origin_x_m,
            y_m=travel.origin_y_m,
            position_error_m=column(stations, "plaatsfout_m", np.float32),
        ),
        units=Units(
            unit_id=np.array([row["eenheid_id"] for row in units]),
            station=np.array([station_ids.index(row["kazerne_id"]) for row in units], np.int32),
            type_code=np.array([row["voertuigtype"] for row in units]),
            capability_names=CAPABILITIES,
            capabilities=np.array([[c in row["inzetmogelijkheden"].split(";") for c in CAPABILITIES] for row in units]),
            crew=column(units, "bezetting", np.int32),
            regime=np.array(
                [[REGIMES.index(row[f"bezettingsregime_{w}"]) for w in WINDOWS] for row in units], np.int32
            ),
            turnout_s=per_window("uitruktijd_s"),
            turnout_spread=per_window("uitruktijd_spreiding"),
            readiness=per_window("paraatheid"),
        ),
        areas=Areas(
            area_id=np.array([row["gebied_id"] for row in areas]),
            x_m=column(areas, "x_m", np.float64),
            y_m=column(areas, "y_m", np.float64),
            region=np.array([codes.index(row["veiligheidsregio"]) for row in areas], np.int32),
            municipality=np.array([row["gemeente"] for row in areas]),
            population=column(areas, "inwoners", np.float32),
            object_classes=CLASSES,
            objects=np.stack([column(areas, f"objecten_{name}", np.float32) for name in CLASSES], axis=1),
            area_class=np.array([row["gebiedsklasse"] for row in areas]),
            size_m=column(areas, "maat_m", np.float32),
        ),
        rules=read_rules(TOYLAND / "regels"),
        roads=None,
        travel=travel,
        notes=("Toyland is verzonnen",),
    )
    return plan, travel


def rows(name: str) -> list[dict[str, str]]:
    with (TOYLAND / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(table: list[dict[str, str]], name: str, dtype: type) -> np.ndarray:
    return np.array([float(row[name]) for row in table]).astype(dtype)
