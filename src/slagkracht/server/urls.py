"""Which address leads where."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from slagkracht.server import screens
from slagkracht.server.api import api, problem
from slagkracht.server.interfaces import urlpatterns as interfaces
from slagkracht.server.live import stream

urlpatterns = [
    path("", screens.home),
    path("inloggen", screens.log_in),
    path("uitloggen", screens.log_out),
    path("handelen-als", screens.choose),
    path("api/v1/gebeurtenissen/stroom", stream),
    *interfaces,
    path("api/v1/", api.urls),
]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problem(request, 404, "Niet gevonden", "dit adres bestaat niet")
    return render(request, "niet_gevonden.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    return problem(request, 500, "Storing", "er ging hier iets mis; het verzoek is niet uitgevoerd")


handler404 = "slagkracht.server.urls.not_found"
handler500 = "slagkracht.server.urls.broken"
