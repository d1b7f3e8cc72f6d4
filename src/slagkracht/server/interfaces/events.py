"""Facts out to other systems as NL GOV CloudEvents: signed, in order, kept until the receiver has them.

A subscription carries what its region may read, up to the class of who subscribed; whether it still may is read again
at every attempt. A delivery is a row in the database and so survives a crash of whoever sends: at least once, with the
same id each time. The platform's clock lets one server at a time deliver for a subscription, and no transaction stays
open while a receiver is waited for. Signed as Standard Webhooks does:
``webhook-signature`` is the HMAC-SHA256 of id, moment and body with the key in the secret of the subscription.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import http.client
import ipaddress
import json
import os
import secrets
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from slagkracht.log import KINDS, Event, parse_event
from slagkracht.server import ledger
from slagkracht.server.database import Row, Scope, scope

FIRST_S, LONGEST_S = 1.0, 3_600.0
"""Back-off: the first wait, doubled at every failure, and the longest."""

MOST_TRIES = 200
"""After this many failures in a row (about eight days) a delivery is given up, and the subscription goes on."""

SECRET = "whsec_"
"""How Standard Webhooks begins a secret; its key follows in base64."""

TIMEOUT_S = 10.0
"""How long a receiver has for its whole answer."""

GONE = http.client.GONE
"""A receiver that answers this wants no more: Standard Webhooks asks to end its subscription."""

AT_ONCE = 500


def format_cloud_event(event: Event, world: str) -> dict[str, Any]:
    """A fact as a CloudEvent by the NL GOV profile: nothing about persons in the attributes."""
    oin = os.environ.get("SLAGKRACHT_OIN", "00000000000000000000")
    return {
        "specversion": "1.0",
        "id": event.event_id,
        "source": f"urn:nld:oin:{oin}:systeem:slagkracht" + ("" if world == "echt" else f"-{world}"),
        "type": f"nl.slagkracht.{event.kind.replace('_', '-')}.v1",
        "subject": event.chain,
        "time": event.happened_at.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "sequence": str(event.number),
        "data": {"recorded_at": event.recorded_at.isoformat(), "hash": event.hash, **event.body},
    }


class OutOfReachError(ConnectionError):
    """A receiver where this installation delivers nothing."""


TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses of IPv6 that a network translates into those of IPv4 (RFC 6052)."""

OUT_OF_REACH = "de ontvanger ligt in een besloten netwerk; wie dit platform beheert kan dat toelaten"


def sign(secret: str, message: str, at: str, body: bytes) -> str:
    """The signature of a delivery, to be recomputed by the receiver."""
    signed = hmac.new(key_of(secret), f"{message}.{at}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def key_of(secret: str) -> bytes:
    """The bytes to sign with: those in base64 after ``whsec_``. A secret of before is its own letters, as it was."""
    if secret.startswith(SECRET):
        return base64.b64decode(secret.removeprefix(SECRET))
    return secret.encode()


def subscribe(own: Scope, sink: str, kinds: list[str]) -> tuple[str, str]:
    """Lets facts from now on be delivered at ``sink``; returns (id, secret). The secret is shown once.

    Raises LedgerError for an address that is not https (or this machine itself, where that is let), that is out of
    reach, or for a kind that does not exist.
    """
    if not _is_usable(sink):
        raise ledger.LedgerError("adres: https zonder naam of wachtwoord erin, of http op de eigen laptop zelf")
    host = urlsplit(sink).hostname or ""
    if _is_address(host) and not may_reach(host):
        raise ledger.LedgerError(f"adres: {OUT_OF_REACH}")
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise ledger.LedgerError(f"onbekende soorten: {', '.join(unknown)}")
    made, secret = f"B-{own.region}-{secrets.token_hex(5)}", SECRET + base64.b64encode(secrets.token_bytes(32)).decode()
    last = own.row("select (coalesce(slagkracht.last_fact(%s)::text, '0')::numeric + 1)::text as tx", own.world)
    assert last is not None
    highest = own.row("select (array['Open', 'Intern', 'Vertrouwelijk', 'Geheim'])[slagkracht.clearance()] as class")
    assert highest is not None
    if highest["class"] is None:
        raise ledger.NotAllowedError("uw mandaat laat u geen feiten lezen, en laat er dus geen bezorgen")
    given = {"sink": sink, "kinds": kinds, "secret": secret, "place_tx": last["tx"]}
    given["information_class"] = highest["class"]
    own.insert("subscription", subscription_id=made, region=own.region, **given)
    return made, secret


def _is_usable(sink: str) -> bool:
    try:
        address = urlsplit(sink)
        here = address.hostname in ("127.0.0.1", "localhost", "::1") and may_reach("127.0.0.1")
        usable = (address.scheme == "https" or (address.scheme == "http" and here)) and bool(address.hostname)
        usable = usable and address.username is None and (address.port is None or address.port > 0)
    except ValueError:
        return False
    return usable and sink.isascii() and sink.isprintable() and " " not in sink


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def unsubscribe(own: Scope, subscription: str) -> bool:
    """Stops a subscription of the acting region; False when there is none of that name."""
    ended = "update slagkracht.subscription set ended_at = coalesce(ended_at, now()), gone = false "
    return own.run(f"{ended} where subscription_id = %s and (ended_at is null or gone)", subscription) > 0


def list_subscriptions(own: Scope) -> list[Row]:
    """The acting region's subscriptions, with how many deliveries wait or were given up, and what went wrong last."""
    return own.rows(
        "select s.subscription_id as id, sink as adres, kinds as soorten, "
        "count(d.number) filter (where d.told_at is null) as wachtend, "
        "coalesce(max(d.tries) filter (where d.told_at is null), 0) as pogingen, "
        "count(d.number) filter (where d.told_at is not null and d.failed is not null) as opgegeven, "
        "(array_agg(d.failed order by d.told_at desc nulls first, d.number) filter (where d.failed is not null))[1] "
        "as laatste_fout from slagkracht.subscription s left join slagkracht.delivery d using (subscription_id) "
        "where s.ended_at is null or s.gone group by s.subscription_id order by s.made_at"
    )


def find_due() -> list[tuple[str, str, str]]:
    """World, region and name of every subscription that may have something to deliver now."""
    with scope("", "", "") as own:
        rows = own.rows("select world, region, subscription_id from slagkracht.due_subscriptions()")
    return [(row["world"], row["region"], row["subscription_id"]) for row in rows]


def deliver(world: str, region: str, subscription: str) -> int:
    """Delivers for one subscription what is due, in order, until it is done or the receiver fails.

    Returns how many it has dealt with; after ``AT_ONCE`` another gets its turn.
    """
    with scope(region, world, "bezorging") as own:
        queue_new(own, subscription)
    done = 0
    while done < AT_ONCE and deliver_one(world, region, subscription):
        done += 1
    return done


def queue_new(own: Scope, subscription: str) -> int:
    """Puts what happened since the last look in the queue of a subscription of the acting region; returns how much."""
    one = own.row(
        "select *, pg_snapshot_xmin(pg_current_snapshot())::text as horizon from slagkracht.subscription "
        "where subscription_id = %s and ended_at is null for update skip locked",
        subscription,
    )
    if one is None:
        return 0
    fresh = own.rows(
        "select tx::text, chain, number, kind from slagkracht.event where world = %s "
        "and (tx, chain, number) > (%s::text::xid8, %s, %s) and tx < %s::text::xid8 "
        "order by event.tx, chain, number limit %s",
        own.world,
        str(one["place_tx"]),
        one["place_chain"],
        one["place_number"],
        one["horizon"],
        AT_ONCE,
    )
    wanted = [fact for fact in fresh if not one["kinds"] or fact["kind"] in one["kinds"]]
    for fact in wanted:
        named = {"subscription_id": subscription, "region": own.region}
        own.insert("delivery", **named, chain=fact["chain"], number=fact["number"])
    last = fresh[-1] if len(fresh) == AT_ONCE else {"tx": one["horizon"], "chain": "", "number": 0}
    place = (last["tx"], last["chain"], last["number"])
    own.run(
        "update slagkracht.subscription set place_tx = %s::text::xid8, place_chain = %s, place_number = %s "
        "where subscription_id = %s and (place_tx, place_chain, place_number) < (%s::text::xid8, %s, %s)",
        *place,
        subscription,
        *place,
    )
    return len(wanted)


def deliver_one(world: str, region: str, subscription: str) -> bool:
    """Tries the oldest delivery of a subscription, if it is due; True when there may be more to do now."""
    with scope(region, world, "bezorging") as own:
        row = own.row(
            "select d.*, s.sink, s.secret, e.line from slagkracht.delivery d join slagkracht.subscription s "
            "using (subscription_id) left join slagkracht.event e on e.world = d.world and e.chain = d.chain "
            "and e.number = d.number and slagkracht.rank(e.information_class) <= slagkracht.rank(s.information_class) "
            "where d.subscription_id = %s and d.told_at is null and s.ended_at is null "
            "order by e.tx, d.chain, d.number limit 1",
            subscription,
        )
    if row is None or row["next_at"] > datetime.datetime.now(datetime.UTC):
        return False
    status, failure = (0, "niet meer gedeeld") if row["line"] is None else _send(row, world)
    given_up = row["line"] is None or status == GONE or row["tries"] + 1 >= MOST_TRIES
    where = "where subscription_id = %s and chain = %s and number = %s and told_at is null"
    this = (subscription, row["chain"], row["number"])
    with scope(region, world, "bezorging") as own:
        if status == GONE:
            own.run(
                "update slagkracht.subscription set ended_at = clock_timestamp(), gone = true "
                "where subscription_id = %s and ended_at is null",
                subscription,
            )
        if not failure or given_up:
            told = "update slagkracht.delivery set told_at = clock_timestamp(), failed = nullif(%s, '')"
            own.run(f"{told} {where}", failure, *this)
            return True
        own.run(
            "update slagkracht.delivery set tries = tries + 1, failed = %s, "
            f"next_at = clock_timestamp() + make_interval(secs => %s) {where}",
            failure,
            min(FIRST_S * 2.0 ** min(row["tries"], 30), LONGEST_S),
            *this,
        )
    return False


def may_reach(address: str) -> bool:
    """Whether facts may be delivered at an IP address: a public one, or one in ``read_networks``. So nobody makes the
    platform call what only it can reach.
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):  # an address of the older kind in a newer one leads to the older
        within = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in TRANSLATED else None
        found = found.ipv4_mapped or found.sixtofour or within or found
    return (found.is_global and not found.is_multicast) or any(found in network for network in read_networks())


def read_networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks that are not public where this installation lets facts be delivered: those of SLAGKRACHT_RECEIVERS.

    Raises ValueError for what is no network.
    """
    networks = []
    for part in filter(None, map(str.strip, os.environ.get("SLAGKRACHT_RECEIVERS", "").split(","))):
        try:
            networks.append(ipaddress.ip_network(part, strict=False))
        except ValueError as error:
            raise ValueError(f"SLAGKRACHT_RECEIVERS: {part[:60]!r} is geen netwerk zoals 10.1.0.0/16") from error
    return networks


def _send(row: Row, world: str) -> tuple[int, str]:
    """Delivers: the status that the receiver answers with (0 = none), and what went wrong ("" = it has it)."""
    event = parse_event(row["line"])
    body = json.dumps(format_cloud_event(event, world), ensure_ascii=False).encode()
    at = str(int(datetime.datetime.now(datetime.UTC).timestamp()))
    message = f"{world}/{event.event_id}"
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": message,
        "webhook-timestamp": at,
        "webhook-signature": sign(row["secret"], message, at, body),
    }
    try:
        status = _post(urlsplit(row["sink"]), body, headers)
    except OutOfReachError as error:
        return 0, f"geen contact: {error}"
    except ssl.SSLCertVerificationError as error:
        return 0, f"het certificaat van de ontvanger is niet te vertrouwen: {error.verify_message}"
    except socket.gaierror:
        return 0, "geen contact: de naam van de ontvanger is niet te vinden"
    except TimeoutError:
        return 0, f"geen contact: geen antwoord binnen {TIMEOUT_S:g} s"
    except ConnectionRefusedError:
        return 0, "geen contact: op dit adres en deze poort luistert niemand"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 0, f"geen contact: {type(error).__name__}"
    if status == GONE:
        return status, "ontvanger antwoordt 410: dit adres is er niet meer, het abonnement is beëindigd"
    return status, "" if 200 <= status < 300 else f"ontvanger antwoordt {status}"


def _post(sink: SplitResult, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer, in TIMEOUT_S from the first contact however slowly it comes; follows no redirect.

    Connects with the very address that was looked at: a name that means another a moment later changes nothing.
    """
    host, secure = sink.hostname or "", sink.scheme == "https"
    port = sink.port or (443 if secure else 80)
    found = [str(place[4][0]) for place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = [address for address in found if may_reach(address)]
    if not allowed:
        raise OutOfReachError(OUT_OF_REACH)
    until = time.monotonic() + TIMEOUT_S
    with socket.create_connection((allowed[0], port), TIMEOUT_S) as plain, plain.dup() as handle:
        late = threading.Timer(TIMEOUT_S, _end, (handle,))
        late.start()
        line = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(host, port)
        try:
            line.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
            line.request("POST", f"{sink.path or '/'}{'?' if sink.query else ''}{sink.query}", body, headers)
            return line.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() >= until:
                raise TimeoutError from error
            raise
        finally:
            late.cancel()
            line.close()


def _end(line: socket.socket) -> None:
    with suppress(OSError):  # the other side may have ended it first
        line.shutdown(socket.SHUT_RDWR)
