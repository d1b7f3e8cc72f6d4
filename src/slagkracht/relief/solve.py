"""Who takes which shift: a fast choice, and the best one with its proven gap (CP-SAT), aim after aim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from slagkracht.relief.posts import Model, compute_cost, count_out, free_at, may_go
from slagkracht.relief.turns import take_turns

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


CLOSE = 0.005
"""A rotation that is proven to cost no more than this share above the best is not bettered."""


@dataclass(frozen=True, eq=False)
class Answer:
    """``post`` int32 [C, T] the part that each crew fills (-1 = none) · ``teams`` per kind int32 [R, T] formations that
    each region brings · ``cost`` minutes of driving plus what unfair shifts weigh · ``bound`` no choice that fills as
    many posts (and changes as little) costs less · ``gap`` between them, as a share (both nan = not known) ·
    ``method``."""

    post: Indices
    teams: tuple[Indices, ...]
    cost: float
    bound: float
    gap: float
    method: str


def _worth(model: Model, post: Indices) -> tuple[int, int]:
    """What is better is more: posts filled, then minutes spared."""
    return int((post >= 0).sum()), -compute_cost(model, post)


def solve_rotation(model: Model, *, effort: float, seed: int) -> Answer:
    """First as many posts filled as can be, then as few changes, then the least driving and unfairness.

    A new rotation starts from ``take_turns``, and that ends it when it is proven within ``CLOSE`` of the best; a
    rotation that replaces another starts from what was planned. Deterministic: one worker, a fixed seed and limits
    that count work instead of time. Without a proof in time the best that was found stands, with its gap; ``effort``
    0 gives the fast choice alone.
    """
    quick = choose_fast(model)
    if effort <= 0:
        return Answer(quick, _teams(model, quick), compute_cost(model, quick), float("nan"), float("nan"), "snel")
    start, least = quick, 0.0
    if not model.replaces:
        turns, least = take_turns(model, int((quick >= 0).sum()))
        if turns is not None and _worth(model, turns) > _worth(model, quick):
            start = turns
        cost = compute_cost(model, start)
        if (start >= 0).sum() == model.need.sum() * model.allowed.shape[1] and cost - least <= CLOSE * cost:
            gap = max(0.0, cost - least) / max(cost, 1)
            return Answer(start, _teams(model, start), cost, least, gap, "gevonden" if gap else "bewezen")
    from ortools.sat.python import cp_model  # takes a second to load, and a fast choice does without

    crews = _candidates(model, start)
    cp = cp_model.CpModel()
    takes: dict[tuple[int, int, int], cp_model.IntVar] = {}
    blocks = model.allowed.shape[1]
    for c in crews.tolist():
        for t in range(blocks):
            for p in np.flatnonzero(model.able[c]).tolist():
                if t < model.frozen:
                    if model.before[c, t] == p:
                        takes[c, t, p] = cp.new_constant(1)
                elif model.allowed[c, t] and t * model.post_min - model.lead_min[c] >= model.not_before[c]:
                    takes[c, t, p] = cp.new_bool_var("")
    by_crew: dict[tuple[int, int], list[cp_model.IntVar]] = {}
    by_post: dict[tuple[int, int, int], list[cp_model.IntVar]] = {}
    for (c, t, p), take in takes.items():
        by_crew.setdefault((c, t), []).append(take)
        by_post.setdefault((int(model.region[c]), t, p), []).append(take)
    _rest(model, cp, crews, by_crew)
    _home(model, cp, crews, by_crew)
    regions, teams = len(model.fair), []
    filled = []
    for p in range(len(model.need)):
        for t in range(blocks):
            mine = [take for r in range(regions) for take in by_post.get((r, t, p), ())]
            if t >= model.frozen:
                cp.add(sum(mine) <= int(model.need[p]))
            filled += mine
    for kind in np.flatnonzero(model.same_region).tolist():
        for t in range(model.frozen, blocks):
            brought = []
            for r in range(regions):
                parts = [(p, by_post.get((r, t, p), [])) for p in np.flatnonzero(model.kind == kind).tolist()]
                if not any(mine for _, mine in parts):
                    continue
                team = cp.new_int_var(0, int(model.asked[kind]), "")
                for p, mine in parts:
                    cp.add(sum(mine) <= int(model.count[p]) * team)
                brought.append(team)
                teams.append((kind, r, t, team))
            cp.add(sum(brought) <= int(model.asked[kind]))
    unfair = []
    for p in range(len(model.need)):
        for r in range(regions):
            mine = [take for t in range(blocks) for take in by_post.get((r, t, p), ())]
            share = int(np.ceil(model.fair[r, p] - 1e-9))
            if len(mine) > share:
                over = cp.new_int_var(0, len(mine) - share, "")
                cp.add(over >= sum(mine) - share)
                unfair.append((r, p, share, over))
    held = [take for (c, t, p), take in takes.items() if model.before[c, t] == p]
    driving = sum(2 * int(model.drive_min[c]) * take for (c, _, _), take in takes.items())
    aims = (
        [sum(filled)]
        + ([sum(held)] if model.replaces else [])
        + [-(driving + model.fair_min * sum(over for *_, over in unfair))]
    )
    post, proven, bound = start, True, 0.0
    for number, aim in enumerate(aims):
        if isinstance(aim, int):  # nobody can do anything
            continue
        worth = (int((post >= 0).sum()), int(((post == model.before) & (post >= 0)).sum()), -compute_cost(model, post))
        cp.add(aim >= worth[number if model.replaces or number == 0 else 2])
        if number == 0 and worth[0] == model.need.sum() * blocks:
            continue  # every post is filled
        _hint(model, cp, post, takes, teams, unfair)
        cp.maximize(aim)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(cp)
        proven &= status == cp_model.OPTIMAL
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            continue
        bound = solver.best_objective_bound
        post = np.full_like(quick, -1)
        for (c, t, p), take in takes.items():
            if solver.value(take):
                post[c, t] = p
        cp.add(aim >= round(solver.objective_value))
    cost = compute_cost(model, post)
    least = max(least, -bound)
    gap = 0.0 if proven or cost <= least else (cost - least) / max(cost, 1)
    return Answer(post, _teams(model, post), cost, cost if proven else least, gap, "bewezen" if proven else "gevonden")


def _hint(
    model: Model, cp: cp_model.CpModel, post: Indices, takes: dict[tuple[int, int, int], cp_model.IntVar],
    teams: list[tuple[int, int, int, cp_model.IntVar]], unfair: list[tuple[int, int, int, cp_model.IntVar]],
) -> None:  # fmt: skip
    """Start the search from ``post``, every variable of it."""
    cp.clear_hints()  # type: ignore[no-untyped-call]
    for (c, t, p), take in takes.items():
        if t >= model.frozen:
            cp.add_hint(take, int(post[c, t] == p))
    brought = _teams(model, post)
    for kind, r, t, team in teams:
        cp.add_hint(team, int(brought[kind][r, t]))
    for r, p, share, over in unfair:
        cp.add_hint(over, max(0, int(((post == p) & (model.region == r)[:, None]).sum()) - share))


@dataclass(eq=False)
class _State:
    """Where the fast choice has got to: ``free`` bool [C] can take a shift in the present block."""

    post: Indices
    spent: Doubles
    out: Indices
    free: Flags


def choose_fast(model: Model) -> Indices:
    """Block by block the region (or crew) that costs least in driving and unfairness, what is past kept: [C, T].

    What a replaced rotation had planned, and still can be done, is done so first.
    """
    crews, blocks = model.allowed.shape
    post = np.full((crews, blocks), -1, dtype=np.int32)
    post[:, : model.frozen] = model.before[:, : model.frozen]
    state = _State(post, np.zeros_like(model.fair), count_out(model, post), np.zeros(crews, dtype=np.bool_))
    np.add.at(state.spent, (model.region[np.nonzero(post >= 0)[0]], post[post >= 0]), 1)
    for t in range(model.frozen, blocks):
        state.free = free_at(model, post, t)
        for c in np.flatnonzero((model.before[:, t] >= 0) & state.free).tolist():
            p = int(model.before[c, t])
            if (post[:, t] == p).sum() < model.need[p] and may_go(model, state.out, c, t):
                _take(model, state, c, t, p)
        for kind in range(len(model.asked)):
            parts = np.flatnonzero(model.kind == kind)
            if not model.same_region[kind]:
                for p in parts.tolist():
                    _fill(model, state, t, p, int(model.need[p] - (post[:, t] == p).sum()), None)
                continue
            teams = _teams(model, post[:, t : t + 1])[kind][:, 0]
            for r in np.flatnonzero(teams).tolist():
                for p in parts.tolist():
                    have = int(((post[:, t] == p) & (model.region == r)).sum())
                    _fill(model, state, t, p, int(teams[r] * model.count[p]) - have, r)
            for _ in range(int(model.asked[kind] - teams.sum())):
                offers = [_offer(model, state, t, parts, r) for r in range(len(model.fair))]
                best = min(range(len(offers)), key=lambda r: (-offers[r][0], offers[r][1], r))
                if offers[best][0] == 0:
                    break
                for p in parts.tolist():
                    _fill(model, state, t, p, int(model.count[p]), best)
    return post


def _price(model: Model, state: _State, rows: npt.NDArray[np.int64], t: int, p: int) -> Doubles:
    """What it costs to send each of ``rows``; who is planned for later comes last."""
    over = state.spent[model.region[rows], p] + 1 > np.ceil(model.fair[model.region[rows], p] - 1e-9)
    planned = (model.before[rows, t:] >= 0).any(axis=1)
    price: Doubles = 2.0 * model.drive_min[rows] + model.fair_min * over + 1e6 * planned
    return price


def _offer(model: Model, state: _State, t: int, parts: npt.NDArray[np.int64], region: int) -> tuple[int, float]:
    """How many posts of one formation ``region`` could fill in block ``t``, and at what cost."""
    filled, cost, out, used = 0, 0.0, state.out.copy(), set()
    for p in parts.tolist():
        wanted = int(model.count[p])
        rows = np.flatnonzero(state.free & model.able[:, p] & (model.region == region))
        price = _price(model, state, rows, t, p)
        for i in np.argsort(price, kind="stable").tolist():
            c = int(rows[i])
            if wanted and c not in used and may_go(model, out, c, t):
                out[region, model.able[c], t : t + int(model.cycle[c])] += 1
                used.add(c)
                wanted, filled, cost = wanted - 1, filled + 1, cost + float(price[i])
            if not wanted:
                break
    return filled, cost


def _fill(model: Model, state: _State, t: int, p: int, wanted: int, region: int | None) -> None:
    """Let the cheapest crews that can take part ``p`` in block ``t``, of one region or of any."""
    for _ in range(wanted):
        rows = np.flatnonzero(state.free & model.able[:, p] & (True if region is None else model.region == region))
        for c in rows[np.argsort(_price(model, state, rows, t, p), kind="stable")].tolist():
            if may_go(model, state.out, c, t):
                _take(model, state, c, t, p)
                break
        else:
            return


def _take(model: Model, state: _State, crew: int, t: int, p: int) -> None:
    region = int(model.region[crew])
    state.post[crew, t] = p
    state.spent[region, p] += 1
    state.out[region, model.able[crew], t : t + int(model.cycle[crew])] += 1
    state.free[crew] = False


def _rest(
    model: Model,
    cp: cp_model.CpModel,
    crews: npt.NDArray[np.int64],
    by_crew: dict[tuple[int, int], list[cp_model.IntVar]],
) -> None:
    """Nobody twice within one cycle, nor more often than he may in a week; what is past is as it was."""
    blocks = model.allowed.shape[1]
    for c in crews.tolist():
        cycle = int(model.cycle[c])
        for t in range(blocks):
            within = [take for s in range(t, min(t + cycle, blocks)) for take in by_crew.get((c, s), ())]
            if len(within) > 1 and t + cycle > model.frozen:
                cp.add_at_most_one(within)
            week = [take for s in range(t, min(t + model.week_blocks, blocks)) for take in by_crew.get((c, s), ())]
            if len(week) > model.per_week and (t == 0 or t + model.week_blocks <= blocks):
                cp.add(sum(week) <= model.per_week)


def _home(
    model: Model,
    cp: cp_model.CpModel,
    crews: npt.NDArray[np.int64],
    by_crew: dict[tuple[int, int], list[cp_model.IntVar]],
) -> None:
    """Of every region and part no more out or resting at once than its floor at home leaves."""
    blocks = model.allowed.shape[1]
    for r in np.unique(model.region[crews]).tolist():
        for p in range(len(model.need)):
            rows = crews[(model.region[crews] == r) & model.able[crews, p]].tolist()
            for t in range(model.frozen, blocks):
                out = [
                    take
                    for c in rows
                    for s in range(max(0, t - int(model.cycle[c]) + 1), t + 1)
                    for take in by_crew.get((c, s), ())
                ]
                past = sum(
                    1
                    for c in rows
                    for s in range(max(0, t - int(model.cycle[c]) + 1), min(t + 1, model.frozen))
                    if model.before[c, s] >= 0
                )
                most = max(int(model.home[r, p, t]), past)
                if len(out) > most:
                    cp.add(sum(out) <= most)


def _candidates(model: Model, quick: Indices) -> npt.NDArray[np.int64]:
    """The crews worth weighing: those of the fast choice and of the rotation before, and of every region the nearest.

    Of a region twice as many as its fair share asks for, and one formation more.
    """
    wanted: Flags = np.asarray((np.maximum(quick, model.before) >= 0).any(axis=1))
    blocks = model.allowed.shape[1]
    cycle = int(np.median(model.cycle)) if len(model.cycle) else 1
    turns = max(1, min(-(-blocks // cycle), model.per_week * -(-blocks // model.week_blocks)))
    for p in range(len(model.need)):
        for r in range(len(model.fair)):
            mine = np.flatnonzero(model.able[:, p] & (model.region == r) & model.near & model.allowed.any(axis=1))
            most = 2 * int(np.ceil(model.fair[r, p] / turns)) + int(model.count[p])
            wanted[mine[np.argsort(model.drive_min[mine], kind="stable")[:most]]] = True
    return np.flatnonzero(wanted)


def _teams(model: Model, post: Indices) -> tuple[Indices, ...]:
    """Per kind how many formations each region brings in each block: int32 [R, T]."""
    found = []
    for kind in range(len(model.asked)):
        teams = np.zeros((len(model.fair), post.shape[1]), dtype=np.int32)
        for p in np.flatnonzero(model.kind == kind).tolist():
            crew, block = np.nonzero(post == p)
            mine = np.zeros_like(teams)
            np.add.at(mine, (model.region[crew], block), 1)
            teams = np.maximum(teams, -(-mine // model.count[p]))
        found.append(teams.astype(np.int32))
    return tuple(found)
