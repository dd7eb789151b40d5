"""The documents that stages write and readers read: `video.json`, `transcript.json`, `summary.json`, `script.json`,
`production.json`.

They are files that outlive the program which wrote them, so they are schemas, not mere values. Times are seconds from
the video's start.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from rushes.masking import masked


class Document(BaseModel):
    """A frozen value that is written to and read from a JSON file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raise `pydantic.ValidationError` if the file is not such a document, `OSError` if it cannot be read."""
        return cls.model_validate_json(path.read_bytes())

    def shown(self) -> dict[str, Any]:
        """It as JSON for others, its own addresses masked; what is said in a video stays as it was said."""
        plain = self.model_dump(mode="json")
        return {key: masked(each) if key in {"url", "description"} and each else each for key, each in plain.items()}

    def write(self, path: Path) -> None:
        """Write through a temporary name, so that a reader never sees half a document."""
        partial = path.with_name(path.name + ".part")
        partial.write_text(self.model_dump_json(indent=1, exclude_defaults=False) + "\n", encoding="utf-8")
        partial.replace(path)


class Chapter(Document):
    title: str
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    points: tuple[str, ...] = ()
    """What is said in it, where the summary is `detailed`."""


class CaptionTrack(Document):
    """One caption file that came with the video."""

    language: str
    automatic: bool = False
    """Made by a machine of the publisher's platform, not by a person."""
    format: str
    """`vtt`, `srt`, `json3`, …: the file name's ending."""


class VideoDocument(Document):
    """What is known about a video without watching it: `video.json`."""

    key: str
    url: str | None = None
    """Where a person would watch it."""
    path: str | None = None
    """The file on this machine, for a local input."""
    extractor: str | None = None
    extractor_id: str | None = None
    title: str
    uploader: str | None = None
    published: str | None = None
    """ISO date."""
    description: str | None = None
    duration: float | None = None
    language: str | None = None
    """BCP 47 tag, where the publisher names it."""
    has_audio: bool = True
    has_picture: bool = True
    chapters: tuple[Chapter, ...] = ()
    """The publisher's own."""
    captions: tuple[CaptionTrack, ...] = ()
    notes: tuple[str, ...] = ()


class Word(Document):
    text: str
    start: float
    end: float


class Cue(Document):
    """A stretch of speech, about a sentence."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    confidence: float | None = Field(default=None, ge=0, le=1)


TranscriptSource = Literal["captions", "automatic_captions", "speech"]


class Transcript(Document):
    """What is said in a video: `transcript.json`."""

    source: TranscriptSource
    engine: str
    """`publisher captions`, `automatic captions`, `faster-whisper 1.2.1`, …"""
    model: str | None = None
    language: str | None = None
    duration: float | None = None
    speech: Literal["some", "none"]
    """`none` says that somebody listened and nobody spoke."""
    cues: tuple[Cue, ...]
    alternative: Transcript | None = None
    """The other transcript, where both captions and speech recognition were asked for."""
    agreement: float | None = Field(default=None, ge=0, le=1)
    """1 - word error rate between the two, at least 0."""
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(cue.text for cue in self.cues)

    @property
    def words(self) -> int:
        return sum(len(cue.text.split()) for cue in self.cues)


Length = Literal["brief", "standard", "detailed"]
Template = Literal["summary", "insights"]


class KeyPoint(Document):
    text: str
    start: float = Field(ge=0)


class Question(Document):
    question: str
    answer: str


class Insights(Document):
    """A video as a chapter of a book, the eight fields of the insights template."""

    chapter_title: str
    introduction_context: str
    what_will_build: str
    technologies_and_services: tuple[str, ...]
    how_we_did_it: tuple[str, ...]
    source_code_url: str
    demo_url: str
    qa_segment: tuple[Question, ...]


class Usage(Document):
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    """US dollars, where the model's price is known."""


class Summary(Document):
    """What a video says, in short: `summary.json`."""

    title: str
    overview: str
    key_points: tuple[KeyPoint, ...]
    chapters: tuple[Chapter, ...]
    topics: tuple[str, ...]
    length: Length
    template: Template = "summary"
    insights: Insights | None = None
    language: str | None = None
    engine: str
    """`offline` or the provider's name."""
    model: str | None = None
    usage: Usage | None = None
    notes: tuple[str, ...] = ()
    """Fall-backs taken and limits of the engine, in words."""


class Origin(Document):
    """Where something that a script says comes from, in the words that stand there."""

    text: str
    line: int | None = None
    """Of the text that was given, from 1."""
    start: float | None = None
    """Seconds into the video that was summed up."""


class ScriptSection(Document):
    """A part of a script: what is said, and what its slide shows."""

    title: str
    narration: str
    points: tuple[str, ...] = ()
    seconds: float = Field(ge=0)
    """About as long as it takes to say."""
    sources: tuple[Origin, ...] = ()


class Script(Document):
    """What a narrated video says and shows: `script.json`."""

    title: str
    hook: str = ""
    """What is said first, over the title."""
    sections: tuple[ScriptSection, ...]
    takeaways: tuple[str, ...] = ()
    """What is said last: what to keep of it."""
    sources: tuple[Origin, ...] = ()
    """Of the hook and the takeaways."""
    query: str | None = None
    """What was asked for, where somebody asked in words."""
    language: str | None = None
    engine: str
    """`offline` or the provider's name."""
    model: str | None = None
    usage: Usage | None = None
    notes: tuple[str, ...] = ()
    """Fall-backs taken and limits of the engine, in words."""

    @property
    def passages(self) -> tuple[str, ...]:
        """Everything that is said, slide by slide."""
        said = (self.hook, *(section.narration for section in self.sections), " ".join(self.takeaways))
        return tuple(filter(None, said))

    @property
    def text(self) -> str:
        return " ".join(self.passages)


Modality = Literal["text", "audio", "video"]
Style = Literal["clean", "dark", "warm"]


class StepTime(Document):
    """A step of a production and how long it took."""

    step: Literal["script", "narration", "slides", "video"]
    seconds: float = Field(ge=0)


class Saving(Document):
    """What was not made because nobody asked for it."""

    steps: tuple[str, ...] = ()
    seconds: float = 0.0
    """Of work, by what these steps take elsewhere for a script of this length."""
    cost: float = 0.0
    """US dollars that these steps would have cost."""
    basis: str = ""
    """Where the figures come from."""


class Production(Document):
    """What was made of a script, and what was not: `production.json`."""

    modalities: tuple[Modality, ...]
    style: Style
    duration: float | None = None
    """Of the narration, where there is one."""
    voice: str | None = None
    """The engine that speaks."""
    chapters: tuple[Chapter, ...] = ()
    """When each section is spoken."""
    steps: tuple[StepTime, ...]
    saved: Saving
