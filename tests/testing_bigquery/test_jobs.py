"""Jobs: ids, states, labels, lists, cancelling, and the log of what was asked."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

from rushes.testing.bigquery import State


def test_an_id_is_taken_once(client, run):
    run("SELECT 1", job_id="once")
    with pytest.raises(Conflict, match=r"Already Exists: Job shop:US.once"):
        client.query("SELECT 2", job_id="once", job_retry=None)
    job = client.get_job("once", location="US")
    assert [row[0] for row in job.result()] == [1]
    with pytest.raises(Conflict):
        client.load_table_from_json([{"x": 1}], "shop.d.t", job_id="once")


def test_an_id_is_one_in_its_project_and_location(server, client, run):
    dataset = bigquery.Dataset("shop.eu")
    dataset.location = "EU"
    client.create_dataset(dataset)
    run("SELECT 1", job_id="same")
    client.query("SELECT 2", job_id="same", location="EU", job_retry=None).result()
    client.query("SELECT 3", job_id="same", project="other", job_retry=None).result()
    assert client.get_job("same", location="EU").location == "EU"
    assert client.get_job("same").location == "US"
    with pytest.raises(NotFound, match=r"Not found: Job shop:asia-east1.same"):
        client.get_job("same", location="asia-east1")


def test_of_many_at_once_one_gets_the_id(server, client, run, rows):
    run("CREATE TABLE d.t (who INT64)")
    winners: list[int] = []
    barrier = threading.Barrier(8)

    def ask(who: int) -> None:
        with server.client("shop") as own:
            barrier.wait()
            try:
                own.query(f"INSERT INTO d.t VALUES ({who})", job_id="elected", job_retry=None).result()
                winners.append(who)
            except Conflict:
                own.get_job("elected", location="US").result()

    threads = [threading.Thread(target=ask, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert rows("SELECT who FROM d.t") == [(winners[0],)]


def test_a_failed_job_keeps_its_id_and_its_error(client):
    job = client.query("SELECT 1 / 0", job_id="bad", job_retry=None)
    with pytest.raises(BadRequest, match="division by zero: 1 / 0"):
        job.result()
    again = client.get_job("bad", location="US")
    assert (again.state, again.error_result["reason"], again.error_result["location"]) == (
        "DONE",
        "invalidQuery",
        "query",
    )
    with pytest.raises(Conflict):
        client.query("SELECT 1", job_id="bad", job_retry=None)


def test_labels_and_statistics_stay_with_the_job(client, run):
    run("CREATE TABLE d.t AS SELECT 1 AS x")
    run("UPDATE d.t SET x = 2 WHERE TRUE", labels={"app": "shop", "task": "7"}, job_id="labelled")
    job = client.get_job("labelled", location="US")
    assert job.labels == {"app": "shop", "task": "7"}
    assert (job.statement_type, job.num_dml_affected_rows, job.cache_hit) == ("UPDATE", 1, False)
    assert [str(table) for table in job.referenced_tables] == ["shop.d.t"]
    assert job.created <= job.started <= job.ended


def test_states_are_told_while_a_job_runs(server, client):
    with server.hold("SELECT 7") as hold:
        job = client.query("SELECT 7")
        hold.wait()
        assert job.state == "RUNNING"
        assert not job.done()
        assert [one.state for one in server.jobs] == [State.RUNNING]
        assert [one.job_id for one in client.list_jobs(state_filter="running")] == [job.job_id]
        hold.release()
        assert [row[0] for row in job.result()] == [7]
    assert client.get_job(job.job_id).state == "DONE"


def test_an_answer_before_the_end_says_so(server, client):
    with server.hold("SELECT 7") as hold:
        job = client.query("SELECT 7")
        hold.wait()
        assert not client._get_query_results(job.job_id, None, timeout_ms=50).complete
        hold.release()
        assert [row[0] for row in job.result()] == [7]


def test_jobs_are_cancelled(server, client, run, rows):
    run("CREATE TABLE d.t AS SELECT 1 AS x")
    with server.hold("^UPDATE") as hold:
        job = client.query("UPDATE d.t SET x = 2 WHERE TRUE", job_retry=None)
        hold.wait()
        assert client.cancel_job(job.job_id, location="US").job_id == job.job_id
        with pytest.raises(BadRequest, match="Job execution was cancelled: User requested cancellation"):
            job.result(retry=None)
    job.reload()
    assert job.error_result["reason"] == "stopped"
    assert rows("SELECT x FROM d.t") == [(1,)]
    done = run("SELECT 1")
    assert done.cancel()
    assert client.get_job(done.job_id).error_result is None


def test_jobs_time_out(server, client):
    server.latency = timedelta(seconds=60)
    job = client.query("SELECT 1", job_config=QueryJobConfig(job_timeout_ms=50), job_retry=None)
    with pytest.raises(BadRequest, match=r"Job timed out after 0.05 seconds"):
        job.result(retry=None)


def test_jobs_are_listed_newest_first_in_pages(client, run):
    for n in range(5):
        run(f"SELECT {n}", job_id=f"job-{n}")
    assert [job.job_id for job in client.list_jobs()] == [f"job-{n}" for n in reversed(range(5))]
    assert [job.job_id for job in client.list_jobs(max_results=2)] == ["job-4", "job-3"]
    pages = client.list_jobs(page_size=2).pages
    assert [len(list(page)) for page in pages] == [2, 2, 1]
    assert list(client.list_jobs(state_filter="pending")) == []


def test_jobs_are_deleted(client, run):
    run("SELECT 1", job_id="gone")
    client.delete_job_metadata("gone", location="US")
    with pytest.raises(NotFound):
        client.get_job("gone", location="US")


def test_a_request_that_comes_again_is_not_run_again(server, client, run, rows):
    run("CREATE TABLE d.t (x INT64)")
    server.cut("/queries", after=True)
    client.query_and_wait("INSERT INTO d.t VALUES (1)")
    assert len([job for job in server.jobs if job.kind == "INSERT"]) == len(rows("SELECT x FROM d.t"))


def test_a_wrong_id_is_refused(client):
    with pytest.raises(BadRequest, match='Invalid job ID "a/b"'):
        client.query("SELECT 1", job_id="a/b", job_retry=None)


def test_the_log_tells_all_that_was_asked(server, client, run):
    client.load_table_from_json([{"id": "a"}, {"id": "b"}], "shop.d.t").result()
    run("SELECT id FROM d.t WHERE id = @id", ScalarQueryParameter("id", "STRING", "a"), labels={"app": "shop"})
    run("DELETE FROM d.t WHERE id = ?", ScalarQueryParameter(None, "STRING", "b"))
    with pytest.raises(NotFound):
        run("SELECT * FROM d.nope")
    load, select, delete, missing = server.jobs
    assert (load.kind, load.text, load.affected_rows, load.bytes_billed) == ("LOAD", "LOAD shop:d.t", 2, 0)
    assert (select.kind, select.parameters, select.labels, select.affected_rows) == (
        "SELECT",
        {"id": "a"},
        {"app": "shop"},
        None,
    )
    assert (delete.kind, delete.parameters, delete.affected_rows, delete.state) == ("DELETE", {"0": "b"}, 1, State.DONE)
    assert (missing.reason, missing.bytes_billed) == ("notFound", 0)
    assert "Table shop:d.nope was not found" in missing.error
    assert server.bytes_billed == select.bytes_billed + delete.bytes_billed == 2 * 10 * 1024 * 1024
    assert {request.method for request in server.requests} == {"GET", "POST"}
