"""The Netherlands on open data: per region who is reached when, alone and together; writes docs/method/nederland.md.

    .venv/bin/python benchmarks/nederland.py ../shared/data/nederland [--schrijf]

Prints the tables as Markdown; ``--schrijf`` puts them between the markers of the document. Roads, crewing and turnout
are modelled (gemodelleerde_wegen.md, bezetting.md): the tables say what follows from them, not what was measured.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.spatial import cKDTree

from slagkracht.areas import Areas
from slagkracht.coverage import (
    Coverage,
    CoverageTable,
    compute_call_handling,
    compute_coverage,
    compute_nearest,
    compute_table,
)
from slagkracht.plan import Plan, compute_plan_travel
from slagkracht.resources import REGIMES, capability_column
from slagkracht.sources.geometry import transform
from slagkracht.sources.national import build_national_plan
from slagkracht.sources.refusal import ReadSummary

DAY = datetime.date(2026, 7, 1)
DOCUMENT = Path(__file__).parents[1] / "docs/method/nederland.md"
BEGIN, END = "<!-- begin: benchmarks/nederland.py -->\n", "<!-- eind: benchmarks/nederland.py -->\n"
NORMS = ("bvr-3.2.1", "tweede-tankautospuit", "redvoertuig", "peloton-30")
WINDOWS = ("dag", "nacht")
NEIGHBOURHOODS = "buurt_2014_label_points.csv"

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Results:
    """The plan and its coverage under NORMS by day and night: ``together`` and ``alone`` by (norm, window)."""

    plan: Plan
    together: dict[tuple[str, str], Coverage]
    alone: dict[tuple[str, str], Coverage]


def compute_results(plan: Plan) -> Results:
    travel = compute_plan_travel(plan)
    nearest = compute_nearest(travel)

    def cover(alone: bool) -> dict[tuple[str, str], Coverage]:
        coverages = compute_coverage(plan, travel, windows=WINDOWS, norms=NORMS, alone=alone, nearest=nearest)
        return {(each.norm, each.window): each for each in coverages}

    return Results(plan, cover(False), cover(True))


def tables_of(results: Results) -> str:
    """Every table of the document, as Markdown."""
    parts = (_nation(results), _first_tanker(results), _alone_and_together(results), _platoon(results))
    return "\n\n".join(parts + (_anchors(results),)) + "\n"


def _nation(results: Results) -> str:
    rows = []
    for norm in NORMS:
        for window in WINDOWS:
            both = [_table(results, group, norm, window, "land") for group in (results.together, results.alone)]
            together, alone = both
            rows.append(
                [
                    results.together[norm, window].dutch, window, _percent(together.share[0]),
                    _percent(together.expected_share[0]), _clock(together.median_s[0]), _clock(together.p90_s[0]),
                    _percent(alone.share[0]), _people((together.in_time - alone.in_time)[0]),
                    _people(together.unreachable[0]),
                ]
            )  # fmt: skip
    head = ["", "window", "in time", "by chance", "median", "90 %", "alone", "people gained together", "unreachable"]
    return "### The nation\n\n" + _markdown(head, rows)


def _first_tanker(results: Results) -> str:
    day, night = (_table(results, results.together, "bvr-3.2.1", window, "regio") for window in WINDOWS)
    rows = [
        [
            f"{code} {name}", _people(day.population[r]), _percent(day.share[r]), _percent(night.share[r]),
            _percent(day.expected_share[r]), _percent(night.expected_share[r]), _clock(day.median_s[r]),
            _clock(night.median_s[r]), _clock(day.p90_s[r]), _clock(night.p90_s[r]),
        ]
        for r, (code, name) in enumerate(_names(results.plan))
    ]  # fmt: skip
    head = [
        "",
        "people",
        "in time, day",
        "night",
        "by chance, day",
        "night",
        "median, day",
        "night",
        "90 %, day",
        "night",
    ]
    return "### First tankautospuit, all regions together\n\n" + _markdown(head, rows)


def _alone_and_together(results: Results) -> str:
    columns = []
    for norm in ("bvr-3.2.1", "tweede-tankautospuit", "redvoertuig"):
        together, alone = (_table(results, group, norm, "dag", "regio") for group in (results.together, results.alone))
        columns.append((together, alone))
    rows = []
    for r, (code, _) in enumerate(_names(results.plan)):
        row = [code, _people((columns[0][0].in_time - columns[0][1].in_time)[r])]
        for together, alone in columns:
            row += [_percent(alone.share[r]), _percent(together.share[r])]
            row += [_clock(together.median_s[r]), _clock(together.p90_s[r])]
        rows.append(row)
    head = ["", "people gained"]
    for name in ("first TS", "second TS", "first aerial"):
        head += [f"{name}: alone", "together", "median", "90 %"]
    return "### Alone and together, by day\n\n" + _markdown(head, rows)


def _platoon(results: Results) -> str:
    rows = []
    for r, (code, name) in enumerate(_names(results.plan)):
        row = [f"{code} {name}"]
        for window in WINDOWS:
            together, alone = (
                _table(results, group, "peloton-30", window, "regio") for group in (results.together, results.alone)
            )
            row += [_percent(alone.share[r]), _percent(together.share[r]), _percent(together.expected_share[r])]
            row += [_clock(alone.median_s[r]), _clock(together.median_s[r]), _clock(together.p90_s[r])]
        rows.append(row)
    head = [""]
    for window in ("day", "night"):
        head += [f"alone, {window}", "together", "by chance", "median alone", "together", "90 %"]
    return "### First platoon (4 TS and an officer) within 30 minutes\n\n" + _markdown(head, rows)


def _anchors(results: Results) -> str:
    plan = results.plan
    tanker = capability_column(plan.units, "tankautospuit")
    career = tanker & (plan.units.regime[:, 0] == REGIMES.index("beroeps"))
    stations, manned = len(np.unique(plan.units.station[tanker])), len(np.unique(plan.units.station[career]))
    people = plan.areas.population.astype(np.float64)
    first = [results.together["bvr-3.2.1", window] for window in WINDOWS]
    leaving_s = []
    for coverage, column in zip(first, (0, 2)):
        turnout_s = plan.units.turnout_s[np.maximum(coverage.unit, 0), column]
        leaving_s.append(np.average(turnout_s + compute_call_handling(plan)[0], weights=people * (coverage.unit >= 0)))
    rows = [
        ["stations with a tankautospuit", "963", str(stations)],
        ["career and volunteer stations (2022, of 949)", "106 and 843", f"{manned} and {stations - manned}"],
        [
            "call to leaving, minutes (2018, mean)",
            "3:30",
            " day, ".join(_clock(s) for s in leaving_s) + " night (median)",
        ],
        [
            "response time, median (2021, over building fires)",
            "8:27",
            " day, ".join(_clock(_table_of(results.plan, c).median_s[0]) for c in first) + " night (over residents)",
        ],
    ]
    return "### Beside what was published\n\n" + _markdown(["", "published", "here"], rows)


def spread_over_neighbourhoods(areas: Areas, path: Path) -> Areas:
    """``areas`` cut up: the residents of each are shared equally by the neighbourhoods that it is the nearest area of.

    One that is nearest to no neighbourhood keeps its own point. Label points are middles of ground, not of addresses.
    """
    table = pl.read_csv(path)
    x_m, y_m = transform(table["lon"].to_numpy(), table["lat"].to_numpy())
    mine = cKDTree(np.column_stack([areas.x_m, areas.y_m])).query(np.column_stack([x_m, y_m]))[1]
    count = np.bincount(mine, minlength=len(areas))
    whole = np.flatnonzero(count == 0)
    row = np.concatenate([mine, whole])
    return dataclasses.replace(
        areas,
        area_id=np.array([f"{areas.area_id[r]}-{n}" for n, r in enumerate(row.tolist())]),
        x_m=np.concatenate([x_m, areas.x_m[whole]]),
        y_m=np.concatenate([y_m, areas.y_m[whole]]),
        region=areas.region[row],
        municipality=areas.municipality[row],
        population=(areas.population / np.maximum(count, 1))[row].astype(np.float32),
        objects=np.zeros((len(row), 0), dtype=np.float32),
        area_class=areas.area_class[row],
        size_m=areas.size_m[row],
    )


def _table_of(plan: Plan, coverage: Coverage, by: str = "land") -> CoverageTable:
    return compute_table(coverage, plan.areas, plan.regions, by)


def _table(results: Results, group: dict[tuple[str, str], Coverage], norm: str, window: str, by: str) -> CoverageTable:
    return _table_of(results.plan, group[norm, window], by)


def _names(plan: Plan) -> list[tuple[str, str]]:
    return list(zip(plan.regions.code.tolist(), plan.regions.name.tolist(), strict=True))


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.1%}"


def _people(count: float) -> str:
    return f"{count:,.0f}"


def _clock(seconds: float) -> str:
    return f"{int(seconds + 0.5) // 60}:{int(seconds + 0.5) % 60:02d}" if np.isfinite(seconds) else "never"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--schrijf", action="store_true")
    options = parser.parse_args()
    plan = build_national_plan(options.folder, DAY)
    results = compute_results(plan)
    text = tables_of(results)
    finer_areas = spread_over_neighbourhoods(plan.areas, options.folder / NEIGHBOURHOODS)
    finer = build_national_plan(
        options.folder, DAY, given_areas=(finer_areas, ReadSummary(NEIGHBOURHOODS, len(finer_areas), {}))
    )
    rows = []
    for name, each in (("postcode areas", results), ("neighbourhoods", compute_results(finer))):
        for window in WINDOWS:
            land = _table(each, each.together, "bvr-3.2.1", window, "land")
            cells = [_percent(land.share[0]), _percent(land.expected_share[0])]
            rows.append(
                [
                    f"{name}, {window}",
                    str(len(each.plan.areas)),
                    *cells,
                    _clock(land.median_s[0]),
                    _clock(land.p90_s[0]),
                ]
            )
    head = ["", "points", "in time", "by chance", "median", "90 %"]
    text += "\n### First tankautospuit with residents spread over neighbourhoods\n\n" + _markdown(head, rows) + "\n"
    print(text)
    if options.schrijf:
        before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
        DOCUMENT.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
