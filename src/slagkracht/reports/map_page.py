"""The coverage plan as one HTML page with a map that needs no network: who is reached when, by whom, and why."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht import __version__
from slagkracht.coverage import NORM_KINDS, Arrivals, Coverage
from slagkracht.plan import Plan, compute_hash
from slagkracht.reports.colours import MISSING_COLOUR, SCALES, Scale
from slagkracht.reports.drawing import Drawing, Shapes, compute_cell_means, compute_cell_sums
from slagkracht.reports.figures import Figures, read_municipality_names, read_window_names
from slagkracht.resources import REGIMES
from slagkracht.sources.geometry import RD, WGS84, transform

Floats = npt.NDArray[np.float64]

MISSING = -32_768
NO_UNIT = 65_535
DEGREE = 100_000  # coordinates are kept to 1e-5 degree, about a metre

VIEWS = {
    "marge": "Marge tegen de norm",
    "tijd": "Opkomsttijd",
    "kans": "Kans om op tijd te zijn",
    "alleen": "Alleen met eigen eenheden",
    "winst": "Wat samenwerking brengt",
    "verschil": "Verschil met het plan",
}
"""What a layer can show, with its name on the page, in the order in which the page offers them."""


@dataclass(frozen=True)
class Layer:
    """One figure per area, as the page offers it.

    ``topic`` what it is about ("Eerste tankautospuit") · ``view`` a key of VIEWS · ``window`` one of WINDOWS ·
    ``label`` "" for the plan itself, else the name of a variant · ``values`` float64 [A], nan = none: seconds, or a
    share for "kans" · ``receipt`` the hash of what it was computed from · ``figures`` its table.
    """

    topic: str
    view: str
    window: str
    values: Floats
    receipt: str
    figures: Figures
    label: str = ""


@dataclass(frozen=True)
class Ranking:
    """Who comes, in order, under a topic, window and label, and how that was judged."""

    topic: str
    window: str
    arrivals: Arrivals
    coverage: Coverage
    label: str = ""


def write_map_page(
    path: Path,
    plan: Plan,
    drawing: Drawing,
    layers: Sequence[Layer],
    rankings: Sequence[Ranking],
    receipt: Mapping[str, str],
    *,
    depth: int = 6,
) -> None:
    """Write the page: one file, opened from disk or served, that asks nothing of any network.

    ``receipt`` Dutch name → value, shown in full. At most ``depth`` arrivals of an area are kept. Every layer with a
    first arrival needs the ranking of its topic, window and label. Raises FileNotFoundError, with the command that
    mends it, when the front end was not built.
    """
    page = resources.files("slagkracht") / "web" / "kaart.html"
    if not page.is_file():
        raise FileNotFoundError("de kaartpagina is nog niet gebouwd: draai `make web` en probeer het opnieuw")
    figures = pack_page(plan, drawing, layers, rankings, receipt, depth=depth)
    packed = base64.b64encode(gzip.compress(json.dumps(figures, ensure_ascii=False).encode(), 6, mtime=0)).decode()
    html = page.read_text(encoding="utf-8")
    slot = '<script type="application/json" id="gegevens">'
    before, after = html.split(slot, 1)
    path.write_text(before + slot + packed + after, encoding="utf-8")


def pack_page(
    plan: Plan,
    drawing: Drawing,
    layers: Sequence[Layer],
    rankings: Sequence[Ranking],
    receipt: Mapping[str, str],
    *,
    depth: int = 6,
) -> dict[str, Any]:
    """Everything the page shows, ready for JSON: columns as base64, shapes as varints (see web/src/data/columns.js)."""
    topics = list(dict.fromkeys(layer.topic for layer in layers))
    tables = list({id(layer.figures): layer.figures for layer in layers}.values())
    order = sorted(range(len(layers)), key=lambda i: (layers[i].label != "", list(VIEWS).index(layers[i].view)))
    travel = plan.travel
    return {
        "title": f"Landelijk dekkingsplan – {plan.name}",
        "day": plan.day.isoformat(),
        "modelled": "gemodelleerd" if travel is not None and travel.kind == "gemodelleerd" else "",
        "spread": travel.spread if travel is not None else 0.0,
        "scale": DEGREE,
        "notes": [note for note in (*plan.notes, drawing.made_up, drawing.aggregated) if note],
        "aggregated": drawing.aggregated,
        "unverified": _unverified(plan, rankings),
        "receipt": [{"dutch": name, "value": value} for name, value in receipt.items()],
        "windows": [{"id": window, "dutch": dutch} for window, dutch in read_window_names().items()],
        "views": VIEWS,
        "labels": {label: label or plan.name for label in dict.fromkeys(layer.label for layer in layers)},
        "regimes": [regime.replace("_", " ") for regime in REGIMES],
        "scales": {name: _pack_scale(scale) for name, scale in SCALES.items()},
        "topics": [{"dutch": topic} for topic in topics],
        "regions": {
            "code": plan.regions.code.tolist(),
            "name": plan.regions.name.tolist(),
            "shapes": pack_shapes(drawing.outlines),
        },
        **_pack_areas(plan, drawing),
        **_pack_resources(plan),
        "layers": [
            _pack_layer(layers[i], drawing, plan, topics.index(layers[i].topic), tables.index(layers[i].figures))
            for i in order
        ],
        "arrivals": [
            _pack_ranking(r, plan, drawing, topics.index(r.topic), depth) for r in rankings if r.topic in topics
        ],
        "tables": [_pack_figures(table) for table in tables],
    }


def _unverified(plan: Plan, rankings: Sequence[Ranking]) -> list[dict[str, str]]:
    """Rules that the page leans on and that no one has verified yet, each once."""
    used = {ranking.coverage.norm for ranking in rankings}
    rules = [
        (rule.dutch, rule.source)
        for rule in plan.rules.rules
        if rule.status != "vastgesteld" and (rule.kind not in NORM_KINDS or rule.code in used)
    ]
    return [{"dutch": dutch, "source": source} for dutch, source in dict.fromkeys(rules)]


def _pack_scale(scale: Scale) -> dict[str, Any]:
    classes = [*zip(scale.colours, scale.labels), (MISSING_COLOUR, scale.missing_label)]
    return {
        "breaks": list(scale.breaks),
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


def _pack_resources(plan: Plan) -> dict[str, Any]:
    stations, units = plan.stations, plan.units
    lon, lat = transform(stations.x_m, stations.y_m, RD, WGS84)
    return {
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


def _pack_layer(layer: Layer, drawing: Drawing, plan: Plan, topic: int, table: int) -> dict[str, Any]:
    values = compute_cell_means(drawing, layer.values, plan.areas.population)
    unit = {"kans": "share", "tijd": "seconds", "alleen": "seconds", "winst": "seconds"}.get(
        layer.view, "signed_seconds"
    )
    window = read_window_names()[layer.window]
    norm_text = {
        "marge": "Opkomsttijd van de eerste geschikte eenheid min de norm die in het gebied geldt.",
        "tijd": "Van aannemen van de melding tot aankomst: melding + uitruk + rijden (mediaan).",
        "kans": "Kans dat een geschikte eenheid binnen de norm aankomt, met paraatheid en spreiding.",
        "alleen": "Opkomsttijd als elke regio alleen haar eigen eenheden inzet.",
        "winst": "Hoeveel eerder er iemand is doordat buurregio’s mee uitrukken.",
        "verschil": "Opkomsttijd in de variant min die in het plan.",
    }
    gaps = {
        "marge": ("Grootste overschrijdingen", "high", 0),
        "tijd": ("Langste opkomsttijden", "high", 0),
        "kans": ("Kleinste kansen", "low", 1.1),
        "alleen": ("Langste opkomsttijden, alleen", "high", 0),
        "winst": ("Grootste winst", "high", 0),
        "verschil": ("Grootste achteruitgang", "high", 0),
    }
    heading, worst, fine = gaps[layer.view]
    return {
        "topic": topic,
        "view": layer.view,
        "window": layer.window,
        "label": layer.label,
        "title": f"{layer.topic} – {VIEWS[layer.view].lower()}",
        "explanation": f"{norm_text[layer.view]} Venster: {window}.",
        "unit": unit,
        "scale": "tijd" if layer.view == "alleen" else layer.view,
        "values": pack_column(_seconds(values * 1000 if unit == "share" else values), "i16"),
        "table": table,
        "receipt": layer.receipt,
        "gaps": heading,
        "worst": worst,
        "fine": fine,
    }


def _pack_ranking(ranking: Ranking, plan: Plan, drawing: Drawing, topic: int, depth: int) -> dict[str, Any]:
    shown = drawing.shown
    arrivals, coverage = ranking.arrivals, ranking.coverage
    unit = arrivals.unit[shown, :depth]
    known = unit >= 0
    response_s = np.where(known, arrivals.response_s[shown, :depth], 0)
    source = next((rule.source for rule in plan.rules.rules if rule.code == coverage.norm), "")
    return {
        "topic": topic,
        "window": ranking.window,
        "label": ranking.label,
        "depth": unit.shape[1],
        "unit": pack_column(np.where(known, unit, NO_UNIT), "u16"),
        "response_s": pack_column(np.round(np.minimum(response_s, 65_535)), "u16"),
        "call_s": pack_column(np.round(arrivals.call_handling_s[shown]), "u16"),
        "norm": {
            "dutch": coverage.dutch,
            "source": source,
            "status": coverage.status,
            "measure": coverage.statistic,
            "limit_s": pack_column(_seconds(coverage.limit_s[shown]), "i16"),
            "response_s": pack_column(_seconds(coverage.response_s[shown]), "i16"),
            "in_time": pack_column(coverage.in_time[shown], "u8"),
            "completes": pack_column(np.where(coverage.unit[shown] < 0, NO_UNIT, coverage.unit[shown]), "u16"),
        },
    }


def _seconds(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Whole seconds in an i16, MISSING where there are none."""
    return np.where(np.isfinite(values), np.clip(np.round(values), MISSING + 1, 32_767), MISSING)


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


def compute_page_receipt(plan: Plan) -> dict[str, str]:
    """What the page says of its own origin: the plan's hash, the engine's version and where the drives come from."""
    return {
        "plan": plan.name,
        "hash van het plan (SHA-256)": compute_hash(plan),
        "rekenkern": f"slagkracht {__version__}",
        "rijtijden": plan.travel.source if plan.travel is not None else "geen",
    }
