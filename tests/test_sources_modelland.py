"""Modelnederland: the same country on every machine, with the true figures and roads that hang together."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.spatial import cKDTree

from slagkracht.plan import Plan, compute_hash
from slagkracht.resources import capability_column
from slagkracht.roads import compute_pieces
from slagkracht.sources.facts import read_municipalities, read_region_facts
from slagkracht.sources.modelland import build_modelland, compute_outlines
from slagkracht.sources.modelland.land import RASTER_M, fit_weights, lay_cells
from slagkracht.sources.modelland.streets import ROAD_CLASSES, _proximity
from slagkracht.sources.rule_files import read_rules

RULES = read_rules()


@functools.cache
def plan_of(areas: int, nodes: int, stations: int | None = None, seed: int = 1) -> Plan:
    return build_modelland(areas=areas, stations=stations, nodes=nodes, seed=seed, rules=RULES)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(2_000, 30_000)


@pytest.mark.parametrize(
    ("areas", "nodes", "stations", "expected"),
    [
        (400, 6_000, 60, "e9a37c38ed47ef32517a95a803dd7fb34f8a37079ce7d0505b5c3e40d348abda"),
        (2_000, 30_000, None, "1171d6ae0961b67421aafe02a5fc1d255e280017fb4e31c1c05d1ed274368ec7"),
    ],
)
def test_same_bytes_on_every_machine(areas: int, nodes: int, stations: int | None, expected: str) -> None:
    plan = plan_of(areas, nodes, stations)
    assert compute_hash((plan.areas, plan.stations, plan.roads)) == expected


def test_the_seed_is_the_only_chance(plan: Plan) -> None:
    again, other = build_modelland(areas=400, stations=60, nodes=6_000, rules=RULES), plan_of(400, 6_000, 60, seed=2)
    assert compute_hash(again) == compute_hash(plan_of(400, 6_000, 60))
    assert compute_hash(again) != compute_hash(other)
    assert compute_pieces(other.roads).max() == 5


def test_people_land_and_counts_are_the_true_ones(plan: Plan) -> None:
    facts, regions = read_municipalities(), read_region_facts()
    row = {code: number for number, code in enumerate(facts.code)}
    municipality = np.array([row[code] for code in plan.areas.municipality])
    assert np.bincount(municipality, plan.areas.population).tolist() == facts.population.tolist()
    assert (facts.region[municipality] == plan.areas.region).all()
    assert len(plan.areas) == 2_000
    assert np.square(plan.areas.size_m, dtype=np.float64).sum() == pytest.approx(facts.outline_ha.sum() * 1e4, rel=1e-4)
    assert np.bincount(plan.stations.region).tolist() == regions.tanker_stations.tolist()
    counts = np.array(
        [
            [
                np.sum((plan.units.type_code == kind) & (plan.stations.region[plan.units.station] == r))
                for r in range(25)
            ]
            for kind in regions.vehicle_types
        ]
    ).T
    assert counts.tolist() == regions.vehicles.tolist()


def test_fine_cells_give_each_municipality_its_surface() -> None:
    facts = read_municipalities()
    weight_m2 = fit_weights(facts)
    cells = lay_cells(facts, weight_m2, int(facts.outline_ha.sum()) // 100)
    held = np.bincount(cells.municipality) * cells.cell_m**2 / 1e4
    assert abs(cells.cell_m - RASTER_M) < 1
    assert np.average(np.abs(held / facts.outline_ha - 1), weights=facts.outline_ha) < 0.01
    assert len(np.unique(np.column_stack([cells.column, cells.row]), axis=0)) == len(cells)


@pytest.mark.parametrize("areas", [342, 400, 1_000])
def test_the_smallest_municipality_lies_where_it_is_on_the_coarsest_grid(areas: int) -> None:
    facts = read_municipalities()
    cells = lay_cells(facts, fit_weights(facts), areas)
    assert len(cells) == areas
    assert len(np.unique(np.column_stack([cells.column, cells.row]), axis=0)) == areas
    own = cells.municipality == np.arange(len(facts))[:, None]
    off_m = np.hypot(cells.x_m - facts.x_m[:, None], cells.y_m - facts.y_m[:, None])
    assert np.where(own, off_m, np.inf).min(axis=1).max() < 3 * cells.cell_m


def test_areas_are_numbered_once_and_do_not_overlap(plan: Plan) -> None:
    assert len(np.unique(plan.areas.area_id)) == len(plan.areas)
    nearest = cKDTree(np.column_stack([plan.areas.x_m, plan.areas.y_m])).query(
        np.column_stack([plan.areas.x_m, plan.areas.y_m]), k=2
    )[0][:, 1]
    assert nearest.min() >= plan.areas.size_m[0] - 0.2


def test_every_station_has_a_pump_and_every_container_a_carrier(plan: Plan) -> None:
    units = plan.units
    assert len(np.unique(units.unit_id)) == len(units)
    assert len(np.unique(plan.stations.station_id)) == len(plan.stations)
    pumps = units.station[capability_column(units, "tankautospuit")]
    assert len(np.unique(pumps)) == len(plan.stations)
    carriers = np.unique(units.station[capability_column(units, "haakarm")])
    containers = units.station[np.isin(units.type_code, ["DPH", "BOH-DC"])]
    assert np.isin(containers, carriers).all()
    career = np.unique(units.station[units.regime[:, 0] == 0])
    assert len(career) == round(106 / 949 * len(plan.stations))


def test_stations_scale_with_every_region_kept() -> None:
    plan = plan_of(400, 6_000, 60)
    assert len(plan.stations) == 60
    assert len(np.unique(plan.stations.region)) == 25


def test_roads_reach_everywhere_but_the_islands(plan: Plan) -> None:
    assert plan.roads is not None
    roads = plan.roads
    assert len(roads) == 30_000
    assert roads.kind == "gemodelleerd"
    assert roads.road_classes == ROAD_CLASSES
    assert set(np.unique(roads.road_class)) == set(range(len(ROAD_CLASSES)))
    piece = compute_pieces(roads)
    sizes = np.bincount(piece)
    assert len(sizes) == 6
    assert sizes.max() > 0.97 * len(roads)
    nearest = cKDTree(np.column_stack([roads.x_m, roads.y_m])).query(np.column_stack([plan.areas.x_m, plan.areas.y_m]))
    names = dict(zip(read_municipalities().code, read_municipalities().name))
    cut_off = {names[code] for code in plan.areas.municipality[piece[nearest[1]] != sizes.argmax()]}
    assert cut_off == {"Texel", "Vlieland", "Terschelling", "Ameland", "Schiermonnikoog"}


def test_roads_run_both_ways_and_are_no_shorter_than_the_crow(plan: Plan) -> None:
    assert plan.roads is not None
    roads = plan.roads
    tail = np.repeat(np.arange(len(roads)), np.diff(roads.first_arc))
    there = np.column_stack([tail, roads.head, roads.road_class, roads.length_m * 10])
    back = np.column_stack([roads.head, tail, roads.road_class, roads.length_m * 10])
    assert (there[np.lexsort(there.T)] == back[np.lexsort(back.T)]).all()
    crow_m = np.hypot(roads.x_m[tail] - roads.x_m[roads.head], roads.y_m[tail] - roads.y_m[roads.head])
    assert (roads.length_m >= crow_m - 0.06).all()


@pytest.mark.parametrize("gabriel", [True, False])
def test_proximity_graphs_equal_their_definition(gabriel: bool) -> None:
    rng = np.random.default_rng(8)
    x, y = rng.integers(0, 60, 80), rng.integers(0, 60, 80)
    d = (x[:, None] - x[None, :]) ** 2 + (y[:, None] - y[None, :]) ** 2
    expected = []
    for i in range(80):
        for j in range(i + 1, 80):
            others = [k for k in range(80) if k not in (i, j)]
            third = d[i, others] + d[others, j] if gabriel else np.maximum(d[i, others], d[others, j])
            if not (third < d[i, j]).any():
                expected.append([i, j])
    assert _proximity(x.astype(float), y.astype(float), 79, gabriel=gabriel).tolist() == expected


def test_outlines_dissolve_the_squares(plan: Plan) -> None:
    outlines = compute_outlines(plan.areas, plan.regions)
    assert len(outlines) == len(plan.regions)
    for row, outline in enumerate(outlines):
        squares = np.square(plan.areas.size_m[plan.areas.region == row], dtype=np.float64).sum()
        assert outline.is_valid
        assert outline.area == pytest.approx(squares, rel=1e-4)


def test_says_that_it_is_modelled(plan: Plan) -> None:
    assert "gemodelleerd" in plan.notes[0]
    assert plan.stations.name[0].startswith("Modelkazerne ")


@pytest.mark.parametrize("wrong", [{"areas": 300}, {"stations": 20}, {"nodes": 400}])
def test_refuses_a_country_too_small_for_its_parts(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"Modelnederland|knopen"):
        build_modelland(**wrong, rules=RULES)
