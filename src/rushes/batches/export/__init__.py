"""Exports: the results folder of a run, and a batch as ZIP, Markdown, HTML, PDF, JSON, CSV, text or captions."""

from __future__ import annotations

from rushes.batches.export.folder import ResultsFolder
from rushes.batches.export.formats import Format, file_name, write_export
from rushes.batches.export.names import NameTemplate
from rushes.batches.export.values import (
    Documents,
    ExportedBatch,
    ExportedItem,
    Loaded,
    RejectedLine,
    Rejection,
)

__all__ = [
    "Documents",
    "ExportedBatch",
    "ExportedItem",
    "Format",
    "Loaded",
    "NameTemplate",
    "RejectedLine",
    "Rejection",
    "ResultsFolder",
    "file_name",
    "write_export",
]
