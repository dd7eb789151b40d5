"""Rows of the table of items, as items to be worked at; or why a row is none."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rushes.errors import ErrorClass
from rushes.keys import BadAddress, source_of
from rushes.lanes import lane_of
from rushes.masking import masked
from rushes.model import Failure, Plan, Source, VideoKey
from rushes.sources.bigquery.hand import Item, Key
from rushes.sources.whole_items import DIED, died_out, only_posted

THE_PROCESSOR = "the processor"
"""The lane of all items that are only posted somewhere."""


class Rows:
    """Makes items of rows."""

    def __init__(self, plan: Plan, *, url: str, attempts: int) -> None:
        """`url` is the column of addresses, `attempts` how often an item is tried."""
        self._url = url
        self._attempts = attempts
        self._only_posted = only_posted(plan)

    def item(self, row: Any) -> Item:
        """The item of a row out of `read.sql`. It says itself if it is not to be run."""
        key = Key(row.id, row.claim or "")
        address = row.url or ""
        attempts = max(row.attempt, row.started or 0)
        died = bool(row.started and row.started > row.attempt) or (attempts > 0 and row.error == DIED)
        payload = json.loads(row.payload) if row.payload else {}
        item = Item(key, Source(_row_key(key), address), row.title, payload, attempts, died)
        item.written = bool(row.started)
        item.refused = self._died_out(item) or self._place(item, address)
        return item

    def _died_out(self, item: Item) -> Failure | None:
        if not item.died or item.attempts < self._attempts:
            return None
        return died_out(item.attempts)

    def _place(self, item: Item, address: str) -> Failure | None:
        """Put in what the item points at. Returns what is wrong with that."""
        if not address.strip():
            return Failure(ErrorClass.PERMANENT, f"its column {self._url!r} is empty")
        if self._only_posted:
            item.lane = THE_PROCESSOR
            return None
        address = address.strip()
        if not address.lower().startswith(("http://", "https://")):
            return Failure(
                ErrorClass.PERMANENT, f"{masked(address[:200])!r} is no address that begins with http:// or https://"
            )
        try:
            item.source = source_of(address)
        except BadAddress as error:
            return Failure(ErrorClass.PERMANENT, str(error))
        if item.source.collection:
            return Failure(
                ErrorClass.PERMANENT, "it stands for many videos", remedy="list them one by one, or `rushes run` it"
            )
        item.lane = lane_of(item.source)
        return None


def folder_of(table: str, id_: str) -> str:
    """Where in storage an item's artifacts go: the same whoever works at it, and how often."""
    return f"bigquery/{table.replace(':', '_')}/{hashlib.sha256(id_.encode()).hexdigest()[:32]}"


def _row_key(key: Key) -> VideoKey:
    return VideoKey(f"row:{hashlib.sha256(key.id.encode()).hexdigest()[:32]}")
