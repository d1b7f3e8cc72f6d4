"""A plan of one region with two stations and three units: enough to see a standing change, and a hash."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import numpy as np

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import Stations, Units
from slagkracht.risks import NO_RISKS
from slagkracht.rules import Rules


def two_stations() -> Plan:
    per_window = np.ones((3, 4), dtype=np.float32)
    return Plan(
        name="twee kazernes",
        day=datetime.date(2026, 7, 1),
        regions=Regions(np.array(["VR06"]), np.array(["Noord- en Oost-Gelderland"])),
        stations=Stations(
            np.array(["S1", "S2"]),
            np.array(["West", "Oost"]),
            np.zeros(2, dtype=np.int32),
            np.array([0.0, 10_000.0]),
            np.zeros(2),
            np.zeros(2, dtype=np.float32),
        ),
        units=Units(
            np.array(["e1", "e2", "e3"]),
            np.array([0, 0, 1], dtype=np.int32),
            np.array(["TS6"] * 3),
            ("tankautospuit",),
            np.ones((3, 1), dtype=np.bool_),
            np.full(3, 6, dtype=np.int32),
            np.zeros((3, 4), dtype=np.int32),
            per_window * 90,
            per_window * 0.3,
            per_window * 0.9,
        ),
        areas=no_areas(),
        risks=NO_RISKS,
        rules=Rules(()),
        roads=None,
        travel=None,
        notes=(),
    )


def no_areas() -> Areas:
    empty: dict[str, Any] = {}
    for field in dataclasses.fields(Areas):
        text = any(word in field.name for word in ("id", "name", "class"))
        empty[field.name] = np.empty(0, dtype=np.str_ if text else np.float64)
    return Areas(**empty)
