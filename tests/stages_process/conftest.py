"""A worker that runs the stage `process` for a source of whole items, a processor, and a metadata server."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rushes.model import Failure, Outcome, Produced, Source, Trust, VideoKey
from rushes.settings import Settings
from rushes.sources.whole_items import SLOT, Numbering, WholeItem
from rushes.stages import registry
from rushes.worker import Worker
from tests.main_job.conftest import rushes  # noqa: F401  (a fixture: the command as a process)
from tests.operate.conftest import rushes as here  # noqa: F401  (a fixture: the command in this process)
from tests.whole_items.conftest import MemorySource, stage  # noqa: F401  (a fixture)

from .local_processor import LocalProcessor, Talk


@pytest.fixture(autouse=True)
def _nowhere_of_google_s(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GCE_METADATA_HOST", "CLOUD_RUN_JOB", "K_SERVICE", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site() -> Iterator[LocalProcessor]:
    server = LocalProcessor()
    yield server
    server.close()


@pytest.fixture
def elsewhere() -> Iterator[LocalProcessor]:
    """Another origin."""
    server = LocalProcessor()
    yield server
    server.close()


class Results:
    """What became of items, as their source was told."""

    def __init__(self, outcomes: Sequence[Outcome], names: dict[int, str]) -> None:
        self._by_address = {names[outcome.lease.job_id]: outcome for outcome in outcomes}

    def __len__(self) -> int:
        return len(self._by_address)

    def made(self, address: str) -> Produced:
        produced = self._by_address[address].produced
        assert produced, self._by_address[address]
        return produced

    def failure(self, address: str) -> Failure:
        failure = self._by_address[address].failure
        assert failure, self._by_address[address]
        return failure

    def failures(self) -> list[Failure]:
        return [outcome.failure for outcome in self._by_address.values() if outcome.failure]

    def told(self, address: str) -> tuple[str, str]:
        """Class and message of a failure; or `completed` and what was made."""
        outcome = self._by_address[address]
        if outcome.produced:
            return "completed", str(outcome.produced.value)
        return self.failure(address).error_class.value, self.failure(address).message


Process = Callable[..., Any]


def settings_for(tmp_path: Path, site: LocalProcessor, **more: Any) -> Settings:
    given = {"processor_url": site.url, **more}
    return Settings.load(home=tmp_path / "home", storage=str(tmp_path / "artifacts"), **given)


@pytest.fixture
def process(tmp_path: Path, site: LocalProcessor) -> Process:
    """Run a worker at these addresses until each has an outcome: `await process("a", "b", processor_timeout=1)`.

    `options` are as given by `--set`; `facts` go to each item, `slots` is how many run at once.
    """

    async def run(
        *addresses: str,
        options: Sequence[str] = (),
        facts: dict[str, Any] | None = None,
        numbering: Numbering | None = None,
        slots: int = 50,
        **settings: Any,
    ) -> Results:
        set_up = settings_for(tmp_path, site, **settings)
        plan = registry.resolve("process", options, settings=set_up)
        source = MemorySource(
            [
                WholeItem(f"table/{n}", plan, Source(VideoKey(f"text:{n}"), address), **(facts or {}))
                for n, address in enumerate(addresses)
            ],
            set_up.artifacts,
            numbering=numbering or Numbering(Trust.LOCAL),
        )
        await Worker(set_up, source, slots={SLOT: slots}).run()
        return Results(source.outcomes, dict(enumerate(addresses, 1)))

    return run


def token(number: int, expires: float) -> str:
    """A token that says when it runs out, signed by nobody."""
    parts = ({"alg": "none"}, {"exp": int(expires), "n": number})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "eHg"])


class Metadata:
    """Google's metadata server. `faults` are statuses that come first."""

    def __init__(self, server: LocalProcessor) -> None:
        self.server = server
        self.faults: list[int] = []
        self.lasts = 3600.0
        self.audiences: list[str] = []
        self.slow = False
        server.otherwise = self._answer

    @property
    def hits(self) -> int:
        return len(self.server.visits)

    async def _answer(self, talk: Talk) -> None:
        parts = urlsplit(talk.visit.path)
        if self.faults:
            await talk.answer("not now", self.faults.pop(0))
        elif talk.visit.headers.get("metadata-flavor") != "Google":
            await talk.answer("Missing Metadata-Flavor", 403)
        elif parts.path != "/computeMetadata/v1/instance/service-accounts/default/identity":
            await talk.answer("no such thing", 404)
        else:
            if self.slow:
                await asyncio.sleep(0.2)
            self.audiences += parse_qs(parts.query)["audience"]
            await talk.answer(token(self.hits, time.time() + self.lasts), Metadata_Flavor="Google")


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[Metadata]:
    server = LocalProcessor()
    monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.port}")
    yield Metadata(server)
    server.close()


@pytest.fixture
def quiet_settings(tmp_path: Path, site: LocalProcessor) -> Settings:
    return settings_for(tmp_path, site)
