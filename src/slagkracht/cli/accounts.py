"""``slagkracht account``: accounts of a platform that has no provider of identities."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer

from slagkracht.cli import show


def make(
    username: Annotated[str, typer.Argument(metavar="NAAM", help="gebruikersnaam")],
    region: Annotated[str, typer.Option("--regio", help="regio (VR01–VR25) of LAC")],
    name: Annotated[str, typer.Option("--functie", help="de functie, zoals het logboek haar noemt")],
    admin: Annotated[bool, typer.Option("--beheerder", help="wordt beheerder van de regio, voor een jaar")] = False,
    with_app: Annotated[bool, typer.Option("--app/--zonder-app", help="inloggen vraagt een code uit een app")] = True,
) -> None:
    """Maakt een account op dit platform, of geeft een account dat er is een nieuw wachtwoord en een nieuwe app.

    De eerste van een regio is --beheerder en geeft de anderen hun mandaat op het scherm Beheer.

    Voorbeeld: slagkracht account beheer-vr06 --regio VR06 --functie "Beheerder VR06" --beheerder
    """
    from slagkracht.server import accounts, database, demo, serve

    addresses = database.find_addresses()
    serve.set_up(addresses, serve.read_secret(database.data_folder()))
    demo.lay_regions(addresses)
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=365)
    made = accounts.make_account(addresses, username, region, name, until if admin else None, with_app)
    show.screen.print(f"Account {made.username}, wachtwoord {made.password}", markup=False)
    if made.app:
        show.screen.print("Geef dit adres aan de app die de codes maakt (eenmalig getoond):", markup=False)
        show.screen.print(made.app, markup=False, soft_wrap=True)
