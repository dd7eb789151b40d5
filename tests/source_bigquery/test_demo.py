"""`rushes demo --bigquery`, as somebody would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rushes", "demo", "--bigquery", *arguments]
    return subprocess.run(
        command, env={**os.environ, "RUSHES_HOME": str(home)}, capture_output=True, text=True, check=False
    )


def test_a_table_of_talks_is_summed_up_by_two_processes(tmp_path: Path):
    done = run(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["as_expected"]
    statuses = [row["status"] for row in told["items"]]
    assert (statuses.count("DONE"), statuses.count("FAILED")) == (5, 1)
    tides = next(row for row in told["results"] if row["context"].startswith("Two tides a day"))
    assert "the sea rises twice a day" in tides["context"]
    assert told["bytes_billed"] > 0


def test_it_shows_both_tables_before_and_after(tmp_path: Path):
    shown = run(tmp_path).stdout
    assert shown.index("videos, before") < shown.index("videos, after") < shown.index("summaries, after")
    assert "PENDING" in shown
    assert "FAILED_PROCESSING" in shown
    assert "The original's way" in shown
