"""Dossiers and board decisions in the database: the procedure files decide, the log remembers."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
import os
import secrets
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from slagkracht.decisions import DecisionRefusedError, check_decision
from slagkracht.log import NATIONAL_CHAIN
from slagkracht.procedures import (
    Dossier,
    Procedure,
    Role,
    StepRefusedError,
    Taken,
    Who,
    last_answer,
    pass_terms,
    publish,
    start,
    take_step,
)
from slagkracht.procedures.dossier import BY_TERM
from slagkracht.procedures.procedure import EACH
from slagkracht.server import papers
from slagkracht.server.database import Addresses, Row, Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger import (
    ChangedMeanwhileError,
    LedgerError,
    NotAllowedError,
    NotFoundError,
    ask_regions,
    close_request,
)
from slagkracht.sources.procedure_files import NATIONAL, read_procedures

CLOCK = ZoneInfo("Europe/Amsterdam")
"""Terms run on Dutch days."""

UNMET = {"ingetrokken": "ingetrokken", "afgewezen": "afgewezen_door_minister"}
"""The states in which a request for assistance ends, each with why its lines stay unmet."""

ADOPTION, BOARD_STEP = "landelijk_plan", "bestuur_besluit"
"""The procedure by which a plan is adopted, and the step in it by which a board decides."""


@functools.cache
def read_known() -> dict[str, Procedure]:
    """The procedures of the house, and those in the folder that SLAGKRACHT_PROCEDURES names; read once per start.

    Raises RefusalError with everything that is wrong with them.
    """
    more = os.environ.get("SLAGKRACHT_PROCEDURES", "")
    return read_procedures(NATIONAL, Path(more) if more else None)[0]


@functools.cache
def read_roles() -> dict[str, Role]:
    """Who may act in them, by code."""
    return read_procedures()[1]


def lay_procedures(addresses: Addresses) -> None:
    """Gives the database the procedures that the platform runs on, by which it guards every dossier itself."""
    national = [code for code, role in read_roles().items() if role.national]
    with psycopg.connect(addresses.owner) as owner, owner.cursor() as cursor:
        cursor.execute("lock table slagkracht.procedure; delete from slagkracht.procedure")
        cursor.executemany(
            "insert into slagkracht.procedure (code, content) values (%s, %s)",
            [
                (code, json.dumps({**dataclasses.asdict(procedure), "national": national}))
                for code, procedure in read_known().items()
            ],
        )


def read_register(scope: Scope) -> list[tuple[str, Procedure, dict[str, Any]]]:
    """What everyone may read: (dossier, procedure, what ``publish`` tells of it), whoever asks."""
    told = []
    for row in scope.rows("select * from slagkracht.public_register()"):
        procedure = read_known().get(row["procedure"])
        if procedure is not None and (public := publish(procedure, unpack(row))) is not None:
            told.append((row["dossier_id"], procedure, public))
    return sorted(told, key=lambda each: str(each[2]["fields"].get("functie", "")))


DAYS = ("datum", "ingangsdatum", "vervaldatum")
"""What of a board's decision is a day."""


def find_quorum() -> int:
    """How many boards must have adopted a plan before it is noted as adopted: the procedure says so, no law does."""
    needs = [needs for step in read_known()[ADOPTION].steps for needs in step.needs if needs.step == BOARD_STEP]
    return max((each.count for each in needs), default=0)


def open_dossier(scope: Scope, procedure: str, parties: dict[str, str], centre: bool = True) -> str:
    """Begins a dossier of the acting region, and returns its id. Its parties see it, and (``centre``) the centre.

    A procedure that every region takes part in is seen by all of them; a region that a step names sees it from then on.
    """
    found = _procedure(procedure)
    dossier = start(found, f"P-{scope.region}-{secrets.token_hex(5)}", parties, scope.at)
    audience = {*parties.values(), *([NATIONAL_CHAIN] if centre else [])}
    if any(step.party == EACH for step in found.steps):
        audience |= {row["region"] for row in scope.rows("select region from slagkracht.region")}
    scope.insert(
        "dossier",
        dossier_id=dossier.dossier,
        region=scope.region,
        audience=sorted(audience - {scope.region}),
        procedure=procedure,
        content=json.dumps(_pack(dossier)),
    )
    _tell(scope, dossier, "", sorted(audience))
    return dossier.dossier


def take_dossier_step(
    scope: Scope, dossier: str, step: str, answers: dict[str, Any], version: int | None = None
) -> int:
    """Takes a step in a dossier on behalf of who is acting, and returns the new version.

    Raises StepRefusedError when the procedure does not allow it, ChangedMeanwhileError when someone else was first.
    """
    row = scope.row("select * from slagkracht.dossier where dossier_id = %s for update", dossier)
    if row is None:
        raise NotFoundError("dossier {dossier} is hier niet bekend", dossier=dossier)
    if version is not None and version != row["version"]:
        raise ChangedMeanwhileError("dossier {dossier} is intussen een stap verder", dossier=dossier)
    found, procedure = unpack(row), find_procedure(row)
    if procedure is None:
        raise LedgerError(
            "dossier {dossier} staat stil: zijn procedure kent dit platform niet, of niet met de toestand {state!r}",
            dossier=dossier,
            state=found.state,
        )
    now = max(scope.at, found.since)  # who waited for another's step takes his own after it
    before = pass_terms(procedure, found, now)
    who = Who(scope.actor, "" if scope.region == NATIONAL_CHAIN else scope.region, scope.roles)
    after = take_step(procedure, before, step, who, now, answers)
    regions = {known["region"] for known in scope.rows("select region from slagkracht.region")}
    named = regions & {str(answer) for answer in answers.values()}
    if _is_national(procedure, after.state):
        named.add(NATIONAL_CHAIN)
    audience = sorted({*row["audience"], *named} - {row["region"]})
    scope.run(
        "update slagkracht.dossier set content = %s, audience = %s, version = version + 1 where dossier_id = %s",
        json.dumps(_pack(after)),
        audience,
        dossier,
    )
    _tell_passed(scope, found, before, [row["region"], *audience])
    _tell(scope, after, step, [row["region"], *audience])
    asked = scope.row("select * from slagkracht.request where dossier_id = %s", dossier)
    if asked is not None and NATIONAL_CHAIN in named and NATIONAL_CHAIN not in asked["audience"]:
        ask_regions(scope, asked["request_id"], [NATIONAL_CHAIN])  # what the centre decides on, it sees
    if asked is not None and asked["closed_at"] is None and after.state in UNMET:
        close_request(scope, asked["request_id"], reason=UNMET[after.state])
    if (procedure.code, step) == (ADOPTION, BOARD_STEP):
        note_decision(scope, _as_decision(after))
    papers.make_documents(scope, next(each for each in procedure.steps if each.code == step), row, answers)
    return int(row["version"]) + 1


def pass_due_terms(scope: Scope) -> list[str]:
    """Applies the terms that passed in the acting region's dossiers, as their procedures say; returns which moved.

    The log says that it was by force of the procedure, and at which moment the term passed.
    """
    moved = []
    rows = scope.rows(
        "select * from slagkracht.dossier where region = %s order by dossier_id for update skip locked", scope.region
    )
    for row in rows:
        procedure = find_procedure(row)
        if procedure is None:
            continue
        found = unpack(row)
        after = pass_terms(procedure, found, scope.at)
        if after == found:
            continue
        scope.run(
            "update slagkracht.dossier set content = %s, version = version + 1 where dossier_id = %s",
            json.dumps(_pack(after)),
            row["dossier_id"],
        )
        _tell_passed(scope, found, after, [row["region"], *row["audience"]])
        moved.append(str(row["dossier_id"]))
    return moved


def decide_on_plan(scope: Scope, decision: dict[str, Any]) -> str:
    """What the board of the acting region decided: a step in the dossier where that plan lies before it; its id.

    Where no dossier of exactly this plan lies before the boards, the decision is noted by itself: no region waits for
    the others to decide about its own plan.
    """
    step = next(step for step in read_known()[ADOPTION].steps if step.code == BOARD_STEP)
    for row in scope.rows("select * from slagkracht.dossier where procedure = %s order by dossier_id", ADOPTION):
        found = unpack(row)
        if found.state in step.from_states and last_answer(found, "verantwoording") == decision["verantwoording"]:
            told = {name: value for name, value in decision.items() if name not in ("plan", "verantwoording")}
            days = {name: day.isoformat() for name, day in told.items() if isinstance(day, datetime.date)}
            take_dossier_step(scope, row["dossier_id"], BOARD_STEP, {**told, **days})
            made = scope.row(
                "select max(decision_id) as made from slagkracht.board_decision where region = %s", scope.region
            )
            assert made is not None
            return str(made["made"])
    return note_decision(scope, decision)


def _as_decision(dossier: Dossier) -> dict[str, Any]:
    """What the last step of a dossier says that a board decided, about the plan of that dossier."""
    said = dossier.taken[-1].answers
    days = {name: datetime.date.fromisoformat(said[name]) if said.get(name) else None for name in DAYS}
    return {
        "bestuursorgaan": said.get("bestuursorgaan") or "algemeen bestuur",
        "plan": last_answer(dossier, "plan"),
        "verantwoording": last_answer(dossier, "verantwoording"),
        "besluit": said["besluit"],
        "voorbehoud": said.get("voorbehoud") or "",
        **days,
    }


def note_decision(scope: Scope, decision: dict[str, Any]) -> str:
    """Notes what the board of the acting region decided about a plan, and returns the decision's id."""
    made = lay_decision(scope, decision)
    days = {name: day and day.isoformat() for name, day in decision.items() if name in DAYS}
    told = {**decision, **days, "decision": made, "receipt": decision["verantwoording"]}
    record(scope, "decision_recorded", {**told, "text": f"{decision['besluit']}: {decision['plan']}"}, [NATIONAL_CHAIN])
    return made


def lay_decision(scope: Scope, decision: dict[str, Any]) -> str:
    """What the board of the acting region decided about a plan, as a row alone; returns its id.

    Raises StepRefusedError when what it says contradicts itself.
    """
    if scope.region == NATIONAL_CHAIN:
        raise NotAllowedError("een plan wordt vastgesteld door het bestuur van een regio")
    try:
        said = (decision[name] for name in ("besluit", "datum", "ingangsdatum", "vervaldatum", "voorbehoud"))
        check_decision(*said)
    except DecisionRefusedError as error:
        raise StepRefusedError(str(error)) from error
    if decision["datum"] > scope.at.astimezone(CLOCK).date():
        raise StepRefusedError(
            f"het besluit van {decision['datum']:%d-%m-%Y} moet nog genomen worden: teken op wat besloten is"
        )
    row = scope.row(
        "insert into slagkracht.board_decision (world, region, body, plan_name, receipt, outcome, decided_on, starts, "
        "ends, reservation) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning decision_id",
        scope.world,
        scope.region,
        *(decision[name] for name in ("bestuursorgaan", "plan", "verantwoording", "besluit", "datum", "ingangsdatum")),
        decision["vervaldatum"],
        decision["voorbehoud"],
    )
    if row is None:
        raise LedgerError("het besluit is niet opgetekend")
    return str(row["decision_id"])


def _procedure(code: str) -> Procedure:
    procedures = read_known()
    if code not in procedures:
        raise NotFoundError(
            "procedure {code!r} bestaat niet; wel: {procedures}", code=code, procedures=", ".join(procedures)
        )
    return procedures[code]


def find_procedure(row: Row) -> Procedure | None:
    """The procedure that a dossier goes by; None where it is gone, or knows no (more) where the dossier stands."""
    procedure = read_known().get(row["procedure"])
    known = procedure is not None and any(state.code == row["content"]["state"] for state in procedure.states)
    return procedure if known else None


def _is_national(procedure: Procedure, state: str) -> bool:
    """Whether somebody above the regions can take a step in this state."""
    _, roles = read_procedures()
    return any(roles[role].national for step in procedure.steps if state in step.from_states for role in step.roles)


def _tell(scope: Scope, dossier: Dossier, step: str, audience: list[str]) -> None:
    told = {"dossier": dossier.dossier, "procedure": dossier.procedure, "step": step, "state": dossier.state}
    record(scope, "step_taken", told, audience)


def _tell_passed(scope: Scope, before: Dossier, after: Dossier, audience: list[str]) -> None:
    for taken in after.taken[len(before.taken) :]:
        told = {"dossier": after.dossier, "procedure": after.procedure, "step": taken.step, "state": after.state}
        record(scope, "step_taken", {**told, "by": BY_TERM, **taken.answers}, audience, taken.at)


def _pack(dossier: Dossier) -> dict[str, Any]:
    taken = [{**step.__dict__, "at": step.at.isoformat()} for step in dossier.taken]
    return {**dossier.__dict__, "since": dossier.since.isoformat(), "taken": taken}


def unpack(row: Row) -> Dossier:
    """A dossier as the procedures read it, with its moments on the Dutch clock."""
    content = row["content"]

    def instant(text: str) -> datetime.datetime:
        return datetime.datetime.fromisoformat(text).astimezone(CLOCK)

    taken = tuple(Taken(**{**step, "at": instant(step["at"])}) for step in content["taken"])
    return Dossier(**{**content, "since": instant(content["since"]), "taken": taken})
