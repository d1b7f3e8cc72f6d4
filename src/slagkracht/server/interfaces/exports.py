"""What someone may see, as files: CSV for a spreadsheet, GeoPackage for a map program; the database decides."""

from __future__ import annotations

import csv
import datetime
import io
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any, get_args

import geopandas
import pandas
import pyogrio
import shapely

from slagkracht.server.api.resources import RESOURCES
from slagkracht.server.database import Scope
from slagkracht.sources.geometry import RD

TABLES = {
    r.noun: r for r in RESOURCES if r.noun in ("aanvragen", "regels", "aanboden", "toezeggingen", "gebeurtenissen")
}
PLACED = {r.noun: r for r in RESOURCES if r.noun in ("incidenten", "eenheden", "regels")}
GEOPACKAGE = {"driver": "GPKG", "append": False, "VERSION": "1.3"}
"""The version that map programs of some years ago read without a warning too."""
# A GeoPackage is written in a temporary folder and read from it at once: nothing of it has to outlive a power cut.
pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})
FILES = (*(f"{noun}.csv" for noun in TABLES), "slagkracht.gpkg")


def write_csv(own: Scope, noun: str) -> bytes:
    """One table as a Dutch spreadsheet opens it: UTF-8 with a mark, ; between fields, a comma in a number (155000.5
    it reads as text, and 1.5 as the first of May), no cell that is a formula.
    """
    resource, text = TABLES[noun], io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    names = list(resource.schema.model_fields)
    writer.writerow(names)
    for row in own.rows(f"select * from ({resource.sql}) r order by {resource.order}"):
        writer.writerow([_in_sheet(row[name]) for name in names])
    return text.getvalue().encode("utf-8-sig")


def write_geopackage(own: Scope) -> bytes:
    """Incidents, units and lines as points in RD New, and the other tables without a place."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL says so when a layer has no rows
        path = Path(folder) / "slagkracht.gpkg"
        for noun, resource in {**TABLES, **PLACED}.items():
            rows = own.rows(f"select * from ({resource.sql}) r order by {resource.order}")
            names = [name for name in resource.schema.model_fields if name != "id"]
            table = pandas.DataFrame({"kenmerk": [row["id"] for row in rows]}, dtype="string")
            for name in names:
                table[name] = _column([row[name] for row in rows], resource.schema.model_fields[name].annotation)
            if noun in PLACED:
                points = [None if row["x_m"] is None else shapely.Point(row["x_m"], row["y_m"]) for row in rows]
                frame = geopandas.GeoDataFrame(table, geometry=geopandas.GeoSeries(points, crs=RD), crs=RD)
                pyogrio.write_dataframe(frame, path, layer=noun, geometry_type="Point", **GEOPACKAGE)
            else:
                pyogrio.write_dataframe(table, path, layer=noun, **GEOPACKAGE)
        return path.read_bytes()


def _column(values: list[Any], told: Any) -> Any:
    """Values as a map program takes them: whole numbers, numbers and moments as such, the rest as text."""
    kinds = set(get_args(told)) - {type(None)} or {told}
    if kinds == {int}:
        return pandas.array(values, dtype="Int64")
    if kinds == {float}:
        return pandas.array(values, dtype="Float64")
    if kinds == {datetime.datetime}:
        return pandas.to_datetime(pandas.Series(values, dtype="object"), utc=True)
    return pandas.array([None if value is None else _cell(value) for value in values], dtype="string")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)


def _in_sheet(value: Any) -> str:
    return str(value).replace(".", ",") if isinstance(value, float) else _safe(_cell(value))


def _safe(text: str) -> str:
    """A cell that a spreadsheet will not run: what begins like a formula gets an apostrophe before it."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
