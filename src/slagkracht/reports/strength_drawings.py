"""Drawings of what may happen and what stands against it: the risk diagram, platoons against hours, days kept up."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt

from slagkracht.reports.dutch import write_count
from slagkracht.reports.map_svg import FONT, INK
from slagkracht.risks import Profile, Risk, compute_impact, compute_ranking

Floats = npt.NDArray[np.float64]

LINE, FREE = "#0b4a8f", "#a04e08"
DOT = "#0d4f5c"


def compute_ranked(profile: Profile) -> list[tuple[Risk, float]]:
    """Scenarios with their impact score, by rate times impact, those without a score last."""
    return [(risk, compute_impact(risk.impact)) for risk in (profile.risks[k] for k in compute_ranking(profile))]


def draw_risk_diagram(profile: Profile) -> str:
    """SVG: likelihood from left to right (logarithmic, with its interval), impact upwards, a number per scenario."""
    ranked = compute_ranked(profile)
    left, top, wide, high = 90, 20, 880, 460
    rates = [rate for risk, _ in ranked for rate in (risk.rate_low, risk.rate_per_year, risk.rate_high) if rate > 0]
    low = floor(log10(min(rates)))
    most = max(ceil(log10(max(rates))), low + 1)

    def x(rate: float) -> float:
        return left + wide * (log10(max(rate, 10.0**low)) - low) / (most - low)

    def y(score: float) -> float:
        return top + high * (1 - (score + 0.5) / 5)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="560" viewBox="0 0 1000 560" '
        f'font-family="{FONT}" font-size="19" fill="{INK}">'
    ]
    for row, letter in enumerate("ABCDE"):
        parts.append(
            f'<rect x="{left}" y="{y(row + 0.5):.1f}" width="{wide}" height="{high / 5:.1f}" '
            f'fill="{"#eef3f3" if row % 2 else "#ffffff"}"/>'
            f'<text x="{left - 12}" y="{y(row) + 6:.1f}" text-anchor="end">{letter}</text>'
        )
    for power in range(most, low - 1, -2):
        at = x(10.0**power)
        words = f"{10**power:g} per jaar" if power >= 0 else f"1 op {write_count(10**-power)} jaar"
        anchor = "end" if power == most else "start" if power == low else "middle"
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{top + high}" stroke="#c9d0cf"/>'
            f'<text x="{at:.1f}" y="{top + high + 24}" text-anchor="{anchor}">{words}</text>'
        )
    parts.append(f'<text x="{left + wide / 2}" y="{top + high + 54}" text-anchor="middle">waarschijnlijkheid</text>')
    parts.append(f'<text x="24" y="{top + high / 2}" transform="rotate(-90 24 {top + high / 2})" '
                 'text-anchor="middle">effect</text>')  # fmt: skip
    placed: list[tuple[float, float]] = []
    for number, (risk, score) in enumerate(ranked, start=1):
        if not np.isfinite(score) or risk.rate_per_year <= 0:
            continue
        cx, cy = x(risk.rate_per_year), y(score)
        steps = (sign * 23 * step for step in range(12) for sign in (1, -1))
        by = next((s for s in steps if all(abs(cx - a) > 23 or abs(cy + s - b) > 22 for a, b in placed)), 0)
        placed.append((cx, cy + by))
        parts.append(
            f'<line x1="{x(risk.rate_low):.1f}" x2="{x(risk.rate_high):.1f}" y1="{cy + by:.1f}" y2="{cy + by:.1f}" '
            f'stroke="{DOT}" stroke-width="1" stroke-opacity="0.35"/>'
        )
        parts.append(
            f'<circle cx="{cx:.1f}" cy="{cy + by:.1f}" r="11" fill="{DOT}"/>'
            f'<text x="{cx:.1f}" y="{cy + by + 5:.1f}" text-anchor="middle" font-size="14" fill="#ffffff">'
            f"{number}</text>"
        )
    return "\n".join([*parts, "</svg>"])


def draw_curve(hours: Sequence[float], curve: Floats) -> str:
    """SVG: how many platoons stand within so many hours, every floor held (whole line) and without floors (dashed)."""
    left, top, wide, high = 90, 20, 880, 300
    most = max(float(curve.max()), 1.0)

    def point(hour: float, count: float) -> str:
        return f"{left + wide * hour / hours[-1]:.1f},{top + high * (1 - count / most):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="400" viewBox="0 0 1000 400" '
        f'font-family="{FONT}" font-size="19" fill="{INK}">'
    ]
    for count in (0.0, most / 2, most):
        _, _, at = point(0, count).partition(",")
        parts.append(
            f'<line x1="{left}" x2="{left + wide}" y1="{at}" y2="{at}" stroke="#c9d0cf"/>'
            f'<text x="{left - 10}" y="{float(at) + 6:.1f}" text-anchor="end">{write_count(count)}</text>'
        )
    for hour in (h for h in hours if h == int(h)):
        at = point(hour, 0).partition(",")[0]
        parts.append(f'<text x="{at}" y="{top + high + 26}" text-anchor="middle">{hour:g} uur</text>')
    for line, colour, dash in ((curve[0], LINE, ""), (curve[1], FREE, ' stroke-dasharray="9 6"')):
        path = " ".join(point(h, n) for h, n in zip((0.0, *hours), (0.0, *line.tolist()), strict=True))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="3"{dash}/>')
    for start, colour, dash, words in ((left, LINE, "", "elke regio boven haar ondergrens"),
                                    (left + 420, FREE, ' stroke-dasharray="9 6"', "zonder ondergrens")):  # fmt: skip
        parts.append(
            f'<line x1="{start}" x2="{start + 44}" y1="376" y2="376" stroke="{colour}" stroke-width="3"{dash}/>'
            f'<text x="{start + 54}" y="382">{escape(words)}</text>'
        )
    return "\n".join([*parts, "</svg>"])


def draw_endurance(days: Sequence[int], sustained: Floats) -> str:
    """SVG: a bar for how many platoons can be kept up for each number of days, with the number above it."""
    left, top, wide, high = 40, 40, 920, 170
    most = max(float(sustained.max()), 1.0)
    step = wide / len(days)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="260" viewBox="0 0 1000 260" '
        f'font-family="{FONT}" font-size="19" fill="{INK}">'
    ]
    for place, (length, count) in enumerate(zip(days, sustained.tolist(), strict=True)):
        tall = high * count / most
        middle = left + step * (place + 0.5)
        words = f"{length} dag" if length == 1 else f"{length} dagen"
        parts.append(
            f'<rect x="{middle - step / 4:.1f}" y="{top + high - tall:.1f}" width="{step / 2:.1f}" '
            f'height="{tall:.1f}" fill="{LINE}"/>'
            f'<text x="{middle:.1f}" y="{top + high - tall - 10:.1f}" text-anchor="middle">{write_count(count)}</text>'
            f'<text x="{middle:.1f}" y="{top + high + 28}" text-anchor="middle">{words}</text>'
        )
    parts.append(f'<line x1="{left}" x2="{left + wide}" y1="{top + high}" y2="{top + high}" stroke="{INK}"/>')
    return "\n".join([*parts, "</svg>"])
