"""Who does what, until when: persons, mandates that end, and functions that pass from hand to hand with both names."""

from __future__ import annotations

import datetime

import psycopg

from slagkracht.log import NATIONAL_CHAIN
from slagkracht.server.database import CLASSES, Addresses, Row, Scope
from slagkracht.server.journal import record
from slagkracht.server.ledger import LedgerError, NotAllowedError, NotFoundError
from slagkracht.sources.procedure_files import read_procedures

ADMIN = "beheerder"
"""The role that keeps the persons and mandates of its region."""


def read_people(own: Scope) -> list[Row]:
    """The persons of the acting region with their mandates in this world, those that ended too (newest end first)."""
    return own.rows(
        "select p.account_id, p.name, m.mandate_id, m.role, m.what, m.information_class, m.starts_at, m.until, "
        "coalesce(m.starts_at <= now() and now() < m.until, false) as holds "
        "from slagkracht.person p left join slagkracht.mandate m on m.account_id = p.account_id "
        "and m.region = slagkracht.own() and m.world = slagkracht.world() "
        "where p.region = slagkracht.own() order by p.name, m.until desc"
    )


def roles_of(region: str) -> dict[str, str]:
    """The roles that a region (or the centre) can give, code → Dutch name."""
    _, roles = read_procedures()
    national = region == NATIONAL_CHAIN
    return {code: role.dutch for code, role in roles.items() if role.national == national} | {ADMIN: "beheerder"}


def add_person(own: Scope, account: int, name: str) -> None:
    """Names the person behind an account, as one of the acting region. By its administrator."""
    _ask(own, "select slagkracht.add_person(%s, %s)", account, name)
    record(own, "note", {"text": f"persoon toegevoegd: {name}"})


def give_mandate(
    own: Scope,
    account: int,
    role: str,
    until: datetime.datetime,
    what: str = "",
    information_class: str = "Intern",
    starts: datetime.datetime | None = None,
) -> int:
    """Lets a person of the acting region act in ``role`` from ``starts`` (now) until a moment; returns its id.

    ``information_class`` is the highest that he sees by it. Raises NotAllowedError for more than the giver may give.
    """
    if role not in roles_of(own.region):
        raise LedgerError(
            "{region} geeft geen mandaat als {role!r}; wel: {roles}",
            region=own.region,
            role=role,
            roles=", ".join(roles_of(own.region)),
        )
    if information_class not in CLASSES:
        raise LedgerError("kies een informatieklasse: {classes}", classes=", ".join(CLASSES))
    starts = starts or own.at
    if until <= max(own.at, starts):
        raise LedgerError("een mandaat heeft een einde dat nog komen moet")
    given = (account, role, what, starts, until, information_class)
    made = _ask(own, "select slagkracht.give_mandate(%s, %s, %s, %s, %s, %s) as made", *given)
    text = f"mandaat {role} voor {_name(own, account)} tot en met {information_class}, tot {until:%d-%m-%Y %H:%M}"
    record(own, "note", {"text": text, "mandate": made["made"]})
    return int(made["made"])


def end_mandate(own: Scope, mandate: int) -> None:
    """Ends a mandate of the acting region from now on: by its administrator, or by who holds it."""
    row = own.row("select account_id, role from slagkracht.mandate where mandate_id = %s", mandate)
    if row is None or not _ask(own, "select slagkracht.end_mandate(%s) as ended", mandate)["ended"]:
        raise NotFoundError("er is hier geen lopend mandaat {mandate} dat u kunt beëindigen", mandate=mandate)
    text = f"mandaat {row['role']} van {_name(own, row['account_id'])} beëindigd"
    record(own, "note", {"text": text, "mandate": mandate})


def hand_over_function(own: Scope, role: str, to: int, sheet: str = "") -> datetime.datetime:
    """Passes the function that who acts holds to account ``to`` of the same region, in one movement.

    The log gets both names, and what the next one must know (``sheet``). Returns until when the other now holds it.
    """
    until: datetime.datetime = _ask(own, "select slagkracht.pass_function(%s, %s) as until", role, to)["until"]
    told = {"function": role, "from": _name(own, own.account), "to": _name(own, to), "sheet": sheet}
    record(own, "function_handed_over", told, [NATIONAL_CHAIN])
    return until


def name_first_admin(addresses: Addresses, account: int, region: str, until: datetime.datetime) -> None:
    """Makes a person the administrator of a region in both worlds. By the owner of the database: someone is first."""
    with psycopg.connect(addresses.owner) as owner:
        for world in ("echt", "oefening"):
            owner.execute(
                "insert into slagkracht.mandate (account_id, region, role, information_class, world, until) "
                "values (%s, %s, %s, 'Geheim', %s, %s)",
                (account, region, ADMIN, world, until),
            )


def _name(own: Scope, account: int) -> str:
    row = own.row("select name from slagkracht.person where account_id = %s", account)
    if row is None:
        raise NotFoundError("er is hier geen persoon met account {account}", account=account)
    return str(row["name"])


def _ask(own: Scope, sql: str, *values: object) -> Row:
    """Asks the database to do what only its owner can; its refusal is told in its own words."""
    try:
        with own.connection.transaction():
            row = own.row(sql, *values)
    except psycopg.errors.RaiseException as error:
        raise NotAllowedError(str(error.diag.message_primary)) from error
    except psycopg.errors.UniqueViolation as error:
        raise LedgerError("dit account is al van een persoon") from error
    return row or {}
