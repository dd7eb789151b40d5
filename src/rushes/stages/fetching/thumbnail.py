"""A publisher's thumbnail, brought to a small JPEG. In the child only: strangers' pictures are decoded here."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WIDEST = 640
"""Pixels."""
LARGEST = 20 * 1024 * 1024
"""Bytes of a picture that is fetched."""
MOST_PIXELS = 50_000_000


def thumbnail_address(info: Mapping[str, Any], given: str | None) -> str | None:
    """The smallest picture that is wide enough, else the best there is, else what the list it came from named."""
    offered = [one for one in info.get("thumbnails") or () if str(one.get("url", "")).startswith("http")]
    enough = [one for one in offered if (one.get("width") or 0) >= WIDEST]
    chosen = min(enough, key=lambda one: one["width"]) if enough else (offered[-1] if offered else None)
    return str(chosen["url"]) if chosen else given


def fetch_thumbnail(downloader: Any, url: str, path: Path) -> None:
    """Fetch a picture and write it as JPEG.

    Raises:
        ValueError: it is too large, or no picture.
        yt_dlp.utils.YoutubeDLError: it cannot be fetched.
    """
    response = downloader.urlopen(url)
    try:
        content = response.read(LARGEST + 1)
    finally:
        response.close()
    if len(content) > LARGEST:
        raise ValueError(f"larger than {LARGEST >> 20} MB")
    path.write_bytes(small_jpeg(content))


def small_jpeg(content: bytes) -> bytes:
    """The picture, no wider and no higher than `WIDEST`, as JPEG. Raises: ValueError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP", "GIF")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError(f"{picture.width}x{picture.height} pixels")
            picture.thumbnail((WIDEST, WIDEST))
            out = io.BytesIO()
            picture.convert("RGB").save(out, "JPEG", quality=85)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"no picture: {error}") from None
    return out.getvalue()
