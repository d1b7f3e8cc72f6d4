"""Where stations would stand so that the average drive is shortest: the p-median, with a proven gap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange
from scipy.sparse import csr_matrix, vstack

from slagkracht.siting.covering import NoSitingError, Siting
from slagkracht.siting.milp import solve_milp

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
NO_ROAD = np.float32(1e7)
DEPTH = 48
"""How many of the nearest sites of an area are kept sorted; a multiplier that asks for more reads the whole row."""


def solve_p_median(
    drive_s: npt.NDArray[np.uint16] | npt.NDArray[np.floating],
    weight: Doubles,
    count: int,
    *,
    gap: float = 1e-5,
    rounds: int = 600,
    exact_below: int = 60_000,
    seconds: float = 60.0,
) -> Siting:
    """``count`` sites with the smallest weighted sum of drives from each area's nearest site (Hakimi 1964).

    ``drive_s`` [A, S], ``weight`` [A]. The lower bound is Lagrangian (assignment relaxed, Cornuéjols, Fisher and
    Nemhauser 1977) by subgradient, the answer comes from interchange (Teitz and Bart 1968); what the bound cannot
    rule out is settled exactly when fewer than ``exact_below`` drives remain. Raises NoSitingError when an area
    that has weight can be reached from no site.
    """
    cost = _costs(drive_s)
    areas, sites = cost.shape
    if not 0 < count <= sites:
        raise NoSitingError(f"{count} locaties gevraagd, er zijn {sites} kandidaten")
    alone = np.flatnonzero((cost.min(axis=1) >= NO_ROAD) & (weight > 0))
    if len(alone):
        raise NoSitingError(
            f"{len(alone)} gebieden zijn vanaf geen enkele locatie bereikbaar, het eerste is rij {alone[0]}"
        )
    heavy = np.flatnonzero(weight > 0)
    cost, heft = cost[heavy], np.ascontiguousarray(weight[heavy], dtype=np.float64)
    near, near_cost = _nearest_sites(cost, min(DEPTH, sites))
    by_site = np.ascontiguousarray(cost.T)

    opened = _greedy(by_site, heft, count)
    best = _interchange(by_site, heft, opened)
    best_sites = opened.copy()
    multiplier = _second_best(by_site, best_sites) * heft
    bound, best_multiplier, best_rho = -np.inf, multiplier.copy(), np.zeros(sites)
    step, stale = 1.0, 0
    for turn in range(rounds):
        rho = np.zeros(sites)
        _reduced_costs(cost, near, near_cost, heft, multiplier, rho)
        chosen = np.argpartition(rho, count - 1)[:count].astype(np.int32)
        value = float(multiplier.sum() + rho[chosen].sum())
        if value > bound + 1e-7 * abs(value):
            bound, best_multiplier, best_rho, stale = value, multiplier.copy(), rho, 0
        else:
            stale += 1
            if stale >= 12:
                step, stale, multiplier = step * 0.6, 0, best_multiplier.copy()
        if turn % 25 == 0 or (stale == 0 and turn % 8 == 0):
            trial = np.sort(chosen)
            trial_cost = _interchange(by_site, heft, trial) if turn % 25 == 0 else _total(by_site, heft, trial)
            if trial_cost < best:
                best, best_sites = trial_cost, trial.copy()
        if best - bound <= gap * best or step < 1e-4:
            break
        served = np.zeros(len(heft))
        _served(by_site, heft, multiplier, chosen, served)
        slack = 1.0 - served
        norm = float(slack @ slack)
        if norm == 0.0:
            break
        multiplier = np.maximum(multiplier + step * (1.02 * best - value) / norm * slack, 0.0)

    if best - bound > gap * best:
        best, best_sites, bound = _settle(
            cost, heft, count, best, best_sites, bound, best_multiplier, best_rho, exact_below, seconds
        )
    sites_sorted = np.sort(best_sites).astype(np.int32)
    every = cost if len(heavy) == areas else _costs(drive_s)
    reach = every[:, sites_sorted]
    serves = np.where(reach.min(axis=1) < NO_ROAD, sites_sorted[reach.argmin(axis=1)], -1).astype(np.int32)
    cut_off = int((serves[heavy] < 0).sum())
    if cut_off:
        raise NoSitingError(
            f"{count} locaties zijn te weinig: {cut_off} gebieden blijven dan onbereikbaar; vraag er meer"
        )
    distance = max(0.0, best - bound) / max(best, 1e-12)
    return Siting(
        sites_sorted, float(best), float(min(bound, best)), 0.0 if distance < 1e-9 else distance, serves, "p-mediaan"
    )


def _costs(drive_s: npt.NDArray[np.uint16] | npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Drives as float32 [A, S], where there is no road dearer than any drive can be."""
    cost = np.ascontiguousarray(drive_s, dtype=np.float32).copy()
    missing = drive_s == np.uint16(65535) if drive_s.dtype == np.uint16 else ~np.isfinite(drive_s)
    cost[missing] = NO_ROAD
    return cost


def _settle(
    cost: npt.NDArray[np.float32], heft: Doubles, count: int, best: float, best_sites: Indices, bound: float,
    multiplier: Doubles, rho: Doubles, exact_below: int, seconds: float,
) -> tuple[float, Indices, float]:  # fmt: skip
    """Settle exactly what the bound leaves open, when that is little: (best, its sites, bound).

    A site whose opening alone lifts the bound above the best answer is closed, one whose closing does is open; an
    area is served from a site only where the drive fits under the best answer (reduced-cost fixing).
    """
    order = np.argsort(rho)
    worst_in, best_out = rho[order[count - 1]], rho[order[count]] if count < len(rho) else np.inf
    chosen = np.zeros(len(rho), dtype=bool)
    chosen[order[:count]] = True
    closed = ~chosen & (bound + rho - worst_in > best)
    must = chosen & (bound + best_out - rho > best)
    candidates = np.flatnonzero(~closed)
    slack = best - bound
    reduced = heft[:, None] * cost[:, candidates] - multiplier[:, None]
    keep = reduced <= slack  # dearer assignments lift the bound above the best answer by themselves
    if keep.sum() > exact_below:
        return best, best_sites, bound
    rows, columns = np.nonzero(keep)
    arcs, n = len(rows), len(candidates)
    link = csr_matrix((np.ones(arcs), (np.arange(arcs), n + np.arange(arcs))), shape=(arcs, n + arcs))
    link = link - csr_matrix((np.ones(arcs), (np.arange(arcs), columns)), shape=(arcs, n + arcs))
    assign = csr_matrix((np.ones(arcs), (rows, n + np.arange(arcs))), shape=(len(heft), n + arcs))
    total = csr_matrix((np.ones(n), (np.zeros(n, dtype=int), np.arange(n))), shape=(1, n + arcs))
    answer = solve_milp(
        np.concatenate([np.zeros(n), heft[rows] * cost[rows, candidates[columns]].astype(np.float64)]),
        vstack([assign, link, total], format="csr"),
        np.concatenate([np.ones(len(heft)), np.full(arcs, -np.inf), [count]]),
        np.concatenate([np.ones(len(heft)), np.zeros(arcs), [count]]),
        np.concatenate([must[candidates].astype(float), np.zeros(arcs)]),
        np.ones(n + arcs),
        np.arange(n + arcs) < n,
        gap=1e-9,
        seconds=seconds,
    )
    if answer.status == "infeasible":  # nothing better exists under the best answer
        return best, best_sites, best
    if len(answer.values) and answer.objective < best:
        best_sites = candidates[answer.values[:n] > 0.5].astype(np.int32)
        best = answer.objective
    return best, best_sites, min(best, max(bound, answer.bound))


@njit(cache=True, nogil=True, parallel=True)
def _nearest_sites(cost, depth):  # type: ignore[no-untyped-def]
    """Per area its ``depth`` nearest sites in rising order of cost: (site int32 [A, depth], cost float32)."""
    areas, sites = cost.shape
    near = np.empty((areas, depth), np.int32)
    near_cost = np.empty((areas, depth), np.float32)
    for a in prange(areas):
        filled = 0
        for s in range(sites):
            c = cost[a, s]
            if filled == depth and c >= near_cost[a, depth - 1]:
                continue
            k = filled if filled < depth else depth - 1
            while k > 0 and near_cost[a, k - 1] > c:
                near_cost[a, k] = near_cost[a, k - 1]
                near[a, k] = near[a, k - 1]
                k -= 1
            near_cost[a, k] = c
            near[a, k] = s
            if filled < depth:
                filled += 1
    return near, near_cost


@njit(cache=True, nogil=True)
def _reduced_costs(cost, near, near_cost, heft, multiplier, rho):  # type: ignore[no-untyped-def]
    """rho[s] = sum over areas of min(0, heft * cost - multiplier), read from the sorted lists."""
    depth = near.shape[1]
    for a in range(len(heft)):
        k = 0
        while k < depth:
            r = heft[a] * near_cost[a, k] - multiplier[a]
            if r >= 0:
                break
            rho[near[a, k]] += r
            k += 1
        if k == depth and depth < cost.shape[1]:
            last = near_cost[a, depth - 1]
            listed = 0
            for s in range(cost.shape[1]):
                c = cost[a, s]
                if c < last:
                    continue
                if c == last:  # ties with the last listed cost may be in the list already
                    found = False
                    for j in range(depth):
                        if near[a, j] == s:
                            found = True
                            listed += 1
                            break
                    if found:
                        continue
                r = heft[a] * c - multiplier[a]
                if r < 0:
                    rho[s] += r


@njit(cache=True, nogil=True)
def _served(by_site, heft, multiplier, chosen, served):  # type: ignore[no-untyped-def]
    """How often each area is served by the chosen sites at the present multipliers."""
    for s in chosen:
        for a in range(len(heft)):
            if heft[a] * by_site[s, a] < multiplier[a]:
                served[a] += 1.0


@njit(cache=True, nogil=True)
def _total(by_site, heft, opened):  # type: ignore[no-untyped-def]
    total = 0.0
    for a in range(by_site.shape[1]):
        nearest = np.inf
        for s in opened:
            if by_site[s, a] < nearest:
                nearest = by_site[s, a]
        total += heft[a] * nearest
    return total


@njit(cache=True, nogil=True)
def _greedy(by_site, heft, count):  # type: ignore[no-untyped-def]
    """Open the site that helps most, ``count`` times; gains only shrink, so a stale gain is a bound (lazy greedy)."""
    sites, areas = by_site.shape
    nearest = np.full(areas, 2e7, np.float32)
    gain = np.full(sites, np.inf)
    opened = np.empty(count, np.int32)
    taken = np.zeros(sites, np.bool_)
    for k in range(count):
        fresh = np.zeros(sites, np.bool_)
        while True:
            s = -1
            for j in range(sites):
                if not taken[j] and (s < 0 or gain[j] > gain[s]):
                    s = j
            if fresh[s]:
                break
            g = 0.0
            for a in range(areas):
                if by_site[s, a] < nearest[a]:
                    g += heft[a] * (nearest[a] - by_site[s, a])
            gain[s] = g
            fresh[s] = True
        opened[k] = s
        taken[s] = True
        for a in range(areas):
            if by_site[s, a] < nearest[a]:
                nearest[a] = by_site[s, a]
    return opened


@njit(cache=True, nogil=True)
def _two_nearest(by_site, opened, out, first, second, d1, d2):  # type: ignore[no-untyped-def]
    """Per area its nearest and second nearest open site; ``out`` >= 0 says which slot alone was refilled."""
    for a in range(by_site.shape[1]):
        if out >= 0:
            c = by_site[opened[out], a]
            if first[a] != out and second[a] != out:
                if c < d1[a]:
                    second[a], d2[a] = first[a], d1[a]
                    first[a], d1[a] = out, c
                elif c < d2[a]:
                    second[a], d2[a] = out, c
                continue
        first[a] = second[a] = -1
        d1[a] = d2[a] = 3e7
        for k in range(len(opened)):
            c = by_site[opened[k], a]
            if c < d1[a]:
                second[a], d2[a] = first[a], d1[a]
                first[a], d1[a] = k, c
            elif c < d2[a]:
                second[a], d2[a] = k, c


@njit(cache=True, nogil=True)
def _interchange(by_site, heft, opened):  # type: ignore[no-untyped-def]
    """Swap an open site for a closed one while that helps (fast interchange, Whitaker 1983); changes ``opened``."""
    sites, areas = by_site.shape
    first, second = np.empty(areas, np.int32), np.empty(areas, np.int32)
    d1, d2 = np.empty(areas, np.float32), np.empty(areas, np.float32)
    is_open = np.zeros(sites, np.bool_)
    for s in opened:
        is_open[s] = True
    _two_nearest(by_site, opened, -1, first, second, d1, d2)
    loss = np.empty(len(opened))
    keep = np.empty(len(opened))  # what closing a slot costs when nothing opens
    keep[:] = 0.0
    for a in range(areas):
        keep[first[a]] += heft[a] * (d2[a] - d1[a])
    idle = 0
    s = 0
    while idle < sites:
        idle += 1
        if not is_open[s]:
            gain = 0.0
            loss[:] = keep
            for a in range(areas):
                c = by_site[s, a]
                if c < d2[a]:
                    if c < d1[a]:
                        gain += heft[a] * (d1[a] - c)
                        loss[first[a]] -= heft[a] * (d2[a] - d1[a])
                    else:
                        loss[first[a]] -= heft[a] * (d2[a] - c)
            k = int(np.argmin(loss))
            if gain - loss[k] > 1e-6 * (1.0 + gain):
                is_open[opened[k]] = False
                opened[k] = s
                is_open[s] = True
                _two_nearest(by_site, opened, k, first, second, d1, d2)
                keep[:] = 0.0
                for a in range(areas):
                    keep[first[a]] += heft[a] * (d2[a] - d1[a])
                idle = 0
        s = (s + 1) % sites
    total = 0.0
    for a in range(areas):
        total += heft[a] * d1[a]
    return total


def _second_best(by_site: npt.NDArray[np.float32], opened: Indices) -> Doubles:
    """A first multiplier: what the second nearest open site would cost each area."""
    areas = by_site.shape[1]
    first, second = np.empty(areas, np.int32), np.empty(areas, np.int32)
    d1, d2 = np.empty(areas, np.float32), np.empty(areas, np.float32)
    _two_nearest(by_site, opened, -1, first, second, d1, d2)
    return np.where(d2 < NO_ROAD, (d1 + d2) / 2, d1).astype(np.float64)
