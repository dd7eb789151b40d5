"""A picture of a video that has no thumbnail of its own: a telling frame from its first part."""

from __future__ import annotations

from pathlib import Path

from rushes.media.containers import input_arguments
from rushes.media.ffmpeg import run_ffmpeg
from rushes.stages.fetching.thumbnail import WIDEST

LATEST = 60.0
"""Seconds into a video: by then titles are over, and little has to be decoded."""


async def make_frame(ffmpeg: Path, video: Path, duration: float | None, output: Path) -> None:
    """Write a JPEG of at most 640 pixels, from a tenth of the way in, the most typical of about a second.

    Raises:
        EngineFault: FFmpeg failed.
    """
    start = min((duration or 0) / 10, LATEST)
    scale = f"scale=w={WIDEST}:h={WIDEST}:force_original_aspect_ratio=decrease:force_divisible_by=2"
    arguments = ["-ss", f"{start:.3f}", *input_arguments(video), "-map", "0:V:0", "-vf", f"thumbnail=25,{scale}"]
    await run_ffmpeg(ffmpeg, [*arguments, "-frames:v", "1", "-q:v", "4", "-f", "image2", "-update", "1"], output)
