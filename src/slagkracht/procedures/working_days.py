"""When a term ends: in hours, days, working days, weeks, months or years, by the Dutch calendar."""

from __future__ import annotations

import calendar
import datetime

UNITS = ("uren", "kalenderdagen", "werkdagen", "weken", "maanden", "jaren")
"""What a term may be counted in."""


def compute_easter(year: int) -> datetime.date:
    """Easter Sunday (Gregorian; the anonymous algorithm, Nature 13, 1876, p. 487)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    j = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * j) // 451
    month, day = divmod(h + j - 7 * m + 114, 31)
    return datetime.date(year, month, day + 1)


def compute_holidays(year: int) -> dict[datetime.date, str]:
    """The days that Algemene termijnenwet art. 3 names as holidays or puts on a par with them, besides Sundays."""
    easter, days = compute_easter(year), datetime.timedelta
    kings = datetime.date(year, 4, 27) if year >= 2014 else datetime.date(year, 4, 30)
    if kings.weekday() == 6:
        kings -= days(1)
    return {
        datetime.date(year, 1, 1): "Nieuwjaarsdag",
        easter - days(2): "Goede Vrijdag",
        easter + days(1): "tweede paasdag",
        kings: "Koningsdag" if year >= 2014 else "Koninginnedag",
        datetime.date(year, 5, 5): "Bevrijdingsdag",
        easter + days(39): "Hemelvaartsdag",
        easter + days(50): "tweede pinksterdag",
        datetime.date(year, 12, 25): "eerste kerstdag",
        datetime.date(year, 12, 26): "tweede kerstdag",
    }


def is_working_day(day: datetime.date) -> bool:
    """Whether ``day`` is no Saturday, Sunday or holiday."""
    return day.weekday() < 5 and day not in compute_holidays(day.year)


def compute_end(start_at: datetime.datetime, amount: int, unit: str) -> datetime.datetime:
    """The moment at which a term of ``amount`` ``unit`` that starts at ``start_at`` has passed.

    Hours pass also in the night in which the clock skips or repeats one. Every other term counts from the day after the
    start, runs to the end of its last day, and is lengthened to the next working day when it would end on a Saturday,
    Sunday or holiday (Algemene termijnenwet art. 1). Days are those of the time zone of ``start_at``. Raises ValueError
    for an unknown unit.
    """
    if unit == "uren":
        return (start_at.astimezone(datetime.UTC) + datetime.timedelta(hours=amount)).astimezone(start_at.tzinfo)
    day = start_at.date()
    if unit in ("kalenderdagen", "weken"):
        day += datetime.timedelta(days=amount * (7 if unit == "weken" else 1))
    elif unit in ("maanden", "jaren"):
        months = day.year * 12 + day.month - 1 + amount * (12 if unit == "jaren" else 1)
        year, month = divmod(months, 12)
        day = datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    elif unit == "werkdagen":
        for _ in range(amount):
            day = _next_working_day(day + datetime.timedelta(days=1))
    else:
        raise ValueError(f"onbekende tijdseenheid {unit!r}; kies uit {', '.join(UNITS)}")
    midnight = datetime.time(tzinfo=start_at.tzinfo)
    return datetime.datetime.combine(_next_working_day(day) + datetime.timedelta(days=1), midnight)


def _next_working_day(day: datetime.date) -> datetime.date:
    while not is_working_day(day):
        day += datetime.timedelta(days=1)
    return day
