"""What ``slagkracht risico`` tells of the demand per capability: tables, rows for a file, data for a script."""

from __future__ import annotations

from typing import Any

from slagkracht.cli import show
from slagkracht.risks import SEASONS
from slagkracht.sources.vocabulary import read_rows
from slagkracht.strength import LEVELS, Asked
from slagkracht.strength.capabilities import DAYS, HOURS, KINDS, PARTS
from slagkracht.strength.gap import QUANTILES

TEN = LEVELS.index("eens per 10 jaar")
DIVISIONS = ("jaar", *["seizoen"] * len(SEASONS), *["uur"] * len(HOURS), *["soort dag"] * len(KINDS))
PERCENTILES = tuple(f"P{100 * q:.0f}" for q in QUANTILES)


def print_asked(asked: Asked) -> None:
    """How many of each capability are asked at one moment, when, and for how many days."""
    names = _names(asked)
    everyone = range(len(names))
    show.table(
        "Hoeveel van elke inzetmogelijkheid op één moment, over alle jaren (eens per 10 jaar met marge P5–P95)",
        ["inzetmogelijkheid", "mag ook met", *(level.removeprefix("eens per ") for level in LEVELS)],
        [
            [names[c], _instead(asked, c),
             *(f"{asked.needed[c, 0, n]}" + (
                 f" ({asked.needed_low[c, n]:.0f}–{asked.needed_high[c, n]:.0f})" if n == TEN else ""
             ) for n in range(len(LEVELS)))]
            for c in everyone
        ],
        left=2,
    )  # fmt: skip
    show.table(
        "Wanneer: zoveel tegelijk, eens per 10 jaar, binnen het seizoen, het dagdeel of de soort dag",
        ["inzetmogelijkheid", *SEASONS, *(f"{h}–{h + 6} uur" for h in range(0, 24, 6)), *KINDS],
        [
            [names[c],
             *(str(asked.needed[c, PARTS.index(part), TEN]) for part in SEASONS),
             *(str(asked.needed[c, [PARTS.index(HOURS[h + i]) for i in range(6)], TEN].max()) for h in range(0, 24, 6)),
             *(str(asked.needed[c, PARTS.index(part), TEN]) for part in KINDS)]
            for c in everyone
        ],
    )  # fmt: skip
    show.table(
        "Hoe lang: wat één gebeurtenis die erom vraagt, per dag vraagt (P50 · P90 · P95 over die gebeurtenissen)",
        ["inzetmogelijkheid", *DAYS],
        [[names[c], *(" · ".join(map(str, day)) for day in asked.by_day[c].tolist())] for c in everyone],
    )
    show.screen.print(
        "De eerste twee tabellen tellen alle jaren, ook die waarin er niet om wordt gevraagd; de laatste alleen\n"
        "gebeurtenissen die erom vragen. Eens per jaar is de piek die hoogstens 63 % van de jaren overschrijdt: nooit\n"
        "meer dan de P50 van de jaren, en soms minder dan de P50 van één gebeurtenis.\n"
        "Gevraagd is naar de samenstelling in de doctrine; wat er ook mee mag, is niet afgetrokken.\n",
        markup=False,
    )  # fmt: skip
    for code in asked.unknown:
        show.screen.print(
            f"· formatie {code!r} wordt gevraagd, maar de doctrine kent haar niet: hier niet geteld", markup=False
        )


def asked_rows(asked: Asked) -> list[dict[str, Any]]:
    """One row per capability and part of the year, then one per capability and day since the beginning."""
    rows: list[dict[str, Any]] = []
    empty = {_key(level): None for level in LEVELS}
    for c, name in enumerate(asked.capabilities):
        for b, (division, part) in enumerate(zip(DIVISIONS, PARTS, strict=True)):
            levels = {_key(level): int(asked.needed[c, b, n]) for n, level in enumerate(LEVELS)}
            rows.append(
                {"inzetmogelijkheid": name, "verdeling": "jaren", "indeling": division, "deel": part,
                 "aandeel_jaren": float(asked.chance[c, b]), **levels}
            )  # fmt: skip
        for d, part in enumerate(DAYS):
            levels = {p: int(asked.by_day[c, d, q]) for q, p in enumerate(PERCENTILES)}
            rows.append(
                {"inzetmogelijkheid": name, "verdeling": "gebeurtenissen die erom vragen",
                 "indeling": "dag sinds het begin", "deel": part, "aandeel_jaren": None, **empty, **levels}
            )  # fmt: skip
    return rows or [{"inzetmogelijkheid": None}]


def asked_as_data(asked: Asked) -> dict[str, Any]:
    """Everything of ``asked`` under Dutch names; formations that doctrine lacks apart."""
    return {
        "per_inzetmogelijkheid": [
            {
                "inzetmogelijkheid": name,
                "mag_ook_met": [{"inzetmogelijkheid": other, "aantal": n} for other, n in asked.substitutes[c]],
                "over_alle_jaren": {
                    _key(level): {"midden": asked.needed[c, 0, n], "laag": asked.needed_low[c, n],
                                  "hoog": asked.needed_high[c, n]}
                    for n, level in enumerate(LEVELS)
                },
                "delen": [
                    {"indeling": division, "deel": part, "aandeel_jaren": asked.chance[c, b],
                     **{_key(level): asked.needed[c, b, n] for n, level in enumerate(LEVELS)}}
                    for b, (division, part) in enumerate(zip(DIVISIONS, PARTS, strict=True))
                ],
                "seizoen_en_uur": {
                    season: {"gemiddeld_gevraagd": asked.mean[c, s].tolist(),
                             "begint_per_jaar": asked.begins[c, s].tolist(),
                             "eens_per_10_jaar": asked.ten_years[c, s].tolist()}
                    for s, season in enumerate(SEASONS)
                },
                "per_gebeurtenis_die_erom_vraagt": [
                    {"dag": part, **dict(zip(PERCENTILES, asked.by_day[c, d].tolist(), strict=True))}
                    for d, part in enumerate(DAYS)
                ],
            }
            for c, name in enumerate(asked.capabilities)
        ],
        "onbekende_formaties": list(asked.unknown),
    }  # fmt: skip


def _names(asked: Asked) -> list[str]:
    dutch = {row["capability"]: row["dutch"] for row in read_rows("capabilities")}
    return [dutch.get(code, code) for code in asked.capabilities]


def _instead(asked: Asked, c: int) -> str:
    return ", ".join(f"{n} × {other.replace('_', ' ')}" for other, n in asked.substitutes[c]) or "–"


def _key(level: str) -> str:
    return level.replace(" ", "_")
