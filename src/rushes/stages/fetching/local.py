"""A video that is a file of this machine already: nothing is copied, the file stays where its owner put it.

Captions beside it (`talk.vtt`, `talk.en.srt`) and text streams inside it count as its publisher's.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from rushes.documents import CaptionTrack, Chapter, VideoDocument
from rushes.media.containers import input_arguments
from rushes.media.faults import EngineFault
from rushes.media.ffmpeg import run_ffmpeg
from rushes.media.probe import Probe
from rushes.model import Source
from rushes.stages.fetching.captions import UNKNOWN, language_tag, matches, sniff

BESIDE = (".vtt", ".srt", ".ttml", ".ass", ".ssa", ".smi", ".json3")
TEXT_CODECS = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})
"""Subtitle codecs that hold text; the others are pictures of it."""
LARGEST_CAPTIONS = 16 * 1024 * 1024
MOST_INSIDE = 4

Captions = list[tuple[Path, CaptionTrack]]


def captions_beside(video: Path, folder: Path) -> tuple[Captions, list[str]]:
    """Copy the caption files that lie next to a video into `folder`; the second value says what was left out."""
    found: Captions = []
    notes: list[str] = []
    for number, (path, language) in enumerate(_beside(video)):
        content = path.read_bytes() if path.stat().st_size <= LARGEST_CAPTIONS else b""
        form = sniff(content)
        if form is None:
            notes.append(f"{path.name} was left out: it is no caption file")
            continue
        copy = folder / f"captions.{number}.{language}.{form}"
        shutil.copyfile(path, copy)
        found.append((copy, CaptionTrack(language=language, format=form)))
    return found, notes


async def captions_inside(ffmpeg: Path, video: Path, probed: Probe, folder: Path) -> tuple[Captions, list[str]]:
    """Take the text streams out of a container. FFmpeg reads the file through once for each."""
    found: Captions = []
    notes: list[str] = []
    streams = [stream for stream in probed.streams if stream.kind == "subtitle"]
    texts = [(index, stream) for index, stream in enumerate(streams) if stream.codec in TEXT_CODECS]
    for index, stream in texts[:MOST_INSIDE]:
        language = short_language(stream.language)
        path = folder / f"captions.inside-{index}.{language}.vtt"
        try:
            await run_ffmpeg(ffmpeg, [*input_arguments(video), "-map", f"0:s:{index}", "-c:s", "webvtt"], path)
        except EngineFault as fault:
            notes.append(f"its subtitle stream {index} could not be read: {fault.reason}")
            continue
        found.append((path, CaptionTrack(language=language, format="vtt")))
    return found, notes


def fits(captions: Captions, languages: Sequence[str], spoken: str | None) -> bool:
    """Whether one of the tracks is in a language that was asked for, or the video's own."""
    wanted = list(languages) or ([spoken] if spoken else [])
    if not wanted:
        return bool(captions)
    languages_there = [track.language for _, track in captions]
    return any(there == UNKNOWN or matches(there, one) for there in languages_there for one in wanted)


def describe(source: Source, probed: Probe, captions: Captions, notes: Sequence[str]) -> VideoDocument:
    """What a file says of itself: its tags, else its name."""
    path = Path(source.location)
    tags = probed.tags
    return VideoDocument(
        key=source.key,
        path=source.location,
        title=(probed.title or "").strip() or path.stem.replace("_", " "),
        uploader=tags.get("artist") or tags.get("author"),
        published=_day(tags.get("date") or tags.get("creation_time")),
        description=tags.get("description") or tags.get("synopsis") or tags.get("comment"),
        duration=probed.duration,
        language=spoken_in(probed),
        has_audio=probed.has_audio,
        has_picture=probed.has_picture,
        chapters=tuple(Chapter(title=mark.title, start=mark.start, end=mark.end) for mark in probed.chapters),
        captions=tuple(track for _, track in captions),
        notes=tuple(notes),
    )


def spoken_in(probed: Probe) -> str | None:
    """The language of a file's sound, where it names one."""
    language = short_language(probed.language)
    return None if language == UNKNOWN else language


def short_language(language: str | None) -> str:
    """A container's three letters (`eng`, ISO 639-2) as the two of caption files (`en`), where there are two."""
    if not language:
        return UNKNOWN
    from yt_dlp.utils import ISO639Utils

    return language_tag(str(ISO639Utils.long2short(language) or language) if len(language) == 3 else language)  # noqa: PLR2004  (letters)


def _beside(video: Path) -> Iterator[tuple[Path, str]]:
    """`talk.vtt` and `talk.LANGUAGE.vtt` next to `talk.mp4`, in the order of their names."""
    name = re.compile(re.escape(video.stem) + r"(?:\.(?P<language>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*))?\.\w+")
    for path in sorted(video.parent.iterdir()):
        found = name.fullmatch(path.name)
        if found and path.suffix.lower() in BESIDE and path != video and path.is_file():
            yield path, short_language(found["language"])


def _day(text: str | None) -> str | None:
    found = re.match(r"\d{4}-\d{2}-\d{2}", text or "")
    return found[0] if found else None
