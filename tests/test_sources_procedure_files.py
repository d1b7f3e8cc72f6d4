"""Procedures as files: whatever stands in one, it is a procedure or is refused in words."""

from __future__ import annotations

import contextlib
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.sources.procedure_files import NATIONAL, read_procedures
from slagkracht.sources.refusal import RefusalError

FILES = sorted(NATIONAL.glob("*.toml"))
LINES = {path.name: path.read_text(encoding="utf-8").splitlines(keepends=True) for path in FILES}
VALUES = st.sampled_from(
    ['""', '"x"', "0", "-1", "true", "[]", "[1]", "[[]]", "{}", "[{a = 1}]", "2026-01-01", "1e400"]
)


def read(files: dict[str, bytes]) -> None:
    """Reads a folder with these files: it is read, or refused with RefusalError."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        with contextlib.suppress(RefusalError):
            read_procedures(Path(folder))


def test_the_folder_holds_what_is_damaged_here() -> None:
    assert {"roles.toml", "bijstandsaanvraag.toml"} <= set(LINES)
    read({name: "".join(lines).encode() for name, lines in LINES.items()})


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_any_value_on_any_line_is_read_or_refused(data: Any) -> None:
    name = data.draw(st.sampled_from(sorted(LINES)))
    given_lines = [row for row, line in enumerate(LINES[name]) if "=" in line]
    row, value = data.draw(st.sampled_from(given_lines)), data.draw(VALUES)
    changed = [*LINES[name]]
    changed[row] = f"{changed[row].partition('=')[0]}= {value}\n"
    files = {other: "".join(lines).encode() for other, lines in LINES.items()}
    read(files | {name: "".join(changed).encode()})


@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(st.sampled_from(sorted(LINES)), st.integers(0, 10**6), st.binary(max_size=8), st.integers(0, 30))
def test_a_damaged_file_is_read_or_refused(name: str, at: int, put: bytes, cut: int) -> None:
    files = {other: "".join(lines).encode() for other, lines in LINES.items()}
    at %= len(files[name])
    read(files | {name: files[name][:at] + put + files[name][at + cut :]})


@pytest.mark.parametrize("kind", ["states", "steps", "terms", "fields"])
@pytest.mark.parametrize("value", ['"x"', "3", "[3]", "{}", "[[]]"])
def test_what_should_be_tables_and_is_not_is_refused(kind: str, value: str) -> None:
    name = next(name for name, lines in LINES.items() if any(line.startswith("[[steps]]") for line in lines))
    head = re.sub(r"(?ms)^states = \[.*?^\]\n", "", "".join(LINES[name]).split("[[")[0])
    text = f"{head}\n{kind} = {value}\n"
    tomllib.loads(text)
    files = {other: "".join(lines).encode() for other, lines in LINES.items()}
    with tempfile.TemporaryDirectory() as folder:
        for other, content in (files | {name: text.encode()}).items():
            (Path(folder) / other).write_bytes(content)
        with pytest.raises(RefusalError):
            read_procedures(Path(folder))
