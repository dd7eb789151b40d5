"""What a script is made of: the sentences of a text or of a summary, each with where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rushes.documents import Chapter, Origin, Summary
from rushes.text import sentences
from rushes.text.lexicon import Lexicon, word_count
from rushes.text.scripts.written import Written, read
from rushes.text.sentences import Sentence

_MOST = 10_000
"""Sentences: the longest text in English prose has six thousand."""
_PARAGRAPH = 2.0
"""Seconds of silence before a paragraph, as far as finding a change of subject goes."""


@dataclass(frozen=True, slots=True)
class Material:
    """Sentences in order, with what is known of them."""

    kind: Literal["text", "summary"]
    title: str
    """Empty where there is none."""
    sentences: tuple[Sentence, ...]
    """Their times only say which comes first; `origins` say where each really stands."""
    origins: tuple[Origin, ...]
    headings: tuple[tuple[int, str], ...]
    """Each with the sentence with which its section begins, in order."""
    lexicon: Lexicon
    notes: tuple[str, ...] = ()
    """What was left out of it, in words."""

    @property
    def words(self) -> int:
        return sum(sentence.words for sentence in self.sentences)


def of_text(text: str, *, title: str | None = None) -> Material:
    """Material of a text, plain or in Markdown. Without a `title` it has the heading's that stands above all others.

    Raises:
        ValueError: nothing in it can be spoken, or it is no text but a list of very many.
    """
    written = read(text)
    if not written.sentences:
        raise ValueError("there is no sentence in it")
    if len(written.sentences) > _MOST:
        raise ValueError(f"it has {len(written.sentences):,} sentences; the limit is {_MOST:,}")
    said = [sentence.text for sentence in written.sentences]
    name, headings = _titled(written)
    return Material(
        kind="text",
        title=title or name,
        sentences=_in_order(said, {at for at, one in enumerate(written.sentences) if one.opens}),
        origins=tuple(Origin(text=one.text, line=one.line) for one in written.sentences),
        headings=headings,
        lexicon=Lexicon.of(said, None),
        notes=tuple(_left_out(written.left_out)),
    )


def of_summary(summary: Summary) -> Material:
    """Material of a summary: its overview, then what it says of each chapter.

    Raises:
        ValueError: it says nothing.
    """
    told: list[tuple[str, float | None]] = [(text, None) for text in sentences.cut(" ".join(summary.overview.split()))]
    headings: list[tuple[int, str]] = []
    for chapter in summary.chapters:
        points = list(_points(summary, chapter))
        headings += [(len(told), chapter.title)] if points else []
        told += points
    if not told:
        raise ValueError("there is no sentence in it")
    said = [text for text, _ in told]
    return Material(
        kind="summary",
        title=summary.title,
        sentences=_in_order(said, {at for at, _ in headings}),
        origins=tuple(Origin(text=text, start=start) for text, start in told),
        headings=tuple(headings),
        lexicon=Lexicon.of(said, summary.language),
    )


def _points(summary: Summary, chapter: Chapter) -> Iterator[tuple[str, float | None]]:
    """What is said in a chapter: its key points, else its own."""
    key = [(one.text, one.start) for one in summary.key_points if chapter.start <= one.start < chapter.end]
    yield from key or [(text, chapter.start) for text in chapter.points]


def _titled(written: Written) -> tuple[str, tuple[tuple[int, str], ...]]:
    """The text's own title, and its headings; of several above one sentence the last counts."""
    headings = list(written.headings)
    name = ""
    if headings and headings[0].before == 0 and all(one.level > headings[0].level for one in headings[1:]):
        name = headings.pop(0).title
    last = {one.before: one.title for one in headings if one.before < len(written.sentences)}
    return name, tuple(last.items())


def _in_order(said: Sequence[str], opening: Iterable[int]) -> tuple[Sentence, ...]:
    """The sentences as if one were spoken each second."""
    opens = set(opening)
    return tuple(
        Sentence(text, float(at), at + 1.0, pause=_PARAGRAPH if at in opens else 0.0, words=word_count(text))
        for at, text in enumerate(said)
    )


def _left_out(counts: Counter[str]) -> Iterator[str]:
    for what, count in sorted(counts.items()):
        first, _, rest = what.partition(" ")
        yield f"Left out, for it cannot be spoken: {count} {what if count == 1 else f'{first}s {rest}'}."
