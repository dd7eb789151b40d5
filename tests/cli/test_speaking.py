"""What commands say and to whom: JSON for scripts, a terminal, a pipe that closes, and texts of strangers."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import termios
from pathlib import Path

from rushes.database import Database

from .conftest import Rushes, Started


def test_json_is_all_that_stdout_gets(database: Database, rushes: Rushes, files: Path):
    ran = rushes("run", files, "--json")
    assert (ran.code, ran.err) == (3, "")
    assert ran.json["counts"] == {"total": 5, "completed": 0, "failed": 5, "cancelled": 0, "skipped": 0}
    batch = ran.json["batch"]
    expected: dict[tuple[object, ...], type[list[object]] | set[str]] = {
        ("batch", "list"): list,
        ("batch", "show", batch): {"id", "status", "percentage", "items"},
        ("batch", "retry", batch): {"batch", "retried"},
        ("queue", "list"): list,
        ("queue", "show", 1): {"id", "status", "kind", "error"},
        ("queue", "stats"): {"total_jobs", "success_rate", "paused"},
        ("queue", "pause", "--kind", "download"): {"paused"},
        ("queue", "resume"): {"paused"},
        ("batch", "export", batch, "--format", "md"): {"batch", "format", "file", "bytes"},
        ("plan", files): {"items", "stages"},
    }
    for command, keys in expected.items():
        ended = rushes(*command, "--json")
        assert (ended.code, ended.err) == (0, ""), command
        if isinstance(keys, set):
            assert keys <= set(ended.json), command
        else:
            assert isinstance(ended.json, keys), command
    worked = rushes("worker", "--empty-timeout", 0, "--json")
    assert (worked.code, worked.json["failed"]) == (0, 5)
    assert worked.err.count("failed for good") == len(worked.err.splitlines()) == 5  # the log says what went wrong


def test_an_error_with_json_goes_to_stderr(database: Database, rushes: Rushes):
    for command in (("batch", "show", 7), ("batch", "watch", 7), ("queue", "show", 7), ("queue", "retry", 7)):
        ended = rushes(*command, "--json")
        assert (ended.code, ended.out) == (2, "")
        assert f"there is no {'batch' if command[0] == 'batch' else 'job'} 7" in ended.err


def test_an_unknown_kind_is_named(database: Database, rushes: Rushes):
    for command in ("list", "stats", "pause"):
        ended = rushes("queue", command, "--kind", "dowload")
        assert ended.code == 2
        assert "did you mean 'download'" in ended.err


def test_a_reader_who_has_seen_enough_is_no_error(database: Database, rushes: Rushes, started: Started, files: Path):
    rushes("run", files)
    for command in (("batch", "show", 1), ("queue", "list", "--json"), ("batch", "export", 1, "-f", "html", "-o", "-")):
        reading, writing = os.pipe()
        os.close(reading)
        process = started(*command, stdout=writing)
        os.close(writing)
        assert (process.communicate()[1], process.returncode) == ("", 0), command


def test_a_run_goes_on_when_nobody_reads_its_progress(
    database: Database, started: Started, files: Path, tmp_path: Path
):
    reading, writing = os.pipe()
    os.close(reading)
    process = started("run", files, stderr=writing)
    os.close(writing)
    process.communicate()
    assert process.returncode == 3
    assert json.loads((tmp_path / "rushes-out" / "manifest.json").read_text())["counts"]["failed"] == 5


def test_a_full_disk_behind_stdout_is_an_error(database: Database, started: Started):
    full = os.open("/dev/full", os.O_WRONLY)
    process = started("batch", "list", stdout=full)
    os.close(full)
    assert process.communicate()[1] == "rushes batch: No space left on device\n"
    assert process.returncode == 1


def _on_a_terminal(started: Started, columns: int, *arguments: object) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    process = started(*arguments, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
    process.wait()
    os.close(ours)
    return shown.decode()


def test_a_name_cannot_drive_the_terminal(database: Database, rushes: Rushes, started: Started, tmp_path: Path):
    name = "\x1b[31mred\x1b]0;title\x07 \u202egnp.[bold]x.mp4"
    (tmp_path / name).write_text("no video\n")
    said = _on_a_terminal(started, 60, "run", name)
    said += _on_a_terminal(started, 60, "batch", "show", 1) + _on_a_terminal(started, 60, "queue", "show", 1)
    said += _on_a_terminal(started, 60, "batch", "list") + _on_a_terminal(started, 60, "plan", name)
    said += rushes("batch", "show", 1).out
    assert "\x1b[31mred" not in said
    assert "\x1b]0;" not in said
    assert "\u202e" not in said
    assert "[bold]x" in said


def test_a_row_is_a_line_where_there_is_no_terminal(database: Database, rushes: Rushes, files: Path):
    rushes("run", files, "--name", "a long name " * 20)
    lines = rushes("batch", "list").out.splitlines()
    assert len(lines) == 2
    assert "a long name " * 19 in lines[1]
