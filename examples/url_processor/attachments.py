"""From an address to the part of a question that makes the model see the video.

An address that is only named in a prompt is never watched: the model would make something up. So what cannot be attached
is refused.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import PurePosixPath
from urllib.parse import SplitResult, parse_qs, urlsplit

from google.genai import types

from refusals import Refused

MEDIA = {
    ".3gp": "video/3gpp", ".avi": "video/avi", ".flv": "video/x-flv", ".mov": "video/mov", ".mp4": "video/mp4",
    ".mpeg": "video/mpeg", ".mpg": "video/mpg", ".webm": "video/webm", ".wmv": "video/wmv",
    ".aac": "audio/aac", ".flac": "audio/flac", ".m4a": "audio/m4a", ".mp3": "audio/mpeg", ".ogg": "audio/ogg",
    ".opus": "audio/opus", ".wav": "audio/wav",
}  # fmt: skip
"""Endings that Gemini takes, with their media types: https://ai.google.dev/gemini-api/docs/video-understanding"""
_YOUTUBE = {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be", "www.youtu.be"}
_ID = re.compile(r"[\w-]{11}", re.ASCII)
_BEFORE_ID = {"shorts", "live", "embed", "v"}


def attach(address: str, *, vertex: bool) -> types.Part:
    """The part of a question that holds the video.

    Args:
        address: of a YouTube video, or of a media file: `https://`, `http://`, or `gs://`.
        vertex: whether the question goes to Vertex AI, which alone reads `gs://`.

    Raises:
        Refused: 422, it is nothing that the model can be shown.
    """
    try:
        url = urlsplit(address.strip())
        host = url.hostname
    except ValueError:
        raise _unfit("it is no address") from None
    if url.scheme in ("http", "https") and host in _YOUTUBE:
        return types.Part.from_uri(
            file_uri=f"https://www.youtube.com/watch?v={_youtube_id(url)}", mime_type="video/mp4"
        )
    if url.scheme == "gs" and not vertex:
        raise _unfit("gs:// needs Vertex AI: set GOOGLE_GENAI_USE_VERTEXAI=true")
    if url.scheme not in ("http", "https", "gs") or not host:
        raise _unfit("wanted an address that begins with https://, http:// or gs://")
    media_type = MEDIA.get(PurePosixPath(url.path).suffix.lower())
    if media_type is None:
        raise _unfit(f"it is neither a YouTube video nor a media file ({', '.join(MEDIA)})")
    return types.Part.from_uri(file_uri=address.strip(), mime_type=media_type)


def _youtube_id(url: SplitResult) -> str:
    steps = [step for step in url.path.split("/") if step]
    if url.hostname is not None and url.hostname.endswith("youtu.be"):
        found = steps[:1]
    elif len(steps) > 1 and steps[0] in _BEFORE_ID:
        found = steps[1:2]
    else:
        found = parse_qs(url.query).get("v", [])
    if not found or not _ID.fullmatch(found[0]):
        raise _unfit("it is a page of YouTube, but no video")
    return found[0]


def _unfit(why: str) -> Refused:
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"the model cannot be shown this address: {why}")
