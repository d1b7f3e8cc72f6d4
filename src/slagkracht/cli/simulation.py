"""``slagkracht simulatie`` and ``prestatie``: years that have not happened yet, and any log beside its promise."""

from __future__ import annotations

import datetime
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from slagkracht.cli import show
from slagkracht.cli.given import Json, PlanPath, ending, existing
from slagkracht.cli.whole import whole_file
from slagkracht.coverage import compute_arrivals, compute_call_handling, compute_coverage
from slagkracht.lessons import draw_lessons
from slagkracht.log import format_event, parse_event
from slagkracht.performance import SHARES, Performance, compute_performance, observe
from slagkracht.plan import Plan, compute_plan_travel
from slagkracht.resources import WINDOWS, capability_column, compute_standing
from slagkracht.risks import compute_events
from slagkracht.rules import rule_in_force
from slagkracht.simulation import (
    REASONS,
    Deployments,
    Ensemble,
    ReliefRule,
    Scenario,
    Setup,
    compute_absences,
    compute_deployments,
    compute_response_percentile,
    compute_setup,
    record,
    simulate_year,
    simulate_years,
)
from slagkracht.sources.incident_files import read_scenario, read_week_windows
from slagkracht.sources.plan_files import read_plan
from slagkracht.strength import Cover, Floors, compute_cover, compute_doctrine, compute_floors
from slagkracht.travel import Travel

HOLDERS = 24
Norm = Annotated[str, typer.Option("--norm", help="code van de norm waaraan gemeten wordt")]


def register(app: typer.Typer) -> None:
    app.command("simulatie")(simulate)
    app.command("prestatie")(performance)


def simulate(
    path: PlanPath,
    years: Annotated[int, typer.Option("--jaren", help="hoeveel jaren", min=1, max=100_000)] = 10,
    seed: Annotated[int, typer.Option("--zaad", help="hetzelfde zaad geeft dezelfde jaren")] = 1,
    scenario: Annotated[
        Path | None,
        typer.Option("--scenario", help="TOML met beleid en soorten incidenten", callback=existing),
    ] = None,
    crises: Annotated[bool, typer.Option("--crises/--zonder-crises", help="grote inzetten met bijstand")] = False,
    workers: Annotated[int, typer.Option("--werkers", help="processen; 0 = in dit proces", min=0, max=512)] = 0,
    cluster: Annotated[str, typer.Option("--cluster", help="adres van een dask-cluster, zoals tcp://host:8786")] = "",
    norm: Norm = "bvr-3.2.1",
    log: Annotated[
        Path | None,
        typer.Option("--logboek", help="schrijf een week van jaar 0 als logboek (jsonl)", callback=ending(".jsonl")),
    ] = None,
    week: Annotated[int, typer.Option("--week", help="welke week van het jaar", min=1, max=52)] = 1,
    json: Json = False,
) -> None:
    """Laat jaren gebeuren: incidenten, alarmering, herbezetting, opschaling. Met logboek als van een echte week.

    Voorbeeld: slagkracht simulatie nederland --jaren 10 --logboek week.jsonl
    """
    with show.steps() as tell, whole_file(log) if log is not None else nullcontext() as scratch:
        tell("plan lezen")
        plan = read_plan(path)
        chosen = read_scenario(plan.rules, plan.day, scenario)
        tell("rijtijden berekenen")
        travel = compute_plan_travel(plan)
        tell("klaarzetten")
        setup = prepare(plan, travel, chosen, seed, norm)
        deployments: list[Deployments] = []
        if crises:
            tell("grote inzetten berekenen")
            deployments = deploy(plan, travel, chosen, setup, years, seed, norm)
            absences = [compute_absences(each) for each in deployments]
            setup = prepare(plan, travel, chosen, seed, norm, absences)
        tell(f"{years} jaar simuleren")
        ensemble = run(setup, years, workers, cluster)
        if scratch is not None:
            tell("logboek schrijven")
            from_s = (week - 1) * 7 * 86_400.0
            events = record(
                simulate_year(setup, 0), plan, from_s, from_s + 7 * 86_400.0, deployments[0] if crises else None
            )
            scratch.write_text("".join(format_event(event) + "\n" for event in events), encoding="utf-8")
    if json:
        show.as_json(_ensemble_data(plan, ensemble, seed))
        return
    _print_ensemble(plan, ensemble, chosen, norm)
    if deployments:
        _print_crises(deployments)
    show.notes((*plan.notes, *chosen.notes))
    show.screen.print(f"zaad {seed}, jaren 0–{years - 1}", markup=False)
    if log is not None:
        show.screen.print(f"Geschreven: {log} ({len(events)} feiten)", markup=False)


def prepare(plan: Plan, travel: Travel, scenario: Scenario, seed: int, norm: str, absences: Any = ()) -> Setup:
    """A calendar year of the plan, with what is in time by the norm of its day."""
    coverage = compute_coverage(plan, travel, windows=WINDOWS[:1], norms=(norm,), chance=False)[0]
    start = datetime.datetime(plan.day.year, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    return compute_setup(
        plan, travel, scenario, start=start, week_window=read_week_windows(), seed=seed,
        limit_s=np.nan_to_num(coverage.limit_s, nan=np.inf), absences=absences,
    )  # fmt: skip


def deploy(
    plan: Plan, travel: Travel, scenario: Scenario, setup: Setup, years: int, seed: int, norm: str
) -> list[Deployments]:
    """The large events of every year by the national risk profile, served within the lenders' floors."""
    events, _ = compute_events(plan.risks, years, seed, draws=min(20, years))
    standing = compute_standing(plan.units, plan.stations, WINDOWS[0])
    cover, floors = _floors(plan, travel)
    _, relief = rule_in_force(plan.rules, "aflossing", plan.day)
    rule = ReliefRule(float(relief["inzet_uren"]), float(relief["rust_uren"]))
    doctrine = compute_doctrine(plan.rules, plan.day)
    return [
        compute_deployments(
            events, year, plan.risks, standing, travel, plan.areas, plan.regions.code, doctrine, cover, floors, rule,
            seed=seed, daily=simulate_year(setup, year),
        )
        for year in range(years)
    ]  # fmt: skip


def run(setup: Setup, years: int, workers: int, cluster: str) -> Ensemble:
    """Here, in processes on this machine, or on a dask cluster: the same years."""
    if cluster:
        from distributed import Client

        with Client(cluster) as client:  # type: ignore[no-untyped-call]
            return simulate_years(client.scatter(setup, broadcast=True), years, executor=client.get_executor())
    pool: Any = ProcessPoolExecutor(workers, mp_context=get_context("spawn")) if workers else nullcontext()
    with pool as executor:
        chosen: Executor | None = executor
        return simulate_years(setup, years, executor=chosen, batch=max(1, min(50, years // max(4 * workers, 1))))


def performance(
    path: PlanPath,
    log: Annotated[
        Path, typer.Argument(metavar="LOGBOEK", help="een regel JSON per feit", exists=True, dir_okay=False)
    ],
    norm: Norm = "bvr-3.2.1",
    kinds: Annotated[list[str] | None, typer.Option("--soort", help="alleen deze soorten aan de norm meten")] = None,
    lessons: Annotated[bool, typer.Option("--lessen/--zonder-lessen", help="kandidaat-lessen tonen")] = True,
    json: Json = False,
) -> None:
    """Meet een logboek, echt of gesimuleerd, aan wat het plan beloofde; met kandidaat-lessen.

    Voorbeeld: slagkracht prestatie nederland week.jsonl --norm bvr-3.2.1 --soort gebouwbrand
    """
    with show.steps() as tell:
        tell("plan lezen")
        plan = read_plan(path)
        with log.open(encoding="utf-8") as lines:
            events = [parse_event(line) for line in lines if line.strip()]
        tell("rijtijden berekenen")
        travel = compute_plan_travel(plan)
        tell("dekking berekenen")
        promised = compute_coverage(plan, travel, norms=(norm,))
        tell("meten")
        cover, floors = _floors(plan, travel)
        _, asked = rule_in_force(plan.rules, norm, plan.day)
        capable = None
        if "inzetmogelijkheid" in asked:
            capable = capability_column(plan.units, asked["inzetmogelijkheid"])
        measured = compute_performance(
            observe(events, plan), plan, promised=promised, capable=capable, nth=int(asked.get("eenheid", 1)),
            kinds=tuple(kinds or ()), cover=cover, floors=floors,
        )  # fmt: skip
        candidates = draw_lessons(measured, plan, log.stem) if lessons else ()
    if json:
        data = _performance_data(plan, measured)
        show.as_json(data | {"lessen": [each.what for each in candidates]})
        return
    _print_performance(plan, measured)
    if candidates:
        rows = [[each.lesson, each.kind, each.rule or each.resource or "–", each.what] for each in candidates]
        show.table(
            "Kandidaat-lessen: mensen besluiten wat een les is", ["nr.", "soort", "betreft", "wat"], rows, left=4
        )
    show.notes(plan.notes)


def _floors(plan: Plan, travel: Travel) -> tuple[Cover, Floors]:
    _, rule = rule_in_force(plan.rules, "ondergrens", plan.day)
    handling_s, _ = compute_call_handling(plan)
    standing = compute_standing(plan.units, plan.stations, WINDOWS[0])
    arrivals = compute_arrivals(standing, travel, rule["inzetmogelijkheid"], call_handling_s=handling_s, depth=HOLDERS)
    cover = compute_cover(arrivals, len(standing), plan.areas, float(rule["grens_s"]), len(plan.regions))
    return cover, compute_floors(cover, float(rule["marge"]))


def _print_ensemble(plan: Plan, ensemble: Ensemble, scenario: Scenario, norm: str) -> None:
    def row(name: str, histogram: Any, incidents: Any, in_time: Any) -> list[str]:
        yearly = in_time / np.maximum(incidents, 1)
        band = f"{show.share(np.quantile(yearly, 0.05))} – {show.share(np.quantile(yearly, 0.95))}"
        times = [show.minutes(float(compute_response_percentile(histogram, s))) for s in (0.5, 0.9)]
        total = in_time.sum() / max(int(incidents.sum()), 1)
        return [name, show.number(incidents.mean()), *times, show.share(total), band]

    rows = [row("alle regio's", ensemble.response.sum(axis=0), ensemble.incidents.sum(axis=1),
                ensemble.in_time.sum(axis=1))]  # fmt: skip
    rows += [
        row(f"{code} {name}", ensemble.response[r], ensemble.incidents[:, r], ensemble.in_time[:, r])
        for r, (code, name) in enumerate(zip(plan.regions.code, plan.regions.name, strict=True))
    ]
    title = f"{len(ensemble)} jaar: eerste eenheid, {scenario.dispatch}, herbezetting {scenario.move_up}, norm {norm}"
    columns = ["regio", "incidenten per jaar", "mediaan", "90 %", "op tijd", "tussen jaren (90 %)"]
    show.table(title, columns, rows)
    unmet = [[reason, show.number(n)] for reason, n in zip(REASONS, ensemble.unmet.mean(axis=0), strict=True)]
    unmet += [["herbezettingen", show.number(ensemble.moves.mean())]]
    show.table("Per jaar: gevraagd en niet gekomen, naar reden", ["wat", "aantal"], unmet)
    busiest = np.argsort(-ensemble.alarms)[:10]
    show.table(
        "Drukste eenheden",
        ["eenheid", "kazerne", "alarmeringen per jaar", "uur bezet per jaar"],
        [
            [str(plan.units.unit_id[u]), str(plan.stations.name[plan.units.station[u]]),
             show.number(ensemble.alarms[u] / len(ensemble)), show.number(ensemble.busy_s[u] / 3600 / len(ensemble))]
            for u in busiest.tolist()
        ],
        left=2,
    )  # fmt: skip


def _print_crises(deployments: list[Deployments]) -> None:
    rows = [
        [str(y), str(each.what[c]), f"{(each.end_s[c] - each.start_s[c]) / 3600:.0f}",
         show.number(float((each.crisis == c).sum())), show.number(float(each.gap_count[each.gap_crisis == c].sum()))]
        for y, each in enumerate(deployments)
        for c in range(len(each))
    ]  # fmt: skip
    shown = rows[:40]
    more = f" (eerste 40 van {len(rows)})" if len(rows) > 40 else ""
    columns = ["jaar", "wat", "uren", "ploegen, alle aflossingen", "formaties tekort, per aflossing"]
    show.table(f"Grote inzetten{more}", columns, shown, left=2)


def _print_performance(plan: Plan, measured: Performance) -> None:
    r = measured.responses
    rows = [
        [f"{r.group[g]} {r.name[g]}", show.number(r.incidents[g]),
         *[show.minutes(float(measured.responses.percentile_s[g, SHARES.index(s)])) for s in (0.5, 0.9)],
         show.share(r.in_time[g]), f"{show.share(r.low[g])} – {show.share(r.high[g])}", show.share(r.promised[g])]
        for g in np.flatnonzero(r.incidents > 0).tolist()
    ]  # fmt: skip
    columns = ["wie", "incidenten", "mediaan", "90 %", "op tijd", "95 % zeker", "beloofd"]
    show.table(f"Gemeten tegen beloofd: {measured.norm}", columns, rows)
    late = np.argsort(-(measured.late_response_s - measured.late_limit_s))[:10]
    show.table(
        f"Te laat: {len(measured.late)} incidenten; de tien die het meest over de tijd gingen",
        ["incident", "soort", "opkomsttijd", "norm"],
        [
            [str(measured.observed.incident[measured.late[i]]), str(measured.observed.kind[measured.late[i]]),
             show.minutes(measured.late_response_s[i]), show.minutes(measured.late_limit_s[i])]
            for i in late.tolist()
        ],
        left=2,
    )  # fmt: skip
    hours = measured.observed.end_s / 3600
    busiest = np.argsort(-measured.station_busy_s)[:10]
    show.table(
        f"Drukste kazernes in {hours:.0f} uur",
        ["kazerne", "alarmeringen", "uur bezet"],
        [
            [str(plan.stations.name[s]), show.number(measured.station_alarms[s]),
             f"{measured.station_busy_s[s] / 3600:.1f}".replace(".", ",")]
            for s in busiest.tolist()
        ],
    )  # fmt: skip
    below = np.flatnonzero(measured.below_floor_s > 0)
    if len(below):
        show.table(
            "Onder de eigen ondergrens",
            ["regio", "uur", "laagste restdekking"],
            [
                [str(plan.regions.code[i]), f"{measured.below_floor_s[i] / 3600:.1f}".replace(".", ","),
                 show.share(measured.lowest_share[i])]
                for i in below.tolist()
            ],
        )  # fmt: skip
    if measured.unmet:
        rows = [[what, reason, show.number(count)] for what, reason, count in measured.unmet]
        show.table("Gevraagd en niet gekomen", ["wat", "waarom", "aantal"], rows, left=2)
    for why, count in measured.observed.strangers.items():
        show.screen.print(f"Buiten beschouwing: {count} × {why}", markup=False)


def _ensemble_data(plan: Plan, ensemble: Ensemble, seed: int) -> dict[str, Any]:
    whole = ensemble.response.sum(axis=0)
    return {
        "jaren": len(ensemble), "zaad": seed, "incidenten_per_jaar": float(ensemble.incidents.sum(axis=1).mean()),
        "mediaan_s": compute_response_percentile(whole, 0.5), "p90_s": compute_response_percentile(whole, 0.9),
        "op_tijd": float(ensemble.in_time.sum() / ensemble.incidents.sum()),
        "regios": [
            {"regio": str(code),
             "op_tijd": float(ensemble.in_time[:, r].sum() / max(ensemble.incidents[:, r].sum(), 1)),
             "p90_s": float(compute_response_percentile(ensemble.response[r], 0.9))}
            for r, code in enumerate(plan.regions.code)
        ],
        "niet_gekomen_per_jaar": dict(zip(REASONS, ensemble.unmet.mean(axis=0).tolist(), strict=True)),
        "herbezettingen_per_jaar": float(ensemble.moves.mean()),
    }  # fmt: skip


def _performance_data(plan: Plan, measured: Performance) -> dict[str, Any]:
    r = measured.responses
    return {
        "norm": measured.norm,
        "groepen": [
            {"soort": str(r.group[g]), "naam": str(r.name[g]), "incidenten": int(r.incidents[g]),
             "percentielen_s": r.percentile_s[g].tolist(), "op_tijd": float(r.in_time[g]), "laag": float(r.low[g]),
             "hoog": float(r.high[g]), "beloofd": float(r.promised[g])}
            for g in range(len(r))
        ],
        "te_laat": [str(measured.observed.incident[i]) for i in measured.late.tolist()],
        "onder_ondergrens_s": {
            str(code): float(s) for code, s in zip(plan.regions.code, measured.below_floor_s, strict=True)
        },
        "niet_gekomen": [{"wat": w, "waarom": y, "aantal": n} for w, y, n in measured.unmet],
    }  # fmt: skip
