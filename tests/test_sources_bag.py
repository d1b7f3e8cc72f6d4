"""Objects of the BAG as read: one street by hand, counted per area, and broken files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import geopandas as gpd
import numpy as np
import polars as pl
import pyogrio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from slagkracht.sources.bag import (
    count_objects,
    match_by_postcode,
    match_by_square,
    object_classes,
    read_bag_objects,
    read_object_counts,
    spread_municipal_counts,
)
from slagkracht.sources.refusal import RefusalError

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADER = "identificatie;gebruiksdoel;pand_identificatie;bouwjaar;status;postcode;x;y"
STREET = [
    "1;woonfunctie;A;1990;Verblijfsobject in gebruik;1011AA;121010;487010",
    "2;winkelfunctie;B;1900;Verblijfsobject in gebruik;1011AA;121020;487010",
    "3;woonfunctie;B;1900;Verblijfsobject in gebruik;1011AA;121020;487010",
    *(f"{4 + i};woonfunctie;C;1960;Verblijfsobject in gebruik;1012 ab;121110;487010" for i in range(4)),
    "8;woonfunctie,gezondheidszorgfunctie;D;2001;Verbouwing verblijfsobject;1012AB;121110;487010",
    "9;kantoorfunctie|bijeenkomstfunctie;E;2001;;9999ZZ;;",
    "10;celfunctie,woonfunctie;F;;;1012AB;121110;487010",
    "11;woonfunctie;G;2020;Verblijfsobject gevormd;1012AB;121110;487010",
    "12;overige gebruiksfunctie;;;;1011AA;121010;487090",
]


def street(folder: Path, rows: list[str] = STREET, header: str = HEADER) -> Path:
    path = folder / "vbo.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_the_street_is_classed_by_hand(tmp_path: Path) -> None:
    objects, summary = read_bag_objects(street(tmp_path))
    assert dict(zip(objects["object_id"], objects["object_class"])) == {
        "1": "woonfunctie", "2": "winkelfunctie", "3": "woonfunctie_boven_winkel", "4": "portiekwoning",
        "5": "portiekwoning", "6": "portiekwoning", "7": "portiekwoning", "8": "woonfunctie_verminderd_zelfredzaam",
        "9": "bijeenkomstfunctie", "10": "celfunctie", "12": "overige_gebruiksfunctie",
    }  # fmt: skip
    assert summary.rows_read == 11
    assert summary.left_out == {"niet in gebruik (Verblijfsobject gevormd)": 1}
    assert summary.assumed == {
        "woonfunctie_boven_winkel, afgeleid (te verifiëren)": 1,
        "woonfunctie_verminderd_zelfredzaam, afgeleid (te verifiëren)": 1,
        "portiekwoning, afgeleid (te verifiëren)": 4,
    }


def test_objects_are_counted_by_postcode_and_by_square(tmp_path: Path) -> None:
    objects, _ = read_bag_objects(street(tmp_path))
    order = object_classes()
    by_postcode = match_by_postcode(objects["postcode"], np.array(["1012", "1011"]))
    counts, lost = count_objects(objects, by_postcode, 2)
    assert counts.sum(axis=1).tolist() == [6, 4]
    assert counts[0, order.index("portiekwoning")] == 4
    assert lost == {"object buiten alle gebieden": 1}
    by_square = match_by_square(
        objects["x_m"].to_numpy(),
        objects["y_m"].to_numpy(),
        np.array([121_050.0, 121_150.0]),
        np.array([487_050.0] * 2),
        100,
    )
    counts, lost = count_objects(objects, by_square, 2)
    assert counts.sum(axis=1).tolist() == [4, 6]
    assert lost == {"object buiten alle gebieden": 1}


def test_a_geographic_file_says_the_same(tmp_path: Path) -> None:
    rows = [row.split(";") for row in STREET if row.split(";")[6]]
    frame = gpd.GeoDataFrame(
        {
            "identificatie": [r[0] for r in rows],
            "gebruiksdoel": [r[1] for r in rows],
            "pandidentificatie": [r[2] for r in rows],
            "bouwjaar": [float(r[3]) if r[3] else None for r in rows],
            "status": [r[4] for r in rows],
        },
        geometry=[Point(float(r[6]), float(r[7])) for r in rows],
        crs="EPSG:28992",
    )
    pyogrio.write_dataframe(frame, tmp_path / "bag.gpkg")
    objects, _ = read_bag_objects(tmp_path / "bag.gpkg")
    from_csv, _ = read_bag_objects(street(tmp_path))
    placed = from_csv.filter(pl.col("x_m").is_finite())
    assert objects["object_class"].to_list() == placed["object_class"].to_list()
    assert objects["x_m"].to_list() == placed["x_m"].to_list()


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    rows = [
        *STREET[:1],
        "1;woonfunctie;A;1990;;;121010;487010",
        ";kasteel;A;onbekend;;;121010;487010",
        "3;;A;1990;;;487010;121010",
        "4;woonfunctie;A;1990;;;121,5;487010",
    ]
    with pytest.raises(RefusalError) as refusal:
        read_bag_objects(street(tmp_path, rows))
    assert {(f.row, f.column) for f in refusal.value.findings} == {
        (3, "identificatie"), (4, "identificatie"), (4, "gebruiksdoel"), (4, "bouwjaar"), (5, "gebruiksdoel"),
        (5, "x"), (5, "y"), (6, "x"),
    }  # fmt: skip
    with pytest.raises(RefusalError, match="een kolom gebruiksdoel"):
        read_bag_objects(street(tmp_path, ["1"], "identificatie"))
    with pytest.raises(RefusalError, match="geen rijen"):
        read_bag_objects(street(tmp_path, []))


def test_counts_that_were_made_already(tmp_path: Path) -> None:
    path = tmp_path / "telling.csv"
    path.write_text("area_id,woonfunctie,overige gebruiksfunctie\nB,10,2\n", encoding="utf-8")
    counts, summary = read_object_counts(path, np.array(["A", "B"]))
    order = object_classes()
    assert counts.sum() == 12
    assert counts[1, order.index("overige_gebruiksfunctie")] == 2
    assert summary.assumed == {"gebied zonder telling, als leeg gelezen": 1}
    path.write_text("area_id,woonfunctie,kastelen\nB,-1,2\nB,1,2\nC,x,1\n", encoding="utf-8")
    with pytest.raises(RefusalError) as refusal:
        read_object_counts(path, np.array(["A", "B"]))
    assert {(f.row, f.column) for f in refusal.value.findings} == {
        (1, "kastelen"), (2, "woonfunctie"), (3, "area_id"), (4, "area_id"), (4, "woonfunctie"),
    }  # fmt: skip


def test_municipal_counts_are_spread_by_population() -> None:
    figures = pl.DataFrame(
        {"code": ["GM1", "GM2", "GM3"], "woon": [100.0, 10.0, None], "winkel": [10.0, None, None],
         "kantoor": [0.0, 0.0, None], "industrie": [0.0, 0.0, None], "overig": [0.0, 0.0, None]}
    )  # fmt: skip
    municipality = np.array(["GM1", "GM2", "GM1", "GM2", "GM3"])
    counts, without = spread_municipal_counts(figures, municipality, np.array([300, 0, 100, 0, 50], np.float32))
    order = object_classes()
    assert counts[:, order.index("woonfunctie")].tolist() == [75, 5, 25, 5, 0]
    assert counts[:, order.index("winkelfunctie")].tolist() == [7.5, 0, 2.5, 0, 0]
    assert without == {"gebied in een gemeente zonder adressen per gebruiksfunctie": 1}


@FUZZ
@given(
    row=st.lists(st.text(max_size=6) | st.sampled_from(";".join(STREET).split(";")), min_size=7, max_size=9),
    noise=st.binary(max_size=16),
)
def test_damaged_objects_are_read_or_refused(tmp_path: Path, row: list[str], noise: bytes) -> None:
    path = street(tmp_path, STREET[:2])
    path.write_bytes(path.read_bytes() + ";".join(row).encode(errors="replace") + noise)
    with suppress(RefusalError):
        read_bag_objects(path)
    with suppress(RefusalError):
        read_object_counts(path, np.array(["A"]))
