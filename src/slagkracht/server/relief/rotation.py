"""Who relieves whom at an incident: worked out from who stands there, and mended as reality changes."""

from __future__ import annotations

import dataclasses
import datetime
import json
import secrets
from collections import Counter
from typing import Any

import numpy as np

from slagkracht.log import NATIONAL_CHAIN, Situation, replay
from slagkracht.relief import (
    Change,
    Crews,
    Deployment,
    DropOut,
    Extend,
    Rotation,
    compute_rotation,
    compute_travel_min,
    replan_rotation,
)
from slagkracht.server import engine as seam
from slagkracht.server import ledger
from slagkracht.server.database import Scope
from slagkracht.server.engine import CLOCK, Engine
from slagkracht.server.journal import read_events, record
from slagkracht.server.ledger import NOUNS, read_stated
from slagkracht.server.relief.kept import Planned, count_empty, pack, read_planned
from slagkracht.server.relief.standing import GONE, Held, needs_relief, people_of, read_held

EFFORT = 0.0
"""How hard a rotation is sought on screen: the fast choice; ``slagkracht aflossing`` seeks and proves longer."""


def plan_relief(
    scope: Scope,
    engine: Engine,
    incident: str,
    until: datetime.datetime | None = None,
    effort: float = EFFORT,
    happened_at: datetime.datetime | None = None,
) -> str:
    """Works out who relieves whom at an incident until it ends, and keeps it; returns the rotation's id.

    What was planned before is changed as little as can be. By the incident's region or a centre that it asked.
    Raises LedgerError when nothing stands there to be relieved.
    """
    row = scope.row("select * from slagkracht.incident where incident_id = %s", incident)
    if row is None:
        raise ledger.NotFoundError("dit incident is hier niet bekend")
    if scope.region not in (row["region"], NATIONAL_CHAIN):
        raise ledger.NotAllowedError("aflossing plannen is aan de regio van het incident of het actiecentrum")
    situation = replay(read_events(scope))
    held = [each for each in read_held(scope, incident) if each.formation in engine.formations]
    held = _less_what_left(scope, held, situation)
    before = read_planned(scope, engine, incident)
    until = until or max((each.until for each in held), default=None)
    if not held or until is None:
        raise ledger.LedgerError("er is nog niets toegezegd dat afgelost kan worden")
    starts = before.starts if before else _first_stands(held, situation)
    if until <= starts:
        raise ledger.LedgerError("het einde van de inzet ligt voor het begin")
    after, what = (before.made_at, "rotation") if before else (row["opened_at"], "begin")
    happened_at = read_stated(scope, happened_at, after, NOUNS[what])
    at = happened_at or scope.at
    made = _turn(scope, engine, incident, held, starts, until, at, before, effort)
    rotation_id = f"W-{scope.region}-{secrets.token_hex(5)}"
    audience = sorted({row["region"], *(set(row["audience"]) & {NATIONAL_CHAIN})} - {scope.region})
    scope.insert(
        "rotation",
        rotation_id=rotation_id,
        region=scope.region,
        audience=audience,
        incident_id=incident,
        plan_hash=engine.plan_hash,
        content=json.dumps(pack(engine, made, starts)),
        made_by=scope.actor,
        made_at=at,
    )
    told = {"incident": incident, "rotation": rotation_id, "waves": made.blocks - 1, "changed": made.changed}
    record(
        scope, "relief_planned", {**told, "until": until.isoformat(), "empty": count_empty(made)}, audience, happened_at
    )
    return rotation_id


def _first_stands(held: list[Held], situation: Situation) -> datetime.datetime:
    """When the first shift began: as the log says who arrived first, else as it was asked."""
    lines = {each.line for each in held}
    arrived = [
        at
        for commitment in situation.commitments.values()
        if commitment.line in lines
        for step, at in commitment.steps
        if step == "unit_arrived"
    ]
    return min(arrived, default=min(each.needed_by for each in held)).replace(second=0, microsecond=0)


def _less_what_left(scope: Scope, held: list[Held], situation: Situation) -> list[Held]:
    """What must still be held: without the formations that were released before anyone relieved them."""
    offers = scope.rows(
        "select line_id, slagkracht.formations_left(offer_id) as count, units from slagkracht.offer "
        "where line_id = any(%s) and state = 'aanvaard'",
        [each.line for each in held],
    )
    gone = {
        (commitment.line, commitment.unit)
        for commitment in situation.commitments.values()
        if commitment.step in GONE and "unit_relieved" not in {step for step, _ in commitment.steps}
    }
    left = {each.line: each.count for each in held}
    for offer in offers:
        if all((offer["line_id"], unit) in gone for unit in offer["units"]):
            left[offer["line_id"]] -= int(offer["count"])
    return [dataclasses.replace(each, count=left[each.line]) for each in held if left[each.line] > 0]


def _turn(
    scope: Scope,
    engine: Engine,
    incident: str,
    held: list[Held],
    starts: datetime.datetime,
    until: datetime.datetime,
    at: datetime.datetime,
    before: Planned | None,
    effort: float,
) -> Rotation:
    crews, shifts, week = people_of(engine)
    travel_min = compute_travel_min(engine.travel.drive_s[seam.find_area(engine, held[0].x_m, held[0].y_m)], shifts)
    counts: Counter[str] = Counter()
    for each in held:
        counts[each.formation] += each.count
    kinds = list(counts)
    asked = tuple((engine.formations[code], counts[code]) for code in kinds)
    minutes = int((until - starts).total_seconds() // 60)
    tail = minutes % shifts.post_min
    if minutes > shifts.post_min and tail <= shifts.overlap_min:  # nobody is sent for shorter than a hand-over takes
        minutes -= tail
    days = minutes / 1440
    local = starts.astimezone(CLOCK).replace(tzinfo=None)
    row_of = {str(name): row for row, name in enumerate(crews.crew_id.tolist())}
    holding = [
        (row_of[f"{unit}/1"], kinds.index(each.formation))
        for each in held
        for unit in each.units
        if f"{unit}/1" in row_of
    ]
    options: dict[str, Any] = {"week": week, "regions": len(engine.plan.regions), "effort": effort}
    fresh = before is None or before.rotation.deployment.asked != asked
    if before is None or fresh:
        rotation = compute_rotation(
            crews, travel_min, Deployment(asked, local, days), shifts, holding=holding, **options
        )
    else:
        rotation = before.rotation
    rotation, last = _as_it_came(scope, engine, incident, rotation, kinds)
    changes: list[Change] = [DropOut(str(crews.crew_id[row])) for row in _cannot(scope, engine, incident, crews)]
    if abs(days - rotation.deployment.days) > 1e-6:
        changes.append(Extend(days))
    if fresh and not last and not changes:
        return rotation
    begun = rotation.block <= last
    now_min = max(int((at - starts).total_seconds() // 60), *rotation.leaves_min[begun].tolist(), -1_000_000)
    return replan_rotation(rotation, changes, now_min, crews, travel_min, shifts, **options)


def _as_it_came(
    scope: Scope, engine: Engine, incident: str, rotation: Rotation, kinds: list[str]
) -> tuple[Rotation, int]:
    """The rotation with the units that lenders promised instead of those that were advised, and the last such wave."""
    crews, _, _ = people_of(engine)
    rows = scope.rows(
        "select l.wave, l.formation, c.unit_id from slagkracht.commitment c join slagkracht.request_line l "
        "using (line_id) join slagkracht.request q using (request_id) where q.incident_id = %s and l.wave > 0 "
        "and not c.dropped order by l.wave, c.unit_id",
        incident,
    )
    row_of = {str(name): row for row, name in enumerate(crews.crew_id.tolist())}
    crew, last = rotation.crew.copy(), 0
    for wave, formation in dict.fromkeys((row["wave"], row["formation"]) for row in rows):
        if formation not in kinds:
            continue
        last = max(last, int(wave))
        kind = kinds.index(formation)
        parts = [p for p, (of, _, _) in enumerate(rotation.posts) if of == kind]
        shifts_of = np.flatnonzero((rotation.block == wave) & np.isin(rotation.part, parts)).tolist()
        came = [
            row_of[f"{row['unit_id']}/1"]
            for row in rows
            if (row["wave"], row["formation"]) == (wave, formation) and f"{row['unit_id']}/1" in row_of
        ]
        stay = [i for i in shifts_of if int(crew[i]) in came]
        fresh = [c for c in came if c not in {int(crew[i]) for i in stay}]
        for i in [i for i in shifts_of if i not in stay]:
            able = [c for c in fresh if _can(crews, c, rotation.posts[int(rotation.part[i])][1])]
            if able:
                crew[i] = able[0]
                fresh.remove(able[0])
    return dataclasses.replace(rotation, crew=crew), last


def _can(crews: Crews, crew: int, capability: str) -> bool:
    return capability in crews.capability_names and bool(
        crews.capabilities[crew, crews.capability_names.index(capability)]
    )


def _cannot(scope: Scope, engine: Engine, incident: str, crews: Crews) -> list[int]:
    """The crews (rows) that cannot come: their unit is out, lent elsewhere or called back from here, or their region
    refused such here."""
    out = {
        row["unit_id"]
        for row in scope.rows(
            "select u.unit_id from slagkracht.unit u where u.world = %s and u.status = 'unavailable' union "
            "select c.unit_id from slagkracht.commitment c join slagkracht.request_line l using (line_id) "
            "join slagkracht.request q using (request_id) "
            "where case when q.incident_id = %s then c.recalled is not null else c.step <> 'unit_home' end",
            scope.world,
            incident,
        )
    }
    refused: dict[str, set[str]] = {}
    for row in scope.rows(
        "select distinct o.region, l.formation from slagkracht.offer o join slagkracht.request_line l using (line_id) "
        "join slagkracht.request q using (request_id) where q.incident_id = %s and l.wave > 0 "
        "and o.state = 'geweigerd' and not exists (select 1 from slagkracht.offer n where n.line_id = o.line_id "
        "and n.region = o.region and n.state in ('staat', 'aanvaard'))",
        incident,
    ):
        if row["formation"] in engine.formations:
            needed = {part.capability for part in engine.formations[row["formation"]].parts}
            refused.setdefault(row["region"], set()).update(needed)
    codes = engine.plan.regions.code
    return [
        row
        for row, name in enumerate(crews.crew_id.tolist())
        if name.rpartition("/")[0] in out
        or any(_can(crews, row, capability) for capability in refused.get(str(codes[crews.region[row]]), ()))
    ]


def plan_due(scope: Scope, engine: Engine) -> list[str]:
    """Works out relief for every open incident of the acting region that lasts longer than one shift and has none yet.

    So that a proposal lies ready before anyone thinks of it; asking for it stays with people.
    """
    made = []
    for row in scope.rows(
        "select incident_id from slagkracht.incident where region = %s and closed_at is null and not exists "
        "(select 1 from slagkracht.rotation r where r.incident_id = incident.incident_id and r.plan_hash = %s)",
        scope.region,
        engine.plan_hash,
    ):
        held = [each for each in read_held(scope, row["incident_id"]) if each.formation in engine.formations]
        if needs_relief(engine, held) is not None and max(each.until for each in held) > scope.at:
            made.append(plan_relief(scope, engine, row["incident_id"]))
    return made
