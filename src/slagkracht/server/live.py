"""What happens now, to every screen that may see it: server-sent events, with no gap and no double after a break."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from psycopg.rows import dict_row

from slagkracht.server.guard import Acting, find_acting, is_of_another

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]
Place = tuple[int, str, int]
"""Where a reader is in the stream: transaction, chain, number."""

HEARTBEAT_S = 2.0
"""A stream that says nothing for longer than this has lost contact; screens show it within 5 seconds."""

MANDATE_S = 10.0
"""How often a stream looks whether the mandate of who watches still holds."""


@dataclass(frozen=True)
class Batch:
    """New facts for one region, in the order of the stream, written out once for everyone who watches there."""

    rows: list[Row]
    first: Place
    last: Place
    text: bytes

    @classmethod
    def of(cls, rows: list[Row]) -> Batch | None:
        if not rows:
            return None
        return cls(rows, _place(rows[0]), _place(rows[-1]), "".join(map(_format, rows)).encode())

    def after(self, place: Place) -> bytes:
        """What of it comes after ``place``."""
        if self.first > place:
            return self.text
        return "".join(_format(row) for row in self.rows if _place(row) > place).encode()


@dataclass(eq=False)
class Watcher:
    """One screen or machine that watches, on behalf of whom; ``allowed`` until the ``session`` of that ``password``, or
    the key of that ``key_hash``, no longer holds.
    """

    acting: Acting
    session: str
    password: str
    key_hash: str
    queue: asyncio.Queue[Batch] = field(default_factory=asyncio.Queue)
    allowed: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        """Those who may see the same read together."""
        return self.acting.region, self.acting.world, self.acting.information_class


class Reader:
    """Reads new facts once for all who watch in one region and one world up to one class, and hands them to each."""

    def __init__(self, region: str, world: str, information_class: str) -> None:
        self.region, self.world, self.information_class = region, world, information_class
        self.watchers: set[Watcher] = set()
        self.place: Place | None = None

    async def read(self, connection: Connection) -> int:
        """Hands on what is new; returns the first transaction that may still be running."""
        horizon, following, rows = await _look(connection, self, self.place)
        if self.place:
            self.place = (following, "", 0)
        if batch := Batch.of(rows):
            for watcher in self.watchers:
                watcher.queue.put_nowait(batch)
        return horizon

    async def catch_up(self, connection: Connection, place: Place | None) -> tuple[int, list[Row]]:
        """What a stream missed after ``place``, and the transaction from which ``read`` hands on the rest."""
        _, following, rows = await _look(connection, self, place)
        if not self.watchers or self.place is None:
            self.place = (following, "", 0)
        return following, rows


class Hub:
    """One listener per process: it wakes the readers of those who may see what came, where someone watches."""

    def __init__(self) -> None:
        self.readers: dict[tuple[str, str, str], Reader] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.connection: Connection | None = None
        self.lock = asyncio.Lock()
        self.ready = asyncio.Event()

    async def subscribe(self, watcher: Watcher, place: Place | None) -> tuple[int, list[Row]]:
        """Hands ``watcher`` what is new from now on; returns what ``Reader.catch_up`` does."""
        for name, work in (("listen", self._listen), ("look again", self._look_again)):
            if name not in self.tasks or self.tasks[name].done():
                self.tasks[name] = asyncio.create_task(work())
        await self.ready.wait()
        reader = self.readers.setdefault(watcher.key, Reader(*watcher.key))
        async with self.lock:
            assert self.connection is not None
            caught_up = await reader.catch_up(self.connection, place)
            reader.watchers.add(watcher)
        return caught_up

    def leave(self, watcher: Watcher) -> None:
        reader = self.readers.get(watcher.key)
        if reader is not None:
            reader.watchers.discard(watcher)

    async def _listen(self) -> None:
        """Listens, and reads on until what was announced has been read; starts again when the database was away."""
        while True:
            try:
                async with await connect() as listener, await connect() as self.connection:
                    await listener.execute("listen slagkracht_event")
                    self.ready.set()
                    waiting = dict.fromkeys(self.readers.values(), 0)
                    while True:
                        await self._read(waiting)
                        heard = False
                        async for notice in listener.notifies(timeout=0.01 if waiting else 1.0, stop_after=1):
                            self._wake(notice.payload, waiting)
                            heard = True
                        if not heard and not waiting:
                            waiting = dict.fromkeys(self.readers.values(), 0)
            except psycopg.OperationalError:
                self.ready.clear()
                await asyncio.sleep(0.1)

    async def _read(self, waiting: dict[Reader, int]) -> None:
        """Reads for everyone in ``waiting``, and takes out whoever has read up to the transaction announced."""
        for reader in list(waiting):
            if not reader.watchers:
                del waiting[reader]
                continue
            async with self.lock:
                assert self.connection is not None
                horizon = await reader.read(self.connection)
            if horizon > waiting[reader]:
                del waiting[reader]

    def _wake(self, told: str, waiting: dict[Reader, int]) -> None:
        tx, world, regions = told.split(" ")
        told_to = set(regions.split(","))
        for reader in self.readers.values():
            if reader.world == world and reader.region in told_to:
                waiting[reader] = max(waiting.get(reader, 0), int(tx))

    async def _look_again(self) -> None:
        """Looks, one after the other, whether those who watch are still logged in and still hold a mandate.

        On a connection of its own and spread over ``MANDATE_S``: no fact waits for it.
        """
        while True:
            try:
                async with await connect() as connection:
                    while True:
                        watchers = [watcher for reader in self.readers.values() for watcher in reader.watchers]
                        for watcher in watchers:
                            await asyncio.sleep(MANDATE_S / len(watchers))
                            watcher.allowed = watcher.allowed and await _may_watch(connection, watcher)
                        if not watchers:
                            await asyncio.sleep(MANDATE_S)
            except psycopg.OperationalError:
                await asyncio.sleep(1.0)  # whoever cannot be looked after sees nothing new either


async def _may_watch(connection: Connection, watcher: Watcher) -> bool:
    """Whether session and password, or key, and mandate are still those with which the stream was opened."""
    acting = watcher.acting
    async with connection.pipeline():
        await connection.execute(
            "select set_config('slagkracht.account', %s, false), set_config('slagkracht.key_hash', %s, false)",
            (str(acting.account), watcher.key_hash),
        )
        found = await connection.execute(
            "select 1 from django.auth_user u where u.id = %s and u.is_active "
            "and (exists (select 1 from django.django_session s where s.session_key = %s and s.expire_date > now() "
            "and u.password = %s) or exists (select 1 from slagkracht.access_key k where k.key_hash = %s "
            "and now() < k.until)) "
            "and exists (select 1 from slagkracht.mandate m where m.account_id = u.id and m.region = %s "
            "and m.world = %s and m.starts_at <= now() and now() < m.until "
            "having coalesce(max(slagkracht.rank(m.information_class)) filter (where m.role <> 'beheerder'), 0) "
            ">= coalesce(slagkracht.rank(%s), 0) and count(*) > 0)",
            (acting.account, watcher.session, watcher.password, watcher.key_hash, *watcher.key),
        )
        holds = await found.fetchone() is not None
        await connection.execute(
            "select set_config('slagkracht.account', '', false), set_config('slagkracht.key_hash', '', false)"
        )
    return holds


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


async def connect() -> Connection:
    """A connection of the application role, on which each look is one question with one answer."""
    return await psycopg.AsyncConnection[Row].connect(
        os.environ["SLAGKRACHT_DSN"], autocommit=True, row_factory=dict_row
    )


BEYOND: Place = (2**62, "", 0)


async def _look(connection: Connection, reader: Reader, place: Place | None) -> tuple[int, int, list[Row]]:
    """The first transaction that may still be running, the one after the last fact before it, and what lies between.

    A place in a stream is the second: a database that crashed gives out again the numbers that left nothing on disk,
    and a place beyond the last fact would skip what comes under them. Without ``place`` nothing lies between.
    """
    tx, chain, number = place or BEYOND
    async with connection.pipeline():
        await connection.execute(
            "select set_config('slagkracht.region', %s, false), set_config('slagkracht.world', %s, false), "
            "set_config('slagkracht.class', %s, false)",
            (reader.region, reader.world, reader.information_class or "geen"),
        )
        found = await connection.execute(
            "select edge.horizon, edge.last, e.tx::text, e.chain, e.number, e.kind, e.line from (select "
            "pg_snapshot_xmin(pg_current_snapshot())::text as horizon, slagkracht.last_fact(%s)::text as last) edge "
            "left join slagkracht.event e on e.world = %s and (e.tx, e.chain, e.number) > (%s::text::xid8, %s, %s) "
            "and e.tx < pg_snapshot_xmin(pg_current_snapshot()) order by e.tx, e.chain, e.number",
            (reader.world, reader.world, str(tx), chain, number),
        )
        rows = await found.fetchall()
    facts = [row for row in rows if row["tx"] is not None]
    return int(rows[0]["horizon"]), int(rows[0]["last"] or 0) + 1, facts


def parse_place(text: str) -> Place | None:
    """The place that a Last-Event-ID names; None when it names none."""
    match = re.fullmatch(r"([0-9]{1,18})\.(VR[0-9]{2}|LAC)?\.([0-9]{1,18})", text)
    return (int(match[1]), match[2] or "", int(match[3])) if match else None


def _place(row: Row) -> Place:
    return int(row["tx"]), row["chain"], row["number"]


def _format(row: Row) -> str:
    return f"id: {row['tx']}.{row['chain']}.{row['number']}\nevent: {row['kind']}\ndata: {row['line']}\n\n"


def _open(request: HttpRequest) -> Watcher | None:
    """Who opens a stream; None when nobody may. Leaves no connection behind: a stream lasts for hours."""
    from ninja.errors import AuthenticationError  # asks for Django

    from slagkracht.server.keys import find_key, find_machine, hash_key

    try:
        if key := find_key(request):
            acting = find_machine(request)
            return Watcher(acting, "", "", hash_key(key)) if acting else None
        acting = find_acting(request)
        if acting is None:
            return None
        user: Any = request.user
        return Watcher(acting, str(request.session.session_key), user.password, "")
    except AuthenticationError:
        return None
    finally:
        connections.close_all()


async def stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """GET /api/v1/gebeurtenissen/stroom: facts as they come, after Last-Event-ID when that is given.

    The first event says whether the stream goes on from there (``hervat``). It does not where none was given, or one
    that is no place here, as of a log that was put back from a copy: then it begins with what comes next.
    """
    watcher = await sync_to_async(_open)(request)
    if request.method != "GET":
        return HttpResponse(status=405, headers={"Allow": "GET"})  # told as every other address tells it
    if watcher is None:
        from slagkracht.server.api.problems import NOBODY, problem  # asks for Django

        return problem(request, 401, *NOBODY)
    if is_of_another(request, watcher.acting):
        return HttpResponse(status=409)
    asked = parse_place(request.headers.get("Last-Event-ID", ""))

    async def tell() -> AsyncIterator[bytes]:
        hub = _hubs.setdefault(asyncio.get_running_loop(), Hub())
        try:
            following, missed = await hub.subscribe(watcher, asked)
            place = asked if asked and asked <= (following, "", 0) else None
            last: Place = place or (following - 1, "ZZZZ", 0)
            began = f"{last[0]}.{last[1]}.{last[2]}" if place else f"{following}..0"
            told = json.dumps({"hervat": place is not None})
            yield f"retry: 1000\nid: {began}\nevent: begin\ndata: {told}\n\n".encode()
            batch = Batch.of(missed)
            while watcher.allowed:
                if batch is not None and batch.last > last:
                    yield batch.after(last)
                    last = batch.last
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        batch = await watcher.queue.get()
                except TimeoutError:
                    batch = None
                    yield b": er is contact\n\n"
        finally:
            hub.leave(watcher)

    return StreamingHttpResponse(
        tell(), content_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
