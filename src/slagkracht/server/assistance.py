"""A request for assistance and its procedure as one thing: what the ledger does, the dossier of article 51 follows."""

from __future__ import annotations

import datetime
from typing import Any

from slagkracht.log import NATIONAL_CHAIN
from slagkracht.procedures import StepRefusedError
from slagkracht.server import dossiers, ledger, move_ups
from slagkracht.server.database import Row, Scope
from slagkracht.server.offers import Weighed, check_offer, weigh

PROCEDURE = "bijstandsaanvraag"


def request_assistance(
    scope: Scope,
    incident: str,
    ground: str,
    mandate: str,
    signed_by: str,
    lines: list[ledger.Wanted],
    neighbour: str = "",
    text: str = "",
    agreement: str = "",
    urgency: str = "",
    happened_at: datetime.datetime | None = None,
) -> str:
    """A request as ``ledger.make_request`` makes it, with its dossier; returns the request's id.

    Who may sign, signs: the letter and its notices are made at once. Otherwise the dossier waits for who may.
    ``agreement`` and ``urgency`` are what a direct request (article 51, fifth paragraph) rests on.
    """
    request = ledger.make_request(scope, incident, ground, mandate, signed_by, lines, neighbour, text, happened_at)
    open_case(scope, request)
    if ground == ledger.BY_NEIGHBOUR:
        answers = {
            "buurregio": neighbour,
            "afspraak_in_crisisplan": agreement or "niet vermeld",
            "reden_van_spoed": urgency or text or "niet vermeld",
        }
        follow(scope, request, "rechtstreeks", answers)
    else:
        follow(scope, request, "ondertekenen", {"mandaat": mandate})
    return request


def open_case(scope: Scope, request: str) -> str:
    """Begins the dossier of a request of the acting region; returns its id.

    A direct request is no business of the centre until its owner shows it: then its dossier is not either.
    """
    row = scope.row("select * from slagkracht.request where request_id = %s", request)
    if row is None or row["region"] != scope.region:
        raise ledger.NotFoundError("deze aanvraag is hier niet bekend")
    centre = row["ground"] == ledger.BY_MINISTER
    dossier = dossiers.open_dossier(scope, PROCEDURE, {"aanvrager": scope.region}, centre=centre)
    scope.run("update slagkracht.request set dossier_id = %s where request_id = %s", dossier, request)
    return dossier


def follow(scope: Scope, request: str, step: str, answers: dict[str, Any]) -> bool:
    """Takes the step of the dossier that follows from what the ledger did, where it is open to whoever acts.

    False where it is not: then the dossier waits for who may, and says so on screen.
    """
    row = scope.row("select dossier_id from slagkracht.request where request_id = %s", request)
    if row is None or row["dossier_id"] is None:
        return False
    try:
        with scope.connection.transaction():
            dossiers.take_dossier_step(scope, row["dossier_id"], step, answers)
    except (StepRefusedError, ledger.NotFoundError):
        return False
    return True


def ask_regions(
    scope: Scope, request: str, regions: list[str], happened_at: datetime.datetime | None = None
) -> list[str]:
    """As ``ledger.ask_regions``; asked by the centre, the request is granted and put out."""
    audience = ledger.ask_regions(scope, request, regions, happened_at)
    if scope.region == NATIONAL_CHAIN:
        follow(scope, request, "inwilligen", {})
    return audience


def offer_units(
    scope: Scope,
    line: str,
    units: list[str],
    count: int | None,
    conditions: str = "",
    knowingly: str = "",
    happened_at: datetime.datetime | None = None,
    weighed: Weighed | None = None,
) -> str:
    """As ``ledger.offer_units``; a neighbour that was asked directly promises with it. ``count`` None = what they make.

    Raises LedgerError for more formations than the units make, and where the own floor is passed without a reason
    (``knowingly``). ``weighed`` where whoever asks had it weighed already.
    """
    row = scope.row("select * from slagkracht.request_line where line_id = %s", line)
    if row is not None:
        weighed = weighed or weigh(scope, row, units)
        count = count or weighed.makes or 1
        knowingly = check_offer(weighed, row, count, knowingly)
    offer = ledger.offer_units(scope, line, units, count or 1, conditions, knowingly, happened_at)
    row = _line(scope, line)
    follow(scope, row["request_id"], "buur_zegt_toe", {"toezeggingen": f"{count} × {row['formation']}"})
    return offer


def accept_offer(scope: Scope, offer: str, happened_at: datetime.datetime | None = None) -> list[str]:
    """As ``ledger.accept_offer``; with it the assistance is granted."""
    made = ledger.accept_offer(scope, offer, happened_at)
    row = scope.row("select line_id, count, region from slagkracht.offer where offer_id = %s", offer)
    assert row is not None
    line = _line(scope, row["line_id"])
    answers = {"toezeggingen": f"{row['count']} × {line['formation']} van {row['region']}"}
    step = "toezeggen" if scope.region == NATIONAL_CHAIN else "aanvaarden"
    follow(scope, line["request_id"], step, answers)
    return made


def move_commitment(
    scope: Scope,
    commitment: str,
    step: str,
    happened_at: datetime.datetime | None = None,
    reason: str = "",
    text: str = "",
) -> tuple[int, list[str]]:
    """As ``ledger.move_commitment``; returns the new version, and the units that were sent home from a move-up with it.

    Who was lent while standing in elsewhere stands in no longer when it is home. Once all that a region lent on a line
    is home, who stood in for it goes home too.
    """
    version, ended = ledger.move_commitment(scope, commitment, step, happened_at, reason, text), list[str]()
    if step == "unit_home":
        row = scope.row("select line_id, unit_id from slagkracht.commitment where commitment_id = %s", commitment)
        assert row is not None
        if row["unit_id"] in {each["unit_id"] for each in move_ups.read_move_ups(scope)}:
            move_ups.end_move_up(scope, row["unit_id"], happened_at)
        ended = move_ups.return_all_for(scope, row["line_id"])
    return version, ended


def close_request(
    scope: Scope, request: str, happened_at: datetime.datetime | None = None
) -> list[tuple[str, int, str]]:
    """As ``ledger.close_request``; a request that nothing was promised for is withdrawn with it."""
    unmet = ledger.close_request(scope, request, happened_at)
    met = scope.row("select sum(met) as met from slagkracht.request_line where request_id = %s", request)
    if met is None or not met["met"]:
        follow(scope, request, "intrekken", {"reden": "gesloten zonder toezegging"})
    return unmet


def close_incident(scope: Scope, incident: str, happened_at: datetime.datetime | None = None) -> list[str]:
    """As ``ledger.close_incident``; what is still asked for it is closed with it. Returns those requests."""
    ledger.close_incident(scope, incident, happened_at)
    asked = _open_requests(scope, "q.incident_id = %s", incident)
    for request in asked:
        close_request(scope, request, happened_at)
    return asked


def close_overdue(scope: Scope) -> list[str]:
    """Closes the requests of the acting region of which every line is over, as of that moment; returns them."""
    overdue = _open_requests(scope, f"q.region = %s and {ENDS} <= %s", scope.region, scope.at)
    for request in overdue:
        row = scope.row(
            f"select greatest({ENDS}, q.made_at) as at from slagkracht.request q where request_id = %s", request
        )
        assert row is not None
        close_request(scope, request, row["at"])
    return overdue


ENDS = (
    "(select max(l.needed_by + l.hours * interval '1 hour') from slagkracht.request_line l "
    "where l.request_id = q.request_id)"
)
"""When the last line of a request is over: from then on nobody can meet it."""


def _open_requests(scope: Scope, where: str, *values: object) -> list[str]:
    rows = scope.rows(
        f"select q.request_id from slagkracht.request q where q.world = %s and q.closed_at is null and {where} "
        "order by q.request_id",
        scope.world,
        *values,
    )
    return [row["request_id"] for row in rows]


def _line(scope: Scope, line: str) -> Row:
    row = scope.row("select * from slagkracht.request_line where line_id = %s", line)
    assert row is not None
    return row
