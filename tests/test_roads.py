"""The network keeps what it was given, drives begin at front doors, and speeds come from the profile alone."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slagkracht.roads import (
    Roads,
    apply_edits,
    arc_tails,
    build_roads,
    compute_access,
    compute_arc_seconds,
    compute_pieces,
    hilbert_order,
    nearest_nodes,
)
from slagkracht.rules import Rule, Rules, rule_in_force
from slagkracht.sources.rule_files import read_rules
from slagkracht.travel import UNREACHABLE, compute_node_times

RULES = Path(__file__).parents[1] / "src" / "slagkracht" / "nl" / "rules" / "rijprofiel"

PROFILE: dict[str, Any] = {
    "plafond_kmh": 100.0,
    "snelheid_kmh": {"motorway": 90.0, "residential": 36.0, "track": 0.0, "ferry": 18.0, "overig": 20.0},
    "factor_maximum": {"residential": 0.8, "overig": 1.5},
    "kruispunt_s": {"motorway": 0.0, "overig": 4.0},
    "wachttijd_s": {"ferry": 600.0},
    "eenheid": {"redvoertuig": 0.5},
}


def village() -> Roads:
    """Five places on a line, 1 km apart; a crossing at 1 (to the farm 5); a ferry 3 → 4 in two arcs over 6."""
    x = [0, 1000, 2000, 3000, 5000, 1000, 4000]
    y = [0, 0, 0, 0, 0, 1000, 0]
    both = [(0, 1, 1), (1, 2, 1), (2, 3, 0), (1, 5, 2), (3, 6, 3), (6, 4, 3)]
    arcs = [(a, b, c) for a, b, c in both] + [(b, a, c) for a, b, c in both]
    tail, head, road_class = np.array(arcs).T
    maxspeed = np.where(road_class == 0, 50.0, np.nan)
    classes = ("motorway", "residential", "track", "ferry")
    return build_roads(x, y, tail, head, np.full(12, 1000.0), road_class, classes, maxspeed, "voorbeeld", "dorp")


def at(roads: Roads, x_m: float, y_m: float = 0.0) -> int:
    return int(np.flatnonzero((roads.x_m == x_m) & (roads.y_m == y_m))[0])


def arc(roads: Roads, tail: int, head: int) -> int:
    return int(np.flatnonzero((arc_tails(roads) == tail) & (roads.head == head))[0])


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=40, unique=True),
    st.data(),
)
def test_every_arc_survives_the_renumbering(places: list[tuple[int, int]], data: st.DataObject) -> None:
    node = st.integers(0, len(places) - 1)
    arcs = data.draw(st.lists(st.tuples(node, node, st.integers(0, 900)), max_size=60))
    tail, head, length = np.array(arcs, int).reshape(-1, 3).T
    x, y = np.array(places, float).T
    roads = build_roads(x, y, tail, head, length, np.zeros(len(arcs)), ("weg",), None, "voorbeeld", "toeval")
    tails = arc_tails(roads)
    got = sorted(
        zip(
            roads.x_m[tails],
            roads.y_m[tails],
            roads.x_m[roads.head],
            roads.y_m[roads.head],
            roads.length_m,
            strict=True,
        )
    )
    assert got == sorted((*places[a], *places[b], m) for a, b, m in arcs if a != b)
    assert np.all(np.diff(tails) >= 0)
    assert np.array_equal(roads.x_m, x[hilbert_order(x, y)])


def test_the_hilbert_curve_visits_neighbours() -> None:
    x, y = np.meshgrid(np.arange(16.0), np.arange(16.0))
    order = hilbert_order(x.ravel(), y.ravel())
    step = np.abs(np.diff(x.ravel()[order])) + np.abs(np.diff(y.ravel()[order]))
    assert sorted(order) == list(range(256))
    assert np.all(step == 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"head": [1, 7]}, "wegvak 1 loopt naar een knooppunt buiten 0–1"),
        ({"length_m": [-1.0, 2.0]}, "wegvak 0 heeft geen lengte"),
        ({"road_class": [0, 3]}, "wegvak 1 heeft een onbekende wegklasse"),
        ({"x_m": [0.0, np.nan]}, "knooppunt 1 heeft geen coördinaten"),
    ],
)
def test_an_impossible_network_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    given = {
        "x_m": [0.0, 1.0], "y_m": [0.0, 1.0], "tail": [0, 1], "head": [1, 0], "length_m": [1.0, 1.0],
        "road_class": [0, 0], "road_classes": ("weg",), "maxspeed_kmh": None, "kind": "voorbeeld", "source": "proef",
    }  # fmt: skip
    with pytest.raises(ValueError, match=words):
        build_roads(**(given | change))


def test_seconds_by_hand() -> None:
    roads = village()
    seconds = compute_arc_seconds(roads, PROFILE)
    n0, n1, n2, n3, n4, sea = (at(roads, x) for x in (0, 1000, 2000, 3000, 5000, 4000))
    assert seconds[arc(roads, n0, n1)] == pytest.approx(100 + 4)  # 36 km/h, and the crossing at 1
    assert seconds[arc(roads, n1, n0)] == pytest.approx(100)  # no crossing at the end of the village
    assert seconds[arc(roads, n2, n3)] == pytest.approx(48)  # 1.5 × 50 km/h
    assert np.isinf(seconds[arc(roads, n1, at(roads, 1000, 1000))])  # the profile closes tracks
    assert seconds[arc(roads, n3, sea)] == pytest.approx(200 + 600)  # boarding waits once,
    assert seconds[arc(roads, sea, n4)] == pytest.approx(200)  # not again at sea

    ladder = compute_arc_seconds(roads, PROFILE, "redvoertuig")
    assert ladder[arc(roads, n0, n1)] == pytest.approx(200 + 4)
    assert ladder[arc(roads, n3, sea)] == pytest.approx(200 + 600)  # no unit hurries a ferry


def test_a_ferry_with_a_maximum_speed_keeps_to_it() -> None:
    roads = village()
    signed = replace(roads, maxspeed_kmh=np.where(roads.road_class == 3, 30.0, roads.maxspeed_kmh).astype(np.float32))
    sea, n4 = at(roads, 4000), at(roads, 5000)
    for unit_kind in ("", "redvoertuig"):
        assert compute_arc_seconds(signed, PROFILE, unit_kind)[arc(roads, sea, n4)] == pytest.approx(120)


def test_the_ceiling_holds() -> None:
    roads = village()
    profile = PROFILE | {"factor_maximum": {"overig": 3.0}}
    assert compute_arc_seconds(roads, profile)[arc(roads, at(roads, 2000), at(roads, 3000))] == pytest.approx(36)


def test_a_profile_that_misses_a_table_says_which() -> None:
    with pytest.raises(KeyError, match="kruispunt_s"):
        compute_arc_seconds(village(), {k: v for k, v in PROFILE.items() if k != "kruispunt_s"})


@pytest.mark.parametrize("path", sorted(RULES.glob("*.toml")), ids=lambda p: p.stem)
def test_the_profiles_drive_every_road_of_the_country(path: Path) -> None:
    rule = tomllib.loads(path.read_text(encoding="utf-8"))
    assert rule["kind"] == "rijprofiel"
    assert rule["status"] == "te verifiëren"
    for version in rule["versions"]:
        seconds = compute_arc_seconds(village(), version["values"])
        assert np.all(np.isfinite(seconds))
        assert np.all(seconds > 1000 * 3.6 / 130)


def test_the_scenarios_of_the_profile_change_what_they_name() -> None:
    roads = village()
    profile = tomllib.loads((RULES / "spoed.toml").read_text(encoding="utf-8"))["versions"][0]["values"]
    dry = compute_arc_seconds(roads, profile)
    motorway, ferry = roads.road_class == 0, roads.road_class == 3
    snow = apply_edits(roads, dry, profile["scenario"]["sneeuw"])
    assert snow[~motorway] == pytest.approx(dry[~motorway] * 1.4)
    assert snow[motorway] == pytest.approx(dry[motorway] * 1.4 * 1.15)
    for name, shut in (("snelwegen_dicht", motorway), ("storm", ferry)):
        assert np.array_equal(np.isinf(apply_edits(roads, dry, profile["scenario"][name])), shut)


def test_an_island_is_reached_while_its_ferry_sails_and_again_when_it_does_again() -> None:
    roads = village()
    profile = tomllib.loads((RULES / "spoed.toml").read_text(encoding="utf-8"))["versions"][0]["values"]
    sails = compute_arc_seconds(roads, profile)
    shut = apply_edits(roads, sails, profile["scenario"]["storm"])
    again = apply_edits(roads, sails, [{"klassen": ["ferry"], "factor": 1.0}])
    quay, island = at(roads, 3000), at(roads, 5000)
    drive_s = [compute_node_times(roads, arc_s, [quay])[0] for arc_s in (sails, shut, again)]
    assert drive_s[0][island] == drive_s[2][island] < UNREACHABLE
    assert drive_s[1][island] == UNREACHABLE
    assert drive_s[1][at(roads, 0)] == drive_s[0][at(roads, 0)]  # on land nothing changes


def test_modelled_roads_know_snow_and_closed_motorways_too() -> None:
    profile = tomllib.loads((RULES / "gemodelleerd.toml").read_text(encoding="utf-8"))["versions"][0]["values"]
    classes = ("gemodelleerd_bebouwd", "motorway")
    nothing = [np.nan, np.nan]
    roads = build_roads(
        [0, 1, 2], [0, 0, 0], [0, 1], [1, 2], [1000, 1000], [0, 1], classes, nothing, "voorbeeld", "geval"
    )
    dry = compute_arc_seconds(roads, profile)
    assert set(profile["scenario"]) == {"sneeuw", "snelwegen_dicht"}
    motorway = roads.road_class == 1
    snow = apply_edits(roads, dry, profile["scenario"]["sneeuw"])
    assert snow == pytest.approx(np.where(motorway, dry * 1.4 * 1.15, dry * 1.4))
    shut = apply_edits(roads, dry, profile["scenario"]["snelwegen_dicht"])
    assert np.array_equal(np.isinf(shut), motorway)


CASES = [
    pytest.param(rule, case, id=f"{rule.code}-{number}")
    for rule in read_rules(RULES).rules
    for number, case in enumerate(rule.cases, 1)
]


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_the_worked_cases_of_the_profiles_hold(rule: Rule, case: dict[str, Any]) -> None:
    _, profile = rule_in_force(Rules((rule,)), rule.code, case["day"])
    length, maximum = [case["lengte_m"]], [case.get("maximum_kmh", np.nan)]
    roads = build_roads([0, 1], [0, 0], [0], [1], length, [0], (case["klasse"],), maximum, "voorbeeld", "geval")
    seconds = compute_arc_seconds(roads, profile, case.get("eenheid", ""))
    assert seconds[0] == pytest.approx(case["seconden"], abs=0.01)


def test_edits_by_hand() -> None:
    roads = village()
    dry = compute_arc_seconds(roads, PROFILE)
    snow = apply_edits(roads, dry, [{"factor": 1.5}, {"klassen": ["motorway"], "factor": 2.0}])
    fast = roads.road_class == 0
    assert snow[~fast] == pytest.approx(dry[~fast] * 1.5)
    assert snow[fast] == pytest.approx(dry[fast] * 3.0)

    bridge = apply_edits(roads, dry, [{"gebied": [2400, -10, 2600, 10], "dicht": True}])
    crossing = {arc(roads, at(roads, 2000), at(roads, 3000)), arc(roads, at(roads, 3000), at(roads, 2000))}
    assert set(np.flatnonzero(np.isinf(bridge) & np.isfinite(dry))) == crossing
    ring = apply_edits(roads, dry, [{"gebied": [[2400, -10], [2600, -10], [2500, 10]], "dicht": True}])
    assert np.array_equal(ring, bridge)
    lanes = apply_edits(roads, dry, [{"gebied": [2400, -10, 2600, 10], "klassen": ["residential"], "dicht": True}])
    assert np.array_equal(lanes, dry)


@pytest.mark.parametrize(
    ("edit", "words"), [({"klassen": ["kanaal"], "factor": 2}, "kanaal"), ({"klassen": ["track"]}, "dicht = true")]
)
def test_an_edit_that_says_nothing_is_refused(edit: dict[str, Any], words: str) -> None:
    roads = village()
    with pytest.raises(ValueError, match=words):
        apply_edits(roads, compute_arc_seconds(roads, PROFILE), [edit])


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(1.0, 4.0), st.booleans()), max_size=4))
def test_hindrance_never_quickens_an_arc(hindrances: list[tuple[int, float, bool]]) -> None:
    roads = village()
    dry = compute_arc_seconds(roads, PROFILE)
    edits = [{"klassen": [roads.road_classes[c]], "factor": f, "dicht": shut} for c, f, shut in hindrances]
    assert np.all(apply_edits(roads, dry, edits) >= dry)


def test_a_drive_begins_at_a_front_door() -> None:
    """Not at sea, not on the motorway where no road meets it; an island keeps its own roads; a fragment is passed."""
    roads = village()
    node, snap_m = nearest_nodes(roads, [4000, 2400, 1100], [50, 0, 0], compute_access(roads, min_piece=3))
    assert node[0] != at(roads, 4000)
    assert node[1] == at(roads, 2000)
    assert node[2] == at(roads, 1000)
    assert snap_m[1:] == pytest.approx([400, 100])


def test_islands_stay_islands_and_fragments_are_passed_over() -> None:
    mainland, island, fragment = range(0, 5), range(5, 9), range(9, 11)
    x = [*range(0, 500, 100), *range(2000, 2400, 100), 150, 160]
    pairs = [(a, a + 1) for piece in (mainland, island, fragment) for a in piece[:-1]]
    tail, head = np.array(pairs + [(b, a) for a, b in pairs]).T
    roads = build_roads(
        x, np.zeros(11), tail, head, np.full(len(tail), 100), np.zeros(len(tail)), ("weg",), None, "voorbeeld", "eiland"
    )
    assert len(set(compute_pieces(roads))) == 3
    node, snap_m = nearest_nodes(roads, [2110.0, 155.0, 9000.0], [0.0, 0.0, 0.0], compute_access(roads, min_piece=4))
    assert roads.x_m[node[0]] == 2100
    assert roads.x_m[node[1]] in (100, 200)
    assert node[2] == -1
    assert snap_m[2] == pytest.approx(6700)


def test_a_network_without_arcs_reaches_nothing() -> None:
    roads = build_roads([0.0], [0.0], [], [], [], [], ("weg",), None, "voorbeeld", "leeg")
    assert nearest_nodes(roads, [0.0], [0.0])[0][0] == -1
