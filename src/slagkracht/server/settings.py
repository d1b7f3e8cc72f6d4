"""How the platform is set up: everything that differs per installation comes from the environment.

SLAGKRACHT_DSN (application role), SLAGKRACHT_OWNER_DSN (lays tables), SLAGKRACHT_SECRET, SLAGKRACHT_HOSTS (names, split
by commas), SLAGKRACHT_HTTPS (1 where served over HTTPS). ``serve`` fills in what is missing for a laptop.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from slagkracht.server.database import PatientConnection

HERE = Path(__file__).parent


POOL: dict[str, Any] = {"min_size": 1, "max_size": 30, "connection_class": PatientConnection}
"""Sessions and accounts are read over connections that stay open: opening one takes longer than all a report asks."""


def _database(dsn: str, **options: dict[str, Any]) -> dict[str, Any]:
    given = conninfo_to_dict(dsn)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": given.get("dbname", ""),
        "USER": given.get("user", ""),
        "PASSWORD": given.get("password", ""),
        "HOST": given.get("host", ""),
        "PORT": given.get("port", ""),
        "OPTIONS": {
            "options": "-c search_path=django",
            **{name: given[name] for name in ("target_session_attrs",) if name in given},
            **options,
        },
        "CONN_HEALTH_CHECKS": True,
    }


SECRET_KEY = os.environ.get("SLAGKRACHT_SECRET", "")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("SLAGKRACHT_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
HTTPS = os.environ.get("SLAGKRACHT_HTTPS") == "1"

DATABASES = {
    "default": _database(os.environ.get("SLAGKRACHT_DSN", ""), pool=POOL),
    "owner": _database(os.environ.get("SLAGKRACHT_OWNER_DSN") or os.environ.get("SLAGKRACHT_DSN", "")),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "axes",
    "ninja",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "slagkracht.server.guard.ResponseGuard",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "slagkracht.server.guard.ScreenLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "axes.middleware.AxesMiddleware",
    "slagkracht.server.interfaces.manners.Manners",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    *(["slagkracht.server.oidc.Backend"] if "SLAGKRACHT_OIDC_ISSUER" in os.environ else []),
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "slagkracht.server.guard.describe_acting",
                "slagkracht.server.screens.describe_page",
            ],
            "builtins": ["django.templatetags.i18n", "slagkracht.server.screens.figures"],
        },
    }
]
APPEND_SLASH = False
ROOT_URLCONF = "slagkracht.server.urls"
ASGI_APPLICATION = "slagkracht.server.asgi.application"
LOGIN_URL = "/inloggen"

LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", "Nederlands"), ("en", "English")]
LOCALE_PATHS = [HERE / "locale"]
LANGUAGE_COOKIE_NAME = "taal"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "Europe/Amsterdam"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [folder for folder in (HERE / "static", HERE.parent / "web" / "platform") if folder.exists()]
WHITENOISE_USE_FINDERS = True

# who keeps trying is locked out; a session ends with the shift
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_TEMPLATE = "vergrendeld.html"
AXES_VERBOSE = False
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "slagkracht.server.urls.expired_form"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
OTP_TOTP_ISSUER = "Slagkracht"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"procrastinate": {"level": "CRITICAL"}},  # what goes wrong there the clock says in a sentence
    "root": {"handlers": ["console"], "level": "WARNING"},
}


def read_oidc_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Django's settings for the provider that the environment names; none when it names none."""
    given = {name.removeprefix("SLAGKRACHT_OIDC_"): value for name, value in environment.items()}
    if "SLAGKRACHT_OIDC_ISSUER" not in environment:
        return {}
    return {
        "OIDC_ISSUER": given["ISSUER"],
        "OIDC_RP_CLIENT_ID": given["CLIENT"],
        "OIDC_RP_CLIENT_SECRET": given["SECRET"],
        "OIDC_OP_AUTHORIZATION_ENDPOINT": given["AUTHORIZATION"],
        "OIDC_OP_TOKEN_ENDPOINT": given["TOKEN"],
        "OIDC_OP_USER_ENDPOINT": given["USERINFO"],
        "OIDC_OP_JWKS_ENDPOINT": given["JWKS"],
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_RP_SCOPES": "openid profile",
        "OIDC_USE_PKCE": True,
        "OIDC_CREATE_USER": False,
        "OIDC_TIMEOUT": 10,
        "LOGIN_REDIRECT_URL": "/",
        "LOGIN_REDIRECT_URL_FAILURE": "/inloggen?organisatie=mislukt",
        "AXES_WHITELIST_CALLABLE": "slagkracht.server.oidc.is_of_provider",
        "OIDC_CALLBACK_CLASS": "slagkracht.server.oidc.Callback",
    }


globals().update(read_oidc_settings(os.environ))
