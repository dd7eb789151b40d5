"""yt-dlp, set up from our own typed settings: no configuration files, no plugins, no archives, nothing a user typed.

It runs in the child only. What it logs is kept for the faults, since some of its failures are told by a warning alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rushes.errors import NeedsInput, Scope
from rushes.media.containers import INPUT_OPTIONS
from rushes.stages.fetching.request import Access, FetchRequest, Media

RETRIES = 3
"""Of a broken download inside one attempt: each goes on where the last one broke."""
BLOCK = 256 * 1024
"""Bytes of one read. By itself yt-dlp reads up to 4 MB at once, and a broken connection loses as much."""
FORMATS: dict[Media, str] = {
    "none": "b*/bv/ba",
    "audio": "ba/w/wa*",
    "picture": "bv*+ba/b/bv*/ba",
}
"""Format selections. For sound alone: what is sound alone, else the smallest picture that comes with sound."""

MENDING = (
    "merger", "fixupm3u8", "fixupm4a", "fixupstretched", "fixuptimestamp", "fixupduration", "fixupduplicatemoov",
)  # fmt: skip
"""yt-dlp's postprocessors that have FFmpeg open what was fetched, as its options call them."""


class Log:
    """Takes what yt-dlp says. Nothing of it goes to a terminal."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def debug(self, message: str) -> None:
        """Its chatter; of no use."""

    def warning(self, message: str) -> None:
        self.warnings.append(message)

    def error(self, message: str) -> None:
        """An error is raised as well; the exception says more."""

    @property
    def without_javascript(self) -> bool:
        return any("JavaScript runtime" in warning for warning in self.warnings)


def make_downloader(access: Access, log: Log, **parameters: Any) -> Any:
    """A `yt_dlp.YoutubeDL`.

    Raises:
        NeedsInput: the cookie file cannot be read.
    """
    from yt_dlp import YoutubeDL

    everything: Any = {**_everywhere(access), "logger": log, **parameters}
    if access.confined:
        from rushes.stages.fetching.confined import ConfinedYoutubeDL

        everything["hls_prefer_native"] = True
        return ConfinedYoutubeDL(everything)
    return YoutubeDL(everything)


Hook = Callable[[Mapping[str, Any]], None]


def fetching(request: FetchRequest, progress: Hook, finishing: Hook) -> dict[str, Any]:
    """The parameters of a fetch of one video."""
    return {
        "format": FORMATS[request.media],
        "format_sort": [f"res:{request.height}"] if request.media == "picture" else [],
        "paths": {"home": request.folder},
        # Parts are named by their format: a part of one format is never gone on with as another.
        "outtmpl": {"default": "media.%(format_id).60s.%(ext)s"},
        "restrictfilenames": True,
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "progress_hooks": [progress],
        "postprocessor_hooks": [finishing],
    }


def listing() -> dict[str, Any]:
    """The parameters of a listing: names of videos, none of them opened."""
    return {"extract_flat": "in_playlist"}


def _everywhere(access: Access) -> dict[str, Any]:
    given = {"proxy": access.proxy, "ratelimit": access.rate, "ffmpeg_location": access.ffmpeg}
    return {
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "ignoreconfig": True,
        "cachedir": access.cache,
        "cookiefile": _cookies(access.cookies) if access.cookies else None,
        "socket_timeout": access.silence,
        "retries": RETRIES,
        "fragment_retries": RETRIES,
        "extractor_retries": 1,
        "retry_sleep_functions": {"http": _pause, "fragment": _pause, "extractor": _pause},
        # A video with holes is not the video; an address with a false origin is not honest.
        "skip_unavailable_fragments": False,
        "geo_bypass": False,
        "continuedl": True,
        "buffersize": BLOCK,
        "noresizebuffer": True,
        "updatetime": False,
        # What was fetched is a stranger's file, also where yt-dlp has FFmpeg merge or mend it.
        "postprocessor_args": {f"{name}+ffmpeg_i": list(INPUT_OPTIONS) for name in MENDING},
        **{name: value for name, value in given.items() if value is not None},
    }


def _pause(n: int) -> float:
    return min(0.5 * float(2**n), 8.0)


def _cookies(path: str) -> io.StringIO:
    """The cookies as a stream of our own, so that yt-dlp has no file to write back to."""
    try:
        return io.StringIO(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NeedsInput(
            f"the cookie file cannot be read: {error}",
            remedy="Set RUSHES_COOKIES to a readable Netscape cookie file, or unset it.",
            scope=Scope.ENVIRONMENT,
        ) from None
