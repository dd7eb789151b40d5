"""The results folder, as a person finds it on disk: whole, stable, and never half-written."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rushes.batches.export import Documents, ExportedItem, NameTemplate, ResultsFolder
from rushes.model import BatchStatus, ItemStatus

from .conftest import (
    HOSTILE,
    MakeItem,
    batch_of,
    everything,
    failed,
    make_transcript,
    make_video,
    one_by_one,
    rejected,
    waiting,
    write_documents,
)

WHOLE = {
    *("summary.md", "summary.html", "transcript.vtt", "transcript.srt", "transcript.txt", "transcript.json"),
    *("item.json", "thumbnail.jpg"),
}


def contents(root: Path) -> dict[str, str]:
    """Every file under it, by its hash."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def manifest(root: Path) -> Any:
    return json.loads((root / "manifest.json").read_bytes())


async def write_index(results: ResultsFolder, items: list[ExportedItem], **facts: Any) -> None:
    await results.write_index(batch_of(items, **facts), one_by_one(items))


def test_an_item_that_came_out_well_has_every_file(make_item: MakeItem, tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path / "out").write_item(make_item(1, "Queues that never lose work"))
    assert folder == tmp_path / "out" / "001-queues-that-never-lose-work"
    assert {path.name for path in folder.iterdir()} == WHOLE
    assert all(path.stat().st_size for path in folder.iterdir())


def test_item_json_has_the_item_with_its_documents(make_item: MakeItem, tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path / "out").write_item(make_item(1, reference="r-17"))
    assert folder
    record = json.loads((folder / "item.json").read_bytes())
    assert (record["position"], record["status"], record["reference"]) == (1, "completed", "r-17")
    assert record["summary"]["chapters"][1]["start"] == 130.2
    assert record["video"]["uploader"] == "Evenings"
    assert set(record["files"]) == WHOLE


def test_a_failed_item_has_its_reason_alone(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path / "out").write_item(failed(4, remedy="Ask its owner."))
    assert folder
    assert [path.name for path in folder.iterdir()] == ["item.json"]
    record = json.loads((folder / "item.json").read_bytes())
    assert (record["reason"], record["remedy"]) == ("talks.example.org answered 404", "Ask its owner.")


def test_an_item_that_failed_late_keeps_what_was_made(tmp_path: Path) -> None:
    documents = write_documents(tmp_path / "s", video=make_video("Silence"), transcript=make_transcript())
    folder = ResultsFolder(tmp_path / "out").write_item(failed(1, "no speech found", documents=documents))
    assert folder
    assert {"transcript.html", "transcript.vtt", "item.json"} <= {path.name for path in folder.iterdir()}
    assert not (folder / "summary.html").exists()


@pytest.mark.parametrize("status", [ItemStatus.PENDING, ItemStatus.PROCESSING, ItemStatus.CANCELLED])
def test_an_item_that_came_to_nothing_has_no_folder(status: ItemStatus, tmp_path: Path) -> None:
    assert ResultsFolder(tmp_path / "out").write_item(replace(waiting(1), status=status)) is None
    assert not list((tmp_path / "out").iterdir())


async def test_the_manifest_tells_everything_in_order(make_item: MakeItem, tmp_path: Path) -> None:
    items = everything(make_item)
    results = ResultsFolder(tmp_path / "out")
    await write_index(results, items, lines=rejected())
    told = manifest(tmp_path / "out")
    assert [entry["position"] for entry in told["items"]] == [1, 2, 3, 4, 5, 6, 7]
    assert told["counts"] == {"total": 7, "completed": 3, "failed": 1, "pending": 1, "skipped": 2}
    assert told["batch"]["options"] == {"summarize": {"length": "detailed"}}
    first, third = told["items"][0], told["items"][2]
    assert (first["given"], first["key"]) == (items[0].given, "youtube:dQw4w9WgXcQ")
    assert first["engines"]["transcribe"] == "faster-whisper 1.2.1 (tiny.en)"
    assert (first["durations"]["transcribe"], first["cost"]) == (32.4, 0.0123)
    assert (third["status"], third["error_class"], third["remedy"]) == ("failed", "permanent", items[2].remedy)
    assert told["invalid"] == [
        {"line": 3, "origin": "talks.txt:3", "given": "htp:/nowhere", "reason": "not a URL and no such file"}
    ]
    assert [line["line"] for line in told["duplicates"]] == [5]


async def test_every_folder_that_the_manifest_names_is_there(make_item: MakeItem, tmp_path: Path) -> None:
    root = tmp_path / "out"
    await write_index(ResultsFolder(root), everything(make_item))
    entries = manifest(root)["items"]
    assert [bool(entry["folder"]) for entry in entries] == [True, True, True, False, True, False, True]
    for entry in entries:
        if entry["folder"]:
            assert sorted(path.name for path in (root / entry["folder"]).iterdir()) == entry["files"]
    assert sorted(path.name for path in root.iterdir() if path.is_dir()) == sorted(
        entry["folder"] for entry in entries if entry["folder"]
    )


async def test_writing_again_gives_the_same_bytes(make_item: MakeItem, tmp_path: Path) -> None:
    root, items = tmp_path / "out", everything(make_item)
    results = ResultsFolder(root)
    for item in reversed(items):
        results.write_item(item)
    await write_index(results, items)
    before = contents(root)
    for item in items:
        results.write_item(item)
    await write_index(results, items)
    assert contents(root) == before
    again = ResultsFolder(root)
    for item in items:
        again.write_item(item)
    await write_index(again, items)
    assert contents(root) == before


async def test_an_index_while_running_shows_what_there_is(make_item: MakeItem, tmp_path: Path) -> None:
    root, results = tmp_path / "out", ResultsFolder(tmp_path / "out")
    await write_index(results, [make_item(1), waiting(2)], status=BatchStatus.PROCESSING)
    assert [entry["status"] for entry in manifest(root)["items"]] == ["completed", "pending"]
    await write_index(results, [make_item(1), make_item(2)])
    assert [entry["status"] for entry in manifest(root)["items"]] == ["completed", "completed"]
    assert manifest(root)["batch"]["status"] == "completed"


async def test_a_folder_that_somebody_deleted_comes_back(make_item: MakeItem, tmp_path: Path) -> None:
    root, items = tmp_path / "out", [make_item(1, "One"), make_item(2, "Two")]
    await write_index(ResultsFolder(root), items)
    before = contents(root)
    for path in (root / "002-two").iterdir():
        path.unlink()
    (root / "002-two").rmdir()
    await write_index(ResultsFolder(root), items)
    assert contents(root) == before


def test_a_retry_that_went_well_takes_the_titles_name(make_item: MakeItem, tmp_path: Path) -> None:
    root = tmp_path / "out"
    bad = failed(3, key="youtube:dQw4w9WgXcQ")
    assert ResultsFolder(root).write_item(bad) == root / "003-3"
    assert ResultsFolder(root).write_item(make_item(3, "A talk")) == root / "003-a-talk"
    assert [path.name for path in root.iterdir()] == ["003-a-talk"]


def test_a_folder_keeps_its_name_when_the_title_changes(make_item: MakeItem, tmp_path: Path) -> None:
    root = tmp_path / "out"
    ResultsFolder(root).write_item(make_item(1, "First title"))
    assert ResultsFolder(root).write_item(make_item(1, "Second title")) == root / "001-first-title"


def test_a_failure_after_success_leaves_no_old_summary(make_item: MakeItem, tmp_path: Path) -> None:
    results = ResultsFolder(tmp_path / "out")
    folder = results.write_item(make_item(1))
    assert folder
    (folder / "my own notes.txt").write_text("kept")
    results.write_item(failed(1, key="youtube:dQw4w9WgXcQ"))
    assert sorted(path.name for path in folder.iterdir()) == ["item.json", "my own notes.txt"]


def test_what_lies_there_already_is_left_alone(make_item: MakeItem, tmp_path: Path) -> None:
    root = tmp_path / "out"
    (root / "001-a-talk").mkdir(parents=True)
    (root / "001-a-talk" / "holiday.jpg").write_text("mine")
    other = ResultsFolder(root).write_item(make_item(1, key="youtube:another"))
    assert other == root / "001-a-talk-1"
    assert ResultsFolder(root).write_item(make_item(1)) == root / "001-a-talk-1-2"
    assert (root / "001-a-talk" / "holiday.jpg").read_text() == "mine"


def test_equal_names_of_a_template_are_told_apart(make_item: MakeItem, tmp_path: Path) -> None:
    results = ResultsFolder(tmp_path / "out", NameTemplate("{slug}"))
    folders = [results.write_item(make_item(number, "Same")) for number in (1, 2, 3)]
    assert [folder.name for folder in folders if folder] == ["same", "same-2", "same-3"]


def test_hostile_names_stay_in_the_folder(make_item: MakeItem, tmp_path: Path) -> None:
    results = ResultsFolder(tmp_path / "out", NameTemplate("{title} {reference}"))
    results.write_item(make_item(1, HOSTILE, reference="../../../outside"))
    assert {path.name for path in tmp_path.iterdir()} == {"out", "storage"}
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_document_that_is_gone_is_said_and_stops_nothing(make_item: MakeItem, tmp_path: Path) -> None:
    item = make_item(1)
    assert item.documents.transcript
    item.documents.transcript.unlink()
    folder = ResultsFolder(tmp_path / "out").write_item(item)
    assert folder
    assert (folder / "summary.html").exists()
    assert (
        "The transcript could not be read from storage: No such file or directory."
        in (folder / "summary.md").read_text()
    )


def test_a_thumbnail_that_is_no_picture_is_left_out(tmp_path: Path) -> None:
    documents = write_documents(tmp_path / "s", transcript=make_transcript(), thumbnail=b"<svg onload=alert(1)>")
    folder = ResultsFolder(tmp_path / "out").write_item(failed(1, documents=documents))
    assert folder
    assert not list(folder.glob("thumbnail*"))


def test_leftovers_of_killed_writers_go_when_they_are_old(tmp_path: Path) -> None:
    young, old = tmp_path / ".rushes-young", tmp_path / ".rushes-old"
    for folder in (young, old):
        folder.mkdir()
        (folder / "summary.md").write_text("half")
    os.utime(old, (0, 0))
    ResultsFolder(tmp_path)
    assert young.exists()
    assert not old.exists()


def test_a_place_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OSError, match="out"):
        ResultsFolder(tmp_path / "out")


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from rushes.batches.export import Documents, ExportedItem, ResultsFolder
from rushes.model import ItemStatus
root, storage = Path(sys.argv[1]), Path(sys.argv[2])
documents = Documents(*(storage / name for name in ("video.json", "transcript.json", "summary.json", "thumbnail")))
key = "youtube:dQw4w9WgXcQ"
item = ExportedItem(1, "talk", key, ItemStatus.COMPLETED, title="A talk", documents=documents)
results = ResultsFolder(root)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
try:
    results.write_item(item)
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("earlier", [False, True])
def test_a_write_that_fails_midway_leaves_what_was_there(make_item: MakeItem, tmp_path: Path, *, earlier: bool) -> None:
    root, item = tmp_path / "out", make_item(1)
    if earlier:
        ResultsFolder(root).write_item(item)
    before = contents(root) if earlier else {}
    storage = item.documents.video.parent if item.documents.video else tmp_path
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(root), str(storage)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "OSError"
    assert contents(root) == before
    assert [path.name for path in root.iterdir()] == (["001-a-talk"] if earlier else [])


def test_an_item_without_documents_may_still_be_completed(tmp_path: Path) -> None:
    item = replace(failed(1), status=ItemStatus.COMPLETED, reason=None, documents=Documents())
    folder = ResultsFolder(tmp_path / "out").write_item(item)
    assert folder
    assert [path.name for path in folder.iterdir()] == ["item.json"]
