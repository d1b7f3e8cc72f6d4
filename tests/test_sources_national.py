"""A national plan from open lists: the choice of career stations by hand, and the real country where it can be had."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest

from slagkracht.areas import Areas
from slagkracht.plan import Plan, compute_hash
from slagkracht.regions import Regions
from slagkracht.resources import REGIMES, WINDOWS, Stations, Units, capability_column
from slagkracht.rules import NoRuleError, check_case, rule_in_force
from slagkracht.sources.national import (
    BESIDE_POINT_M,
    build_national_plan,
    compute_career_stations,
    read_postcode_areas,
    set_apart,
)
from slagkracht.sources.refusal import RefusalError
from slagkracht.sources.rule_files import read_rules

REAL = Path(__file__).parents[2] / "shared" / "data" / "nederland"
DAY = datetime.date(2026, 7, 1)


def tiny_areas(population: list[float], municipality: list[str]) -> Areas:
    n = len(population)
    return Areas(
        area_id=np.array([f"g{i}" for i in range(n)]),
        x_m=np.arange(n) * 1000.0,
        y_m=np.zeros(n),
        region=np.zeros(n, dtype=np.int32),
        municipality=np.array(municipality),
        population=np.array(population, dtype=np.float32),
        object_classes=(),
        objects=np.zeros((n, 0), dtype=np.float32),
        area_class=np.full(n, ""),
        size_m=np.zeros(n, dtype=np.float32),
    )


def tiny_stations(x_m: list[float], pumper: list[bool]) -> tuple[Stations, Units]:
    n = len(x_m)
    stations = Stations(
        station_id=np.array([f"k{i}" for i in range(n)]),
        name=np.full(n, "post"),
        region=np.zeros(n, dtype=np.int32),
        x_m=np.array(x_m),
        y_m=np.zeros(n),
        position_error_m=np.zeros(n, dtype=np.float32),
    )
    per_window = np.ones((n, len(WINDOWS)), dtype=np.float32)
    units = Units(
        unit_id=np.array([f"e{i}" for i in range(n)]),
        station=np.arange(n, dtype=np.int32),
        type_code=np.full(n, "TS"),
        capability_names=("tankautospuit",),
        capabilities=np.array(pumper)[:, None],
        crew=np.full(n, 6, dtype=np.int32),
        regime=per_window.astype(np.int32),
        turnout_s=per_window,
        turnout_spread=per_window,
        readiness=per_window,
    )
    return stations, units


def test_the_busiest_pumpers_of_large_places_are_career() -> None:
    areas = tiny_areas([60_000, 50_000, 20_000, 80_000], ["stad", "stad", "stad", "dorp"])
    stations, units = tiny_stations([0, 1000, 2000, 3000, 100], [True, True, True, True, False])
    choice = {"gemeente_vanaf_inwoners": 100_000, "aantal": 2}
    # k3 stands in a village of 80,000; k4 has no pumper; of the city k0 serves most, then k1
    assert compute_career_stations(stations, units, areas, choice).tolist() == [True, True, False, False, False]
    everything = {"gemeente_vanaf_inwoners": 0, "aantal": 99}
    assert compute_career_stations(stations, units, areas, everything).tolist() == [True, True, True, True, False]


def test_a_station_on_an_area_s_point_is_set_beside_it() -> None:
    stations, _ = tiny_stations([0, 1000.5, 2000], [True, True, True])
    apart = set_apart(stations, tiny_areas([1, 1, 1], ["g", "g", "g"]))
    assert apart.x_m.tolist() == stations.x_m.tolist()
    assert apart.y_m.tolist() == [BESIDE_POINT_M, 0, BESIDE_POINT_M]


def test_postcode_areas_know_their_region(tmp_path: Path) -> None:
    path = tmp_path / "pc4.csv"
    path.write_text(
        "pc4,inwoners,km2,lon_rep,lat_rep,gm_code_2023,vr\n"
        "9831,100,4,6.46,53.25,GM0014,VR02\n9832,,9,6.50,53.25,GM0014,VR01\n"
    )
    regions = Regions(np.array(["VR01", "VR02"]), np.array(["Groningen", "Fryslân"]))
    areas, summary = read_postcode_areas(path, regions)
    assert areas.region.tolist() == [1, 0]
    assert areas.population.tolist() == [100, 0]
    assert areas.size_m.tolist() == [2000, 3000]
    assert summary.rows_read == 2
    path.write_text(path.read_text().replace("VR02", "VR26"))
    with pytest.raises(RefusalError, match="VR26"):
        read_postcode_areas(path, regions)


def test_the_crewing_rules_hold_their_own_cases() -> None:
    rules = read_rules()
    crewing = [rule for rule in rules.rules if rule.kind == "opkomsttijd"]
    assert [rule.code for rule in crewing] == ["beroepskazernes", "regionale-pool", "uitruk", "verwerkingstijd"]
    for rule in crewing:
        assert rule.status == "te verifiëren"
        assert rule.cases
        assert [wrong for case in rule.cases for wrong in check_case(rule, case)] == []


def test_every_regime_and_window_has_a_turnout_time() -> None:
    values = rule_in_force(read_rules(), "uitruk", DAY)[1]
    for regime in REGIMES:
        for quantity in ("mediaan_s", "spreiding", "paraatheid"):
            assert set(values[regime][quantity]) == set(WINDOWS)


@pytest.fixture(scope="module")
def plan() -> Plan:
    if not REAL.exists():
        pytest.skip("the open lists of the Netherlands do not lie beside this checkout")
    return build_national_plan(REAL, DAY)


def test_the_real_country(plan: Plan) -> None:
    assert len(plan.regions) == 25
    assert len(plan.stations) == 996
    pumpers = capability_column(plan.units, "tankautospuit")
    assert len(np.unique(plan.units.station[pumpers])) == pytest.approx(963, abs=5)
    assert plan.areas.population.sum() == pytest.approx(17.47e6, rel=0.001)
    assert np.all(np.isfinite(plan.units.turnout_s) & (plan.units.turnout_s > 0))
    assert np.all((plan.units.readiness > 0) & (plan.units.readiness <= 1))
    career = plan.units.regime[:, 0] == REGIMES.index("beroeps")
    assert len(np.unique(plan.units.station[career & pumpers])) == 106
    assert any("te verifiëren" in note for note in plan.notes)
    officers = plan.units.station[capability_column(plan.units, "officier_van_dienst")]
    assert np.bincount(plan.stations.region[officers], minlength=25).min() >= 1  # every region has one to command
    assert any("voertuigen uit regionale pools" in note for note in plan.notes)
    assert compute_hash(plan) == compute_hash(build_national_plan(REAL, DAY))


def test_the_real_country_leaves_the_station_about_as_soon_as_was_measured(plan: Plan) -> None:
    """Brandweer Nederland 2018: 3.5 minutes from call to wheels rolling, on average."""
    ready = capability_column(plan.units, "tankautospuit") & (plan.units.crew > 0)
    station = np.unique(plan.units.station[ready])
    mean_s = (plan.units.turnout_s * np.exp(plan.units.turnout_spread**2 / 2)).mean(axis=1)
    first_s = np.array([mean_s[ready & (plan.units.station == s)].min() for s in station])
    dx = plan.areas.x_m[:, None] - plan.stations.x_m[station]
    dy = plan.areas.y_m[:, None] - plan.stations.y_m[station]
    nearest = np.argmin(dx**2 + dy**2, axis=1)
    handling = rule_in_force(plan.rules, "verwerkingstijd", DAY)[1]
    handling_s = handling["verwerkingstijd_s"] * np.exp(handling["spreiding"] ** 2 / 2)
    leaving_s = np.average(first_s[nearest], weights=plan.areas.population) + handling_s
    assert leaving_s == pytest.approx(210, abs=10)


def test_no_assumption_outside_its_days() -> None:
    if not REAL.exists():
        pytest.skip("the open lists of the Netherlands do not lie beside this checkout")
    with pytest.raises(NoRuleError, match="01-01-2019"):
        build_national_plan(REAL, datetime.date(2019, 1, 1))
