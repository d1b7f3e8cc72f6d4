"""The platform as an ASGI application: ``uvicorn slagkracht.server.asgi:application``."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "slagkracht.server.settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
