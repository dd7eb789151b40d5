"""The page on the servers for tests: its programs run, and it tells all there is to set."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from rushes.testing.bigquery import BigQueryServer, Limits, LoggedJob
from tests.docs.pages import python_blocks, section

PAGE = "docs/reference/testing.md"


def blocks() -> list[str]:
    """Those of the section on BigQuery."""
    told = section(PAGE, "## BigQuery")
    return [block for block in python_blocks(PAGE) if block in told]


def test_its_test_passes(tmp_path: Path):
    (tmp_path / "test_orders.py").write_text(blocks()[0])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout


def test_its_programs_run(tmp_path: Path):
    programs = blocks()[1:]
    assert len(programs) == 2
    for program in programs:
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_everything_that_a_test_can_use_is_told():
    told = section(PAGE, "### What a test can see and do") + section(PAGE, "### Limits")
    named = set(re.findall(r"`(\w+)", told))
    public = {name for name in vars(BigQueryServer) if not name.startswith("_")} - {"close"}
    assert public <= named
    assert {one.name for one in fields(Limits)} <= named
    assert named & {one.name for one in fields(LoggedJob)} >= {
        "text",
        "parameters",
        "labels",
        "kind",
        "bytes_billed",
        "state",
    }
