"""The limits that break designs: turns at a table, conflicts, load jobs in a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from google.api_core.exceptions import BadRequest, Forbidden
from google.cloud import bigquery

from rushes.testing.bigquery import BigQueryServer, Limits, State

UPDATE = "UPDATE d.t SET n = n + 1 WHERE TRUE"
UPSERT = (
    "MERGE d.t USING (SELECT 5 AS n) AS s ON t.n = s.n WHEN MATCHED THEN UPDATE SET n = 50"
    " WHEN NOT MATCHED THEN INSERT (n) VALUES (5)"
)


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def server(limits) -> Iterator[BigQueryServer]:
    with BigQueryServer(limits=limits) as server:
        yield server


@pytest.fixture(autouse=True)
def table(run):
    run("CREATE TABLE d.t AS SELECT 0 AS n")
    run("CREATE TABLE d.u AS SELECT 0 AS n")


def states(server: BigQueryServer, match: str) -> list[State]:
    return [job.state for job in server.jobs if job.text.startswith(match)]


def begin(client: bigquery.Client, sql: str) -> bigquery.QueryJob:
    return client.query(sql, job_retry=None)


def test_two_run_twenty_wait_and_the_next_one_fails(server, client, rows):
    with server.hold("^UPDATE d.t") as hold:
        jobs = [begin(client, UPDATE) for _ in range(2)]
        hold.wait(2)
        jobs += [begin(client, UPDATE) for _ in range(20)]
        assert states(server, "UPDATE") == [State.RUNNING] * 2 + [State.PENDING] * 20
        with pytest.raises(
            BadRequest, match=r"Too many DML statements outstanding against table shop:d.t, limit is 20\."
        ) as refused:
            begin(client, UPDATE).result(retry=None)
        assert refused.value.errors[0]["reason"] == "resourcesExceeded"
        assert hold.held == 2
        # Other tables, and statements that do not change rows that are there, have no turns.
        begin(client, "UPDATE d.u SET n = 1 WHERE TRUE").result()
        begin(client, "INSERT INTO d.t VALUES (100)").result()
        assert rows("SELECT COUNT(*) FROM d.t") == [(2,)]
    finished = [job for job in jobs if not job.exception()]
    assert len(finished) + sum("concurrent update" in str(job.exception()) for job in jobs) == 22
    assert rows("SELECT MIN(n) FROM d.t") == [(len(finished),)]


def test_a_merge_and_a_delete_take_turns_too(server, client):
    with server.hold("d.t") as hold:
        begin(client, "DELETE FROM d.t WHERE FALSE")
        begin(client, "MERGE d.t USING (SELECT 1 AS x) ON FALSE WHEN NOT MATCHED THEN INSERT (n) VALUES (1)")
        hold.wait(2)
        begin(client, UPDATE)
        assert states(server, "UPDATE") == [State.PENDING]


def test_who_was_overtaken_runs_again(server, client, rows):
    with server.hold("n \\+ 1") as hold:
        first = begin(client, UPDATE)
        hold.wait()
        begin(client, "UPDATE d.t SET n = 10 WHERE TRUE").result()
        hold.release()
        first.result()
    assert rows("SELECT n FROM d.t") == [(11,)]


def test_who_is_overtaken_again_and_again_fails(server, client, rows, limits):
    limits.dml_reruns = 0
    with server.hold("n \\+ 1") as hold:
        first = begin(client, UPDATE)
        hold.wait()
        begin(client, "UPDATE d.t SET n = 10 WHERE TRUE").result()
        hold.release()
        with pytest.raises(
            BadRequest, match=r"Could not serialize access to table shop:d.t due to concurrent update"
        ) as failed:
            first.result(retry=None)
    assert failed.value.errors[0]["reason"] == "invalidQuery"
    assert rows("SELECT n FROM d.t") == [(10,)]


def test_inserts_and_loads_overtake_nobody(server, client, limits):
    limits.dml_reruns = 0
    with server.hold("n \\+ 1") as hold:
        first = begin(client, UPDATE)
        hold.wait()
        begin(client, "INSERT INTO d.t VALUES (5)").result()
        client.load_table_from_json([{"n": 6}], "shop.d.t").result()
        hold.release()
        assert first.result().num_dml_affected_rows == 3


def test_two_merges_that_only_insert_do_not_see_each_other(server, client, rows):
    with server.hold("^MERGE") as hold:
        jobs = [begin(client, UPSERT) for _ in range(2)]
        hold.wait(2)
    assert [job.result().num_dml_affected_rows for job in jobs] == [1, 1]
    assert rows("SELECT n FROM d.t ORDER BY n") == [(0,), (5,), (5,)]


def test_a_merge_that_updates_runs_again_if_it_was_overtaken(server, client, rows):
    client.query("INSERT INTO d.t VALUES (5)").result()
    with server.hold("^MERGE") as hold:
        jobs = [begin(client, UPSERT) for _ in range(2)]
        hold.wait(2)
    assert [job.result().num_dml_affected_rows for job in jobs] == [1, 1]
    assert rows("SELECT n FROM d.t ORDER BY n") == [(0,), (5,), (50,)], "the second finds no 5 any more"


def test_a_merge_that_only_inserts_overtakes_nobody(server, client, limits):
    limits.dml_reruns = 0
    with server.hold("n \\+ 1") as hold:
        first = begin(client, UPDATE)
        hold.wait()
        client.query(UPSERT).result()
        hold.release()
        first.result()


def test_conflicts_can_be_switched_off(server, client, limits, rows):
    limits.dml_reruns = None
    with server.hold("n \\+ 1") as hold:
        first = begin(client, UPDATE)
        hold.wait()
        begin(client, "UPDATE d.t SET n = 10 WHERE TRUE").result()
        hold.release()
        first.result()
    assert rows("SELECT n FROM d.t") == [(11,)]


def test_turns_can_be_switched_off(server, client, limits):
    limits.dml_running = None
    with server.hold("^UPDATE") as hold:
        for _ in range(5):
            begin(client, UPDATE)
        hold.wait(5)


def test_so_many_load_jobs_a_day(server, client, limits, rows):
    limits.load_jobs_per_day = 3
    for _ in range(3):
        client.load_table_from_json([{"n": 1}], "shop.d.t").result()
    with pytest.raises(Forbidden, match="Your table exceeded quota for imports or query appends per table") as refused:
        client.load_table_from_json([{"n": 1}], "shop.d.t").result()
    assert refused.value.errors[0]["reason"] == "quotaExceeded"
    client.load_table_from_json([{"n": 1}], "shop.d.u").result()
    server.advance(timedelta(days=1))
    client.load_table_from_json([{"n": 1}], "shop.d.t").result()
    assert rows("SELECT COUNT(*) FROM d.t") == [(5,)]


def test_jobs_take_their_time(server, client):
    server.latency = timedelta(seconds=0.3)
    job = client.query("SELECT 1")
    assert job.state == "RUNNING"
    job.result()
    job.reload()
    assert job.ended - job.started >= timedelta(seconds=0.3)
