"""Coverage added up: who is in time per nation, region, municipality or class, and the gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slagkracht.areas import Areas
from slagkracht.coverage.judge import Coverage
from slagkracht.regions import Regions

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

LEVELS = ("land", "regio", "gemeente", "klasse")
"""What a coverage can be added up by."""


@dataclass(frozen=True, eq=False)
class CoverageTable:
    """A coverage added up ``by`` one of LEVELS, one row per name; people are counted where the norm says something.

    ``name`` str [G] · ``population`` float64 [G] that the norm speaks about · ``in_time`` people in time · ``share``
    of them (nan where nobody is judged) · ``expected_share`` mean chance of being in time (nan = no chances) ·
    ``unreachable`` people to whom nobody can come · ``median_s``, ``p90_s`` response time that 50 % and 90 % of people
    have at most (inf = for them nobody comes) · ``objects``, ``objects_in_time``, ``objects_share``
    the same for objects of all classes together; by "klasse" of an object norm a row is one class of objects.
    """

    norm: str
    window: str
    by: str
    name: Strings
    population: Doubles
    in_time: Doubles
    share: Doubles
    expected_share: Doubles
    unreachable: Doubles
    median_s: Doubles
    p90_s: Doubles
    objects: Doubles
    objects_in_time: Doubles
    objects_share: Doubles

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, eq=False)
class Gaps:
    """Every place that is not in time, worst first: longest beyond the norm, then most people.

    ``area`` int32 [G] row of Areas · ``late_s`` float32 [G] time beyond the limit (inf = nobody can come; below
    zero where the median is in time but the chance is too small) · ``population`` float32 [G] behind the gap ·
    ``objects`` float32 [G] objects there that are not in time.
    """

    area: Indices
    late_s: Floats
    population: Floats
    objects: Floats

    def __len__(self) -> int:
        return len(self.area)


def compute_table(coverage: Coverage, areas: Areas, regions: Regions, by: str = "land") -> CoverageTable:
    """``coverage`` added up by one of LEVELS. Raises ValueError for another level."""
    if by == "land":
        names, group = np.array(["Nederland"]), np.zeros(len(areas), dtype=np.intp)
    elif by == "regio":
        names, group = regions.code, areas.region.astype(np.intp)
    elif by == "gemeente":
        names, group = np.unique(areas.municipality, return_inverse=True)
    elif by == "klasse":
        names, group = np.unique(coverage.area_class, return_inverse=True)
    else:
        raise ValueError(f"optellen per {by!r} kan niet: kies uit {', '.join(LEVELS)}")
    judged = ~np.isnan(coverage.limit_s)
    people = np.where(judged, coverage.population, 0).astype(np.float64)
    counted = np.where(np.isnan(coverage.object_limit_s), 0, coverage.objects).astype(np.float64)
    objects = counted.sum(axis=1)
    objects_in_time = (counted * coverage.objects_in_time).sum(axis=1)

    def add(weight: Doubles) -> Doubles:
        return add_up(weight, group, len(names))

    population, in_time = add(people), add(people * coverage.in_time)
    chances = np.where(judged, coverage.chance, 0).astype(np.float64)
    median_s, p90_s = compute_percentiles(coverage.response_s, people, group, len(names), (0.5, 0.9))
    table = CoverageTable(
        norm=coverage.norm,
        window=coverage.window,
        by=by,
        name=names,
        population=population,
        in_time=in_time,
        share=_share(in_time, population),
        expected_share=_share(add(people * chances), population),
        unreachable=add(people * (coverage.unit < 0)),
        median_s=median_s,
        p90_s=p90_s,
        objects=add(objects),
        objects_in_time=add(objects_in_time),
        objects_share=_share(add(objects_in_time), add(objects)),
    )
    return table


def compute_class_table(coverage: Coverage) -> CoverageTable:
    """One row per object class: its objects, how many of them are in time, and their response times."""
    counted = np.where(np.isnan(coverage.object_limit_s), 0, coverage.objects).astype(np.float64)
    objects = counted.sum(axis=0)
    in_time = (counted * coverage.objects_in_time).sum(axis=0)
    percentiles = [
        compute_percentiles(coverage.response_s, column, np.zeros(len(coverage), dtype=np.intp), 1, (0.5, 0.9))
        for column in counted.T
    ]
    empty = np.zeros(len(objects))
    unreachable = counted[coverage.unit < 0].sum(axis=0)
    return CoverageTable(
        norm=coverage.norm,
        window=coverage.window,
        by="objectklasse",
        name=np.array(coverage.object_classes, dtype=np.str_),
        population=empty,
        in_time=empty,
        share=np.full(len(objects), np.nan),
        expected_share=np.full(len(objects), np.nan),
        unreachable=unreachable,
        median_s=np.array([p[0][0] for p in percentiles]),
        p90_s=np.array([p[1][0] for p in percentiles]),
        objects=objects,
        objects_in_time=in_time,
        objects_share=_share(in_time, objects),
    )


def compute_gaps(coverage: Coverage) -> Gaps:
    """Where ``coverage`` falls short for people or for objects, worst first."""
    missed = ~np.isnan(coverage.object_limit_s) & ~coverage.objects_in_time & (coverage.objects > 0)
    objects = np.where(missed, coverage.objects, 0).sum(axis=1)
    people = np.where(~np.isnan(coverage.limit_s) & ~coverage.in_time, coverage.population, 0)
    rows = np.flatnonzero((people > 0) | (objects > 0))
    strictest = np.fmin(
        np.where(people[rows] > 0, coverage.limit_s[rows], np.nan),
        np.min(np.where(missed[rows], coverage.object_limit_s[rows], np.inf), axis=1, initial=np.inf),
    )
    late_s = np.where(np.isfinite(coverage.response_s[rows]), coverage.response_s[rows] - strictest, np.inf)
    order = np.lexsort((rows, -people[rows], -late_s))
    chosen = rows[order]
    return Gaps(
        area=chosen.astype(np.int32),
        late_s=late_s[order].astype(np.float32),
        population=people[chosen].astype(np.float32),
        objects=objects[chosen].astype(np.float32),
    )


def compute_percentiles(
    value: npt.NDArray[np.floating],
    weight: Doubles,
    group: npt.NDArray[np.intp],
    groups: int,
    shares: tuple[float, ...],
) -> tuple[Doubles, ...]:
    """Per group the smallest value that at least a share of its weight does not exceed: one float64 [groups] per share.

    inf counts as a value (nobody comes); nan for a group without weight.
    """
    heavy = np.flatnonzero(weight > 0)
    order = heavy[np.lexsort((value[heavy], group[heavy]))] if groups > 1 else heavy[np.argsort(value[heavy])]
    total = np.cumsum(weight[order])
    last = np.searchsorted(group[order], np.arange(groups), side="right") - 1
    first = np.searchsorted(group[order], np.arange(groups), side="left")
    before = np.where(first > 0, total[first - 1], 0.0) if len(total) else np.zeros(groups)
    present = last >= first
    answers = []
    for share in shares:
        answer = np.full(groups, np.nan)
        wanted = before[present] + share * (total[last[present]] - before[present])
        place = np.searchsorted(total, wanted * (1 - 1e-12), side="left")
        answer[present] = value[order[np.clip(place, first[present], last[present])]]
        answers.append(answer)
    return tuple(answers)


def add_up(weight: npt.NDArray[Any], group: npt.NDArray[np.integer], groups: int) -> Doubles:
    """The sum of ``weight`` per group: float64 [groups]."""
    return np.bincount(group, weights=weight, minlength=groups).astype(np.float64)


def _share(part: Doubles, whole: Doubles) -> Doubles:
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share
