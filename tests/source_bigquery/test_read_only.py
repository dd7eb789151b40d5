"""A table that may not be changed: tasks divide its rows, and what the target has is not done again."""

from __future__ import annotations

from rushes.worker import ExitReason

from .conftest import Processor, Site


async def test_the_table_stays_as_it_is_and_results_appear(site: Site, processor: Processor):
    site.add(*map(str, range(12)))
    before = site.items()
    columns = [field.name for field in site.client.get_table("films.archive.items").schema]
    reports = await site.tasks(3, "tonight", bigquery_claim="none")
    assert sum(report.processed for report in reports) == 12
    assert set(processor.times.values()) == {1}
    assert site.items() == before
    assert [field.name for field in site.client.get_table("films.archive.items").schema] == columns
    assert {row["status"] for row in site.results().values()} == {"COMPLETED"}
    assert all(job.kind in ("SELECT", "MERGE", "LOAD") for job in site.asked("look", "read", "target", "stage"))


async def test_what_has_a_result_is_not_done_again(site: Site, processor: Processor):
    site.add("a", "b", "c")
    site.sql("insert into {results} (id, context, status) values ('a', 'done', 'COMPLETED'), ('b', null, null)")
    report = await site.work(bigquery_claim="none")
    assert (report.processed, report.exit_reason) == (2, ExitReason.EMPTY)
    assert "https://talks.example.org/a" not in processor.asked
    again = await site.work(bigquery_claim="none")
    assert again.processed == 0


async def test_a_table_without_a_status_will_do(bare: Site, processor: Processor):
    rows = [{"id": number, "url": f"https://x.org/{number}"} for number in (1, 2)]
    bare.make("items", {"id": "INT64", "url": "STRING"}, *rows)
    await bare.work(bigquery_claim="none", bigquery_where="id > 1")
    (row,) = bare.sql("select * from {results}")
    assert (row["id"], row["status"]) == (2, "COMPLETED")


async def test_only_pending_rows_are_taken_where_there_is_a_status(site: Site, processor: Processor):
    site.add("a")
    site.add("b", status="ON HOLD")
    await site.work(bigquery_claim="none")
    assert list(site.results()) == ["a"]
