"""The days that have not happened yet, one event after the other: who is called, who goes, who comes home."""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from slagkracht.simulation.chance import derive, lognormal, normal, uniform
from slagkracht.simulation.world import NOBODY
from slagkracht.travel import UNREACHABLE

HOME, MOVED, GROWS, AWAY = 0, 1, 2, 3
"""What an event in the heap says: a unit is home, a move-up has arrived, an incident escalates, an absence starts."""

NOT_PRESENT, ALL_OUT, UNCREWED, TOO_FAR = 0, 1, 2, 3
"""Why nobody could be sent: nobody has it, all are out, those who stand there have no crew, or it is too far."""

TOO_LATE_S = 60.0
"""Who arrives when it is over leaves again within the minute."""

ROLLS_S, SPREAD, READINESS = 0, 1, 2
"""What is known of a crew in a time window."""

CREWS, CALLS = 3, 4
HANDLING, TURNED, TRAFFIC, TURNOUT, DRIVE = 0, 1, 2, 3, 4
"""What a draw is for: under the key of the year, and under the key of an incident (from TURNOUT on two per unit)."""


@intrinsic
def _fetch(_typing, array, place):  # type: ignore[no-untyped-def]
    """Ask the processor to bring ``array.flat[place]`` near before it is read; changes nothing."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        whole = ir.IntType(32)
        shape = ir.FunctionType(ir.VoidType(), [address.type, whole, whole, whole])
        to_read, often, data_cache = whole(0), whole(3), whole(1)
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [address.type], shape)
        builder.call(fetch, [address, to_read, often, data_cache])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@njit(cache=True, nogil=True, inline="always")
def _push(times, codes, size, time, code):  # type: ignore[no-untyped-def]
    place = size
    while place > 0:
        above = (place - 1) >> 2
        if times[above] < time or (times[above] == time and codes[above] <= code):
            break
        times[place], codes[place] = times[above], codes[above]
        place = above
    times[place], codes[place] = time, code
    return size + 1


@njit(cache=True, nogil=True, inline="always")
def _earlier(times, codes, one, other):  # type: ignore[no-untyped-def]
    later = (times[one] > times[other]) | ((times[one] == times[other]) & (codes[one] > codes[other]))
    return other if later else one


@njit(cache=True, nogil=True, inline="always")
def _pop(times, codes, size):  # type: ignore[no-untyped-def]
    """Take the first out: the hole sinks to the bottom, and the last event rises from there (Wegener 1993)."""
    size -= 1
    place = 0
    while 4 * place + 4 < size:
        one = 4 * place + 1
        below = _earlier(times, codes, _earlier(times, codes, one, one + 1), _earlier(times, codes, one + 2, one + 3))
        times[place], codes[place] = times[below], codes[below]
        place = below
    if 4 * place + 1 < size:
        below = 4 * place + 1
        for other in range(below + 1, size):
            below = _earlier(times, codes, below, other)
        times[place], codes[place] = times[below], codes[below]
        place = below
    _push(times, codes, place, times[size], codes[size])
    return size


@njit(cache=True, nogil=True, inline="always")
def _refresh(first, rows, s, ready, guest_ready, station_ready):  # type: ignore[no-untyped-def]
    """What stands ready at a station, as one mask."""
    mask = guest_ready[s]
    for i in range(first[s], first[s + 1]):
        mask |= ready[rows[i]]
    station_ready[s] = mask


@njit(cache=True, nogil=True, inline="always")
def _is_crewed(crew, u, window, block, key):  # type: ignore[no-untyped-def]
    """A crew that does not come in a stretch of a window stays away for all of it."""
    share = crew[u, window, READINESS]
    return share >= 1.0 or uniform(key, np.int64(block) * len(crew) + u) < share


@njit(cache=True, nogil=True, inline="always")
def _unit_at(first, rows, crew, s, bit, window, block, key, ready, guest, guest_ready, soonest):  # type: ignore[no-untyped-def]
    """The unit to take at a station: the first that is crewed, or the quickest to roll; -1 = none."""
    found = -1
    for i in range(first[s], first[s + 1]):
        u = rows[i]
        if ready[u] & bit == np.uint64(0) or not _is_crewed(crew, u, window, block, key):
            continue
        if not soonest:
            return u
        if found < 0 or crew[u, window, ROLLS_S] < crew[found, window, ROLLS_S]:
            found = u
    if guest_ready[s] & bit != np.uint64(0):
        u = guest[s]
        if (found < 0 or crew[u, window, ROLLS_S] < crew[found, window, ROLLS_S]) and _is_crewed(
            crew, u, window, block, key
        ):
            found = u
    return found


@njit(cache=True, nogil=True, inline="always")
def _choose(  # type: ignore[no-untyped-def]
    first, rows, crew, drive_s, order, quickest_s, dispatch, max_drive_s, p, area, window, block, key, ready, guest,
    guest_ready, station_ready,
):  # fmt: skip
    """Whom to send for capability ``p`` to an area, by the policy: (unit, station it stands at, seconds to drive), or
    (-1, -1, 0) when nobody can go."""
    bit = np.uint64(1) << np.uint64(p)
    soonest = dispatch == 1
    best, best_at, best_drive_s, best_s = -1, -1, 0.0, np.inf
    for place in range(order.shape[2]):
        pair = order[p, area, place]
        if pair == NOBODY:
            break
        drive = np.float64(pair >> np.uint32(16))
        if soonest and drive + quickest_s[p] >= best_s:
            return best, best_at, best_drive_s
        s = int(np.int64(pair & np.uint32(0xFFFF)))
        if station_ready[s] & bit == np.uint64(0) or drive > max_drive_s:
            continue
        u = _unit_at(first, rows, crew, s, bit, window, block, key, ready, guest, guest_ready, soonest)
        if u < 0:
            continue
        if not soonest:
            return u, s, drive
        response = drive + crew[u, window, ROLLS_S]
        if response < best_s:
            best, best_at, best_drive_s, best_s = u, s, drive, response
    else:
        for s in range(len(station_ready)):  # the ranking ran out: the whole row is read
            drive = np.float64(drive_s[area, s])
            if station_ready[s] & bit == np.uint64(0) or drive == UNREACHABLE or drive > max_drive_s:
                continue
            u = _unit_at(first, rows, crew, s, bit, window, block, key, ready, guest, guest_ready, soonest)
            if u >= 0 and drive + crew[u, window, ROLLS_S] < best_s:
                best, best_at, best_drive_s, best_s = u, s, drive, drive + crew[u, window, ROLLS_S]
    return best, best_at, best_drive_s


@njit(cache=True, nogil=True)
def _why_nobody(home, mask, drive_s, max_drive_s, p, area, ready, guest, guest_ready):  # type: ignore[no-untyped-def]
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
    for s in range(len(guest)):
        if guest_ready[s] & bit != np.uint64(0) and drive_s[area, home[guest[s]]] <= max_drive_s:
            return UNCREWED
    return why


@njit(cache=True, nogil=True, inline="always")
def _donor(  # type: ignore[no-untyped-def]
    first, rows, crew, neighbour, neighbour_s, reliant, move_up, bit, max_drive_s, s, window, block, key, ready,
    station_ready,
):  # fmt: skip
    """Who fills station ``s``: (unit, station it leaves, seconds to drive), or (-1, -1, 0)."""
    for place in range(neighbour.shape[1]):
        d = neighbour[s, place]
        if neighbour_s[s, place] > max_drive_s:
            break
        if station_ready[d] & bit == np.uint64(0):
            continue
        wanted = 1 if move_up == 2 and 2.0 * reliant[d] < reliant[s] else 2
        last = -1
        for i in range(first[d + 1] - 1, first[d] - 1, -1):
            u = rows[i]
            if ready[u] & bit != np.uint64(0) and _is_crewed(crew, u, window, block, key):
                last = u if last < 0 else last
                wanted -= 1
                if wanted == 0:
                    return last, d, np.float64(neighbour_s[s, place])
    return -1, -1, 0.0


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
    crew = np.stack((turnout_s, turnout_spread, readiness, readiness), axis=2)  # what is read together lies together
    asks_from, asks = _list_asked(extra)
    ready, station_ready = mask.copy(), np.zeros(stations, np.uint64)
    guest, guest_ready = np.full(stations, -1, np.int32), np.zeros(stations, np.uint64)
    guest_back_s, move_row = np.zeros(units), np.full(units, -1, np.int32)
    absent_until_s = np.zeros(units)
    for s in range(stations):
        _refresh(first, rows, s, ready, guest_ready, station_ready)
    size = 0
    times, codes = np.empty(2 * units + 3 * incidents + 64), np.empty(2 * units + 3 * incidents + 64, np.int64)
    waiting, head, tail = np.empty((len(unmet), 2), np.int32), 0, 0
    sent, moved, missed, events = 0, 0, 0, 0
    together, apart = math.sqrt(drive_together), math.sqrt(1.0 - drive_together)
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
            if i < incidents:  # the next call reads a row that is far away: have it fetched meanwhile
                p = asks[asks_from[kind[i], 0]]
                _fetch(order, (p * order.shape[1] + area[i]) * order.shape[2])  # type: ignore[call-arg]
        else:
            break
        events += 1
        hour = min(int(now / 3600.0), len(hour_window) - 1)
        window, block = hour_window[hour], hour_block[hour]

        if what == AWAY:
            u = away_unit[who]
            absent_until_s[u] = max(absent_until_s[u], away_until_s[who])
            s = home[u]
            if ready[u] != np.uint64(0):
                ready[u] = np.uint64(0)
            else:
                s = moved_whom[move_row[u], 1] if move_row[u] >= 0 else s
                if guest[s] != u or guest_ready[s] == np.uint64(0):
                    continue  # it is out: its absence begins when it is home
                guest[s], guest_ready[s] = -1, np.uint64(0)
            _refresh(first, rows, s, ready, guest_ready, station_ready)
            size = _push(times, codes, size, absent_until_s[u], u << 2 | HOME)
            continue

        if what == MOVED:
            u = who
            s = moved_whom[move_row[u], 1]
            if station_ready[s] & move_up_bit != np.uint64(0) or absent_until_s[u] > now:
                guest[s] = -1  # the station's own crew came home first
                size = _push(times, codes, size, now + guest_back_s[u], u << 2 | HOME)
            else:
                guest_ready[s] = mask[u]
                station_ready[s] |= mask[u]
            continue

        incident, stage, only_unit, asked = -1, 0, -1, -1
        if what == HOME:
            u = who
            if absent_until_s[u] > now:
                size = _push(times, codes, size, absent_until_s[u], u << 2 | HOME)
                continue
            if move_row[u] >= 0:
                moved_s[move_row[u], 2] = now
                move_row[u] = -1
            s = home[u]
            ready[u] = mask[u]
            if guest_ready[s] != np.uint64(0) and mask[u] & move_up_bit != np.uint64(0):
                size = _push(times, codes, size, now + guest_back_s[guest[s]], np.int64(guest[s]) << 2 | HOME)
                guest[s], guest_ready[s] = -1, np.uint64(0)
                _refresh(first, rows, s, ready, guest_ready, station_ready)
            else:
                station_ready[s] |= mask[u]
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
                    and _is_crewed(crew, u, window, block, crew_key)
                ):
                    incident, stage, asked, only_unit = unmet[row, 0], waiting[place, 1], p, u
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
        traffic = normal(own, TRAFFIC) if together > 0.0 else 0.0
        begin, end = asks_from[k, stage], asks_from[k, stage + 1]
        if only_unit >= 0:
            begin, end = 0, 1
        for place in range(begin, end):
            if only_unit >= 0:
                p, u, s = asked, only_unit, int(home[only_unit])
                nominal_s = np.float64(drive_s[a, s])
            else:
                p = asks[place]
                u, s, nominal_s = _choose(
                    first, rows, crew, drive_s, order, quickest_s, dispatch, max_drive_s, p, a, window, block,
                    crew_key, ready, guest, guest_ready, station_ready,
                )  # fmt: skip
            if u < 0:
                unmet[missed, 0], unmet[missed, 1] = incident, p
                unmet[missed, 2] = _why_nobody(home, mask, drive_s, max_drive_s, p, a, ready, guest, guest_ready)
                unmet_s[missed, 0], unmet_s[missed, 1] = now, np.inf
                if waits and unmet[missed, 2] in (ALL_OUT, UNCREWED):
                    waiting[tail, 0], waiting[tail, 1] = missed, stage
                    tail += 1
                missed += 1
                continue
            home_s = nominal_s
            if s == home[u]:
                ready[u] = np.uint64(0)
            else:
                guest[s], guest_ready[s] = -1, np.uint64(0)
                if drive_s[a, home[u]] != UNREACHABLE:
                    home_s = np.float64(drive_s[a, home[u]])
            _refresh(first, rows, s, ready, guest_ready, station_ready)
            rolled_s = alarm_s + lognormal(crew[u, window, ROLLS_S], crew[u, window, SPREAD], own, 2 * u + TURNOUT)
            way_s = nominal_s
            if drive_spread > 0.0:
                way_s *= math.exp(drive_spread * (together * traffic + apart * normal(own, 2 * u + DRIVE)))
            sent_whom[sent, 0], sent_whom[sent, 1] = incident, u
            sent_whom[sent, 2], sent_whom[sent, 3] = s, stage
            sent_s[sent, 0], sent_s[sent, 1], sent_s[sent, 2] = alarm_s, rolled_s, rolled_s + way_s
            sent_s[sent, 4] = home_s  # until it is known when it leaves for home
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
            u, s, home_s = sent_whom[row, 1], sent_whom[row, 2], sent_s[row, 4]
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
            if (
                move_up > 0
                and guest[s] < 0
                and mask[u] & move_up_bit != np.uint64(0)
                and station_ready[s] & move_up_bit == np.uint64(0)
                and sent_s[row, 4] - now >= move_up_after_s
            ):
                g, d, fill_s = _donor(
                    first, rows, crew, neighbour, neighbour_s, reliant, move_up, move_up_bit, max_drive_s, s, window,
                    block, crew_key, ready, station_ready,
                )  # fmt: skip
                if g >= 0:
                    ready[g] = np.uint64(0)
                    _refresh(first, rows, d, ready, guest_ready, station_ready)
                    guest[s], guest_back_s[g] = g, fill_s
                    moved_whom[moved, 0], moved_whom[moved, 1] = g, s
                    leaves_s = alarm_s + crew[g, window, ROLLS_S]
                    moved_s[moved, 0], moved_s[moved, 1], moved_s[moved, 2] = leaves_s, leaves_s + fill_s, np.inf
                    move_row[g] = moved
                    moved += 1
                    size = _push(times, codes, size, leaves_s + fill_s, np.int64(g) << 2 | MOVED)
    return sent, moved, missed, events


@njit(cache=True, nogil=True)
def _list_asked(extra):  # type: ignore[no-untyped-def]
    """``extra`` as a list: of kind k at level l the capabilities asks[from[k, l]:from[k, l + 1]], one per unit."""
    kinds, levels, parts = extra.shape
    asks_from, asks = np.zeros((kinds, levels + 1), np.int64), np.zeros(extra.sum() + 1, np.int64)
    count = 0
    for k in range(kinds):
        for level in range(levels):
            asks_from[k, level] = count
            for p in range(parts):
                for _ in range(extra[k, level, p]):
                    asks[count] = p
                    count += 1
        asks_from[k, levels] = count
    return asks_from, asks
