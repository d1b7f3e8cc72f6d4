"""The gap: where the plan in force does not reach its norms, for how many people, and by how much."""

from __future__ import annotations

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from slagkracht.coverage import compute_gaps, compute_table
from slagkracht.resources import WINDOWS
from slagkracht.rules import rule_in_force
from slagkracht.server import engine as seam
from slagkracht.server.guard import Acting, acting_required

SHOWN = 50


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
    }
    return render(request, "tekort.html", context)
