"""Templates of JSON: a value whose texts have places to be filled, such as `{"video": "{address}"}`.

What goes in is put into the parsed value, never pasted into its text: whatever an address or a title holds, it stays one
text, and the JSON around it is what the template's author wrote. A text that is one place and nothing else becomes what
goes in itself, a number or a list too. Braces that are meant as such are doubled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any

Find = Callable[[str], Any]
"""Gives what goes into a place, by its name; None: nothing."""
_Fill = Callable[[Find], Any]

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
        self._places = 0
        try:
            self._fill = self._compiled(value)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if not self._places:
            raise ValueError(f"it has no place to be filled, so that all would be the same; there are {self._known}")

    def fill(self, find: Find) -> Any:
        """The value with what `find` gives. Inside other text, what is missing leaves nothing."""
        return self._fill(find)

    @property
    def _known(self) -> str:
        return ", ".join(f"{{{name}}}" for name in (*self._names, f"{self._prefix}FIELD"))

    def _compiled(self, value: Any) -> _Fill:
        match value:
            case str():
                return self._text(value)
            case list():
                each = [self._compiled(entry) for entry in value]
                return lambda find: [fill(find) for fill in each]
            case dict():
                entries = [(name, self._compiled(entry)) for name, entry in value.items()]
                return lambda find: {name: fill(find) for name, fill in entries}
        return lambda _find: value

    def _text(self, text: str) -> _Fill:
        parts = [self._part(part) for part in _PARTS.split(text) if part]
        places = [name for _, name in parts if name]
        self._places += len(places)
        if not places:
            plain = "".join(literal for literal, _ in parts)
            return lambda _find: plain
        if len(parts) == 1:
            (name,) = places
            return lambda find: find(name)
        return lambda find: "".join(_written(find(name)) if name else literal for literal, name in parts)

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


def _written(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
