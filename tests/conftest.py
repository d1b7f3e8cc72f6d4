"""What several test files need: the real embedded PostgreSQL, started once, and emptied of nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The addresses of an embedded PostgreSQL with the platform's tables and regions, its pool open."""
    from slagkracht.server import database as platform_database
    from slagkracht.server.demo import lay_regions

    addresses = platform_database.start_embedded(tmp_path_factory.mktemp("slagkracht"))
    platform_database.migrate(addresses)
    lay_regions(addresses)
    platform_database.open_pool(addresses, most=40)
    yield addresses
    platform_database.close_pool()
