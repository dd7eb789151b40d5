"""Under which key a run is known, so that the same command again goes on with its batch."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

from rushes.batches.intake.inputs import STDIN
from rushes.errors import UsageError
from rushes.keys import is_address, is_name_of_video, request_in
from rushes.model import Plan

_IN_MEMORY = 1 << 23
"""Bytes of standard input that are kept in memory; more goes to a temporary file."""


def run_key(inputs: Sequence[str], plan: Plan, out: Path, *, stdin: BinaryIO | None = None) -> str:
    """The key of a run: its inputs as given, made absolute, its pipeline, its options and its output folder.

    Args:
        inputs: as given. The contents of files do not count: new lines in a list join the same run.
        plan: the resolved pipeline. How often its stages are tried does not count.
        out: the output folder.
        stdin: what `-` reads, counted by its content; seekable, and left where it was (see `seekable`).
    """
    said = {
        "inputs": [_absolute(text, stdin) for text in inputs],
        "pipeline": plan.pipeline,
        "steps": [[step.stage, step.options] for step in plan.steps],
        "out": os.path.abspath(out),  # noqa: PTH100  (links are the user's own names)
    }
    text = json.dumps(said, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def seekable(stream: BinaryIO | None = None) -> BinaryIO:
    """A stream's content, by default standard input's, to be read twice: itself, or a copy that goes away when closed."""
    stream = stream or sys.stdin.buffer
    if stream.seekable():
        return stream
    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (the reader's to close)
    shutil.copyfileobj(stream, copy)
    copy.seek(0)
    return cast("BinaryIO", copy)


def _absolute(text: str, stdin: BinaryIO | None) -> str:
    if text == STDIN:
        if stdin is None:
            raise UsageError("standard input (-) was not given")
        return f"stdin sha256 {_content(stdin)}"
    if is_address(text) or (not os.path.lexists(text) and (is_name_of_video(text) or request_in(text))):
        return text
    return os.path.abspath(text)  # noqa: PTH100  (links stay as they were given)


def _content(stream: BinaryIO) -> str:
    start = stream.tell()
    digest = hashlib.sha256()
    while piece := stream.read(1 << 20):
        digest.update(piece)
    stream.seek(start)
    return digest.hexdigest()
