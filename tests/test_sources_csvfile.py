"""CSV files as people hand them in."""

from __future__ import annotations

import csv
import io
import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.sources.csvfile import find_repeats, numbers, parse_number, read_csv
from slagkracht.sources.refusal import Finding, RefusalError

FUZZ = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELLS = st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=8)


def test_numbers_are_read_and_everything_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('n,m\n1.5,x\n,x\n"1,5",x\n1_000,x\ninf,x\n-4,x\n', encoding="utf-8-sig")
    table = read_csv(path, ("n",))
    findings: list[Finding] = []
    values = numbers(table, "n", findings, least=0, empty=True)
    assert values[0] == 1.5
    assert math.isnan(values[1])
    assert [f.row for f in findings] == [4, 5, 6, 7]
    find_repeats("a.csv", "m", table.columns["m"], findings)
    assert len(findings) == 9
    assert "rij 2" in findings[-1].expected


@pytest.mark.parametrize(("cell", "value"), [("0", 0), ("-1.5", -1.5), ("1e3", 1000), ("+2", 2)])
def test_a_number_is_a_number(cell: str, value: float) -> None:
    assert parse_number(cell) == (value, "")


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "leeg bestand"), (b"a,b\n1\n", "1 cellen"), (b"a,a\n1,2\n", "dezelfde kolom"), (b"b\n1\n", "een kolom a"),
     ("a\né\n".encode("latin-1"), "geen UTF-8"), (b"a\n\x00\n", "nulbytes"), ("a\n1\n".encode("utf-16"), "UTF-16")],
)  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(RefusalError, match=word):
        read_csv(path, ("a",))


def test_every_row_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\né,1\ngoed,2\nü,3,4\n".encode("cp1252"))
    with pytest.raises(RefusalError) as refusal:
        read_csv(path)
    assert [f.row for f in refusal.value.findings] == [2, 4, 4]


@pytest.mark.parametrize(
    ("content", "row", "column", "word"),
    [
        ('id,naam\n1,"Apeldoorn\n2,Ede\n3,Tiel\n', 2, "naam", "niet sluit"),
        ('id,naam\n1,Ede\n2,"Apeldoorn', 3, "naam", "niet sluit"),
        ('id,naam\n1,"Apel\ndoorn"\n', 2, "naam", "niet sluit"),
        ('id,naam\n1,"Apeldoorn" a/d IJssel\n', 2, "", "na een sluitend"),
        ("id,naam\n1,Ede\r2,Tiel\n", 2, "", "regeleinde binnen"),
        ("id,naam\n\n1,Ede\n", 2, "", "lege regel"),
        ("\nid,naam\n1,Ede\n", 1, "", "lege regel"),
    ],
)
def test_a_line_that_is_no_row_is_named_by_its_place(
    tmp_path: Path, content: str, row: int, column: str, word: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode())
    with pytest.raises(RefusalError) as refusal:
        read_csv(path)
    first = refusal.value.findings[0]
    assert (first.row, first.column) == (row, column)
    assert word in first.found


@FUZZ
@given(
    lines=st.lists(st.sampled_from(["1,Ede", '2,"Tiel, oost"', '3,"Apeldoorn', "4", '"5', '6,"Ee"n', "7,a,b", ""])),
    ends=st.integers(0, 3),
)
def test_rows_and_findings_account_for_every_line(tmp_path: Path, lines: list[str], ends: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(("\n".join(["id,naam", *lines, "8,Wijk"]) + "\n" * ends).encode())
    wrong = [row for row, line in enumerate(lines, start=2) if line not in ("1,Ede", '2,"Tiel, oost"')]
    if wrong:
        with pytest.raises(RefusalError) as refusal:
            read_csv(path)
        assert [finding.row for finding in refusal.value.findings] == wrong
    else:
        assert read_csv(path).rows == len(lines) + 1


@FUZZ
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6))
def test_what_was_written_is_read(tmp_path: Path, rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["links", "rechts"], *rows])
    path = tmp_path / "a.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    table = read_csv(path, ("links", "rechts"))
    assert [list(row) for row in zip(table.columns["links"], table.columns["rechts"])] == rows


@FUZZ
@given(noise=st.binary(max_size=200))
def test_noise_is_read_or_refused(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(noise)
    with suppress(RefusalError):
        table = read_csv(path)
        assert all(len(cells) == table.rows for cells in table.columns.values())
