"""Drive times from 1,000 stations over road-like networks of growing size, beside SciPy's Dijkstra in the same run.

python benchmarks/travel.py [NODES …]     default: 20000 100000 400000 1500000
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from road_like import build_road_like, drive_s
from slagkracht.roads import Roads
from slagkracht.travel import HORIZON_S, Streets, compute_hierarchy, compute_shortcuts, compute_travel, streets
from slagkracht.travel.search import NO_ROAD, search, search_all
from slagkracht.travel.sweep import BEYOND, drives_to, sweep_all

STATIONS = 1_000
SAMPLE = 12
"""Sources that SciPy runs; its time per source hardly varies, and 1,000 of them take minutes."""
BOUNDS_S = (480, 1_800)
ROUTINGKIT_TREES_PER_S = 808
"""Measured with its CH + PHAST, AVX, 32 lanes, on 1.52 M nodes and 3.87 M arcs on a machine like this one."""


def main(sizes: list[int]) -> None:
    print(f"{STATIONS} stations on 2 threads; SciPy: {SAMPLE} of them on 1.\n")
    print("| graph | method | prepare | customise | trees/s | × SciPy | × per core | peak |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for nodes in sizes:
        with tempfile.TemporaryDirectory() as folder:
            roads = build_road_like(nodes)
            graph = streets(roads, drive_s(roads))
            path = Path(folder) / "graph.npz"
            np.savez(path, **vars(graph), **{f"roads_{k}": v for k, v in vars(roads).items()})
            compare(f"{len(graph):,} nodes, {len(graph.head):,} arcs", path)


def compare(name: str, path: Path) -> None:
    for bound in (*BOUNDS_S, HORIZON_S):
        within = "everywhere" if bound == HORIZON_S else f"within {bound // 60} min"
        (scipy, one, trees, reached), peak = alone(run_search, path, bound)
        row(name, f"SciPy, {within}", "", "", f"{scipy:.1f}", "1", "1", "")
        method = f"search, {within} ({reached:.0%} of the nodes)"
        row(name, method, "", "", f"{trees:.1f}", f"{trees / scipy:.1f}", f"{one / scipy:.1f}", peak)
    (prepare, customise, one, trees), peak = alone(run_sweep, path)
    per_s = f"{trees:.0f}"
    if name.startswith("1,"):
        per_s += f" ({trees / ROUTINGKIT_TREES_PER_S:.1f} × RoutingKit)"
    spent = f"{prepare:.1f} s", f"{customise:.2f} s"
    row(name, "hierarchy, everywhere", *spent, per_s, f"{trees / scipy:.0f}", f"{one / scipy:.0f}", peak)
    seconds, peak = alone(run_one_place, path)
    row(name, f"hierarchy, {STATIONS} stations to one place: {seconds * 1e3:.1f} ms", "", "", "", "", "", peak)
    (seconds, areas), peak = alone(run_areas, path)
    row(name, f"compute_travel to {areas:,} areas, all included: {seconds:.1f} s", "", "", "", "", "", peak)


def row(*cells: str) -> None:
    print("|", " | ".join(cells), "|", flush=True)


def alone(work: Callable[..., Any], path: Path, *args: Any) -> tuple[Any, str]:
    """Do the work in a process of its own: its result, and the most memory that the process held."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, path, *args))


def _measured(work: Callable[..., Any], path: Path, *args: Any) -> tuple[Any, str]:
    result = work(path, *args)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return result, f"{int(status.split('VmHWM:')[1].split()[0]) / 2**20:.2f} GiB"


def read(path: Path) -> tuple[Streets, np.ndarray]:
    with np.load(path) as columns:
        graph = Streets(columns["first_arc"], columns["head"], columns["weight"])
    return graph, np.random.default_rng(1).integers(0, len(graph), STATIONS).astype(np.int32)


def read_roads(path: Path) -> Roads:
    with np.load(path) as columns:
        fields = {k.removeprefix("roads_"): columns[k] for k in columns.files if k.startswith("roads_")}
    texts = {
        "road_classes": tuple(fields["road_classes"]),
        "kind": str(fields["kind"]),
        "source": str(fields["source"]),
    }
    return Roads(**(fields | texts))


def scipy_graph(graph: Streets) -> csr_array:
    """The same network for SciPy; a hair above zero where an arc takes none, which sparse matrices cannot hold."""
    weight = np.maximum(graph.weight.astype(float), 1e-6)
    return csr_array((weight, graph.head, graph.first_arc), (len(graph), len(graph)))


def run_search(path: Path, bound: int) -> tuple[float, float, float, float]:
    """Trees a second: SciPy and search on 1 thread (by turns, best of three), search on 2; share of nodes reached."""
    graph, sources = read(path)
    few = sources[:SAMPLE]
    matrix = scipy_graph(graph)
    dijkstra(matrix, indices=few[0], limit=10)
    search_all(graph, few, 10, lambda k, distance: None)
    rounds = np.empty((3, 2))
    for times in rounds:
        times[0] = clock(lambda: dijkstra(matrix, indices=few, limit=bound + 0.5))
        times[1] = clock(lambda: search_all(graph, few, bound, lambda k, distance: None, threads=1))
    scipy, one = SAMPLE / rounds.min(0)
    many = sources[: STATIONS if bound < HORIZON_S else 100]
    trees = len(many) / clock(lambda: search_all(graph, many, bound, lambda k, distance: None))
    found, true = search(graph, few, limit=bound), np.rint(dijkstra(matrix, indices=few, limit=bound + 0.5))
    assert np.array_equal(np.where(np.isfinite(true), true, NO_ROAD), found)
    return float(scipy), float(one), trees, float((found < NO_ROAD).mean())


def run_sweep(path: Path) -> tuple[float, float, float, float]:
    """Seconds of preparation and of customisation; trees a second on 1 thread and on 2."""
    graph, sources = read(path)
    compile_all()
    began = time.perf_counter()
    hierarchy = compute_hierarchy(graph)
    prepare = time.perf_counter() - began
    began = time.perf_counter()
    shortcuts = compute_shortcuts(hierarchy, graph.weight)
    customise = time.perf_counter() - began
    one = STATIONS / clock(lambda: sweep_all(shortcuts, sources, lambda first, rows: None, threads=1))
    two = STATIONS / min(clock(lambda: sweep_all(shortcuts, sources, lambda first, rows: None)) for _ in range(3))

    def check(first: int, rows: np.ndarray) -> None:
        true = np.rint(dijkstra(scipy_graph(graph), indices=sources[:2], limit=HORIZON_S + 0.5))
        assert np.array_equal(np.where(np.isfinite(true), true, BEYOND), rows[hierarchy.place, :2].T)

    sweep_all(shortcuts, sources[:2], check)
    return prepare, customise, one, two


def clock(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run_one_place(path: Path) -> float:
    graph, sources = read(path)
    shortcuts = compute_shortcuts(compute_hierarchy(graph), graph.weight)
    drives_to(shortcuts, sources, 0)
    began = time.perf_counter()
    for target in range(10):
        drives_to(shortcuts, sources, target * 1_000)
    return (time.perf_counter() - began) / 10


def run_areas(path: Path) -> tuple[float, int]:
    roads, sources = read_roads(path), read(path)[1]
    compile_all()
    areas = np.random.default_rng(2).choice(len(roads), min(400_000, len(roads) // 4), replace=False)
    arc_s = drive_s(roads)
    began = time.perf_counter()
    compute_travel(roads, arc_s, roads.x_m[sources], roads.y_m[sources], roads.x_m[areas] + 40.0, roads.y_m[areas])
    return time.perf_counter() - began, len(areas)


def compile_all() -> None:
    """Have every kernel compiled on a small graph, so that no time counts it."""
    few = Streets(np.array([0, 1, 2, 2], np.int32), np.array([1, 2], np.int32), np.array([1, 1], np.int32))
    shortcuts = compute_shortcuts(compute_hierarchy(few), few.weight)
    sweep_all(shortcuts, np.zeros(1, np.int32), lambda first, rows: None)
    roads = build_road_like(300)
    compute_travel(roads, drive_s(roads), *np.zeros((4, 200)))


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [20_000, 100_000, 400_000, 1_500_000])
