"""My account: a second factor from an app, proven by a code before it counts, and codes for when the app is lost."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import segno
from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST
from django_otp import devices_for_user
from django_otp import login as otp_login
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from slagkracht.server.database import WORLDS, scope
from slagkracht.server.journal import record
from slagkracht.server.screens.entry import match_code

CODES = 10
"""How many codes one keeps for when the app is lost; each opens once."""


def _of_whoever_logged_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An account is its holder's own, with or without a mandate."""

    def guarded(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect("/inloggen?volgende=/account")
        answer = view(request)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return guarded


@require_GET
@_of_whoever_logged_in
def show_account(request: HttpRequest) -> HttpResponse:
    return _show(request)


@require_POST
@_of_whoever_logged_in
def begin_factor(request: HttpRequest) -> HttpResponse:
    """Shows a key for an app. What held goes on holding until a code proves that the app has the new one."""
    if refused := _doubt(request):
        return _refuse(request, refused)
    user: Any = request.user
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()
    TOTPDevice.objects.create(user=user, name="app", confirmed=False)
    return redirect("/account")


@require_POST
@_of_whoever_logged_in
def confirm_factor(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    if device is None:
        return _refuse(request, gettext("Begin opnieuw: er staat geen app klaar om te bevestigen."))
    if not device.verify_token(request.POST.get("code", "")):
        return _refuse(request, gettext("Deze code klopt niet of is verlopen. Wacht op de volgende code in uw app."))
    renewed = any(devices_for_user(user))
    text = "tweede factor vernieuwd door {name}" if renewed else "tweede factor ingesteld door {name}"

    def change() -> list[str]:
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save()
        return _give_codes(user)

    codes = _tell(request, text, change)
    otp_login(request, device)
    return _show(request, codes)


@require_POST
@_of_whoever_logged_in
def renew_codes(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    if refused := _doubt(request):
        return _refuse(request, refused)
    if not TOTPDevice.objects.filter(user=user, confirmed=True).exists():
        return _refuse(request, gettext("Herstelcodes horen bij een app: stel die eerst in."))
    return _show(request, _tell(request, "herstelcodes vernieuwd door {name}", lambda: _give_codes(user)))


@require_POST
@_of_whoever_logged_in
def remove_factor(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    if refused := _doubt(request):
        return _refuse(request, refused)

    def change() -> list[str]:
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        return []

    _tell(request, "tweede factor verwijderd door {name}", change)
    request.session["melding"] = {"fout": False, "tekst": gettext("De tweede factor is verwijderd.")}
    return redirect("/account")


def _doubt(request: HttpRequest) -> str:
    """Why this is not proven to be the holder of the account; "" where password and code are right.

    A wrong password counts as at logging in, and shuts the account out as there.
    """
    user: Any = request.user
    found = authenticate(request, username=user.get_username(), password=request.POST.get("wachtwoord", ""))
    if found is None or found.pk != user.pk:
        return str(gettext("Dit wachtwoord klopt niet."))
    if any(devices_for_user(user)) and match_code(user, request.POST.get("code", "")) is None:
        return str(gettext("Vul de code uit uw app in; deze code klopt niet of is verlopen."))
    return ""


def _give_codes(user: Any) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="herstel")
    codes = [secrets.token_hex(4) for _ in range(CODES)]
    for code in codes:
        device.token_set.create(token=code)
    return codes


def _tell(request: HttpRequest, text: str, change: Callable[[], list[str]]) -> list[str]:
    """Does ``change``, and tells the log of the person's region that it was done and by whom, never what it holds."""
    account = int(request.user.pk)
    with scope("", "", "", account=account) as own:
        person = own.row("select region, name from slagkracht.person where account_id = %s", account)
    if person is None:
        with transaction.atomic():
            return change()
    with scope(person["region"], WORLDS[0], person["name"], account) as own:
        record(own, "note", {"text": text.format(name=person["name"])})
        with transaction.atomic():
            return change()


def _refuse(request: HttpRequest, why: str) -> HttpResponse:
    request.session["melding"] = {"fout": True, "tekst": why}
    return redirect("/account")


def _show(request: HttpRequest, codes: list[str] | None = None) -> HttpResponse:
    user: Any = request.user
    devices = list(TOTPDevice.objects.filter(user=user))
    begun = next((device for device in devices if not device.confirmed), None)
    context = {
        "factor": any(device.confirmed for device in devices),
        "begonnen": begun is not None,
        "plaatje": _draw(begun.config_url) if begun else "",
        "sleutel": _spell(begun.config_url) if begun else "",
        "herstelcodes": codes or [],
        "over": sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user)),
        "eigen_wachtwoord": user.has_usable_password(),
    }
    return render(request, "account.html", context)


def _draw(address: str) -> SafeString:
    """The address as a QR code, with the white around it that cameras ask for."""
    return mark_safe(segno.make(address, micro=False).svg_inline(scale=5, dark="#000", light="#fff"))


def _spell(address: str) -> str:
    """The key of an address in groups of four, to type over where there is no camera."""
    key = address.partition("secret=")[2].partition("&")[0]
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))
