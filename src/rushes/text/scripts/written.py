"""A text as somebody wrote it, plain or in Markdown, read for the ear: headings, and sentences that can be spoken.

What cannot be spoken (code, tables, pictures, markup) is left out and counted. Every pattern takes a time that grows with
the text and no faster: the text may be a stranger's.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rushes.shortening import shortened
from rushes.text import sentences
from rushes.text.lexicon import printable, word_count

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}(?P<level>#{1,6})[ \t]+(?P<title>[^\n]*)$")
_UNDERLINE = re.compile(r"^ {0,3}(?P<mark>=|-)(?P=mark)*[ \t]*$")
_RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_TABLE = re.compile(r"^ {0,3}\|")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")
_QUOTED = re.compile(r"^ {0,3}(?:>[ \t]?)+")
_FRONT = "---"
_TARGET = r"\((?:[^()\n]|\([^()\n]{0,300}\)){0,1000}\)"
_INLINE = (
    (re.compile(r"!\[[^\[\]\n]{0,300}\]" + _TARGET), ""),  # a picture
    (re.compile(r"\[\^[^\[\]\n]{1,60}\]"), ""),  # a footnote's mark
    (re.compile(r"\[([^\[\]\n]{1,300})\]" + _TARGET), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>\n]{0,300}>"), ""),
    (re.compile(r"<?\b[a-z]{2,10}://(?:[^\s/@]{1,200}@)?(?:www\.)?([^\s/?#<>()]{1,200})[^\s<>()]*>?", re.IGNORECASE), r"\1"),
    (re.compile(r"(?<!`)`++([^`\n]{1,300})`+"), r"\1"),
    (re.compile(r"(?<![\w*])(\*{1,3}|_{1,3}|~~)(?=\S)([^*_~\n]{1,500}?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"\*{2,}|`+|~{2,}"), ""),  # marks whose other half is missing
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!>~|])"), r"\1"),
)  # fmt: skip
_ENDED = re.compile(r"[.!?…。！？।॥؟۔:;,][\"'”’)」』\]]*$")
_HALF = ":;,"
_LONGEST_TITLE = 160
"""Characters: two lines of a slide, in small letters."""
_LONGEST, _PART = 60, 25
"""Words of a sentence, and of the parts that a longer one is cut into."""
_LETTERS = 60
"""A longer run of letters without a space is cut: no voice has so much breath."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the text."""

    text: str
    line: int
    """In which it stands, from 1."""
    opens: bool
    """It begins a paragraph."""


@dataclass(frozen=True, slots=True)
class Heading:
    title: str
    level: int
    """1 to 6, as in HTML."""
    before: int
    """The number of the sentence that follows it, from 0."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text that was read."""

    sentences: tuple[Said, ...]
    headings: tuple[Heading, ...]
    left_out: Counter[str] = field(default_factory=Counter)
    """What cannot be spoken, by its name in the singular."""


@dataclass(slots=True)
class _Reader:
    said: list[Said] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    paragraph: list[tuple[int, str]] = field(default_factory=list)

    def end_paragraph(self) -> None:
        self.said += _sentences(self.paragraph)
        self.paragraph = []

    def head(self, title: str, level: int) -> None:
        self.end_paragraph()
        if title := shortened(spoken(title), _LONGEST_TITLE):
            self.headings.append(Heading(title, level, before=len(self.said)))


def read(text: str) -> Written:
    """Read a text, plain or in Markdown."""
    reader = _Reader()
    lines = _without_front(_without_comments(printable(text)).splitlines())
    fence = ""
    for number, line in enumerate(lines, 1):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
            reader.left_out["block of code"] += 1
            reader.end_paragraph()
        else:
            _read_line(reader, number, line)
    reader.end_paragraph()
    return Written(tuple(reader.said), tuple(reader.headings), reader.left_out)


def _read_line(reader: _Reader, number: int, line: str) -> None:
    line = _QUOTED.sub("", line)
    heading, underline, item = _HEADING.match(line), _UNDERLINE.match(line), _ITEM.match(line)
    if heading:
        reader.head(heading["title"].rstrip(" \t#"), len(heading["level"]))
    elif underline and len(reader.paragraph) == 1:
        ((_, title),), reader.paragraph = reader.paragraph, []
        reader.head(title, 1 if underline["mark"] == "=" else 2)
    elif not line.strip() or _RULE.match(line):
        reader.end_paragraph()
    elif _TABLE.match(line):
        reader.left_out["line of a table"] += 1
        reader.end_paragraph()
    elif item:
        reader.end_paragraph()
        reader.paragraph.append((number, line[item.end() :]))
    else:
        reader.paragraph.append((number, line))


def _without_comments(text: str) -> str:
    """Their lines stay, empty, so that those after them keep their numbers."""
    kept: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept += [text[at:start], "\n" * text.count("\n", start, end)]
        at = end + len("-->")
    return "".join([*kept, text[at:]])


def _without_front(lines: list[str]) -> list[str]:
    """Blank out what stands between dashes at the very top: facts for a program that makes pages of it."""
    if not lines or lines[0].rstrip() != _FRONT:
        return lines
    end = next((at for at, line in enumerate(lines[1:200], 1) if line.rstrip() in (_FRONT, "...")), None)
    return lines if end is None else [""] * (end + 1) + lines[end + 1 :]


def _sentences(paragraph: Sequence[tuple[int, str]]) -> Iterator[Said]:
    """A paragraph's sentences, each with the line in which it begins."""
    lines = [(number, text) for number, line in paragraph if (text := spoken(line))]
    starts = [0, *itertools.accumulate(len(text) + 1 for _, text in lines)]
    whole = " ".join(text for _, text in lines)
    end = 0
    for sentence in sentences.cut(whole):
        start = whole.index(sentence, end)
        line, opens = lines[bisect_right(starts, start) - 1][0], end == 0
        end = start + len(sentence)
        for number, part in enumerate(_speakable(sentence)):
            yield Said(closed(part), line, opens=opens and not number)


def _speakable(sentence: str) -> Iterator[str]:
    """The sentence, or parts of it where it has no usable punctuation; nothing where it holds no letter or figure."""
    for part in _parts(sentence):
        if any(character.isalnum() for character in part):
            yield part


def _parts(sentence: str) -> Iterator[str]:
    words = [word[at : at + _LETTERS] for word in sentence.split() for at in range(0, len(word), _LETTERS)]
    if word_count(sentence) <= _LONGEST and len(words) == len(sentence.split()):
        yield sentence
        return
    part: list[str] = []
    for word in words:
        part.append(word)
        if sum(map(word_count, part)) >= _PART:
            yield " ".join(part)
            part = []
    yield " ".join(part)


def spoken(text: str) -> str:
    """A line without markup; of an address its host is left."""
    for pattern, instead in _INLINE:
        text = pattern.sub(instead, text)
    return " ".join(text.split())


def closed(sentence: str) -> str:
    """The sentence with a full stop where it has no end, so that a voice pauses there."""
    if not _ENDED.search(sentence):
        return f"{sentence}."
    return f"{sentence[:-1]}." if sentence[-1] in _HALF else sentence
