"""Which address of the interfaces leads where."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from slagkracht.server.interfaces import description, features, routes  # noqa: F401  (routes lays its own in the API)

urlpatterns = [
    path("api/v1/openapi.json", description.publish),
    path("ogc/v1", features.landing),
    path("ogc/v1/", features.landing),
    path("ogc/v1/api", features.describe),
    path("ogc/v1/conformance", features.conformance),
    path("ogc/v1/collections", features.list_collections),
    path("ogc/v1/collections/<str:name>", features.show_collection),
    path("ogc/v1/collections/<str:name>/items", features.list_items),
    path("ogc/v1/collections/<str:name>/items/<str:item>", features.show_item),
]
if hasattr(settings, "OIDC_ISSUER"):
    urlpatterns.append(path("oidc/", include("mozilla_django_oidc.urls")))
