"""Markdown that is read back by a parser says what the item said, and nothing of it becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rushes.batches.export import Format, words
from rushes.batches.export.markdown import escape, page_markdown
from rushes.batches.export.page import page

from .conftest import (
    HOSTILE,
    MakeItem,
    everything,
    export,
    failed,
    make_insights,
    make_summary,
    make_video,
    rejected,
    write_documents,
)

PARSER = MarkdownIt("gfm-like", {"linkify": False})


def tokens(text: str) -> Iterable[Any]:
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def shown(text: str) -> str:
    """What a reader sees of it."""
    return "".join(
        token.content if token.type != "softbreak" else "\n"
        for token in tokens(text)
        if token.type in {"text", "softbreak"}
    )


def kinds(text: str) -> set[str]:
    return {token.type for token in tokens(text)}


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="\\`*_{}[]()<>#+-.!|~&=$1 \n:/", max_size=30)))
def test_escaped_text_shows_as_itself(text: str) -> None:
    cleaned = words.clean(text)
    assert shown(f"before {escape(text)}") == f"before {cleaned}".strip()
    assert kinds(escape(text)) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    assert "".join(token.content for token in tokens(escape(text)) if token.type == "text") == cleaned


def test_an_items_page_has_title_links_and_times(make_item: MakeItem) -> None:
    item = make_item(1, "Queues that never lose work")
    text = page_markdown(page(item, item.documents.load()))
    assert text.startswith("# Queues that never lose work\n")
    assert "[1:23](https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=83s) When a worker comes back late" in text
    assert "[2:10](https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=130s) **Leases**" in text
    assert "transcribe: faster-whisper 1.2.1 (tiny.en), 32 s" in text
    assert "cost: \\$0.0123" in text


def test_hostile_text_makes_no_markup(make_item: MakeItem) -> None:
    item = make_item(2, HOSTILE, text=HOSTILE)
    text = page_markdown(page(item, item.documents.load()))
    assert not kinds(text) & {
        "html_block",
        "html_inline",
        "image",
        "code_inline",
        "fence",
        "code_block",
        "em_open",
        "table_open",
    }
    links = [token.attrs["href"] for token in tokens(text) if token.type == "link_open"]
    assert links
    assert all(link.startswith("https://www.youtube.com/watch?v=dQw4w9WgXcQ") for link in links)


def test_insights_are_written_with_their_questions(tmp_path: Path) -> None:
    summary = make_summary("A", template="insights", insights=make_insights("What we found"))
    documents = write_documents(tmp_path, video=make_video("A"), summary=summary)
    text = page_markdown(page(failed(1), documents.load()))
    for heading in ("What we found", "Introduction", "What it builds", "Technologies and services", "How it was done"):
        assert re.search(rf"^#+ {heading}$", text, re.MULTILINE)
    assert "**What we found**" in text
    assert "(https://code.example.org/queue)" in text
    assert "](javascript:" not in text


def test_without_a_summary_the_transcript_is_there_to_read(make_item: MakeItem) -> None:
    item = make_item(1)
    loaded = item.documents.load()
    full = page_markdown(page(item, loaded))
    alone = page_markdown(page(item, type(loaded)(video=loaded.video, transcript=loaded.transcript)))
    assert "# Transcript" not in full
    assert "# Transcript" in alone
    assert "[1:00](https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=60s) When a worker comes back late" in alone


async def test_a_batch_is_one_document_with_contents(make_item: MakeItem) -> None:
    text = (await export(Format.MARKDOWN, everything(make_item), lines=rejected())).decode()
    contents = text[: text.index('<a id="video-1">')]
    assert "1. [Queues that never lose work](#video-1) (done)" in contents
    assert "4. [https\\://talks.example.org/v/4](#video-4) (waiting)" in contents
    assert "talks.txt:3, “htp:/nowhere”: not a URL and no such file" in contents
    assert "talks.txt:5" in contents
    assert [int(number) for number in re.findall(r'<a id="video-(\d+)">', text)] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("reason", ["the page is not there", HOSTILE])
async def test_a_failure_says_why_and_what_to_do(reason: str) -> None:
    text = (await export(Format.MARKDOWN, [failed(1, reason, remedy="Ask its owner.")])).decode()
    assert words.clean(reason) in shown(text)
    assert "What to do: Ask its owner." in text
