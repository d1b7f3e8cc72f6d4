"""What the platform does by itself: terms, relief that falls due, logs to sign, facts to deliver, the gap to work out.

The work waits in a queue in the platform's own database (procrastinate), so that each piece is done once, whichever of
several servers takes it. What there is to deliver or to compute stands in the platform's own tables, written together
with what it follows from; each server looks there and queues it. So nothing is lost with a queue or a server, and the
queue carries names of work alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from psycopg_pool import PoolTimeout

from slagkracht.procedures.dossier import BY_TERM
from slagkracht.server import assistance, checkpoints, dossiers, relief, shortfall
from slagkracht.server import engine as seam
from slagkracht.server.database import APPLICATION_ROLE, WORLDS, Addresses, is_open, scope
from slagkracht.server.interfaces import events
from slagkracht.server.ledger import LedgerError

LOOK, SIGN = "* * * * * */30", "*/10 * * * *"
"""When it is looked whether a term passed, and when logs that grew are signed (cron, seconds last)."""

DUE_S = 1.0
"""How often a server looks what is to be delivered or computed; it writes nothing where there is nothing."""

HEARTBEAT_S, LOST_S = 2.0, 10.0
"""How often a server says that it lives, and after which silence its work goes to another."""

AT_ONCE, FIRST = 8, 10
"""How much work a server does at the same time, and the priority of what keeps to the clock."""

QUEUE = "werk"
"""The schema that the queue lies in, apart from what regions wrote: it holds names of work and nothing of theirs."""

DELIVER, COMPUTE = "bezorgen", "tekort"

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

    Returns the dossiers that moved on, the requests that were over and the rotations that were made.
    """
    moved, engine = [], seam.current()
    for world in WORLDS:
        with scope("LAC", world, "klok") as own:
            regions = [row["region"] for row in own.rows("select region from slagkracht.region order by region")]
        for region in regions:
            with scope(region, world, BY_TERM) as own:
                moved += dossiers.pass_due_terms(own)
                moved += assistance.close_overdue(own)
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
    @app.task(name="termijnen", queueing_lock="termijnen", priority=FIRST)
    def look(timestamp: int) -> None:
        try:
            tick()
        except TROUBLE as trouble:
            logger.warning("de klok sloeg over: %s", trouble)

    @app.periodic(cron=SIGN)
    @app.task(name="tekenen", queueing_lock="tekenen", priority=FIRST)
    def sign(timestamp: int) -> None:
        try:
            checkpoints.sign_and_exchange(keys)
        except TROUBLE as trouble:
            logger.warning("de klok tekende niet: %s", trouble)

    @app.task(name=DELIVER)
    async def deliver(world: str, region: str, subscription: str) -> None:
        await _beside(lambda: events.deliver(world, region, subscription))

    @app.task(name=COMPUTE)
    async def compute() -> None:
        engine = seam.current()
        if engine is not None:
            await _beside(lambda: shortfall.answer_shortfall(engine))

    return app


def _beside(work: Callable[[], object]) -> Awaitable[object]:
    """Does ``work`` in a thread of its own, which does not hold up a server that stops."""
    done: Future[object] = Future()

    def do() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    threading.Thread(target=do, daemon=True, name="klokwerk").start()
    return asyncio.wrap_future(done)


async def _queue_due(app: App) -> None:
    """Queues each delivery and computation that waits, where it is not queued yet."""
    for world, region, subscription in await asyncio.to_thread(events.find_due):
        given = {"world": world, "region": region, "subscription": subscription}
        await _queue(app, DELIVER, "default", subscription, **given)
    engine = seam.current()
    if engine is not None and await asyncio.to_thread(shortfall.is_awaited, engine):
        await _queue(app, COMPUTE, _own_queue(engine), shortfall.name_figure(engine))


async def _queue(app: App, task: str, queue: str, name: str, **given: str) -> None:
    """Queues ``task`` once under ``name``: it waits once, and is done by one server at a time."""
    try:
        await app.configure_task(task, queue=queue, lock=name, queueing_lock=name).defer_async(**given)
    except AlreadyEnqueued:
        return


async def _take_over(app: App) -> None:
    """Takes away the work of a server that was killed over it; whoever looks next queues what is still to be done."""
    await app.job_manager.prune_stalled_workers(LOST_S)
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LOST_S):
        await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


def _own_queue(engine: seam.Engine) -> str:
    """The queue of what only a server with this plan can compute; a name that PostgreSQL can still notify under."""
    return f"plan {engine.plan_hash[:16]}"


def _run(keys: Path, stop: threading.Event) -> None:
    while not is_open():
        if stop.wait(0.5):
            return
    while not stop.is_set():
        try:
            asyncio.run(_work(keys, stop))
        except TROUBLE as trouble:
            logger.warning("de klok stond stil: %s", trouble.__cause__ or trouble)
            stop.wait(1.0)


async def _work(keys: Path, stop: threading.Event) -> None:
    """Does what falls due until ``stop``; raises what took the queue away."""
    app, engine = _make_app(keys), seam.current()
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=["default", *([_own_queue(engine)] if engine is not None else [])],
                concurrency=AT_ONCE,
                install_signal_handlers=False,
                delete_jobs="always",
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=LOST_S,
            )
        )
        try:
            while not worker.done() and not stop.is_set():
                await _take_over(app)
                await _queue_due(app)
                await asyncio.to_thread(stop.wait, DUE_S)
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
