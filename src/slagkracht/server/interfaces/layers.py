"""What lies on the map for other programs: regions, stations, areas with their coverage, units and incidents."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.resources import WINDOWS
from slagkracht.server import engine
from slagkracht.server.database import Scope
from slagkracht.sources.geometry import RD, WGS84, transform

Shapes = npt.NDArray[np.object_]
Place = datetime.datetime | None


@dataclass(frozen=True, eq=False)
class Layer:
    """Features, one row each: ``ids`` str [N] · ``rd`` and ``lonlat`` shapely [N] (None = no place known) ·
    ``at`` when each was seen ("" = it is simply so) · ``properties`` a dict per row.
    """

    ids: list[str]
    rd: Shapes
    lonlat: Shapes
    at: list[Place]
    properties: list[dict[str, Any]]


@dataclass(frozen=True)
class Collection:
    """A named layer: ``read`` gives what the acting region may see of it; ``filters`` are properties to ask by."""

    name: str
    title: str
    description: str
    filters: tuple[str, ...]
    read: Callable[[Scope], Layer]


def _layer(ids: list[str], shapes: Shapes, properties: list[dict[str, Any]], at: list[Place] | None = None) -> Layer:
    def to_degrees(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(transform(points[:, 0], points[:, 1], RD, WGS84)) if len(points) else points

    rd, lonlat = shapes.copy(), np.asarray(shapely.transform(shapes, to_degrees), np.object_)
    nowhere = ~np.isfinite(shapely.bounds(lonlat)).all(axis=1)
    rd[nowhere] = lonlat[nowhere] = None
    return Layer(ids, rd, lonlat, at or [None] * len(ids), properties)


@functools.lru_cache(maxsize=2)
def _plan_layers(plan_hash: str) -> dict[str, Layer]:
    loaded = engine.current()
    assert loaded is not None
    assert loaded.plan_hash == plan_hash
    plan = loaded.plan
    areas, stations, regions = plan.areas, plan.stations, plan.regions
    norm = engine.norms(loaded)[0]
    judged = {window: engine.judge_plan(loaded, norm, window) for window in WINDOWS}
    half_m = areas.size_m.astype(np.float64) / 2
    squares = shapely.box(areas.x_m - half_m, areas.y_m - half_m, areas.x_m + half_m, areas.y_m + half_m)
    units_at = np.bincount(plan.units.station, minlength=len(stations))
    outlines = np.array([shapely.union_all(squares[areas.region == row]) for row in range(len(regions))], np.object_)

    def area(row: int) -> dict[str, Any]:
        found: dict[str, Any] = {
            "regio": str(regions.code[areas.region[row]]),
            "gemeente": str(areas.municipality[row]),
            "inwoners": round(float(areas.population[row]), 1),
            "norm": norm,
        }
        for window, coverage in judged.items():
            reached = bool(np.isfinite(coverage.response_s[row]))
            spoken_for = bool(np.isfinite(coverage.limit_s[row]))
            found[f"opkomsttijd_{window}_s"] = round(float(coverage.response_s[row]), 1) if reached else None
            found[f"norm_{window}_s"] = round(float(coverage.limit_s[row]), 1) if spoken_for else None
            found[f"binnen_norm_{window}"] = bool(coverage.in_time[row]) if spoken_for else None
        return found

    return {
        "regios": _layer(
            regions.code.tolist(),
            outlines,
            [
                {
                    "naam": str(regions.name[row]),
                    "inwoners": round(float(areas.population[areas.region == row].sum())),
                    "kazernes": int((stations.region == row).sum()),
                }
                for row in range(len(regions))
            ],
        ),
        "kazernes": _layer(
            stations.station_id.tolist(),
            shapely.points(stations.x_m, stations.y_m),
            [
                {
                    "naam": str(stations.name[row]),
                    "regio": str(regions.code[stations.region[row]]),
                    "eenheden": int(units_at[row]),
                }
                for row in range(len(stations))
            ],
        ),
        "gebieden": _layer(areas.area_id.tolist(), squares, [area(row) for row in range(len(areas))]),
    }


def _of_plan(name: str) -> Callable[[Scope], Layer]:
    def read(own: Scope) -> Layer:
        loaded = engine.current()
        if loaded is None:
            return _layer([], np.empty(0, np.object_), [])
        return _plan_layers(loaded.plan_hash)[name]

    return read


def _points(rows: list[dict[str, Any]], at: str) -> Layer:
    x_m = np.array([row.pop("x_m") for row in rows], np.float64)
    y_m = np.array([row.pop("y_m") for row in rows], np.float64)
    shapes = np.where(np.isfinite(x_m), shapely.points(x_m, y_m), None) if rows else np.empty(0, np.object_)
    when = [row[at] for row in rows]
    return _layer([row.pop("id") for row in rows], np.asarray(shapes, np.object_), rows, when)


def _units(own: Scope) -> Layer:
    rows = own.rows(
        "select u.unit_id as id, u.region as regio, type_code as type, capabilities as inzetmogelijkheden, status, "
        "status_at as status_sinds, p.x_m, p.y_m, p.place_at as plaats_sinds "
        "from slagkracht.unit u left join slagkracht.unit_place p using (world, unit_id) order by unit_id"
    )
    for row in rows:
        row["inzetmogelijkheden"] = ", ".join(row["inzetmogelijkheden"])
    return _points(rows, "plaats_sinds")


def _incidents(own: Scope) -> Layer:
    rows = own.rows(
        "select incident_id as id, region as regio, what as wat, level as niveau, information_class as classificatie, "
        "opened_at as geopend_op, closed_at as gesloten_op, x_m, y_m from slagkracht.incident order by incident_id"
    )
    return _points(rows, "geopend_op")


COLLECTIONS = {
    collection.name: collection
    for collection in (
        Collection("regios", "Veiligheidsregio's", "De regio's van het plan, met hun omtrek.", (), _of_plan("regios")),
        Collection("kazernes", "Kazernes", "Waar eenheden volgens het plan staan.", ("regio",), _of_plan("kazernes")),
        Collection(
            "gebieden",
            "Gebieden met dekking",
            "Per gebied de opkomsttijd in elk tijdvenster, getoetst aan de norm die geldt.",
            ("regio", "gemeente"),
            _of_plan("gebieden"),
        ),
        Collection(
            "eenheden",
            "Eenheden",
            "Status en laatst gemelde plaats, voor zover de eigenaar die deelt.",
            ("regio", "type", "status"),
            _units,
        ),
        Collection(
            "incidenten", "Incidenten", "Voor zover met u gedeeld.", ("regio", "niveau", "classificatie"), _incidents
        ),
    )
}
