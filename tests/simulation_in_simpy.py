"""The simulated year once more, as a person would write it with SimPy: slow, obvious, and the same to the second."""

from __future__ import annotations

import numpy as np
import simpy

from slagkracht.simulation import Incidents, World
from slagkracht.simulation.chance import derive, lognormal, normal, uniform
from slagkracht.simulation.kernel import CALLS, CREWS, DRIVE, HANDLING, TOO_LATE_S, TRAFFIC, TURNED, TURNOUT
from slagkracht.travel import UNREACHABLE


class Year:
    """One year: incidents are processes, and so is every way home."""

    def __init__(self, world: World, incidents: Incidents, key: np.uint64) -> None:
        self.world, self.incidents = world, incidents
        self.crews, self.calls = np.uint64(derive(key, CREWS)), np.uint64(derive(key, CALLS))
        self.env = simpy.Environment()
        units, stations = len(world.home), len(world.first) - 1
        self.at: list[int | None] = [int(s) for s in world.home]
        self.homes = [world.rows[world.first[s] : world.first[s + 1]].tolist() for s in range(stations)]
        self.guests: list[int | None] = [None] * stations
        self.way_back_s = [0.0] * units
        self.mask = [int(m) for m in world.mask]
        self.waiting: list[tuple[int, int, int]] = []
        self.first_s: dict[int, float] = {}
        self.close_s: dict[int, float] = {}
        self.sent: list[tuple[int, int, int, int, float, float, float, float, float]] = []
        self.moves = 0

    def run(self) -> None:
        self.env.process(self.call_in())
        self.env.run()

    def call_in(self):  # type: ignore[no-untyped-def]
        for i, at_s in enumerate(self.incidents.at_s.tolist()):
            yield self.env.timeout(at_s - self.env.now)
            self.answer(i, 0, first_alarm=True)

    def hour(self) -> int:
        return min(int(self.env.now / 3600.0), len(self.world.window) - 1)

    def window(self) -> int:
        return int(self.world.window[self.hour()])

    def crewed(self, unit: int) -> bool:
        share = float(self.world.readiness[unit, self.window()])
        block = int(self.world.block[self.hour()])
        return share >= 1.0 or uniform(self.crews, block * len(self.world.home) + unit) < share

    def ready_at(self, station: int, part: int) -> list[int]:
        guest = self.guests[station]
        there = self.homes[station] + ([] if guest is None else [guest])
        return [u for u in there if self.at[u] == station and self.mask[u] >> part & 1]

    def choose(self, part: int, area: int) -> int | None:
        stations = [(int(pair) >> 16, int(pair) & 0xFFFF) for pair in self.world.order[part, area]
                    if pair != 0xFFFFFFFF]  # fmt: skip
        window, best, best_s = self.window(), None, np.inf
        for drive, station in stations:
            if drive > self.world.max_drive_s:
                continue
            for unit in self.ready_at(station, part):
                if not self.crewed(unit):
                    continue
                if self.world.dispatch == 0:
                    return unit
                response = drive + float(self.world.turnout_s[unit, window])
                if response < best_s:
                    best, best_s = unit, response
        return best

    def answer(self, i: int, stage: int, first_alarm: bool = False, only: tuple[int, int] | None = None) -> None:
        own = np.uint64(derive(self.calls, i))
        kind, area = int(self.incidents.kind[i]), int(self.incidents.area[i])
        alarm_s = self.env.now
        if first_alarm:
            alarm_s += lognormal(float(self.world.handling_s[area]), self.world.handling_spread, own, HANDLING)
        gone = []
        for part in range(self.world.extra.shape[2]):
            wanted = int(self.world.extra[kind, stage, part]) if only is None else int(part == only[0])
            for _ in range(wanted):
                unit = self.choose(part, area) if only is None else only[1]
                if unit is None:
                    if self.world.waits and any(self.mask[u] >> part & 1 for u in range(len(self.at))):
                        self.waiting.append((i, stage, part))
                    continue
                station = self.at[unit]
                assert station is not None
                self.at[unit] = None
                if self.guests[station] == unit:
                    self.guests[station] = None
                window = self.window()
                spread = float(self.world.turnout_spread[unit, window])
                roll_s = lognormal(float(self.world.turnout_s[unit, window]), spread, own, 2 * unit + TURNOUT)
                shared, apart = normal(own, TRAFFIC), normal(own, 2 * unit + DRIVE)
                rho = self.world.drive_together
                off = self.world.drive_spread * (rho**0.5 * shared + (1.0 - rho) ** 0.5 * apart)
                drive_s = float(self.world.drive_s[area, station]) * float(np.exp(off))
                gone.append((unit, station, alarm_s + roll_s, alarm_s + roll_s + drive_s))
        if not gone:
            return
        assess_s, level = float(self.world.assess_s[kind]), int(self.incidents.level[i])
        if i not in self.first_s:
            self.first_s[i] = min(arrives_s for _, _, _, arrives_s in gone)
            self.close_s[i] = self.first_s[i] + max(float(self.incidents.on_scene_s[i]), level * assess_s)
            for higher in range(1, level + 1):
                self.env.process(self.grow(i, higher, self.first_s[i] + higher * assess_s))
        seen_s = self.first_s[i] + assess_s
        turned = level == 0 and uniform(own, TURNED) < self.world.stand_down[kind]
        for unit, station, rolled_s, arrives_s in gone:
            home = int(self.world.home[unit])
            home_s = float(self.world.drive_s[area, home])
            if home_s == UNREACHABLE:
                home_s = float(self.world.drive_s[area, station])
            if turned and arrives_s > seen_s:
                free_s, arrived_s = max(seen_s, alarm_s), np.inf
                back_s = free_s + (max(0.0, free_s - rolled_s) if station == home else home_s)
            else:
                arrived_s = arrives_s
                free_s = self.close_s[i] if arrives_s < self.close_s[i] else arrives_s + TOO_LATE_S
                back_s = free_s + home_s
            self.sent.append((i, unit, station, stage, alarm_s, rolled_s, arrived_s, free_s, back_s))
            self.env.process(self.come_home(unit, back_s + self.world.refit_s))
            self.fill(unit, station, alarm_s, back_s)

    def grow(self, i: int, higher: int, at_s: float):  # type: ignore[no-untyped-def]
        yield self.env.timeout(at_s - self.env.now)
        self.answer(i, higher)

    def come_home(self, unit: int, at_s: float):  # type: ignore[no-untyped-def]
        yield self.env.timeout(at_s - self.env.now)
        home = int(self.world.home[unit])
        self.at[unit] = home
        guest = self.guests[home]
        if guest is not None and self.at[guest] == home and self.mask[unit] & int(self.world.move_up_bit):
            self.guests[home], self.at[guest] = None, None
            self.env.process(self.come_home(guest, self.env.now + self.way_back_s[guest]))
        self.waiting = [w for w in self.waiting if not self.close_s.get(w[0], np.inf) < self.env.now]
        for w in self.waiting:
            i, stage, part = w
            drive = self.world.drive_s[int(self.incidents.area[i]), home]
            far = drive == UNREACHABLE or drive > self.world.max_drive_s
            if self.mask[unit] >> part & 1 and not far and self.crewed(unit):
                self.waiting.remove(w)
                self.answer(i, stage, only=(part, unit))
                return

    def fill(self, left: int, station: int, alarm_s: float, back_s: float) -> None:
        bit = int(self.world.move_up_bit)
        base = bit.bit_length() - 1
        if self.world.move_up == 0 or self.guests[station] is not None or not self.mask[left] & bit:
            return
        if self.ready_at(station, base) or back_s - self.env.now < self.world.move_up_after_s:
            return
        for donor, way_s in zip(self.world.neighbour[station].tolist(), self.world.neighbour_s[station].tolist()):
            if way_s > self.world.max_drive_s:
                return
            own = [u for u in self.homes[donor] if self.at[u] == donor and self.mask[u] & bit and self.crewed(u)]
            lean = self.world.move_up == 2 and 2.0 * self.world.reliant[donor] < self.world.reliant[station]
            if len(own) >= 2 or (len(own) == 1 and lean):
                unit = own[-1]
                self.at[unit], self.guests[station], self.way_back_s[unit] = None, unit, way_s
                leaves_s = alarm_s + float(self.world.turnout_s[unit, self.window()])
                self.moves += 1
                self.env.process(self.move_up(unit, station, leaves_s + way_s))
                return

    def move_up(self, unit: int, station: int, at_s: float):  # type: ignore[no-untyped-def]
        yield self.env.timeout(at_s - self.env.now)
        if self.ready_at(station, int(self.world.move_up_bit).bit_length() - 1):
            self.guests[station] = None
            self.env.process(self.come_home(unit, self.env.now + self.way_back_s[unit]))
        else:
            self.at[unit] = station
