"""The example processor that is Rushes itself: a real process, a real talk, and no network but loopback."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rushes.demo.server import Server
from tests.main_job.conftest import Media, media, speech

from .conftest import Serve, Service
from .local_gemini import CHAPTER

__all__ = ["media", "speech"]


@pytest.fixture(scope="module")
def site(media: Media) -> Iterator[Server]:
    server = Server.start(0)
    server.site = {"/talk.mp4": media.talk, "/silent.mp4": media.silent, "/page": "<p>Nothing to watch here.</p>"}
    yield server
    server.close()


@pytest.fixture(scope="module")
def processor(serve: Serve, server_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Service:
    storage = tmp_path_factory.mktemp("artifacts")
    return serve("offline_processor", RUSHES_HOME=str(server_home), RUSHES_STORAGE=str(storage))


def test_a_talk_becomes_a_chapter_of_eight_fields_offline(processor: Service, site: Server):
    answer = processor.ask(f"{site.address}/talk.mp4")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    chapter = answer.json()
    assert set(chapter) == set(CHAPTER)
    assert "sourdough" in str(chapter).lower()


def test_what_was_done_is_not_done_again(processor: Service, site: Server):
    first = processor.ask(f"{site.address}/talk.mp4").json()
    held = site.site
    site.site = {}
    try:
        assert processor.ask(f"{site.address}/talk.mp4").json() == first
    finally:
        site.site = held


def test_several_may_ask_at_once_even_for_the_same(processor: Service, site: Server):
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(processor.ask, [f"{site.address}/talk.mp4"] * 3))
    assert [answer.status_code for answer in answers] == [200, 200, 200], processor.logged()


def test_with_another_answer_it_is_the_summary_to_read(serve: Serve, server_home: Path, site: Server, tmp_path: Path):
    places = {"RUSHES_HOME": str(server_home), "RUSHES_STORAGE": str(tmp_path)}
    answer = serve("offline_processor", ANSWER="summary", **places).ask(f"{site.address}/talk.mp4")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text.startswith("# ")


@pytest.mark.parametrize(
    ("path", "said"),
    [("/gone.mp4", "404"), ("/page", "no video"), ("/silent.mp4", "no speech")],
)
def test_what_cannot_be_done_is_told_by_its_status(processor: Service, site: Server, path: str, said: str):
    answer = processor.ask(site.address + path)
    assert answer.status_code == 422
    assert said in answer.text.lower()
    assert len(answer.text.splitlines()) == 1


@pytest.mark.parametrize("name", ["/etc/passwd", "file:///etc/passwd", "talk.mp4", "-", "list:files", "*.mp4"])
def test_files_of_this_machine_are_not_for_those_who_ask(processor: Service, name: str):
    assert processor.ask(name).status_code == 422


@pytest.mark.parametrize(
    "name",
    [
        "{site}/feed.xml", "{site}/talks/rss", "https://www.youtube.com/@somebody",
        "https://www.youtube.com/playlist?list=PLbpi6ZahtOH6Ar_3GPy3workTjMnVTz5w",
    ],
)  # fmt: skip
def test_a_list_of_videos_is_refused_before_anything_is_fetched(processor: Service, site: Server, name: str):
    """None of these is there to be fetched: whoever tried would say so."""
    answer = processor.ask(name.format(site=site.address))
    assert (answer.status_code, answer.text) == (422, "a list, a channel or a feed: send its videos one by one\n")


def test_other_requests_are_answered_as_they_should_be(processor: Service):
    assert processor.ask(None).status_code == 400
    assert processor.http.get(processor.url).json() == {"status": "ok", "answer": "insights"}
    assert processor.http.put(processor.url).status_code == 405


def test_it_stops_in_order(serve: Serve, server_home: Path):
    assert serve("offline_processor", RUSHES_HOME=str(server_home)).end() == 0
