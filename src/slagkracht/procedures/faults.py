"""What makes a procedure unfit to execute: found when its file is read, so that no dossier ever gets stuck in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from slagkracht.procedures.procedure import (
    EACH,
    KINDS,
    STATUSES,
    Field,
    Procedure,
    Role,
    Span,
    State,
    Step,
    Term,
    find_field,
)
from slagkracht.procedures.working_days import UNITS

CODE = re.compile("[a-z][a-z0-9_]*")
"""What can stand in an address, a form and a file name."""

REGIONS = 25
"""How many regions take a step of every region."""

LONGEST_DAYS = 100 * 366 + 4
"""Beyond this a term is a mistake, and its end may lie beyond the calendar."""


def find_faults(procedure: Procedure, roles: Iterable[Role]) -> list[str]:
    """Everything that makes a procedure unfit to execute, in Dutch; empty when nothing does."""
    states = {state.code: state for state in procedure.states}
    steps = {step.code: step for step in procedure.steps}
    faults = [
        f"{what} {code!r} staat er {n} keer"
        for what, codes in (
            ("toestand", [s.code for s in procedure.states]),
            ("stap", [s.code for s in procedure.steps]),
            ("termijn", [t.code for t in procedure.terms]),
            ("veld", [f.name for f in procedure.fields]),
        )
        for code, n in Counter(codes).items()
        if n > 1
    ]
    if procedure.begin not in states:
        faults.append(f"de begintoestand {procedure.begin!r} bestaat niet")
    if procedure.status not in STATUSES:
        faults.append(f"status {procedure.status!r}: kies uit {', '.join(STATUSES)}")
    known = {role.code: role for role in roles}
    faults += [
        f"{code!r}: een code bestaat uit kleine letters, cijfers en _, en begint met een letter"
        for code in dict.fromkeys([procedure.code, *states, *steps, *(f.name for f in procedure.fields)])
        if not CODE.fullmatch(code)
    ]
    for step in procedure.steps:
        faults += _step_faults(procedure, step, states, steps, known)
    for term in procedure.terms:
        faults += _term_faults(procedure, term, states, steps)
    for field in procedure.fields:
        faults += _field_faults(procedure, field)
    return faults + _circle_faults(procedure, steps) + _never_faults(procedure) + _way_faults(procedure, states)


def _field_faults(procedure: Procedure, field: Field) -> list[str]:
    name = f"veld {field.name!r}"
    faults = []
    if field.kind not in KINDS:
        faults.append(f"{name}: soort {field.kind!r}: kies uit {', '.join(KINDS)}")
    if (field.kind == "keuze") != bool(field.choices):
        faults.append(f"{name}: keuzes horen bij de soort 'keuze', en alleen daarbij")
    if not any(field.name in step.asks for step in procedure.steps):
        faults.append(f"{name}: geen enkele stap vraagt ernaar")
    if field.public and not any(state.public for state in procedure.states):
        faults.append(f"{name}: is openbaar, maar geen enkele toestand is dat")
    return faults


def _answer_faults(procedure: Procedure, name: str, answer: tuple[str, tuple[str, ...]]) -> list[str]:
    """What is wrong with waiting for one of these answers: an answer that nobody can give is never given."""
    field = find_field(procedure, answer[0])
    never = [value for value in answer[1] if field.choices and value not in field.choices]
    faults = [f"{name}: {value!r} is geen keuze van veld {field.name!r}" for value in never]
    return faults if answer[1] else [f"{name}: noem de antwoorden op {field.name!r} die tellen"]


def _step_faults(
    procedure: Procedure, step: Step, states: dict[str, State], steps: dict[str, Step], roles: dict[str, Role]
) -> list[str]:
    name = f"stap {step.code!r}"
    faults = [f"{name}: toestand {s!r} bestaat niet" for s in (*step.from_states, step.to) if s and s not in states]
    faults += [f"{name}: rol {role!r} bestaat niet" for role in step.roles if role not in roles]
    faults += [
        f"{name}: toestand {s!r} is een eindtoestand" for s in step.from_states if s in states and states[s].final
    ]
    by_term = any(term.then == step.code for term in procedure.terms)
    if not step.roles and not by_term:
        faults.append(f"{name}: niemand mag deze stap zetten")
    if not step.from_states:
        faults.append(f"{name}: vanuit geen enkele toestand te zetten")
    named = {field for other in procedure.steps for field in other.asks}
    if step.party not in ("", EACH, *procedure.parties, *named):
        faults.append(f"{name}: partij {step.party!r} doet niet mee; wel: {', '.join(procedure.parties)}")
    if step.party and step.roles and all(role in roles and roles[role].national for role in step.roles):
        faults.append(f"{name}: is van een regio, maar {', '.join(step.roles)} handelt voor geen enkele regio")
    if step.wait is not None:
        faults += _span_faults(f"{name}, wachttijd", step.wait)
        for term in procedure.terms:
            if term.state in step.from_states and term.then and _days(step.wait)[0] > _days(term.span)[1]:
                faults.append(f"{name}: mag pas na termijn {term.code!r} en kan dus nooit gezet worden")
    for needs in step.needs:
        if needs.step not in steps:
            faults.append(f"{name}: wacht op stap {needs.step!r}, die niet bestaat")
        elif needs.answer and needs.answer[0] not in steps[needs.step].asks:
            faults.append(f"{name}: let op {needs.answer[0]!r}, waar stap {needs.step!r} niet om vraagt")
        elif needs.answer:
            faults += _answer_faults(procedure, name, needs.answer)
        if needs.count < 1:
            faults.append(f"{name}: wacht {needs.count} keer op stap {needs.step!r}: noem 1 of meer")
        elif needs.step in steps and steps[needs.step].party == EACH and needs.count > REGIONS:
            faults.append(f"{name}: wacht op {needs.count} regio's, en er zijn er {REGIONS}")
    if step.when and step.when[0] not in named:
        faults.append(f"{name}: let op {step.when[0]!r}, waar geen enkele stap om vraagt")
    elif step.when:
        faults += _answer_faults(procedure, name, step.when)
    if step.again and step.party != EACH:
        faults.append(f"{name}: opnieuw zetten hoort bij een stap van elke regio")
    return faults


def _term_faults(procedure: Procedure, term: Term, states: dict[str, State], steps: dict[str, Step]) -> list[str]:
    name = f"termijn {term.code!r}"
    faults = _span_faults(name, term.span)
    if term.state not in states:
        faults.append(f"{name}: toestand {term.state!r} bestaat niet")
    elif states[term.state].final:
        faults.append(f"{name}: loopt in eindtoestand {term.state!r}")
    if term.then and term.then not in steps:
        faults.append(f"{name}: stap {term.then!r} bestaat niet")
    elif term.then and term.state not in steps[term.then].from_states:
        faults.append(f"{name}: stap {term.then!r} kan niet vanuit {term.state!r}")
    elif term.then and steps[term.then].to in ("", term.state):
        faults.append(f"{name}: stap {term.then!r} verandert de toestand niet")
    if term.status not in STATUSES:
        faults.append(f"{name}: status {term.status!r}: kies uit {', '.join(STATUSES)}")
    for other in procedure.terms:
        same = other.code > term.code and other.state == term.state and _same(other.span) == _same(term.span)
        if same and term.then and other.then and other.then != term.then:
            faults.append(f"{name} en {other.code!r} verstrijken tegelijk en spreken elkaar tegen")
    return faults


def _span_faults(name: str, span: Span) -> list[str]:
    faults = []
    if span.amount <= 0:
        faults.append(f"{name}: duur {span.amount} moet meer dan nul zijn")
    if span.unit not in UNITS:
        faults.append(f"{name}: eenheid {span.unit!r}: kies uit {', '.join(UNITS)}")
    elif _days(span)[1] > LONGEST_DAYS:
        faults.append(f"{name}: duur {span.amount} {span.unit} is langer dan honderd jaar")
    return faults


def _same(span: Span) -> Span:
    """The span in the unit in which others of its length are counted too."""
    times, unit = {"weken": (7, "kalenderdagen"), "jaren": (12, "maanden")}.get(span.unit, (1, span.unit))
    return Span(span.amount * times, unit)


def _days(span: Span) -> tuple[float, float]:
    """The least and the most calendar days that a span can take."""
    least = {"uren": 1 / 24, "werkdagen": 1.0, "weken": 7.0, "maanden": 28.0, "jaren": 365.0}.get(span.unit, 1.0)
    most = {"uren": 1 / 24, "werkdagen": 2.0, "weken": 7.0, "maanden": 31.0, "jaren": 366.0}.get(span.unit, 1.0)
    return span.amount * least, span.amount * most + (0 if span.unit == "uren" else 4)


def _can_be_taken(procedure: Procedure, step: Step, state: str) -> bool:
    """Whether someone may take ``step`` from ``state``, or a term takes it there."""
    by_term = any(term.then == step.code and term.state == state for term in procedure.terms)
    return state in step.from_states and (bool(step.roles) or by_term)


def _circle_faults(procedure: Procedure, steps: dict[str, Step]) -> list[str]:
    """Terms that lead back to where they began: a dossier would go round by itself for ever."""
    onward: dict[str, set[str]] = {}
    for term in procedure.terms:
        if term.then in steps and steps[term.then].to:
            onward.setdefault(term.state, set()).add(steps[term.then].to)
    faults = []
    for state in onward:
        reached, todo = set[str](), list(onward[state])
        while todo:
            at = todo.pop()
            if at not in reached:
                reached.add(at)
                todo.extend(onward.get(at, ()))
        if state in reached:
            faults.append(f"toestand {state!r}: termijnen voeren er vanzelf naar terug, zonder dat iemand iets doet")
    return faults


def _never_faults(procedure: Procedure) -> list[str]:
    """Steps that wait for what cannot go before them, and states that an answer leaves without a way on."""
    reached, taken = {procedure.begin}, set[str]()
    grown = True
    while grown:
        grown = False
        for step in procedure.steps:
            open_at = [
                state for state in step.from_states if state in reached and _can_be_taken(procedure, step, state)
            ]
            if step.code not in taken and open_at and {needs.step for needs in step.needs} <= taken:
                taken.add(step.code)
                reached |= {step.to} - {""}
                grown = True
    faults = [
        f"stap {step.code!r}: wacht op wat er niet aan vooraf kan gaan, en kan dus nooit gezet worden"
        for step in procedure.steps
        if step.code not in taken and step.needs and reached & set(step.from_states)
    ]
    for state in procedure.states:
        ways = [s for s in procedure.steps if s.to not in ("", state.code) and _can_be_taken(procedure, s, state.code)]
        for name in dict.fromkeys(step.when[0] for step in ways if step.when):
            for choice in find_field(procedure, name).choices:
                if not any(s.when is None or s.when[0] != name or choice in s.when[1] for s in ways):
                    faults.append(f"toestand {state.code!r} kan bij {name} {choice!r} niet verlaten worden")
    return faults


def _way_faults(procedure: Procedure, states: dict[str, State]) -> list[str]:
    """States that cannot be reached, cannot be left, or from which no end can be reached."""
    onward: dict[str, set[str]] = {code: set() for code in states}
    for step in procedure.steps:
        for from_state in step.from_states:
            goes_on = step.to in states and step.to != from_state and _can_be_taken(procedure, step, from_state)
            if from_state in onward and goes_on:
                onward[from_state].add(step.to)
    faults = [f"toestand {s!r} kan niet verlaten worden" for s in states if not states[s].final and not onward[s]]
    reached, todo = set(), [procedure.begin] if procedure.begin in states else []
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            todo.extend(onward[state])
    faults += [f"toestand {s!r} kan niet bereikt worden" for s in states if s not in reached]
    ending = {s for s in states if states[s].final}
    if not ending:
        return [*faults, "er is geen eindtoestand"]
    while grown := {s for s in states if s not in ending and onward[s] & ending}:
        ending |= grown
    return faults + [
        f"vanuit toestand {s!r} is geen einde te bereiken" for s in states if s not in ending and onward[s]
    ]
