"""A region's own travel-time matrix as read: two by three by hand, the real 231 by 231, and broken ones."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.sources.matrix import build_travel, read_matrix
from slagkracht.sources.refusal import RefusalError
from slagkracht.travel import UNREACHABLE

REAL = Path(__file__).parents[2] / "shared" / "data" / "reistijden" / "siren_driving_matrix_2022.csv"
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WIDE = "kazerne,A,B,C\nnoord,1,2.5,3\nzuid,4,onbereikbaar,0\n"
LONG = "origin,destination,seconds\nnoord,A,60\nnoord,B,150\nnoord,C,180\nzuid,A,240\nzuid,B,onbereikbaar\nzuid,C,0\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "matrix.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_wide_long_and_parquet_say_the_same(tmp_path: Path) -> None:
    wide, summary = read_matrix(written(tmp_path, WIDE))
    assert wide.origin_id == ("noord", "zuid")
    assert wide.area_id == ("A", "B", "C")
    assert wide.drive_s.tolist() == [[60, 240], [150, int(UNREACHABLE)], [180, 0]]
    assert (summary.rows_read, summary.assumed) == (6, {"onbereikbaar volgens de matrix": 1})
    long, _ = read_matrix(written(tmp_path, LONG))
    pl.read_csv(written(tmp_path, LONG)).write_parquet(tmp_path / "matrix.parquet")
    parquet, _ = read_matrix(tmp_path / "matrix.parquet")
    for other in (long, parquet):
        assert (other.origin_id, other.area_id) == (wide.origin_id, wide.area_id)
        assert np.array_equal(other.drive_s, wide.drive_s)
    seconds, _ = read_matrix(written(tmp_path, WIDE), unit="seconden")
    assert seconds.drive_s[0].tolist() == [1, 4]
    with pytest.raises(ValueError, match="uren"):
        read_matrix(written(tmp_path, WIDE), unit="uren")


def test_a_plan_takes_its_own_order(tmp_path: Path) -> None:
    matrix, _ = read_matrix(written(tmp_path, WIDE))
    travel = build_travel(matrix, ["zuid", "noord"], np.array([1.0, 2.0]), np.array([3.0, 4.0]), ["C", "A"])
    assert travel.drive_s.tolist() == [[0, 180], [240, 60]]
    assert (travel.kind, travel.spread) == ("matrix", 0.0)
    with pytest.raises(RefusalError) as refusal:
        build_travel(matrix, ["oost", "noord"], np.zeros(2), np.zeros(2), ["C", "D"])
    found = [(f.column, f.found) for f in refusal.value.findings]
    assert found == [("bestemming", "ontbreekt: D"), ("herkomst", "ontbreekt: oost")]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("k,A,B\nx,-1,snel\ny,,\"1,5\"\n", {(2, "A"), (2, "B"), (3, "A"), (3, "B")}),
        ("k,A,B\nx,1,2\nx,3,9999999\n", {(3, "k"), (3, "B")}),
        ("k,A,B,C\nA,0,1,2\nC,2,1,0\n", {(0, "B")}),
        ("k,A,B\nA,0,1\nB,1,0\nC,2,2\n", {(4, "k")}),
        ("k,A\n,1\n", {(2, "k")}),
        ("k,A\n", {(0, "")}),
        ("origin,destination,seconds\nx,A,1\nx,B,2\ny,A,3\n", {(0, "origin, destination")}),
        ("origin,destination,seconds\nx,A,1\nx,A,nan\n", {(3, "origin, destination"), (3, "seconds")}),
        ("origin,destination,uren\nx,A,1\n", {(1, "seconds")}),
        ("k,A,A\nx,1,2\n", {(1, "A")}),
        ("k,A\nx,1,2\n", {(2, "")}),
    ],
)  # fmt: skip
def test_everything_wrong_is_said_at_once(tmp_path: Path, text: str, places: set[tuple[int, str]]) -> None:
    with pytest.raises(RefusalError) as refusal:
        read_matrix(written(tmp_path, text))
    assert {(f.row, f.column) for f in refusal.value.findings} == places


def test_wrong_encoding_and_decimal_commas_are_named(tmp_path: Path) -> None:
    path = tmp_path / "matrix.csv"
    path.write_bytes("k,Súdwest\nx,1\n".encode("cp1252"))
    with pytest.raises(RefusalError, match="geen UTF-8"):
        read_matrix(path)
    with pytest.raises(RefusalError, match="decimale komma"):
        read_matrix(written(tmp_path, "k;A\nx;1,5\n"))


def test_the_real_matrix_is_read_whole_and_missed_when_a_row_is_gone(tmp_path: Path) -> None:
    if not REAL.exists():
        pytest.skip("de echte rijtijden staan niet naast deze map")
    matrix, summary = read_matrix(REAL)
    plain = np.genfromtxt(REAL, delimiter=",", skip_header=1)[:, 1:]
    assert summary.rows_read == 231 * 231
    assert np.array_equal(matrix.drive_s, np.rint(plain.T * 60))
    lines = REAL.read_text(encoding="utf-8").splitlines(keepends=True)
    with pytest.raises(RefusalError, match="ook een rij 1393") as refusal:
        read_matrix(written(tmp_path, "".join(lines[:2] + lines[3:])))
    assert len(refusal.value.findings) == 1


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    pl.DataFrame().write_parquet(tmp_path / "leeg.parquet")
    with pytest.raises(RefusalError, match="geen rijtijden"):
        read_matrix(tmp_path / "leeg.parquet")
    with pytest.raises(RefusalError, match="leeg bestand"):
        read_matrix(written(tmp_path, ""))


@FUZZ
@given(text=st.text(alphabet='kAB,;\n"01.-e5x', max_size=60), long=st.booleans(), noise=st.binary(max_size=12))
def test_damaged_matrices_are_read_or_refused(tmp_path: Path, text: str, long: bool, noise: bytes) -> None:
    for name in ("ruis.csv", "ruis.parquet"):
        path = tmp_path / name
        path.write_bytes((LONG if long else "").encode() + text.encode() + noise)
        with suppress(RefusalError):
            read_matrix(path)


@FUZZ
@given(cells=st.lists(st.floats() | st.integers() | st.none() | st.text(max_size=4), min_size=1, max_size=4))
def test_any_parquet_column_is_read_or_refused(tmp_path: Path, cells: list[object]) -> None:
    frame = pl.DataFrame({"k": [str(i) for i in range(len(cells))], "A": pl.Series(cells, strict=False)})
    frame.write_parquet(tmp_path / "m.parquet")
    with suppress(RefusalError):
        matrix, _ = read_matrix(tmp_path / "m.parquet")
        assert matrix.drive_s.shape == (1, len(cells))
