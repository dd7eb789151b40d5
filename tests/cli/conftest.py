"""The command line as its user has it: the real command, called in a folder of the test's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tests.main_job.conftest import Ended, Rushes, rushes

__all__ = ["Ended", "Rushes", "Started", "rushes"]

Started = Callable[..., "Popen[str]"]


@pytest.fixture
def started(server_home: Path, tmp_path: Path) -> Iterator[Started]:
    """Start `rushes …` and leave it to the test; what still runs at the end is killed."""
    running: list[Popen[str]] = []

    def start(*arguments: object, **streams: int) -> Popen[str]:
        environment = {**os.environ, "RUSHES_HOME": str(server_home), "RUSHES_STORAGE": str(tmp_path / "artifacts")}
        command = [sys.executable, "-m", "rushes", *map(str, arguments)]
        out, err = streams.get("stdout", PIPE), streams.get("stderr", PIPE)
        process = Popen(
            command, cwd=tmp_path, env=environment, text=True, stdout=out, stderr=err, stdin=streams.get("stdin")
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        for stream in filter(None, (process.stdout, process.stderr)):
            stream.close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of five items that end at once: they are no videos."""
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.mp4").write_text(f"This is no video: {number}.\n")
    return folder
