"""The open data of the country, fetched from its publishers: whole and checked, or not at all."""

from __future__ import annotations

import os
import shutil
import time
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pooch
import requests
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from slagkracht.sources.refusal import Finding, RefusalError, say_broken_toml, say_why

CHUNK = 1 << 18
ATTEMPTS = 5
PATIENCE_S = 30.0

Show = Callable[[str, int, int], None]
"""Called with the name of a source, the bytes that are in and the bytes that it will be (0 = not told)."""


@dataclass(frozen=True)
class Download:
    """One source: what it is, who publishes it under which licence, where, and the file that it becomes."""

    name: str
    dutch: str
    publisher: str
    licence: str
    url: str
    file: str
    sha256: str


def read_catalogue(path: Path | None = None) -> dict[str, Download]:
    """The sources by name, from ``nl/facts/downloads.toml`` or a catalogue of one's own in the same form.

    Raises RefusalError when it is no such catalogue, or a file would land outside its folder.
    """
    source = path or resources.files("slagkracht").joinpath("nl", "facts", "downloads.toml")
    label = path.name if path else "downloads.toml"
    try:
        entries = tomllib.loads(source.read_bytes().decode("utf-8"))
        catalogue = {name: Download(name=name, **entry) for name, entry in entries.items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        expected = "per bron: dutch, publisher, licence, url, file, sha256"
        raise RefusalError([Finding(label, 0, "", say_broken_toml(error), expected)]) from error
    wrong = [
        Finding(label, 0, name, str(item.file), "een bestandsnaam zonder map")
        for name, item in catalogue.items()
        if not isinstance(item.file, str) or not item.file or Path(item.file).name != item.file or "\\" in item.file
    ]
    if wrong:
        raise RefusalError(wrong)
    return catalogue


def haal(
    names: list[str],
    folder: Path,
    *,
    catalogue: dict[str, Download] | None = None,
    progress: Show | None = None,
    renew: bool = False,
    attempts: int = ATTEMPTS,
    pause_s: float = 1.0,
) -> list[Path]:
    """Fetch sources into ``folder``; a file that is there and right is kept unless ``renew``. Returns their paths.

    An interrupted download is kept as ``<file>.deel`` and goes on where it stopped, now (``attempts`` times, waiting
    ``pause_s`` longer each time) or at the next call. A file takes its place in one move, after its checksum was
    compared; nothing half fetched ever bears its name. Raises RefusalError for a name that the catalogue does not
    have (before anything is fetched), a publisher that cannot be reached or a checksum that differs; what was fetched
    before that stays.
    """
    catalogue = read_catalogue() if catalogue is None else catalogue
    unknown = [name for name in names if name not in catalogue]
    if unknown:
        expected = f"een van {', '.join(sorted(catalogue))}"
        raise RefusalError([Finding("data haal", 0, "bron", name, expected) for name in unknown])
    folder.mkdir(parents=True, exist_ok=True)
    return [_fetch(catalogue[name], folder, progress, renew, attempts, pause_s) for name in names]


def _fetch(item: Download, folder: Path, progress: Show | None, renew: bool, attempts: int, pause_s: float) -> Path:
    target = folder / item.file
    if target.exists() and not renew and (not item.sha256 or pooch.file_hash(str(target)) == item.sha256):
        return target
    part = folder / f"{item.file}.deel"
    fresh = f"{item.file}.nieuw"

    def resume(url: str, output_file: str, _: Any) -> None:
        _download(item, url, part, progress, attempts, pause_s)
        os.replace(part, output_file)

    pooch.get_logger().setLevel("WARNING")
    try:
        (folder / fresh).unlink(missing_ok=True)
        known = f"sha256:{item.sha256}" if item.sha256 else None
        pooch.retrieve(item.url, known_hash=known, fname=fresh, path=folder, downloader=resume)
        os.replace(folder / fresh, target)
    except (requests.RequestException, OSError) as error:
        expected = f"{item.publisher} bereikbaar; opnieuw proberen gaat verder waar het ophield"
        raise RefusalError([Finding(item.name, 0, item.url, say_unfetched(error), expected)]) from error
    except ValueError as error:  # from pooch: the checksum differs, and what was fetched is thrown away
        found = "een ander controlegetal dan de catalogus noemt"
        expected = (
            f"sha256 {item.sha256}; probeer het opnieuw, of kijk bij {item.publisher} of er een nieuwe uitgave is"
        )
        raise RefusalError([Finding(item.name, 0, item.url, found, expected)]) from error
    return target


def say_unfetched(error: OSError) -> str:
    """Why a source could not be fetched, in a planner's words."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"de bron antwoordt met foutcode {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"geen antwoord binnen {PATIENCE_S:g} seconden"
    if isinstance(error, Broken):
        return str(error)
    return "geen verbinding met de bron" if isinstance(error, requests.RequestException) else say_why(error)


class Broken(requests.ConnectionError):
    """A download that stopped, said in Dutch."""


def _download(item: Download, url: str, part: Path, progress: Show | None, attempts: int, pause_s: float) -> None:
    """Fetch ``url`` into ``part``, going on after what is there. Raises requests.RequestException when it will not."""
    for attempt in range(1, attempts + 1):
        try:
            _go_on(item, url, part, progress)
            return
        except requests.RequestException as error:
            answer = error.response
            if attempt == attempts or (answer is not None and 400 <= answer.status_code < 500):
                raise
            time.sleep(pause_s * attempt)


def _go_on(item: Download, url: str, part: Path, progress: Show | None) -> None:
    there = part.stat().st_size if part.exists() else 0
    mark = part.with_suffix(".merk")  # which edition of the file the part belongs to
    headers = {"Accept-Encoding": "identity"}
    if there and mark.exists():
        headers |= {"Range": f"bytes={there}-", "If-Range": mark.read_text(encoding="utf-8")}
    with requests.get(url, headers=headers, stream=True, timeout=PATIENCE_S) as answer:
        if answer.status_code == 416:  # nothing after what is there: the part is of no use
            part.unlink()
            raise Broken("het deel dat er al was past niet meer bij de bron")
        answer.raise_for_status()
        if answer.status_code != 206:
            there = 0
        edition = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if edition and not edition.startswith("W/"):
            mark.write_text(edition, encoding="utf-8")
        else:
            mark.unlink(missing_ok=True)
        length = answer.headers.get("Content-Length", "")
        total = there + int(length) if length.isdigit() else 0
        with part.open("ab" if there else "wb") as stream:
            for chunk in answer.iter_content(CHUNK):
                stream.write(chunk)
                there += len(chunk)
                if progress:
                    progress(item.name, there, total)
    if total and there < total:
        raise Broken(f"afgebroken na {there} van {total} bytes")
    mark.unlink(missing_ok=True)


def show_progress(bars: Progress) -> Show:
    """A progress bar per source in ``bars`` (see ``make_bars``)."""
    tasks: dict[str, Any] = {}

    def show(name: str, there: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=total or None)
        bars.update(tasks[name], completed=there, total=total or None)

    return show


def make_bars() -> Progress:
    """Bars of name, bytes, speed and time: ``with make_bars() as bars: haal(…, progress=show_progress(bars))``."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    )


def unpack(archive: Path, folder: Path, suffixes: tuple[str, ...] = (".gpkg",)) -> list[Path]:
    """The files with one of ``suffixes`` out of a zip, by their bare names; each takes its place in one move.

    Raises RefusalError before anything is written: no zip, a member that would land outside ``folder``, two members
    of one name, nothing with such a suffix; and when a member is damaged.
    """
    findings: list[Finding] = []
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir()]
            for member in members:
                parts = member.filename.replace("\\", "/").split("/")
                if parts[0] == "" or ".." in parts or ":" in parts[0]:
                    expected = "een zip waarvan alles in de eigen map terechtkomt"
                    findings.append(Finding(archive.name, 0, "", member.filename, expected))
            wanted = {Path(m.filename).name: m for m in members if m.filename.lower().endswith(suffixes)}
            if len(wanted) < sum(m.filename.lower().endswith(suffixes) for m in members):
                findings.append(
                    Finding(archive.name, 0, "", "twee bestanden met dezelfde naam", "elk bestand één keer")
                )
            if not wanted:
                found = ", ".join(m.filename for m in members[:5]) or "een lege zip"
                findings.append(Finding(archive.name, 0, "", found, f"een bestand op {' of '.join(suffixes)}"))
            if findings:
                raise RefusalError(findings)
            folder.mkdir(parents=True, exist_ok=True)
            for name, member in wanted.items():
                part = folder / f"{name}.uitgepakt"
                with opened.open(member) as source, part.open("wb") as target:
                    shutil.copyfileobj(source, target)
            for name in wanted:
                os.replace(folder / f"{name}.uitgepakt", folder / name)
    except RefusalError:
        raise
    except Exception as error:  # zipfile raises of many kinds on a broken archive
        for part in folder.glob("*.uitgepakt") if folder.exists() else ():
            part.unlink()
        raise RefusalError(
            [
                Finding(
                    archive.name,
                    0,
                    "",
                    "een beschadigd of afgebroken zipbestand",
                    "een heel zipbestand; haal het opnieuw op",
                )
            ]
        ) from error
    return [folder / name for name in wanted]
