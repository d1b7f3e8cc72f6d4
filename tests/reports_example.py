"""A small country for trying maps and tables on: 120 areas, three regions, six stations, nothing symmetric."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np

from slagkracht.areas import Areas
from slagkracht.coverage import CloseStation, Variant, apply_variant, compute_coverage
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.reports.results import Result
from slagkracht.resources import Stations, Units
from slagkracht.risks import NO_RISKS
from slagkracht.rules import Rule, Rules, RuleVersion
from slagkracht.travel import Travel

COLUMNS, ROWS, SIDE_M = 12, 10, 2000.0


def small_plan() -> Plan:
    """12 × 10 squares of 2 km near Arnhem; drives at 60 km/h along the grid from six stations."""
    rng = np.random.default_rng(7)
    column, row = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
    x_m = 180_000.0 + SIDE_M * column.ravel()
    y_m = 440_000.0 + SIDE_M * row.ravel()
    region = np.where(column.ravel() < 5, 0, np.where(row.ravel() < 6, 1, 2)).astype(np.int32)
    count = COLUMNS * ROWS
    areas = Areas(
        area_id=np.array([f"G{i:03d}" for i in range(count)]),
        x_m=x_m,
        y_m=y_m,
        region=region,
        municipality=np.array([f"GM{9000 + 10 * r + int(c > 8)}" for r, c in zip(region, column.ravel())]),
        population=np.round(rng.lognormal(6.5, 1.2, count)).astype(np.float32),
        object_classes=("woonfunctie",),
        objects=np.round(rng.lognormal(4, 1, (count, 1))).astype(np.float32),
        area_class=np.where(rng.random(count) < 0.3, "stedelijk", "landelijk"),
        size_m=np.full(count, SIDE_M, np.float32),
    )
    stations = Stations(
        station_id=np.array([f"K{i}" for i in range(6)]),
        name=np.array(["Westervoort", "Zevenaar", "Didam", "Duiven", "Loo", "’s-Heerenberg"]),
        region=np.array([0, 1, 1, 0, 2, 2], np.int32),
        x_m=np.array([182_300.0, 196_100, 200_900, 187_200, 193_700, 201_300]),
        y_m=np.array([441_700.0, 443_900, 449_300, 455_100, 453_200, 457_400]),
        position_error_m=np.zeros(6, np.float32),
    )
    home = np.array([0, 0, 1, 1, 2, 3, 3, 4, 5], np.int32)
    kinds = ["TS6", "RV", "TS6", "TS6", "TS4", "TS6", "RV", "TS6", "TS6"]
    turnout_s = np.array([90, 95, 210, 280, 240, 260, 270, 250, 230], np.float32)
    units = Units(
        unit_id=np.array([f"07-{i + 1:02d}31" for i in range(9)]),
        station=home,
        type_code=np.array(kinds),
        capability_names=("tankautospuit", "basiseenheid", "redvoertuig"),
        capabilities=np.array([[k != "RV", k == "TS6", k == "RV"] for k in kinds]),
        crew=np.array([2 if k == "RV" else int(k[2]) for k in kinds], np.int32),
        regime=np.repeat(np.where(turnout_s < 100, 0, 3)[:, None], 4, axis=1).astype(np.int32),
        turnout_s=turnout_s[:, None] * np.array([1.1, 1.0, 1.15, 1.0], np.float32),
        turnout_spread=np.full((9, 4), 0.2, np.float32),
        readiness=np.full((9, 4), 0.9, np.float32),
    )
    metres = np.abs(x_m[:, None] - stations.x_m) + np.abs(y_m[:, None] - stations.y_m)
    travel = Travel(
        drive_s=np.round(metres / (60 / 3.6)).astype(np.uint16),
        origin_x_m=stations.x_m,
        origin_y_m=stations.y_m,
        origin_snap_m=np.zeros(6, np.float32),
        area_snap_m=np.zeros(count, np.float32),
        kind="gemodelleerd",
        spread=0.2,
        source="60 km/u langs het raster",
    )
    return Plan(
        name="Voorbeeldland",
        day=datetime.date(2026, 1, 1),
        regions=Regions(np.array(["VR91", "VR92", "VR93"]), np.array(["Rijnkant", "Liemers-Zuid", "Achterland"])),
        stations=stations,
        units=units,
        areas=areas,
        risks=NO_RISKS,
        rules=_rules(),
        roads=None,
        travel=travel,
        notes=("Dit land is verzonnen om kaarten en tabellen mee te proberen.",),
    )


def armed_plan() -> Plan:
    """The same with doctrine: a platoon of two units, an aerial, and floors 25 points below what is in time now."""

    def formation(code: str, dutch: str, capability: str, count: int) -> Rule:
        parts = [{"inzetmogelijkheid": capability, "aantal": count}]
        return _rule(f"formatie-{code}", "doctrine", dutch, onderdelen=parts, uit_een_regio=False, verzamelen_s=300)

    plan = small_plan()
    doctrine = (
        formation("basispeloton", "Basispeloton", "basiseenheid", 2),
        formation("redvoertuig", "Redvoertuig", "redvoertuig", 1),
        _rule(
            "toewijzing-redvoertuig",
            "doctrine",
            "Redvoertuig: welke regio waar voorgaat",
            formatie="redvoertuig",
            inzetmogelijkheid="redvoertuig",
            gaat_voor_in={"VR91": ["VR92"], "VR93": ["VR93"]},
        ),
        _rule("ondergrens", "doctrine", "Ondergrens", inzetmogelijkheid="tankautospuit", grens_s=900, marge=0.25),
        _rule("vervanging", "doctrine", "Vervanging", basiseenheid=[{"door": "tankautospuit", "aantal": 2}]),
    )
    return dataclasses.replace(plan, rules=Rules((*plan.rules.rules, *doctrine)))


def small_results(plan: Plan) -> list[Result]:
    """The plan by day and night, together and each region alone, and a variant that closes Zevenaar."""
    windows = ("dag", "nacht")
    together = compute_coverage(plan, plan.travel, windows=windows)
    alone = compute_coverage(plan, plan.travel, windows=windows, alone=True)
    closed, travel = apply_variant(plan, plan.travel, Variant("Zevenaar dicht", (CloseStation("K1"),)))
    after = compute_coverage(closed, travel, windows=windows)
    return [Result(plan, plan.travel, together, alone), Result(closed, travel, after, name="Zevenaar dicht")]


def _rules() -> Rules:
    """A tanker within 8 or 10 minutes by area class, and an aerial within 15, verified by nobody."""

    limits = {"stedelijk": 480, "landelijk": 600}
    return Rules(
        (
            _rule(
                "eerste-ts", "gebiedsnorm", "Eerste tankautospuit", inzetmogelijkheid="tankautospuit", grens_s=limits
            ),
            _rule("redvoertuig", "eenheidsnorm", "Eerste redvoertuig", inzetmogelijkheid="redvoertuig", grens_s=900),
            _rule("verwerkingstijd", "opkomsttijd", "Verwerkingstijd", verwerkingstijd_s=60),
        )
    )


def _rule(code: str, kind: str, dutch: str, **values: object) -> Rule:
    version = RuleVersion(datetime.date(2020, 1, 1), None, values)
    return Rule(code, kind, dutch, "verzonnen", "te verifiëren", "", (version,))
