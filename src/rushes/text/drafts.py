"""What a language model may answer: fields of bounded length, and line numbers instead of times.

A line number either is one of the transcript's or is refused, so a model cannot invent a time.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from rushes.text.lexicon import printable


def _printable(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value


Clean = BeforeValidator(_printable)
Name = Annotated[str, Clean, StringConstraints(strip_whitespace=True, min_length=1, max_length=160)]
Text = Annotated[str, Clean, StringConstraints(strip_whitespace=True, min_length=1, max_length=1200)]
Prose = Annotated[str, Clean, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]


class Draft(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class PointDraft(Draft):
    line: int
    """The number of the transcript line where this is said."""
    text: Text


class ChapterDraft(Draft):
    line: int
    """The number of the transcript line with which the chapter begins."""
    title: Name
    points: list[Text] = Field(default_factory=list, max_length=12)
    """What is said in it, most important first."""


class SummaryDraft(Draft):
    """The summary of a talk."""

    title: Name
    overview: Prose
    key_points: list[PointDraft] = Field(min_length=1, max_length=40)
    chapters: list[ChapterDraft] = Field(min_length=1, max_length=40)
    topics: list[Name] = Field(max_length=12)


class PartDraft(Draft):
    """Notes on one part of a talk."""

    gist: Prose
    key_points: list[PointDraft] = Field(min_length=1, max_length=30)
    chapters: list[ChapterDraft] = Field(min_length=1, max_length=20)


class QuestionDraft(Draft):
    question: Text
    answer: Text


class InsightsDraft(Draft):
    """A talk as a chapter of a book."""

    chapter_title: Name
    introduction_context: Prose
    """What the talk is about and for whom, and why it matters."""
    what_will_build: Prose
    """What is built, shown or explained in it."""
    technologies_and_services: list[Name] = Field(max_length=40)
    how_we_did_it: list[Text] = Field(max_length=60)
    """The steps in order, with exact commands where they are given."""
    source_code_url: Text
    """As named in the description or transcript, else N/A."""
    demo_url: Text
    """As named in the description or transcript, else N/A."""
    qa_segment: list[QuestionDraft] = Field(min_length=10, max_length=15)
    """Questions a reader would ask, answered from the talk."""


class TimedPointDraft(Draft):
    seconds: float = Field(ge=0)
    """When this is said, in seconds from the start."""
    text: Text


class TimedChapterDraft(Draft):
    seconds: float = Field(ge=0)
    """When the chapter begins, in seconds from the start."""
    title: Name
    points: list[Text] = Field(default_factory=list, max_length=12)


class WatchedDraft(Draft):
    """The summary of a video that the model watched itself."""

    title: Name
    overview: Prose
    key_points: list[TimedPointDraft] = Field(min_length=1, max_length=40)
    chapters: list[TimedChapterDraft] = Field(min_length=1, max_length=40)
    topics: list[Name] = Field(max_length=12)
