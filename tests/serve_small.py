"""Serves the platform with a small Modelnederland or a plan, for the browser tests: serve_small.py PORT [PLAN]."""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path


def main(port: int, plan_file: str = "") -> None:
    import uvicorn

    from slagkracht.server import demo, engine, serve
    from slagkracht.server.database import Addresses
    from slagkracht.sources.modelland import build_modelland
    from slagkracht.sources.plan_files import read_plan

    serve.set_up(Addresses(os.environ["SLAGKRACHT_OWNER_DSN"], os.environ["SLAGKRACHT_DSN"]), "only for the tests")
    plan = read_plan(Path(plan_file)) if plan_file else build_modelland(areas=600, nodes=30_000)
    demo.lay_units(engine.load(plan).plan)
    demo.lay_consents(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    uvicorn.run(
        "slagkracht.server.asgi:application", port=port, log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
