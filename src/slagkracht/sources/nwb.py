"""Roads from the Nationaal Wegenbestand: every public road with a name, with the legal speeds of the WKD beside it."""

from __future__ import annotations

import csv
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from slagkracht.roads import Roads, build_roads
from slagkracht.sources.csvfile import find_repeats, parse_number, read_csv
from slagkracht.sources.geometry import NETHERLANDS_RD, RD
from slagkracht.sources.osm_tags import ROAD_CLASSES
from slagkracht.sources.refusal import Finding, ReadSummary, RefusalError, say_unreadable

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FIELDS = ("WVK_ID", "JTE_ID_BEG", "JTE_ID_END", "RIJRICHTNG", "BST_CODE", "WEGBEHSRT")
"""What a wegvak must say (product description NWB-wegen, docs.ndw.nu); upper or lower case."""

SPEED_COLUMNS = ("maxshd", "maxsnelheid", "max_snelheid", "maximumsnelheid", "snelheid", "omschr", "kmh")
UNKNOWN_SPEEDS = {"", "onbekend", "onb", "999", "-1", "0"}

MANAGED = {"R": "motorway", "P": "secondary", "G": "unclassified", "W": "unclassified", "T": "service"}
"""The road class that the kind of road authority stands for: Rijk, provincie, gemeente, waterschap, overig."""

SAME_JUNCTION_M = 1.0


def read_nwb_roads(path: Path, speeds: Path | None = None, *, layer: str | None = None) -> tuple[Roads, ReadSummary]:
    """The wegvakken of an NWB file (shapefile or GeoPackage, or a zip of a shapefile) as a network of junctions.

    ``speeds`` is the WKD file of legal speeds as CSV: a column WVK_ID and one of km/h. A code that the product
    description does not name is read by its road authority and counted in the summary, never dropped; footpaths,
    cycle paths, bridleways and runways are left out. RIJRICHTNG H is from begin to end junction, T back, else both.
    Raises RefusalError: no such file or layer, a field missing, an id twice or empty, a wegvak without a line, a place
    outside the extent of RD New, nothing left to drive on.
    """
    table = read_layer(path, layer, FIELDS, ("WEGNR_HMP",))
    findings = _check(path.name, table)
    if findings:
        raise RefusalError(findings)
    left_out, assumed = Counter[str](), Counter[str]()
    kmh = np.full(len(table), np.nan)
    if speeds is not None:
        known = read_wkd_speeds(speeds)
        kmh = np.array([known.get(int(wegvak), np.nan) for wegvak in table["WVK_ID"]])
        assumed["wegvak zonder bekende maximumsnelheid"] += int(np.isnan(kmh).sum())
    classes = _classes(table, kmh, left_out, assumed)
    drivable = np.array([name != "" for name in classes], np.bool_)
    if not drivable.any():
        raise RefusalError(
            [Finding(path.name, 0, "BST_CODE", "geen wegvak om over te rijden", "wegvakken voor auto's")]
        )
    table, kmh, classes = table[drivable], kmh[drivable], [name for name in classes if name]
    forth, back = _directions(table["RIJRICHTNG"], assumed)
    x_m, y_m, begin, end = _junctions(table, assumed)
    length = np.asarray(shapely.length(table.geometry.to_numpy()), np.float64)
    road_class = np.array([ROAD_CLASSES.index(name) for name in classes], np.int64)
    roads = build_roads(
        x_m=x_m,
        y_m=y_m,
        tail=np.concatenate([begin[forth], end[back]]),
        head=np.concatenate([end[forth], begin[back]]),
        length_m=np.concatenate([length[forth], length[back]]),
        road_class=np.concatenate([road_class[forth], road_class[back]]),
        road_classes=ROAD_CLASSES,
        maxspeed_kmh=np.concatenate([kmh[forth], kmh[back]]),
        kind="wegennet",
        source=f"NWB, {path.name}" + (f", snelheden {speeds.name}" if speeds else ""),
    )
    return roads, ReadSummary(path.name, len(table), _counted(left_out), _counted(assumed))


def _counted(counts: Counter[str]) -> dict[str, int]:
    return {reason: count for reason, count in counts.items() if count}


def read_layer(path: Path, layer: str | None, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Any:
    """A layer of a geographic file in RD New, its fields named as asked for, whatever their case in the file.

    Returns a GeoDataFrame. Raises RefusalError when GDAL cannot read it, it is empty, a field is missing or the
    layer does not say in which reference system it is.
    """
    import geopandas as gpd  # takes a second to load, and only map files need it
    import pyogrio

    try:
        fields = [str(name) for name in pyogrio.read_info(path, layer=layer)["fields"]]
        by_name = {name.lower(): name for name in fields}
        missing = [name for name in required if name.lower() not in by_name]
        if missing:
            found = ", ".join(fields) or "geen velden"
            raise RefusalError([Finding(path.name, 0, name, found, f"een veld {name}") for name in missing])
        asked = [name for name in (*required, *optional) if name.lower() in by_name]
        table = pyogrio.read_dataframe(path, layer=layer, columns=[by_name[name.lower()] for name in asked])
        if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
            raise RefusalError([Finding(path.name, 0, "", "een laag zonder coördinatenstelsel", "RD New (EPSG:28992)")])
        table = table.rename(columns={by_name[name.lower()]: name for name in asked}).to_crs(RD)
    except RefusalError:
        raise
    except Exception as error:  # GDAL and PROJ raise of many kinds on a broken file
        raise RefusalError([Finding(path.name, 0, "", say_unreadable(path), "een shapefile of GeoPackage")]) from error
    if not len(table):
        raise RefusalError([Finding(path.name, 0, "", "een lege laag", "minstens één rij")])
    return table


def _check(file: str, table: Any) -> list[Finding]:
    """What is wrong with single wegvakken."""
    findings: list[Finding] = []
    for field in ("WVK_ID", "JTE_ID_BEG", "JTE_ID_END"):
        for row, value in enumerate(table[field], start=2):
            number, expected = parse_number(str(value), least=0, most=1e12)
            if expected or number != int(number):
                findings.append(Finding(file, row, field, str(value), "een heel getal"))
    find_repeats(file, "WVK_ID", [str(value) for value in table["WVK_ID"]], findings)
    shapes = table.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)
    west, south, east, north = NETHERLANDS_RD
    bounds = shapely.bounds(shapes)
    for i in np.flatnonzero(~np.isin(kinds, (1, 5)) | shapely.is_empty(shapes)):
        findings.append(Finding(file, int(i) + 2, "geometry", str(shapes[i])[:60], "een lijn"))
    outside = (bounds[:, 0] < west) | (bounds[:, 1] < south) | (bounds[:, 2] > east) | (bounds[:, 3] > north)
    for i in np.flatnonzero(outside & np.isin(kinds, (1, 5))):
        place = f"x {bounds[i, 0]:.0f}, y {bounds[i, 1]:.0f}"
        findings.append(Finding(file, int(i) + 2, "geometry", place, "een plaats in Nederland, in RD-meters"))
    return findings


def read_wkd_speeds(path: Path) -> dict[int, float]:
    """Legal speed in km/h per wegvak, from a WKD CSV; "onbekend", 0 and 999 are not known and left out.

    Raises RefusalError: no column WVK_ID or speed, an id or a speed that is no number, an id with two speeds.
    """
    table = read_csv(path)
    by_name = {name.lower(): name for name in table.columns}
    speed = next((by_name[name] for name in SPEED_COLUMNS if name in by_name), "")
    findings: list[Finding] = []
    if "wvk_id" not in by_name:
        findings.append(Finding(path.name, 1, "WVK_ID", ", ".join(table.columns), "een kolom WVK_ID"))
    if not speed:
        expected = f"een kolom met km/u: {', '.join(SPEED_COLUMNS)}"
        findings.append(Finding(path.name, 1, "MAXSHD", ", ".join(table.columns), expected))
    if findings:
        raise RefusalError(findings)
    known: dict[int, float] = {}
    for row, (wegvak, cell) in enumerate(zip(table.columns[by_name["wvk_id"]], table.columns[speed]), start=2):
        number, expected = parse_number(wegvak, least=0, most=1e12)
        if expected or number != int(number):
            findings.append(Finding(path.name, row, by_name["wvk_id"], wegvak, "het nummer van een wegvak"))
            continue
        if cell.lower() in UNKNOWN_SPEEDS:
            continue
        kmh, expected = parse_number(cell.lower().removesuffix("km/u").removesuffix("km/h").strip(), least=5, most=130)
        if expected:
            findings.append(Finding(path.name, row, speed, cell, f"een snelheid in km/u: {expected}"))
        elif known.setdefault(int(number), kmh) != kmh:
            findings.append(
                Finding(path.name, row, speed, cell, f"één snelheid per wegvak; eerder {known[int(number)]:g}")
            )
    if findings:
        raise RefusalError(findings)
    return known


def _carriageways() -> dict[str, str]:
    """The road class per BST_CODE: a class of its own, "road" or "link" of its authority, "" for what is no road."""
    text = resources.files("slagkracht").joinpath("nl", "facts", "nwb_carriageways.csv").read_text(encoding="utf-8")
    return {row["bst_code"]: row["road_class"] for row in csv.DictReader(text.splitlines())}


def _classes(table: Any, kmh: Floats, left_out: Counter[str], assumed: Counter[str]) -> list[str]:
    """The road class of every wegvak, "" for what is left out."""
    known = _carriageways()
    numbers = table["WEGNR_HMP"] if "WEGNR_HMP" in table else [""] * len(table)
    classes = []
    for code, authority, number, speed in zip(table["BST_CODE"], table["WEGBEHSRT"], numbers, kmh):
        code, authority = _text(code), _text(authority)
        kind = known.get(code, "road")
        if code and code not in known:
            assumed[f"onbekende BST_CODE {code}, gelezen naar de wegbeheerder"] += 1
        if authority not in MANAGED:
            assumed[f"onbekende WEGBEHSRT {authority or '(leeg)'}, gelezen als gemeente"] += 1
        if not kind:
            left_out[f"geen rijweg (BST_CODE {code})"] += 1
        classes.append(_class_of(kind, MANAGED.get(authority, "unclassified"), _text(number), float(speed)))
    return classes


def _class_of(kind: str, managed: str, number: str, kmh: float) -> str:
    if kind not in ("road", "link"):
        return kind
    if managed == "motorway" and (number.startswith("N") or kmh < 90):
        managed = "trunk"
    if managed == "unclassified" and kmh <= 15:
        return "living_street"
    if managed == "unclassified" and kmh <= 30:
        return "residential"
    if kind == "link" and f"{managed}_link" in ROAD_CLASSES:
        return f"{managed}_link"
    return managed


def _text(value: Any) -> str:
    return value.strip().upper() if isinstance(value, str) else ""


def _directions(column: Any, assumed: Counter[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """May be driven from begin to end, and from end to begin: bool [W] each."""
    codes = np.array([_text(value) for value in column], dtype=np.str_)
    for code in codes[~np.isin(codes, ("H", "T", "B", ""))]:
        assumed[f"onbekende RIJRICHTNG {code}, gelezen als beide"] += 1
    return codes != "T", codes != "H"


def _junctions(table: Any, assumed: Counter[str]) -> tuple[Floats, Floats, Integers, Integers]:
    """Place of every junction and the junctions that each wegvak runs between.

    A junction that wegvakken put in different places lies at their middle; the summary counts it.
    """
    shapes = table.geometry.to_numpy()
    coordinates, row = shapely.get_coordinates(shapes, return_index=True)
    first = np.searchsorted(row, np.arange(len(shapes)), side="left")
    last = np.searchsorted(row, np.arange(len(shapes)), side="right") - 1
    ids = np.concatenate([table[field].to_numpy(np.float64).astype(np.int64) for field in ("JTE_ID_BEG", "JTE_ID_END")])
    places = np.concatenate([coordinates[first], coordinates[last]])
    _, index = np.unique(ids, return_inverse=True)
    count = np.bincount(index)
    x_m = np.bincount(index, weights=places[:, 0]) / count
    y_m = np.bincount(index, weights=places[:, 1]) / count
    apart = np.hypot(places[:, 0] - x_m[index], places[:, 1] - y_m[index]) > SAME_JUNCTION_M
    assumed["junctie die per wegvak elders ligt, in het midden gelegd"] += len(np.unique(index[apart]))
    return x_m, y_m, index[: len(shapes)], index[len(shapes) :]
