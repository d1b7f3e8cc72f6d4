"""The coverage plan as one HTML page with a map that needs no network: who is reached when, by whom, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.plan import Plan
from slagkracht.reports.colours import SCALES
from slagkracht.reports.columns import DEGREE, ENDLESS, encode_shapes, fit_column, pack_block, pack_figures, pack_scale
from slagkracht.reports.drawing import Drawing, compute_cell_means, compute_cell_sums
from slagkracht.reports.figures import read_municipality_names, read_window_names
from slagkracht.reports.map_layers import VIEWS, Layer, Ranking, compute_layers, compute_orders
from slagkracht.reports.map_strength import Answers, pack_answers
from slagkracht.reports.results import Result, compute_result_receipt, compute_title, describe_receipt, find_unverified
from slagkracht.resources import REGIMES
from slagkracht.sources.geometry import RD, WGS84, transform

MISSING = -32_768
NO_UNIT = 65_535


def write_map_page(
    path: Path,
    results: Sequence[Result],
    drawing: Drawing,
    *,
    depth: int = 6,
    answers: Answers | None = None,
    opens_on: str = "marge",
) -> None:
    """Write the page: one file, opened from disk or served, that asks nothing of any network.

    ``results`` the plan and then its variants, all over the same areas; ``drawing`` of the plan. At most ``depth``
    arrivals of an area are kept. ``answers`` of the plan to who comes where an incident is put, or none. ``opens_on``
    the view (a key of VIEWS) that is shown first. Raises FileNotFoundError, with the command that mends it, when the
    front end was not built.
    """
    page = resources.files("slagkracht") / "web" / "kaart.html"
    if not page.is_file():
        raise FileNotFoundError("de kaartpagina is nog niet gebouwd: draai `make web` en probeer het opnieuw")
    text = page.read_text(encoding="utf-8")
    number, _ = compute_result_receipt(results[0])
    blocks = {
        "gegevens": pack_block(pack_page(results, drawing, depth=depth, opens_on=opens_on)),
        "slagkracht": "" if answers is None else pack_block(pack_answers(answers, number)),
    }
    for name, block in blocks.items():
        slot = f'<script type="application/json" id="{name}">'
        before, after = text.split(slot, 1)
        text = before + slot + block + after
    path.write_text(text, encoding="utf-8")


def pack_page(
    results: Sequence[Result], drawing: Drawing, *, depth: int = 6, opens_on: str = "marge"
) -> dict[str, Any]:
    """Everything the page shows, ready for pack_block; shapes as varints (see web/src/data/columns.js)."""
    plan, travel = results[0].plan, results[0].travel
    layers = compute_layers(results)
    rankings = [ranking for result in results for ranking in compute_orders(result, depth)]
    topics = list(dict.fromkeys(layer.coverage.dutch for layer in layers))
    tables = list({id(layer.figures): layer.figures for layer in layers}.values())
    return {
        "title": compute_title(plan)[0],
        "day": plan.day.isoformat(),
        "modelled": "gemodelleerd" if travel.kind == "gemodelleerd" else "",
        "spread": travel.spread,
        "scale": DEGREE,
        "notes": [note for note in (*plan.notes, drawing.made_up, drawing.aggregated) if note],
        "aggregated": drawing.aggregated,
        "unverified": [
            {"dutch": rule.dutch, "source": rule.source}
            for rule in find_unverified(plan, compute_result_receipt(results[0])[1])
        ],
        "windows": [{"id": window, "dutch": dutch} for window, dutch in read_window_names().items()],
        "views": VIEWS,
        "opens": next((row for row, layer in enumerate(layers) if layer.view == opens_on), 0),
        "regimes": [regime.replace("_", " ") for regime in REGIMES],
        "scales": {name: pack_scale(scale) for name, scale in SCALES.items()},
        "topics": [{"dutch": topic} for topic in topics],
        "regions": {
            "code": plan.regions.code.tolist(),
            "name": plan.regions.name.tolist(),
            "shapes": encode_shapes(drawing.outlines),
        },
        **_pack_areas(plan, drawing),
        "results": [_pack_result(result) for result in results],
        "layers": [
            _pack_layer(layer, drawing, plan, topics.index(layer.coverage.dutch), tables.index(layer.figures))
            for layer in layers
        ],
        "arrivals": [_pack_ranking(r, plan, drawing, topics.index(r.coverage.dutch)) for r in rankings],
        "tables": [pack_figures(table) for table in tables],
    }


def _pack_areas(plan: Plan, drawing: Drawing) -> dict[str, Any]:
    areas, shown = plan.areas, drawing.shown
    codes, municipality = np.unique(areas.municipality[shown], return_inverse=True)
    lon, lat = transform(areas.x_m[shown], areas.y_m[shown], RD, WGS84)
    named = read_municipality_names()
    return {
        "municipalities": {"code": codes.tolist(), "name": [named.get(code, code) for code in codes.tolist()]},
        "areas": {
            "id": areas.area_id[shown].tolist(),
            "region": fit_column(areas.region[shown], "u16"),
            "municipality": fit_column(municipality.reshape(-1), "u16"),
            "population": fit_column(compute_cell_sums(drawing, areas.population), "f32"),
            "lon": fit_column(lon, "f32"),
            "lat": fit_column(lat, "f32"),
            "shapes": encode_shapes(drawing.cells),
        },
    }


def _pack_result(result: Result) -> dict[str, Any]:
    """What a plan or variant has of its own: its name, its receipt, its stations and units."""
    stations, units = result.plan.stations, result.plan.units
    lon, lat = transform(stations.x_m, stations.y_m, RD, WGS84)
    number, receipt = compute_result_receipt(result)
    return {
        "name": result.name,
        "dutch": result.name or result.plan.name,
        "number": number,
        "receipt": [{"dutch": dutch, "value": value} for dutch, value in describe_receipt(number, receipt)],
        "stations": {
            "id": stations.station_id.tolist(),
            "name": stations.name.tolist(),
            "region": fit_column(stations.region, "u16"),
            "lon": fit_column(lon, "f32"),
            "lat": fit_column(lat, "f32"),
        },
        "units": {
            "id": units.unit_id.tolist(),
            "type": units.type_code.tolist(),
            "station": fit_column(units.station, "u16"),
            "regime": fit_column(units.regime, "u8"),
            "turnout_s": fit_column(np.round(units.turnout_s), "u16"),
            "readiness": fit_column(np.round(units.readiness * 255), "u8"),
        },
    }


@dataclass(frozen=True)
class _View:
    """How the page shows a view: its unit, scale and explanation, and the heading and order of its worst places."""

    unit: str
    scale: str
    explanation: str
    worst: str
    beyond: float
    low: bool = False


_VIEWS = {
    "marge": _View(
        "signed_seconds", "marge", "Opkomsttijd min de norm die in het gebied geldt.", "Grootste overschrijdingen", 0
    ),
    "tijd": _View(
        "seconds",
        "tijd",
        "Van het aannemen van de melding tot de aankomst: melding, uitruk en rijden.",
        "Langste opkomsttijden",
        0,
    ),
    "kans": _View(
        "share",
        "kans",
        "Kans dat binnen de norm aankomt wat zij vraagt, met de paraatheid van eenheden en de spreiding in tijden.",
        "Kleinste kansen",
        1.1,
        low=True,
    ),
    "alleen": _View(
        "seconds", "tijd", "Opkomsttijd als elke regio alleen haar eigen eenheden inzet.", "Langste opkomsttijden", 0
    ),
    "winst": _View(
        "seconds", "winst", "Hoeveel eerder er iemand is doordat buurregio’s mee uitrukken.", "Grootste winst", 0
    ),
    "verschil": _View(
        "signed_seconds", "verschil", "Opkomsttijd in de variant min die in het plan.", "Grootste achteruitgang", 0
    ),
}


def _pack_layer(layer: Layer, drawing: Drawing, plan: Plan, topic: int, table: int) -> dict[str, Any]:
    view, coverage = _VIEWS[layer.view], layer.coverage
    values = compute_cell_means(drawing, layer.values, plan.areas.population)
    return {
        "topic": topic,
        "view": layer.view,
        "window": coverage.window,
        "name": layer.name,
        "title": f"{coverage.dutch} – {VIEWS[layer.view].lower()}",
        "explanation": f"{view.explanation} Venster: {read_window_names()[coverage.window]}.",
        "unit": view.unit,
        "scale": view.scale,
        "values": fit_column(_seconds(values * 1000 if view.unit == "share" else values), "i16"),
        "table": table,
        "gaps": view.worst,
        "worst": "low" if view.low else "high",
        "fine": view.beyond,
    }


def _pack_ranking(ranking: Ranking, plan: Plan, drawing: Drawing, topic: int) -> dict[str, Any]:
    shown = drawing.shown
    arrivals, coverage = ranking.arrivals, ranking.coverage
    unit = arrivals.unit[shown]
    known = unit >= 0
    response_s = np.where(known, arrivals.response_s[shown], 0)
    source = next((rule.source for rule in plan.rules.rules if rule.code == coverage.norm), "")
    return {
        "topic": topic,
        "window": coverage.window,
        "name": ranking.name,
        "depth": unit.shape[1],
        "unit": fit_column(np.where(known, unit, NO_UNIT), "u16"),
        "response_s": fit_column(np.round(np.minimum(response_s, 65_535)), "u16"),
        "call_s": fit_column(np.round(arrivals.call_handling_s[shown]), "u16"),
        "norm": {
            "source": source,
            "status": coverage.status,
            "measure": coverage.statistic,
            "limit_s": fit_column(_seconds(coverage.limit_s[shown]), "i16"),
            "response_s": fit_column(_seconds(_comes(coverage.response_s[shown])), "i16"),
            "in_time": fit_column(coverage.in_time[shown], "u8"),
            "completes": fit_column(np.where(coverage.unit[shown] < 0, NO_UNIT, coverage.unit[shown]), "u16"),
        },
    }


def _seconds(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Whole seconds in an i16, MISSING where there are none."""
    return np.where(np.isnan(values), MISSING, np.clip(np.round(values), MISSING + 1, ENDLESS))


def _comes(response_s: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Response times with nan where nobody comes."""
    return np.where(np.isinf(response_s), np.nan, response_s)
