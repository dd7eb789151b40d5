"""Real processes of the real program, to be killed, frozen and interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.programs import Program

HERE = Path(__file__).parent


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "runs.log"
    path.touch()
    return path


@pytest.fixture
def start(server_home: Path, tmp_path: Path, log: Path) -> Iterator[Callable[..., Program]]:
    """Start `rushes …` on the tests' server, in a process group of its own."""
    started: list[Program] = []

    def begin(*arguments: str, **variables: str) -> Program:
        environment = {
            **os.environ, "RUSHES_HOME": str(server_home), "RUSHES_STORAGE": str(tmp_path / "artifacts"),
            "FAULTS_LOG": str(log), **variables,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "rushes", *arguments, "--import", "slow_stages", "--json"],
            cwd=HERE, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        started.append(Program(process))
        return started[-1]

    yield begin
    for program in started:
        if program.process.poll() is None:
            program.signal(signal.SIGCONT)
            program.signal(signal.SIGKILL)
        program.process.communicate()


def runs(log: Path) -> list[list[str]]:
    """What the stages noted: kind, key, process."""
    return [line.split() for line in log.read_text().splitlines()]
