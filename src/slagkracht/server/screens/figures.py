"""How figures, moments and codes read on screen: filters for the templates."""

from __future__ import annotations

import datetime
import math
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from slagkracht.reports.dutch import write_count, write_minutes, write_share
from slagkracht.server.costs import write_euros
from slagkracht.server.engine import CLOCK
from slagkracht.server.screens.words import tell

register = template.Library()
register.filter("word", tell)
ENGLISH_SIGNS = str.maketrans({",": ".", ".": ","})


@register.filter
def share(value: float) -> str:
    """A share as a percentage, by the language of the page; the floor of who lends nothing in words."""
    return _sign(write_share(value)) if math.isfinite(value) else gettext("leent niet uit")


@register.filter
def count(value: float) -> str:
    """A whole number, with the sign between thousands of the language of the page."""
    return _sign(write_count(value))


def _sign(figure: str) -> str:
    return figure.translate(ENGLISH_SIGNS).replace(" %", "%") if get_language() == "en" else figure


@register.filter
def minutes(seconds: float) -> str:
    """Seconds as minutes and seconds, and "niet" where nobody comes."""
    return write_minutes(seconds) if math.isfinite(seconds) else gettext("niet")


@register.filter
def euros(cents: int) -> str:
    """An amount in cents as Dutch readers write it."""
    return write_euros(cents)


@register.filter
def moment(at: datetime.datetime | None) -> SafeString:
    """A moment by the Dutch clock, with its year where that is not the present one."""
    if at is None:
        return mark_safe("–")
    local = at.astimezone(CLOCK)
    told = f"{local:%d-%m %H:%M}" if local.year == datetime.datetime.now(CLOCK).year else f"{local:%d-%m-%Y %H:%M}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), told)


@register.filter
def long_moment(at: datetime.datetime) -> str:
    """A moment by the Dutch clock with its year: for what is not of these days."""
    return f"{at.astimezone(CLOCK):%d-%m-%Y %H:%M}"


@register.filter
def age(at: datetime.datetime | None) -> SafeString:
    """How long ago a moment is; the page keeps counting."""
    if at is None:
        return format_html('<span class="oud">{}</span>', gettext("volgens plan"))
    local = at.astimezone(CLOCK)
    seconds = (datetime.datetime.now(datetime.UTC) - at).total_seconds()
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
    told = gettext("{hours} u {minutes} min")
    return str(told.format(hours=int(seconds / 3600), minutes=int(seconds % 3600 / 60)))


@register.filter
def get(table: Any, key: Any) -> Any:
    """A value out of a table by its key."""
    return table.get(key) if hasattr(table, "get") else table[key]
