"""The ways in and out for other systems: the published description, maps, messages, events, feeds and exports."""

from __future__ import annotations

from django.urls import path

from slagkracht.server.interfaces import description

urlpatterns = [
    path("api/v1/openapi.json", description.publish),
]
