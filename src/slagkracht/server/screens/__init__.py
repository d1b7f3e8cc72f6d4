"""The screens: the nation now, the action centre, one's own region, the gaps, the decisions, the log and the desk."""

from __future__ import annotations

from slagkracht.server.screens.entry import choose, log_in, log_out
from slagkracht.server.screens.page import describe_page

__all__ = ["choose", "describe_page", "log_in", "log_out"]
