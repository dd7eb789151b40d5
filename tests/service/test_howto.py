"""The page that tells how to use the queue from Python: its programs run, and its tables name what there is."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rushes
from rushes.database import Database
from rushes.service.arguments import Details
from tests.docs.pages import first_column, python_blocks, section, text_of

PAGE = "docs/how-to/use-the-queue.md"
PROGRAMS = python_blocks(PAGE)
SAYS = [
    (
        "video-1 completed {'checked': 'video-1'}\n"
        "video-2 failed only 320 pixels wide\n"
        "video-3 completed {'checked': 'video-3'}\n"
        "66.67 % well\n"
    ),
    "10000 jobs\n",
    "",
    "Job(id=1, kind='check_thumbnail', status=<JobStatus.CANCELLED: 'cancelled'>",
]


@pytest.mark.parametrize(("program", "says"), list(zip(PROGRAMS, SAYS, strict=True)))
async def test_its_programs_run(database: Database, server_home: Path, tmp_path: Path, program: str, says: str):
    environment = {**os.environ, "RUSHES_HOME": str(server_home), "RUSHES_STORAGE": str(tmp_path / "artifacts")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(says)


def test_it_names_every_call_and_argument():
    verbs = [name for name in vars(rushes.QueueService) if not name.startswith("_")]
    page = text_of(PAGE)
    assert [verb for verb in verbs if verb not in page] == []
    assert {*Details.__annotations__, "connection"} == first_column(section(PAGE, "## Enqueue"))
    told = re.search(r"`enqueue_job\((.*?)\)`", page)
    assert told
    arguments = inspect.signature(rushes.QueueService.enqueue_job).parameters.values()
    placed = [str(one.replace(annotation=one.empty)) for one in arguments if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert told[1].split(", ") == placed[1:]
