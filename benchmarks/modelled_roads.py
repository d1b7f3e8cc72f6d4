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
import numba
import numpy as np
import polars
import shapely
from pyproj import Transformer
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from slagkracht.roads import Roads, arc_tails, compute_access, compute_arc_seconds
from slagkracht.sources.facts import read_main_roads
from slagkracht.sources.modelled_roads import LOCAL, ROAD_CLASSES, build_modelled_roads
from slagkracht.travel import UNREACHABLE, compute_travel

RULE = Path(__file__).parents[1] / "src/slagkracht/nl/rules/rijprofiel/gemodelleerd.toml"
CLASSES = len(ROAD_CLASSES)
# What a siren drives at a speed of its own, the classes and where its fit begins (km/h); elsewhere one factor holds.
SIRENS_OWN = (
    ("lokaal", [ROAD_CLASSES.index(name) for name in LOCAL], 70.0),
    ("motorway", [ROAD_CLASSES.index("motorway")], 105.0),
    ("aansluiting", [ROAD_CLASSES.index("gemodelleerd_aansluiting")], 28.0),
)
# ln of: the ordinary speed of every road class (km/h), the siren's factor on them, and what it has of its own.
START = np.log([45, 55, 80, 55, 47, 55, 50, 1.5, *(kmh for _, _, kmh in SIRENS_OWN)])
HOLD = 0.002
SOFT = 0.03
SHORT_S = 720.0
HORIZON_S = 2_400.0
ROADS_OF_YEAR = 2020
BANDS_MIN = (0, 8, 12, 20, 30, 60)
FIVE_GROUPS = np.arange(25) // 5

Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class Study:
    """Everything that was measured, and the modelled network through the same points."""

    def __init__(self, data: Path, network: dict[str, Any], dense: bool, with_roads: bool = True) -> None:
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
            main_roads=read_main_roads(ROADS_OF_YEAR) if with_roads else (),
        )
        self.build_s = time.perf_counter() - began
        tree = cKDTree(np.column_stack([self.roads.x_m, self.roads.y_m]))
        self.node = tree.query(np.column_stack([self.x, self.y]))[1]
        self.town_node = tree.query(town)[1]
        self.hospital_node = tree.query(np.column_stack([hospital_x, hospital_y]))[1]
        box = np.abs(self.roads.x_m - town[:, 0].mean()) < np.ptp(town[:, 0]) / 2 + 15_000
        box &= np.abs(self.roads.y_m - town[:, 1].mean()) < np.ptp(town[:, 1]) / 2 + 15_000
        self.country, self.utrecht = Drives(self.roads, np.ones(len(self.roads), bool)), Drives(self.roads, box)


@numba.njit(cache=True)
def _metres_driven(order: Any, came_from: Any, pull: Any, first: Any, head: Any, metres: Any, seconds: Any, kind: Any,
                   kinds: int) -> Any:  # fmt: skip
    """Per road class, the metres of every drive to every node, each weighed with that node's ``pull`` (used up)."""
    driven = np.zeros(kinds)
    for origin in range(len(order)):
        for place in range(len(order[origin]) - 1, -1, -1):
            node = order[origin, place]
            before = came_from[origin, node]
            if before < 0 or pull[origin, node] == 0.0:
                continue
            best = -1
            for arc in range(first[before], first[before + 1]):
                if head[arc] == node and (best < 0 or seconds[arc] < seconds[best]):
                    best = arc
            driven[kind[best]] += metres[best] * pull[origin, node]
            pull[origin, before] += pull[origin, node]
    return driven


class Drives:
    """Shortest drives over a part of the modelled roads, and how they answer to the speed of every road class."""

    def __init__(self, roads: Roads, kept: Flags) -> None:
        tails, rank = arc_tails(roads), np.cumsum(kept) - 1
        arcs = kept[tails] & kept[roads.head]
        self.row = np.where(kept, rank, -1)
        self.nodes = int(kept.sum())
        self.first = np.concatenate([[0], np.cumsum(np.bincount(rank[tails[arcs]], minlength=self.nodes))])
        self.head = rank[roads.head[arcs]].astype(np.int64)
        self.length_m, self.road_class = roads.length_m[arcs].astype(float), roads.road_class[arcs].astype(np.int64)

    def seconds(self, kmh: Floats, origins: Floats, limit: float = np.inf) -> tuple[Floats, Floats]:
        """Seconds to every node and the node before it, [origins, nodes]."""
        graph = csr_array((self.length_m * 3.6 / kmh[self.road_class], self.head, self.first), (self.nodes,) * 2)
        found, before = dijkstra(graph, indices=self.row[origins], limit=limit, return_predecessors=True)
        return found, before.astype(np.int64)

    def slope(self, kmh: Floats, found: Floats, before: Floats, pull: Floats) -> Floats:
        """What ln(speed) of each class does to a loss that changes by ``pull`` per second at each node.

        Exact wherever the shortest drives stay the same: a drive is the sum of its metres by the speed of their class.
        """
        order = np.argsort(np.where(np.isfinite(found), found, 1e12), axis=1)
        seconds = self.length_m * 3.6 / kmh[self.road_class]
        driven = _metres_driven(
            order, before, pull, self.first, self.head, self.length_m, seconds, self.road_class, len(kmh)
        )
        return -driven * 3.6 / kmh


def speeds(parameters: Floats) -> tuple[Floats, Floats]:
    """km/h per road class of an ordinary car and with siren."""
    value = np.exp(parameters)
    car = value[:CLASSES]
    siren = car * value[CLASSES]
    for (_, classes, _), kmh in zip(SIRENS_OWN, value[CLASSES + 1 :]):
        siren[classes] = kmh
    return car, siren


def predict(study: Study, parameters: Floats) -> tuple[Floats, Floats]:
    """Seconds from every hospital to every area (ordinary car) and between all Utrecht points (siren)."""
    car, siren = speeds(parameters)
    reach, _ = study.country.seconds(car, study.hospital_node, HORIZON_S)
    between, _ = study.utrecht.seconds(siren, study.town_node)
    return reach[:, study.country.row[study.node[study.areas]]], between[:, study.utrecht.row[study.town_node]]


def overlap(found: Floats, true: Floats) -> Floats:
    """Intersection over union per row."""
    return np.minimum(found, true).sum(-1) / np.maximum(np.maximum(found, true).sum(-1), 1)


def isochrone_loss(study: Study, car: Floats, hospitals: Floats) -> tuple[float, Floats]:
    """1 − IoU over both isochrones, the edge softened by SOFT of the time, and its slope in ln(speed)."""
    found, before = study.country.seconds(car, study.hospital_node[hospitals], HORIZON_S)
    at = study.country.row[study.node[study.areas]]
    reach, missed = found[:, at], 0.0
    pull = np.zeros_like(reach)
    share = 1.0 / (len(study.within) * len(hospitals))
    for minutes, within in study.within.items():
        limit, true = minutes * 60.0, within[hospitals].astype(float)
        inside = 1 / (1 + np.exp(np.clip((reach - limit) / (SOFT * limit), -40, 40)))
        both = (inside * true).sum(1, keepdims=True)
        either = np.maximum(inside.sum(1, keepdims=True) + true.sum(1, keepdims=True) - both, 1)
        missed += share * float((1 - both / either).sum())
        per_inside = (true * either - both * (1 - true)) / either**2
        pull += share * per_inside * inside * (1 - inside) / (SOFT * limit)
    pulled = np.zeros_like(found)
    np.add.at(pulled, (slice(None), at), np.where(np.isfinite(reach), pull, 0))
    return missed, study.country.slope(car, found, before, pulled)


def siren_loss(study: Study, siren: Floats, pairs: Flags, weight: Floats) -> tuple[float, Floats]:
    """Mean of abs ln(model / measured), all pairs and short ones at equal weight, and its slope in ln(speed)."""
    towns = np.flatnonzero(pairs.any(1))
    chosen = pairs[np.ix_(towns, towns)]
    true = np.where(chosen, study.siren_s[np.ix_(towns, towns)], 1.0)
    all_weight = chosen * weight[towns, None] * weight[towns]
    short_weight = all_weight * (true < SHORT_S)
    each = all_weight / all_weight.sum() / 2 + short_weight / short_weight.sum() / 2
    found, before = study.utrecht.seconds(siren, study.town_node[towns])
    at = study.utrecht.row[study.town_node[towns]]
    between = np.maximum(found[:, at], 1.0)
    off = np.log(between / true)
    size = np.hypot(off, 0.02)  # rounded at nought, so that it has a slope there
    pulled = np.zeros_like(found)
    pulled[:, at] = each * off / size / between
    return float((each * size).sum()), study.utrecht.slope(siren, found, before, pulled)


def fit(
    study: Study, hospitals: Floats, pairs: Flags, start: Floats, steps: int, weight: Floats | None = None
) -> Floats:
    """The parameters that bring isochrones and siren minutes nearest, held a little towards START (L-BFGS)."""
    each = np.ones(len(study.siren_s)) if weight is None else weight

    def loss(parameters: Floats) -> tuple[float, Floats]:
        car, siren = speeds(parameters)
        missed, car_slope = isochrone_loss(study, car, hospitals)
        apart, siren_slope = siren_loss(study, siren, pairs, each)
        own = []
        for _, classes, _ in SIRENS_OWN:
            own.append(siren_slope[classes].sum())
            siren_slope[classes] = 0.0
        away = parameters - START
        slope = np.concatenate([car_slope + siren_slope, [siren_slope.sum()], own]) + 2 * HOLD * away
        return missed + apart + HOLD * float(away @ away), slope

    bounds = [(middle - 0.9, middle + 0.9) for middle in START]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})
    return np.asarray(found.x)


def fit_all(study: Study, jobs: list[tuple[Floats, Floats]], steps: int, workers: int) -> list[Floats]:
    """``fit`` on every (hospitals, pairs) of ``jobs``, from START, in processes of their own."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as processes:
        futures = [processes.submit(fit, study, *job, START, steps) for job in jobs]
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
    parser.add_argument("--without-main-roads", action="store_true")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--bootstrap", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--network", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    profile = tomllib.loads(RULE.read_text(encoding="utf-8"))["versions"][0]["values"]
    changed = {name: float(value) for name, value in (each.split("=") for each in options.network)}
    study = Study(options.data, profile["netwerk"] | changed, options.dense, not options.without_main_roads)
    rng = np.random.default_rng(20261123)
    everyone, all_pairs = np.arange(len(study.fold)), ~np.eye(len(study.west), dtype=bool)
    size = f"{len(study.x):,} punten, {len(study.roads):,} knopen, {len(study.roads.head):,} bogen"
    print(f"{size} in {study.build_s:.1f} s")

    speeds_in_force = [profile["snelheid_kmh"][name] for name in ROAD_CLASSES]
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
    print("snelheden van kracht (spoed):", dict(zip(ROAD_CLASSES, speeds_in_force)))
    if not options.fit:
        found, _ = study.utrecht.seconds(np.array(speeds_in_force), study.town_node)
        siren = found[:, study.utrecht.row[study.town_node]]
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
    fitted = fit_all(study, jobs, options.steps, options.processes)
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
    best = fit(study, everyone, all_pairs, fitted[7], options.steps)
    drawn = []
    for _ in range(options.bootstrap):
        weight = np.bincount(rng.integers(0, len(study.west), len(study.west)), minlength=len(study.west)).astype(float)
        sample = rng.integers(0, len(everyone), len(everyone))
        drawn.append(fit(study, sample, all_pairs, best, options.steps // 2, weight))
    low, high = np.quantile(np.exp(drawn), [0.05, 0.95], axis=0) if drawn else (np.exp(best),) * 2
    names = [*ROAD_CLASSES, "factor sirene", *(f"{name} sirene" for name, _, _ in SIRENS_OWN)]
    for name, value, lo, hi in zip(names, np.exp(best), low, high):
        print(f"{name}: {value:.1f} [{lo:.1f}–{hi:.1f}]" if value > 5 else f"{name}: {value:.2f} [{lo:.2f}–{hi:.2f}]")
    print("met sirene:", {name: round(float(kmh)) for name, kmh in zip(ROAD_CLASSES, speeds(best)[1])})
    reach, siren = predict(study, best)
    print("alles samen:", {m: round(float(overlap(reach <= m * 60, w).mean()), 3) for m, w in study.within.items()},
          round(median_error(study, siren, all_pairs, np.arange(len(siren))), 3))  # fmt: skip


if __name__ == "__main__":
    main()
