"""A plan on disk: tables that open in QGIS and Polars, rules that can be read, and a hash that betrays any change."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import io
import json
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from slagkracht.areas import Areas
from slagkracht.plan import Plan, compute_hash
from slagkracht.regions import Regions
from slagkracht.resources import WINDOWS, Stations, Units
from slagkracht.risks import Need, Place, Profile, Risk, Shock
from slagkracht.roads import Roads
from slagkracht.rules import Rule, Rules, RuleVersion
from slagkracht.sources.refusal import Finding, RefusalError
from slagkracht.sources.scratch import make_scratch
from slagkracht.travel import Travel

FORMAT = 2
"""Raised with every change that an older reader would misread."""

MANIFEST = "manifest.json"
TABLES: dict[str, Any] = {"regions": Regions, "stations": Stations, "units": Units, "areas": Areas}
ARRAYS: dict[str, Any] = {"roads": Roads, "travel": Travel}
DAY_KEY = "$dag"

_DAMAGE = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError, EOFError, OSError,
    NotImplementedError, MemoryError, struct.error, zlib.error, zipfile.BadZipFile, pa.ArrowException,
)  # fmt: skip


def write_plan(plan: Plan, path: Path) -> None:
    """The plan as a folder, or as one file when ``path`` ends in .zip: whole, or not at all.

    Regions, stations, units and areas are (Geo)Parquet; risks and rules are JSON; roads and travel are compressed
    arrays. An earlier plan at ``path`` is replaced. Raises RefusalError when something else stands there.
    """
    if path.exists() and not _is_plan(path):
        raise _refuse(path, "", "iets dat geen plan is", "een nieuwe map, of een plan dat vervangen mag worden")
    contents = {f"{name}.parquet": _pack_table(getattr(plan, name)) for name in TABLES}
    contents |= {f"{name}.npz": _pack_arrays(thing) for name in ARRAYS if (thing := getattr(plan, name)) is not None}
    contents |= {f"{name}.json": _pack_text(getattr(plan, name)) for name in TEXTS}
    manifest = {
        "format": FORMAT,
        "name": plan.name,
        "day": plan.day.isoformat(),
        "notes": list(plan.notes),
        "hash": compute_hash(plan),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    contents[MANIFEST] = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    scratch = make_scratch(path)
    try:
        made = scratch / path.name
        if path.suffix == ".zip":
            with zipfile.ZipFile(made, "w") as archive:
                for name, content in contents.items():
                    archive.writestr(zipfile.ZipInfo(name), content)
        else:
            made.mkdir()
            for name, content in contents.items():
                (made / name).write_bytes(content)
            if path.exists():
                os.replace(path, scratch / "earlier")
        os.replace(made, path)
    finally:
        shutil.rmtree(scratch)


def read_plan(path: Path) -> Plan:
    """The plan that was written at ``path``. Raises RefusalError, naming the file that is missing or damaged."""
    manifest = _read_manifest(path)
    contents: dict[str, bytes] = {}
    findings: list[Finding] = []
    for name, expected in manifest["files"].items():
        content = _read_file(path, name)
        if content is None:
            findings.append(Finding(f"{path.name}/{name}", 0, "", "geen bestand", "het bestand dat het manifest noemt"))
        elif hashlib.sha256(content).hexdigest() != expected:
            findings.append(
                Finding(f"{path.name}/{name}", 0, "", "een andere inhoud", f"de inhoud met sha256 {expected[:12]}…")
            )
        else:
            contents[name] = content
    if findings:
        raise RefusalError(findings)
    parts: dict[str, Any] = {}
    for part in (*TABLES, *ARRAYS, *TEXTS):
        name = f"{part}.{'parquet' if part in TABLES else 'npz' if part in ARRAYS else 'json'}"
        try:
            if part in TABLES:
                parts[part] = _unpack_table(TABLES[part], contents[name])
            elif part in TEXTS:
                parts[part] = TEXTS[part](_from_json(json.loads(contents[name])))
            else:
                parts[part] = _unpack_arrays(ARRAYS[part], contents[name]) if name in contents else None
        except _DAMAGE as error:
            raise _refuse(
                path, name, "een beschadigd bestand", "het bestand zoals het geschreven is; bouw het plan opnieuw"
            ) from error
    plan = Plan(
        name=manifest["name"],
        day=datetime.date.fromisoformat(manifest["day"]),
        notes=tuple(manifest["notes"]),
        **parts,
    )
    if compute_hash(plan) != manifest["hash"]:
        raise _refuse(path, MANIFEST, "een andere inhoud", f"een plan met hash {manifest['hash'][:12]}…")
    return plan


def _refuse(path: Path, name: str, found: str, expected: str) -> RefusalError:
    return RefusalError([Finding(f"{path.name}/{name}" if name else path.name, 0, "", found, expected)])


def _read_file(path: Path, name: str) -> bytes | None:
    """One file of a plan; None when it cannot be had. A name never leads outside the plan."""
    try:
        if "/" in name or "\\" in name:
            return None
        if path.is_dir():
            return (path / name).read_bytes()
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except _DAMAGE:
        return None


def _read_manifest(path: Path) -> dict[str, Any]:
    content = _read_file(path, MANIFEST)
    if content is None:
        raise _refuse(path, "", "geen plan", f"een map of zip met {MANIFEST}")
    try:
        manifest = json.loads(content)
        number = manifest["format"]
        datetime.date.fromisoformat(manifest["day"])
        texts = [manifest["name"], manifest["hash"], *manifest["notes"], *manifest["files"].values()]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("een tekst ontbreekt")
    except _DAMAGE as error:
        raise _refuse(
            path, MANIFEST, "een beschadigd bestand", "het manifest zoals het geschreven is; bouw het plan opnieuw"
        ) from error
    if number != FORMAT:
        raise _refuse(
            path, MANIFEST, f"formaat {number}", f"formaat {FORMAT}: bouw het plan opnieuw, of neem een passende versie"
        )
    return dict(manifest)


def _is_plan(path: Path) -> bool:
    return _read_file(path, MANIFEST) is not None


def _second_axis(thing: Any, field: str) -> tuple[str, ...]:
    """What the columns of a two-dimensional field are called."""
    if field == "capabilities":
        return tuple(thing.capability_names)
    if field == "objects":
        return tuple(thing.object_classes)
    return WINDOWS


def _pack_table(thing: Any) -> bytes:
    """A noun as Parquet: a column per field (or field:window, field:capability), and a point where it has a place."""
    columns: dict[str, pa.Array] = {}
    names: dict[str, list[str]] = {}
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if isinstance(value, tuple):
            names[field.name] = list(value)
        elif value.ndim == 1:
            columns[field.name] = pa.array(value.tolist(), pa.string()) if value.dtype.kind == "U" else pa.array(value)
        else:
            for i, label in enumerate(_second_axis(thing, field.name)):
                columns[f"{field.name}:{label}"] = pa.array(np.ascontiguousarray(value[:, i]))
    metadata = {"slagkracht": json.dumps(names)}
    if hasattr(thing, "x_m"):
        columns["geometry"] = pa.array(list(shapely.to_wkb(shapely.points(thing.x_m, thing.y_m))), pa.binary())
        metadata["geo"] = _geo_metadata()
    table = pa.table(columns).replace_schema_metadata(metadata)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


@cache
def _geo_metadata() -> str:
    """GeoParquet 1.1 metadata of a column of points in RD New."""
    column = {"encoding": "WKB", "geometry_types": ["Point"], "crs": CRS.from_epsg(28992).to_json_dict()}
    return json.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}})


def _unpack_table(noun: Any, content: bytes) -> Any:
    table = pq.ParquetFile(io.BytesIO(content)).read()  # read_table would load pandas first
    names = json.loads(table.schema.metadata[b"slagkracht"])
    values: dict[str, Any] = {field: tuple(labels) for field, labels in names.items()}
    thing = dataclasses.make_dataclass("Names", names)(**values)
    for field in dataclasses.fields(noun):
        if field.name in values:
            continue
        if field.name in table.column_names:
            column = table.column(field.name)
            text = pa.types.is_string(column.type)
            values[field.name] = np.array(column.to_pylist(), np.str_) if text else column.to_numpy()
        else:
            labels = _second_axis(thing, field.name)
            parts = [table.column(f"{field.name}:{label}").to_numpy() for label in labels]
            values[field.name] = np.stack(parts, axis=1) if parts else np.zeros((table.num_rows, 0), _EMPTY[field.name])
    return noun(**values)


_EMPTY = {"capabilities": np.bool_, "objects": np.float32}
"""The kind of a two-dimensional field that has no columns at all."""


def _pack_arrays(thing: Any) -> bytes:
    fields = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    values = {name: value for name, value in fields.items() if not isinstance(value, np.ndarray)}
    arrays: dict[str, Any] = {name: value for name, value in fields.items() if name not in values}
    arrays["values"] = np.array(json.dumps(values))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, value in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, value, allow_pickle=False)
    return buffer.getvalue()


def _unpack_arrays(noun: Any, content: bytes) -> Any:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(str(arrays["values"])).items()
        }
        return noun(**values, **{name: arrays[name] for name in arrays.files if name != "values"})


def _pack_text(thing: Any) -> bytes:
    return json.dumps(_to_json(thing), ensure_ascii=False, indent=1).encode()


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return {DAY_KEY: value.isoformat()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {DAY_KEY}:
            return datetime.date.fromisoformat(value[DAY_KEY])
        return {key: _from_json(item) for key, item in value.items()}
    return [_from_json(item) for item in value] if isinstance(value, list) else value


def _rules_from(text: Any) -> Rules:
    rules = []
    for rule in text["rules"]:
        versions = tuple(RuleVersion(**version) for version in rule.pop("versions"))
        rules.append(Rule(**rule | {"versions": versions, "cases": tuple(rule["cases"])}))
    return Rules(tuple(rules))


def _risks_from(text: Any) -> Profile:
    risks = []
    for risk in text["risks"]:
        places = tuple(Place(**place) for place in risk.pop("places"))
        needs = tuple(Need(**need) for need in risk.pop("needs"))
        lists = {name: tuple(value) for name, value in risk.items() if isinstance(value, list)}
        risks.append(Risk(**risk | lists, places=places, needs=needs))
    return Profile(tuple(risks), tuple(Shock(**shock) for shock in text["shocks"]))


TEXTS: dict[str, Callable[[Any], Any]] = {"risks": _risks_from, "rules": _rules_from}
"""What is written to be read by people too, and how each comes back."""
