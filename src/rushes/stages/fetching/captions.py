"""Which of a video's caption tracks to take, and in which format. Pure choice; fetching is the child's.

A publisher's captions are worth more than a machine's, and the languages that were asked for more than the video's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

AUTOMATIC_FORMATS = ("json3", "vtt", "srt", "ttml")
"""json3 has word times and no rolling repetition, which YouTube's vtt has (reference, section 6)."""
PUBLISHED_FORMATS = ("vtt", "srt", "json3", "ttml", "ass", "ssa", "sami", "smi")
UNKNOWN = "und"
"""BCP 47 for a language that nobody named."""
MOST_PUBLISHED = 4
_SIGNS = {
    "vtt": (rb"WEBVTT", rb"-->"),
    "json3": (rb"\{", rb'"utf8"'),
    "ass": (rb"\[Script Info\]", rb"Dialogue:"),
    "ttml": (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(\w+:)?tt[\s>]", rb"<(\w+:)?p[\s>]"),
    "smi": (rb"<SAMI>", rb"<SYNC"),
    "srt": (rb"\d+\s*\r?\n\s*\d+:\d\d:\d\d", rb"-->"),
}
"""How each format begins, and what a line of speech has in it."""
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")

Offered = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Track:
    """A caption track to fetch. `info` is yt-dlp's own description of it."""

    language: str
    automatic: bool
    format: str
    info: Mapping[str, Any]
    fits: bool
    """Its language is one that was asked for, or the video's own."""


def choose(
    published: Offered, automatic: Offered, *, languages: Sequence[str] = (), original: str | None = None
) -> list[Track]:
    """The tracks worth fetching, best first: publisher's, and one automatic track where none of those fits."""
    wanted = list(languages) or ([original] if original else [])
    tracks = [
        track
        for language in _ranked([name for name in published if name != "live_chat"], wanted)[:MOST_PUBLISHED]
        if (track := _track(language, published[language], PUBLISHED_FORMATS, automatic=False, wanted=wanted))
    ]
    if not any(track.fits for track in tracks):
        heard = (
            _track(name, automatic[name], AUTOMATIC_FORMATS, automatic=True, wanted=wanted)
            for name in _heard(automatic, wanted, original)
        )
        tracks += [track for track in heard if track][:1]
    return tracks


def matches(language: str, wanted: str) -> bool:
    """`en-GB` and `en-orig` match `en`; `en` matches `en-US`; `pt-BR` does not match `pt-PT`."""
    have, want = language.lower().split("-"), wanted.lower().split("-")
    shorter = min(len(have), len(want))
    return have[:shorter] == want[:shorter]


def language_tag(name: str) -> str:
    """A BCP 47 tag from a track's name: `en` of `en-orig`; `und` where the name is a label such as `English`."""
    tag = name.replace("_", "-").removesuffix("-orig")
    return tag if _TAG.fullmatch(tag) else UNKNOWN


def sniff(content: bytes) -> str | None:
    """The format of a caption file by its content; None where it is none: an error page, or no line of speech at all."""
    start = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    for form, (sign, line) in _SIGNS.items():
        if re.match(sign, start, re.IGNORECASE | re.DOTALL):
            return form if re.search(line, content, re.IGNORECASE) else None
    return None


def _heard(automatic: Offered, wanted: Sequence[str], original: str | None) -> list[str]:
    """The automatic tracks that were heard in the sound, rather than translated from it, in a wanted language."""
    heard = [name for name in automatic if name.endswith("-orig")]
    heard = heard or [name for name in automatic if original and matches(name, original)]
    heard = heard or (list(automatic) if len(automatic) == 1 else [])
    return [name for name in heard if not wanted or any(matches(name, language) for language in wanted)]


def _ranked(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Languages in the order they are wanted, the others as the site lists them."""

    def rank(name: str) -> int:
        return next((index for index, language in enumerate(wanted) if matches(name, language)), len(wanted))

    return sorted(names, key=rank)


def _track(
    name: str, formats: Sequence[Mapping[str, Any]], preferred: Sequence[str], *, automatic: bool, wanted: Sequence[str]
) -> Track | None:
    by_format = {_ending(info): info for info in formats if info.get("url") or info.get("data")}
    best = next((ext for ext in preferred if ext in by_format), None)
    if best is None:
        return None
    tag = language_tag(name)
    fits = not wanted or tag == UNKNOWN or any(matches(tag, language) for language in wanted)
    return Track(language=tag, automatic=automatic, format=best, info=by_format[best], fits=fits)


def _ending(info: Mapping[str, Any]) -> str:
    """A track's format. What a page names has none before yt-dlp has processed it."""
    return str(info.get("ext") or PurePosixPath(urlsplit(str(info.get("url"))).path).suffix[1:].lower())
