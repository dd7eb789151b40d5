"""The benchmark of the stage `process` goes on running, and its figures are of real answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_benchmark_of_the_stage_process_takes_every_figure() -> None:
    command = [
        sys.executable,
        "-m",
        "bench",
        "process",
        "--addresses",
        "400",
        "--at-once",
        "20",
        "--runs",
        "1",
        "--json",
    ]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert {"bare", "worker", "seed"} <= set(figures)
    for name, runs in figures.items():
        assert [value for one in runs for value in one.values() if value <= 0] == [], name
    assert figures["worker"][0]["addresses_a_second"] < 20 / 0.05, "the processor takes its time"
