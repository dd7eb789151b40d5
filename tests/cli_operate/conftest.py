"""The real commands in a process of their own, in a clean environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.places import home_of_a_server


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Rushes = Callable[..., Ended]


def environment(home: Path, **more: str) -> dict[str, str]:
    ours = ("RUSHES_", "PG", "DATABASE_URL", "ANTHROPIC", "OPENAI", "GOOGLE", "GEMINI")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return (
        plain | {"RUSHES_HOME": str(home), "RUSHES_CONFIG": str(home.parent / "config.toml"), "COLUMNS": "200"} | more
    )


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from rushes.cli import main; main()", *arguments]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A data folder for the commands of one module."""
    with home_of_a_server() as home:
        yield home


@pytest.fixture
def rushes(home: Path) -> Rushes:
    def run(*arguments: str, **more: str) -> Ended:
        ended = subprocess.run(
            command(*arguments), capture_output=True, text=True, check=False, env=environment(home, **more)
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run
