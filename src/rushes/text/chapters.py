"""The chapters of a video: the publisher's own if they are sane, else found in what is said and named by its phrases.

The first begins at 0, each ends where the next begins, the last ends with the video.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rushes.documents import Chapter
from rushes.text import boundaries
from rushes.text.phrases import Phrase, Phrases
from rushes.text.request import Request

_UNTITLED = re.compile(r"^\W*+(?:untitled(?: chapter)?|chapter|kapitel|chapitre)?\W*+\d*+\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter and the sentences spoken in it: `first` to `last` - 1, none if nobody speaks."""

    title: str
    start: float
    end: float
    first: int
    last: int

    def chapter(self, points: Sequence[str] = ()) -> Chapter:
        return Chapter(title=self.title, start=self.start, end=self.end, points=tuple(points))


def divide(request: Request, phrases: Phrases) -> list[Section]:
    """Return at least one section; together they cover the video."""
    given = published(request)
    if given:
        starts = [chapter.start for chapter in given]
        titles = ["" if _UNTITLED.match(chapter.title) else chapter.title.strip() for chapter in given]
        cuts = [bisect_left(request.sentences, start, key=lambda sentence: sentence.start) for start in starts[1:]]
    else:
        cuts = boundaries.find(request.sentences, request.lexicon)
        starts = [0.0, *(request.sentences[cut].start for cut in cuts)]
        titles = [""] * len(starts)
    return _sections(titles, starts, [0, *cuts, len(request.sentences)], request, phrases)


def published(request: Request) -> list[Chapter]:
    """The publisher's chapters in order, the first set to 0; none if they make no sense."""
    chapters = sorted(request.video.chapters, key=lambda chapter: chapter.start)
    starts = [chapter.start for chapter in chapters]
    rising = all(before < after for before, after in pairwise(starts))
    if len(chapters) <= 1 or not rising or starts[-1] >= request.duration:
        return []
    return [chapters[0].model_copy(update={"start": 0.0}), *chapters[1:]]


def _sections(
    titles: Sequence[str], starts: Sequence[float], cuts: Sequence[int], request: Request, phrases: Phrases
) -> list[Section]:
    used: set[Phrase] = set()
    ends = [*starts[1:], request.duration]
    sections: list[Section] = []
    for number, (title, start, end, (first, last)) in enumerate(
        zip(titles, starts, ends, pairwise(cuts), strict=True), start=1
    ):
        name = title or phrases.title(first, last, used) or f"Part {number}"
        sections.append(Section(name, start, end, first, last))
    return sections
