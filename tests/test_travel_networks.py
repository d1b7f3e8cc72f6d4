"""On real networks from OpenStreetMap, one-way streets and fragments included, every drive time equals Dijkstra's."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from slagkracht.roads import compute_arc_seconds
from slagkracht.sources.osm import read_geojson_roads, read_osm_roads
from slagkracht.travel import compute_hierarchy, compute_shortcuts, streets
from slagkracht.travel.search import HORIZON_S, NO_ROAD, search
from slagkracht.travel.sweep import BEYOND, drives_to, sweep_all
from travel_oracle import NETWORKS, dijkstra_oracle

OSM = NETWORKS.parent / "osm"
PROFILE = Path(__file__).parents[1] / "src" / "slagkracht" / "nl" / "rules" / "rijprofiel" / "spoed.toml"
EXTRACTS = {
    "Liechtenstein": "valhalla_liechtenstein-latest.osm.pbf",
    "Andorra": "graphhopper_andorra.osm.pbf",
    "Monaco": "graphhopper_monaco.osm.gz",
    "Harrisburg": "valhalla_harrisburg.osm.pbf",
    "Den Helder": "den_helder_2025_wegen.geojson",
}


@pytest.mark.parametrize("place", EXTRACTS)
def test_every_distance_equals_dijkstra(place: str) -> None:
    path = OSM / EXTRACTS[place]
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the checkout (../shared/data/osm)")
    read = read_geojson_roads if path.suffix == ".geojson" else read_osm_roads
    roads, _ = read(path)
    profile = tomllib.loads(PROFILE.read_text(encoding="utf-8"))["versions"][0]["values"]
    graph = streets(roads, compute_arc_seconds(roads, profile))
    sources = np.random.default_rng(7).integers(0, len(roads), 40).astype(np.int32)
    true = dijkstra_oracle(graph, sources)
    true = np.where(true <= HORIZON_S, true, NO_ROAD)
    assert np.array_equal(search(graph, sources), true)

    shortcuts = compute_shortcuts(compute_hierarchy(graph), graph.weight)
    swept = np.empty_like(true)

    def keep(first: int, rows: np.ndarray) -> None:
        part = swept[first : first + rows.shape[1]]
        part[:] = rows[shortcuts.hierarchy.place, : len(part)].T

    sweep_all(shortcuts, sources, keep)
    assert np.array_equal(np.where(swept < BEYOND, swept, NO_ROAD), true)
    target = int(sources[0])
    to_target = drives_to(shortcuts, sources, target)
    assert np.array_equal(to_target, true[:, target])
    assert (true < NO_ROAD).mean() > 0.05
