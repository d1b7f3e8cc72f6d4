"""What the platform does by itself as time goes by: terms that pass, relief that falls due, logs that are signed.

The work waits in a queue in the platform's own database (procrastinate), so that each piece is done once, whichever of
several servers takes it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from psycopg_pool import PoolTimeout

from slagkracht.procedures.dossier import BY_TERM
from slagkracht.server import checkpoints, dossiers, relief
from slagkracht.server import engine as seam
from slagkracht.server.database import APPLICATION_ROLE, WORLDS, Addresses, is_open, scope
from slagkracht.server.ledger import LedgerError

LOOK, SIGN = "* * * * * */30", "*/10 * * * *"
"""When it is looked whether a term passed, and when logs that grew are signed (cron, seconds last)."""

QUEUE = "werk"
"""The schema that the queue lies in, apart from what regions wrote: it holds names of work and nothing of theirs."""

TROUBLE = (psycopg.Error, PoolTimeout, ProcrastinateException, RuntimeError, LedgerError)

logger = logging.getLogger(__name__)


def lay_queue(addresses: Addresses) -> None:
    """Lays the tables of the queue where there are none, and lets the application role work with them."""
    with psycopg.connect(addresses.owner) as connection:
        if connection.execute("select to_regclass(%s)", (f"{QUEUE}.procrastinate_jobs",)).fetchone() != (None,):
            return
        connection.execute(f"create schema {QUEUE}")
        connection.execute(f"set local search_path = {QUEUE}")
        connection.execute(SchemaManager.get_schema())
        connection.execute(f"grant usage on schema {QUEUE} to {APPLICATION_ROLE}")
        connection.execute(
            f"grant select, insert, update, delete on all tables in schema {QUEUE} to {APPLICATION_ROLE}"
        )
        connection.execute(f"grant usage on all sequences in schema {QUEUE} to {APPLICATION_ROLE}")


@dataclass(frozen=True)
class Clock:
    """A clock that runs beside the server until it is ended."""

    stop: threading.Event
    thread: threading.Thread

    def end(self) -> None:
        """Lets the work that is under way finish, some seconds at most, and does no more."""
        self.stop.set()
        self.thread.join(5.0)


def start_clock(keys: Path) -> Clock:
    """Starts the clock beside the server. ``keys``: the folder of the private keys that logs are signed with."""
    stop = threading.Event()
    clock = Clock(stop, threading.Thread(target=_run, args=(keys, stop), daemon=True, name="klok"))
    clock.thread.start()
    return clock


def tick() -> list[str]:
    """Applies every term that passed and works out relief that fell due, in all regions and both worlds.

    Returns the dossiers that moved on and the rotations that were made.
    """
    moved, engine = [], seam.current()
    for world in WORLDS:
        with scope("LAC", world, "klok") as own:
            regions = [row["region"] for row in own.rows("select region from slagkracht.region order by region")]
        for region in regions:
            with scope(region, world, BY_TERM) as own:
                moved += dossiers.pass_due_terms(own)
            if engine is not None:
                with scope(region, world, BY_TERM) as own:
                    moved += relief.plan_due(own, engine)
    return moved


def _make_app(keys: Path) -> App:
    """The queue with what is done at its moments."""
    app = App(
        connector=PsycopgConnector(
            conninfo=os.environ["SLAGKRACHT_DSN"],
            kwargs={"options": f"-c search_path={QUEUE}"},
            min_size=1,
            max_size=3,
        )
    )

    @app.periodic(cron=LOOK)
    @app.task(name="termijnen", queueing_lock="termijnen")
    def look(timestamp: int) -> None:
        try:
            tick()
        except TROUBLE as trouble:
            logger.warning("de klok sloeg over: %s", trouble)

    @app.periodic(cron=SIGN)
    @app.task(name="tekenen", queueing_lock="tekenen")
    def sign(timestamp: int) -> None:
        try:
            checkpoints.sign_and_exchange(keys)
        except TROUBLE as trouble:
            logger.warning("de klok tekende niet: %s", trouble)

    return app


def _run(keys: Path, stop: threading.Event) -> None:
    while not is_open():
        if stop.wait(0.5):
            return
    while not stop.is_set():
        try:
            asyncio.run(_work(keys, stop))
        except TROUBLE as trouble:
            logger.warning("de klok stond stil: %s", trouble)
            stop.wait(1.0)


async def _work(keys: Path, stop: threading.Event) -> None:
    """Does what falls due until ``stop``; raises what took the queue away."""
    app = _make_app(keys)
    async with app.open_async():
        for job in await app.job_manager.get_stalled_jobs():  # of a server that was killed over its work
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        worker = asyncio.create_task(app.run_worker_async(install_signal_handlers=False, delete_jobs="always"))
        while not worker.done() and not stop.is_set():
            await asyncio.sleep(0.2)
        worker.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
