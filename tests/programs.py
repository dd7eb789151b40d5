"""Real processes of the real program, to be killed, frozen and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass
class Program:
    """A running `rushes`, in a process group of its own."""

    process: subprocess.Popen[str]
    said: str = ""
    """What it wrote to stderr, once it has ended."""

    def signal(self, number: signal.Signals) -> None:
        """To the whole process group, as a terminal, a supervisor or a platform would."""
        os.killpg(self.process.pid, number)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for something that it does; the test's own time limit bounds it."""
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def end(self) -> tuple[int, Any]:
        """Wait for its end. Returns exit code and the JSON it printed."""
        out, self.said = self.process.communicate(timeout=120)
        try:
            return self.process.returncode, json.loads(out)
        except ValueError:
            pytest.fail(f"exit {self.process.returncode}, no JSON: {out!r}\n{self.said}")

    def ended(self) -> tuple[int, str]:
        """Wait for its end, whatever that is. Returns exit code and what it said on stderr."""
        _, self.said = self.process.communicate(timeout=120)
        return self.process.returncode, self.said
