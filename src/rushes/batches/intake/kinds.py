"""Which files are items of a pipeline and which are lists of items, by the endings of their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rushes.batches.intake.rows import Reader, read_json, read_jsonl, read_txt
from rushes.batches.intake.tables import read_csv, read_tsv
from rushes.model import Takes

LISTS: dict[str, Reader] = {
    ".txt": read_txt,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
}
# fmt: off
MEDIA = frozenset(
    {
        ".3g2", ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".amr", ".ape", ".asf", ".avi", ".caf", ".divx",
        ".dv", ".eac3", ".f4v", ".flac", ".flv", ".m2ts", ".m2v", ".m4a", ".m4b", ".m4v", ".mka", ".mkv",
        ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".oga", ".ogg", ".ogv",
        ".opus", ".rm", ".rmvb", ".ts", ".vob", ".w64", ".wav", ".weba", ".webm", ".wma", ".wmv", ".wtv",
    }
)
# fmt: on
TEXTS = frozenset({".md", ".markdown", ".txt", ".text"})


@dataclass(frozen=True, slots=True)
class Kinds:
    """What files mean to a run."""

    takes: Takes
    files: frozenset[str]
    """Endings of the items' own."""
    lists: Mapping[str, Reader]
    noun: str

    def is_list(self, path: Path) -> bool:
        return suffix(path) in self.lists

    def is_item(self, path: Path) -> bool:
        return suffix(path) in self.files


KINDS = {
    Takes.VIDEOS: Kinds(Takes.VIDEOS, MEDIA, LISTS, "media file"),
    Takes.TEXTS: Kinds(
        Takes.TEXTS, TEXTS, {ending: read for ending, read in LISTS.items() if ending not in TEXTS}, "text"
    ),
}


def suffix(path: Path) -> str:
    return path.suffix.lower()
