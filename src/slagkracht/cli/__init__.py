"""The commands of a planner: ``slagkracht plan``, ``dekking``, ``variant``, ``kaart``, ``rapport`` and their kin."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from slagkracht.cli import coverage, data, demo, pages, plan, platform, strength
from slagkracht.rules import NoRuleError
from slagkracht.sources.refusal import RefusalError

EXPLANATION = """Van de gegevens van de veiligheidsregio's naar een landelijk dekkingsplan, het tekort en de slagkracht.

Afsluitcodes: 0 gelukt · 1 geweigerd of niet uitvoerbaar (de melding zegt wat, waar en wat te doen) ·
2 verkeerd gebruik van de opdracht · 3 narekenen gaf een verschil."""

app = typer.Typer(
    name="slagkracht",
    help=EXPLANATION,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for part in (plan, coverage, strength, pages, data, platform, demo):
    part.register(app)


def main() -> None:
    """Run a command; what a planner can mend is said in one paragraph, never as a trace."""
    try:
        app()
    except RefusalError as refusal:
        _fail(str(refusal))
    except (NoRuleError, FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError) as problem:
        _fail(str(problem))
    except (ValueError, KeyError) as problem:
        _fail(str(problem.args[0] if problem.args else problem))
    except KeyboardInterrupt:
        _fail("afgebroken; er is niets half geschreven")


def _fail(message: str) -> None:
    Console(stderr=True, highlight=False).print(f"Kan niet verder: {message}", markup=False, soft_wrap=True)
    sys.exit(1)
