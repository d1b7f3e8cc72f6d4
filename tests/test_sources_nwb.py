"""The Nationaal Wegenbestand as read: a village laid out by hand in the published fields, and files that are broken."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point

from slagkracht.roads import Roads
from slagkracht.sources.nwb import read_nwb_roads, read_wkd_speeds
from slagkracht.sources.refusal import RefusalError

FUZZ = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
X, Y = 155_000, 463_000
PLACES = {1: (X, Y), 2: (X + 300, Y), 3: (X + 300, Y + 400), 4: (X + 900, Y), 5: (X, Y + 50)}
#          WVK  begin end richting BST  beheer nummer  km/u
WEGVAKKEN = [
    (101, 1, 2, "H", "HR", "R", "A28", "100"),
    (102, 2, 3, "T", "AFR", "R", "A28", "70"),
    (103, 2, 4, "B", "HR", "P", "N237", "80"),
    (104, 3, 4, None, "", "G", None, "30"),
    (105, 4, 1, "O", "XYZ", "G", None, "onbekend"),
    (106, 1, 5, "B", "FP", "G", None, ""),
    (107, 3, 1, "B", "VD", "Q", None, "999"),
    (108, 4, 5, "B", "HR", "R", "N50", "100"),
]


def village(path: Path, rows: list[Any] = WEGVAKKEN, lower: bool = False, **changes: Any) -> Path:
    """The village as a file; ``changes`` overwrites a column."""
    names = ("WVK_ID", "JTE_ID_BEG", "JTE_ID_END", "RIJRICHTNG", "BST_CODE", "WEGBEHSRT", "WEGNR_HMP")
    columns: dict[str, list[Any]] = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    columns |= changes
    lines = columns.pop("geometry", [LineString([PLACES[row[1]], PLACES[row[2]]]) for row in rows])
    crs = columns.pop("crs", "EPSG:28992")
    if lower:
        columns = {name.lower(): values for name, values in columns.items()}
    pyogrio.write_dataframe(gpd.GeoDataFrame(columns, geometry=lines, crs=crs), path)
    return path


def speeds(folder: Path, rows: list[tuple[Any, str]] | None = None, header: str = "WVK_ID;MAXSHD") -> Path:
    path = folder / "wkd_snelheden.csv"
    cells = [(row[0], row[7]) for row in WEGVAKKEN] if rows is None else rows
    path.write_text("\n".join([header, *(f"{a};{b}" for a, b in cells)]) + "\n", encoding="utf-8")
    return path


def arcs(roads: Roads) -> set[tuple[tuple[int, int], tuple[int, int], str, float]]:
    tail = np.repeat(np.arange(len(roads)), np.diff(roads.first_arc))
    at = [(int(x) - X, int(y) - Y) for x, y in zip(roads.x_m, roads.y_m)]
    return {
        (at[t], at[h], roads.road_classes[c], -1.0 if np.isnan(v) else float(v))
        for t, h, c, v in zip(tail, roads.head, roads.road_class, roads.maxspeed_kmh)
    }


@pytest.mark.parametrize("name", ["wegvakken.gpkg", "wegvakken.shp"])
def test_the_village_is_read_as_laid_out(tmp_path: Path, name: str) -> None:
    roads, summary = read_nwb_roads(village(tmp_path / name, lower=name.endswith("gpkg")), speeds(tmp_path))
    one, two, three, four, five = (0, 0), (300, 0), (300, 400), (900, 0), (0, 50)
    assert arcs(roads) == {
        (one, two, "motorway", 100.0),
        (three, two, "trunk_link", 70.0),
        (two, four, "secondary", 80.0),
        (four, two, "secondary", 80.0),
        (three, four, "residential", 30.0),
        (four, three, "residential", 30.0),
        (four, one, "unclassified", -1.0),
        (one, four, "unclassified", -1.0),
        (three, one, "ferry", -1.0),
        (one, three, "ferry", -1.0),
        (four, five, "trunk", 100.0),
        (five, four, "trunk", 100.0),
    }
    assert sorted(roads.length_m.tolist())[:2] == [300.0, 400.0]
    assert summary.rows_read == 7
    assert summary.left_out == {"geen rijweg (BST_CODE FP)": 1}
    assert summary.assumed == {
        "wegvak zonder bekende maximumsnelheid": 3,
        "onbekende BST_CODE XYZ, gelezen naar de wegbeheerder": 1,
        "onbekende WEGBEHSRT Q, gelezen als gemeente": 1,
        "onbekende RIJRICHTNG O, gelezen als beide": 1,
    }


def test_a_curve_keeps_its_length_and_another_system_is_brought_to_rd(tmp_path: Path) -> None:
    bent = LineString([PLACES[1], (X, Y + 100), (X + 300, Y + 100), PLACES[2]])
    lines = [bent, *(LineString([PLACES[r[1]], PLACES[r[2]]]) for r in WEGVAKKEN[1:])]
    roads, _ = read_nwb_roads(village(tmp_path / "a.gpkg", geometry=lines))
    assert 500.0 in roads.length_m.tolist()
    degrees = gpd.GeoSeries(lines, crs="EPSG:28992").to_crs("EPSG:4326").tolist()
    again, _ = read_nwb_roads(village(tmp_path / "b.gpkg", geometry=degrees, crs="EPSG:4326"))
    assert np.allclose(np.sort(again.length_m), np.sort(roads.length_m), atol=0.01)


def test_a_junction_in_two_places_is_said(tmp_path: Path) -> None:
    lines = [LineString([PLACES[r[1]], PLACES[r[2]]]) for r in WEGVAKKEN]
    lines[0] = LineString([PLACES[1], (X + 310, Y)])
    _, summary = read_nwb_roads(village(tmp_path / "a.gpkg", geometry=lines))
    assert summary.assumed["junctie die per wegvak elders ligt, in het midden gelegd"] == 1


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    lines: list[Any] = [LineString([PLACES[r[1]], PLACES[r[2]]]) for r in WEGVAKKEN]
    lines[6] = LineString([(5.1, 52.1), (5.2, 52.1)])  # degrees in a file that says RD: 5 m east, 52 m north
    lines[7] = LineString([(52_000_000, 5), (52_000_001, 5)])
    with pytest.raises(RefusalError) as refusal:
        read_nwb_roads(
            village(
                tmp_path / "a.gpkg",
                WVK_ID=[101, 101, 103, 104, 105, 106, 107, None],
                JTE_ID_BEG=[1, 2, 2.5, 3, 4, 1, 3, 4],
                geometry=lines,
            )
        )
    places = {(f.row, f.column) for f in refusal.value.findings}
    assert places == {(3, "WVK_ID"), (9, "WVK_ID"), (4, "JTE_ID_BEG"), (8, "geometry"), (9, "geometry")}


def test_a_layer_that_is_no_road_layer_is_refused(tmp_path: Path) -> None:
    points = village(tmp_path / "punten.gpkg", geometry=[Point(X, Y)] * 8)
    with pytest.raises(RefusalError, match="een lijn"):
        read_nwb_roads(points)
    bare = tmp_path / "kaal.gpkg"
    pyogrio.write_dataframe(gpd.GeoDataFrame({"a": [1]}, geometry=[Point(X, Y)], crs="EPSG:28992"), bare)
    with pytest.raises(RefusalError) as refusal:
        read_nwb_roads(bare)
    assert {f.column for f in refusal.value.findings} == {
        "WVK_ID", "JTE_ID_BEG", "JTE_ID_END", "RIJRICHTNG", "BST_CODE", "WEGBEHSRT",
    }  # fmt: skip
    with pytest.raises(RefusalError):
        read_nwb_roads(tmp_path / "weg.gpkg")
    with pytest.raises(RefusalError, match="geen wegvak om over te rijden"):
        read_nwb_roads(village(tmp_path / "fiets.gpkg", BST_CODE=["FP"] * 8))


def test_speeds_are_refused_with_every_error(tmp_path: Path) -> None:
    rows = [(101, "50"), ("", "30"), (103, "tachtig"), (104, "60,5"), (101, "70"), (105, "400")]
    with pytest.raises(RefusalError) as refusal:
        read_wkd_speeds(speeds(tmp_path, rows))
    assert [f.row for f in refusal.value.findings] == [3, 4, 5, 6, 7]
    with pytest.raises(RefusalError, match="een kolom met km/u"):
        read_wkd_speeds(speeds(tmp_path, header="WVK_ID;HOOGTE"))
    assert read_wkd_speeds(speeds(tmp_path, [(1.0, "50 km/u"), (2, "Onbekend")])) == {1: 50.0}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # GDAL warns of what it mends in a broken file
@FUZZ
@given(at=st.floats(0, 1), put=st.binary(max_size=40), cut=st.booleans(), zero=st.booleans())
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, at: float, put: bytes, cut: bool, zero: bool) -> None:
    whole = tmp_path / "heel.gpkg"
    if not whole.exists():
        village(whole)
    content = whole.read_bytes()
    place = int(at * len(content))
    damaged = tmp_path / "stuk.gpkg"
    damaged.write_bytes(content[:place] + put + (b"" if cut else content[place + (len(put) if zero else 0) :]))
    with suppress(RefusalError):
        read_nwb_roads(damaged)


@FUZZ
@given(cells=st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=5), noise=st.binary(max_size=30))
def test_damaged_speeds_are_read_or_refused(tmp_path: Path, cells: list[tuple[str, str]], noise: bytes) -> None:
    path = speeds(tmp_path, [])
    path.write_bytes(path.read_bytes() + "\n".join(f"{a};{b}" for a, b in cells).encode(errors="replace") + noise)
    with suppress(RefusalError):
        read_wkd_speeds(path)
