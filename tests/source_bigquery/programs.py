"""`rushes worker --source bigquery` as a program of its own, to be ended in every way there is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.programs import Program

HERE = Path(__file__).parent


def begin(environment: Mapping[str, str], *arguments: str) -> Program:
    """Start a worker, in a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rushes", "worker", "--source", "bigquery", "--json", *arguments],
        cwd=HERE, env={**os.environ, **environment}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Program(process)
