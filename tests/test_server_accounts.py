"""Accounts without a demo: made on the machine, asked for a code; the first of a region gives the further mandates."""

from __future__ import annotations

import base64
import datetime
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from slagkracht.server.accounts import make_account
from slagkracht.server.database import Addresses
from test_server_api import client
from test_server_screens import press

SOON = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)


def log_in(username: str, password: str, code: str = "") -> tuple[Any, int]:
    browser = client()
    answer = browser.post("/inloggen", {"username": username, "password": password, "code": code})
    return browser, int(answer.status_code)


def code_of(app: str) -> str:
    """What an authenticator app shows now, from the address that it was given (RFC 6238)."""
    from django_otp.oath import totp

    key = parse_qs(urlsplit(app).query)["secret"][0]
    return f"{totp(base64.b32decode(key + '=' * (-len(key) % 8))):06d}"


def test_the_first_account_of_a_region_logs_in_with_a_code_and_gives_the_second_its_mandate(
    database: Addresses,
) -> None:
    names = [f"{who}-{secrets.token_hex(4)}" for who in ("beheer", "piket")]
    first = make_account(database, names[0], "VR16", "Beheerder VR16", SOON)
    second = make_account(database, names[1], "VR16", "Officier van dienst VR16", with_app=False)
    assert urlsplit(first.app).scheme == "otpauth"
    assert log_in(first.username, first.password)[1] == 400, "the password alone is not enough"
    time.sleep(1.1)  # a wrong code may be followed by another after a second
    keeper, status = log_in(first.username, first.password, code_of(first.app))
    assert status == 302
    officer, status = log_in(second.username, second.password)
    assert status == 302
    assert officer.get("/api/v1/ik").status_code == 401, "an account without a mandate may do nothing"
    account = officer.get("/inloggen").wsgi_request.user.pk
    given = {"persoon": account, "rol": "officier", "klasse": "Intern", "tot": "2040-01-01T12:00"}
    assert "gegeven" in press(keeper, "/beheer/mandaten", **given)
    assert officer.get("/api/v1/ik").json()["rollen"] == ["officier"]


def test_who_lost_password_or_app_gets_new_ones_and_the_old_open_nothing(database: Addresses) -> None:
    name = f"beheer-{secrets.token_hex(4)}"
    old = make_account(database, name, "VR15", "Beheerder VR15", SOON)
    browser, status = log_in(name, old.password, code_of(old.app))
    assert status == 302
    for _ in range(5):
        log_in(name, "fout")
    new = make_account(database, name, "VR15", "Beheerder VR15")
    assert browser.get("/api/v1/ik").status_code == 401, "who was logged in no longer is"
    assert log_in(name, old.password, code_of(new.app))[1] == 400
    assert log_in(name, new.password, code_of(old.app))[1] == 400


def test_an_account_that_cannot_be_is_refused(database: Addresses) -> None:
    name = f"beheer-{secrets.token_hex(4)}"
    make_account(database, name, "VR15", "Beheerder VR15", with_app=False)
    for given, words in (
        ((name, "VR14", "x"), f"account {name} is van VR15"),
        (("nieuw", "VR99", "x"), "regio 'VR99': kies uit"),
        (("nieuw", "VR15", " "), "de naam van een functie"),
    ):
        with pytest.raises(ValueError, match=words):
            make_account(database, *given)
