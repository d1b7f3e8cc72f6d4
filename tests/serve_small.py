"""Serves the platform with a small Modelnederland, for the browser tests: python serve_small.py PORT."""

from __future__ import annotations

import datetime
import os
import sys


def main(port: int) -> None:
    import uvicorn

    from slagkracht.server import demo, engine, serve
    from slagkracht.server.database import Addresses
    from slagkracht.sources.modelland import build_modelland

    serve.set_up(Addresses(os.environ["SLAGKRACHT_OWNER_DSN"], os.environ["SLAGKRACHT_DSN"]), "only for the tests")
    demo.lay_units(engine.load(build_modelland(areas=600, nodes=30_000)).plan)
    demo.lay_consents(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    uvicorn.run(
        "slagkracht.server.asgi:application", port=port, log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
