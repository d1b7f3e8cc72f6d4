"""The stations and vehicles of Modelnederland: as many per region as there are, where its people ask for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from slagkracht.resources import Stations
from slagkracht.sources.facts import Municipalities, RegionFacts
from slagkracht.sources.modelland.land import Cells, share_out
from slagkracht.sources.station_lists import StationLists
from slagkracht.sources.vocabulary import read_vehicle_types

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Owners = npt.NDArray[np.int32]


def lay_stations(
    facts: Municipalities,
    regions: RegionFacts,
    land: Cells,
    people: Indices,
    count: int | None,
    rng: np.random.Generator,
) -> StationLists:
    """Stations and their vehicles in the form of the national lists.

    ``land`` is the fixed raster, with ``people`` int64 [C] · ``count`` stations in all, None = as many as there are
    with a pump. Raises ValueError when there are fewer than regions.
    """
    per_region = regions.tanker_stations
    if count is not None:
        if count < len(per_region):
            raise ValueError(
                f"Modelnederland heeft ten minste {len(per_region)} kazernes nodig, één per regio: {count}"
            )
        per_region = 1 + share_out((per_region - 1).astype(np.float64), count - len(per_region))
    pull = np.sqrt(facts.population.astype(np.float64) * facts.land_ha)
    municipalities: list[int] = []
    sites: list[int] = []
    for r in range(len(per_region)):
        own = np.flatnonzero(facts.region == r)
        for g, seats in zip(own.tolist(), _seats(pull[own], int(per_region[r])).tolist()):
            municipalities += [g] * seats
            sites += _sites(facts, land, people, g, seats)
    municipality, site = np.array(municipalities), np.array(sites)
    region = facts.region[municipality]
    jitter = np.floor((rng.random((2, len(land))) - 0.5) * 0.6 * land.cell_m)
    number = [code[2:] for code in regions.regions.code.tolist()]
    station, kinds = _spread_vehicles(regions, region, people[site], per_region / regions.tanker_stations)
    nothing = np.array([], np.str_)
    return StationLists(
        stations=Stations(
            station_id=np.array([f"{number[r]}-M{n:02d}" for r, n in zip(region, _serial(region))]),
            name=np.array([f"Modelkazerne {facts.name[g]} {n}" for g, n in zip(municipality, _serial(municipality))]),
            region=region,
            x_m=np.round(land.x_m[site] + jitter[0, site]),
            y_m=np.round(land.y_m[site] + jitter[1, site]),
            position_error_m=np.zeros(len(region), np.float32),
        ),
        unit_id=np.array([f"{number[r]}-{1000 + n}" for r, n in zip(region[station], _serial(region[station]))]),
        type_code=np.array(kinds),
        station=station,
        on_call=np.zeros(len(station), np.bool_),
        apart_id=nothing,
        apart_type=nothing,
        apart_reason=nothing,
        apart_region=np.array([], np.int32),
        differences=(),
        summaries=(),
    )


def _seats(pull: Floats, count: int) -> Indices:
    """``count`` stations over municipalities: the strongest first, one each, then by the largest average (D'Hondt)."""
    seats = np.zeros(len(pull), np.int64)
    for _ in range(count):
        seats[int(np.argmax(np.where(seats == 0, pull + float(pull.sum()), pull / (seats + 1))))] += 1
    return seats


def _sites(facts: Municipalities, land: Cells, people: Indices, municipality: int, count: int) -> list[int]:
    """Cells for a municipality's stations: the first at its centre, the next where most people are far from one."""
    own = np.flatnonzero(land.municipality == municipality)

    def squared_m(x_m: float, y_m: float) -> Floats:
        dx, dy = land.x_m[own] - x_m, land.y_m[own] - y_m
        squared: Floats = dx * dx + dy * dy
        return squared

    sites = [int(own[np.argmin(squared_m(facts.x_m[municipality], facts.y_m[municipality]))])] if count else []
    served_m2 = np.full(len(own), np.inf)
    while len(sites) < count:
        served_m2 = np.minimum(served_m2, squared_m(land.x_m[sites[-1]], land.y_m[sites[-1]]))
        sites.append(int(own[np.argmax(people[own] * served_m2)]))
    return sites


def _spread_vehicles(regions: RegionFacts, owner: Owners, near: Indices, scale: Floats) -> tuple[Owners, list[str]]:
    """Each region's vehicles in order of station: a pump each and second ones where it is busiest, the rest spread.

    Pumps for wildfire stand at the quiet end, and a container goes where a carrier stands. ``near`` [S] people round a
    station · ``scale`` [R] the share of the real stations that this country has.
    """
    types = read_vehicle_types()
    station: list[int] = []
    kinds: list[str] = []
    for r in range(len(scale)):
        own = np.flatnonzero(owner == r)
        busiest = own[np.argsort(-near[own], kind="stable")].tolist()
        counts = dict(zip(regions.vehicle_types, np.floor(regions.vehicles[r] * scale[r] + 0.5).astype(int).tolist()))
        pumps = [kind for kind in counts if "tankautospuit" in types[kind].capabilities for _ in range(counts[kind])]
        pumps += ["TS"] * (len(busiest) - len(pumps))
        second = len(pumps) - len(busiest)
        station += [busiest[n % len(busiest)] for n in range(second)] + busiest
        kinds += pumps
        carriers = busiest
        others = [kind for kind in counts if "tankautospuit" not in types[kind].capabilities and counts[kind]]
        others.sort(key=lambda kind: "haakarm" not in types[kind].capabilities)  # carriers before containers
        for turn, kind in enumerate(others):
            sites = carriers if types[kind].kind == "haakarmbak" else busiest
            chosen = [sites[(turn // 4 + n * len(sites) // counts[kind]) % len(sites)] for n in range(counts[kind])]
            carriers = chosen if "haakarm" in types[kind].capabilities else carriers
            station += chosen
            kinds += [kind] * counts[kind]
    order = np.argsort(np.array(station), kind="stable")
    return np.array(station, np.int32)[order], [kinds[i] for i in order]


def _serial(group: npt.NDArray[np.signedinteger[npt.NBitBase]]) -> Indices:
    """1, 2, 3, … within every run of the same group."""
    start = np.flatnonzero(np.diff(group, prepend=-1))
    return np.arange(len(group)) - np.repeat(start, np.diff(np.append(start, len(group)))) + 1
