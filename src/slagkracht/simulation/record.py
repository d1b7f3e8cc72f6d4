"""A simulated stretch of time as a log: the same facts in the same words as a live deployment."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from slagkracht.log import Event, append_event
from slagkracht.plan import Plan
from slagkracht.simulation.crises import Deployments
from slagkracht.simulation.history import REASONS, History
from slagkracht.simulation.world import LEVELS

ACTOR = "simulatie"
GROUND = "gelijktijdige incidenten"
CRISIS_GROUND = "Wet veiligheidsregio's, artikel 51"
Fact = tuple[float, int, int, str, dict[str, Any]]


def record(
    history: History,
    plan: Plan,
    from_s: float = 0.0,
    until_s: float = np.inf,
    deployments: Deployments | None = None,
) -> tuple[Event, ...]:
    """The facts that happened from ``from_s`` up to ``until_s`` seconds after the start, in a chain per region.

    Told whole, to the end of each: incidents that opened in that time with everything that was sent to them, the
    move-ups of that time, and of ``deployments`` the crises that began in it. Whatever happens at one moment stands in
    the order in which it must be told.
    """
    told = _facts(history, plan, from_s, until_s)
    if deployments is not None:
        told += _crisis_facts(deployments, plan, from_s, until_s)
    told.sort(key=lambda fact: (fact[0], fact[1]))
    last: dict[str, Event] = {}
    events = []
    for second, _, region, kind, body in told:
        at = history.start + datetime.timedelta(seconds=second)
        chain = str(plan.regions.code[region])
        last[chain] = append_event(last.get(chain), chain, kind, at, at, ACTOR, body)
        events.append(last[chain])
    return tuple(events)


def _facts(history: History, plan: Plan, from_s: float, until_s: float) -> list[Fact]:
    """(second, order at that moment, region, kind, body) of every fact, in no particular order."""
    facts: list[Fact] = []
    region_of_unit = plan.stations.region[plan.units.station]
    inside = (history.opened_s >= from_s) & (history.opened_s < until_s)

    def tell(second: float, order: int, owner: int, kind: str, /, **body: Any) -> None:
        if np.isfinite(second):
            facts.append((float(second), order, int(owner), kind, body))

    for i in np.flatnonzero(inside).tolist():
        area, region = int(history.area[i]), int(plan.areas.region[history.area[i]])
        what = history.kinds[history.kind[i]]
        x_m, y_m = round(float(plan.areas.x_m[area]), 1), round(float(plan.areas.y_m[area]), 1)
        tell(history.opened_s[i], 0, region, "incident_opened", incident=_name(i), what=what, x_m=x_m, y_m=y_m,
             area=str(plan.areas.area_id[area]), level=LEVELS[0])  # fmt: skip
        tell(history.closed_s[i], 9, region, "incident_closed", incident=_name(i))
    grown: set[tuple[int, int]] = set()
    for n in np.flatnonzero(inside[history.incident]).tolist():
        i, unit, stage = int(history.incident[n]), int(history.unit[n]), int(history.stage[n])
        if stage and (i, stage) not in grown:
            grown.add((i, stage))
            at_region = plan.areas.region[history.area[i]]
            tell(history.alarmed_s[n], 1, at_region, "incident_escalated", incident=_name(i), level=LEVELS[stage])
        said = {"unit": str(plan.units.unit_id[unit]), "incident": _name(i)}
        owner = int(region_of_unit[unit])
        turned = not np.isfinite(history.arrived_s[n])
        station = str(plan.stations.station_id[history.station[n]])
        tell(history.alarmed_s[n], 2, owner, "unit_status", **said, status="alerted", station=station)
        if not turned or history.rolled_s[n] < history.released_s[n]:
            tell(history.rolled_s[n], 3, owner, "unit_status", **said, status="en_route")
        tell(history.arrived_s[n], 4, owner, "unit_status", **said, status="on_scene")
        tell(history.released_s[n], 5, owner, "unit_status", **said, status="returning")
        tell(history.back_s[n], 6, owner, "unit_status", unit=said["unit"], status="available")
    for m in np.flatnonzero((history.left_s >= from_s) & (history.left_s < until_s)).tolist():
        unit, to = int(history.moved_unit[m]), int(history.moved_to[m])
        name, owner = str(plan.units.unit_id[unit]), int(region_of_unit[unit])
        home, station = int(plan.units.station[unit]), str(plan.stations.station_id[to])
        for second, order, at, step in ((history.left_s[m], 4, home, "ordered"), (history.stood_s[m], 4, to, "arrived"),
                                        (history.ended_s[m], 7, home, "ended")):  # fmt: skip
            x_m, y_m = float(plan.stations.x_m[at]), float(plan.stations.y_m[at])
            tell(second, order, owner, "unit_position", unit=name, x_m=x_m, y_m=y_m, move_up_step=step,
                 move_up=station if step != "ended" else "")  # fmt: skip
    for u in np.flatnonzero(inside[history.unmet_incident]).tolist():
        i = int(history.unmet_incident[u])
        region, name = int(plan.areas.region[history.area[i]]), f"{_name(i)}-{u}"
        second, code = history.unmet_since_s[u], str(plan.regions.code[region])
        tell(second, 2, region, "request_made", request=name, region=code, incident=_name(i), ground=GROUND)
        tell(second, 3, region, "line_asked", request=name, line=name, count=1,
             formation=history.capabilities[history.unmet_capability[u]])  # fmt: skip
        tell(second, 4, region, "line_unmet", line=name, count=1, reason=REASONS[history.unmet_reason[u]])
        tell(history.unmet_until_s[u], 5, region, "request_closed", request=name)
    return facts


def _crisis_facts(deployments: Deployments, plan: Plan, from_s: float, until_s: float) -> list[Fact]:
    """Request, line and commitments of every shift: the requester's facts in its chain, the lenders' in theirs."""
    facts: list[Fact] = []
    inside = (deployments.start_s >= from_s) & (deployments.start_s < until_s)
    asked_by = plan.areas.region[deployments.area]
    owner_of = plan.stations.region[plan.units.station]
    for c in np.flatnonzero(inside).tolist():
        region, area = int(asked_by[c]), int(deployments.area[c])
        body: dict[str, Any] = {"incident": f"C{c + 1}", "what": str(deployments.what[c])}
        body |= {"x_m": float(plan.areas.x_m[area]), "y_m": float(plan.areas.y_m[area])}
        body |= {"area": str(plan.areas.area_id[area])}
        facts.append((float(deployments.start_s[c]), 0, region, "incident_opened", body))
        request = {"request": f"C{c + 1}", "region": str(plan.regions.code[region]), "incident": f"C{c + 1}"}
        facts.append((float(deployments.start_s[c]), 1, region, "request_made", {**request, "ground": CRISIS_GROUND}))
        ends_s = float(max(deployments.end_s[c], deployments.released_s[deployments.crisis == c].max(initial=0.0)))
        facts.append((ends_s, 8, region, "request_closed", {"request": f"C{c + 1}"}))
        facts.append((ends_s, 9, region, "incident_closed", {"incident": f"C{c + 1}"}))
    lines: set[str] = set()

    def line(c: int, formation: str, at_s: float, count: int) -> str:
        name = f"C{c + 1}-{formation}-{at_s:.0f}"
        if name not in lines:
            lines.add(name)
            asked = {"request": f"C{c + 1}", "line": name, "formation": formation, "count": count}
            facts.append((at_s, 2, int(asked_by[c]), "line_asked", asked))
        return name

    for n in np.flatnonzero(inside[deployments.crisis]).tolist():
        c, unit = int(deployments.crisis[n]), int(deployments.unit[n])
        owner, at_s = int(owner_of[unit]), float(deployments.alarmed_s[n])
        made = {"commitment": f"C{c + 1}-T{n + 1}", "unit": str(plan.units.unit_id[unit])}
        made |= {"line": line(c, str(deployments.formation[n]), at_s, 1), "region": str(plan.regions.code[owner])}
        facts.append((at_s, 4, owner, "unit_committed", made))
        steps = ((at_s, "unit_en_route"), (deployments.arrived_s[n], "unit_arrived"),
                 (deployments.released_s[n], "unit_released"), (deployments.back_s[n], "unit_home"))  # fmt: skip
        for order, (second, step) in enumerate(steps, start=5):
            facts.append((float(second), order, owner, step, {"commitment": made["commitment"]}))
    for g in np.flatnonzero(inside[deployments.gap_crisis]).tolist():
        c, at_s, count = int(deployments.gap_crisis[g]), float(deployments.gap_from_s[g]), int(deployments.gap_count[g])
        name = line(c, str(deployments.gap_formation[g]), at_s, count)
        missed = {"line": name, "count": count, "reason": str(deployments.gap_reason[g])}
        facts.append((at_s, 3, int(asked_by[c]), "line_unmet", missed))
    return facts


def _name(incident: int) -> str:
    return f"S{incident + 1}"
