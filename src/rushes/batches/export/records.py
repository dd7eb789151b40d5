"""Items, batches and rejected lines as JSON values: what `manifest.json`, `item.json` and the JSON exports hold.

Keys are always all there, in the same order, so that a reader never has to guess whether something is unknown or new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from rushes.batches.export import links
from rushes.batches.export.values import Answer, ExportedBatch, ExportedItem, Loaded, RejectedLine, Rejection
from rushes.documents import Document
from rushes.masking import masked

FORMAT = 1
"""Raised when the meaning of a key changes."""

Record = dict[str, Any]
NOTHING = Loaded()


def encode(value: Any, *, indent: int | None = 1) -> bytes:
    """The value as JSON text with a line's end."""
    return (json.dumps(value, indent=indent, ensure_ascii=False) + "\n").encode()


def batch_record(batch: ExportedBatch) -> Record:
    return {
        "id": batch.id,
        "name": batch.name,
        "pipeline": batch.pipeline,
        "options": _plain(batch.options),
        "status": batch.status.value,
        "created_at": batch.created_at.isoformat(),
    }


def item_record(item: ExportedItem, loaded: Loaded = NOTHING) -> Record:
    """The item without its documents. Durations are seconds, the cost US dollars."""
    video, script = loaded.video, loaded.script
    duration = item.video_duration or (video.duration if video else None)
    return {
        "position": item.position,
        "given": masked(item.given),
        "origin": masked(item.origin) or None,
        "reference": item.reference,
        "key": item.key,
        "url": links.watch(item, video),
        "status": item.status.value,
        "skip_reason": item.skip_reason,
        "title": item.title or (video.title if video else script.title if script else None),
        "reason": masked(item.reason) if item.reason else None,
        "remedy": masked(item.remedy) if item.remedy else None,
        "error_class": item.error_class,
        "engines": dict(item.engines),
        "durations": {stage: round(seconds, 3) for stage, seconds in item.durations.items()},
        "video_duration": None if duration is None else round(duration, 3),
        "cost": item.cost,
        "notes": [masked(note) for note in item.notes],
        "reused": list(item.reused),
    }


def folder_record(item: ExportedItem, loaded: Loaded) -> Record:
    """What `item.json` says: the item with its documents, but for transcript and script, which have files of their own."""
    return {
        "format": FORMAT,
        **item_record(item, loaded),
        "missing": list(loaded.missing),
        "video": document_record(loaded.video),
        "summary": document_record(loaded.summary),
        "production": document_record(loaded.production),
    }


def full_record(item: ExportedItem, loaded: Loaded) -> Record:
    """The item with all its documents."""
    return {
        **item_record(item, loaded),
        "missing": list(loaded.missing),
        "video": document_record(loaded.video),
        "summary": document_record(loaded.summary),
        "transcript": document_record(loaded.transcript),
        "script": document_record(loaded.script),
        "production": document_record(loaded.production),
        "answer": _answer(loaded.answer),
    }


def _answer(answer: Answer | None) -> Any:
    """The text, or what it says where it is JSON."""
    if answer is None or not answer.is_json:
        return answer and answer.text
    with suppress(ValueError, RecursionError):
        return json.loads(answer.text)
    return answer.text


def manifest(batch: ExportedBatch, entries: Iterable[Record]) -> Record:
    """What `manifest.json` says: the batch, its counts, each item with its folder, and the lines that became none."""
    return {
        "format": FORMAT,
        "batch": batch_record(batch),
        "counts": dict(batch.counts),
        "items": list(entries),
        "invalid": [line_record(line) for line in batch.rejected(Rejection.INVALID)],
        "duplicates": [line_record(line) for line in batch.rejected(Rejection.DUPLICATE)],
    }


def line_record(line: RejectedLine) -> Record:
    return {
        "line": line.number,
        "origin": masked(line.origin) or None,
        "given": masked(line.given),
        "reason": masked(line.reason),
    }


def document_record(document: Document | None) -> Record | None:
    return document.shown() if document else None


def _plain(options: Mapping[str, Any]) -> Record:
    """Options as they were frozen on the batch: JSON already, but perhaps in other mappings."""
    return {key: _plain(value) if isinstance(value, Mapping) else value for key, value in options.items()}
