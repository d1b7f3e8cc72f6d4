"""A rotation to read: a table in the words of the field, and a chart of time against crews."""

from __future__ import annotations

import datetime
from html import escape

import numpy as np

from slagkracht.plan import Plan
from slagkracht.relief import Crews, Rotation

INK = "#16213a"
POST, ROAD, REST = "#0b4a8f", "#e69f00", "#dfe3e8"
"""Okabe and Ito's order of lightness: dark at the post, middle on the road, light at rest; so it also reads in grey."""

ROW, LEFT, TOP, HOUR = 16, 250, 78, 12.0
WIDEST = 2400.0

Row = dict[str, str | int]


def compute_relief_rows(plan: Plan, crews: Crews, rotation: Rotation) -> list[Row]:
    """One row per shift, Dutch: formatie, ploeg, soort, kazerne, regio and the moments it leaves … may go again."""
    starts = rotation.deployment.starts

    return [
        {
            "formatie": int(rotation.formation[i]) + 1,
            "ploeg": str(crews.crew_id[c]),
            "soort": str(crews.type_code[c]),
            "kazerne": str(plan.stations.name[crews.station[c]]),
            "regio": str(plan.regions.code[crews.region[c]]),
            "vertrek": _clock(starts, int(rotation.leaves_min[i])),
            "ter plaatse": _clock(starts, int(rotation.arrives_min[i])),
            "neemt over": _clock(starts, int(rotation.takes_over_min[i])),
            "afgelost": _clock(starts, int(rotation.relieved_min[i])),
            "thuis": _clock(starts, int(rotation.returns_min[i])),
            "uitgerust": _clock(starts, int(rotation.rested_min[i])),
        }
        for i, c in enumerate(rotation.crew.tolist())
    ]


def draw_rotation(plan: Plan, crews: Crews, rotation: Rotation, place: str) -> str:
    """SVG of ``rotation``: a row per crew, by region; bars on the road, at the post and at rest, days as lines.

    The colours differ in lightness and each bar has its own height, so that neither colour-blindness nor grey print
    takes anything away; title and description say in words what is drawn.
    """
    used = np.unique(rotation.crew)
    used = used[np.lexsort((used, crews.region[used]))]
    row_of = {int(c): i for i, c in enumerate(used)}
    starts = rotation.deployment.starts
    first = min(0, int(rotation.leaves_min.min(initial=0)))
    last = max(int(rotation.deployment.days * 1440), int(rotation.returns_min.max(initial=0)))
    scale = min(HOUR, WIDEST / max(1.0, (last - first) / 60)) / 60
    width, height = LEFT + (last - first) * scale + 40, TOP + ROW * len(used) + 44

    def x(minute: float) -> float:
        return float(round(LEFT + (min(minute, last) - first) * scale, 1))

    asked = ", ".join(f"{count} × {formation.dutch}" for formation, count in rotation.deployment.asked)
    empty = int(rotation.shortfall.sum())
    title = f"Aflossing voor {place or 'de inzet'}: {asked}, {_length(rotation.deployment.days)}"
    story = (
        f"{len(used)} ploegen uit {len(np.unique(crews.region[used]))} regio's doen samen {len(rotation)} diensten; "
        + ("elke post is bezet." if empty == 0 else f"{empty} postdiensten blijven leeg.")
        + " Donker en hoog: op de post; middelhoog: onderweg en overdracht; licht en laag: rust."
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="titel verhaal" width="{width:.0f}" '
        f'height="{height}" viewBox="0 0 {width:.0f} {height}" font-family="sans-serif" font-size="11" fill="{INK}">',
        f'<title id="titel">{escape(title)}</title><desc id="verhaal">{escape(story)}</desc>',
        f'<rect width="{width:.0f}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for place_x, tall, colour, word in ((12, 12, POST, "op de post"), (112, 7, ROAD, "onderweg en overdracht"),
                                        (292, 4, REST, "rust")):  # fmt: skip
        parts.append(
            f'<rect x="{place_x}" y="{44 - tall / 2}" width="24" height="{tall}" fill="{colour}" stroke="{INK}" '
            f'stroke-width="0.5"/><text x="{place_x + 30}" y="48">{word}</text>'
        )
    step = datetime.timedelta(hours=6 if scale * 360 >= 40 else 24)
    moment = _moment(starts, first).replace(hour=0, minute=0, second=0, microsecond=0)
    while (tick := _minutes(starts, moment)) <= last:
        if tick >= first:
            day = moment.hour == 0
            parts.append(
                f'<line x1="{x(tick)}" x2="{x(tick)}" y1="{TOP - 6}" y2="{height - 36}" stroke="{INK}" '
                f'stroke-width="{1.2 if day else 0.3}"/>'
                f'<text x="{x(tick) + 2}" y="{TOP - 10}">{moment:%d-%m}</text>'
                if day
                else f'<line x1="{x(tick)}" x2="{x(tick)}" y1="{TOP - 4}" y2="{height - 36}" stroke="{INK}" '
                f'stroke-width="0.3"/><text x="{x(tick) + 2}" y="{TOP - 10}">{moment:%H:%M}</text>'
            )
        moment += step  # by the clock on the wall, also over the nights that it changes
    for c, i in row_of.items():
        y = TOP + ROW * i + ROW / 2
        station = str(plan.stations.name[crews.station[c]])
        station = station if len(station) <= 28 else station[:27] + "…"
        name = f"{plan.regions.code[crews.region[c]]} {station} {crews.crew_id[c]}"
        if crews.crew_id[c].startswith(plan.regions.code[crews.region[c]]):  # on call, from no station of its own
            name = str(crews.crew_id[c]).replace("_", " ")
        name = name if len(name) <= 42 else name[:41] + "…"
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        if i and crews.region[used[i]] != crews.region[used[i - 1]]:
            parts.append(
                f'<line x1="12" x2="{width - 12:.0f}" y1="{y - ROW / 2}" y2="{y - ROW / 2}" stroke="#b8bdc6"/>'
            )
    for i, c in enumerate(rotation.crew.tolist()):
        y = TOP + ROW * row_of[c] + ROW / 2
        moments = [int(column[i]) for column in (
            rotation.leaves_min, rotation.takes_over_min, rotation.relieved_min, rotation.returns_min,
            rotation.rested_min)]  # fmt: skip
        words = (
            f"{crews.crew_id[c]}: vertrek {_clock(starts, moments[0])}, neemt over {_clock(starts, moments[1])}, "
            f"afgelost {_clock(starts, moments[2])}, thuis {_clock(starts, moments[3])}"
        )
        parts.append(f"<g><title>{escape(words)}</title>")
        for begin, end, tall, colour in ((3, 4, 4, REST), (0, 1, 7, ROAD), (2, 3, 7, ROAD), (1, 2, 12, POST)):
            wide = x(moments[end]) - x(moments[begin])
            if wide > 0:
                parts.append(
                    f'<rect x="{x(moments[begin])}" y="{y - tall / 2}" width="{wide:.1f}" height="{tall}" '
                    f'fill="{colour}" stroke="{INK}" stroke-width="0.4"/>'
                )
        parts.append("</g>")
    if empty:
        line = f"Let op: {empty} postdiensten blijven leeg; de tabel zegt welke en waarom."
        parts.append(f'<text x="12" y="{height - 12}" font-weight="bold">{escape(line)}</text>')
    return "\n".join([*parts, "</svg>"])


def _length(days: float) -> str:
    if days != int(days):
        return f"{round(24 * days)} uur"
    return "1 dag" if days == 1 else f"{days:g} dagen"


def _moment(starts: datetime.datetime, minute: float) -> datetime.datetime:
    """``minute`` minutes after ``starts``, also where the clock skips or repeats an hour in between."""
    passed = datetime.timedelta(minutes=minute)
    return (starts.astimezone(datetime.UTC) + passed).astimezone(starts.tzinfo) if starts.tzinfo else starts + passed


def _minutes(starts: datetime.datetime, moment: datetime.datetime) -> float:
    """How many minutes ``moment`` lies after ``starts``; what ``_moment`` undoes."""
    zone = datetime.UTC if starts.tzinfo else None
    ends, begins = (each.astimezone(zone) if zone else each for each in (moment, starts))
    return (ends - begins).total_seconds() / 60


def _clock(starts: datetime.datetime, minute: int) -> str:
    return _moment(starts, minute).strftime("%d-%m %H:%M")
