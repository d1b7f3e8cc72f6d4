"""A procedure as data: states, steps, who may take them, on what ground, and the terms that run meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

EACH = "elk"
"""The party of a step that every region takes once, for itself."""

STATUSES = ("vastgesteld", "te verifiëren")

KINDS = ("tekst", "stuk", "keuze", "datum", "regio", "plan")
"""What a field can hold: words; a text whose versions are laid side by side; one of its choices; a day; a region; the
fingerprint of a plan."""


@dataclass(frozen=True)
class Role:
    """Someone who can act: ``code`` as steps name it, ``dutch`` as screens do; ``national`` = above the regions."""

    code: str
    dutch: str
    national: bool


@dataclass(frozen=True)
class Span:
    """A length of time: ``amount`` in ``unit`` (one of UNITS)."""

    amount: int
    unit: str


@dataclass(frozen=True)
class State:
    """Where a dossier can be. ``final`` = it stays there; ``public`` = what is Open of it may be read by everyone."""

    code: str
    dutch: str
    final: bool
    public: bool = False


@dataclass(frozen=True)
class Field:
    """What a step asks under ``name``: its ``kind`` (one of KINDS), the ``choices`` of a keuze, may it stay empty.

    ``public`` = everyone may read it once the dossier is in a public state.
    """

    name: str
    dutch: str
    kind: str = "tekst"
    choices: tuple[str, ...] = ()
    optional: bool = False
    public: bool = False


@dataclass(frozen=True)
class Needs:
    """What must have gone before: ``count`` times step ``step``, of which only those that answered ``answer`` count.

    ``answer`` is (field, allowed values); None = every one counts. Of a step that every region takes, a region counts
    once, by what it said last.
    """

    step: str
    count: int
    answer: tuple[str, tuple[str, ...]] | None


@dataclass(frozen=True)
class Step:
    """What can be done in a state.

    ``from_states`` → ``to`` ("" = the dossier stays where it is) · ``roles`` who may · ``party`` which of the
    dossier's parties that person must act for ("" = none in particular, "elk" = every region once; a field that an
    earlier step asked = the region that was filled in there) · ``ground`` the
    legal ground · ``asks`` fields to fill in · ``documents`` that it makes · ``wait`` how long
    it must have been in the state · ``needs`` what must have gone before · ``again`` a region may take it again while
    the dossier stands there, and what it said last counts · ``when`` (field, values): only when that was answered last.
    """

    code: str
    dutch: str
    from_states: tuple[str, ...]
    to: str
    roles: tuple[str, ...]
    party: str
    ground: str
    asks: tuple[str, ...]
    documents: tuple[str, ...]
    wait: Span | None
    needs: tuple[Needs, ...]
    again: bool = False
    when: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Term:
    """A term that runs while a dossier is in ``state``; when it passes, ``then`` is taken by force of the procedure.

    ``then`` "" = nothing happens by itself, but everyone sees it (``dutch``). ``status`` "te verifiëren" is shown so.
    """

    code: str
    dutch: str
    state: str
    span: Span
    then: str
    source: str
    status: str


@dataclass(frozen=True)
class Procedure:
    """One procedure file. ``parties`` names who takes part besides whoever holds a national role; ``apart`` = each of
    them another region.

    ``fields`` tells how what steps ask is filled in; what is not told of is text that may not be empty.
    """

    code: str
    dutch: str
    version: int
    source: str
    status: str
    begin: str
    parties: tuple[str, ...]
    states: tuple[State, ...]
    steps: tuple[Step, ...]
    terms: tuple[Term, ...]
    fields: tuple[Field, ...] = ()
    apart: bool = False


def find_field(procedure: Procedure, name: str) -> Field:
    """How the field ``name`` of a procedure is filled in."""
    told = next((field for field in procedure.fields if field.name == name), None)
    return told or Field(name, name.replace("_", " ").capitalize())
