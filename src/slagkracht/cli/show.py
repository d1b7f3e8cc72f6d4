"""What a command prints: tables with Dutch figures, progress on long work, or JSON for scripts."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from slagkracht.plan import Plan

WIDTH = max(100, shutil.get_terminal_size((120, 40)).columns)
screen = Console(highlight=False, width=WIDTH)
aside = Console(stderr=True, highlight=False)


def number(value: float) -> str:
    """1234567.0 as 1.234.567."""
    return "–" if not math.isfinite(value) else f"{value:,.0f}".replace(",", ".")


def share(value: float) -> str:
    """0.9461 as 94,6 %."""
    return "–" if not math.isfinite(value) else f"{100 * value:.1f} %".replace(".", ",")


def minutes(seconds: float) -> str:
    """507 as 8:27; nobody who can come is said in words."""
    if math.isnan(seconds):
        return "–"
    if math.isinf(seconds):
        return "niemand"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> None:
    """Print a table under its title; the first ``left`` columns are words, the others figures."""
    screen.print(title, style="bold", markup=False, soft_wrap=True)
    shown = Table(header_style="bold", box=None, pad_edge=False)
    for place, name in enumerate(columns):
        shown.add_column(name, justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        shown.add_row(*row)
    screen.print(shown)
    screen.print()


def whole(plan: Plan) -> str:
    """What all regions of a plan together are called."""
    return "Nederland" if len(plan.regions) == 25 else "Alle regio's"


def written(path: Path, what: str = "") -> None:
    """Say where the result stands."""
    screen.print(f"Geschreven: {path}" + (f" ({what})" if what else ""), markup=False, soft_wrap=True)


def notes(lines: Sequence[str]) -> None:
    """Print what every output must repeat: what was modelled, assumed or left out."""
    for line in lines:
        screen.print(f"· {line}", soft_wrap=True, markup=False)
    if lines:
        screen.print()


def as_json(value: Any) -> None:
    """Print ``value`` for a script: no figure that is not a number, dates as text."""

    def clean(item: Any) -> Any:
        if isinstance(item, dict):
            return {str(key): clean(inner) for key, inner in item.items()}
        if isinstance(item, list | tuple):
            return [clean(inner) for inner in item]
        if hasattr(item, "item"):
            item = item.item()
        return None if isinstance(item, float) and not math.isfinite(item) else item

    print(json.dumps(clean(value), ensure_ascii=False, indent=2, default=str))


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Tell what is being done, with the time that it takes: ``tell("rijtijden")`` begins the next step."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=aside, transient=True, disable=not aside.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("beginnen …", total=None)
        yield lambda text: progress.update(task, description=f"{text} …")
