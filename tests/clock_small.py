"""Runs the platform's clock as a server of its own, for the tests: clock_small.py KEYS [hold]; says what it does."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any


def main(keys: str, hold: str = "") -> None:
    from slagkracht.server import clock, engine, serve, shortfall
    from slagkracht.server.database import Addresses
    from slagkracht.sources.modelland import build_modelland

    addresses = Addresses(os.environ["SLAGKRACHT_OWNER_DSN"], os.environ["SLAGKRACHT_DSN"])
    serve.set_up(addresses, "only for the tests", tables=False)
    real = shortfall.compute_shortfall

    def told(*given: Any, **named: Any) -> Any:
        print("rekent", flush=True)
        if hold:
            time.sleep(600)
        return real(*given, **named)

    shortfall.compute_shortfall, shortfall.YEARS = told, 500
    clock.HEARTBEAT_S, clock.LOST_S = 0.5, 3.0
    engine.load(build_modelland(areas=600, nodes=30_000))
    clock.start_clock(Path(keys))
    print("loopt", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
