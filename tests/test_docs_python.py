"""The examples of docs/python.md are run as they stand there, and the top of the package offers what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import slagkracht

ROOT = Path(__file__).parent.parent


def test_every_example_of_the_page_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.S)
    assert len(blocks) == 4
    monkeypatch.chdir(ROOT)
    exec(compile("\n".join(blocks), "docs/python.md", "exec"), {})


def test_every_name_at_the_top_is_the_one_of_its_room() -> None:
    assert set(slagkracht.__all__) == set(slagkracht._ROOM_OF)
    for name in slagkracht.__all__:
        assert getattr(slagkracht, name).__name__ == name
    with pytest.raises(AttributeError, match="onzin"):
        _ = slagkracht.onzin  # type: ignore[attr-defined]


def test_importing_the_package_loads_nothing_of_weight() -> None:
    heavy = "import slagkracht, sys; print(sorted({'numpy', 'polars', 'numba', 'geopandas'} & sys.modules.keys()))"
    ended = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
