"""What every screen shares: the menu, what was just done or refused, and one way to act."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from typing import Any

import psycopg
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy

from slagkracht.log import NATIONAL_CHAIN
from slagkracht.procedures import StepRefusedError
from slagkracht.server.database import Scope
from slagkracht.server.engine import CLOCK
from slagkracht.server.guard import Acting, acting_scope
from slagkracht.server.ledger import LedgerError
from slagkracht.server.refusals import SaidError

LEADERS = ("officier", "voorzitter", "commandant", "actiecentrum")
"""Roles that may ask, offer, accept and move units."""

CLASSIFIERS = (*LEADERS, "bestuur", "nipv", "veiligheidsberaad", "rcdv")
"""Roles that may give what is their own another information class."""

MOST_FILLED_IN = 20_000
"""A refused form with more characters than this is not kept in the session."""

MENU = (
    ("/", gettext_lazy("Landelijk beeld")),
    ("/actiecentrum", gettext_lazy("Actiecentrum")),
    ("/regio", gettext_lazy("Mijn regio")),
    ("/tekort", gettext_lazy("Tekort")),
    ("/plantafel", gettext_lazy("Plantafel")),
    ("/besluiten", gettext_lazy("Besluiten")),
    ("/logboek", gettext_lazy("Logboek")),
    ("/beheer", gettext_lazy("Beheer")),
)


class RefusedError(SaidError, ValueError):
    """What was filled in cannot be. The message says what to change."""


def describe_page(request: HttpRequest) -> dict[str, Any]:
    """For every template: the menu with where one is, and what the last act led to."""
    live = request.headers.get("X-Deel") == "1"
    here = max(
        (path for path, _ in MENU if request.path == path or request.path.startswith(path + "/")), key=len, default=""
    )
    session: Any = getattr(request, "session", None)
    return {
        "menu": [(path, name, path == here) for path, name in MENU],
        "melding": session.pop("melding", None) if session is not None and not live else None,
        "nu": datetime.datetime.now(datetime.UTC),
        "landelijk": NATIONAL_CHAIN,
    }


def act(request: HttpRequest, acting: Acting, do: Callable[[Scope], tuple[str, str]]) -> HttpResponse:
    """Does something in one transaction, and goes where it says with its message; a refusal goes back with the reason.

    ``do`` returns (address, what was done).
    """
    try:
        with acting_scope(acting) as own:
            onward, said = do(own)
    except (LedgerError, RefusedError) as error:
        return _refuse(request, tekst=say(error))
    except (
        StepRefusedError,
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.RaiseException,
        psycopg.DataError,
    ) as error:
        # a procedure and the database speak Dutch alone
        return _refuse(request, tekst=gettext("Dit kan niet:"), motor=str(error).splitlines()[0])
    request.session["melding"] = {"fout": False, "tekst": said}
    return redirect(onward if _is_ours(onward) else "/")


def _refuse(request: HttpRequest, **said: str) -> HttpResponse:
    """Goes back with why not, and with what was filled in, so that only what was wrong is typed again."""
    filled = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
    request.session["melding"] = {"fout": True, **said}
    if sum(len(value) for values in filled.values() for value in values) < MOST_FILLED_IN:
        request.session["melding"]["ingevuld"] = {"adres": request.path, "waarden": filled}
    back = request.POST.get("terug", "")
    return redirect(back if _is_ours(back) else "/")


def say(error: SaidError) -> str:
    """What an error says, in the language of the page."""
    values = {
        name: gettext(value) if isinstance(value, str) and value else value for name, value in error.values.items()
    }
    return str(gettext(error.sentence).format(**values) if values else gettext(error.sentence))


def _is_ours(path: str) -> bool:
    return path.startswith("/") and not path.startswith(("//", "/\\"))


def read_moment(text: str, what: str) -> datetime.datetime | None:
    """A moment as a form gives it, by the Dutch clock; None when it was left empty. Raises RefusedError.

    Of the hour that the clock repeats in autumn the second is meant as soon as it has come.
    """
    if not text:
        return None
    try:
        at = datetime.datetime.fromisoformat(text)
        first, second = (at.replace(tzinfo=at.tzinfo or CLOCK, fold=fold).astimezone(datetime.UTC) for fold in (0, 1))
    except (ValueError, OverflowError):
        raise RefusedError(
            "{what}: schrijf een tijdstip als 2026-07-01T14:05, niet {text!r}", what=what, text=text
        ) from None
    if not at.tzinfo and first.astimezone(CLOCK).replace(tzinfo=None) != at:
        raise RefusedError("{what}: {text} bestaat niet, de klok gaat dan van 2 naar 3 uur", what=what, text=text)
    return second if second <= datetime.datetime.now(datetime.UTC) else first


def read_happened(request: HttpRequest) -> datetime.datetime | None:
    """When a fact happened, as the form says; None when it is now. Raises RefusedError."""
    return read_moment(request.POST.get("gebeurd_op", ""), "gebeurd op")


def read_number(text: str, what: str, least: float, most: float) -> float:
    """A number as a form gives it, with a comma or a point. Raises RefusedError."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        raise RefusedError("{what}: vul een getal in, niet {text!r}", what=what, text=text) from None
    if not least <= number <= most:
        raise RefusedError(
            "{what}: {text} ligt niet tussen {least:g} en {most:g}", what=what, text=text, least=least, most=most
        )
    return number


def group(rows: list[dict[str, Any]], key: str) -> dict[Any, list[dict[str, Any]]]:
    """Rows by the value of one of their columns, in the order in which they come."""
    return {
        value: list(mine)
        for value, mine in itertools.groupby(sorted(rows, key=lambda row: str(row[key])), key=lambda row: row[key])
    }
