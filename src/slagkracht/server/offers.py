"""What an offer makes and what it costs who offers, asked of the engine before it is made, whichever way it comes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine, Picture
from slagkracht.server.ledger import LedgerError


@dataclass(frozen=True)
class Weighed:
    """``makes`` formations of what the line still asks (None = the engine cannot tell), ``passes`` one's own floor."""

    makes: int | None
    passes: bool


def weigh(own: Scope, line: Row, units: Sequence[str]) -> Weighed:
    """What ``units`` of the acting region make for a line, and whether it falls below its own floor without them.

    Units and formations that the plan does not have are not weighed.
    """
    engine = seam.current()
    known = [unit for unit in units if engine is not None and unit in engine.row_of]
    if engine is None or not known or own.region not in engine.plan.regions.code:
        return Weighed(None, False)
    picture = seam.compute_picture(engine, seam.read_situation(own, engine, as_ordered=True), own.at)
    makes = None
    if line["formation"] in engine.formations and line["met"] < line["count"] and len(known) == len(set(units)):
        makes = count_formations(engine, picture, line, known)["aantal"]
    cost = seam.compute_cost(engine, picture, own.region, known)
    return Weighed(makes, cost.after < cost.floor)


def check_offer(weighed: Weighed, line: Row, count: int, knowingly: str) -> str:
    """``knowingly`` where the floor is passed, "" where it is not: the log says so only where it is.

    Raises LedgerError for more formations than the units make, and for a floor that is passed without a reason.
    """
    if weighed.makes is not None and count > weighed.makes:
        raise LedgerError(
            "deze eenheden zijn {made} maal {formation}, niet {count} maal",
            made=weighed.makes,
            formation=line["formation"],
            count=count,
        )
    if weighed.passes and not knowingly.strip():
        raise LedgerError(
            "met dit aanbod komt de restdekking onder uw ondergrens: kies minder eenheden, of schrijf op waarom u het "
            "toch doet"
        )
    return knowingly.strip() if weighed.passes else ""


def count_formations(engine: Engine, picture: Picture, line: Row, units: Sequence[str]) -> dict[str, Any]:
    """How many of what a line still asks these units make, what the first lacks, and how many units are left over."""
    free = np.zeros(len(picture.standing), dtype=np.bool_)
    free[[engine.row_of[unit] for unit in units if unit in engine.row_of]] = True
    # people on call come with whichever units go, and are no units to tick
    free[len(engine.plan.units) :] = picture.standing.free[len(engine.plan.units) :]
    only = dataclasses.replace(picture.standing, free=free & picture.standing.free)
    area, left = seam.find_area(engine, line["x_m"], line["y_m"]), int(line["count"] - line["met"])
    made = seam.propose(
        engine, dataclasses.replace(picture, standing=only), [(line["formation"], left)], area, keep_floors=False
    )
    whole = np.flatnonzero(np.isfinite(made.complete_s))
    used = int(np.isin(made.unit_formation[: len(engine.plan.units)], whole).sum())
    short = next((made.missing[f] for f in range(len(made.missing)) if f not in whole), {})
    return {"aantal": len(whole), "mist": short if not len(whole) else {}, "extra": len(units) - used}
