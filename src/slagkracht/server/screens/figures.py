"""How figures, moments and codes read on screen: filters for the templates."""

from __future__ import annotations

import datetime
import math
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from slagkracht.log import COMMITMENT_STATES, KINDS, UNIT_STATUSES, UNMET_REASONS
from slagkracht.reports.dutch import write_count, write_minutes, write_share
from slagkracht.server.engine import CLOCK

register = template.Library()
register.filter("share", write_share)
register.filter("count", write_count)

WORDS = {
    **COMMITMENT_STATES,
    **UNIT_STATUSES,
    **UNMET_REASONS,
    **{code: kind.dutch for code, kind in KINDS.items() if code not in COMMITMENT_STATES},
    "wvr51_minister": "Wvr art. 51 lid 1: via de minister (LOCC)",
    "wvr51_5_buurregio": "Wvr art. 51 lid 5: rechtstreeks aan een buurregio",
    "staat": "aangeboden",
    "beschikbaarheid": "beschikbaarheid",
    "plaats": "beschikbaarheid en plaats",
    "volledig": "alles",
}
"""The Dutch word for every code that a screen may meet."""


@register.filter
def word(code: str) -> str:
    """The Dutch word for a code."""
    return WORDS.get(code, code)


@register.filter
def minutes(seconds: float) -> str:
    """Seconds as minutes and seconds, and "niet" where nobody comes."""
    return write_minutes(seconds) if math.isfinite(seconds) else "niet"


@register.filter
def moment(at: datetime.datetime | None) -> SafeString:
    """A moment by the Dutch clock, that says how long ago it is."""
    if at is None:
        return mark_safe("–")
    local = at.astimezone(CLOCK)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), f"{local:%d-%m %H:%M}")


@register.filter
def age(at: datetime.datetime | None) -> SafeString:
    """How long ago a moment is; the page keeps counting."""
    if at is None:
        return mark_safe('<span class="oud">volgens plan</span>')
    local = at.astimezone(CLOCK)
    seconds = (datetime.datetime.now(CLOCK) - local).total_seconds()
    return format_html(
        '<time class="oud" datetime="{}" data-leeftijd title="{}">{}</time>',
        local.isoformat(),
        f"{local:%d-%m-%Y %H:%M:%S}",
        write_age(seconds),
    )


def write_age(seconds: float) -> str:
    """An age in words, as the script of the page writes it too."""
    if seconds < 60:
        return f"{max(int(seconds), 0)} s"
    if seconds < 3600:
        return f"{int(seconds / 60)} min"
    return f"{int(seconds / 3600)} u {int(seconds % 3600 / 60)} min"


@register.filter
def get(table: Any, key: Any) -> Any:
    """A value out of a table by its key."""
    return table.get(key) if hasattr(table, "get") else table[key]
