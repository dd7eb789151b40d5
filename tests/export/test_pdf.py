"""The PDF, read back by another library: words, bookmarks, links, page numbers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pypdf
import pytest
from pypdf.generic import Destination

from rushes.batches.export import ExportedItem, Format

from .conftest import HOSTILE, MakeItem, everything, export, failed, rejected


async def read(items: list[ExportedItem], **facts: object) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(await export(Format.PDF, items, **facts)))


def words_of(page: pypdf.PageObject) -> str:
    return " ".join(page.extract_text().split())


def bookmarks(outline: object) -> Iterator[str]:
    for entry in outline if isinstance(outline, list) else [outline]:
        if isinstance(entry, list):
            yield from bookmarks(entry)
        elif isinstance(entry, Destination):
            yield str(entry.title)


def addresses(reader: pypdf.PdfReader) -> set[str]:
    found = set()
    for page in reader.pages:
        for annotation in page.get("/Annots", []):
            action = annotation.get_object().get("/A", {})
            if "/URI" in action:
                found.add(str(action["/URI"]))
    return found


async def test_everything_is_there_to_read(make_item: MakeItem) -> None:
    reader = await read(everything(make_item), lines=rejected())
    pages = [words_of(page) for page in reader.pages]
    assert pages[0].startswith("Evening talks 7 videos · summarize · batch completed · 2026-05-22")
    assert "1 Queues that never lose work done 2" in pages[0]
    assert "KEY POINTS 1:23 When a worker comes back late, its outcome is refused." in pages[1]
    assert "https://talks.example.org/v/4" in " ".join(pages)
    assert "talks.txt:3: htp:/nowhere not a URL and no such file" in pages[-1]


async def test_pages_are_numbered_and_none_is_empty(make_item: MakeItem) -> None:
    reader = await read([make_item(1), make_item(2), failed(3)])
    for number, page in enumerate(reader.pages, start=1):
        text = words_of(page)
        assert f"Evening talks {number} / {len(reader.pages)}" in text
        assert len(text) > 100


async def test_chapters_link_into_the_video(make_item: MakeItem) -> None:
    found = addresses(await read([make_item(1)]))
    assert {
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=83s",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=130s",
    } <= found


async def test_bookmarks_lead_to_items_and_chapters(make_item: MakeItem) -> None:
    reader = await read([make_item(1, "One"), make_item(2, "日本語")])
    assert list(bookmarks(reader.outline)) == [
        "1. One",
        "0:00 Losing work",
        "2:10 Leases",
        "2. 日本語",
        "0:00 Losing work",
        "2:10 Leases",
    ]


async def test_the_contents_lead_to_their_pages(make_item: MakeItem) -> None:
    items = [make_item(number, f"Talk number {number}") for number in range(1, 41)]
    reader = await read(items)
    first, second = words_of(reader.pages[0]), words_of(reader.pages[1])
    assert "36 Talk number 36 done 38" in first
    assert "37 Talk number 37 done 39" in second
    assert "Talk number 36" in words_of(reader.pages[37])


async def test_letters_that_the_font_lacks_are_named(make_item: MakeItem) -> None:
    text = words_of((await read([make_item(1, "Grüße, Ωмега и 日本語 مرحبا 👩‍👩‍👧")])).pages[1])
    assert "Grüße, Ωмега и �" in text
    assert "This PDF's font lacks some characters, shown as �: 3 Chinese; 5 Arabic; 3 symbols." in text


async def test_hostile_text_links_nowhere(make_item: MakeItem) -> None:
    reader = await read([make_item(1, HOSTILE, text=HOSTILE)])
    assert all(found.startswith("https://www.youtube.com/watch?v=dQw4w9WgXcQ") for found in addresses(reader))
    assert '<script>alert("x")</script>' in words_of(reader.pages[1])


async def test_regular_and_bold_are_two_weights(make_item: MakeItem) -> None:
    reader = await read([make_item(1)])
    fonts: Any = reader.pages[1]["/Resources"]
    files = [found["/DescendantFonts"][0]["/FontDescriptor"]["/FontFile2"] for found in fonts["/Font"].values()]
    assert len({file.get_object().get_data() for file in files}) == 2


@pytest.mark.parametrize("thumbnail", [b"", b"\xff\xd8\xff broken", b"GIF89a", b"RIFF\x00\x00\x00\x00WEBPnothing"])
async def test_a_broken_picture_is_left_out(make_item: MakeItem, thumbnail: bytes) -> None:
    item = make_item(1, "A talk")
    assert item.documents.thumbnail
    item.documents.thumbnail.write_bytes(thumbnail)
    assert "A talk" in words_of((await read([item])).pages[1])


async def test_the_same_batch_gives_the_same_pdf(make_item: MakeItem) -> None:
    items = everything(make_item)
    assert await export(Format.PDF, items) == await export(Format.PDF, items)
