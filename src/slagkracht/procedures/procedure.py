"""A procedure as data: states, steps, who may take them, on what ground, and the terms that run meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from slagkracht.procedures.working_days import UNITS

EACH = "elk"
"""The party of a step that every region takes once, for itself."""

STATUSES = ("vastgesteld", "te verifiëren")

KINDS = ("tekst", "stuk", "keuze", "datum", "regio", "plan")
"""What a field can hold: words; a text whose versions are laid side by side; one of its choices; a day; a region; the
fingerprint of a plan."""


@dataclass(frozen=True)
class Role:
    """Someone who can act: ``code`` as steps name it, ``dutch`` as screens do; ``national`` = above the regions."""

    code: str
    dutch: str
    national: bool


@dataclass(frozen=True)
class Span:
    """A length of time: ``amount`` in ``unit`` (one of UNITS)."""

    amount: int
    unit: str


@dataclass(frozen=True)
class State:
    """Where a dossier can be. ``final`` = it stays there; ``public`` = what is Open of it may be read by everyone."""

    code: str
    dutch: str
    final: bool
    public: bool = False


@dataclass(frozen=True)
class Field:
    """What a step asks under ``name``: its ``kind`` (one of KINDS), the ``choices`` of a keuze, may it stay empty.

    ``public`` = everyone may read it once the dossier is in a public state.
    """

    name: str
    dutch: str
    kind: str = "tekst"
    choices: tuple[str, ...] = ()
    optional: bool = False
    public: bool = False


@dataclass(frozen=True)
class Needs:
    """What must have gone before: ``count`` times step ``step``, of which only those that answered ``answer`` count.

    ``answer`` is (field, allowed values); None = every one counts. Of a step that every region takes, a region counts
    once, by what it said last.
    """

    step: str
    count: int
    answer: tuple[str, tuple[str, ...]] | None


@dataclass(frozen=True)
class Step:
    """What can be done in a state.

    ``from_states`` → ``to`` ("" = the dossier stays where it is) · ``roles`` who may · ``party`` which of the
    dossier's parties that person must act for ("" = none in particular, "elk" = every region once; a field that an
    earlier step asked = the region that was filled in there) · ``ground`` the
    legal ground · ``asks`` fields to fill in · ``documents`` that it makes · ``wait`` how long
    it must have been in the state · ``needs`` what must have gone before · ``again`` a region may take it again while
    the dossier stands there, and what it said last counts · ``when`` (field, values): only when that was answered last.
    """

    code: str
    dutch: str
    from_states: tuple[str, ...]
    to: str
    roles: tuple[str, ...]
    party: str
    ground: str
    asks: tuple[str, ...]
    documents: tuple[str, ...]
    wait: Span | None
    needs: tuple[Needs, ...]
    again: bool = False
    when: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Term:
    """A term that runs while a dossier is in ``state``; when it passes, ``then`` is taken by force of the procedure.

    ``then`` "" = nothing happens by itself, but everyone sees it (``dutch``). ``status`` "te verifiëren" is shown so.
    """

    code: str
    dutch: str
    state: str
    span: Span
    then: str
    source: str
    status: str


@dataclass(frozen=True)
class Procedure:
    """One procedure file. ``parties`` names who takes part besides whoever holds a national role.

    ``fields`` tells how what steps ask is filled in; what is not told of is text that may not be empty.
    """

    code: str
    dutch: str
    version: int
    source: str
    status: str
    begin: str
    parties: tuple[str, ...]
    states: tuple[State, ...]
    steps: tuple[Step, ...]
    terms: tuple[Term, ...]
    fields: tuple[Field, ...] = ()


def find_field(procedure: Procedure, name: str) -> Field:
    """How the field ``name`` of a procedure is filled in."""
    told = next((field for field in procedure.fields if field.name == name), None)
    return told or Field(name, name.replace("_", " ").capitalize())


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
    known = {role.code for role in roles}
    for step in procedure.steps:
        faults += _step_faults(procedure, step, states, steps, known)
    for term in procedure.terms:
        faults += _term_faults(procedure, term, states, steps)
    for field in procedure.fields:
        faults += _field_faults(procedure, field)
    faults += _way_faults(procedure, states)
    return faults


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
    procedure: Procedure, step: Step, states: dict[str, State], steps: dict[str, Step], roles: set[str]
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
        same = other.code > term.code and other.state == term.state and other.span == term.span
        if same and term.then and other.then and other.then != term.then:
            faults.append(f"{name} en {other.code!r} verstrijken tegelijk en spreken elkaar tegen")
    return faults


def _span_faults(name: str, span: Span) -> list[str]:
    faults = []
    if span.amount <= 0:
        faults.append(f"{name}: duur {span.amount} moet meer dan nul zijn")
    if span.unit not in UNITS:
        faults.append(f"{name}: eenheid {span.unit!r}: kies uit {', '.join(UNITS)}")
    return faults


def _days(span: Span) -> tuple[float, float]:
    """The least and the most calendar days that a span can take."""
    least = {"uren": 1 / 24, "werkdagen": 1.0, "weken": 7.0, "maanden": 28.0, "jaren": 365.0}.get(span.unit, 1.0)
    most = {"uren": 1 / 24, "werkdagen": 2.0, "weken": 7.0, "maanden": 31.0, "jaren": 366.0}.get(span.unit, 1.0)
    return span.amount * least, span.amount * most + (0 if span.unit == "uren" else 4)


def _way_faults(procedure: Procedure, states: dict[str, State]) -> list[str]:
    """States that cannot be reached, cannot be left, or from which no end can be reached."""
    onward: dict[str, set[str]] = {code: set() for code in states}
    for step in procedure.steps:
        for from_state in step.from_states:
            if from_state in onward and step.to in states and step.to != from_state:
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
