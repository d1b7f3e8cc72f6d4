"""Where people live, as Statistics Netherlands publishes it: squares, postcode areas, municipalities and outlines."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from slagkracht.sources.csvfile import CsvTable, find_repeats, numbers, read_csv
from slagkracht.sources.geometry import NETHERLANDS_RD, RD, WGS84, Metres, transform, what_is_wrong
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError, say_unreadable

SUPPRESSED = -99997
"""CBS: fewer than five people live here, so the number is not told."""

NOT_PUBLISHED = -99995
"""CBS: not published for this square, or nobody there."""

UNDER_FIVE = 2.0
"""People in a square whose number is suppressed: the middle of 0–4, an assumption that the summary counts."""

AREA_COLUMNS = ("area_id", "x_m", "y_m", "municipality", "region", "population", "size_m", "name")
BUILDINGS = ("woon", "winkel", "kantoor", "industrie", "overig")


def read_pc4_areas(path: Path, polygons: Path | None = None) -> tuple[pl.DataFrame, ReadSummary]:
    """Postcode areas of four digits from a CSV, as AREA_COLUMNS: points in RD New, ``size_m`` the root of the surface.

    Columns read: pc4, km2, lon_rep, lat_rep, gm_code_2023, vr and inwoners_2021 or inwoners; lon_adr and lat_adr (the
    middle of the addresses) go before lon_rep and lat_rep. Without either, the area stands at a point inside its
    outline in ``polygons``. An area without municipality or region, or without any place, is left out and counted.
    Raises RefusalError with every cell that is wrong: no number, a place outside the Netherlands, swapped degrees,
    a postcode twice.
    """
    table = read_csv(path, ("pc4", "km2", "lon_rep", "lat_rep", "gm_code_2023", "vr"))
    findings: list[Finding] = []
    find_repeats(table.file, "pc4", table.columns["pc4"], findings)
    for number, code in enumerate(table.columns["pc4"], start=2):
        if not re.fullmatch(r"[1-9][0-9]{3}", code):
            findings.append(Finding(table.file, number, "pc4", code or "niets", "een postcode van vier cijfers"))
    people = next((name for name in ("inwoners_2021", "inwoners") if name in table.columns), "")
    if not people:
        findings.append(Finding(table.file, 1, "inwoners", ", ".join(table.columns), "een kolom inwoners"))
        raise RefusalError(findings)
    population = numbers(table, people, findings, least=0, most=1e6, empty=True)
    km2 = numbers(table, "km2", findings, least=0, most=1e4)
    lon, lat = read_places(table, "lon_rep", "lat_rep", findings)
    if {"lon_adr", "lat_adr"} <= table.columns.keys():
        by_address = read_places(table, "lon_adr", "lat_adr", findings)
        given = np.isfinite(by_address[0])
        lon, lat = np.where(given, by_address[0], lon), np.where(given, by_address[1], lat)
    if findings:
        raise RefusalError(findings)
    if polygons is not None and np.isnan(lon).any():
        outlines, _ = read_outlines(polygons, code=("pc4", "postcode", "postcode4"), name=())
        inside = {code: (x, y) for code, x, y in outlines.select("code", "lon", "lat").iter_rows()}
        for i in np.flatnonzero(np.isnan(lon)):
            lon[i], lat[i] = inside.get(table.columns["pc4"][i], (np.nan, np.nan))
    municipality, region = table.columns["gm_code_2023"], table.columns["vr"]
    left_out = Counter[str]()
    keep = np.ones(table.rows, np.bool_)
    for row, code in enumerate(table.columns["pc4"]):
        if not municipality[row] or not region[row]:
            left_out[f"postcodegebied zonder gemeente of regio ({code})"] += 1
            keep[row] = False
        elif np.isnan(lon[row]):
            left_out[f"postcodegebied zonder plaats ({code})"] += 1
            keep[row] = False
    unknown = int(np.isnan(population[keep]).sum())
    x_m, y_m = transform(np.nan_to_num(lon), np.nan_to_num(lat))
    areas = pl.DataFrame(
        {
            "area_id": table.columns["pc4"],
            "x_m": x_m,
            "y_m": y_m,
            "municipality": municipality,
            "region": region,
            "population": np.nan_to_num(population),
            "size_m": np.sqrt(km2) * 1000,
            "name": table.columns.get("plaats", [""] * table.rows),
        }
    ).filter(pl.Series(keep))
    assumed = {"postcodegebied zonder inwonertal, als onbewoond gelezen": unknown} if unknown else {}
    return areas, ReadSummary(table.file, len(areas), dict(left_out), assumed)


def read_places(table: CsvTable, lon: str, lat: str, findings: list[Finding]) -> tuple[Any, Any]:
    """Two columns of degrees WGS84 in the Netherlands, nan where both are empty; anything else is a finding."""
    before = len(findings)
    x = numbers(table, lon, findings, empty=True)
    y = numbers(table, lat, findings, empty=True)
    if len(findings) > before:
        return x, y
    for i in np.flatnonzero(np.isnan(x) != np.isnan(y)):
        findings.append(Finding(table.file, int(i) + 2, f"{lon}, {lat}", "de helft van een plaats", "beide of geen"))
    for i in np.flatnonzero(np.isfinite(x) & np.isfinite(y)):
        if wrong := what_is_wrong(float(x[i]), float(y[i])):
            findings.append(Finding(table.file, int(i) + 2, f"{lon}, {lat}", f"{x[i]:g}, {y[i]:g}", wrong))
    return x, y


def read_squares(path: Path, *, layer: str | None = None, keep_empty: bool = False) -> tuple[pl.DataFrame, ReadSummary]:
    """Squares of 100 or 500 m from a CBS GeoPackage: area_id, x_m, y_m (the middle), population, size_m, suppressed.

    The size is in the name of the code column (crs28992res100m), the place in the code: E1234N5678 is the south-west
    corner in hundreds of metres RD New, E123400N567800 the same in metres. A suppressed number counts as UNDER_FIVE
    people; a square where nobody lives is left out unless ``keep_empty``. Raises RefusalError with every code that is
    none or stands there twice, and every population that is neither a count nor a CBS code.
    """
    import pyogrio  # takes a second to load, and only map files need it

    try:
        fields = [str(name) for name in pyogrio.read_info(path, layer=layer)["fields"]]
        code = next((name for name in fields if re.fullmatch(r"crs28992res(100|500)m", name.lower())), "")
        people = next((name for name in fields if name.lower().replace("_", "") == "aantalinwoners"), "")
        if not code or not people:
            expected = "de velden crs28992res100m (of 500m) en aantal_inwoners"
            raise RefusalError([Finding(path.name, 0, "", ", ".join(fields) or "geen velden", expected)])
        table = pyogrio.read_dataframe(path, layer=layer, columns=[code, people], read_geometry=False)
    except RefusalError:
        raise
    except Exception as error:  # GDAL raises of many kinds on a broken file
        raise RefusalError(
            [Finding(path.name, 0, "", say_unreadable(path), "een GeoPackage van CBS-vierkanten")]
        ) from error
    size = 500.0 if "500" in code else 100.0
    findings: list[Finding] = []
    codes = [str(value) for value in table[code]]
    find_repeats(path.name, code, codes, findings)
    corners = np.array([_corner(value) for value in codes], np.float64).reshape(-1, 2)
    west, south, east, north = NETHERLANDS_RD
    inside = (corners[:, 0] >= west) & (corners[:, 0] < east) & (corners[:, 1] >= south) & (corners[:, 1] < north)
    for i in np.flatnonzero(~(inside & np.all(corners % size == 0, axis=1))):
        expected = f"een vierkant van {size:g} m in Nederland, zoals E1234N4567"
        findings.append(Finding(path.name, int(i) + 2, code, codes[i], expected))
    counted = np.array([_count(value) for value in table[people]], np.float64)
    hidden, none = counted == SUPPRESSED, (counted == NOT_PUBLISHED) | (counted == 0)
    for i in np.flatnonzero(~(hidden | none | (counted > 0) & (counted < 1e6))):
        findings.append(Finding(path.name, int(i) + 2, people, str(table[people][i]), "een aantal inwoners"))
    if findings or not len(table):
        raise RefusalError(findings or [Finding(path.name, 0, "", "een lege laag", "minstens één vierkant")])
    squares = pl.DataFrame(
        {
            "area_id": codes,
            "x_m": corners[:, 0] + size / 2,
            "y_m": corners[:, 1] + size / 2,
            "population": np.where(hidden, UNDER_FIVE, np.where(none, 0.0, counted)),
            "size_m": np.full(len(table), size),
            "suppressed": hidden,
        }
    )
    left_out = {}
    if not keep_empty:
        left_out = {"vierkant zonder inwoners": int(none.sum())} if none.any() else {}
        squares = squares.filter(~pl.Series(none))
    assumed = {f"onderdrukt inwonertal (0–4), als {UNDER_FIVE:g} gelezen": int(hidden.sum())} if hidden.any() else {}
    return squares, ReadSummary(path.name, len(squares), left_out, assumed)


def _corner(code: str) -> tuple[float, float]:
    """South-west corner of a square in metres RD New; nan, nan for what is no code."""
    match = re.fullmatch(r"E([0-9]{4}|[0-9]{5,6})N([0-9]{4}|[0-9]{6})", code)
    if not match:
        return np.nan, np.nan
    unit = 100.0 if len(match[1]) == 4 and len(match[2]) == 4 else 1.0
    return float(match[1]) * unit, float(match[2]) * unit


def _count(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def read_outlines(
    path: Path, *, code: tuple[str, ...] = ("code", "statcode"), name: tuple[str, ...] = ("naam", "statnaam")
) -> tuple[pl.DataFrame, ReadSummary]:
    """Outlines for maps, in degrees WGS84: code, name, lon, lat (a point inside), outline (GeoJSON geometry).

    Reads the regions, municipalities or postcode areas of any file that GDAL reads, whatever its reference system;
    ``code`` and ``name`` are the fields to look for, the first that is there. An outline that crosses itself is
    mended and counted, an area without an outline left out. Raises RefusalError: unreadable, a field missing, a code
    empty or twice, no polygon, a place outside the Netherlands.
    """
    import geopandas as gpd
    import pyogrio

    try:
        if path.suffix in (".geojson", ".json"):
            json.loads(path.read_bytes())  # GDAL reads the first half of a file that was cut off
        table = pyogrio.read_dataframe(path)
        if not isinstance(table, gpd.GeoDataFrame):
            raise RefusalError([Finding(path.name, 0, "", "geen geometrie", "een kaartlaag van vlakken")])
        table = table.to_crs(WGS84) if table.crs is not None else table.set_crs(WGS84)
    except RefusalError:
        raise
    except Exception as error:  # GDAL and PROJ raise of many kinds on a broken file
        raise RefusalError(
            [Finding(path.name, 0, "", say_unreadable(path), "een GeoJSON of GeoPackage van vlakken")]
        ) from error
    key = next((field for field in code if field in table.columns), "")
    if not key or not len(table):
        found = ", ".join(map(str, table.columns))
        raise RefusalError(
            [Finding(path.name, 0, code[0], found, f"minstens één vlak met een veld {' of '.join(code)}")]
        )
    label = next((field for field in name if field in table.columns), key)
    codes, shapes = [_label(value) for value in table[key]], table.geometry.to_numpy()
    findings: list[Finding] = []
    find_repeats(path.name, key, codes, findings)
    drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    flat = np.isin(shapely.get_type_id(shapes), (3, 6)) | ~drawn
    for i in np.flatnonzero(~flat):
        findings.append(Finding(path.name, int(i) + 2, "geometry", str(shapes[i])[:40], "een vlak"))
    bounds = shapely.bounds(shapes)
    for i in np.flatnonzero(flat & drawn):
        for corner in (bounds[i, :2], bounds[i, 2:]):
            if wrong := what_is_wrong(float(corner[0]), float(corner[1])):
                place = f"{corner[0]:g}, {corner[1]:g}"
                findings.append(Finding(path.name, int(i) + 2, "geometry", place, wrong))
                break
    findings += [Finding(path.name, i + 2, key, "niets", "een code") for i, value in enumerate(codes) if not value]
    if findings:
        raise RefusalError(findings)
    labels = [_label(value) for value in table[label]]
    left_out = {f"vlak zonder omtrek ({codes[i]})": 1 for i in np.flatnonzero(~drawn)}
    codes = [value for value, there in zip(codes, drawn) if there]
    labels = [value for value, there in zip(labels, drawn) if there]
    shapes = shapes[drawn]
    crossed = ~shapely.is_valid(shapes)
    shapes = np.where(crossed, shapely.make_valid(shapes), shapes)
    inside = shapely.point_on_surface(shapes)
    outlines = pl.DataFrame(
        {
            "code": codes,
            "name": labels,
            "lon": shapely.get_x(inside),
            "lat": shapely.get_y(inside),
            "outline": shapely.to_geojson(shapes).tolist(),
        }
    )
    assumed = {"omtrek die zichzelf kruist, hersteld": int(crossed.sum())} if crossed.any() else {}
    return outlines, ReadSummary(path.name, len(outlines), left_out, assumed)


def _label(value: Any) -> str:
    """A code or name as text: 1011.0 is 1011, nothing is nothing."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def read_pc4_outlines(path: Path) -> tuple[pl.DataFrame, ReadSummary]:
    """Postcode areas from the GeoPackage that CBS publishes: area_id, x_m, y_m, population, size_m, lon, lat, outline.

    Fields postcode (or pc4) and aantal_inwoners; an area stands at a point inside its outline. A suppressed number
    counts as UNDER_FIVE people, one that is not published as nobody, both counted in the summary. Raises RefusalError
    as ``read_outlines`` does, and for a population that is neither a count nor a CBS code.
    """
    import geopandas as gpd
    import pyogrio

    outlines, drawn = read_outlines(path, code=("postcode", "pc4", "postcode4"), name=())
    table = pyogrio.read_dataframe(path, read_geometry=False)
    people = next((name for name in ("aantal_inwoners", "aantalInwoners", "inwoners") if name in table.columns), "")
    if not people:
        found = ", ".join(map(str, table.columns))
        raise RefusalError([Finding(path.name, 0, "aantal_inwoners", found, "een veld aantal_inwoners")])
    key = next(name for name in ("postcode", "pc4", "postcode4") if name in table.columns)
    counted = np.array([_count(value) for value in table[people]], np.float64)
    hidden = counted == SUPPRESSED
    none = (counted == NOT_PUBLISHED) | np.isnan(counted)
    wrong = ~(hidden | none | (counted >= 0) & (counted < 1e6))
    findings = [
        Finding(path.name, int(i) + 2, people, str(table[people][i]), "een aantal inwoners")
        for i in np.flatnonzero(wrong)
    ]
    if findings:
        raise RefusalError(findings)
    population = np.where(hidden, UNDER_FIVE, np.where(none, 0.0, counted))
    by_code = dict(zip([_label(value) for value in table[key]], population))
    x_m, y_m = transform(outlines["lon"].to_numpy(), outlines["lat"].to_numpy())
    shapes = gpd.GeoSeries(shapely.from_geojson(outlines["outline"].to_list()), crs=WGS84).to_crs(RD)
    areas = pl.DataFrame(
        {
            "area_id": outlines["code"],
            "x_m": x_m,
            "y_m": y_m,
            "population": [float(by_code[code]) for code in outlines["code"]],
            "size_m": np.sqrt(shapes.area.to_numpy()),
        }
    ).hstack(outlines.select("lon", "lat", "outline"))
    assumed = drawn.assumed | {
        f"onderdrukt inwonertal (0–4), als {UNDER_FIVE:g} gelezen": int(hidden.sum()),
        "postcodegebied zonder inwonertal, als onbewoond gelezen": int(none.sum()),
    }
    return areas, ReadSummary(path.name, len(areas), drawn.left_out, {what: n for what, n in assumed.items() if n})


def find_outline(x_m: Metres, y_m: Metres, outlines: pl.DataFrame) -> list[str]:
    """The code of the outline that each place (RD New) lies in, "" where it lies in none; on a border, the first code.

    Gives squares and postcode areas their municipality and region, with ``outlines`` from ``read_outlines``.
    """
    lon, lat = transform(x_m, y_m, RD, WGS84)
    tree = shapely.STRtree(shapely.from_geojson(outlines["outline"].to_list()))
    place, row = tree.query(shapely.points(lon, lat), predicate="intersects")
    codes = outlines["code"].to_list()
    found: dict[int, str] = {}
    for i, r in zip(place.tolist(), row.tolist()):
        found[i] = min(found.get(i, codes[r]), codes[r])
    return [found.get(i, "") for i in range(len(lon))]


def read_region_outlines(path: Path) -> tuple[pl.DataFrame, ReadSummary]:
    """The safety regions' outlines as ``read_outlines`` gives them, in the order of their codes."""
    outlines, summary = read_outlines(path)
    return outlines.sort("code"), summary


def read_municipalities(path: Path) -> tuple[pl.DataFrame, ReadSummary]:
    """Which region every municipality belongs to: code, name, region, from a CSV gm_code, gm_naam, vr_code.

    Raises RefusalError: a code twice or of another form, a name or region missing.
    """
    table = read_csv(path, ("gm_code", "gm_naam", "vr_code"))
    findings: list[Finding] = []
    find_repeats(table.file, "gm_code", table.columns["gm_code"], findings)
    for column, pattern, expected in (
        ("gm_code", r"GM[0-9]{4}", "een gemeentecode zoals GM0014"),
        ("vr_code", r"VR[0-9]{2}", "een regiocode zoals VR01"),
        ("gm_naam", r".+", "een naam"),
    ):
        for row, cell in enumerate(table.columns[column], start=2):
            if not re.fullmatch(pattern, cell):
                findings.append(Finding(table.file, row, column, cell or "niets", expected))
    if findings or not table.rows:
        raise RefusalError(findings or [Finding(table.file, 0, "", "geen rijen", "minstens één gemeente")])
    columns = {"code": "gm_code", "name": "gm_naam", "region": "vr_code"}
    result = pl.DataFrame({name: table.columns[source] for name, source in columns.items()})
    return result, ReadSummary(table.file, len(result), {})


def read_municipality_figures(path: Path) -> tuple[pl.DataFrame, ReadSummary]:
    """CBS figures per municipality: code, name, population, and addresses per building function (woon … overig).

    A figure that is not published is null. "Buitenland" (GM0998, GM0999) is no municipality and is left out; how many
    municipalities lack population or addresses is counted. Raises RefusalError as ``read_outlines`` does, and for a
    figure that is no count.
    """
    import pyogrio

    fields = ("gemeentecode", "code", "statcode"), ("gemeentenaam", "naam", "statnaam")
    outlines, drawn = read_outlines(path, code=fields[0], name=fields[1])
    table = pyogrio.read_dataframe(path, read_geometry=False)
    if len(table) != len(outlines):
        found = ", ".join(drawn.left_out) or f"{len(outlines)} vlakken bij {len(table)} rijen"
        raise RefusalError([Finding(path.name, 0, "geometry", found, "een omtrek bij elke gemeente")])
    findings: list[Finding] = []
    columns: dict[str, list[float | None]] = {}
    for name, field in {"population": "aantal_inwoners", **{b: f"bag_adressen_{b}" for b in BUILDINGS}}.items():
        values = [_label(v) for v in table[field]] if field in table.columns else [""] * len(table)
        counts = [_count(v) if v else None for v in values]
        for row, (value, count) in enumerate(zip(values, counts), start=2):
            if count is not None and not 0 <= count < 1e8:
                findings.append(Finding(path.name, row, field, value, "een aantal"))
        columns[name] = counts
    if findings:
        raise RefusalError(findings)
    figures = outlines.select("code", "name").with_columns(
        pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items()
    )
    abroad = figures["code"].is_in(["GM0998", "GM0999"])
    left_out = {"geen gemeente (Buitenland)": int(abroad.sum())} if abroad.any() else {}
    figures = figures.filter(~abroad)
    assumed = {
        "gemeente zonder inwonertal": figures["population"].null_count(),
        "gemeente zonder adressen per gebruiksfunctie": figures["woon"].null_count(),
    }
    return figures, ReadSummary(path.name, len(figures), left_out, {k: n for k, n in assumed.items() if n})
