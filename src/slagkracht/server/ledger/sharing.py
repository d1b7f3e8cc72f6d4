"""Who may see what: a region shares with another until a moment, and gives what is its own an information class."""

from __future__ import annotations

import datetime

from slagkracht.server.database import Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger.ground import NOUNS, LedgerError, NotAllowedError, find_own, new_id


def share(scope: Scope, receiver: str, tier: str, until: datetime.datetime, redaction: list[str] | None = None) -> str:
    """Lets ``receiver`` see what is the acting region's own, up to a tier, until a moment. Returns the consent's id."""
    if until <= scope.at or receiver == scope.region:
        raise LedgerError("delen is met een ander en heeft een einde dat nog komen moet")
    consent = new_id("D", scope)
    scope.insert(
        "consent",
        consent_id=consent,
        region=scope.region,
        receiver=receiver,
        tier=tier,
        redaction=redaction or [],
        until=until,
    )
    told = {"consent": consent, "receiver": receiver, "tier": tier, "until": until.isoformat()}
    record(scope, "sharing_granted", {**told, "redaction": redaction or []}, [receiver])
    return consent


def stop_sharing(scope: Scope, consent: str) -> None:
    """Ends a consent of the acting region, from now on."""
    row = find_own(scope, "consent", consent)
    if row["ended_at"] is not None:
        raise LedgerError("toestemming {consent} is al beëindigd", consent=consent)
    scope.run("update slagkracht.consent set ended_at = clock_timestamp() where consent_id = %s", consent)
    record(scope, "sharing_ended", {"consent": consent}, [row["receiver"]])


def classify(scope: Scope, what: str, key: str, information_class: str) -> None:
    """Gives an incident, a unit or a dossier of the acting region another class, and the facts about it with it.

    Raises NotAllowedError for a class above one's own mandate, or for what is another's or not there.
    """
    done = scope.row("select slagkracht.classify(%s, %s, %s) as done", what, key, information_class)
    if done is None or not done["done"]:
        raise NotAllowedError(
            "{what} {key} is hier niet {information_class} te maken: van een ander, of boven uw mandaat",
            what=NOUNS.get(what, what),
            key=key,
            information_class=information_class,
        )
    record(scope, "classified", {what: key, "information_class": information_class})
