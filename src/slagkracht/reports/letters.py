"""Letters and forms as PDF that lasts (PDF/A) and reads aloud (PDF/UA): what a procedure makes, ready to send."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from slagkracht.reports.colours import Scale
from slagkracht.reports.drawing import Shapes
from slagkracht.reports.map_svg import Label, draw_map

LAND = Scale((), ("#eef2f0",), ("",), "")
PUNCTUATION = "\n‘’“”–—…•€"
LATIN_ENDS = 0x180
AROUND_M = 35_000.0
"""How far round the place a letter's map looks."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, and whether it holds figures."""

    name: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table in a letter; ``rows`` as they are read."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """A piece of a letter: a heading ("" = none), paragraphs, and perhaps a table."""

    heading: str
    text: tuple[str, ...]
    table: Table | None = None


@dataclass(frozen=True)
class Letter:
    """What a letter says: who writes to whom, the facts on top, the parts, who signs, and what is uncertain in it.

    ``exercise`` "" or the words that tell that nothing in it is real.
    """

    title: str
    sender: tuple[str, ...]
    to: tuple[str, ...]
    day: datetime.date
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    signature: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    footer: str = ""
    exercise: str = ""
    map_caption: str = field(default="")


def write_letter(letter: Letter, drawing: str = "") -> bytes:
    """The letter as one PDF, both PDF/A-2a (ISO 19005-2, tagged) and PDF/UA-1 (ISO 14289-1); ``drawing`` SVG for it.

    A sign that the letter's font may lack would make no PDF/A: it is printed as "?", and the letter says so.
    """
    told = json.dumps(asdict(letter), ensure_ascii=False, default=str)
    clean, drawing = _replace_strange(json.loads(told)), _replace_strange(drawing)
    if json.dumps(clean, ensure_ascii=False) != told:
        clean["notes"] = [*clean["notes"], "Tekens die het lettertype niet kent staan in dit stuk als '?'."]
    content = {
        **clean,
        "date": (letter.day.year, letter.day.month, letter.day.day),
        "description": f"{letter.title}, {letter.sender[0]}",
        "map": "kaart.svg" if drawing else "",
        "map-caption": letter.map_caption,
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "stuk.json").write_text(json.dumps(content, ensure_ascii=False, default=str), encoding="utf-8")
        template = resources.files("slagkracht.reports") / "typst" / "stuk.typ"
        (folder / "stuk.typ").write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
        if drawing:
            (folder / "kaart.svg").write_text(drawing, encoding="utf-8")
        import typst  # takes long to load, and only a printed page needs it

        pdf: bytes = typst.compile(
            str(folder / "stuk.typ"), root=scratch, ignore_system_fonts=True, pdf_standards=["a-2a", "ua-1"]
        )
    return pdf


def _replace_strange(value: Any) -> Any:
    """The same texts, with "?" for every sign outside Latin script and usual punctuation."""
    if isinstance(value, str):
        known = (
            sign if sign in PUNCTUATION or (sign.isprintable() and ord(sign) < LATIN_ENDS) else "?" for sign in value
        )
        return "".join(known)
    if isinstance(value, list):
        return [_replace_strange(item) for item in value]
    if isinstance(value, dict):
        return {key: _replace_strange(item) for key, item in value.items()}
    return value


def draw_place(outlines: Shapes, names: Sequence[str], x_m: float, y_m: float, what: str) -> str:
    """SVG of a place (RD New) among the regions around it: ``outlines`` [R] with their ``names``."""
    frame = (x_m - AROUND_M, y_m - AROUND_M / 2, x_m + AROUND_M, y_m + AROUND_M / 2)
    inside = shapely.box(*frame)
    taken = shapely.box(x_m - AROUND_M * 0.6, y_m - AROUND_M * 0.1, x_m + AROUND_M * 0.6, y_m + AROUND_M * 0.15)
    labels: list[Label] = []
    for shape, name in zip(outlines, names, strict=True):
        seen = shapely.intersection(shape, inside)
        if seen.area > 0.02 * inside.area:
            free = shapely.difference(seen, taken)  # the name of a region stands clear of the name of the place
            point = (seen if free.is_empty else free).representative_point()
            labels.append((point.x, point.y, name))
    place = np.array([[x_m, y_m]])
    return draw_map(
        outlines, np.zeros(len(outlines)), LAND, outlines, frame, points=place,
        labels=[*labels, (x_m, y_m + 900, what)], faded=np.zeros(len(outlines), dtype=np.bool_),
    )  # fmt: skip
