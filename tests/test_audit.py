"""What everything is made of, and what is known to be weak in it."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import audit

ROOT = Path(__file__).parents[1]
TODAY = datetime.date(2026, 7, 1)
PYTHON = json.dumps({"dependencies": [
    {"name": "whole", "version": "1.0", "vulns": []},
    {"name": "weak", "version": "2.0", "vulns": [
        {"id": "PYSEC-1", "aliases": ["CVE-2026-1", "GHSA-x"], "fix_versions": ["2.1"], "description": ""}]},
]})  # fmt: skip
WEB = json.dumps({"vulnerabilities": {
    "deep": {"range": "<2", "via": [{"url": "https://github.com/advisories/GHSA-y"}], "fixAvailable": True},
    "above": {"range": "*", "via": ["deep"], "fixAvailable": True},
}})  # fmt: skip


def test_a_weakness_fails_the_run_unless_it_was_accepted_under_any_of_its_names() -> None:
    found = audit.read_pip_audit(PYTHON)
    assert found is not None
    assert [each.package for each in found] == ["weak 2.0"]
    holds, said = audit.judge("Python", found, set())
    assert not holds
    assert "weak 2.0: CVE-2026-1, GHSA-x, PYSEC-1; verholpen in: 2.1" in said[1]
    assert audit.judge("Python", found, {"CVE-2026-1"})[0]
    assert not audit.judge("Python", found, {"CVE-2026-2"})[0]
    web = audit.read_npm_audit(WEB)
    assert web is not None
    assert [each.names for each in web] == [frozenset({"GHSA-y"})]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no network",
        '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}',
        '{"message": "405"}',
        "[]",
        "null",
    ],
)
def test_a_source_that_was_not_reached_is_said_and_fails_nothing(answer: str) -> None:
    for read in (audit.read_pip_audit, audit.read_npm_audit):
        holds, said = audit.judge("bron", read(answer), set())
        assert holds
        assert "te bereiken; dit is niet nagekeken" in said[0]
    assert audit.judge("bron", audit.read_pip_audit('{"dependencies": []}'), set()) == (
        True,
        ["bron: 0 bekende zwakheden"],
    )


def test_what_is_accepted_has_a_reason_and_an_end() -> None:
    text = '[[accepted]]\nid = "CVE-1"\nreason = "nergens gebruikt"\nuntil = 2026-07-01\n'
    assert audit.read_accepted(text, TODAY) == {"CVE-1"}
    assert audit.read_accepted(text, TODAY + datetime.timedelta(days=1)) == set()
    with pytest.raises(ValueError, match="zonder reden"):
        audit.read_accepted(text.replace("nergens gebruikt", " "), TODAY)
    audit.read_accepted(audit.ACCEPTED.read_text(encoding="utf-8"), TODAY)


def test_the_bill_of_materials_names_every_pinned_package(tmp_path: Path) -> None:
    made = tmp_path / "sbom.json"
    program = Path(sys.executable).with_name("cyclonedx-py")
    lock = ROOT / "requirements.lock"
    asked = [program, "requirements", "--output-reproducible", "--of", "JSON", "-o", made, lock]
    subprocess.run(asked, check=True, capture_output=True)
    bill = json.loads(made.read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    pinned = set(re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", lock.read_text(encoding="utf-8"), flags=re.M))
    assert {(each["name"], each["version"]) for each in bill["components"]} == pinned
    assert all(each["externalReferences"][0]["hashes"] for each in bill["components"])


def test_the_lock_names_no_host() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
