"""Boards adopting plans, each for itself, with a receipt that anyone can recompute."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from slagkracht.plan import Plan, compute_hash

OUTCOMES = ("vastgesteld", "vastgesteld met voorbehoud", "afgewezen", "aangehouden")
"""What a board can decide. The first two put a plan in force for its region."""


@dataclass(frozen=True)
class Decision:
    """What one board (bestuursorgaan) decided about one plan.

    ``receipt`` the hash of the exact plan (``plan.compute_hash``) · ``decided_on`` datum · ``starts`` ingangsdatum,
    ``ends`` vervaldatum (last day in force; None = until superseded); both None unless the plan was adopted ·
    ``reservation`` voorbehoud ("" = none).
    """

    region: str
    body: str
    plan_name: str
    receipt: str
    outcome: str
    decided_on: datetime.date
    starts: datetime.date | None
    ends: datetime.date | None
    reservation: str


@dataclass(frozen=True)
class Adoption:
    """How far a plan has come on a day: n of all boards, and for whom it is in force since when.

    ``in_force`` region → since · ``waiting`` adopted, but starting later or superseded before it could ·
    ``superseded`` region → the receipt that replaced it · ``refused`` region → outcome · ``undecided`` regions ·
    ``reservations`` region → voorbehoud · ``adopted`` how many boards adopted it · ``has_quorum`` whether that
    reaches ``quorum``.
    """

    receipt: str
    day: datetime.date
    in_force: dict[str, datetime.date]
    waiting: dict[str, datetime.date]
    superseded: dict[str, str]
    refused: dict[str, str]
    undecided: tuple[str, ...]
    reservations: dict[str, str]
    adopted: int
    quorum: int
    has_quorum: bool


class DecisionRefusedError(ValueError):
    """A decision that cannot stand as written. The message says what to change."""


def decide(
    plan: Plan,
    region: str,
    body: str,
    outcome: str,
    decided_on: datetime.date,
    starts: datetime.date | None = None,
    ends: datetime.date | None = None,
    reservation: str = "",
) -> Decision:
    """The decision of ``body``, the board of ``region``, about exactly this plan.

    Raises DecisionRefusedError when the region is not in the plan or the dates contradict each other or the outcome.
    """
    if region not in plan.regions.code:
        raise DecisionRefusedError(f"plan {plan.name!r} gaat niet over {region}")
    check_decision(outcome, decided_on, starts, ends, reservation)
    return Decision(region, body, plan.name, compute_hash(plan), outcome, decided_on, starts, ends, reservation)


def check_decision(
    outcome: str,
    decided_on: datetime.date,
    starts: datetime.date | None,
    ends: datetime.date | None,
    reservation: str,
) -> None:
    """Raises DecisionRefusedError when outcome, dates and reservation contradict each other."""
    if outcome not in OUTCOMES:
        raise DecisionRefusedError(f"onbekend besluit {outcome!r}; kies uit {', '.join(OUTCOMES)}")
    adopts = outcome in OUTCOMES[:2]
    if adopts and starts is None:
        raise DecisionRefusedError(f"bij {outcome!r} hoort een ingangsdatum: vanaf wanneer het plan hier geldt")
    if not adopts and (starts or ends):
        raise DecisionRefusedError(f"bij {outcome!r} hoort geen ingangsdatum en geen vervaldatum")
    if starts is not None and starts < decided_on:
        raise DecisionRefusedError(f"ingangsdatum {starts:%d-%m-%Y} ligt voor het besluit van {decided_on:%d-%m-%Y}")
    if starts is not None and ends is not None and ends < starts:
        raise DecisionRefusedError(f"vervaldatum {ends:%d-%m-%Y} ligt voor ingangsdatum {starts:%d-%m-%Y}")
    if outcome == OUTCOMES[1] and not reservation:
        raise DecisionRefusedError(f"bij {outcome!r} hoort het voorbehoud: schrijf op waaronder")
    if outcome != OUTCOMES[1] and reservation:
        raise DecisionRefusedError(f"bij {outcome!r} hoort geen voorbehoud; met een voorbehoud is het {OUTCOMES[1]!r}")


def decision_in_force(decisions: Iterable[Decision], region: str, day: datetime.date) -> Decision | None:
    """The decision by which a plan is in force for ``region`` on ``day``; None where there is none.

    About each plan the board's last decision counts. Of the adopted ones the plan that started last is in force: it
    supersedes those before it, also after its own expiry. There is no fall-back to an older plan. Of what was decided
    on one day, what stands last in ``decisions`` was decided last.
    """
    standing = {d.receipt: d for d in sorted(decisions, key=_decided_on) if d.region == region and d.decided_on <= day}
    started = [(d.starts, d) for d in standing.values() if d.starts is not None and d.starts <= day]
    if not started:
        return None
    last = max(reversed(started), key=lambda pair: (pair[0], pair[1].decided_on))[1]
    return last if last.ends is None or day <= last.ends else None


def _decided_on(decision: Decision) -> datetime.date:
    return decision.decided_on


def compute_adoption(
    decisions: Iterable[Decision], receipt: str, regions: Iterable[str], day: datetime.date, quorum: int
) -> Adoption:
    """How far the plan with ``receipt`` has come among ``regions`` on ``day``, as decided up to that day.

    Of a board that decided more than once about it, its last decision counts. ``quorum`` is a parameter of the
    procedure: no law makes one region's adoption depend on another's.
    """
    decided = [d for d in decisions if d.decided_on <= day]
    in_force, waiting, superseded, refused, reservations = {}, {}, {}, {}, {}
    undecided = []
    adopted = 0
    for region in regions:
        own = [d for d in decided if d.region == region and d.receipt == receipt]
        if not own:
            undecided.append(region)
            continue
        last = sorted(own, key=_decided_on)[-1]
        if last.starts is None:
            refused[region] = last.outcome
            continue
        adopted += 1
        if last.reservation:
            reservations[region] = last.reservation
        now = decision_in_force(decided, region, day)
        if now is not None and now.receipt == receipt:
            in_force[region] = last.starts
        elif last.starts > day:
            waiting[region] = last.starts
        elif now is not None:
            superseded[region] = now.receipt
    return Adoption(
        receipt,
        day,
        in_force,
        waiting,
        superseded,
        refused,
        tuple(undecided),
        reservations,
        adopted,
        quorum,
        adopted >= quorum,
    )


def verify_receipt(decision: Decision, plan: Plan) -> bool:
    """Whether ``plan`` is, field by field, what the board decided about."""
    return compute_hash(plan) == decision.receipt
