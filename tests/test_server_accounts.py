"""Accounts without a demo: made on the machine, asked for a code; the first of a region gives the further mandates."""

from __future__ import annotations

import base64
import datetime
import re
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from slagkracht.server.accounts import make_account
from slagkracht.server.database import Addresses
from slagkracht.server.journal import read_events
from test_server_api import client
from test_server_ledger import acting
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


def spelled(browser: Any) -> str:
    """The address that the page shows to an app, from the key that is to be typed over."""
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", browser.get("/account").content.decode())
    assert shown is not None
    return "otpauth://totp/x?secret=" + shown[1].replace(" ", "")


def test_who_sets_up_an_app_proves_it_first_and_whoever_holds_the_session_alone_does_not(database: Addresses) -> None:
    made = make_account(database, f"piket-{secrets.token_hex(4)}", "VR16", "Piket VR16", with_app=False)
    browser, _ = log_in(made.username, made.password)
    assert "klopt niet" in press(browser, "/account/tweede-factor", wachtwoord="fout")
    assert "<svg" not in browser.get("/account").content.decode()
    browser.post("/account/tweede-factor", {"wachtwoord": made.password})
    page = browser.get("/account").content.decode()
    assert '<svg width="' in page
    assert "style=" not in page, "a picture that no style of its own stands in"
    assert log_in(made.username, made.password)[1] == 302, "what is not proven is not asked"
    app = spelled(browser)
    wrong = f"{(int(code_of(app)) + 1) % 1_000_000:06d}"
    assert "klopt niet" in press(browser, "/account/tweede-factor/bevestigen", code=wrong)
    time.sleep(1.1)
    shown = browser.post("/account/tweede-factor/bevestigen", {"code": code_of(app)})
    codes = re.findall(r"<code>([0-9a-f]{8})</code>", shown.content.decode())
    assert len(codes) == 10
    assert shown.headers["Cache-Control"] == "no-store"
    assert not any(code in browser.get("/account").content.decode() for code in codes), "they are shown once"
    assert log_in(made.username, made.password)[1] == 400
    time.sleep(1.1)  # a code that was wrong makes the next one of its kind wait
    assert [log_in(made.username, made.password, code)[1] for code in (codes[0], codes[0])] == [302, 400]
    with acting("VR16") as own:
        told = [e.body["text"] for e in read_events(own, "VR16") if e.actor == "Piket VR16"]
    assert told == ["tweede factor ingesteld door Piket VR16"]
    time.sleep(1.1)
    assert "Vul de code" in press(browser, "/account/tweede-factor/verwijderen", wachtwoord=made.password, code=wrong)
    given = {"wachtwoord": made.password, "code": codes[1]}
    assert "verwijderd" in press(browser, "/account/tweede-factor/verwijderen", **given)
    assert log_in(made.username, made.password)[1] == 302
    for _ in range(5):
        last = browser.post("/account/tweede-factor", {"wachtwoord": "fout"})
    assert last.status_code == 429, "as at logging in"


def test_a_form_of_another_world_is_not_carried_out_in_this_one(database: Addresses) -> None:
    from django.test import Client

    browser = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    browser.force_login(client("demo-officier-vr16").get("/account").wsgi_request.user)
    page = browser.get("/actiecentrum").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
    (als,) = re.findall(r'data-als="([\w/]+)"', page)
    assert browser.get("/actiecentrum", headers={"X-Als": als}).status_code == 200
    given = {"csrfmiddlewaretoken": token, "regio": "VR16", "wereld": "oefening"}
    assert browser.post("/handelen-als", given).status_code == 302
    left = {"csrfmiddlewaretoken": token, "wat": "brand", "x_m": "190000", "y_m": "460000", "terug": "/actiecentrum"}
    answer = browser.post("/actiecentrum/incidenten", left)
    assert (answer.status_code, "in de andere wereld" in answer.content.decode()) == (403, True)
    assert browser.get("/actiecentrum", headers={"X-Als": als}).status_code == 409, "an old page begins anew"


def test_whose_mandate_ends_does_not_find_himself_in_the_other_world(database: Addresses) -> None:
    browser = client("demo-voorzitter-vr16")
    assert 'data-als="VR16/echt"' in browser.get("/actiecentrum").content.decode()
    end = "update slagkracht.mandate set until = {} where region = 'VR16' and role = 'voorzitter' and world = 'echt'"
    with psycopg.connect(database.owner) as owner:
        owner.execute(end.format("clock_timestamp()"))
    try:
        page = browser.get("/actiecentrum")
        assert (page.status_code, "Uw mandaat geldt wel voor:" in page.content.decode()) == (403, True)
        browser.post("/handelen-als", {"regio": "VR16", "wereld": "oefening"})
        assert 'data-als="VR16/oefening"' in browser.get("/actiecentrum").content.decode()
    finally:
        with psycopg.connect(database.owner) as owner:
            owner.execute(end.format("clock_timestamp() + interval '1 day'"))
