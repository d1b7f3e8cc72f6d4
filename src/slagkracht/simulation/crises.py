"""Large deployments: what crises take out of the daily work, shift after shift, within the lenders' floors."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from slagkracht.areas import Areas
from slagkracht.resources import Standing
from slagkracht.risks import Events, Profile
from slagkracht.simulation.history import Absences, History
from slagkracht.simulation.world import Doubles, Indices
from slagkracht.strength import Cover, Doctrine, Floors, Strength, compute_first_regions, compute_strength
from slagkracht.travel import Travel

Strings = npt.NDArray[np.str_]
HOUR_S = 3_600.0


@dataclass(frozen=True)
class ReliefRule:
    """``shift_h`` on scene until relieved · ``rest_h`` after coming home before the next crisis (rule "aflossing")."""

    shift_h: float
    rest_h: float


@dataclass(frozen=True, eq=False)
class Deployments:
    """Who went to the large events of one year, and what was never met. Seconds count from the start of the year.

    Crises [C]: ``risk`` int32 row of the profile, ``what`` str, ``area`` int32, ``start_s``, ``end_s``. Shifts of
    units [N]: ``crisis`` int32, ``formation`` str, ``shift`` int32 from 0, ``unit`` int32 row of Units, ``alarmed_s``,
    ``arrived_s``, ``released_s``, ``back_s``. Gaps [G]: ``gap_crisis``, ``gap_formation``, ``gap_count`` formations not
    made whole, ``gap_from_s``, ``gap_until_s``, ``gap_reason`` a key of the log's UNMET_REASONS.
    """

    risk: Indices
    what: Strings
    area: Indices
    start_s: Doubles
    end_s: Doubles
    crisis: Indices
    formation: Strings
    shift: Indices
    unit: Indices
    alarmed_s: Doubles
    arrived_s: Doubles
    released_s: Doubles
    back_s: Doubles
    gap_crisis: Indices
    gap_formation: Strings
    gap_count: Indices
    gap_from_s: Doubles
    gap_until_s: Doubles
    gap_reason: Strings

    def __len__(self) -> int:
        return len(self.what)


def compute_deployments(
    events: Events,
    year: int,
    profile: Profile,
    standing: Standing,
    travel: Travel,
    areas: Areas,
    region_codes: Strings,
    doctrine: Doctrine,
    cover: Cover,
    floors: Floors | None,
    relief: ReliefRule,
    *,
    seed: int,
    daily: History | None = None,
) -> Deployments:
    """Every large event of ``year`` served in order of time, each shift by ``compute_strength`` from who is left then.

    A crew that is on its way, on scene, driving home or resting is not asked again; a formation that cannot be made
    whole sends what there is and leaves a gap with its reason. Where a risk names no place, one is drawn by residents
    in its regions. A formation that the doctrine does not know is a gap from start to end. ``daily`` is the same year
    without crises: who is out on daily work at the moment of asking is not asked.
    """
    mine = np.flatnonzero(events.year == year)
    rng = np.random.default_rng([seed, year])
    area = np.array([_draw_area(profile, int(events.risk[e]), areas, region_codes, rng) for e in mine], np.int32)
    free_s, rested_s = np.zeros(len(standing)), np.zeros(len(standing))
    queue = [
        ((float(events.start_h[e]) + need.start_h) * HOUR_S, c, n, 0)
        for c, e in enumerate(mine)
        for n, need in enumerate(profile.risks[events.risk[e]].needs)
    ]
    heapq.heapify(queue)
    sent: list[tuple[int, str, int, int, float, float, float, float]] = []
    gaps: list[tuple[int, str, int, float, float, str]] = []
    while queue:
        now_s, c, n, shift = heapq.heappop(queue)
        event = int(mine[c])
        need = profile.risks[events.risk[event]].needs[n]
        end_s = (float(events.start_h[event]) + need.end_h) * HOUR_S
        formation = doctrine.formations.get(need.formation)
        if formation is None:
            gaps.append((c, need.formation, need.count, now_s, end_s, "geen_eenheid"))
            continue
        away, resting = free_s > now_s, rested_s > now_s
        if daily is not None:
            out = daily.unit[(daily.alarmed_s <= now_s) & (daily.back_s > now_s)]
            away |= np.isin(standing.unit, out)
        drive_s = travel.drive_s[area[c]]
        strength = compute_strength(
            standing, drive_s, [(formation, need.count)], cover, floors,
            first=compute_first_regions([formation], region_codes.tolist(), int(areas.region[area[c]])),
            away=away, resting=resting,
        )  # fmt: skip
        until_s = min(now_s + relief.shift_h * HOUR_S, end_s)
        for u in np.flatnonzero(strength.unit_formation >= 0).tolist():
            arrived_s = now_s + float(strength.arrival_s[u])
            released_s = max(until_s, arrived_s)
            back_s = released_s + float(drive_s[standing.origin[u]])
            free_s[u], rested_s[u] = back_s, back_s + relief.rest_h * HOUR_S
            unit = int(standing.unit[u])
            sent.append((c, need.formation, shift, unit, now_s, arrived_s, released_s, back_s))
        short = sum(1 for missing in strength.missing if missing)
        if short:
            gaps.append((c, need.formation, short, now_s, until_s, _reason(strength)))
        if until_s < end_s:
            heapq.heappush(queue, (until_s, c, n, shift + 1))
    return _as_columns(events, mine, profile, area, sent, gaps)


def compute_absences(deployments: Deployments) -> Absences:
    """The same as the daily work sees it: units that are away until they are home."""
    order = np.argsort(deployments.alarmed_s, kind="stable")
    return Absences(deployments.unit[order], deployments.alarmed_s[order], deployments.back_s[order])


def _draw_area(profile: Profile, risk: int, areas: Areas, region_codes: Strings, rng: np.random.Generator) -> int:
    scenario = profile.risks[risk]
    if scenario.places:
        weight = np.array([place.weight for place in scenario.places])
        place = scenario.places[rng.choice(len(weight), p=weight / weight.sum())]
        return int(KDTree(np.column_stack([areas.x_m, areas.y_m])).query([place.x_m, place.y_m])[1])
    inside = np.isin(region_codes[areas.region], scenario.regions) if scenario.regions else np.ones(len(areas), bool)
    weight = np.where(inside, areas.population, 0.0).astype(np.float64)
    if not weight.sum() > 0:
        weight = np.ones(len(areas))
    return int(rng.choice(len(areas), p=weight / weight.sum()))


def _reason(strength: Strength) -> str:
    """The one word for why a formation stayed short: what held back most of the units that could have filled it."""
    told = {"ondergrens": "restdekking", "niet_vrij": "eigen_inzet", "rust": "bezetting", "niet_paraat": "bezetting",
            "onbereikbaar": "te_ver"}  # fmt: skip
    counts = {code: int((strength.reason == code).sum()) for code in told}
    most = max(counts, key=lambda code: counts[code])
    return told[most] if counts[most] else "geen_eenheid"


def _as_columns(
    events: Events,
    mine: npt.NDArray[np.intp],
    profile: Profile,
    area: Indices,
    sent: list[tuple[int, str, int, int, float, float, float, float]],
    gaps: list[tuple[int, str, int, float, float, str]],
) -> Deployments:
    def column(rows: list[tuple[object, ...]], place: int, dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
        return np.array([row[place] for row in rows], dtype=dtype)

    s, g = [tuple(row) for row in sent], [tuple(row) for row in gaps]
    columns = {
        "crisis": column(s, 0, np.int32), "formation": column(s, 1, np.str_), "shift": column(s, 2, np.int32),
        "unit": column(s, 3, np.int32), "alarmed_s": column(s, 4, np.float64), "arrived_s": column(s, 5, np.float64),
        "released_s": column(s, 6, np.float64),
        "back_s": column(s, 7, np.float64),
        "gap_crisis": column(g, 0, np.int32), "gap_formation": column(g, 1, np.str_),
        "gap_count": column(g, 2, np.int32),
        "gap_from_s": column(g, 3, np.float64), "gap_until_s": column(g, 4, np.float64),
        "gap_reason": column(g, 5, np.str_),
    }  # fmt: skip
    return Deployments(
        risk=events.risk[mine],
        what=np.array([profile.risks[r].label for r in events.risk[mine]], np.str_),
        area=area,
        start_s=events.start_h[mine] * HOUR_S,
        end_s=events.end_h[mine] * HOUR_S,
        **columns,  # type: ignore[arg-type]
    )
