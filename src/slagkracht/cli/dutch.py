"""The help and the refusals of every command, in Dutch."""

from __future__ import annotations

import importlib
import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

HELP = {
    "Usage: ": "Gebruik: ",
    "Options:": "Opties:",
    "Commands:": "Opdrachten:",
    "Arguments:": "Argumenten:",
    "[OPTIONS]": "[OPTIES]",
    "COMMAND [ARGS]...": "OPDRACHT …",
    "Show this message and exit.": "Deze uitleg.",
    "[required]": "[verplicht]",
    "[default:": "[standaard:",
    "<list[Path]>": "<pad>       ",
    "<list[str]>": "<tekst>    ",
    "<str>": "<tekst>",
    "<path>": "<pad> ",
    "<file>": "<pad> ",
}
"""What the command-line library says in a help text, and how a planner reads it."""

KINDS = {"path": "<pad>", "file": "<pad>", "list[Path]": "<pad>", "int": "<getal>", "float": "<getal>"}
"""What a value is, by what the library calls it; the rest is text."""

REFUSALS = (
    (r"No such command '(.*)'\.", r"de opdracht '\1' bestaat niet."),
    (r"No such option: (\S+)", r"de optie \1 bestaat niet."),
    (r"\(Possible options: (.*)\)", r"Bedoelt u \1?"),
    (r"Did you mean (.*)\?", r"Bedoelt u \1?"),
    (r"Missing argument '(.*?)'\.", r"\1 ontbreekt."),
    (r"Missing option '(.*?)'\.", r"de optie \1 ontbreekt."),
    (r"Missing command\.", "de opdracht ontbreekt."),
    (r"Invalid value for '(.*?)': ", r"\1: "),
    (r"Invalid value: ", ""),
    (r"Input should be a valid integer.*", "verwacht is een geheel getal."),
    (r"Input should be greater than or equal to (\S+)", r"kies \1 of meer."),
    (r"Input should be less than or equal to (\S+)", r"kies \1 of minder."),
    (r"Input should be a valid number.*", "verwacht is een getal, met een punt voor de decimalen."),
    (r"Got unexpected extra argument\S* \((.*)\)", r"dit is te veel: \1"),
    (r"Option '?(\S+?)'? requires an argument\.?", r"achter de optie \1 hoort een waarde."),
    (r"Option '?(\S+?)'? does not take a value\.?", r"achter de optie \1 hoort geen waarde."),
)
"""What the library says of a command that was typed wrongly, as patterns, and the same in Dutch."""


def translate_help(text: str) -> str:
    """A help text with the library's own words in Dutch."""
    for english, dutch in HELP.items():
        text = text.replace(english, dutch)
    return re.sub(r"\{(\S+)\}|\[(\[\S+\])\]", r"\1\2", text)


def translate_refusal(text: str) -> str:
    """What is wrong with a command, in Dutch."""
    for english, dutch in REFUSALS:
        text = re.sub(english, dutch, text)
    return text


class Command(TyperCommand):
    """A command whose help is Dutch."""

    def get_help(self, ctx: Any) -> str:
        for option in self.params:
            if isinstance(option, TyperOption) and option.metavar is None and not option.is_flag:
                kind = str(option.display_type(ctx)).strip("<>").removesuffix(" range")
                option.metavar = KINDS.get(kind, "<tekst>")
        return translate_help(super().get_help(ctx))

    def get_usage(self, ctx: Any) -> str:
        return translate_help(super().get_usage(ctx))


class Later(TyperCommand):
    """A command of which only the name and the summary are known until it is typed."""

    def __init__(self, name: str, room: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.room = room

    def load(self) -> Any:
        """The command itself, as ``register`` of its room makes it; only now what it computes with is imported."""
        app = typer.Typer(rich_markup_mode=None)
        importlib.import_module(self.room).register(app)
        speak(app)
        return typer.main.get_group(app).commands[str(self.name)]


class Group(TyperGroup):
    """A group of commands whose help is Dutch; one for later is loaded when it is typed, not when it is listed."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Later) else command, rest

    def get_help(self, ctx: Any) -> str:
        return translate_help(super().get_help(ctx))

    def get_usage(self, ctx: Any) -> str:
        return translate_help(super().get_usage(ctx))


def speak(app: typer.Typer) -> None:
    """Give every command of ``app``, and of the groups in it, its Dutch help."""
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        group.cls = Group
        if group.typer_instance is not None:
            speak(group.typer_instance)
