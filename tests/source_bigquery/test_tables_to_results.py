"""From a table of items to finished rows: what a user of the original program sees, and what that did not do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from google.cloud.bigquery import SchemaField, Table, TimePartitioning

from rushes import Permanent, Transient
from rushes.model import Engine, Facts, Job
from rushes.sources.bigquery.staging import SCHEMA
from rushes.stages.base import Context, Made, Result
from rushes.tasks import Task
from rushes.worker import Bounds, ExitReason

from .conftest import Processor, Site


async def test_a_table_is_drained_and_every_row_has_its_result(site: Site, processor: Processor):
    site.add(*map(str, range(23)))
    report = await site.work()
    assert (report.processed, report.failed, report.exit_reason) == (23, 0, ExitReason.EMPTY)
    assert site.statuses() == {"DONE": 23}
    results = site.results()
    assert len(results) == 23
    assert results["7"] == {"id": "7", "context": "about https://talks.example.org/7", "status": "COMPLETED"}
    assert set(processor.times.values()) == {1}


async def test_a_result_whose_row_is_there_already_is_written_into_it(site: Site, processor: Processor):
    site.add("a", "b")
    site.sql("insert into {results} (id, context, status) values ('a', 'old', null), ('z', 'not ours', 'COMPLETED')")
    await site.work()
    assert {id_: row["context"] for id_, row in site.results().items()} == {
        "a": "about https://talks.example.org/a",
        "b": "about https://talks.example.org/b",
        "z": "not ours",
    }


async def test_an_error_that_is_no_text_to_a_table_is_mended(site: Site, processor: Processor):
    def answer(_address: str, _job: Job) -> str:
        raise Permanent("it said \x00 and \\u0000")

    processor.answer = answer
    site.add("a")
    await site.work()
    assert site.items()["a"]["error"] == "it said \N{REPLACEMENT CHARACTER} and \\u0000"
    assert site.results()["a"]["context"] == "ERROR: it said \N{REPLACEMENT CHARACTER} and \\u0000"


async def test_a_failure_is_recorded_as_one_with_its_reason(site: Site, processor: Processor):
    def answer(address: str, _job: Job) -> str:
        if address.endswith("bad"):
            raise Permanent("the processor answered 404", remedy="see whether the video is still there")
        return "fine"

    processor.answer = answer
    site.add("good", "bad")
    report = await site.work()
    assert (report.completed, report.failed) == (1, 1)
    assert site.results()["bad"] == {
        "id": "bad",
        "context": "ERROR: the processor answered 404",
        "status": "FAILED_PROCESSING",
    }
    items = site.items()
    assert (items["bad"]["status"], items["bad"]["error"], items["bad"]["attempt"]) == (
        "FAILED",
        "the processor answered 404",
        1,
    )
    assert (items["good"]["status"], items["good"]["error"], items["good"]["attempt"]) == ("DONE", None, 1)


async def test_what_may_pass_is_tried_again_under_the_same_lease(site: Site, processor: Processor):
    def answer(_address: str, job: Job) -> str:
        if job.attempts < 3:
            raise Transient("the line went dead")
        return f"at the {job.attempts}rd"

    processor.answer = answer
    site.add("a")
    report = await site.work()
    assert (report.completed, report.failed) == (1, 2)
    assert site.results()["a"]["context"] == "at the 3rd"
    assert site.items()["a"]["attempt"] == 3
    assert len(site.asked("claim")) == 1


async def test_what_fails_again_and_again_fails_after_its_attempts(site: Site, processor: Processor):
    def answer(_address: str, _job: Job) -> str:
        raise Transient("the line went dead")

    processor.answer = answer
    site.add("a")
    await site.work(item_attempts=2)
    assert processor.times.total() == 2
    assert site.results()["a"]["status"] == "FAILED_PROCESSING"
    assert site.items()["a"]["attempt"] == 2


async def test_a_failed_row_that_is_set_to_pending_starts_anew(site: Site, processor: Processor):
    def fails(_address: str, _job: Job) -> str:
        raise Transient("the line went dead")

    processor.answer = fails
    site.add("a")
    await site.work(item_attempts=2)
    site.sql("update {items} set status = 'PENDING' where true")
    processor.answer = lambda _address, _job: "now it works"
    await site.work(item_attempts=2)
    assert site.results()["a"] == {"id": "a", "context": "now it works", "status": "COMPLETED"}
    assert (site.items()["a"]["status"], site.items()["a"]["attempt"]) == ("DONE", 1)


async def test_rows_that_are_no_items_fail_with_the_reason_and_keep_no_other(site: Site, processor: Processor):
    site.add("good")
    site.add("empty", url="  ")
    site.add("null", url=None)
    report = await site.work()
    assert report.failed == 2
    assert processor.asked == ["https://talks.example.org/good"]
    assert {id_: row["context"] for id_, row in site.results().items() if id_ != "good"} == {
        "empty": "ERROR: its column 'url' is empty",
        "null": "ERROR: its column 'url' is empty",
    }


async def test_rows_without_an_id_are_left_alone_and_said(site: Site, processor: Processor, caplog):
    site.add("a", None)
    report = await site.work()
    assert report.processed == 1
    assert site.statuses() == {"DONE": 1, "PENDING": 1}
    assert "1 rows have no id" in caplog.text


async def test_an_id_that_stands_twice_is_done_once_and_both_rows_say_so(site: Site, processor: Processor):
    site.add("a", "a", "b")
    await site.work()
    assert processor.times.total() == 2
    assert len(site.results()) == 2
    assert site.statuses() == {"DONE": 3}


async def test_ids_may_be_numbers(bare: Site, processor: Processor):
    bare.make("items", {"id": "INT64", "url": "STRING", "status": "STRING"})
    bare.make("results", {"id": "INT64!", "context": "STRING", "status": "STRING"})
    bare.add(1, 2, -(2**62))
    await bare.work()
    assert {id_: row["status"] for id_, row in bare.results().items()} == dict.fromkeys((1, 2, -(2**62)), "COMPLETED")
    assert bare.statuses() == {"DONE": 3}


async def test_columns_may_be_called_otherwise_and_a_condition_picks_rows(bare: Site, processor: Processor):
    bare.make(
        "items", {"video": "STRING", "link": "STRING", "state": "STRING", "language": "STRING"},
        {"video": "a", "link": "https://x.org/a", "state": "PENDING", "language": "en"},
        {"video": "b", "link": "https://x.org/b", "state": "PENDING", "language": "fr"},
    )  # fmt: skip
    bare.make("results", {"video": "STRING", "text": "STRING", "state": "STRING"})
    await bare.work(
        bigquery_id="video", bigquery_url="link", bigquery_status="state", bigquery_result="text",
        bigquery_where="language = 'en' -- the others another time", bigquery_payload="language, state",
    )  # fmt: skip
    assert bare.sql("select video, text, state from {results}") == [
        {"video": "a", "text": "about https://x.org/a", "state": "COMPLETED"}
    ]
    assert {row["video"]: row["state"] for row in bare.sql("select * from {items}")} == {"a": "DONE", "b": "PENDING"}
    assert processor.jobs[0].payload == {"language": "en", "state": "PROCESSING"}


async def test_a_target_that_is_missing_is_made(site: Site, processor: Processor):
    site.client.delete_table("films.archive.results")
    site.add("a")
    await site.work()
    (row,) = site.sql("select * from {results}")
    assert (row["id"], row["status"], row["attempt"]) == ("a", "COMPLETED", 1)
    assert row["error"] is None
    assert datetime.now(UTC) - row["updated_at"] < timedelta(minutes=1)


async def test_known_columns_of_the_target_are_filled(bare: Site, stage):
    async def tells(_job: Job, context: Context) -> Result:
        return Result(
            facts=Facts(title="Tides", duration=timedelta(seconds=61)), engine=Engine("loud", "1", 10, 20, 0.5),
            notes=["quickly"], value={"said": "hello"},
        )  # fmt: skip

    stage("tells", tells)
    bare.make("items", {"id": "STRING", "url": "STRING", "status": "STRING", "title": "STRING"})
    columns = {
        "id": "STRING", "context": "STRING", "status": "STRING", "title": "STRING", "duration": "FLOAT64",
        "engine": "STRING", "input_tokens": "INT64", "cost": "NUMERIC", "notes": "JSON", "result": "JSON",
        "attempt": "INT64", "error": "STRING", "transcript": "DATE",
    }  # fmt: skip
    bare.make("results", columns)
    bare.add("a", title="from the table")
    await bare.work(pipeline="tells")
    row = bare.results()["a"]
    assert (row["title"], row["duration"], row["engine"], row["input_tokens"]) == ("Tides", 61.0, "loud (1)", 10)
    assert float(row["cost"]) == 0.5
    assert json.loads(row["context"]) == {"said": "hello"}
    assert row["result"]["value"] == {"said": "hello"}
    assert row["notes"] == ["quickly"]
    assert (row["error"], row["transcript"]) == (None, None)


async def test_stages_run_in_turn_and_documents_become_columns(site: Site, stage):
    async def write(_job: Job, context: Context) -> Result:
        path = context.scratch / "text.txt"
        path.write_text("hello")
        return Result(made=[Made("text", path, "text/plain")])

    async def shout(_job: Job, context: Context) -> Result:
        (given,) = context.inputs("text")
        return Result(value=given.path.read_text().upper())

    stage("write", write, makes=frozenset({"text"}))
    stage("shout", shout, needs=frozenset({"text"}))
    site.sql("alter table {results} add column if not exists artifacts JSON")
    site.add("a")
    await site.work(pipeline="write+shout")
    row = site.results()["a"]
    assert row["context"] == "HELLO"
    assert [artifact["kind"] for artifact in row["artifacts"]] == ["text"]
    assert site.asked("start"), "an attempt that might kill its worker is written down before it begins"


async def test_what_would_be_fetched_must_be_an_address(site: Site, stage):
    async def fine(_job: Job, _context: Context) -> Result:
        return Result(value="fine")

    stage("fetch", fine)
    site.add("a")
    site.add("file", url="/etc/passwd")
    site.add("other", url="ftp://x.org/talk.mp4")
    site.add("channel", url="https://www.youtube.com/@somebody")
    await site.work(pipeline="fetch")
    contexts = {id_: row["context"] for id_, row in site.results().items()}
    assert contexts["a"] == "fine"
    assert "no address that begins with http" in contexts["file"]
    assert "no address that begins with http" in contexts["other"]
    assert "many videos" in contexts["channel"]


async def test_pages_are_read_as_there_is_room(site: Site, processor: Processor):
    site.add(*map(str, range(57)))
    await site.work(batch_size=5, slots=3)
    assert site.statuses() == {"DONE": 57}
    assert set(processor.times.values()) == {1}
    assert len(site.asked("read")) == 1, "pages are pages of one answer"


async def test_rows_added_while_it_works_are_done_too(site: Site, processor: Processor):
    def answer(address: str, _job: Job) -> str:
        if address.endswith("/first"):
            site.add("late")
        return "fine"

    processor.answer = answer
    site.add("first")
    await site.work()
    assert site.statuses() == {"DONE": 2}


async def test_bounds_give_back_what_has_not_begun(site: Site, processor: Processor):
    site.add(*map(str, range(20)))
    report = await site.work(bounds=Bounds(max_jobs=5), slots=2)
    assert (report.processed, report.exit_reason) == (5, ExitReason.MAX_JOBS)
    assert site.statuses() == {"DONE": 5, "PENDING": 15}
    assert {row["owner"] for row in site.items().values() if row["status"] == "PENDING"} == {None}


async def test_nothing_to_do_costs_little(site: Site, processor: Processor):
    report = await site.work()
    assert (report.processed, report.exit_reason) == (0, ExitReason.EMPTY)
    assert [job.labels["purpose"] for job in site.server.jobs if job.kind == "UPDATE"] == []


async def test_every_statement_says_whose_it_is_and_has_a_ceiling(site: Site, processor: Processor):
    site.add("a")
    with_labels = len(site.server.jobs)
    await site.work()
    asked = site.server.jobs[with_labels:]
    assert {job.labels["app"] for job in asked} == {"rushes"}
    assert all(job.labels["execution"] and job.labels["task"] == "0" and job.labels["purpose"] for job in asked)


async def test_what_is_staged_goes_after_a_week_also_where_the_table_was_there_before(site: Site, processor: Processor):
    def expiry(execution: str) -> int | None:
        partitions = site.client.get_table(f"films.archive.results__staged_{execution}").time_partitioning
        assert partitions is not None
        assert partitions.field == "staged_at"
        kept: int | None = partitions.expiration_ms
        return kept

    week = timedelta(days=7) // timedelta(milliseconds=1)
    await site.work(Task("new"))
    assert expiry("new") == week

    old = Table("films.archive.results__staged_old", [SchemaField(name, type_) for name, type_ in SCHEMA.items()])
    old.time_partitioning = TimePartitioning(field="staged_at")
    site.client.create_table(old)
    await site.work(Task("old"))
    assert expiry("old") == week
