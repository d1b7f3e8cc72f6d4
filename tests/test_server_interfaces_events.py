"""Facts delivered to other systems: signed, in order, at least once, by the NL GOV profile."""

from __future__ import annotations

import datetime
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psycopg
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from slagkracht.server import ledger
from slagkracht.server.database import Addresses
from slagkracht.server.interfaces import events
from test_server_api import API, client, post
from test_server_ledger import acting

pytestmark = pytest.mark.usefixtures("database")


class Receiver:
    """Takes what is delivered; answers with what ``answers`` says first, then 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.asked, self.held = threading.Event(), threading.Event()
        self.held.set()
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked.set()
                receiver.held.wait(30)
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()} | {"answered": str(status)}, body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """A test says nothing per request."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def sink(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/in"

    def content(self) -> str:
        return "".join(body.decode() for headers, body in self.got if headers["answered"] == "200")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for headers, body in self.got if headers["answered"] == "200"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FIRST_S", 0.0)


def subscribed(sink: str, region: str, kinds: tuple[str, ...] = ("note",)) -> tuple[str, str]:
    given = {"adres": sink, "soorten": list(kinds)}
    made = post(client(f"demo-officier-{region.lower()}"), "/abonnementen", given)
    assert made.status_code == 201, made.content
    return made.json()["id"], made.json()["geheim"]


def note(region: str, text: str) -> str:
    fact = {"soort": "note", "inhoud": {"text": text}}
    made: str = post(client(f"demo-officier-{region.lower()}"), "/gebeurtenissen", fact).json()["id"]
    return made


def deliver_round() -> int:
    """Delivers once what is due for all, as the clock lets one server do."""
    return sum(events.deliver(*due) for due in events.find_due())


def test_a_receiver_that_fails_twice_gets_everything_in_order(receiver: Receiver) -> None:
    _, secret = subscribed(receiver.sink, "VR02")
    told = [note("VR02", f"feit {n}") for n in range(3)]
    receiver.answers = [500, 503]
    for _ in range(4):
        deliver_round()
    assert [event["id"] for event in receiver.events()] == told
    assert len({headers["webhook-id"] for headers, _ in receiver.got[:3]}) == 1, "the same id at every attempt"
    for headers, body in receiver.got:
        expected = events.sign(secret, headers["webhook-id"], headers["webhook-timestamp"], body)
        assert headers["webhook-signature"] == expected
        assert headers["content-type"].startswith("application/cloudevents+json")
        assert events.sign(secret, headers["webhook-id"], headers["webhook-timestamp"], body + b" ") != expected
    assert deliver_round() == 0, "nothing is left"


def test_the_library_of_the_standard_takes_what_is_delivered(database: Addresses, receiver: Receiver) -> None:
    made, secret = subscribed(receiver.sink, "VR02")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    note("VR02", "voor de bibliotheek: één é")
    deliver_round()
    headers, body = next((h, b) for h, b in reversed(receiver.got) if "bibliotheek" in b.decode())
    assert Webhook(secret).verify(body, headers)["data"]["text"] == "voor de bibliotheek: één é"
    for wrong, given in ((Webhook(secret), body + b" "), (Webhook("whsec_" + "A" * 43 + "="), body)):
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            wrong.verify(given, headers)
    with psycopg.connect(database.owner) as owner:  # one of before: its letters are its key
        owner.execute("update slagkracht.subscription set secret = 'oud-geheim' where subscription_id = %s", (made,))
    note("VR02", "als tevoren")
    deliver_round()
    headers, body = next((h, b) for h, b in reversed(receiver.got) if "als tevoren" in b.decode())
    assert Webhook(b"oud-geheim").verify(body, headers)["data"]["text"] == "als tevoren"


def test_the_profile(receiver: Receiver) -> None:
    subscribed(receiver.sink, "VR02")
    note("VR02", "een feit")
    deliver_round()
    (event,) = receiver.events()
    assert event["specversion"] == "1.0"
    assert re.fullmatch(r"urn:nld:oin:[0-9]{20}:systeem:slagkracht", event["source"])
    assert event["type"] == "nl.slagkracht.note.v1"
    assert datetime.datetime.fromisoformat(event["time"]).utcoffset() == datetime.timedelta(0)
    attributes = {name: value for name, value in event.items() if name != "data"}
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event)
    assert all(isinstance(value, str) for value in attributes.values())
    assert "Demo" not in json.dumps(event), "no person in it"


def test_back_off_doubles_and_stops_at_an_hour(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FIRST_S", 1.0)
    made, _ = subscribed(receiver.sink, "VR02")
    note("VR02", "een feit")
    receiver.answers = [500] * 99
    waits = []
    for _ in range(14):
        deliver_round()
        with acting("VR02") as own:
            row = own.row("select next_at - now() as wait from slagkracht.delivery where subscription_id = %s",
                          made)  # fmt: skip
            assert row is not None
            waits.append(round(row["wait"].total_seconds()))
            own.run("update slagkracht.delivery set next_at = now() where subscription_id = %s", made)
    assert waits[:4] == pytest.approx([1, 2, 4, 8], abs=1)
    assert waits[-1] == pytest.approx(3_600, abs=2)
    (row,) = client("demo-officier-vr02").get(f"{API}/abonnementen").json()[-1:]
    assert (row["wachtend"], row["pogingen"], row["laatste_fout"]) == (1, 14, "ontvanger antwoordt 500")
    assert client("demo-officier-vr02").delete(f"{API}/abonnementen/{made}").status_code == 204


def test_nobody_there_is_no_error(receiver: Receiver) -> None:
    made, _ = subscribed("http://127.0.0.1:9/", "VR02")
    note("VR02", "een feit")
    deliver_round()
    (row,) = [r for r in client("demo-officier-vr02").get(f"{API}/abonnementen").json() if r["id"] == made]
    assert row["laatste_fout"].startswith("geen contact")
    client("demo-officier-vr02").delete(f"{API}/abonnementen/{made}")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    made, _ = subscribed(receiver.sink, "VR02")
    note("VR02", "een feit")
    receiver.answers = [302]
    deliver_round()
    assert len(receiver.got) == 1
    client("demo-officier-vr02").delete(f"{API}/abonnementen/{made}")


def test_a_receiver_that_is_gone_ends_its_subscription_in_sight(receiver: Receiver) -> None:
    browser = client("demo-officier-vr02")
    made, _ = subscribed(receiver.sink, "VR02")
    for _ in range(2):
        note("VR02", "een feit")
    receiver.answers = [410]
    for _ in range(3):
        deliver_round()
    assert len(receiver.got) == 1
    (row,) = [r for r in browser.get(f"{API}/abonnementen").json() if r["id"] == made]
    assert (row["wachtend"], row["opgegeven"], "beëindigd" in row["laatste_fout"]) == (1, 1, True)
    assert browser.delete(f"{API}/abonnementen/{made}").status_code == 204
    assert made not in browser.get(f"{API}/abonnementen").content.decode()


def test_the_whole_answer_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that goes on answering, a little at a time, holds nobody up."""
    monkeypatch.setattr(events, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            line, _ = listener.accept()
            with line, suppress(OSError):
                for letter in "HTTP/1.1 200 " + "x" * 10_000:
                    line.sendall(letter.encode())
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        made, _ = subscribed(f"http://127.0.0.1:{listener.getsockname()[1]}/", "VR02")
        note("VR02", "een feit")
        deliver_round()
        thread.join(30)
        assert not thread.is_alive()
    (row,) = [r for r in client("demo-officier-vr02").get(f"{API}/abonnementen").json() if r["id"] == made]
    assert "geen antwoord binnen 0.5 s" in row["laatste_fout"]
    client("demo-officier-vr02").delete(f"{API}/abonnementen/{made}")


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", True), ("127.0.0.2", False), ("10.1.2.3", True), ("10.2.0.1", False), ("169.254.169.254", False),
     ("192.168.1.1", False), ("100.64.0.1", False), ("0.0.0.0", False), ("::1", False), ("fe80::1", False),
     ("::ffff:10.2.0.1", False),
     ("2002:a02:1::", False), ("64:ff9b::a02:1", False), ("64:ff9b::909:909", True),
     ("224.0.0.1", False), ("9.9.9.9", True), ("2620:fe::fe", True)],
)  # fmt: skip
def test_nothing_is_delivered_inside_the_network_but_where_it_is_let(
    host: str, reached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLAGKRACHT_RECEIVERS", "127.0.0.1, 10.1.0.0/16")
    assert events.may_reach(host) is reached
    given = {"adres": f"https://[{host}]/" if ":" in host else f"https://{host}/"}
    answer = post(client("demo-officier-vr02"), "/abonnementen", given)
    assert (answer.status_code == 201) is reached
    assert reached or "besloten netwerk" in answer.json()["detail"]
    if reached:
        client("demo-officier-vr02").delete(f"{API}/abonnementen/{answer.json()['id']}")


def test_a_network_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAGKRACHT_RECEIVERS", "10.1.2.3/16, kantoor")
    with pytest.raises(ValueError, match="'kantoor' is geen netwerk"):
        events.read_networks()


def test_a_name_for_what_is_inside_is_found_out_when_it_is_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = subscribed(receiver.sink.replace("127.0.0.1", "localhost"), "VR02")
    monkeypatch.setenv("SLAGKRACHT_RECEIVERS", "")
    note("VR02", "een feit")
    deliver_round()
    assert receiver.got == []
    (row,) = [r for r in client("demo-officier-vr02").get(f"{API}/abonnementen").json() if r["id"] == made]
    assert "besloten netwerk" in row["laatste_fout"]
    client("demo-officier-vr02").delete(f"{API}/abonnementen/{made}")


def test_a_receiver_that_is_slow_holds_up_no_stream(receiver: Receiver) -> None:
    subscribed(receiver.sink, "VR02")
    first = note("VR02", "een feit")
    receiver.held.clear()
    sender = threading.Thread(target=deliver_round)
    sender.start()
    assert receiver.asked.wait(30)
    note("VR02", "een feit daarna")
    with acting("VR02") as own:
        row = own.row("select slagkracht.last_fact('echt') < pg_snapshot_xmin(pg_current_snapshot()) as readable")
    receiver.held.set()
    sender.join()
    assert row == {"readable": True}, "no transaction stays open while a receiver is waited for"
    assert receiver.events()[0]["id"] == first


def test_what_is_given_up_stays_visible_and_the_rest_goes_on(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_TRIES", 2)
    made, _ = subscribed(receiver.sink, "VR02")
    lost, kept = note("VR02", "een feit"), note("VR02", "nog een")
    receiver.answers = [500, 500]
    for _ in range(3):
        deliver_round()
    assert [event["id"] for event in receiver.events()] == [kept]
    assert lost not in receiver.content()
    (row,) = [r for r in client("demo-officier-vr02").get(f"{API}/abonnementen").json() if r["id"] == made]
    assert (row["wachtend"], row["opgegeven"], row["laatste_fout"]) == (0, 1, "ontvanger antwoordt 500")
    page = client("demo-beheerder-vr02").get("/beheer").content.decode()
    assert receiver.sink in page
    assert "ontvanger antwoordt 500" in page


def test_what_is_no_longer_shared_is_not_delivered(receiver: Receiver) -> None:
    made, _ = subscribed(receiver.sink, "VR10")
    with acting("VR09") as own:
        consent = ledger.share(own, "VR10", "volledig", own.at + datetime.timedelta(hours=1))
    shared = note("VR09", "gedeeld")
    deliver_round()
    assert [event["id"] for event in receiver.events()] == [shared]
    note("VR09", "geheim")
    with acting("VR10") as own:
        events.queue_new(own, made)
    with acting("VR09") as own:
        ledger.stop_sharing(own, consent)
    deliver_round()
    deliver_round()
    assert [event["id"] for event in receiver.events()] == [shared]
    with acting("VR10") as own:
        waiting = own.rows("select 1 from slagkracht.delivery where subscription_id = %s and told_at is null", made)
    assert waiting == []


def test_an_ended_subscription_and_anothers(receiver: Receiver) -> None:
    made, _ = subscribed(receiver.sink, "VR02")
    assert client("demo-officier-vr23").delete(f"{API}/abonnementen/{made}").status_code == 404
    assert made not in client("demo-officier-vr23").get(f"{API}/abonnementen").content.decode()
    assert client("demo-officier-vr02").delete(f"{API}/abonnementen/{made}").status_code == 204
    note("VR02", "een feit")
    deliver_round()
    assert receiver.got == []


@pytest.mark.parametrize("sink", ["http://voorbeeld.nl/", "ftp://x/", "https://", "x", "https://a b/", "https://[x", "https://wie:wat@x/",
                                  "https://x:0/"])  # fmt: skip
def test_an_address_that_cannot_be_is_refused(sink: str) -> None:
    answer = post(client("demo-officier-vr02"), "/abonnementen", {"adres": sink})
    assert (answer.status_code, "https" in answer.json()["detail"]) == (409, True)
