"""The API: Dutch nouns, problem+json, and every right decided by mandate and by the database."""

from __future__ import annotations

from slagkracht.server.api import costs, relief
from slagkracht.server.api.routes import api, problem

__all__ = ["api", "costs", "problem", "relief"]
