"""Intake: what a person gives, read into items. Addresses, files, folders, patterns and lists; streams of any length."""

from rushes.batches.intake.identity import run_key, seekable
from rushes.batches.intake.kinds import LISTS, MEDIA, TEXTS
from rushes.batches.intake.lines import Duplicate, Invalid, Line, Report, Valid
from rushes.batches.intake.reading import read_inputs

__all__ = [
    "LISTS",
    "MEDIA",
    "TEXTS",
    "Duplicate",
    "Invalid",
    "Line",
    "Report",
    "Valid",
    "read_inputs",
    "run_key",
    "seekable",
]
