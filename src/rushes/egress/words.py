"""How the proxy says that it did not connect, and how whoever fetches through it reads that.

Of an answer to `CONNECT` the usual clients pass on the reason phrase and nothing else, so that is where the words are.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from rushes.errors import RushesError

LONGEST = 400
"""Characters of them. What a host sent in place of HTTP may be quoted there."""
_SAID = re.compile(r"egress (?P<what>refused|failed): (?P<words>[^;]*);")
_UNWRITABLE = re.compile(r"[^\x20-\x3a\x3c-\x7e]")
"""What has no place in a reason phrase (RFC 9112, section 4), and the sign that ends ours."""


class Refused(RushesError):
    """Nothing is fetched from there for others: no retry helps."""

    status = HTTPStatus.FORBIDDEN
    verb = "refused"


class Unreachable(RushesError):
    """It could not be found or reached, or broke off: the next time it may work."""

    status = HTTPStatus.BAD_GATEWAY
    verb = "failed"


def phrase(error: Refused | Unreachable) -> str:
    """The reason phrase that says it."""
    return f"egress {error.verb}: {_UNWRITABLE.sub('?', error.reason[:LONGEST])};"


def told(text: str) -> Refused | Unreachable | None:
    """What the proxy said, out of an error message that quotes it; None: it said nothing."""
    found = _SAID.search(text)
    if not found:
        return None
    return (Refused if found["what"] == Refused.verb else Unreachable)(found["words"])
