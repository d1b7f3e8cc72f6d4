"""The tutorial is typed from top to bottom, and what it shows must come on the screen, line by line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cli_run import REAL, TOYLAND, run

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
MAP_PAGE = TUTORIAL.parents[1] / "src" / "slagkracht" / "web" / "kaart.html"
ELLIPSIS = "…"


def typed(text: str) -> list[tuple[str, list[str]]]:
    """Every command of the ``console`` blocks, with the lines that are shown under it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def what_is_missing(shown: list[str], printed: list[str]) -> str:
    """The first shown line that was not printed where it should be, "" when all were.

    A line … stands for any lines, … in a line for anything.
    """
    at, skipping = 0, False
    for line in shown:
        if line == ELLIPSIS:
            skipping = True
            continue
        pattern = re.compile(".*".join(re.escape(part.strip()) for part in line.split(ELLIPSIS)))
        while skipping and at < len(printed) and not pattern.fullmatch(printed[at].strip()):
            at += 1
        if at >= len(printed) or not pattern.fullmatch(printed[at].strip()):
            return line
        at, skipping = at + 1, False
    return "" if skipping or not any(printed[at:]) else f"meer: {printed[at]}"


def test_the_comparison_itself_can_fail() -> None:
    assert what_is_missing(["a", "…", "d"], ["a", "b", "c", "d"]) == ""
    assert what_is_missing(["a  … 3"], ["a  1  2  3"]) == ""
    assert what_is_missing(["a", "c"], ["a", "b", "c"]) == "c"
    assert what_is_missing(["a", "…", "e"], ["a", "b"]) == "e"
    assert what_is_missing(["a"], ["a", "b"]) == "meer: b"


@pytest.mark.parametrize("chapter", [1, 2, 3])
def test_every_command_gives_what_the_page_shows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chapter: int
) -> None:
    here = tmp_path / "checkout"
    here.mkdir()
    (here / "examples").symlink_to(TOYLAND.parent)
    if REAL.is_dir():
        (tmp_path / "shared").mkdir()
        (tmp_path / "shared" / "data").symlink_to(REAL)
    monkeypatch.chdir(here)
    commands = typed(re.split(r"^## \d\. ", TUTORIAL.read_text("utf-8"), flags=re.M)[chapter])
    assert len(commands) >= 5
    for command, shown in commands:
        words = shlex.split(command)
        if "nederland" in words or "../shared/data/nederland" in words:
            if not REAL.is_dir():
                continue
        elif words[0] == "cat":
            assert what_is_missing(shown, Path(words[1]).read_text("utf-8").splitlines()) == ""
            continue
        if words[1] == "kaart" and not MAP_PAGE.is_file():
            continue
        answer = run(capsys, *words[1:])
        printed = (answer.out + "\n" + answer.err).strip("\n").splitlines()
        assert what_is_missing(shown, printed) == "", command
