"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE: what they change, what they count, and what they refuse."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter, StructQueryParameter


@pytest.fixture(autouse=True)
def tables(run):
    run("CREATE TABLE d.t (id STRING NOT NULL, n INT64, at TIMESTAMP, tags ARRAY<STRING>)")
    run("INSERT INTO d.t (id, n) VALUES ('a', 1), ('b', 2), ('c', NULL)")
    run("CREATE TABLE d.s (id STRING, n INT64)")
    run("INSERT INTO d.s VALUES ('b', 20), ('c', 30), ('x', 40), (NULL, 50)")


@pytest.fixture
def content(rows):
    return lambda: rows("SELECT id, n FROM d.t ORDER BY id")


def counts(job) -> tuple[int, int, int]:
    stats = job.dml_stats
    assert job.num_dml_affected_rows == stats.inserted_row_count + stats.updated_row_count + stats.deleted_row_count
    return stats.inserted_row_count, stats.updated_row_count, stats.deleted_row_count


def test_insert_takes_values_and_queries(run, rows):
    assert counts(run("INSERT INTO d.t (id, at) VALUES ('d', CURRENT_TIMESTAMP()), ('e', '2024-02-03')")) == (2, 0, 0)
    assert counts(run("INSERT d.t (id, n) SELECT CONCAT(id, '2'), n FROM d.s WHERE id IS NOT NULL")) == (3, 0, 0)
    assert counts(run("INSERT INTO d.t (id) WITH x AS (SELECT 'z' AS id) SELECT id FROM x")) == (1, 0, 0)
    assert counts(run("INSERT INTO d.t (n, id, tags) VALUES (DEFAULT, 'f', ['x'])")) == (1, 0, 0)
    assert rows("SELECT id, n, at IS NULL, tags FROM d.t WHERE id IN ('f', 'x2', 'e') ORDER BY id") == [
        ("e", None, False, []), ("f", None, True, ["x"]), ("x2", 40, True, []),
    ]  # fmt: skip


def test_update_counts_rows_that_match(run, content):
    job = run("UPDATE d.t SET n = IFNULL(n, 0) + @by WHERE id != 'a'", ScalarQueryParameter("by", "INT64", 5))
    assert counts(job) == (0, 2, 0)
    assert content() == [("a", 1), ("b", 7), ("c", 5)]
    assert counts(run("UPDATE d.t SET n = 0 WHERE FALSE")) == (0, 0, 0)
    run(
        "UPDATE d.t AS x SET x.n = (SELECT MAX(n) FROM d.s WHERE d.s.id = x.id) WHERE x.id = 'b'".replace(
            "d.s.id", "s.id"
        )
    )
    assert content()[1] == ("b", 20)


def test_update_joins_other_tables(run, content):
    assert counts(
        run("UPDATE d.t SET n = s.n FROM d.s AS s JOIN d.s AS again ON again.id = s.id WHERE t.id = s.id")
    ) == (0, 2, 0)
    assert content() == [("a", 1), ("b", 20), ("c", 30)]


def test_an_update_from_two_rows_at_once_is_an_error_and_changes_nothing(run, content):
    run("INSERT INTO d.s VALUES ('b', 21)")
    with pytest.raises(BadRequest, match="UPDATE/MERGE must match at most one source row for each target row"):
        run("UPDATE d.t SET n = s.n FROM d.s AS s WHERE t.id = s.id")
    assert content() == [("a", 1), ("b", 2), ("c", None)]


def test_delete(run, content):
    assert counts(run("DELETE FROM d.t AS x WHERE EXISTS (SELECT 1 FROM d.s WHERE s.id = x.id)")) == (0, 0, 2)
    assert counts(run("DELETE d.t WHERE TRUE")) == (0, 0, 1)
    assert content() == []


def test_truncate(run, content):
    assert run("TRUNCATE TABLE d.t").statement_type == "TRUNCATE_TABLE"
    assert content() == []


def test_merge_updates_inserts_and_deletes_at_once(run, content):
    job = run(
        "MERGE d.t USING d.s ON t.id = s.id WHEN MATCHED AND s.n > 25 THEN DELETE WHEN MATCHED THEN UPDATE SET n = s.n"
        " WHEN NOT MATCHED BY TARGET AND s.id IS NOT NULL THEN INSERT (id, n) VALUES (id, n)"
        " WHEN NOT MATCHED BY SOURCE THEN UPDATE SET n = t.n + 100"
    )
    assert counts(job) == (1, 2, 1)
    assert content() == [("a", 101), ("b", 20), ("x", 40)]


def test_merge_takes_rows_of_parameters(run, content):
    records = [
        StructQueryParameter(None, ScalarQueryParameter("id", "STRING", id_), ScalarQueryParameter("n", "INT64", n))
        for id_, n in [("a", 10), ("new", None)]
    ]
    upsert = (
        "MERGE d.t AS t USING {} ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n"
        " WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)"
    )
    for source in ["UNNEST(@rows) AS s", "(SELECT r.id AS id, r.n AS n FROM UNNEST(@rows) AS r) AS s"]:
        run(upsert.format(source), ArrayQueryParameter("rows", "STRUCT", records))
        assert content() == [("a", 10), ("b", 2), ("c", None), ("new", None)]


def test_merge_inserts_whole_rows(run, rows):
    run("CREATE TABLE d.copy (n INT64, id STRING)")
    run("MERGE d.copy USING (SELECT id, n FROM d.s) AS s ON FALSE WHEN NOT MATCHED AND id = 'x' THEN INSERT ROW")
    assert rows("SELECT id, n FROM d.copy") == [("x", 40)]


def test_nothing_equals_null(run, content):
    run("CREATE TABLE d.u (id STRING, n INT64)")
    run("INSERT INTO d.u VALUES (NULL, 1)")
    job = run("MERGE d.u USING d.s ON u.id = s.id WHEN MATCHED THEN UPDATE SET n = 0 WHEN NOT MATCHED THEN INSERT ROW")
    assert counts(job) == (4, 0, 0)


def test_a_merge_that_would_change_a_row_twice_is_an_error_and_changes_nothing(run, content):
    run("INSERT INTO d.s VALUES ('b', 21), ('y', 1), ('y', 2)")
    with pytest.raises(BadRequest, match="UPDATE/MERGE must match at most one source row for each target row"):
        run("MERGE d.t USING d.s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n")
    assert content() == [("a", 1), ("b", 2), ("c", None)]
    job = run(
        "MERGE d.t USING d.s ON t.id = s.id WHEN MATCHED AND s.n = 21 THEN UPDATE SET n = s.n"
        " WHEN NOT MATCHED AND s.id IS NOT NULL THEN INSERT (id, n) VALUES (s.id, s.n)"
    )
    assert counts(job) == (3, 1, 0)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE d.t SET n = 1", "UPDATE must have a WHERE clause"),
        ("DELETE FROM d.t", "DELETE must have a WHERE clause"),
        ("INSERT INTO d.t (n) VALUES (1)", "Required field id cannot be null"),
        ("INSERT INTO d.t (id) VALUES (NULL)", "Required field id cannot be null"),
        ("UPDATE d.t SET id = NULL WHERE TRUE", "Required field id cannot be null"),
        (
            "MERGE d.t USING d.s ON FALSE WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
            "Required field id cannot be null",
        ),
        ("INSERT INTO d.t (id, n) VALUES ('x')", "Inserted row has wrong column count; Has 1, expected 2"),
        ("INSERT INTO d.t (id, n) SELECT 'x'", "Inserted row has wrong column count; Has 1, expected 2"),
        ("INSERT INTO d.t (id, nope) VALUES ('x', 1)", "Column nope is not present in table shop.d.t"),
        ("INSERT INTO d.t (id, id) VALUES ('x', 'y')", "duplicate name: id"),
        (
            "INSERT INTO d.t (id) VALUES (1)",
            "Value has type INT64 which cannot be inserted into column id, which has type STRING",
        ),
        ("INSERT INTO d.t (id, n) SELECT id, id FROM d.s", "has type STRING which cannot be inserted into column n"),
        (
            "UPDATE d.t SET n = 'x' WHERE TRUE",
            "has type STRING which cannot be assigned to column n, which has type INT64",
        ),
        ("UPDATE d.t SET n = 1.5 WHERE TRUE", "has type FLOAT64 which cannot be assigned to column n"),
        ("UPDATE d.t SET n = 1, N = 2 WHERE TRUE", "Update item n assigned more than once"),
        ("UPDATE d.t SET nope = 1 WHERE TRUE", "Column nope is not present"),
        ("MERGE d.t USING d.s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = s.id", "cannot be assigned to column n"),
        ("MERGE d.t USING d.s ON t.n = s.id WHEN MATCHED THEN DELETE", "No matching signature for operator ="),
        ("MERGE d.t USING d.s ON TRUE WHEN NOT MATCHED THEN INSERT (id) VALUES (t.id)", "Unrecognized name"),
    ],
)
def test_mistakes_are_told_and_change_nothing(run, content, sql, message):
    with pytest.raises(BadRequest, match=message):
        run(sql)
    assert content() == [("a", 1), ("b", 2), ("c", None)]


def test_structs_go_by_position_as_there(run, rows):
    run("CREATE TABLE d.st (p STRUCT<a INT64, b STRING>, l ARRAY<STRUCT<a INT64, b STRING>>)")
    run("INSERT INTO d.st VALUES (STRUCT(1 AS b, 'x' AS a), [STRUCT(2 AS x, 'y' AS y)])")
    run("INSERT INTO d.st SELECT STRUCT(3, 'z'), ARRAY(SELECT AS STRUCT 4 AS q, 'w' AS r)")
    run("UPDATE d.st SET p = STRUCT(5 AS any_name, p.b AS other) WHERE p.a = 3")
    assert rows("SELECT p.a, p.b, l FROM d.st ORDER BY p.a") == [
        (1, "x", [{"a": 2, "b": "y"}]), (5, "z", [{"a": 4, "b": "w"}]),
    ]  # fmt: skip


def test_the_statements_of_the_first_seed_run(client, run, rows):
    """Select pending rows, mark them, and write results; the tables are made by the statements of its README."""
    run("CREATE TABLE `shop.d.source` (\n  id STRING NOT NULL,\n  url STRING NOT NULL,\n  status STRING NOT NULL\n);")
    run("CREATE TABLE `shop.d.target` (\n  id STRING NOT NULL,\n  context STRING,\n  status STRING\n);")
    run(
        "INSERT INTO `shop.d.source` (id, url, status) VALUES\n  ('1', 'https://example.com/video1', 'PENDING'),\n"
        "  ('2', 'https://example.com/video2', 'PENDING');"
    )
    pending = rows("SELECT url, id FROM `shop.d.source` WHERE status = 'PENDING' LIMIT 5")
    assert sorted(pending) == [("https://example.com/video1", "1"), ("https://example.com/video2", "2")]
    ids = [id_ for _, id_ in pending]
    marked = run(
        "UPDATE `shop.d.source` SET status = 'PROCESSING' WHERE id IN UNNEST(@ids)",
        ArrayQueryParameter("ids", "STRING", ids),
    )
    assert marked.num_dml_affected_rows == 2
    quoted = ", ".join(f"'{id_}'" for id_ in ids)
    assert run(f"UPDATE `shop.d.source` SET status = 'PROCESSING' WHERE id IN ({quoted})").num_dml_affected_rows == 2
    written = run(
        "UPDATE `shop.d.target` SET context = @context, status = @status WHERE id = @id",
        ScalarQueryParameter("context", "STRING", "…"),
        ScalarQueryParameter("status", "STRING", "COMPLETED"),
        ScalarQueryParameter("id", "STRING", "1"),
    )
    assert written.num_dml_affected_rows == 0
