"""How long a hundred thousand years of simultaneous crises take: drawing them, how many at once, and what they ask for.

Run: python benchmarks/risks.py [years]
"""

from __future__ import annotations

import sys
import time

from slagkracht.risks import compute_events, compute_peak_demand, compute_simultaneous
from slagkracht.sources.risk_files import read_profile
from slagkracht.sources.rule_files import read_rules
from slagkracht.strength import compute_asked, compute_doctrine


def main() -> None:
    years = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    profile = read_profile()
    codes = sorted({need.formation for risk in profile.risks for need in risk.needs})
    rules = read_rules()
    latest = max(version.starts for rule in rules.rules for version in rule.versions)
    doctrine = compute_doctrine(rules, latest).formations
    for count in (100, years):  # the first round compiles
        start = time.perf_counter()
        events, draw_of = compute_events(profile, count, seed=1)
        drawn = time.perf_counter()
        at_once = compute_simultaneous(events)
        simultaneous = time.perf_counter()
        compute_peak_demand(events, draw_of, profile, codes)
        asked = time.perf_counter()
        compute_asked(events, draw_of, profile, doctrine)
        by_capability = time.perf_counter()
    print(f"{years} years, {len(profile.risks)} scenarios, {len(events)} events, at most {len(at_once) - 1} at once")
    print(f"drawn {drawn - start:.2f} s, at once {simultaneous - drawn:.2f} s, peaks {asked - simultaneous:.2f} s")
    print(f"per capability by season, hour and kind of day {by_capability - asked:.2f} s")


if __name__ == "__main__":
    main()
