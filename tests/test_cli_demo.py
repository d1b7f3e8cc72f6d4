"""``slagkracht demo`` as somebody types it: the platform comes up, lets one in, and leaves nothing running."""

from __future__ import annotations

import http.cookiejar
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import psutil
import pytest

from conftest import make_data_folder
from slagkracht.cli.demo import _has_screen, _pick_port
from slagkracht.server.demo import PASSWORD

MAP_PAGE = resources.files("slagkracht") / "web" / "kaart.html"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL can write to, also where the tests run as root."""
    made = make_data_folder()
    yield made
    shutil.rmtree(made)


class Demo:
    """The demo as a program: ``said`` is what it printed so far."""

    def __init__(self, folder: Path) -> None:
        program = [sys.executable, "-c", "from slagkracht.cli import main; main()", "demo"]
        given = ["--gebieden", "400", "--poort", "0", "--geen-browser", "--map", str(folder / "demo")]
        surroundings = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [*program, *given], env=surroundings, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.said = ""

    def read_until(self, words: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return line
        raise AssertionError(self.said)

    def end(self, number: int) -> int:
        family = psutil.Process(self.process.pid).children(recursive=True)
        os.killpg(self.process.pid, number)
        rest, _ = self.process.communicate(timeout=60)
        self.said += rest
        assert [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
        return self.process.returncode


@pytest.mark.skipif(not MAP_PAGE.is_file(), reason="the front end was not built: make web")
def test_the_demo_serves_the_platform_and_stops_whole_and_runs_again(folder: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        demo = Demo(folder)
        try:
            demo.read_until("Nederland · Modelnederland")
            demo.read_until("Stoppen met Ctrl-C")
            found = re.search(r"Inloggen op (http://127.0.0.1:[0-9]+)/", demo.said)
            assert found, demo.said
            assert PASSWORD in demo.said
            jar = http.cookiejar.CookieJar()
            browser = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar)
            )
            with browser.open(found[1], timeout=60) as page:
                assert "demo-actiecentrum" in page.read().decode(), "the login page says who one can be"
            token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
            given = {"username": "demo-actiecentrum", "password": PASSWORD, "csrfmiddlewaretoken": token}
            with browser.open(found[1] + "/inloggen", urllib.parse.urlencode(given).encode(), timeout=60) as page:
                text = page.read().decode()
            assert "<h1>Landelijk beeld</h1>" in text
            assert "Modelnederland" in text
            assert 'href="/kaart/plan.html"' in text
            with browser.open(found[1] + "/kaart/plan.html", timeout=60) as page:
                assert "sandbox allow-scripts" in page.headers["Content-Security-Policy"]
                assert page.read() == (folder / "demo" / "kaart.html").read_bytes()
        finally:
            code = demo.end(number)
        assert code == 0, demo.said
        assert "Gestopt." in demo.said
        assert not (folder / "demo" / "platform" / "postgres" / "postmaster.pid").exists(), "the database stopped too"


def test_a_port_in_use_is_said_and_another_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        other = _pick_port(port)
    assert other != port
    assert f"Poort {port} is in gebruik; het platform komt op poort {other}." in capsys.readouterr().out
    assert _pick_port(other) == other


def test_no_browser_is_opened_where_there_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not _has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert _has_screen()
