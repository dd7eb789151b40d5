"""What every test may use: settings of its own, and a real PostgreSQL, shared by the tests of one process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices
from pydantic.fields import FieldInfo

import rushes.forks  # noqa: F401  (before any test imports gRPC)
from rushes.database import Database, open_database, reach
from rushes.settings import Settings

from .places import home_of_a_server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="The sizes of the promises instead of those of every day.")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether a test should take its full size."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="session", autouse=True)
def _heed_interrupts() -> None:
    """A background job of a shell ignores SIGINT, and so would every program that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """Nothing of the developer's own settings reaches a test."""
    patch = pytest.MonkeyPatch()
    others = {"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST"}
    read = {str(name) for field in Settings.model_fields.values() for name in _variables(field)}
    for name in list(os.environ):
        if name.startswith("RUSHES_") or name in read | others:
            patch.delenv(name)
    patch.setenv("RUSHES_CONFIG", os.devnull)
    yield
    patch.undo()


def _variables(field: FieldInfo) -> list[Any]:
    """The variables that a setting is read from."""
    return list(field.validation_alias.choices) if isinstance(field.validation_alias, AliasChoices) else []


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    """A data folder whose embedded server runs as long as the tests do."""
    with home_of_a_server() as home:
        loop = asyncio.new_event_loop()
        reached = reach(Settings.load(home=home))
        loop.run_until_complete(reached.__aenter__())
        yield home
        loop.run_until_complete(reached.__aexit__(None, None, None))
        loop.close()


@pytest.fixture
def settings(server_home: Path, tmp_path: Path) -> Settings:
    """Settings whose database is the shared server and whose files are the test's own."""
    return Settings.load(home=server_home, storage=str(tmp_path / "artifacts"))


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """An empty queue in a real PostgreSQL."""
    async with open_database(settings) as opened:
        tables = (
            "workers, videos, video_aliases, batches, items, lines, jobs, lanes, limits, pauses, tallies, artifacts, "
            "events, passages"
        )
        named = ", ".join(f"rushes.{table}" for table in tables.split(", "))
        await opened.pool.execute(f"truncate {named} restart identity cascade")
        yield opened
