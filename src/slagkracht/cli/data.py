"""``slagkracht aanlevering`` and ``slagkracht data``: what a region hands in, and the open sources."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slagkracht.cli import show
from slagkracht.cli.dutch import Group
from slagkracht.cli.given import existing
from slagkracht.sources.delivery import check_delivery, write_template

deliveries = typer.Typer(
    cls=Group, help="Wat een regio aanlevert: sjabloon en controle.", no_args_is_help=True, rich_markup_mode=None
)
sources = typer.Typer(
    cls=Group, help="Open bronnen ophalen (vraagt internet).", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    app.add_typer(deliveries, name="aanlevering")
    app.add_typer(sources, name="data")


@deliveries.command("sjabloon")
def template(path: Annotated[Path, typer.Argument(help="nieuwe map, of zip", metavar="PAD")]) -> None:
    """Schrijf een lege aanlevering met uitleg.

    Voorbeeld: slagkracht aanlevering sjabloon vr06
    """
    write_template(path)
    show.written(path, "begin bij LEESMIJ.txt")


@deliveries.command("controleer")
def check(
    path: Annotated[Path, typer.Argument(help="map of zip van een aanlevering", metavar="PAD", callback=existing)],
) -> None:
    """Controleer een aanlevering: alle bevindingen tegelijk, met bestand, rij en kolom.

    Voorbeeld: slagkracht aanlevering controleer vr06.zip
    """
    summaries, findings = check_delivery(path)
    show.notes([str(summary) for summary in summaries])
    if findings:
        counted = "1 bevinding" if len(findings) == 1 else f"{len(findings)} bevindingen"
        show.screen.print(f"{counted}; de aanlevering is zo niet bruikbaar:", markup=False)
        show.notes([str(finding) for finding in findings])
        raise typer.Exit(1)
    show.screen.print("Geen bevindingen: de aanlevering is bruikbaar.", markup=False)


@sources.command("lijst")
def catalogue() -> None:
    """Toon welke open bronnen er zijn, van wie en onder welke licentie.

    Voorbeeld: slagkracht data lijst
    """
    from slagkracht.sources.fetch import read_catalogue  # what speaks to the internet, only where it is asked for

    rows = [[name, item.dutch, item.publisher, item.licence] for name, item in read_catalogue().items()]
    show.table("Open bronnen", ["naam", "wat", "van wie", "licentie"], rows, left=4)


@sources.command("haal")
def fetch(
    names: Annotated[list[str], typer.Argument(help="namen uit 'data lijst'", metavar="NAAM…")],
    folder: Annotated[Path, typer.Option("--map", help="waar de bestanden komen")] = Path("bronnen"),
    renew: Annotated[bool, typer.Option("--opnieuw", help="ook ophalen wat er al is")] = False,
) -> None:
    """Haal open bronnen op; een afgebroken download gaat verder waar hij was.

    Voorbeeld: slagkracht data haal veiligheidsregios postcodes --map bronnen
    """
    from slagkracht.sources.fetch import haal, make_bars, show_progress

    with make_bars() as bars:
        files = haal(names, folder, progress=show_progress(bars), renew=renew)
    for file in files:
        show.screen.print(f"Aanwezig: {file}", markup=False)
