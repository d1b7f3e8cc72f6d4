"""How the tests type a command: in this process, as a planner would, and what came on the screen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from slagkracht.cli import main

TOYLAND = Path(__file__).parent.parent / "examples" / "toyland"
REAL = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code and what it printed, trailing spaces taken off."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Answer:
    """Run ``slagkracht`` with these arguments."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return Answer(int(ended.value.code or 0), _trim(printed.out), _trim(printed.err))


def _trim(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())
