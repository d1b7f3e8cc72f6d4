"""How many of each capability are asked, and when: a table, and a picture of the hours of every season."""

from __future__ import annotations

from html import escape

from slagkracht.reports.dutch import write_often, write_range
from slagkracht.reports.figures import Figures
from slagkracht.reports.map_svg import FONT, INK
from slagkracht.risks import SEASONS
from slagkracht.sources.vocabulary import read_rows
from slagkracht.strength import LEVELS, Asked
from slagkracht.strength.capabilities import PARTS

SHOWN = (*LEVELS[:4], "P90")
ACROSS, CELL, LINE, WIDE = 3, 10.5, 15, 333
NOTHING, MOST = (238, 243, 243), (8, 48, 107)


def compute_asked_figures(asked: Asked) -> Figures:
    """How many of each capability are asked at one moment, over all years, and once in ten years by season."""
    ten = LEVELS.index("eens per 10 jaar")
    shown = [LEVELS.index(level) for level in SHOWN]
    rows = tuple(
        (
            name,
            *(
                write_range(*(v[c][n] for v in (asked.needed[:, 0], asked.needed_low, asked.needed_high)))
                for n in shown
            ),
            *(str(asked.needed[c, PARTS.index(season), ten]) for season in SEASONS),
        )
        for c, name in enumerate(_names(asked))
    )
    columns = [("Inzetmogelijkheid", "text")]
    columns += [(level.replace("eens per ", "1× per "), "count") for level in SHOWN]
    columns += [(f"{season.capitalize()}, 1× per 10 jaar", "count") for season in SEASONS]
    return Figures("Hoeveel van elke inzetmogelijkheid op één moment wordt gevraagd", tuple(columns), rows)


def describe_asked(asked: Asked) -> str:
    """In words what the picture shows most: the season in which each capability is called for most."""
    told = [
        f"{name} het meest in de {SEASONS[int(asked.begins[c].sum(axis=1).argmax())]}"
        for c, name in enumerate(_names(asked))
        if asked.begins[c].any()
    ]
    return f"Per inzetmogelijkheid een vlak van vier seizoenen bij 24 uren. De vraag begint: {'; '.join(told)}."


def draw_asked(asked: Asked) -> str:
    """SVG: per capability seasons below each other and hours beside each other, the darker the more is asked for then.

    Shades are of the number whose need begins within the hour, each capability against its own highest; behind the name
    stands how many that are in a year.
    """
    names = _names(asked)
    each_high = 4 * LINE + 64
    high = each_high * -(-len(names) // ACROSS) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="{high}" viewBox="0 0 1000 {high}" '
        f'font-family="{FONT}" font-size="15" fill="{INK}">'
    ]
    for c, name in enumerate(names):
        left, top = c % ACROSS * WIDE + 66, c // ACROSS * each_high + 26
        most = float(asked.begins[c].max())
        parts.append(
            f'<text x="{left - 60}" y="{top - 7}" font-size="16" font-weight="bold">{escape(name)}'
            f'<tspan font-weight="normal" dx="6">{write_often(float(asked.begins[c].sum()))}</tspan></text>'
        )
        for s, season in enumerate(SEASONS):
            y = top + s * LINE
            parts.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">{season}</text>')
            for h, value in enumerate(asked.begins[c, s].tolist()):
                parts.append(
                    f'<rect x="{left + h * CELL:.1f}" y="{y}" width="{CELL}" height="{LINE}" '
                    f'fill="{_shade(value / most if most else 0.0)}"/>'
                )
        for hour in (0, 6, 12, 18, 24):
            at = left + hour * CELL
            parts.append(f'<text x="{at:.1f}" y="{top + 4 * LINE + 16}" text-anchor="middle">{hour}</text>')
    return "\n".join([*parts, "</svg>"])


def _shade(share: float) -> str:
    """From light for nothing to dark for the most: a shade that reads without colour."""
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(NOTHING, MOST, strict=True))


def _names(asked: Asked) -> list[str]:
    dutch = {row["capability"]: row["dutch"] for row in read_rows("capabilities")}
    return [dutch.get(code, code) for code in asked.capabilities]
