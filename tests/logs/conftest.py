"""Real workers at a real queue, whose stage does what its job's payload says, and what they write to standard error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rushes.database import Database
from rushes.model import Retries
from rushes.queue import NewJob, Queue
from tests.whole_items.conftest import quiet, stage

__all__ = ["Ended", "quiet", "stage"]

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Ended:
    """A worker that has ended."""

    code: int
    out: str
    err: str

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What it logged as JSON. Fails where a line is none."""
        return [json.loads(line) for line in self.err.splitlines()]

    def about(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry.get("event") == event]


Work = Callable[..., Ended]


@pytest.fixture
def environment(server_home: Path, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "RUSHES_HOME": str(server_home), "RUSHES_STORAGE": str(tmp_path / "artifacts")}


@pytest.fixture
def work(environment: dict[str, str]) -> Work:
    """Run `rushes worker` until the queue is empty."""

    def call(*arguments: str, modules: str = "moody_stages", **variables: str) -> Ended:
        command = ["worker", "--import", modules, "--kinds", "moody", "--empty-timeout", "0.2", *arguments]
        ended = subprocess.run(
            [sys.executable, "-m", "rushes", *command],
            cwd=HERE, env=environment | variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return call


@pytest.fixture
def enqueue(database: Database) -> Callable[..., Awaitable[None]]:
    """Put jobs of these moods into the queue, each to be tried so often."""

    async def put(*moods: str, attempts: int = 1) -> None:
        retries = Retries(max_attempts=attempts)
        await Queue(database.pool).enqueue([NewJob("moody", payload={"mood": mood}, retries=retries) for mood in moods])

    return put
