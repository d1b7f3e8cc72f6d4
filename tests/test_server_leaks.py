"""Every address, stream, webhook and file × every role × own, shared, ended, run out and foreign: what shows where."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from slagkracht.server import assistance, costs, demo, dossiers, ledger, move_ups
from slagkracht.server import engine as seam
from slagkracht.server.database import Addresses, Scope, scope
from slagkracht.server.demo import give_mandate, give_person
from slagkracht.server.engine import Engine
from slagkracht.server.guard import find_acting
from slagkracht.server.journal import record
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.procedure_files import read_procedures
from test_server_api import API, client, paths, post
from test_server_classes import read_stream, screens
from test_server_ledger import acting

DAY = datetime.timedelta(days=1)
OWNER, PARTNER = "VR18", "VR19"
RELATIONS = {
    "own": OWNER,
    "shared": "VR17",
    "ended": "VR16",
    "run out": "VR15",
    "not begun": "VR14",
    "foreign": "VR13",
    "redacted": "VR12",
}
MARK, STATION = "merk" + secrets.token_hex(6), "kazerne" + secrets.token_hex(6)
ROLES = read_procedures()[1]
REGIONAL = [*(code for code, role in ROLES.items() if not role.national), "beheerder"]
NATIONAL = [code for code, role in ROLES.items() if role.national]


@pytest.fixture(scope="module", autouse=True)
def engine(database: object) -> Iterator[Engine]:
    loaded = seam.load(build_modelland(areas=342, nodes=10_000))
    demo.lay_units(loaded.plan)
    yield loaded
    seam.unload()


def someone(database: Addresses, region: str, roles: list[str], world: str = "echt") -> Any:
    """A browser of someone who holds ``roles`` and may see everything of ``region`` that there is to see."""
    from django.contrib.auth.models import User

    user = User.objects.create(username=f"wie-{secrets.token_hex(5)}")
    until = datetime.datetime.now(datetime.UTC) + DAY
    with psycopg.connect(database.owner) as owner, owner.cursor() as cursor:
        give_person(cursor, user.pk, region, "Demo Iemand")
        for role in roles:
            give_mandate(cursor, user.pk, region, role, world, until, "Geheim")
    return client(user.username)


def officer(region: str) -> Any:
    return scope(region, "echt", f"Demo Officier {region}", 0, frozenset({"officier"}))


def marked_unit(own: Scope, region: str) -> str:
    name = f"{MARK}-{region}-{secrets.token_hex(3)}"
    kind = {"type_code": MARK, "capabilities": [MARK], "crew": 6, "station": STATION, "status": "available"}
    own.insert("unit", unit_id=name, region=region, **kind)
    own.insert("unit_place", unit_id=name, region=region, x_m=1, y_m=2, place_at=own.at)
    return name


def lend(lender: str, asker: str) -> tuple[str, str, str, str]:
    """A direct request that was met and came home: (incident, request, offer, commitment)."""
    with officer(asker) as own:
        incident = ledger.open_incident(own, MARK, 1.0, 2.0, MARK)
        wanted = ledger.Wanted(MARK, MARK, 1, 1.0, 2.0, own.at, 8)
        request = assistance.request_assistance(
            own, incident, ledger.BY_NEIGHBOUR, MARK, MARK, [wanted], lender, MARK, MARK, MARK
        )
    with officer(lender) as own:
        offer = assistance.offer_units(own, f"{request}-1", [marked_unit(own, lender)], 1, MARK)
    with officer(asker) as own:
        (commitment,) = assistance.accept_offer(own, offer)
    return incident, request, offer, commitment


@pytest.fixture(scope="module")
def ids(database: Addresses, engine: Engine) -> dict[str, str]:
    """One of everything that VR18 can have, each with a mark in it: by the name that an address gives it."""
    from slagkracht.server.keys import make_key  # asks for Django

    incident, request, offer, commitment = lend(PARTNER, OWNER)
    _, lent, _, given = lend(OWNER, PARTNER)
    for who, step in ((OWNER, "unit_en_route"), (OWNER, "unit_arrived"), (PARTNER, "unit_deployed"),
                      (PARTNER, "unit_released"), (OWNER, "unit_home")):  # fmt: skip
        with officer(who) as own:
            assistance.move_commitment(own, given, step)
    browser = someone(database, OWNER, REGIONAL)
    who = find_acting(browser.get("/beheer").wsgi_request)
    assert who is not None
    with officer(OWNER) as own:
        unit = marked_unit(own, OWNER)
        stations, units = engine.plan.stations, engine.plan.units
        mine = engine.plan.regions.code[stations.region[units.station]] == OWNER
        moved = str(units.unit_id[mine][0])
        move_ups.order_move_up(own, moved, move_ups.Place(STATION, 5.0, 6.0), move_ups.Place("K", 1.0, 2.0))
        note = record(own, "note", {"text": MARK}).event_id
        dossier = dossiers.open_dossier(own, "les", {"eigenaar": OWNER}, centre=False)
        entry = costs.enter_cost(own, lent, "personeel", 9_000_000_000, own.at.date(), MARK)
        own.insert(
            "variant", variant_id=f"V-{MARK}", region=OWNER, name=MARK, content=f'naam = "{MARK}"', plan_hash="x",
            made_by=MARK, made_at=own.at,
        )  # fmt: skip
        own.insert(
            "rotation", rotation_id=f"W-{MARK}", region=OWNER, audience=[], incident_id=incident, plan_hash="x",
            content="{}", made_by=MARK, made_at=own.at,
        )  # fmt: skip
        letter = own.row(
            "select document_id from slagkracht.document where request_id = %s and region = %s", request, OWNER
        )
        assert letter is not None
    with scope(OWNER, "echt", "wie", who.account, frozenset(REGIONAL)) as own:
        key, _ = make_key(own, MARK, own.at + DAY)
    subscription = post(browser, "/abonnementen", {"adres": f"http://127.0.0.1:9/{MARK}", "soorten": []}).json()["id"]
    with acting(OWNER) as own:
        ledger.share(own, RELATIONS["shared"], "volledig", own.at + DAY)
        consent = ledger.share(own, RELATIONS["ended"], "volledig", own.at + DAY)
        ledger.stop_sharing(own, consent)
        kept = ledger.share(own, "VR01", "plaats", own.at + DAY)
        ledger.share(own, RELATIONS["redacted"], "volledig", own.at + DAY, ["kazerne", "bezetting"])
    with psycopg.connect(database.owner) as owner:
        for number, (receiver, starts, until) in enumerate([("run out", -2, -1), ("not begun", 1, 2)]):
            owner.execute(
                "insert into slagkracht.consent (consent_id, world, region, receiver, tier, starts_at, until) values "
                "(%s, 'echt', %s, %s, 'volledig', now() + %s * interval '1 day', now() + %s * interval '1 day')",
                (f"D-{number}-oud", OWNER, RELATIONS[receiver], starts, until),
            )
        row = owner.execute("select min(mandate_id) from slagkracht.mandate where region = %s", (OWNER,)).fetchone()
        assert row is not None
    return {
        "incident": incident, "request_id": request, "line": f"{request}-1", "offer": offer, "dossier": dossier,
        "unit": unit, "document": letter["document_id"], "variant": f"V-{MARK}",
        "consent": kept, "mandate": str(row[0]),
        "entry": entry, "claim": "R-nooit-gevraagd", "incidenten": incident, "aanvragen": request,
        "regels": f"{request}-1", "aanboden": offer, "toezeggingen": commitment, "eenheden": unit,
        "gebeurtenissen": note, "dossiers": dossier, "toestemmingen": kept, "stukken": letter["document_id"],
        "kosten": entry, "rijksbijdragen": "R-nooit-gevraagd", "sleutels": key, "abonnementen": subscription,
        "besluiten": "999999999", "regios": OWNER, "item": unit,
    }  # fmt: skip


OPEN = ("regios/{id}", "procedures/{code}")
"""What is no region's own, though its address names something."""


def addresses(ids: dict[str, str]) -> dict[str, str]:
    """Every address that the platform and its API list, filled in with the ids of VR18: pattern → address."""
    from slagkracht.server.interfaces import exports
    from slagkracht.server.interfaces.layers import COLLECTIONS

    found = {}
    for pattern in screens():
        if pattern in ("uitloggen", "taal", "handelen-als", "api/v1/gebeurtenissen/stroom") or "oidc" in pattern:
            continue
        many = COLLECTIONS if "<str:name>" in pattern else [""]
        for name in many:
            filled = pattern.replace("<str:name>", name)
            found[filled] = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda of: ids[of[1]], filled)
    for method, path in paths():
        if method == "get":
            noun, tail = path.removeprefix(f"{API}/").split("/")[0], path.removeprefix(f"{API}/")
            for name in exports.FILES if "{naam}" in path else [""]:
                filled = path.replace("{id}", ids.get(noun, "")).replace("{code}", "les").replace("{naam}", name)
                found[tail.replace("{naam}", name)] = filled if "{" in tail else f"{filled}?aantal=1000"
    return found


def look(browser: Any, ids: dict[str, str], mark: str = MARK) -> tuple[set[str], set[str]]:
    """The patterns where the mark shows, and those that name something of VR18 and are answered."""
    shown, answered = set(), set()
    for pattern, address in addresses(ids).items():
        answer = browser.get(address)
        if answer.status_code == 400 and "aantal=1000" in address:
            answer = browser.get(address.split("?")[0])
        assert answer.status_code < 500, (address, answer.status_code)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if answer.status_code == 200:
            own_words = content.decode("utf-8", "replace").replace(address, "")
            if mark in own_words:
                shown.add(pattern)
            if re.search("[<{](?!naam)", pattern) and not pattern.startswith(OPEN):
                answered.add(pattern)
    if mark.encode() in read_stream(browser):
        shown.add("stroom")
    return shown, answered


def deliverable(region: str, subscription: str) -> bool:
    """Whether a webhook of ``region`` carries a fact in which the mark stands."""
    from slagkracht.server.interfaces import events

    with scope(region, "echt", "bezorging") as own:
        events.queue_new(own, subscription)
        rows = own.rows(
            "select e.line from slagkracht.delivery d join slagkracht.event e on e.world = d.world "
            "and e.chain = d.chain and e.number = d.number where d.subscription_id = %s",
            subscription,
        )
    return any(MARK in row["line"] for row in rows)


SHARED = {"eenheden", "incidenten", "gebeurtenissen", "beeld", "bestanden/gebeurtenissen.csv",
          "bestanden/slagkracht.gpkg", "stroom"}  # fmt: skip
"""Where a region that VR18 shares all with finds its units, incidents and facts, at the least."""
NEVER = ("aanvragen", "regels", "aanboden", "toezeggingen", "stukken", "kosten", "rijksbijdragen", "sleutels",
         "dossiers", "abonnementen", "logboek", "besluiten", "plantafel", "beheer", "actiecentrum/aanvragen",
         "regio/regels", "bestanden/aanvragen", "bestanden/regels", "bestanden/aanboden")  # fmt: skip
"""Where nobody finds what is VR18's and its partner's, whatever is shared."""


def test_the_owner_finds_one_of_everything(database: Addresses, ids: dict[str, str]) -> None:
    """So that a walk which finds nothing elsewhere means something."""
    shown, answered = look(someone(database, OWNER, REGIONAL), ids)
    assert shown >= SHARED | {"logboek", "aanvragen", "regels", "aanboden", "toezeggingen", "kosten", "sleutels",
                              "abonnementen", "actiecentrum", "regio", "beheer", "plantafel"}  # fmt: skip
    assert answered >= {f"{noun}/{{id}}" for noun in (
        "incidenten", "aanvragen", "regels", "aanboden", "toezeggingen", "eenheden", "gebeurtenissen", "dossiers",
        "toestemmingen", "stukken", "kosten", "sleutels")}  # fmt: skip
    assert answered >= {"stukken/<str:document>", "stukken/{id}/inhoud", "plantafel/varianten/<str:variant>.toml",
                        "actiecentrum/incidenten/<str:incident>", "actiecentrum/aanvragen/<str:request_id>/kosten",
                        "besluiten/dossiers/<str:dossier>", "aanvragen/{id}/edxl"}  # fmt: skip


@pytest.mark.parametrize("role", REGIONAL)
@pytest.mark.parametrize("relation", [name for name in RELATIONS if name not in ("own", "shared", "redacted")])
def test_nobody_finds_anything_that_is_not_shared_now(
    database: Addresses, ids: dict[str, str], relation: str, role: str
) -> None:
    browser = someone(database, RELATIONS[relation], [role])
    made = post(browser, "/abonnementen", {"adres": "http://127.0.0.1:9/", "soorten": []})
    assert look(browser, ids) == (set(), set())
    if made.status_code == 201:
        with acting(OWNER) as own:
            record(own, "note", {"text": MARK})
        assert not deliverable(RELATIONS[relation], made.json()["id"])


@pytest.mark.parametrize("role", NATIONAL)
def test_the_centre_finds_nothing_of_two_who_help_each_other(
    database: Addresses, ids: dict[str, str], role: str
) -> None:
    assert look(someone(database, "LAC", [role]), ids) == (set(), set())


@pytest.mark.parametrize("role", REGIONAL)
def test_who_is_shared_with_finds_units_incidents_and_facts_and_no_more(
    database: Addresses, ids: dict[str, str], role: str
) -> None:
    browser = someone(database, RELATIONS["shared"], [role])
    made = post(browser, "/abonnementen", {"adres": "http://127.0.0.1:9/", "soorten": []})
    shown, answered = look(browser, ids)
    if role == "beheerder":
        assert (shown, answered) == (set(), set())
        return
    assert shown >= SHARED
    assert {pattern for pattern in shown | answered if pattern.startswith(NEVER)} <= {"logboek", "logboek/tegenspraken"}
    if made.status_code == 201:
        with acting(OWNER) as own:
            record(own, "note", {"text": MARK})
        assert deliverable(RELATIONS["shared"], made.json()["id"])


def test_what_is_left_out_of_sharing_is_nowhere(database: Addresses, ids: dict[str, str]) -> None:
    """Also not in the log: that a unit stands in for a station tells which station."""
    browser = someone(database, RELATIONS["redacted"], REGIONAL)
    assert look(browser, ids)[0] >= SHARED
    assert look(browser, ids, STATION)[0] == set()
    assert look(someone(database, RELATIONS["shared"], REGIONAL), ids, STATION)[0] >= {
        "eenheden",
        "gebeurtenissen",
        "stroom",
    }


def test_the_exercise_finds_nothing_of_the_real_world(database: Addresses, ids: dict[str, str]) -> None:
    assert look(someone(database, OWNER, REGIONAL, "oefening"), ids) == (set(), set())


# ── nobody changes it either ──────────────────────────────────────────────────────────────────────────────────────────

FORMS: dict[str, dict[str, object]] = {
    "actiecentrum/incidenten/<str:incident>/vastleggen": {"soort": "note", "tekst": "x"},
    "actiecentrum/incidenten/<str:incident>/aanvragen": {
        "formatie": ["basispeloton"], "aantal": ["1"], "nodig_op": "2040-07-01T12:00", "uren": 12,
        "grond": "wvr51_minister", "mandaat": "x", "ondertekenaar": "x"},
    "actiecentrum/incidenten/<str:incident>/aflossing": {"tot": "2040-07-01T12:00"},
    "actiecentrum/incidenten/<str:incident>/aflossing/aanvragen": {"golven": 1, "mandaat": "x", "ondertekenaar": "x"},
    "actiecentrum/aanvragen/<str:request_id>/kosten/opvoeren": {
        "soort": "personeel", "wat": "x", "dag": "2026-01-01", "bedrag": "10,00"},
    "actiecentrum/aanvragen/<str:request_id>/kosten/vragen": {},
    "kosten/<str:entry>/terugnemen": {"reden": "x"},
    "rijksbijdragen/<str:claim>/beslissen": {"bedrag": "0", "reden": "x"},
    "actiecentrum/regels/<str:line>/overnemen": {},
    "actiecentrum/aanvragen/<str:request_id>/uitzetten": {"regios": ["VR13"]},
    "actiecentrum/aanvragen/<str:request_id>/sluiten": {},
    "actiecentrum/aanboden/<str:offer>/aanvaarden": {},
    "actiecentrum/aanboden/<str:offer>/stap": {"stap": "unit_released"},
    "regio/regels/<str:line>/aanbieden": {"eenheden": [], "aantal": 1},
    "regio/regels/<str:line>/weigeren": {"reden": "materieel"},
    "regio/herbezetten/<str:unit>": {"stap": "ended"},
    "regio/delen/<str:consent>/beeindigen": {},
    "plantafel/varianten/<str:variant>/indienen": {},
    "besluiten/dossiers/<str:dossier>/stappen": {
        "stap": "voorstellen", "regel_of_middel": "x", "wijziging": "y"},
    "beheer/mandaten/<int:mandate>/beeindigen": {},
}  # fmt: skip
"""Every address that changes something by name, with what a form would send it."""


def test_every_form_by_name_is_sent(database: Addresses, ids: dict[str, str]) -> None:
    browser = someone(database, OWNER, REGIONAL)
    named = {pattern: address for pattern, address in addresses(ids).items() if "<" in pattern}
    only_sent = {pattern for pattern, address in named.items() if browser.get(address).status_code == 405}
    assert only_sent == set(FORMS)


def everything_of(database: Addresses, region: str) -> dict[str, str]:
    """What the database holds of a region in both worlds, table by table."""
    with psycopg.connect(database.owner) as owner:
        tables = owner.execute(
            "select c.table_name, c.column_name from information_schema.columns c where c.table_schema = 'slagkracht' "
            "and c.column_name in ('region', 'chain') and c.table_name not in ('held_checkpoint', 'delivery')"
        ).fetchall()
        rows = {
            table: owner.execute(
                f"select t::text from slagkracht.{table} t where {column} = %s order by 1",  # type: ignore[arg-type]
                (region,),
            ).fetchall()
            for table, column in tables
        }
    return {table: hashlib.sha256(repr(found).encode()).hexdigest() for table, found in rows.items() if found}


@pytest.mark.parametrize("who", ["shared", "foreign", "LAC", "oefening"])
def test_nobody_else_changes_anything(database: Addresses, ids: dict[str, str], who: str) -> None:
    region = "LAC" if who == "LAC" else OWNER if who == "oefening" else RELATIONS[who]
    roles = NATIONAL if who == "LAC" else REGIONAL
    browser = someone(database, region, roles, "oefening" if who == "oefening" else "echt")
    before = everything_of(database, OWNER)
    for pattern, given in FORMS.items():
        address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda of: ids[of[1]], pattern)
        assert browser.post(address, given).status_code in (302, 403, 404), address
    for form, given in {
        "/klasse": {"wat": "incident", "kenmerk": ids["incident"], "klasse": "Open"},
        "/regio/herbezetten": {"zet": f"{ids['unit']}|K"},
    }.items():
        assert browser.post(form, given).status_code in (302, 403, 404), form
    for noun in ("sleutels", "abonnementen"):
        assert browser.delete(f"{API}/{noun}/{ids[noun]}").status_code == 404
    after = everything_of(database, OWNER)
    assert {table for table in before if before[table] != after[table]} == set()
    assert len(before) > 15, "it was there to be changed"
