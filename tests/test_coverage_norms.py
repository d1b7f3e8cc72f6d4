"""Norms: read from rule data, refused by name where they make no sense, and spread over places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from slagkracht.coverage import Norm, compute_area_class, compute_limits, parse_norm
from slagkracht.rules import Rule
from slagkracht.sources.rule_files import read_rules
from toyland import read_toyland

RULE = Rule("proef", "objectnorm", "Proef", "deze test", "vastgesteld", "VR91", ())
GOOD: dict[str, Any] = {
    "inzetmogelijkheid": "tankautospuit",
    "bewoners": "woonfunctie",
    "buitengrens_s": 1080,
    "grens_s": {"woonfunctie": 480, "celfunctie": 300},
}


def norm(kind: str = "objectnorm", **changes: Any) -> Norm:
    return parse_norm(replace(RULE, kind=kind), {**GOOD, **changes})


def test_a_norm_is_read_as_it_stands() -> None:
    read = norm(eenheid=2, maatstaf="kans", kans=0.9, doel=0.8)
    assert [(part.capabilities, part.count) for part in read.parts] == [(("tankautospuit",), 2)]
    assert (read.statistic, read.chance, read.target_share) == ("kans", 0.9, 0.8)
    assert dict(read.limits) == {"woonfunctie": 480, "celfunctie": 300}
    assert hash(read) == hash(norm(eenheid=2, maatstaf="kans", kans=0.9, doel=0.8))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"grens_s": {}}, "geen grens_s"),
        ({"grens_s": {"woonfunctie": 1200}}, "hoogstens de buitengrens van 1080 s"),
        ({"grens_s": {"woonfunctie": 0}}, "meer dan 0"),
        ({"bewoners": "kasteel"}, "kies een klasse van grens_s"),
        ({"maatstaf": "gevoel"}, "kies een van nominaal"),
        ({"maatstaf": "kans"}, "zonder kans"),
        ({"maatstaf": "percentiel", "percentiel": 90}, "verwacht een aandeel"),
        ({"maatstaf": "percentiel", "percentiel": 1}, "kleiner dan 1"),
        ({"grens_s": "8"}, "grens_s = '8'; verwacht een getal"),
        ({"grens_s": {"woonfunctie": "8"}}, "grens_s.woonfunctie = '8'"),
        ({"grens_s": float("nan")}, "grens_s = nan"),
        ({"afwijkingen": [5]}, "afwijkingen = .5.; verwacht een lijst tabellen met grens_s"),
        ({"afwijkingen": [{"gebied": 5, "grens_s": 480, "motivering": "x"}]}, "afwijkingen 1: gebied = 5"),
        ({"afwijkingen": [{"gebied": "A05", "motivering": "x"}]}, "afwijkingen 1: grens_s = 'niets'"),
        ({"eenheid": 1.7}, "eenheid = 1.7; verwacht een geheel getal"),
        ({"bemanning": True}, "bemanning = True; verwacht een geheel getal"),
        ({"kans": "hoog"}, "kans = 'hoog'; verwacht een getal"),
        ({"inzetmogelijkheid": []}, "een inzetmogelijkheid, of een lijst ervan"),
        ({"inzetmogelijkheit": "x"}, "onbekend veld inzetmogelijkheit"),
        ({"eenheid": 0}, "minstens één eenheid"),
        ({"afwijkingen": [{"gebied": "A05", "grens_s": 660}]}, "en de motivering|én de motivering"),
        ({"afwijkingen": [{"gebied": "A05", "grens_s": 1100, "motivering": "ver weg"}]}, "buitengrens"),
        ({"indeling": [{"klasse": "stad", "maat": "inwoners_per_km2", "minstens": 1}]}, "kies uit grens_s"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as refusal:
        norm(**changes)
    assert "regel 'proef' van VR91" in str(refusal.value)


def test_a_norm_names_what_must_arrive() -> None:
    with pytest.raises(ValueError, match="geen inzetmogelijkheid"):
        parse_norm(RULE, {"grens_s": 480})
    with pytest.raises(ValueError, match="geen opkomstnorm"):
        norm(kind="rijprofiel")


def test_residents_and_objects_have_their_own_limits() -> None:
    plan, _ = read_toyland()
    read = norm()
    residents, objects = compute_limits(read, plan.areas, compute_area_class(read, plan.areas))
    assert (residents == 480).all()
    assert objects[0].tolist()[0::2] == [480, 300]
    assert np.isnan(objects[0, 1])  # kantoorfunctie: this norm does not speak of it


def test_one_limit_for_all_is_the_limit_of_every_object() -> None:
    plan, _ = read_toyland()
    read = parse_norm(RULE, {"inzetmogelijkheid": "tankautospuit", "grens_s": 480})
    residents, objects = compute_limits(read, plan.areas, compute_area_class(read, plan.areas))
    assert (residents == 480).all()
    assert (objects == 480).all()
    read = norm(grens_s={"alle": 480, "celfunctie": 300}, bewoners="alle")
    _, objects = compute_limits(read, plan.areas, compute_area_class(read, plan.areas))
    assert objects[0].tolist() == [480, 480, 300]


def test_a_motivated_deviation_holds_for_its_place_and_class_alone() -> None:
    plan, _ = read_toyland()
    read = norm(
        afwijkingen=[
            {"gebied": "A05", "klasse": "woonfunctie", "grens_s": 660, "motivering": "verspreide boerderijen"},
            {"gemeente": "GM9202", "grens_s": 540, "motivering": "geen kazerne mogelijk"},
        ]
    )
    residents, objects = compute_limits(read, plan.areas, compute_area_class(read, plan.areas))
    assert residents.tolist() == [480, 480, 480, 480, 660, 480, 480, 480, 540, 540, 480, 480]
    assert objects[4].tolist()[0::2] == [660, 300]
    assert objects[8].tolist()[0::2] == [540, 540]
    assert np.isnan(objects[8, 1])


def test_area_classes_given_come_before_class_rules() -> None:
    plan, _ = read_toyland()
    read = parse_norm(
        replace(RULE, kind="gebiedsnorm"),
        {
            "inzetmogelijkheid": "tankautospuit",
            "grens_s": {"stad": 480, "dorp": 600, "veld": 900},
            "indeling": [
                {"klasse": "dorp", "maat": "inwoners_per_km2", "minstens": 500},
                {"klasse": "veld", "maat": "woonfunctie", "minstens": 0},
            ],
        },
    )
    areas = replace(plan.areas, area_class=np.array(["stad", *[""] * 10, "kasteel"]))
    found = compute_area_class(read, areas)
    density = areas.population / np.square(areas.size_m / 1000)
    assert found[0] == "stad"
    assert found[1:].tolist() == ["dorp" if d >= 500 else "veld" for d in density[1:]]
    residents, objects = compute_limits(read, areas, found)
    assert residents[11] == 900
    assert np.array_equal(objects[:, 2], residents)


def test_a_class_rule_on_something_not_counted_is_refused() -> None:
    plan, _ = read_toyland()
    read = parse_norm(
        replace(RULE, kind="gebiedsnorm"),
        {
            "inzetmogelijkheid": "tankautospuit",
            "grens_s": {"hoog": 480},
            "indeling": [{"klasse": "hoog", "maat": "portiekwoning", "minstens": 20}],
        },
    )
    with pytest.raises(ValueError, match="deze gebieden kennen inwoners_per_km2, woonfunctie"):
        compute_area_class(read, replace(plan.areas, area_class=np.full(12, "")))


def test_the_law_on_building_functions() -> None:
    rule = next(rule for rule in read_rules().rules if rule.code == "bvr-3.2.1")
    read = parse_norm(rule, rule.versions[0].values)
    assert sorted(set(dict(read.limits).values())) == [300, 360, 480, 600]
    assert read.outer_limit_s == 18 * 60
    assert read.residents_class == "woonfunctie"
