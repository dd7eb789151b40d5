"""Exports as ZIP: the whole results folder, or every item's captions. Members are made one at a time, straight to the
output, and carry the batch's time, so that the same batch gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from shutil import copyfileobj
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from rushes.batches.export import files, records, words
from rushes.batches.export.listing import Listed, listed, top_files
from rushes.batches.export.names import Names, NameTemplate, slug
from rushes.batches.export.values import ExportedBatch, ExportedItem
from rushes.batches.export.writer import Writer
from rushes.documents import Transcript
from rushes.errors import UsageError
from rushes.media import captions

_LEVEL = 3
"""Of compression: text shrinks to a third at a third of the time of the usual 6."""
_COMPRESSED = (".jpg", ".png", ".webp", ".m4a", ".mp4")


@dataclass(frozen=True, slots=True)
class Captions:
    """A caption format: the ending of its files, and how one is written."""

    ending: str
    write: Callable[[Transcript], str]


def captions_export(ending: str, batch: ExportedBatch, out: BinaryIO, template: NameTemplate | None) -> Writer:
    """Captions as `srt` or `vtt`: of a batch of one item a file, of others a ZIP of files."""
    written = Captions(f".{ending}", captions.to_srt if ending == "srt" else captions.to_vtt)
    return CaptionsFile(batch, out, written) if batch.single else CaptionsArchive(batch, out, written, template)


class Archive(Writer):
    """A ZIP whose members lie under one folder, so that unpacking spills nothing."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO, template: NameTemplate | None = None) -> None:
        super().__init__(batch, out)
        self._zip = ZipFile(out, "w")
        self._top = slug(batch.name, 60) or f"batch-{batch.id}"
        self._template = template or NameTemplate()
        self._names = Names()

    def finish(self) -> None:
        self._zip.close()

    def close(self) -> None:
        with suppress(OSError, ValueError):  # after a failure the output is no archive anyway
            self._zip.close()

    def name(self, item: ExportedItem) -> str:
        """The item's name in the archive."""
        loaded = item.documents.load(transcript=False)
        return self._names.take((item.position, item.key), self._template.name(files.naming(item, loaded)))

    def member(self, name: str, content: files.Content) -> None:
        info = ZipInfo(f"{self._top}/{name}", date_time=self.batch.created_at.utctimetuple()[:6])
        info.external_attr = 0o644 << 16
        info.compress_type = ZIP_STORED if name.endswith(_COMPRESSED) else ZIP_DEFLATED
        if isinstance(content, bytes):
            self._zip.writestr(info, content, compresslevel=_LEVEL)
            return
        info.file_size = content.stat().st_size
        with content.open("rb") as recording, self._zip.open(info, "w") as member:
            copyfileobj(recording, member)


class FolderArchive(Archive):
    """The results folder as a ZIP."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO, template: NameTemplate | None = None) -> None:
        super().__init__(batch, out, template)
        self._listed: list[Listed] = []

    def add(self, item: ExportedItem) -> None:
        loaded = item.documents.load()
        made = files.item_files(item, loaded) if files.has_folder(item) else {}
        name = self.name(item) if made else None
        for file, content in made.items():
            self.member(f"{name}/{file}", content)
        self._listed.append(listed(item, loaded, name, made))

    def finish(self) -> None:
        for name, content in top_files(self.batch, self._listed).items():
            self.member(name, content)
        super().finish()


class CaptionsArchive(Archive):
    """Every item's captions, and a manifest that also names the items without, with the reason."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO, written: Captions, template: NameTemplate | None) -> None:
        super().__init__(batch, out, template)
        self._captions = written
        self._entries: list[records.Record] = []

    def add(self, item: ExportedItem) -> None:
        loaded = item.documents.load()
        name = None
        if loaded.transcript:
            name = self.name(item) + self._captions.ending
            self.member(name, self._captions.write(loaded.transcript).encode())
        self._entries.append({**records.item_record(item, loaded), "file": name})

    def finish(self) -> None:
        self.member("manifest.json", records.encode(records.manifest(self.batch, self._entries)))
        super().finish()


class CaptionsFile(Writer):
    """The captions of a batch of one item, as they are. Raises: UsageError, where there are none."""

    def __init__(self, batch: ExportedBatch, out: BinaryIO, written: Captions) -> None:
        super().__init__(batch, out)
        self._captions = written
        self._written = 0

    def add(self, item: ExportedItem) -> None:
        transcript = item.documents.load().transcript
        if transcript is None:
            reason = words.because(item)
            raise UsageError(
                f"{item.given} has no transcript: it is {words.state(item)}{f' ({reason})' if reason else ''}.",
                remedy="`--format json` exports what there is.",
            )
        if self._written:
            raise UsageError("The batch has got more items meanwhile.", remedy="Export it again.")
        self._written = self.out.write(self._captions.write(transcript).encode())

    def finish(self) -> None:
        pass
