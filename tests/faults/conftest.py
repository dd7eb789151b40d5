"""Real processes of the real program, to be killed, frozen and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@dataclass
class Program:
    """A running `rushes`."""

    process: subprocess.Popen[str]

    def signal(self, number: signal.Signals) -> None:
        """To the whole process group, as a terminal or a supervisor would."""
        os.killpg(self.process.pid, number)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for something that it does; the test's own time limit bounds it."""
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def end(self) -> tuple[int, Any]:
        """Wait for its end. Returns exit code and the JSON it printed."""
        out, err = self.process.communicate(timeout=120)
        try:
            return self.process.returncode, json.loads(out)
        except ValueError:
            pytest.fail(f"exit {self.process.returncode}, no JSON: {out!r}\n{err}")


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
