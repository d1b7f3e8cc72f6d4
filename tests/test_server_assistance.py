"""A request with its procedure, letters and costs: what the ledger does the dossier follows, and papers go to whom."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import io
import re
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pypdf import PdfReader

from slagkracht.server import assistance, costs, documents, ledger
from slagkracht.server import engine as seam
from slagkracht.server.database import Scope, scope
from slagkracht.server.engine import Engine
from slagkracht.server.journal import read_events
from slagkracht.sources.modelland import build_modelland
from slagkracht.sources.procedure_files import read_procedures
from test_server_api import client, post
from test_server_interfaces_messages import ASKED, send
from test_server_ledger import acting, new_units
from test_server_screens import press, text_of

API, HOUR = "/api/v1", datetime.timedelta(hours=1)
STEPS = {step.code: step for step in read_procedures()[0]["bijstandsaanvraag"].steps}


@pytest.fixture(scope="module", autouse=True)
def engine(database: object) -> Iterator[Engine]:
    yield seam.load(build_modelland(areas=600, nodes=30_000))
    seam.unload()


def officer(region: str) -> Any:
    return scope(region, "echt", f"Demo Officier {region}", roles=frozenset({"officier"}))


def centre() -> Any:
    return scope("LAC", "echt", "Demo Actiecentrum", roles=frozenset({"actiecentrum"}))


def ask(own: Scope, neighbour: str = "", count: int = 1) -> str:
    incident = ledger.open_incident(own, "Natuurbrand Ermelo", 172_000, 478_000, "GRIP 3")
    wanted = ledger.Wanted("basispeloton", "basiseenheid", count, 172_000, 478_000, own.at, 8)
    ground = ledger.BY_NEIGHBOUR if neighbour else ledger.BY_MINISTER
    return assistance.request_assistance(
        own, incident, ground, "mandaatbesluit 2025-3", "Voorzitter VR06", [wanted], neighbour,
        agreement="crisisplan par. 4.2", urgency="overslag binnen het uur",
    )  # fmt: skip


def state_of(own: Scope, request: str) -> str:
    row = own.row("select content->>'state' as state from slagkracht.dossier join slagkracht.request "
                  "using (dossier_id) where request_id = %s", request)  # fmt: skip
    assert row is not None
    return str(row["state"])


def case_of(request: str) -> str:
    with officer("VR06") as own:
        return str(find(own, request)["dossier_id"])


def find(own: Scope, request: str) -> dict[str, Any]:
    row = own.row("select * from slagkracht.request where request_id = %s", request)
    assert row is not None
    return row


def lend(request: str, region: str, units: int = 2) -> list[str]:
    """A region lends, drives, works and comes home; returns the commitments."""
    with acting(region) as lender:
        offer = assistance.offer_units(lender, f"{request}-1", new_units(region, units), 1)
    with officer("VR06") as own:
        made = assistance.accept_offer(own, offer)
    for who, step in [(region, "unit_en_route"), (region, "unit_arrived"), ("VR06", "unit_deployed"),
                      ("VR06", "unit_released"), (region, "unit_home")]:  # fmt: skip
        for commitment in made:
            with acting(who) as one:
                ledger.move_commitment(one, commitment, step)
    return made


def words(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def test_the_documents_are_those_that_the_procedure_names() -> None:
    with officer("VR06") as own:
        request = ask(own)
        assert state_of(own, request) == "bij_minister"
        listed = documents.list_documents(own, request)
        assert sorted(row["name"] for row in listed) == sorted(STEPS["ondertekenen"].documents)
        kept = {row["name"]: documents.read_document(own, row["document_id"]) for row in listed}
        told = {e.body["document"]: e.body["sha256"] for e in read_events(own, "VR06") if e.kind == "document_made"}
    for row in kept.values():
        assert hashlib.sha256(row["content"]).hexdigest() == row["sha256"] == told[row["document_id"]]
    letter = words(kept["bijstandsbrief"]["content"])
    assert "Reden van spoed" not in letter
    for said in ("De Minister van Justitie en Veiligheid", "artikel 51, eerste lid", "mandaatbesluit 2025-3",
                 "Voorzitter VR06", "Basispeloton", "GRIP 3", "Natuurbrand Ermelo",
                 "te verifiëren", request):  # fmt: skip
        assert said in letter
    assert "commissaris van de Koning" in words(kept["kennisgeving commissaris van de Koning"]["content"])


def test_a_request_that_comes_as_a_message_has_the_same_dossier_and_papers() -> None:
    text = ASKED.format(id="urn:meldkamer:" + secrets.token_hex(4))
    answer = send(client("demo-officier-vr06"), "/berichten", text)
    request = answer.json()["gevolg"].removeprefix("aanvraag ")
    with officer("VR06") as own:
        assert state_of(own, request) == "bij_minister"
        listed = documents.list_documents(own, request)
    assert sorted(row["name"] for row in listed) == sorted(STEPS["ondertekenen"].documents)


def test_a_direct_request_writes_to_the_neighbour_and_the_centre_sees_none_of_it() -> None:
    with officer("VR06") as own:
        request = ask(own, neighbour="VR07")
        assert state_of(own, request) == "bij_buur"
        listed = documents.list_documents(own, request)
        assert sorted(row["name"] for row in listed) == sorted(STEPS["rechtstreeks"].documents)
        letter = next(row["document_id"] for row in listed if row["name"] == "bijstandsbrief")
        said = words(documents.read_document(own, letter)["content"])
    assert "De voorzitter van veiligheidsregio VR07" in said
    assert "Afspraak in het crisisplan crisisplan par. 4.2" in said
    assert "Reden van spoed overslag binnen het uur" in said
    assert client("demo-officier-vr07").get(f"/stukken/{letter}").status_code == 200
    answer = client("demo-officier-vr07").get(f"{API}/stukken/{letter}/inhoud")
    assert answer.content.startswith(b"%PDF")
    for stranger in ("demo-actiecentrum", "demo-officier-vr08"):
        assert client(stranger).get(f"/stukken/{letter}").status_code == 404
        assert client(stranger).get(f"{API}/stukken/{letter}").status_code == 404
    with acting("LAC") as own:
        assert own.rows("select 1 from slagkracht.dossier join slagkracht.request using (dossier_id)") is not None
        assert own.row("select 1 as one from slagkracht.document where document_id = %s", letter) is None
    with officer("VR07") as lender:
        assistance.offer_units(lender, f"{request}-1", new_units("VR07", 1), 1)
    with officer("VR06") as own:
        assert state_of(own, request) == "verleend", "the neighbour's offer is its promise"


def test_the_dossier_follows_what_the_ledger_does() -> None:
    with officer("VR06") as own:
        request = ask(own, count=2)
    with centre() as lead:
        assistance.ask_regions(lead, request, ["VR05", "VR07"])
        assert state_of(lead, request) == "uitgezet"
    lend(request, "VR07")
    with officer("VR06") as own:
        assert state_of(own, request) == "verleend"
        empty = ask(own)
        assistance.close_request(own, empty)
        assert state_of(own, empty) == "ingetrokken"
    page = text_of(client("demo-officier-vr06").get(f"/actiecentrum/aanvragen/{request}"))
    assert "bijstand verleend" in page
    assert "aanvraag rijksbijdrage binnen twaalf maanden" in page
    assert "Bijstandsbrief" in page


def test_however_a_request_ends_what_is_unmet_keeps_a_reason() -> None:
    """Withdrawn in its dossier, refused by the minister, its incident closed with or without an offer left, or over."""

    def ended(own: Scope, request: str) -> tuple[str, bool]:
        line = own.row("select * from slagkracht.request_line where request_id = %s", request)
        closed = own.row("select closed_at is not null as shut from slagkracht.request where request_id = %s", request)
        assert line is not None
        assert closed is not None
        assert line["unmet"] == (line["count"] if closed["shut"] else 0)
        return line["unmet_reason"], closed["shut"]

    with officer("VR06") as own:
        asked = [ask(own) for _ in range(4)]
        incidents = [find(own, request)["incident_id"] for request in asked]
        now = own.at
        old = ledger.open_incident(own, "Hooibrand", 172_000, 478_000, happened_at=now - datetime.timedelta(hours=9))
        wanted = [ledger.Wanted("basispeloton", "basiseenheid", 1, 172_000, 478_000, now - h * HOUR, 4) for h in (7, 5)]
        over = assistance.request_assistance(
            own, old, ledger.BY_MINISTER, "m", "s", wanted[:1], happened_at=now - 8 * HOUR
        )
        lasts = assistance.request_assistance(own, old, ledger.BY_MINISTER, "m", "s", [*wanted, dataclasses.replace(
            wanted[0], hours=8)], happened_at=now - 8 * HOUR)  # fmt: skip
    dossier = {request: case_of(request) for request in asked}
    steps = ((client("demo-officier-vr06"), "intrekken"), (client("demo-minister"), "afwijzen"))
    for request, (browser, step) in zip(asked, steps, strict=False):
        path = f"/besluiten/dossiers/{dossier[request]}/stappen"
        press(browser, path, stap=step, **{"antwoord-reden": "onder controle"})
    with centre() as lead:
        assistance.ask_regions(lead, asked[3], ["VR07"])
    with acting("VR07") as lender:
        assistance.offer_units(lender, f"{asked[3]}-1", new_units("VR07", 1), 1)
    page = client("demo-officier-vr06")
    assert "Vastgelegd" in press(page, f"/actiecentrum/incidenten/{incidents[2]}/vastleggen", soort="incident_closed")
    assert post(page, f"/incidenten/{incidents[3]}/sluiten").status_code == 200
    with officer("VR06") as own:
        assert assistance.close_overdue(own) == [over]
        assert assistance.close_overdue(own) == []
        found = [ended(own, request) for request in (*asked, over)]
        assert not ended(own, lasts)[1], "one of its lines lasts"
        with pytest.raises(ledger.LedgerError, match="gesloten"):
            ledger.make_request(own, incidents[2], ledger.BY_MINISTER, "m", "s", wanted)
        at = find(own, over)["closed_at"]
        told = {e.body["line"]: e for e in read_events(own) if e.kind == "line_unmet"}
    reasons = ["ingetrokken", "afgewezen_door_minister", "geen_aanbod", "ingetrokken", "geen_aanbod"]
    assert found == [(reason, True) for reason in reasons]
    assert [told[f"{request}-1"].body["reason"] for request in (*asked, over)] == reasons
    assert at == told[f"{over}-1"].happened_at == now - 3 * HOUR, "when it was over"
    with acting("VR07") as own, pytest.raises(ledger.LedgerError, match="kies een reden"):
        ledger.refuse_line(own, f"{asked[3]}-1", "ingetrokken")


def test_who_may_not_sign_leaves_the_dossier_to_who_may() -> None:
    with scope("VR06", "echt", "Demo Beleid VR06", roles=frozenset({"beleid"})) as own:
        request = ask(own)
        assert state_of(own, request) == "opgesteld"
        assert documents.list_documents(own, request) == []
        row = own.row("select dossier_id from slagkracht.request where request_id = %s", request)
    assert row is not None
    chair = client("demo-voorzitter-vr06")
    said = press(chair, f"/besluiten/dossiers/{row['dossier_id']}/stappen", stap="ondertekenen",
                 **{"antwoord-mandaat": "voorzitter"})  # fmt: skip
    assert said == "De stap is gezet."
    assert "Kennisgeving commissaris van de Koning" in text_of(chair.get(f"/besluiten/dossiers/{row['dossier_id']}"))


def test_a_direct_request_that_goes_to_the_minister_after_all_is_seen_by_the_centre() -> None:
    with officer("VR06") as own:
        request = ask(own, neighbour="VR07")
        row = own.row("select dossier_id from slagkracht.request where request_id = %s", request)
    assert row is not None
    press(client("demo-voorzitter-vr06"), f"/besluiten/dossiers/{row['dossier_id']}/stappen", stap="alsnog_landelijk",
          **{"antwoord-mandaat": "voorzitter"})  # fmt: skip
    with centre() as lead:
        assert state_of(lead, request) == "bij_minister"
        letters = [row for row in documents.list_documents(lead, request) if row["name"] == "bijstandsbrief"]
        last = words(documents.read_document(lead, letters[-1]["document_id"])["content"])
    assert "De Minister van Justitie en Veiligheid" in last


def test_costs_from_entry_to_decision() -> None:
    with officer("VR06") as own:
        request = ask(own)
    with centre() as lead:
        assistance.ask_regions(lead, request, ["VR05", "VR07"])
    page = f"/actiecentrum/aanvragen/{request}/kosten"
    lender, asker, minister = client("demo-officier-vr07"), client("demo-officier-vr06"), client("demo-minister")
    given = {"soort": "personeel", "bedrag": "4.000,50", "dag": "2026-07-01", "wat": "=inzet", "terug": page}
    assert "toezegde" in press(lender, f"{page}/opvoeren", **given), "nothing lent, nothing spent"
    lend(request, "VR07")
    assert "opgevoerd" in press(lender, f"{page}/opvoeren", **given)
    assert "hele centen" in press(lender, f"{page}/opvoeren", **{**given, "bedrag": "1,234"})
    assert "toekomst" in press(lender, f"{page}/opvoeren", **{**given, "dag": "2035-01-01"})
    assert "niet boven de drempel" in text_of(lender.get(page))
    assert "drempel" in press(lender, f"{page}/vragen", terug=page)
    press(lender, f"{page}/opvoeren", **{**given, "soort": "herstel", "bedrag": "1000", "wat": "pomp"})
    press(lender, f"{page}/opvoeren", **{**given, "soort": "verbruik", "bedrag": "99", "wat": "vergissing"})
    with acting("VR07") as own:
        wrong = own.rows("select entry_id from slagkracht.cost_entry where what = 'vergissing' and request_id = %s",
                         request)[0]["entry_id"]  # fmt: skip
    assert post(asker, f"/kosten/{wrong}/terugnemen", {"reden": "x"}).status_code == 403
    assert "teruggenomen" in press(lender, f"/kosten/{wrong}/terugnemen", reden="dubbel", terug=page)
    (mine,) = lender.get(f"{API}/aanvragen/{request}/kostendossier").json()
    assert (mine["in_aanmerking_centen"], mine["bijdrage_centen"], mine["boven_drempel"]) == (500_050, 50_050, True)
    assert mine["eenheid_uren"] >= 0
    assert mine["status_van_de_regel"] == "te verifiëren"
    sheet = lender.get(f"{page}.csv").content.decode()
    assert "'=inzet" in sheet, "a spreadsheet takes it for text"
    assert sheet.startswith("\ufeffpost;regio;aanvraag;"), "a Dutch spreadsheet opens it in columns"
    assert re.findall(r";-?[0-9]+,[0-9]{2};2", sheet), "an amount has a decimal comma"
    assert sheet.count("\r\n") == 4
    assert "€ 500,50" in words(lender.get(f"{page}.pdf").content)
    shown = text_of(asker.get(page))
    assert "€ 500,50" in shown, "who was helped sees what it cost"
    assert client("demo-officier-vr05").get(page).content.decode().count("inzet") == 0, "another lender does not"
    assert client("demo-officier-vr08").get(page).status_code == 404
    assert "ligt voor de afloop" in press(lender, f"{page}/vragen", terug=page, gebeurd_op="2026-07-02T12:00")
    assert "gevraagd" in press(lender, f"{page}/vragen", terug=page)
    assert "staan vast" in press(lender, f"{page}/opvoeren", **given)
    (claim,) = minister.get(f"{API}/rijksbijdragen?aanvraag={request}").json()["resultaten"]
    filed, by = (datetime.datetime.fromisoformat(claim[name]) for name in ("gevraagd_op", "beslissen_voor"))
    days = (
        by.astimezone(seam.CLOCK).date() - filed.astimezone(seam.CLOCK).date()
    ).days  # a term counts days, not hours
    assert 181 <= days <= 190
    assert minister.get(f"/stukken/{claim['stuk']}").status_code == 200
    assert client("demo-officier-vr05").get(f"/stukken/{claim['stuk']}").status_code == 404
    account = client("demo-actiecentrum").get("/beheer").wsgi_request.user.pk
    with scope("LAC", "echt", "langs het programma", account=account) as own:
        grant = "update slagkracht.claim set granted = 0, decided_why = 'x', decided_at = now() where claim_id = %s"
        assert own.row("select 1 as one from slagkracht.claim where claim_id = %s", claim["id"]) is not None
        assert own.run(grant, claim["id"]) == 0, "the database too leaves it to the minister"
    decide = f"/rijksbijdragen/{claim['id']}/beslissen"
    assert f'action="{decide}"' in minister.get("/besluiten").content.decode()
    assert "Gevraagde rijksbijdragen" not in text_of(lender.get("/besluiten"))
    assert post(lender, decide, {"centen": 1, "reden": "x"}).status_code == 403
    assert post(minister, decide, {"centen": 500_051, "reden": "x"}).status_code == 409, "never more than was spent"
    assert (
        press(minister, decide, bedrag="500,50", reden="volgens de regeling", terug=page)
        == "De beslissing is vastgelegd."
    )
    assert "Toegekend € 500,50" in text_of(lender.get(page))
    with acting("VR07") as own:
        kinds = [e.kind for e in read_events(own, "VR07") if e.body.get("request") == request]
    assert kinds.count("cost_entered") == 3
    assert {"cost_withdrawn", "claim_filed", "document_made"} <= set(kinds)


def test_a_claim_is_too_early_before_the_end_and_too_late_after_the_term(database: Any) -> None:
    with officer("VR06") as own:
        request = ask(own)
    with centre() as lead:
        assistance.ask_regions(lead, request, ["VR09"])
    with acting("VR09") as lender:
        offer = assistance.offer_units(lender, f"{request}-1", new_units("VR09", 1), 1)
    with officer("VR06") as own:
        (commitment,) = assistance.accept_offer(own, offer)
    with acting("VR09") as lender:
        costs.enter_cost(lender, request, "personeel", 900_000, datetime.date(2026, 7, 1), "inzet")
    with acting("VR09") as lender, pytest.raises(ledger.LedgerError, match="nog niet afgelopen"):
        costs.file_claim(lender, request)
    with officer("VR06") as own:
        ledger.move_commitment(own, commitment, "unit_released")
    with acting("VR09") as lender:
        ledger.move_commitment(lender, commitment, "unit_home")
    with psycopg.connect(database.owner) as owner:
        owner.execute("alter table slagkracht.commitment disable trigger guard_commitment")
        owner.execute("alter table slagkracht.commitment no force row level security")
        owner.execute("update slagkracht.commitment set step_at = now() - interval '400 days' where commitment_id = %s",
                      (commitment,))  # fmt: skip
        owner.execute("alter table slagkracht.commitment force row level security")
        owner.execute("alter table slagkracht.commitment enable trigger guard_commitment")
    with acting("VR09") as lender, pytest.raises(ledger.LedgerError, match="termijn"):
        costs.file_claim(lender, request)


def test_the_database_itself_keeps_costs_to_who_lent() -> None:
    with officer("VR06") as own:
        request = ask(own)
    with centre() as lead:
        assistance.ask_regions(lead, request, ["VR07"])
    row = {"entry_id": "K-x", "region": "VR07", "receiver": "VR06", "request_id": request, "kind": "personeel",
           "cents": 1, "spent_on": datetime.date(2026, 7, 1), "what": "x", "made_by": "x"}  # fmt: skip
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting("VR07") as own:
        own.insert("cost_entry", **row, made_at=own.at)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting("VR08") as own:
        own.insert("cost_entry", **row, made_at=own.at)


def test_the_database_itself_keeps_a_claim_to_who_lent_and_spent() -> None:
    with officer("VR06") as own:
        request = ask(own, count=2)
    with centre() as lead:
        assistance.ask_regions(lead, request, ["VR07", "VR08"])
    lend(request, "VR07")

    def paper(own: Scope) -> str:
        return documents.keep_document(own, "overzicht", b"x", "text/plain", request, [], with_request=False)

    def claim(own: Scope, document: str, **changed: Any) -> None:
        row = {"region": own.region, "receiver": "VR06", "audience": ["LAC"], "request_id": request, "counted": 900,
               "contribution": 400, "document_id": document, "decide_before": own.at, "filed_by": "x",
               "filed_at": own.at} | changed  # fmt: skip
        own.insert("claim", claim_id=f"R-{own.region}-{secrets.token_hex(4)}", **row)

    with acting("VR08") as own:
        strange = paper(own)
    with acting("VR07") as own:
        costs.enter_cost(own, request, "personeel", 900, datetime.date(2026, 7, 1), "inzet")
        mine = paper(own)
    fenced, kept = psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation
    for region, document, changed, error in [
        ("VR08", strange, {}, fenced),  # it never lent
        ("VR08", strange, {"region": "VR07"}, fenced),  # nor does it claim for who did
        ("VR07", strange, {}, fenced),  # on a paper of another
        ("VR07", mine, {"receiver": "VR09"}, fenced),  # from who was never helped
        ("VR07", mine, {"counted": 901}, fenced),  # more than was spent
        ("VR07", mine, {"contribution": 901}, kept),
        ("VR07", mine, {"granted": 900, "decided_why": "zelf", "decided_at": datetime.datetime.now(datetime.UTC)},
         fenced),  # granted by itself
    ]:  # fmt: skip
        with pytest.raises(error), acting(region) as own:
            claim(own, document, **changed)
    with acting("VR07") as own:
        claim(own, mine)
    with pytest.raises(psycopg.errors.RaiseException, match="staat vast"), acting("VR07") as own:
        own.run(
            "update slagkracht.cost_entry set withdrawn_at = now(), withdrawn_why = 'x' where request_id = %s", request
        )
    decide = "update slagkracht.claim set granted = %s, decided_why = 'x', decided_at = now() where request_id = %s"
    with acting("VR07") as own:
        assert own.run(decide, 900, request) == 0, "who claims does not decide"
    with pytest.raises(kept), acting("LAC") as own:
        own.run(decide, 901, request)
    with acting("LAC") as own:
        assert own.run(decide, 900, request) == 1
    with pytest.raises(psycopg.errors.RaiseException, match="al beslist"), acting("LAC") as own:
        own.run(decide, 1, request)


def test_the_database_itself_lets_no_claim_go_before_everyone_is_home() -> None:
    with officer("VR06") as own:
        request = ask(own, neighbour="VR07")
    with acting("VR07") as lender:
        offer = assistance.offer_units(lender, f"{request}-1", new_units("VR07", 1), 1)
    with officer("VR06") as own:
        assistance.accept_offer(own, offer)
    with acting("VR07") as own:
        costs.enter_cost(own, request, "personeel", 900, datetime.date(2026, 7, 1), "inzet")
        paper = documents.keep_document(own, "overzicht", b"x", "text/plain", request, [], with_request=False)
    row = {"region": "VR07", "receiver": "VR06", "request_id": request, "counted": 900, "contribution": 1,
           "document_id": paper, "filed_by": "x"}  # fmt: skip
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting("VR07") as own:
        own.insert("claim", claim_id="R-x", **row, decide_before=own.at, filed_at=own.at)
