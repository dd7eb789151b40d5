"""The offline summary: the speaker's own sentences, chosen and put in order. It needs no model and no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rushes.documents import KeyPoint, Length, Summary
from rushes.text.chapters import Section, divide
from rushes.text.fillers import without_fillers
from rushes.text.phrases import Phrases, headline
from rushes.text.ranking import Ranking
from rushes.text.request import Request

ENGINE: Literal["offline"] = "offline"
NOTE = "Key sentences, chosen without a language model: every sentence is the speaker's own, shortened by its fillers."
NO_SPACES = "This language is written without spaces between words: topics and titles are runs of letters often said."
_TOPICS = 6


@dataclass(frozen=True, slots=True)
class _Size:
    """How much a length says: sentences of the overview, at most a share of all; points per chapter."""

    overview: int
    share: float
    points: int
    most_points: int


_SIZES: dict[Length, _Size] = {
    "brief": _Size(overview=3, share=0.2, points=1, most_points=5),
    "standard": _Size(overview=7, share=0.4, points=1, most_points=16),
    "detailed": _Size(overview=10, share=0.6, points=2, most_points=32),
}
_CHAPTER_POINTS = 3
_FEWEST_POINTS = 3


class Extract:
    """One transcript, read once: its sections, ranked sentences and phrases."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.phrases = Phrases([sentence.text for sentence in request.sentences], request.lexicon)
        self.ranking = Ranking(request.sentences, request.lexicon)
        self.sections = divide(request, self.phrases)
        self.topics = self.phrases.topics(_TOPICS)

    def said(self, at: int) -> str:
        return without_fillers(self.request.sentences[at].text)

    def prose(self, chosen: Sequence[int]) -> str:
        return " ".join(filter(None, map(self.said, sorted(chosen))))

    def title(self) -> str:
        """The publisher's title, else what it is most about."""
        topics = [headline(topic) for topic in self.topics[:2]]
        return self.request.video.title.strip() or " / ".join(topics) or "Untitled"

    def overview(self, limit: int) -> list[int]:
        """The sentence of intent, if there is one, then the most telling of the whole."""
        intent = self.ranking.intent()
        opening = [] if intent is None else [intent]
        return opening[:limit] + self.ranking.best(limit - len(opening), taken=opening)

    def points(self, per_section: int, most: int, told: Sequence[int]) -> list[int]:
        """The best of each section beside what the overview told; of many only the first so many sections' best."""
        chosen: list[int] = []
        for section in self._weightiest(most // per_section):
            chosen += self.ranking.best_within(section.first, section.last, per_section, taken=[*told, *chosen])
        few = _FEWEST_POINTS * per_section - len(chosen)
        return sorted(chosen + self.ranking.best(max(0, few), taken=[*told, *chosen]))

    def _weightiest(self, limit: int) -> list[Section]:
        """The sections in which most is said, in order."""
        longest = sorted(self.sections, key=lambda section: section.first - section.last)[:limit]
        return sorted(longest, key=lambda section: section.first)


def summary(extract: Extract) -> Summary:
    """The same transcript and length give the same summary."""
    request = extract.request
    size = _SIZES[request.length]
    overview = extract.overview(max(1, min(size.overview, round(size.share * len(request.sentences)))))
    detailed = request.length == "detailed"
    return Summary(
        title=extract.title(),
        overview=extract.prose(overview),
        key_points=tuple(
            KeyPoint(text=extract.said(at), start=request.sentences[at].start)
            for at in extract.points(size.points, size.most_points, overview)
        ),
        chapters=tuple(
            section.chapter(_points_of(extract, section) if detailed else ()) for section in extract.sections
        ),
        topics=tuple(extract.topics),
        length=request.length,
        language=request.lexicon.language,
        engine=ENGINE,
        notes=_notes(request),
    )


def _points_of(extract: Extract, section: Section) -> list[str]:
    return [
        extract.said(at) for at in sorted(extract.ranking.best_within(section.first, section.last, _CHAPTER_POINTS))
    ]


def _notes(request: Request) -> tuple[str, ...]:
    unspaced = request.words > 0 and not any(" " in sentence.text for sentence in request.sentences)
    return (NOTE, NO_SPACES) if unspaced else (NOTE,)
