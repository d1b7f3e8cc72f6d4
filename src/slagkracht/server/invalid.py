"""What is wrong with a field that another system sent, in Dutch: each kind of finding in words that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORDS = {
    "missing": "ontbreekt; geef een waarde",
    "extra_forbidden": "kennen wij hier niet; laat het weg",
    "string_type": "is geen tekst",
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
