"""A control room that is not there: plays a shift against the push address, so that a connection can be tried.

``python -m slagkracht.server.interfaces.control_room http://127.0.0.1:8000 SLEUTEL --uren 2 --seed 1``
"""

from __future__ import annotations

import argparse
import datetime
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np

Report = dict[str, Any]
Home = tuple[str, float, float]
"""A unit and where its station is: (unit, x_m, y_m)."""

STAGES = (("alerted", 90.0), ("en_route", 420.0), ("on_scene", 2_700.0), ("returning", 600.0), ("available", 0.0))
"""What a unit goes through on a call, and how many seconds each stage takes at the middle."""

SPEED_M_S = 13.0


def play_shift(
    homes: list[Home], begin: datetime.datetime, hours: float, seed: int, calls_per_hour: float = 2.0
) -> Iterator[Report]:
    """The reports of a shift, in the order in which they happen: the same for the same seed.

    Calls come at random (Poisson); the chosen unit drives out in a straight line, works, and drives back.
    """
    rng = np.random.default_rng(seed)
    free_at = {unit: 0.0 for unit, _, _ in homes}
    reports: list[tuple[float, Report]] = []
    at_s = float(rng.exponential(3600.0 / calls_per_hour))
    while at_s < hours * 3600.0:
        free = [home for home in homes if free_at[home[0]] <= at_s]
        if free:
            unit, x_m, y_m = free[int(rng.integers(len(free)))]
            turn, now_s = float(rng.uniform(0, 2 * np.pi)), at_s
            for status, middle_s in STAGES:
                away_m = 0.0 if status in ("alerted", "en_route", "available") else STAGES[1][1] * SPEED_M_S
                place = {"x_m": round(x_m + away_m * np.cos(turn), 1), "y_m": round(y_m + away_m * np.sin(turn), 1)}
                reports.append((now_s, {"eenheid": unit, "status": status, **place}))
                now_s += middle_s * float(rng.lognormal(0.0, 0.2))
            free_at[unit] = now_s
        at_s += float(rng.exponential(3600.0 / calls_per_hour))
    for number, (when_s, report) in enumerate(sorted(reports, key=lambda pair: pair[0]), start=1):
        happened = begin + datetime.timedelta(seconds=round(when_s))
        yield {"id": f"spel-{seed}-{begin:%Y%m%d%H%M}-{number}", "gebeurd_op": happened.isoformat(), **report}


def push(address: str, key: str, reports: list[Report]) -> dict[str, Any]:
    """Sends a batch to the platform; returns what it says of it."""
    request = urllib.request.Request(
        f"{address}/api/v1/meldingen",
        json.dumps({"meldingen": reports}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def read_homes(address: str, key: str) -> list[Home]:
    """The units of one's own region, where they stand now."""
    headers = {"Authorization": f"Bearer {key}"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/api/v1/ik", headers=headers), timeout=30) as answer:
        region = json.load(answer)["regio"]
    onward: str | None = f"/api/v1/eenheden?regio={region}&aantal=1000"
    homes: list[Home] = []
    while onward:
        with urllib.request.urlopen(urllib.request.Request(address + onward, headers=headers), timeout=30) as answer:
            page = json.load(answer)
        homes += [(row["id"], row["x_m"], row["y_m"]) for row in page["resultaten"] if row["x_m"] is not None]
        onward = page["volgende"]
    return homes


def say_refused(error: urllib.error.HTTPError) -> str:
    """Why the platform did not take what was sent, in its own words where it gave any."""
    try:
        told = json.load(error)["detail"]
    except (OSError, ValueError, LookupError, TypeError):
        told = "zonder te zeggen waarom"
    return f"het platform weigert ({error.code}): {told}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Speelt een dienst na op de meldingen-koppeling.")
    parser.add_argument("adres")
    parser.add_argument("sleutel")
    parser.add_argument("--uren", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=given.uren + 2)
    try:
        homes = read_homes(given.adres, given.sleutel)
        if not homes:
            raise SystemExit("het platform kent geen eenheid van deze regio met een plaats: er is niets te spelen")
        reports = list(play_shift(homes, begin, given.uren, given.seed))
        for at in range(0, len(reports), 100):
            told = push(given.adres, given.sleutel, reports[at : at + 100])
            print(f"{len(told['aangenomen'])} aangenomen, {len(told['geweigerd'])} geweigerd")
    except urllib.error.HTTPError as error:
        raise SystemExit(say_refused(error)) from error
    except OSError as error:
        raise SystemExit(f"geen verbinding met {given.adres} ({error})") from error


if __name__ == "__main__":
    main()
