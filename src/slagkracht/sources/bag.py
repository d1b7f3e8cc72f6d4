"""What stands where: objects of the BAG by the classes that the object norm speaks about, counted per area."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from slagkracht.sources.cbs import BUILDINGS
from slagkracht.sources.csvfile import find_repeats, numbers, read_csv
from slagkracht.sources.geometry import NETHERLANDS_RD
from slagkracht.sources.nwb import read_layer
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError

Floats = npt.NDArray[np.float32]
Metres = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]

IN_USE = (
    "Verblijfsobject in gebruik",
    "Verblijfsobject in gebruik (niet ingemeten)",
    "Verbouwing verblijfsobject",
    "",
)
OTHER_NAMES = {"gebruiksdoelen": "gebruiksdoel", "pandidentificatie": "pand_identificatie", "x_m": "x", "y_m": "y"}
OPTIONAL = ("pand_identificatie", "pandidentificatie", "bouwjaar", "status", "postcode")

MODELLED = (
    "Objecten per gebied zijn gemodelleerd: de adressen per gemeente (CBS) naar inwoners over haar gebieden verdeeld, "
    "zonder de klassen die de BAG niet kent."
)


def _facts() -> dict[str, Any]:
    text = resources.files("slagkracht").joinpath("nl", "facts", "bag_functions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def object_classes() -> tuple[str, ...]:
    """The classes that objects of the BAG are counted by, the strictest first (``nl/facts/bag_functions.toml``)."""
    return tuple(_facts()["volgorde"]["klassen"])


def read_bag_objects(path: Path, *, layer: str | None = None) -> tuple[pl.DataFrame, ReadSummary]:
    """Verblijfsobjecten in use: object_id, object_class, derived, postcode, x_m, y_m (nan where not given).

    From a CSV (identificatie, gebruiksdoel, and where given pand_identificatie, bouwjaar, status, postcode, x and y in
    RD New) or a geographic file with the same fields. An object with several functions, separated by commas or bars,
    counts once, in its strictest class. Derived, as an assumption that the summary counts: a dwelling in a building
    with a shop stands above it; a dwelling that also cares for health houses people who cannot save themselves; a
    dwelling among the number of dwellings, and of the years, in ``nl/facts/bag_functions.toml`` shares its stairs.
    Raises RefusalError: an id twice or empty, an unknown gebruiksdoel, a year or place that is none.
    """
    findings: list[Finding] = []
    if path.suffix == ".csv":
        table = read_csv(path, ("identificatie",))
        columns = {OTHER_NAMES.get(name, name): cells for name, cells in table.columns.items()}
        if "gebruiksdoel" not in columns:
            raise RefusalError([Finding(path.name, 1, "gebruiksdoel", ", ".join(columns), "een kolom gebruiksdoel")])
        x_m, y_m = np.full(table.rows, np.nan), np.full(table.rows, np.nan)
        if {"x", "y"} <= table.columns.keys():
            west, south, east, north = NETHERLANDS_RD
            x_m = numbers(table, "x", findings, least=west, most=east, empty=True)
            y_m = numbers(table, "y", findings, least=south, most=north, empty=True)
    else:
        frame = read_layer(path, layer, ("identificatie", "gebruiksdoel"), OPTIONAL)
        columns = {
            OTHER_NAMES.get(name, name): [_text(value) for value in frame[name]]
            for name in map(str, frame.columns)
            if name != "geometry"
        }
        middle = frame.geometry.centroid
        x_m, y_m = middle.x.to_numpy(np.float64), middle.y.to_numpy(np.float64)
    ids, purposes = columns["identificatie"], columns["gebruiksdoel"]
    find_repeats(path.name, "identificatie", ids, findings)
    known = _facts()["gebruiksdoelen"]
    split = [[p.strip().lower() for p in re.split(r"[,|;]", cell.strip("{}[]")) if p.strip()] for cell in purposes]
    for row, (object_id, found) in enumerate(zip(ids, split), start=2):
        if not object_id:
            findings.append(Finding(path.name, row, "identificatie", "niets", "het nummer van een verblijfsobject"))
        if not found or any(p not in known for p in found):
            expected = f"een of meer van {', '.join(known)}"
            findings.append(Finding(path.name, row, "gebruiksdoel", ", ".join(found) or "niets", expected))
    empty = [""] * len(ids)
    years = columns.get("bouwjaar", empty)
    for row, year in enumerate(years, start=2):
        if year and not re.fullmatch(r"[0-9]{1,4}(\.0)?", year):
            findings.append(Finding(path.name, row, "bouwjaar", year, "een jaartal"))
    if findings or not ids:
        raise RefusalError(findings or [Finding(path.name, 0, "", "geen rijen", "minstens één verblijfsobject")])
    objects = pl.DataFrame(
        {
            "object_id": ids,
            "building": columns.get("pand_identificatie", empty),
            "year": [float(year) if year else None for year in years],
            "status": columns.get("status", empty),
            "postcode": [cell.replace(" ", "").upper() for cell in columns.get("postcode", empty)],
            "classes": [[known[p] for p in found] for found in split],
            "x_m": x_m,
            "y_m": y_m,
        },
        schema_overrides={"year": pl.Float64, "classes": pl.List(pl.String)},
    )
    left_out = {
        f"niet in gebruik ({status})": count
        for status, count in objects.filter(~pl.col("status").is_in(IN_USE))["status"].value_counts().iter_rows()
    }
    classified = _classify(objects.filter(pl.col("status").is_in(IN_USE)))
    derived = classified.filter("derived")["object_class"].value_counts()
    assumed = {f"{name}, afgeleid (te verifiëren)": count for name, count in derived.iter_rows()}
    result = classified.select("object_id", "object_class", "derived", "postcode", "x_m", "y_m")
    return result, ReadSummary(path.name, len(result), left_out, assumed)


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value).strip()


def _classify(objects: pl.DataFrame) -> pl.DataFrame:
    """``objects`` with object_class, the strictest that each has, and whether it was derived."""
    facts = _facts()
    order, derive = facts["volgorde"]["klassen"], facts["afleiding"]
    lives = pl.col("classes").list.contains("woonfunctie")
    whole = pl.col("building") != ""
    homes = lives.sum().over("building")
    shops = pl.col("classes").list.contains("winkelfunctie").any().over("building") & whole
    stairs = (
        homes.is_between(*derive["portiek_woningen"]) & pl.col("year").is_between(*derive["portiek_bouwjaren"]) & whole
    )
    cared = pl.col("classes").list.contains("gezondheidszorgfunctie")
    plain = pl.col("classes").list.eval(pl.element().replace_strict({c: i for i, c in enumerate(order)})).list.min()
    derived = (
        pl.when(lives & shops)
        .then(pl.lit("woonfunctie_boven_winkel"))
        .when(lives & cared)
        .then(pl.lit("woonfunctie_verminderd_zelfredzaam"))
        .when(lives & stairs)
        .then(pl.lit("portiekwoning"))
    )
    named = pl.col("rank").replace_strict(dict(enumerate(order)), return_dtype=pl.String)
    cell = pl.col("classes").list.contains("celfunctie")
    return objects.with_columns(derived=pl.when(cell).then(None).otherwise(derived), rank=plain).with_columns(
        object_class=pl.coalesce("derived", named),
        derived=pl.col("derived").is_not_null(),
    )


def match_by_postcode(postcode: pl.Series, area_id: Strings) -> Indices:
    """The area (a PC4) of every object, by the first four characters of its postcode: int64 [N], -1 = none of them."""
    at = {str(name): i for i, name in enumerate(area_id)}
    return np.array([at.get(code[:4], -1) for code in postcode.to_list()], np.int64)


def match_by_square(x_m: Metres, y_m: Metres, area_x_m: Metres, area_y_m: Metres, size_m: float) -> Indices:
    """The area (a square of ``size_m`` around its point) that every place lies in: int64 [N], -1 = none of them."""
    at = {(int(x), int(y)): i for i, (x, y) in enumerate(zip(np.floor(area_x_m / size_m), np.floor(area_y_m / size_m)))}
    known = np.isfinite(x_m) & np.isfinite(y_m)
    column = np.floor(np.where(known, x_m, -1e9) / size_m).astype(np.int64)
    row = np.floor(np.where(known, y_m, -1e9) / size_m).astype(np.int64)
    return np.array([at.get(place, -1) for place in zip(column.tolist(), row.tolist())], np.int64)


def count_objects(objects: pl.DataFrame, area: Indices, areas: int) -> tuple[Floats, dict[str, int]]:
    """Objects per area and class, float32 [A, K] in the order of ``object_classes()``, and how many have no area."""
    order = object_classes()
    column = objects["object_class"].replace_strict({c: i for i, c in enumerate(order)}).to_numpy()
    counts = np.zeros((areas, len(order)), np.float32)
    placed = area >= 0
    np.add.at(counts, (area[placed], column[placed]), 1)
    lost = int(np.sum(~placed))
    return counts, {"object buiten alle gebieden": lost} if lost else {}


def read_object_counts(path: Path, area_id: Strings) -> tuple[Floats, ReadSummary]:
    """Objects that were counted already, from a CSV with area_id and a column per class: float32 [A, K].

    Columns are named as ``object_classes()``, or as a gebruiksdoel. An area that the file does not name has none and
    is counted in the summary. Raises RefusalError: an area twice or unknown, a column of no class, a cell that is no
    count.
    """
    order = object_classes()
    table = read_csv(path, ("area_id",))
    findings: list[Finding] = []
    find_repeats(path.name, "area_id", table.columns["area_id"], findings)
    at = {str(name): i for i, name in enumerate(area_id)}
    for row, name in enumerate(table.columns["area_id"], start=2):
        if name not in at:
            findings.append(Finding(path.name, row, "area_id", name or "niets", "een gebied van het plan"))
    purposes = _facts()["gebruiksdoelen"]
    columns = {name: purposes.get(name, name) for name in table.columns if name != "area_id"}
    values = {}
    for name, object_class in columns.items():
        if object_class not in order:
            findings.append(Finding(path.name, 1, name, name, f"een van {', '.join(order)}"))
        else:
            values[name] = numbers(table, name, findings, least=0, most=1e6)
    if findings:
        raise RefusalError(findings)
    counts = np.zeros((len(area_id), len(order)), np.float32)
    rows = np.array([at[name] for name in table.columns["area_id"]], np.int64)
    for name, column in values.items():
        counts[rows, order.index(columns[name])] += column
    silent = len(area_id) - len(rows)
    return counts, ReadSummary(
        path.name, len(rows), {}, {"gebied zonder telling, als leeg gelezen": silent} if silent else {}
    )


def spread_municipal_counts(
    figures: pl.DataFrame, municipality: Strings, population: Floats
) -> tuple[Floats, dict[str, int]]:
    """Addresses per municipality over its areas by population: float32 [A, K], *modelled* (say MODELLED with it).

    ``figures`` as ``cbs.read_municipality_figures`` gives them; where nobody lives in a municipality its addresses are
    spread evenly. Also returns how many areas lie in a municipality without figures: they have no objects.
    """
    order = object_classes()
    names = {name: f"{name}functie" if name != "overig" else "overige_gebruiksfunctie" for name in BUILDINGS}
    given = {row["code"]: row for row in figures.iter_rows(named=True) if row["woon"] is not None}
    counts = np.zeros((len(municipality), len(order)), np.float32)
    for code in np.unique(municipality):
        if str(code) not in given:
            continue
        rows = np.flatnonzero(municipality == code)
        people = population[rows].astype(np.float64)
        share = people / people.sum() if people.sum() > 0 else np.full(len(rows), 1 / len(rows))
        for name, object_class in names.items():
            counts[rows, order.index(object_class)] = share * (given[str(code)][name] or 0)
    without = int(np.sum([str(code) not in given for code in municipality]))
    return counts, {"gebied in een gemeente zonder adressen per gebruiksfunctie": without} if without else {}
