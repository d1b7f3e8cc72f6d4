"""Logging in, and choosing for whom one acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import devices_for_user, verify_token
from django_otp import login as otp_login
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from slagkracht.server.demo import PASSWORD
from slagkracht.server.guard import find_choices, refuse_mandate


class LoginForm(AuthenticationForm):
    """User name and password, and a code from the app where the account has one."""

    code = forms.CharField(required=False, max_length=8, label=gettext_lazy("Code uit de app"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        user = self.get_user()
        if user is not None and any(devices_for_user(user)):
            device = match_code(user, cleaned.get("code") or "")
            if device is None:
                raise forms.ValidationError(gettext("Vul de code uit uw app in; deze code klopt niet of is verlopen."))
            user.otp_device = device
        return cleaned


def match_code(user: Any, code: str) -> Any:
    """The device of which this is a code, and that did not have to wait after wrong ones; None where it is of none.

    Each kind is known by its form: a code from the app is no wrong guess at a recovery code.
    """
    code = code.strip().lower()
    kind = TOTPDevice if len(code) == 6 else StaticDevice
    devices = kind.objects.devices_for_user(user, confirmed=True)
    return next((device for each in devices if (device := verify_token(user, each.persistent_id, code))), None)


@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    form = LoginForm(request, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.get_user()
        login(request, user)
        if getattr(user, "otp_device", None) is not None:
            otp_login(request, user.otp_device)
        onward = request.POST.get("volgende", "/")
        safe = url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure())
        return redirect(onward if safe else "/")
    status = 400 if request.method == "POST" else 200
    demo = PASSWORD if User.objects.filter(username="demo-actiecentrum").exists() else ""
    context = {
        "form": form,
        "demo": demo,
        "volgende": request.GET.get("volgende", request.POST.get("volgende", "/")),
        "organisatie": bool(getattr(settings, "OIDC_ISSUER", "")),
        "mislukt": request.GET.get("organisatie", ""),
    }
    return render(request, "inloggen.html", context, status=status)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("/inloggen")


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Acts from now on for another region or in the other world, as far as a mandate holds there."""
    chosen = (request.POST.get("regio", ""), request.POST.get("wereld", ""))
    if chosen not in find_choices(request):
        return refuse_mandate(request)
    request.session["acting"] = list(chosen)
    rotate_token(request)  # a form that was opened before is no form of this region and world
    return redirect("/")
