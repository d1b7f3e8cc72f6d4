"""``slagkracht dekking``, ``variant``, ``controleer``: who is reached when, and can it be recomputed."""

from __future__ import annotations

import dataclasses
import hashlib
import json as json_module
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer

from slagkracht.cli import show
from slagkracht.cli.given import Folder, Json, Norms, PlanPath, Window, Windows, ending, existing
from slagkracht.cli.whole import whole_file, whole_folder
from slagkracht.coverage import (
    AddUnit,
    Coverage,
    CoverageTable,
    Nearest,
    OpenStation,
    Receipt,
    Variant,
    apply_variant,
    compare_receipt,
    compute_coverage,
    compute_difference,
    compute_nearest,
    compute_table,
    norms_in_force,
)
from slagkracht.plan import Plan, compute_plan_travel, compute_reach
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.map_page import write_map_page
from slagkracht.reports.results import Result, compute_result_receipt
from slagkracht.reports.tables import compute_area_map, compute_area_table, write_table
from slagkracht.resources import WINDOWS, compute_standing
from slagkracht.sources.facts import read_municipalities
from slagkracht.sources.plan_files import read_plan
from slagkracht.sources.refusal import Finding, RefusalError, say_why
from slagkracht.sources.variant_files import read_variant
from slagkracht.travel import Travel


def register(app: typer.Typer) -> None:
    app.command("dekking")(coverage)
    app.command("variant")(variant)
    app.command("controleer")(check)


def coverage(
    path: PlanPath,
    windows: Windows = None,
    norms: Norms = None,
    apart: Annotated[bool, typer.Option("--samen-en-alleen/--samen", help="elke regio ook op eigen kracht")] = False,
    region: Annotated[str, typer.Option("--regio", help="toon de gemeenten van één regio")] = "",
    scenario: Annotated[
        str, typer.Option("--scenario", help="rijden in bijzondere omstandigheden, zoals sneeuw of snelwegen_dicht")
    ] = "",
    out: Folder = None,
    json: Json = False,
) -> None:
    """Bereken wie wanneer bereikt wordt.

    Elke norm die geldt (of --norm), elk tijdvenster (of --venster), met alle regio's samen; met --samen-en-alleen ook
    elke regio met alleen haar eigen eenheden.

    Voorbeeld: slagkracht dekking nederland --norm bvr-3.2.1 --venster nacht --uit uitkomst
    """
    with show.steps() as tell, whole_folder(out) if out is not None else nullcontext() as scratch:
        tell("plan lezen")
        plan = read_plan(path)
        if region and region not in plan.regions.code:
            raise typer.BadParameter(f"regio {region!r} staat niet in dit plan; wel: {', '.join(plan.regions.code)}")
        result = compute(plan, windows, norms, alone=apart, tell=tell, scenario=scenario)
        if scratch is not None:
            tell("tabellen schrijven")
            write_result(result, scratch, path)
    number, _ = compute_result_receipt(result)
    if json:
        show.as_json(
            {
                "plan": plan.name,
                "scenario": scenario,
                "verantwoording": number,
                "dekking": [_rows(plan, c) for c in result.together],
            }
        )
        return
    print_nation(result)
    if region:
        _print_municipalities(result, region)
    show.notes(plan.notes)
    show.screen.print(f"verantwoording {number}", markup=False)
    if out is not None:
        show.written(out, "tabellen, kaartlagen, verantwoording.json")


def compute(
    plan: Plan,
    windows: Sequence[str] | None = None,
    norms: Sequence[str] | None = None,
    *,
    alone: bool = True,
    tell: Callable[[str], None] = lambda _: None,
    travel: Travel | None = None,
    scenario: str = "",
) -> Result:
    """A plan's drives and coverage under every norm, together and (where asked) each region alone."""
    travel = travel or drive(plan, tell, scenario)
    chosen = tuple(windows or WINDOWS)
    codes = tuple(norms or norms_in_force(plan))
    tell("dekking berekenen")
    together = compute_coverage(plan, travel, windows=chosen, norms=codes, progress=tell)
    apart: tuple[Coverage, ...] = ()
    if alone:
        apart = compute_coverage(plan, travel, windows=chosen, norms=codes, alone=True, progress=tell)
    return Result(plan, travel, together, apart, scenario=scenario)


def drive(plan: Plan, tell: Callable[[str], None], scenario: str = "") -> Travel:
    """Every drive of the plan, telling how far it is."""
    tell("rijtijden berekenen")
    return compute_plan_travel(
        plan,
        scenario=scenario,
        progress=lambda done, all_: tell(f"rijtijden berekenen: {show.number(done)} van {show.number(all_)}"),
    )


EXPLANATION = (
    "op tijd: inwoners van wie de opkomsttijd binnen de norm ligt. verwacht: de gemiddelde kans op tijd te zijn, als "
    "paraatheid en de spreiding van uitruk- en rijtijden meetellen.",
    "mediaan, 90 %: de opkomsttijd die de helft, en negen van de tien inwoners, hooguit hebben. Geteld over inwoners, "
    "niet over incidenten: naast de landelijke mediaan van 8:27 over branden (2021) mag dit niet gelegd worden.",
)
"""What the national table's columns mean, and what they may not be compared with."""


def print_nation(result: Result) -> None:
    """The national table: every norm and window in one line each, then the regions for the first norm."""
    plan = result.plan
    rows, beside = [], []
    apart = {(c.norm, c.window): c for c in result.alone}
    for each in result.together:
        table = compute_table(each, plan.areas, plan.regions)
        own = apart.get((each.norm, each.window))
        mark = "" if each.status == "vastgesteld" else " *"
        rows.append(
            [f"{each.dutch}{mark}", each.window, show.share(table.share[0]), show.share(table.expected_share[0]),
             show.minutes(table.median_s[0]), show.minutes(table.p90_s[0]), show.number(table.unreachable[0])]
        )  # fmt: skip
        if own is not None:
            beside.append(
                [f"{each.dutch}{mark}", each.window, show.share(table.share[0]), *_apart(plan, table, own, 0)]
            )
    columns = ["norm (* = te verifiëren)", "venster", "op tijd", "verwacht", "mediaan", "90 %", "onbereikbaar"]
    special = f" · scenario {result.scenario}" if result.scenario else ""
    show.table(f"{show.whole(plan)} · {plan.name} · {plan.day:%d-%m-%Y}{special}", columns, rows, left=2)
    show.notes(EXPLANATION)
    if beside:
        columns = ["norm (* = te verifiëren)", "venster", "samen", "alleen", "samen wint"]
        show.table("Samen, en elke regio met alleen haar eigen eenheden", columns, beside, left=2)
    if result.scenario:
        show.notes(
            [f"Scenario {result.scenario}: gerekend met bijzondere rijtijden. Dit is niet het dekkingsplan zelf."]
        )
    first = result.together[0]
    together = compute_table(first, plan.areas, plan.regions, "regio")
    own = apart.get((first.norm, first.window))
    lines = []
    for row, (code, name) in enumerate(zip(plan.regions.code, plan.regions.name, strict=True)):
        line = [f"{code} {name}", show.share(together.share[row]), show.minutes(together.median_s[row])]
        line += [show.minutes(together.p90_s[row]), show.number(together.population[row] - together.in_time[row])]
        if own is not None:
            line += _apart(plan, together, own, row)
        lines.append(line)
    heads = ["regio", "op tijd", "mediaan", "90 %", "niet op tijd"]
    heads += ["alleen", "samen wint"] if own is not None else []
    show.table(f"Per regio · {first.dutch}, {first.window}{special}", heads, lines)


def _apart(plan: Plan, together: CoverageTable, alone: Coverage, row: int) -> list[str]:
    """The share that is in time when each region has only its own units, and how many people cooperation wins."""
    own = compute_table(alone, plan.areas, plan.regions, together.by)
    gain = together.in_time[row] - own.in_time[row]
    return [show.share(own.share[row]), ("+" if gain > 0 else "") + show.number(gain)]


def _print_municipalities(result: Result, region: str) -> None:
    plan, first = result.plan, result.together[0]
    codes = plan.regions.code.tolist()
    facts = read_municipalities()
    called = dict(zip(facts.code.tolist(), facts.name.tolist(), strict=True))
    table = compute_table(first, plan.areas, plan.regions, "gemeente")
    inside = set(plan.areas.municipality[plan.areas.region == codes.index(region)].tolist())
    rows = [
        [called.get(name, name), show.share(table.share[row]), show.minutes(table.median_s[row]),
         show.minutes(table.p90_s[row]), show.number(table.population[row] - table.in_time[row])]
        for row, name in enumerate(table.name.tolist()) if name in inside
    ]  # fmt: skip
    show.table(
        f"Gemeenten van {region} · {first.dutch}, {first.window}",
        ["gemeente", "op tijd", "mediaan", "90 %", "niet op tijd"],
        sorted(rows),
    )


def variant(
    path: PlanPath,
    files: Annotated[
        list[Path], typer.Argument(help="een of meer variantbestanden (toml)", metavar="VARIANT…", callback=existing)
    ],
    window: Window = "dag",
    norm: Annotated[str, typer.Option("--norm", help="code van de norm; zonder: de eerste die geldt")] = "",
    out: Annotated[Path | None, typer.Option("--uit", help="verschilkaart (html)", callback=ending(".html"))] = None,
    json: Json = False,
) -> None:
    """Bereken wat een variant verandert, en voor wie.

    Meer varianten mogen naast elkaar: voor wie, hoeveel, en welke kazerne welke vervangt.

    Voorbeeld: slagkracht variant nederland sluit-post.toml verplaats-post.toml --uit verschil.html
    """
    with show.steps() as tell, whole_file(out) if out is not None else nullcontext() as scratch:
        tell("plan lezen")
        plan = read_plan(path)
        edits = [read_variant(file) for file in files]
        code = norm or norms_in_force(plan)[0]
        base = compute(plan, [window], [code], alone=False, tell=tell)
        results, nearest = [base], compute_nearest(base.travel)
        for edit in edits:
            tell(f"variant {edit.name}")
            results.append(compute_variant(base, edit, nearest))
        if scratch is not None:
            tell("verschilkaart tekenen")
            write_map_page(scratch, results, compute_drawing(plan), opens_on="verschil")
    differences = [
        compute_difference(
            changed.name, base.together[0], changed.together[0],
            compute_standing(plan.units, plan.stations, window),
            compute_standing(changed.plan.units, changed.plan.stations, window), plan.areas, plan.regions,
        )
        for changed in results[1:]
    ]  # fmt: skip
    if json:
        show.as_json([{**_difference(d), "naam": d.variant} for d in differences])
        return
    for each, changed in zip(differences, results[1:], strict=True):
        judged = each.population.sum()
        before, after = each.before_in_time.sum() / judged, each.after_in_time.sum() / judged
        changed_people = [show.number(each.gained.sum()), show.number(each.lost.sum())]
        rows = [[show.whole(plan), show.share(before), show.share(after), *changed_people]]
        touched = np.flatnonzero((each.gained > 0) | (each.lost > 0))
        for row in touched[np.argsort(-(each.gained + each.lost)[touched])]:
            rows.append(
                [f"{plan.regions.code[row]} {plan.regions.name[row]}",
                 show.share(each.before_in_time[row] / each.population[row]),
                 show.share(each.after_in_time[row] / each.population[row]),
                 show.number(each.gained[row]), show.number(each.lost[row])]
            )  # fmt: skip
        title = f"{each.variant} · {base.together[0].dutch}, {window}"
        show.table(title, ["regio", "voor", "na", "wint (inwoners)", "verliest"], rows)
        _print_replacements(plan, changed.plan, each)
    for edit in edits:
        show.notes(_find_silent(plan, edit, window))
    if out is not None:
        show.written(out)


def compute_variant(base: Result, each: Variant, nearest: Nearest | None = None) -> Result:
    """The coverage of ``base`` after a variant: same norms, same windows, only what it touches computed anew.

    ``nearest`` of the base's drive times spares sorting them again for a variant that moves no station.
    """
    reach = compute_reach(base.plan) if base.plan.roads is not None else None
    plan, travel = apply_variant(base.plan, base.travel, each, reach)
    windows = list(dict.fromkeys(c.window for c in base.together))
    norms = list(dict.fromkeys(c.norm for c in base.together))
    same = nearest if travel is base.travel else None
    covered = compute_coverage(plan, travel, windows=windows, norms=norms, nearest=same)
    return Result(plan, travel, covered, (), each.name)


def _find_silent(plan: Plan, each: Variant, window: str) -> list[str]:
    """A sentence for every station or unit that a variant closes or changes while it sends nothing in this window."""
    ready = plan.units.readiness[:, WINDOWS.index(window)] > 0
    station_of = plan.stations.station_id[plan.units.station]
    lines = []
    for edit in each.edits:
        unit, station = getattr(edit, "unit_id", ""), getattr(edit, "station_id", "")
        if isinstance(edit, AddUnit | OpenStation):
            continue
        if station in plan.stations.station_id and not ready[station_of == station].any():
            name = plan.stations.name[plan.stations.station_id == station][0]
            lines.append(f"{each.name}: kazerne {station} ({name}) stuurt in het plan in venster {window} niets.")
        elif unit in plan.units.unit_id and not ready[plan.units.unit_id == unit].any():
            lines.append(
                f"{each.name}: eenheid {unit} is in het plan in venster {window} niet paraat en rukt niet uit."
            )
    return lines


def _print_replacements(plan: Plan, edited: Plan, each: Any) -> None:
    """Which station replaced which, for how many people, the largest ten."""
    changed = np.flatnonzero(each.station_before != each.station_after)
    after = edited.stations.name
    people: dict[tuple[str, str], float] = {}
    for area in changed.tolist():
        old, new = int(each.station_before[area]), int(each.station_after[area])
        key = (str(plan.stations.name[old]) if old >= 0 else "niemand", str(after[new]) if new >= 0 else "niemand")
        people[key] = people.get(key, 0.0) + float(plan.areas.population[area])
    rows = [[old, new, show.number(n)] for (old, new), n in sorted(people.items(), key=lambda item: -item[1])[:10]]
    if rows:
        show.table("Eerst aankomende kazerne", ["was", "wordt", "inwoners"], rows, left=2)


def _difference(each: Any) -> dict[str, Any]:
    return {
        "norm": each.norm, "venster": each.window,
        "regios": [
            {"regio": code, "inwoners": p, "op_tijd_voor": b, "op_tijd_na": a, "wint": g, "verliest": v}
            for code, p, b, a, g, v in zip(
                each.region.tolist(), each.population, each.before_in_time, each.after_in_time, each.gained, each.lost,
                strict=True,
            )
        ],
    }  # fmt: skip


RESULT_FILES = ("dekking.parquet", "dekking.csv", "dekking.gpkg", "dekking.geojson")
"""What a result folder holds beside its receipt."""


def write_result(result: Result, folder: Path, plan_path: Path) -> None:
    """Tables, map layers and the receipt of a result, in one folder; the receipt names ``plan_path``."""
    folder.mkdir(parents=True, exist_ok=True)
    number, receipt = compute_result_receipt(result)
    coverages = [*result.together, *result.alone]
    drawing = compute_drawing(result.plan)
    table = compute_area_table(result.plan, coverages, number)
    flat = compute_area_map(result.plan, coverages, number)
    if result.scenario:
        table, flat = (each.with_columns(scenario=pl.lit(result.scenario)) for each in (table, flat))
    write_table(folder / "dekking.parquet", table)
    write_table(folder / "dekking.csv", table)
    shapes = drawing.cells[drawing.cell_of]
    write_table(folder / "dekking.gpkg", flat, shapes)
    write_table(folder / "dekking.geojson", flat, shapes)
    text = {
        "plan": str(plan_path.resolve()),
        "vensters": list(dict.fromkeys(c.window for c in result.together)),
        "normen": list(dict.fromkeys(c.norm for c in result.together)),
        "alleen": bool(result.alone),
        "scenario": result.scenario,
        "nummer": number,
        "bestanden": {name: _sha256(folder / name) for name in RESULT_FILES},
        "verantwoording": dataclasses.asdict(receipt),
    }
    (folder / "verantwoording.json").write_bytes(_seal(text))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _seal(text: dict[str, Any]) -> bytes:
    """The bytes of a receipt file: ``text`` and, last, the SHA-256 of everything before it."""
    inner = {key: value for key, value in text.items() if key != "zegel"}
    seal = hashlib.sha256(json_module.dumps(inner, ensure_ascii=False).encode()).hexdigest()
    return json_module.dumps({**inner, "zegel": seal}, ensure_ascii=False, indent=2).encode()


def check(
    path: Annotated[
        Path,
        typer.Argument(
            help="map die 'dekking --uit' schreef, of verantwoording.json", metavar="RESULTAAT", callback=existing
        ),
    ],
    plan_path: Annotated[
        Path | None, typer.Option("--plan", help="het plan, als het verplaatst is", callback=existing)
    ] = None,
) -> None:
    """Reken een resultaat na.

    Leest de verantwoording, rekent opnieuw en vergelijkt elk cijfer en elk bestand in de map; afsluitcode 3 als er een
    niet klopt. Van alleen een verantwoording.json worden de cijfers vergeleken, niet de bestanden.

    Voorbeeld: slagkracht controleer uitkomst
    """
    file = path / "verantwoording.json" if path.is_dir() else path
    recorded, text = read_receipt(file)
    with show.steps() as tell:
        tell("plan lezen")
        plan = read_plan(plan_path or Path(text["plan"]))
        result = compute(
            plan, text["vensters"], text["normen"], alone=text["alleen"], tell=tell, scenario=text["scenario"]
        )
        tell("vergelijken")
        number, recomputed = compute_result_receipt(result)
    differences = [*compare_receipt(recorded, recomputed)]
    if not differences and text["nummer"] != number:
        differences.append(f"nummer: vastgelegd {text['nummer']}, nu {number}")
    if not differences and file.read_bytes() != _seal(text):
        differences.append(f"{file.name}: de tekst is veranderd sinds zij geschreven is")
    files = text["bestanden"] if path.is_dir() else {}
    differences += _compare_files(path, files)
    if not differences:
        figures = sum(len(figure) - 4 for figure in recorded.figures)
        kept = f", {len(files)} bestanden zijn ongewijzigd" if files else ""
        show.screen.print(f"Klopt: {figures} cijfers komen opnieuw uit{kept}; plan {recorded.plan[:16]}…", markup=False)
        return
    counted = "1 verschil" if len(differences) == 1 else f"{len(differences)} verschillen"
    show.screen.print(f"{counted}:", markup=False)
    show.notes(differences)
    raise typer.Exit(3)


def _compare_files(folder: Path, recorded: dict[str, str]) -> list[str]:
    """Every file that is no longer as the receipt recorded it, as a Dutch sentence."""
    differences = []
    for name in dict.fromkeys([*RESULT_FILES, *recorded] if recorded else ()):
        file = folder / name
        if name not in recorded:
            differences.append(f"{name}: staat niet in de verantwoording")
        elif not file.is_file():
            differences.append(f"{name}: ontbreekt in de map")
        elif _sha256(file) != recorded[name]:
            differences.append(f"{name}: is veranderd sinds het geschreven is")
    return differences


def read_receipt(file: Path) -> tuple[Receipt, dict[str, Any]]:
    """A receipt as ``write_result`` wrote it. Raises RefusalError when it is none."""
    try:
        text = json_module.loads(file.read_text(encoding="utf-8"))
        fields = text["verantwoording"]
        receipt = Receipt(
            **{
                **fields,
                "rules": tuple(tuple(rule) for rule in fields["rules"]),
                "figures": tuple(tuple(figure) for figure in fields["figures"]),
                "notes": tuple(fields["notes"]),
            }
        )
        _ = text["plan"], text["vensters"], text["normen"], text["alleen"], text["scenario"], text["nummer"]
        if not set(RESULT_FILES) <= set(text["bestanden"]) or any(len(f) != 9 for f in receipt.figures):
            raise ValueError("bestanden, cijfers")
    except (OSError, ValueError, KeyError, TypeError) as error:
        expected = "een verantwoording.json die 'slagkracht dekking --uit MAP' schreef"
        found = say_why(error) if isinstance(error, OSError) else "een andere inhoud"
        raise RefusalError([Finding(str(file), 0, "", found, expected)]) from error
    return receipt, text


def _rows(plan: Plan, each: Coverage) -> dict[str, Any]:
    """One norm and window for a script: the nation, then every region."""
    levels = {}
    for by in ("land", "regio"):
        table = compute_table(each, plan.areas, plan.regions, by)
        levels[by] = [
            {"naam": name, "inwoners": p, "op_tijd": i, "aandeel": s, "verwacht": e, "mediaan_s": m, "p90_s": q}
            for name, p, i, s, e, m, q in zip(
                table.name.tolist(), table.population, table.in_time, table.share, table.expected_share, table.median_s,
                table.p90_s, strict=True,
            )
        ]  # fmt: skip
    return {"norm": each.norm, "status": each.status, "venster": each.window, **levels}
