"""What a job without an item works at: `video_id` is looked at when it runs, by the stage that asks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import rushes
from rushes import QueueService


@pytest.fixture
def seen(stage) -> list[tuple[str, str, str | None]]:
    """A stage `look` that notes what it works at."""
    found: list[tuple[str, str, str | None]] = []

    async def look(_job: rushes.Job, context: rushes.Context) -> rushes.Result:
        found.append((context.source.key, context.source.location, context.title))
        return rushes.Result()

    stage("look", run=look)
    return found


@pytest.fixture
def _known(sql) -> None:
    sql.execute("insert into rushes.videos values ('url:1', 'https://example.org/1', 'A talk', null)")
    sql.execute("insert into rushes.video_aliases values ('example:1', 'url:1')")


@pytest.mark.parametrize("name", ["url:1", "example:1"])
@pytest.mark.usefixtures("_known")
def test_a_known_video_is_found_by_any_of_its_keys(service: QueueService, seen, name: str):
    service.enqueue_job(name, "look")
    service.process_next_job()
    assert seen == [("url:1", "https://example.org/1", "A talk")]


def test_an_address_is_a_video(service: QueueService, seen):
    service.enqueue_job("https://youtu.be/dQw4w9WgXcQ?t=3", "look")
    service.process_next_job()
    assert seen == [("youtube:dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ", None)]


def test_a_file_of_this_machine_is_known_by_its_content(service: QueueService, seen, tmp_path: Path):
    (tmp_path / "talk.mp4").write_bytes(b"talk")
    service.enqueue_job(str(tmp_path / "talk.mp4"), "look")
    service.process_next_job()
    assert seen == [(f"file:{hashlib.sha256(b'talk').hexdigest()}", str(tmp_path / "talk.mp4"), None)]


@pytest.mark.parametrize("name", ["video-123", "/no/such/file.mp4", "https:// /", None])
def test_what_nobody_knows_fails_for_good_but_only_if_it_is_asked_for(
    service: QueueService, seen, stage, name: str | None
):
    stage("careless")
    service.enqueue_job(name, "look")
    service.enqueue_job(name, "careless")
    look, careless = service.process_batch(2)
    assert (look.status, look.error_class, look.error_message) == ("failed", "permanent", f"no such video: {name!r}")
    assert service.get_failed_jobs(max_attempts_reached=False) == [look]
    assert careless.status == "completed"
    assert seen == []
