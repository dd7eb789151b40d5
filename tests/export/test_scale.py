"""Two thousand items pass through an export one at a time: what is held grows by lines of a table, not by documents."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rushes.batches.export import ExportedItem, Format, ResultsFolder, write_export

from .conftest import MakeItem, batch_of

ITEMS = 2000
EARLY = 200


class Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        return len(content)


def resident() -> int:
    """This process's memory in kB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.parametrize("form", [Format.JSON_LINES, Format.HTML, Format.ZIP])
async def test_memory_stays_bounded(form: Format, make_item: MakeItem) -> None:
    item, marks = make_item(1), []

    async def many() -> AsyncIterator[ExportedItem]:
        for position in range(1, ITEMS + 1):
            if position in {EARLY, ITEMS}:
                marks.append(resident())
            yield replace(item, position=position)

    batch = replace(batch_of([item]), counts={"total": ITEMS, "completed": ITEMS})
    await write_export(form, batch, many(), Nowhere())  # type: ignore[arg-type]
    assert marks[1] - marks[0] < 50_000  # the documents of all of them would be over 100 MB


async def test_an_index_written_again_reads_no_document_again(make_item: MakeItem, tmp_path: Path) -> None:
    items = [make_item(number) for number in range(1, 21)]

    async def listed() -> AsyncIterator[ExportedItem]:
        for item in items:
            yield item

    results = ResultsFolder(tmp_path / "out")
    await results.write_index(batch_of(items), listed())
    for item in items:
        assert item.documents.summary
        item.documents.summary.unlink()  # whoever reads it again will say that it is missing
    await results.write_index(batch_of(items), listed())
    assert (tmp_path / "out" / "index.html").read_text().count("A queue that loses work") == len(items)
