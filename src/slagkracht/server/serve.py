"""Starts the platform on one machine: database, tables, Modelnederland, demo accounts and the web server."""

from __future__ import annotations

import datetime
import os
import secrets
import threading
from pathlib import Path

from slagkracht.server import database
from slagkracht.server.database import Addresses


def set_up(addresses: Addresses, secret: str, connections: int = 20) -> None:
    """Lays the tables and sets Django up on them; once per process, before anything of Django is used."""
    os.environ["SLAGKRACHT_DSN"] = addresses.application
    os.environ["SLAGKRACHT_OWNER_DSN"] = addresses.owner
    os.environ.setdefault("SLAGKRACHT_SECRET", secret)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "slagkracht.server.settings")
    database.migrate(addresses)

    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    database.open_pool(addresses, most=connections)


def read_secret(folder: Path) -> str:
    """The secret that signs sessions on this machine; made at the first start, readable by its owner alone."""
    path = folder / "secret"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return path.read_text(encoding="ascii")


def serve(host: str = "127.0.0.1", port: int = 8000, demo: bool = True) -> None:
    """Serves the platform until it is stopped, with the plan that SLAGKRACHT_PLAN names.

    ``demo`` fills an empty one with demo accounts, and with Modelnederland where no plan is named.
    """
    import uvicorn

    from slagkracht.server import demo as demo_data
    from slagkracht.server import engine
    from slagkracht.server.interfaces import events

    addresses = database.find_addresses()
    set_up(addresses, read_secret(database.data_folder()))
    demo_data.lay_regions(addresses)
    if demo or os.environ.get("SLAGKRACHT_PLAN"):
        loaded = engine.load(engine.read_plan_to_serve(os.environ.get("SLAGKRACHT_PLAN", "")))
        if not demo_data.has_units():
            demo_data.lay_units(loaded.plan)
    if demo:
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=365)
        demo_data.lay_accounts(addresses, until)
        demo_data.lay_consents(until)
    threading.Thread(target=events.run, args=(threading.Event(),), daemon=True).start()
    uvicorn.run(
        "slagkracht.server.asgi:application",
        host=host,
        port=port,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
