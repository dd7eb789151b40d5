"""Filters of subscriptions: expressions over a message's attributes.

The language is the service's (https://cloud.google.com/pubsub/docs/subscription-message-filter): `attributes:KEY`,
`attributes.KEY = "VALUE"`, `!=`, `hasPrefix(attributes.KEY, "VALUE")`, `NOT` or `-`, `AND`, `OR`, parentheses. `AND` and
`OR` mix only in parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rushes.testing.pubsub.refusals import Refused, invalid

Attributes = Mapping[str, str]
Filter = Callable[[Attributes], bool]

LIMIT = 256
"""Bytes of a filter."""
_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_][A-Za-z0-9_-]*)|(!=|[=:.(),-]))')


def everything(_attributes: Attributes) -> bool:
    return True


def parse(text: str) -> Filter:
    """What a filter lets through. Raises: Refused."""
    if not text:
        return everything
    if len(text.encode()) > LIMIT:
        raise invalid(f"The filter is longer than {LIMIT} bytes.")
    reader = _Reader(_tokens(text), text)
    found = _expression(reader)
    if reader.ahead:
        raise reader.wrong()
    return found


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found:
            raise _wrong(text)
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


def _wrong(text: str) -> Refused:
    return invalid(f"The filter could not be parsed: {text}")


class _Reader:
    """Tokens, one at a time."""

    def __init__(self, tokens: list[str], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._at = 0

    @property
    def ahead(self) -> str:
        """The next one; empty at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.ahead
        if not token or (wanted and token not in wanted):
            raise self.wrong()
        self._at += 1
        return token

    def name(self) -> str:
        """An attribute's key: bare, or quoted."""
        token = self.take()
        if not re.match(r'["A-Za-z_]', token):
            raise self.wrong()
        return _unquoted(token)

    def value(self) -> str:
        token = self.take()
        if not token.startswith('"'):
            raise self.wrong()
        return _unquoted(token)

    def wrong(self) -> Refused:
        return _wrong(self._text)


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


def _expression(reader: _Reader) -> Filter:
    parts = [_term(reader)]
    joint = reader.ahead
    if joint not in ("AND", "OR"):
        return parts[0]
    while reader.ahead == joint:
        reader.take()
        parts.append(_term(reader))
    if reader.ahead in ("AND", "OR"):
        raise reader.wrong()  # mixed without parentheses
    together = all if joint == "AND" else any
    return lambda attributes: together(part(attributes) for part in parts)


def _term(reader: _Reader) -> Filter:
    if reader.ahead in ("NOT", "-"):
        reader.take()
        inner = _term(reader)
        return lambda attributes: not inner(attributes)
    if reader.ahead == "(":
        reader.take()
        found = _expression(reader)
        reader.take(")")
        return found
    return _comparison(reader)


def _comparison(reader: _Reader) -> Filter:
    if reader.take("attributes", "hasPrefix") == "hasPrefix":
        return _prefix(reader)
    if reader.take(":", ".") == ":":
        key = reader.name()
        return lambda attributes: key in attributes
    key = reader.name()
    equal = reader.take("=", "!=") == "="
    value = reader.value()
    return lambda attributes: (attributes.get(key) == value) is equal


def _prefix(reader: _Reader) -> Filter:
    for token in ("(", "attributes", "."):
        reader.take(token)
    key = reader.name()
    reader.take(",")
    prefix = reader.value()
    reader.take(")")
    return lambda attributes: key in attributes and attributes[key].startswith(prefix)
