"""From the norm that was in force, by what was measured, to the version that is proposed."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest

from slagkracht.lessons import Lesson, adopt_lesson, advance_lesson, draw_lessons, trace_lesson
from slagkracht.performance import Observed, Performance, Responses
from slagkracht.rules import Rule, Rules, RuleVersion, rule_in_force
from toyland import read_toyland

DAY = datetime.date
NORM = Rule(
    "bvr-3.2.1", "objectnorm", "Opkomsttijd", "voorbeeld", "vastgesteld", "",
    (RuleVersion(DAY(2010, 10, 1), None, {"grens_s": 480}),),
)  # fmt: skip


def measured(in_time: float, high: float, promised: float, judged: int = 200) -> Performance:
    plan, _ = read_toyland()
    codes = plan.regions.code
    count = 1 + len(codes)

    def column(whole: float, first: float) -> np.ndarray:
        return np.array([whole, first] + [np.nan] * (count - 2))

    observed = Observed(
        start=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), end_s=1.0, incident=np.array(["i1", "i2"]),
        kind=np.array(["brand"] * 2), level=np.array(["klein"] * 2), area=np.zeros(2, np.int32),
        opened_s=np.zeros(2), sent_to=np.zeros(0, np.int32), unit=np.zeros(0, np.int32), alarmed_s=np.zeros(0),
        arrived_s=np.zeros(0), back_s=np.zeros(0), unmet_to=np.array([1], np.int32),
        unmet_what=np.array(["redvoertuig"]), unmet_count=np.array([1], np.int32),
        unmet_reason=np.array(["eigen_inzet"]), strangers={},
    )  # fmt: skip
    responses = Responses(
        group=np.array(["land"] + ["regio"] * len(codes)), name=np.array(["alle regio's", *codes]),
        incidents=np.full(count, judged), percentile_s=np.zeros((count, 4)),
        judged=np.array([judged, judged] + [0] * (count - 2)), in_time=column(in_time, in_time),
        low=column(0, 0), high=column(high, high), promised=column(promised, promised),
    )  # fmt: skip
    zeros = np.zeros(1)
    below = np.zeros(len(codes))
    return Performance(
        observed=observed, norm="bvr-3.2.1", window="dag", responses=responses, late=np.array([0], np.int32),
        late_response_s=zeros, late_limit_s=zeros, alarms=np.zeros(1, np.int64), busy_s=zeros, crew_hours=zeros,
        station_alarms=np.zeros(1, np.int64), station_busy_s=zeros, below_floor_s=below, lowest_share=below + 0.9,
        unmet=(("redvoertuig", "eenheden zijn in eigen regio ingezet", 1),),
    )  # fmt: skip


def lessons_of(performance: Performance) -> tuple[Lesson, ...]:
    plan, _ = read_toyland()
    return draw_lessons(performance, replace(plan, rules=Rules((NORM,))), "week-3")


def test_a_region_that_misses_its_promise_beyond_chance_is_a_candidate() -> None:
    plan, _ = read_toyland()
    lesson = lessons_of(measured(0.60, 0.66, 0.80))[0]
    assert (lesson.kind, lesson.region, lesson.rule) == ("norm", str(plan.regions.code[0]), "bvr-3.2.1")
    assert (lesson.lesson, lesson.status, lesson.rule_from) == ("week-3-1", "waarneming", DAY(2010, 10, 1))
    assert (lesson.observed, lesson.expected) == (0.60, 0.80)
    assert lesson.incidents == ("i1",)
    assert "60,0 %" in lesson.what
    assert "80,0 %" in lesson.what


def test_what_may_be_chance_is_no_lesson() -> None:
    kinds = [lesson.kind for lesson in lessons_of(measured(0.60, 0.66, 0.65))]
    assert kinds == ["middel"]
    assert [lesson.kind for lesson in lessons_of(measured(0.0, 0.2, 0.9, judged=5))] == ["middel"]


def test_time_below_the_floor_and_what_did_not_come_are_candidates() -> None:
    performance = measured(0.9, 0.95, 0.9)
    below = performance.below_floor_s.copy()
    below[0] = 7_200.0
    floor, resource = lessons_of(replace(performance, below_floor_s=below))
    assert (floor.kind, floor.observed) == ("ondergrens", 2.0)
    assert (resource.kind, resource.resource, resource.incidents) == ("middel", "redvoertuig", ("i2",))


def test_the_whole_way_from_norm_to_new_version() -> None:
    lesson = lessons_of(measured(0.60, 0.66, 0.80))[0]
    proposed = RuleVersion(DAY(2027, 1, 1), None, {"grens_s": 540})
    adopted = advance_lesson(advance_lesson(advance_lesson(lesson, "les"), "voorstel", proposed), "aangenomen")
    rule = adopt_lesson(NORM, adopted)
    rules = Rules((rule,))
    assert rule_in_force(rules, "bvr-3.2.1", DAY(2026, 12, 31))[1] == {"grens_s": 480}
    assert rule_in_force(rules, "bvr-3.2.1", DAY(2027, 1, 1))[1] == {"grens_s": 540}
    assert [line.split(":")[0] for line in trace_lesson(adopted).lines] == [
        "norm", "inzet", "waarneming", "les", "voorstel",
    ]  # fmt: skip
    assert "01-10-2010" in trace_lesson(adopted).lines[0]


def test_steps_that_do_not_follow_are_refused() -> None:
    lesson = lessons_of(measured(0.60, 0.66, 0.80))[0]
    with pytest.raises(ValueError, match="daarop volgt"):
        advance_lesson(lesson, "aangenomen")
    agreed = advance_lesson(lesson, "les")
    with pytest.raises(ValueError, match="voorgestelde versie"):
        advance_lesson(agreed, "voorstel")
    with pytest.raises(ValueError, match="niet na de versie"):
        advance_lesson(agreed, "voorstel", RuleVersion(DAY(2009, 1, 1), None, {}))
    with pytest.raises(ValueError, match="niet wijzigen"):
        adopt_lesson(NORM, agreed)
    with pytest.raises(ValueError, match="niets meer"):
        advance_lesson(advance_lesson(lesson, "afgewezen"), "les")
