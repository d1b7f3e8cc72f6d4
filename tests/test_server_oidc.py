"""Logging in through a real provider on this machine: who is known comes in; a stranger or a wrong token does not."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from test_server_api import API, client

pytestmark = pytest.mark.usefixtures("database")


class Provider:
    """Signs a token for ``username``; ``changes`` spoil it. It checks the code verifier as a provider must."""

    def __init__(self) -> None:
        self.key, self.username = rsa.generate_private_key(public_exponent=65537, key_size=2048), ""
        self.signing, self.changes, self.asked = self.key, dict[str, Any](), dict[str, str]()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def _say(self, content: dict[str, Any], status: int = 200) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                if self.path == "/jwks":
                    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(provider.key.public_key()))
                    self._say({"keys": [{**own, "kid": "1", "alg": "RS256", "use": "sig"}]})
                else:
                    self._say({"sub": "1", "preferred_username": provider.username})

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
                challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
                if form["client_secret"] != ["geheim"] or challenge != provider.asked["code_challenge"]:
                    return self._say({"error": "invalid_grant"}, 400)
                now = datetime.datetime.now(datetime.UTC)
                claims = {
                    "iss": provider.address, "sub": "1", "aud": "slagkracht", "nonce": provider.asked["nonce"],
                    "iat": now, "exp": now + datetime.timedelta(minutes=5), **provider.changes,
                }  # fmt: skip
                token = jwt.encode(claims, provider.signing, algorithm="RS256", headers={"kid": "1"})
                return self._say({"access_token": "a", "token_type": "Bearer", "id_token": token})

            def log_message(self, format: str, *args: object) -> None:
                """A test says nothing per request."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def provider(database: object) -> Iterator[Provider]:
    from django.conf import settings
    from django.test import override_settings
    from django.urls import include, path

    from slagkracht.server.settings import read_oidc_settings

    made = Provider()
    names = {"AUTHORIZATION": "/auth", "TOKEN": "/token", "USERINFO": "/userinfo", "JWKS": "/jwks"}
    environment = {f"SLAGKRACHT_OIDC_{name}": made.address + path for name, path in names.items()}
    environment |= {"SLAGKRACHT_OIDC_ISSUER": made.address, "SLAGKRACHT_OIDC_CLIENT": "slagkracht",
                    "SLAGKRACHT_OIDC_SECRET": "geheim"}  # fmt: skip
    from slagkracht.server.urls import urlpatterns

    backends = [*settings.AUTHENTICATION_BACKENDS, "slagkracht.server.oidc.Backend"]
    given = read_oidc_settings(environment)
    with override_settings(AUTHENTICATION_BACKENDS=backends, **given):
        addresses = (*urlpatterns, path("oidc/", include("mozilla_django_oidc.urls")))
        with override_settings(ROOT_URLCONF=addresses):
            yield made
    made.close()


def log_in(provider: Provider, username: str, says: str = "") -> Any:
    """The walk of a browser: to the provider, back with a code, and then who it is; ``says`` where not."""
    provider.username = username
    browser = client()
    assert "/oidc/authenticate/?next=/logboek" in browser.get("/inloggen?volgende=/logboek").content.decode()
    onward = browser.get("/oidc/authenticate/")
    assert onward.headers["Location"].startswith(provider.address + "/auth")
    provider.asked = {name: values[0] for name, values in parse_qs(urlsplit(onward.headers["Location"]).query).items()}
    assert provider.asked["code_challenge_method"] == "S256"
    back = browser.get("/oidc/callback/", {"code": "c", "state": provider.asked["state"]})
    if says:
        assert says in browser.get(back.headers["Location"]).content.decode()
    return browser


def test_who_is_known_comes_in(provider: Provider) -> None:
    browser = log_in(provider, "demo-officier-vr06")
    assert browser.get(f"{API}/ik").json()["regio"] == "VR06"


def test_who_is_not_known_does_not_and_no_account_is_made(provider: Provider) -> None:
    from django.contrib.auth.models import User

    before = User.objects.count()
    for nobody in ("onbekend", "", *["onbekend"] * 4):
        assert log_in(provider, nobody, "of uw account is hier niet bekend").get(f"{API}/ik").status_code == 401
    assert User.objects.count() == before
    known = log_in(provider, "demo-officier-vr06")
    assert known.get(f"{API}/ik").status_code == 200, "strangers shut out nobody who comes from the same building"


PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


WRONG: list[dict[str, Any]] = [
    {"aud": "een ander"},
    {"iss": "https://elders.example"},
    {"nonce": "x"},
    {"exp": PAST},
]


@pytest.mark.parametrize("changes", WRONG)
def test_a_wrong_token_is_refused(provider: Provider, changes: dict[str, Any]) -> None:
    provider.changes = changes
    browser = log_in(provider, "demo-officier-vr06", "is niet gelukt")
    assert browser.get(f"{API}/ik").status_code == 401


def test_a_token_signed_by_another_is_refused(provider: Provider) -> None:
    provider.signing = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert log_in(provider, "demo-officier-vr06").get(f"{API}/ik").status_code == 401


def test_a_provider_that_is_gone_or_an_answer_to_nothing_is_said_in_a_sentence(provider: Provider) -> None:
    for answer in ({"code": "c", "state": "verzonnen"}, {"error": "access_denied"}, {}):
        browser = client()
        browser.get("/oidc/authenticate/")
        back = browser.get("/oidc/callback/", answer)
        assert "is niet gelukt" in browser.get(back.headers["Location"]).content.decode()
    from django.test import override_settings

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}/token"
        with override_settings(OIDC_OP_TOKEN_ENDPOINT=gone):
            log_in(provider, "demo-officier-vr06", "antwoordt niet")


def test_without_a_provider_nothing_is_set() -> None:
    from slagkracht.server.settings import read_oidc_settings

    assert read_oidc_settings({}) == {}
