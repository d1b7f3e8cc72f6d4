"""Strength, gap and spread as a planner types them, hard cases included: always an answer in words, never a trace."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from cli_run import Answer, run
from slagkracht.rules import Rules
from slagkracht.sources.plan_files import read_plan, write_plan
from slagkracht.sources.rule_files import national_rules

Screen = pytest.CaptureFixture[str]

SCENARIO = """
code = "brand"
dutch = "Brand in het dorp"
thema = "gebouwde omgeving"
effect = ["A", "B", "", "", "", "", "", "", "", ""]
bron = "verzonnen"
status = "te verifiëren"
kans_per_jaar = {midden = 2.0, laag = 1.0, hoog = 4.0}
"""
NEED = """
[[behoefte]]
formatie = "%s"
aantal = %d
van_uur = 0.0
tot_uur = 12.0
"""
PLACE = """
[[plaatsen]]
naam = "%s"
lon = 5.84
lat = 52.18
"""


def profile(folder: Path, *parts: str, name: str = "brand.toml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(SCENARIO + "".join(parts), encoding="utf-8")
    return folder


def shortfall(capsys: Screen, country: Path, folder: Path) -> Answer:
    return run(capsys, "tekort", country, "--profiel", folder, "--jaren", 500)


def test_a_proposal_with_its_proof_and_its_certainty(capsys: Screen, country: Path) -> None:
    words = ("slagkracht", country, "--plaats", "194000,469000", "--formatie", "basispeloton:2")
    answer = run(capsys, *words, "--exact", "--herbezetting")
    assert answer.code == 0
    for said in ("staat na", "P90", "Waarom anderen niet", "Bewezen", "Elke regio staat boven haar ondergrens"):
        assert said in answer.out
    found = json.loads(run(capsys, *words, "--json").out)
    assert [each["tekort"] for each in found["formaties"]] == [{}, {}]
    assert all(each["p50_s"] <= each["p90_s"] for each in found["formaties"] if each["p90_s"] is not None)
    assert {each["reden"] for each in found["eenheden"]} >= {"gekozen", "later"}


def test_the_region_assigned_to_decontaminate_goes_first_and_says_why(capsys: Screen, country: Path) -> None:
    """In Fryslân Groningen goes first (rule toewijzing-ontsmetting), whoever else would be sooner."""
    words = ("slagkracht", country, "--plaats", "190000,540000", "--formatie", "ontsmetting:1")
    answer = run(capsys, *words)
    assert "VR01 Groningen gaat hier voor (regel toewijzing-ontsmetting, te verifiëren)" in answer.out
    assert "een andere regio is hiervoor aangewezen en gaat voor" in answer.out
    found = json.loads(run(capsys, *words, "--json").out)
    assert [each["aangewezen_regio"] for each in found["formaties"]] == ["VR01"]
    told = run(capsys, "formaties", country).out
    assert "welke regio waar voorgaat (te verifiëren)" in told
    assert "VR13 Amsterdam-Amstelland" in told


def change_rule(country: Path, to: Path, code: str, values: dict[str, object], region: str = "") -> Path:
    """The plan at ``country`` with other values of one rule (of one region), written to ``to``."""
    plan = read_plan(country)
    rule = next(each for each in plan.rules.rules if each.code == code and not each.region)
    version = dataclasses.replace(rule.versions[-1], values={**rule.versions[-1].values, **values})
    changed = dataclasses.replace(rule, region=region, versions=(version,), cases=())
    others = [each for each in plan.rules.rules if (each.code, each.region) != (code, region)]
    rules = Rules(tuple(sorted([*others, changed], key=lambda each: (each.code, each.region))))
    write_plan(dataclasses.replace(plan, rules=rules), to)
    return to


@pytest.mark.parametrize(
    ("code", "values", "region", "asked", "ends", "says"),
    [
        ("formatie-handcrew", {"onderdelen": [{"inzetmogelijkheid": "luchtkussenboot", "aantal": 1}]}, "", "handcrew",
         0, "geen enkele eenheid van dit plan heeft luchtkussenboot"),
        ("vervanging", {"tankautospuit": [{"door": "basiseenheid", "aantal": 1}]}, "", "basispeloton", 1,
         "vervanging gaat in een kring: basiseenheid → tankautospuit → basiseenheid"),
        ("ondergrens", {"leent_uit": False}, "VR06", "basispeloton:2", 0, "leent niet uit"),
        ("ondergrens", {"aandeel_inwoners": 1.0}, "VR06", "basispeloton:2", 0, "Nu al onder de eigen ondergrens: VR06"),
    ],
)  # fmt: skip
def test_rules_that_ask_the_impossible_are_answered_in_words(
    capsys: Screen, country: Path, tmp_path: Path, code: str, values: dict[str, object], region: str, asked: str,
    ends: int, says: str,
) -> None:  # fmt: skip
    path = change_rule(country, tmp_path / "land", code, values, region)
    answer = run(capsys, "slagkracht", path, "--plaats", "194000,469000", "--formatie", asked)
    assert answer.code == ends
    assert says in " ".join((answer.out + answer.err).split())


def test_crews_that_rest_less_than_nothing_are_refused(capsys: Screen, country: Path, tmp_path: Path) -> None:
    path = change_rule(country, tmp_path / "land", "aflossing", {"rust_uren": -3.0})
    answer = run(capsys, "aflossing", path, "--plaats", "194000,469000", "--formatie", "basispeloton", "--dagen", 1)
    assert answer.code == 1
    assert "rust_uren is -3.0 en kan niet minder dan 0 zijn" in " ".join(answer.err.split())


def test_on_an_island_only_who_is_there_comes(capsys: Screen, country: Path) -> None:
    answer = run(capsys, "slagkracht", country, "--plaats", "179000,607000", "--formatie", "basispeloton:1")
    assert answer.code == 0
    assert "er voert geen weg naar de plaats" in answer.out
    assert "onvolledig" in answer.out


def test_more_than_the_nation_has_is_said(capsys: Screen, country: Path) -> None:
    answer = run(capsys, "slagkracht", country, "--plaats", "194000,469000", "--formatie", "handcrew:40")
    assert answer.code == 0
    assert "onvolledig" in answer.out
    assert "1 × handcrew" in answer.out


def test_a_proof_that_was_asked_and_cannot_be_given_is_not_passed_over(capsys: Screen, country: Path) -> None:
    words = ("slagkracht", country, "--plaats", "194000,469000", "--exact", "--formatie")
    answer = run(capsys, *words, "handcrew:40")
    assert answer.code == 0
    assert "Niet bewezen: er ontbreekt te veel om alles te vormen; dit is de snelle keuze." in answer.out
    assert "Waarom anderen niet: geen andere eenheid van dit plan kan dit." in answer.out
    assert "Niet bewezen" not in run(capsys, *words, "handcrew:1").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--plaats", "nergens", "--formatie", "handcrew"), "geen gebied van dit plan"),
        (("--plaats", "900000,900000", "--formatie", "handcrew"), "km van het dichtstbijzijnde gebied"),
        (("--plaats", "194000,469000", "--formatie", "marsmannetjes"), "onbekend; wel: "),
        (("--plaats", "194000,469000", "--formatie", "handcrew:-3"), "schrijf een aantal"),
        (("--plaats", "194000,469000", "--formatie", "handcrew:0"), "geen formatie gevraagd"),
    ],
)
def test_what_cannot_be_asked_is_said(capsys: Screen, country: Path, words: tuple[str, ...], says: str) -> None:
    answer = run(capsys, "slagkracht", country, *words)
    assert answer.code in (1, 2)
    assert says in " ".join(answer.err.split())
    assert "Traceback" not in answer.err


def test_the_gap_on_a_country_of_its_own(capsys: Screen, country: Path, tmp_path: Path) -> None:
    folder = profile(tmp_path / "p", NEED % ("handcrew", 60), PLACE % "Hoog Buurlo")
    answer = shortfall(capsys, country, folder)
    assert answer.code == 0
    for said in ("Het tekort", "Handcrew", "Waar het blijft", "Wat één eenheid meer waard is", "Wie draagt het nu"):
        assert said in answer.out
    found = json.loads(run(capsys, "tekort", country, "--profiel", folder, "--jaren", 500, "--json").out)
    row = found["tekort"][0]
    level = row["tekort"]["eens per 5 jaar"]
    assert row["nodig"]["eens per 5 jaar"]["midden"] >= 60
    assert level["laag"] <= level["midden"] <= level["hoog"]
    assert level["midden"] == pytest.approx(row["nodig"]["eens per 5 jaar"]["midden"] - row["beschikbaar"]["midden"])
    assert found["scenarios"][0]["ontbreekt"]["handcrew"] > 0
    again = json.loads(run(capsys, "tekort", country, "--profiel", folder, "--jaren", 500, "--json").out)
    assert again == found


def test_a_scenario_without_a_place_and_a_formation_unknown_are_named(
    capsys: Screen, country: Path, tmp_path: Path
) -> None:
    folder = profile(tmp_path / "p", NEED % ("basispeloton", 2), NEED % ("luchtkussenboot", 1))
    answer = shortfall(capsys, country, folder)
    assert answer.code == 0
    assert "zonder plaats, dus wel in de vraag en niet op de kaart: Brand in het dorp" in answer.out
    assert "'luchtkussenboot' wordt gevraagd, maar de doctrine van dit plan kent haar niet" in answer.out
    only = profile(tmp_path / "q", NEED % ("luchtkussenboot", 1))
    refused = shortfall(capsys, country, only)
    assert refused.code == 1
    assert "geen formatie die de doctrine van dit plan kent" in " ".join(refused.err.split())


def test_the_risk_diagram_keeps_what_fits_no_theme(capsys: Screen, tmp_path: Path) -> None:
    folder = profile(tmp_path / "p", NEED % ("basispeloton", 2))
    text = (folder / "brand.toml").read_text(encoding="utf-8").replace("gebouwde omgeving", "strandleven")
    (folder / "brand.toml").write_text(text, encoding="utf-8")
    answer = run(capsys, "risico", "--profiel", folder, "--jaren", 500)
    assert answer.code == 0
    assert "niet ingedeeld" in answer.out
    assert "onder hun eigen naam gehouden: Brand in het dorp" in answer.out
    assert "1 of meer" in answer.out


def test_a_region_has_its_own_diagram(capsys: Screen) -> None:
    whole = json.loads(run(capsys, "risico", "--jaren", 300, "--json").out)
    one = json.loads(run(capsys, "risico", "--jaren", 300, "--regio", "VR01", "--json").out)
    codes = {each["code"] for each in one["risicodiagram"]}
    assert "aardbeving" in codes
    assert "chemie-rijnmond" not in codes
    assert codes < {each["code"] for each in whole["risicodiagram"]}
    assert sum(whole["per_maand"]) == pytest.approx(1)
    by_part: dict[tuple[str, str], float] = {}
    for row in whole["vraag"]:
        key = (row["formatie"], row["indeling"])
        by_part[key] = by_part.get(key, 0.0) + row["formatie_uren_per_jaar"]
    for formation in {row["formatie"] for row in whole["vraag"]}:
        year = [by_part[formation, name] for name in ("seizoen", "tijdvenster", "uur")]
        assert year == pytest.approx([year[0]] * 3)
    for each in whole["risicodiagram"]:
        assert set(each["rangorde"]) == {"driemacht", "gemiddelde", "tienmacht"}
        assert all(1 <= r["laag"] <= r["hoog"] <= 29 for r in each["rangorde"].values())
    assert whole["kans_op_k_tegelijk"] == sorted(whole["kans_op_k_tegelijk"], reverse=True)


def test_when_it_is_asked_and_how_sure_the_ranking_is_are_tables_and_files(capsys: Screen, tmp_path: Path) -> None:
    answer = run(capsys, "risico", "--jaren", 300, "--uit", tmp_path / "uit")
    assert answer.code == 0
    for said in ("Hoe vast de rangorde is", "tienmacht", "Wanneer het wordt gevraagd", "zomer", "weekend", "20–24 uur"):
        assert said in answer.out
    ranks = (tmp_path / "uit" / "rangorde.csv").read_text(encoding="utf-8").splitlines()
    assert len(ranks) == 30  # 29 scenarios under a heading
    asked = (tmp_path / "uit" / "vraag.csv").read_text(encoding="utf-8").splitlines()
    assert len(asked) == 1 + 14 * (4 + 4 + 24)  # formations by season, window and hour
    wrong = run(capsys, "risico", "--samenvoeging", "gevoel")
    assert wrong.code == 2
    assert "kies uit driemacht, gemiddelde, tienmacht" in " ".join(wrong.err.split())


def test_a_profile_that_is_wrong_is_refused_in_words(capsys: Screen, tmp_path: Path) -> None:
    folder = profile(tmp_path / "p", NEED % ("basispeloton", 0))
    answer = run(capsys, "risico", "--profiel", folder)
    assert answer.code == 1
    assert "een heel aantal vanaf 1" in " ".join(answer.err.split())


def test_spread_says_who_holds_what_and_proves_it(capsys: Screen, country: Path, tmp_path: Path) -> None:
    folder = profile(tmp_path / "p", NEED % ("handcrew", 3), PLACE % "Hoog Buurlo")
    words = ("spreiding", country, "--profiel", folder, "--hoogstens-per-regio", 2, "--binnen-uren", 3)
    answer = run(capsys, *words)
    assert answer.code == 0
    assert "bewezen: goedkoper dan" in answer.out
    found = json.loads(run(capsys, *words, "--json").out)
    assert sum(each["ploegen"] for each in found["houders"]) == 3
    assert found["kosten"] == pytest.approx(found["kosten_ondergrens"])
    poor = run(capsys, *words, "--budget", 1)
    assert "budget of maximum per regio" in poor.out
    far = run(capsys, "spreiding", country, "--profiel", folder, "--binnen-uren", 0.2)
    assert "te ver van elke kazerne" in far.out
    nothing = run(capsys, "spreiding", country, "--profiel", folder, "--formatie", "redvoertuig")
    assert nothing.code == 1
    assert "er is niets te spreiden" in " ".join(nothing.err.split())


def test_the_map_of_strength_as_a_table(capsys: Screen, country: Path, tmp_path: Path) -> None:
    out = tmp_path / "kaart.csv"
    answer = run(capsys, "slagkrachtkaart", country, "--uit", out)
    assert answer.code == 0
    assert "basispeloton 10" in answer.out
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("gebied,basispeloton 1 (s),basispeloton 1 zonder ondergrens (s)")
    assert len(lines) == 401
    found = json.loads(run(capsys, "slagkrachtkaart", country, "--json").out)
    assert found["pelotons"] == sorted(found["pelotons"])
    assert all(held <= free for held, free in zip(found["pelotons"], found["pelotons_zonder_ondergrens"], strict=True))


def test_rules_of_who_is_on_call_travel_with_the_plan() -> None:
    names = {file.name for file in (national_rules() / "doctrine").iterdir()}
    assert {"zonder-kazerne.toml", "tijdigheid.toml", "ondergrens.toml"} <= names
