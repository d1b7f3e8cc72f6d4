"""What is wrong with what another system sent, in Dutch: each finding with its place and words that say what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

WORDS = {
    "missing": "ontbreekt; geef een waarde",
    "extra_forbidden": "kennen wij hier niet; laat het weg",
    "string_type": "is geen tekst",
    "string_unicode": "bevat tekens die geen tekst zijn (halve UTF-16-paren)",
    "string_too_short": "is te kort: minstens {min_length} tekens",
    "string_too_long": "is te lang: hoogstens {max_length} tekens",
    "string_pattern_mismatch": "heeft niet de vorm {pattern}",
    "literal_error": "is niet een van {expected}",
    "int_type": "is geen geheel getal",
    "int_parsing": "is geen geheel getal",
    "int_parsing_size": "is een te groot getal",
    "int_from_float": "is geen geheel getal",
    "float_type": "is geen getal",
    "float_parsing": "is geen getal",
    "finite_number": "is geen eindig getal",
    "greater_than": "moet groter zijn dan {gt}",
    "greater_than_equal": "moet {ge} of meer zijn",
    "less_than": "moet kleiner zijn dan {lt}",
    "less_than_equal": "moet {le} of minder zijn",
    "too_short": "heeft er te weinig: minstens {min_length}",
    "too_long": "heeft er te veel: hoogstens {max_length}",
    "list_type": "is geen lijst",
    "tuple_type": "is geen lijst",
    "dict_type": "is geen object met velden",
    "model_type": "is geen object met velden",
    "model_attributes_type": "is geen object met velden",
    "bool_type": "is niet waar of onwaar (true of false)",
    "bool_parsing": "is niet waar of onwaar (true of false)",
    "timezone_aware": "heeft geen tijdzone; schrijf het als 2026-07-01T14:00:00+02:00",
    "datetime_type": "is geen tijdstip zoals 2026-07-01T14:00:00+02:00",
    "datetime_parsing": "is geen tijdstip zoals 2026-07-01T14:00:00+02:00",
    "datetime_from_date_parsing": "is geen tijdstip zoals 2026-07-01T14:00:00+02:00",
    "datetime_object_invalid": "is geen tijdstip zoals 2026-07-01T14:00:00+02:00",
    "date_type": "is geen datum zoals 2026-07-01",
    "date_parsing": "is geen datum zoals 2026-07-01",
    "date_from_datetime_parsing": "is geen datum zoals 2026-07-01",
    "date_from_datetime_inexact": "is een tijdstip; geef alleen de datum, zoals 2026-07-01",
    "json_invalid": "is geen geldige JSON",
}
"""Per kind of finding of the checking library its words; a kind that is not here is told without its details."""


def describe_invalid(finding: Mapping[str, Any]) -> str:
    """What one finding says, without the place: ``type`` and ``ctx`` as pydantic gives them."""
    context = finding.get("ctx") or {}
    if finding["type"] == "value_error":  # our own check, in its own words
        return str(context.get("error", "kan zo niet"))
    words = WORDS.get(finding["type"], "is niet wat hier gevraagd wordt; zie de beschrijving van dit adres")
    return words.format(**{name: str(value).replace(" or ", " of ") for name, value in context.items()})


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: ``where`` it was sent (body, query, path or header, as OpenAPI names them), the JSON
    ``pointer`` (RFC 6901) to it there, "" being all of it, and what is wrong with it.
    """

    where: str
    pointer: str
    detail: str

    @property
    def text(self) -> str:
        """For a person: the place with dots, and what is wrong there."""
        place = self.pointer.lstrip("/").replace("/", ".").replace("~1", "/").replace("~0", "~")
        return f"{place}: {self.detail}" if place else self.detail


class InvalidError(ValueError):
    """What was sent is not what is asked here; carries every finding at once."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(finding.text for finding in findings))
        self.findings = findings


def describe_fields(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Findings as they go out, each an object with ``in``, ``pointer`` and ``detail``."""
    return [{"in" if name == "where" else name: value for name, value in asdict(f).items()} for f in findings]


def find_wrong(errors: Iterable[Mapping[str, Any]], body: object = None) -> list[Finding]:
    """The findings in what the checking library found; ``body`` is what was sent, as far as it could be read.

    Where a value may be of several kinds, the library tells once per kind why it is not that: here that is one finding.
    """
    told: dict[tuple[str, str], list[str]] = {}
    for error in errors:
        where, *place = error["loc"]
        if where == "body":
            place = _follow(place[1:], body)
        words = describe_invalid(error)
        if where == "body" and not place and error["type"] == "missing":
            words = "het verzoek heeft geen inhoud"
        said = told.setdefault((str(where), point(*place)), [])
        if words not in said:
            said.append(words)
    return [Finding(where, pointer, ", ".join(said)) for (where, pointer), said in told.items()]


def point(*place: object) -> str:
    """The JSON pointer to a place."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)


def _follow(place: list[Any], body: object) -> list[Any]:
    """As much of ``place`` as is in ``body``, and the one field that is missing there: not the library's own names."""
    found = []
    for part in place:
        is_field = isinstance(body, Mapping)
        if not is_field and not (isinstance(body, list) and isinstance(part, int) and part < len(body)):
            break
        found.append(part)
        body = body.get(part) if isinstance(body, Mapping) else body[part]  # type: ignore[index]
    return found
