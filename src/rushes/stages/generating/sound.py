"""What can be heard: the narration of a script, its captions, and the recording that is kept of it."""

from __future__ import annotations

import asyncio

from rushes.documents import Script
from rushes.media.captions import webvtt
from rushes.media.ffmpeg import find_ffmpeg
from rushes.media.narration import Narration
from rushes.media.recording import encode_speech
from rushes.media.voice import Voice
from rushes.stages.base import Context, Made
from rushes.stages.generating.steps import Timer
from rushes.text.scripts.english import ENGLISH


async def speak(script: Script, context: Context, timer: Timer, *, keep: bool) -> tuple[Narration, list[Made]]:
    """Have the worker's voice read the script. Returns what is said when, captions and, to `keep`, a recording.

    Raises:
        EngineMissing, EngineFault: the voice or FFmpeg.
    """
    passages = script.passages

    async def report(spoken: int) -> None:
        await timer.report("narration", spoken / len(passages), f"{spoken} of {len(passages)} passages spoken")

    async with timer.running("narration", "waits for the voice"):
        narration = await context.service(Voice).narrate(passages, context.scratch / "narration.wav", report)
        made = [await asyncio.to_thread(_captions, narration, context)]
        if keep:
            made.append(await _recording(narration, script, context))
    return narration, made


def _captions(narration: Narration, context: Context) -> Made:
    """Each sentence at its time."""
    path = context.scratch / "narration.vtt"
    path.write_text(webvtt(narration.cues), encoding="utf-8")
    return Made("narration_captions", path, "text/vtt", {"language": ENGLISH})


async def _recording(narration: Narration, script: Script, context: Context) -> Made:
    path = context.scratch / "narration.m4a"
    ffmpeg = await asyncio.to_thread(find_ffmpeg, context.settings.ffmpeg)
    await encode_speech(ffmpeg.path, narration.path, path, tags={"title": script.title})
    return Made("narration", path, "audio/mp4", {"duration": narration.duration})
