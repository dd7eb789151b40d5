"""A subscription, a worker at it, and stages that do as their message says."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rushes.database import Database
from rushes.requests import Ledger
from rushes.requests.stored import StoredLedger
from rushes.settings import Settings
from rushes.sources.pubsub import PubSubSource, deadlines, pulling
from rushes.sources.whole_items import SLOT
from rushes.stages import registry
from rushes.stages.strangers import Pipelines
from rushes.testing.pubsub import PubSubServer
from rushes.worker import Bounds, Report, Worker
from tests.programs import Program
from tests.pubsub import Clients, google

from . import played_stages

HERE = Path(__file__).parent
WorkerAt = Callable[..., Worker]
Work = Callable[..., Coroutine[Any, Any, Report]]
Start = Callable[..., Program]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that are long for the service's sake are short here."""
    monkeypatch.setattr(pulling, "SHORTEST_SECONDS", 0.2)
    monkeypatch.setattr(deadlines, "LOOK_SECONDS", 0.05)


@pytest.fixture(autouse=True)
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What the stages noted: a line for each begin and end of a run."""
    log = tmp_path / "played.log"
    log.touch()
    monkeypatch.setenv("PLAYED_LOG", str(log))
    before = dict(registry._decorated)
    for each in played_stages.ALL:
        registry.register(each)
    yield log
    registry._decorated.clear()
    registry._decorated.update(before)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSubServer]:
    with PubSubServer() as running:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", running.address)
        yield running


@pytest.fixture
def clients(server: PubSubServer) -> Iterator[Clients]:
    opened = Clients(server.address)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def google_address() -> Iterator[str]:
    with google() as address:
        yield address


@pytest.fixture(params=["ours", "google's"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients at our server, and at Google's."""
    if request.param == "ours":
        yield request.getfixturevalue("clients")
        return
    address = request.getfixturevalue("google_address")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    opened = Clients(address)
    yield opened
    opened.close()


@pytest.fixture
def topic(clients: Clients) -> str:
    return clients.topic()


@pytest.fixture
def quiet(tmp_path: Path) -> Settings:
    """Settings of a worker that has no database."""
    return Settings.load(home=tmp_path / "home", storage=str(tmp_path / "artifacts"))


@pytest.fixture
def worker_at(quiet: Settings) -> WorkerAt:
    """A worker at a subscription: `worker_at(subscription, slots=…, ledger=…, setting=…)`."""

    def make(
        subscription: str, *, slots: int = 4, ledger: Ledger | None = None, enqueue: bool = False,
        trouble: Callable[[Exception | None], None] = lambda _error: None, **given: Any,
    ) -> Worker:  # fmt: skip
        for name in ("empty_timeout", "lease", "grace"):
            if name in given:
                given[name] = timedelta(seconds=given[name])
        settings = quiet.model_copy(update={"pubsub_subscription": subscription, **given})
        source = PubSubSource(settings, Pipelines(settings).resolve, ledger=ledger, enqueue=enqueue)
        bounds = Bounds(settings.max_runtime, settings.empty_timeout, settings.max_jobs)
        return Worker(settings, source, slots={SLOT: slots}, bounds=bounds, trouble=trouble)

    return make


@pytest.fixture
def work(worker_at: WorkerAt) -> Work:
    """Run a worker at a subscription until there is nothing left."""

    async def run(subscription: str, *, empty: float = 0.4, **given: Any) -> Report:
        return await worker_at(subscription, empty_timeout=empty, **given).run()

    return run


@pytest.fixture
def ledger(database: Database, subscription: str) -> StoredLedger:
    """Requests in PostgreSQL."""
    return StoredLedger(database.pool, subscription, lease=timedelta(seconds=30))


@pytest.fixture
def subscription(clients: Clients, topic: str) -> str:
    """A subscription like most: with dead letters, and nothing waits before it is tried again."""
    dead = clients.topic()
    return clients.subscription(
        topic, dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5}, retry_policy=AT_ONCE
    )


AT_ONCE = {"minimum_backoff": {"seconds": 0}, "maximum_backoff": {"seconds": 0}}


@pytest.fixture
def start(tmp_path: Path, played: Path) -> Iterator[Start]:
    """Start `rushes worker --source pubsub …` in a process group of its own."""
    started: list[Program] = []

    def begin(subscription: str, *arguments: str, **variables: str) -> Program:
        environment = {
            **os.environ, "RUSHES_HOME": str(tmp_path / "home"), "RUSHES_STORAGE": str(tmp_path / "artifacts"),
            "RUSHES_PUBSUB_SUBSCRIPTION": subscription, **variables,
        }  # fmt: skip
        command = [
            sys.executable, "-m", "rushes", "worker", "--source", "pubsub", "--import", "played_stages", "--json",
            *arguments,
        ]  # fmt: skip
        process = subprocess.Popen(
            command, cwd=HERE, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        started.append(Program(process))
        return started[-1]

    yield begin
    for program in started:
        if program.process.poll() is None:
            program.signal(signal.SIGKILL)
        program.process.communicate()


def message(name: str = "a", /, **fields: Any) -> str:
    """A message about the play of that name. What it is to do stands in its address: see `played_stages`."""
    does = "&".join(f"{key}={fields.pop(key)}" for key in ("sleep", "fail", "times", "kill") if key in fields)
    given = {
        "request_id": str(uuid.uuid4()), "url": f"https://example.org/{name}?{does}", "pipeline": "play", **fields
    }  # fmt: skip
    return json.dumps({key: value for key, value in given.items() if value is not None})


def plays(log: Path, what: str = "done") -> list[str]:
    """The names of the plays that began or were done, in order."""
    lines = [line.split() for line in log.read_text().splitlines()]
    return [line[1] for line in lines if line[0] == what]


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that another task or process does; the test's own time limit bounds it."""
    while not condition():
        await asyncio.sleep(0.02)
