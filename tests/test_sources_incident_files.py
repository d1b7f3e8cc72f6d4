"""Incident kinds, scenarios and lists: what is read, and what is refused with its place."""

from __future__ import annotations

import contextlib
import datetime
import tempfile
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation_example import START, small_country
from slagkracht.resources import WINDOWS
from slagkracht.simulation import LEVELS
from slagkracht.sources.incident_files import place_incidents, read_incidents, read_scenario, read_week_windows
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.rule_files import read_rules
from slagkracht.sources.vocabulary import read_capabilities

RULES = read_rules()
DAY = datetime.date(2026, 7, 1)


def test_a_week_has_a_window_for_every_hour() -> None:
    week = [WINDOWS[w] for w in read_week_windows()]
    assert (week[12], week[20], week[3], week[23], week[5 * 24 + 12]) == ("dag", "avond", "nacht", "nacht", "weekend")
    assert len(week) == 168


def test_the_national_scenario_asks_by_the_alarm_rules() -> None:
    scenario = read_scenario(RULES, DAY)
    assert round(sum(kind.rate_per_year for kind in scenario.kinds)) == 150_000
    fire = next(kind for kind in scenario.kinds if kind.code == "gebouwbrand")
    assert fire.asks[0] == (("basiseenheid", 1),)
    assert dict(fire.asks[LEVELS.index("zeer groot")])["tankautospuit"] == 4
    known = set(read_capabilities())
    assert {name for kind in scenario.kinds for level in kind.asks for name, _ in level} <= known
    assert any("te verifiëren" in note for note in scenario.notes)


def test_a_scenario_changes_only_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "druk.toml"
    file.write_text(
        'naam = "droge zomer"\nalarmering = "snelst_beschikbaar"\nherbezetting = "dekking"\nfactor = 2\n'
        "[soorten.natuurbrand]\nper_jaar = 3000\n[soorten.assistentie]\nper_jaar = 0\n",
        encoding="utf-8",
    )
    scenario, usual = read_scenario(RULES, DAY, file), read_scenario(RULES, DAY)
    rates = {kind.code: kind.rate_per_year for kind in scenario.kinds}
    before = {kind.code: kind.rate_per_year for kind in usual.kinds}
    assert (scenario.name, scenario.dispatch, scenario.move_up) == ("droge zomer", "snelst_beschikbaar", "dekking")
    assert rates["natuurbrand"] == 6_000
    assert rates["gebouwbrand"] == 2 * before["gebouwbrand"]
    assert "assistentie" not in rates


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('alarmering = "loten"', "kazernevolgorde"),
        ('kleur = "rood"', "onbekend veld"),
        ("[soorten.nieuw]\nper_jaar = 3", "mist"),
        ('[soorten.natuurbrand]\nmar = "sneeuw"', "brand_gebouw"),
        ("[soorten.natuurbrand]\nwerkdag = [1, 2]", "24 getallen"),
        ("[soorten.natuurbrand]\ngroeit = [2.0, 0.1, 0.1]", "3 getallen"),
        ("[soorten.natuurbrand]\nper_jaar = -1", "van 0 tot"),
        ("[soorten", "TOML"),
    ],
)
def test_a_bad_scenario_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "fout.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RefusalError, match=said):
        read_scenario(RULES, DAY, file)


def write(folder: Path, *rows: str) -> Path:
    file = folder / "meldingen.csv"
    file.write_text("\n".join(["incident,tijdstip,x_m,y_m,soort", *rows]), encoding="utf-8")
    return file


def test_a_list_is_replayed_in_order_of_time(tmp_path: Path) -> None:
    plan, _ = small_country()
    x_m = plan.areas.x_m
    late = f"b,2026-01-02T00:00:00,{x_m[5]},100,hulpverlening"
    given = read_incidents(write(tmp_path, late, f"a,2026-01-01T01:00:00,{x_m[2]},90,buitenbrand"))
    assert given.incident.tolist() == ["a", "b"]
    scenario = read_scenario(RULES, DAY)
    incidents = place_incidents(given, scenario, plan.areas, START)
    assert incidents.at_s.tolist() == [3_600.0, 86_400.0]
    assert incidents.area.tolist() == [2, 5]
    assert [scenario.kinds[k].code for k in incidents.kind] == ["buitenbrand", "hulpverlening"]
    np.testing.assert_array_equal(incidents.level, 0)


def test_a_bad_list_is_refused_with_every_finding(tmp_path: Path) -> None:
    with pytest.raises(RefusalError) as refusal:
        read_incidents(write(tmp_path, "a,gisteren,1,2,brand", "b,2026-01-01,x,2,brand"))
    assert [(f.row, f.column) for f in refusal.value.findings] == [(2, "tijdstip"), (3, "x_m")]
    plan, _ = small_country()
    given = read_incidents(write(tmp_path, "a,2025-01-01,900000,2,draak"))
    with pytest.raises(RefusalError) as refusal:
        place_incidents(given, read_scenario(RULES, DAY), plan.areas, START)
    assert {f.column for f in refusal.value.findings} == {"soort", "tijdstip", "x_m, y_m"}


# ── whatever stands in a file ─────────────────────────────────────────────────────────────────────────────────────────

NAMES = ["naam", "factor", "bron", "alarmering", "herbezetting", "soorten", "soorten.brand", "soorten.nieuw", "x"]
VALUES = ['""', '"x"', "0", "-1", "1e400", "nan", "true", "[]", "[1]", "{}", '{per_jaar = "veel"}', "{per_jaar = []}",
          "{code = 3, duur = {}}", "2026-01-01"]  # fmt: skip
quick = settings(max_examples=120, deadline=None, database=None, derandomize=True)


def read_or_refuse(content: bytes, read: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bestand"
        path.write_bytes(content)
        with contextlib.suppress(RefusalError):
            read(path)


@quick
@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=3), st.binary(max_size=6))
def test_any_scenario_is_read_or_refused(entries: dict[str, str], noise: bytes) -> None:
    text = "\n".join(f"{name} = {value}" for name, value in entries.items()).encode()
    for content in (text, text + noise):
        read_or_refuse(content, lambda path: read_scenario(RULES, DAY, path))


@quick
@given(st.data())
def test_any_value_of_any_kind_of_incident_is_read_or_refused(data: Any) -> None:
    text = (resources.files("slagkracht") / "nl" / "facts" / "incidents.toml").read_text("utf-8")
    kinds = tomllib.loads(text)["soorten"]
    code = data.draw(st.sampled_from(sorted(kinds)))
    name, value = data.draw(st.sampled_from([*sorted(kinds[code]), "x"])), data.draw(st.sampled_from(VALUES))
    content = f"[soorten.{code}]\n{name} = {value}\n".encode()
    read_or_refuse(content, lambda path: read_scenario(RULES, DAY, path))


@quick
@given(st.lists(st.lists(st.text(max_size=9) | st.sampled_from(["a", "2026-01-01T01:00", "1", "nan", "1e400", "brand"]),
                         max_size=6), max_size=4), st.binary(max_size=9))  # fmt: skip
def test_any_list_of_incidents_is_read_or_refused(rows: list[list[str]], noise: bytes) -> None:
    text = "\n".join(["incident,tijdstip,x_m,y_m,soort", *(",".join(row) for row in rows)]).encode("utf-8", "replace")
    for content in (text, noise, text + noise):
        read_or_refuse(content, read_incidents)
