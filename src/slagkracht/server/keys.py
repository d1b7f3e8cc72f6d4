"""Keys by which other systems speak for an account: never more than its mandates, and only until a moment."""

from __future__ import annotations

import base64
import datetime
import hashlib
import secrets
from typing import Any

from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import HttpBasicAuth, HttpBearer

from slagkracht.server.database import Scope, scope
from slagkracht.server.guard import Acting, highest_class


def make_key(own: Scope, name: str, until: datetime.datetime) -> tuple[str, str]:
    """A key for who is acting, as (id, key). The key itself is shown once; only its hash is kept."""
    key_id = f"S-{own.region}-{secrets.token_hex(5)}"
    while (key := secrets.token_urlsafe(32)).startswith("-"):
        pass  # behind a command, that would be read as an option
    own.insert(
        "access_key",
        key_id=key_id,
        key_hash=hash_key(key),
        account_id=own.account,
        region=own.region,
        name=name,
        until=until,
    )
    return key_id, key


def end_key(own: Scope, key_id: str) -> bool:
    """Ends a key of the acting region from now on; False when there is none of that name."""
    return own.run("update slagkracht.access_key set until = now() where key_id = %s and until > now()", key_id) > 0


def find_by_key(key: str) -> Acting | None:
    """Who acts with this key; None when it is unknown, over, or its account has no mandate (any more)."""
    with scope("", "", "") as own:
        own.run("select set_config('slagkracht.key_hash', %s, true)", hash_key(key))
        row = own.row("select account_id, region, world, name from slagkracht.access_key where now() < until")
    if row is None:
        return None
    with scope("", "", "", account=row["account_id"]) as own:
        mandates = own.rows(
            "select role, information_class from slagkracht.mandate where account_id = %s and region = %s "
            "and world = %s and starts_at <= now() and now() < until",
            row["account_id"],
            row["region"],
            row["world"],
        )
        person = own.row(
            "select name from slagkracht.person where account_id = %s and exists "
            "(select 1 from django.auth_user where id = account_id and is_active)",
            row["account_id"],
        )
    if person is None or not mandates:
        return None
    roles = frozenset(mandate["role"] for mandate in mandates)
    actor = f"{person['name']} ({row['name']})"
    place = (row["region"], row["world"])
    return Acting(row["account_id"], actor, *place, roles, highest_class(mandates), (place,))


class AccessKey(HttpBearer):
    """``Authorization: Bearer`` with a key; a wrong one is refused, also where a session would have held."""

    openapi_scheme = "bearer"

    def authenticate(self, request: HttpRequest, token: str) -> Acting:
        acting = find_by_key(token)
        if acting is None:
            raise AuthenticationError
        return acting


class KeyAsPassword(HttpBasicAuth):
    """The same key as a password, for map programs that know nothing else; the user name says nothing."""

    def authenticate(self, request: HttpRequest, username: str, password: str) -> Acting | None:
        return find_by_key(password)


def find_key(request: HttpRequest) -> str:
    """The key in the Authorization header, as a token or as a password; empty without one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return given if scheme.lower() == "bearer" else ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def find_machine(request: HttpRequest) -> Acting | None:
    """Who acts by a key in the Authorization header; None without one. Raises AuthenticationError for a wrong one."""
    acting: Any = AccessKey()(request) or KeyAsPassword()(request)
    return acting if isinstance(acting, Acting) else None


def hash_key(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()
