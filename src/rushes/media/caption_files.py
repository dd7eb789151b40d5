"""Caption files of many formats become timed pieces, cleaned of everything that is not speech.

pysubs2 knows the formats. Ours is what it leaves: YouTube's json3, the word times inside WebVTT, rolling captions (each
line shown twice, once as it is spoken and once above the next), markup, sound marks, and times that make no sense.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from rushes.media.cues import Piece, spread
from rushes.media.faults import BadCaptions

LARGEST = 64 * 1024**2
"""Bytes of a caption file: a day of speech with word times is a few megabytes."""
LATEST = 100 * 3600.0
"""Seconds. A time beyond is no time."""
ROLLING = 0.3
"""Share of events that repeat a line of the one before, from which on a file is held to be rolling."""
_WORD_TIME = re.compile(r"<(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}")
_SOUND = re.compile(
    r"\[[^\[\]]{0,60}\]|[♪♫]|\([^()]{0,40}\b(?:music|applau\w*|laugh\w*|cheer\w*|sighs?|silence|inaudible|coughs?)\b[^()]{0,20}\)",
    re.IGNORECASE,
)
_SPEAKER_CHANGE = re.compile(r"^\s*(?:>>+|-|–)\s+|\s*>>+\s*", re.MULTILINE)
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Event:
    """What is shown at one time: its lines, their word times still inside. Seconds."""

    lines: tuple[str, ...]
    start: float
    end: float


def read_pieces(path: Path, form: str) -> list[Piece]:
    """Read a caption file into pieces in order, without overlaps.

    Raises:
        BadCaptions: too large, or in no format that is known.
    """
    text = _text(path)
    if form == "json3" or (form == "json" and '"events"' in text[:4096]):
        pieces = _json3(text, path.name)
    else:
        events = _in_turn(_events(text, path.name))
        pieces = [piece for event in _unrolled(events) for piece in _timed(event)]
    return list(_orderly(pieces))


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > LARGEST:
        raise BadCaptions(f"{path.name} is {size / 1e6:.0f} MB; captions are at most {LARGEST / 1e6:.0f} MB")
    data = path.read_bytes()
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise BadCaptions(f"{path.name} is no caption file: it holds binary data")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what old SubRip files of the West are written in


def _events(text: str, name: str) -> list[Event]:
    import pysubs2

    try:
        file = pysubs2.SSAFile.from_string(text)
    except pysubs2.exceptions.FormatAutodetectionError:
        raise BadCaptions(f"{name} is in no caption format that is known") from None
    except Exception as error:  # noqa: BLE001  (its parsers meet hostile text, and raise whatever they stumble over)
        raise BadCaptions(f"{name} cannot be read as captions: {_first_line(error)}") from None
    return [
        Event(tuple(re.split(r"\\N|\\n|\n", event.text)), event.start / 1000, event.end / 1000)
        for event in file
        if not event.is_comment
    ]


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _in_turn(events: Iterable[Event]) -> list[Event]:
    """In the order of time, each ending before the next begins; what begins together is one."""
    turns: list[Event] = []
    for event in sorted(events, key=lambda event: event.start):
        before = turns[-1] if turns else None
        if before and before.start == event.start:
            turns[-1] = replace(before, lines=before.lines + event.lines, end=max(before.end, event.end))
            continue
        if before and before.end > event.start:
            turns[-1] = replace(before, end=event.start)
        turns.append(event)
    return turns


def _unrolled(events: Sequence[Event]) -> Iterator[Event]:
    """Each line once, where captions roll; every line where they do not, since people repeat themselves."""
    shown = [{_cleaned(line).strip() for line in event.lines} - {""} for event in events]
    repeats = sum(bool(before & after) for before, after in pairwise(shown))
    if repeats <= ROLLING * len(events):
        yield from events
        return
    recent: deque[str] = deque(maxlen=2)
    for event in events:
        fresh = [line for line in event.lines if _cleaned(line).strip() not in recent]
        recent.extend(text for line in fresh if (text := _cleaned(line).strip()))
        yield replace(event, lines=tuple(fresh))


def _timed(event: Event) -> list[Piece]:
    """The words of an event: with their own times where it has them inside, else spread over its time."""
    text = "\n".join(event.lines)
    if not _is_speech(_cleaned(text)):
        return []
    parts = _WORD_TIME.split(text)
    if len(parts) == 1:
        return spread(f" {' '.join(_cleaned(text).split())}", event.start, event.end)
    starts = [event.start, *(_seconds(*parts[index : index + 4]) for index in range(1, len(parts), 5))]
    words = zip(map(_cleaned, parts[::5]), starts, strict=True)
    return _guess_ends([(f" {' '.join(word.split())}", start) for word, start in words if word.strip()], event.end)


def _is_speech(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _seconds(hours: str | None, minutes: str, seconds: str, milliseconds: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(milliseconds) / 1000


def _guess_ends(words: Sequence[tuple[str, float]], end: float) -> list[Piece]:
    """Words known by their starts: each ends with the next, or when a word of its length is over."""
    starts = [*(start for _, start in words[1:]), end]
    return [
        Piece(word, start, min(following, start + 0.3 + 0.08 * len(word)))
        for (word, start), following in zip(words, starts, strict=True)
    ]


def _json3(text: str, name: str) -> list[Piece]:
    """YouTube's own format: events of segments, each with its offset; `aAppend` events only break lines."""
    try:
        events = json.loads(text)["events"]
        return [piece for event in events if not event.get("aAppend") for piece in _json3_event(event)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadCaptions(f"{name} is no json3 caption file: {type(error).__name__}: {_first_line(error)}") from None


def _json3_event(event: dict[str, Any]) -> list[Piece]:
    start = float(event.get("tStartMs", 0)) / 1000
    end = start + float(event.get("dDurationMs", 0)) / 1000
    segments = [(_cleaned(seg.get("utf8", "")), seg.get("tOffsetMs")) for seg in event.get("segs", ())]
    if not _is_speech("".join(text for text, _ in segments)):
        return []
    if all(offset is None for _, offset in segments):
        return spread(" " + " ".join("".join(text for text, _ in segments).split()), start, end)
    words = [(f" {text.strip()}", start + float(offset or 0) / 1000) for text, offset in segments if text.strip()]
    return _guess_ends(words, end)


def _cleaned(text: str) -> str:
    """Without markup, sound marks and what cannot be seen. White space stays, for it parts words."""
    text = html.unescape(_TAG.sub("", _WORD_TIME.sub("", text)))
    text = _SOUND.sub("", _INVISIBLE.sub("", text.replace("\xa0", " ").replace("\\h", " ")))
    return _SPEAKER_CHANGE.sub(" ", text)


def _orderly(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """In the order of time, each ending before the next begins; no space between characters of a script without."""
    ordered = sorted((piece for piece in pieces if 0 <= piece.start < LATEST), key=lambda piece: piece.start)
    for index, piece in enumerate(ordered):
        following = ordered[index + 1].start if index + 1 < len(ordered) else math.inf
        before = ordered[index - 1].text[-1:] if index else ""
        glued = _WIDE.match(before) and _WIDE.match(piece.text.strip())
        text = piece.text.strip() if glued else piece.text
        yield replace(piece, text=text, end=max(piece.start, min(following, LATEST, piece.end)))
