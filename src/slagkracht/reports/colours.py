"""Colours that say the same to everyone: told apart by the colour-blind and, where one scale runs one way, in grey."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Scale:
    """Classes of a figure and how each is drawn.

    ``breaks`` ascending: a value v falls in class ``number of breaks ≤ v`` · ``colours`` and ``labels`` one per class,
    one more than breaks · ``missing_label`` what it means when there is no value.
    """

    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    missing_label: str


MISSING_COLOUR = "#8a8a8a"
"""Where there is no value. Drawn hatched in print, so that it is not read as a class."""

# ColorBrewer YlGnBu (Cynthia Brewer, Apache-2.0): light is soon, dark is late.
TIME = Scale(
    breaks=(360, 480, 600, 720, 900, 1080),
    colours=("#ffffcc", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84"),
    labels=(
        "tot 6 minuten",
        "6 tot 8 minuten",
        "8 tot 10 minuten",
        "10 tot 12 minuten",
        "12 tot 15 minuten",
        "15 tot 18 minuten",
        "18 minuten en meer",
    ),
    missing_label="niet bereikbaar over de weg",
)

# The light end of BrBG for what is in time, then ever darker orange for what is late.
LATENESS = Scale(
    breaks=(-120, 1, 60, 120, 300),
    colours=("#d3ebe6", "#9fd0c7", "#f2a94e", "#dd7f14", "#a04e08", "#572803"),
    labels=(
        "op tijd, 2 minuten of meer over",
        "op tijd",
        "tot 1 minuut te laat",
        "1 tot 2 minuten te laat",
        "2 tot 5 minuten te laat",
        "5 minuten of meer te laat",
    ),
    missing_label="geen norm of niet bereikbaar",
)

# ColorBrewer Purples, reversed: dark is a small chance.
CHANCE = Scale(
    breaks=(0.5, 0.7, 0.8, 0.9, 0.95),
    colours=("#3f007d", "#6a51a3", "#9e9ac8", "#c6c4e0", "#e2e0ef", "#f8f7fc"),
    labels=("minder dan 50 %", "50 tot 70 %", "70 tot 80 %", "80 tot 90 %", "90 tot 95 %", "95 % en meer"),
    missing_label="geen norm of niet bereikbaar",
)

# After ColorBrewer BuGn: dark is where a neighbour brings most; infinite is where nobody else can come.
GAIN = Scale(
    breaks=(1, 60, 120, 300, inf),
    colours=("#f6f7f4", "#bfe3dc", "#8ccdba", "#4fb38a", "#1f8250", "#00441b"),
    labels=(
        "geen winst",
        "tot 1 minuut",
        "1 tot 2 minuten",
        "2 tot 5 minuten",
        "5 minuten en meer",
        "alleen samen te bereiken",
    ),
    missing_label="ook samen niet te bereiken",
)

# ColorBrewer PuOr: purple is sooner than the plan, orange is later.
DIFFERENCE = Scale(
    breaks=(-120, -30, 31, 121),
    colours=("#5e3c99", "#b2abd2", "#f7f7f7", "#fdb863", "#c2500a"),
    labels=(
        "2 minuten of meer eerder",
        "een halve tot 2 minuten eerder",
        "vrijwel gelijk",
        "een halve tot 2 minuten later",
        "meer dan 2 minuten later",
    ),
    missing_label="in een van beide niet bereikbaar",
)

PLATOON_TIME = dataclasses.replace(
    TIME,
    breaks=(900, 1800, 2700, 3600, 5400, 7200),
    labels=(
        "tot 15 minuten", "15 tot 30 minuten", "30 tot 45 minuten", "45 tot 60 minuten", "60 tot 90 minuten",
        "90 minuten tot 2 uur", "2 uur en meer",
    ),
    missing_label="zo veel komen er niet",
)  # fmt: skip
"""The colours of response times over the times in which platoons and specialisms stand."""

FLOOR_COST = dataclasses.replace(
    GAIN,
    labels=(
        "geen verschil", "tot 1 minuut later", "1 tot 2 minuten later", "2 tot 5 minuten later",
        "5 minuten later of meer", "alleen zonder ondergrenzen",
    ),
    missing_label="ook zonder ondergrenzen niet",
)  # fmt: skip
"""How much later the floors of the lenders make it."""

SCALES = {
    "tijd": TIME, "marge": LATENESS, "kans": CHANCE, "winst": GAIN, "verschil": DIFFERENCE, "staat": PLATOON_TIME,
    "ondergrens": FLOOR_COST,
}  # fmt: skip


def colour_of(scale: Scale, value: float | None) -> str:
    """The colour of a value, or of what is missing when it is None."""
    return MISSING_COLOUR if value is None else scale.colours[bisect_right(scale.breaks, value)]
