"""Relief: worked by hand, against every rotation tried, and by laws that hold for any of them."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slagkracht.cli import main
from slagkracht.plan import Plan
from slagkracht.relief import (
    Crews,
    Deployment,
    DropOut,
    Extend,
    Late,
    ReliefError,
    Rotation,
    Shifts,
    compute_crews,
    compute_endurance,
    compute_home_drive_s,
    compute_people,
    compute_rotation,
    compute_shifts,
    compute_travel_min,
    replan_rotation,
    shifts_from_rule,
    week_from_windows,
)
from slagkracht.relief.rotation import compute_model
from slagkracht.relief.solve import choose_fast, compute_cost, count_out
from slagkracht.relief.turns import AT_ONCE, take_turns
from slagkracht.reports.relief_chart import compute_relief_rows, draw_rotation
from slagkracht.rules import Rules, rule_in_force
from slagkracht.sources.plan_files import write_plan
from slagkracht.sources.rule_files import read_rules
from slagkracht.sources.vocabulary import read_rows
from slagkracht.strength import Formation, Part
from slagkracht.travel import UNREACHABLE
from toyland import read_toyland

WEDNESDAY = datetime.datetime(2026, 7, 1, 8)
WEEK = week_from_windows(read_rows("windows"))
PUMP = Formation("pomp", "Pomp", (Part("basiseenheid", 1),), False, 0.0, float("nan"), "te verifiëren")
PAIR = Formation("paar", "Paar", (Part("basiseenheid", 2),), True, 0.0, float("nan"), "te verifiëren")
SHIFTS = Shifts(
    post_min=240, most_min=480, travel_counts=True, rest_min=600, overlap_min=30, per_week=7, travel_factor=1.0,
    home_share=0.0, fair_min=0,
)  # fmt: skip
VEHICLES = ("voertuigen: tankautospuit",)
RULE = {
    "inzet_uren": 4.0, "hoogstens_uren": 8.0, "reistijd_telt_mee": True, "rust_uren": 10.0, "overlap_minuten": 30,
    "inzetten_per_week": 3, "reistijd_factor": 1.25, "blijft_thuis": 0.5, "eerlijk_minuten": 180,
}  # fmt: skip


def make_crews(station: list[int], region: list[int], available: Any = True) -> Crews:
    count = len(station)
    return Crews(
        np.array([f"p{i}" for i in range(count)], dtype=np.str_),
        np.array(station, dtype=np.int32),
        np.array(region, dtype=np.int32),
        np.array(["TS6"] * count, dtype=np.str_),
        ("basiseenheid",),
        np.ones((count, 1), dtype=np.bool_),
        np.full(count, 6, dtype=np.int32),
        np.broadcast_to(np.asarray(available, dtype=np.bool_), (count, 4)),
        np.ones(count),
    )


def rotate(crews: Crews, travel: list[int], asked: Any, days: float, shifts: Shifts = SHIFTS, **more: Any) -> Rotation:
    regions = int(crews.region.max(initial=0)) + 1
    return compute_rotation(
        crews, np.array(travel, dtype=np.int32), Deployment(asked, WEDNESDAY, days), shifts,
        week=WEEK, regions=regions, **more,
    )  # fmt: skip


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_stations_three_crews_one_day() -> None:
    """One pump for 24 h is six posts of 4 h. Away 30 + 240 + 2 × 30 minutes and 10 h of rest: a crew of West (30 min)
    can leave again after 930 minutes, so every fourth post; two of West take posts 0, 1, 4, 5. One of Oost (60 min)
    is back after 990 minutes: every fifth post, so of posts 2 and 3 only one can be held. Five posts is the most."""
    crews = make_crews([0, 0, 1], [0, 0, 1])
    rotation = rotate(crews, [30, 60], ((PUMP, 1),), 1)
    assert rotation.blocks == 6
    assert len(rotation) == 5
    assert rotation.shortfall.sum() == 1
    assert rotation.cost == 4 * 60 + 120
    assert rotation.method == "bewezen"
    assert rotation.gap == 0
    assert rotation.burden.tolist() == [4, 1]
    west = np.flatnonzero(crews.station[rotation.crew] == 0)[0]
    takes = rotation.takes_over_min[west]
    times = [
        rotation.leaves_min,
        rotation.arrives_min,
        rotation.relieved_min,
        rotation.returns_min,
        rotation.rested_min,
    ]
    assert [int(column[west] - takes) for column in times] == [-60, -30, 240, 270, 870]
    ((_, part, why),) = rotation.why
    assert part == 0
    assert why == {"rust": 3}


def test_a_fourth_crew_holds_every_post_and_the_nearest_drive_most() -> None:
    rotation = rotate(make_crews([0, 0, 1, 1], [0, 0, 1, 1]), [30, 60], ((PUMP, 1),), 1)
    assert rotation.shortfall.sum() == 0
    assert rotation.cost == 4 * 60 + 2 * 120


def test_fairness_is_worth_so_many_minutes() -> None:
    """Six posts over two regions of four crews each: three each is fair. Driving alone would give West all six when it
    has the crews; at 60 minutes of driving more per post and 61 minutes for unfairness, it is shared."""
    crews = make_crews([0] * 4 + [1] * 4, [0] * 4 + [1] * 4)
    cheap = rotate(crews, [30, 60], ((PUMP, 1),), 1, dataclasses.replace(SHIFTS, fair_min=59))
    fair = rotate(crews, [30, 60], ((PUMP, 1),), 1, dataclasses.replace(SHIFTS, fair_min=61))
    assert cheap.burden.tolist() == [6, 0]
    assert fair.burden.tolist() == [3, 3]
    assert fair.fair.tolist() == [3, 3]


def test_a_formation_of_one_region_is_relieved_whole() -> None:
    """Three crews of one region and one of another: two make a pair, never one of each."""
    crews = make_crews([0, 0, 0, 1], [0, 0, 0, 1])
    rotation = rotate(crews, [30, 30], ((PAIR, 1),), 4 / 24)
    assert sorted(crews.region[rotation.crew].tolist()) == [0, 0]
    alone = rotate(make_crews([0, 1], [0, 1]), [30, 30], ((PAIR, 1),), 4 / 24)
    assert len(alone) == 1
    assert alone.why[0][2] == {"onvolledig": 1}


def test_the_floor_at_home_holds() -> None:
    """Four crews, half must stay: two can be out or resting at once, so of six posts four are held."""
    rotation = rotate(make_crews([0] * 4, [0] * 4), [30], ((PUMP, 1),), 1, dataclasses.replace(SHIFTS, home_share=0.5))
    assert len(rotation) == 4
    assert {"rust", "ondergrens"} >= {reason for _, _, why in rotation.why for reason in why}


# ── against every rotation tried ─────────────────────────────────────────────────────────────────────────────────────


def best_of_all(model: Any) -> tuple[int, int]:
    """(posts filled, cost) of the best rotation, by trying all."""
    crews, blocks = model.allowed.shape
    best = (-1, 0)
    for choice in itertools.product(range(-1, crews), repeat=blocks):
        post = np.full((crews, blocks), -1, dtype=np.int32)
        good = True
        for t, c in enumerate(choice):
            if c < 0:
                continue
            good &= bool(model.allowed[c, t]) and not (post[c, max(0, t - int(model.cycle[c]) + 1) : t] >= 0).any()
            post[c, t] = 0
        good &= all(
            (post[c, s : s + model.week_blocks] >= 0).sum() <= model.per_week
            for c in range(crews)
            for s in range(blocks)
        )
        if not good:
            continue
        for region, t in itertools.product(range(len(model.fair)), range(blocks)):
            out = sum(
                (post[c, max(0, t - int(model.cycle[c]) + 1) : t + 1] >= 0).any()
                for c in range(crews)
                if model.region[c] == region
            )
            good &= out <= model.home[region, 0, t]
        if good:
            best = max(best, (int((post >= 0).sum()), -compute_cost(model, post)))
    return best


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_no_rotation_is_better_than_the_proven_one(data: st.DataObject) -> None:
    crews = make_crews(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=4), label="station"), [0] * 4, True)
    count = len(crews.station)
    crews = dataclasses.replace(
        crews,
        region=(crews.station % 2).astype(np.int32),
        available=np.array(data.draw(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=count,
                                              max_size=count), label="available")),
    )  # fmt: skip
    travel = data.draw(st.lists(st.integers(-1, 130), min_size=3, max_size=3), label="travel")
    shifts = dataclasses.replace(
        SHIFTS, fair_min=data.draw(st.integers(0, 90)), rest_min=data.draw(st.sampled_from([0, 300, 600])),
        per_week=data.draw(st.integers(1, 3)), home_share=data.draw(st.sampled_from([0.0, 0.4])),
    )  # fmt: skip
    deployment = Deployment(((PUMP, 1),), WEDNESDAY, 20 / 24)
    model = compute_model(crews, np.array(travel, dtype=np.int32), deployment, shifts, WEEK, 2)
    rotation = compute_rotation(crews, np.array(travel, dtype=np.int32), deployment, shifts, week=WEEK, regions=2)
    assert rotation.method == "bewezen"
    assert (len(rotation), -int(rotation.cost)) == best_of_all(model)
    quick = compute_rotation(crews, np.array(travel), deployment, shifts, week=WEEK, regions=2, effort=0)
    assert np.isnan([quick.bound, quick.gap]).all()  # nothing was proven, so no gap is claimed
    assert len(quick) <= len(rotation)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_equal_crews_that_take_turns_cost_no_less_than_the_bound_and_no_more_than_the_fast_choice(
    data: st.DataObject,
) -> None:
    station = data.draw(st.lists(st.integers(0, 3), min_size=4, max_size=16), label="station")
    crews = make_crews(station, [s % 2 for s in station])
    travel = np.array(data.draw(st.lists(st.integers(5, 130), min_size=4, max_size=4), label="travel"), dtype=np.int32)
    shifts = dataclasses.replace(
        SHIFTS, fair_min=60, per_week=data.draw(st.integers(2, 7)), home_share=data.draw(st.sampled_from([0.0, 0.3]))
    )
    asked = data.draw(st.sampled_from([((PUMP, 1),), ((PAIR, 1),), ((PUMP, 1), (PAIR, 1))]))
    model = compute_model(crews, travel, Deployment(asked, WEDNESDAY, data.draw(st.sampled_from([0.5, 2]))), shifts,
                          WEEK, 2)  # fmt: skip
    quick = choose_fast(model)
    post, bound = take_turns(model, int((quick >= 0).sum()))
    assert bound <= compute_cost(model, quick)
    if post is None:
        return
    assert (post >= 0).sum() >= (quick >= 0).sum()
    assert compute_cost(model, post) >= bound
    assert (count_out(model, post) <= model.home).all()
    for c, row in enumerate(post >= 0):
        assert (np.diff(np.flatnonzero(row)) >= model.cycle[c]).all()
        assert np.convolve(row, np.ones(model.week_blocks)).max() <= model.per_week
        assert (model.allowed[c] | ~row).all()
    if model.allowed.shape[1] <= AT_ONCE and (post >= 0).sum() == (quick >= 0).sum():
        assert compute_cost(model, post) == bound, "settled at once is settled for good"


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_laws(rotation: Rotation, crews: Crews, shifts: Shifts) -> None:
    for c in np.unique(rotation.crew).tolist():
        mine = np.flatnonzero(rotation.crew == c)
        mine = mine[np.argsort(rotation.leaves_min[mine])]
        assert (rotation.leaves_min[mine][1:] >= rotation.rested_min[mine][:-1]).all()
        assert len(mine) <= shifts.per_week or rotation.deployment.days > 7
    assert (rotation.returns_min - rotation.leaves_min <= shifts.most_min).all()
    for t in range(rotation.blocks):
        held = np.bincount(rotation.part[rotation.block == t], minlength=len(rotation.posts))
        need = np.array([need for _, _, need in rotation.posts])
        assert (held + rotation.shortfall[t] == need).all()
        assert (rotation.shortfall[t] >= 0).all()
    short = {(t, p) for t, p in np.argwhere(rotation.shortfall > 0).tolist()}
    assert {(t, p) for t, p, _ in rotation.why} == short
    for t, p, why in rotation.why:
        held = int(((rotation.block == t) & (rotation.part == p)).sum())
        assert sum(why.values()) == len(crews) - held


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_rest_is_kept_and_every_post_is_held_or_its_shortfall_explained(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 12))
    station = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    crews = make_crews(station, [s % 2 for s in station])
    crews = dataclasses.replace(
        crews, available=data.draw(st.lists(st.booleans(), min_size=4 * count, max_size=4 * count).map(
            lambda flags: np.array(flags, dtype=np.bool_).reshape(count, 4)))
    )  # fmt: skip
    travel = data.draw(st.lists(st.integers(-1, 130), min_size=4, max_size=4))
    shifts = dataclasses.replace(
        SHIFTS, per_week=data.draw(st.integers(1, 4)), fair_min=60, home_share=data.draw(st.sampled_from([0.0, 0.5]))
    )
    asked = data.draw(st.sampled_from([((PUMP, 1),), ((PAIR, 1),), ((PUMP, 2), (PAIR, 1))]))
    effort = data.draw(st.sampled_from([0.0, 2.0]))
    crews = dataclasses.replace(crews, region=np.asarray(crews.region, dtype=np.int32))
    rotation = compute_rotation(
        crews, np.array(travel, dtype=np.int32), Deployment(asked, WEDNESDAY, 1.5), shifts, week=WEEK, regions=2,
        effort=effort,
    )  # fmt: skip
    check_laws(rotation, crews, shifts)
    again = replan_rotation(
        rotation, [], data.draw(st.integers(-500, 2500)), crews, np.array(travel, dtype=np.int32), shifts, week=WEEK,
        regions=2, effort=2.0,
    )  # fmt: skip
    if effort:  # a rotation that could not be filled better stays as it was
        assert again.changed == 0
        for column in ("crew", "block", "formation", "part", "leaves_min", "rested_min"):
            assert (getattr(again, column) == getattr(rotation, column)).all(), column


def test_who_was_sent_already_holds_the_first_shift_and_rests_after_it() -> None:
    crews = make_crews([0, 0, 0, 1], [0, 0, 0, 1])
    free = rotate(crews, [10, 60], ((PUMP, 1),), 0.5)
    held = rotate(crews, [10, 60], ((PUMP, 1),), 0.5, holding=[(3, 0)])
    assert (free.crew == 3).sum() == 0, "nobody would send the farthest"
    assert held.crew[held.block == 0].tolist() == [3]
    assert (held.crew == 3).sum() == 1
    assert held.shortfall.sum() == 0
    check_laws(held, crews, SHIFTS)


def test_the_same_question_gives_the_same_rotation() -> None:
    crews = make_crews([0] * 4 + [1] * 4, [0] * 4 + [1] * 4)
    one, two = (rotate(crews, [30, 60], ((PUMP, 2),), 2) for _ in range(2))
    assert (one.crew == two.crew).all()
    assert (one.takes_over_min == two.takes_over_min).all()


# ── when reality changes ─────────────────────────────────────────────────────────────────────────────────────────────


def changed_shifts(old: Rotation, new: Rotation) -> set[tuple[int, int]]:
    return {*zip(old.crew.tolist(), old.block.tolist())} - {*zip(new.crew.tolist(), new.block.tolist())}


def mended(rotation: Rotation, changes: Any, now: int, crews: Crews, travel: list[int]) -> Rotation:
    return replan_rotation(
        rotation, changes, now, crews, np.array(travel, dtype=np.int32), SHIFTS, week=WEEK, regions=2
    )


def test_a_crew_that_drops_out_changes_only_its_own_shifts() -> None:
    crews = make_crews([0] * 5 + [1] * 2, [0] * 5 + [1] * 2)
    rotation = rotate(crews, [30, 60], ((PUMP, 1),), 2)
    now = 600
    coming = rotation.block[rotation.leaves_min > now]
    lost = int(rotation.crew[rotation.leaves_min > now][0])
    new = mended(rotation, [DropOut(f"p{lost}")], now, crews, [30, 60])
    assert new.shortfall.sum() == 0
    own = {(lost, int(t)) for t in rotation.block[(rotation.crew == lost) & (rotation.leaves_min > now)]}
    assert changed_shifts(rotation, new) == own
    assert new.changed == len(own)
    assert len(coming) > len(own)
    assert lost not in new.crew[new.leaves_min > now]
    past = rotation.leaves_min <= now
    assert (new.crew[: past.sum()] == rotation.crew[past]).all()
    check_laws(new, crews, SHIFTS)


def replacing(asked: Any, crews: Crews, before: list[list[int]], lost: int, regions: int = 1) -> Any:
    """The model of a rotation that had planned ``before`` [C, T] and in which crew ``lost`` cannot come."""
    model = compute_model(
        crews, np.array([30, 60], dtype=np.int32), Deployment(asked, WEDNESDAY, len(before[0]) * 4 / 24), SHIFTS, WEEK,
        regions,
    )  # fmt: skip
    allowed = model.allowed.copy()
    allowed[lost] = False
    return dataclasses.replace(model, before=np.array(before, dtype=np.int32), replaces=True, allowed=allowed)


def test_who_is_planned_for_later_is_the_last_to_fill_a_gap() -> None:
    """The first of two shifts falls open. Crew 1 is nearer, and planned for the second; crew 2 drives an hour."""
    crews = make_crews([0, 0, 1], [0, 0, 0])
    post = choose_fast(replacing(((PUMP, 1),), crews, [[0, -1], [-1, 0], [-1, -1]], lost=0))
    assert post.tolist() == [[-1, -1], [-1, 0], [0, -1]]


def test_every_part_keeps_the_crew_that_was_planned_for_it_and_no_crew_more() -> None:
    """Two pumps of two kinds at once, both planned; a third crew is nearer than the second and is not asked."""
    other = dataclasses.replace(PUMP, code="pomp2")
    crews = make_crews([0, 1, 0, 0], [0, 0, 0, 0])
    post = choose_fast(replacing(((PUMP, 1), (other, 1)), crews, [[0], [1], [-1], [-1]], lost=3))
    assert post.tolist() == [[0], [1], [-1], [-1]]


def test_a_pair_that_lost_one_is_made_whole_beside_another_formation_of_its_region() -> None:
    """The region brings a pump and a pair; one of the pair drops out: one crew takes its place, not two."""
    crews = make_crews([0] * 5, [0] * 5)
    post = choose_fast(replacing(((PUMP, 1), (PAIR, 1)), crews, [[0], [1], [1], [-1], [-1]], lost=2))
    assert post.tolist() == [[0], [1], [-1], [1], [-1]]


def test_a_late_relief_keeps_the_other_longer_and_its_rest_whole() -> None:
    crews = make_crews([0] * 4, [0] * 4)
    rotation = rotate(crews, [30], ((PUMP, 1),), 2)
    late = int(rotation.crew[rotation.block == 1][0])
    stays = int(rotation.crew[rotation.block == 0][0])
    new = mended(rotation, [Late(f"p{late}", 90)], 200, crews, [30])
    longer = np.flatnonzero((new.crew == stays) & (new.block == 0))
    assert new.relieved_min[longer].tolist() == [240 + 90]
    check_laws(dataclasses.replace(new, returns_min=np.minimum(new.returns_min, new.leaves_min + 480)), crews, SHIFTS)


def test_a_longer_deployment_keeps_what_was_planned() -> None:
    crews = make_crews([0] * 5, [0] * 5)
    rotation = rotate(crews, [30], ((PUMP, 1),), 1)
    new = mended(rotation, [Extend(2)], 300, crews, [30])
    assert new.blocks == 12
    assert not changed_shifts(rotation, new)
    assert new.shortfall.sum() == 0
    shorter = mended(new, [Extend(1.5)], 300, crews, [30])
    assert shorter.blocks == 9
    assert shorter.changed == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [(DropOut("p9"), "bestaat niet"), (Late("p9", 10), "bestaat niet"), (Late("p0", 0), "meer dan 0"),
     (Late("p4", 5), "geen dienst"), (Extend(0), "meer dan 0")],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused_in_words(change: Any, says: str) -> None:
    crews = make_crews([0] * 5, [0] * 5)
    rotation = rotate(crews, [30], ((PUMP, 1),), 4 / 24)
    crew = int(rotation.crew[0])
    if isinstance(change, Late) and change.crew_id in ("p0", "p4"):
        other = next(c for c in range(5) if c != crew)
        change = Late(f"p{crew if change.minutes == 0 else other}", change.minutes)
    with pytest.raises(ReliefError, match=says):
        mended(rotation, [change], 0, crews, [30])


# ── endurance ────────────────────────────────────────────────────────────────────────────────────────────────────────


def toyland(**rule: Any) -> Plan:
    """Toyland under the programme's rules of relief, some values replaced."""
    plan, _ = read_toyland()
    extra = [r for r in read_rules().rules if r.code in ("aflossing", "functiemix", "vrijwilligers")]
    values = {**extra[0].versions[0].values, **rule}
    extra[0] = dataclasses.replace(extra[0], versions=(dataclasses.replace(extra[0].versions[0], values=values),))
    return dataclasses.replace(plan, rules=Rules((*plan.rules.rules, *extra)))


def keep_up(plan: Plan, formation: Formation = PUMP, days: Any = (1, 2, 4), drive_s: int = 1200) -> Any:
    drives = np.full(len(plan.stations), drive_s, dtype=np.uint16)
    return compute_endurance(plan, drives, formation, week=WEEK, starts=WEDNESDAY, days=days)


@pytest.mark.parametrize(
    ("people", "sustained", "scarce"), [(4.0, 1.0, ("bevelvoerder", "chauffeur", "manschap")), (8.0, 1.5, VEHICLES)]
)
def test_one_pool_of_people_is_worked_out_by_hand(people: float, sustained: float, scarce: tuple[str, ...]) -> None:
    """One pump with a crew, everybody always able and nobody kept at home: a drive of 20 minutes × 1.25 is 25.

    A turn takes 30 + 240 + 2 × 25 + 600 = 920 minutes, so a crew holds one in four posts of 4 h: four crews hold one
    post, eight would hold two. A vehicle is back after 320 minutes, every second post: the region's three hold 1.5.
    """
    plan = toyland(blijft_thuis=0.0, inzetten_per_week=7)
    first = np.arange(len(plan.units)) == 0
    units = dataclasses.replace(
        plan.units, crew=np.where(first, 6, 0).astype(np.int32), regime=np.zeros_like(plan.units.regime)
    )
    values = {"functiemix": lambda old: same_for_all(old, people), "vrijwilligers": always}
    rules = tuple(
        dataclasses.replace(
            r, versions=(dataclasses.replace(r.versions[0], values=values[r.code](r.versions[0].values)),)
        )
        if r.code in values
        else r
        for r in plan.rules.rules
    )
    plan = dataclasses.replace(plan, units=units, rules=Rules(rules))
    pumps = plan.units.capabilities[:, 0] & (plan.stations.region[plan.units.station] == 0)
    assert (plan.units.capability_names[0], int(pumps.sum())) == ("tankautospuit", 3)
    assert compute_people(plan).persons.tolist() == [[people, people, 6 * people, 0]]
    assert len(compute_crews(plan)) == people
    answer = keep_up(plan, dataclasses.replace(PUMP, parts=(Part("tankautospuit", 1),)), days=(1,))
    assert answer.sustained[0] == pytest.approx(sustained)
    assert answer.scarce[0] in scarce


def same_for_all(values: dict[str, Any], people: float) -> dict[str, Any]:
    seats = dict.fromkeys(("bevelvoerder", "chauffeur", "manschap", "officier"), people)
    return {**values, "mensen_per_stoel": dict.fromkeys(values["mensen_per_stoel"], seats)}


def always(values: dict[str, Any]) -> dict[str, Any]:
    return {regime: dict.fromkeys(windows, 1.0) for regime, windows in values.items()}


def test_longer_never_sustains_more_and_together_never_less() -> None:
    answer = keep_up(toyland())
    assert answer.sustained[0] > 0
    assert (np.diff(answer.sustained) <= 1e-6).all()
    assert (np.diff(answer.per_region, axis=0) <= 1e-6).all()
    assert (answer.sustained >= answer.per_region.sum(axis=1) - 1e-6).all()
    assert all(answer.scarce)


@settings(max_examples=8, deadline=None)
@given(more=st.floats(1, 3), home=st.floats(0, 1), rest=st.floats(0, 20), drive_s=st.integers(60, 4000))
def test_more_people_less_rest_and_a_lower_floor_never_sustain_less(
    more: float, home: float, rest: float, drive_s: int
) -> None:
    base = toyland(blijft_thuis=home, rust_uren=rest)
    mix = rule_in_force(base.rules, "functiemix", base.day)[0]
    seats = {r: {f: n * more for f, n in v.items()} for r, v in mix.versions[0].values["mensen_per_stoel"].items()}
    richer = dataclasses.replace(
        mix,
        versions=(dataclasses.replace(mix.versions[0], values={**mix.versions[0].values, "mensen_per_stoel": seats}),),
    )
    plan = dataclasses.replace(base, rules=Rules(tuple(richer if r is mix else r for r in base.rules.rules)))
    low = keep_up(base, days=(2,), drive_s=drive_s).sustained[0]
    assert keep_up(plan, days=(2,), drive_s=drive_s).sustained[0] >= low - 1e-5
    assert (
        keep_up(toyland(blijft_thuis=home, rust_uren=rest / 2), days=(2,), drive_s=drive_s).sustained[0] >= low - 1e-5
    )
    assert (
        keep_up(toyland(blijft_thuis=home / 2, rust_uren=rest), days=(2,), drive_s=drive_s).sustained[0] >= low - 1e-5
    )


def test_a_rotation_never_holds_more_than_endurance_promises() -> None:
    """Whole crews in real shifts cannot beat people as a flow: what the rotation holds all day, the model allows."""
    plan = toyland(blijft_thuis=0.0)
    shifts, crews = compute_shifts(plan), compute_crews(plan)
    drives = np.full(len(plan.stations), 1200, dtype=np.uint16)
    bound = keep_up(plan, days=(1,)).sustained[0]
    most = 0
    for count in range(1, int(bound) + 3):
        rotation = compute_rotation(
            crews, compute_travel_min(drives, shifts), Deployment(((PUMP, count),), WEDNESDAY, 1), shifts, week=WEEK,
            regions=len(plan.regions), effort=5,
        )  # fmt: skip
        if rotation.shortfall.sum() == 0:
            most = count
    assert 1 <= most <= bound + 1e-6


def test_nobody_near_enough_sustains_nothing_and_says_so() -> None:
    plan = toyland()
    far = keep_up(plan, days=(1,), drive_s=9000)
    assert far.sustained[0] == 0
    assert (far.in_reach == 0).all()
    none = keep_up(plan, days=(1,), drive_s=int(UNREACHABLE))
    assert none.sustained[0] == 0


def test_each_region_at_home_drives_to_its_own_middle() -> None:
    plan, travel = read_toyland()
    drive_s = compute_home_drive_s(plan, travel)
    for region in range(len(plan.regions)):
        mine = plan.stations.region == region
        areas = travel.drive_s[plan.areas.region == region][:, mine].astype(float)
        assert drive_s[mine].mean() == pytest.approx(areas.mean(axis=1).min())


# ── what cannot be ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("rust_uren", -1, "niet minder dan 0"), ("inzet_uren", 0, "meer dan 0"), ("blijft_thuis", 1.5, "van 0 tot 1"),
     ("inzet_uren", 9, "past niet in hoogstens"), ("inzetten_per_week", 0, "meer dan 0")],
)  # fmt: skip
def test_a_rule_that_nobody_could_live_by_is_refused(name: str, value: float, says: str) -> None:
    with pytest.raises(ReliefError, match=says):
        shifts_from_rule({**RULE, name: value})


def test_no_days_no_formation_and_no_vehicle_are_answered_in_words() -> None:
    crews = make_crews([0], [0])
    with pytest.raises(ReliefError, match="meer dan 0"):
        rotate(crews, [30], ((PUMP, 1),), 0)
    with pytest.raises(ReliefError, match="geen formatie"):
        rotate(crews, [30], (), 1)
    with pytest.raises(ReliefError, match="ten minste 1 dag"):
        keep_up(toyland(), days=(0,))
    boat = dataclasses.replace(PUMP, parts=(Part("brandweervaartuig", 1),))
    with pytest.raises(ReliefError, match="brandweervaartuig"):
        keep_up(toyland(), boat)


def test_nobody_can_come_is_a_rotation_of_empty_posts_with_the_reason() -> None:
    crews = make_crews([0, 1], [0, 1])
    rotation = rotate(crews, [-1, 200], ((PUMP, 1),), 1)
    assert len(rotation) == 0
    assert rotation.shortfall.sum() == 6
    assert rotation.why[0][2] == {"onbereikbaar": 1, "te_ver": 1}
    asleep = rotate(make_crews([0, 0], [0, 0], False), [30], ((PUMP, 3),), 4 / 24)
    assert asleep.why[0][2] == {"venster": 2}


def test_the_hours_of_the_week_lie_in_one_window_each() -> None:
    assert WEEK[[8, 20, 23, 3, 5 * 24 + 12]].tolist() == [0, 1, 2, 2, 3]
    rows = [dict(row) for row in read_rows("windows")]
    with pytest.raises(ReliefError, match="in geen tijdvenster"):
        week_from_windows(rows[:-1])
    with pytest.raises(ReliefError, match="in twee tijdvensters"):
        week_from_windows([*rows, rows[0]])


# ── as it is read ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_and_the_chart_tell_every_shift() -> None:
    plan = toyland(blijft_thuis=0.0)
    shifts, crews = compute_shifts(plan), compute_crews(plan)
    drives = np.full(len(plan.stations), 1200, dtype=np.uint16)
    rotation = compute_rotation(
        crews, compute_travel_min(drives, shifts), Deployment(((PUMP, 1),), WEDNESDAY, 1), shifts, week=WEEK,
        regions=len(plan.regions), effort=2,
    )  # fmt: skip
    rows = compute_relief_rows(plan, crews, rotation)
    assert len(rows) == len(rotation) > 0
    assert rows[0]["neemt over"] == "01-07 08:00"
    assert rows[0]["vertrek"] == "01-07 07:05"
    chart = draw_rotation(plan, crews, rotation, "A & B")
    assert chart.count("<g><title>") == len(rotation)
    assert "A &amp; B: 1 × Pomp, 1 dag<" in chart
    longer = dataclasses.replace(rotation, deployment=dataclasses.replace(rotation.deployment, days=1.04097))
    assert ", 25 uur<" in draw_rotation(plan, crews, longer, "")
    assert 'role="img"' in chart
    assert "<desc" in chart
    autumn = datetime.datetime(2027, 10, 30, 8, tzinfo=ZoneInfo("Europe/Amsterdam"))
    longer = dataclasses.replace(rotation, deployment=dataclasses.replace(rotation.deployment, starts=autumn, days=3))
    last = int(rotation.relieved_min.argmax())
    assert rotation.relieved_min[last] == 1440
    told = (compute_relief_rows(plan, crews, each)[last]["afgelost"] for each in (rotation, longer))
    assert list(told) == ["02-07 08:00", "31-10 07:00"], "in between the clock went back an hour"
    labels = re.findall(r'x="([0-9.]+)" y="68">([0-9]+-[0-9]+)<', draw_rotation(plan, crews, longer, ""))
    day = {name: float(x) for x, name in labels}
    assert (day["01-11"] - day["31-10"]) / (day["02-11"] - day["01-11"]) == pytest.approx(25 / 24, abs=0.002)


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = toyland(blijft_thuis=0.0)
    extra = tuple(r for r in read_rules().rules if r.code in ("formatie-basiseenheid", "formatie-basispeloton"))
    path = tmp_path_factory.mktemp("aflossing") / "plan.zip"
    write_plan(dataclasses.replace(plan, rules=Rules((*plan.rules.rules, *extra))), path)
    return path


def run(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as left:
        main(["aflossing", *arguments])
    return left.value.code


def test_the_command_writes_what_it_prints(plan_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = read_toyland()[0].areas.area_id[0]
    asked = (str(plan_file), "--plaats", str(place), "--formatie", "basiseenheid:1", "--dagen", "1", "--json")
    files = (tmp_path / "rooster.csv", tmp_path / "rooster.svg")
    assert run(*asked, "--uit", str(files[0]), "--uit", str(files[1])) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["uithoudingsvermogen"][0]["dagen"] == [1, 2, 4, 7, 14]
    shifts = told["rooster"]["diensten"]
    assert shifts
    assert len(files[0].read_text(encoding="utf-8").splitlines()) == len(shifts) + 1
    assert files[1].read_text(encoding="utf-8").startswith("<svg")


def test_the_command_says_what_is_short_and_why(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(read_toyland()[0].areas.area_id[0])
    assert run(str(plan_file), "--plaats", place, "--formatie", "basispeloton:50", "--dagen", "0.5") == 0
    told = capsys.readouterr().out
    assert "TEKORT basiseenheid: in 3 van 3 diensten zijn er van 200 posten" in told
    assert "voor het eerst op 01-07 om 08:00" in told


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [(("--dagen", "0"), 2, "meer dan 0"), (("--begin", "morgen"), 2, "geen tijdstip"), (("--uit", "a.pdf"), 2, ".csv")],
)
def test_the_command_refuses_in_words(
    plan_file: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], code: int, says: str
) -> None:
    assert run(str(plan_file), "--formatie", "basiseenheid:1", *more) == code
    assert says in capsys.readouterr().err
