"""What index and manifest keep of an item while the next ones are read: a row for readers, an entry for scripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rushes.batches.export import records
from rushes.batches.export.html import Row, index_pages
from rushes.batches.export.page import page
from rushes.batches.export.values import ExportedBatch, ExportedItem, Loaded


@dataclass(frozen=True, slots=True)
class Listed:
    """One item as index and manifest have it."""

    row: Row
    entry: records.Record


def listed(item: ExportedItem, loaded: Loaded, folder: str | None, files: Iterable[str]) -> Listed:
    """The item's row and entry; `folder` and `files` say where its results are."""
    shown = page(item, replace(loaded, transcript=None, thumbnail=None))
    names = tuple(files)
    entry = {**records.item_record(item, loaded), "folder": folder, "files": sorted(names)}
    return Listed(Row(shown, folder, names), entry)


def top_files(batch: ExportedBatch, items: Iterable[Listed]) -> dict[str, bytes]:
    """What lies beside the items' folders, by name: `manifest.json`, `index.html` and its further pages."""
    found = list(items)
    pages = {name: text.encode() for name, text in index_pages(batch, [each.row for each in found])}
    return {"manifest.json": records.encode(records.manifest(batch, (each.entry for each in found))), **pages}
