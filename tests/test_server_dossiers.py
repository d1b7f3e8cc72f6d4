"""Dossiers on the platform: a plan past 25 boards, the public register, terms that pass, and a procedure dropped in."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from slagkracht.decisions import verify_receipt
from slagkracht.procedures import last_answer
from slagkracht.server import dossiers, serve
from slagkracht.server.clock import tick
from slagkracht.server.database import Addresses
from slagkracht.server.engine import Engine
from slagkracht.sources.refusal import RefusalError
from test_server_api import client
from test_server_ledger import acting
from test_server_screens import engine, press, text_of  # noqa: F401  (a fixture)

REGIONS = [f"VR{n:02d}" for n in range(1, 26)]
TODAY = datetime.datetime.now(dossiers.CLOCK).date()


def begin(browser: Any, procedure: str, **parties: str) -> str:
    """Opens a dossier on screen; returns its address."""
    given = {f"partij-{name}": region for name, region in parties.items()}
    begun = browser.post("/besluiten/dossiers", {"procedure": procedure, **given})
    assert begun.status_code == 302, text_of(begun)
    return str(begun.headers["Location"])


def step(browser: Any, dossier: str, code: str, **answers: str) -> str:
    """Takes a step by the form that stands on the page, filled in; returns what the page says of it."""
    page = browser.get(dossier).content.decode()
    form = re.search(rf'<form[^>]*>(?:(?!</form>).)*name="stap" value="{code}".*?</form>', page, re.S)
    assert form is not None, f"{code} staat niet op de pagina: {text_of(browser.get(dossier))[:2000]}"
    asked = set(re.findall(r'name="antwoord-(\w+)"', form[0]))
    assert set(answers) <= asked
    preset = dict(re.findall(r'name="antwoord-(\w+)"[^>]* value="([^"]*)"', form[0]))
    version = re.search(r'name="versie" value="(\d+)"', form[0])
    assert version is not None
    filled = {f"antwoord-{name}": answers.get(name, preset.get(name, "")) for name in asked}
    return press(browser, f"{dossier}/stappen", stap=code, versie=version[1], terug=dossier, **filled)


def let_pass(database: Addresses, dossier: str, days: int) -> None:
    """As if the dossier had come where it stands so many days earlier."""
    with psycopg.connect(database.owner) as owner:
        key = dossier.rpartition("/")[2]
        row = owner.execute("select content from slagkracht.dossier where dossier_id = %s", (key,)).fetchone()
        assert row is not None
        since = datetime.datetime.fromisoformat(row[0]["since"]) - datetime.timedelta(days=days)
        content = json.dumps({**row[0], "since": since.isoformat()})
        owner.execute("set local session_replication_role = replica")
        owner.execute("update slagkracht.dossier set content = %s where dossier_id = %s", (content, key))


def test_the_national_plan_past_the_councils_and_25_boards(engine: Engine, database: Addresses) -> None:  # noqa: F811
    from slagkracht.server.screens.decisions import as_decision

    rcdv, beraad = client("demo-rcdv"), client("demo-veiligheidsberaad")
    dossier = begin(rcdv, "landelijk_plan")
    assert step(rcdv, dossier, "voorleggen") == "De stap is gezet.", "the plan that is loaded stands in the form"
    step(rcdv, dossier, "positief_advies", advies="vaststellen")
    step(beraad, dossier, "beraad_stemt_in", versie="1")
    shown = text_of(beraad.get(dossier))
    assert "de termijn voor zienswijzen van de raden is voorbij" in shown
    assert "te verifiëren; dan gebeurt er niets vanzelf" in shown
    assert "opnieuw berekend: gelijk aan het plan dat hier geladen is" in shown
    assert 'value="naar_besturen"' not in beraad.get(dossier).content.decode(), "the councils have their term first"
    step(client("demo-beleid-vr01"), dossier, "zienswijze", samenvatting="de raden stemmen in")
    let_pass(database, dossier, 13 * 7)
    assert "verstreken" in text_of(beraad.get(dossier))
    step(beraad, dossier, "naar_besturen")

    later = (TODAY + datetime.timedelta(days=30)).isoformat()
    for n, region in enumerate(REGIONS):
        board = client(f"demo-bestuur-{region.lower()}")
        assert 'value="vaststellen"' not in beraad.get(dossier).content.decode(), f"{n} of 25"
        if region == "VR03":  # from the form on the page of decisions, which finds the dossier by itself
            held = {"besluit": "vastgesteld met voorbehoud", "voorbehoud": "mits de begroting volgt"}
            given = {"bestuursorgaan": "algemeen bestuur", "datum": TODAY.isoformat(), "ingangsdatum": later}
            press(board, "/besluiten/vaststellen", terug="/besluiten", **held, **given)
            continue
        if region == "VR02":
            assert "hoort een ingangsdatum" in text_of_refusal(board, dossier, besluit="vastgesteld")
            assert "kies uit" in text_of_refusal(board, dossier, besluit="misschien")
            step(board, dossier, "bestuur_besluit", besluit="aangehouden")
        step(board, dossier, "bestuur_besluit", besluit="vastgesteld", ingangsdatum=TODAY.isoformat())
    assert step(beraad, dossier, "vaststellen") == "De stap is gezet."

    page = text_of(client("demo-officier-vr05").get("/besluiten"))
    assert "25 van 25 besturen stelden vast" in page
    assert "quorum 25, te verifiëren · gehaald" in page
    assert f"VR02 {TODAY:%d-%m-%Y}" in page
    assert f"VR03 {TODAY + datetime.timedelta(days=30):%d-%m-%Y}" in page
    assert "met voorbehoud: mits de begroting volgt" in page or "vastgesteld, gaat in op" in page
    with acting("VR03") as own:
        row = own.row("select * from slagkracht.dossier where dossier_id = %s", dossier.rpartition("/")[2])
        assert row is not None
        receipt = last_answer(dossiers.unpack(row), "verantwoording")
        decided = [as_decision(each) for each in own.rows("select * from slagkracht.board_decision")]
    mine = [each for each in decided if each.receipt == receipt]
    assert {each.region for each in mine} == set(REGIONS)
    assert all(verify_receipt(each, engine.plan) for each in mine), "recomputed from the plan itself"


def text_of_refusal(board: Any, dossier: str, **answers: str) -> str:
    """What the page says after a step that is refused; nothing of it was done."""
    version = re.search(r'name="versie" value="(\d+)"', board.get(dossier).content.decode())
    assert version is not None
    filled = {f"antwoord-{name}": value for name, value in ({"datum": TODAY.isoformat()} | answers).items()}
    board.post(f"{dossier}/stappen", {"stap": "bestuur_besluit", "versie": version[1], "terug": dossier, **filled})
    page = board.get(dossier)
    assert f'name="versie" value="{version[1]}"' in page.content.decode()
    return text_of(page)


def test_a_later_plan_supersedes_for_who_adopted_it(engine: Engine) -> None:  # noqa: F811
    board, ours = client("demo-bestuur-vr20"), "cd" * 32
    days = {"datum": TODAY, "ingangsdatum": TODAY, "vervaldatum": None}
    for receipt, name in ((engine.plan_hash, engine.plan.name), (ours, "Plan van later")):
        with acting("VR20") as own:
            told = {"bestuursorgaan": "algemeen bestuur", "plan": name, "verantwoording": receipt}
            dossiers.decide_on_plan(own, {**told, "besluit": "vastgesteld", "voorbehoud": "", **days})
    page = board.get("/besluiten").content.decode()
    rows = re.findall(r'<tr><th scope="row">([^<]*) <code>.*?</tr>', page, re.S)
    assert "Plan van later" in rows
    assert f"VR20 <code>{ours[:12]}" in page, "superseded, and by what"


def test_the_register_is_open_to_everyone_and_holds_only_what_is_open(engine: Engine, database: Addresses) -> None:  # noqa: F811
    from django.test import Client

    nipv, beraad = client("demo-nipv"), client("demo-veiligheidsberaad")
    dossier = begin(nipv, "kwalificatiedossier")
    first, second = "1. Leidt een ploeg.\n2. Verkent.", "1. Leidt een ploeg.\n2. Verkent ook natuurbrand."
    about = {"functie": "Bevelvoerder proef", "ijkfunctie": "nee", "versie": "1"}
    step(nipv, dossier, "consulteren", inhoud=first, **about)
    step(client("demo-beleid-vr09"), dossier, "reageren", reactie="geheimzinnige reactie")
    step(nipv, dossier, "terug", reden="na de reacties")
    step(nipv, dossier, "consulteren", inhoud=second, **{**about, "versie": "2"})
    shown = nipv.get(dossier).content.decode()
    assert '<del><span class="ongezien">vervallen: </span>2. Verkent.</del>' in shown
    assert '<ins><span class="ongezien">nieuw: </span>2. Verkent ook natuurbrand.</ins>' in shown
    assert 'value="naar_beraad"' not in shown, "the consultation has its term first"
    let_pass(database, dossier, 50)
    assert 'value="naar_minister"' not in nipv.get(dossier).content.decode(), "no ijkfunctie goes to the ministry"
    step(nipv, dossier, "naar_beraad")
    step(beraad, dossier, "beraad_stelt_vast", ingangsdatum="2027-01-01")

    anyone, key = Client(SERVER_NAME="localhost"), dossier.rpartition("/")[2]
    assert "Bevelvoerder proef" not in text_of(anyone.get("/register")), "it is Intern still"
    classify = {"wat": "dossier", "kenmerk": key, "klasse": "Open", "terug": dossier}
    assert client("demo-officier-vr06").post("/klasse", classify).status_code == 302
    assert "Bevelvoerder proef" not in text_of(anyone.get("/register")), "not by another"
    press(nipv, "/klasse", **classify)
    page = anyone.get("/register")
    told = text_of(page)
    assert page.status_code == 200
    for words in ("Bevelvoerder proef", "2. Verkent ook natuurbrand.", "2027-01-01", "door: Veiligheidsberaad"):
        assert words in told
    assert "1 regel anders" in told or "2 regels anders" in told
    for words in ("geheimzinnige reactie", "Demo", "na de reacties"):
        assert words not in told, "nobody's name, and nothing that the procedure does not make public"
    assert anyone.get(dossier).status_code == 302, "the dossier itself asks to log in"
    press(nipv, "/klasse", **{**classify, "klasse": "Intern"})
    assert "Bevelvoerder proef" not in text_of(anyone.get("/register")), "gone at once"
    with psycopg.connect(database.application) as bare:
        assert bare.execute("select count(*) from slagkracht.dossier").fetchone() == (0,)


DROPPED = """
code = "oefenplan"
dutch = "Oefenplan"
version = 1
source = "werkafspraak van de regio"
status = "te verifiëren"
begin = "concept"
parties = ["regio"]
states = [
    { code = "concept", dutch = "concept" },
    { code = "ter_inzage", dutch = "ter inzage" },
    { code = "klaar", dutch = "vastgesteld", final = true },
    { code = "verlopen", dutch = "verlopen", final = true },
]

[[fields]]
name = "soort"
dutch = "Soort oefening"
kind = "keuze"
choices = ["groot", "klein"]

[[steps]]
code = "indienen"
dutch = "Ter inzage leggen"
from = ["concept"]
to = "ter_inzage"
roles = ["beleid"]
party = "regio"
ground = "werkafspraak"
asks = ["soort"]

[[steps]]
code = "vaststellen"
dutch = "Vaststellen"
from = ["ter_inzage"]
to = "klaar"
roles = ["bestuur"]
party = "regio"
ground = "werkafspraak"

[[steps]]
code = "verlopen"
dutch = "Verlopen"
from = ["ter_inzage"]
to = "verlopen"
ground = "werkafspraak"

[[terms]]
code = "inzage"
dutch = "de inzage is voorbij"
state = "ter_inzage"
span = "10 werkdagen"
then = "verlopen"
source = "werkafspraak"
status = "te verifiëren"
"""


@pytest.fixture
def dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Addresses) -> Iterator[Path]:
    """A folder of the own organisation with one procedure in it, and the platform started again."""
    (tmp_path / "oefenplan.toml").write_text(DROPPED, encoding="utf-8")
    monkeypatch.setenv("SLAGKRACHT_PROCEDURES", str(tmp_path))
    dossiers.read_known.cache_clear()
    dossiers.lay_procedures(database)
    dossiers.read_known.cache_clear()
    yield tmp_path
    monkeypatch.delenv("SLAGKRACHT_PROCEDURES")
    dossiers.read_known.cache_clear()
    dossiers.lay_procedures(database)


@pytest.mark.usefixtures("dropped")
def test_a_procedure_file_is_enough_to_run_a_dossier_to_its_end(engine: Engine) -> None:  # noqa: F811
    policy, board = client("demo-beleid-vr09"), client("demo-bestuur-vr09")
    assert "Oefenplan" in text_of(policy.get("/besluiten"))
    dossier = begin(policy, "oefenplan", regio="VR09")
    assert "<svg" in policy.get(dossier).content.decode(), "drawn on screen"
    assert "<option>groot</option>" in policy.get(dossier).content.decode()
    step(policy, dossier, "indienen", soort="groot")
    step(board, dossier, "vaststellen")
    assert "Dit dossier is afgerond." in text_of(board.get(dossier))
    with acting("VR09") as own:
        told = own.rows(
            "select body->>'state' as state from slagkracht.event where body->>'dossier' = %s order by number",
            dossier.rpartition("/")[2],
        )
    assert [row["state"] for row in told] == ["concept", "ter_inzage", "klaar"]


def test_a_term_that_passes_acts_by_itself(engine: Engine, database: Addresses, dropped: Path) -> None:  # noqa: F811
    policy = client("demo-beleid-vr10")
    dossier = begin(policy, "oefenplan", regio="VR10")
    step(policy, dossier, "indienen", soort="klein")
    key = dossier.rpartition("/")[2]
    assert key not in tick(), "not before its ten working days"
    let_pass(database, dossier, 30)
    assert key in tick(), "the clock of the platform does it"
    assert key not in tick(), "once"
    assert "van rechtswege" in text_of(policy.get(dossier))
    other = begin(policy, "oefenplan", regio="VR10")
    renamed = DROPPED.replace('"concept"', '"opzet"').replace('"verlopen"', '"voorbij"')
    (dropped / "oefenplan.toml").write_text(renamed, encoding="utf-8")
    dossiers.read_known.cache_clear()
    tick()
    refused = policy.post(f"{other}/stappen", {"stap": "indienen", "soort": "klein"}, follow=True)
    assert "niet met de toestand" in text_of(refused), "a state that the file no longer knows: it stands still"
    (dropped / "oefenplan.toml").unlink()
    dossiers.read_known.cache_clear()
    for address in (dossier, other, "/besluiten"):
        page = policy.get(address)
        assert page.status_code == 200, "a dossier outlives its procedure file"
    assert "staat niet (meer) op dit platform" in text_of(policy.get(dossier))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('roles = ["bestuur"]', 'roles = ["koning"]', "rol 'koning' bestaat niet"),
        ('to = "klaar"', 'to = "ter_inzage"', "toestand 'klaar' kan niet bereikt worden"),
        ('then = "verlopen"', 'then = "vergeten"', "stap 'vergeten' bestaat niet"),
        ('code = "oefenplan"', 'code = "les"', "een ander bestand heet ook 'les'"),
    ],
)
def test_the_platform_does_not_start_on_a_procedure_that_cannot_be_executed(
    dropped: Path, old: str, new: str, words: str
) -> None:
    (dropped / "oefenplan.toml").write_text(DROPPED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RefusalError, match=re.escape(words)):
        serve.prepare()


def test_the_quorum_is_what_the_procedure_says() -> None:
    assert dossiers.find_quorum() == 25
