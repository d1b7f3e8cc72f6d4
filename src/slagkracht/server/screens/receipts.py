"""On what a figure rests, now or at a past moment: the plan, the rules that were used, the engine and the facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as said
from django.views.decorators.http import require_GET

from slagkracht import __version__
from slagkracht.plan import find_drive_rule
from slagkracht.rules import Rule, RuleVersion, rules_in_force
from slagkracht.server import engine as seam
from slagkracht.server.engine import PLATOON, Engine
from slagkracht.server.guard import Acting, acting_required, acting_scope
from slagkracht.server.screens.nation import describe_regions, see
from slagkracht.server.screens.page import RefusedError, read_moment
from slagkracht.server.screens.past import see_then
from slagkracht.strength import Formation


@dataclass(frozen=True)
class Figure:
    """What a figure is called and ``how`` it is made; ``rules`` are codes.

    ``driven`` it counts how soon units arrive · ``told`` it follows from the facts, not from the plan alone ·
    ``of_regions`` its receipt shows it per region.
    """

    name: str
    how: str
    rules: tuple[str, ...] = ()
    driven: bool = True
    told: bool = True
    of_regions: bool = False


FIGURES = {
    "restdekking": Figure(
        said("Restdekking"),
        said(
            "Het aandeel inwoners van een regio dat nu binnen de tijd van de regel 'ondergrens' wordt bereikt door een "
            "vrije eenheid, waar die ook staat. Opkomsttijd = verwerkingstijd + uitruktijd + rijtijd."
        ),
        ("ondergrens",),
        of_regions=True,
    ),
    "ondergrens": Figure(
        said("Ondergrens"),
        said(
            "Het aandeel waaronder een regio niet uitleent: haar eigen vaststelling, of de gewone dekking van dit "
            "tijdvenster min de marge van de regel."
        ),
        ("ondergrens",),
        of_regions=True,
    ),
    "eenheden": Figure(
        said("Vrije eenheden"),
        said(
            "Eenheden van het plan die niet zijn toegezegd, niet bij een incident staan en niet buiten dienst zijn. "
            "Waar geen feit bekend is of een regio niet deelt, spreekt het plan."
        ),
        driven=False,
        of_regions=True,
    ),
    "pelotons": Figure(
        said("Beschikbare pelotons"),
        said(
            "Hoeveel basispelotons compleet kunnen staan in het gebied met de meeste inwoners van de gekozen regio, "
            "gerekend vanaf de alarmering, terwijl elke regio haar ondergrens houdt."
        ),
        ("ondergrens",),
    ),
    "voorstel": Figure(
        said("Voorstel"),
        said(
            "De vroegst mogelijke complete formaties uit vrije eenheden, terwijl elke regio haar ondergrens houdt. De "
            "aanvrager en regio's die al weigerden tellen niet mee."
        ),
        ("ondergrens",),
    ),
    "dekking": Figure(
        said("Dekking volgens de norm"),
        said(
            "Het aandeel inwoners van het plan dat een norm in een tijdvenster op tijd bereikt ziet, met elke eenheid "
            "op haar eigen kazerne. Wie niet op tijd bereikt wordt, is het tekort."
        ),
        told=False,
    ),
    "kosten": Figure(
        said("Kosten en rijksbijdrage"),
        said(
            "De opgevoerde kosten die volgens de regeling meetellen, het eigen deel van de regio en wat daarboven voor "
            "een rijksbijdrage in aanmerking komt."
        ),
        ("rijksbijdragen",),
        driven=False,
    ),
    "tekort": Figure(
        said("Landelijk tekort"),
        said(
            "Doorgerekende jaren van de scenario's in het plan, naast wat op tijd kan staan terwijl elke regio haar "
            "ondergrens houdt. Jaren, toevalsgetal en venster staan bij de tabel; 'slagkracht tekort' geeft bij "
            "hetzelfde plan dezelfde cijfers."
        ),
        ("ondergrens", "zonder-kazerne"),
        told=False,
    ),
}


@require_GET
@acting_required()
def show_receipt(request: HttpRequest, acting: Acting) -> HttpResponse:
    """What the figure ``cijfer`` rests on, at ``om`` where that is given; of a norm, or of the formations asked."""
    engine = seam.current()
    code = request.GET.get("cijfer", "restdekking")
    try:
        at = read_moment(request.GET.get("om", ""), "beeld om")
    except RefusedError:
        return render(request, "niet_gevonden.html", status=404)
    if engine is None or code not in FIGURES:
        return render(request, "niet_gevonden.html", status=404)
    figure = FIGURES[code]
    with acting_scope(acting) as own:
        situation, picture = see(own, engine) if at is None else see_then(own, engine, at)[1:]
        chains = own.rows(
            "select distinct on (chain) chain, number, hash, recorded_at from slagkracht.event where world = %s "
            "and (%s::timestamptz is null or happened_at <= %s) order by chain, number desc",
            own.world,
            at,
            at,
        )
    norm = request.GET.get("norm", "")
    codes = [norm] if code == "dekking" and norm in seam.norms(engine) else []
    context = {
        "naam": gettext(figure.name),
        "hoe": gettext(figure.how),
        "cijfer": figure,
        "toen": at,
        "regels": find_rules(
            engine, figure, [*codes, *name_doctrine(engine, code, request.GET.getlist("formatie")), *figure.rules]
        ),
        "plan": engine.plan,
        "hash": engine.plan_hash,
        "motor": __version__,
        "picture": picture,
        "bekend": int(np.isfinite(picture.age_s).sum()),
        "eenheden": len(picture.standing),
        "ketens": chains,
        "rijtijd": engine.travel,
        "regios": describe_regions(engine, situation, picture) if figure.of_regions else [],
    }
    return render(request, "verantwoording.html", context)


def name_doctrine(engine: Engine, code: str, asked: Iterable[str]) -> list[str]:
    """The rules that make the formations of a figure: those ``asked`` by a proposal, platoons, or all of doctrine."""
    known = engine.formations
    made: list[Formation] = []
    if code == "pelotons":
        made = [known[PLATOON]] if PLATOON in known else []
    elif code == "voorstel":
        made = [known[each] for each in dict.fromkeys(asked) if each in known]
    elif code == "tekort":
        made = list(known.values())
    codes = [f"formatie-{each.code}" for each in made]
    codes += [each.assignment.rule for each in made if each.assignment]
    return [*codes, "vervanging"] if any(part.substitutes for each in made for part in each.parts) else codes


def find_rules(engine: Engine, figure: Figure, codes: list[str]) -> list[tuple[Rule, RuleVersion]]:
    """The versions in force on the plan's day, a region's own after the national one."""
    plan = engine.plan
    if figure.driven:
        codes = [*codes, "verwerkingstijd", "uitruk", *([find_drive_rule(plan.roads)] if plan.roads else [])]
    return rules_in_force(plan.rules, codes, plan.day, plan.regions.code.tolist())
