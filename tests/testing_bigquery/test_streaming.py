"""insertAll: rows that are there at once, come once, and rest for half an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest
from google.api_core.exceptions import BadRequest, NotFound

CHANGES = [
    "UPDATE d.t SET n = 1 WHERE id = 'old'",
    "DELETE FROM d.t WHERE TRUE",
    "MERGE d.t USING (SELECT 'z' AS id) AS s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
]


@pytest.fixture(autouse=True)
def table(run):
    run("CREATE TABLE d.t (id STRING NOT NULL, n INT64, tags ARRAY<STRING>, j JSON)")
    run("INSERT INTO d.t (id) VALUES ('old')")


def test_rows_are_there_at_once(client, rows):
    assert client.insert_rows_json("shop.d.t", [{"id": "a", "n": 1, "tags": ["x"], "j": '{"b": 1}'}, {"id": "b"}]) == []
    assert rows("SELECT id, n, tags, j FROM d.t WHERE id < 'old' ORDER BY id") == [
        ("a", 1, ["x"], {"b": 1}),
        ("b", None, [], None),
    ]
    table = client.get_table("d.t")
    assert (table.num_rows, table.streaming_buffer.estimated_rows) == (1, 2)


def test_what_comes_again_under_its_id_is_left_out(client, rows):
    for _ in range(2):
        assert client.insert_rows_json("shop.d.t", [{"id": "a"}, {"id": "b"}], row_ids=["1", "2"]) == []
    client.insert_rows_json("shop.d.t", [{"id": "c"}, {"id": "d"}], row_ids=["3", "3"])
    client.insert_rows_json("shop.d.t", [{"id": "e"}, {"id": "e"}], row_ids=[None, None])
    assert [id_ for (id_,) in rows("SELECT id FROM d.t ORDER BY id")] == ["a", "b", "c", "e", "e", "old"]


def test_one_bad_row_keeps_the_others_out_unless_told_otherwise(client, rows):
    batch = [{"id": "a"}, {"id": "b", "nope": 1}, {"n": 1}, {"id": "c", "n": "x"}]
    errors = {error["index"]: error["errors"][0] for error in client.insert_rows_json("shop.d.t", batch)}
    assert errors[0]["reason"] == "stopped"
    assert (errors[1]["reason"], errors[1]["location"]) == ("invalid", "nope")
    assert (errors[2]["message"], errors[3]["location"]) == ("Missing required field: id.", "n")
    assert rows("SELECT COUNT(*) FROM d.t") == [(1,)]
    assert len(client.insert_rows_json("shop.d.t", batch, skip_invalid_rows=True)) == 3
    assert client.insert_rows_json("shop.d.t", [{"id": "z", "nope": 1}], ignore_unknown_values=True) == []
    assert rows("SELECT id FROM d.t ORDER BY id") == [("a",), ("old",), ("z",)]


@pytest.mark.parametrize("sql", CHANGES)
def test_streamed_rows_keep_statements_off_for_half_an_hour(server, client, run, sql):
    client.insert_rows_json("shop.d.t", [{"id": "new"}])
    with pytest.raises(
        BadRequest, match=r"statement over table shop.d.t would affect rows in the streaming buffer, which is not"
    ):
        run(sql)
    run("INSERT INTO d.t (id) VALUES ('another')")
    server.advance(timedelta(minutes=29))
    with pytest.raises(BadRequest, match="streaming buffer"):
        run(sql)
    server.advance(timedelta(minutes=2))
    run(sql)
    assert client.get_table("d.t").streaming_buffer is None


def test_a_table_must_be_there(client):
    with pytest.raises(NotFound, match=r"Not found: Table shop:d.nope"):
        client.insert_rows_json("shop.d.nope", [{"id": "a"}], retry=None)
