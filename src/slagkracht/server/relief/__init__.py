"""Relief of an incident: the rotation of who stands there, mended as reality changes, and the requests it leads to."""

from __future__ import annotations

from slagkracht.server.relief.kept import Planned, read_planned
from slagkracht.server.relief.rotation import plan_due, plan_relief
from slagkracht.server.relief.standing import Held, needs_relief, read_crews, read_held
from slagkracht.server.relief.waves import Wave, ask_relief, list_waves, take_over

__all__ = [
    "Held",
    "Planned",
    "Wave",
    "ask_relief",
    "list_waves",
    "needs_relief",
    "plan_due",
    "plan_relief",
    "read_crews",
    "read_held",
    "read_planned",
    "take_over",
]
