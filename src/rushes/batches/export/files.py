"""The files of one item's folder, by name. The results folder and the ZIP hold the same ones.

An item without a summary has its script or its transcript as a page to read; one that failed before either has
`item.json` alone, which says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from rushes.batches.export import html, markdown, records
from rushes.batches.export.names import Naming
from rushes.batches.export.page import page, title_of
from rushes.batches.export.telling import plays
from rushes.batches.export.values import RECORDINGS, ExportedItem, Loaded
from rushes.documents import Transcript
from rushes.media import captions
from rushes.model import ItemStatus

Content = bytes | Path

ALL = frozenset(
    {"summary.md", "summary.html", "transcript.html", "transcript.vtt", "transcript.srt", "transcript.txt"}
    | {"transcript.json", "item.json", "thumbnail.jpg", "thumbnail.png", "thumbnail.webp"}
    | {"script.md", "script.html", "script.json", "answer.txt", "answer.json", *RECORDINGS}
)
"""Every name that an item's folder may hold by our doing."""


def has_folder(item: ExportedItem) -> bool:
    """An item that came out well, or failed, has a folder; one that has not ended, or was left out, has none."""
    return item.done or item.status is ItemStatus.FAILED


def item_files(item: ExportedItem, loaded: Loaded) -> dict[str, Content]:
    """The folder's files by name: their content, or the file in storage that they are copies of."""
    made = dict(_files(item, loaded))
    names = sorted([*made, "item.json"])
    return {**made, "item.json": records.encode({**records.folder_record(item, loaded), "files": names})}


def naming(item: ExportedItem, loaded: Loaded) -> Naming:
    """What the item's folder may be named after; without a title, the last part of its address."""
    video = loaded.video
    titled = item.title or (video and video.title) or (loaded.script and loaded.script.title)
    return Naming(
        position=item.position,
        title=title_of(item, loaded) if titled else PurePosixPath(re.split("[?#]", item.given)[0]).stem,
        key=item.key,
        date=video.published if video else None,
        reference=item.reference,
    )


def _files(item: ExportedItem, loaded: Loaded) -> Iterator[tuple[str, Content]]:
    shown = replace(page(item, loaded), plays=plays(loaded.recordings))
    if loaded.summary:
        yield "summary.md", markdown.page_markdown(shown).encode()
        yield "summary.html", html.page_html(shown).encode()
    elif loaded.script:
        yield "script.html", html.page_html(shown).encode()
    elif loaded.transcript:
        yield "transcript.html", html.page_html(shown).encode()
    if loaded.script:
        yield "script.md", markdown.script_markdown(shown).encode()
        yield "script.json", f"{loaded.script.model_dump_json(indent=1)}\n".encode()
    yield from loaded.recordings.items()
    if loaded.transcript:
        yield from _transcript(loaded.transcript)
    if loaded.answer:
        yield f"answer.{'json' if loaded.answer.is_json else 'txt'}", loaded.answer.text.encode()
    kind = html.picture_type(loaded.thumbnail) if loaded.thumbnail else None
    if loaded.thumbnail and kind and item.documents.thumbnail:
        yield f"thumbnail.{kind[0]}", loaded.thumbnail


def _transcript(transcript: Transcript) -> Iterator[tuple[str, bytes]]:
    yield "transcript.vtt", captions.to_vtt(transcript).encode()
    yield "transcript.srt", captions.to_srt(transcript).encode()
    yield "transcript.txt", captions.to_txt(transcript).encode()
    yield "transcript.json", f"{transcript.model_dump_json(indent=1)}\n".encode()
