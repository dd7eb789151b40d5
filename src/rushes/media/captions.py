"""Captions: read what publishers offer into cues, and write a transcript as captions that a player shows well.

What is read comes from strangers and from machines: see `caption_files` for the formats and `cues` for how sentences
are made of it. What is written is cut anew into lines that fit a screen, since a sentence may be far too long for one.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rushes.documents import Cue, Transcript
from rushes.media.caption_files import read_pieces
from rushes.media.cues import Piece, group, spread
from rushes.media.faults import BadCaptions

LINE = 42
"""Characters in a line of captions: what broadcasters hold readable."""
LINES = 2
LONGEST = 7.0
"""Seconds that one caption stays."""
PARAGRAPH_PAUSE = 2.0
"""Seconds of silence between paragraphs of plain text."""
PARAGRAPH = 600
"""Characters after which a paragraph ends with its sentence."""


def read_captions(path: Path, form: str | None = None) -> tuple[Cue, ...]:
    """Read a caption file into cues of about a sentence. `form` is its format, by default its name's ending.

    Known are WebVTT, SubRip, ASS, TTML, SAMI, YouTube's json3, and what else pysubs2 recognises. Sound marks such as
    `[Music]`, markup, and the repeated lines of rolling captions are left out.

    Raises:
        BadCaptions: it cannot be read, or nothing is said in it.
    """
    cues = group(read_pieces(path, form or path.suffix.lstrip(".")))
    if not cues:
        raise BadCaptions(f"{path.name} has no words in it")
    return cues


def to_vtt(transcript: Transcript) -> str:
    """The transcript as WebVTT."""
    return webvtt(transcript.cues)


def webvtt(cues: Iterable[Cue]) -> str:
    """Sentences as WebVTT."""
    shown = (
        f"{_time(cue.start)} --> {_time(cue.end)}\n{html.escape(_wrapped(cue), quote=False)}\n" for cue in _shown(cues)
    )
    return "\n".join(["WEBVTT\n", *shown])


def to_srt(transcript: Transcript) -> str:
    """The transcript as SubRip."""
    return "\n".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_wrapped(cue)}\n"
        for number, cue in enumerate(shown_cues(transcript), 1)
    )


def to_txt(transcript: Transcript) -> str:
    """The transcript as paragraphs, without times."""
    return "".join(f"{paragraph}\n\n" for paragraph in _paragraphs(transcript.cues)).removesuffix("\n")


def shown_cues(transcript: Transcript) -> Iterator[Cue]:
    """The transcript cut for a screen: each cue fits two lines and seven seconds, and none overlaps the next."""
    return _shown(transcript.cues)


def _shown(cues: Iterable[Cue]) -> Iterator[Cue]:
    for cue in cues:
        pieces = [Piece(f" {word.text}", word.start, word.end) for word in cue.words]
        pieces = pieces or spread(cue.text, cue.start, cue.end)
        for part in _screens(pieces):
            text = "".join(piece.text for piece in part).strip()
            yield Cue(text=text, start=part[0].start, end=max(part[-1].end, part[0].start + 0.001))


def _screens(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """Parts of about equal length, so that no single word is left over for a screen of its own."""
    total = sum(len(piece.text) for piece in pieces)
    seconds = pieces[-1].end - pieces[0].start if pieces else 0
    count = max(-(-total // (LINE * LINES - 12)), int(-(-seconds // LONGEST)), 1)
    begin, length = 0, 0
    for index, piece in enumerate(pieces):
        length += len(piece.text)
        if length >= total / count or index == len(pieces) - 1:
            yield pieces[begin : index + 1]
            begin, length = index + 1, 0


def _wrapped(cue: Cue) -> str:
    """In two lines of about equal length where it is too long for one, so that no word is left alone in the second."""
    text = cue.text.replace("-->", "→")
    lines = [text]
    for width in range(-(-len(text) // LINES), len(text) if len(text) > LINE else 0):
        lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
        if len(lines) <= LINES:
            break
    return "\n".join(lines)


def _time(seconds: float, point: str = ".") -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _paragraphs(cues: Sequence[Cue]) -> Iterator[str]:
    sentences: list[str] = []
    for index, cue in enumerate(cues):
        sentences.append(re.sub(r"\s+", " ", cue.text))
        following = cues[index + 1] if index + 1 < len(cues) else None
        length = sum(map(len, sentences))
        if following is None or following.start - cue.end > PARAGRAPH_PAUSE or length > PARAGRAPH:
            yield " ".join(sentences)
            sentences = []
