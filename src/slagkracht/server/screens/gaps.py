"""The gap: what the nation is short of, what was really refused, and where the plan does not reach its norms."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from slagkracht.coverage import compute_gaps, compute_table
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import Engine
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.screens.choice import describe_choice, read_choice
from slagkracht.server.shortfall import SEED, WINDOW, ask_shortfall

SHOWN = 50


@require_GET
@acting_required()
def show_gaps(request: HttpRequest, acting: Acting) -> HttpResponse:
    engine = seam.current()
    if engine is None:
        return render(request, "geen_plan.html")
    plan = engine.plan
    norm, window = read_choice(request.GET, engine)
    coverage = seam.judge_plan(engine, norm, window)
    table = compute_table(coverage, plan.areas, plan.regions, "regio")
    nation = compute_table(coverage, plan.areas, plan.regions, "land")
    gaps = compute_gaps(coverage)
    with acting_scope(acting) as own:
        unmet, shortfall = read_unmet(own), read_shortfall(own, engine)
    name_of = dict(zip(plan.regions.code.tolist(), plan.regions.name.tolist(), strict=True))
    order = np.argsort(-(table.population - table.in_time), kind="stable")
    context = {
        **describe_choice(engine, norm, window),
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
                "voluit": name_of.get(str(table.name[r]), ""),
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
        **shortfall,
    }
    return render(request, "tekort.html", context)


@require_GET
@acting_required()
def show_shortfall(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The national gap as a part of a page; 202 while it is being computed."""
    engine = seam.current()
    if engine is None:
        return render(request, "geen_plan.html", status=404)
    with acting_scope(acting) as own:
        context = read_shortfall(own, engine)
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


def read_shortfall(own: Scope, engine: Engine) -> dict[str, Any]:
    """The national gap of the plan in force, or that it is not ready, or why there is none."""
    found = ask_shortfall(own, engine)
    return {"klaar": found is not None, "toeval": SEED, "tekort_venster": WINDOW, **(found or {})}
