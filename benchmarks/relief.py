"""How long the nation keeps it up and how good a rotation is: the figures of docs/method/aflossing.md.

python benchmarks/relief.py FOLDER   (the folder with kazernes_2026.csv, voertuigen_2026.csv and pc4_2020_2021.csv)

Times are processor seconds on one core.
"""

from __future__ import annotations

import datetime
import math
import sys
import time
from pathlib import Path

from slagkracht.plan import compute_driving
from slagkracht.relief import (
    Deployment,
    DropOut,
    compute_crews,
    compute_endurance,
    compute_people,
    compute_rotation,
    compute_shifts,
    compute_travel_min,
    replan_rotation,
    week_from_windows,
)
from slagkracht.sources.national import build_national_plan
from slagkracht.sources.vocabulary import read_rows
from slagkracht.strength import compute_doctrine
from slagkracht.travel import compute_drives_to

DAY = datetime.date(2026, 7, 1)
STARTS = datetime.datetime(2026, 7, 1, 8)
VELUWE = (188_000.0, 470_000.0)


def main(folder: Path) -> None:
    plan = build_national_plan(folder, DAY)
    driving = compute_driving(plan)
    drive_s = compute_drives_to(
        driving.roads, driving.arc_s, *VELUWE, plan.stations.x_m, plan.stations.y_m, access=driving.access
    )
    week, shifts = week_from_windows(read_rows("windows")), compute_shifts(plan)
    platoon = compute_doctrine(plan.rules, DAY).formations["basispeloton"]
    people, crews = compute_people(plan), compute_crews(plan)
    print("mensen per functie:", people.persons.sum(axis=0).round().tolist(), "· ploegen:", len(crews))
    start = time.process_time()
    endurance = compute_endurance(plan, drive_s, platoon, week=week, starts=STARTS)
    print(f"uithoudingsvermogen ({time.process_time() - start:.1f} s), basispelotons op de Veluwe:")
    for d, days in enumerate(endurance.days.tolist()):
        print(
            f"  {days:3} dagen {endurance.sustained[d]:6.1f}   eerst op: {endurance.scarce[d]} ({endurance.window[d]})"
        )
    travel_min = compute_travel_min(drive_s, shifts)
    more = {"week": week, "regions": len(plan.regions)}
    for count, days in ((2, 1), (6, 4)):
        deployment = Deployment(((platoon, count),), STARTS, days)
        for effort in (0.0, 10.0):
            start = time.process_time()
            rotation = compute_rotation(crews, travel_min, deployment, shifts, effort=effort, **more)
            print(
                f"{count} pelotons, {days} dagen, inspanning {effort:g}: {time.process_time() - start:.1f} s, "
                f"{len(rotation)} diensten, {rotation.shortfall.sum()} leeg, kosten {rotation.cost:.0f}, "
                + (
                    f"ondergrens {rotation.bound:.0f}, verschil {100 * rotation.gap:.1f} %, {rotation.method}"
                    if math.isfinite(rotation.bound)
                    else f"verschil met het beste niet berekend, {rotation.method}"
                )
            )
        gone = str(crews.crew_id[rotation.crew[rotation.leaves_min > 300][0]])
        start = time.process_time()
        mended = replan_rotation(rotation, [DropOut(gone)], 300, crews, travel_min, shifts, effort=10.0, **more)
        print(
            f"  ploeg {gone} valt uit: {time.process_time() - start:.1f} s, {mended.changed} diensten anders, "
            f"{mended.shortfall.sum()} leeg, {mended.method}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
