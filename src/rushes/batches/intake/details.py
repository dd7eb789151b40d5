"""What an entry of a list says beside its address, checked: `id`, `title`, `priority` and options of stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.errors import UsageError
from rushes.model import JSON

CheckOptions = Callable[[Mapping[str, Mapping[str, Any]]], object]
"""Raises `UsageError` if options `{stage: {option: value}}` are not right."""

_TEXT_LIMIT = 1000
_PRIORITIES = range(11)


@dataclass(frozen=True, slots=True)
class Details:
    """Checked, in the words of `NewItem`."""

    reference: str | None = None
    title: str | None = None
    priority: int | None = None
    options: JSON = field(default_factory=dict)


class Checker:
    """Reads the fields of entries. Lists repeat the same options, so the last right ones are not checked again."""

    def __init__(self, check_options: CheckOptions | None) -> None:
        self._check = check_options
        self._right: Mapping[str, Mapping[str, Any]] = {}

    def read(self, fields: Mapping[str, Any]) -> Details:
        """Raise `UsageError` with the field and what is wrong with it."""
        return Details(
            reference=_text(fields, "id"),
            title=_text(fields, "title"),
            priority=_priority(fields.get("priority")),
            options=self._options(fields),
        )

    def _options(self, fields: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        options: dict[str, dict[str, Any]] = {}
        for name, value in fields.items():
            stage, dot, option = name.partition(".")
            if dot and value is not None:
                options.setdefault(stage, {})[option] = value
        if options and options != self._right:
            if self._check is None:
                raise UsageError("options of stages cannot be given here")
            self._check(options)
            self._right = options
        return options


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UsageError(f"{name}: wanted a text, found {value!r}")
    text = str(value).strip()
    if len(text) > _TEXT_LIMIT:
        raise UsageError(f"{name}: {len(text):,} characters; the limit is {_TEXT_LIMIT:,}")
    if "\0" in text or not _is_unicode(text):
        raise UsageError(f"{name}: a character that is no text")
    return text or None


def _priority(value: Any) -> int | None:
    if value is None:
        return None
    number = value
    if isinstance(value, str) and value.strip().isdecimal():
        number = int(value[:4])
    if isinstance(number, bool) or not isinstance(number, int) or number not in _PRIORITIES:
        raise UsageError(f"priority: wanted a whole number from 0 to 10, found {value!r}")
    return number


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
