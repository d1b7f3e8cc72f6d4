"""A delivery takes the place of what was assumed: two regions by hand, their deviations by day, their names apart."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.areas import Areas
from slagkracht.coverage import norm_in_force
from slagkracht.plan import Plan, compute_hash
from slagkracht.resources import WINDOWS, Stations, Units, capability_column
from slagkracht.roads import Roads
from slagkracht.rules import NoRuleError, Rule, Rules, RuleVersion, rule_in_force
from slagkracht.sources.delivered_plan import apply_delivery, build_delivered_plan
from slagkracht.sources.delivery import Delivery, Deviations, Floor
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.rule_files import read_rules
from slagkracht.travel import Travel

DAY = datetime.date(2026, 7, 1)
NORM = Rule(
    "norm", "objectnorm", "Norm", "Bvr", "vastgesteld", "",
    (
        RuleVersion(datetime.date(2010, 1, 1), datetime.date(2025, 12, 31), {"grens_s": {"woonfunctie": 480}}),
        RuleVersion(datetime.date(2026, 1, 1), None, {"grens_s": {"woonfunctie": 500}}),
    ),
)  # fmt: skip
ROADS = Roads(
    np.zeros(1), np.zeros(1), np.zeros(2, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32),
    np.zeros(0, np.int32), ("weg",), np.zeros(0, np.float32), "voorbeeld", "proef",
)  # fmt: skip


def deliver(
    region: str,
    count: int,
    *,
    capability: str = "tankautospuit",
    object_class: str = "woonfunctie",
    areas: bool = True,
    deviations: tuple[tuple[str, str, float, str], ...] = (),
    floors: tuple[tuple[float, str], ...] = (),
) -> Delivery:
    """A region with ``count`` stations k0, k1, …, each with one unit, and as many areas g0, g1, …"""
    place = np.arange(count) * 1000.0
    at = np.full(count, int(region[2:]) - 1, dtype=np.int32)
    per_window = np.full((count, len(WINDOWS)), 60 + count, dtype=np.float32)
    small = np.zeros(count, dtype=np.float32)
    names = np.arange(count).astype(str)
    return Delivery(
        region=region,
        stations=Stations(np.char.add("k", names), np.full(count, region), at, place, place, small),
        units=Units(
            np.char.add("e", names), np.arange(count, dtype=np.int32), np.full(count, "TS"), (capability,),
            np.ones((count, 1), np.bool_), np.full(count, 6, np.int32), per_window.astype(np.int32), per_window,
            per_window / 300, per_window / 100,
        ),
        areas=Areas(
            np.char.add("g", names), place, place, at, np.full(count, "GM0001"), small, (object_class,),
            np.ones((count, 1), np.float32), np.full(count, ""), small,
        )
        if areas
        else None,
        deviations=Deviations(
            np.array([norm for norm, _, _, _ in deviations], dtype=np.str_),
            np.array([area for _, area, _, _ in deviations], dtype=np.str_),
            np.full(len(deviations), "", dtype=np.str_),
            np.full(len(deviations), "", dtype=np.str_),
            np.array([limit for _, _, limit, _ in deviations], dtype=np.float64),
            np.array(["te ver"] * len(deviations), dtype=np.str_),
            np.array([day for _, _, _, day in deviations], dtype="datetime64[D]"),
        ),
        floor=Floor(
            np.array([share for share, _ in floors], dtype=np.float64),
            np.full(len(floors), np.nan),
            np.array([day for _, day in floors], dtype="datetime64[D]"),
            np.full(len(floors), "", dtype=np.str_),
        ),
        summaries=(),
    )  # fmt: skip


@pytest.fixture
def plan() -> Plan:
    """VR01 with two stations and VR02 with one."""
    return build_delivered_plan([deliver("VR01", 2), deliver("VR02", 1)], DAY, Rules((NORM,)), ROADS)


def test_deliveries_alone_make_a_plan(plan: Plan) -> None:
    assert plan.stations.station_id.tolist() == ["k0", "k1", "VR02-k0"]
    assert plan.stations.region.tolist() == [0, 0, 1]
    assert plan.units.unit_id.tolist() == ["e0", "e1", "VR02-e0"]
    assert plan.units.station.tolist() == [0, 1, 2]
    assert plan.areas.area_id.tolist() == ["g0", "g1", "VR02-g0"]
    assert len(plan.notes) == 2


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(5)), st.permutations(range(5)), st.booleans())
def test_rows_and_regions_in_any_order_make_the_same_plan(stations: list[int], units: list[int], turned: bool) -> None:
    """Five stations and units of VR02 in another order, and VR01 after it: one hash, so one answer to everything."""
    as_it_is = deliver("VR02", 5)
    rows, others = np.array(stations), np.array(units)
    shuffled = dataclasses.replace(
        as_it_is,
        stations=dataclasses.replace(
            as_it_is.stations, station_id=as_it_is.stations.station_id[rows], x_m=as_it_is.stations.x_m[rows],
            y_m=as_it_is.stations.y_m[rows],
        ),
        units=dataclasses.replace(
            as_it_is.units, unit_id=as_it_is.units.unit_id[others],
            station=np.argsort(rows)[as_it_is.units.station[others]].astype(np.int32),
        ),
    )  # fmt: skip
    first = deliver("VR01", 2)
    plan = build_delivered_plan([first, as_it_is], DAY, Rules((NORM,)), ROADS)
    again = build_delivered_plan([shuffled, first] if turned else [first, shuffled], DAY, Rules((NORM,)), ROADS)
    assert again.units.unit_id.tolist() == plan.units.unit_id.tolist()
    assert compute_hash(again) == compute_hash(plan)
    replaced = apply_delivery(again, shuffled)
    assert compute_hash(replaced) == compute_hash(apply_delivery(plan, as_it_is))


def test_a_region_that_hands_in_anew_keeps_its_place_between_the_others(plan: Plan) -> None:
    """VR01 hands in three stations after VR02: they stand before VR02's all the same, each unit at its own."""
    new = apply_delivery(plan, deliver("VR01", 3))
    assert new.stations.region.tolist() == [0, 0, 0, 1]
    assert new.stations.station_id[new.units.station].tolist() == ["k0", "k1", "k2", "VR02-k0"]
    assert new.units.unit_id.tolist() == ["e0", "e1", "e2", "VR02-e0"]


def test_a_delivery_replaces_only_its_own_region(plan: Plan) -> None:
    later = apply_delivery(plan, deliver("VR01", 3, capability="redvoertuig", object_class="celfunctie"))
    assert later.stations.station_id.tolist() == ["k0", "k1", "k2", "VR02-k0"]
    assert later.units.station.tolist() == [0, 1, 2, 3]
    assert later.units.turnout_s[:, 0].tolist() == [63, 63, 63, 61]
    assert capability_column(later.units, "tankautospuit").tolist() == [False, False, False, True]
    assert capability_column(later.units, "redvoertuig").tolist() == [True, True, True, False]
    assert later.areas.object_classes == ("woonfunctie", "celfunctie")
    assert later.areas.objects.tolist() == [[1, 0], [0, 1], [0, 1], [0, 1]]
    assert later.travel is None
    kept = apply_delivery(plan, deliver("VR01", 3, areas=False))
    assert kept.areas.area_id.tolist() == plan.areas.area_id.tolist()


def test_a_deviation_holds_in_its_region_from_the_day_of_the_decision(plan: Plan) -> None:
    delivery = deliver("VR02", 1, deviations=(("norm", "g0", 720, "2024-05-01"), ("norm", "g0", 660, "2026-03-01")))
    rules = apply_delivery(plan, delivery).rules

    def in_force(day: str, region: str) -> tuple[int, list[float]]:
        values = rule_in_force(rules, "norm", datetime.date.fromisoformat(day), region)[1]
        places = [entry["gebied"] for entry in values.get("afwijkingen", ())]
        assert places == ["VR02-g0"] * len(places)
        return values["grens_s"]["woonfunctie"], [entry["grens_s"] for entry in values.get("afwijkingen", ())]

    assert in_force("2024-04-30", "VR02") == (480, [])
    assert in_force("2024-05-01", "VR02") == (480, [720])
    assert in_force("2025-12-31", "VR02") == (480, [720])
    assert in_force("2026-01-01", "VR02") == (500, [720])
    assert in_force("2026-03-01", "VR02") == (500, [720, 660])
    assert in_force("2026-03-01", "VR01") == (500, [])
    with pytest.raises(NoRuleError):
        rule_in_force(rules, "norm", datetime.date(2009, 1, 1), "VR02")


def test_no_day_has_two_values_after_deviations(plan: Plan) -> None:
    delivery = deliver("VR02", 1, deviations=(("norm", "g0", 720, "2025-12-31"), ("norm", "g0", 660, "2026-01-01")))
    twice = apply_delivery(apply_delivery(plan, delivery), delivery)
    for rule in twice.rules.rules:
        for earlier, later in zip(rule.versions, rule.versions[1:]):
            assert earlier.ends is not None
            assert earlier.ends < later.starts


def test_a_deviation_from_the_law_is_a_norm_that_can_be_judged_by(plan: Plan) -> None:
    plan = dataclasses.replace(plan, rules=read_rules())
    later = apply_delivery(plan, deliver("VR02", 1, deviations=(("bvr-3.2.1", "g0", 720, "2024-05-01"),)))
    norm = norm_in_force(later.rules, "bvr-3.2.1", DAY, "VR02")
    assert [(d.area_id, d.limit_s, d.reason) for d in norm.deviations] == [("VR02-g0", 720, "te ver")]
    assert norm.limits == norm_in_force(later.rules, "bvr-3.2.1", DAY, "VR01").limits


def test_a_floor_becomes_the_region_s_own_rule(plan: Plan) -> None:
    national = Rule("ondergrens", "doctrine", "Ondergrens", "x", "te verifiëren", "",
                    (RuleVersion(datetime.date(2012, 1, 1), None, {"grens_s": 900, "marge": 0.05}),))  # fmt: skip
    plan = dataclasses.replace(plan, rules=Rules((NORM, national)))
    rules = apply_delivery(plan, deliver("VR02", 1, floors=((0.8, "2026-05-01"), (0.7, "2025-01-01")))).rules
    _, before = rule_in_force(rules, "ondergrens", datetime.date(2026, 4, 30), "VR02")
    rule, after = rule_in_force(rules, "ondergrens", DAY, "VR02")
    assert (before["aandeel_inwoners"], after["aandeel_inwoners"]) == (0.7, 0.8)
    assert after["grens_s"] == 900
    assert rule.status == "vastgesteld"
    assert "aandeel_inwoners" not in rule_in_force(rules, "ondergrens", DAY, "VR01")[1]


def test_what_does_not_fit_the_plan_is_refused(plan: Plan) -> None:
    with pytest.raises(RefusalError, match="VR31"):
        apply_delivery(plan, deliver("VR31", 1))
    with pytest.raises(RefusalError, match="andere"):
        apply_delivery(plan, deliver("VR02", 1, deviations=(("andere", "g0", 600, "2024-01-01"),)))
    with pytest.raises(RefusalError, match="g7"):
        apply_delivery(plan, deliver("VR02", 1, deviations=(("norm", "g7", 600, "2024-01-01"),)))
    drives = np.zeros((3, 3), np.uint16)
    matrix = Travel(drives, np.zeros(3), np.zeros(3), drives[0] * 1.0, drives[0] * 1.0, "matrix", 0.0, "proef")
    with pytest.raises(RefusalError, match="rijtijdenmatrix"):
        apply_delivery(dataclasses.replace(plan, roads=None, travel=matrix), deliver("VR02", 1))
    with pytest.raises(RefusalError, match="geen gebieden"):
        build_delivered_plan([deliver("VR01", 1, areas=False)], DAY, plan.rules, ROADS)
    with pytest.raises(RefusalError, match="tweemaal"):
        build_delivered_plan([deliver("VR01", 1), deliver("VR01", 1)], DAY, plan.rules, ROADS)
    with pytest.raises(RefusalError, match="geen"):
        build_delivered_plan([], DAY, plan.rules, ROADS)
