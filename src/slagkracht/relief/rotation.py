"""The rotation of one deployment: which crew from where, when it leaves, relieves, returns and rests."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slagkracht.relief.people import Crews, ReliefError, Shifts, window_at
from slagkracht.relief.posts import Model, count_out, may_go
from slagkracht.relief.solve import Answer, solve_rotation
from slagkracht.resources import WINDOWS
from slagkracht.strength import Formation

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

DAY_MIN = 1440
MOST_SHIFTS = 200_000
"""Posts times crews that one rotation may weigh; more is asked for by mistake, or in pieces."""

REASONS = {
    "kan_niet": "heeft geen mogelijkheid die deze post vraagt",
    "onbereikbaar": "er voert geen weg naar de plaats",
    "te_ver": "de dienst met reistijd duurt langer dan een ploeg weg mag",
    "uitgevallen": "is uitgevallen of nog niet terug",
    "venster": "kan in dit tijdvenster niet weg",
    "weekmaximum": "heeft deze week het hoogste aantal inzetten bereikt",
    "rust": "is al ingezet of rust",
    "ondergrens": "moet thuisblijven voor de paraatheid van de eigen regio",
    "onvolledig": "de eigen regio krijgt er geen formatie mee gevormd",
}
"""Why a crew does not fill a post that stays empty: code and Dutch sentence, in the order that they are looked at."""


@dataclass(frozen=True, eq=False)
class Deployment:
    """What must stand at a place, and how long.

    ``asked`` (formation, how many) · ``starts`` when the first must stand · ``days`` how long.
    """

    asked: tuple[tuple[Formation, int], ...]
    starts: datetime.datetime
    days: float


@dataclass(frozen=True, eq=False)
class Rotation:
    """Who stands when: one row per shift, in order of time, formation and part; minutes count from ``starts``.

    ``crew`` int32 [N] row of Crews · ``block`` int32 [N] · ``formation`` int32 [N] which of those asked for, counted
    through · ``part`` int32 [N] row of ``posts`` · ``leaves_min``, ``arrives_min``, ``takes_over_min``,
    ``relieved_min``, ``returns_min``, ``rested_min`` int32 [N] · ``posts`` per part (formation kind, capability, how
    many stand at a time) · ``blocks`` in the deployment · ``shortfall`` int32 [T, P] empty posts · ``why`` for every
    part and block that is short (block, part, {reason: crews}) · ``burden`` and ``fair`` float64 [R] crew shifts of
    each region, and its share of them by the crews it has within reach · ``cost`` and ``bound`` of the last aim
    that was weighed, ``gap`` what may be lacking to the best (0 = proven best, nan = not known) ·
    ``method`` "bewezen", "gevonden" or "snel" · ``changed`` shifts other than in the rotation that it replaces.
    """

    deployment: Deployment
    crew: Indices
    block: Indices
    formation: Indices
    part: Indices
    leaves_min: Indices
    arrives_min: Indices
    takes_over_min: Indices
    relieved_min: Indices
    returns_min: Indices
    rested_min: Indices
    posts: tuple[tuple[int, str, int], ...]
    blocks: int
    shortfall: Indices
    why: tuple[tuple[int, int, dict[str, int]], ...]
    burden: Doubles
    fair: Doubles
    cost: float
    bound: float
    gap: float
    method: str
    changed: int

    def __len__(self) -> int:
        return len(self.crew)


def compute_rotation(
    crews: Crews,
    travel_min: Indices,
    deployment: Deployment,
    shifts: Shifts,
    *,
    week: Indices,
    regions: int,
    effort: float = 20.0,
    seed: int = 1,
    holding: Sequence[tuple[int, int]] = (),
) -> Rotation:
    """The rotation of ``deployment``: every post held, shared fairly over the regions, with the least driving.

    ``travel_min`` int32 [S] from every station to the place (``compute_travel_min``) · ``week`` int32 [168] ·
    ``effort`` how long the solver may try, in deterministic seconds: the same everywhere, whatever the machine (0 =
    the fast choice alone) · ``holding`` (crew, row of ``deployment.asked``) who was sent already: they hold the first
    shift, and only what follows is chosen. Posts that nobody can fill are reported in ``shortfall`` and ``why``.
    Raises ReliefError for a deployment without days or formations.
    """
    model = compute_model(crews, travel_min, deployment, shifts, week, regions)
    if holding:
        model = dataclasses.replace(model, before=_first_shift(model, holding), frozen=1)
    return rotation_from_answer(solve_rotation(model, effort=effort, seed=seed), model, crews, deployment, shifts)


def _first_shift(model: Model, holding: Sequence[tuple[int, int]]) -> Indices:
    """The parts that crews at the place hold in the first block, who can do least choosing first: int32 [C, T]."""
    before = np.full(model.allowed.shape, -1, dtype=np.int32)
    left = model.need.copy()
    for crew, kind in sorted(holding, key=lambda pair: (int(model.able[pair[0], model.kind == pair[1]].sum()), pair)):
        open_parts = np.flatnonzero(model.able[crew] & (model.kind == kind) & (left > 0))
        if len(open_parts):
            before[crew, 0] = open_parts[0]
            left[open_parts[0]] -= 1
    return before


def compute_model(
    crews: Crews, travel_min: Indices, deployment: Deployment, shifts: Shifts, week: Indices, regions: int
) -> Model:
    """The deployment as arrays: who can fill which post when, for how long that takes him, and what stays at home."""
    if deployment.days <= 0:
        raise ReliefError(f"de inzet duurt {deployment.days:g} dagen: geef een duur van meer dan 0")
    if not deployment.asked or any(count < 1 for _, count in deployment.asked):
        raise ReliefError("er is geen formatie gevraagd: noem er ten minste één, met een aantal van 1 of meer")
    blocks = int(np.ceil(deployment.days * DAY_MIN / shifts.post_min - 1e-9))
    posts = [
        (kind, part.capability, part.count * count)
        for kind, (formation, count) in enumerate(deployment.asked)
        for part in formation.parts
    ]
    able = np.zeros((len(crews), len(posts)), dtype=np.bool_)
    rows = [part for formation, _ in deployment.asked for part in formation.parts]
    for p, part in enumerate(rows):
        for name in [part.capability, *(other for other, units in part.substitutes if units == 1)]:
            if name in crews.capability_names:
                able[:, p] |= crews.capabilities[:, crews.capability_names.index(name)]
    if blocks * max(1, int(able.any(axis=1).sum())) > MOST_SHIFTS * 5:
        raise ReliefError(
            f"{blocks} diensten na elkaar voor {int(able.any(axis=1).sum())} ploegen is meer dan één rooster kan wegen;"
            " vraag om minder dagen"
        )
    drive = travel_min[crews.station] if len(crews) else np.zeros(0, dtype=np.int32)
    on_the_road = 2 * drive if shifts.travel_counts else 0 * drive
    near = (drive >= 0) & (shifts.overlap_min + shifts.post_min + on_the_road <= shifts.most_min)
    lead = np.where(near, drive + shifts.overlap_min, 0).astype(np.int32)
    cycle_min = lead + shifts.post_min + drive + shifts.rest_min
    minute = np.arange(blocks) * shifts.post_min
    allowed = np.zeros((len(crews), blocks), dtype=np.bool_)
    for length in np.unique(drive[near]).tolist():
        mine = np.flatnonzero(near & (drive == length))
        away = np.arange(-(length + shifts.overlap_min), shifts.post_min + length, 30)
        touched = window_at(week, deployment.starts, minute[:, None] + away)
        for t in range(blocks):
            allowed[mine, t] = crews.available[mine][:, np.unique(touched[t])].all(axis=1)
    middle = window_at(week, deployment.starts, minute + shifts.post_min // 2)
    home = np.zeros((regions, len(posts), blocks), dtype=np.int32)
    fair = np.zeros((regions, len(posts)))
    for p, (_, _, need) in enumerate(posts):
        have = np.bincount(crews.region[able[:, p]], minlength=regions)
        seats = np.bincount(crews.region[able[:, p]], weights=crews.stands_for[able[:, p]], minlength=regions)
        for w in range(len(WINDOWS)):
            can = np.bincount(crews.region[able[:, p] & crews.available[:, w]], minlength=regions)
            share = np.divide(can, have, out=np.zeros(regions), where=have > 0)
            stay = np.divide(shifts.home_share * seats, share, out=have.astype(np.float64), where=share > 0)
            home[:, p, middle == w] = np.floor(np.maximum(have - stay, 0) + 1e-9)[:, None]
        close = np.bincount(crews.region[able[:, p] & near], minlength=regions)
        fair[:, p] = close / max(1, close.sum()) * need * blocks
    return Model(
        able=able,
        allowed=allowed,
        near=near,
        no_road=drive < 0,
        lead_min=lead,
        drive_min=np.maximum(drive, 0).astype(np.int32),
        cycle=np.ceil(np.maximum(cycle_min, 1) / shifts.post_min).astype(np.int32),
        region=crews.region,
        need=np.array([need for _, _, need in posts], dtype=np.int32),
        kind=np.array([kind for kind, _, _ in posts], dtype=np.int32),
        count=np.array([part.count for part in rows], dtype=np.int32),
        asked=np.array([count for _, count in deployment.asked], dtype=np.int32),
        same_region=np.array([formation.same_region for formation, _ in deployment.asked], dtype=np.bool_),
        home=home,
        fair=fair,
        week_blocks=max(1, 7 * DAY_MIN // shifts.post_min),
        per_week=shifts.per_week,
        post_min=shifts.post_min,
        fair_min=shifts.fair_min,
        not_before=np.full(len(crews), -(10**6), dtype=np.int32),
        before=np.full((len(crews), blocks), -1, dtype=np.int32),
        replaces=False,
        frozen=0,
    )


def rotation_from_answer(
    answer: Answer, model: Model, crews: Crews, deployment: Deployment, shifts: Shifts, stays: Sequence[int] = ()
) -> Rotation:
    """The times of every shift in ``answer``; ``stays`` minutes [C × T] that a shift lasts longer ((): none)."""
    crew, block = np.nonzero(answer.post >= 0)
    part = answer.post[crew, block]
    formation = np.zeros(len(crew), dtype=np.int32)
    first = np.concatenate([[0], np.cumsum(model.asked)])
    for t in np.unique(block).tolist():
        for kind in range(len(model.asked)):
            for p in np.flatnonzero(model.kind == kind).tolist():
                mine = np.flatnonzero((block == t) & (part == p))
                mine = mine[np.lexsort((crew[mine], crews.region[crew[mine]]))]
                formation[mine] = first[kind] + _numbers(
                    crews.region[crew[mine]], answer.teams[kind][:, t] if model.same_region[kind] else None,
                    int(model.count[p]),
                )  # fmt: skip
    order = np.lexsort((crew, part, formation, block))
    crew, block, part, formation = crew[order], block[order], part[order], formation[order]
    longer = np.asarray(stays, dtype=np.int64).reshape(answer.post.shape)[crew, block] if len(stays) else 0
    takes_over = block * shifts.post_min
    relieved = takes_over + shifts.post_min + longer
    drive = model.drive_min[crew]
    regions, out = len(model.fair), count_out(model, answer.post)
    short = model.need - np.array(
        [np.bincount(part[block == t], minlength=len(model.need)) for t in range(model.allowed.shape[1])]
    )
    whole = np.int32
    return Rotation(
        deployment,
        crew.astype(whole),
        block.astype(whole),
        formation.astype(whole),
        part.astype(whole),
        leaves_min=(takes_over - model.lead_min[crew]).astype(whole),
        arrives_min=(takes_over - shifts.overlap_min).astype(whole),
        takes_over_min=takes_over.astype(whole),
        relieved_min=relieved.astype(whole),
        returns_min=(relieved + drive).astype(whole),
        rested_min=(relieved + drive + shifts.rest_min).astype(whole),
        posts=tuple(
            (kind, part.capability, part.count * count)
            for kind, (each, count) in enumerate(deployment.asked)
            for part in each.parts
        ),
        blocks=model.allowed.shape[1],
        shortfall=short.astype(np.int32),
        why=tuple((t, p, _why(model, answer.post, out, t, p)) for t, p in np.argwhere(short > 0).tolist()),
        burden=np.bincount(crews.region[crew], minlength=regions).astype(np.float64),
        fair=model.fair.sum(axis=1),
        cost=answer.cost,
        bound=answer.bound,
        gap=answer.gap,
        method=answer.method,
        changed=int(((answer.post != model.before) & (model.before >= 0)).sum()) if model.replaces else 0,
    )


def _numbers(region: Indices, teams: Indices | None, count: int) -> Indices:
    """Which formation of its kind each crew (in order of region) belongs to."""
    if teams is None:
        return (np.arange(len(region)) // count).astype(np.int32)
    start = np.concatenate([[0], np.cumsum(teams)])
    within = np.arange(len(region)) - np.searchsorted(region, region)
    numbers: Indices = (start[region] + within // count).astype(np.int32)
    return numbers


def _why(model: Model, post: Indices, out: Indices, t: int, p: int) -> dict[str, int]:
    """Why the crews that do not hold post ``p`` in block ``t`` do not, where it stays empty: how many per reason."""
    taken = post >= 0
    resting = np.array(
        [mine[max(0, t - cycle + 1) : t + cycle].any() for mine, cycle in zip(taken, model.cycle, strict=True)],
        dtype=np.bool_,
    )
    weeks = [taken[:, s : s + model.week_blocks].sum(axis=1) for s in range(max(0, t - model.week_blocks + 1), t + 1)]
    left = post[:, t] != p
    reasons = {}
    for reason, holds in (
        ("kan_niet", ~model.able[:, p]),
        ("onbereikbaar", model.no_road),
        ("te_ver", ~model.near),
        ("uitgevallen", t * model.post_min - model.lead_min < model.not_before),
        ("venster", ~model.allowed[:, t]),
        ("rust", resting),
        ("weekmaximum", np.max(weeks, axis=0) >= model.per_week),
        ("ondergrens", np.array([not may_go(model, out, c, t) if left[c] else False for c in range(len(post))], bool)),
        ("onvolledig", np.ones(len(post), dtype=np.bool_)),
    ):
        if count := int((left & holds).sum()):
            reasons[reason] = count
        left = left & ~holds
    return reasons
