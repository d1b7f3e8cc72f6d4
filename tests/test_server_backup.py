"""The list of what a copy was sent with: as it was written, or refused in words."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slagkracht.server.backup import read_manifest, refuse_damage


def written(folder: Path) -> bytes:
    """A copy of two files, one with a name that no text can hold, and its manifest."""
    data = folder / "postgres"
    data.mkdir(exist_ok=True)
    (data / "PG_VERSION").write_text("18\n")
    (data / "é").write_text("x")
    files = [
        {"Path": "PG_VERSION", "Checksum": hashlib.sha256(b"18\n").hexdigest()},
        {"Encoded-Path": "é".encode().hex(), "Checksum": hashlib.sha256(b"x").hexdigest()},
    ]
    text = json.dumps({"Files": files}).encode()[:-1] + b",\n"
    text += b'"Manifest-Checksum": "' + hashlib.sha256(text).hexdigest().encode() + b'"}\n'
    (data / "backup_manifest").write_bytes(text)
    return text


def test_a_copy_as_it_was_sent_passes_and_a_changed_file_is_named(tmp_path: Path) -> None:
    written(tmp_path)
    refuse_damage(tmp_path / "postgres")
    (tmp_path / "postgres" / "é").write_text("y")
    with pytest.raises(RuntimeError, match="is beschadigd: é; neem een andere"):
        refuse_damage(tmp_path / "postgres")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_manifest_that_is_not_whole_is_refused_in_words(tmp_path: Path, data: st.DataObject) -> None:
    text = bytearray(written(tmp_path))
    at = data.draw(st.integers(0, len(text) - 2))  # the line end behind it says nothing
    kind = data.draw(st.sampled_from(["byte", "cut", "other"]))
    if kind == "byte":
        text[at] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del text[at:]
    else:
        text = bytearray(data.draw(st.binary(max_size=80) | st.sampled_from([b"[]", b"{}", b"null", b"[" * 100_000])))
    (tmp_path / "postgres" / "backup_manifest").write_bytes(text)
    with pytest.raises(RuntimeError, match="backup_manifest is niet zoals hij geschreven is; neem een andere"):
        read_manifest(tmp_path / "postgres" / "backup_manifest")
