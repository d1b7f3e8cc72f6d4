"""Where stations and units would stand so that most is reached in time: covering models, each with its proven gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags, eye, hstack, vstack

from slagkracht.siting.milp import MilpAnswer, solve_milp

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Siting:
    """Where to stand, what that reaches, and how far from the best conceivable answer it can be at most.

    ``sites`` int32 [p] rows of the candidate sites in rising order (a site that holds two units stands twice) ·
    ``objective`` what was asked to be large or small · ``bound`` what no answer can beat · ``gap`` their distance
    relative to the objective (0 = proven best) · ``serves`` int32 [A] the site that serves each area, -1 = none ·
    ``model`` the model's name.
    """

    sites: Indices
    objective: float
    bound: float
    gap: float
    serves: Indices
    model: str


class NoSitingError(ValueError):
    """What was asked for cannot be done; the message says which areas or sites stand in the way."""


def compute_cover(response_s: npt.NDArray[np.integer] | npt.NDArray[np.floating], limit_s: float) -> csr_matrix:
    """Which site reaches which area in time: sparse [A, S] of ones where ``response_s`` [A, S] <= ``limit_s``.

    An unreachable drive (65535 in whole seconds, inf in floats) covers nothing, however long the limit.
    """
    inside = response_s <= limit_s
    if response_s.dtype == np.uint16:
        inside &= response_s != np.uint16(65535)
    else:
        inside &= np.isfinite(response_s)
    return csr_matrix(inside, dtype=np.float64)


def group_equal_areas(cover: csr_matrix, weight: Doubles) -> tuple[csr_matrix, Doubles, Indices]:
    """Areas that are covered by the same sites, taken as one: (cover [G, S], weight [G], group of each area [A]).

    Exact: a covering model cannot tell such areas apart. Areas that no site covers form a group of their own.
    """
    cover.sort_indices()
    keys = [cover.indices[a:b].tobytes() for a, b in zip(cover.indptr[:-1], cover.indptr[1:])]
    order: dict[bytes, int] = {}
    group = np.fromiter((order.setdefault(key, len(order)) for key in keys), dtype=np.int32, count=len(keys))
    first = np.full(len(order), -1, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    heft = np.bincount(group, weights=weight, minlength=len(order)).astype(np.float64)
    return cover[first], heft, group


def solve_lscp(cover: csr_matrix, *, fixed: Indices | None = None, seconds: float = 120.0) -> Siting:
    """The fewest sites that together cover every area that can be covered (location set covering, Toregas 1971).

    ``fixed`` sites stand in any case. Raises NoSitingError when no area can be covered at all.
    """
    areas, sites = cover.shape
    grouped, _, _ = group_equal_areas(cover, np.ones(areas))
    reachable = np.diff(grouped.indptr) > 0
    if not reachable.any():
        raise NoSitingError("geen enkel gebied is vanaf een kandidaat-locatie op tijd bereikbaar: verruim de tijd")
    matrix = grouped[reachable]
    lower = np.zeros(sites)
    lower[[] if fixed is None else fixed] = 1.0
    rows = matrix.shape[0]
    answer = solve_milp(
        np.ones(sites), matrix, np.ones(rows), np.full(rows, np.inf), lower, np.ones(sites), np.ones(sites, bool),
        seconds=seconds,
    )  # fmt: skip
    return _siting(answer, sites, cover, "LSCP", whole=True)


def solve_mclp(
    cover: csr_matrix, weight: Doubles, count: int, *, fixed: Indices | None = None, seconds: float = 120.0
) -> Siting:
    """``count`` sites that cover as much ``weight`` [A] as possible (maximal covering, Church and ReVelle 1974)."""
    return solve_mexclp(cover, weight, count, busy=0.0, most_per_site=1, fixed=fixed, seconds=seconds)


def solve_mexclp(
    cover: csr_matrix,
    weight: Doubles,
    units: int,
    *,
    busy: float,
    most_per_site: int = 10,
    fixed: Indices | None = None,
    seconds: float = 120.0,
) -> Siting:
    """``units`` units over the sites so that the expected covered weight is largest (MEXCLP, Daskin 1983).

    Each unit is busy with chance ``busy`` apart from the others: an area that k units cover counts for
    ``1 - busy**k``. With ``busy`` 0 and one unit a site this is the maximal covering model.
    """
    sites = cover.shape[1]
    if not 0.0 <= busy < 1.0:
        raise NoSitingError(f"bezettingsgraad {busy} moet tussen 0 en 1 liggen")
    if units > sites * most_per_site:
        raise NoSitingError(f"{units} eenheden passen niet op {sites} locaties van elk hoogstens {most_per_site}")
    grouped, weights, _ = group_equal_areas(cover, weight)
    kept = (np.diff(grouped.indptr) > 0) & (weights > 0)
    grouped, weights = grouped[kept], weights[kept]
    groups = grouped.shape[0]
    reach = np.asarray(grouped.sum(axis=1)).ravel() * most_per_site
    depth = 1
    if busy > 0:  # a k-th unit that adds less than a millionth is left out of the model and into the bound
        depth = max(1, min(int(reach.max(initial=1)), units, int(np.ceil(np.log(1e-6) / np.log(busy)))))
    gains = [weights * (1 - busy) * busy**k for k in range(depth)]
    heaps = [np.flatnonzero(reach > k) for k in range(depth)]
    columns = [np.where(reach[heap] > k, gains[k][heap], 0.0) for k, heap in enumerate(heaps)]
    picks = hstack([eye(groups, format="csr")[:, heap] for heap in heaps], format="csr")
    # y-columns of a group sum to at most the units that cover it; all units are placed
    matrix = vstack(
        [
            hstack([-grouped, picks]),
            hstack([csr_matrix(np.ones((1, sites))), csr_matrix((1, picks.shape[1]))]),
        ],
        format="csr",
    )
    lower = np.zeros(sites + picks.shape[1])
    lower[[] if fixed is None else fixed] = 1.0
    upper = np.concatenate([np.full(sites, float(most_per_site)), np.ones(picks.shape[1])])
    answer = solve_milp(
        np.concatenate([np.zeros(sites), *columns]),
        matrix,
        np.concatenate([np.full(groups, -np.inf), [units]]),
        np.concatenate([np.zeros(groups), [units]]),
        lower,
        upper,
        np.arange(sites + picks.shape[1]) < sites,
        maximise=True,
        seconds=seconds,
    )
    more = np.minimum(reach, units) > depth
    tail = float((weights[more] * busy**depth).sum())
    return _siting(answer, sites, cover, "MCLP" if busy == 0 else "MEXCLP", tail=tail)


def solve_malp(
    cover: csr_matrix,
    weight: Doubles,
    units: int,
    *,
    busy: float,
    reliability: float,
    most_per_site: int = 10,
    seconds: float = 120.0,
) -> Siting:
    """``units`` units so that most weight has a unit at hand with chance ``reliability`` (MALP, ReVelle 1989).

    An area counts when at least ``ceil(log(1 - reliability) / log(busy))`` units cover it.
    """
    if not (0.0 < busy < 1.0 and 0.0 < reliability < 1.0):
        raise NoSitingError("bezettingsgraad en betrouwbaarheid moeten tussen 0 en 1 liggen")
    sites = cover.shape[1]
    needed = int(np.ceil(np.log(1 - reliability) / np.log(busy) - 1e-9))
    grouped, weights, _ = group_equal_areas(cover, weight)
    kept = (np.asarray(grouped.sum(axis=1)).ravel() * most_per_site >= needed) & (weights > 0)
    grouped, weights = grouped[kept], weights[kept]
    groups = grouped.shape[0]
    matrix = vstack(
        [
            hstack([-grouped, diags(np.full(groups, float(needed)))]),
            hstack([csr_matrix(np.ones((1, sites))), csr_matrix((1, groups))]),
        ],
        format="csr",
    )
    answer = solve_milp(
        np.concatenate([np.zeros(sites), weights]),
        matrix,
        np.concatenate([np.full(groups, -np.inf), [units]]),
        np.concatenate([np.zeros(groups), [units]]),
        np.zeros(sites + groups),
        np.concatenate([np.full(sites, float(most_per_site)), np.ones(groups)]),
        np.ones(sites + groups, dtype=bool),
        maximise=True,
        seconds=seconds,
    )
    return _siting(answer, sites, cover, "MALP")


def _siting(
    answer: MilpAnswer, sites: int, cover: csr_matrix, model: str, *, tail: float = 0.0, whole: bool = False
) -> Siting:
    """An answer of the solver as a Siting; ``whole`` objectives are counts, so their bound rounds up."""
    if answer.status == "infeasible":
        raise NoSitingError(f"{model}: met deze vaste locaties en aantallen is er geen oplossing")
    if not len(answer.values):
        raise NoSitingError(f"{model}: geen oplossing gevonden binnen de gegeven rekentijd; geef meer tijd")
    placed = np.rint(answer.values[:sites]).astype(np.int32)
    chosen = np.repeat(np.arange(sites, dtype=np.int32), placed)
    bound = float(np.ceil(answer.bound - 1e-6)) if whole else answer.bound + tail
    open_cover = cover[:, np.unique(chosen)]
    has = np.diff(open_cover.indptr) > 0
    serves = np.full(cover.shape[0], -1, dtype=np.int32)
    serves[has] = np.unique(chosen)[open_cover.indices[open_cover.indptr[:-1][has]]]
    gap = abs(bound - answer.objective) / max(abs(answer.objective), 1e-12)
    return Siting(chosen, answer.objective, bound, 0.0 if gap < 1e-9 else gap, serves, model)
