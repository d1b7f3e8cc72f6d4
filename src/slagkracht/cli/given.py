"""What a planner types: files that are there, windows and days that exist."""

from __future__ import annotations

import datetime
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from slagkracht.resources import WINDOWS

Paths = TypeVar("Paths", Path, list[Path], None)

FILE_ENDINGS = (".csv", ".parquet", ".gpkg", ".geojson", ".json", ".html", ".pdf", ".toml", ".txt", ".xls", ".xlsx")
"""What a folder is not named by someone who means a folder."""


def existing(value: Paths) -> Paths:
    """The path or paths, all of which must be there. Raises FileNotFoundError."""
    for path in value if isinstance(value, list) else [value]:
        if path is not None and not path.exists():
            raise FileNotFoundError(errno.ENOENT, "", str(path))
    return value


def ending(*endings: str) -> Callable[[Paths], Paths]:
    """A check that what is to be written ends in one of these, so that nothing is computed for a file of another kind.

    The check raises typer.BadParameter.
    """

    def check(value: Paths) -> Paths:
        for path in value if isinstance(value, list) else [value]:
            if path is not None and path.suffix.lower() not in endings:
                raise typer.BadParameter(f"{path.name}: kies een naam die eindigt op {' of '.join(endings)}")
        return value

    return check


def no_file(value: Paths) -> Paths:
    """A folder is meant, unless one of that name is there. Raises typer.BadParameter for the name of a file."""
    for path in value if isinstance(value, list) else [value]:
        if path is not None and path.suffix.lower() in FILE_ENDINGS and not path.is_dir():
            raise typer.BadParameter(f"{path.name}: hier komen meer bestanden; noem een map, zonder {path.suffix}")
    return value


def _plan_name(value: Path) -> Path:
    if value.suffix.lower() in FILE_ENDINGS and not value.is_dir():
        raise typer.BadParameter(f"{value.name}: noem een map, of een bestand dat eindigt op .zip")
    return value


def parse_day(text: str) -> datetime.date:
    """A day as planners write it for programs. Raises typer.BadParameter."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is geen dag; schrijf hem als 2026-07-01") from None


def _windows(value: list[str] | None) -> list[str] | None:
    for each in value or []:
        _window(each)
    return value


def _window(value: str) -> str:
    if value not in WINDOWS:
        raise typer.BadParameter(f"onbekend tijdvenster {value!r}; kies uit {', '.join(WINDOWS)}")
    return value


PlanPath = Annotated[Path, typer.Argument(help="map of zip van een plan", metavar="PLAN", callback=existing)]
Out = Annotated[Path, typer.Option("--uit", help="map of zip waarin het geschreven wordt", callback=_plan_name)]
Day = Annotated[str, typer.Option("--dag", help="dag waarop de regels gelden, als 2026-07-01")]
Json = Annotated[bool, typer.Option("--json", help="uitvoer voor scripts")]
Window = Annotated[str, typer.Option("--venster", help=f"tijdvenster: {', '.join(WINDOWS)}", callback=_window)]
Windows = Annotated[
    list[str] | None, typer.Option("--venster", help=f"een of meer van {', '.join(WINDOWS)}", callback=_windows)
]
Norms = Annotated[list[str] | None, typer.Option("--norm", help="code van een norm; zonder: alle die gelden")]
Folder = Annotated[
    Path | None, typer.Option("--uit", help="map voor tabellen, kaartlagen en de verantwoording", callback=no_file)
]
ProfilePaths = Annotated[
    list[Path] | None,
    typer.Option("--profiel", help="map met scenario's; meer mag; zonder: die van het plan", callback=existing),
]
