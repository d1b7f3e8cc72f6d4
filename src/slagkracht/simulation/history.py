"""What happened, as columns: the incidents, the units sent to them, the stations filled, and who never came."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from slagkracht.simulation.incidents import Incidents
from slagkracht.simulation.kernel import run
from slagkracht.simulation.world import Doubles, Indices, World

REASONS = ("geen_eenheid", "eigen_inzet", "bezetting", "te_ver")
"""Why a unit that was asked for did not come, as the log's UNMET_REASONS, in the order of the kernel."""


@dataclass(frozen=True, eq=False)
class Absences:
    """Units taken out of the daily work, in order of time: lent to a crisis, resting afterwards, out of service.

    ``unit`` int32 [B] row of Units · ``from_s``, ``until_s`` float64 [B]. A unit that is out when its absence starts
    begins it on coming home.
    """

    unit: Indices
    from_s: Doubles
    until_s: Doubles


NO_ABSENCES = Absences(np.zeros(0, np.int32), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, eq=False)
class History:
    """What happened between ``start`` and ``end_s`` seconds later, simulated or real.

    Incidents [I]: ``opened_s``, ``area`` (row of Areas), ``kind`` (row of ``kinds``), ``level`` (row of LEVELS),
    ``first_s`` the first arrival and ``closed_s`` (inf = never). Sendings [N] in order of alarm: ``incident``,
    ``unit`` (row of Units), ``station`` it left from, ``stage`` the level that asked for it, ``alarmed_s``,
    ``rolled_s``, ``arrived_s`` (inf = turned back), ``released_s``, ``back_s``. Move-ups [M]: ``moved_unit``,
    ``moved_to`` (row of Stations), ``left_s``, ``stood_s``, ``ended_s`` (inf = still there). Unmet demand [X]:
    ``unmet_incident``, ``unmet_capability`` (row of ``capabilities``), ``unmet_reason`` (row of REASONS),
    ``unmet_since_s``, ``unmet_until_s`` when somebody came after all, or nobody was needed any more (inf = never).
    """

    start: datetime.datetime
    end_s: float
    kinds: tuple[str, ...]
    capabilities: tuple[str, ...]
    opened_s: Doubles
    area: Indices
    kind: Indices
    level: Indices
    first_s: Doubles
    closed_s: Doubles
    incident: Indices
    unit: Indices
    station: Indices
    stage: Indices
    alarmed_s: Doubles
    rolled_s: Doubles
    arrived_s: Doubles
    released_s: Doubles
    back_s: Doubles
    moved_unit: Indices
    moved_to: Indices
    left_s: Doubles
    stood_s: Doubles
    ended_s: Doubles
    unmet_incident: Indices
    unmet_capability: Indices
    unmet_reason: Indices
    unmet_since_s: Doubles
    unmet_until_s: Doubles

    def __len__(self) -> int:
        return len(self.opened_s)


def simulate(
    world: World,
    incidents: Incidents,
    key: np.uint64,
    *,
    start: datetime.datetime,
    kinds: tuple[str, ...],
    capabilities: tuple[str, ...],
    absences: Absences = NO_ABSENCES,
) -> History:
    """What the policies of ``world`` make of ``incidents``. The same key gives the same history, on any machine."""
    count = len(incidents)
    asked = np.cumsum(world.extra.sum(axis=2), axis=1)
    room = int(asked[incidents.kind, incidents.level].sum())
    first_s, closed_s = np.full(count, np.inf), np.full(count, np.inf)
    whom, when = np.empty((room, 4), np.int32), np.empty((room, 5))
    moved, moved_s = np.empty((room, 2), np.int32), np.empty((room, 3))
    unmet, unmet_s = np.empty((room, 3), np.int32), np.empty((room, 2))
    sent, moves, missed, _ = run(
        *world, key, incidents.at_s, incidents.area, incidents.kind, incidents.level, incidents.on_scene_s,
        absences.from_s, absences.until_s, absences.unit, first_s, closed_s, whom, when, moved, moved_s, unmet, unmet_s,
    )  # fmt: skip
    return History(
        start, 3600.0 * len(world.window), kinds, capabilities,
        incidents.at_s, incidents.area, incidents.kind, incidents.level, first_s, closed_s,
        *whom[:sent].T, *when[:sent].T, *moved[:moves].T, *moved_s[:moves].T, *unmet[:missed].T, *unmet_s[:missed].T,
    )  # fmt: skip
