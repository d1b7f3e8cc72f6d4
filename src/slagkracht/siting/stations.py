"""The stations of a plan as a siting question: which of them would serve best, and what those of now are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from slagkracht.plan import Plan
from slagkracht.resources import Standing, capability_column
from slagkracht.siting.covering import Siting, solve_lscp, solve_malp, solve_mclp, solve_mexclp
from slagkracht.siting.median import solve_p_median
from slagkracht.travel import UNREACHABLE

MODELS = {
    "lscp": "de minste kazernes die samen alles bereiken wat te bereiken is",
    "mclp": "zoveel kazernes die de meeste inwoners op tijd bereiken",
    "mexclp": "zoveel eenheden, elk een deel van de tijd bezet, voor de meeste inwoners",
    "malp": "zoveel eenheden, zodat de meeste inwoners met zekerheid een vrije op tijd hebben",
    "mediaan": "zoveel kazernes met de kortste gemiddelde rijtijd naar de inwoners",
}
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Field:
    """What is sited: rows of Stations ``site`` [S], of Areas ``area`` [A], ``people`` [A] and ``drive_s`` [A, S].

    ``now`` int32 [S] units with the capability that stand there now · ``turnout_s`` their median.
    """

    site: Indices
    area: Indices
    people: Doubles
    drive_s: npt.NDArray[np.uint16]
    now: Indices
    turnout_s: float


def compute_field(
    plan: Plan, standing: Standing, drive_s: npt.NDArray[np.uint16], capability: str, region: str = ""
) -> Field:
    """The stations and residents of a plan, or of one ``region`` (its code); ``drive_s`` uint16 [A, O].

    Raises ValueError, in Dutch, for a capability or region that is unknown and for a region without a station.
    """
    if capability not in standing.capability_names:
        raise ValueError(f"middel {capability!r} is onbekend; wel: {', '.join(sorted(standing.capability_names))}")
    codes = plan.regions.code.tolist()
    if region and region not in codes:
        raise ValueError(f"regio {region!r} staat niet in dit plan; wel: {', '.join(codes)}")
    whose = codes.index(region) if region else -1
    site, area = (
        np.flatnonzero((where == whose) | (whose < 0)).astype(np.int32)
        for where in (plan.stations.region, plan.areas.region)
    )
    if not len(site):
        raise ValueError(f"regio {region} heeft in dit plan geen kazerne")
    able = capability_column(standing, capability) & (standing.unit >= 0)
    now = np.bincount(standing.origin[able], minlength=len(plan.stations))[site].astype(np.int32)
    here = able & np.isin(standing.origin, site)
    turnout_s = float(np.median(standing.turnout_s[here])) if here.any() else 0.0
    people = plan.areas.population[area].astype(np.float64)
    return Field(site, area, people, drive_s[np.ix_(area, site)], now, turnout_s)


def solve_stations(
    model: str, field: Field, reach: csr_matrix, wanted: int, busy: float, sure: float, fixed: Indices, seconds: float
) -> Siting:
    """The answer of one of MODELS, with its proven gap. Raises NoSitingError for what cannot be."""
    if model == "lscp":
        return solve_lscp(reach, fixed=fixed, seconds=seconds)
    if model == "mclp":
        return solve_mclp(reach, field.people, wanted, fixed=fixed, seconds=seconds)
    if model == "mexclp":
        return solve_mexclp(reach, field.people, wanted, busy=busy, fixed=fixed, seconds=seconds)
    if model == "malp":
        return solve_malp(reach, field.people, wanted, busy=busy, reliability=sure, seconds=seconds)
    lived = np.where((field.drive_s != UNREACHABLE).any(axis=1), field.people, 0.0)  # who no road reaches is told apart
    return solve_p_median(field.drive_s, lived, wanted, seconds=seconds)


def judge_sites(model: str, field: Field, reach: csr_matrix, sites: Indices, busy: float, sure: float) -> float:
    """What units at ``sites`` (rows of the field, one for each unit) are worth by a model: residents, or seconds."""
    if model == "mediaan":
        drive = field.drive_s[:, np.unique(sites)].min(axis=1, initial=UNREACHABLE)
        met = (drive != UNREACHABLE) & (field.people > 0)
        return float(np.average(drive[met], weights=field.people[met])) if met.any() else float("inf")
    units = np.bincount(sites, minlength=reach.shape[1])
    near = reach @ (units if model in ("mexclp", "malp") else (units > 0).astype(np.float64))
    if model == "mexclp":
        return float(field.people @ (1 - busy**near))
    needed = np.ceil(np.log(1 - sure) / np.log(busy) - 1e-9) if model == "malp" else 1
    return float(field.people[near >= needed].sum())
