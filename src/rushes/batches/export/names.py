"""Names of folders and files, made from hostile text: titles, keys and the user's own ids.

Whatever goes in, what comes out is one path component that every file system takes: no separators, no dots, no
control or invisible characters, no name that Windows keeps for itself, at most `LONGEST` bytes, and unique among its
siblings also where upper and lower case are the same.
"""

from __future__ import annotations

import difflib
import re
import string
import unicodedata
from dataclasses import dataclass
from typing import Any

from rushes.errors import UsageError

LONGEST = 120
"""Bytes of a name. File systems take 255; the rest is left for endings, and for Windows' 260 characters of a path."""
DEFAULT = "{position:03d}-{slug}"
FIELDS = ("position", "slug", "title", "id", "key", "date", "reference")

_FORBIDDEN = frozenset('<>:"/\\|?*.%') | {"\N{FULLWIDTH SOLIDUS}", "\N{FRACTION SLASH}", "\N{DIVISION SLASH}"}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_APOSTROPHES = frozenset("'’ʼ`")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and symbols that look like nothing."""
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])", re.IGNORECASE)
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ð": "d", "þ": "th", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "ŋ": "ng"}
)


def slug(text: str, longest: int = LONGEST) -> str:
    """Lower-case words joined by dashes: Latin letters folded to ASCII, letters of other scripts kept. May be empty."""
    letters: list[str] = []
    for char in map(_fold, unicodedata.normalize("NFKC", text).casefold().translate(_LATIN)):
        if unicodedata.category(char)[0] == "M":
            if _belongs(char, letters):
                letters.append(char)
        elif char not in _APOSTROPHES:
            letters.append(char if char.isalnum() and char not in _FILLERS else "-")
    return _cut(re.sub("-+", "-", "".join(letters)).strip("-"), longest)


def safe_name(text: str, longest: int = LONGEST) -> str:
    """Keep what is readable and harmless in one path component. May be empty."""
    kept = "".join("-" if char in _FORBIDDEN else char for char in unicodedata.normalize("NFC", text))
    visible = "".join(" " if char.isspace() else char for char in kept if not _is_invisible(char))
    trimmed = _cut(" ".join(visible.split()).strip(" -~"), longest)
    return f"_{trimmed}" if _RESERVED.fullmatch(trimmed) else trimmed


@dataclass(frozen=True, slots=True)
class Naming:
    """What a name may be made of."""

    position: int
    title: str
    key: str
    date: str | None = None
    reference: str | None = None

    def values(self) -> dict[str, Any]:
        return {
            "position": self.position,
            "slug": slug(self.title, LONGEST // 3 * 2) or "video",
            "title": self.title or "video",
            "id": self.key.partition(":")[2][:16] or self.key,
            "key": self.key,
            "date": self.date or "undated",
            "reference": self.reference or "none",
        }


class NameTemplate:
    """A checked template such as `{position:03d}-{slug}`. Raises: UsageError, when it is made."""

    def __init__(self, template: str = DEFAULT) -> None:
        _check(template)
        self.template = template

    def name(self, naming: Naming) -> str:
        """The item's name, safe but perhaps taken."""
        return safe_name(self.template.format_map(naming.values())) or f"item-{naming.position}"


Owner = tuple[int, str]
"""Whose name it is: an item's position, and its video's key."""


class Names:
    """Names given out so far, one to each owner."""

    def __init__(self) -> None:
        self._taken: dict[str, Owner] = {}
        self._given: dict[Owner, str] = {}

    def __getitem__(self, owner: Owner) -> str | None:
        return self._given.get(owner)

    def adopt(self, owner: Owner, name: str) -> None:
        """Learn that a name is in use; whose it is counts only for its owner's first and the name's first."""
        self._taken.setdefault(_same(name), owner)
        self._given.setdefault(owner, name)

    def take(self, owner: Owner, wanted: str) -> str:
        """Give it the wanted name, with a suffix where another has that. The name it had before is free again."""
        self._release(owner)
        name, number = wanted, 1
        while _same(name) in self._taken:
            suffix = f"-{owner[0]}" if number == 1 else f"-{owner[0]}-{number}"
            name = _cut(wanted, LONGEST - len(suffix)) + suffix
            number += 1
        self._taken[_same(name)] = owner
        self._given[owner] = name
        return name

    def _release(self, owner: Owner) -> None:
        name = self._given.pop(owner, None)
        if name is not None and self._taken.get(_same(name)) == owner:
            del self._taken[_same(name)]


def _same(name: str) -> str:
    """What file systems without case, or with their own normal form, see."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def _fold(char: str) -> str:
    """An accented Latin letter without its accents; anything else as it is."""
    decomposed = unicodedata.normalize("NFKD", char)
    return decomposed[0] if decomposed[0].isascii() else char


def _belongs(mark: str, letters: list[str]) -> bool:
    """A vowel sign belongs to the letter before it; alone, on ASCII, or choosing an emoji's look it is decoration."""
    return bool(letters) and not letters[-1].isascii() and "VARIATION SELECTOR" not in unicodedata.name(mark, "")


def _is_invisible(char: str) -> bool:
    return (unicodedata.category(char) in _INVISIBLE and not char.isspace()) or char in _FILLERS


def _cut(text: str, longest: int) -> str:
    """At most that many bytes, never half a character, without a dash or blank at the end."""
    encoded = text.encode()
    if len(encoded) <= longest:
        return text
    return encoded[:longest].decode(errors="ignore").rstrip(" -")


def _check(template: str) -> None:
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"The name template {template!r} is not well formed: {error}.", remedy=_KNOWN) from error
    if "/" in template or "\\" in template:
        raise UsageError(f"The name template {template!r} has a path separator.", remedy="It names one folder.")
    if all(name is None for _, name, _, _ in parts):
        raise UsageError(
            f"The name template {template!r} has no field: every item would be called that.", remedy=_KNOWN
        )
    for _, name, form, conversion in parts:
        if name is not None:
            _check_field(template, name, f"!{conversion}" if conversion else form or "")


def _check_field(template: str, name: str, form: str) -> None:
    if name not in FIELDS:
        nearest = difflib.get_close_matches(name, FIELDS, n=1)
        hint = f" Did you mean {{{nearest[0]}}}?" if nearest else ""
        raise UsageError(f"The name template {template!r} has an unknown field {name!r}.{hint}", remedy=_KNOWN)
    if form and not (name == "position" and re.fullmatch(r"0?[1-9]d", form)):
        raise UsageError(
            f"The name template {template!r} cannot write {name} as {form!r}.",
            remedy="Only the position takes a width, such as {position:03d}.",
        )


_KNOWN = "Known fields: " + ", ".join(f"{{{name}}}" for name in FIELDS) + f". The default is {DEFAULT!r}."
