"""yt-dlp's progress hooks, made one fraction of all the files of a video, and told at a bearable rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rushes.stages.fetching.request import Progress

EVERY = 0.2
"""Seconds between two reports."""


class Meter:
    """Follows the download of one video, which may be a picture and a sound file that are merged."""

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._sizes: list[float | None] = [None]
        self._files: list[str] = []
        self._told = 0.0
        self.whole = True
        """So far, each server said how long its file is."""

    def expect(self, formats: Sequence[Mapping[str, Any]]) -> None:
        """Say which formats will come, in their order."""
        self._sizes = [one.get("filesize") or one.get("filesize_approx") for one in formats]

    def hook(self, status: Mapping[str, Any]) -> None:
        """A `progress_hooks` function of yt-dlp's."""
        if status["status"] != "downloading":
            return
        name = status["filename"]
        if name not in self._files:
            self._files.append(name)
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        self.whole = self.whole and (total is not None or bool(status.get("fragment_count")))
        if time.monotonic() - self._told < EVERY:
            return
        self._told = time.monotonic()
        done = status.get("downloaded_bytes") or 0
        self._tell(
            Progress(
                phase="downloading",
                bytes=done,
                total=int(total) if total else None,
                speed=status.get("speed"),
                eta=status.get("eta"),
                fraction=self.fraction(len(self._files) - 1, done, total),
            )
        )

    def fraction(self, index: int, done: float, total: float | None) -> float | None:
        """How far the video is, when `done` of `total` bytes of its file `index` are here."""
        sizes = [size for size in self._sizes if size]
        if len(sizes) == len(self._sizes):
            return min((sum(sizes[:index]) + done) / sum(sizes), 1.0)
        if not total:
            return None
        return min((index + done / total) / max(len(self._sizes), index + 1), 1.0)
