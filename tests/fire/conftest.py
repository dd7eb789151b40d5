"""What provokes faults for real: a world for state machines, a PostgreSQL to stop, workers to kill, freeze and cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rushes.database import open_database
from rushes.settings import Settings
from tests.database.conftest import OwnServer, own_server, own_url  # noqa: F401  (fixtures)

from .site import Site
from .world import World, world_of


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    with world_of(settings) as world:
        yield world


@pytest.fixture
async def site(own_server: OwnServer, own_url: str, tmp_path: Path) -> AsyncIterator[Site]:  # noqa: F811
    """An empty queue on a server that nobody else uses, and nobody at work yet."""
    async with open_database(Settings.load(home=tmp_path, database_url=own_url)) as database:
        site = Site(own_server, own_url, database.pool, tmp_path)
        yield site
        site.end()
