"""What a region hands in: a good delivery by hand, every kind of wrong one, and noise that never gets further."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.resources import REGIMES, WINDOWS, capability_column
from slagkracht.sources.delivery import check_delivery, read_delivery, write_template
from slagkracht.sources.refusal import RefusalError


def per_window(*names: str) -> str:
    return ",".join(f"{name}_{window}" for name in names for window in WINDOWS)


STATIONS = """kazerne_id,naam,veiligheidsregio,x_m,y_m,plaatsfout_m
adu,Aduard,VR01,226000,585000,
bed,Bedum,VR01,235500,592000,300
"""
UNITS = (
    "eenheid_id,kazerne_id,voertuigtype,inzetmogelijkheden,bezetting,"
    + per_window("bezettingsregime", "uitruktijd_s", "uitruktijd_p90_s", "paraatheid")
    + """
01-1,adu,TS,,,vrije_instroom,consignatie,consignatie,vrije_instroom,240,200,260,230,360,300,,,0.9,0.95,0.98,0.9
01-2,bed,DPH,pomp;watertransport,2,beroeps,beroeps,beroeps,beroeps,80,80,110,80,,,,,1,1,1,1
"""
)
AREAS = """gebied_id,lon,lat,veiligheidsregio,gemeente,inwoners,objecten_woonfunctie,objecten_celfunctie
a1,6.46,53.25,VR01,GM0014,1200,480,1
a2,6.60,53.30,VR01,GM0014,0,,
"""
DEVIATIONS = """norm,gebied_id,gemeente,klasse,grens_s,motivering,besluitdatum
bvr-3.2.1,a1,,woonfunctie,720,Overdag niet sneller,2025-11-03
"""
FLOOR = """aandeel_inwoners,besluitdatum
0.7,2025-11-03
"""
GOOD = {
    "kazernes.csv": STATIONS,
    "eenheden.csv": UNITS,
    "gebieden.csv": AREAS,
    "afwijkingen.csv": DEVIATIONS,
    "ondergrens.csv": FLOOR,
}


def hand_in(folder: Path, **changed: str | bytes | None) -> Path:
    """A delivery: GOOD with some tables (by name without .csv) replaced, or None = left out."""
    path = folder / "aanlevering"
    path.mkdir()
    for name, text in (GOOD | {f"{table}.csv": text for table, text in changed.items()}).items():
        if text is not None:
            (path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_good_delivery_is_read_whole(tmp_path: Path) -> None:
    delivery = read_delivery(hand_in(tmp_path))
    assert delivery.region == "VR01"
    assert delivery.stations.x_m.tolist() == [226000, 235500]
    assert delivery.stations.position_error_m.tolist() == [0, 300]
    assert delivery.units.station.tolist() == [0, 1]
    assert delivery.units.crew.tolist() == [6, 2]
    assert delivery.units.regime[0].tolist() == [REGIMES.index(r) for r in GOOD_REGIMES]
    assert capability_column(delivery.units, "basiseenheid").tolist() == [True, False]
    assert capability_column(delivery.units, "watertransport").tolist() == [False, True]
    # ln(360 / 240) / 1.28155 = 0.31639: the 90th percentile says how wide the times spread; 0.28 where nothing was said
    assert delivery.units.turnout_spread[0].tolist() == pytest.approx([0.31639, 0.31639, 0.28, 0.28], abs=1e-4)
    assert delivery.areas is not None
    assert delivery.areas.object_classes == ("woonfunctie", "celfunctie")
    assert delivery.areas.objects.tolist() == [[480, 1], [0, 0]]
    assert (delivery.areas.x_m[0], delivery.areas.y_m[0]) == pytest.approx((226_606, 585_259), abs=300)
    assert delivery.deviations.limit_s.tolist() == [720]
    assert delivery.deviations.decided_on.astype(str).tolist() == ["2025-11-03"]
    assert delivery.floor.share.tolist() == [0.7]
    assert [summary.rows_read for summary in delivery.summaries] == [2, 2, 2, 1, 1]
    assert delivery.summaries[1].assumed == {
        "inzetmogelijkheden volgens voertuigtype": 1,
        "bezetting volgens voertuigtype": 1,
    }


GOOD_REGIMES = ("vrije_instroom", "consignatie", "consignatie", "vrije_instroom")


def test_areas_deviations_and_floor_may_be_left_out(tmp_path: Path) -> None:
    delivery = read_delivery(hand_in(tmp_path, gebieden=None, afwijkingen=None, ondergrens=None))
    assert delivery.areas is None
    assert (len(delivery.deviations), len(delivery.floor)) == (0, 0)


def test_a_zip_reads_as_its_folder(tmp_path: Path) -> None:
    path = hand_in(tmp_path)
    with zipfile.ZipFile(tmp_path / "vr01.zip", "w") as archive:
        for file in path.iterdir():
            archive.write(file, f"vr01/{file.name}")
    assert read_delivery(tmp_path / "vr01.zip").units.turnout_s.tolist() == read_delivery(path).units.turnout_s.tolist()


def test_semicolons_and_a_byte_order_mark_are_what_excel_writes(tmp_path: Path) -> None:
    path = hand_in(tmp_path, kazernes=STATIONS.replace(",", ";").encode("utf-8-sig"))
    assert read_delivery(path).stations.name.tolist() == ["Aduard", "Bedum"]


@pytest.mark.parametrize("crs", ["EPSG:28992", "EPSG:4326", "EPSG:3857"])
def test_geoparquet_brings_its_own_places(tmp_path: Path, crs: str) -> None:
    table = pandas.read_csv(io.StringIO(STATIONS))
    points = geopandas.points_from_xy(table.pop("x_m"), table.pop("y_m"), crs="EPSG:28992").to_crs(crs)
    path = hand_in(tmp_path, kazernes=None)
    geopandas.GeoDataFrame(table, geometry=points).to_parquet(path / "kazernes.parquet")
    stations = read_delivery(path).stations
    assert stations.x_m.tolist() == pytest.approx([226000, 235500], abs=1)
    assert stations.y_m.tolist() == pytest.approx([585000, 592000], abs=1)


def wrong(path: Path) -> set[tuple[str, int, str]]:
    """Where a delivery is refused; checking must say the same as reading."""
    with pytest.raises(RefusalError) as refusal:
        read_delivery(path)
    _, findings = check_delivery(path)
    assert findings == refusal.value.findings
    return {(f.file, f.row, f.column) for f in findings}


BAD: list[tuple[str, str, str, str, tuple[str, int, str]]] = [
    ("a station twice", "kazernes", "bed,", "adu,", ("kazernes.csv", 3, "kazerne_id")),
    ("a unit twice", "eenheden", "01-2", "01-1", ("eenheden.csv", 3, "eenheid_id")),
    ("negative turnout", "eenheden", ",240,", ",-240,", ("eenheden.csv", 2, "uitruktijd_s_dag")),
    ("decimal comma", "eenheden", ",0.95,", ',"0,95",', ("eenheden.csv", 2, "paraatheid_avond")),
    ("readiness above one", "eenheden", ",0.95,", ",95,", ("eenheden.csv", 2, "paraatheid_avond")),
    ("p90 under the median", "eenheden", ",360,", ",36,", ("eenheden.csv", 2, "uitruktijd_p90_s_dag")),
    ("unknown vehicle", "eenheden", "TS,", "XYZ,", ("eenheden.csv", 2, "voertuigtype")),
    ("unknown capability", "eenheden", "pomp;", "pompen;", ("eenheden.csv", 3, "inzetmogelijkheden")),
    ("unknown regime", "eenheden", ",beroeps,beroeps", ",beroep,beroeps", ("eenheden.csv", 3, "bezettingsregime_dag")),
    ("a station nobody knows", "eenheden", ",bed,", ",ezi,", ("eenheden.csv", 3, "kazerne_id")),
    ("half a person", "eenheden", "transport,2,", "transport,2.5,", ("eenheden.csv", 3, "bezetting")),
    ("outside the country", "kazernes", "226000,", "926000,", ("kazernes.csv", 2, "x_m")),
    ("x and y swapped", "kazernes", "226000,585000", "585000,226000", ("kazernes.csv", 2, "x_m")),
    ("degrees for metres", "kazernes", "226000,585000", "6.46,53.25", ("kazernes.csv", 2, "x_m")),
    ("lon and lat swapped", "gebieden", "6.46,53.25", "53.25,6.46", ("gebieden.csv", 2, "lon")),
    ("two regions", "kazernes", "Bedum,VR01", "Bedum,VR02", ("kazernes.csv", 3, "veiligheidsregio")),
    ("no such region", "kazernes", "VR01", "VR31", ("kazernes.csv", 2, "veiligheidsregio")),
    ("no name", "kazernes", "Bedum", "", ("kazernes.csv", 3, "naam")),
    ("an unknown column", "kazernes", "plaatsfout_m", "fout", ("kazernes.csv", 1, "fout")),
    ("a missing column", "kazernes", "x_m", "x", ("kazernes.csv", 1, "x_m")),
    ("a wrong day", "afwijkingen", "2025-11-03", "03-11-2025", ("afwijkingen.csv", 2, "besluitdatum")),
    ("a day that is none", "afwijkingen", "2025-11-03", "2025-02-30", ("afwijkingen.csv", 2, "besluitdatum")),
    ("no motivation", "afwijkingen", "Overdag niet sneller", "", ("afwijkingen.csv", 2, "motivering")),
    ("over eighteen minutes", "afwijkingen", ",720,", ",1200,", ("afwijkingen.csv", 2, "grens_s")),
    ("a deviation nowhere", "afwijkingen", "1,a1,", "1,,", ("afwijkingen.csv", 2, "gebied_id")),
    ("a floor in per cent", "ondergrens", "0.7", "70", ("ondergrens.csv", 2, "aandeel_inwoners")),
    ("not a number", "gebieden", "1200", "nan", ("gebieden.csv", 2, "inwoners")),
]  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "where"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_is_wrong_is_named_by_row_and_column(
    tmp_path: Path, table: str, old: str, new: str, where: tuple[str, int, str]
) -> None:
    text = GOOD[f"{table}.csv"]
    assert old in text
    assert where in wrong(hand_in(tmp_path, **{table: text.replace(old, new, 1)}))


def test_everything_that_is_wrong_comes_at_once(tmp_path: Path) -> None:
    path = hand_in(tmp_path, kazernes=STATIONS.replace("226000", "een"), eenheden=UNITS.replace("TS", "XYZ"))
    assert wrong(path) == {("kazernes.csv", 2, "x_m"), ("eenheden.csv", 2, "voertuigtype")}


def test_files_that_are_no_table(tmp_path: Path) -> None:
    for number, content in enumerate((b"", STATIONS.replace("Bedum", "Bédum").encode("cp1252"), b"\xff\xfe\x00\x01")):
        folder = tmp_path / str(number)
        folder.mkdir()
        places = wrong(hand_in(folder, kazernes=content))
        assert {file for file, _, _ in places} == {"kazernes.csv"}


def test_a_wrong_encoding_is_called_by_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="CSV UTF-8"):
        read_delivery(hand_in(tmp_path, kazernes=STATIONS.replace("Bedum", "Bédum").encode("cp1252")))


def test_an_endless_field_is_refused(tmp_path: Path) -> None:
    row = len(STATIONS.splitlines()) + 1
    assert ("kazernes.csv", row, "") in wrong(hand_in(tmp_path, kazernes=STATIONS + '"' + "x" * 200_000))


def test_tables_without_rows_a_missing_table_and_a_stranger(tmp_path: Path) -> None:
    path = hand_in(tmp_path, eenheden=None, kazernes=STATIONS.splitlines()[0] + "\n", kazerne=STATIONS)
    assert {("kazernes.csv", 0, ""), ("aanlevering", 0, ""), ("kazerne.csv", 0, "")} <= wrong(path)


def test_no_file_of_a_delivery_is_passed_over_in_silence(tmp_path: Path) -> None:
    path = hand_in(tmp_path, afwijkingen=None, gebieden=None)
    (path / "LEESMIJ.txt").write_text("uitleg")
    (path / "toelichting.pdf").write_bytes(b"%PDF")
    (path / "oud").mkdir()
    summaries, findings = check_delivery(path)
    assert not findings
    assert {s.file: s.left_out for s in summaries if s.left_out} == {
        "toelichting.pdf": {"geen tabel van een aanlevering": 1},
        "oud": {"geen tabel van een aanlevering": 1},
    }
    for name in ("afwijkingen.xlsx", "gebieden.geojson"):
        (path / name).write_bytes(b"x")
    assert wrong(path) == {("afwijkingen.xlsx", 0, ""), ("gebieden.geojson", 0, "")}


def test_a_check_says_what_it_assumed(tmp_path: Path) -> None:
    sea = STATIONS.replace("VR01", "VR06").replace("226000,585000", "10000,600000")
    path = hand_in(tmp_path, kazernes=sea, gebieden=None, afwijkingen=None)
    summaries, findings = check_delivery(path)
    assert not findings
    assert "kazerne adu ligt ver buiten VR06, toch meegenomen" in summaries[0].assumed
    assert "aangenomen: bezetting volgens voertuigtype: 1" in str(summaries[1])


@pytest.mark.parametrize("name", ["../kazernes.csv", "/kazernes.csv", "vr01/../../kazernes.csv", "..\\kazernes.csv"])
def test_a_zip_that_would_write_outside_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "list.zip", "w") as archive:
        archive.writestr(name, STATIONS)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RefusalError, match="buiten zijn map"):
        read_delivery(tmp_path / "list.zip")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_broken_zip_and_nothing_at_all_are_refused(tmp_path: Path) -> None:
    (tmp_path / "stuk.zip").write_bytes(b"PK\x03\x04 en dan niets")
    for name, says in (("stuk.zip", "niet als zip te openen"), ("er-niet", "bestaat niet")):
        with pytest.raises(RefusalError, match=f"{name}: gevonden .*{says}"):
            read_delivery(tmp_path / name)


def test_a_parquet_beyond_all_measure_is_not_even_opened(tmp_path: Path) -> None:
    path = hand_in(tmp_path, kazernes=None)
    with (path / "kazernes.parquet").open("wb") as file:
        file.truncate(4 << 30)  # a hole: four gigabytes that take no room
    with pytest.raises(RefusalError, match=r"4\.3 GB"):
        read_delivery(path)


def test_a_station_far_from_its_region_is_named(tmp_path: Path) -> None:
    delivery = read_delivery(hand_in(tmp_path, kazernes=STATIONS.replace("226000,585000", "90000,400000")))
    assert delivery.summaries[0].assumed == {"kazerne adu ligt ver buiten VR01, toch meegenomen": 1}


@pytest.mark.parametrize("name", ["sjabloon", "sjabloon.zip"])
def test_the_template_explains_itself_and_asks_for_rows(tmp_path: Path, name: str) -> None:
    write_template(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    _, findings = check_delivery(tmp_path / name)
    assert {(f.file, f.found) for f in findings} == {("kazernes.csv", "geen rijen"), ("eenheden.csv", "geen rijen")}
    if name == "sjabloon":
        text = (tmp_path / name / "LEESMIJ.txt").read_text(encoding="utf-8-sig")
        for header in ("uitruktijd_p90_s", "bezettingsregime", "aandeel_inwoners", "TST-NB", "natuurbrand", "nacht"):
            assert header in text
    with pytest.raises(RefusalError, match="er al staat"):
        write_template(tmp_path / name)


def test_a_filled_template_is_a_delivery(tmp_path: Path) -> None:
    write_template(tmp_path / "vr01")
    for name in ("kazernes", "eenheden"):
        path = tmp_path / "vr01" / f"{name}.csv"
        headers = path.read_text(encoding="utf-8-sig").strip().split(",")
        given = pandas.read_csv(io.StringIO(GOOD[f"{name}.csv"]), dtype=str, keep_default_na=False)
        assert set(given.columns) <= set(headers)
        given.reindex(columns=headers, fill_value="").to_csv(path, index=False, encoding="utf-8-sig")
    assert len(read_delivery(tmp_path / "vr01").units) == 2


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "0", "-1", "1e9", "nan", "inf", "1,5", "2025-13-01", '"', ";", "VR01", "TS", "adu", "\n", "\u00a0", "١٢"]
)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_noise_in_a_table_gives_a_delivery_or_a_refusal(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(sorted(GOOD)))
    content = GOOD[table].encode()
    how = data.draw(st.sampled_from(["cell", "bytes", "cut", "anything"]))
    if how == "cell":
        lines = [line.split(",") for line in GOOD[table].splitlines()]
        row = data.draw(st.integers(0, len(lines) - 1))
        lines[row][data.draw(st.integers(0, len(lines[row]) - 1))] = data.draw(CELLS)
        content = "\n".join(",".join(line) for line in lines).encode()
    elif how == "bytes":
        noisy = bytearray(content)
        for _ in range(data.draw(st.integers(1, 4))):
            noisy[data.draw(st.integers(0, len(noisy) - 1))] = data.draw(st.integers(0, 255))
        content = bytes(noisy)
    elif how == "cut":
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content = data.draw(st.binary(max_size=200))
    with tempfile.TemporaryDirectory() as folder:
        path = hand_in(Path(folder), **{table.removesuffix(".csv"): content})
        try:
            delivery = read_delivery(path)
        except RefusalError:
            return
        assert np.all(delivery.units.turnout_s > 0)
        assert np.all(delivery.units.turnout_spread >= 0)
        assert np.all((delivery.units.readiness >= 0) & (delivery.units.readiness <= 1))
        assert np.all(np.isfinite(delivery.stations.x_m))
        assert np.all((delivery.units.station >= 0) & (delivery.units.station < len(delivery.stations)))


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300),
    st.integers(0, 2000),
    st.sampled_from(["noise", "flip"]),
    st.sampled_from(["zip", "parquet"]),
)
def test_noise_in_a_zip_or_parquet_gives_a_delivery_or_a_refusal(noise: bytes, at: int, how: str, form: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = hand_in(Path(folder), kazernes=None)
        table = path / "kazernes.parquet"
        pandas.read_csv(io.StringIO(STATIONS)).to_parquet(table)
        damaged = table
        if form == "zip":
            damaged = Path(folder) / "vr01.zip"
            with zipfile.ZipFile(damaged, "w") as archive:
                for file in path.iterdir():
                    archive.write(file, file.name)
        content = bytearray(damaged.read_bytes())
        content[at % len(content)] ^= 0xFF
        damaged.write_bytes(noise if how == "noise" else content)
        try:
            read_delivery(damaged if form == "zip" else path)
        except RefusalError:
            assert check_delivery(damaged if form == "zip" else path)[1]
