"""``slagkracht demo``: the main job on the embedded country, from nothing to a map that is served."""

from __future__ import annotations

import functools
import http.server
import socketserver
import time
from pathlib import Path
from typing import Annotated

import typer

from slagkracht.cli import show
from slagkracht.cli.coverage import compute, print_nation, write_result
from slagkracht.cli.whole import whole_folder
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.map_page import write_map_page
from slagkracht.reports.printed_plan import write_printed_plan
from slagkracht.sources.modelland import build_modelland, compute_outlines
from slagkracht.sources.plan_files import write_plan


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Option("--map", help="waar plan, kaart en rapport komen")] = Path("demo"),
    areas: Annotated[int, typer.Option("--gebieden", help="aantal gebieden van Modelnederland")] = 4_000,
    port: Annotated[int, typer.Option("--poort", help="poort van de kaart; 0 = een vrije")] = 8025,
    serve: Annotated[bool, typer.Option("--serveer/--niet-serveren", help="de kaart meteen tonen")] = True,
) -> None:
    """Doe alles voor op Modelnederland.

    Plan, dekking, tabellen, kaart en gedrukt plan, en dan de kaart in de browser.

    Voorbeeld: slagkracht demo --niet-serveren
    """
    start = time.perf_counter()
    with whole_folder(folder) as scratch, show.steps() as tell:
        tell("Modelnederland maken")
        plan = build_modelland(areas)
        write_plan(plan, scratch / "plan.zip")
        result = compute(plan, tell=tell)
        tell("tabellen schrijven")
        write_result(result, scratch / "uitkomst", folder / "plan.zip")
        drawing = compute_drawing(plan, outlines=compute_outlines(plan.areas, plan.regions))
        tell("kaart tekenen")
        write_map_page(scratch / "kaart.html", [result], drawing)
        write_printed_plan(scratch / "dekkingsplan.pdf", result, drawing, progress=tell)
    print_nation(result)
    show.notes(plan.notes)
    lines = [["kaart", str(folder / "kaart.html")], ["gedrukt plan", str(folder / "dekkingsplan.pdf")]]
    lines += [["tabellen en kaartlagen", str(folder / "uitkomst")], ["plan", str(folder / "plan.zip")]]
    show.table(f"Klaar in {time.perf_counter() - start:.0f} seconden", ["wat", "waar"], lines, left=2)
    if serve:
        _serve(folder, port)


def _serve(folder: Path, port: int) -> None:
    """Serve the folder on this machine only, until it is stopped."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """One line per request is no news to a planner."""

    with socketserver.TCPServer(("127.0.0.1", port), functools.partial(Quiet, directory=str(folder))) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/kaart.html"
        show.screen.print(f"De kaart staat op {address} (stoppen met Ctrl-C)", markup=False)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            show.screen.print("Gestopt.", markup=False)
