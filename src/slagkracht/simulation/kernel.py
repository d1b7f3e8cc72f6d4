"""The days that have not happened yet, one event after the other: who is called, who goes, who comes home."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from slagkracht.simulation.chance import derive, lognormal, normal, uniform
from slagkracht.simulation.world import NOBODY
from slagkracht.travel import UNREACHABLE

HOME, MOVED, GROWS, AWAY = 0, 1, 2, 3
"""What an event in the heap says: a unit is home, a move-up has arrived, an incident escalates, an absence starts."""

NOT_PRESENT, ALL_OUT, UNCREWED, TOO_FAR = 0, 1, 2, 3
"""Why nobody could be sent: nobody has it, all are out, those who stand there have no crew, or it is too far."""

TOO_LATE_S = 60.0
"""Who arrives when it is over leaves again within the minute."""

CREWS, CALLS = 3, 4
HANDLING, TURNED, TRAFFIC, TURNOUT, DRIVE = 0, 1, 2, 3, 4
"""What a draw is for: under the key of the year, and under the key of an incident (from TURNOUT on two per unit)."""


@njit(cache=True, nogil=True, inline="always")
def _push(times, codes, size, time, code):  # type: ignore[no-untyped-def]
    place = size
    while place > 0:
        above = (place - 1) >> 1
        if times[above] < time or (times[above] == time and codes[above] <= code):
            break
        times[place], codes[place] = times[above], codes[above]
        place = above
    times[place], codes[place] = time, code
    return size + 1


@njit(cache=True, nogil=True, inline="always")
def _pop(times, codes, size):  # type: ignore[no-untyped-def]
    size -= 1
    time, code = times[size], codes[size]
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        right = below + 1
        if right < size and (
            times[right] < times[below] or (times[right] == times[below] and codes[right] < codes[below])
        ):
            below = right
        if time < times[below] or (time == times[below] and code <= codes[below]):
            break
        times[place], codes[place] = times[below], codes[below]
        place = below
    times[place], codes[place] = time, code
    return size


@njit(cache=True, nogil=True)
def _refresh(first, rows, s, ready, at, guest, station_ready):  # type: ignore[no-untyped-def]
    """What stands ready at a station, as one mask."""
    mask = np.uint64(0)
    for i in range(first[s], first[s + 1]):
        u = rows[i]
        if at[u] == s:
            mask |= ready[u]
    if guest[s] >= 0 and at[guest[s]] == s:
        mask |= ready[guest[s]]
    station_ready[s] = mask


@njit(cache=True, nogil=True, inline="always")
def _is_crewed(readiness, u, window, block, key):  # type: ignore[no-untyped-def]
    """A crew that does not come in a stretch of a window stays away for all of it."""
    share = readiness[u, window]
    return share >= 1.0 or uniform(key, np.int64(block) * len(readiness) + u) < share


@njit(cache=True, nogil=True)
def _unit_at(first, rows, turnout_s, readiness, s, bit, window, block, key, ready, at, guest, soonest):  # type: ignore[no-untyped-def]
    """The unit to take at a station: the first that is crewed, or the quickest to roll; -1 = none."""
    found = -1
    for i in range(first[s], first[s + 1] + 1):
        u = rows[i] if i < first[s + 1] else guest[s]
        if u < 0 or at[u] != s or ready[u] & bit == np.uint64(0) or not _is_crewed(readiness, u, window, block, key):
            continue
        if not soonest:
            return u
        if found < 0 or turnout_s[u, window] < turnout_s[found, window]:
            found = u
    return found


@njit(cache=True, nogil=True)
def _choose(  # type: ignore[no-untyped-def]
    first, rows, turnout_s, readiness, drive_s, order, quickest_s, dispatch, max_drive_s, p, area, window,
    block, key, ready, at, guest, station_ready,
):  # fmt: skip
    """Whom to send for capability ``p`` to an area, by the policy: a unit, or -1 when nobody can go."""
    bit = np.uint64(1) << np.uint64(p)
    ranked = order[p, area]
    soonest = dispatch == 1
    best, best_s = -1, np.inf
    whole = True
    for place in range(len(ranked)):
        pair = ranked[place]
        if pair == NOBODY:
            whole = False
            break
        drive = np.float64(pair >> np.uint32(16))
        if soonest and drive + quickest_s[p] >= best_s:
            return best
        s = int(pair & np.uint32(0xFFFF))
        if station_ready[s] & bit == np.uint64(0) or drive > max_drive_s:
            continue
        u = _unit_at(first, rows, turnout_s, readiness, s, bit, window, block, key, ready, at, guest, soonest)
        if u < 0:
            continue
        if not soonest:
            return u
        response = drive + turnout_s[u, window]
        if response < best_s:
            best, best_s = u, response
    if not whole:
        return best
    for s in range(len(station_ready)):  # the ranking ran out: the whole row is read
        drive = np.float64(drive_s[area, s])
        if station_ready[s] & bit == np.uint64(0) or drive == UNREACHABLE or drive > max_drive_s:
            continue
        u = _unit_at(first, rows, turnout_s, readiness, s, bit, window, block, key, ready, at, guest, soonest)
        if u >= 0 and drive + turnout_s[u, window] < best_s:
            best, best_s = u, drive + turnout_s[u, window]
    return best


@njit(cache=True, nogil=True)
def _why_nobody(home, mask, drive_s, max_drive_s, p, area, ready):  # type: ignore[no-untyped-def]
    bit = np.uint64(1) << np.uint64(p)
    why = NOT_PRESENT
    for u in range(len(home)):
        if mask[u] & bit == np.uint64(0):
            continue
        drive = np.float64(drive_s[area, home[u]])
        if drive == UNREACHABLE or drive > max_drive_s:
            why = TOO_FAR if why == NOT_PRESENT else why
        elif ready[u] & bit != np.uint64(0):
            return UNCREWED
        else:
            why = ALL_OUT
    return why


@njit(cache=True, nogil=True)
def _donor(  # type: ignore[no-untyped-def]
    first, rows, readiness, neighbour, neighbour_s, reliant, move_up, move_up_bit, max_drive_s, s, window,
    block, key, ready, at, station_ready,
):  # fmt: skip
    """Who fills station ``s``: (unit, seconds to drive there), or (-1, 0)."""
    bit = move_up_bit
    for place in range(neighbour.shape[1]):
        d = neighbour[s, place]
        if neighbour_s[s, place] > max_drive_s:
            break
        if station_ready[d] & bit == np.uint64(0):
            continue
        count, last = 0, -1
        for i in range(first[d], first[d + 1]):
            u = rows[i]
            if at[u] == d and ready[u] & bit != np.uint64(0) and _is_crewed(readiness, u, window, block, key):
                count += 1
                last = u
        if count >= 2 or (count == 1 and move_up == 2 and 2.0 * reliant[d] < reliant[s]):
            return last, np.float64(neighbour_s[s, place])
    return -1, 0.0


@njit(cache=True, nogil=True)
def run(  # type: ignore[no-untyped-def]
    first, rows, home, mask, turnout_s, turnout_spread, readiness, drive_s, order, quickest_s, handling_s,
    handling_spread, drive_spread, drive_together, extra, stand_down, assess_s, neighbour, neighbour_s, reliant,
    hour_window, hour_block, dispatch, move_up, move_up_bit, waits, max_drive_s, refit_s, move_up_after_s,
    key, at_s, area, kind, level, on_scene_s, away_s, away_until_s, away_unit, first_s, close_s, sent_whom, sent_s,
    moved_whom, moved_s, unmet, unmet_s,
):  # fmt: skip
    """Run a year. Incidents [I] and absences [B] come in order of time; what happens is written into the columns given.

    ``sent_whom`` int32 [N, 4] incident, unit, station it left from, level · ``sent_s`` float64 [N, 5] alarmed, rolled,
    arrived (inf = turned back), released, back · ``moved_whom`` int32 [M, 2] unit, station · ``moved_s`` float64 [M, 3]
    left, arrived, back · ``unmet`` int32 [X, 3] incident, capability, reason · ``unmet_s`` float64 [X, 2] since, until.
    Returns how many rows of each were written, and how many events were handled. At one moment units come home before
    absences start and absences start before calls come in.
    """
    crew_key, call_key = derive(key, CREWS), derive(key, CALLS)
    units, stations, incidents = len(home), len(first) - 1, len(at_s)
    parts = extra.shape[2]
    ready, at = mask.copy(), home.copy()
    guest = np.full(stations, -1, np.int32)
    guest_back_s = np.zeros(units)
    move_row = np.full(units, -1, np.int32)
    absent_until_s = np.zeros(units)
    station_ready = np.zeros(stations, np.uint64)
    for s in range(stations):
        _refresh(first, rows, s, ready, at, guest, station_ready)
    size = 0
    times, codes = np.empty(2 * units + 3 * incidents + 64), np.empty(2 * units + 3 * incidents + 64, np.int64)
    waiting, head, tail = np.empty((len(unmet), 2), np.int32), 0, 0
    sent, moved, missed, events = 0, 0, 0, 0
    i, b = 0, 0
    while True:
        next_s = at_s[i] if i < incidents else np.inf
        what, who, now = -1, -1, next_s
        if b < len(away_s) and away_s[b] <= next_s:
            what, who, now = AWAY, b, away_s[b]
        if size > 0 and times[0] <= now:
            now = times[0]
            what, who = codes[0] & 3, codes[0] >> 2
            size = _pop(times, codes, size)
        elif what == AWAY:
            b += 1
        elif i < incidents:
            who = i
            i += 1
        else:
            break
        events += 1
        hour = min(int(now / 3600.0), len(hour_window) - 1)
        window, block = hour_window[hour], hour_block[hour]

        if what == AWAY:
            u = away_unit[who]
            absent_until_s[u] = max(absent_until_s[u], away_until_s[who])
            if ready[u] != np.uint64(0):
                ready[u] = np.uint64(0)
                s = at[u]
                if guest[s] == u:
                    guest[s] = -1
                _refresh(first, rows, s, ready, at, guest, station_ready)
                size = _push(times, codes, size, absent_until_s[u], u << 2 | HOME)
            continue

        if what == MOVED:
            u = who
            s = moved_whom[move_row[u], 1]
            if station_ready[s] & move_up_bit != np.uint64(0) or absent_until_s[u] > now:
                guest[s] = -1  # the station's own crew came home first
                size = _push(times, codes, size, now + guest_back_s[u], u << 2 | HOME)
            else:
                at[u], ready[u] = s, mask[u]
                _refresh(first, rows, s, ready, at, guest, station_ready)
            continue

        incident, stage = -1, 0
        only_part, only_unit = -1, -1
        if what == HOME:
            u = who
            if absent_until_s[u] > now:
                size = _push(times, codes, size, absent_until_s[u], u << 2 | HOME)
                continue
            if move_row[u] >= 0:
                moved_s[move_row[u], 2] = now
                move_row[u] = -1
            s = home[u]
            at[u], ready[u] = s, mask[u]
            g = guest[s]
            if g >= 0 and at[g] == s and ready[g] != np.uint64(0) and mask[u] & move_up_bit != np.uint64(0):
                guest[s], ready[g], at[g] = -1, np.uint64(0), home[g]
                size = _push(times, codes, size, now + guest_back_s[g], np.int64(g) << 2 | HOME)
            _refresh(first, rows, s, ready, at, guest, station_ready)
            for place in range(head, tail):
                row = waiting[place, 0]
                if row < 0:
                    continue
                if unmet[row, 0] >= 0 and close_s[unmet[row, 0]] < now:
                    waiting[place, 0] = -1  # it is over: nobody needs to come any more
                    unmet_s[row, 1] = close_s[unmet[row, 0]]
                    continue
                p = unmet[row, 1]
                drive = np.float64(drive_s[area[unmet[row, 0]], s])
                if (
                    ready[u] >> np.uint64(p) & np.uint64(1) != np.uint64(0)
                    and drive != UNREACHABLE
                    and drive <= max_drive_s
                    and _is_crewed(readiness, u, window, block, crew_key)
                ):
                    incident, stage, only_part, only_unit = unmet[row, 0], waiting[place, 1], p, u
                    unmet_s[row, 1] = now
                    waiting[place, 0] = -1
                    break
            while head < tail and waiting[head, 0] < 0:
                head += 1
            if incident < 0:
                continue
        elif what == GROWS:
            incident, stage = who >> 2, who & 3
        else:
            incident = who

        # send what is asked for
        own = derive(call_key, incident)
        k, a = kind[incident], area[incident]
        alarm_s = now
        if what < 0:
            alarm_s = now + lognormal(handling_s[a], handling_spread, own, HANDLING)
        from_row = sent
        traffic, together = 0.0, math.sqrt(drive_together)
        if together > 0.0:
            traffic = normal(own, TRAFFIC)
        for p in range(parts):
            wanted = extra[k, stage, p] if only_part < 0 else int(p == only_part)
            for _ in range(wanted):
                if only_unit >= 0:
                    u = only_unit
                else:
                    u = _choose(
                        first, rows, turnout_s, readiness, drive_s, order, quickest_s, dispatch, max_drive_s, p, a,
                        window, block, crew_key, ready, at, guest, station_ready,
                    )  # fmt: skip
                if u < 0:
                    unmet[missed, 0], unmet[missed, 1] = incident, p
                    unmet[missed, 2] = _why_nobody(home, mask, drive_s, max_drive_s, p, a, ready)
                    unmet_s[missed, 0], unmet_s[missed, 1] = now, np.inf
                    if waits and unmet[missed, 2] in (ALL_OUT, UNCREWED):
                        waiting[tail, 0], waiting[tail, 1] = missed, stage
                        tail += 1
                    missed += 1
                    continue
                s = at[u]
                ready[u] = np.uint64(0)
                if guest[s] == u:
                    guest[s] = -1
                _refresh(first, rows, s, ready, at, guest, station_ready)
                roll_s = lognormal(turnout_s[u, window], turnout_spread[u, window], own, 2 * u + TURNOUT)
                nominal_s = np.float64(drive_s[a, s])
                way_s = nominal_s
                if drive_spread > 0.0:
                    apart = normal(own, 2 * u + DRIVE)
                    way_s *= math.exp(drive_spread * (together * traffic + math.sqrt(1.0 - drive_together) * apart))
                sent_whom[sent, 0], sent_whom[sent, 1], sent_whom[sent, 2] = incident, u, s
                sent_whom[sent, 3] = stage
                sent_s[sent, 0], sent_s[sent, 1] = alarm_s, alarm_s + roll_s
                sent_s[sent, 2] = alarm_s + roll_s + way_s
                sent += 1
        if sent == from_row:
            continue
        if first_s[incident] == np.inf:
            for row in range(from_row, sent):
                first_s[incident] = min(first_s[incident], sent_s[row, 2])
            lasts_s = max(on_scene_s[incident], level[incident] * assess_s[k])
            close_s[incident] = first_s[incident] + lasts_s
            for higher in range(1, level[incident] + 1):
                grows_s = first_s[incident] + higher * assess_s[k]
                size = _push(times, codes, size, grows_s, (np.int64(incident) << 2 | higher) << 2 | GROWS)
        seen_s = first_s[incident] + assess_s[k]
        turned = level[incident] == 0 and uniform(own, TURNED) < stand_down[k]
        for row in range(from_row, sent):
            u, s = sent_whom[row, 1], sent_whom[row, 2]
            home_s = np.float64(drive_s[a, home[u]])
            if home_s == UNREACHABLE:
                home_s = np.float64(drive_s[a, s])
            if turned and sent_s[row, 2] > seen_s:
                sent_s[row, 3] = max(seen_s, sent_s[row, 0])
                driven_s = max(0.0, sent_s[row, 3] - sent_s[row, 1])
                sent_s[row, 2] = np.inf
                sent_s[row, 4] = sent_s[row, 3] + (driven_s if s == home[u] else home_s)
            else:
                late = sent_s[row, 2] >= close_s[incident]
                sent_s[row, 3] = sent_s[row, 2] + TOO_LATE_S if late else close_s[incident]
                sent_s[row, 4] = sent_s[row, 3] + home_s
            size = _push(times, codes, size, sent_s[row, 4] + refit_s, np.int64(u) << 2 | HOME)
            at[u] = home[u]
            if (
                move_up > 0
                and guest[s] < 0
                and mask[u] & move_up_bit != np.uint64(0)
                and station_ready[s] & move_up_bit == np.uint64(0)
                and sent_s[row, 4] - now >= move_up_after_s
            ):
                g, fill_s = _donor(
                    first, rows, readiness, neighbour, neighbour_s, reliant, move_up, move_up_bit, max_drive_s, s,
                    window, block, crew_key, ready, at, station_ready,
                )  # fmt: skip
                if g >= 0:
                    d = at[g]
                    ready[g] = np.uint64(0)
                    _refresh(first, rows, d, ready, at, guest, station_ready)
                    guest[s], guest_back_s[g] = g, fill_s
                    moved_whom[moved, 0], moved_whom[moved, 1] = g, s
                    leaves_s = alarm_s + turnout_s[g, window]
                    moved_s[moved, 0], moved_s[moved, 1], moved_s[moved, 2] = leaves_s, leaves_s + fill_s, np.inf
                    move_row[g] = moved
                    moved += 1
                    size = _push(times, codes, size, leaves_s + fill_s, np.int64(g) << 2 | MOVED)
    return sent, moved, missed, events
