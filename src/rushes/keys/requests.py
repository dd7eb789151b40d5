"""Requests in words, given where an address could stand: `ask:How do the tides work?`."""

from __future__ import annotations

import hashlib

from rushes.model import Source, VideoKey

_MARK = "ask:"


def request_in(text: str) -> str | None:
    """The request that a text is; None: it is none."""
    mark, words = text[: len(_MARK)], text[len(_MARK) :]
    return " ".join(words.split()) or None if mark.lower() == _MARK else None


def source_of_request(request: str) -> Source:
    """A request as what an item points at. Its key does not depend on upper and lower case."""
    digest = hashlib.sha1(request.casefold().encode(), usedforsecurity=False).hexdigest()
    return Source(VideoKey(f"{_MARK}{digest}"), f"{_MARK}{request}")
