"""The API: Dutch nouns, problem+json, and every right decided by mandate and by the database."""

from __future__ import annotations

from slagkracht.server.api import costs, decisions, relief, steps
from slagkracht.server.api.problems import problem
from slagkracht.server.api.routes import api

__all__ = ["api", "costs", "decisions", "problem", "relief", "steps"]
