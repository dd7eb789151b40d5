"""What can be heard: the narration of a script, its captions, and the file of it that is kept."""

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


async def narrate(script: Script, context: Context, timer: Timer) -> Narration:
    """Have the worker's voice read the script. Raises: EngineMissing, EngineFault."""
    passages = script.passages

    async def report(spoken: int) -> None:
        await timer.report("narration", spoken / len(passages), f"{spoken} of {len(passages)} passages spoken")

    async with timer.running("narration", "waits for the voice"):
        return await context.service(Voice).narrate(passages, context.scratch / "narration.wav", report)


async def captions(narration: Narration, context: Context) -> Made:
    """The narration as captions, each sentence at its time."""
    path = context.scratch / "narration.vtt"
    await asyncio.to_thread(path.write_text, webvtt(narration.cues), encoding="utf-8")
    return Made("narration_captions", path, "text/vtt", {"language": "en"})


async def recording(narration: Narration, script: Script, context: Context) -> Made:
    """The narration as a file to keep. Raises: EngineMissing, EngineFault."""
    path = context.scratch / "narration.m4a"
    ffmpeg = await asyncio.to_thread(find_ffmpeg, context.settings.ffmpeg)
    await encode_speech(ffmpeg.path, narration.path, path, tags={"title": script.title})
    return Made("narration", path, "audio/mp4", {"duration": narration.duration})
