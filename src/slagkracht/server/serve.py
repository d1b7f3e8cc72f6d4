"""Starts the platform on one machine: database, tables, Modelnederland, demo accounts and the web server."""

from __future__ import annotations

import datetime
import gc
import os
import secrets
import socket
import sys
import threading
import warnings
from contextlib import nullcontext
from pathlib import Path

from slagkracht.server import database
from slagkracht.server.database import Addresses

TURN_S = 0.0005
"""How long a request may compute before streams get their turn; Python's own 5 ms add up over a thousand screens."""


def set_up(addresses: Addresses, secret: str, connections: int = 20, tables: bool = True) -> None:
    """Lays the tables and sets Django up on them; once per process, before anything of Django is used."""
    name_addresses(addresses, secret)
    if tables:
        from slagkracht.server import dossiers

        database.migrate(addresses)
        dossiers.lay_procedures(addresses)

    import django
    from django.core.management import call_command

    django.setup()
    if tables:
        from slagkracht.server.clock import lay_queue  # asks for Django

        call_command("migrate", database="owner", verbosity=0, interactive=False)
        lay_queue(addresses)
    database.open_pool(addresses, most=connections)


def name_addresses(addresses: Addresses, secret: str) -> None:
    """Lets this process, and those that it starts, know which database the platform is on.

    On a database of its own, which is a laptop, it may deliver facts to programs on that laptop.
    """
    if "SLAGKRACHT_DSN" not in os.environ:
        os.environ.setdefault("SLAGKRACHT_RECEIVERS", "127.0.0.1,::1")
    os.environ["SLAGKRACHT_DSN"] = addresses.application
    os.environ["SLAGKRACHT_OWNER_DSN"] = addresses.owner
    os.environ.setdefault("SLAGKRACHT_SECRET", secret)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "slagkracht.server.settings")


def read_secret(folder: Path) -> str:
    """The secret that signs sessions on this machine; made at the first start, readable by its owner alone."""
    path = folder / "secret"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return path.read_text(encoding="ascii")


def prepare(demo: bool = True, first: bool = True) -> None:
    """Loads everything that serving asks for, and the plan that SLAGKRACHT_PLAN names.

    The ``first`` on a database lays tables and regions; ``demo`` lets it fill an empty platform with demo accounts, and
    with Modelnederland where no plan is named.
    """
    from slagkracht.server import demo as demo_data
    from slagkracht.server import dossiers, engine
    from slagkracht.server.interfaces import events

    dossiers.read_known()  # a procedure that cannot be executed is refused before anyone is served
    events.read_networks()  # and so is a setting that names no network
    addresses = database.find_addresses()
    with database.alone(addresses.owner) if first else nullcontext():
        set_up(addresses, read_secret(database.data_folder()), tables=first)
        if first:
            demo_data.lay_regions(addresses)
        loaded = None
        if demo or os.environ.get("SLAGKRACHT_PLAN"):
            loaded = engine.load(engine.read_plan_to_serve(os.environ.get("SLAGKRACHT_PLAN", "")))
            if first and not demo_data.has_units():
                demo_data.lay_units(loaded.plan)
        if first and demo:
            until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=365)
            demo_data.lay_accounts(addresses, until)
            demo_data.lay_consents(until)
    if loaded is not None:
        engine.warm_up(loaded, datetime.datetime.now(datetime.UTC))
    import slagkracht.server.asgi
    import slagkracht.server.urls  # noqa: F401  every screen is loaded before the first is asked for
    from slagkracht.server.interfaces.description import describe

    describe()  # what each address takes: the first to ask would wait for it


def warm_up_answers() -> None:
    """What compiles when it is first asked is asked while people log in, so that no first answer waits for it."""
    from slagkracht.server import engine

    if (loaded := engine.current()) is not None:
        engine.warm_up_answers(loaded, datetime.datetime.now(datetime.UTC))


def run(listener: socket.socket) -> None:
    """Serves, on what ``prepare`` loaded, whoever comes at ``listener``, with the platform's clock, until stopped."""
    import uvicorn

    from slagkracht.server.clock import start_clock

    warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous", Warning)  # files, read whole
    gc.collect()
    gc.freeze()  # what is loaded stays: going through it again and again would hold up every stream
    sys.setswitchinterval(TURN_S)
    clock = start_clock(database.data_folder() / "sleutels")
    threading.Thread(target=warm_up_answers, name="warm-up", daemon=True).start()
    config = uvicorn.Config(
        "slagkracht.server.asgi:application",
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=2,
        server_header=False,  # what we are built of is nobody's business
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        clock.end()
