"""Datasets and tables, over REST and by DDL."""

from __future__ import annotations

import datetime as dt

import pytest
from google.api_core.exceptions import BadRequest, Conflict, MethodNotImplemented, NotFound, PreconditionFailed
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField


def test_datasets_come_and_go(client):
    dataset = bigquery.Dataset("shop.eu")
    dataset.location = "EU"
    dataset.description = "orders"
    dataset.labels = {"team": "data"}
    made = client.create_dataset(dataset)
    assert (made.location, made.description, made.labels) == ("EU", "orders", {"team": "data"})
    with pytest.raises(Conflict, match="Already Exists: Dataset shop:eu"):
        client.create_dataset("eu")
    assert client.create_dataset("eu", exists_ok=True).location == "EU"
    assert [one.dataset_id for one in client.list_datasets()] == ["d", "eu"]
    made.description = None
    assert client.update_dataset(made, ["description"]).description is None
    client.delete_dataset("eu")
    with pytest.raises(NotFound, match="Not found: Dataset shop:eu"):
        client.get_dataset("eu")
    client.delete_dataset("eu", not_found_ok=True)
    with pytest.raises(BadRequest, match='Invalid dataset ID "a-b"'):
        client.create_dataset("a-b")


def test_a_dataset_with_tables_stays_unless_they_go_too(client, run):
    run("CREATE TABLE d.t (x INT64)")
    with pytest.raises(BadRequest, match="Dataset shop:d is still in use"):
        client.delete_dataset("d")
    client.delete_dataset("d", delete_contents=True)
    assert list(client.list_datasets()) == []


def test_tables_come_and_go(client):
    table = bigquery.Table("shop.d.t", [SchemaField("id", "STRING", "REQUIRED"), SchemaField("at", "TIMESTAMP")])
    table.time_partitioning = bigquery.TimePartitioning(field="at")
    table.clustering_fields = ["id"]
    table.expires = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    table.labels = {"a": "b"}
    made = client.create_table(table)
    assert (made.num_rows, made.num_bytes, made.location, made.table_type) == (0, 0, "US", "TABLE")
    with pytest.raises(Conflict, match=r"Already Exists: Table shop:d.t"):
        client.create_table(table)
    found = client.get_table("shop.d.t")
    assert (found.time_partitioning.field, found.clustering_fields, found.labels) == ("at", ["id"], {"a": "b"})
    assert found.expires == table.expires
    assert [one.table_id for one in client.list_tables("d")] == ["t"]
    client.delete_table("shop.d.t")
    with pytest.raises(NotFound, match=r"Not found: Table shop:d.t"):
        client.get_table("shop.d.t")
    with pytest.raises(NotFound, match="Not found: Dataset shop:e"):
        client.create_table(bigquery.Table("shop.e.t"))
    with pytest.raises(NotFound):
        client.delete_table("shop.d.t")


def test_a_table_takes_new_columns_over_rest(client, run, rows):
    run("CREATE TABLE d.t AS SELECT 1 AS x")
    table = client.get_table("d.t")
    table.schema = [*table.schema, SchemaField("tags", "STRING", "REPEATED"), SchemaField("note", "STRING")]
    client.update_table(table, ["schema"])
    assert rows("SELECT x, tags, note FROM d.t") == [(1, [], None)]
    table = client.get_table("d.t")
    table.schema = table.schema[1:]
    with pytest.raises(BadRequest, match=r"Provided Schema does not match Table shop:d.t"):
        client.update_table(table, ["schema"])


def test_an_update_of_what_somebody_else_changed_fails(client, run):
    run("CREATE TABLE d.t (x INT64)")
    mine, other = client.get_table("d.t"), client.get_table("d.t")
    other.description = "first"
    client.update_table(other, ["description"])
    mine.description = "second"
    with pytest.raises(PreconditionFailed):
        client.update_table(mine, ["description"])


def test_rows_are_listed_with_chosen_columns(client, run):
    run("CREATE TABLE d.t AS SELECT x, CAST(x AS STRING) AS s FROM UNNEST(GENERATE_ARRAY(1, 100)) AS x")
    assert [tuple(row) for row in client.list_rows("d.t", max_results=2)] == [(1, "1"), (2, "2")]
    assert [row.x for row in client.list_rows("d.t", page_size=30)] == list(range(1, 101))
    table = client.get_table("d.t")
    assert [tuple(row) for row in client.list_rows(table, selected_fields=table.schema[1:], start_index=98)] == [
        ("99",),
        ("100",),
    ]


def test_ddl_makes_tables_with_all_that_is_said_of_them(server, client, run):
    job = run(
        "CREATE TABLE IF NOT EXISTS `shop.d.t` (id STRING NOT NULL OPTIONS(description = 'the key'), at TIMESTAMP, n INT64,"
        " parts ARRAY<STRUCT<a INT64, b STRING>>) PARTITION BY DATE(at) CLUSTER BY id, n OPTIONS("
        "expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 7 DAY), description = 'orders',"
        " labels = [('team', 'data')], partition_expiration_days = 3)"
    )
    assert (job.statement_type, job.ddl_operation_performed, str(job.ddl_target_table)) == (
        "CREATE_TABLE",
        "CREATE",
        "shop.d.t",
    )
    table = client.get_table("d.t")
    assert table.schema == [
        SchemaField("id", "STRING", "REQUIRED", description="the key"),
        SchemaField("at", "TIMESTAMP"), SchemaField("n", "INTEGER"),
        SchemaField("parts", "RECORD", "REPEATED", fields=[SchemaField("a", "INTEGER"), SchemaField("b", "STRING")]),
    ]  # fmt: skip
    assert (table.time_partitioning.type_, table.time_partitioning.field) == ("DAY", "at")
    assert table.time_partitioning.expiration_ms == 3 * 86_400_000
    assert (table.clustering_fields, table.description, table.labels) == (["id", "n"], "orders", {"team": "data"})
    assert abs(table.expires - server.now - dt.timedelta(days=7)) < dt.timedelta(minutes=1)
    assert run("CREATE TABLE IF NOT EXISTS d.t (x INT64)").ddl_operation_performed == "SKIP"
    with pytest.raises(Conflict, match=r"Already Exists: Table shop:d.t"):
        run("CREATE TABLE d.t (x INT64)")


@pytest.mark.parametrize(
    ("clause", "kind", "field"),
    [
        ("PARTITION BY day", "DAY", "day"), ("PARTITION BY TIMESTAMP_TRUNC(at, HOUR)", "HOUR", "at"),
        ("PARTITION BY DATE_TRUNC(day, MONTH)", "MONTH", "day"),
    ],
)  # fmt: skip
def test_ddl_partitions_by_time(client, run, clause, kind, field):
    run(f"CREATE TABLE d.t (at TIMESTAMP, day DATE) {clause}")
    partitioning = client.get_table("d.t").time_partitioning
    assert (partitioning.type_, partitioning.field) == (kind, field)


def test_ddl_partitions_by_ranges(client, run):
    run("CREATE TABLE d.t (n INT64) PARTITION BY RANGE_BUCKET(n, GENERATE_ARRAY(0, 100, 10))")
    range_ = client.get_table("d.t").range_partitioning
    assert (range_.field, range_.range_.start, range_.range_.end, range_.range_.interval) == ("n", 0, 100, 10)


def test_tables_are_made_of_queries(client, run, rows):
    run("CREATE TABLE d.t AS SELECT 'a' AS Id, 1 AS n, [1.5] AS list, STRUCT(1 AS Part) AS s")
    assert client.get_table("d.t").schema == [
        SchemaField("Id", "STRING"), SchemaField("n", "INTEGER"), SchemaField("list", "FLOAT", "REPEATED"),
        SchemaField("s", "RECORD", fields=[SchemaField("Part", "INTEGER")]),
    ]  # fmt: skip
    assert run("CREATE OR REPLACE TABLE d.t AS SELECT id, n + 1 AS n FROM d.t").ddl_operation_performed == "REPLACE"
    assert rows("SELECT * FROM d.t") == [("a", 2)]
    with pytest.raises(BadRequest, match="division by zero"):
        run("CREATE OR REPLACE TABLE d.t AS SELECT 1 / (n - 2) AS x FROM d.t")
    assert rows("SELECT * FROM d.t") == [("a", 2)]


def test_ddl_changes_tables(client, run, rows):
    run("CREATE TABLE d.t AS SELECT 1 AS x, 'a' AS gone")
    run("ALTER TABLE d.t ADD COLUMN IF NOT EXISTS owner STRING, ADD COLUMN IF NOT EXISTS X INT64")
    run("ALTER TABLE d.t ADD COLUMN tags ARRAY<STRING>")
    assert rows("SELECT * FROM d.t") == [(1, "a", None, [])]
    run("ALTER TABLE d.t DROP COLUMN gone, DROP COLUMN IF EXISTS nope")
    run("ALTER TABLE d.t RENAME COLUMN owner TO keeper")
    run("ALTER TABLE d.t SET OPTIONS (description = 'new')")
    run("ALTER TABLE d.t RENAME TO u")
    assert [field.name for field in client.get_table("d.u").schema] == ["x", "keeper", "tags"]
    assert client.get_table("d.u").description == "new"
    run("CREATE TABLE d.r (id STRING NOT NULL)")
    run("ALTER TABLE d.r ALTER COLUMN id DROP NOT NULL")
    run("INSERT INTO d.r VALUES (NULL)")
    assert client.get_table("d.r").schema == [SchemaField("id", "STRING")]
    assert run("ALTER TABLE IF EXISTS d.nope ADD COLUMN x INT64").ddl_operation_performed == "SKIP"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("ALTER TABLE d.t ADD COLUMN x INT64", "Column already exists: x"),
        ("ALTER TABLE d.t ADD COLUMN y INT64 NOT NULL", "Column y cannot be REQUIRED"),
        ("ALTER TABLE d.t DROP COLUMN y", "Column not found: y"),
        ("CREATE TABLE d.u (a INT64, A STRING)", "Duplicate field name: A"),
        ("CREATE TABLE d.u (a INT64) PARTITION BY b", "cannot be found in the schema: b"),
        ("CREATE TABLE d.u (a INT64) CLUSTER BY b", "cannot be found in the schema: b"),
        ("CREATE TABLE d.u (`a b` INT64)", 'Invalid field name "a b"'),
    ],
)
def test_mistakes_in_ddl_are_told(run, sql, message):
    run("CREATE TABLE d.t (x INT64, z INT64)")
    with pytest.raises(BadRequest, match=message):
        run(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE d.u LIKE d.t",
        "CREATE TABLE d.u CLONE d.t",
        "CREATE TABLE d.u COPY d.t",
        "CREATE TABLE d.u (a INT64 DEFAULT 1)",
        "CREATE TABLE d.u (a GEOGRAPHY)",
        "CREATE TABLE d.u (a STRING(10))",
        "CREATE TABLE d.u (a INT64, PRIMARY KEY (a) NOT ENFORCED)",
        "CREATE TABLE d.u (a DATE) PARTITION BY a OPTIONS (require_partition_filter = TRUE)",
        "CREATE TABLE d.u (rowid INT64)",
        "CREATE TABLE d.u (s STRUCT<a INT64 NOT NULL>)",
        "ALTER TABLE d.t ALTER COLUMN x SET DATA TYPE NUMERIC",
        "CREATE TABLE d.u (a INT64) PARTITION BY _PARTITIONDATE",
    ],
)
def test_ddl_that_is_not_done_is_refused(run, sql):
    run("CREATE TABLE d.t (x INT64)")
    with pytest.raises(MethodNotImplemented, match="does not do this"):
        run(sql)


def test_drop(client, run):
    run("CREATE TABLE d.t (x INT64)")
    assert run("DROP TABLE d.t").ddl_operation_performed == "DROP"
    assert run("DROP TABLE IF EXISTS d.t").ddl_operation_performed == "SKIP"
    with pytest.raises(NotFound, match=r"Table shop:d.t was not found"):
        run("DROP TABLE d.t")
    run("CREATE SCHEMA IF NOT EXISTS e OPTIONS (location = 'EU')")
    run("CREATE SCHEMA IF NOT EXISTS e")
    assert client.get_dataset("e").location == "EU"
    run("CREATE TABLE e.t (x INT64)")
    run("DROP SCHEMA e CASCADE")
    with pytest.raises(NotFound):
        client.get_dataset("e")


def test_tables_expire(server, client, run, rows):
    run(
        "CREATE TABLE d.t (x INT64) OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR))"
    )
    server.advance(dt.timedelta(minutes=59))
    assert rows("SELECT * FROM d.t") == []
    run("ALTER TABLE d.t SET OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR))")
    server.advance(dt.timedelta(minutes=59))
    assert rows("SELECT * FROM d.t") == []
    server.advance(dt.timedelta(minutes=2))
    with pytest.raises(NotFound, match=r"Table shop:d.t was not found"):
        rows("SELECT * FROM d.t")
    run("CREATE TABLE d.t (y INT64)")
    assert [field.name for field in client.get_table("d.t").schema] == ["y"]


def test_tables_are_found_where_their_dataset_is(server, client):
    dataset = bigquery.Dataset("shop.eu")
    dataset.location = "EU"
    client.create_dataset(dataset)
    job = client.query("CREATE TABLE eu.t AS SELECT 1 AS x")
    job.result()
    assert job.location == "EU"
    assert client.get_table("eu.t").location == "EU"
    assert client.query("SELECT x FROM eu.t").location == "EU"
    with pytest.raises(NotFound, match="Dataset shop:eu was not found in location US"):
        client.query("SELECT x FROM eu.t", location="US", job_retry=None).result()
    with pytest.raises(NotFound, match="Dataset shop:d was not found in location EU"):
        client.query("SELECT * FROM eu.t, d.t", job_retry=None).result()
