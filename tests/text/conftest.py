"""Talks to read, from the benchmark's corpus, and models to ask, on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from bench.quality import corpus

from rushes.documents import Chapter, Cue, Transcript, VideoDocument
from rushes.text.request import Request
from tests.text.fake_models import FakeModels, serving


@pytest.fixture(scope="session")
def talks() -> list[corpus.Talk]:
    return corpus.talks()


@pytest.fixture(scope="session")
def lecture(talks: list[corpus.Talk]) -> corpus.Talk:
    return next(talk for talk in talks if talk.name == "lecture on computing")


@pytest.fixture(scope="session")
def request_of_lecture(lecture: corpus.Talk) -> Request:
    return Request(corpus.transcript(lecture), video())


@pytest.fixture
def models() -> Iterator[FakeModels]:
    with serving() as server:
        yield server


def video(
    title: str = "A talk",
    description: str | None = None,
    duration: float | None = None,
    chapters: Sequence[Chapter] = (),
    key: str = "file:0",
) -> VideoDocument:
    return VideoDocument(key=key, title=title, description=description, duration=duration, chapters=tuple(chapters))


def spoken(*lines: str, seconds: float = 5.0, language: str | None = "en") -> Transcript:
    """A cue for each line, each as long as the other."""
    cues = tuple(
        Cue(text=line, start=number * seconds, end=(number + 1) * seconds) for number, line in enumerate(lines)
    )
    return Transcript(source="captions", engine="test", speech="some", language=language, cues=cues)
