"""The texts that a dossier went through, each with what it changed, and what of a dossier everyone may read."""

from __future__ import annotations

import datetime
import difflib
from dataclasses import dataclass
from typing import Any

from slagkracht.procedures.dossier import Dossier, last_answer
from slagkracht.procedures.procedure import Procedure

SAME, GONE, NEW = "gelijk", "vervallen", "nieuw"


@dataclass(frozen=True)
class Version:
    """One text that was put in: ``number`` from 1, when and by whom, and its ``lines`` beside those of the one before.

    Each line is (SAME, GONE or NEW, text); of the first version every line is new, where no ``earlier`` text was given.
    """

    number: int
    at: datetime.datetime
    actor: str
    text: str
    lines: tuple[tuple[str, str], ...]

    @property
    def changed(self) -> int:
        """How many lines are new or gone."""
        return sum(kind != SAME for kind, _ in self.lines)


def compute_versions(dossier: Dossier, field: str, earlier: str = "") -> tuple[Version, ...]:
    """Every text that was put in under ``field``, beside the one before it (the first beside ``earlier``)."""
    versions: list[Version] = []
    before = earlier
    for taken in dossier.taken:
        if text := str(taken.answers.get(field, "")):
            lines = compare_texts(before, text)
            versions.append(Version(len(versions) + 1, taken.at, taken.actor, text, lines))
            before = text
    return tuple(versions)


def compare_texts(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """The lines of two texts as one list: what stayed, what is gone and what is new, in reading order."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[tuple[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [(SAME, line) for line in old[a:b]]
        else:
            lines += [(GONE, line) for line in old[a:b]] + [(NEW, line) for line in new[c:d]]
    return tuple(lines)


def publish(procedure: Procedure, dossier: Dossier) -> dict[str, Any] | None:
    """What everyone may read of a dossier in a public state: its public fields, nobody's name; None in any other."""
    state = next(state for state in procedure.states if state.code == dossier.state)
    if not state.public:
        return None
    fields = {field.name: last_answer(dossier, field.name) for field in procedure.fields if field.public}
    texts = {
        field.name: [
            {"at": version.at.isoformat(), "changed": version.changed, "lines": [list(line) for line in version.lines]}
            for version in compute_versions(dossier, field.name)
        ]
        for field in procedure.fields
        if field.public and field.kind == "stuk"
    }
    roles = {role for taken in dossier.taken[-1:] for role in [taken.role]}
    return {"fields": fields, "versions": texts, "since": dossier.since.isoformat(), "by": sorted(roles)}
