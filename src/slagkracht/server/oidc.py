"""Logging in through the organisation's own provider (OpenID Connect), for accounts that are here already.

On when SLAGKRACHT_OIDC_ISSUER is set, with SLAGKRACHT_OIDC_CLIENT, _SECRET, _AUTHORIZATION, _TOKEN, _USERINFO and
_JWKS. Begins at /oidc/authenticate/.
"""

from __future__ import annotations

import logging
from typing import Any

import jwt
import requests
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView

log = logging.getLogger(__name__)


def is_of_provider(request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
    """Whether the provider, that has a lock-out of its own, sent this: strangers there shut nobody out here."""
    return not (credentials or {}).get("username") and request.path.startswith("/oidc/")


class Callback(OIDCAuthenticationCallbackView):
    """Takes back whoever the provider sends; what goes wrong there is said where one logs in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            answer: HttpResponse = super().get(request)
            return answer
        except (requests.ConnectionError, requests.Timeout) as error:
            log.warning("de aanbieder van identiteiten antwoordt niet: %s", type(error).__name__)
            return redirect("/inloggen?organisatie=weg")
        except (SuspiciousOperation, requests.RequestException, jwt.PyJWTError) as error:
            log.warning("inloggen via de aanbieder van identiteiten geweigerd: %s", error)
            return redirect(settings.LOGIN_REDIRECT_URL_FAILURE)


class Backend(OIDCAuthenticationBackend):
    """Finds the account named by ``preferred_username``; makes none, and takes no token that was meant for another."""

    def filter_users_by_claims(self, claims: dict[str, Any]) -> Any:
        name = claims.get("preferred_username") or ""
        return self.UserModel.objects.filter(username=name, is_active=True)

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        return bool(claims.get("preferred_username"))

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        try:
            payload: dict[str, Any] = super().verify_token(token, **kwargs)
        except jwt.InvalidTokenError as error:
            raise SuspiciousOperation("dit token is verlopen of niet te lezen") from error
        audience = payload.get("aud")
        meant_for = audience if isinstance(audience, list) else [audience]
        if payload.get("iss") != settings.OIDC_ISSUER or settings.OIDC_RP_CLIENT_ID not in meant_for:
            raise SuspiciousOperation("dit token is van een andere uitgever of voor een ander")
        if "exp" not in payload:
            raise SuspiciousOperation("dit token heeft geen einde")
        return payload
