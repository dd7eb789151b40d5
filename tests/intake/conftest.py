"""A folder to work in, and the way a person's arguments are read."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rushes.batches.intake import Duplicate, Invalid, Line, Valid, read_inputs

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a file in the current folder, and the folders on its way."""

    def make(name: str, content: str | bytes) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def read(*inputs: str, stdin: bytes | None = None, **options: Any) -> list[Line]:
    """Every line of these inputs."""
    return list(read_inputs(inputs, stdin=None if stdin is None else io.BytesIO(stdin), **options))


def told(lines: list[Line]) -> list[str]:
    """Each line in one word and a few: what became of it, and where it stood."""
    return [_tell(line) for line in lines]


def _tell(line: Line) -> str:
    if isinstance(line, Valid):
        return f"{line.position} {line.item.source.location}"
    if isinstance(line, Duplicate):
        return f"{line.origin} repeats {line.repeats}"
    assert isinstance(line, Invalid)
    return f"{line.origin} is invalid"
