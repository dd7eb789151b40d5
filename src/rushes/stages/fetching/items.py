"""Entries of a list, made items that join the batch."""

from __future__ import annotations

from rushes.keys import BadAddress, source_of
from rushes.masking import masked
from rushes.model import NewItem, Source, VideoKey
from rushes.stages.base import Result
from rushes.stages.fetching.request import Entry, Listed


def expanded(collection: Source, listed: Listed) -> Result:
    """The result of a stage that found a list: its videos in its order, and in words what was left out."""
    items: list[NewItem] = []
    notes: list[str] = []
    seen: set[VideoKey] = set()
    for number, entry in enumerate(listed.entries, start=1):
        try:
            item = _item(collection, number, entry)
        except BadAddress as error:
            notes.append(f"entry {number} was left out: {masked(entry.url)}: {error}")
            continue
        if item.source.key in seen or item.source.key == collection.key:
            notes.append(f"entry {number} was left out: {masked(entry.url)}: it is listed before")
            continue
        seen.add(item.source.key)
        items.append(item)
    return Result(items=items, notes=[*_counted(listed), *notes])


def _item(collection: Source, number: int, entry: Entry) -> NewItem:
    return NewItem(
        source=source_of(entry.url),
        given=entry.url,
        title=entry.title,
        options={"download": entry.options} if entry.options else {},
        origin=f"{masked(collection.location)}:{number}",
    )


def _counted(listed: Listed) -> list[str]:
    notes = []
    if listed.more:
        notes.append(f"the list goes on: its first {len(listed.entries)} were taken (option `limit`)")
    if listed.passed_over:
        notes.append(f"{listed.passed_over} did not match what was asked")
    if listed.undated:
        notes.append(f"{listed.undated} have no date and were kept")
    return notes
