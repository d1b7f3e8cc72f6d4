"""The coverage plan as one HTML page with a map that needs no network: who is reached when, by whom, and why."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.plan import Plan
from slagkracht.reports.colours import MISSING_COLOUR, SCALES, Scale
from slagkracht.reports.drawing import Drawing, Shapes, compute_cell_means, compute_cell_sums
from slagkracht.reports.figures import Figures, read_municipality_names, read_window_names
from slagkracht.reports.map_layers import VIEWS, Layer, Ranking, compute_layers, compute_orders
from slagkracht.reports.results import Result, compute_result_receipt, compute_title, describe_receipt, find_unverified
from slagkracht.resources import REGIMES
from slagkracht.sources.geometry import RD, WGS84, transform

MISSING = -32_768
ENDLESS = 32_767  # infinite, and whatever is longer than nine hours
NO_UNIT = 65_535
DEGREE = 100_000  # coordinates are kept to 1e-5 degree, about a metre


def write_map_page(path: Path, results: Sequence[Result], drawing: Drawing, *, depth: int = 6) -> None:
    """Write the page: one file, opened from disk or served, that asks nothing of any network.

    ``results`` the plan and then its variants, all over the same areas; ``drawing`` of the plan. At most ``depth``
    arrivals of an area are kept. Raises FileNotFoundError, with the command that mends it, when the front end was not
    built.
    """
    page = resources.files("slagkracht") / "web" / "kaart.html"
    if not page.is_file():
        raise FileNotFoundError("de kaartpagina is nog niet gebouwd: draai `make web` en probeer het opnieuw")
    figures = json.dumps(pack_page(results, drawing, depth=depth), ensure_ascii=False).encode()
    packed = base64.b64encode(gzip.compress(figures, 6, mtime=0)).decode()
    slot = '<script type="application/json" id="gegevens">'
    before, after = page.read_text(encoding="utf-8").split(slot, 1)
    path.write_text(before + slot + packed + after, encoding="utf-8")


def pack_page(results: Sequence[Result], drawing: Drawing, *, depth: int = 6) -> dict[str, Any]:
    """Everything the page shows, ready for JSON: columns as base64, shapes as varints (see web/src/data/columns.js)."""
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
        "regimes": [regime.replace("_", " ") for regime in REGIMES],
        "scales": {name: _pack_scale(scale) for name, scale in SCALES.items()},
        "topics": [{"dutch": topic} for topic in topics],
        "regions": {
            "code": plan.regions.code.tolist(),
            "name": plan.regions.name.tolist(),
            "shapes": pack_shapes(drawing.outlines),
        },
        **_pack_areas(plan, drawing),
        "results": [_pack_result(result) for result in results],
        "layers": [
            _pack_layer(layer, drawing, plan, topics.index(layer.coverage.dutch), tables.index(layer.figures))
            for layer in layers
        ],
        "arrivals": [_pack_ranking(r, plan, drawing, topics.index(r.coverage.dutch)) for r in rankings],
        "tables": [_pack_figures(table) for table in tables],
    }


def _pack_scale(scale: Scale) -> dict[str, Any]:
    classes = [*zip(scale.colours, scale.labels), (MISSING_COLOUR, scale.missing_label)]
    return {
        "breaks": [min(limit, ENDLESS) for limit in scale.breaks],
        "classes": [{"colour": colour, "label": label} for colour, label in classes],
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
            "region": pack_column(areas.region[shown], "u16"),
            "municipality": pack_column(municipality.reshape(-1), "u16"),
            "population": pack_column(compute_cell_sums(drawing, areas.population), "f32"),
            "lon": pack_column(lon, "f32"),
            "lat": pack_column(lat, "f32"),
            "shapes": pack_shapes(drawing.cells),
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
            "region": pack_column(stations.region, "u16"),
            "lon": pack_column(lon, "f32"),
            "lat": pack_column(lat, "f32"),
        },
        "units": {
            "id": units.unit_id.tolist(),
            "type": units.type_code.tolist(),
            "station": pack_column(units.station, "u16"),
            "regime": pack_column(units.regime, "u8"),
            "turnout_s": pack_column(np.round(units.turnout_s), "u16"),
            "readiness": pack_column(np.round(units.readiness * 255), "u8"),
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
        "values": pack_column(_seconds(values * 1000 if view.unit == "share" else values), "i16"),
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
        "unit": pack_column(np.where(known, unit, NO_UNIT), "u16"),
        "response_s": pack_column(np.round(np.minimum(response_s, 65_535)), "u16"),
        "call_s": pack_column(np.round(arrivals.call_handling_s[shown]), "u16"),
        "norm": {
            "source": source,
            "status": coverage.status,
            "measure": coverage.statistic,
            "limit_s": pack_column(_seconds(coverage.limit_s[shown]), "i16"),
            "response_s": pack_column(_seconds(_comes(coverage.response_s[shown])), "i16"),
            "in_time": pack_column(coverage.in_time[shown], "u8"),
            "completes": pack_column(np.where(coverage.unit[shown] < 0, NO_UNIT, coverage.unit[shown]), "u16"),
        },
    }


def _seconds(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Whole seconds in an i16, MISSING where there are none."""
    return np.where(np.isnan(values), MISSING, np.clip(np.round(values), MISSING + 1, ENDLESS))


def _comes(response_s: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Response times with nan where nobody comes."""
    return np.where(np.isinf(response_s), np.nan, response_s)


def _pack_figures(table: Figures) -> dict[str, Any]:
    def plain(row: Sequence[Any]) -> list[Any]:
        return [None if isinstance(cell, float) and not np.isfinite(cell) else cell for cell in row]

    return {
        "title": table.title,
        "columns": [{"dutch": dutch, "unit": unit} for dutch, unit in table.columns],
        "rows": [plain(row) for row in table.rows],
        "total": None if table.total is None else plain(table.total),
    }


def pack_column(values: npt.NDArray[Any], kind: str) -> dict[str, str]:
    """A column for the page: ``kind`` one of u8, u16, i16, f32, its little-endian bytes in base64.

    Raises OverflowError when a value does not fit.
    """
    dtype = np.dtype({"u8": "<u1", "u16": "<u2", "i16": "<i2", "f32": "<f4"}[kind])
    if dtype.kind != "f" and values.size:
        bounds = np.iinfo(dtype)
        if values.min() < bounds.min or values.max() > bounds.max:
            raise OverflowError(f"{values.min()}…{values.max()} past {kind}")
    return {"column": kind, "data": base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()}


def pack_shapes(shapes: Shapes) -> str:
    """Polygons in RD New as WGS84 steps: per shape the counts of its polygons, rings and points, then the points.

    Every number is a base-128 varint; a coordinate is a zigzag step from the one before, in units of 1 / DEGREE.
    """
    numbers: list[npt.NDArray[np.int64]] = [np.array([len(shapes)])]
    last = np.zeros(2, np.int64)
    grid = _grid(shapes)
    at = 0
    for shape in shapes:
        polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and not p.is_empty]
        counted = sum(shapely.get_num_coordinates(p) for p in polygons)
        at_shape, at = at, at + int(shapely.get_num_coordinates(shape))
        clean = counted == at - at_shape  # else lines and points along a border stand among the surfaces
        points = grid[at_shape:at] if clean else _grid(np.array(polygons, dtype=object))
        numbers.append(np.array([len(polygons)]))
        start = 0
        for polygon in polygons:
            rings = [polygon.exterior, *polygon.interiors]
            numbers.append(np.array([len(rings)]))
            for ring in rings:
                count = shapely.get_num_coordinates(ring)
                ring_points = points[start : start + count - 1]  # the page closes the ring
                start += count
                steps = np.diff(np.vstack([last, ring_points]), axis=0).ravel()
                last = ring_points[-1]
                numbers += [np.array([len(ring_points)]), (steps << 1) ^ (steps >> 63)]
    return base64.b64encode(_varints(np.concatenate(numbers))).decode()


def _grid(shapes: Shapes) -> npt.NDArray[np.int64]:
    """The points of shapes, in their order, in units of 1 / DEGREE."""
    x, y = shapely.get_coordinates(shapes).T
    return np.round(np.stack(transform(x, y, RD, WGS84), axis=1) * DEGREE).astype(np.int64)


def _varints(numbers: npt.NDArray[np.int64]) -> bytes:
    """Base-128 varints, least significant group first, of non-negative numbers below 2**28."""
    groups = (numbers[:, None] >> np.array([0, 7, 14, 21])) & 127
    length = 1 + (numbers[:, None] >= np.array([1 << 7, 1 << 14, 1 << 21])).sum(axis=1)
    place = np.arange(4)
    more = place < (length - 1)[:, None]
    packed: bytes = (groups | more << 7)[place < length[:, None]].astype(np.uint8).tobytes()
    return packed
