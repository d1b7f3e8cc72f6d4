"""How JSON comes in and goes out: only UTF-8 that can be kept comes in, every instant goes out in UTC."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder

from slagkracht.server.invalid import Finding, InvalidError, point


class JsonParser(Parser):
    """Reads a request. Raises InvalidError when it is not JSON in UTF-8, or holds text that cannot be kept."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            content = json.loads(request.body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InvalidError(Finding("body", "", f"is geen UTF-8 (byte {error.start})")) from error
        except json.JSONDecodeError as error:
            place = f"regel {error.lineno}, teken {error.colno}"
            raise InvalidError(Finding("body", "", f"is geen geldige JSON ({place})")) from error
        except RecursionError as error:
            raise InvalidError(Finding("body", "", "is te diep genest")) from error
        except ValueError as error:  # a number of thousands of digits
            raise InvalidError(Finding("body", "", "bevat een te groot getal")) from error
        if wrong := list(_find_strange(content, ())):
            raise InvalidError(*wrong)
        return content


def _find_strange(value: object, place: tuple[object, ...]) -> Iterator[Finding]:
    """Texts, also names of fields, that no database keeps: with a null character, or with half a UTF-16 pair."""
    if isinstance(value, str):
        if "\x00" in value:
            yield Finding("body", point(*place), "bevat een nulteken; laat het weg")
        elif any("\ud800" <= letter <= "\udfff" for letter in value):
            yield Finding("body", point(*place), "bevat tekens die geen tekst zijn (halve UTF-16-paren)")
    elif isinstance(value, dict):
        for name, below in value.items():
            if any(_find_strange(name, ())):
                yield Finding("body", point(*place), "heeft een veld waarvan de naam geen tekst is")
            else:
                yield from _find_strange(below, (*place, name))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _find_strange(below, (*place, number))


class _Encoder(NinjaJSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, datetime.datetime) and o.tzinfo is not None:
            o = o.astimezone(datetime.UTC)
        return super().default(o)


class JsonRenderer(JSONRenderer):
    """Writes an answer: an instant in UTC, wherever in the answer it stands."""

    encoder_class = _Encoder
