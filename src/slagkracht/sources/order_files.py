"""A station order (kazernevolgordetabel) as a control room uses it now: a row for each area, its stations in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from slagkracht.plan import Plan
from slagkracht.sources.csvfile import find_repeats, read_csv
from slagkracht.sources.refusal import Finding, RefusalError

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class GivenOrder:
    """A table in use, in the order of the plan's areas.

    ``area`` int32 [B] rows of Areas that the table holds, ascending · ``station`` int32 [B, K] rows of Stations, -1 =
    no further one · ``missing`` int32 [C] rows of Areas that it does not hold.
    """

    area: Indices
    station: Indices
    missing: Indices


def read_station_order(path: Path, plan: Plan) -> GivenOrder:
    """A CSV of gebied, kazerne_1, kazerne_2, … with the codes of ``plan``; other columns are not read.

    Raises RefusalError with every finding: an area that is unknown or stands twice, a station that is unknown or stands
    twice in its row, a station behind an empty place, columns that are not counted from 1.
    """
    table = read_csv(path, ("gebied", "kazerne_1"))
    columns = sorted(
        (name for name in table.columns if re.fullmatch(r"kazerne_[1-9]\d*", name)), key=lambda name: int(name[8:])
    )
    findings: list[Finding] = []
    if columns != (wanted := [f"kazerne_{k + 1}" for k in range(len(columns))]):
        found = ", ".join(columns)
        findings.append(Finding(table.file, 1, "", found, f"de kolommen {', '.join(wanted)}, zonder een over te slaan"))
    areas = {name: row for row, name in enumerate(plan.areas.area_id.tolist())}
    places = {name: row for row, name in enumerate(plan.stations.station_id.tolist())}
    find_repeats(table.file, "gebied", table.columns["gebied"], findings)
    area = np.zeros(table.rows, dtype=np.int32)
    station = np.full((table.rows, len(columns)), -1, dtype=np.int32)
    for row, name in enumerate(table.columns["gebied"]):
        if name not in areas:
            findings.append(Finding(table.file, row + 2, "gebied", name or "niets", "een gebied van dit plan"))
        area[row] = areas.get(name, -1)
        ended = ""
        for k, column in enumerate(columns):
            cell = table.columns[column][row]
            if not cell:
                ended = ended or column
            elif cell not in places:
                findings.append(Finding(table.file, row + 2, column, cell, "een kazerne van dit plan"))
            elif places[cell] in station[row, :k]:
                findings.append(Finding(table.file, row + 2, column, cell, "elke kazerne één keer in een rij"))
            elif ended:
                findings.append(Finding(table.file, row + 2, ended, "niets", f"een kazerne, want {column} is gevuld"))
            station[row, k] = places.get(cell, -1)
    if findings:
        raise RefusalError(findings)
    order = np.argsort(area)
    missing = np.setdiff1d(np.arange(len(areas), dtype=np.int32), area)
    return GivenOrder(area[order], station[order], missing)
