"""No page is lost and no link leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def links(page: Path) -> list[Path]:
    """The files that a page points to."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S))
    return [(page.parent / target).resolve() for target in found if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for target in links(page) if not target.exists()] == []


def test_every_page_is_reached_from_the_table_of_contents() -> None:
    reached = {DOCS / "README.md"}
    for start in (DOCS / "README.md", DOCS / "method" / "README.md"):
        reached.update(links(start))
    folders = {target for target in reached if target.is_dir()}
    lost = [str(page.relative_to(DOCS)) for page in PAGES if page not in reached and page.parent not in folders]
    assert lost == []


def test_every_button_that_the_duty_officer_is_told_to_press_is_on_a_screen() -> None:
    folder = DOCS.parent / "src" / "slagkracht" / "server" / "templates"
    screens = "\n".join(template.read_text("utf-8") for template in sorted(folder.glob("*.html")))
    told = re.findall(r"\*\*(.+?)\*\*", " ".join((DOCS / "platform.md").read_text("utf-8").split()))
    assert len(told) > 40
    assert [words for words in told if f'"{words}"' not in screens and f">{words}<" not in screens] == []
