"""HTML: one item's page, all pages in one document, and the batch's table.

Every page is whole in itself: style inline and allowed by its hash, pictures as data, no script, no request to
anywhere. Jinja escapes everything; a Content-Security-Policy stands behind it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rushes.batches.export import words
from rushes.batches.export.page import Page
from rushes.batches.export.telling import Plays
from rushes.batches.export.values import ExportedBatch, Rejection
from rushes.shortening import shortened

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

ROWS = 1000
"""Rows of one index page: what a browser shows at once without a pause."""
_INLINE = 1_000_000
"""Bytes of a picture that goes into the page itself."""
_PICTURES = (
    (re.compile(rb"\xff\xd8\xff"), ("jpg", "image/jpeg")),
    (re.compile(rb"\x89PNG\r\n"), ("png", "image/png")),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), ("webp", "image/webp")),
)
_TONES = {"done": "done", "failed": "failed", "left": "left out", "open": "not finished"}
_FILES = (
    ("answer.txt", "Answer"),
    ("answer.json", "Answer"),
    ("summary.html", "Summary"),
    ("summary.md", "Markdown"),
    ("script.html", "Script"),
    ("script.md", "Script text"),
    ("video.mp4", "Video"),
    ("narration.m4a", "Audio"),
    ("narration.vtt", "Captions"),
    ("transcript.html", "Transcript"),
    ("transcript.txt", "Text"),
    ("transcript.vtt", "VTT"),
    ("transcript.srt", "SRT"),
    ("transcript.json", "JSON"),
    ("item.json", "Details"),
)
_PLAYED = {"film": "video.mp4", "sound": "narration.m4a", "poster": "video.jpg"}
_OPENED = ("summary.html", "script.html", "transcript.html", "answer.txt", "answer.json")
"""What an item's title leads to: the first that there is."""
_BODY = "\0"
_BESIDE = "'self' file: data:"
"""From where a page may take pictures and sound that lie beside it."""


@dataclass(frozen=True, slots=True)
class Row:
    """An item's line in the batch's table: its page without the transcript, and what lies in its folder."""

    page: Page
    folder: str | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Bar:
    tone: str
    label: str
    number: int
    start: float
    width: float


def picture_type(picture: bytes) -> tuple[str, str] | None:
    """File name's ending and media type of a picture, by its first bytes; None: not one that browsers show safely."""
    return next((kind for magic, kind in _PICTURES if magic.match(picture)), None)


def page_html(page: Page) -> str:
    """One item as a page of its own."""
    sources = _BESIDE if page.plays else "data:"
    return _layout(page.title, f"<main>\n{_article(page, 1)}\n</main>", "page.css", images=sources)


def document_ends(batch: ExportedBatch) -> tuple[str, str]:
    """What stands before and after the articles of a document of the whole batch."""
    title = words.clean(batch.name)
    head, foot = _layout(title, _BODY, "index.css", "page.css").split(_BODY)
    return head + _render("document.html", name=title, facts=_facts(batch)), f"</main>{foot}"


def document_article(page: Page) -> str:
    """One item within a document of the whole batch."""
    return _article(page, 2)


def document_contents(batch: ExportedBatch, pages: Sequence[Page]) -> str:
    """The table of contents and the lines that became no item; the articles follow."""
    return _render("contents.html", pages=pages, **_lines(batch))


def index_pages(batch: ExportedBatch, rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """The batch's table as `index.html` and, past a thousand rows, `index-2.html` and so on: (name, page)."""
    starts = range(0, max(len(rows), 1), ROWS)
    bars = tuple(_meter(rows))
    for number, start in enumerate(starts):
        shown = rows[start : start + ROWS]
        body = _render(
            "index.html",
            name=words.clean(batch.name),
            facts=_facts(batch),
            total=len(rows),
            tally=[f"{bar.number} {bar.label}" for bar in bars],
            meter=bars,
            rows=[_shown(row) for row in shown],
            pages=[_page_link(each, len(rows), current=each == number) for each in range(len(starts))],
            **_lines(batch),
        )
        yield _index_name(number), _layout(words.clean(batch.name), body, "index.css", images=_BESIDE)


def _article(page: Page, level: int) -> Markup:
    parts: Any = _environment().get_template("parts.html").module
    article: Markup = parts.article(page, level, None if page.plays.film else _inline(page.thumbnail))
    return article


def _inline(picture: bytes | None) -> str | None:
    kind = picture_type(picture) if picture else None
    if picture is None or kind is None or len(picture) > _INLINE:
        return None
    return f"data:{kind[1]};base64,{base64.b64encode(picture).decode()}"


def _layout(title: str, body: Markup | str, *styles: str, images: str = "data:") -> str:
    """`images` is from where pictures, sound and films may come."""
    css = "".join(map(_style, ("base.css", *styles)))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return _render(
        "layout.html", title=title, body=_markup(body), css=_markup(css), css_hash=f"sha256-{digest}", images=images
    )


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(values)


def _shown(row: Row) -> dict[str, Any]:
    def address(name: str) -> str:
        return f"{quote(row.folder or '')}/{name}"

    opens = next((name for name in _OPENED if name in row.files), None)
    plays = Plays(**{kind: address(name) for kind, name in _PLAYED.items() if name in row.files})
    return {
        "page": row.page,
        "picture": next((address(name) for name in row.files if name.startswith("thumbnail.")), plays.poster),
        "plays": plays,
        "opens": address(opens) if opens else None,
        "files": [(label, address(name)) for name, label in _FILES if name in row.files],
    }


def _meter(rows: Sequence[Row]) -> Iterator[_Bar]:
    tally = Counter(words.tone(row.page.state) for row in rows)
    start = 0.0
    for tone, label in _TONES.items():
        width = tally[tone] / len(rows) * 1000 if rows else 0
        if width:
            yield _Bar(tone, label, tally[tone], start, width)
        start += width


def _facts(batch: ExportedBatch) -> list[str]:
    return [
        words.counted(batch.total, "video"),
        words.clean(batch.pipeline),
        f"batch {batch.status.value}",
        f"{batch.created_at.day} {batch.created_at:%B %Y, %H:%M %Z}".strip(),
    ]


def _lines(batch: ExportedBatch) -> dict[str, Any]:
    return {
        "invalid": batch.rejected(Rejection.INVALID),
        "duplicates": batch.rejected(Rejection.DUPLICATE),
    }


def _index_name(number: int) -> str:
    return f"index-{number + 1}.html" if number else "index.html"


def _page_link(number: int, total: int, *, current: bool) -> dict[str, Any]:
    first, last = number * ROWS + 1, min((number + 1) * ROWS, total)
    return {"name": _index_name(number), "label": f"{first}-{last}", "current": current}


def _markup(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  (our own style sheets, and what our own templates have escaped)


def _coded(text: str) -> Markup:
    """Our own messages put commands between backticks: these as code, all of it escaped."""
    from markupsafe import Markup

    parts = enumerate(text.split("`"))
    return Markup().join(Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in parts)


@cache
def _style(name: str) -> str:
    return files("rushes.batches.export").joinpath("templates", name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("rushes.batches.export"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["coded"] = _coded
    environment.filters["shortened"] = shortened
    for name in ("clean", "counted", "place", "tone"):
        environment.filters[name] = getattr(words, name)
    return environment
