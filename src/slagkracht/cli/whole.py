"""What a command writes stands there whole, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slagkracht.sources.refusal import Finding, RefusalError
from slagkracht.sources.scratch import make_scratch


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write first; on leaving well it is ``path``, replacing what was there. Else nothing is left behind.

    Entered before the work begins, so that a place that cannot be written to is refused at once. Raises RefusalError
    when ``path`` is a folder, OSError when its folder cannot be made or written to.
    """
    if path.is_dir():
        raise RefusalError([Finding(path.name, 0, "", "een map", "de naam van een bestand")])
    scratch = make_scratch(path)
    try:
        yield scratch / path.name
        os.replace(scratch / path.name, path)
    finally:
        shutil.rmtree(scratch)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """As ``whole_file``, for the files of a folder: those made replace theirs of the same name, others stay."""
    if path.exists() and not path.is_dir():
        raise RefusalError([Finding(path.name, 0, "", "een bestand", "een map, bestaand of nieuw")])
    scratch = make_scratch(path)
    try:
        yield scratch
        path.mkdir(exist_ok=True)
        for file in sorted(scratch.iterdir()):
            if file.is_dir() and (path / file.name).is_dir():
                shutil.rmtree(path / file.name)
            os.replace(file, path / file.name)
    finally:
        shutil.rmtree(scratch)
