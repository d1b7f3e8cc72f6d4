"""How good modelled roads are: fitted on some regions, scored on others, beside the best circle and the crow's flight.

    .venv/bin/python benchmarks/modelled_roads.py ../shared/data [--fit] [--dense]

Without ``--fit`` only the speeds in force (nl/rules/rijprofiel/gemodelleerd.toml) are scored on everything. With it
the splits are made fresh: hospitals of five groups of regions are left out in turn, and the siren matrix is halved into
west and east. ``--dense`` adds 12,005 neighbourhood points to the postcode points and the stations.
``--network NAME=VALUE`` (more than once) tries another number of the table ``netwerk``.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import polars
import shapely
from pyproj import Transformer
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from slagkracht.roads import arc_tails, compute_access, compute_arc_seconds
from slagkracht.sources.modelled_roads import ROAD_CLASSES, build_modelled_roads, read_crossings, read_skeleton
from slagkracht.travel import UNREACHABLE, compute_travel

RULE = Path(__file__).parents[1] / "src/slagkracht/nl/rules/rijprofiel/gemodelleerd.toml"
MOTORWAY, DOOR = ROAD_CLASSES.index("motorway"), ROAD_CLASSES.index("gemodelleerd_aansluiting")
SHORT_S = 720.0
BANDS_MIN = (0, 8, 12, 20, 30, 60)
# ln of: nine ordinary speeds (km/h), the siren's factor on them, and its own speed on motorways and to the door.
START = np.log([45, 50, 55, 35, 50, 65, 80, 60, 45, 1.4, 100, 30])
FIVE_GROUPS = np.arange(25) // 5

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Study:
    """Everything that was measured, and the modelled network through the same points."""

    def __init__(self, data: Path, network: dict[str, Any], dense: bool, with_skeleton: bool = True) -> None:
        to_rd = Transformer.from_crs(4326, 28992, always_xy=True)
        postcodes = polars.read_csv(data / "nederland/pc4_2020_2021.csv", infer_schema_length=None)
        postcodes = postcodes.with_columns(
            lon=polars.coalesce("lon_adr", "lon_rep"), lat=polars.coalesce("lat_adr", "lat_rep")
        ).drop_nulls("lon")
        stations = polars.read_csv(data / "nederland/kazernes_2026.csv", infer_schema_length=None).drop_nulls("lon")
        tables = [postcodes, stations]
        if dense:
            tables.append(polars.read_csv(data / "nederland/buurt_2014_label_points.csv"))
        place = [to_rd.transform(table["lon"].to_numpy(), table["lat"].to_numpy()) for table in tables]
        self.x, self.y = (np.concatenate([p[axis] for p in place]) for axis in (0, 1))
        people = np.concatenate([postcodes["inwoners"].fill_null(0), np.zeros(len(self.x) - len(postcodes))])
        self.areas = np.arange(len(postcodes))
        self.station_rows = len(postcodes) + np.arange(len(stations))

        self.siren_s = polars.read_csv(data / "reistijden/siren_driving_matrix_2022.csv").to_numpy()[:, 1:] * 60.0
        town = polars.read_csv(data / "reistijden/nodes_Utrecht_2021.csv").to_numpy()[:, 1:3]
        self.crow_m = np.hypot(*(town[:, None] - town[None]).transpose(2, 0, 1))
        self.west = town[:, 0] < np.median(town[:, 0])

        shapes = {m: geopandas.read_file(data / f"reistijden/isochronen_{m}min_even.geojson") for m in (25, 30)}
        centre = np.array([list(c) for c in shapes[25]["center"]])
        hospital_x, hospital_y = to_rd.transform(centre[:, 0], centre[:, 1])
        self.within = {
            m: np.array(
                [shapely.contains_xy(s, self.x[self.areas], self.y[self.areas]) for s in table.to_crs(28992).geometry]
            )
            for m, table in shapes.items()
        }
        self.hospital_crow_m = np.hypot(
            self.x[self.areas] - hospital_x[:, None], self.y[self.areas] - hospital_y[:, None]
        )
        regions = geopandas.read_file(data / "nederland/veiligheidsregio_2023_wgs84.geojson").to_crs(28992)
        south_to_north = np.argsort(np.argsort(regions.geometry.centroid.y.to_numpy()))
        hospitals = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(hospital_x, hospital_y), crs=28992)
        self.region = hospitals.sjoin_nearest(regions)["index_right"].to_numpy()
        self.fold = FIVE_GROUPS[south_to_north[self.region]]
        self.near_utrecht = (
            (hospital_x > town[:, 0].min()) & (hospital_x < town[:, 0].max())
            & (hospital_y > town[:, 1].min()) & (hospital_y < town[:, 1].max())
        )  # fmt: skip

        began = time.perf_counter()
        self.roads = build_modelled_roads(
            np.concatenate([self.x, town[:, 0], hospital_x]),
            np.concatenate([self.y, town[:, 1], hospital_y]),
            np.concatenate([people, np.zeros(len(town) + len(hospital_x))]),
            network,
            land=regions.union_all(),
            skeleton=read_skeleton(data / "wegennetten/etis_NL.graphml") if with_skeleton else None,
            crossings=read_crossings(),
        )
        self.build_s = time.perf_counter() - began
        tree = cKDTree(np.column_stack([self.roads.x_m, self.roads.y_m]))
        self.node = tree.query(np.column_stack([self.x, self.y]))[1]
        self.town_node = tree.query(town)[1]
        self.hospital_node = tree.query(np.column_stack([hospital_x, hospital_y]))[1]
        box = np.abs(self.roads.x_m - town[:, 0].mean()) < np.ptp(town[:, 0]) / 2 + 15_000
        box &= np.abs(self.roads.y_m - town[:, 1].mean()) < np.ptp(town[:, 1]) / 2 + 15_000
        tails = arc_tails(self.roads)
        self.near = box[tails] & box[self.roads.head]
        rank = np.cumsum(box) - 1
        self.near_arcs = (rank[tails[self.near]], rank[self.roads.head[self.near]])
        self.near_nodes, self.town_near = int(box.sum()), rank[self.town_node]


def predict(study: Study, parameters: Floats) -> tuple[Floats, Floats]:
    """Seconds from every hospital to every area (ordinary car) and between all Utrecht points (siren)."""
    value, roads, n = np.exp(parameters), study.roads, len(study.roads)
    car = value[:9]
    siren = car * value[9]
    siren[MOTORWAY], siren[DOOR] = value[10], value[11]
    seconds = roads.length_m * 3.6 / car[roads.road_class]
    reach = dijkstra(
        csr_array((seconds, roads.head, roads.first_arc), (n, n)), indices=study.hospital_node, limit=2_200
    )
    seconds = (roads.length_m * 3.6 / siren[roads.road_class])[study.near]
    graph = csr_array((seconds, study.near_arcs), (study.near_nodes,) * 2)
    return reach[:, study.node[study.areas]], dijkstra(graph, indices=study.town_near)[:, study.town_near]


def overlap(found: Floats, true: Floats) -> Floats:
    """Intersection over union per row; shares between 0 and 1 count in part."""
    return np.minimum(found, true).sum(-1) / np.maximum(np.maximum(found, true).sum(-1), 1)


def fit(
    study: Study, hospitals: Floats, pairs: Floats, start: Floats, evaluations: int, weight: Floats | None = None
) -> Floats:
    """The parameters that bring isochrones and siren minutes nearest, by Nelder–Mead; slower where it is denser."""
    true_s = np.where(study.siren_s > 0, study.siren_s, 1.0)
    short = pairs & (study.siren_s < SHORT_S)

    def loss(parameters: Floats) -> float:
        reach, siren = predict(study, parameters)
        off = np.abs(np.log(np.maximum(siren, 1.0) / true_s))
        missed = 0.0
        for minutes, within in study.within.items():
            limit = minutes * 60.0
            inside = 1 / (1 + np.exp(np.clip((reach - limit) / (0.03 * limit), -50, 50)))
            missed += (1 - overlap(inside, within))[hospitals].mean() / 2
        each = np.ones(len(true_s)) if weight is None else weight
        both = each[:, None] * each[None]
        apart = sum(np.average(off[chosen], weights=both[chosen]) for chosen in (pairs, short)) / 2
        v = np.exp(parameters)
        order = [
            v[0] - v[1],
            v[1] - v[2],
            v[3] - v[4],
            v[4] - v[5],
            v[5] - 90,
            v[6] - 120,
            v[7] - 100,
            v[8] - 60,
            15 - v[3],
        ]
        return float(missed + apart + 0.02 * np.maximum(order, 0).sum())

    simplex = np.vstack([start, start + 0.15 * np.eye(len(start))])
    options = {"maxfev": evaluations, "adaptive": True, "initial_simplex": simplex}
    return np.asarray(minimize(loss, start, method="Nelder-Mead", options=options).x)


def fit_all(study: Study, jobs: list[tuple[Floats, Floats]], evaluations: int, workers: int) -> list[Floats]:
    """``fit`` on every (hospitals, pairs) of ``jobs``, from START, in processes of their own."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as processes:
        futures = [processes.submit(fit, study, *job, START, evaluations) for job in jobs]
        return [future.result() for future in futures]


def power_law(crow_m: Floats, seconds: Floats, pairs: Floats) -> Floats:
    """The crow's flight with a bend, t = a·d^b, fitted on ``pairs`` and told for all."""
    crow = np.log(np.maximum(crow_m, 1.0))
    return np.exp(np.polyval(np.polyfit(crow[pairs], np.log(seconds[pairs]), 1), crow))


def best_radius(study: Study, minutes: int, hospitals: Floats) -> float:
    radii = np.arange(10_000, 28_000, 250)
    scores = [overlap(study.hospital_crow_m <= r, study.within[minutes])[hospitals].mean() for r in radii]
    return float(radii[int(np.argmax(scores))])


def interval(statistic: Callable[[Floats], float], count: int, rng: np.random.Generator, draws: int = 500) -> str:
    values = [statistic(rng.integers(0, count, count)) for _ in range(draws)]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return f"{statistic(np.arange(count)):.3f} [{low:.3f}–{high:.3f}]"


def median_error(study: Study, found: Floats, pairs: Floats, drawn: Floats) -> float:
    off = np.abs(found / np.where(study.siren_s > 0, study.siren_s, np.nan) - 1)
    chosen = pairs[np.ix_(drawn, drawn)]
    return float(np.median(off[np.ix_(drawn, drawn)][chosen]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--dense", action="store_true")
    parser.add_argument("--evaluations", type=int, default=260)
    parser.add_argument("--bootstrap", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--network", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    profile = tomllib.loads(RULE.read_text(encoding="utf-8"))["versions"][0]["values"]
    changed = {name: float(value) for name, value in (each.split("=") for each in options.network)}
    study = Study(options.data, profile["netwerk"] | changed, options.dense)
    rng = np.random.default_rng(20261123)
    everyone, all_pairs = np.arange(len(study.fold)), ~np.eye(len(study.west), dtype=bool)
    size = f"{len(study.x):,} punten, {len(study.roads):,} knopen, {len(study.roads.head):,} bogen"
    print(f"{size} in {study.build_s:.1f} s")

    speeds = [profile["snelheid_kmh"][name] for name in ROAD_CLASSES]
    access = compute_access(study.roads, min_piece=1)
    began = time.perf_counter()
    travel = compute_travel(
        study.roads, compute_arc_seconds(study.roads, profile),
        study.x[study.station_rows], study.y[study.station_rows], study.x[study.areas], study.y[study.areas],
        access=access,
    )  # fmt: skip
    took = time.perf_counter() - began
    print(
        f"{travel.drive_s.shape} rijtijden in {took:.1f} s, {np.mean(travel.drive_s == UNREACHABLE):.3%} onbereikbaar"
    )
    print("snelheden van kracht (spoed):", dict(zip(ROAD_CLASSES, speeds)))
    if not options.fit:
        near = csr_array(
            (compute_arc_seconds(study.roads, profile)[study.near], study.near_arcs), (study.near_nodes,) * 2
        )
        siren = dijkstra(near, indices=study.town_near)[:, study.town_near]
        print(f"ELASPY, niet apart gehouden: {median_error(study, siren, all_pairs, np.arange(len(siren))):.3f}")
        return

    # Isochrones: five groups of regions from south to north, each left out once; siren minutes of the west as support.
    halves = {"west": study.west, "oost": ~study.west}
    pairs_of = {name: all_pairs & half[:, None] & half[None] for name, half in halves.items()}
    scores = {m: {"model": np.zeros(len(everyone)), "cirkel": np.zeros(len(everyone))} for m in study.within}
    directions = (("west", "oost"), ("oost", "west"))
    jobs = [(everyone[study.fold != fold], pairs_of["west"]) for fold in range(5)]
    jobs += [(everyone[~study.near_utrecht], pairs_of[train]) for train, _ in directions]
    jobs += [(everyone, all_pairs)]
    fitted = fit_all(study, jobs, options.evaluations, options.processes)
    for fold in range(5):
        train, test = everyone[study.fold != fold], everyone[study.fold == fold]
        reach, _ = predict(study, fitted[fold])
        for minutes, within in study.within.items():
            scores[minutes]["model"][test] = overlap(reach <= minutes * 60, within)[test]
            circle = study.hospital_crow_m <= best_radius(study, minutes, train)
            scores[minutes]["cirkel"][test] = overlap(circle, within)[test]
    for minutes, score in scores.items():
        for name, value in [*score.items(), ("model − cirkel", score["model"] - score["cirkel"])]:
            print(
                f"isochroon {minutes} min · {name}: IoU {interval(lambda d, v=value: v[d].mean(), len(everyone), rng)}"
            )

    # Siren minutes: fitted on one half and on hospitals elsewhere, scored on the other half.
    ratios, lengths = [], []
    for (train, test), parameters in zip(directions, fitted[5:7]):
        _, siren = predict(study, parameters)
        short = {name: pairs & (study.siren_s < SHORT_S) for name, pairs in pairs_of.items()}
        laws = {
            "model": (siren, siren),
            "machtswet": (power_law(study.crow_m, study.siren_s, pairs_of[train]),) * 2,
            "machtswet op korte ritten": (None, power_law(study.crow_m, study.siren_s, short[train])),
        }
        where = np.flatnonzero(halves[test])
        for name, (far, near_by) in laws.items():
            for label, found, pairs in (("alle ritten", far, pairs_of[test]), ("< 12 min", near_by, short[test])):
                if found is not None:
                    error = interval(
                        lambda d, f=found, p=pairs, w=where: median_error(study, f, p, w[d]), len(where), rng, 200
                    )
                    print(f"ELASPY {train} → {test} · {label} · {name}: {error}")
        ratios.append(np.log(siren[pairs_of[test]] / study.siren_s[pairs_of[test]]))
        lengths.append(study.siren_s[pairs_of[test]] / 60)
    ratio, length = np.concatenate(ratios), np.concatenate(lengths)
    for low, high in itertools.pairwise(BANDS_MIN):
        band = ratio[(length >= low) & (length < high)]
        if len(band) > 30:
            middle = np.exp(np.median(band))
            print(f"spreiding {low}–{high} min: sd ln {band.std():.3f}, midden {middle:.3f}, n {len(band)}")
    print(f"spreiding overig: sd ln {ratio.std():.3f}")

    # The speeds to put in force: everything together, with an interval from resampled hospitals and towns.
    best = fit(study, everyone, all_pairs, fitted[7], options.evaluations)
    drawn = []
    for _ in range(options.bootstrap):
        weight = np.bincount(rng.integers(0, len(study.west), len(study.west)), minlength=len(study.west)).astype(float)
        sample = rng.integers(0, len(everyone), len(everyone))
        drawn.append(fit(study, sample, all_pairs, best, options.evaluations // 2, weight))
    low, high = np.quantile(np.exp(drawn), [0.05, 0.95], axis=0) if drawn else (np.exp(best),) * 2
    names = [*ROAD_CLASSES, "factor sirene", "motorway sirene", "aansluiting sirene"]
    for name, value, lo, hi in zip(names, np.exp(best), low, high):
        print(f"{name}: {value:.1f} [{lo:.1f}–{hi:.1f}]" if value > 5 else f"{name}: {value:.2f} [{lo:.2f}–{hi:.2f}]")
    reach, siren = predict(study, best)
    print("alles samen:", {m: round(float(overlap(reach <= m * 60, w).mean()), 3) for m, w in study.within.items()},
          round(median_error(study, siren, all_pairs, np.arange(len(siren))), 3))  # fmt: skip


if __name__ == "__main__":
    main()
