"""A procedure as a drawing: states from top to bottom, under each its steps and terms, and where each step leads."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from slagkracht.procedures.procedure import STATUSES, Procedure, Role, Span, Step, Term

BOX_W, BOX_H, ROW_H, TERM_H, LANE_W, GAP, MARGIN = 300, 32, 36, 18, 16, 22, 20
STEP_SIZE, ROLE_SIZE = 13, 11
CHARACTER = 0.56
"""How wide a character is on average, as a share of its size."""
COLOURS = ("#154273", "#a90061", "#39870c", "#b35900", "#42145f", "#01689b", "#94710a", "#d52b1e")


def draw_procedure(procedure: Procedure, roles: Mapping[str, Role], current: str = "") -> str:
    """The procedure as SVG text, with ``current`` (a state) standing out; its title says what it is.

    ``roles`` by code, as the procedure names them: under each step stands who may take it, when at the
    earliest and after what. States stand in the order in
    which they can be reached, the ends last. Every state has a line of its own, left of the boxes: a step joins it with
    a dot, and its arrow enters the state.
    """
    who = {step.code: _who(procedure, step, roles) for step in procedure.steps}
    order = _order(procedure)
    moves = {code: [step for step in procedure.steps if code in step.from_states] for code in order}
    terms = {code: [_tell(procedure, term) for term in procedure.terms if term.state == code] for code in order}
    targets = [code for code in order if any(step.to == code for step in procedure.steps)]
    lane = {code: MARGIN + LANE_W * i for i, code in enumerate(targets)}
    left = MARGIN + LANE_W * len(targets) + 18
    top: dict[str, int] = {}
    y = MARGIN
    for code in order:
        top[code] = y
        y += BOX_H + 6 + ROW_H * len(moves[code]) + TERM_H * len(terms[code]) + GAP
    small = [*who.values(), *(words for told in terms.values() for words in told)]
    lines = [(step.dutch, STEP_SIZE) for step in procedure.steps] + [(words, ROLE_SIZE) for words in small]
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
        for i, words in enumerate(terms[code]):
            row = top[code] + BOX_H + 6 + ROW_H * len(moves[code]) + TERM_H * i + TERM_H // 2 + 4
            parts.append(_text(left + 34, row, words, ROLE_SIZE))
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


def _who(procedure: Procedure, step: Step, roles: Mapping[str, Role]) -> str:
    """Who may take a step, when at the earliest, and after what."""
    said = [", ".join(roles[code].dutch for code in step.roles) or "van rechtswege"]
    if step.wait is not None:
        said.append(f"pas na {_span(step.wait)}")
    said += [f"na {needs.count} × {_names(procedure)[needs.step]}" for needs in step.needs]
    return "; ".join(said)


def _tell(procedure: Procedure, term: Term) -> str:
    """When a term passes, what that means and does, and whether that has been checked."""
    does = f"; dan {_names(procedure)[term.then].lower()}" if term.then else ""
    unsure = f" ({term.status})" if term.status != STATUSES[0] else ""
    return f"Na {_span(term.span)}: {term.dutch}{does}{unsure}"


def _span(span: Span) -> str:
    return f"{span.amount} {span.unit}"


def _names(procedure: Procedure) -> dict[str, str]:
    return {step.code: step.dutch for step in procedure.steps}


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
