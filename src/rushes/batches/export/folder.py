"""The results folder (`--out`): one folder for each item, `index.html` and `manifest.json` on top.

Items may be written as they end, and the index at any time; writing again what has not changed gives the same bytes.
A reader, and whoever looks after a crash, never sees half a file: each folder is built under another name beside it
and then moved in place. Several processes may write the same results.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
import uuid
from collections.abc import AsyncIterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from rushes.batches.export import files, records
from rushes.batches.export.listing import Listed, listed, top_files
from rushes.batches.export.names import Names, NameTemplate, Owner
from rushes.batches.export.values import ExportedBatch, ExportedItem, Loaded

_STAGING = ".rushes-"
_ABANDONED = 3600.0
"""Seconds after which an unfinished folder is nobody's: its writer was killed."""


class ResultsFolder:
    """The results of one batch on disk, to be used from any thread; its methods block on the disk.

    An item keeps its folder's name, also across processes: folders found there are known by the position and key in
    their `item.json`. Whatever else lies there is left alone. Every method raises `OSError` where the folder cannot
    be written, and then leaves nothing half-written.
    """

    def __init__(self, root: Path, template: NameTemplate | None = None) -> None:
        self.root = root
        self._template = template or NameTemplate()
        self._names = Names()
        self._found: dict[Owner, records.Record] = {}
        self._kept: dict[Owner, tuple[ExportedItem, Listed]] = {}
        self._lock = RLock()
        root.mkdir(parents=True, exist_ok=True)
        self._look_around()

    def write_item(self, item: ExportedItem) -> Path | None:
        """Write the folder of an item that came out well or failed. Returns the folder; None: it has none (yet)."""
        if not files.has_folder(item):
            return None
        loaded = item.documents.load()
        made = files.item_files(item, loaded)
        with self._lock:
            name = self._name(item, loaded)
            with self._staged(made) as staged:
                _settle(staged, self.root / name)
            owner = _owner(item)
            self._found[owner] = {**records.item_record(item, loaded), "files": sorted(made)}
            self._kept[owner] = (item, listed(item, loaded, name, made))
        return self.root / name

    async def write_index(self, batch: ExportedBatch, items: AsyncIterable[ExportedItem]) -> None:
        """Write `index.html`, `manifest.json`, and the folders that are not there yet. Items come in their order."""
        found = [await asyncio.to_thread(self._listed, item) async for item in items]
        await asyncio.to_thread(self._write_top, top_files(batch, found))

    def _write_top(self, made: Mapping[str, bytes]) -> None:
        with self._lock, self._staged(made) as staged:
            _replace(staged, self.root)

    def _listed(self, item: ExportedItem) -> Listed:
        """The item's row; its folder is written first, where it is missing or tells something else."""
        owner = _owner(item)
        with self._lock:
            kept = self._kept.get(owner)
            if kept and kept[0] == item:
                return kept[1]
            loaded = item.documents.load(transcript=False)
            if files.has_folder(item) and not self._is_told(owner, records.item_record(item, loaded)):
                self.write_item(item)
                return self._kept[owner][1]
            names = self._found.get(owner, {}).get("files", ())
            row = listed(item, loaded, self._names[owner], names)
            self._kept[owner] = (item, row)
            return row

    def _is_told(self, owner: Owner, record: records.Record) -> bool:
        found = self._found.get(owner)
        return found is not None and all(found.get(key) == value for key, value in record.items())

    def _name(self, item: ExportedItem, loaded: Loaded) -> str:
        """The name it has; a folder that told of a failure alone takes a better one when there is more to tell."""
        owner = _owner(item)
        current, found = self._names[owner], self._found.get(owner, {})
        if current and found.get("files") != ["item.json"]:
            return current
        name = self._names.take(owner, self._template.name(files.naming(item, loaded)))
        if current and current != name:
            (self.root / current).rename(self.root / name)
        return name

    def _look_around(self) -> None:
        """Learn which folders are there, and clear away what killed writers left."""
        for entry in sorted(self.root.iterdir()):
            if entry.name.startswith(_STAGING):
                if entry.stat().st_mtime < time.time() - _ABANDONED:
                    shutil.rmtree(entry, ignore_errors=True)
                continue
            record = _record(entry)
            owner: Owner = (record["position"], record["key"]) if record else (0, entry.name)
            self._names.adopt(owner, entry.name)
            if record and self._names[owner] == entry.name:
                self._found[owner] = record

    @contextmanager
    def _staged(self, made: Mapping[str, files.Content]) -> Iterator[Path]:
        """The files, all written, in a folder of their own, which is gone at the end whatever happens."""
        staging = self.root / f"{_STAGING}{uuid.uuid4().hex}"
        try:
            staging.mkdir()
            for name, content in made.items():
                if isinstance(content, bytes):
                    (staging / name).write_bytes(content)
                else:
                    shutil.copyfile(content, staging / name)
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _owner(item: ExportedItem) -> Owner:
    return (item.position, item.key)


def _record(folder: Path) -> dict[str, Any] | None:
    """What a folder's `item.json` says of the item; None: it is no folder of ours."""
    try:
        record = json.loads((folder / "item.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("position"), int):
        return None
    if not isinstance(record.get("key"), str) or not isinstance(record.get("files"), list):
        return None
    return {key: value for key, value in record.items() if key not in {"video", "summary", "production"}}


def _settle(staged: Path, folder: Path) -> None:
    """Move the staged files into their folder; what it held of ours and has no more is removed."""
    if not folder.exists():
        try:
            staged.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster with the same results
                raise
        else:
            return
    made = {path.name for path in staged.iterdir()}
    _replace(staged, folder)
    for stale in files.ALL - made:
        (folder / stale).unlink(missing_ok=True)


def _replace(staged: Path, folder: Path) -> None:
    """`item.json` and `manifest.json` come last: what they list is there."""
    for path in sorted(staged.iterdir(), key=lambda path: (path.suffix == ".json", path.name)):
        path.replace(folder / path.name)
