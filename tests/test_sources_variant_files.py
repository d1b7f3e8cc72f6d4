"""Variant files: every kind of edit is read as it stands, and what is wrong is refused by number and field."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.coverage import (
    AddUnit,
    ChangeCrew,
    ChangeRule,
    CloseStation,
    MoveStation,
    OpenStation,
    RemoveUnit,
    apply_variant,
)
from slagkracht.plan import compute_hash
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.variant_files import parse_variant, read_variant
from toyland import TOYLAND, read_toyland

GOOD = """
naam = "Alles"
toelichting = "iedere soort één keer"

[[wijzigingen]]
soort = "sluit"
kazerne = "N1"

[[wijzigingen]]
soort = "verplaats"
kazerne = "N2"
x_m = 112000
y_m = 515000.5

[[wijzigingen]]
soort = "open"
kazerne = "N9"
naam = "Nieuw"
veiligheidsregio = "VR91"
x_m = 100000
y_m = 500000

[[wijzigingen]]
soort = "eenheid erbij"
eenheid = "N9-TS"
kazerne = "N9"
voertuigtype = "TS-4"
bezettingsregime = "beroeps"
uitruktijd_s = 80
paraatheid = 0.99

[[wijzigingen]]
soort = "eenheid eraf"
eenheid = "Z3-SI"

[[wijzigingen]]
soort = "bezetting"
kazerne = "Z1"
vensters = ["nacht"]
uitruktijd_s = 200

[[wijzigingen]]
soort = "norm"
code = "eerste"
veiligheidsregio = "VR92"
waarden = { grens_s = { woonfunctie = 540 } }
"""


def test_every_kind_of_edit_is_read(tmp_path: Path) -> None:
    (tmp_path / "alles.toml").write_text(GOOD, encoding="utf-8")
    variant = read_variant(tmp_path / "alles.toml")
    assert (variant.name, variant.note) == ("Alles", "iedere soort één keer")
    assert variant.edits == (
        CloseStation("N1"),
        MoveStation("N2", 112_000.0, 515_000.5),
        OpenStation("N9", "Nieuw", "VR91", 100_000.0, 500_000.0),
        AddUnit("N9-TS", "N9", "TS-4", ("tankautospuit",), 4, "beroeps", 80.0, 0.0, 0.99),
        RemoveUnit("Z3-SI"),
        ChangeCrew(station_id="Z1", windows=("nacht",), turnout_s=200),
        ChangeRule("eerste", {"grens_s": {"woonfunctie": 540}}, "VR92"),
    )


def test_a_vehicle_type_brings_its_crew_and_capabilities() -> None:
    text = 'naam = "TS4"\n[[wijzigingen]]\nsoort = "bezetting"\neenheid = "N2-TS"\nvoertuigtype = "TS-4"\n'
    (edit,) = parse_variant(text, "ts4.toml").edits
    assert edit == ChangeCrew(unit_id="N2-TS", type_code="TS-4", crew=4, capabilities=("tankautospuit",))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"sluit"', '"sloop"', "wijziging 1, soort: gevonden 'sloop'; verwacht: een van: sluit"),
        ('kazerne = "N1"', "", "wijziging 1, kazerne: gevonden 'niets'; verwacht: een tekst"),
        ("x_m = 112000", 'x_m = "ver"', "wijziging 2, x_m: gevonden 'ver'; verwacht: een getal"),
        ("y_m = 515000.5", "y_m = 52.1", "wijziging 2, y_m: gevonden '52.1'; verwacht: een getal van 289000"),
        ('"TS-4"', '"TS-400"', "een voertuigtype uit"),
        ('"beroeps"', '"dienstplicht"', "een van: beroeps"),
        ("paraatheid = 0.99", "paraatheid = 99", "van 0 tot en met 1"),
        ("paraatheid = 0.99", "paraatheid = true", "een getal"),
        ('["nacht"]', '["ochtend"]', "wijziging 6, vensters: gevonden 'ochtend'"),
        ('kazerne = "Z1"', "", "óf een eenheid, óf een kazerne"),
        ("uitruktijd_s = 200", "uitruk = 200", "onbekend veld"),
        ('naam = "Alles"', "", "kolom naam"),
        ('toelichting = "iedere soort één keer"', "toelichting = 3", "een tekst"),
        ('naam = "Alles"', 'naam = "Alles"\nkleur = "rood"', "onbekend veld"),
        ("[[wijzigingen]]", "[[wijziging]]", "minstens één tabel"),
    ],
)
def test_what_is_wrong_is_refused(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(RefusalError, match=says):
        parse_variant(GOOD.replace(old, new), "proef.toml")


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "oud.toml").write_bytes('naam = "één"'.encode("cp1252"))
    with pytest.raises(RefusalError, match="UTF-8"):
        read_variant(tmp_path / "oud.toml")


@given(st.integers(0, len(GOOD)), st.text(max_size=6))
def test_a_damaged_file_is_read_or_refused(place: int, noise: str) -> None:
    with suppress(RefusalError):
        parse_variant(GOOD[:place] + noise + GOOD[place + len(noise) :], "wat.toml")


@pytest.mark.parametrize("path", sorted((TOYLAND / "varianten").glob("*.toml")), ids=lambda p: p.stem)
def test_the_what_ifs_of_toyland_can_be_carried_out(path: Path) -> None:
    plan, travel = read_toyland()
    varied, _ = apply_variant(plan, travel, read_variant(path))
    assert compute_hash(varied.units) != compute_hash(plan.units)
