"""By which norm and in which time window a screen judges the plan: read from what was asked, and offered to choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slagkracht.resources import WINDOWS
from slagkracht.rules import rule_in_force
from slagkracht.server import engine as seam
from slagkracht.server.engine import Engine
from slagkracht.server.screens.page import RefusedError


def read_choice(given: Mapping[str, Any], engine: Engine) -> tuple[str, str]:
    """(norm, window) as asked; where one is not of this plan, the first of it."""
    codes, norm, window = seam.norms(engine), given.get("norm", ""), given.get("venster", "")
    return norm if norm in codes else codes[0], window if window in WINDOWS else WINDOWS[0]


def insist_on_choice(norm: str, window: str, engine: Engine) -> tuple[str, str]:
    """(norm, window) as given. Raises RefusedError where one is not of this plan."""
    if norm not in seam.norms(engine) or window not in WINDOWS:
        raise RefusedError("kies een norm en een tijdvenster van dit plan")
    return norm, window


def describe_choice(engine: Engine, norm: str, window: str) -> dict[str, Any]:
    """What ``deel_norm.html`` shows: every norm and window of the plan, and which are chosen."""
    rules, day = engine.plan.rules, engine.plan.day
    return {
        "norm": norm,
        "venster": window,
        "normen": [(code, rule_in_force(rules, code, day)[0].dutch) for code in seam.norms(engine)],
        "vensters": WINDOWS,
    }
