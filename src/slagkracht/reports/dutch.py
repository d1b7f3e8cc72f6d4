"""Figures as Dutch readers write them: 12.345, 67,8 % and 8:27."""

from __future__ import annotations

import datetime
import math

MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november",
    "december",
)  # fmt: skip


def write_count(value: float) -> str:
    """A whole number with points between the thousands."""
    return f"{value:,.0f}".replace(",", ".").replace("-", "−")


def write_share(value: float) -> str:
    """A share as a percentage with one decimal, and never 100,0 % where it is not all."""
    tenths = math.floor(value * 1000 + 0.5)
    if tenths == 1000 and value < 1:
        tenths = 999
    return f"{tenths / 10:.1f} %".replace(".", ",")


def write_range(middle: float, low: float, high: float) -> str:
    """A whole number with its interval, alone where all three are one."""
    return write_count(middle) if round(low) == round(high) == round(middle) else f"{middle:.0f} ({low:.0f}–{high:.0f})"


def write_often(value: float) -> str:
    """How often, which may be rare: a whole number from ten on, else two figures that count."""
    return (f"{value:.0f}" if value >= 10 else f"{value:.2g}").replace(".", ",")


def write_minutes(seconds: float, signed: bool = False) -> str:
    """Minutes and seconds."""
    whole = math.floor(abs(seconds) + 0.5)
    sign = "−" if seconds < 0 else "+" if signed else ""
    return f"{sign}{whole // 60}:{whole % 60:02d}"


def write_duration(seconds: float) -> str:
    """What takes long, in whole minutes: 48 min, or 2 u 29."""
    minutes = math.floor(seconds / 60 + 0.5)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} u {minutes % 60:02d}"


def write_figure(value: object, unit: str) -> str:
    """A figure in its column's unit (text, count, share, seconds, signed_seconds, duration); – where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if unit == "text" or not isinstance(value, int | float):
        return str(value)
    if math.isinf(value):
        return "niet bereikt"
    if unit == "count":
        return write_count(value)
    if unit == "share":
        return write_share(value)
    if unit == "duration":
        return write_duration(value)
    return write_minutes(value, unit == "signed_seconds")


def write_day(day: datetime.date) -> str:
    """A day in words: 1 juli 2026."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
