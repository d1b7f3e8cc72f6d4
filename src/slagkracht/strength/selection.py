"""Whom to send: formations out of standing units, soonest first, under the lenders' own floors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

FULL = 1.0 - 1e-4

STAND_INS = 5
"""How many later units are tried in the place of a chosen one that its region can hardly miss."""


@njit(cache=True, nogil=True)
def take(unit, cover_first, cover_area, weight, region, left, covered):  # type: ignore[no-untyped-def]
    """Take a unit away: ``left`` [A] units still holding an area, ``covered`` [R] residents still in time."""
    for i in range(cover_first[unit], cover_first[unit + 1]):
        area = cover_area[i]
        left[area] -= 1
        if left[area] == 0:
            covered[region[area]] -= weight[area]


@njit(cache=True, nogil=True)
def give_back(unit, cover_first, cover_area, weight, region, left, covered):  # type: ignore[no-untyped-def]
    for i in range(cover_first[unit], cover_first[unit + 1]):
        area = cover_area[i]
        if left[area] == 0:
            covered[region[area]] += weight[area]
        left[area] += 1


@njit(cache=True, nogil=True)
def may_go(unit, cover_first, cover_area, weight, region, left, covered, least, loss):  # type: ignore[no-untyped-def]
    """Whether every region stays above its floor without ``unit``; a loss of nothing is always allowed.

    ``loss`` [R] is scratch space, all zero before and after.
    """
    allowed = True
    for i in range(cover_first[unit], cover_first[unit + 1]):
        area = cover_area[i]
        if left[area] == 1 and weight[area] > 0.0:
            loss[region[area]] += weight[area]
            if covered[region[area]] - loss[region[area]] < least[region[area]]:
                allowed = False
    for i in range(cover_first[unit], cover_first[unit + 1]):
        loss[region[cover_area[i]]] = 0.0
    return allowed


@njit(cache=True, nogil=True)
def build_one(  # type: ignore[no-untyped-def]
    home, order, share, need, used, cover_first, cover_area, weight, region, left, covered, least,
    unit_region, loss, picked, picked_part, blocked,
):  # fmt: skip
    """Fill one formation from the units in ``order`` (of region ``home``; -1 = of all regions), as far as it goes.

    Takes the units it picks. Returns (how many were picked, whether it is complete). Two or more substitutes fill
    one place together; a half-filled place that stays half-filled is given back.
    """
    parts = len(need)
    filled = np.zeros(parts)
    pending = np.zeros(parts)
    count = 0
    wanted = 0
    for p in range(parts):
        wanted += 1 if filled[p] < need[p] else 0
    for k in range(len(order)):
        if wanted == 0:
            break
        unit = order[k]
        if used[unit] or (home >= 0 and unit_region[unit] != home):
            continue
        part = -1
        for p in range(parts):  # a whole place before a part of one
            if (
                filled[p] + pending[p] < need[p] - 1e-4
                and share[unit, p] > 0.0
                and (part < 0 or share[unit, p] > share[unit, part])
            ):
                part = p
        if part < 0:
            continue
        if not may_go(unit, cover_first, cover_area, weight, region, left, covered, least, loss):
            blocked[unit] = True
            continue
        take(unit, cover_first, cover_area, weight, region, left, covered)
        used[unit] = True
        picked[count] = unit
        picked_part[count] = part
        count += 1
        if share[unit, part] >= FULL:
            filled[part] += 1.0
        else:
            pending[part] += share[unit, part]
            if pending[part] >= FULL:
                filled[part] += 1.0
                pending[part] = 0.0
        if filled[part] >= need[part] - 1e-4:
            wanted -= 1
    complete = wanted == 0
    for p in range(parts):  # what fills no whole place goes home
        if pending[p] > 0.0:
            k = count - 1
            while k >= 0 and pending[p] > 1e-4:
                if picked_part[k] == p and share[picked[k], p] < FULL:
                    pending[p] -= share[picked[k], p]
                    give_back(picked[k], cover_first, cover_area, weight, region, left, covered)
                    used[picked[k]] = False
                    for j in range(k, count - 1):
                        picked[j] = picked[j + 1]
                        picked_part[j] = picked_part[j + 1]
                    count -= 1
                k -= 1
    return count, complete


@njit(cache=True, nogil=True)
def undo(picked, count, used, cover_first, cover_area, weight, region, left, covered):  # type: ignore[no-untyped-def]
    for k in range(count):
        give_back(picked[k], cover_first, cover_area, weight, region, left, covered)
        used[picked[k]] = False


@njit(cache=True, nogil=True)
def select(  # type: ignore[no-untyped-def]
    arrival_s, order, share, need, kind, same_region, regions, partial, unit_region, cover_first, cover_area, weight,
    region, left, covered, least, unit_formation, unit_part, complete, blocked,
):  # fmt: skip
    """All formations asked for at one place, each from where the sum of its arrival times is smallest.

    ``arrival_s`` [N] (inf = cannot come) · ``order`` the candidates, most wanted first · ``share`` [N, F, P] ·
    ``need`` [F, P] · ``kind`` [F] formations alike · ``same_region`` bool [F] · ``partial`` whether an incomplete
    formation is sent too. Writes ``unit_formation`` [N] (-1), ``unit_part`` [N], ``complete`` [F], ``blocked`` [N] held
    back by a floor. Changes ``left``, ``covered``.
    """
    formations, parts = need.shape
    used = np.zeros(len(arrival_s), np.bool_)
    loss = np.zeros(len(covered))
    most = 0
    for f in range(formations):
        size = 0
        for p in range(parts):
            size += int(need[f, p]) * 8
        most = max(most, size)
    picked = np.empty(most + 1, np.int32)
    picked_part = np.empty(most + 1, np.int32)
    best_picked = np.empty(most + 1, np.int32)
    best_part = np.empty(most + 1, np.int32)
    price_s = np.full(regions, -1.0)  # sum of arrivals of each region's next formation; -1 = not known
    previous = -1
    for f in range(formations):
        homes = regions if same_region[f] else 1
        if previous < 0 or not same_region[f] or kind[f] != kind[previous]:
            price_s[:] = -1.0
        previous = f
        best_count, best_home = 0, -2
        cheapest = np.inf
        while True:
            # the region that could be soonest; a sum known from an earlier round can only have risen
            home = -2
            for h in range(homes):
                if price_s[h] < np.inf and (home == -2 or price_s[h] < price_s[home]):
                    home = h
            if home == -2:
                break
            who = home if same_region[f] else -1
            count, whole = build_one(
                who, order, share[:, f, :], need[f], used, cover_first, cover_area, weight, region, left, covered,
                least, unit_region, loss, picked, picked_part, blocked,
            )  # fmt: skip
            total = 0.0
            for k in range(count):
                total += arrival_s[picked[k]]
            undo(picked, count, used, cover_first, cover_area, weight, region, left, covered)
            if not whole:
                price_s[home] = np.inf
                if count > best_count and partial and cheapest == np.inf:
                    best_count, best_home = count, home
                    best_picked[:count] = picked[:count]
                    best_part[:count] = picked_part[:count]
                continue
            known = price_s[home]
            price_s[home] = total
            if known == total or homes == 1:
                cheapest, best_count, best_home = total, count, home
                best_picked[:count] = picked[:count]
                best_part[:count] = picked_part[:count]
                break
        if best_home == -2:
            continue
        for k in range(best_count):
            take(best_picked[k], cover_first, cover_area, weight, region, left, covered)
            used[best_picked[k]] = True
            unit_formation[best_picked[k]] = f
            unit_part[best_picked[k]] = best_part[k]
        complete[f] = cheapest < np.inf
        if cheapest == np.inf:
            previous = -1
        elif homes == 1:
            price_s[0] = -1.0


@njit(cache=True, nogil=True)
def polish(  # type: ignore[no-untyped-def]
    arrival_s, order, share, same_region, unit_region, cover_first, cover_area, weight, region, left, covered, least,
    unit_formation, unit_part,
):  # fmt: skip
    """Replace a chosen unit by a sooner one that stayed home, while the floors hold; keeps every formation whole."""
    loss = np.zeros(len(covered))
    chosen = order[unit_formation[order] >= 0]
    better = True
    while better:
        better = False
        for k in range(len(order)):
            new = order[k]
            if unit_formation[new] >= 0:
                continue
            worst, place = -1, -1
            for j in range(len(chosen)):
                old = chosen[j]
                f = unit_formation[old]
                if arrival_s[old] <= arrival_s[new] + 0.5:
                    continue
                p = unit_part[old]
                if share[new, f, p] != share[old, f, p] or (same_region[f] and unit_region[new] != unit_region[old]):
                    continue
                if worst < 0 or arrival_s[old] > arrival_s[worst]:
                    worst, place = old, j
            if worst < 0:
                continue
            give_back(worst, cover_first, cover_area, weight, region, left, covered)
            if may_go(new, cover_first, cover_area, weight, region, left, covered, least, loss):
                take(new, cover_first, cover_area, weight, region, left, covered)
                unit_formation[new], unit_part[new] = unit_formation[worst], unit_part[worst]
                unit_formation[worst], unit_part[worst] = -1, -1
                chosen[place] = new
                better = True
            else:
                take(worst, cover_first, cover_area, weight, region, left, covered)


@njit(cache=True, nogil=True)
def eject(  # type: ignore[no-untyped-def]
    arrival_s, order, share, same_region, unit_region, cover_first, cover_area, weight, region, left, covered, least,
    unit_formation, unit_part, most_work,
):  # fmt: skip
    """Let a chosen unit that is dear to its region stay home for a later one, when that frees sooner ones elsewhere.

    A floor can be used up by one early unit where two others together would come sooner; every such exchange that
    makes the sum of arrivals smaller is kept. Stops after about ``most_work`` comparisons, with what it has.
    """
    loss = np.zeros(len(covered))
    work = 0
    better = True
    while better:
        better = False
        total = 0.0
        for k in range(len(order)):
            if unit_formation[order[k]] >= 0:
                total += arrival_s[order[k]]
        for k in range(len(order)):
            old = order[k]
            f, p = unit_formation[old], unit_part[old]
            if f < 0:
                continue
            tried = 0
            for j in range(len(order)):
                new = order[j]
                if (
                    unit_formation[new] >= 0
                    or arrival_s[new] < arrival_s[old]
                    or share[new, f, p] != share[old, f, p]
                    or (same_region[f] and unit_region[new] != unit_region[old])
                ):
                    continue
                work += len(left) + len(order) * 8
                if work > most_work:
                    return
                trial_left, trial_covered = left.copy(), covered.copy()
                give_back(old, cover_first, cover_area, weight, region, trial_left, trial_covered)
                if not may_go(new, cover_first, cover_area, weight, region, trial_left, trial_covered, least, loss):
                    continue
                trial_formation, trial_part = unit_formation.copy(), unit_part.copy()
                trial_formation[old], trial_part[old] = -1, -1
                take(new, cover_first, cover_area, weight, region, trial_left, trial_covered)
                trial_formation[new], trial_part[new] = f, p
                polish(
                    arrival_s, order, share, same_region, unit_region, cover_first, cover_area, weight, region,
                    trial_left, trial_covered, least, trial_formation, trial_part,
                )  # fmt: skip
                trial_total = 0.0
                for i in range(len(order)):
                    if trial_formation[order[i]] >= 0:
                        trial_total += arrival_s[order[i]]
                if trial_total < total - 0.5:
                    left[:], covered[:] = trial_left, trial_covered
                    unit_formation[:], unit_part[:] = trial_formation, trial_part
                    better = True
                    break
                tried += 1
                if tried == STAND_INS:
                    break
            if better:
                break


@njit(cache=True, nogil=True)
def lean_on(cover_first, cover_area, weight, left):  # type: ignore[no-untyped-def]
    """Residents that lean on each unit: float64 [N]; one that k units hold leans on each of them for 1/k cubed."""
    losses = np.zeros(len(cover_first) - 1)
    for unit in range(len(losses)):
        for i in range(cover_first[unit], cover_first[unit + 1]):
            holders = left[cover_area[i]]
            if holders > 0:
                losses[unit] += weight[cover_area[i]] / (holders * holders * holders)
    return losses
