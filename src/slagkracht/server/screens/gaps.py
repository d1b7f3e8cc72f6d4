"""The gap: what the nation is short of, what was really refused, and where the plan does not reach its norms."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from slagkracht.coverage import compute_gaps, compute_table
from slagkracht.resources import WINDOWS
from slagkracht.rules import rule_in_force
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.shortfall import SEED, WINDOW, ask_shortfall
from slagkracht.strength import Gap, Posture, Shortfall, Worth
from slagkracht.strength.shortfall import TOGETHER

SHOWN = 50
NAMED = 2
"""How many causes and regions are named per formation."""


@require_GET
@acting_required()
def show_gaps(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    if engine is None:
        return render(request, "geen_plan.html")
    plan, codes = engine.plan, seam.norms(engine)
    norm = request.GET.get("norm", "") if request.GET.get("norm", "") in codes else codes[0]
    window = request.GET.get("venster", "") if request.GET.get("venster", "") in WINDOWS else WINDOWS[0]
    coverage = seam.judge_plan(engine, norm, window)
    table = compute_table(coverage, plan.areas, plan.regions, "regio")
    nation = compute_table(coverage, plan.areas, plan.regions, "land")
    gaps = compute_gaps(coverage)
    with acting_scope(acting) as own:
        unmet = read_unmet(own)
    order = np.argsort(-(table.population - table.in_time), kind="stable")
    context = {
        "norm": norm,
        "venster": window,
        "normen": [(code, rule_in_force(plan.rules, code, plan.day)[0].dutch) for code in codes],
        "vensters": WINDOWS,
        "oordeel": coverage,
        "land": {
            "mensen": float(nation.population[0]),
            "op_tijd": float(nation.in_time[0]),
            "tekort": float(nation.population[0] - nation.in_time[0]),
            "aandeel": float(nation.in_time[0] / nation.population[0]) if nation.population[0] else float("nan"),
        },
        "regios": [
            {
                "naam": str(table.name[r]),
                "mensen": float(table.population[r]),
                "tekort": float(table.population[r] - table.in_time[r]),
                "aandeel": float(table.in_time[r] / table.population[r]) if table.population[r] else float("nan"),
            }
            for r in order.tolist()
            if table.population[r] > 0
        ],
        "plaatsen": [
            {
                "gebied": str(plan.areas.area_id[a]),
                "gemeente": engine.municipality.get(str(plan.areas.municipality[a]), ""),
                "regio": str(plan.regions.code[plan.areas.region[a]]),
                "te_laat_s": float(gaps.late_s[row]),
                "mensen": float(gaps.population[row]),
                "objecten": float(gaps.objects[row]),
            }
            for row, a in enumerate(gaps.area[:SHOWN].tolist())
        ],
        "aantal": len(gaps),
        "plan": plan,
        "hash": engine.plan_hash,
        "onvervuld": unmet,
        **describe_shortfall(engine),
    }
    return render(request, "tekort.html", context)


@require_GET
@acting_required()
def show_shortfall(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The national gap as a part of a page; 202 while it is being computed."""
    engine = seam.current()
    if engine is None:
        return render(request, "geen_plan.html", status=404)
    context = describe_shortfall(engine)
    return render(request, "deel_tekort.html", context, status=200 if context["klaar"] else 202)


def read_unmet(own: Scope) -> list[Row]:
    """What was asked and not met, and what was refused, by formation and reason, as far as the acting region sees."""
    return own.rows(
        "select formation, reason, sum(unmet)::int as unmet, sum(refused)::int as refused, max(at) as last from ("
        "select formation, unmet_reason as reason, unmet, 0 as refused, needed_by as at "
        "from slagkracht.request_line where world = %s and unmet > 0 union all "
        "select l.formation, o.reason, 0, 1, o.made_at from slagkracht.offer o "
        "join slagkracht.request_line l using (line_id) where o.world = %s and o.state = 'geweigerd') as missed "
        "group by formation, reason order by unmet desc, refused desc, formation, reason",
        own.world,
        own.world,
    )


# ── the national gap, in the words of a screen ────────────────────────────────────────────────────────────────────────


def describe_shortfall(engine: Engine) -> dict[str, Any]:
    """The gap table of the plan in force with what explains it, or that it is not ready, or why there is none."""
    asked = ask_shortfall(engine)
    context: dict[str, Any] = {"klaar": asked.done(), "toeval": SEED, "tekort_venster": WINDOW}
    if not asked.done():
        return context
    error = asked.exception()
    if isinstance(error, (ValueError, LookupError)):
        return {**context, "waarom_niet": str(error)}
    posture, found = asked.result()
    gap = found.gap
    order = np.lexsort((-gap.needed[:, TOGETHER], -gap.expected, -gap.shortfall[:, TOGETHER])).tolist()
    return {
        **context,
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
