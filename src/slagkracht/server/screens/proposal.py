"""What the engine proposes for a request, in the words of a screen: who, when, why them, and what the lenders keep."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from django.utils.translation import gettext

from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine, Picture
from slagkracht.strength import REASONS_WHERE_ASSIGNED, Strength

SHOWN = 12
"""How many units are named per reason; the rest is counted."""


def read_open_lines(own: Scope, request: str) -> list[Row]:
    """The lines of a request, with how many are open of each: asked, less met, less offered."""
    return own.rows(
        "select l.*, l.count - l.met - coalesce((select sum(o.count) from slagkracht.offer o "
        "where o.line_id = l.line_id and o.state = 'staat'), 0)::int as open "
        "from slagkracht.request_line l where l.request_id = %s order by l.line_id",
        request,
    )


def propose_for(own: Scope, engine: Engine, picture: Picture, asker: str, lines: list[Row]) -> list[dict[str, Any]]:
    """A proposal per place that the open lines of a request ask at, and per set of regions that refused there.

    The asker is left out, and each line leaves out who refused that line: a region that cannot bring one thing may
    bring another. Who is proposed for one line is not proposed for the next.
    """
    answers = own.rows(
        "select line_id, region, state, units from slagkracht.offer where line_id = any(%s) order by made_at, offer_id",
        [line["line_id"] for line in lines],
    )
    last = {(row["line_id"], row["region"]): row["state"] for row in answers}
    gone = np.zeros(len(picture.standing), dtype=np.bool_)
    gone[
        [engine.row_of[u] for row in answers if row["state"] == "staat" for u in row["units"] if u in engine.row_of]
    ] = True
    asked: dict[tuple[float, float, tuple[str, ...]], list[Row]] = {}
    for line in lines:
        if line["open"] > 0:
            refused = tuple(
                sorted(r for (of, r), state in last.items() if (of, state) == (line["line_id"], "geweigerd"))
            )
            asked.setdefault((line["x_m"], line["y_m"], refused), []).append(line)
    proposals: list[dict[str, Any]] = []
    for (x_m, y_m, refused), here in asked.items():
        known = [line for line in here if line["formation"] in engine.formations]
        unknown = sorted({line["formation"] for line in here} - {line["formation"] for line in known})
        if not known:
            proposals.append({"onbekend": unknown})
            continue
        strength = seam.propose(
            engine,
            picture,
            [(line["formation"], int(line["open"])) for line in known],
            seam.find_area(engine, x_m, y_m),
            without=(asker, *refused),
            gone=gone,
        )
        gone = gone | (strength.unit_formation >= 0)
        told = describe_strength(engine, picture, strength, min(line["needed_by"] for line in known))
        proposals.append(
            {**told, "onbekend": unknown, "geweigerd": refused, "aanvrager": asker,
             "vraagt": [line["formation"] for line in known], "apart": len(asked) > 1}
        )  # fmt: skip
    return proposals


def describe_strength(
    engine: Engine, picture: Picture, strength: Strength, needed_by: datetime.datetime
) -> dict[str, Any]:
    """Formations in order, lenders with what they keep, and for every unit that suits why it stays."""
    plan, region = engine.plan, picture.standing.region
    codes = plan.regions.code
    formations = []
    for f, formation in enumerate(strength.formations):
        mine = np.flatnonzero(strength.unit_formation == f)
        mine = mine[np.argsort(strength.arrival_s[mine], kind="stable")]
        whole = bool(np.isfinite(strength.complete_s[f]))
        stands_at = picture.at + datetime.timedelta(seconds=float(strength.complete_s[f])) if whole else None
        formations.append(
            {
                "naam": formation.dutch,
                "status": formation.status,
                "regios": sorted({str(codes[r]) for r in region[mine]}),
                "staat_na_s": float(strength.complete_s[f]),
                "staat_op": stands_at,
                "te_laat": stands_at is not None and stands_at > needed_by,
                "tekort": strength.missing[f],
                "eenheden": [describe_unit(engine, unit, float(strength.arrival_s[unit])) for unit in mine.tolist()],
            }
        )
    chosen = np.flatnonzero(strength.unit_formation >= 0)
    lenders = [
        {
            "code": str(codes[r]),
            "naam": str(plan.regions.name[r]),
            "eenheden": int((region[chosen] == r).sum()),
            "voor": float(picture.residual[r]),
            "na": float(strength.residual_after[r]),
            "ondergrens": float(strength.floor[r]),
        }
        for r in np.unique(region[chosen]).tolist()
    ]
    reasons = []
    for reason in REASONS_WHERE_ASSIGNED:
        mine = np.flatnonzero(strength.reason == reason)
        if reason in ("gekozen", "andere_taak") or not len(mine):
            continue
        mine = mine[np.argsort(strength.arrival_s[mine], kind="stable")]
        reasons.append(
            {
                "code": reason,
                "reden": REASONS_WHERE_ASSIGNED[reason],
                "aantal": len(mine),
                "eenheden": [
                    {
                        **describe_unit(engine, unit, float(strength.arrival_s[unit])),
                        "regio": str(codes[region[unit]]),
                        "wiens": str(codes[strength.floor_region[unit]]) if strength.floor_region[unit] >= 0 else "",
                    }
                    for unit in mine[:SHOWN].tolist()
                ],
            }
        )
    return {
        "formaties": formations,
        "leners": lenders,
        "redenen": reasons,
        "compleet": int(np.isfinite(strength.complete_s).sum()),
        "gevraagd": len(strength.formations),
        "regios": [row["code"] for row in lenders],
        "op": picture.at,
    }


def describe_unit(engine: Engine, unit: int, arrival_s: float) -> dict[str, Any]:
    """A unit of the plan as a line on screen."""
    units, stations = engine.plan.units, engine.plan.stations
    if unit >= len(units):
        return {"eenheid": gettext("oproepbaar"), "soort": "", "kazerne": "", "aankomst_s": arrival_s}
    return {
        "eenheid": str(units.unit_id[unit]),
        "soort": str(units.type_code[unit]),
        "kazerne": str(stations.name[units.station[unit]]),
        "aankomst_s": arrival_s,
    }
