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
import json
import os
import secrets
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

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

    Raises LedgerError for an address that is not https (or this machine itself), or a kind that does not exist.
    """
    try:
        address = urlsplit(sink)
        here = address.hostname in ("127.0.0.1", "localhost", "::1")
        usable = (address.scheme == "https" or (address.scheme == "http" and here)) and bool(address.hostname)
        usable = usable and sink.isascii() and sink.isprintable() and " " not in sink
    except ValueError:
        usable = False
    if not usable:
        raise ledger.LedgerError("adres: https, of http op deze machine zelf")
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


def unsubscribe(own: Scope, subscription: str) -> bool:
    """Stops a subscription of the acting region; False when there is none of that name."""
    ended = "update slagkracht.subscription set ended_at = now() where subscription_id = %s and ended_at is null"
    return own.run(ended, subscription) > 0


def list_subscriptions(own: Scope) -> list[Row]:
    """The acting region's subscriptions, with how many deliveries wait or were given up, and what went wrong last."""
    return own.rows(
        "select s.subscription_id as id, sink as adres, kinds as soorten, "
        "count(d.number) filter (where d.told_at is null) as wachtend, "
        "coalesce(max(d.tries) filter (where d.told_at is null), 0) as pogingen, "
        "count(d.number) filter (where d.told_at is not null and d.failed is not null) as opgegeven, "
        "(array_agg(d.failed order by d.told_at desc nulls first, d.number) filter (where d.failed is not null))[1] "
        "as laatste_fout from slagkracht.subscription s left join slagkracht.delivery d using (subscription_id) "
        "where s.ended_at is null group by s.subscription_id order by s.made_at"
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
    failure = "niet meer gedeeld" if row["line"] is None else _send(row, world)
    given_up = row["line"] is None or row["tries"] + 1 >= MOST_TRIES
    where = "where subscription_id = %s and chain = %s and number = %s and told_at is null"
    this = (subscription, row["chain"], row["number"])
    with scope(region, world, "bezorging") as own:
        if failure is None or given_up:
            own.run(f"update slagkracht.delivery set told_at = clock_timestamp(), failed = %s {where}", failure, *this)
            return True
        own.run(
            "update slagkracht.delivery set tries = tries + 1, failed = %s, "
            f"next_at = clock_timestamp() + make_interval(secs => %s) {where}",
            failure,
            min(FIRST_S * 2.0 ** min(row["tries"], 30), LONGEST_S),
            *this,
        )
    return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def _send(row: Row, world: str) -> str | None:
    """Delivers; None when the receiver has it, otherwise why not."""
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
        with _opener.open(urllib.request.Request(row["sink"], body, headers), timeout=TIMEOUT_S):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"ontvanger antwoordt {error.code}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"geen contact: {type(error).__name__}"
