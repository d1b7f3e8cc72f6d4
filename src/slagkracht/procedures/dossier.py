"""One case going through a procedure: which steps are open to whom, which term runs, and what a passed term does."""

from __future__ import annotations

import dataclasses
import datetime
import re
from dataclasses import dataclass
from typing import Any

from slagkracht.procedures.procedure import EACH, Field, Needs, Procedure, Step, Term, find_field
from slagkracht.procedures.working_days import compute_end

BY_TERM = "van rechtswege"
"""The role under which a step is taken when a term passes."""


REGION = re.compile("VR(0[1-9]|1[0-9]|2[0-5])")


@dataclass(frozen=True)
class Who:
    """Someone acting: as which function, for which region ("" = a national body), in which roles."""

    actor: str
    region: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Taken:
    """A step that was taken: by whom, for which region, when, and what was filled in."""

    step: str
    actor: str
    region: str
    role: str
    at: datetime.datetime
    answers: dict[str, Any]


@dataclass(frozen=True)
class Dossier:
    """One case: in which state since when, for which parties (name → region), and every step so far."""

    dossier: str
    procedure: str
    version: int
    parties: dict[str, str]
    state: str
    since: datetime.datetime
    taken: tuple[Taken, ...]


@dataclass(frozen=True)
class Deadline:
    """A term that runs: ``ends_at`` is the moment at which it has passed."""

    term: Term
    ends_at: datetime.datetime


class StepRefusedError(ValueError):
    """A step that may not be taken now, by this person. The message says why and who may, or when."""


def start(procedure: Procedure, dossier: str, parties: dict[str, str], at: datetime.datetime) -> Dossier:
    """A new dossier in the first state.

    Raises StepRefusedError when a party is missing, does not belong, is no region, or is the same region as another
    where the procedure keeps them apart.
    """
    if set(parties) != set(procedure.parties):
        needed = ", ".join(procedure.parties) or "geen"
        raise StepRefusedError(f"{procedure.dutch} heeft als partijen nodig: {needed}; gegeven: {', '.join(parties)}")
    if strange := [f"{name} {region[:20]}" for name, region in parties.items() if not REGION.fullmatch(region)]:
        raise StepRefusedError(f"{procedure.dutch}: een partij is een regio, VR01 tot en met VR25; niet {strange[0]}")
    if procedure.apart and len(set(parties.values())) < len(parties):
        raise StepRefusedError(f"{procedure.dutch}: {' en '.join(parties)} zijn niet dezelfde regio")
    return Dossier(dossier, procedure.code, procedure.version, parties, procedure.begin, at, ())


def available_steps(procedure: Procedure, dossier: Dossier, who: Who, at: datetime.datetime) -> tuple[Step, ...]:
    """The steps that ``who`` may take in this dossier at this moment, in the order of the procedure."""
    return tuple(step for step in procedure.steps if not why_not(procedure, dossier, step, who, at))


def why_not(procedure: Procedure, dossier: Dossier, step: Step, who: Who, at: datetime.datetime) -> str:
    """Why ``who`` may not take ``step`` now, in a sentence ("" = it may)."""
    state = next(s.dutch for s in procedure.states if s.code == dossier.state)
    if dossier.state not in step.from_states:
        return f"{step.dutch!r} kan niet zolang het dossier {state!r} is"
    if not who.roles & set(step.roles):
        return f"{step.dutch!r} is aan {' of '.join(step.roles) or BY_TERM}, niet aan {who.actor}"
    if step.party == EACH:
        if not who.region:
            return f"{step.dutch!r} is aan elke regio zelf"
        here = [t for t in dossier.taken if t.step == step.code and t.region == who.region and t.at >= dossier.since]
        if here and not step.again:
            return f"{who.region} heeft {step.dutch!r} al gezet"
    elif step.party and (party := _party(dossier, step.party)) != who.region:
        return f"{step.dutch!r} is aan {party or 'niemand'}, niet aan {who.region or 'een landelijk orgaan'}"
    if step.wait is not None:
        open_at = compute_end(dossier.since, step.wait.amount, step.wait.unit)
        if at < open_at:
            return f"{step.dutch!r} kan pas vanaf {open_at:%d-%m-%Y %H:%M}"
    if step.when is not None and (said := last_answer(dossier, step.when[0])) not in step.when[1]:
        field = find_field(procedure, step.when[0])
        return f"{step.dutch!r} kan alleen bij {field.dutch} {' of '.join(step.when[1])}, niet bij {said or 'niets'}"
    for needs in step.needs:
        if (n := _count(procedure, dossier, needs)) < needs.count:
            asked = next(each.dutch for each in procedure.steps if each.code == needs.step)
            return f"{step.dutch!r} vraagt {needs.count} keer {asked!r}; het staat op {n}"
    return ""


def last_answer(dossier: Dossier, name: str) -> Any:
    """What was last filled in under ``name``; "" when nothing was."""
    return next((taken.answers[name] for taken in reversed(dossier.taken) if name in taken.answers), "")


def _party(dossier: Dossier, name: str) -> str:
    """The region that a party stands for: as the dossier began, or as a step last named it."""
    return str(last_answer(dossier, name) or dossier.parties.get(name, ""))


def _count(procedure: Procedure, dossier: Dossier, needs: Needs) -> int:
    step = next(step for step in procedure.steps if step.code == needs.step)
    here = dossier.state in step.from_states
    taken = [t for t in dossier.taken if t.step == needs.step and (t.at >= dossier.since or not here)]
    if step.party == EACH:
        taken = list({t.region: t for t in taken}.values())
    return sum(needs.answer is None or t.answers.get(needs.answer[0]) in needs.answer[1] for t in taken)


def check_answer(field: Field, value: Any) -> str:
    """What is wrong with ``value`` in ``field``, in a few words; "" when nothing is."""
    if _is_empty(value):
        return "" if field.optional else "mag niet leeg zijn"
    text = str(value)
    if field.kind == "keuze" and text not in field.choices:
        return f"kies uit {', '.join(field.choices)}"
    if field.kind == "datum":
        try:
            datetime.date.fromisoformat(text)
        except ValueError:
            return "schrijf een dag als 2026-07-01"
    if field.kind == "regio" and not REGION.fullmatch(text):
        return "noem een regio als VR06"
    if field.kind == "plan" and not re.fullmatch(r"[0-9a-f]{64}", text):
        return "een vingerafdruk van een plan: 64 tekens 0-9 en a-f"
    return ""


def _is_empty(value: Any) -> bool:
    return value is None or not str(value).strip()


def take_step(
    procedure: Procedure, dossier: Dossier, step: str, who: Who, at: datetime.datetime, answers: dict[str, Any]
) -> Dossier:
    """The dossier after ``who`` took ``step``, having filled in ``answers``.

    Raises StepRefusedError when the step does not exist, is not open to them now, a field was left empty, or something
    was filled in that another step asks: nobody rewrites in passing what was laid before the others.
    """
    found = next((s for s in procedure.steps if s.code == step), None)
    if found is None:
        raise StepRefusedError(f"{procedure.dutch} kent geen stap {step!r}")
    if reason := why_not(procedure, dossier, found, who, at):
        raise StepRefusedError(reason)
    told_elsewhere = {*procedure.parties, *(name for other in procedure.steps for name in other.asks)} - {*found.asks}
    if strange := sorted(told_elsewhere & set(answers)):
        raise StepRefusedError(f"{found.dutch!r} vraagt niet naar {', '.join(strange)}: dat is aan een andere stap")
    fields = [find_field(procedure, name) for name in found.asks]
    if empty := [field.name for field in fields if not field.optional and _is_empty(answers.get(field.name))]:
        raise StepRefusedError(f"{found.dutch!r}: vul in {', '.join(empty)}")
    if wrong := [f"{f.dutch}: {words}" for f in fields if (words := check_answer(f, answers.get(f.name)))]:
        raise StepRefusedError(f"{found.dutch!r}: {'; '.join(wrong)}")
    role = next(role for role in found.roles if role in who.roles)
    return _after(dossier, found, Taken(step, who.actor, who.region, role, at, answers))


def _after(dossier: Dossier, step: Step, taken: Taken) -> Dossier:
    after = dataclasses.replace(dossier, taken=(*dossier.taken, taken))
    if step.to in ("", dossier.state):
        return after
    return dataclasses.replace(after, state=step.to, since=taken.at)


def compute_deadlines(procedure: Procedure, dossier: Dossier) -> tuple[Deadline, ...]:
    """The terms that run in the present state, the first to pass first."""
    running = (
        Deadline(term, compute_end(dossier.since, term.span.amount, term.span.unit))
        for term in procedure.terms
        if term.state == dossier.state
    )
    return tuple(sorted(running, key=lambda deadline: deadline.ends_at))


def pass_terms(procedure: Procedure, dossier: Dossier, at: datetime.datetime) -> Dossier:
    """The dossier after every term that passed before ``at`` did what the procedure says, at the moment it passed."""
    while True:
        passed = [d for d in compute_deadlines(procedure, dossier) if d.term.then and d.ends_at <= at]
        if not passed:
            return dossier
        step = next(s for s in procedure.steps if s.code == passed[0].term.then)
        answers = {"termijn": passed[0].term.code}
        dossier = _after(dossier, step, Taken(step.code, BY_TERM, "", BY_TERM, passed[0].ends_at, answers))
