"""Waves: what a rotation asks next, how far that was asked and promised, and taking over when it has arrived."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from slagkracht.log import NATIONAL_CHAIN
from slagkracht.relief import Rotation
from slagkracht.server import assistance, ledger
from slagkracht.server.database import Scope
from slagkracht.server.engine import Engine
from slagkracht.server.relief.kept import Planned, read_planned
from slagkracht.server.relief.standing import GONE, Held, people_of, read_held


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
    crews, shifts, _ = people_of(engine)
    rotation, starts = planned.rotation, planned.starts
    codes = engine.plan.regions.code
    asked = {
        (row["wave"], row["formation"]): row
        for row in scope.rows(
            "select l.line_id, l.request_id, l.wave, l.formation, l.met, "
            "count(c.unit_id) filter (where c.step = 'unit_arrived') as arrived, "
            "count(c.unit_id) filter (where c.step = any (%s)) as replaced "
            "from slagkracht.request_line l join slagkracht.request q using (request_id) "
            "left join slagkracht.commitment c on c.line_id = l.line_id and not c.dropped "
            "where q.incident_id = %s and l.wave > 0 "
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
