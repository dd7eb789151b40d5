"""`rushes worker --source bigquery` as a program of its own, to be ended in every way there is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass
class Program:
    """A running worker."""

    process: subprocess.Popen[str]

    def signal(self, number: signal.Signals) -> None:
        """To the whole process group, as a platform would."""
        os.killpg(self.process.pid, number)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for something that it does; the test's own time limit bounds it."""
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def end(self) -> tuple[int, Any, str]:
        """Wait for its end. Returns exit code, the report it printed, and what it said."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, json.loads(out) if out.startswith("{") else out, err


def begin(environment: Mapping[str, str], *arguments: str) -> Program:
    """Start a worker, in a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rushes", "worker", "--source", "bigquery", "--json", *arguments],
        cwd=HERE, env={**os.environ, **environment}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Program(process)
