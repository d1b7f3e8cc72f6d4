"""What happens now, to every screen that may see it: server-sent events, with no gap and no double after a break."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from psycopg.rows import dict_row

from slagkracht.server.guard import find_acting

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]
Place = tuple[int, str, int]
"""Where a reader is in the stream: transaction, chain, number."""

HEARTBEAT_S = 2.0
"""A stream that says nothing for longer than this has lost contact; screens show it within 5 seconds."""

MANDATE_S = 10.0
"""How often a stream looks whether the mandate of who watches still holds."""


class Reader:
    """Reads new facts once for all streams of one region in one world, and hands them to each."""

    def __init__(self, region: str, world: str) -> None:
        self.region, self.world = region, world
        self.queues: set[asyncio.Queue[list[Row]]] = set()
        self.place: Place | None = None

    async def read(self, connection: Connection) -> int:
        """Hands on what is new; returns the first transaction that may still be running."""
        async with connection.transaction():
            await _set_scope(connection, self.region, self.world)
            horizon, following = await _horizon(connection, self.world)
            rows = await _rows_after(connection, self.world, self.place) if self.place else []
        if self.place:
            self.place = (following, "", 0)
        for queue in self.queues if rows else ():
            queue.put_nowait(rows)
        return horizon

    async def catch_up(self, connection: Connection, place: Place | None) -> tuple[int, list[Row]]:
        """What a stream missed after ``place``, and the transaction from which ``read`` hands on the rest."""
        async with connection.transaction():
            await _set_scope(connection, self.region, self.world)
            _, following = await _horizon(connection, self.world)
            rows = await _rows_after(connection, self.world, place) if place else []
        self.place = self.place or (following, "", 0)
        return following, rows


class Hub:
    """One listener per process: it wakes the readers whose regions have someone watching."""

    def __init__(self) -> None:
        self.readers: dict[tuple[str, str], Reader] = {}
        self.task: asyncio.Task[None] | None = None
        self.connection: Connection | None = None
        self.lock = asyncio.Lock()
        self.ready = asyncio.Event()

    async def subscribe(
        self, region: str, world: str, place: Place | None
    ) -> tuple[Reader, asyncio.Queue[list[Row]], int, list[Row]]:
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._listen())
        await self.ready.wait()
        reader = self.readers.setdefault((region, world), Reader(region, world))
        queue: asyncio.Queue[list[Row]] = asyncio.Queue()
        async with self.lock:
            assert self.connection is not None
            following, missed = await reader.catch_up(self.connection, place)
            reader.queues.add(queue)
        return reader, queue, following, missed

    def leave(self, reader: Reader, queue: asyncio.Queue[list[Row]]) -> None:
        reader.queues.discard(queue)

    async def _listen(self) -> None:
        """Listens, and reads on until what was announced has been read; starts again when the database was away."""
        while True:
            try:
                async with await connect() as listener, await connect() as self.connection:
                    await listener.execute("listen slagkracht_event")
                    self.ready.set()
                    announced = 0
                    while True:
                        horizon = announced + 1
                        for reader in [reader for reader in self.readers.values() if reader.queues]:
                            async with self.lock:
                                horizon = await reader.read(self.connection)
                        wait_s = 1.0 if horizon > announced else 0.02
                        async for notice in listener.notifies(timeout=wait_s, stop_after=1):
                            announced = max(announced, int(notice.payload))
            except psycopg.OperationalError:
                self.ready.clear()
                await asyncio.sleep(0.1)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


async def connect() -> Connection:
    connection = await psycopg.AsyncConnection[Row].connect(
        os.environ["SLAGKRACHT_DSN"], autocommit=True, row_factory=dict_row
    )
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
    return connection


async def _set_scope(connection: Connection, region: str, world: str) -> None:
    await connection.execute(
        "select set_config('slagkracht.region', %s, true), set_config('slagkracht.world', %s, true)", (region, world)
    )


async def _horizon(connection: Connection, world: str) -> tuple[int, int]:
    """The first transaction that may still be running, and the one after the last fact before it.

    A place in a stream is the latter: a database that crashed gives out again the numbers that left nothing on disk,
    and a place beyond the last fact would skip what comes under them.
    """
    found = await connection.execute(
        "select pg_snapshot_xmin(pg_current_snapshot())::text as tx, slagkracht.last_fact(%s)::text as last", (world,)
    )
    row = await found.fetchone()
    assert row is not None
    return int(row["tx"]), int(row["last"] or 0) + 1


async def _rows_after(connection: Connection, world: str, place: Place) -> list[Row]:
    found = await connection.execute(
        "select tx::text, chain, number, kind, line from slagkracht.event where world = %s "
        "and (tx, chain, number) > (%s::text::xid8, %s, %s) and tx < pg_snapshot_xmin(pg_current_snapshot()) "
        "order by event.tx, chain, number",
        (world, str(place[0]), place[1], place[2]),
    )
    return await found.fetchall()


def parse_place(text: str) -> Place | None:
    """The place that a Last-Event-ID names; None when it names none."""
    match = re.fullmatch(r"([0-9]{1,18})\.(VR[0-9]{2}|LAC)?\.([0-9]{1,18})", text)
    return (int(match[1]), match[2] or "", int(match[3])) if match else None


def _place(row: Row) -> Place:
    return int(row["tx"]), row["chain"], row["number"]


def _format(row: Row) -> str:
    return f"id: {row['tx']}.{row['chain']}.{row['number']}\nevent: {row['kind']}\ndata: {row['line']}\n\n"


async def stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """GET /api/v1/gebeurtenissen/stroom: facts as they come, after Last-Event-ID when that is given."""
    acting = await sync_to_async(find_acting)(request)
    if acting is None or request.method != "GET":
        status = 401 if acting is None else 405
        body = {"type": "about:blank", "title": "Niet toegestaan", "status": status, "detail": "log in en lees"}
        return HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    place = parse_place(request.headers.get("Last-Event-ID", ""))

    async def tell() -> AsyncIterator[str]:
        hub = _hubs.setdefault(asyncio.get_running_loop(), Hub())
        reader, queue, following, missed = await hub.subscribe(acting.region, acting.world, place)
        last: Place = place or (following - 1, "ZZZZ", 0)
        look_again_at = time.monotonic() + MANDATE_S
        try:
            began = f"{last[0]}.{last[1]}.{last[2]}" if place else f"{following}..0"
            yield f"retry: 1000\nid: {began}\nevent: begin\ndata: {{}}\n\n"
            while True:
                fresh = [row for row in missed if _place(row) > last]
                if fresh:
                    last = _place(fresh[-1])
                    yield "".join(map(_format, fresh))
                if time.monotonic() > look_again_at:
                    if await sync_to_async(find_acting)(request) is None:
                        return
                    look_again_at = time.monotonic() + MANDATE_S
                try:
                    missed = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    missed = []
                    yield ": er is contact\n\n"
        finally:
            hub.leave(reader, queue)

    return StreamingHttpResponse(
        tell(), content_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
