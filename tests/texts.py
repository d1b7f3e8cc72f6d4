"""Every text of the platform that reaches a screen, gathered from its templates, its programs and its words.

``python tests/texts.py`` prints what the English catalogue lacks, as entries to fill in.
"""

from __future__ import annotations

import io
from pathlib import Path

import babel.messages.pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python

SERVER = Path(__file__).parents[1] / "src" / "slagkracht" / "server"
CATALOGUE = SERVER / "locale" / "en" / "LC_MESSAGES" / "django.po"
ERRORS = ("LedgerError", "NotFoundError", "NotAllowedError", "AlreadyCommittedError", "ChangedMeanwhileError",
          "RefusedError", "DisagreeError")  # fmt: skip
SPOKEN = [
    SERVER / f"{name}.py" for name in ("dossiers", "handover", "assistance", "costs", "documents", "move_ups", "offers")
] + sorted([*(SERVER / "ledger").glob("*.py"), *(SERVER / "relief").glob("*.py"), *(SERVER / "screens").glob("*.py")])
"""The programs whose texts reach a screen."""
KEYWORDS = dict.fromkeys(
    (*ERRORS, "_", "said", "gettext", "gettext_lazy", "ngettext", "pgettext", "npgettext", "read_moment", "read_number")
)
Text = tuple[str, str]
"""A text and the context that tells it from the same words elsewhere ("" = none)."""


def _unfold(message: object) -> Text:
    """The singular is what a text is known by."""
    if isinstance(message, tuple):
        return message[0], ""
    return str(message), ""


def read_template_texts(path: Path) -> set[Text]:
    from django.utils.translation.template import templatize

    source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    texts = set()
    for _, function, message, _ in extract_python(io.BytesIO(source.encode()), KEYWORDS, [], {}):
        if function in ("pgettext", "npgettext"):
            assert isinstance(message, tuple)
            texts.add((str(message[1]), str(message[0])))
        else:
            texts.add(_unfold(message))
    return texts


def read_program_texts(path: Path) -> set[Text]:
    found = extract_python(io.BytesIO(path.read_bytes()), KEYWORDS, [], {"encoding": "utf-8"})
    texts = set()
    for _, function, message, _ in found:
        given = message if isinstance(message, tuple) else (message,)
        at = 1 if function.startswith("read_") else 0
        if at < len(given) and isinstance(given[at], str) and given[at]:
            texts.add((given[at], ""))
    return texts


def read_shown_texts() -> set[Text]:
    """All of them."""
    from slagkracht.server.ledger import NOUNS
    from slagkracht.server.screens.words import WORDS

    shown = {(word, "") for word in (*WORDS.values(), *NOUNS.values())}
    for path in sorted((SERVER / "templates").glob("*.html")):
        shown |= read_template_texts(path)
    for path in SPOKEN:
        shown |= read_program_texts(path)
    return shown


def read_catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return babel.messages.pofile.read_po(file, locale="en")


if __name__ == "__main__":
    import os

    import django

    os.environ.update(DJANGO_SETTINGS_MODULE="slagkracht.server.settings", SLAGKRACHT_SECRET="-")
    django.setup()
    known = {(str(m.id if isinstance(m.id, str) else m.id[0]), m.context or "") for m in read_catalogue() if m.string}
    for text, context in sorted(read_shown_texts() - known):
        print(f'msgctxt "{context}"\n' * bool(context) + f'msgid "{text}"\nmsgstr ""\n')
