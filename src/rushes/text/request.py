"""What every summarizer is given, whichever engine does the work."""

from __future__ import annotations

from dataclasses import dataclass, field

from rushes.documents import Length, Template, Transcript, VideoDocument
from rushes.text import sentences
from rushes.text.lexicon import Lexicon
from rushes.text.sentences import Sentence

FEWEST_WORDS = 25
"""Below that there is nothing to summarize: it is two sentences."""


@dataclass(frozen=True, slots=True)
class Request:
    """A transcript to summarize, with what is known of its video."""

    transcript: Transcript
    video: VideoDocument
    length: Length = "standard"
    template: Template = "summary"
    language: str | None = None
    """The language to write in, for engines that write; by default the transcript's."""
    sentences: tuple[Sentence, ...] = field(init=False)
    lexicon: Lexicon = field(init=False)

    def __post_init__(self) -> None:
        split = sentences.split(self.transcript)
        texts = [sentence.text for sentence in split]
        object.__setattr__(self, "sentences", split)
        object.__setattr__(self, "lexicon", Lexicon.of(texts, self.transcript.language or self.video.language))

    @property
    def words(self) -> int:
        return sum(sentence.words for sentence in self.sentences)

    @property
    def duration(self) -> float:
        """Seconds, as the video says, else as the transcript ends."""
        ended = self.sentences[-1].end if self.sentences else 0.0
        return max(self.video.duration or self.transcript.duration or 0.0, ended)
