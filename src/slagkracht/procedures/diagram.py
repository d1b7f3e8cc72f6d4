"""A procedure as a drawing: states from top to bottom, under each its steps, and a line to where each step leads."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from slagkracht.procedures.procedure import Procedure, Role, Step

BOX_W, BOX_H, ROW_H, LANE_W, GAP, MARGIN = 300, 32, 36, 16, 22, 20
STEP_SIZE, ROLE_SIZE = 13, 11
CHARACTER = 0.56
"""How wide a character is on average, as a share of its size."""
COLOURS = ("#154273", "#a90061", "#39870c", "#b35900", "#42145f", "#01689b", "#94710a", "#d52b1e")


def draw_procedure(procedure: Procedure, roles: Mapping[str, Role], current: str = "") -> str:
    """The procedure as SVG text, with ``current`` (a state) standing out; its title says what it is.

    ``roles`` by code, as the procedure names them: under each step stands who may take it. States stand in the order in
    which they can be reached, the ends last. Every state has a line of its own, left of the boxes: a step joins it with
    a dot, and its arrow enters the state.
    """
    who = {s.code: ", ".join(roles[code].dutch for code in s.roles) or "van rechtswege" for s in procedure.steps}
    order = _order(procedure)
    moves = {code: [step for step in procedure.steps if code in step.from_states] for code in order}
    targets = [code for code in order if any(step.to == code for step in procedure.steps)]
    lane = {code: MARGIN + LANE_W * i for i, code in enumerate(targets)}
    left = MARGIN + LANE_W * len(targets) + 18
    top: dict[str, int] = {}
    y = MARGIN
    for code in order:
        top[code] = y
        y += BOX_H + 6 + ROW_H * len(moves[code]) + GAP
    lines = [(step.dutch, STEP_SIZE) for step in procedure.steps] + [(each, ROLE_SIZE) for each in who.values()]
    widest = max(34 + int(CHARACTER * size * len(words)) for words, size in lines)
    width, height = left + max(BOX_W, widest) + MARGIN, y - GAP + MARGIN
    state = {s.code: s for s in procedure.states}
    ends: dict[str, list[int]] = {code: [top[code] + BOX_H // 2] for code in targets}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="{STEP_SIZE}" fill="none" stroke-width="1.5">',
        f"<title>{escape(procedure.dutch)}</title>",
    ]
    for code in order:
        for i, step in enumerate(moves[code]):
            row = top[code] + BOX_H + 6 + ROW_H * i + ROW_H // 2 - 4
            label = f"{_text(left + 34, row, step.dutch)}{_text(left + 34, row + 14, who[step.code], ROLE_SIZE)}"
            if step.to:
                ends[step.to].append(row)
                colour = _colour(targets, step.to)
                label += (
                    f'<path d="M{lane[step.to]} {row}H{left + 26}" stroke="{colour}"/>'
                    f'<circle cx="{lane[step.to]}" cy="{row}" r="3.5" fill="{colour}"/>'
                )
            parts.append(label)
    for code in targets:
        colour, x, enter = _colour(targets, code), lane[code], top[code] + BOX_H // 2
        parts.append(
            f'<path d="M{x} {min(ends[code])}V{max(ends[code])}M{x} {enter}H{left - 6}" stroke="{colour}"/>'
            f'<path d="M{left} {enter}l-8 -4v8z" fill="{colour}"/>'
        )
    for code in order:
        fill = "#ffe9b8" if code == current else "#dcead9" if state[code].final else "#e8eef5"
        radius = BOX_H // 2 if state[code].final else 4
        parts.append(
            f'<rect x="{left}" y="{top[code]}" width="{BOX_W}" height="{BOX_H}" rx="{radius}" fill="{fill}" '
            f'stroke="#154273"/>{_text(left + 16, top[code] + 21, state[code].dutch)}'
        )
    return "\n".join([*parts, "</svg>"])


def _order(procedure: Procedure) -> list[str]:
    """State codes in the order in which they can be reached, ends last."""
    reached = [procedure.begin]
    for code in reached:
        leaving: list[Step] = [step for step in procedure.steps if code in step.from_states and step.to]
        reached += dict.fromkeys(step.to for step in leaving if step.to not in reached)
    final = {state.code for state in procedure.states if state.final}
    return [code for code in reached if code not in final] + [code for code in reached if code in final]


def _colour(targets: list[str], code: str) -> str:
    return COLOURS[targets.index(code) % len(COLOURS)]


def _text(x: int, y: int, words: str, size: int = STEP_SIZE) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="#10243e">{escape(words)}</text>'
