"""Keeps the platform up on one machine: what dies, server or embedded database, is followed up at once."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from slagkracht.server import cluster

LOOK_S = 0.1
"""How often it is looked whether the database still lives; the death of a server is seen at once."""

FULL_S = 1.0
"""How often a full disk is tried again."""

TIRED = 10
"""So many deaths within ``TIRED_S`` before a server was ready are no accident: then it is left down, and said so."""
TIRED_S = 60.0

LOST = 255
"""What the exit code of a server is when the process that it came from was killed."""

LOADED = ("slagkracht.server.serve", "slagkracht.server.asgi", "slagkracht.server.urls", "uvicorn.protocols.http.auto")
"""What a server imports, once for all servers that follow each other."""

Context = ForkServerContext | SpawnContext

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Server:
    """A process that has loaded the platform, or is loading it, and serves once it is told to."""

    process: BaseProcess
    orders: Connection

    @classmethod
    def start(cls, listener: socket.socket, demo: bool, first: bool = False) -> Server:
        """Starts one in a process of its own; it ends by itself when whoever started it is gone.

        The ``first`` lays tables and demo accounts; the others find them.
        """
        ours, theirs = multiprocessing.Pipe()
        process = _context().Process(target=stand_ready, args=(listener, theirs, demo, first), daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours)

    def was_ready(self) -> bool:
        """Whether one that is dead had loaded the platform."""
        try:
            return self.orders.poll() and bool(self.orders.recv())
        except (EOFError, OSError):
            return False

    def take_over(self) -> None:
        """Lets it serve as soon as it is ready."""
        try:
            self.orders.send("dien")
        except OSError:
            logger.warning("de reserve viel om voor zij kon overnemen")


def listen(host: str, port: int) -> socket.socket:
    """The place where the platform is asked for; who comes while nobody serves yet waits there for an answer.

    Raises OSError when something else is there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def keep_up(listener: socket.socket, data: Path | None, demo: bool) -> int:
    """Serves until it is asked to stop or the server ends by itself; returns the server's exit code.

    Beside the one that serves a second stands ready, with everything loaded, and takes over when the first is killed.
    ``data`` is the folder of the embedded database, None where the database is someone else's; it is started again
    when it was killed. Raises RuntimeError when servers keep dying, or the database does not start.
    """
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    before = [signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)]
    server, reserve = Server.start(listener, demo, first=True), None
    server.take_over()
    deaths: list[float] = []
    try:
        while True:
            if data is not None and not cluster.is_running(data):
                _start_as_soon_as_there_is_room(data, asked)
            if asked:
                server.process.terminate()
                server.process.join(timeout=30)
                return server.process.exitcode or 0
            code = server.process.exitcode
            if code is not None and 0 <= code < LOST:
                return code
            if code is not None:
                _refuse_tired(deaths, server)
                server.process.kill()
                server = reserve or Server.start(listener, demo)
                server.take_over()
                reserve = None
            if reserve is not None and reserve.process.exitcode is not None:
                _refuse_tired(deaths, reserve)
                reserve = None
            if reserve is None and server.orders.poll():
                reserve = Server.start(listener, demo)
            wait([server.process.sentinel], LOOK_S)
    finally:
        for one in (server, reserve):
            if one is not None:
                one.process.kill()
                one.process.join()
        if data is not None:
            cluster.forget_dead_users(data)
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before):
            signal.signal(number, handler)


def _start_as_soon_as_there_is_room(data: Path, asked: list[int]) -> None:
    """Starts the database again; on a full disk as soon as somebody made room, unless it was ``asked`` to stop."""
    told = False
    while not asked:
        try:
            cluster.start_cluster(data)
            return
        except cluster.DiskFullError as trouble:
            if not told:
                logger.warning("%s, dan gaat het platform vanzelf verder", trouble)
            told = True
            time.sleep(FULL_S)


def _context() -> Context:
    """Where servers come from: a process that has imported everything and computed nothing, where there can be one.

    Importing is most of a start; and what computes has threads, which a process forked after that would miss.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", *LOADED])
    return context


def stand_ready(listener: socket.socket, orders: Connection, demo: bool, first: bool) -> None:
    """Loads the platform, says so, and serves when told; ends when the other end of ``orders`` is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches everyone; the watcher decides
    from slagkracht.server import serve

    serve.prepare(demo, first)
    try:
        orders.send("klaar")
        orders.recv()
    except (EOFError, OSError):
        return
    serve.run(listener)


def _refuse_tired(deaths: list[float], dead: Server) -> None:
    """Counts the death of one that never was ready. Raises RuntimeError when there were too many of late."""
    if dead.was_ready():
        return
    deaths[:] = [moment for moment in deaths if moment > time.monotonic() - TIRED_S] + [time.monotonic()]
    if len(deaths) > TIRED:
        raise RuntimeError(f"de server viel {TIRED} keer om in {TIRED_S:.0f} seconden en blijft nu uit")
