"""The benchmark of the queue is a promise with figures: it has to go on running, from its command to its table."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_queues_benchmark_takes_every_figure_of_rushes(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench", "queue", "--quick", "--peers", "rushes", "--json", str(kept)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    (figures,) = json.loads(kept.read_text())["runs"]["rushes"]
    missing = [name for name, value in figures.items() if not value or value < 0]
    assert not missing, figures
    assert "p50 latency, idle queue" in done.stdout


def test_an_unknown_peer_is_answered_with_those_there_are() -> None:
    command = [sys.executable, "-m", "bench", "queue", "--peers", "rabbits"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "pgqueuer" in done.stderr
