"""The live stream, on a real web server: each fact once, to whom may see it, also after a break."""

from __future__ import annotations

import asyncio
import datetime
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from slagkracht.server import ledger, live
from slagkracht.server.database import Addresses
from slagkracht.server.journal import record
from slagkracht.server.live import Reader, connect, parse_place
from test_server_api import API, client, post
from test_server_ledger import acting


@pytest.fixture(scope="module")
def port(database: object) -> Iterator[int]:
    """A web server of the platform on a free port."""
    import uvicorn

    from slagkracht.server.asgi import application

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(application, port=free, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield free
    server.should_exit = True
    thread.join()


class Watch:
    """Someone watching the stream: ``facts`` (id in the stream, event) as they came."""

    def __init__(self, port: int, username: str, after: str = "", key: str = "") -> None:
        self.session = client(username).cookies["sessionid"].value
        who = {"Authorization": f"Bearer {key}"} if key else {"Cookie": f"sessionid={self.session}"}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {**who, **({"Last-Event-ID": after} if after else {})}
        self.connection.request("GET", "/api/v1/gebeurtenissen/stroom", headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        self.place = after
        self.comments = 0
        self.resumed = self._next("begin")[1]["hervat"]

    def _next(self, kind: str | None = None) -> tuple[str, dict[str, object]]:
        fields: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                assert kind is None or fields["event"] == kind
                self.place = fields["id"]
                return fields["event"], json.loads(fields["data"])

    def take(self, count: int) -> list[str]:
        return [str(self._next()[1]["event_id"]) for _ in range(count)]

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def tell(region: str, count: int) -> list[str]:
    told = []
    for n in range(count):
        with acting(region) as own:
            told.append(record(own, "note", {"text": f"nr. {n}"}, ["VR02"]).event_id)
    return told


def take_until(watch: Watch, last: str) -> list[str]:
    """What comes in a stream, up to the fact ``last``."""
    taken = watch.take(1)
    while taken[-1] != last:
        taken += watch.take(1)
    return taken


def test_each_fact_comes_once_and_in_order(port: int) -> None:
    watch = Watch(port, "demo-officier-vr01")
    told = tell("VR01", 20)
    assert watch.take(20) == told
    watch.close()


def test_a_stream_shows_what_its_region_may_see(port: int) -> None:
    party, stranger = Watch(port, "demo-officier-vr02"), Watch(port, "demo-officier-vr03")
    told = tell("VR01", 2)
    assert party.take(2) == told
    (own,) = tell("VR03", 1)
    assert stranger.take(1) == [own], "what came before was not for this region"
    party.close()
    stranger.close()


def test_who_comes_back_has_missed_nothing_and_gets_nothing_twice(port: int) -> None:
    """Four regions write at once, while the watcher breaks off again and again."""
    watch = Watch(port, "demo-officier-vr02")
    seen: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(tell, region, 40) for region in ("VR04", "VR05", "VR06", "VR07")]
        while len(seen) < 160:
            seen += watch.take(min(23, 160 - len(seen)))
            watch.close()
            watch = Watch(port, "demo-officier-vr02", after=watch.place)
        told = [event for writer in writing for event in writer.result()]
    assert sorted(seen) == sorted(told)
    (last,) = tell("VR04", 1)
    assert watch.take(1) == [last]
    watch.close()


def test_who_comes_back_sees_of_what_was_missed_only_what_is_for_that_region(port: int) -> None:
    watch = Watch(port, "demo-officier-vr03")
    tell("VR03", 1)
    watch.take(1)
    watch.close()
    tell("VR01", 3)
    told = tell("VR03", 2)
    again = Watch(port, "demo-officier-vr03", after=watch.place)
    assert again.take(2) == told
    again.close()


@pytest.mark.parametrize("place", ["niets", "999999999.VR03.5"])
def test_a_place_that_is_not_here_begins_anew_and_says_so(port: int, place: str) -> None:
    watch = Watch(port, "demo-officier-vr03", after=place)
    assert watch.resumed is False
    told = tell("VR03", 1)
    assert watch.take(1) == told
    again = Watch(port, "demo-officier-vr03", after=watch.place)
    assert again.resumed is True
    watch.close()
    again.close()


def test_who_comes_back_sees_no_more_than_he_may_now(port: int) -> None:
    """Of what was missed: no fact above one's class as it is now, and nothing of a sharing that ended meanwhile."""

    def about(incident: str) -> str:
        with acting("VR20") as own:
            return record(own, "note", {"text": "gemist", "incident": incident}).event_id

    def classify(incident: str, information_class: str) -> None:
        with acting("VR20") as own:
            ledger.classify(own, "incident", incident, information_class)

    with acting("VR20") as own:
        incidents = [ledger.open_incident(own, "brand", 1, 1) for _ in range(5)]
        consent = ledger.share(own, "VR21", "volledig", own.at + datetime.timedelta(hours=1))
    open_, _, high, secret, changed = incidents
    for incident, information_class in ((open_, "Open"), (high, "Vertrouwelijk"), (secret, "Geheim")):
        classify(incident, information_class)
    who = ("demo-beleid-vr20", "demo-officier-vr20", "demo-officier-vr21")
    watching = [Watch(port, name) for name in who]
    (first,) = tell("VR20", 1)
    assert [watch.take(1) for watch in watching] == [[first]] * 3
    for watch in watching:
        watch.close()
    facts = [about(incident) for incident in incidents]
    classify(changed, "Geheim")
    lowered = about(secret)
    classify(secret, "Vertrouwelijk")
    with acting("VR20") as own:
        ledger.stop_sharing(own, consent)
    again = [Watch(port, name, after=watch.place) for name, watch in zip(who, watching)]
    (ended,), (elsewhere,) = tell("VR20", 1), tell("VR21", 1)
    policy, officer, neighbour = (take_until(watch, last) for watch, last in zip(again, (ended, ended, elsewhere)))
    assert [fact in policy for fact in facts] == [True, True, False, False, False]
    assert [fact in officer for fact in facts] == [True, True, True, True, False]
    assert (lowered in policy, lowered in officer) == (False, True), "its class is that of now"
    assert not {*facts, lowered, ended} & {*neighbour}, "the sharing ended while nobody looked"
    for watch in again:
        watch.close()


def test_silence_is_filled_with_a_heartbeat(port: int) -> None:
    watch = Watch(port, "demo-officier-vr09")
    line = watch.answer.readline()
    while not line.startswith(b":"):
        line = watch.answer.readline()
    watch.close()


def test_a_stream_goes_on_as_long_as_whoever_opened_it_may_watch(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.sessions.models import Session

    monkeypatch.setattr(live, "MANDATE_S", 0.1)
    (hub,) = live._hubs.values()
    hub.tasks["look again"].cancel()  # whoever comes next finds that nobody looks, and that is mended
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    key = post(client("demo-officier-vr02"), "/sleutels", {"naam": "stroom", "tot": tomorrow.isoformat()}).json()
    stays, goes = Watch(port, "demo-officier-vr02"), Watch(port, "demo-officier-vr02")
    machine = Watch(port, "demo-officier-vr02", key=key["sleutel"])
    time.sleep(1.0)
    told = tell("VR01", 1)
    assert [each.take(1) for each in (stays, goes, machine)] == [told] * 3, "looking again ends nothing by itself"
    Session.objects.filter(session_key=goes.session).delete()
    assert client("demo-officier-vr02").delete(f"{API}/sleutels/{key['id']}").status_code == 204
    for ended in (goes, machine):
        assert ended.answer.read().replace(b": er is contact\n\n", b"") == b"", "no longer let in: the stream ends"
        ended.close()
    (last,) = tell("VR01", 1)
    assert stays.take(1) == [last]
    stays.close()


def test_who_watches_or_breaks_off_keeps_no_connection(port: int) -> None:
    """More streams than there are connections for sessions, and requests whose asker is gone before the answer."""
    from django.db import connections

    pool = connections["default"].pool
    cookie = client("demo-officier-vr09").cookies["sessionid"].value
    asked = f"GET /actiecentrum HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={cookie}\r\n\r\n".encode()
    watching = [Watch(port, "demo-officier-vr09") for _ in range(pool.max_size + 2)]
    for _ in range(pool.max_size + 2):
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(asked)
    connections.close_all()
    until = time.monotonic() + 30
    while pool.get_stats()["pool_available"] < pool.get_stats()["pool_size"] and time.monotonic() < until:
        time.sleep(0.05)
    assert pool.get_stats()["pool_available"] == pool.get_stats()["pool_size"]
    (told,) = tell("VR09", 1)
    assert all(watch.take(1) == [told] for watch in watching)
    for watch in watching:
        watch.close()


def test_a_stream_is_not_for_strangers(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/api/v1/gebeurtenissen/stroom")
    answer = connection.getresponse()
    assert answer.status == 401
    assert json.loads(answer.read())["status"] == 401
    connection.close()


@pytest.mark.parametrize(
    ("text", "place"),
    [("12.VR06.3", (12, "VR06", 3)), ("12..0", (12, "", 0)), ("", None), ("x", None), ("1.VR6.2", None)],
)
def test_a_place_in_the_stream(text: str, place: tuple[int, str, int] | None) -> None:
    assert parse_place(text) == place


def test_a_stream_is_in_order_of_transaction_not_of_its_spelling(database: Addresses) -> None:
    with psycopg.connect(database.owner) as owner:
        owner.execute("set local session_replication_role = replica")
        for number, tx in ((900_001, "99"), (900_002, "100"), (900_003, "101")):
            owner.execute(
                "insert into slagkracht.event "
                "(world, chain, number, kind, happened_at, recorded_at, actor, body, hash, line, tx) "
                "values ('oefening', 'VR25', %s, 'note', now(), now(), '', '{}', '', '', %s::text::xid8)",
                (number, tx),
            )

    async def read() -> list[str]:
        reader = Reader("VR25", "oefening", "Geheim")
        async with await connect() as connection:
            _, rows = await reader.catch_up(connection, (98, "", 0))
        return [row["tx"] for row in rows if row["number"] > 900_000]

    assert asyncio.run(read()) == ["99", "100", "101"]
    with psycopg.connect(database.owner) as owner:  # no log that others can go by
        owner.execute("set local session_replication_role = replica")
        owner.execute("delete from slagkracht.event where number > 900000")
