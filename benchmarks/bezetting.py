"""What the open lists hold and what is assumed about crewing: the figures of docs/method/bezetting.md.

python benchmarks/bezetting.py FOLDER   (the folder with kazernes_2026.csv, voertuigen_2026.csv and pc4_2020_2021.csv)
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from slagkracht.resources import REGIMES, WINDOWS, capability_column
from slagkracht.rules import rule_in_force
from slagkracht.sources.facts import read_regions
from slagkracht.sources.national import STATIONS, VEHICLES, build_national_plan
from slagkracht.sources.station_lists import read_station_lists

DAY = datetime.date(2026, 7, 1)


def main(folder: Path) -> None:
    lists = read_station_lists(folder / STATIONS, folder / VEHICLES, read_regions())
    print(*lists.summaries, f"{len(lists.differences)} verschillen tussen beide lijsten", sep="\n")
    plan = build_national_plan(folder, DAY)
    print("\nmet de regionale pools geplaatst:", *plan.notes[:4], sep="\n")
    print("\nstaande eenheden per inzetmogelijkheid")
    for name in plan.units.capability_names:
        able = capability_column(plan.units, name)
        if able.any():
            print(f"  {name:30} {int(able.sum()):5}   op {len(np.unique(plan.units.station[able])):4} kazernes")
    pumper = capability_column(plan.units, "tankautospuit") & (plan.units.crew > 0)
    career_unit = pumper & (plan.units.regime[:, 0] == REGIMES.index("beroeps"))
    career = np.isin(np.arange(len(plan.stations)), plan.units.station[career_unit])
    print(f"\nberoepskazernes: {int(career.sum())} van {len(np.unique(plan.units.station[pumper]))}; per regio:")
    per_region = np.bincount(plan.stations.region[career], minlength=len(plan.regions))
    print("  " + "  ".join(f"{code} {n}" for code, n in zip(plan.regions.code.tolist(), per_region.tolist())))
    station = np.unique(plan.units.station[pumper])
    place = np.column_stack([plan.stations.x_m[station], plan.stations.y_m[station]])
    nearest = cKDTree(place).query(np.column_stack([plan.areas.x_m, plan.areas.y_m]))[1]
    mean_s = plan.units.turnout_s * np.exp(plan.units.turnout_spread**2 / 2)
    first_s = np.array([mean_s[pumper & (plan.units.station == s)].min(axis=0) for s in station])
    people = plan.areas.population
    handling = rule_in_force(plan.rules, "verwerkingstijd", DAY)[1]
    handling_s = handling["verwerkingstijd_s"] * np.exp(handling["spreiding"] ** 2 / 2)
    print(f"\ninwoners het dichtst bij een beroepskazerne: {np.average(career[station][nearest], weights=people):.1%}")
    print(f"verwerkingstijd, gemiddeld: {handling_s:.0f} s")
    for w, window in enumerate(WINDOWS):
        print(f"uitruktijd eerste tankautospuit, {window}: {np.average(first_s[nearest, w], weights=people):.0f} s")
    leaving_s = handling_s + np.average(first_s[nearest].mean(axis=1), weights=people)
    print(f"van melding tot vertrek, gemiddeld over inwoners en vensters: {leaving_s:.0f} s (gemeten 2018: 210 s)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
