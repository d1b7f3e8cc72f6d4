"""What a reader says when it refuses a file: everything that is wrong with it, at once, in a planner's words."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass, field
from pathlib import Path

REASONS = {
    errno.ENOENT: "bestaat niet",
    errno.EACCES: "geen toestemming om te lezen of te schrijven",
    errno.EPERM: "geen toestemming om te lezen of te schrijven",
    errno.EROFS: "deze plaats is alleen te lezen",
    errno.ENOSPC: "de schijf is vol",
    errno.EDQUOT: "de schijfruimte van deze gebruiker is op",
    errno.EFBIG: "het bestand wordt groter dan deze plaats toelaat",
    errno.EISDIR: "dit is een map, geen bestand",
    errno.ENOTDIR: "dit ligt in een bestand, niet in een map",
    errno.EEXIST: "dit bestaat al",
    errno.ENAMETOOLONG: "deze naam is te lang",
    errno.EADDRINUSE: "deze poort is al in gebruik: kies een andere",
}
"""Why the machine cannot read or write something, as a planner says it."""


def say_why(error: OSError) -> str:
    """Why a file or folder cannot be read or written, in Dutch where the reason is a known one."""
    return REASONS.get(error.errno or 0, str(error.strerror or error))


def say_unreadable(path: Path) -> str:
    """What is found where a reader of other people's formats gives up, whatever that reader calls it."""
    return "een onleesbaar bestand" if path.exists() else "bestaat niet"


MISTAKES = {
    "Expected '=' after a key": "een naam zonder is-teken erachter",
    "Invalid value": "een waarde die geen tekst, getal, datum of lijst is",
    "Invalid statement": "een regel die geen naam = waarde is",
    "Illegal character": "een teken dat hier niet mag staan, zoals een tekst zonder sluitend aanhalingsteken",
    "Unterminated string": "een tekst zonder sluitend aanhalingsteken",
    "Unclosed array": "een lijst zonder sluitende ]",
    "Unclosed inline table": "een rij velden zonder sluitende }",
    "Expected ']'": "een kop zonder sluitende ]",
    "Expected newline": "nog iets achter een waarde",
    "Cannot overwrite": "iets dat eerder in het bestand al staat",
    "Cannot declare": "een kop die eerder in het bestand al staat",
    "Cannot mutate": "een veld van iets dat al af is",
    "Duplicate inline": "een veld dat twee keer voorkomt",
}
"""What the reader of TOML says at a mistake, by how it begins, and what a planner reads."""


def say_broken_toml(error: Exception) -> str:
    """Why a text is no TOML, and where: the line and the character as an editor counts them."""
    if isinstance(error, OSError):
        return say_why(error)
    if isinstance(error, UnicodeDecodeError):
        return f"een andere codering, bij byte {error.start + 1}"
    text = str(error)
    mistake = next((dutch for begins, dutch in MISTAKES.items() if text.startswith(begins)), "iets dat geen toml is")
    place = re.search(r"at line (\d+), column (\d+)", text)
    where = f"regel {place[1]}, teken {place[2]}" if place else "aan het eind"
    return f"{where}: {mistake}"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where it stands, what was found there and what is expected ("" = that says itself).

    ``row`` counts as a spreadsheet does (the header is row 1; 0 = the file as a whole); ``column`` "" = the whole row.
    """

    file: str
    row: int
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        place = (
            self.file + (f", rij {self.row}" if self.row else "") + (f", kolom {self.column}" if self.column else "")
        )
        if not self.expected:
            return f"{place}: {_shorten(self.found)}"
        return f"{place}: gevonden {_shorten(self.found)!r}; verwacht: {self.expected}"


MOST_FOUND = 160
"""Characters of what was found that a message repeats."""


def _shorten(text: str) -> str:
    """The text, ending on a whole word where it is too long."""
    return text if len(text) <= MOST_FOUND else f"{text[:MOST_FOUND].rsplit(' ', 1)[0]} …"


SHOWN = 30
"""How many findings a message spells out; the exception itself always holds them all."""


class RefusalError(ValueError):
    """A source was refused. ``findings`` holds every finding, in order of place; nothing of the source was used."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = sorted(findings, key=lambda f: (f.file, f.row, f.column))
        lines = "\n".join(f"  {finding}" for finding in self.findings[:SHOWN])
        more = f"\n  … en nog {len(self.findings) - SHOWN}" if len(self.findings) > SHOWN else ""
        counted = "1 bevinding" if len(self.findings) == 1 else f"{len(self.findings)} bevindingen"
        super().__init__(f"geweigerd, {counted}:\n{lines}{more}")


@dataclass(frozen=True)
class ReadSummary:
    """What a reader read, what it left out and what it assumed, by reason: nothing is dropped in silence."""

    file: str
    rows_read: int
    left_out: dict[str, int]
    assumed: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        left = ", ".join(f"{reason}: {count}" for reason, count in sorted(self.left_out.items())) or "niets"
        assumed = ", ".join(f"{what}: {count}" for what, count in sorted(self.assumed.items()))
        return f"{self.file}: {self.rows_read} gelezen; weggelaten: {left}" + (
            f"; aangenomen: {assumed}" * bool(assumed)
        )
