"""What the tests in a real browser share: where it is, how it is started, and when they are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
BUILT = Path(__file__).parents[1] / "src" / "slagkracht" / "web"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]  # fmt: skip


def needs_browser(built: str) -> list[pytest.MarkDecorator]:
    """The marks of a file of tests that opens ``built``, a file of the front end, in the browser."""
    return [
        pytest.mark.browser,
        pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is niet geïnstalleerd (apt-get install chromium)"),
        pytest.mark.skipif(not (BUILT / built).exists(), reason="de voorkant is niet gebouwd (make web)"),
    ]
