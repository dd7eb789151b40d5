"""Markdown: `summary.md` of one item, and all summaries of a batch in one document.

Titles, transcripts and models' words are hostile text: whatever would be markup, HTML or an entity is escaped, and
nothing of it can begin a block of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rushes.batches.export import words
from rushes.batches.export.page import Essay, Moment, Page, Passage, Section
from rushes.batches.export.telling import Told
from rushes.batches.export.values import ExportedBatch, RejectedLine, Rejection
from rushes.shortening import shortened

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&$!^=])")
_BLOCK = re.compile(r"^([-+]|\d+(?=[.)]))")
_AUTOLINK = re.compile(r"(?i)\b(https?:|ftp:|www\.|mailto:)")


def escape(text: str) -> str:
    """One line of text that shows as itself wherever it stands."""
    shown = _MARKUP.sub(r"\\\1", words.clean(text))
    marked = _BLOCK.sub(_blunt, shown)
    return _AUTOLINK.sub(lambda found: f"{found[1][:-1]}\\{found[1][-1]}", marked)


def page_markdown(page: Page, *, level: int = 1) -> str:
    """One item; `level` is its title's heading."""
    return "\n\n".join(_blocks(page, level)) + "\n"


def script_markdown(page: Page) -> str:
    """The item's script alone."""
    assert page.script, "only an item with a script has one"
    return "\n\n".join([f"# {escape(page.script.title)}", *_script(page.script, "#")]) + "\n"


def head_markdown(batch: ExportedBatch) -> str:
    """How a document of the whole batch begins."""
    counts = ", ".join(f"{number} {name}" for name, number in batch.counts.items() if number and name != "total")
    facts = (f"{words.counted(batch.total, 'video')}: {counts or 'none yet'}", batch.pipeline, f"batch {batch.status}")
    return f"# {escape(batch.name)}\n\n{escape(' · '.join(facts))}\n"


def contents_markdown(page: Page) -> str:
    """The item's line in the table of contents."""
    reason = f": {escape(page.because)}" if page.because else ""
    return f"{page.position}. [{escape(page.title)}](#video-{page.position}) ({page.state}{reason})\n"


def rejected_markdown(batch: ExportedBatch) -> str:
    """The lines that became no item; empty if there are none."""
    parts = (
        _rejected("Invalid lines", batch.rejected(Rejection.INVALID)),
        _rejected("Duplicate lines", batch.rejected(Rejection.DUPLICATE)),
    )
    return "\n".join(filter(None, parts))


def _blunt(found: re.Match[str]) -> str:
    """Keep a line from starting a list."""
    return f"\\{found[1]}" if found[1] in "-+" else f"{found[1]}\\"


def _blocks(page: Page, level: int) -> Iterator[str]:
    mark = "#" * level
    yield f"{mark} {escape(page.title)}"
    if page.deck:
        yield f"**{escape(page.deck)}**"
    watch = [f"[Watch]({_address(page.link)})"] if page.link else []
    yield " · ".join([*watch, *map(escape, page.byline or (page.given,))])
    if page.because:
        yield f"**{page.state.capitalize()}**: {escape(page.because)}"
    if page.remedy:
        yield f"What to do: {escape(page.remedy)}"
    yield from map(escape, page.overview)
    if page.essay:
        yield from _essay(page.essay, mark)
    if page.points:
        yield f"{mark}# Key points"
        yield "\n".join(f"- {_moment(point.moment)} {escape(point.text)}" for point in page.points)
    if page.sections:
        yield f"{mark}# Chapters"
        yield "\n".join(map(_section, page.sections))
    if page.topics:
        yield f"{mark}# Topics"
        yield " · ".join(map(escape, page.topics))
    if page.script:
        yield f"{mark}# Script"
        yield from _script(page.script, f"{mark}#")
    yield from _transcript(page, mark)
    yield from _made(page, mark)


def _essay(essay: Essay, mark: str) -> Iterator[str]:
    yield f"{mark}# {escape(essay.title)}"
    for heading, text in essay.parts:
        yield f"{mark}## {heading}"
        yield from map(escape, text)
    if essay.technologies:
        yield f"{mark}## Technologies and services"
        yield _listed("-", essay.technologies)
    if essay.steps:
        yield f"{mark}## How it was done"
        yield _listed("1.", essay.steps)
    if essay.addresses:
        yield "\n".join(
            f"- {label}: {f'[{escape(text)}]({_address(link)})' if link else escape(text)}"
            for label, text, link in essay.addresses
        )
    if essay.answers:
        yield f"{mark}## Questions and answers"
    for each in essay.answers:
        yield f"**{escape(each.question)}**"
        yield escape(each.answer)


def _script(told: Told, mark: str) -> Iterator[str]:
    """What is said, under the titles of its sections, with what their slides show."""
    if told.hook:
        yield escape(told.hook)
    for part in told.parts:
        at = f"`{part.clock}` " if part.clock else ""
        yield f"{mark}# {at}{escape(part.title)}"
        yield escape(part.said)
        yield _listed("-", part.points)
    if told.takeaways:
        yield f"{mark}# To take away"
        yield _listed("-", told.takeaways)


def _section(section: Section) -> str:
    line = f"- {_moment(section.moment)} **{escape(section.title)}** ({section.lasting})"
    return "\n".join([line, *(f"  - {escape(point)}" for point in section.points)])


def _transcript(page: Page, mark: str) -> Iterator[str]:
    """The transcript itself, where there is no summary to read instead."""
    if page.summarized or not page.transcript:
        return
    yield f"{mark}# Transcript"
    yield from (part for passage in page.transcript for part in _passage(passage, mark))


def _passage(passage: Passage, mark: str) -> Iterator[str]:
    if passage.heading:
        yield f"{mark}## {escape(passage.heading)}"
    yield f"{_moment(passage.moment)} {escape(passage.text)}"


def _made(page: Page, mark: str) -> Iterator[str]:
    if page.made or page.notes:
        yield f"{mark}# How this was made"
        made = (f"{escape(each.stage)}: {escape(each.how)}" for each in page.made)
        yield "\n".join(f"- {line}" for line in [*made, *map(escape, page.notes)])


def _rejected(heading: str, lines: list[RejectedLine]) -> str:
    if not lines:
        return ""
    return f"## {heading}\n\n" + "".join(
        f"- {escape(words.place(line))}, “{escape(shortened(line.given))}”: {escape(line.reason)}\n" for line in lines
    )


def _listed(bullet: str, texts: Iterable[str]) -> str:
    return "\n".join(f"{bullet} {escape(text)}" for text in texts)


def _moment(moment: Moment) -> str:
    return f"[{moment.clock}]({_address(moment.link)})" if moment.link else f"`{moment.clock}`"


def _address(link: str) -> str:
    """A link's target that no bracket, blank or quote can end early."""
    return re.sub(r"[\s<>()\\\"'`*_\[\]|]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), link)
