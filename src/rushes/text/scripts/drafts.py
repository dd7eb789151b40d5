"""What a language model may answer when it is asked for a script: texts of bounded length and line numbers, nothing else."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from rushes.text.drafts import Clean, Draft, Name, Prose, Text

Point = Annotated[str, Clean, StringConstraints(strip_whitespace=True, min_length=1, max_length=140)]
Maybe = Annotated[str, Clean, StringConstraints(strip_whitespace=True, max_length=1200)]


class SectionDraft(Draft):
    title: Name
    narration: Prose
    """What is said, in whole sentences that are read aloud."""
    points: list[Point] = Field(min_length=1, max_length=5)
    """What the slide shows: a few words each."""
    lines: list[int] = Field(default_factory=list, max_length=60)
    """The numbers of the source's lines that it tells. Empty where there is no source."""


class ScriptDraft(Draft):
    """A script or, where the request is too vague for one, questions."""

    title: Maybe = ""
    hook: Maybe = ""
    """One or two sentences that are said first."""
    sections: list[SectionDraft] = Field(default_factory=list, max_length=24)
    takeaways: list[Text] = Field(default_factory=list, max_length=5)
    """What to keep of it, a sentence each."""
    questions: list[Text] = Field(default_factory=list, max_length=3)
    """Only where the request is too vague: what must be known first. Everything else is empty then."""
