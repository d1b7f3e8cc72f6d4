"""The vocabulary is complete: every noun, attribute, capability, window and vehicle type has its row."""

from __future__ import annotations

import dataclasses
import datetime
import math
from importlib import resources
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.areas import Areas
from slagkracht.plan import Plan
from slagkracht.regions import Regions
from slagkracht.resources import REGIMES, WINDOWS, Stations, Units
from slagkracht.risks import Risk
from slagkracht.roads import Roads
from slagkracht.rules import Rule
from slagkracht.sources.csvfile import CsvTable
from slagkracht.sources.delivery import Deviations, Floor
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.rule_files import read_rules
from slagkracht.sources.vocabulary import (
    check_table,
    clean_type_code,
    read_attributes,
    read_capabilities,
    read_rows,
    read_vehicle_types,
    validate_table,
)
from slagkracht.travel import Travel

NOUNS: dict[str, Any] = {
    "region": Regions,
    "station": Stations,
    "unit": Units,
    "area": Areas,
    "deviation": Deviations,
    "floor": Floor,
    "risk": Risk,
    "rule": Rule,
    "roads": Roads,
    "travel": Travel,
    "plan": Plan,
}
ONLY_HANDED_IN = {"unit": {"turnout_p90_s"}}
TYPES = {"text", "number", "whole", "day", "region", "regime", "vehicle_type", "capabilities", "afgeleid"}


@pytest.mark.parametrize("noun", NOUNS)
def test_every_field_of_a_noun_has_its_row(noun: str) -> None:
    described = {attribute.name for attribute in read_attributes(noun)} - ONLY_HANDED_IN.get(noun, set())
    assert described == {field.name for field in dataclasses.fields(NOUNS[noun])}


@pytest.mark.parametrize("noun", [*NOUNS, "listed_station", "listed_vehicle"])
def test_every_row_says_what_it_is(noun: str) -> None:
    attributes = read_attributes(noun)
    assert len({attribute.name for attribute in attributes}) == len(attributes)
    for attribute in attributes:
        assert attribute.meaning, attribute.name
        assert attribute.kind in TYPES or attribute.kind.startswith("een van "), attribute.name
        assert attribute.per in ("", "venster", "objectklasse"), attribute.name


def test_the_nouns_of_the_house_are_in_the_dictionary() -> None:
    rows = read_rows("nouns")
    assert {"Region", "Station", "Unit", "Area", "Rule", "Plan", "Coverage", "Strength", "Gap"} <= {
        r["code"] for r in rows
    }
    for row in rows:
        assert row["dutch"]
        assert row["sentence"].endswith(".")


def test_windows_and_capabilities_are_those_of_the_engine() -> None:
    assert tuple(row["window"] for row in read_rows("windows")) == WINDOWS
    assert len(set(read_capabilities())) == len(read_capabilities())


def test_every_vehicle_type_can_do_what_the_vocabulary_knows() -> None:
    types = read_vehicle_types()
    assert len(types) >= 280
    for code, vehicle in types.items():
        assert clean_type_code(code) == code
        assert set(vehicle.capabilities) <= set(read_capabilities()), code
        assert vehicle.kind in {"inzet", "reserve", "opleiding", "aanhanger", "haakarmbak", "dienst"}, code
        assert 0 <= vehicle.crew <= vehicle.seats or vehicle.kind in ("reserve", "opleiding"), code
        assert (vehicle.crew > 0) == (vehicle.kind == "inzet"), code
        if "basiseenheid" in vehicle.capabilities:
            assert vehicle.crew == 6, code
            assert "tankautospuit" in vehicle.capabilities, code


def test_what_norms_and_formations_ask_for_is_in_the_vocabulary() -> None:
    """Every ``inzetmogelijkheid`` that a rule of the programme names exists: no norm asks for a typing error."""
    asked: set[str] = set()

    def collect(value: Any, key: str = "") -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                collect(item, name)
        elif isinstance(value, list):
            for item in value:
                collect(item, key)
        elif key.startswith("inzetmogelijkhe"):
            asked.add(value)

    for rule in read_rules().rules:
        for version in rule.versions:
            collect(version.values)
    assert asked
    assert asked <= set(read_capabilities())


def test_every_column_header_is_unique_within_its_table() -> None:
    for noun in NOUNS:
        headers = [attribute.dutch for attribute in read_attributes(noun) if attribute.dutch]
        assert len(set(headers)) == len(headers), noun


FLOOR = {"aandeel_inwoners": ["0.8", "1"], "grens_s": ["", "480"], "besluitdatum": ["2025-11-03", "2026-01-01"]}


def test_a_table_is_typed_by_its_noun() -> None:
    columns = validate_table(CsvTable("ondergrens.csv", FLOOR, 2), "floor")
    assert columns["share"].tolist() == [0.8, 1.0]
    assert math.isnan(columns["limit_s"][0])
    assert columns["decided_on"].tolist() == [datetime.date(2025, 11, 3), datetime.date(2026, 1, 1)]
    assert columns["motivation"].tolist() == ["", ""]


def test_every_wrong_cell_is_a_finding() -> None:
    table = {"aandeel_inwoners": ["0,8", "1.1"], "grens_s": ["", "x"], "vreemd": ["", ""]}
    with pytest.raises(RefusalError) as refusal:
        validate_table(CsvTable("ondergrens.csv", table, 2), "floor")
    assert [(f.row, f.column) for f in refusal.value.findings] == [
        (1, "besluitdatum"),
        (1, "vreemd"),
        (2, "aandeel_inwoners"),
        (3, "aandeel_inwoners"),
        (3, "grens_s"),
    ]


def test_per_window_columns_stand_side_by_side() -> None:
    unit = {f"bezettingsregime_{w}": [r] for w, r in zip(WINDOWS, REGIMES, strict=True)}
    unit |= {f"uitruktijd_s_{w}": [str(100 + i)] for i, w in enumerate(WINDOWS)}
    unit |= {f"paraatheid_{w}": ["1"] for w in WINDOWS}
    unit |= {"eenheid_id": ["1"], "kazerne_id": ["a"], "voertuigtype": ["DV\u2010HOD "]}
    columns = validate_table(CsvTable("eenheden.csv", unit, 1), "unit")
    assert columns["regime"].tolist() == [[0, 1, 2, 3]]
    assert columns["turnout_s"].tolist() == [[100, 101, 102, 103]]
    assert columns["turnout_spread"].tolist() == [[0.28] * 4]
    assert columns["crew"].tolist() == [-1]
    assert columns["type_code"].tolist() == ["DV-HOD"]


@given(st.lists(st.text(max_size=6), min_size=2, max_size=2))
def test_any_text_is_typed_or_refused(cells: list[str]) -> None:
    for column in FLOOR:
        columns, findings = check_table(CsvTable("ondergrens.csv", FLOOR | {column: cells}, 2), "floor")
        assert {finding.column for finding in findings} <= {column}
        assert findings or np.all((columns["share"] >= 0) & (columns["share"] <= 1))


def test_the_vocabulary_is_plain_utf_8_with_unix_lines() -> None:
    for file in (resources.files("slagkracht") / "nl" / "vocabulary").iterdir():
        content = file.read_bytes()
        assert b"\r" not in content, file.name
        content.decode("utf-8")
