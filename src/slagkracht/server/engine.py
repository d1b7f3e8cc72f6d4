"""The seam to the engine: the plan in force, loaded once, and what it says about the units as they stand now."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from slagkracht.coverage import (
    Coverage,
    Nearest,
    Variant,
    apply_variant,
    compute_coverage,
    compute_nearest,
    norms_in_force,
)
from slagkracht.coverage.variants import Reach
from slagkracht.log import Situation, StandingAt, UnitState, compute_standing_at
from slagkracht.log.situation import EMPTY
from slagkracht.plan import Plan, compute_hash, compute_plan_travel, compute_reach
from slagkracht.resources import Standing, compute_standing
from slagkracht.rules import Rule, Rules, rule_in_force
from slagkracht.server.database import Scope
from slagkracht.sources.facts import read_municipalities
from slagkracht.sources.rule_files import read_rules
from slagkracht.strength import (
    Cover,
    Floors,
    Formation,
    MoveUps,
    Posture,
    Strength,
    compute_doctrine,
    compute_first_regions,
    compute_lost_areas,
    compute_move_ups_for,
    compute_residual,
    compute_strength,
    compute_strength_map,
)
from slagkracht.strength.floors import compute_plan_cover, floors_in_force
from slagkracht.travel import UNREACHABLE, Travel

CLOCK = ZoneInfo("Europe/Amsterdam")
PLATOON, RANKS = "basispeloton", (1, 4)
"""The formation, and which of them, that strength on the planner's desk is told by."""

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Engine:
    """A plan with everything that is computed from it once: ``row_of`` unit id → row of the plan's units."""

    plan: Plan
    plan_hash: str
    travel: Travel
    nearest: Nearest
    formations: dict[str, Formation]
    municipality: dict[str, str]
    row_of: dict[str, int]


@dataclass(frozen=True, eq=False)
class Picture:
    """The units as they stand at a moment, and what the regions keep: ``residual`` and ``floor`` float64 [R].

    ``cover`` of the free units where they are · ``usual`` what the plan itself reaches in this window · ``age_s``
    float32 [N] how old the newest fact about a unit is (infinite: the plan speaks).
    """

    at: datetime.datetime
    window: str
    standing: Standing
    age_s: npt.NDArray[np.float32]
    cover: Cover
    residual: Doubles
    usual: Cover
    floors: Floors


@dataclass(frozen=True, eq=False)
class Cost:
    """What it costs when units go: ``before``, ``after`` and ``floor`` shares of one region, and the ``areas`` lost."""

    before: float
    after: float
    floor: float
    areas: npt.NDArray[np.int32]
    residents: float


_engine: Engine | None = None


def load(plan: Plan) -> Engine:
    """Makes ``plan`` the one that every screen asks, and computes what is computed once."""
    global _engine
    travel = compute_plan_travel(plan)
    facts = read_municipalities()
    _engine = Engine(
        plan,
        compute_hash(plan),
        travel,
        compute_nearest(travel),
        compute_doctrine(plan.rules, plan.day).formations,
        dict(zip(facts.code.tolist(), facts.name.tolist(), strict=True)),
        {unit: row for row, unit in enumerate(plan.units.unit_id.tolist())},
    )
    return _engine


def warm_up(engine: Engine, at: datetime.datetime) -> None:
    """Computes beforehand what the first screen and the first proposal ask for at ``at``."""
    picture = compute_picture(engine, EMPTY, at)
    area = find_middle(engine, str(engine.plan.regions.code[0]))
    chosen = propose(engine, picture, [(PLATOON, 1)], area)
    propose(engine, picture, [(PLATOON, 1)], area, gone=chosen.unit_formation >= 0)  # as after a first offer


def warm_up_answers(engine: Engine, at: datetime.datetime) -> None:
    """Asks beforehand, of the plan as it stands at ``at``, each other kind of answer that compiles when first asked.

    A machine compiles once for as long as the installation lasts; after that this takes about as long as one answer.
    """
    picture = compute_picture(engine, EMPTY, at)
    area = find_middle(engine, str(engine.plan.regions.code[0]))
    chosen = propose(engine, picture, [(PLATOON, 1)], area)
    compute_move_ups(engine, picture, engine.plan.units.unit_id[chosen.unit_formation >= 0].tolist())
    compare_platoons(engine, engine.plan, engine.travel, picture.window, [area])


def unload() -> None:
    """Leaves the platform without a plan, as an installation is before one was loaded."""
    global _engine
    _engine = None


def current() -> Engine | None:
    """The plan that the screens ask; None on an installation that has none yet."""
    return _engine


@functools.cache
def read_windows() -> list[dict[str, str]]:
    text = (resources.files("slagkracht") / "nl" / "vocabulary" / "windows.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def window_at(at: datetime.datetime) -> str:
    """The time window of the vocabulary that ``at`` lies in, by the Dutch clock."""
    local = at.astimezone(CLOCK)
    clock = f"{local:%H:%M}"
    for row in read_windows():
        first, last = (int(day) for day in row["days"].split("-"))
        night = row["end"] < row["start"]
        inside = (clock >= row["start"] or clock < row["end"]) if night else row["start"] <= clock < row["end"]
        if first <= local.isoweekday() <= last and inside:
            return row["window"]
    raise ValueError(f"{local:%d-%m-%Y %H:%M} ligt in geen tijdvenster; pas windows.csv aan")


HIDDEN = "afgeschermd"
"""What holds a unit where whoever looks may know that it is held, and not by what."""


@functools.cache
def _read_rules() -> Rules:
    return read_rules()


def read_near_m(at: datetime.datetime) -> float:
    """How near to a station a place that was reported must lie for a unit to stand there (m)."""
    return float(rule_in_force(_read_rules(), "op-de-kazerne", at.astimezone(CLOCK).date())[1]["afstand_m"])


def read_situation(scope: Scope, engine: Engine, as_ordered: bool = False) -> Situation:
    """The units as the acting region may see them: status, place, and what holds them now.

    ``as_ordered`` takes who is on the way in a move-up, there or home, as being there: for what is weighed ahead.
    """
    rows = scope.rows(
        "select u.unit_id, u.status, u.status_at, p.x_m, p.y_m, p.place_at, p.move_up, p.moving_up, p.moving_back, "
        "p.move_up_x_m, p.move_up_y_m, c.commitment_id, "
        "h.unit_id is not null as held "
        "from slagkracht.unit u left join slagkracht.unit_place p using (world, unit_id) "
        "left join slagkracht.commitment c on c.world = u.world and c.unit_id = u.unit_id and c.step <> 'unit_home' "
        "left join slagkracht.held_units() h on h.unit_id = u.unit_id where u.world = %s",
        scope.world,
    )
    stations, units, near_m = engine.plan.stations, {}, read_near_m(scope.at)
    for row in rows:
        number = engine.row_of.get(row["unit_id"])
        if number is None:
            continue
        station = engine.plan.units.station[number]
        if as_ordered and row["moving_up"]:
            row |= {"x_m": row["move_up_x_m"], "y_m": row["move_up_y_m"], "moving_up": False}
            row |= {"move_up": ""} if row["moving_back"] else {}
        away = row["x_m"] is not None and (
            abs(row["x_m"] - stations.x_m[station]) + abs(row["y_m"] - stations.y_m[station]) > near_m
        )
        units[row["unit_id"]] = UnitState(
            unit=row["unit_id"],
            status=row["status"] or "",
            status_at=row["status_at"],
            x_m=row["x_m"] if away else None,
            y_m=row["y_m"] if away else None,
            place_at=row["place_at"],
            commitment=row["commitment_id"] or (HIDDEN if row["held"] else ""),
            move_up=row["move_up"] or "",
            moving_up=bool(row["moving_up"]),
        )
    return dataclasses.replace(EMPTY, units=units)


@functools.lru_cache(maxsize=16)
def _usual(engine: Engine, window: str) -> tuple[Cover, Floors]:
    """What the plan itself reaches in a window, and the floors that follow from it."""
    cover = compute_plan_cover(engine.plan, _plan_standing(engine, window), engine.travel)
    return cover, floors_in_force(engine.plan, cover)


def _plan_standing(engine: Engine, window: str) -> Standing:
    return compute_standing(engine.plan.units, engine.plan.stations, window)


def compute_picture(engine: Engine, situation: Situation, at: datetime.datetime) -> Picture:
    """How the country stands with the units of ``situation`` where they are, and the others where the plan has them."""
    window = window_at(at)
    usual, floors = _usual(engine, window)
    seen: StandingAt = compute_standing_at(situation, engine.plan, window, at)
    cover = compute_plan_cover(engine.plan, seen.standing, engine.travel)
    return Picture(at, window, seen.standing, seen.age_s, cover, cover.share, usual, floors)


def find_area(engine: Engine, x_m: float, y_m: float) -> int:
    """The area (row) whose point lies nearest to a place."""
    return int(np.argmin(np.hypot(engine.plan.areas.x_m - x_m, engine.plan.areas.y_m - y_m)))


def find_middle(engine: Engine, region: str) -> int:
    """The area (row) of ``region`` with most residents: where its figures are asked from."""
    mine = engine.plan.areas.region == region_row(engine, region)
    return int(np.argmax(np.where(mine, engine.plan.areas.population, -1)))


def region_row(engine: Engine, region: str) -> int:
    return int(np.flatnonzero(engine.plan.regions.code == region)[0])


def propose(
    engine: Engine,
    picture: Picture,
    asked: Sequence[tuple[str, int]],
    area: int,
    *,
    only: str = "",
    without: Sequence[str] = (),
    gone: Flags | None = None,
    keep_floors: bool = True,
) -> Strength:
    """Whom to send to an area for (formation code, how many): of one region (``only``), or of all but ``without``.

    Where doctrine assigns a formation to a region, that region brings the first of it, unless it is passed by.
    ``gone`` bool [N] units that were offered or proposed already: they go nowhere else, and hold nothing at home.
    """
    standing = picture.standing
    codes = engine.plan.regions.code[standing.region]
    free = standing.free & (codes == only if only else ~np.isin(codes, list(without)))
    regions = engine.plan.regions.code.tolist()
    here = int(engine.plan.areas.region[area])
    first = {} if only else compute_first_regions(engine.formations.values(), regions, here)
    return compute_strength(
        dataclasses.replace(standing, free=free),
        engine.travel.drive_s[area],
        [(engine.formations[code], count) for code, count in asked],
        picture.cover,
        picture.floors if keep_floors else None,
        away=gone,
        first={code: region for code, region in first.items() if regions[region] not in without},
    )


def compute_cost(engine: Engine, picture: Picture, region: str, units: Sequence[str]) -> Cost:
    """What ``region`` gives up when its ``units`` go now. Raises KeyError for a unit that the plan does not know."""
    away = _away(engine, picture, units)
    r = region_row(engine, region)
    lost = compute_lost_areas(picture.cover, away)
    lost = lost[engine.plan.areas.region[lost] == r]
    lost = lost[np.argsort(-engine.plan.areas.population[lost], kind="stable")]
    after = compute_residual(picture.cover, away)
    return Cost(
        float(picture.residual[r]),
        float(after[r]),
        float(picture.floors.share[r]),
        lost,
        float(engine.plan.areas.population[lost].sum()),
    )


def compute_due(engine: Engine, picture: Picture, unit: str, x_m: float, y_m: float) -> datetime.datetime | None:
    """When a unit that leaves now stands at a place: its turnout and the drive; None where no road leads there."""
    row = engine.row_of[unit]
    drive_s = int(engine.travel.drive_s[find_area(engine, x_m, y_m), picture.standing.origin[row]])
    if drive_s == UNREACHABLE:
        return None
    return picture.at + datetime.timedelta(seconds=float(picture.standing.turnout_s[row]) + drive_s)


def compute_move_ups(engine: Engine, picture: Picture, units: Sequence[str]) -> MoveUps:
    """Which units should stand where so that floors hold again when ``units`` go now. Raises KeyError, NoRuleError."""
    posture = Posture(
        engine.plan, picture.window, engine.travel, picture.standing, picture.cover, picture.floors, engine.formations
    )
    return compute_move_ups_for(posture, _away(engine, picture, units))


def _away(engine: Engine, picture: Picture, units: Sequence[str]) -> Flags:
    away = np.zeros(len(picture.standing), dtype=np.bool_)
    away[[engine.row_of[unit] for unit in units]] = True
    return away


@functools.lru_cache(maxsize=8)
def judge_plan(engine: Engine, norm: str, window: str) -> Coverage:
    """The plan judged by one norm in one window."""
    return compute_coverage(
        engine.plan, engine.travel, windows=(window,), norms=(norm,), chance=False, nearest=engine.nearest
    )[0]


def judge_variant(engine: Engine, variant: Variant, norm: str, window: str) -> tuple[Plan, Travel, Coverage]:
    """A variant of the plan, judged by the same norm. Raises ValueError, in Dutch, for an edit that cannot be."""
    plan, travel = apply_variant(engine.plan, engine.travel, variant, _reach(engine))
    nearest = engine.nearest if travel is engine.travel else None
    judged = compute_coverage(plan, travel, windows=(window,), norms=(norm,), chance=False, nearest=nearest)[0]
    return plan, travel, judged


def compute_variant_hash(engine: Engine, variant: Variant) -> str:
    """The fingerprint of the plan that a variant makes. Raises ValueError, in Dutch, for an edit that cannot be."""
    return compute_hash(apply_variant(engine.plan, engine.travel, variant, _reach(engine))[0])


def compare_platoons(
    engine: Engine, plan: Plan, travel: Travel, window: str, areas: Sequence[int]
) -> tuple[Floats, Floats]:
    """When the platoons of RANKS stand whole in each of ``areas``: in the plan, and in an edited ``plan``.

    Both float32 [a, RANKS], seconds from the alarm, every floor held (inf = never). The floors are those that follow
    from the plan as it is: an edit that costs coverage does not lower the bar for itself.
    """
    usual, floors = _usual(engine, window)
    standing = compute_standing(plan.units, plan.stations, window)
    cover = compute_plan_cover(plan, standing, travel)
    here = np.asarray(areas, dtype=np.intp)
    wanted = [(engine.formations[PLATOON], RANKS)]
    before = compute_strength_map(_plan_standing(engine, window), engine.travel.drive_s[here], wanted, usual, floors)
    own = floors_in_force(plan, usual)
    after = compute_strength_map(standing, travel.drive_s[here], wanted, cover, own)
    return before.complete_s, after.complete_s


@functools.lru_cache(maxsize=2)
def _reach(engine: Engine) -> Reach | None:
    return compute_reach(engine.plan) if engine.plan.roads is not None else None


def describe_rule(engine: Engine, code: str) -> Rule:
    """The rule that the plan holds now under a code. Raises NoRuleError."""
    return rule_in_force(engine.plan.rules, code, engine.plan.day)[0]


def norms(engine: Engine) -> tuple[str, ...]:
    """The norms that can be asked of the plan."""
    return norms_in_force(engine.plan)


def read_plan_to_serve(path: str) -> Plan:
    """The plan that SLAGKRACHT_PLAN names, or Modelnederland where it names none."""
    if path:
        from slagkracht.sources.plan_files import read_plan

        return read_plan(Path(path))
    from slagkracht.sources.modelland import build_modelland

    return build_modelland()
