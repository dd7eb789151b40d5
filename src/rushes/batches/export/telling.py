"""What is shown of a generated script, and of what was made of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rushes.batches.export import words
from rushes.clock import clock
from rushes.documents import Production, Script

_INLINE = 200_000
"""Bytes of captions that go into the page itself, since a browser reads none from beside a local page."""


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a script."""

    title: str
    clock: str
    """When it is spoken; empty where nobody speaks it."""
    said: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A script."""

    title: str
    hook: str
    parts: tuple[Part, ...]
    takeaways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plays:
    """What a page can play, by addresses beside it."""

    film: str | None = None
    sound: str | None = None
    poster: str | None = None
    captions: str | None = None
    """As an address that holds them."""

    def __bool__(self) -> bool:
        return bool(self.film or self.sound)


NOTHING = Plays()


def told(script: Script, production: Production | None) -> Told:
    """A script as it is shown, each section with the time at which it is spoken."""
    spoken = [clock(chapter.start) for chapter in production.chapters] if production else []
    clocks = spoken if len(spoken) == len(script.sections) else [""] * len(script.sections)
    return Told(
        title=words.clean(script.title),
        hook=words.clean(script.hook),
        parts=tuple(
            Part(words.clean(each.title), at, words.clean(each.narration), tuple(map(words.clean, each.points)))
            for each, at in zip(script.sections, clocks, strict=True)
        ),
        takeaways=tuple(map(words.clean, script.takeaways)),
    )


def plays(recordings: Mapping[str, Path]) -> Plays:
    """What the page of an item can play, given the files beside it."""
    captions = recordings.get("narration.vtt")
    film, sound, poster = (name if name in recordings else None for name in ("video.mp4", "narration.m4a", "video.jpg"))
    return Plays(film, sound, poster, _as_address(captions) if captions else None)


def _as_address(captions: Path) -> str | None:
    content = captions.read_bytes()
    return f"data:text/vtt;base64,{base64.b64encode(content).decode()}" if len(content) <= _INLINE else None
