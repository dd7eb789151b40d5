"""What an export is given: a batch and its items as plain values, whoever made them.

Exports never see the database, so they can be tested with values alone. An item carries where its documents are, not
the documents: ten thousand items pass through an export one at a time, and never lie in memory together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from rushes.documents import Production, Script, Summary, Transcript, VideoDocument
from rushes.model import JSON, BatchStatus, ItemStatus

T = TypeVar("T")
RECORDINGS = {
    "video.mp4": "film",
    "video.jpg": "poster",
    "narration.m4a": "narration",
    "narration.vtt": "narration_captions",
}
"""Files that a results folder holds as a stage made them, and what they are among an item's documents."""
DONE_BEFORE = "already_done"
"""The skip reason that counts as success."""


class Rejection(StrEnum):
    """Why a line of the input became no item."""

    INVALID = "invalid"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line of the input that became no item. It is reported, and counts in no total."""

    rejection: Rejection
    given: str
    reason: str
    """In words: `not a URL or file`, `the same video as list.txt:3`."""
    origin: str = ""
    """Where it stood: `list.txt:12`, or empty for an argument of its own."""

    @property
    def number(self) -> int | None:
        """Its line number, where it stood in a list."""
        found = re.search(r":(\d{1,9})$", self.origin)
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered, as it came."""

    text: str
    is_json: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """An item's documents, read."""

    video: VideoDocument | None = None
    transcript: Transcript | None = None
    summary: Summary | None = None
    script: Script | None = None
    production: Production | None = None
    thumbnail: bytes | None = None
    answer: Answer | None = None
    recordings: Mapping[str, Path] = field(default_factory=dict)
    """Files to be kept as a stage made them, by their names in the results folder."""
    missing: tuple[str, ...] = ()
    """Documents that should be there and could not be read, in words."""

    def __bool__(self) -> bool:
        return bool(self.transcript or self.summary or self.script or self.answer)


@dataclass(frozen=True, slots=True)
class Documents:
    """Where an item's documents are; None: it has none of that kind."""

    video: Path | None = None
    transcript: Path | None = None
    summary: Path | None = None
    thumbnail: Path | None = None
    answer: Path | None = None
    script: Path | None = None
    production: Path | None = None
    film: Path | None = None
    poster: Path | None = None
    narration: Path | None = None
    narration_captions: Path | None = None

    def load(self, *, transcript: bool = True) -> Loaded:
        """Read them, on request without the long ones (transcript, answer).

        A document that cannot be read is named in `missing`: it stops no export.
        """
        missing: list[str] = []

        def read(what: str, path: Path | None, how: Callable[[Path], T]) -> T | None:
            if path is None:
                return None
            try:
                return how(path)
            except (OSError, ValidationError) as error:
                missing.append(_missing(what, error))
                return None

        return Loaded(
            video=read("video description", self.video, VideoDocument.read),
            transcript=read("transcript", self.transcript if transcript else None, Transcript.read),
            summary=read("summary", self.summary, Summary.read),
            script=read("script", self.script, Script.read),
            production=read("production", self.production, Production.read),
            thumbnail=read("thumbnail", self.thumbnail or self.poster, Path.read_bytes),
            answer=read("answer", self.answer if transcript else None, _answer),
            recordings={name: found for name in RECORDINGS if (found := read(name, self._recording(name), _existing))},
            missing=tuple(missing),
        )

    def _recording(self, name: str) -> Path | None:
        path: Path | None = getattr(self, RECORDINGS[name])
        return path


def _existing(path: Path) -> Path:
    path.stat()
    return path


def _answer(path: Path) -> Answer:
    return Answer(path.read_text(encoding="utf-8", errors="replace"), is_json=path.suffix == ".json")


def _missing(what: str, error: Exception) -> str:
    why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not such a document"
    return f"The {what} could not be read from storage: {why}."


@dataclass(frozen=True, slots=True)
class ExportedItem:
    """One item of a batch with what became of it so far."""

    position: int
    """From 1, in the order of the input."""
    given: str
    """The line as it was given."""
    key: str
    """The video's canonical key."""
    status: ItemStatus
    origin: str = ""
    reference: str | None = None
    """The user's own id of it."""
    title: str | None = None
    skip_reason: str | None = None
    reason: str | None = None
    """Why it failed, in words."""
    remedy: str | None = None
    error_class: str | None = None
    engines: Mapping[str, str] = field(default_factory=dict)
    """By stage: `faster-whisper 1.2.1 (tiny.en)`."""
    durations: Mapping[str, float] = field(default_factory=dict)
    """By stage: seconds of work."""
    video_duration: float | None = None
    """Seconds."""
    cost: float | None = None
    """US dollars, where known."""
    notes: tuple[str, ...] = ()
    """Fall-backs taken, and whatever else the reader should know."""
    reused: tuple[str, ...] = ()
    """Stages whose results an earlier run had made."""
    documents: Documents = field(default_factory=Documents)

    @property
    def done(self) -> bool:
        """It came out well, now or in an earlier run."""
        return self.status is ItemStatus.COMPLETED or (
            self.status is ItemStatus.SKIPPED and self.skip_reason == DONE_BEFORE
        )


@dataclass(frozen=True, slots=True)
class ExportedBatch:
    """What is to be said about the batch itself."""

    id: int
    name: str
    pipeline: str
    status: BatchStatus
    created_at: datetime
    counts: Mapping[str, int]
    """`total` and the number of items in each item status."""
    options: JSON = field(default_factory=dict)
    lines: Sequence[RejectedLine] = ()
    """Invalid and duplicate lines, in the order of the input."""

    @property
    def total(self) -> int:
        return self.counts.get("total", 0)

    @property
    def single(self) -> bool:
        """One item: what is a ZIP of many files for others is one file here."""
        return self.total == 1

    def rejected(self, rejection: Rejection) -> list[RejectedLine]:
        return [line for line in self.lines if line.rejection is rejection]
