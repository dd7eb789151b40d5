"""Reads a JSON array of any length entry by entry, so that a list of a million takes no more memory than its longest entry.

The standard library reads a whole document or one value; this gives it one value after the other out of a window.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from rushes.batches.intake.decoding import LINE_LIMIT
from rushes.errors import UsageError

KEY = "items"
"""Under which name an object holds the array."""
_BLANK = " \t\r\n"


def entries(pieces: Iterator[str], name: str) -> Iterator[Any]:
    """The entries of an array, or of the array `items` of an object.

    Args:
        pieces: the document's text.
        name: the document's, for messages.

    Raises:
        UsageError: it is no such document, or one entry is longer than `LINE_LIMIT` characters.
    """
    window = _Window(pieces, name)
    if window.take("["):
        yield from _array(window)
    elif window.take("{"):
        yield from _object(window, name)
    else:
        window.refuse("wanted an array, or an object with an array " + repr(KEY))
    if window.peek():
        window.refuse("there is more after its end")


def _array(window: _Window) -> Iterator[Any]:
    if window.take("]"):
        return
    while True:
        yield window.value()
        if window.take("]"):
            return
        if not window.take(","):
            window.refuse("wanted a comma or ]")


def _object(window: _Window, name: str) -> Iterator[Any]:
    others: list[str] = []
    found = False
    closed = window.take("}")
    while not closed:
        key = window.value()
        if not isinstance(key, str) or not window.take(":"):
            window.refuse("wanted a name and a colon")
        if key == KEY and window.take("["):
            found = True
            yield from _array(window)
        else:
            others.append(repr(key))
            window.value()
        closed = window.take("}")
        if not closed and not window.take(","):
            window.refuse("wanted a comma or }")
    if not found:
        raise UsageError(f"{name}: an object without an array {KEY!r}; it has {', '.join(others[:10]) or 'nothing'}")


class _Window:
    """The part of a text that is being read."""

    def __init__(self, pieces: Iterator[str], name: str) -> None:
        self._pieces = pieces
        self._name = name
        self._text = ""
        self._at = 0
        self._lines = 1
        self._decoder = json.JSONDecoder()

    def peek(self) -> str:
        """The next character that is no blank, or nothing at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, character: str) -> bool:
        """Go past that character if it is the next."""
        if self.peek() != character:
            return False
        self._at += 1
        return True

    def value(self) -> Any:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                self.refuse("nested too deeply")
            except ValueError as error:
                if not (self._may_be_cut(error) and self._grow()):
                    self._at = getattr(error, "pos", self._at)
                    self.refuse(getattr(error, "msg", str(error)))
            else:
                # A number that ends with the window may go on after it.
                if end < len(self._text) or not self._grow():
                    self._at = end
                    return value

    def _may_be_cut(self, error: ValueError) -> bool:
        """Whether the window's end, not the text, may be what is wrong: half a string, or half a word just before it."""
        text = getattr(error, "msg", "")
        return text.startswith("Unterminated") or getattr(error, "pos", 0) > len(self._text) - len("\\ud800\\udc00")

    def refuse(self, reason: str) -> NoReturn:
        """Raise `UsageError` for the place reached."""
        start = self._text.rfind("\n", 0, self._at) + 1
        line = self._lines + self._text.count("\n", 0, self._at)
        raise UsageError(f"{self._name}, line {line}, column {self._at - start + 1}: no right JSON: {reason}")

    def _grow(self) -> bool:
        if len(self._text) - self._at > LINE_LIMIT:
            self.refuse(f"an entry longer than {LINE_LIMIT:,} characters")
        return self._more()

    def _more(self) -> bool:
        for piece in self._pieces:
            if piece:
                self._lines += self._text.count("\n", 0, self._at)
                self._text, self._at = self._text[self._at :] + piece, 0
                return True
        return False
