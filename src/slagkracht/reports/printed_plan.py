"""The printed plan: the nation and two pages per region as one PDF that lasts (PDF/A) and reads aloud (PDF/UA)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.coverage import Cooperation, Coverage, Receipt, compute_cooperation, compute_gaps, compute_table
from slagkracht.plan import Plan
from slagkracht.reports.colours import GAIN, LATENESS, MISSING_COLOUR, PLATOON_TIME, Scale
from slagkracht.reports.drawing import Drawing, Shapes, compute_cell_means, compute_cell_sums
from slagkracht.reports.dutch import write_count, write_day, write_figure, write_share
from slagkracht.reports.figures import (
    Figures,
    compute_municipality_figures,
    compute_region_figures,
    read_municipality_names,
    read_window_names,
)
from slagkracht.reports.map_layers import compute_gain
from slagkracht.reports.map_svg import Frame, Label, compute_frame, draw_map
from slagkracht.reports.results import Result, compute_result_receipt, compute_title, describe_receipt, find_unverified
from slagkracht.reports.strength_chapters import (
    Picture,
    Readiness,
    TimeMap,
    compute_chapters,
    compute_readiness_number,
)
from slagkracht.resources import compute_standing

Floats = npt.NDArray[np.float64]
Json = dict[str, Any]

WORST_PLACES = 10


def write_printed_plan(
    path: Path,
    result: Result,
    drawing: Drawing,
    *,
    norm: str | None = None,
    window: str = "dag",
    readiness: Readiness | None = None,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Write the plan as one PDF, both PDF/A-2a (ISO 19005-2, tagged) and PDF/UA-1 (ISO 14289-1).

    Maps and region pages show ``norm`` (a code; None = the first of ``result.together``) in ``window``; the national
    overview shows all. ``readiness`` adds the chapters Tekort (right after the cover), Risico, Slagkracht and
    Uithoudingsvermogen. ``progress`` is told in Dutch what is being made. Raises ValueError when there is no result for
    that norm and window.
    """
    code = norm if norm is not None else result.together[0].norm
    main = next((c for c in result.together if (c.norm, c.window) == (code, window)), None)
    if main is None:
        known = ", ".join(dict.fromkeys(f"{c.norm} ({c.window})" for c in result.together))
        raise ValueError(f"geen uitkomst voor norm {code!r} in venster {window!r}; wel: {known}")
    tell = progress or (lambda _: None)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        matter = _gather(result, drawing, main, folder)
        content = _compose(matter, tell)
        if readiness is not None:
            tell("tekort, risico, slagkracht en uithoudingsvermogen")
            content |= _chapters(matter, readiness)
        (folder / "plan.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        template = resources.files("slagkracht.reports") / "typst" / "dekkingsplan.typ"
        (folder / "dekkingsplan.typ").write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
        tell("pagina’s zetten")
        import typst  # takes long to load, and only a printed page needs it

        pdf = typst.compile(
            str(folder / "dekkingsplan.typ"), root=scratch, ignore_system_fonts=True, pdf_standards=["a-2a", "ua-1"]
        )
    path.write_bytes(pdf)


@dataclass(frozen=True, eq=False)
class _Matter:
    """What every page draws on: the plan, its main norm together and alone, and the folder that drawings go to.

    ``late_s`` float64 [D] per cell, nan where nobody comes or no norm holds.
    """

    plan: Plan
    drawing: Drawing
    result: Result
    main: Coverage
    own: Coverage | None
    cooperation: Cooperation | None
    late_s: Floats
    folder: Path
    number: str
    receipt: Receipt


def _gather(result: Result, drawing: Drawing, main: Coverage, folder: Path) -> _Matter:
    plan = result.plan
    own = next((c for c in result.alone if (c.norm, c.window) == (main.norm, main.window)), None)
    standing = compute_standing(plan.units, plan.stations, main.window)
    cooperation = None if own is None else compute_cooperation(own, main, plan.areas, plan.regions, standing)
    late_s = compute_cell_means(drawing, _finite(main.response_s - main.limit_s), plan.areas.population)
    return _Matter(plan, drawing, result, main, own, cooperation, late_s, folder, *compute_result_receipt(result))


def _compose(matter: _Matter, tell: Callable[[str], None]) -> Json:
    """All that the template asks for; drawings are written into the folder on the way."""
    plan, main, travel = matter.plan, matter.main, matter.result.travel
    windows = read_window_names()
    tell("kaarten van Nederland")
    national = _nation(matter, windows)
    regions = []
    for region in range(len(plan.regions)):
        tell(f"regio {plan.regions.name[region]}")
        regions.append(_region(matter, region))
    return {
        "title": compute_title(plan)[0],
        "subtitle": compute_title(plan)[1],
        "description": "Wie wanneer geholpen wordt in de 25 veiligheidsregio’s, per regio en gemeente",
        "day": write_day(plan.day),
        "date": [plan.day.year, plan.day.month, plan.day.day],
        "modelled": "gemodelleerd" if travel.kind == "gemodelleerd" else "",
        "spread": f"{write_count(100 * (exp(travel.spread) - 1))} %" if travel.spread else "",
        "receipt-short": matter.number[:12],
        "receipt-long": matter.number,
        "receipt": [{"dutch": name, "value": value} for name, value in describe_receipt(matter.number, matter.receipt)],
        "norm": main.dutch,
        "norm-status": main.status,
        "norm-window": f"Venster: {windows[main.window]}",
        "windows": list(windows.values()),
        "notes": [note for note in (*plan.notes, matter.drawing.made_up, matter.drawing.aggregated) if note],
        "unverified": [{"dutch": rule.dutch, "source": rule.source} for rule in find_unverified(plan, matter.receipt)],
        "lead": national["sentence"],
        "cover": national["map"],
        "national": national,
        "regions": regions,
        "strength": {},
    }


def _nation(matter: _Matter, windows: dict[str, str]) -> Json:
    plan, main, drawing = matter.plan, matter.main, matter.drawing
    whole = compute_table(main, plan.areas, plan.regions, "land")
    share, median_s, p90_s = float(whole.share[0]), float(whole.median_s[0]), float(whole.p90_s[0])
    behind = float(whole.population[0] - whole.in_time[0])
    frame = compute_frame(drawing.outlines, margin=0.02)
    cells = shapely.simplify(drawing.cells, (frame[2] - frame[0]) / 2500)
    outlines = shapely.simplify(drawing.outlines, (frame[2] - frame[0]) / 2500)
    numbers = [
        (float(p.x), float(p.y), str(i + 1)) for i, p in enumerate(shapely.point_on_surface(drawing.outlines).tolist())
    ]
    table = compute_region_figures(plan, main, matter.own)
    numbered = tuple((f"{i + 1}  {row[0]}", *row[1:]) for i, row in enumerate(table.rows))
    page: Json = {
        "key": _key_figures(share, behind, median_s, p90_s),
        "sentence": (
            f"Van de {write_count(float(whole.population[0]))} inwoners wordt {write_share(share)} op tijd bereikt "
            f"volgens de norm “{main.dutch}”, in het venster {windows[main.window]}. {write_count(behind)} mensen "
            f"wachten langer dan de norm; voor {write_count(float(whole.unreachable[0]))} mensen komt er over de weg "
            "niemand."
        ),
        "map": _save(
            matter,
            "nederland",
            draw_map(cells, matter.late_s, LATENESS, outlines, frame, labels=numbers, letter=270),
            f"Kaart van Nederland met per gebied de opkomsttijd min de norm. {write_share(share)} van de inwoners is "
            f"op tijd, {write_share(1 - share)} niet.",
            "De nummers zijn de regio’s in de tabel hierna.",
        ),
        "legend": _legend(LATENESS, matter.late_s, _people(matter)),
        "table": _table(Figures(table.title, table.columns, numbered, table.total), matter.number),
        "matrix": _table(_compute_matrix(matter), matter.number),
    }
    if matter.cooperation is not None and matter.own is not None:
        page["cooperation"] = _cooperation(matter, matter.own, matter.cooperation, cells, outlines, frame, numbers)
    return page


def _compute_matrix(matter: _Matter) -> Figures:
    """Share of the nation in time, a row per norm (together, and alone where computed), a column per window."""
    plan = matter.plan
    shares: dict[str, dict[str, float]] = {}
    for coverage in (*matter.result.together, *matter.result.alone):
        status = "" if coverage.status == "vastgesteld" else f" ({coverage.status})"
        name = f"{coverage.dutch}{status}{' – elke regio alleen' if coverage.alone else ''}"
        share = compute_table(coverage, plan.areas, plan.regions, "land").share[0]
        shares.setdefault(name, {})[coverage.window] = float(share)
    windows = list(dict.fromkeys(c.window for c in matter.result.together))
    return Figures(
        "Aandeel van de inwoners dat op tijd bereikt wordt",
        (("Norm", "text"), *((window, "share") for window in windows)),
        tuple((name, *(row.get(window) for window in windows)) for name, row in sorted(shares.items())),
    )


def _cooperation(
    matter: _Matter,
    own: Coverage,
    cooperation: Cooperation,
    cells: Shapes,
    outlines: Shapes,
    frame: Frame,
    numbers: Sequence[Label],
) -> Json:
    plan = matter.plan
    gain_s = compute_cell_means(matter.drawing, compute_gain(own, matter.main), plan.areas.population)
    others = cooperation.served_by.sum(axis=1) - np.diag(cooperation.served_by)
    rows = [
        (name, *map(float, row))
        for name, *row in zip(
            plan.regions.name.tolist(),
            cooperation.alone_in_time / np.maximum(cooperation.population, 1),
            cooperation.together_in_time / np.maximum(cooperation.population, 1),
            cooperation.gained,
            cooperation.quicker,
            others,
        )
    ]
    people = float(cooperation.population.sum())
    more, quicker, crossing = (float(v.sum()) for v in (cooperation.gained, cooperation.quicker, others))
    before, after = (float(v.sum()) / people for v in (cooperation.alone_in_time, cooperation.together_in_time))
    total = ("Nederland", before, after, more, quicker, crossing)
    headings = [("Regio", "text"), ("Alleen op tijd", "share"), ("Op tijd, samen", "share")]
    headings += [(h, "count") for h in ("Meer mensen op tijd", "Sneller bereikt", "Eenheid uit een andere regio")]
    figures = Figures("Elke regio alleen tegenover samen", tuple(headings), tuple(rows), total)
    return {
        "sentence": (
            f"Rukt de dichtstbijzijnde eenheid uit, ook over de regiogrens, dan worden {write_count(more)} mensen "
            f"meer op tijd bereikt dan wanneer elke regio alleen staat, en {write_count(quicker)} mensen sneller. "
            f"Voor {write_count(crossing)} mensen komt de eenheid uit een andere regio dan hun eigen."
        ),
        "map": _save(
            matter,
            "samenwerking",
            draw_map(cells, gain_s, GAIN, outlines, frame, labels=numbers, letter=270),
            f"Kaart van Nederland met per gebied hoeveel eerder er iemand is door samenwerking. De winst ligt langs de "
            f"regiogrenzen; {write_count(quicker)} mensen worden sneller bereikt.",
            "Hoeveel eerder de eenheid er is dan wanneer de eigen regio alleen uitrukt.",
        ),
        "legend": _legend(GAIN, gain_s, _people(matter)),
        "table": _table(figures, matter.number),
    }


def _chapters(matter: _Matter, readiness: Readiness) -> Json:
    """The chapters on strength, every figure of them with its own receipt, years and seed."""
    number = compute_readiness_number(readiness, matter.number)
    receipt = f"{number[:12]}, toeval {readiness.seed}, {write_count(readiness.years)} jaren"
    outlines = matter.drawing.outlines
    frame = compute_frame(outlines, margin=0.02)
    cells = shapely.simplify(matter.drawing.cells, (frame[2] - frame[0]) / 2500)
    chapters = []
    for chapter in compute_chapters(readiness, matter.plan.regions, matter.plan.areas.population.astype(np.float64)):
        parts: list[Json] = []
        for title, sentence, shown in chapter.parts:
            part: Json = {"title": title, "sentence": sentence}
            name = f"{chapter.title}-{len(parts)}".lower()
            if isinstance(shown, Picture):
                part["picture"] = _save(matter, name, shown.svg, shown.alt, shown.caption) | {"receipt": receipt}
            elif isinstance(shown, TimeMap):
                values = compute_cell_means(matter.drawing, shown.values, matter.plan.areas.population)
                part["legend"] = _legend(PLATOON_TIME, values, _people(matter))
                told = ", ".join(f"{entry['label']} {entry['share']}" for entry in part["legend"])
                svg = draw_map(cells, values, PLATOON_TIME, outlines, frame)
                alt = f"Kaart van Nederland: {shown.title.lower()}. Van de inwoners: {told}."
                caption = f"{shown.title}, elke regio boven haar ondergrens."
                part["map"] = _save(matter, name, svg, alt, caption) | {"receipt": receipt}
            else:
                part["table"] = _table(shown, matter.number) | {"receipt": receipt}
            parts.append(part)
        chapters.append(
            {"title": chapter.title, "sentence": chapter.sentence, "parts": parts, "unverified": chapter.unverified}
        )
    return {
        "strength": {
            "receipt": [
                {"dutch": "verantwoording van tekort, risico, slagkracht en uithoudingsvermogen", "value": number},
                {"dutch": "doorgerekende jaren en toevalsgetal", "value": f"{readiness.years}, {readiness.seed}"},
            ],
            "window": read_window_names()[readiness.window],
            "chapters": chapters,
        }
    }


def _region(matter: _Matter, region: int) -> Json:
    plan, main, drawing = matter.plan, matter.main, matter.drawing
    name = str(plan.regions.name[region])
    table = compute_table(main, plan.areas, plan.regions, "regio")
    people, share = float(table.population[region]), float(table.share[region])
    behind = people - float(table.in_time[region])
    median_s, p90_s = float(table.median_s[region]), float(table.p90_s[region])
    stations = np.stack([plan.stations.x_m, plan.stations.y_m], axis=1)[plan.stations.region == region]
    outside = plan.areas.region[drawing.shown] != region
    frame = compute_frame(drawing.outlines[region : region + 1], shape=0.9)
    picture = draw_map(
        drawing.cells,
        matter.late_s,
        LATENESS,
        drawing.outlines,
        frame,
        faded=outside,
        points=stations,
        labels=_places(matter, region, frame),
        letter=190,
    )
    page: Json = {
        "name": name,
        "code": str(plan.regions.code[region]),
        "key": _key_figures(share, behind, median_s, p90_s),
        "sentence": (
            f"In {name} staan {len(stations)} kazernes voor {write_count(people)} inwoners. {write_share(share)} van "
            f"hen wordt op tijd bereikt, {write_count(behind)} mensen niet. De middelste inwoner wordt bereikt in "
            f"{write_figure(median_s, 'seconds')}, negen van de tien binnen {write_figure(p90_s, 'seconds')}."
        ),
        "map": _save(
            matter,
            f"regio-{region}",
            picture,
            f"Kaart van {name} met per gebied de opkomsttijd min de norm en {len(stations)} kazernes. "
            f"{write_share(share)} van de inwoners is op tijd.",
            "Stippen zijn kazernes; wit ligt buiten de regio.",
        ),
        "legend": _legend(LATENESS, matter.late_s, _people(matter) * ~outside),
        "municipalities": _table(compute_municipality_figures(plan, main, matter.own)[region], matter.number),
        **_gaps(matter, region),
    }
    if matter.cooperation is not None:
        page |= _help(matter, matter.cooperation, region)
    return page


def _gaps(matter: _Matter, region: int) -> Json:
    """The places of a region where people wait longest beyond the norm, and how many people are behind all of them."""
    plan, main = matter.plan, matter.main
    gaps = compute_gaps(main)
    here = np.flatnonzero((plan.areas.region[gaps.area] == region) & (gaps.population > 0))
    named = read_municipality_names()
    rows = []
    for gap in here[:WORST_PLACES].tolist():
        area = int(gaps.area[gap])
        municipality = str(plan.areas.municipality[area])
        rows.append(
            (
                str(plan.areas.area_id[area]),
                named.get(municipality, municipality),
                float(gaps.population[gap]),
                float(main.response_s[area]),
                float(main.limit_s[area]),
                float(gaps.late_s[gap]),
            )
        )
    columns = [("Gebied", "text"), ("Gemeente", "text"), ("Inwoners", "count"), ("Opkomsttijd", "seconds")]
    columns += [("Norm", "seconds"), ("Te laat", "seconds")]
    behind = float(gaps.population[here].sum())
    return {
        "gaps": _table(Figures("Waar men het langst boven de norm wacht", tuple(columns), tuple(rows)), matter.number),
        "gaps-sentence": (
            f"In {write_count(len(here))} gebieden wonen samen {write_count(behind)} mensen die niet op tijd bereikt "
            "worden. Hier wachten zij het langst boven de norm:"
        ),
    }


def _help(matter: _Matter, cooperation: Cooperation, region: int) -> Json:
    """What other regions bring to a region, and it to them."""
    names = matter.plan.regions.name
    received, given = cooperation.served_by[region].copy(), cooperation.served_by[:, region].copy()
    received[region] = given[region] = 0
    order = [int(r) for r in np.argsort(-(received + given), kind="stable") if received[r] + given[r] > 0]
    rows = tuple((str(names[r]), float(received[r]), float(given[r])) for r in order[:8])
    headings = (("Buurregio", "text"), ("Helpt inwoners hier", "count"), ("Wordt hiervandaan geholpen", "count"))
    people = max(float(cooperation.population[region]), 1.0)
    alone, together = (float(c[region]) for c in (cooperation.alone_in_time, cooperation.together_in_time))
    more, quicker = together - alone, float(cooperation.quicker[region])
    table = Figures("Inwoners voor wie de eenheid over de regiogrens komt", headings, rows)
    return {
        "cooperation": (
            f"Alleen zou {write_share(alone / people)} op tijd bereikt worden, samen {write_share(together / people)}: "
            f"{write_count(more)} mensen meer. {write_count(quicker)} mensen worden sneller bereikt. Voor "
            f"{write_count(float(received.sum()))} inwoners komt de eenheid uit een buurregio; omgekeerd bereiken "
            f"eenheden van hier {write_count(float(given.sum()))} mensen in andere regio’s."
        ),
        "helpers": _table(table, matter.number),
    }


def _places(matter: _Matter, region: int, frame: Frame, most: int = 14) -> list[Label]:
    """Names of the region's largest municipalities, where their people live, none over another."""
    areas = matter.plan.areas
    own = np.flatnonzero(areas.region == region)
    codes, group = np.unique(areas.municipality[own], return_inverse=True)
    group = group.reshape(-1)
    weight = areas.population[own].astype(np.float64) + 1e-3
    people = np.bincount(group, weight)
    x, y = (np.bincount(group, weight * v[own]) / people for v in (areas.x_m, areas.y_m))
    named = read_municipality_names()
    wide = frame[2] - frame[0]
    placed: list[Label] = []
    for m in np.argsort(-people).tolist():
        text = named.get(str(codes[m]), str(codes[m]))
        half = 0.0052 * len(text) * wide
        if frame[0] + half > x[m] or x[m] > frame[2] - half:
            continue
        apart = all(
            abs(x[m] - a) > half + 0.0052 * len(t) * wide + 0.01 * wide or abs(y[m] - b) > 0.03 * wide
            for a, b, t in placed
        )
        if apart and len(placed) < most:
            placed.append((float(x[m]), float(y[m]), text))
    return placed


def _people(matter: _Matter) -> Floats:
    return compute_cell_sums(matter.drawing, matter.plan.areas.population)


def _legend(scale: Scale, values: Floats, people: Floats) -> list[Json]:
    """Colours, what they mean and the share of ``people`` in each."""
    of_class = np.where(np.isnan(values), len(scale.colours), np.searchsorted(scale.breaks, values, side="right"))
    shares = np.bincount(of_class, people, len(scale.colours) + 1) / max(people.sum(), 1.0)
    entries = [*zip(scale.colours, scale.labels), (MISSING_COLOUR, scale.missing_label)]
    return [
        {"colour": colour, "label": label, "share": write_share(float(share)), "missing": index == len(scale.colours)}
        for index, ((colour, label), share) in enumerate(zip(entries, shares))
    ]


def _key_figures(share: float, behind: float, median_s: float, p90_s: float) -> list[Json]:
    """The four figures over a page; times in seconds."""
    return [
        {"value": write_share(share), "label": "van de inwoners op tijd"},
        {"value": write_count(behind), "label": "inwoners niet op tijd"},
        {"value": write_figure(median_s, "seconds"), "label": "opkomsttijd, mediaan"},
        {"value": write_figure(p90_s, "seconds"), "label": "90e percentiel"},
    ]


def _save(matter: _Matter, name: str, svg: str, alt: str, caption: str) -> Json:
    (matter.folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    return {"path": f"{name}.svg", "alt": alt, "caption": caption, "receipt": matter.number[:12]}


def _table(figures: Figures, number: str) -> Json:
    units = [unit for _, unit in figures.columns]

    def cells(row: Sequence[Any]) -> list[str]:
        return [write_figure(cell, unit) for cell, unit in zip(row, units)]

    return {
        "title": figures.title,
        "receipt": number[:12],
        "columns": [{"dutch": dutch, "unit": unit} for dutch, unit in figures.columns],
        "rows": [cells(row) for row in figures.rows],
        "total": None if figures.total is None else cells(figures.total),
    }


def _finite(values: npt.NDArray[Any]) -> Floats:
    return np.where(np.isfinite(values), values, np.nan).astype(np.float64)
