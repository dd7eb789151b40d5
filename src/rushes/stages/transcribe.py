"""The stage `transcribe`: what is said in a video, from its captions or by listening, becomes `transcript.json`.

The publisher's captions come first, then automatic ones, then speech recognition. Whatever is passed over on the way is
named in the transcript's notes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from rushes.clock import clock
from rushes.documents import CaptionTrack, Cue, Transcript, VideoDocument
from rushes.errors import NeedsInput, Permanent, Scope
from rushes.media.agreement import agreement
from rushes.media.captions import read_captions
from rushes.media.faults import WrongLanguage
from rushes.media.models import TINY
from rushes.media.speech import BEAM, Speech
from rushes.model import Engine, Facts, Job
from rushes.stages.base import Context, InputFile, Made, Options, Result, stage
from rushes.stages.fetching.captions import UNKNOWN, matches
from rushes.stages.fetching.checking import media_faults

PASSAGE = 20.0
"""Seconds of a passage in the full-text index: what a reader is sent to."""
WANTS = {
    "auto": frozenset({"captions_or_audio"}),
    "captions": frozenset({"captions"}),
    "speech": frozenset({"audio"}),
    "both": frozenset({"captions", "audio"}),
}


class TranscribeOptions(Options):
    """Options of `transcribe`."""

    source: Literal["auto", "captions", "speech", "both"] = "auto"
    """Where the words come from. `both` keeps captions and speech recognition, and how far they agree."""
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")] | None = None
    """The language that is spoken. By default what the publisher says, else what is heard."""
    model: str = TINY
    """`tiny.en`, `base` (extra `multilingual`) or a folder with a CTranslate2 Whisper model."""
    beam: int = Field(default=BEAM, ge=1, le=10)
    """Hypotheses that speech recognition follows: fewer are faster, more are better in noise."""
    words: bool = True
    """Keep the time of every word, where it is known."""


@dataclass(frozen=True, slots=True)
class Track:
    """A caption file and what is known of it."""

    path: Path
    described: CaptionTrack

    @property
    def name(self) -> str:
        kind = "automatic captions" if self.described.automatic else "publisher captions"
        return kind if self.described.language == UNKNOWN else f"{kind} ({self.described.language})"


async def transcribe(_job: Job, context: Context) -> Result:
    """Make `transcript.json`."""
    video = _video(context)
    transcript = await _TRANSCRIBERS[context.options.source](context, video)
    if not context.options.words:
        transcript = _without_words(transcript)
    path = context.scratch / "transcript.json"
    with media_faults():
        transcript.write(path)
    return Result(
        made=[Made("transcript", path, "application/json")],
        facts=Facts(duration=timedelta(seconds=transcript.duration) if transcript.duration else None),
        engine=Engine(transcript.engine, transcript.model),
        notes=transcript.notes,
        search_text=tuple(passages(transcript.cues)),
    )


TRANSCRIBE = stage(
    "transcribe",
    version=1,
    options=TranscribeOptions,
    defaults=lambda settings: {"model": settings.speech_model},
    operators_options=frozenset({"model"}),
    needs=frozenset({"media", "captions", "metadata"}),
    makes=frozenset({"transcript"}),
    wants=lambda options: WANTS[options.source],
    concurrency=1,
)(transcribe)


async def _auto(context: Context, video: VideoDocument | None) -> Transcript:
    read, notes = await _captions(context, video)
    if read:
        return _noted(read, notes)
    if not context.inputs("media") and notes:
        raise Permanent(f"{'; '.join(notes)}, and the sound was not fetched", remedy=_LISTEN)
    return _noted(await _speech(context, video), notes)


async def _captions_alone(context: Context, video: VideoDocument | None) -> Transcript:
    read, notes = await _captions(context, video)
    if not read:
        raise Permanent("; ".join(notes) or "it has no captions", remedy=_LISTEN)
    return _noted(read, notes)


async def _both(context: Context, video: VideoDocument | None) -> Transcript:
    read, notes = await _captions(context, video)
    heard = await _speech(context, video)
    if not read:
        return _noted(heard, [*notes, "there are no captions to compare with"])
    share = await asyncio.to_thread(agreement, read.text, heard.text)
    return _noted(read.model_copy(update={"alternative": heard, "agreement": round(share, 4)}), notes)


_LISTEN = "Run it with --set transcribe.source=speech."


async def _captions(context: Context, video: VideoDocument | None) -> tuple[Transcript | None, list[str]]:
    """The first caption track that can be read, and in words why those before it were not taken."""
    notes: list[str] = []
    for track in _ranked(context, video, notes):
        try:
            with media_faults():
                cues = await asyncio.to_thread(_read, track)
        except Permanent as fault:
            notes.append(f"{track.name} left aside: {fault.reason}")
            continue
        return _from_captions(track.described, cues, video), notes
    return None, notes


def _read(track: Track) -> tuple[Cue, ...]:
    return read_captions(track.path, track.described.format)


def _ranked(context: Context, video: VideoDocument | None, notes: list[str]) -> list[Track]:
    """Tracks in the language that is spoken or asked for, people's before machines'."""
    tracks = [Track(file.path, CaptionTrack.model_validate(file.metadata)) for file in context.inputs("captions")]
    wanted = context.options.language or (video.language if video else None)
    fitting = [track for track in tracks if _fits(track.described.language, wanted)]
    others = sorted({track.described.language for track in tracks if track not in fitting})
    if others and not fitting:
        notes.append(f"its captions are in {', '.join(others)}, not in {wanted}")
    return sorted(fitting, key=lambda track: track.described.automatic)


def _fits(language: str, wanted: str | None) -> bool:
    return wanted is None or language == UNKNOWN or matches(language, wanted)


def _from_captions(track: CaptionTrack, cues: tuple[Cue, ...], video: VideoDocument | None) -> Transcript:
    return Transcript(
        source="automatic_captions" if track.automatic else "captions",
        engine="automatic captions" if track.automatic else "publisher captions",
        language=None if track.language == UNKNOWN else track.language,
        duration=(video.duration if video else None) or cues[-1].end,
        speech="some",
        cues=cues,
    )


async def _speech(context: Context, video: VideoDocument | None) -> Transcript:
    media = _media(context, video)

    async def report(at: float, of: float | None) -> None:
        note = f"listening, {clock(at)}" + (f" of {clock(of)}" if of else "")
        await context.progress(min(at / of, 1.0) if of else None, note)

    await context.progress(0.0, "listening")
    with media_faults():
        try:
            transcript = await context.service(Speech).transcribe(
                media.path,
                model=context.options.model,
                language=_spoken(context, video),
                hint=video.title if video else None,
                beam=context.options.beam,
                progress=report,
            )
        except WrongLanguage as fault:
            raise NeedsInput(fault.reason, remedy=fault.remedy or "", scope=Scope.ITEM) from None
    if transcript.speech == "none":
        return _noted(transcript, ["no speech was heard"])
    return transcript


def _media(context: Context, video: VideoDocument | None) -> InputFile:
    found = context.inputs("media")
    if found and found[-1].metadata.get("has_audio", True):
        return found[-1]
    if found or (video and not video.has_audio):
        raise Permanent("it has no sound")
    raise Permanent("its sound was not fetched, and it has no captions to stand in")


def _spoken(context: Context, video: VideoDocument | None) -> str | None:
    """The language to listen for. A stated English is not believed: cameras and sites write it into everything."""
    stated = video.language if video else None
    asked = context.options.language or (None if stated and matches(stated, "en") else stated)
    return asked.split("-")[0].lower() if asked and asked != UNKNOWN else None


def _video(context: Context) -> VideoDocument | None:
    found = context.inputs("metadata")
    return VideoDocument.read(found[-1].path) if found else None


def _noted(transcript: Transcript, notes: Sequence[str]) -> Transcript:
    return transcript.model_copy(update={"notes": (*notes, *transcript.notes)})


def _without_words(transcript: Transcript) -> Transcript:
    cues = tuple(cue.model_copy(update={"words": ()}) for cue in transcript.cues)
    other = _without_words(transcript.alternative) if transcript.alternative else None
    return transcript.model_copy(update={"cues": cues, "alternative": other})


def passages(cues: Iterable[Cue]) -> Iterator[tuple[float, str]]:
    """Whole cues of at least `PASSAGE` seconds together, with the time at which each begins."""
    waiting: list[Cue] = []
    for cue in cues:
        waiting.append(cue)
        if cue.end - waiting[0].start >= PASSAGE:
            yield waiting[0].start, " ".join(one.text for one in waiting)
            waiting = []
    if waiting:
        yield waiting[0].start, " ".join(one.text for one in waiting)


_TRANSCRIBERS = {"auto": _auto, "captions": _captions_alone, "speech": _speech, "both": _both}
