"""One dated, frozen, hashed set of resources, areas, rules and roads: the thing a board adopts."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from dataclasses import dataclass

import numpy as np

from slagkracht.areas import Areas
from slagkracht.regions import Regions
from slagkracht.resources import Stations, Units
from slagkracht.roads import Roads
from slagkracht.rules import Rules
from slagkracht.travel import Travel


@dataclass(frozen=True, eq=False)
class Plan:
    """What 25 regions bring together, on one day.

    ``roads`` is None where the regions gave a travel-time matrix instead (``travel``); ``notes`` says in Dutch
    sentences what was modelled or left out, and every output repeats them.
    """

    name: str
    day: datetime.date
    regions: Regions
    stations: Stations
    units: Units
    areas: Areas
    rules: Rules
    roads: Roads | None
    travel: Travel | None
    notes: tuple[str, ...]


def compute_hash(thing: object) -> str:
    """SHA-256 over every field of a frozen dataclass: name, dtype, shape and little-endian bytes, in order of name.

    The same content gives the same hash on every machine; a change of any field changes it.
    """
    digest = hashlib.sha256()
    _feed(digest, "", thing)
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, name: str, value: object) -> None:
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "U":  # the width of a string column depends on its longest value, so hash the text
            column = "\x1f".join(value.ravel().tolist()).encode()
            header = f"{name}:str:{value.shape}:{len(column)}"
        else:
            little = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False)
            column = little.tobytes()
            header = f"{name}:{value.dtype.name}:{value.shape}"
        digest.update(header.encode() + b"\x1e" + column)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{name}:{type(value).__name__}{{".encode())
        for field in sorted(dataclasses.fields(value), key=lambda f: f.name):
            _feed(digest, field.name, getattr(value, field.name))
        digest.update(b"}")
    elif isinstance(value, tuple | list):
        digest.update(f"{name}:[{len(value)}".encode())
        for item in value:
            _feed(digest, "", item)
        digest.update(b"]")
    elif isinstance(value, dict):
        digest.update(f"{name}:{{{len(value)}".encode())
        for key in sorted(value, key=str):
            _feed(digest, str(key), value[key])
        digest.update(b"}")
    elif value is None or isinstance(value, str | int | float | bool | datetime.date):
        text = repr(value).encode()
        digest.update(f"{name}:{type(value).__name__}:{len(text)}:".encode() + text)
    else:
        raise TypeError(f"{name or 'value'} is a {type(value).__name__}, which has no agreed bytes to hash")
