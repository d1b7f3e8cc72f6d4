"""Modelled roads: drawn from points and land, honest about water, and as fast as the profile says."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from slagkracht.roads import Roads, compute_arc_seconds
from slagkracht.sources.facts import MainRoad, read_main_roads
from slagkracht.sources.modelled_roads import ROAD_CLASSES, build_modelled_roads

RULE = Path(__file__).parents[1] / "src" / "slagkracht" / "nl" / "rules" / "rijprofiel" / "gemodelleerd.toml"
DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def profile() -> dict[str, Any]:
    values: dict[str, Any] = tomllib.loads(RULE.read_text(encoding="utf-8"))["versions"][0]["values"]
    return values


def seconds_between(
    roads: Roads, profile: dict[str, Any], start: tuple[float, float], end: tuple[float, float]
) -> float:
    node = [int(np.argmin(np.hypot(roads.x_m - x, roads.y_m - y))) for x, y in (start, end)]
    graph = csr_array((compute_arc_seconds(roads, profile), roads.head, roads.first_arc), (len(roads),) * 2)
    return float(dijkstra(graph, indices=node[0])[node[1]])


def town(x_m: float, y_m: float, count: int, seed: int, radius_m: float = 2000.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([x_m, y_m]) + rng.uniform(-radius_m, radius_m, (count, 2))


def test_three_points_by_hand(profile: dict[str, Any]) -> None:
    """Three empty places 3 km apart: rural local roads, the crow's length times the detour, and a door at both ends."""
    x, y = np.array([100_000.0, 103_000.0, 100_000.0]), np.array([400_000.0, 400_000.0, 403_000.0])
    roads = build_modelled_roads(x, y, np.zeros(3), profile["netwerk"])
    assert (len(roads), len(roads.head)) == (6, 12)
    assert {roads.road_classes[c] for c in roads.road_class} == {"gemodelleerd_landelijk", "gemodelleerd_aansluiting"}
    detour, door_m = profile["netwerk"]["omwegfactor"], profile["netwerk"]["aansluiting_m"]
    lengths = [door_m, round(3000 * detour), round(3000 * 2**0.5 * detour)]
    assert sorted(set(roads.length_m.round(0))) == lengths
    speeds = profile["snelheid_kmh"]
    expected = 3000 * detour * 3.6 / speeds["gemodelleerd_landelijk"]
    expected += 2 * door_m * 3.6 / speeds["gemodelleerd_aansluiting"]
    assert seconds_between(roads, profile, (x[0], y[0]), (x[1], y[1])) == pytest.approx(expected, rel=1e-5)


def road(kind: str, *corners: tuple[float, float]) -> MainRoad:
    return MainRoad("N1", kind, *np.array(corners).T)


@pytest.mark.parametrize("kind", ["weg", "autoweg", "autosnelweg"])
def test_an_island_is_reached_by_a_main_road_only(profile: dict[str, Any], kind: str) -> None:
    points = np.concatenate([town(100_000, 400_000, 30, 1), town(112_000, 400_000, 30, 2)])
    land = shapely.union_all(
        [shapely.box(97_000, 397_000, 103_000, 403_000), shapely.box(109_000, 397_000, 115_000, 403_000)]
    )
    weight = np.full(60, 500.0)
    alone = build_modelled_roads(points[:, 0], points[:, 1], weight, profile["netwerk"], land=land)
    assert pieces(alone) == 2
    bridge = [road(kind, (102_000.0, 400_000.0), (110_000.0, 400_000.0))]
    joined = build_modelled_roads(points[:, 0], points[:, 1], weight, profile["netwerk"], land=land, main_roads=bridge)
    assert pieces(joined) == 1
    assert pieces(build_modelled_roads(points[:, 0], points[:, 1], weight, profile["netwerk"])) == 1


def test_a_motorway_shortens_the_long_drive_and_never_lengthens_one(profile: dict[str, Any]) -> None:
    points = np.concatenate([town(100_000 + 5_000 * i, 400_000, 8, i, 1500) for i in range(9)])
    weight = np.full(len(points), 800.0)
    plain = build_modelled_roads(points[:, 0], points[:, 1], weight, profile["netwerk"])
    line = [road("autosnelweg", (100_000.0, 400_000.0), (140_000.0, 400_000.0))]
    fast = build_modelled_roads(points[:, 0], points[:, 1], weight, profile["netwerk"], main_roads=line)
    first, last = tuple(points[0]), tuple(points[-1])
    assert seconds_between(fast, profile, first, last) < 0.9 * seconds_between(plain, profile, first, last)
    for end in points[1:20]:
        without, within = (seconds_between(r, profile, first, tuple(end)) for r in (plain, fast))
        assert within <= without + 1e-3


def test_two_main_roads_meet_at_a_shared_vertex_and_nowhere_else(profile: dict[str, Any]) -> None:
    """Far from any point no slip road is laid: only a shared vertex leads from one motorway to the other."""
    across = road("autosnelweg", (0.0, 30_000.0), (20_000.0, 30_000.0), (40_000.0, 30_000.0))
    crossing = road("autoweg", (10_000.0, 20_000.0), (10_000.0, 40_000.0))
    meeting = road("autoweg", (20_000.0, 20_000.0), (20_000.0, 30_000.0))
    for other, expected in ((crossing, 3), (meeting, 2)):
        network = build_modelled_roads(
            np.zeros(1), np.zeros(1), np.zeros(1), profile["netwerk"], main_roads=[across, other]
        )
        assert pieces(network) == expected
        fast = np.isin(network.road_class, [ROAD_CLASSES.index(name) for name in ("motorway", "trunk")])
        long_m = 40_000.0 + np.hypot(np.diff(other.x_m), np.diff(other.y_m)).sum()
        assert network.length_m[fast].sum() == pytest.approx(
            2 * long_m * profile["netwerk"]["hoofdweg_bocht"], rel=1e-4
        )


def test_a_city_is_driven_as_built_up_and_the_country_is_not(profile: dict[str, Any]) -> None:
    points = town(100_000, 400_000, 80, 3)
    for people, expected in ((5000.0, "gemodelleerd_bebouwd"), (0.0, "gemodelleerd_landelijk")):
        roads = build_modelled_roads(points[:, 0], points[:, 1], np.full(80, people), profile["netwerk"])
        assert {roads.road_classes[c] for c in roads.road_class} == {expected, "gemodelleerd_aansluiting"}


def test_twins_and_rows_of_points_are_joined(profile: dict[str, Any]) -> None:
    row = build_modelled_roads(np.arange(5) * 1000.0, np.zeros(5), np.zeros(5), profile["netwerk"])
    assert pieces(row) == 1
    x, y = town(100_000, 400_000, 20, 4).T
    twins = build_modelled_roads(np.r_[x, x[:5]], np.r_[y, y[:5]], np.zeros(25), profile["netwerk"])
    assert len(twins) == 2 * 25
    assert pieces(twins) == 1


def test_the_profile_names_every_class_and_the_dense_is_never_faster(profile: dict[str, Any]) -> None:
    speeds = profile["snelheid_kmh"]
    assert set(ROAD_CLASSES) <= set(speeds)
    assert speeds["gemodelleerd_bebouwd"] <= speeds["gemodelleerd_landelijk"]
    assert speeds["primary"] <= speeds["trunk"] <= speeds["motorway"]


def test_the_islands_of_the_country_are_reached_by_no_road(profile: dict[str, Any]) -> None:
    """A point on every Wadden island, on Schouwen, Walcheren and Zeeuws-Vlaanderen, and two on the mainland."""
    outlines = DATA / "nederland" / "veiligheidsregio_2023_wgs84.geojson"
    postcodes = DATA / "nederland" / "pc4_2020_2021.csv"
    if not outlines.exists() or not postcodes.exists():
        pytest.skip("de regio-omtrekken en postcodegebieden liggen niet naast deze map")
    geojson = json.loads(outlines.read_text(encoding="utf-8"))
    land = shapely.union_all([shapely.geometry.shape(feature["geometry"]) for feature in geojson["features"]])
    to_rd = Transformer.from_crs(4326, 28992, always_xy=True)
    land = shapely.transform(land, lambda p: np.column_stack(to_rd.transform(p[:, 0], p[:, 1])))
    with postcodes.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["lon_adr"]]
    x, y = to_rd.transform([float(row["lon_adr"]) for row in rows], [float(row["lat_adr"]) for row in rows])
    weight = np.array([float(row["inwoners"] or 0) for row in rows])
    roads = build_modelled_roads(x, y, weight, profile["netwerk"], land=land, main_roads=read_main_roads(2026))
    node = {row["pc4"]: int(np.argmin(np.hypot(roads.x_m - a, roads.y_m - b))) for row, a, b in zip(rows, x, y)}
    graph = csr_array((roads.length_m, roads.head, roads.first_arc), (len(roads),) * 2)
    piece = connected_components(graph)[1]
    mainland = piece[node["3511"]]
    # Texel, Vlieland, Terschelling, Ameland, Schiermonnikoog
    assert all(piece[node[pc4]] != mainland for pc4 in ("1791", "8899", "8881", "9163", "9166"))
    # Zierikzee, Middelburg, Terneuzen, Lelystad, Marken, Maastricht
    assert all(piece[node[pc4]] == mainland for pc4 in ("4301", "4331", "4531", "8232", "1156", "6211"))
    reached = np.isin([node[row["pc4"]] for row in rows], np.flatnonzero(piece == mainland))
    assert weight[~reached].sum() < 0.002 * weight.sum()


def pieces(roads: Roads) -> int:
    graph = csr_array((roads.length_m, roads.head, roads.first_arc), (len(roads),) * 2)
    return int(connected_components(graph)[0])
