"""The files of one item's folder, by name. The results folder and the ZIP hold the same ones.

An item without a summary has its transcript as a page to read; one that failed before either has `item.json` alone,
which says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from rushes.batches.export import html, markdown, records
from rushes.batches.export.names import Naming
from rushes.batches.export.page import page, title_of
from rushes.batches.export.values import ExportedItem, Loaded
from rushes.documents import Transcript, VideoDocument
from rushes.media import captions
from rushes.model import ItemStatus

ALL = frozenset(
    {"summary.md", "summary.html", "transcript.html", "transcript.vtt", "transcript.srt", "transcript.txt"}
    | {"transcript.json", "item.json", "thumbnail.jpg", "thumbnail.png", "thumbnail.webp"}
)
"""Every name that an item's folder may hold by our doing."""


def has_folder(item: ExportedItem) -> bool:
    """An item that came out well, or failed, has a folder; one that has not ended, or was left out, has none."""
    return item.done or item.status is ItemStatus.FAILED


def item_files(item: ExportedItem, loaded: Loaded) -> dict[str, bytes]:
    """The folder's files by name."""
    made = dict(_files(item, loaded))
    names = sorted([*made, "item.json"])
    return {**made, "item.json": records.encode({**records.folder_record(item, loaded), "files": names})}


def naming(item: ExportedItem, video: VideoDocument | None) -> Naming:
    """What the item's folder may be named after; without a title, the last part of its address."""
    titled = item.title or (video and video.title)
    return Naming(
        position=item.position,
        title=title_of(item, video) if titled else PurePosixPath(re.split("[?#]", item.given)[0]).stem,
        key=item.key,
        date=video.published if video else None,
        reference=item.reference,
    )


def _files(item: ExportedItem, loaded: Loaded) -> Iterator[tuple[str, bytes]]:
    shown = page(item, loaded)
    if loaded.summary:
        yield "summary.md", markdown.page_markdown(shown).encode()
        yield "summary.html", html.page_html(shown).encode()
    elif loaded.transcript:
        yield "transcript.html", html.page_html(shown).encode()
    if loaded.transcript:
        yield from _transcript(loaded.transcript)
    kind = html.picture_type(loaded.thumbnail) if loaded.thumbnail else None
    if loaded.thumbnail and kind:
        yield f"thumbnail.{kind[0]}", loaded.thumbnail


def _transcript(transcript: Transcript) -> Iterator[tuple[str, bytes]]:
    yield "transcript.vtt", captions.to_vtt(transcript).encode()
    yield "transcript.srt", captions.to_srt(transcript).encode()
    yield "transcript.txt", captions.to_txt(transcript).encode()
    yield "transcript.json", f"{transcript.model_dump_json(indent=1)}\n".encode()
