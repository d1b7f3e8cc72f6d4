"""What is written is what is read back, in every format and in the reference system that the format asks for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas
import numpy as np
import polars as pl
import pyogrio
import pytest

from reports_example import small_plan, small_results
from slagkracht.coverage import Coverage
from slagkracht.plan import Plan
from slagkracht.reports.drawing import Shapes, compute_drawing
from slagkracht.reports.tables import (
    FORMATS,
    compute_area_map,
    compute_area_table,
    compute_station_table,
    write_table,
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_plan()


@pytest.fixture(scope="module")
def results(plan: Plan) -> tuple[Coverage, ...]:
    """A first tanker and an aerial by day and night, with the first area out of everyone's reach."""
    coverage = small_results(plan)[0].together
    response_s = coverage[0].response_s.copy()
    response_s[0] = np.inf
    unit = coverage[0].unit.copy()
    unit[0] = -1
    return (dataclasses.replace(coverage[0], response_s=response_s, unit=unit), *coverage[1:])


@pytest.fixture(scope="module")
def shapes(plan: Plan) -> Shapes:
    return compute_drawing(plan).cells


def test_the_long_table_holds_every_result_once(plan: Plan, results: tuple[Coverage, ...]) -> None:
    table = compute_area_table(plan, results, receipt="abc")
    assert len(table) == 120 * 4
    assert table.select(pl.struct("gebied", "norm", "venster").is_unique().all()).item()
    first = table.row(0, named=True)
    assert first["opkomsttijd_s"] is None
    assert first["eenheid"] is None
    second = table.row(1, named=True)
    unit = int(results[0].unit[1])
    assert second["opkomsttijd_s"] == pytest.approx(float(results[0].response_s[1]))
    assert second["kazerne"] == plan.stations.name[plan.units.station[unit]]
    assert set(table["verantwoording"]) == {"abc"}


def test_no_figure_is_ever_infinite_or_not_a_number(plan: Plan, results: tuple[Coverage, ...]) -> None:
    table = compute_area_table(plan, results)
    numbers = table.select(pl.col(pl.Float32, pl.Float64))
    assert numbers.select(pl.all().is_finite().fill_null(True).all()).row(0) == (True,) * numbers.width


@pytest.mark.parametrize("kind", FORMATS)
def test_a_map_table_survives_writing(
    kind: str, plan: Plan, results: tuple[Coverage, ...], shapes: Shapes, tmp_path: Path
) -> None:
    table = compute_area_map(plan, results, receipt="abc")
    path = tmp_path / f"dekking{kind}"
    write_table(path, table, shapes)
    write_table(path, table, shapes)  # again: what was there is replaced, not added to
    if kind == ".csv":
        back = pl.read_csv(path)
    elif kind.endswith("parquet"):
        frame = geopandas.read_parquet(path)
        assert frame.crs.to_epsg() == 28992
        assert frame.geometry.geom_equals(geopandas.GeoSeries(shapes, crs=28992)).all()
        back = pl.from_pandas(frame.drop(columns="geometry"))
    else:
        info = pyogrio.read_info(path)
        assert info["features"] == 120
        assert info["crs"] == ("EPSG:4326" if kind == ".geojson" else "EPSG:28992")
        frame = geopandas.read_file(path)
        west, south, east, north = frame.total_bounds
        if kind == ".geojson":
            assert 5.7 < west < east < 6.1
            assert 51.9 < south < north < 52.2
        else:
            assert (west, south) == pytest.approx((179_000, 439_000))
        back = pl.from_pandas(frame.drop(columns="geometry"))
    assert back.columns == table.columns
    assert back["gebied"].to_list() == table["gebied"].to_list()
    assert back["eerste_ts_dag_s"].to_list()[0] is None
    assert back["eerste_ts_dag_s"].to_list()[1:] == pytest.approx(table["eerste_ts_dag_s"].to_list()[1:])
    assert [bool(v) for v in back["redvoertuig_nacht_op_tijd"]] == table["redvoertuig_nacht_op_tijd"].to_list()


def test_a_map_format_without_shapes_and_an_unknown_format_are_refused(plan: Plan, tmp_path: Path) -> None:
    stations = compute_station_table(plan)
    with pytest.raises(ValueError, match="geef een vlak of punt per rij"):
        write_table(tmp_path / "kazernes.gpkg", stations)
    with pytest.raises(ValueError, match=r"onbekend formaat '\.xlsx'"):
        write_table(tmp_path / "kazernes.xlsx", stations)
    assert not list(tmp_path.iterdir())


def test_a_station_names_its_vehicles(plan: Plan) -> None:
    table = compute_station_table(plan)
    assert table.row(0, named=True) == {
        "kazerne_id": "K0",
        "kazerne": "Westervoort",
        "regio": "VR91",
        "voertuigen": "RV TS6",
        "x_m": 182_300.0,
        "y_m": 441_700.0,
    }
