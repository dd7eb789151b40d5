"""What the text of a processor's answer means: a result, or a failure that it declares."""

from __future__ import annotations

import codecs
import contextlib
import json
import math
import re
from email.message import Message
from functools import lru_cache
from typing import Any, NamedTuple

from rushes.errors import Transient
from rushes.notations.patterns import Patterns
from rushes.stages.processing.faults import beginning

_ODD = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"})
"""Encodings of Python's that no web page is in."""
_NONE: tuple[str, ...] = ()
_MARK = "\ufeff"
"""A byte-order mark, which is no part of a text."""
_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


class Answer(NamedTuple):
    """A result: the text as it came, what it says, and what a reader should know."""

    text: str
    value: Any
    """The text, or what it holds if it is JSON by its content type."""
    is_json: bool = False
    notes: tuple[str, ...] = ()


class Form(NamedTuple):
    """What a content type says of a text."""

    encoding: str
    is_json: bool


@lru_cache(maxsize=256)
def form_of(content_type: str) -> Form:
    """Read a `Content-Type`. What names no encoding, or none that there is, is UTF-8 (RFC 9110, section 8.3)."""
    header = Message()
    header["Content-Type"] = content_type[:1000]
    kind = header.get_content_type()
    encoding = str(header.get_param("charset") or "utf-8")
    try:
        name = codecs.lookup(encoding).name
        with contextlib.suppress(UnicodeDecodeError):
            b" ".decode(name)  # Python has encodings of other things than text, and says so here
    except (LookupError, ValueError):
        name = "utf-8"
    return Form("utf-8" if name in _ODD else name, kind == "application/json" or kind.endswith("+json"))


def read(body: bytes, content_type: str, host: str, failures: Patterns, secrets: tuple[str, ...] = ()) -> Answer:
    """The answer that came with a status of 2xx. `secrets` are kept out of what is told of it.

    Raises:
        Transient: it is empty, tells of a failure, or is not the JSON that it says it is. All of that is about this run: the
            next may come out better, as the processor's own model or network may.
    """
    encoding, is_json = form_of(content_type)
    try:
        text, notes = body.decode(encoding), _NONE
    except UnicodeDecodeError:
        text, notes = _decoded(body, encoding, host)
    if text.startswith(_MARK):
        text = text[1:]
    if not text or text.isspace():
        raise Transient(f"{host} gave an empty answer")
    if is_json:
        value = _of_json(text, host, secrets)
        told = value if isinstance(value, str) else text
    else:
        value = told = text
    if failures.begin(told):
        raise Transient(f"{host} says that it failed: {beginning(told, secrets)}")
    return Answer(text, value, is_json, notes)


def _of_json(text: str, host: str, secrets: tuple[str, ...]) -> Any:
    try:
        value = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise Transient(f"{host} answered with JSON that is none: {error}: {beginning(text, secrets)}") from None
    if value is None or value in ([], {}) or (isinstance(value, str) and not value.strip()):
        raise Transient(f"{host} gave an empty answer: {beginning(text)}")
    return value


def _decoded(body: bytes, encoding: str, host: str) -> tuple[str, tuple[str, ...]]:
    """The text of an answer that is not in the encoding that it names."""
    with contextlib.suppress(UnicodeDecodeError):
        return body.decode(), ()
    note = f"The answer of {host} is not all text in {encoding}: what is not was replaced."
    return body.decode(encoding, "replace"), (note,)


def _parsed(text: str) -> Any:
    value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    if _HALF.search(text):  # perhaps half of a character, which nothing could store
        value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return value


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text[:20]} is no number that JSON knows")
