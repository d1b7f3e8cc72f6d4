"""Who is acting: role × region × world, from mandates that are read again at every request."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NoReturn

import psycopg
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from psycopg_pool import PoolTimeout

from slagkracht.server.database import CLASSES, Row, Scope, scope

API_VERSION = "1.0.0"
CONTENT_SECURITY = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Acting:
    """An account acting for a region in a world.

    ``roles`` are those whose mandates hold now; ``information_class`` the highest that they let it see ("" = none).
    """

    account: int
    actor: str
    region: str
    world: str
    roles: frozenset[str]
    information_class: str
    choices: tuple[tuple[str, str], ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that it may see, lowest first."""
        return CLASSES[: CLASSES.index(self.information_class) + 1] if self.information_class else ()

    @property
    def is_exercise(self) -> bool:
        return self.world == "oefening"


def find_acting(request: HttpRequest) -> Acting | None:
    """Who acts in this request; None when nobody is logged in or no mandate holds (any more)."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    mandates = _read_mandates(user)
    choices = _list_choices(mandates)
    if not choices:
        return None
    chosen = tuple(request.session.get("acting", choices[0]))
    if chosen not in choices:
        return None
    held = [row for row in mandates if (row["region"], row["world"]) == chosen]
    roles = frozenset(row["role"] for row in held)
    return Acting(user.pk, held[0]["name"], chosen[0], chosen[1], roles, highest_class(held), choices)


def begin_acting(sender: object, request: HttpRequest, user: Any, **given: object) -> None:
    """Keeps for whom one acts from logging in on: whose mandate ends does not find himself in another world."""
    if choices := _list_choices(_read_mandates(user)):
        request.session["acting"] = choices[0]


user_logged_in.connect(begin_acting)


def find_choices(request: HttpRequest) -> tuple[tuple[str, str], ...]:
    """The regions and worlds that whoever is logged in holds a mandate for now."""
    user: Any = request.user
    return _list_choices(_read_mandates(user)) if user.is_authenticated else ()


def _list_choices(mandates: list[Row]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((row["region"], row["world"]) for row in mandates))


def _read_mandates(user: Any) -> list[Row]:
    with scope("", "", "", account=user.pk) as own:
        return own.rows(
            "select p.name, m.region, m.world, m.role, m.information_class from slagkracht.person p "
            "join slagkracht.mandate m on m.account_id = p.account_id where p.account_id = %s "
            "and m.starts_at <= now() and now() < m.until order by m.world, m.region, m.role",
            user.pk,
        )


def highest_class(mandates: list[Row]) -> str:
    """The highest class that mandates let one see; who keeps mandates reads nothing by that."""
    seen = [row["information_class"] for row in mandates if row["role"] != "beheerder"]
    return max(seen, key=CLASSES.index, default="")


def acting_scope(acting: Acting) -> AbstractContextManager[Scope]:
    """A transaction on behalf of who is acting."""
    return scope(acting.region, acting.world, acting.actor, acting.account, acting.roles)


def acting_required(*roles: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A screen for whoever acts in one of ``roles`` (none = any). The view gets ``acting`` after the request."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            acting = find_acting(request)
            user: Any = getattr(request, "user", None)
            if acting is None and not (user and user.is_authenticated):
                return redirect(f"/inloggen?volgende={request.path}")
            if acting is None or (roles and not acting.roles & set(roles)):
                return refuse_mandate(request, roles)
            if is_of_another(request, acting):
                return HttpResponse(status=409)
            try:
                return view(request, acting, *args, **kwargs)
            except StopIteration as error:
                raise_at_once(error)

        return guarded

    return decorate


def raise_at_once(error: StopIteration) -> NoReturn:
    """Raises RuntimeError for a search that found nothing: no future of a thread holds a StopIteration, so whoever
    asked would wait for ever.
    """
    raise RuntimeError("what was looked for is not there") from error


def refuse_mandate(request: HttpRequest, roles: tuple[str, ...] = ()) -> HttpResponse:
    """Says that no mandate holds for what was asked, and for whom else one may act."""
    return render(request, "geen_mandaat.html", {"rollen": roles, "keuzes": find_choices(request)}, status=403)


def is_of_another(request: HttpRequest, acting: Acting) -> bool:
    """Whether a page that keeps itself to the present was opened for another region or world than is acted for now."""
    return request.headers.get("X-Als") not in (None, f"{acting.region}/{acting.world}")


def describe_acting(request: HttpRequest) -> dict[str, Any]:
    """For every template: ``acting`` (None when nobody is)."""
    return {"acting": find_acting(request)}


class ScreenLanguage(MiddlewareMixin):
    """Screens in the language that was chosen, and Dutch where none was; whatever other systems read stays Dutch."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = chosen in dict(settings.LANGUAGES) and not request.path.startswith(("/api/", "/ogc/"))
        translation.activate(chosen if known else settings.LANGUAGE_CODE)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


class ResponseGuard:
    """Puts on every response what keeps a browser from running or embedding anything else."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        from asgiref.sync import iscoroutinefunction, markcoroutinefunction

        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self._later(request)
        return _harden(request, self.get_response(request))

    async def _later(self, request: HttpRequest) -> HttpResponse:
        return _harden(request, await self.get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What was asked while the database is away, or just came back, was not done and can be asked again."""
        if not isinstance(exception, (psycopg.OperationalError, PoolTimeout, OperationalError)):
            return None
        detail = "de database is er even niet; er is niets uitgevoerd, vraag het over een seconde opnieuw"
        body = {"type": "about:blank", "title": "Even niet bereikbaar", "status": 503, "detail": detail}
        return HttpResponse(
            json.dumps(body), status=503, content_type="application/problem+json", headers={"Retry-After": "1"}
        )


def _harden(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if response.status_code == 405 and request.path.startswith(("/api/", "/ogc/")):
        allowed = response.headers.get("Allow", "").split(", ")
        if "GET" in allowed and "HEAD" not in allowed:
            response.headers["Allow"] = ", ".join([*allowed, "HEAD"])
        detail = f"{request.method} kan hier niet; wel {response.headers['Allow']}"
        body = {"type": "about:blank", "title": "Kan hier niet", "status": 405, "detail": detail}
        response.content = json.dumps({**body, "instance": request.path}, ensure_ascii=False).encode()
        response.headers["Content-Type"] = "application/problem+json"
        response.headers["Content-Length"] = str(len(response.content))
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Permissions-Policy", "geolocation=(), camera=(), microphone=()")
    response.headers.setdefault("X-Frame-Options", "DENY")
    if f"{request.path}/".startswith(("/api/", "/ogc/")):
        if response.status_code == 401:
            response.headers.setdefault("WWW-Authenticate", 'Bearer realm="Slagkracht"')
        response.headers["API-Version"] = API_VERSION
        response.headers.setdefault("Cache-Control", "no-store")
    return response
