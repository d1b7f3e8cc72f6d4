"""The platform on this machine: ``serve``, its copies (``reservekopie``, ``herstel``) and its ``logboek``."""

from __future__ import annotations

import datetime
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slagkracht.cli import accounts, show
from slagkracht.cli.given import ending
from slagkracht.cli.whole import whole_file
from slagkracht.sources.refusal import say_why

if TYPE_CHECKING:
    from slagkracht.server.database import Scope

journal = typer.Typer(help="Het logboek controleren, uitvoeren en elders invoeren.", no_args_is_help=True)
Region = Annotated[str, typer.Option("--regio", help="regio (VR01–VR25) of LAC")]
World = Annotated[str, typer.Option("--wereld", help="echt of oefening")]


def register(app: typer.Typer) -> None:
    app.command("serve")(run)
    app.command("account")(accounts.make)
    app.command("reservekopie")(back_up)
    app.command("herstel")(restore)
    journal.command("controleer")(check)
    journal.command("uitvoer")(export)
    journal.command("invoer")(hand_in)
    app.add_typer(journal, name="logboek")


def run(
    host: Annotated[str, typer.Option("--adres", help="adres waarop geluisterd wordt")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--poort", help="poort")] = 8000,
    empty: Annotated[bool, typer.Option("--leeg", help="zonder Modelnederland en demo-accounts")] = False,
    watched: Annotated[bool, typer.Option("--bewaakt", help="start opnieuw wat omvalt")] = False,
) -> None:
    """Start het platform met een eigen PostgreSQL; SLAGKRACHT_DSN kiest een bestaande database.

    Voorbeeld: slagkracht serve --poort 8000
    """
    from slagkracht.server import database, serve, watch  # PostgreSQL is only loaded where it is used

    try:
        listener = watch.listen(host, port)
    except OSError as problem:
        raise ValueError(f"{host}, poort {port}: {say_why(problem)}; kies een andere met --poort") from problem
    show.screen.print(f"Het platform start op http://{host}:{port}/ (stoppen met Ctrl-C) …", markup=False)
    if watched:
        embedded = None if "SLAGKRACHT_DSN" in os.environ else database.data_folder() / "postgres"
        serve.name_addresses(database.find_addresses(), serve.read_secret(database.data_folder()))
        raise typer.Exit(watch.keep_up(listener, embedded, demo=not empty))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # also asked to end so, its database stops with it
    serve.prepare(demo=not empty)
    serve.run(listener)


def back_up(
    into: Annotated[Path, typer.Option("--naar", help="map waarin de kopie komt")],
    trial: Annotated[
        bool, typer.Option("--proef/--zonder-proef", help="start de kopie ter proef en controleer elk logboek")
    ] = True,
) -> None:
    """Maakt een reservekopie van het draaiende platform en bewijst dat zij terug te zetten is.

    Voorbeeld: slagkracht reservekopie --naar /media/kopie
    """
    from slagkracht.server import backup, database

    made = backup.back_up(database.find_addresses(), into, datetime.datetime.now(datetime.UTC))
    show.screen.print(f"Reservekopie: {made}", markup=False)
    keys = database.data_folder() / "sleutels"
    show.screen.print(
        f"Niet in de kopie: {keys} en {keys.with_name('secret')}. Bewaar die apart en achter slot: wie ze kwijt is "
        "tekent geen logboek meer.",
        markup=False,
    )
    if trial:
        _show(backup.drill(made))


def restore(
    copy: Annotated[Path, typer.Argument(metavar="KOPIE", help="map van de reservekopie")],
    replace: Annotated[bool, typer.Option("--terugzetten", help="zet haar terug; anders alleen een proef")] = False,
) -> None:
    """Proeft een reservekopie in een wegwerpdatabase en zet haar terug als daar niets aan mankeert.

    Voorbeeld: slagkracht herstel /media/kopie/slagkracht-20260701T120000Z --terugzetten
    """
    from slagkracht.server import backup, database

    if not replace:
        _show(backup.drill(copy))
        return
    now = datetime.datetime.now(datetime.UTC)
    found, aside = backup.restore(copy, database.data_folder(), now)
    _show(found)
    show.screen.print(f"Teruggezet in {database.data_folder()}.", markup=False)
    if aside:
        show.screen.print(f"Wat er stond is bewaard in {aside}.", markup=False)
    if not (keys := database.data_folder() / "sleutels").is_dir():
        show.screen.print(f"Zet nu ook {keys} terug: zonder die sleutels tekent geen regio haar logboek.", markup=False)


def check(
    log: Annotated[Path, typer.Argument(metavar="LOGBOEK", help="uitgevoerd logboek (.jsonl)")],
    points: Annotated[Path | None, typer.Option("--controlepunten", help="getekende punten van anderen")] = None,
    keys: Annotated[Path | None, typer.Option("--sleutels", help="openbare sleutel per logboek (.json)")] = None,
) -> None:
    """Controleert een uitgevoerd logboek op elk gewijzigd, weggelaten, verplaatst of afgekapt feit.

    Voorbeeld: slagkracht logboek controleer VR06.jsonl --controlepunten punten.jsonl --sleutels sleutels.json
    """
    from slagkracht.server import verify_log

    if keys and not points:
        raise ValueError("sleutels horen bij controlepunten: geef ook --controlepunten")
    code = verify_log.main([str(path) for path in (log, points, keys) if path])
    raise typer.Exit(code)


def export(
    region: Region,
    to: Annotated[Path, typer.Option("--naar", help="bestand (.jsonl)", callback=ending(".jsonl"))],
    world: World = "echt",
) -> None:
    """Voert het logboek van een regio uit, met de controlepunten die zij van anderen heeft en ieders sleutel.

    Voorbeeld: slagkracht logboek uitvoer --regio VR06 --naar VR06.jsonl
    """
    import json

    from slagkracht.server import checkpoints
    from slagkracht.server.exchange import export_chain

    points, keys = to.with_suffix(".controlepunten.jsonl"), to.with_suffix(".sleutels.json")
    with ExitStack() as files:
        log, held, public = (files.enter_context(whole_file(each)) for each in (to, points, keys))
        with _platform(world), _acting(region, world) as own:
            lines = list(export_chain(own))
            log.write_text("".join(lines), encoding="utf-8", newline="")
            held.write_text(checkpoints.read_held(own), encoding="utf-8")
            public.write_text(json.dumps(checkpoints.read_public_keys(own)), encoding="utf-8")
    show.screen.print(f"{len(lines)} feiten in {to}; van anderen: {points} en {keys}", markup=False)


def hand_in(
    log: Annotated[Path, typer.Argument(metavar="LOGBOEK", help="logboek dat elders is bijgehouden (.jsonl)")],
    region: Annotated[
        list[str] | None, typer.Option("--regio", help="regio of LAC, ook meer; zonder: alle, alleen in de oefening")
    ] = None,
    world: World = "echt",
) -> None:
    """Neemt over wat elders is opgeschreven: elk feit één keer, tegenspraken in beeld.

    Van een losgeraakte laptop, of (zonder --regio, in de oefening) een gesimuleerde week om terug te zien.
    Werkten er meer regio's op die laptop, noem ze dan samen en zet hun logboeken achter elkaar in één bestand.
    Voorbeeld: slagkracht logboek invoer laptop.jsonl --regio VR06
    """
    from slagkracht.server import exchange
    from slagkracht.server.ledger import LedgerError

    text = log.read_bytes().decode("utf-8")
    with _platform(world):
        try:
            if region:
                for each in region[1:]:
                    with _acting(each, world):
                        pass  # it is there
                with _acting(region[0], world) as own:
                    done = list(exchange.hand_in_together(own, text, region).values())
            else:
                done = exchange.hand_in_exercise(lambda chain: _acting(chain, world), text)
        except LedgerError as error:
            raise ValueError(str(error)) from error
    added, known = sum(len(each.added) for each in done), sum(each.known for each in done)
    show.screen.print(f"{added} feiten overgenomen, {known} waren er al", markup=False)
    if again := sum(each.again for each in done):
        show.screen.print(f"{again} feiten die eerder alleen als feit stonden, gelden nu ook", markup=False)
    for event, why in (kept for each in done for kept in each.kept):
        show.screen.print(f"alleen als feit: {event}: {why}", markup=False)
    for conflict in (conflict for each in done for conflict in each.conflicts):
        show.screen.print(f"tegenspraak: {conflict.what} ({', '.join(conflict.events)})", markup=False)


@contextmanager
def _platform(world: str) -> Iterator[None]:
    from slagkracht.server import database, demo, dossiers

    if world not in database.WORLDS:
        raise ValueError(f"wereld {world!r}: kies echt of oefening")
    addresses = database.find_addresses()
    database.migrate(addresses)
    dossiers.lay_procedures(addresses)
    demo.lay_regions(addresses)
    database.open_pool(addresses, most=2)
    try:
        yield
    finally:
        database.close_pool()


@contextmanager
def _acting(region: str, world: str) -> Iterator[Scope]:
    from slagkracht.server import database

    with database.scope(region, world, "logboek") as own:
        if not own.row("select 1 as one from slagkracht.region where region = %s", region):
            raise ValueError(f"regio {region!r} bestaat niet; kies VR01 tot en met VR25, of LAC")
        yield own


def _show(found: object) -> None:
    from slagkracht.server.backup import Drill

    assert isinstance(found, Drill)
    counted = ", ".join(f"{number} {noun}" for noun, number in found.rows.items())
    show.screen.print(f"Proef in {found.took_s:.1f} s: {counted}; {found.logs} logboeken nagelopen.", markup=False)
    if found.findings:
        raise ValueError("de reservekopie klopt niet: " + "; ".join(found.findings))
    show.screen.print("Niets gewijzigd, weggelaten of verplaatst.", markup=False)
