"""What every part of the ledger stands on: how it refuses, how it finds what is named, and what moment is meant."""

from __future__ import annotations

import datetime
import secrets

from slagkracht.server.database import Row, Scope
from slagkracht.server.engine import CLOCK
from slagkracht.server.refusals import SaidError

AHEAD = datetime.timedelta(minutes=5)
"""So much may clocks differ: a moment that lies no further ahead than this is taken as now."""


class LedgerError(SaidError):
    """Something that cannot be done. The message says why, and what would help."""


class NotFoundError(LedgerError):
    """What was named is not there, or not shared with whoever asks: the two cannot be told apart."""


class NotAllowedError(LedgerError):
    """It is there, but this is not up to whoever asks."""


class AlreadyCommittedError(LedgerError):
    """A unit is already committed elsewhere."""


class ChangedMeanwhileError(LedgerError):
    """Someone else changed it since it was read."""


_KEY = {
    "incident": "incident_id",
    "request": "request_id",
    "request_line": "line_id",
    "offer": "offer_id",
    "commitment": "commitment_id",
    "unit": "unit_id",
    "consent": "consent_id",
}
NOUNS = {
    "incident": "incident",
    "request": "aanvraag",
    "request_line": "regel",
    "offer": "aanbod",
    "commitment": "toezegging",
    "unit": "eenheid",
    "consent": "toestemming",
    "dossier": "dossier",
    "begin": "het begin van het incident",
    "made": "de aanvraag",
    "offered": "het aanbod",
    "entered": "het opvoeren",
    "ended": "de afloop van de bijstand",
    "filed": "het vragen van de rijksbijdrage",
    "rotation": "het vorige rooster",
    "move_up": "de vorige stap van de herbezetting",
}
"""What a refusal speaks of, in the word that screens show."""


def find(scope: Scope, table: str, key: str) -> Row:
    """The row of ``table`` that ``key`` names. Raises NotFoundError where the acting region sees none."""
    row = scope.row(f"select * from slagkracht.{table} where {_KEY[table]} = %s", key)
    if row is None:
        raise NotFoundError("{what} {key} is hier niet bekend", what=NOUNS[table], key=key)
    return row


def find_own(scope: Scope, table: str, key: str) -> Row:
    """The row that ``find`` finds. Raises NotAllowedError where it is another region's."""
    row = find(scope, table, key)
    if row["region"] != scope.region:
        raise NotAllowedError("{what} {key} is van {region}", what=NOUNS[table], key=key, region=row["region"])
    return row


def new_id(letter: str, scope: Scope) -> str:
    """A name that nothing else has, which shows what it is (``letter``) and whose."""
    return f"{letter}-{scope.region}-{secrets.token_hex(5)}"


def parties_of(row: Row) -> list[str]:
    """Who sees an offer or a commitment: who lends, who receives, and whoever they let see it."""
    return [row["region"], row["receiver"], *row["audience"]]


def read_stated(
    scope: Scope, happened_at: datetime.datetime | None, after: datetime.datetime | None = None, what: str = ""
) -> datetime.datetime | None:
    """The moment at which something is said to have happened; None = now. Recorded is always now: the log keeps both.

    Raises LedgerError for a moment in the future, or before ``after``, when ``what`` that it follows was so.
    """
    if happened_at is None:
        return None
    if happened_at > scope.at + AHEAD:
        raise LedgerError("een feit ligt niet in de toekomst")
    if after is not None and happened_at < after:
        raise LedgerError(
            "{moment} ligt voor {what} ({after})",
            moment=f"{happened_at.astimezone(CLOCK):%d-%m-%Y %H:%M}",
            what=what,
            after=f"{after.astimezone(CLOCK):%d-%m-%Y %H:%M:%S}",
        )
    return happened_at if happened_at < scope.at else None
