"""The commands of a planner: ``slagkracht plan``, ``dekking``, ``variant``, ``kaart``, ``rapport`` and their kin."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from typer.exceptions import TyperException

from slagkracht import __version__
from slagkracht.cli import dutch
from slagkracht.rules import NoRuleError
from slagkracht.sources.refusal import RefusalError, say_why

BROKEN_OFF = 130
"""What a shell calls a command that was stopped with Ctrl-C."""

EXPLANATION = """Van de gegevens van de veiligheidsregio's naar een landelijk dekkingsplan, het tekort en de slagkracht.

Afsluitcodes: 0 gelukt · 1 geweigerd of niet uitvoerbaar (de melding zegt wat, waar en wat te doen) ·
2 verkeerd gebruik van de opdracht · 3 narekenen gaf een verschil · 130 afgebroken."""


ROOMS = {
    "plan": {"plan": "Een plan bouwen of bekijken."},
    "coverage": {
        "dekking": "Wie wordt wanneer bereikt, en is dat binnen de norm?",
        "variant": "Wat verandert een variant, en voor wie?",
        "controleer": "Een resultaat narekenen.",
    },
    "order": {"volgorde": "De kazernevolgordetabel, over regiogrenzen heen."},
    "pages": {
        "kaart": "De kaart: één html-bestand, ook zonder internet.",
        "rapport": "Het gedrukte plan: een toegankelijke pdf.",
    },
    "strength": {
        "slagkracht": "Wie sturen we, wanneer staat het er, wat blijft er?",
        "formaties": "Welke formaties de doctrine van een plan kent.",
    },
    "relief": {"aflossing": "Hoe lang is het vol te houden, en wie lost wie af?"},
    "risks": {
        "risico": "Wat kan er gebeuren, hoe vaak, en wat vraagt het?",
        "tekort": "Wat is nodig, wat is er, wat komt er tekort?",
    },
    "spread": {
        "spreiding": "Waar horen schaarse ploegen te staan, en bij wie?",
        "slagkrachtkaart": "Hoe snel staan pelotons en specialismen overal?",
    },
    "locations": {"locaties": "Welke kazernes zouden het meeste bereiken, bij zoveel?"},
    "simulation": {
        "simulatie": "Laat jaren gebeuren: incidenten en wie er gaat.",
        "prestatie": "Een logboek naast wat het plan beloofde.",
    },
    "data": {
        "aanlevering": "Wat een regio aanlevert: sjabloon en controle.",
        "data": "Open bronnen ophalen (vraagt internet).",
    },
    "platform": {
        "account": "Een account maken, of nieuwe toegang geven.",
        "serve": "Het platform starten, met een eigen database.",
        "reservekopie": "Een reservekopie maken en beproeven.",
        "herstel": "Een reservekopie beproeven, of terugzetten.",
        "logboek": "Het logboek controleren, uitvoeren en invoeren.",
    },
    "demo": {"demo": "Alles voordoen op Modelnederland."},
}
"""Every command with its line in the list, by the room of this folder that holds it: entered when one is typed."""


def _say_version(asked: bool) -> None:
    if asked:
        print(f"slagkracht {__version__}")
        raise typer.Exit


class Commands(dutch.Group):
    """All commands of ROOMS, each a name and a summary until it is typed."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for room, summaries in ROOMS.items():
            for name, summary in summaries.items():
                self.add_command(dutch.Later(name, f"slagkracht.cli.{room}", summary))


app = typer.Typer(
    name="slagkracht",
    cls=Commands,
    help=EXPLANATION,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 110},
)


@app.callback(help=EXPLANATION)
def start(
    version: Annotated[
        bool, typer.Option("--versie", is_eager=True, help="toon de versie", callback=_say_version)
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command (None = as typed); what a planner can mend is said in one paragraph, never as a trace.

    Always raises SystemExit, with one of the codes of EXPLANATION, or 130 when it was broken off.
    """
    try:
        code = app(args=arguments, prog_name="slagkracht", standalone_mode=False)
    except TyperException as misuse:
        _refuse_use(misuse)
    except (RefusalError, NoRuleError) as refusal:
        _fail(str(refusal))
    except OSError as problem:
        where = problem.filename or ""
        _fail(f"{where}: {say_why(problem)}" if where else say_why(problem))
    except (ValueError, KeyError, RuntimeError) as problem:
        _fail(str(problem.args[0] if problem.args else problem))
    except MemoryError:
        _fail("het geheugen is vol: neem minder gebieden of minder tijdvensters tegelijk")
    except Exception as problem:
        driver = sys.modules.get("psycopg")  # only loaded by commands that ask a database
        if driver is None or not isinstance(problem, driver.OperationalError):
            raise
        _fail("de database viel weg; wat niet bevestigd is, is niet gedaan: geef de opdracht opnieuw")
    except KeyboardInterrupt:
        code = BROKEN_OFF
    if code == BROKEN_OFF:
        _fail("afgebroken; er is niets half geschreven", BROKEN_OFF)
    sys.exit(code or 0)


def _refuse_use(misuse: TyperException) -> NoReturn:
    """Say what is wrong with the command as it was typed, and how to ask for help."""
    if type(misuse).__name__ == "NoArgsIsHelpError":
        print(misuse)
        sys.exit(2)
    context = getattr(misuse, "ctx", None)
    hint = f"\nUitleg: {context.command_path} --help" if context is not None else ""
    _fail(f"{dutch.translate_refusal(misuse.format_message())}{hint}", 2)


def _fail(message: str, code: int = 1) -> NoReturn:
    Console(stderr=True, highlight=False).print(f"Kan niet verder: {message}", markup=False, soft_wrap=True)
    sys.exit(code)
