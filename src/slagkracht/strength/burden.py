"""Who carries the burden: which regions lend how much to whom, scenario by scenario, beside the people they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.resources import Standing
from slagkracht.risks import Profile
from slagkracht.strength.formations import Formation
from slagkracht.strength.residual import Cover, Floors
from slagkracht.strength.supply import Counter

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Burden:
    """Unit-hours a year that regions lend and borrow, by the scenarios of a profile as they would be served now.

    ``lent`` float64 [R] to another region · ``borrowed`` float64 [R] · ``own`` float64 [R] at home · ``index`` float64
    [R] share of what is lent divided by share of the residents (1 = its fair share) · ``fairness`` Jain's index of
    lent hours per resident, 1/R (one carries all) to 1 (all alike) · ``risk``, ``place`` int32 [Q] every scenario at
    every place of it · ``asked``, ``stands`` int32 [Q] formations asked there, and standing in time · ``missing`` [Q]
    which are short and by how many.
    """

    lent: Doubles
    borrowed: Doubles
    own: Doubles
    index: Doubles
    fairness: float
    risk: Indices
    place: Indices
    asked: Indices
    stands: Indices
    missing: tuple[dict[str, int], ...]


def compute_burden(
    profile: Profile, standing: Standing, drive_s: Sequence[Sequence[Seconds]], home: Sequence[Sequence[int]],
    formations: Sequence[Formation], within_s: Doubles, cover: Cover, floors: Floors,
    first: Sequence[Mapping[str, int]] = (),
) -> Burden:  # fmt: skip
    """Serve every scenario at every place by itself, and add up who sends what for how long.

    ``drive_s[k][j]`` uint16 [O] to place j of risk k, ``home[k][j]`` the region of that place · ``within_s`` float64
    [F] per formation · ``first[r]`` the region that doctrine lets go first with a formation in region r, by code (none
    given: whoever is soonest): it brings the first one asked at a place, also when it is late, unless it cannot bring
    it whole. Needs that start later are served out of what the earlier ones left. Scenarios without a place,
    and needs for formations that are not in ``formations``, ask nothing here.
    """
    regions = len(cover.total)
    lent, borrowed, own = np.zeros(regions), np.zeros(regions), np.zeros(regions)
    rows: list[tuple[int, int, int, int]] = []
    missing: list[dict[str, int]] = []
    known = {each.code: f for f, each in enumerate(formations)}
    counters = [Counter(standing, each, cover) for each in formations]
    assigned = {
        (each.code, here[each.code]): Counter(standing, each, cover, here)
        for here in first
        for each in formations
        if each.code in here
    }
    for k, risk in enumerate(profile.risks):
        heaviest = sum(place.weight for place in risk.places)
        for j, place in enumerate(risk.places):
            yearly = risk.rate_per_year * place.weight / heaviest
            away = np.zeros(len(standing), dtype=np.bool_)
            asked = stands = 0
            short: dict[str, int] = {}
            here = dict(first[home[k][j]]) if first else {}
            for need in sorted(risk.needs, key=lambda each: each.start_h):
                if need.formation not in known:
                    continue
                f = known[need.formation]
                limit = max(within_s[f], 3600.0 * need.start_h)
                taken, made, more = np.zeros_like(away), 0, need.count
                if need.formation in here:
                    whose = assigned[need.formation, here.pop(need.formation)]
                    taken, made = whose.take(drive_s[k][j], limit, floors, away, 1)
                    whole = made
                    if not made:
                        taken, whole = whose.take(drive_s[k][j], np.inf, floors, away, 1)  # sent, and late
                    more -= whole
                others, also = counters[f].take(drive_s[k][j], limit, floors, away | taken, more)
                taken, made = taken | others, made + also
                away |= taken
                asked, stands = asked + need.count, stands + made
                if made < need.count:
                    short[need.formation] = short.get(need.formation, 0) + need.count - made
                hours = yearly * (need.end_h - need.start_h) * np.bincount(standing.region[taken], minlength=regions)
                own[home[k][j]] += hours[home[k][j]]
                hours[home[k][j]] = 0.0
                lent += hours
                borrowed[home[k][j]] += hours.sum()
            rows.append((k, j, asked, stands))
            missing.append(short)
    people = cover.total / cover.total.sum()
    index = np.divide(lent / max(lent.sum(), 1e-300), people, out=np.full(regions, np.nan), where=people > 0)
    per_head = index[np.isfinite(index)]
    squares = float((per_head**2).sum()) * len(per_head)
    table = np.array(rows, dtype=np.int32).reshape(-1, 4)
    return Burden(
        lent, borrowed, own, index, float(per_head.sum() ** 2 / squares) if squares > 0 else 1.0,
        table[:, 0], table[:, 1], table[:, 2], table[:, 3], tuple(missing),
    )  # fmt: skip
