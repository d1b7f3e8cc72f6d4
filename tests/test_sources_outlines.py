"""Outlines come in the plan's order and reference system, and a file that cannot give them is refused."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest
import shapely

from slagkracht.sources.outlines import read_outlines
from slagkracht.sources.refusal import RefusalError

SQUARES = {"b": shapely.box(0, 0, 1, 1), "a": shapely.box(2, 0, 3, 1)}


def write(path: Path) -> Path:
    """Three squares near Arnhem: a, b, and a second piece of a."""
    pieces = [SQUARES["b"], SQUARES["a"], shapely.box(4, 0, 5, 1)]
    moved = [shapely.transform(piece, lambda xy: xy * 1000 + [190_000, 440_000]) for piece in pieces]
    frame = geopandas.GeoDataFrame({"code": ["b", "a", "a"]}, geometry=moved, crs=28992)
    frame.to_file(path) if path.suffix != ".geojson" else frame.to_crs(4326).to_file(path)
    return path


@pytest.mark.parametrize("name", ["regios.geojson", "regios.gpkg", "regios.shp"])
def test_shapes_come_in_the_order_asked_for_and_in_rd(tmp_path: Path, name: str) -> None:
    a, b = read_outlines(write(tmp_path / name), ("code",), ["a", "b"])
    assert b.bounds == pytest.approx((190_000, 440_000, 191_000, 441_000), abs=1.0)
    assert a.area == pytest.approx(2e6, rel=1e-3)
    assert a.geom_type == "MultiPolygon"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "regios.gpkg")
    with pytest.raises(RefusalError, match="geen vlak voor c"):
        read_outlines(path, ("code",), ["a", "c"])
    with pytest.raises(RefusalError, match="een van: code"):
        read_outlines(path, ("regio",), ["a"])


def test_a_file_that_is_no_map_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kapot.gpkg"
    path.write_bytes(b"geen kaart")
    with pytest.raises(RefusalError, match="een kaartbestand met vlakken"):
        read_outlines(path, ("code",), ["a"])


def test_a_map_that_does_not_say_where_it_lies_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "los.shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(RefusalError, match="geen coördinatenstelsel"):
        read_outlines(path, ("code",), ["a"])
