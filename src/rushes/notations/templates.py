"""Templates of JSON: a value whose texts have places to be filled, such as `{"video": "{address}"}`.

What goes in is written as JSON where its place is, never pasted: whatever an address or a title holds, it stays one text,
and the JSON around it is what the template's author wrote. A text that is one place and nothing else becomes what goes in
itself, a number or a list too. Braces that are meant as such are doubled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from itertools import groupby
from typing import Any

Find = Callable[[str], Any]
"""Gives what goes into a place, by its name; None: nothing."""
_Write = Callable[[Find], str]
"""Writes a part of the JSON text."""

_PARTS = re.compile(r"(\{\{|\}\}|\{[^{}]*\}|[{}])")
_DOUBLED = {"{{": "{", "}}": "}"}
_FIELDS = re.compile(r"[\w-]+(?:\.[\w-]+)*")


class Template:
    """A checked template, to be filled as often as needed."""

    def __init__(self, value: Any, names: Collection[str], *, prefix: str) -> None:
        """Check a template.

        Args:
            value: of JSON.
            names: of the places that there are.
            prefix: what a place's name may begin with instead; what follows is a field, or fields joined by dots.

        Raises:
            ValueError: a place has no such name, a brace is left alone, or there is no place at all.
        """
        self._names, self._prefix = names, prefix
        try:
            parts = list(self._parts(value))
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if all(isinstance(part, str) for part in parts):
            raise ValueError(f"it has no place to be filled, so that all would be the same; there are {self._known}")
        self._written = list(_joined(parts))

    def fill(self, find: Find) -> str:
        """The JSON text with what `find` gives. Inside other text, what is missing leaves nothing."""
        return "".join([part if isinstance(part, str) else part(find) for part in self._written])

    @property
    def _known(self) -> str:
        return ", ".join(f"{{{name}}}" for name in (*self._names, f"{self._prefix}FIELD"))

    def _parts(self, value: Any) -> Iterator[str | _Write]:
        """The JSON text of a value, in pieces that stand and pieces to be written."""
        if isinstance(value, str):
            yield self._text(value)
        elif isinstance(value, list):
            yield "["
            for number, entry in enumerate(value):
                yield ", " if number else ""
                yield from self._parts(entry)
            yield "]"
        elif isinstance(value, dict):
            yield "{"
            for number, (name, entry) in enumerate(value.items()):
                yield f"{', ' if number else ''}{json.dumps(name)}: "
                yield from self._parts(entry)
            yield "}"
        else:
            yield json.dumps(value)

    def _text(self, text: str) -> str | _Write:
        parts = [self._part(part) for part in _PARTS.split(text) if part]
        places = [name for _, name in parts if name]
        if not places:
            return json.dumps("".join(literal for literal, _ in parts))
        if len(parts) == 1:
            return lambda find: json.dumps(find(places[0]))
        return lambda find: json.dumps("".join(_shown(find(name)) if name else literal for literal, name in parts))

    def _part(self, part: str) -> tuple[str, str]:
        """A literal, or the name of a place."""
        if part in _DOUBLED:
            return _DOUBLED[part], ""
        if part in {"{", "}"}:
            raise ValueError(f"a brace stands alone; write {part * 2} for one that is meant as such")
        if not part.startswith("{"):
            return part, ""
        name = part[1:-1]
        field = name.removeprefix(self._prefix) if name.startswith(self._prefix) else ""
        if name not in self._names and not _FIELDS.fullmatch(field):
            raise ValueError(f"there is no {part}; there are {self._known} (and {{{{ for a brace)")
        return "", name


def field_of(value: Any, path: str) -> Any:
    """A field of an object, by names joined with dots; None where there is none."""
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _joined(parts: list[str | _Write]) -> Iterator[str | _Write]:
    """The parts, with neighbours that stand made one."""
    for stands, neighbours in groupby(parts, lambda part: isinstance(part, str)):
        if stands:
            yield "".join(map(str, neighbours))
        else:
            yield from neighbours


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
