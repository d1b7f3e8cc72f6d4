"""Rule files: read as they stand, or refused with everything that is wrong with them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.coverage import NORM_KINDS, parse_norm
from slagkracht.rules import NoRuleError, Rules, rule_in_force
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.rule_files import check_places, parse_rule, read_rules
from toyland import TOYLAND, read_toyland

GOOD = """
code = "proef"
kind = "eenheidsnorm"
dutch = "Proef"
source = "deze test"
status = "vastgesteld"
region = "VR07"

[[versions]]
starts = 2020-01-01
ends = 2021-12-31
values = { inzetmogelijkheid = "tankautospuit", grens_s = 600 }

[[versions]]
starts = 2022-01-01
values = { inzetmogelijkheid = "tankautospuit", grens_s = 480 }

[[cases]]
day = 2022-01-01
grens_s = 480
"""


def test_a_rule_is_read_as_it_stands() -> None:
    rule = parse_rule(GOOD, "proef.toml")
    assert (rule.code, rule.kind, rule.region, rule.status) == ("proef", "eenheidsnorm", "VR07", "vastgesteld")
    assert [version.values["grens_s"] for version in rule.versions] == [600, 480]
    assert rule.versions[1].ends is None
    assert rule.cases[0]["grens_s"] == 480


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2021-12-31", "2022-01-01", "één waarde per dag"),
        ("ends = 2021-12-31\n", "", "zonder einde en opnieuw vanaf 2022-01-01"),
        ("2021-12-31", "2019-12-31", "een einde op of na de ingangsdatum"),
        ("starts = 2022-01-01", 'starts = "voorjaar"', "dagen als jjjj-mm-dd"),
        ("starts = 2022-01-01", "starts = 2022-01-01T10:00:00", "dagen als jjjj-mm-dd"),
        ('"vastgesteld"', '"zeker"', "een van: vastgesteld, te verifiëren"),
        ('"eenheidsnorm"', '"gewoonte"', "een van: objectnorm"),
        ('source = "deze test"', "", "kolom source"),
        ('source = "deze test"', 'source = " "', "kolom source"),
        ('region = "VR07"', "region = 7", "een regiocode"),
        ('region = "VR07"', 'regio = "VR07"', "onbekend veld"),
        ("grens_s = 480 }", "grens_s = -1 }", "meer dan 0"),
        ("grens_s = 480 }", 'grens_s = 480, kans = "hoog" }', "versie vanaf 2022-01-01"),
        ("grens_s = 480 }", 'grens_s = "8" }', "verwacht een getal"),
        ("grens_s = 480 }", "grens_s = 480, afwijkingen = [5] }", "een lijst tabellen"),
        (
            '"tankautospuit", grens_s = 480 }',
            '"tankautospuyt", grens_s = 480 }',
            "inzetmogelijkheid: gevonden 'tankautosp",
        ),
        ("day = 2022-01-01", "dag = 2022-01-01", "met ieder een dag"),
        ("[[cases]]", "[[cases", "een geldig TOML-bestand"),
        ("[[cases]]\nday", "cases = 3\nday", "onbekend veld cases, day, grens_s"),
    ],
)
def test_a_rule_that_is_wrong_is_refused(old: str, new: str, says: str) -> None:
    assert GOOD.count(old)
    with pytest.raises(RefusalError, match=says) as refusal:
        parse_rule(GOOD.replace(old, new), "proef.toml")
    assert all(finding.file == "proef.toml" for finding in refusal.value.findings)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        GOOD.replace('"vastgesteld"', '"zeker"').replace('"Proef"', '""'), encoding="utf-8"
    )
    (tmp_path / "b.toml").write_bytes("status = 'te verifiëren'".encode("cp1252"))
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "c.toml").write_text("versions = 3", encoding="utf-8")
    with pytest.raises(RefusalError) as refusal:
        read_rules(tmp_path)
    assert {finding.file for finding in refusal.value.findings} == {"a.toml", "b.toml", "c.toml"}
    assert len([f for f in refusal.value.findings if f.file == "a.toml"]) == 2


def test_two_files_for_one_rule_and_place_are_refused(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(RefusalError, match="VR07 heeft er al een"):
        read_rules(tmp_path)


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="geen regelbestanden"):
        read_rules(tmp_path)
    with pytest.raises(RefusalError, match="geen regelbestanden"):
        read_rules(tmp_path / "niets")


def test_folders_add_up_in_order_of_code_and_region() -> None:
    together = read_rules(TOYLAND / "regels")
    keys = [(rule.code, rule.region) for rule in together.rules]
    assert keys == sorted(keys)
    assert ("gebied", "VR92") in keys


def test_the_rules_of_the_programme_can_be_read() -> None:
    rules = read_rules()
    codes = {rule.code for rule in rules.rules if rule.kind in NORM_KINDS}
    assert codes >= {"bvr-3.2.1", "redvoertuig", "hulpverlening", "tweede-tankautospuit", "uitruk-op-maat", "ggo-v3"}
    assert codes >= {"peloton-30", "peloton-60"}
    with pytest.raises(NoRuleError):
        rule_in_force(rules, "bvr-3.2.1", parse_rule(GOOD, "x").versions[0].starts.replace(year=2009))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(RefusalError):
        parse_rule(text, "wat.toml")


@given(st.integers(0, len(GOOD)), st.text(max_size=6))
def test_a_damaged_rule_is_read_or_refused(place: int, noise: str) -> None:
    with suppress(RefusalError):
        parse_rule(GOOD[:place] + noise + GOOD[place + len(noise) :], "wat.toml")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "8", "tankautospuit", "kans", "alle"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["gebied", "grens_s", "motivering", "aantal", "klasse", "alle"]), inner)
    ),
    max_leaves=5,
)
FIELDS = ["grens_s", "eenheid", "inzetmogelijkheid", "onderdelen", "bemanning", "afwijkingen", "maatstaf", "kans"]
FIELDS += ["percentiel", "doel", "buitengrens_s", "grootste_tussentijd_s", "bewoners", "indeling"]


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4))
def test_any_values_make_a_norm_or_a_refusal(values: dict[str, Any]) -> None:
    rule = parse_rule(GOOD, "proef.toml")
    with suppress(ValueError):
        parse_norm(rule, {"inzetmogelijkheid": "tankautospuit", "grens_s": 480, **values})


def test_a_deviation_for_a_place_that_is_not_there_is_refused() -> None:
    plan, _ = read_toyland()
    entry = '{ FIELD = "PLACE", grens_s = 500, motivering = "ver weg" }'

    def deviating(field: str, place: str) -> Rules:
        deviation = entry.replace("FIELD", field).replace("PLACE", place)
        text = GOOD.replace("grens_s = 480 }", f"grens_s = 480, afwijkingen = [{deviation}] }}")
        return Rules((parse_rule(text, "proef.toml"),))

    check_places(deviating("gebied", "A05"), plan.areas)
    check_places(deviating("gemeente", "GM9202"), plan.areas)
    with pytest.raises(
        RefusalError, match="regel proef van VR07, kolom versie vanaf 2022-01-01: afwijkingen 1: gebied"
    ):
        check_places(deviating("gebied", "A99"), plan.areas)
    with pytest.raises(RefusalError, match="gemeente: gevonden 'GM0'"):
        check_places(deviating("gemeente", "GM0"), plan.areas)
