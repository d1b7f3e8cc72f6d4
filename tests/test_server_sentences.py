"""Every kind of fact reads as a sentence in both languages, and none shows a field or a code of the log."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

import texts
from slagkracht.log import KINDS
from slagkracht.procedures.dossier import BY_TERM
from slagkracht.server import engine as seam
from slagkracht.server.database import Addresses
from slagkracht.server.journal import record
from slagkracht.sources.modelland import build_modelland
from test_server_api import client
from test_server_ledger import acting
from test_server_screens import text_of

BODIES: dict[str, dict[str, Any]] = {
    "unit_status": {"unit": "06-1231", "status": "en_route", "incident": "I-1", "station": "06-M01"},
    "unit_position": {"unit": "06-1231", "x_m": 178_000.4, "y_m": 478_000.0},
    "incident_opened": {"incident": "I-1", "what": "Natuurbrand", "x_m": 1.0, "y_m": 2.0, "level": "GRIP 3"},
    "incident_escalated": {"incident": "I-1", "level": "GRIP 2"},
    "incident_closed": {"incident": "I-1"},
    "request_made": {"request": "A-1", "region": "VR06", "incident": "I-1", "ground": "wvr51_5_buurregio",
                     "mandate": "voorzitter", "signed_by": "Voorzitter VR06"},
    "request_closed": {"request": "A-1"},
    "line_asked": {"request": "A-1", "line": "A-1-1", "formation": "gevaarlijke-stoffen", "count": 2, "hours": 12.0,
                   "capability": "gevaarlijke_stoffen", "wave": 3, "relieves": ["T-1"]},
    "line_unmet": {"line": "A-1-1", "count": 2, "reason": "geen_aanbod"},
    "offer_made": {"offer": "O-1", "line": "A-1-1", "region": "VR07", "units": ["07-1", "07-2"], "count": 1,
                   "conditions": "terug voor de nacht"},
    "offer_refused": {"line": "A-1-1", "region": "VR08", "reason": "eigen_inzet", "text": "grote brand"},
    "offer_withdrawn": {"offer": "O-1", "reason": "toch nodig"},
    "floor_passed": {"region": "VR07", "until": "2026-07-01T12:00:00+00:00", "reason": "buren dekken ons"},
    "unit_committed": {"commitment": "O-1-1", "line": "A-1-1", "unit": "07-1", "region": "VR07", "offer": "O-1"},
    **{kind: {"commitment": "O-1-1", "unit": "07-1"} for kind in (
        "unit_en_route", "unit_arrived", "unit_deployed", "unit_relieved", "unit_released", "unit_home")},
    "relief_planned": {"incident": "I-1", "rotation": "R-1", "waves": 3, "changed": 2, "empty": 4,
                       "until": "2026-07-02T12:00:00+00:00"},
    "cost_entered": {"entry": "K-1", "request": "A-1", "kind": "verloren_materieel", "cents": 123_456,
                     "what": "slangen", "spent_on": "2026-07-01"},
    "cost_withdrawn": {"entry": "K-1", "reason": "dubbel", "request": "A-1"},
    "claim_filed": {"claim": "B-1", "request": "A-1", "cents": 5_000_00, "document": "S-1", "counted": 6_000_00},
    "claim_decided": {"claim": "B-1", "cents": 4_000_00, "reason": "drempel"},
    "document_made": {"document": "S-1", "name": "Bijstandsaanvraag", "sha256": "ab" * 32, "request": "A-1"},
    "command_handed_over": {"incident": "I-1", "function": "sector noord", "from": "OvD VR06", "to": "OvD VR07"},
    "function_handed_over": {"function": "actiecentrum", "from": "Demo Een", "to": "Demo Twee", "sheet": "rustig"},
    "decision_recorded": {"decision": "I-1-20260701", "text": "Spoorlijn houden", "incident": "I-1"},
    "step_taken": {"dossier": "D-1", "procedure": "kwalificatiedossier", "step": "indienen", "state": "bij_beraad"},
    "sharing_granted": {"consent": "C-1", "receiver": "LAC", "tier": "plaats", "until": "2026-07-02T12:00:00+00:00",
                        "redaction": ["bezetting", "kazerne"]},
    "sharing_ended": {"consent": "C-1"},
    "classified": {"incident": "I-1", "information_class": "Vertrouwelijk"},
    "note": {"text": "Vuur stak de weg over", "incident": "I-1"},
    "correction": {"corrects": "VR06-3", "reason": "verkeerde eenheid", "body": {"unit": "06-2", "status": "on_scene"},
                   "happened_at": "2026-07-01T12:00:00+00:00"},
}  # fmt: skip
"""A fact of every kind with all that the platform or the simulation writes into it."""
KEPT_FOR_THE_RECORD = {
    ("line_asked", "request"), ("line_asked", "capability"), ("line_asked", "relieves"), ("unit_committed", "offer"),
    ("relief_planned", "changed"), ("document_made", "sha256"), ("decision_recorded", "decision"),
    ("correction", "body"), ("sharing_granted", "consent"),
}  # fmt: skip
"""What a sentence leaves to the body behind it."""
OTHERS = [
    ("BEGUN", "step_taken", {"dossier": "D-1", "procedure": "les", "step": "", "state": "voorstel"}),
    ("HOME", "unit_position", {"unit": "06-1231", "x_m": 1.0, "y_m": 2.0, "move_up": ""}),
    (
        "ORDERED",
        "unit_position",
        {"unit": "06-1231", "x_m": 1.0, "y_m": 2.0, "move_up": "K", "move_up_step": "ordered"},
    ),
    ("BY_LAW", "step_taken", {"dossier": "D-1", "procedure": "les", "step": "aannemen", "state": "x", "by": BY_TERM}),
    ("TAKEN_BACK", "correction", {"corrects": "VR06-3", "reason": "nooit gebeurd", "body": {}}),
]
CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b|[{}\[\]]|\bNone\b")
"""What stands in a log and in no sentence: a code or a field of more than one word, and what JSON is written with."""
LANGUAGES = ("nl", "en")


def sentences() -> Any:
    """The module, which can be read once the platform is set up."""
    from slagkracht.server.screens import sentences

    return sentences


def read(kind: str, body: dict[str, Any], language: str) -> str:
    with translation.override(language):
        return html.unescape(re.sub(r"<[^>]+>", "", sentences().write_sentence(kind, body)))


@pytest.fixture(scope="module", autouse=True)
def plan(database: Addresses) -> Iterator[None]:
    seam.load(build_modelland(areas=342, nodes=6_000))
    yield
    seam.unload()


def test_every_kind_has_a_sentence_and_no_other() -> None:
    assert set(sentences().SENTENCES) == set(KINDS) == set(BODIES)
    for kind, sentence in sentences().SENTENCES.items():
        named = set(re.findall(r"{(\w+)}", sentence.told[-1]))
        made = {"unit_position": {"place"}, "cost_entered": {"cost"}}.get(kind, set())
        assert named - made <= set(KINDS[kind].required), f"{kind}: the last sentence needs what a fact can lack"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_reads_as_a_sentence(kind: str, language: str) -> None:
    assert set(KINDS[kind].required) <= set(BODIES[kind])
    for body in (BODIES[kind], {field: BODIES[kind][field] for field in KINDS[kind].required}):
        told = read(kind, body, language)
        assert not CODE.search(told), told
        assert "–" not in told, told
    full = read(kind, BODIES[kind], language)
    for field, value in BODIES[kind].items():
        if (kind, field) not in KEPT_FOR_THE_RECORD and field not in ("kind", "procedure", "step", "state"):
            without = read(kind, {name: given for name, given in BODIES[kind].items() if name != field}, language)
            assert without != full, f"{field} ({value}) is not told: {full}"
    elsewhere = read(kind, {**BODIES[kind], "handed_in": {"event_id": "VR06-9", "actor": "OvD"}}, language)
    assert "VR06-9" in elsewhere
    assert not CODE.search(elsewhere), elsewhere


@pytest.mark.parametrize("kind", KINDS)
def test_english_is_said_in_english(kind: str) -> None:
    how = sentences().SENTENCES[kind]
    translated = {message.id for message in texts.read_catalogue() if message.id}
    for text in (*how.told, *how.then, sentences().ELSEWHERE):
        assert text in translated, text
    if KINDS[kind].required != ("text",):
        assert read(kind, BODIES[kind], "en") != read(kind, BODIES[kind], "nl")


def test_codes_are_told_in_words() -> None:
    assert read("unit_status", BODIES["unit_status"], "nl").startswith("Eenheid 06-1231 is uitgerukt voor incident I-1")
    assert "Modelkazerne" in read("unit_status", BODIES["unit_status"] | {"station": "01-M01"}, "nl")
    assert "x 178.000, y 478.000 (RD, m)" in read("unit_position", BODIES["unit_position"], "nl")
    assert "x 178,000, y 478,000 (RD, m)" in read("unit_position", BODIES["unit_position"], "en")
    assert "2 × eenheid gevaarlijke stoffen, voor 12 uur" in read("line_asked", BODIES["line_asked"], "nl")
    assert "1.234,56" in read("cost_entered", BODIES["cost_entered"], "nl")
    assert "verloren materieel" in read("cost_entered", BODIES["cost_entered"], "nl")
    assert "1 eenheid (07-1)" in read("offer_made", {**BODIES["offer_made"], "units": ["07-1"]}, "nl")
    assert "01-07 14:00" in read("floor_passed", BODIES["floor_passed"], "nl"), "by the Dutch clock"
    assert "Wijziging kwalificatiedossier, dossier D-1" in read("step_taken", BODIES["step_taken"], "nl")
    assert "bij het Veiligheidsberaad" in read("step_taken", BODIES["step_taken"], "nl")


@pytest.mark.parametrize(("sentence", "kind", "body"), OTHERS)
def test_a_body_that_means_something_else_is_told_so(sentence: str, kind: str, body: dict[str, Any]) -> None:
    for language in LANGUAGES:
        assert not CODE.search(read(kind, body, language))
        assert read(kind, body, language) != read(kind, BODIES[kind], language)
    opening = getattr(sentences(), sentence).told[0].partition("{")[0]
    assert read(kind, body, "nl").startswith(opening)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", ["<b>x</b>", 7, -1.5, True, [1, {"a": 2}], {"a": "b"}, None, ""])
def test_what_another_system_wrote_its_own_way_is_shown_and_breaks_nothing(kind: str, odd: object) -> None:
    with translation.override("nl"):
        assert "<b>x" not in sentences().write_sentence(
            kind, dict.fromkeys((*BODIES[kind], "handed_in", "move_up", "by"), odd)
        )


def test_the_log_shows_the_sentence_and_folds_the_body_away() -> None:
    with acting("VR14") as own:
        record(own, "unit_status", {"unit": "14-1", "status": "on_scene", "incident": "I-9"})
    page = client("demo-officier-vr14").get("/logboek").content.decode()
    shown = re.sub(r"<details.*?</details>", "", page, flags=re.S)
    facts = shown.partition('id="feiten"')[2]
    assert "Eenheid 14-1 is ter plaatse voor incident I-9" in facts
    assert not CODE.search(re.sub(r"<[^>]+>", " ", facts))
    folded = re.search(r'<details class="ruw" id="ruw-VR14-\d+">.*?</details>', page, flags=re.S)
    assert folded is not None
    assert '"status": "on_scene"' in html.unescape(folded[0])
    past = client("demo-officier-vr14").get("/logboek?om=2030-01-01T12:00")
    assert "14-1" not in text_of(past).partition("Feiten, nieuwste eerst")[0]
