"""What is in a media file, and whether it can be decoded to its stated end.

Files come from strangers, and FFmpeg's libraries are a large surface, so they are opened in a child process with limits
on time and memory: what crashes or hangs there costs one child. A probe takes about 0.2 s, nearly all of it the start.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from rushes.children import Child, ChildDied
from rushes.media.faults import EngineFault, Incomplete, MediaFault, NotMedia, TooSlow


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a file."""

    kind: Literal["video", "audio", "subtitle", "data", "attachment"]
    codec: str
    language: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    cover: bool = False
    """A still picture attached to the file, not its picture."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A chapter that the file itself names. Seconds."""

    title: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file says of itself."""

    format: str
    duration: float | None
    """Seconds; None where the file does not say."""
    size: int
    streams: tuple[Stream, ...]
    chapters: tuple[Mark, ...]
    tags: dict[str, str]
    """The container's own (`title`, `artist`, `date`, …), names in lower case."""

    @property
    def has_audio(self) -> bool:
        return any(stream.kind == "audio" for stream in self.streams)

    @property
    def has_picture(self) -> bool:
        return any(stream.kind == "video" and not stream.cover for stream in self.streams)

    @property
    def title(self) -> str | None:
        return self.tags.get("title")

    @property
    def language(self) -> str | None:
        """The first audio stream's language, where the file names one."""
        return next((stream.language for stream in self.streams if stream.kind == "audio" and stream.language), None)


async def probe(path: Path, *, within: timedelta = timedelta(seconds=60)) -> Probe:
    """Read what a file says of itself, without decoding it.

    Raises:
        NotMedia, Incomplete: its content is no audio or video that is read here, or its index is missing.
        TooSlow, EngineFault: the child had to be killed, or died.
    """
    return await _ask(path, {"deep": False, "expected": None}, within)


async def check_decodable(
    path: Path, *, expected: float | None = None, within: timedelta = timedelta(minutes=30)
) -> Probe:
    """Probe a file, read it to its end and decode its sound, to see that what it states is there.

    `expected` is the duration in seconds that the publisher states, for formats that do not state their own.

    Raises:
        NotMedia: as in `probe`.
        Incomplete: it reaches less than 98 % of its stated duration (the message names both), or is damaged.
        TooSlow, EngineFault: the child had to be killed, or died.
    """
    return await _ask(path, {"deep": True, "expected": expected}, within)


async def _ask(path: Path, question: dict[str, Any], within: timedelta) -> Probe:
    name = f"the check of {path.name}"
    try:
        async with await Child.start_module("rushes.media.probe_child", name=name, grace=timedelta(0)) as child:
            async with asyncio.timeout(within.total_seconds()):
                await child.send({"path": str(path), **question})
                answer = await child.receive()
    except ChildDied as death:
        raise EngineFault(str(death)) from None
    except TimeoutError:
        raise TooSlow(f"{name} did not end within {within.total_seconds():.0f} s and was stopped") from None
    if "fault" in answer:
        raise FAULTS[answer["fault"]](answer["message"])
    return _ADAPTER.validate_python(answer["probe"])


FAULTS: dict[str, type[MediaFault]] = {fault.__name__: fault for fault in (NotMedia, Incomplete)}
_ADAPTER = TypeAdapter(Probe)
