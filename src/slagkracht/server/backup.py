"""Copies of the whole platform, and the drill that proves that they can be gone back to."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg

from slagkracht.server import cluster, verify_log
from slagkracht.server.database import WORLDS, Addresses

SPARE = 1.2
"""A copy is begun only where this many times its size is free: a full disk would stop the platform."""

COUNTS: dict[str, LiteralString] = {
    "personen": "select count(*) from slagkracht.person",
    "mandaten": "select count(*) from slagkracht.mandate",
    "eenheden": "select count(*) from slagkracht.unit",
    "incidenten": "select count(*) from slagkracht.incident",
    "aanvragen": "select count(*) from slagkracht.request",
    "aanboden": "select count(*) from slagkracht.offer",
    "toezeggingen": "select count(*) from slagkracht.commitment",
    "feiten": "select count(*) from slagkracht.event",
    "dossiers": "select count(*) from slagkracht.dossier",
}


@dataclass(frozen=True)
class Drill:
    """What a copy turned out to be when it was started: ``rows`` per Dutch noun, ``logs`` how many were verified."""

    rows: dict[str, int]
    logs: int
    findings: tuple[str, ...]
    took_s: float


def back_up(addresses: Addresses, into: Path, at: datetime.datetime) -> Path:
    """Copies the running database into a new folder of ``into``, checks every file of it, and returns that folder.

    Raises RuntimeError when there is no room for it, or when a file of the copy is not what was sent.
    """
    with psycopg.connect(addresses.owner) as owner:
        row = owner.execute("select sum(pg_database_size(oid))::bigint from pg_database").fetchone()
    refuse_full_disk(into, row[0] if row else 0)
    backup = into / f"slagkracht-{_stamp(at)}"
    if backup.exists():
        raise RuntimeError(f"{backup} bestaat al; wacht een seconde of kies een andere map")
    cluster.make_folder(backup)
    try:
        copied = ("-d", addresses.owner, "-D", str(backup / "postgres"), "-X", "stream", "-c", "fast")
        cluster.run_program("pg_basebackup", *copied, "--manifest-checksums=SHA256")
        refuse_damage(backup / "postgres")
    except RuntimeError:
        shutil.rmtree(backup)
        raise
    return backup


def refuse_full_disk(folder: Path, size: int) -> None:
    """Raises RuntimeError when ``folder`` (or where it would come) has no room for ``size`` bytes and a margin."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < SPARE * size:
        need = f"{SPARE * size / 1e6:,.0f} MB nodig, {free / 1e6:,.0f} MB vrij"
        raise RuntimeError(f"geen plaats in {folder}: {need}; ruim op of kies een andere map")


def refuse_damage(data: Path) -> None:
    """Raises RuntimeError when a file of a copy is not, byte for byte, what its manifest says was sent.

    Written out here: the ``pg_verifybackup`` of the embedded PostgreSQL crashes.
    """
    damaged = []
    for name, checksum in read_manifest(data / "backup_manifest"):
        path = data / name
        if not path.is_file():
            damaged.append(name)
            continue
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                damaged.append(name)
    if damaged:
        raise RuntimeError(f"de reservekopie in {data.parent} is beschadigd: {', '.join(damaged[:5])}; neem een andere")


def read_manifest(path: Path) -> list[tuple[str, str]]:
    """The files that a copy was sent with, each with its SHA-256. Raises RuntimeError when the list is damaged."""
    text = path.read_bytes()
    try:
        manifest = json.loads(text)
        sealed = hashlib.sha256(text[: text.rindex(b'"Manifest-Checksum"')]).hexdigest()
        files = [(_name(sent), str(sent["Checksum"])) for sent in manifest["Files"]]
        whole = sealed == manifest["Manifest-Checksum"]
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        copy = f"de reservekopie in {path.parent.parent} is beschadigd"
        raise RuntimeError(f"{copy}: {path.name} is niet zoals hij geschreven is; neem een andere")
    return files


def _name(sent: dict[str, str]) -> str:
    return str(sent["Path"]) if "Path" in sent else bytes.fromhex(sent["Encoded-Path"]).decode()


def drill(backup: Path, checkpoints: dict[str, str] | None = None) -> Drill:
    """Starts a throwaway copy of ``backup``, counts it, and lets the stand-alone verifier read every log in it.

    ``checkpoints``: per world the signed checkpoints (JSON lines) that others hold elsewhere; they show what
    is missing at the end of a log. The backup itself is not touched. Raises RuntimeError when the copy does not start.
    """
    began = time.perf_counter()
    source = backup / "postgres"
    if not (source / "PG_VERSION").exists():
        raise RuntimeError(f"{backup} is geen reservekopie: postgres/PG_VERSION ontbreekt")
    refuse_damage(source)
    throwaway = Path(tempfile.mkdtemp(prefix="slagkracht-proef-"))
    data = throwaway / "postgres"
    try:
        refuse_full_disk(throwaway, _size(source))
        cluster.copy_data(source, data)
        findings: list[str] = []
        with psycopg.connect(cluster.start_cluster(data)) as owner:
            rows = {noun: _number(owner, sql) for noun, sql in COUNTS.items()}
            logs = _number(owner, "select count(distinct (world, chain)) from slagkracht.event")
            for world in WORLDS:
                findings += verify_world(owner, world, throwaway, (checkpoints or {}).get(world, ""))
    finally:
        cluster.stop_cluster(data)
        shutil.rmtree(throwaway)
    return Drill(rows, logs, tuple(findings), time.perf_counter() - began)


def restore(backup: Path, folder: Path, at: datetime.datetime) -> tuple[Drill, Path | None]:
    """Puts ``backup`` in the place of the embedded database of ``folder``, after a drill that found nothing.

    What stood there is moved aside, not deleted; returns the drill and where it went (None = nothing stood there).
    Raises RuntimeError when the platform still runs there, or when the drill found something.
    """
    data = folder / "postgres"
    if cluster.is_running(data):
        raise RuntimeError(f"het platform in {folder} draait nog; stop het en geef de opdracht opnieuw")
    found = drill(backup)
    if found.findings:
        raise RuntimeError(f"{backup} klopt niet en is niet teruggezet: {'; '.join(found.findings)}")
    refuse_full_disk(folder, _size(backup / "postgres"))
    aside = folder / f"postgres-voor-herstel-{_stamp(at)}" if data.exists() else None
    if aside is not None:
        data.rename(aside)
    cluster.copy_data(backup / "postgres", data)
    return found, aside


def verify_world(owner: psycopg.Connection, world: str, folder: Path, checkpoints: str = "") -> list[str]:
    """What the stand-alone verifier, as a program of its own, finds in all logs of one world."""
    log, points, keys = (folder / f"{world}-{name}" for name in ("log.jsonl", "punten.jsonl", "sleutels.json"))
    with log.open("w", encoding="utf-8", newline="") as out, owner.cursor(name="log") as lines:
        lines.execute("select line from slagkracht.event where world = %s order by chain, number", (world,))
        out.writelines(line + "\n" for (line,) in lines)
    newest = owner.execute(
        "select distinct on (chain, key) json_build_object('chain', chain, 'number', number, 'hash', hash, 'at', at, "
        "'key', key, 'signature', signature)::text from (select chain, number, hash, at, key, signature, world "
        "from slagkracht.checkpoint union select chain, number, hash, at, key, signature, world "
        "from slagkracht.held_checkpoint) c where world = %s and key = (select k.key from slagkracht.region_key k "
        "where k.world = c.world and k.region = c.chain) order by chain, key, number desc",
        (world,),
    )
    points.write_text("".join(line + "\n" for (line,) in newest.fetchall()) + checkpoints, encoding="utf-8")
    known = owner.execute("select region, key from slagkracht.region_key where world = %s", (world,)).fetchall()
    keys.write_text(json.dumps(dict(known)), encoding="utf-8")
    program = [sys.executable, "-I", verify_log.__file__, str(log), str(points), str(keys)]
    answer = subprocess.run(program, capture_output=True, text=True, check=False)
    return [f"{world}: {line}" for line in (answer.stdout + answer.stderr).splitlines()] if answer.returncode else []


def _number(owner: psycopg.Connection, sql: LiteralString) -> int:
    row = owner.execute(sql).fetchone()
    return int(row[0]) if row else 0


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _stamp(at: datetime.datetime) -> str:
    return f"{at.astimezone(datetime.UTC):%Y%m%dT%H%M%SZ}"
