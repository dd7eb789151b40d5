"""What statements cost, and the ceiling."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import InternalServerError
from google.cloud import bigquery
from google.cloud.bigquery import QueryJobConfig

MEGABYTE = 1024 * 1024
LEAST = 10 * MEGABYTE


@pytest.fixture
def bytes_of(run):
    def measure(sql: str) -> tuple[int, int]:
        job = run(sql)
        return job.total_bytes_processed, job.total_bytes_billed

    return measure


@pytest.fixture(autouse=True)
def table(run):
    run(
        "CREATE TABLE d.t (s STRING, i INT64, f FLOAT64, b BOOL, n NUMERIC, at TIMESTAMP, by BYTES, l ARRAY<INT64>,"
        " r STRUCT<a STRING, d DATE>)"
    )
    run(
        "INSERT INTO d.t VALUES ('abc', 1, 1, TRUE, 1, CURRENT_TIMESTAMP(), b'12', [1, 2], STRUCT('é', CURRENT_DATE()))"
    )
    run("INSERT INTO d.t (s) VALUES ('')")


@pytest.mark.parametrize(
    ("columns", "size"),
    [
        ("s", (2 + 3) + 2), ("i", 8), ("f", 8), ("b", 1), ("n", 16), ("at", 8), ("t.by", 2 + 2), ("l", 16), ("r", 2 + 2 + 8),
        ("i, f", 16), ("*", 7 + 8 + 8 + 1 + 16 + 8 + 4 + 16 + 12), ("COUNT(*)", 0), ("i AS x, i + 1 AS y", 8), ("1", 0),
    ],
)  # fmt: skip
def test_columns_that_are_read_count(bytes_of, columns, size):
    assert bytes_of(f"SELECT {columns} FROM d.t") == (size, LEAST if size else 0)


def test_all_that_is_looked_at_is_read(bytes_of):
    assert bytes_of("SELECT s FROM d.t WHERE i = 1 ORDER BY f") == (7 + 8 + 8, LEAST)
    assert bytes_of("SELECT a.s FROM d.t AS a JOIN d.t AS b ON a.i = b.i") == (7 + 8, LEAST)
    assert bytes_of("WITH x AS (SELECT i FROM d.t) SELECT COUNT(i) FROM x") == (8, LEAST)
    assert bytes_of("SELECT 1") == (0, 0)


def test_each_table_costs_ten_megabytes_at_least(run, bytes_of):
    run("CREATE TABLE d.u AS SELECT 1 AS i")
    assert bytes_of("SELECT t.i FROM d.t JOIN d.u ON t.i = u.i") == (16, 2 * LEAST)


def test_changes_pay_for_the_whole_table(bytes_of):
    whole = 80
    assert bytes_of("UPDATE d.t SET f = 2 WHERE i = 5") == (whole + 8, LEAST)
    assert bytes_of("DELETE FROM d.t WHERE FALSE") == (whole, LEAST)
    merge = "MERGE d.t USING (SELECT 5 AS i) AS s ON t.i = s.i"
    assert bytes_of(f"{merge} WHEN MATCHED THEN DELETE") == (whole + 8, LEAST)
    assert bytes_of(f"{merge} WHEN NOT MATCHED THEN INSERT (i) VALUES (s.i)") == (8, LEAST)
    assert bytes_of("INSERT INTO d.t (s) VALUES ('x')") == (0, 0)
    assert bytes_of("INSERT INTO d.t (s) SELECT s FROM d.t WHERE FALSE") == (10, LEAST)


def test_more_is_billed_by_the_megabyte(run, bytes_of):
    run("CREATE TABLE d.big AS SELECT REPEAT('x', 1000000) AS s, n FROM UNNEST(GENERATE_ARRAY(1, 15)) AS n")
    assert bytes_of("SELECT s FROM d.big") == (15 * 1_000_002, 15 * MEGABYTE)
    assert bytes_of("SELECT n FROM d.big") == (15 * 8, LEAST)


def test_the_ceiling_holds_before_anything_is_done(server, client, rows):
    for ceiling, sql in [(LEAST - 1, "SELECT s FROM d.t"), (LEAST, "UPDATE d.t SET i = u.i FROM d.u WHERE TRUE")]:
        if "d.u" in sql:
            client.query_and_wait("CREATE TABLE d.u AS SELECT 1 AS i")
        job = client.query(sql, job_config=QueryJobConfig(maximum_bytes_billed=ceiling), job_retry=None)
        with pytest.raises(
            InternalServerError, match=rf"Query exceeded limit for bytes billed: {ceiling}\. \d+ or higher"
        ):
            job.result(retry=None)
        assert job.error_result["reason"] == "bytesBilledLimitExceeded"
        assert server.jobs[-1].bytes_billed == 0
    allowed = QueryJobConfig(maximum_bytes_billed=LEAST)
    assert list(client.query_and_wait("SELECT i FROM d.t WHERE i = 1", job_config=allowed))


def test_filling_a_table_is_paid_for_and_the_rest_of_ddl_is_not(bytes_of):
    assert bytes_of("CREATE TABLE d.copy AS SELECT s FROM d.t") == (7, LEAST)
    assert bytes_of("ALTER TABLE d.copy ADD COLUMN x INT64") == (0, 0)
    assert bytes_of("DROP TABLE d.copy") == (0, 0)


def test_tables_tell_their_size(client, run):
    assert client.get_table("d.t").num_bytes == 80
    run("DELETE FROM d.t WHERE TRUE")
    table = client.get_table("d.t")
    assert (table.num_bytes, table.num_rows) == (0, 0)
    assert isinstance(table, bigquery.Table)
