"""XML messages against their published structure: read with every finding at once, written in the order it asks."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element, SubElement, TreeBuilder, register_namespace, tostring
from xml.parsers import expat

MOST_BYTES, DEEPEST = 1_000_000, 40
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Content = dict[str, Any]
"""Per part its text, its own content, or a list of these where it may occur more than once."""


class MessageError(ValueError):
    """A message that is not what it says it is; ``findings`` in Dutch, each with its place."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("; ".join(findings))
        self.findings = findings


@dataclass(frozen=True)
class Part:
    """An element: how often, and what it holds.

    ``kind`` text, blank (text that may be empty), time, number, points, any (accepted, not read) or the words that it
    may be · ``parts`` what it holds,
    in order · ``choice`` just one of them · ``namespace`` where it differs from that of the element around it.
    """

    name: str
    least: int = 1
    most: int | None = 1
    kind: str | tuple[str, ...] = "text"
    parts: tuple[Part, ...] = ()
    choice: bool = False
    namespace: str = ""


def optional(part: Part) -> Part:
    return replace(part, least=0)


def many(part: Part, least: int = 0) -> Part:
    return replace(part, least=least, most=None)


def parse_xml(text: bytes) -> Element:
    """The root of an XML text. No document type, so no entities of its own: nothing expands and nothing is fetched.

    Raises MessageError when it is not well-formed, too large or too deep.
    """
    if len(text) > MOST_BYTES:
        raise MessageError([f"het bericht is groter dan {MOST_BYTES // 1000} kB"])
    builder, depth = TreeBuilder(), 0
    parser = expat.ParserCreate(namespace_separator="}")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise MessageError([f"het bericht is dieper dan {DEEPEST} lagen"])
        builder.start("{" + name if "}" in name else name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end("{" + name if "}" in name else name)

    def refuse(*_: object) -> None:
        raise MessageError(["een bericht heeft geen DOCTYPE en geen eigen entiteiten"])

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except MessageError:
        raise
    except expat.ExpatError as error:
        place = f"regel {error.lineno}, teken {error.offset + 1}"
        raise MessageError([f"geen welgevormde XML ({place})"]) from error
    except (LookupError, ValueError) as error:
        raise MessageError(["geen welgevormde XML: onbekende tekencodering"]) from error
    return builder.close()


def read_message(root: Element, part: Part) -> Content:
    """What the message says. Raises MessageError with every place where it departs from its structure."""
    findings: list[str] = []
    if root.tag != f"{{{part.namespace}}}{part.name}":
        raise MessageError([f"verwacht {part.name} in {part.namespace}, gevonden {root.tag}"])
    content = _read(root, part, part.namespace, part.name, findings)
    if findings:
        raise MessageError(findings)
    return dict(content)


def write_message(content: Content, part: Part, prefixes: dict[str, str]) -> bytes:
    """The XML of a message. Raises MessageError where ``content`` does not have what the structure asks."""
    for prefix, namespace in prefixes.items():
        register_namespace(prefix, namespace)
    root = Element(f"{{{part.namespace}}}{part.name}")
    _write(root, content, part, part.namespace)
    read_message(root, part)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def is_time(text: str) -> bool:
    """Whether a text is a moment with a time zone."""
    if not re.fullmatch(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([-+][0-9]{2}:[0-9]{2}|Z)", text
    ):
        return False
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read(element: Element, part: Part, namespace: str, place: str, findings: list[str]) -> Any:
    if part.kind == "any":
        return {}
    if not part.parts:
        if len(element):
            findings.append(f"{place}: verwacht tekst, gevonden {_name(element[0])}")
        text = (element.text or "").strip()
        if wrong := _what_is_wrong(text, part.kind):
            findings.append(f"{place}: {wrong}")
        return text
    content: Content = {}
    children, at = list(element), 0
    for below in part.parts:
        tag = f"{{{below.namespace or namespace}}}{below.name}"
        found: list[Any] = []
        while at < len(children) and children[at].tag == tag:
            where = f"{place}/{below.name}" + (f"[{len(found) + 1}]" if below.most is None else "")
            found.append(_read(children[at], below, below.namespace or namespace, where, findings))
            at += 1
        if len(found) < below.least and not part.choice:
            findings.append(f"{place}: {below.name} ontbreekt of staat niet op zijn plaats")
        if below.most is not None and len(found) > below.most:
            findings.append(f"{place}: {below.name} hoort hier {below.most} keer, niet {len(found)} keer")
        if found and below.kind != "any":
            content[below.name] = found if below.most is None else found[0]
    meant = {below.name: below.namespace or namespace for below in part.parts}
    for child in children[at:]:
        name, of = _name(child), child.tag[1:].rpartition("}")[0]
        if meant.get(name, of) != of:
            findings.append(f"{place}: {name} hoort in de naamruimte {meant[name]}, niet in {of[:80]!r}")
        else:
            findings.append(f"{place}: {name} hoort hier niet, of niet op deze plaats")
    if part.choice and len(children) != 1:
        findings.append(f"{place}: precies een van {', '.join(below.name for below in part.parts)}")
    return content


def _write(element: Element, content: Any, part: Part, namespace: str) -> None:
    if not part.parts:
        element.text = NOT_XML.sub("\ufffd", str(content)).strip() or "onbekend"
        return
    for below in part.parts:
        found = content.get(below.name, [])
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, str) and not one.strip() and not below.least:
                continue
            inner = below.namespace or namespace
            _write(SubElement(element, f"{{{inner}}}{below.name}"), one, below, inner)


def _name(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _what_is_wrong(text: str, kind: str | tuple[str, ...]) -> str:
    """Why a text is not of its kind; empty when it is."""
    if isinstance(kind, tuple):
        return "" if text in kind else f"{text[:40]!r} is niet een van {', '.join(kind)}"
    if not text:
        return "" if kind == "blank" else "is leeg"
    if kind == "time" and not is_time(text):
        return f"{text[:40]!r} is geen tijdstip met tijdzone, zoals 2026-07-01T14:00:00+02:00"
    if kind == "number" and not re.fullmatch(r"[-+]?[0-9]{1,12}(\.[0-9]{1,12})?", text):
        return f"{text[:40]!r} is geen getal"
    if kind == "points" and not re.fullmatch(
        r"-?[0-9.]{1,20},-?[0-9.]{1,20}( -?[0-9.]{1,20}(,-?[0-9.]{1,20})?)*", text
    ):
        return f"{text[:40]!r} is geen punt of rij punten"
    return ""
