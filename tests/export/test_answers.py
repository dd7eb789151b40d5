"""What a service answered, in the results folder and in every format that tells what items came to."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from rushes.batches.export import Documents, ExportedItem, Format, ResultsFolder
from rushes.model import ItemStatus

from .conftest import HOSTILE, batch_of, export, one_by_one


def answered(folder: Path, text: str, *, name: str = "answer.txt", position: int = 1) -> ExportedItem:
    path = folder / f"{position}-{name}"
    path.write_text(text, encoding="utf-8")
    return ExportedItem(
        position, f"https://example.org/{position}", f"url:{position}", ItemStatus.COMPLETED,
        engines={"process": "processor.example"}, documents=Documents(answer=path),
    )  # fmt: skip


async def test_an_answer_has_a_file_that_the_index_opens(tmp_path: Path):
    items = [
        answered(tmp_path, "A text.\n\nOf two paragraphs."),
        answered(tmp_path, '{"b": 1.50}', name="answer.json", position=2),
    ]
    results = ResultsFolder(tmp_path / "out")
    folders = [folder for item in items if (folder := results.write_item(item))]
    await results.write_index(batch_of(items), one_by_one(items))
    assert [sorted(path.name for path in folder.iterdir()) for folder in folders] == [
        ["answer.txt", "item.json"], ["answer.json", "item.json"],
    ]  # fmt: skip
    assert (folders[0] / "answer.txt").read_text() == "A text.\n\nOf two paragraphs."
    assert (folders[1] / "answer.json").read_text() == '{"b": 1.50}'
    index = (tmp_path / "out" / "index.html").read_text()
    assert f'href="{folders[0].name}/answer.txt"' in index
    assert f'href="{folders[1].name}/answer.json"' in index


async def test_programs_get_it_as_text_or_as_what_its_json_says(tmp_path: Path):
    items = [
        answered(tmp_path, "A text."),
        answered(tmp_path, '{"b": [1]}', name="answer.json", position=2),
        answered(tmp_path, '{"b": ', name="answer.json", position=3),
    ]
    told = json.loads(await export(Format.JSON, items))
    assert [item["answer"] for item in told["items"]] == ["A text.", {"b": [1]}, '{"b": ']
    rows = list(csv.DictReader(io.StringIO((await export(Format.CSV, items)).decode("utf-8-sig"), newline="")))
    assert [row["answer"] for row in rows] == ["A text.", '{"b": [1]}', '{"b": ']
    assert {row["overview"] for row in rows} == {""}


async def test_readers_get_it_in_every_document_and_no_markup_of_its_author_s(tmp_path: Path):
    items = [answered(tmp_path, f"A text.\n\n{HOSTILE}")]
    assert "A text." in (await export(Format.TEXT, items)).decode()
    markdown = (await export(Format.MARKDOWN, items)).decode()
    assert "A text." in markdown
    html = (await export(Format.HTML, items)).decode()
    assert "A text." in html
    for written in (markdown, html):
        assert "<script>alert" not in written


async def test_an_answer_like_a_formula_is_none_in_a_spreadsheet(tmp_path: Path):
    exported = await export(Format.CSV, [answered(tmp_path, '=HYPERLINK("http://evil.example")')])
    assert b"\"'=HYPERLINK" in exported
