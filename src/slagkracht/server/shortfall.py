"""The national gap of the plan in force: asked by who looks, worked out once in the background, kept where all read it.

What is kept is named after everything that it follows from, so another plan, rule or version asks for another figure.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np

from slagkracht import __version__
from slagkracht.server.database import WORLDS, Scope, scope
from slagkracht.server.engine import Engine
from slagkracht.strength import Gap, Posture, Shortfall, Worth, compute_posture, compute_shortfall
from slagkracht.strength.shortfall import TOGETHER

YEARS = 20_000
SEED = 1
WINDOW = "dag"
"""As the command 'slagkracht tekort' does unless asked otherwise, so that it gives the same figures."""

NAMED = 2
"""How many causes and regions are named per formation."""

AGAIN = "1 hour"
"""After this long a computation that broke off is asked again by who looks."""

logger = logging.getLogger(__name__)


def name_figure(engine: Engine) -> str:
    """What the gap follows from: the plan with its rules, the window, the simulated years and the engine's version."""
    return f"{engine.plan_hash} {WINDOW} {YEARS} {SEED} {__version__}"


def ask_shortfall(own: Scope, engine: Engine) -> dict[str, Any] | None:
    """What is known of the gap, or why there is none; None where it is still to be computed, which is then asked."""
    figure = name_figure(engine)
    row = own.row("select content from slagkracht.shortfall where figure = %s", figure)
    if row is None:
        own.run("insert into slagkracht.shortfall (figure) values (%s) on conflict do nothing", figure)
        return None
    found: dict[str, Any] | None = row["content"] and json.loads(row["content"])
    if found and found.get("afgebroken"):
        own.run(
            "update slagkracht.shortfall set content = null, found_at = null where figure = %s "
            f"and found_at < now() - interval '{AGAIN}'",
            figure,
        )
    return found


def is_awaited(engine: Engine) -> bool:
    """Whether someone asked for the gap and nobody has computed it yet."""
    with scope("LAC", WORLDS[0], "rekenaar") as own:
        sql = "select 1 from slagkracht.shortfall where figure = %s and content is null"
        return own.row(sql, name_figure(engine)) is not None


def answer_shortfall(engine: Engine) -> bool:
    """Computes the gap where it is awaited and keeps it for all; False where another has done so already."""
    if not is_awaited(engine):
        return False
    try:
        posture = compute_posture(engine.plan, WINDOW, engine.travel)
        found = describe_shortfall(posture, compute_shortfall(posture, years=YEARS, seed=SEED))
    except (ValueError, LookupError) as error:
        found = {"waarom_niet": str(error)}
    except Exception as error:
        logger.exception("het landelijk tekort is niet berekend")
        why = (
            f"de berekening brak af ({type(error).__name__}); vraag het over een uur opnieuw, of meld het de beheerder"
        )
        found = {"waarom_niet": why, "afgebroken": True}
    content = json.dumps(found, default=lambda number: number.item())
    with scope("LAC", WORLDS[0], "rekenaar") as own:
        own.run(
            "update slagkracht.shortfall set content = %s, found_at = clock_timestamp() "
            "where figure = %s and content is null",
            content,
            name_figure(engine),
        )
    return True


# ── the gap in words ──────────────────────────────────────────────────────────────────────────────────────────────────


def describe_shortfall(posture: Posture, found: Shortfall) -> dict[str, Any]:
    """The gap table of a plan with what explains it."""
    gap = found.gap
    order = np.lexsort((-gap.needed[:, TOGETHER], -gap.expected, -gap.shortfall[:, TOGETHER])).tolist()
    return {
        "jaren": found.events.years,
        "formaties": [describe_formation(posture, found, f) for f in order],
        "last": describe_burden(posture, found),
        "gelijkheid": found.burden.fairness,
        "onbekende_formaties": found.unknown,
        "bron_ondergrens": posture.floors.source,
    }


def describe_formation(posture: Posture, found: Shortfall, f: int) -> dict[str, Any]:
    gap = found.gap
    lost = (gap.whole[f] - gap.in_time[f], gap.in_time[f] - gap.ready[f], gap.ready[f] - gap.available[f])
    return {
        "naam": gap.formations[f].dutch,
        "status": gap.formations[f].status,
        "nodig": gap.needed[f].tolist(),
        "beschikbaar": (gap.available[f], gap.available_low[f], gap.available_high[f]),
        "tekort": tuple(each[f, TOGETHER] for each in (gap.shortfall, gap.shortfall_low, gap.shortfall_high)),
        "kans": float(gap.chance_per_year[f]),
        "samen": int(found.together[f]),
        "te_vormen": float(gap.whole[f]),
        "verloren": [max(float(each), 0.0) for each in lost],
        "minst": find_least_place(gap, f),
        "oorzaken": [
            (posture.plan.risks.risks[k].label, float(gap.cause[f, k]))
            for k in np.argsort(-gap.cause[f], kind="stable")[:NAMED].tolist()
            if gap.cause[f, k] > 0
        ],
        "een_meer": find_best_unit(posture, found.worth, f),
    }


def find_least_place(gap: Gap, f: int) -> tuple[str, float] | None:
    """Where least of a formation can stand, and how many; None where it is asked at no known place."""
    if np.isnan(gap.per_place[f]).all():
        return None
    place = int(np.nanargmin(gap.per_place[f]))
    return gap.places[place], float(gap.per_place[f, place])


def find_best_unit(posture: Posture, worth: Worth, f: int) -> dict[str, Any] | None:
    """The one unit that brings most of a formation, and the regions where; None where no single unit helps."""
    best = np.flatnonzero((worth.formation == f) & (worth.gain > 1e-9))[:NAMED].tolist()
    if not best:
        return None
    return {
        "eenheid": str(worth.capability[best[0]]),
        "minder": float(worth.spared[best[0]]),
        "regios": [(str(posture.plan.regions.code[worth.region[w]]), float(worth.gain[w])) for w in best],
    }


def describe_burden(posture: Posture, found: Shortfall) -> list[dict[str, Any]]:
    """Per region what it lends and borrows in unit-hours a year beside its share of residents, heaviest first."""
    burden, residents, regions = found.burden, posture.cover.total, posture.plan.regions
    return [
        {
            "code": str(regions.code[r]),
            "naam": str(regions.name[r]),
            "leent_uit": float(burden.lent[r]),
            "leent_in": float(burden.borrowed[r]),
            "aandeel": float(burden.lent[r] / max(burden.lent.sum(), 1e-300)),
            "inwoners": float(residents[r] / residents.sum()),
            "verhouding": float(burden.index[r]),
        }
        for r in np.argsort(-np.nan_to_num(burden.index), kind="stable").tolist()
    ]
