"""Pages that a strict HTML parser reads back: whole in themselves, harmless, readable in light and dark."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from rushes.batches.export import Format, words
from rushes.batches.export.html import ROWS, Row, index_pages, page_html
from rushes.batches.export.page import page

from .conftest import (
    HOSTILE,
    MakeItem,
    batch_of,
    everything,
    export,
    failed,
    make_insights,
    make_summary,
    make_video,
    rejected,
    waiting,
    write_documents,
)

PARSER = html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
"""Raises on anything that is not HTML as the standard has it."""


def parse(text: str | bytes) -> Any:
    return PARSER.parse(text.decode() if isinstance(text, bytes) else text)


def texts(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def links(tree: Element) -> Iterator[str]:
    for element in tree.iter():
        for name, value in element.attrib.items():
            if name.rpartition("}")[2] in {"href", "src", "action", "poster", "data"}:
                yield value


def summary_page(item: Any) -> str:
    return page_html(page(item, item.documents.load()))


def index(items: list[Any], **facts: Any) -> str:
    rows = [Row(page(item, item.documents.load(transcript=False))) for item in items]
    return dict(index_pages(batch_of(items, **facts), rows))["index.html"]


def test_a_summary_has_everything_in_reading_order(make_item: MakeItem) -> None:
    tree = parse(summary_page(make_item(1, "Queues that never lose work")))
    headings = [texts(element) for element in tree.iter() if element.tag in {"h1", "h2"}]
    assert headings == [
        "Queues that never lose work",
        "Overview",
        "Key points",
        "Chapters",
        "Topics",
        "How this was made",
    ]
    assert "A queue that loses work is worse than none at all." in texts(tree.find(".//section[@class='overview']"))
    assert "faster-whisper 1.2.1 (tiny.en), 32 s" in texts(tree.find(".//section[@class='made']"))
    assert tree.find(".//figure/img").get("src").startswith("data:image/jpeg;base64,")
    assert tree.find(".//main/article") is not None


def test_times_link_into_the_video(make_item: MakeItem) -> None:
    tree = parse(summary_page(make_item(1)))
    times = {texts(link): link.get("href") for link in tree.iter("a") if link.get("class") == "clock"}
    assert times["1:23"] == "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=83s"
    assert times["2:10"] == "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=130s"
    assert times["3:10"].endswith("&t=190s")  # in the transcript


def test_a_local_video_is_linked_as_a_file(tmp_path: Path) -> None:
    video = make_video("A talk", key="file:ab", url=None, path="/srv/talks/a talk.mp4")
    documents = write_documents(tmp_path, video=video, summary=make_summary("A talk"))
    assert "file:///srv/talks/a%20talk.mp4#t=130" in set(links(parse(page_html(page(failed(1), documents.load())))))


def test_a_page_asks_nobody_for_anything(make_item: MakeItem) -> None:
    for item in everything(make_item):
        tree = parse(summary_page(item))
        assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {each.tag for each in tree.iter()}
        assert all(image.get("src", "").startswith("data:image/jpeg;base64,") for image in tree.iter("img"))
        assert not re.search(r"url\(|@import|@font-face", tree.find(".//style").text)


def test_the_policy_allows_this_style_sheet_and_nothing_else(make_item: MakeItem) -> None:
    for text in (summary_page(make_item(1)), index([make_item(1)])):
        tree = parse(text)
        policy = tree.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
        digest = base64.b64encode(hashlib.sha256(tree.find(".//style").text.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert not [element.tag for element in tree.iter() if "style" in element.attrib]


def test_hostile_text_stays_text(make_item: MakeItem) -> None:
    item = make_item(2, HOSTILE, text=HOSTILE)
    tree = parse(summary_page(item))
    assert not list(tree.iter("script"))
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
    assert texts(tree.find(".//h1")) == " ".join(words.clean(HOSTILE).split())
    assert not any("\u202e" in text for text in tree.itertext())
    assert all(
        link.startswith(("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "data:image/jpeg")) for link in links(tree)
    )


def test_backticks_in_our_messages_become_code_without_letting_markup_in() -> None:
    tree = parse(index([failed(1, "try `<b>x</b>`", remedy="run `rushes doctor` & wait")]))
    assert [texts(code) for code in tree.iter("code")] == ["<b>x</b>", "rushes doctor"]


def test_insights_are_shown_as_a_chapter(tmp_path: Path) -> None:
    summary = make_summary("A", template="insights", insights=make_insights("What we found"))
    tree = parse(page_html(page(failed(1), write_documents(tmp_path, video=make_video("A"), summary=summary).load())))
    told = texts(tree.find(".//section[@class='essay']"))
    for said in (
        "What we found",
        "Introduction",
        "Then fence it.",
        "Questions and answers",
        "Demo: javascript:alert(1)",
    ):
        assert said in told
    assert "javascript:alert(1)" not in set(links(tree))


def test_the_index_lists_every_item_in_order_with_state_and_reason(make_item: MakeItem) -> None:
    tree = parse(index(everything(make_item), lines=rejected()))
    rows = [row for row in tree.iter("tr") if row.get("data-state")]
    assert [row.get("data-state") for row in rows] == ["done", "done", "failed", "open", "done", "left", "done"]
    assert [texts(next(row.iter("td"))) for row in rows] == list("1234567")
    assert "A collection: its videos are items of their own." in texts(rows[5])
    assert "Done in an earlier run." in texts(rows[6])
    tables = [texts(table) for table in tree.iter("table") if table.get("class") == "lines"]
    assert "htp:/nowhere" in tables[0]
    assert "the same video as talks.txt:1" in tables[1]


def test_the_filters_count_what_they_show(make_item: MakeItem) -> None:
    labels = [texts(label) for label in parse(index(everything(make_item))).iter("label")]
    assert labels == ["7 videos", "4 done", "1 failed", "1 left out", "1 not finished"]


@pytest.mark.parametrize("items", [[], [failed(1), failed(2)], [waiting(1)]])
def test_an_index_of_nothing_good_is_still_a_page(items: list[Any]) -> None:
    tree = parse(index(items))
    assert len([row for row in tree.iter("tr") if row.get("data-state")]) == len(items)
    assert bool(items) != ("No videos yet." in texts(tree))


def test_many_items_are_shown_a_thousand_at_a_time() -> None:
    items = [failed(number) for number in range(1, 2 * ROWS + 2)]
    rows = [Row(page(item, item.documents.load())) for item in items]
    pages = dict(index_pages(batch_of(items), rows))
    assert list(pages) == ["index.html", "index-2.html", "index-3.html"]
    shown = [sum(bool(row.get("data-state")) for row in parse(text).iter("tr")) for text in pages.values()]
    assert shown == [ROWS, ROWS, 1]
    assert "index-3.html" in set(links(parse(pages["index.html"])))


def test_a_folders_name_is_quoted_in_links(make_item: MakeItem) -> None:
    row = Row(page(make_item(1), make_item(1).documents.load()), "001 é & #1", ("summary.html", "thumbnail.jpg"))
    found = set(links(parse(dict(index_pages(batch_of([]), [row]))["index.html"])))
    assert {"001%20%C3%A9%20%26%20%231/summary.html", "001%20%C3%A9%20%26%20%231/thumbnail.jpg"} <= found


async def test_a_batch_is_one_page_with_contents(make_item: MakeItem) -> None:
    tree = parse(await export(Format.HTML, everything(make_item), lines=rejected()))
    targets = {element.get("id") for element in tree.iter("article")}
    listed = [link for link in links(tree.find(".//nav")) if link.startswith("#")]
    assert listed == [f"#video-{number}" for number in range(1, 8)]
    assert {link[1:] for link in listed} == targets
    assert "htp:/nowhere" in texts(tree.find(".//nav"))


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(
    ("text", "back"),
    [("ink", "paper"), ("soft", "paper"), ("soft", "card"), ("accent", "paper"), ("accent", "mark"), ("paper", "ink")]
    + [(tone, f"{tone}-back") for tone in ("done", "failed", "open", "left")]
    + [("failed", "paper")],
)
def test_text_is_readable_in_light_and_dark(scheme: int, text: str, back: str) -> None:
    css = files("rushes.batches.export").joinpath("templates/base.css").read_text("utf-8")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", css.split(":root {")[scheme + 1]))
    assert contrast(colours[text], colours[back]) >= 4.5  # WCAG 2.2, 1.4.3 (AA)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
