"""A folder beside what is being written, so that the result moves into its place whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path


def make_scratch(path: Path) -> Path:
    """A new hidden folder next to ``path``, whose own folder is made where it was not there.

    Raises OSError naming ``path`` when that cannot be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{path.name[:100]}.", dir=path.parent))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
