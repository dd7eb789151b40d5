"""The stage from the command line and from the queue: `rushes run`, `rushes worker`, a job of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rushes.cli.asked import Asked, slots_for_items
from rushes.database import Database
from rushes.queue import NewJob, Queue
from rushes.settings import Settings
from rushes.sources.postgres import QueueSource
from rushes.sources.whole_items import SLOT
from rushes.stages import registry
from rushes.worker import Bounds, Worker, slots_of
from tests.main_job.conftest import Rushes

from .local_processor import LocalProcessor, Talk, usual


@pytest.fixture
def urls(tmp_path: Path) -> Path:
    path = tmp_path / "urls.txt"
    path.write_text("".join(f"https://example.org/{n}\n" for n in range(1, 6)))
    return path


def results(folder: Path) -> list[dict[str, object]]:
    items: list[dict[str, object]] = json.loads((folder / "manifest.json").read_text())["items"]
    return items


async def test_a_list_is_processed_without_a_table_and_each_answer_is_a_file(
    rushes: Rushes,
    site: LocalProcessor,
    urls: Path,
    tmp_path: Path,
    database: Database,
):
    async def as_json(talk: Talk) -> None:
        await talk.answer('{"of": "3"}', Content_Type="application/json")

    site.ways["https://example.org/3"] = as_json
    variables = {"URL_PROCESSOR_SERVICE_URL": site.url}
    ended = rushes("run", urls, "--pipeline", "process", "--json", **variables)
    assert ended.code == 0, ended.err
    assert set(site.posts().values()) == {1}
    items = results(tmp_path / "rushes-out")
    assert [item["files"] for item in items[:3]] == [["answer.txt", "item.json"]] * 2 + [["answer.json", "item.json"]]
    assert items[0]["engines"] == {"process": "127.0.0.1"}
    folder = tmp_path / "rushes-out" / str(items[1]["folder"])
    assert (folder / "answer.txt").read_text() == "about https://example.org/2"
    assert await database.pool.fetchval("select count(*) from rushes.jobs where result ? 'value'") == 0

    urls.write_text(urls.read_text() + "https://example.org/6\n")
    again = rushes("run", urls, "--pipeline", "process", "--json", **variables)
    assert (again.code, again.json["worker"]["reused"]) == (0, 5)
    assert site.posts()["https://example.org/6"] == 1
    assert sum(site.posts().values()) == 6
    anew = rushes("run", urls, "--pipeline", "process", "--json", "--fresh", **variables)
    assert (anew.code, sum(site.posts().values())) == (0, 12)


async def test_columns_of_a_list_go_into_the_template_and_choose_for_one_item(
    rushes: Rushes,
    site: LocalProcessor,
    tmp_path: Path,
    database: Database,
):
    (tmp_path / "list.csv").write_text(
        "url,id,title,process.template\n"
        'https://example.org/1,row-1,A talk,\n'
        'https://example.org/2,row-2,,"{""only"": ""{id}""}"\n'
    )  # fmt: skip
    template = '{"u": "{address}", "i": "{id}", "t": "{title}"}'
    ended = rushes(
        "run", "list.csv", "-p", "process", "--json", "--set", f"process.url={site.url}",
        "--set", f"process.template={template}",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    bodies = sorted((visit.body for visit in site.visits), key=len)
    assert bodies == [{"only": "row-2"}, {"u": "https://example.org/1", "i": "row-1", "t": "A talk"}]


async def test_a_processor_that_does_not_know_us_pauses_the_batch_and_the_same_command_goes_on(
    rushes: Rushes,
    site: LocalProcessor,
    urls: Path,
    database: Database,
):
    async def refuses(talk: Talk) -> None:
        await talk.answer("who are you?", 401)

    site.otherwise = refuses
    ended = rushes("run", urls, "-p", "process", "--json", RUSHES_PROCESSOR_URL=site.url)
    assert ended.code == 3
    assert ended.json["counts"]["failed"] == 0
    assert ended.json["pause_reason"] == "127.0.0.1 answered 401 (Unauthorized): who are you?"
    assert "RUSHES_PROCESSOR_HEADERS" in ended.json["pause_remedy"]
    site.otherwise = usual
    ended = rushes("run", urls, "-p", "process", "--json", RUSHES_PROCESSOR_URL=site.url)
    assert (ended.code, ended.json["counts"]["completed"], ended.json["continued"]) == (0, 5, True)


async def test_a_job_of_one_s_own_goes_where_the_worker_s_settings_say(
    site: LocalProcessor, database: Database, settings: Settings
):
    queue = Queue(database.pool)
    (number,) = await queue.enqueue([NewJob("process", payload={"url": "https://example.org/1", "more": 1})])
    here = settings.model_copy(update={"processor_url": site.url})
    await Worker(here, QueueSource(database.pool, queue), slots={"process": 4}, bounds=Bounds(max_jobs=1)).run()
    row = await database.pool.fetchrow("select status, result from rushes.jobs where id = $1", number)
    assert row is not None
    assert (row["status"], row["result"]["value"]) == ("completed", "about https://example.org/1")
    assert await database.pool.fetchval("select count(*) from rushes.artifacts") == 0


@pytest.mark.parametrize(("asked", "at_once"), [({}, 50), ({"*": 700}, 700), ({"process": 3, "*": 9}, 3)])
def test_so_many_run_at_once_as_are_asked_for_and_fifty_where_nobody_says(asked: dict[str, int], at_once: int):
    assert slots_of(["process"], asked) == {"process": at_once}


@pytest.mark.parametrize(("pipeline", "asked", "at_once"), [
    ("process", {}, 50), ("process", {"*": 500}, 500), ("download+process", {}, 4), ("summarize", {}, 4),
])  # fmt: skip
def test_items_of_a_table_run_as_their_stages_can_stand(pipeline: str, asked: dict[str, int], at_once: int):
    settings = Settings.load(processor_url="https://processor.example")
    plan = registry.resolve(pipeline, settings=settings)
    assert slots_for_items(Asked(concurrency=asked), settings, plan) == {SLOT: at_once}
