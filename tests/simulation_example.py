"""A small country for the simulation: 12 stations on a line, 36 areas, two regions, everything asymmetric."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import numpy as np

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import Stations, Units
from slagkracht.risks import NO_RISKS
from slagkracht.rules import Rule, Rules, RuleVersion
from slagkracht.simulation import IncidentKind, Scenario
from slagkracht.travel import Travel

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
DAY = datetime.date(2026, 7, 1)
ALWAYS = (1.0,) * 168
ALL_YEAR = (1.0,) * 12


def handling(seconds: float, spread: float) -> Rules:
    values = {"verwerkingstijd_s": seconds, "spreiding": spread}
    version = RuleVersion(datetime.date(2020, 1, 1), None, values)
    return Rules((Rule("verwerkingstijd", "opkomsttijd", "verwerking", "voorbeeld", "te verifiëren", "", (version,)),))


def small_country(
    stations: int = 12, areas: int = 36, *, ready: float = 0.9, spread: float = 0.25, seed: int = 3
) -> tuple[Plan, Travel]:
    """Two pumps at every third station, one elsewhere, an officer's car at two."""
    rng = np.random.default_rng(seed)
    x_m = np.sort(rng.uniform(0, 40_000, stations))
    area_x_m = np.sort(rng.uniform(0, 40_000, areas))
    home = [s for s in range(stations) for _ in range(2 if s % 3 == 0 else 1)] + [1, stations - 2]
    pump = np.array([True] * (len(home) - 2) + [False] * 2)
    count = len(home)
    per_window = np.ones((count, 4), np.float32)
    readiness = np.where(pump[:, None], per_window * np.float32(ready), 1).astype(np.float32)
    drive_s = np.rint(np.abs(area_x_m[:, None] - x_m[None, :]) / 14.0 + 30).astype(np.uint16)
    region = (np.arange(stations) >= stations // 2).astype(np.int32)
    area_region = (np.arange(areas) >= areas // 2).astype(np.int32)
    travel = Travel(
        drive_s, x_m, np.zeros(stations), np.zeros(stations, np.float32), np.zeros(areas, np.float32), "voorbeeld",
        spread, "voorbeeld",
    )  # fmt: skip
    plan = Plan(
        name="klein land",
        day=DAY,
        regions=Regions(np.array(["VR01", "VR02"]), np.array(["West", "Oost"])),
        stations=Stations(
            np.array([f"K{s}" for s in range(stations)]), np.array([f"Kazerne {s}" for s in range(stations)]), region,
            x_m, np.zeros(stations), np.zeros(stations, np.float32),
        ),
        units=Units(
            np.array([f"E{u}" for u in range(count)]), np.array(home, np.int32),
            np.where(pump, "TS6", "DA"), ("tankautospuit", "officier_van_dienst"),
            np.column_stack([pump, ~pump]), np.where(pump, 6, 1).astype(np.int32), np.zeros((count, 4), np.int32),
            per_window * np.float32(90) + rng.integers(0, 60, (count, 1)).astype(np.float32),
            per_window * np.float32(spread), readiness,
        ),
        areas=Areas(
            np.array([f"A{a}" for a in range(areas)]), area_x_m, np.full(areas, 100.0), area_region,
            np.full(areas, "GM1"), rng.integers(100, 5_000, areas).astype(np.float32), (),
            np.zeros((areas, 0), np.float32), np.full(areas, ""), np.full(areas, 500.0, np.float32),
        ),
        risks=NO_RISKS,
        rules=handling(55.0, spread),
        roads=None,
        travel=travel,
        notes=(),
    )  # fmt: skip
    return plan, travel


def kind(**changes: Any) -> IncidentKind:
    """A fire that may grow; one pump at first."""
    pumps = [(("tankautospuit", n), ("officier_van_dienst", int(n > 1))) for n in (1, 2, 3, 4)]
    usual = IncidentKind(
        code="brand", dutch="brand", rate_per_year=9_000.0, where="inwoners", hours=ALWAYS, months=ALL_YEAR,
        asks=tuple(pumps), escalates=(0.15, 0.3, 0.3), on_scene_s=(2_400.0, 4_800.0, 9_600.0, 14_400.0),
        on_scene_spread=0.6, stand_down=0.3, assess_s=240.0,
    )  # fmt: skip
    return replace(usual, **changes)


def busy_scenario(**changes: Any) -> Scenario:
    alarm = kind(code="alarm", rate_per_year=6_000.0, escalates=(0.0, 0.0, 0.0), stand_down=0.8, where="gelijk",
                 asks=((("tankautospuit", 2),),) * 4)  # fmt: skip
    return replace(Scenario("druk", (kind(), alarm)), **changes)
