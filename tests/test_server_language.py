"""Dutch first, English complete: nothing of the platform reaches an English screen in Dutch unless it is marked so."""

from __future__ import annotations

import ast
import re
import string
from html.parser import HTMLParser
from pathlib import Path
from re import Pattern
from typing import Any

import pytest

import texts
from slagkracht.server.engine import Engine
from slagkracht.server.refusals import SaidError
from test_server_api import API, client
from test_server_screens import SCREENS, asked_of_vr07, engine  # noqa: F401  (a fixture)

WEB = Path(__file__).parents[1] / "web" / "src"
LETTERS = re.compile(r"[^\W\d_]{2,}")
NOBODY = re.compile("(?!)")
NAMES = {
    "Slagkracht", "toml", "English", "Nederlands", "verify_log.py", "controlepunten.jsonl", "sleutels.json",
    "python verify_log.py logboek-.jsonl controlepunten.jsonl sleutels.json",
}  # fmt: skip
"""What reads the same in both languages."""


def english(username: str) -> Any:
    browser = client(username)
    browser.post("/taal", {"language": "en", "next": "/"})
    return browser


# ── the catalogue ─────────────────────────────────────────────────────────────────────────────────────────────────────


def known() -> dict[texts.Text, Any]:
    catalogue = [message for message in texts.read_catalogue() if message.id]
    return {(m.id if isinstance(m.id, str) else m.id[0], m.context or ""): m for m in catalogue}


def test_the_catalogue_has_every_text_and_no_other(database: object) -> None:
    shown, translated = texts.read_shown_texts(), known()
    assert sorted(shown - set(translated)) == [], "zonder Engels (python tests/texts.py)"
    assert sorted(set(translated) - shown) == [], "staat op geen scherm meer"
    for message in translated.values():
        for said in [message.string] if isinstance(message.string, str) else message.string:
            assert said, message.id


def test_a_translation_keeps_the_places_of_its_text() -> None:
    def places(text: str) -> set[str]:
        by_name = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        return by_name | set(re.findall(r"%\(\w+\)s", text)) | set(re.findall(r"</?\w+>", text))

    for (text, _), message in known().items():
        for said in [message.string] if isinstance(message.string, str) else message.string:
            assert places(said) == places(text), text


def test_every_word_in_a_template_can_be_translated() -> None:
    for path in sorted((texts.SERVER / "templates").glob("*.html")):
        page = path.read_text(encoding="utf-8")
        page = re.sub(r"{%\s*blocktranslate.*?{%\s*endblocktranslate\s*%}", "", page, flags=re.S)
        page = re.sub(r"{%.*?%}|{{.*?}}|<!--.*?-->", "", page, flags=re.S)
        written = [text for text in re.split(r"<[^>]*>", page) if text.strip(" \n·") not in NAMES]
        written += re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', page)
        assert [text for text in written if LETTERS.search(text)] == [], path.name


def test_a_sentence_is_never_put_together_before_it_is_translated() -> None:
    for path in texts.SPOKEN:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in (*texts.ERRORS, "gettext", "said"):
                    assert not isinstance(node.args[0], ast.JoinedStr), f"{path.name}:{node.lineno}"
            if isinstance(node, ast.FunctionDef) and node.name == "do":
                for answer in ast.walk(node):
                    if isinstance(answer, ast.Return) and isinstance(answer.value, ast.Tuple):
                        said = answer.value.elts[1]
                        assert not isinstance(said, ast.JoinedStr | ast.Constant), f"{path.name}:{answer.lineno}"


def test_the_maps_have_english_for_all_that_they_say() -> None:
    table = (WEB / "parts" / "words.js").read_text(encoding="utf-8")
    translated = {quoted or bare for quoted, bare in re.findall(r"^\s+(?:'([^']+)'|(\w+)):", table, flags=re.M)}
    for path in [*(WEB / "platform").iterdir(), WEB / "parts" / "MapCanvas.svelte"]:
        code = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\bsay\('([^']+)'", code)) <= translated, path.name
        if path.suffix == ".svelte":
            shown = re.sub(r"{[^{}]*}", "", re.sub(r"<(script|style)>.*?</\1>", "", code, flags=re.S))
            while re.search(r"{[^{}]*}", shown):
                shown = re.sub(r"{[^{}]*}", "", shown)
            assert LETTERS.findall(re.sub(r"<[^>]*>", "", shown.replace("=>", ""))) == [], path.name


# ── the screens ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Reader(HTMLParser):
    """What a page says outside of what is marked as Dutch: its text and its labels."""

    VOID = ("meta", "link", "input", "br", "img")

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.within: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        silent = self.listen(tag, given)
        if tag not in self.VOID:
            self.within.append((tag, silent))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.listen(tag, dict(attrs))

    def listen(self, tag: str, given: dict[str, str | None]) -> bool:
        silent = bool(self.within and self.within[-1][1]) or given.get("lang") == "nl" or tag in ("script", "code")
        if not silent:
            self.said += [given[name] or "" for name in ("aria-label", "placeholder", "title", "alt") if name in given]
        return silent

    def handle_endtag(self, tag: str) -> None:
        while self.within and self.within.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self.within and self.within[-1][1]):
            self.said.append(data)


def words(text: str) -> set[str]:
    return {word.lower() for word in LETTERS.findall(re.sub(r"%\(\w+\)s|{[^}]*}|<[^>]*>", " ", text))}


def dutch_words() -> set[str]:
    """Words that the platform says in Dutch and in no English sentence."""
    dutch: set[str] = set()
    spoken: set[str] = set()
    for (text, _), message in known().items():
        dutch |= words(text)
        for said in [message.string] if isinstance(message.string, str) else message.string:
            spoken |= words(said)
    return dutch - spoken


def dutch_on(page: str, names: Pattern[str] = NOBODY) -> set[str]:
    reader = Reader()
    reader.feed(page)
    return {word for text in reader.said for word in words(names.sub(" ", text))} & dutch_words()


@pytest.fixture(scope="module")
def names(engine: Engine) -> Pattern[str]:  # noqa: F811
    """Regions, stations, municipalities and functions go by their own names in any language; an id holds no words."""
    plan = engine.plan
    called = {*plan.regions.name.tolist(), *plan.stations.name.tolist(), *engine.municipality.values(), plan.name}
    longest_first = sorted(map(re.escape, called), key=len, reverse=True)
    marks = (r"Demo \w+", r"mandate: \w+", r"\b[A-Z]-(?:VR\d\d|LAC)-[0-9a-f]+", "Landelijk Actiecentrum Brandweer")
    return re.compile("|".join([*longest_first, *marks]))


@pytest.fixture(scope="module")
def addresses(engine: Engine) -> list[str]:  # noqa: F811
    """One screen of every kind, with something on it."""
    asker, lender = client("demo-officier-vr06"), client("demo-officier-vr07")
    incident, line = asked_of_vr07(asker, engine, "basispeloton", 1)
    request = line.rpartition("-")[0]
    asker.post(f"/actiecentrum/aanvragen/{request}/uitzetten", {"regios": ["VR07"]})
    asker.post(f"/actiecentrum/incidenten/{incident}/vastleggen", {"soort": "note", "tekst": "smoke"})
    units = re.findall(r'value="([^"]+)" checked', lender.get(f"/regio/regels/{line}").content.decode())
    lender.post(f"/regio/regels/{line}/aanbieden", {"eenheden": units, "aantal": 1})
    page = asker.get(f"/actiecentrum/aanvragen/{request}").content.decode()
    asker.post(f"/actiecentrum/aanboden/{re.findall(r'aanboden/(O-[^/]+)/aanvaarden', page)[0]}/aanvaarden")
    made = asker.post("/besluiten/dossiers", {"procedure": "les"}).headers["Location"]
    figures = [f"/verantwoording?cijfer={code}" for code in ("restdekking", "pelotons", "voorstel")]
    return [
        *SCREENS, *figures, made, f"/actiecentrum/incidenten/{incident}", f"/actiecentrum/aanvragen/{request}",
        f"/actiecentrum/incidenten/{incident}/overdracht", f"/regio/regels/{line}", "/logboek?controle=1",
        "/logboek?om=2030-01-01T12:00", "/landelijk/pelotons", "/bestaat-niet",
    ]  # fmt: skip


@pytest.mark.parametrize("user", ["demo-officier-vr06", "demo-officier-vr07", "demo-bestuur-vr06", "demo-actiecentrum"])
def test_no_english_screen_speaks_dutch(addresses: list[str], names: Pattern[str], user: str) -> None:
    browser = english(user)
    for path in addresses:
        answer = browser.get(path)
        page = answer.content.decode()
        assert answer.headers["Content-Language"] == "en", path
        if "<html" in page:
            assert '<html lang="en"' in page, path
        assert dutch_on(page, names) == set(), path
    dutch = client("demo-officier-vr06").get("/actiecentrum").content.decode()
    assert dutch_on(dutch.replace('<html lang="nl"', "<html")), "the walk would see Dutch"


def test_refusals_and_messages_are_in_the_language_of_the_reader(addresses: list[str]) -> None:
    browser = english("demo-officier-vr06")
    centre = english("demo-actiecentrum")
    line = next(path for path in addresses if path.startswith("/regio/regels/"))
    centre.post(f"{line}/aanbieden", {"eenheden": ["U1"], "aantal": 1})
    assert "the action centre has no units of its own to offer" in centre.get("/").content.decode()
    incident = next(path for path in addresses if path.startswith("/actiecentrum/incidenten/"))
    browser.post("/actiecentrum/incidenten", {"wat": ""})
    assert "say in a few words what is happening" in browser.get("/").content.decode()
    browser.post(f"{incident}/vastleggen", {"soort": "note", "tekst": "x", "gebeurd_op": "yesterday"})
    assert "happened at: write a moment as" in browser.get("/").content.decode()
    assert dutch_on(client().get("/inloggen", headers={"Cookie": "taal=en"}).content.decode()) == set()


def test_dutch_comes_first_and_other_systems_always_read_dutch(database: object) -> None:
    page = client("demo-officier-vr06").get("/logboek", headers={"Accept-Language": "en"})
    assert page.headers["Content-Language"] == "nl"
    assert '<html lang="nl"' in page.content.decode()
    browser = english("demo-officier-vr06")
    assert browser.cookies["taal"]["httponly"]
    answer = browser.get(f"{API}/incidenten/onbekend")
    assert answer.headers["Content-Language"] == "nl"
    assert "is hier niet bekend" in answer.json()["detail"]
    browser.cookies["taal"] = "xx"
    assert browser.get("/logboek").headers["Content-Language"] == "nl"
    elsewhere = browser.post("/taal", {"language": "en", "next": "https://example.org/"})
    assert "example.org" not in elsewhere.headers["Location"]


def test_an_error_says_its_sentence_in_dutch() -> None:
    assert str(SaidError("eenheid {unit} is al {state}", unit="{a}", state="weg")) == "eenheid {a} is al weg"
    assert str(SaidError("zonder {plaatsen}")) == "zonder {plaatsen}"
