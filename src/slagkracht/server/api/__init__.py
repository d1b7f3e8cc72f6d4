"""The API: Dutch nouns, problem+json, and every right decided by mandate and by the database."""

from __future__ import annotations

from slagkracht.server.api import relief
from slagkracht.server.api.routes import api, problem

__all__ = ["api", "problem", "relief"]
