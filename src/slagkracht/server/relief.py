"""Relief of an incident: the rotation of who stands there, mended as reality changes, and the requests it leads to."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
import secrets
from collections import Counter
from dataclasses import dataclass
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
    Shifts,
    compute_crews,
    compute_rotation,
    compute_shifts,
    compute_travel_min,
    replan_rotation,
    week_from_windows,
)
from slagkracht.server import assistance, ledger
from slagkracht.server import engine as seam
from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import CLOCK, Engine
from slagkracht.server.journal import read_events, record

EFFORT = 0.0
"""How hard a rotation is sought on screen: the fast choice; ``slagkracht aflossing`` seeks and proves longer."""

COLUMNS = ("block", "formation", "part", "leaves_min", "arrives_min", "takes_over_min", "relieved_min", "returns_min",
           "rested_min")  # fmt: skip
GONE = ("unit_released", "unit_home")


@dataclass(frozen=True)
class Held:
    """What an incident asked first and got: ``units`` of which none is released, as ``count`` formations in all."""

    line: str
    request: str
    formation: str
    count: int
    units: tuple[str, ...]
    x_m: float
    y_m: float
    needed_by: datetime.datetime
    until: datetime.datetime


@dataclass(frozen=True, eq=False)
class Planned:
    """A rotation as it was kept: when it was made, by whom, and when the first shift began (aware).

    ``owner`` the region of the incident, which relieves part of it with crews of its own.
    """

    rotation_id: str
    owner: str
    rotation: Rotation
    starts: datetime.datetime
    made_at: datetime.datetime
    made_by: str


@functools.lru_cache(maxsize=2)
def _people(engine: Engine) -> tuple[Crews, Shifts, Any]:
    from slagkracht.sources.vocabulary import read_rows

    return compute_crews(engine.plan), compute_shifts(engine.plan), week_from_windows(read_rows("windows"))


def read_crews(engine: Engine) -> Crews:
    """The crews that a rotation of this plan counts its rows in."""
    return _people(engine)[0]


def read_held(scope: Scope, incident: str) -> list[Held]:
    """The first lines of an incident that are met and still stand, in order of line."""
    rows = scope.rows(
        "select l.*, array_agg(c.unit_id order by c.unit_id) as units from slagkracht.request_line l "
        "join slagkracht.request q using (request_id) join slagkracht.commitment c using (line_id) "
        "where q.incident_id = %s and l.wave = 0 and l.met > 0 group by l.line_id "
        "having exists (select 1 from slagkracht.commitment o join slagkracht.request_line w using (line_id) "
        "join slagkracht.request p using (request_id) where p.incident_id = %s and w.formation = l.formation "
        "and not o.step = any (%s)) order by l.line_id",
        incident,
        incident,
        list(GONE),
    )
    return [
        Held(
            row["line_id"],
            row["request_id"],
            row["formation"],
            int(row["met"]),
            tuple(row["units"]),
            row["x_m"],
            row["y_m"],
            row["needed_by"],
            row["needed_by"] + datetime.timedelta(hours=row["hours"]),
        )
        for row in rows
    ]


def needs_relief(engine: Engine, held: list[Held], until: datetime.datetime | None = None) -> datetime.datetime | None:
    """When the first shift is over, where the deployment lasts longer than one shift may; None where it does not."""
    if not held:
        return None
    _, shifts, _ = _people(engine)
    over = min(each.needed_by for each in held) + datetime.timedelta(minutes=shifts.post_min)
    tail = datetime.timedelta(minutes=shifts.overlap_min)
    return over if (until or max(each.until for each in held)) > over + tail else None


def plan_relief(
    scope: Scope, engine: Engine, incident: str, until: datetime.datetime | None = None, effort: float = EFFORT
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
    made = _turn(scope, engine, incident, held, starts, until, before, effort)
    rotation_id = f"W-{scope.region}-{secrets.token_hex(5)}"
    audience = sorted({row["region"], *(set(row["audience"]) & {NATIONAL_CHAIN})} - {scope.region})
    scope.insert(
        "rotation",
        rotation_id=rotation_id,
        region=scope.region,
        audience=audience,
        incident_id=incident,
        plan_hash=engine.plan_hash,
        content=json.dumps(_pack(engine, made, starts)),
        made_by=scope.actor,
        made_at=scope.at,
    )
    told = {"incident": incident, "rotation": rotation_id, "waves": made.blocks - 1, "changed": made.changed}
    record(scope, "relief_planned", {**told, "until": until.isoformat(), "empty": _empty(made)}, audience)
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
        "select line_id, count, units from slagkracht.offer where line_id = any(%s) and state = 'aanvaard'",
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
    before: Planned | None,
    effort: float,
) -> Rotation:
    crews, shifts, week = _people(engine)
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
    now_min = max(int((scope.at - starts).total_seconds() // 60), *rotation.leaves_min[begun].tolist(), -1_000_000)
    return replan_rotation(rotation, changes, now_min, crews, travel_min, shifts, **options)


def _as_it_came(
    scope: Scope, engine: Engine, incident: str, rotation: Rotation, kinds: list[str]
) -> tuple[Rotation, int]:
    """The rotation with the units that lenders promised instead of those that were advised, and the last such wave."""
    crews, _, _ = _people(engine)
    rows = scope.rows(
        "select l.wave, l.formation, c.unit_id from slagkracht.commitment c join slagkracht.request_line l "
        "using (line_id) join slagkracht.request q using (request_id) where q.incident_id = %s and l.wave > 0 "
        "order by l.wave, c.unit_id",
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
    """The crews (rows) that cannot come: their unit is out or lent elsewhere, or their region refused such here."""
    out = {
        row["unit_id"]
        for row in scope.rows(
            "select u.unit_id from slagkracht.unit u where u.world = %s and u.status = 'unavailable' union "
            "select c.unit_id from slagkracht.commitment c join slagkracht.request_line l using (line_id) "
            "join slagkracht.request q using (request_id) where c.step <> 'unit_home' and q.incident_id <> %s",
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


# ── kept, and read again ──────────────────────────────────────────────────────────────────────────────────────────────


def _pack(engine: Engine, rotation: Rotation, starts: datetime.datetime) -> dict[str, Any]:
    crews, _, _ = _people(engine)
    return {
        "starts": starts.isoformat(),
        "days": rotation.deployment.days,
        "asked": [[formation.code, count] for formation, count in rotation.deployment.asked],
        "crews": crews.crew_id[rotation.crew].tolist(),
        **{name: getattr(rotation, name).tolist() for name in COLUMNS},
        "posts": rotation.posts,
        "blocks": rotation.blocks,
        "shortfall": rotation.shortfall.tolist(),
        "why": rotation.why,
        "burden": rotation.burden.tolist(),
        "fair": rotation.fair.tolist(),
        "method": rotation.method,
        "changed": rotation.changed,
    }


def read_planned(scope: Scope, engine: Engine, incident: str) -> Planned | None:
    """The rotation that was worked out last for an incident; None where there is none, or none of this plan."""
    row = scope.row(
        "select r.*, i.region as owner from slagkracht.rotation r join slagkracht.incident i using (incident_id) "
        "where incident_id = %s and plan_hash = %s order by made_at desc, rotation_id desc limit 1",
        incident,
        engine.plan_hash,
    )
    return None if row is None else _unpack(engine, row)


def _unpack(engine: Engine, row: Row) -> Planned:
    crews, _, _ = _people(engine)
    kept = row["content"]
    starts = datetime.datetime.fromisoformat(kept["starts"])
    row_of = {str(name): number for number, name in enumerate(crews.crew_id.tolist())}
    asked = tuple((engine.formations[code], int(count)) for code, count in kept["asked"])
    deployment = Deployment(asked, starts.astimezone(CLOCK).replace(tzinfo=None), float(kept["days"]))
    rotation = Rotation(
        deployment,
        np.array([row_of[name] for name in kept["crews"]], dtype=np.int32),
        **{name: np.array(kept[name], dtype=np.int32) for name in COLUMNS},
        posts=tuple((int(kind), str(capability), int(need)) for kind, capability, need in kept["posts"]),
        blocks=int(kept["blocks"]),
        shortfall=np.array(kept["shortfall"], dtype=np.int32),
        why=tuple((int(t), int(p), why) for t, p, why in kept["why"]),
        burden=np.array(kept["burden"], dtype=np.float64),
        fair=np.array(kept["fair"], dtype=np.float64),
        cost=0.0,
        bound=0.0,
        gap=float("nan"),
        method=kept["method"],
        changed=int(kept["changed"]),
    )
    return Planned(row["rotation_id"], row["owner"], rotation, starts, row["made_at"], row["made_by"])


def _empty(rotation: Rotation) -> int:
    """Posts that stay empty after the first shift, which is held by who came."""
    return int(rotation.shortfall[1:].sum())


# ── waves: what the rotation asks next ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Wave:
    """One formation's relief at one moment: who relieves whom, when they leave, and how far it was asked.

    ``count`` formations, of which the incident's own region brings ``own`` and the others are to be asked ·
    ``relieved`` and ``by`` (region, crews) · ``leaves`` and ``latest`` when the first and the last of them must leave ·
    ``empty`` posts that nobody can fill, ``why`` in words · ``line`` the line that asks for it ("" = not asked yet),
    ``request``, ``met`` formations promised, ``arrived`` its units that stand there, ``replaced`` whether it took over.
    """

    number: int
    formation: str
    name: str
    count: int
    own: int
    at: datetime.datetime
    hours: float
    relieved: tuple[tuple[str, int], ...]
    by: tuple[tuple[str, int], ...]
    leaves: datetime.datetime | None
    latest: datetime.datetime | None
    empty: int
    why: dict[str, int]
    line: str
    request: str
    met: int
    arrived: int
    replaced: bool


def list_waves(scope: Scope, engine: Engine, incident: str, planned: Planned) -> list[Wave]:
    """Every relief of a rotation in order of time, with how far it was asked and promised."""
    crews, shifts, _ = _people(engine)
    rotation, starts = planned.rotation, planned.starts
    codes = engine.plan.regions.code
    asked = {
        (row["wave"], row["formation"]): row
        for row in scope.rows(
            "select l.line_id, l.request_id, l.wave, l.formation, l.met, "
            "count(c.unit_id) filter (where c.step = 'unit_arrived') as arrived, "
            "count(c.unit_id) filter (where c.step = any (%s)) as replaced "
            "from slagkracht.request_line l join slagkracht.request q using (request_id) "
            "left join slagkracht.commitment c using (line_id) where q.incident_id = %s and l.wave > 0 "
            "group by l.line_id order by l.line_id",
            ["unit_deployed", "unit_relieved", *GONE],
            incident,
        )
    }

    def moment(minute: float) -> datetime.datetime:
        return starts + datetime.timedelta(minutes=float(minute))

    waves = []
    for t in range(1, rotation.blocks):
        for kind, (formation, count) in enumerate(rotation.deployment.asked):
            parts = [p for p, (of, _, _) in enumerate(rotation.posts) if of == kind]

            def shifts_in(block: int, parts: list[int] = parts) -> Any:
                return np.flatnonzero((rotation.block == block) & np.isin(rotation.part, parts))

            def owners(block: int, shifts_in: Any = shifts_in) -> tuple[tuple[str, int], ...]:
                found = Counter(str(codes[crews.region[rotation.crew[i]]]) for i in shifts_in(block).tolist())
                return tuple(sorted(found.items()))

            mine = shifts_in(t)
            why: Counter[str] = Counter()
            for block, part, reasons in rotation.why:
                if block == t and part in parts:
                    why.update({code: n for code, n in reasons.items() if code != "kan_niet"})
            row = asked.get((t, formation.code))
            last = min(float(rotation.deployment.days * 1440), float((t + 1) * shifts.post_min))
            waves.append(
                Wave(
                    t,
                    formation.code,
                    formation.dutch,
                    count,
                    _own_formations(rotation, codes[crews.region], mine, planned.owner),
                    moment(t * shifts.post_min - shifts.overlap_min),
                    (last - t * shifts.post_min + shifts.overlap_min) / 60,
                    owners(t - 1),
                    owners(t),
                    moment(rotation.leaves_min[mine].min()) if len(mine) else None,
                    moment(rotation.leaves_min[mine].max()) if len(mine) else None,
                    int(rotation.shortfall[t, parts].sum()),
                    dict(why),
                    row["line_id"] if row else "",
                    row["request_id"] if row else "",
                    int(row["met"]) if row else 0,
                    int(row["arrived"]) if row else 0,
                    bool(row and row["replaced"]),
                )
            )
    return waves


def _own_formations(rotation: Rotation, region: Any, rows: Any, owner: str) -> int:
    """How many of the formations in shifts ``rows`` are wholly of ``owner``."""
    made: dict[int, set[str]] = {}
    for i in rows.tolist():
        made.setdefault(int(rotation.formation[i]), set()).add(str(region[rotation.crew[i]]))
    return sum(owners == {owner} for owners in made.values())


def ask_relief(
    scope: Scope,
    engine: Engine,
    incident: str,
    waves: int,
    mandate: str,
    signed_by: str,
    happened_at: datetime.datetime | None = None,
) -> str:
    """The next ``waves`` waves that were not asked yet as one request of the acting region; returns its id.

    On the ground of the first request. Raises LedgerError when there is no rotation, or nothing left to ask.
    """
    planned = read_planned(scope, engine, incident)
    held = read_held(scope, incident)
    if planned is None or not held:
        raise ledger.LedgerError("maak eerst een aflosrooster: dan staat vast wie wanneer wordt afgelost")
    first = scope.row("select * from slagkracht.request where request_id = %s", held[0].request)
    assert first is not None
    listed = list_waves(scope, engine, incident, planned)
    ends = {wave.number: wave.at + datetime.timedelta(hours=wave.hours) for wave in listed}
    unasked = [wave for wave in listed if not wave.line and wave.count > wave.own]
    numbers = sorted({wave.number for wave in unasked if ends[wave.number] > (happened_at or scope.at)})[:waves]
    if not numbers:
        raise ledger.LedgerError("alle komende aflossingen van dit rooster zijn al gevraagd")
    lines = [
        ledger.Wanted(
            wave.formation,
            engine.formations[wave.formation].parts[0].capability,
            wave.count - wave.own,
            held[0].x_m,
            held[0].y_m,
            max(wave.at, happened_at or scope.at),
            wave.hours,
            wave.number,
            _relieves(listed, wave, held),
        )
        for wave in unasked
        if wave.number in numbers
    ]
    neighbour = next((each for each in first["audience"] if each != NATIONAL_CHAIN), "")
    return assistance.request_assistance(
        scope,
        incident,
        first["ground"],
        mandate,
        signed_by,
        lines,
        neighbour=neighbour if first["ground"] == ledger.BY_NEIGHBOUR else "",
        text=f"Aflossing volgens rooster {planned.rotation_id}",
        happened_at=happened_at,
    )


def _relieves(listed: list[Wave], wave: Wave, held: list[Held]) -> tuple[str, ...]:
    """The lines that a wave relieves: those of the wave before it, else those of who came first."""
    before = [w.line for w in listed if (w.number, w.formation) == (wave.number - 1, wave.formation) and w.line]
    return tuple(before or [each.line for each in held if each.formation == wave.formation])


def take_over(scope: Scope, line: str, happened_at: datetime.datetime | None = None) -> tuple[int, int]:
    """Who arrived on a relief line takes over, and who stood there longest is relieved; returns (deployed, relieved).

    By the requester, or the centre where it leads. Raises LedgerError when nobody of the line has arrived.
    """
    row = scope.row("select * from slagkracht.request_line where line_id = %s", line)
    if row is None:
        raise ledger.NotFoundError("deze regel is hier niet bekend")
    fresh = scope.rows(
        "select c.commitment_id, c.offer_id, o.count from slagkracht.commitment c join slagkracht.offer o "
        "using (offer_id) where c.line_id = %s and c.step = 'unit_arrived' order by c.commitment_id",
        line,
    )
    if not fresh or not row["relieves"]:
        raise ledger.LedgerError("er is voor deze aflossing nog niemand ter plaatse")
    formations = sum({each["offer_id"]: each["count"] for each in fresh}.values())
    standing = scope.rows(
        "select c.commitment_id, c.offer_id, o.count from slagkracht.commitment c join slagkracht.offer o "
        "using (offer_id) where c.line_id = any(%s) and c.step = 'unit_deployed' "
        "order by min(c.step_at) over (partition by c.offer_id), c.offer_id, c.commitment_id",
        row["relieves"],
    )
    old: list[str] = []
    for offer in dict.fromkeys(each["offer_id"] for each in standing):
        mine = [each for each in standing if each["offer_id"] == offer]
        if formations <= 0:
            break
        formations -= mine[0]["count"]
        old += [each["commitment_id"] for each in mine]
    for each in fresh:
        ledger.move_commitment(scope, each["commitment_id"], "unit_deployed", happened_at)
    for commitment in old:
        ledger.move_commitment(scope, commitment, "unit_relieved", happened_at)
    return len(fresh), len(old)


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
