"""Which address of the interfaces leads where."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from slagkracht.server.interfaces import description, features, routes  # noqa: F401  (routes lays its own in the API)


def _map(address: str, view: Callable[..., HttpResponse]) -> URLPattern:
    """An address of the map interface: it is only read, and what it does not know it is not asked."""
    if "items" not in address:
        view = features.refuse_questions(view)
    return path(f"ogc/v1{address}", csrf_exempt(require_safe(view)))


urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/openapi.json", csrf_exempt(require_safe(description.publish))),
    _map("", features.landing),
    _map("/", features.landing),
    _map("/api", features.describe),
    _map("/conformance", features.conformance),
    _map("/collections", features.list_collections),
    _map("/collections/<str:name>", features.show_collection),
    _map("/collections/<str:name>/items", features.list_items),
    _map("/collections/<str:name>/items/<str:item>", features.show_item),
]
if hasattr(settings, "OIDC_ISSUER"):
    urlpatterns.append(path("oidc/", include("mozilla_django_oidc.urls")))
