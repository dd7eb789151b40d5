"""Queries: parameters of every type, names, tables, pages, and what is not done."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter, SchemaField, StructQueryParameter

NOON = dt.datetime(2024, 2, 3, 12, 0, 0, 250000, tzinfo=dt.UTC)
SCALARS = [
    ("STRING", "it's"), ("INT64", -5), ("FLOAT64", 1.5), ("BOOL", False), ("BYTES", b"\x00\xff"),
    ("NUMERIC", Decimal("1.25")), ("TIMESTAMP", NOON), ("DATETIME", NOON.replace(tzinfo=None)),
    ("DATE", NOON.date()), ("TIME", dt.time(12, 30)),
]  # fmt: skip


@pytest.fixture
def people(run):
    run(
        "CREATE TABLE d.people (Id STRING NOT NULL, age INT64, tags ARRAY<STRING>,"
        " jobs ARRAY<STRUCT<title STRING, years INT64>>)"
    )
    run(
        "INSERT INTO d.people VALUES ('bob', NULL, [], NULL), ('cy', 36, ['chess'], []),"
        " ('ada', 36, ['maths', 'verse'], [STRUCT('writer' AS title, 9 AS years), STRUCT('coder', 2)])"
    )


@pytest.mark.parametrize(("kind", "value"), SCALARS)
def test_parameters_arrive_as_they_were_sent(rows, kind, value):
    assert rows("SELECT @x", ScalarQueryParameter("x", kind, value)) == [(value,)]
    assert rows("SELECT @x", ScalarQueryParameter("x", kind, None)) == [(None,)]
    assert rows("SELECT ?, ?", ScalarQueryParameter(None, kind, value), ScalarQueryParameter(None, "INT64", 1)) == [
        (value, 1)
    ]
    assert rows("SELECT @x", ArrayQueryParameter("x", kind, [value, value])) == [([value, value],)]
    assert rows("SELECT ARRAY_LENGTH(@x)", ArrayQueryParameter("x", kind, [])) == [(0,)]


def test_json_is_a_value(rows):
    value: Any = {"b": [1], "a": None}  # the client's own types know only texts here
    assert rows("SELECT @x", ScalarQueryParameter("x", "JSON", value)) == [({"a": None, "b": [1]},)]


def test_rows_come_as_an_array_of_structs(rows):
    records = [
        StructQueryParameter(
            None, ScalarQueryParameter("id", "STRING", id_), ScalarQueryParameter("Count", "INT64", count)
        )
        for id_, count in [("a", 1), (None, None)]
    ]
    parameter = ArrayQueryParameter("rows", "STRUCT", records)
    for sql in [
        "SELECT r.id, r.count FROM UNNEST(@rows) AS r",
        "SELECT * FROM UNNEST(@rows) AS r",
        "SELECT r.* FROM UNNEST(@rows) AS r",
        "SELECT id, count FROM UNNEST(@rows)",
        "SELECT * FROM UNNEST(@rows)",
    ]:
        assert rows(sql, parameter) == [("a", 1), (None, None)], sql
    assert rows("SELECT r, place FROM UNNEST(@rows) AS r WITH OFFSET AS place WHERE r.id = 'a'", parameter) == [
        ({"id": "a", "Count": 1}, 0)
    ]


def test_a_star_gives_parts_and_then_places(rows):
    array = "[STRUCT(1 AS a, 2 AS b)]"
    for alias in ["WITH OFFSET", "AS r WITH OFFSET AS place"]:
        assert rows(f"SELECT * FROM UNNEST({array}) {alias}") == [(1, 2, 0)]
    assert rows("SELECT * FROM UNNEST(['x']) AS word WITH OFFSET AS place") == [("x", 0)]


def test_using_has_its_column_once_and_first(run, rows):
    run("CREATE TABLE d.a AS SELECT 1 AS x, 'k' AS id")
    run("CREATE TABLE d.b AS SELECT 'l' AS id, 2 AS y")
    assert rows("SELECT * FROM d.a FULL JOIN d.b USING (id) ORDER BY id") == [("k", 1, None), ("l", None, 2)]


def test_structs_nest(rows):
    inner = StructQueryParameter("in", ArrayQueryParameter("items", "INT64", [1, 2]))
    parameter = StructQueryParameter("x", inner, ScalarQueryParameter("n", "INT64", 3))
    assert rows("SELECT @x.in.items[OFFSET(1)] + @x.n", parameter) == [(5,)]
    assert rows("SELECT @x", parameter) == [({"in": {"items": [1, 2]}, "n": 3},)]


def test_there_may_be_more_than_ten_parameters(rows):
    values = [ScalarQueryParameter(f"p{n}", "INT64", n) for n in range(20)]
    assert rows("SELECT @p11 + @p19, '$p1'", *values) == [(30, "$p1")]


def test_a_parameter_that_is_missing_or_wrong_is_told(rows):
    with pytest.raises(BadRequest, match="Query parameter 'y' not found"):
        rows("SELECT @y", ScalarQueryParameter("x", "INT64", 1))
    with pytest.raises(BadRequest, match="Query parameter number 2 is not set"):
        rows("SELECT ?, ?", ScalarQueryParameter(None, "INT64", 1))
    with pytest.raises(BadRequest, match="Invalid value for parameter x of type INT64"):
        rows("SELECT @x", ScalarQueryParameter("x", "INT64", "many"))


def test_columns_are_named_as_they_are_written(people, run):
    def names(sql: str) -> list[str]:
        return [field.name for field in run(sql).result().schema]

    assert names("SELECT ID, 1, AGE + 1, Age AS Years, jobs[SAFE_OFFSET(0)].title FROM d.people") == [
        "ID", "f0_", "f1_", "Years", "title",
    ]  # fmt: skip
    assert names("SELECT * FROM d.people") == ["Id", "age", "tags", "jobs"]
    assert names("SELECT * EXCEPT (tags, JOBS) REPLACE (UPPER(id) AS id) FROM d.people") == ["id", "age"]
    with pytest.raises(BadRequest, match=r"Duplicate column names in the result are not supported.*: Id"):
        names("SELECT * FROM d.people AS a, d.people AS b")


def test_results_have_types(run):
    schema = run(
        "SELECT 1 AS i, 1.5 AS f, 'x' AS s, b'x' AS b, TRUE AS t, NUMERIC '1' AS n, CURRENT_TIMESTAMP() AS ts,"
        " CURRENT_DATE() AS d, [STRUCT(1 AS a)] AS l, JSON '1' AS j, CURRENT_DATETIME() AS dt, CURRENT_TIME() AS ti,"
        " COUNT(*) AS c, SUM(1) AS su"
    ).result().schema  # fmt: skip
    assert {field.name: field.field_type for field in schema} == {
        "i": "INTEGER", "f": "FLOAT", "s": "STRING", "b": "BYTES", "t": "BOOLEAN", "n": "NUMERIC", "ts": "TIMESTAMP",
        "d": "DATE", "l": "RECORD", "j": "JSON", "dt": "DATETIME", "ti": "TIME", "c": "INTEGER", "su": "INTEGER",
    }  # fmt: skip
    listed = next(field for field in schema if field.name == "l")
    assert (listed.mode, [part.name for part in listed.fields]) == ("REPEATED", ["a"])


def test_case_counts_for_tables_alone(people, rows):
    assert rows("SELECT P.id FROM d.people AS p WHERE P.AGE IS NULL") == [("bob",)]
    assert rows("WITH Old AS (SELECT Id FROM d.people) SELECT COUNT(ID) FROM old") == [(3,)]
    with pytest.raises(NotFound, match=r"Table shop:d.People was not found in location US"):
        rows("SELECT * FROM d.People")


def test_arrays_are_joined_with_their_rows(people, rows):
    assert rows("SELECT id, tag FROM d.people, UNNEST(tags) AS tag ORDER BY tag") == [
        ("cy", "chess"), ("ada", "maths"), ("ada", "verse"),
    ]  # fmt: skip
    assert rows("SELECT p.id, job.title, at FROM d.people AS p, UNNEST(p.jobs) AS job WITH OFFSET AS at ORDER BY at") == [
        ("ada", "writer", 0), ("ada", "coder", 1),
    ]  # fmt: skip
    assert rows("SELECT id, title FROM d.people AS p LEFT JOIN p.jobs ORDER BY id, title") == [
        ("ada", "coder"), ("ada", "writer"), ("bob", None), ("cy", None),
    ]  # fmt: skip
    assert rows("SELECT id FROM d.people WHERE EXISTS (SELECT 1 FROM UNNEST(jobs) WHERE years > 5)") == [("ada",)]
    assert rows("SELECT ARRAY(SELECT title FROM UNNEST(jobs) ORDER BY years) FROM d.people WHERE id = 'ada'") == [
        (["coder", "writer"],)
    ]


def test_the_last_of_each_group_is_found_in_three_ways(people, rows):
    by_number = "SELECT id FROM d.people QUALIFY ROW_NUMBER() OVER (PARTITION BY age ORDER BY id DESC) = 1 ORDER BY id"
    by_array = "SELECT ARRAY_AGG(id ORDER BY id DESC LIMIT 1)[OFFSET(0)] AS id FROM d.people GROUP BY age ORDER BY id"
    by_row = "SELECT ARRAY_AGG(p ORDER BY id DESC LIMIT 1)[OFFSET(0)].* FROM d.people AS p GROUP BY age"
    assert rows(by_number) == rows(by_array) == [("bob",), ("cy",)]
    assert sorted(row[0] for row in rows(by_row)) == ["bob", "cy"]


def test_nulls_come_first_unless_the_order_is_turned(people, rows):
    assert rows("SELECT age FROM d.people ORDER BY age") == [(None,), (36,), (36,)]
    assert rows("SELECT age FROM d.people ORDER BY age DESC") == [(36,), (36,), (None,)]
    assert rows("SELECT id FROM d.people ORDER BY age NULLS LAST, id DESC") == [("cy",), ("ada",), ("bob",)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", "Syntax error"),
        ("SELECT nope FROM d.people", r"Unrecognized name: nope at \[1:8\]"),
        ("SELECT age AS years FROM d.people WHERE years > 1", "Unrecognized name: years"),
        ("SELECT id, age FROM d.people GROUP BY id", "neither grouped nor aggregated"),
        ("SELECT x FROM (SELECT 1 AS x, 2 AS x)", "ambiguous"),
        ("SELECT 1 AS x UNION ALL SELECT 'a'", "Column 1 in UNION has incompatible types: INT64, STRING"),
        ("SELECT 1, 2 UNION ALL SELECT 1", "mismatched column count"),
        ("SELECT 1 UNION SELECT 2", "Syntax error: Expected DISTINCT or ALL"),
        ("SELECT id FROM d.people WHERE age", "WHERE clause should return type BOOL, but returns type INT64"),
        ("SELECT j.nope FROM d.people, UNNEST(jobs) AS j", "nope"),
        ("SELECT DISTINCT id FROM d.people ORDER BY age", "not visible after SELECT DISTINCT"),
        ("SELECT * FROM people", 'Table "people" must be qualified with a dataset'),
    ],
)
def test_mistakes_are_told(people, run, sql, message):
    with pytest.raises(BadRequest, match=message):
        run(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "DECLARE x INT64",
        "BEGIN TRANSACTION",
        "CALL d.f()",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "SELECT @@row_count",
        "IF TRUE THEN SELECT 1; END IF",
        "CREATE VIEW d.v AS SELECT 1",
        "CREATE TEMP TABLE t (a INT64)",
        "CREATE FUNCTION d.f() AS (1)",
        "EXPORT DATA OPTIONS (uri = 'x') AS SELECT 1",
        "SELECT * FROM `d.people_*`",
        "SELECT * FROM d.INFORMATION_SCHEMA.TABLES",
        "SELECT * FROM d.people FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()",
        "SELECT * FROM d.people TABLESAMPLE SYSTEM (10 PERCENT)",
        "WITH RECURSIVE r AS (SELECT 1 AS n) SELECT * FROM r",
        "SELECT NORMALIZE('a')",
        "SELECT [STRUCT(1 AS a), STRUCT(2 AS b)]",
        "SELECT STRUCT(1 AS a) AS s UNION ALL SELECT STRUCT(2 AS b)",
        "SELECT UPPER(b'a')",
        "SELECT * FROM UNNEST([1, 2])",
        "SELECT NVL(1, 2)",
        "SELECT NOW()",
        "SELECT SAFE.SUBSTR('a', 1)",
        "SELECT d.f(1)",
        "SELECT CAST('1' AS BIGNUMERIC)",
        "SELECT EXTRACT(WEEK FROM CURRENT_DATE())",
        "SELECT DATE(CURRENT_TIMESTAMP(), 'Europe/Berlin')",
        "SELECT FORMAT_TIMESTAMP('%Z', CURRENT_TIMESTAMP())",
        "SELECT NUMERIC '1' / 3",
        "SELECT STRUCT(1 AS a) = STRUCT(1 AS a)",
        "SELECT (1, 2) IN ((1, 2))",
        "SELECT CURRENT_DATE() + 1",
        "SELECT j.a FROM (SELECT JSON '{}' AS j)",
        "SELECT AS STRUCT 1 AS a",
        "SELECT * FROM EXTERNAL_QUERY('c', 'SELECT 1')",
        "SELECT id, COUNT(*) FROM d.people GROUP BY ROLLUP (id)",
        "SELECT ARRAY_AGG(x) FROM t PIVOT(SUM(x) FOR y IN ('a'))",
    ],
)
def test_what_is_not_done_is_refused_and_no_client_tries_again(server, run, sql):
    with pytest.raises(MethodNotImplemented, match=r"rushes.testing.bigquery does not do this"):
        run(sql)
    assert len(server.jobs) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"use_legacy_sql": True},
        {"create_session": True},
        {"schema_update_options": ["ALLOW_FIELD_ADDITION"], "dry_run": True},
    ],
)
def test_options_that_would_change_the_answer_are_refused(run, options):
    with pytest.raises(MethodNotImplemented, match="does not do this"):
        run("SELECT 1", **options)


def test_results_come_in_pages(client, run):
    job = run("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS x ORDER BY x")
    pages = [[row.x for row in page] for page in job.result(page_size=300).pages]
    assert [len(page) for page in pages] == [300, 300, 300, 100]
    assert [x for page in pages for x in page] == list(range(1, 1001))
    assert [row.x for row in job.result(max_results=5)] == [1, 2, 3, 4, 5]
    assert [row.x for row in job.result(start_index=995)] == [996, 997, 998, 999, 1000]
    assert job.result().total_rows == 1000
    waited = client.query_and_wait("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 25)) AS x ORDER BY x", page_size=10)
    assert [row.x for row in waited] == list(range(1, 26))


def test_a_page_holds_ten_megabytes(server, run):
    job = run("SELECT REPEAT('x', 100000) AS x FROM UNNEST(GENERATE_ARRAY(1, 250)) AS n")
    assert sum(len(row.x) for row in job.result()) == 25_000_000
    assert sum(1 for request in server.requests if "/queries/" in request.path) > 2


def test_a_dry_run_tells_columns_and_bytes_and_runs_nothing(people, server, client):
    before = len(server.jobs)
    config = bigquery.QueryJobConfig(dry_run=True)
    job = client.query("SELECT id, age FROM d.people", job_config=config)
    assert (job.state, job.total_bytes_processed) == ("DONE", 5 + 5 + 4 + 16)
    assert [field.name for field in job.schema] == ["id", "age"]
    client.query("DELETE FROM d.people WHERE TRUE", job_config=config)
    with pytest.raises(BadRequest, match="Unrecognized name"):
        client.query("SELECT nope FROM d.people", job_config=config)
    assert len(server.jobs) == before
    assert len(list(client.list_rows("d.people"))) == 3


def test_a_default_dataset_completes_names(people, rows):
    dataset = bigquery.DatasetReference("shop", "d")
    assert rows("WITH x AS (SELECT id FROM people) SELECT COUNT(*) FROM x", default_dataset=dataset) == [(3,)]
    assert rows("SELECT COUNT(*) FROM `shop`.d.people, `shop.d`.people AS p") == [(9,)]


def test_projects_may_have_dashes(server):
    with server.client("my-shop-1") as client:
        client.create_dataset("d")
        client.query_and_wait("CREATE TABLE `my-shop-1.d.t` AS SELECT 1 AS x")
        for name in ["`my-shop-1.d.t`", "my-shop-1.d.t", "`my-shop-1`.d.t", "d.t"]:
            assert [row.x for row in client.query_and_wait(f"SELECT x FROM {name}")] == [1]


def test_a_result_goes_to_its_destination(client, run, rows):
    def write(sql: str, disposition: str | None = None) -> list[int]:
        job = run(sql, destination=bigquery.TableReference.from_string("shop.d.out"), write_disposition=disposition)
        return [row.x for row in job.result()]

    assert write("SELECT 1 AS x") == [1]
    assert write("SELECT 2 AS x", "WRITE_APPEND") == [2]
    assert rows("SELECT x FROM d.out ORDER BY x") == [(1,), (2,)]
    with pytest.raises(Exception, match=r"Already Exists: Table shop:d.out"):
        write("SELECT 3 AS x")
    with pytest.raises(BadRequest, match="does not match Table"):
        write("SELECT 'a' AS x", "WRITE_APPEND")
    assert write("SELECT 4 AS x, 'y' AS y", "WRITE_TRUNCATE") == [4]
    assert [field.name for field in client.get_table("d.out").schema] == ["x", "y"]


def test_readers_see_whole_statements(server, run, rows):
    """While rows are moved to and fro in one statement, no reader sees some of them."""
    run("CREATE TABLE d.t AS SELECT x, 0 AS side FROM UNNEST(GENERATE_ARRAY(1, 2000)) AS x")
    sides: set[int] = set()

    def turn() -> None:
        with server.client("shop") as client:
            for _ in range(15):
                client.query_and_wait("UPDATE d.t SET side = 1 - side WHERE TRUE")

    thread = threading.Thread(target=turn)
    thread.start()
    while thread.is_alive():
        ((total, most),) = rows("SELECT SUM(side), COUNT(DISTINCT side) FROM d.t")
        sides |= {total}
        assert most == 1
    thread.join()
    assert sides <= {0, 2000}


def test_statements_may_be_long(rows):
    ids = [f"id-{n}" for n in range(5000)]
    found = rows(
        "SELECT COUNT(*) FROM UNNEST(@ids) AS id WHERE id IN UNNEST(@ids)", ArrayQueryParameter("ids", "STRING", ids)
    )
    assert found == [(5000,)]
    literals = ", ".join(f"'{id_}'" for id_ in ids[:500])
    assert rows(f"SELECT 'id-7' IN ({literals})") == [(True,)]


def test_schema_fields_round_trip(client):
    schema = [
        SchemaField("id", "STRING", "REQUIRED", description="the key"),
        SchemaField(
            "parts", "RECORD", "REPEATED", fields=[SchemaField("n", "INTEGER"), SchemaField("when", "TIMESTAMP")]
        ),
    ]
    client.create_table(bigquery.Table("shop.d.t", schema))
    assert client.get_table("shop.d.t").schema == schema
