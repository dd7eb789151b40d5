"""Faults of services that a run depends on, through the real command: a model's key, and sites that refuse or are away."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.database import Database
from tests.stages_download.conftest import Site
from tests.text.fake_models import FakeModels, Question, Refusal, honest, serving

from .conftest import SPEECH, Media, Rushes


@pytest.fixture
def talks(media: Media, tmp_path: Path) -> Path:
    """Two different talks with their captions beside them, so that nothing has to be heard."""
    folder = tmp_path / "talks"
    folder.mkdir()
    for number, name in enumerate(("bread", "dough")):
        (folder / f"{name}.mp4").write_bytes(media.talk.read_bytes() + bytes([number]))
        lines = [line for line in SPEECH.splitlines() if line]
        cues = [f"00:00:{4 * i:02}.000 --> 00:00:{4 * i + 4:02}.000\n{line}\n" for i, line in enumerate(lines)]
        (folder / f"{name}.en.vtt").write_text("WEBVTT\n\n" + "\n".join(cues))
    return folder


@pytest.fixture
def models() -> Iterator[FakeModels]:
    """A service with a key, in OpenAI's dialect."""

    def ask(question: Question) -> dict[str, object] | Refusal:
        given = {name.lower(): value for name, value in question.headers.items()}
        if given.get("authorization") != "Bearer sk-right":
            return Refusal(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
        return honest(question)

    with serving() as server:
        server.answer(ask)
        yield server


async def test_a_wrong_key_pauses_the_batch_and_the_right_one_lets_it_go_on(
    database: Database, rushes: Rushes, talks: Path, tmp_path: Path, models: FakeModels
):
    service = {"RUSHES_MODEL": "openai:one", "RUSHES_MODEL_URL": models.url_of("openai")}

    wrong = rushes("run", talks, RUSHES_MODEL_KEY="sk-wrong", **service)
    assert wrong.code == 3, wrong.err
    assert "paused: openai:one" in wrong.err
    assert "refused the key" in wrong.err
    assert "RUSHES_MODEL_KEY" in wrong.err
    assert "sk-wrong" not in wrong.err
    shown = rushes("batch", "show", 1, "--json").json
    assert (shown["status"], shown["failed"], shown["completed"]) == ("paused", 0, 0)
    assert {item["status"] for item in shown["items"]} <= {"pending", "processing"}
    watched = rushes("batch", "watch", 1)
    assert watched.code == 3
    assert "RUSHES_MODEL_KEY" in watched.out
    assert await database.pool.fetchval("select max(attempts) from rushes.jobs where kind = 'summarize'") == 0

    right = rushes("run", talks, "--json", RUSHES_MODEL_KEY="sk-right", **service)
    assert right.code == 0, right.err
    assert (right.json["batch"], right.json["continued"], right.json["status"]) == (1, True, "completed")
    assert right.json["counts"]["completed"] == 2
    assert right.json["pause_reason"] is None
    items = json.loads((tmp_path / "rushes-out" / "manifest.json").read_text())["items"]
    assert {item["engines"]["summarize"] for item in items} == {"openai (one)"}
    runs = await database.pool.fetch("select kind, count(*), max(attempts) from rushes.jobs group by 1")
    assert {row["kind"]: (row["count"], row["max"]) for row in runs} == dict.fromkeys(
        ("download", "transcribe", "summarize"), (2, 1)
    )


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that refuses connections: the port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


async def test_what_a_site_answers_decides_whether_it_is_asked_again(
    database: Database, rushes: Rushes, media: Media, tmp_path: Path, site: Site, nowhere: str
):
    video = media.talk.read_bytes()
    lines = [
        site.put("/fine.mp4", video, "video/mp4"),
        site.address + "/gone.mp4",
        site.put("/busy.mp4", video + b"1", "video/mp4", statuses=[503]),
        site.put("/down.mp4", video + b"2", "video/mp4", statuses=[503] * 100),
        site.put("/later.mp4", video + b"3", "video/mp4", statuses=[429], headers={"Retry-After": "2"}),
        f"{nowhere}/away.mp4",
    ]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    ended = rushes("run", "list.txt", "--pipeline", "download", "--json")
    assert ended.code == 3, ended.err
    items = json.loads((tmp_path / "rushes-out" / "manifest.json").read_text())["items"]
    assert [(Path(item["given"]).stem, item["status"], item["error_class"]) for item in items] == [
        ("fine", "completed", None),
        ("gone", "failed", "permanent"),
        ("busy", "completed", None),
        ("down", "failed", "transient"),
        ("later", "completed", None),
        ("away", "failed", "transient"),
    ]
    reasons = {Path(item["given"]).stem: item["reason"] or "" for item in items}
    assert "404" in reasons["gone"]
    assert "503" in reasons["down"]
    assert nowhere.removeprefix("http://").partition(":")[0] in reasons["away"]
    jobs = await database.pool.fetch(
        "select i.given, j.attempts from rushes.jobs j join rushes.items i on i.id = j.item_id"
    )
    attempts = {Path(row["given"]).stem: row["attempts"] for row in jobs}
    assert attempts == {"fine": 1, "gone": 1, "busy": 2, "down": 3, "later": attempts["later"], "away": 3}
    paused = await database.pool.fetchrow("select reason from rushes.lanes where reason is not null")
    assert paused is not None
    assert "429" in paused["reason"]

    asked = len(site.visits_to("/gone.mp4"))
    again = rushes("run", "list.txt", "--pipeline", "download", "--json").json
    assert again["continued"]
    assert (again["counts"]["completed"], again["counts"]["failed"]) == (3, 3)
    assert len(site.visits_to("/gone.mp4")) == asked  # what failed for good is not asked again
