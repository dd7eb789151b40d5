"""From what is asked for to what a script can be made of: a text, a file, a summary, or words alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rushes.documents import Summary
from rushes.errors import NeedsInput, Permanent
from rushes.model import Source, Trust
from rushes.stages.base import Context
from rushes.stages.generating.options import GenerateOptions, source_of
from rushes.text.scripts.english import ENGLISH
from rushes.text.scripts.material import Material, of_summary, of_text
from rushes.text.scripts.request import LONGEST_TEXT, ScriptRequest

_FILE = "file:"
_LARGEST = 4 * LONGEST_TEXT
"""Bytes: no letter of UTF-8 has more than four."""


def script_request(options: GenerateOptions, context: Context) -> ScriptRequest:
    """What whoever writes the script is given. Reads files: call it in a thread.

    Raises:
        Permanent: the text cannot be used; the message says why.
        NeedsInput: there is nothing to make a script of.
    """
    material = _material(options, context)
    if material is None and options.query is None:
        raise NeedsInput(
            "there is nothing to make a script of",
            remedy="Give a text (a .md or .txt file, or generate.text) or a request in words (ask:…, or generate.query).",
        )
    return ScriptRequest(
        query=options.query,
        material=material,
        audience=options.audience,
        interest=options.interest,
        language=options.language or (ENGLISH if options.spoken else None),
        seconds=options.seconds,
    )


def _material(options: GenerateOptions, context: Context) -> Material | None:
    """A text that was sent goes before a summary that was made, and that before the file that it was made of."""
    summaries, source = context.inputs("summary"), source_of(context)
    try:
        if options.text:
            return of_text(options.text, title=context.title)
        if summaries:
            return of_summary(Summary.read(summaries[-1].path))
        if source and source.key.startswith(_FILE) and context.trust is Trust.LOCAL:
            return of_text(_text_of(source), title=context.title)
    except ValueError as error:
        raise Permanent(f"a script cannot be made of this text: {error}") from None
    return None


def _text_of(source: Source) -> str:
    """A file's text, if the file is still what was listed."""
    path = Path(source.location)
    data = _bytes_of(path)
    if hashlib.sha256(data).hexdigest() != source.key.removeprefix(_FILE):
        raise Permanent(
            f"{path} has changed since it was listed", remedy="run the same command again: it lists it anew"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Permanent(f"{path.name} is no text in UTF-8 (byte {error.start})", remedy="Save it as UTF-8.") from None
    if "\0" in text:
        raise Permanent(f"{path.name} is no text: it holds a NUL byte")
    if len(text) > LONGEST_TEXT:
        raise _too_long(path, f"{len(text):,} characters")
    return text


def _bytes_of(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise _too_long(path, f"{size:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise Permanent(f"{path} is gone since it was listed") from None


def _too_long(path: Path, found: str) -> Permanent:
    return Permanent(f"{path.name} is too long to make a script of: {found}; the limit is {LONGEST_TEXT:,} characters")
