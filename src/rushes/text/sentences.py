"""From a transcript's cues to sentences, each with the times of the cues or words that it is made of.

No time is interpolated: a sentence starts where the cue (or word) with its first letter starts. Captions without
punctuation, as machines write them, become blocks cut at pauses.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rushes.documents import Cue, Transcript
from rushes.text.lexicon import UNSPACED, printable, word_count

_LONGEST = 60
"""Words. Whatever is longer holds no usable punctuation and is cut into blocks."""
_BLOCK = 18
_SHORTEST_BLOCK = 8
_PAUSE = 0.6

# Only from the beginning of a run, and without going back: a stranger's text may be one run of marks.
_TERMINATOR = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)|[。！？｡।॥؟۔]+[」』”’)）]*\s*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:(?-i:[A-HJ-Z])|(?:[A-Za-z]\.)+[A-Za-z]|"
    r"mr|mrs|ms|dr|prof|sr|jr|st|vs|eds?|approx|dept|est|inc|ltd|corp|gen|col|sgt|capt|rev|hon|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|ca|cf|al|resp|ave|bzw|bspw|str|mme|mlle|sra|dra)\.$",
    re.IGNORECASE,
)
_BEFORE_NUMBER = re.compile(r"(?:^|[\s(\"“])(?:no|nos|nr|fig|figs|vol|ch|sec|pp)\.$", re.IGNORECASE)
_ABBREVIATION_LENGTH = 12
_NO_CASE_SHARE = 0.002


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of speech. `start` and `end` are those of existing cues or words, in seconds."""

    text: str
    start: float
    end: float
    pause: float = 0.0
    """Seconds of silence before it."""
    words: int = 0


@dataclass(frozen=True, slots=True)
class _Piece:
    """The smallest part of a transcript that has a time of its own, and where it stands in the text."""

    first: int
    last: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    last: int


def split(transcript: Transcript) -> tuple[Sentence, ...]:
    """Cut a transcript into sentences, in order."""
    text, pieces = _lay_out(transcript.cues)
    spans = [part for span in _spans(text) for part in _cut_long(text, span, pieces)]
    return tuple(_with_times(text, spans, pieces))


def cut(text: str) -> Iterator[str]:
    """Cut a text that somebody wrote into sentences."""
    for span in _spans(text):
        said = text[span.first : span.last].strip()
        if said:
            yield said


def _lay_out(cues: Sequence[Cue]) -> tuple[str, list[_Piece]]:
    """One text of all cues, and its pieces: words where they have times and are found in their cue, else cues."""
    text = ""
    pieces: list[_Piece] = []
    for cue in cues:
        said = " ".join(printable(cue.text).split())
        if not said:
            continue
        if text:
            text += _joint(text[-1], said[0])
        pieces.extend(_pieces(cue, said, len(text)))
        text += said
    return text, pieces


def _joint(before: str, after: str) -> str:
    unspaced = re.compile(f"[{UNSPACED}。！？、，]")
    return "" if unspaced.match(before) and unspaced.match(after) else " "


def _pieces(cue: Cue, said: str, offset: int) -> list[_Piece]:
    whole = [_Piece(offset, offset + len(said), cue.start, cue.end)]
    found: list[_Piece] = []
    position = 0
    for word in cue.words:
        written = printable(word.text).strip()
        position = said.find(written, position) if written else -1
        if position < 0:
            return whole
        found.append(_Piece(offset + position, offset + position + len(written), word.start, word.end))
        position += len(written)
    return found or whole


def _spans(text: str) -> Iterator[_Span]:
    cased = sum(map(str.isupper, text)) > _NO_CASE_SHARE * len(text)
    first = 0
    for match in _TERMINATOR.finditer(text):
        if _ends_sentence(text, match, cased=cased):
            yield _Span(first, match.end())
            first = match.end()
    if text[first:].strip():
        yield _Span(first, len(text))


def _ends_sentence(text: str, match: re.Match[str], *, cased: bool) -> bool:
    if match[0][0] not in ".…":
        return True
    before = text[max(0, match.start() - _ABBREVIATION_LENGTH) : match.start() + 1]
    following = text[match.end() : match.end() + 2].strip()[:1]
    if _ABBREVIATION.search(before) or (following.isdigit() and _BEFORE_NUMBER.search(before)):
        return False
    return not (cased and following.islower())


def _cut_long(text: str, span: _Span, pieces: Sequence[_Piece]) -> Iterator[_Span]:
    if word_count(text[span.first : span.last]) <= _LONGEST:
        yield span
        return
    first = span.first
    begin = bisect_right(pieces, span.first, key=lambda piece: piece.last)
    inside = pieces[begin : bisect_left(pieces, span.last, lo=begin, key=lambda piece: piece.first)]
    for piece, following in pairwise(inside):
        words = word_count(text[first : piece.last])
        if words >= _BLOCK or (words >= _SHORTEST_BLOCK and following.start - piece.end >= _PAUSE):
            yield _Span(first, piece.last)
            first = piece.last
    yield _Span(first, span.last)


def _with_times(text: str, spans: Sequence[_Span], pieces: Sequence[_Piece]) -> Iterator[Sentence]:
    position, ended = 0, 0.0
    for span in spans:
        said = text[span.first : span.last].strip()
        if not said:
            continue
        first = text.index(said, span.first)
        while pieces[position].last <= first:
            position += 1
        last = position
        while last + 1 < len(pieces) and pieces[last + 1].first < first + len(said):
            last += 1
        start, end = pieces[position].start, pieces[last].end
        yield Sentence(said, start, end, pause=max(0.0, start - ended), words=word_count(said))
        position, ended = last, end
