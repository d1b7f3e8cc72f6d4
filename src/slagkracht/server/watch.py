"""Keeps the platform up on one machine: what dies, server or embedded database, is started again at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from slagkracht.server import cluster, database

LOOK_S = 0.1
"""How often it is looked whether both still live."""

TIRED = 10
"""So many deaths of the server within ``TIRED_S`` are no accident: then it is left down, and said so."""
TIRED_S = 60.0


def keep_up(command: Sequence[str], data: Path | None) -> int:
    """Runs ``command`` (the server) until it ends by itself or is asked to stop; returns its exit code.

    ``data`` is the folder of the embedded database, None where the database is someone else's. What was killed is
    started again. Raises RuntimeError when the server keeps dying, or the database does not start.
    """
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    before = [signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)]
    server = subprocess.Popen(command)
    deaths: list[float] = []
    try:
        while True:
            if data is not None and not cluster.is_running(data):
                cluster.start_cluster(data)
            if asked:
                server.terminate()
                return server.wait(timeout=30)
            code = server.poll()
            if code is not None and code >= 0:
                return code
            if code is not None:
                deaths = [moment for moment in deaths if moment > time.monotonic() - TIRED_S] + [time.monotonic()]
                if len(deaths) > TIRED:
                    raise RuntimeError(f"de server viel {TIRED} keer om in {TIRED_S:.0f} seconden en blijft nu uit")
                server = subprocess.Popen(command)
            time.sleep(LOOK_S)
    finally:
        if server.poll() is None:
            server.kill()
        if data is not None:
            cluster.forget_dead_users(data)
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before):
            signal.signal(number, handler)


def name_data() -> Path | None:
    """The folder of the embedded database, started; None where SLAGKRACHT_DSN names a database of someone else."""
    if os.environ.get("SLAGKRACHT_DSN"):
        return None
    folder = database.data_folder()
    database.start_embedded(folder)
    return folder / "postgres"


def run_server(host: str, port: int, demo: bool) -> None:
    """The platform and its clock, in this process, until it is stopped."""
    from slagkracht.server.clock import start_clock  # Django is only loaded where it is used
    from slagkracht.server.serve import serve

    start_clock(database.data_folder() / "sleutels")
    serve(host, port, demo=demo)
