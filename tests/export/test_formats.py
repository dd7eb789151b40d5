"""Each format of `batch export`, opened the way its readers open it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pypdf
import pytest

from rushes.batches.export import ExportedItem, Format, RejectedLine, Rejection, file_name, words, write_export
from rushes.batches.export.tables import COLUMNS
from rushes.errors import UsageError
from rushes.media.captions import read_captions

from .conftest import HOSTILE, MakeItem, batch_of, everything, export, failed, one_by_one, rejected, waiting


def rows_of(exported: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported.decode("utf-8-sig"), newline="")))


def archive(exported: bytes) -> zipfile.ZipFile:
    opened = zipfile.ZipFile(io.BytesIO(exported))
    assert opened.testzip() is None
    return opened


async def test_json_holds_the_batch_with_every_document(make_item: MakeItem) -> None:
    told = json.loads(await export(Format.JSON, everything(make_item), lines=rejected()))
    assert [item["position"] for item in told["items"]] == [1, 2, 3, 4, 5, 6, 7]
    assert told["items"][0]["transcript"]["cues"][3]["start"] == 30
    assert told["items"][0]["summary"]["chapters"][1]["title"] == "Leases"
    assert told["items"][3] | {"transcript": None, "summary": None} == told["items"][3]
    assert (told["batch"]["name"], told["counts"]["total"]) == ("Evening talks", 7)
    assert (told["invalid"][0]["line"], told["duplicates"][0]["line"]) == (3, 5)


@pytest.mark.parametrize("form", list(Format))
async def test_a_batch_of_nothing_can_be_exported(form: Format) -> None:
    assert await export(form, []) or form in {Format.JSON_LINES, Format.TEXT}


async def test_an_empty_json_is_still_json() -> None:
    assert json.loads(await export(Format.JSON, []))["items"] == []


async def test_json_lines_are_items_then_rejected_lines(make_item: MakeItem) -> None:
    lines = (await export(Format.JSON_LINES, everything(make_item), lines=rejected())).decode().splitlines()
    told = [json.loads(line) for line in lines]
    assert [each["position"] for each in told] == [1, 2, 3, 4, 5, 6, 7, None, None]
    assert [each["status"] for each in told[-2:]] == ["invalid", "duplicate"]


async def test_csv_has_a_row_for_each_item_and_rejected_line(make_item: MakeItem) -> None:
    exported = await export(Format.CSV, everything(make_item), lines=rejected())
    assert exported.startswith(b"\xef\xbb\xbf")
    rows = rows_of(exported)
    assert tuple(rows[0]) == COLUMNS
    assert [row["position"] for row in rows] == ["1", "2", "3", "4", "5", "6", "7", "", ""]
    assert rows[0]["title"] == "Queues that never lose work"
    assert rows[0]["chapters"] == "0:00 Losing work\n2:10 Leases"
    assert rows[0]["work_seconds"] == "32.52"
    assert rows[3]["status"] == "pending"
    assert rows[7] | {"status": "invalid", "given": "htp:/nowhere", "origin": "talks.txt:3"} == rows[7]


@pytest.mark.parametrize(
    "evil",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "  =1+1",
        "＝1+1",
        "＠x",
        "=cmd|'/c calc'!A0",
        '=HYPERLINK("http://x","y")',
        "\t=1",
        "\r=1",
    ],
)
async def test_csv_cells_are_never_formulas(make_item: MakeItem, evil: str) -> None:
    line = RejectedLine(Rejection.INVALID, evil, evil, evil)
    item = make_item(1, evil, text=evil, reference=evil, engines={evil: evil}, error_class=evil, remedy=evil)
    rows = rows_of(await export(Format.CSV, [item, failed(2, evil)], lines=[line]))
    for row in rows:
        for cell in row.values():
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert rows[0]["title"] == f"'{words.clean(evil)}"


async def test_csv_quotes_every_cell_so_that_no_separator_starts_one(make_item: MakeItem) -> None:
    text = (await export(Format.CSV, [make_item(1, 'a;=1+1,"b"\n=2')])).decode("utf-8-sig")
    first = text.split("\r\n")[1]
    assert first.startswith('"1","completed","a;=1+1,""b"" =2",')


async def test_text_has_every_transcript_under_its_title(make_item: MakeItem) -> None:
    text = (await export(Format.TEXT, everything(make_item), lines=rejected())).decode()
    assert "1. Queues that never lose work\n===" in text
    assert "A lease is a right to one job until a time." in text
    assert "(waiting)" in text
    assert "(skipped: A collection: its videos are items of their own.)" in text
    assert "invalid: talks.txt:3: htp:/nowhere (not a URL and no such file)" in text


async def test_a_zip_is_the_results_folder(make_item: MakeItem) -> None:
    opened = archive(await export(Format.ZIP, everything(make_item), lines=rejected()))
    top = "evening-talks"
    told = json.loads(opened.read(f"{top}/manifest.json"))
    listed = {
        f"{top}/{entry['folder']}/{name}" for entry in told["items"] for name in entry["files"] if entry["folder"]
    }
    assert set(opened.namelist()) == listed | {f"{top}/manifest.json", f"{top}/index.html"}
    assert len(set(opened.namelist())) == len(opened.namelist())
    assert b"Queues that never lose work" in opened.read(f"{top}/001-queues-that-never-lose-work/summary.html")


async def test_no_member_of_an_archive_can_leave_its_folder(make_item: MakeItem) -> None:
    items = [make_item(1, "../../evil", key="youtube:../x"), make_item(2, "/etc/passwd"), make_item(3, "C:\\x")]
    for form in (Format.ZIP, Format.VTT):
        for name in archive(await export(form, items, name="../" + HOSTILE)).namelist():
            assert not name.startswith(("/", "\\"))
            assert ".." not in name
            assert "\\" not in name
            assert ":" not in name


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.PDF])
async def test_an_export_of_the_same_batch_is_the_same_bytes(form: Format, make_item: MakeItem) -> None:
    items = everything(make_item)
    assert await export(form, items) == await export(form, items)


async def test_a_zip_can_go_to_a_pipe(make_item: MakeItem) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, content: Any) -> int:
            self.written += content
            return len(content)

    pipe = Pipe()
    await write_export(Format.ZIP, batch_of([make_item(1)]), one_by_one([make_item(1)]), pipe)  # type: ignore[arg-type]
    assert len(archive(bytes(pipe.written)).namelist()) == 10


@pytest.mark.parametrize(("form", "first"), [(Format.VTT, "WEBVTT"), (Format.SRT, "1\n00:00:00,000 --> ")])
async def test_captions_of_one_item_are_a_file(form: Format, first: str, make_item: MakeItem, tmp_path: Path) -> None:
    exported = await export(form, [make_item(1)])
    assert exported.decode().startswith(first)
    (tmp_path / f"talk.{form}").write_bytes(exported)
    cues = read_captions(tmp_path / f"talk.{form}")
    assert (cues[1].text, cues[1].start) == ("A lease is a right to one job until a time.", 10)


@pytest.mark.parametrize("form", [Format.VTT, Format.SRT])
async def test_captions_of_several_items_are_a_zip_of_files(form: Format, make_item: MakeItem) -> None:
    opened = archive(await export(form, [make_item(1, "One"), failed(2), make_item(3, "Three")]))
    top = "evening-talks"
    assert opened.namelist() == [f"{top}/001-one.{form}", f"{top}/003-three.{form}", f"{top}/manifest.json"]
    told = json.loads(opened.read(f"{top}/manifest.json"))
    assert [entry["file"] for entry in told["items"]] == [f"001-one.{form}", None, f"003-three.{form}"]
    assert told["items"][1]["reason"] == "talks.example.org answered 404"


async def test_captions_of_an_item_without_any_are_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match=r"v/1 has no transcript: it is failed \(talks.example.org answered 404\)"):
        await export(Format.SRT, [failed(1)])


async def test_a_failing_output_is_an_error(make_item: MakeItem) -> None:
    class Full(io.BytesIO):
        def write(self, _content: Any) -> int:
            raise OSError(28, "No space left on device")

    for form in Format:
        with pytest.raises(OSError, match="No space left"):
            await write_export(form, batch_of([make_item(1)]), one_by_one([make_item(1)]), Full())


@pytest.mark.parametrize("form", list(Format))
async def test_hostile_items_are_exported_in_every_format(form: Format, make_item: MakeItem) -> None:
    items: list[ExportedItem] = [make_item(1, HOSTILE, text=HOSTILE), failed(2, HOSTILE), waiting(3)]
    assert len(await export(form, items, name=HOSTILE, lines=[RejectedLine(Rejection.INVALID, HOSTILE, HOSTILE)])) > 500


async def test_secrets_in_addresses_are_in_no_export(make_item: MakeItem) -> None:
    address = "https://me:hunter2@talks.example.org/v?token=hunter3"
    items = [
        make_item(1, given=address, notes=(f"Fetched {address}.",)),
        failed(2, f"{address} answered 403", given=address),
    ]
    lines = [RejectedLine(Rejection.INVALID, address, f"{address} is odd", address)]
    for form in Format:
        exported = await export(form, items, lines=lines)
        found = archive(exported) if exported.startswith(b"PK") else None
        content = b"".join(map(found.read, found.namelist())) if found else exported
        if form is Format.PDF:
            content = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(exported)).pages).encode()
        assert b"talks.example.org" in content
        assert b"hunter" not in content, form


def test_a_file_is_named_after_its_batch(make_item: MakeItem) -> None:
    several, single = batch_of([failed(1), failed(2)], name="Talks of May!"), batch_of([failed(1)], name="../../x")
    assert file_name(Format.PDF, several) == "talks-of-may.pdf"
    assert file_name(Format.SRT, several) == "talks-of-may.srt.zip"
    assert file_name(Format.SRT, single) == "x.srt"
    assert file_name(Format.ZIP, batch_of([], name="👩")) == "batch-7.zip"
