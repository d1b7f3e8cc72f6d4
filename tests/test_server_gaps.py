"""The gap screen: the engine's own gap table, never waited for, and what was really refused."""

from __future__ import annotations

import re
import secrets
from typing import Any

import pytest

from slagkracht.server import shortfall
from slagkracht.server.engine import Engine
from slagkracht.strength import compute_posture, compute_shortfall
from slagkracht.strength.shortfall import TOGETHER
from test_server_api import client
from test_server_ledger import acting
from test_server_screens import asked_of_vr07, engine, press, text_of  # noqa: F401  (a fixture)


@pytest.fixture
def few_years(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortfall, "YEARS", 500)
    monkeypatch.setattr(shortfall, "__version__", secrets.token_hex(4))


def compute(engine: Engine) -> dict[str, Any]:  # noqa: F811
    """What the screen gets once a server has worked out what it asked."""
    with acting("VR06") as own:
        shortfall.ask_shortfall(own, engine)
    shortfall.answer_shortfall(engine)
    with acting("VR06") as own:
        found = shortfall.ask_shortfall(own, engine)
    assert found is not None
    return found


def test_the_screen_stands_while_the_gap_is_computed(
    engine: Engine,  # noqa: F811
    few_years: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts, real = [], shortfall.compute_shortfall

    def counted(*args: Any, **given: Any) -> Any:
        starts.append(1)
        return real(*args, **given)

    monkeypatch.setattr(shortfall, "compute_shortfall", counted)
    browser = client("demo-officier-vr06")
    assert not shortfall.is_awaited(engine)
    page = browser.get("/tekort")
    assert page.status_code == 200
    assert 'data-later="/tekort/landelijk"' in page.content.decode()
    assert "wordt berekend" in text_of(page)
    assert "inwoners niet op tijd" in text_of(page), "the coverage shortfall stays below it"
    assert browser.get("/tekort/landelijk").status_code == 202
    assert shortfall.is_awaited(engine)
    assert shortfall.answer_shortfall(engine)
    assert not shortfall.answer_shortfall(engine)
    ready = browser.get("/tekort/landelijk")
    assert ready.status_code == 200
    assert "data-later" not in browser.get("/tekort").content.decode()
    assert starts == [1], "once per plan, whoever asks"


def test_the_table_is_that_of_the_engine(engine: Engine, few_years: None) -> None:  # noqa: F811
    compute(engine)
    found = compute_shortfall(compute_posture(engine.plan, shortfall.WINDOW, engine.travel), years=500, seed=1)
    page = text_of(client("demo-bestuur-vr08").get("/tekort"))
    for f, formation in enumerate(found.gap.formations):
        row = page[page.index(f" {formation.dutch} ") :]
        assert f"{found.gap.needed[f, TOGETHER]:,.0f}".replace(",", ".") in row[:200]
    assert "500 doorgerekende jaren" in page
    assert "gelijkheid van de last" in page
    assert "cijfer=tekort" in client("demo-bestuur-vr08").get("/tekort").content.decode()
    assert "Landelijk tekort" in text_of(client("demo-bestuur-vr08").get("/verantwoording?cijfer=tekort"))


def test_a_plan_without_a_gap_says_why(
    engine: Engine,  # noqa: F811
    few_years: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cannot(*args: Any, **given: Any) -> Any:
        raise ValueError("de scenario's vragen geen formatie")

    monkeypatch.setattr(shortfall, "compute_shortfall", cannot)
    compute(engine)
    page = client("demo-bestuur-vr08").get("/tekort")
    assert page.status_code == 200
    assert "geen landelijk tekort te berekenen: de scenario's vragen geen formatie" in text_of(page).replace(
        "&#x27;", "'"
    )


def test_a_computation_that_broke_off_is_asked_again_later(
    engine: Engine,  # noqa: F811
    few_years: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*args: Any, **given: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(shortfall, "compute_shortfall", breaks)
    assert "brak af" in compute(engine)["waarom_niet"]
    assert not shortfall.is_awaited(engine), "not again and again"
    monkeypatch.setattr(shortfall, "AGAIN", "0 hours")
    with acting("VR06") as own:
        shortfall.ask_shortfall(own, engine)
    assert shortfall.is_awaited(engine)


def test_what_was_refused_and_unmet_is_counted_by_reason_for_who_may_see(engine: Engine) -> None:  # noqa: F811
    asker, lender, centre = (client(f"demo-{who}") for who in ("officier-vr06", "officier-vr07", "actiecentrum"))
    _, line = asked_of_vr07(asker, engine, "handcrew", 3)
    request = line.rpartition("-")[0]
    press(centre, f"/actiecentrum/aanvragen/{request}/uitzetten", regios=["VR07"])
    assert press(lender, f"/regio/regels/{line}/weigeren", reden="bezetting").startswith("Geweigerd")
    press(centre, f"/actiecentrum/aanvragen/{request}/sluiten")
    for who in (asker, centre):
        assert re.search(r"handcrew geen volledige bezetting 3 1 \d\d-\d\d", text_of(who.get("/tekort")))
    assert "bleef niets onvervuld" in text_of(client("demo-bestuur-vr08").get("/tekort"))
