"""What nobody may see, nowhere: every screen, answer, stream, map and file × owner, shared, stranger × every class."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import re
import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import pytest

from slagkracht.server import dossiers, ledger, live
from slagkracht.server import engine as seam
from slagkracht.server.database import CLASSES, Addresses, scope
from slagkracht.server.demo import give_mandate, give_person
from slagkracht.server.engine import Engine
from slagkracht.server.exchange import export_chain
from slagkracht.server.guard import find_acting
from slagkracht.server.interfaces import events
from slagkracht.server.journal import read_events, record
from slagkracht.server.verify_log import verify
from test_server_api import API, client, paths, post
from test_server_ledger import acting, new_units
from test_server_screens import engine, press  # noqa: F401  (a fixture)

HOUR = datetime.timedelta(hours=1)
OWNER, RECEIVER, STRANGER = "VR18", "VR17", "VR16"


@dataclass(frozen=True)
class Traces:
    """What VR18 has of one class: a mark that stands in all of it, and the ids under which it stands."""

    mark: str
    ids: dict[str, str]


def lay(information_class: str, world: str) -> Traces:
    """One incident with everything that follows from it, a unit and a dossier, all of one class."""
    mark = "merk" + secrets.token_hex(6)
    with acting(OWNER, world) as own:
        incident = ledger.open_incident(own, mark, 1.0, 2.0, "", information_class)
        kind = {"type_code": mark, "capabilities": [mark], "crew": 6, "station": mark, "status": "available"}
        own.insert("unit", unit_id=mark, region=OWNER, information_class=information_class, **kind)
        own.insert("unit_place", unit_id=mark, region=OWNER, x_m=1, y_m=2, place_at=own.at)
        ledger.report_unit(own, mark, "on_scene", 3.0, 4.0)
        wanted = ledger.Wanted(mark, "basiseenheid", 1, 1.0, 2.0, own.at, 8)
        request = ledger.make_request(own, incident, ledger.BY_NEIGHBOUR, mark, mark, [wanted], RECEIVER, mark)
        record(own, "note", {"incident": incident, "text": mark}, [RECEIVER])
        dossier = dossiers.open_dossier(own, "les", {"eigenaar": OWNER})
        ledger.classify(own, "dossier", dossier, information_class)
    with acting(RECEIVER, world) as theirs:
        offered = secrets.token_hex(6)
        theirs.insert(
            "unit", unit_id=offered, region=RECEIVER, **{**kind, "type_code": "TS6", "capabilities": [], "station": "K"}
        )
        offer = ledger.offer_units(theirs, f"{request}-1", [offered], 1, mark)
    ids = {"incident": incident, "request_id": request, "line": f"{request}-1", "offer": offer, "dossier": dossier,
           "unit": mark}  # fmt: skip
    return Traces(mark, ids)


@pytest.fixture(scope="module")
def traces(engine: Engine) -> dict[tuple[str, str], Traces]:  # noqa: F811
    """By world and class. All units and facts are shared with VR17, for now."""
    laid = {("echt", each): lay(each, "echt") for each in CLASSES} | {("oefening", "Intern"): lay("Intern", "oefening")}
    for world in ("echt", "oefening"):
        with acting(OWNER, world) as own:
            ledger.share(own, RECEIVER, "volledig", own.at + HOUR)
    return laid


def someone(
    database: Addresses, region: str, information_class: str, role: str = "officier", world: str = "echt"
) -> Any:
    """A browser in which someone is logged in who may see up to a class."""
    from django.contrib.auth.models import User

    user = User.objects.create(username=f"wie-{secrets.token_hex(5)}")
    until = datetime.datetime.now(datetime.UTC) + HOUR
    with psycopg.connect(database.owner) as owner, owner.cursor() as cursor:
        give_person(cursor, user.pk, region, "Demo Iemand")
        give_mandate(cursor, user.pk, region, role, world, until, information_class)
    return client(user.username)


NAMED = {"incident": "incident", "request_id": "request_id", "offer": "offer", "line": "line", "dossier": "dossier",
         "unit": "unit"}  # fmt: skip
API_IDS = {"incidenten": "incident", "aanvragen": "request_id", "regels": "line", "aanboden": "offer",
           "dossiers": "dossier", "eenheden": "unit"}  # fmt: skip


def screens() -> list[str]:
    """Every address outside of the API that the platform knows, as its own list of addresses has them."""
    from slagkracht.server.urls import urlpatterns

    return [str(each.pattern) for each in urlpatterns if str(each.pattern) != "api/v1/"]


def addresses(traces: list[Traces]) -> list[str]:
    """Every readable address, with the ids of ``traces`` wherever one names something."""
    from slagkracht.server.api.resources import RESOURCES
    from slagkracht.server.interfaces import exports
    from slagkracht.server.interfaces.layers import COLLECTIONS

    found = []
    for pattern in screens():
        names = re.findall(r"<(?:\w+:)?(\w+)>", pattern)
        if pattern in ("uitloggen", "taal", "handelen-als", "api/v1/gebeurtenissen/stroom") or pattern.startswith(
            "oidc"
        ):
            continue
        if names and names[0] in ("consent", "variant", "mandate", "entry", "claim", "document"):
            continue  # named by ids that nobody else has; documents are tried in test_server_assistance
        if pattern.startswith("ogc/v1/collections/"):
            items = [trace.ids[key] for trace in traces for key in ("incident", "unit", "line")]
            for collection in COLLECTIONS:
                filled = "/" + pattern.replace("<str:name>", collection)
                found += [filled.replace("<str:item>", item) for item in items] if "item" in names else [filled]
            continue
        assert set(names) <= set(NAMED), f"{pattern}: zeg hier met welke kenmerken dit adres bezocht wordt"
        for trace in traces if names else traces[:1]:
            filled = pattern
            for name in names:
                filled = filled.replace(f"<str:{name}>", trace.ids[NAMED[name]])
            found.append("/" + filled)
    for method, path in paths():
        if method != "get":
            continue
        noun = path.removeprefix(f"{API}/").split("/")[0]
        if "{naam}" in path:
            found += [path.replace("{naam}", name) for name in exports.FILES]
        elif "{id}" in path and noun in API_IDS:
            found += [path.replace("{id}", trace.ids[API_IDS[noun]]) for trace in traces]
        elif "{" not in path:
            found.append(path + ("?aantal=1000" if noun in {resource.noun for resource in RESOURCES} else ""))
    return [*found, "/logboek?om=2040-01-01T12:00", "/logboek?controle=1"]


def read_stream(browser: Any) -> bytes:
    """Everything that the live stream would tell this browser from the beginning."""
    request = browser.get("/beheer").wsgi_request
    who = find_acting(request)
    if who is None:
        return b""

    async def read() -> list[live.Row]:
        reader = live.Reader(who.region, who.world, who.information_class)
        async with await live.connect() as connection:
            return (await reader.catch_up(connection, (0, "", 0)))[1]

    return "".join(row["line"] for row in asyncio.run(read())).encode()


def look_everywhere(browser: Any, traces: list[Traces]) -> dict[str, bytes]:
    """What every address, stream, map and file answers to this browser."""
    answers = {"stroom": read_stream(browser)}
    for path in addresses(traces):
        answer = browser.get(path)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code in (200, 202, 301, 302, 400, 401, 403, 404, 405), (path, answer.status_code)
        answers[path] = content if answer.status_code == 200 else b""
    return answers


def shows(browser: Any, mark: bytes) -> bool:
    """Whether a mark stands in the two places where every unit with its place does."""
    return mark in read_stream(browser) and mark in browser.get(f"{API}/eenheden?aantal=1000").content


def seen(answers: dict[str, bytes], laid: dict[tuple[str, str], Traces]) -> dict[tuple[str, str], set[str]]:
    """Of each world and class, the places where something of it shows."""
    return {
        key: {path for path, content in answers.items() if trace.mark.encode() in content}
        for key, trace in laid.items()
    }


def test_every_kind_of_place_is_walked(database: Addresses, traces: dict[tuple[str, str], Traces]) -> None:
    """The owner with the highest mandate finds its marks on screens, in the API, the stream, maps and files."""
    from slagkracht.server.interfaces import exports

    answers = look_everywhere(someone(database, OWNER, "Geheim"), list(traces.values()))
    places = set.union(*(seen(answers, traces)[("echt", each)] for each in CLASSES))
    trace = traces[("echt", "Geheim")]
    assert {
        "stroom", "/", "/actiecentrum", "/regio", "/logboek", "/kaart/nu.json", "/logboek?om=2040-01-01T12:00",
        f"/actiecentrum/incidenten/{trace.ids['incident']}", f"/actiecentrum/aanvragen/{trace.ids['request_id']}",
        f"/actiecentrum/incidenten/{trace.ids['incident']}/overdracht", "/ogc/v1/collections/eenheden/items",
        "/ogc/v1/collections/incidenten/items", f"{API}/logboek", f"{API}/beeld",
        f"{API}/incidenten/{trace.ids['incident']}/cap", f"{API}/incidenten?aantal=1000",
    } <= places  # fmt: skip
    assert {f"{API}/bestanden/{name}" for name in exports.FILES if name != "toezeggingen.csv"} <= places


@pytest.mark.parametrize(
    ("region", "information_class"),
    [(OWNER, "Open"), (OWNER, "Intern"), (OWNER, "Vertrouwelijk"), (RECEIVER, "Intern"), (RECEIVER, "Vertrouwelijk")],
)
def test_nobody_sees_above_his_class_in_any_place(
    database: Addresses, traces: dict[tuple[str, str], Traces], region: str, information_class: str
) -> None:
    answers = look_everywhere(someone(database, region, information_class), list(traces.values()))
    found = seen(answers, traces)
    assert found[("oefening", "Intern")] == set(), "the real world shows nothing of the exercise"
    for n, each in enumerate(CLASSES):
        if n > CLASSES.index(information_class):
            assert found[("echt", each)] == set(), each
        else:
            assert found[("echt", each)], f"{each} is er wel te zien"


@pytest.mark.parametrize(("region", "role"), [(STRANGER, "voorzitter"), (OWNER, "beheerder")])
def test_a_high_mandate_elsewhere_opens_nothing(
    database: Addresses, traces: dict[tuple[str, str], Traces], region: str, role: str
) -> None:
    answers = look_everywhere(someone(database, region, "Geheim", role), list(traces.values()))
    assert {path for places in seen(answers, traces).values() for path in places} == set()


def test_the_exercise_shows_nothing_of_the_real_world(
    database: Addresses, traces: dict[tuple[str, str], Traces]
) -> None:
    player = someone(database, OWNER, "Geheim", world="oefening")
    answers = look_everywhere(player, list(traces.values()))
    found = seen(answers, traces)
    assert all(found[("echt", each)] == set() for each in CLASSES)
    assert found[("oefening", "Intern")]
    assert b'class="oefening"' in answers["/actiecentrum"]
    real = traces[("echt", "Intern")].ids
    for path, given in {
        f"/actiecentrum/incidenten/{real['incident']}/vastleggen": {"soort": "note", "tekst": "x"},
        f"/actiecentrum/aanvragen/{real['request_id']}/sluiten": {},
        f"/actiecentrum/aanboden/{real['offer']}/aanvaarden": {},
        "/klasse": {"wat": "incident", "kenmerk": real["incident"], "klasse": "Open"},
    }.items():
        assert player.post(path, given).status_code == 302
        assert b'class="melding fout"' in player.get("/beheer").content, path
    with acting(OWNER) as own:
        untouched = own.row("select closed_at from slagkracht.request where request_id = %s", real["request_id"])
        assert untouched == {"closed_at": None}


def test_what_is_redacted_shows_in_no_place(database: Addresses, traces: dict[tuple[str, str], Traces]) -> None:
    unit, station = "eenheid" + secrets.token_hex(6), "kazerne" + secrets.token_hex(6)
    with acting("VR10") as own:
        kind = {"type_code": "TS6", "capabilities": [], "crew": 6, "station": station}
        own.insert("unit", unit_id=unit, region="VR10", **kind)
        own.insert("unit_place", unit_id=unit, region="VR10", x_m=1, y_m=2, place_at=own.at)
        ledger.share(own, "VR09", "volledig", own.at + HOUR, ["kazerne", "bezetting"])
    walked = [traces[("echt", "Intern")]]
    theirs = look_everywhere(someone(database, "VR09", "Geheim"), walked)
    assert {path for path, content in theirs.items() if unit.encode() in content} >= {
        f"{API}/eenheden?aantal=1000", f"{API}/bestanden/slagkracht.gpkg", "/ogc/v1/collections/eenheden/items",
    }  # fmt: skip
    assert {path for path, content in theirs.items() if station.encode() in content} == set()
    assert station.encode() in someone(database, "VR10", "Geheim").get(f"{API}/eenheden?aantal=1000").content


# ── setting the class ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_gets_another_class_takes_its_facts_along(database: Addresses, engine: Engine) -> None:  # noqa: F811
    high, low = someone(database, "VR15", "Vertrouwelijk"), someone(database, "VR15", "Intern")
    mark = "merk" + secrets.token_hex(6)
    given = {"wat": mark, "x_m": "1000", "y_m": "400000", "niveau": ""}
    opened = high.post("/actiecentrum/incidenten", given)
    incident = opened.headers["Location"].rpartition("/")[2]
    high.post(f"/actiecentrum/incidenten/{incident}/vastleggen", {"soort": "note", "tekst": mark})
    assert mark in low.get("/logboek").content.decode()
    said = press(high, "/klasse", wat="incident", kenmerk=incident, klasse="Vertrouwelijk", terug="/actiecentrum")
    assert said == f"{incident} is nu Vertrouwelijk."
    assert mark not in low.get("/logboek").content.decode()
    assert low.get(f"/actiecentrum/incidenten/{incident}").status_code == 404
    assert mark in high.get("/logboek").content.decode()
    for browser, into in ((high, "Geheim"), (low, "Open"), (someone(database, "VR14", "Geheim"), "Open")):
        refused = press(browser, "/klasse", wat="incident", kenmerk=incident, klasse=into)
        assert "is hier niet" in refused
    assert low.post("/actiecentrum/incidenten", {**given, "klasse": "Geheim"}).headers["Location"] == "/"
    press(high, "/klasse", wat="incident", kenmerk=incident, klasse="Intern")
    assert mark in low.get("/logboek").content.decode()


def test_a_chain_goes_on_past_what_one_may_not_read(database: Addresses) -> None:
    with acting("VR13") as own:
        ledger.open_incident(own, "bijzonder", 1.0, 2.0, "", "Geheim")
    low = someone(database, "VR13", "Intern")
    assert post(low, "/gebeurtenissen", {"soort": "note", "inhoud": {"text": "gewoon"}}).status_code == 201
    with acting("VR13") as own:
        whole = "".join(export_chain(own))
        assert [event.number for event in read_events(own, "VR13")] == list(range(1, whole.count("\n") + 1))
    assert verify(whole) == []
    assert "Ja." in low.get("/logboek?controle=1").content.decode()
    refused = low.get(f"{API}/logboek")
    assert refused.status_code == 403
    assert "boven uw informatieklasse" in refused.json()["detail"]


def test_a_subscription_carries_no_more_than_who_subscribed_may_see(database: Addresses) -> None:
    low = someone(database, "VR12", "Intern")
    who = find_acting(low.get("/beheer").wsgi_request)
    assert who is not None
    with scope("VR12", "echt", "Iemand", who.account) as own:
        subscription, _ = events.subscribe(own, "http://127.0.0.1:9/nergens", [])
    with acting("VR12") as own:
        ledger.open_incident(own, "geheim", 1.0, 2.0, "", "Geheim")
    events.deliver("echt", "VR12", subscription)
    with scope("VR12", "echt", "bezorging") as own:
        row = own.row("select failed, told_at from slagkracht.delivery where subscription_id = %s", subscription)
    assert row is not None
    assert row["failed"] == "niet meer gedeeld"


# ── mandates by screen ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_administrator_gives_ends_and_hands_over_on_screen(database: Addresses, engine: Engine) -> None:  # noqa: F811
    keeper, other = (
        someone(database, "VR11", "Vertrouwelijk", "beheerder"),
        someone(database, "VR11", "Intern", "beleid"),
    )
    account = find_acting(other.get("/beheer").wsgi_request).account  # type: ignore[union-attr]
    give = {"persoon": account, "rol": "officier", "klasse": "Vertrouwelijk", "tot": "2040-01-01T12:00"}
    assert "gegeven" in press(keeper, "/beheer/mandaten", **give)
    acting_now = find_acting(other.get("/beheer").wsgi_request)
    assert acting_now is not None
    assert acting_now.roles == {"officier", "beleid"}
    assert acting_now.information_class == "Vertrouwelijk"
    assert "tot en met Geheim" in press(keeper, "/beheer/mandaten", **{**give, "klasse": "Geheim"})
    assert other.post("/beheer/mandaten", give).status_code == 403
    later = {**give, "rol": "voorzitter", "vanaf": "2039-12-31T12:00"}
    assert "gegeven" in press(keeper, "/beheer/mandaten", **later)
    assert "gaat nog in" in keeper.get("/beheer").content.decode()
    third = find_acting(someone(database, "VR11", "Open", "bestuur").get("/beheer").wsgi_request)
    assert third is not None
    assert "overgedragen" in press(other, "/beheer/overdragen", functie="officier", aan=third.account)
    assert find_acting(other.get("/beheer").wsgi_request).roles == {"beleid"}  # type: ignore[union-attr]
    with acting("VR11") as own:
        (*_, told) = [event for event in read_events(own, "VR11") if event.kind == "function_handed_over"]
    assert set(told.body) >= {"from", "to"}
    page = keeper.get("/beheer").content.decode()
    (mandate, *_) = re.findall(r"/beheer/mandaten/(\d+)/beeindigen", page)
    assert "beëindigd" in press(keeper, f"/beheer/mandaten/{mandate}/beeindigen")


def test_classes_are_ranked_alike_in_program_and_database(database: Addresses) -> None:
    with acting("VR11") as own:
        for n, each in enumerate(CLASSES, start=1):
            assert own.row("select slagkracht.rank(%s) as rank", each) == {"rank": n}
    assert all(a < b for a, b in itertools.pairwise(range(len(CLASSES))))


def test_what_a_unit_is_away_for_is_seen_up_to_its_class_and_that_it_is_away_by_all(
    engine: Engine,  # noqa: F811
    database: Addresses,
) -> None:
    number = int(
        np.flatnonzero(engine.plan.regions.code[engine.plan.stations.region[engine.plan.units.station]] == RECEIVER)[0]
    )
    unit, mark = str(engine.plan.units.unit_id[number]), "merk" + secrets.token_hex(6)
    with acting(OWNER) as own:
        incident = ledger.open_incident(own, mark, 1.0, 2.0, "", "Geheim")
        wanted = [ledger.Wanted(mark, "", 1, 1.0, 2.0, own.at, 8)]
        request = ledger.make_request(own, incident, ledger.BY_MINISTER, mark, mark, wanted)
        ledger.ask_regions(own, request, [RECEIVER, "LAC"])
    with acting(RECEIVER) as lender:
        offer = ledger.offer_units(lender, f"{request}-1", [unit], 1)
    with acting(OWNER) as own:
        (commitment,) = ledger.accept_offer(own, offer)
    asked = ("/", "/kaart/nu.json", "/regio", "/actiecentrum", f"{API}/toezeggingen",
             f"{API}/bestanden/toezeggingen.csv")  # fmt: skip
    named = (f"{API}/toezeggingen/{commitment}", f"{API}/toezeggingen/{commitment}/edxl")
    for region, low, role in ((RECEIVER, "Vertrouwelijk", "officier"), ("LAC", "Intern", "actiecentrum")):
        may, may_not = someone(database, region, "Geheim", role), someone(database, region, low, role)
        assert commitment in may.get(f"{API}/toezeggingen").content.decode()
        for address in asked:
            told = may_not.get(address).content.decode()
            assert commitment not in told, f"{region} {low}: {address}"
            assert mark not in told, f"{region} {low}: {address}"
        assert [(may.get(each).status_code, may_not.get(each).status_code) for each in named] == [(200, 404)] * 2
        away = [each for each in may.get("/kaart/nu.json").json()["eenheden"] if each["unit_id"] == unit]
        assert away[0]["receiver"] == OWNER
        assert all(
            each["receiver"] is None
            for each in may_not.get("/kaart/nu.json").json()["eenheden"]
            if each["unit_id"] == unit
        )
        account = find_acting(may_not.get("/").wsgi_request).account  # type: ignore[union-attr]
        with scope(region, "echt", "", account=account) as looking:
            situation = seam.read_situation(looking, engine)
            assert situation.units[unit].commitment == seam.HIDDEN
            assert not seam.compute_picture(engine, situation, looking.at).standing.free[number]
    with acting(STRANGER) as stranger:
        assert not stranger.rows("select * from slagkracht.held_units() where unit_id = %s", unit)
    low = someone(database, RECEIVER, "Vertrouwelijk")
    now = datetime.datetime.now(datetime.UTC).isoformat()
    place = {"id": secrets.token_hex(4), "eenheid": unit, "gebeurd_op": now, "x_m": 155_000.0, "y_m": 463_000.0}
    assert post(low, "/meldingen", {"meldingen": [place]}).status_code == 200
    with acting(OWNER) as own:
        heard = own.row(
            "select audience from slagkracht.event where body->>'unit' = %s and kind = 'unit_position'", unit
        )
        assert heard is not None
        assert set(heard["audience"]) == {OWNER, "LAC"}, "the one who asked hears where it is"


def send_away(how: str, information_class: str) -> tuple[str, str, str]:
    """A unit of VR14 on the scene, promised to VR13 or of its own: (unit, incident, commitment)."""
    unit, commitment = "eenheid" + secrets.token_hex(4), ""
    with acting("VR14") as own:
        own.insert("unit", unit_id=unit, region="VR14", type_code="TS6", capabilities=[], crew=6, station="K")
        ledger.report_unit(own, unit, "available", 1.0, 2.0)
    with acting("VR13" if how == "toegezegd" else "VR14") as own:
        incident = ledger.open_incident(own, "stil", 1.0, 2.0, "", information_class)
        if how == "toegezegd":
            wanted = ledger.Wanted("basiseenheid", "basiseenheid", 1, 1.0, 2.0, own.at, 8)
            line = ledger.make_request(own, incident, ledger.BY_NEIGHBOUR, "m", "s", [wanted], "VR14") + "-1"
    if how == "toegezegd":
        with acting("VR14") as own:
            offer = ledger.offer_units(own, line, [unit], 1)
        with acting("VR13") as own:
            (commitment,) = ledger.accept_offer(own, offer)
    with acting("VR14") as own:
        ledger.report_unit(own, unit, "on_scene", incident="" if how == "toegezegd" else incident)
    return unit, incident, commitment


@pytest.mark.parametrize("how", ["toegezegd", "eigen"])
def test_a_place_tells_no_more_than_the_incident_may(database: Addresses, engine: Engine, how: str) -> None:  # noqa: F811
    """Where a unit is on a Geheim incident shows in no place to who may not see that incident."""
    from slagkracht.server.interfaces import feeds  # asks for Django

    unit, _, commitment = send_away(how, "Geheim")
    x_m = round(150_000 + secrets.randbelow(10_000_000) / 1_000, 3)
    low, high = someone(database, "VR14", "Vertrouwelijk"), someone(database, "VR14", "Geheim")
    told = {"id": secrets.token_hex(8), "eenheid": unit, "x_m": x_m, "y_m": 450_000.0}
    told["gebeurd_op"] = datetime.datetime.now(datetime.UTC).isoformat()
    with acting("VR14") as own:
        assert feeds.take_reports(own, [told]).accepted == [told["id"]]
    walked = [Traces("", dict.fromkeys(set(NAMED.values()), unit))]
    mark = str(x_m).encode()
    assert {path for path, content in look_everywhere(low, walked).items() if mark in content} == set()
    assert shows(high, mark)
    told |= {"id": secrets.token_hex(8), "gebeurd_op": datetime.datetime.now(datetime.UTC).isoformat()}
    with scope("VR14", "echt", "iemand", low_account(low)) as own:
        assert feeds.take_reports(own, [told]).accepted == [told["id"]], "who may not look may tell"
    with acting("VR14") as own:
        ledger.report_unit(own, unit, "available")
    if how == "toegezegd":
        with acting("VR13") as own:
            ledger.move_commitment(own, commitment, "unit_released")
        with acting("VR14") as own:
            ledger.move_commitment(own, commitment, "unit_home")
    assert mark in low.get(f"{API}/eenheden?aantal=1000").content, "home again it is no secret"
    assert mark not in read_stream(low), "what was told then stays of the class that it had"


@pytest.mark.parametrize("how", ["toegezegd", "eigen"])
def test_a_place_follows_its_incident_into_another_class_at_once(database: Addresses, engine: Engine, how: str) -> None:  # noqa: F811
    unit, incident, _ = send_away(how, "Intern")
    x_m = round(150_000 + secrets.randbelow(10_000_000) / 1_000, 3)
    with acting("VR14") as own:
        ledger.report_unit(own, unit, "on_scene", x_m, 450_000.0, incident="" if how == "toegezegd" else incident)
    low, high = someone(database, "VR14", "Vertrouwelijk"), someone(database, "VR14", "Geheim")
    walked, mark = [Traces("", dict.fromkeys(set(NAMED.values()), unit))], str(x_m).encode()
    for information_class, seen_below in (("Intern", True), ("Geheim", False), ("Vertrouwelijk", True)):
        with acting("VR13" if how == "toegezegd" else "VR14") as own:
            ledger.classify(own, "incident", incident, information_class)
        assert shows(high, mark), information_class
        if seen_below:
            assert shows(low, mark), information_class
        else:
            found = {path for path, content in look_everywhere(low, walked).items() if mark in content}
            assert found == set(), information_class


def low_account(browser: Any) -> int:
    who = find_acting(browser.get("/beheer").wsgi_request)
    assert who is not None
    return who.account


def test_a_place_that_was_told_before_its_status_has_the_class_of_what_the_unit_was_away_for(
    database: Addresses,
) -> None:
    minute = datetime.timedelta(minutes=1)
    (unit,) = new_units("VR14", 1)
    with acting("VR14") as own:
        secret = ledger.open_incident(own, "brand", 1.0, 2.0, "", "Geheim")
        for minutes in (5, 3, 1):
            record(own, "unit_position", {"unit": unit, "x_m": 1.0, "y_m": 2.0}, [], own.at - minutes * minute)
        status = {"unit": unit, "status": "available"}
        record(own, "unit_status", {**status, "status": "en_route", "incident": secret}, [], own.at - 4 * minute)
    with acting("VR14") as own:
        told = own.rows(
            "select information_class from slagkracht.event where kind = 'unit_position' and body->>'unit' = %s "
            "order by happened_at",
            unit,
        )
    assert [row["information_class"] for row in told] == ["Intern", "Geheim", "Geheim"]
