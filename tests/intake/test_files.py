"""Files, folders and patterns become items known by their content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from rushes.batches.intake import Invalid, Valid
from rushes.batches.keys import FileKeysInMemory, FileKeysOnDisk, file_source
from rushes.errors import UsageError
from rushes.model import Trust

from .conftest import Write, read, told

ID = "dQw4w9WgXcQ"


def test_a_file_is_known_by_its_content_and_found_by_its_absolute_path(folder: Path, write: Write) -> None:
    write("talks/a talk.mp4", b"\0video")

    (line,) = read("talks/a talk.mp4")

    assert isinstance(line, Valid)
    assert line.item.source.key == "file:" + hashlib.sha256(b"\0video").hexdigest()
    assert line.item.source.location == str(folder / "talks" / "a talk.mp4")
    assert (line.item.given, line.item.origin) == ("talks/a talk.mp4", "")


def test_the_same_content_twice_is_a_duplicate_wherever_it_lies(write: Write) -> None:
    write("a.mp4", b"same")
    write("b.mov", b"same")
    write("list.txt", "a.mp4\nb.mov\n")

    assert told(read("a.mp4", "b.mov", "list.txt"))[1:] == [
        "argument 2 repeats argument 1",
        "list.txt:1 repeats argument 1",
        "list.txt:2 repeats argument 1",
    ]


def test_a_folder_gives_its_media_files_in_natural_order_without_hidden_ones(folder: Path, write: Write) -> None:
    names = ["10.mp4", "2.MP3", "b/1.wav", "b/c/x.mkv", "a.webm", "B.ogg"]
    for name in [*names, ".hidden.mp4", ".git/x.mp4", "notes.txt", "cover.jpg", "b/list.csv"]:
        write(f"talks/{name}", name)
    (folder / "talks" / "b" / "loop").symlink_to(folder / "talks", target_is_directory=True)

    lines = read("talks")

    expected = ["2.MP3", "10.mp4", "a.webm", "b/1.wav", "b/c/x.mkv", "B.ogg"]
    assert [line.item.given for line in lines if isinstance(line, Valid)] == [f"talks/{name}" for name in expected]
    assert all(isinstance(line, Valid) and line.item.origin == line.item.given for line in lines)


def test_an_empty_file_in_a_folder_is_reported_and_the_others_go_on(write: Write) -> None:
    write("talks/a.mp4", b"")
    write("talks/b.mp4", b"b")
    write("talks/c.mp4", b"b")

    assert told(read("talks"))[::2] == ["talks/a.mp4 is invalid", "talks/c.mp4 repeats talks/b.mp4"]


def test_a_pattern_stands_for_its_files_as_if_they_were_given(write: Write) -> None:
    for name in ("t10.mp4", "t2.mp4", "deep/er/t1.mp4"):
        write(name, name)

    assert [line.item.given for line in read("t*.mp4", "**/t1.mp4") if isinstance(line, Valid)] == [
        "t2.mp4",
        "t10.mp4",
        "deep/er/t1.mp4",
    ]


def test_a_file_whose_name_looks_like_a_pattern_or_an_id_is_that_file(write: Write) -> None:
    write("what[1].mp4", b"a")
    write(ID, b"\0b")

    assert [line.item.source.key[:5] for line in read("what[1].mp4", ID) if isinstance(line, Valid)] == ["file:"] * 2


def test_what_is_no_text_may_be_a_video_under_another_name(write: Write) -> None:
    write("recording", b"\x1aE\xdf\xa3\0\0")
    write("talk.mp4", "a text, which the download stage will find out")

    assert len([line for line in read("recording", "talk.mp4") if isinstance(line, Valid)]) == 2


def test_paths_in_a_list_are_relative_to_the_list(folder: Path, write: Write) -> None:
    write("lists/talks/a.mp4", b"a")
    write("b.mp4", b"b")
    write("lists/all.txt", f"talks/a.mp4\n../b.mp4\n{folder}/b.mp4\n{ID}\nyoutu.be/{ID}\n")

    assert told(read("lists/all.txt")) == [
        f"1 {folder}/lists/talks/a.mp4",
        f"2 {folder}/b.mp4",
        "lists/all.txt:3 repeats lists/all.txt:2",
        f"3 https://www.youtube.com/watch?v={ID}",
        "lists/all.txt:5 repeats lists/all.txt:4",
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("missing.mp4", "no such file, and no address"),
        ("talks", "a folder, not a file"),
        ("other.txt", "a list inside a list"),
        ("empty.mp4", "the file is empty"),
        ("pipe.mp4", "not a regular file"),
        ("dangling.mp4", "cannot be read: No such file"),
        ("x" * 5000, "no such file"),
        ("*.mp4", "no such file"),
    ],
)
def test_a_line_that_names_no_usable_file_is_invalid(folder: Path, write: Write, line: str, reason: str) -> None:
    write("talks/a.mp4", b"a")
    write("other.txt", "x")
    write("empty.mp4", "")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "dangling.mp4").symlink_to("nowhere")
    write("list.txt", f"talks/a.mp4\n{line}\n")

    lines = read("list.txt")

    assert isinstance(lines[1], Invalid)
    assert reason in lines[1].reason
    assert lines[1].text in (line, line[:499] + "…")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(folder: Path, write: Write) -> None:
    write("secret.mp4", b"x").chmod(0)

    with pytest.raises(UsageError, match=r"secret\.mp4: .*Permission denied"):
        read("secret.mp4")


def test_a_name_that_is_no_utf8_is_told_in_what_can_be_printed(folder: Path, write: Write) -> None:
    write("talks/a.mp4", b"a")
    Path(os.fsdecode(os.fsencode(folder) + b"/talks/\xff.mp4")).write_bytes(b"x")

    with pytest.raises(UsageError, match=r"^talks/\\udcff.mp4: the name is not UTF-8"):
        read(os.fsdecode(b"talks/\xff.mp4"))
    assert told(read("talks"))[1] == "talks/\\udcff.mp4 is invalid"


def test_others_than_the_owner_may_not_name_files(write: Write) -> None:
    write("a.mp4", b"a")
    write("list.txt", "https://a.example/\n")

    lines = read("a.mp4", "list.txt", "/etc/passwd", ID, "https://a.example/x", trust=Trust.UNTRUSTED)

    assert [type(line).__name__ for line in lines] == ["Invalid", "Invalid", "Invalid", "Valid", "Valid"]
    assert all("only from a command line" in line.reason for line in lines if isinstance(line, Invalid))


@pytest.mark.parametrize("make", [lambda _folder: FileKeysInMemory(), lambda folder: FileKeysOnDisk(folder / "keys")])
def test_a_file_is_read_through_once_while_it_stays_as_it_is(folder: Path, write: Write, make: object) -> None:
    path = write("a.mp4", b"first")
    keys = make(folder)  # type: ignore[operator]
    first = file_source(path, keys)
    # Other content of the same size and time: only whoever reads it again notices.
    stamp = path.stat().st_mtime_ns
    path.write_bytes(b"other")
    os.utime(path, ns=(stamp, stamp))
    assert file_source(path, keys) == first

    os.utime(path, ns=(stamp + 1, stamp + 1))
    assert file_source(path, keys).key == "file:" + hashlib.sha256(b"other").hexdigest()


def test_hashes_on_disk_are_there_for_the_next_process_and_a_plan_writes_none(folder: Path, write: Write) -> None:
    path = write("a.mp4", b"content")
    file_source(path, FileKeysOnDisk(folder / "keys", writable=False))
    assert not (folder / "keys").exists()

    file_source(path, FileKeysOnDisk(folder / "keys"))
    state = path.stat()
    known = FileKeysOnDisk(folder / "keys", writable=False).get(path, state.st_size, state.st_mtime_ns)
    assert known == hashlib.sha256(b"content").hexdigest()


def test_a_broken_note_of_a_hash_is_no_note(folder: Path, write: Write) -> None:
    path = write("a.mp4", b"content")
    keys = FileKeysOnDisk(folder / "keys")
    source = file_source(path, keys)
    for note in (folder / "keys").glob("*/*"):
        note.write_bytes(b"\xff half")

    assert file_source(path, keys) == source
