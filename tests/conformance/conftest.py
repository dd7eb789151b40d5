"""The doors, each in turn, and hands that reach through them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rushes.database import Database
from rushes.model import Job
from rushes.settings import Settings
from rushes.stages import registry
from rushes.stages.base import Context, Result, Stage
from rushes.testing.bigquery import BigQueryServer
from rushes.testing.pubsub import PubSubServer
from tests.pubsub import Clients

from .bigquery_door import BigQueryDoor
from .doors import Door
from .pubsub_door import PubSubDoor
from .queue_door import QueueDoor

HERE = Path(__file__).parent


async def _through(_job: Job, _context: Context) -> Result:
    return Result(value="through", reusable=False)


@pytest.fixture(autouse=True)
def _stage() -> Iterator[None]:
    before = dict(registry._decorated)
    registry.register(Stage("door", _through))
    yield
    registry._decorated.clear()
    registry._decorated.update(before)


@pytest.fixture
def queue_door(database: Database, settings: Settings, tmp_path: Path) -> Door:
    return QueueDoor(database, settings, tmp_path / "artifacts")


@pytest.fixture
def pubsub_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    with PubSubServer() as server:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.address)
        clients = Clients(server.address)
        yield PubSubDoor(server, clients, tmp_path)
        clients.close()


@pytest.fixture
def bigquery_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    with BigQueryServer() as server:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.url)
        yield BigQueryDoor(server, tmp_path)


@pytest.fixture(params=["queue", "bigquery", "pubsub"])
def door(request: pytest.FixtureRequest) -> Door:
    """Each source in turn."""
    found: Door = request.getfixturevalue(f"{request.param}_door")
    return found


@pytest.fixture
def start(door: Door, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a real `rushes worker` at the door."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, seconds: float = 0.0) -> subprocess.Popen[str]:
        given, variables = door.command()
        process = subprocess.Popen(
            [sys.executable, "-m", "rushes", "worker", "--source", door.name, *given, *arguments,
             "--import", "door_stages", "--json"],
            cwd=HERE, text=True, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **variables, "DOOR_LOG": str(tmp_path / "runs"), "DOOR_SECONDS": str(seconds)},
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[], list[str]]:
    """What the stages of started workers noted: an item's address for each run."""
    (tmp_path / "runs").touch()
    return lambda: (tmp_path / "runs").read_text().split()
