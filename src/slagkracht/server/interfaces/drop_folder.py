"""Unit reports as files: a folder into which a control room's own program drops them, emptied as they come.

``python -m slagkracht.server.interfaces.drop_folder MAP http://127.0.0.1:8000 SLEUTEL`` sends what comes there to the
platform, for the account of the key, until it is stopped.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slagkracht.server import ledger
from slagkracht.server.interfaces.control_room import push, say_refused

MOST_LINES = 1_000
"""How many reports are taken at once."""


@dataclass(frozen=True)
class Taken:
    """What came of a batch: ids ``accepted``, ids ``repeated`` (here before), and per line what was wrong with it."""

    accepted: list[str]
    repeated: list[str]
    refused: list[tuple[int, str]]


class Unreadable(str):
    """A line that is no report at all: what is wrong with it."""


def read_lines(name: str, content: bytes) -> list[Any]:
    """The reports in a dropped file: .csv (; or , between fields, names in the first line) or .jsonl.

    A line of .jsonl that is no JSON is Unreadable; a number in a .csv with ; may have a decimal comma. Raises
    LedgerError, in Dutch, when the file cannot be read at all; what is wrong with a line shows when it is taken.
    """
    try:
        text = content.decode("utf-8-sig")
        if name.lower().endswith(".jsonl"):
            return [_read_line(line) for line in text.splitlines() if line.strip()]
        separator = ";" if ";" in text.partition("\n")[0] else ","
        reader = csv.DictReader(io.StringIO(text), delimiter=separator, strict=True)
        try:
            rows = [{field: value for field, value in row.items() if value not in ("", None)} for row in reader]
        except csv.Error as error:
            place = f"bij regel {reader.line_num + 1}"
            raise ledger.LedgerError(f"{name}: geen CSV {place}; let op aanhalingstekens en nultekens") from error
    except UnicodeDecodeError as error:
        raise ledger.LedgerError(f"{name}: geen UTF-8 (byte {error.start})") from error
    if separator == ";":
        rows = [{field: _with_point(value) for field, value in row.items()} for row in rows]
    return rows


def _read_line(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return Unreadable("is geen geldige JSON")


def _with_point(value: Any) -> Any:
    is_number = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,12},[0-9]{1,12}", value)
    return value.replace(",", ".") if is_number else value


def empty_folder(folder: Path, take: Callable[[list[Any]], Taken]) -> dict[str, Taken | str]:
    """Takes every .csv and .jsonl in a drop folder, by name; each goes on to ``verwerkt``, what was refused beside it.

    Senders write elsewhere and rename into the folder, so that no half file is read. A name that was there before gets
    a number. What ``take`` raises besides LedgerError leaves the file where it is: it can be taken again, each report
    being taken once.
    """
    done: dict[str, Taken | str] = {}
    (folder / "verwerkt").mkdir(exist_ok=True)
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in (".csv", ".jsonl") and p.is_file()):
        try:
            done[path.name] = taken = _take_lines(read_lines(path.name, path.read_bytes()), take)
            findings = [f"melding {number}: {why}" for number, why in taken.refused]
        except ledger.LedgerError as error:
            done[path.name], findings = str(error), [str(error)]
        to = _free_name(folder / "verwerkt" / path.name)
        if findings:
            to.with_name(f"{to.name}.fouten.txt").write_text("\n".join(findings) + "\n", encoding="utf-8")
        path.rename(to)
    return done


def _take_lines(lines: list[Any], take: Callable[[list[Any]], Taken]) -> Taken:
    refused = [(number, str(line)) for number, line in enumerate(lines, start=1) if isinstance(line, Unreadable)]
    readable = [(number, line) for number, line in enumerate(lines, start=1) if not isinstance(line, Unreadable)]
    accepted: list[str] = []
    repeated: list[str] = []
    for at in range(0, len(readable), MOST_LINES):
        part = readable[at : at + MOST_LINES]
        taken = take([line for _, line in part])
        accepted += taken.accepted
        repeated += taken.repeated
        refused += [(part[number - 1][0], why) for number, why in taken.refused]
    return Taken(accepted, repeated, sorted(refused))


def _free_name(path: Path) -> Path:
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(2, 100_000))
    return path if not path.exists() else next(other for other in numbered if not other.exists())


def send_folder(folder: Path, address: str, key: str) -> dict[str, Taken | str]:
    """Empties a drop folder into the platform at ``address``. Raises URLError when that is not there or refuses."""

    def take(lines: list[Any]) -> Taken:
        told = push(address, key, lines)
        refused = [(one["regel"], one["bevinding"]) for one in told["geweigerd"]]
        return Taken(told["aangenomen"], told["herhaald"], refused)

    return empty_folder(folder, take)


def main() -> None:
    parser = argparse.ArgumentParser(description="Stuurt wat in een map valt als meldingen naar het platform.")
    parser.add_argument("map", type=Path)
    parser.add_argument("adres")
    parser.add_argument("sleutel")
    parser.add_argument("--elke", type=float, default=2.0, help="om de hoeveel seconden de map bekeken wordt")
    parser.add_argument("--eenmaal", action="store_true", help="leeg de map en stop")
    given = parser.parse_args()
    if not given.map.is_dir():
        raise SystemExit(f"{given.map} is geen map")
    while True:
        try:
            for name, came in send_folder(given.map, given.adres, given.sleutel).items():
                told = came if isinstance(came, str) else (
                    f"{len(came.accepted)} aangenomen, {len(came.repeated)} herhaald, {len(came.refused)} geweigerd"
                )  # fmt: skip
                print(f"{name}: {told}", flush=True)
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise SystemExit(say_refused(error)) from error
            print(f"het platform antwoordt {error.code}; de map wordt straks opnieuw bekeken", flush=True)
        except OSError as error:
            print(f"geen verbinding ({error}); de map wordt straks opnieuw bekeken", flush=True)
        if given.eenmaal:
            return
        time.sleep(given.elke)


if __name__ == "__main__":
    main()
