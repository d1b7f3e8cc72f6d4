"""The starter set reads; what is wrong in a scenario file is said in words, whatever is wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.risks import THEMES
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.risk_files import national_risks, read_profile
from slagkracht.sources.rule_files import read_rules

GOOD = """
code = "brand"
dutch = "Natuurbrand"
thema = "natuurlijke omgeving"
crisistype = "natuurbrand"
regios = ["VR06"]
waarschijnlijkheid = "D"
effect = ["A", "B", "", "", "", "", "", "", "", ""]
bron = "verzonnen"
status = "te verifiëren"

[[plaatsen]]
naam = "Hoog Buurlo"
lon = 5.84
lat = 52.18

[[behoefte]]
formatie = "basispeloton"
aantal = 4
van_uur = 1.0
tot_uur = 12.0
"""


def write(folder: Path, text: str, name: str = "brand.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_starter_set_covers_the_themes_and_asks_for_formations_that_exist() -> None:
    profile = read_profile()
    assert len(profile.risks) >= 20
    assert {risk.theme for risk in profile.risks} == set(THEMES)
    known = {rule.code.removeprefix("formatie-") for rule in read_rules().rules if rule.code.startswith("formatie-")}
    assert {need.formation for risk in profile.risks for need in risk.needs} <= known
    assert {risk.group for risk in profile.risks} - {""} == {shock.group for shock in profile.shocks}
    assert all(risk.source and risk.status for risk in profile.risks)


def test_a_file_is_read_as_it_stands(tmp_path: Path) -> None:
    risk = read_profile(write(tmp_path, GOOD)).risks[0]
    assert (risk.code, risk.label, risk.regions) == ("brand", "Natuurbrand", ("VR06",))
    assert risk.places[0].x_m == pytest.approx(186_000, abs=500)  # 155,000 and 0.4524 degrees of 68.3 km
    assert risk.rate_low < risk.rate_per_year < risk.rate_high
    assert risk.hours == (1.0,) * 24


def test_a_theme_of_ones_own_is_kept_under_its_own_words(tmp_path: Path) -> None:
    text = GOOD.replace("natuurlijke omgeving", "strand en zee").replace('crisistype = "natuurbrand"\n', "")
    risk = read_profile(write(tmp_path, text)).risks[0]
    assert (risk.theme, risk.crisis_type, risk.label) == ("", "strand en zee", "Natuurbrand")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"D"', '"F"', "een klasse A–E"),
        ('"D"', '"AB"', "een klasse A–E"),
        ('waarschijnlijkheid = "D"', "kans_per_jaar = {midden = 1, laag = 2, hoog = 3}", "laag ≤ midden ≤ hoog"),
        ('waarschijnlijkheid = "D"', "kans_per_jaar = {midden = 1, laag = -2, hoog = 3}", "een getal vanaf 0"),
        ('waarschijnlijkheid = "D"', "", "midden, laag en hoog"),
        ('"A", "B"', '"A", "Z"', "letters A–E"),
        ('["VR06"]', '"VR06"', "lijst van teksten"),
        ("lon = 5.84\nlat = 52.18", "lon = 52.18\nlat = 5.84", "verwisseld"),
        ("lon = 5.84", 'lon = "oost"', "een plaats in Nederland"),
        ("aantal = 4", "aantal = 0", "een heel aantal vanaf 1"),
        ("aantal = 4", "aantal = 2.5", "een heel aantal vanaf 1"),
        ("van_uur = 1.0", "van_uur = 24.0", "van_uur voor tot_uur"),
        ('formatie = "basispeloton"\n', "", "een tekst"),
        ('bron = "verzonnen"', "", "bron"),
        ("te verifiëren", "misschien", "vastgesteld of te verifiëren"),
        ('regios = ["VR06"]', 'regios = ["VR06"]\nmaanden = [1, 2]', "12 gewichten"),
        ('regios = ["VR06"]', 'regios = ["VR06"]\nuren = "avond"', "gelijk, overdag"),
        ("code = ", "code ", "TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(RefusalError, match=words):
        read_profile(write(tmp_path, GOOD.replace(old, new)))


def test_a_code_stands_once_in_a_profile(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(RefusalError, match="maar één keer"):
        read_profile(write(tmp_path, GOOD, "nogmaals.toml"))


def test_two_regions_that_share_an_event_are_merged(tmp_path: Path) -> None:
    for region in ("VR06", "VR07"):
        (tmp_path / region).mkdir()
        write(tmp_path / region, GOOD.replace("VR06", region).replace("code", 'gedeeld = "Veluwe"\ncode', 1))
    profile = read_profile(tmp_path / "VR06", tmp_path / "VR07")
    assert [risk.regions for risk in profile.risks] == [("VR06", "VR07")]


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="geen scenario's"):
        read_profile(tmp_path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    line=st.integers(0, GOOD.count("\n") - 1),
    value=st.one_of(
        st.text(max_size=12).map(lambda t: repr(t)),
        st.integers(-(10**6), 10**6).map(str),
        st.sampled_from(["nan", "inf", "-inf", "true", "[]", "{}", "[1, 2]", '["A"]', "[[1]]", "1979-05-27", '""']),
    ),
)
def test_any_value_anywhere_is_read_or_refused(tmp_path: Path, line: int, value: str) -> None:
    lines = GOOD.split("\n")
    name, equals, _ = lines[line].partition("=")
    lines[line] = f"{name}{equals} {value}" if equals else value
    profile = None
    with contextlib.suppress(RefusalError):
        profile = read_profile(write(tmp_path, "\n".join(lines)))
    if profile is not None:
        risk = profile.risks[0]
        assert np.isfinite([risk.rate_low, risk.rate_high, *risk.months, *risk.hours]).all()
        assert all(need.count >= 1 and need.start_h < need.end_h for need in risk.needs)


def test_the_starter_set_lies_in_the_package() -> None:
    assert any(file.name == "samenhang.toml" for file in national_risks().iterdir())
