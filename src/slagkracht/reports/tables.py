"""Coverage as tables that open anywhere: Polars and pandas, CSV, GeoParquet, GeoJSON and GeoPackage for QGIS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from slagkracht.coverage import Coverage
from slagkracht.plan import Plan
from slagkracht.reports.drawing import Shapes
from slagkracht.sources.geometry import RD, WGS84

FORMATS = (".csv", ".parquet", ".geoparquet", ".geojson", ".gpkg")
"""What ``write_table`` writes, by the ending of the path; the last three hold shapes and need them."""


def compute_area_table(plan: Plan, coverages: Sequence[Coverage], receipt: str = "") -> pl.DataFrame:
    """One row per area, norm and time window, in that order of change: what came out, and who it hangs on.

    Columns: gebied, gemeente, regio (code), inwoners, norm (code), venster, alleen (each region by itself), grens_s and
    opkomsttijd_s (null = no norm, nobody comes), kans_op_tijd (null = not computed), op_tijd, eenheid, kazerne and
    regio_eenheid (null = nobody comes), x_m, y_m (RD New), verantwoording (``receipt``).
    """
    areas = plan.areas
    frames = [
        pl.DataFrame(
            {
                "gebied": areas.area_id,
                "gemeente": areas.municipality,
                "regio": plan.regions.code[areas.region],
                "inwoners": areas.population,
                "norm": [coverage.norm] * len(areas),
                "venster": [coverage.window] * len(areas),
                "alleen": np.full(len(areas), coverage.alone),
                "grens_s": _column(coverage.limit_s),
                "opkomsttijd_s": _column(coverage.response_s),
                "kans_op_tijd": _column(coverage.chance),
                "op_tijd": coverage.in_time,
                **_whom(plan, coverage),
                "x_m": areas.x_m,
                "y_m": areas.y_m,
                "verantwoording": [receipt] * len(areas),
            }
        )
        for coverage in coverages
    ]
    return pl.concat(frames)


def compute_area_map(plan: Plan, coverages: Sequence[Coverage], receipt: str = "") -> pl.DataFrame:
    """One row per area, for a map: gebied, gemeente, regio, inwoners and per norm and window its own columns.

    These are named after norm, window and, where so, "alleen": ``…_s`` the response time, ``…_kans`` the chance of
    being in time, ``…_op_tijd``. Null where there is none.
    """
    areas = plan.areas
    columns: dict[str, object] = {
        "gebied": areas.area_id,
        "gemeente": areas.municipality,
        "regio": plan.regions.code[areas.region],
        "inwoners": areas.population,
    }
    for coverage in coverages:
        name = "_".join([coverage.norm, coverage.window] + ["alleen"] * coverage.alone)
        name = re.sub(r"\W+", "_", name.lower())
        columns[f"{name}_s"] = _column(coverage.response_s)
        if not np.isnan(coverage.chance).all():
            columns[f"{name}_kans"] = _column(coverage.chance)
        columns[f"{name}_op_tijd"] = coverage.in_time
    return pl.DataFrame({**columns, "verantwoording": [receipt] * len(areas)})


def compute_station_table(plan: Plan) -> pl.DataFrame:
    """One row per station: kazerne_id, kazerne, regio, its vehicles by type in one text, x_m, y_m (RD New)."""
    stations, units = plan.stations, plan.units
    vehicles: list[list[str]] = [[] for _ in range(len(stations))]
    for station, kind in zip(units.station.tolist(), units.type_code.tolist()):
        vehicles[station].append(kind)
    return pl.DataFrame(
        {
            "kazerne_id": stations.station_id,
            "kazerne": stations.name,
            "regio": plan.regions.code[stations.region],
            "voertuigen": [" ".join(sorted(kinds)) for kinds in vehicles],
            "x_m": stations.x_m,
            "y_m": stations.y_m,
        }
    )


def write_table(path: Path, table: pl.DataFrame, shapes: Shapes | None = None, layer: str = "dekking") -> None:
    """Write a table in the format that the path ends in (one of FORMATS), replacing what was there.

    ``shapes`` shapely geometry in RD New, one per row. They go into GeoPackage and GeoParquet as EPSG:28992 and into
    GeoJSON as WGS84, as its standard (RFC 7946) asks. Raises ValueError for another ending or for missing shapes.
    """
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise ValueError(f"{path.name}: onbekend formaat {kind!r}; kies uit {', '.join(FORMATS)}")
    if kind == ".csv":
        table.write_csv(path)
        return
    if kind == ".parquet" and shapes is None:
        table.write_parquet(path)
        return
    if shapes is None:
        raise ValueError(f"{path.name}: {kind} is een kaartformaat; geef een vlak of punt per rij")
    import geopandas  # takes a second to load, and only maps need it

    frame = geopandas.GeoDataFrame(table.to_pandas(), geometry=shapes, crs=RD)
    path.unlink(missing_ok=True)
    if kind == ".gpkg":
        frame.to_file(path, driver="GPKG", layer=layer, engine="pyogrio")
    elif kind == ".geojson":
        frame.to_crs(WGS84).to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES")
    else:
        frame.to_parquet(path)


def _column(values: npt.NDArray[np.float32]) -> pl.Series:
    """Floats with null where there is no figure: neither inf nor nan is a number that a spreadsheet may add up."""
    return pl.Series(values).replace([np.inf, np.nan], None)


def _whom(plan: Plan, coverage: Coverage) -> dict[str, pl.Series]:
    """The unit that completes each area's norm, its station and its region."""
    known = coverage.unit >= 0
    unit = np.maximum(coverage.unit, 0)
    station = plan.units.station[unit]
    named = {
        "eenheid": plan.units.unit_id[unit],
        "kazerne": plan.stations.name[station],
        "regio_eenheid": plan.regions.code[plan.stations.region[station]],
    }
    nobody = pl.Series(~known)
    return {name: pl.Series(column).set(nobody, None) for name, column in named.items()}
