"""`rushes run` as a user meets it: what comes out, and what bad input is answered."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from rushes.database import Database

from .conftest import SPEECH, Media, Rushes


def manifest(out: Path) -> Any:
    return json.loads((out / "manifest.json").read_text())


def word_error_rate(heard: str) -> float:
    normal = EnglishTextNormalizer()
    return float(jiwer.wer(normal(SPEECH), normal(heard)))


async def test_a_talk_becomes_transcript_summary_and_pages(
    database: Database, rushes: Rushes, media: Media, tmp_path: Path
):
    ended = rushes("run", media.talk, "--json")
    assert ended.code == 0, ended.err
    (item,) = manifest(tmp_path / "rushes-out")["items"]
    folder = tmp_path / "rushes-out" / item["folder"]
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "summary.md", "summary.html", "transcript.vtt", "transcript.srt", "transcript.txt", "transcript.json", "item.json",
    }  # fmt: skip
    assert word_error_rate((folder / "transcript.txt").read_text()) <= 0.02
    assert re.match(r"WEBVTT\n\n(1\n)?00:00:0\d\.\d\d\d --> ", (folder / "transcript.vtt").read_text())
    summary = (folder / "summary.md").read_text()
    assert "sourdough starter" in summary
    page = (folder / "summary.html").read_text()
    assert "data:image/jpeg;base64," in page
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert (tmp_path / "rushes-out" / "index.html").read_text().count(item["folder"]) >= 1
    assert item["engines"]["transcribe"].startswith("faster-whisper")

    found = rushes("search", "wild yeast", "--json")
    assert found.code == 0
    assert {hit["title"] for hit in found.json} == {"talk"}
    assert any(0 <= hit["start"] < 30 and "«yeast»" in hit["text"] for hit in found.json)


async def test_one_bad_file_stops_no_other(database: Database, rushes: Rushes, media: Media, tmp_path: Path):
    files = (media.text, media.truncated, media.mute, media.silent, media.music, media.talk)
    ended = rushes("run", *files, "--out", "out", "--json")
    assert ended.code == 3, ended.err
    items = {Path(item["given"]).stem: item for item in manifest(tmp_path / "out")["items"]}
    assert [item["position"] for item in items.values()] == [1, 2, 3, 4, 5, 6]
    assert {name: (item["status"], item["error_class"]) for name, item in items.items()} == {
        "text": ("failed", "permanent"),
        "truncated": ("failed", "permanent"),
        "mute": ("failed", "permanent"),
        "silent": ("failed", "permanent"),
        "music": ("failed", "permanent"),
        "talk": ("completed", None),
    }
    assert "text file" in items["text"]["reason"]
    assert "cut short" in items["truncated"]["reason"]
    assert "no sound" in items["mute"]["reason"]
    for name in ("silent", "music"):
        assert "no speech" in items[name]["reason"]
        transcript = json.loads((tmp_path / "out" / items[name]["folder"] / "transcript.json").read_text())
        assert (transcript["speech"], transcript["cues"]) == ("none", [])


async def test_lines_are_reported_by_number_and_order_is_kept(
    database: Database, rushes: Rushes, media: Media, tmp_path: Path
):
    for number in range(4):
        (tmp_path / f"{number}.mp4").write_bytes(media.text.read_bytes() + bytes([48 + number]))
    lines = ["# talks", "0.mp4", "ftp://example.org/x", "1.mp4", "0.mp4", "2.mp4", "http://", "3.mp4"]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    ended = rushes("run", "list.txt", "--json")
    assert ended.code == 3
    report = ended.json["lines"]
    assert (report["valid"], report["duplicates"], report["invalid"]) == (4, 1, 2)
    assert [line["origin"] for line in report["first_invalid"]] == ["list.txt:3", "list.txt:7"]
    assert [(line["origin"], line["repeats"]) for line in report["first_duplicates"]] == [("list.txt:5", "list.txt:2")]
    assert [Path(item["given"]).name for item in manifest(tmp_path / "rushes-out")["items"]] == [
        "0.mp4", "1.mp4", "2.mp4", "3.mp4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.mp4"], "nowhere.mp4"),
        (["empty.txt"], "empty.txt"),
        (["folder"], "folder"),
        (["comments.txt"], "comments.txt"),
        (["binary.txt"], "binary.txt"),
        (["latin.txt"], "latin.txt"),
        (["names.csv"], "url"),
        (["talk.mp4", "--pipeline", "sumarize"], "summarize"),
        (["talk.mp4", "--set", "sumarize.length=brief"], "summarize"),
        (["talk.mp4", "--set", "summarize.lenght=brief"], "summarize.length"),
        (["talk.mp4", "--set", "summarize.length=huge"], "brief"),
        (["talk.mp4", "--set", "transcribe.beam=many"], "transcribe.beam"),
        (["talk.mp4", "--set", "nonsense"], "stage.option=value"),
        (["talk.mp4", "--concurrency", "0"], "1 to 1000"),
        (["talk.mp4", "--concurrency", "dowload=2"], "dowload"),
        (["talk.mp4", "--priority", "11"], "priority"),
        (["talk.mp4", "--out", "talk.mp4"], "not a folder"),
        (["talk.mp4", "--names", "{positon}"], "position"),
    ],
)
async def test_wrong_use_is_named_and_creates_nothing(
    database: Database, rushes: Rushes, media: Media, tmp_path: Path, arguments: list[str], said: str
):
    (tmp_path / "talk.mp4").write_bytes(media.talk.read_bytes())
    (tmp_path / "empty.txt").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "comments.txt").write_text("# nothing\n\n")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "latin.txt").write_bytes("https://example.org/é\n".encode("latin-1"))
    (tmp_path / "names.csv").write_text("name,title\na,b\n")
    ended = rushes("run", *arguments)
    assert ended.code == 2, ended.err
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "rushes-out").exists()
    assert await database.pool.fetchval("select count(*) from rushes.batches") == 0


async def test_a_wrong_setting_is_named(rushes: Rushes, media: Media):
    ended = rushes("run", media.talk, RUSHES_LEASE="soon")
    assert ended.code == 2
    assert "RUSHES_LEASE" in ended.err
    assert "'soon'" in ended.err


async def test_the_same_command_again_repeats_nothing(database: Database, rushes: Rushes, media: Media, tmp_path: Path):
    first = rushes("run", media.talk, "--pipeline", "transcribe", "--json")
    again = rushes("run", media.talk, "--pipeline", "transcribe", "--json")
    assert (first.code, again.code) == (0, 0)
    assert (first.json["worker"]["reused"], again.json["worker"]["reused"]) == (0, 2)
    (item,) = manifest(tmp_path / "rushes-out")["items"]
    assert item["reused"] == ["download", "transcribe"]


async def test_standard_input_is_a_list(database: Database, rushes: Rushes, media: Media):
    ended = rushes("run", "-", "--pipeline", "transcribe", "--json", stdin=f"{media.talk}\n")
    assert (ended.code, ended.json["counts"]["completed"]) == (0, 1)


async def test_a_batch_can_be_taken_out_in_every_format(
    database: Database, rushes: Rushes, media: Media, tmp_path: Path
):
    batch = rushes("run", media.talk, "--json").json["batch"]
    taken = {}
    for form in ("zip", "md", "html", "pdf", "json", "jsonl", "csv", "txt", "srt", "vtt"):
        ended = rushes("batch", "export", batch, "--format", form, "--out", f"batch.{form}")
        assert ended.code == 0, ended.err
        taken[form] = (tmp_path / f"batch.{form}").read_bytes()
    names = zipfile.ZipFile(io.BytesIO(taken["zip"])).namelist()
    assert {"index.html", "manifest.json"} <= {Path(name).name for name in names}
    assert taken["pdf"].startswith(b"%PDF-")
    assert b"sourdough" in taken["md"].lower()
    assert b"sourdough" in taken["txt"].lower()
    assert taken["vtt"].startswith(b"WEBVTT")
    assert json.loads(taken["json"])["items"][0]["status"] == "completed"
    assert next(csv.DictReader(io.StringIO(taken["csv"].decode("utf-8-sig"))))["status"] == "completed"
