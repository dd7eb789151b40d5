"""Speech as a file to keep: small, playable anywhere, and byte for byte the same each time it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rushes.media.containers import input_arguments
from rushes.media.ffmpeg import run_ffmpeg
from rushes.shortening import shortened

SPEECH = ("-c:a", "aac", "-aac_coder", "fast", "-b:a", "96k")
"""How speech is encoded."""


async def encode_speech(ffmpeg: Path, sound: Path, output: Path, *, tags: Mapping[str, str]) -> None:
    """Encode a WAV file as M4A. Raises: EngineFault."""
    arguments = [*input_arguments(sound), "-map", "0:a", *SPEECH, "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    await run_ffmpeg(ffmpeg, [*arguments, *tag_arguments(tags), "-movflags", "+faststart"], output)


def tag_arguments(tags: Mapping[str, str]) -> Iterator[str]:
    """What has FFmpeg write tags, each cut to what a player shows: Linux takes no argument of more than 128 KiB."""
    for name, value in tags.items():
        yield from ("-metadata", f"{name}={shortened(value)}")
