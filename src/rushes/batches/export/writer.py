"""What writing an export comes to: items are added one by one, then it is finished."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import BinaryIO

from rushes.batches.export.values import ExportedBatch, ExportedItem


class Writer(ABC):
    """Writes one export to a binary file, which need not be seekable. Holds at most one item's documents at a time."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO) -> None:
        self.batch = batch
        self.out = out

    @abstractmethod
    def add(self, item: ExportedItem) -> None:
        """Take the next item, in the order of the input."""

    @abstractmethod
    def finish(self) -> None:
        """Write what comes after the last item. Without it the export is not whole."""

    def close(self) -> None:  # noqa: B027  (most hold nothing)
        """Let go of what is held, also after a failure."""
