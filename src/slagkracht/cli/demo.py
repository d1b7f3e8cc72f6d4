"""``slagkracht demo``: the main job on the embedded country, and the platform on it, open in the browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from slagkracht.cli import show
from slagkracht.cli.coverage import compute, print_nation, write_result
from slagkracht.cli.pages import answer_everywhere
from slagkracht.cli.whole import whole_folder
from slagkracht.reports.drawing import compute_drawing
from slagkracht.reports.map_page import write_map_page
from slagkracht.reports.printed_plan import write_printed_plan
from slagkracht.resources import WINDOWS
from slagkracht.sources.modelland import build_modelland, compute_outlines
from slagkracht.sources.plan_files import write_plan

ACCOUNTS = (("demo-actiecentrum", "het landelijk actiecentrum"), ("demo-officier-vr06", "een officier van een regio"))


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Option("--map", help="waar plan, kaart, rapport en platform komen")] = Path("demo"),
    areas: Annotated[
        int, typer.Option("--gebieden", help="aantal gebieden van Modelnederland", min=342, max=400_000)
    ] = 4_000,
    port: Annotated[int, typer.Option("--poort", help="poort van het platform; 0 = een vrije")] = 8000,
    serve: Annotated[bool, typer.Option("--serveer/--niet-serveren", help="start ook het platform")] = True,
    browser: Annotated[bool, typer.Option("--browser/--geen-browser", help="open het platform in de browser")] = True,
) -> None:
    """Doe alles voor op Modelnederland.

    Plan, dekking, tabellen, kaart en gedrukt plan; en het platform met deze regio's en demo-accounts, in de browser.

    Voorbeeld: slagkracht demo --niet-serveren
    """
    start = time.perf_counter()
    with show.steps() as tell:
        tell("Modelnederland maken")
        plan = build_modelland(areas)
        with whole_folder(folder) as scratch:
            write_plan(plan, scratch / "plan.zip")
    with _platform(folder, _pick_port(port), browser) if serve else nullcontext() as platform:
        with whole_folder(folder) as scratch, show.steps() as tell:
            result = compute(plan, tell=tell)
            tell("tabellen schrijven")
            write_result(result, scratch / "uitkomst", folder / "plan.zip")
            drawing = compute_drawing(plan, outlines=compute_outlines(plan.areas, plan.regions))
            answers = answer_everywhere(result, drawing, WINDOWS[0], tell)
            tell("kaart tekenen")
            write_map_page(scratch / "kaart.html", [result], drawing, answers=answers)
            write_printed_plan(scratch / "dekkingsplan.pdf", result, drawing, progress=tell)
        print_nation(result)
        show.notes(plan.notes)
        lines = [["kaart", str(folder / "kaart.html")], ["gedrukt plan", str(folder / "dekkingsplan.pdf")]]
        lines += [["tabellen en kaartlagen", str(folder / "uitkomst")], ["plan", str(folder / "plan.zip")]]
        show.table(f"Klaar in {time.perf_counter() - start:.0f} seconden", ["wat", "waar"], lines, left=2)
        if platform is not None:
            platform.stay()


class _Platform:
    """The platform as a program of its own, on a database in the demo's folder."""

    def __init__(self, folder: Path, port: int, browser: bool) -> None:
        self.address = f"http://127.0.0.1:{port}/"
        self.log = folder / "platform.log"
        place = folder.absolute()
        surroundings = {name: value for name, value in os.environ.items() if not name.endswith("_DSN")}
        surroundings["SLAGKRACHT_DATA"] = str(place / "platform")
        surroundings["SLAGKRACHT_PLAN"] = str(place / "plan.zip")
        surroundings["SLAGKRACHT_KAART"] = str(place / "kaart.html")
        program = [sys.executable, "-c", "from slagkracht.cli import main; main()"]
        program += ["serve", "--bewaakt", "--poort", str(port)]
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(program, env=surroundings, stdout=log, stderr=log)
        self.ready = threading.Event()
        threading.Thread(target=self._open, args=(browser,), daemon=True).start()

    def _open(self, browser: bool) -> None:
        """Waits until it answers, says so, and opens it where there is a browser."""
        while self.process.poll() is None:
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.address, timeout=60):
                    break
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
        else:
            return
        self.ready.set()
        show.screen.print(f"Het platform staat klaar: {self.address}", markup=False)
        if browser and _has_screen():
            webbrowser.open(self.address)

    def stay(self) -> None:
        """Says who can log in, and serves until it is stopped. Raises ValueError when the platform fell over."""
        from slagkracht.server.demo import PASSWORD

        while not self.ready.wait(0.2) and self.process.poll() is None:
            continue
        if self.process.poll() is None:
            rows = [[name, PASSWORD, who] for name, who in ACCOUNTS]
            show.table(f"Inloggen op {self.address}", ["account", "wachtwoord", "als"], rows, left=3)
            show.screen.print("Stoppen met Ctrl-C. Wat u doet, blijft bewaard voor de volgende keer.", markup=False)
        if self.process.wait() != 0:
            end = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
            raise ValueError(f"het platform viel om; het laatste uit {self.log}:\n{end}")


@contextmanager
def _platform(folder: Path, port: int, browser: bool) -> Iterator[_Platform]:
    """The platform while the rest goes on; Ctrl-C, or an end asked for otherwise, leaves nothing running."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop) if threading.current_thread() is threading.main_thread() else None
    platform = _Platform(folder, port, browser)
    try:
        yield platform
    except KeyboardInterrupt:
        show.screen.print("Gestopt.", markup=False)
    finally:
        platform.process.terminate()
        platform.process.wait()
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _pick_port(port: int) -> int:
    """``port``, or a free one where something else is there already; says so."""
    for wanted in (port, 0):
        try:
            with socket.create_server(("127.0.0.1", wanted)) as probe:
                found = int(probe.getsockname()[1])
        except OSError:
            continue
        if port not in (0, found):
            show.screen.print(f"Poort {port} is in gebruik; het platform komt op poort {found}.", markup=False)
        return found
    raise ValueError(f"poort {port} is in gebruik en er is geen andere vrij; kies er een met --poort")


def _has_screen() -> bool:
    """Whether a browser would open in a window; one in this terminal would get in the way."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
