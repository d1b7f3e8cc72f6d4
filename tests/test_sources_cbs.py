"""People and outlines of Statistics Netherlands as read: small files by hand, the real ones, and broken ones."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pyogrio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from slagkracht.sources.cbs import (
    find_outline,
    read_municipalities,
    read_municipality_figures,
    read_outlines,
    read_pc4_areas,
    read_pc4_outlines,
    read_region_outlines,
    read_squares,
)
from slagkracht.sources.refusal import RefusalError

REAL = Path(__file__).parents[2] / "shared" / "data" / "nederland"
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADER = "pc4,inwoners,km2,lon_rep,lat_rep,lon_adr,lat_adr,plaats,gm_code_2023,vr"
DAM = "1012,8545,1.21,4.89,52.37,5.38720621,52.15517440,Amsterdam,GM0363,VR13"  # the address point is RD's own origin


def pc4(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = folder / "pc4.csv"
    path.write_bytes("\n".join([header, *rows]).encode(encoding) + b"\n")
    return path


def real(name: str) -> Path:
    if not (REAL / name).exists():
        pytest.skip("de echte gegevens staan niet naast deze map")
    return REAL / name


def test_a_postcode_area_stands_at_the_middle_of_its_addresses(tmp_path: Path) -> None:
    no_address = "1013,,4,4.89,52.37,,,Amsterdam,GM0363,VR13"
    areas, summary = read_pc4_areas(pc4(tmp_path, DAM, no_address, "5028,,0.0001,,,,,,,"))
    first, second = areas.rows(named=True)
    assert (first["x_m"], first["y_m"]) == pytest.approx((155_000, 463_000), abs=1)
    assert first["size_m"] == pytest.approx(1100)
    assert first["population"] == 8545
    assert (first["municipality"], first["region"], first["name"]) == ("GM0363", "VR13", "Amsterdam")
    assert second["population"] == 0
    assert 115_000 < second["x_m"] < 125_000
    assert summary.left_out == {"postcodegebied zonder gemeente of regio (5028)": 1}
    assert summary.assumed == {"postcodegebied zonder inwonertal, als onbewoond gelezen": 1}


def test_an_area_without_a_point_takes_one_inside_its_outline(tmp_path: Path) -> None:
    outlines = tmp_path / "pc4.gpkg"
    pyogrio.write_dataframe(
        gpd.GeoDataFrame({"pc4": [1013.0]}, geometry=[box(4.8, 52.3, 4.9, 52.4)], crs=4326), outlines
    )
    path = pc4(tmp_path, DAM, "1013,10,4,,,,,Amsterdam,GM0363,VR13", "1014,10,4,,,,,Amsterdam,GM0363,VR13")
    areas, summary = read_pc4_areas(path, outlines)
    assert areas["area_id"].to_list() == ["1012", "1013"]
    assert 110_000 < areas["x_m"][1] < 125_000
    assert summary.left_out == {"postcodegebied zonder plaats (1014)": 1}


def test_everything_wrong_with_postcode_areas_is_said_at_once(tmp_path: Path) -> None:
    rows = [
        DAM,
        DAM.replace("1012", "101"),
        DAM.replace("5.38720621,52.15517440", "52.15517440,5.38720621"),
        DAM.replace("8545", "-3").replace("1012", "1015"),
        DAM.replace("1012", "1016").replace("4.89,52.37", "155000,463000"),
        DAM.replace("1012", "1017").replace("4.89,52.37", "4.89,"),
        DAM.replace("1012", "1018").replace("4.89,52.37", "13.4,52.5"),
    ]
    with pytest.raises(RefusalError) as refusal:
        read_pc4_areas(pc4(tmp_path, *rows))
    found = {(f.row, f.column): f.expected for f in refusal.value.findings}
    assert set(found) == {
        (3, "pc4"), (4, "pc4"), (4, "lon_adr, lat_adr"), (5, "inwoners"), (6, "lon_rep, lat_rep"),
        (7, "lon_rep, lat_rep"), (8, "lon_rep, lat_rep"),
    }  # fmt: skip
    assert "verwisseld" in found[4, "lon_adr, lat_adr"]
    assert "RD-meters" in found[6, "lon_rep, lat_rep"]


def test_a_csv_that_is_no_good_says_why(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="decimale komma"):
        read_pc4_areas(pc4(tmp_path, DAM.replace("1.21", '"1,21"')))
    with pytest.raises(RefusalError, match=r"rij 2.*geen UTF-8"):
        read_pc4_areas(pc4(tmp_path, DAM.replace("Amsterdam", "Fryslân"), encoding="cp1252"))
    with pytest.raises(RefusalError, match="UTF-16"):
        read_pc4_areas(pc4(tmp_path, DAM, encoding="utf-16"))
    with pytest.raises(RefusalError, match=r"131\.072"):
        read_pc4_areas(pc4(tmp_path, DAM.replace("Amsterdam", "A" * 140_000)))
    with pytest.raises(RefusalError, match="16 MB"):
        read_pc4_areas(pc4(tmp_path, '"' + "A" * (17 * 1024 * 1024)))
    with pytest.raises(RefusalError, match="9 cellen"):
        read_pc4_areas(pc4(tmp_path, DAM.replace(",Amsterdam", "")))
    with pytest.raises(RefusalError, match="leeg bestand"):
        read_pc4_areas(pc4(tmp_path, header=""))
    with pytest.raises(RefusalError, match="dezelfde kolom"):
        read_pc4_areas(pc4(tmp_path, DAM + ",1", header=HEADER + ",km2"))
    with pytest.raises(RefusalError):
        read_pc4_areas(tmp_path / "weg.csv")
    semicolons = pc4(tmp_path, DAM.replace(",", ";"), header=HEADER.replace(",", ";"))
    assert read_pc4_areas(semicolons)[1].rows_read == 1


def squares(
    folder: Path, codes: list[str], people: list[Any], size: int = 100, spelling: str = "aantal_inwoners"
) -> Path:
    path = folder / "vierkanten.gpkg"
    pyogrio.write_dataframe(pd.DataFrame({f"crs28992res{size}m": codes, spelling: people, "woningen": 1}), path)
    return path


def test_squares_are_counted_suppressed_or_empty(tmp_path: Path) -> None:
    path = squares(tmp_path, ["E1234N4567", "E1235N4567", "E1236N4567", "E123700N456700"], [25, -99997, -99995, 5])
    table, summary = read_squares(path)
    assert table["x_m"].to_list() == [123_450, 123_550, 123_750]
    assert table["y_m"].to_list() == [456_750] * 3
    assert table["population"].to_list() == [25, 2, 5]
    assert table["suppressed"].to_list() == [False, True, False]
    assert summary.left_out == {"vierkant zonder inwoners": 1}
    assert summary.assumed == {"onderdrukt inwonertal (0–4), als 2 gelezen": 1}
    assert len(read_squares(path, keep_empty=True)[0]) == 4


def test_larger_squares_and_the_other_spelling(tmp_path: Path) -> None:
    table, _ = read_squares(squares(tmp_path, ["E1235N4565"], [40], size=500, spelling="aantalInwoners"))
    assert table.row(0)[:5] == ("E1235N4565", 123_750, 456_750, 40, 500)


def test_squares_that_cannot_be_are_refused_together(tmp_path: Path) -> None:
    codes = ["E1234N4567", "E1234N4567", "N1234E4567", "E9999N9999", "E1236N4567"]
    with pytest.raises(RefusalError) as refusal:
        read_squares(squares(tmp_path, codes, [5, 5, 5, 5, -7]))
    assert [f.row for f in refusal.value.findings] == [3, 4, 5, 6]
    with pytest.raises(RefusalError, match="500 m"):
        read_squares(squares(tmp_path, ["E1234N4567"], [5], size=500))
    with pytest.raises(RefusalError, match="aantal_inwoners"):
        read_squares(squares(tmp_path, ["E1234N4567"], [5], spelling="mensen"))


def outlines(folder: Path, *features: tuple[str, Any]) -> Path:
    path = folder / "omtrek.geojson"
    parts = [
        {"type": "Feature", "properties": {"code": code, "naam": f"Regio {code}"}, "geometry": geometry}
        for code, geometry in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": parts}), encoding="utf-8")
    return path


def square(west: float, south: float) -> dict[str, Any]:
    corners = [(0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1), (0.0, 0.0)]
    return {"type": "Polygon", "coordinates": [[[west + x, south + y] for x, y in corners]]}


def test_outlines_have_a_point_inside(tmp_path: Path) -> None:
    table, _ = read_region_outlines(outlines(tmp_path, ("VR02", square(5.2, 52.2)), ("VR01", square(5, 52))))
    assert table["code"].to_list() == ["VR01", "VR02"]
    assert table["name"][0] == "Regio VR01"
    assert 5 < table["lon"][0] < 5.1
    assert json.loads(table["outline"][0])["type"] == "Polygon"


def test_postcode_outlines_carry_their_people(tmp_path: Path) -> None:
    shapes = gpd.GeoSeries([box(x, 463_000, x + 1000, 464_000) for x in (155_000, 156_000, 157_000)], crs=28992)
    path = tmp_path / "pc4.gpkg"
    pyogrio.write_dataframe(
        gpd.GeoDataFrame({"postcode": [3811, 3812, 3813], "aantal_inwoners": [900, -99997, -99995]}, geometry=shapes),
        path,
    )
    areas, summary = read_pc4_outlines(path)
    assert areas["area_id"].to_list() == ["3811", "3812", "3813"]
    assert areas["population"].to_list() == [900, 2, 0]
    assert areas["size_m"].to_list() == pytest.approx([1000] * 3, abs=1)
    assert areas["x_m"].to_list() == pytest.approx([155_500, 156_500, 157_500], abs=100)
    assert sum(summary.assumed.values()) == 2
    outlines = areas.rename({"area_id": "code"})
    assert find_outline(np.array([155_100.0, 157_900.0, 1.0]), np.full(3, 463_500.0), outlines) == ["3811", "3813", ""]
    frame = gpd.GeoDataFrame({"postcode": [3811, 3812, 3813], "aantal_inwoners": [9, -1, 1]}, geometry=shapes)
    pyogrio.write_dataframe(frame, tmp_path / "b.gpkg")
    with pytest.raises(RefusalError, match="rij 3"):
        read_pc4_outlines(tmp_path / "b.gpkg")


def test_outlines_that_cannot_be_are_refused(tmp_path: Path) -> None:
    swapped = {"type": "Polygon", "coordinates": [[[52, 5], [52.1, 5], [52.1, 5.1], [52, 5]]]}
    point = {"type": "Point", "coordinates": [5, 52]}
    with pytest.raises(RefusalError) as refusal:
        read_outlines(outlines(tmp_path, ("A", square(5, 52)), ("A", point), ("B", swapped), ("", square(5, 52))))
    assert [(f.row, f.column) for f in refusal.value.findings] == [
        (3, "code"), (3, "geometry"), (4, "geometry"), (5, "code"),
    ]  # fmt: skip
    assert "verwisseld" in str(refusal.value)
    assert read_outlines(outlines(tmp_path, ("A", square(5, 52)), ("B", None)))[1].left_out == {
        "vlak zonder omtrek (B)": 1
    }


def test_an_outline_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = outlines(tmp_path, ("VR01", square(5, 52)), ("VR02", square(5.2, 52.2)))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RefusalError, match="GeoJSON"):
        read_outlines(path)


def test_municipalities_name_their_region(tmp_path: Path) -> None:
    path = tmp_path / "gm.csv"
    path.write_text("gm_code,gm_naam,vr_code\nGM0014,Groningen,VR01\n", encoding="utf-8")
    assert read_municipalities(path)[0].rows() == [("GM0014", "Groningen", "VR01")]
    path.write_text("gm_code,gm_naam,vr_code\nGM14,,Groningen\nGM14,x,VR01\n", encoding="utf-8")
    with pytest.raises(RefusalError) as refusal:
        read_municipalities(path)
    assert len(refusal.value.findings) == 5


def test_the_real_netherlands() -> None:
    areas, summary = read_pc4_areas(real("pc4_2020_2021.csv"))
    by_hand = pd.read_csv(REAL / "pc4_2020_2021.csv")
    assert len(areas) == len(by_hand) - 1 == 4067
    assert areas["population"].sum() == by_hand["inwoners_2021"].sum()
    assert areas["region"].n_unique() == 25
    assert summary.left_out == {"postcodegebied zonder gemeente of regio (5028)": 1}
    assert read_region_outlines(real("veiligheidsregio_2023_wgs84.geojson"))[1].rows_read == 25
    assert read_outlines(real("gemeente_2023_wgs84.geojson"))[1].rows_read == 342
    municipalities = read_municipalities(real("gemeente_vr.csv"))[0]
    figures, figured = read_municipality_figures(real("gemeenten_2024_cbs.geojson"))
    assert set(municipalities["code"]) == set(areas["municipality"])
    regions, _ = read_region_outlines(REAL / "veiligheidsregio_2023_wgs84.geojson")
    inside = find_outline(areas["x_m"].to_numpy(), areas["y_m"].to_numpy(), regions)
    agree = np.mean([a == b for a, b in zip(inside, areas["region"])])
    assert agree > 0.995  # the outlines are simplified by some 100 m
    drawn, _ = read_pc4_outlines(real("pc4_polygons_25m_wgs84.geojson"))
    both = drawn.join(areas, on="area_id", suffix="_csv")
    assert len(both) == 4067
    thinned_away = both.filter((pl.col("size_m") - pl.col("size_m_csv")).abs() > 200)["area_id"]
    assert thinned_away.to_list() == [
        "1623",
        "4196",
        "7524",
    ]  # the file left slivers of them
    assert len(figures) == 342
    assert figures["population"].sum() == pytest.approx(17.94e6, rel=1e-3)
    assert figured.left_out == {"geen gemeente (Buitenland)": 1}
    assert figured.assumed == {"gemeente zonder adressen per gebruiksfunctie": 312}


@FUZZ
@given(
    row=st.lists(st.text(max_size=8) | st.sampled_from(DAM.split(",")), min_size=8, max_size=11),
    noise=st.binary(max_size=20),
)
def test_damaged_postcode_areas_are_read_or_refused(tmp_path: Path, row: list[str], noise: bytes) -> None:
    path = pc4(tmp_path, DAM)
    path.write_bytes(path.read_bytes() + ",".join(row).encode(errors="replace") + noise)
    for read in (read_pc4_areas, read_municipalities):
        with suppress(RefusalError):
            read(path)


@FUZZ
@given(codes=st.lists(st.text(max_size=12), min_size=1, max_size=4), people=st.integers(-100_000, 100_000))
def test_damaged_squares_are_read_or_refused(tmp_path: Path, codes: list[str], people: int) -> None:
    with suppress(RefusalError, UnicodeEncodeError):
        read_squares(squares(tmp_path, codes, [people] * len(codes)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # GDAL warns of what it mends in a broken file
@FUZZ
@given(at=st.floats(0, 1), put=st.binary(max_size=8), cut=st.integers(0, 30))
def test_damaged_outlines_are_read_or_refused(tmp_path: Path, at: float, put: bytes, cut: int) -> None:
    path = outlines(tmp_path, ("VR01", square(5, 52)), ("VR02", square(5.2, 52.2)))
    content = path.read_bytes()
    place = int(at * len(content))
    path.write_bytes(content[:place] + put + content[place + cut :])
    for read in (read_outlines, read_squares, read_municipality_figures, read_pc4_outlines):
        with suppress(RefusalError):
            read(path)
