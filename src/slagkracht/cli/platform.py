"""``slagkracht serve``: the platform on this machine, with its own database."""

from __future__ import annotations

from typing import Annotated

import typer

from slagkracht.cli import show


def register(app: typer.Typer) -> None:
    app.command("serve")(run)


def run(
    host: Annotated[str, typer.Option("--adres", help="adres waarop geluisterd wordt")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--poort", help="poort")] = 8000,
    empty: Annotated[bool, typer.Option("--leeg", help="zonder Modelnederland en demo-accounts")] = False,
) -> None:
    """Start het platform met een eigen PostgreSQL; SLAGKRACHT_DSN kiest een bestaande database.

    Voorbeeld: slagkracht serve --poort 8000
    """
    from slagkracht.server.serve import serve  # Django is only loaded where it is used

    show.screen.print(f"Het platform start op http://{host}:{port}/ (stoppen met Ctrl-C) …", markup=False)
    serve(host, port, demo=not empty)
