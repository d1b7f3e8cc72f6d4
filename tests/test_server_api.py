"""The API: what it says, to whom, and that nothing leaks to anyone else."""

from __future__ import annotations

import datetime
import json
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from slagkracht.server import engine as seam
from slagkracht.server import ledger
from slagkracht.server.database import Addresses
from slagkracht.server.demo import PASSWORD, give_mandate, give_person
from test_server_ledger import acting, new_units

pytestmark = pytest.mark.usefixtures("database")
API = "/api/v1"
SOON = "2030-07-01T12:00:00+02:00"


def client(username: str | None = None) -> Any:
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client(SERVER_NAME="localhost")
    if username:
        browser.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    return browser


def post(browser: Any, path: str, given: object = None, **headers: str) -> Any:
    return browser.post(API + path, json.dumps(given), content_type="application/json", headers=headers)


LINE = {"formatie": "peloton", "inzetmogelijkheid": "basiseenheid", "aantal": 2, "x_m": 1.0, "y_m": 2.0,
        "nodig_op": SOON, "uren": 8}  # fmt: skip


def asked(browser: Any, **more: object) -> tuple[str, str]:
    incident = post(browser, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2}).json()["id"]
    given = {"incident": incident, "grond": "wvr51_minister", "mandaat": "voorzitter", "ondertekenaar": "Demo"}
    made = post(browser, "/aanvragen", {**given, "regels": [LINE], **more})
    assert made.status_code == 201, made.content
    return made.json()["id"], made.json()["id"] + "-1"


# ── the walk through the API ──────────────────────────────────────────────────────────────────────────────────────────


def test_assistance_through_the_api() -> None:
    asker, lender, centre = (client(f"demo-{who}") for who in ("officier-vr06", "officier-vr07", "actiecentrum"))
    units = new_units("VR07", 2)
    request, line = asked(asker)
    assert lender.get(f"{API}/aanvragen/{request}").status_code == 404
    assert post(centre, f"/aanvragen/{request}/uitzetten", {"regios": ["VR05", "VR07"]}).status_code == 200
    seen = lender.get(f"{API}/regels?aanvraag={request}").json()["resultaten"]
    assert [row["id"] for row in seen] == [line]
    incident = lender.get(f"{API}/aanvragen/{request}").json()["incident"]
    what = lender.get(f"{API}/incidenten/{incident}").json()["wat"]
    told = lender.get(f"{API}/gebeurtenissen?keten=VR06&soort=incident_opened&aantal=1000").json()["resultaten"]
    assert (what, [f["inhoud"]["incident"] for f in told].count(incident)) == ("brand", 1)  # asked, it knows what for
    assert client("demo-officier-vr08").get(f"{API}/incidenten/{incident}").status_code == 404
    offer = post(lender, "/aanboden", {"regel": line, "eenheden": units, "aantal": 1}).json()["id"]
    refused = post(client("demo-officier-vr05"), "/weigeringen", {"regel": line, "reden": "restdekking"})
    assert refused.status_code == 201
    commitments = post(asker, f"/aanboden/{offer}/aanvaarden").json()["ids"]
    assert len(commitments) == 2
    first = commitments[0]
    tag = lender.get(f"{API}/toezeggingen/{first}").headers["ETag"]
    moved = post(lender, f"/toezeggingen/{first}/stappen", {"stap": "unit_en_route"}, **{"If-Match": tag})
    assert moved.json() == {"id": first, "versie": 2}
    late = post(lender, f"/toezeggingen/{first}/stappen", {"stap": "unit_arrived"}, **{"If-Match": tag})
    assert late.status_code == 412
    assert "intussen gewijzigd" in late.json()["detail"]
    unmet = post(centre, f"/aanvragen/{request}/sluiten").json()["onvervuld"]
    assert unmet == [{"regel": line, "aantal": 1, "reden": "restdekking"}]
    picture = centre.get(f"{API}/beeld").json()
    assert {row["commitment"]: row["step"] for row in picture["toezeggingen"]}[first] == "unit_en_route"


def test_only_regions_that_there_are_are_asked() -> None:
    asker = client("demo-officier-vr06")
    request, _ = asked(asker)
    refused = post(asker, f"/aanvragen/{request}/uitzetten", {"regios": ["VR07", "VR99"]})
    assert (refused.status_code, "VR99" in refused.json()["detail"]) == (404, True)
    assert asker.get(f"{API}/aanvragen/{request}").json()["gedeeld_met"] == ["LAC"]
    incident = asker.get(f"{API}/aanvragen/{request}").json()["incident"]
    direct = {
        "incident": incident,
        "grond": "wvr51_5_buurregio",
        "mandaat": "m",
        "ondertekenaar": "o",
        "regels": [LINE],
    }
    for neighbour in ("VR26", "LAC"):
        refused = post(asker, "/aanvragen", {**direct, "buurregio": neighbour})
        assert (refused.status_code, "geen veiligheidsregio" in refused.json()["detail"]) == (404, True)
    shared = post(asker, "/toestemmingen", {"ontvanger": "VR99", "trap": "plaats", "tot": "2099-01-01T00:00:00Z"})
    assert (shared.status_code, "iets dat hier niet is" in shared.json()["detail"]) == (409, True)


def test_a_request_repeated_is_done_once() -> None:
    asker = client("demo-officier-vr06")
    given = {"wat": "brand", "x_m": 1, "y_m": 2}
    key = secrets.token_hex(8)
    first, second = (post(asker, "/incidenten", given, **{"Idempotency-Key": key}) for _ in range(2))
    assert first.json() == second.json()
    assert (first.status_code, second.status_code) == (201, 201)
    other = post(asker, "/incidenten", {**given, "wat": "storm"}, **{"Idempotency-Key": key})
    assert other.status_code == 409
    assert post(asker, "/incidenten", given, **{"Idempotency-Key": secrets.token_hex(8)}).json() != first.json()


def test_a_key_of_one_region_is_no_key_of_another_for_who_acts_for_both(database: Addresses) -> None:
    from django.contrib.auth.models import User

    user = User.objects.create(username=f"wie-{secrets.token_hex(5)}")
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    with psycopg.connect(database.owner) as owner, owner.cursor() as cursor:
        give_person(cursor, user.pk, "VR08", "Demo Twee Regio's")
        for region in ("VR08", "VR09"):
            give_mandate(cursor, user.pk, region, "officier", "echt", until, "Intern")
    browser, key, made = client(user.username), secrets.token_hex(8), []
    for region in ("VR08", "VR09", "VR08"):
        browser.post("/handelen-als", {"regio": region, "wereld": "echt"})
        answer = post(browser, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2}, **{"Idempotency-Key": key})
        assert answer.status_code == 201
        made.append(answer.json()["id"])
    assert [name[2:6] for name in made] == ["VR08", "VR09", "VR08"]
    assert made[0] == made[2]


def at_once(do: Callable[[int], Any], many: int) -> list[Any]:
    """What so many who ask at the same moment are told."""
    from django.db import connections

    def one(number: int) -> Any:
        try:
            return do(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def test_a_request_repeated_at_the_same_moment_is_done_once() -> None:
    key, given = secrets.token_hex(8), {"wat": f"brand {secrets.token_hex(4)}", "x_m": 1, "y_m": 2}

    def ask(_: int) -> tuple[int, str]:
        answer = post(client("demo-officier-vr06"), "/incidenten", given, **{"Idempotency-Key": key})
        return answer.status_code, answer.json()["id"]

    assert [status for status, _ in set(at_once(ask, 8))] == [201]
    listed = client("demo-officier-vr06").get(f"{API}/incidenten?aantal=1000").json()["resultaten"]
    assert [row["wat"] for row in listed].count(given["wat"]) == 1


def test_who_changes_what_was_changed_meanwhile_is_told_so() -> None:
    asker = client("demo-officier-vr06")
    made = post(asker, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2}).json()["id"]
    seen = asker.get(f"{API}/incidenten/{made}").headers["ETag"]
    assert asker.get(f"{API}/incidenten/{made}", headers={"If-None-Match": seen}).status_code == 304
    up, repeated = f"/incidenten/{made}/opschalen", {"If-Match": seen, "Idempotency-Key": secrets.token_hex(8)}
    assert post(asker, up, {"niveau": "GRIP 1"}, **repeated).status_code == 200
    assert post(asker, up, {"niveau": "GRIP 1"}, **repeated).status_code == 200, "the first answer, given again"
    late = post(asker, up, {"niveau": "GRIP 4"}, **{"If-Match": seen})
    assert (late.status_code, late.json()["title"]) == (412, "Intussen gewijzigd")
    assert post(asker, f"/incidenten/{made}/sluiten", **{"If-Match": '"zeven"'}).status_code == 412
    row = asker.get(f"{API}/incidenten/{made}", headers={"If-None-Match": seen})
    assert (row.status_code, row.json()["niveau"], row.json()["gesloten_op"]) == (200, "GRIP 1", None)


def test_of_two_who_change_one_version_one_is_first() -> None:
    made = post(client("demo-officier-vr06"), "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2}).json()["id"]

    def raise_to(level: int) -> int:
        asker = client("demo-officier-vr06")
        answer = post(asker, f"/incidenten/{made}/opschalen", {"niveau": f"GRIP {level}"}, **{"If-Match": '"1"'})
        return int(answer.status_code)

    assert sorted(at_once(raise_to, 4)) == [200, 412, 412, 412]


def test_errors_are_problems_and_everything_names_the_version() -> None:
    asker = client("demo-officier-vr06")
    for answer, status in [
        (asker.get(f"{API}/aanvragen/A-VR06-geen"), 404),
        (asker.get(f"{API}/bestaatniet"), 404),
        (asker.get(f"{API}/aanvragen?pagina=0"), 400),
        (post(asker, "/incidenten", {"wat": "", "x_m": 1, "y_m": 2}), 400),
        (post(asker, "/incidenten", {"wat": "a\u0000b", "x_m": 1, "y_m": 2}), 400),
        (post(asker, "/incidenten", {"wat": "x", "x_m": 1, "y_m": 2, "kleur": "rood"}), 400),
        (post(asker, "/aanboden/geen/aanvaarden"), 404),
        (post(client("demo-beleid-vr06"), "/incidenten", {"wat": "x", "x_m": 1, "y_m": 2}), 403),
        (client().get(f"{API}/aanvragen"), 401),
        (asker.put(f"{API}/incidenten"), 405),
        (asker.post("/ogc/v1/collections"), 405),
    ]:
        assert answer.status_code == status, answer.content
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["API-Version"] == "1.0.0"
        assert answer.json()["status"] == status
        assert answer.json()["detail"]


def test_lists_come_in_pages() -> None:
    asker = client("demo-officier-vr06")
    for _ in range(3):
        asked(asker)
    first = asker.get(f"{API}/aanvragen?aantal=2&regio=VR06")
    assert len(first.json()["resultaten"]) == 2
    assert 'rel="next"' in first.headers["Link"]
    second = asker.get(first.json()["volgende"]).json()
    assert {r["id"] for r in second["resultaten"]}.isdisjoint({r["id"] for r in first.json()["resultaten"]})
    assert second["vorige"]


def test_the_log_is_told_shown_and_corrected() -> None:
    officer = client("demo-officier-vr08")
    made = post(officer, "/gebeurtenissen", {"soort": "note", "inhoud": {"text": "droog"}, "gebeurd_op": SOON})
    assert made.status_code == 201
    shown = officer.get(f"{API}/gebeurtenissen/{made.json()['id']}").json()
    assert shown["inhoud"] == {"text": "droog"}
    assert shown["door"] == "Demo Officier VR08"
    bad = post(officer, "/gebeurtenissen", {"soort": "note", "inhoud": {}})
    assert (bad.status_code, "mist text" in bad.json()["detail"]) == (400, True)
    from slagkracht.server.verify_log import verify

    lines = b"".join(officer.get(f"{API}/logboek").streaming_content).decode()
    assert verify(lines) == []
    assert verify(lines.replace("droog", "nat  ")) != []


def test_a_dossier_and_a_decision() -> None:
    rcdv, board = client("demo-rcdv"), client("demo-bestuur-vr06")
    dossier = post(rcdv, "/dossiers", {"procedure": "landelijk_plan"}).json()["id"]
    step = {"stap": "voorleggen", "antwoorden": {"plan": "2027", "verantwoording": "ab" * 32}}
    assert post(board, f"/dossiers/{dossier}/stappen", step).status_code == 409
    assert post(rcdv, f"/dossiers/{dossier}/stappen", step, **{"If-Match": '"1"'}).json()["versie"] == 2
    assert post(rcdv, f"/dossiers/{dossier}/stappen", step, **{"If-Match": '"1"'}).status_code == 412
    assert board.get(f"{API}/dossiers/{dossier}").json()["toestand"] == "advies_rcdv"
    decision = {"bestuursorgaan": "AB VR06", "plan": "2027", "verantwoording": "a" * 64, "besluit": "vastgesteld",
                "datum": f"{datetime.datetime.now(seam.CLOCK):%Y-%m-%d}", "ingangsdatum": "2090-02-01"}  # fmt: skip
    assert post(rcdv, "/besluiten", decision).status_code == 403
    assert post(board, "/besluiten", {**decision, "ingangsdatum": "2026-01-01"}).status_code == 409
    ahead = post(board, "/besluiten", {**decision, "datum": "2090-07-01", "ingangsdatum": "2091-01-01"})
    assert (ahead.status_code, "moet nog genomen worden" in ahead.json()["detail"]) == (409, True)
    made = post(board, "/besluiten", decision)
    assert made.status_code == 201
    public = client("demo-officier-vr25").get(f"{API}/besluiten/{made.json()['id']}").json()
    assert (public["regio"], public["voorbehoud"]) == ("VR06", "")


def test_a_dossier_is_seen_by_its_parties_and_by_whom_a_step_names() -> None:
    asker, neighbour = client("demo-officier-vr06"), client("demo-officier-vr07")
    made = post(asker, "/dossiers", {"procedure": "bijstandsaanvraag", "partijen": {"aanvrager": "VR06"}}).json()["id"]
    assert neighbour.get(f"{API}/dossiers/{made}").status_code == 404
    answers = {"buurregio": "VR07", "afspraak_in_crisisplan": "par. 4", "reden_van_spoed": "overslag"}
    step = {"stap": "rechtstreeks", "antwoorden": answers}
    assert post(asker, f"/dossiers/{made}/stappen", step).status_code == 201
    assert neighbour.get(f"{API}/dossiers/{made}").json()["toestand"] == "bij_buur"
    assert client("demo-officier-vr08").get(f"{API}/dossiers/{made}").status_code == 404
    promise = {"stap": "buur_zegt_toe", "antwoorden": {"toezeggingen": "2"}}
    assert post(asker, f"/dossiers/{made}/stappen", promise).status_code == 409
    assert post(neighbour, f"/dossiers/{made}/stappen", promise).status_code == 201


# ── nothing leaks ─────────────────────────────────────────────────────────────────────────────────────────────────────

MARK = "geheim" + secrets.token_hex(6)


def paths() -> list[tuple[str, str]]:
    """Every (method, path) of the API, as its own description lists them."""
    from slagkracht.server.api import api

    listed = api.get_openapi_schema()["paths"]
    return sorted((method, path) for path, methods in listed.items() for method in methods)


@pytest.fixture(scope="module")
def secret_region(database: Addresses) -> dict[str, str]:
    """VR20 with a mark in everything that it has; shared with VR21, once shared with VR22, never with VR23."""
    officer = client("demo-officier-vr20")
    unit = MARK + "-e1"
    with acting("VR20") as own:
        kind = {"type_code": MARK, "capabilities": [MARK], "crew": 6, "station": MARK, "status": "available"}
        own.insert("unit", unit_id=unit, region="VR20", **kind)
        own.insert("unit_place", unit_id=unit, region="VR20", x_m=1, y_m=2, place_at=own.at)
    incident = post(officer, "/incidenten", {"wat": MARK, "x_m": 1, "y_m": 2, "niveau": MARK}).json()["id"]
    request = post(officer, "/aanvragen", {
        "incident": incident, "grond": "wvr51_5_buurregio", "mandaat": MARK, "ondertekenaar": MARK,
        "toelichting": MARK, "buurregio": "VR19", "regels": [{**LINE, "formatie": MARK}],
    }).json()["id"]  # fmt: skip
    theirs = new_units("VR19", 1)
    neighbour = client("demo-officier-vr19")
    offer = post(neighbour, "/aanboden", {"regel": f"{request}-1", "eenheden": theirs, "aantal": 1,
                                          "voorwaarden": MARK}).json()["id"]  # fmt: skip
    commitment = post(officer, f"/aanboden/{offer}/aanvaarden").json()["ids"][0]
    spent = {"soort": "personeel", "centen": 100, "dag": "2026-07-01", "omschrijving": MARK}
    cost = post(neighbour, f"/aanvragen/{request}/kosten", spent).json()["id"]
    note = post(officer, "/gebeurtenissen", {"soort": "note", "inhoud": {"text": MARK}}).json()["id"]
    post(officer, f"/eenheden/{unit}/meldingen", {"status": "available", "x_m": 3, "y_m": 4})
    dossier = post(officer, "/dossiers", {"procedure": "les", "partijen": {"eigenaar": "VR20"}}).json()["id"]
    with acting("VR20") as own:
        ledger.share(own, "VR21", "volledig", own.at + datetime.timedelta(hours=1))
        ended = ledger.share(own, "VR22", "volledig", own.at + datetime.timedelta(hours=1))
        ledger.stop_sharing(own, ended)
    with psycopg.connect(database.owner) as owner:
        owner.execute(
            "insert into slagkracht.consent (consent_id, world, region, receiver, tier, starts_at, until) values "
            "('D-oud', 'echt', 'VR20', 'VR24', 'volledig', now() - interval '2 day', now() - interval '1 day')"
        )
    return {"incidenten": incident, "aanvragen": request, "regels": f"{request}-1", "aanboden": offer,
            "toezeggingen": commitment, "eenheden": unit, "gebeurtenissen": note, "dossiers": dossier,
            "toestemmingen": ended, "kosten": cost, "rijksbijdragen": "R-nooit-gevraagd"}  # fmt: skip


def client_region(username: str | None) -> str:
    return f"VR{username[-2:]}" if username and username[-2:].isdecimal() else "LAC" if username else ""


def everything(browser: Any, ids: dict[str, str]) -> dict[str, str]:
    """What every readable address answers to this browser, by address."""
    from slagkracht.server.api.resources import RESOURCES

    answers = {}
    for method, path in paths():
        if method != "get":
            continue
        noun = path.removeprefix(f"{API}/").split("/")[0]
        page = {"aantal": 1_000} if noun in {resource.noun for resource in RESOURCES} and "{id}" not in path else {}
        answer = browser.get(path.replace("{id}", ids.get(noun, "1")).replace("{code}", "les"), page)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code in (200, 404, 401), (path, content)
        answers[path] = content.decode() if answer.status_code == 200 else ""
    return answers


def marked(answers: dict[str, str]) -> set[str]:
    return {path.removeprefix(f"{API}/") for path, content in answers.items() if MARK in content}


NOUNS = ("incidenten", "aanvragen", "regels", "aanboden", "eenheden", "gebeurtenissen")


def test_the_owner_sees_its_own_everywhere(secret_region: dict[str, str]) -> None:
    seen = marked(everything(client("demo-officier-vr20"), secret_region))
    assert {noun + tail for noun in NOUNS for tail in ("", "/{id}")} | {"beeld", "logboek"} <= seen


def test_a_receiver_sees_what_is_shared_with_it(secret_region: dict[str, str]) -> None:
    seen = marked(everything(client("demo-officier-vr21"), secret_region))
    assert seen == {"eenheden", "eenheden/{id}", "incidenten", "incidenten/{id}", "gebeurtenissen",
                    "gebeurtenissen/{id}", "beeld", "incidenten/{id}/cap"}  # fmt: skip


@pytest.mark.parametrize(
    "username",
    [
        "demo-officier-vr22",  # was shared, and ended
        "demo-officier-vr24",  # was shared, and ran out
        "demo-officier-vr23",  # never shared
        "demo-voorzitter-vr23",
        "demo-beleid-vr23",
        "demo-bestuur-vr23",
        "demo-actiecentrum",  # a direct request is not the centre's
        "demo-minister",
        "demo-rcdv",
        "demo-veiligheidsberaad",
        None,
    ],
)
def test_a_stranger_sees_nothing_anywhere(username: str | None, secret_region: dict[str, str]) -> None:
    answers = everything(client(username), secret_region)
    assert marked(answers) == set()
    for noun, id in secret_region.items():
        told_of_it = noun == "toestemmingen" and username == "demo-officier-vr22"  # a receiver knows what it was given
        centre_too = noun == "dossiers" and client_region(username) == "LAC"
        if not told_of_it and not centre_too:
            assert f'"{id}"' not in answers[f"{API}/{noun}"], noun  # whole: VR20-5 also begins D-VR20-51efadb728
            assert answers[f"{API}/{noun}/{{id}}"] == "", noun


def test_the_exercise_sees_nothing_of_the_real_world(secret_region: dict[str, str]) -> None:
    officer = client("demo-officier-vr20")
    assert officer.post("/handelen-als", {"regio": "VR20", "wereld": "oefening"}).status_code == 302
    assert officer.get(f"{API}/ik").json()["wereld"] == "oefening"
    assert marked(everything(officer, secret_region)) == set()


def test_a_mandate_that_ran_out_opens_nothing(database: Addresses, secret_region: dict[str, str]) -> None:
    from django.contrib.auth.models import User

    user = User.objects.create(username="verlopen-" + secrets.token_hex(4))
    with psycopg.connect(database.owner) as owner, owner.cursor() as cursor:
        give_person(cursor, user.pk, "VR20", "Demo verlopen")
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=5)
        give_mandate(cursor, user.pk, "VR20", "officier", "echt", past)
    answers = everything(client(user.username), secret_region)
    assert set(answers.values()) - {answers[f"{API}/ik"]} <= {""}
    assert marked(answers) == set()


CHANGES: dict[str, object] = {
    "/incidenten/{id}/opschalen": {"niveau": "x"},
    "/incidenten/{id}/sluiten": None,
    "/incidenten/{id}/aflossing": {},
    "/incidenten/{id}/aflossing/aanvragen": {"golven": 1, "mandaat": "x", "ondertekenaar": "x"},
    "/regels/{id}/overnemen": None,
    "/aanvragen/{id}/kosten": {"soort": "personeel", "centen": 100, "dag": "2026-07-01", "omschrijving": "x"},
    "/aanvragen/{id}/rijksbijdrage": None,
    "/kosten/{id}/terugnemen": {"reden": "x"},
    "/rijksbijdragen/{id}/beslissen": {"centen": 1, "reden": "x"},
    "/eenheden/{id}/meldingen": {"status": "available"},
    "/eenheden/{id}/herbezetting": {"stap": "ended"},
    "/aanvragen/{id}/uitzetten": {"regios": ["VR23"]},
    "/aanvragen/{id}/sluiten": None,
    "/aanboden/{id}/intrekken": {"reden": "materieel"},
    "/aanboden/{id}/aanvaarden": None,
    "/toezeggingen/{id}/stappen": {"stap": "unit_released"},
    "/toestemmingen/{id}/beeindigen": None,
    "/dossiers/{id}/stappen": {"stap": "voorstellen", "antwoorden": {"regel_of_middel": "x", "wijziging": "y"}},
}


def test_every_change_by_id_is_walked() -> None:
    listed = {path.removeprefix(API) for method, path in paths() if method == "post" and "{id}" in path}
    assert listed == set(CHANGES)


@pytest.mark.parametrize("path", sorted(CHANGES))
@pytest.mark.parametrize("username", ["demo-officier-vr21", "demo-officier-vr23", "demo-actiecentrum"])
def test_nobody_changes_what_is_anothers(path: str, username: str, secret_region: dict[str, str]) -> None:
    noun = path.split("/")[1]
    answer = post(client(username), path.replace("{id}", secret_region[noun]), CHANGES[path])
    assert answer.status_code in (403, 404, 409), answer.content
    assert answer.status_code != 409 or (noun == "dossiers" and username == "demo-actiecentrum")
    assert MARK not in answer.content.decode().replace(secret_region[noun], "")


def test_redaction_hides_a_field_from_the_receiver() -> None:
    (unit,) = new_units("VR16", 1)
    with acting("VR16") as own:
        ledger.share(own, "VR15", "beschikbaarheid", own.at + datetime.timedelta(hours=1), ["bezetting"])
    shown = client("demo-officier-vr15").get(f"{API}/eenheden/{unit}").json()
    assert (shown["bezetting"], shown["kazerne"], shown["x_m"]) == (None, "Kazerne", None)
    assert client("demo-officier-vr16").get(f"{API}/eenheden/{unit}").json()["bezetting"] == 6


# ── who comes in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def log_in(browser: Any, username: str, password: str = PASSWORD, code: str = "") -> Any:
    given = {"username": username, "password": password, "code": code, "volgende": "//elders.example/"}
    return browser.post("/inloggen", given)


def test_logging_in_and_out() -> None:
    browser = client()
    assert browser.get("/").headers["Location"] == "/inloggen?volgende=/"
    assert log_in(browser, "demo-officier-vr06", "fout").status_code == 400
    answer = log_in(browser, "demo-officier-vr06")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/"), "never onward to another site"
    page = browser.get("/").content.decode()
    assert "Demo Officier VR06" in page
    assert browser.post("/uitloggen").status_code == 302
    assert browser.get(f"{API}/ik").status_code == 401


def test_an_account_with_an_app_asks_for_its_code() -> None:
    from django.contrib.auth.models import User
    from django_otp.oath import totp
    from django_otp.plugins.otp_totp.models import TOTPDevice

    user = User.objects.get(username="demo-beleid-vr12")
    device = TOTPDevice.objects.create(user=user, name="app", confirmed=True)
    browser = client()
    assert log_in(browser, user.username).status_code == 400
    assert browser.get(f"{API}/ik").status_code == 401
    device.refresh_from_db()
    device.throttle_reset()
    code = f"{totp(device.bin_key):06d}"
    assert log_in(browser, user.username, code=code).status_code == 302
    assert browser.get(f"{API}/ik").json()["regio"] == "VR12"
    assert log_in(client(), user.username, code=code).status_code == 400, "a code works once"


def test_who_keeps_guessing_is_locked_out() -> None:
    browser = client()
    for _ in range(5):
        log_in(browser, "demo-beleid-vr13", "fout")
    locked = log_in(browser, "demo-beleid-vr13")
    assert locked.status_code == 429
    assert "een kwartier lang niet inloggen" in locked.content.decode()
    assert browser.get(f"{API}/ik").status_code == 401


def test_a_change_from_another_site_is_refused() -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    user = User.objects.get(username="demo-officier-vr06")
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert post(browser, "/incidenten", {"wat": "x", "x_m": 1, "y_m": 2}).status_code == 403
    browser.get("/")
    token = browser.cookies["csrftoken"].value
    made = post(browser, "/incidenten", {"wat": "x", "x_m": 1, "y_m": 2}, **{"X-CSRFToken": token})
    assert made.status_code == 201


def test_pages_run_nothing_that_is_not_ours() -> None:
    browser = client("demo-officier-vr06")
    for path in ("/", "/inloggen", "/bestaatniet", f"{API}/docs"):
        page = browser.get(path)
        assert page.status_code == (404 if path == "/bestaatniet" else 200)
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        text = page.content.decode()
        assert not re.search(r"<script(?![^>]*(src=|application/json))|<style|\son\w+=|style=|https?://", text), path


def test_the_description_is_whole() -> None:
    from slagkracht.server.api import api

    schema = api.get_openapi_schema()
    assert schema["openapi"].startswith("3.1")
    for path, methods in schema["paths"].items():
        assert re.fullmatch(r"/api/v1(/[a-z]+(\{[a-z]+\})?|/\{[a-z]+\})+", path), path
        assert not path.endswith("/")
        for method, operation in methods.items():
            assert operation["summary"], path
            codes = set(map(str, operation["responses"]))
            assert codes & {"200", "201", "204"}, (method, path)
            assert "401" in codes, (method, path)


def test_a_step_says_when_it_was_taken_not_in_the_future_nor_before_what_it_follows() -> None:
    asker, lender, centre = (client(f"demo-{who}") for who in ("officier-vr06", "officier-vr07", "actiecentrum"))
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)

    def ago(minutes: int) -> dict[str, str]:
        return {"gebeurd_op": (now - datetime.timedelta(minutes=minutes)).isoformat()}

    opened = post(asker, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2, **ago(90)})
    incident = opened.json()["id"]
    given = {"incident": incident, "grond": "wvr51_minister", "mandaat": "voorzitter", "ondertekenaar": "Demo"}
    early = post(asker, "/aanvragen", {**given, "regels": [LINE], **ago(95)})
    assert early.status_code == 409, "before the incident began"
    request = post(asker, "/aanvragen", {**given, "regels": [LINE], **ago(80)}).json()["id"]
    assert post(centre, f"/aanvragen/{request}/uitzetten", {"regios": ["VR07"], **ago(70)}).status_code == 200
    units = new_units("VR07", 2)
    told = {"regel": f"{request}-1", "eenheden": units, "aantal": 1}
    for wrong in (ago(-60), ago(85)):
        refused = post(lender, "/aanboden", {**told, **wrong})
        assert refused.status_code == 409
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["detail"]
    zoneless = post(lender, "/aanboden", {**told, "gebeurd_op": "2026-07-01T12:00:00"})
    assert (zoneless.status_code, "heeft geen tijdzone" in zoneless.json()["detail"]) == (400, True)
    offer = post(lender, "/aanboden", {**told, **ago(60)}).json()["id"]
    accepted = post(asker, f"/aanboden/{offer}/aanvaarden", ago(50))
    assert accepted.status_code == 201, accepted.content
    commitment = accepted.json()["ids"][0]
    assert post(lender, f"/toezeggingen/{commitment}/stappen", {"stap": "unit_en_route", **ago(40)}).status_code == 201
    read = asker.get(f"{API}/toezeggingen/{commitment}").json()
    assert datetime.datetime.fromisoformat(read["stap_sinds"]) == now - datetime.timedelta(minutes=40)
    assert post(asker, f"/aanvragen/{request}/sluiten", ago(30)).status_code == 200
    assert asker.generic("POST", f"{API}/incidenten/{incident}/sluiten").status_code == 200, "a body is not asked"


def test_escalating_refusing_and_withdrawing_say_when_they_happened() -> None:
    asker, lender, centre = (client(f"demo-{who}") for who in ("officier-vr06", "officier-vr07", "actiecentrum"))
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)

    def ago(minutes: int) -> str:
        return (now - datetime.timedelta(minutes=minutes)).isoformat()

    incident = post(asker, "/incidenten", {"wat": "brand", "x_m": 1, "y_m": 2, "gebeurd_op": ago(90)}).json()["id"]
    given = {"incident": incident, "grond": "wvr51_minister", "mandaat": "voorzitter", "ondertekenaar": "Demo"}
    request = post(asker, "/aanvragen", {**given, "regels": [LINE], "gebeurd_op": ago(80)}).json()["id"]
    post(centre, f"/aanvragen/{request}/uitzetten", {"regios": ["VR05", "VR07"], "gebeurd_op": ago(70)})
    told = {"regel": f"{request}-1", "eenheden": new_units("VR07", 2), "aantal": 1, "gebeurd_op": ago(60)}
    offer = post(lender, "/aanboden", told).json()["id"]
    refuser = client("demo-officier-vr05")
    steps = (
        (asker, f"/incidenten/{incident}/opschalen", {"niveau": "GRIP 1"}, 95, 55, "incident_escalated"),
        (refuser, "/weigeringen", {"regel": f"{request}-1", "reden": "restdekking"}, 85, 50, "offer_refused"),
        (lender, f"/aanboden/{offer}/intrekken", {"reden": "zelf nodig"}, 65, 45, "offer_withdrawn"),
    )

    def told_at(steps: Any) -> str:
        """Takes each step at its moment, and at no moment before what it follows or to come; the id of the last."""
        for browser, path, body, before, at, kind in steps:
            for wrong in (before, -60):
                assert post(browser, path, {**body, "gebeurd_op": ago(wrong)}).status_code == 409, (path, wrong)
            answer = post(browser, path, {**body, "gebeurd_op": ago(at)})
            assert answer.status_code in (200, 201), (path, answer.content)
            (last, *_) = browser.get(f"{API}/gebeurtenissen?soort={kind}&aantal=1").json()["resultaten"]
            assert datetime.datetime.fromisoformat(last["gebeurd_op"]) == now - datetime.timedelta(minutes=at), path
        return str(answer.json().get("id"))

    told_at(steps)
    early = {"status": "on_scene", "gebeurd_op": ago(-60)}
    assert post(lender, f"/eenheden/{told['eenheden'][0]}/meldingen", early).status_code == 409, (
        "nothing undoes it later"
    )
    offer = post(lender, "/aanboden", told | {"gebeurd_op": ago(44)}).json()["id"]
    for commitment in post(asker, f"/aanboden/{offer}/aanvaarden", {"gebeurd_op": ago(43)}).json()["ids"]:
        recall = {"stap": "unit_released", "reden": "eigen_inzet", "toelichting": "brand in Ede", "gebeurd_op": ago(42)}
        for step in (recall, {"stap": "unit_home", "gebeurd_op": ago(30)}):
            assert post(lender, f"/toezeggingen/{commitment}/stappen", step).status_code == 201
        read = asker.get(f"{API}/toezeggingen/{commitment}").json()
        assert (read["teruggeroepen"], read["toelichting"], read["afgevallen"]) == ("eigen_inzet", "brand in Ede", True)
    assert asker.get(f"{API}/regels/{request}-1").json()["vervuld"] == 0, "nobody came"
    cost = {"soort": "personeel", "centen": 900_000, "dag": "2026-07-01", "omschrijving": "inzet"}
    kept = told_at([(lender, f"/aanvragen/{request}/kosten", cost, 85, 25, "cost_entered")])
    wrong = post(lender, f"/aanvragen/{request}/kosten", {**cost, "gebeurd_op": ago(24)}).json()["id"]
    claim = told_at(
        [
            (lender, f"/kosten/{wrong}/terugnemen", {"reden": "dubbel"}, 26, 20, "cost_withdrawn"),
            (lender, f"/aanvragen/{request}/rijksbijdrage", {}, 31, 15, "claim_filed"),
        ]
    )
    decided = {"centen": 1, "reden": "volgens de regeling"}
    told_at([(client("demo-minister"), f"/rijksbijdragen/{claim}/beslissen", decided, 16, 10, "claim_decided")])
    entered = lender.get(f"{API}/kosten/{kept}").json()["opgevoerd_op"]
    assert datetime.datetime.fromisoformat(entered) == now - datetime.timedelta(minutes=25)
