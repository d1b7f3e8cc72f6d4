"""``slagkracht risico`` and ``slagkracht tekort``: what may happen, what it asks for, and what is short."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import typer

from slagkracht.cli import show
from slagkracht.cli.asked import asked_as_data, asked_rows, print_asked
from slagkracht.cli.given import Json, PlanPath, ProfilePaths, Window, existing, no_file
from slagkracht.cli.strength import read_posture
from slagkracht.cli.whole import whole_folder
from slagkracht.relief import week_from_windows
from slagkracht.reports.asked_figures import draw_asked
from slagkracht.resources import WINDOWS
from slagkracht.risks import (
    HOURS_PER_YEAR,
    METHODS,
    SEASONS,
    Calendar,
    Demand,
    Events,
    Profile,
    Risk,
    compute_calendar,
    compute_events,
    compute_impact,
    compute_likelihood,
    compute_peak_demand,
    compute_rank_range,
    compute_rank_stability,
    compute_ranking,
    compute_simultaneous,
    season_of_hours,
)
from slagkracht.sources.plan_files import read_plan
from slagkracht.sources.risk_files import read_profile
from slagkracht.sources.rule_files import read_rules
from slagkracht.sources.vocabulary import read_rows
from slagkracht.strength import Gap, Posture, Shortfall, compute_asked, compute_doctrine, compute_shortfall
from slagkracht.strength.shortfall import TOGETHER

PEAKS = {"P50": 0.5, "P90": 0.9, "P95": 0.95, "hoogst": 1.0}
DAYPARTS = [f"{hour}–{hour + 4} uur" for hour in range(0, 24, 4)]

Years = Annotated[int, typer.Option("--jaren", min=100, help="aantal jaren dat wordt doorgerekend")]
Seed = Annotated[int, typer.Option("--toeval", help="toevalsgetal; hetzelfde getal geeft dezelfde jaren")]


def register(app: typer.Typer) -> None:
    app.command("risico")(risks)
    app.command("tekort")(shortfall)


def risks(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="een plan; zonder: de startset", callback=existing)
    ] = None,
    profiles: ProfilePaths = None,
    years: Years = 100_000,
    seed: Seed = 1,
    method: Annotated[str, typer.Option("--samenvoeging", help="driemacht, gemiddelde of tienmacht")] = "driemacht",
    region: Annotated[str, typer.Option("--regio", help="alleen wat in deze regio kan gebeuren, zoals VR06")] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--uit", help="map voor rangorde.csv, vraag.csv en vraag-per-inzetmogelijkheid (csv, svg)", callback=no_file
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Toon het risicodiagram, de kans op meer grote gebeurtenissen tegelijk, en wat zij wanneer vragen.

    Voorbeeld: slagkracht risico nederland --regio VR06
    """
    if method not in METHODS:
        raise typer.BadParameter(f"onbekende samenvoeging {method!r}; kies uit {', '.join(METHODS)}")
    with show.steps() as tell, whole_folder(out) if out is not None else nullcontext() as scratch:
        tell("scenario's lezen")
        plan = None if path is None else read_plan(path)
        profile = read_profile(*(profiles or ())) if profiles or plan is None else plan.risks
        tell(f"{years} jaren doorrekenen")
        events, draw_of = compute_events(profile, years, seed)
        codes = tuple(sorted({need.formation for risk in profile.risks for need in risk.needs}))
        demand = compute_peak_demand(events, draw_of, profile, codes)
        at_once = compute_simultaneous(events)
        calendars = compute_calendars(events, profile, codes)
        tell("vraag per inzetmogelijkheid")
        rules = read_rules() if plan is None else plan.rules
        latest = max(version.starts for rule in rules.rules for version in rule.versions) if plan is None else plan.day
        asked = compute_asked(events, draw_of, profile, compute_doctrine(rules, latest).formations)
        tell("rangorde beproeven")
        diagram = _diagram(profile, _ranking(profile, seed), method, region)
        if region and not diagram:
            raise ValueError(
                f"geen scenario noemt regio {region!r}, en geen enkel scenario geldt overal; kies VR01–VR25"
            )
        if scratch is not None:
            pl.DataFrame(_ranking_rows(diagram)).write_csv(scratch / "rangorde.csv")
            pl.DataFrame(_calendar_rows(calendars)).write_csv(scratch / "vraag.csv")
            pl.DataFrame(asked_rows(asked)).write_csv(scratch / "vraag-per-inzetmogelijkheid.csv")
            (scratch / "vraag-per-inzetmogelijkheid.svg").write_text(draw_asked(asked), encoding="utf-8")
    seasons, hours = _when(events, profile)
    if json:
        show.as_json(
            {"risicodiagram": diagram, "kans_op_k_tegelijk": at_once.tolist(), "piek_per_jaar": _peaks(demand),
             "per_maand": seasons, "per_uur": hours, "vraag": _calendar_rows(calendars),
             "inzetmogelijkheden": asked_as_data(asked), "jaren": years, "toeval": seed}
        )  # fmt: skip
        return
    show.table(
        f"Risicodiagram{f' van {region}' if region else ''}: waarschijnlijkheid en effect",
        ["scenario", "thema", "keer per 100 jaar", "klasse", "effect", "rang", "vast"],
        [
            [each["scenario"], each["thema"] or "niet ingedeeld",
             f"{_often(each['keer_per_jaar'])} ({_often(each['laag'])}–{_often(each['hoog'])})",
             each["waarschijnlijkheid"], each["effect"] or "niet beoordeeld", str(each["rang"]),
             show.share(each["rang_binnen_twee"])]
            for each in diagram
        ],
        left=2,
    )  # fmt: skip
    show.screen.print(
        "'vast': hoe vaak het scenario hoogstens twee plaatsen verschuift als de gewichten anders zijn.\n"
    )
    show.table(
        "Hoe vast de rangorde is: rang per samenvoeging, en van–tot waar zij bij 9 van de 10 gewichten ligt",
        ["scenario", *METHODS],
        [
            [each["scenario"],
             *(f"{r['rang']} ({r['laag']}–{r['hoog']})" for r in (each["rangorde"][name] for name in METHODS))]
            for each in diagram
        ],
    )  # fmt: skip
    show.table(
        "Kans per jaar op zoveel grote gebeurtenissen tegelijk",
        ["tegelijk", "kans per jaar"],
        [[f"{k} of meer", show.share(chance)] for k, chance in enumerate(at_once) if k >= 1 and chance >= 0.0005],
    )
    show.table(
        "Wat op één moment wordt gevraagd: de piek van een jaar",
        ["formatie", "P50", "P90", "P95", "hoogst"],
        [
            [each["formatie"], *(show.number(each[n]) for n in ("P50", "P90", "P95", "hoogst"))]
            for each in _peaks(demand)
        ],
    )
    season, window, clock = calendars
    show.table(
        "Wanneer het wordt gevraagd: formatie-uren per jaar (piek: eens per 20 jaar meer)",
        ["formatie", "heel het jaar", *SEASONS, *WINDOWS],
        [
            [code, show.number(season.hours[f].sum()), *_asked(season, f), *_asked(window, f)]
            for f, code in enumerate(codes)
        ],
    )
    show.table(
        "Op welk uur de vraag begint: formaties per jaar",
        ["formatie", *DAYPARTS],
        [
            [code, *(f"{n:.1f}".replace(".", ",") for n in clock.begins[f].reshape(6, 4).sum(axis=1))]
            for f, code in enumerate(codes)
        ],
    )
    show.table(
        "Wanneer grote gebeurtenissen beginnen", ["", *[f"{m}" for m in range(1, 13)]],
        [["aandeel per maand", *[f"{100 * share:.0f} %" for share in seasons]]],
    )  # fmt: skip
    show.table(
        "", ["", *DAYPARTS],
        [["aandeel per dagdeel", *[f"{100 * sum(hours[h : h + 4]):.0f} %" for h in range(0, 24, 4)]]],
    )  # fmt: skip
    print_asked(asked)
    if out is not None:
        show.written(out, "rangorde.csv, vraag.csv en vraag-per-inzetmogelijkheid als csv en als tekening")
    _say_what_is_missing(profile)


def shortfall(
    path: PlanPath,
    profiles: ProfilePaths = None,
    years: Years = 20_000,
    seed: Seed = 1,
    window: Window = "dag",
    json: Json = False,
) -> None:
    """Wat is landelijk nodig, wat is er, wat komen we tekort, waardoor, en wie draagt het nu?

    Voorbeeld: slagkracht tekort nederland
    """
    with show.steps() as tell:
        posture = read_posture(path, window, tell, profiles)
        found = compute_shortfall(posture, years=years, seed=seed, tell=tell)
    if json:
        show.as_json(_gap_as_data(posture, found, seed))
        return
    _print_gap(posture, found, seed)
    _say_what_is_missing(posture.plan.risks)
    show.notes(posture.plan.notes)


def _print_gap(posture: Posture, found: Shortfall, seed: int) -> None:
    gap, codes, risks = found.gap, posture.plan.regions.code, posture.plan.risks.risks
    order = np.lexsort((-gap.needed[:, TOGETHER], -gap.expected, -gap.shortfall[:, TOGETHER]))
    show.table(
        "Het tekort: nodig op één moment, beschikbaar op tijd boven de ondergrenzen, en wat ontbreekt",
        ["formatie", "1 jaar", "5 jaar", "10 jaar", "25 jaar", "beschikbaar", "tekort 1 op 10", "kans per jaar",
         "samen"],
        [
            [gap.formations[f].dutch, *(show.number(gap.needed[f, level]) for level in range(4)),
             _range(gap.available[f], gap.available_low[f], gap.available_high[f]),
             _range(gap.shortfall[f, TOGETHER], gap.shortfall_low[f, TOGETHER], gap.shortfall_high[f, TOGETHER]),
             show.share(gap.chance_per_year[f]), show.number(found.together[f])]
            for f in order
        ],
    )  # fmt: skip
    show.screen.print(
        "Nodig: zoveel tegelijk, eens in zoveel jaar. Beschikbaar: gemiddeld (P5–P95) over paraatheid en plaatsen.\n"
        "Samen: wat ontbreekt als alles wat eens per 10 jaar nodig is, op één moment wordt gevraagd.\n"
        "Eén ploeg tegelijk: aflossing over dagen vraagt er meer (slagkracht aflossing).\n",
        markup=False,
    )
    show.table(
        "Waar het blijft: van alles wat er is tot wat er kan staan",
        ["formatie", "te vormen", "te ver", "niet paraat", "niet te missen", "beschikbaar"],
        [
            [gap.formations[f].dutch, show.number(gap.whole[f]),
             *(show.number(max(lost, 0.0)) for lost in (gap.whole[f] - gap.in_time[f], gap.in_time[f] - gap.ready[f],
                                                        gap.ready[f] - gap.available[f])),
             show.number(gap.available[f])]
            for f in order
        ],
    )  # fmt: skip
    show.table(
        "Waar het minst kan staan, en welke scenario's het meest vragen in de jaren dat het tekortschiet",
        ["formatie", "minst beschikbaar te", "meest gevraagd door"],
        [[gap.formations[f].dutch, _least_place(gap, f), _causes(risks, gap, f)] for f in order], left=3,
    )  # fmt: skip
    worth = found.worth
    rows = []
    for f in dict.fromkeys(worth.formation.tolist()):
        mine = np.flatnonzero(worth.formation == f)
        gaining = mine[worth.gain[mine] > 1e-9]
        best = [f"{codes[worth.region[w]]} (+{worth.gain[w]:.1f})".replace(".", ",") for w in gaining[:3]]
        rows.append(
            [gap.formations[f].dutch, worth.capability[gaining[0]] if len(gaining) else "–",
             ", ".join(best) or "één eenheid alleen helpt nergens",
             f"{worth.spared[gaining[0]]:.3f}".replace(".", ",") if len(gaining) else "–"]
        )  # fmt: skip
    if rows:
        show.table(
            "Wat één eenheid meer waard is, en waar het meest",
            ["formatie", "eenheid", "regio", "minder tekort per jaar"], rows, left=3,
        )  # fmt: skip
    burden, people = found.burden, posture.cover.total / posture.cover.total.sum()
    lenders = np.argsort(-np.nan_to_num(burden.index), kind="stable")
    show.table(
        "Wie draagt het nu: uitgeleende eenheid-uren per jaar naast het aandeel inwoners",
        ["regio", "leent uit", "leent in", "aandeel uitlenen", "aandeel inwoners", "verhouding"],
        [
            [f"{codes[r]} {posture.plan.regions.name[r]}", show.number(burden.lent[r]), show.number(burden.borrowed[r]),
             show.share(burden.lent[r] / max(burden.lent.sum(), 1e-300)), show.share(people[r]),
             f"{burden.index[r]:.2f}".replace(".", ",")]
            for r in lenders.tolist()
        ],
    )  # fmt: skip
    show.screen.print(f"Gelijkheid van de last (1 = ieder naar inwoners): {burden.fairness:.2f}\n".replace(".", ","))
    failing = np.flatnonzero(burden.stands < burden.asked)
    risks_of = [risks[k] for k in burden.risk.tolist()]
    show.table(
        "Scenario's die alleen al niet volledig bediend worden",
        ["scenario", "plaats", "gevraagd", "staat op tijd", "ontbreekt"],
        [
            [risks_of[q].label, risks_of[q].places[burden.place[q]].name, show.number(burden.asked[q]),
             show.number(burden.stands[q]), ", ".join(f"{n} × {code}" for code, n in burden.missing[q].items())]
            for q in failing.tolist()
        ],
        left=2,
    )  # fmt: skip
    for code in found.unknown:
        show.screen.print(
            f"· formatie {code!r} wordt gevraagd, maar de doctrine van dit plan kent haar niet", markup=False
        )
    show.screen.print(
        f"· {found.events.years} jaren, toeval {seed}; ondergrens: {posture.floors.source}",
        markup=False,
        soft_wrap=True,
    )


def _range(middle: float, low: float, high: float) -> str:
    return f"{middle:.0f} ({low:.0f}–{high:.0f})"


def _least_place(gap: Gap, f: int) -> str:
    if np.isnan(gap.per_place[f]).all():
        return "geen plaats bekend"
    p = int(np.nanargmin(gap.per_place[f]))
    return f"{gap.places[p]} ({gap.per_place[f, p]:.0f})"


def _causes(risks: tuple[Risk, ...], gap: Gap, f: int) -> str:
    most = np.argsort(-gap.cause[f], kind="stable")[:2]
    named = [f"{risks[k].code} {100 * gap.cause[f, k]:.0f} %" for k in most if gap.cause[f, k] > 0]
    return ", ".join(named) or "–"


def _gap_as_data(posture: Posture, found: Shortfall, seed: int) -> dict[str, Any]:
    gap, codes, worth, burden = found.gap, posture.plan.regions.code, found.worth, found.burden
    risks = posture.plan.risks.risks
    return {
        "tekort": [
            {
                "formatie": each.code,
                "status": each.status,
                "nodig": {
                    level: {"midden": gap.needed[f, i], "laag": gap.needed_low[f, i], "hoog": gap.needed_high[f, i]}
                    for i, level in enumerate(gap.levels)
                },
                "beschikbaar": {
                    "midden": gap.available[f], "laag": gap.available_low[f], "hoog": gap.available_high[f],
                    "te_vormen": gap.whole[f], "op_tijd": gap.in_time[f], "paraat": gap.ready[f],
                },
                "tekort": {
                    level: {
                        "midden": gap.shortfall[f, i],
                        "laag": gap.shortfall_low[f, i],
                        "hoog": gap.shortfall_high[f, i],
                    }
                    for i, level in enumerate(gap.levels)
                },
                "kans_per_jaar": gap.chance_per_year[f],
                "verwacht_tekort_per_jaar": gap.expected[f],
                "samen_eens_per_10_jaar": found.together[f],
                "per_plaats": {gap.places[p]: gap.per_place[f, p] for p in np.flatnonzero(found.supply.weight[f] > 0)},
                "oorzaken": {
                    risk.code: share for risk, share in zip(risks, gap.cause[f], strict=True) if share > 0
                },
            }
            for f, each in enumerate(gap.formations)
        ],
        "een_eenheid_meer": [
            {"formatie": gap.formations[worth.formation[w]].code, "inzetmogelijkheid": str(worth.capability[w]),
             "regio": str(codes[worth.region[w]]), "winst": worth.gain[w], "minder_tekort_per_jaar": worth.spared[w]}
            for w in range(len(worth.gain))
        ],
        "last": [
            {"regio": str(code), "leent_uit_uren": burden.lent[r], "leent_in_uren": burden.borrowed[r],
             "verhouding": burden.index[r]}
            for r, code in enumerate(codes)
        ],
        "gelijkheid": burden.fairness,
        "scenarios": [
            {"ontbreekt": burden.missing[q], "scenario": risks[burden.risk[q]].code,
             "plaats": risks[burden.risk[q]].places[burden.place[q]].name,
             "gevraagd": burden.asked[q], "staat_op_tijd": burden.stands[q]}
            for q in range(len(burden.risk))
        ],
        "zonder_plaats": [risk.code for risk in risks if not risk.places],
        "onbekende_formaties": list(found.unknown),
        "jaren": found.events.years,
        "toeval": seed,
        "ondergrens": posture.floors.source,
    }  # fmt: skip


def compute_calendars(
    events: Events, profile: Profile, formations: Sequence[str]
) -> tuple[Calendar, Calendar, Calendar]:
    """What is asked by season, by time window and by hour of the day; a simulated year begins on a Monday."""
    hour = np.arange(HOURS_PER_YEAR, dtype=np.int32)
    week = week_from_windows(read_rows("windows"))
    clock = [f"{h} uur" for h in range(24)]
    return (
        compute_calendar(events, profile, formations, SEASONS, season_of_hours()),
        compute_calendar(events, profile, formations, WINDOWS, week[hour % len(week)]),
        compute_calendar(events, profile, formations, clock, hour % 24),
    )


def _asked(calendar: Calendar, f: int) -> list[str]:
    """Per part of the year the formation-hours asked a year, with the peak that is passed in one year of 20."""
    peak = np.quantile(calendar.peak[:, f], PEAKS["P95"], axis=0, method="inverted_cdf")
    return [f"{show.number(h)} ({p:.0f})" for h, p in zip(calendar.hours[f], peak, strict=True)]


def _calendar_rows(calendars: tuple[Calendar, Calendar, Calendar]) -> list[dict[str, Any]]:
    rows = []
    for name, calendar in zip(("seizoen", "tijdvenster", "uur"), calendars, strict=True):
        peaks = {p: np.quantile(calendar.peak, q, axis=0, method="inverted_cdf") for p, q in PEAKS.items()}
        for f, code in enumerate(calendar.formations):
            for b, part in enumerate(calendar.parts):
                rows.append(
                    {"formatie": code, "indeling": name, "deel": part,
                     "formatie_uren_per_jaar": float(calendar.hours[f, b]),
                     "begint_per_jaar": float(calendar.begins[f, b]),
                     **{f"piek_{p}": int(level[f, b]) for p, level in peaks.items()}}
                )  # fmt: skip
    return rows


def _ranking(profile: Profile, seed: int) -> dict[str, npt.NDArray[np.float64]]:
    """Per way of joining the criteria: how often each scenario takes each place under other weights, float64 [K, K]."""
    return {m: compute_rank_stability(profile, draws=500, seed=seed, method=m) for m in METHODS}


def _ranking_rows(diagram: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"code": each["code"], "scenario": each["scenario"],
         **{f"{name}_{field}": value for name in METHODS for field, value in each["rangorde"][name].items()}}
        for each in diagram
    ]  # fmt: skip


def _often(rate_per_year: float) -> str:
    """Times per century: two figures that count, so that what is rare is not written as never."""
    times = 100 * rate_per_year
    return (f"{times:.0f}" if times >= 10 else f"{times:.2g}").replace(".", ",")


def _diagram(
    profile: Profile, ranking: dict[str, npt.NDArray[np.float64]], method: str, region: str
) -> list[dict[str, Any]]:
    """Every scenario with its likelihood, impact and rank, and how sure that rank is; a region's own and the shared."""
    orders = {name: compute_ranking(profile, method=name) for name in METHODS}
    ranks = {name: np.argsort(order) + 1 for name, order in orders.items()}
    ranges = {name: compute_rank_range(stability) for name, stability in ranking.items()}
    rows = []
    for k in orders[method].tolist():
        risk, rank = profile.risks[k], int(ranks[method][k])
        if region and risk.regions and region not in risk.regions:
            continue
        score = compute_impact(risk.impact, method=method)
        rows.append(
            {
                "code": risk.code, "scenario": risk.label, "thema": risk.theme, "crisistype": risk.crisis_type,
                "regios": list(risk.regions), "keer_per_jaar": risk.rate_per_year, "laag": risk.rate_low,
                "hoog": risk.rate_high, "waarschijnlijkheid": compute_likelihood(risk.rate_per_year),
                "effect": "ABCDE"[round(score)] if np.isfinite(score) else "", "effect_score": score,
                "rang": rank, "rang_binnen_twee": float(ranking[method][k, max(rank - 3, 0) : rank + 2].sum()),
                "rangorde": {
                    name: {"rang": int(ranks[name][k]), "laag": int(ranges[name][0][k]),
                           "hoog": int(ranges[name][1][k])}
                    for name in METHODS
                },
                "bron": risk.source, "status": risk.status,
            }
        )  # fmt: skip
    return rows


def _peaks(demand: Demand) -> list[dict[str, Any]]:
    values = {name: np.quantile(demand.peak, q, axis=0, method="inverted_cdf") for name, q in PEAKS.items()}
    return [{"formatie": code, **{name: values[name][f] for name in PEAKS}} for f, code in enumerate(demand.formations)]


def _when(events: Events, profile: Profile) -> tuple[list[float], list[float]]:
    month = np.minimum((events.start_h / 730.0).astype(np.int64), 11)
    hour = (events.start_h % 24).astype(np.int64)
    total = max(len(events), 1)
    return (np.bincount(month, minlength=12) / total).tolist(), (np.bincount(hour, minlength=24) / total).tolist()


def _say_what_is_missing(profile: Profile) -> None:
    nowhere = [risk.label for risk in profile.risks if not risk.places]
    unclassed = [risk.label for risk in profile.risks if not risk.theme]
    if nowhere:
        show.screen.print(
            f"· zonder plaats, dus wel in de vraag en niet op de kaart: {', '.join(nowhere)}",
            markup=False,
            soft_wrap=True,
        )
    if unclassed:
        show.screen.print(
            f"· in geen van de zeven thema's, onder hun eigen naam gehouden: {', '.join(unclassed)}",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    unsure = sum(risk.status != "vastgesteld" for risk in profile.risks)
    show.screen.print(
        f"· {unsure} van {len(profile.risks)} scenario's berusten op aannamen (te verifiëren)", markup=False
    )
