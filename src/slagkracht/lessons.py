"""What a deployment taught: from the norm in force, by what was measured, to the rule that it asks to change."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from slagkracht.performance import Performance
from slagkracht.plan import Plan
from slagkracht.rules import NoRuleError, Rule, RuleVersion, rule_version_in_force

STATUSES = ("waarneming", "les", "voorstel", "aangenomen", "afgewezen")
"""A lesson's way: observed, agreed to be a lesson, proposed as a change, adopted or turned down."""

STEPS = {
    "waarneming": ("les", "afgewezen"),
    "les": ("voorstel", "afgewezen"),
    "voorstel": ("aangenomen", "afgewezen"),
    "aangenomen": (),
    "afgewezen": (),
}

KINDS = ("norm", "ondergrens", "middel")
"""What a lesson asks to look at: a norm that is missed, a floor that was passed, a resource that was not there."""


@dataclass(frozen=True)
class Lesson:
    """One thing that was learnt, and what it asks to change.

    ``lesson`` its number · ``kind`` one of KINDS · ``region`` whose it is ("" = the nation's) · ``what`` in a Dutch
    sentence with its figures · ``deployment`` which log it was read from · ``incidents`` the incidents that show it ·
    ``rule`` code of the rule, ``rule_from`` the first day of the version in force · ``resource`` the capability
    that was short ("" = none) · ``observed``, ``expected`` the two figures · ``status`` one of STATUSES · ``proposal``
    the rule version that is proposed (None = not yet).
    """

    lesson: str
    kind: str
    region: str
    what: str
    deployment: str
    incidents: tuple[str, ...]
    rule: str
    rule_from: datetime.date | None
    resource: str
    observed: float
    expected: float
    status: str
    proposal: RuleVersion | None = None


@dataclass(frozen=True)
class Trace:
    """A lesson's whole way, one line per step in words that a board can follow."""

    lesson: str
    lines: tuple[str, ...]


def draw_lessons(
    performance: Performance, plan: Plan, deployment: str, *, floor_rule: str = "ondergrens", fewest: int = 20
) -> tuple[Lesson, ...]:
    """Candidate lessons: each region whose measured share lies below its promise beyond chance, each region that was
    below its floor, each capability that was asked for and did not come. People decide which of them are lessons.

    ``deployment`` names the log. A region with fewer than ``fewest`` judged incidents is left alone: too few to tell
    from chance. "Beyond chance": the promise lies above the 95 % interval of what was measured.
    """
    drafts: list[Lesson] = []
    responses, seen = performance.responses, performance.observed
    region_of = plan.areas.region[seen.area]
    for g in np.flatnonzero(responses.group == "regio").tolist():
        promised, measured = float(responses.promised[g]), float(responses.in_time[g])
        if responses.judged[g] < fewest or not np.isfinite(promised) or promised <= responses.high[g]:
            continue
        code = str(responses.name[g])
        row = plan.regions.code.tolist().index(code)
        late = [i for i in performance.late.tolist() if region_of[i] == row]
        what = (
            f"{code} haalt {performance.norm} in {_share(measured)} van {responses.judged[g]} incidenten "
            f"(95 % zeker onder {_share(float(responses.high[g]))}); het plan beloofde {_share(promised)}"
        )
        drafts.append(_draft("norm", code, what, deployment, plan, performance.norm, "", measured, promised,
                             tuple(str(seen.incident[i]) for i in late)))  # fmt: skip
    for r in np.flatnonzero(performance.below_floor_s > 0).tolist():
        code = str(plan.regions.code[r])
        hours = float(performance.below_floor_s[r]) / 3600.0
        lowest = float(performance.lowest_share[r])
        what = f"{code} stond {_figure(hours)} uur onder haar ondergrens; laagste restdekking {_share(lowest)}"
        drafts.append(_draft("ondergrens", code, what, deployment, plan, floor_rule, "", hours, 0.0, ()))
    for capability, reason, count in performance.unmet:
        here = [
            int(to)
            for to, name in zip(seen.unmet_to.tolist(), seen.unmet_what.tolist(), strict=True)
            if name == capability and to >= 0
        ]
        what = f"{count} keer kwam {capability} niet: {reason}"
        drafts.append(_draft("middel", "", what, deployment, plan, "", capability, float(count), 0.0,
                             tuple(dict.fromkeys(str(seen.incident[i]) for i in here))))  # fmt: skip
    return tuple(replace(lesson, lesson=f"{deployment}-{n}") for n, lesson in enumerate(drafts, start=1))


def advance_lesson(lesson: Lesson, status: str, proposal: RuleVersion | None = None) -> Lesson:
    """The lesson one step further. A "voorstel" needs the rule version that it proposes, which starts after the one in
    force. Raises ValueError for a step that does not follow."""
    if status not in STEPS[lesson.status]:
        following = ", ".join(STEPS[lesson.status]) or "niets meer"
        raise ValueError(f"les {lesson.lesson} is {lesson.status}; daarop volgt {following}, niet {status!r}")
    if status == "voorstel":
        if proposal is None:
            raise ValueError(f"les {lesson.lesson}: geef de voorgestelde versie van regel {lesson.rule or '…'} mee")
        if lesson.rule_from is not None and proposal.starts <= lesson.rule_from:
            raise ValueError(
                f"les {lesson.lesson}: het voorstel gaat in op {proposal.starts:%d-%m-%Y}, niet na de versie "
                f"van {lesson.rule_from:%d-%m-%Y} waarover het gaat"
            )
        return replace(lesson, status=status, proposal=proposal)
    return replace(lesson, status=status)


def adopt_lesson(rule: Rule, lesson: Lesson) -> Rule:
    """The rule with the version that the lesson proposed: the open version ends the day before. The old text stays."""
    if lesson.status != "aangenomen" or lesson.proposal is None or rule.code != lesson.rule:
        raise ValueError(f"les {lesson.lesson} is {lesson.status} en kan regel {rule.code!r} niet wijzigen")
    starts = lesson.proposal.starts
    if later := [version for version in rule.versions if version.starts >= starts]:
        raise ValueError(
            f"regel {rule.code!r} heeft al een versie vanaf {later[0].starts:%d-%m-%Y}: kies een latere dag"
        )
    kept = [
        replace(v, ends=starts - datetime.timedelta(days=1)) if v.ends is None or v.ends >= starts else v
        for v in rule.versions
    ]
    return replace(rule, versions=(*kept, lesson.proposal))


def trace_lesson(lesson: Lesson) -> Trace:
    """From the norm's version, by the deployment and what was seen there, to what is proposed."""
    lines = []
    if lesson.rule:
        since = f", versie vanaf {lesson.rule_from:%d-%m-%Y}" if lesson.rule_from else ""
        lines.append(f"norm: {lesson.rule}{since}")
    shown = ", ".join(lesson.incidents[:5]) + (f" en {len(lesson.incidents) - 5} meer" * (len(lesson.incidents) > 5))
    lines.append(f"inzet: {lesson.deployment}" + (f", incidenten {shown}" if lesson.incidents else ""))
    lines.append(f"waarneming: {lesson.what}")
    lines.append(f"les: {lesson.status}" + (f", betreft {lesson.resource}" if lesson.resource else ""))
    if lesson.proposal is not None:
        changes = ", ".join(f"{name} = {value}" for name, value in sorted(lesson.proposal.values.items()))
        lines.append(f"voorstel: {lesson.rule} vanaf {lesson.proposal.starts:%d-%m-%Y}: {changes}")
    return Trace(lesson.lesson, tuple(lines))


def _draft(
    kind: str,
    region: str,
    what: str,
    deployment: str,
    plan: Plan,
    rule: str,
    resource: str,
    observed: float,
    expected: float,
    incidents: tuple[Any, ...],
) -> Lesson:
    starts = None
    if rule:
        try:
            starts = rule_version_in_force(plan.rules, rule, plan.day, region)[1].starts
        except NoRuleError:
            rule = ""
    return Lesson(
        "", kind, region, what, deployment, incidents, rule, starts, resource, observed, expected, STATUSES[0]
    )


def _share(value: float) -> str:
    return f"{100 * value:.1f} %".replace(".", ",")


def _figure(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")
