"""`rushes run … --pipeline generate` as a user meets it: what comes out, what is not even loaded, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest

from rushes.database import Database
from tests.main_job.conftest import Rushes

from .conftest import BREAD

AUDITED = """
import json, sys
started = []
sys.addaudithook(lambda event, args: started.append(list(map(str, args[1]))) if event == "subprocess.Popen" else None)
from rushes.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print("\\n" + json.dumps({"code": code, "modules": sorted(sys.modules), "started": started}))
"""
SPEAKS = {"rushes.media.narration", "rushes.media.voice", "rushes.stages.generating.sound"}
DRAWS = {"rushes.media.slides", "rushes.media.slideshow", "rushes.stages.generating.picture", "PIL"}


def items(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "manifest.json").read_text())["items"]
    return found


@pytest.fixture
def bread(tmp_path: Path) -> Path:
    path = tmp_path / "bread.md"
    path.write_text(BREAD)
    return path


@pytest.mark.parametrize(
    ("modalities", "loaded", "not_loaded", "speaks", "encodes"),
    [
        ("text", set(), SPEAKS | DRAWS, False, False),
        ("audio", SPEAKS, DRAWS, True, False),
        ("video", SPEAKS | DRAWS, set(), True, True),
    ],
)
async def test_what_nobody_asked_for_is_neither_imported_nor_started(
    database: Database, server_home: Path, bread: Path, tmp_path: Path, modalities: str, loaded: set[str],
    not_loaded: set[str], *, speaks: bool, encodes: bool,
):  # fmt: skip
    command = ["run", str(bread), "-p", "generate", "--set", f"generate.modalities={modalities}", "--fresh"]
    ended = subprocess.run(
        [sys.executable, "-c", AUDITED, *command], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "RUSHES_HOME": str(server_home), "RUSHES_STORAGE": str(tmp_path / "artifacts")},
    )  # fmt: skip

    seen = json.loads(ended.stdout.splitlines()[-1])
    assert seen["code"] == 0, ended.stderr
    modules = set(seen["modules"])
    assert loaded <= modules
    assert not not_loaded & modules
    assert not {"hibari", "onnxruntime"} & modules, "the voice has a process of its own"
    started = [" ".join(words) for words in seen["started"]]
    assert any("rushes.media.narration" in words for words in started) is speaks
    assert any("libx264" in words and "-f concat" in words for words in started) is encodes
    if modalities == "text":
        assert not any("ffmpeg" in words for words in started)


async def test_a_text_becomes_a_folder_to_read_hear_and_watch(
    database: Database, rushes: Rushes, bread: Path, tmp_path: Path
):
    ended = rushes("run", "bread.md", "-p", "generate", "--set", "generate.modalities=text,audio,video", "--json")

    assert ended.code == 0, ended.err
    (item,) = items(tmp_path / "rushes-out")
    folder = tmp_path / "rushes-out" / item["folder"]
    assert folder.name == "001-why-sourdough-rises"
    assert {path.name for path in folder.iterdir()} == {
        "item.json", "script.html", "script.json", "script.md", "video.mp4", "video.jpg", "narration.m4a", "narration.vtt",
    }  # fmt: skip
    with av.open(str(folder / "video.mp4")) as film:
        assert film.duration
        assert film.duration / 1e6 == pytest.approx(item["video_duration"], abs=0.6)
    assert (folder / "script.md").read_text().startswith("# Why sourdough rises\n\nA sourdough starter is a mixture")
    page = (folder / "script.html").read_text()
    assert 'src="video.mp4"' in page
    assert "data:text/vtt;base64," in page
    index = (tmp_path / "rushes-out" / "index.html").read_text()
    assert f'src="{folder.name}/video.mp4"' in index
    details = json.loads((folder / "item.json").read_text())
    assert [step["step"] for step in details["production"]["steps"]] == ["script", "narration", "slides", "video"]


async def test_the_same_again_is_used_again_and_another_text_is_not(
    database: Database, rushes: Rushes, bread: Path, tmp_path: Path
):
    first = rushes("run", "bread.md", "-p", "generate", "--set", "generate.modalities=text", "--out", "1")
    again = rushes("run", "bread.md", "-p", "generate", "--set", "generate.modalities=text", "--out", "2")
    bread.write_text(BREAD.replace("hollow", "like a drum"))
    other = rushes("run", "bread.md", "-p", "generate", "--set", "generate.modalities=text", "--out", "3")

    assert (first.code, again.code, other.code) == (0, 0, 0)
    assert [items(tmp_path / out)[0]["reused"] for out in "123"] == [[], ["generate"], []]
    assert "like a drum" in next((tmp_path / "3").glob("*/script.md")).read_text()


async def test_a_list_may_hold_texts_requests_and_options(
    database: Database, rushes: Rushes, bread: Path, tmp_path: Path
):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "b.txt").write_text("A text on salt. It comes last.")
    lines = [
        {"url": "../bread.md", "id": "a7", "generate.modalities": "text"},
        {"url": "b.txt", "title": "Salt", "generate.modalities": "text"},
        {"url": "ask:tell me about stuff"},
        {"url": "https://example.org/talk.mp4"},
        {"url": "b.txt"},
    ]
    (tmp_path / "texts" / "list.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    ended = rushes("run", "texts/list.jsonl", "-p", "generate", "--json")

    assert ended.code == 3, ended.err
    assert (ended.json["lines"]["valid"], ended.json["lines"]["duplicates"], ended.json["lines"]["invalid"]) == (
        3,
        1,
        1,
    )
    assert "wanted is a text file or a request" in ended.json["lines"]["first_invalid"][0]["reason"]
    first, second, third = items(tmp_path / "rushes-out")
    assert (first["reference"], first["title"], second["title"]) == ("a7", "Why sourdough rises", "Salt")
    assert (third["status"], third["error_class"]) == ("failed", "needs_input")


async def test_a_vague_request_shows_its_questions_wherever_failures_are_shown(
    database: Database, rushes: Rushes, tmp_path: Path
):
    question = "What exactly should it explain? Name one subject in a few words."
    ended = rushes("run", "ask:tell me about stuff", "-p", "generate")

    assert ended.code == 3
    assert question in ended.err
    (item,) = items(tmp_path / "rushes-out")
    assert question in item["remedy"]
    assert question in (tmp_path / "rushes-out" / "index.html").read_text()
    assert question in rushes("batch", "show", "1").out
    job = rushes("queue", "list", "--status", "failed", "--json").json[0]["id"]
    assert rushes("queue", "show", job, "--json").json["error_details"]["questions"][0] == question


async def test_a_talk_becomes_its_own_recap(database: Database, rushes: Rushes, bread: Path, tmp_path: Path):
    made = rushes("run", "bread.md", "-p", "generate", "--out", "talk")
    assert made.code == 0, made.err
    talk = next((tmp_path / "talk").glob("*/video.mp4"))

    ended = rushes(
        "run", talk, "-p", "summarize+generate", "--out", "recap",
        "--set", "transcribe.source=speech", "--set", "generate.modalities=audio,video",
    )  # fmt: skip

    assert ended.code == 0, ended.err
    (folder,) = (path.parent for path in (tmp_path / "recap").glob("*/summary.md"))
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "summary.html",
        "summary.md",
        "script.md",
        "script.json",
        "video.mp4",
        "narration.m4a",
        "transcript.vtt",
    }
    script = json.loads((folder / "script.json").read_text())
    said = " ".join([script["hook"], *(section["narration"] for section in script["sections"])])
    assert "flour and water" in said
    assert any(source["start"] for section in script["sections"] for source in section["sources"])
    assert 'src="video.mp4"' in (folder / "summary.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["braed.md", "-p", "generate"], "did you mean 'bread.md'"),
        (["talk.mp4", "-p", "generate"], "--pipeline summarize+generate"),
        (["https://example.org/a", "-p", "generate"], "wanted is a text file or a request in words (ask:…)"),
        (["bread.md"], "To make a script of a text: --pipeline generate"),
        (["bread.md", "-p", "generate", "--set", "generate.modalities=film"], "'text', 'audio' or 'video'"),
        (["bread.md", "-p", "generate", "--set", "generate.style=loud"], "'clean', 'dark' or 'warm'"),
        (["empty", "-p", "generate"], "no text in this folder"),
    ],
)
async def test_wrong_use_is_named_and_creates_nothing(
    database: Database, rushes: Rushes, bread: Path, tmp_path: Path, arguments: list[str], said: str
):
    (tmp_path / "talk.mp4").write_bytes(b"\0" * 100)
    (tmp_path / "empty").mkdir()

    ended = rushes("run", *arguments)

    assert ended.code == 2, ended.err
    assert said in ended.err
    assert await database.pool.fetchval("select count(*) from rushes.batches") == 0


async def test_a_plan_knows_texts(database: Database, rushes: Rushes, bread: Path):
    ended = rushes("plan", "bread.md", "-p", "generate", "--json")

    assert ended.code == 0, ended.err
    (stage,) = ended.json["stages"]
    assert (stage["stage"], stage["items"], stage["seconds"]) == ("generate", 1, 5)
