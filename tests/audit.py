"""Asks the public sources whether a pinned dependency has a known weakness: ``make audit``, part of ``make check``.

A weakness that is not in accepted-weaknesses.toml fails the run. A source that cannot be reached does not, and is said.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ACCEPTED = ROOT / "accepted-weaknesses.toml"
PATIENCE_S = 300


@dataclass(frozen=True)
class Weakness:
    """One known weakness of one pinned package; ``names`` are all the ids that it goes by."""

    package: str
    names: frozenset[str]
    mended_in: str


def read_pip_audit(text: str) -> list[Weakness] | None:
    """What pip-audit found; None when it got no answer about some package: it passes over what it misses."""
    try:
        dependencies = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    found = _weak(dependencies)
    return found if found or not any("skip_reason" in each for each in dependencies) else None


def _weak(dependencies: list[dict[str, Any]]) -> list[Weakness]:
    return [
        Weakness(
            f"{each['name']} {each['version']}",
            frozenset([found["id"], *found.get("aliases", [])]),
            ", ".join(found.get("fix_versions", [])),
        )
        for each in dependencies
        for found in each.get("vulns", [])
    ]


def read_npm_audit(text: str) -> list[Weakness] | None:
    """What npm audit found; None when it did not get to an answer."""
    try:
        packages = json.loads(text)["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        return None
    found = []
    for name, told in packages.items():
        causes = [cause for cause in told["via"] if isinstance(cause, dict)]
        for cause in causes:
            weakness = cause["url"].rpartition("/")[2]
            found.append(Weakness(f"{name} {told['range']}", frozenset([weakness]), str(told["fixAvailable"])))
    return found


def read_accepted(text: str, today: datetime.date) -> set[str]:
    """The ids that were accepted with a reason, and of which the day to look again has not come."""
    accepted = set()
    for each in tomllib.loads(text).get("accepted", []):
        if not each["reason"].strip():
            raise ValueError(f"{each['id']}: zonder reden wordt niets aanvaard")
        if today <= each["until"]:
            accepted.add(each["id"])
    return accepted


def judge(source: str, found: list[Weakness] | None, accepted: set[str]) -> tuple[bool, list[str]]:
    """Whether the run may go on, and what to say about one source."""
    if found is None:
        return True, [f"{source}: de bron van bekende zwakheden was niet (geheel) te bereiken; dit is niet nagekeken"]
    said = [f"{source}: {len(found)} bekende zwakheden"]
    open_ones = [each for each in found if not each.names & accepted]
    said += [
        f"  {each.package}: {', '.join(sorted(each.names))}"
        f"{'' if each in open_ones else ' (aanvaard)'}; verholpen in: {each.mended_in or 'nog niets'}"
        for each in found
    ]
    return not open_ones, said


def _ask(*command: str, folder: Path = ROOT) -> str:
    beside = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    try:
        run = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ, **beside}
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout


def main() -> int:
    accepted = read_accepted(ACCEPTED.read_text(encoding="utf-8"), datetime.date.today())
    lock = ("--requirement", "requirements.lock", "--disable-pip", "--require-hashes")
    asked = _ask("pip-audit", *lock, "--format", "json", "--progress-spinner", "off", "--timeout", "10")
    verdicts = [
        judge("Python (requirements.lock)", read_pip_audit(asked), accepted),
        judge("web (package-lock.json)", read_npm_audit(_ask("npm", "audit", "--json", folder=ROOT / "web")), accepted),
    ]
    for _, said in verdicts:
        print("\n".join(said))
    return 0 if all(holds for holds, _ in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
